//! Messages that programs send each other: copies under way over the links in use, of which the first to arrive counts.
//!
//! A cut loses the copies under way on that link in that direction (`cut_in_flight`), no others: neither those on
//! another link of a path with `use = "both"`, nor those in the other direction, nor anything where only traffic of
//! other classes is cut.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::engine::probe::Probe;
use crate::engine::time::Instant;
use crate::policy::contract::Policy;
use crate::policy::facts::Fact;
use crate::system::ids::{LinkId, NodeId};
use crate::system::spec::Classes;

use super::{Event, HostCtx, World, class};

/// The copy of a message that arrives next.
#[derive(Clone, Copy, Debug)]
pub struct Passage {
    link: LinkId,
    /// How often the link had been cut in this direction when the copy was sent.
    cuts: u32,
    /// Where the copies after it are found, if there are any.
    later: Option<u32>,
}

/// Copies that arrive after the first one of their message, by a number for each message that has any.
#[derive(Clone, Debug, Default)]
pub(super) struct LaterCopies {
    sent: u32,
    /// When and over which link, the latest first.
    under_way: BTreeMap<u32, Vec<(Instant, Passage)>>,
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn send(&mut self, from: NodeId, to: NodeId, message: P::Message, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        let Some(medium) = self.medium_at(now, from, to, Classes::HEARTBEAT) else { return };
        self.count_message(from);
        let links = &self.setup.model.links;
        let mut first: Option<(Instant, Passage)> = None;
        let mut later = Vec::new();
        medium.draw_copies(links, &mut self.nodes[from.index()].messages, |link, delay| {
            let copy = (now + delay, Passage { link, cuts: 0, later: None });
            match first {
                Some(other) if other.0 <= copy.0 => later.push(copy),
                _ => later.extend(first.replace(copy)),
            }
        });
        let Some((at, mut passage)) = first else {
            if medium.links().next().is_none() {
                self.goes(now, from, to, None, message, ctx);
            }
            return;
        };
        passage.cuts = self.cuts(passage.link, from, to);
        if !later.is_empty() {
            later.iter_mut().for_each(|(_, copy)| copy.cuts = self.cuts(copy.link, from, to));
            later.sort_by_key(|(at, _)| Reverse(*at));
            let number = self.later_copies.sent;
            self.later_copies.sent = number.wrapping_add(1);
            self.later_copies.under_way.insert(number, later);
            passage.later = Some(number);
        }
        self.goes(at, from, to, Some(passage), message, ctx);
    }

    fn goes(
        &self,
        at: Instant,
        from: NodeId,
        to: NodeId,
        via: Option<Passage>,
        message: P::Message,
        ctx: &mut HostCtx<'_, P>,
    ) {
        ctx.push(at, Self::rank(class::DELIVERY, to.index()), Event::Deliver { from, to, via, message });
    }

    /// The next copy arrives, unless its link has been cut on the way: then the one after it is waited for.
    pub(super) fn deliver(
        &mut self,
        from: NodeId,
        to: NodeId,
        via: Option<Passage>,
        message: P::Message,
        ctx: &mut HostCtx<'_, P>,
    ) {
        let others = via.and_then(|copy| copy.later).map(|n| (n, self.later_copies.under_way.remove(&n)));
        let is_lost = |copy: Passage| {
            self.setup.model.cut_in_flight_lost && self.cuts(copy.link, from, to) != copy.cuts
        };
        if !via.is_some_and(is_lost) {
            return self.read(from, to, message, ctx);
        }
        let Some((number, Some(mut others))) = others else { return };
        let Some((at, mut next)) = others.pop() else { return };
        if !others.is_empty() {
            self.later_copies.under_way.insert(number, others);
            next.later = Some(number);
        }
        self.goes(at, from, to, Some(next), message, ctx);
    }
}
