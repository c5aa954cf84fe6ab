//! `failsim list`: what there is.

use clap::{Args, ValueEnum};

use super::args::FormatArgs;
use super::exit::{Ended, Exit};
use super::output::print_tables;
use crate::input::{Problems, Source, tree};
use crate::measure;
use crate::model::shipped::{self, FileKind};
use crate::policy::registry::PolicySet;
use crate::report::table::{Cell, Column, Table};

/// Lists what there is
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// What to list; everything if left out
    #[arg(value_enum)]
    what: Option<What>,
    #[command(flatten)]
    format: FormatArgs,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Redundancy policies
    Policies,
    /// Shipped models
    Models,
    /// Shipped experiments
    Experiments,
    /// What is measured
    Measures,
    /// Shipped scenarios
    Scenarios,
}

pub(super) fn list<P: PolicySet>(args: &ListArgs) -> Ended {
    let tables: Vec<Table> = match args.what {
        Some(what) => vec![table::<P>(what)],
        None => {
            let all = What::value_variants().iter();
            all.map(|&what| Table { title: format!("{what:?}"), ..table::<P>(what) }).collect()
        }
    };
    print_tables(&tables, args.format.format)?;
    Ok(Exit::Good)
}

fn table<P: PolicySet>(what: What) -> Table {
    let words = |cells: Vec<String>| cells.into_iter().map(Cell::Text).collect::<Vec<_>>();
    let (columns, rows, sentence) = match what {
        What::Policies => {
            let rows =
                P::described().into_iter().map(|(name, doc)| words(vec![name.into(), doc.into()])).collect();
            (vec!["policy", "what it does"], rows, "`failsim explain NAME` shows its parameters.")
        }
        What::Measures => {
            let row = |m: &measure::Measure| {
                words(vec![m.name.into(), m.unit.into(), m.family.into(), m.doc.into()])
            };
            let rows = measure::measures().iter().map(row).collect();
            (
                vec!["measure", "unit", "family", "what it means"],
                rows,
                "Units: 1 is a share, yr a year of 365.25 days.",
            )
        }
        What::Models => (vec!["model", "title"], files(FileKind::Model), "`failsim run NAME` simulates one."),
        What::Experiments => {
            (vec!["experiment", "title"], files(FileKind::Experiment), "`failsim sweep NAME` runs one.")
        }
        What::Scenarios => {
            (vec!["scenario", "title"], files(FileKind::Scenario), "`failsim test NAME` runs one.")
        }
    };
    let columns = columns.into_iter().map(Column::words).collect();
    Table { title: String::new(), columns, rows, sentence: sentence.to_owned() }
}

fn files(kind: FileKind) -> Vec<Vec<Cell>> {
    shipped::names(kind)
        .into_iter()
        .map(|name| {
            let title = shipped::SHIPPED
                .iter()
                .find(|file| file.path == format!("{}/{name}.toml", kind.folder()))
                .and_then(|file| title(file.text));
            vec![Cell::Text(name.to_owned()), Cell::Text(title.unwrap_or_default())]
        })
        .collect()
}

fn title(text: &str) -> Option<String> {
    let table = tree::parse(&Source::new("", text), &mut Problems::new());
    table.get("title")?.item.as_text().map(str::to_owned)
}
