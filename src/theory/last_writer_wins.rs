//! Writes silently dropped because clocks disagree and the latest time stamp wins.

use crate::maths::exp_m1;

/// The share of neighbouring pairs of writes to one key whose stamps are in the wrong order.
///
/// Writes come as a Poisson stream of `write_rate`, alternately from two nodes whose clocks differ by `skew`: a pair
/// closer than the skew (1 − e^(−rδ)) is wrong if the fast clock wrote first, which is half of them.
pub fn discarded_share(write_rate: f64, skew: f64) -> f64 {
    -0.5 * exp_m1(-write_rate * skew.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_clocks_lose_nothing_and_hopeless_ones_half() {
        assert_eq!(discarded_share(5.0, 0.0), 0.0);
        assert_eq!(discarded_share(5.0, 1e9), 0.5);
        assert!((discarded_share(0.1, 0.01) - 0.000_5).abs() < 1e-6);
    }
}
