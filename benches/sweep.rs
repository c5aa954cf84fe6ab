//! Whole runs of models: heartbeats one by one and skipped, every shipped model skipping, every detector skipping, a
//! pair's run as a clone, a small sweep.
//!
//! Throughput is in simulated years, so `elem/s` reads as simulated years a second.
//!
//! ```console
//! $ cargo bench --bench sweep
//! ```

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use failsim::engine::time::{Instant, SECS_PER_YEAR, Span};
use failsim::experiment::execute::{self, Options};
use failsim::experiment::plan::{Plan, Settings};
use failsim::input::{Files, NoFiles, Source};
use failsim::measure;
use failsim::model::load;
use failsim::model::shipped::{self, FileKind};
use failsim::policy::contract::Policy;
use failsim::policy::host::{self, Setup};
use failsim::policy::registry::Shipped;

fn years(years: f64) -> Span {
    Span::from_secs(years * SECS_PER_YEAR).expect("within the horizon")
}

fn setup(name: &str, skips: bool) -> Setup<Shipped> {
    let found = shipped::find(FileKind::Model, name, None).expect("a shipped model");
    setup_of(&found.source, found.files, skips)
}

fn setup_of(source: &Arc<Source>, files: Arc<dyn Files>, skips: bool) -> Setup<Shipped> {
    let loaded = load::<<Shipped as Policy>::Params>(source, files, &[]);
    let (model, _) = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    Setup::new(model, 1, skips, false)
}

/// The same pair, every beat an event and quiet time skipped. A stepwise year is 63 million beats: a hundredth of it.
fn heartbeats(c: &mut Criterion) {
    for (name, skips, length) in [("stepwise", false, 0.01), ("skipping", true, 100.0)] {
        let setup = setup("heartbeat-pair", skips);
        let mut group = c.benchmark_group("heartbeat-pair, simulated years");
        group.sample_size(10);
        // Throughput counts whole things: hundredths of a year stepwise are written as such.
        group.throughput(Throughput::Elements((length * 100.0) as u64));
        let mut run = 0;
        group.bench_function(format!("{name}, hundredths of a year"), |b| {
            b.iter(|| {
                run += 1;
                black_box(measure::simulate(&setup, run, years(length)).fingerprint)
            });
        });
        group.finish();
    }
}

/// Every shipped model with its policy, ledger and observers, skipping. How fast one is goes by how much happens in it:
/// its name has the events in a year.
fn skipping(c: &mut Criterion) {
    let mut group = c.benchmark_group("skipping, simulated years");
    group.sample_size(10);
    for name in shipped::names(FileKind::Model) {
        let setup = setup(name, true);
        let length = 50.0;
        let events = measure::simulate(&setup, 0, years(length)).events as f64 / length;
        group.throughput(Throughput::Elements(length as u64));
        let mut run = 0;
        group.bench_function(format!("{name}, {events:.0} events a year"), |b| {
            b.iter(|| {
                run += 1;
                black_box(measure::simulate(&setup, run, years(length)).fingerprint)
            });
        });
    }
    group.finish();
}

/// The pair of `heartbeat-pair` with each detector, one beat in a thousand lost, and with bursts of loss.
fn detectors(c: &mut Criterion) {
    let pair = include_str!("../models/heartbeat-pair.toml").replace("timeout = \"3.5s\"\n", "");
    let mut group = c.benchmark_group("detectors, simulated years");
    group.sample_size(10);
    for (name, put, years_long) in [
        ("time-out", "timeout = \"3.5s\"", 50),
        ("k missed", "missed = 3", 50),
        ("vrrp", "detector.vrrp = {}", 50),
        ("lease", "detector.lease.ttl = \"3.5s\"", 50),
        ("chen", "detector.chen.margin = \"2.5s\"", 50),
        ("phi-accrual", "detector.phi-accrual = {}", 50),
        ("m-of-n", "detector.m-of-n = { missing = 3, of = 5 }", 20),
        (
            "time-out over bursts",
            "timeout = \"3.5s\"\n[links.line.bursts]\ngood = \"10min\"\nbad = \"2s\"",
            2,
        ),
        ("m-of-n, clocks up to 100 ppm apart", "detector.m-of-n = { missing = 3, of = 5 }", 2),
    ] {
        // The table of the policy stands last.
        let clocks = if name.contains("ppm") { "50ppm" } else { "0ppm" };
        let pair = pair.replace("drift = \"0ppm\"", &format!("drift = \"{clocks}\""));
        let source = Source::new("pair.toml", format!("{pair}\n{put}\n"));
        let setup = setup_of(&source, Arc::new(NoFiles), true);
        group.throughput(Throughput::Elements(years_long));
        let mut run = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                run += 1;
                black_box(measure::simulate(&setup, run, years(years_long as f64)).fingerprint)
            });
        });
    }
    group.finish();
}

/// What a snapshot costs: world, agenda and streams of a server pair in mid-run.
fn clone(c: &mut Criterion) {
    let setup = setup("server-pair", true);
    let mut run = host::open(&setup, 0, ());
    run.run_until(Instant::ZERO + years(5.0), u64::MAX);
    c.bench_function("clone of a server pair's run", |b| b.iter(|| black_box(run.clone())));
}

fn sweep(c: &mut Criterion) {
    let found = shipped::find(FileKind::Experiment, "policies", None).expect("a shipped experiment");
    let settings = Settings { runs: Some(5), horizon: Some(years(1.0)), ..Settings::default() };
    let plan: Plan<Shipped> = match Plan::of_experiment(&found, settings) {
        Ok(plan) => plan,
        Err(error) => panic!("{error:?}"),
    };
    let mut group = c.benchmark_group("sweep, simulated years");
    group.sample_size(10);
    group.throughput(Throughput::Elements(plan.runs * (plan.points.len() * plan.policies.len()) as u64));
    for jobs in [1, 2] {
        group.bench_function(format!("policies, 5 runs of a year, {jobs} threads"), |b| {
            b.iter(|| {
                let cancel = AtomicBool::new(false);
                let options = Options {
                    jobs,
                    cancel: &cancel,
                    progress: &|_, _| {},
                    panicked: &|_, _, _| {},
                    timed: false,
                };
                black_box(execute::execute(&plan, &options).points.len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, heartbeats, skipping, detectors, clone, sweep);
criterion_main!(benches);
