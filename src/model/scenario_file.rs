//! Scenario files: a model, faults at exact times, expectations. Read here; `script` fits them to the model.

use std::sync::Arc;

use super::experiment_file::{FIDELITIES, Fidelity, draft_file, fidelity, set};
use super::load::Override;
use super::schema::{CLASSES, classes};
use super::schema_faults::{DIRECTIONS, direction};
use crate::engine::time::{Instant, Span};
use crate::input::source::Name;
use crate::input::tree::Value;
use crate::input::{Key, Kind, Place, Problem, Problems, QuantityValue, Reader, Source, Table, units};
use crate::system::spec::{Classes, Direction};

/// A scenario.
#[derive(Clone, Debug)]
pub struct ScenarioFile {
    /// One line.
    pub title: String,
    /// The model by path or bare name; `None` where that is missing, which is a mistake.
    pub model: Option<Name>,
    /// Length of a run.
    pub horizon: Span,
    /// How many runs: each with random streams of its own, all with the same script.
    pub runs: u64,
    /// None of the model's random faults.
    pub quiet: bool,
    /// Seed of every random stream.
    pub seed: u64,
    /// Fidelity.
    pub fidelity: Fidelity,
    /// What is set in the model.
    pub set: Vec<Override>,
    /// What happens, in the order of the file.
    pub steps: Vec<Step>,
    /// What is expected, in the order of the file.
    pub expects: Vec<Expect>,
}

/// Something that happens at an exact time, names not yet resolved.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: Instant,
    /// What: one of [`ACTIONS`].
    pub action: &'static str,
    /// To what.
    pub target: Name,
    /// Which traffic of a link.
    pub classes: Classes,
    /// Which way of a link.
    pub direction: Direction,
    /// Which part of a node; `None`: as the action has it.
    pub scope: Option<Name>,
    /// Whether a crash takes the disk along.
    pub disk_loss: bool,
    /// How far a clock is set forward, in seconds.
    pub by_secs: f64,
    /// The node a changeover moves the role to.
    pub to: Option<Name>,
}

/// The actions by name.
pub const ACTIONS: &[&str] = &[
    "crash",
    "restore",
    "pause",
    "resume",
    "stop",
    "start",
    "step_clock",
    "cut",
    "heal",
    "strike",
    "relieve",
    "changeover",
];

/// One expectation.
#[derive(Clone, Debug)]
pub struct Expect {
    /// Where it stands.
    pub place: Place,
    /// What.
    pub what: Expected,
}

/// Of which number an expectation speaks where there are several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverRuns {
    /// Of each run's.
    Every,
    /// Of the mean over runs, with its interval.
    Mean,
    /// Of the smallest.
    Min,
    /// Of the largest.
    Max,
}

const OVER_RUNS: &[&str] = &["every", "mean", "min", "max"];

/// Names of roles; `main` and `primary` are other words for `active`, `down` says that the server process is gone.
pub const ROLES: &[&str] = &[
    "starting",
    "syncing",
    "standby",
    "isolated",
    "taking-over",
    "active",
    "main",
    "primary",
    "peer",
    "idle",
    "down",
];

/// What can be expected.
#[expect(clippy::large_enum_variant, reason = "a scenario has a handful of them")]
#[derive(Clone, Debug)]
pub enum Expected {
    /// A measure of the run lies in a range.
    Measure {
        /// Which.
        measure: Name,
        /// Divided by which other measure of the same run.
        per: Option<Name>,
        /// In which group; `None`: of the whole service.
        group: Option<Name>,
        /// Of which number, where there are several runs.
        over_runs: OverRuns,
        /// Exactly, or as near as `within` allows.
        equals: Option<QuantityValue>,
        /// How far from `equals` it may be; of a mean: how far its interval may reach.
        within: Option<QuantityValue>,
        /// Not less than.
        at_least: Option<QuantityValue>,
        /// Not more than.
        at_most: Option<QuantityValue>,
        /// Of the interval of a mean.
        confidence: f64,
    },
    /// The state at a time, in every run.
    State {
        /// When.
        at: Instant,
        /// Node and role it believes to have.
        role: Vec<(Name, Name)>,
        /// Node and whether it accepts work.
        accepts: Vec<(Name, bool)>,
        /// Whether the service is up.
        up: Option<bool>,
    },
}

/// The keys of a scenario file.
pub struct ScenarioTable(ScenarioFile);

impl Table for ScenarioTable {
    const KEYS: &'static [Key] = &[
        Key::new("title", Kind::Text, "One line saying what this shows.").required(),
        Key::new("model", Kind::Name("a model"), "The model: a path, or the bare name of a shipped one.")
            .required(),
        Key::new("horizon", Kind::SpanPositive, "Length of a run, at most 500 years.").required(),
        Key::new(
            "runs",
            Kind::Count(1, 1_000_000),
            "Runs: what is random differs between them, the script does not.",
        )
        .neutral("1"),
        Key::new("quiet", Kind::Flag, "None of the model's random faults.").neutral("false"),
        Key::new("seed", Kind::Count(0, i64::MAX as u64), "Seed of every random stream.").neutral("1"),
        Key::new(
            "fidelity",
            Kind::Choice(FIDELITIES),
            "\"aggregate\": work as rates and shares. \"requests\": each request by itself.",
        )
        .neutral("aggregate"),
        Key::new("set", Kind::Any, "Keys of the model that differ: `{ \"nodes.*.start\" = \"1m\" }`."),
        Key::new("at", Kind::Many(StepTable::KEYS), "What happens, each at its time."),
        Key::new("expect", Kind::Many(ExpectTable::KEYS), "What is expected."),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let title = r.text("title");
        let horizon = r.span("horizon");
        let runs = r.count("runs");
        let quiet = r.flag("quiet");
        let seed = r.count("seed");
        let fidelity = fidelity(r.choice("fidelity"));
        let set = set(r, "set");
        let steps: Vec<Step> = r.many::<StepTable>("at").into_iter().filter_map(|(_, step)| step.0).collect();
        let expects: Vec<Expect> = r
            .many::<ExpectTable>("expect")
            .into_iter()
            .filter_map(|(place, expect)| Some(Expect { place, what: expect.0? }))
            .collect();
        let end = Instant::ZERO + horizon;
        for (at, place) in steps.iter().map(|step| (step.at, &step.target.place)).chain(states(&expects)) {
            if at > end && horizon > Span::ZERO {
                let problem = Problem::new(place.clone(), format!("this is at {at}, after the horizon"));
                r.problem(problem.expected(format!("a time up to {horizon}")));
            }
        }
        let model = r.name("model");
        ScenarioTable(ScenarioFile {
            title,
            model,
            horizon,
            runs,
            quiet,
            seed,
            fidelity,
            set,
            steps,
            expects,
        })
    }
}

impl ScenarioFile {
    /// Reports a mean that is expected of one run.
    pub fn check_runs(&self, problems: &mut Problems) {
        let of_runs =
            |expect: &&Expect| matches!(expect.what, Expected::Measure { over_runs: OverRuns::Mean, .. });
        if self.runs < 2
            && let Some(expect) = self.expects.iter().find(of_runs)
        {
            let problem = Problem::new(expect.place.clone(), "one run has no mean with an interval");
            problems.add(problem.expected("`runs = 100` or so at the top of the file"));
        }
    }
}

fn states(expects: &[Expect]) -> impl Iterator<Item = (Instant, &Place)> {
    expects.iter().filter_map(|expect| match expect.what {
        Expected::State { at, .. } => Some((at, &expect.place)),
        Expected::Measure { .. } => None,
    })
}

/// Reads a scenario file.
///
/// # Errors
/// Every mistake in it.
pub fn read(source: &Arc<Source>) -> Result<ScenarioFile, Problems> {
    let (file, mut problems) = draft(source);
    file.check_runs(&mut problems);
    if problems.is_empty() { Ok(file) } else { Err(problems.sorted()) }
}

/// Reads a scenario file, with every mistake beside what could be read, so that the rest of it can be looked at as
/// well. Whether its runs are enough is left to [`ScenarioFile::check_runs`].
pub fn draft(source: &Arc<Source>) -> (ScenarioFile, Problems) {
    let (table, problems) = draft_file::<ScenarioTable>(source);
    (table.0, problems)
}

/// The keys of a step.
pub struct StepTable(Option<Step>);

impl Table for StepTable {
    const KEYS: &'static [Key] = &[
        Key::new("time", Kind::Span, "When, from the start of the run.").required(),
        Key::new("crash", Kind::Name("a node"), "It fails and stays so until `restore`."),
        Key::new("restore", Kind::Name("a node"), "Its hardware is back; its `start` begins."),
        Key::new("pause", Kind::Name("a node"), "It stands still until `resume`."),
        Key::new("resume", Kind::Name("a node"), "It goes on, with stale beliefs."),
        Key::new(
            "stop",
            Kind::Name("a node"),
            "Its server process ends until `start`; the host still answers.",
        ),
        Key::new("start", Kind::Name("a node"), "Its server process begins again."),
        Key::new(
            "step_clock",
            Kind::Name("a node"),
            "Its wall clock is set, until its next synchronisation.",
        ),
        Key::new("by", Kind::Offset, "How far `step_clock` sets it forward; back if negative."),
        Key::new("cut", Kind::Name("a link or path"), "It carries nothing until `heal`."),
        Key::new("heal", Kind::Name("a link or path"), "Every cut of it by this script ends."),
        Key::new("strike", Kind::Name("a common cause"), "Its members fail until `relieve`."),
        Key::new("relieve", Kind::Name("a common cause"), "Its members come back."),
        Key::new("changeover", Kind::Name("a group"), "An operator moves its active role."),
        Key::new(
            "to",
            Kind::Name("a node"),
            "Where a changeover moves the role; left out: as the policy picks.",
        ),
        Key::new("classes", Kind::Choices(CLASSES), "The traffic that `cut` stops.").neutral("[\"all\"]"),
        Key::new("direction", Kind::Choice(DIRECTIONS), "The direction that `cut` stops.").neutral("both"),
        Key::new(
            "scope",
            Kind::Name("a part of a node"),
            "\"host\", \"process\" or one of the node's processes. Left out: the host, for `stop` and `start` the process.",
        ),
        Key::new("disk_loss", Kind::Flag, "Whether `crash` takes the disk along.").neutral("false"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let time = r.span("time");
        let at = Instant::ZERO + time;
        let given: Vec<&'static str> = ACTIONS.iter().copied().filter(|action| r.is_given(action)).collect();
        let names: Vec<Option<Name>> = ACTIONS.iter().map(|action| r.name(action)).collect();
        let only = |r: &mut Reader<'_>, key: &str, actions: &[&str]| {
            if r.is_given(key) && !given.iter().any(|action| actions.contains(action)) {
                let all = actions.iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join(", ");
                r.problem_at(key, format!("`{key}` has no meaning here"), format!("beside {all}"));
            }
        };
        only(r, "to", &["changeover"]);
        only(r, "by", &["step_clock"]);
        if given.contains(&"step_clock") && !r.is_given("by") {
            r.problem_at("step_clock", "`step_clock` without `by`", "`by`: how far, such as `30s` or `-5m`");
        }
        only(r, "classes", &["cut"]);
        only(r, "direction", &["cut"]);
        only(r, "scope", &["crash", "restore", "pause", "resume", "stop", "start"]);
        only(r, "disk_loss", &["crash"]);
        match given.as_slice() {
            [_] => {}
            [] => {
                let problem = Problem::new(r.place(), "nothing happens at this time").derived();
                r.problem(problem.expected(format!("one of {}", ACTIONS.join(", "))));
            }
            [_, second, ..] => {
                r.problem_at(second, "two things happen in one step", "a step, `[[at]]`, for each")
            }
        }
        let step = given.first().and_then(|action| {
            let index = ACTIONS.iter().position(|other| other == action)?;
            Some(Step {
                at,
                action,
                target: names.get(index)?.clone()?,
                classes: classes(&r.choices("classes")),
                direction: direction(r.choice("direction")),
                scope: r.name("scope"),
                disk_loss: r.flag("disk_loss"),
                by_secs: r.offset_opt("by").unwrap_or(0.0),
                to: r.name("to"),
            })
        });
        StepTable(step)
    }
}

/// The keys of an expectation.
pub struct ExpectTable(Option<Expected>);

impl Table for ExpectTable {
    const KEYS: &'static [Key] = &[
        Key::new("measure", Kind::Name("a measure"), "Which measure of the run.").excludes(&["at"]),
        Key::new("per", Kind::Name("a measure"), "Divides it by another measure of the same run."),
        Key::new("group", Kind::Name("a group"), "In which group; left out: of the whole service."),
        Key::new(
            "over_runs",
            Kind::Choice(OVER_RUNS),
            "Of several runs: each one's value, their mean with its interval, the smallest or the largest.",
        )
        .neutral("every"),
        Key::new("between", Kind::Any, "Its two limits: `[\"7160s\", \"7170s\"]`.")
            .excludes(&["at_least", "at_most", "equals"]),
        Key::new("at_least", Kind::Quantity, "Not less than this.").excludes(&["between", "equals"]),
        Key::new("at_most", Kind::Quantity, "Not more than this.").excludes(&["between", "equals"]),
        Key::new("equals", Kind::Quantity, "Exactly this.").excludes(&["between", "at_least", "at_most"]),
        Key::new(
            "within",
            Kind::Quantity,
            "How far from `equals` it may be. Of a mean: `equals` lies in its interval, which is no wider than this \
             to either side.",
        ),
        Key::new("confidence", Kind::Probability, "Of the interval of a mean (Student t over the runs).")
            .neutral("99.9%"),
        Key::new("at", Kind::Span, "A time: the expectation is about the state then.").excludes(&["measure"]),
        Key::new("role", Kind::NameMap("a node", "a role"), "The role each node believes to have."),
        Key::new("accepts", Kind::Any, "Whether each node accepts work: `{ a = true, b = false }`."),
        Key::new("up", Kind::Flag, "Whether the service is up."),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        if let Some(measure) = r.name("measure") {
            return ExpectTable(Some(expected_measure(measure, r)));
        }
        if !r.is_given("at") {
            if !r.is_given("measure") {
                r.problem(
                    Problem::new(r.place(), "nothing is expected").expected("`measure`, or `at`").derived(),
                );
            }
            return ExpectTable(None);
        }
        let at = r.span("at");
        for key in OF_MEASURES {
            if r.is_given(key) {
                r.problem_at(key, format!("`{key}` is about a measure"), "`measure` instead of `at`");
            }
        }
        let (role, accepts, up) = (r.name_map("role"), accepts(r), r.flag_opt("up"));
        if !["role", "accepts", "up"].into_iter().any(|key| r.is_given(key)) {
            let problem = Problem::new(r.place(), "nothing is expected at this time").derived();
            r.problem(problem.expected("`role`, `accepts` or `up`"));
        }
        ExpectTable(Some(Expected::State { at: Instant::ZERO + at, role, accepts, up }))
    }
}

const OF_MEASURES: [&str; 9] =
    ["per", "group", "over_runs", "between", "at_least", "at_most", "equals", "within", "confidence"];

fn expected_measure(measure: Name, r: &mut Reader<'_>) -> Expected {
    for key in ["role", "accepts", "up"] {
        if r.is_given(key) {
            r.problem_at(key, format!("`{key}` is about a time"), "`at` instead of `measure`");
        }
    }
    let over_runs = match r.choice("over_runs") {
        "mean" => OverRuns::Mean,
        "min" => OverRuns::Min,
        "max" => OverRuns::Max,
        _ => OverRuns::Every,
    };
    let (mut at_least, mut at_most) = (r.quantity_opt("at_least"), r.quantity_opt("at_most"));
    if let Some((low, high)) = between(r) {
        (at_least, at_most) = (Some(low), Some(high));
    }
    let (equals, within, confidence) =
        (r.quantity_opt("equals"), r.quantity_opt("within"), r.probability("confidence"));
    if !["between", "at_least", "at_most", "equals"].into_iter().any(|key| r.is_given(key)) {
        let expected = "`between`, `at_least`, `at_most` or `equals`";
        r.problem(Problem::new(r.place(), "nothing is said about the measure").expected(expected).derived());
    }
    if r.is_given("within") && !r.is_given("equals") {
        r.problem_at("within", "`within` has no meaning here", "beside `equals`");
    }
    if over_runs == OverRuns::Mean && r.is_given("equals") && !r.is_given("within") {
        let expected = "`within`, which says how narrow it has to be";
        r.problem_at("equals", "an interval that may be as wide as it likes holds everything", expected);
    }
    if over_runs != OverRuns::Mean && r.is_given("confidence") {
        r.problem_at("confidence", "`confidence` has no meaning here", "beside `over_runs = \"mean\"`");
    }
    if confidence >= 1.0 {
        r.problem_at("confidence", "no interval is certain", "a confidence below 1, such as 99.9%");
    }
    let (per, group) = (r.name("per"), r.name("group"));
    Expected::Measure { measure, per, group, over_runs, equals, within, at_least, at_most, confidence }
}

fn between(r: &mut Reader<'_>) -> Option<(QuantityValue, QuantityValue)> {
    let item = r.item("between")?.clone();
    let expected = "its two limits, the lower first, such as [\"7160s\", \"7170s\"]";
    let ends = match &item.value {
        Value::Array(ends) if ends.len() == 2 => ends.clone(),
        _ => {
            r.problem_at("between", "a range has two ends", expected);
            return None;
        }
    };
    let read: Vec<Option<QuantityValue>> = ends.iter().map(QuantityValue::of).collect();
    for (end, value) in ends.iter().zip(&read) {
        if value.is_none() {
            r.problem(Problem::new(end.place.clone(), "not a number with its unit").expected(expected));
        }
    }
    let (low, high) = (read[0].clone()?, read[1].clone()?);
    if low.value > high.value {
        r.problem_at("between", "the lower limit is above the upper", expected);
    }
    Some((low, high))
}

fn accepts(r: &mut Reader<'_>) -> Vec<(Name, bool)> {
    let Some(item) = r.item("accepts").cloned() else { return Vec::new() };
    let Some(table) = item.as_table() else {
        r.problem_at(
            "accepts",
            format!("{} is no value for `accepts`", item.value.kind()),
            "{ a = true, b = false }",
        );
        return Vec::new();
    };
    let mut list = Vec::new();
    for entry in &table.entries {
        match entry.item.value {
            Value::Flag(flag) => {
                list.push((Name { text: entry.key.clone(), place: entry.key_place.clone() }, flag));
            }
            _ => r.problem(Problem::new(entry.item.place.clone(), "not a flag").expected("true or false")),
        }
    }
    list
}

/// Reads a horizon from the command line.
///
/// # Errors
/// What is wrong with it.
pub fn horizon(text: &str, origin: &str) -> Result<Span, Problems> {
    let source = Source::new(origin, text);
    let mut problems = Problems::new();
    match units::span(text) {
        Ok(span) if span > Span::ZERO => return Ok(span),
        Ok(_) => problems.add(Problem::new(source.whole(), "no time at all").expected("a time above zero")),
        Err(error) => {
            let mut problem =
                Problem::new(Place::new(&source, error.range), error.message).expected(error.expected);
            problem.nearest = error.nearest.map(str::to_owned);
            problems.add(problem);
        }
    }
    Err(problems)
}
