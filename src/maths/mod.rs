//! Portable mathematics: the same bits on every machine.
//!
//! Everything transcendental goes through the pinned pure-Rust `libm`; what the platform computes with exact
//! rounding (`sqrt`, `floor`, `ceil`, `round`, `abs`) is used as it is. Every loop has a fixed limit, no function
//! panics, and arguments outside a function's domain give NaN. This module knows nothing of simulation; start with
//! [`normal_quantile`], [`gamma_pq`] and [`beta_pq`].
mod beta;
mod continuous;
mod discrete;
mod gamma;
mod normal;

pub use beta::{beta_inv, beta_pq};
pub use continuous::{
    chi_square_cdf, chi_square_quantile, chi_square_sf, student_t_cdf, student_t_quantile, student_t_sf,
};
pub use discrete::{
    binomial_cdf, binomial_pmf, binomial_quantile, binomial_sf, poisson_cdf, poisson_pmf, poisson_quantile,
    poisson_sf,
};
pub use gamma::{gamma_inv, gamma_p, gamma_p_inv, gamma_pq, gamma_q, gamma_q_inv};
pub use normal::{erfc, normal_cdf, normal_isf, normal_pdf, normal_quantile, normal_sf};

/// ½·ln(2π).
pub(crate) const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;

/// The natural logarithm.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// ln(1 + x), accurate for small `x`.
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// The decimal logarithm.
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// e to the power `x`.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// e to the power `x`, minus 1, accurate for small `x`.
pub fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// `x` to the power `y`.
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// The logarithm of the gamma function of a positive number; NaN for others.
pub fn ln_gamma(x: f64) -> f64 {
    if x > 0.0 { libm::lgamma(x) } else { f64::NAN }
}

/// The gamma function of a positive number; NaN for others, infinity above 171.6.
pub fn gamma(x: f64) -> f64 {
    if x > 0.0 { libm::tgamma(x) } else { f64::NAN }
}

/// lambda − 1 − ln(lambda) at `lambda = x/a`, without cancellation near 1; `gap` is x − a.
///
/// The exponent of the gamma and beta densities: Loader, "Fast and accurate computation of binomial
/// probabilities" (2000), writes it `bd0`. With s = mu/(2 + mu), ln(1 + mu) = 2·atanh(s) and
/// mu − 2s = s·mu, which leaves s·(mu − 2s²(1/3 + s²/5 + s⁴/7 + …)).
pub(crate) fn deviance(x: f64, a: f64, gap: f64) -> f64 {
    let mu = gap / a;
    if mu.abs() >= 0.5 {
        let lambda = x / a;
        return lambda - 1.0 - ln(lambda);
    }
    let s = mu / (2.0 + mu);
    let square = s * s;
    let (mut power, mut sum) = (1.0, 0.0);
    for i in 0..24 {
        let term = power / f64::from(2 * i + 3);
        sum += term;
        if term < 1e-18 {
            break;
        }
        power *= square;
    }
    s * (mu - 2.0 * square * sum)
}

/// What Stirling's formula leaves out: ln Γ(a) − (a − ½)·ln a + a − ½·ln 2π, for `a` > 0.
pub(crate) fn stirling_rest(a: f64) -> f64 {
    if a < 1.0 {
        return ln_gamma(a) - (a - 0.5) * ln(a) + a - HALF_LN_TAU;
    }
    // Below 10 the series is too short: step up by Γ(a + 1) = a·Γ(a).
    let (mut a, mut rest) = (a, 0.0);
    while a < 10.0 {
        rest += (a + 0.5) * ln_1p(1.0 / a) - 1.0;
        a += 1.0;
    }
    let r = 1.0 / (a * a);
    // B(2k)/(2k(2k − 1)), k = 1..7 (DLMF 5.11.1).
    let series = 1.0 / 12.0
        + r * (-1.0 / 360.0
            + r * (1.0 / 1260.0
                + r * (-1.0 / 1680.0 + r * (1.0 / 1188.0 + r * (-691.0 / 360_360.0 + r / 156.0)))));
    rest + series / a
}

/// a·b as a rounded product and its exact rounding error (Dekker 1971); for factors below 1e150.
pub(crate) fn two_product(a: f64, b: f64) -> (f64, f64) {
    const SPLIT: f64 = 134_217_729.0; // 2^27 + 1
    let split = |x: f64| {
        let c = SPLIT * x;
        let high = c - (c - x);
        (high, x - high)
    };
    let product = a * b;
    let ((ah, al), (bh, bl)) = (split(a), split(b));
    (product, ((ah * bh - product) + ah * bl + al * bh) + al * bl)
}

#[cfg(test)]
pub(crate) mod testing {
    /// Fails unless `got` is within `relative` of `want`.
    #[track_caller]
    pub(crate) fn near(got: f64, want: f64, relative: f64) {
        let scale = want.abs().max(f64::MIN_POSITIVE);
        assert!(
            got == want || (got - want).abs() <= relative * scale,
            "got {got:e}, want {want:e}, relative error {:e}",
            (got - want).abs() / scale
        );
    }

    /// A tiny generator for tests: SplitMix64 (Steele, Lea & Flood 2014), as numbers inside (0, 1).
    pub(crate) struct SplitMix(pub(crate) u64);

    impl SplitMix {
        pub(crate) fn bits(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }

        pub(crate) fn uniform(&mut self) -> f64 {
            ((self.bits() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::near;
    use super::*;

    #[test]
    fn stirlings_rest_agrees_with_exact_factorials() {
        near(HALF_LN_TAU + (2.5) * ln(3.0) - 3.0 + stirling_rest(3.0), ln(2.0), 1e-14);
        near(stirling_rest(1.0), 0.081_061_466_795_327_26, 1e-14);
        near(stirling_rest(100.0), 8.333_305_556_349_147e-4, 1e-14);
    }

    #[test]
    fn the_deviance_does_not_cancel_near_one() {
        near(deviance(1.0 + 1e-8, 1.0, 1e-8), 4.999_999_966_666_667e-17, 1e-14);
        near(deviance(1.5, 1.0, 0.5), 0.094_534_891_891_835_6, 1e-14);
        near(deviance(1.499, 1.0, 0.499), 0.499 - ln(1.499), 1e-14);
    }

    #[test]
    fn the_rounding_error_of_a_product_is_exact() {
        let (p, e) = two_product(1.0 + f64::EPSILON, 1.0 + f64::EPSILON);
        assert_eq!((p, e), (1.0 + 2.0 * f64::EPSILON, f64::EPSILON * f64::EPSILON));
    }
}
