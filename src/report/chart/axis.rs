//! Scales, ticks and their texts.

use crate::report::number::{decimal, superscript};

/// How values become distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Equal differences are equally far apart.
    #[default]
    Linear,
    /// Equal ratios are equally far apart; only positive values can be shown.
    Log,
}

/// Where an axis is ticked.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Ticks {
    /// Decades on a log axis, round numbers on a linear one.
    #[default]
    Numbers,
    /// Values are seconds; ticks read `10 ms`, `1 min`, `1 h`, `1 d`.
    Durations,
    /// These values with these texts.
    Given(Vec<(f64, String)>),
}

/// A second reading of the vertical axis in a person's units, drawn to its left.
#[derive(Debug, Clone, PartialEq)]
pub struct Twin {
    /// What is read, with its unit.
    pub label: String,
    /// Values of the main axis and what they read as; those outside the axis are left out.
    pub ticks: Vec<(f64, String)>,
}

impl Twin {
    /// A share of time read as time in a year of 365.25 days.
    pub fn time_per_year() -> Self {
        let year = 31_557_600.0;
        let steps = [
            (0.001, "1 ms"),
            (0.01, "10 ms"),
            (0.1, "100 ms"),
            (1.0, "1 s"),
            (10.0, "10 s"),
            (60.0, "1 min"),
            (600.0, "10 min"),
            (3600.0, "1 h"),
            (36_000.0, "10 h"),
            (345_600.0, "4 d"),
            (3_456_000.0, "40 d"),
        ];
        let ticks = steps.iter().map(|(seconds, text)| (seconds / year, (*text).to_owned())).collect();
        Self { label: "time per year".to_owned(), ticks }
    }

    /// Unavailability read as nines of availability.
    pub fn nines() -> Self {
        let ticks = (1..=12_i32).map(|n| (libm::pow(10.0, f64::from(-n)), n.to_string())).collect();
        Self { label: "nines".to_owned(), ticks }
    }
}

/// One axis of a chart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// Where it is ticked.
    pub ticks: Ticks,
}

impl Axis {
    /// A logarithmic axis ticked at decades.
    pub fn log(label: &str) -> Self {
        Self { label: label.to_owned(), scale: Scale::Log, ticks: Ticks::Numbers }
    }

    /// A linear axis ticked at round numbers.
    pub fn linear(label: &str) -> Self {
        Self { label: label.to_owned(), scale: Scale::Linear, ticks: Ticks::Numbers }
    }

    /// The same axis with other ticks.
    #[must_use]
    pub fn ticked(self, ticks: Ticks) -> Self {
        Self { ticks, ..self }
    }

    /// Whether the axis can show this value at all.
    pub(super) fn shows(&self, value: f64) -> bool {
        value.is_finite() && (self.scale == Scale::Linear || value > 0.0)
    }
}

/// An axis with its range and the pixels it runs between.
#[derive(Debug, Clone)]
pub(super) struct Ruler {
    scale: Scale,
    pub(super) low: f64,
    pub(super) high: f64,
    from: f64,
    to: f64,
}

impl Ruler {
    /// Fits the values, with a little air at both ends; a linear axis that comes near zero starts there.
    pub(super) fn fit(scale: Scale, values: impl IntoIterator<Item = f64>, air: f64) -> Self {
        let usable =
            values.into_iter().filter(|value| value.is_finite() && (scale == Scale::Linear || *value > 0.0));
        let (mut low, mut high) = usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (libm::fmin(low, v), libm::fmax(high, v))
        });
        if low > high {
            (low, high) = (1.0, 10.0);
        }
        match scale {
            Scale::Log => {
                if high / low < 2.0 {
                    (low, high) = (low / 1.6, high * 1.6);
                }
                let margin = libm::pow(high / low, air);
                (low, high) = (low / margin, high * margin);
            }
            Scale::Linear => {
                if low == high {
                    (low, high) = if low == 0.0 {
                        (0.0, 1.0)
                    } else {
                        (low - low.abs() / 2.0, high + high.abs() / 2.0)
                    };
                }
                let margin = (high - low) * air;
                let floor = if low >= 0.0 && low - margin < 0.35 * high { 0.0 } else { low - margin };
                (low, high) = (floor, high + margin);
            }
        }
        Self { scale, low, high, from: 0.0, to: 1.0 }
    }

    /// Reaches for a labelled tick just outside: the reader gets one more line to hold on to for little room.
    pub(super) fn reaching_ticks(self, ticks: &Ticks) -> Self {
        if self.scale != Scale::Log {
            return self;
        }
        let candidates: Vec<f64> = match ticks {
            Ticks::Given(_) => return self,
            Ticks::Durations => {
                durations(Scale::Log, self.high).into_iter().map(|(value, _)| value).collect()
            }
            Ticks::Numbers => {
                let exponent = |value| libm::floor(libm::log10(value)) as i32;
                (exponent(self.low)..=exponent(self.high) + 1).map(|exponent| power(1, exponent)).collect()
            }
        };
        let low = candidates.iter().copied().find(|tick| *tick <= self.low && *tick * 2.0 >= self.low);
        let high = candidates.iter().copied().find(|tick| *tick >= self.high && *tick <= self.high * 1.6);
        Self { low: low.unwrap_or(self.low), high: high.unwrap_or(self.high), ..self }
    }

    /// The same range between two positions in pixels.
    pub(super) fn between(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    /// Position of a value in pixels.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => libm::log10(value / self.low) / libm::log10(self.high / self.low),
        };
        self.from + share * (self.to - self.from)
    }

    /// Position of a value that may lie outside: what cannot be shown stands at the low end.
    pub(super) fn clamped(&self, value: f64) -> f64 {
        self.at(libm::fmax(self.low, libm::fmin(self.high, value)))
    }

    pub(super) fn holds(&self, value: f64) -> bool {
        let slack = if self.scale == Scale::Log { self.low * 1e-9 } else { (self.high - self.low) * 1e-9 };
        value >= self.low - slack && value <= self.high * (1.0 + 1e-9)
    }

    /// Labelled ticks, then unlabelled ones.
    pub(super) fn ticks(&self, wanted: &Ticks) -> (Vec<(f64, String)>, Vec<f64>) {
        let inside =
            |ticks: Vec<(f64, String)>| ticks.into_iter().filter(|(value, _)| self.holds(*value)).collect();
        match (wanted, self.scale) {
            (Ticks::Given(ticks), _) => (inside(ticks.clone()), Vec::new()),
            (Ticks::Durations, _) => (thin(inside(durations(self.scale, self.high))), Vec::new()),
            (Ticks::Numbers, Scale::Log) => self.decades(),
            (Ticks::Numbers, Scale::Linear) => (self.round_numbers(), Vec::new()),
        }
    }

    fn decades(&self) -> (Vec<(f64, String)>, Vec<f64>) {
        let exponents =
            (libm::floor(libm::log10(self.low)) as i32, libm::ceil(libm::log10(self.high)) as i32);
        let all = |digits: &[u32]| -> Vec<(f64, i32, u32)> {
            let values = (exponents.0..=exponents.1).flat_map(|exponent| {
                digits.iter().map(move |digit| (power(*digit, exponent), exponent, *digit))
            });
            values.filter(|(value, ..)| self.holds(*value)).collect()
        };
        let count = all(&[1]).len();
        // Fewer than three decades in sight do not give a reader a hold: label twos and fives too.
        let digits: &[u32] = match count {
            0 | 1 => &[1, 2, 3, 5, 7],
            2 => &[1, 2, 5],
            _ => &[1],
        };
        let every = if count > 9 { 2 } else { 1 };
        let labelled: Vec<_> =
            all(digits).into_iter().filter(|(_, exponent, _)| exponent.rem_euclid(every) == 0).collect();
        let plain = labelled.iter().all(|(value, ..)| (0.0009..20_000.0).contains(value));
        let texts = labelled.iter().map(|(value, exponent, digit)| {
            let text = match (plain, *digit) {
                (true, _) => decimal(*value),
                (false, 1) => format!("10{}", superscript(*exponent)),
                (false, digit) => format!("{digit}·10{}", superscript(*exponent)),
            };
            (*value, text)
        });
        let minor = all(&[1, 2, 3, 4, 5, 6, 7, 8, 9]).into_iter().map(|(value, ..)| value);
        (
            texts.collect(),
            minor.filter(|_| count <= 9 && (self.to - self.from).abs() > 36.0 * count as f64).collect(),
        )
    }

    fn round_numbers(&self) -> Vec<(f64, String)> {
        let rough = (self.high - self.low) / 5.0;
        let exponent = libm::floor(libm::log10(rough)) as i32;
        let steps = [(1, exponent), (2, exponent), (5, exponent), (1, exponent + 1)];
        let step = steps.into_iter().find(|(digit, exponent)| power(*digit, *exponent) >= rough * 0.999);
        let (digit, exponent) = step.unwrap_or(steps[3]);
        let step = power(digit, exponent);
        let first = libm::ceil(self.low / step - 1e-9) as i64;
        let last = libm::floor(self.high / step + 1e-9) as i64;
        let places = usize::try_from(-exponent).unwrap_or(0);
        (first..=last).map(|n| (n as f64 * step, format!("{:.places$}", n as f64 * step))).collect()
    }
}

/// `digit` times ten to the `exponent`, as exact as the decimal text.
fn power(digit: u32, exponent: i32) -> f64 {
    format!("{digit}e{exponent}").parse().expect("a number in digits")
}

fn durations(scale: Scale, high: f64) -> Vec<(f64, String)> {
    const UNITS: [(f64, &str); 7] = [
        (1e-6, "µs"),
        (1e-3, "ms"),
        (1.0, "s"),
        (60.0, "min"),
        (3600.0, "h"),
        (86_400.0, "d"),
        (31_557_600.0, "yr"),
    ];
    let tick = |count: f64, (size, unit): (f64, &str)| (count * size, format!("{} {unit}", decimal(count)));
    if scale == Scale::Linear {
        let unit = UNITS.into_iter().rev().find(|(size, _)| high >= 2.0 * size).unwrap_or(UNITS[0]);
        let ruler = Ruler { scale, low: 0.0, high: high / unit.0, from: 0.0, to: 1.0 };
        return ruler.round_numbers().into_iter().map(|(count, _)| tick(count, unit)).collect();
    }
    let mut ticks = Vec::new();
    for (index, unit) in UNITS.into_iter().enumerate() {
        let end = UNITS.get(index + 1).map_or(f64::INFINITY, |(size, _)| *size);
        let counts = [1.0, 10.0, 100.0].into_iter().filter(|count| count * unit.0 < 0.9 * end);
        ticks.extend(counts.map(|count| tick(count, unit)));
    }
    ticks
}

/// Drops ticks until at most nine are left, so that their texts stay apart.
fn thin(ticks: Vec<(f64, String)>) -> Vec<(f64, String)> {
    let every = ticks.len().div_ceil(9).max(1);
    ticks.into_iter().step_by(every).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scale: Scale, low: f64, high: f64, ticks: &Ticks) -> Vec<String> {
        Ruler { scale, low, high, from: 0.0, to: 900.0 }
            .ticks(ticks)
            .0
            .into_iter()
            .map(|(_, text)| text)
            .collect()
    }

    #[test]
    fn small_decades_are_powers_of_ten() {
        assert_eq!(texts(Scale::Log, 5e-7, 2e-3, &Ticks::Numbers), ["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³"]);
    }

    #[test]
    fn everyday_decades_are_plain_numbers() {
        assert_eq!(texts(Scale::Log, 9.0, 1100.0, &Ticks::Numbers), ["10", "100", "1000"]);
    }

    #[test]
    fn less_than_three_decades_show_twos_and_fives() {
        assert_eq!(texts(Scale::Log, 0.8, 12.0, &Ticks::Numbers), ["1", "2", "5", "10"]);
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(
            texts(Scale::Linear, 0.0, 1.0, &Ticks::Numbers),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(texts(Scale::Linear, 0.0, 43.0, &Ticks::Numbers), ["0", "10", "20", "30", "40"]);
    }

    #[test]
    fn durations_read_as_people_say_them() {
        let wanted = ["100 ms", "1 s", "10 s", "1 min", "10 min", "1 h", "10 h", "1 d"];
        assert_eq!(texts(Scale::Log, 0.05, 100_000.0, &Ticks::Durations), wanted);
    }

    #[test]
    fn a_log_ruler_puts_equal_ratios_equally_far_apart() {
        let ruler = Ruler::fit(Scale::Log, [1.0, 100.0], 0.0).between(0.0, 200.0);
        assert!((ruler.at(10.0) - 100.0).abs() < 1e-9);
        assert_eq!(ruler.clamped(0.0), 0.0);
    }
}
