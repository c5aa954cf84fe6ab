//! Ways between nodes that are more than open or cut: two links used at once, cuts of one direction, cuts of one class
//! of traffic. From faults at exact times, worked out by hand, and against closed forms of what random losses do.
//!
//! All intervals together fail by chance with probability 10⁻³ at most (Bonferroni over 100); seeds are fixed.

mod common;
#[path = "common/watches.rs"]
mod watches;

use common::*;
use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::{Instant, Span};
use failsim::policy::contract::{Role, Sense};
use failsim::policy::facts::Fact;
use failsim::stats::test::kolmogorov_smirnov;
use failsim::system::ids::{GroupId, LinkId, NodeId};
use failsim::system::medium::Medium;
use failsim::system::spec::{Action, Classes, Direction, Effect, Scope};
use failsim::theory::detector::{Nfds, k_run_mean};
use watches::link;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const ONE: LinkId = LinkId(0);
const TWO: LinkId = LinkId(1);
/// 1 − 10⁻³/100.
const CONFIDENCE: f64 = 1.0 - 1e-5;

/// Two nodes that start at once, and somebody who writes.
fn pair(links: &str, policy: &str) -> String {
    format!(
        "title = \"two nodes\"\n[nodes.a]\nstart = \"0s\"\nrestart = \"0s\"\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n\
         {links}\n[groups.g]\nnodes = [\"a\", \"b\"]\n{policy}\n[clients.c]\nto = \"g\"\nwrites = \"10/s\"\n\
         arrivals = \"fixed\"\n"
    )
}

fn line(name: &str, more: &str) -> String {
    format!("[links.{name}]\nbetween = [\"a\", \"b\"]\n{more}\n")
}

/// Two links of 30 and 80 ms, used at once or the second only while the first has failed.
fn two_links(usage: &str, more_of_one: &str) -> String {
    line("one", &format!("latency = \"30ms\"\n{more_of_one}"))
        + &line("two", "latency = \"80ms\"")
        + &format!("[paths.servers]\nlinks = [\"one\", \"two\"]\nuse = \"{usage}\"\n")
}

/// Suspects after silence of 1.1 s: a single beat that does not come is too many.
const IMPATIENT: &str = "[groups.g.policy.active-passive]\nheartbeat = \"1s\"\ntimeout = \"1100ms\"\n\
                         takeover = \"1h\"\nreplication = \"sync\"\npatience = \"0s\"";

const SCADA: &str = "[groups.g.policy.hot-standby]\nheartbeat = \"1s\"\nheartbeat_timeout = \"30s\"\n\
                     driver_start = \"10s\"\narbitration = \"5s\"\nfirst_pass = \"10s\"\nreset_time = \"0s\"";

fn cut(link: LinkId, classes: Classes, direction: Direction) -> Action {
    Action::Cut { link, classes, direction }
}

fn cut_all(link: LinkId) -> Action {
    cut(link, Classes::ALL, Direction::Both)
}

fn heal(link: LinkId) -> Action {
    Action::Heal { link }
}

const CRASH: Action = Action::Fail { node: A, scope: Scope::Host, effect: Effect::Crash };

/// Suspicions: when, by whom, by what sense.
fn suspicions(facts: &[(Instant, Fact)]) -> Vec<(f64, NodeId, Sense)> {
    let verdicts = facts.iter().filter_map(|(at, fact)| match *fact {
        Fact::Verdict { observer, by, suspected: true, .. } => Some((at.as_secs(), observer, by)),
        _ => None,
    });
    verdicts.collect()
}

/// When a node began to be in this role, each time.
fn becomes(facts: &[(Instant, Fact)], who: NodeId, role: Role) -> Vec<f64> {
    let mut before = None;
    let mut list = Vec::new();
    for (at, fact) in facts {
        let Fact::Stance { node, stance } = fact else { continue };
        if *node == who {
            if stance.role == role && before != Some(role) {
                list.push(at.as_secs());
            }
            before = Some(stance.role);
        }
    }
    list
}

/// The stretches with two nodes that accept, in seconds.
fn split_brains(facts: &[(Instant, Fact)]) -> Vec<(f64, f64)> {
    let mut since = None;
    let mut list = Vec::new();
    for (at, fact) in facts {
        let Fact::Acceptors { accepting, .. } = fact else { continue };
        match (since, *accepting >= 2) {
            (None, true) => since = Some(at.as_secs()),
            (Some(from), false) => {
                list.push((from, at.as_secs()));
                since = None;
            }
            _ => {}
        }
    }
    assert_eq!(since, None, "one is still going on");
    list
}

#[test]
fn a_cut_of_one_of_two_links_used_at_once_does_no_harm() {
    for policy in [IMPATIENT, SCADA] {
        let text = pair(&two_links("both", ""), policy);
        for skips in [true, false] {
            let told = |steps: &[(f64, Action)]| -> Vec<(Instant, Fact)> {
                let facts = scripted(&text, steps, skips);
                facts.into_iter().filter(|(_, fact)| !matches!(fact, Fact::Fault { .. })).collect()
            };
            let one_after_the_other =
                [(100.3, cut_all(ONE)), (200.0, heal(ONE)), (300.7, cut_all(TWO)), (400.0, heal(TWO))];
            assert_eq!(told(&one_after_the_other), told(&[]), "{policy}, skipping {skips}");
            // Where the cuts overlap there is harm.
            let together = told(&[(100.0, cut_all(ONE)), (110.0, cut_all(TWO)), (200.0, heal(TWO))]);
            assert!(suspicions(&together).iter().all(|(at, ..)| (110.1..200.0).contains(at)));
            assert!(!suspicions(&together).is_empty(), "{policy}");
        }
    }
}

/// What a run has of faults of links and of suspicions by each node, in order.
fn counted(setup: &Ready, runs: u64, length: Span) -> Vec<(usize, [usize; 2])> {
    let until = (Instant::ZERO + length).before(secs(10.0));
    let seen = watched(setup, runs, length, Vec::<(Instant, Fact)>::new);
    seen.iter()
        .map(|(_, facts)| {
            let cuts =
                facts.iter().filter(|(at, f)| *at < until && matches!(f, Fact::Fault { begins: true, .. }));
            let by = |node| suspicions(facts).iter().filter(|(_, observer, _)| *observer == node).count();
            (cuts.count(), [by(A), by(B)])
        })
        .collect()
}

/// Cuts that last long, at random, of the first link: with a second one used at once nothing ever comes late. With the
/// second one only in its place, what is under way at the cut is lost: one beat in 30 ms of each second, and each is a
/// suspicion.
#[test]
fn what_is_under_way_at_a_cut_arrives_over_the_other_link() {
    let cuts = "failures.cut = { mttf = \"1m\", duration = \"10s\" }";
    let setup = |usage: &str| ready(&pair(&two_links(usage, cuts), IMPATIENT), &[], 5);
    let both = counted(&setup("both"), 100, hours(20.0));
    assert!(both.iter().map(|(cuts, _)| cuts).sum::<usize>() > 50_000);
    assert_eq!(both.iter().map(|(_, by)| by[0] + by[1]).sum::<usize>(), 0);
    let failover = counted(&setup("failover"), 100, hours(20.0));
    let per_cut = failover.iter().map(|(cuts, by)| (by[0] + by[1]) as f64 / *cuts as f64);
    mean_within("suspicions per cut", 2.0 * 0.03, per_cut, CONFIDENCE, 0.1);
}

#[test]
fn the_first_copy_counts() {
    let suspected = |links: &str, steps: &[(f64, Action)]| {
        let mut steps = steps.to_vec();
        steps.push((100.0, CRASH));
        let seen = suspicions(&scripted(&pair(links, IMPATIENT), &steps, true));
        let &[(at, B, Sense::Beats)] = seen.as_slice() else { panic!("{seen:?}") };
        at
    };
    let one = suspected(&line("one", "latency = \"30ms\""), &[]);
    let two = suspected(&line("two", "latency = \"80ms\""), &[]);
    assert!((two - one - 0.05).abs() < 1e-6, "{one} {two}");
    let both = two_links("both", "");
    assert_eq!(suspected(&both, &[]), one);
    assert_eq!(suspected(&both, &[(50.0, cut_all(TWO))]), one);
    assert_eq!(suspected(&both, &[(50.0, cut_all(ONE))]), two);
}

#[test]
fn a_message_is_lost_with_both_copies_and_as_late_as_the_earlier() {
    let mut links = link(0.3, Law::exponential(1.0).unwrap());
    links.extend(link(0.4, Law::exponential(3.0).unwrap()));
    let mut medium = Medium::PERFECT;
    medium.add(ONE);
    medium.add(TWO);
    let arrived = |x: f64| 1.0 - (1.0 - 0.7 * -libm::expm1(-x)) * (1.0 - 0.6 * -libm::expm1(-x / 3.0));
    let mut stream = StreamKey::new(5, "copies", "both").open(0);
    let draws: Vec<_> = (0..200_000).map(|_| medium.draw(&links, &mut stream)).collect();
    let lost = draws.iter().filter(|delay| delay.is_none()).count();
    share_within("lost: p1·p2", 0.12, lost, draws.len(), CONFIDENCE, 0.03);
    let delays: Vec<f64> = draws.iter().flatten().map(|delay| delay.as_secs()).collect();
    let fit = kolmogorov_smirnov(&delays, |x| arrived(x) / 0.88);
    assert!(fit.p_value > 1e-5, "{fit:?}");
    assert!(kolmogorov_smirnov(&delays, |x| 1.01 * arrived(x) / 0.88).p_value < 1e-5, "1 % would be seen");
}

/// How often the standby suspects its peer, which is there all the time, per second.
fn mistakes(setup: &Ready, runs: u64, length: Span) -> Vec<f64> {
    counted(setup, runs, length).iter().map(|(_, by)| by[1] as f64 / length.as_secs()).collect()
}

#[test]
fn false_suspicions_over_two_links_are_runs_of_beats_that_both_lose() {
    let links = line("one", "latency = \"0s\"\nloss = \"50%\"")
        + &line("two", "latency = \"0s\"\nloss = \"60%\"")
        + "[paths.servers]\nlinks = [\"one\", \"two\"]\nuse = \"both\"\n";
    let policy = |detector: &str| {
        format!(
            "[groups.g.policy.active-passive]\nheartbeat = \"1s\"\n{detector}\ntakeover = \"1d\"\nreplication = \"none\""
        )
    };
    // From one suspicion to the next: until a beat arrives, and then until two in a row are lost twice over.
    let q = 0.5 * 0.6;
    let rate = 1.0 / (1.0 / (1.0 - q) + k_run_mean(q, 2));
    for (skips, length, notices) in [(true, 10.0, 0.02), (false, 2.0, 0.03)] {
        let setup = ready_as(&pair(&links, &policy("timeout = \"2001ms\"")), &[], 5, skips);
        let seen = mistakes(&setup, 100, hours(length));
        mean_within(&format!("two in a row, skipping {skips}"), rate, seen, CONFIDENCE, notices);
    }
    // The earlier of two exponential delays is exponential: NFD-S has the rate in closed form.
    let links = links.replace("latency = \"0s\"\nloss = \"50%\"", "latency = { exponential = \"1s\" }");
    let links = links.replace("latency = \"0s\"\nloss = \"60%\"", "latency = { exponential = \"3s\" }");
    let theory = Nfds { period: 1.0, shift: 1.0, loss: 0.0, delay: Law::exponential(0.75).unwrap() };
    let rate = 1.0 / theory.accuracy().mistake_recurrence;
    for (skips, length, notices) in [(true, 10.0, 0.02), (false, 2.0, 0.03)] {
        let lease = policy("detector = { lease = { ttl = \"2s\" } }");
        let setup = ready_as(&pair(&links, &lease), &[], 5, skips);
        let seen = mistakes(&setup, 100, hours(length));
        mean_within(&format!("the earlier of two delays, skipping {skips}"), rate, seen, CONFIDENCE, notices);
    }
}

/// Main has done its last pass 6 s after a changeover is ordered, and tells the Standby so: 2 s over one link, 5 s over
/// the other.
#[test]
fn a_cut_loses_the_copies_that_are_under_way_on_it_and_no_others() {
    let links = line("one", "latency = \"2s\"")
        + &line("two", "latency = \"5s\"")
        + "[paths.servers]\nlinks = [\"one\", \"two\"]\nuse = \"both\"\n";
    let policy = SCADA
        .replace("heartbeat = \"1s\"", "heartbeat = \"10m\"\nmonitor_timeout = \"1h\"\npass_time = \"1s\"")
        .replace("timeout = \"30s\"", "timeout = \"1h\"")
        .replace("driver_start = \"10s\"", "driver_start = \"0s\"");
    let text = pair(&links, &policy);
    let order = (1000.0, Action::Changeover { group: GroupId(0), to: None });
    let main_at = |cuts: &[(f64, LinkId, Classes, Direction)]| {
        let cuts = cuts.iter().map(|&(at, link, classes, direction)| (at, cut(link, classes, direction)));
        let steps: Vec<_> = [order].into_iter().chain(cuts).collect();
        let facts = scripted(&text, &steps, true);
        assert_eq!(becomes(&facts, A, Role::Syncing), [1006.0]);
        becomes(&facts, B, Role::Active).first().copied()
    };
    let (all, both) = (Classes::ALL, Direction::Both);
    let (first, second) = (Some(1008.0), Some(1011.0));
    assert_eq!(main_at(&[]), first);
    assert_eq!(main_at(&[(1007.0, TWO, all, both)]), first);
    assert_eq!(main_at(&[(1009.0, ONE, all, both)]), first);
    assert_eq!(main_at(&[(1007.0, ONE, all, both)]), second);
    assert_eq!(main_at(&[(1007.0, ONE, all, Direction::Forward)]), second);
    let late = main_at(&[(1007.0, ONE, all, both), (1010.0, TWO, all, both)]);
    assert!(late.is_none_or(|at| at > 1012.0), "{late:?}");
    // The way back, and other traffic on the same link.
    assert_eq!(main_at(&[(1007.0, ONE, all, Direction::Backward)]), first);
    assert_eq!(main_at(&[(1007.0, ONE, Classes::CLIENT.union(Classes::REPLICATION), both)]), first);
    assert_eq!(main_at(&[(1007.0, ONE, Classes::HEARTBEAT, both)]), second);
}

/// Suspects 3 s after the last beat, and takes over in 1 s; no link has a delay.
const PLAIN: &str = "[groups.g.policy.active-passive]\nheartbeat = \"1s\"\ntimeout = \"3s\"\ntakeover = \"1s\"\n\
                     lag = \"0s\"\nfirst_copy = \"2m\"";

fn at_once() -> String {
    line("one", "latency = \"0s\"")
}

fn for_a_while(classes: Classes, direction: Direction) -> [(f64, Action); 2] {
    [(1000.0, cut(ONE, classes, direction)), (2000.0, heal(ONE))]
}

#[track_caller]
fn between(value: f64, low: f64, high: f64) {
    assert!(low < value && value <= high, "{value} is not in ({low}, {high}]");
}

#[test]
fn the_node_that_no_longer_hears_suspects_and_the_other_does_not() {
    let told = |direction| scripted(&pair(&at_once(), PLAIN), &for_a_while(Classes::ALL, direction), true);
    // The standby hears nothing and takes over. The active node hears it say so at its next beat, and gives way.
    let facts = told(Direction::Forward);
    let seen = suspicions(&facts);
    let &[(at, B, Sense::Beats)] = seen.as_slice() else { panic!("{seen:?}") };
    between(at, 1002.0, 1003.0);
    assert_eq!(becomes(&facts, B, Role::Active), [at + 1.0]);
    let split = split_brains(&facts);
    let &[(from, to)] = split.as_slice() else { panic!("{split:?}") };
    assert_eq!(from, at + 1.0);
    between(to - from, 0.0, 1.0);
    assert_eq!(becomes(&facts, A, Role::Syncing), [to]);
    assert_eq!(becomes(&facts, A, Role::Standby), [2120.0], "the first copy after the cut");
    // Ten writes a second, the first after 50 ms, which a took from the cut until it gave way.
    let lost = (10.0 * (to - 1000.0) + 0.5).floor() as u64;
    let book = facts.iter().find_map(|(_, fact)| match fact {
        Fact::Book { totals, .. } => Some((totals.acked, totals.lost)),
        _ => None,
    });
    assert_eq!(book, Some((36_000, lost)));
    // The active node hears nothing, and goes on; the standby hears it.
    let facts = told(Direction::Backward);
    let seen = suspicions(&facts);
    let &[(at, A, Sense::Beats)] = seen.as_slice() else { panic!("{seen:?}") };
    between(at, 1002.0, 1003.0);
    assert!(becomes(&facts, B, Role::TakingOver).is_empty() && split_brains(&facts).is_empty());
    assert_eq!(becomes(&facts, A, Role::Active), [0.0]);
}

#[test]
fn random_cuts_of_one_direction_are_suspected_by_one_side() {
    for (direction, who) in [("forward", 1), ("backward", 0)] {
        let fault = format!(
            "latency = \"0s\"\nfailures.cut = {{ mttf = \"1h\", duration = \"1m\", direction = \"{direction}\" }}"
        );
        let setup = ready(&pair(&line("one", &fault), PLAIN), &[], 5);
        let seen = counted(&setup, 20, hours(100.0));
        assert!(seen.iter().map(|(cuts, _)| cuts).sum::<usize>() > 1_500);
        for (run, (cuts, by)) in seen.iter().enumerate() {
            assert_eq!((by[who], by[1 - who]), (*cuts, 0), "{direction}, run {run}");
        }
    }
}

/// An echo and a poll need both ways, so either cut isolates both servers of a pair, by heartbeats or by polls: the
/// Standby becomes Main, and as arbitration needs both ways too, there are two until the cut is over.
#[test]
fn a_cut_of_one_direction_makes_main_main() {
    let told = |direction| scripted(&pair(&at_once(), SCADA), &for_a_while(Classes::ALL, direction), true);
    let by = |facts: &[(Instant, Fact)], who: NodeId, sense: Sense| -> Vec<f64> {
        let seen = suspicions(facts);
        seen.iter().filter(|(_, node, by)| (*node, *by) == (who, sense)).map(|(at, ..)| *at).collect()
    };
    // The Standby no longer hears: 30 s after the last beat, and 10 s for the drivers. Main hears that there is another
    // one, so arbitration has had its 5 s long before its answer comes through: with the next beat but one.
    let facts = told(Direction::Forward);
    let suspected = by(&facts, B, Sense::Beats)[0];
    between(suspected, 1029.0, 1030.0);
    assert!(by(&facts, A, Sense::Beats).is_empty());
    let split = split_brains(&facts);
    let &[(from, to)] = split.as_slice() else { panic!("{split:?}") };
    assert_eq!(from, suspected + 10.0);
    between(to, 2000.0, 2002.0);
    assert_eq!(becomes(&facts, B, Role::Syncing), [to], "the one that was Main for longer stays");
    // Main no longer hears. The Standby does; a poll every 10 s that has no answer for 30 s tells it.
    let facts = told(Direction::Backward);
    between(by(&facts, A, Sense::Beats)[0], 1029.0, 1030.0);
    assert!(by(&facts, B, Sense::Beats).is_empty());
    let suspected = by(&facts, B, Sense::Poll)[0];
    between(suspected, 1030.0, 1040.0);
    let split = split_brains(&facts);
    let &[(from, to)] = split.as_slice() else { panic!("{split:?}") };
    assert_eq!(from, suspected + 10.0);
    // Only now does Main hear of the other one, within a beat, and arbitration takes its 5 s.
    between(to, 2005.0, 2006.0);
    assert_eq!(becomes(&facts, B, Role::Syncing), [to]);
    // Under "remain" it is isolated instead.
    let remain = format!("{SCADA}\nisolated_standby = \"remain\"");
    for direction in [Direction::Forward, Direction::Backward] {
        let steps = for_a_while(Classes::ALL, direction);
        let facts = scripted(&pair(&at_once(), &remain), &steps, true);
        assert_eq!(becomes(&facts, B, Role::Isolated).len(), 1, "{direction:?}");
        assert!(split_brains(&facts).is_empty());
    }
}

/// Changes of a replication, in order.
fn replication(facts: &[(Instant, Fact)]) -> Vec<(f64, String)> {
    let changes = facts.iter().filter_map(|(at, fact)| match fact {
        Fact::Replication { change, .. } => Some((at.as_secs(), format!("{change:?}"))),
        _ => None,
    });
    changes.collect()
}

#[test]
fn a_cut_of_one_class_stops_what_needs_it_and_nothing_else() {
    let told = |policy: &str, classes| {
        scripted(&pair(&at_once(), policy), &for_a_while(classes, Direction::Both), true)
    };
    let is_quiet = |policy: &str, classes| {
        let same = |facts: Vec<(Instant, Fact)>| -> Vec<_> {
            facts.into_iter().filter(|(_, fact)| !matches!(fact, Fact::Fault { .. })).collect()
        };
        assert_eq!(same(told(policy, classes)), same(scripted(&pair(&at_once(), policy), &[], true)));
    };
    // Heartbeats: both suspect, the standby takes over, and both accept until the first beat after the cut.
    let facts = told(PLAIN, Classes::HEARTBEAT);
    assert_eq!(suspicions(&facts).len(), 2);
    let split = split_brains(&facts);
    let &[(from, to)] = split.as_slice() else { panic!("{split:?}") };
    between(from, 1003.0, 1004.0);
    between(to, 2000.0, 2001.0);
    // Replication: nobody suspects, no role changes; the copy is held up, given up after a minute, and made anew.
    let facts = told(PLAIN, Classes::REPLICATION);
    assert_eq!(suspicions(&facts), []);
    assert_eq!((becomes(&facts, A, Role::Active), becomes(&facts, B, Role::Standby)), (vec![0.0], vec![0.0]));
    let after = [(1000.0, "Stalls"), (1060.0, "Breaks"), (2000.0, "Begins"), (2120.0, "InStep")];
    assert_eq!(replication(&facts), after.map(|(at, change)| (at, change.to_owned())));
    // Nothing is lost by that alone; what a crash during the cut takes along is everything since the cut.
    let lost = |facts: &[(Instant, Fact)]| -> u64 {
        facts.iter().map(|(_, f)| if let Fact::Lost { loss, .. } = f { loss.count } else { 0 }).sum()
    };
    assert_eq!(lost(&facts), 0);
    for (classes, count) in [(Classes::REPLICATION, 5_000), (Classes::ECHO, 0), (Classes::CLIENT, 0)] {
        let steps = [(1000.0, cut(ONE, classes, Direction::Both)), (1500.0, CRASH)];
        let facts = scripted(&pair(&at_once(), PLAIN), &steps, true);
        assert_eq!(lost(&facts), count, "{classes:?}");
        assert_eq!(becomes(&facts, B, Role::Active).len(), 1);
    }
    // Echo requests, which this protocol does not make; clients and devices, which come another way.
    is_quiet(PLAIN, Classes::ECHO);
    is_quiet(PLAIN, Classes::CLIENT);
    is_quiet(PLAIN, Classes::FIELD);
}

#[test]
fn a_cut_of_one_class_tells_a_pair_of_servers_different_things() {
    let remain = format!("{SCADA}\nisolated_standby = \"remain\"");
    let told = |policy: &str, classes| {
        scripted(&pair(&at_once(), policy), &for_a_while(classes, Direction::Both), true)
    };
    // Echo alone: both see it fail, after three attempts, and do nothing.
    let facts = told(SCADA, Classes::ECHO);
    let seen = suspicions(&facts);
    assert!(seen.len() == 2 && seen.iter().all(|(at, _, by)| *by == Sense::Echo && *at < 1020.0), "{seen:?}");
    assert_eq!((becomes(&facts, B, Role::Standby).len(), split_brains(&facts).len()), (1, 0));
    // The server link alone: the host answers, so the Standby is not isolated; it takes the server for dead and becomes
    // Main, whatever is set for isolation.
    for policy in [SCADA, &remain] {
        let facts = told(policy, Classes::HEARTBEAT);
        assert!(suspicions(&facts).iter().all(|(_, _, by)| *by != Sense::Echo));
        let split = split_brains(&facts);
        let &[(from, to)] = split.as_slice() else { panic!("{split:?}") };
        between(from, 1039.0, 1040.0);
        between(to, 2005.0, 2006.0);
    }
    // Server link and echo: isolated. "Remain" is what makes the difference.
    let link_and_echo = Classes::HEARTBEAT.union(Classes::ECHO);
    assert_eq!(split_brains(&told(SCADA, link_and_echo)).len(), 1);
    let facts = told(&remain, link_and_echo);
    assert_eq!((becomes(&facts, B, Role::Isolated).len(), split_brains(&facts).len()), (1, 0));
    // Transfers alone: after the request time-out the Standby is out of step, and needs a first pass of 10 s.
    let facts = told(SCADA, Classes::REPLICATION);
    assert_eq!(suspicions(&facts), []);
    assert_eq!(becomes(&facts, B, Role::Syncing), [1060.0]);
    assert_eq!(becomes(&facts, B, Role::Standby), [0.0, 2010.0]);
    assert!(split_brains(&facts).is_empty());
}

/// The way of clients to the active node alone: the service is down, and no server learns of it.
#[test]
fn a_cut_of_clients_is_an_outage_that_no_server_sees() {
    let links = at_once()
        + "[sites.town]\n[links.road]\nbetween = [\"town\", \"a\"]\n[links.lane]\nbetween = [\"town\", \"b\"]\n";
    let listed = "\nreach = { a = \"road\", b = \"lane\" }";
    for reach in ["", listed] {
        let client = format!("to = \"g\"\nsite = \"town\"{reach}");
        let text = pair(&links, PLAIN).replace("to = \"g\"", &client);
        for (classes, down) in [(Classes::CLIENT, 500.0), (Classes::FIELD, 0.0), (Classes::HEARTBEAT, 0.0)] {
            let steps = [(1000.0, cut(TWO, classes, Direction::Both)), (1500.0, heal(TWO))];
            let facts = scripted(&text, &steps, true);
            assert_eq!(suspicions(&facts), []);
            assert_eq!(becomes(&facts, A, Role::Active), [0.0]);
            let service = facts.iter().filter_map(|(at, fact)| match fact {
                Fact::Service { up, .. } => Some((at.as_secs(), *up)),
                _ => None,
            });
            let service: Vec<_> = service.collect();
            let lasted: f64 = service.windows(2).filter(|w| !w[0].1).map(|w| w[1].0 - w[0].0).sum();
            assert_eq!(lasted, down, "{classes:?}: {service:?}");
        }
    }
}
