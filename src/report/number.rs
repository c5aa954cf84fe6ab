//! Numbers as people read them: with their interval, in as many digits as it supports, and in everyday units.

/// Seconds in a year of 365.25 days.
const YEAR: f64 = 31_557_600.0;

/// An integer in superscript digits, for powers of ten.
pub(crate) fn superscript(value: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = |c: char| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    value.to_string().chars().map(digit).collect()
}

/// A number in its shortest plain decimals, without an exponent.
pub(crate) fn decimal(value: f64) -> String {
    format!("{value}")
}

/// Decimal exponent of the leading digit; 0 for zero.
fn exponent(value: f64) -> i32 {
    let text = format!("{value:e}");
    text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0)
}

/// A number in `places` decimals of the given power of ten: `1.23e-4`, or plain where `power` is 0.
fn scaled(value: f64, power: i32, places: usize) -> String {
    let shifted = shift(value, -power);
    let text = format!("{shifted:.places$}");
    let text = if text.trim_start_matches(['-', '0', '.']).is_empty() { text.replace('-', "") } else { text };
    if power == 0 { text } else { format!("{text}e{power}") }
}

/// Times ten to the `by`, by way of the decimal text, so that 1.25e-4 becomes exactly 1.25.
fn shift(value: f64, by: i32) -> f64 {
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let exponent: i32 = exponent.parse().expect("an exponent is an integer");
            format!("{digits}e{}", exponent + by).parse().expect("a number in digits")
        }
        None => value,
    }
}

/// The power of ten to factor out: none where the number reads well in plain decimals.
fn power_for(value: f64) -> i32 {
    let exponent = exponent(value);
    if value == 0.0 || (-3..6).contains(&exponent) { 0 } else { exponent }
}

/// A number in `digits` significant digits: `0.00123`, `1.23e-4`.
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let rounded: f64 = format!("{value:.*e}", digits.saturating_sub(1)).parse().expect("a number in digits");
    let power = power_for(rounded);
    let places = (digits as i32 - 1 - exponent(rounded) + power).max(0) as usize;
    scaled(rounded, power, places)
}

/// An estimate with its interval, in as many digits as the interval supports: two digits of its half width where that
/// starts with 1 or 2, otherwise one (the rule of the Particle Data Group, rounded). Written `1.23e-4 ±0.05e-4`, or
/// `0.120 [0.110, 0.190]` where the sides differ by more than a fifth.
///
/// ```
/// use failsim::report::number::with_interval;
/// assert_eq!(with_interval(1.234e-4, 1.184e-4, 1.286e-4), "1.23e-4 ±0.05e-4");
/// assert_eq!(with_interval(0.12, 0.11, 0.19), "0.12 [0.11, 0.19]");
/// // Of few events the interval is much wider than the estimate, or has no upper end.
/// assert_eq!(with_interval(119.3, 1.23, 2.96e7), "120 [1.2, 3.0e7]");
/// assert_eq!(with_interval(2.67, 0.31, f64::INFINITY), "2.67 [0.31, ∞)");
/// assert_eq!(with_interval(0.0, 0.0, f64::INFINITY), "none seen");
/// ```
pub fn with_interval(estimate: f64, low: f64, high: f64) -> String {
    let half = (high - low) / 2.0;
    if high == f64::INFINITY && low.is_finite() {
        // So few events give no upper limit.
        if estimate == 0.0 {
            return "none seen".to_owned();
        }
        return format!("{} [{}, ∞)", significant(estimate, 3), significant(low, 2));
    }
    if !(estimate.is_finite() && half.is_finite()) {
        return format!("{} [{}, {}]", significant(estimate, 3), significant(low, 3), significant(high, 3));
    }
    if half <= 0.0 {
        return significant(estimate, 4);
    }
    if low >= 0.0 && high > 4.0 * estimate && estimate > 0.0 {
        // The digits that the half width supports would not show the estimate.
        let ends = [estimate, low, high].map(|value| significant(value, 2));
        return format!("{} [{}, {}]", ends[0], ends[1], ends[2]);
    }
    let digits = if format!("{half:e}").starts_with(['1', '2']) { 1 } else { 0 };
    let power = power_for(libm::fmax(estimate.abs(), half));
    let places = (digits - exponent(half) + power).max(0) as usize;
    let (above, below) = (high - estimate, estimate - low);
    if (above - below).abs() <= 0.2 * half {
        format!("{} ±{}", scaled(estimate, power, places), scaled(half, power, places))
    } else {
        let show = |value| scaled(value, power, places);
        format!("{} [{}, {}]", show(estimate), show(low), show(high))
    }
}

/// An upper bound for something never seen, in two digits rounded up so that it stays a bound.
///
/// ```
/// use failsim::report::number::upper_bound;
/// assert_eq!(upper_bound(2.9956e-4), "< 3.0e-4");
/// assert_eq!(upper_bound(3.01e-4), "< 3.1e-4");
/// ```
pub fn upper_bound(high: f64) -> String {
    if !high.is_finite() || high <= 0.0 {
        return format!("< {high}");
    }
    let shown: f64 = format!("{high:.1e}").parse().expect("a number in digits");
    let shown = if shown < high {
        shift(shift(shown, 1 - exponent(shown)) + 1.0, exponent(shown) - 1)
    } else {
        shown
    };
    format!("< {}", significant(shown, 2))
}

/// An unavailability as nines of availability: 1e-4 is `4.0 nines`.
pub fn nines(unavailability: f64) -> String {
    if unavailability <= 0.0 {
        return "no downtime seen".to_owned();
    }
    format!("{:.1} nines", libm::fmax(0.0, -libm::log10(unavailability)))
}

/// An unavailability as minutes in 30 days.
pub fn minutes_in_30_days(unavailability: f64) -> String {
    format!("{} min in 30 d", significant(unavailability * 43_200.0, 3))
}

/// An unavailability as hours in a year.
pub fn hours_a_year(unavailability: f64) -> String {
    format!("{} h/yr", significant(unavailability * YEAR / 3600.0, 3))
}

/// A length of time in its two largest units: 7160 s is `1h 59m`.
///
/// ```
/// use failsim::report::number::duration;
/// assert_eq!(duration(7160.0), "1h 59m");
/// assert_eq!(duration(0.25), "250ms");
/// assert_eq!(duration(7.5), "7.5s");
/// ```
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "unbounded".to_owned();
    }
    let size = seconds.abs();
    let sign = if seconds < 0.0 { "-" } else { "" };
    let small = |value: f64, unit: &str| format!("{sign}{}{unit}", decimal_of(value));
    if size == 0.0 {
        return "0s".to_owned();
    }
    if size < 0.999_5e-3 {
        return small(size * 1e6, "µs");
    }
    if size < 0.999_5 {
        return small(size * 1e3, "ms");
    }
    if size < 59.95 {
        return small(size, "s");
    }
    // Rounded to the smaller of two units before it is split, so that 59 m 60 s cannot appear.
    const PAIRS: [(f64, &str, f64, &str); 4] = [
        (60.0, "m", 1.0, "s"),
        (3600.0, "h", 60.0, "m"),
        (86_400.0, "d", 3600.0, "h"),
        (YEAR, "yr", 86_400.0, "d"),
    ];
    let mut chosen = PAIRS[0];
    for pair in PAIRS {
        if libm::rint(size / chosen.2) * chosen.2 >= pair.0 {
            chosen = pair;
        }
    }
    let (unit, name, part, part_name) = chosen;
    let mut whole = libm::floor(size / unit);
    let mut rest = libm::rint((size - whole * unit) / part);
    if rest * part >= unit {
        (whole, rest) = (whole + 1.0, 0.0);
    }
    if rest == 0.0 {
        format!("{sign}{whole}{name}")
    } else {
        format!("{sign}{whole}{name} {rest}{part_name}")
    }
}

/// A length of time that something stays below, rounded up: to three digits below a minute, then to seconds below an
/// hour, minutes below ten days, hours below a year, days beyond. One rule for all of them keeps their order: what stays
/// below a bound is never shown as more than the bound.
///
/// ```
/// use failsim::report::number::duration_at_most;
/// assert_eq!(duration_at_most(88_200.0), "1d 30m");
/// assert_eq!(duration_at_most(88_201.0), "1d 31m");
/// assert_eq!(duration_at_most(0.05), "50ms");
/// ```
pub fn duration_at_most(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 60.0 {
        // Three digits may have rounded down; then one more in the last of them.
        let shown = duration(seconds);
        let digit = shift(1.0, exponent(seconds) - 2);
        let is_below = |shown: f64| shown < seconds * (1.0 - 1e-12);
        let rounded: f64 = format!("{seconds:.2e}").parse().expect("a number in digits");
        return if seconds.is_finite() && is_below(rounded) { duration(rounded + digit) } else { shown };
    }
    let step = match seconds {
        _ if seconds < 3600.0 => 1.0,
        _ if seconds < 864_000.0 => 60.0,
        _ if seconds < YEAR => 3600.0,
        _ => return duration(libm::ceil(seconds / 86_400.0) * 86_400.0),
    };
    // Rounding errors of a nanosecond are none.
    let mut rest = libm::ceil((seconds - 1e-9) / step) * step;
    const UNITS: [(f64, &str); 4] = [(86_400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s")];
    let mut parts = Vec::new();
    for (unit, name) in UNITS {
        let count = libm::floor(rest / unit);
        rest -= count * unit;
        if count > 0.0 {
            parts.push(format!("{count}{name}"));
        }
    }
    parts.join(" ")
}

/// Three significant digits without trailing zeros, never an exponent.
fn decimal_of(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().expect("a number in digits");
    decimal(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_interval() {
        assert_eq!(with_interval(1.0, 0.5, 1.5), "1.0 ±0.5");
        assert_eq!(with_interval(123.456, 123.406, 123.506), "123.46 ±0.05");
        assert_eq!(with_interval(123.456, 113.0, 134.0), "123 ±10");
        assert_eq!(with_interval(1234.0, 900.0, 1568.0), "1234 ±334");
        assert_eq!(with_interval(0.0, 0.0, 1e-5), "0e-6 [0e-6, 10e-6]");
    }

    #[test]
    fn a_certain_number_has_no_interval() {
        assert_eq!(with_interval(0.5, 0.5, 0.5), "0.5000");
    }

    #[test]
    fn bounds_are_rounded_up() {
        for bound in [1e-9, 2.9956e-4, 3.000001e-4, 0.0951, 0.99999, 12.3, 9.96] {
            let shown: f64 = upper_bound(bound).trim_start_matches("< ").parse().unwrap();
            assert!(shown >= bound, "{shown} < {bound}");
            assert!(shown <= bound * 1.11, "{shown} is far above {bound}");
        }
    }

    #[test]
    fn significant_digits() {
        assert_eq!(significant(0.001_234_5, 3), "0.00123");
        assert_eq!(significant(0.000_123_45, 3), "1.23e-4");
        assert_eq!(significant(99.96, 3), "100");
        assert_eq!(significant(0.0, 3), "0.00");
        assert_eq!(significant(1_234_567.0, 3), "1.23e6");
    }

    #[test]
    fn everyday_units() {
        assert_eq!(nines(1e-4), "4.0 nines");
        assert_eq!(minutes_in_30_days(1e-4), "4.32 min in 30 d");
        assert_eq!(hours_a_year(1e-4), "0.877 h/yr");
    }

    #[test]
    fn durations_never_show_sixty() {
        assert_eq!(duration(59.96), "1m");
        assert_eq!(duration(3599.9), "1h");
        assert_eq!(duration(86_399.0), "1d");
        assert_eq!(duration(90.0), "1m 30s");
        assert_eq!(duration(93_600.0), "1d 2h");
        assert_eq!(duration(2.0 * YEAR), "2yr");
        assert_eq!(duration(3.2e-6), "3.2µs");
    }

    #[test]
    fn what_stays_below_is_never_rounded_down() {
        for (seconds, wanted) in [
            (88_200.0, "1d 30m"),
            (88_200.5, "1d 31m"),
            (86_400.0, "1d"),
            (86_401.0, "1d 1m"),
            (541_300.0, "6d 6h 22m"),
            (900_001.0, "10d 11h"),
            (3_661.0, "1h 2m"),
            (65.0, "1m 5s"),
            (65.2, "1m 6s"),
            (59.97, "1m"),
            (6.0, "6s"),
            (1.2341, "1.24s"),
            (0.05, "50ms"),
            (0.050_01, "50.1ms"),
            (0.999_9, "1s"),
            (1.5 * YEAR, "1yr 183d"),
            (f64::INFINITY, "unbounded"),
        ] {
            assert_eq!(duration_at_most(seconds), wanted, "{seconds}");
        }
    }
}
