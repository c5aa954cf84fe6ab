//! `failsim compare`: the policies inside one result folder, or two result folders of one experiment.

use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{Format, FormatArgs};
use super::changes::changed;
use super::exit::{Ended, Exit, Failure};
use super::output::{print, print_tables};
use crate::check::{self, Recorded};
use crate::experiment::pairwise;
use crate::experiment::reports::Asked;
use crate::experiment::view::View;
use crate::input::Source;
use crate::input::nearest::nearest;
use crate::model::experiment_file;
use crate::record::{Manifest, Pairs, Points};
use crate::report::table::Table;

/// Compares the policies inside one result folder, or two result folders
#[derive(Args, Debug)]
pub(super) struct CompareArgs {
    /// A result folder
    first: PathBuf,
    /// Another one, of the same experiment
    second: Option<PathBuf>,
    /// Compare policies in this measure [repeatable; default: safe availability, split brain and writes lost]
    #[arg(long, value_name = "NAME", conflicts_with = "second")]
    measure: Vec<String>,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn compare(args: &CompareArgs) -> Ended {
    match &args.second {
        None => inside(&args.first, &args.measure, args.format.format),
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

fn inside(folder: &Path, measures: &[String], format: Format) -> Ended {
    let recorded = read(folder)?;
    let pairs = Pairs::from_csv(&text(folder, "pairs.csv")?)
        .map_err(|error| Failure::Usage(format!("`{}`: {error}", folder.join("pairs.csv").display())))?;
    let asked = asked(&recorded.manifest);
    let view = View::new(&recorded.points, &pairs).asking(&asked);
    if view.policies.len() < 2 {
        let only = view.policies.first().copied().unwrap_or("nothing");
        let message = format!("`{}` holds {only} alone: there is nothing to compare", folder.display());
        return Err(Failure::Usage(message));
    }
    let usual = pairwise::usual(&view);
    let measures = if measures.is_empty() { &usual } else { measures };
    for measure in measures {
        if !pairs.rows.iter().any(|pair| pair.measure == *measure) {
            return Err(not_paired(folder, &pairs, measure));
        }
    }
    let mut list: Vec<Table> = measures.iter().map(|measure| pairwise::table(&view, measure)).collect();
    list.push(pairwise::ranking(&view));
    print_tables(&list, format)?;
    if matches!(format, Format::Table | Format::Markdown) {
        let mut said = vec![
            "gain: how many times more runs it would take without pairing, in the middle of all points."
                .to_owned(),
        ];
        said.extend(pairwise::sentences(&view));
        print(&format!("\n{}\n\n{}\n", said.join("\n"), pairwise::closing(&view)))?;
    }
    Ok(Exit::Good)
}

fn not_paired(folder: &Path, pairs: &Pairs, measure: &str) -> Failure {
    let mut names: Vec<&str> = pairs.rows.iter().map(|pair| pair.measure.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let nearest = nearest(measure, names).map_or(String::new(), |name| format!("; did you mean `{name}`?"));
    Failure::Usage(format!("`{}` holds no differences of `{measure}`{nearest}", folder.display()))
}

/// What the experiment behind a folder asks to be told, as far as its text can be read.
fn asked(manifest: &Manifest) -> Asked {
    let Some(input) = manifest.inputs.iter().find(|input| input.role == "experiment") else {
        return Asked::default();
    };
    let read = experiment_file::read(&Source::new(&input.name, input.text.clone()));
    read.map_or_else(|_| Asked::default(), |file| Asked::of(&file))
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
    print_tables(&[changed(&changes, format)], format)?;
    Ok(Exit::Good)
}
