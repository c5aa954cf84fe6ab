//! `failsim explain`: what a policy, a key or a measure means.

use clap::Args;

use super::exit::{Ended, Exit, Failure};
use super::output::print;
use crate::input::nearest::nearest;
use crate::measure;
use crate::model::describe;
use crate::model::shipped::{self, FileKind};
use crate::policy::registry::PolicySet;

/// Explains a policy, a key of a file, or a measure
#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// Its name; a key may be given by its end (`heartbeat`, `hot-standby.heartbeat`) or its whole path
    name: String,
}

pub(super) fn explain<P: PolicySet>(args: &ExplainArgs) -> Ended {
    let name = args.name.as_str();
    let mut parts = Vec::new();
    if let Some((name, summary)) = P::described().into_iter().find(|(policy, _)| *policy == name) {
        parts.push(policy::<P>(name, summary));
    }
    if let Some(measure) = measure::find(name) {
        parts.push(self::measure(measure));
    }
    let mut near = None;
    match describe::explain::<P::Params>(name) {
        Ok(text) => parts.push(text),
        Err(nearest) => near = nearest,
    }
    if parts.is_empty() {
        return Err(unknown::<P>(name, near));
    }
    print(&parts.join("\n"))?;
    Ok(Exit::Good)
}

fn policy<P: PolicySet>(name: &str, summary: &str) -> String {
    let mut text = format!("{name} (a policy)\n  {summary}\n");
    let all = describe::all::<P::Params>();
    let begin = format!("groups.*.policy.{name}.");
    let keys: Vec<_> = all.iter().filter(|described| described.path.starts_with(&begin)).collect();
    if keys.is_empty() {
        text.push_str("  it has no parameters\n");
    }
    for described in keys {
        let key = described.key;
        let default = match key.default {
            Some(default) => format!(" [{default}, {}]", key.mark.letter()),
            None => String::new(),
        };
        text.push_str(&format!("\n  {}{default}\n      {}\n", key.name, key.doc));
    }
    let users: Vec<&str> = shipped::names(FileKind::Model)
        .into_iter()
        .filter(|model| {
            let path = format!("models/{model}.toml");
            let file = shipped::SHIPPED.iter().find(|file| file.path == path);
            file.is_some_and(|file| file.text.contains(&format!(".policy.{name}]")))
        })
        .collect();
    if !users.is_empty() {
        text.push_str(&format!("\n  models that use it: {}\n", users.join(", ")));
    }
    text
}

fn measure(measure: &measure::Measure) -> String {
    let better = match measure.lower_is_better {
        Some(true) => "\n  less is better",
        Some(false) => "\n  more is better",
        None => "",
    };
    let unit = match (measure.unit, measure.range()) {
        ("1", (_, 1.0)) => "a share (0 to 1)",
        ("1", _) => "a count",
        (unit, _) => unit,
    };
    format!(
        "{} (a measure, {})\n  {}\n  unit: {unit}{better}\n  estimated: {}\n",
        measure.name,
        measure.family,
        measure.doc,
        measure.estimated()
    )
}

fn unknown<P: PolicySet>(name: &str, near: Option<String>) -> Failure {
    let policies = P::described().into_iter().map(|(name, _)| name);
    let names = policies.chain(measure::measures().iter().map(|measure| measure.name));
    let near = nearest(name, names).map(str::to_owned).or(near);
    let advice = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`failsim list policies` and `failsim list measures` show names".to_owned(),
    };
    Failure::Usage(format!("no policy, key or measure is called `{name}`; {advice}"))
}
