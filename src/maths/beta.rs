//! The regularised incomplete beta function and its inverse, for parameters up to 1e9.

use super::{deviance, exp, ln, stirling_rest};

/// The fraction needs about √max(a, b) steps at worst.
const STEPS_MAX: u32 = 200_000;

/// (I, 1 − I) of parameters `a`, `b` at `x`; `y` = 1 − x is given apart so that x may be close to 1.
///
/// Both keep their relative precision. NaN unless a, b > 0 and x, y ≥ 0.
///
/// ```
/// let (i, rest) = failsim::maths::beta_pq(2.0, 1.0, 0.25, 0.75);
/// assert!((i - 0.0625).abs() < 1e-16 && (rest - 0.9375).abs() < 1e-15);
/// ```
pub fn beta_pq(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if !(a > 0.0 && b > 0.0 && x >= 0.0 && y >= 0.0 && a.is_finite() && b.is_finite()) {
        return (f64::NAN, f64::NAN);
    }
    if x == 0.0 {
        return (0.0, 1.0);
    }
    if y == 0.0 {
        return (1.0, 0.0);
    }
    // The fraction converges fast below the mean; above it take the mirror image.
    if x * (b + 1.0) <= y * (a + 1.0) {
        let i = lower(a, b, x, y);
        (i, 1.0 - i)
    } else {
        let rest = lower(b, a, y, x);
        (1.0 - rest, rest)
    }
}

/// x^a·y^b/B(a, b) in Loader's form: the large terms of the gamma functions are cancelled on paper.
fn prefix(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let gap = b * x - a * y; // n·x − a
    let exponent = -a * deviance(n * x, a, gap) - b * deviance(n * y, b, -gap);
    let rests = stirling_rest(n) - stirling_rest(a) - stirling_rest(b);
    exp(exponent + rests) * (a / n * b / std::f64::consts::TAU).sqrt()
}

/// I by the even part of its continued fraction (Didonato & Morris, ACM TOMS 18 (1992), eq. 9).
fn lower(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let front = prefix(a, b, x, y);
    if front == 0.0 {
        return 0.0;
    }
    let tiny = 1e-300;
    let above = |m: f64| {
        let d = a + 2.0 * m - 1.0;
        (m * (a + m - 1.0) / d) * ((a + b + m - 1.0) / d) * (b - m) * x * x
    };
    let below = |m: f64| {
        m + m * (b - m) * x / (a + 2.0 * m - 1.0)
            + (a + m) * (a * y - b * x + 1.0 + m * (2.0 - x)) / (a + 2.0 * m + 1.0)
    };
    // Modified Lentz. At m = 0 the second term of `below` is 0, also where a = 1 makes it 0/0.
    let first = a * (a * y - b * x + 1.0) / (a + 1.0);
    let mut fraction = if first == 0.0 { tiny } else { first };
    let (mut c, mut d) = (fraction, 0.0);
    for m in 1..=STEPS_MAX {
        let m = f64::from(m);
        let (an, bn) = (above(m), below(m));
        d = bn + an * d;
        d = 1.0 / if d == 0.0 { tiny } else { d };
        c = bn + an / c;
        c = if c == 0.0 { tiny } else { c };
        let step = c * d;
        fraction *= step;
        if (step - 1.0).abs() < 2e-16 {
            break;
        }
    }
    front / fraction
}

/// (x, 1 − x) with I_x(a, b) = p and 1 − I = q, where p + q = 1 and the smaller carries the precision.
///
/// Newton steps in ln x on the logarithm of the smaller tail, inside a bracket that is bisected whenever a step
/// leaves it: always at most 200 evaluations. NaN outside the domain.
pub fn beta_inv(a: f64, b: f64, p: f64, q: f64) -> (f64, f64) {
    if !(a > 0.0 && b > 0.0 && p >= 0.0 && q >= 0.0 && a.is_finite() && b.is_finite()) {
        return (f64::NAN, f64::NAN);
    }
    if p == 0.0 {
        return (0.0, 1.0);
    }
    if q == 0.0 {
        return (1.0, 0.0);
    }
    // Solve for whichever of x and y is below a half, so that its logarithm says all.
    let (p_half, q_half) = beta_pq(a, b, 0.5, 0.5);
    let below_half = if p <= q { p <= p_half } else { q >= q_half };
    if below_half {
        let x = solve(a, b, p, q);
        (x, 1.0 - x)
    } else {
        let y = solve(b, a, q, p);
        (1.0 - y, y)
    }
}

/// Answers below this are returned as 0.
const SMALLEST: f64 = 1e-307;

fn solve(a: f64, b: f64, p: f64, q: f64) -> f64 {
    let lower_tail = p <= q;
    let goal = ln(if lower_tail { p } else { q });
    let (mut low, mut high) = (SMALLEST, 0.5);
    let mut x = (a / (a + b)).clamp(1e-300, 0.3);
    for _ in 0..200 {
        let y = 1.0 - x;
        let (i, rest) = beta_pq(a, b, x, y);
        let tail = if lower_tail { i } else { rest };
        let miss = ln(tail) - goal;
        if (miss > 0.0) == lower_tail {
            high = x;
        } else {
            low = x;
        }
        let slope = prefix(a, b, x, y) / (y * tail) * if lower_tail { 1.0 } else { -1.0 };
        let step = miss / slope;
        let next = x * exp(-step);
        // Below the noise of the tail's logarithm.
        if step.abs() < 4e-16 * (1.0 + (1.0 + goal.abs()) / slope.abs()) {
            x = next.min(0.5);
            break;
        }
        x = if next > low && next < high { next } else { low.sqrt() * high.sqrt() };
        if x <= low || x >= high {
            break;
        }
    }
    if x <= 2.0 * SMALLEST { 0.0 } else { x }
}

#[cfg(test)]
mod tests {
    use super::super::testing::near;
    use super::*;

    /// (a, b, x, I, 1 − I) computed with 60 digits.
    const TABLE: [(f64, f64, f64, f64, f64); 28] = [
        (1.0, 1.0, 0.25, 0.25, 0.75),
        (1.0, 1.0, 0.75, 0.75, 0.25),
        (2.5, 0.5, 1e-05, 1.0736936928580622e-13, 0.9999999999998926),
        (2.5, 0.5, 0.3, 0.01892712407194565, 0.9810728759280544),
        (2.5, 0.5, 0.95, 0.6298118711924643, 0.3701881288075357),
        (0.01, 3.0, 1e-09, 0.825063615416031, 0.17493638458396896),
        (0.01, 3.0, 0.1, 0.9900297447967327, 0.009970255203267277),
        (0.01, 3.0, 0.8, 0.9999681441454211, 3.18558545788399e-05),
        (30.0, 40.0, 0.05, 4.265934929949245e-21, 1.0),
        (30.0, 40.0, 0.4286, 0.5047899530955375, 0.4952100469044624),
        (30.0, 40.0, 0.5, 0.8857998873233515, 0.11420011267664848),
        (30.0, 40.0, 0.9, 1.0, 1.2120605905517758e-22),
        (500.0, 3.0, 0.9, 1.723319313193252e-20, 1.0),
        (500.0, 3.0, 0.99, 0.12171819836073071, 0.8782818016392693),
        (500.0, 3.0, 0.999, 0.9855173801356409, 0.014482619864359104),
        (0.5, 0.5, 1e-12, 6.366197723676875e-07, 0.9999993633802277),
        (0.5, 0.5, 0.5, 0.5, 0.5),
        (1.0, 10000000.0, 1e-08, 0.09516258241645914, 0.9048374175835409),
        (1.0, 10000000.0, 3e-07, 0.9502129540363162, 0.049787045963683746),
        (1.0, 10000000.0, 1e-05, 1.0, 3.7182163905706526e-44),
        (5.0, 1000000000.0, 1e-09, 0.0036598468656644885, 0.9963401531343355),
        (5.0, 1000000000.0, 5e-09, 0.5595067188828035, 0.44049328111719654),
        (5.0, 1000000000.0, 4e-08, 0.999999999999498, 5.020460331042078e-13),
        (100000.0, 200000.0, 0.3281693555383901, 8.977222832935389e-10, 0.9999999991022778),
        (100000.0, 200000.0, 0.3341939962991572, 0.8413448130135107, 0.15865518698648928),
        (1000000000.0, 1000000000.0, 0.5000027950849719, 0.5987063256731012, 0.40129367432689883),
        (1000000000.0, 1000000000.0, 0.4999105572809, 6.220957391317727e-16, 0.9999999999999993),
        (1000000000.0, 1000.0, 0.9999990632464583, 0.9789834967158321, 0.021016503284167962),
    ];

    #[test]
    fn both_tails_agree_with_high_precision_values() {
        for (a, b, x, p, q) in TABLE {
            let (p_got, q_got) = beta_pq(a, b, x, 1.0 - x);
            // The rounding of x itself moves the tail by about its distance from the mean times √max(a, b).
            let slack = 1e-12 + 2e-15 * a.max(b).sqrt();
            near(p_got, p, slack);
            near(q_got, q, slack);
        }
    }

    #[test]
    fn the_inverse_finds_the_argument_again() {
        for (a, b, x, p, q) in TABLE {
            if p.min(q) > 1e-300 {
                let (back, _) = beta_inv(a, b, p, q);
                let spread = p.min(q) / prefix(a, b, x, 1.0 - x);
                assert!((back / x - 1.0).abs() < 1e-11 * (1.0 + spread), "a {a}, b {b}, x {x}: {back}");
            }
        }
    }

    #[test]
    fn the_inverse_returns_where_a_library_hangs() {
        for (a, b) in [(1.0, 1e7), (2.0, 1e7), (5.0, 1e9), (1.0, 12_345_678.0), (1e9, 1e9), (1e-3, 1e9)] {
            for p in [1e-300, 1e-9, 0.025, 0.5, 0.975] {
                let (x, y) = beta_inv(a, b, p, 1.0 - p);
                assert!((0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y));
                if x > 1e-300 {
                    near(beta_pq(a, b, x, y).0, p, 1e-8);
                }
            }
        }
        // One trial class of its own: no failure in ten million, 1 − 0.05^(1/n).
        let (x, _) = beta_inv(1.0, 1e7, 0.95, 0.05);
        near(x, -libm::expm1(libm::log(0.05) / 1e7), 1e-13);
    }
}
