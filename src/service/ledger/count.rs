//! How many writes a range holds, and the oldest of them: drawn once, when the range is disposed of.

use crate::engine::time::{Instant, Span};
use crate::maths;
use crate::system::spec::{Arrivals, Client, Content};

use super::settle::Kept;
use super::{Burst, Disposal, InFlight, Incident, Ledger, Loss, Note, Part, Segment};

/// A write is under way for longer than this quantile of the lag only once in 10¹² writes: that is never.
const ARRIVED: f64 = 1.0 - 1e-12;

impl InFlight {
    /// Writes accepted before this have arrived.
    pub(super) fn arrived(&self) -> Instant {
        let longest = Span::from_secs_saturating(self.lag.quantile(ARRIVED));
        self.until.before(longest).max(self.since)
    }
}

impl Kept {
    /// One write more, noted at `at`.
    pub(super) fn note(&mut self, at: Instant) {
        self.count += 1;
        self.begin(at);
    }

    fn begin(&mut self, at: Instant) {
        self.from = Some(self.from.map_or(at, |from| from.min(at)));
    }
}

impl Ledger {
    /// A whole range is kept: its length where its number is to be drawn, else its number.
    pub(super) fn keep(&mut self, range: &Segment, clients: &[Client]) {
        let client = &clients[range.client.index()];
        let (from, to) = (range.from, range.to);
        if client.arrivals == Arrivals::Poisson {
            let kept = &mut self.kept[range.client.index()];
            kept.secs += (to - from).as_secs();
            kept.begin(from);
            return;
        }
        let count = self.count(client, from, to);
        if count > 0 {
            let oldest = self.oldest(client, from, to, count);
            let kept = &mut self.kept[range.client.index()];
            kept.count += count;
            kept.begin(oldest);
        }
    }

    /// A whole delivery is kept: all of it was accepted at its end.
    pub(super) fn keep_burst(&mut self, burst: &Burst, clients: &[Client]) {
        let client = &clients[burst.client.index()];
        if client.arrivals == Arrivals::Poisson {
            let kept = &mut self.kept[burst.client.index()];
            kept.secs += (burst.at - burst.from).as_secs();
            kept.begin(burst.at);
            return;
        }
        let count = self.count(client, burst.from, burst.at);
        if count > 0 {
            let kept = &mut self.kept[burst.client.index()];
            kept.count += count;
            kept.begin(burst.at);
        }
    }

    /// How many of a client's kept writes there are.
    pub(super) fn count_kept(&mut self, kept: &Kept, client: &Client) -> u64 {
        if kept.secs <= 0.0 {
            return kept.count;
        }
        let mean = client.write_rate * self.part.share() * kept.secs;
        kept.count + maths::poisson_quantile(mean, self.stream.uniform())
    }

    /// When the first of `count` kept writes was accepted, as if their ranges were one.
    pub(super) fn oldest_kept(&mut self, kept: &Kept, count: u64) -> Instant {
        let from = kept.from.unwrap_or(Instant::ZERO);
        if kept.secs <= 0.0 {
            return from;
        }
        let u = self.stream.uniform();
        from + Span::from_secs_saturating(kept.secs * (1.0 - maths::pow(u, 1.0 / count as f64)))
    }

    /// How many writes accepted in (from, to] were still under way at `flight.until`, and the age of the oldest.
    /// With Poisson writes and independent lags the number is Poisson (M/G/∞, Takács 1962). The third figure is the
    /// time whose writes they are, in the mean.
    pub(super) fn under_way(
        &mut self,
        client: &Client,
        flight: &InFlight,
        from: Instant,
        to: Instant,
    ) -> (u64, Span, f64) {
        let young = flight.until.since(to).as_secs();
        let old = flight.until.since(from).as_secs();
        let weight = |age: f64| flight.lag.tail_integral(age);
        let mass = (weight(old) - weight(young)).max(0.0);
        let u = self.stream.uniform();
        let v = self.stream.uniform();
        let count = maths::poisson_quantile(client.write_rate * self.part.share() * mass, u);
        if count == 0 {
            return (0, Span::ZERO, mass);
        }
        // The oldest of `count` ages with density sf(a)/mass on (young, old).
        let level = maths::pow(v, 1.0 / count as f64);
        let age = flight.lag.equilibrium_quantile((weight(young) + level * mass) / flight.lag.mean());
        // Near its end the integral of the tail is flat and its inverse loses digits; the law's own end does not.
        let oldest = old.min(flight.lag.support_max());
        (count, Span::from_secs_saturating(age.clamp(young.min(oldest), oldest)), mass)
    }

    /// Writes that do not arrive at random, and those of a delivery, are noted one by one where each has a chance of its
    /// own to be under way.
    pub(super) fn note_under_way(&mut self, lineage: usize, flight: &InFlight, clients: &[Client]) {
        let mut rest = Vec::new();
        for segment in std::mem::take(&mut self.lineages[lineage].segments) {
            let client = &clients[segment.client.index()];
            let (from, to) = (segment.from.max(flight.arrived()), segment.to.min(flight.until));
            if client.arrivals == Arrivals::Poisson || from >= to {
                rest.push(segment);
                continue;
            }
            let note = |at| Note { client: segment.client, at, happened: at };
            let times = self.times(client, from, to).into_iter().map(note);
            self.lineages[lineage].notes.extend(times);
            let around = [Segment { to: from, ..segment }, Segment { from: to, ..segment }];
            rest.extend(around.into_iter().filter(|part| part.from < part.to));
        }
        self.lineages[lineage].segments = rest;
        let (arrived, until) = (flight.arrived(), flight.until);
        let bursts = std::mem::take(&mut self.lineages[lineage].bursts);
        let (unsure, sure): (Vec<_>, Vec<_>) =
            bursts.into_iter().partition(|burst| burst.at > arrived && burst.at <= until);
        self.lineages[lineage].bursts = sure;
        for burst in unsure {
            let count = self.count(&clients[burst.client.index()], burst.from, burst.at);
            // When each of them happened: as if spread evenly.
            let apart = (burst.at - burst.from).scaled(1.0 / count.max(1) as f64);
            let happened = (0..count).map(|number| burst.from + apart.times(number) + apart.scaled(0.5));
            let notes = happened.map(|happened| Note { client: burst.client, at: burst.at, happened });
            self.lineages[lineage].notes.extend(notes);
            self.at_most += count as usize;
        }
    }

    /// When writes of a calendar or a list in (from, to] are made.
    fn times(&self, client: &Client, from: Instant, to: Instant) -> Vec<Instant> {
        match &client.arrivals {
            Arrivals::Poisson => Vec::new(),
            Arrivals::Fixed => {
                let marks =
                    calendar(client, self.part.share(), from)..calendar(client, self.part.share(), to);
                marks.map(|number| mark(client, self.part.share(), number).max(from).min(to)).collect()
            }
            Arrivals::Trace(times) => {
                let indexes = times.partition_point(|t| *t <= from)..times.partition_point(|t| *t <= to);
                indexes.filter(|index| self.part.takes(*index)).map(|index| times[index]).collect()
            }
        }
    }

    /// Writes of a client in (from, to].
    pub(super) fn count(&mut self, client: &Client, from: Instant, to: Instant) -> u64 {
        match &client.arrivals {
            Arrivals::Poisson => {
                let mean = client.write_rate * self.part.share() * (to - from).as_secs();
                let u = self.stream.uniform();
                maths::poisson_quantile(mean, u)
            }
            Arrivals::Fixed => {
                calendar(client, self.part.share(), to) - calendar(client, self.part.share(), from)
            }
            Arrivals::Trace(times) => listed(times, self.part, from, to),
        }
    }

    /// The writes of a client in (from, to], given up with a history that ends at `end`.
    pub(super) fn given(
        &mut self,
        client: &Client,
        (from, to): (Instant, Instant),
        end: Instant,
        how: Disposal,
    ) -> Given {
        let count = self.count(client, from, to);
        if count == 0 {
            return Given { count, oldest: to, replayable: 0 };
        }
        if !how.replays(client) {
            return Given { count, oldest: self.oldest(client, from, to, count), replayable: 0 };
        }
        let held_since = end.before(client.buffer).max(from).min(to);
        if client.arrivals != Arrivals::Poisson {
            let replayable = self.count(client, held_since, to);
            return Given { count, oldest: self.oldest(client, from, to, count), replayable };
        }
        let share = (to - held_since).as_secs() / (to - from).as_secs();
        let replayable = maths::binomial_quantile(count, share, self.stream.uniform());
        let oldest = match count - replayable {
            0 => self.oldest(client, held_since, to, count),
            older => self.oldest(client, from, held_since, older),
        };
        Given { count, oldest, replayable }
    }

    /// When the first of `count` writes in (from, to] was accepted.
    pub(super) fn oldest(&mut self, client: &Client, from: Instant, to: Instant, count: u64) -> Instant {
        match &client.arrivals {
            Arrivals::Poisson => {
                let u = self.stream.uniform();
                from + (to - from).scaled(1.0 - maths::pow(u, 1.0 / count as f64))
            }
            Arrivals::Fixed => {
                let number = calendar(client, self.part.share(), from);
                mark(client, self.part.share(), number).max(from).min(to)
            }
            Arrivals::Trace(times) => {
                let mut indexes = times.partition_point(|t| *t <= from)..times.len();
                let first = indexes.find(|index| self.part.takes(*index));
                first.map_or(to, |index| times[index])
            }
        }
    }
}

/// Entries of a list in (from, to] that belong to one slot.
pub(crate) fn listed(times: &[Instant], part: Part, from: Instant, to: Instant) -> u64 {
    let until = |at: Instant| part.of_the_first(times.partition_point(|t| *t <= at));
    until(to) - until(from)
}

/// Marks of a fixed calendar up to `t`, the first half a distance after the start.
pub(crate) fn calendar(client: &Client, share: f64, t: Instant) -> u64 {
    // A nanosecond's worth of slack keeps a mark that falls on `t` itself inside whatever the rounding.
    (t.as_secs() * client.write_rate * share + 0.5 + 1e-9 * client.write_rate * share) as u64
}

/// When the mark of a number, from 0, falls.
fn mark(client: &Client, share: f64, number: u64) -> Instant {
    Instant::ZERO + Span::from_secs_saturating((number as f64 + 0.5) / (client.write_rate * share))
}

/// Writes that are given up together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    pub(super) count: u64,
    /// When the first was accepted.
    pub(super) oldest: Instant,
    /// Of these, how many the devices still held when the history ended.
    pub(super) replayable: u64,
}

impl Given {
    /// One write. What devices still hold goes by when it happened, its age by when it was accepted.
    pub(super) fn one(client: &Client, note: &Note, end: Instant, how: Disposal) -> Given {
        let is_held = how.replays(client) && note.happened > end.before(client.buffer);
        Given { count: 1, oldest: note.at, replayable: u64::from(is_held) }
    }

    /// Writes of which it is only known when the oldest was accepted: the others as if spread evenly.
    pub(super) fn evenly(client: &Client, count: u64, oldest: Instant, end: Instant, how: Disposal) -> Given {
        let length = end.since(oldest).as_secs();
        let share = match how.replays(client) {
            true if length <= 0.0 => 1.0,
            true => (client.buffer.as_secs() / length).min(1.0),
            false => 0.0,
        };
        Given { count, oldest, replayable: (count as f64 * share).floor() as u64 }
    }

    pub(super) fn up(
        self,
        client: &Client,
        fault: Instant,
        incident: Option<Incident>,
        how: Disposal,
    ) -> Option<Loss> {
        let is_merged = how.merge.is_some() && client.content != Content::Configuration;
        let (merged, recovered) = if is_merged { (self.count, 0) } else { (0, self.replayable) };
        let left = self.count - merged;
        (self.count > 0).then(|| Loss {
            count: self.count,
            recovered,
            merged,
            overwritten: 0,
            configuration: if client.content == Content::Configuration { left } else { 0 },
            bytes: left as f64 * client.write_bytes,
            age: fault.since(self.oldest),
            incident,
        })
    }
}

impl Disposal {
    fn replays(self, client: &Client) -> bool {
        self.windback && client.is_field
    }
}

pub(super) fn join(a: Option<Loss>, b: Option<Loss>) -> Option<Loss> {
    match (a, b) {
        (Some(a), Some(b)) => Some(Loss {
            count: a.count + b.count,
            recovered: a.recovered + b.recovered,
            merged: a.merged + b.merged,
            overwritten: a.overwritten + b.overwritten,
            configuration: a.configuration + b.configuration,
            bytes: a.bytes + b.bytes,
            age: a.age.max(b.age),
            incident: a.incident.or(b.incident),
        }),
        (a, b) => a.or(b),
    }
}

/// Adds a loss to those of the same fault.
pub(super) fn add(losses: &mut Vec<Loss>, loss: Option<Loss>) {
    let Some(loss) = loss else { return };
    match losses.iter_mut().find(|known| known.incident == loss.incident) {
        Some(known) => *known = join(Some(*known), Some(loss)).expect("both are there"),
        None => losses.push(loss),
    }
}
