//! `pairs.csv`: differences between policies that met the same failures, at every point of the axes.
//!
//! Columns: the axes by name, then `policy_a,policy_b,measure,difference,paired_low,paired_high,unpaired_low,
//! unpaired_high,gain`. The difference is b minus a. `gain` says how many times more runs an unpaired comparison would
//! have needed for the same width: the square of the ratio of the two widths; empty where the paired width is zero.
//!
//! A paired interval from 0 to 0 says that the two were equal in every run, not that they always are: a difference that
//! comes in one of so many runs or fewer may not have been met.

use super::{AxisValue, RecordError, csv_text, need_number, number, parse_number};

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// One value per axis.
    pub axes: Vec<AxisValue>,
    /// What is subtracted.
    pub policy_a: String,
    /// What it is subtracted from.
    pub policy_b: String,
    /// The measure compared.
    pub measure: String,
    /// b minus a.
    pub difference: f64,
    /// Lower end of the interval of the differences run by run.
    pub paired_low: f64,
    /// Upper end.
    pub paired_high: f64,
    /// Lower end of the interval as if the runs had been independent.
    pub unpaired_low: f64,
    /// Upper end.
    pub unpaired_high: f64,
}

impl Pair {
    /// How many times more runs would have been needed without pairing.
    pub fn gain(&self) -> Option<f64> {
        let ratio = (self.unpaired_high - self.unpaired_low) / (self.paired_high - self.paired_low);
        Some(ratio * ratio).filter(|gain| gain.is_finite())
    }
}

/// The whole table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pairs {
    /// Names of the axes.
    pub axes: Vec<String>,
    /// Point by point.
    pub rows: Vec<Pair>,
}

const FIXED: [&str; 9] = [
    "policy_a",
    "policy_b",
    "measure",
    "difference",
    "paired_low",
    "paired_high",
    "unpaired_low",
    "unpaired_high",
    "gain",
];

impl Pairs {
    /// The table as it is written to `pairs.csv`.
    pub fn to_csv(&self) -> String {
        let header = self.axes.iter().cloned().chain(FIXED.iter().map(|name| (*name).to_owned())).collect();
        let rows = self.rows.iter().map(|pair| {
            let mut fields: Vec<String> = pair.axes.iter().map(AxisValue::text).collect();
            fields.extend([pair.policy_a.clone(), pair.policy_b.clone(), pair.measure.clone()]);
            let Pair { difference, paired_low, paired_high, unpaired_low, unpaired_high, .. } = *pair;
            fields.extend([difference, paired_low, paired_high, unpaired_low, unpaired_high].map(number));
            fields.push(pair.gain().map(number).unwrap_or_default());
            fields
        });
        csv_text(std::iter::once(header).chain(rows))
    }

    /// Reads what [`to_csv`](Self::to_csv) wrote.
    ///
    /// # Errors
    /// Where a column is missing or a field is not what its column holds.
    pub fn from_csv(text: &str) -> Result<Self, RecordError> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        let start = header.len().saturating_sub(FIXED.len());
        if header[start..] != FIXED {
            return Err(RecordError::new(1, format!("expected the last columns to be {}", FIXED.join(", "))));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            let text = |index: usize| record[start + index].to_owned();
            let value = |index: usize| need_number(&record[start + index], FIXED[index], line);
            parse_number(&record[start + 8], FIXED[8], line)?;
            rows.push(Pair {
                axes: record.iter().take(start).map(AxisValue::parse).collect(),
                policy_a: text(0),
                policy_b: text(1),
                measure: text(2),
                difference: value(3)?,
                paired_low: value(4)?,
                paired_high: value(5)?,
                unpaired_low: value(6)?,
                unpaired_high: value(7)?,
            });
        }
        Ok(Self { axes: header[..start].to_vec(), rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(paired_high: f64) -> Pairs {
        let pair = Pair {
            axes: vec![AxisValue::Number(10.0)],
            policy_a: "active-passive".into(),
            policy_b: "hot standby".into(),
            measure: "unavailability".into(),
            difference: -1.5e-4,
            paired_low: -2e-4,
            paired_high,
            unpaired_low: -4e-4,
            unpaired_high: 1e-4,
        };
        Pairs { axes: vec!["MTTF".into()], rows: vec![pair] }
    }

    #[test]
    fn what_was_written_reads_back_exactly() {
        let pairs = pairs(-1e-4);
        assert_eq!(Pairs::from_csv(&pairs.to_csv()), Ok(pairs));
    }

    #[test]
    fn the_gain_is_in_runs() {
        assert!((pairs(-1e-4).rows[0].gain().unwrap() - 25.0).abs() < 1e-9);
    }

    #[test]
    fn a_certain_difference_has_no_gain() {
        let pairs = pairs(-2e-4);
        assert_eq!(pairs.rows[0].gain(), None);
        assert_eq!(Pairs::from_csv(&pairs.to_csv()), Ok(pairs));
    }
}
