//! Keeping the book short: what can no longer be lost is forgotten but for its length, and the end of the book.

use crate::engine::time::Instant;
use crate::system::spec::Client;

use super::give_up::Range;
use super::{Disposal, Held, Ledger, Lineage, Loss, Segment, Totals};

/// Writes of one client that can be lost only with every copy: ranges of time, and those already counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    pub(super) secs: f64,
    pub(super) count: u64,
    /// When the first of them was accepted.
    pub(super) from: Option<Instant>,
}

/// Books smaller than this are not worth settling.
pub(super) const SETTLE_FROM: usize = 24;

impl Ledger {
    /// Whether what is open has grown so long that it is worth settling what every copy has.
    pub fn wants_settling(&self) -> bool {
        self.at_most > 16 * self.settle_at && self.size() > self.settle_at
    }

    /// Forgets what can only be lost with every copy, keeping its length or number. What was accepted after `until`
    /// stays: devices may still hold it.
    pub fn settle(&mut self, until: Instant, clients: &[Client]) {
        for lineage in 0..self.lineages.len() {
            // A history that nobody holds any more misses nothing.
            if self.lineages[lineage].in_flight.is_some()
                && !(0..self.held.len()).any(|n| self.holds(n, lineage))
            {
                self.lineages[lineage].in_flight = None;
            }
        }
        let any_in_flight = self.lineages.iter().any(|lineage| lineage.in_flight.is_some());
        for lineage in 0..self.lineages.len() {
            if self.lineages[lineage].is_blank() {
                continue;
            }
            // What every holder has can only be lost with all of them (see `lose_disk`).
            let holders = self.held.iter().flatten();
            let everywhere = holders.map(|held| self.surely_in(held, lineage)).min();
            let everywhere = everywhere.map_or(Instant::ZERO, |upto| upto.min(until));
            let child_in_flight = any_in_flight
                && self.lineages.iter().any(|c| c.parent == Some(lineage) && c.in_flight.is_some());
            // The same of a copy that has not taken over yet, where the original is gone.
            let waits = |held: &Held| held.lineage == lineage && held.in_flight.is_some();
            let bereft =
                self.held.iter().flatten().any(waits) && !self.holds(self.lineages[lineage].owner, lineage);
            if child_in_flight || bereft {
                continue;
            }
            debug_assert!(
                self.is_held_to_its_end(lineage),
                "writes that nobody holds were not given up: {:?} {:?}",
                self.lineages,
                self.held
            );
            let mut segments = std::mem::take(&mut self.lineages[lineage].segments);
            segments.retain_mut(|segment| {
                let to = segment.to.min(everywhere);
                if segment.from < to {
                    self.settle_range(Segment { to, ..*segment }, clients);
                    segment.from = to;
                }
                segment.from < segment.to
            });
            self.lineages[lineage].segments = segments;
            let bursts = std::mem::take(&mut self.lineages[lineage].bursts);
            let (sure, unsure): (Vec<_>, Vec<_>) =
                bursts.into_iter().partition(|burst| burst.at <= everywhere);
            self.lineages[lineage].bursts = unsure;
            for burst in sure {
                self.settle_burst(burst, clients);
            }
            let mut notes = std::mem::take(&mut self.lineages[lineage].notes);
            notes.retain(|note| {
                if note.at <= everywhere {
                    self.settle_note(*note);
                }
                note.at > everywhere
            });
            self.lineages[lineage].notes = notes;
        }
        self.forget_lineages();
        let size = self.size();
        self.settle_at = (2 * size).max(SETTLE_FROM);
        // Notes are counted by sixteens, rounded down, in every history.
        self.at_most = 16 * (size + self.lineages.len());
    }

    /// Whether somebody has every write of `lineage` that is over: what nobody has was to be given up when its last
    /// holder parted with it.
    fn is_held_to_its_end(&self, lineage: usize) -> bool {
        let held = self.held.iter().flatten().map(|held| self.upto_in(held, lineage)).max();
        self.lineages[lineage]
            .segments
            .iter()
            .all(|s| s.to.is_never() || s.from >= s.to || Some(s.to) <= held)
    }

    /// Up to when a holder has every write of `lineage`, those under way included.
    fn surely_in(&self, held: &Held, lineage: usize) -> Instant {
        let upto = self.upto_in(held, lineage);
        match &held.in_flight {
            Some(flight) if held.lineage == lineage => upto.min(flight.arrived()),
            _ => upto,
        }
    }

    fn size(&self) -> usize {
        let size = |l: &Lineage| 1 + l.segments.len() + l.bursts.len() + l.notes.len() / 16;
        self.lineages.iter().map(size).sum()
    }

    /// Drops the histories that hold nothing and lead to nothing that is held, and shortens the way through those
    /// that hold nothing and lead to one other only.
    fn forget_lineages(&mut self) {
        let count = self.lineages.len();
        let mut is_needed = vec![false; count];
        let mut children = vec![0_u32; count];
        let mut child_in_flight = vec![false; count];
        for held in self.held.iter().flatten() {
            is_needed[held.lineage] = true;
        }
        // Children come after their parents, so that what is behind a lineage is known when it is its turn.
        for l in (0..count).rev() {
            let lineage = &self.lineages[l];
            is_needed[l] |= !lineage.is_blank();
            if let (true, Some(parent)) = (is_needed[l] || children[l] > 0, lineage.parent) {
                children[parent] += 1;
                child_in_flight[parent] |= lineage.in_flight.is_some();
            }
        }
        // Where two histories part it is known by which fault they did, and so does the one that goes on alone.
        let mut stays: Vec<bool> =
            (0..count).map(|l| is_needed[l] || children[l] > 1 || child_in_flight[l]).collect();
        // With every copy gone a new history begins on the last one.
        stays[count - 1] |= stays.iter().all(|stays| !stays);
        for l in (0..count).filter(|&l| stays[l]) {
            while let Some(parent) = self.lineages[l].parent.filter(|&parent| !stays[parent]) {
                let through = &self.lineages[parent];
                let (above, fork, incident) = (through.parent, through.fork, through.incident);
                let lineage = &mut self.lineages[l];
                (lineage.parent, lineage.fork, lineage.incident) = (above, fork, incident);
            }
        }
        let mut place = vec![0; count];
        let mut next = 0;
        for l in 0..count {
            place[l] = next;
            next += usize::from(stays[l]);
        }
        let mut l = 0;
        self.lineages.retain(|_| {
            l += 1;
            stays[l - 1]
        });
        for lineage in &mut self.lineages {
            lineage.parent = lineage.parent.map(|parent| place[parent]);
        }
        for held in self.held.iter_mut().flatten() {
            held.lineage = place[held.lineage];
        }
    }

    /// Ends the book at the horizon: the history of `survivor` stays (of the newest lineage if there is none);
    /// everything acknowledged outside it is lost.
    pub fn finish(
        &mut self,
        survivor: Option<usize>,
        now: Instant,
        how: Disposal,
        clients: &[Client],
    ) -> (Totals, Vec<Loss>) {
        for lineage in &mut self.lineages {
            for segment in &mut lineage.segments {
                segment.to = segment.to.min(now);
            }
        }
        let newest = (0..self.held.len())
            .filter(|&n| self.held[n].is_some())
            .max_by_key(|&n| self.held[n].as_ref().map(|h| (h.lineage, h.upto.min(now))));
        let winner = survivor.filter(|&n| self.held[n].is_some()).or(newest);
        let mut losses = Vec::new();
        if let Some(winner) = winner {
            for node in (0..self.held.len()).filter(|&n| n != winner) {
                if self.held[node].is_some() {
                    losses.extend(self.adopt(node, winner, now, how, clients));
                }
            }
            // Histories that nobody holds any more went when their last holder did; the rest of the winner's is kept.
        }
        for lineage in 0..self.lineages.len() {
            let end = winner
                .and_then(|w| self.held[w].as_ref())
                .map_or(Instant::ZERO, |held| self.upto_in(held, lineage));
            if end < now {
                let range = Range { lineage, after: end, until: now, end: now, by: None };
                losses.extend(self.dispose(&range, None, how, clients));
            }
            for segment in std::mem::take(&mut self.lineages[lineage].segments) {
                self.keep(&segment, clients);
            }
            for burst in std::mem::take(&mut self.lineages[lineage].bursts) {
                self.keep_burst(&burst, clients);
            }
            for note in std::mem::take(&mut self.lineages[lineage].notes) {
                self.kept[note.client.index()].note(note.at);
            }
        }
        self.keep_aside(clients);
        for (client, spec) in clients.iter().enumerate() {
            let kept = self.kept[client];
            self.totals.kept += self.count_kept(&kept, spec);
        }
        self.totals.acked += self.totals.kept;
        (self.totals, losses)
    }
}
