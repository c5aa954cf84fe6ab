//! Detectors: the watches that nodes keep of each other, and the health checks of balancers.

use crate::engine::agenda::Slot;
use crate::engine::probe::Probe;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Notice, Policy, Routing, Sense, Watching};
use crate::policy::facts::Fact;
use crate::service::detector::{Observed, Surroundings, Watch};
use crate::service::fidelity::{Explained, Form};
use crate::service::health::{CheckSurroundings, HealthCheck, Rule};
use crate::service::poll::Poll;
use crate::system::ids::{GroupId, LinkId, NodeId};
use crate::system::spec::Classes;

use super::fidelity::Process;
use super::{Event, HostCtx, World, class, true_span};

#[derive(Clone, Debug)]
enum Kind {
    /// Not begun yet.
    New(Stream),
    Beats(Watch),
    Echo(HealthCheck),
    Poll(Poll, Stream),
    /// Open, or closed and the observer has not learned of it yet.
    Connection {
        stream: Stream,
        within: Span,
        closed: bool,
    },
}

/// One node's watch of another, kept over restarts for its stream and for what it has worked out.
#[derive(Clone, Debug)]
pub(super) struct WatchSlot {
    observer: NodeId,
    peer: NodeId,
    by: Sense,
    /// The observer is there and watches.
    is_on: bool,
    kind: Kind,
    slot: Slot,
}

/// The watches of the run before, in whose room this one runs. A clone has none.
#[derive(Debug, Default)]
pub(super) struct Former(Vec<WatchSlot>);

impl Former {
    pub(super) fn take(&mut self, watches: &mut Vec<WatchSlot>) {
        self.0.clear();
        std::mem::swap(&mut self.0, watches);
    }

    /// The heartbeat watch of the same pair.
    fn beats(&self, observer: NodeId, peer: NodeId) -> Option<&Watch> {
        self.0.iter().find_map(|slot| match &slot.kind {
            Kind::Beats(watch) if slot.observer == observer && slot.peer == peer => Some(watch),
            _ => None,
        })
    }
}

impl Clone for Former {
    fn clone(&self) -> Former {
        Former::default()
    }
}

/// A balancer's health check of one node, beside one class of clients.
#[derive(Clone, Debug)]
pub(super) struct CheckSlot {
    pub(super) client: usize,
    pub(super) node: NodeId,
    pub(super) check: HealthCheck,
    slot: Slot,
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// Balancers start with the run.
    pub(super) fn begin_watches(&mut self, ctx: &mut HostCtx<'_, P>) {
        let channels = self.channels_at(ctx.now());
        for (c, client) in self.setup.model.clients.iter().enumerate() {
            let design = &self.setup.designs[client.to.index()];
            let Routing::Balanced { rule, .. } = &design.routing else { continue };
            for &node in &self.setup.model.groups[client.to.index()].nodes {
                let mut stream = self.setup.keys.clients[c].checks[node.index()].open(self.run);
                let index = self.checks.len();
                let slot = ctx.slot(Self::rank(class::TIMER, 8192 + index), Event::Check(index as u16));
                // Each loop has a phase of its own.
                let first = ctx.now() + rule.every.scaled(stream.uniform());
                // Instances serve from the start on.
                let around = self.check_surroundings(c, node, true);
                let (skips, links) = (self.setup.skips, &self.setup.model.links);
                let check = HealthCheck::over(*rule, skips, first, around, stream, links, channels.clone());
                self.checks.push(CheckSlot { client: c, node, check, slot });
                self.arm_check(index, ctx);
            }
        }
    }

    /// In which form each detector runs at present. `drift`: how much the clock of a node may be fast or slow.
    pub(super) fn explain_watches(&self, drift: impl Fn(NodeId) -> f64) -> Vec<Process> {
        let model = &self.setup.model;
        let name = |node: NodeId| model.nodes[node.index()].name.as_str();
        let watches = self.watches.iter().filter(|watch| watch.is_on).filter_map(|watch| {
            let (observer, peer) = (name(watch.observer), name(watch.peer));
            let (what, explained) = match &watch.kind {
                Kind::New(_) => return None,
                Kind::Connection { .. } => {
                    let why =
                        "silent until it closes; how long the other side takes to learn of it is drawn then";
                    (format!("{observer} watches its connection to {peer}"), Explained::new(Form::One, why))
                }
                Kind::Poll(poll, _) => (format!("{observer} polls {peer}"), poll.explain()),
                Kind::Beats(beats) => {
                    let apart = drift(watch.observer) + drift(watch.peer);
                    let what = format!("{observer} watches the heartbeats of {peer}");
                    (what, beats.explain(&model.links, apart))
                }
                Kind::Echo(check) => {
                    (format!("{observer} asks {peer} for an echo"), check.explain(&model.links))
                }
            };
            Some(Process { what, form: explained.form, why: explained.why })
        });
        let checks = self.checks.iter().map(|slot| {
            let explained = slot.check.explain(&model.links);
            let what = format!("balancer of {} checks {}", model.clients[slot.client].name, name(slot.node));
            Process { what, form: explained.form, why: explained.why }
        });
        watches.chain(checks).collect()
    }

    fn arm_check(&self, index: usize, ctx: &mut HostCtx<'_, P>) {
        let check = &self.checks[index];
        ctx.arm(check.slot, check.check.wake_at().max(ctx.now()));
    }

    fn arm_watch(&self, index: usize, ctx: &mut HostCtx<'_, P>) {
        let WatchSlot { kind, slot, .. } = &self.watches[index];
        let at = match kind {
            Kind::New(_) | Kind::Connection { .. } => Instant::NEVER,
            Kind::Beats(watch) => watch.wake_at(),
            Kind::Poll(poll, _) => poll.wake_at(),
            Kind::Echo(check) => check.wake_at(),
        };
        ctx.arm(*slot, at.max(ctx.now()));
    }

    pub(super) fn begin_watch(
        &mut self,
        observer: NodeId,
        peer: NodeId,
        watching: Watching,
        ctx: &mut HostCtx<'_, P>,
    ) {
        let now = ctx.now();
        let by = match watching {
            Watching::Beats { .. } => Sense::Beats,
            Watching::Poll { .. } => Sense::Poll,
            Watching::Connection { .. } => Sense::Connection,
            Watching::Echo(_) => Sense::Echo,
        };
        let index = self.watch_slot(observer, peer, by, ctx);
        self.count_watch(index, now);
        let drift = self.clocks[observer.index()].drift;
        let links = &self.setup.model.links;
        let channels = self.channels_at(now);
        match watching {
            Watching::Beats { silence, armed } => {
                let silence = silence.in_true_time(drift);
                let around = self.watch_surroundings(observer, peer);
                if let Kind::Beats(watch) = &mut self.watches[index].kind {
                    watch.begin_again(silence, armed, now, around, links, channels);
                } else {
                    let (skips, stream) = (self.setup.skips, self.stream_of(index, now));
                    let mut watch = Watch::over(silence, skips, armed, now, around, stream, links, channels);
                    if let Some(former) = self.former.beats(observer, peer) {
                        watch.learn(former);
                    }
                    self.watches[index].kind = Kind::Beats(watch);
                }
            }
            Watching::Poll { every, timeout, armed } => {
                let (every, timeout) = (true_span(every, drift), true_span(timeout, drift));
                let mut stream = self.stream_of(index, now);
                let first = now + every.scaled(stream.uniform());
                let answered = self.is_poll_answered(observer, peer);
                let poll = Poll::new(every, timeout, first, now, armed, answered);
                self.watches[index].kind = Kind::Poll(poll, stream);
            }
            Watching::Connection { within } => {
                let (stream, within) = (self.stream_of(index, now), true_span(within, drift));
                self.watches[index].kind = Kind::Connection { stream, within, closed: false };
            }
            Watching::Echo(rule) => {
                let rule = Rule {
                    every: true_span(rule.every, drift),
                    timeout: true_span(rule.timeout, drift),
                    ..rule
                };
                let around = self.echo_surroundings(observer, peer, now);
                if let Kind::Echo(check) = &mut self.watches[index].kind {
                    check.begin_again(rule, now, around, links, channels);
                } else {
                    let (skips, mut stream) = (self.setup.skips, self.stream_of(index, now));
                    let first = now + rule.every.scaled(stream.uniform());
                    let check = HealthCheck::over(rule, skips, first, around, stream, links, channels);
                    self.watches[index].kind = Kind::Echo(check);
                }
            }
        }
        self.watches[index].is_on = true;
        self.arm_watch(index, ctx);
    }

    /// Counts what an echo or a poll that comes to its end has asked and been answered.
    fn count_watch(&mut self, index: usize, now: Instant) {
        let WatchSlot { observer, kind, is_on, .. } = &mut self.watches[index];
        let Some((group, _)) = self.setup.member[observer.index()].filter(|_| *is_on) else { return };
        let messages = match kind {
            Kind::Echo(check) => check.take_messages(now),
            Kind::Poll(poll, _) => poll.take_messages(now),
            Kind::New(_) | Kind::Beats(_) | Kind::Connection { .. } => return,
        };
        self.count_checks(group, messages);
    }

    /// Counts what every check has asked and been answered up to the horizon.
    pub(super) fn count_watches(&mut self, horizon: Instant) {
        for index in 0..self.watches.len() {
            self.count_watch(index, horizon);
        }
        for index in 0..self.checks.len() {
            let messages = self.checks[index].check.take_messages(horizon);
            let group = self.setup.model.clients[self.checks[index].client].to;
            self.count_checks(group, messages);
        }
    }

    fn watch_slot(&mut self, observer: NodeId, peer: NodeId, by: Sense, ctx: &mut HostCtx<'_, P>) -> usize {
        let known = self.watches.iter().position(|w| w.observer == observer && w.peer == peer && w.by == by);
        known.unwrap_or_else(|| {
            let keys = self.setup.keys.pair(observer, peer);
            let key = match by {
                Sense::Beats => keys.watch,
                Sense::Poll => keys.poll,
                Sense::Connection => keys.connection,
                Sense::Echo => keys.echo,
            };
            let index = self.watches.len();
            let slot = ctx.slot(Self::rank(class::TIMER, observer.index()), Event::Watch(index as u16));
            let kind = Kind::New(key.open(self.run));
            self.watches.push(WatchSlot { observer, peer, by, is_on: false, kind, slot });
            index
        })
    }

    /// The stream of what runs there, as far as it has been used by `now`.
    fn stream_of(&mut self, index: usize, now: Instant) -> Stream {
        self.come_back(index, now);
        match &self.watches[index].kind {
            Kind::New(stream) | Kind::Poll(_, stream) | Kind::Connection { stream, .. } => stream.clone(),
            // These begin again in their places.
            Kind::Beats(_) | Kind::Echo(_) => unreachable!("a watch keeps its kind"),
        }
    }

    /// What a watch drew for times after `now` is forgotten.
    fn come_back(&mut self, index: usize, now: Instant) {
        let links = &self.setup.model.links;
        match &mut self.watches[index].kind {
            Kind::New(_) | Kind::Poll(..) | Kind::Connection { .. } => {}
            Kind::Beats(watch) => watch.come_back(now, links),
            Kind::Echo(check) => check.come_back(now, links),
        }
    }

    pub(super) fn drop_watches(&mut self, observer: NodeId, ctx: &mut HostCtx<'_, P>) {
        for index in 0..self.watches.len() {
            if self.watches[index].observer == observer && self.watches[index].is_on {
                self.count_watch(index, ctx.now());
                self.come_back(index, ctx.now());
                self.watches[index].is_on = false;
                ctx.disarm(self.watches[index].slot);
            }
        }
    }

    /// The clock of an observer that is about to go on stood still for so long.
    pub(super) fn watches_stand_still(&mut self, observer: NodeId, length: Span, now: Instant) {
        for slot in self.watches.iter_mut().filter(|slot| slot.observer == observer && slot.is_on) {
            match &mut slot.kind {
                Kind::Beats(watch) => watch.stand_still(now, length),
                Kind::Poll(poll, _) => poll.stand_still(length, now),
                Kind::Echo(check) => check.stand_still(length),
                // What came to the connection is there when the node goes on.
                Kind::New(_) | Kind::Connection { .. } => {}
            }
        }
    }

    fn watch_surroundings(&self, observer: NodeId, peer: NodeId) -> Surroundings {
        let medium = self.medium(peer, observer, Classes::HEARTBEAT).filter(|_| self.monitor_works(observer));
        Surroundings { beats: self.beats(peer), medium, hearing: !self.nodes[observer.index()].is_paused() }
    }

    /// Whether the peer's server process answers a poll: it runs, and the way there and back is open.
    fn is_poll_answered(&self, observer: NodeId, peer: NodeId) -> bool {
        let open = |from, to| self.medium(from, to, Classes::HEARTBEAT).is_some();
        self.nodes[peer.index()].is_running()
            && self.monitor_works(observer)
            && self.monitor_works(peer)
            && open(observer, peer)
            && open(peer, observer)
    }

    fn echo_surroundings(&self, observer: NodeId, peer: NodeId, now: Instant) -> CheckSurroundings {
        let there = self.medium(observer, peer, Classes::ECHO);
        let back = self.medium(peer, observer, Classes::ECHO);
        CheckSurroundings {
            ways: there.zip(back).map(|(a, b)| [a, b]),
            answering: self.nodes[peer.index()].host_answers(now),
            checking: !self.nodes[observer.index()].is_paused(),
        }
    }

    /// Something changed at `node`: every detector and replication that depends on it looks again.
    pub(super) fn surroundings_changed(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        self.count_beats(node, ctx.now());
        for index in 0..self.watches.len() {
            if self.watches[index].observer == node || self.watches[index].peer == node {
                self.look_again(index, ctx);
            }
        }
        self.recheck(node, ctx);
        if let Some((group, _)) = self.setup.member[node.index()] {
            self.update_copies(group);
        }
    }

    /// A node begins to send beats, or says something new with them: whoever watches it looks again.
    pub(super) fn beats_changed(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        self.count_beats(node, now);
        for index in 0..self.watches.len() {
            let WatchSlot { observer, peer, is_on, .. } = self.watches[index];
            if peer != node || !is_on {
                continue;
            }
            let around = self.watch_surroundings(observer, peer);
            let Kind::Beats(watch) = &mut self.watches[index].kind else { continue };
            let seen = watch.renew(now, around, &self.setup.model.links);
            self.arm_watch(index, ctx);
            self.observed(index, seen, ctx);
        }
    }

    /// A link opened or closed: every detector, replication and service that uses it looks again.
    pub(super) fn link_changed(&mut self, link: LinkId, ctx: &mut HostCtx<'_, P>) {
        let setup = self.setup;
        for index in 0..self.watches.len() {
            let (observer, peer) = (self.watches[index].observer, self.watches[index].peer);
            let joined = setup.joined(link);
            if joined.contains(&(observer, peer)) || joined.contains(&(peer, observer)) {
                self.look_again(index, ctx);
            }
        }
        for index in 0..self.checks.len() {
            if setup.client_uses(self.checks[index].client, link) {
                self.check_again(index, ctx);
            }
        }
        for group in (0..self.groups.len()).map(GroupId::from) {
            if setup.uses(group, link) {
                self.update_copies(group);
                // Whom clients reach is looked at in `way_changed`.
                if self.groups[group.index()].merging.is_some() {
                    self.touch(group);
                } else {
                    self.evaluate(group);
                }
            }
        }
    }

    fn look_again(&mut self, index: usize, ctx: &mut HostCtx<'_, P>) {
        let WatchSlot { observer, peer, is_on, .. } = self.watches[index];
        if !is_on {
            return;
        }
        let now = ctx.now();
        let links = &self.setup.model.links;
        let seen = match &self.watches[index].kind {
            Kind::New(_) => return,
            Kind::Connection { closed, .. } => {
                if *closed && ctx.deadline(self.watches[index].slot).is_never() {
                    self.connection_closed(index, ctx);
                }
                return;
            }
            Kind::Beats(watch) => {
                let around = self.watch_surroundings(observer, peer);
                // A way that is still open is not cut.
                let left = watch.medium().filter(|medium| around.medium != Some(*medium));
                let lost = self.setup.model.cut_in_flight_lost
                    && left.is_some_and(|medium| self.is_cut(&medium, peer, observer, Classes::HEARTBEAT));
                let Kind::Beats(watch) = &mut self.watches[index].kind else { return };
                watch.change(now, around, lost, links)
            }
            Kind::Poll(..) => {
                let answered = self.is_poll_answered(observer, peer);
                let hearing = !self.nodes[observer.index()].is_paused();
                let Kind::Poll(poll, _) = &mut self.watches[index].kind else { return };
                poll.change(now, answered, hearing);
                poll.wake(now)
            }
            Kind::Echo(_) => {
                let around = self.echo_surroundings(observer, peer, now);
                let Kind::Echo(check) = &mut self.watches[index].kind else { return };
                check.change(now, around, links)
            }
        };
        self.arm_watch(index, ctx);
        self.observed(index, seen, ctx);
    }

    pub(super) fn watch_wakes(&mut self, index: u16, ctx: &mut HostCtx<'_, P>) {
        let index = usize::from(index);
        let now = ctx.now();
        let links = &self.setup.model.links;
        let seen = match &mut self.watches[index].kind {
            Kind::New(_) => return,
            Kind::Connection { .. } => return self.connection_closed(index, ctx),
            Kind::Beats(watch) => watch.wake(now, links),
            Kind::Poll(poll, _) => poll.wake(now),
            Kind::Echo(check) => check.wake(now, links),
        };
        self.arm_watch(index, ctx);
        self.observed(index, seen, ctx);
    }

    /// Tells the observer what its detector saw, if that is anything.
    #[inline]
    fn observed(&mut self, index: usize, seen: Observed, ctx: &mut HostCtx<'_, P>) {
        if seen.is_any() {
            self.tell(index, seen, ctx);
        }
    }

    #[inline(never)]
    fn tell(&mut self, index: usize, seen: Observed, ctx: &mut HostCtx<'_, P>) {
        let WatchSlot { observer, peer, by, .. } = self.watches[index];
        let now = ctx.now();
        let running = self.nodes[peer.index()].is_running();
        if seen.suspect {
            let mistaken =
                if by == Sense::Echo { self.nodes[peer.index()].host_answers(now) } else { running };
            self.emit(now, Fact::Verdict { observer, peer, by, suspected: true, mistaken });
            if by != Sense::Echo {
                self.note_suspicion(observer, peer, now);
            }
            self.notify(observer, Notice::Suspect { peer, by }, ctx);
        }
        let Some(sent) = seen.heard else { return };
        if seen.trust {
            self.emit(now, Fact::Verdict { observer, peer, by, suspected: false, mistaken: false });
            if by != Sense::Echo {
                self.note_trust(observer, peer);
            }
        }
        if by != Sense::Beats {
            if seen.trust {
                self.notify(observer, Notice::Back { peer, by }, ctx);
            }
        } else if let Some(beacon) = &self.nodes[peer.index()].beacon {
            let notice = Notice::Heard { peer, beacon: beacon.content_at(sent), trust: seen.trust };
            self.notify(observer, notice, ctx);
        }
    }

    /// The server process of `peer` has ended. Where its host goes on, or goes down in good order, its connections
    /// close; a host that vanishes closes nothing.
    pub(super) fn connections_close(&mut self, peer: NodeId, ctx: &mut HostCtx<'_, P>) {
        let state = &self.nodes[peer.index()];
        if !(state.host_answers(ctx.now()) || state.in_maintenance()) {
            return;
        }
        for index in 0..self.watches.len() {
            let WatchSlot { observer, slot, is_on, .. } = self.watches[index];
            if !is_on
                || self.watches[index].peer != peer
                || self.medium(peer, observer, Classes::HEARTBEAT).is_none()
            {
                continue;
            }
            if let Kind::Connection { stream, within, closed } = &mut self.watches[index].kind {
                *closed = true;
                ctx.arm(slot, ctx.now() + within.scaled(stream.uniform()));
            }
        }
    }

    /// The observer learns that a connection has closed; one that stands still learns it when it goes on.
    fn connection_closed(&mut self, index: usize, ctx: &mut HostCtx<'_, P>) {
        let WatchSlot { observer, peer, by, .. } = self.watches[index];
        if self.nodes[observer.index()].is_paused() {
            return;
        }
        if let Kind::Connection { closed, .. } = &mut self.watches[index].kind {
            *closed = false;
        }
        let (now, mistaken) = (ctx.now(), self.nodes[peer.index()].is_running());
        self.emit(now, Fact::Verdict { observer, peer, by, suspected: true, mistaken });
        self.note_suspicion(observer, peer, now);
        self.notify(observer, Notice::Suspect { peer, by }, ctx);
    }

    /// A check goes the way of the requests of the client that its balancer stands beside.
    fn check_surroundings(&self, client: usize, node: NodeId, answering: bool) -> CheckSurroundings {
        CheckSurroundings {
            ways: self.client_way(client, node).map(|way| [way; 2]),
            answering,
            checking: true,
        }
    }

    fn check_again(&mut self, index: usize, ctx: &mut HostCtx<'_, P>) {
        let CheckSlot { client, node, .. } = self.checks[index];
        let state = &self.nodes[node.index()];
        let serving = state.is_running() && state.stance.is_some_and(|s| s.accepts.is_some() || s.reads);
        let around = self.check_surroundings(client, node, serving);
        let now = ctx.now();
        let seen = self.checks[index].check.change(now, around, &self.setup.model.links);
        self.arm_check(index, ctx);
        self.checked(index, seen);
    }

    pub(super) fn check_wakes(&mut self, index: u16, ctx: &mut HostCtx<'_, P>) {
        let index = usize::from(index);
        let now = ctx.now();
        let seen = self.checks[index].check.wake(now, &self.setup.model.links);
        self.arm_check(index, ctx);
        self.checked(index, seen);
    }

    fn checked(&mut self, index: usize, seen: Observed) {
        if !seen.is_any() {
            return;
        }
        self.touch(self.setup.model.clients[self.checks[index].client].to);
    }

    /// A node began or stopped serving: its balancers' checks look again.
    pub(super) fn recheck(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        for index in 0..self.checks.len() {
            if self.checks[index].node == node {
                self.check_again(index, ctx);
            }
        }
    }
}
