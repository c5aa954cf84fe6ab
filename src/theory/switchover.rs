//! An active and a passive node: failover that takes time, fails sometimes, and is then left to an operator.
//!
//! Structure as in Trivedi & Bobbio, "Reliability and Availability Engineering" (2017), chapters 9 to 11.

use super::markov::{Chain, ChainError};

/// Two nodes, a crew for each; standby failures are noticed at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivePassive {
    /// λ of either node.
    pub failure_rate: f64,
    /// μ.
    pub repair_rate: f64,
    /// The probability that a failover works by itself.
    pub switch_success: f64,
    /// The mean duration of a failover that works (exponential).
    pub failover_mean: f64,
    /// The mean duration of a manual recovery otherwise (exponential).
    pub manual_mean: f64,
    /// Whether the failed node is under repair during the outage; its return then ends the outage.
    pub repair_during_switch: bool,
}

/// Long-run shares of time out of service, by what is being waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// For the failover.
    pub failover: f64,
    /// For the operator.
    pub manual: f64,
    /// For a repair, both nodes being down; service resumes with the first of them.
    pub both_down: f64,
}

impl Shares {
    /// The unavailability.
    pub fn total(&self) -> f64 {
        self.failover + self.manual + self.both_down
    }
}

const BOTH_UP: usize = 0;
const ONE_UP: usize = 1;
const FAILOVER: usize = 2;
const MANUAL: usize = 3;
const BOTH_DOWN: usize = 4;

impl ActivePassive {
    /// The chain of the five states.
    pub fn chain(&self) -> Chain {
        let (l, m, c) = (self.failure_rate, self.repair_rate, self.switch_success);
        let mut chain = Chain::new(5);
        chain
            .add(BOTH_UP, FAILOVER, c * l)
            .add(BOTH_UP, MANUAL, (1.0 - c) * l)
            // The standby fails: no outage.
            .add(BOTH_UP, ONE_UP, l)
            .add(ONE_UP, BOTH_UP, m)
            .add(ONE_UP, BOTH_DOWN, l)
            .add(BOTH_DOWN, ONE_UP, 2.0 * m);
        for (state, mean) in [(FAILOVER, self.failover_mean), (MANUAL, self.manual_mean)] {
            chain.add(state, ONE_UP, 1.0 / mean).add(state, BOTH_DOWN, l);
            if self.repair_during_switch {
                chain.add(state, BOTH_UP, m);
            }
        }
        chain
    }

    /// The unavailability by cause.
    ///
    /// # Errors
    /// Rates that make no chain.
    pub fn shares(&self) -> Result<Shares, ChainError> {
        let share = self.chain().steady_state()?;
        Ok(Shares { failover: share[FAILOVER], manual: share[MANUAL], both_down: share[BOTH_DOWN] })
    }

    /// Outages per unit of time; a second failure during one does not count again.
    ///
    /// # Errors
    /// Rates that make no chain.
    pub fn outage_rate(&self) -> Result<f64, ChainError> {
        self.chain().exit_rate(&[BOTH_UP, ONE_UP])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::testing::near;

    #[test]
    fn an_instant_perfect_switch_leaves_the_hot_pair() {
        let model = ActivePassive {
            failure_rate: 0.001,
            repair_rate: 0.1,
            switch_success: 1.0,
            failover_mean: 1e-12,
            manual_mean: 1.0,
            repair_during_switch: true,
        };
        near(model.shares().unwrap().total(), 9.802_960_494_069_21e-5, 1e-9);
        let bad = ActivePassive { failover_mean: 0.0, ..model };
        assert!(bad.shares().is_err());
    }
}
