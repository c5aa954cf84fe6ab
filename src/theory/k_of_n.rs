//! Groups that need k of their n units: without repair, independent, and with fewer crews than units.
//!
//! Sources: Barlow & Proschan, "Mathematical Theory of Reliability" (1965); Trivedi, "Probability and Statistics"
//! (2nd ed., 2001), chapter 8; for disks Patterson, Gibson & Katz (SIGMOD 1988).

use super::markov::{birth_death, birth_death_passage};
use crate::maths::{binomial_cdf, binomial_sf, exp, exp_m1};

/// P(at least `k` of `n` independent units are up), each up with probability `up`.
pub fn at_least(n: u64, k: u64, up: f64) -> f64 {
    if k == 0 { 1.0 } else { binomial_sf(n, up, k - 1) }
}

/// P(fewer than `k` of `n` independent units are up), each *down* with probability `down`: accurate when tiny.
pub fn fewer_than(n: u64, k: u64, down: f64) -> f64 {
    // Fewer than k up means more than n − k down.
    if k > n {
        1.0
    } else if k == 0 {
        0.0
    } else {
        binomial_sf(n, down, n - k)
    }
}

/// P(at least `k` units are up) for independent units with probabilities of their own.
pub fn at_least_mixed(up: &[f64], k: usize) -> f64 {
    // share[j]: probability that j of the units so far are up.
    let mut share = vec![0.0; up.len() + 1];
    share[0] = 1.0;
    for (i, p) in up.iter().enumerate() {
        for j in (0..=i).rev() {
            share[j + 1] += share[j] * p;
            share[j] *= 1.0 - p;
        }
    }
    share.iter().skip(k).sum()
}

/// The reliability at `time` of k of n units with one constant failure rate and no repair.
pub fn reliability(n: u64, k: u64, failure_rate: f64, time: f64) -> f64 {
    let down = -exp_m1(-failure_rate * time);
    if down <= 0.5 {
        if k == 0 { 1.0 } else { binomial_cdf(n, down, n.saturating_sub(k)) * f64::from(u8::from(k <= n)) }
    } else {
        at_least(n, k, exp(-failure_rate * time))
    }
}

/// The mean time to failure of k of n units without repair: Σ 1/(i·rate), i = k … n. TMR: 5/(6·rate).
pub fn mean_time_to_failure(n: u64, k: u64, failure_rate: f64) -> f64 {
    (k.max(1)..=n).map(|i| 1.0 / (i as f64 * failure_rate)).sum()
}

/// n like units of which k are needed, with exponential failures and repairs and a number of crews.
///
/// Units fail at the same rate whether or not the group as a whole is up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// All units.
    pub units: u32,
    /// Units that must be up.
    pub needed: u32,
    /// Crews; each repairs one unit at a time.
    pub crews: u32,
    /// Failure rate of a unit that is up.
    pub failure_rate: f64,
    /// Repairs per unit of time by one crew.
    pub repair_rate: f64,
}

impl Group {
    /// Rates by number of units down: of failure from i, and of repair from i + 1.
    fn rates(&self) -> (Vec<f64>, Vec<f64>) {
        let up = (0..self.units).map(|down| f64::from(self.units - down) * self.failure_rate).collect();
        let back =
            (0..self.units).map(|down| f64::from((down + 1).min(self.crews)) * self.repair_rate).collect();
        (up, back)
    }

    /// The long-run probability of each number of units down, from 0 to all.
    pub fn down_shares(&self) -> Vec<f64> {
        let (up, back) = self.rates();
        birth_death(&up, &back)
    }

    /// The long-run probability that fewer units are up than needed.
    pub fn unavailability(&self) -> f64 {
        let first = (self.units + 1).saturating_sub(self.needed) as usize;
        // Smallest terms first.
        self.down_shares().iter().skip(first).rev().sum()
    }

    /// The mean number of units down.
    pub fn mean_down(&self) -> f64 {
        self.down_shares().iter().enumerate().map(|(i, share)| i as f64 * share).sum()
    }

    /// The mean time from all units up to the first moment with fewer than needed.
    pub fn mean_time_to_failure(&self) -> f64 {
        let (up, back) = self.rates();
        let steps = (self.units + 1).saturating_sub(self.needed) as usize;
        birth_death_passage(&up[..steps.min(up.len())], &back)
    }
}

/// The mean time to data loss of `disks` that survive one failure: ((2n − 1)λ + μ)/(n(n − 1)λ²).
pub fn mean_time_to_data_loss(disks: u32, failure_rate: f64, rebuild_rate: f64) -> f64 {
    let (n, l) = (f64::from(disks), failure_rate);
    ((2.0 * n - 1.0) * l + rebuild_rate) / (n * (n - 1.0) * l * l)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::testing::near;

    #[test]
    fn independent_units() {
        near(at_least(24, 21, 0.957), 0.981_77, 1e-5);
        near(at_least(24, 20, 0.957), 0.996_85, 1e-5);
        near(fewer_than(24, 21, 0.043), 1.0 - at_least(24, 21, 0.957), 1e-12);
        near(at_least_mixed(&[0.957; 24], 21), at_least(24, 21, 0.957), 1e-13);
        near(at_least_mixed(&[0.9, 0.5], 1), 0.95, 1e-15);
        assert_eq!((at_least(3, 0, 0.1), fewer_than(3, 4, 0.1), fewer_than(3, 0, 0.1)), (1.0, 1.0, 0.0));
    }

    #[test]
    fn tmr_without_repair_crosses_a_single_unit_at_ln_2() {
        near(mean_time_to_failure(3, 2, 0.001), 5.0 / 0.006, 1e-14);
        near(reliability(3, 2, 1.0, std::f64::consts::LN_2), 0.5, 1e-13);
        near(reliability(3, 2, 1.0, 2.0), 3.0 * exp(-4.0) - 2.0 * exp(-6.0), 1e-13);
        assert_eq!(reliability(3, 4, 1.0, 0.1), 0.0);
    }
}
