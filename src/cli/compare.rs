//! `failsim compare`: the policies inside one result folder, or two result folders of one experiment.

use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{Format, FormatArgs};
use super::exit::{Ended, Exit, Failure};
use super::output::{print, print_tables};
use crate::check::{self, Change, Recorded};
use crate::experiment::view::View;
use crate::experiment::{tables, verdict};
use crate::record::{Estimate, Manifest, Pairs, Points};
use crate::report::number::significant;
use crate::report::table::{Cell, Column, Table};

/// Compares the policies inside one result folder, or two result folders
#[derive(Args, Debug)]
pub(super) struct CompareArgs {
    /// A result folder
    first: PathBuf,
    /// Another one, of the same experiment
    second: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn compare(args: &CompareArgs) -> Ended {
    match &args.second {
        None => inside(&args.first, args.format.format),
        Some(second) => between(&args.first, second, args.format.format),
    }
}

/// Reads a result folder.
pub(super) fn read(folder: &Path) -> Result<Recorded, Failure> {
    let manifest = text(folder, "manifest.json")?;
    let wrong = |file: &str, error: &dyn std::fmt::Display| {
        Failure::Usage(format!("`{}`: {error}", folder.join(file).display()))
    };
    let manifest = Manifest::from_json(&manifest).map_err(|error| wrong("manifest.json", &error))?;
    let points = text(folder, "points.csv")?;
    let points = Points::from_csv(&points).map_err(|error| wrong("points.csv", &error))?;
    Ok(Recorded { points, manifest })
}

fn text(folder: &Path, file: &str) -> Result<String, Failure> {
    std::fs::read_to_string(folder.join(file)).map_err(|error| {
        let advice = "a result folder is what `failsim sweep` writes, such as `results/policies`";
        Failure::Usage(format!("cannot read `{}`: {error}; {advice}", folder.join(file).display()))
    })
}

fn inside(folder: &Path, format: Format) -> Ended {
    let recorded = read(folder)?;
    let pairs = Pairs::from_csv(&text(folder, "pairs.csv")?)
        .map_err(|error| Failure::Usage(format!("`{}`: {error}", folder.join("pairs.csv").display())))?;
    let view = View::new(&recorded.points, &pairs);
    let mut list = vec![tables::comparison(&view)];
    list.extend(tables::objectives(&view));
    if view.policies.len() > 1 {
        list.push(pairwise(&view));
    }
    print_tables(&list, format)?;
    if matches!(format, Format::Table | Format::Markdown) {
        print(&format!("\n{}\n", verdict::paragraphs(&view).join("\n")))?;
    }
    Ok(Exit::Good)
}

/// The paired differences in safe availability at the selected points.
fn pairwise(view: &View<'_>) -> Table {
    let has_safe = view.points.measures.iter().any(|name| name == "safe_availability");
    let measure = if has_safe { "safe_availability" } else { "availability" };
    let mut rows = Vec::new();
    for place in view.selected() {
        for pair in view.pairs.rows.iter().filter(|pair| pair.axes == place && pair.measure == measure) {
            let hours = |value: f64| value * 8766.0;
            let said = match (pair.paired_low > 0.0, pair.paired_high < 0.0) {
                (true, _) => format!("{} is better", pair.policy_b),
                (_, true) => format!("{} is better", pair.policy_a),
                _ => "cannot be told apart".to_owned(),
            };
            rows.push(vec![
                Cell::Text(view.label(place)),
                Cell::Text(pair.policy_a.clone()),
                Cell::Text(pair.policy_b.clone()),
                Cell::Estimate {
                    estimate: hours(pair.difference),
                    low: hours(pair.paired_low),
                    high: hours(pair.paired_high),
                },
                pair.gain().map_or(Cell::Absent, Cell::Value),
                Cell::Text(said),
            ]);
        }
    }
    let columns = vec![
        Column::words("at"),
        Column::words("a"),
        Column::words("b"),
        Column::numbers("b − a, safely up", "h/yr"),
        Column::numbers("gain", ""),
        Column::words("verdict"),
    ];
    Table {
        title: "Paired differences (gain: how many times more runs an unpaired comparison would need)"
            .to_owned(),
        columns,
        rows,
        sentence: String::new(),
    }
}

fn between(first: &Path, second: &Path, format: Format) -> Ended {
    let (old, new) = (read(first)?, read(second)?);
    if old.manifest.experiment != new.manifest.experiment {
        let (a, b) = (&old.manifest.experiment, &new.manifest.experiment);
        return Err(Failure::Usage(format!(
            "`{}` holds `{a}` and `{}` holds `{b}`: compare two results of one experiment",
            first.display(),
            second.display()
        )));
    }
    let changes = check::compare(&old, &new);
    print_tables(&[table(&changes)], format)?;
    Ok(Exit::Good)
}

/// What differs, the clearest first.
pub(super) fn table(changes: &[Change]) -> Table {
    let mut rows = Vec::new();
    let (mut moved, mut clear) = (0_u64, 0_u64);
    for change in changes {
        let row = match change {
            Change::Input(what) => ["an input".to_owned(), what.clone()],
            Change::Added(at) => [at.clone(), "is new".to_owned()],
            Change::Removed(at) => [at.clone(), "is gone".to_owned()],
            Change::Fingerprint(at) => [at.clone(), "fingerprint only".to_owned()],
            Change::Moved { at, measure, old, new } => {
                moved += 1;
                let is_clear = apart(old, new);
                clear += u64::from(is_clear);
                rows.push(vec![
                    Cell::Text(at.clone()),
                    Cell::Text(measure.clone()),
                    (*old).into(),
                    (*new).into(),
                    Cell::Text(if is_clear { "intervals apart" } else { "" }.to_owned()),
                    ratio(old, new),
                ]);
                continue;
            }
        };
        let [at, what] = row;
        let nothing = || Cell::Text(String::new());
        rows.push(vec![Cell::Text(at), Cell::Text(what), nothing(), nothing(), nothing(), nothing()]);
    }
    let columns = vec![
        Column::words("at"),
        Column::words("what"),
        Column::numbers("was", ""),
        Column::numbers("is", ""),
        Column::words("beyond chance"),
        Column::numbers("ratio", ""),
    ];
    let sentence = if changes.is_empty() {
        "Nothing differs: equal to the last bit.".to_owned()
    } else {
        format!(
            "{moved} figures moved, {clear} of them beyond their intervals; {} differences in all.",
            changes.len()
        )
    };
    Table { title: String::new(), columns, rows, sentence }
}

fn apart(old: &Option<Estimate>, new: &Option<Estimate>) -> bool {
    let ends = |e: &Estimate| (e.low.unwrap_or(e.estimate), e.high.unwrap_or(e.estimate));
    match (old, new) {
        (Some(old), Some(new)) => {
            let ((a, b), (c, d)) = (ends(old), ends(new));
            b < c || d < a
        }
        _ => true,
    }
}

fn ratio(old: &Option<Estimate>, new: &Option<Estimate>) -> Cell {
    match (old, new) {
        (Some(old), Some(new)) if old.estimate != 0.0 && new.estimate != 0.0 => {
            let value = new.estimate / old.estimate;
            Cell::Shown { value, text: format!("{}×", significant(value, 4)) }
        }
        _ => Cell::Absent,
    }
}
