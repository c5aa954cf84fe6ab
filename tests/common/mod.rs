//! What the tests of simulated results share: a model from a text, runs in parallel folded in their order, figures
//! by name, and intervals against expected values.
#![allow(dead_code, unreachable_pub)] // each test file uses its part

use std::path::Path;
use std::sync::Arc;

use failsim::engine::probe::Probe;
use failsim::engine::time::{Instant, Span};
use failsim::input::{Files, NoFiles, Source};
use failsim::measure::{Figure, Record, Summary, simulate, simulate_with};
use failsim::model::Override;
use failsim::model::load::load;
use failsim::model::shipped::{self, FileKind};
use failsim::policy::contract::Policy;
use failsim::policy::facts::Fact;
use failsim::policy::host::Setup;
use failsim::policy::registry::Shipped;
use failsim::stats::interval;
use failsim::stats::moments::Moments;
use failsim::system::ids::NodeId;
use failsim::system::spec::{Action, Effect, Model, Scope, ScriptStep};
use rayon::prelude::*;

/// A prepared model of the shipped policies.
pub type Ready = Setup<Shipped>;

/// Reads a model, with overrides such as `nodes.*.dormancy=0`, and prepares it to skip quiet time.
#[track_caller]
pub fn ready(text: &str, overrides: &[&str], seed: u64) -> Ready {
    ready_as(text, overrides, seed, true)
}

/// As [`ready`], skipping or stepwise.
#[track_caller]
pub fn ready_as(text: &str, overrides: &[&str], seed: u64, skips: bool) -> Ready {
    let overrides: Vec<_> = overrides
        .iter()
        .map(|text| Override::parse(text, "test").unwrap_or_else(|p| panic!("{}", p.render(false))))
        .collect();
    let source = Source::new("test.toml", text.to_owned());
    let loaded = load::<<Shipped as Policy>::Params>(&source, Arc::new(NoFiles), &overrides);
    let (model, _) = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    Setup::new(model, seed, skips, false)
}

/// Reads a model that comes with the program.
#[track_caller]
pub fn shipped_model(name: &str) -> Model<<Shipped as Policy>::Params> {
    let found = shipped::find(FileKind::Model, name, Some(Path::new("models"))).expect("a shipped model");
    model_of(&found.source, found.files)
}

/// Reads a model from its text.
#[track_caller]
pub fn model_of(source: &Arc<Source>, files: Arc<dyn Files>) -> Model<<Shipped as Policy>::Params> {
    let loaded = load::<<Shipped as Policy>::Params>(source, files, &[]);
    loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false))).0
}

pub fn secs(secs: f64) -> Span {
    Span::from_secs(secs).expect("a span")
}

pub fn hours(hours: f64) -> Span {
    secs(hours * 3600.0)
}

pub fn instant(secs_: f64) -> Instant {
    Instant::ZERO + secs(secs_)
}

/// The records of runs 0 to `runs`, in order.
pub fn records(setup: &Ready, runs: u64, horizon: Span) -> Vec<Record> {
    (0..runs).into_par_iter().map(|run| simulate(setup, run, horizon)).collect()
}

/// Records with what a probe of each run saw.
pub fn watched<T: Probe<Fact> + Send>(
    setup: &Ready,
    runs: u64,
    horizon: Span,
    probe: impl Fn() -> T + Sync,
) -> Vec<(Record, T)> {
    (0..runs).into_par_iter().map(|run| simulate_with(setup, run, horizon, probe())).collect()
}

/// What happens in the first hour of one run without random faults, whose steps come at times in seconds.
#[track_caller]
pub fn scripted(text: &str, steps: &[(f64, Action)], skips: bool) -> Vec<(Instant, Fact)> {
    let (mut model, _) = load::<<Shipped as Policy>::Params>(
        &Source::new("test.toml", text.to_owned()),
        Arc::new(NoFiles),
        &[],
    )
    .unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    model.quiet = true;
    model.script = steps.iter().map(|&(at, action)| ScriptStep { at: instant(at), action }).collect();
    simulate_with(&Setup::<Shipped>::new(model, 3, skips, false), 0, hours(1.0), Vec::new()).1
}

/// A host dies.
pub fn crash(node: NodeId) -> Action {
    Action::Fail { node, scope: Scope::Host, effect: Effect::Crash }
}

/// A host stands still.
pub fn pause(node: NodeId) -> Action {
    Action::Fail { node, scope: Scope::Host, effect: Effect::Pause }
}

/// Whatever is wrong with a host is over.
pub fn restore(node: NodeId) -> Action {
    Action::Restore { node, scope: Scope::Host }
}

/// Runs folded in order.
pub fn fold<'a>(setup: &Ready, horizon: Span, records: impl IntoIterator<Item = &'a Record>) -> Summary {
    let mut summary = Summary::new(setup, horizon);
    records.into_iter().for_each(|record| summary.add(record));
    summary
}

/// Simulates and folds.
pub fn summary(setup: &Ready, runs: u64, horizon: Span) -> Summary {
    fold(setup, horizon, &records(setup, runs, horizon))
}

/// A figure of the service by name.
#[track_caller]
pub fn figure(summary: &Summary, name: &str, confidence: f64) -> Figure {
    try_figure(summary, name, confidence).unwrap_or_else(|| panic!("no measure {name}"))
}

pub fn try_figure(summary: &Summary, name: &str, confidence: f64) -> Option<Figure> {
    summary.service(confidence).into_iter().find(|(m, _)| m.name == name).map(|(_, f)| f)
}

/// The estimate of a measure in one run.
pub fn of_run(setup: &Ready, horizon: Span, record: &Record, name: &str) -> f64 {
    figure(&fold(setup, horizon, [record]), name, 0.95).estimate
}

/// Tells a comparison and fails if the interval misses the expected value, or is too wide to have noticed an error.
#[track_caller]
pub fn within(what: &str, expected: f64, estimate: f64, low: f64, high: f64, notices: f64) {
    let width = 0.5 * (high - low) / expected.abs();
    println!(
        "{what}: expected {expected:.6e}, found {estimate:.6e} in [{low:.6e}, {high:.6e}], ±{:.2} %",
        100.0 * width
    );
    assert!(low <= expected && expected <= high, "{what}: {expected:e} is not in [{low:e}, {high:e}]");
    assert!(width <= notices, "{what}: an interval of ±{width} would not notice an error of {notices}");
}

/// As [`within`], for a figure.
#[track_caller]
pub fn figure_within(what: &str, expected: f64, figure: &Figure, notices: f64) {
    let (Some(low), Some(high)) = (figure.low, figure.high) else {
        panic!("{what}: nothing was seen ({figure:?})")
    };
    within(what, expected, figure.estimate, low, high, notices);
}

/// As [`within`], for the mean of values.
#[track_caller]
pub fn mean_within(
    what: &str,
    expected: f64,
    values: impl IntoIterator<Item = f64>,
    confidence: f64,
    notices: f64,
) {
    let mut moments = Moments::new();
    values.into_iter().for_each(|value| moments.push(value));
    let i = interval::mean(&moments, confidence);
    within(what, expected, i.estimate, i.low, i.high, notices);
}

/// As [`within`], for a probability.
#[track_caller]
pub fn share_within(what: &str, expected: f64, hits: usize, trials: usize, confidence: f64, notices: f64) {
    let i = interval::probability(hits as u64, trials as u64, confidence);
    within(what, expected, i.estimate, i.low, i.high, notices);
}
