//! What was settled, with its times: for books of which a new copy may begin with no more than a part.
//!
//! A copy of a log, or of present values, is complete when it begins to follow. Records are left to the background,
//! oldest first (see [`crate::service::replication`]): a node whose disk was lost holds none of them at first, and
//! while it catches up the other one can fail. What both had held before is then lost beyond where the new copy stands,
//! so its length alone would not do.

use crate::engine::time::Instant;
use crate::system::spec::Client;

use super::{Burst, Ledger, Note, Segment};

/// Writes of one client that every holder had, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Aside {
    segments: Vec<Segment>,
    bursts: Vec<Burst>,
    notes: Vec<Note>,
}

impl Ledger {
    /// The same book for what a new copy begins without: records that are copied as a stream of their own.
    pub fn of_records(mut self) -> Ledger {
        self.aside = Some(vec![Aside::default(); self.kept.len()]);
        self
    }

    /// A range that every holder has: kept, or put aside.
    pub(super) fn settle_range(&mut self, range: Segment, clients: &[Client]) {
        let Some(aside) = &mut self.aside else { return self.keep(&range, clients) };
        let ranges = &mut aside[range.client.index()].segments;
        match ranges.last_mut() {
            Some(last) if last.to == range.from => last.to = range.to,
            _ => ranges.push(range),
        }
    }

    /// A delivery that every holder has.
    pub(super) fn settle_burst(&mut self, burst: Burst, clients: &[Client]) {
        match &mut self.aside {
            Some(aside) => aside[burst.client.index()].bursts.push(burst),
            None => self.keep_burst(&burst, clients),
        }
    }

    /// A noted write that every holder has.
    pub(super) fn settle_note(&mut self, note: Note) {
        match &mut self.aside {
            Some(aside) => aside[note.client.index()].notes.push(note),
            None => self.kept[note.client.index()].note(note.at),
        }
    }

    /// What was put aside is kept: no copy will begin again without it.
    pub(super) fn keep_aside(&mut self, clients: &[Client]) {
        let Some(aside) = &mut self.aside else { return };
        for aside in aside.iter_mut().map(std::mem::take).collect::<Vec<_>>() {
            aside.segments.iter().for_each(|range| self.keep(range, clients));
            aside.bursts.iter().for_each(|burst| self.keep_burst(burst, clients));
            aside.notes.iter().for_each(|note| self.kept[note.client.index()].note(note.at));
        }
    }

    /// A copy of `lineage` holds no more than what was accepted up to `after`: what was put aside beyond that can be lost
    /// again, and goes back to where it was on the way to `lineage`.
    pub(super) fn take_back(&mut self, lineage: usize, after: Instant) {
        let Some(aside) = &mut self.aside else { return };
        let (mut ranges, mut bursts, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for aside in aside {
            while let Some(last) = aside.segments.pop_if(|range| range.to > after) {
                let stays = Segment { to: after, ..last };
                aside.segments.extend((stays.from < stays.to).then_some(stays));
                ranges.push(Segment { from: last.from.max(after), ..last });
            }
            bursts.extend(std::iter::from_fn(|| aside.bursts.pop_if(|burst| burst.at > after)));
            let beyond = aside.notes.partition_point(|note| note.at <= after);
            notes.extend(aside.notes.drain(beyond..));
        }
        self.at_most += 16 * (ranges.len() + bursts.len()) + notes.len();
        // A holder has of each history on its way what lies between its beginning and that of the next.
        let (mut at, mut end) = (lineage, Instant::NEVER);
        while !(ranges.is_empty() && bursts.is_empty() && notes.is_empty()) {
            let parent = self.lineages[at].parent;
            let fork = self.lineages[at].fork;
            let is_here = |when: Instant| when <= end && (parent.is_none() || when > fork);
            let here = &mut self.lineages[at];
            here.segments.extend(ranges.iter().filter_map(|range| {
                let from = if parent.is_some() { range.from.max(fork) } else { range.from };
                let part = Segment { from, to: range.to.min(end), ..*range };
                (part.from < part.to).then_some(part)
            }));
            here.bursts.extend(bursts.extract_if(.., |burst| is_here(burst.at)));
            here.notes.extend(notes.extract_if(.., |note| is_here(note.at)));
            let Some(above) = parent else { return };
            ranges.retain(|range| range.from < fork);
            (at, end) = (above, fork);
        }
    }
}
