//! Active-passive: heartbeats and takeover of an address, N active nodes with M standbys.
//!
//! ```text
//!            suspects the holder, is next in line          promoted
//!   Standby ───────────────────────────────▶ Taking ─────────────────▶ Active
//!      ▲        │ fencing: first power it off   │                         │
//!      │        └───────────────────────────────┘                         │
//!      │   hears the holder again (cancel_takeover)                       │
//!      └──── hears a newer activation of the same slot, or hands over ────┘
//! ```
//!
//! Sources: the classic Linux-HA heartbeat pair (keepalive, deadtime, initdead, failback), hot, warm and cold standby,
//! and N + M of the HA literature. A slot is one of the N parts of the work; the slots nobody trusted is known to hold
//! are vacant, and the free standbys take them in turn (`succession.rs`).
//!
//! *Timers*: time-out of heartbeats, takeover, hand-over, failback delay, retry of a failed fence, all monotonic.
//! *Claims*: with fencing that always works there is never a second active node. Without it the split brain lasts as
//! long as the cut that hides the nodes from each other, less the detection and takeover time.

use crate::engine::time::Span;
use crate::system::ids::NodeId;

use crate::policy::contract::{
    Bound, Bounds, Ctx, Design, Fencing, Notice, Phase, Policy, Role, Stance, Watching,
};
use crate::policy::registry::Named;

mod detector;
mod params;
mod succession;

use params::secs;
pub use params::{Params, Replicating};

/// One node of the group.
#[derive(Clone, Debug)]
pub struct ActivePassive {
    state: State,
    /// The slots whose copy is complete here, one bit each.
    in_step: u32,
    /// The slots of which it has ever had a complete copy.
    had: u32,
    /// The slot it holds or held last.
    held: Option<Held>,
    /// It has asked for its own slot back and waits.
    asks: bool,
    /// How long the takeover takes from where all that was received is applied.
    promotion: Span,
    /// The slot it has just handed over, and to whom, who has not said yet that it has it.
    handed: Option<(u8, NodeId)>,
    /// The highest activation number seen.
    activation: u64,
    peers: Vec<Peer>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Standby,
    /// Waiting for the power of these to be off, by place in the group.
    Fencing {
        slot: u8,
        waiting: u64,
    },
    Taking {
        slot: u8,
    },
    Active {
        slot: u8,
    },
    /// Handing a slot over to a peer.
    Draining {
        slot: u8,
        to: NodeId,
    },
}

/// What a node thinks of a peer.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Peer {
    node: NodeId,
    known: Known,
    last: Beacon,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    NotYet,
    Trusted,
    Suspected,
}

/// A slot that a node holds, or held last, and under which activation number: the higher, the newer its data.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Held {
    slot: u8,
    activation: u64,
}

/// Heartbeats after which a slot that was handed over is looked after again.
const HANDED_AFTER: u64 = 4;

/// What a heartbeat says.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Beacon {
    /// The slot it holds.
    active: Option<u8>,
    /// The slot it is taking.
    taking: Option<u8>,
    activation: u64,
    in_step: u32,
    had: u32,
    held: Option<Held>,
}

/// What survives a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Durable {
    activation: u64,
    had: u32,
    held: Option<Held>,
}

/// What nodes tell each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Message {
    /// The slot is yours: I have stopped serving it.
    Take {
        /// Which slot.
        slot: u8,
        /// The activation number it had.
        activation: u64,
    },
    /// I would like the slot back that is mine by order.
    HandBack {
        /// Which slot.
        slot: u8,
    },
}

/// Its timers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Timer {
    /// All that was received should be applied, and a person, where one is needed, has come.
    Applied,
    /// The takeover is complete.
    Promoted,
    /// What was under way has reached the copy.
    Drained,
    /// Long enough back to ask for the role.
    Failback,
    /// Order the fence again.
    Refence,
    /// Whoever was handed a slot should have said so by now.
    Handed,
}

crate::choice!(Params, ActivePassive, Params::fits);

impl Named for ActivePassive {
    const SUMMARY: &'static str =
        "heartbeats and takeover: hot, warm or cold standby, N active + M passive, with or without fencing";
}

impl ActivePassive {
    fn slot(&self) -> Option<u8> {
        match self.state {
            State::Active { slot } | State::Draining { slot, .. } => Some(slot),
            _ => None,
        }
    }

    fn taking(&self) -> Option<u8> {
        match self.state {
            State::Taking { slot } | State::Fencing { slot, .. } => Some(slot),
            _ => None,
        }
    }

    fn speak(&self, ctx: &mut Ctx<'_, Self>) {
        let beacon = Beacon {
            active: self.slot(),
            taking: self.taking(),
            activation: self.activation,
            in_step: self.in_step,
            had: self.had,
            held: self.held,
        };
        ctx.beacon(ctx.params.heartbeat, beacon);
    }

    fn peer(&mut self, node: NodeId) -> Option<&mut Peer> {
        self.peers.iter_mut().find(|peer| peer.node == node)
    }

    fn consider(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Some(slot) = self.vacancy(ctx) else { return };
        let mut waiting = 0_u64;
        if ctx.params.fencing {
            // Whoever is silent and held the slot, or may have held it.
            let silent = self.peers.iter().filter(|peer| peer.known == Known::Suspected);
            for peer in silent.filter(|p| p.last.active.is_none() || p.last.active == Some(slot)) {
                waiting |= 1 << ctx.rank(peer.node);
                ctx.fence(peer.node);
            }
        }
        if waiting == 0 {
            self.take(slot, ctx);
            return;
        }
        self.state = State::Fencing { slot, waiting };
        ctx.step(Phase::Fence);
        self.speak(ctx);
    }

    fn take(&mut self, slot: u8, ctx: &mut Ctx<'_, Self>) {
        self.state = State::Taking { slot };
        let covered = ctx.params.coverage >= 1.0 || ctx.uniform() < ctx.params.coverage;
        let params = ctx.params;
        let takes = ctx.draw(if covered { &params.takeover } else { &params.manual });
        ctx.step(if covered { Phase::Promote } else { Phase::Human });
        // All that was received is applied first (PostgreSQL manual, "Log-Shipping Standby Servers"). It goes on while a
        // person is on the way.
        let (person, promotion) = if covered { (Span::ZERO, takes) } else { (takes, Span::ZERO) };
        self.promotion = promotion;
        if person > Span::ZERO || params.replays() {
            ctx.arm(Timer::Applied, person.max(ctx.facts.data.unapplied(slot)));
            self.speak(ctx);
        } else {
            self.promote(slot, ctx);
        }
    }

    fn promote(&mut self, slot: u8, ctx: &mut Ctx<'_, Self>) {
        if self.promotion == Span::ZERO {
            self.activate(slot, ctx);
        } else {
            ctx.arm(Timer::Promoted, self.promotion);
            self.speak(ctx);
        }
    }

    fn stop_taking(&self, ctx: &mut Ctx<'_, Self>) {
        ctx.disarm(Timer::Applied);
        ctx.disarm(Timer::Promoted);
    }

    fn activate(&mut self, slot: u8, ctx: &mut Ctx<'_, Self>) {
        self.state = State::Active { slot };
        self.activation += 1;
        self.in_step |= 1 << slot;
        self.had |= 1 << slot;
        self.held = Some(Held { slot, activation: self.activation });
        self.asks = false;
        self.handed = None;
        self.persist(ctx);
        self.speak(ctx);
        if let Some(copying) = ctx.params.copying() {
            for peer in ctx.peers() {
                ctx.replicate(peer, copying.clone());
            }
        }
    }

    fn stand_by(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.state = State::Standby;
        self.in_step = ctx.params.always_in_step();
        self.stop_taking(ctx);
        ctx.disarm(Timer::Drained);
        ctx.stop_replicating();
        self.speak(ctx);
    }

    /// A peer says that it holds the slot this node holds or takes.
    fn contested(&mut self, peer: NodeId, theirs: Beacon, ctx: &mut Ctx<'_, Self>) {
        match self.state {
            State::Active { slot } | State::Draining { slot, .. } if theirs.active == Some(slot) => {
                // The higher activation number stays; equal ones go by the order of the group.
                let lose = (theirs.activation, std::cmp::Reverse(ctx.rank(peer)))
                    > (self.activation, std::cmp::Reverse(ctx.rank(ctx.me())));
                if lose {
                    ctx.surrender(peer);
                    self.activation = self.activation.max(theirs.activation);
                    self.stand_by(ctx);
                }
            }
            State::Taking { slot } | State::Fencing { slot, .. } => {
                let held = theirs.active == Some(slot) && ctx.params.cancel_takeover;
                let before_me = theirs.taking == Some(slot) && ctx.rank(peer) < ctx.rank(ctx.me());
                if held || before_me {
                    self.state = State::Standby;
                    self.stop_taking(ctx);
                    ctx.disarm(Timer::Refence);
                    self.speak(ctx);
                }
            }
            _ => {}
        }
    }

    fn persist(&self, ctx: &mut Ctx<'_, Self>) {
        ctx.persist(Durable { activation: self.activation, had: self.had, held: self.held });
    }

    /// The slots that a peer is known to hold.
    fn slots_of(&self, peer: NodeId, ctx: &Ctx<'_, Self>) -> u32 {
        let known = self.peers.iter().find(|p| p.node == peer);
        known.and_then(|p| p.last.active).map_or(u32::from(ctx.params.active == 1), |slot| 1 << slot)
    }

    /// Waits to ask for the slot that is this node's own by order, while somebody else holds it.
    fn ask_back(&mut self, ctx: &mut Ctx<'_, Self>) {
        let own = ctx.rank(ctx.me());
        let preferred = own < usize::from(ctx.params.active);
        if !ctx.params.failback || !preferred || self.asks || self.state != State::Standby {
            return;
        }
        let elsewhere =
            self.peers.iter().any(|p| p.known == Known::Trusted && p.last.active == Some(own as u8));
        if elsewhere && self.in_step & (1 << own) != 0 {
            self.asks = true;
            ctx.arm(Timer::Failback, ctx.params.failback_delay);
        }
    }

    fn hand_over(&mut self, slot: u8, to: NodeId, ctx: &mut Ctx<'_, Self>) {
        self.state = State::Draining { slot, to };
        ctx.arm(Timer::Drained, ctx.params.drain());
    }

    /// Tells the node that was handed a slot so, and waits for it to say that it takes it.
    fn offer(&self, ctx: &mut Ctx<'_, Self>) {
        let Some((slot, to)) = self.handed else { return };
        ctx.send(to, Message::Take { slot, activation: self.activation });
        ctx.arm(Timer::Handed, ctx.params.heartbeat.times(HANDED_AFTER));
    }

    /// Whether the node that was handed the only slot is thought to be there, and nobody has spoken of it: it may serve.
    fn may_have_taken(&self, ctx: &Ctx<'_, Self>) -> bool {
        let Some((slot, to)) = self.handed.filter(|_| ctx.params.active == 1) else { return false };
        let mut trusted = self.peers.iter().filter(|peer| peer.known == Known::Trusted);
        let speaks = |peer: &Peer| peer.last.active == Some(slot) || peer.last.taking == Some(slot);
        trusted.clone().any(|peer| peer.node == to) && !trusted.any(speaks)
    }
}

impl Policy for ActivePassive {
    const NAME: &'static str = "active-passive";
    type Params = Params;
    type Durable = Durable;
    type Message = Message;
    type Beacon = Beacon;
    type Timer = Timer;

    fn start(durable: &Durable, ctx: &mut Ctx<'_, Self>) -> Self {
        let first = ctx.facts.first_start;
        let peers = ctx
            .peers()
            .map(|node| Peer { node, known: Known::NotYet, last: Beacon::default() })
            .collect::<Vec<_>>();
        let rank = ctx.rank(ctx.me());
        let begins_active = first && rank < usize::from(ctx.params.active);
        let mut me = ActivePassive {
            state: State::Standby,
            // At the start of the run standbys are in step with everybody, active nodes with their own slot only.
            in_step: if first && !begins_active { u32::MAX } else { ctx.params.always_in_step() },
            had: durable.had
                | ctx.params.always_in_step()
                | if first && !begins_active { u32::MAX } else { 0 },
            held: durable.held,
            asks: false,
            promotion: Span::ZERO,
            handed: None,
            activation: durable.activation,
            peers,
        };
        // A standby that fails before anything has changed must know afterwards that it had a copy.
        me.persist(ctx);
        let armed = ctx.params.armed && !ctx.facts.after_fence;
        for peer in ctx.peers() {
            ctx.watch(peer, Watching::Beats { silence: ctx.params.silence(rank), armed });
        }
        if begins_active {
            me.activate(rank as u8, ctx);
        } else if ctx.facts.members.len() == 1 {
            me.take(0, ctx);
        } else {
            me.speak(ctx);
        }
        me
    }

    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Ctx<'_, Self>) {
        match message {
            Message::Take { slot, activation } => {
                self.activation = self.activation.max(activation);
                // It may have come late, when somebody else has taken the slot again.
                let is_taken = self.peers.iter().any(|peer| {
                    peer.known == Known::Trusted
                        && peer.last.active == Some(slot)
                        && peer.last.activation > activation
                });
                if self.state == State::Standby && !is_taken {
                    self.take(slot, ctx);
                }
            }
            Message::HandBack { slot } => {
                if self.state == (State::Active { slot }) {
                    self.hand_over(slot, from, ctx);
                }
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_, Self>) {
        match (timer, self.state) {
            (Timer::Applied, State::Taking { slot }) => match ctx.facts.data.unapplied(slot) {
                Span::ZERO => self.promote(slot, ctx),
                // It stood still in the meantime, or it was about to get more when it began.
                left => ctx.arm(Timer::Applied, left),
            },
            (Timer::Promoted, State::Taking { slot }) => self.activate(slot, ctx),
            (Timer::Drained, State::Draining { slot, to }) => {
                self.stand_by(ctx);
                self.handed = Some((slot, to));
                self.offer(ctx);
            }
            // The message was lost, or came to somebody who could not take it.
            (Timer::Handed, State::Standby) if ctx.params.fencing && self.may_have_taken(ctx) => {
                // Or its beats are: the slot is not taken back beside one that may serve it. It is offered again, until
                // that one speaks or is silent for long enough to be fenced.
                self.offer(ctx);
            }
            (Timer::Handed, state) => {
                self.handed = None;
                if state == State::Standby {
                    self.consider(ctx);
                }
            }
            (Timer::Failback, _) => {
                self.asks = false;
                let own = ctx.rank(ctx.me());
                let holder = self
                    .peers
                    .iter()
                    .find(|p| p.known == Known::Trusted && p.last.active.map(usize::from) == Some(own));
                if let (Some(holder), State::Standby) = (holder, self.state) {
                    ctx.send(holder.node, Message::HandBack { slot: own as u8 });
                    // Asked again if that is lost on the way.
                    self.asks = true;
                    ctx.arm(Timer::Failback, ctx.params.failback_delay.max(ctx.params.heartbeat));
                }
            }
            (Timer::Refence, State::Fencing { waiting, .. }) => {
                for (rank, &node) in ctx.facts.members.iter().enumerate() {
                    if waiting & (1 << rank) != 0 {
                        ctx.fence(node);
                    }
                }
            }
            _ => {}
        }
    }

    fn on_notice(&mut self, notice: Notice<Beacon>, ctx: &mut Ctx<'_, Self>) {
        match notice {
            Notice::Suspect { peer, .. } => {
                if let Some(peer) = self.peer(peer) {
                    peer.known = Known::Suspected;
                }
                self.consider(ctx);
            }
            Notice::Heard { peer, beacon, .. } => {
                if let Some(peer) = self.peer(peer) {
                    peer.known = Known::Trusted;
                    peer.last = beacon;
                }
                self.activation = match self.slot() {
                    Some(_) => self.activation,
                    None => self.activation.max(beacon.activation),
                };
                self.contested(peer, beacon, ctx);
                self.consider(ctx);
                self.ask_back(ctx);
            }
            Notice::InStep { peer, source: false } => {
                let slots = self.slots_of(peer, ctx);
                self.in_step |= slots;
                self.had |= slots;
                self.persist(ctx);
                self.speak(ctx);
                self.ask_back(ctx);
            }
            Notice::OutOfStep { peer } if self.state == State::Standby => {
                let slots = self.slots_of(peer, ctx);
                self.in_step &= !slots;
                self.speak(ctx);
            }
            Notice::Fenced { peer, worked } => {
                if let State::Fencing { slot, waiting } = self.state {
                    let waiting = if worked { waiting & !(1 << ctx.rank(peer)) } else { waiting };
                    self.state = State::Fencing { slot, waiting };
                    if !worked {
                        ctx.arm(Timer::Refence, ctx.params.fence_retry);
                    } else if waiting == 0 {
                        ctx.disarm(Timer::Refence);
                        self.take(slot, ctx);
                    }
                }
            }
            Notice::Changeover { to } => {
                let hears = |node: NodeId| {
                    self.peers.iter().any(|peer| peer.node == node && peer.known == Known::Trusted)
                };
                // Nobody hands over to a node that is not there.
                if let State::Active { slot } = self.state
                    && let Some(to) = match to.filter(|&to| to != ctx.me()) {
                        Some(to) => hears(to).then_some(to),
                        None => self.successor(slot, ctx),
                    }
                {
                    self.hand_over(slot, to, ctx);
                }
            }
            _ => {}
        }
    }

    fn stance(&self) -> Stance {
        let role = match self.state {
            State::Active { .. } | State::Draining { .. } => Role::Active,
            State::Taking { .. } | State::Fencing { .. } => Role::TakingOver,
            State::Standby if self.in_step != 0 => Role::Standby,
            State::Standby => Role::Syncing,
        };
        Stance {
            role,
            accepts: self.slot(),
            takes: self.taking(),
            draining: matches!(self.state, State::Draining { .. }),
            reads: matches!(self.state, State::Active { .. }),
            activation: self.activation,
        }
    }

    fn design(params: &Params, _: usize) -> Design {
        Design {
            slots: params.active,
            stores: params.replication != Replicating::None,
            required: u32::from(params.active),
            synchronous: params.replication == Replicating::Sync,
            phases: params.phases(),
            fencing: params.fencing.then(|| Fencing {
                delay: params.fence_delay.clone(),
                success: params.fence_success,
                off: params.fence_off,
            }),
            ..Design::default()
        }
    }

    fn bounds(params: &Params, members: usize) -> Bounds {
        let class = "one crash of the active node while its copies are in step with nothing piled up, nothing else until the takeover";
        let bound = |secs: f64, formula: String| Bound {
            secs: secs.is_finite().then_some(secs),
            formula,
            class: class.into(),
        };
        let loss_age = match params.replication {
            Replicating::None => None,
            Replicating::Sync => Some(bound(0.0, "0: acknowledged writes are on the standby".into())),
            Replicating::Async if params.catch_up_speed < 1.0 => {
                Some(bound(f64::INFINITY, "writes arise faster than they are carried: the lag grows".into()))
            }
            Replicating::Async => {
                let lag = params.lag.support_max();
                Some(bound(lag, format!("longest lag = {}", secs(lag))))
            }
            Replicating::Backup => {
                let (interval, time) = (params.backup_interval.as_secs(), params.backup_time.support_max());
                let formula = format!("backup interval + length = {} + {}", secs(interval), secs(time));
                Some(bound(interval + time, formula))
            }
        };
        let split_brain = if members == 1 {
            Bound::always(0.0, "0: one node")
        } else if params.fencing && params.active == 1 && members == 2 && params.cancel_takeover {
            Bound::always(0.0, "0: the silent node is off before its role is taken")
        } else if params.fencing {
            params.split_brain_of_takers()
        } else {
            params.split_brain()
        };
        Bounds { loss_age, split_brain }
    }
}
