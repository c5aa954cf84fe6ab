//! Whether an outage is planned: whether planned work, or a changeover that was ordered, is what took the service away.
//! A fault beside planned work is a fault, and what follows from it is its own.

use crate::engine::probe::Probe;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Conflicts, Policy, Routing};
use crate::policy::facts::Fact;
use crate::system::ids::GroupId;

use super::World;

/// A changeover that was taken up and is not carried out after this has come to nothing. (What was refused was over at
/// once, see `order_changeover`.)
const ORDER_LASTS: Span = Span::from_whole_secs(600);

/// Whether what happens now can be a changeover that was ordered then.
pub(super) fn is_carried_out(ordered: Option<Instant>, now: Instant) -> bool {
    ordered.is_some_and(|at| now.since(at) <= ORDER_LASTS)
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// Whether an outage that begins now is planned.
    pub(super) fn is_planned(&self, group: GroupId, now: Instant) -> bool {
        let state = &self.groups[group.index()];
        let works = state.view.of.in_maintenance;
        is_carried_out(state.service.ordered_at(), now) || (works != 0 && self.is_taken_by(works, group))
    }

    /// Whether those members that are being worked on are all that a group misses.
    fn is_taken_by(&self, works: u64, group: GroupId) -> bool {
        let g = group.index();
        let design = &self.setup.designs[g];
        let all = (1 << self.setup.model.groups[g].nodes.len()) - 1;
        let missing = if let Routing::Balanced { fail_open, .. } = design.routing {
            self.setup.clients_of[g].asking.iter().fold(0, |missing, &c| {
                let (pool, working) = self.pool(c, group, fail_open);
                missing | if pool == 0 { all } else { pool & !working }
            })
        } else if design.conflicts == Conflicts::Exclusive {
            (0..usize::from(design.slots))
                .fold(0, |missing, slot| missing | self.missing_of_part(group, slot))
        } else {
            all & !self.groups[g].view.accepting_any()
        };
        missing != 0 && missing & !works == 0
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
