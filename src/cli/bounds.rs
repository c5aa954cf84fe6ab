//! `failsim bounds`: what the policies promise, with this model's numbers in it.

use clap::Args;

use super::args::{Format, FormatArgs, ModelArgs, WorkArgs};
use super::exit::{Ended, Exit};
use super::json;
use super::output::{print_json, print_tables};
use crate::experiment::plan::Plan;
use crate::model::shipped::{self, FileKind};
use crate::policy::contract::Bound;
use crate::policy::registry::PolicySet;
use crate::report::number;
use crate::report::table::{Cell, Column, Table};

/// Shows the bounds that the policies promise, as formulas with this model's numbers; simulates nothing
///
/// It takes the options of `run` so that the same line serves both; those about runs and threads change nothing here.
#[derive(Args, Debug)]
pub(super) struct BoundsArgs {
    /// A model file, or the bare name of a shipped one
    model: String,
    #[command(flatten)]
    settings: ModelArgs,
    #[command(flatten)]
    work: WorkArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn bounds<P: PolicySet>(args: &BoundsArgs) -> Ended {
    let settings = args.settings.settings(args.work.runs);
    let found = shipped::find(FileKind::Model, &args.model, None)?;
    let plan: Plan<P> = Plan::of_model(&found, Vec::new(), settings)?;
    let setup = &plan.points[0].cases[0].setup;
    if args.format.format == Format::Json {
        let groups: serde_json::Map<_, _> = setup
            .model
            .groups
            .iter()
            .zip(&setup.bounds)
            .map(|(group, bounds)| (group.name.clone(), json::promises(bounds)))
            .collect();
        print_json(&serde_json::json!({
            "format": crate::record::FORMAT, "model": plan.name, "bounds": groups,
        }))?;
        return Ok(Exit::Good);
    }
    let mut rows = Vec::new();
    for (group, bounds) in setup.model.groups.iter().zip(&setup.bounds) {
        let losses = bounds.loss_age.as_ref().map(|bound| ("age of a lost write", bound));
        let all = losses.into_iter().chain([("length of a split brain", &bounds.split_brain)]);
        for (what, bound) in all {
            rows.push(row(&group.name, what, bound));
        }
        if bounds.loss_age.is_none() {
            let cells = ["age of a lost write", "nothing is stored", "", ""];
            rows.push(
                [group.name.as_str()].into_iter().chain(cells).map(|text| Cell::Text(text.into())).collect(),
            );
        }
    }
    let unbounded = setup.bounds.iter().filter(|bounds| bounds.split_brain.secs.is_none()).count();
    let sentence = match unbounded {
        0 => "Every split brain has a bound.",
        _ => "A split brain without a bound lasts as long as what it grows with.",
    };
    let sentence =
        format!("{sentence} Every run is held against the bounds that have a value, within their class.");
    let columns = ["group", "at most", "bound", "formula", "holds for, or grows with"].map(Column::words);
    let title = format!("{}: what its policies promise", plan.name);
    print_tables(&[Table { title, columns: columns.to_vec(), rows, sentence }], args.format.format)?;
    Ok(Exit::Good)
}

fn row(group: &str, what: &str, bound: &Bound) -> Vec<Cell> {
    let value = match bound.secs {
        Some(secs) => Cell::Shown { value: secs, text: number::duration_at_most(secs) },
        None => Cell::Text("none".into()),
    };
    let texts = [bound.formula.clone(), bound.class.clone()];
    let mut cells = vec![Cell::Text(group.to_owned()), Cell::Text(what.to_owned()), value];
    cells.extend(texts.map(Cell::Text));
    cells
}
