//! Policy against policy: paired differences, what wins where, the ranking, and what the pairing was worth.

use super::shown::shown;
use super::verdict::{self, ranked_by, spans};
use super::view::{View, name_and_unit, value_label};
use super::words::{capital, join};
use crate::measure;
use crate::record::{AxisValue, Pair};
use crate::report::number::significant;
use crate::report::table::{Cell, Column, Table};

/// How a paired difference comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The first is better (or has less of what is neither good nor bad).
    First,
    /// The second is.
    Second,
    /// The interval holds zero.
    Level,
}

fn outcome(measure: &str, (_, low, high): (f64, f64, f64)) -> Outcome {
    let name = measure.rsplit('.').next().unwrap_or(measure);
    let lower_is_better = measure::find(name).and_then(|measure| measure.lower_is_better).unwrap_or(true);
    match (low > 0.0, high < 0.0) {
        (true, _) if lower_is_better => Outcome::First,
        (true, _) => Outcome::Second,
        (_, true) if lower_is_better => Outcome::Second,
        (_, true) => Outcome::First,
        _ => Outcome::Level,
    }
}

/// Every two policies, in the order of the table.
fn all<'a>(view: &View<'a>) -> impl Iterator<Item = (&'a str, &'a str)> {
    let policies = view.policies.clone();
    let seconds = policies.clone();
    policies
        .into_iter()
        .enumerate()
        .flat_map(move |(i, a)| seconds.clone().into_iter().skip(i + 1).map(move |b| (a, b)))
}

/// More columns of places than this do not fit.
const COLUMNS_MAX: usize = 4;

/// The places that have a column each, and the axes that do not matter: the one that sentences speak of where there
/// are too many.
fn columns_at<'a>(view: &View<'a>, measure: &str) -> (Vec<&'a [AxisValue]>, Vec<usize>) {
    let (places, idle) = view.distinct(&[measure]);
    if places.len() > COLUMNS_MAX {
        (view.typical().into_iter().collect(), Vec::new())
    } else {
        (places, idle)
    }
}

/// Policy against policy in one measure: the paired difference at some points, and who wins where.
pub fn table(view: &View<'_>, measure: &str) -> Table {
    let show = shown(measure);
    let (places, idle) = columns_at(view, measure);
    let mut rows = Vec::new();
    for (a, b) in all(view) {
        let at = |place: &[AxisValue]| view.difference(place, a, b, measure);
        if places.iter().all(|place| at(place).is_none()) {
            continue;
        }
        let mut row = vec![Cell::Text(a.to_owned()), Cell::Text(b.to_owned())];
        row.extend(places.iter().map(|place| {
            at(place).map_or(Cell::Absent, |found| {
                let (estimate, low, high) = show.difference(found);
                Cell::Estimate { estimate, low, high }
            })
        }));
        let gains: Vec<f64> = gains(view, (a, b), measure);
        row.push(
            middle(&gains).map_or(Cell::Absent, |value| Cell::Shown { value, text: significant(value, 2) }),
        );
        let wins = spans(view, |place| match at(place).map(|found| outcome(measure, found)) {
            Some(Outcome::First) => a.to_owned(),
            Some(Outcome::Second) => b.to_owned(),
            Some(Outcome::Level) => "level".to_owned(),
            None => "not measured".to_owned(),
        });
        row.push(Cell::Text(wins));
        rows.push(row);
    }
    let mut columns = vec![Column::words("a"), Column::words("b")];
    let (heading, common) = headings(view, &places, &idle);
    columns.extend(heading.iter().map(|heading| Column::numbers(heading, show.unit)));
    columns.extend([Column::numbers("gain", ""), Column::words("better")]);
    let common = if common.is_empty() { String::new() } else { format!(" at {common}") };
    let whatever = match view.whatever(&idle) {
        text if text.is_empty() => text,
        text => format!(", {text}"),
    };
    Table {
        title: format!("{}: b minus a, paired run by run{common}{whatever}", capital(&show.name)),
        columns,
        rows,
        sentence: String::new(),
    }
}

/// Headings of the columns of places, and the axis that they have in common.
fn headings(view: &View<'_>, places: &[&[AxisValue]], idle: &[usize]) -> (Vec<String>, String) {
    match view.main_axis() {
        _ if view.places.len() < 2 => (vec!["b − a".to_owned()], String::new()),
        None if places.len() == 1 => (vec!["b − a".to_owned()], view.label_without(places[0], idle)),
        Some(axis) if view.points.axes.len() == 1 => {
            let (name, unit) = name_and_unit(&view.points.axes[axis]);
            (places.iter().map(|place| value_label(unit, &place[axis])).collect(), name.to_owned())
        }
        _ => (places.iter().map(|place| view.label_without(place, idle)).collect(), String::new()),
    }
}

/// What pairing was worth at every place: how many times more runs an unpaired comparison would take.
fn gains(view: &View<'_>, (a, b): (&str, &str), measure: &str) -> Vec<f64> {
    let is_of = |pair: &&Pair| pair.policy_a == a && pair.policy_b == b;
    let rows = view.pairs.rows.iter().filter(|pair| pair.measure == measure).filter(is_of);
    let mut gains: Vec<f64> = rows.filter_map(Pair::gain).collect();
    gains.sort_by(f64::total_cmp);
    gains
}

fn middle(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}

/// The most that pairing could be worth if the runs of two policies went perfectly together: one that hardly varies
/// tells nothing of one that varies a lot. From σ_a² + σ_b² against (σ_a − σ_b)²; the widths stand for the σ.
fn gain_most(view: &View<'_>, (a, b): (&str, &str), measure: &str) -> Vec<f64> {
    let half = |place: &[AxisValue], policy: &str| {
        let found = view.get(place, policy, measure)?;
        Some((found.high? - found.low?) / 2.0)
    };
    let at = |place: &&[AxisValue]| {
        let (first, second) = (half(place, a)?, half(place, b)?);
        let apart = (first - second) * (first - second);
        Some((first * first + second * second) / apart)
    };
    let mut list: Vec<f64> = view.places.iter().filter_map(at).filter(|most| !most.is_nan()).collect();
    list.sort_by(f64::total_cmp);
    list
}

/// A gain of this much is worth speaking of.
const LARGE: f64 = 10.0;

/// How far the pairs are told apart, and what the pairing was worth.
pub fn sentences(view: &View<'_>) -> Vec<String> {
    let measure = ranked_by(view);
    let mut list: Vec<String> = told_apart(view, measure).into_iter().collect();
    list.extend(worth(view, measure));
    list
}

/// In how many pairs pairing saved most of the runs, and in how many it could not have.
fn worth(view: &View<'_>, measure: &str) -> Option<String> {
    let (mut large, mut hopeless, mut count) = (0, 0, 0);
    let mut best: Option<(&str, &str, f64)> = None;
    for (a, b) in all(view) {
        let Some(gain) = middle(&gains(view, (a, b), measure)) else { continue };
        count += 1;
        large += usize::from(gain >= LARGE);
        hopeless += usize::from(middle(&gain_most(view, (a, b), measure)).is_some_and(|most| most < 2.0));
        // Of equals the first one, whatever the rounding.
        if best.is_none_or(|(.., most)| gain > most * (1.0 + 1e-9)) {
            best = Some((a, b, gain));
        }
    }
    let (a, b, most) = best?;
    let name = shown(measure).name;
    if count == 1 {
        return Some(match most {
            _ if most < 1.1 => "Pairing gains nothing here.".to_owned(),
            _ => format!("Without pairing it would take {} times as many runs.", significant(most, 2)),
        });
    }
    let hopeless = match hopeless {
        0 => String::new(),
        some => format!(
            "; in {some} one policy varies so much more than the other that pairing cannot save half the runs"
        ),
    };
    Some(format!(
        "All policies met the same faults: pairing makes {large} of {count} differences in time {name} at least {} \
         times as cheap, most that of {a} and {b} ({} times){hopeless}.",
        significant(LARGE, 2),
        significant(most, 2)
    ))
}

/// `20 of 28 pairs are told apart at every point; never: a and b, c and d.`
fn told_apart(view: &View<'_>, measure: &str) -> Option<String> {
    let (mut everywhere, mut never, mut count) = (0, Vec::new(), 0);
    for (a, b) in all(view) {
        let found: Vec<Outcome> = view
            .places
            .iter()
            .filter_map(|place| Some(outcome(measure, view.difference(place, a, b, measure)?)))
            .collect();
        if found.is_empty() {
            continue;
        }
        count += 1;
        everywhere += usize::from(found.iter().all(|outcome| *outcome != Outcome::Level));
        if found.iter().all(|outcome| *outcome == Outcome::Level) {
            never.push(format!("{a} and {b}"));
        }
    }
    if count == 0 {
        return None;
    }
    let points = if view.places.len() > 1 { " at every point" } else { "" };
    let never = match never.as_slice() {
        [] => String::new(),
        some => format!("; nowhere: {}", some.join("; ")),
    };
    let pairs = if count == 1 { "pair is" } else { "pairs are" };
    Some(format!(
        "{everywhere} of {count} {pairs} told apart in time {}{points}{never}.",
        shown(measure).name
    ))
}

/// What a policy is judged by besides the time it is up: more of any of these is worse.
const JUDGED_BY: [&str; 4] = ["safe_availability", "lost_rate", "overwritten_rate", "annual_cost"];

/// Policies that no other one beats in something without being worse in anything else (Pareto), by paired differences.
/// A policy that keeps no data is compared with its like only.
pub fn unbeaten<'a>(view: &View<'a>, place: &[AxisValue]) -> Vec<&'a str> {
    let beats = |a: &str, b: &str| {
        if view.is_stateful(a) != view.is_stateful(b) {
            return false;
        }
        let outcomes: Vec<Outcome> = JUDGED_BY
            .iter()
            .filter_map(|measure| {
                if let Some(found) = view.difference(place, a, b, measure) {
                    return Some(outcome(measure, found));
                }
                // Only one of the two can have it, or it is no figure of single runs.
                let figure = |policy| view.get(place, policy, measure).map_or(0.0, |found| found.estimate);
                let (first, second) = (figure(a), figure(b));
                (first != second).then_some(if first < second { Outcome::First } else { Outcome::Second })
            })
            .collect();
        outcomes.contains(&Outcome::First) && !outcomes.contains(&Outcome::Second)
    };
    view.policies
        .iter()
        .copied()
        .filter(|policy| !view.policies.iter().any(|other| beats(other, policy)))
        .collect()
}

/// Policies from best to worst at the places worth naming; those that are not told apart from the one before share its
/// rank.
pub fn ranking(view: &View<'_>) -> Table {
    let measure = ranked_by(view);
    let show = shown(measure);
    let (places, idle) = columns_at(view, measure);
    let (heading, _) = headings(view, &places, &idle);
    let mut columns = vec![Column::words("policy")];
    for heading in &heading {
        columns.push(Column::numbers(&format!("{heading}: {}", show.name), show.unit));
        columns.push(Column::numbers("rank", ""));
    }
    let ranks: Vec<Vec<(&str, usize)>> = places.iter().map(|place| ranks(view, place)).collect();
    let mut policies = view.policies.clone();
    let last = ranks.len().saturating_sub(1) / 2;
    let rank_of = |index: usize, policy: &str| {
        ranks.get(index).and_then(|list| list.iter().find(|(name, _)| *name == policy)).map(|(_, rank)| *rank)
    };
    policies.sort_by_key(|policy| rank_of(last, policy).unwrap_or(usize::MAX));
    let rows = policies.iter().map(|policy| {
        let mut row = vec![Cell::Text((*policy).to_owned())];
        for (index, place) in places.iter().enumerate() {
            row.push(view.get(place, policy, measure).map(|found| show.of(found)).into());
            row.push(rank_of(index, policy).map_or(Cell::Absent, |rank| Cell::Count(rank as u64)));
        }
        row
    });
    Table {
        title: "Ranking; who is not told apart from the one before shares its rank".to_owned(),
        columns,
        rows: rows.collect(),
        sentence: String::new(),
    }
}

fn ranks<'a>(view: &View<'a>, place: &[AxisValue]) -> Vec<(&'a str, usize)> {
    let ranked = verdict::ranking(view, place, &view.policies);
    let mut list: Vec<(&str, usize)> = Vec::new();
    for (index, (policy, _)) in ranked.iter().enumerate() {
        let rank = match list.last() {
            Some((before, rank)) => match view.difference(place, before, policy, ranked_by(view)) {
                Some((_, low, high)) if low <= 0.0 && high >= 0.0 => *rank,
                _ => index + 1,
            },
            None => 1,
        };
        list.push((policy, rank));
    }
    list
}

/// The closing words of a comparison: who wins, and who is worth considering at all.
pub fn closing(view: &View<'_>) -> String {
    let mut text = format!("{}.", verdict::headline(view));
    if let Some(place) = view.typical() {
        let unbeaten = unbeaten(view, place);
        if unbeaten.len() < view.policies.len() {
            let at = match view.label(place) {
                label if label.is_empty() => String::new(),
                label => format!(" at {label}"),
            };
            text.push_str(&format!(
                " In time not safely up, writes lost or overwritten and cost together, nobody is better{at} than {}.",
                join(&unbeaten)
            ));
        }
    }
    text
}

/// More rows than this are not shown unasked.
const ROWS_MAX: usize = 40;

/// The measures that a comparison shows pair by pair where none is named: what policies are ranked by, and of those
/// that the experiment asks for what else can be lost, as far as there is room.
pub fn usual(view: &View<'_>) -> Vec<String> {
    let ranked = ranked_by(view);
    let is_recorded = |name: &str| view.pairs.rows.iter().any(|pair| pair.measure == name);
    let others = ["split_brain_time", "lost_rate"];
    let asked = &view.asked.measures;
    let wanted = |name: &&str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    let mut list: Vec<String> = std::iter::once(ranked)
        .chain(others.into_iter().filter(wanted))
        .filter(|name| is_recorded(name))
        .map(str::to_owned)
        .collect();
    list.truncate((ROWS_MAX / all(view).count().max(1)).max(1));
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Estimate, Pairs, Points, Row};

    /// Three policies over two MTTFs: b beats a at 10 d and is level with it at 100 d; c is worse than both.
    fn tables() -> (Points, Pairs) {
        let row = |mttf: f64, policy: &str, unsafe_share: f64, lost: f64| Row {
            axes: vec![AxisValue::Number(mttf)],
            policy: policy.to_owned(),
            runs: 4,
            seed: 1,
            fingerprint: "9f".into(),
            measures: vec![Some(Estimate::exact(1.0 - unsafe_share)), Some(Estimate::exact(lost))],
        };
        let pair = |mttf: f64, a: &str, b: &str, measure: &str, difference: f64, half: f64| Pair {
            axes: vec![AxisValue::Number(mttf)],
            policy_a: a.into(),
            policy_b: b.into(),
            measure: measure.into(),
            difference,
            paired_low: difference - half,
            paired_high: difference + half,
            unpaired_low: difference - 3.0 * half,
            unpaired_high: difference + 3.0 * half,
        };
        let mut rows = Vec::new();
        let mut pairs = Vec::new();
        for mttf in [10.0, 100.0] {
            let b = if mttf < 50.0 { 1e-3 } else { 2e-3 };
            rows.extend([row(mttf, "a", 2e-3, 5.0), row(mttf, "b", b, 9.0), row(mttf, "c", 4e-3, 9.0)]);
            let safe = |a, b, difference| pair(mttf, a, b, "safe_availability", difference, 1e-4);
            pairs.extend([safe("a", "b", 2e-3 - b), safe("a", "c", -2e-3), safe("b", "c", b - 4e-3)]);
            let lost = |a, b, difference| pair(mttf, a, b, "lost_rate", difference, 1.0);
            pairs.extend([lost("a", "b", 4.0), lost("a", "c", 4.0), lost("b", "c", 0.0)]);
        }
        let points = Points {
            axes: vec!["MTTF (d)".into()],
            measures: vec!["safe_availability".into(), "lost_rate".into()],
            rows,
        };
        (points, Pairs { axes: vec!["MTTF (d)".into()], rows: pairs })
    }

    #[test]
    fn each_pair_says_who_wins_where() {
        let (points, pairs) = tables();
        let view = View::new(&points, &pairs);
        let table = table(&view, "safe_availability");
        let text = |row: usize, column: usize| table.rows[row][column].text();
        let last = table.columns.len() - 1;
        assert_eq!(table.columns[2].name, "10 d");
        assert_eq!((text(0, 0), text(0, 1)), ("a".into(), "b".into()));
        assert_eq!(text(0, last), "b up to 10 d, level from 100 d");
        assert_eq!(text(1, last), "a everywhere");
        assert_eq!(text(0, 2), "-8.8 ±0.9", "b loses 8.8 h/yr less");
        assert_eq!(text(0, last - 1), "9.0", "nine times the runs");
    }

    #[test]
    fn who_is_level_shares_a_rank() {
        let (points, pairs) = tables();
        let view = View::new(&points, &pairs);
        assert_eq!(ranks(&view, &[AxisValue::Number(10.0)]), [("b", 1), ("a", 2), ("c", 3)]);
        assert_eq!(ranks(&view, &[AxisValue::Number(100.0)]), [("a", 1), ("b", 1), ("c", 3)]);
    }

    #[test]
    fn nobody_who_is_beaten_in_everything_is_recommended() {
        let (points, pairs) = tables();
        let view = View::new(&points, &pairs);
        // At 10 d a loses fewer writes and b is up longer; at 100 d a is as good as b and loses fewer.
        assert_eq!(unbeaten(&view, &[AxisValue::Number(10.0)]), ["a", "b"]);
        assert_eq!(unbeaten(&view, &[AxisValue::Number(100.0)]), ["a"]);
        let said = sentences(&view);
        assert_eq!(said[0], "2 of 3 pairs are told apart in time not safely up at every point.");
        assert!(
            said[1].contains("0 of 3 differences in time not safely up at least 10 times as cheap"),
            "{said:?}"
        );
        assert!(said[1].contains("most that of a and b (9.0 times)"), "{said:?}");
        let wanted = "B is safely up the longest at every point, level with others at 1 of 2. In time not safely up, writes lost or overwritten and \
                      cost together, nobody is better at MTTF 100 d than a.";
        assert_eq!(closing(&view), wanted);
    }
}
