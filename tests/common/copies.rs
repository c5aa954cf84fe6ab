//! What a copy holds when its source is gone, drawn and stepped: what the tests and benches of both share.
//!
//! The reference steps here: each pass begins, takes its time, and counts if it is complete. And it steps in request
//! fidelity, where each write is an event and is under way for its own time.
#![allow(dead_code, unreachable_pub)] // each file uses its part

use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::{Instant, Span};
use failsim::measure::simulate_with;
use failsim::policy::facts::Fact;
use failsim::service::replication::{Copying, Level, Replication};
use failsim::system::ids::NodeId;
use failsim::system::spec::{Action, Effect, Scope, ScriptStep};
use rayon::prelude::*;

use super::common::{instant, ready, ready_as, secs};

/// The interval of passes, and how long one takes.
pub fn passes() -> [(f64, Law); 3] {
    [
        (5.0, Law::uniform(1.0, 3.0).expect("a law")),
        (5.0, Law::exponential(2.0).expect("a law")),
        (5.0, Law::lognormal_median(4.0, 0.5).expect("a law")),
    ]
}

/// The age of what a copy by passes holds when its source crashes at a random instant.
pub fn pass_ages(interval: f64, pass: &Law, stepped: bool, runs: u64) -> Vec<f64> {
    (0..runs).into_par_iter().map(|run| pass_age(interval, pass, stepped, run)).collect()
}

fn pass_age(interval: f64, pass: &Law, stepped: bool, run: u64) -> f64 {
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
        first: Law::fixed(1.0).expect("a law"),
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
}

/// Ways to copy 4 writes a second, by a policy and its keys, and the writes a crash costs in the mean.
pub const LOSSES: [(&str, f64); 3] = [
    // M/G/∞: rate × mean lag, whatever its law.
    ("active-passive]\nheartbeat = \"1s\"\ntimeout = \"3s\"\nlag = { exponential = \"500ms\" }", 2.0),
    ("active-passive]\nheartbeat = \"1s\"\ntimeout = \"3s\"\nlag = { uniform = [\"0s\", \"2s\"] }", 4.0),
    // A pass of 1 s every 5 s: from 1 to 6 s, 3.5 s in the mean.
    ("hot-standby]\ntransfer_interval = \"5s\"\npass_time = { fixed = \"1s\" }\ninterleave = 1", 14.0),
];

/// Writes lost with a crash of the active node, by incident: drawn as a count, and one by one.
pub fn lost_per_incident(policy: &str, requests: bool, runs: u64) -> Vec<u64> {
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

/// Writes lost with the first incident of a run that cost any; 0 where none did.
pub fn first_losses(text: &str, seed: u64, skips: bool, runs: u64, horizon: Span) -> Vec<f64> {
    let setup = ready_as(text, &[], seed, skips);
    let one = |run| {
        let facts = simulate_with(&setup, run, horizon, Vec::new()).1;
        let losses = facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Lost { loss, .. } => Some((loss.incident?.number, loss.count)),
            _ => None,
        });
        let losses: Vec<(u32, u64)> = losses.filter(|(_, count)| *count > 0).collect();
        let first = losses.first().map(|(incident, _)| *incident);
        let of_first = losses.iter().filter(|(incident, _)| Some(*incident) == first);
        of_first.map(|(_, count)| *count as f64).sum()
    };
    (0..runs).into_par_iter().map(one).collect()
}
