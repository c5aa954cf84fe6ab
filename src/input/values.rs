//! The reader's getters for single values, by the kind of the key.

use super::key::{Key, Kind};
use super::law;
use super::problem::Problem;
use super::reader::{Reader, wrong_kind};
use super::session::Session;
use super::source::{Name, Place};
use super::tree::{Item, Value};
use super::units::{self, UnitError};
use crate::engine::dist::Law;
use crate::engine::time::{SECS_PER_YEAR, Span};

/// How work arrives, as written.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrivalsValue {
    /// A Poisson process.
    Poisson,
    /// At equal distances.
    Fixed,
    /// At these times in seconds, in order.
    Trace(Vec<f64>),
}

/// A number with any unit.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantityValue {
    /// Time in seconds, rates per year, fractions of one, sizes in bytes.
    pub value: f64,
    /// As it was written.
    pub text: String,
    /// What its unit makes it.
    pub dimension: Dimension,
    /// Where it stands; none if it was not read.
    pub place: Option<Place>,
}

/// What a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// No unit: whatever it is compared with.
    Number,
    /// A part of one.
    Fraction,
    /// Time.
    Time,
    /// Events in a time.
    Rate,
    /// Bytes.
    Size,
    /// Bytes in a time.
    Bandwidth,
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident, $opt:ident, $type:ty, $parse:expr, $harmless:expr, $kinds:pat) => {
        $(#[$doc])*
        pub fn $name(&mut self, name: &str) -> $type {
            self.$opt(name).unwrap_or($harmless)
        }

        /// The same; `None` if it is left out and has no default.
        pub fn $opt(&mut self, name: &str) -> Option<$type> {
            self.get(name, |key, item, session| {
                debug_assert!(matches!(key.kind, $kinds), "`{}` is described as another kind", key.name);
                $parse(key, item, session)
            })
        }
    };
}

impl Reader<'_> {
    getter!(
        /// A length of time.
        span, span_opt, Span, span, Span::ZERO, Kind::Span | Kind::SpanPositive | Kind::SpanOrNever | Kind::Any
    );
    getter!(
        /// A mean in seconds, above zero.
        mean, mean_opt, f64, mean, 1.0, Kind::Mean | Kind::Any
    );
    getter!(
        /// A length of time in seconds that may be negative.
        offset, offset_opt, f64, offset, 0.0, Kind::Offset | Kind::Any
    );
    getter!(
        /// Events per second.
        rate, rate_opt, f64, rate, 0.0, Kind::Rate | Kind::Any
    );
    getter!(
        /// A fraction from 0 to 1.
        probability, probability_opt, f64, probability, 0.0, Kind::Probability | Kind::Any
    );
    getter!(
        /// A fraction that may exceed 1.
        fraction, fraction_opt, f64, fraction, 0.0, Kind::Fraction | Kind::Any
    );
    getter!(
        /// A number.
        number, number_opt, f64, number, 1.0, Kind::Number(..) | Kind::Any
    );
    getter!(
        /// A whole number.
        count, count_opt, u64, count, 1, Kind::Count(..) | Kind::Any
    );
    getter!(
        /// A flag.
        flag, flag_opt, bool, flag, false, Kind::Flag | Kind::Any
    );
    getter!(
        /// Text.
        text, text_opt, String, text, String::new(), Kind::Text | Kind::Any
    );
    getter!(
        /// One of the key's words.
        choice, choice_opt, &'static str, choice, "", Kind::Choice(_) | Kind::Any
    );
    getter!(
        /// Some of the key's words.
        choices, choices_opt, Vec<&'static str>, choices, Vec::new(), Kind::Choices(_) | Kind::Any
    );
    getter!(
        /// A law of time.
        law, law_opt, Law, law_value, Law::fixed(0.0).expect("a time of zero"), Kind::Law | Kind::Any
    );
    getter!(
        /// Arrivals.
        arrivals, arrivals_opt, ArrivalsValue, arrivals, ArrivalsValue::Poisson, Kind::Arrivals | Kind::Any
    );
    getter!(
        /// Bytes.
        size, size_opt, f64, size, 0.0, Kind::Size | Kind::Any
    );
    getter!(
        /// Bytes per second.
        bandwidth, bandwidth_opt, f64, bandwidth, 1.0, Kind::Bandwidth | Kind::Any
    );
    getter!(
        /// A number with any unit.
        quantity, quantity_opt, QuantityValue, quantity, QuantityValue::number(0.0),
        Kind::Quantity | Kind::Any
    );
    getter!(
        /// Names in a list, each with its place; repetitions are reported.
        names, names_opt, Vec<Name>, names, Vec::new(), Kind::Names(_) | Kind::NamesOrNone(_) | Kind::Any
    );
    getter!(
        /// A table from names to names.
        name_map, name_map_opt, Vec<(Name, Name)>, name_map, Vec::new(), Kind::NameMap(..) | Kind::Any
    );

    /// A name with its place; `None` if it is left out or no name.
    pub fn name(&mut self, name: &str) -> Option<Name> {
        self.get(name, one_name)
    }
}

fn fail<T>(problem: Problem, session: &mut Session) -> Option<T> {
    session.problems.add(problem);
    None
}

/// The text of a value through a function of `units`.
fn unit<T>(
    key: &Key,
    item: &Item,
    session: &mut Session,
    parse: impl Fn(&str) -> Result<T, UnitError>,
) -> Option<T> {
    let Some(text) = item.as_text() else {
        let problem = wrong_kind(key, item);
        let is_number = item.as_number().is_some();
        return fail(if is_number { problem.help("it needs a unit, in quotes") } else { problem }, session);
    };
    match parse(text) {
        Ok(value) => Some(value),
        Err(error) => {
            let mut problem =
                Problem::new(item.part(error.range), format!("{} in `{}`", error.message, key.name))
                    .expected(error.expected);
            problem.nearest = error.nearest.map(str::to_owned);
            fail(problem, session)
        }
    }
}

fn span(key: &Key, item: &Item, session: &mut Session) -> Option<Span> {
    if matches!(key.kind, Kind::SpanOrNever) && item.as_text() == Some("never") {
        return Some(Span::NEVER);
    }
    let span = unit(key, item, session, units::span)?;
    if matches!(key.kind, Kind::SpanPositive) && span == Span::ZERO {
        let problem = Problem::new(item.place.clone(), format!("`{}` cannot be zero", key.name));
        return fail(problem.expected(key.expected()), session);
    }
    Some(span)
}

fn mean(key: &Key, item: &Item, session: &mut Session) -> Option<f64> {
    let secs = unit(key, item, session, units::seconds)?;
    if secs > 0.0 {
        return Some(secs);
    }
    let problem = Problem::new(item.place.clone(), format!("`{}` cannot be zero", key.name));
    fail(problem.expected(key.expected()), session)
}

fn offset(key: &Key, item: &Item, session: &mut Session) -> Option<f64> {
    unit(key, item, session, |text| match text.strip_prefix('-') {
        Some(rest) => units::seconds(rest).map(|secs| -secs),
        None => units::seconds(text),
    })
}

fn rate(key: &Key, item: &Item, session: &mut Session) -> Option<f64> {
    unit(key, item, session, units::rate)
}

fn size(key: &Key, item: &Item, session: &mut Session) -> Option<f64> {
    unit(key, item, session, units::size)
}

fn bandwidth(key: &Key, item: &Item, session: &mut Session) -> Option<f64> {
    let bytes = unit(key, item, session, units::bandwidth)?;
    if bytes > 0.0 {
        return Some(bytes);
    }
    let problem = Problem::new(item.place.clone(), format!("`{}` cannot be zero", key.name));
    fail(problem.expected("a bandwidth above zero; leave it out for no limit"), session)
}

fn fraction(key: &Key, item: &Item, session: &mut Session) -> Option<f64> {
    match item.as_number() {
        Some(number) if number.is_finite() && number >= 0.0 => Some(number),
        Some(number) => {
            let what = if number < 0.0 { "a fraction cannot be negative" } else { "not a finite number" };
            fail(Problem::new(item.place.clone(), what).expected(key.expected()), session)
        }
        None => unit(key, item, session, units::fraction),
    }
}

fn probability(key: &Key, item: &Item, session: &mut Session) -> Option<f64> {
    let value = fraction(key, item, session)?;
    if value <= 1.0 {
        return Some(value);
    }
    let problem = Problem::new(item.place.clone(), format!("`{}` is a probability and exceeds 1", key.name));
    fail(problem.expected(key.expected()), session)
}

fn number(key: &Key, item: &Item, session: &mut Session) -> Option<f64> {
    let Some(number) = item.as_number() else { return fail(wrong_kind(key, item), session) };
    let (low, high) = match key.kind {
        Kind::Number(low, high) => (low, high),
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    };
    if number.is_finite() && number >= low && number <= high {
        return Some(number);
    }
    let problem = Problem::new(item.place.clone(), format!("`{}` is out of range", key.name));
    fail(problem.expected(key.expected()), session)
}

fn count(key: &Key, item: &Item, session: &mut Session) -> Option<u64> {
    let Value::Integer(number) = item.value else { return fail(wrong_kind(key, item), session) };
    let (low, high) = match key.kind {
        Kind::Count(low, high) => (low, high),
        _ => (0, u64::MAX),
    };
    match u64::try_from(number) {
        Ok(number) if number >= low && number <= high => Some(number),
        _ => {
            let problem = Problem::new(item.place.clone(), format!("`{}` is out of range", key.name));
            fail(problem.expected(key.expected()), session)
        }
    }
}

fn flag(key: &Key, item: &Item, session: &mut Session) -> Option<bool> {
    match item.value {
        Value::Flag(flag) => Some(flag),
        _ => fail(wrong_kind(key, item), session),
    }
}

fn text(key: &Key, item: &Item, session: &mut Session) -> Option<String> {
    match &item.value {
        Value::Text(text) => Some(text.clone()),
        _ => fail(wrong_kind(key, item), session),
    }
}

fn choice(key: &Key, item: &Item, session: &mut Session) -> Option<&'static str> {
    let list = match key.kind {
        Kind::Choice(list) | Kind::Choices(list) => list,
        _ => &[],
    };
    let Some(text) = item.as_text() else { return fail(wrong_kind(key, item), session) };
    if let Some(word) = list.iter().copied().find(|word| *word == text) {
        return Some(word);
    }
    let problem = Problem::new(item.place.clone(), format!("`{text}` is no value for `{}`", key.name));
    let expected = list.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    fail(problem.expected(format!("one of {expected}")).nearest(text, list.iter().copied()), session)
}

fn choices(key: &Key, item: &Item, session: &mut Session) -> Option<Vec<&'static str>> {
    let Value::Array(items) = &item.value else { return fail(wrong_kind(key, item), session) };
    let words: Vec<_> = items.iter().map(|item| choice(key, item, session)).collect();
    words.into_iter().collect()
}

fn law_value(_key: &Key, item: &Item, session: &mut Session) -> Option<Law> {
    law::read(item, session)
}

fn arrivals(key: &Key, item: &Item, session: &mut Session) -> Option<ArrivalsValue> {
    match &item.value {
        Value::Text(text) if text == "poisson" => Some(ArrivalsValue::Poisson),
        Value::Text(text) if text == "fixed" => Some(ArrivalsValue::Fixed),
        Value::Table(table) if table.entries.len() == 1 && table.entries[0].key == "trace" => {
            let column = session.column(&table.entries[0].item)?;
            if let Some(pair) = column.windows(2).find(|pair| pair[1].0 < pair[0].0) {
                let problem = Problem::new(pair[1].1.clone(), "earlier than the line before");
                return fail(problem.expected("times after the start, in order"), session);
            }
            Some(ArrivalsValue::Trace(column.into_iter().map(|(secs, _)| secs).collect()))
        }
        Value::Table(table) if !table.entries.is_empty() => {
            let entry = table.entries.iter().find(|entry| entry.key != "trace").unwrap_or(&table.entries[0]);
            let problem = Problem::new(entry.key_place.clone(), format!("unknown key `{}`", entry.key));
            fail(problem.expected(key.expected()).nearest(&entry.key, ["trace"]), session)
        }
        Value::Text(text) => {
            let problem =
                Problem::new(item.place.clone(), format!("`{text}` is no value for `{}`", key.name));
            fail(problem.expected(key.expected()).nearest(text, ["poisson", "fixed"]), session)
        }
        _ => fail(wrong_kind(key, item), session),
    }
}

fn quantity(key: &Key, item: &Item, session: &mut Session) -> Option<QuantityValue> {
    let value = QuantityValue::of(item);
    if value.is_none() {
        let problem = Problem::new(item.place.clone(), format!("no value for `{}`", key.name));
        let expected = "a number, a time (`60s`), a rate (`2/year`), a fraction (`99.9%`) or a size";
        session.problems.add(problem.expected(expected));
    }
    value
}

impl QuantityValue {
    /// The number that a value stands for, whatever its unit.
    pub fn of(item: &Item) -> Option<QuantityValue> {
        let (value, dimension) = match &item.value {
            Value::Integer(_) | Value::Float(_) => {
                item.as_number().filter(|number| number.is_finite()).map(|value| (value, Dimension::Number))
            }
            Value::Text(text) => {
                let is = |dimension| move |value| (value, dimension);
                let bare = text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
                None.or_else(|| bare.map(is(Dimension::Number)))
                    .or_else(|| units::fraction(text).ok().map(is(Dimension::Fraction)))
                    .or_else(|| units::seconds(text).ok().map(is(Dimension::Time)))
                    .or_else(|| units::bandwidth(text).ok().map(is(Dimension::Bandwidth)))
                    .or_else(|| units::rate(text).ok().map(|rate| (rate * SECS_PER_YEAR, Dimension::Rate)))
                    .or_else(|| units::size(text).ok().map(is(Dimension::Size)))
            }
            _ => None,
        }?;
        let text = item.as_text().map_or_else(|| value.to_string(), str::to_owned);
        Some(QuantityValue { value, text, dimension, place: Some(item.place.clone()) })
    }

    /// A bare number.
    pub fn number(value: f64) -> QuantityValue {
        QuantityValue { value, text: value.to_string(), dimension: Dimension::Number, place: None }
    }

    /// In the unit of a measure (`1`, `s`, `s/yr`, `1/yr`, `1/s`, …); none where it is no such quantity.
    pub fn in_unit(&self, unit: &str) -> Option<f64> {
        match (self.dimension, unit) {
            (Dimension::Number, _)
            | (Dimension::Fraction, "1")
            | (Dimension::Time, "s" | "s/yr")
            | (Dimension::Rate, "1/yr")
            | (Dimension::Size, "B/yr") => Some(self.value),
            (Dimension::Time, "h/yr") => Some(self.value / 3600.0),
            (Dimension::Rate, "1/s") => Some(self.value / SECS_PER_YEAR),
            (Dimension::Bandwidth, "B/yr") => Some(self.value * SECS_PER_YEAR),
            _ => None,
        }
    }
}

fn one_name(key: &Key, item: &Item, session: &mut Session) -> Option<Name> {
    match &item.value {
        Value::Text(text) => Some(Name { text: text.clone(), place: item.part(0..text.len()) }),
        _ => fail(wrong_kind(key, item), session),
    }
}

fn names(key: &Key, item: &Item, session: &mut Session) -> Option<Vec<Name>> {
    let Value::Array(items) = &item.value else { return fail(wrong_kind(key, item), session) };
    if items.is_empty() && matches!(key.kind, Kind::Names(_)) {
        let problem = Problem::new(item.place.clone(), format!("`{}` is empty", key.name));
        return fail(problem.expected(key.expected()), session);
    }
    let mut list: Vec<Name> = Vec::new();
    for item in items {
        let Some(name) = one_name(key, item, session) else { continue };
        if list.iter().any(|other| other.text == name.text) {
            let message = format!("`{}` stands twice in `{}`", name.text, key.name);
            session.problems.add(Problem::new(name.place.clone(), message).expected("each name once"));
            continue;
        }
        list.push(name);
    }
    Some(list)
}

fn name_map(key: &Key, item: &Item, session: &mut Session) -> Option<Vec<(Name, Name)>> {
    let Value::Table(table) = &item.value else { return fail(wrong_kind(key, item), session) };
    let mut list = Vec::new();
    for entry in &table.entries {
        let from = Name { text: entry.key.clone(), place: entry.key_place.clone() };
        if let Some(to) = one_name(key, &entry.item, session) {
            list.push((from, to));
        }
    }
    Some(list)
}
