//! A group's members as sets, read off the nodes once and asked many times.

use crate::engine::probe::Probe;
use crate::policy::contract::{Policy, Role, Stance};
use crate::policy::facts::Fact;
use crate::system::ids::GroupId;

use super::World;

/// What the members of a group are at one instant: bit m stands for the member at place m.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Members {
    /// The process exists and is not paused.
    pub(super) running: u64,
    /// On its way up, by itself.
    pub(super) starting: u64,
    pub(super) in_maintenance: u64,
    /// Believes to be active.
    pub(super) active: u64,
    /// Runs and answers reads.
    pub(super) reads: u64,
    /// Runs, accepts nothing and is there to take over.
    pub(super) spare: u64,
    /// Runs, but is cut off and withholds itself: it may not act alone.
    pub(super) withheld: u64,
    /// Writes wait for a copy that cannot be reached.
    pub(super) blocked: u64,
}

/// The same, and who serves what.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) of: Members,
    /// Would accept a write of a part of the work if a client reached it, by part.
    pub(super) accepting: Vec<u64>,
    /// Room for the next look.
    next: Vec<u64>,
}

/// How a view differs from the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    Nothing,
    /// Only what explains an outage: who is about to start, stands by or is being worked on.
    Background,
    Service,
}

impl View {
    pub(super) fn new(slots: usize) -> View {
        View { of: Members::default(), accepting: vec![0; slots], next: vec![0; slots] }
    }

    /// Members that accept any part of the work.
    pub(super) fn accepting_any(&self) -> u64 {
        self.accepting.iter().fold(0, |all, set| all | set)
    }
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// Reads a group's members off; says what differs from the last time.
    pub(super) fn read_view(&mut self, group: GroupId) -> Changed {
        let blocked = self.blocked(group);
        let state = &mut self.groups[group.index()];
        let mut of = Members { blocked, ..Members::default() };
        let accepting = &mut state.view.next;
        accepting.fill(0);
        for (member, node) in self.setup.model.groups[group.index()].nodes.iter().enumerate() {
            let state = &self.nodes[node.index()];
            let bit = 1_u64 << member;
            let set = |holds: bool| u64::from(holds) << member;
            let running = state.is_running();
            of.in_maintenance |= set(state.in_maintenance());
            of.running |= set(running);
            let Some(stance) = state.stance else {
                of.starting |= set(state.is_starting());
                of.spare |= set(running);
                continue;
            };
            of.active |= set(stance.role == Role::Active);
            if !running {
                continue;
            }
            of.reads |= set(stance.reads);
            match stance.accepts {
                Some(slot) if !stance.draining => accepting[usize::from(slot)] |= bit,
                Some(_) => {}
                None if stance.role == Role::Isolated => of.withheld |= bit,
                None => of.spare |= set(stance.role != Role::Idle),
            }
        }
        let view = &mut state.view;
        let before = std::mem::replace(&mut view.of, of);
        std::mem::swap(&mut view.accepting, &mut view.next);
        // What a service that is up depends on: who accepts and answers, and who believes.
        let in_service = |of: &Members| (of.blocked, of.reads, of.active);
        if !view.accepting.iter().eq(&view.next) || in_service(&before) != in_service(&of) {
            Changed::Service
        } else if before != of {
            Changed::Background
        } else {
            Changed::Nothing
        }
    }
}

/// A stance without what the view does not tell apart.
pub(super) fn in_view(stance: Stance) -> Stance {
    let role = match stance.role {
        Role::Active | Role::Isolated | Role::Idle => stance.role,
        Role::Starting | Role::Syncing | Role::Standby | Role::TakingOver | Role::Peer => Role::Standby,
    };
    Stance { role, activation: 0, ..stance }
}

/// The members of a set, in order.
pub(super) fn members(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let member = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(member)
    })
}

/// How many members a set has. They are few, and counting them is faster than counting all the bits of a word.
#[inline]
pub(super) fn size(mut set: u64) -> u32 {
    let mut size = 0;
    while set != 0 {
        set &= set - 1;
        size += 1;
    }
    size
}
