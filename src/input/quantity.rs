//! A number with any unit, as limits of measures are written: what it is worth depends on the unit of the measure.

use super::key::Key;
use super::problem::Problem;
use super::session::Session;
use super::source::Place;
use super::tree::{Item, Value};
use super::units;
use crate::engine::time::SECS_PER_YEAR;

/// What a quantity is a quantity of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A bare number: in whatever unit the measure has.
    Number,
    /// A fraction.
    Fraction,
    /// A time, in seconds.
    Time,
    /// Events per time, a year.
    Rate,
    /// Bytes.
    Size,
    /// Bytes a second.
    Bandwidth,
}

/// A number with any unit.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantityValue {
    /// Time in seconds, rates per year, fractions of one, sizes in bytes.
    pub value: f64,
    /// Of what.
    pub dimension: Dimension,
    /// As it was written.
    pub text: String,
    /// Where.
    pub place: Place,
}

impl QuantityValue {
    /// The quantity that a value stands for.
    pub fn of(item: &Item) -> Option<QuantityValue> {
        use Dimension::{Bandwidth, Fraction, Number, Rate, Size, Time};
        let (value, dimension) = match &item.value {
            Value::Integer(_) | Value::Float(_) => {
                item.as_number().filter(|number| number.is_finite()).map(|number| (number, Number))
            }
            Value::Text(text) => None
                .or_else(|| units::fraction(text).ok().map(|value| (value, Fraction)))
                .or_else(|| units::seconds(text).ok().map(|value| (value, Time)))
                .or_else(|| units::bandwidth(text).ok().map(|value| (value, Bandwidth)))
                .or_else(|| units::rate(text).ok().map(|rate| (rate * SECS_PER_YEAR, Rate)))
                .or_else(|| units::size(text).ok().map(|value| (value, Size))),
            _ => None,
        }?;
        let text = item.as_text().map_or_else(|| value.to_string(), str::to_owned);
        Some(QuantityValue { value, dimension, text, place: item.place.clone() })
    }

    /// Its value in the unit of a measure (`1`, `s`, `1/yr`, `1/s`, `s/yr`, `h/yr`, `B/yr`); `None` where it is a
    /// quantity of something else.
    ///
    /// ```
    /// use failsim::input::{NoFiles, QuantityValue, Source, tree};
    /// let source = Source::new("x.toml", "x = \"2/s\"");
    /// let table = tree::parse(&source, &mut Default::default());
    /// let rate = QuantityValue::of(&table.entries[0].item).unwrap();
    /// assert_eq!(rate.in_unit("1/s"), Some(2.0));
    /// assert_eq!(rate.in_unit("1/yr"), Some(2.0 * 31_557_600.0));
    /// assert_eq!(rate.in_unit("s"), None);
    /// ```
    pub fn in_unit(&self, unit: &str) -> Option<f64> {
        Some(match (self.dimension, unit) {
            (Dimension::Number, _)
            | (Dimension::Fraction, "1")
            | (Dimension::Time, "s" | "s/yr")
            | (Dimension::Rate, "1/yr")
            | (Dimension::Size, "B" | "B/yr") => self.value,
            (Dimension::Time, "h/yr") => self.value / 3600.0,
            (Dimension::Rate, "1/s") => self.value / SECS_PER_YEAR,
            (Dimension::Bandwidth, "B/yr") => self.value * SECS_PER_YEAR,
            _ => return None,
        })
    }
}

/// What a limit in a unit looks like, for messages.
pub fn example(unit: &str) -> &'static str {
    match unit {
        "1" => "a number, or a fraction such as `99.9%`",
        "s" => "a time such as `60s`",
        "s/yr" => "a time such as `5m`, which counts a year",
        "h/yr" => "a time such as `8766h`, which counts a year",
        "1/yr" => "a rate such as `2/year`",
        "1/s" => "a rate such as `10/s`",
        "B" => "a size such as `10kB`",
        "B/yr" => "a size such as `10MB`, which counts a year",
        _ => "a number",
    }
}

pub(super) fn read(key: &Key, item: &Item, session: &mut Session) -> Option<QuantityValue> {
    let value = QuantityValue::of(item);
    if value.is_none() {
        let problem = Problem::new(item.place.clone(), format!("no value for `{}`", key.name));
        let expected = "a number, a time (`60s`), a rate (`2/year`), a fraction (`99.9%`) or a size";
        session.problems.add(problem.expected(expected));
    }
    value
}
