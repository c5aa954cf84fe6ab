//! Clients: the node that each class of them uses for each part of its work, and the writes that it gives it.

use crate::engine::agenda::Slot;
use crate::engine::probe::Probe;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Policy, Routing};
use crate::policy::facts::Fact;
use crate::system::ids::{ClientId, GroupId};
use crate::system::spec::{Client, DuringDual};

use super::view::{members, size};
use super::{Event, HostCtx, World, class};

/// The node a client uses.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Attached {
    member: usize,
    incarnation: u32,
    ready: bool,
}

/// One part of the work of a class of clients.
#[derive(Clone, Debug)]
struct Share {
    at: Option<Attached>,
    /// The member it was connected to last, and which of its processes that was.
    last: Option<(usize, u32)>,
    /// Members that take its writes at present, one bit each.
    writing: u64,
    /// When it has found who serves it now.
    timer: Slot,
}

/// A class of clients.
#[derive(Clone, Debug)]
pub(super) struct ClientState {
    shares: Vec<Share>,
    /// Events of devices that nobody takes.
    pub(super) held: super::field::HeldBack,
    stream: Stream,
}

impl ClientState {
    /// Parts of the work.
    pub(super) fn slots(&self) -> usize {
        self.shares.len()
    }

    /// Members that take its writes of a part.
    pub(super) fn writing(&self, slot: usize) -> u64 {
        self.shares[slot].writing
    }

    /// The member it was connected to last, and which of its processes that was.
    pub(super) fn last_at(&self, slot: usize) -> Option<(usize, u32)> {
        self.shares[slot].last
    }

    /// The member it is connected to.
    pub(super) fn ready_at(&self, slot: usize) -> Option<usize> {
        self.shares[slot].at.filter(|at| at.ready).map(|at| at.member)
    }

    /// Whether it is still looking for the node of some part.
    pub(super) fn is_looking(&self) -> bool {
        self.shares.iter().filter_map(|share| share.at).any(|at| !at.ready)
    }
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn begin_clients(&mut self, ctx: &mut HostCtx<'_, P>) {
        for (c, client) in self.setup.model.clients.iter().enumerate() {
            let slots = self.setup.designs[client.to.index()].slots;
            let share = |slot| {
                let found = Event::Reconnect(ClientId::from(c), slot);
                let timer = ctx.slot(Self::rank(class::WORKLOAD, c), found);
                Share { at: None, last: None, writing: 0, timer }
            };
            self.clients.push(ClientState {
                shares: (0..slots).map(share).collect(),
                held: super::field::HeldBack::new(slots.into()),
                stream: self.setup.keys.clients[c].reconnect.open(self.run),
            });
        }
    }

    pub(super) fn reconnected(&mut self, client: ClientId, slot: u8) {
        let share = &mut self.clients[client.index()].shares[usize::from(slot)];
        if let Some(at) = &mut share.at {
            at.ready = true;
            share.last = Some((at.member, at.incarnation));
        }
        self.touch(self.setup.model.clients[client.index()].to);
    }

    /// Finds the nodes that the clients of a group use now, and gives them their writes.
    pub(super) fn look_at_clients(&mut self, group: GroupId, ctx: &mut HostCtx<'_, P>) {
        let setup = self.setup;
        let attaches = matches!(setup.designs[group.index()].routing, Routing::Accepting);
        for &c in &setup.clients_of[group.index()].all {
            let client = &setup.model.clients[c];
            if attaches {
                self.attach(c, client, ctx);
            }
            if client.write_rate > 0.0 {
                self.book(c, client, ctx.now());
            }
        }
    }

    /// Finds the node a client uses for each part of the work.
    fn attach(&mut self, c: usize, client: &Client, ctx: &mut HostCtx<'_, P>) {
        let model = &self.setup.model;
        let places = &model.groups[client.to.index()].nodes;
        let reached = self.reached(c, u64::MAX);
        let World { clients, groups, nodes, .. } = self;
        let ClientState { shares, stream, .. } = &mut clients[c];
        let accepting = &groups[client.to.index()].view.accepting;
        let node = |member: usize| &nodes[places[member].index()];
        for (share, accepting) in shares.iter_mut().zip(accepting) {
            let candidates = accepting & reached;
            if candidates == 0 {
                share.at = None;
                continue;
            }
            let holds = |at: &Attached| {
                candidates & (1 << at.member) != 0 && node(at.member).incarnation == at.incarnation
            };
            let kept = share.at.filter(holds);
            if kept.is_some() && (client.during_dual != DuringDual::Latest || size(candidates) == 1) {
                continue;
            }
            let activation = |member: usize| node(member).stance.map_or(0, |stance| stance.activation);
            let site = |member: usize| model.nodes[places[member].index()].site;
            let is_beside = |member: usize| client.site.is_some() && site(member) == client.site;
            let member = choose(client.during_dual, share.last, candidates, activation, is_beside);
            if kept.is_some_and(|at| at.member == member) {
                continue;
            }
            let incarnation = node(member).incarnation;
            let known = share.last == Some((member, incarnation)) || ctx.now() == Instant::ZERO;
            let wait = if known { Span::ZERO } else { client.reconnect.sample(stream.uniform()) };
            let ready = wait == Span::ZERO;
            share.at = Some(Attached { member, incarnation, ready });
            if ready {
                share.last = Some((member, incarnation));
            } else {
                ctx.arm(share.timer, ctx.now() + wait);
            }
        }
    }

    /// Opens and closes the ranges of a client's writes in the ledger.
    fn book(&mut self, c: usize, client: &Client, now: Instant) {
        let g = client.to.index();
        let obeys_all = client.is_field && client.during_dual == DuringDual::Both;
        let reached = self.reached(c, u64::MAX);
        for slot in 0..self.clients[c].shares.len() {
            let view = &self.groups[g].view;
            let takes = view.accepting[slot] & !view.of.blocked;
            let share = &mut self.clients[c].shares[slot];
            let accepted = if obeys_all {
                reached
            } else {
                share.at.filter(|at| at.ready).map_or(0, |at| 1 << at.member)
            };
            let open = accepted & takes;
            let before = std::mem::replace(&mut share.writing, open);
            if client.is_field {
                self.hold_back(c, slot, open, now);
            }
            if open == before {
                continue;
            }
            let Some(ledger) = self.groups[g].book(slot, client.content) else { continue };
            for member in members(before & !open) {
                ledger.close(member, ClientId::from(c), now);
            }
            for member in members(open & !before) {
                ledger.open(member, ClientId::from(c), now);
            }
        }
    }
}

/// Which of several members (at least one) a client turns to that was connected to `last`.
fn choose(
    during_dual: DuringDual,
    last: Option<(usize, u32)>,
    candidates: u64,
    activation: impl Fn(usize) -> u64,
    is_beside: impl Fn(usize) -> bool,
) -> usize {
    let newest = || {
        let of = |member: &usize| (activation(*member), std::cmp::Reverse(*member));
        members(candidates).max_by_key(of).expect("at least one candidate")
    };
    let last = last.map(|(member, _)| member).filter(|member| candidates & (1 << member) != 0);
    match during_dual {
        _ if size(candidates) == 1 => candidates.trailing_zeros() as usize,
        DuringDual::Nearest => {
            members(candidates).find(|&member| is_beside(member)).or(last).unwrap_or_else(newest)
        }
        DuringDual::First | DuringDual::Both => last.unwrap_or_else(newest),
        DuringDual::Latest => newest(),
    }
}
