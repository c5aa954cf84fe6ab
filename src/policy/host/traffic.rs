//! How much the nodes of a group tell each other: heartbeats, checks, polls and messages.
//!
//! Nothing is simulated for it. A node that sends heartbeats sends one to each peer every period, checks are asked and
//! answered at their distance; what has been sent is worked out whenever one of these begins or ends.

use crate::engine::probe::Probe;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::Policy;
use crate::policy::facts::Fact;
use crate::system::ids::{GroupId, NodeId};

use super::World;

/// Heartbeats that a node is sending.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending {
    since: Instant,
    period: Span,
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// One message, lost or not.
    pub(super) fn count_message(&mut self, from: NodeId) {
        if let Some((group, _)) = self.setup.member[from.index()] {
            self.groups[group.index()].messages += 1.0;
        }
    }

    /// Checks and answers of an observer's echo or polls, or of a balancer.
    pub(super) fn count_checks(&mut self, group: GroupId, messages: f64) {
        self.groups[group.index()].messages += messages;
    }

    /// Whether a node sends heartbeats, and how often, may have changed.
    pub(super) fn count_beats(&mut self, node: NodeId, now: Instant) {
        let Some((group, _)) = self.setup.member[node.index()] else { return };
        let period = self.beats(node).map(|beats| beats.period);
        let counted = self.nodes[node.index()].sending;
        if counted.map(|sending| sending.period) == period {
            return;
        }
        if let Some(sending) = counted {
            let peers = self.setup.model.groups[group.index()].nodes.len() - 1;
            let each = now.since(sending.since).as_secs() / sending.period.as_secs();
            self.groups[group.index()].messages += each * peers as f64;
        }
        self.nodes[node.index()].sending = period.map(|period| Sending { since: now, period });
    }

    /// At the horizon: what is still going on, and the sums.
    pub(super) fn tell_traffic(&mut self, horizon: Instant) {
        for node in (0..self.nodes.len()).map(NodeId::from) {
            if let Some(beacon) = &mut self.nodes[node.index()].beacon {
                beacon.sending = false;
            }
            self.count_beats(node, horizon);
        }
        self.count_watches(horizon);
        for group in (0..self.groups.len()).map(GroupId::from) {
            let messages = self.groups[group.index()].messages.round() as u64;
            self.emit(horizon, Fact::Traffic { group, messages });
        }
    }
}
