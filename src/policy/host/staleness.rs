//! How old the data is that reads are answered from, where the model sets a limit to that.
//!
//! A read is stale if it misses a write that was acknowledged before it began and that another running node has. That
//! is so where several nodes take writes and cannot exchange them, and where a client that does not reach the active
//! node reads from a standby whose copy is out of step; a copy in step counts as fresh. Two nodes that both accept are
//! a split brain and counted as that. Reads without another choice from a standby whose source is dead miss what is
//! lost, which the ledger counts.

use crate::engine::probe::Probe;
use crate::engine::time::Instant;
use crate::policy::contract::Policy;
use crate::policy::facts::Fact;
use crate::system::ids::{GroupId, NodeId};

use super::World;

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// Tells since when some reads of a group have missed writes, if that changed.
    pub(super) fn tell_staleness(&mut self, group: GroupId, now: Instant) {
        if self.setup.model.objectives.staleness.is_none() {
            return;
        }
        let since = match &self.groups[group.index()].merging {
            Some(merging) => merging.parted_since().filter(|_| self.is_read(group)),
            None => self.reads_behind(group),
        };
        if std::mem::replace(&mut self.groups[group.index()].service.lagging, since) != since {
            self.emit(now, Fact::Lagging { group, since });
        }
    }

    fn is_read(&self, group: GroupId) -> bool {
        self.setup.model.clients.iter().any(|client| client.to == group && client.read_rate > 0.0)
    }

    /// The oldest state that some client has to read from a standby while another node takes writes.
    fn reads_behind(&self, group: GroupId) -> Option<Instant> {
        let clients = self.setup.model.clients.iter().enumerate();
        clients
            .filter(|(_, client)| client.to == group && client.read_rate > 0.0)
            .filter_map(|(c, _)| self.read_by(c, group))
            .min()
    }

    /// Since when the freshest copy that a client can read has been behind; none where it reads from a node that takes
    /// writes, from a copy in step, or not at all.
    fn read_by(&self, client: usize, group: GroupId) -> Option<Instant> {
        let nodes = &self.setup.model.groups[group.index()].nodes;
        let runs = |node: NodeId| self.nodes[node.index()].is_running();
        let served = (0..self.clients[client].slots())
            .any(|slot| self.clients[client].ready_at(slot).is_some_and(|member| runs(nodes[member])));
        if served {
            return None;
        }
        let mut freshest = None;
        for (member, &node) in nodes.iter().enumerate() {
            let stance = self.nodes[node.index()].stance;
            if !runs(node) || !stance.is_some_and(|s| s.reads) || !self.client_reaches(client, node) {
                continue;
            }
            if stance.is_some_and(|s| s.accepts.is_some()) {
                return None;
            }
            let behind = self.copy_behind(group, member)?;
            freshest = freshest.max(Some(behind));
        }
        freshest
    }
}
