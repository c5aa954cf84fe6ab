//! Paired differences between two policies that met the same environment, run by run.

use crate::stats::paired::Paired;

use super::catalog::{Measure, Method, YEAR, measures};
use super::record::Record;
use super::tally::{Sum, Tally};

/// One measure's difference between two policies (second minus first).
#[derive(Clone, Copy, Debug)]
pub struct PairRow {
    /// Of what.
    pub measure: &'static Measure,
    /// The mean difference.
    pub difference: f64,
    /// Its interval from the differences run by run.
    pub paired: (f64, f64),
    /// Its interval as if the runs had been independent (Welch).
    pub unpaired: (f64, f64),
    /// How many times more independent runs the same width would take.
    pub gain: f64,
}

/// Differences of every measure that has a value for each run.
#[derive(Clone, Debug)]
pub struct PairSummary {
    pairs: Vec<Paired>,
}

/// The value of one run, for measures that have one.
fn value(measure: &Measure, tally: &Tally) -> Option<f64> {
    let horizon = tally.get(Sum::Horizon);
    let value = match measure.method {
        Method::Share(sum) => tally.get(sum) / horizon,
        Method::Rest(sum) => 1.0 - tally.get(sum) / horizon,
        Method::TimeFromStart(sum) | Method::MeanShare(sum) => tally.get(sum),
        Method::Rate(sum) | Method::Amount(sum, _) | Method::TimeRate(sum) => tally.get(sum) * YEAR / horizon,
        Method::CauseRate(phase) => tally.sums[Sum::Cause as usize + phase as usize] * YEAR / horizon,
        Method::PerSecond(sum) | Method::PerSecondIfAny(sum) => tally.get(sum) / horizon,
        Method::NotInRuns(sum) => 1.0 - tally.get(sum),
        Method::HoursRate(sum) => tally.get(sum) * YEAR / horizon / 3600.0,
        _ => return None,
    };
    Some(value)
}

impl Default for PairSummary {
    fn default() -> Self {
        PairSummary::new()
    }
}

impl PairSummary {
    /// Nothing folded yet.
    pub fn new() -> PairSummary {
        PairSummary { pairs: vec![Paired::new(); measures().len()] }
    }

    /// Folds the same run under two policies.
    pub fn add(&mut self, first: &Record, second: &Record) {
        for (pair, measure) in self.pairs.iter_mut().zip(measures()) {
            if let (Some(a), Some(b)) = (value(measure, &first.service), value(measure, &second.service)) {
                pair.push(a, b);
            }
        }
    }

    /// Folds the runs that follow these.
    pub fn merge(&mut self, later: &PairSummary) {
        self.pairs.iter_mut().zip(&later.pairs).for_each(|(a, b)| a.merge(b));
    }

    /// The differences. Measures that only one of the two has are the caller's to leave out.
    pub fn rows(&self, confidence: f64) -> Vec<PairRow> {
        let folded = self.pairs.iter().zip(measures()).filter(|(pair, _)| pair.count() > 0);
        folded
            .map(|(pair, measure)| {
                let (paired, unpaired) = (pair.difference(confidence), pair.unpaired(confidence));
                PairRow {
                    measure,
                    difference: paired.estimate,
                    paired: (paired.low, paired.high),
                    unpaired: (unpaired.low, unpaired.high),
                    gain: pair.gain(confidence),
                }
            })
            .collect()
    }
}
