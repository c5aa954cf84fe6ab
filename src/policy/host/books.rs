//! The books of a group's writes at the turns of a run: who has a copy at its start, what a takeover restores or loses
//! for good, what is told of a loss, and the end.

use crate::engine::probe::Probe;
use crate::engine::time::Instant;
use crate::policy::contract::Policy;
use crate::policy::facts::Fact;
use crate::service::ledger::{Disposal, Loss};
use crate::system::ids::GroupId;

use super::World;

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// At the start of a run a node that serves one part of the work has no copy of another one.
    pub(super) fn begin_with_own_parts(&mut self) {
        for (g, state) in self.groups.iter_mut().enumerate() {
            for (member, node) in self.setup.model.groups[g].nodes.iter().enumerate() {
                let served = self.nodes[node.index()].stance.and_then(|stance| stance.accepts);
                for book in 0..state.ledgers.len() {
                    if served.is_some_and(|slot| usize::from(slot) != book % state.slots) {
                        state.ledgers[book].begin_without(member);
                    }
                }
            }
        }
    }

    /// A node that takes over restores the last backup, where there is one and its own data is behind it.
    pub(super) fn restore_backup(&mut self, group: GroupId, slot: usize, member: usize, now: Instant) {
        let g = group.index();
        let store = self.setup.model.groups[g].nodes.len();
        let how = Disposal { windback: self.setup.designs[g].windback, merge: None };
        for book in self.groups[g].books(slot) {
            let clients = &self.setup.model.clients;
            for loss in self.groups[g].ledgers[book].restore(member, store, now, how, clients) {
                self.lost(group, loss, now);
            }
        }
    }

    /// A node that takes over from one whose disk is gone will never get what was under way.
    pub(super) fn lose_under_way(&mut self, group: GroupId, slot: usize, member: usize, now: Instant) {
        let g = group.index();
        let how = Disposal { windback: self.setup.designs[g].windback, merge: None };
        for book in self.groups[g].books(slot) {
            let clients = &self.setup.model.clients;
            if let Some(loss) = self.groups[g].ledgers[book].lose_under_way(member, how, clients) {
                self.lost(group, loss, now);
            }
        }
    }

    /// Writes were given up: told, and held against the policy's promise.
    pub(super) fn lost(&mut self, group: GroupId, loss: Loss, now: Instant) {
        let bound = self.setup.bounds[group.index()].loss_age.as_ref().and_then(|bound| bound.secs);
        let really = loss.count - loss.merged;
        let in_class = loss.incident.is_some_and(|incident| incident.in_class);
        // A nanosecond of rounding is no breach.
        let breaks_bound =
            in_class && really > 0 && bound.is_some_and(|secs| loss.age.as_secs() > secs + 1e-9);
        self.emit(now, Fact::Lost { group, loss, breaks_bound });
    }

    pub(super) fn close_books(&mut self, horizon: Instant) {
        for g in 0..self.groups.len() {
            let group = GroupId::from(g);
            self.finish_merging(group, horizon);
            let how = Disposal { windback: self.setup.designs[g].windback, merge: None };
            for book in 0..self.groups[g].ledgers.len() {
                let survivor = self.survivor(group, (book % self.groups[g].slots) as u8);
                let clients = &self.setup.model.clients;
                let (totals, losses) = self.groups[g].ledgers[book].finish(survivor, horizon, how, clients);
                for loss in losses {
                    self.lost(group, loss, horizon);
                }
                self.emit(horizon, Fact::Book { group, totals });
            }
        }
    }

    /// The acceptor of a slot with the highest activation number.
    fn survivor(&self, group: GroupId, slot: u8) -> Option<usize> {
        let nodes = &self.setup.model.groups[group.index()].nodes;
        (0..nodes.len())
            .filter_map(|member| {
                let stance = self.nodes[nodes[member].index()].stance?;
                (stance.accepts == Some(slot)).then_some((stance.activation, std::cmp::Reverse(member)))
            })
            .max()
            .map(|(_, std::cmp::Reverse(member))| member)
    }
}
