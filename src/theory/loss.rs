//! Data lost at a crash: what was still in flight, or newer than the last completed copy.

use crate::engine::dist::{Law, LawError};
use crate::maths::{exp, poisson_cdf, poisson_quantile};

/// Acknowledged writes on their way to the other node when the active one crashes at a random instant.
///
/// M/G/∞ seen at a random time: Poisson with mean rate × mean lag, whatever the law of the lag (Takács 1962; Wolff,
/// Oper. Res. 30, 1982).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InFlight {
    /// Acknowledged writes per unit of time, Poisson.
    pub write_rate: f64,
    /// The mean time from acknowledgement to safety on the other node.
    pub lag_mean: f64,
}

impl InFlight {
    /// The mean number lost.
    pub fn mean(&self) -> f64 {
        self.write_rate * self.lag_mean
    }

    /// P(nothing is lost).
    pub fn none(&self) -> f64 {
        exp(-self.mean())
    }

    /// P(at most `n` are lost).
    pub fn cdf(&self, n: u64) -> f64 {
        poisson_cdf(self.mean(), n)
    }

    /// The number not exceeded with probability `p`.
    pub fn quantile(&self, p: f64) -> u64 {
        poisson_quantile(self.mean(), p)
    }
}

/// The age of the oldest lost data at a crash at a random phase, when a copy is begun every `period` and takes
/// `transfer`: uniform on [transfer, transfer + period].
///
/// # Errors
/// Negative or infinite times.
pub fn periodic_copy_age(period: f64, transfer: f64) -> Result<Law, LawError> {
    Law::shifted(&Law::uniform(0.0, period)?, transfer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_of_one_second_every_five() {
        let age = periodic_copy_age(5.0, 1.0).unwrap();
        assert_eq!((age.mean(), age.support_min(), age.support_max()), (3.5, 1.0, 6.0));
        assert!(periodic_copy_age(-1.0, 0.0).is_err());
    }
}
