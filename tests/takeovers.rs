//! What is told of takeovers, from faults at exact times: from which fault the times count, which takeovers have one
//! at all, and when one counts as failed. And the cause of downtime while a node withholds itself.

mod common;

use common::*;
use failsim::engine::time::{Instant, Span};
use failsim::measure::simulate_with;
use failsim::policy::contract::{Phase, Role, Stance};
use failsim::policy::facts::Fact;
use failsim::stats::test::kolmogorov_smirnov;
use failsim::system::ids::{GroupId, LinkId, NodeId};
use failsim::system::spec::{Action, Classes, Direction, Effect, Scope};
use failsim::theory::detector::lease_detection;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const LINK: LinkId = LinkId(0);

/// Three nodes that start at once, of which the group uses `members`.
fn nodes(members: &str, policy: &str) -> String {
    format!(
        "title = \"scripted\"\n[nodes.a]\nstart = \"0s\"\nrestart = \"0s\"\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n\
         [nodes.c]\nlike = \"a\"\n[links.ab]\nbetween = [\"a\", \"b\"]\n[groups.g]\nnodes = [{members}]\n{policy}"
    )
}

/// Suspects 4 to 5 s after the last beat, and takes over in 2 s.
const PAIR: &str = "[groups.g.policy.active-passive]\nheartbeat = \"1s\"\ntimeout = \"5s\"\ntakeover = \"2s\"\nlag = \"0s\"\n";

fn pair() -> String {
    nodes("\"a\", \"b\"", PAIR)
}

/// What happens in one run of `text`, whose steps come at times in seconds.
fn told(text: &str, steps: &[(f64, Action)]) -> Vec<(Instant, Fact)> {
    scripted(text, steps, true)
}

/// Took, detection, mistaken, ordered of each failover.
fn failovers(facts: &[(Instant, Fact)]) -> Vec<(Option<Span>, Option<Span>, bool, bool)> {
    let all = facts.iter().filter_map(|(_, fact)| match *fact {
        Fact::Failover { took, detection, mistaken, ordered, .. } => {
            Some((took, detection, mistaken, ordered))
        }
        _ => None,
    });
    all.collect()
}

fn failed(facts: &[(Instant, Fact)]) -> usize {
    facts.iter().filter(|(_, fact)| matches!(fact, Fact::FailoverFailed { .. })).count()
}

#[track_caller]
fn one(facts: &[(Instant, Fact)]) -> (Option<f64>, Option<f64>, bool, bool) {
    let all = failovers(facts);
    let &[(took, detection, mistaken, ordered)] = all.as_slice() else { panic!("{all:?}") };
    (took.map(Span::as_secs), detection.map(Span::as_secs), mistaken, ordered)
}

#[test]
fn a_takeover_counts_from_the_crash() {
    let facts = told(&pair(), &[(100.0, crash(A))]);
    let (Some(took), Some(detection), false, false) = one(&facts) else { panic!("{:?}", one(&facts)) };
    assert!((4.0..=5.0).contains(&detection), "{detection}");
    assert!((took - detection - 2.0).abs() < 1e-6, "{took} {detection}");
    assert_eq!(failed(&facts), 0);
}

#[test]
fn it_counts_from_the_pause_that_a_crash_ended() {
    let facts = told(&pair(), &[(100.0, pause(A)), (103.0, crash(A))]);
    let (Some(took), ..) = one(&facts) else { panic!("{:?}", one(&facts)) };
    assert!((6.0..=7.0).contains(&took), "{took}");
}

#[test]
fn an_earlier_pause_that_is_over_does_not_count() {
    let facts = told(&pair(), &[(100.0, pause(A)), (101.0, restore(A)), (900.0, crash(A))]);
    let (Some(took), ..) = one(&facts) else { panic!("{:?}", one(&facts)) };
    assert!((6.0..=7.0).contains(&took), "{took}");
}

#[test]
fn an_ordered_one_has_no_fault_to_count_from() {
    let order = Action::Changeover { group: GroupId(0), to: Some(B) };
    // A crash long ago that the role survived does not turn into one.
    let facts = told(&pair(), &[(100.0, crash(B)), (200.0, restore(B)), (1800.0, order)]);
    assert_eq!(one(&facts), (None, None, false, true));
}

#[test]
fn only_a_node_that_was_up_at_the_fault_and_stayed_up_is_timed() {
    // Both dead: B comes back first and takes over, half an hour after A failed.
    let both = [(100.0, crash(A)), (102.0, crash(B)), (1900.0, restore(B))];
    assert_eq!(one(&told(&pair(), &both)), (None, None, false, false));
    // Dead before and back before the takeover.
    let before = [(90.0, crash(B)), (100.0, crash(A)), (101.0, restore(B))];
    assert_eq!(one(&told(&pair(), &before)), (None, None, false, false));
    // Standing still when it has taken over and its clients have not found it yet.
    let text = pair() + "[clients.k]\nto = \"g\"\nwrites = \"1/s\"\nreconnect = \"60s\"\n";
    let unserved = [(100.0, crash(A)), (110.0, pause(B)), (150.0, restore(B))];
    assert_eq!(one(&told(&text, &unserved)), (None, None, false, false));
    // Standing still at the fault, and after it.
    let at = [(90.0, pause(B)), (100.0, crash(A)), (150.0, restore(B))];
    let after = [(100.0, crash(A)), (101.0, pause(B)), (150.0, restore(B))];
    for steps in [at, after] {
        let (took, detection, ..) = one(&told(&pair(), &steps));
        assert_eq!((took, detection), (None, None), "{steps:?}");
    }
}

#[test]
fn what_a_third_node_suspects_makes_no_takeover_fail() {
    // C suspects A as well, and leaves the role to B: that is one takeover, and nothing failed.
    let facts = told(&nodes("\"a\", \"b\", \"c\"", PAIR), &[(100.0, crash(A)), (1000.0, restore(A))]);
    assert_eq!(failovers(&facts).len(), 1);
    assert_eq!(failed(&facts), 0);
    // A pause that is over before anybody has taken over: begun, and called off.
    let facts = told(&nodes("\"a\", \"b\", \"c\"", PAIR), &[(100.0, pause(A)), (105.5, restore(A))]);
    assert_eq!(failovers(&facts).len(), 0);
    assert_eq!(failed(&facts), 1);
}

/// Whether each incident is in the class of the loss bound.
fn in_class(facts: &[(Instant, Fact)]) -> Vec<bool> {
    let all = facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Incident { incident, .. } => Some(incident.in_class),
        _ => None,
    });
    all.collect()
}

/// What losses say of the class of their incident.
fn losses_in_class(facts: &[(Instant, Fact)]) -> Vec<bool> {
    let all = facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Lost { loss, .. } => loss.incident.map(|incident| incident.in_class),
        _ => None,
    });
    all.collect()
}

fn cut(link: LinkId) -> Action {
    Action::Cut { link, classes: Classes::ALL, direction: Direction::Both }
}

#[test]
fn a_cut_between_two_others_is_another_fault() {
    let text = nodes("\"c\", \"a\", \"b\"", PAIR);
    assert_eq!(in_class(&told(&text, &[(100.0, crash(NodeId(2)))])), [true]);
    let parted = told(&text, &[(99.0, cut(LINK)), (100.0, crash(NodeId(2)))]);
    assert!(!in_class(&parted)[0], "a and b do not hear each other when c dies");
}

#[test]
fn a_way_that_opens_is_no_further_fault_and_one_that_closes_is() {
    // The clients' link: nothing the pair's own traffic uses.
    let text = pair().replace(PAIR, &PAIR.replace("lag = \"0s\"", "lag = \"1s\""))
        + "[clients.k]\nto = \"g\"\nwrites = \"100/s\"\nreach = { a = \"ka\" }\n\
           [links.ka]\nbetween = [\"k\", \"a\"]\ncarries = [\"client\"]\n";
    let ka = LinkId(1);
    let opens = [(98.0, cut(ka)), (99.5, Action::Heal { link: ka }), (100.0, crash(A))];
    let facts = told(&text, &opens);
    assert_eq!(losses_in_class(&facts), [true], "writes of the last second are lost");
    let during = [(99.9, cut(ka)), (100.0, crash(A)), (101.0, Action::Heal { link: ka })];
    let facts = told(&text, &[&during[..], &[(600.0, restore(A))]].concat());
    assert_eq!(losses_in_class(&facts), [true], "a way opened");
    let closes = [(100.0, crash(A)), (101.0, cut(ka)), (600.0, restore(A))];
    assert_eq!(losses_in_class(&told(&text, &closes)), [false], "a way closed");
}

/// When incidents happened, in seconds.
fn incidents(facts: &[(Instant, Fact)]) -> Vec<f64> {
    let all = facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Incident { incident, .. } => Some(incident.at.as_secs()),
        _ => None,
    });
    all.collect()
}

#[test]
fn a_pause_that_is_over_is_behind_no_later_takeover() {
    // B has taken over from A, and stands still for a second before its clients have found it: nothing follows from that.
    let text = pair() + "[clients.k]\nto = \"g\"\nwrites = \"1/s\"\nreconnect = \"60s\"\n";
    let before = [(100.0, crash(A)), (110.0, pause(B)), (111.0, restore(B)), (300.0, restore(A))];
    // What makes A take over at last is the cut.
    let facts =
        told(&text, &[&before[..], &[(1000.0, cut(LINK)), (1100.0, Action::Heal { link: LINK })]].concat());
    assert_eq!(incidents(&facts), [100.0, 110.0, 1000.0]);
    let losses = facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Lost { loss, .. } => loss.incident.map(|incident| incident.at.as_secs()),
        _ => None,
    });
    assert_eq!(losses.collect::<Vec<_>>(), [1000.0]);
    // And a crash of B, much later, is a single fault.
    let facts = told(&text, &[&before[..], &[(1000.0, crash(B))]].concat());
    assert_eq!(in_class(&facts), [true, false, true]);
}

#[test]
fn a_takeover_fails_when_the_one_before_is_back_whoever_reaches_it() {
    // A stands still for as long as it takes B to begin; its clients cannot reach it when it goes on.
    let text = nodes("\"a\", \"b\", \"c\"", PAIR)
        + "[clients.k]\nto = \"g\"\nwrites = \"1/s\"\nreach = { a = \"ka\" }\n\
           [links.ka]\nbetween = [\"k\", \"a\"]\ncarries = [\"client\"]\n";
    let ka = LinkId(1);
    let steps =
        [(100.0, pause(A)), (105.4, cut(ka)), (105.5, restore(A)), (110.0, Action::Heal { link: ka })];
    let facts = told(&text, &steps);
    let failed = facts.iter().filter(|(_, fact)| matches!(fact, Fact::FailoverFailed { .. }));
    assert_eq!(failed.map(|(at, _)| *at).collect::<Vec<_>>(), [instant(105.5)]);
    assert_eq!(failovers(&facts), []);
}

#[test]
fn an_order_that_is_refused_plans_nothing() {
    let order = Action::Changeover { group: GroupId(0), to: Some(B) };
    // B is not there, and A does not hand over to it. What happens afterwards is A's crash.
    let text = pair() + "[clients.k]\nto = \"g\"\nwrites = \"1/s\"\nreconnect = \"0s\"\n";
    let facts = told(&text, &[(50.0, crash(B)), (100.0, order), (110.0, restore(B)), (400.0, crash(A))]);
    assert!(!one(&facts).3, "nobody ordered this one");
    let (causes, total) = (causes(&facts), |c: &[(Phase, u64)]| c.iter().map(|(_, secs)| secs).sum::<u64>());
    assert!(causes.iter().all(|(phase, _)| *phase != Phase::Planned), "{causes:?}");
    assert!((6..=7).contains(&total(&causes)), "{causes:?}");
    // Nor does one that nobody hears: A stands still.
    let facts = told(&text, &[(100.0, pause(A)), (100.5, order), (101.0, restore(A)), (400.0, crash(A))]);
    assert!(!one(&facts).3, "nobody ordered this one");
    assert!(self::causes(&facts).iter().all(|(phase, _)| *phase != Phase::Planned));
}

#[test]
fn an_order_ends_with_the_node_that_was_to_hand_over() {
    // The last writes take 10 s to B. A dies after 4 s of them; B suspects it 4 to 5 s after its last beat, and takes 2 s.
    let text = pair().replace("lag = \"0s\"", "lag = \"10s\"")
        + "[clients.k]\nto = \"g\"\nwrites = \"1/s\"\nreconnect = \"0s\"\n";
    let order = Action::Changeover { group: GroupId(0), to: Some(B) };
    let carried_out = told(&text, &[(100.0, order)]);
    assert_eq!(causes(&carried_out), [(Phase::Planned, 12)]);
    assert!(one(&carried_out).3);
    let facts = told(&text, &[(100.0, order), (104.0, crash(A))]);
    let causes = causes(&facts);
    assert_eq!(causes[0], (Phase::Planned, 4));
    assert!(causes[1..].iter().all(|(phase, _)| *phase == Phase::Detect), "{causes:?}");
    let (Some(took), _, _, false) = one(&facts) else { panic!("{:?}", one(&facts)) };
    assert!((6.0..=7.0).contains(&took), "{took}");
}

#[test]
fn every_part_that_is_handed_over_is_handed_over_by_order() {
    // Two parts, two spares: one order moves both.
    let policy = PAIR.to_owned() + "active = 2\n";
    let text =
        nodes("\"a\", \"b\", \"c\", \"d\"", &policy).replace("[links", "[nodes.d]\nlike = \"a\"\n[links");
    let facts = told(&text, &[(100.0, Action::Changeover { group: GroupId(0), to: None })]);
    let ordered: Vec<_> = failovers(&facts).into_iter().map(|(.., ordered)| ordered).collect();
    assert_eq!(ordered, [true, true]);
}

#[test]
fn a_node_that_stood_still_when_it_died_was_taken_away_once() {
    let facts = told(&pair(), &[(100.0, pause(A)), (103.0, crash(A))]);
    let incidents: Vec<_> = facts
        .iter()
        .filter_map(|(_, fact)| match fact {
            Fact::Incident { incident, .. } => Some((incident.at.as_secs(), incident.number)),
            _ => None,
        })
        .collect();
    assert_eq!(incidents, [(100.0, 1)]);
    let (Some(took), Some(_), false, false) = one(&facts) else { panic!("{:?}", one(&facts)) };
    assert!((6.0..=7.0).contains(&took), "{took}");
}

/// B takes over during a cut, and dies while A still serves as well; C takes over from A long after that.
#[test]
fn a_takeover_counts_from_the_fault_of_the_node_that_served_last() {
    let policy = PAIR.replace("timeout = \"5s\"", "timeout = \"5s\"\nreplication = \"none\"");
    let steps =
        [(100.0, cut(LINK)), (107.5, crash(B)), (108.0, Action::Heal { link: LINK }), (1000.0, crash(A))];
    let facts = told(&nodes("\"a\", \"b\", \"c\"", &policy), &steps);
    let all = failovers(&facts);
    let [.., (Some(took), Some(detection), false, false)] = all[..] else { panic!("{all:?}") };
    let (took, detection) = (took.as_secs(), detection.as_secs());
    assert!((6.0..=7.0).contains(&took) && (4.0..=5.0).contains(&detection), "{all:?}");
}

/// Downtime by cause, as the service tells it, in whole seconds.
fn causes(facts: &[(Instant, Fact)]) -> Vec<(Phase, u64)> {
    let mut list: Vec<(Phase, u64)> = Vec::new();
    let mut since: Option<(Instant, Phase)> = None;
    for (at, fact) in facts {
        let Fact::Service { up, cause, .. } = *fact else { continue };
        if let Some((from, phase)) = since.take() {
            list.push((phase, (*at - from).as_secs().round() as u64));
        }
        since = (!up).then_some((*at, cause));
    }
    list
}

#[test]
fn a_node_that_withholds_itself_lacks_a_quorum() {
    // Main dies during a cut; B is isolated and waits. When the cut ends B hears nobody and goes on waiting.
    let policy = "[groups.g.policy.hot-standby]\nisolated_standby = \"remain\"\nheartbeat = \"1ms\"\n\
                  heartbeat_timeout = \"30s\"\necho_interval = \"5s\"\ndriver_start = \"10s\"\n";
    let text = nodes("\"a\", \"b\"", policy);
    // Isolated since second 130: whoever could act is waiting from the crash on, until A is back and hears B.
    let facts = told(
        &text,
        &[(100.0, cut(LINK)), (200.0, crash(A)), (900.0, Action::Heal { link: LINK }), (1500.0, restore(A))],
    );
    let causes = causes(&facts);
    assert_eq!(causes[0], (Phase::NoQuorum, 1300), "{causes:?}");
    // The crash first: nobody is isolated until the time-out is over, and B has not noticed yet.
    let facts = told(&text, &[(100.0, crash(A)), (100.0, cut(LINK)), (900.0, restore(A))]);
    let causes = self::causes(&facts);
    assert_eq!(causes[..2], [(Phase::Detect, 30), (Phase::NoQuorum, 770)], "{causes:?}");
}

#[test]
fn a_crash_soon_after_a_stall_loses_what_had_piled_up() {
    // Stalled from 100 to 130 s, then four times as fast as writes arise: at 135 s the copy is as of 120 s, at 140 s it
    // has caught up. Writes are evenly spaced, a hundred a second; then the lag of a second is all it is behind, and
    // what was on its way is drawn with that mean.
    let policy = PAIR.replace("lag = \"0s\"", "lag = \"1s\"\ncatch_up_speed = 4");
    let text = nodes("\"a\", \"b\"", &policy)
        + "[clients.k]\nto = \"g\"\nwrites = \"100/s\"\narrivals = \"fixed\"\n";
    let replication = Action::Cut { link: LINK, classes: Classes::REPLICATION, direction: Direction::Both };
    for (crashed, lost, in_class) in [(135.0, 1500, false), (139.0, 300, false), (141.0, 100, true)] {
        let steps = [
            (100.0, replication),
            (130.0, Action::Heal { link: LINK }),
            (crashed, Action::Fail { node: A, scope: Scope::Host, effect: Effect::CrashDiskLoss }),
        ];
        let facts = told(&text, &steps);
        let all: u64 = facts
            .iter()
            .filter_map(|(_, fact)| if let Fact::Lost { loss, .. } = fact { Some(loss.count) } else { None })
            .sum();
        let drawn = if in_class { 50 } else { 0 };
        assert!(all.abs_diff(lost) <= drawn, "crash at {crashed}: {all}");
        assert!(all > 0, "crash at {crashed}");
        assert_eq!(losses_in_class(&facts).iter().all(|in_class| *in_class), in_class, "crash at {crashed}");
    }
}

/// A lease of 30 s that is renewed every 10 s has run 0 to 10 s of its length when its holder crashes: detection takes
/// from 20 to 30 s, each as likely (the case `lease_detection_mean`).
#[test]
fn a_lease_runs_out_as_late_as_theory_says() {
    let text = nodes(
        "\"a\", \"b\"",
        "[groups.g.policy.active-passive]\nheartbeat = \"10s\"\ndetector = { lease = { ttl = \"30s\", margin = \"0s\" } }\ntakeover = \"0s\"\n\
         lag = \"0s\"\n",
    ) + "[nodes.a.failures]\ncrash = { mtbf = \"3h\", repair = { uniform = [\"10m\", \"20m\"] } }\n";
    let setup = ready(&text, &[], 5);
    let law = lease_detection(30.0, 10.0, 0.0).unwrap();
    let mut took = Vec::new();
    for run in 0..40 {
        let (_, facts) = simulate_with(&setup, run, hours(24.0 * 60.0), Vec::new());
        took.extend(facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Failover { detection: Some(detection), .. } => Some(detection.as_secs()),
            _ => None,
        }));
    }
    assert!(took.len() > 4000, "{} failovers", took.len());
    mean_within("a lease's detection", law.mean(), took.iter().copied(), 1.0 - 1e-4, 0.01);
    let fit = kolmogorov_smirnov(&took, |secs| law.cdf(secs));
    assert!(fit.p_value > 1e-4, "p = {:e} of {} times", fit.p_value, took.len());
    let (least, most) = took.iter().fold((f64::MAX, 0.0_f64), |(a, b), &x| (a.min(x), b.max(x)));
    assert!(least >= 20.0 && most <= 30.0, "from {least} to {most} s");
}

/// When processes end and begin again through planned work on both nodes of a pair, in seconds, and the role of B at the
/// first end.
fn planned(changeover: bool) -> (Vec<(f64, NodeId, bool)>, bool) {
    let text = nodes("\"a\", \"b\"", PAIR)
        + "[maintenance.patches]\nnodes = [\"a\", \"b\"]\nevery = { fixed = \"1h\" }\nduration = { fixed = \"5m\" }\n\
           pause = { fixed = \"10m\" }\n"
        + &format!("changeover = {changeover}\n");
    let (_, facts) = simulate_with(&ready(&text, &[], 1), 0, hours(2.5), Vec::new());
    let down = facts.iter().position(|(_, fact)| matches!(fact, Fact::Process { up: false, .. }));
    let roles = facts[..down.expect("planned work")].iter().rev();
    let b_accepts = roles
        .filter_map(|(_, fact)| match fact {
            Fact::Stance { node: B, stance } => Some(stance.accepts.is_some()),
            _ => None,
        })
        .next();
    let processes = facts.iter().filter_map(|(at, fact)| match *fact {
        Fact::Process { node, up } if *at > Instant::ZERO => Some((at.as_secs(), node, up)),
        _ => None,
    });
    (processes.collect(), b_accepts.expect("a role"))
}

/// Planned work goes from node to node: each is down for its time, and the next one is only touched after a pause.
#[test]
fn planned_work_waits_between_nodes() {
    let (processes, b_accepts) = planned(false);
    let minutes: Vec<_> = processes.into_iter().map(|(at, node, up)| (at / 60.0, node, up)).collect();
    let expected = [
        (60.0, A, false),
        (65.0, A, true),
        (75.0, B, false),
        (80.0, B, true),
        (140.0, A, false),
        (145.0, A, true),
    ];
    assert_eq!(minutes, expected);
    assert!(!b_accepts, "nobody has asked it to");
}

/// The active role leaves a node before it is worked on: it is looked every 5 s whether it has.
#[test]
fn planned_work_waits_for_the_role_to_move() {
    let (processes, b_accepts) = planned(true);
    assert!(b_accepts, "B serves before A goes");
    assert_eq!(processes[..2], [(3605.0, A, false), (3905.0, A, true)]);
    assert_eq!(processes[2], (4510.0, B, false), "ten minutes later, and 5 s for its role");
}

/// A pair whose standby applies what it receives only later, in either form.
fn replaying(policy: &str, skips: bool, steps: &[(f64, Action)]) -> Vec<(Instant, Fact)> {
    let clients = "[clients.k]\nto = \"g\"\nwrites = \"1/s\"\nreconnect = \"0s\"\n";
    let text = format!("{}{policy}{clients}", nodes("\"a\", \"b\"", PAIR));
    scripted(&text, steps, skips)
}

/// When B began to take A's part, and when it had it.
fn taking(facts: &[(Instant, Fact)]) -> (f64, f64) {
    let when = |holds: &dyn Fn(&Stance) -> bool| {
        let found = facts.iter().find(|(_, fact)| match fact {
            Fact::Stance { node: B, stance } => holds(stance),
            _ => false,
        });
        found.expect("B takes over").0.as_secs()
    };
    (when(&|stance| stance.role == Role::TakingOver), when(&|stance| stance.accepts.is_some()))
}

/// Lag of replaying costs time and no data: whoever takes over first applies what it has received.
#[test]
fn a_takeover_waits_until_all_that_was_received_is_applied() {
    for skips in [true, false] {
        let after = |replay: &str| {
            let policy = format!("replay_lag = \"{replay}\"\n");
            let facts = replaying(&policy, skips, &[(600.0, crash(A))]);
            let lost = facts.iter().filter(|(_, fact)| matches!(fact, Fact::Lost { .. }));
            assert_eq!(lost.count(), 0, "all was received: {replay}");
            let (took, detection, ..) = one(&facts);
            (took.expect("timed"), detection.expect("suspected"))
        };
        // A backlog of 30 s is worked off during the silence and after it; then come the 2 s.
        let (took, detection) = after("30s");
        assert!((took - 32.0).abs() < 1e-6 && detection < 5.0, "{took} {detection}");
        // A short one is over before anybody suspects.
        let (took, detection) = after("1s");
        assert!((took - detection - 2.0).abs() < 1e-6, "{took} {detection}");
    }
}

#[test]
fn what_a_standby_has_not_applied_waits_while_it_does_not_run() {
    let policy = "replay_lag = \"30s\"\nstale_takeover = true\n";
    let near =
        |found: f64, expected: f64, what: &str| assert!((found - expected).abs() < 1e-6, "{what}: {found}");
    for skips in [true, false] {
        let of = |steps: &[(f64, Action)]| taking(&replaying(policy, skips, steps));
        // 10 of the 30 s are done when B stands still, in the midst of its takeover. The rest follows, and the 2 s.
        let (_, has) = of(&[(600.0, crash(A)), (610.0, pause(B)), (650.0, restore(B))]);
        near(has, 672.0, "paused while it takes over");
        // Standing still before A dies it receives nothing from 590 on, and has everything to do at 650.
        let (_, has) = of(&[(590.0, pause(B)), (600.0, crash(A)), (650.0, restore(B))]);
        near(has, 682.0, "paused before");
        // Nothing comes from 600 on, 2 s of the backlog are done when B stands still, and the other 28 s wait.
        let (_, has) = of(&[(600.0, cut(LINK)), (602.0, pause(B)), (652.0, restore(B)), (653.0, crash(A))]);
        near(has, 682.0, "paused during a cut");
        // Down instead, it is back at 650 and waits for A first.
        let (takes, has) = of(&[(600.0, crash(A)), (602.0, crash(B)), (650.0, restore(B))]);
        assert!((654.0..=655.0).contains(&takes), "{takes}");
        near(has, 680.0, "down meanwhile");
    }
}

#[test]
fn replay_goes_on_while_a_person_is_on_the_way() {
    for (person, from_crash) in [(60.0, None), (10.0, Some(30.0))] {
        let policy = format!("replay_lag = \"30s\"\ncoverage = 0\nmanual = \"{person}s\"\n");
        for skips in [true, false] {
            let (takes, has) = taking(&replaying(&policy, skips, &[(600.0, crash(A))]));
            let expected = from_crash.map_or(takes + person, |wait| 600.0 + wait);
            assert!((has - expected).abs() < 1e-6, "{person}: {takes} {has}");
        }
    }
}

#[test]
fn a_standby_that_is_copied_to_until_it_takes_over_has_a_backlog_then() {
    // Heartbeats are cut and nothing else: B receives until it begins, applies that, and takes its 2 s.
    let heartbeats = Action::Cut { link: LINK, classes: Classes::HEARTBEAT, direction: Direction::Both };
    let clients = "[clients.k]\nto = \"g\"\nwrites = \"1/s\"\n";
    let text = format!("{}replay_lag = \"30s\"\n{clients}", nodes("\"a\", \"b\"", PAIR));
    for skips in [true, false] {
        let (takes, has) = taking(&scripted(&text, &[(600.0, heartbeats)], skips));
        assert!((has - takes - 32.0).abs() < 1e-6, "{takes} {has}");
    }
}
