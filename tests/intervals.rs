//! Whether intervals hold the true value as often as they say: hundreds of small experiments with seeds of their own,
//! where the true value is known in closed form. And what they say where little or nothing was seen.

mod common;

use common::*;
use failsim::measure::{Figure, Summary};
use rayon::prelude::*;

/// A unit that fails once in `MTTF`, and is repaired in ten hours in the mean.
const UNIT: &str = r#"
title = "a unit"
[nodes.a]
start = "0s"
restart = "0s"
clock.drift = 0
cost = 1000
failures.crash = { mttf = "MTTF", repair = { exponential = "10h" } }
[groups.g]
nodes = ["a"]
[groups.g.policy.single]
[objectives]
availability = { target = "99.9%", window = "10d" }
rto = "20h"
"#;

fn unit(mttf_days: f64, seed: u64) -> Ready {
    ready(&UNIT.replace("MTTF", &format!("{mttf_days}d")), &[], seed)
}

/// How many intervals hold the true value.
fn held(figures: &[Figure], truth: f64) -> usize {
    let holds =
        |figure: &&Figure| figure.low.unwrap_or(0.0) <= truth && figure.high.is_none_or(|high| truth <= high);
    figures.iter().filter(holds).count()
}

/// 95 % less three standard deviations.
fn least(times: usize) -> usize {
    let n = times as f64;
    (0.95 * n - 3.0 * (n * 0.95 * 0.05).sqrt()) as usize
}

#[test]
fn ten_outages_in_all_tell_the_unavailability_and_the_mean_length() {
    // 400 runs of 100 days, ten failures expected: mean availability from the start on, unit by unit.
    let mttf = 4000.0;
    let (l, m, t) = (1.0 / mttf, 2.4, 100.0);
    let truth = l / (l + m) - l / ((l + m) * (l + m) * t) * -libm::expm1(-(l + m) * t);
    let summaries: Vec<Summary> =
        (0..200).into_par_iter().map(|seed| summary(&unit(mttf, 1000 + seed), 400, hours(2400.0))).collect();
    for (name, truth) in [
        ("unavailability", truth),
        ("downtime", truth * 31_557_600.0),
        ("outage_duration_mean", 36_000.0),
        ("time_to_first_failure", mttf * -libm::expm1(-t / mttf) * 86_400.0),
    ] {
        let found: Vec<Figure> = summaries.iter().filter_map(|s| try_figure(s, name, 0.95)).collect();
        let (holds, of) = (held(&found, truth), found.len());
        assert!(holds >= least(of), "{name}: {holds} of {of} intervals hold {truth}");
    }
}

#[test]
fn outages_cut_off_by_the_horizon_are_not_left_out() {
    // Two days, half of them after a failure: a fifth of all outages last at the horizon, the long ones above all.
    let summary = summary(&unit(2.0, 5), 20_000, hours(48.0));
    let get = |name| figure(&summary, name, 0.999);
    figure_within("median", 36_000.0 * std::f64::consts::LN_2, &get("outage_duration_p50"), 0.05);
    figure_within("objective missed", libm::exp(-2.0), &get("rto_miss_fraction"), 0.1);
    let mean = get("outage_duration_mean");
    assert!((mean.estimate / 36_000.0 - 1.0).abs() < 0.02, "{mean:?}");
    // The longest is told whether it ended or not; no upper limit where it did not.
    assert!(get("outage_duration_max").estimate <= 48.0 * 3600.0);
}

#[test]
fn an_interruption_that_may_yet_be_short_is_no_outage() {
    // Each stands still for 20 s and clients wait for 30 s: nothing is ever down, whenever the run ends.
    let text = r#"
title = "a unit that stalls"
[nodes.a]
start = "0s"
clock.drift = 0
failures.stall = { effect = "pause", rate = "20/h", duration = { fixed = "20s" } }
[groups.g]
nodes = ["a"]
[groups.g.policy.single]
[clients.users]
to = "g"
writes = "1/s"
deadline = "30s"
"#;
    let summary = summary(&ready(text, &[], 3), 400, hours(1.0));
    for name in ["unavailability", "outage_rate"] {
        assert_eq!(figure(&summary, name, 0.95).estimate, 0.0, "{name}");
    }
    assert_eq!(figure(&summary, "reliability", 0.95).estimate, 1.0);
}

#[test]
fn nothing_seen_is_no_certainty_anywhere() {
    let runs = 20;
    let summary = summary(&unit(1e7, 1), runs, hours(2400.0));
    let limit = 1.0 - libm::exp(libm::log(0.05) / runs as f64);
    let low = |name| figure(&summary, name, 0.95).low.expect("a lower limit");
    for name in ["availability", "availability_window_min", "slo_met", "reliability"] {
        assert_eq!(figure(&summary, name, 0.95).estimate, 1.0, "{name}");
        assert!((low(name) - (1.0 - limit)).abs() < 1e-9, "{name}: {}", low(name));
    }
    assert!((low("time_to_first_failure") / (2400.0 * 3600.0) - (1.0 - limit)).abs() < 1e-9);
    let rate = figure(&summary, "outage_rate", 0.95);
    assert!(rate.zero && rate.high.is_some_and(|high| (high * 2400.0 * 20.0 / 8766.0 - 2.9957).abs() < 1e-3));
    assert!(try_figure(&summary, "outage_duration_mean", 0.95).is_none());
}

/// A pair that loses a few writes at every failover, which is rare.
const PAIR: &str = r#"
title = "a pair"
[nodes.a]
start = "0s"
restart = "0s"
clock.drift = 0
failures.crash = { mttf = "MTTF", repair = "1m" }
[nodes.b]
like = "a"
[links.lan]
between = ["a", "b"]
latency = { fixed = "200ms" }
[groups.g]
nodes = ["a", "b"]
[groups.g.policy.active-passive]
heartbeat = "1s"
timeout = "9s"
replication = "async"
[clients.users]
to = "g"
writes = "500/s"
"#;

#[test]
fn what_no_failover_lost_is_not_bounded_as_if_writes_were_lost_one_by_one() {
    let of = |mttf_days: f64, seed| ready(&PAIR.replace("MTTF", &format!("{mttf_days}d")), &[], seed);
    // Three failovers of an active node in all 40 runs of 100 days, some 100 writes each.
    let truth = {
        let frequent = summary(&of(50.0, 1), 400, hours(2400.0));
        let per_incident = figure(&frequent, "lost_per_incident_mean", 0.95).estimate;
        assert!(per_incident > 10.0, "{per_incident}");
        per_incident * 365.25 / 1333.0
    };
    let experiment =
        |seed: u64| figure(&summary(&of(1333.0, 1000 + seed), 40, hours(2400.0)), "lost_rate", 0.95);
    let found: Vec<Figure> = (0..200).into_par_iter().map(experiment).collect();
    let (holds, times) = (held(&found, truth), found.len());
    assert!(holds >= least(times), "{holds} of {times} intervals hold {truth}");
    let none = summary(&of(1e7, 1), 40, hours(2400.0));
    let get = |name| figure(&none, name, 0.95);
    assert!(get("lost_rate").high.is_some_and(|high| high > 1e6), "a run may lose all it has");
    let incidents = get("loss_incident_rate");
    assert!(incidents.zero && incidents.high.is_some_and(|high| high < 0.3), "{incidents:?}");
}
