//! A node added to a model that talks to nobody changes no figure but cost and the combined fingerprint: random streams
//! are named by what they belong to, ties at one nanosecond are settled by entity, and each group has a fingerprint of
//! its own. Shown on every shipped model and on the restless ones of the tests, at both fidelities.

mod common;
#[path = "common/models.rs"]
#[allow(unreachable_pub)]
mod models;

use std::sync::Arc;

use common::*;
use failsim::engine::time::Span;
use failsim::input::Source;
use failsim::measure::{Figure, Measure, Summary};
use failsim::model::shipped::{self, FileKind};
use failsim::policy::host::Setup;

const RESTLESS: [(&str, &str); 3] =
    [("scada", models::SCADA), ("spare", models::SPARE), ("web", models::WEB)];

/// A node with faults so frequent that some fall into every incident of the others.
const STRANGER: &str = "\n[nodes.NAME]\nclock.drift = \"1%\"\ncost = 77\n[nodes.NAME.failures]\n\
    crash = { mttf = \"MTTF\", repair = { exponential = \"MTTF\" } }\n\
    pause = { effect = \"pause\", mttf = \"MTTF\", duration = { exponential = \"MTTF\" } }\n";

/// How a model is run.
#[derive(Clone, Copy)]
struct Length {
    runs: u64,
    horizon: Span,
    /// Mean time to the stranger's faults, and their length.
    mttf: &'static str,
    requests: bool,
}

struct Told {
    groups: Vec<Vec<u128>>,
    all: Vec<u128>,
    summary: Summary,
}

fn told(text: &str, length: Length) -> Told {
    let mut model = model_of(&Source::new("test.toml", text.to_owned()), Arc::new(failsim::input::NoFiles));
    if length.requests {
        for client in &mut model.clients {
            (client.write_rate, client.read_rate) = (client.write_rate.min(0.01), client.read_rate.min(0.01));
        }
    }
    let setup = Setup::new(model, 4, true, length.requests);
    let records = records(&setup, length.runs, length.horizon);
    Told {
        groups: records.iter().map(|record| record.group_fingerprints.clone()).collect(),
        all: records.iter().map(|record| record.fingerprint).collect(),
        summary: fold(&setup, length.horizon, &records),
    }
}

type Figures = Vec<(&'static Measure, Figure)>;

fn same(what: &str, a: &Figures, b: &Figures, but: &[&str]) {
    assert_eq!(a.len(), b.len(), "{what}");
    for ((measure, x), (_, y)) in a.iter().zip(b) {
        if but.contains(&measure.name) {
            assert_ne!(x, y, "{what}: {}", measure.name);
        } else {
            assert_eq!(x, y, "{what}: {}", measure.name);
        }
    }
}

/// Puts the stranger behind the others and before them, without a group and in one of its own.
fn a_stranger_changes_nothing(name: &str, text: &str, length: Length) {
    let before = told(text, length);
    let groups = before.groups[0].len();
    let stranger = |name| STRANGER.replace("NAME", name).replace("MTTF", length.mttf);
    let (head, tail) = text.split_at(text.find("\n[nodes.").expect("a first node"));
    let alone =
        |name: &str| format!("\n[groups.{name}]\nnodes = [\"{name}\"]\n[groups.{name}.policy.single]\n");
    let (behind, ahead) = (stranger("zz"), stranger("A0"));
    for (what, text, first, in_group) in [
        ("behind", format!("{text}{behind}"), 0, false),
        ("ahead", format!("{head}{ahead}{tail}"), 0, false),
        ("in a group behind", format!("{text}{behind}{}", alone("zz")), 0, true),
        ("in a group ahead", format!("{head}{ahead}{}{tail}", alone("A0")), 1, true),
    ] {
        let what = format!("{name}: stranger {what}");
        let after = told(&text, length);
        for (a, b) in before.groups.iter().zip(&after.groups) {
            assert_eq!(a[..], b[first..first + groups], "{what}");
        }
        assert!(before.all.iter().zip(&after.all).all(|(a, b)| a != b), "{what}: it is in the combined one");
        for group in 0..groups {
            let (a, b) = (before.summary.group(group, 0.95), after.summary.group(group + first, 0.95));
            // The cost of a group's outages is told for the whole model.
            let a: Figures = a.into_iter().filter(|(measure, _)| measure.family != "cost").collect();
            let b: Figures = b.into_iter().filter(|(measure, _)| measure.family != "cost").collect();
            same(&what, &a, &b, &[]);
        }
        if !in_group {
            let (a, mut b) = (before.summary.service(0.95), after.summary.service(0.95));
            let costs = |figures: &Figures| figures.iter().any(|(measure, _)| measure.name == "annual_cost");
            if !costs(&a) {
                // Its price is the first that the model names.
                b.retain(|(measure, _)| measure.name != "annual_cost");
            }
            same(&what, &a, &b, &["node_hours", "annual_cost"]);
        }
    }
}

#[test]
fn of_restless_models() {
    for (name, text) in RESTLESS {
        for requests in [false, true] {
            let length = Length { runs: 6, horizon: hours(80.0), mttf: "20s", requests };
            a_stranger_changes_nothing(name, text, length);
        }
    }
}

#[test]
fn of_shipped_models() {
    for name in shipped::names(FileKind::Model) {
        let path = format!("models/{name}.toml");
        let file = shipped::SHIPPED.iter().find(|file| file.path == path).expect("a shipped file");
        for requests in [false, true] {
            let horizon = hours(if requests { 60.0 * 24.0 } else { 8766.0 });
            let length = Length { runs: 2, horizon, mttf: if requests { "10m" } else { "2h" }, requests };
            a_stranger_changes_nothing(name, file.text, length);
        }
    }
}
