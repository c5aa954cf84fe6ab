//! What a copy holds is drawn when somebody asks, never stepped: the same law as simulating every pass and every write.
//!
//! The reference steps here, in the test: each pass begins, takes its time, and counts if it is complete. And it steps
//! in request fidelity, where each write is an event and is under way for its own time. Fixed seeds; tests of
//! Kolmogorov and Smirnov and of chi-square at 10⁻³/10 each, fewer than ten.

mod common;

use common::*;
use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::{Instant, Span};
use failsim::maths;
use failsim::measure::simulate_with;
use failsim::policy::facts::Fact;
use failsim::service::replication::{Change, Copying, Level, Replication};
use failsim::stats::test::{chi_square_fit, chi_square_two, kolmogorov_smirnov_two};
use failsim::system::ids::{LinkId, NodeId};
use failsim::system::spec::{Action, Classes, Direction, Effect, Scope, ScriptStep};
use rayon::prelude::*;

const EACH: f64 = 1e-3 / 10.0;

/// The age of what a copy by passes holds when its source crashes at a random instant: as if each pass were stepped.
#[test]
fn passes_hold_what_stepped_passes_hold() {
    for (interval, pass) in [
        (5.0, Law::uniform(1.0, 3.0).unwrap()),
        (5.0, Law::exponential(2.0).unwrap()),
        (5.0, Law::lognormal_median(4.0, 0.5).unwrap()),
    ] {
        let age = |run: u64, stepped: bool| -> f64 {
            let form = if stepped { "stepped" } else { "asked" };
            let mut fate = StreamKey::new(41, "fate", form).open(run);
            let crash = instant(2_000.0 + 500.0 * fate.uniform());
            let step = secs(interval);
            if stepped {
                let (mut begins, mut held) = (Instant::ZERO + step.scaled(fate.uniform()), Instant::ZERO);
                while begins < crash {
                    let takes = pass.sample(fate.uniform());
                    // One that is not complete when the next begins is cut off.
                    if takes <= step && begins + takes <= crash {
                        held = begins;
                    }
                    begins = begins + step;
                }
                return (crash - held).as_secs();
            }
            let copying = Copying {
                level: Level::Passes { interval: step, pass: pass.clone(), to_store: false },
                first: Law::fixed(1.0).unwrap(),
                patience: Span::ZERO,
                speed: None,
                replay: None,
            };
            let mut copy = Replication::new(0, 1, copying, StreamKey::new(41, "copy", form).open(run));
            let connected = Instant::ZERO + step.scaled(fate.uniform());
            copy.update(connected, true, true);
            copy.update(connected + secs(1.0), true, true);
            let held = copy.stop(crash).expect("in step").upto;
            (crash - held).as_secs()
        };
        let (a, b): (Vec<_>, Vec<_>) = (0..20_000).map(|run| (age(run, true), age(run, false))).unzip();
        let test = kolmogorov_smirnov_two(&a, &b);
        assert!(test.p_value > EACH, "interval {interval}, {pass:?}: {test:?}");
        assert!(a.iter().any(|x| *x > interval), "{pass:?}: some pass was still under way");
    }
}

/// Writes lost with a crash of the active node, by incident: drawn as a count, and one by one.
fn lost_per_incident(policy: &str, requests: bool, runs: u64) -> Vec<u64> {
    let text = format!(
        "title = \"losses\"\n[nodes.a]\nstart = \"0s\"\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n[groups.g]\n\
         nodes = [\"a\", \"b\"]\n[groups.g.policy.{policy}\n[clients.c]\nto = \"g\"\nwrites = \"4/s\"\n"
    );
    let mut setup = ready(&text, &[], if requests { 8 } else { 7 });
    setup.requests = requests;
    let (scope, effect) = (Scope::Host, Effect::Crash);
    setup.model.script =
        vec![ScriptStep { at: instant(300.0), action: Action::Fail { node: NodeId(0), scope, effect } }];
    let lost = |facts: Vec<(Instant, Fact)>| {
        let counts =
            facts.iter().map(|(_, fact)| if let Fact::Lost { loss, .. } = fact { loss.count } else { 0 });
        counts.sum()
    };
    let one = |run| lost(simulate_with(&setup, run, secs(400.0), Vec::new()).1);
    (0..runs).into_par_iter().map(one).collect()
}

#[test]
fn counts_of_lost_writes_have_the_law_of_single_ones() {
    for (policy, mean, notices) in [
        // M/G/∞: rate × mean lag, whatever its law.
        (
            "active-passive]\nheartbeat = \"1s\"\ntimeout = \"3s\"\nlag = { exponential = \"500ms\" }",
            2.0,
            0.05,
        ),
        (
            "active-passive]\nheartbeat = \"1s\"\ntimeout = \"3s\"\nlag = { uniform = [\"0s\", \"2s\"] }",
            4.0,
            0.05,
        ),
        // A pass of 1 s every 5 s: from 1 to 6 s, 3.5 s in the mean.
        (
            "hot-standby]\ntransfer_interval = \"5s\"\npass_time = { fixed = \"1s\" }\ninterleave = 1",
            14.0,
            0.03,
        ),
    ] {
        let [drawn, single] = [false, true].map(|requests| lost_per_incident(policy, requests, 6000));
        for counts in [&drawn, &single] {
            mean_within(policy, mean, counts.iter().map(|count| *count as f64), 1.0 - EACH, notices);
        }
        let test = chi_square_two(&drawn, &single, 20.0);
        assert!(test.p_value > EACH, "{policy}: {test:?}");
        if policy.starts_with("active-passive") {
            let longest = *drawn.iter().max().expect("runs");
            for counts in [&drawn, &single] {
                let observed: Vec<u64> = (0..=longest)
                    .map(|k| counts.iter().filter(|count| **count == k).count() as u64)
                    .collect();
                let all = counts.len() as f64;
                // Cells above are merged into the first that is expected to hold few.
                let end = (0..longest).find(|k| all * maths::poisson_sf(mean, *k) < 20.0).unwrap_or(longest);
                let (head, tail) = observed.split_at(end as usize + 1);
                let observed = [head, &[tail.iter().sum()]].concat();
                let mut expected: Vec<f64> = (0..=end).map(|k| all * maths::poisson_pmf(mean, k)).collect();
                expected.push(all * maths::poisson_sf(mean, end));
                let test = chi_square_fit(&observed, &expected, 0);
                assert!(test.p_value > EACH, "{policy}: {test:?}, {observed:?}, {expected:?}");
            }
        }
    }
}

/// B takes A's part during a cut, and C, which had the other one, dies. A hears B: it gives its part up and takes C's in
/// the same moment, and is a source of that from then on.
#[test]
fn a_part_that_follows_another_at_once_is_copied_at_once() {
    let text = "title = \"parts\"\n[nodes.a]\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n[nodes.c]\nlike = \"a\"\n\
                [links.ab]\nbetween = [\"a\", \"b\"]\n[groups.g]\nnodes = [\"a\", \"c\", \"b\"]\n\
                [groups.g.policy.active-passive]\nactive = 2\nheartbeat = \"1s\"\ntimeout = \"5s\"\n\
                takeover = \"0s\"\nreplication = \"backup\"\n";
    let [a, c] = [NodeId(0), NodeId(2)];
    let cut = Action::Cut { link: LinkId(0), classes: Classes::ALL, direction: Direction::Both };
    let crash = Action::Fail { node: c, scope: Scope::Host, effect: Effect::Crash };
    let steps = [(100.0, cut), (120.0, crash), (140.0, Action::Heal { link: LinkId(0) })];
    let facts = scripted(text, &steps, true);
    let takes = facts.iter().find_map(|(at, fact)| match fact {
        Fact::Stance { node, stance } if *node == a && stance.accepts == Some(1) => Some(*at),
        _ => None,
    });
    let mut copies = facts.iter().filter_map(|(at, fact)| match fact {
        Fact::Replication { from, change: Change::Begins, .. } if *from == a => Some(*at),
        _ => None,
    });
    assert_eq!(copies.next_back(), takes);
    assert!(takes.is_some_and(|at| at >= instant(140.0)));
}
