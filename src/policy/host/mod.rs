//! The host: runs the programs of all nodes inside the system and carries their commands out. This is the world that
//! the engine steps.
//!
//! Its parts, one file each: `setup` and `keys` (worked out once for all runs), `faults` (the environment), `nodes`
//! (processes, callbacks, commands), `pauses`, `messages` (what programs say to each other), `clocks` and `timers`, `fencing`,
//! `watching` (detectors), `copying` (replication), `books` (what is written down of it), `merging` (several writers),
//! `requests` (request fidelity), `ways` (what is reached over which links), `fidelity` (which process runs in which
//! form), `view` (a group's members as sets), `field` (devices and their buffers), `clients` (whom they use), `service`
//! (what they see), `staleness` (how old that is), `takeover` (who took over from whom, and why), `planned` (whether that
//! was planned), `traffic` (how much all this is). Facts leave through one door, `World::emit`.

mod books;
mod clients;
mod clocks;
mod copying;
mod faults;
mod fencing;
mod fidelity;
mod field;
mod keys;
mod merging;
mod messages;
mod nodes;
mod pauses;
mod planned;
mod requests;
mod service;
mod setup;
mod staleness;
mod takeover;
mod timers;
mod traffic;
mod view;
mod watching;
mod ways;

use std::fmt::Debug;

use crate::engine::agenda::{Rank, Slot};
use crate::engine::fingerprint::{CheckPoints, Fingerprint};
use crate::engine::probe::Probe;
use crate::engine::sim;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Command, Policy};
use crate::system::bursts::Channels;
use crate::system::ids::{ClientId, GroupId, NodeId};

use super::facts::{Fact, FaultOf};

pub use fidelity::Process;
pub use messages::Passage;
pub use requests::Stage;
pub use setup::Setup;

/// Priority classes of events at the same instant, in the order in which they happen.
pub(crate) mod class {
    pub(crate) const SCRIPT: u8 = 0;
    pub(crate) const HARDWARE: u8 = 1;
    pub(crate) const LINK: u8 = 2;
    pub(crate) const DELIVERY: u8 = 3;
    pub(crate) const SERVICE: u8 = 4;
    pub(crate) const TIMER: u8 = 5;
    pub(crate) const WORKLOAD: u8 = 6;
}

/// What the events of each priority class are about, in their order.
pub const CLASS_NAMES: [&str; 7] =
    ["script", "hardware", "links", "messages", "services", "timers", "workload"];

/// What can happen.
#[derive(Clone, Copy, Debug)]
pub enum Event<M> {
    /// A fault process changes over.
    Fault(u16),
    /// A step of the script.
    Script(u16),
    /// A node has booted, or its process is ready.
    Started(NodeId),
    /// A policy's timer.
    Timer(NodeId, u8),
    /// A message arrives.
    Deliver {
        /// From whom.
        from: NodeId,
        /// To whom.
        to: NodeId,
        /// The copy that arrives; `None` over a perfect connection.
        via: Option<Passage>,
        /// What it says.
        message: M,
    },
    /// A detector has something to do.
    Watch(u16),
    /// A balancer's health check has.
    Check(u16),
    /// A replication of this group has.
    Copy(GroupId),
    /// A fence action ends.
    Fence {
        /// Who ordered it.
        by: NodeId,
        /// Against whom.
        peer: NodeId,
    },
    /// A fenced node gets its power back.
    Unfence(NodeId),
    /// A client issues an operation (request fidelity).
    Issue(u16),
    /// An operation or attempt goes on (request fidelity).
    Request {
        /// What happens.
        stage: Stage,
        /// The attempt, or the operation.
        index: u32,
        /// Which use of its place.
        stamp: u32,
        /// Which attempt of the operation.
        number: u32,
    },
    /// A client has found the node of one part of its work.
    Reconnect(ClientId, u8),
    /// Planned work begins or ends.
    Maintenance(u16),
    /// An operator orders a changeover.
    Changeover(u16),
}

type HostCtx<'c, P> = sim::Ctx<'c, Event<<P as Policy>::Message>>;

/// One run of a model. Clone it and you hold a snapshot.
#[derive(Clone, Debug)]
pub struct World<'s, P: Policy, T> {
    setup: &'s Setup<P>,
    run: u64,
    nodes: Vec<nodes::NodeState<P>>,
    clocks: Vec<clocks::Clocks>,
    links: Vec<faults::LinkState>,
    /// The bursts of loss on links, read up to now.
    channels: Channels,
    faults: Vec<faults::FaultState>,
    crews: Vec<faults::CrewState>,
    planned: Vec<faults::PlannedState>,
    changeovers: Vec<(Stream, Slot)>,
    watches: Vec<watching::WatchSlot>,
    former: watching::Former,
    checks: Vec<watching::CheckSlot>,
    groups: Vec<copying::GroupState>,
    clients: Vec<clients::ClientState>,
    requests: requests::Requests,
    fingerprint: Fingerprint,
    group_fingerprints: Vec<Fingerprint>,
    check_points: Option<CheckPoints>,
    commands: Vec<Command<P>>,
    /// Groups whose replications have to be looked at again, by group.
    stale_copies: Vec<bool>,
    /// Which services have to be looked at again, by group.
    stale: Vec<service::Stale>,
    ways: ways::Ways,
    later_copies: messages::LaterCopies,
    /// What watches the run.
    pub probe: T,
}

/// A run, ready to step.
pub type Run<'s, P, T> = sim::Simulation<World<'s, P, T>>;

/// Opens run `run` of a model.
pub fn open<'s, P: Policy, T: Probe<Fact>>(setup: &'s Setup<P>, run: u64, probe: T) -> Run<'s, P, T> {
    let world = World {
        setup,
        run,
        nodes: Vec::new(),
        clocks: Vec::new(),
        links: Vec::new(),
        channels: Channels::default(),
        faults: Vec::new(),
        crews: Vec::new(),
        planned: Vec::new(),
        changeovers: Vec::new(),
        watches: Vec::new(),
        former: watching::Former::default(),
        checks: Vec::new(),
        groups: Vec::new(),
        clients: Vec::new(),
        requests: requests::Requests::default(),
        fingerprint: Fingerprint::default(),
        group_fingerprints: vec![Fingerprint::default(); setup.model.groups.len()],
        check_points: None,
        commands: Vec::new(),
        stale_copies: vec![true; setup.model.groups.len()],
        stale: vec![service::Stale::Yes; setup.model.groups.len()],
        ways: ways::Ways::default(),
        later_copies: messages::LaterCopies::default(),
        probe,
    };
    let mut simulation = sim::Simulation::new(world);
    simulation.set_up(|world, ctx| world.begin(ctx));
    simulation
}

/// Opens run `run` of the same model in the room of one that is over: lists keep their lengths, and what detectors have
/// worked out of their links is known. The probe goes on.
pub fn reopen<P: Policy, T: Probe<Fact>>(simulation: &mut Run<'_, P, T>, run: u64) {
    simulation.start_over();
    simulation.world.clear(run);
    simulation.set_up(|world, ctx| world.begin(ctx));
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// As before [`World::begin`].
    fn clear(&mut self, run: u64) {
        self.run = run;
        self.nodes.clear();
        self.clocks.clear();
        self.links.clear();
        self.channels = Channels::default();
        self.faults.clear();
        self.crews.clear();
        self.planned.clear();
        self.changeovers.clear();
        self.former.take(&mut self.watches);
        self.checks.clear();
        self.groups.clear();
        self.clients.clear();
        self.requests = requests::Requests::default();
        self.fingerprint = Fingerprint::default();
        self.group_fingerprints.fill(Fingerprint::default());
        self.check_points = None;
        self.commands.clear();
        self.stale_copies.fill(true);
        self.stale.fill(service::Stale::Yes);
        self.ways = ways::Ways::default();
        self.later_copies = messages::LaterCopies::default();
    }

    fn begin(&mut self, ctx: &mut HostCtx<'_, P>) {
        self.begin_faults(ctx);
        self.begin_channels();
        self.begin_ways();
        self.begin_nodes(ctx);
        self.begin_watches(ctx);
        self.begin_groups(ctx);
        self.begin_clients(ctx);
        self.begin_requests(ctx);
        for node in 0..self.nodes.len() {
            self.power_on_at_start(NodeId::from(node), ctx);
        }
        self.look_at_copies(ctx);
        self.begin_with_own_parts();
        self.look_at_services(ctx);
    }

    /// The one door through which facts leave.
    #[inline(always)]
    fn emit(&mut self, at: Instant, fact: Fact) {
        let fingerprint = match self.group_of(&fact) {
            Some(group) => &mut self.group_fingerprints[group.index()],
            None => &mut self.fingerprint,
        };
        let setup = self.setup;
        let place = |node: NodeId| setup.place[node.index()];
        fact.mark(at, place, fingerprint);
        if let Some(points) = &mut self.check_points {
            // Check-points follow all facts of the run, whichever group they are of.
            let mut all = self.fingerprint;
            for group in &self.group_fingerprints {
                all.word(group.value() as u64);
            }
            points.see(at, &all);
        }
        self.probe.see(at, &fact);
    }

    #[inline(always)]
    fn group_of(&self, fact: &Fact) -> Option<GroupId> {
        let of_node = |node: NodeId| self.setup.member[node.index()].map(|(group, _)| group);
        match *fact {
            Fact::Fault { of: FaultOf::Node(node, _), .. } => of_node(node),
            Fact::Fault { .. } => None,
            Fact::Process { node, .. }
            | Fact::Pause { node, .. }
            | Fact::Stance { node, .. }
            | Fact::Step { node, .. } => of_node(node),
            Fact::Verdict { observer, .. } => of_node(observer),
            Fact::Replication { from, .. } => of_node(from),
            Fact::Service { group, .. }
            | Fact::Acceptors { group, .. }
            | Fact::Diverged { group, .. }
            | Fact::Capacity { group, .. }
            | Fact::Failover { group, .. }
            | Fact::FailoverFailed { group }
            | Fact::Incident { group, .. }
            | Fact::Lost { group, .. }
            | Fact::Overwritten { group, .. }
            | Fact::Actuators { group, .. }
            | Fact::Lagging { group, .. }
            | Fact::Traffic { group, .. }
            | Fact::Dropped { group, .. }
            | Fact::Degraded { group, .. }
            | Fact::Answered { group, .. }
            | Fact::Repeated { group, .. }
            | Fact::Load { group, .. }
            | Fact::Book { group, .. } => Some(group),
        }
    }

    /// The fingerprint of one group's facts.
    pub fn group_fingerprint(&self, group: GroupId) -> Fingerprint {
        self.group_fingerprints[group.index()]
    }

    /// The fingerprint of the whole run.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut all = self.fingerprint;
        for group in &self.group_fingerprints {
            let value = group.value();
            all.word(value as u64);
            all.word((value >> 64) as u64);
        }
        all
    }

    /// Keeps check-points of the fingerprint from now on.
    pub fn keep_check_points(&mut self) {
        self.check_points.get_or_insert_default();
    }

    /// The check-points kept.
    pub fn check_points(&self) -> Option<&CheckPoints> {
        self.check_points.as_ref()
    }

    /// What ran.
    pub fn setup(&self) -> &'s Setup<P> {
        self.setup
    }

    /// Ends the run at the horizon: closes the books. To be called once, after the last step.
    pub fn finish(&mut self, horizon: Instant) {
        self.finish_requests(horizon);
        self.finish_field(horizon);
        self.close_books(horizon);
        self.tell_traffic(horizon);
    }

    fn rank(class: u8, entity: usize) -> Rank {
        Rank { class, entity: entity as u32 }
    }
}

impl<P: Policy, T: Probe<Fact>> sim::World for World<'_, P, T> {
    type Event = Event<P::Message>;

    fn handle(&mut self, event: Self::Event, ctx: &mut sim::Ctx<'_, Self::Event>) {
        match event {
            Event::Fault(index) => self.fault(index, ctx),
            Event::Script(index) => self.script(index, ctx),
            Event::Started(node) => self.start_goes_on(node, ctx),
            Event::Timer(node, index) => self.timer(node, index, ctx),
            Event::Deliver { from, to, via, message } => self.deliver(from, to, via, message, ctx),
            Event::Watch(index) => self.watch_wakes(index, ctx),
            Event::Check(index) => self.check_wakes(index, ctx),
            Event::Copy(group) => self.copy_wakes(group),
            Event::Fence { by, peer } => self.fence_ends(by, peer, ctx),
            Event::Unfence(node) => self.unfence(node, ctx),
            Event::Issue(index) => self.issue(index, ctx),
            Event::Request { stage, index, stamp, number } => self.request(stage, index, stamp, number, ctx),
            Event::Reconnect(client, slot) => self.reconnected(client, slot),
            Event::Maintenance(index) => self.maintenance(index, ctx),
            Event::Changeover(index) => self.changeover(index, ctx),
        }
        self.look_at_copies(ctx);
        self.look_at_services(ctx);
    }
}

/// How long something lasts in true time that takes `span` by a clock which runs `drift` fast.
fn true_span(span: Span, drift: f64) -> Span {
    if drift == 0.0 { span } else { span.scaled(1.0 / (1.0 + drift)) }
}
