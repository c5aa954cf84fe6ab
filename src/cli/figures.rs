//! The CSV of `run`: a row for each measure, every field for a program to read.
//!
//! `group` is empty for the whole service. `low` and `high` are the ends of the interval; where nothing was seen, `low` is
//! empty and `high` is the upper bound; `high` alone is empty where so few events give no upper limit; both are empty
//! for a number without an interval. `unit` is `1` for a share.

use crate::experiment::CONFIDENCE;
use crate::experiment::execute::Results;
use crate::experiment::plan::Plan;
use crate::measure::{Figure, Measure};
use crate::policy::contract::Policy;
use crate::report::table::{Cell, Column, Table};

const COLUMNS: [&str; 9] =
    ["group", "measure", "estimate", "low", "high", "confidence", "unit", "n", "method"];

/// Of a plan of one point and one policy.
pub(super) fn csv<P: Policy>(plan: &Plan<P>, results: &Results) -> String {
    let summary = &results.points[0].summaries[0];
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut add = |group: &str, list: &[(&Measure, Figure)]| {
        rows.extend(list.iter().map(|(measure, figure)| row(group, measure, figure)));
    };
    add("", &summary.service(CONFIDENCE));
    for (index, group) in plan.points[0].cases[0].setup.model.groups.iter().enumerate() {
        add(&group.name, &summary.group(index, CONFIDENCE));
    }
    Table { columns: COLUMNS.map(Column::words).to_vec(), rows, ..Table::default() }.to_csv()
}

fn row(group: &str, measure: &Measure, figure: &Figure) -> Vec<Cell> {
    let end = |end: Option<f64>| end.filter(|end| end.is_finite()).map_or(Cell::Absent, Cell::Value);
    let text = |text: &str| Cell::Text(text.to_owned());
    vec![
        text(group),
        text(measure.name),
        Cell::Value(figure.estimate),
        end(figure.low),
        end(figure.high),
        Cell::Value(CONFIDENCE),
        text(measure.unit),
        Cell::Count(figure.n),
        text(figure.method),
    ]
}
