//! What a copy holds is drawn when somebody asks, never stepped: the same law as simulating every pass and every write.
//!
//! Fixed seeds; tests of Kolmogorov and Smirnov and of chi-square, and intervals, at 10⁻³/30 each, fewer than thirty.

mod common;
#[path = "common/copies.rs"]
mod copies;

use common::*;
use copies::*;
use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::Instant;
use failsim::maths;
use failsim::policy::contract::Role;
use failsim::policy::facts::Fact;
use failsim::service::ledger::{Disposal, InFlight, Incident, Ledger, Part};
use failsim::service::replication::{Change, Copying, Level, Replication};
use failsim::stats::test::{chi_square_fit, chi_square_two, kolmogorov_smirnov, kolmogorov_smirnov_two};
use failsim::system::ids::{ClientId, LinkId, NodeId};
use failsim::system::spec::{Action, Classes, Direction, Effect, Scope};
use rayon::prelude::*;

const EACH: f64 = 1e-3 / 30.0;

/// As if each pass were stepped.
#[test]
fn passes_hold_what_stepped_passes_hold() {
    for (interval, pass) in passes() {
        let [a, b] = [true, false].map(|stepped| pass_ages(interval, &pass, stepped, 20_000));
        let test = kolmogorov_smirnov_two(&a, &b);
        assert!(test.p_value > EACH, "interval {interval}, {pass:?}: {test:?}");
        assert!(a.iter().any(|x| *x > interval), "{pass:?}: some pass was still under way");
    }
}

/// The book by itself: a node dies with writes under way, another takes over, and what only the first one has is given
/// up. Their number is Poisson with rate × mean lag, and the rest is kept; the oldest is no older than x if none above
/// x is under way, P = exp(−rate ∫ₓ P(lag > y) dy). At a size where half a per cent of the mean shows.
#[test]
fn writes_under_way_are_as_many_and_as_old_as_theory_says() {
    let text = "title = \"book\"\n[nodes.a]\n[nodes.b]\n[groups.g]\nnodes = [\"a\", \"b\"]\n\
                [groups.g.policy.active-passive]\n[clients.c]\nto = \"g\"\nwrites = \"4/s\"\n";
    let setup = ready(text, &[], 1);
    let (clients, users) = (&setup.model.clients, ClientId(0));
    let how = Disposal { windback: false, merge: None };
    let exponential = Law::exponential(0.75).unwrap();
    let uniform = Law::uniform(0.0, 10.0).unwrap();
    for (lag, slots) in [(&exponential, 1), (&uniform, 2)] {
        let one = |run: u64| {
            let stream = StreamKey::new(43, "book", "test").open(run);
            let mut book = Ledger::new(2, 1, Part::of(0, slots), false, stream);
            let crash = instant(100.0);
            book.activate(0, None, Instant::ZERO);
            book.open(0, users, Instant::ZERO);
            let flight = InFlight { lag: lag.clone(), until: crash, since: Instant::ZERO };
            book.copied(0, 1, crash, Some(flight));
            book.close(0, users, crash);
            let incident = Some(Incident { at: crash, number: 1, in_class: true });
            book.activate(1, incident, crash + secs(3.0));
            let losses = book.adopt(0, 1, crash + secs(9.0), how, clients);
            let kept = book.finish(Some(1), crash + secs(9.0), how, clients).0.kept;
            losses.first().map_or((kept, 0, 0.0), |loss| (kept, loss.count, loss.age.as_secs()))
        };
        let seen: Vec<(u64, u64, f64)> = (0..600_000).into_par_iter().map(one).collect();
        let rate = 4.0 / f64::from(slots);
        let counts = seen.iter().map(|(_, count, _)| *count as f64);
        mean_within(&format!("{lag:?}"), rate * lag.mean(), counts, 1.0 - EACH, 0.005);
        let kept = seen.iter().map(|(kept, ..)| *kept as f64);
        mean_within(&format!("{lag:?}: kept"), rate * (100.0 - lag.mean()), kept, 1.0 - EACH, 0.001);
        // Above the age x.
        let above = |x: f64| rate * (lag.mean() - lag.tail_integral(x));
        let none = maths::exp(-above(0.0));
        let cdf = |x: f64| (maths::exp(-above(x)) - none) / (1.0 - none);
        let ages: Vec<f64> = seen.iter().filter(|seen| seen.1 > 0).map(|seen| seen.2).collect();
        let test = kolmogorov_smirnov(&ages, cdf);
        assert!(test.p_value > EACH, "{lag:?}: {test:?}");
    }
}

#[test]
fn counts_of_lost_writes_have_the_law_of_single_ones() {
    for ((policy, mean), notices) in LOSSES.into_iter().zip([0.05, 0.05, 0.03]) {
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

/// A connection that carries so much and no more, write by write: each goes when the one before has gone and the way is
/// open. What piled up during interruptions follows as if it were a fluid, to within a write.
#[test]
fn a_backlog_follows_as_if_each_write_were_sent() {
    const WRITE: f64 = 0.01;
    // Until when sending takes that begins at `from` and lasts `work` without the interruptions.
    let sent = |from: f64, work: f64, stalls: &[(f64, f64)]| {
        let (mut at, mut left) = (from, work);
        for &(begins, ends) in stalls.iter().filter(|(_, ends)| *ends > from) {
            if at + left <= begins {
                break;
            }
            left -= (begins - at).max(0.0);
            at = ends.max(at);
        }
        at + left
    };
    let mut behind = 0;
    for (speed, run) in
        [0.5, 1.0, 1.3, 4.0].into_iter().flat_map(|speed| (0..25).map(move |run| (speed, run)))
    {
        let mut fate = StreamKey::new(53, "stalls", "test").open(run);
        let mut stalls = Vec::new();
        let mut at = 0.0;
        for _ in 0..4 {
            let begins = at + 40.0 * fate.uniform();
            at = begins + 30.0 * fate.uniform();
            stalls.push((begins, at));
        }
        let asked = at + 60.0 * fate.uniform();
        let copying = Copying {
            level: Level::Async { lag: Law::fixed(0.0).unwrap() },
            first: Law::fixed(1.0).unwrap(),
            patience: secs(60.0),
            speed: Some(speed),
            replay: None,
        };
        let mut copy = Replication::new(0, 1, copying, StreamKey::new(53, "copy", "test").open(run));
        copy.begin_in_step(Instant::ZERO);
        for &(begins, ends) in &stalls {
            assert_eq!(copy.update(instant(begins), true, false), Change::Stalls);
            assert_eq!(copy.update(instant(ends), true, true), Change::Resumes);
        }
        let held = copy.position(instant(asked)).upto;
        let (mut free, mut number) = (0.0, 0.0);
        let missing = loop {
            let written = WRITE * number;
            free = sent(written.max(free), WRITE / speed, &stalls);
            if free > asked || written > asked {
                break written.min(asked);
            }
            number += 1.0;
        };
        let gap = (held - Instant::ZERO).as_secs() - missing;
        assert!(
            gap.abs() <= 2.0 * WRITE,
            "speed {speed}, run {run}: {held:?} and {missing} at {asked}, {stalls:?}"
        );
        behind += usize::from(asked - missing > 1.0);
    }
    assert!((30..100).contains(&behind), "in {behind} of 100 cases it was still behind");
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

/// C has no work, and holds the only copy of A's part; then it hears A no longer, though writes reach it still.
fn spare_that_takes(more: &str, steps: &[(f64, Action)]) -> Vec<(Instant, Fact)> {
    let line = |a, b| format!("[links.{a}{b}]\nbetween = [\"{a}\", \"{b}\"]\nlatency = \"1ms\"\n");
    let text = format!(
        "title = \"a spare\"\n[nodes.a]\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n[nodes.c]\nlike = \"a\"\n{}{}{}\
         [groups.g]\nnodes = [\"a\", \"b\", \"c\"]\n[clients.k]\nto = \"g\"\nwrites = \"20/s\"\narrivals = \"fixed\"\n\
         [groups.g.policy.active-passive]\nactive = 2\nheartbeat = \"1s\"\ntimeout = \"5s\"\ntakeover = \"2s\"\n\
         replication = \"sync\"\nfencing = \"on\"\nfence_delay = \"8s\"\n{more}",
        line("a", "b"),
        line("a", "c"),
        line("b", "c")
    );
    scripted(&text, steps, true)
}

#[test]
fn whose_copy_is_about_to_take_its_part_waits() {
    let (a, c) = (NodeId(0), NodeId(2));
    let deaf = Action::Cut { link: LinkId(1), classes: Classes::HEARTBEAT, direction: Direction::Both };
    let facts = spare_that_takes("", &[(100.0, deaf)]);
    let begins = facts.iter().find(|(_, fact)| match fact {
        Fact::Stance { node, stance } => *node == c && stance.role == Role::TakingOver,
        _ => false,
    });
    let begins = begins.expect("c suspects a").0;
    // A has 8 s left until it is off. Alone it would take 10 writes in each of them, and all of them would be lost.
    let lost = facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Lost { loss, .. } => Some(loss.count),
        _ => None,
    });
    assert_eq!(lost.sum::<u64>(), 0, "nothing is acknowledged without a copy");
    let changes = facts.iter().filter_map(|&(at, fact)| match fact {
        Fact::Replication { from, to, change } if (from, to) == (a, c) => Some((at, change)),
        _ => None,
    });
    assert_eq!(changes.clone().find(|(at, _)| *at >= begins), Some((begins, Change::Stalls)));
    assert!(facts.iter().any(|(_, fact)| match fact {
        Fact::Stance { node, stance } => *node == c && stance.accepts == Some(0),
        _ => false,
    }));
}

#[test]
fn whose_copy_is_about_to_take_another_part_goes_on_alone() {
    // B dies, and C is needed for its part: A loses its copy and waits for nobody.
    let b = NodeId(1);
    let crash = Action::Fail { node: b, scope: Scope::Host, effect: Effect::Crash };
    let facts = spare_that_takes("", &[(100.0, crash)]);
    let changes = facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Replication { from: NodeId(0), to: NodeId(2), change } => Some(*change),
        _ => None,
    });
    assert_eq!(changes.collect::<Vec<_>>(), [Change::Breaks]);
}
