//! Recorded tables seen by policy and point: what tables, sentences and charts ask for.

use super::reports::Asked;
use crate::record::{AxisValue, Estimate, Pair, Pairs, Points, Row};

/// A view of the recorded tables.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The points.
    pub points: &'a Points,
    /// The pairs.
    pub pairs: &'a Pairs,
    /// Policies in the order of the table.
    pub policies: Vec<&'a str>,
    /// Points of the axes in the order of the table.
    pub places: Vec<&'a [AxisValue]>,
    /// What is to be reported of them.
    pub asked: Asked,
}

impl<'a> View<'a> {
    /// Looks at the tables of one result, with the usual reports.
    pub fn new(points: &'a Points, pairs: &'a Pairs) -> View<'a> {
        let (mut policies, mut places): (Vec<&str>, Vec<&[AxisValue]>) = (Vec::new(), Vec::new());
        for row in &points.rows {
            if !policies.contains(&row.policy.as_str()) {
                policies.push(&row.policy);
            }
            // Rows of a point stand together.
            if places.last().is_none_or(|last| *last != row.axes) {
                places.push(&row.axes);
            }
        }
        View { points, pairs, policies, places, asked: Asked::default() }
    }

    /// With the reports and measures that the experiment asks for.
    pub fn asking(self, asked: &Asked) -> View<'a> {
        View { asked: asked.clone(), ..self }
    }

    /// The row of a policy at a point.
    pub fn row(&self, place: &[AxisValue], policy: &str) -> Option<&'a Row> {
        self.points.rows.iter().find(|row| row.axes == place && row.policy == policy)
    }

    /// A measure of a policy at a point.
    pub fn get(&self, place: &[AxisValue], policy: &str, measure: &str) -> Option<Estimate> {
        let column = self.points.measures.iter().position(|name| name == measure)?;
        self.row(place, policy)?.measures[column]
    }

    /// The paired difference b − a.
    pub fn difference(
        &self,
        place: &[AxisValue],
        a: &str,
        b: &str,
        measure: &str,
    ) -> Option<(f64, f64, f64)> {
        let fits = |pair: &&Pair| pair.axes == place && pair.measure == measure;
        self.pairs.rows.iter().filter(fits).find_map(|pair| {
            if pair.policy_a == a && pair.policy_b == b {
                Some((pair.difference, pair.paired_low, pair.paired_high))
            } else if pair.policy_a == b && pair.policy_b == a {
                Some((-pair.difference, -pair.paired_high, -pair.paired_low))
            } else {
                None
            }
        })
    }

    /// Whether a policy keeps data: it has the measures of data somewhere.
    pub fn is_stateful(&self, policy: &str) -> bool {
        ["acked_rate", "lost_rate", "lost_fraction"]
            .iter()
            .any(|measure| self.places.iter().any(|place| self.get(place, policy, measure).is_some()))
    }

    /// The policies that keep data, and those without.
    pub fn kinds(&self) -> (Vec<&'a str>, Vec<&'a str>) {
        self.policies.iter().partition(|policy| self.is_stateful(policy))
    }

    /// The first axis whose values are all numbers, with more than one of them.
    pub fn main_axis(&self) -> Option<usize> {
        (0..self.points.axes.len()).find(|&axis| {
            let values = self.values(axis);
            values.len() > 1 && values.iter().all(|value| matches!(value, AxisValue::Number(_)))
        })
    }

    /// The different values of an axis in the order of the table.
    pub fn values(&self, axis: usize) -> Vec<&'a AxisValue> {
        let mut list: Vec<&AxisValue> = Vec::new();
        for place in &self.places {
            if !list.contains(&&place[axis]) {
                list.push(&place[axis]);
            }
        }
        list
    }

    /// The points along an axis, the other axes at the values of `place`, from its smallest value up.
    pub fn along(&self, axis: usize, place: &[AxisValue]) -> Vec<(f64, &'a [AxisValue])> {
        let mut list: Vec<(f64, &[AxisValue])> = Vec::new();
        for other in &self.places {
            let same = other.iter().zip(place).enumerate().all(|(index, (a, b))| index == axis || a == b);
            if let (true, AxisValue::Number(x)) = (same, &other[axis]) {
                list.push((*x, other));
            }
        }
        list.sort_by(|a, b| a.0.total_cmp(&b.0));
        list
    }

    /// Points to show where there is no room for all: first, middle and last along the main axis at the first values of
    /// the others, or everything where it is little.
    pub fn selected(&self) -> Vec<&'a [AxisValue]> {
        if self.places.len() <= 3 {
            return self.places.clone();
        }
        match self.main_axis() {
            Some(axis) => {
                let line: Vec<&[AxisValue]> =
                    self.along(axis, self.places[0]).into_iter().map(|(_, place)| place).collect();
                if line.len() < 3 {
                    return self.places.clone();
                }
                vec![line[0], line[line.len() / 2], line[line.len() - 1]]
            }
            None => self.places.clone(),
        }
    }

    /// The axes along which none of these measures changes at all, under any policy, everything else being equal.
    pub fn idle_axes(&self, measures: &[&str]) -> Vec<usize> {
        let idle = |axis: usize| {
            self.values(axis).len() > 1
                && self.places.iter().all(|place| {
                    let first = self.first_along(axis, place);
                    self.policies.iter().all(|policy| {
                        measures
                            .iter()
                            .all(|name| self.get(place, policy, name) == self.get(first, policy, name))
                    })
                })
        };
        (0..self.points.axes.len()).filter(|&axis| idle(axis)).collect()
    }

    /// The first place that differs from `place` on this axis only, or `place` itself.
    fn first_along(&self, axis: usize, place: &'a [AxisValue]) -> &'a [AxisValue] {
        let same = |other: &&&[AxisValue]| {
            other.iter().zip(place).enumerate().all(|(index, (a, b))| index == axis || a == b)
        };
        self.places.iter().find(same).copied().unwrap_or(place)
    }

    /// [`View::selected`] without the places that differ only along axes that do not matter to these measures, and
    /// those axes.
    pub fn distinct(&self, measures: &[&str]) -> (Vec<&'a [AxisValue]>, Vec<usize>) {
        if self.main_axis().is_some() {
            return (self.selected(), Vec::new());
        }
        let idle = self.idle_axes(measures);
        let is_first =
            |place: &&&[AxisValue]| idle.iter().all(|&axis| self.first_along(axis, place) == **place);
        (self.places.iter().filter(is_first).copied().collect(), idle)
    }

    /// A point in words: `server MTTF 10 d, duty off`.
    pub fn label(&self, place: &[AxisValue]) -> String {
        self.label_without(place, &[])
    }

    /// The same, leaving out axes that do not matter.
    pub fn label_without(&self, place: &[AxisValue], idle: &[usize]) -> String {
        let parts = self.points.axes.iter().zip(place).enumerate().filter(|(axis, _)| !idle.contains(axis));
        parts.map(|(_, (axis, value))| axis_label(axis, value)).collect::<Vec<_>>().join(", ")
    }

    /// `whatever Duty mode and plant at`; empty where every axis matters.
    pub fn whatever(&self, idle: &[usize]) -> String {
        let names: Vec<&str> = idle.iter().map(|&axis| name_and_unit(&self.points.axes[axis]).0).collect();
        if names.is_empty() { String::new() } else { format!("whatever {}", super::words::join(&names)) }
    }

    /// The place that sentences speak of where they speak of one: the middle of the main axis, else the first.
    pub fn typical(&self) -> Option<&'a [AxisValue]> {
        let selected = self.selected();
        match self.main_axis() {
            Some(_) => selected.get(selected.len() / 2).copied(),
            None => selected.first().copied(),
        }
    }
}

/// Heading of an axis apart: name and unit.
pub fn name_and_unit(axis: &str) -> (&str, &str) {
    match axis.strip_suffix(')').and_then(|axis| axis.rsplit_once(" (")) {
        Some((name, unit)) => (name, unit),
        None => (axis, ""),
    }
}

/// One value with its axis in words.
pub fn axis_label(axis: &str, value: &AxisValue) -> String {
    let (name, unit) = name_and_unit(axis);
    format!("{name} {}", value_label(unit, value))
}

/// One value in words.
pub fn value_label(unit: &str, value: &AxisValue) -> String {
    match value {
        AxisValue::Number(number) if unit.is_empty() => number.to_string(),
        AxisValue::Number(number) if unit.starts_with(['/', '%']) => format!("{number}{unit}"),
        AxisValue::Number(number) => format!("{number} {unit}"),
        AxisValue::Name(name) if name == "true" => "on".to_owned(),
        AxisValue::Name(name) if name == "false" => "off".to_owned(),
        AxisValue::Name(name) => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_named_in_words() {
        assert_eq!(axis_label("server MTTF (d)", &AxisValue::Number(17.8)), "server MTTF 17.8 d");
        assert_eq!(axis_label("loss (%)", &AxisValue::Number(0.1)), "loss 0.1%");
        assert_eq!(axis_label("duty", &AxisValue::Name("on".into())), "duty on");
    }
}
