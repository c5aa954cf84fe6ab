//! Pauses at exact times. What one does to a node's monotonic clock (`timers_after_pause`): it runs on, and whatever is
//! over comes first when the node goes on, or it stands still, and everything goes on with what it had left. And one upon
//! another.

mod common;

use common::*;
use failsim::engine::time::Instant;
use failsim::policy::contract::Sense;
use failsim::policy::facts::Fact;
use failsim::system::ids::NodeId;
use failsim::system::spec::{Action, Effect, Scope};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

/// A pair whose clocks agree and which takes 30 s to take over.
fn pair(after: &str, detector: &str) -> String {
    format!(
        "title = \"paused\"\n[nodes.a]\nstart = \"0s\"\nclock.drift = 0\ntimers_after_pause = \"{after}\"\n\
         [nodes.b]\nlike = \"a\"\n[links.line]\nbetween = [\"a\", \"b\"]\nlatency = {{ uniform = [\"1ms\", \"20ms\"] }}\n\
         [groups.g]\nnodes = [\"a\", \"b\"]\n[groups.g.policy.active-passive]\nheartbeat = \"1s\"\n{detector}\n\
         takeover = \"30s\"\nlag = \"0s\"\n"
    )
}

/// When B suspects A, and when it serves, in seconds.
fn suspects_and_serves(facts: &[(Instant, Fact)]) -> (Option<f64>, Option<f64>) {
    let first = |holds: &dyn Fn(&Fact) -> bool| {
        facts.iter().find(|(at, fact)| *at > instant(50.0) && holds(fact)).map(|(at, _)| at.as_secs())
    };
    (
        first(&|fact| matches!(fact, Fact::Verdict { observer: B, suspected: true, .. })),
        first(&|fact| matches!(fact, Fact::Stance { node: B, stance } if stance.accepts.is_some())),
    )
}

const DETECTORS: [&str; 7] = [
    "timeout = \"5s\"",
    "missed = 4",
    "detector = { lease = { ttl = \"5s\" } }",
    "detector = { vrrp = {} }",
    "detector = { chen = { margin = \"3s\", window = 10 } }",
    "detector = { phi-accrual = { window = 20 } }",
    "detector = { m-of-n = { missing = 3, of = 5 } }",
];

/// A dies at 100 s. B stands still from 101.4 to 161.4 s, before it suspects A, or from 110 to 170 s, while it takes over.
#[test]
fn a_frozen_clock_leaves_what_was_left() {
    for detector in DETECTORS {
        for skips in [true, false] {
            let what = format!("{detector}, skips {skips}");
            let of = |after: &str, steps: &[(f64, Action)]| {
                suspects_and_serves(&scripted(&pair(after, detector), steps, skips))
            };
            let (Some(suspects), Some(serves)) = of("overrun", &[(100.0, crash(A))]) else {
                panic!("{what}")
            };
            assert!((102.0..109.0).contains(&suspects), "{what}: suspects at {suspects}");
            assert!((serves - suspects - 30.0).abs() < 1e-6, "{what}: serves at {serves}");
            let near = |found: Option<f64>, expected: f64, when: &str| {
                let found = found.unwrap_or(f64::NAN);
                assert!((found - expected).abs() < 1e-6, "{what}: {when} at {found}, not at {expected}");
            };
            let early = [(100.0, crash(A)), (101.4, pause(B)), (161.4, restore(B))];
            let (suspected, served) = of("overrun", &early);
            near(suspected, 161.4, "overrun, suspects");
            near(served, 191.4, "overrun, serves");
            let (suspected, served) = of("frozen", &early);
            near(suspected, suspects + 60.0, "frozen, suspects");
            near(served, serves + 60.0, "frozen, serves");
            let late = [(100.0, crash(A)), (110.0, pause(B)), (170.0, restore(B))];
            near(of("overrun", &late).1, 170.0, "overrun, serves after the takeover was over");
            near(of("frozen", &late).1, serves + 60.0, "frozen, serves after the rest of the takeover");
        }
    }
}

/// A lease by the instant of sending, of beats that take half a second: one that was sent before the pause and is read
/// after it has what was left then, one that was sent in the midst of it is good for its whole time from the end on.
#[test]
fn a_lease_that_is_read_after_a_pause_runs_from_its_sending() {
    let text = pair("frozen", "detector = { lease = { ttl = \"5s\" } }")
        .replace("{ uniform = [\"1ms\", \"20ms\"] }", "\"500ms\"");
    for skips in [true, false] {
        let of = |steps: &[(f64, Action)]| {
            suspects_and_serves(&scripted(&text, steps, skips)).0.expect("a suspicion")
        };
        let last_sent = of(&[(100.6, crash(A))]) - 5.0;
        assert!((99.6..100.6).contains(&last_sent), "{last_sent}");
        let stopped = last_sent + 0.25;
        let found = of(&[(100.6, crash(A)), (stopped, pause(B)), (stopped + 60.0, restore(B))]);
        assert!((found - last_sent - 65.0).abs() < 1e-6, "skips {skips}: {found}, sent at {last_sent}");
        let found = of(&[(103.2, crash(A)), (stopped, pause(B)), (stopped + 60.0, restore(B))]);
        assert!((found - stopped - 65.0).abs() < 1e-6, "skips {skips}: {found}, stopped at {stopped}");
    }
}

/// The same with echoes and polls: the host of A dies, and B stands still from 3 to 63 s after that.
#[test]
fn a_frozen_clock_leaves_what_was_left_of_echoes() {
    let text = |after: &str| {
        format!(
            "title = \"paused\"\n[nodes.a]\nstart = \"0s\"\nclock.drift = 0\ntimers_after_pause = \"{after}\"\n\
             [nodes.b]\nlike = \"a\"\n[links.line]\nbetween = [\"a\", \"b\"]\nlatency = \"5ms\"\n\
             [groups.g]\nnodes = [\"a\", \"b\"]\n[groups.g.policy.hot-standby]\n"
        )
    };
    for skips in [true, false] {
        let of =
            |after: &str, steps: &[(f64, Action)]| suspects_and_serves(&scripted(&text(after), steps, skips));
        let (Some(suspects), Some(serves)) = of("overrun", &[(1000.0, crash(A))]) else {
            panic!("skips {skips}")
        };
        assert!(suspects > 1003.0 && serves > suspects, "{suspects}, {serves}");
        let steps = [(1000.0, crash(A)), (1003.0, pause(B)), (1063.0, restore(B))];
        let (suspected, served) = of("frozen", &steps);
        assert!(
            (suspected.unwrap_or(f64::NAN) - suspects - 60.0).abs() < 1e-6,
            "{suspected:?}, not {suspects} + 60"
        );
        assert!((served.unwrap_or(f64::NAN) - serves - 60.0).abs() < 1e-6, "{served:?}, not {serves} + 60");
    }
}

/// Nothing happens to A, and B stands still from 100 to 160 s. Only a clock that ran on tells it that A was silent.
#[test]
fn a_standby_whose_clock_stood_still_suspects_nobody() {
    for detector in DETECTORS {
        for skips in [true, false] {
            let of = |after: &str| {
                let steps = [(100.0, pause(B)), (160.0, restore(B))];
                suspects_and_serves(&scripted(&pair(after, detector), &steps, skips))
            };
            assert_eq!(of("overrun").0, Some(160.0), "{detector}, skips {skips}");
            assert_eq!(of("frozen"), (None, None), "{detector}, skips {skips}");
        }
    }
}

/// Beats of a node whose clock stood still keep their distance in what it has run: with a beat every 10 s, a pause of
/// 14 s delays the next one by 14 s. With a clock that ran on, the one that was due goes out at once.
#[test]
fn beats_go_on_as_the_clock_does() {
    let text = |after: &str| {
        pair(after, "timeout = \"12s\"")
            .replace("heartbeat = \"1s\"", "heartbeat = \"10s\"")
            .replace("20ms", "1.1ms")
    };
    // A beat of A comes between 100 and 110 s, at `next`; B suspects A 12 s after it if A stands still from then on.
    let still = suspects_and_serves(&scripted(&text("overrun"), &[(110.0, pause(A))], true));
    let next = still.0.expect("a suspicion") - 12.0;
    assert!((100.0..110.1).contains(&next), "{next}");
    for (after, first) in [("frozen", next + 10.0 + 14.0), ("overrun", 124.0)] {
        let facts = scripted(&text(after), &[(110.0, pause(A)), (124.0, restore(A))], true);
        let trusts = facts.iter().find_map(|(at, fact)| match fact {
            Fact::Verdict { observer: B, suspected: false, .. } => Some(at.as_secs()),
            _ => None,
        });
        let (Some(suspects), _) = suspects_and_serves(&facts) else { panic!("{after}: no suspicion") };
        assert!((suspects - next - 12.0).abs() < 1e-6, "{after}: {suspects}");
        assert!(
            (trusts.expect("trust") - first).abs() < 0.01,
            "{after}: trusts at {trusts:?}, not at {first}"
        );
    }
}

/// Who has been Main for longer stays Main. A is Main from the start and stands still from 600 to 1500 s; B is Main
/// after less than a minute of that. When they meet A has been Main for 1500 s by a clock that ran on, and for 600 s by
/// one that stood still, and B for more than 800 s.
#[test]
fn time_as_main_goes_by_the_clock() {
    for (after, winner) in [("overrun", A), ("frozen", B)] {
        let text = format!(
            "title = \"paused\"\n[nodes.a]\nstart = \"0s\"\nclock.drift = 0\ntimers_after_pause = \"{after}\"\n\
             [nodes.b]\nlike = \"a\"\n[groups.g]\nnodes = [\"a\", \"b\"]\n[groups.g.policy.hot-standby]\n"
        );
        let facts = scripted(&text, &[(600.0, pause(A)), (1500.0, restore(A))], true);
        let accepts = |node: NodeId, until: f64| {
            let told =
                facts.iter().take_while(|(at, _)| *at < instant(until)).filter_map(|(_, fact)| match fact {
                    Fact::Stance { node: of, stance } if *of == node => Some(stance.accepts.is_some()),
                    _ => None,
                });
            told.last().unwrap_or(false)
        };
        assert_eq!([accepts(A, 1500.0), accepts(B, 1500.0)], [true, true], "{after}: both before they meet");
        assert_eq!([accepts(A, 1600.0), accepts(B, 1600.0)], [winner == A, winner == B], "{after}");
    }
}

/// A host that stands still answers no pings, whether or not its process had stood still before.
#[test]
fn a_host_stands_still_upon_its_process() {
    let text = "title = \"paused\"\n[nodes.a]\nstart = \"0s\"\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n[groups.g]\n\
                nodes = [\"a\", \"b\"]\n[groups.g.policy.hot-standby]\nisolated_standby = \"remain\"\n";
    let still = |scope| Action::Fail { node: A, scope, effect: Effect::Pause };
    let goes_on = |scope| Action::Restore { node: A, scope };
    let host = [(1002.0, still(Scope::Host))];
    let both =
        [(1000.0, still(Scope::Process)), (1002.0, still(Scope::Host)), (1005.0, goes_on(Scope::Process))];
    let echo_and_role = |steps: &[(f64, Action)], skips: bool| {
        let facts = scripted(text, steps, skips);
        let echo = facts.iter().find_map(|(at, fact)| match fact {
            Fact::Verdict { observer: B, by: Sense::Echo, suspected: true, .. } => Some(at.as_secs()),
            _ => None,
        });
        let role = facts.iter().rev().find_map(|(_, fact)| match fact {
            Fact::Stance { node: B, stance } => Some(stance.role),
            _ => None,
        });
        (echo, role)
    };
    for skips in [true, false] {
        let alone = echo_and_role(&host, skips);
        assert!(alone.0.is_some(), "{alone:?}");
        assert_eq!(echo_and_role(&both, skips), alone);
    }
}
