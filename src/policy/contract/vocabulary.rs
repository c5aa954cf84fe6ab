//! The words of the contract: what a node believes to be, how it perceives others, the phases of a failover.

/// What a node believes itself to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Up, but not yet in any role.
    Starting,
    /// Getting its first complete copy.
    Syncing,
    /// Ready to take over.
    Standby,
    /// Cut off, and waiting.
    Isolated,
    /// On the way to being active.
    TakingOver,
    /// In charge ("Main", "primary", "owner of the address").
    Active,
    /// One of several that all serve.
    Peer,
    /// It has no part in the service and will not take one.
    Idle,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 8] = [
        Role::Starting,
        Role::Syncing,
        Role::Standby,
        Role::Isolated,
        Role::TakingOver,
        Role::Active,
        Role::Peer,
        Role::Idle,
    ];

    /// Whether it takes copies of what another node writes.
    pub(crate) const fn follows(self) -> bool {
        matches!(self, Role::Standby | Role::Syncing | Role::Starting | Role::Isolated)
    }

    /// Its name in scenario files and traces.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Starting => "starting",
            Role::Syncing => "syncing",
            Role::Standby => "standby",
            Role::Isolated => "isolated",
            Role::TakingOver => "taking-over",
            Role::Active => "active",
            Role::Peer => "peer",
            Role::Idle => "idle",
        }
    }
}

/// Belief, and what it would accept: two things, and only the second makes a split brain count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stance {
    /// What it believes itself to be.
    pub role: Role,
    /// The part of the work it accepts writes for: one of [`Design::slots`](super::Design::slots).
    pub accepts: Option<u8>,
    /// The part that it is about to take ([`Role::TakingOver`]): it follows no other one from here on and says so, while
    /// whoever holds this very part does not learn of it.
    pub takes: Option<u8>,
    /// It still holds that part but takes no more work: it is about to hand over.
    pub draining: bool,
    /// Whether it answers reads: those of its clients, and as a standby those of anybody, where
    /// [`Design::standby_reads`](super::Design::standby_reads) says so.
    pub reads: bool,
    /// Its activation number, higher is newer (for traces).
    pub activation: u64,
}

/// How a node perceives that a peer is there, or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sense {
    /// By its heartbeats.
    Beats,
    /// By requests that its server process answers.
    Poll,
    /// By a connection to its server process.
    Connection,
    /// By echo requests (ICMP), which its host answers.
    Echo,
}

impl Sense {
    /// Its name in traces.
    pub const fn name(self) -> &'static str {
        match self {
            Sense::Beats => "heartbeat",
            Sense::Poll => "poll",
            Sense::Connection => "connection",
            Sense::Echo => "echo",
        }
    }
}

/// Phases of a failover, announced by the node that goes through them; causes of downtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Until somebody able to act suspects.
    Detect,
    /// Fencing.
    Fence,
    /// Agreeing who takes over.
    Elect,
    /// Making the new node able to serve.
    Promote,
    /// Pointing traffic to it.
    Redirect,
    /// Clients finding it.
    Reconnect,
    /// Warming up.
    Warm,
    /// Starting again in place.
    Restart,
    /// A node serves but cannot be reached.
    Network,
    /// Every capable node is dead.
    NoSpare,
    /// Too few nodes to agree.
    NoQuorum,
    /// Too much work.
    Overload,
    /// Planned work.
    Planned,
    /// A person's mistake.
    Human,
}

impl Phase {
    /// All of them, in the order of reports.
    pub const ALL: [Phase; 14] = [
        Phase::Detect,
        Phase::Fence,
        Phase::Elect,
        Phase::Promote,
        Phase::Redirect,
        Phase::Reconnect,
        Phase::Warm,
        Phase::Restart,
        Phase::Network,
        Phase::NoSpare,
        Phase::NoQuorum,
        Phase::Overload,
        Phase::Planned,
        Phase::Human,
    ];

    /// Its name in measures.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Detect => "detect",
            Phase::Fence => "fence",
            Phase::Elect => "elect",
            Phase::Promote => "promote",
            Phase::Redirect => "redirect",
            Phase::Reconnect => "reconnect",
            Phase::Warm => "warm",
            Phase::Restart => "restart",
            Phase::Network => "network",
            Phase::NoSpare => "no_spare",
            Phase::NoQuorum => "no_quorum",
            Phase::Overload => "overload",
            Phase::Planned => "planned",
            Phase::Human => "human",
        }
    }
}
