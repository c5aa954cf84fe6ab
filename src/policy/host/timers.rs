//! A policy's timers: on the monotonic clock or the wall clock, stopped with their process, overdue after a pause or
//! stopped during it.

use std::fmt::Debug;

use crate::engine::agenda::Slot;
use crate::engine::probe::Probe;
use crate::engine::sim;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::{Clock, Policy};
use crate::policy::facts::Fact;
use crate::system::ids::NodeId;

use super::{HostCtx, World, true_span};

/// Timers a policy can have at the same time.
const TIMERS: u8 = 8;

#[derive(Clone, Debug)]
struct Timer<K> {
    name: Option<K>,
    slot: Slot,
    /// When it fires.
    due: Instant,
    overdue: bool,
    /// What the wall clock will show then, where it runs on that.
    wall: Option<f64>,
}

/// The timers of one node's program.
#[derive(Clone, Debug)]
pub(super) struct Timers<K>(Vec<Timer<K>>);

impl<K: Copy + PartialEq> Timers<K> {
    pub(super) fn new(mut slot: impl FnMut(u8) -> Slot) -> Timers<K> {
        let timer =
            |index| Timer { name: None, slot: slot(index), due: Instant::NEVER, overdue: false, wall: None };
        Timers((0..TIMERS).map(timer).collect())
    }

    /// The timer of this name, or a free one.
    fn place(&mut self, name: K) -> &mut Timer<K> {
        let known = self.0.iter().position(|timer| timer.name == Some(name));
        let index = known.or_else(|| self.0.iter().position(|timer| timer.name.is_none()));
        &mut self.0[index.expect("a policy has at most eight timers at a time")]
    }

    pub(super) fn disarm<E: Copy>(&mut self, name: K, ctx: &mut sim::Ctx<'_, E>) {
        if let Some(timer) = self.0.iter_mut().find(|timer| timer.name == Some(name)) {
            timer.stop(ctx);
        }
    }

    /// The process is gone, and its timers with it.
    pub(super) fn clear<E: Copy>(&mut self, ctx: &mut sim::Ctx<'_, E>) {
        self.0.iter_mut().filter(|timer| timer.name.is_some()).for_each(|timer| timer.stop(ctx));
    }

    /// Their clock stood still for so long: those that run on it go on with what they had left.
    pub(super) fn stand_still<E: Copy>(&mut self, length: Span, ctx: &mut sim::Ctx<'_, E>) {
        for timer in self.0.iter_mut().filter(|timer| timer.name.is_some() && timer.wall.is_none()) {
            timer.overdue = false;
            timer.due = timer.due + length;
            ctx.arm(timer.slot, timer.due);
        }
    }

    /// One that came due while the node stood still.
    pub(super) fn take_overdue(&mut self) -> Option<u8> {
        let index = self.0.iter().position(|timer| timer.overdue)?;
        self.0[index].overdue = false;
        Some(index as u8)
    }
}

impl<K> Timer<K> {
    fn stop<E: Copy>(&mut self, ctx: &mut sim::Ctx<'_, E>) {
        self.name = None;
        self.overdue = false;
        ctx.disarm(self.slot);
    }
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn timer(&mut self, node: NodeId, index: u8, ctx: &mut HostCtx<'_, P>) {
        let state = &mut self.nodes[node.index()];
        let is_paused = state.is_paused();
        let timer = &mut state.timers.0[usize::from(index)];
        if is_paused {
            timer.overdue = true;
            return;
        }
        let Some(name) = timer.name.take() else { return };
        self.call(node, ctx, |program, c| program.on_timer(name, c));
    }

    pub(super) fn arm_timer(
        &mut self,
        node: NodeId,
        name: P::Timer,
        clock: Clock,
        after: Span,
        ctx: &mut HostCtx<'_, P>,
    ) {
        let now = ctx.now();
        let spec = &self.setup.model.nodes[node.index()].clock;
        let clocks = &self.clocks[node.index()];
        let wall = (clock == Clock::Wall).then(|| clocks.wall(spec, now) + after.as_secs());
        let at = match wall {
            Some(wall) => clocks.when_wall_shows(spec, now, wall),
            None => now + true_span(after, clocks.drift),
        };
        let timer = self.nodes[node.index()].timers.place(name);
        timer.name = Some(name);
        timer.overdue = false;
        timer.wall = wall;
        timer.due = at;
        ctx.arm(timer.slot, at);
    }

    /// A node's wall clock is set: its timers on it come earlier or later.
    pub(super) fn step_clock(&mut self, node: NodeId, secs: f64, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        let spec = &self.setup.model.nodes[node.index()].clock;
        let clocks = &mut self.clocks[node.index()];
        clocks.step(now, secs);
        for timer in &self.nodes[node.index()].timers.0 {
            if let (true, Some(wall)) = (timer.name.is_some() && !timer.overdue, timer.wall) {
                ctx.arm(timer.slot, clocks.when_wall_shows(spec, now, wall));
            }
        }
    }
}
