//! Folds the records of runs, in the order of their index, into figures with intervals.

use std::sync::LazyLock;

use crate::engine::time::Span;
use crate::policy::contract::Policy;
use crate::policy::host::Setup;
use crate::stats::interval::{self, Interval};
use crate::stats::moments::{Moments, PairMoments};
use crate::stats::quantile::Histogram;

use super::catalog::{Measure, Method, YEAR, measures};
use super::record::{Breach, Record};
use super::shape::Shape;
use super::tally::{POOLS, Pool, SUMS, Sum, Tally};

/// A measure's estimate with its simulation interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The estimate.
    pub estimate: f64,
    /// Lower end; `None` where there is none (an exact number, or only an upper bound).
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// What it rests on: runs, or events.
    pub n: u64,
    /// How the interval was made.
    pub method: &'static str,
    /// Nothing was seen: `high` is an upper bound.
    pub zero: bool,
}

/// The figures of the service, or of one group, over runs.
#[derive(Clone, Debug)]
struct Fold {
    shape: Shape,
    sums: Vec<Moments>,
    ratios: Vec<PairMoments>,
    pools: Vec<Histogram>,
}

/// Which ratios of sums are kept: those that some measure needs, as it is or as the mean of pooled values.
static RATIOS: LazyLock<Vec<(Sum, Sum)>> = LazyLock::new(|| {
    let pairs = measures().iter().filter_map(|measure| match measure.method {
        Method::Ratio(above, below) | Method::Fraction(above, below) => Some((above, below)),
        Method::MeanOf(pool, _) => Some(pooled_ratio(pool)),
        _ => None,
    });
    pairs.collect()
});

/// The sums behind the mean of pooled values.
fn pooled_ratio(pool: Pool) -> (Sum, Sum) {
    match pool {
        Pool::Outage => (Sum::OutageSecs, Sum::OutagesEnded),
        Pool::Split => (Sum::SplitEndedSecs, Sum::SplitsEnded),
        Pool::LossAge => (Sum::LossAgeSecs, Sum::LossIncidents),
        Pool::InClassAge => (Sum::InClassAgeSecs, Sum::InClassLosses),
        Pool::OutOfClassAge => (Sum::OutOfClassAgeSecs, Sum::OutOfClassLosses),
        Pool::Failover => (Sum::FailoverSecs, Sum::FailoversTimed),
        Pool::Detection => (Sum::DetectionSecs, Sum::Detections),
        Pool::LostPerIncident => (Sum::Lost, Sum::Incidents),
        Pool::Latency | Pool::QueueLongest => (Sum::LatencySecs, Sum::Succeeded),
    }
}

impl Fold {
    fn new(shape: Shape) -> Fold {
        Fold {
            shape,
            sums: vec![Moments::new(); SUMS],
            ratios: vec![PairMoments::new(); RATIOS.len()],
            pools: vec![Histogram::new(); POOLS],
        }
    }

    fn add(&mut self, tally: &Tally) {
        for (moments, &value) in self.sums.iter_mut().zip(&tally.sums) {
            moments.push(value);
        }
        for (pair, &(above, below)) in self.ratios.iter_mut().zip(RATIOS.iter()) {
            pair.push(tally.get(below), tally.get(above));
        }
        for (histogram, values) in self.pools.iter_mut().zip(&tally.pooled) {
            for &value in values {
                histogram.record(value);
            }
        }
        self.pools[Pool::Latency as usize].merge(&tally.latencies);
    }

    fn merge(&mut self, other: &Fold) {
        self.sums.iter_mut().zip(&other.sums).for_each(|(a, b)| a.merge(b));
        self.ratios.iter_mut().zip(&other.ratios).for_each(|(a, b)| a.merge(b));
        self.pools.iter_mut().zip(&other.pools).for_each(|(a, b)| a.merge(b));
    }

    fn figures(&self, confidence: f64) -> Vec<(&'static Measure, Figure)> {
        let asked = measures().iter().filter(|measure| self.shape.has(measure));
        let found = asked.filter_map(|measure| Some((measure, self.figure(measure, confidence)?)));
        found.map(|(measure, figure)| (measure, figure.within(measure.range()))).collect()
    }

    fn figure(&self, measure: &'static Measure, confidence: f64) -> Option<Figure> {
        let sum = |sum: Sum| &self.sums[sum as usize];
        let horizon = sum(Sum::Horizon).mean();
        let runs = sum(Sum::Horizon).count();
        let count = |moments: &Moments, unit: f64| count_rate(moments, horizon / YEAR, unit, confidence);
        let figure = match measure.method {
            Method::Share(s) => Figure::of(share_of(sum(s), horizon, confidence)),
            Method::Rest(s) => Figure::of(share_of(sum(s), horizon, confidence).complement()).never_zero(),
            Method::MeanOfRuns(s) | Method::MeanShare(s) => {
                Figure::of(interval::mean(sum(s), confidence)).never_zero()
            }
            Method::Rate(s) => count(sum(s), 1.0),
            Method::TimeRate(s) => time_rate(sum(s), horizon, confidence),
            Method::CauseRate(phase) => {
                let spent = &self.sums[Sum::Cause as usize + phase as usize];
                // What was seen is told whatever the policy says of itself.
                if spent.sum() == 0.0 && !self.shape.can_be_in(phase) {
                    return None;
                }
                time_rate(spent, horizon, confidence)
            }
            Method::PerSecond(s) => count(sum(s), 1.0 / YEAR),
            Method::PerSecondIfAny(s) => {
                if sum(s).sum() == 0.0 {
                    return None;
                }
                Figure::of(interval::mean(sum(s), confidence).scaled(1.0 / horizon))
            }
            Method::Ratio(above, below) | Method::Fraction(above, below) => {
                if sum(below).sum() == 0.0 {
                    return None;
                }
                if sum(above).sum() == 0.0 {
                    // None among so many: the rule of three, with the divisor as exposure.
                    let bound = interval::poisson_rate(0, sum(below).sum(), confidence);
                    return Some(Figure { n: runs, ..Figure::of(bound) });
                }
                Figure::of(interval::ratio(self.ratio(above, below)?, confidence))
            }
            Method::Probability(hits, trials) => {
                let (hits, trials) = (whole(sum(hits).sum()), whole(sum(trials).sum()));
                if trials == 0 {
                    return None;
                }
                Figure::of(interval::probability(hits.min(trials), trials, confidence))
            }
            Method::NotInRuns(s) => {
                let hits = whole(sum(s).sum());
                Figure::of(interval::probability(runs - hits.min(runs), runs, confidence)).never_zero()
            }
            Method::Quantile(pool, p, unit) => {
                let pool = self.pool(pool)?;
                Figure::of(pool.quantile_interval(p, confidence).scaled(unit))
            }
            Method::MeanOf(pool, _) => self.pooled_mean(pool, confidence)?,
            Method::Max(pool, unit) => {
                let pool = self.pool(pool)?;
                Figure::exact(pool.max()? as f64 * unit, pool.count())
            }
            Method::NodeHours => Figure::exact(self.shape.nodes * YEAR / 3600.0, runs),
            Method::HoursRate(s) => {
                Figure::of(interval::mean(sum(s), confidence).scaled(YEAR / horizon / 3600.0)).never_zero()
            }
            Method::Cost => {
                let hourly = self.shape.outage_cost.unwrap_or(0.0);
                let down =
                    interval::mean(sum(Sum::Down), confidence).scaled(YEAR / horizon / 3600.0 * hourly);
                let base = self.shape.node_cost;
                let limit = |down: f64| base + cut(down, (0.0, YEAR / 3600.0 * hourly));
                Figure {
                    estimate: down.estimate + base,
                    low: Some(limit(down.low)),
                    high: Some(limit(down.high)),
                    n: runs,
                    method: down.method.name(),
                    zero: false,
                }
            }
        };
        Some(figure)
    }

    fn pool(&self, pool: Pool) -> Option<&Histogram> {
        Some(&self.pools[pool as usize]).filter(|histogram| histogram.count() > 0)
    }

    /// The mean of pooled values; its interval from the ratio of sums over runs, which knows that values of one run
    /// may depend on each other.
    fn pooled_mean(&self, pool: Pool, confidence: f64) -> Option<Figure> {
        let histogram = self.pool(pool)?;
        let (above, below) = pooled_ratio(pool);
        let figure = Figure::of(interval::ratio(self.ratio(above, below)?, confidence));
        Some(Figure { n: histogram.count(), ..figure }.never_zero())
    }

    fn ratio(&self, above: Sum, below: Sum) -> Option<&PairMoments> {
        RATIOS.iter().position(|&pair| pair == (above, below)).map(|index| &self.ratios[index])
    }
}

fn share_of(moments: &Moments, horizon: f64, confidence: f64) -> Interval {
    let runs = moments.count();
    if moments.sum() == 0.0 {
        // Nothing seen in any run: the largest share that runs like these would still show sometimes is not known,
        // but the probability of a run with any at all is bounded.
        let limit = interval::zero_event_limit(runs, confidence);
        let method = interval::Method::ZeroEvents;
        return Interval { high: limit, low: 0.0, method, ..interval::mean(moments, confidence) };
    }
    if moments.min() >= horizon * (1.0 - 1e-12) {
        return interval::probability(runs, runs, confidence);
    }
    interval::mean(moments, confidence).scaled(1.0 / horizon)
}

/// A limit cut to the values that the quantity can have; one that the data cannot give stays infinite, unless the
/// range has both ends.
fn cut(limit: f64, (least, most): (f64, f64)) -> f64 {
    if limit.is_finite() || most.is_finite() { limit.clamp(least, most) } else { limit }
}

/// A count that was kept as a mean: its rounding may have left it just below the whole number.
fn whole(count: f64) -> u64 {
    count.round() as u64
}

/// Events a year: Garwood's limits where they are few or none, Student's t over runs else.
fn count_rate(moments: &Moments, years: f64, unit: f64, confidence: f64) -> Figure {
    let exposure = moments.count() as f64 * years;
    let events = moments.sum();
    let counted = (events - events.round()).abs() < 1e-6;
    if events < 29.5 && counted {
        return Figure::of(interval::poisson_rate(whole(events), exposure, confidence).scaled(unit));
    }
    Figure::of(interval::mean(moments, confidence).scaled(unit / years))
}

fn time_rate(moments: &Moments, horizon: f64, confidence: f64) -> Figure {
    if moments.sum() == 0.0 {
        // Of the length of events that were not seen nothing is known: the bound is put as the share of runs that
        // could have had any, over the whole horizon.
        let limit = interval::zero_event_limit(moments.count(), confidence);
        return Figure {
            zero: true,
            low: None,
            high: Some(limit * YEAR),
            method: interval::Method::ZeroEvents.name(),
            ..Figure::of(interval::mean(moments, confidence))
        };
    }
    Figure::of(interval::mean(moments, confidence).scaled(YEAR / horizon))
}

impl Figure {
    fn of(interval: Interval) -> Figure {
        let zero = interval.estimate == 0.0 && interval.high > 0.0;
        Figure {
            estimate: interval.estimate,
            low: (!zero).then_some(interval.low),
            high: Some(interval.high),
            n: interval.n,
            method: interval.method.name(),
            zero,
        }
    }

    /// With limits cut to the values that the measure can have.
    fn within(self, range: (f64, f64)) -> Figure {
        let cut = |limit: f64| cut(limit, range);
        Figure { low: self.low.map(cut), high: self.high.map(cut), ..self }
    }

    fn exact(value: f64, n: u64) -> Figure {
        Figure { estimate: value, low: None, high: None, n, method: "exact", zero: false }
    }

    /// For measures of which zero is a value and not the absence of events.
    fn never_zero(self) -> Figure {
        Figure { zero: false, low: self.low.or(Some(self.estimate)), ..self }
    }
}

/// The figures of a point: service and groups, over runs.
#[derive(Clone, Debug)]
pub struct Summary {
    service: Fold,
    groups: Vec<Fold>,
    runs: u64,
    first_run: Option<u128>,
    fingerprint: crate::engine::fingerprint::Fingerprint,
    breach: Option<(u64, Breach)>,
}

impl Summary {
    /// Nothing folded yet.
    pub fn new<P: Policy>(setup: &Setup<P>, _horizon: Span) -> Summary {
        let all: Vec<usize> = (0..setup.model.groups.len()).collect();
        let mut service = Shape::new(setup, &all);
        service.nodes = setup.model.nodes.len() as f64;
        let groups = all.iter().map(|&g| Fold::new(Shape::new(setup, &[g]))).collect();
        Summary {
            service: Fold::new(service),
            groups,
            runs: 0,
            first_run: None,
            fingerprint: Default::default(),
            breach: None,
        }
    }

    /// Folds the next run.
    pub fn add(&mut self, record: &Record) {
        self.service.add(&record.service);
        for (fold, tally) in self.groups.iter_mut().zip(&record.groups) {
            fold.add(tally);
        }
        if let (None, Some(breach)) = (self.breach, record.breach) {
            self.breach = Some((self.runs, breach));
        }
        self.first_run.get_or_insert(record.fingerprint);
        self.fingerprint.word(record.fingerprint as u64);
        self.fingerprint.word((record.fingerprint >> 64) as u64);
        self.runs += 1;
    }

    /// Folds the runs that follow these.
    pub fn merge(&mut self, later: &Summary) {
        self.service.merge(&later.service);
        self.groups.iter_mut().zip(&later.groups).for_each(|(a, b)| a.merge(b));
        if let (None, Some((run, breach))) = (self.breach, later.breach) {
            self.breach = Some((self.runs + run, breach));
        }
        self.first_run = self.first_run.or(later.first_run);
        let value = later.fingerprint.value();
        self.fingerprint.word(value as u64);
        self.fingerprint.word((value >> 64) as u64);
        self.runs += later.runs;
    }

    /// Runs folded.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The fingerprint of run 0.
    pub fn first_fingerprint(&self) -> u128 {
        self.first_run.unwrap_or_default()
    }

    /// The fingerprint of all runs in order (and of the blocks they were folded in).
    pub fn fingerprint(&self) -> u128 {
        self.fingerprint.value()
    }

    /// The first run that broke a bound.
    pub fn breach(&self) -> Option<(u64, Breach)> {
        self.breach
    }

    /// The service's figures.
    pub fn service(&self, confidence: f64) -> Vec<(&'static Measure, Figure)> {
        self.service.figures(confidence)
    }

    /// One group's figures.
    pub fn group(&self, group: usize, confidence: f64) -> Vec<(&'static Measure, Figure)> {
        self.groups[group].figures(confidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn down_all_the_time_in_few_runs_is_no_certainty() {
        let share = share_of(&[100.0].into_iter().collect(), 100.0, 0.95);
        assert_eq!((share.estimate, share.high), (1.0, 1.0));
        assert!((share.low - 0.05).abs() < 1e-12, "{share:?}");
        let up = Figure::of(share.complement()).never_zero();
        assert_eq!((up.estimate, up.low, up.zero), (0.0, Some(0.0), false));
        assert!(up.high.is_some_and(|high| (high - 0.95).abs() < 1e-12), "{up:?}");
    }

    #[test]
    fn limits_end_where_the_measure_does() {
        assert_eq!(cut(-448.0, (0.0, f64::INFINITY)), 0.0);
        assert_eq!(cut(1.000_016, (0.0, 1.0)), 1.0);
        assert_eq!(cut(f64::INFINITY, (0.0, 1.0)), 1.0);
        assert_eq!(cut(f64::NEG_INFINITY, (0.0, f64::INFINITY)), f64::NEG_INFINITY);
    }
}
