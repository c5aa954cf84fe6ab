//! What a host works out once for all runs of a point: who reaches whom over which links, the flat list of faults,
//! the keys of the random streams.

use crate::engine::stream::StreamKey;
use crate::policy::contract::{Bounds, Design, Policy};
use crate::policy::facts::FaultOf;
use crate::system::ids::{ClientId, GroupId, LinkId, NodeId};
use crate::system::spec::{Client, Direction, DuringDual, End, Link, Model, PathUse};

use super::keys::Keys;

/// One way from here to there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Route {
    /// Its links with the direction of travel (forward: from the first end to the second).
    pub(crate) links: Vec<(LinkId, bool)>,
    pub(crate) usage: PathUse,
}

/// How a client reaches a node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reach {
    Always,
    /// While any of these links is open both ways.
    Over(Vec<LinkId>),
}

impl Reach {
    fn is_over(&self, link: LinkId) -> bool {
        matches!(self, Reach::Over(links) if links.contains(&link))
    }
}

/// The classes of clients of one group, by their places in the model.
#[derive(Clone, Debug)]
pub(super) struct GroupClients {
    pub(super) all: Vec<usize>,
    /// Those that ask and wait for an answer: all but devices.
    pub(super) asking: Vec<usize>,
    /// The devices that obey every node that commands them.
    pub(super) devices: Vec<usize>,
}

impl GroupClients {
    fn of(clients: &[Client], group: GroupId) -> GroupClients {
        let all: Vec<usize> = (0..clients.len()).filter(|&c| clients[c].to == group).collect();
        let only = |holds: &dyn Fn(&Client) -> bool| {
            all.iter().copied().filter(|&c| holds(&clients[c])).collect::<Vec<_>>()
        };
        let asking = only(&|client| !client.is_field);
        let devices = only(&|client| client.is_field && client.during_dual == DuringDual::Both);
        GroupClients { asking, devices, all }
    }
}

/// A fault process: whose it is, and its stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaultSource {
    pub(crate) of: FaultOf,
    pub(crate) key: StreamKey,
}

/// A model made ready to run under a seed.
#[derive(Clone, Debug)]
pub struct Setup<P: Policy> {
    /// The model.
    pub model: Model<P::Params>,
    /// What each group's policy declares, by group.
    pub designs: Vec<Design>,
    /// What it promises, by group.
    pub bounds: Vec<Bounds>,
    /// Observed form: skip quiet time where that is exact.
    pub skips: bool,
    /// Each request an event.
    pub requests: bool,
    pub(super) keys: Keys,
    /// Group and place in it, by node.
    pub(crate) member: Vec<Option<(GroupId, usize)>>,
    /// Names of the members, by group.
    pub(crate) names: Vec<Vec<String>>,
    /// A number for each node in fingerprints that does not change with what else the model holds: its place in its
    /// group, or among the hosts that a group pings.
    pub(crate) place: Vec<u32>,
    routes: Vec<Vec<Route>>,
    /// The pairs of nodes that each link joins, by link.
    joined: Vec<Vec<(NodeId, NodeId)>>,
    /// Whether a group uses a link, by group and link.
    used: Vec<Vec<bool>>,
    pub(crate) client_reach: Vec<Vec<Reach>>,
    /// The classes of clients of each group.
    pub(super) clients_of: Vec<GroupClients>,
    pub(crate) faults: Vec<FaultSource>,
    /// Whether any link is limited in what it carries.
    pub(super) has_bandwidth: bool,
    /// Which of a node's named processes sends and hears heartbeats, where it is one of its own, by node.
    pub(crate) monitor: Vec<Option<usize>>,
}

impl<P: Policy> Setup<P> {
    /// Prepares `model`. `skips`: the skipping forms are used where they are exact.
    pub fn new(model: Model<P::Params>, seed: u64, skips: bool, requests: bool) -> Setup<P> {
        let nodes = model.nodes.len();
        let mut member = vec![None; nodes];
        for (g, group) in model.groups.iter().enumerate() {
            for (i, node) in group.nodes.iter().enumerate() {
                member[node.index()] = Some((GroupId::from(g), i));
            }
        }
        let names = model.groups.iter().map(|g| g.nodes.iter().map(|n| model.nodes[n.index()].name.clone()));
        let names = names.map(Iterator::collect).collect();
        let place = (0..nodes).map(|n| place(&model, &member, NodeId::from(n))).collect();
        let mut routes = Vec::with_capacity(nodes * nodes);
        for from in 0..nodes {
            for to in 0..nodes {
                routes.push(find_routes(&model, NodeId::from(from), NodeId::from(to)));
            }
        }
        let client_reach = (0..model.clients.len())
            .map(|c| (0..nodes).map(|n| reach(&model, ClientId::from(c), NodeId::from(n))).collect())
            .collect();
        let faults = fault_sources(&model, seed);
        let designs: Vec<Design> = model.groups.iter().map(|g| P::design(&g.policy, g.nodes.len())).collect();
        let bounds = model.groups.iter().map(|g| P::bounds(&g.policy, g.nodes.len())).collect();
        let monitor =
            model.nodes.iter().map(|node| node.processes.iter().position(|p| p == "monitor")).collect();
        let clients_of =
            (0..model.groups.len()).map(|g| GroupClients::of(&model.clients, GroupId::from(g))).collect();
        let slots: Vec<u8> = designs.iter().map(|design| design.slots).collect();
        let keys = Keys::new(&model, seed, &slots);
        let mut joined = vec![Vec::new(); model.links.len()];
        for (pair, routes) in routes.iter().enumerate() {
            let pair = (NodeId::from(pair / nodes), NodeId::from(pair % nodes));
            for &(link, _) in routes.iter().flat_map(|route| &route.links) {
                if !joined[link.index()].contains(&pair) {
                    joined[link.index()].push(pair);
                }
            }
        }
        let has_bandwidth = model.links.iter().any(|link| link.bandwidth.is_some());
        let mut setup = Setup {
            model,
            has_bandwidth,
            designs,
            bounds,
            skips,
            requests,
            keys,
            member,
            names,
            place,
            routes,
            joined,
            used: Vec::new(),
            client_reach,
            clients_of,
            faults,
            monitor,
        };
        let links = || (0..setup.model.links.len()).map(LinkId::from);
        setup.used = (0..setup.model.groups.len())
            .map(|g| links().map(|link| setup.joins_or_reaches(GroupId::from(g), link)).collect())
            .collect();
        setup
    }

    /// The ways from one node to another, first choice first; none: they stand together.
    pub(crate) fn routes(&self, from: NodeId, to: NodeId) -> &[Route] {
        &self.routes[from.index() * self.model.nodes.len() + to.index()]
    }

    /// The pairs of nodes, in the direction of travel, that have `link` among their ways.
    pub(crate) fn joined(&self, link: LinkId) -> &[(NodeId, NodeId)] {
        &self.joined[link.index()]
    }

    /// Whether a group's nodes reach each other, or are reached by its clients, over a link.
    pub(crate) fn uses(&self, group: GroupId, link: LinkId) -> bool {
        self.used[group.index()][link.index()]
    }

    /// Whether a client reaches any node over a link.
    pub(crate) fn client_uses(&self, client: usize, link: LinkId) -> bool {
        self.client_reach[client].iter().any(|reach| reach.is_over(link))
    }

    fn joins_or_reaches(&self, group: GroupId, link: LinkId) -> bool {
        let nodes = &self.model.groups[group.index()].nodes;
        let between = nodes.iter().any(|&a| {
            let routes = nodes.iter().flat_map(|&b| self.routes(a, b));
            routes.flat_map(|route| &route.links).any(|&(used, _)| used == link)
        });
        between
            || self.model.clients.iter().zip(&self.client_reach).any(|(client, reach)| {
                client.to == group && nodes.iter().any(|node| reach[node.index()].is_over(link))
            })
    }
}

/// See [`Setup::place`].
fn place<G>(model: &Model<G>, member: &[Option<(GroupId, usize)>], node: NodeId) -> u32 {
    const PINGED: u32 = 1 << 16;
    if let Some((_, place)) = member[node.index()] {
        return place as u32;
    }
    let pinged = model.groups.iter().find_map(|group| group.ping_hosts.iter().position(|&host| host == node));
    pinged.map_or(2 * PINGED + u32::from(node.0), |place| PINGED + place as u32)
}

fn fault_sources<G>(model: &Model<G>, seed: u64) -> Vec<FaultSource> {
    let mut faults = Vec::new();
    let mut add = |kind: &str, owner: &str, mode: &str, of| {
        let key = StreamKey::new(seed, &format!("{kind}:{owner}"), &format!("failure:{mode}"));
        faults.push(FaultSource { of, key });
    };
    for (n, node) in model.nodes.iter().enumerate() {
        for (m, failure) in node.failures.iter().enumerate() {
            add("node", &node.name, &failure.name, FaultOf::Node(n.into(), m as u16));
        }
    }
    for (l, link) in model.links.iter().enumerate() {
        for (m, failure) in link.failures.iter().enumerate() {
            add("link", &link.name, &failure.name, FaultOf::Link(l.into(), m as u16));
        }
    }
    for (s, shared) in model.shared.iter().enumerate() {
        for (m, failure) in shared.failures.iter().enumerate() {
            add("shared", &shared.name, &failure.name, FaultOf::Shared(s.into(), m as u16));
        }
    }
    faults
}

fn stands_at<G>(model: &Model<G>, end: End, node: NodeId) -> bool {
    match end {
        End::Node(n) => n == node,
        End::Site(site) => model.nodes[node.index()].site == Some(site),
        End::Client(_) => false,
    }
}

/// The direction in which `link` leads from `from` to `to`, if it does.
fn leads<G>(model: &Model<G>, link: &Link, from: NodeId, to: NodeId) -> Option<bool> {
    let [a, b] = link.ends;
    if stands_at(model, a, from) && stands_at(model, b, to) && link.direction != Direction::Backward {
        return Some(true);
    }
    if stands_at(model, b, from) && stands_at(model, a, to) && link.direction != Direction::Forward {
        return Some(false);
    }
    None
}

fn find_routes<G>(model: &Model<G>, from: NodeId, to: NodeId) -> Vec<Route> {
    if from == to {
        return Vec::new();
    }
    let mut routes = Vec::new();
    let mut named = vec![false; model.links.len()];
    for path in &model.paths {
        let links: Vec<_> = path
            .links
            .iter()
            .filter_map(|&id| leads(model, &model.links[id.index()], from, to).map(|forward| (id, forward)))
            .collect();
        for id in &path.links {
            named[id.index()] = true;
        }
        if !links.is_empty() {
            routes.push(Route { links, usage: path.usage });
        }
    }
    for (l, link) in model.links.iter().enumerate() {
        if named[l] {
            continue;
        }
        if let Some(forward) = leads(model, link, from, to) {
            routes.push(Route { links: vec![(LinkId::from(l), forward)], usage: PathUse::Failover });
        }
    }
    routes
}

fn reach<G>(model: &Model<G>, client: ClientId, node: NodeId) -> Reach {
    let spec = &model.clients[client.index()];
    let listed: Vec<_> = spec.reach.iter().filter(|(n, _)| *n == node).map(|(_, link)| *link).collect();
    if !listed.is_empty() {
        return Reach::Over(listed);
    }
    if !spec.reach.is_empty() {
        return Reach::Always;
    }
    let Some(here) = spec.site else { return direct(model, client, node) };
    if model.nodes[node.index()].site == Some(here) {
        return Reach::Always;
    }
    let at_client = |end: End| match end {
        End::Client(c) => c == client,
        End::Site(site) => site == here,
        End::Node(n) => model.nodes[n.index()].site == Some(here),
    };
    let joins = |link: &Link| {
        let [a, b] = link.ends;
        (at_client(a) && stands_at(model, b, node)) || (at_client(b) && stands_at(model, a, node))
    };
    let links: Vec<_> =
        (0..model.links.len()).filter(|&l| joins(&model.links[l])).map(LinkId::from).collect();
    if links.is_empty() { Reach::Always } else { Reach::Over(links) }
}

/// Links that join the client itself to the node.
fn direct<G>(model: &Model<G>, client: ClientId, node: NodeId) -> Reach {
    let links: Vec<_> = (0..model.links.len())
        .filter(|&l| {
            let [a, b] = model.links[l].ends;
            (a == End::Client(client) && stands_at(model, b, node))
                || (b == End::Client(client) && stands_at(model, a, node))
        })
        .map(LinkId::from)
        .collect();
    if links.is_empty() { Reach::Always } else { Reach::Over(links) }
}
