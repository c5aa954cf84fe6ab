//! Keeping the book short: what can no longer be lost is forgotten but for its length, and the end of the book.

use crate::engine::time::Instant;
use crate::maths;
use crate::system::spec::{Arrivals, Client};

use super::{Disposal, Ledger, Loss, Totals};

/// Books smaller than this are not worth settling.
pub(super) const SETTLE_FROM: usize = 24;

impl Ledger {
    /// Whether what is open has grown so long that it is worth settling what every copy has.
    pub fn wants_settling(&self) -> bool {
        self.at_most > 16 * self.settle_at && self.size() > self.settle_at
    }

    /// Forgets what can no longer be lost, keeping its length.
    pub fn settle(&mut self) {
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
            let everywhere = holders.map(|held| self.upto_in(held, lineage)).min().unwrap_or(Instant::ZERO);
            let child_in_flight =
                self.lineages.iter().any(|c| c.parent == Some(lineage) && c.in_flight.is_some());
            if child_in_flight {
                continue;
            }
            let kept = &mut self.kept_time;
            self.lineages[lineage].segments.retain_mut(|segment| {
                let to = segment.to.min(everywhere);
                if segment.from < to {
                    kept[segment.client.index()] += (to - segment.from).as_secs();
                    segment.from = to;
                }
                segment.from < segment.to
            });
            let notes = &mut self.lineages[lineage].notes;
            let before = notes.len();
            notes.retain(|(at, _)| *at > everywhere);
            self.kept_exact += (before - notes.len()) as u64;
        }
        self.forget_lineages();
        let size = self.size();
        self.settle_at = (2 * size).max(SETTLE_FROM);
        // Notes are counted by sixteens, rounded down, in every history.
        self.at_most = 16 * (size + self.lineages.len());
    }

    fn size(&self) -> usize {
        self.lineages.iter().map(|lineage| 1 + lineage.segments.len() + lineage.notes.len() / 16).sum()
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
            is_needed[l] |= !lineage.segments.is_empty() || !lineage.notes.is_empty();
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
                losses.extend(self.dispose(lineage, end, now, None, how, clients));
            }
            for segment in std::mem::take(&mut self.lineages[lineage].segments) {
                match clients[segment.client.index()].arrivals {
                    Arrivals::Poisson => {
                        self.kept_time[segment.client.index()] += segment.to.since(segment.from).as_secs();
                    }
                    _ => {
                        self.kept_exact +=
                            self.count(&clients[segment.client.index()], segment.from, segment.to);
                    }
                }
            }
            self.kept_exact += self.lineages[lineage].notes.len() as u64;
            self.lineages[lineage].notes.clear();
        }
        self.totals.kept = self.kept_exact;
        for (client, secs) in clients.iter().zip(&self.kept_time) {
            if *secs > 0.0 {
                let mean = client.write_rate * self.share * secs;
                self.totals.kept += match client.arrivals {
                    Arrivals::Poisson => maths::poisson_quantile(mean, self.stream.uniform()),
                    // Settled stretches of a calendar end at instants that fall between its marks.
                    _ => mean.round() as u64,
                };
            }
        }
        self.totals.acked += self.totals.kept;
        (self.totals, losses)
    }
}
