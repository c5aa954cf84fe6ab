//! Standing still: a process that is paused keeps all it has, and goes on with what has come in the meantime. Its
//! monotonic clock has run on, or has stood still with it (`timers_after_pause`).

use crate::engine::probe::Probe;
use crate::engine::time::Span;
use crate::policy::contract::Policy;
use crate::policy::facts::Fact;
use crate::system::ids::NodeId;

use super::{HostCtx, World};

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn pause(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        if self.nodes[node.index()].program.is_none() {
            return self.surroundings_changed(node, ctx); // its host may be pinged all the same
        }
        self.nodes[node.index()].stopped = now;
        self.emit(now, Fact::Pause { node, paused: true });
        self.serving_stops(node, false, ctx);
        self.surroundings_changed(node, ctx);
        self.evaluate_of(node);
    }

    /// Back from a pause: overdue timers once each, then what the detectors and others had to tell, then queued messages,
    /// and only then clients. Where the clock stood still with the process, nothing is overdue.
    pub(super) fn resume(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        let now = ctx.now();
        if self.nodes[node.index()].program.is_none() {
            return self.start_goes_on(node, ctx); // it may have come due in the meantime
        }
        self.emit(now, Fact::Pause { node, paused: false });
        self.replay_goes_on(node, now);
        self.serving_resumes(node, now);
        let length = now.since(self.nodes[node.index()].stopped);
        if self.setup.model.nodes[node.index()].freezes {
            self.stand_still(node, length, ctx);
        } else if let Some(beacon) = &mut self.nodes[node.index()].beacon {
            // The beat that was due goes out now, and the loop goes on from here.
            beacon.first = now;
        }
        while let Some(index) = self.nodes[node.index()].timers.take_overdue() {
            self.timer(node, index, ctx);
        }
        self.surroundings_changed(node, ctx);
        for notice in std::mem::take(&mut self.nodes[node.index()].notices) {
            self.notify(node, notice, ctx);
        }
        for (from, message) in std::mem::take(&mut self.nodes[node.index()].queue) {
            self.call(node, ctx, |program, c| program.on_message(from, message, c));
        }
        self.requests_resume(node, length, ctx);
        self.serving_goes_on(node, now);
        self.evaluate_of(node);
    }

    /// A node's monotonic clock stood still for so long, up to now, and whatever goes by it with it.
    fn stand_still(&mut self, node: NodeId, length: Span, ctx: &mut HostCtx<'_, P>) {
        let state = &mut self.nodes[node.index()];
        state.still += length;
        state.timers.stand_still(length, ctx);
        if let Some(beacon) = &mut state.beacon {
            beacon.first = beacon.first + length;
        }
        self.watches_stand_still(node, length, ctx.now());
    }
}
