//! Charts as plain descriptions: what is to be shown, not how it is drawn.
//!
//! [`LineChart`] shows measures over a swept axis, [`StackedBars`] what a total consists of, [`BoundChart`] measured
//! values beside the limits that were derived for them. As a [`Chart`] each gives SVG, PNG and the CSV of the data behind
//! it, and the same description always gives the same bytes. A measure that never happened is shown as the upper bound it is,
//! never as a zero and never as a point on a line.

mod axis;
mod bars;
mod bound;
mod ends;
mod frame;
mod line;
mod palette;
#[cfg(test)]
mod tests;

pub use axis::{Axis, Scale, Ticks, Twin};
pub use bars::{Bar, BarLength, CAUSES, Group, StackedBars};
pub use bound::{Bound, BoundChart, BoundRow, Mark, MarkKind};
pub use line::{LineChart, Series};

use super::scene::Scene;
use crate::record::Estimate;

/// A chart of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Chart {
    /// Measures over a swept axis.
    Lines(LineChart),
    /// What a total consists of.
    Bars(StackedBars),
    /// Measured values beside their limits.
    Bounds(BoundChart),
}

impl Chart {
    fn scene(&self) -> Scene {
        match self {
            Self::Lines(chart) => chart.scene(),
            Self::Bars(chart) => chart.scene(),
            Self::Bounds(chart) => chart.scene(),
        }
    }

    /// As an SVG document.
    pub fn svg(&self) -> String {
        self.scene().svg()
    }

    /// As a PNG image of twice its nominal size.
    pub fn png(&self) -> Vec<u8> {
        self.scene().png()
    }

    /// The data behind it.
    pub fn csv(&self) -> String {
        match self {
            Self::Lines(chart) => chart.to_csv(),
            Self::Bars(chart) => chart.to_csv(),
            Self::Bounds(chart) => chart.to_csv(),
        }
    }
}

impl From<LineChart> for Chart {
    fn from(chart: LineChart) -> Self {
        Self::Lines(chart)
    }
}

impl From<StackedBars> for Chart {
    fn from(chart: StackedBars) -> Self {
        Self::Bars(chart)
    }
}

impl From<BoundChart> for Chart {
    fn from(chart: BoundChart) -> Self {
        Self::Bounds(chart)
    }
}

/// One value with its simulation interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// Where on the horizontal axis.
    pub x: f64,
    /// The estimate; `None` where nothing was measured, which leaves a gap in the line.
    pub y: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
    /// Nothing was seen: `high` is an upper bound and there is no estimate to speak of.
    pub zero: bool,
}

impl Point {
    /// An estimate with its interval.
    pub fn seen(x: f64, y: f64, low: f64, high: f64) -> Self {
        Self { x, y: Some(y), low: Some(low), high: Some(high), zero: false }
    }

    /// It could have happened and did not: only an upper bound is known.
    pub fn below(x: f64, high: f64) -> Self {
        Self { x, y: None, low: None, high: Some(high), zero: true }
    }

    /// A value without an interval, such as one computed from a formula.
    pub fn exact(x: f64, y: f64) -> Self {
        Self { x, y: Some(y), low: None, high: None, zero: false }
    }
}

impl Point {
    /// A recorded estimate at a place on the horizontal axis; one the model cannot have leaves a gap.
    pub fn recorded(x: f64, estimate: Option<Estimate>) -> Self {
        match estimate {
            None => Self { x, ..Self::default() },
            Some(estimate) if estimate.is_bound() => {
                Self { x, high: estimate.high, zero: true, ..Self::default() }
            }
            Some(Estimate { estimate, low, high }) => Self { x, y: Some(estimate), low, high, zero: false },
        }
    }
}

/// The CSV text of a header and rows.
fn csv_text(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(header).expect("a table in memory cannot fail");
    for row in rows {
        writer.write_record(&row).expect("a row has as many fields as the header");
    }
    let bytes = writer.into_inner().expect("a table in memory cannot fail");
    String::from_utf8(bytes).expect("text in, text out")
}

/// The shortest text that reads back as the same number; empty for an absent one.
fn field(value: Option<f64>) -> String {
    value.map(|value| format!("{value:?}")).unwrap_or_default()
}
