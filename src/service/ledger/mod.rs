//! The ledger: the omniscient book of every acknowledged write of one slot of a group.
//!
//! Writes are kept as *ranges* of time per client and *lineage*, never one by one (at request fidelity each write is
//! noted, and ranges count the notes). A lineage is a history of accepted writes with one owner; a node that takes
//! over opens a new one, forked from what it held. Each node holds some lineage up to some instant. What has been
//! acknowledged on a lineage beyond the fork of the one that survives is lost when the last holder gives it up: it
//! copies the winner over its own data, loses its disk, or is still dead at the end. Counts are drawn once, when a
//! range is disposed of: Poisson for Poisson arrivals, by the calendar for fixed ones, by the list for traces.
//! So lost + kept = acknowledged holds by construction, whatever the protocol did. Writes are told apart by client and
//! time: an event that a device handed to two active nodes is one event, and kept if either history survives.
//!
//! Its parts: `give_up` (what only one node holds goes), `elsewhere` (what others were given too), `settle` (what can no
//! longer be lost is forgotten), `aside` (what may yet be), `count`.

use crate::engine::dist::Law;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::system::ids::ClientId;
use crate::system::spec::Client;

mod aside;
mod count;
mod elsewhere;
mod give_up;
mod settle;

use aside::Aside;
use count::{Given, add};
pub(crate) use count::{calendar, listed};
use settle::{Kept, SETTLE_FROM};

/// Writes of one client accepted from `from` to `to`; open while `to` is [`Instant::NEVER`].
#[derive(Clone, Copy, Debug)]
struct Segment {
    client: ClientId,
    from: Instant,
    to: Instant,
}

/// Events that devices had kept since `from`, accepted all at once at `at`.
#[derive(Clone, Copy, Debug)]
struct Burst {
    client: ClientId,
    from: Instant,
    at: Instant,
}

/// One write at request fidelity.
#[derive(Clone, Copy, Debug)]
struct Note {
    client: ClientId,
    /// When it was accepted.
    at: Instant,
    /// When it happened: earlier, where a device had kept it.
    happened: Instant,
}

/// Writes under way to the copy when it was taken: one accepted at s is missing with P(lag > until − s).
#[derive(Clone, Debug, PartialEq)]
pub struct InFlight {
    /// The law of the lag.
    pub lag: Law,
    /// When replication was cut off.
    pub until: Instant,
    /// Since when it had been in step.
    pub since: Instant,
}

/// What a node holds.
#[derive(Clone, Debug)]
struct Held {
    lineage: usize,
    /// Every write of the lineage accepted before this, but for those in flight. The owner's is `NEVER`.
    upto: Instant,
    in_flight: Option<InFlight>,
}

/// Who writes at a node at present, and when the last of them ended.
#[derive(Clone, Copy, Debug, Default)]
struct Accepting {
    clients: u32,
    ended: Instant,
}

impl Accepting {
    /// Up to when writes were accepted.
    fn until(&self, now: Instant) -> Instant {
        if self.clients > 0 { now } else { self.ended }
    }
}

#[derive(Clone, Debug)]
struct Lineage {
    owner: usize,
    parent: Option<usize>,
    /// What of the parent it began with.
    fork: Instant,
    segments: Vec<Segment>,
    /// Deliveries of what devices had kept.
    bursts: Vec<Burst>,
    /// Notes at request fidelity.
    notes: Vec<Note>,
    /// The fault that made it begin.
    incident: Option<Incident>,
    /// What was under way when its parent was left: disposed of once.
    in_flight: Option<InFlight>,
}

impl Lineage {
    /// Whether nothing was written in it, or nothing of that is left to be lost.
    fn is_blank(&self) -> bool {
        self.segments.is_empty() && self.bursts.is_empty() && self.notes.is_empty()
    }
}

/// A fault that took a serving node away, or cut it off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    /// When.
    pub at: Instant,
    /// Its number within the run, for grouping losses.
    pub number: u32,
    /// Whether it belongs to the class of faults that the policy's bound speaks of.
    pub in_class: bool,
}

/// Acknowledged writes that were given up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// How many.
    pub count: u64,
    /// Of these, how many devices replay later.
    pub recovered: u64,
    /// Of these, how many were merged elsewhere and not lost at all.
    pub merged: u64,
    /// In a merge: values of points that were written on both sides, of which one had to go.
    pub overwritten: u64,
    /// Of those lost, changes of the configuration.
    pub configuration: u64,
    /// Bytes of those lost.
    pub bytes: f64,
    /// How long before the fault the oldest lost write had been accepted; zero if all came after it.
    pub age: Span,
    /// The fault.
    pub incident: Option<Incident>,
}

/// What a range is disposed as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disposal {
    /// Whether devices replay what they still hold.
    pub windback: bool,
    /// Whether the winner merges what the loser has, and the points that present values spread over.
    pub merge: Option<f64>,
}

/// Sums over a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Acknowledged writes.
    pub acked: u64,
    /// Of these, in the surviving state at the end.
    pub kept: u64,
    /// Of these, given up.
    pub lost: u64,
}

/// One of several equal parts of a client's writes: of a list every so many-th entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    slot: u32,
    slots: u32,
}

impl Part {
    /// The part of slot number `slot` of so many, from 0.
    pub fn of(slot: u32, slots: u32) -> Part {
        assert!(slot < slots, "slot {slot} of {slots}");
        Part { slot, slots }
    }

    /// How much of the whole it is.
    pub fn share(self) -> f64 {
        1.0 / f64::from(self.slots)
    }

    /// Whether an entry of a list, from 0, belongs to it.
    fn takes(self, index: usize) -> bool {
        index % self.slots as usize == self.slot as usize
    }

    /// How many of the first entries of a list belong to it.
    fn of_the_first(self, count: usize) -> u64 {
        (count as u64 + u64::from(self.slots - 1 - self.slot)) / u64::from(self.slots)
    }
}

/// The book of one slot.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Every history after the one it began from.
    lineages: Vec<Lineage>,
    held: Vec<Option<Held>>,
    stream: Stream,
    /// The part of each client's writes that belongs to this slot.
    part: Part,
    totals: Totals,
    /// Whether writes are being accepted, by node.
    accepting: Vec<Accepting>,
    /// What every holder had when the book was settled, by client.
    kept: Vec<Kept>,
    /// The same with its times, by client, where a new copy may begin with a part of it.
    aside: Option<Vec<Aside>>,
    noted: bool,
    /// The size of the book from which settling is tried again.
    settle_at: usize,
    /// An upper bound of the book's size, in sixteenths: what has come since it was last measured is added.
    at_most: usize,
}

impl Ledger {
    /// An empty book for `members` nodes that all hold the same (empty) history, and one store for backups that holds
    /// nothing yet. `noted`: request fidelity.
    pub fn new(members: usize, clients: usize, part: Part, noted: bool, stream: Stream) -> Ledger {
        let start = Lineage {
            owner: usize::MAX,
            parent: None,
            fork: Instant::ZERO,
            segments: Vec::new(),
            bursts: Vec::new(),
            notes: Vec::new(),
            incident: None,
            in_flight: None,
        };
        let held = Held { lineage: 0, upto: Instant::ZERO, in_flight: None };
        Ledger {
            lineages: vec![start],
            held: (0..=members).map(|n| (n < members).then(|| held.clone())).collect(),
            stream,
            part,
            totals: Totals::default(),
            accepting: vec![Accepting::default(); members + 1],
            kept: vec![Kept::default(); clients],
            aside: None,
            noted,
            settle_at: SETTLE_FROM,
            at_most: 16,
        }
    }

    /// A node that takes over from a backup: it takes what the store holds, unless its own data is ahead of that.
    pub fn restore(
        &mut self,
        node: usize,
        store: usize,
        now: Instant,
        how: Disposal,
        clients: &[Client],
    ) -> Vec<Loss> {
        let Some(backup) = self.held[store].clone() else { return Vec::new() };
        let own = self.held[node].as_ref().map(|held| self.upto_in(held, backup.lineage));
        if own.is_some_and(|own| own >= backup.upto) {
            return Vec::new();
        }
        let loss = self.adopt(node, store, now, how, clients);
        self.held[node] = Some(backup);
        loss
    }

    /// Whether anybody has a copy.
    pub fn has_any_data(&self) -> bool {
        self.held.iter().any(Option::is_some)
    }

    /// Whether a node has a copy at all.
    pub fn has_data(&self, node: usize) -> bool {
        self.held[node].is_some()
    }

    /// Whether the store for backups has one.
    pub fn has_backup(&self) -> bool {
        self.held.last().is_some_and(Option::is_some)
    }

    /// Whether nobody else has a copy.
    pub fn is_only_holder(&self, node: usize) -> bool {
        self.has_data(node) && self.held.iter().flatten().count() == 1
    }

    /// At the start of a run a node has no copy.
    pub fn begin_without(&mut self, node: usize) {
        self.held[node] = None;
    }

    /// A node begins to accept: on its own lineage where it continues it, else on a new one.
    pub fn activate(&mut self, node: usize, incident: Option<Incident>, now: Instant) {
        let held =
            self.held[node].take().unwrap_or(Held { lineage: 0, upto: Instant::ZERO, in_flight: None });
        let owns = self.lineages[held.lineage].owner == node && held.upto.is_never();
        if owns && incident.is_none() {
            self.held[node] = Some(held);
            return;
        }
        // Its own history goes on under a new number, so that the fault behind this is known.
        let fork = if owns { now } else { held.upto };
        self.lineages.push(Lineage {
            owner: node,
            parent: Some(held.lineage),
            fork,
            segments: Vec::new(),
            bursts: Vec::new(),
            notes: Vec::new(),
            incident,
            in_flight: held.in_flight,
        });
        self.at_most += 16;
        let lineage = self.lineages.len() - 1;
        self.held[node] = Some(Held { lineage, upto: Instant::NEVER, in_flight: None });
    }

    /// A client's writes begin to be accepted at `node`.
    pub fn open(&mut self, node: usize, client: ClientId, now: Instant) {
        self.accepting[node].clients += 1;
        if self.noted {
            return;
        }
        let lineage = self.own(node);
        let segments = &mut self.lineages[lineage].segments;
        if segments.iter().any(|s| s.client == client && s.to.is_never()) {
            return;
        }
        segments.push(Segment { client, from: now, to: Instant::NEVER });
        self.at_most += 16;
    }

    /// They end.
    pub fn close(&mut self, node: usize, client: ClientId, now: Instant) {
        let accepting = &mut self.accepting[node];
        *accepting = Accepting { clients: accepting.clients.saturating_sub(1), ended: now };
        for lineage in self.lineages.iter_mut().filter(|lineage| lineage.owner == node) {
            for open in lineage.segments.iter_mut().filter(|s| s.client == client && s.to.is_never()) {
                open.to = now;
            }
        }
    }

    /// What a client's devices have kept since `from` is accepted at `node`, all at once.
    pub fn deliver(&mut self, node: usize, client: ClientId, from: Instant, now: Instant) {
        if !self.noted && from < now {
            let lineage = self.own(node);
            self.lineages[lineage].bursts.push(Burst { client, from, at: now });
            self.at_most += 16;
        }
    }

    /// One acknowledged write (request fidelity).
    pub fn note(&mut self, node: usize, client: ClientId, now: Instant) {
        self.note_late(node, client, now, now);
    }

    /// The same of one that a device had kept since it happened.
    pub fn note_late(&mut self, node: usize, client: ClientId, happened: Instant, now: Instant) {
        let lineage = self.own(node);
        self.lineages[lineage].notes.push(Note { client, at: now, happened });
        self.at_most += 1;
    }

    fn own(&self, node: usize) -> usize {
        self.held[node].as_ref().map_or(0, |held| held.lineage)
    }

    /// The copy at `to` is as `from`'s data was at `upto`. What was on a disk that is gone by now is not.
    pub fn copied(&mut self, from: usize, to: usize, upto: Instant, in_flight: Option<InFlight>) {
        if self.has_data(to) {
            self.first_copied(from, to, upto, in_flight);
        }
    }

    /// The same of a copy that begins to follow, and may have had nothing before.
    pub fn first_copied(&mut self, from: usize, to: usize, upto: Instant, in_flight: Option<InFlight>) {
        let Some(source) = self.held[from].clone() else { return };
        // A copy that has taken over since has a history of its own, and gives that up only in `adopt`. What the former
        // source notes when it ends is behind it.
        if self.held[to].as_ref().is_some_and(|held| held.upto.is_never()) {
            return;
        }
        let upto = upto.min(source.upto);
        // A copy that is behind may hold no more than a part of what the source's history began with.
        let mut lineage = source.lineage;
        while let Some(parent) = self.lineages[lineage].parent.filter(|_| upto < self.lineages[lineage].fork)
        {
            lineage = parent;
        }
        self.take_back(source.lineage, upto);
        self.held[to] = Some(Held { lineage, upto, in_flight });
    }

    /// Up to when `node` holds the history it has a copy of.
    pub fn held_upto(&self, node: usize) -> Instant {
        self.held[node].as_ref().map_or(Instant::ZERO, |held| held.upto)
    }

    /// `node` is about to copy `from`'s data over its own: what only it holds beyond their common history goes.
    pub fn adopt(
        &mut self,
        node: usize,
        from: usize,
        now: Instant,
        how: Disposal,
        clients: &[Client],
    ) -> Vec<Loss> {
        let losses = self.give_up(node, Some(from), None, now, how, clients);
        if let (Some(held), Some(source)) = (self.held[node].take(), self.held[from].as_ref()) {
            // The newest point of the source's history that this node has.
            let mut lineage = source.lineage;
            let mut end = source.upto;
            loop {
                let have = self.upto_in(&held, lineage).min(end);
                let is_root = self.lineages[lineage].parent.is_none();
                if have > Instant::ZERO || is_root {
                    self.held[node] = Some(Held { lineage, upto: have, in_flight: None });
                    break;
                }
                end = self.lineages[lineage].fork;
                lineage = self.lineages[lineage].parent.expect("not the root");
            }
        }
        losses
    }

    /// The disk of `node` is gone, by `incident` where it was serving.
    pub fn lose_disk(
        &mut self,
        node: usize,
        incident: Option<Incident>,
        now: Instant,
        how: Disposal,
        clients: &[Client],
    ) -> Vec<Loss> {
        let mut losses = self.give_up(node, None, incident, now, how, clients);
        self.held[node] = None;
        if !self.has_any_data() {
            // The last copy of everything: what counted as kept is lost after all.
            self.keep_aside(clients);
            let fault = incident.map_or(now, |incident| incident.at);
            for (client, spec) in clients.iter().enumerate() {
                let kept = std::mem::take(&mut self.kept[client]);
                let count = self.count_kept(&kept, spec);
                if count > 0 {
                    let oldest = self.oldest_kept(&kept, count);
                    self.totals.acked += count;
                    self.totals.lost += count;
                    let given = Given { count, oldest, replayable: 0 };
                    add(&mut losses, given.up(spec, fault, incident, how));
                }
            }
        }
        losses
    }

    /// Up to when a holder has `lineage`: through its own history back to the root.
    fn upto_in(&self, held: &Held, lineage: usize) -> Instant {
        let (mut at, mut upto) = (held.lineage, held.upto);
        while at > lineage {
            let Some(parent) = self.lineages[at].parent else { break };
            upto = self.lineages[at].fork;
            at = parent;
        }
        if at == lineage { upto } else { Instant::ZERO }
    }

    /// Whether a holder's history goes through `lineage`.
    fn holds(&self, holder: usize, lineage: usize) -> bool {
        let held = self.held.get(holder).and_then(Option::as_ref);
        held.is_some_and(|held| self.descends(held.lineage, lineage))
    }

    /// Whether `lineage` is `ancestor` or goes back to it.
    fn descends(&self, lineage: usize, ancestor: usize) -> bool {
        let mut at = lineage;
        while at > ancestor {
            let Some(parent) = self.lineages[at].parent else { break };
            at = parent;
        }
        at == ancestor
    }
}

#[cfg(test)]
mod tests;
