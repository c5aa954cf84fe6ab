//! Folds the records of runs, in the order of their index, into figures with intervals.

use std::sync::LazyLock;

use crate::engine::time::Span;
use crate::policy::contract::Policy;
use crate::policy::host::Setup;
use crate::stats::censored::Spells;
use crate::stats::clustered::Clustered;
use crate::stats::interval::{self, Interval};
use crate::stats::moments::{Moments, PairMoments};
use crate::stats::quantile::Histogram;
use crate::stats::skewed;

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
    /// Upper end; infinite where the runs give none.
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
    /// Latencies: those of one run depend on each other.
    latencies: Clustered,
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
        Pool::Outage | Pool::OpenOutage => (Sum::OutageSecs, Sum::OutagesEnded),
        Pool::Split | Pool::OpenSplit => (Sum::SplitEndedSecs, Sum::SplitsEnded),
        Pool::LossAge => (Sum::LossAgeSecs, Sum::LossIncidents),
        Pool::InClassAge => (Sum::InClassAgeSecs, Sum::InClassLosses),
        Pool::OutOfClassAge => (Sum::OutOfClassAgeSecs, Sum::OutOfClassLosses),
        Pool::Failover => (Sum::FailoverSecs, Sum::FailoversTimed),
        Pool::Detection => (Sum::DetectionSecs, Sum::Detections),
        Pool::LostPerIncident => (Sum::Lost, Sum::Incidents),
        Pool::Latency | Pool::QueueLongest => (Sum::LatencySecs, Sum::Succeeded),
    }
}

/// Where the values are that had not come to their end at the horizon.
fn open_of(pool: Pool) -> Option<Pool> {
    match pool {
        Pool::Outage => Some(Pool::OpenOutage),
        Pool::Split => Some(Pool::OpenSplit),
        _ => None,
    }
}

/// What is pooled of a ratio of sums, value by value.
fn pool_of(ratio: (Sum, Sum)) -> Option<Pool> {
    (ratio == (Sum::Lost, Sum::Incidents)).then_some(Pool::LostPerIncident)
}

impl Fold {
    fn new(shape: Shape) -> Fold {
        Fold {
            shape,
            sums: vec![Moments::new(); SUMS],
            ratios: vec![PairMoments::new(); RATIOS.len()],
            pools: vec![Histogram::new(); POOLS],
            latencies: Clustered::new(),
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
        self.latencies.add(&tally.latencies);
    }

    fn merge(&mut self, other: &Fold) {
        self.sums.iter_mut().zip(&other.sums).for_each(|(a, b)| a.merge(b));
        self.ratios.iter_mut().zip(&other.ratios).for_each(|(a, b)| a.merge(b));
        self.pools.iter_mut().zip(&other.pools).for_each(|(a, b)| a.merge(b));
        self.latencies.merge(&other.latencies);
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
        let figure = match measure.method {
            Method::Share(s) => Figure::of(share_of(sum(s), horizon, confidence)),
            Method::Rest(s) => Figure::of(share_of(sum(s), horizon, confidence).complement()).never_zero(),
            Method::MeanShare(s) => {
                Figure::of(skewed::share(&sum(s).lacking(1.0), confidence).complement()).never_zero()
            }
            Method::TimeFromStart(s) => Figure::of(from_start(sum(s), horizon, confidence)).never_zero(),
            Method::Rate(s) => Figure::of(skewed::events(sum(s), confidence).scaled(YEAR / horizon)),
            Method::Amount(s, whole) => {
                let most = whole.map_or(f64::INFINITY, |whole| sum(whole).mean());
                Figure::of(amount(sum(s), most, confidence).scaled(YEAR / horizon))
            }
            Method::TimeRate(s) => time_rate(sum(s), horizon, confidence),
            Method::CauseRate(phase) => {
                let spent = &self.sums[Sum::Cause as usize + phase as usize];
                // What was seen is told whatever the policy says of itself.
                if spent.sum() == 0.0 && !self.shape.can_be_in(phase) {
                    return None;
                }
                time_rate(spent, horizon, confidence)
            }
            Method::PerSecond(s) => Figure::of(skewed::level(sum(s), confidence).scaled(1.0 / horizon)),
            Method::PerSecondIfAny(s) => {
                if sum(s).sum() == 0.0 {
                    return None;
                }
                Figure::of(skewed::level(sum(s), confidence).scaled(1.0 / horizon))
            }
            Method::Ratio(above, below) => {
                if sum(below).sum() == 0.0 {
                    return None;
                }
                let pool = pool_of((above, below)).and_then(|pool| self.pool(pool));
                let largest = pool.and_then(|pool| pool.max()).map(|largest| largest as f64);
                Figure::of(skewed::ratio(self.ratio(above, below)?, largest, confidence))
            }
            Method::Fraction(above, below) => {
                if sum(below).sum() == 0.0 {
                    return None;
                }
                Figure::of(skewed::fraction(self.ratio(above, below)?, confidence))
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
                let found = match open_of(pool) {
                    Some(_) => self.spells(pool).quantile(p, confidence)?,
                    None if pool == Pool::Latency => {
                        self.pool(pool)?;
                        self.latencies.quantile_interval(p, confidence)
                    }
                    None => self.pool(pool)?.quantile_interval(p, confidence),
                };
                Figure::of(found.scaled(unit))
            }
            Method::MeanOf(pool, unit) => self.pooled_mean(pool, unit, confidence)?,
            Method::Max(pool, unit) => {
                let (max, count) = match open_of(pool) {
                    Some(_) => (self.spells(pool).max()?, self.spells(pool).count()),
                    None => (self.pool(pool)?.max()?, self.pool(pool)?.count()),
                };
                Figure::exact(max as f64 * unit, count)
            }
            Method::NodeHours => Figure::exact(self.shape.nodes * YEAR / 3600.0, runs),
            Method::HoursRate(s) => {
                if sum(s).max() <= 0.0 {
                    return Some(Figure::exact(0.0, runs));
                }
                Figure::of(skewed::level(sum(s), confidence).scaled(YEAR / horizon / 3600.0))
            }
            Method::Cost => {
                let hourly = self.shape.outage_cost.unwrap_or(0.0);
                let down = share_of(sum(Sum::Down), horizon, confidence).scaled(YEAR / 3600.0 * hourly);
                let base = self.shape.node_cost;
                Figure {
                    estimate: down.estimate + base,
                    low: Some(down.low + base),
                    high: Some(down.high + base),
                    n: runs,
                    method: down.method.name(),
                    zero: false,
                }
            }
        };
        Some(figure)
    }

    fn pool(&self, pool: Pool) -> Option<&Histogram> {
        let found = if pool == Pool::Latency { self.latencies.all() } else { &self.pools[pool as usize] };
        Some(found).filter(|histogram| histogram.count() > 0)
    }

    /// Spells of which some had not ended at the horizon.
    fn spells(&self, pool: Pool) -> Spells<'_> {
        let open = open_of(pool).unwrap_or(pool);
        Spells { ended: &self.pools[pool as usize], open: &self.pools[open as usize] }
    }

    /// The mean of pooled values; its interval from the ratio of sums over runs, which knows that values of one run
    /// may depend on each other.
    fn pooled_mean(&self, pool: Pool, unit: f64, confidence: f64) -> Option<Figure> {
        let histogram = self.pool(pool)?;
        let (above, below) = pooled_ratio(pool);
        let largest = histogram.max().map(|largest| largest as f64 * unit);
        let mut i = skewed::ratio(self.ratio(above, below)?, largest, confidence);
        let mut n = histogram.count();
        if open_of(pool).is_some_and(|open| self.pools[open as usize].count() > 0) {
            let spells = self.spells(pool);
            let (mean, is_whole) = spells.mean();
            i = i.scaled(mean * unit / i.estimate);
            i.high = if is_whole { i.high } else { f64::INFINITY };
            n = spells.count();
        }
        Some(Figure { n, ..Figure::of(i) }.never_zero())
    }

    fn ratio(&self, above: Sum, below: Sum) -> Option<&PairMoments> {
        RATIOS.iter().position(|&pair| pair == (above, below)).map(|index| &self.ratios[index])
    }
}

/// A sum of seconds as a share of the horizon.
fn share_of(moments: &Moments, horizon: f64, confidence: f64) -> Interval {
    skewed::share(&moments.scaled(1.0 / horizon), confidence)
}

/// The mean of a time from the start that ends with the horizon: what runs lack of it is a share.
fn from_start(moments: &Moments, horizon: f64, confidence: f64) -> Interval {
    if moments.min() >= horizon * (1.0 - 1e-12) {
        return share_of(&moments.lacking(horizon), horizon, confidence).complement().scaled(horizon);
    }
    skewed::level(moments, confidence)
}

/// The mean of an amount in a run. Where nothing was seen, a run with any would have at most `most`, and is rare.
fn amount(moments: &Moments, most: f64, confidence: f64) -> Interval {
    let i = skewed::amount(moments, confidence);
    if moments.max() > 0.0 {
        return i;
    }
    let high = interval::zero_event_limit(moments.count(), confidence) * most;
    Interval { high: if high > 0.0 { high } else { f64::INFINITY }, ..i }
}

/// A limit cut to the values that the quantity can have; an upper one that the data cannot give stays infinite where
/// the quantity has no end.
fn cut(limit: f64, (least, most): (f64, f64)) -> f64 {
    if limit.is_nan() { limit } else { limit.clamp(least, most) }
}

/// A count that was kept as a mean: its rounding may have left it just below the whole number.
fn whole(count: f64) -> u64 {
    count.round() as u64
}

/// Seconds a year. Of the length of events that were not seen nothing is known: then the bound is put as the share of
/// runs that could have had any, over the whole horizon.
fn time_rate(moments: &Moments, horizon: f64, confidence: f64) -> Figure {
    Figure::of(amount(moments, horizon, confidence).scaled(YEAR / horizon))
}

impl Figure {
    fn of(interval: Interval) -> Figure {
        let zero = interval.estimate == 0.0 && interval.high > 0.0;
        Figure {
            estimate: interval.estimate,
            low: (!zero || interval.high == f64::INFINITY).then_some(interval.low),
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
        assert_eq!(cut(f64::NEG_INFINITY, (0.0, f64::INFINITY)), 0.0);
        assert_eq!(cut(f64::INFINITY, (0.0, f64::INFINITY)), f64::INFINITY);
    }
}
