//! The ledger: the omniscient book of every acknowledged write of one slot of a group.
//!
//! Writes are kept as *ranges* of time per client and *lineage*, never one by one (at request fidelity each write is
//! noted, and ranges count the notes). A lineage is a history of accepted writes with one owner; a node that takes
//! over opens a new one, forked from what it held. Each node holds some lineage up to some instant. What has been
//! acknowledged on a lineage beyond the fork of the one that survives is lost when the last holder gives it up: it
//! copies the winner over its own data, loses its disk, or is still dead at the end. Counts are drawn once, when a
//! range is disposed of: Poisson for Poisson arrivals, by the calendar for fixed ones, by the list for traces.
//! So lost + kept = acknowledged holds by construction, whatever the protocol did.

use crate::engine::dist::Law;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::maths;
use crate::system::ids::ClientId;
use crate::system::spec::{Arrivals, Client};

mod count;
#[cfg(test)]
mod tests;

pub(crate) use count::calendar;
use count::{add, given_up, join};

/// Writes of one client accepted from `from` to `to`; open while `to` is [`Instant::NEVER`].
#[derive(Clone, Copy, Debug)]
struct Segment {
    client: ClientId,
    from: Instant,
    to: Instant,
}

/// Events of (from, at] that a device had kept, accepted all at once at `at`.
#[derive(Clone, Copy, Debug)]
struct Burst {
    client: ClientId,
    from: Instant,
    at: Instant,
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
    notes: Vec<(Instant, ClientId)>,
    /// The fault that made it begin.
    incident: Option<Incident>,
    /// What was under way when its parent was left: disposed of once.
    in_flight: Option<InFlight>,
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
    /// Bytes of those lost.
    pub bytes: f64,
    /// How long before the fault the oldest lost write had been accepted; zero if all came after it.
    pub age: Span,
    /// The fault.
    pub incident: Option<Incident>,
}

/// What a range is disposed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposal {
    /// Whether devices replay what they still hold.
    pub windback: bool,
    /// Whether the winner merges what the loser has.
    pub merge: bool,
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

/// The book of one slot.
#[derive(Clone, Debug)]
pub struct Ledger {
    lineages: Vec<Lineage>,
    held: Vec<Option<Held>>,
    stream: Stream,
    /// The part of each client's writes that belongs to this slot.
    share: f64,
    totals: Totals,
    /// Time accepted and already known to be kept, by client, and notes likewise.
    kept_time: Vec<f64>,
    kept_exact: u64,
    noted: bool,
    /// The size of the book from which settling is tried again.
    settle_at: usize,
}

/// Books smaller than this are not worth settling.
const SETTLE_FROM: usize = 24;

impl Ledger {
    /// An empty book for `members` nodes that all hold the same (empty) history, and one store for backups that holds
    /// nothing yet. `noted`: request fidelity.
    pub fn new(members: usize, clients: usize, share: f64, noted: bool, stream: Stream) -> Ledger {
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
            share,
            totals: Totals::default(),
            kept_time: vec![0.0; clients],
            kept_exact: 0,
            noted,
            settle_at: SETTLE_FROM,
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

    /// Whether what is open has grown so long that it is worth settling what every copy has.
    pub fn wants_settling(&self) -> bool {
        self.size() > self.settle_at
    }

    /// Whether a node has a copy at all.
    pub fn has_data(&self, node: usize) -> bool {
        self.held[node].is_some()
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
        let lineage = self.lineages.len() - 1;
        self.held[node] = Some(Held { lineage, upto: Instant::NEVER, in_flight: None });
    }

    /// A client's writes begin to be accepted at `node`.
    pub fn open(&mut self, node: usize, client: ClientId, now: Instant) {
        if self.noted {
            return;
        }
        let lineage = self.own(node);
        let segments = &mut self.lineages[lineage].segments;
        if segments.iter().any(|s| s.client == client && s.to.is_never()) {
            return;
        }
        segments.push(Segment { client, from: now, to: Instant::NEVER });
    }

    /// They end.
    pub fn close(&mut self, node: usize, client: ClientId, now: Instant) {
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
        }
    }

    /// One acknowledged write (request fidelity).
    pub fn note(&mut self, node: usize, client: ClientId, now: Instant) {
        let lineage = self.own(node);
        self.lineages[lineage].notes.push((now, client));
    }

    fn own(&self, node: usize) -> usize {
        self.held[node].as_ref().map_or(0, |held| held.lineage)
    }

    /// The copy at `to` is as `from`'s data was at `upto`.
    pub fn copied(&mut self, from: usize, to: usize, upto: Instant, in_flight: Option<InFlight>) {
        let Some(source) = self.held[from].clone() else { return };
        // A copy that has taken over since has a history of its own, and gives that up only in `adopt`. What the former
        // source notes when it ends is behind it.
        if self.held[to].as_ref().is_some_and(|held| held.upto.is_never()) {
            return;
        }
        let upto = upto.min(source.upto);
        self.held[to] = Some(Held { lineage: source.lineage, upto, in_flight });
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
            for (client, secs) in std::mem::take(&mut self.kept_time).into_iter().enumerate() {
                let spec = &clients[client];
                let mean = spec.write_rate * self.share * secs.max(0.0);
                let count = match spec.arrivals {
                    Arrivals::Poisson if mean > 0.0 => maths::poisson_quantile(mean, self.stream.uniform()),
                    _ => mean.round() as u64,
                };
                self.kept_time.push(0.0);
                if count > 0 {
                    self.totals.acked += count;
                    self.totals.lost += count;
                    losses.push(given_up(spec, count, Instant::ZERO, now, incident, how, now));
                }
            }
        }
        losses
    }

    /// Up to when a holder has `lineage`: through its own history back to the root.
    fn upto_in(&self, held: &Held, lineage: usize) -> Instant {
        let (mut at, mut upto) = (held.lineage, held.upto);
        loop {
            if at == lineage {
                return upto;
            }
            let Some(parent) = self.lineages[at].parent else { return Instant::ZERO };
            upto = self.lineages[at].fork;
            at = parent;
        }
    }

    /// What only `node` holds, at the moment it gives that up in favour of `winner`'s history.
    fn give_up(
        &mut self,
        node: usize,
        winner: Option<usize>,
        fault: Option<Incident>,
        now: Instant,
        how: Disposal,
        clients: &[Client],
    ) -> Vec<Loss> {
        let Some(held) = self.held[node].clone() else { return Vec::new() };
        let mut losses = Vec::new();
        let (mut at, mut upto) = (held.lineage, held.upto);
        loop {
            let others = (0..self.held.len())
                .filter(|&other| other != node)
                .filter_map(|other| self.held[other].as_ref())
                .map(|other| self.upto_in(other, at))
                .max()
                .unwrap_or(Instant::ZERO);
            let incident = fault.or_else(|| self.successor_incident(at, winner));
            if others < upto {
                add(&mut losses, self.dispose(at, others, upto.min(now), incident, how, clients));
            }
            add(&mut losses, self.dispose_in_flight(at, node, incident, how, clients));
            // Whoever has this much of a history has all that came before it, too.
            if others >= upto && self.lineages.iter().all(|lineage| lineage.in_flight.is_none()) {
                break;
            }
            let Some(parent) = self.lineages[at].parent else { break };
            upto = self.lineages[at].fork;
            at = parent;
        }
        losses
    }

    /// The fault behind the parting of `lineage` from the winner's history: that of the lineage which left the one they
    /// have in common. Whoever owns that one only went on.
    fn successor_incident(&self, lineage: usize, winner: Option<usize>) -> Option<Incident> {
        let mut common = self.held[winner?].as_ref()?.lineage;
        let mut winners = None;
        while !self.descends(lineage, common) {
            winners = Some(common);
            common = self.lineages[common].parent?;
        }
        let mut losers = None;
        let mut at = lineage;
        while at != common {
            losers = Some(at);
            at = self.lineages[at].parent?;
        }
        let incident = |child: Option<usize>| child.and_then(|child| self.lineages[child].incident);
        let went_on = winners.is_none_or(|child| self.lineages[child].owner == self.lineages[common].owner);
        if went_on { incident(losers).or(incident(winners)) } else { incident(winners).or(incident(losers)) }
    }

    /// Whether a holder's history goes through `lineage`.
    fn holds(&self, holder: usize, lineage: usize) -> bool {
        self.held[holder].as_ref().is_some_and(|held| self.descends(held.lineage, lineage))
    }

    /// Whether `lineage` is `ancestor` or goes back to it.
    fn descends(&self, lineage: usize, ancestor: usize) -> bool {
        let mut at = Some(lineage);
        while let Some(l) = at {
            if l == ancestor {
                return true;
            }
            at = self.lineages[l].parent;
        }
        false
    }

    /// Gives up the writes of `lineage` accepted in (after, until].
    fn dispose(
        &mut self,
        lineage: usize,
        after: Instant,
        until: Instant,
        incident: Option<Incident>,
        how: Disposal,
        clients: &[Client],
    ) -> Option<Loss> {
        let fault = incident.map_or(until, |i| i.at);
        let mut loss: Option<Loss> = None;
        let mut segments = std::mem::take(&mut self.lineages[lineage].segments);
        for segment in &mut segments {
            let (from, to) = (segment.from.max(after), segment.to.min(until));
            if from >= to {
                continue;
            }
            let client = &clients[segment.client.index()];
            let count = self.count(client, from, to);
            if count > 0 {
                let oldest = self.oldest(client, from, to, count);
                loss = join(loss, Some(given_up(client, count, oldest, fault, incident, how, until)));
            }
            self.totals.acked += count;
            self.totals.lost += count;
            // What is left of the segment; a middle is never cut out of one, for copies are prefixes.
            segment.to = from;
        }
        let open = segments.iter().filter(|s| s.from < s.to).copied().collect();
        self.lineages[lineage].segments = open;
        let bursts = std::mem::take(&mut self.lineages[lineage].bursts);
        let (gone, stay): (Vec<_>, Vec<_>) =
            bursts.into_iter().partition(|burst| burst.at > after && burst.at <= until);
        self.lineages[lineage].bursts = stay;
        for Burst { client, from, at } in gone {
            let client = &clients[client.index()];
            let count = self.count(client, from, at);
            self.totals.acked += count;
            self.totals.lost += count;
            if count > 0 {
                loss = join(loss, Some(given_up(client, count, at, fault, incident, how, until)));
            }
        }
        let notes = std::mem::take(&mut self.lineages[lineage].notes);
        let (gone, stay): (Vec<_>, Vec<_>) =
            notes.into_iter().partition(|(at, _)| *at > after && *at <= until);
        self.lineages[lineage].notes = stay;
        for (at, client) in gone {
            let client = &clients[client.index()];
            self.totals.acked += 1;
            self.totals.lost += 1;
            loss = join(loss, Some(given_up(client, 1, at, fault, incident, how, until)));
        }
        loss
    }

    /// The writes that were under way when a child of `lineage` was forked: lost when the only node that has them
    /// (the owner of `lineage`) gives up.
    fn dispose_in_flight(
        &mut self,
        lineage: usize,
        node: usize,
        incident: Option<Incident>,
        how: Disposal,
        clients: &[Client],
    ) -> Option<Loss> {
        if self.lineages[lineage].owner != node {
            return None;
        }
        // Only a history that somebody else still holds can miss what was under way when it began.
        let child = (0..self.lineages.len()).find(|&c| {
            let forked_here =
                self.lineages[c].parent == Some(lineage) && self.lineages[c].in_flight.is_some();
            forked_here && (0..self.held.len()).any(|n| n != node && self.holds(n, c))
        })?;
        let flight = self.lineages[child].in_flight.take()?;
        let incident = self.lineages[child].incident.or(incident);
        let mut loss = None;
        let segments = self.lineages[lineage].segments.clone();
        for segment in segments {
            let (from, to) = (segment.from.max(flight.since), segment.to.min(flight.until));
            if from >= to {
                continue;
            }
            let client = &clients[segment.client.index()];
            let (count, age, mass) = self.under_way(client, &flight, from, to);
            // They are in the range that counts as kept: take their mean out of it, for kept and lost are
            // independent Poisson counts.
            self.kept_time[segment.client.index()] -= mass;
            if count > 0 {
                let fault = incident.map_or(flight.until, |i| i.at);
                let oldest = flight.until.before(age);
                self.totals.acked += count;
                self.totals.lost += count;
                loss = join(loss, Some(given_up(client, count, oldest, fault, incident, how, flight.until)));
            }
        }
        for burst in self.lineages[lineage].bursts.clone() {
            if burst.at <= flight.since || burst.at > flight.until {
                continue;
            }
            let client = &clients[burst.client.index()];
            let missing = flight.lag.sf((flight.until - burst.at).as_secs());
            let mass = (burst.at - burst.from).as_secs() * missing;
            let u = self.stream.uniform();
            let count = maths::poisson_quantile(client.write_rate * self.share * mass, u);
            self.kept_time[burst.client.index()] -= mass;
            self.totals.acked += count;
            self.totals.lost += count;
            if count > 0 {
                let fault = incident.map_or(flight.until, |i| i.at);
                loss =
                    join(loss, Some(given_up(client, count, burst.at, fault, incident, how, flight.until)));
            }
        }
        let notes = std::mem::take(&mut self.lineages[lineage].notes);
        let mut stay = Vec::with_capacity(notes.len());
        for (at, id) in notes {
            let missing =
                at <= flight.until && self.stream.uniform() < flight.lag.sf((flight.until - at).as_secs());
            if missing {
                let client = &clients[id.index()];
                let fault = incident.map_or(flight.until, |i| i.at);
                self.totals.acked += 1;
                self.totals.lost += 1;
                loss = join(loss, Some(given_up(client, 1, at, fault, incident, how, flight.until)));
            } else {
                stay.push((at, id));
            }
        }
        self.lineages[lineage].notes = stay;
        loss
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
            let kept = &mut self.kept_time;
            self.lineages[lineage].bursts.retain(|burst| {
                if burst.at <= everywhere {
                    kept[burst.client.index()] += (burst.at - burst.from).as_secs();
                }
                burst.at > everywhere
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
        let size = |l: &Lineage| 1 + l.segments.len() + l.bursts.len() + l.notes.len() / 16;
        self.lineages.iter().map(size).sum()
    }

    /// Whether histories that are still held part here: only here it is known by which fault they did.
    fn is_parting(&self, lineage: usize) -> bool {
        let is_held = |child: usize| (0..self.held.len()).any(|n| self.holds(n, child));
        let children = (0..self.lineages.len()).filter(|&c| self.lineages[c].parent == Some(lineage));
        children.filter(|&child| is_held(child)).count() > 1
    }

    /// Drops lineages at the front that hold nothing and that nobody's history needs beyond their end.
    fn forget_lineages(&mut self) {
        let is_needed = |l: usize| {
            self.held.iter().flatten().any(|h| h.lineage == l)
                || !self.lineages[l].segments.is_empty()
                || !self.lineages[l].bursts.is_empty()
                || !self.lineages[l].notes.is_empty()
                || self.lineages.iter().any(|c| c.parent == Some(l) && c.in_flight.is_some())
                || self.is_parting(l)
        };
        let mut first = 0;
        while first + 1 < self.lineages.len() && !is_needed(first) {
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
            let segments = std::mem::take(&mut self.lineages[lineage].segments);
            let bursts = std::mem::take(&mut self.lineages[lineage].bursts);
            let ranges = segments.iter().map(|s| (s.client, s.from, s.to));
            for (client, from, to) in ranges.chain(bursts.iter().map(|b| (b.client, b.from, b.at))) {
                match clients[client.index()].arrivals {
                    Arrivals::Poisson => self.kept_time[client.index()] += to.since(from).as_secs(),
                    _ => self.kept_exact += self.count(&clients[client.index()], from, to),
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
