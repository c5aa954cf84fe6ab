//! Fits a scenario to its model: names become indexes, steps become the model's script in order of time.

use super::build::scope;
use super::names::{Names, dangling};
use super::scenario_file::{Expected, ROLES, ScenarioFile, Step};
use crate::input::{Problem, Problems};
use crate::system::ids::{GroupId, LinkId, NodeId, SharedId};
use crate::system::spec::{Action, Effect, Model, Scope, ScriptStep};

/// Puts a scenario's steps into the model (after whatever script it has) and sets whether it is quiet. Steps at one
/// time keep the order of the file.
///
/// # Errors
/// Every name of the scenario, in steps and expectations, that the model does not have, and every role that there
/// is not.
pub fn attach<P>(scenario: &ScenarioFile, model: &mut Model<P>) -> Result<(), Problems> {
    let mut problems = Problems::new();
    for step in &scenario.steps {
        let actions = actions(step, model, &mut problems);
        model.script.extend(actions.into_iter().map(|action| ScriptStep { at: step.at, action }));
    }
    model.script.sort_by_key(|step| step.at);
    model.quiet = scenario.quiet;
    let nodes = Names::new("node", model.nodes.iter().map(|node| node.name.as_str()));
    let groups = Names::new("group", model.groups.iter().map(|group| group.name.as_str()));
    for expect in &scenario.expects {
        match &expect.what {
            Expected::Measure { group: Some(group), .. } => {
                groups.find(group, &mut problems);
            }
            Expected::Measure { .. } => {}
            Expected::State { role, accepts, .. } => {
                for (_, role) in role.iter().filter(|(_, role)| !ROLES.contains(&role.text.as_str())) {
                    let message = format!("no role is called `{}`", role.text);
                    let problem = Problem::new(role.place.clone(), message);
                    let problem = problem.expected(format!("one of {}", ROLES.join(", ")));
                    problems.add(problem.nearest(&role.text, ROLES.iter().copied()));
                }
                for node in role.iter().map(|(node, _)| node).chain(accepts.iter().map(|(node, _)| node)) {
                    nodes.find(node, &mut problems);
                }
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.sorted()) }
}

fn actions<P>(step: &Step, model: &Model<P>, problems: &mut Problems) -> Vec<Action> {
    match step.action {
        "cut" | "heal" => links(step, model, problems)
            .into_iter()
            .map(|link| match step.action {
                "cut" => Action::Cut { link, classes: step.classes, direction: step.direction },
                _ => Action::Heal { link },
            })
            .collect(),
        "strike" | "relieve" => {
            let names = Names::new("common cause", model.shared.iter().map(|shared| shared.name.as_str()));
            let Some(shared) = names.find(&step.target, problems).map(SharedId::from) else {
                return Vec::new();
            };
            vec![if step.action == "strike" { Action::Strike { shared } } else { Action::Relieve { shared } }]
        }
        "changeover" => changeover(step, model, problems).into_iter().collect(),
        _ => node_action(step, model, problems).into_iter().collect(),
    }
}

/// The link of that name, or the links of the path.
fn links<P>(step: &Step, model: &Model<P>, problems: &mut Problems) -> Vec<LinkId> {
    let links = Names::new("link", model.links.iter().map(|link| link.name.as_str()));
    let paths = Names::new("path", model.paths.iter().map(|path| path.name.as_str()));
    match (links.index(&step.target.text), paths.index(&step.target.text)) {
        (Some(link), _) => vec![LinkId::from(link)],
        (None, Some(path)) => model.paths[path].links.clone(),
        (None, None) => {
            let problem = dangling("link or path", &step.target, &[&links, &paths]);
            problems.add(problem);
            Vec::new()
        }
    }
}

fn changeover<P>(step: &Step, model: &Model<P>, problems: &mut Problems) -> Option<Action> {
    let groups = Names::new("group", model.groups.iter().map(|group| group.name.as_str()));
    let group = groups.find(&step.target, problems)?;
    let to = match &step.to {
        Some(to) => {
            let nodes = Names::new("node", model.nodes.iter().map(|node| node.name.as_str()));
            let node = NodeId::from(nodes.find(to, problems)?);
            if !model.groups[group].nodes.contains(&node) {
                let message = format!("`{}` is no node of the group `{}`", to.text, step.target.text);
                problems.add(Problem::new(to.place.clone(), message).expected("a node of that group"));
            }
            Some(node)
        }
        None => None,
    };
    Some(Action::Changeover { group: GroupId::from(group), to })
}

fn node_action<P>(step: &Step, model: &Model<P>, problems: &mut Problems) -> Option<Action> {
    let names = Names::new("node", model.nodes.iter().map(|node| node.name.as_str()));
    let index = names.find(&step.target, problems)?;
    let node = NodeId::from(index);
    let scope = match &step.scope {
        Some(name) => scope(name, &model.nodes[index].processes, problems)?,
        None if matches!(step.action, "stop" | "start") => Scope::Process,
        None => Scope::Host,
    };
    Some(match step.action {
        "crash" => {
            let effect = if step.disk_loss { Effect::CrashDiskLoss } else { Effect::Crash };
            Action::Fail { node, scope, effect }
        }
        "stop" => Action::Fail { node, scope, effect: Effect::Crash },
        "pause" => Action::Fail { node, scope, effect: Effect::Pause },
        "step_clock" => Action::Fail { node, scope, effect: Effect::ClockStep { secs: step.by_secs } },
        _ => Action::Restore { node, scope },
    })
}
