//! `points.csv`: every measure of every policy at every point of the axes.
//!
//! Columns: the axes by name, then `policy,runs,seed,fingerprint`, then `<measure>,<measure>_low,<measure>_high` for
//! each measure. How to read a measure:
//!
//! - all three fields empty: the model cannot have this measure;
//! - both ends empty: a number without an interval, such as a setting that was counted exactly;
//! - only the upper end empty: so few events give no upper limit;
//! - estimate 0, low 0, high above 0: it could have happened and did not, `high` is the upper bound. `0` and its
//!   interval are what they are for any tool that reads the file; no column needs special care.
//!
//! Numbers are the shortest text that reads back as the same number.

use super::{RecordError, csv_text, number, parse_number};

/// Where a point lies on an axis: a number where the text is one, otherwise a name.
#[derive(Debug, Clone, PartialEq)]
pub enum AxisValue {
    /// In the unit of the axis.
    Number(f64),
    /// A value without an order.
    Name(String),
}

impl AxisValue {
    /// What a field of the file says.
    pub fn parse(text: &str) -> Self {
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Self::Number(value),
            _ => Self::Name(text.to_owned()),
        }
    }

    /// The field as it is written.
    pub fn text(&self) -> String {
        match self {
            Self::Number(value) => number(*value),
            Self::Name(name) => name.clone(),
        }
    }
}

/// A measured value with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate; 0 where nothing was seen.
    pub estimate: f64,
    /// Lower end of the interval; none for a number without one.
    pub low: Option<f64>,
    /// Upper end of the interval; none, with a lower one, where the runs give no upper limit.
    pub high: Option<f64>,
}

impl Estimate {
    /// An estimate with its interval.
    pub fn seen(estimate: f64, low: f64, high: f64) -> Self {
        Self { estimate, low: Some(low), high: Some(high) }
    }

    /// It could have happened and did not.
    pub fn below(high: f64) -> Self {
        Self::seen(0.0, 0.0, high)
    }

    /// A number without an interval.
    pub fn exact(estimate: f64) -> Self {
        Self { estimate, low: None, high: None }
    }

    /// The ends: the number itself where it has no interval, and infinity where there is no upper limit.
    pub fn limits(&self) -> (f64, f64) {
        match (self.low, self.high) {
            (None, None) => (self.estimate, self.estimate),
            (low, high) => (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY)),
        }
    }

    /// Whether only an upper bound is known.
    pub fn is_bound(&self) -> bool {
        self.estimate == 0.0 && self.low == Some(0.0) && self.high.is_some_and(|high| high > 0.0)
    }
}

/// One policy at one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// One value per axis.
    pub axes: Vec<AxisValue>,
    /// The policy.
    pub policy: String,
    /// Number of runs.
    pub runs: u64,
    /// Seed of the experiment.
    pub seed: u64,
    /// Fingerprint of all runs.
    pub fingerprint: String,
    /// One per measure of the table; none where the model cannot have it.
    pub measures: Vec<Option<Estimate>>,
}

/// The whole table.
///
/// ```
/// use failsim::record::{AxisValue, Estimate, Points, Row};
/// let points = Points {
///     axes: vec!["server MTTF".into()],
///     measures: vec!["unavailability".into()],
///     rows: vec![Row {
///         axes: vec![AxisValue::Number(10.0)],
///         policy: "hot standby".into(),
///         runs: 400,
///         seed: 1,
///         fingerprint: "9f02".into(),
///         measures: vec![Some(Estimate::below(3e-4))],
///     }],
/// };
/// assert!(points.to_csv().ends_with("10.0,hot standby,400,1,9f02,0.0,0.0,0.0003\n"));
/// assert_eq!(Points::from_csv(&points.to_csv()), Ok(points));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Points {
    /// Names of the axes.
    pub axes: Vec<String>,
    /// Names of the measures.
    pub measures: Vec<String>,
    /// Point by point, and policy by policy within each.
    pub rows: Vec<Row>,
}

const FIXED: [&str; 4] = ["policy", "runs", "seed", "fingerprint"];

impl Points {
    /// The table as it is written to `points.csv`.
    pub fn to_csv(&self) -> String {
        let fixed = FIXED.iter().map(|name| (*name).to_owned());
        let measures =
            self.measures.iter().flat_map(|name| ["", "_low", "_high"].map(|end| format!("{name}{end}")));
        let header: Vec<String> = self.axes.iter().cloned().chain(fixed).chain(measures).collect();
        let rows = self.rows.iter().map(|row| {
            let mut fields: Vec<String> = row.axes.iter().map(AxisValue::text).collect();
            fields.extend([
                row.policy.clone(),
                row.runs.to_string(),
                row.seed.to_string(),
                row.fingerprint.clone(),
            ]);
            for measure in &row.measures {
                let ends = |value: Option<f64>| value.map(number).unwrap_or_default();
                fields.push(ends(measure.map(|measure| measure.estimate)));
                fields.push(ends(measure.and_then(|measure| measure.low)));
                fields.push(ends(measure.and_then(|measure| measure.high)));
            }
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
        // An axis may be called `policy` too: the four fixed columns are recognised together.
        let start = header.windows(FIXED.len()).position(|names| names == FIXED).ok_or_else(|| {
            RecordError::new(1, format!("expected the columns {} in a row", FIXED.join(", ")))
        })?;
        let mut measures = Vec::new();
        for names in header[start + FIXED.len()..].chunks(3) {
            match names {
                [name, low, high] if *low == format!("{name}_low") && *high == format!("{name}_high") => {
                    measures.push(name.clone());
                }
                _ => {
                    let name = &names[0];
                    return Err(RecordError::new(
                        1,
                        format!("expected `{name}`, `{name}_low`, `{name}_high` in a row"),
                    ));
                }
            }
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push(row(&record.iter().collect::<Vec<_>>(), start, &measures, line)?);
        }
        Ok(Self { axes: header[..start].to_vec(), measures, rows })
    }
}

fn row(fields: &[&str], start: usize, measures: &[String], line: u64) -> Result<Row, RecordError> {
    let count = |index: usize| {
        let (name, field) = (FIXED[index], fields[start + index]);
        let wrong = |_| RecordError::new(line, format!("`{name}` should be a whole number, not `{field}`"));
        field.parse::<u64>().map_err(wrong)
    };
    let mut values = Vec::new();
    for (name, fields) in measures.iter().zip(fields[start + FIXED.len()..].chunks(3)) {
        let low = parse_number(fields[1], &format!("{name}_low"), line)?;
        let high = parse_number(fields[2], &format!("{name}_high"), line)?;
        let estimate = parse_number(fields[0], name, line)?;
        if estimate.is_none() && (low.is_some() || high.is_some()) {
            return Err(RecordError::new(line, format!("`{name}` has an interval but no estimate")));
        }
        values.push(estimate.map(|estimate| Estimate { estimate, low, high }));
    }
    Ok(Row {
        axes: fields[..start].iter().map(|field| AxisValue::parse(field)).collect(),
        policy: fields[start].to_owned(),
        runs: count(1)?,
        seed: count(2)?,
        fingerprint: fields[start + 3].to_owned(),
        measures: values,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Points {
        let row = |mttf: f64, policy: &str, measures| Row {
            axes: vec![AxisValue::Number(mttf), AxisValue::Name("10d, \"wet\"".into())],
            policy: policy.into(),
            runs: 400,
            seed: u64::MAX,
            fingerprint: "00ff".into(),
            measures,
        };
        let seen = Some(Estimate::seen(1.0 / 3.0, f64::MIN_POSITIVE, 1e300));
        Points {
            axes: vec!["MTTF".into(), "policy".into()],
            measures: vec!["unavailability".into(), "lost_rate".into()],
            rows: vec![
                row(0.1 + 0.2, "hot standby", vec![seen, None]),
                row(1e-7, "a,b", vec![Some(Estimate::below(3e-4)), Some(Estimate::exact(5.0))]),
            ],
        }
    }

    #[test]
    fn what_was_written_reads_back_exactly() {
        let points = points();
        let read = Points::from_csv(&points.to_csv()).unwrap();
        assert_eq!(read, points);
        assert_eq!(read.to_csv(), points.to_csv());
        assert!(read.rows[1].measures[0].unwrap().is_bound());
    }

    #[test]
    fn a_wrong_field_is_named_with_its_line() {
        let text = points().to_csv().replace("1e300", "much");
        let error = Points::from_csv(&text).unwrap_err();
        assert_eq!(error.to_string(), "line 2: `unavailability_high` should be a number, not `much`");
    }

    #[test]
    fn a_missing_column_is_an_error() {
        let error = Points::from_csv("MTTF,policy,runs,fingerprint\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 1: expected the columns policy, runs, seed, fingerprint in a row"
        );
    }
}
