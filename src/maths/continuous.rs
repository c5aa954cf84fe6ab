//! Student's t and chi-square, from the incomplete beta and gamma functions.

use super::{beta_inv, beta_pq, gamma_inv, gamma_p, gamma_q};

/// P(T > t) for Student's t with `df` degrees of freedom (any positive number).
pub fn student_t_sf(df: f64, t: f64) -> f64 {
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    let square = t * t;
    let tail = 0.5 * beta_pq(0.5 * df, 0.5, df / (df + square), square / (df + square)).0;
    if t < 0.0 { 1.0 - tail } else { tail }
}

/// P(T ≤ t) for Student's t with `df` degrees of freedom.
pub fn student_t_cdf(df: f64, t: f64) -> f64 {
    student_t_sf(df, -t)
}

/// The `p`-quantile of Student's t with `df` degrees of freedom; NaN outside the domain.
///
/// ```
/// assert!((failsim::maths::student_t_quantile(10.0, 0.975) - 2.2281388519862744).abs() < 1e-12);
/// ```
pub fn student_t_quantile(df: f64, p: f64) -> f64 {
    if !(df > 0.0 && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    // 2·tail and its complement 2·|p − ½|, both exact.
    let tail = if p < 0.5 { p } else { 1.0 - p };
    let (x, y) = beta_inv(0.5 * df, 0.5, 2.0 * tail, 1.0 - 2.0 * tail);
    let size = if x == 0.0 { f64::INFINITY } else { (df * (y / x)).sqrt() };
    if p < 0.5 { -size } else { size }
}

/// P(X ≤ x) for chi-square with `df` degrees of freedom.
pub fn chi_square_cdf(df: f64, x: f64) -> f64 {
    gamma_p(0.5 * df, 0.5 * x.max(0.0))
}

/// P(X > x) for chi-square with `df` degrees of freedom.
pub fn chi_square_sf(df: f64, x: f64) -> f64 {
    gamma_q(0.5 * df, 0.5 * x.max(0.0))
}

/// The `p`-quantile of chi-square with `df` degrees of freedom.
pub fn chi_square_quantile(df: f64, p: f64) -> f64 {
    2.0 * gamma_inv(0.5 * df, p, 1.0 - p)
}

#[cfg(test)]
mod tests {
    use super::super::testing::near;
    use super::*;

    #[test]
    fn quantiles_agree_with_tables() {
        // Cauchy (1 degree) is a tangent; the rest are the printed tables, with more digits.
        near(student_t_quantile(1.0, 0.75), 1.0, 1e-13);
        near(student_t_quantile(1.0, 0.975), 12.706_204_736_174_693, 1e-12);
        near(student_t_quantile(2.0, 0.975), 4.302_652_729_749_462, 1e-12);
        near(student_t_quantile(30.0, 0.995), 2.749_995_653_567_225, 1e-12);
        near(student_t_quantile(1e9, 0.975), 1.959_963_986_912_325, 1e-12);
        near(student_t_quantile(5.0, 0.025), -student_t_quantile(5.0, 0.975), 1e-13);
        assert_eq!(student_t_quantile(7.0, 0.5), 0.0);
        near(chi_square_quantile(1.0, 0.95), 3.841_458_820_694_124, 1e-13);
        near(chi_square_quantile(10.0, 0.975), 20.483_177_350_807_39, 1e-13);
        near(chi_square_sf(2.0, 10.0), libm::exp(-5.0), 1e-13);
    }

    #[test]
    fn the_t_law_inverts() {
        for df in [0.5, 1.0, 3.3, 29.0, 1e5] {
            for p in [1e-12, 0.001, 0.3, 0.5001, 0.9, 0.999_999] {
                let t = student_t_quantile(df, p);
                near(student_t_cdf(df, t), p, 1e-11);
            }
        }
    }
}
