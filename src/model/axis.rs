//! The axes of an experiment file: what varies, and over which values.

use super::load::Override;
use super::scale::{self, Spacing};
use crate::input::source::Name;
use crate::input::tree::{Item, Value};
use crate::input::{Key, Kind, Place, Problem, Reader, Table};

/// One axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Its name: the column in tables.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// The keys it sets together.
    pub keys: Vec<Name>,
    /// Its values in order; none where they are mistaken.
    pub values: Vec<Item>,
}

impl Axis {
    /// The value at an index as it is printed.
    pub fn label(&self, index: usize) -> String {
        scale::label(&self.values[index])
    }

    /// What the value at an index sets. A key of a policy may be missing in some of the compared ones.
    pub fn overrides(&self, index: usize) -> Vec<Override> {
        let set = |key: &Name| {
            let change = Override::new(&key.text, key.place.clone(), self.values[index].clone());
            let of_policy = change.segments.first().is_some_and(|part| part == "groups")
                && change.segments.get(2).is_some_and(|part| part == "policy");
            if of_policy { change.may_miss() } else { change }
        };
        self.keys.iter().map(set).collect()
    }

    /// The keys alone, where there are no values to set: for finding out whether they lead anywhere.
    pub fn keys_alone(&self) -> impl Iterator<Item = Override> + '_ {
        self.keys.iter().map(|key| {
            let item = Item { place: key.place.clone(), value: Value::Flag(false) };
            Override::new(&key.text, key.place.clone(), item).may_miss()
        })
    }
}

/// The keys of an axis.
pub struct AxisTable(pub Option<Axis>);

const SCALE_KEYS: &[Key] = &[
    Key::new("from", Kind::Any, "The first value.").required(),
    Key::new("to", Kind::Any, "The last value.").required(),
    Key::new("steps", Kind::Count(2, 10_000), "Number of values, both ends included.").required(),
];

/// A scale between two ends.
struct ScaleTable(Option<(Item, Item, u64)>, Place);

impl Table for ScaleTable {
    const KEYS: &'static [Key] = SCALE_KEYS;
    fn read(r: &mut Reader<'_>) -> Self {
        let steps = r.count_opt("steps");
        let ends = r.item("from").cloned().zip(r.item("to").cloned());
        ScaleTable(ends.zip(steps).map(|((from, to), steps)| (from, to, steps)), r.place())
    }
}

impl Table for AxisTable {
    const KEYS: &'static [Key] = &[
        Key::new("name", Kind::Text, "Its name: the column in tables. Left out: the last part of its key."),
        Key::new("set", Kind::Any, "The key it sets, or a list of keys set together; `*` matches one name.")
            .required(),
        Key::new("values", Kind::Any, "Its values.").excludes(&["log", "linear"]),
        Key::new("log", Kind::Table(SCALE_KEYS), "Values even in the logarithm.")
            .excludes(&["values", "linear"]),
        Key::new("linear", Kind::Table(SCALE_KEYS), "Even values.").excludes(&["values", "log"]),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let keys: Vec<Name> = match r.item("set").map(|item| item.value.clone()) {
            Some(Value::Text(_)) => r.name("set").into_iter().collect(),
            Some(Value::Array(items)) if items.is_empty() => {
                r.problem_at("set", "the axis sets nothing", "the path of a key, or a list of them");
                Vec::new()
            }
            Some(Value::Array(_)) => r.names("set"),
            Some(_) => {
                r.problem_at("set", "not the path of a key", "the path of a key, or a list of them");
                Vec::new()
            }
            None => Vec::new(),
        };
        let values = axis_values(r).unwrap_or_default();
        let name = r.text_opt("name");
        let first = keys.first().map(|key| key.text.rsplit('.').next().unwrap_or("").to_owned());
        let place = if name.is_some() { r.place_of("name") } else { r.place_of("set") };
        AxisTable(name.or(first).map(|name| Axis { name, place, keys, values }))
    }
}

fn axis_values(r: &mut Reader<'_>) -> Option<Vec<Item>> {
    for (key, spacing) in [("log", Spacing::Log), ("linear", Spacing::Linear)] {
        if let Some(ScaleTable(ends, place)) = r.table_opt::<ScaleTable>(key) {
            let (from, to, steps) = ends?;
            return match scale::spaced(&from, &to, steps, spacing, &place) {
                Ok(values) => Some(values),
                Err(problem) => {
                    r.problem(*problem);
                    None
                }
            };
        }
    }
    match r.item("values").map(|item| item.value.clone()) {
        Some(Value::Array(items)) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if items[..index].iter().any(|other| other.value == item.value) {
                    let problem = Problem::new(item.place.clone(), "this value stands twice on the axis");
                    r.problem(problem.expected("each value once"));
                }
            }
            Some(items)
        }
        Some(Value::Array(_)) => {
            r.problem_at("values", "the axis has no values", "at least one value");
            None
        }
        Some(other) => {
            r.problem_at("values", format!("{} is no list of values", other.kind()), "a list of values");
            None
        }
        None => {
            let problem = Problem::new(r.place(), "the axis has no values").derived();
            r.problem(problem.expected("`values = […]`, or `log` or `linear` with `from`, `to` and `steps`"));
            None
        }
    }
}
