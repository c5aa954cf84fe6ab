//! A histogram that merges: quantiles of any number of durations in fixed space.
//!
//! Whole non-negative numbers (nanoseconds) are counted in buckets that are one 128th of an octave wide, so a
//! quantile is within 0.4 % of the exact one; count, sum, smallest and largest are exact. The content depends on
//! the values alone: merging parts in any order or grouping gives an equal histogram.

use super::interval::{Interval, Method, quantile_rank, quantile_ranks};

/// Buckets per octave, as a power of two.
const OCTAVE_BITS: u32 = 7;
/// Values below this have a bucket of their own.
const EXACT_BELOW: u64 = 2 << OCTAVE_BITS;

/// Counts of values in buckets of equal relative width.
///
/// ```
/// use failsim::stats::quantile::Histogram;
/// let mut h = Histogram::new();
/// (1..=1000).for_each(|v| h.record(v));
/// assert_eq!((h.count(), h.max(), h.quantile(1.0)), (1000, Some(1000), Some(1000)));
/// assert!(h.quantile(0.5).unwrap().abs_diff(500) <= 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Index of the first bucket held; only the range from the lowest to the highest used bucket is kept.
    first: usize,
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

/// A bucket that is not empty: values from `low` to `high`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The smallest value it takes.
    pub low: u64,
    /// The largest value it takes.
    pub high: u64,
    /// How many values it holds.
    pub count: u64,
}

impl Bucket {
    /// The value that stands for all of them.
    pub(super) fn middle(&self) -> u64 {
        self.low + (self.high - self.low) / 2
    }
}

pub(super) fn index(value: u64) -> usize {
    if value < EXACT_BELOW {
        return value as usize;
    }
    let octave = value.ilog2() - OCTAVE_BITS;
    ((octave as usize) << OCTAVE_BITS) + (value >> octave) as usize
}

/// The values of a bucket, both ends included.
fn bounds(index: usize) -> (u64, u64) {
    let exact = EXACT_BELOW as usize;
    if index < exact {
        return (index as u64, index as u64);
    }
    let octave = (index >> OCTAVE_BITS) - 1;
    let low = ((index - (octave << OCTAVE_BITS)) as u64) << octave;
    (low, low + ((1 << octave) - 1))
}

impl Histogram {
    /// No values yet.
    pub fn new() -> Histogram {
        Histogram::default()
    }

    /// Counts one value.
    pub fn record(&mut self, value: u64) {
        self.record_many(value, 1);
    }

    /// Counts a value `times` times.
    pub fn record_many(&mut self, value: u64, times: u64) {
        if times == 0 {
            return;
        }
        let at = index(value);
        self.hold(at, at);
        self.counts[at - self.first] += times;
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = self.max.max(value);
        self.count += times;
        self.sum += u128::from(value) * u128::from(times);
    }

    /// Counts all values of another histogram.
    pub fn merge(&mut self, other: &Histogram) {
        if other.count == 0 {
            return;
        }
        self.hold(other.first, other.first + other.counts.len() - 1);
        for (i, count) in other.counts.iter().enumerate() {
            self.counts[other.first + i - self.first] += count;
        }
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum += other.sum;
    }

    /// Makes room for buckets `low` to `high`.
    fn hold(&mut self, low: usize, high: usize) {
        if self.counts.is_empty() {
            self.first = low;
        }
        if low < self.first {
            let missing = self.first - low;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = low;
        }
        if high >= self.first + self.counts.len() {
            self.counts.resize(high - self.first + 1, 0);
        }
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The exact sum.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// The mean, from the exact sum; NaN of no values.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.sum as f64 / self.count as f64 }
    }

    /// The smallest value.
    pub fn min(&self) -> Option<u64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest value.
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    /// The buckets that are not empty, in rising order.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        self.counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(i, count)| {
            let (low, high) = bounds(self.first + i);
            Bucket { low, high, count: *count }
        })
    }

    /// A histogram read back from its buckets and exact figures; `None` if they contradict each other.
    pub fn from_parts(buckets: &[Bucket], sum: u128, min: u64, max: u64) -> Option<Histogram> {
        let mut h = Histogram::new();
        for b in buckets {
            if bounds(index(b.low)) != (b.low, b.high) || h.count.checked_add(b.count).is_none() {
                return None;
            }
            h.record_many(b.low, b.count);
        }
        let ends_fit = match (buckets.first(), buckets.last()) {
            (None, None) => min == 0 && max == 0 && sum == 0,
            _ => min <= max && index(min) == index(h.min) && index(max) == index(h.max),
        };
        let least = u128::from(min) * u128::from(h.count);
        let sum_fits = h.count == 0 || (least..=u128::from(max) * u128::from(h.count)).contains(&sum);
        (ends_fit && sum_fits).then_some(Histogram { sum, min, max, ..h })
    }

    /// The bucket of a rank from 1 to the count, cut to the exact range; the ends of the range are exact.
    pub(super) fn bucket_at(&self, rank: u64) -> Bucket {
        let exact = |value| Bucket { low: value, high: value, count: 1 };
        if rank <= 1 {
            return exact(self.min);
        }
        if rank >= self.count {
            return exact(self.max);
        }
        let mut passed = 0;
        let found = self.buckets().find(|bucket| {
            passed += bucket.count;
            passed >= rank
        });
        found.map_or(exact(self.max), |bucket| self.cut(bucket))
    }

    /// A bucket cut to the exact range.
    pub(super) fn cut(&self, bucket: Bucket) -> Bucket {
        Bucket { low: bucket.low.max(self.min), high: bucket.high.min(self.max), ..bucket }
    }

    /// The value of a rank: the middle of its bucket.
    fn at_rank(&self, rank: u64) -> u64 {
        self.bucket_at(rank).middle()
    }

    /// The `p`-quantile, within 0.4 %; the ends are exact. `None` of no values.
    pub fn quantile(&self, p: f64) -> Option<u64> {
        (self.count > 0).then(|| self.at_rank(quantile_rank(self.count, p)))
    }

    /// The `p`-quantile with its interval by order statistics; a limit the values cannot give is infinite.
    ///
    /// Limits are the outer ends of their buckets: the interval is wider by less than a per cent, never too short.
    pub fn quantile_interval(&self, p: f64, confidence: f64) -> Interval {
        let method = Method::OrderStatistics;
        let n = self.count;
        if n == 0 {
            return Interval::around(f64::NAN, f64::INFINITY, confidence, 0, method);
        }
        let (low, high) = quantile_ranks(n, p, confidence);
        Interval {
            estimate: self.at_rank(quantile_rank(n, p)) as f64,
            low: low.map_or(f64::NEG_INFINITY, |r| self.bucket_at(r).low as f64),
            high: high.map_or(f64::INFINITY, |r| self.bucket_at(r).high as f64),
            confidence,
            n,
            method,
        }
    }

    /// The share of values above `limit`, exact where `limit` is the end of a bucket, else counting its bucket in
    /// proportion.
    pub fn share_above(&self, limit: u64) -> f64 {
        if self.count == 0 {
            return f64::NAN;
        }
        if limit >= self.max {
            return 0.0;
        }
        let above: f64 = self
            .buckets()
            .map(|b| {
                if b.low > limit {
                    b.count as f64
                } else if b.high <= limit {
                    0.0
                } else {
                    b.count as f64 * (b.high - limit) as f64 / (b.high - b.low + 1) as f64
                }
            })
            .sum();
        above / self.count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::testing::SplitMix;

    #[test]
    fn every_value_lies_in_its_bucket_and_buckets_are_narrow() {
        let mut random = SplitMix(8);
        for shift in 0..64 {
            for value in [1_u64 << shift, (1 << shift) - 1, random.bits() >> shift, u64::MAX >> shift] {
                let (low, high) = bounds(index(value));
                assert!(low <= value && value <= high, "{value} not in {low}..={high}");
                assert!((high - low) as f64 <= value as f64 / 128.0);
            }
        }
        // No gap and no overlap.
        for i in 0..index(u64::MAX) {
            assert_eq!(bounds(i).1 + 1, bounds(i + 1).0);
        }
        assert_eq!(bounds(index(u64::MAX)).1, u64::MAX);
    }

    #[test]
    fn merging_in_any_order_gives_the_same() {
        let mut random = SplitMix(9);
        let values: Vec<u64> = (0..3000).map(|_| random.bits() >> (random.bits() % 60)).collect();
        let part = |values: &[u64]| {
            let mut h = Histogram::new();
            values.iter().for_each(|v| h.record(*v));
            h
        };
        let whole = part(&values);
        let parts: Vec<Histogram> = values.chunks(271).map(part).collect();
        let join = |parts: &mut dyn Iterator<Item = &Histogram>| {
            let mut h = Histogram::new();
            parts.for_each(|p| h.merge(p));
            h
        };
        assert_eq!(join(&mut parts.iter()), whole);
        assert_eq!(join(&mut parts.iter().rev()), whole);
        let buckets: Vec<Bucket> = whole.buckets().collect();
        let again = Histogram::from_parts(&buckets, whole.sum(), whole.min, whole.max);
        assert_eq!(again, Some(whole));
        assert_eq!(Histogram::from_parts(&buckets, 0, 1, 0), None);
    }

    #[test]
    fn quantiles_are_within_half_a_percent() {
        let mut random = SplitMix(10);
        let mut values: Vec<u64> = (0..5000).map(|_| (1e9 / random.uniform()) as u64).collect();
        let mut h = Histogram::new();
        values.iter().for_each(|v| h.record(*v));
        values.sort_unstable();
        for p in [0.001, 0.25, 0.5, 0.95, 0.99] {
            let exact = values[quantile_rank(5000, p) as usize - 1] as f64;
            let got = h.quantile(p).unwrap() as f64;
            assert!((got / exact - 1.0).abs() < 0.005, "{p}: {got} against {exact}");
            let i = h.quantile_interval(p, 0.95);
            assert!(i.low <= got && got <= i.high);
        }
        assert!((h.share_above(2_000_000_000) - 0.5).abs() < 0.03);
        assert_eq!(Histogram::new().quantile(0.5), None);
    }
}
