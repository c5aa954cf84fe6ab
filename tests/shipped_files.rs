//! Every file that comes with the program is right: models load, experiments load at every point, scenarios fit their
//! models.

use std::collections::BTreeSet;
use std::path::Path;

use failsim::input::Problems;
use failsim::model::experiment_file::{self, ExperimentFile};
use failsim::model::scenario_file::{self, Expected, ScenarioFile};
use failsim::model::shipped::{self, FileKind};
use failsim::model::{Override, load, script};
use failsim::policy::contract::{Policy, Role};
use failsim::policy::registry::Shipped;
use failsim::system::spec::Model;

type Params = <Shipped as Policy>::Params;

fn model(name: &str, overrides: &[Override]) -> Result<Model<Params>, Problems> {
    let found = shipped::find(FileKind::Model, name, Some(Path::new("models"))).expect("a shipped model");
    load::<Params>(&found.source, found.files, overrides).map(|(model, _)| model)
}

fn good<T>(what: &str, result: Result<T, Problems>) -> T {
    result.unwrap_or_else(|problems| panic!("{what}:\n{}", problems.render(false)))
}

fn experiments() -> Vec<(&'static str, ExperimentFile)> {
    let read = |name| {
        let found = shipped::find(FileKind::Experiment, name, None).expect("a shipped experiment");
        (name, good(name, experiment_file::read(&found.source)))
    };
    shipped::names(FileKind::Experiment).into_iter().map(read).collect()
}

fn scenarios() -> Vec<(&'static str, ScenarioFile)> {
    let read = |name| {
        let found = shipped::find(FileKind::Scenario, name, None).expect("a shipped scenario");
        (name, good(name, scenario_file::read(&found.source)))
    };
    shipped::names(FileKind::Scenario).into_iter().map(read).collect()
}

/// What each compared policy sets, with its name; the model as it is where none is named.
fn compared(experiment: &ExperimentFile) -> Vec<(String, Vec<Override>)> {
    let each = |policy: &experiment_file::PolicyUse| {
        let mut overrides = experiment.set.clone();
        overrides.extend(policy.overrides.iter().cloned());
        (policy.name.text.clone(), overrides)
    };
    if experiment.policies.is_empty() {
        return vec![("the model's policy".into(), experiment.set.clone())];
    }
    experiment.policies.iter().map(each).collect()
}

#[test]
fn every_model_loads() {
    let names = shipped::names(FileKind::Model);
    for name in [
        "single-server",
        "server-pair",
        "active-passive-cold",
        "active-passive-warm",
        "active-passive-hot",
        "n-plus-m",
        "active-active-web",
        "active-active-multiwriter",
        "db-pair-async",
        "db-pair-sync",
        "geo-scada-pair",
        "heartbeat-pair",
    ] {
        assert!(names.contains(&name), "{name} is missing");
    }
    for name in names {
        let model = good(name, model(name, &[]));
        assert!(!model.title.is_empty(), "{name} has no title");
    }
}

#[test]
fn every_point_of_every_experiment_loads() {
    for (name, experiment) in experiments() {
        for file in &experiment.models {
            for (policy, fixed) in compared(&experiment) {
                let mut points = vec![fixed];
                for axis in &experiment.axes {
                    let value = |index| {
                        points.iter().map(move |point: &Vec<Override>| {
                            let mut point = point.clone();
                            point.extend(axis.overrides(index));
                            point
                        })
                    };
                    points = (0..axis.values.len()).flat_map(value).collect();
                }
                for point in &points {
                    good(&format!("{name}, {policy}"), model(&file.text, point));
                }
            }
        }
    }
}

#[test]
fn every_key_of_every_axis_reaches_a_policy() {
    for (name, experiment) in experiments() {
        for axis in &experiment.axes {
            for key in &axis.keys {
                let change = Override::new(&key.text, key.place.clone(), axis.values[0].clone());
                let reached = compared(&experiment).into_iter().any(|(_, mut overrides)| {
                    overrides.push(change.clone());
                    experiment.models.iter().all(|file| model(&file.text, &overrides).is_ok())
                });
                assert!(reached, "{name}: `{}` misses every policy", key.text);
            }
        }
    }
}

fn every_measure_is_known<'a>(file: &str, names: impl Iterator<Item = &'a str>) {
    for name in names {
        assert!(failsim::measure::find(name).is_some(), "{file}: `{name}` is no measure");
    }
}

#[test]
fn every_measure_and_gate_of_an_experiment_is_known() {
    for (name, experiment) in experiments() {
        every_measure_is_known(name, experiment.measures.iter().map(|measure| measure.text.as_str()));
        every_measure_is_known(name, experiment.gates.iter().map(|gate| gate.measure.text.as_str()));
    }
}

#[test]
fn every_scenario_fits_its_model() {
    for (name, scenario) in scenarios() {
        let mut model = good(name, model(&scenario.model.as_ref().unwrap().text, &scenario.set));
        good(name, script::attach(&scenario, &mut model));
        assert!(!scenario.expects.is_empty(), "{name} expects nothing");
        let measures = scenario.expects.iter().filter_map(|expect| match &expect.what {
            Expected::Measure { measure, .. } => Some(measure.text.as_str()),
            Expected::State { .. } => None,
        });
        every_measure_is_known(name, measures);
    }
}

#[test]
fn every_role_can_be_expected() {
    for role in Role::ALL {
        assert!(scenario_file::ROLES.contains(&role.name()), "{} is no role of a scenario", role.name());
    }
}

#[test]
fn titles_are_unique_and_lines_short() {
    let mut titles = BTreeSet::new();
    for file in shipped::SHIPPED.iter().filter(|file| file.path.ends_with(".toml")) {
        let title = file.text.lines().find(|line| line.starts_with("title = "));
        let title = title.unwrap_or_else(|| panic!("{} has no title", file.path));
        assert!(titles.insert(title), "{} has the title of another file", file.path);
        assert!(file.text.starts_with("# "), "{} does not begin by saying what it is", file.path);
        for (index, line) in file.text.lines().enumerate() {
            let length = line.chars().count();
            assert!(length <= 120, "{}:{} has {length} characters", file.path, index + 1);
            assert!(line.trim_end() == line, "{}:{} ends in a space", file.path, index + 1);
        }
    }
}
