//! Lengths of spells of which some were still going on when the run ended.
//!
//! Those count as at least as long as they were seen (Kaplan & Meier, JASA 53, 1958): leaving them out would favour the
//! short ones, since a long spell is more likely to be cut off. The cut is the horizon's, whatever the length.

use super::interval::{Interval, Method, quantile_ranks};
use super::quantile::{Bucket, Histogram};

/// Lengths of spells that ended, and of those that had not.
#[derive(Clone, Copy, Debug)]
pub struct Spells<'a> {
    /// Of those that ended.
    pub ended: &'a Histogram,
    /// How long the others had lasted.
    pub open: &'a Histogram,
}

/// A length at which spells ended.
#[derive(Clone, Copy, Debug)]
struct Step {
    bucket: Bucket,
    /// The share that had ended by then.
    ended: f64,
    /// The number of spells, none of them open, that would tell that share as well.
    like: f64,
}

impl Spells<'_> {
    /// How many, ended or not.
    pub fn count(&self) -> u64 {
        self.ended.count() + self.open.count()
    }

    /// The longest that was seen, ended or not.
    pub fn max(&self) -> Option<u64> {
        self.ended.max().max(self.open.max())
    }

    /// The lengths at which spells ended.
    fn steps(&self) -> Vec<Step> {
        let mut open = self.open.buckets().peekable();
        let mut at_risk = self.count();
        let (mut longer, mut greenwood) = (1.0, 0.0);
        let mut steps = Vec::new();
        for bucket in self.ended.buckets() {
            // Where both are in one bucket, those that ended came first.
            while let Some(cut) = open.next_if(|cut| cut.low < bucket.low) {
                at_risk -= cut.count;
            }
            let (all, left) = (at_risk as f64, (at_risk - bucket.count) as f64);
            longer *= left / all;
            greenwood += bucket.count as f64 / (all * left);
            at_risk -= bucket.count;
            let like = (1.0 - longer) / (longer * greenwood);
            steps.push(Step { bucket: self.ended.cut(bucket), ended: 1.0 - longer, like });
        }
        steps
    }

    /// The `p`-quantile with its interval; a limit that the spells cannot give is infinite. `None` if it lies beyond the
    /// longest that ended.
    ///
    /// By order statistics where all have ended; else by those of as many spells as would tell the share that had ended
    /// at the quantile as well (Greenwood's variance; Brookmeyer & Crowley, Biometrics 38, 1982).
    pub fn quantile(&self, p: f64, confidence: f64) -> Option<Interval> {
        if self.open.count() == 0 {
            return (self.ended.count() > 0).then(|| self.ended.quantile_interval(p, confidence));
        }
        let n = self.count();
        let steps = self.steps();
        let at = |share: f64| steps.iter().find(|step| step.ended >= share * (1.0 - 1e-12));
        let found = at(p)?;
        let like = if found.like.is_finite() { found.like.clamp(1.0, n as f64) } else { n as f64 };
        let (low, high) = quantile_ranks(like as u64, p, confidence);
        let at_rank = |rank: u64| at(rank as f64 / libm::floor(like));
        Some(Interval {
            estimate: found.bucket.middle() as f64,
            low: low.and_then(at_rank).map_or(0.0, |step| step.bucket.low as f64),
            high: high.and_then(at_rank).map_or(f64::INFINITY, |step| step.bucket.high as f64),
            confidence,
            n,
            method: Method::KaplanMeier,
        })
    }

    /// The mean, and whether it is all of it: where the longest had not ended, nothing is known of what came after,
    /// and the mean is that of lengths up to there.
    pub fn mean(&self) -> (f64, bool) {
        if self.open.count() == 0 {
            return (self.ended.mean(), true);
        }
        let (mut mean, mut passed) = (0.0, 0.0);
        for Step { bucket, ended, .. } in self.steps() {
            mean += bucket.middle() as f64 * (ended - passed);
            passed = ended;
        }
        let rest = 1.0 - passed;
        if rest < 1e-12 { (mean, true) } else { (mean + rest * self.max().unwrap_or(0) as f64, false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::ln;
    use crate::maths::testing::{SplitMix, near};

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        values.iter().for_each(|value| histogram.record(*value));
        histogram
    }

    #[test]
    fn a_textbook_case() {
        // 6, 6, 6, 6+, 7, 9+, 10, 10+, 11+, 13, … of Freireich's leukaemia patients (Kaplan–Meier in every textbook).
        let ended = of(&[6, 6, 6, 7, 10, 13, 16, 22, 23]);
        let open = of(&[6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]);
        let spells = Spells { ended: &ended, open: &open };
        let longer: Vec<f64> = spells.steps().iter().map(|step| 1.0 - step.ended).collect();
        for (found, printed) in longer.iter().zip([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]) {
            near(*found, printed, 1e-3);
        }
        assert_eq!(spells.quantile(0.5, 0.95).map(|i| i.estimate), Some(23.0));
        assert_eq!((spells.max(), spells.mean().1), (Some(35), false));
        assert_eq!(spells.quantile(0.95, 0.95), None);
    }

    #[test]
    fn cutting_at_random_does_not_bias() {
        let mut random = SplitMix(5);
        let (mut ended, mut open, mut short) = (Histogram::new(), Histogram::new(), 0.0);
        for _ in 0..20_000 {
            let length = -1e6 * ln(random.uniform());
            let cut = 4e6 * random.uniform();
            if length <= cut {
                ended.record(length as u64);
                short += length;
            } else {
                open.record(cut as u64);
            }
        }
        let spells = Spells { ended: &ended, open: &open };
        assert!(short / (ended.count() as f64) < 0.8e6, "those that ended are the short ones");
        near(spells.mean().0, 1e6, 0.03);
        let median = spells.quantile(0.5, 0.999).unwrap();
        assert!(median.contains(1e6 * ln(2.0)) && median.width() < 0.1e6, "{median:?}");
    }

    #[test]
    fn without_a_cut_it_is_the_plain_histogram() {
        let ended = of(&[3, 5, 8, 13, 21, 34]);
        let spells = Spells { ended: &ended, open: &Histogram::new() };
        assert_eq!(spells.quantile(0.5, 0.95), Some(ended.quantile_interval(0.5, 0.95)));
        assert_eq!(spells.mean(), (14.0, true));
    }
}
