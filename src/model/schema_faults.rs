//! The tables about failing and being repaired: failures of nodes and links, common causes, crews.

use super::schema::{CLASSES, classes};
use crate::engine::dist::Law;
use crate::engine::time::SECS_PER_YEAR;
use crate::input::source::Name;
use crate::input::{Key, Kind, Place, Reader, Table};
use crate::system::spec::{Classes, Direction, Effect};

const MTTF: Key = Key::new("mttf", Kind::Mean, "Mean time to failure; the law is exponential.")
    .excludes(&["mtbf", "afr", "rate", "ttf"]);
const MTBF: Key = Key::new(
    "mtbf",
    Kind::Mean,
    "Mean operating time between failures, without the repair: another word for `mttf`.",
)
.excludes(&["mttf", "afr", "rate", "ttf"]);
const AFR: Key = Key::new("afr", Kind::Probability,
    "Annualised failure rate, the probability of a failure within a year of operation: mttf = −1 year ÷ ln(1 − afr).")
    .excludes(&["mttf", "mtbf", "rate", "ttf"]);
const RATE: Key = Key::new("rate", Kind::Rate,
    "Faults per time while there is none: the gap from the end of one to the start of the next is exponential with \
     mean 1 ÷ rate. A rate of zero: never.")
    .excludes(&["mttf", "mtbf", "afr", "ttf"]);
const TTF: Key =
    Key::new("ttf", Kind::Law, "Time to failure with any law, from the end of the fault before.")
        .excludes(&["mttf", "mtbf", "afr", "rate"]);
const REPAIR: Key =
    Key::new("repair", Kind::Law, "Time until the hardware is back; a node's `start` passes after it.")
        .excludes(&["duration"]);
const DURATION: Key = Key::new("duration", Kind::Law, "How long the fault lasts.").excludes(&["repair"]);

/// How often and how long.
pub struct Occurrence {
    /// `None`: never.
    pub time_to_failure: Option<Law>,
    /// How long it lasts.
    pub duration: Law,
}

fn occurrence(r: &mut Reader<'_>, is_momentary: bool) -> Occurrence {
    let exponential = |r: &mut Reader<'_>, key: &str, mean: f64| match Law::exponential(mean) {
        Ok(law) => Some(law),
        Err(error) => {
            r.problem_at(key, error.to_string(), "a possible mean");
            None
        }
    };
    let mean = r.mean_opt("mttf");
    let between = r.mean_opt("mtbf");
    let afr = r.probability_opt("afr");
    let rate = r.rate_opt("rate");
    let law = r.law_opt("ttf");
    let given = ["mttf", "mtbf", "afr", "rate", "ttf"].into_iter().any(|key| r.is_given(key));
    if !given {
        let problem = crate::input::Problem::new(r.place(), format!("`{}` does not say how often", r.path()));
        r.problem(problem.expected("one of `mttf`, `mtbf`, `afr`, `rate`, `ttf`").derived());
    }
    let time_to_failure = if let Some(mean) = mean {
        exponential(r, "mttf", mean)
    } else if let Some(mean) = between {
        exponential(r, "mtbf", mean)
    } else if let Some(afr) = afr {
        if afr >= 1.0 {
            r.problem_at("afr", "an annual failure rate of 1 has no mean", "less than 100 %");
            None
        } else if afr > 0.0 {
            exponential(r, "afr", -SECS_PER_YEAR / libm::log1p(-afr))
        } else {
            None
        }
    } else if let Some(rate) = rate {
        if rate > 0.0 { exponential(r, "rate", 1.0 / rate) } else { None }
    } else {
        law
    };
    let key = if r.is_given("repair") { "repair" } else { "duration" };
    if is_momentary {
        if r.is_given(key) {
            r.problem_at(
                key,
                "a step of a clock has no duration",
                "none: it lasts until the next synchronisation",
            );
        }
        return Occurrence { time_to_failure, duration: Law::fixed(0.0).expect("zero is a time") };
    }
    if !r.is_given(key) {
        let problem = crate::input::Problem::new(r.place(), format!("`{}` does not say how long", r.path()));
        r.problem(problem.expected("`repair` or `duration`").derived());
    }
    Occurrence { time_to_failure, duration: r.law(key) }
}

/// A failure of a node or a common cause.
pub struct FailureTable {
    /// What it does.
    pub effect: Effect,
    /// To what: `host`, `process` or the name of a process.
    pub scope: Name,
    /// How often and how long.
    pub occurrence: Occurrence,
}

impl Table for FailureTable {
    const KEYS: &'static [Key] = &[
        Key::new("effect", Kind::Choice(&["crash", "crash-with-disk-loss", "pause", "slow", "clock-step"]),
            "\"crash\": volatile state is lost. \"pause\": everything stands still and goes on later with stale \
             beliefs. \"slow\": service takes `factor` times as long (felt where requests are events, and only there). \
             \"clock-step\": the wall clock is set `by` so much, until its next synchronisation.").neutral("crash"),
        Key::new("scope", Kind::Text,
            "\"host\", \"process\" (the server; the host still answers an echo) or one of the node's `processes`.")
            .neutral("host"),
        Key::new("factor", Kind::Number(1.0, f64::INFINITY), "How much slower."),
        Key::new("by", Kind::Offset, "How far the wall clock is set forward; back if negative."),
        MTTF, MTBF, AFR, RATE, TTF, REPAIR, DURATION,
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let name = r.choice("effect");
        let factor = r.number_opt("factor");
        let effect = match name {
            "crash-with-disk-loss" => Effect::CrashDiskLoss,
            "pause" => Effect::Pause,
            "slow" => Effect::Slow { factor: factor.unwrap_or(1.0) },
            "clock-step" => Effect::ClockStep { secs: r.offset_opt("by").unwrap_or(0.0) },
            _ => Effect::Crash,
        };
        for (key, owner, what) in [("factor", "slow", "how much slower"), ("by", "clock-step", "how far")] {
            if name == owner && !r.is_given(key) {
                r.problem_at("effect", format!("`{owner}` without `{key}`"), format!("`{key}`: {what}"));
            } else if name != owner && r.is_given(key) {
                r.problem_at(
                    key,
                    format!("`{key}` belongs to the effect \"{owner}\""),
                    format!("`effect = \"{owner}\"`, or no `{key}`"),
                );
            }
        }
        FailureTable {
            effect,
            scope: Name { text: r.text("scope"), place: r.place_of("scope") },
            occurrence: occurrence(r, name == "clock-step"),
        }
    }
}

/// A failure of a link.
pub struct LinkFailureTable {
    /// How often and how long.
    pub occurrence: Occurrence,
    /// What traffic.
    pub classes: Classes,
    /// Which way.
    pub direction: Direction,
    /// Where the direction stands.
    pub place: Place,
}

/// The directions by name.
pub const DIRECTIONS: &[&str] = &["both", "forward", "backward"];

/// The direction of a name.
pub fn direction(name: &str) -> Direction {
    match name {
        "forward" => Direction::Forward,
        "backward" => Direction::Backward,
        _ => Direction::Both,
    }
}

impl Table for LinkFailureTable {
    const KEYS: &'static [Key] = &[
        MTTF,
        MTBF,
        AFR,
        RATE,
        TTF,
        REPAIR,
        DURATION,
        Key::new("classes", Kind::Choices(CLASSES), "The traffic it stops.").neutral("[\"all\"]"),
        Key::new(
            "direction",
            Kind::Choice(DIRECTIONS),
            "The direction it stops; forward is from the first end.",
        )
        .neutral("both"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        LinkFailureTable {
            occurrence: occurrence(r, false),
            classes: classes(&r.choices("classes")),
            direction: direction(r.choice("direction")),
            place: r.place_of("direction"),
        }
    }
}

/// A common cause.
pub struct SharedTable {
    /// Nodes, links, sites.
    pub members: Vec<Name>,
    /// How it fails.
    pub failures: Vec<(Name, FailureTable)>,
}

impl Table for SharedTable {
    const KEYS: &'static [Key] = &[
        Key::new(
            "members",
            Kind::Names("a node, link or site"),
            "What fails together; a site stands for its nodes.",
        )
        .required(),
        Key::new(
            "failures",
            Kind::Named(FailureTable::KEYS),
            "How it fails, each mode under a name; left out, only a script strikes it.",
        ),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        SharedTable { members: r.names("members"), failures: r.named("failures") }
    }
}

/// A repair crew.
pub struct CrewTable {
    /// Repairs at once.
    pub size: u32,
}

impl Table for CrewTable {
    const KEYS: &'static [Key] = &[Key::new(
        "size",
        Kind::Count(1, 65_535),
        "Repairs at the same time; others wait, first come, first served.",
    )
    .neutral("1")];
    fn read(r: &mut Reader<'_>) -> Self {
        CrewTable { size: u32::try_from(r.count("size")).unwrap_or(1) }
    }
}
