//! A copy follows one history. Where two nodes take writes at once and both reach a third, that one follows the newer of
//! them, and leaves the older: what only the older has is lost when that one gives it up, at that instant and by that
//! fault, and not when the books are closed.

mod common;

use common::*;
use failsim::engine::time::{Instant, Span};
use failsim::policy::facts::Fact;
use failsim::service::replication::Change;
use failsim::system::ids::{LinkId, NodeId};
use failsim::system::spec::{Action, Classes, Direction, Effect, Scope};

/// Any two reach each other over a line of their own, so that a cut of one line parts only two of the three.
fn triangle(replication: &str) -> String {
    format!(
        r#"
        title = "Three nodes, and a line between any two"
        [nodes.a]
        [nodes.b]
        like = "a"
        [nodes.c]
        like = "a"
        [links.ab]
        between = ["a", "b"]
        latency = "1ms"
        [links.ac]
        between = ["a", "c"]
        latency = "1ms"
        [links.bc]
        between = ["b", "c"]
        latency = "1ms"
        [groups.g]
        nodes = ["a", "b", "c"]
        [groups.g.policy.active-passive]
        heartbeat = "1s"
        timeout = "3.5s"
        takeover = "0s"
        replication = "{replication}"
        first_copy = "10s"
        [clients.k]
        to = "g"
        writes = "1/s"
        arrivals = "fixed"
        during_dual = "first"
        "#
    )
}

const CUT: f64 = 600.5;
const HEALED: f64 = 640.5;

fn parted(replication: &str) -> Vec<(Instant, Fact)> {
    let line = LinkId(0);
    let cut = Action::Cut { link: line, classes: Classes::ALL, direction: Direction::Both };
    scripted(&triangle(replication), &[(CUT, cut), (HEALED, Action::Heal { link: line })], true)
}

fn changes(facts: &[(Instant, Fact)], source: NodeId, copy: NodeId) -> Vec<(Instant, Change)> {
    let of = |&(at, fact): &(Instant, Fact)| match fact {
        Fact::Replication { from, to, change } if (from, to) == (source, copy) => Some((at, change)),
        _ => None,
    };
    facts.iter().filter_map(of).collect()
}

#[test]
fn a_third_node_leaves_the_older_of_two_for_the_newer() {
    let facts = parted("async");
    let [a, b, c] = [0, 1, 2].map(NodeId);
    let follows = changes(&facts, b, c);
    let Some(&(began, Change::Begins)) = follows.first() else { panic!("c does not follow b: {follows:?}") };
    assert!(began > instant(CUT) && began < instant(HEALED), "{began:?}");
    // From that very instant on it has nothing of the older one any more.
    assert_eq!(changes(&facts, a, c).last(), Some(&(began, Change::Breaks)), "{:?}", changes(&facts, a, c));
}

#[test]
fn what_only_the_older_has_is_lost_when_it_gives_up() {
    let facts = parted("async");
    let losses: Vec<_> = facts
        .iter()
        .filter_map(|&(at, fact)| if let Fact::Lost { loss, .. } = fact { Some((at, loss)) } else { None })
        .collect();
    let [(at, loss)] = losses[..] else { panic!("one loss, not {losses:?}") };
    // The older one hears the newer one's first beat after the cut.
    assert!(at > instant(HEALED) && at < instant(HEALED + 1.1), "{at:?}");
    let incident = loss.incident.expect("the cut is behind it");
    assert_eq!(incident.at, instant(CUT));
    // One write a second from the cut on, the clients having stayed with the older one.
    let expected = (at - instant(CUT)).as_secs();
    assert!((loss.count as f64 - expected).abs() <= 1.0, "{} of {expected} s", loss.count);
    assert_eq!(loss.age, Span::ZERO, "all came after the cut");
}

/// The newer source loses its way to the copy: the older one, which it can still reach, is followed again at once.
#[test]
fn a_copy_goes_back_to_whom_it_reaches() {
    let cut = |link| Action::Cut { link: LinkId(link), classes: Classes::ALL, direction: Direction::Both };
    let model = triangle("async").replace("first_copy", "patience = \"10s\"\n        first_copy");
    let facts = scripted(&model, &[(100.0, cut(0)), (200.0, cut(2))], true);
    let [a, b, c] = [0, 1, 2].map(NodeId);
    let left = changes(&facts, b, c).into_iter().find(|(_, change)| *change == Change::Breaks);
    let (left, _) = left.expect("the newer one gives up after its patience");
    assert_eq!(left, instant(210.0));
    let begins = changes(&facts, a, c)
        .into_iter()
        .find(|&(at, change)| change == Change::Begins && at > instant(100.0));
    assert_eq!(begins, Some((left, Change::Begins)));
}

/// A copy that has served its part itself in the meantime has a history of its own: the connection does not go on where
/// it was, however patient.
#[test]
fn whoever_has_served_begins_with_a_first_copy() {
    let model = triangle("sync").replace("first_copy", "patience = \"1d\"\n        first_copy");
    let cut = Action::Cut { link: LinkId(0), classes: Classes::ALL, direction: Direction::Both };
    let b = NodeId(1);
    let steps = [
        (100.0, cut),
        (200.0, Action::Fail { node: b, scope: Scope::Host, effect: Effect::Crash }),
        (210.0, Action::Restore { node: b, scope: Scope::Host }),
        (250.0, Action::Heal { link: LinkId(0) }),
    ];
    // Without the third node, whose lines would tell b of a.
    let model = model
        .replace("nodes = [\"a\", \"b\", \"c\"]", "nodes = [\"a\", \"b\"]")
        .replace("takeover = \"0s\"", "takeover = \"0s\"\n        after_start = \"listen\"");
    let facts = scripted(&model, &steps, true);
    let after: Vec<_> = changes(&facts, NodeId(0), b)
        .into_iter()
        .filter(|(at, _)| *at > instant(200.0))
        .map(|(_, c)| c)
        .collect();
    assert_eq!(after, [Change::Breaks, Change::Begins, Change::InStep]);
}

/// A synchronous writer cannot tell a copy that has left from one that is slow: it waits.
#[test]
fn a_synchronous_writer_waits_for_the_copy_that_left() {
    let facts = parted("sync");
    let [a, _, c] = [0, 1, 2].map(NodeId);
    assert!(
        changes(&facts, a, c).iter().any(|&(at, change)| change == Change::Stalls && at > instant(CUT)),
        "{:?}",
        changes(&facts, a, c)
    );
}
