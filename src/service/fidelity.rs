//! In which form a process runs between two changes of its surroundings, and why: for people who ask.

use crate::engine::time::Span;

/// How a process gets from one observable instant to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Draws the next observable instant, or all that happened up to one, at once.
    Skips,
    /// Goes through its steps one by one, but privately: only what is observable is an event.
    Ahead,
    /// Every step is an event.
    Steps,
    /// The same stepwise and skipping: there is nothing to step through, what is asked for is worked out then.
    One,
}

impl Form {
    /// For tables.
    pub const fn words(self) -> &'static str {
        match self {
            Form::Skips => "skips",
            Form::Ahead => "looks ahead",
            Form::Steps => "steps",
            Form::One => "one form",
        }
    }
}

/// A form, and why it is this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// Which.
    pub form: Form,
    /// Why, in words.
    pub why: String,
}

impl Explained {
    pub(crate) fn new(form: Form, why: impl Into<String>) -> Explained {
        Explained { form, why: why.into() }
    }

    /// Stepwise simulation was asked for.
    pub(crate) fn asked() -> Explained {
        Explained::new(Form::Steps, "stepwise simulation was asked for")
    }
}

/// What to add to the reason where a link has bursts.
pub(crate) const WITH_BURSTS: &str =
    "; the states of the link are read from one path, which all its traffic shares: one stretch for each";

/// A span as people write it, to three digits.
pub(crate) fn shown(span: Span) -> String {
    let secs = span.as_secs();
    let (value, unit) = match secs {
        s if span.is_never() || s >= 1e9 => return "for ever".to_owned(),
        s if s >= 1.0 || s == 0.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 => (s * 1e6, "us"),
        s => (s * 1e9, "ns"),
    };
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {unit}")
}

/// A probability for the same people.
pub(crate) fn shown_probability(p: f64) -> String {
    if p == 0.0 || p >= 1e-3 { format!("{}", (p * 1e4).round() / 1e4) } else { format!("{p:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_probabilities_as_people_write_them() {
        let of = |secs| shown(Span::from_secs_saturating(secs));
        assert_eq!([of(0.0), of(2.0), of(12.34), of(3600.0)], ["0 s", "2 s", "12.3 s", "3600 s"]);
        assert_eq!([of(0.05), of(2e-6), of(3e-9)], ["50 ms", "2 us", "3 ns"]);
        assert_eq!(shown(Span::NEVER), "for ever");
        assert_eq!([0.0, 0.3, 0.001, 1e-5].map(shown_probability), ["0", "0.3", "0.001", "1.0e-5"]);
    }
}
