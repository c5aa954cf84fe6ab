//! What else has an event: a device that talks to two active nodes at once hands the same events to both.
//!
//! Two histories that parted hold different writes, but for those of such devices ([`DuringDual::Both`]): an event is
//! known by its device and its time, whichever node accepted it. So it is lost only with the last history that has it,
//! and counts once.

use crate::engine::time::{Instant, Span};
use crate::system::ids::ClientId;
use crate::system::spec::{Client, DuringDual};

use super::give_up::Range;
use super::{Burst, Held, Ledger, Lineage, Note, Segment};

/// A part of a holder's history: a lineage up to some instant.
type Stretch = (usize, Instant);

/// Around a write of known time, wide enough to hold it whatever the rounding of the calendar (2 ns).
const MARK: Span = Span::from_nanos(2);

/// The events that other histories have.
#[derive(Debug)]
pub(super) struct Elsewhere {
    stretches: Vec<Stretch>,
    /// Events noted one by one, in order.
    notes: Vec<(ClientId, Instant)>,
}

/// Whether a client hands each write to every active node it reaches.
pub(super) fn tells_all(client: &Client) -> bool {
    client.is_field && client.during_dual == DuringDual::Both
}

impl Ledger {
    /// What others than the one that gives a range up have of it.
    pub(super) fn beside(&self, range: &Range, clients: &[Client]) -> Elsewhere {
        let others = (0..self.held.len()).filter(|&holder| Some(holder) != range.by);
        self.elsewhere(others, (range.after, range.until), clients)
    }

    /// What `holders` have of devices that tell all, accepted in (after, until] where it was noted.
    pub(super) fn elsewhere(
        &self,
        holders: impl Iterator<Item = usize>,
        (after, until): (Instant, Instant),
        clients: &[Client],
    ) -> Elsewhere {
        let (mut stretches, mut notes) = (Vec::new(), Vec::new());
        if clients.iter().any(tells_all) {
            for held in holders.filter_map(|holder| self.held[holder].as_ref()) {
                stretches.extend(self.stretches(held));
            }
            for &(lineage, upto) in &stretches {
                let shared = self.lineages[lineage].notes.iter().filter(|note| {
                    let tells = tells_all(&clients[note.client.index()]);
                    tells && note.at > after && note.at <= until.min(upto)
                });
                notes.extend(shared.map(|note| (note.client, note.at)));
            }
            notes.sort_unstable();
        }
        Elsewhere { stretches, notes }
    }

    /// The lineages of a holder's history, the newest first, and up to when it has each.
    pub(super) fn stretches(&self, held: &Held) -> impl Iterator<Item = Stretch> {
        let above = |&(lineage, _): &Stretch| {
            let lineage = &self.lineages[lineage];
            lineage.parent.map(|parent| (parent, lineage.fork))
        };
        std::iter::successors(Some((held.lineage, held.upto)), above)
    }
}

impl Elsewhere {
    fn lineages<'a>(&'a self, all: &'a [Lineage]) -> impl Iterator<Item = (&'a Lineage, Instant)> {
        self.stretches.iter().map(|&(lineage, upto)| (&all[lineage], upto))
    }

    /// The parts of a range whose writes no other history has.
    pub(super) fn missing(&self, of: &Segment, client: &Client, all: &[Lineage]) -> Vec<(Instant, Instant)> {
        let mut rest = vec![(of.from, of.to)];
        if !tells_all(client) {
            return rest;
        }
        let mut cut = |from: Instant, to: Instant| {
            let around = |(a, b): (Instant, Instant)| [(a, b.min(from)), (a.max(to), b)];
            rest = rest.iter().copied().flat_map(around).filter(|(a, b)| a < b).collect();
        };
        for (lineage, upto) in self.lineages(all) {
            for theirs in lineage.segments.iter().filter(|theirs| theirs.client == of.client) {
                if theirs.from < theirs.to.min(upto) {
                    cut(theirs.from, theirs.to.min(upto));
                }
            }
        }
        let first = self.notes.partition_point(|note| *note <= (of.client, of.from));
        for &(_, at) in self.notes[first..].iter().take_while(|note| **note <= (of.client, of.to)) {
            cut(at.before(MARK), at);
        }
        rest
    }

    /// Whether another history has the same delivery of kept events.
    pub(super) fn has_burst(&self, of: &Burst, client: &Client, all: &[Lineage]) -> bool {
        tells_all(client)
            && self.lineages(all).any(|(lineage, upto)| {
                let same = |theirs: &Burst| {
                    theirs.client == of.client && theirs.from == of.from && theirs.at == of.at
                };
                of.at <= upto && lineage.bursts.iter().any(same)
            })
    }

    /// Whether another history has the event of this note.
    pub(super) fn has_note(&self, note: &Note, client: &Client, all: &[Lineage]) -> bool {
        let (at, id) = (note.at, note.client);
        let within = |theirs: &Segment, upto: Instant| {
            theirs.client == id && at > theirs.from && at <= theirs.to.min(upto)
        };
        tells_all(client)
            && (self.notes.binary_search(&(id, at)).is_ok()
                || self.lineages(all).any(|(l, upto)| l.segments.iter().any(|theirs| within(theirs, upto))))
    }
}
