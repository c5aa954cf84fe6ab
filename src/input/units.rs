//! Quantities as people write them: `250ms`, `1h 30m`, `10y`, `2/month`, `0.1%`, `50ppm`, `1MiB`, `10Mbit/s`.
//!
//! A year is 365.25 days, a month a twelfth of it. `m` is a minute and `month` a month. Every function says
//! precisely what is wrong with a text that is not such a quantity ([`UnitError`]).

use std::fmt;
use std::ops::Range;

use super::nearest::nearest;
use crate::engine::time::{Span, SpanError};

/// Why a text is not the quantity that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    /// What is wrong.
    pub message: String,
    /// What would have been right.
    pub expected: String,
    /// The part of the text it is about.
    pub range: Range<usize>,
    /// The unit that was probably meant.
    pub nearest: Option<&'static str>,
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; expected {}", self.message, self.expected)
    }
}

impl std::error::Error for UnitError {}

/// A unit: its names and its size in the base unit (nanoseconds, bytes).
type Unit = (&'static [&'static str], u64);

const TIME: &[Unit] = &[
    (&["ns"], 1),
    (&["us", "µs", "μs"], 1_000),
    (&["ms"], 1_000_000),
    (&["s", "sec", "second", "seconds"], 1_000_000_000),
    (&["m", "min", "minute", "minutes"], 60_000_000_000),
    (&["h", "hour", "hours"], 3_600_000_000_000),
    (&["d", "day", "days"], 86_400_000_000_000),
    (&["w", "week", "weeks"], 604_800_000_000_000),
    (&["month", "months"], 2_629_800_000_000_000),
    (&["y", "year", "years"], 31_557_600_000_000_000),
];

const SIZE: &[Unit] = &[
    (&["B", "byte", "bytes"], 1),
    (&["kB"], 1_000),
    (&["MB"], 1_000_000),
    (&["GB"], 1_000_000_000),
    (&["TB"], 1_000_000_000_000),
    (&["KiB"], 1 << 10),
    (&["MiB"], 1 << 20),
    (&["GiB"], 1 << 30),
    (&["TiB"], 1 << 40),
];

/// Bits per second in front of `/s`; in thousandths of a byte so that one bit is a whole number.
const BITS: &[Unit] =
    &[(&["bit"], 125), (&["kbit"], 125_000), (&["Mbit"], 125_000_000), (&["Gbit"], 125_000_000_000)];

/// Time in messages.
pub const TIME_EXPECTED: &str =
    "a time such as `250ms`, `1h 30m` or `10y` (ns, us, ms, s, m, h, d, w, month, y)";
/// Rates in messages.
pub const RATE_EXPECTED: &str = "a rate such as `2/month`, `200/s` or `0.5/h` (per s, m, h, d, w, month, y)";
/// Fractions in messages.
pub const FRACTION_EXPECTED: &str = "a fraction such as `0.1%`, `50ppm` or `0.001`";
/// Sizes in messages.
pub const SIZE_EXPECTED: &str = "a size such as `100kB` or `1MiB` (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)";
/// Bandwidths in messages.
pub const BANDWIDTH_EXPECTED: &str =
    "a bandwidth such as `10Mbit/s` or `1MB/s` (bit/s, kbit/s, Mbit/s, Gbit/s, B/s, kB/s, MB/s, GB/s)";

/// One number with what follows it.
struct Part<'a> {
    number: &'a str,
    value: f64,
    unit: &'a str,
    at: Range<usize>,
    unit_at: Range<usize>,
}

/// A length of time in nanoseconds, exact for plain decimals, rounded to the nearest nanosecond.
///
/// # Errors
/// Anything else, and more than 500 years.
///
/// ```
/// use failsim::input::units::span;
/// assert_eq!(span("1h 30m").unwrap().to_string(), "1h 30m");
/// assert!(span("501y").is_err());
/// ```
pub fn span(text: &str) -> Result<Span, UnitError> {
    let mut nanos: u128 = 0;
    for part in time_parts(text)? {
        let size = find(TIME, part.unit).unwrap_or(1);
        nanos = nanos.saturating_add(scaled(part.number, part.value, size));
    }
    if nanos > u128::from(Span::HORIZON_MAX.as_nanos()) {
        return Err(error(SpanError::TooLong.to_string(), "at most `500y`", 0..text.len()));
    }
    Ok(Span::from_nanos(u64::try_from(nanos).expect("500 years fit into 64 bits")))
}

/// A length of time in seconds, without the limit of [`span`]: a mean may exceed every horizon.
///
/// # Errors
/// Whatever is no length of time.
pub fn seconds(text: &str) -> Result<f64, UnitError> {
    let parts = time_parts(text)?;
    let secs = |part: &Part<'_>| {
        let size = find(TIME, part.unit).unwrap_or(1);
        // A whole number of seconds is multiplied, anything shorter divided, so that each is exact where it can be.
        if size >= 1_000_000_000 {
            part.value * (size / 1_000_000_000) as f64
        } else {
            part.value / (1_000_000_000 / size) as f64
        }
    };
    let total: f64 = parts.iter().map(secs).sum();
    finite(total, text, TIME_EXPECTED)
}

/// Events per second.
///
/// # Errors
/// Whatever is no rate.
pub fn rate(text: &str) -> Result<f64, UnitError> {
    let Some(slash) = text.find('/') else {
        let nearest =
            if number_part(text).is_some_and(|part| part.unit.is_empty()) { Some("/s") } else { None };
        return Err(UnitError { nearest, ..error("a rate says per what", RATE_EXPECTED, 0..text.len()) });
    };
    let head = text[..slash].trim_end();
    let Some(part) = number_part(head).filter(|part| part.unit.is_empty()) else {
        return Err(error(format!("`{head}` is not a number"), RATE_EXPECTED, 0..slash));
    };
    check_number(&part, "a rate", RATE_EXPECTED)?;
    let unit = text[slash + 1..].trim();
    let start = slash + 1 + (text[slash + 1..].len() - text[slash + 1..].trim_start().len());
    let Some(size) = find(TIME, unit) else {
        let message = format!("`{unit}` is not a unit of time");
        let nearest = nearest(unit, names(TIME));
        return Err(UnitError { nearest, ..error(message, RATE_EXPECTED, start..start + unit.len()) });
    };
    finite(part.value * 1e9 / size as f64, text, RATE_EXPECTED)
}

/// A fraction of one; may exceed it (a range is the key's matter).
///
/// # Errors
/// Whatever is no fraction.
pub fn fraction(text: &str) -> Result<f64, UnitError> {
    let Some(part) = number_part(text) else {
        return Err(error(format!("`{text}` is not a fraction"), FRACTION_EXPECTED, 0..text.len()));
    };
    check_number(&part, "a fraction", FRACTION_EXPECTED)?;
    match part.unit {
        "" => Ok(part.value),
        "%" => Ok(shifted(&part, 2)),
        "ppm" => Ok(shifted(&part, 6)),
        "ppb" => Ok(shifted(&part, 9)),
        unit => {
            let message = format!("`{unit}` is not a unit of a fraction");
            let nearest = nearest(unit, ["%", "ppm", "ppb"]);
            Err(UnitError { nearest, ..error(message, FRACTION_EXPECTED, part.unit_at) })
        }
    }
}

/// Bytes.
///
/// # Errors
/// Whatever is no size.
pub fn size(text: &str) -> Result<f64, UnitError> {
    let Some(part) = number_part(text) else {
        return Err(error(format!("`{text}` is not a size"), SIZE_EXPECTED, 0..text.len()));
    };
    check_number(&part, "a size", SIZE_EXPECTED)?;
    match find(SIZE, part.unit) {
        Some(unit) => finite(part.value * unit as f64, text, SIZE_EXPECTED),
        None => Err(wrong_unit(&part, "a size", SIZE_EXPECTED, &names(SIZE))),
    }
}

/// Bytes per second.
///
/// # Errors
/// Whatever is no bandwidth.
pub fn bandwidth(text: &str) -> Result<f64, UnitError> {
    let Some(part) = number_part(text) else {
        return Err(error(format!("`{text}` is not a bandwidth"), BANDWIDTH_EXPECTED, 0..text.len()));
    };
    check_number(&part, "a bandwidth", BANDWIDTH_EXPECTED)?;
    let per_second = part.unit.strip_suffix("/s").map(str::trim_end);
    if let Some(unit) = per_second.and_then(|unit| find(SIZE, unit)) {
        return finite(part.value * unit as f64, text, BANDWIDTH_EXPECTED);
    }
    if let Some(unit) = per_second.and_then(|unit| find(BITS, unit)) {
        return finite(part.value * unit as f64 / 1000.0, text, BANDWIDTH_EXPECTED);
    }
    let all =
        ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "B/s", "kB/s", "MB/s", "GB/s", "KiB/s", "MiB/s", "GiB/s"];
    let mut error = wrong_unit(&part, "a bandwidth", BANDWIDTH_EXPECTED, &all);
    if let Some(whole) = all.into_iter().find(|unit| unit.strip_suffix("/s") == Some(part.unit)) {
        error.nearest = Some(whole);
    }
    Err(error)
}

/// The number with its decimal point so many places further left: 99.9 % is exactly what 0.999 is.
fn shifted(part: &Part<'_>, places: u32) -> f64 {
    let moved = format!("{}e-{places}", part.number).parse();
    moved.unwrap_or_else(|_| part.value / (0..places).fold(1.0, |scale, _| scale * 10.0))
}

fn names(units: &[Unit]) -> Vec<&'static str> {
    units.iter().flat_map(|(names, _)| names.iter().copied()).collect()
}

fn find(units: &[Unit], name: &str) -> Option<u64> {
    units.iter().find(|(names, _)| names.contains(&name)).map(|(_, size)| *size)
}

fn error(message: impl Into<String>, expected: impl Into<String>, range: Range<usize>) -> UnitError {
    UnitError { message: message.into(), expected: expected.into(), range, nearest: None }
}

fn wrong_unit(part: &Part<'_>, what: &str, expected: &str, names: &[&'static str]) -> UnitError {
    if part.unit.is_empty() {
        return error(format!("{what} needs a unit"), expected, part.at.clone());
    }
    let message = format!("`{}` is not a unit of {what}", part.unit);
    let nearest = nearest(part.unit, names.iter().copied());
    UnitError { nearest, ..error(message, expected, part.unit_at.clone()) }
}

fn finite(value: f64, text: &str, expected: &str) -> Result<f64, UnitError> {
    if value.is_finite() { Ok(value) } else { Err(error("too large", expected, 0..text.len())) }
}

fn check_number(part: &Part<'_>, what: &str, expected: &str) -> Result<(), UnitError> {
    if part.value.is_nan() {
        return Err(error("not a number", expected, part.at.clone()));
    }
    if part.value < 0.0 {
        return Err(error(format!("{what} cannot be negative"), expected, part.at.clone()));
    }
    if part.value.is_infinite() {
        return Err(error("too large", expected, part.at.clone()));
    }
    Ok(())
}

/// The parts of a length of time, each a number above or at zero with a unit of time.
fn time_parts(text: &str) -> Result<Vec<Part<'_>>, UnitError> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start().len();
        at += blank;
        if at == text.len() {
            break;
        }
        // A part ends where the next number begins, after at least one letter.
        let rest = &text[at..];
        let mut end = rest.len();
        let mut in_unit = false;
        for (index, letter) in rest.char_indices().skip(1) {
            let exponent =
                matches!(letter, 'e' | 'E') && rest[index + 1..].starts_with(|c: char| c.is_ascii_digit());
            if in_unit && (letter.is_ascii_digit() || matches!(letter, '-' | '+' | '.')) {
                end = index;
                break;
            }
            in_unit |= letter.is_alphabetic() && !exponent;
        }
        let piece = rest[..end].trim_end();
        let part = number_part(piece);
        let here = at..at + piece.len();
        let Some(mut part) = part else {
            return Err(error(format!("`{piece}` is not a time"), TIME_EXPECTED, here));
        };
        part.at = part.at.start + at..part.at.end + at;
        part.unit_at = part.unit_at.start + at..part.unit_at.end + at;
        check_number(&part, "a length of time", TIME_EXPECTED)?;
        if find(TIME, part.unit).is_none() {
            return Err(wrong_unit(&part, "time", TIME_EXPECTED, &names(TIME)));
        }
        parts.push(part);
        at += end;
    }
    if parts.is_empty() {
        return Err(error("no time is given", TIME_EXPECTED, 0..text.len()));
    }
    Ok(parts)
}

/// Splits `12.5 kB` into number and unit; `None` if it does not begin with a number (`nan` and `inf` are numbers).
fn number_part(text: &str) -> Option<Part<'_>> {
    let trimmed = text.trim_end();
    let start = trimmed.len() - trimmed.trim_start().len();
    let body = &trimmed[start..];
    let sign = usize::from(body.starts_with(['-', '+']));
    let mut end = if body[sign..].to_ascii_lowercase().starts_with("nan") || body[sign..].starts_with("inf") {
        sign + 3
    } else {
        sign + body[sign..].find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(body.len() - sign)
    };
    let tail = &body[end..];
    if tail.starts_with(['e', 'E']) {
        let signed = 1 + usize::from(tail[1..].starts_with(['-', '+']));
        let digits = tail[signed..].find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len() - signed);
        if digits > 0 {
            end += signed + digits;
        }
    }
    let number = &body[..end];
    let value: f64 = number.parse().ok()?;
    let unit = body[end..].trim_start();
    let unit_start = trimmed.len() - unit.len();
    Some(Part { number, value, unit, at: start..trimmed.len(), unit_at: unit_start..trimmed.len() })
}

/// `number` × `size`, rounded to the nearest whole, halves up; exact where the number is a plain decimal.
fn scaled(number: &str, value: f64, size: u64) -> u128 {
    let plain = number.trim_start_matches('+');
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let digits = format!("{whole}{fraction}");
    if digits.len() <= 18 && fraction.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit()) {
        let scale = (0..fraction.len()).fold(1u128, |scale, _| scale * 10);
        let mantissa: u128 = digits.parse().unwrap_or(0);
        return (mantissa * u128::from(size) + scale / 2) / scale;
    }
    // `as` saturates, and a number this large is over every limit.
    (value * size as f64).round() as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_exactly() {
        let nanos = |text: &str| span(text).unwrap().as_nanos();
        assert_eq!(nanos("250ms"), 250_000_000);
        assert_eq!(nanos("1h 30m"), 5_400_000_000_000);
        assert_eq!(nanos("1h30m"), 5_400_000_000_000);
        assert_eq!(nanos("5us") + nanos("1 µs"), 6_000);
        assert_eq!(nanos("1.5d"), 129_600_000_000_000);
        assert_eq!(nanos("10y"), 315_576_000_000_000_000);
        assert_eq!(nanos("12month"), nanos("1y"));
        assert_eq!(nanos("1y 1ns"), 31_557_600_000_000_001);
        assert_eq!(nanos("1e3s"), 1_000_000_000_000);
        assert_eq!(span("500y").unwrap(), Span::HORIZON_MAX);
        assert_eq!(seconds("1000y").unwrap(), 31_557_600_000.0);
        assert_eq!(seconds("20ms").unwrap(), 0.02);
    }

    #[test]
    fn wrong_times_say_what_is_wrong_and_where() {
        let wrong = |text: &str| span(text).unwrap_err();
        assert_eq!(wrong("5").message, "time needs a unit");
        assert_eq!(wrong("-5s").message, "a length of time cannot be negative");
        assert_eq!(wrong("nan s").message, "not a number");
        assert_eq!(wrong("").message, "no time is given");
        assert_eq!(wrong("1h 5sek").range, 4..7);
        assert_eq!(wrong("1h 5sek").nearest, Some("sec"));
        assert_eq!(wrong("soon").message, "`soon` is not a time");
        assert_eq!(wrong("1e300y").expected, "at most `500y`");
        assert_eq!(wrong("500y 1ns").expected, "at most `500y`");
        assert!(seconds("1e308y").is_err());
    }

    #[test]
    fn the_other_quantities() {
        assert_eq!(rate("200/s"), Ok(200.0));
        assert_eq!(rate("3/year"), Ok(3.0 / 31_557_600.0));
        assert_eq!(rate("0.5 / h"), Ok(0.5 * 1e9 / 3_600e9));
        assert_eq!(rate("1/fortnight").unwrap_err().message, "`fortnight` is not a unit of time");
        assert_eq!(rate("-1/s").unwrap_err().message, "a rate cannot be negative");
        assert_eq!(rate("NaN/s").unwrap_err().message, "not a number");
        assert_eq!(rate("5").unwrap_err().nearest, Some("/s"));
        assert_eq!(fraction("0.1%"), Ok(0.001));
        assert_eq!(fraction("50ppm"), Ok(5e-5));
        assert_eq!(fraction("0.001"), Ok(0.001));
        assert!(fraction("5s").is_err());
        assert_eq!(size("1MiB"), Ok(1_048_576.0));
        assert_eq!(size("100kB"), Ok(100_000.0));
        assert_eq!(size("100kb").unwrap_err().nearest, Some("kB"));
        assert_eq!(bandwidth("10Mbit/s"), Ok(1_250_000.0));
        assert_eq!(bandwidth("1MB/s"), Ok(1_000_000.0));
        assert_eq!(bandwidth("1MB").unwrap_err().nearest, Some("MB/s"));
    }
}
