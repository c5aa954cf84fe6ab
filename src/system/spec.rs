//! What a model says, checked and resolved: plain data that never changes during a run.
//!
//! The reader of model files (`model`) makes a [`Model`], the host (`policy::host`) runs it. Every name is an
//! index, every number has its unit in its type or name, every law is valid. State that changes lives elsewhere.
//! Start with [`Model`].

use crate::engine::dist::Law;
use crate::engine::time::{Instant, Span};

use super::bursts::Bursts;
use super::ids::{ClientId, CrewId, GroupId, LinkId, NodeId, SharedId, SiteId};

/// One system: what the file in `models/` describes. `P` holds a group's policy with its parameters.
#[derive(Clone, Debug)]
pub struct Model<P> {
    /// File name without its ending, for reports.
    pub name: String,
    /// One line saying what this is.
    pub title: String,
    /// Sites by [`SiteId`].
    pub sites: Vec<Site>,
    /// Nodes by [`NodeId`].
    pub nodes: Vec<Node>,
    /// Links by [`LinkId`].
    pub links: Vec<Link>,
    /// Paths; a link that no path names is one of its own.
    pub paths: Vec<Path>,
    /// Common causes by [`SharedId`].
    pub shared: Vec<SharedCause>,
    /// Repair crews by [`CrewId`].
    pub crews: Vec<Crew>,
    /// Groups by [`GroupId`].
    pub groups: Vec<Group<P>>,
    /// Clients and field devices by [`ClientId`].
    pub clients: Vec<Client>,
    /// Planned work.
    pub maintenance: Vec<Maintenance>,
    /// Manual changeovers.
    pub changeovers: Vec<Changeover>,
    /// Objectives, where the model states them.
    pub objectives: Objectives,
    /// Faults and actions at exact times, in order of time.
    pub script: Vec<ScriptStep>,
    /// No random fault at all: scenarios switch them off.
    pub quiet: bool,
    /// The service is up when clients of at least this share of the weight are served (0 to 1).
    pub up_share: f64,
    /// Outages and windows closer together than this are merged in counts and durations.
    pub merge_gap: Span,
    /// Whether a message under way is lost when its link is cut (else it arrives).
    pub cut_in_flight_lost: bool,
    /// What an hour of outage costs, in the currency of `Node::cost_per_year`.
    pub outage_cost_per_hour: Option<f64>,
}

/// A place whose nodes fail together.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name.
    pub name: String,
}

/// A host with its processes.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name: random streams are opened by it.
    pub name: String,
    /// Where it stands.
    pub site: Option<SiteId>,
    /// From power-on until its process can take a role.
    pub start: Law,
    /// From the end of a process crash's repair until the process can take a role.
    pub restart: Law,
    /// Its clocks.
    pub clock: Clock,
    /// Failure modes in the order of the file.
    pub failures: Vec<Failure>,
    /// Names of processes besides the server itself (a `monitor`, an `agent`).
    pub processes: Vec<String>,
    /// Scales the hazard of failures while the node is an unpowered standby (1: the environment ignores roles).
    pub dormancy: f64,
    /// Whether its monotonic clock stands still while it is paused.
    pub freezes: bool,
    /// Who repairs it; `None`: a crew of its own.
    pub crew: Option<CrewId>,
    /// Its service station at request fidelity, and its capacity at aggregate fidelity.
    pub station: Option<Station>,
    /// Cost of owning and running it for a year.
    pub cost_per_year: Option<f64>,
}

/// A node's two clocks: a monotonic one with drift and a wall clock with drift, offset and synchronisation.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Bound of the drift: each run draws uniformly from ± this (1e-6 for 1 ppm).
    pub drift_max: f64,
    /// Standard deviation of the wall clock's error right after a synchronisation, in seconds.
    pub sync_error_secs: f64,
    /// Time between synchronisations; [`Span::NEVER`]: not synchronised.
    pub sync_interval: Span,
    /// Error of the wall clock at the start, in seconds: until it is first synchronised.
    pub offset_secs: f64,
}

/// A service station: `servers` parallel servers with one queue.
#[derive(Clone, Debug)]
pub struct Station {
    /// Parallel servers.
    pub servers: u32,
    /// Service time of one request.
    pub service: Law,
    /// Requests in the queue and in service at most; more are refused.
    pub capacity: u32,
}

/// What a failure does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// Volatile state is lost, the disk survives.
    Crash,
    /// The disk is lost as well.
    CrashDiskLoss,
    /// Everything stands still, state is kept.
    Pause,
    /// Service times are multiplied by this factor.
    Slow {
        /// At least 1.
        factor: f64,
    },
    /// The wall clock is set; that lasts until its next synchronisation, whatever the duration.
    ClockStep {
        /// Forward by so many seconds; negative: back.
        secs: f64,
    },
}

/// What part of a node a failure touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole host: nothing answers.
    Host,
    /// The server process only: the host still answers an echo.
    Process,
    /// The process of `Node::processes` with this index.
    Named(u16),
}

/// One failure mode of a node, site or common cause.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its name within its owner: random streams are opened by it.
    pub name: String,
    /// What it does.
    pub effect: Effect,
    /// To what part of a node.
    pub scope: Scope,
    /// From the end of one fault (or the start of the run) to the start of the next.
    pub time_to_failure: Law,
    /// How long it lasts: repair of a crash, length of a pause. A node's start comes on top after a host crash.
    pub duration: Law,
}

/// A set of traffic classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classes(pub u8);

impl Classes {
    /// Heartbeats and the protocol's own messages.
    pub const HEARTBEAT: Classes = Classes(1);
    /// Replication.
    pub const REPLICATION: Classes = Classes(2);
    /// Clients.
    pub const CLIENT: Classes = Classes(4);
    /// Echo requests (ICMP), answered by the host.
    pub const ECHO: Classes = Classes(8);
    /// Field devices.
    pub const FIELD: Classes = Classes(16);
    /// All of them.
    pub const ALL: Classes = Classes(63);

    /// Whether every class of `other` is in here.
    pub const fn contains(self, other: Classes) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets.
    pub const fn union(self, other: Classes) -> Classes {
        Classes(self.0 | other.0)
    }
}

/// Which of a link's two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both.
    Both,
    /// From its first end to its second.
    Forward,
    /// From its second end to its first.
    Backward,
}

/// What a link joins. A site stands for all its nodes and clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// One node.
    Node(NodeId),
    /// All nodes and clients of a site.
    Site(SiteId),
    /// One class of clients or field devices.
    Client(ClientId),
}

/// A link between two ends.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// What it joins.
    pub ends: [End; 2],
    /// `Both`, or one direction only.
    pub direction: Direction,
    /// One-way delay of a message.
    pub latency: Law,
    /// Probability that one message is lost, each by itself.
    pub loss: f64,
    /// Bursts; `loss` is then that of the good state.
    pub bursts: Option<Bursts>,
    /// Bytes per second; `None`: unlimited.
    pub bandwidth: Option<f64>,
    /// How it fails.
    pub failures: Vec<LinkFailure>,
    /// The traffic it carries.
    pub carries: Classes,
}

/// One failure mode of a link.
#[derive(Clone, Debug)]
pub struct LinkFailure {
    /// Its name within the link.
    pub name: String,
    /// From the end of one fault to the start of the next.
    pub time_to_failure: Law,
    /// How long it lasts.
    pub duration: Law,
    /// The traffic it stops.
    pub classes: Classes,
    /// The direction it stops.
    pub direction: Direction,
}

/// Several links used as one connection between the same two ends. A link that no path names is a path of its
/// own; where several paths join two nodes, they are used in the order of the file, the next only while the one
/// before is down.
#[derive(Clone, Debug)]
pub struct Path {
    /// Its name.
    pub name: String,
    /// Its links, first choice first.
    pub links: Vec<LinkId>,
    /// How they are used.
    pub usage: PathUse,
}

/// How a path uses its links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathUse {
    /// The next link only while those before it have failed.
    Failover,
    /// Every message over all links at once; the first copy counts.
    Both,
}

/// A common cause: its members fail together.
#[derive(Clone, Debug)]
pub struct SharedCause {
    /// Its name.
    pub name: String,
    /// Nodes it takes down.
    pub nodes: Vec<NodeId>,
    /// Links it takes down.
    pub links: Vec<LinkId>,
    /// How it fails. Effects other than crashes apply to nodes only.
    pub failures: Vec<Failure>,
}

/// People who repair.
#[derive(Clone, Debug)]
pub struct Crew {
    /// Its name.
    pub name: String,
    /// Repairs at the same time; others wait, first come, first served.
    pub size: u32,
}

/// Nodes that run one policy together.
#[derive(Clone, Debug)]
pub struct Group<P> {
    /// Its name.
    pub name: String,
    /// Its nodes in order of preference.
    pub nodes: Vec<NodeId>,
    /// Hosts outside it that its nodes may ping, to tell a dead peer from being cut off themselves.
    pub ping_hosts: Vec<NodeId>,
    /// Its policy with parameters.
    pub policy: P,
}

/// How work arrives.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// A Poisson process.
    Poisson,
    /// At equal distances, the first after half of one.
    Fixed,
    /// At these times after the start, once (from a file).
    Trace(Vec<Instant>),
}

/// Which of several active nodes a device talks to during a split brain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuringDual {
    /// All of them: every event is accepted by each.
    Both,
    /// The one it talked to before.
    First,
    /// The one at its own site, else the one it talked to before.
    Nearest,
    /// The one that became active last (whoever announced the address last).
    Latest,
}

/// What writes are: decides what a merge of two histories makes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Entries of their own, such as history, events and operators' actions: both histories' are kept.
    Records,
    /// Present values of points: of two for one point the later stays.
    Values,
    /// Changes of the configuration: those of the winner stand, the loser's are lost.
    Configuration,
}

/// A class of clients, or of field devices.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Field devices do not count for availability, their events are written by the node they reach.
    pub is_field: bool,
    /// Where it is; `None`: it reaches every node.
    pub site: Option<SiteId>,
    /// The group it uses.
    pub to: GroupId,
    /// Writes (or field events) per second.
    pub write_rate: f64,
    /// Reads per second.
    pub read_rate: f64,
    /// How they arrive.
    pub arrivals: Arrivals,
    /// Links that carry it to a node, where the file names them.
    pub reach: Vec<(NodeId, LinkId)>,
    /// Its share in the service (`up_share`).
    pub weight: f64,
    /// An interruption shorter than this is not noticed.
    pub deadline: Span,
    /// A client gives one attempt up after this (request fidelity).
    pub timeout: Span,
    /// Attempts in all (request fidelity).
    pub attempts: u32,
    /// Wait before the second attempt, doubled for each further one (request fidelity).
    pub backoff: Span,
    /// From a new active node being ready until this client has found it.
    pub reconnect: Law,
    /// Which node it uses while several are active.
    pub during_dual: DuringDual,
    /// How long a device keeps events it could not deliver, and (Windback) those it has delivered.
    pub buffer: Span,
    /// Bytes of one write.
    pub write_bytes: f64,
    /// What its writes are.
    pub content: Content,
}

/// Planned work on nodes, one after the other.
#[derive(Clone, Debug)]
pub struct Maintenance {
    /// Its name.
    pub name: String,
    /// The nodes it stops, each in turn.
    pub nodes: Vec<NodeId>,
    /// From the end of one round to the next.
    pub every: Law,
    /// How long each node is down.
    pub duration: Law,
    /// From the end of the work on one node to the start of it on the next.
    pub pause: Law,
    /// Whether the active role is moved away first.
    pub changeover: bool,
}

/// Changeovers ordered by an operator.
#[derive(Clone, Debug)]
pub struct Changeover {
    /// Its name.
    pub name: String,
    /// The group.
    pub group: GroupId,
    /// Time between two.
    pub every: Law,
}

/// What the service has promised.
#[derive(Clone, Debug, Default)]
pub struct Objectives {
    /// Availability target in a window.
    pub availability: Option<AvailabilityTarget>,
    /// Longest acceptable outage.
    pub rto: Option<Span>,
    /// Longest acceptable age of lost data.
    pub rpo: Option<Span>,
    /// Reads older than this are stale.
    pub staleness: Option<Span>,
}

/// A target for each window of time.
#[derive(Clone, Debug)]
pub struct AvailabilityTarget {
    /// 0 to 1.
    pub target: f64,
    /// Length of a window; windows follow each other from the start of the run.
    pub window: Span,
    /// Whether planned downtime is left out.
    pub exclude_planned: bool,
}

/// Something that happens at an exact time.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptStep {
    /// When.
    pub at: Instant,
    /// What.
    pub action: Action,
}

/// What a script can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// A node fails; it stays so until [`Action::Restore`].
    Fail {
        /// Which node.
        node: NodeId,
        /// What part.
        scope: Scope,
        /// How.
        effect: Effect,
    },
    /// The fault of the same scope ends (a host starts then).
    Restore {
        /// Which node.
        node: NodeId,
        /// What part.
        scope: Scope,
    },
    /// A link stops carrying these classes.
    Cut {
        /// Which link.
        link: LinkId,
        /// What traffic.
        classes: Classes,
        /// Which way.
        direction: Direction,
    },
    /// Every scripted cut of the link ends.
    Heal {
        /// Which link.
        link: LinkId,
    },
    /// A common cause strikes.
    Strike {
        /// Which.
        shared: SharedId,
    },
    /// And ends.
    Relieve {
        /// Which.
        shared: SharedId,
    },
    /// An operator moves the active role.
    Changeover {
        /// Of this group.
        group: GroupId,
        /// To this node; `None`: whichever the policy picks.
        to: Option<NodeId>,
    },
}
