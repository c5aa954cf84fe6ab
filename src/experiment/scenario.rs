//! Runs a scenario once and judges its expectations.

use std::sync::Arc;

use super::outcome;
use super::plan::{in_unit_of, known_measure};
use crate::engine::probe::Probe;
use crate::engine::time::Instant;
use crate::input::{Name, Problem, Problems};
use crate::measure::{self, Summary};
use crate::model::experiment_file::Fidelity;
use crate::model::scenario_file::{Expected, ScenarioFile};
use crate::model::shipped::{self, FileKind, Found};
use crate::model::{load, scenario_file, script};
use crate::policy::contract::{Role, Stance};
use crate::policy::facts::Fact;
use crate::policy::host::Setup;
use crate::policy::registry::PolicySet;
use crate::report::number;

/// How one expectation came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What was expected.
    pub wanted: String,
    /// What was found.
    pub found: String,
    /// Whether the two agree.
    pub is_met: bool,
}

/// Names of roles in scenario files; `main` and `primary` are other words for `active`.
const ROLES: [&str; 10] = [
    "starting",
    "syncing",
    "standby",
    "isolated",
    "taking-over",
    "active",
    "peer",
    "main",
    "primary",
    "down",
];

/// Reads a scenario, runs it and judges every expectation.
///
/// # Errors
/// Every mistake in the scenario and its model.
pub fn judge<P: PolicySet>(found: &Found, stepwise: bool) -> Result<(ScenarioFile, Vec<Judged>), Problems> {
    let mut scenario = scenario_file::read(&found.source)?;
    let mut problems = Problems::new();
    for expect in &mut scenario.expects {
        match &mut expect.what {
            Expected::Measure { measure, at_least, at_most, .. } => {
                known_measure(measure, &mut problems);
                let limits = at_least.iter_mut().chain(at_most);
                limits.for_each(|limit| in_unit_of(measure, limit, &mut problems));
            }
            Expected::State { role, .. } => role.iter().for_each(|(_, role)| known_role(role, &mut problems)),
        }
    }
    let model = match shipped::find(FileKind::Model, &scenario.model.text, found.folder.as_deref()) {
        Ok(model) => model,
        Err(error) => {
            let problem = Problem::new(scenario.model.place.clone(), error.to_string());
            problems.add(problem.expected("a path, relative to this file, or the name of a shipped model"));
            return Err(problems.sorted());
        }
    };
    let (mut model, _) = load::load::<P::Params>(&model.source, Arc::clone(&model.files), &scenario.set)?;
    if let Err(more) = script::attach(&scenario, &mut model) {
        problems.extend(more);
    }
    if !problems.is_empty() {
        return Err(problems.sorted());
    }
    let setup: Setup<P> =
        Setup::new(model, scenario.seed, !stepwise, scenario.fidelity == Fidelity::Requests);
    let watch = Watch::new(&setup, &scenario);
    let (record, mut watch) = measure::simulate_with(&setup, 0, scenario.horizon, watch);
    watch.catch_up(Instant::NEVER);
    let mut summary = Summary::new(&setup, scenario.horizon);
    summary.add(&record);
    let judged = scenario.expects.iter().flat_map(|expect| match &expect.what {
        Expected::Measure { .. } => vec![judge_measure(&expect.what, &setup, &summary)],
        Expected::State { .. } => judge_state(&expect.what, &setup, &watch),
    });
    let judged = judged.collect();
    Ok((scenario, judged))
}

fn known_role(role: &Name, problems: &mut Problems) {
    if !ROLES.contains(&role.text.as_str()) {
        let problem = Problem::new(role.place.clone(), format!("no role is called `{}`", role.text));
        problems.add(problem.expected(format!("one of {}", ROLES.join(", "))).nearest(&role.text, ROLES));
    }
}

/// What holds at one time.
#[derive(Clone, Debug)]
struct State {
    nodes: Vec<NodeState>,
    up: Vec<bool>,
}

#[derive(Clone, Copy, Debug, Default)]
struct NodeState {
    runs: bool,
    paused: bool,
    stance: Option<Stance>,
}

impl NodeState {
    fn role(&self) -> &'static str {
        match (self.runs, self.stance) {
            (false, _) => "down",
            (true, Some(stance)) => stance.role.name(),
            (true, None) => Role::Starting.name(),
        }
    }

    fn accepts(&self) -> bool {
        self.runs
            && !self.paused
            && self.stance.is_some_and(|stance| stance.accepts.is_some() && !stance.draining)
    }
}

/// Keeps what holds right after all events up to each of some times.
#[derive(Clone, Debug)]
struct Watch {
    times: Vec<Instant>,
    now: State,
    kept: Vec<State>,
}

impl Watch {
    fn new<P: PolicySet>(setup: &Setup<P>, scenario: &ScenarioFile) -> Watch {
        let mut times: Vec<Instant> = scenario
            .expects
            .iter()
            .filter_map(|expect| match expect.what {
                Expected::State { at, .. } => Some(at),
                Expected::Measure { .. } => None,
            })
            .collect();
        times.sort();
        times.dedup();
        let now = State {
            nodes: vec![NodeState::default(); setup.model.nodes.len()],
            up: vec![true; setup.model.groups.len()],
        };
        Watch { times, now, kept: Vec::new() }
    }

    fn catch_up(&mut self, at: Instant) {
        while self.times.get(self.kept.len()).is_some_and(|time| *time < at) {
            self.kept.push(self.now.clone());
        }
    }

    fn at(&self, time: Instant) -> &State {
        let index = self.times.binary_search(&time).expect("a time that was asked for");
        &self.kept[index]
    }
}

impl Probe<Fact> for Watch {
    fn see(&mut self, at: Instant, fact: &Fact) {
        self.catch_up(at);
        match *fact {
            Fact::Process { node, up } => {
                self.now.nodes[node.index()] = NodeState { runs: up, ..NodeState::default() };
            }
            Fact::Pause { node, paused } => self.now.nodes[node.index()].paused = paused,
            Fact::Stance { node, stance } => self.now.nodes[node.index()].stance = Some(stance),
            Fact::Service { group, up, .. } => self.now.up[group.index()] = up,
            _ => {}
        }
    }
}

fn judge_measure<P: PolicySet>(expected: &Expected, setup: &Setup<P>, summary: &Summary) -> Judged {
    let Expected::Measure { measure, group, at_least, at_most } = expected else {
        unreachable!("asked for measures only")
    };
    let name = group.as_ref().map_or(String::new(), |group| format!("{}.", group.text)) + &measure.text;
    let range = match (at_least, at_most) {
        (Some(low), Some(high)) if low.text == high.text => format!("= {}", low.text),
        (Some(low), Some(high)) => format!("between {} and {}", low.text, high.text),
        (Some(low), None) => format!("≥ {}", low.text),
        (None, Some(high)) => format!("≤ {}", high.text),
        (None, None) => String::new(),
    };
    let names: Vec<String> = setup.model.groups.iter().map(|group| group.name.clone()).collect();
    let figure = match group.as_ref().and_then(|group| names.iter().position(|name| *name == group.text)) {
        Some(index) => {
            summary.group(index, super::CONFIDENCE).into_iter().find(|(m, _)| m.name == measure.text)
        }
        None => outcome::columns(summary, &names)
            .into_iter()
            .find(|(column, ..)| *column == measure.text)
            .map(|(_, measure, figure)| (measure, figure)),
    };
    let Some((measure, figure)) = figure else {
        return Judged {
            wanted: format!("{name} {range}"),
            found: "this model does not have it".into(),
            is_met: false,
        };
    };
    let value = if figure.zero { 0.0 } else { figure.estimate };
    // A value as read from a file and the same one computed differ in the last digits at most.
    let slack = 1e-9 * value.abs();
    let is_met = at_least.as_ref().is_none_or(|low| value >= low.value - slack)
        && at_most.as_ref().is_none_or(|high| value <= high.value + slack);
    let found = match measure.unit {
        "s" => format!("{value} s ({})", number::duration(value)),
        "1" => format!("{value}"),
        unit => format!("{value} {unit}"),
    };
    Judged { wanted: format!("{name} {range}"), found, is_met }
}

fn judge_state<P: PolicySet>(expected: &Expected, setup: &Setup<P>, watch: &Watch) -> Vec<Judged> {
    let Expected::State { at, role, accepts, up } = expected else { unreachable!("asked for states only") };
    let state = watch.at(*at);
    let node = |name: &Name| {
        let index = setup.model.nodes.iter().position(|node| node.name == name.text);
        &state.nodes[index.expect("`attach` has looked every node up")]
    };
    let mut list = Vec::new();
    for (name, wanted) in role {
        let found = node(name).role();
        let is_met = found == wanted.text
            || (found == "active" && ["main", "primary"].contains(&wanted.text.as_str()));
        list.push(Judged {
            wanted: format!("at {at}: {} is {}", name.text, wanted.text),
            found: found.to_owned(),
            is_met,
        });
    }
    for (name, wanted) in accepts {
        let found = node(name).accepts();
        let words = |accepts: bool| if accepts { "accepts" } else { "accepts nothing" };
        list.push(Judged {
            wanted: format!("at {at}: {} {}", name.text, words(*wanted)),
            found: words(found).to_owned(),
            is_met: found == *wanted,
        });
    }
    if let Some(wanted) = up {
        let found = state.up.iter().all(|up| *up);
        let words = |up: bool| if up { "up" } else { "down" };
        list.push(Judged {
            wanted: format!("at {at}: the service is {}", words(*wanted)),
            found: words(found).to_owned(),
            is_met: found == *wanted,
        });
    }
    list
}
