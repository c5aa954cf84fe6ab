//! Poisson and binomial: probabilities, and counts by inversion of one uniform.
//!
//! A quantile here is the smallest count whose cdf reaches `u`. Above the median the comparison is made on the
//! survival side, so that the upper tail is as exact as the lower. Both are monotone in `u`.

use super::{beta_pq, deviance, exp, gamma_pq, normal_isf, normal_quantile, stirling_rest};

/// The largest count returned: everything up to it is exact in a double.
const COUNT_MAX: u64 = 1 << 53;

/// P(N = k) for a Poisson count.
pub fn poisson_pmf(mean: f64, k: u64) -> f64 {
    if mean.is_nan() || mean < 0.0 {
        return f64::NAN;
    }
    if k == 0 || mean == 0.0 {
        return if k == 0 { exp(-mean) } else { 0.0 };
    }
    let k = k as f64;
    exp(-k * deviance(mean, k, mean - k) - stirling_rest(k)) / (std::f64::consts::TAU * k).sqrt()
}

/// (P(N ≤ k), P(N > k)).
fn poisson_pair(mean: f64, k: u64) -> (f64, f64) {
    let (above, up_to) = gamma_pq(k as f64 + 1.0, mean);
    (up_to, above)
}

/// P(N ≤ k) for a Poisson count; NaN for a negative mean.
pub fn poisson_cdf(mean: f64, k: u64) -> f64 {
    poisson_pair(mean, k).0
}

/// P(N > k) for a Poisson count, accurate in the tail.
pub fn poisson_sf(mean: f64, k: u64) -> f64 {
    poisson_pair(mean, k).1
}

/// The Poisson count of `u`: the smallest k with P(N ≤ k) ≥ u. Exact for means from 0 to 1e12.
///
/// `u` below 0 or NaN counts as 0, above the largest double below 1 as that one; a mean that is not a positive
/// number gives 0.
///
/// ```
/// use failsim::maths::poisson_quantile;
/// assert_eq!([poisson_quantile(10.0, 0.95), poisson_quantile(10.0, 0.99)], [15, 18]);
/// ```
pub fn poisson_quantile(mean: f64, u: f64) -> u64 {
    if mean.is_nan() || mean <= 0.0 || u.is_nan() || u <= 0.0 {
        return 0;
    }
    let mean = mean.min(1e15);
    let u = u.min(1.0 - 0.5 * f64::EPSILON);
    if mean < 12.0 && u < 0.999 {
        return poisson_walk(mean, u);
    }
    let z = if u < 0.5 { normal_quantile(u) } else { normal_isf(1.0 - u) };
    // Cornish-Fisher; −½ because the count is the first integer at or above the continuous answer.
    let root = mean.sqrt();
    let guess = mean + z * root + (z * z - 1.0) / 6.0 + z * (1.0 - z * z) / (72.0 * root) - 0.5;
    first_count(guess, COUNT_MAX, u, |k| poisson_pair(mean, k))
}

/// Small means: add up the probabilities from 0.
fn poisson_walk(mean: f64, u: f64) -> u64 {
    let mut term = exp(-mean);
    let mut sum = term;
    let mut k = 0u32;
    // At a mean of 12 the 0.999 quantile is 24; the limit is never met.
    while sum < u && k < 200 {
        k += 1;
        term *= mean / f64::from(k);
        sum += term;
    }
    u64::from(k)
}

/// P(N = k) for a binomial count of `n` trials with probability `p` each.
pub fn binomial_pmf(n: u64, p: f64, k: u64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = 1.0 - p;
    if k > n {
        return 0.0;
    }
    let (trials, hits) = (n as f64, k as f64);
    if k == 0 {
        return exp(trials * super::ln_1p(-p));
    }
    if k == n {
        return super::pow(p, trials);
    }
    if p == 0.0 || q == 0.0 {
        return 0.0;
    }
    let misses = trials - hits;
    let gap = p * misses - q * hits; // n·p − k
    let exponent = -hits * deviance(trials * p, hits, gap) - misses * deviance(trials * q, misses, -gap);
    let rests = stirling_rest(trials) - stirling_rest(hits) - stirling_rest(misses);
    exp(exponent + rests) * (trials / (std::f64::consts::TAU * hits * misses)).sqrt()
}

/// (P(N ≤ k), P(N > k)).
fn binomial_pair(n: u64, p: f64, k: u64) -> (f64, f64) {
    if !(0.0..=1.0).contains(&p) {
        return (f64::NAN, f64::NAN);
    }
    if k >= n {
        return (1.0, 0.0);
    }
    // P(N > k) = I_p(k + 1, n − k).
    let (above, up_to) = beta_pq(k as f64 + 1.0, (n - k) as f64, p, 1.0 - p);
    (up_to, above)
}

/// P(N ≤ k) for a binomial count; NaN if `p` is no probability.
pub fn binomial_cdf(n: u64, p: f64, k: u64) -> f64 {
    binomial_pair(n, p, k).0
}

/// P(N > k) for a binomial count, accurate in the tail.
pub fn binomial_sf(n: u64, p: f64, k: u64) -> f64 {
    binomial_pair(n, p, k).1
}

/// The binomial count of `u`: the smallest k with P(N ≤ k) ≥ u. Arguments out of range as for Poisson.
pub fn binomial_quantile(n: u64, p: f64, u: f64) -> u64 {
    if n == 0 || p.is_nan() || p <= 0.0 || u.is_nan() || u <= 0.0 {
        return 0;
    }
    if p >= 1.0 {
        return n;
    }
    let u = u.min(1.0 - 0.5 * f64::EPSILON);
    let mean = n as f64 * p;
    let root = (mean * (1.0 - p)).sqrt();
    let z = if u < 0.5 { normal_quantile(u) } else { normal_isf(1.0 - u) };
    let guess = mean + z * root + (1.0 - 2.0 * p) * (z * z - 1.0) / 6.0 - 0.5;
    first_count(guess, n, u, |k| binomial_pair(n, p, k))
}

/// The smallest k ≤ `max` whose cdf reaches `u`: doubling steps away from `guess`, then bisection.
fn first_count(guess: f64, max: u64, u: f64, pair: impl Fn(u64) -> (f64, f64)) -> u64 {
    let reaches = |k: u64| {
        let (cdf, sf) = pair(k);
        if u <= 0.5 { cdf >= u } else { sf <= 1.0 - u }
    };
    // `as` maps negative numbers to 0.
    let guess = (guess.ceil() as u64).min(max);
    let mut step = 1;
    // The answer lies in (low, high]; `low` = None stands for −1.
    let (mut low, mut high);
    if reaches(guess) {
        high = guess;
        loop {
            if high == 0 {
                return 0;
            }
            let next = high.saturating_sub(step);
            if !reaches(next) {
                low = next;
                break;
            }
            high = next;
            step *= 2;
        }
    } else {
        low = guess;
        loop {
            let next = low.saturating_add(step).min(max);
            if next == max || reaches(next) {
                high = next;
                break;
            }
            low = next;
            step *= 2;
        }
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if reaches(middle) { high = middle } else { low = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SplitMix, near};
    use super::*;

    #[test]
    fn known_probabilities() {
        near(poisson_pmf(10.0, 0), 4.539_992_976_248_485e-5, 1e-14);
        near(poisson_pmf(3.0, 5), 0.100_818_813_444_924_5, 1e-13);
        near(poisson_cdf(3.0, 5), 0.916_082_057_968_696_5, 1e-13);
        near(binomial_pmf(10, 0.3, 3), 0.266_827_932, 1e-13);
        near(binomial_sf(24, 0.957, 20), 0.981_77, 1e-5);
        near(binomial_cdf(10_000_000, 1e-7, 0), 0.367_879_422_730_963_5, 1e-9);
    }

    #[test]
    fn quantiles_are_the_first_count_that_reaches_u() {
        let mut random = SplitMix(1);
        for mean in [0.001, 0.7, 5.0, 11.9, 12.1, 80.0, 99.5, 1e3, 1e6, 1e9, 1e12] {
            for _ in 0..100 {
                let u = random.uniform();
                let k = poisson_quantile(mean, u);
                assert!(poisson_cdf(mean, k) >= u * (1.0 - 1e-12), "mean {mean}, u {u}, k {k}");
                assert!(k == 0 || poisson_cdf(mean, k - 1) < u * (1.0 + 1e-12), "mean {mean}, u {u}, k {k}");
            }
        }
        for (n, p) in [(1, 0.5), (10, 0.3), (1000, 0.999), (1_000_000, 1e-5), (1_000_000_000, 0.25)] {
            for _ in 0..30 {
                let u = random.uniform();
                let k = binomial_quantile(n, p, u);
                assert!(binomial_cdf(n, p, k) >= u * (1.0 - 1e-11), "n {n}, p {p}, u {u}, k {k}");
                assert!(
                    k == 0 || binomial_cdf(n, p, k - 1) < u * (1.0 + 1e-11),
                    "n {n}, p {p}, u {u}, k {k}"
                );
            }
        }
    }

    #[test]
    fn quantiles_never_fall_as_u_rises() {
        for mean in [0.3, 11.99, 12.0, 150.0, 1e7] {
            let mut last = 0;
            let tails = (1..300).rev().map(|e| super::super::pow(10.0, -f64::from(e)));
            let middle = (1..2_000).map(|i| f64::from(i) / 2_000.0);
            let top = (4..16).map(|e| 1.0 - super::super::pow(10.0, -f64::from(e)));
            for u in tails.filter(|u| *u < 5e-4).chain(middle).chain(top) {
                let k = poisson_quantile(mean, u);
                assert!(k >= last, "mean {mean}, u {u}: {k} after {last}");
                last = k;
            }
        }
    }

    #[test]
    fn the_number_of_evaluations_stays_small() {
        let mut random = SplitMix(5);
        for mean in [12.0_f64, 1e4, 1e8, 1e12] {
            let calls = std::cell::Cell::new(0u32);
            for _ in 0..200 {
                let u = random.uniform();
                let z = normal_quantile(u);
                let guess = mean + z * mean.sqrt() + (z * z - 1.0) / 6.0 - 0.5;
                first_count(guess, COUNT_MAX, u, |k| {
                    calls.set(calls.get() + 1);
                    poisson_pair(mean, k)
                });
            }
            assert!(calls.get() < 200 * 4, "mean {mean}: {} evaluations for 200 draws", calls.get());
        }
    }

    #[test]
    fn odd_arguments_have_an_answer() {
        assert_eq!(poisson_quantile(0.0, 0.9), 0);
        assert_eq!(poisson_quantile(f64::NAN, 0.9), 0);
        assert_eq!(poisson_quantile(5.0, 0.0), 0);
        assert!(poisson_quantile(5.0, 1.0) < 60);
        assert_eq!(binomial_quantile(9, 1.0, 0.2), 9);
        assert_eq!(binomial_quantile(9, 0.4, 1.0), 9);
    }
}
