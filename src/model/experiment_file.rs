//! Experiment files: a model, axes to sweep, policies to compare, gates. Read here, run by `experiment`.

use std::sync::Arc;

use super::axis::{Axis, AxisTable};
use super::load::Override;
use super::scale;
use crate::engine::time::Span;
use crate::input::source::Name;
use crate::input::tree::{self, Item, TableItem, Value};
use crate::input::{
    Key, Kind, NoFiles, Place, Problem, Problems, QuantityValue, Reader, Session, Source, Table,
};

/// How finely work is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// Rates and shares.
    Aggregate,
    /// Each request by itself.
    Requests,
}

/// The fidelities by name.
pub const FIDELITIES: &[&str] = &["aggregate", "requests"];

/// The fidelity of a name.
pub fn fidelity(name: &str) -> Fidelity {
    if name == "requests" { Fidelity::Requests } else { Fidelity::Aggregate }
}

/// An experiment.
#[derive(Clone, Debug)]
pub struct ExperimentFile {
    /// One line.
    pub title: String,
    /// What it asks, if the title does not.
    pub question: Option<String>,
    /// The models by path or bare name; at least one.
    pub models: Vec<Name>,
    /// Seed of every random stream.
    pub seed: u64,
    /// Length of a run.
    pub horizon: Span,
    /// Runs per point.
    pub runs: u64,
    /// Fidelity.
    pub fidelity: Fidelity,
    /// What is set at every point.
    pub set: Vec<Override>,
    /// Axes in order.
    pub axes: Vec<Axis>,
    /// Policies to compare; empty: those of the model.
    pub policies: Vec<PolicyUse>,
    /// Conditions.
    pub gates: Vec<Gate>,
    /// Measures that tables and charts show; empty: the usual ones.
    pub measures: Vec<Name>,
    /// Reports by name; empty: all.
    pub reports: Vec<Name>,
}

/// One policy to compare.
#[derive(Clone, Debug)]
pub struct PolicyUse {
    /// Its name in tables.
    pub name: Name,
    /// What it replaces and sets, in order.
    pub overrides: Vec<Override>,
}

/// A condition that a result has to meet.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Where it stands.
    pub place: Place,
    /// Of which policy; `None`: of each.
    pub policy: Option<Name>,
    /// Which measure.
    pub measure: Name,
    /// In which group; `None`: of the whole service.
    pub group: Option<Name>,
    /// Not less than.
    pub at_least: Option<QuantityValue>,
    /// Not more than.
    pub at_most: Option<QuantityValue>,
    /// Only at these values (by label) of these axes (by index).
    pub at: Vec<(usize, usize)>,
}

/// The keys of an experiment file.
pub struct ExperimentTable(ExperimentFile);

impl Table for ExperimentTable {
    const KEYS: &'static [Key] = &[
        Key::new("title", Kind::Text, "One line saying what this is.").required(),
        Key::new("question", Kind::Text, "What it asks, if the title does not."),
        Key::new("model", Kind::Name("a model"), "The model: a path, or the bare name of a shipped one.")
            .excludes(&["models"]),
        Key::new("models", Kind::Names("a model"), "Several models.").excludes(&["model"]),
        Key::new("seed", Kind::Count(0, i64::MAX as u64), "Seed of every random stream.").neutral("1"),
        Key::new("horizon", Kind::SpanPositive, "Length of a run, at most 500 years.").neutral("10y"),
        Key::new("runs", Kind::Count(1, 100_000_000), "Runs per point.").neutral("1000"),
        Key::new(
            "fidelity",
            Kind::Choice(FIDELITIES),
            "\"aggregate\": work as rates and shares. \"requests\": each request by itself.",
        )
        .neutral("aggregate"),
        Key::new("set", Kind::Any, "Keys of the model set at every point: `{ \"nodes.*.start\" = \"1m\" }`."),
        Key::new("axis", Kind::Many(AxisTable::KEYS), "What varies."),
        Key::new("policy", Kind::Many(PolicyTable::KEYS), "What is compared."),
        Key::new("gate", Kind::Many(GateTable::KEYS), "What the results have to meet."),
        Key::new(
            "measures",
            Kind::NamesOrNone("a measure"),
            "Measures that tables and charts show, in this order; none: the usual ones.",
        )
        .neutral("[]"),
        Key::new(
            "reports",
            Kind::NamesOrNone("a report"),
            "What the summary is about: winners, effects, downtime, split-brain, data, cost, pairs, objectives, \
             comparison; none: all of them.",
        )
        .neutral("[]"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let mut models = r.names_opt("models").unwrap_or_default();
        models.extend(r.name("model"));
        if !r.is_given("model") && !r.is_given("models") {
            r.problem(Problem::new(r.place(), "no model is named").expected("`model` or `models`").derived());
        }
        let axes: Vec<Axis> =
            r.many::<AxisTable>("axis").into_iter().filter_map(|(_, axis)| axis.0).collect();
        for (index, axis) in axes.iter().enumerate() {
            if axes[..index].iter().any(|other| other.name == axis.name) {
                let message = format!("two axes are called `{}`", axis.name);
                r.problem(Problem::new(axis.place.clone(), message).expected("a name of its own"));
            }
        }
        let policies: Vec<PolicyUse> =
            r.many::<PolicyTable>("policy").into_iter().filter_map(|(_, p)| p.0).collect();
        for (index, policy) in policies.iter().enumerate() {
            if policies[..index].iter().any(|other| other.name.text == policy.name.text) {
                let message = format!("two policies are called `{}`", policy.name.text);
                r.problem(Problem::new(policy.name.place.clone(), message).expected("a name of its own"));
            }
        }
        let gates = r.many::<GateTable>("gate");
        let gates =
            gates.into_iter().filter_map(|(place, gate)| gate.resolve(place, &axes, &policies, r)).collect();
        ExperimentTable(ExperimentFile {
            title: r.text("title"),
            question: r.text_opt("question"),
            models,
            seed: r.count("seed"),
            horizon: r.span("horizon"),
            runs: r.count("runs"),
            fidelity: fidelity(r.choice("fidelity")),
            set: set(r, "set"),
            axes,
            policies,
            gates,
            measures: r.names("measures"),
            reports: r.names("reports"),
        })
    }
}

/// Reads an experiment file.
///
/// # Errors
/// Every mistake in it.
pub fn read(source: &Arc<Source>) -> Result<ExperimentFile, Problems> {
    let (file, problems) = draft(source);
    if problems.is_empty() { Ok(file) } else { Err(problems.sorted()) }
}

/// As [`read`], with every mistake beside what could be read, so that the rest of it can be looked at as well: an axis
/// whose values are mistaken has none.
pub fn draft(source: &Arc<Source>) -> (ExperimentFile, Problems) {
    let (table, problems) = draft_file::<ExperimentTable>(source);
    (table.0, problems)
}

/// Reads a file that names no other files, as far as that goes.
pub(super) fn draft_file<T: Table>(source: &Arc<Source>) -> (T, Problems) {
    let mut session = Session::new(Arc::new(NoFiles));
    let table = tree::parse(source, &mut session.problems);
    let is_damaged = tree::is_damaged(&session.problems);
    let read = Reader::root(&table, &source.whole(), &mut session);
    if is_damaged {
        session.problems.drop_derived();
    }
    (read, session.problems)
}

/// A table of dotted paths and values under a key.
pub(super) fn set(r: &mut Reader<'_>, key: &str) -> Vec<Override> {
    let Some(item) = r.item(key).cloned() else { return Vec::new() };
    let Value::Table(table) = &item.value else {
        r.problem_at(
            key,
            format!("{} is no value for `{key}`", item.value.kind()),
            "a table of paths and values",
        );
        return Vec::new();
    };
    let mut list = Vec::new();
    for entry in &table.entries {
        if !entry.key.contains('.') && entry.item.as_table().is_some() {
            let problem = Problem::new(entry.key_place.clone(), "the path is split into tables");
            r.problem(problem.expected("the whole path in quotes, such as \"nodes.*.start\" = \"1m\""));
            continue;
        }
        list.push(Override::new(&entry.key, entry.key_place.clone(), entry.item.clone()));
    }
    list
}

/// The keys of a policy to compare.
pub struct PolicyTable(Option<PolicyUse>);

impl Table for PolicyTable {
    const KEYS: &'static [Key] = &[
        Key::new("name", Kind::Name("the policy, in tables"), "Its name in tables.").required(),
        Key::new(
            "group",
            Kind::Name("a group"),
            "The group whose policy it replaces; left out: every group's.",
        ),
        Key::new(
            "use",
            Kind::Any,
            "The policy with its parameters: `[policy.use.hot-standby]`; left out: the model's.",
        ),
        Key::new("set", Kind::Any, "Keys of the model set with it: `{ \"nodes.*.start\" = \"1m\" }`."),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let group = r.name("group");
        let mut overrides = Vec::new();
        match r.item("use").cloned() {
            Some(item) if item.as_table().is_some_and(|table: &TableItem| table.entries.len() == 1) => {
                let (name, place) = match &group {
                    Some(group) => (group.text.clone(), group.place.clone()),
                    None => ("*".to_owned(), item.place.clone()),
                };
                let quoted = if name.contains('.') { format!("\"{name}\"") } else { name };
                overrides.push(Override::new(&format!("groups.{quoted}.policy"), place, item));
            }
            Some(item) => {
                let policy = item.as_text().unwrap_or("POLICY").to_owned();
                r.problem_at("use", "exactly one policy is used", format!("a table `[policy.use.{policy}]`"));
            }
            None => {}
        }
        overrides.extend(set(r, "set"));
        PolicyTable(r.name("name").map(|name| PolicyUse { name, overrides }))
    }
}

/// The keys of a gate.
pub struct GateTable {
    policy: Option<Name>,
    measure: Option<Name>,
    group: Option<Name>,
    at_least: Option<QuantityValue>,
    at_most: Option<QuantityValue>,
    at: Option<Item>,
}

impl Table for GateTable {
    const KEYS: &'static [Key] = &[
        Key::new("policy", Kind::Name("a policy of this experiment"), "Of which policy; left out: of each."),
        Key::new("measure", Kind::Name("a measure"), "Which measure.").required(),
        Key::new("group", Kind::Name("a group"), "In which group; left out: of the whole service."),
        Key::new("at_least", Kind::Quantity, "Not less than this."),
        Key::new("at_most", Kind::Quantity, "Not more than this."),
        Key::new("at", Kind::Any, "Only at these values of axes: `{ \"server MTTF\" = \"100d\" }`."),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        if !r.is_given("at_least") && !r.is_given("at_most") {
            r.problem(
                Problem::new(r.place(), "the gate has no limit")
                    .expected("`at_least` or `at_most`")
                    .derived(),
            );
        }
        GateTable {
            policy: r.name("policy"),
            measure: r.name("measure"),
            group: r.name("group"),
            at_least: r.quantity_opt("at_least"),
            at_most: r.quantity_opt("at_most"),
            at: r.item("at").cloned(),
        }
    }
}

impl GateTable {
    fn resolve(
        self,
        place: Place,
        axes: &[Axis],
        policies: &[PolicyUse],
        r: &mut Reader<'_>,
    ) -> Option<Gate> {
        if let Some(policy) = &self.policy
            && !policies.iter().any(|other| other.name.text == policy.text)
        {
            let names =
                super::names::Names::new("policy", policies.iter().map(|policy| policy.name.text.as_str()));
            r.problem(super::names::dangling("policy of this experiment", policy, &[&names]));
        }
        let mut at = Vec::new();
        let entries = match &self.at {
            Some(Item { value: Value::Table(table), .. }) => &table.entries[..],
            Some(other) => {
                let problem =
                    Problem::new(other.place.clone(), format!("{} is no value for `at`", other.value.kind()));
                r.problem(problem.expected("a table of axes and values"));
                &[]
            }
            None => &[],
        };
        for entry in entries {
            let name = Name { text: entry.key.clone(), place: entry.key_place.clone() };
            let names = super::names::Names::new("axis", axes.iter().map(|axis| axis.name.as_str()));
            let Some(axis) = names.find(&name, &mut r.session().problems) else { continue };
            if axes[axis].values.is_empty() {
                continue;
            }
            let labels: Vec<String> = axes[axis].values.iter().map(scale::label).collect();
            let wanted = scale::label(&entry.item);
            match labels.iter().position(|label| *label == wanted) {
                Some(value) => at.push((axis, value)),
                None => {
                    let message = format!("`{wanted}` is no value of the axis `{}`", entry.key);
                    let problem = Problem::new(entry.item.place.clone(), message);
                    let problem = problem.expected(format!("one of {}", labels.join(", ")));
                    r.problem(problem.nearest(&wanted, labels.iter().map(String::as_str)));
                }
            }
        }
        let GateTable { policy, group, at_least, at_most, .. } = self;
        Some(Gate { place, policy, measure: self.measure?, group, at_least, at_most, at })
    }
}
