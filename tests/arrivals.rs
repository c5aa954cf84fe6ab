//! Arrivals from a list (`arrivals = { trace = "file.csv" }`): what is acknowledged, lost and given up, counted by hand
//! from the list, in both fidelities and whatever the form of the detectors; and what is said of a list with mistakes.

mod common;

use std::sync::Arc;

use common::*;
use failsim::engine::time::Instant;
use failsim::input::{Files, Source};
use failsim::measure::simulate_with;
use failsim::model::load::load;
use failsim::policy::contract::Policy;
use failsim::policy::facts::Fact;
use failsim::policy::registry::Shipped;
use failsim::system::ids::{LinkId, NodeId};
use failsim::system::spec::{Action, Classes, Direction, Effect, Scope, ScriptStep};

/// One file, whatever its name.
#[derive(Clone)]
struct List(&'static str);

impl Files for List {
    fn text(&self, path: &str) -> Result<Arc<Source>, String> {
        Ok(Source::new(path, self.0))
    }
}

/// The node before fails at 100.5 s; its standby takes over between 122.5 and 123.5 s (a heartbeat a second, 3 s of
/// silence, 19 s of takeover), without what was written in the last 10 s before. A line for each stretch.
const TIMES: &str = "seconds\n# the first one at the very start\n0\n10\n10\n\"45.25\"\n1m 30s\n90.4\n\
                     91\n95\n95\n100.2\n\
                     101\n105.5\n112\n\
                     114\n121\n122\n\
                     124\n130\n500\n59m 59s\n\
                     1h 1s\n2h\n";
const BEFORE: u64 = 6;
const TOO_YOUNG: u64 = 4;
const LONG_WAITS: u64 = 3;
const SHORT_WAITS: u64 = 3;
const AFTER: u64 = 4;

fn text(work: &str, active: usize, nodes: &str) -> String {
    format!(
        "title = \"a list\"\n[nodes.a]\nstart = \"0s\"\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n[nodes.c]\nlike = \"a\"\n\
         [groups.g]\nnodes = [{nodes}]\n[groups.g.policy.active-passive]\nactive = {active}\nheartbeat = \"1s\"\n\
         timeout = \"3s\"\ntakeover = \"20s\"\nlag = \"10s\"\n{work}\narrivals = {{ trace = \"times.csv\" }}\n"
    )
}

/// A client that tries once.
const CLIENT: &str = "[clients.c]\nto = \"g\"\nwrites = \"1/s\"\nretries = 0";
/// A device that keeps the last 10 s: those before 112.5 s are given up, those after 113.5 s delivered late.
const DEVICE: &str = "[field.f]\nto = \"g\"\nevents = \"1/s\"\nbuffer = \"10s\"";

#[derive(Debug, PartialEq)]
struct Counts {
    acked: u64,
    lost: u64,
    dropped: u64,
}

fn counts(text: &str, crash: bool, skips: bool, requests: bool) -> Counts {
    let source = Source::new("test.toml", text.to_owned());
    let mut model = model_of(&source, Arc::new(List(TIMES)));
    model.quiet = true;
    if crash {
        let action = Action::Fail { node: NodeId(0), scope: Scope::Host, effect: Effect::Crash };
        model.script = vec![ScriptStep { at: instant(100.5), action }];
    }
    let setup: Ready = Ready::new(model, 3, skips, requests);
    let facts: Vec<(Instant, Fact)> = simulate_with(&setup, 0, hours(1.0), Vec::new()).1;
    let mut counts = Counts { acked: 0, lost: 0, dropped: 0 };
    for (_, fact) in facts {
        match fact {
            Fact::Book { totals, .. } => {
                counts.acked += totals.acked;
                counts.lost += totals.lost;
            }
            Fact::Dropped { count, .. } => counts.dropped += count,
            _ => {}
        }
    }
    counts
}

const FORMS: [(bool, bool); 4] = [(true, false), (true, true), (false, false), (false, true)];

#[test]
fn every_entry_up_to_the_horizon_is_one_write() {
    let all = BEFORE + TOO_YOUNG + LONG_WAITS + SHORT_WAITS + AFTER;
    for (skips, requests) in FORMS {
        for work in [CLIENT, DEVICE] {
            for (active, nodes) in [(1, "\"a\", \"b\""), (2, "\"a\", \"b\", \"c\"")] {
                let found = counts(&text(work, active, nodes), false, skips, requests);
                let wanted = Counts { acked: all, lost: 0, dropped: 0 };
                assert_eq!(found, wanted, "{work}, {active} active, skipping {skips}, requests {requests}");
            }
        }
    }
}

#[test]
fn what_a_crash_costs_is_counted_from_the_list() {
    for (skips, requests) in FORMS {
        let told = format!("skipping {skips}, requests {requests}");
        let client = counts(&text(CLIENT, 1, "\"a\", \"b\""), true, skips, requests);
        let wanted = Counts { acked: BEFORE + TOO_YOUNG + AFTER, lost: TOO_YOUNG, dropped: 0 };
        assert_eq!(client, wanted, "clients, {told}");
        let device = counts(&text(DEVICE, 1, "\"a\", \"b\""), true, skips, requests);
        let acked = BEFORE + TOO_YOUNG + SHORT_WAITS + AFTER;
        let wanted = Counts { acked, lost: TOO_YOUNG, dropped: LONG_WAITS };
        assert_eq!(device, wanted, "devices, {told}");
    }
}

#[track_caller]
fn refused(list: &'static str, said: &[&str]) {
    let source = Source::new("test.toml", text(DEVICE, 1, "\"a\", \"b\""));
    let Err(problems) = load::<<Shipped as Policy>::Params>(&source, Arc::new(List(list)), &[]) else {
        panic!("read {list:?}")
    };
    let text = problems.render(false);
    for words in said {
        assert!(text.contains(words), "no `{words}` in:\n{text}");
    }
}

#[test]
fn a_mistake_in_a_list_has_its_line() {
    refused("1\n2\n5\n4\n6\n", &["times.csv:4:1", "earlier than the line before", "in order"]);
    refused("at\n1\n\n# x\n3 parsecs\n", &["times.csv:5:3"]);
    refused("1\n-2\n3\n", &["times.csv:2:1", "a time cannot be negative"]);
    refused("1\n2,7\n", &["times.csv:2:2", "more than one column"]);
    refused("at\n# nothing\n", &["times.csv", "no values in this file"]);
    // All of them at once.
    refused("x1\n2\n-3\n", &["times.csv:1:", "times.csv:3:1"]);
    let wrong = text(DEVICE, 1, "\"a\", \"b\"").replace("trace =", "trce =");
    let source = Source::new("test.toml", wrong);
    let problems = load::<<Shipped as Policy>::Params>(&source, Arc::new(List(TIMES)), &[]).err().unwrap();
    assert!(problems.render(false).contains("`trce`"), "{}", problems.render(false));
}

/// Two sites that both write what the list says, to one key. They are cut from each other at 100.5 s, and at 131 s the
/// second one's disk is lost with what only it had.
const SITES: &str = "title = \"sites\"\n[nodes.a]\nsite = \"north\"\nstart = \"0s\"\n\
                     clock = { drift = 0, sync_error = \"0s\" }\n[nodes.b]\nlike = \"a\"\nsite = \"south\"\n\
                     [links.wan]\nbetween = [\"a\", \"b\"]\n[groups.g]\nnodes = [\"a\", \"b\"]\n\
                     [groups.g.policy.active-active]\nstorage = \"last-writer-wins\"\nkeys = 1\n\
                     [clients.north]\nsite = \"north\"\nto = \"g\"\nwrites = \"7/s\"\n\
                     arrivals = { trace = \"times.csv\" }\n[clients.south]\nlike = \"north\"\nsite = \"south\"\n";

#[test]
fn sites_that_all_write_take_what_is_listed() {
    let link = LinkId(0);
    let cut = Action::Cut { link, classes: Classes::ALL, direction: Direction::Both };
    let lose = Action::Fail { node: NodeId(1), scope: Scope::Host, effect: Effect::CrashDiskLoss };
    let told = |steps: &[(f64, Action)]| {
        let mut model = model_of(&Source::new("test.toml", SITES.to_owned()), Arc::new(List(TIMES)));
        model.quiet = true;
        model.script = steps.iter().map(|&(at, action)| ScriptStep { at: instant(at), action }).collect();
        let facts: Vec<(Instant, Fact)> =
            simulate_with(&Ready::new(model, 3, true, false), 0, hours(1.0), Vec::new()).1;
        let (mut acked, mut lost, mut overwritten) = (0, 0, 0);
        for (_, fact) in facts {
            match fact {
                Fact::Book { totals, .. } => (acked, lost) = (acked + totals.acked, lost + totals.lost),
                Fact::Overwritten { count, .. } => overwritten += count,
                _ => {}
            }
        }
        (acked, lost, overwritten)
    };
    let all = BEFORE + TOO_YOUNG + LONG_WAITS + SHORT_WAITS + AFTER;
    assert_eq!(told(&[]), (2 * all, 0, 0));
    // Both sides have written the key when they meet: one side's last write goes.
    let heal = Action::Heal { link };
    assert_eq!(told(&[(100.5, cut), (131.0, heal)]), (2 * all, 0, 1));
    // One at 124 s and one at 130 s are with the two stretches before them; nobody takes those of the south afterwards.
    let (during, later) = (LONG_WAITS + SHORT_WAITS + 2, 2);
    assert_eq!(told(&[(100.5, cut), (131.0, lose)]), (2 * all - later, during, 0));
}

/// The same with seven writes a second of each site at even distances.
#[test]
fn sites_that_all_write_take_turns_with_what_is_evenly_spaced() {
    let cut = |classes| Action::Cut { link: LinkId(0), classes, direction: Direction::Both };
    let lose = Action::Fail { node: NodeId(1), scope: Scope::Host, effect: Effect::CrashDiskLoss };
    let text = SITES.replace("{ trace = \"times.csv\" }", "\"fixed\"");
    let counts = |skips: bool, steps: &[(f64, Action)]| {
        let mut model = model_of(&Source::new("test.toml", text.clone()), Arc::new(List(TIMES)));
        model.quiet = true;
        model.script = steps.iter().map(|&(at, action)| ScriptStep { at: instant(at), action }).collect();
        let facts: Vec<(Instant, Fact)> =
            simulate_with(&Ready::new(model, 3, skips, false), 0, hours(1.0), Vec::new()).1;
        facts.iter().fold((0, 0), |(acked, lost), (_, fact)| match fact {
            Fact::Book { totals, .. } => (acked + totals.acked, lost + totals.lost),
            _ => (acked, lost),
        })
    };
    for skips in [true, false] {
        assert_eq!(counts(skips, &[]), (2 * 7 * 3600, 0));
        // 30.5 s of seven writes a second are gone: those of one site, where each has only its own instance, or one in
        // two of both, where only the instances do not reach each other. A last one can be at either.
        let (_, lost) = counts(skips, &[(100.5, cut(Classes::ALL)), (131.0, lose)]);
        assert!((213..=214).contains(&lost), "{lost}");
        let (_, lost) = counts(skips, &[(100.5, cut(Classes::REPLICATION)), (131.0, lose)]);
        assert!((212..=215).contains(&lost), "{lost}");
    }
}

#[test]
fn a_trace_of_nothing_is_refused() {
    let text = text(CLIENT, 1, "\"a\", \"b\"").replace("writes = \"1/s\"\n", "");
    let source = Source::new("test.toml", text);
    let problems = load::<<Shipped as Policy>::Params>(&source, Arc::new(List(TIMES)), &[]).err().unwrap();
    let said = problems.render(false);
    assert!(said.contains("a trace of nothing") && said.contains("`writes`, `reads` or both"), "{said}");
}
