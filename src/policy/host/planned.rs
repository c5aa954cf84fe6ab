//! Whether an outage is planned: whether planned work, or a changeover that was ordered, is what took the service away.
//! A fault beside planned work is a fault, and what follows from it is its own.

use crate::engine::probe::Probe;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Conflicts, Policy, Routing};
use crate::policy::facts::Fact;
use crate::system::ids::{GroupId, NodeId};

use super::World;

/// A changeover that was taken up and is not carried out after this has come to nothing. (What was refused was over at
/// once, see `order_changeover`.)
const ORDER_LASTS: Span = Span::from_whole_secs(600);

/// Whether what happens now can be a changeover that was ordered then.
pub(super) fn is_carried_out(ordered: Option<Instant>, now: Instant) -> bool {
    ordered.is_some_and(|at| now.since(at) <= ORDER_LASTS)
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// Whether an outage that begins now is planned, and then the members that are missing by plan.
    pub(super) fn planned_at_first(&self, group: GroupId, now: Instant) -> Option<u64> {
        let missing = self.missing(group);
        let works = self.groups[group.index()].view.of.in_maintenance;
        let is_planned = self.is_ordered(group, now) || (missing & works != 0 && missing & !works == 0);
        is_planned.then_some(missing)
    }

    /// Whether an outage that was planned is so still: until somebody is missing for another reason.
    pub(super) fn is_still_planned(&self, planned: u64, group: GroupId, now: Instant) -> bool {
        let works = self.groups[group.index()].view.of.in_maintenance;
        self.is_ordered(group, now) || self.missing(group) & !(planned | works) == 0
    }

    /// A node has failed: if it was missing by plan, it is missing by that fault from here on.
    pub(super) fn fails_unplanned(&mut self, node: NodeId) {
        if let Some((group, member)) = self.setup.member[node.index()] {
            self.groups[group.index()].service.fails(member);
        }
    }

    fn is_ordered(&self, group: GroupId, now: Instant) -> bool {
        is_carried_out(self.groups[group.index()].service.ordered_at(), now)
    }

    /// The members that a group misses: for want of which some of its work is not served.
    fn missing(&self, group: GroupId) -> u64 {
        let g = group.index();
        let design = &self.setup.designs[g];
        let asking = &self.setup.clients_of[g].asking;
        let all = u64::MAX >> (64 - self.setup.model.groups[g].nodes.len());
        match design.routing {
            Routing::Balanced { fail_open, .. } if !asking.is_empty() => {
                asking.iter().fold(0, |missing, &c| {
                    let (pool, working) = self.pool(c, group, fail_open);
                    missing | if pool == 0 { all } else { pool & !working }
                })
            }
            Routing::Accepting if design.conflicts == Conflicts::Exclusive => (0..usize::from(design.slots))
                .fold(0, |missing, slot| missing | self.missing_of_part(group, slot)),
            _ => all & !self.groups[g].view.accepting_any(),
        }
    }

    /// The members for want of which a part of the work is not served: who held it last, or the copies that its holder
    /// waits for. None where it is there, and only its clients do not reach it.
    fn missing_of_part(&self, group: GroupId, slot: usize) -> u64 {
        let state = &self.groups[group.index()];
        match state.takeovers.last_of(slot) {
            Some(holder) if state.view.accepting[slot] & (1 << holder) == 0 => 1 << holder,
            Some(holder) => self.waits_for(group, holder),
            None => u64::MAX,
        }
    }
}
