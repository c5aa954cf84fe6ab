//! Intervals of means of what is never negative and often nought: time down, writes lost, seconds per outage.
//!
//! Few large values among many small ones make Student's t too short at the upper end: of ten outages of exponential
//! length it holds the true unavailability 87 times in 100. The sum is seen here as what it is, a few events of some
//! size: with a mean m of variance v, as many as k = m²/v, each worth v/m. Limits are those of a Poisson count of that
//! many, in that unit (Tiwari, Clegg & Zou, Statistical Methods in Medical Research 15, 2006); at the upper end with one
//! event more that is as large as the largest seen (Fay & Feuer, Statistics in Medicine 16, 1997). Where k is large
//! they are Student's limits, where all events are equal Garwood's. With few replications the tails are those of Student's
//! t, since v is itself an estimate.

use super::interval::{Interval, Method, poisson_rate, probability, t_factor};
use super::moments::{Moments, PairMoments};
use crate::maths::{gamma_p_inv, gamma_q_inv, normal_sf};

/// Above this many events the limits are Student's, and the unit of one event is too small to matter.
const MANY: f64 = 1e8;

/// The limits of a positive mean of standard error `error`, known to `df` degrees of freedom; `next` is what one
/// event more would add to it.
fn limits(mean: f64, error: f64, df: f64, next: f64, confidence: f64) -> (f64, f64) {
    if df <= 0.0 {
        return (0.0, f64::INFINITY);
    }
    let t = t_factor(confidence, df);
    let variance = error * error;
    let events = mean * mean / variance;
    if variance == 0.0 || events > MANY {
        return (mean - t * error, mean + t * error + next * f64::from(u8::from(variance > 0.0)));
    }
    let tail = normal_sf(t);
    // With so few events the next one may well be larger than all of them.
    let next = next.max(variance / mean) * (1.0 + 1.0 / events);
    let (above, spread) = (mean + next, variance + next * next);
    let low = variance / mean * gamma_p_inv(events, tail);
    let high = spread / above * gamma_q_inv(above * above / spread, tail);
    (low, high)
}

/// The interval of the mean of an amount that is never negative, over independent replications.
///
/// Where all replications saw nothing there is no upper limit: of the size of what was not seen nothing is known.
pub fn amount(moments: &Moments, confidence: f64) -> Interval {
    let (n, mean) = (moments.count(), moments.mean());
    let none =
        Interval { estimate: mean, low: 0.0, high: f64::INFINITY, confidence, n, method: Method::ZeroEvents };
    if n == 0 {
        return Interval { estimate: f64::NAN, ..none };
    }
    if moments.max() <= 0.0 {
        return none;
    }
    let next = (moments.max() - mean) / n as f64;
    let (low, high) = limits(mean, moments.std_error(), n as f64 - 1.0, next, confidence);
    Interval { low, high, method: Method::Gamma, ..none }
}

/// The interval of the mean of a level, such as messages a second, whose exceptions lie above or below.
///
/// As [`amount`] of the exceptions: of what replications have, or of what they lack of the most that was seen.
pub fn level(moments: &Moments, confidence: f64) -> Interval {
    if moments.count() < 2 || moments.max() - moments.mean() >= moments.mean() - moments.min() {
        return amount(moments, confidence);
    }
    let most = moments.max();
    let lacking = amount(&moments.lacking(most), confidence);
    Interval { estimate: moments.mean(), low: most - lacking.high, high: most - lacking.low, ..lacking }
}

/// The interval of the mean of a share between 0 and 1 per replication, such as unavailability.
///
/// As [`amount`], at most 1. Where all replications saw 0, not "0 ± 0": a share above 0 comes in at most
/// [`zero_event_limit`](super::interval::zero_event_limit) of them, and is at most 1 there. Likewise where all saw 1.
pub fn share(moments: &Moments, confidence: f64) -> Interval {
    let n = moments.count();
    if n > 0 && moments.max() <= 0.0 {
        return probability(0, n, confidence);
    }
    if n > 0 && moments.min() >= 1.0 - 1e-12 {
        return probability(n, n, confidence);
    }
    let i = amount(moments, confidence);
    Interval { high: i.high.min(1.0), ..i }
}

/// The interval of the mean number of events per replication.
///
/// Few events are counted as Poisson's: Garwood's limits, of which one replication is enough. Where the numbers of the
/// replications vary more than Poisson's, events come in clusters: then the limits are those of as many clusters. From
/// 30 events on as [`amount`], unless all replications have the same number by chance or by design.
pub fn events(moments: &Moments, confidence: f64) -> Interval {
    let (n, sum) = (moments.count(), moments.sum());
    if sum >= 29.5 && moments.variance() > 0.0 {
        return amount(moments, confidence);
    }
    let cluster = if sum > 0.0 { (moments.variance() / moments.mean()).max(1.0) } else { 1.0 };
    if cluster <= 1.0 {
        return poisson_rate(sum.round() as u64, n as f64, confidence);
    }
    let tail = 0.5 * (1.0 - confidence);
    let clusters = sum / cluster;
    let unit = cluster / n as f64;
    Interval {
        estimate: moments.mean(),
        low: unit * gamma_p_inv(clusters, tail),
        high: unit * gamma_q_inv(clusters + 1.0, tail),
        confidence,
        n: sum.round() as u64,
        method: Method::Clusters,
    }
}

/// The interval of Σy/Σx over independent replications, of amounts y that come with x: loss per failover, or seconds
/// per outage. `largest` is the largest y that came with an x of one, where it is known.
///
/// The variance is that of y − r·x by the delta method, but replications without x tell nothing: they count as
/// (Σx)²/Σx² (Kish, Survey Sampling, 1965), less one degree of freedom. A single one with an x gives no limit.
pub fn ratio(pairs: &PairMoments, largest: Option<f64>, confidence: f64) -> Interval {
    let r = pairs.y.mean() / pairs.x.mean();
    let none = Interval {
        estimate: r,
        low: 0.0,
        high: f64::INFINITY,
        confidence,
        n: pairs.count(),
        method: Method::Ratio,
    };
    if pairs.count() == 0 || pairs.x.mean() == 0.0 {
        return Interval { estimate: f64::NAN, ..none };
    }
    if r == 0.0 {
        return Interval { method: Method::ZeroEvents, ..none };
    }
    let (error, df) = spread(pairs);
    let sum = pairs.x.sum();
    let next = largest.map_or(0.0, |largest| ((largest - r) / sum).max(0.0));
    let (low, high) = limits(r, error, df, next, confidence);
    Interval { low, high, ..none }
}

/// The interval of Σy/Σx where y is a part of x: requests that succeeded among those issued.
///
/// From whichever end is nearer, as [`ratio`]; where all replications have the same share by chance or by design, as if
/// each x were a trial of its own. Where all saw none, or all, they are the trials: within one, events need not be
/// independent.
pub fn fraction(pairs: &PairMoments, confidence: f64) -> Interval {
    let n = pairs.count();
    let r = pairs.y.mean() / pairs.x.mean();
    if n == 0 || pairs.x.mean() == 0.0 {
        return ratio(pairs, None, confidence);
    }
    let trials = libm::round(effective(pairs)) as u64;
    if pairs.y.max() <= 0.0 {
        return probability(0, trials, confidence);
    }
    let (error, df) = spread(pairs);
    let rest = 1.0 - r;
    if error == 0.0 && rest.abs() < 1e-12 {
        return probability(trials, trials, confidence);
    }
    let error = if error == 0.0 { (r * rest / pairs.x.sum()).max(0.0).sqrt() } else { error };
    let (low, high) = match r <= 0.5 {
        true => limits(r, error, df, 0.0, confidence),
        false => {
            let (low, high) = limits(rest, error, df, 0.0, confidence);
            (1.0 - high, 1.0 - low)
        }
    };
    Interval { estimate: r, low: low.max(0.0), high: high.min(1.0), confidence, n, method: Method::Ratio }
}

/// As many replications of equal x would tell as much.
fn effective(pairs: &PairMoments) -> f64 {
    let (n, x) = (pairs.count() as f64, pairs.x.mean());
    let squares = pairs.x.variance() * (n - 1.0) + n * x * x;
    n * x * (n * x) / squares
}

/// The standard error of Σy/Σx, and its degrees of freedom.
fn spread(pairs: &PairMoments) -> (f64, f64) {
    let (n, x) = (pairs.count() as f64, pairs.x.mean());
    let r = pairs.y.mean() / x;
    let residual = pairs.y.variance() - 2.0 * r * pairs.covariance() + r * r * pairs.x.variance();
    let effective = effective(pairs);
    let df = effective - 1.0;
    if n < 2.0 || df < 1e-9 {
        return (0.0, 0.0);
    }
    // Rounding leaves a residual where there is none.
    let scale = pairs.y.variance() + r * r * pairs.x.variance();
    let residual = if residual <= 1e-14 * scale { 0.0 } else { residual };
    let few = (n - 1.0) / n * effective / df;
    ((residual * few / n).sqrt() / x.abs(), df)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::testing::{SplitMix, near};
    use crate::maths::{ln, normal_quantile, poisson_quantile};

    /// Replications of Poisson numbers of events, `mean` in all, each of exponential size 1: numbers and sums.
    fn compound(
        random: &mut SplitMix,
        replications: u64,
        mean: f64,
        size: impl Fn(f64) -> f64,
    ) -> PairMoments {
        let mut pairs = PairMoments::new();
        for _ in 0..replications {
            let count = poisson_quantile(mean / replications as f64, random.uniform());
            let sum: f64 = (0..count).map(|_| size(random.uniform())).sum();
            pairs.push(count as f64, sum);
        }
        pairs
    }

    /// How many of 1000 intervals hold the true value: 950, with a standard deviation of 7.
    fn held(interval: impl Fn(&mut SplitMix) -> Interval, truth: f64) -> u32 {
        let mut random = SplitMix(31);
        (0..1000).map(|_| u32::from(interval(&mut random).contains(truth))).sum()
    }

    fn exponential(u: f64) -> f64 {
        -ln(u)
    }

    #[test]
    fn few_events_of_any_size_are_held_as_often_as_promised() {
        for (replications, mean) in [(400, 10.0), (400, 100.0), (20, 10.0), (5, 30.0)] {
            let of = |random: &mut SplitMix| compound(random, replications, mean, exponential).y;
            let found = held(|random| amount(&of(random), 0.95), mean / replications as f64);
            assert!(found >= 930, "{mean} in {replications}: {found}");
        }
        let of = |random: &mut SplitMix| compound(random, 400, 10.0, exponential).y;
        let student = held(|random| super::super::interval::mean(&of(random), 0.95), 10.0 / 400.0);
        assert!(student < 900, "Student's t would do: {student}");
    }

    #[test]
    fn means_per_event_are_held_from_few_events_on() {
        for (replications, mean) in [(400, 3.0), (400, 30.0), (5, 10.0)] {
            let found = held(
                |random| {
                    let mut largest = 0.0_f64;
                    let mut pairs = PairMoments::new();
                    for _ in 0..replications {
                        let count = poisson_quantile(mean / f64::from(replications), random.uniform());
                        let sizes: Vec<f64> = (0..count).map(|_| exponential(random.uniform())).collect();
                        largest = sizes.iter().copied().fold(largest, libm::fmax);
                        pairs.push(count as f64, sizes.iter().sum());
                    }
                    // Where nothing was seen there is no mean to hold.
                    if largest == 0.0 { probability(0, 0, 0.95) } else { ratio(&pairs, Some(largest), 0.95) }
                },
                1.0,
            );
            assert!(found >= 930, "{mean} in {replications}: {found}");
        }
    }

    #[test]
    fn one_event_is_no_certainty() {
        let mut pairs = PairMoments::new();
        (0..400).for_each(|i| pairs.push(f64::from(u8::from(i == 7)), if i == 7 { 23.4 } else { 0.0 }));
        let i = ratio(&pairs, Some(23.4), 0.95);
        near(i.estimate, 23.4, 1e-12);
        assert_eq!((i.low, i.high), (0.0, f64::INFINITY));
        let one = amount(&[5.0].into_iter().collect(), 0.95);
        assert_eq!((one.estimate, one.low, one.high), (5.0, 0.0, f64::INFINITY));
    }

    #[test]
    fn equal_events_have_garwoods_limits_and_many_students() {
        let few: Moments = (0..10_000).map(|i| f64::from(u8::from(i % 1000 == 0))).collect();
        let garwood = poisson_rate(10, 10_000.0, 0.95);
        near(amount(&few, 0.95).low, garwood.low, 2e-3);
        assert!(amount(&few, 0.95).high > 0.999 * garwood.high);
        let mut random = SplitMix(6);
        let many: Moments = (0..400).map(|_| 1e3 + normal_quantile(random.uniform())).collect();
        let (gamma, student) = (amount(&many, 0.95), super::super::interval::mean(&many, 0.95));
        near(gamma.low, student.low, 1e-5);
        near(gamma.high, student.high, 1e-4);
    }

    #[test]
    fn events_that_come_in_pairs_are_half_as_many() {
        let of = |random: &mut SplitMix| -> Moments {
            (0..100).map(|_| 2.0 * poisson_quantile(0.08, random.uniform()) as f64).collect()
        };
        assert!(held(|random| events(&of(random), 0.95), 0.16) >= 930);
        let plain = |m: Moments| poisson_rate(m.sum().round() as u64, 100.0, 0.95);
        assert!(held(|random| plain(of(random)), 0.16) < 900, "Poisson's limits would do");
        // As many in both replications, by chance: no certainty.
        let equal: Moments = [50.0, 50.0].into_iter().collect();
        near(events(&equal, 0.95).high, poisson_rate(100, 2.0, 0.95).high, 1e-12);
    }

    #[test]
    fn a_share_never_seen_has_an_upper_limit() {
        let i = share(&[0.0; 100].into_iter().collect(), 0.95);
        assert_eq!((i.low, i.method), (0.0, Method::ZeroEvents));
        near(i.high, 0.029_513, 1e-4);
        assert_eq!(share(&[1.0; 100].into_iter().collect(), 0.95).method, Method::AllEvents);
        let i = share(&[0.0, 0.0, 1e-3].into_iter().collect(), 0.95);
        assert!(i.low > 0.0 && i.low < 1e-4 && i.high > 1e-3 && i.high <= 1.0, "{i:?}");
    }

    #[test]
    fn all_and_none_of_a_part_have_limits() {
        let of = |ys: [f64; 3]| {
            let mut pairs = PairMoments::new();
            ys.iter().for_each(|y| pairs.push(120.0, *y));
            fraction(&pairs, 0.95)
        };
        near(of([120.0; 3]).low, crate::maths::exp(ln(0.05) / 3.0), 1e-12);
        near(of([0.0; 3]).high, 1.0 - crate::maths::exp(ln(0.05) / 3.0), 1e-12);
        // One miss in each run is as likely to be none and two.
        let one = of([119.0; 3]);
        assert!(one.low < 0.99 && one.high > 0.992 && one.high < 1.0, "{one:?}");
    }

    #[test]
    fn a_level_with_rare_dips_is_held() {
        let of = |random: &mut SplitMix| -> Moments {
            let dips = compound(random, 200, 8.0, exponential).y;
            dips.lacking(1.0)
        };
        let found = held(|random| level(&of(random), 0.95), 1.0 - 8.0 / 200.0);
        assert!(found >= 920, "{found}");
    }

    #[test]
    fn a_ratio_covers_its_true_value_as_often_as_promised() {
        let mut random = SplitMix(11);
        let mut found = 0;
        for _ in 0..1000 {
            let mut pairs = PairMoments::new();
            for _ in 0..40 {
                let x = 10.0 + normal_quantile(random.uniform());
                pairs.push(x, 0.3 * x + 0.5 * normal_quantile(random.uniform()));
            }
            found += u32::from(ratio(&pairs, None, 0.95).contains(0.3));
        }
        assert!((930..=970).contains(&found), "{found} of 1000");
    }
}
