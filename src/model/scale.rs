//! Values spaced between two ends, as a person would write them: `10d`, `17.8d`, `31.6d` … `1000d`.
//!
//! Logarithmic steps are even in the logarithm, computed with portable mathematics. Every value between the ends is
//! rounded to three significant digits (more where neighbours would coincide), printed, and used exactly as printed;
//! the ends are used as they were written.

use crate::input::tree::{Item, Value};
use crate::input::{Place, Problem, units};

/// How values are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// Even in the logarithm.
    Log,
    /// Even.
    Linear,
}

/// `steps` values from `from` to `to`, both included. `place` is where the whole scale stands.
///
/// # Errors
/// What is wrong with the ends or their number.
pub fn spaced(
    from: &Item,
    to: &Item,
    steps: u64,
    spacing: Spacing,
    place: &Place,
) -> Result<Vec<Item>, Box<Problem>> {
    let steps = usize::try_from(steps).unwrap_or(0);
    let (low, high, unit) = ends(from, to)?;
    if low == high || (spacing == Spacing::Log && (low <= 0.0 || high <= 0.0)) {
        let problem = Problem::new(to.place.clone(), "no scale lies between these ends");
        let expected =
            if low == high { "two different ends" } else { "two ends above zero on a logarithmic scale" };
        return Err(Box::new(problem.expected(expected)));
    }
    let whole = matches!((&from.value, &to.value), (Value::Integer(_), Value::Integer(_)));
    for digits in [3, 4, 6, 9] {
        let mut values = vec![from.clone()];
        for index in 1..steps - 1 {
            let share = index as f64 / (steps - 1) as f64;
            let exact = match spacing {
                Spacing::Linear => low + (high - low) * share,
                Spacing::Log => libm::exp(libm::log(low) + (libm::log(high) - libm::log(low)) * share),
            };
            values.push(Item { place: place.clone(), value: written(exact, digits, &unit, whole) });
        }
        values.push(to.clone());
        if values.windows(2).all(|pair| pair[0].value != pair[1].value) {
            return Ok(values);
        }
    }
    let problem = Problem::new(place.clone(), "so many steps that values coincide");
    Err(Box::new(problem.expected("fewer steps, or ends further apart")))
}

/// How the values between are written.
enum Unit {
    /// Bare numbers.
    None,
    /// With the suffix of both ends.
    Suffix(String),
    /// Times whose ends have different units: each in the unit that suits it; the numbers are seconds.
    Time,
}

fn ends(from: &Item, to: &Item) -> Result<(f64, f64, Unit), Box<Problem>> {
    if let (Some(low), Some(high)) = (from.as_number(), to.as_number())
        && low.is_finite()
        && high.is_finite()
    {
        return Ok((low, high, Unit::None));
    }
    if let (Some(first), Some(second)) = (from.as_text(), to.as_text()) {
        if let (Some((low, unit)), Some((high, other))) = (parts(first), parts(second))
            && unit == other
            && !unit.contains(|c: char| c.is_ascii_digit())
        {
            return Ok((low, high, Unit::Suffix(unit.to_owned())));
        }
        if let (Ok(low), Ok(high)) = (units::seconds(first), units::seconds(second)) {
            return Ok((low, high, Unit::Time));
        }
    }
    let wrong = if from.as_number().is_some() || from.as_text().is_some_and(|text| parts(text).is_some()) {
        to
    } else {
        from
    };
    let problem = Problem::new(wrong.place.clone(), "the ends of a scale do not go together");
    Err(Box::new(problem.expected("two numbers, two times, or two quantities of the same unit")))
}

fn parts(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

fn written(exact: f64, digits: usize, unit: &Unit, whole: bool) -> Value {
    match unit {
        Unit::None if whole => Value::Integer(exact.round() as i128),
        Unit::None => Value::Float(rounded(exact, digits)),
        Unit::Suffix(suffix) => Value::Text(format!("{}{suffix}", rounded(exact, digits))),
        Unit::Time => {
            let all = [("d", 86_400.0), ("h", 3_600.0), ("m", 60.0), ("s", 1.0), ("ms", 1e-3), ("us", 1e-6)];
            let (unit, size) = all.into_iter().find(|(_, size)| exact >= *size).unwrap_or(("ns", 1e-9));
            Value::Text(format!("{}{unit}", rounded(exact / size, digits)))
        }
    }
}

/// The nearest number of so many significant digits.
fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

/// A value as a person reads it in a table.
pub fn label(item: &Item) -> String {
    match &item.value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Date => item.place.text().to_owned(),
        Value::Array(_) | Value::Table(_) => {
            item.place.text().split_whitespace().collect::<Vec<_>>().join(" ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Problems, Source, tree};

    fn scale(from: &str, to: &str, steps: u64, spacing: Spacing) -> Vec<String> {
        let item = |text: &str| tree::parse_value(&Source::new("x", text), &mut Problems::new());
        let place = Source::new("x", "").whole();
        let values = spaced(&item(from), &item(to), steps, spacing, &place).unwrap();
        values.iter().map(label).collect()
    }

    #[test]
    fn logarithmic_steps_are_even_in_the_logarithm_and_keep_their_ends() {
        let values = scale("10d", "1000d", 9, Spacing::Log);
        assert_eq!(values, ["10d", "17.8d", "31.6d", "56.2d", "100d", "178d", "316d", "562d", "1000d"]);
    }

    #[test]
    fn other_units_and_numbers() {
        assert_eq!(scale("1s", "1d", 3, Spacing::Log), ["1s", "4.9m", "1d"]);
        assert_eq!(scale("1", "9", 3, Spacing::Linear), ["1", "5", "9"]);
        assert_eq!(scale("0.001", "0.1", 3, Spacing::Log), ["0.001", "0.01", "0.1"]);
        assert_eq!(scale("1/year", "100/year", 3, Spacing::Log), ["1/year", "10/year", "100/year"]);
        assert_eq!(scale("1%", "2%", 2, Spacing::Linear), ["1%", "2%"]);
        assert_eq!(scale("1000s", "1001s", 3, Spacing::Linear), ["1000s", "1000.5s", "1001s"]);
    }

    #[test]
    fn ends_of_different_kinds_are_refused() {
        let item = |text: &str| tree::parse_value(&Source::new("x", text), &mut Problems::new());
        let place = Source::new("x", "").whole();
        let refused = |a: &str, b: &str| spaced(&item(a), &item(b), 5, Spacing::Log, &place).is_err();
        assert!(
            refused("10d", "5%") && refused("0s", "1s") && refused("1s", "1s") && refused("1", "4 apples")
        );
        assert!(spaced(&item("1"), &item("3"), 9, Spacing::Linear, &place).is_err());
    }
}
