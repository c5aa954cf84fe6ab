//! Field devices: what becomes of events that no node takes.
//!
//! A device keeps the events of the last `buffer` and delivers them, all at once, to the node (or nodes) that takes
//! its events again: they are accepted then, not when they happened. Older ones it has given up by then; how many is
//! worked out per gap, and drawn once per run where events arrive as a Poisson process.

use crate::engine::probe::Probe;
use crate::engine::time::{Instant, Span};
use crate::maths;
use crate::policy::contract::Policy;
use crate::policy::facts::Fact;
use crate::service::ledger::{Part, calendar, listed};
use crate::system::ids::{ClientId, GroupId};
use crate::system::spec::{Arrivals, Client, DuringDual};

use super::World;
use super::view::members;

/// Events of one class of devices that nobody takes, by slot.
#[derive(Clone, Debug)]
pub(super) struct HeldBack {
    /// Since when nobody takes them.
    since: Vec<Option<Instant>>,
    /// Seconds of Poisson events given up, and other events by number.
    given_up_secs: f64,
    given_up: u64,
    /// At request fidelity: the events themselves.
    events: Vec<Vec<Instant>>,
}

impl HeldBack {
    /// Nobody takes anything before the run begins.
    pub(super) fn new(slots: usize) -> HeldBack {
        HeldBack {
            since: vec![Some(Instant::ZERO); slots],
            given_up_secs: 0.0,
            given_up: 0,
            events: vec![Vec::new(); slots],
        }
    }
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// Which members take the events of a slot may have changed, to `open`.
    pub(super) fn hold_back(&mut self, c: usize, slot: usize, open: u64, now: Instant) {
        let since = self.clients[c].held.since[slot];
        match (since, open) {
            (None, 0) => self.clients[c].held.since[slot] = Some(now),
            (Some(since), 1..) => {
                self.clients[c].held.since[slot] = None;
                self.deliver_held(c, slot, open, since, now);
            }
            _ => {}
        }
    }

    fn deliver_held(&mut self, c: usize, slot: usize, open: u64, since: Instant, now: Instant) {
        if since == now {
            return;
        }
        let client = &self.setup.model.clients[c];
        let kept_from = now.before(client.buffer).max(since);
        self.give_up_held(c, slot, since, kept_from);
        let events = std::mem::take(&mut self.clients[c].held.events[slot]);
        let kept = || events.iter().filter(|at| **at > kept_from);
        let group = client.to;
        let Some(ledger) = self.groups[group.index()].book(slot, client.content) else { return };
        for member in members(open) {
            ledger.deliver(member, ClientId::from(c), kept_from, now);
            kept().for_each(|&at| ledger.note_late(member, ClientId::from(c), at, now));
            if client.during_dual != DuringDual::Both {
                break;
            }
        }
    }

    /// The events of (from, to] are older than the device keeps them.
    fn give_up_held(&mut self, c: usize, slot: usize, from: Instant, to: Instant) {
        let client = &self.setup.model.clients[c];
        let part = Part::of(slot as u32, self.setup.designs[client.to.index()].slots.into());
        let held = &mut self.clients[c].held;
        if self.setup.requests {
            held.given_up += held.events[slot].iter().filter(|at| **at > from && **at <= to).count() as u64;
            return;
        }
        match counted(client, part, from, to) {
            Some(count) => held.given_up += count,
            None => held.given_up_secs += to.since(from).as_secs() * part.share(),
        }
    }

    /// An event that nobody takes (request fidelity).
    pub(super) fn keep_event(&mut self, c: usize, slot: usize, now: Instant) {
        let held = &mut self.clients[c].held;
        if self.setup.model.clients[c].buffer == Span::ZERO {
            held.given_up += 1;
        } else {
            held.events[slot].push(now);
        }
    }

    /// At the horizon: what devices hold is still theirs; what they have given up is told.
    pub(super) fn finish_field(&mut self, horizon: Instant) {
        let mut sums = vec![None; self.groups.len()];
        for c in 0..self.clients.len() {
            let client = &self.setup.model.clients[c];
            if !client.is_field {
                continue;
            }
            for slot in 0..self.clients[c].slots() {
                if let Some(since) = self.clients[c].held.since[slot] {
                    self.give_up_held(c, slot, since, horizon.before(client.buffer).max(since));
                }
            }
            let held = &self.clients[c].held;
            let mean = client.write_rate * held.given_up_secs;
            let mut stream = self.setup.keys.clients[c].given_up.open(self.run);
            let drawn = if mean > 0.0 { maths::poisson_quantile(mean, stream.uniform()) } else { 0 };
            *sums[client.to.index()].get_or_insert(0) += held.given_up + drawn;
        }
        for (g, count) in sums.into_iter().enumerate() {
            if let Some(count) = count {
                self.emit(horizon, Fact::Dropped { group: GroupId::from(g), count });
            }
        }
    }
}

/// Events or writes in (from, to] where their times are known; none where they are a Poisson process.
pub(super) fn counted(client: &Client, part: Part, from: Instant, to: Instant) -> Option<u64> {
    match &client.arrivals {
        Arrivals::Poisson => None,
        Arrivals::Fixed => Some(calendar(client, part.share(), to) - calendar(client, part.share(), from)),
        Arrivals::Trace(times) => Some(listed(times, part, from, to)),
    }
}
