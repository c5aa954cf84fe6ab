//! Request fidelity: every operation of a client is simulated, with attempts, time-outs, retries, and the service
//! stations of the nodes.
//!
//! An *operation* is what a client wants done; each try of it is an *attempt*, which lives on at the server after the
//! client has given it up: overload feeds on that. A node without a station serves at once. A crash loses what is in
//! a node's queue; a pause makes it wait, and clients stay with a node that stands still until another one serves. A
//! write is acknowledged when it is served (at a synchronous node: when the copy has it) and noted in the ledger at
//! that instant, once for each operation and only while its client still wants it: what else an operation's attempts
//! write is a duplicate, or a ghost if its client was told of a failure.

use crate::engine::agenda::Slot;
use crate::engine::probe::Probe;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Policy, Routing};
use crate::policy::facts::Fact;
use crate::system::ids::{ClientId, GroupId, NodeId};
use crate::system::spec::{Arrivals, Classes, DuringDual, Effect};

use super::{Event, HostCtx, World, class};

/// A packet to a copy is sent again at most so often; lost as often as that, the way is as good as cut.
const RESENT_MAX: u32 = 100;

/// What comes next for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It reaches the node.
    Arrives,
    /// Its service ends.
    Served,
    /// The answer reaches the client.
    Answers,
    /// The client gives it up.
    Expires,
    /// The client tries again.
    Retries,
}

/// What a client wants done.
#[derive(Clone, Copy, Debug)]
struct Operation {
    client: u16,
    is_write: bool,
    issued: Instant,
    attempts: u32,
    /// Attempts that are still under way or at a node. The place is free when there is none and it is closed.
    live: u32,
    /// Grows whenever the place is used anew, so that no late time-out is taken for the present operation's.
    stamp: u32,
    /// Writes of it that servers have carried out.
    applied: u32,
    state: Asked,
}

/// How an operation stands with its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// The client waits for an answer.
    Open,
    /// It has one.
    Answered,
    /// It has given up.
    Failed,
}

/// One try at a server.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    operation: u32,
    client: u16,
    is_write: bool,
    node: NodeId,
    incarnation: u32,
    done: Instant,
    is_used: bool,
}

/// A node's queue and servers.
#[derive(Clone, Debug, Default)]
struct Station {
    queue: std::collections::VecDeque<u32>,
    serving: Vec<u32>,
    /// Served, and waiting for a copy or the end of a pause.
    held: Vec<u32>,
    changed: Instant,
    area: f64,
    busy: f64,
    longest: usize,
    stream: Option<Stream>,
}

/// One kind of work of one client.
#[derive(Clone, Debug)]
struct Source {
    client: u16,
    is_write: bool,
    slot: Slot,
    stream: Stream,
    /// Operations so far, for arrivals at fixed distances and from a list.
    count: u64,
}

/// All requests of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    sources: Vec<Source>,
    operations: Vec<Operation>,
    free_operations: Vec<u32>,
    attempts: Vec<Attempt>,
    free_attempts: Vec<u32>,
    stations: Vec<Station>,
    network: Vec<Stream>,
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn begin_requests(&mut self, ctx: &mut HostCtx<'_, P>) {
        if !self.setup.requests {
            return;
        }
        let model = &self.setup.model;
        for keys in &self.setup.keys.nodes {
            let stream = keys.service.open(self.run);
            self.requests.stations.push(Station { stream: Some(stream), ..Station::default() });
        }
        for (c, client) in model.clients.iter().enumerate() {
            let keys = &self.setup.keys.clients[c];
            self.requests.network.push(keys.network.open(self.run));
            for (is_write, rate) in [(true, client.write_rate), (false, client.read_rate)] {
                if rate == 0.0 {
                    continue;
                }
                let index = self.requests.sources.len();
                let slot = ctx.slot(Self::rank(class::WORKLOAD, 1024 + index), Event::Issue(index as u16));
                let stream = if is_write { keys.writes } else { keys.reads }.open(self.run);
                self.requests.sources.push(Source { client: c as u16, is_write, slot, stream, count: 0 });
                self.next_arrival(index, ctx);
            }
        }
    }

    fn next_arrival(&mut self, index: usize, ctx: &mut HostCtx<'_, P>) {
        let source = &mut self.requests.sources[index];
        let client = &self.setup.model.clients[usize::from(source.client)];
        let rate = if source.is_write { client.write_rate } else { client.read_rate };
        let at = match &client.arrivals {
            Arrivals::Poisson => {
                let wait = -crate::maths::ln_1p(-source.stream.uniform()) / rate;
                ctx.now() + Span::from_secs_saturating(wait)
            }
            Arrivals::Fixed => Instant::ZERO + Span::from_secs_saturating((source.count as f64 + 0.5) / rate),
            Arrivals::Trace(times) => times.get(source.count as usize).copied().unwrap_or(Instant::NEVER),
        };
        source.count += 1;
        ctx.arm(source.slot, at.max(ctx.now()));
    }

    pub(super) fn issue(&mut self, index: u16, ctx: &mut HostCtx<'_, P>) {
        let index = usize::from(index);
        let (client, is_write) = (self.requests.sources[index].client, self.requests.sources[index].is_write);
        self.next_arrival(index, ctx);
        let now = ctx.now();
        if self.setup.model.clients[usize::from(client)].is_field {
            self.field_event(usize::from(client), now);
            return;
        }
        let place = self.requests.free_operations.pop().unwrap_or(self.requests.operations.len() as u32);
        let stamp = self.requests.operations.get(place as usize).map_or(0, |old| old.stamp.wrapping_add(1));
        let new = Operation {
            client,
            is_write,
            issued: now,
            attempts: 0,
            live: 0,
            stamp,
            applied: 0,
            state: Asked::Open,
        };
        match self.requests.operations.get_mut(place as usize) {
            Some(old) => *old = new,
            None => self.requests.operations.push(new),
        }
        self.try_once(place, ctx);
    }

    /// A device's event is accepted at once by the node (or nodes) it reaches.
    fn field_event(&mut self, client: usize, now: Instant) {
        let spec = &self.setup.model.clients[client];
        let group = spec.to;
        let slot = self.pick_slot(client);
        let open = self.clients[client].writing(slot);
        if open == 0 {
            self.keep_event(client, slot, now);
        }
        let Some(ledger) = self.groups[group.index()].book(slot, spec.content) else { return };
        for member in super::view::members(open) {
            ledger.note(member, ClientId::from(client), now);
            if spec.during_dual != DuringDual::Both {
                break;
            }
        }
        self.settle_books(group, now);
    }

    /// The part of the work that a request belongs to: any, alike.
    fn pick_slot(&mut self, client: usize) -> usize {
        match self.clients[client].slots() {
            0 | 1 => 0,
            slots => (self.requests.network[client].uniform() * slots as f64) as usize,
        }
    }

    fn try_once(&mut self, place: u32, ctx: &mut HostCtx<'_, P>) {
        let operation = &mut self.requests.operations[place as usize];
        operation.attempts += 1;
        let (client, is_write, stamp, number) =
            (usize::from(operation.client), operation.is_write, operation.stamp, operation.attempts);
        let spec = &self.setup.model.clients[client];
        let timeout = ctx.now() + spec.timeout;
        self.push_stage(timeout, client, Stage::Expires, place, stamp, number, ctx);
        let Some(node) = self.pick_node(client, is_write) else { return };
        let bytes = if is_write { self.setup.model.clients[client].write_bytes } else { 0.0 };
        let Some(delay) = self.client_delay(ctx.now(), client, node, bytes) else { return };
        self.requests.operations[place as usize].live += 1;
        let attempt = Attempt {
            operation: place,
            client: client as u16,
            is_write,
            node,
            incarnation: self.nodes[node.index()].incarnation,
            done: Instant::NEVER,
            is_used: true,
        };
        let index = self.requests.free_attempts.pop().unwrap_or(self.requests.attempts.len() as u32);
        match self.requests.attempts.get_mut(index as usize) {
            Some(old) => *old = attempt,
            None => self.requests.attempts.push(attempt),
        }
        self.push_stage(ctx.now() + delay, node.index(), Stage::Arrives, index, 0, 0, ctx);
    }

    #[expect(clippy::too_many_arguments, reason = "one event, field by field")]
    fn push_stage(
        &self,
        at: Instant,
        entity: usize,
        stage: Stage,
        index: u32,
        stamp: u32,
        number: u32,
        ctx: &mut HostCtx<'_, P>,
    ) {
        ctx.push(
            at,
            Self::rank(class::WORKLOAD, 4096 + entity),
            Event::Request { stage, index, stamp, number },
        );
    }

    /// The delay of a message of so many bytes between a client and a node; `None`: lost.
    fn client_delay(&mut self, now: Instant, client: usize, node: NodeId, bytes: f64) -> Option<Span> {
        let medium = self.client_way(client, node)?.at(now, &mut self.channels);
        medium.draw_sized(&self.setup.model.links, bytes, &mut self.requests.network[client])
    }

    /// The node an attempt goes to: the one the client is connected to, or any of the balancer's pool.
    fn pick_node(&mut self, client: usize, is_write: bool) -> Option<NodeId> {
        let spec = &self.setup.model.clients[client];
        let group = spec.to;
        let nodes = &self.setup.model.groups[group.index()].nodes;
        if let Routing::Balanced { redispatch, fail_open, .. } = self.setup.designs[group.index()].routing {
            let (pool, working) = self.pool(client, group, fail_open);
            let set = if redispatch && working != 0 { working } else { pool };
            let count = set.count_ones();
            if count == 0 {
                return None;
            }
            let nth = (self.requests.network[client].uniform() * f64::from(count)) as usize;
            return super::view::members(set).nth(nth).map(|m| nodes[m]);
        }
        let slot = self.pick_slot(client);
        let attached = self.clients[client].ready_at(slot).map(|m| nodes[m]);
        let reads = || {
            let readers = if is_write { 0 } else { self.reached(client, self.readers(group, slot)) };
            super::view::members(readers).next().map(|m| nodes[m])
        };
        attached.or_else(reads).or_else(|| self.waits_at(client, slot, nodes))
    }

    /// The node that serves a client's part of the work and stands still, while there is no other.
    fn waits_at(&self, client: usize, slot: usize, nodes: &[NodeId]) -> Option<NodeId> {
        let (member, incarnation) = self.clients[client].last_at(slot)?;
        let node = nodes[member];
        let state = &self.nodes[node.index()];
        let stands_still = state.program.is_some() && state.is_paused() && state.incarnation == incarnation;
        (stands_still && self.client_reaches(client, node)).then_some(node)
    }

    pub(super) fn request(
        &mut self,
        stage: Stage,
        index: u32,
        stamp: u32,
        number: u32,
        ctx: &mut HostCtx<'_, P>,
    ) {
        match stage {
            Stage::Arrives => self.arrives(index, ctx),
            Stage::Served => self.served_at(index, ctx),
            Stage::Answers => self.answers(index, ctx),
            Stage::Expires => self.expires(index, stamp, number, ctx),
            Stage::Retries => {
                let operation = &self.requests.operations[index as usize];
                if operation.state == Asked::Open && operation.stamp == stamp && operation.attempts == number
                {
                    self.try_once(index, ctx);
                }
            }
        }
    }

    fn arrives(&mut self, index: u32, ctx: &mut HostCtx<'_, P>) {
        let attempt = self.requests.attempts[index as usize];
        let state = &self.nodes[attempt.node.index()];
        if state.program.is_none() {
            self.free_attempt(index);
            return; // nobody there: the client waits for its time-out
        }
        self.requests.attempts[index as usize].incarnation = state.incarnation;
        let Some(spec) = &self.setup.model.nodes[attempt.node.index()].station else {
            self.complete(index, ctx);
            return;
        };
        let now = ctx.now();
        let station = &mut self.requests.stations[attempt.node.index()];
        station.count_up_to(now);
        if station.queue.len() + station.serving.len() >= spec.capacity as usize {
            self.free_attempt(index);
            return;
        }
        station.queue.push_back(index);
        station.longest = station.longest.max(station.queue.len() + station.serving.len());
        self.serve(attempt.node, ctx);
    }

    /// Starts service for as many as there are free servers.
    fn serve(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let Some(spec) = &self.setup.model.nodes[node.index()].station else { return };
        if self.nodes[node.index()].is_paused() {
            return;
        }
        let slow = self.nodes[node.index()].slow;
        loop {
            let station = &mut self.requests.stations[node.index()];
            if station.serving.len() >= spec.servers as usize {
                return;
            }
            let Some(index) = station.queue.pop_front() else { return };
            let takes = station.stream.as_mut().map_or(Span::ZERO, |s| spec.service.sample(s.uniform()));
            let done = ctx.now() + if slow == 1.0 { takes } else { takes.scaled(slow) };
            station.serving.push(index);
            self.requests.attempts[index as usize].done = done;
            self.push_stage(done, node.index(), Stage::Served, index, 0, 0, ctx);
        }
    }

    fn served_at(&mut self, index: u32, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        let attempt = self.requests.attempts[index as usize];
        // A crash has put it aside, or a pause has moved its end.
        if !attempt.is_used || attempt.done != now {
            return;
        }
        if self.nodes[attempt.node.index()].is_paused() {
            return; // it goes on when the node does
        }
        let station = &mut self.requests.stations[attempt.node.index()];
        station.count_up_to(now);
        let Some(at) = station.serving.iter().position(|&i| i == index) else { return };
        station.serving.swap_remove(at);
        self.complete(index, ctx);
        self.serve(attempt.node, ctx);
    }

    /// Service is done: the write is acknowledged, or waits until it can be.
    fn complete(&mut self, index: u32, ctx: &mut HostCtx<'_, P>) {
        let attempt = self.requests.attempts[index as usize];
        let client = usize::from(attempt.client);
        let group = self.setup.model.clients[client].to;
        let Some((_, member)) = self.setup.member[attempt.node.index()] else { return };
        let state = &self.nodes[attempt.node.index()];
        if state.is_paused() || (attempt.is_write && self.is_blocked(group, member)) {
            self.requests.stations[attempt.node.index()].held.push(index);
            return;
        }
        let Some(stance) = state.stance else {
            self.free_attempt(index);
            return;
        };
        let slot = stance.accepts.filter(|_| !stance.draining);
        let takes_it = if attempt.is_write { slot.is_some() } else { stance.reads || slot.is_some() };
        if !takes_it {
            self.free_attempt(index);
            return;
        }
        if let (true, Some(slot)) = (attempt.is_write, slot) {
            self.write(attempt.operation, group, member, slot, ctx.now());
        }
        let copy =
            if attempt.is_write { self.copy_delay(ctx.now(), group, member, client) } else { Span::ZERO };
        let back = self.client_delay(ctx.now(), client, attempt.node, 0.0);
        match back {
            Some(back) => self.push_stage(
                ctx.now() + copy + back,
                attempt.node.index(),
                Stage::Answers,
                index,
                0,
                0,
                ctx,
            ),
            None => self.free_attempt(index),
        }
    }

    /// A write of an operation is carried out.
    fn write(&mut self, operation: u32, group: GroupId, member: usize, slot: u8, now: Instant) {
        let operation = &mut self.requests.operations[operation as usize];
        operation.applied += 1;
        let client = ClientId::from(usize::from(operation.client));
        match (operation.applied, operation.state) {
            (1, Asked::Open) => {
                let content = self.setup.model.clients[client.index()].content;
                if let Some(ledger) = self.groups[group.index()].book(usize::from(slot), content) {
                    ledger.note(member, client, now);
                    self.settle_books(group, now);
                }
            }
            (1, Asked::Failed) => self.emit(now, Fact::Repeated { group, is_ghost: true }),
            _ => self.emit(now, Fact::Repeated { group, is_ghost: false }),
        }
    }

    /// There and back to the copy of a synchronous node: the copy has the write before the client hears of it.
    fn copy_delay(&mut self, now: Instant, group: GroupId, member: usize, client: usize) -> Span {
        let Some(to) = self.synchronous_copy(group, member) else { return Span::ZERO };
        let from = self.setup.model.groups[group.index()].nodes[member];
        let bytes = self.setup.model.clients[client].write_bytes;
        let draw = |world: &mut Self, a, b, bytes| {
            let medium = world.medium_at(now, a, b, Classes::REPLICATION)?;
            medium.draw_sized(&world.setup.model.links, bytes, &mut world.requests.network[client])
        };
        // A lost packet is sent again. No way at all: the source has not noticed yet and will wait, or go on alone.
        let mut one_way =
            |a, b, bytes| (0..RESENT_MAX).find_map(|_| draw(self, a, b, bytes)).unwrap_or(Span::ZERO);
        one_way(from, to, bytes) + one_way(to, from, 0.0)
    }

    fn answers(&mut self, index: u32, ctx: &mut HostCtx<'_, P>) {
        let attempt = self.requests.attempts[index as usize];
        let now = ctx.now();
        let operation = self.requests.operations[attempt.operation as usize];
        // Else too late: the client has given up, or has its answer.
        if operation.state == Asked::Open {
            self.requests.operations[attempt.operation as usize].state = Asked::Answered;
            let latency = now - operation.issued;
            let client = &self.setup.model.clients[usize::from(operation.client)];
            let in_time = client.deadline == Span::ZERO || latency <= client.deadline;
            let latency = Some(latency).filter(|_| in_time);
            self.emit(now, Fact::Answered { group: client.to, write: operation.is_write, latency });
        }
        self.free_attempt(index);
    }

    fn expires(&mut self, place: u32, stamp: u32, number: u32, ctx: &mut HostCtx<'_, P>) {
        let operation = &mut self.requests.operations[place as usize];
        if operation.state != Asked::Open || operation.stamp != stamp || operation.attempts != number {
            return;
        }
        let client = &self.setup.model.clients[usize::from(operation.client)];
        if number < client.attempts {
            let wait = client.backoff.times(1_u64 << (number - 1).min(32));
            let entity = usize::from(operation.client);
            self.push_stage(ctx.now() + wait, entity, Stage::Retries, place, stamp, number, ctx);
            return;
        }
        operation.state = Asked::Failed;
        let (group, is_write, applied) = (client.to, operation.is_write, operation.applied);
        if operation.live == 0 {
            self.requests.free_operations.push(place);
        }
        self.emit(ctx.now(), Fact::Answered { group, write: is_write, latency: None });
        if applied > 0 {
            self.emit(ctx.now(), Fact::Repeated { group, is_ghost: true });
        }
    }

    fn free_attempt(&mut self, index: u32) {
        let attempt = &mut self.requests.attempts[index as usize];
        if !attempt.is_used {
            return;
        }
        attempt.is_used = false;
        attempt.done = Instant::NEVER;
        let place = attempt.operation;
        self.requests.free_attempts.push(index);
        let operation = &mut self.requests.operations[place as usize];
        operation.live -= 1;
        if operation.live == 0 && operation.state != Asked::Open {
            self.requests.free_operations.push(place);
        }
    }

    /// A node's process is gone: what it had in hand is gone with it.
    pub(super) fn requests_die(&mut self, node: NodeId, now: Instant) {
        let Some(station) = self.requests.stations.get_mut(node.index()) else { return };
        station.count_up_to(now);
        let mut gone = std::mem::take(&mut station.serving);
        gone.extend(station.queue.drain(..));
        gone.append(&mut station.held);
        for index in gone {
            self.free_attempt(index);
        }
    }

    /// A pause ends after `length`: what was being served goes on from where it was.
    pub(super) fn requests_resume(&mut self, node: NodeId, length: Span, ctx: &mut HostCtx<'_, P>) {
        let Some(station) = self.requests.stations.get(node.index()) else { return };
        for index in station.serving.clone() {
            let done = self.requests.attempts[index as usize].done + length;
            self.requests.attempts[index as usize].done = done;
            self.push_stage(done.max(ctx.now()), node.index(), Stage::Served, index, 0, 0, ctx);
        }
        self.release_requests(node, ctx);
        self.serve(node, ctx);
    }

    /// Writes that waited for a copy or for the end of a pause are completed.
    pub(super) fn release_requests(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let Some(station) = self.requests.stations.get_mut(node.index()) else { return };
        for index in std::mem::take(&mut station.held) {
            self.complete(index, ctx);
        }
    }

    /// The load of each group's stations up to the horizon.
    pub(super) fn finish_requests(&mut self, horizon: Instant) {
        if !self.setup.requests {
            return;
        }
        for (n, spec) in self.setup.model.nodes.iter().enumerate() {
            let (Some(station), Some((group, _))) = (&spec.station, self.setup.member[n]) else { continue };
            let state = &mut self.requests.stations[n];
            state.count_up_to(horizon);
            let load = Fact::Load {
                group,
                number_secs: Span::from_secs_saturating(state.area),
                busy_secs: Span::from_secs_saturating(state.busy / f64::from(station.servers)),
                longest: state.longest as u32,
            };
            self.emit(horizon, load);
        }
    }

    /// A fault slows a node's services down, or no longer does.
    pub(super) fn slow_down(&mut self, node: NodeId, effect: Effect, begins: bool) {
        if let Effect::Slow { factor } = effect {
            let slow = &mut self.nodes[node.index()].slow;
            *slow = if begins { *slow * factor } else { (*slow / factor).max(1.0) };
        }
    }
}

impl Station {
    fn count_up_to(&mut self, now: Instant) {
        let secs = now.since(self.changed).as_secs();
        self.area += secs * (self.queue.len() + self.serving.len()) as f64;
        self.busy += secs * self.serving.len() as f64;
        self.changed = now;
    }
}
