//! Stepping: a world, its agenda and the time, as one value that can be cloned.

use std::fmt::Debug;

use super::agenda::{Agenda, CLASSES, Rank, Slot};
use super::time::Instant;

/// Everything that changes during a run. Clone it and you hold a snapshot.
///
/// ```
/// use failsim::engine::agenda::Rank;
/// use failsim::engine::sim::{Ctx, Simulation, Stop, World};
/// use failsim::engine::time::{Instant, Span};
///
/// #[derive(Clone)]
/// struct Clock { ticks: u32 }
/// #[derive(Clone, Copy, Debug)]
/// struct Tick;
///
/// impl World for Clock {
///     type Event = Tick;
///     fn handle(&mut self, _: Tick, ctx: &mut Ctx<'_, Tick>) {
///         self.ticks += 1;
///         ctx.push(ctx.now() + Span::from_whole_secs(1), Rank { class: 0, entity: 0 }, Tick);
///     }
/// }
///
/// let mut sim = Simulation::new(Clock { ticks: 0 });
/// sim.agenda().push(Instant::ZERO, Rank { class: 0, entity: 0 }, Tick);
/// assert_eq!(sim.run_until(Instant::ZERO + Span::from_whole_secs(10), 1_000), Stop::Time);
/// assert_eq!(sim.world.ticks, 11);
/// ```
pub trait World: Clone {
    /// What can happen: a small plain value.
    type Event: Copy + Debug;
    /// Carries one event out.
    fn handle(&mut self, event: Self::Event, ctx: &mut Ctx<'_, Self::Event>);
}

/// What an event may do besides changing the world: read the time and schedule.
#[derive(Debug)]
pub struct Ctx<'a, E> {
    now: Instant,
    agenda: &'a mut Agenda<E>,
    stop: &'a mut bool,
}

impl<'a, E: Copy> Ctx<'a, E> {
    /// The present instant.
    #[inline]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Schedules a plain event.
    ///
    /// # Panics
    /// If `time` lies in the past: that is a bug of the world.
    #[inline]
    pub fn push(&mut self, time: Instant, rank: Rank, event: E) {
        assert!(time >= self.now, "an event is scheduled in the past");
        self.agenda.push(time, rank, event);
    }

    /// Arms a timer slot.
    ///
    /// # Panics
    /// If `time` lies in the past: that is a bug of the world.
    #[inline]
    pub fn arm(&mut self, slot: Slot, time: Instant) {
        assert!(time >= self.now, "a timer is armed for the past");
        self.agenda.arm(slot, time);
    }

    /// Clears a timer slot.
    #[inline]
    pub fn disarm(&mut self, slot: Slot) {
        self.agenda.disarm(slot);
    }

    /// When a slot is to fire, [`Instant::NEVER`] if it is not armed.
    #[inline]
    pub fn deadline(&self, slot: Slot) -> Instant {
        self.agenda.deadline(slot)
    }

    /// A new timer slot that fires `event`.
    pub fn slot(&mut self, rank: Rank, event: E) -> Slot {
        self.agenda.slot(rank, event)
    }

    /// Ends the run after this event.
    #[inline]
    pub fn stop(&mut self) {
        *self.stop = true;
    }
}

/// Why stepping stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing more comes up to the limit; the time now is the limit.
    Time,
    /// So many events were handled.
    Events,
    /// The world asked for it.
    World,
}

/// World, clock and agenda. Cloning gives replay, branching and splitting for free.
#[derive(Clone, Debug)]
pub struct Simulation<W: World> {
    /// The world.
    pub world: W,
    agenda: Agenda<W::Event>,
    now: Instant,
    stop: bool,
}

impl<W: World> Simulation<W> {
    /// A world at time zero with nothing scheduled.
    pub fn new(world: W) -> Self {
        Simulation::build(|_| world)
    }

    /// A world that holds slots of its agenda from the start.
    pub fn build(make: impl FnOnce(&mut Agenda<W::Event>) -> W) -> Self {
        let mut agenda = Agenda::new();
        let world = make(&mut agenda);
        Simulation { world, agenda, now: Instant::ZERO, stop: false }
    }

    /// The agenda, to schedule the first events.
    pub fn agenda(&mut self) -> &mut Agenda<W::Event> {
        &mut self.agenda
    }

    /// Calls `begin` with the world and a context at the present instant: for set-up that schedules.
    pub fn set_up(&mut self, begin: impl FnOnce(&mut W, &mut Ctx<'_, W::Event>)) {
        let mut ctx = Ctx { now: self.now, agenda: &mut self.agenda, stop: &mut self.stop };
        begin(&mut self.world, &mut ctx);
    }

    /// Back to time zero with nothing scheduled and no slot: for another run in the room of one that is over.
    pub fn start_over(&mut self) {
        self.agenda.clear();
        self.now = Instant::ZERO;
        self.stop = false;
    }

    /// The present instant.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Events handled so far.
    pub fn events(&self) -> u64 {
        self.events_by_class().iter().sum()
    }

    /// The same by priority class.
    pub fn events_by_class(&self) -> [u64; CLASSES] {
        self.agenda.taken()
    }

    /// Handles the next event and says when it was; `None` if there is none.
    #[inline]
    pub fn step(&mut self) -> Option<Instant> {
        self.step_until(Instant::NEVER)
    }

    #[inline]
    fn step_until(&mut self, until: Instant) -> Option<Instant> {
        let (time, event) = self.agenda.pop(until)?;
        debug_assert!(time >= self.now, "time goes forward");
        self.now = time;
        let mut ctx = Ctx { now: time, agenda: &mut self.agenda, stop: &mut self.stop };
        self.world.handle(event, &mut ctx);
        Some(time)
    }

    /// Handles events up to and including `until`, at most `events_max` of them.
    #[inline]
    pub fn run_until(&mut self, until: Instant, events_max: u64) -> Stop {
        let mut left = events_max;
        while left > 0 {
            if self.step_until(until).is_none() {
                self.now = self.now.max(until);
                return Stop::Time;
            }
            if self.stop {
                return Stop::World;
            }
            left -= 1;
        }
        Stop::Events
    }
}
