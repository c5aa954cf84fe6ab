//! Which setting matters: how far a measure moves along each axis, in the mean over all other settings.
//!
//! Only where more than one axis was varied; with one axis the charts say it all.

use super::shown::shown;
use super::view::{View, name_and_unit, value_label};
use super::words::{capital, join};
use crate::record::AxisValue;
use crate::report::number::significant;
use crate::report::table::{Cell, Column, Table};

/// The measures that settings are judged by, as subjects of a sentence.
const MEASURES: [(&str, &str); 3] = [
    ("safe_availability", "Time not safely up"),
    ("split_brain_time", "Time in split brain"),
    ("lost_rate", "The number of writes lost"),
];

/// The mean of a measure of one policy over all places with this value of an axis; none where it is nowhere measured.
fn mean(view: &View<'_>, axis: usize, value: &AxisValue, policy: &str, measure: &str) -> Option<f64> {
    let show = shown(measure);
    let here = view.places.iter().filter(|place| place[axis] == *value);
    let figures: Vec<f64> =
        here.filter_map(|place| Some(show.of(view.get(place, policy, measure)?).estimate)).collect();
    (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
}

/// Axes along which something can be said: not the one that charts are drawn over.
fn axes(view: &View<'_>) -> Vec<usize> {
    if view.points.axes.len() < 2 {
        return Vec::new();
    }
    (0..view.points.axes.len()).filter(|&axis| view.values(axis).len() > 1).collect()
}

/// One table per measure: its mean at each value of each axis.
pub(super) fn tables(view: &View<'_>) -> Vec<Table> {
    let axes = axes(view);
    if axes.is_empty() {
        return Vec::new();
    }
    let mut list = Vec::new();
    for (measure, _) in MEASURES {
        let show = shown(measure);
        let mut rows = Vec::new();
        for &axis in &axes {
            let (name, unit) = name_and_unit(&view.points.axes[axis]);
            for value in view.values(axis) {
                let cells = view.policies.iter().map(|policy| {
                    mean(view, axis, value, policy, measure)
                        .map_or(Cell::Absent, |value| Cell::Shown { value, text: significant(value, 3) })
                });
                let label = Cell::Text(format!("{name} {}", value_label(unit, value)));
                rows.push(std::iter::once(label).chain(cells).collect::<Vec<_>>());
            }
        }
        if rows.iter().flatten().all(|cell| matches!(cell, Cell::Absent | Cell::Text(_))) {
            continue;
        }
        let columns = std::iter::once(Column::words("setting"));
        let columns = columns.chain(view.policies.iter().map(|policy| Column::numbers(policy, show.unit)));
        list.push(Table {
            title: format!("{}: mean over the other settings", capital(&show.heading())),
            columns: columns.collect(),
            rows,
            sentence: String::new(),
        });
    }
    list
}

/// How strongly an axis moves a measure: the policy that it moves most, from which value to which.
struct Effect<'a> {
    axis: &'a str,
    policy: &'a str,
    least: (String, f64),
    most: (String, f64),
}

impl Effect<'_> {
    fn ratio(&self) -> f64 {
        if self.least.1 > 0.0 { self.most.1 / self.least.1 } else { f64::INFINITY }
    }

    fn said(&self, unit: &str, of_several: bool) -> String {
        let policy = if of_several { format!(" for {}", self.policy) } else { String::new() };
        format!(
            "{} (from {} {unit} with {} to {} with {}{policy})",
            self.axis,
            significant(self.least.1, 3),
            self.least.0,
            significant(self.most.1, 3),
            self.most.0
        )
    }
}

fn effect<'a>(view: &View<'a>, axis: usize, measure: &str) -> Option<Effect<'a>> {
    let (name, unit) = name_and_unit(&view.points.axes[axis]);
    let of_policy = |policy: &&'a str| {
        let values = view.values(axis).into_iter();
        let mut means: Vec<(String, f64)> = values
            .filter_map(|value| Some((value_label(unit, value), mean(view, axis, value, policy, measure)?)))
            .collect();
        means.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (least, most) = (means.first()?.clone(), means.last()?.clone());
        Some(Effect { axis: name, policy, least, most })
    };
    view.policies.iter().filter_map(of_policy).max_by(|a, b| a.ratio().total_cmp(&b.ratio()))
}

/// Less than this factor between the best and the worst value of an axis is not called an effect.
const MATTERS: f64 = 1.1;

/// For each measure: the axes that matter, the strongest first, and those that do not.
pub(super) fn sentences(view: &View<'_>) -> Vec<String> {
    let axes = axes(view);
    let several = view.policies.len() > 1;
    let mut list = Vec::new();
    for (measure, subject) in MEASURES {
        let show = shown(measure);
        let mut effects: Vec<Effect<'_>> =
            axes.iter().filter_map(|&axis| effect(view, axis, measure)).filter(|e| e.most.1 > 0.0).collect();
        effects.sort_by(|a, b| b.ratio().total_cmp(&a.ratio()));
        let (strong, weak): (Vec<_>, Vec<_>) = effects.iter().partition(|effect| effect.ratio() >= MATTERS);
        let strong: Vec<String> = strong.iter().map(|effect| effect.said(show.unit, several)).collect();
        let weak: Vec<&str> = weak.iter().map(|effect| effect.axis).collect();
        let mut text = match strong.as_slice() {
            [] => continue,
            [only] => format!("{subject} depends on {only}"),
            [first, rest @ ..] => {
                format!("{subject} depends most on {first}, then on {}", rest.join(", then on "))
            }
        };
        if !weak.is_empty() {
            text.push_str(&format!(", hardly on {}", join(&weak)));
        }
        list.push(format!("{text}."));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Estimate, Pairs, Points, Row};

    fn points() -> Points {
        let row = |duty: &str, site: &str, lost: f64| Row {
            axes: vec![AxisValue::Name(duty.into()), AxisValue::Name(site.into())],
            policy: "pair".into(),
            runs: 4,
            seed: 1,
            fingerprint: "9f".into(),
            measures: vec![Some(Estimate::exact(lost))],
        };
        Points {
            axes: vec!["Duty mode".into(), "plant at".into()],
            measures: vec!["lost_rate".into()],
            rows: vec![
                row("false", "north", 300.0),
                row("false", "south", 310.0),
                row("true", "north", 1.0),
                row("true", "south", 1.0),
            ],
        }
    }

    #[test]
    fn the_strongest_setting_comes_first() {
        let (points, pairs) = (points(), Pairs::default());
        let view = View::new(&points, &pairs);
        let said = sentences(&view);
        assert_eq!(
            said,
            [
                "The number of writes lost depends on Duty mode (from 1.00 /yr with on to 305 with off), hardly on plant at."
            ]
        );
        let tables = tables(&view);
        assert_eq!(tables.len(), 1, "only what is measured");
        assert_eq!(tables[0].rows.len(), 4);
        assert_eq!(tables[0].rows[0][1].text(), "305");
    }
}
