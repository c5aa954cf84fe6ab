//! Simulated time: integer nanoseconds, checked.
//!
//! [`Instant`] is a point on the one true time axis of a run, [`Span`] a length of time. Both are unsigned
//! nanoseconds. Floats become spans in exactly one place, [`Span::from_secs`], which states its rounding.
//! There is no wall clock here and no calendar: a year is 365.25 days, a month a twelfth of it.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// Nanoseconds in a second.
pub const NANOS_PER_SEC: u64 = 1_000_000_000;
/// Seconds in a year of 365.25 days.
pub const SECS_PER_YEAR: f64 = 31_557_600.0;

/// A length of simulated time in nanoseconds; [`Span::NEVER`] means "does not end".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

/// A point of simulated time: nanoseconds since the start of the run; [`Instant::NEVER`] lies after every horizon.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

/// Why a number is not a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanError {
    /// Not a number.
    NotANumber,
    /// Below zero.
    Negative,
    /// Longer than the longest horizon (500 years).
    TooLong,
}

impl fmt::Display for SpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SpanError::NotANumber => "not a number",
            SpanError::Negative => "a length of time cannot be negative",
            SpanError::TooLong => "longer than 500 years, the longest time a run can hold",
        })
    }
}

impl std::error::Error for SpanError {}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// Longer than any run: "does not happen".
    pub const NEVER: Span = Span(u64::MAX);
    /// The longest horizon: 500 years of 365.25 days.
    pub const HORIZON_MAX: Span = Span(500 * 31_557_600 * NANOS_PER_SEC);

    /// A span of whole nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Span {
        Span(nanos)
    }

    /// A span of whole milliseconds; saturates to [`Span::NEVER`].
    pub const fn from_millis(millis: u64) -> Span {
        Span(millis.saturating_mul(1_000_000))
    }

    /// A span of whole seconds; saturates to [`Span::NEVER`].
    pub const fn from_whole_secs(secs: u64) -> Span {
        Span(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// Rounds `secs` to the nearest nanosecond (halves away from zero).
    ///
    /// # Errors
    /// NaN, negative numbers and anything above [`Span::HORIZON_MAX`] are refused.
    ///
    /// ```
    /// use failsim::engine::time::Span;
    /// assert_eq!(Span::from_secs(0.25).unwrap(), Span::from_millis(250));
    /// assert!(Span::from_secs(f64::NAN).is_err());
    /// ```
    pub fn from_secs(secs: f64) -> Result<Span, SpanError> {
        if secs.is_nan() {
            return Err(SpanError::NotANumber);
        }
        if secs < 0.0 {
            return Err(SpanError::Negative);
        }
        let span = Span::from_secs_saturating(secs);
        if span > Span::HORIZON_MAX {
            return Err(SpanError::TooLong);
        }
        Ok(span)
    }

    /// As [`Span::from_secs`] for *sampled* values, where too long means "never" and is no error.
    ///
    /// Rounds to the nearest nanosecond; a NaN or negative value is a bug of the caller and becomes zero.
    pub fn from_secs_saturating(secs: f64) -> Span {
        let nanos = secs * 1e9;
        if nanos >= Span::HORIZON_MAX.0 as f64 * 1.0001 {
            return Span::NEVER;
        }
        // `as` truncates towards zero and maps NaN and negatives to 0, which is what is promised above. The rest is
        // exact, so this rounds as `f64::round` does, without a call.
        let whole = nanos as u64;
        Span(whole + u64::from(nanos - whole as f64 >= 0.5))
    }

    /// The length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The length in seconds, to double precision.
    pub fn as_secs(self) -> f64 {
        if self == Span::NEVER {
            return f64::INFINITY;
        }
        self.0 as f64 / 1e9
    }

    /// Whether this is [`Span::NEVER`].
    pub const fn is_never(self) -> bool {
        self.0 == u64::MAX
    }

    /// The sum, [`Span::NEVER`] if it does not fit.
    pub const fn saturating_add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }

    /// The difference, zero if `other` is longer.
    pub const fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }

    /// `n` times this span, [`Span::NEVER`] if it does not fit.
    pub const fn times(self, n: u64) -> Span {
        Span(self.0.saturating_mul(n))
    }

    /// This span scaled by a non-negative factor, rounded to the nearest nanosecond, saturating.
    pub fn scaled(self, factor: f64) -> Span {
        if self.is_never() {
            return self;
        }
        Span::from_secs_saturating(self.as_secs() * factor)
    }
}

impl Instant {
    /// The start of a run.
    pub const ZERO: Instant = Instant(0);
    /// After every horizon.
    pub const NEVER: Instant = Instant(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Instant {
        Instant(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, to double precision.
    pub fn as_secs(self) -> f64 {
        Span(self.0).as_secs()
    }

    /// The time from `earlier` to here; zero if `earlier` is later.
    pub const fn since(self, earlier: Instant) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// `span` before this instant; the start of the run if that lies before it.
    pub const fn before(self, span: Span) -> Instant {
        Instant(self.0.saturating_sub(span.0))
    }

    /// Whether this is [`Instant::NEVER`].
    pub const fn is_never(self) -> bool {
        self.0 == u64::MAX
    }
}

/// Saturates at [`Instant::NEVER`]: a sampled time beyond every horizon never comes.
impl Add<Span> for Instant {
    type Output = Instant;
    fn add(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

/// # Panics
/// In every build, if `earlier` is later: two instants the wrong way round are a bug of the program.
impl Sub for Instant {
    type Output = Span;
    fn sub(self, earlier: Instant) -> Span {
        Span(self.0.checked_sub(earlier.0).expect("an earlier instant is subtracted from a later one"))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        self.saturating_add(other)
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As people write it, exact: `1d 2h 3m 4.5s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() {
            return f.write_str("never");
        }
        let mut rest = self.0;
        let mut wrote = false;
        for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
            let size = size * NANOS_PER_SEC;
            if rest >= size {
                if wrote {
                    f.write_str(" ")?;
                }
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
                wrote = true;
            }
        }
        if rest == 0 && wrote {
            return Ok(());
        }
        if wrote {
            f.write_str(" ")?;
        }
        let (whole, fraction) = (rest / NANOS_PER_SEC, rest % NANOS_PER_SEC);
        if fraction == 0 {
            return write!(f, "{whole}s");
        }
        let digits = format!("{fraction:09}");
        write!(f, "{whole}.{}s", digits.trim_end_matches('0'))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Span(self.0), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_become_spans_by_rounding_and_refuse_nonsense() {
        assert_eq!(Span::from_secs(1e-9 * 1.5).unwrap().as_nanos(), 2);
        assert_eq!(Span::from_secs(-0.0).unwrap(), Span::ZERO);
        assert_eq!(Span::from_secs(-1.0), Err(SpanError::Negative));
        assert_eq!(Span::from_secs(f64::INFINITY), Err(SpanError::TooLong));
        assert_eq!(Span::from_secs(501.0 * SECS_PER_YEAR), Err(SpanError::TooLong));
        assert_eq!(Span::from_secs(500.0 * SECS_PER_YEAR).unwrap(), Span::HORIZON_MAX);
        assert!(Span::from_secs_saturating(1e30).is_never());
    }

    #[test]
    fn sums_saturate_at_never() {
        assert!((Instant::from_nanos(5) + Span::NEVER).is_never());
        assert!((Span::NEVER + Span::from_nanos(1)).is_never());
        assert_eq!(Instant::from_nanos(5).before(Span::from_nanos(9)), Instant::ZERO);
    }

    #[test]
    #[should_panic(expected = "earlier instant")]
    fn instants_the_wrong_way_round_are_a_bug() {
        let _ = Instant::ZERO - Instant::from_nanos(1);
    }

    #[test]
    fn spans_read_as_people_write_them() {
        assert_eq!(Span::from_secs(93_784.5).unwrap().to_string(), "1d 2h 3m 4.5s");
        assert_eq!(Span::from_whole_secs(3600).to_string(), "1h");
        assert_eq!(Span::ZERO.to_string(), "0s");
        assert_eq!(Span::NEVER.to_string(), "never");
    }
}
