//! Which ways are open between nodes, and by which a client reaches a node: worked out when a link changes, looked up
//! at every step in between.

use crate::engine::probe::Probe;
use crate::engine::time::Instant;
use crate::policy::contract::Policy;
use crate::policy::facts::Fact;
use crate::system::bursts::Channels;
use crate::system::ids::{LinkId, NodeId};
use crate::system::medium::Medium;
use crate::system::spec::{Classes, PathUse};

use super::setup::Reach;
use super::{HostCtx, World};

/// The classes of traffic between nodes.
const CLASSES: [Classes; 3] = [Classes::HEARTBEAT, Classes::REPLICATION, Classes::ECHO];

/// Where a class stands among them.
#[inline]
fn place_of(classes: Classes) -> usize {
    CLASSES.iter().position(|known| *known == classes).expect("a class between nodes")
}

/// The open ways of a run at present.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways {
    nodes: usize,
    /// What carries each of `CLASSES` from one node to another, by the pair of nodes; `None`: no way is open.
    between: Vec<[Option<Medium>; 3]>,
    /// What carries a client's traffic to a node and back, by the pair of client and node; `None`: no way is open.
    /// Requests and the checks of the balancer beside the client take the same way.
    to_client: Vec<Option<Medium>>,
    /// The members of its group that a client reaches, by client.
    reached: Vec<u64>,
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn begin_ways(&mut self) {
        let nodes = self.setup.model.nodes.len();
        self.ways.nodes = nodes;
        self.ways.between = vec![[None; 3]; nodes * nodes];
        for from in 0..nodes {
            for to in 0..nodes {
                self.find_way(NodeId::from(from), NodeId::from(to));
            }
        }
        let clients = self.setup.model.clients.len();
        self.ways.to_client = vec![None; clients * nodes];
        self.ways.reached = (0..clients).map(|c| self.find_client_ways(c)).collect();
    }

    fn find_way(&mut self, from: NodeId, to: NodeId) {
        let found = CLASSES.map(|classes| self.find_medium(from, to, classes));
        self.ways.between[from.index() * self.ways.nodes + to.index()] = found;
    }

    fn find_medium(&self, from: NodeId, to: NodeId, classes: Classes) -> Option<Medium> {
        let routes = self.setup.routes(from, to);
        if routes.is_empty() {
            return Some(Medium::PERFECT);
        }
        for route in routes {
            let mut medium = Medium::PERFECT;
            let mut any = false;
            for &(link, forward) in &route.links {
                let carries = self.setup.model.links[link.index()].carries.contains(classes);
                if carries && self.links[link.index()].is_open(classes, forward) {
                    medium.add(link);
                    any = true;
                    if route.usage == PathUse::Failover {
                        break;
                    }
                }
            }
            if any {
                return Some(medium);
            }
        }
        None
    }

    /// Finds how a client reaches each member of its group; says which it does reach.
    fn find_client_ways(&mut self, client: usize) -> u64 {
        let group = self.setup.model.clients[client].to;
        let mut reached = 0;
        for (m, &node) in self.setup.model.groups[group.index()].nodes.iter().enumerate() {
            let found = self.find_client_way(client, node);
            reached |= u64::from(found.is_some()) << m;
            self.ways.to_client[client * self.ways.nodes + node.index()] = found;
        }
        reached
    }

    /// Of several links the first open one carries everything, there and back, as the links of a failover path do.
    fn find_client_way(&self, client: usize, node: NodeId) -> Option<Medium> {
        let Reach::Over(links) = &self.setup.client_reach[client][node.index()] else {
            return Some(Medium::PERFECT);
        };
        let link = links.iter().copied().find(|&link| self.link_serves(client, link))?;
        let mut medium = Medium::PERFECT;
        medium.add(link);
        Some(medium)
    }

    pub(super) fn begin_channels(&mut self) {
        let (links, keys, run) = (&self.setup.model.links, &self.setup.keys, self.run);
        self.channels = Channels::new(links, |link| keys.bursts[link.index()].open(run));
    }

    /// The states of all links from `now` on, for a reader of its own.
    pub(super) fn channels_at(&mut self, now: Instant) -> Channels {
        self.channels.advance(now);
        self.channels.clone()
    }

    /// The links that carry a class at present, in their states.
    pub(super) fn medium_at(
        &mut self,
        now: Instant,
        from: NodeId,
        to: NodeId,
        classes: Classes,
    ) -> Option<Medium> {
        let medium = self.medium(from, to, classes)?;
        Some(medium.at(now, &mut self.channels))
    }

    /// A link opened or closed for some class: the ways over it, and whoever uses them.
    pub(super) fn way_changed(&mut self, link: LinkId, ctx: &mut HostCtx<'_, P>) {
        let setup = self.setup;
        for &(from, to) in setup.joined(link) {
            self.find_way(from, to);
        }
        for client in 0..self.ways.reached.len() {
            if setup.client_uses(client, link) {
                let reached = self.find_client_ways(client);
                if std::mem::replace(&mut self.ways.reached[client], reached) != reached {
                    self.touch(setup.model.clients[client].to);
                }
            }
        }
        self.link_changed(link, ctx);
    }

    /// The links that carry a class from one node to another at present; `None`: no way is open.
    #[inline]
    pub(super) fn medium(&self, from: NodeId, to: NodeId, classes: Classes) -> Option<Medium> {
        self.ways.between[from.index() * self.ways.nodes + to.index()][place_of(classes)]
    }

    /// Whether any way is open for a class from one node to another.
    #[inline]
    pub(super) fn is_way_open(&self, from: NodeId, to: NodeId, classes: Classes) -> bool {
        self.ways.between[from.index() * self.ways.nodes + to.index()][place_of(classes)].is_some()
    }

    /// The link that carries a client's traffic to a node of its group and back; `None`: no way is open.
    #[inline]
    pub(super) fn client_way(&self, client: usize, node: NodeId) -> Option<Medium> {
        self.ways.to_client[client * self.ways.nodes + node.index()]
    }

    /// Whether a client reaches a node of its group over the network.
    pub(super) fn client_reaches(&self, client: usize, node: NodeId) -> bool {
        self.setup.member[node.index()].is_some_and(|(_, m)| self.ways.reached[client] & (1 << m) != 0)
    }

    /// Of a set of members, those that a client reaches over the network.
    pub(super) fn reached(&self, client: usize, set: u64) -> u64 {
        self.ways.reached[client] & set
    }
}
