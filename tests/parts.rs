//! N active nodes and M spares: each part of the work has a holder of its own, and is told of for itself.

mod common;

use common::*;
use failsim::engine::time::Instant;
use failsim::policy::facts::Fact;
use failsim::system::ids::NodeId;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const C: NodeId = NodeId(2);

/// Two active nodes and a spare, which suspects 4 to 5 s after the last beat and takes over in 2 s.
fn two_and_one(clients: &str) -> String {
    format!(
        "title = \"2 + 1\"\n[nodes.a]\nstart = \"0s\"\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n[nodes.c]\nlike = \"a\"\n\
         [groups.g]\nnodes = [\"a\", \"b\", \"c\"]\n[groups.g.policy.active-passive]\nactive = 2\nheartbeat = \"1s\"\n\
         timeout = \"5s\"\ntakeover = \"2s\"\nlag = \"0s\"\n{clients}"
    )
}

/// When each takeover was complete, by whom, and how long it took from its fault, in seconds.
fn takeovers(facts: &[(Instant, Fact)]) -> Vec<(f64, NodeId, Option<f64>)> {
    let all = facts.iter().filter_map(|(at, fact)| match *fact {
        Fact::Failover { node, took, .. } => Some((at.as_secs(), node, took.map(|took| took.as_secs()))),
        _ => None,
    });
    all.collect()
}

/// Both active nodes die and there is one spare: the part that it takes is back when it has it, though the other one
/// has to wait for a repair.
#[test]
fn a_part_is_taken_over_when_it_is_served() {
    for clients in ["", "[clients.k]\nto = \"g\"\nwrites = \"1/s\"\nreads = \"1/s\"\nreconnect = \"1s\"\n"] {
        let facts = scripted(
            &two_and_one(clients),
            &[(100.0, crash(A)), (100.0, crash(B)), (3000.0, restore(B))],
            true,
        );
        let [(at, C, Some(took)), ..] = takeovers(&facts)[..] else { panic!("{:?}", takeovers(&facts)) };
        let reconnect = if clients.is_empty() { 0.0 } else { 1.0 };
        let bounds = 6.0 + reconnect..=7.0 + reconnect;
        assert!(bounds.contains(&took), "{took} s with {clients:?}");
        assert!((at - 100.0 - took).abs() < 1e-6, "told at {at}");
    }
}

/// What is read from one part is not on the nodes of another one.
#[test]
fn reads_of_a_part_need_a_node_that_has_it() {
    let text = two_and_one("[clients.k]\nto = \"g\"\nreads = \"1/s\"\nreconnect = \"0s\"\n");
    let facts = scripted(&text, &[(100.0, crash(C)), (200.0, crash(B)), (800.0, restore(B))], true);
    let service: Vec<_> = facts
        .iter()
        .filter_map(|(at, fact)| match *fact {
            Fact::Service { up, reads, .. } => Some((at.as_secs(), up, reads)),
            _ => None,
        })
        .collect();
    let went = service.iter().find(|(at, ..)| *at >= 100.0);
    assert_eq!(went, Some(&(200.0, false, false)), "{service:?}");
    assert!(service.iter().all(|&(at, up, _)| !up || !(200.0..800.0).contains(&at)), "{service:?}");
}
