//! Who takes a vacant slot.
//!
//! Every standby works it out for itself from what the others' heartbeats say, and takes the slot that falls to it. For
//! each vacant slot the newest data goes first: a copy in step; then the node that held the slot last (after an
//! outage of all of them, say), the higher activation number before the lower; then, only where the model allows it
//! (`stale_takeover`) or nobody has any other, a copy that is out of date. Among equals the order of the group decides. A node that never had a
//! copy of a slot does not take it. Where nothing out of date may take over, the last holder has to have heard all others: one that is
//! silent may have held the slot after it.
//!
//! A part whose only copy is at a node that serves another part stays vacant: no node gives its part up for it.

use super::{ActivePassive, Held, Known, State};
use crate::policy::contract::Ctx;
use crate::system::ids::NodeId;

/// A node that could take a vacant slot.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    node: NodeId,
    in_step: u32,
    had: u32,
    held: Option<Held>,
}

/// How new a candidate's data of a slot is, the newest first.
#[derive(Clone, Copy, Debug)]
enum Newest {
    InStep,
    LastHolder,
    Outdated,
}

impl Candidate {
    /// Whether its copy of a slot is in step.
    fn is_in_step(&self, slot: u8) -> bool {
        self.in_step & (1 << slot) != 0
    }

    fn had(&self, slot: u8) -> bool {
        self.had & (1 << slot) != 0
    }

    /// The activation number under which it held a slot, if that is the last one it held.
    fn last_held(&self, slot: u8) -> Option<u64> {
        self.held.filter(|held| held.slot == slot).map(|held| held.activation)
    }
}

impl ActivePassive {
    /// A slot that no trusted peer holds or takes, if it is this node's turn to take it. A peer that has not spoken
    /// yet may hold it; a node without data of a slot has nothing to serve while there is any left elsewhere.
    pub(super) fn vacancy(&self, ctx: &Ctx<'_, Self>) -> Option<u8> {
        let unheard = self.peers.iter().any(|peer| peer.known == Known::NotYet);
        if self.state != State::Standby || unheard {
            return None;
        }
        let trusted = || self.peers.iter().filter(|peer| peer.known == Known::Trusted);
        // What it has just handed over is taken, though its new holder's beats may not say so yet.
        let is_handed = |slot: u8, to: NodeId| self.handed == Some((slot, to));
        let is_taken = |slot: u8| {
            trusted().any(|peer| {
                let says = peer.last.active == Some(slot) || peer.last.taking == Some(slot);
                says || is_handed(slot, peer.node)
            })
        };
        let slots = 0..ctx.params.active;
        let mut vacant =
            slots.clone().filter(|&slot| !is_taken(slot)).fold(0_u32, |set, slot| set | 1 << slot);
        if vacant == 0 {
            return None;
        }
        let me = Candidate { node: ctx.me(), in_step: self.in_step, had: self.had, held: self.held };
        let free = || {
            trusted()
                .filter(|peer| peer.last.active.is_none() && peer.last.taking.is_none())
                .map(|peer| Candidate {
                    node: peer.node,
                    in_step: peer.last.in_step,
                    had: peer.last.had,
                    held: peer.last.held,
                })
                .chain([me])
        };
        // Those that another slot falls to, by place in the group.
        let mut provided = 0_u64;
        let (outdated_may, all_heard) = (ctx.params.stale_takeover, trusted().count() == self.peers.len());
        for newest in [Newest::InStep, Newest::LastHolder, Newest::Outdated] {
            let left = ctx.facts.data;
            let fits = |one: &Candidate, slot: u8| match newest {
                _ if one.node == ctx.me() && !left.suffices(slot) => None,
                Newest::InStep => one.is_in_step(slot).then_some(0),
                Newest::LastHolder => one.last_held(slot).filter(|_| outdated_may || all_heard),
                Newest::Outdated => {
                    let only = one.node == ctx.me() && left.is_only_here(slot);
                    (left.is_nowhere(slot) || only || (outdated_may && one.had(slot))).then_some(0)
                }
            };
            for slot in slots.clone() {
                if vacant & (1 << slot) == 0 {
                    continue;
                }
                let fitting = free()
                    .map(|one| (one, ctx.rank(one.node)))
                    .filter(|(_, rank)| provided & (1 << rank) == 0)
                    .filter_map(|(one, rank)| Some((fits(&one, slot)?, std::cmp::Reverse(rank))));
                let Some((_, std::cmp::Reverse(best))) = fitting.max() else { continue };
                if ctx.facts.members[best] == ctx.me() {
                    return Some(slot);
                }
                provided |= 1 << best;
                vacant &= !(1 << slot);
            }
        }
        None
    }

    /// The standby that is best placed to take a slot over.
    pub(super) fn successor(&self, slot: u8, ctx: &Ctx<'_, Self>) -> Option<NodeId> {
        self.peers
            .iter()
            .filter(|p| p.known == Known::Trusted && p.last.active.is_none() && p.last.taking.is_none())
            .filter(|p| p.last.in_step & (1 << slot) != 0)
            .min_by_key(|p| ctx.rank(p.node))
            .map(|p| p.node)
    }
}
