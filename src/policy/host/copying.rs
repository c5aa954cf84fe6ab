//! Replication between the nodes of a group, and its ledger.

use crate::engine::agenda::Slot;
use crate::engine::probe::Probe;
use crate::engine::stream::StreamKey;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Conflicts, Data, Merge, Notice, Policy, Role};
use crate::policy::facts::Fact;
use crate::service::fidelity::Form;
use crate::service::ledger::{Disposal, InFlight, Ledger, Part};
use crate::service::replication::{Change, Copying, Level, Position, Replication};
use crate::system::ids::{GroupId, NodeId};
use crate::system::spec::{Classes, Content};

use super::fidelity::Process;
use super::takeover::Takeovers;
use super::view::View;
use super::{Event, HostCtx, World, class};

/// [`Ledger::copied`], or [`Ledger::first_copied`].
type WriteDown = fn(&mut Ledger, usize, usize, Instant, Option<InFlight>);

#[derive(Clone, Debug)]
struct Copy {
    replication: Replication,
    timer: Slot,
    /// The part of the work whose writes it copies.
    slot: usize,
    /// The node it comes from.
    source: NodeId,
    /// The node it leads to, or beside which the store stands.
    toward: NodeId,
}

impl Copy {
    /// Whether both lead from different holders of a part of the work to the same copy of it.
    fn is_rival_of(&self, other: &Copy) -> bool {
        self.replication.to == other.replication.to && self.slot == other.slot && self.source != other.source
    }
}

/// What a group of nodes has in common for observers; no node sees it.
#[derive(Clone, Debug)]
pub(super) struct GroupState {
    copies: Vec<Copy>,
    /// One book for each part of the work, or two where records are copied as a stream of their own: first all those
    /// of the rest, then all those of the records. None where nothing is stored.
    pub(super) ledgers: Vec<Ledger>,
    pub(super) slots: usize,
    /// When all that has reached a member is applied there, by member and part of the work; of one that does not run, as
    /// if it had gone on when it stopped.
    applied: Vec<Instant>,
    /// Members that have given their role up and not yet copied the winner: its merge, if it has one, is due.
    pub(super) surrendered: Vec<bool>,
    degraded: bool,
    /// What its nodes and those who check them have told each other so far, in the mean.
    pub(super) messages: f64,
    /// Where all members take writes.
    pub(super) merging: Option<super::merging::Merging>,
    pub(super) takeovers: Takeovers,
    pub(super) service: super::service::GroupService,
    /// What its members were when the service was last looked at.
    pub(super) view: View,
}

impl GroupState {
    /// What is left of the data as a member finds it.
    pub(super) fn data(&self, member: usize, now: Instant) -> Data<'_> {
        Data::of(member, now, &self.ledgers, &self.applied[member * self.slots..][..self.slots])
    }

    /// The books of one part of the work, by their place among the ledgers; that of the records last.
    pub(super) fn books(&self, slot: usize) -> std::iter::StepBy<std::ops::Range<usize>> {
        (slot..self.ledgers.len()).step_by(self.slots.max(1))
    }

    /// The book that writes of this content stand in.
    pub(super) fn book(&mut self, slot: usize, content: Content) -> Option<&mut Ledger> {
        let mut books = self.books(slot);
        let book = if content == Content::Records { books.next_back() } else { books.next() }?;
        self.ledgers.get_mut(book)
    }
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn begin_groups(&mut self, _ctx: &mut HostCtx<'_, P>) {
        let (model, keys) = (&self.setup.model, &self.setup.keys);
        for (g, group) in model.groups.iter().enumerate() {
            let design = &self.setup.designs[g];
            let has_books = design.conflicts == Conflicts::Exclusive && design.stores;
            let records: &[_] = if design.records_apart { &keys.records[g] } else { &[] };
            let (rest, records) =
                if has_books { (&keys.ledgers[g][..], records) } else { (&[][..], &[][..]) };
            let book = |(slot, key): (u32, &StreamKey)| {
                let (part, stream) = (Part::of(slot, design.slots.into()), key.open(self.run));
                Ledger::new(group.nodes.len(), model.clients.len(), part, self.setup.requests, stream)
            };
            let of_records = (0..).zip(records).map(|slot| book(slot).of_records());
            let ledgers = (0..).zip(rest).map(book).chain(of_records).collect();
            self.groups.push(GroupState {
                copies: Vec::new(),
                ledgers,
                slots: usize::from(design.slots),
                applied: vec![Instant::ZERO; group.nodes.len() * usize::from(design.slots)],
                surrendered: vec![false; group.nodes.len()],
                degraded: false,
                messages: 0.0,
                merging: super::merging::Merging::new(
                    design.conflicts,
                    group.nodes.len(),
                    keys.merging[g].open(self.run),
                ),
                takeovers: Takeovers::new(usize::from(design.slots), group.nodes.len()),
                service: super::service::GroupService::default(),
                view: View::new(usize::from(design.slots)),
            });
        }
    }

    /// In which form each replication runs.
    pub(super) fn explain_copies(&self) -> Vec<Process> {
        let model = &self.setup.model;
        let name = |node: NodeId| model.nodes[node.index()].name.as_str();
        let mut all = Vec::new();
        for (group, state) in model.groups.iter().zip(&self.groups) {
            for copy in &state.copies {
                let from = name(group.nodes[copy.replication.from]);
                let why = match &copy.replication.copying.level {
                    Level::Async { .. } => "what is under way is drawn from its law when something asks",
                    Level::Sync => "a write is acknowledged when it is there: there is nothing to draw",
                    Level::Passes { .. } => {
                        "the passes up to an instant are drawn when something asks, newest first"
                    }
                };
                let (what, why) =
                    (format!("{from} copies its writes to {}", name(copy.toward)), why.to_owned());
                all.push(Process { what, form: Form::One, why });
            }
        }
        all
    }

    /// Writes down what every copy in step holds and lets the book forget what is safe.
    pub(super) fn settle_books(&mut self, group: GroupId, now: Instant) {
        let g = group.index();
        if !self.groups[g].ledgers.iter().any(Ledger::wants_settling) {
            return;
        }
        for index in 0..self.groups[g].copies.len() {
            let copy = &self.groups[g].copies[index];
            if copy.replication.is_quiet() {
                let position = copy.replication.surely(now);
                self.write_down(group, index, &position, Ledger::copied);
            }
        }
        let clients = &self.setup.model.clients;
        let buffers = clients.iter().filter(|client| client.is_field && self.setup.designs[g].windback);
        let until = now.before(buffers.map(|client| client.buffer).max().unwrap_or(Span::ZERO));
        for ledger in &mut self.groups[g].ledgers {
            ledger.settle(until, clients);
        }
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
        // Whoever serves a part itself is no longer where it was as a copy of it.
        for copy in &mut self.groups[g].copies {
            if copy.toward == from && copy.slot == slot && copy.replication.copying.needs_peer() {
                copy.replication.lose_copy();
            }
        }
        let copies = &self.groups[g].copies;
        let known = copies.iter().position(|c| c.replication.from == source && c.replication.to == target);
        let index = known.unwrap_or_else(|| {
            let key = self.setup.keys.pair(from, to).copy;
            let index = self.groups[g].copies.len();
            let timer = ctx.slot(Self::rank(class::SERVICE, from.index()), Event::Copy(group));
            let replication = Replication::new(source, target, copying.clone(), key.open(self.run));
            self.groups[g].copies.push(Copy { replication, timer, slot, source: from, toward: to });
            index
        });
        let copy = &mut self.groups[g].copies[index];
        copy.replication.copying = copying;
        copy.slot = slot;
        copy.toward = to;
        copy.replication.stop(now);
        ctx.disarm(copy.timer);
        if now == Instant::ZERO {
            copy.replication.begin_in_step(now);
            let position = Position { upto: now, in_flight: None, records: now };
            self.write_down(group, index, &position, Ledger::first_copied);
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
            if let Some(position) = copy.replication.stop(now) {
                self.write_down(group, index, &position, Ledger::copied);
                self.replays(group, index, now);
            }
        }
        self.degraded_changed(group, now);
    }

    /// A copy has nothing more to come: it applies what it has, in order, while its process runs.
    fn replays(&mut self, group: GroupId, index: usize, now: Instant) {
        let state = &mut self.groups[group.index()];
        let copy = &mut state.copies[index];
        let Some(backlog) = copy.replication.take_backlog() else { return };
        if copy.replication.copying.needs_peer() {
            let node = &self.nodes[copy.toward.index()];
            let from = if node.is_running() { now } else { node.stopped };
            let applied = &mut state.applied[copy.replication.to * state.slots + copy.slot];
            *applied = (*applied).max(from + backlog);
        }
    }

    /// A first copy comes with everything applied: what had waited before is part of it.
    fn has_nothing_to_apply(&mut self, group: GroupId, index: usize, now: Instant) {
        let state = &mut self.groups[group.index()];
        let copy = &state.copies[index];
        if copy.replication.copying.needs_peer() {
            state.applied[copy.replication.to * state.slots + copy.slot] = now;
        }
    }

    /// A node's process runs again: what it had not applied when it stopped has waited.
    pub(super) fn replay_goes_on(&mut self, node: NodeId, now: Instant) {
        let Some((group, member)) = self.setup.member[node.index()] else { return };
        let stopped = self.nodes[node.index()].stopped;
        let state = &mut self.groups[group.index()];
        for applied in &mut state.applied[member * state.slots..][..state.slots] {
            if *applied > stopped {
                *applied = *applied + (now - stopped);
            }
        }
    }

    fn write_down(&mut self, group: GroupId, index: usize, position: &Position, how: WriteDown) {
        let state = &mut self.groups[group.index()];
        let copy = &state.copies[index];
        let (from, to) = (copy.replication.from, copy.replication.to);
        for book in state.books(copy.slot) {
            let upto = if book == copy.slot { position.upto } else { position.records };
            how(&mut state.ledgers[book], from, to, upto, position.in_flight.clone());
        }
    }

    pub(super) fn copy_wakes(&mut self, group: GroupId) {
        self.update_copies(group);
    }

    /// Notes that a group's replications have to be looked at again at the end of this event.
    pub(super) fn update_copies(&mut self, group: GroupId) {
        if let Some(stale) = self.stale_copies.get_mut(group.index()) {
            *stale = true;
        }
    }

    /// Looks at every replication that was noted, and at those that this changes in turn.
    #[inline]
    pub(super) fn look_at_copies(&mut self, ctx: &mut HostCtx<'_, P>) {
        if self.stale_copies.contains(&true) {
            self.look_at_stale_copies(ctx);
        }
    }

    #[inline(never)]
    fn look_at_stale_copies(&mut self, ctx: &mut HostCtx<'_, P>) {
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
        let copy = &self.groups[g].copies[index];
        let (from, to) = (copy.source, copy.toward);
        let state = &self.nodes[from.index()];
        let sends = state.stance.is_some_and(|stance| stance.accepts.is_some());
        if state.program.is_none() || (!sends && copy.replication.is_waiting()) {
            return;
        }
        let needs_peer = copy.replication.copying.needs_peer();
        let (alive, reaching) = self.can_copy(from, to, needs_peer);
        let alive = alive && !self.follows_a_newer_one(group, copy);
        let leaves = reaching && needs_peer && self.serves_another(copy);
        let bandwidth = (reaching && self.setup.has_bandwidth).then(|| self.bandwidth(group, copy));
        let replication = &mut self.groups[g].copies[index].replication;
        if let Some(bandwidth) = bandwidth {
            replication.carry(now, bandwidth);
        }
        let change = if leaves { replication.leave(now) } else { replication.update(now, alive, reaching) };
        // A copy without its disk, that is there again, or one that can follow another source now: a first copy begins.
        self.stale_copies[g] |= change == Change::Breaks;
        if change != Change::None {
            self.copy_changed(group, index, change, ctx);
        }
    }

    /// A replication has changed: the books, those who are told, and what depends on it.
    fn copy_changed(&mut self, group: GroupId, index: usize, change: Change, ctx: &mut HostCtx<'_, P>) {
        if change == Change::None {
            return;
        }
        let now = ctx.now();
        let g = group.index();
        let copy = &self.groups[g].copies[index];
        let (source, from, to) = (copy.replication.from, copy.source, copy.toward);
        ctx.arm(copy.timer, copy.replication.wake_at().max(now));
        self.emit(now, Fact::Replication { from, to, change });
        match change {
            Change::Begins => self.adopts(group, index, ctx),
            Change::InStep => {
                let position = self.groups[g].copies[index].replication.position(now);
                let position = Position { in_flight: None, ..position };
                self.write_down(group, index, &position, Ledger::first_copied);
                self.has_nothing_to_apply(group, index, now);
                self.degraded_changed(group, now);
                self.notify(from, Notice::InStep { peer: to, source: true }, ctx);
                if self.groups[g].copies[index].replication.copying.needs_peer() {
                    self.notify(to, Notice::InStep { peer: from, source: false }, ctx);
                }
            }
            Change::Stalls => {
                let position = self.groups[g].copies[index].replication.left();
                self.write_down(group, index, &position, Ledger::copied);
                self.replays(group, index, now);
            }
            Change::Breaks => {
                let copy = &self.groups[g].copies[index].replication;
                if copy.fell_out() {
                    let position = copy.left();
                    self.write_down(group, index, &position, Ledger::copied);
                    self.replays(group, index, now);
                }
                self.notify(from, Notice::OutOfStep { peer: to }, ctx);
                let copies = &self.groups[g].copies;
                let is_peer = copies[index].replication.copying.needs_peer();
                // One that is in step with another source by now has nothing to learn from the end of this one.
                let copy = &copies[index];
                let follows = |other: &Copy| copy.is_rival_of(other) && other.replication.is_in_step();
                let is_told = is_peer && !copies.iter().any(follows);
                if is_told && self.nodes[to.index()].program.is_some() {
                    self.notify(to, Notice::OutOfStep { peer: from }, ctx);
                }
            }
            Change::Resumes | Change::None => {}
        }
        self.degraded_changed(group, now);
        if !self.is_blocked(group, source) {
            self.release_requests(from, ctx);
        }
        // All that clients see of a copy: whether writes wait for it, and how old what they read is.
        let is_sync = self.groups[g].copies[index].replication.copying.is_sync();
        if is_sync || self.setup.model.objectives.staleness.is_some() {
            self.evaluate(group);
        }
    }

    /// Whether the target of a replication holds another part of the work, or is about to: it has no room for this one
    /// then, and says so. That is no interruption, and nobody waits for it. (Who is about to take this very part tells its
    /// holder nothing: what that one has not brought over by now would be lost, so whoever promised a copy waits.)
    fn serves_another(&self, copy: &Copy) -> bool {
        let Some(stance) = self.nodes[copy.toward.index()].stance else { return false };
        stance.accepts.or(stance.takes).is_some_and(|slot| usize::from(slot) != copy.slot)
    }

    /// Whether the target of a replication has a newer holder of the same part of the work to follow: a copy follows
    /// one history, of two the one with the higher activation number. (Ties go by the order of the group.)
    fn follows_a_newer_one(&self, group: GroupId, copy: &Copy) -> bool {
        let age = |of: &Copy| {
            let stance = self.nodes[of.source.index()].stance;
            let holds = stance.filter(|stance| stance.accepts.map(usize::from) == Some(of.slot))?;
            Some((holds.activation, std::cmp::Reverse(of.replication.from)))
        };
        let copies = &self.groups[group.index()].copies;
        copies.iter().filter(|other| other.is_rival_of(copy)).any(|other| {
            let needs_peer = other.replication.copying.needs_peer();
            age(other) > age(copy)
                && (!other.replication.is_waiting()
                    || self.can_copy(other.source, other.toward, needs_peer) == (true, true))
        })
    }

    /// How much the way of a replication carries at present, in multiples of the writes that arise for it (of the
    /// records where they are a stream of their own); `None`: no limit.
    fn bandwidth(&self, group: GroupId, copy: &Copy) -> Option<f64> {
        let medium = self.medium(copy.source, copy.toward, Classes::REPLICATION)?;
        let bandwidth = medium.bandwidth(&self.setup.model.links)?;
        let apart = copy.replication.copying.has_records_apart();
        let clients = self.setup.clients_of[group.index()].all.iter().map(|&c| &self.setup.model.clients[c]);
        let copied = clients.filter(|client| !apart || client.content == Content::Records);
        let arising: f64 = copied.map(|client| client.write_rate * client.write_bytes).sum();
        let slots = f64::from(self.setup.designs[group.index()].slots);
        (arising > 0.0).then(|| bandwidth * slots / arising)
    }

    /// Whether both ends of a replication exist, and whether they reach each other.
    fn can_copy(&self, from: NodeId, to: NodeId, needs_peer: bool) -> (bool, bool) {
        let (source, target) = (&self.nodes[from.index()], &self.nodes[to.index()]);
        let sends = source.stance.is_some_and(|stance| stance.accepts.is_some());
        let open = self.is_way_open(from, to, Classes::REPLICATION)
            && self.is_way_open(to, from, Classes::REPLICATION);
        if !needs_peer {
            return (sends, open && !source.is_paused());
        }
        (
            sends && target.role().is_some_and(Role::follows),
            open && !source.is_paused() && !target.is_paused(),
        )
    }

    /// The copy leaves whom it followed before, and gives up what it has beyond the history of its new source.
    fn adopts(&mut self, group: GroupId, index: usize, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        let g = group.index();
        for other in 0..self.groups[g].copies.len() {
            let copies = &mut self.groups[g].copies;
            if copies[other].is_rival_of(&copies[index]) {
                let replication = &mut copies[other].replication;
                let change = replication.update(now, false, true);
                replication.lose_copy();
                self.copy_changed(group, other, change, ctx);
            }
        }
        let (source, target, slot) = {
            let copy = &self.groups[g].copies[index];
            (copy.replication.from, copy.replication.to, copy.slot)
        };
        let surrendered = self.groups[g].surrendered.get_mut(target).is_some_and(std::mem::take);
        let merge = match self.setup.designs[g].merge {
            Merge::ByTime { points } if surrendered => Some(points),
            _ => None,
        };
        let how = Disposal { windback: self.setup.designs[g].windback, merge };
        let clients = &self.setup.model.clients;
        for book in self.groups[g].books(slot) {
            for loss in self.groups[g].ledgers[book].adopt(target, source, now, how, clients) {
                self.lost(group, loss, now);
            }
            let content = self.groups[g].ledgers[book].held_upto(target);
            self.groups[g].copies[index].replication.begin_over(content);
        }
        self.reconciled(group, now);
    }

    pub(super) fn disk_is_lost(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let Some((group, member)) = self.setup.member[node.index()] else { return };
        let g = group.index();
        self.merging_disk_lost(group, member, ctx.now());
        for copy in self.groups[g].copies.iter_mut().filter(|copy| copy.replication.to == member) {
            copy.replication.lose_copy();
        }
        let how = Disposal { windback: self.setup.designs[g].windback, merge: None };
        for slot in 0..self.groups[g].ledgers.len() {
            let clients = &self.setup.model.clients;
            let (takeovers, part) = (&self.groups[g].takeovers, slot % self.groups[g].slots);
            // Of another part it held no more than a copy: that has nothing to do with what took this one away.
            let incident = takeovers.open_incident(part).filter(|_| takeovers.last_of(part) == Some(member));
            for loss in self.groups[g].ledgers[slot].lose_disk(member, incident, ctx.now(), how, clients) {
                self.lost(group, loss, ctx.now());
            }
        }
    }

    pub(super) fn surrender(&mut self, node: NodeId) {
        if let Some((group, member)) = self.setup.member[node.index()] {
            self.groups[group.index()].surrendered[member] = true;
        }
    }

    /// Whether a member's writes wait for a copy that cannot be reached.
    pub(super) fn is_blocked(&self, group: GroupId, member: usize) -> bool {
        self.groups[group.index()]
            .copies
            .iter()
            .any(|c| c.replication.from == member && c.replication.blocks())
    }

    /// The members whose copies a member's writes wait for.
    pub(super) fn waits_for(&self, group: GroupId, member: usize) -> u64 {
        let copies = self.groups[group.index()].copies.iter();
        let waits = copies.filter(|c| c.replication.from == member && c.replication.blocks());
        waits.fold(0, |set, c| set | 1 << c.replication.to)
    }

    /// The members whose writes wait for a copy that cannot be reached.
    pub(super) fn blocked(&self, group: GroupId) -> u64 {
        let copies = self.groups[group.index()].copies.iter();
        copies.filter(|c| c.replication.blocks()).fold(0, |set, c| set | 1 << c.replication.from)
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
        let copies = self.groups[group.index()].copies.iter().filter(|c| c.replication.to == member);
        let behind = copies.filter(|c| {
            let source = &self.nodes[c.source.index()];
            source.is_running()
                && source.stance.is_some_and(|s| s.accepts.is_some())
                && !c.replication.is_quiet()
        });
        behind.map(|c| c.replication.left().upto).max()
    }

    /// Whether every copy of a member is in step and has been so undisturbed, but for those at nodes that serve another
    /// part of the work. (One that is about to take a part is one more thing that happens.)
    pub(super) fn all_in_step(&self, group: GroupId, member: usize, now: Instant) -> bool {
        let serves_another = |copy: &Copy| {
            let stance = self.nodes[copy.toward.index()].stance;
            stance.and_then(|stance| stance.accepts).is_some_and(|slot| usize::from(slot) != copy.slot)
        };
        let copies = self.groups[group.index()].copies.iter().filter(|copy| copy.replication.from == member);
        let mut copies = copies.filter(|copy| !serves_another(copy)).peekable();
        copies.peek().is_some() && copies.all(|copy| copy.replication.is_undisturbed(now))
    }

    fn degraded_changed(&mut self, group: GroupId, now: Instant) {
        let state = &self.groups[group.index()];
        let degraded = state.copies.iter().any(|c| {
            let is_behind = c.replication.copying.is_sync() && !c.replication.is_in_step();
            let sends = || self.nodes[c.source.index()].stance.is_some_and(|s| s.accepts.is_some());
            is_behind && sends() && !self.serves_another(c)
        });
        if degraded != state.degraded {
            self.groups[group.index()].degraded = degraded;
            self.emit(now, Fact::Degraded { group, degraded });
        }
    }
}
