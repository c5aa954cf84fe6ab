//! What differs between two results, as `check` and `compare` show it.

use super::args::Format;
use crate::check::Change;
use crate::record::Estimate;
use crate::report::number::significant;
use crate::report::table::{Cell, Column, Table};

/// People see as many changed figures, and of each measure only those; programs see all.
const ROWS_MAX: usize = 40;
const ROWS_OF_A_MEASURE: usize = 3;
/// Measures named in the closing sentence.
const NAMED_MAX: usize = 5;

/// What differs: inputs, points, then figures, the clearest first.
pub(super) fn changed(changes: &[Change], format: Format) -> Table {
    let mut sorted: Vec<&Change> = changes.iter().collect();
    sorted.sort_by(|a, b| clearness(b).total_cmp(&clearness(a)));
    if matches!(format, Format::Table | Format::Markdown) {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        sorted.retain(|change| {
            let Change::Moved { measure, .. } = change else { return true };
            if !counts.iter().any(|(name, _)| name == measure) {
                counts.push((measure, 0));
            }
            let count = counts.iter_mut().find(|(name, _)| name == measure).map(|(_, count)| count);
            count.is_some_and(|count| {
                *count += 1;
                *count <= ROWS_OF_A_MEASURE
            })
        });
        sorted.truncate(ROWS_MAX);
    }
    let columns = vec![
        Column::words("at"),
        Column::words("what"),
        Column::numbers("was", ""),
        Column::numbers("is", ""),
        Column::words("beyond chance"),
        Column::numbers("ratio", ""),
    ];
    let mut sentence = sentence(changes);
    if sorted.len() < changes.len() {
        sentence.push_str(&format!(" Shown are the {} clearest; `--format csv` has all.", sorted.len()));
    }
    let rows = sorted.into_iter().map(row).collect();
    Table { title: String::new(), columns, rows, sentence }
}

fn row(change: &Change) -> Vec<Cell> {
    let said = |at: &str, what: &str| {
        let nothing = || Cell::Text(String::new());
        vec![
            Cell::Text(at.to_owned()),
            Cell::Text(what.to_owned()),
            nothing(),
            nothing(),
            nothing(),
            nothing(),
        ]
    };
    match change {
        Change::Input(what) => said("an input", what),
        Change::Added(at) => said(at, "is new"),
        Change::Removed(at) => said(at, "is gone"),
        Change::Fingerprint(at) => said(at, "fingerprint only"),
        Change::Moved { at, measure, old, new } => vec![
            Cell::Text(at.clone()),
            Cell::Text(measure.clone()),
            (*old).into(),
            (*new).into(),
            Cell::Text(if is_beyond_chance(old, new) { "intervals apart" } else { "" }.to_owned()),
            ratio(old, new),
        ],
    }
}

fn sentence(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "Nothing differs: equal to the last bit.".to_owned();
    }
    let mut places: Vec<&str> = Vec::new();
    let mut measures: Vec<(&str, usize)> = Vec::new();
    let (mut moved, mut clear) = (0_u64, 0_u64);
    for change in changes {
        let Change::Moved { at, measure, old, new } = change else { continue };
        moved += 1;
        if !places.contains(&at.as_str()) {
            places.push(at);
        }
        if is_beyond_chance(old, new) {
            clear += 1;
            match measures.iter_mut().find(|(name, _)| name == measure) {
                Some((_, count)) => *count += 1,
                None => measures.push((measure, 1)),
            }
        }
    }
    let others = changes.len() as u64 - moved;
    let mut text = match moved {
        0 => "No figure moved".to_owned(),
        _ => format!("{moved} figures moved at {} points and policies, {clear} beyond chance", places.len()),
    };
    measures.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let named: Vec<String> =
        measures.iter().take(NAMED_MAX).map(|(name, count)| format!("{name} ({count})")).collect();
    if !named.is_empty() {
        let more = if measures.len() > NAMED_MAX { ", …" } else { "" };
        text.push_str(&format!(": {}{more}", named.join(", ")));
    }
    if others > 0 {
        text.push_str(&format!("; {others} other differences"));
    }
    text + "."
}

/// Differences of the inputs and points first; then figures by the distance of old and new against their intervals.
fn clearness(change: &Change) -> f64 {
    let half = |e: &Estimate| Some((e.high? - e.low?) / 2.0);
    match change {
        Change::Input(_) => f64::INFINITY,
        Change::Added(_) | Change::Removed(_) => f64::MAX,
        Change::Fingerprint(_) => -1.0,
        Change::Moved { old: Some(old), new: Some(new), .. } => match (half(old), half(new)) {
            (Some(a), Some(b)) if a + b > 0.0 => (new.estimate - old.estimate).abs() / libm::hypot(a, b),
            _ => 0.0,
        },
        Change::Moved { .. } => f64::MAX,
    }
}

/// Whether two intervals do not meet. A largest value has none, and moves by chance.
fn is_beyond_chance(old: &Option<Estimate>, new: &Option<Estimate>) -> bool {
    let ends = |e: &Estimate| match (e.low, e.high) {
        (None, None) => None,
        _ => Some(e.limits()),
    };
    match (old, new) {
        (Some(old), Some(new)) => match (ends(old), ends(new)) {
            (Some((a, b)), Some((c, d))) => b < c || d < a,
            _ => false,
        },
        _ => true,
    }
}

fn ratio(old: &Option<Estimate>, new: &Option<Estimate>) -> Cell {
    match (old, new) {
        (Some(old), Some(new)) if old.estimate != 0.0 && new.estimate != 0.0 => {
            let value = new.estimate / old.estimate;
            Cell::Shown { value, text: format!("{}×", significant(value, 4)) }
        }
        _ => Cell::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(measure: &str, old: Estimate, new: Estimate) -> Change {
        Change::Moved { at: "here".into(), measure: measure.into(), old: Some(old), new: Some(new) }
    }

    #[test]
    fn the_clearest_change_stands_first_and_chance_is_not_called_a_change() {
        let changes = [
            moved("outage_duration_max", Estimate::exact(10.0), Estimate::exact(12.0)),
            moved("downtime", Estimate::seen(10.0, 8.0, 12.0), Estimate::seen(11.0, 9.0, 13.0)),
            moved("failover_time_mean", Estimate::seen(4.0, 3.9, 4.1), Estimate::seen(5.0, 4.9, 5.1)),
            Change::Input("setting `--set` (new)".into()),
        ];
        let table = changed(&changes, Format::Table);
        let first: Vec<String> = table.rows.iter().map(|row| row[1].text()).collect();
        assert_eq!(first, ["setting `--set` (new)", "failover_time_mean", "downtime", "outage_duration_max"]);
        assert_eq!(
            table.sentence,
            "3 figures moved at 1 points and policies, 1 beyond chance: failover_time_mean (1); 1 other differences."
        );
    }

    #[test]
    fn people_see_some_and_programs_all() {
        let change =
            |measure: &str| moved(measure, Estimate::seen(10.0, 8.0, 12.0), Estimate::seen(11.0, 9.0, 13.0));
        let many: Vec<Change> =
            ["a", "b"].iter().flat_map(|measure| std::iter::repeat_n(change(measure), 50)).collect();
        assert_eq!(changed(&many, Format::Table).rows.len(), 2 * ROWS_OF_A_MEASURE);
        assert_eq!(changed(&many, Format::Csv).rows.len(), 100);
        let several: Vec<Change> = (0..100).map(|i| change(&i.to_string())).collect();
        assert_eq!(changed(&several, Format::Markdown).rows.len(), ROWS_MAX);
        assert!(changed(&[], Format::Table).sentence.starts_with("Nothing differs"));
    }
}
