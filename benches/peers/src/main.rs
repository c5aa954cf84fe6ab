//! The engine beside other engines for Rust, on the models of `benches/models`: same draws, same outcome, checked
//! before anything is timed. A package of its own, so that nobody who builds failsim builds its peers.
//!
//! ```console
//! $ cargo run --release --manifest-path benches/peers/Cargo.toml
//! ```
//!
//! Each engine runs in the form that costs it least, so the ratios are lower limits of what a user would see. The
//! engines are timed in turn, in short rounds, by the processor time of the thread; the best round of each counts.

mod engines;
mod models;
#[path = "../../models/mod.rs"]
mod shared;

use std::hint::black_box;
use std::time::Duration;

use cpu_time::ThreadTime;
use engines::Until;
use failsim::engine::time::Span;
use shared::{heartbeat, hold, queue};

const EVENTS: u64 = 50_000;
const WATCHED: Span = Span::from_whole_secs(10_000);
const ROUNDS: usize = 40;

/// An engine's name and what runs the model on it.
type Contestant<'a> = (&'a str, Box<dyn Fn() -> Vec<u64> + 'a>);

fn compare(model: &str, events: u64, contestants: &[Contestant<'_>]) {
    let expected = contestants[0].1();
    for (name, run) in contestants {
        assert_eq!(run(), expected, "{model} on {name} is the same model");
    }
    let mut best = vec![Duration::MAX; contestants.len()];
    for _ in 0..ROUNDS {
        for (best, (_, run)) in best.iter_mut().zip(contestants) {
            let start = ThreadTime::now();
            black_box(run());
            *best = start.elapsed().min(*best);
        }
    }
    for ((name, _), time) in contestants.iter().zip(&best) {
        let rate = events as f64 / time.as_secs_f64() / 1e6;
        println!("{model:<16}{name:<14}{rate:>10.2}{:>10.1}", time.as_secs_f64() / best[0].as_secs_f64());
    }
}

fn main() {
    println!("{:<16}{:<14}{:>10}{:>10}", "model", "engine", "M events/s", "× failsim");
    let until = Until::Events(EVENTS);
    let m = || models::Queue::new();
    compare(
        "M/M/1",
        EVENTS,
        &[
            ("failsim", Box::new(|| vec![queue::engine(EVENTS).1.into()])),
            ("hand-tight", Box::new(|| vec![queue::by_hand(EVENTS).1.into()])),
            ("SimCore", Box::new(|| engines::simcore(m(), until))),
            ("simrs", Box::new(|| engines::simrs(m(), until))),
            ("NeXosim", Box::new(|| engines::nexosim_queue::run(m(), until))),
        ],
    );
    for pending in [16, 1_000] {
        let m = || models::Hold::new(pending);
        compare(
            &format!("hold, {pending}"),
            EVENTS,
            &[
                ("failsim", Box::new(|| vec![hold::engine(pending, EVENTS)])),
                ("hand-tight", Box::new(|| vec![hold::by_hand(pending, EVENTS)])),
                ("SimCore", Box::new(|| engines::simcore(m(), until))),
                ("simrs", Box::new(|| engines::simrs(m(), until))),
                ("NeXosim", Box::new(|| engines::nexosim_hold::run(m(), until))),
            ],
        );
    }
    let tally = |t: heartbeat::Tally| vec![t.heard, t.detections, t.mistakes, t.failures];
    let (until, m) = (Until::Time(WATCHED), || models::Pair::new());
    compare(
        "heartbeat pair",
        heartbeat::engine(WATCHED).1,
        &[
            ("failsim", Box::new(|| tally(heartbeat::engine(WATCHED).0))),
            ("hand-tight", Box::new(|| tally(heartbeat::by_hand(WATCHED).0))),
            ("SimCore", Box::new(|| engines::simcore(m(), until))),
            ("simrs", Box::new(|| engines::simrs(m(), until))),
            ("NeXosim", Box::new(|| engines::nexosim_pair::run(m(), until))),
        ],
    );
}
