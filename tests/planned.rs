//! Which outages are planned: those that planned work or an ordered changeover brings about, and no others.

mod common;

use std::sync::Arc;

use common::*;
use failsim::engine::time::Instant;
use failsim::input::{NoFiles, Source};
use failsim::measure::simulate_with;
use failsim::policy::contract::Phase;
use failsim::policy::facts::Fact;
use failsim::policy::host::Setup;
use failsim::policy::registry::Shipped;
use failsim::system::ids::NodeId;
use failsim::system::spec::{Action, ScriptStep};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

/// Nodes that start at once, of which `worked` are worked on for half an hour every hour, one after the other.
fn nodes(names: &[&str], worked: &str, group: &str) -> String {
    let like: String = names[1..].iter().map(|name| format!("[nodes.{name}]\nlike = \"a\"\n")).collect();
    let members: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!(
        "title = \"worked on\"\n[nodes.a]\nstart = \"0s\"\nclock.drift = 0\n{like}\
         [maintenance.patches]\nnodes = [{worked}]\nevery = {{ fixed = \"1h\" }}\nduration = {{ fixed = \"30m\" }}\n\
         changeover = false\n[groups.g]\nnodes = [{}]\n{group}",
        members.join(", ")
    )
}

/// Suspects 4 to 5 s after the last beat, and takes over in 2 s.
const PAIR: &str = "[groups.g.policy.active-passive]\nheartbeat = \"1s\"\ntimeout = \"5s\"\ntakeover = \"2s\"\nlag = \"0s\"\n";

/// Each outage of the first two hours and a half: when it began in seconds, and its causes.
fn outages(text: &str, steps: &[(f64, Action)]) -> Vec<(f64, Vec<Phase>)> {
    let source = Source::new("test.toml", text.to_owned());
    let mut model = model_of(&source, Arc::new(NoFiles));
    model.script = steps.iter().map(|&(at, action)| ScriptStep { at: instant(at), action }).collect();
    let setup = Setup::<Shipped>::new(model, 3, true, false);
    let (_, facts): (_, Vec<(Instant, Fact)>) = simulate_with(&setup, 0, hours(2.49), Vec::new());
    let mut all: Vec<(f64, Vec<Phase>)> = Vec::new();
    let mut is_down = false;
    for (at, fact) in facts {
        let Fact::Service { up, cause, .. } = fact else { continue };
        match (is_down, up) {
            (false, false) => all.push((at.as_secs(), vec![cause])),
            (true, false) => all.last_mut().expect("an outage").1.push(cause),
            _ => {}
        }
        is_down = !up;
    }
    all
}

#[test]
fn work_on_the_active_node_plans_the_outage() {
    let all = outages(&nodes(&["a", "b"], "\"a\"", PAIR), &[]);
    let [(began, causes)] = &all[..] else { panic!("{all:?}") };
    assert_eq!(*began, 3600.0);
    assert!(causes.iter().all(|cause| *cause == Phase::Planned), "{causes:?}");
}

#[test]
fn a_crash_while_the_standby_is_worked_on_is_a_crash() {
    let all = outages(&nodes(&["a", "b"], "\"b\"", PAIR), &[(4000.0, crash(A)), (4300.0, restore(A))]);
    let [(began, causes)] = &all[..] else { panic!("{all:?}") };
    assert_eq!(*began, 4000.0);
    assert_eq!(causes[0], Phase::NoSpare);
    assert!(!causes.contains(&Phase::Planned), "{causes:?}");
}

#[test]
fn a_crash_of_who_has_taken_over_from_a_node_that_is_worked_on_is_a_crash() {
    let all = outages(&nodes(&["a", "b"], "\"a\"", PAIR), &[(4000.0, crash(B)), (4300.0, restore(B))]);
    let [(3600.0, planned), (4000.0, crashed)] = &all[..] else { panic!("{all:?}") };
    assert!(planned.iter().all(|cause| *cause == Phase::Planned), "{planned:?}");
    assert!(!crashed.contains(&Phase::Planned), "{crashed:?}");
}

#[test]
fn writes_that_wait_for_a_copy_that_is_worked_on_are_planned_to() {
    let text = nodes(
        &["a", "b"],
        "\"b\"",
        &PAIR.replace("lag = \"0s\"", "replication = \"sync\"\npatience = \"10s\""),
    ) + "[clients.k]\nto = \"g\"\nwrites = \"1/s\"\nreconnect = \"0s\"\n";
    let all = outages(&text, &[]);
    let [(3600.0, causes)] = &all[..] else { panic!("{all:?}") };
    assert_eq!(causes[..], [Phase::Planned]);
}

#[test]
fn an_instance_that_fails_while_another_one_is_worked_on_fails() {
    let group = "[groups.g.policy.active-active]\nredispatch = false\n";
    let text = nodes(&["a", "b", "c"], "\"a\"", group) + "[clients.k]\nto = \"g\"\nwrites = \"1/s\"\n";
    let steps = [(4000.0, crash(B)), (4300.0, restore(B))];
    let all = outages(&text, &steps);
    let [(3600.0, planned), (4000.0, crashed)] = &all[..] else { panic!("{all:?}") };
    assert!(planned.iter().all(|cause| *cause == Phase::Planned), "{planned:?}");
    assert!(!crashed.contains(&Phase::Planned), "{crashed:?}");
}

/// What a fault adds to planned work is its own: to the time in which the node starts again, and to the work itself.
#[test]
fn a_fault_of_a_node_that_is_missing_by_plan_takes_over() {
    let text =
        nodes(&["a"], "\"a\"", "[groups.g.policy.single]\n").replace("start = \"0s\"", "start = \"10m\"");
    for crashed in [5700.0, 4000.0] {
        let all = outages(&text, &[(crashed, crash(A)), (8000.0, restore(A))]);
        let [(3600.0, causes)] = &all[..] else { panic!("{all:?}") };
        assert_eq!(
            (causes[0], causes[1]),
            (Phase::Planned, Phase::NoSpare),
            "crash at {crashed}: {causes:?}"
        );
        assert!(!causes[1..].contains(&Phase::Planned), "crash at {crashed}: {causes:?}");
    }
    let all = outages(&text, &[]);
    assert_eq!(all, [(3600.0, vec![Phase::Planned])], "without a fault the start is part of it");
}

/// Two parts without a spare: when the second one fails it is no longer planned, and not again when the first is back.
#[test]
fn a_fault_beside_an_outage_by_plan_takes_over() {
    let group = "[groups.g.policy.active-passive]\nactive = 2\ntimeout = \"5s\"\ntakeover = \"2s\"\n";
    let all = outages(&nodes(&["a", "b"], "\"a\"", group), &[(3900.0, crash(B)), (8000.0, restore(B))]);
    let [(3600.0, causes)] = &all[..] else { panic!("{all:?}") };
    assert_eq!(causes[0], Phase::Planned);
    assert!(causes.len() > 1 && !causes[1..].contains(&Phase::Planned), "{causes:?}");
}

#[test]
fn work_on_the_only_instance_is_planned_though_nobody_asks() {
    let all = outages(&nodes(&["a"], "\"a\"", "[groups.g.policy.active-active]\n"), &[]);
    let [(3600.0, causes)] = &all[..] else { panic!("{all:?}") };
    assert!(causes.iter().all(|cause| *cause == Phase::Planned), "{causes:?}");
}
