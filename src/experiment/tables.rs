//! The tables that people read.

use super::shown::shown;
use super::verdict;
use super::view::{View, name_and_unit, value_label};
use crate::measure;
use crate::record::{AxisValue, Estimate};
use crate::report::number;
use crate::report::table::{Cell, Column, Table};

/// Policies at selected points in the measures that are asked for: how long the service is safely up, why it is down,
/// what is lost, what it costs.
pub fn comparison(view: &View<'_>) -> Table {
    let measures: Vec<&str> =
        view.asked.measures().into_iter().filter(|measure| is_measured(view, measure)).collect();
    let (places, idle) = view.distinct(&measures);
    let is_swept = view.places.len() > 1;
    let mut columns = Vec::new();
    if is_swept {
        columns.push(Column::words("at"));
    }
    columns.push(Column::words("policy"));
    for &measure in &measures {
        let show = shown(measure);
        columns.push(Column::numbers(&show.name, show.unit));
        match beside(measure) {
            Some(Beside::Nines) => columns.push(Column::numbers("nines", "")),
            Some(Beside::Cause) => columns.push(Column::words("mostly")),
            None => {}
        }
    }
    let mut rows = Vec::new();
    for place in places {
        let mut heading = Some(view.label_without(place, &idle));
        for policy in &view.policies {
            let mut row = Vec::new();
            if is_swept {
                row.push(Cell::Text(heading.take().unwrap_or_default()));
            }
            row.push(Cell::Text((*policy).to_owned()));
            for &measure in &measures {
                let show = shown(measure);
                let found = view.get(place, policy, measure).map(|estimate| show.of(estimate));
                row.push(found.map_or(Cell::Absent, |estimate| seen(measure, estimate)));
                match beside(measure) {
                    Some(Beside::Nines) => {
                        row.push(verdict::unsafe_share(view, place, policy).map_or(Cell::Absent, nines));
                    }
                    Some(Beside::Cause) => {
                        let cause = verdict::shares(view, place, policy).first().map(|(cause, share)| {
                            format!("{} {} %", cause.replace('_', " "), (share * 100.0).round())
                        });
                        row.push(cause.map_or(Cell::Absent, Cell::Text));
                    }
                    None => {}
                }
            }
            rows.push(row);
        }
    }
    let whatever = match view.whatever(&idle) {
        text if text.is_empty() => text,
        text => format!("Equal {text}. "),
    };
    let sentence = format!("{whatever}{}.", verdict::headline(view));
    Table { title: String::new(), columns, rows, sentence }
}

/// What stands in a column of its own beside a measure.
enum Beside {
    Nines,
    Cause,
}

fn beside(measure: &str) -> Option<Beside> {
    match measure {
        "safe_availability" => Some(Beside::Nines),
        "unavailability" | "downtime" => Some(Beside::Cause),
        _ => None,
    }
}

fn is_measured(view: &View<'_>, measure: &str) -> bool {
    let column = view.points.measures.iter().position(|name| name == measure);
    column.is_some_and(|column| view.points.rows.iter().any(|row| row.measures[column].is_some()))
}

fn nines(share: Estimate) -> Cell {
    if share.estimate <= 0.0 {
        return Cell::Absent;
    }
    let value = -libm::log10(share.estimate);
    Cell::Shown { value, text: format!("{:.1}", libm::fmax(value, 0.0)) }
}

/// Targets for which [`objectives`] says where they are met.
const TARGETS: [(f64, &str); 5] =
    [(0.99, "99%"), (0.999, "99.9%"), (0.9995, "99.95%"), (0.9999, "99.99%"), (0.99999, "99.999%")];

/// For each policy and target of safe availability: where on the main axis it is met, by the lower end of the interval.
/// None without such an axis.
pub fn objectives(view: &View<'_>) -> Option<Table> {
    let axis = view.main_axis()?;
    let line = view.along(axis, view.places.first()?);
    let (name, unit) = name_and_unit(&view.points.axes[axis]);
    let mut columns = vec![Column::words("policy")];
    columns.extend(TARGETS.iter().map(|(_, text)| Column::words(text)));
    let mut rows = Vec::new();
    for policy in &view.policies {
        let mut row = vec![Cell::Text((*policy).to_owned())];
        for (target, _) in TARGETS {
            let met: Vec<bool> = line
                .iter()
                .map(|(_, place)| {
                    let share = verdict::unsafe_share(view, place, policy);
                    share
                        .and_then(|share| share.high.or(Some(share.estimate)))
                        .is_some_and(|high| 1.0 - high >= target)
                })
                .collect();
            let label = |index: usize| value_label(unit, &AxisValue::Number(line[index].0));
            row.push(Cell::Text(where_met(&met, label)));
        }
        rows.push(row);
    }
    Some(Table {
        title: format!("Safe availability: the {name} at which each target is met"),
        columns,
        rows,
        sentence: String::new(),
    })
}

fn where_met(met: &[bool], label: impl Fn(usize) -> String) -> String {
    let first = met.iter().position(|met| *met);
    let last = met.iter().rposition(|met| *met);
    let (Some(first), Some(last)) = (first, last) else { return "nowhere".to_owned() };
    if !met[first..=last].iter().all(|met| *met) {
        return "in places".to_owned();
    }
    match (first == 0, last == met.len() - 1) {
        (true, true) => "everywhere".to_owned(),
        (false, true) => format!("from {}", label(first)),
        (true, false) => format!("up to {}", label(last)),
        (false, false) => format!("{} to {}", label(first), label(last)),
    }
}

/// A value; of times and amounts without any event only that none was seen: how much one would come to is not known, so
/// the bound (in the files) has to assume the whole of every run that could still show one.
fn seen(measure: &str, estimate: Estimate) -> Cell {
    if is_bound_of_whole_runs(measure) && estimate.is_bound() {
        Cell::Text("none seen".to_owned())
    } else {
        Some(estimate).into()
    }
}

/// Every measure of one policy at one point, with a reading for people.
pub fn measures(view: &View<'_>, place: &[AxisValue], policy: &str) -> Table {
    let mut rows = Vec::new();
    for name in &view.points.measures {
        let Some(estimate) = view.get(place, policy, name) else { continue };
        let unit = unit_of(name);
        let cell = match estimate.high {
            // Zero is a value of an availability, not the absence of events.
            Some(high) if is_availability(name) && estimate.is_bound() => {
                Cell::Estimate { estimate: 0.0, low: 0.0, high }
            }
            _ => seen(name, estimate),
        };
        rows.push(vec![
            Cell::Text(name.clone()),
            cell,
            Cell::Text(unit.to_owned()),
            Cell::Text(reading(name, unit, &estimate)),
        ]);
    }
    let columns = vec![
        Column::words("measure"),
        Column::numbers("value", ""),
        Column::words("unit"),
        Column::words("that is"),
    ];
    Table { title: String::new(), columns, rows, sentence: String::new() }
}

/// The unit of a column of figures; empty for plain shares.
pub fn unit_of(column: &str) -> &'static str {
    let name = column.rsplit('.').next().unwrap_or(column);
    measure::find(name).map_or("", |measure| if measure.unit == "1" { "" } else { measure.unit })
}

fn is_bound_of_whole_runs(column: &str) -> bool {
    let name = column.rsplit('.').next().unwrap_or(column);
    measure::find(name).is_some_and(measure::Measure::is_bound_of_whole_runs)
}

fn is_availability(name: &str) -> bool {
    name.ends_with("availability") && !name.ends_with("unavailability")
}

fn reading(name: &str, unit: &str, estimate: &Estimate) -> String {
    if is_bound_of_whole_runs(name) && estimate.is_bound() {
        return String::new();
    }
    if is_availability(name) && !name.ends_with("capacity_availability") && estimate.estimate <= 0.0 {
        return "down all the time".to_owned();
    }
    let (value, at_most) = match estimate.high {
        Some(high) if estimate.is_bound() => (high, "less than "),
        _ => (estimate.estimate, ""),
    };
    let name = name.rsplit('.').next().unwrap_or(name);
    match unit {
        _ if name.ends_with("unavailability") => format!("{at_most}{}", number::hours_a_year(value)),
        "" if name.ends_with("availability") && name != "capacity_availability" => {
            format!("{}, {} down", number::nines(1.0 - value), number::minutes_in_30_days(1.0 - value))
        }
        "s" | "s/yr" | "s/year" if value >= 60.0 || (value > 0.0 && value < 0.1) => {
            let per_year = if unit == "s" { "" } else { " a year" };
            format!("{}{per_year}", number::duration(value))
        }
        "/yr" | "/year" | "1/yr" if value > 0.0 && value < 1.0 => {
            let years = number::significant(1.0 / value, 2);
            match (at_most, years.parse::<f64>()) {
                ("", _) => format!("once in {years} years"),
                // Rounded down, to stay a bound.
                (_, Ok(shown)) if shown * value > 1.0 => {
                    format!("rarer than once in {} years", number::significant(0.95 / value, 2))
                }
                _ => format!("rarer than once in {years} years"),
            }
        }
        _ => String::new(),
    }
}

/// Paired differences of measures between two policies at one point.
pub fn differences(view: &View<'_>, place: &[AxisValue], a: &str, b: &str) -> Table {
    let fits = |pair: &&crate::record::Pair| pair.axes == place && pair.policy_a == a && pair.policy_b == b;
    let rows = view.pairs.rows.iter().filter(fits).map(|pair| {
        let verdict = match (pair.paired_low > 0.0, pair.paired_high < 0.0) {
            (true, _) => direction(&pair.measure, true),
            (_, true) => direction(&pair.measure, false),
            _ if pair.difference == 0.0 && pair.paired_low == 0.0 && pair.paired_high == 0.0 => {
                "equal in every run"
            }
            _ => "cannot be told apart",
        };
        vec![
            Cell::Text(pair.measure.clone()),
            Cell::Estimate { estimate: pair.difference, low: pair.paired_low, high: pair.paired_high },
            Cell::Text(unit_of(&pair.measure).to_owned()),
            pair.gain().map_or(Cell::Absent, Cell::Value),
            Cell::Text(verdict.to_owned()),
        ]
    });
    let columns = vec![
        Column::words("measure"),
        Column::numbers("difference", ""),
        Column::words("unit"),
        Column::numbers("gain", ""),
        Column::words(b),
    ];
    Table {
        title: format!("{b} minus {a}, paired run by run"),
        columns,
        rows: rows.collect(),
        sentence: String::new(),
    }
}

fn direction(measure: &str, is_more: bool) -> &'static str {
    let name = measure.rsplit('.').next().unwrap_or(measure);
    match measure::find(name).and_then(|measure| measure.lower_is_better) {
        Some(lower) if lower == is_more => "worse",
        Some(_) => "better",
        None if is_more => "more",
        None => "less",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_was_always_down_is_not_called_up() {
        let always = Estimate { estimate: 0.0, low: Some(0.0), high: Some(0.95) };
        assert_eq!(reading("availability", "", &always), "down all the time");
        let never = Estimate { estimate: 1.0, low: Some(0.86), high: Some(1.0) };
        assert_eq!(reading("availability", "", &never), "no downtime seen, 0.00 min in 30 d down");
    }

    #[test]
    fn a_target_is_met_somewhere_or_nowhere() {
        let said = |met: &[bool]| where_met(met, |index| index.to_string());
        assert_eq!(said(&[false, true, true]), "from 1");
        assert_eq!(said(&[true, true, false]), "up to 1");
        assert_eq!(said(&[true, true]), "everywhere");
        assert_eq!(said(&[false, false]), "nowhere");
        assert_eq!(said(&[true, false, true]), "in places");
    }
}
