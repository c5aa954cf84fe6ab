//! The observer of a run: turns facts into the tallies of the service and of each group.

use crate::engine::probe::Probe;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Phase, Policy, Sense};
use crate::policy::facts::Fact;
use crate::policy::host::Setup;
use crate::system::ids::NodeId;
use crate::system::spec::Objectives;

use super::outage::Outages;
use super::record::{Breach, Promise};
use super::spells::{Spell, Spells};
use super::tally::{Pool, Sum, Tally};
use super::windows::{windows_met, worst_window};

/// What was told of a service at one instant.
#[derive(Clone, Copy, Debug)]
struct Told {
    up: bool,
    writes: bool,
    reads: bool,
    by: Option<NodeId>,
    cause: Phase,
}

/// Accumulates the time for which something holds.
#[derive(Clone, Copy, Debug, Default)]
struct Timer {
    since: Option<Instant>,
    total: Span,
}

impl Timer {
    /// Tells whether it holds from now on; returns the length of the spell that ends, if one does.
    fn set(&mut self, holds: bool, now: Instant) -> Option<Span> {
        match (self.since, holds) {
            (None, true) => {
                self.since = Some(now);
                None
            }
            (Some(since), false) => {
                self.since = None;
                self.total += now - since;
                Some(now - since)
            }
            _ => None,
        }
    }

    fn finish(&mut self, now: Instant) -> f64 {
        self.set(false, now);
        self.total.as_secs()
    }
}

/// Time that is up and yet not safe: split, or answering reads from data older than the limit.
#[derive(Clone, Copy, Debug, Default)]
struct Safety {
    limit: Option<Span>,
    is_down: bool,
    is_split: bool,
    /// Reads miss writes acknowledged since then.
    behind_since: Option<Instant>,
    seen_up_to: Instant,
    up_and_unsafe: Span,
    stale: Span,
}

impl Safety {
    /// Adds the time since the last change, in which everything stayed as it was.
    fn advance(&mut self, now: Instant) {
        let from = std::mem::replace(&mut self.seen_up_to, now);
        let stale = match (self.limit, self.behind_since) {
            // What is missed grows old enough in the midst of it.
            (Some(limit), Some(since)) => now.since(from.max(since + limit).min(now)),
            _ => Span::ZERO,
        };
        self.stale += stale;
        if !self.is_down {
            self.up_and_unsafe += if self.is_split { now - from } else { stale };
        }
    }
}

/// Losses that belong to one incident.
#[derive(Clone, Copy, Debug)]
struct Losses {
    number: u32,
    /// Whether the policy's bound speaks of it.
    in_class: bool,
    count: u64,
    age: Span,
}

/// What is watched of the service or of one group.
#[derive(Clone, Debug)]
struct Watched {
    outages: Outages,
    writes_down: Timer,
    reads_down: Timer,
    safety: Safety,
    tally: Tally,
}

/// What is watched of one group besides.
#[derive(Clone, Debug)]
struct GroupWatched {
    seen: Watched,
    told: Told,
    belief: Timer,
    split: Timer,
    /// Split-brain windows that are over, put together where they lie close.
    windows: Spells,
    exposed: Timer,
    diverged: Timer,
    degraded: Timer,
    capacity_lost: f64,
    capacity_since: Instant,
    incidents: u32,
    losses: Vec<Losses>,
    /// Nodes that the same devices obey.
    obeyed: u8,
}

impl GroupWatched {
    /// A split-brain window is over, and none will be put together with it.
    fn tell_window(&mut self, window: Option<Spell>) {
        let Some(Spell { length: window, .. }) = window else { return };
        let tally = &mut self.seen.tally;
        tally.add(Sum::SplitsEnded, 1.0);
        tally.add(Sum::SplitEndedSecs, window.as_secs());
        tally.pool(Pool::Split, window.as_nanos());
    }
}

/// Watches a run.
#[derive(Clone, Debug)]
pub(super) struct Observer {
    groups: Vec<GroupWatched>,
    /// The service over all groups; with a single group it is that group.
    all: Option<Watched>,
    standby: Vec<Timer>,
    mistakes: Vec<((NodeId, NodeId), Instant)>,
    group_of: Vec<Option<usize>>,
    objectives: Objectives,
    pub(super) breach: Option<Breach>,
    bounds: Vec<Option<f64>>,
    /// How long a split brain may last whatever happens, by group, where that is promised.
    split_bounds: Vec<Option<f64>>,
    /// Capacity lost per second at present, by group.
    capacity: Vec<f64>,
}

impl Observer {
    pub(super) fn new<P: Policy>(setup: &Setup<P>) -> Observer {
        let model = &setup.model;
        let watched = |deadline: Span| Watched {
            outages: Outages::new(deadline, model.merge_gap, model.objectives.rto),
            writes_down: Timer::default(),
            reads_down: Timer::default(),
            safety: Safety { limit: model.objectives.staleness, ..Safety::default() },
            tally: Tally::default(),
        };
        let deadline_of = |group: Option<usize>| {
            let asked =
                model.clients.iter().filter(|k| !k.is_field && group.is_none_or(|g| k.to.index() == g));
            asked.map(|client| client.deadline).min().unwrap_or(Span::ZERO)
        };
        let groups: Vec<_> = (0..model.groups.len())
            .map(|g| GroupWatched {
                seen: watched(deadline_of(Some(g))),
                told: Told { up: true, writes: true, reads: true, by: None, cause: Phase::Detect },
                belief: Timer::default(),
                split: Timer::default(),
                windows: Spells::new(model.merge_gap),
                exposed: Timer::default(),
                diverged: Timer::default(),
                degraded: Timer::default(),
                capacity_lost: 0.0,
                capacity_since: Instant::ZERO,
                incidents: 0,
                losses: Vec::new(),
                obeyed: 0,
            })
            .collect();
        let mut group_of = vec![None; model.nodes.len()];
        for (g, group) in model.groups.iter().enumerate() {
            for node in &group.nodes {
                group_of[node.index()] = Some(g);
            }
        }
        Observer {
            all: (groups.len() > 1).then(|| watched(deadline_of(None))),
            capacity: vec![0.0; groups.len()],
            groups,
            standby: vec![Timer::default(); model.nodes.len()],
            mistakes: Vec::new(),
            group_of,
            objectives: model.objectives.clone(),
            breach: None,
            bounds: setup.bounds.iter().map(|b| b.loss_age.as_ref().and_then(|bound| bound.secs)).collect(),
            split_bounds: setup.bounds.iter().map(|b| b.split_brain.unconditional()).collect(),
        }
    }

    fn service(&mut self, now: Instant, g: usize, told: Told) {
        self.groups[g].told = told;
        set_service(&mut self.groups[g].seen, now, told);
        let Some(all) = &mut self.all else { return };
        let of = |holds: fn(&Told) -> bool| self.groups.iter().all(|g| holds(&g.told));
        let joint = Told {
            up: of(|t| t.up),
            writes: of(|t| t.writes),
            reads: of(|t| t.reads),
            by: told.by,
            cause: self.groups.iter().find(|g| !g.told.up).map_or(told.cause, |g| g.told.cause),
        };
        set_service(all, now, joint);
    }

    fn acceptors(&mut self, now: Instant, g: usize, believing: u8, accepting: u8, exposed: u8) {
        let group = &mut self.groups[g];
        group.belief.set(believing >= 2, now);
        group.exposed.set(exposed >= 2, now);
        if group.split.since.is_none() && accepting >= 2 {
            let before = group.windows.begin(now);
            group.tell_window(before);
            if !group.windows.continues() {
                group.seen.tally.add(Sum::Splits, 1.0);
            }
        }
        if let Some(window) = group.split.set(accepting >= 2, now) {
            group.windows.end(now, window);
            self.check_split(g, window);
        }
        let group = &mut self.groups[g];
        group.seen.safety.advance(now);
        group.seen.safety.is_split = accepting >= 2;
        let is_split = self.groups.iter().any(|g| g.seen.safety.is_split);
        if let Some(all) = &mut self.all {
            all.safety.advance(now);
            all.safety.is_split = is_split;
        }
    }

    /// Holds a split brain that is over against what the policy promises of all of them.
    fn check_split(&mut self, g: usize, window: Span) {
        if let (None, Some(bound_secs)) = (self.breach, self.split_bounds[g])
            && window.as_secs() > bound_secs + 1e-9
        {
            let secs = window.as_secs();
            self.breach = Some(Breach { group: g, promise: Promise::SplitBrain, secs, bound_secs });
        }
    }

    /// The same of those that last at the horizon.
    pub(super) fn check_open_splits(&mut self, horizon: Instant) {
        for g in 0..self.groups.len() {
            if let Some(since) = self.groups[g].split.since {
                self.check_split(g, horizon - since);
            }
        }
    }

    fn lagging(&mut self, now: Instant, g: usize, since: Option<Instant>) {
        let safety = &mut self.groups[g].seen.safety;
        safety.advance(now);
        safety.behind_since = since;
        let oldest = self.groups.iter().filter_map(|group| group.seen.safety.behind_since).min();
        if let Some(all) = &mut self.all {
            all.safety.advance(now);
            all.safety.behind_since = oldest;
        }
    }

    fn verdict(&mut self, now: Instant, who: (NodeId, NodeId), suspected: bool, mistaken: bool) {
        let Some(g) = self.group_of[who.0.index()] else { return };
        let tally = &mut self.groups[g].seen.tally;
        if suspected && mistaken {
            tally.add(Sum::Mistakes, 1.0);
            self.mistakes.push((who, now));
        } else if !suspected && let Some(i) = self.mistakes.iter().position(|(known, _)| *known == who) {
            let (_, since) = self.mistakes.swap_remove(i);
            tally.add(Sum::MistakesEnded, 1.0);
            tally.add(Sum::MistakeSecs, (now - since).as_secs());
        }
    }

    fn lost(&mut self, g: usize, loss: crate::service::ledger::Loss, breaks_bound: bool) {
        let group = &mut self.groups[g];
        let tally = &mut group.seen.tally;
        let count = loss.count - loss.merged;
        tally.add(Sum::Merged, loss.merged as f64);
        tally.add(Sum::Lost, count as f64);
        tally.add(Sum::LostBytes, loss.bytes);
        tally.add(Sum::RecoveredLate, loss.recovered as f64);
        tally.add(Sum::Overwritten, loss.overwritten as f64);
        tally.add(Sum::LostConfiguration, loss.configuration as f64);
        // They stand behind what was acknowledged after them.
        tally.add(Sum::Reordered, loss.recovered as f64);
        if count == 0 {
            return;
        }
        if breaks_bound && self.breach.is_none() {
            let bound_secs = self.bounds[g].unwrap_or(0.0);
            let secs = loss.age.as_secs();
            self.breach = Some(Breach { group: g, promise: Promise::LossAge, secs, bound_secs });
        }
        // A loss without an incident stands for itself.
        let number = loss.incident.map_or(u32::MAX - group.losses.len() as u32, |incident| incident.number);
        let in_class = loss.incident.is_some_and(|incident| incident.in_class);
        if loss.incident.is_some() && !in_class {
            tally.add(Sum::OutOfClassLost, count as f64);
        }
        match group.losses.iter_mut().find(|l| l.number == number) {
            Some(known) => {
                known.count += count;
                known.age = known.age.max(loss.age);
            }
            None => group.losses.push(Losses { number, in_class, count, age: loss.age }),
        }
    }

    /// Closes everything at the horizon and gives the tallies: the service's, then each group's.
    pub(super) fn finish(mut self, horizon: Instant) -> (Tally, Vec<Tally>) {
        let mut tallies = Vec::with_capacity(self.groups.len());
        for (node, timer) in self.standby.iter_mut().enumerate() {
            if let Some(g) = self.group_of[node] {
                let secs = timer.finish(horizon);
                self.groups[g].seen.tally.add(Sum::StandbySecs, secs);
            }
        }
        for (g, group) in self.groups.iter_mut().enumerate() {
            group.capacity_lost += self.capacity[g] * horizon.since(group.capacity_since).as_secs();
            if group.split.since.is_none() {
                let last = group.windows.close();
                group.tell_window(last);
            }
            let tally = &mut group.seen.tally;
            tally.add(Sum::CapacityLost, group.capacity_lost);
            tally.add(Sum::DualBelief, group.belief.finish(horizon));
            tally.add(Sum::ExposedSecs, group.exposed.finish(horizon));
            if let Some(since) = group.split.since {
                let open = group.windows.cut_off(horizon - since);
                tally.pool(Pool::OpenSplit, open.length.as_nanos());
            }
            tally.add(Sum::SplitSecs, group.split.finish(horizon));
            tally.add(Sum::DivergedSecs, group.diverged.finish(horizon));
            tally.add(Sum::DegradedSecs, group.degraded.finish(horizon));
            for losses in &group.losses {
                tally.add(Sum::LossIncidents, 1.0);
                tally.add(Sum::LossAgeSecs, losses.age.as_secs());
                tally.pool(Pool::LossAge, losses.age.as_nanos());
                let (losses_of, age_of, pool) = match losses.in_class {
                    true => (Sum::InClassLosses, Sum::InClassAgeSecs, Pool::InClassAge),
                    false => (Sum::OutOfClassLosses, Sum::OutOfClassAgeSecs, Pool::OutOfClassAge),
                };
                tally.add(losses_of, 1.0);
                tally.add(age_of, losses.age.as_secs());
                tally.pool(pool, losses.age.as_nanos());
                tally.pool(Pool::LostPerIncident, losses.count);
                if self.objectives.rpo.is_some_and(|rpo| losses.age > rpo) {
                    tally.add(Sum::RpoMissed, 1.0);
                }
            }
            for _ in group.losses.len()..group.incidents as usize {
                tally.pool(Pool::LostPerIncident, 0);
            }
            finish_watched(&mut group.seen, horizon, &self.objectives);
            tallies.push(group.seen.tally.clone());
        }
        let service = match self.all {
            Some(mut all) => {
                finish_watched(&mut all, horizon, &self.objectives);
                for tally in &tallies {
                    all.tally.absorb(tally);
                }
                let lost: f64 = tallies.iter().map(|t| t.get(Sum::CapacityLost)).sum();
                all.tally.add(Sum::CapacityLost, lost / tallies.len() as f64);
                all.tally
            }
            None => tallies.first().cloned().unwrap_or_default(),
        };
        (service, tallies)
    }
}

fn set_service(seen: &mut Watched, now: Instant, told: Told) {
    seen.writes_down.set(!told.writes, now);
    seen.reads_down.set(!told.reads, now);
    if told.up {
        seen.outages.up(now, told.by, &mut seen.tally);
    } else {
        seen.outages.down(now, told.cause);
    }
    seen.safety.advance(now);
    seen.safety.is_down = seen.outages.is_down();
}

fn finish_watched(seen: &mut Watched, horizon: Instant, objectives: &Objectives) {
    seen.outages.cut_off(horizon, &mut seen.tally);
    let (writes, reads) = (seen.writes_down.finish(horizon), seen.reads_down.finish(horizon));
    seen.safety.advance(horizon);
    let unsafe_time = seen.safety.up_and_unsafe.as_secs();
    let tally = &mut seen.tally;
    tally.add(Sum::StaleSecs, seen.safety.stale.as_secs());
    tally.add(Sum::Horizon, horizon.as_secs());
    tally.add(Sum::WritesDown, writes);
    tally.add(Sum::ReadsDown, reads);
    let down = tally.get(Sum::Down);
    tally.add(Sum::Unsafe, down + unsafe_time);
    if tally.get(Sum::Failed) == 0.0 {
        tally.add(Sum::FirstFailure, horizon.as_secs());
    }
    let target = objectives.availability.as_ref();
    let window = target.map_or(Span::from_whole_secs(30 * 86_400), |t| t.window);
    let exclude = target.is_some_and(|t| t.exclude_planned);
    let intervals: Vec<_> =
        seen.outages.intervals.iter().filter(|i| !(exclude && i.2)).map(|i| (i.0, i.1)).collect();
    tally.add(Sum::WorstWindow, 1.0 - worst_window(&intervals, window, horizon));
    if let Some(target) = target {
        let (met, all) = windows_met(&intervals, window, horizon, target.target);
        tally.add(Sum::WindowsMet, met as f64);
        tally.add(Sum::Windows, all as f64);
    }
}

impl Probe<Fact> for Observer {
    #[inline(always)]
    fn see(&mut self, now: Instant, fact: &Fact) {
        match *fact {
            Fact::Service { group, up, writes, reads, by, cause } => {
                self.service(now, group.index(), Told { up, writes, reads, by, cause });
            }
            Fact::Step { node, phase } => {
                if let Some(g) = self.group_of[node.index()] {
                    self.groups[g].seen.outages.step(now, node, phase);
                    if let Some(all) = &mut self.all {
                        all.outages.step(now, node, phase);
                    }
                }
            }
            Fact::Process { node, up } => {
                if !up {
                    // Whoever was mistaken is gone: that mistake has no end to tell of.
                    self.mistakes.retain(|((observer, _), _)| *observer != node);
                    self.standby[node.index()].set(false, now);
                    if let Some(g) = self.group_of[node.index()] {
                        self.groups[g].seen.outages.gone(now, node);
                        if let Some(all) = &mut self.all {
                            all.outages.gone(now, node);
                        }
                    }
                }
            }
            Fact::Stance { node, stance } => {
                self.standby[node.index()].set(stance.accepts.is_none(), now);
            }
            Fact::Acceptors { group, believing, accepting, exposed } => {
                self.acceptors(now, group.index(), believing, accepting, exposed);
            }
            Fact::Verdict { observer, peer, by: Sense::Beats, suspected, mistaken } => {
                self.verdict(now, (observer, peer), suspected, mistaken);
            }
            Fact::Diverged { group, diverged } => {
                let group = &mut self.groups[group.index()];
                if let Some(spell) = group.diverged.set(diverged, now) {
                    group.seen.tally.add(Sum::Reconciled, 1.0);
                    group.seen.tally.add(Sum::ReconciledSecs, spell.as_secs());
                }
            }
            Fact::Capacity { group, millionths } => {
                let g = group.index();
                let group = &mut self.groups[g];
                group.capacity_lost += self.capacity[g] * now.since(group.capacity_since).as_secs();
                group.capacity_since = now;
                self.capacity[g] = 1.0 - f64::from(millionths) / 1e6;
            }
            Fact::Failover { group, took, detection, mistaken, ordered, .. } => {
                let tally = &mut self.groups[group.index()].seen.tally;
                tally.add(Sum::Failovers, 1.0);
                tally.add(Sum::FalseFailovers, f64::from(u8::from(mistaken && !ordered)));
                tally.add(Sum::OrderedFailovers, f64::from(u8::from(ordered)));
                if let Some(took) = took {
                    tally.add(Sum::FailoversTimed, 1.0);
                    tally.add(Sum::FailoverSecs, took.as_secs());
                    tally.pool(Pool::Failover, took.as_nanos());
                }
                if let Some(detection) = detection {
                    tally.add(Sum::Detections, 1.0);
                    tally.add(Sum::DetectionSecs, detection.as_secs());
                    tally.pool(Pool::Detection, detection.as_nanos());
                }
            }
            Fact::FailoverFailed { group } => {
                self.groups[group.index()].seen.tally.add(Sum::FailedFailovers, 1.0)
            }
            Fact::Incident { group, incident } => {
                let group = &mut self.groups[group.index()];
                group.incidents += 1;
                group.seen.tally.add(Sum::Incidents, 1.0);
                if !incident.in_class {
                    group.seen.tally.add(Sum::OutOfClass, 1.0);
                }
            }
            Fact::Lost { group, loss, breaks_bound } => self.lost(group.index(), loss, breaks_bound),
            Fact::Overwritten { group, count, reordered } => {
                let tally = &mut self.groups[group.index()].seen.tally;
                tally.add(Sum::Overwritten, count as f64);
                tally.add(Sum::Reordered, if reordered { count as f64 } else { 0.0 });
            }
            Fact::Actuators { group, number } => {
                let group = &mut self.groups[group.index()];
                group
                    .seen
                    .tally
                    .add(Sum::DualActuations, f64::from(u8::from(number >= 2 && group.obeyed < 2)));
                group.obeyed = number;
            }
            Fact::Lagging { group, since } => self.lagging(now, group.index(), since),
            Fact::Traffic { group, messages } => {
                self.groups[group.index()].seen.tally.add(Sum::Messages, messages as f64);
            }
            Fact::Dropped { group, count } => {
                self.groups[group.index()].seen.tally.add(Sum::Dropped, count as f64);
            }
            Fact::Answered { group, latency, .. } => {
                let tally = &mut self.groups[group.index()].seen.tally;
                tally.add(Sum::Operations, 1.0);
                if let Some(latency) = latency {
                    tally.add(Sum::Succeeded, 1.0);
                    tally.add(Sum::LatencySecs, latency.as_secs());
                    tally.latencies.record(latency.as_nanos());
                }
            }
            Fact::Repeated { group, is_ghost } => {
                let sum = if is_ghost { Sum::Ghosts } else { Sum::Duplicates };
                self.groups[group.index()].seen.tally.add(sum, 1.0);
            }
            Fact::Load { group, number_secs, busy_secs, longest } => {
                let tally = &mut self.groups[group.index()].seen.tally;
                tally.add(Sum::NumberSecs, number_secs.as_secs());
                tally.add(Sum::BusySecs, busy_secs.as_secs());
                tally.add(Sum::Stations, now.as_secs());
                tally.pool(Pool::QueueLongest, u64::from(longest));
            }
            Fact::Degraded { group, degraded } => {
                self.groups[group.index()].degraded.set(degraded, now);
            }
            Fact::Book { group, totals } => {
                self.groups[group.index()].seen.tally.add(Sum::Acked, totals.acked as f64);
            }
            Fact::Fault { .. } | Fact::Pause { .. } | Fact::Replication { .. } | Fact::Verdict { .. } => {}
        }
    }
}
