//! Keeping the book short: what can no longer be lost is forgotten but for its length, and the end of the book.

use crate::engine::time::Instant;
use crate::system::spec::Client;

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
        self.size() > self.settle_at
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
        for lineage in 0..self.lineages.len() {
            // What every holder has can only be lost with all of them (see `lose_disk`).
            let holders = self.held.iter().flatten();
            let everywhere = holders.map(|held| self.surely_in(held, lineage)).min();
            let everywhere = everywhere.map_or(Instant::ZERO, |upto| upto.min(until));
            let child_in_flight =
                self.lineages.iter().any(|c| c.parent == Some(lineage) && c.in_flight.is_some());
            if child_in_flight {
                continue;
            }
            let mut segments = std::mem::take(&mut self.lineages[lineage].segments);
            segments.retain_mut(|segment| {
                let to = segment.to.min(everywhere);
                if segment.from < to {
                    self.keep(&Segment { to, ..*segment }, clients);
                    segment.from = to;
                }
                segment.from < segment.to
            });
            self.lineages[lineage].segments = segments;
            let kept = &mut self.kept;
            self.lineages[lineage].notes.retain(|&(at, client)| {
                if at <= everywhere {
                    kept[client.index()].note(at);
                }
                at > everywhere
            });
        }
        self.forget_lineages();
        self.settle_at = (2 * self.size()).max(SETTLE_FROM);
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
        self.lineages.iter().map(|lineage| 1 + lineage.segments.len() + lineage.notes.len() / 16).sum()
    }

    /// Drops lineages at the front that hold nothing and that nobody's history needs beyond their end. Where histories
    /// part stays known, for the fault behind the parting stands there.
    fn forget_lineages(&mut self) {
        let needed = |lineages: &[Lineage], held: &[Option<Held>], l: usize| {
            held.iter().flatten().any(|h| h.lineage == l)
                || !lineages[l].segments.is_empty()
                || !lineages[l].notes.is_empty()
                || lineages.iter().any(|c| c.parent == Some(l) && c.in_flight.is_some())
        };
        let front =
            (0..self.lineages.len() - 1).take_while(|&l| !needed(&self.lineages, &self.held, l)).count();
        let begin_anew = |first: usize| {
            let rest = self.lineages[first..].iter();
            rest.filter(|lineage| lineage.parent.is_none_or(|parent| parent < first)).count()
        };
        let Some(first) = (1..=front).rev().find(|&first| begin_anew(first) == 1) else { return };
        self.lineages.drain(..first);
        for lineage in &mut self.lineages {
            lineage.parent = lineage.parent.and_then(|p| p.checked_sub(first));
        }
        for held in self.held.iter_mut().flatten() {
            held.lineage -= first;
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
                losses.extend(self.dispose(lineage, (end, now), now, None, how, clients));
            }
            for segment in std::mem::take(&mut self.lineages[lineage].segments) {
                self.keep(&segment, clients);
            }
            for (at, client) in std::mem::take(&mut self.lineages[lineage].notes) {
                self.kept[client.index()].note(at);
            }
        }
        for (client, spec) in clients.iter().enumerate() {
            let kept = self.kept[client];
            self.totals.kept += self.count_kept(&kept, spec);
        }
        self.totals.acked += self.totals.kept;
        (self.totals, losses)
    }
}
