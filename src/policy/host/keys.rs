//! The keys of a run's random streams, made once for all runs: a name costs more to hash than a stream to open.

use crate::engine::stream::StreamKey;
use crate::system::ids::NodeId;
use crate::system::spec::Model;

/// The streams of one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeKeys {
    pub(super) drift: StreamKey,
    pub(super) clock: StreamKey,
    pub(super) start: StreamKey,
    pub(super) policy: StreamKey,
    pub(super) messages: StreamKey,
    pub(super) phase: StreamKey,
    pub(super) service: StreamKey,
}

/// The streams between one node and another.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairKeys {
    pub(super) watch: StreamKey,
    pub(super) poll: StreamKey,
    pub(super) connection: StreamKey,
    pub(super) echo: StreamKey,
    pub(super) copy: StreamKey,
}

/// The streams of one class of clients.
#[derive(Clone, Debug)]
pub(super) struct ClientKeys {
    pub(super) reconnect: StreamKey,
    pub(super) network: StreamKey,
    pub(super) writes: StreamKey,
    pub(super) reads: StreamKey,
    /// Events that devices give up.
    pub(super) given_up: StreamKey,
    /// The balancer's checks, by node.
    pub(super) checks: Vec<StreamKey>,
}

/// The streams of a model's parts.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) nodes: Vec<NodeKeys>,
    pairs: Vec<PairKeys>,
    pub(super) clients: Vec<ClientKeys>,
    /// The books of a group's parts, by group and part; those of records that stand apart.
    pub(super) ledgers: Vec<Vec<StreamKey>>,
    pub(super) records: Vec<Vec<StreamKey>>,
    /// Merging, by group.
    pub(super) merging: Vec<StreamKey>,
    /// Bursts of loss, by link.
    pub(super) bursts: Vec<StreamKey>,
    pub(super) maintenance: Vec<StreamKey>,
    pub(super) changeovers: Vec<StreamKey>,
}

impl Keys {
    pub(super) fn new<G>(model: &Model<G>, seed: u64, slots: &[u8]) -> Keys {
        let of =
            |kind: &str, name: &str, purpose: &str| StreamKey::new(seed, &format!("{kind}:{name}"), purpose);
        let nodes = model.nodes.iter().map(|node| {
            let of = |purpose: &str| of("node", &node.name, purpose);
            NodeKeys {
                drift: of("drift"),
                clock: of("clock"),
                start: of("start"),
                policy: of("policy"),
                messages: of("messages"),
                phase: of("phase"),
                service: of("service"),
            }
        });
        let pairs = model.nodes.iter().flat_map(|from| model.nodes.iter().map(move |to| (from, to)));
        let pairs = pairs.map(|(from, to)| {
            let of = |purpose: &str| of("node", &from.name, &format!("{purpose}:{}", to.name));
            PairKeys {
                watch: of("watch"),
                poll: of("poll"),
                connection: of("connection"),
                echo: of("echo"),
                copy: of("copy"),
            }
        });
        let books = |kind: &str| {
            let books = model.groups.iter().zip(slots).map(|(group, &slots)| {
                (0..slots).map(|slot| of("group", &group.name, &format!("{kind}:{slot}"))).collect()
            });
            books.collect()
        };
        let clients = model.clients.iter().map(|client| {
            let of = |purpose: &str| of("client", &client.name, purpose);
            ClientKeys {
                reconnect: of("reconnect"),
                network: of("network"),
                writes: of("writes"),
                reads: of("reads"),
                given_up: of("given up"),
                checks: model.nodes.iter().map(|node| of(&format!("check:{}", node.name))).collect(),
            }
        });
        Keys {
            nodes: nodes.collect(),
            pairs: pairs.collect(),
            clients: clients.collect(),
            ledgers: books("ledger"),
            records: books("records"),
            merging: model.groups.iter().map(|group| of("group", &group.name, "merging")).collect(),
            bursts: model.links.iter().map(|link| of("link", &link.name, "bursts")).collect(),
            maintenance: model
                .maintenance
                .iter()
                .map(|plan| of("maintenance", &plan.name, "times"))
                .collect(),
            changeovers: model
                .changeovers
                .iter()
                .map(|order| of("changeover", &order.name, "times"))
                .collect(),
        }
    }

    /// Of what `from` does about `to`.
    pub(super) fn pair(&self, from: NodeId, to: NodeId) -> &PairKeys {
        &self.pairs[from.index() * self.nodes.len() + to.index()]
    }
}
