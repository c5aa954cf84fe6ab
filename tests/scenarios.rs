//! Every shipped scenario holds, with quiet time skipped and with every heartbeat an event; and what a scenario can say
//! of several runs.

use std::path::Path;
use std::sync::Arc;

use failsim::experiment::plan::Settings;
use failsim::experiment::scenario::{self, Judged, Verdict};
use failsim::input::{Folder, Problems, Source};
use failsim::model::shipped::{self, FileKind, Found};
use failsim::policy::registry::Shipped;

fn judged(found: &Found, stepwise: bool) -> Vec<Judged> {
    match scenario::judge::<Shipped>(found, &Settings { stepwise, ..Settings::default() }) {
        Ok((_, judged)) => judged,
        Err(problems) => panic!("{}", problems.render(false)),
    }
}

#[track_caller]
fn all_met(name: &str, found: &Found, stepwise: bool) {
    let judged = judged(found, stepwise);
    assert!(!judged.is_empty(), "{name} expects nothing");
    let missed: Vec<String> = judged
        .iter()
        .filter(|judged| judged.verdict != Verdict::Met)
        .map(|judged| format!("{}: {} ({:?})", judged.wanted, judged.found, judged.verdict))
        .collect();
    assert!(missed.is_empty(), "{name}, stepwise {stepwise}:\n{}", missed.join("\n"));
}

#[test]
fn every_shipped_scenario_holds() {
    for name in shipped::names(FileKind::Scenario) {
        all_met(name, &shipped::find(FileKind::Scenario, name, None).unwrap(), false);
    }
}

/// What once went wrong, as small as it could be made, does not again.
#[test]
fn what_went_wrong_once_does_not_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/regressions");
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.to_string_lossy().ends_with(".model.toml"));
    paths.sort();
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths {
        let name = path.to_str().unwrap();
        all_met(name, &shipped::find(FileKind::Scenario, name, None).unwrap(), false);
    }
}

/// A shipped scenario, changed.
fn changed(name: &str, changes: &[(&str, &str)]) -> Found {
    let found = shipped::find(FileKind::Scenario, name, None).unwrap();
    let mut text = found.source.text.clone();
    for (from, to) in changes {
        assert!(text.contains(from), "{name} does not hold {from}");
        text = text.replace(from, to);
    }
    Found {
        source: Source::new("changed.toml", text),
        folder: Some("models".into()),
        files: Arc::new(Folder("models".into())),
    }
}

#[test]
fn the_same_holds_step_by_step() {
    for name in shipped::names(FileKind::Scenario) {
        // Every heartbeat is an event here: one run of each, with rarer heartbeats where they were dense on purpose,
        // and without what needs many runs to be said.
        let found = shipped::find(FileKind::Scenario, name, None).unwrap();
        let text = &found.source.text;
        let dense =
            ["\"1ms\"", "\"10ms\""].iter().any(|beat| text.contains(&format!("heartbeat\" = {beat}")));
        if dense || text.contains("over_runs") {
            continue;
        }
        all_met(name, &found, true);
    }
    // One of those that were left out, as it is but for its number of runs.
    let one = changed(
        "main-main",
        &[
            ("runs = 300", "runs = 1"),
            ("\"1ms\"", "\"10ms\""),
            ("at_most = \"7160.1s\"", "at_most = \"7170s\""),
            ("at_least = \"7169.9s\"", "at_least = \"7160s\""),
        ],
    );
    all_met("main-main", &one, true);
}

fn found(judged: &[Judged], wanted: &str) -> (Verdict, String) {
    let one = judged.iter().find(|judged| judged.wanted == wanted);
    let one = one.unwrap_or_else(|| panic!("no `{wanted}` in {judged:#?}"));
    (one.verdict, one.found.clone())
}

/// The setting is what decides: with the other value the other server stays, and nothing else is different.
#[test]
fn the_other_value_gives_the_other_winner() {
    for (name, from, to, at, [loser, winner]) in [
        ("priority-decides", "= [0, 1]", "= [0, 0]", "12h 1m", ["a", "b"]),
        ("main-time-survives-restart", "restart\" = true", "restart\" = false", "13h 1m", ["b", "a"]),
    ] {
        let judged = judged(&changed(name, &[(from, to)]), false);
        let (verdict, text) = found(&judged, &format!("at {at}: {loser} is standby"));
        assert_eq!(verdict, Verdict::Missed, "{name}");
        assert!(text.starts_with("active"), "{name}: {text}");
        let (verdict, text) = found(&judged, &format!("at {at}: {winner} is main"));
        assert_eq!(verdict, Verdict::Missed, "{name}");
        assert!(text.starts_with("standby"), "{name}: {text}");
        let before = judged.iter().filter(|one| !one.wanted.contains(at) && one.wanted.starts_with("at "));
        assert!(
            before.clone().count() > 0 && before.clone().all(|one| one.verdict == Verdict::Met),
            "{name}"
        );
    }
}

#[test]
fn a_mean_is_met_missed_or_open() {
    let of = |runs: &str, equals: &str, within: &str| {
        let runs = format!("runs = {runs}");
        let mean = format!("equals = \"{equals}\"\nwithin = \"{within}\"");
        let changes = [("runs = 20000", runs.as_str()), ("equals = \"3.5s\"\nwithin = \"0.035s\"", &mean)];
        let judged = judged(&changed("main-crash", &changes), false);
        found(&judged, &format!("loss_age_max = {equals} ± {within} in the mean")).0
    };
    assert_eq!(of("2000", "3.5s", "0.2s"), Verdict::Met);
    assert_eq!(of("2000", "4s", "0.2s"), Verdict::Missed, "the interval does not hold it");
    assert_eq!(of("2000", "3.5s", "0.01s"), Verdict::Open, "it holds it and is too wide");
    let range = |low: &str, high: &str| {
        let between = format!("between = [\"{low}\", \"{high}\"]");
        let changes = [("runs = 20000", "runs = 2000"), ("equals = \"3.5s\"\nwithin = \"0.035s\"", &between)];
        let judged = judged(&changed("main-crash", &changes), false);
        found(&judged, &format!("loss_age_max between {low} and {high} in the mean")).0
    };
    assert_eq!(range("3s", "4s"), Verdict::Met);
    assert_eq!(range("3.5s", "4s"), Verdict::Open, "a limit in the interval");
    assert_eq!(range("4s", "5s"), Verdict::Missed);
}

#[test]
fn the_run_that_differs_is_named() {
    let tight = [("runs = 300", "runs = 20"), ("between = [\"7160s\", \"7170s\"]", "at_most = \"7165s\"")];
    let judged = judged(&changed("main-main", &tight), false);
    let (verdict, text) = found(&judged, "split_brain_window_max ≤ 7165s in every run");
    assert_eq!(verdict, Verdict::Missed);
    assert!(text.contains(" s (1h 59m) in run "), "{text}");
    let (verdict, text) = found(&judged, "at 12h 1m: b is standby");
    assert_eq!((verdict, text.as_str()), (Verdict::Met, "standby in 20 runs"));
    // A ratio of two measures of the same run, and one that does not hold.
    let wrong = [("runs = 300", "runs = 20"), ("equals = \"10/s\"", "equals = \"11/s\"")];
    let judged = self::judged(&changed("main-main", &wrong), false);
    let wanted = "lost_per_incident_max per split_brain_window_max = 11/s ± 0.00014/s in every run";
    assert_eq!(found(&judged, wanted).0, Verdict::Missed);
}

#[track_caller]
fn mistakes(changes: &[(&str, &str)], said: &[&str]) {
    let found = changed("main-crash", changes);
    let problems: Problems = match scenario::judge::<Shipped>(&found, &Settings::default()) {
        Ok(_) => panic!("no mistake"),
        Err(problems) => problems,
    };
    let text = problems.render(false);
    for word in said {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
}

#[test]
fn mistakes_of_expectations_have_a_place_and_advice() {
    mistakes(&[("runs = 20000\n", "")], &["one run has no mean", "`runs = 100` or so", "changed.toml:"]);
    mistakes(&[("within = \"0.035s\"\n", "")], &["as wide as it likes", "`within`"]);
    mistakes(&[("equals = \"3.5s\"", "at_most = \"3.5s\"")], &["`within` has no meaning here"]);
    mistakes(&[("over_runs = \"mean\"", "over_runs = \"median\"")], &["`median` is no value", "\"mean\""]);
    mistakes(&[("over_runs = \"mean\"", "confidence = \"99%\"")], &["`confidence` has no meaning here"]);
    mistakes(&[("equals = \"3.5s\"", "equals = \"3.5/year\"")], &["`3.5/year` is no limit", "in s", "`60s`"]);
    mistakes(&[("per = \"loss_age_max\"", "per = \"loss_age_mx\"")], &["`loss_age_mx`", "did you mean"]);
    mistakes(&[("per = \"loss_age_max\"", "per = \"lost_rate\"")], &["1 divided by 1/yr has no unit"]);
    mistakes(
        &[("b = \"main\"", "b = \"mian\"")],
        &["no role is called `mian`", "did you mean `main`?", "changed.toml:34:15"],
    );
    mistakes(&[("at = \"10h 41s\"", "at = \"10h 41s\"\nper = \"x\"")], &["`per` is about a measure"]);
}
