//! Single units and pairs with repair, and what common causes, spares and imperfect switches make of them.
//!
//! λ is a failure rate, μ a repair rate. Sources: Barlow & Proschan (1965); Trivedi (2nd ed., 2001), chapter 8.

use super::k_of_n::Group;
use super::markov::{birth_death, birth_death_passage};
use crate::maths::{exp, exp_m1, gamma_p, poisson_cdf, poisson_pmf};

/// One unit with exponential failures and repairs, up at time 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// λ.
    pub failure_rate: f64,
    /// μ.
    pub repair_rate: f64,
}

impl Unit {
    /// λ/(λ + μ); it depends on the two means only, not on the laws.
    pub fn unavailability(&self) -> f64 {
        self.failure_rate / (self.failure_rate + self.repair_rate)
    }

    /// A(t) = 1 − λ/(λ + μ)·(1 − e^(−(λ+μ)t)).
    pub fn availability_at(&self, time: f64) -> f64 {
        let sum = self.failure_rate + self.repair_rate;
        1.0 + self.unavailability() * exp_m1(-sum * time)
    }

    /// The mean of A over [0, t].
    pub fn mean_availability(&self, time: f64) -> f64 {
        if time <= 0.0 {
            return 1.0;
        }
        let sum = self.failure_rate + self.repair_rate;
        1.0 - self.unavailability() * (1.0 + exp_m1(-sum * time) / (sum * time))
    }

    /// P(total downtime in [0, time] ≤ `downtime`) (Takács, Acta Math. Hung. 8, 1957).
    ///
    /// With exactly `time − downtime` of up-time, the failures in it are Poisson and their repairs together are
    /// gamma: the sum over n of P(n failures)·P(n repairs take at most `downtime`).
    pub fn downtime_cdf(&self, time: f64, downtime: f64) -> f64 {
        if downtime.is_nan() || downtime < 0.0 {
            return 0.0;
        }
        if downtime >= time {
            return 1.0;
        }
        let mean = self.failure_rate * (time - downtime);
        let last = (mean + 12.0 * mean.sqrt() + 60.0).min(1e7) as u64;
        let first = (mean - 12.0 * mean.sqrt() - 60.0).max(1.0) as u64;
        let none = poisson_pmf(mean, 0);
        let some: f64 = (first..=last)
            .map(|n| poisson_pmf(mean, n) * gamma_p(n as f64, self.repair_rate * downtime))
            .sum();
        (none + some).min(1.0)
    }
}

/// Two units of which one is needed, with perfect and instant switching.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// λ of the active unit.
    pub failure_rate: f64,
    /// μ.
    pub repair_rate: f64,
    /// The standby's failure rate as a share of the active's: 0 cold, between warm, 1 hot.
    pub dormancy: f64,
    /// One crew or two.
    pub crews: u32,
}

impl Pair {
    fn rates(&self) -> ([f64; 2], [f64; 2]) {
        let (l, m) = (self.failure_rate, self.repair_rate);
        ([l * (1.0 + self.dormancy), l], [m, f64::from(self.crews.clamp(1, 2)) * m])
    }

    /// The long-run probability that both are down.
    ///
    /// Hot with two crews (λ/(λ+μ))², hot with one 2λ²/(μ² + 2λμ + 2λ²), cold with one λ²/(λ² + λμ + μ²).
    pub fn unavailability(&self) -> f64 {
        let (up, back) = self.rates();
        birth_death(&up, &back)[2]
    }

    /// The mean time to the first moment with both down: hot (3λ + μ)/(2λ²), cold (2λ + μ)/λ².
    pub fn mean_time_to_failure(&self) -> f64 {
        let (up, back) = self.rates();
        birth_death_passage(&up, &back)
    }
}

/// Cold standby with exponential failures, one crew, and any law of repair (Gaver, IEEE Trans. Rel. R-12, 1963).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColdStandby {
    /// λ.
    pub failure_rate: f64,
    /// The mean repair time r.
    pub repair_mean: f64,
    /// g = E[e^(−λR)], the probability that a repair ends before the other unit fails.
    pub repair_in_time: f64,
}

impl ColdStandby {
    /// Repairs that always take the same time: g = e^(−λr).
    pub fn with_fixed_repair(failure_rate: f64, repair: f64) -> ColdStandby {
        ColdStandby { failure_rate, repair_mean: repair, repair_in_time: exp(-failure_rate * repair) }
    }

    /// U = (r − (1 − g)/λ)/(r + g/λ).
    pub fn unavailability(&self) -> f64 {
        let (l, r, g) = (self.failure_rate, self.repair_mean, self.repair_in_time);
        (r - (1.0 - g) / l) / (r + g / l)
    }

    /// 1/λ + 1/(λ(1 − g)).
    pub fn mean_time_to_failure(&self) -> f64 {
        1.0 / self.failure_rate + 1.0 / (self.failure_rate * (1.0 - self.repair_in_time))
    }
}

/// U of a fixed repair time without the cancellation of the general form, for λr ≪ 1.
///
/// r − (1 − e^(−λr))/λ = r·(1/2! − λr/3! + …)·λr.
pub fn cold_standby_fixed_unavailability(failure_rate: f64, repair: f64) -> f64 {
    let x = failure_rate * repair;
    let gap = if x < 0.5 {
        // (x − 1 + e^(−x)) = x²/2 − x³/6 + …
        let (mut term, mut sum) = (0.5 * x * x, 0.0);
        for n in 3..40 {
            sum += term;
            term *= -x / f64::from(n);
            if term.abs() < 1e-18 * sum {
                break;
            }
        }
        sum
    } else {
        x + exp_m1(-x)
    };
    gap / (x + exp(-x))
}

/// Cold standby without repair: reliability at `time` if the switch works with probability `switch`:
/// e^(−λt)(1 + pλt).
pub fn cold_standby_reliability(failure_rate: f64, switch: f64, time: f64) -> f64 {
    let x = failure_rate * time;
    exp(-x) * (1.0 + switch * x)
}

/// Cold standby without repair: (1 + p)/λ.
pub fn cold_standby_mttf(failure_rate: f64, switch: f64) -> f64 {
    (1.0 + switch) / failure_rate
}

/// `active` units with `spares` cold spares and no repair: P(at most `spares` failures until `time`).
pub fn spares_reliability(active: u32, spares: u64, failure_rate: f64, time: f64) -> f64 {
    poisson_cdf(f64::from(active) * failure_rate * time, spares)
}

/// A hot pair whose first failure is covered with probability `coverage`, else takes the pair down: the mean time to
/// the first system failure, (λ(1 + 2c) + μ)/(2λ(λ + μ(1 − c))) (Arnold, IEEE Trans. Computers C-22, 1973).
pub fn covered_pair_mttf(failure_rate: f64, repair_rate: f64, coverage: f64) -> f64 {
    let (l, m, c) = (failure_rate, repair_rate, coverage);
    (l * (1.0 + 2.0 * c) + m) / (2.0 * l * (l + m * (1.0 - c)))
}

/// The downtime share of an active/standby pair, to first order in λ/μ: λ(c·T_F + (1 − c)·T_M) + (λ/μ)².
pub fn covered_pair_unavailability(unit: Unit, coverage: f64, failover: f64, manual: f64) -> f64 {
    let double = unit.failure_rate / unit.repair_rate;
    unit.failure_rate * (coverage * failover + (1.0 - coverage) * manual) + double * double
}

/// A pair of which a share `beta` of all failures strikes both at once: U ≈ ((1 − β)λ/μ)² + βλ/μ (IEC 61508-6).
pub fn beta_factor_unavailability(unit: Unit, beta: f64) -> f64 {
    let x = unit.failure_rate / unit.repair_rate;
    (1.0 - beta) * x * (1.0 - beta) * x + beta * x
}

/// 2 of 3 with repair by one crew: (5λ + μ)/(6λ²).
pub fn two_of_three_mttf(unit: Unit) -> f64 {
    let Unit { failure_rate, repair_rate } = unit;
    Group { units: 3, needed: 2, crews: 1, failure_rate, repair_rate }.mean_time_to_failure()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::testing::near;

    #[test]
    fn a_single_unit_of_the_textbook() {
        let unit = Unit { failure_rate: 1e-3, repair_rate: 0.25 };
        near(1.0 - unit.unavailability(), 0.996_016, 1e-6);
        near(unit.availability_at(10.0), 0.996_340, 1e-6);
        near(unit.mean_availability(10.0), 0.997_474, 1e-6);
        assert_eq!(unit.mean_availability(0.0), 1.0);
        assert_eq!((unit.downtime_cdf(10.0, -1.0), unit.downtime_cdf(10.0, 10.0)), (0.0, 1.0));
        near(unit.downtime_cdf(10.0, 0.0), exp(-0.01), 1e-13);
    }

    #[test]
    fn pairs_have_their_closed_forms() {
        let (l, m) = (0.003, 0.1);
        let pair = |dormancy, crews| Pair { failure_rate: l, repair_rate: m, dormancy, crews };
        near(pair(1.0, 2).unavailability(), (l / (l + m)) * (l / (l + m)), 1e-14);
        near(pair(1.0, 1).unavailability(), 2.0 * l * l / (m * m + 2.0 * l * m + 2.0 * l * l), 1e-14);
        near(pair(0.0, 1).unavailability(), l * l / (l * l + l * m + m * m), 1e-14);
        near(pair(1.0, 2).mean_time_to_failure(), (3.0 * l + m) / (2.0 * l * l), 1e-14);
        near(pair(0.0, 1).mean_time_to_failure(), (2.0 * l + m) / (l * l), 1e-14);
        // Exponential repair in the general form: g = μ/(λ + μ).
        let cold = ColdStandby { failure_rate: l, repair_mean: 1.0 / m, repair_in_time: m / (l + m) };
        near(cold.unavailability(), pair(0.0, 1).unavailability(), 1e-12);
        near(cold.mean_time_to_failure(), pair(0.0, 1).mean_time_to_failure(), 1e-12);
        let fixed = ColdStandby::with_fixed_repair(l, 10.0).unavailability();
        near(cold_standby_fixed_unavailability(l, 10.0), fixed, 1e-11);
        near(
            two_of_three_mttf(Unit { failure_rate: l, repair_rate: m }),
            (5.0 * l + m) / (6.0 * l * l),
            1e-13,
        );
    }

    #[test]
    fn switches_spares_and_common_causes() {
        near(cold_standby_reliability(0.5, 1.0, 2.0), 2.0 * exp(-1.0), 1e-15);
        near(cold_standby_reliability(0.5, 1.0, 2.0), spares_reliability(1, 1, 0.5, 2.0), 1e-13);
        assert_eq!(cold_standby_mttf(0.5, 0.9), 3.8);
        near(spares_reliability(24, 3, 0.1, 1.0), poisson_cdf(2.4, 3), 1e-15);
        let unit = Unit { failure_rate: 1e-3, repair_rate: 0.1 };
        near(beta_factor_unavailability(unit, 0.1), 0.009 * 0.009 + 0.001, 1e-14);
    }

    #[test]
    fn coverage_as_minutes_per_year() {
        // Two failures a year, failover 60 s, manual 1 h, repair 4 h.
        let minutes = 365.25 * 24.0 * 60.0;
        let unit = Unit { failure_rate: 2.0 / minutes, repair_rate: 1.0 / 240.0 };
        for (coverage, want) in [(1.0, 2.4), (0.99, 3.6), (0.975, 5.4), (0.95, 8.3), (0.9, 14.2)] {
            let got = covered_pair_unavailability(unit, coverage, 1.0, 60.0) * minutes;
            assert!((got - want).abs() < 0.06, "coverage {coverage}: {got} against {want}");
        }
    }
}
