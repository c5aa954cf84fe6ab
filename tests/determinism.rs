//! A run is a pure function of model, seed and run index: the same again, from any snapshot, whoever watches, in
//! debug and release builds. (Whatever else the model holds: `strangers.rs`.)

mod common;
#[path = "common/models.rs"]
#[allow(unreachable_pub)]
mod models;

use common::*;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::Instant;
use failsim::measure::{Replication, Summary, simulate};
use failsim::model::shipped::{self, FileKind};
use failsim::policy::facts::Fact;
use failsim::policy::host::{self, Setup};
use failsim::policy::registry::Shipped;
use failsim::system::ids::GroupId;
use rayon::prelude::*;

const ALL: [(&str, &str); 3] = [("scada", models::SCADA), ("spare", models::SPARE), ("web", models::WEB)];
/// Hours of a run: skipping, and stepwise.
const LONG: f64 = 240.0;
const SHORT: f64 = 8.0;

/// The fingerprints of run 0 of each model under seed 1, over [`LONG`] skipping and
/// [`SHORT`] stepwise. They are the same in
/// debug and release builds and on every machine. A change here is a change of behaviour: say which in the commit.
const PINNED: [(&str, u128, u128); 3] = [
    ("scada", 0xaca35395c5f52ba02286362b72080a44, 0x3c38468a981a6d208e0d37eb0a1e9631),
    ("spare", 0x7f458cb566caeddc27d18246d05f07de, 0xe7e3ae3527bce7341adf2c456e1691d3),
    ("web", 0xf869f6399f5582db6e5641f76f59508f, 0x6e61964359d0530d7d45171741a063a6),
];

#[test]
fn fingerprints_are_as_pinned() {
    let found: Vec<_> = ALL
        .iter()
        .map(|(name, text)| {
            let of = |skips, length| simulate(&ready_as(text, &[], 1, skips), 0, hours(length)).fingerprint;
            (*name, of(true, LONG), of(false, SHORT))
        })
        .collect();
    let shown: String =
        found.iter().map(|(n, a, b)| format!("    (\"{n}\", {a:#034x}, {b:#034x}),\n")).collect();
    assert_eq!(found, PINNED, "now:\n{shown}");
}

#[test]
fn the_same_again() {
    for (name, text) in ALL {
        let one = ready(text, &[], 5);
        let other = ready(text, &[], 5);
        let forward: Vec<_> = (0..8).map(|run| simulate(&one, run, hours(LONG))).collect();
        let backward: Vec<_> = (0..8).rev().map(|run| simulate(&other, run, hours(LONG))).collect();
        for (a, b) in forward.iter().zip(backward.iter().rev()) {
            assert_eq!(a, b, "{name}");
        }
        assert_ne!(forward[0].fingerprint, forward[1].fingerprint, "{name}: runs differ");
        let reseeded = simulate(&ready(text, &[], 6), 0, hours(LONG));
        assert_ne!(forward[0].fingerprint, reseeded.fingerprint, "{name}: seeds differ");
    }
}

#[test]
fn a_clone_goes_on_to_the_same_end() {
    for (name, text) in ALL {
        for (skips, length) in [(true, LONG), (false, SHORT)] {
            let setup = ready_as(text, &[], 9, skips);
            let end = Instant::ZERO + hours(length);
            for run in 0..4 {
                let mut original = host::open(&setup, run, Vec::<(Instant, Fact)>::new());
                original.run_until(instant(length * 1800.0 + 17.0 * run as f64), u64::MAX);
                let mut clone = original.clone();
                // The clone first: it must not take anything from the original.
                clone.run_until(end, u64::MAX);
                clone.world.finish(end);
                original.run_until(end, u64::MAX);
                original.world.finish(end);
                assert!(original.world.probe.len() > 30, "{name}: something happened");
                assert_eq!(original.world.probe, clone.world.probe, "{name}, run {run}");
                assert_eq!(original.world.fingerprint(), clone.world.fingerprint(), "{name}, run {run}");
                assert_eq!(original.events(), clone.events(), "{name}, run {run}");
                let whole = simulate(&setup, run, hours(length));
                assert_eq!(whole.fingerprint, original.world.fingerprint().value(), "{name}, run {run}");
            }
        }
    }
}

#[test]
fn who_watches_changes_nothing() {
    for (name, text) in ALL {
        let setup = ready(text, &[], 3);
        let end = Instant::ZERO + hours(LONG);
        for run in 0..4 {
            let plain = simulate(&setup, run, hours(LONG));
            let mut poked = host::open(&setup, run, ((), Vec::<(Instant, Fact)>::new()));
            poked.world.keep_check_points();
            let mut moments = StreamKey::new(1, "poke", name).open(run);
            let mut at = 0.0;
            let mut read = 0;
            while at < LONG * 3600.0 {
                at += -20_000.0 * failsim::maths::ln(moments.uniform());
                poked.run_until(instant(at).min(end), u64::MAX);
                // Whatever there is to read.
                let twin = poked.clone();
                read += format!("{:?}", poked.world).len();
                read += poked.world.fingerprint().count() as usize;
                read += poked.world.check_points().map_or(0, |points| points.points().len());
                for group in 0..setup.model.groups.len() {
                    read += poked.world.group_fingerprint(GroupId::from(group)).count() as usize;
                }
                drop(twin);
            }
            poked.world.finish(end);
            assert!(read > 0);
            assert_eq!(plain.fingerprint, poked.world.fingerprint().value(), "{name}, run {run}");
            assert_eq!(plain.events, poked.events(), "{name}, run {run}");
        }
    }
}

#[test]
fn blocks_fold_to_the_whole() {
    for (name, text) in ALL {
        let setup = ready(text, &[], 2);
        let horizon = hours(50.0);
        let records = records(&setup, 100, horizon);
        let whole = fold(&setup, horizon, &records);
        let in_blocks = |size: usize, threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let blocks: Vec<_> = records.chunks(size).collect();
            let parts: Vec<_> =
                pool.install(|| blocks.into_par_iter().map(|block| fold(&setup, horizon, block)).collect());
            let mut summary = Summary::new(&setup, horizon);
            parts.iter().for_each(|part| summary.merge(part));
            summary
        };
        for size in [1, 7, 25, 100] {
            let (one, three) = (in_blocks(size, 1), in_blocks(size, 3));
            // The same blocks: the same bits.
            assert_eq!(one.service(0.95).len(), whole.service(0.95).len());
            for ((measure, a), (_, b)) in one.service(0.95).iter().zip(&three.service(0.95)) {
                assert_eq!(a, b, "{name}: {}", measure.name);
            }
            assert_eq!(one.fingerprint(), three.fingerprint(), "{name}");
            assert_eq!((one.runs(), one.first_fingerprint()), (100, whole.first_fingerprint()), "{name}");
            // Other blocks: the same but for rounding.
            let near = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
            let ends = |x: Option<f64>| x.unwrap_or(f64::NEG_INFINITY);
            for ((measure, a), (_, b)) in one.service(0.95).iter().zip(&whole.service(0.95)) {
                let same = near(a.estimate, b.estimate)
                    && near(ends(a.low), ends(b.low))
                    && near(ends(a.high), ends(b.high));
                assert!(same && a.n == b.n && a.zero == b.zero, "{name}: {}: {a:?} {b:?}", measure.name);
            }
        }
    }
}

/// Two nodes whose clocks agree, so that each run's watches are those of the last; beats may come after any time, so
/// that what an ordinary one is depends on where beats and ticks lie.
const WATCHERS: &str = r#"
title = "two watchers"
[nodes.a]
start = { uniform = ["0s", "20s"] }
clock.drift = "0ppm"
failures.crash = { mttf = "20m", repair = { exponential = "30s" } }
[nodes.b]
like = "a"
[links.line]
between = ["a", "b"]
latency = { lognormal = { median = "20ms", sigma = 1.5 } }
loss = "2%"
failures.cut = { mttf = "10m", duration = { exponential = "5s" } }
[links.detour]
between = ["a", "b"]
latency = "211ms"
[paths.all]
links = ["line", "detour"]
use = "failover"
[groups.g]
nodes = ["a", "b"]
[groups.g.policy.active-passive]
heartbeat = "1s"
timeout = "3s"
"#;

/// What a watch has worked out goes over to the next run, and with it nothing that run had.
#[test]
fn a_watch_in_the_room_of_another_is_the_same() {
    for detector in [
        "timeout=3s",
        "missed=2",
        "detector={ m-of-n = { missing = 2, of = 3 } }",
        "detector={ m-of-n = { missing = 3, of = 5 } }",
        "detector={ chen = { margin = \"1.5s\", window = 10 } }",
        "detector={ phi-accrual = { window = 20 } }",
    ] {
        let policy = format!("groups.g.policy.active-passive.{detector}");
        let base = "groups.g.policy.active-passive={ heartbeat = \"1s\" }";
        let setup = ready(WATCHERS, &[base, &policy], 5);
        let mut room = Replication::open(&setup, 0, hours(2.0), ());
        room.step();
        room.close_for_next();
        for run in 1..60 {
            room.open_next(run);
            room.step();
            let again = room.close_for_next();
            assert!(again == simulate(&setup, run, hours(2.0)), "{detector}, run {run}");
        }
    }
}

/// What a run leaves behind for the next one in its room is room, and what does not depend on the run.
#[test]
fn a_run_in_the_room_of_another_is_the_same() {
    for name in shipped::names(FileKind::Model) {
        for (skips, requests, horizon) in
            [(true, false, hours(200_000.0)), (false, false, hours(20.0)), (true, true, secs(60.0))]
        {
            let setup = Setup::<Shipped>::new(shipped_model(name), 5, skips, requests);
            let mut room = Replication::open(&setup, 8, horizon, ());
            room.step();
            room.close_for_next();
            for run in [3, 4] {
                room.open_next(run);
                room.step();
                let again = room.close_for_next();
                assert!(again == simulate(&setup, run, horizon), "{name} run {run}, skips {skips}");
            }
        }
    }
}
