//! The results that are committed are what this program computes: run 0 of every point and policy, again, gives the
//! fingerprint in the manifest.
//!
//! The committed folders were made by a release build. This test is built with fewer optimisations and with the checks
//! of a debug build (`[profile.dev]`), so it also shows that both give the same runs. All runs of all points are compared in `.ci/run`.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use failsim::experiment::execute::{self, Options};
use failsim::experiment::outcome;
use failsim::experiment::plan::{Plan, PlanError, Settings};
use failsim::model::shipped::{self, FileKind};
use failsim::policy::registry::Shipped;
use failsim::record::Manifest;

/// The committed result folders, by name.
fn folders() -> Vec<PathBuf> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let entries = std::fs::read_dir(&results).expect("a folder of results");
    let mut list: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    list.retain(|path| path.join("manifest.json").is_file());
    list.sort();
    list
}

/// The plan of an experiment that comes with the program, with one run a point.
fn plan_of(name: &str) -> Plan<Shipped> {
    let found = shipped::find(FileKind::Experiment, name, None).expect("a shipped experiment");
    let settings = Settings { runs: Some(1), ..Settings::default() };
    match Plan::of_experiment(&found, settings) {
        Ok(plan) => plan,
        Err(PlanError::Problems(problems)) => panic!("{}", problems.render(false)),
        Err(PlanError::Find(error)) => panic!("{error}"),
    }
}

/// The manifest that the plan's own runs give.
fn recomputed(plan: &Plan<Shipped>) -> Manifest {
    let cancel = AtomicBool::new(false);
    let jobs = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let options =
        Options { jobs, cancel: &cancel, progress: &|_, _| (), panicked: &|_, _, _| (), timed: false };
    outcome::collect(plan, &execute::execute(plan, &options)).manifest
}

#[test]
fn run_0_of_every_point_is_what_the_manifest_says() {
    let folders = folders();
    assert!(folders.iter().any(|folder| folder.ends_with("policies")), "{folders:?}");
    for folder in folders {
        let text = std::fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
        let committed =
            Manifest::from_json(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let name = committed.experiment.clone();
        let plan = plan_of(&name);
        let found = recomputed(&plan);
        let inputs = |manifest: &Manifest| -> Vec<_> {
            let files = manifest.inputs.iter().filter(|input| input.role != "setting");
            files.map(|input| (input.role.clone(), input.name.clone(), input.text.clone())).collect()
        };
        let again = format!("`failsim sweep {name}` makes the folder again");
        assert!(committed.inputs.iter().all(|input| input.role != "setting"), "{name}: made with settings");
        assert!(inputs(&committed) == inputs(&found), "{name}: its files have changed since; {again}");
        assert_eq!((committed.seed, &committed.axes), (found.seed, &found.axes), "{name}");
        assert_eq!(committed.points.len(), plan.points.len() * plan.policies.len(), "{name}");
        let mut other = Vec::new();
        for (was, is) in committed.points.iter().zip(&found.points) {
            assert_eq!((&was.axes, &was.policy), (&is.axes, &is.policy), "{name}");
            if was.first_run != is.first_run {
                other.push(format!(
                    "{}, {}: {} is now {}",
                    was.axes.join(", "),
                    was.policy,
                    was.first_run,
                    is.first_run
                ));
            }
        }
        let of = committed.points.len();
        assert!(
            other.is_empty(),
            "{name}: {} of {of} runs differ; {again}:\n{}",
            other.len(),
            other.join("\n")
        );
    }
}
