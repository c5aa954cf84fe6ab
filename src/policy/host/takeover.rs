//! Who took over from whom: incidents, suspicions, failovers. Observers only; nothing here is seen by a policy.

use crate::engine::probe::Probe;
use crate::engine::time::Instant;
use crate::policy::contract::{Conflicts, Notice, Phase, Policy, Stance};
use crate::policy::facts::Fact;
use crate::service::ledger::Incident;
use crate::system::ids::{GroupId, LinkId, NodeId};

use super::planned::is_carried_out;
use super::{HostCtx, World};

#[derive(Clone, Copy, Debug)]
struct Suspicion {
    at: Instant,
    /// The suspected node could still accept.
    mistaken: bool,
}

/// A takeover whose first client has not been served yet.
#[derive(Clone, Copy, Debug)]
struct Pending {
    member: usize,
    /// When the one before stopped serving; `None` if it still does.
    fault: Option<Instant>,
    suspicion: Option<Suspicion>,
    /// The new node was up at the fault and stayed up.
    was_up: bool,
    ordered: bool,
}

/// What observers note of a group's takeovers.
#[derive(Clone, Debug)]
pub(super) struct Takeovers {
    /// The member that served each slot last.
    last: Vec<Option<usize>>,
    /// Since when that member has been dead, or has stood still: the fault that a takeover follows.
    vacated: Vec<Option<Instant>>,
    /// Suspicions of serving nodes, by observer and suspected member.
    suspicions: Vec<Vec<Option<Suspicion>>>,
    /// When each member's last pause ended.
    resumed: Vec<Instant>,
    /// By part of the work: who has taken it and does not serve it yet; the fault that took it away.
    pending: Vec<Option<Pending>>,
    open: Vec<Option<Incident>>,
    incidents: u32,
    /// When an operator ordered a part to move, by part: until it has moved, or the order has come to nothing.
    ordered: Vec<Option<Instant>>,
    pub(super) diverged: bool,
}

impl Takeovers {
    pub(super) fn new(slots: usize, members: usize) -> Takeovers {
        Takeovers {
            last: vec![None; slots],
            vacated: vec![None; slots],
            suspicions: vec![vec![None; members]; members],
            resumed: vec![Instant::ZERO; members],
            pending: vec![None; slots],
            open: vec![None; slots],
            incidents: 0,
            ordered: vec![None; slots],
            diverged: false,
        }
    }

    fn disturbed(&mut self) {
        self.open.iter_mut().flatten().for_each(|incident| incident.in_class = false);
    }

    /// The fault after which nobody has taken a part of the work over yet.
    pub(super) fn open_incident(&self, slot: usize) -> Option<Incident> {
        self.open[slot]
    }

    /// The member that served a part of the work last.
    pub(super) fn last_of(&self, slot: usize) -> Option<usize> {
        self.last[slot]
    }

    /// Whether an order is being carried out.
    pub(super) fn is_ordered(&self, now: Instant) -> bool {
        self.ordered.iter().any(|ordered| is_carried_out(*ordered, now))
    }

    /// Suspicions of `member` speak of a time that is over: it no longer serves, or is back.
    fn forget_suspicions_of(&mut self, member: usize) {
        self.suspicions.iter_mut().for_each(|of| of[member] = None);
    }

    fn incident(&mut self, at: Instant, in_class: bool) -> Incident {
        self.incidents += 1;
        Incident { at, number: self.incidents, in_class }
    }
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// Another fault (or the end of one) in a group while an incident of it is open: it is not the single fault a
    /// bound speaks of.
    pub(super) fn note_disturbance_at(&mut self, node: NodeId) {
        let Some((group, _)) = self.setup.member[node.index()] else { return };
        if let Some(group) = self.groups.get_mut(group.index()) {
            group.takeovers.disturbed();
        }
    }

    /// The same of a link that is cut, for the groups whose nodes or clients use it. The end of a cut is none: a way
    /// that opens makes no copy older, so whatever a bound promises of the fault alone holds all the more. (A node
    /// that comes back is another matter: it can take over with older data.)
    pub(super) fn note_disturbance_of(&mut self, link: LinkId) {
        for g in 0..self.groups.len() {
            if self.groups[g].takeovers.open.iter().any(Option::is_some)
                && self.setup.uses(GroupId::from(g), link)
            {
                self.groups[g].takeovers.disturbed();
            }
        }
    }

    /// A node that may be serving stops: crash or pause. One that `stood_still` when it died had stopped before, and
    /// whatever took it away then goes on.
    pub(super) fn serving_stops(&mut self, node: NodeId, stood_still: bool, ctx: &mut HostCtx<'_, P>) {
        let Some((group, member)) = self.setup.member[node.index()] else { return };
        let now = ctx.now();
        let takeovers = &mut self.groups[group.index()].takeovers;
        takeovers.suspicions[member].fill(None);
        let served = self.nodes[node.index()].stance.and_then(|stance| stance.accepts);
        let Some(slot) =
            served.filter(|_| self.setup.designs[group.index()].conflicts == Conflicts::Exclusive)
        else {
            return;
        };
        let slot = usize::from(slot);
        if takeovers.last[slot] == Some(member) {
            // Of a crash after a pause it is the pause that took it away.
            takeovers.vacated[slot].get_or_insert(now);
        }
        if let Some(pending) = takeovers.pending[slot].as_mut().filter(|pending| pending.member == member) {
            pending.was_up = false;
        }
        if stood_still {
            return;
        }
        let alone = self.acceptors(group, slot as u8) == 1;
        let is_held = self.is_accepted_beside(group, slot as u8, member);
        let in_class = alone
            && self.groups[group.index()].takeovers.open.iter().all(Option::is_none)
            && self.all_in_step(group, member, now)
            && self.is_calm_around(group, node);
        let takeovers = &mut self.groups[group.index()].takeovers;
        let incident = takeovers.incident(now, in_class);
        if !is_held {
            takeovers.open[slot] = Some(incident);
        }
        self.emit(now, Fact::Incident { group, incident });
    }

    /// A node goes on after a pause. Where it still holds its slot, nobody has to take that over.
    pub(super) fn serving_resumes(&mut self, node: NodeId, now: Instant) {
        let Some((group, member)) = self.setup.member[node.index()] else { return };
        let takeovers = &mut self.groups[group.index()].takeovers;
        takeovers.resumed[member] = now;
        for (last, vacated) in takeovers.last.iter().zip(&mut takeovers.vacated) {
            if *last == Some(member) {
                *vacated = None;
            }
        }
    }

    /// The same, after it has done what was overdue: if it accepts its part still, it is back.
    pub(super) fn serving_goes_on(&mut self, node: NodeId, now: Instant) {
        let Some((group, member)) = self.setup.member[node.index()] else { return };
        let state = &self.nodes[node.index()];
        let serves = state.stance.filter(|_| state.is_running()).and_then(|stance| stance.accepts);
        if let Some(slot) = serves
            && self.setup.designs[group.index()].conflicts == Conflicts::Exclusive
        {
            self.is_back(group, usize::from(slot), member, now);
        }
    }

    /// A member serves its part again after a fault, and nobody has taken it in the meantime: the fault took nothing
    /// away after all, and whoever had begun to take over did not come to an end. (Where another one served it all the
    /// while, there was nothing to take over.)
    fn is_back(&mut self, group: GroupId, slot: usize, member: usize, now: Instant) {
        let is_held = self.is_accepted_beside(group, slot as u8, member);
        let takeovers = &mut self.groups[group.index()].takeovers;
        takeovers.open[slot] = None;
        let mut begun = false;
        for of in takeovers.suspicions.iter_mut().map(|of| &mut of[member]) {
            begun |= of.is_some_and(|suspicion| !suspicion.mistaken);
            // Who suspects a node that never stopped serving may still take over from it.
            *of = of.filter(|suspicion| suspicion.mistaken);
        }
        if begun && !is_held && takeovers.last[slot] == Some(member) {
            self.emit(now, Fact::FailoverFailed { group });
        }
    }

    /// No other fault in the group or between its nodes, whichever two of them.
    fn is_calm_around(&self, group: GroupId, node: NodeId) -> bool {
        let nodes = &self.setup.model.groups[group.index()].nodes;
        nodes.iter().all(|&n| {
            let sees = |other: &NodeId| *other == n || self.cut_since(n, *other).is_none();
            (n == node || self.nodes[n.index()].is_running())
                && self.monitor_works(n)
                && nodes.iter().all(sees)
        })
    }

    /// Running nodes that accept a part of the work.
    fn acceptors(&self, group: GroupId, slot: u8) -> usize {
        let nodes = &self.setup.model.groups[group.index()].nodes;
        nodes.iter().filter(|&&node| self.accepts_part(node, slot)).count()
    }

    /// Whether a running node other than `member` accepts a part of the work.
    fn is_accepted_beside(&self, group: GroupId, slot: u8, member: usize) -> bool {
        let mut nodes = self.setup.model.groups[group.index()].nodes.iter().enumerate();
        nodes.any(|(other, &node)| other != member && self.accepts_part(node, slot))
    }

    fn accepts_part(&self, node: NodeId, slot: u8) -> bool {
        let state = &self.nodes[node.index()];
        state.is_running() && state.stance.is_some_and(|stance| stance.accepts == Some(slot))
    }

    pub(super) fn note_suspicion(&mut self, observer: NodeId, peer: NodeId, now: Instant) {
        let Some((group, member)) = self.setup.member[observer.index()] else { return };
        let Some((_, suspected)) = self.setup.member[peer.index()] else { return };
        let takeovers = &self.groups[group.index()].takeovers;
        if !takeovers.last.contains(&Some(suspected)) {
            return;
        }
        let state = &self.nodes[peer.index()];
        let mistaken = state.is_running() && state.stance.is_some_and(|stance| stance.accepts.is_some());
        // Who suspects already, by another sense, learns nothing new.
        self.groups[group.index()].takeovers.suspicions[member][suspected]
            .get_or_insert(Suspicion { at: now, mistaken });
    }

    /// What a node accepts changed.
    pub(super) fn acceptance_changed(
        &mut self,
        node: NodeId,
        old: Option<Stance>,
        new: Option<Stance>,
        ctx: &mut HostCtx<'_, P>,
    ) {
        let (was, is) = (old.and_then(|s| s.accepts), new.and_then(|s| s.accepts));
        if was == is {
            return;
        }
        let Some((group, member)) = self.setup.member[node.index()] else { return };
        let now = ctx.now();
        if let Some(slot) = was {
            self.withdrawn(group, member, slot);
        }
        if let Some(slot) = is {
            self.activated(group, member, node, slot, now);
        }
        // A part of the work moves: whoever takes it is not there to take another one, and what is open of those is
        // more than one fault from here on.
        self.groups[group.index()].takeovers.disturbed();
        self.recheck(node, ctx);
    }

    /// A member no longer serves a slot: if another one still accepts it (the winner of a split brain), the slot is that
    /// one's again, and the next node to take it takes it from there.
    pub(super) fn withdrawn(&mut self, group: GroupId, member: usize, slot: u8) {
        let g = group.index();
        if self.groups[g].takeovers.last[usize::from(slot)] != Some(member) {
            return;
        }
        let nodes = &self.setup.model.groups[g].nodes;
        let accepts = |other: &usize| {
            let stance = self.nodes[nodes[*other].index()].stance;
            *other != member && stance.is_some_and(|stance| stance.accepts == Some(slot))
        };
        if let Some(other) = (0..nodes.len()).find(accepts) {
            let takeovers = &mut self.groups[g].takeovers;
            takeovers.last[usize::from(slot)] = Some(other);
            // It has not been vacant: the next fault that takes it away is that one's.
            takeovers.vacated[usize::from(slot)] = None;
        }
    }

    /// An observer trusts again whom it had suspected.
    pub(super) fn note_trust(&mut self, observer: NodeId, peer: NodeId) {
        let of = |node: NodeId| self.setup.member[node.index()];
        if let (Some((group, member)), Some((_, trusted))) = (of(observer), of(peer)) {
            self.groups[group.index()].takeovers.suspicions[member][trusted] = None;
        }
    }

    fn activated(&mut self, group: GroupId, member: usize, node: NodeId, slot: u8, now: Instant) {
        let g = group.index();
        let slot = usize::from(slot);
        if self.setup.designs[g].conflicts != Conflicts::Exclusive {
            self.groups[g].takeovers.last[slot] = Some(member);
            return;
        }
        let before = self.groups[g].takeovers.last[slot];
        let incident = self.incident_behind(group, slot, before, node, now);
        self.restore_backup(group, slot, member, now);
        self.groups[g].surrendered[member] = false;
        for book in self.groups[g].books(slot) {
            self.groups[g].ledgers[book].activate(member, incident, now);
        }
        self.lose_under_way(group, slot, member, now);
        if now > Instant::ZERO {
            self.emit(now, Fact::Step { node, phase: Phase::Reconnect });
        }
        let vacated = self.groups[g].takeovers.vacated[slot].take();
        let ordered = is_carried_out(self.groups[g].takeovers.ordered[slot].take(), now);
        if before == Some(member) {
            self.is_back(group, slot, member, now);
        }
        if let Some(before) = before.filter(|&before| before != member) {
            let last = self.setup.model.groups[g].nodes[before];
            let old = &self.nodes[last.index()];
            let still = old.is_running() && old.stance.is_some_and(|s| s.accepts == Some(slot as u8));
            // One that runs and has given its slot up did so because it was cut off, or was told to.
            let fault = vacated.or_else(|| self.cut_since(last, node)).filter(|_| !still);
            let takeovers = &mut self.groups[g].takeovers;
            let up_since = self.nodes[node.index()].started.max(takeovers.resumed[member]);
            let was_up = fault.is_some_and(|fault| up_since <= fault);
            let suspicion = takeovers.suspicions[member][before];
            takeovers.forget_suspicions_of(before);
            takeovers.pending[slot] = Some(Pending { member, fault, suspicion, was_up, ordered });
        }
        self.groups[g].takeovers.last[slot] = Some(member);
    }

    /// The fault that made a node take over: the one that is open, or the cut that hides the old one from it.
    fn incident_behind(
        &mut self,
        group: GroupId,
        slot: usize,
        before: Option<usize>,
        node: NodeId,
        now: Instant,
    ) -> Option<Incident> {
        let g = group.index();
        if let Some(open) = self.groups[g].takeovers.open[slot].take() {
            return Some(open);
        }
        let last = self.setup.model.groups[g].nodes[before?];
        if last == node {
            return None;
        }
        let at = self.cut_since(last, node).unwrap_or(now);
        let incident = self.groups[g].takeovers.incident(at, false);
        self.emit(now, Fact::Incident { group, incident });
        Some(incident)
    }

    /// A part of a client's work is done by `member` now: a takeover is complete. (Where clients stay with the one
    /// before, or were back with it first, it is a takeover all the same, but nothing to time.)
    pub(super) fn served_by(&mut self, group: GroupId, slot: usize, member: usize, now: Instant) {
        let g = group.index();
        let Some(pending) = self.groups[g].takeovers.pending[slot].take() else { return };
        let known = pending.fault.filter(|_| pending.was_up && pending.member == member);
        let detection = known.zip(pending.suspicion).and_then(|(f, s)| (s.at >= f).then(|| s.at.since(f)));
        self.emit(
            now,
            Fact::Failover {
                group,
                node: self.setup.model.groups[g].nodes[pending.member],
                took: known.map(|fault| now.since(fault)),
                detection,
                mistaken: pending.suspicion.is_some_and(|s| s.mistaken),
                ordered: pending.ordered,
            },
        );
    }

    /// An operator wants the active role elsewhere: every node is told. Who holds a part and does nothing about it has
    /// refused (see [`Notice::Changeover`]), and the order is over for that part.
    pub(super) fn order_changeover(&mut self, group: GroupId, to: Option<NodeId>, ctx: &mut HostCtx<'_, P>) {
        let (g, now, setup) = (group.index(), ctx.now(), self.setup);
        let before = self.groups[g].takeovers.ordered.clone();
        // A part may move while its holder is told.
        self.groups[g].takeovers.ordered.fill(Some(now));
        let mut taken_up = 0_u64;
        for &node in &setup.model.groups[g].nodes {
            let state = &self.nodes[node.index()];
            let held = state.stance.and_then(|stance| stance.accepts);
            if state.is_running()
                && self.call(node, ctx, |program, c| program.on_notice(Notice::Changeover { to }, c))
            {
                // One that holds none may be arranging any of them.
                taken_up |= held.map_or(u64::MAX, |slot| 1 << slot);
            }
        }
        let state = &mut self.groups[g];
        for (slot, (ordered, before)) in state.takeovers.ordered.iter_mut().zip(before).enumerate() {
            if taken_up & (1 << slot) == 0 && ordered.is_some() {
                *ordered = before;
            }
        }
        if taken_up != 0 {
            state.service.ordered(now);
        }
    }

    /// The holder of a part has died. If it had been told to hand it over, that has come to nothing: what follows is
    /// the fault's, unless it is planned work on it.
    pub(super) fn order_dies(&mut self, group: GroupId, slot: u8, holder: NodeId, now: Instant) {
        let state = &mut self.groups[group.index()];
        let was_ordered = state.takeovers.ordered[usize::from(slot)].take().is_some();
        if was_ordered && !state.takeovers.is_ordered(now) {
            state.service.order_died(self.nodes[holder.index()].in_maintenance());
        }
    }

    /// Two acceptors took writes that the other does not have.
    pub(super) fn diverge(&mut self, group: GroupId, now: Instant) {
        if !self.groups[group.index()].takeovers.diverged {
            self.groups[group.index()].takeovers.diverged = true;
            self.emit(now, Fact::Diverged { group, diverged: true });
        }
    }

    /// The loser copies the winner: their histories are one again, unless two still accept.
    pub(super) fn reconciled(&mut self, group: GroupId, now: Instant) {
        let slots = self.setup.designs[group.index()].slots;
        let is_one = |slot: u8| self.acceptors(group, slot) < 2;
        if self.groups[group.index()].takeovers.diverged && (0..slots).all(is_one) {
            self.groups[group.index()].takeovers.diverged = false;
            self.emit(now, Fact::Diverged { group, diverged: false });
        }
    }
}
