//! Runs a scenario and judges its expectations.
//!
//! All runs of a scenario have the same script; what is random (phases of loops, arbitration, delays) differs. What is
//! expected of the state, and of a measure unless the file says otherwise, has to hold in every run. A loss older
//! than the policy's bound, within its class of faults, fails a scenario whatever it expects.

use std::sync::Arc;

use rayon::prelude::*;

use super::expectation::{self, Asked};
use super::plan::{Settings, not_found};
use crate::engine::probe::Probe;
use crate::engine::time::Instant;
use crate::input::{Name, Problem, Problems, tree};
use crate::measure::{self, Breach, Summary};
use crate::model::experiment_file::Fidelity;
use crate::model::scenario_file::{Expected, ScenarioFile};
use crate::model::shipped::{self, FileKind, Found};
use crate::model::{load, scenario_file, script};
use crate::policy::contract::{Role, Stance};
use crate::policy::facts::Fact;
use crate::policy::host::Setup;
use crate::policy::registry::PolicySet;
use crate::system::spec::Model;

/// Whether an expectation is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Met,
    /// The interval of a mean is too wide to say: more runs would tell.
    Open,
    /// It is not.
    Missed,
}

impl From<bool> for Verdict {
    fn from(is_met: bool) -> Verdict {
        if is_met { Verdict::Met } else { Verdict::Missed }
    }
}

/// How one expectation came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What was expected.
    pub wanted: String,
    /// What was found.
    pub found: String,
    /// Whether the two agree.
    pub verdict: Verdict,
}

/// What is kept of one run.
struct Ran {
    watch: Watch,
    /// What [`expectation::asked`] asks for, in its order.
    values: Vec<Option<f64>>,
    breach: Option<Breach>,
}

/// Reads a scenario, runs it and judges every expectation. `settings` stand before what the file says.
///
/// # Errors
/// Every mistake in the scenario, its model and the settings.
pub fn judge<P: PolicySet>(
    found: &Found,
    settings: &Settings,
) -> Result<(ScenarioFile, Vec<Judged>), Problems> {
    let (mut scenario, mut problems) = scenario_file::draft(&found.source);
    let is_damaged = tree::is_damaged(&problems);
    problems.extend(settings.problems.clone());
    scenario.set.extend(settings.set.iter().cloned());
    scenario.seed = settings.seed.unwrap_or(scenario.seed);
    scenario.runs = settings.runs.unwrap_or(scenario.runs);
    scenario.fidelity = settings.fidelity.unwrap_or(scenario.fidelity);
    scenario.check_runs(&mut problems);
    let asked = expectation::asked(&scenario, &mut problems);
    let model = model::<P>(&scenario, found, &mut problems);
    if is_damaged {
        problems.drop_derived();
    }
    let Some(model) = model.filter(|_| problems.is_empty()) else { return Err(problems.sorted()) };
    let setup: Setup<P> =
        Setup::new(model, scenario.seed, !settings.stepwise, scenario.fidelity == Fidelity::Requests);
    let runs: Vec<Ran> =
        (0..scenario.runs).into_par_iter().map(|run| ran(&setup, &scenario, &asked, run)).collect();
    let mut list = Vec::new();
    for expect in &scenario.expects {
        match &expect.what {
            Expected::Measure { .. } => list.push(expectation::judge(&expect.what, &asked, &|index| {
                runs.iter().map(|run| run.values[index]).collect()
            })),
            Expected::State { .. } => list.extend(judge_state(&expect.what, &setup, &runs)),
        }
    }
    list.extend(broken_bound(&setup, &runs));
    Ok((scenario, list))
}

/// The model with the scenario's script; `None` where there is none of that name.
fn model<P: PolicySet>(
    scenario: &ScenarioFile,
    found: &Found,
    problems: &mut Problems,
) -> Option<Model<P::Params>> {
    let name = scenario.model.as_ref()?;
    let model = match shipped::find(FileKind::Model, &name.text, found.folder.as_deref()) {
        Ok(model) => model,
        Err(error) => {
            problems.add(not_found(name, &error));
            return None;
        }
    };
    let (source, files) = (&model.source, Arc::clone(&model.files));
    let (mut model, _, of_model) = load::draft::<P::Params>(source, files, &scenario.set);
    if let Err(more) = script::attach(scenario, &mut model) {
        // A model with mistakes may lack what its file names: only what that does not name either is a mistake here.
        let kinds = ["nodes", "links", "paths", "shared", "groups"];
        let written: Vec<String> = kinds.iter().flat_map(|kind| load::names_under(source, kind)).collect();
        let is_there = |problem: &Problem| {
            let text = problem.place.text().trim_matches(['"', '\'']);
            problem.is_derived && written.iter().any(|name| name == text)
        };
        more.iter()
            .filter(|problem| of_model.is_empty() || !is_there(problem))
            .for_each(|problem| problems.add(problem.clone()));
    }
    problems.extend(of_model);
    Some(model)
}

fn ran<P: PolicySet>(setup: &Setup<P>, scenario: &ScenarioFile, asked: &[Asked], run: u64) -> Ran {
    let watch = Watch::new(setup, scenario);
    let (record, mut watch) = measure::simulate_with(setup, run, scenario.horizon, watch);
    watch.catch_up(Instant::NEVER);
    let mut summary = Summary::new(setup, scenario.horizon);
    summary.add(&record);
    let names: Vec<String> = setup.model.groups.iter().map(|group| group.name.clone()).collect();
    Ran { watch, values: expectation::values(asked, &summary, &names), breach: record.breach }
}

/// The first bound that did not hold.
fn broken_bound<P: PolicySet>(setup: &Setup<P>, runs: &[Ran]) -> Option<Judged> {
    let (run, breach) = runs.iter().enumerate().find_map(|(run, ran)| Some((run, ran.breach?)))?;
    Some(Judged {
        wanted: "the policies' bounds hold".into(),
        found: format!("run {run}: {}", breach.describe(&setup.model.groups[breach.group].name)),
        verdict: Verdict::Missed,
    })
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

fn judge_state<P: PolicySet>(expected: &Expected, setup: &Setup<P>, runs: &[Ran]) -> Vec<Judged> {
    let Expected::State { at, role, accepts, up } = expected else { unreachable!("asked for states only") };
    let index = |name: &Name| {
        let index = setup.model.nodes.iter().position(|node| node.name == name.text);
        index.expect("`attach` has looked every node up")
    };
    let mut list = Vec::new();
    for (name, wanted) in role {
        let node = index(name);
        let is_active = ["main", "primary"].contains(&wanted.text.as_str());
        let meant = if is_active { Role::Active.name() } else { wanted.text.as_str() };
        list.push(in_every_run(format!("at {at}: {} is {}", name.text, wanted.text), runs, meant, |ran| {
            ran.watch.at(*at).nodes[node].role()
        }));
    }
    for (name, wanted) in accepts {
        let node = index(name);
        let words = |accepts: bool| if accepts { "accepts" } else { "accepts nothing" };
        let text = format!("at {at}: {} {}", name.text, words(*wanted));
        list.push(in_every_run(text, runs, words(*wanted), |ran| {
            words(ran.watch.at(*at).nodes[node].accepts())
        }));
    }
    if let Some(wanted) = up {
        let words = |up: bool| if up { "up" } else { "down" };
        let text = format!("at {at}: the service is {}", words(*wanted));
        list.push(in_every_run(text, runs, words(*wanted), |ran| {
            words(ran.watch.at(*at).up.iter().all(|up| *up))
        }));
    }
    list
}

/// Whether each run shows the same word; the first that does not is named.
fn in_every_run(wanted: String, runs: &[Ran], word: &str, of: impl Fn(&Ran) -> &'static str) -> Judged {
    let other = runs.iter().map(of).enumerate().find(|(_, found)| *found != word);
    let found = match other {
        Some((_, found)) if runs.len() == 1 => found.to_owned(),
        Some((run, found)) => format!("{found} in run {run}"),
        None if runs.len() == 1 => word.to_owned(),
        None => format!("{word} in {} runs", runs.len()),
    };
    Judged { wanted, found, verdict: other.is_none().into() }
}
