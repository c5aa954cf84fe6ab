//! Tables: aligned for a terminal, and the same as CSV, JSON and Markdown.

use comfy_table::{CellAlignment, LineStyle, TableStyle};
use serde_json::{Map, Value, json};

use super::number;
use crate::record;

/// Which side the cells of a column are set flush with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// Words.
    #[default]
    Left,
    /// Numbers.
    Right,
}

/// A heading and what stands below it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// The heading; in CSV and JSON the name of the field.
    pub name: String,
    /// Unit of every number in the column; empty for none.
    pub unit: String,
    /// Which side the cells are set flush with.
    pub align: Align,
    /// For people, cells are broken into lines of so many characters; 0: never.
    pub wraps_at: usize,
}

impl Column {
    /// A column of words.
    pub fn words(name: &str) -> Self {
        Self { name: name.to_owned(), align: Align::Left, ..Self::default() }
    }

    /// A column of sentences, which a terminal would break anywhere.
    pub fn sentences(name: &str) -> Self {
        Self { wraps_at: 80, ..Self::words(name) }
    }

    /// A column of numbers in a unit.
    pub fn numbers(name: &str, unit: &str) -> Self {
        Self { name: name.to_owned(), unit: unit.to_owned(), align: Align::Right, ..Self::default() }
    }
}

/// One cell. People see few digits; CSV and JSON carry every number in full.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// The measure does not exist here.
    Absent,
    /// Words.
    Text(String),
    /// Something counted.
    Count(u64),
    /// A number without an interval, such as a setting.
    Value(f64),
    /// A number written in a person's words, such as `1h 59m` for 7160.
    Shown {
        /// In the unit of the column.
        value: f64,
        /// What people see.
        text: String,
    },
    /// An estimate with its interval.
    Estimate {
        /// The estimate.
        estimate: f64,
        /// Lower end of its interval.
        low: f64,
        /// Upper end of its interval.
        high: f64,
    },
    /// Never seen: only an upper bound. In CSV and JSON the estimate is 0, its interval from 0 to the bound.
    Below(f64),
}

/// A table that can be shown and saved.
///
/// ```
/// use failsim::report::table::{Cell, Column, Table};
/// let table = Table {
///     columns: vec![Column::words("policy"), Column::numbers("unavailability", "")],
///     rows: vec![
///         vec![Cell::Text("hot standby".into()), Cell::Estimate { estimate: 1.234e-4, low: 1.184e-4, high: 1.286e-4 }],
///         vec![Cell::Text("quorum".into()), Cell::Below(2.9956e-4)],
///     ],
///     ..Table::default()
/// };
/// assert!(table.to_text().contains("hot standby  1.23e-4 ±0.05e-4"));
/// assert!(table.to_text().contains("quorum               < 3.0e-4"));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Stands above; may be empty.
    pub title: String,
    /// Headings.
    pub columns: Vec<Column>,
    /// As many cells each as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// What the table says, in a sentence below it; may be empty.
    pub sentence: String,
}

impl From<Option<record::Estimate>> for Cell {
    fn from(estimate: Option<record::Estimate>) -> Self {
        match estimate {
            None => Self::Absent,
            Some(record::Estimate { high: Some(high), .. }) if estimate.is_some_and(|e| e.is_bound()) => {
                Self::Below(high)
            }
            Some(record::Estimate { estimate, low: None, high: None }) => Self::Value(estimate),
            Some(found) => {
                let (low, high) = found.limits();
                Self::Estimate { estimate: found.estimate, low, high }
            }
        }
    }
}

impl Cell {
    /// What people see.
    pub fn text(&self) -> String {
        match self {
            Self::Absent => "–".to_owned(),
            Self::Text(text) | Self::Shown { text, .. } => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Value(value) => number::significant(*value, 4),
            Self::Estimate { estimate, low, high } => number::with_interval(*estimate, *low, *high),
            Self::Below(high) => number::upper_bound(*high),
        }
    }

    /// Estimate, low and high end.
    fn interval(&self) -> Option<(f64, f64, f64)> {
        match self {
            Self::Estimate { estimate, low, high } => Some((*estimate, *low, *high)),
            Self::Below(high) => Some((0.0, 0.0, *high)),
            _ => None,
        }
    }

    fn field(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Value(value) | Self::Shown { value, .. } => format!("{value:?}"),
            Self::Estimate { estimate, .. } => format!("{estimate:?}"),
            Self::Below(_) => "0.0".to_owned(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Absent => Value::Null,
            Self::Text(text) => json!(text),
            Self::Count(count) => json!(count),
            Self::Value(value) | Self::Shown { value, .. } => json!(value),
            Self::Estimate { estimate, low, high } => json!({"estimate": estimate, "low": low, "high": high}),
            Self::Below(high) => json!({"estimate": 0.0, "low": 0.0, "high": high}),
        }
    }
}

impl Table {
    /// Aligned columns for a terminal, with title and sentence; ends with a line break.
    pub fn to_text(&self) -> String {
        let mut grid = comfy_table::Table::new();
        grid.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
        grid.set_header(self.columns.iter().map(Column::heading));
        grid.add_rows(self.rows.iter().map(|row| {
            let cells = row.iter().zip(&self.columns);
            cells.map(|(cell, column)| broken(cell.text(), column.wraps_at)).collect::<Vec<_>>()
        }));
        for (index, column) in self.columns.iter().enumerate() {
            let Some(set) = grid.column_mut(index) else { continue };
            // The separator is a space of its own, which makes two between columns.
            set.set_padding((0, u16::from(index + 1 < self.columns.len())));
            set.set_cell_alignment(match column.align {
                Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
            });
        }
        let mut text = String::new();
        if !self.title.is_empty() {
            text.push_str(&format!("{}\n\n", self.title));
        }
        for line in grid.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        if !self.sentence.is_empty() {
            text.push_str(&format!("\n{}\n", self.sentence));
        }
        text
    }

    /// One line per row. A column that holds intervals becomes three: `name`, `name_low`, `name_high`. Absent cells
    /// are empty fields; numbers are the shortest text that reads back the same.
    pub fn to_csv(&self) -> String {
        let is_wide: Vec<bool> = (0..self.columns.len()).map(|index| self.has_intervals(index)).collect();
        let header = self.columns.iter().zip(&is_wide).flat_map(|(column, is_wide)| {
            let ends: &[&str] = if *is_wide { &["", "_low", "_high"] } else { &[""] };
            ends.iter().map(|end| format!("{}{end}", column.name))
        });
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(header).expect("a table in memory cannot fail");
        for row in &self.rows {
            let fields = row.iter().zip(&is_wide).flat_map(|(cell, is_wide)| {
                let mut fields = vec![cell.field()];
                if *is_wide {
                    let ends =
                        cell.interval().map(|(_, low, high)| [format!("{low:?}"), format!("{high:?}")]);
                    fields.extend(ends.unwrap_or_default());
                }
                fields
            });
            writer.write_record(fields).expect("a row has as many cells as there are columns");
        }
        String::from_utf8(writer.into_inner().expect("a table in memory cannot fail"))
            .expect("text in, text out")
    }

    /// An object with `title`, `sentence`, `columns` (name and unit, in order) and `rows` (an object each, by column).
    pub fn to_json(&self) -> Value {
        let columns = self.columns.iter().map(|column| json!({"name": column.name, "unit": column.unit}));
        let rows = self.rows.iter().map(|row| {
            let cells = self.columns.iter().zip(row).map(|(column, cell)| (column.name.clone(), cell.json()));
            Value::Object(cells.collect::<Map<_, _>>())
        });
        json!({
            "title": self.title,
            "sentence": self.sentence,
            "columns": columns.collect::<Vec<_>>(),
            "rows": rows.collect::<Vec<_>>(),
        })
    }

    /// A Markdown table, with the title in bold above and the sentence below.
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| {
            let cells = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " "));
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let mut text = String::new();
        if !self.title.is_empty() {
            text.push_str(&format!("**{}**\n\n", self.title));
        }
        text.push_str(&line(self.columns.iter().map(Column::heading).collect()));
        let rules = self.columns.iter().map(|column| match column.align {
            Align::Left => "---".to_owned(),
            Align::Right => "---:".to_owned(),
        });
        text.push_str(&line(rules.collect()));
        for row in &self.rows {
            text.push_str(&line(row.iter().map(Cell::text).collect()));
        }
        if !self.sentence.is_empty() {
            text.push_str(&format!("\n{}\n", self.sentence));
        }
        text
    }

    fn has_intervals(&self, column: usize) -> bool {
        self.rows.iter().filter_map(|row| row.get(column)).any(|cell| cell.interval().is_some())
    }
}

impl Column {
    fn heading(&self) -> String {
        if self.unit.is_empty() { self.name.clone() } else { format!("{}, {}", self.name, self.unit) }
    }
}

/// Words in lines of at most so many characters, if that is possible; 0: in one line.
fn broken(text: String, limit: usize) -> String {
    if limit == 0 || text.chars().count() <= limit {
        return text;
    }
    let (mut lines, mut length) = (String::new(), 0);
    for word in text.split(' ') {
        let more = word.chars().count();
        if length > 0 {
            let fits = length + 1 + more <= limit;
            lines.push(if fits { ' ' } else { '\n' });
            length = if fits { length + 1 } else { 0 };
        }
        lines.push_str(word);
        length += more;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_broken_between_words() {
        assert_eq!(broken("one two three".into(), 0), "one two three");
        assert_eq!(broken("one two three".into(), 13), "one two three");
        assert_eq!(broken("one two three".into(), 8), "one two\nthree");
        assert_eq!(broken("one unbreakable x".into(), 5), "one\nunbreakable\nx");
    }

    fn table() -> Table {
        let estimate = Cell::Estimate { estimate: 0.12, low: 0.11, high: 0.19 };
        Table {
            title: "Downtime".into(),
            columns: vec![
                Column::words("policy"),
                Column::numbers("runs", ""),
                Column::numbers("downtime", "h/yr"),
            ],
            rows: vec![
                vec![Cell::Text("hot | standby".into()), Cell::Count(400), estimate],
                vec![Cell::Text("quorum".into()), Cell::Count(400), Cell::Below(2.9956e-4)],
                vec![Cell::Text("none".into()), Cell::Count(400), Cell::Absent],
            ],
            sentence: "Quorum was never down.".into(),
        }
    }

    #[test]
    fn text_is_aligned() {
        let wanted = "Downtime\n\n\
            policy         runs     downtime, h/yr\n\
            ──────────────────────────────────────\n\
            hot | standby   400  0.12 [0.11, 0.19]\n\
            quorum          400           < 3.0e-4\n\
            none            400                  –\n\n\
            Quorum was never down.\n";
        assert_eq!(table().to_text(), wanted);
    }

    #[test]
    fn csv_has_both_ends_of_an_interval_and_empty_fields_for_what_is_absent() {
        let wanted = "policy,runs,downtime,downtime_low,downtime_high\n\
            hot | standby,400,0.12,0.11,0.19\n\
            quorum,400,0.0,0.0,0.00029956\n\
            none,400,,,\n";
        assert_eq!(table().to_csv(), wanted);
    }

    #[test]
    fn markdown_escapes_its_bars() {
        let text = table().to_markdown();
        assert!(text.contains("| hot \\| standby | 400 | 0.12 [0.11, 0.19] |"), "{text}");
        assert!(text.contains("| --- | ---: | ---: |"), "{text}");
    }

    #[test]
    fn json_carries_units_and_full_numbers() {
        let value = table().to_json();
        assert_eq!(value["columns"][2]["unit"], "h/yr");
        assert_eq!(value["rows"][0]["downtime"]["high"], 0.19);
        assert_eq!(value["rows"][1]["downtime"]["estimate"], 0.0);
        assert_eq!(value["rows"][2]["downtime"], Value::Null);
    }
}
