//! Continuous-time Markov chains of a few hundred states, solved without a single subtraction.
//!
//! Unavailabilities of 1e-15 come out with all their digits: the elimination of Grassmann, Taksar and Heyman (Oper.
//! Res. 33, 1985) adds, multiplies and divides positive numbers only.

use std::fmt;

use crate::maths::{poisson_pmf, poisson_sf};

/// Why a chain has no answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChainError {
    /// A rate is negative, infinite or not a number.
    BadRate {
        /// The state left.
        from: usize,
        /// The state entered.
        to: usize,
        /// The rate.
        rate: f64,
    },
    /// From this state the first ones cannot be reached: there is no single steady state.
    Reducible {
        /// The state.
        state: usize,
    },
    /// A start state, distribution or time that does not fit the chain.
    BadStart,
    /// Too many jumps are expected in the time asked for; use the steady state.
    TooManyJumps {
        /// The expected number.
        expected: f64,
    },
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChainError::BadRate { from, to, rate } => {
                write!(f, "the rate from state {from} to {to} is {rate}")
            }
            ChainError::Reducible { state } => write!(f, "state {state} cannot reach the states before it"),
            ChainError::BadStart => f.write_str("the start or the time does not fit the chain"),
            ChainError::TooManyJumps { expected } => {
                write!(f, "{expected:.3e} jumps are expected, more than can be followed one by one")
            }
        }
    }
}

impl std::error::Error for ChainError {}

/// More jumps than this are refused by the transient solution.
const JUMPS_MAX: f64 = 1e7;

/// A continuous-time Markov chain: states 0 to n − 1 and the rates between them.
///
/// ```
/// use failsim::theory::markov::Chain;
/// let mut unit = Chain::new(2);
/// unit.add(0, 1, 0.001).add(1, 0, 0.1);
/// assert!((unit.steady_state().unwrap()[1] - 0.001 / 0.101).abs() < 1e-17);
/// assert_eq!(unit.mean_time_to(0, &[1]).unwrap(), 1000.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    states: usize,
    rates: Vec<f64>,
}

impl Chain {
    /// A chain of `states` states without transitions.
    pub fn new(states: usize) -> Chain {
        Chain { states, rates: vec![0.0; states * states] }
    }

    /// Adds a rate from one state to another; a rate back to the same state means nothing and is ignored.
    ///
    /// # Panics
    /// If a state does not exist: chains are built by code, not from input.
    pub fn add(&mut self, from: usize, to: usize, rate: f64) -> &mut Chain {
        assert!(from < self.states && to < self.states, "states {from}, {to} of a chain of {}", self.states);
        if from != to {
            self.rates[from * self.states + to] += rate;
        }
        self
    }

    /// The number of states.
    pub fn states(&self) -> usize {
        self.states
    }

    fn rate(&self, from: usize, to: usize) -> f64 {
        self.rates[from * self.states + to]
    }

    fn check(&self) -> Result<(), ChainError> {
        match self.rates.iter().position(|r| !(r.is_finite() && *r >= 0.0)) {
            None if self.states > 0 => Ok(()),
            None => Err(ChainError::BadStart),
            Some(at) => Err(ChainError::BadRate {
                from: at / self.states,
                to: at % self.states,
                rate: self.rates[at],
            }),
        }
    }

    /// The long-run share of time in each state.
    ///
    /// # Errors
    /// Bad rates, or more than one set of states that is never left.
    pub fn steady_state(&self) -> Result<Vec<f64>, ChainError> {
        self.check()?;
        let n = self.states;
        let mut q = self.rates.clone();
        for k in (1..n).rev() {
            let out: f64 = q[k * n..k * n + k].iter().sum();
            if out <= 0.0 {
                return Err(ChainError::Reducible { state: k });
            }
            for i in 0..k {
                q[i * n + k] /= out;
                let into = q[i * n + k];
                if into > 0.0 {
                    for j in (0..k).filter(|j| *j != i) {
                        q[i * n + j] += into * q[k * n + j];
                    }
                }
            }
        }
        let mut share = vec![1.0; n];
        for k in 1..n {
            share[k] = (0..k).map(|i| share[i] * q[i * n + k]).sum();
        }
        let total: f64 = share.iter().sum();
        share.iter_mut().for_each(|s| *s /= total);
        Ok(share)
    }

    /// The mean time from `start` to the first visit of one of `goals`; infinity if that may never come.
    ///
    /// Closing the loop with a jump back from the goals to the start makes the mean time a ratio of steady-state
    /// shares, so it keeps the elimination's precision.
    ///
    /// # Errors
    /// Bad rates, or a start that is no state.
    pub fn mean_time_to(&self, start: usize, goals: &[usize]) -> Result<f64, ChainError> {
        self.check()?;
        if start >= self.states {
            return Err(ChainError::BadStart);
        }
        if goals.contains(&start) {
            return Ok(0.0);
        }
        // 0 stands for all goals; the rest are the states met before one.
        let mut place = vec![None; self.states];
        let mut met = vec![start];
        place[start] = Some(1);
        let mut next = 0;
        while next < met.len() {
            let from = met[next];
            for to in (0..self.states).filter(|to| self.rate(from, *to) > 0.0) {
                if place[to].is_none() && !goals.contains(&to) {
                    met.push(to);
                    place[to] = Some(met.len());
                }
            }
            next += 1;
        }
        let mut loop_chain = Chain::new(met.len() + 1);
        for (i, from) in met.iter().enumerate() {
            for (to, place) in place.iter().enumerate() {
                loop_chain.add(i + 1, place.unwrap_or(0), self.rate(*from, to));
            }
        }
        // The rate of the jump back cancels; taking the start's own rate keeps the shares of like size.
        let back: f64 = (0..self.states).map(|to| self.rate(start, to)).sum();
        if back == 0.0 {
            return Ok(f64::INFINITY);
        }
        loop_chain.add(0, 1, back);
        match loop_chain.steady_state() {
            Ok(share) => Ok(share[1..].iter().sum::<f64>() / (share[0] * back)),
            Err(ChainError::Reducible { .. }) => Ok(f64::INFINITY),
            Err(other) => Err(other),
        }
    }

    /// How often per unit of time the chain passes from a state of one set to a state outside it, in the long run.
    ///
    /// # Errors
    /// As [`Chain::steady_state`].
    pub fn exit_rate(&self, inside: &[usize]) -> Result<f64, ChainError> {
        let share = self.steady_state()?;
        let mut flow = 0.0;
        for from in inside.iter().copied().filter(|s| *s < self.states) {
            for to in (0..self.states).filter(|to| !inside.contains(to)) {
                flow += share[from] * self.rate(from, to);
            }
        }
        Ok(flow)
    }

    /// The probability of each state at `time`, from the given start distribution.
    ///
    /// # Errors
    /// Bad rates or start, or too many jumps.
    pub fn at(&self, start: &[f64], time: f64) -> Result<Vec<f64>, ChainError> {
        self.uniformise(start, time, poisson_pmf)
    }

    /// The mean share of [0, `time`] spent in each state.
    ///
    /// # Errors
    /// As [`Chain::at`].
    pub fn mean_until(&self, start: &[f64], time: f64) -> Result<Vec<f64>, ChainError> {
        if time == 0.0 {
            return self.at(start, 0.0);
        }
        // The jump clock spends P(N > k)/(its mean) of the time after exactly k jumps.
        self.uniformise(start, time, |mean, k| if mean > 0.0 { poisson_sf(mean, k) / mean } else { 0.0 })
    }

    /// Jensen's uniformisation (1953): jumps of one Poisson clock, some of which lead back to the same state.
    fn uniformise(
        &self,
        start: &[f64],
        time: f64,
        weight: impl Fn(f64, u64) -> f64,
    ) -> Result<Vec<f64>, ChainError> {
        self.check()?;
        let n = self.states;
        if start.len() != n || !(time >= 0.0 && time.is_finite()) {
            return Err(ChainError::BadStart);
        }
        let out: Vec<f64> = (0..n).map(|i| self.rates[i * n..(i + 1) * n].iter().sum()).collect();
        let clock = out.iter().fold(0.0_f64, |m, r| m.max(*r));
        let mean = clock * time;
        if mean == 0.0 {
            return Ok(start.to_vec());
        }
        if mean > JUMPS_MAX {
            return Err(ChainError::TooManyJumps { expected: mean });
        }
        // Beyond 12 standard deviations (and 50 jumps) less than 1e-30 is left.
        let jumps = (mean + 12.0 * mean.sqrt() + 50.0) as u64;
        let mut now = start.to_vec();
        let mut sum = vec![0.0; n];
        for k in 0..=jumps {
            let w = weight(mean, k);
            sum.iter_mut().zip(&now).for_each(|(s, p)| *s += w * p);
            let mut next: Vec<f64> = (0..n).map(|i| now[i] * ((clock - out[i]) / clock)).collect();
            for i in (0..n).filter(|i| now[*i] != 0.0) {
                for (j, next) in next.iter_mut().enumerate() {
                    *next += now[i] * self.rate(i, j) / clock;
                }
            }
            now = next;
        }
        Ok(sum)
    }
}

/// The long-run shares of a birth-death chain: `up[i]` from state i to i + 1, `down[i]` back.
pub fn birth_death(up: &[f64], down: &[f64]) -> Vec<f64> {
    let mut share = vec![1.0];
    for (b, d) in up.iter().zip(down) {
        share.push(share[share.len() - 1] * b / d);
    }
    let total: f64 = share.iter().sum();
    share.iter_mut().for_each(|s| *s /= total);
    share
}

/// The mean time of a birth-death chain from state 0 to state `up.len()`; `down[i]` leads from i + 1 to i.
pub fn birth_death_passage(up: &[f64], down: &[f64]) -> f64 {
    // The step from i to i + 1 takes 1/b + (d/b)·(step before).
    let mut step = 0.0;
    let mut total = 0.0;
    for (i, b) in up.iter().enumerate() {
        step = if i == 0 { 1.0 / b } else { (1.0 + down[i - 1] * step) / b };
        total += step;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::testing::near;

    #[test]
    fn shares_of_1e_minus_30_keep_their_digits() {
        let mut chain = Chain::new(4);
        for i in 0..3 {
            chain.add(i, i + 1, 1e-10).add(i + 1, i, 1.0);
        }
        near(chain.steady_state().unwrap()[3], 1e-30, 1e-9);
        near(chain.mean_time_to(0, &[3]).unwrap(), birth_death_passage(&[1e-10; 3], &[1.0; 3]), 1e-14);
        near(birth_death(&[1e-10; 3], &[1.0; 3])[3], chain.steady_state().unwrap()[3], 1e-14);
    }

    #[test]
    fn chains_without_an_answer_say_so() {
        let mut chain = Chain::new(3);
        chain.add(0, 1, 1.0).add(1, 0, 1.0).add(0, 2, 1.0);
        assert_eq!(chain.steady_state(), Err(ChainError::Reducible { state: 2 }));
        assert_eq!(chain.mean_time_to(0, &[2]), Ok(2.0));
        assert_eq!(chain.mean_time_to(2, &[0]), Ok(f64::INFINITY));
        assert_eq!(chain.mean_time_to(9, &[0]), Err(ChainError::BadStart));
        assert!(matches!(Chain::new(2).add(0, 1, -1.0).steady_state(), Err(ChainError::BadRate { .. })));
        assert!(matches!(
            Chain::new(2).add(0, 1, 1e9).at(&[1.0, 0.0], 1e9),
            Err(ChainError::TooManyJumps { .. })
        ));
    }

    #[test]
    fn the_transient_solution_meets_the_closed_form() {
        let mut chain = Chain::new(2);
        chain.add(0, 1, 0.001).add(1, 0, 0.25);
        near(chain.at(&[1.0, 0.0], 10.0).unwrap()[0], 0.996_340, 1e-6);
        near(chain.mean_until(&[1.0, 0.0], 10.0).unwrap()[0], 0.997_474, 1e-6);
        near(chain.exit_rate(&[0]).unwrap(), 0.001 * 0.25 / 0.251, 1e-14);
    }
}
