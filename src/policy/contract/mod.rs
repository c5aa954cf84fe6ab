//! The contract of a policy: the program of one node in a group.
//!
//! A policy reacts to messages, timers, its detectors' verdicts and an operator's word, and it can only do what a
//! real node can do. It never sees another node's state or the true time; whether two nodes are active at once is
//! seen by observers only. Heartbeats, replication and checks are *declared* ([`Ctx::beacon`], [`Ctx::watch`],
//! [`Ctx::replicate`]), so one policy file runs stepwise or skipping without knowing which.
//!
//! Start with [`Policy`]; `vocabulary` holds the words for what a node is, does and perceives; `policy/single.rs` is the
//! shortest one, `policy/active_passive/mod.rs` the one to copy.

use std::fmt::Debug;

use crate::engine::dist::Law;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::service::detector::Silence;
use crate::service::health::Rule;
use crate::service::ledger::Ledger;
use crate::service::replication::Copying;
use crate::system::ids::NodeId;

mod vocabulary;

pub use vocabulary::{Phase, Role, Sense, Stance};

/// A redundancy protocol, as the program of one node.
pub trait Policy: Clone + Debug {
    /// Its name in model files.
    const NAME: &'static str;
    /// Its table in a model file.
    type Params: Clone + Debug;
    /// What survives a restart of the process (not a loss of the disk).
    type Durable: Clone + Default + Debug;
    /// What nodes say to each other besides heartbeats.
    type Message: Copy + Debug;
    /// What heartbeats carry.
    type Beacon: Copy + PartialEq + Debug;
    /// Names of its timers.
    type Timer: Copy + PartialEq + Debug;

    /// The process starts.
    fn start(durable: &Self::Durable, ctx: &mut Ctx<'_, Self>) -> Self;
    /// A message arrives.
    fn on_message(&mut self, from: NodeId, message: Self::Message, ctx: &mut Ctx<'_, Self>);
    /// A timer fires.
    fn on_timer(&mut self, timer: Self::Timer, ctx: &mut Ctx<'_, Self>);
    /// Something it declared interest in happened.
    fn on_notice(&mut self, notice: Notice<Self::Beacon>, ctx: &mut Ctx<'_, Self>);
    /// What it believes itself to be, and what it accepts. Truth is judged by observers.
    fn stance(&self) -> Stance;
    /// What holds for the group as a whole.
    fn design(params: &Self::Params, members: usize) -> Design;
    /// The bounds the protocol promises, with these parameters.
    fn bounds(params: &Self::Params, members: usize) -> Bounds;
}

/// How clients find a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Routing {
    /// Whichever node accepts: an address that moves, or a list that clients go through.
    Accepting,
    /// A health-checked balancer beside each class of clients.
    Balanced {
        /// Its checks.
        rule: Rule,
        /// A request that meets a dead instance is sent to another one.
        redispatch: bool,
        /// With every instance suspected it sends to all of them.
        fail_open: bool,
    },
}

/// What concurrent writes at several nodes become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Conflicts {
    /// Only one node at a time is meant to write.
    Exclusive,
    /// Nothing is stored.
    Stateless,
    /// All write; for a key written at two nodes at once the later time stamp wins.
    LastWriterWins {
        /// Keys that the writes spread over evenly.
        keys: f64,
    },
}

/// What holds for a group as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// Parts of the work, each served by one node at a time (N of N + M).
    pub slots: u8,
    /// Whether a node can do another one's work: else there is no failover, and nothing to split.
    pub redundant: bool,
    /// How clients find a node.
    pub routing: Routing,
    /// What concurrent writes become; more than one acceptor of a slot is a split brain only where it is
    /// [`Conflicts::Exclusive`].
    pub conflicts: Conflicts,
    /// Whether writes are stored: else there is nothing to lose.
    pub stores: bool,
    /// Whether a writer waits for a copy while it has one, and so can run degraded.
    pub synchronous: bool,
    /// Nodes that must serve for full capacity.
    pub required: u32,
    /// Whether a node that does not take writes answers reads from its copy.
    pub standby_reads: bool,
    /// Devices replay what they still hold after a loss.
    pub windback: bool,
    /// What becomes of the writes of a node that gives its role up.
    pub merge: Merge,
    /// Records are copied as a stream of their own (see [`Copying::speed`]).
    pub records_apart: bool,
    /// Fencing a node: how long it takes, how often it works.
    pub fencing: Option<Fencing>,
    /// The phases that its nodes can announce ([`Ctx::step`]), and [`Phase::NoQuorum`] where one alone may not act. What
    /// befalls a node, such as the lack of a spare, is not among them.
    pub phases: Vec<Phase>,
}

/// One node at a time writes, its writes are stored, clients find whichever accepts, and nodes announce what they like.
impl Default for Design {
    fn default() -> Design {
        Design {
            slots: 1,
            redundant: true,
            routing: Routing::Accepting,
            conflicts: Conflicts::Exclusive,
            stores: true,
            synchronous: false,
            required: 1,
            standby_reads: false,
            windback: false,
            merge: Merge::Nothing,
            records_apart: false,
            fencing: None,
            phases: Phase::ALL.to_vec(),
        }
    }
}

/// The fence action.
#[derive(Clone, Debug, PartialEq)]
pub struct Fencing {
    /// From the order to the node being off.
    pub delay: Law,
    /// Probability that it works.
    pub success: f64,
    /// Until the fenced node may start again.
    pub off: Span,
}

/// A promise: how old a lost write can be, or how long a split brain can last.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The value in seconds; `None`: unbounded.
    pub secs: Option<f64>,
    /// The formula.
    pub formula: String,
    /// Incidents it holds for, or what it grows with.
    pub class: String,
}

impl Bound {
    /// The class of a bound that holds whatever happens.
    pub const ALL_FAULTS: &'static str = "all faults";

    /// A bound that holds whatever happens: every run is held against it.
    pub fn always(secs: f64, formula: &str) -> Bound {
        Bound { secs: Some(secs), formula: formula.to_owned(), class: Bound::ALL_FAULTS.to_owned() }
    }

    /// The value, where it holds whatever happens.
    pub(crate) fn unconditional(&self) -> Option<f64> {
        self.secs.filter(|_| self.class == Bound::ALL_FAULTS)
    }
}

/// What a policy promises.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// No lost write was acknowledged earlier than this before the fault; `None`: nothing is stored.
    pub loss_age: Option<Bound>,
    /// No split-brain window is longer than this.
    pub split_brain: Bound,
}

/// What becomes of the writes of a node that gives its role up to another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Merge {
    /// The winner's data is copied over them.
    Nothing,
    /// The winner takes them in, each as its [`Content`](crate::system::spec::Content) allows.
    ByTime {
        /// Points that writes of present values spread over evenly.
        points: f64,
    },
}

/// Which clock a timer runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Time since the process started, with drift.
    Monotonic,
    /// The wall clock, with drift, synchronisation errors and steps.
    Wall,
}

/// How a peer is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Watching {
    /// By its heartbeats.
    Beats {
        /// When silence becomes suspicion, by the observer's clock.
        silence: Silence,
        /// From the start, or only after the first beat.
        armed: bool,
    },
    /// By requests that its server process answers.
    Poll {
        /// Between two requests, by the observer's clock.
        every: Span,
        /// How long one may stay unanswered.
        timeout: Span,
        /// From the start, or only after the first answer.
        armed: bool,
    },
    /// By a connection to its server process: it closes when that ends while its host lives (or goes down in good
    /// order), and the way between them is open. It does not notice a host that vanishes.
    Connection {
        /// The observer learns of it at a uniform time within this.
        within: Span,
    },
    /// By echo requests, which the host answers.
    Echo(Rule),
}

/// What took a node's attention.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Notice<B> {
    /// A watched peer (or host) has been silent for too long, or has closed its connection.
    Suspect {
        /// Which peer.
        peer: NodeId,
        /// How that was perceived.
        by: Sense,
    },
    /// One that was suspected answers again: to an echo, or to a poll. (A heartbeat is [`Notice::Heard`].)
    Back {
        /// Which peer.
        peer: NodeId,
        /// How that was perceived.
        by: Sense,
    },
    /// A heartbeat that says something new: the first one, one after a suspicion, or one with new content.
    Heard {
        /// From whom.
        peer: NodeId,
        /// What it says.
        beacon: B,
        /// Whether it ended a suspicion.
        trust: bool,
    },
    /// The first complete copy has been made: from here to `peer` (this node is the source) or the other way round.
    InStep {
        /// The other node.
        peer: NodeId,
        /// Whether this node is the source.
        source: bool,
    },
    /// Replication with a peer that was in step broke.
    OutOfStep {
        /// The other node.
        peer: NodeId,
    },
    /// A fence order came to an end.
    Fenced {
        /// Whom it was for.
        peer: NodeId,
        /// Whether it worked.
        worked: bool,
    },
    /// An operator wants the active role at `to` (or wherever it fits). The holder of a part that answers this with no
    /// command and in an unchanged stance has refused: what befalls the part afterwards is neither planned nor ordered.
    /// An order that is taken up lasts until the part is taken (by whomever), its holder dies, or ten minutes are over.
    Changeover {
        /// Where to.
        to: Option<NodeId>,
    },
}

/// What a node orders.
#[derive(Clone, Debug)]
pub enum Command<P: Policy> {
    /// See [`Ctx::send`].
    Send(NodeId, P::Message),
    /// See [`Ctx::arm`].
    Arm(P::Timer, Clock, Span),
    /// See [`Ctx::disarm`].
    Disarm(P::Timer),
    /// See [`Ctx::persist`].
    Persist(P::Durable),
    /// See [`Ctx::watch`].
    Watch(NodeId, Watching),
    /// See [`Ctx::beacon`].
    Beacon(Span, P::Beacon),
    /// See [`Ctx::replicate`].
    Replicate(NodeId, Box<Copying>),
    /// See [`Ctx::stop_replicating`].
    StopReplicating,
    /// See [`Ctx::fence`].
    Fence(NodeId),
    /// See [`Ctx::step`].
    Step(Phase),
    /// See [`Ctx::surrender`].
    Surrender(NodeId),
}

/// Takes a node's commands in.
pub trait Out<P: Policy> {
    /// One command.
    fn command(&mut self, command: Command<P>);
}

impl<P: Policy> Out<P> for Vec<Command<P>> {
    fn command(&mut self, command: Command<P>) {
        self.push(command);
    }
}

/// What a node may know without asking anybody.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Itself.
    pub me: NodeId,
    /// The nodes of its group in the order of the model, itself included.
    pub members: &'a [NodeId],
    /// Their names, in the same order.
    pub names: &'a [String],
    /// Hosts outside the group that it may ping, besides the members' own (`ping_hosts` of the group).
    pub ping_hosts: &'a [NodeId],
    /// True time since its process started, and how fast its monotonic clock runs.
    pub(crate) running: (Span, f64),
    /// True time that its process ran before this start, up to its end or the pause that it died in.
    pub(crate) ran: Span,
    /// Its wall clock.
    pub wall: WallClock<'a>,
    /// Whether it was fenced off before this start.
    pub after_fence: bool,
    /// Whether this is the start of the run: all nodes are powered on together.
    pub first_start: bool,
    /// What is left of the data.
    pub data: Data<'a>,
}

/// What is left of a group's data, by part of the work; worked out only when asked. What others have a person would
/// find out.
#[derive(Clone, Copy)]
pub struct Data<'a> {
    books: &'a [Ledger],
    member: usize,
    now: Instant,
    /// When all that has reached the node is applied, by part.
    applied: &'a [Instant],
}

impl<'a> Data<'a> {
    /// What `member` would find; where there are no books nothing is stored, and so nothing is missing.
    pub(crate) fn of(member: usize, now: Instant, books: &'a [Ledger], applied: &'a [Instant]) -> Data<'a> {
        Data { books, member, now, applied }
    }

    fn books(&self, slot: u8) -> impl Iterator<Item = &'a Ledger> {
        // Those of one part stand as far from each other as there are parts.
        self.books.iter().skip(slot.into()).step_by(self.applied.len().max(1))
    }

    /// Whether the node's own copy of a part is there (or a backup of it).
    pub fn is_here(&self, slot: u8) -> bool {
        self.books(slot).all(|book| book.has_data(self.member) || book.has_backup())
    }

    /// Whether its copy of a part, however old, is the only one that is left.
    pub fn is_only_here(&self, slot: u8) -> bool {
        self.books(slot).all(|book| book.is_only_holder(self.member))
    }

    /// Whether no copy of a part is left anywhere.
    pub fn is_nowhere(&self, slot: u8) -> bool {
        self.books(slot).any(|book| !book.has_any_data())
    }

    /// How long it takes until all that has reached the node of a part is applied there, if its process goes on running.
    /// Of a copy that still follows nothing is known until it no longer does.
    pub fn unapplied(&self, slot: u8) -> Span {
        self.applied.get(usize::from(slot)).map_or(Span::ZERO, |applied| applied.since(self.now))
    }

    /// Whether the node has something to serve a part with: its own copy, or nothing because nobody has any.
    pub fn suffices(&self, slot: u8) -> bool {
        self.is_here(slot) || self.is_nowhere(slot)
    }
}

impl Debug for Data<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Data")
    }
}

impl Facts<'_> {
    /// Time since its process started, by its monotonic clock.
    pub fn uptime(&self) -> Span {
        let (running, rate) = self.running;
        if rate == 1.0 { running } else { running.scaled(rate) }
    }

    /// Its [`uptime`](Facts::uptime) at the end of its life before this start, as a log would tell; zero at the first.
    pub fn uptime_before(&self) -> Span {
        let (_, rate) = self.running;
        if rate == 1.0 { self.ran } else { self.ran.scaled(rate) }
    }
}

/// A node's wall clock at one moment; reading it costs a little, so it is read only when asked.
#[derive(Clone, Copy)]
pub struct WallClock<'a>(pub(crate) &'a dyn Fn() -> f64);

impl WallClock<'_> {
    /// A clock that shows zero: for tests of a policy without a host.
    pub fn zero() -> WallClock<'static> {
        WallClock(&|| 0.0)
    }

    /// What it shows, in seconds since the start of the run by true time, its error included.
    pub fn seconds(&self) -> f64 {
        (self.0)()
    }
}

impl Debug for WallClock<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WallClock")
    }
}

/// What a policy sees and can do during a callback.
pub struct Ctx<'a, P: Policy> {
    /// What it knows.
    pub facts: &'a Facts<'a>,
    /// Its parameters.
    pub params: &'a P::Params,
    stream: &'a mut Stream,
    out: &'a mut dyn Out<P>,
}

impl<'a, P: Policy> Ctx<'a, P> {
    /// For hosts, and for tests of a policy without one.
    pub fn new(
        facts: &'a Facts<'a>,
        params: &'a P::Params,
        stream: &'a mut Stream,
        out: &'a mut dyn Out<P>,
    ) -> Self {
        Ctx { facts, params, stream, out }
    }

    pub(crate) fn parts(&mut self) -> (&'a Facts<'a>, &'a P::Params, &mut Stream, &mut dyn Out<P>) {
        (self.facts, self.params, self.stream, self.out)
    }

    /// The node itself.
    pub fn me(&self) -> NodeId {
        self.facts.me
    }

    /// The other nodes of the group.
    pub fn peers(&self) -> impl Iterator<Item = NodeId> + 'a {
        let me = self.facts.me;
        self.facts.members.iter().copied().filter(move |&node| node != me)
    }

    /// A node's place in the group's order.
    pub fn rank(&self, node: NodeId) -> usize {
        self.facts.members.iter().position(|&member| member == node).unwrap_or(usize::MAX)
    }

    /// A member's name.
    pub fn name(&self, node: NodeId) -> &'a str {
        self.facts.names.get(self.rank(node)).map_or("", String::as_str)
    }

    /// A uniform number of the node's own.
    pub fn uniform(&mut self) -> f64 {
        self.stream.uniform()
    }

    /// A time drawn from `law`.
    pub fn draw(&mut self, law: &Law) -> Span {
        law.sample(self.stream.uniform())
    }

    /// Sends a message; it may be lost.
    pub fn send(&mut self, to: NodeId, message: P::Message) {
        self.out.command(Command::Send(to, message));
    }

    /// Sets a timer on the monotonic clock; a timer of that name that is set already is moved.
    pub fn arm(&mut self, timer: P::Timer, after: Span) {
        self.out.command(Command::Arm(timer, Clock::Monotonic, after));
    }

    /// Sets a timer on the wall clock.
    pub fn arm_wall(&mut self, timer: P::Timer, after: Span) {
        self.out.command(Command::Arm(timer, Clock::Wall, after));
    }

    /// Clears a timer.
    pub fn disarm(&mut self, timer: P::Timer) {
        self.out.command(Command::Disarm(timer));
    }

    /// Writes what is to survive a restart.
    pub fn persist(&mut self, durable: P::Durable) {
        self.out.command(Command::Persist(durable));
    }

    /// Watches a peer from now on, until the process ends. A node keeps one watch of each kind of each peer: watching
    /// a peer again replaces the watch before, and its silence counts from now on (convention: from the last arrival,
    /// or from the instant the watch began if that is later). So a policy that only wants to go on watching must not
    /// ask again, and one that asks again with another time-out gives the peer the whole of it.
    pub fn watch(&mut self, peer: NodeId, watching: Watching) {
        self.out.command(Command::Watch(peer, watching));
    }

    /// Sends heartbeats with this content to all peers, every so often, from now on; a change of content goes out
    /// with the next one.
    pub fn beacon(&mut self, every: Span, content: P::Beacon) {
        self.out.command(Command::Beacon(every, content));
    }

    /// Copies its writes to a peer from now on. Goes on by itself after interruptions.
    pub fn replicate(&mut self, to: NodeId, copying: Copying) {
        self.out.command(Command::Replicate(to, Box::new(copying)));
    }

    /// Ends all replication from here.
    pub fn stop_replicating(&mut self) {
        self.out.command(Command::StopReplicating);
    }

    /// Orders a peer to be powered off; the end of it is a [`Notice::Fenced`].
    pub fn fence(&mut self, peer: NodeId) {
        self.out.command(Command::Fence(peer));
    }

    /// Announces the phase it is in.
    pub fn step(&mut self, phase: Phase) {
        self.out.command(Command::Step(phase));
    }

    /// Gives its role up to `winner`, which merges its writes as [`Design::merge`] says.
    pub fn surrender(&mut self, winner: NodeId) {
        self.out.command(Command::Surrender(winner));
    }
}
