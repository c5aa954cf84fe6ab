//! What is told of a group follows from what happened to it, not from when somebody looked. An onlooker that nobody would
//! miss finds a way to one more node of a group in which everything goes wrong: its service is looked at once more, at
//! any time of the run, and all the facts of the run stay what they were.

mod common;

use std::sync::Arc;

use common::*;
use failsim::engine::time::Instant;
use failsim::input::{NoFiles, Source};
use failsim::measure::simulate_with;
use failsim::policy::contract::Phase;
use failsim::policy::facts::{Fact, FaultOf};
use failsim::policy::host::Setup;
use failsim::policy::registry::Shipped;
use failsim::system::ids::LinkId;
use failsim::system::spec::{Action, Classes, Direction, ScriptStep};
use rayon::prelude::*;

/// Writes are evenly spaced and lags fixed, so that none of their counts is drawn. (Draws of a book go by the ranges in it,
/// and a look may settle some of them: other counts of the same law.)
const RESTLESS: &str = r#"
title = "everything goes wrong, every few minutes"
up_share = 0.999
[nodes.a]
start = "5s"
restart = "2s"
[nodes.a.failures]
crash = { mttf = "10m", repair = { exponential = "1m" } }
disk = { effect = "crash-with-disk-loss", mttf = "1h", repair = "1m" }
dies = { scope = "process", mttf = "10m", duration = "1s" }
pause = { effect = "pause", mttf = "5m", duration = { exponential = "10s" } }
[nodes.b]
like = "a"
[nodes.c]
like = "a"
[links.look]
between = ["onlooker", "c"]
carries = ["client"]
[links.ab]
between = ["a", "b"]
failures.cut = { mttf = "5m", duration = { exponential = "20s" } }
[links.ka]
between = ["people", "a"]
carries = ["client"]
failures.cut = { mttf = "10m", duration = { exponential = "10s" } }
[groups.g]
nodes = ["a", "b", "c"]
[clients.people]
to = "g"
writes = "5/s"
reads = "5/s"
arrivals = "fixed"
reconnect = { exponential = "2s" }
reach = { a = "ka" }
[clients.onlooker]
to = "g"
weight = 1e-9
reads = "1/d"
reconnect = "0s"
reach = { c = "look" }
[changeovers.drill]
group = "g"
every = { exponential = "10m" }
[groups.g.policy]
"#;

const ACTIVE_PASSIVE: &str =
    "active-passive = { heartbeat = \"1s\", timeout = \"3s\", takeover = \"2s\", first_copy = \"5s\", ";
const HOT_STANDBY: &str = "hot-standby = { heartbeat = \"1s\", heartbeat_timeout = \"5s\", echo_interval = \"1s\", \
    pass_time = \"1s\", first_pass = \"5s\", connect_timeout = \"10s\", driver_start = \"3s\", ";

/// The facts of the first hour when the onlooker's way is open from `at` on.
fn facts(setup: &Setup<Shipped>, run: u64, at: f64) -> Vec<(Instant, Fact)> {
    let (mut setup, link) = (setup.clone(), LinkId(0));
    let cut = Action::Cut { link, classes: Classes::ALL, direction: Direction::Both };
    setup.model.script = vec![
        ScriptStep { at: instant(0.001), action: cut },
        ScriptStep { at: instant(at), action: Action::Heal { link } },
    ];
    let (_, mut facts) = simulate_with(&setup, run, hours(1.0), Vec::new());
    // The onlooker's own: its way, and why it waits.
    let mut last = None;
    facts.retain_mut(|(_, fact)| match fact {
        Fact::Fault { of: FaultOf::Link(of, u16::MAX), .. } => *of != link,
        Fact::Service { up: false, by, cause, .. } => {
            *by = None;
            *cause = if *cause == Phase::Planned { Phase::Planned } else { Phase::Detect };
            last.replace(*fact) != Some(*fact)
        }
        Fact::Service { .. } => last.replace(*fact) != Some(*fact),
        _ => true,
    });
    facts
}

#[test]
fn one_more_look_changes_nothing() {
    let pair = RESTLESS
        .replace("[\"a\", \"b\", \"c\"]", "[\"a\", \"b\"]")
        .replace("\"onlooker\", \"c\"", "\"onlooker\", \"b\"")
        .replace("{ c = ", "{ b = ");
    for (text, policy, more) in [
        (RESTLESS, ACTIVE_PASSIVE, "lag = \"100ms\""),
        (RESTLESS, ACTIVE_PASSIVE, "lag = \"5s\", cancel_takeover = false, failback = true"),
        (RESTLESS, ACTIVE_PASSIVE, "replication = \"sync\""),
        (RESTLESS, ACTIVE_PASSIVE, "lag = \"100ms\", active = 2, fencing = \"on\", fence_delay = \"1s\""),
        (&pair, HOT_STANDBY, "duty_mode = false"),
    ] {
        let source = Source::new("test.toml", format!("{text}{policy}{more} }}\n"));
        let setup = Setup::<Shipped>::new(model_of(&source, Arc::new(NoFiles)), 3, true, false);
        (0..30_u64).into_par_iter().for_each(|run| {
            let before = facts(&setup, run, 3599.9999);
            assert!(before.len() > 100, "{more}: much happens");
            for look in 0..30 {
                let at = 120.0 * f64::from(look) + 7.7 * run as f64;
                let after = facts(&setup, run, at.clamp(1.0, 3599.0));
                let pairs = before.iter().zip(&after);
                let differs = pairs.clone().find(|(before, after)| before != after);
                assert_eq!(differs, None, "{more}: run {run} with a look at {at} s");
                assert_eq!(before.len(), after.len(), "{more}: run {run} with a look at {at} s");
            }
        });
    }
}
