//! Where text goes: results to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use super::args::Format;
use super::exit::Failure;
use crate::report::table::Table;

/// Prints a result.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints a JSON value on lines of its own.
pub(super) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).expect("a JSON value has a JSON form");
    print(&format!("{text}\n"))
}

/// Prints tables one after the other.
pub(super) fn print_tables(tables: &[Table], format: Format) -> Result<(), Failure> {
    let text = match format {
        Format::Table => tables.iter().map(Table::to_text).collect::<Vec<_>>().join("\n"),
        Format::Markdown => tables.iter().map(Table::to_markdown).collect::<Vec<_>>().join("\n"),
        Format::Csv => tables.iter().map(Table::to_csv).collect::<Vec<_>>().join("\n"),
        Format::Json => match tables {
            [one] => return print_json(&one.to_json()),
            many => return print_json(&serde_json::Value::Array(many.iter().map(Table::to_json).collect())),
        },
    };
    print(&text)
}

/// Says something beside the result. A closed standard error is nobody's problem.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Shows why a command could not do its work.
pub(super) fn complain(failure: &Failure) {
    let mut err = io::stderr().lock();
    let _ = match failure {
        Failure::Problems(problems) => write!(err, "{}", problems.render(is_coloured())),
        Failure::Usage(message) => writeln!(err, "error: {message}"),
        Failure::Output(error) => writeln!(err, "error: cannot write to standard output: {error}"),
        Failure::Closed => Ok(()),
    };
}

fn is_coloured() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
