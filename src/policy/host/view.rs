//! A group's members as sets, read off the nodes once and asked many times.

use crate::engine::probe::Probe;
use crate::policy::contract::{Policy, Role};
use crate::policy::facts::Fact;
use crate::system::ids::GroupId;

use super::World;

/// What the members of a group are at one instant: bit m stands for the member at place m.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct View {
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
    /// Would accept a write of a part of the work if a client reached it, by part.
    pub(super) accepting: Vec<u64>,
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
    /// Whether everything is equal that a service which is up depends on: who accepts and answers, and who believes.
    fn is_equal_in_service(&self, other: &View) -> bool {
        self.accepting == other.accepting
            && self.blocked == other.blocked
            && self.reads == other.reads
            && self.active == other.active
    }

    /// Members that accept any part of the work.
    pub(super) fn accepting_any(&self) -> u64 {
        self.accepting.iter().fold(0, |all, set| all | set)
    }
}

impl<'s, P: Policy, T: Probe<Fact>> World<'s, P, T> {
    /// Reads a group's members off; says what differs from the last time.
    pub(super) fn read_view(&mut self, group: GroupId) -> Changed {
        let g = group.index();
        let mut view = std::mem::take(&mut self.groups[g].next_view);
        let slots = usize::from(self.setup.designs[g].slots);
        view.accepting.clear();
        view.accepting.resize(slots, 0);
        let View { running, starting, in_maintenance, active, reads, spare, withheld, blocked, accepting } =
            &mut view;
        (*running, *starting, *in_maintenance) = (0, 0, 0);
        (*active, *reads, *spare, *withheld, *blocked) = (0, 0, 0, 0, 0);
        for (member, node) in self.setup.model.groups[g].nodes.iter().enumerate() {
            let state = &self.nodes[node.index()];
            let bit = 1_u64 << member;
            let set = |holds: bool| if holds { bit } else { 0 };
            *in_maintenance |= set(state.in_maintenance());
            let Some(stance) = state.stance else {
                *starting |= set(state.is_starting());
                *running |= set(state.is_running());
                *spare |= set(state.is_running());
                continue;
            };
            *active |= set(stance.role == Role::Active);
            if !state.is_running() {
                continue;
            }
            *running |= bit;
            *reads |= set(stance.reads);
            match stance.accepts {
                Some(slot) if !stance.draining => accepting[usize::from(slot)] |= bit,
                Some(_) => {}
                None if stance.role == Role::Isolated => *withheld |= bit,
                None => *spare |= set(stance.role != Role::Idle),
            }
        }
        *blocked = self.blocked(group);
        let state = &mut self.groups[g];
        let changed = if view == state.view {
            Changed::Nothing
        } else if view.is_equal_in_service(&state.view) {
            Changed::Background
        } else {
            Changed::Service
        };
        state.next_view = std::mem::replace(&mut state.view, view);
        changed
    }
}
