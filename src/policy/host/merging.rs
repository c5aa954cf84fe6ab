//! Several nodes that all take writes and exchange them: what a last-writer-wins rule discards.
//!
//! While two of them cannot exchange writes, both go on: their histories diverge. When they meet again, of each key
//! that was written on both sides one side's last write is discarded, though it had been acknowledged. With K keys
//! and n_a, n_b writes on the two sides, spread evenly, a key was written on side i with probability
//! 1 − exp(−n_i/K), independently: the number of discarded writes is binomial. Of writes at known times (a calendar, or a
//! list) n_i is known, and the probability is 1 − (1 − 1/K)^n_i. Those of a list are each at one of the members that
//! could take it; evenly spaced ones go round.
//!
//! While they are connected, clocks matter: of two writes to one key at different nodes closer together than the
//! clocks differ, the earlier one can carry the later stamp. With Poisson writes of rate r to a key and a difference
//! of δ the discarded share is ½ (1 − exp(−r δ)); δ is read off the clocks at instants spread over the run.
//!
//! A node that loses its disk while cut off from the others takes with it what it had accepted since.

use crate::engine::probe::Probe;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::maths;
use crate::policy::contract::{Conflicts, Policy};
use crate::policy::facts::Fact;
use crate::service::ledger::{Loss, Part, Totals};
use crate::system::ids::{GroupId, NodeId};
use crate::system::spec::{Arrivals, Classes, Client};

use super::World;
use super::field::counted;
use super::view::members;

/// Instants at which the clocks of a run are compared.
const CLOCK_LOOKS: u32 = 256;

/// Two members that cannot exchange writes.
#[derive(Clone, Debug)]
struct Parted {
    pair: (usize, usize),
    since: Instant,
    /// What each had accepted when they parted.
    before: (Writes, Writes),
}

/// Writes that a member has accepted.
#[derive(Clone, Copy, Debug, Default)]
struct Writes {
    /// Of those at random, the mean number.
    mean: f64,
    /// Those at known times.
    counted: u64,
}

impl Writes {
    fn total(self) -> f64 {
        self.mean + self.counted as f64
    }

    fn since(self, before: Writes) -> Writes {
        Writes { mean: self.mean - before.mean, counted: self.counted - before.counted }
    }

    /// The probability that one of so many keys is among them.
    fn reach(self, keys: f64) -> f64 {
        let counted = if self.counted == 0 { 0.0 } else { self.counted as f64 * maths::ln_1p(-1.0 / keys) };
        -maths::exp_m1(-self.mean / keys + counted)
    }
}

/// The writes of one group, where all its nodes take them.
#[derive(Clone, Debug)]
pub(super) struct Merging {
    keys: f64,
    stream: Stream,
    /// Writes accepted so far, and the rate at present of those at random, by member.
    accepted: Vec<Writes>,
    rate: Vec<f64>,
    /// Clients whose writes come at known times, and the members that take them at present.
    counting: Vec<(usize, u64)>,
    since: Instant,
    parted: Vec<Parted>,
    /// Writes accepted when a member was cut off from all others, by member.
    alone: Vec<Option<(Instant, Writes)>>,
    lost: f64,
}

impl Merging {
    pub(super) fn new(conflicts: Conflicts, members: usize, stream: Stream) -> Option<Merging> {
        let Conflicts::LastWriterWins { keys } = conflicts else { return None };
        Some(Merging {
            keys,
            stream,
            accepted: vec![Writes::default(); members],
            rate: vec![0.0; members],
            counting: Vec::new(),
            since: Instant::ZERO,
            parted: Vec::new(),
            alone: vec![None; members],
            lost: 0.0,
        })
    }

    /// Since when some members have been without writes of another one that takes them too.
    pub(super) fn parted_since(&self) -> Option<Instant> {
        self.parted.iter().map(|parted| parted.since).min()
    }

    fn count_up_to(&mut self, now: Instant, clients: &[Client]) {
        let secs = now.since(self.since).as_secs();
        for (accepted, rate) in self.accepted.iter_mut().zip(&self.rate) {
            accepted.mean += rate * secs;
        }
        let counting = std::mem::take(&mut self.counting);
        for &(c, takers) in &counting {
            let number = u64::from(takers.count_ones());
            let mut left = counted(&clients[c], Part::of(0, 1), self.since, now).unwrap_or(0);
            if clients[c].arrivals == Arrivals::Fixed {
                let round = left / number;
                members(takers).for_each(|taker| self.accepted[taker].counted += round);
                left -= round * number;
                // The last round is not complete, and begins anywhere.
                let begins = if left == 0 { 0 } else { (self.stream.uniform() * number as f64) as u64 };
                for place in begins..begins + left {
                    self.count_one(takers, place % number);
                }
                continue;
            }
            for _ in 0..left {
                let place = (self.stream.uniform() * number as f64) as u64;
                self.count_one(takers, place);
            }
        }
        self.counting = counting;
        self.since = now;
    }

    /// One more write at the member in this place of those that take them.
    fn count_one(&mut self, takers: u64, place: u64) {
        let taker = members(takers).nth(place as usize).expect("one of those that take it");
        self.accepted[taker].counted += 1;
    }

    /// Two members meet again: one write is discarded for each key written on both sides.
    fn meet(&mut self, index: usize) -> u64 {
        let Parted { pair: (a, b), before, .. } = self.parted.swap_remove(index);
        let reach = |member: usize, before: Writes| self.accepted[member].since(before).reach(self.keys);
        let both = reach(a, before.0) * reach(b, before.1);
        maths::binomial_quantile(self.keys as u64, both, self.stream.uniform())
    }
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// Which members take writes, and from whom, may have changed.
    pub(super) fn look_at_merging(&mut self, group: GroupId, now: Instant) {
        let g = group.index();
        if self.groups[g].merging.is_none() {
            return;
        }
        let count = self.setup.model.groups[g].nodes.len();
        let (mut rate, mut counting, mut taking) = (vec![0.0; count], Vec::new(), 0_u64);
        for (c, client) in self.setup.model.clients.iter().enumerate().filter(|(_, k)| k.to == group) {
            let (_, working) = self.pool(c, group, false);
            if client.write_rate == 0.0 || working == 0 {
                continue;
            }
            taking |= working;
            if client.arrivals != Arrivals::Poisson {
                counting.push((c, working));
                continue;
            }
            for member in members(working) {
                rate[member] += client.write_rate / f64::from(working.count_ones());
            }
        }
        let mut parted = Vec::new();
        for a in 0..count {
            for b in a + 1..count {
                let both = 1 << a | 1 << b;
                if !self.exchange(group, a, b) && taking & both == both {
                    parted.push((a, b));
                }
            }
        }
        let alone: Vec<bool> =
            (0..count).map(|a| (0..count).all(|b| a == b || !self.exchange(group, a, b))).collect();
        let Some(merging) = &mut self.groups[g].merging else { return };
        merging.count_up_to(now, &self.setup.model.clients);
        (merging.rate, merging.counting) = (rate, counting);
        for (member, alone) in alone.into_iter().enumerate() {
            let accepted = merging.accepted[member];
            merging.alone[member] =
                if alone { merging.alone[member].or(Some((now, accepted))) } else { None };
        }
        let mut discarded = 0;
        while let Some(index) = merging.parted.iter().position(|p| !parted.contains(&p.pair)) {
            discarded += merging.meet(index);
        }
        for (a, b) in parted {
            if merging.parted.iter().all(|p| p.pair != (a, b)) {
                let before = (merging.accepted[a], merging.accepted[b]);
                merging.parted.push(Parted { pair: (a, b), since: now, before });
            }
        }
        let diverged = !merging.parted.is_empty();
        if discarded > 0 {
            self.emit(now, Fact::Overwritten { group, count: discarded, reordered: false });
        }
        if diverged != self.groups[g].takeovers.diverged {
            self.groups[g].takeovers.diverged = diverged;
            self.emit(now, Fact::Diverged { group, diverged });
        }
    }

    /// Whether two members exchange writes at present: the way between them is open.
    fn exchange(&self, group: GroupId, a: usize, b: usize) -> bool {
        let nodes = &self.setup.model.groups[group.index()].nodes;
        let open = |from: NodeId, to: NodeId| self.medium(from, to, Classes::REPLICATION).is_some();
        open(nodes[a], nodes[b]) && open(nodes[b], nodes[a])
    }

    /// A member's disk is gone: what only it had goes with it.
    pub(super) fn merging_disk_lost(&mut self, group: GroupId, member: usize, now: Instant) {
        let Some(merging) = &mut self.groups[group.index()].merging else { return };
        merging.count_up_to(now, &self.setup.model.clients);
        let Some((since, before)) = merging.alone[member] else { return };
        let gone = merging.accepted[member].since(before);
        let count = maths::poisson_quantile(gone.mean, merging.stream.uniform()) + gone.counted;
        merging.alone[member] = Some((now, merging.accepted[member]));
        merging.parted.retain(|parted| parted.pair.0 != member && parted.pair.1 != member);
        if count == 0 {
            return;
        }
        merging.lost += count as f64;
        // The accepted writes that are left are the others.
        merging.accepted[member] = merging.accepted[member].since(gone);
        let age = now.since(since);
        let loss = Loss {
            count,
            recovered: 0,
            merged: 0,
            overwritten: 0,
            configuration: 0,
            bytes: 0.0,
            age,
            incident: None,
        };
        self.emit(now, Fact::Lost { group, loss, breaks_bound: false });
    }

    /// At the horizon: what clock differences discarded while everybody was connected, and the sums.
    pub(super) fn finish_merging(&mut self, group: GroupId, horizon: Instant) {
        let g = group.index();
        if self.groups[g].merging.is_none() {
            return;
        }
        self.look_at_merging(group, horizon);
        let share = self.clock_share(group, horizon);
        let Some(merging) = &mut self.groups[g].merging else { return };
        let total: f64 = merging.accepted.iter().map(|accepted| accepted.total()).sum();
        let u = merging.stream.uniform();
        let discarded = maths::poisson_quantile(total * share, u);
        let mean = merging.accepted.iter().map(|accepted| accepted.mean).sum();
        let counted: u64 = merging.accepted.iter().map(|accepted| accepted.counted).sum();
        let kept = maths::poisson_quantile(mean, merging.stream.uniform()) + counted;
        let lost = merging.lost as u64;
        if discarded > 0 {
            self.emit(horizon, Fact::Overwritten { group, count: discarded, reordered: true });
        }
        self.emit(horizon, Fact::Book { group, totals: Totals { acked: kept + lost, kept, lost } });
    }

    /// The share of writes that a later stamp of an earlier write discards, averaged over the run.
    fn clock_share(&mut self, group: GroupId, horizon: Instant) -> f64 {
        let g = group.index();
        let nodes = &self.setup.model.groups[g].nodes;
        let Some(merging) = &mut self.groups[g].merging else { return 0.0 };
        let total: f64 = merging.accepted.iter().map(|accepted| accepted.total()).sum();
        let per_key = total / horizon.as_secs() / merging.keys;
        let mut sum = 0.0;
        for _ in 0..CLOCK_LOOKS {
            let at = Instant::ZERO + Span::from_secs_saturating(merging.stream.uniform() * horizon.as_secs());
            let error = |node: NodeId| {
                let spec = &self.setup.model.nodes[node.index()].clock;
                self.clocks[node.index()].wall_error(spec, at)
            };
            // Two writers taken at random among the members.
            let first = (merging.stream.uniform() * nodes.len() as f64) as usize;
            let second = (merging.stream.uniform() * nodes.len() as f64) as usize;
            let skew = (error(nodes[first]) - error(nodes[second])).abs();
            sum += -0.5 * maths::exp_m1(-per_key * skew);
        }
        sum / f64::from(CLOCK_LOOKS)
    }
}
