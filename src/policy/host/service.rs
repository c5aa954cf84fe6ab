//! The service as its clients see it: who is served by whom, up or down, and why.

use crate::engine::probe::Probe;
use crate::engine::time::Instant;
use crate::policy::contract::{Conflicts, Phase, Policy, Routing};
use crate::policy::facts::Fact;
use crate::system::ids::{GroupId, NodeId};
use crate::system::spec::Client;

use super::view::{Changed, View, members, size};
use super::{HostCtx, World};

/// What observers remember of a group's service.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupService {
    told: Option<Told>,
    acceptors: Option<Acceptors>,
    /// Members counted as serving when the capacity was told.
    serving: Option<u32>,
    /// Since when some reads have missed writes.
    pub(super) lagging: Option<Instant>,
    /// Nodes that the same devices obey, at most.
    actuators: u8,
    /// The present outage was planned: the members that are missing by plan. One that fails is no longer.
    planned: Option<u64>,
    /// A changeover was ordered, and the service has not been up after it yet.
    ordered: Option<Instant>,
}

impl GroupService {
    /// A changeover was ordered and is being carried out.
    pub(super) fn ordered(&mut self, now: Instant) {
        self.ordered = Some(now);
    }

    /// When it was ordered.
    pub(super) fn ordered_at(&self) -> Option<Instant> {
        self.ordered
    }

    /// It has come to nothing: what lasts of an outage is planned only if planned work has ended it.
    pub(super) fn order_died(&mut self, works: bool) {
        self.ordered = None;
        self.planned = self.planned.filter(|_| works);
    }

    /// A member has failed: if it was missing by plan, it is missing by that fault from here on.
    pub(super) fn fails(&mut self, member: usize) {
        if let Some(planned) = &mut self.planned {
            *planned &= !(1 << member);
        }
    }
}

/// What was told last of a service.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Told {
    up: bool,
    writes: bool,
    reads: bool,
    by: Option<NodeId>,
    cause: Phase,
}

/// What was told last of who accepts its writes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Acceptors {
    believing: u8,
    accepting: u8,
    exposed: u8,
}

/// Whether a group's service has to be looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stale {
    No,
    /// If its members are not what they were.
    Perhaps,
    Yes,
}

/// How much of a client's work is served.
#[derive(Clone, Copy, Debug, Default)]
struct Served {
    writes: f64,
    reads: f64,
    both: f64,
}

impl Served {
    /// Adds what is served of one client's work; of a kind that it does not ask for nothing is missing.
    fn add(&mut self, client: &Client, served: Served) {
        let (writes, reads) = (client.write_rate > 0.0, client.read_rate > 0.0);
        self.writes += client.weight * if writes || !reads { served.writes } else { 1.0 };
        self.reads += client.weight * if reads { served.reads } else { 1.0 };
        self.both += client.weight
            * match (writes, reads) {
                (true, true) => served.both,
                (false, true) => served.reads,
                _ => served.writes,
            };
    }
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn evaluate_of(&mut self, node: NodeId) {
        if let Some((group, _)) = self.setup.member[node.index()] {
            self.evaluate(group);
        }
    }

    /// Notes that a group's members may have changed: its service is looked at again at the end of this event if they
    /// have. Whatever happens within one event happens at one instant, and clients see only the outcome.
    pub(super) fn evaluate(&mut self, group: GroupId) {
        if let Some(stale) = self.stale.get_mut(group.index()) {
            *stale = (*stale).max(Stale::Perhaps);
        }
    }

    /// Notes that a group's service has to be looked at again in any case: something changed that is not in its view
    /// (clients, ways, checks, a newer activation).
    pub(super) fn touch(&mut self, group: GroupId) {
        if let Some(stale) = self.stale.get_mut(group.index()) {
            *stale = Stale::Yes;
        }
    }

    /// Looks at every service that was noted.
    #[inline]
    pub(super) fn look_at_services(&mut self, ctx: &mut HostCtx<'_, P>) {
        if self.stale.iter().any(|stale| *stale != Stale::No) {
            self.look_at_stale_services(ctx);
        }
    }

    #[inline(never)]
    fn look_at_stale_services(&mut self, ctx: &mut HostCtx<'_, P>) {
        for g in 0..self.stale.len() {
            let stale = std::mem::replace(&mut self.stale[g], Stale::No);
            let group = GroupId::from(g);
            if stale == Stale::No {
                continue;
            }
            match (self.read_view(group), stale) {
                (Changed::Service, _) | (_, Stale::Yes) => self.look_at_service(group, ctx),
                (Changed::Background, _) if self.is_down(group) => self.tell_service(group, ctx.now()),
                (Changed::Background | Changed::Nothing, _) => {}
            }
            self.tell_staleness(group, ctx.now());
        }
    }

    fn is_down(&self, group: GroupId) -> bool {
        self.groups[group.index()].service.told.is_some_and(|told| !told.up)
    }

    fn view(&self, group: GroupId) -> &View {
        &self.groups[group.index()].view
    }

    #[inline(never)]
    fn look_at_service(&mut self, group: GroupId, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        self.look_at_clients(group, ctx);
        self.settle_books(group, now);
        self.tell_acceptors(group, now);
        self.tell_service(group, now);
        self.tell_capacity(group, now);
        self.look_at_merging(group, now);
    }

    fn tell_acceptors(&mut self, group: GroupId, now: Instant) {
        let g = group.index();
        let design = &self.setup.designs[g];
        if !matches!(design.conflicts, Conflicts::Exclusive) {
            return;
        }
        let clients = &self.setup.clients_of[g];
        let view = &self.groups[g].view;
        let mut worst = (0, 0);
        let (mut written, mut actuating) = (0, 0);
        for (slot, &set) in view.accepting.iter().enumerate() {
            let set = set & !view.of.blocked;
            let exposed = clients.all.iter().fold(0, |all, &c| all | self.reached(c, set));
            worst = worst.max((size(set), size(exposed)));
            let obeyed = clients.devices.iter().map(|&c| size(self.reached(c, set))).max();
            actuating = obeyed.unwrap_or(0).max(actuating);
            if size(set) >= 2 {
                let all = clients.all.iter().fold(0, |all, &c| all | self.clients[c].writing(slot));
                written = written.max(size(all & set));
            }
        }
        let believing = self.believing(group) as u8;
        let told = Acceptors { believing, accepting: worst.0 as u8, exposed: worst.1 as u8 };
        let number = actuating as u8;
        let service = &mut self.groups[g].service;
        let before = service.acceptors.replace(told);
        let actuators = std::mem::replace(&mut service.actuators, number);
        if before != Some(told) {
            let Acceptors { believing, accepting, exposed } = told;
            self.emit(now, Fact::Acceptors { group, believing, accepting, exposed });
        }
        if actuators != number {
            self.emit(now, Fact::Actuators { group, number });
        }
        if written >= 2 {
            self.diverge(group, now);
        }
    }

    /// Members that believe to be active: where the work has several parts, in the same part of it, whichever has most.
    fn believing(&self, group: GroupId) -> u32 {
        let g = group.index();
        let active = self.view(group).of.active;
        let slots = self.setup.designs[g].slots;
        if slots == 1 {
            return size(active);
        }
        let nodes = &self.setup.model.groups[g].nodes;
        let part = |member: usize| self.nodes[nodes[member].index()].stance.and_then(|stance| stance.accepts);
        let of_part = |slot| members(active).filter(|&member| part(member) == Some(slot)).count() as u32;
        (0..slots).map(of_part).max().unwrap_or(0)
    }

    /// How much of one client's work is served now.
    fn served(&self, c: usize, group: GroupId) -> Served {
        let design = &self.setup.designs[group.index()];
        if let Routing::Balanced { redispatch, fail_open, .. } = design.routing {
            return self.served_balanced(c, group, redispatch, fail_open);
        }
        let slots = f64::from(design.slots);
        let mut served = Served::default();
        for slot in 0..usize::from(design.slots) {
            let part = self.served_of_part(c, group, slot);
            served.writes += part.writes / slots;
            served.reads += part.reads / slots;
        }
        served.both = served.writes.min(served.reads);
        served
    }

    /// How much of one client's work of one part is served now: by the node that it is connected to, and reads also by
    /// those who answer them from their copy.
    fn served_of_part(&self, c: usize, group: GroupId, slot: usize) -> Served {
        let view = self.view(group);
        // A paused or cut-off node keeps its clients waiting.
        let connected = self.clients[c].ready_at(slot).map_or(0, |member| view.of.running & (1 << member));
        let reading = connected | self.reached(c, self.readers(group, slot));
        let share = |set: u64| f64::from(u8::from(set != 0));
        let (writes, reads) = (share(connected & !view.of.blocked), share(reading));
        Served { writes, reads, both: writes.min(reads) }
    }

    /// Members that answer reads of a part of the work whoever has been connected to whom: standbys, where the protocol
    /// has them answer, and the node that they read from since before it took the part.
    pub(super) fn readers(&self, group: GroupId, slot: usize) -> u64 {
        if !self.setup.designs[group.index()].standby_reads {
            return 0;
        }
        let view = self.view(group);
        let others = view.accepting.iter().enumerate().filter(|(other, _)| *other != slot);
        view.of.reads & !others.fold(0, |all, (_, set)| all | set)
    }

    fn served_balanced(&self, c: usize, group: GroupId, redispatch: bool, fail_open: bool) -> Served {
        let (pool, working) = self.pool(c, group, fail_open);
        let share = match (working, redispatch) {
            (0, _) => 0.0,
            (_, true) => 1.0,
            (_, false) => f64::from(working.count_ones()) / f64::from(pool.count_ones()),
        };
        Served { writes: share, reads: share, both: share }
    }

    /// The balancer's pool beside a client, and those members of it that would serve a request.
    pub(super) fn pool(&self, c: usize, group: GroupId, fail_open: bool) -> (u64, u64) {
        let nodes = &self.setup.model.groups[group.index()].nodes;
        let mut pool = 0_u64;
        for (member, &node) in nodes.iter().enumerate() {
            let trusted =
                self.checks.iter().any(|k| k.client == c && k.node == node && !k.check.is_suspected());
            if trusted {
                pool |= 1 << member;
            }
        }
        if pool == 0 && fail_open {
            pool = (1 << nodes.len()) - 1;
        }
        (pool, self.reached(c, self.view(group).accepting[0]) & pool)
    }

    fn tell_service(&mut self, group: GroupId, now: Instant) {
        let g = group.index();
        let model = &self.setup.model;
        let (mut weight, mut sum) = (0.0, Served::default());
        for &c in &self.setup.clients_of[g].asking {
            let client = &model.clients[c];
            weight += client.weight;
            sum.add(client, self.served(c, group));
        }
        if weight == 0.0 {
            // Nobody asks: the service is up when every part of the work has somebody who accepts it.
            let accepting = &self.groups[g].view.accepting;
            let filled = accepting.iter().filter(|set| **set != 0).count();
            let share = filled as f64 / accepting.len() as f64;
            weight = 1.0;
            sum = Served { writes: share, reads: share, both: share };
        }
        let enough = |served: f64| served / weight >= model.up_share - 1e-12;
        let up = enough(sum.both);
        // The member that serves the first part of the work that is served.
        let mut by = None;
        for slot in 0..self.groups[g].view.accepting.len() {
            let Some(member) = self.serves_part(group, slot) else { continue };
            by = by.or(Some(model.groups[g].nodes[member]));
            if up || self.is_part_up(group, slot) {
                self.served_by(group, slot, member, now);
            }
        }
        let was_up = self.groups[g].service.told.is_none_or(|told| told.up);
        if up {
            self.groups[g].service.planned = None;
        } else if was_up {
            self.groups[g].service.planned = self.planned_at_first(group, now);
        } else if let Some(planned) = self.groups[g].service.planned {
            self.groups[g].service.planned =
                Some(planned).filter(|_| self.is_still_planned(planned, group, now));
        }
        if up && !self.groups[g].takeovers.is_ordered(now) {
            self.groups[g].service.ordered = None;
        }
        let cause = if up { Phase::Detect } else { self.cause(group) };
        let told = Told { up, writes: enough(sum.writes), reads: enough(sum.reads), by, cause };
        if self.groups[g].service.told.replace(told) != Some(told) {
            let Told { up, writes, reads, by, cause } = told;
            self.emit(now, Fact::Service { group, up, writes, reads, by, cause });
        }
    }

    /// Whether enough clients are served with one part of the work, where there are several: one that is taken over is
    /// back, whatever becomes of the others.
    fn is_part_up(&self, group: GroupId, slot: usize) -> bool {
        let g = group.index();
        let (model, asking) = (&self.setup.model, &self.setup.clients_of[g].asking);
        if self.groups[g].view.accepting.len() == 1 {
            return false; // that is the service
        }
        let (mut weight, mut sum) = (0.0, Served::default());
        for &c in asking {
            weight += model.clients[c].weight;
            sum.add(&model.clients[c], self.served_of_part(c, group, slot));
        }
        sum.both >= weight * (model.up_share - 1e-12)
    }

    /// The member that serves a part of the work: to the first client that it serves, or, where nobody asks, by itself.
    fn serves_part(&self, group: GroupId, slot: usize) -> Option<usize> {
        let asking = &self.setup.clients_of[group.index()].asking;
        if asking.is_empty() {
            return members(self.view(group).accepting[slot]).next();
        }
        asking.iter().find_map(|&c| self.clients[c].ready_at(slot))
    }

    /// Why the service is down, as far as no node's own steps explain it.
    fn cause(&self, group: GroupId) -> Phase {
        if self.groups[group.index()].service.planned.is_some() {
            return Phase::Planned;
        }
        let model = &self.setup.model;
        let view = self.view(group);
        let accepting = view.accepting_any();
        if accepting != 0 {
            let waiting = self
                .clients
                .iter()
                .zip(&model.clients)
                .any(|(state, spec)| spec.to == group && state.is_looking());
            if accepting & view.of.blocked != 0 {
                return Phase::NoQuorum;
            }
            if waiting {
                return Phase::Reconnect;
            }
            let unreached = (0..self.clients.len())
                .any(|c| model.clients[c].to == group && self.reached(c, accepting) != accepting);
            let all_slots = accepting.count_ones() >= u32::from(self.setup.designs[group.index()].slots);
            if unreached && all_slots {
                return Phase::Network;
            }
        }
        let balanced = self.setup.designs[group.index()].routing != Routing::Accepting;
        if view.of.spare != 0 || (balanced && accepting != 0) {
            Phase::Detect
        } else if view.of.withheld != 0 {
            Phase::NoQuorum
        } else if view.of.starting != 0 {
            Phase::Restart
        } else {
            Phase::NoSpare
        }
    }

    fn tell_capacity(&mut self, group: GroupId, now: Instant) {
        let design = &self.setup.designs[group.index()];
        let most = if matches!(design.conflicts, Conflicts::Exclusive) { 1 } else { u32::MAX };
        let required = design.required.max(1);
        let serving: u32 = self.view(group).accepting.iter().map(|set| size(*set).min(most)).sum();
        let serving = serving.min(required);
        if self.groups[group.index()].service.serving == Some(serving) {
            return;
        }
        self.groups[group.index()].service.serving = Some(serving);
        let share = f64::from(serving) / f64::from(required);
        self.emit(now, Fact::Capacity { group, millionths: (share * 1e6).round() as u32 });
    }
}
