//! What is to be run: every point of the axes, with every policy at each, made ready.
//!
//! All models are read before anything runs, so every mistake of an experiment is reported at once. Later settings win:
//! the model's file, `set` of the experiment, the policy, the axes, the settings given beside the files.

use std::sync::Arc;

use super::axes::{column, combinations};
use super::missed::Missed;
use super::reports::{Asked, Report};
use super::sources::{Texts, input};
use crate::engine::time::Span;
use crate::input::{Defaults, Name, Problem, Problems, QuantityValue, Source, quantity, tree};
use crate::measure;
use crate::model::axis::Axis;
use crate::model::experiment_file::{self, ExperimentFile, Fidelity, Gate};
use crate::model::shipped::{self, FileKind, FindError, Found};
use crate::model::{Override, load};
use crate::policy::contract::Policy;
use crate::policy::host::Setup;
use crate::policy::registry::PolicySet;
use crate::record::{AxisValue, Input};

/// What is given beside the files.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Keys of the model.
    pub set: Vec<Override>,
    /// Seed of every random stream.
    pub seed: Option<u64>,
    /// Runs per point.
    pub runs: Option<u64>,
    /// Length of a run.
    pub horizon: Option<Span>,
    /// Fidelity.
    pub fidelity: Option<Fidelity>,
    /// Never skip quiet time.
    pub stepwise: bool,
    /// Mistakes in these, to be reported with those of the files.
    pub problems: Problems,
}

/// Everything that is to be run.
pub struct Plan<P: Policy> {
    /// Its name: that of the result folder.
    pub name: String,
    /// One line.
    pub title: String,
    /// What it asks.
    pub question: Option<String>,
    /// Columns of the axes.
    pub axes: Vec<String>,
    /// What is compared, by the names in tables.
    pub policies: Vec<String>,
    /// Points, the first axis slowest.
    pub points: Vec<PlanPoint<P>>,
    /// Seed of every random stream.
    pub seed: u64,
    /// Runs per point and policy.
    pub runs: u64,
    /// Length of a run.
    pub horizon: Span,
    /// Everything that was read.
    pub inputs: Vec<Input>,
    /// Keys left at their defaults, over all models and policies.
    pub defaults: Defaults,
    /// Conditions.
    pub gates: Vec<Gate>,
    /// What is to be reported.
    pub asked: Asked,
    /// Settings that a replay has to repeat.
    pub settings: Settings,
}

/// One point of the axes.
pub struct PlanPoint<P: Policy> {
    /// Its values as recorded.
    pub axes: Vec<AxisValue>,
    /// Its values as written.
    pub labels: Vec<String>,
    /// Index of each value on its axis.
    pub indexes: Vec<usize>,
    /// One per policy.
    pub cases: Vec<Case<P>>,
}

/// One policy at one point.
pub struct Case<P: Policy> {
    /// Ready to run.
    pub setup: Setup<P>,
    /// The model as a command line names it.
    pub model: String,
    /// What differs from the model's file.
    pub overrides: Vec<Override>,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum PlanError {
    /// Mistakes in the files.
    Problems(Problems),
    /// The model named on the command line is not there.
    Find(FindError),
}

impl From<Problems> for PlanError {
    fn from(problems: Problems) -> Self {
        PlanError::Problems(problems)
    }
}

/// A plan before its models are read.
struct Draft {
    models: Vec<(String, Found)>,
    policies: Vec<(String, Vec<Override>)>,
    base: Vec<Override>,
    axes: Vec<Axis>,
    /// Keys of axes whose values are mistaken: they still have to lead somewhere.
    valueless: Vec<Override>,
    settings: Settings,
    requests: bool,
}

/// More than this many simulations of one point and policy are refused.
const CASES_MAX: usize = 1_000_000;

impl<P: PolicySet> Plan<P> {
    /// The plan of an experiment file.
    ///
    /// # Errors
    /// Every mistake in the experiment and its models.
    pub fn of_experiment(found: &Found, settings: Settings) -> Result<Plan<P>, PlanError> {
        let (mut file, mut problems) = experiment_file::draft(&found.source);
        let is_damaged = tree::is_damaged(&problems);
        let settings = settings.unlike(&file);
        problems.extend(settings.problems.clone());
        let mut models = Vec::new();
        for name in &file.models {
            match shipped::find(FileKind::Model, &name.text, found.folder.as_deref()) {
                Ok(model) => models.push((command_name(&model), model)),
                Err(error) => problems.add(not_found(name, &error)),
            }
        }
        file.measures.iter().for_each(|name| known_measure(name, &mut problems));
        for gate in &mut file.gates {
            known_measure(&gate.measure, &mut problems);
        }
        for gate in &mut file.gates {
            let unit = measure::find(&gate.measure.text).map(|measure| measure.unit);
            for limit in [&mut gate.at_least, &mut gate.at_most].into_iter().flatten() {
                limit.value =
                    unit.and_then(|unit| in_unit(limit, unit, &mut problems)).unwrap_or(limit.value);
            }
        }
        file.reports.iter().for_each(|name| known_report(name, &mut problems));
        let Some((_, first)) = models.first() else { return Err(problems.sorted().into()) };
        known_groups(&mut file, &first.source, &mut problems);
        let mut policies: Vec<_> =
            file.policies.iter().map(|used| (used.name.text.clone(), used.overrides.clone())).collect();
        if policies.is_empty() {
            policies.push((policy_of(&first.source), Vec::new()));
        }
        let requests = settings.fidelity.unwrap_or(file.fidelity) == Fidelity::Requests;
        let asked = Asked::of(&file);
        let (axes, without): (Vec<Axis>, Vec<Axis>) =
            file.axes.into_iter().partition(|axis| !axis.values.is_empty());
        let valueless = without.iter().flat_map(Axis::keys_alone).collect();
        let draft = Draft { models, policies, base: file.set, axes, valueless, settings, requests };
        let settings = &draft.settings;
        let seed = settings.seed.unwrap_or(file.seed);
        let mut plan = draft.plan(seed, problems, is_damaged)?;
        plan.name = crate::model::load::stem(&found.source.name);
        plan.inputs.insert(0, input("experiment", &found.source.name, &found.source.text));
        (plan.title, plan.question) = (file.title, file.question);
        plan.runs = plan.settings.runs.unwrap_or(file.runs);
        plan.horizon = plan.settings.horizon.unwrap_or(file.horizon);
        plan.asked = asked;
        plan.gates = file.gates;
        if plan.points[0].labels.len() > draft.axes.len() {
            // The models are an axis in front of those of the file.
            plan.gates.iter_mut().flat_map(|gate| &mut gate.at).for_each(|(axis, _)| *axis += 1);
        }
        Ok(plan)
    }

    /// The plan of one model; `vary` holds values to compare, each under its name.
    ///
    /// # Errors
    /// Every mistake in the model and the settings.
    pub fn of_model(
        found: &Found,
        vary: Vec<(String, Vec<Override>)>,
        settings: Settings,
    ) -> Result<Plan<P>, PlanError> {
        let policies = if vary.is_empty() { vec![(policy_of(&found.source), Vec::new())] } else { vary };
        let requests = settings.fidelity == Some(Fidelity::Requests);
        let models = vec![(command_name(found), found.clone())];
        let (base, axes, valueless) = (Vec::new(), Vec::new(), Vec::new());
        let problems = settings.problems.clone();
        let draft = Draft { models, policies, base, axes, valueless, settings, requests };
        let seed = draft.settings.seed.unwrap_or(1);
        let mut plan: Plan<P> = draft.plan(seed, problems, false)?;
        plan.name = crate::model::load::stem(&found.source.name);
        plan.title = plan.points[0].cases[0].setup.model.title.clone();
        Ok(plan)
    }
}

impl Draft {
    /// The plan, where neither the mistakes found so far nor any in the models stand against it.
    fn plan<P: PolicySet>(
        &self,
        seed: u64,
        mut problems: Problems,
        is_damaged: bool,
    ) -> Result<Plan<P>, PlanError> {
        let settings = &self.settings;
        let cases = self
            .axes
            .iter()
            .fold(self.models.len() * self.policies.len(), |n, axis| n.saturating_mul(axis.values.len()));
        if cases > CASES_MAX {
            let place = self.axes.first().map_or_else(|| Source::new("", "").whole(), |a| a.place.clone());
            let problem =
                Problem::new(place, format!("{cases} points and policies are too many for one sweep"));
            problems.add(problem.expected(format!("at most {CASES_MAX}: fewer values, axes or policies")));
            return Err(problems.sorted().into());
        }
        let mut columns: Vec<(String, Vec<AxisValue>)> = Vec::new();
        let mut labels: Vec<Vec<String>> = Vec::new();
        if self.models.len() > 1 {
            let names: Vec<String> =
                self.models.iter().map(|(_, f)| crate::model::load::stem(&f.source.name)).collect();
            columns.push(("model".into(), names.iter().cloned().map(AxisValue::Name).collect()));
            labels.push(names);
        }
        for axis in &self.axes {
            let values: Vec<String> = (0..axis.values.len()).map(|index| axis.label(index)).collect();
            columns.push(column(&axis.name, &values));
            labels.push(values);
        }
        let texts = Texts::default();
        let mut defaults = Defaults::default();
        let mut missed = Missed::default();
        let mut points = Vec::new();
        let sizes: Vec<usize> = labels.iter().map(Vec::len).collect();
        for indexes in combinations(&sizes) {
            let (model, at) =
                if self.models.len() > 1 { (indexes[0], &indexes[1..]) } else { (0, &indexes[..]) };
            let mut cases = Vec::new();
            for (_, policy) in &self.policies {
                let mut overrides = self.base.clone();
                overrides.extend(policy.iter().cloned());
                overrides.extend(self.axes.iter().zip(at).flat_map(|(axis, &index)| axis.overrides(index)));
                overrides.extend(settings.set.iter().cloned());
                let (name, found) = &self.models[model];
                let files = texts.through(Arc::clone(&found.files));
                if points.is_empty() {
                    missed.look::<P>(found, &overrides, &self.valueless);
                }
                match load::load::<P::Params>(&found.source, files, &overrides) {
                    Ok((loaded, left_out)) => {
                        if points.is_empty() {
                            defaults.extend(left_out);
                        }
                        let setup = Setup::new(loaded, seed, !settings.stepwise, self.requests);
                        cases.push(Case { setup, model: name.clone(), overrides });
                    }
                    Err(found) => problems.extend(found),
                }
            }
            let labels = labels.iter().zip(&indexes).map(|(axis, &index)| axis[index].clone()).collect();
            let axes = columns.iter().zip(&indexes).map(|((_, axis), &index)| axis[index].clone()).collect();
            points.push(PlanPoint { axes, labels, indexes, cases });
        }
        problems.extend(missed.problems());
        if is_damaged {
            problems.drop_derived();
        }
        if !problems.is_empty() {
            return Err(problems.sorted().into());
        }
        let mut inputs: Vec<Input> =
            self.models.iter().map(|(_, f)| input("model", &f.source.name, &f.source.text)).collect();
        inputs.extend(texts.inputs());
        inputs.extend(settings.inputs());
        Ok(Plan {
            name: String::new(),
            title: String::new(),
            question: None,
            axes: columns.into_iter().map(|(name, _)| name).collect(),
            policies: self.policies.iter().map(|(name, _)| name.clone()).collect(),
            points,
            seed,
            runs: settings.runs.unwrap_or(1000),
            horizon: settings.horizon.unwrap_or(Span::from_whole_secs(10 * 31_557_600)),
            inputs,
            defaults,
            gates: Vec::new(),
            asked: Asked::default(),
            settings: settings.clone(),
        })
    }
}

impl Settings {
    /// Without what an experiment's file says as well: to repeat that changes nothing.
    fn unlike(self, file: &ExperimentFile) -> Settings {
        Settings {
            seed: self.seed.filter(|seed| *seed != file.seed),
            runs: self.runs.filter(|runs| *runs != file.runs),
            horizon: self.horizon.filter(|horizon| *horizon != file.horizon),
            fidelity: self.fidelity.filter(|fidelity| *fidelity != file.fidelity),
            ..self
        }
    }

    fn inputs(&self) -> Vec<Input> {
        let mut list: Vec<Input> =
            self.set.iter().map(|set| input("setting", "--set", set.place.source.text.as_str())).collect();
        let mut add = |name: &str, value: Option<String>| {
            list.extend(value.map(|value| input("setting", name, &value)));
        };
        add("--seed", self.seed.map(|seed| seed.to_string()));
        add("--runs", self.runs.map(|runs| runs.to_string()));
        add("--horizon", self.horizon.map(|horizon| horizon.to_string()));
        let fidelity = |f| if f == Fidelity::Requests { "requests" } else { "aggregate" }.to_owned();
        add("--fidelity", self.fidelity.map(fidelity));
        add("--stepwise", self.stepwise.then(String::new));
        list
    }
}

/// A model as a command line names it: its path, or its bare name where it is built in.
fn command_name(found: &Found) -> String {
    match found.folder {
        Some(_) => found.source.name.clone(),
        None => crate::model::load::stem(&found.source.name),
    }
}

/// The names of the policies in a model file, joined.
fn policy_of(source: &Arc<Source>) -> String {
    let table = tree::parse(source, &mut Problems::new());
    let groups = table.get("groups").and_then(|entry| entry.item.as_table());
    let mut names: Vec<String> = Vec::new();
    for group in groups.map_or(&[][..], |groups| &groups.entries) {
        let policy = group.item.as_table().and_then(|group| group.get("policy"));
        let used = policy.and_then(|entry| entry.item.as_table()).and_then(|table| table.entries.first());
        if let Some(used) = used
            && !names.contains(&used.key)
        {
            names.push(used.key.clone());
        }
    }
    if names.is_empty() { "as modelled".to_owned() } else { names.join(" + ") }
}

pub(super) fn not_found(name: &Name, error: &FindError) -> Problem {
    let problem = Problem::new(
        name.place.clone(),
        match error {
            FindError::Unreadable(..) | FindError::NoText(_) => error.to_string(),
            FindError::Unknown(_, name, _) => {
                format!("no model is called `{name}`, and there is no such file")
            }
        },
    );
    problem
        .expected("a path, relative to this file, or the name of a shipped model")
        .nearest(&name.text, shipped::names(FileKind::Model))
}

/// Reports a name that is no measure's.
pub fn known_measure(name: &Name, problems: &mut Problems) {
    if measure::find(&name.text).is_none() {
        let problem = Problem::new(name.place.clone(), format!("no measure is called `{}`", name.text));
        let problem = problem.expected("a measure; `failsim list measures` shows all");
        problems.add(problem.nearest(&name.text, measure::measures().iter().map(|measure| measure.name)));
    }
}

/// A limit in the unit of its measure; reports one that is a quantity of something else.
pub fn in_unit(limit: &QuantityValue, unit: &str, problems: &mut Problems) -> Option<f64> {
    let value = limit.in_unit(unit);
    if value.is_none() {
        let message = format!("`{}` is no limit for a measure in {unit}", limit.text);
        problems.add(Problem::new(limit.place.clone(), message).expected(quantity::example(unit)));
    }
    value
}

/// Reports gates and policies that speak of groups which the model does not have. Such a policy is put into every group
/// instead, so that its parameters are looked at.
fn known_groups(file: &mut ExperimentFile, model: &Arc<Source>, problems: &mut Problems) {
    let groups = load::names_under(model, "groups");
    let names = crate::model::names::Names::new("group", groups.iter().map(String::as_str));
    for group in file.gates.iter().filter_map(|gate| gate.group.as_ref()) {
        names.find(group, problems);
    }
    for change in file.policies.iter_mut().flat_map(|policy| &mut policy.overrides) {
        let place = change.place.clone();
        let [of_groups, group, of_policy] = change.segments.as_mut_slice() else { continue };
        if of_groups == "groups" && of_policy == "policy" && group != "*" {
            let name = Name { text: group.clone(), place };
            if names.find(&name, problems).is_none() {
                "*".clone_into(group);
            }
        }
    }
}

/// Reports a name that is no report's.
fn known_report(name: &Name, problems: &mut Problems) {
    if Report::find(&name.text).is_none() {
        let names = Report::ALL.map(Report::name);
        let problem = Problem::new(name.place.clone(), format!("no report is called `{}`", name.text));
        let problem = problem.expected(format!("one of {}", names.join(", ")));
        problems.add(problem.nearest(&name.text, names));
    }
}
