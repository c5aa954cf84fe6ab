//! Nodes: hosts and processes, callbacks into their programs, and the commands that come back.

use crate::engine::agenda::Slot;
use crate::engine::probe::Probe;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Command, Ctx, Facts, Notice, Policy, Role, Stance, WallClock};
use crate::policy::facts::Fact;
use crate::service::detector::Beats;
use crate::system::ids::{GroupId, NodeId};
use crate::system::spec::{Effect, Scope};

use super::clocks::Clocks;
use super::timers::Timers;
use super::view::in_view;
use super::{Event, HostCtx, World, class, true_span};

/// What a node's heartbeats are at present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beacon<B> {
    every: Span,
    /// The same in true time.
    period: Span,
    pub(super) first: Instant,
    pub(super) sending: bool,
    content: B,
    previous: B,
    changed: Instant,
}

impl<B: Copy> Beacon<B> {
    /// What a beat sent at `sent` says.
    pub(super) fn content_at(&self, sent: Instant) -> B {
        if sent >= self.changed { self.content } else { self.previous }
    }
}

/// A host with its processes.
#[derive(Clone, Debug)]
pub(super) struct NodeState<P: Policy> {
    host_down: u16,
    process_down: u16,
    named_down: Vec<u16>,
    paused_host: u16,
    paused_process: u16,
    /// Planned works on it at present: two plans can meet.
    planned_works: u16,
    pub(super) fenced: bool,
    pub(super) after_fence: bool,
    pub(super) program: Option<P>,
    durable: P::Durable,
    pub(super) started: Instant,
    /// For how long its monotonic clock has stood still since then.
    pub(super) still: Span,
    /// How long its process ran before that.
    ran: Span,
    /// When its process last died, or was paused.
    pub(super) stopped: Instant,
    pub(super) incarnation: u32,
    /// When its host's boot is over; never while it has no power.
    booted: Instant,
    /// When its process can take a role; never while there is none and none is on its way.
    ready: Instant,
    start_slot: Slot,
    pub(super) timers: Timers<P::Timer>,
    pub(super) beacon: Option<Beacon<P::Beacon>>,
    /// The heartbeats that are being counted.
    pub(super) sending: Option<super::traffic::Sending>,
    pub(super) stance: Option<Stance>,
    pub(super) queue: Vec<(NodeId, P::Message)>,
    /// What happened around it while it stood still.
    pub(super) notices: Vec<Notice<P::Beacon>>,
    starts: Stream,
    /// Factor on service times.
    pub(super) slow: f64,
    stream: Stream,
    pub(super) messages: Stream,
    phase: Stream,
}

impl<P: Policy> NodeState<P> {
    pub(super) fn is_paused(&self) -> bool {
        self.paused_host + self.paused_process > 0
    }

    /// The server process exists and runs.
    pub(super) fn is_running(&self) -> bool {
        self.program.is_some() && !self.is_paused()
    }

    /// The host has booted and is not paused: it answers an echo.
    pub(super) fn host_answers(&self, now: Instant) -> bool {
        self.has_power() && self.booted <= now && self.paused_host == 0
    }

    pub(super) fn in_maintenance(&self) -> bool {
        self.planned_works > 0
    }

    fn has_power(&self) -> bool {
        self.host_down == 0 && !self.fenced
    }

    /// On its way up, by itself.
    pub(super) fn is_starting(&self) -> bool {
        self.has_power() && self.process_down == 0 && self.program.is_none()
    }

    /// The role it believes to have and can act on.
    pub(super) fn role(&self) -> Option<Role> {
        self.stance.map(|stance| stance.role)
    }
}

/// Reads a node's wall clock when asked.
fn wall_clock(clocks: &Clocks, spec: &crate::system::spec::Clock, now: Instant) -> impl Fn() -> f64 {
    move || clocks.wall(spec, now)
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn begin_nodes(&mut self, ctx: &mut HostCtx<'_, P>) {
        for (i, spec) in self.setup.model.nodes.iter().enumerate() {
            let keys = &self.setup.keys.nodes[i];
            let id = NodeId::from(i);
            let start_slot = ctx.slot(Self::rank(class::SERVICE, i), Event::Started(id));
            let timers = Timers::new(|t| ctx.slot(Self::rank(class::TIMER, i), Event::Timer(id, t)));
            self.clocks.push(Clocks::new(
                &spec.clock,
                &mut keys.drift.open(self.run),
                keys.clock.open(self.run),
            ));
            self.nodes.push(NodeState {
                host_down: 0,
                process_down: 0,
                named_down: vec![0; spec.processes.len()],
                paused_host: 0,
                paused_process: 0,
                planned_works: 0,
                fenced: false,
                after_fence: false,
                program: None,
                durable: P::Durable::default(),
                started: Instant::ZERO,
                still: Span::ZERO,
                ran: Span::ZERO,
                stopped: Instant::ZERO,
                incarnation: 0,
                booted: Instant::ZERO,
                ready: Instant::ZERO,
                start_slot,
                timers,
                beacon: None,
                sending: None,
                stance: None,
                queue: Vec::new(),
                notices: Vec::new(),
                starts: keys.start.open(self.run),
                slow: 1.0,
                stream: keys.policy.open(self.run),
                messages: keys.messages.open(self.run),
                phase: keys.phase.open(self.run),
            });
        }
    }

    /// A fault touches a node, or goes from it.
    pub(super) fn hit(
        &mut self,
        node: NodeId,
        scope: Scope,
        effect: Effect,
        begins: bool,
        ctx: &mut HostCtx<'_, P>,
    ) {
        self.note_disturbance_at(node);
        let state = &mut self.nodes[node.index()];
        let was_paused = state.is_paused();
        let add = |count: &mut u16| *count = if begins { *count + 1 } else { count.saturating_sub(1) };
        match (effect, scope) {
            (Effect::Slow { .. }, _) => {
                self.slow_down(node, effect, begins); // only service stations feel it
                return;
            }
            (Effect::ClockStep { secs }, _) => {
                if begins {
                    self.step_clock(node, secs, ctx);
                }
                return;
            }
            (_, Scope::Named(process)) => {
                if let Some(count) = state.named_down.get_mut(usize::from(process)) {
                    add(count);
                }
                self.surroundings_changed(node, ctx);
                return;
            }
            (Effect::Pause, Scope::Host) => add(&mut state.paused_host),
            (Effect::Pause, Scope::Process) => add(&mut state.paused_process),
            (_, Scope::Host) => add(&mut state.host_down),
            (_, Scope::Process) => add(&mut state.process_down),
        }
        if effect == Effect::Pause {
            match (was_paused, self.nodes[node.index()].is_paused()) {
                (false, true) => self.pause(node, ctx),
                (true, false) => self.resume(node, ctx),
                // Its host may have begun to stand still with its process, or have ended that: pings tell the difference.
                _ => self.surroundings_changed(node, ctx),
            }
            return;
        }
        if begins {
            self.process_dies(node, ctx);
            if effect == Effect::CrashDiskLoss {
                self.nodes[node.index()].durable = P::Durable::default();
                self.disk_is_lost(node, ctx);
            }
        } else {
            self.power_on(node, scope, ctx);
        }
    }

    /// A script ends whatever fault of this scope there is.
    pub(super) fn restore(&mut self, node: NodeId, scope: Scope, ctx: &mut HostCtx<'_, P>) {
        self.note_disturbance_at(node);
        let state = &mut self.nodes[node.index()];
        let was_paused = state.is_paused();
        match scope {
            Scope::Host => {
                state.host_down = 0;
                state.paused_host = 0;
            }
            Scope::Process => {
                state.process_down = 0;
                state.paused_process = 0;
            }
            Scope::Named(process) => {
                if let Some(count) = state.named_down.get_mut(usize::from(process)) {
                    *count = 0;
                }
                self.surroundings_changed(node, ctx);
                return;
            }
        }
        match (was_paused, state.is_paused()) {
            (true, false) => self.resume(node, ctx),
            (true, true) => self.surroundings_changed(node, ctx),
            (false, _) => {}
        }
        self.power_on(node, scope, ctx);
    }

    pub(super) fn planned_begins(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        self.nodes[node.index()].planned_works += 1;
        self.hit(node, Scope::Host, Effect::Crash, true, ctx);
    }

    pub(super) fn planned_ends(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        self.nodes[node.index()].planned_works -= 1;
        self.hit(node, Scope::Host, Effect::Crash, false, ctx);
        self.evaluate_of(node); // a fault may keep it down
    }

    pub(super) fn power_on_at_start(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        self.started(node, ctx);
    }

    /// A host gets its power back, or what kept a process from running is over.
    pub(super) fn power_on(&mut self, node: NodeId, scope: Scope, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        let spec = &self.setup.model.nodes[node.index()];
        let state = &mut self.nodes[node.index()];
        let boots = state.has_power() && state.booted.is_never();
        if boots {
            // Whatever is wrong with its process: a fault of that neither delays the boot nor takes its place.
            state.booted = now + spec.start.sample(state.starts.uniform());
        }
        let begins = state.is_starting() && state.ready.is_never();
        if begins {
            let restarted = match scope {
                Scope::Process => now + spec.restart.sample(state.starts.uniform()),
                _ => now,
            };
            state.ready = restarted.max(state.booted);
        }
        if !boots && !begins {
            return;
        }
        self.start_goes_on(node, ctx);
        self.evaluate_of(node);
    }

    /// Begins a node's process if it can; otherwise waits for the end of the boot, and then until the process is ready.
    pub(super) fn start_goes_on(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        let state = &self.nodes[node.index()];
        if state.ready <= now && !state.is_paused() {
            return self.started(node, ctx);
        }
        let next = if state.booted > now { state.booted } else { state.ready };
        if next > now && !next.is_never() {
            ctx.arm(state.start_slot, next);
        }
        self.surroundings_changed(node, ctx); // a host that has booted answers pings
    }

    pub(super) fn started(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        let Some((group, member)) = self.setup.member[node.index()] else {
            // A host of no group: it answers pings from now on.
            return self.surroundings_changed(node, ctx);
        };
        self.replay_goes_on(node, now);
        let state = &mut self.nodes[node.index()];
        state.incarnation += 1;
        state.ran = state.stopped.since(state.started).saturating_sub(state.still);
        (state.started, state.still) = (now, Span::ZERO);
        self.within(node, (group, member), now, |program, durable, c| {
            *program = Some(P::start(durable, c));
        });
        self.nodes[node.index()].after_fence = false;
        self.emit(now, Fact::Process { node, up: true });
        self.execute(node, ctx);
        self.surroundings_changed(node, ctx);
        self.refresh(node, ctx);
    }

    /// Lets `work` act with a node's program, which may not be there yet; the commands that come back wait.
    fn within(
        &mut self,
        node: NodeId,
        (group, member): (GroupId, usize),
        now: Instant,
        work: impl FnOnce(&mut Option<P>, &P::Durable, &mut Ctx<'_, P>),
    ) {
        let (model, clocks) = (&self.setup.model, &self.clocks[node.index()]);
        let spec = &model.groups[group.index()];
        let state = &mut self.nodes[node.index()];
        let wall = wall_clock(clocks, &model.nodes[node.index()].clock, now);
        let data = self.groups[group.index()].data(member, now);
        let facts = Facts {
            me: node,
            members: &spec.nodes,
            names: &self.setup.names[group.index()],
            ping_hosts: &spec.ping_hosts,
            running: (now.since(state.started).saturating_sub(state.still), 1.0 + clocks.drift),
            ran: state.ran,
            wall: WallClock(&wall),
            after_fence: state.after_fence,
            first_start: now == Instant::ZERO,
            data,
        };
        let NodeState { program, durable, stream, .. } = state;
        work(program, durable, &mut Ctx::new(&facts, &spec.policy, stream, &mut self.commands));
    }

    /// Calls a node's program, carries out its commands and looks at what it believes afterwards. Says whether it did
    /// anything.
    pub(super) fn call(
        &mut self,
        node: NodeId,
        ctx: &mut HostCtx<'_, P>,
        callback: impl FnOnce(&mut P, &mut Ctx<'_, P>),
    ) -> bool {
        let Some(place) = self.setup.member[node.index()] else { return false };
        let before = self.nodes[node.index()].stance;
        self.within(node, place, ctx.now(), |program, _, c| {
            if let Some(program) = program {
                callback(program, c);
            }
        });
        let acts = !self.commands.is_empty();
        self.execute(node, ctx);
        self.refresh(node, ctx);
        acts || self.nodes[node.index()].stance != before
    }

    /// Tells a node what it declared interest in; one that stands still learns of it when it goes on.
    pub(super) fn notify(&mut self, node: NodeId, notice: Notice<P::Beacon>, ctx: &mut HostCtx<'_, P>) {
        let state = &mut self.nodes[node.index()];
        if state.is_paused() {
            if state.program.is_some() {
                state.notices.push(notice);
            }
            return;
        }
        self.call(node, ctx, |program, c| program.on_notice(notice, c));
    }

    /// A node reads a message that has arrived; one that stands still does when it goes on.
    pub(super) fn read(&mut self, from: NodeId, to: NodeId, message: P::Message, ctx: &mut HostCtx<'_, P>) {
        let state = &mut self.nodes[to.index()];
        if state.program.is_some() && state.is_paused() {
            state.queue.push((from, message));
            return;
        }
        self.call(to, ctx, |program, c| program.on_message(from, message, c));
    }

    /// The server process is gone, whatever the reason.
    pub(super) fn process_dies(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        let state = &mut self.nodes[node.index()];
        state.ready = Instant::NEVER;
        if !state.has_power() {
            state.booted = Instant::NEVER;
        }
        if state.booted <= now || state.booted.is_never() {
            ctx.disarm(state.start_slot);
        }
        if self.nodes[node.index()].program.is_none() {
            self.surroundings_changed(node, ctx);
            self.evaluate_of(node);
            return;
        }
        let was_dormant = self.is_dormant(node);
        let stood_still = self.nodes[node.index()].is_paused();
        if !stood_still {
            self.nodes[node.index()].stopped = now;
        }
        self.serving_stops(node, stood_still, ctx);
        let state = &mut self.nodes[node.index()];
        state.program = None;
        let accepted = state.stance.take().and_then(|stance| stance.accepts);
        state.queue.clear();
        state.notices.clear();
        state.timers.clear(ctx);
        if let Some(beacon) = &mut state.beacon {
            beacon.sending = false;
        }
        if let (Some(slot), Some((group, member))) = (accepted, self.setup.member[node.index()]) {
            self.withdrawn(group, member, slot);
            self.order_dies(group, slot, node, now);
        }
        self.requests_die(node, now);
        self.drop_watches(node, ctx);
        self.copies_from_end(node, ctx);
        self.emit(now, Fact::Process { node, up: false });
        self.connections_close(node, ctx);
        self.repace(node, was_dormant, ctx);
        self.surroundings_changed(node, ctx);
        self.evaluate_of(node);
    }

    /// A standby without power ages more slowly where the model says so.
    pub(super) fn is_dormant(&self, node: NodeId) -> bool {
        matches!(self.nodes[node.index()].role(), Some(Role::Standby | Role::Syncing))
    }

    /// Carries out what a node's program has ordered; what that leads other programs to order comes in between.
    #[inline]
    fn execute(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        if !self.commands.is_empty() {
            self.execute_all(node, ctx);
        }
    }

    #[inline(never)]
    fn execute_all(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let mut commands = std::mem::take(&mut self.commands);
        for command in commands.drain(..) {
            self.carry_out(node, command, ctx);
        }
        self.commands = commands;
    }

    fn carry_out(&mut self, node: NodeId, command: Command<P>, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        match command {
            Command::Send(to, message) => self.send(node, to, message, ctx),
            Command::Arm(name, clock, after) => self.arm_timer(node, name, clock, after, ctx),
            Command::Disarm(name) => self.nodes[node.index()].timers.disarm(name, ctx),
            Command::Persist(durable) => self.nodes[node.index()].durable = durable,
            Command::Watch(peer, watching) => self.begin_watch(node, peer, watching, ctx),
            Command::Beacon(every, content) => self.set_beacon(node, every, content, ctx),
            Command::Replicate(to, copying) => self.begin_copy(node, to, *copying, ctx),
            Command::StopReplicating => self.copies_from_end(node, ctx),
            Command::Fence(peer) => self.fence(node, peer, ctx),
            Command::Step(phase) => self.emit(now, Fact::Step { node, phase }),
            Command::Surrender(_) => self.surrender(node),
        }
    }

    fn set_beacon(&mut self, node: NodeId, every: Span, content: P::Beacon, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        let state = &mut self.nodes[node.index()];
        let drift = self.clocks[node.index()].drift;
        match &mut state.beacon {
            Some(beacon) if beacon.sending && beacon.every == every => {
                if beacon.content == content {
                    return;
                }
                beacon.previous = beacon.content;
                beacon.content = content;
                beacon.changed = now;
            }
            other => {
                let previous = other.as_ref().map_or(content, |b| b.content);
                let period = true_span(every, drift);
                let first = now + period.scaled(state.phase.uniform());
                *other =
                    Some(Beacon { every, period, first, sending: true, content, previous, changed: now });
            }
        }
        self.beats_changed(node, ctx);
    }

    /// The series of beats a node sends at present, in true time.
    pub(super) fn beats(&self, node: NodeId) -> Option<Beats> {
        let state = &self.nodes[node.index()];
        let beacon = state.beacon.as_ref().filter(|beacon| beacon.sending)?;
        if !state.is_running() || !self.monitor_works(node) {
            return None;
        }
        Some(Beats { first: beacon.first, period: beacon.period })
    }

    /// Whether the process that sends and hears heartbeats works, where the node has one of its own (`monitor`).
    pub(super) fn monitor_works(&self, node: NodeId) -> bool {
        self.setup.monitor[node.index()].is_none_or(|i| self.nodes[node.index()].named_down[i] == 0)
    }

    /// What a node believes may have changed.
    #[inline]
    fn refresh(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let state = &self.nodes[node.index()];
        let stance = state.program.as_ref().map(P::stance);
        if stance != state.stance {
            self.stance_changed(node, stance, ctx);
        }
    }

    /// Tells everybody who depends on what a node believes.
    #[inline(never)]
    fn stance_changed(&mut self, node: NodeId, stance: Option<Stance>, ctx: &mut HostCtx<'_, P>) {
        let was_dormant = self.is_dormant(node);
        let old = std::mem::replace(&mut self.nodes[node.index()].stance, stance);
        if let Some(stance) = stance {
            self.emit(ctx.now(), Fact::Stance { node, stance });
        }
        self.acceptance_changed(node, old, stance, ctx);
        if was_dormant != self.is_dormant(node) {
            self.repace(node, was_dormant, ctx);
        }
        let Some((group, _)) = self.setup.member[node.index()] else { return };
        let as_copies_see = |s: Option<Stance>| s.map(|s| (s.accepts, s.takes, s.role.follows()));
        if as_copies_see(old) != as_copies_see(stance) {
            self.update_copies(group);
        }
        // Of two that accept clients may prefer the newer one; all else that they see is in the view.
        let activation = |s: Option<Stance>| s.filter(|s| s.accepts.is_some()).map(|s| s.activation);
        if activation(old) != activation(stance) {
            self.touch(group);
        } else if old.map(in_view) != stance.map(in_view) {
            self.evaluate(group);
        }
    }
}
