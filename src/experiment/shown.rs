//! How a measure stands in tables and charts for people: its heading, its unit, and what turns the recorded figure into
//! that unit. Availabilities are shown as the time without, for that is what differs.

use crate::measure;
use crate::record::Estimate;

/// A measure for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Heading.
    pub name: String,
    /// Unit; empty for plain numbers.
    pub unit: &'static str,
    factor: f64,
    is_complement: bool,
}

/// Hours in a year of 365.25 days.
const HOURS: f64 = 8766.0;

/// How a measure is shown; its name may have a group in front.
pub fn shown(column: &str) -> Shown {
    let (group, name) = column.rsplit_once('.').map_or((None, column), |(group, name)| (Some(group), name));
    let as_is = |name: &str, unit| (name.to_owned(), unit, 1.0, false);
    let (words, unit, factor, is_complement) = match name {
        "safe_availability" => ("not safely up".to_owned(), "h/yr", HOURS, true),
        "availability" => ("not up".to_owned(), "h/yr", HOURS, true),
        "write_availability" => ("no writes".to_owned(), "h/yr", HOURS, true),
        "read_availability" => ("no reads".to_owned(), "h/yr", HOURS, true),
        "unavailability" => ("down".to_owned(), "h/yr", HOURS, false),
        "downtime" => ("down".to_owned(), "h/yr", 1.0 / 3600.0, false),
        "split_brain_time" => as_is("split brain", "s/yr"),
        "lost_rate" => as_is("writes lost", "/yr"),
        "overwritten_rate" => as_is("writes overwritten", "/yr"),
        "loss_age_max" => as_is("oldest lost", "s"),
        "annual_cost" => as_is("cost", "currency/yr"),
        _ => {
            let unit = match measure::find(name).map_or("", |measure| measure.unit) {
                "1" => "",
                "1/yr" => "/yr",
                "1/s" => "/s",
                other => other,
            };
            let words = name.strip_suffix("_rate").filter(|_| unit.starts_with('/')).unwrap_or(name);
            as_is(&words.replace('_', " "), unit)
        }
    };
    let name = group.map_or(words.clone(), |group| format!("{group}: {words}"));
    Shown { name, unit, factor, is_complement }
}

impl Shown {
    /// The figure in this unit.
    pub fn of(&self, estimate: Estimate) -> Estimate {
        let value = |value: f64| {
            if self.is_complement { libm::fmax(0.0, 1.0 - value) * self.factor } else { value * self.factor }
        };
        let (low, high) = match self.is_complement {
            true => (estimate.high, estimate.low),
            false => (estimate.low, estimate.high),
        };
        Estimate { estimate: value(estimate.estimate), low: low.map(value), high: high.map(value) }
    }

    /// A difference of recorded figures in this unit, with its interval.
    pub fn difference(&self, (difference, low, high): (f64, f64, f64)) -> (f64, f64, f64) {
        let f = self.factor;
        if self.is_complement {
            (-difference * f, -high * f, -low * f)
        } else {
            (difference * f, low * f, high * f)
        }
    }

    /// Name and unit: `down, h/yr`.
    pub fn heading(&self) -> String {
        if self.unit.is_empty() { self.name.clone() } else { format!("{}, {}", self.name, self.unit) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn availability_is_shown_as_the_time_without() {
        let shown = shown("safe_availability");
        assert_eq!(shown.heading(), "not safely up, h/yr");
        let found = shown.of(Estimate::seen(0.75, 0.5, 1.0));
        assert_eq!(found, Estimate::seen(0.25 * 8766.0, 0.0, 0.5 * 8766.0));
        assert_eq!(shown.difference((0.5, 0.25, 0.75)), (-4383.0, -6574.5, -2191.5));
    }

    #[test]
    fn other_measures_are_shown_under_their_own_names() {
        assert_eq!(shown("false_failover_rate").heading(), "false failover, /yr");
        assert_eq!(shown("failover_time_mean").heading(), "failover time mean, s");
        assert_eq!(shown("store.lost_rate").heading(), "store: writes lost, /yr");
    }
}
