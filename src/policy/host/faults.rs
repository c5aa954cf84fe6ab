//! The environment: faults by random law and by script, repair crews, links, planned work. It depends on no policy
//! (but for `dormancy`, the stated exception), so compared policies meet the same fate.

use crate::engine::agenda::Slot;
use crate::engine::probe::Probe;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Conflicts, Policy};
use crate::policy::facts::{Fact, FaultOf};
use crate::system::ids::{CrewId, GroupId, LinkId, NodeId};
use crate::system::medium::Medium;
use crate::system::spec::{Action, Classes, Direction, Effect, Scope};

use super::{Event, HostCtx, World, class};

/// A fault process: up, or faulted.
#[derive(Clone, Debug)]
pub(super) struct FaultState {
    stream: Stream,
    slot: Slot,
    active: bool,
    /// Life left while the node it belongs to is dormant with a hazard of zero.
    left: Option<Span>,
}

/// A link's condition: how many causes stop each class in each direction.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkState {
    down: [[u8; 6]; 2],
    /// The classes stopped at present, in each direction: what `down` says, as a set.
    closed: [u8; 2],
    /// Cuts by script, to be taken back by one heal.
    scripted: [[u8; 6]; 2],
    /// How often what carries heartbeats and messages has been cut, backward and forward.
    cuts: [u32; 2],
    /// When last.
    pub(super) cut_at: Instant,
}

impl LinkState {
    pub(super) fn is_open(&self, classes: Classes, forward: bool) -> bool {
        self.closed[usize::from(forward)] & classes.0 == 0
    }

    fn count_closed(&mut self) {
        for (closed, down) in self.closed.iter_mut().zip(&self.down) {
            *closed = (0..6).filter(|&bit| down[bit] > 0).fold(0, |set, bit| set | 1 << bit);
        }
    }

    fn change(&mut self, classes: Classes, direction: Direction, begins: bool, now: Instant) {
        for forward in [false, true] {
            let touched = match direction {
                Direction::Both => true,
                Direction::Forward => forward,
                Direction::Backward => !forward,
            };
            for bit in 0..6 {
                if touched && classes.contains(Classes(1 << bit)) {
                    let count = &mut self.down[usize::from(forward)][bit];
                    *count = if begins { *count + 1 } else { count.saturating_sub(1) };
                }
            }
            if begins && touched && classes.contains(Classes::HEARTBEAT) {
                self.cuts[usize::from(forward)] += 1;
            }
        }
        self.count_closed();
        if begins {
            self.cut_at = now;
        }
    }
}

/// A repair crew: repairs under way, and faults that wait.
#[derive(Clone, Debug, Default)]
pub(super) struct CrewState {
    busy: u32,
    waiting: Vec<u16>,
}

/// Planned work on one node after the other.
#[derive(Clone, Debug)]
pub(super) struct PlannedState {
    stream: Stream,
    slot: Slot,
    /// The node it works on, or worked on last in this round, by its place in the list.
    at: Option<usize>,
    /// Between two nodes of a round.
    pauses: bool,
    /// How often it has looked whether the active role has left the node.
    looks: u32,
}

/// Before planned work, how often it is looked whether the node still serves, and at what distance: after 5 min the work
/// begins all the same.
const LOOKS_MAX: u32 = 60;
const LOOK_EVERY: Span = Span::from_whole_secs(5);

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn begin_faults(&mut self, ctx: &mut HostCtx<'_, P>) {
        let model = &self.setup.model;
        self.links = vec![LinkState::default(); model.links.len()];
        self.crews = vec![CrewState::default(); model.crews.len()];
        for (i, source) in self.setup.faults.iter().enumerate() {
            let class = if matches!(source.of, FaultOf::Link(..)) { class::LINK } else { class::HARDWARE };
            let slot = ctx.slot(Self::rank(class, i), Event::Fault(i as u16));
            let mut stream = source.key.open(self.run);
            if !model.quiet {
                let first = self.time_to_failure(source.of).sample(stream.uniform());
                ctx.arm(slot, ctx.now() + first);
            }
            self.faults.push(FaultState { stream, slot, active: false, left: None });
        }
        for (i, step) in model.script.iter().enumerate() {
            ctx.push(step.at, Self::rank(class::SCRIPT, i), Event::Script(i as u16));
        }
        for (i, plan) in model.maintenance.iter().enumerate() {
            let slot = ctx.slot(Self::rank(class::HARDWARE, 4096 + i), Event::Maintenance(i as u16));
            let mut stream = self.setup.keys.maintenance[i].open(self.run);
            if !model.quiet {
                ctx.arm(slot, ctx.now() + plan.every.sample(stream.uniform()));
            }
            self.planned.push(PlannedState { stream, slot, at: None, pauses: false, looks: 0 });
        }
        for (i, order) in model.changeovers.iter().enumerate() {
            let slot = ctx.slot(Self::rank(class::SCRIPT, 4096 + i), Event::Changeover(i as u16));
            let mut stream = self.setup.keys.changeovers[i].open(self.run);
            if !model.quiet {
                ctx.arm(slot, ctx.now() + order.every.sample(stream.uniform()));
            }
            self.changeovers.push((stream, slot));
        }
    }

    fn time_to_failure(&self, of: FaultOf) -> &'s crate::engine::dist::Law {
        let model = &self.setup.model;
        match of {
            FaultOf::Node(n, m) => &model.nodes[n.index()].failures[usize::from(m)].time_to_failure,
            FaultOf::Link(l, m) => &model.links[l.index()].failures[usize::from(m)].time_to_failure,
            FaultOf::Shared(s, m) => &model.shared[s.index()].failures[usize::from(m)].time_to_failure,
        }
    }

    fn duration(&self, of: FaultOf) -> &'s crate::engine::dist::Law {
        let model = &self.setup.model;
        match of {
            FaultOf::Node(n, m) => &model.nodes[n.index()].failures[usize::from(m)].duration,
            FaultOf::Link(l, m) => &model.links[l.index()].failures[usize::from(m)].duration,
            FaultOf::Shared(s, m) => &model.shared[s.index()].failures[usize::from(m)].duration,
        }
    }

    /// Who repairs this fault; `None`: a crew of its own. Pauses end by themselves.
    fn crew(&self, of: FaultOf) -> Option<CrewId> {
        let FaultOf::Node(n, m) = of else { return None };
        let node = &self.setup.model.nodes[n.index()];
        let effect = node.failures[usize::from(m)].effect;
        node.crew.filter(|_| matches!(effect, Effect::Crash | Effect::CrashDiskLoss))
    }

    pub(super) fn fault(&mut self, index: u16, ctx: &mut HostCtx<'_, P>) {
        let i = usize::from(index);
        let of = self.setup.faults[i].of;
        let now = ctx.now();
        if self.faults[i].active {
            self.faults[i].active = false;
            if let Some(crew) = self.crew(of) {
                self.crew_is_free(crew, ctx);
            }
            let ttf = self.time_to_failure(of).sample(self.faults[i].stream.uniform());
            self.arm_fault(i, of, ttf, ctx);
        } else {
            self.faults[i].active = true;
            match self.crew(of) {
                Some(crew) if self.crews[crew.index()].busy >= self.setup.model.crews[crew.index()].size => {
                    self.crews[crew.index()].waiting.push(index);
                }
                crew => {
                    if let Some(crew) = crew {
                        self.crews[crew.index()].busy += 1;
                    }
                    self.begin_repair(i, of, ctx);
                }
            }
        }
        let begins = self.faults[i].active;
        self.emit(now, Fact::Fault { of, begins });
        self.apply_fault(of, begins, ctx);
    }

    fn begin_repair(&mut self, i: usize, of: FaultOf, ctx: &mut HostCtx<'_, P>) {
        let takes = self.duration(of).sample(self.faults[i].stream.uniform());
        ctx.arm(self.faults[i].slot, ctx.now() + takes);
    }

    fn crew_is_free(&mut self, crew: CrewId, ctx: &mut HostCtx<'_, P>) {
        let state = &mut self.crews[crew.index()];
        if state.waiting.is_empty() {
            state.busy -= 1;
            return;
        }
        let next = usize::from(state.waiting.remove(0));
        let of = self.setup.faults[next].of;
        self.begin_repair(next, of, ctx);
    }

    /// Arms the next failure, in the time scale of a dormant node where it is one.
    fn arm_fault(&mut self, i: usize, of: FaultOf, life: Span, ctx: &mut HostCtx<'_, P>) {
        let pace = self.pace(of);
        if pace == 0.0 {
            self.faults[i].left = Some(life);
            ctx.disarm(self.faults[i].slot);
        } else {
            self.faults[i].left = None;
            ctx.arm(self.faults[i].slot, ctx.now() + life.scaled(1.0 / pace));
        }
    }

    /// How fast a fault's owner ages: 1, or its `dormancy` while it is a standby without power.
    fn pace(&self, of: FaultOf) -> f64 {
        match of {
            FaultOf::Node(n, _) if self.is_dormant(n) => self.setup.model.nodes[n.index()].dormancy,
            _ => 1.0,
        }
    }

    /// A node becomes dormant or active: lives go on at another pace from here.
    pub(super) fn repace(&mut self, node: NodeId, was_dormant: bool, ctx: &mut HostCtx<'_, P>) {
        let dormancy = self.setup.model.nodes[node.index()].dormancy;
        if dormancy == 1.0 {
            return;
        }
        let old = if was_dormant { dormancy } else { 1.0 };
        for i in 0..self.faults.len() {
            let of = self.setup.faults[i].of;
            if !matches!(of, FaultOf::Node(n, _) if n == node) || self.faults[i].active {
                continue;
            }
            let life = match self.faults[i].left {
                Some(left) => left,
                None if ctx.deadline(self.faults[i].slot).is_never() => continue,
                None => ctx.deadline(self.faults[i].slot).since(ctx.now()).scaled(old),
            };
            self.arm_fault(i, of, life, ctx);
        }
    }

    fn apply_fault(&mut self, of: FaultOf, begins: bool, ctx: &mut HostCtx<'_, P>) {
        let model = &self.setup.model;
        match of {
            FaultOf::Node(n, m) => {
                let failure = &model.nodes[n.index()].failures[usize::from(m)];
                self.strike(n, failure.scope, failure.effect, begins, ctx);
            }
            FaultOf::Link(l, m) => {
                let failure = &model.links[l.index()].failures[usize::from(m)];
                self.change_link(l, failure.classes, failure.direction, begins, ctx);
            }
            FaultOf::Shared(s, m) => {
                let shared = &model.shared[s.index()];
                let failure = &shared.failures[usize::from(m)];
                for &node in &shared.nodes {
                    self.strike(node, failure.scope, failure.effect, begins, ctx);
                }
                for &link in &shared.links {
                    self.change_link(link, Classes::ALL, Direction::Both, begins, ctx);
                }
            }
        }
    }

    /// A fault that nobody has planned touches a node, or goes from it.
    fn strike(&mut self, node: NodeId, scope: Scope, effect: Effect, begins: bool, ctx: &mut HostCtx<'_, P>) {
        let takes_down =
            matches!(effect, Effect::Crash | Effect::CrashDiskLoss) && !matches!(scope, Scope::Named(_));
        if begins && takes_down {
            self.fails_unplanned(node);
        }
        self.hit(node, scope, effect, begins, ctx);
    }

    fn change_link(
        &mut self,
        link: LinkId,
        classes: Classes,
        direction: Direction,
        begins: bool,
        ctx: &mut HostCtx<'_, P>,
    ) {
        let now = ctx.now();
        self.links[link.index()].change(classes, direction, begins, now);
        if begins {
            self.note_disturbance_of(link);
        }
        self.way_changed(link, ctx);
    }

    pub(super) fn script(&mut self, index: u16, ctx: &mut HostCtx<'_, P>) {
        let model = &self.setup.model;
        let now = ctx.now();
        match model.script[usize::from(index)].action {
            Action::Fail { node, scope, effect } => {
                self.emit(now, Fact::Fault { of: FaultOf::Node(node, u16::MAX), begins: true });
                self.strike(node, scope, effect, true, ctx);
            }
            Action::Restore { node, scope } => {
                self.emit(now, Fact::Fault { of: FaultOf::Node(node, u16::MAX), begins: false });
                self.restore(node, scope, ctx);
            }
            Action::Cut { link, classes, direction } => {
                self.emit(now, Fact::Fault { of: FaultOf::Link(link, u16::MAX), begins: true });
                let before = self.links[link.index()].down;
                self.change_link(link, classes, direction, true, ctx);
                let state = &mut self.links[link.index()];
                for (way, counts) in state.scripted.iter_mut().enumerate() {
                    for (bit, count) in counts.iter_mut().enumerate() {
                        *count += state.down[way][bit] - before[way][bit];
                    }
                }
            }
            Action::Heal { link } => {
                self.emit(now, Fact::Fault { of: FaultOf::Link(link, u16::MAX), begins: false });
                let state = &mut self.links[link.index()];
                let scripted = std::mem::take(&mut state.scripted);
                for (way, counts) in scripted.iter().enumerate() {
                    for (bit, count) in counts.iter().enumerate() {
                        state.down[way][bit] = state.down[way][bit].saturating_sub(*count);
                    }
                }
                state.count_closed();
                self.way_changed(link, ctx);
            }
            Action::Strike { shared } | Action::Relieve { shared } => {
                let begins = matches!(model.script[usize::from(index)].action, Action::Strike { .. });
                self.emit(now, Fact::Fault { of: FaultOf::Shared(shared, u16::MAX), begins });
                for i in 0..model.shared[shared.index()].nodes.len() {
                    self.strike(
                        model.shared[shared.index()].nodes[i],
                        Scope::Host,
                        Effect::Crash,
                        begins,
                        ctx,
                    );
                }
                for &link in &model.shared[shared.index()].links {
                    self.change_link(link, Classes::ALL, Direction::Both, begins, ctx);
                }
            }
            Action::Changeover { group, to } => self.order_changeover(group, to, ctx),
        }
    }

    pub(super) fn maintenance(&mut self, index: u16, ctx: &mut HostCtx<'_, P>) {
        let i = usize::from(index);
        let plan = &self.setup.model.maintenance[i];
        if let (Some(at), 1..) = (self.planned[i].at, self.planned[i].looks) {
            return self.move_away(i, plan.nodes[at], ctx);
        }
        if let Some(at) = self.planned[i].at
            && !std::mem::take(&mut self.planned[i].pauses)
        {
            self.planned_ends(plan.nodes[at], ctx);
            if at + 1 < plan.nodes.len() {
                self.planned[i].pauses = true;
                let pause = plan.pause.sample(self.planned[i].stream.uniform());
                ctx.arm(self.planned[i].slot, ctx.now() + pause);
                return;
            }
        }
        let next = self.planned[i].at.map_or(0, |at| at + 1);
        if next >= plan.nodes.len() {
            self.planned[i].at = None;
            let wait = plan.every.sample(self.planned[i].stream.uniform());
            ctx.arm(self.planned[i].slot, ctx.now() + wait);
            return;
        }
        self.planned[i].at = Some(next);
        let node = plan.nodes[next];
        if let Some(group) = self.exclusive_group(node).filter(|_| plan.changeover && self.accepts(node)) {
            self.order_changeover(group, None, ctx);
        }
        if plan.changeover {
            self.move_away(i, node, ctx);
        } else {
            self.begin_work(i, node, ctx);
        }
    }

    /// Waits until the node of planned work no longer serves, and begins.
    fn move_away(&mut self, i: usize, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let waits = self.exclusive_group(node).is_some() && self.accepts(node);
        if waits && self.planned[i].looks < LOOKS_MAX {
            self.planned[i].looks += 1;
            ctx.arm(self.planned[i].slot, ctx.now() + LOOK_EVERY);
        } else {
            self.begin_work(i, node, ctx);
        }
    }

    fn begin_work(&mut self, i: usize, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        self.planned[i].looks = 0;
        let takes = self.setup.model.maintenance[i].duration.sample(self.planned[i].stream.uniform());
        ctx.arm(self.planned[i].slot, ctx.now() + takes);
        self.planned_begins(node, ctx);
    }

    fn accepts(&self, node: NodeId) -> bool {
        self.nodes[node.index()].stance.is_some_and(|stance| stance.accepts.is_some())
    }

    /// The group of a node, where one node at a time serves each part of the work.
    fn exclusive_group(&self, node: NodeId) -> Option<GroupId> {
        let (group, _) = self.setup.member[node.index()]?;
        (self.setup.designs[group.index()].conflicts == Conflicts::Exclusive).then_some(group)
    }

    pub(super) fn changeover(&mut self, index: u16, ctx: &mut HostCtx<'_, P>) {
        let i = usize::from(index);
        let order = &self.setup.model.changeovers[i];
        let wait = order.every.sample(self.changeovers[i].0.uniform());
        ctx.arm(self.changeovers[i].1, ctx.now() + wait);
        self.order_changeover(order.group, None, ctx);
    }

    /// Whether a link that carried `medium` is closed now for `classes` from one node to another.
    pub(super) fn is_cut(&self, medium: &Medium, from: NodeId, to: NodeId, classes: Classes) -> bool {
        let routes = self.setup.routes(from, to);
        medium.links().all(|used| {
            routes
                .iter()
                .flat_map(|route| &route.links)
                .find(|(link, _)| *link == used)
                .is_some_and(|&(link, forward)| !self.links[link.index()].is_open(classes, forward))
        }) && medium.links().next().is_some()
    }

    /// How often a link that joins two nodes has been cut for heartbeats and messages from one to the other.
    pub(super) fn cuts(&self, link: LinkId, from: NodeId, to: NodeId) -> u32 {
        let mut ways = self.setup.routes(from, to).iter().flat_map(|route| &route.links);
        let forward = ways.find(|(used, _)| *used == link).is_some_and(|&(_, forward)| forward);
        self.links[link.index()].cuts[usize::from(forward)]
    }

    /// Whether a link carries a client's traffic both ways at present.
    pub(super) fn link_serves(&self, client: usize, link: LinkId) -> bool {
        let classes =
            if self.setup.model.clients[client].is_field { Classes::FIELD } else { Classes::CLIENT };
        let state = &self.links[link.index()];
        let carries = self.setup.model.links[link.index()].carries.contains(classes);
        carries && state.is_open(classes, true) && state.is_open(classes, false)
    }

    /// When the last link was cut that a group's nodes use among themselves, if one is cut at present.
    pub(super) fn cut_since(&self, from: NodeId, to: NodeId) -> Option<Instant> {
        if self.is_way_open(from, to, Classes::HEARTBEAT) {
            return None;
        }
        let routes = self.setup.routes(from, to);
        routes
            .iter()
            .flat_map(|route| &route.links)
            .filter(|(link, forward)| !self.links[link.index()].is_open(Classes::HEARTBEAT, *forward))
            .map(|(link, _)| self.links[link.index()].cut_at)
            .max()
    }
}
