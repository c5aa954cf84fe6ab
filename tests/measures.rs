//! Measures against hand-worked models: writes that clocks put out of order, reads that are too old, what a protocol
//! says, and what devices keep. Scenarios beside them (`experiments/scenarios`) have one fault each.

mod common;
#[path = "common/models.rs"]
#[allow(dead_code, unreachable_pub)] // one of them is used here
mod models;

use common::*;
use failsim::engine::probe::Probe;
use failsim::engine::time::{Instant, Span};
use failsim::measure::Summary;
use failsim::policy::facts::Fact;
use failsim::system::ids::NodeId;
use failsim::system::spec::{Action, Effect, Scope};

/// Two sites that both write to ten keys, five writes a second each; the clock of one is half a second ahead.
const WRITERS: &str = r#"
title = "two writers"
[nodes.a]
site = "north"
clock = { drift = "0ppm", sync_error = "0s", sync_interval = "never", offset = "500ms" }
[nodes.b]
site = "south"
clock = { drift = "0ppm", sync_error = "0s" }
[links.wan]
between = ["a", "b"]
failures.cut = { mttf = "400y", repair = "1h" }
[groups.store]
nodes = ["a", "b"]
[groups.store.policy.active-active]
storage = "last-writer-wins"
keys = 10
[clients.north]
site = "north"
to = "store"
writes = "5/s"
reads = "50/s"
[clients.south]
like = "north"
site = "south"
"#;

/// A pair and its outstations; the link between the servers is cut now and then.
const PLANT: &str = r#"
title = "a plant"
[nodes.a]
[nodes.b]
[links.lan]
between = ["a", "b"]
failures.cut = { mttf = "5d", duration = { exponential = "20m" } }
[groups.g]
nodes = ["a", "b"]
[groups.g.policy.hot-standby]
windback = true
[field.plant]
to = "g"
events = "1/s"
buffer = "10m"
during_dual = "both"
"#;

fn run(text: &str, overrides: &[&str], runs: u64, days: f64) -> Summary {
    summary(&ready(text, overrides, 17), runs, hours(24.0 * days))
}

fn get(summary: &Summary, name: &str) -> f64 {
    figure(summary, name, 0.95).estimate
}

const YEAR: f64 = 31_557_600.0;

#[test]
fn clocks_that_differ_put_writes_out_of_order() {
    // Two writes of a key in a row come from different nodes half of the time; of these, half have the first one from
    // the node that is ahead by δ; at rate r of a key the second follows within δ with probability 1 − exp(−r δ), and
    // then carries the earlier stamp.
    let quiet = run(WRITERS, &[], 400, 10.0);
    let share = 0.25 * -libm::expm1(-0.5);
    figure_within("reordered writes", 10.0 * YEAR * share, &figure(&quiet, "reordered_rate", 0.999), 0.015);
    assert_eq!(
        get(&quiet, "overwritten_rate"),
        get(&quiet, "reordered_rate"),
        "without cuts nothing else is"
    );
    // What a cut lets both sides write is discarded in order.
    let cut = run(WRITERS, &["links.wan.failures.cut={ mttf = \"1d\", repair = \"1h\" }"], 20, 10.0);
    assert!(get(&cut, "overwritten_rate") > get(&cut, "reordered_rate") + 1000.0);
}

#[test]
fn replayed_events_stand_behind_newer_ones() {
    let plant = run(PLANT, &["field.plant.during_dual=latest"], 40, 200.0);
    assert!(get(&plant, "recovered_late_rate") > 100.0);
    assert_eq!(get(&plant, "reordered_rate"), get(&plant, "recovered_late_rate"));
    // Devices that tell both servers have nothing to replay to the one that stays.
    assert_eq!(get(&run(PLANT, &[], 40, 200.0), "reordered_rate"), 0.0);
    let without = run(PLANT, &["groups.g.policy.hot-standby.windback=false"], 2, 20.0);
    assert!(try_figure(&without, "reordered_rate", 0.95).is_none(), "it cannot happen there");
}

#[test]
fn devices_obey_two_servers_as_often_as_both_reach_them() {
    let plant = run(PLANT, &[], 40, 200.0);
    assert!(get(&plant, "dual_actuation_rate") > 10.0);
    assert_eq!(get(&plant, "dual_actuation_rate"), get(&plant, "split_brain_rate"));
    let first = run(PLANT, &["field.plant.during_dual=first"], 2, 20.0);
    assert!(
        try_figure(&first, "dual_actuation_rate", 0.95).is_none(),
        "such devices obey one server at a time"
    );
}

#[test]
fn reads_across_a_cut_are_stale_from_the_limit_on() {
    let cuts = "links.wan.failures.cut={ mttf = \"1d\", duration = { fixed = \"1h\" } }";
    let of = |limit: &str| {
        let objective = format!("objectives.staleness={limit}");
        run(WRITERS, &[cuts, &objective], 20, 100.0)
    };
    // Every cut lasts an hour; from the limit on it counts. A cut at the horizon costs less than one of about 100.
    let (short, long) = (of("10m"), of("20m"));
    let ratio = get(&short, "stale_time") / get(&long, "stale_time");
    assert!((ratio - 50.0 / 40.0).abs() < 0.01, "{ratio}");
    let per_cut = 1.0 / (24.0 + 1.0);
    let expected = per_cut * 50.0 * 60.0 * YEAR / 3600.0;
    figure_within("stale time", expected, &figure(&short, "stale_time", 0.999), 0.2);
    let unsafe_share = 1.0 - get(&short, "safe_availability");
    assert!(
        (unsafe_share - get(&short, "stale_time") / YEAR).abs() < 1e-9,
        "up all the time, safe only so long"
    );
    // A limit that no cut reaches changes nothing, and without one there is no such measure.
    assert_eq!(get(&of("2h"), "safe_availability"), 1.0);
    assert!(try_figure(&run(WRITERS, &[cuts], 2, 10.0), "stale_time", 0.95).is_none());
}

#[test]
fn messages_are_those_that_were_declared_however_they_are_simulated() {
    // Heartbeats and echo requests every 5 s and polls every 10 s, both ways, echoes and polls answered.
    let rate = 2.0 / 5.0 + 2.0 * 2.0 / 5.0 + 2.0 * 2.0 / 10.0;
    let plant = run(PLANT, &["links.lan.failures.cut.mttf=400y"], 4, 10.0);
    assert!((get(&plant, "messages_rate") / rate - 1.0).abs() < 1e-4, "{}", get(&plant, "messages_rate"));
    let stepwise = ready_as(PLANT, &["links.lan.failures.cut.mttf=400y"], 17, false);
    let stepwise = summary(&stepwise, 4, hours(24.0));
    assert!((get(&stepwise, "messages_rate") / rate - 1.0).abs() < 1e-3);
    let alone = run(PLANT, &["groups.g.policy={ single = {} }"], 2, 10.0);
    assert!(try_figure(&alone, "messages_rate", 0.95).is_none(), "a server alone talks to nobody");
}

/// One server, and people who only read; it is down a quarter of the time.
const READERS: &str = r#"
title = "readers"
[nodes.a]
failures.crash = { mttf = "3d", repair = "1d" }
[groups.g]
nodes = ["a"]
[groups.g.policy.single]
[clients.readers]
to = "g"
reads = "5/s"
"#;

/// Whether each of these measures exists.
fn has(summary: &Summary, names: &[&str]) -> Vec<bool> {
    names.iter().map(|name| try_figure(summary, name, 0.95).is_some()).collect()
}

#[test]
fn what_a_model_cannot_have_is_absent() {
    let never =
        ["degraded_time", "merged_rate", "recovered_late_rate", "downtime_elect", "downtime_overload"];
    for model in ["single-server", "server-pair"] {
        let shipped = Ready::new(shipped_model(model), 17, true, false);
        let found = summary(&shipped, 2, hours(24.0 * 365.0));
        assert_eq!(has(&found, &never), [false; 5], "{model}");
        assert_eq!(
            has(&found, &["split_brain_rate", "mistake_rate"]),
            [model == "server-pair"; 2],
            "{model}"
        );
    }
    // Of two servers under `single` the second is never used.
    let alone = ["groups.g.policy={ single = {} }"];
    let unused = run(PLANT, &alone, 2, 20.0);
    let of_pairs =
        ["split_brain_rate", "dual_belief_time", "failover_rate", "mistake_rate", "divergence_time"];
    assert_eq!(has(&unused, &of_pairs), [false; 5]);
    assert_eq!(has(&run(PLANT, &[], 2, 20.0), &of_pairs), [true; 5]);
    let sync = Ready::new(shipped_model("db-pair-sync"), 17, true, false);
    assert_eq!(has(&summary(&sync, 2, hours(240.0)), &["degraded_time", "downtime_no_quorum"]), [true; 2]);
}

#[test]
fn writes_are_not_served_to_those_who_only_read() {
    let found = run(READERS, &[], 20, 400.0);
    assert!((get(&found, "read_availability") - 0.75).abs() < 0.05);
    assert!(try_figure(&found, "write_availability", 0.95).is_none());
}

#[test]
fn sites_that_all_write_diverge_in_every_cut() {
    let cut = "links.wan.failures.cut={ mttf = \"1d\", duration = { fixed = \"1h\" } }";
    let found = run(WRITERS, &[cut], 20, 100.0);
    // A cut an hour long after a day without one; the last may be cut off by the horizon.
    figure_within("divergence", YEAR / 25.0, &figure(&found, "divergence_time", 0.999), 0.1);
    assert!((get(&found, "reconciliation_time_mean") - 3600.0).abs() < 1.0);
    assert!(try_figure(&found, "split_brain_time", 0.95).is_none(), "it is meant so");
}

#[test]
fn losses_within_the_class_of_the_bound_stand_apart() {
    let pair = Ready::new(shipped_model("server-pair"), 17, true, false);
    let found = summary(&pair, 40, hours(24.0 * 3650.0));
    let [all, inside, outside] =
        ["loss_age_max", "in_class_loss_age_max", "out_of_class_loss_age_max"].map(|name| get(&found, name));
    assert_eq!(all, libm::fmax(inside, outside));
    let bound = pair.bounds[0].loss_age.as_ref().and_then(|bound| bound.secs).expect("a bound");
    assert!(inside > 0.0 && inside <= bound, "{inside} s of {bound} s");
    assert!(outside > bound, "{outside} s: cuts and second faults");
}

#[test]
fn intervals_stay_within_what_is_possible() {
    for (text, runs) in [(READERS, 1), (READERS, 3), (PLANT, 3), (WRITERS, 2)] {
        let overrides = ["objectives.availability={ target = \"70%\", window = \"2d\" }"];
        for (measure, figure) in run(text, &overrides, runs, 4.5).service(0.95) {
            let (least, most) = measure.range();
            for limit in [figure.low, figure.high].into_iter().flatten().filter(|limit| limit.is_finite()) {
                assert!((least..=most).contains(&limit), "{} of {runs}: {limit}", measure.name);
            }
        }
    }
}

/// Seconds for which a client's reads are not served after the active node of a pair dies. The client takes 20 s to find
/// who serves.
fn reads_down(policy: &str) -> f64 {
    let text = format!(
        "title = \"reads\"\n[nodes.a]\nstart = \"0s\"\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n[groups.g]\n\
         nodes = [\"a\", \"b\"]\n[groups.g.policy.{policy}\n[clients.k]\nto = \"g\"\nreads = \"1/s\"\nreconnect = \"20s\"\n"
    );
    let crash = Action::Fail { node: NodeId(0), scope: Scope::Host, effect: Effect::Crash };
    let (mut since, mut total) = (None, 0.0);
    for (at, fact) in scripted(&text, &[(100.0, crash)], true) {
        let Fact::Service { reads, .. } = fact else { continue };
        if reads {
            total += since.take().map_or(0.0, |since: Instant| (at - since).as_secs());
        } else {
            since = since.or(Some(at));
        }
    }
    assert_eq!(since, None, "still down at the end");
    total
}

/// Who reads from the active node has to find the next one, as writers have; a standby that answers reads does so all
/// the while, but for the time in which it changes its role.
#[test]
fn reads_need_a_connection_unless_standbys_answer_them() {
    let found =
        reads_down("active-passive]\nheartbeat = \"1s\"\ntimeout = \"5s\"\ntakeover = \"2s\"\nlag = \"0s\"");
    assert!((26.0..=27.0).contains(&found), "{found} s");
    assert_eq!(reads_down("hot-standby]\ndriver_start = \"7s\""), 7.0);
}

/// When the service was down, and when two nodes accepted at once: from and to, the last perhaps open.
#[derive(Clone, Debug, Default)]
struct Spells {
    outages: Vec<(Instant, Option<Instant>)>,
    splits: Vec<(Instant, Option<Instant>)>,
}

impl Probe<Fact> for Spells {
    fn see(&mut self, now: Instant, fact: &Fact) {
        let (spells, holds) = match *fact {
            Fact::Service { up, .. } => (&mut self.outages, !up),
            Fact::Acceptors { accepting, .. } => (&mut self.splits, accepting >= 2),
            _ => return,
        };
        match spells.last_mut() {
            Some((_, to)) if to.is_none() => *to = if holds { None } else { Some(now) },
            _ if holds => spells.push((now, None)),
            _ => {}
        }
    }
}

/// How many are left when those closer together than this are one, and the lengths of those that have ended.
fn put_together(spells: &[(Instant, Option<Instant>)], gap: Span) -> (f64, Vec<f64>) {
    let mut lengths: Vec<(Option<Instant>, f64)> = Vec::new();
    for &(from, to) in spells {
        let length = to.map_or(0.0, |to| (to - from).as_secs());
        match lengths.last_mut() {
            Some((Some(before), sum)) if gap > Span::ZERO && from - *before <= gap => {
                *sum += length;
                lengths.last_mut().expect("it is there").0 = to;
            }
            _ => lengths.push((to, length)),
        }
    }
    let ended = lengths.iter().filter(|(to, _)| to.is_some()).map(|&(_, length)| length);
    (lengths.len() as f64, ended.collect())
}

#[test]
fn outages_and_split_brains_that_lie_close_count_as_one() {
    let horizon = hours(120.0);
    let mut fewer = 0;
    for gap in ["0s", "1m", "20m"] {
        let setup = ready(models::SCADA, &[&format!("merge_gap={gap}")], 23);
        let span = setup.model.merge_gap;
        for (record, seen) in watched(&setup, 20, horizon, Spells::default) {
            let of = |name| of_run(&setup, horizon, &record, name);
            for (spells, rate, mean, max) in [
                (&seen.outages, "outage_rate", "outage_duration_mean", "outage_duration_max"),
                (&seen.splits, "split_brain_rate", "split_brain_window_mean", "split_brain_window_max"),
            ] {
                let (count, lengths) = put_together(spells, span);
                fewer += u32::from(count < spells.len() as f64);
                let near = |name: &str, found: f64, expected: f64| {
                    assert!(
                        (found - expected).abs() < 1e-6 * expected.max(1.0),
                        "{gap}, {name}: {found}, {expected}"
                    );
                };
                near(rate, of(rate) * horizon.as_secs() / YEAR, count);
                // What still lasts at the horizon counts as longer than it was seen: not here.
                if !lengths.is_empty() && spells.iter().all(|(_, to)| to.is_some()) {
                    near(mean, of(mean), lengths.iter().sum::<f64>() / lengths.len() as f64);
                    near(max, of(max), lengths.iter().fold(0.0, |a, &b| b.max(a)));
                }
            }
        }
    }
    assert!(fewer > 40, "{fewer}: too few lie close");
}
