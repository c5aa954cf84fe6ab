//! What a model has, and so which measures: one that a model cannot have is absent, never zero.

use crate::engine::time::Span;
use crate::policy::contract::{Conflicts, Design, Merge, Phase, Policy, Routing};
use crate::policy::host::Setup;
use crate::system::ids::{LinkId, NodeId};
use crate::system::spec::{Action, Client, Content, DuringDual};

use super::catalog::{Measure, Needs};

/// What the service or a group has.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    has: Vec<Needs>,
    phases: Vec<Phase>,
    pub(super) nodes: f64,
    pub(super) node_cost: f64,
    pub(super) outage_cost: Option<f64>,
}

impl Shape {
    /// That of these groups together.
    pub(super) fn new<P: Policy>(setup: &Setup<P>, groups: &[usize]) -> Shape {
        let model = &setup.model;
        let mut has = vec![Needs::Nothing];
        let asked: Vec<&Client> =
            model.clients.iter().filter(|k| groups.contains(&k.to.index()) && !k.is_field).collect();
        has.extend(asks(&asked));
        if setup.requests && !asked.is_empty() {
            has.push(Needs::Requests);
            let stations = groups.iter().flat_map(|&g| &model.groups[g].nodes);
            if stations.into_iter().any(|n| model.nodes[n.index()].station.is_some()) {
                has.push(Needs::Stations);
            }
        }
        let mut phases = Vec::new();
        for &g in groups {
            let clients: Vec<&Client> = model.clients.iter().filter(|k| k.to.index() == g).collect();
            has.extend(of_group(&setup.designs[g], is_redundant(setup, g), &clients));
            has.extend(may_lag(setup, g, &clients).then_some(Needs::Staleness));
            phases.extend(phases_of(setup, g));
        }
        has.extend(model.objectives.availability.as_ref().map(|_| Needs::Availability));
        has.extend(model.objectives.rto.map(|_| Needs::Rto));
        if has.contains(&Needs::Ledger) {
            has.extend(model.objectives.rpo.map(|_| Needs::Rpo));
        }
        let costs: Vec<f64> = model.nodes.iter().filter_map(|node| node.cost_per_year).collect();
        if !costs.is_empty() || model.outage_cost_per_hour.is_some() {
            has.push(Needs::Cost);
        }
        Shape {
            has,
            phases,
            nodes: groups.iter().map(|&g| model.groups[g].nodes.len() as f64).sum(),
            node_cost: costs.iter().sum(),
            outage_cost: model.outage_cost_per_hour,
        }
    }

    pub(super) fn has(&self, measure: &Measure) -> bool {
        self.has.contains(&measure.needs)
    }

    /// Whether an outage can have this cause.
    pub(super) fn can_be_in(&self, phase: Phase) -> bool {
        self.phases.contains(&phase)
    }
}

/// What people and programs ask for. Where nobody asks, a service counts as asked for both.
fn asks(clients: &[&Client]) -> Vec<Needs> {
    let asked = |rate: fn(&Client) -> f64| clients.iter().any(|k| k.weight > 0.0 && rate(k) > 0.0);
    let (writes, reads) = (asked(|k| k.write_rate), asked(|k| k.read_rate));
    let both = !writes && !reads;
    [(writes || both).then_some(Needs::Writes), (reads || both).then_some(Needs::Reads)]
        .into_iter()
        .flatten()
        .collect()
}

/// Whether a group has a node that can do another one's work.
fn is_redundant<P: Policy>(setup: &Setup<P>, g: usize) -> bool {
    setup.model.groups[g].nodes.len() > 1 && setup.designs[g].redundant
}

fn may_lag<P: Policy>(setup: &Setup<P>, g: usize, clients: &[&Client]) -> bool {
    let design = &setup.designs[g];
    let merges = matches!(design.conflicts, Conflicts::LastWriterWins { .. });
    let behind = is_redundant(setup, g) && (merges || (design.stores && design.standby_reads));
    behind && clients.iter().any(|k| k.read_rate > 0.0) && setup.model.objectives.staleness.is_some()
}

fn of_group(design: &Design, several: bool, clients: &[&Client]) -> Vec<Needs> {
    let is_written = clients.iter().any(|k| k.write_rate > 0.0);
    let written = |content: Content| {
        design.stores && clients.iter().any(|k| k.write_rate > 0.0 && k.content == content)
    };
    let mut has = Vec::new();
    let mut add = |need: Needs, holds: bool| has.extend(holds.then_some(need));
    add(Needs::Several, several);
    add(Needs::Field, clients.iter().any(|k| k.is_field));
    match design.conflicts {
        Conflicts::Exclusive => {
            add(Needs::Ledger, is_written && design.stores);
            add(Needs::Exclusive, several);
            add(Needs::Detector, several);
            add(Needs::Divergence, several && is_written && design.stores);
            add(Needs::Sync, several && is_written && design.stores && design.synchronous);
            add(Needs::Configuration, written(Content::Configuration));
            let merges = several && matches!(design.merge, Merge::ByTime { .. });
            add(Needs::TakenIn, merges && (written(Content::Records) || written(Content::Values)));
            add(Needs::Merge, merges && written(Content::Values));
            let obeyed = |k: &&Client| k.is_field && k.during_dual == DuringDual::Both;
            add(Needs::Actuators, several && clients.iter().any(obeyed));
            let keeps = |k: &&Client| k.is_field && k.buffer > Span::ZERO;
            let replays = design.windback && clients.iter().any(keeps);
            add(Needs::Replay, replays);
            add(Needs::Order, replays);
        }
        Conflicts::LastWriterWins { .. } => {
            for need in [Needs::Merge, Needs::Ledger, Needs::Order] {
                add(need, is_written);
            }
            add(Needs::Divergence, several && is_written);
        }
        Conflicts::Stateless => {}
    }
    has
}

/// The causes that an outage of a group can have: what its nodes go through, and what befalls them.
fn phases_of<P: Policy>(setup: &Setup<P>, g: usize) -> Vec<Phase> {
    let (model, design, group) = (&setup.model, &setup.designs[g], &setup.model.groups[g]);
    let of_group = |(c, client): (usize, &Client)| (client.to.index() == g).then_some(c);
    let links = || (0..model.links.len()).map(LinkId::from);
    let over_links = |c: usize| links().any(|link| setup.client_uses(c, link));
    let is_in = |nodes: &[NodeId]| nodes.iter().any(|node| group.nodes.contains(node));
    let ordered = |action: &Action| matches!(action, Action::Changeover { .. });
    let balanced = design.routing != Routing::Accepting;
    let mut list = design.phases.clone();
    let mut add = |phase: Phase, holds: bool| list.extend(holds.then_some(phase));
    add(Phase::NoSpare, true);
    add(Phase::Restart, true);
    add(Phase::Detect, is_redundant(setup, g) || balanced);
    add(Phase::Reconnect, !balanced);
    add(Phase::Network, model.clients.iter().enumerate().filter_map(of_group).any(over_links));
    let is_planned = model.maintenance.iter().any(|work| is_in(&work.nodes))
        || model.changeovers.iter().any(|changeover| changeover.group.index() == g)
        || model.script.iter().any(|step| ordered(&step.action));
    add(Phase::Planned, is_planned);
    list
}
