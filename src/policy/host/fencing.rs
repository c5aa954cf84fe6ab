//! Fencing: powering a node off from outside, and its return.

use crate::engine::probe::Probe;
use crate::policy::contract::{Notice, Policy};
use crate::policy::facts::Fact;
use crate::system::ids::NodeId;
use crate::system::spec::Scope;

use super::{Event, HostCtx, World, class};

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    pub(super) fn fence(&mut self, by: NodeId, peer: NodeId, ctx: &mut HostCtx<'_, P>) {
        let Some((group, _)) = self.setup.member[by.index()] else { return };
        let Some(fencing) = &self.setup.designs[group.index()].fencing else { return };
        let delay = fencing.delay.sample(self.nodes[by.index()].messages.uniform());
        ctx.push(ctx.now() + delay, Self::rank(class::SERVICE, by.index()), Event::Fence { by, peer });
    }

    pub(super) fn fence_ends(&mut self, by: NodeId, peer: NodeId, ctx: &mut HostCtx<'_, P>) {
        let Some((group, _)) = self.setup.member[by.index()] else { return };
        let Some(fencing) = &self.setup.designs[group.index()].fencing else { return };
        // The order is with the fence device: it is carried out even if whoever gave it has died since.
        let worked = self.nodes[by.index()].messages.uniform() < fencing.success;
        if worked {
            if !self.nodes[peer.index()].fenced {
                self.nodes[peer.index()].fenced = true;
                self.nodes[peer.index()].after_fence = true;
                ctx.push(
                    ctx.now() + fencing.off,
                    Self::rank(class::HARDWARE, peer.index()),
                    Event::Unfence(peer),
                );
            }
            self.process_dies(peer, ctx);
        }
        if self.nodes[by.index()].program.is_some() {
            self.notify(by, Notice::Fenced { peer, worked }, ctx);
        }
    }

    pub(super) fn unfence(&mut self, node: NodeId, ctx: &mut HostCtx<'_, P>) {
        self.nodes[node.index()].fenced = false;
        self.power_on(node, Scope::Host, ctx);
    }
}
