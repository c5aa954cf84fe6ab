//! Replication between the nodes of a group, and its ledger.

use crate::engine::agenda::Slot;
use crate::engine::probe::Probe;
use crate::engine::time::Instant;
use crate::policy::contract::{Conflicts, Notice, Policy, Role};
use crate::policy::facts::Fact;
use crate::service::ledger::{Disposal, InFlight, Ledger, Loss};
use crate::service::replication::{Change, Copying, Replication};
use crate::system::ids::{GroupId, NodeId};
use crate::system::spec::Classes;

use super::takeover::Takeovers;
use super::{Event, HostCtx, World, class};

#[derive(Clone, Debug)]
struct Copy {
    replication: Replication,
    timer: Slot,
    /// The part of the work whose writes it copies.
    slot: usize,
    /// The node it leads to, or beside which the store stands.
    toward: NodeId,
}

/// What a group of nodes has in common for observers; no node sees it.
#[derive(Clone, Debug)]
pub(super) struct GroupState {
    copies: Vec<Copy>,
    /// One book for each part of the work; none where nothing is stored.
    pub(super) ledgers: Vec<Ledger>,
    /// Whether a member that gives its role up has its writes merged by the winner.
    merges: Vec<bool>,
    degraded: bool,
    /// What its nodes and those who check them have told each other so far, in the mean.
    pub(super) messages: f64,
    /// Where all members take writes.
    pub(super) merging: Option<super::merging::Merging>,
    pub(super) takeovers: Takeovers,
    pub(super) service: super::service::GroupService,
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn begin_groups(&mut self, _ctx: &mut HostCtx<'_, P>) {
        let model = &self.setup.model;
        for (g, group) in model.groups.iter().enumerate() {
            let design = &self.setup.designs[g];
            let books =
                if design.conflicts == Conflicts::Exclusive && design.stores { design.slots } else { 0 };
            let ledgers = (0..books)
                .map(|slot| {
                    let key = self.setup.key(&format!("group:{}", group.name), &format!("ledger:{slot}"));
                    let share = 1.0 / f64::from(design.slots);
                    let stream = key.open(self.run);
                    Ledger::new(group.nodes.len(), model.clients.len(), share, self.setup.requests, stream)
                })
                .collect();
            self.groups.push(GroupState {
                copies: Vec::new(),
                ledgers,
                merges: vec![false; group.nodes.len()],
                degraded: false,
                messages: 0.0,
                merging: super::merging::Merging::new(
                    design.conflicts,
                    group.nodes.len(),
                    self.setup.key(&format!("group:{}", group.name), "merging").open(self.run),
                ),
                takeovers: Takeovers::new(usize::from(design.slots), group.nodes.len()),
                service: super::service::GroupService::default(),
            });
        }
    }

    pub(super) fn has_data(&self, group: GroupId, member: usize) -> bool {
        let store = self.setup.model.groups[group.index()].nodes.len();
        let has = |ledger: &Ledger| ledger.has_data(member) || ledger.has_data(store);
        self.groups.get(group.index()).is_none_or(|g| g.ledgers.iter().all(has))
    }

    /// Whether nobody has any data left: a person would know.
    pub(super) fn is_all_lost(&self, group: GroupId) -> bool {
        self.groups.get(group.index()).is_some_and(|g| g.ledgers.iter().any(|ledger| !ledger.has_any_data()))
    }

    /// A node that takes over restores the last backup, where there is one and its own data is behind it.
    pub(super) fn restore_backup(&mut self, group: GroupId, slot: usize, member: usize, now: Instant) {
        let g = group.index();
        let store = self.setup.model.groups[g].nodes.len();
        let how = Disposal { windback: self.setup.designs[g].windback, merge: false };
        let clients = &self.setup.model.clients;
        let Some(ledger) = self.groups[g].ledgers.get_mut(slot) else { return };
        for loss in ledger.restore(member, store, now, how, clients) {
            self.lost(group, loss, now);
        }
    }

    /// Writes down what every copy in step holds and lets the book forget what is safe.
    pub(super) fn settle_books(&mut self, group: GroupId, now: Instant) {
        let g = group.index();
        if !self.groups[g].ledgers.iter().any(Ledger::wants_settling) {
            return;
        }
        for index in 0..self.groups[g].copies.len() {
            let copy = &mut self.groups[g].copies[index];
            if copy.replication.is_quiet() {
                let (upto, in_flight) = copy.replication.position(now);
                self.write_down(group, index, upto, in_flight);
            }
        }
        for ledger in &mut self.groups[g].ledgers {
            ledger.settle();
        }
    }

    fn node_at(&self, group: GroupId, member: usize) -> NodeId {
        self.setup.model.groups[group.index()].nodes[member]
    }

    pub(super) fn begin_copy(
        &mut self,
        from: NodeId,
        to: NodeId,
        copying: Copying,
        ctx: &mut HostCtx<'_, P>,
    ) {
        let now = ctx.now();
        let (Some((group, source)), Some((_, target))) =
            (self.setup.member[from.index()], self.setup.member[to.index()])
        else {
            return;
        };
        // The program's stance is read only after its callback, but the slot it copies is known from its belief.
        let program = self.nodes[from.index()].program.as_ref();
        let slot = usize::from(program.and_then(|p| p.stance().accepts).unwrap_or(0));
        let g = group.index();
        // Backups go to one store beside the standbys, whose data survives theirs.
        let target = if copying.needs_peer() { target } else { self.setup.model.groups[g].nodes.len() };
        let copies = &self.groups[g].copies;
        let known = copies.iter().position(|c| c.replication.from == source && c.replication.to == target);
        let index = known.unwrap_or_else(|| {
            let model = &self.setup.model;
            let entity = format!("node:{}", model.nodes[from.index()].name);
            let key = self.setup.key(&entity, &format!("copy:{}", model.nodes[to.index()].name));
            let index = self.groups[g].copies.len();
            let timer = ctx.slot(Self::rank(class::SERVICE, from.index()), Event::Copy(group, index as u16));
            let replication = Replication::new(source, target, copying.clone(), key.open(self.run));
            self.groups[g].copies.push(Copy { replication, timer, slot, toward: to });
            index
        });
        let copy = &mut self.groups[g].copies[index];
        copy.replication.copying = copying;
        copy.slot = slot;
        copy.toward = to;
        copy.replication.stop(now);
        if now == Instant::ZERO {
            copy.replication.begin_in_step(now);
        }
    }

    /// A node stops being a source: what its copies hold is written down.
    pub(super) fn copies_from_end(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let Some((group, member)) = self.setup.member[node.index()] else { return };
        let now = ctx.now();
        let g = group.index();
        for index in 0..self.groups[g].copies.len() {
            let copy = &mut self.groups[g].copies[index];
            if copy.replication.from != member {
                continue;
            }
            ctx.disarm(copy.timer);
            if let Some((upto, in_flight)) = copy.replication.stop(now) {
                self.write_down(group, index, upto, in_flight);
            }
        }
        self.degraded_changed(group, now);
    }

    fn write_down(&mut self, group: GroupId, index: usize, upto: Instant, in_flight: Option<InFlight>) {
        let state = &mut self.groups[group.index()];
        let copy = &state.copies[index];
        if let Some(ledger) = state.ledgers.get_mut(copy.slot) {
            ledger.copied(copy.replication.from, copy.replication.to, upto, in_flight);
        }
    }

    pub(super) fn copy_wakes(&mut self, group: GroupId, _index: u16, ctx: &mut HostCtx<'_, P>) {
        self.update_copies(group, ctx);
        self.evaluate(group, ctx);
    }

    pub(super) fn update_copies_of(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        if let Some((group, _)) = self.setup.member[node.index()] {
            self.update_copies(group, ctx);
        }
    }

    /// Notes that a group's replications have to be looked at again at the end of this event.
    pub(super) fn update_copies(&mut self, group: GroupId, _: &mut HostCtx<'_, P>) {
        if let Some(stale) = self.stale_copies.get_mut(group.index()) {
            *stale = true;
        }
    }

    /// Looks at every replication that was noted, and at those that this changes in turn.
    pub(super) fn look_at_copies(&mut self, ctx: &mut HostCtx<'_, P>) {
        while let Some(g) = self.stale_copies.iter().position(|stale| *stale) {
            self.stale_copies[g] = false;
            for index in 0..self.groups[g].copies.len() {
                self.update_copy(GroupId::from(g), index, ctx);
            }
        }
    }

    fn update_copy(&mut self, group: GroupId, index: usize, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        let g = group.index();
        let source = self.groups[g].copies[index].replication.from;
        let (from, to) = (self.node_at(group, source), self.groups[g].copies[index].toward);
        let (alive, reaching) = self.can_copy(from, to, &self.groups[g].copies[index].replication.copying);
        let source_runs = self.nodes[from.index()].program.is_some();
        if !source_runs {
            return;
        }
        let copy = &mut self.groups[g].copies[index];
        let change = copy.replication.update(now, alive, reaching);
        ctx.arm(copy.timer, copy.replication.wake_at().max(now));
        if change == Change::None {
            return;
        }
        self.emit(now, Fact::Replication { from, to, change });
        match change {
            Change::Begins => self.adopts(group, index, now),
            Change::InStep => {
                self.write_down(group, index, now, None);
                self.degraded_changed(group, now);
                self.notify(from, Notice::InStep { peer: to, source: true }, ctx);
                if self.groups[g].copies[index].replication.copying.needs_peer() {
                    self.notify(to, Notice::InStep { peer: from, source: false }, ctx);
                }
            }
            Change::Stalls => {
                let (upto, in_flight) = self.groups[g].copies[index].replication.left();
                self.write_down(group, index, upto, in_flight);
            }
            Change::Breaks => {
                let copy = &self.groups[g].copies[index].replication;
                if copy.fell_out() {
                    let (upto, in_flight) = copy.left();
                    self.write_down(group, index, upto, in_flight);
                }
                self.notify(from, Notice::OutOfStep { peer: to }, ctx);
                let needs_peer = self.groups[g].copies[index].replication.copying.needs_peer();
                if needs_peer && self.nodes[to.index()].program.is_some() {
                    self.notify(to, Notice::OutOfStep { peer: from }, ctx);
                }
            }
            Change::Resumes | Change::None => {}
        }
        self.degraded_changed(group, now);
        if !self.is_blocked(group, source) {
            self.release_requests(from, ctx);
        }
        self.evaluate(group, ctx);
    }

    /// Whether both ends of a replication exist, and whether they reach each other.
    fn can_copy(&self, from: NodeId, to: NodeId, copying: &Copying) -> (bool, bool) {
        let (source, target) = (&self.nodes[from.index()], &self.nodes[to.index()]);
        let sends = source.stance.is_some_and(|stance| stance.accepts.is_some());
        let open = self.medium(from, to, Classes::REPLICATION).is_some()
            && self.medium(to, from, Classes::REPLICATION).is_some();
        if !copying.needs_peer() {
            return (sends, open && !source.is_paused());
        }
        let willing =
            matches!(target.role(), Some(Role::Standby | Role::Syncing | Role::Starting | Role::Isolated));
        (sends && willing, open && !source.is_paused() && !target.is_paused())
    }

    /// The copy gives up what it has beyond the source's history.
    fn adopts(&mut self, group: GroupId, index: usize, now: Instant) {
        let g = group.index();
        let (source, target, slot) = {
            let copy = &self.groups[g].copies[index];
            (copy.replication.from, copy.replication.to, copy.slot)
        };
        let merge = self.groups[g].merges.get_mut(target).is_some_and(std::mem::take);
        let how = Disposal { windback: self.setup.designs[g].windback, merge };
        let clients = &self.setup.model.clients;
        let Some(ledger) = self.groups[g].ledgers.get_mut(slot) else { return };
        for loss in ledger.adopt(target, source, now, how, clients) {
            self.lost(group, loss, now);
        }
        self.reconciled(group, now);
    }

    pub(super) fn disk_is_lost(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let Some((group, member)) = self.setup.member[node.index()] else { return };
        let g = group.index();
        self.merging_disk_lost(group, member, ctx.now());
        let how = Disposal { windback: self.setup.designs[g].windback, merge: false };
        for slot in 0..self.groups[g].ledgers.len() {
            let clients = &self.setup.model.clients;
            let incident = self.groups[g].takeovers.open_incident();
            for loss in self.groups[g].ledgers[slot].lose_disk(member, incident, ctx.now(), how, clients) {
                self.lost(group, loss, ctx.now());
            }
        }
    }

    /// Writes were given up: told, and held against the policy's promise.
    fn lost(&mut self, group: GroupId, loss: Loss, now: Instant) {
        let bound = self.setup.bounds[group.index()].loss_age.as_ref().and_then(|bound| bound.secs);
        let really = loss.count - loss.merged;
        let in_class = loss.incident.is_some_and(|incident| incident.in_class);
        // A nanosecond of rounding is no breach.
        let breaks_bound =
            in_class && really > 0 && bound.is_some_and(|secs| loss.age.as_secs() > secs + 1e-9);
        self.emit(now, Fact::Lost { group, loss, breaks_bound });
    }

    pub(super) fn surrender(&mut self, node: NodeId, _winner: NodeId, merge: bool) {
        if let Some((group, member)) = self.setup.member[node.index()] {
            self.groups[group.index()].merges[member] = merge;
        }
    }

    /// Whether a member's writes wait for a copy that cannot be reached.
    pub(super) fn is_blocked(&self, group: GroupId, member: usize) -> bool {
        self.groups[group.index()]
            .copies
            .iter()
            .any(|c| c.replication.from == member && c.replication.blocks())
    }

    /// The node whose copy a member's writes wait for.
    pub(super) fn synchronous_copy(&self, group: GroupId, member: usize) -> Option<NodeId> {
        let copies = &self.groups[group.index()].copies;
        let found = copies.iter().find(|c| {
            c.replication.from == member && c.replication.copying.is_sync() && c.replication.is_quiet()
        });
        found.map(|c| c.toward)
    }

    /// Since when a member's copy has been behind a running source that takes writes; none where it is in step, or there
    /// is no such source.
    pub(super) fn copy_behind(&self, group: GroupId, member: usize) -> Option<Instant> {
        let nodes = &self.setup.model.groups[group.index()].nodes;
        let copies = self.groups[group.index()].copies.iter().filter(|c| c.replication.to == member);
        let behind = copies.filter(|c| {
            let source = &self.nodes[nodes[c.replication.from].index()];
            source.is_running()
                && source.stance.is_some_and(|s| s.accepts.is_some())
                && !c.replication.is_quiet()
        });
        behind.map(|c| c.replication.left().0).max()
    }

    /// Whether every copy of a member is in step and has been so undisturbed.
    pub(super) fn all_in_step(&self, group: GroupId, member: usize, now: Instant) -> bool {
        let mut any = false;
        let all = self.groups[group.index()]
            .copies
            .iter()
            .filter(|c| c.replication.from == member)
            .inspect(|_| any = true)
            .all(|c| c.replication.is_undisturbed(now));
        any && all
    }

    fn degraded_changed(&mut self, group: GroupId, now: Instant) {
        let nodes = &self.setup.model.groups[group.index()].nodes;
        let state = &self.groups[group.index()];
        let degraded = state.copies.iter().any(|c| {
            let source = nodes[c.replication.from];
            let sends = self.nodes[source.index()].stance.is_some_and(|s| s.accepts.is_some());
            sends && c.replication.copying.is_sync() && !c.replication.is_in_step()
        });
        if degraded != state.degraded {
            self.groups[group.index()].degraded = degraded;
            self.emit(now, Fact::Degraded { group, degraded });
        }
    }

    pub(super) fn close_books(&mut self, horizon: Instant) {
        for g in 0..self.groups.len() {
            let group = GroupId::from(g);
            self.finish_merging(group, horizon);
            let how = Disposal { windback: self.setup.designs[g].windback, merge: false };
            for slot in 0..self.groups[g].ledgers.len() {
                let survivor = self.survivor(group, slot as u8);
                let clients = &self.setup.model.clients;
                let (totals, losses) = self.groups[g].ledgers[slot].finish(survivor, horizon, how, clients);
                for loss in losses {
                    self.lost(group, loss, horizon);
                }
                self.emit(horizon, Fact::Book { group, totals });
            }
        }
    }

    /// The acceptor of a slot with the highest activation number.
    fn survivor(&self, group: GroupId, slot: u8) -> Option<usize> {
        let nodes = &self.setup.model.groups[group.index()].nodes;
        (0..nodes.len())
            .filter_map(|member| {
                let stance = self.nodes[nodes[member].index()].stance?;
                (stance.accepts == Some(slot)).then_some((stance.activation, std::cmp::Reverse(member)))
            })
            .max()
            .map(|(_, std::cmp::Reverse(member))| member)
    }
}
