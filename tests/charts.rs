//! What the charts of the shipped experiments say, from one run a point: which there are, and that each point of them is
//! held against its own promise.

use std::sync::atomic::AtomicBool;

use failsim::experiment::execute::{self, Options};
use failsim::experiment::figures::{Figure, figures};
use failsim::experiment::outcome::{self, Outcome};
use failsim::experiment::plan::{Plan, PlanError, Settings};
use failsim::model::shipped::{self, FileKind};
use failsim::policy::registry::Shipped;
use failsim::report::chart::Chart;

fn outcome_of(name: &str) -> Outcome {
    let found = shipped::find(FileKind::Experiment, name, None).expect("a shipped experiment");
    let settings = Settings { runs: Some(2), ..Settings::default() };
    let plan: Plan<Shipped> = match Plan::of_experiment(&found, settings) {
        Ok(plan) => plan,
        Err(PlanError::Problems(problems)) => panic!("{}", problems.render(false)),
        Err(PlanError::Find(error)) => panic!("{error}"),
    };
    let cancel = AtomicBool::new(false);
    let options =
        Options { jobs: 2, cancel: &cancel, progress: &|_, _| (), panicked: &|_, _, _| (), timed: false };
    outcome::collect(&plan, &execute::execute(&plan, &options))
}

fn named<'a>(list: &'a [Figure], name: &str) -> &'a Chart {
    let names: Vec<&str> = list.iter().map(|figure| figure.name.as_str()).collect();
    list.iter().find(|figure| figure.name == name).map_or_else(|| panic!("{name}: {names:?}"), |f| &f.chart)
}

#[test]
fn every_point_is_held_against_its_own_promise() {
    let list = figures(&outcome_of("geo-scada"));
    let csv = named(&list, "split-brain-windows").csv();
    let promises = |setting: &str| -> Vec<String> {
        let rows = csv.lines().filter(|line| line.contains(setting) && line.contains(",bound,"));
        rows.map(|line| line.rsplit(',').next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(promises("become-main"), ["grows with length of the cut"; 3], "{csv}");
    assert_eq!(
        promises("remain"),
        ["grows with further faults until arbitration"; 3],
        "a cut makes none: {csv}"
    );
    let Chart::Bars(downtime) = named(&list, "downtime") else { panic!("bars") };
    for part in ["isolated Standby become-main", "lack of a quorum at isolated Standby remain"] {
        assert!(downtime.title.contains(part), "{}", downtime.title);
    }
}

#[test]
fn policies_are_drawn_by_what_they_can_have() {
    let list = figures(&outcome_of("policies"));
    let Chart::Lines(down) = named(&list, "unavailability") else { panic!("lines") };
    let Chart::Lines(unsafe_time) = named(&list, "not-safely-up") else { panic!("lines") };
    assert_eq!((down.series.len(), unsafe_time.series.len()), (8, 8));
    let first = |chart: &failsim::report::chart::LineChart, name: &str| {
        let series = chart.series.iter().find(|series| series.name == name).expect("a line");
        series.points[0].y.expect("a value")
    };
    assert!(
        first(unsafe_time, "warm standby") > 1.1 * first(down, "warm standby"),
        "split brain is not down"
    );
    assert!(unsafe_time.title.starts_with("Of the policies that keep data, "), "{}", unsafe_time.title);
    let Chart::Lines(split) = named(&list, "split-brain-time") else { panic!("lines") };
    assert!(split.series.iter().all(|series| series.name != "no redundancy"));
    assert!(split.notes.iter().any(|note| note.starts_with("It cannot happen with: no redundancy · ")));
    assert!(list.iter().all(|figure| figure.name != "overwritten-rate"), "one policy, one flat line");
    // What the bound speaks of stands apart, and within it.
    let Chart::Bounds(losses) = named(&list, "data-loss") else { panic!("bounds") };
    assert!(losses.rows.iter().any(|row| row.group.starts_with("other faults") && row.bound.is_none()));
    let inside: Vec<_> =
        losses.rows.iter().filter(|row| row.group == "faults that the bound speaks of").collect();
    assert!(inside.len() >= 4 && inside.iter().all(|row| row.bound.is_some()));
    assert!(losses.title.starts_with("No loss is older than its bound"), "{}", losses.title);
}
