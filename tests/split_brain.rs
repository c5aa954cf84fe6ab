//! Split brain happens, it is not computed: with which faults, under which settings, and never with fencing that
//! works. And what must hold in every run of every policy, whatever happens.

mod common;
#[path = "common/models.rs"]
#[allow(unreachable_pub)]
mod models;

use common::*;
use failsim::engine::probe::Probe;
use failsim::engine::time::{Instant, Span};
use failsim::measure::{Record, Summary};
use failsim::policy::facts::Fact;
use failsim::service::ledger::Totals;
use failsim::system::ids::{GroupId, LinkId, NodeId};
use failsim::system::spec::{Action, Classes, Direction};

const PAIR: &str = r#"
title = "cuts only"
[nodes.a]
start = "30s"
[nodes.b]
like = "a"
[links.lan]
between = ["a", "b"]
failures.cut = { mttf = "5d", duration = { exponential = "20m" } }
[groups.g]
nodes = ["a", "b"]
[groups.g.policy.hot-standby]
[field.plant]
to = "g"
events = "1/s"
during_dual = "latest"
[clients.people]
to = "g"
writes = "1/min"
reads = "1/s"
"#;

fn get(summary: &Summary, name: &str) -> f64 {
    figure(summary, name, 0.95).estimate
}

fn run(overrides: &[&str]) -> Summary {
    let setup = ready(PAIR, overrides, 41);
    summary(&setup, 40, hours(8766.0))
}

const REMAIN: &str = "groups.g.policy.hot-standby.isolated_standby=remain";
const PAUSES: [&str; 2] = [
    "nodes.*.failures={ stall = { effect = \"pause\", mttf = \"5d\", duration = { exponential = \"1m\" } } }",
    "links.lan.failures.cut.mttf=400y",
];

#[test]
fn cuts_split_a_pair_that_becomes_main_and_not_one_that_remains() {
    let becomes = run(&[]);
    assert!(get(&becomes, "split_brain_rate") > 20.0);
    assert!(get(&becomes, "lost_rate") > 1000.0, "the loser's events are lost");
    assert!(get(&becomes, "reconciliation_time_mean") > 0.0);
    let remains = run(&[REMAIN]);
    assert_eq!(get(&remains, "split_brain_rate"), 0.0);
    assert_eq!(get(&remains, "lost_rate"), 0.0);
    // With nothing but cuts between the servers Main serves on; remaining costs nothing until Main fails too.
    let crash = "nodes.*.failures={ crash = { mttf = \"10d\", repair = { exponential = \"2h\" } } }";
    let cuts = "links.lan.failures.cut={ mttf = \"5d\", duration = { exponential = \"12h\" } }";
    let (becomes, remains) = (run(&[crash, cuts]), run(&[crash, cuts, REMAIN]));
    assert!(get(&becomes, "split_brain_rate") > 0.0);
    // The Main may also crash while the link is cut: an isolated Standby then waits for nobody.
    assert!(get(&remains, "availability") < get(&becomes, "availability") - 1e-4);
}

#[test]
fn a_client_behind_the_cut_sees_less_of_a_pair_that_remains() {
    // Clients stand with the second server; the link is all that joins them to the first.
    let text = PAIR
        .replace("[nodes.a]", "[nodes.a]\nsite = \"north\"")
        .replace("[nodes.b]\nlike = \"a\"", "[nodes.b]\nlike = \"a\"\nsite = \"south\"")
        .replace("between = [\"a\", \"b\"]", "between = [\"north\", \"south\"]")
        .replace("[clients.people]", "[clients.people]\nsite = \"south\"");
    let of = |overrides: &[&str]| {
        let setup = ready(&text, overrides, 41);
        summary(&setup, 40, hours(8766.0))
    };
    let (becomes, remains) = (of(&[]), of(&[REMAIN]));
    assert!(get(&becomes, "split_brain_rate") > 20.0);
    assert_eq!(get(&remains, "split_brain_rate"), 0.0);
    assert!(get(&remains, "write_availability") < get(&becomes, "write_availability") - 1e-3);
}

#[test]
fn a_pause_can_split_either() {
    for more in [&[][..], &[REMAIN][..]] {
        // A process that stands still answers no heartbeat while its host answers the echo.
        let scope = "nodes.*.failures.stall.scope=process";
        let overrides: Vec<&str> =
            PAUSES.iter().copied().chain([scope]).chain(more.iter().copied()).collect();
        let seen = run(&overrides);
        assert!(get(&seen, "split_brain_rate") > 1.0, "{more:?}");
    }
    // A host that stands still answers nothing: that is isolation, and remaining makes no second Main.
    let hosts: Vec<&str> = PAUSES.into_iter().chain([REMAIN]).collect();
    assert_eq!(get(&run(&hosts), "split_brain_rate"), 0.0);
    assert!(get(&run(&PAUSES), "split_brain_rate") > 1.0);
}

/// Everything that can go wrong, on a pair or three that fence.
fn fenced(success: f64, policy: &str) -> Ready {
    let overrides =
        [format!("groups.store.policy.active-passive.fence_success={success}"), policy.to_owned()];
    ready(models::SPARE, &[&overrides[0], &overrides[1]], 43)
}

/// The most nodes that would accept one slot's writes at the same time.
#[derive(Clone, Debug, Default)]
struct Most(u8);

impl Probe<Fact> for Most {
    fn see(&mut self, _: Instant, fact: &Fact) {
        if let Fact::Acceptors { accepting, .. } = fact {
            self.0 = self.0.max(*accepting);
        }
    }
}

#[test]
fn fencing_that_works_leaves_one_in_every_run() {
    let horizon = hours(200.0);
    for policy in [
        "groups.store.policy.active-passive.active=1",
        "groups.store.policy.active-passive.active=2",
        "groups.store.policy.active-passive.failback=true",
        "groups.store.policy.active-passive.after_start=listen",
    ] {
        let seen = watched(&fenced(1.0, policy), 60, horizon, Most::default);
        let split = seen.iter().filter(|(_, most)| most.0 >= 2).count();
        assert_eq!(split, 0, "{policy}: two acceptors in {split} of 60 runs");
    }
    // The same without a fence, or with one that fails: the test would notice.
    let off = "groups.store.policy.active-passive.fencing=off";
    assert!(watched(&fenced(1.0, off), 20, horizon, Most::default).iter().any(|(_, most)| most.0 >= 2));
}

#[test]
fn what_was_handed_over_is_not_taken_back_beside_a_fenced_pair_s_new_holder() {
    let text = r#"
title = "a hand-over and a cut"
[nodes.a]
[nodes.b]
[links.lan]
between = ["a", "b"]
latency = "1ms"
[groups.g]
nodes = ["a", "b"]
[groups.g.policy.active-passive]
heartbeat = "1s"
timeout = "10s"
replication = "none"
fencing = "on"
[clients.people]
to = "g"
writes = "1/s"
"#;
    let over = Action::Changeover { group: GroupId(0), to: None };
    let cut = |classes| Action::Cut { link: LinkId(0), classes, direction: Direction::Both };
    for skips in [false, true] {
        // The second one is told and takes it, but its heartbeats no longer arrive: at the time-out it is fenced.
        let told = [(100.0, over), (100.002, cut(Classes::ALL))];
        // It is not told, and the offer is repeated once the way is free.
        let untold = [(99.9, cut(Classes::ALL)), (100.0, over), (101.0, Action::Heal { link: LinkId(0) })];
        for (steps, ends_at) in [(&told[..], NodeId(0)), (&untold[..], NodeId(1))] {
            let mut active = None;
            for (at, fact) in scripted(text, steps, skips) {
                match fact {
                    Fact::Acceptors { accepting, .. } => {
                        assert!(accepting < 2, "{skips}, {steps:?}: at {at}")
                    }
                    Fact::Stance { node, stance } if stance.accepts.is_some() => active = Some((at, node)),
                    _ => {}
                }
            }
            let (at, node) = active.expect("somebody serves");
            assert_eq!(node, ends_at, "{skips}, {steps:?}");
            assert!(at > instant(100.0) && at < instant(130.0), "{skips}, {steps:?}: at {at}");
        }
    }
}

/// Sets of nodes at one part of the work, each within the next: reached, accepting, believing.
#[derive(Clone, Debug, Default)]
struct Nested {
    seen: Vec<[u8; 3]>,
}

impl Probe<Fact> for Nested {
    fn see(&mut self, _: Instant, fact: &Fact) {
        if let Fact::Acceptors { believing, accepting, exposed, .. } = *fact {
            self.seen.push([exposed, accepting, believing]);
        }
    }
}

#[test]
fn whoever_accepts_a_part_believes_to_be_active_in_it() {
    let off = "groups.store.policy.active-passive.fencing=off";
    for active in [1, 2] {
        // With two parts: also while the other one has nobody.
        let overrides = [off.to_owned(), format!("groups.store.policy.active-passive.active={active}")];
        let setup = ready(models::SPARE, &[&overrides[0], &overrides[1]], 47);
        let seen = watched(&setup, 40, hours(200.0), Nested::default);
        let all = || seen.iter().flat_map(|(_, nested)| &nested.seen);
        assert!(all().any(|[_, accepting, _]| *accepting >= 2), "{active}: nothing to see");
        let wrong =
            all().find(|[exposed, accepting, believing]| exposed > accepting || accepting > believing);
        assert_eq!(wrong, None, "{active} active: exposed, accepting, believing");
    }
}

/// Sums a run up by itself.
#[derive(Clone, Debug, Default)]
struct Sums {
    down: Option<Instant>,
    downtime: Span,
    books: Vec<Totals>,
    lost: u64,
    in_loss: u64,
    windows: u32,
    breaches: u32,
}

impl Probe<Fact> for Sums {
    fn see(&mut self, now: Instant, fact: &Fact) {
        match fact {
            Fact::Service { up, .. } => match (self.down, up) {
                (None, false) => self.down = Some(now),
                (Some(since), true) => {
                    self.downtime += now - since;
                    self.down = None;
                }
                _ => {}
            },
            Fact::Book { totals, .. } => self.books.push(*totals),
            Fact::Lost { loss, breaks_bound, .. } => {
                assert!(loss.recovered + loss.merged <= loss.count);
                self.lost += loss.count;
                self.in_loss += 1;
                if *breaks_bound {
                    self.breaches += 1;
                    println!("at {now}: a bound is broken: {loss:?}");
                }
            }
            Fact::Acceptors { accepting, .. } => self.windows += u32::from(*accepting >= 2),
            _ => {}
        }
    }
}

#[test]
fn what_must_hold_in_every_run() {
    let horizon = hours(200.0);
    let spare = |key: &str| format!("groups.store.policy.active-passive.{key}");
    let scada = |key: &str| format!("groups.scada.policy.hot-standby.{key}");
    for (text, key) in [
        (models::SCADA, scada("duty_mode=false")),
        (models::SCADA, scada("duty_mode=true")),
        (models::SCADA, scada("isolated_standby=remain")),
        (models::SCADA, scada("isolated_main=become-standby")),
        (models::SCADA, scada("windback=true")),
        (models::SCADA, "cut_in_flight=arrive".into()),
        (models::SCADA, "nodes.*.timers_after_pause=frozen".into()),
        (models::SCADA, "groups.scada.policy={ single = {} }".into()),
        (models::SCADA, "groups.scada.policy={ active-passive = { timeout = \"5s\" } }".into()),
        (
            models::SCADA,
            "groups.scada.policy={ active-passive = { replication = \"sync\", timeout = \"5s\" } }".into(),
        ),
        (
            models::SCADA,
            "groups.scada.policy={ active-passive = { replication = \"backup\", timeout = \"5s\" } }".into(),
        ),
        (models::SPARE, spare("active=2")),
        (models::SPARE, spare("replication=sync")),
        (models::SPARE, spare("fencing=off")),
        (models::SPARE, spare("failback=true")),
        (models::WEB, "groups.web.policy.active-active.fail_open=true".into()),
    ] {
        let setup = ready(text, &[&key], 47);
        // The book of a pair whose losses are never all settled grows with its history: keep that short.
        let horizon = if key.contains("active-passive = {") { hours(40.0) } else { horizon };
        let seen = watched(&setup, 10, horizon, Sums::default);
        for (run, (record, sums)) in seen.iter().enumerate() {
            let what = format!("{key}, run {run}");
            // Down and up make the horizon; causes make the downtime.
            let folded = fold(&setup, horizon, [record]);
            let of = |name: &str| get(&folded, name);
            let year = 31_557_600.0;
            assert!((of("availability") + of("unavailability") - 1.0).abs() < 1e-12, "{what}");
            let downtime = of("downtime");
            assert!((downtime - of("unavailability") * year).abs() < 1e-6 * year, "{what}");
            let causes: f64 = folded
                .service(0.95)
                .iter()
                .filter(|(measure, _)| measure.name.starts_with("downtime_"))
                .map(|(_, figure)| figure.estimate)
                .sum();
            assert!((causes - downtime).abs() <= 1e-9 * downtime.max(1.0), "{what}: {causes} {downtime}");
            let open = sums.down.map_or(Span::ZERO, |since| Instant::ZERO + horizon - since);
            let mine = (sums.downtime + open).as_secs() / horizon.as_secs();
            if setup.model.clients.iter().all(|client| client.deadline == Span::ZERO) {
                assert!(
                    (mine - of("unavailability")).abs() < 1e-9,
                    "{what}: {mine} {}",
                    of("unavailability")
                );
            } else {
                assert!(of("unavailability") <= mine + 1e-12, "{what}");
            }
            assert!(of("safe_availability") <= of("availability") + 1e-12, "{what}");
            // Lost and kept make acknowledged.
            for book in &sums.books {
                assert_eq!(book.lost + book.kept, book.acked, "{what}");
            }
            let lost: u64 = sums.books.iter().map(|book| book.lost).sum();
            assert_eq!(lost, sums.lost, "{what}: the book and the losses told");
            if !key.contains("active-passive = {") {
                assert_eq!(sums.breaches, 0, "{what}: a bound was broken");
            }
        }
        let written =
            seen.iter().map(|(_, sums)| sums.books.iter().map(|book| book.acked).sum::<u64>()).sum::<u64>();
        assert_eq!(written > 0, !text.contains("active-active"), "{key}");
        no_node_alone_splits(&key, &seen);
    }
}

fn no_node_alone_splits(key: &str, seen: &[(Record, Sums)]) {
    if key.contains("single") {
        assert!(seen.iter().all(|(_, sums)| sums.windows == 0), "{key}");
    }
}

#[test]
fn duty_mode_merges_what_the_loser_took() {
    let duty = run(&["groups.g.policy.hot-standby.duty_mode=true"]);
    let plain = run(&[]);
    assert!(get(&duty, "split_brain_rate") > 20.0);
    assert_eq!(get(&duty, "split_brain_rate"), get(&plain, "split_brain_rate"));
    assert_eq!(get(&duty, "lost_rate"), 0.0);
    assert!(get(&plain, "lost_rate") > 0.0);
    assert!(try_figure(&plain, "merged_rate", 0.95).is_none(), "nothing is merged without it");
    // What is merged with it is what is lost without it, up to the draw of the counts.
    let ratio = get(&duty, "merged_rate") / get(&plain, "lost_rate");
    assert!((ratio - 1.0).abs() < 0.01, "{ratio}");
    // Acknowledged are the writes of both sides.
    assert!((get(&duty, "acked_rate") / get(&plain, "acked_rate") - 1.0).abs() < 1e-3);
}

#[test]
fn a_merge_keeps_records_and_drops_the_losers_configuration() {
    let duty = "groups.g.policy.hot-standby.duty_mode=true";
    let records = run(&[duty]);
    let configuration = run(&[duty, "field.plant.content=configuration"]);
    assert_eq!((get(&records, "lost_rate"), get(&configuration, "merged_rate")), (0.0, 0.0));
    // People write records still; what the plant's are makes no difference to how many there are.
    let lost = get(&configuration, "lost_rate");
    assert_eq!(lost, get(&configuration, "lost_configuration_rate"));
    assert!((lost / get(&records, "merged_rate") - 1.0).abs() < 0.03, "{lost}");
}

#[test]
fn an_event_that_both_have_is_kept_with_either() {
    let latest = run(&[]);
    let both = run(&["field.plant.during_dual=both"]);
    assert_eq!(get(&both, "split_brain_rate"), get(&latest, "split_brain_rate"));
    // The winner has been given every event too: the loser's copies are no loss, and no event counts twice.
    assert_eq!(get(&both, "lost_rate"), 0.0);
    assert!(get(&latest, "lost_rate") > 1000.0);
    assert!((get(&both, "acked_rate") / get(&latest, "acked_rate") - 1.0).abs() < 1e-4);
    // Unless the winner could not be reached. The plant stands behind a line of its own to the first server.
    let line = "[links.line]\nbetween = [\"plant\", \"a\"]\nfailures.cut = { mttf = \"1d\", duration = { exponential = \"6h\" } }\n";
    let text =
        PAIR.replace("during_dual = \"latest\"", "during_dual = \"both\"\nreach = { a = \"line\" }") + line;
    let summary = summary(&ready(&text, &[], 41), 40, hours(8766.0));
    let ratio = get(&summary, "lost_rate") / get(&latest, "lost_rate");
    assert!((0.1..0.4).contains(&ratio), "{ratio}: the line is down a fifth of the time");
}

/// One cut of two hours after ten, with writers that stay on one side each: `a` writes `mine` values a second, `b`
/// `theirs`, for 7160 s and arbitration.
fn parted_values(points: u64, mine: f64, theirs: f64) -> (Ready, Vec<Record>) {
    let text = format!(
        "title = \"values\"\n[nodes.a]\nsite = \"north\"\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\nsite = \"south\"\n\
         [links.lan]\nbetween = [\"a\", \"b\"]\nlatency = \"0s\"\n[links.lan.failures.cut]\nttf = \"10h\"\nduration = \"2h\"\n\
         [groups.g]\nnodes = [\"a\", \"b\"]\n[groups.g.policy.hot-standby]\nduty_mode = true\npoints = {points}\n\
         heartbeat = \"1ms\"\ndriver_start = \"10s\"\narbitration = \"0s\"\n\
         [clients.north]\nsite = \"north\"\nto = \"g\"\nwrites = \"{mine}/s\"\ncontent = \"values\"\n\
         during_dual = \"nearest\"\n[clients.south]\nlike = \"north\"\nsite = \"south\"\nwrites = \"{theirs}/s\"\n"
    );
    let setup = ready(&text, &[], 53);
    let records = records(&setup, 400, hours(13.0));
    (setup, records)
}

#[test]
fn values_that_meet_in_a_merge_are_counted() {
    for (points, mine, theirs) in [(1000, 0.2, 0.1), (1000, 10.0, 0.05), (20, 1.0, 1.0)] {
        let (setup, records) = parted_values(points, mine, theirs);
        let horizon = hours(13.0);
        let of =
            |name| records.iter().map(|record| of_run(&setup, horizon, record, name)).collect::<Vec<_>>();
        // A point has been written on a side with probability 1 − exp(−n/K).
        let written = |rate: f64| -failsim::maths::exp_m1(-rate * 7160.0 / points as f64);
        let years = 13.0 / 8766.0;
        let expected = points as f64 * written(mine) * written(theirs) / years;
        let what = format!("{points} points, {mine}/s and {theirs}/s");
        mean_within(&what, expected, of("overwritten_rate"), 0.9999, 0.06);
        assert_eq!(of("lost_rate").iter().sum::<f64>(), 0.0, "{what}: nothing else goes");
        mean_within(&what, theirs * 7160.0 / years, of("merged_rate"), 0.9999, 0.02);
    }
}

/// Faults that follow each other closely, disk losses and stalls among them: whatever is in the class keeps the bound.
#[test]
fn bounds_of_active_passive_hold_in_every_run() {
    for replication in ["async", "sync", "backup"] {
        let policy = format!(
            "groups.scada.policy={{ active-passive = {{ replication = \"{replication}\", timeout = \"5s\" }} }}"
        );
        let setup = ready(models::SCADA, &[&policy], 47);
        let seen = watched(&setup, 40, hours(300.0), Sums::default);
        let breaches: u32 = seen.iter().map(|(_, sums)| sums.breaches).sum();
        assert_eq!(breaches, 0, "{replication}");
    }
}

/// Cuts of two hours at random phases of the beats, and nothing else: the longest window comes close to what
/// `failsim bounds` says, and never beyond. 2 h + 2 × 1 s − 3 s − 1 s is 7198 s; with passes, drivers and arbitration
/// 2 h + 2 × 5 s − 30 s − 5 s + 10 s is 7185 s; the delays of two beats come on top.
#[test]
fn windows_by_cuts_stay_within_the_formula_and_come_close() {
    let pair = |policy: &str| {
        format!(
            "title = \"cuts\"\n[nodes.a]\nstart = \"0s\"\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n[links.l]\n\
             between = [\"a\", \"b\"]\nlatency = {{ uniform = [\"1ms\", \"20ms\"] }}\n\
             failures.cut = {{ rate = \"40/year\", duration = {{ fixed = \"2h\" }} }}\n[groups.g]\n\
             nodes = [\"a\", \"b\"]\n[groups.g.policy.{policy}\n"
        )
    };
    for (policy, bound, close) in [
        ("active-passive]\nheartbeat = \"1s\"\ntimeout = \"3s\"\ntakeover = \"1s\"", 7198.0, 0.2),
        ("active-passive]\nheartbeat = \"1s\"\nmissed = 3\ntakeover = \"1s\"", 7198.0, 1.2),
        (
            "hot-standby]\nheartbeat = \"5s\"\nheartbeat_timeout = \"30s\"\ndriver_start = { fixed = \"5s\" }\n\
             arbitration = { fixed = \"10s\" }\nisolated_standby = \"become-main\"",
            7185.0,
            8.0,
        ),
    ] {
        let setup = ready(&pair(policy), &[], 11);
        let text = &setup.bounds[0].split_brain.formula;
        let net = 7200.0 - bound;
        assert!(text.contains(&format!("cut − {net}s + 2 delays")), "{text}");
        let longest = figure(&summary(&setup, 200, hours(8766.0)), "split_brain_window_max", 0.95).estimate;
        assert!(longest <= bound + 0.04, "{policy}: {longest} s is more than {bound} s and two delays");
        assert!(longest >= bound - close, "{policy}: {longest} s is far from {bound} s");
    }
}

/// A node that has just handed its part over hears a beat that the other one sent before it knew: that is no vacancy.
#[test]
fn what_was_handed_over_is_not_taken_back() {
    let setup = ready(include_str!("data/handed-over.model.toml"), &[], 1);
    for record in records(&setup, 1, hours(365.0 * 24.0)) {
        assert!(record.breach.is_none(), "with fencing there is no split brain: {:?}", record.breach);
    }
}
