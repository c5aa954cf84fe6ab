//! Giving writes up: what only one node holds, at the moment it parts with it.

use crate::engine::time::{Instant, Span};
use crate::maths;
use crate::system::ids::ClientId;
use crate::system::spec::{Arrivals, Client, Content};

use super::count::{Given, add, join};
use super::{Disposal, Incident, Ledger, Lineage, Loss, Note, Segment};

/// Writes of one lineage accepted in (after, until].
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) lineage: usize,
    pub(super) after: Instant,
    pub(super) until: Instant,
    /// When the last write of the history was accepted.
    pub(super) end: Instant,
    /// Who gives it up; `None`: nobody holds it any more.
    pub(super) by: Option<usize>,
}

impl Ledger {
    /// What only `node` holds, at the moment it gives that up in favour of `winner`'s history.
    pub(super) fn give_up(
        &mut self,
        node: usize,
        winner: Option<usize>,
        fault: Option<Incident>,
        now: Instant,
        how: Disposal,
        clients: &[Client],
    ) -> Vec<Loss> {
        let Some((lineage, upto)) = self.held[node].as_ref().map(|held| (held.lineage, held.upto)) else {
            return Vec::new();
        };
        let mut losses = Vec::new();
        let overwritten = match (how.merge, winner) {
            (Some(points), Some(winner)) => self.written_on_both(node, winner, points, now, clients),
            _ => 0,
        };
        let end = self.accepting[node].until(now);
        // The owner's writes: a copy of them has ended with them.
        let owner = self.lineages[lineage].owner;
        let written_until = self.accepting.get(owner).map_or(now, |accepting| accepting.until(now));
        let (mut at, mut upto) = (lineage, upto);
        loop {
            let others = (0..self.held.len())
                .filter(|&other| other != node)
                .filter_map(|other| self.held[other].as_ref())
                .map(|other| self.upto_in(other, at))
                .max()
                .unwrap_or(Instant::ZERO);
            // Looked up only where something goes: most of the time nothing does.
            let incident = |book: &Ledger| fault.or_else(|| book.parting_incident(at, winner, written_until));
            if others < upto && !self.lineages[at].is_blank() {
                let incident = incident(self);
                let range = Range { lineage: at, after: others, until: upto.min(now), end, by: Some(node) };
                add(&mut losses, self.dispose(&range, incident, how, clients));
            }
            if let Some(child) = self.missed_under_way(at, node) {
                let incident = incident(self);
                add(&mut losses, self.dispose_flight(at, child, incident, how, clients));
            }
            // Whoever has this much of a history has all that came before it, too, but for what was under way.
            let left_under_way =
                |child: &Lineage| child.in_flight.is_some() && child.parent.is_some_and(|parent| parent < at);
            if others >= upto && !self.lineages.iter().any(left_under_way) {
                break;
            }
            let Some(parent) = self.lineages[at].parent else { break };
            upto = self.lineages[at].fork;
            at = parent;
        }
        if let Some(loss) = losses.iter_mut().find(|loss: &&mut Loss| loss.merged > 0) {
            loss.overwritten = overwritten.min(loss.merged);
        }
        losses
    }

    /// Points whose present value was written on both sides since `loser` and `winner` parted: of each, one write has
    /// to go. With n writes spread evenly over K points one of them is written with probability 1 − exp(−n/K), on each
    /// side independently. Whose write goes is a matter of time stamps, and so of clocks; how many go is not.
    fn written_on_both(
        &mut self,
        loser: usize,
        winner: usize,
        points: f64,
        now: Instant,
        clients: &[Client],
    ) -> u64 {
        if clients.iter().all(|client| client.content != Content::Values) {
            return 0;
        }
        let written = |n: f64| -maths::exp_m1(-n / points);
        let both = written(self.values_beyond(loser, winner, now, clients))
            * written(self.values_beyond(winner, loser, now, clients));
        if both == 0.0 {
            return 0;
        }
        maths::binomial_quantile(points as u64, both, self.stream.uniform())
    }

    /// Writes of present values that `holder` has and `other` has not, in the mean.
    fn values_beyond(&self, holder: usize, other: usize, now: Instant, clients: &[Client]) -> f64 {
        let (Some(mine), Some(theirs)) = (&self.held[holder], &self.held[other]) else { return 0.0 };
        let beside = self.elsewhere(std::iter::once(other), (Instant::ZERO, now), clients);
        let mean = |client: &Client, length: Span| client.write_rate * self.part.share() * length.as_secs();
        let value = |id: ClientId| Some(&clients[id.index()]).filter(|k| k.content == Content::Values);
        let mut sum = 0.0;
        for (at, upto) in self.stretches(mine) {
            let (after, upto) = (self.upto_in(theirs, at), upto.min(now));
            let lineage = &self.lineages[at];
            for segment in &lineage.segments {
                let (from, to) = (segment.from.max(after), segment.to.min(upto));
                let Some(client) = value(segment.client).filter(|_| from < to) else { continue };
                let parts = beside.missing(&Segment { from, to, ..*segment }, client, &self.lineages);
                sum += parts.into_iter().map(|(from, to)| mean(client, to - from)).sum::<f64>();
            }
            for burst in lineage.bursts.iter().filter(|burst| burst.at > after && burst.at <= upto) {
                let Some(client) = value(burst.client) else { continue };
                if !beside.has_burst(burst, client, &self.lineages) {
                    sum += mean(client, burst.at - burst.from);
                }
            }
            let notes = lineage.notes.iter().filter(|note| note.at > after && note.at <= upto);
            let only_here = |note: &&Note| {
                value(note.client).is_some_and(|client| !beside.has_note(note, client, &self.lineages))
            };
            sum += notes.filter(only_here).count() as f64;
        }
        sum
    }

    /// The fault behind the parting: that with which the winner's history went on without the one of `lineage`, or with
    /// which that one left the winner's, where the winner went on as before. What the winner had gone through by then
    /// did not part them: an old copy began again behind it. Nor does what the winner goes through later, where it had
    /// been on a way of its own by then, if nobody has written in the loser's history since `written_until`: they had
    /// been beside each other.
    fn parting_incident(
        &self,
        lineage: usize,
        winner: Option<usize>,
        written_until: Instant,
    ) -> Option<Incident> {
        let won = self.held[winner?].as_ref()?.lineage;
        let mut common = won;
        while !self.descends(lineage, common) {
            common = self.lineages[common].parent?;
        }
        let number = |incident: Option<Incident>| incident.map(|incident| incident.number);
        let path = |from| {
            let back = std::iter::successors(Some(from), |&at: &usize| self.lineages[at].parent);
            back.take_while(|&at| at != common).map(|at| self.lineages[at].incident)
        };
        let left = path(lineage).last().flatten();
        // The winner's way had begun by then, or went on where the loser left it.
        let back = std::iter::successors(Some(won), |&at: &usize| self.lineages[at].parent);
        let goes_on = back.take_while(|&at| at != common).last().map(|at| self.lineages[at].fork);
        let were_apart = path(won).last().flatten().is_some_and(|first| Some(first.number) <= number(left))
            || left.is_some_and(|left| goes_on.is_some_and(|upto| upto > left.at));
        let parts = |incident: &Option<Incident>| {
            number(*incident) > number(left)
                && (!were_apart || incident.is_some_and(|incident| incident.at <= written_until))
        };
        path(won).filter(parts).last().flatten().or(left)
    }

    /// Gives up the writes of a range that no other history has.
    pub(super) fn dispose(
        &mut self,
        range: &Range,
        incident: Option<Incident>,
        how: Disposal,
        clients: &[Client],
    ) -> Option<Loss> {
        let &Range { lineage, after, until, end, .. } = range;
        let elsewhere = self.beside(range, clients);
        let fault = incident.map_or(until, |i| i.at);
        let mut loss: Option<Loss> = None;
        let mut segments = std::mem::take(&mut self.lineages[lineage].segments);
        for segment in &mut segments {
            let (from, to) = (segment.from.max(after), segment.to.min(until));
            if from >= to {
                continue;
            }
            let client = &clients[segment.client.index()];
            let part = Segment { from, to, ..*segment };
            for part in elsewhere.missing(&part, client, &self.lineages) {
                let given = self.given(client, part, end, how);
                loss = join(loss, given.up(client, fault, incident, how));
                self.totals.acked += given.count;
                self.totals.lost += given.count;
            }
            // What is left of the segment; a middle is never cut out of one, for copies are prefixes.
            segment.to = from;
        }
        let open = segments.iter().filter(|s| s.from < s.to).copied().collect();
        self.lineages[lineage].segments = open;
        let bursts = std::mem::take(&mut self.lineages[lineage].bursts);
        let (gone, stay): (Vec<_>, Vec<_>) =
            bursts.into_iter().partition(|burst| burst.at > after && burst.at <= until);
        self.lineages[lineage].bursts = stay;
        for burst in gone {
            let client = &clients[burst.client.index()];
            if elsewhere.has_burst(&burst, client, &self.lineages) {
                continue;
            }
            // What devices still hold goes by when it happened, its age by when it was accepted.
            let given = self.given(client, (burst.from, burst.at), end, how);
            let given = Given { oldest: burst.at, ..given };
            loss = join(loss, given.up(client, fault, incident, how));
            self.totals.acked += given.count;
            self.totals.lost += given.count;
        }
        let notes = std::mem::take(&mut self.lineages[lineage].notes);
        let (gone, stay): (Vec<_>, Vec<_>) =
            notes.into_iter().partition(|note| note.at > after && note.at <= until);
        self.lineages[lineage].notes = stay;
        for note in gone {
            let client = &clients[note.client.index()];
            if elsewhere.has_note(&note, client, &self.lineages) {
                continue;
            }
            self.totals.acked += 1;
            self.totals.lost += 1;
            loss = join(loss, Given::one(client, &note, end, how).up(client, fault, incident, how));
        }
        loss
    }

    /// The child of `lineage` that misses what was under way when it was forked: lost when the only node that has it
    /// (the owner of `lineage`) gives up.
    fn missed_under_way(&self, lineage: usize, node: usize) -> Option<usize> {
        if self.lineages[lineage].owner != node {
            return None;
        }
        // Only a history that somebody else still holds can miss what was under way when it began.
        (lineage + 1..self.lineages.len()).find(|&c| {
            let forked_here =
                self.lineages[c].parent == Some(lineage) && self.lineages[c].in_flight.is_some();
            forked_here && (0..self.held.len()).any(|n| n != node && self.holds(n, c))
        })
    }

    /// What was under way when `node`, which has just begun to accept, was cut off from the one before: lost now if
    /// that one's disk is gone already, for then nobody has it. Else it is lost when that one gives up.
    pub fn lose_under_way(&mut self, node: usize, how: Disposal, clients: &[Client]) -> Option<Loss> {
        let child = self.held[node].as_ref()?.lineage;
        let parent = self.lineages[child].parent?;
        let owner = self.lineages[parent].owner;
        if self.lineages[child].in_flight.is_none() || self.holds(owner, parent) {
            return None;
        }
        self.dispose_flight(parent, child, None, how, clients)
    }

    /// The writes of `lineage` that were under way when `child` was forked go.
    fn dispose_flight(
        &mut self,
        lineage: usize,
        child: usize,
        incident: Option<Incident>,
        how: Disposal,
        clients: &[Client],
    ) -> Option<Loss> {
        let flight = self.lineages[child].in_flight.take()?;
        let incident = self.lineages[child].incident.or(incident);
        let mut loss = None;
        self.note_under_way(lineage, &flight, clients);
        let segments = self.lineages[lineage].segments.clone();
        for segment in segments {
            if clients[segment.client.index()].arrivals != Arrivals::Poisson {
                continue;
            }
            let (from, to) = (segment.from.max(flight.since), segment.to.min(flight.until));
            if from >= to {
                continue;
            }
            let client = &clients[segment.client.index()];
            let (count, age, mass) = self.under_way(client, &flight, from, to);
            // They are in the range that counts as kept: take their mean out of it, for kept and lost are
            // independent Poisson counts.
            self.kept[segment.client.index()].secs -= mass;
            if count > 0 {
                let fault = incident.map_or(flight.until, |i| i.at);
                let oldest = flight.until.before(age);
                self.totals.acked += count;
                self.totals.lost += count;
                let given = Given::evenly(client, count, oldest, flight.until, how);
                loss = join(loss, given.up(client, fault, incident, how));
            }
        }
        let notes = std::mem::take(&mut self.lineages[lineage].notes);
        let mut stay = Vec::with_capacity(notes.len());
        for note in notes {
            let was_under_way = note.at > flight.since && note.at <= flight.until;
            let missing =
                was_under_way && self.stream.uniform() < flight.lag.sf((flight.until - note.at).as_secs());
            if missing {
                let client = &clients[note.client.index()];
                let fault = incident.map_or(flight.until, |i| i.at);
                self.totals.acked += 1;
                self.totals.lost += 1;
                loss =
                    join(loss, Given::one(client, &note, flight.until, how).up(client, fault, incident, how));
            } else {
                stay.push(note);
            }
        }
        self.lineages[lineage].notes = stay;
        loss
    }
}
