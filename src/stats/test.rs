//! Tests of fit: does a sample follow a law?

use crate::maths::{chi_square_cdf, chi_square_sf, exp};

/// The outcome of a test: how far off, and how likely that is by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestResult {
    /// The distance measure of the test.
    pub statistic: f64,
    /// The probability of at least this distance if the sample does follow the law.
    pub p_value: f64,
}

/// Kolmogorov and Smirnov's test of a sample against a continuous cdf. Of no values the p-value is 1.
pub fn kolmogorov_smirnov(values: &[f64], cdf: impl Fn(f64) -> f64) -> TestResult {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let statistic = sorted.iter().enumerate().fold(0.0_f64, |d, (i, x)| {
        let f = cdf(*x);
        d.max(f - i as f64 / n).max((i as f64 + 1.0) / n - f)
    });
    TestResult { statistic, p_value: kolmogorov_sf(statistic, n) }
}

/// Kolmogorov and Smirnov's test of two samples against each other; ties are counted together.
pub fn kolmogorov_smirnov_two(first: &[f64], second: &[f64]) -> TestResult {
    let sort = |values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted
    };
    let (a, b) = (sort(first), sort(second));
    if a.is_empty() || b.is_empty() {
        return TestResult { statistic: 0.0, p_value: 1.0 };
    }
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (mut i, mut j, mut statistic) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let x = if a[i].total_cmp(&b[j]).is_le() { a[i] } else { b[j] };
        while i < a.len() && a[i].total_cmp(&x).is_le() {
            i += 1;
        }
        while j < b.len() && b[j].total_cmp(&x).is_le() {
            j += 1;
        }
        statistic = statistic.max((i as f64 / n - j as f64 / m).abs());
    }
    TestResult { statistic, p_value: kolmogorov_sf(statistic, n * m / (n + m)) }
}

/// Kolmogorov's limit law, with Stephens' correction for finite samples (JRSS B 32, 1970).
fn kolmogorov_sf(distance: f64, n: f64) -> f64 {
    let root = n.sqrt();
    let x = (root + 0.12 + 0.11 / root) * distance;
    if x.is_nan() || x < 0.2 {
        return 1.0;
    }
    let mut sum = 0.0;
    for k in 1..=100 {
        let k = f64::from(k);
        let term = exp(-2.0 * k * k * x * x);
        sum += if k % 2.0 == 1.0 { term } else { -term };
        if term < 1e-17 {
            break;
        }
    }
    (2.0 * sum).clamp(0.0, 1.0)
}

/// Pearson's chi-square test of counts against expected counts, of which `fitted` parameters came from the sample.
///
/// Cells with an expectation of 0 must be empty, else the p-value is 0. Merge cells expected to hold fewer than
/// about 5 before calling.
pub fn chi_square_fit(observed: &[u64], expected: &[f64], fitted: usize) -> TestResult {
    let mut statistic = 0.0;
    let mut cells = 0_usize;
    for (o, e) in observed.iter().zip(expected) {
        if *e > 0.0 {
            let gap = *o as f64 - e;
            statistic += gap * gap / e;
            cells += 1;
        } else if *o > 0 {
            return TestResult { statistic: f64::INFINITY, p_value: 0.0 };
        }
    }
    if cells < fitted + 2 {
        return TestResult { statistic, p_value: 1.0 };
    }
    TestResult { statistic, p_value: chi_square_sf((cells - 1 - fitted) as f64, statistic) }
}

/// Pearson's chi-square test that two samples of whole numbers come from one law.
///
/// Values are merged from the least up until a cell is expected to hold at least `least` of either sample.
pub fn chi_square_two(first: &[u64], second: &[u64], least: f64) -> TestResult {
    let mut values: Vec<(u64, bool)> =
        first.iter().map(|value| (*value, true)).chain(second.iter().map(|value| (*value, false))).collect();
    values.sort_unstable();
    let all = values.len() as f64;
    let (n, m) = (first.len() as f64, second.len() as f64);
    let mut cells: Vec<(f64, f64)> = Vec::new();
    let (mut a, mut b) = (0.0, 0.0);
    for (place, (value, is_first)) in values.iter().enumerate() {
        if *is_first {
            a += 1.0
        } else {
            b += 1.0
        }
        let is_last_of_value = values.get(place + 1).is_none_or(|(next, _)| next != value);
        if is_last_of_value && (a + b) * n.min(m) / all >= least {
            cells.push((a, b));
            (a, b) = (0.0, 0.0);
        }
    }
    if let Some(last) = cells.last_mut() {
        *last = (last.0 + a, last.1 + b);
    }
    let statistic = cells
        .iter()
        .map(|(a, b)| {
            let (of_first, of_second) = ((a + b) * n / all, (a + b) * m / all);
            (a - of_first) * (a - of_first) / of_first + (b - of_second) * (b - of_second) / of_second
        })
        .sum();
    if cells.len() < 2 {
        return TestResult { statistic, p_value: 1.0 };
    }
    TestResult { statistic, p_value: chi_square_sf((cells.len() - 1) as f64, statistic) }
}

/// Fisher's dispersion test: do counts of equal exposure vary as Poisson counts do?
///
/// The statistic is variance over mean, near 1. The p-value is two-sided: too little scatter is as suspect as too
/// much, since it reveals streams that are not independent.
pub fn poisson_dispersion(counts: &[u64]) -> TestResult {
    let n = counts.len() as f64;
    let mean = counts.iter().map(|c| *c as f64).sum::<f64>() / n;
    if counts.len() < 2 || mean == 0.0 {
        return TestResult { statistic: 1.0, p_value: 1.0 };
    }
    let index = counts.iter().map(|c| (*c as f64 - mean) * (*c as f64 - mean)).sum::<f64>() / mean;
    let smaller = chi_square_cdf(n - 1.0, index).min(chi_square_sf(n - 1.0, index));
    TestResult { statistic: index / (n - 1.0), p_value: (2.0 * smaller).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::poisson_quantile;
    use crate::maths::testing::{SplitMix, near};

    fn uniforms(seed: u64, n: usize) -> Vec<f64> {
        let mut random = SplitMix(seed);
        (0..n).map(|_| random.uniform()).collect()
    }

    #[test]
    fn kolmogorovs_law_has_its_printed_points() {
        near(kolmogorov_sf(1.358_1 / 1e4, 1e8), 0.05, 1e-3);
        near(kolmogorov_sf(1.627_6 / 1e4, 1e8), 0.01, 1e-3);
    }

    #[test]
    fn good_samples_pass_and_bad_ones_fail() {
        let values = uniforms(1, 2000);
        assert!(kolmogorov_smirnov(&values, |x| x).p_value > 0.01);
        assert!(kolmogorov_smirnov(&values, |x| x * x).p_value < 1e-9);
        assert!(kolmogorov_smirnov_two(&values, &uniforms(2, 1500)).p_value > 0.01);
        let moved: Vec<f64> = uniforms(2, 1500).iter().map(|x| x + 0.1).collect();
        assert!(kolmogorov_smirnov_two(&values, &moved).p_value < 1e-6);
        assert_eq!(kolmogorov_smirnov_two(&[1.0, 1.0], &[1.0]).statistic, 0.0);
    }

    #[test]
    fn chi_square_of_a_die() {
        // 60 throws of a die: statistic 13.4 on 5 degrees, the textbook p of 0.0199.
        let r = chi_square_fit(&[5, 8, 9, 8, 10, 20], &[10.0; 6], 0);
        near(r.statistic, 13.4, 1e-12);
        near(r.p_value, 0.019_905, 1e-3);
        assert_eq!(chi_square_fit(&[1], &[0.0], 0).p_value, 0.0);
    }

    #[test]
    fn dispersion_sees_too_much_and_too_little_scatter() {
        let poisson: Vec<u64> = uniforms(3, 500).iter().map(|u| poisson_quantile(20.0, *u)).collect();
        assert!(poisson_dispersion(&poisson).p_value > 0.01);
        let constant = vec![20; 500];
        assert!(poisson_dispersion(&constant).p_value < 1e-12);
        let clumped: Vec<u64> = poisson.iter().map(|c| c / 10 * 10).collect();
        assert!(poisson_dispersion(&clumped).p_value < 1e-6);
    }

    #[test]
    fn two_samples_of_one_law_are_alike_and_of_two_laws_are_not() {
        let draw = |seed, mean: f64| -> Vec<u64> {
            uniforms(seed, 4000).into_iter().map(|u| poisson_quantile(mean, u)).collect()
        };
        let p_values: Vec<f64> = (0..200)
            .map(|seed| chi_square_two(&draw(seed, 3.0), &draw(seed + 1000, 3.0), 10.0).p_value)
            .collect();
        // Under one law the p-value is uniform.
        assert!(kolmogorov_smirnov(&p_values, |x| x).p_value > 1e-3, "{p_values:?}");
        assert!(chi_square_two(&draw(1, 3.0), &draw(2, 3.3), 10.0).p_value < 1e-6);
        // By hand: 30 and 10 against 20 and 20 is 25 and 15 of each: 4 × 25/25·… = 1 + 1 + 5/3 + 5/3.
        let of = |zeros: usize, ones: usize| [vec![0; zeros], vec![1; ones]].concat();
        near(chi_square_two(&of(30, 10), &of(20, 20), 5.0).statistic, 2.0 + 10.0 / 3.0, 1e-12);
        assert_eq!(chi_square_two(&of(30, 0), &of(20, 0), 5.0).p_value, 1.0);
    }
}
