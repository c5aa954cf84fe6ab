//! Small phrases that sentences and tables share.

use crate::report::number::significant;

/// `a`, `a and b`, `a, b and c`.
pub(super) fn join(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// With its first letter as a capital.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

/// How much more `value` is than `base`, both above zero: `3 % more`, `2.4 times as much`.
pub(super) fn more(value: f64, base: f64) -> String {
    let ratio = value / base;
    if ratio < 1.095 {
        format!("{} % more", significant(100.0 * (ratio - 1.0), if ratio < 1.01 { 1 } else { 2 }))
    } else {
        format!("{}× as much", significant(ratio, 2))
    }
}

/// A cause of downtime in words.
pub(super) fn cause(name: &str) -> String {
    match name {
        "detect" => "detection",
        "fence" => "fencing",
        "elect" => "election",
        "promote" => "promotion",
        "redirect" => "redirection",
        "reconnect" => "reconnection",
        "warm" => "warm-up",
        "no_spare" => "lack of a spare",
        "no_quorum" => "lack of a quorum",
        "planned" => "planned work",
        "human" => "people",
        other => other,
    }
    .replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_near_one_are_told_in_percent() {
        assert_eq!(more(1.004, 1.0), "0.4 % more");
        assert_eq!(more(1.041, 1.0), "4.1 % more");
        assert_eq!(more(1.5, 1.0), "1.5× as much");
        assert_eq!(more(310.0, 1.0), "310× as much");
    }

    #[test]
    fn lists_read_as_lists() {
        assert_eq!(join(&["a"]), "a");
        assert_eq!(join(&["a", "b", "c"]), "a, b and c");
    }
}
