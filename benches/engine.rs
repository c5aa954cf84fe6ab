//! The engine beside hand-tight loops: three models that need every event, and what a whole run costs as a clone.
//!
//! ```console
//! $ cargo bench --bench engine             # Criterion's times for each, then the ratios
//! $ cargo bench --bench engine -- ratios   # the ratios alone
//! ```
//!
//! The ratio of two rates is the figure. Both sides of it are timed in turn, in short rounds, by the processor time of
//! the thread, and the best round of each counts: what else the machine does lengthens rounds and never shortens one.

#[allow(unreachable_pub)] // benches/peers uses them too
mod models;

use std::hint::black_box;
use std::time::Duration;

use cpu_time::ThreadTime;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use failsim::engine::time::{Instant, Span};

use models::{heartbeat, hold, queue};

const CUSTOMERS: u64 = 50_000;
const HOLDS: u64 = 50_000;
const PENDING: [u32; 3] = [16, 1_000, 100_000];
const WATCHED: Span = Span::from_whole_secs(10_000);

fn models(c: &mut Criterion) {
    let mut group = c.benchmark_group("M/M/1");
    group.throughput(Throughput::Elements(CUSTOMERS));
    group.bench_function("engine", |b| b.iter(|| queue::engine(CUSTOMERS)));
    group.bench_function("hand-tight", |b| b.iter(|| queue::by_hand(CUSTOMERS)));
    group.finish();

    let mut group = c.benchmark_group("hold");
    group.throughput(Throughput::Elements(HOLDS));
    for pending in PENDING {
        group.bench_function(BenchmarkId::new("engine", pending), |b| {
            let mut simulation = hold::Hold::simulation(pending);
            b.iter(|| simulation.run_until(Instant::NEVER, HOLDS));
        });
        group.bench_function(BenchmarkId::new("hand-tight", pending), |b| {
            let mut by_hand = hold::ByHand::new(pending);
            b.iter(|| by_hand.run(HOLDS));
        });
    }
    group.finish();

    let mut group = c.benchmark_group("heartbeat pair");
    group.throughput(Throughput::Elements(heartbeat::engine(WATCHED).1));
    group.bench_function("engine", |b| b.iter(|| heartbeat::engine(WATCHED)));
    group.bench_function("hand-tight", |b| b.iter(|| heartbeat::by_hand(WATCHED)));
    group.finish();
}

/// A snapshot of a whole run: world, agenda, streams.
fn clone(c: &mut Criterion) {
    let mut queue = queue::Queue::simulation();
    queue.run_until(Instant::NEVER, CUSTOMERS);
    let mut pair = heartbeat::Pair::simulation();
    pair.run_until(Instant::ZERO + WATCHED, u64::MAX);
    let mut group = c.benchmark_group("clone");
    group.bench_function("M/M/1", |b| b.iter(|| black_box(queue.clone())));
    group.bench_function("heartbeat pair", |b| b.iter(|| black_box(pair.clone())));
    group.finish();
}

criterion_group!(benches, models, clone);

/// The best of many short rounds of each, in turn.
fn best_of_each<A, B>(mut engine: impl FnMut() -> A, mut by_hand: impl FnMut() -> B) -> [Duration; 2] {
    const ROUNDS: usize = 300;
    let mut best = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        let start = ThreadTime::now();
        black_box(engine());
        let middle = ThreadTime::now();
        black_box(by_hand());
        best = [best[0].min(middle.duration_since(start)), best[1].min(middle.elapsed())];
    }
    best
}

fn print_ratio(model: &str, events: u64, [engine, by_hand]: [Duration; 2]) {
    let rate = |time: Duration| events as f64 / time.as_secs_f64() / 1e6;
    println!(
        "{model:<16}{:>12.1}{:>16.1}{:>10.2}",
        rate(engine),
        rate(by_hand),
        by_hand.as_secs_f64() / engine.as_secs_f64()
    );
}

/// Rates in millions of events a second, and the engine's as a share of the hand-tight loop's.
fn ratios() {
    println!("\n{:<16}{:>12}{:>16}{:>10}", "model", "engine M/s", "hand-tight M/s", "ratio");
    assert_eq!(queue::engine(CUSTOMERS), queue::by_hand(CUSTOMERS), "one model, two forms");
    let best = best_of_each(|| queue::engine(CUSTOMERS), || queue::by_hand(CUSTOMERS));
    print_ratio("M/M/1", CUSTOMERS, best);
    for pending in PENDING {
        assert_eq!(hold::engine(pending, HOLDS), hold::by_hand(pending, HOLDS), "one model, two forms");
        let (mut simulation, mut by_hand) = (hold::Hold::simulation(pending), hold::ByHand::new(pending));
        let best = best_of_each(|| simulation.run_until(Instant::NEVER, HOLDS), || by_hand.run(HOLDS));
        assert_eq!(simulation.world.sum(), by_hand.sum(), "one model, two forms");
        print_ratio(&format!("hold, {pending}"), HOLDS, best);
    }
    let long = WATCHED.times(1_000);
    assert_eq!(heartbeat::engine(long), heartbeat::by_hand(long), "one model, two forms");
    let best = best_of_each(|| heartbeat::engine(WATCHED), || heartbeat::by_hand(WATCHED));
    print_ratio("heartbeat pair", heartbeat::engine(WATCHED).1, best);
}

fn main() {
    if std::env::args().all(|arg| arg != "ratios") {
        benches();
        Criterion::default().configure_from_args().final_summary();
    }
    ratios();
}
