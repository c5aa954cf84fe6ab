//! What a scenario expects of measures: of every run, of the mean over runs, of the smallest or the largest.

use super::outcome;
use super::plan::{in_unit, known_measure};
use super::scenario::{Judged, Verdict};
use crate::input::{Name, Problem, Problems, QuantityValue};
use crate::measure::{self, Summary};
use crate::model::scenario_file::{Expected, OverRuns, ScenarioFile};
use crate::report::number;
use crate::stats::interval;
use crate::stats::moments::Moments;

/// A value and the one computed from a file's numbers differ in the last digits at most.
const SLACK: f64 = 1e-9;

/// A number that is asked of every run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    measure: String,
    per: Option<String>,
    group: Option<String>,
}

/// Everything that a scenario asks of a run, each once; reports measures that there are not, and limits that fit none.
pub(super) fn asked(scenario: &ScenarioFile, problems: &mut Problems) -> Vec<Asked> {
    let mut list = Vec::new();
    for expect in &scenario.expects {
        let Expected::Measure { measure, per, equals, within, at_least, at_most, .. } = &expect.what else {
            continue;
        };
        known_measure(measure, problems);
        per.iter().for_each(|per| known_measure(per, problems));
        if let Some(unit) = unit(measure, per.as_ref(), problems) {
            for limit in [equals, within, at_least, at_most].into_iter().flatten() {
                in_unit(limit, unit, problems);
            }
        }
        let asked = Asked::of(&expect.what);
        if !list.contains(&asked) {
            list.push(asked);
        }
    }
    list
}

/// The unit of a measure, or of one divided by another; `None` where there is none.
fn unit(measure: &Name, per: Option<&Name>, problems: &mut Problems) -> Option<&'static str> {
    let of = |name: &Name| measure::find(&name.text).map(|measure| measure.unit);
    let above = of(measure)?;
    let Some(per) = per else { return Some(above) };
    let below = of(per)?;
    let unit = quotient(above, below);
    if unit.is_none() {
        let message = format!("{above} divided by {below} has no unit that a limit can have");
        let expected = "the same unit, a pure number, or a count by a time";
        problems.add(Problem::new(per.place.clone(), message).expected(expected));
    }
    unit
}

fn quotient(above: &'static str, below: &str) -> Option<&'static str> {
    match (above, below) {
        (above, below) if above == below => Some("1"),
        (above, "1") => Some(above),
        ("1", "s") | ("1/yr", "s/yr") => Some("1/s"),
        ("s/yr", "1/yr") => Some("s"),
        ("B/yr", "1/yr") => Some("B"),
        _ => None,
    }
}

impl Asked {
    fn of(expected: &Expected) -> Asked {
        let Expected::Measure { measure, per, group, .. } = expected else {
            unreachable!("asked for measures only")
        };
        let text = |name: &Option<Name>| name.as_ref().map(|name| name.text.clone());
        Asked { measure: measure.text.clone(), per: text(per), group: text(group) }
    }

    fn unit(&self) -> &'static str {
        let of = |name: &str| measure::find(name).map_or("1", |measure| measure.unit);
        let above = of(&self.measure);
        self.per.as_deref().map_or(Some(above), |per| quotient(above, of(per))).unwrap_or("1")
    }
}

/// What is asked, of a summary of one run; none where the run does not have it.
pub(super) fn values(asked: &[Asked], summary: &Summary, groups: &[String]) -> Vec<Option<f64>> {
    let service = outcome::columns(summary, groups);
    let value = |name: &str, group: Option<&String>| {
        let figure = match group.and_then(|group| groups.iter().position(|name| name == group)) {
            Some(index) => summary
                .group(index, super::CONFIDENCE)
                .into_iter()
                .find(|(measure, _)| measure.name == name)
                .map(|(_, figure)| figure),
            None => service.iter().find(|(column, ..)| column == name).map(|(.., figure)| *figure),
        };
        figure.map(|figure| if figure.zero { 0.0 } else { figure.estimate })
    };
    let of = |asked: &Asked| {
        let above = value(&asked.measure, asked.group.as_ref())?;
        let Some(per) = &asked.per else { return Some(above) };
        let below = value(per, asked.group.as_ref())?;
        (below != 0.0).then(|| above / below)
    };
    asked.iter().map(of).collect()
}

/// Judges one expectation of a measure; `values` gives what was asked, by its place, of each run.
pub(super) fn judge(
    expected: &Expected,
    asked: &[Asked],
    values: &dyn Fn(usize) -> Vec<Option<f64>>,
) -> Judged {
    let Expected::Measure { over_runs, confidence, .. } = expected else {
        unreachable!("asked for measures only")
    };
    let what = Asked::of(expected);
    let index = asked.iter().position(|other| *other == what).expect("everything was asked");
    let found = values(index);
    let wanted = wanted(expected, &what, found.len());
    if let Some(run) = found.iter().position(Option::is_none) {
        let is_only = found.len() == 1;
        let found = if is_only { "this model does not have it".into() } else { format!("not in run {run}") };
        return Judged { wanted, found, verdict: Verdict::Missed };
    }
    let found: Vec<f64> = found.into_iter().flatten().collect();
    let unit = what.unit();
    let limits = Limits::of(expected, unit);
    let (verdict, found) = match over_runs {
        OverRuns::Every => every(&limits, &found, unit),
        OverRuns::Mean => mean(&limits, &found, *confidence, unit),
        OverRuns::Min => one(&limits, found.iter().copied().fold(f64::INFINITY, f64::min), unit),
        OverRuns::Max => one(&limits, found.iter().copied().fold(f64::NEG_INFINITY, f64::max), unit),
    };
    Judged { wanted, found, verdict }
}

/// The limits of an expectation, in the unit of its measure.
#[derive(Clone, Copy, Debug)]
struct Limits {
    low: f64,
    high: f64,
    /// The value that is to lie in the interval of a mean, and how far that may reach.
    equals: Option<(f64, f64)>,
}

impl Limits {
    fn of(expected: &Expected, unit: &str) -> Limits {
        let Expected::Measure { equals, within, at_least, at_most, .. } = expected else {
            unreachable!("asked for measures only")
        };
        let value = |limit: &QuantityValue| limit.in_unit(unit).expect("`asked` has looked at every limit");
        let within = within.as_ref().map_or(0.0, value);
        let equals = equals.as_ref().map(|equals| (value(equals), within));
        let least = at_least.as_ref().map_or(f64::NEG_INFINITY, value);
        let most = at_most.as_ref().map_or(f64::INFINITY, value);
        let (low, high) = equals.map_or((least, most), |(equals, within)| (equals - within, equals + within));
        Limits { low, high, equals }
    }

    fn holds(&self, value: f64) -> bool {
        let slack = SLACK * value.abs();
        value >= self.low - slack && value <= self.high + slack
    }
}

fn one(limits: &Limits, value: f64, unit: &str) -> (Verdict, String) {
    (limits.holds(value).into(), shown(value, unit))
}

fn every(limits: &Limits, values: &[f64], unit: &str) -> (Verdict, String) {
    if let [value] = values {
        return one(limits, *value, unit);
    }
    if let Some((run, value)) = values.iter().enumerate().find(|(_, value)| !limits.holds(**value)) {
        return (Verdict::Missed, format!("{} in run {run}", shown(*value, unit)));
    }
    let all: Moments = values.iter().copied().collect();
    let (low, high) = (shown(all.min(), unit), shown(all.max(), unit));
    let range = if low == high { low } else { format!("{low} to {high}") };
    (Verdict::Met, format!("{range} in {} runs", values.len()))
}

/// Of a mean its whole interval has to lie inside the limits; where a value is expected, that lies in the interval.
fn mean(limits: &Limits, values: &[f64], confidence: f64, unit: &str) -> (Verdict, String) {
    let all: Moments = values.iter().copied().collect();
    let interval = interval::mean(&all, confidence);
    let verdict = match limits.equals {
        Some((value, _)) if !interval.contains(value) => Verdict::Missed,
        Some((_, within)) if interval.half_width() > within => Verdict::Open,
        Some(_) => Verdict::Met,
        None if limits.holds(interval.low) && limits.holds(interval.high) => Verdict::Met,
        None if interval.high < limits.low || interval.low > limits.high => Verdict::Missed,
        None => Verdict::Open,
    };
    let more = if verdict == Verdict::Open { ": too wide to say, give more runs" } else { "" };
    let found = format!(
        "{} [{}, {}] in {} runs{more}",
        shown(interval.estimate, unit),
        interval.low,
        interval.high,
        values.len()
    );
    (verdict, found)
}

fn wanted(expected: &Expected, what: &Asked, runs: usize) -> String {
    let Expected::Measure { over_runs, equals, within, at_least, at_most, .. } = expected else {
        unreachable!("asked for measures only")
    };
    let group = what.group.as_ref().map_or(String::new(), |group| format!("{group}."));
    let per = what.per.as_ref().map_or(String::new(), |per| format!(" per {per}"));
    let over = match over_runs {
        OverRuns::Every if runs > 1 => " in every run",
        OverRuns::Every => "",
        OverRuns::Mean => " in the mean",
        OverRuns::Min => " for the smallest",
        OverRuns::Max => " for the largest",
    };
    let range = match (equals, within, at_least, at_most) {
        (Some(value), Some(within), ..) => format!("= {} ± {}", value.text, within.text),
        (Some(value), None, ..) => format!("= {}", value.text),
        (None, _, Some(low), Some(high)) => format!("between {} and {}", low.text, high.text),
        (None, _, Some(low), None) => format!("≥ {}", low.text),
        (None, _, None, Some(high)) => format!("≤ {}", high.text),
        (None, _, None, None) => String::new(),
    };
    format!("{group}{}{per} {range}{over}", what.measure)
}

fn shown(value: f64, unit: &str) -> String {
    match unit {
        "s" => format!("{value} s ({})", number::duration(value)),
        "1" => format!("{value}"),
        unit => format!("{value} {unit}"),
    }
}
