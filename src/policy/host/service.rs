//! The service as its clients see it: who is served by whom, up or down, and why.

use crate::engine::agenda::Slot;
use crate::engine::probe::Probe;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Conflicts, Phase, Policy, Routing};
use crate::policy::facts::Fact;
use crate::system::ids::{ClientId, GroupId, NodeId};
use crate::system::spec::DuringDual;

use super::view::{Changed, View};
use super::{Event, HostCtx, World, class};

/// The node a client uses for one part of the work.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Attached {
    member: usize,
    incarnation: u32,
    ready: bool,
}

/// A class of clients.
#[derive(Clone, Debug)]
pub(super) struct ClientState {
    at: Vec<Option<Attached>>,
    last: Vec<Option<(usize, u32)>>,
    /// Members that accept its writes at present, by slot, one bit each.
    writing: Vec<u64>,
    /// Events of devices that nobody takes.
    pub(super) held: super::field::HeldBack,
    /// By part of the work: when the client has found who serves it now.
    timers: Vec<Slot>,
    stream: Stream,
}

impl ClientState {
    /// Parts of the work.
    pub(super) fn slots(&self) -> usize {
        self.at.len()
    }

    /// Members that take its writes of a part.
    pub(super) fn writing(&self, slot: usize) -> u64 {
        self.writing[slot]
    }

    /// The member it was connected to last, and which of its processes that was.
    pub(super) fn last_at(&self, slot: usize) -> Option<(usize, u32)> {
        self.last[slot]
    }

    /// The member it is connected to.
    pub(super) fn ready_at(&self, slot: usize) -> Option<usize> {
        self.at[slot].filter(|at| at.ready).map(|at| at.member)
    }
}

/// What observers remember of a group's service.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupService {
    told: Option<Fact>,
    acceptors: Option<Fact>,
    /// Members counted as serving when the capacity was told.
    serving: Option<u32>,
    /// Since when some reads have missed writes.
    pub(super) lagging: Option<Instant>,
    /// Nodes that the same devices obey, at most.
    actuators: u8,
    /// The present outage was planned.
    planned: bool,
    /// A changeover was ordered and has not been carried out yet.
    ordered: Option<Instant>,
}

impl GroupService {
    pub(super) fn ordered(&mut self, now: Instant) {
        self.ordered = Some(now);
    }
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

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn begin_clients(&mut self, ctx: &mut HostCtx<'_, P>) {
        for (c, client) in self.setup.model.clients.iter().enumerate() {
            let slots = usize::from(self.setup.designs[client.to.index()].slots);
            let timers = (0..slots)
                .map(|slot| {
                    ctx.slot(Self::rank(class::WORKLOAD, c), Event::Reconnect(ClientId::from(c), slot as u8))
                })
                .collect();
            let stream = self.setup.keys.clients[c].reconnect.open(self.run);
            self.clients.push(ClientState {
                at: vec![None; slots],
                last: vec![None; slots],
                writing: vec![0; slots],
                held: super::field::HeldBack::new(slots),
                timers,
                stream,
            });
        }
    }

    pub(super) fn reconnected(&mut self, client: ClientId, slot: u8) {
        let state = &mut self.clients[client.index()];
        let slot = usize::from(slot);
        if let Some(at) = &mut state.at[slot] {
            at.ready = true;
            state.last[slot] = Some((at.member, at.incarnation));
        }
        self.touch(self.setup.model.clients[client.index()].to);
    }

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
    pub(super) fn look_at_services(&mut self, ctx: &mut HostCtx<'_, P>) {
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
        matches!(self.groups[group.index()].service.told, Some(Fact::Service { up: false, .. }))
    }

    fn view(&self, group: GroupId) -> &View {
        &self.groups[group.index()].view
    }

    fn look_at_service(&mut self, group: GroupId, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        for &c in &self.setup.clients_of[group.index()] {
            self.attach(c, group, ctx);
            self.book(c, group, now);
        }
        self.settle_books(group, now);
        self.tell_acceptors(group, now);
        self.tell_service(group, now);
        self.tell_capacity(group, now);
        self.look_at_merging(group, now);
    }

    /// Finds the node a client uses for each part of the work.
    fn attach(&mut self, c: usize, group: GroupId, ctx: &mut HostCtx<'_, P>) {
        if self.setup.designs[group.index()].routing != Routing::Accepting {
            return;
        }
        let client = &self.setup.model.clients[c];
        for slot in 0..self.clients[c].at.len() {
            let candidates = self.reached(c, self.view(group).accepting[slot]);
            let now_at = self.clients[c].at[slot];
            let stays = now_at.is_some_and(|at| {
                candidates & (1 << at.member) != 0 && self.incarnation(group, at.member) == at.incarnation
            });
            if stays && (client.during_dual != DuringDual::Latest || candidates.count_ones() == 1) {
                continue;
            }
            let Some(member) = self.choose(c, group, slot, candidates) else {
                self.clients[c].at[slot] = None;
                continue;
            };
            let incarnation = self.incarnation(group, member);
            if stays && now_at.is_some_and(|at| at.member == member) {
                continue;
            }
            let known =
                self.clients[c].last[slot] == Some((member, incarnation)) || ctx.now() == Instant::ZERO;
            let state = &mut self.clients[c];
            let wait = if known { Span::ZERO } else { client.reconnect.sample(state.stream.uniform()) };
            let ready = wait == Span::ZERO;
            state.at[slot] = Some(Attached { member, incarnation, ready });
            if ready {
                state.last[slot] = Some((member, incarnation));
            } else {
                let timer = state.timers[slot];
                ctx.arm(timer, ctx.now() + wait);
            }
        }
    }

    fn incarnation(&self, group: GroupId, member: usize) -> u32 {
        self.nodes[self.setup.model.groups[group.index()].nodes[member].index()].incarnation
    }

    fn choose(&self, c: usize, group: GroupId, slot: usize, candidates: u64) -> Option<usize> {
        let client = &self.setup.model.clients[c];
        let nodes = &self.setup.model.groups[group.index()].nodes;
        let newest = || {
            members(candidates).max_by_key(|&m| {
                let activation = self.nodes[nodes[m].index()].stance.map_or(0, |stance| stance.activation);
                (activation, std::cmp::Reverse(m))
            })
        };
        let last =
            self.clients[c].last[slot].map(|(member, _)| member).filter(|m| candidates & (1 << m) != 0);
        match client.during_dual {
            DuringDual::Nearest => members(candidates)
                .find(|&m| {
                    client.site.is_some() && self.setup.model.nodes[nodes[m].index()].site == client.site
                })
                .or(last)
                .or_else(newest),
            DuringDual::First | DuringDual::Both => last.or_else(newest),
            DuringDual::Latest => newest(),
        }
    }

    /// Opens and closes the ranges of a client's writes in the ledger.
    fn book(&mut self, c: usize, group: GroupId, now: Instant) {
        let client = &self.setup.model.clients[c];
        if client.write_rate == 0.0 {
            return;
        }
        for slot in 0..self.clients[c].at.len() {
            let accepted = if client.is_field && client.during_dual == DuringDual::Both {
                self.reached(c, self.view(group).accepting[slot])
            } else {
                self.clients[c].at[slot].filter(|at| at.ready).map_or(0, |at| 1 << at.member)
            };
            let view = self.view(group);
            let open = accepted & view.accepting[slot] & !view.blocked;
            let before = std::mem::replace(&mut self.clients[c].writing[slot], open);
            if client.is_field {
                self.hold_back(c, slot, open, now);
            }
            let Some(ledger) = self.groups[group.index()].book(slot, client.content) else { continue };
            for member in members(before & !open) {
                ledger.close(member, ClientId::from(c), now);
            }
            for member in members(open & !before) {
                ledger.open(member, ClientId::from(c), now);
            }
        }
    }

    fn tell_acceptors(&mut self, group: GroupId, now: Instant) {
        let design = &self.setup.designs[group.index()];
        if design.conflicts != Conflicts::Exclusive {
            return;
        }
        let mut worst = (0, 0);
        let (mut written, mut actuating) = (0, 0);
        for slot in 0..design.slots {
            let view = self.view(group);
            let set = view.accepting[usize::from(slot)] & !view.blocked;
            let clients = &self.setup.clients_of[group.index()];
            let exposed = clients.iter().fold(0, |all, &c| all | self.reached(c, set));
            worst = worst.max((set.count_ones(), exposed.count_ones()));
            let devices = clients.iter().filter(|&&c| {
                let client = &self.setup.model.clients[c];
                client.is_field && client.during_dual == DuringDual::Both
            });
            let obeyed = devices.map(|&c| self.reached(c, set).count_ones()).max();
            actuating = obeyed.unwrap_or(0).max(actuating);
            let all = clients.iter().fold(0, |all, &c| all | self.clients[c].writing[usize::from(slot)]);
            written = written.max((all & set).count_ones());
        }
        let believing = self.view(group).active.count_ones();
        let extra = believing.saturating_sub(u32::from(design.slots) - 1);
        let fact = Fact::Acceptors {
            group,
            believing: extra as u8,
            accepting: worst.0 as u8,
            exposed: worst.1 as u8,
        };
        if self.groups[group.index()].service.acceptors != Some(fact) {
            self.groups[group.index()].service.acceptors = Some(fact);
            self.emit(now, fact);
        }
        let number = actuating as u8;
        if std::mem::replace(&mut self.groups[group.index()].service.actuators, number) != number {
            self.emit(now, Fact::Actuators { group, number });
        }
        if written >= 2 {
            self.diverge(group, now);
        }
    }

    /// How much of one client's work is served now.
    fn served(&self, c: usize, group: GroupId) -> Served {
        let design = &self.setup.designs[group.index()];
        if let Routing::Balanced { redispatch, fail_open, .. } = design.routing {
            return self.served_balanced(c, group, redispatch, fail_open);
        }
        let slots = f64::from(design.slots);
        let view = self.view(group);
        let mut served = Served::default();
        for at in self.clients[c].at.iter().flatten().filter(|at| at.ready) {
            // A paused or cut-off node keeps its clients waiting.
            let bit = 1 << at.member;
            if view.running & bit == 0 {
                continue;
            }
            served.reads += 1.0 / slots;
            if view.blocked & bit == 0 {
                served.writes += 1.0 / slots;
            }
        }
        if self.reached(c, view.reads) != 0 {
            served.reads = 1.0;
        }
        served.both = served.writes.min(served.reads);
        served
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
        let model = &self.setup.model;
        let (mut weight, mut sum) = (0.0, Served::default());
        for &c in &self.setup.clients_of[group.index()] {
            let client = &model.clients[c];
            if client.is_field {
                continue;
            }
            let served = self.served(c, group);
            let (writes, reads) = (client.write_rate > 0.0, client.read_rate > 0.0);
            weight += client.weight;
            sum.writes += client.weight * if writes || !reads { served.writes } else { 1.0 };
            sum.reads += client.weight * if reads { served.reads } else { 1.0 };
            sum.both += client.weight
                * match (writes, reads) {
                    (true, true) => served.both,
                    (false, true) => served.reads,
                    _ => served.writes,
                };
        }
        if weight == 0.0 {
            // Nobody asks: the service is up when every part of the work has somebody who accepts it.
            let design = &self.setup.designs[group.index()];
            let filled = self.view(group).accepting.iter().filter(|set| **set != 0).count();
            let share = filled as f64 / f64::from(design.slots);
            weight = 1.0;
            sum = Served { writes: share, reads: share, both: share };
        }
        let enough = |served: f64| served / weight >= model.up_share - 1e-12;
        let up = enough(sum.both);
        let by = self.serving_member(group);
        if up {
            for slot in 0..usize::from(self.setup.designs[group.index()].slots) {
                if let Some(member) = self.serves_part(group, slot) {
                    self.served_by(group, slot, member, now);
                }
            }
        }
        let was_up =
            matches!(self.groups[group.index()].service.told, None | Some(Fact::Service { up: true, .. }));
        if was_up && !up {
            self.groups[group.index()].service.planned = self.is_planned(group, now);
        }
        if up {
            self.groups[group.index()].service.ordered = None;
        }
        let cause = if up { Phase::Detect } else { self.cause(group) };
        let fact = Fact::Service {
            group,
            up,
            writes: enough(sum.writes),
            reads: enough(sum.reads),
            by: by.map(|member| model.groups[group.index()].nodes[member]),
            cause,
        };
        if self.groups[group.index()].service.told != Some(fact) {
            self.groups[group.index()].service.told = Some(fact);
            self.emit(now, fact);
        }
    }

    /// The member that serves the first part of the work that is served.
    fn serving_member(&self, group: GroupId) -> Option<usize> {
        let slots = usize::from(self.setup.designs[group.index()].slots);
        (0..slots).find_map(|slot| self.serves_part(group, slot))
    }

    /// The member that serves a part of the work: to the first client that it serves, or, where nobody asks, by itself.
    fn serves_part(&self, group: GroupId, slot: usize) -> Option<usize> {
        let clients = &self.setup.clients_of[group.index()];
        let mut asking = clients.iter().filter(|&&c| !self.setup.model.clients[c].is_field).peekable();
        if asking.peek().is_none() {
            return members(self.view(group).accepting[slot]).next();
        }
        asking.find_map(|&c| self.clients[c].at[slot].filter(|at| at.ready).map(|at| at.member))
    }

    fn is_planned(&self, group: GroupId, now: Instant) -> bool {
        is_carried_out(self.groups[group.index()].service.ordered, now)
            || self.view(group).in_maintenance != 0
    }

    /// Why the service is down, as far as no node's own steps explain it.
    fn cause(&self, group: GroupId) -> Phase {
        if self.groups[group.index()].service.planned {
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
                .any(|(state, spec)| spec.to == group && state.at.iter().flatten().any(|at| !at.ready));
            if accepting & view.blocked != 0 {
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
        if view.spare != 0 || (balanced && accepting != 0) {
            Phase::Detect
        } else if view.withheld != 0 {
            Phase::NoQuorum
        } else if view.starting != 0 {
            Phase::Restart
        } else {
            Phase::NoSpare
        }
    }

    fn tell_capacity(&mut self, group: GroupId, now: Instant) {
        let design = &self.setup.designs[group.index()];
        let most = if design.conflicts == Conflicts::Exclusive { 1 } else { u32::MAX };
        let required = design.required.max(1);
        let serving: u32 = self.view(group).accepting.iter().map(|set| set.count_ones().min(most)).sum();
        let serving = serving.min(required);
        if self.groups[group.index()].service.serving == Some(serving) {
            return;
        }
        self.groups[group.index()].service.serving = Some(serving);
        let share = f64::from(serving) / f64::from(required);
        self.emit(now, Fact::Capacity { group, millionths: (share * 1e6).round() as u32 });
    }
}

/// The members of a set, in order.
pub(super) fn members(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let member = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(member)
    })
}

/// A changeover that has not begun after this was refused.
const ORDER_LASTS: Span = Span::from_whole_secs(600);

/// Whether what happens now can be a changeover that was ordered then.
pub(super) fn is_carried_out(ordered: Option<Instant>, now: Instant) -> bool {
    ordered.is_some_and(|at| now.since(at) <= ORDER_LASTS)
}
