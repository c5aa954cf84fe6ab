//! Keeping the book short: what can no longer be lost is forgotten but for its length, and the end of the book.

use crate::engine::time::Instant;
use crate::maths;
use crate::system::spec::{Arrivals, Client};

use super::{Disposal, Held, Ledger, Lineage, Loss, Totals};

/// Books smaller than this are not worth settling.
pub(super) const SETTLE_FROM: usize = 24;

impl Ledger {
    /// Whether what is open has grown so long that it is worth settling what every copy has.
    pub fn wants_settling(&self) -> bool {
        self.size() > self.settle_at
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
            // The same of a copy that has not taken over yet, where the original is gone.
            let waits = |held: &Held| held.lineage == lineage && held.in_flight.is_some();
            let bereft =
                self.held.iter().flatten().any(waits) && !self.holds(self.lineages[lineage].owner, lineage);
            if child_in_flight || bereft {
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
        self.settle_at = (2 * self.size()).max(SETTLE_FROM);
    }

    fn size(&self) -> usize {
        self.lineages.iter().map(|lineage| 1 + lineage.segments.len() + lineage.notes.len() / 16).sum()
    }

    /// Drops lineages at the front that hold nothing and that nobody's history needs beyond their end.
    fn forget_lineages(&mut self) {
        let needed = |lineages: &[Lineage], held: &[Option<Held>], l: usize| {
            held.iter().flatten().any(|h| h.lineage == l)
                || !lineages[l].segments.is_empty()
                || !lineages[l].notes.is_empty()
                || lineages.iter().any(|c| c.parent == Some(l) && c.in_flight.is_some())
        };
        let mut first = 0;
        while first + 1 < self.lineages.len() && !needed(&self.lineages, &self.held, first) {
            first += 1;
        }
        if first == 0 {
            return;
        }
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
