//! `failsim run`: one model, its measures; or several values of a key, compared run by run.

use std::time::Instant;

use clap::Args;

use super::args::{Format, SimulateArgs, kept};
use super::exit::{Ended, Exit};
use super::output::{print, print_json, print_tables};
use super::{figures, json, work};
use crate::experiment::outcome::Outcome;
use crate::experiment::plan::Plan;
use crate::experiment::view::View;
use crate::experiment::{publish, reports, tables};
use crate::input::{Defaults, Mark, Problem, Problems, Source};
use crate::model::Override;
use crate::model::shipped::{self, FileKind};
use crate::policy::registry::PolicySet;
use crate::report::number;
use crate::report::table::{Cell, Column, Table};
use crate::service::fidelity::Form;

/// Simulates one model and prints its measures
#[derive(Args, Debug)]
pub(super) struct RunArgs {
    /// A model file, or the bare name of a shipped one (`failsim list models`)
    model: String,
    /// Compare several values of a key, each on the same failures
    #[arg(long, value_name = "KEY=V1,V2,…", allow_hyphen_values = true)]
    vary: Option<String>,
    /// List every parameter left at its default, with its source
    #[arg(long)]
    explain: bool,
    /// Say which processes of the model skip quiet time, which do not, and why; simulates nothing
    #[arg(long)]
    explain_fidelity: bool,
    #[command(flatten)]
    common: SimulateArgs,
}

pub(super) fn run<P: PolicySet>(args: &RunArgs) -> Ended {
    let start = Instant::now();
    let SimulateArgs { settings, work, folder, format } = &args.common;
    let (mut settings, format) = (settings.settings(work.runs), format.format);
    let vary = args.vary.as_deref().and_then(|text| kept(values(text), &mut settings.problems));
    let found = shipped::find(FileKind::Model, &args.model, None)?;
    let plan: Plan<P> = Plan::of_model(&found, vary.unwrap_or_default(), settings)?;
    if args.explain_fidelity {
        print_tables(&fidelity(&plan), format)?;
        return Ok(Exit::Good);
    }
    let folder = folder.out.as_deref().map(|path| (path, folder.replace));
    let Some(done) = work::results(&plan, work, folder, start)? else { return Ok(Exit::Interrupted) };
    let outcome = &done.outcome;
    let view = outcome.view();
    match format {
        Format::Json if args.vary.is_some() => print_json(&json::varied(&plan, &done))?,
        Format::Json => print_json(&json::run(&plan, &done.results, 0))?,
        Format::Table | Format::Markdown => {
            print(&heading(&plan, outcome, format))?;
            print_tables(&tables_of(&view, args.vary.is_some()), format)?;
            print(&format!("\n{}\n\n{}\n", reports::paragraphs(&view).join("\n"), publish::notes(outcome)))?;
            if args.explain {
                print("\n")?;
                print_tables(&[defaults(&plan.defaults)], format)?;
            }
        }
        Format::Csv if args.vary.is_some() => print(&outcome.points.to_csv())?,
        Format::Csv => print(&figures::csv(&plan, &done.results))?,
    }
    work::stats(&plan, work, &done);
    Ok(work::breaches(outcome))
}

fn heading<P: PolicySet>(plan: &Plan<P>, outcome: &Outcome, format: Format) -> String {
    let what = if outcome.title.is_empty() { String::new() } else { format!(": {}", outcome.title) };
    let horizon = match outcome.years {
        1.0 => "1 year".to_owned(),
        years if years < 1.0 => number::duration(plan.horizon.as_secs()),
        years if years.to_string().len() > 6 => format!("{} years", number::significant(years, 4)),
        years => format!("{years} years"),
    };
    let runs = if plan.runs == 1 { "1 run".to_owned() } else { format!("{} runs", plan.runs) };
    let mark = if format == Format::Markdown { "## " } else { "" };
    format!("{mark}{}{what}\n{runs} of {horizon}, seed {}\n\n", plan.name, plan.seed)
}

/// The tables of a run: every measure; or with several values the comparison and the differences from the first.
fn tables_of(view: &View<'_>, is_varied: bool) -> Vec<Table> {
    let place = view.places[0];
    if !is_varied {
        return view.policies.iter().map(|policy| tables::measures(view, place, policy)).collect();
    }
    let mut list = vec![Table { sentence: String::new(), ..tables::comparison(view) }];
    let base = view.policies[0];
    for other in &view.policies[1..] {
        list.push(tables::differences(view, place, base, other));
    }
    list
}

/// Which processes run in which form; one table for each value that is compared.
fn fidelity<P: PolicySet>(plan: &Plan<P>) -> Vec<Table> {
    let cases = plan.points[0].cases.iter().zip(&plan.policies);
    cases
        .map(|(case, label)| {
            let processes = case.setup.fidelity();
            let count = |form| processes.iter().filter(|process| process.form == form).count();
            let [skips, ahead, steps, one] = [Form::Skips, Form::Ahead, Form::Steps, Form::One].map(count);
            let many = plan.policies.len() > 1;
            Table {
                title: if many { format!("{}, {label}: its processes", plan.name) } else { format!("{}: its processes", plan.name) },
                columns: vec![Column::words("process"), Column::words("form"), Column::sentences("why")],
                rows: processes
                    .into_iter()
                    .map(|process| vec![process.what, process.form.words().to_owned(), process.why])
                    .map(|texts| texts.into_iter().map(Cell::Text).collect())
                    .collect(),
                sentence: format!(
                    "Of {} processes {skips} skip quiet time, {ahead} look ahead privately, {steps} step from event \
                     to event; these are the same in distribution, only the speed differs. {one} have one form only, \
                     with --stepwise and without. Asked of the start of a run, without faults and with true clocks; \
                     faults, repairs and planned work are events in either case.",
                    skips + ahead + steps + one
                ),
            }
        })
        .collect()
}

/// The list of defaults, assumptions first.
fn defaults(defaults: &Defaults) -> Table {
    let mut lines = defaults.lines();
    lines.sort_by_key(|line| match line.key.mark {
        Mark::Assumption => 0,
        Mark::Cited => 1,
        Mark::Checked => 2,
        Mark::Neutral => 3,
    });
    let rows = lines.iter().map(|line| {
        let key = line.key;
        vec![
            Cell::Text(line.pattern.clone()),
            Cell::Text(key.default.unwrap_or("").to_owned()),
            Cell::Text(key.mark.letter().to_owned()),
            Cell::Text(if key.source.is_empty() { key.mark.words() } else { key.source }.to_owned()),
        ]
    });
    let neutral = match lines.len() - defaults.count() {
        0 => String::new(),
        count => format!("; the {count} neutral ones at the end (no loss, no limit) do not count"),
    };
    Table {
        title: "Parameters left at their defaults".to_owned(),
        columns: ["key", "default", "mark", "source"].map(Column::words).to_vec(),
        rows: rows.collect(),
        sentence: format!(
            "{}{neutral}. Marks: S checked against its source, P as commonly cited, A an assumption, - neutral.",
            defaults.sentence()
        ),
    }
}

/// The values of `KEY=V1,V2,…`, each under its text. Commas inside brackets and quotes do not part values.
fn values(text: &str) -> Result<Vec<(String, Vec<Override>)>, Problems> {
    let source = Source::new("--vary", text);
    let wrong = |message: &str, expected: &str| {
        let mut problems = Problems::new();
        problems.add(Problem::new(source.whole(), message).expected(expected));
        problems
    };
    const EXPECTED: &str = "KEY=V1,V2,… such as `groups.*.policy.*.heartbeat=1s,2s,5s`";
    let Some((key, rest)) = text.split_once('=') else { return Err(wrong("no key and values", EXPECTED)) };
    let parts = split(rest);
    if parts.len() < 2 || parts.iter().any(|part| part.is_empty()) {
        return Err(wrong("fewer than two values", EXPECTED));
    }
    let name = key.trim().rsplit('.').next().unwrap_or(key);
    let mut list: Vec<(String, Vec<Override>)> = Vec::new();
    for part in parts {
        let label = format!("{name} {part}");
        if list.iter().any(|(other, _)| *other == label) {
            return Err(wrong("a value stands twice", "each value once"));
        }
        list.push((label, vec![Override::from_parts(key, &part, "--vary")?]));
    }
    Ok(list)
}

fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quote) = (vec![String::new()], 0_usize, None);
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("never empty").push(letter);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_brackets_part_nothing() {
        assert_eq!(split("1s, 2s"), ["1s", "2s"]);
        assert_eq!(split("{ uniform = [\"1s\", \"2s\"] },3s"), ["{ uniform = [\"1s\", \"2s\"] }", "3s"]);
        assert!(values("x").is_err());
        assert!(values("x=1").is_err());
        assert!(values("x=1,1").is_err());
        assert_eq!(values("a.x=1,2").unwrap()[1].0, "x 2");
    }
}
