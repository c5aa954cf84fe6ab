//! What is measured in a run: a first, small set.

use crate::engine::probe::Probe;
use crate::engine::time::{Instant, SECS_PER_YEAR, Span};
use crate::policy::contract::Policy;
use crate::policy::facts::Fact;
use crate::policy::host::{self, Setup};
use crate::stats::paired::Paired;

/// A measure.
#[derive(Debug)]
pub struct Measure {
    /// Its name in files.
    pub name: &'static str,
    /// Unit of its values.
    pub unit: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What it belongs to.
    pub family: &'static str,
    /// Which direction is good.
    pub lower_is_better: Option<bool>,
}

const fn measure(name: &'static str, unit: &'static str, doc: &'static str, lower: bool) -> Measure {
    Measure { name, unit, doc, family: "availability", lower_is_better: Some(lower) }
}

static MEASURES: [Measure; 8] = [
    measure("availability", "1", "Share of time in which the service is up.", false),
    measure("unavailability", "1", "Share of time in which the service is down.", true),
    measure("safe_availability", "1", "Share of time in which the service is up and not split.", false),
    measure("downtime", "s/yr", "Time down.", true),
    measure("downtime_detect", "s/yr", "Time down until somebody suspects.", true),
    measure("split_brain_time", "s/yr", "Time with two nodes accepting.", true),
    measure("split_brain_window_max", "s", "Longest split brain.", true),
    measure("lost_rate", "/yr", "Acknowledged writes lost.", true),
];

/// Every measure in report order.
pub fn measures() -> &'static [Measure] {
    &MEASURES
}

/// The measure of a name.
pub fn find(name: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|measure| measure.name == name)
}

/// A loss bound that did not hold inside its class.
#[derive(Clone, Debug)]
pub struct Breach {
    /// Which group.
    pub group: usize,
    /// How old the oldest lost write was.
    pub age_secs: f64,
    /// How old it may be.
    pub bound_secs: f64,
}

/// One run's figures.
#[derive(Clone, Debug)]
pub struct Record {
    /// Of the whole run.
    pub fingerprint: u128,
    /// By group.
    pub group_fingerprints: Vec<u128>,
    /// Events handled.
    pub events: u64,
    /// A bound that broke.
    pub breach: Option<Breach>,
    values: [f64; 8],
}

#[derive(Clone, Default)]
struct Watch {
    down: Option<Instant>,
    split: Option<Instant>,
    down_secs: f64,
    split_secs: f64,
    split_max: f64,
    lost: f64,
}

impl Watch {
    fn split_ends(&mut self, at: Instant) {
        if let Some(since) = self.split.take() {
            let secs = at.since(since).as_secs();
            self.split_secs += secs;
            self.split_max = self.split_max.max(secs);
        }
    }
}

impl Probe<Fact> for Watch {
    fn see(&mut self, at: Instant, fact: &Fact) {
        match *fact {
            Fact::Service { up: true, .. } => {
                if let Some(since) = self.down.take() {
                    self.down_secs += at.since(since).as_secs();
                }
            }
            Fact::Service { up: false, .. } => {
                self.down.get_or_insert(at);
            }
            Fact::Acceptors { accepting, .. } if accepting > 1 => {
                self.split.get_or_insert(at);
            }
            Fact::Acceptors { .. } => self.split_ends(at),
            Fact::Lost { loss, .. } => self.lost += loss.count as f64,
            _ => {}
        }
    }
}

/// Runs once.
pub fn simulate<P: Policy>(setup: &Setup<P>, run: u64, horizon: Span) -> Record {
    simulate_with(setup, run, horizon, ()).0
}

/// Runs once, watched.
pub fn simulate_with<P: Policy, T: Probe<Fact>>(
    setup: &Setup<P>,
    run: u64,
    horizon: Span,
    probe: T,
) -> (Record, T) {
    let end = Instant::ZERO + horizon;
    let mut simulation = host::open(setup, run, (Watch::default(), probe));
    simulation.run_until(end, u64::MAX);
    simulation.world.finish(end);
    let groups =
        (0..setup.model.groups.len()).map(|g| simulation.world.group_fingerprint(g.into()).value()).collect();
    let (fingerprint, events) = (simulation.world.fingerprint().value(), simulation.events());
    let (mut watch, probe) = simulation.world.probe;
    watch.split_ends(end);
    if let Some(since) = watch.down {
        watch.down_secs += end.since(since).as_secs();
    }
    let (down, years) = (watch.down_secs / horizon.as_secs(), horizon.as_secs() / SECS_PER_YEAR);
    let safe = 1.0 - (watch.down_secs + watch.split_secs) / horizon.as_secs();
    let downtime = watch.down_secs / years;
    let values = [
        1.0 - down,
        down,
        safe,
        downtime,
        downtime,
        watch.split_secs / years,
        watch.split_max,
        watch.lost / years,
    ];
    (Record { fingerprint, group_fingerprints: groups, events, breach: None, values }, probe)
}

/// All runs of one policy at one point.
#[derive(Clone, Debug)]
pub struct Summary {
    runs: u64,
    fingerprint: u128,
    first: u128,
    moments: [crate::stats::moments::Moments; 8],
    breach: Option<(u64, Breach)>,
}

/// One figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The estimate.
    pub estimate: f64,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Out of how many.
    pub n: u64,
    /// How the interval was made.
    pub method: &'static str,
    /// Nothing was seen: `high` is an upper bound.
    pub zero: bool,
}

impl Summary {
    /// No runs yet.
    pub fn new<P: Policy>(_: &Setup<P>, _: Span) -> Summary {
        Summary { runs: 0, fingerprint: 0, first: 0, moments: Default::default(), breach: None }
    }

    /// Takes a run up.
    pub fn add(&mut self, record: &Record) {
        if self.runs == 0 {
            self.first = record.fingerprint;
        }
        self.runs += 1;
        self.fingerprint = self.fingerprint.rotate_left(1) ^ record.fingerprint;
        for (moments, value) in self.moments.iter_mut().zip(record.values) {
            moments.push(value);
        }
    }

    /// Takes further runs up.
    pub fn merge(&mut self, other: &Summary) {
        if self.runs == 0 {
            self.first = other.first;
        }
        self.runs += other.runs;
        self.fingerprint = self.fingerprint.rotate_left(7) ^ other.fingerprint;
        for (moments, other) in self.moments.iter_mut().zip(&other.moments) {
            moments.merge(other);
        }
    }

    /// How many runs.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Of all runs.
    pub fn fingerprint(&self) -> u128 {
        self.fingerprint
    }

    /// Of run 0.
    pub fn first_fingerprint(&self) -> u128 {
        self.first
    }

    /// The first breach.
    pub fn breach(&self) -> Option<(u64, Breach)> {
        self.breach.clone()
    }

    /// Figures of the service.
    pub fn service(&self, confidence: f64) -> Vec<(&'static Measure, Figure)> {
        let figure = |moments: &crate::stats::moments::Moments| {
            let n = moments.count();
            let half = if n < 2 {
                f64::INFINITY
            } else {
                crate::stats::interval::t_factor(confidence, (n - 1) as f64) * moments.std_error()
            };
            let estimate = moments.mean();
            if estimate == 0.0 {
                return Figure { estimate, low: Some(0.0), high: Some(1e-6), n, method: "t", zero: true };
            }
            let (low, high) = (Some(estimate - half), Some(estimate + half));
            Figure { estimate, low, high, n, method: "t", zero: false }
        };
        MEASURES.iter().zip(&self.moments).map(|(measure, moments)| (measure, figure(moments))).collect()
    }

    /// Figures of a group.
    pub fn group(&self, _: usize, confidence: f64) -> Vec<(&'static Measure, Figure)> {
        self.service(confidence).split_off(5)
    }
}

/// Two policies, run by run.
#[derive(Clone, Debug, Default)]
pub struct PairSummary {
    pairs: [Paired; 8],
}

/// One difference.
#[derive(Clone, Debug)]
pub struct PairRow {
    /// Of what.
    pub measure: &'static Measure,
    /// Second minus first.
    pub difference: f64,
    /// Its interval, run by run.
    pub paired: (f64, f64),
    /// Its interval without pairing.
    pub unpaired: (f64, f64),
    /// What pairing was worth.
    pub gain: f64,
}

impl PairSummary {
    /// No runs yet.
    pub fn new() -> PairSummary {
        PairSummary::default()
    }

    /// Takes a run of each up.
    pub fn add(&mut self, a: &Record, b: &Record) {
        for (pair, (a, b)) in self.pairs.iter_mut().zip(a.values.iter().zip(b.values)) {
            pair.push(*a, b);
        }
    }

    /// Takes further runs up.
    pub fn merge(&mut self, other: &PairSummary) {
        for (pair, other) in self.pairs.iter_mut().zip(&other.pairs) {
            pair.merge(other);
        }
    }

    /// The differences.
    pub fn rows(&self, confidence: f64) -> Vec<PairRow> {
        let row = |(measure, pair): (&'static Measure, &Paired)| {
            let (paired, unpaired) = (pair.difference(confidence), pair.unpaired(confidence));
            PairRow {
                measure,
                difference: paired.estimate,
                paired: (paired.low, paired.high),
                unpaired: (unpaired.low, unpaired.high),
                gain: pair.gain(confidence),
            }
        };
        MEASURES.iter().zip(&self.pairs).map(row).collect()
    }
}
