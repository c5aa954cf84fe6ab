//! Quantiles of values that come in clusters: latencies of the requests of a run, which wait in the same queue.
//!
//! A million of them in twenty runs know hardly more of the law than a few thousand would that have nothing to do with
//! each other, and order statistics of a million are far too sure: they hold the true median of a busy queue 4 times in 10.
//! So the number of values is divided by the design effect, by which the share of values below the quantile varies more
//! from run to run than it would if all were independent (Woodruff, JASA 47, 1952; Kish, Survey Sampling, 1965).

use std::collections::BTreeMap;

use super::interval::{Interval, Method, quantile_ranks, t_factor};
use super::quantile::{Histogram, index};
use crate::maths::normal_quantile;

/// A histogram of the values of all runs that knows how each run's stand among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clustered {
    all: Histogram,
    runs: u64,
    /// By bucket, what it adds to Σc² and Σc·m, where a run has c values up to there and m in all.
    steps: BTreeMap<usize, (f64, f64)>,
    /// Σm².
    sizes: f64,
}

impl Clustered {
    /// No values yet.
    pub fn new() -> Clustered {
        Clustered::default()
    }

    /// Takes up the values of one run.
    pub fn add(&mut self, run: &Histogram) {
        let size = run.count() as f64;
        let mut passed = 0.0;
        for bucket in run.buckets() {
            let count = bucket.count as f64;
            let step = self.steps.entry(index(bucket.low)).or_default();
            step.0 += count * (2.0 * passed + count);
            step.1 += count * size;
            passed += count;
        }
        self.all.merge(run);
        self.runs += 1;
        self.sizes += size * size;
    }

    /// Takes up the runs that follow these.
    pub fn merge(&mut self, later: &Clustered) {
        for (at, step) in &later.steps {
            let mine = self.steps.entry(*at).or_default();
            *mine = (mine.0 + step.0, mine.1 + step.1);
        }
        self.all.merge(&later.all);
        self.runs += later.runs;
        self.sizes += later.sizes;
    }

    /// All values.
    pub fn all(&self) -> &Histogram {
        &self.all
    }

    /// How many times more the share of values up to the `p`-quantile varies from run to run than of independent ones.
    fn design_effect(&self, p: f64) -> f64 {
        let n = self.all.count() as f64;
        let (mut squares, mut products, mut passed) = (0.0, 0.0, 0.0);
        let mut effect = 1.0;
        for bucket in self.all.buckets() {
            let step = self.steps.get(&index(bucket.low)).copied().unwrap_or_default();
            (squares, products, passed) = (squares + step.0, products + step.1, passed + bucket.count as f64);
            let share = passed / n;
            if share < 1.0 {
                let residual = squares - 2.0 * share * products + share * share * self.sizes;
                let runs = self.runs as f64;
                effect = runs / (runs - 1.0) * residual / (n * share * (1.0 - share));
            }
            if share >= p {
                break;
            }
        }
        effect.max(1.0)
    }

    /// The `p`-quantile with its interval; a limit the values cannot give is infinite, and one run gives none.
    pub fn quantile_interval(&self, p: f64, confidence: f64) -> Interval {
        let plain = self.all.quantile_interval(p, confidence);
        if self.all.count() == 0 || self.runs < 2 {
            return Interval { low: f64::NEG_INFINITY, high: f64::INFINITY, ..plain };
        }
        let effect = self.design_effect(p);
        // With few runs the effect itself is an estimate.
        let few = -t_factor(confidence, (self.runs - 1) as f64) / normal_quantile(0.5 * (1.0 - confidence));
        let n = self.all.count();
        let like = libm::floor((n as f64 / (effect * few * few)).max(1.0));
        if like >= n as f64 {
            return plain;
        }
        let (low, high) = quantile_ranks(like as u64, p, confidence);
        let at = |rank: u64| {
            let share = rank as f64 / like;
            self.all.bucket_at(libm::ceil(share * n as f64) as u64)
        };
        Interval {
            low: low.map_or(f64::NEG_INFINITY, |rank| at(rank).low as f64),
            high: high.map_or(f64::INFINITY, |rank| at(rank).high as f64),
            method: Method::Clustered,
            ..plain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::testing::SplitMix;

    /// Runs whose values share a level.
    fn runs(random: &mut SplitMix, runs: usize, shared: f64) -> Clustered {
        let mut clustered = Clustered::new();
        for _ in 0..runs {
            let level = shared * random.uniform();
            let mut run = Histogram::new();
            (0..200)
                .for_each(|_| run.record((1e9 * (1.0 + level + (1.0 - shared) * random.uniform())) as u64));
            clustered.add(&run);
        }
        clustered
    }

    #[test]
    fn the_median_is_held_as_often_as_promised_however_the_values_cluster() {
        let mut random = SplitMix(21);
        for shared in [0.0, 0.5, 0.9] {
            let (mut held, mut plain) = (0, 0);
            for _ in 0..400 {
                let found = runs(&mut random, 12, shared);
                held += u32::from(found.quantile_interval(0.5, 0.95).contains(1.5e9));
                plain += u32::from(found.all().quantile_interval(0.5, 0.95).contains(1.5e9));
            }
            // 95 % of 400 is 380, with a standard deviation of 4.4.
            assert!(held >= 367, "{shared}: {held} of 400");
            assert!(shared == 0.0 || plain < 250, "{shared}: order statistics hold it {plain} times");
        }
    }

    #[test]
    fn joined_parts_equal_the_whole() {
        let mut random = SplitMix(22);
        let mut parts: Vec<Clustered> = (0..3).map(|_| runs(&mut random, 4, 0.5)).collect();
        let mut whole = parts.remove(0);
        parts.iter().for_each(|part| whole.merge(part));
        let mut random = SplitMix(22);
        assert_eq!(whole, runs(&mut random, 12, 0.5));
        assert!(Clustered::new().quantile_interval(0.5, 0.95).estimate.is_nan());
    }
}
