//! A policy of one's own, in one file, with the whole command line of failsim around it.
//!
//! The protocol: two servers and a *witness*. The active server serves while it hears at least one of the other two.
//! The witness has one vote, and moves it to the other server when it has not heard the voted one for `timeout`. A
//! standby takes over when it has the vote *and* has itself not heard the active server for `timeout`. An active server
//! that hears nobody for `give_up`, which is shorter, stops by itself. So a cut that works in both directions never
//! gives two active servers, and nobody has to be powered off for it.
//!
//! *Source*: the quorum witness of cluster textbooks, made up for this example.
//! *Timers*: heartbeats and their two time-outs, takeover; all on the monotonic clock.
//! *Claims*: no split brain under symmetric cuts. A paused server wakes with stale beliefs: no promise about that.
//!
//! ```console
//! $ cargo run --release --example my_policy -- explain witnessed
//! $ cargo run --release --example my_policy -- run examples/my_policy.toml
//! ```
//!
//! What a policy needs is all here: a [`Table`] of parameters, `choice!` to make it selectable in a model file, [`Named`]
//! for lists, and [`Policy`], the program of one node. Heartbeats are *declared* (`beacon`, `watch`), so ten years of
//! them cost next to nothing; what is built from messages and timers by hand is simulated event by event.

use std::process::ExitCode;

use failsim::engine::dist::Law;
use failsim::engine::time::Span;
use failsim::input::{Key, Kind, Mark, Reader, Table};
use failsim::policy::contract::{Bound, Bounds, Ctx, Design, Notice, Phase, Policy, Role, Stance, Watching};
use failsim::policy::registry::{Either, Named, Shipped};
use failsim::service::detector::Silence;
use failsim::service::replication::{Copying, Level};
use failsim::system::ids::NodeId;

fn main() -> ExitCode {
    failsim::main::<Either<Witnessed, Shipped>>()
}

/// One node: a server, or the witness.
#[derive(Clone, Debug)]
struct Witnessed {
    state: State,
    peers: Vec<Peer>,
    /// The server that the witness votes for, by place in the group, as far as this node knows.
    vote: Option<u8>,
    /// Higher is newer: the role of whom survives when two servers meet that both believe to be active.
    activation: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Witness,
    Standby,
    Taking,
    Active,
    /// Was active and hears nobody.
    Alone,
}

/// What a node knows of another one.
#[derive(Clone, Copy, Debug)]
struct Peer {
    node: NodeId,
    heard: bool,
    says: Says,
}

/// What a heartbeat says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Says {
    active: bool,
    vote: Option<u8>,
    activation: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Timer {
    TakenOver,
}

/// The table `[groups.NAME.policy.witnessed]` of a model file.
#[derive(Clone, Debug, PartialEq)]
struct Params {
    heartbeat: Span,
    give_up: Span,
    timeout: Span,
    takeover: Law,
    lag: Law,
    first_copy: Law,
}

impl Table for Params {
    const KEYS: &'static [Key] =
        &[
            Key::new("heartbeat", Kind::SpanPositive, "Time between two heartbeats.").default(
                "1s",
                Mark::Assumption,
                "common practice",
            ),
            Key::new(
                "give_up",
                Kind::SpanPositive,
                "An active server that hears nobody for this long stops serving.",
            )
            .default("3s", Mark::Assumption, "three heartbeats"),
            Key::new("timeout", Kind::SpanPositive, "Silence after which a peer counts as failed.").default(
                "5s",
                Mark::Assumption,
                "`give_up` with a margin",
            ),
            Key::new("takeover", Kind::Law, "From the decision to take over until the service runs.")
                .default("1s", Mark::Assumption, "hot standby"),
            Key::new("lag", Kind::Law, "Time until a write has reached the standby.").default(
                "50ms",
                Mark::Assumption,
                "LAN, lightly loaded",
            ),
            Key::new("first_copy", Kind::Law, "Time to bring a returning server's copy up to date.").default(
                "2m",
                Mark::Assumption,
                "differences of a medium database over a LAN",
            ),
        ];

    fn read(r: &mut Reader<'_>) -> Self {
        let params = Params {
            heartbeat: r.span("heartbeat"),
            give_up: r.span("give_up"),
            timeout: r.span("timeout"),
            takeover: r.law("takeover"),
            lag: r.law("lag"),
            first_copy: r.law("first_copy"),
        };
        // Both count from the last beat they heard, which may be one interval apart.
        if params.timeout < params.give_up.saturating_add(params.heartbeat) {
            r.problem_at(
                "timeout",
                "a standby could take over before the active server has given up",
                "`give_up` and a `heartbeat` together, or more",
            );
        }
        params
    }
}

failsim::choice!(Params, Witnessed);

impl Named for Witnessed {
    const SUMMARY: &'static str = "two servers and a witness with one vote: who hears nobody stops by itself";
}

/// The first two members are the servers.
const SERVERS: usize = 2;

impl Witnessed {
    fn peer(&mut self, node: NodeId) -> &mut Peer {
        self.peers.iter_mut().find(|peer| peer.node == node).expect("notices speak of peers")
    }

    fn speak(&self, ctx: &mut Ctx<'_, Self>) {
        let active = self.state == State::Active;
        let says = Says { active, vote: self.vote, activation: self.activation };
        ctx.beacon(ctx.params.heartbeat, says);
    }

    /// Watches both others anew; what was heard so far stays heard until the time-out.
    fn watch(&self, silence: Span, ctx: &mut Ctx<'_, Self>) {
        for peer in ctx.peers() {
            ctx.watch(peer, Watching::Beats { silence: Silence::TimeOut(silence), armed: true });
        }
    }

    fn activate(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.state = State::Active;
        self.watch(ctx.params.give_up, ctx);
        self.activation += 1;
        ctx.persist((self.vote, self.activation));
        let copying = Copying {
            level: Level::Async { lag: ctx.params.lag.clone() },
            first: ctx.params.first_copy.clone(),
            patience: Span::from_whole_secs(60),
            speed: None,  // what a short stall has held up is sent at once
            replay: None, // and applied at once
        };
        if let Some(other) = ctx.peers().find(|&peer| ctx.rank(peer) < SERVERS) {
            ctx.replicate(other, copying);
        }
        self.speak(ctx);
    }

    fn stop(&mut self, state: State, ctx: &mut Ctx<'_, Self>) {
        self.state = state;
        self.watch(ctx.params.timeout, ctx);
        ctx.stop_replicating();
        ctx.disarm(Timer::TakenOver);
        self.speak(ctx);
    }

    /// Something was heard, or not heard any more.
    fn consider(&mut self, ctx: &mut Ctx<'_, Self>) {
        let me = ctx.rank(ctx.me()) as u8;
        let heard =
            |rank: u8| self.peers.iter().any(|peer| peer.heard && ctx.rank(peer.node) == usize::from(rank));
        match self.state {
            State::Witness => {
                let active = self.peers.iter().find(|peer| peer.heard && peer.says.active);
                let active = active.map(|peer| ctx.rank(peer.node) as u8);
                let voted = self.vote.filter(|&rank| heard(rank));
                // Who serves gets the vote back. Without this, a cut between the servers may find the vote with the
                // standby, and then both serve: `failsim replay` of the first run showed it.
                let wanted = active.or(voted).or((0..SERVERS as u8).find(|&rank| heard(rank)));
                if wanted.is_some() && wanted != self.vote {
                    self.vote = wanted;
                    ctx.persist((self.vote, self.activation));
                    self.speak(ctx);
                }
            }
            State::Active if !self.peers.iter().any(|peer| peer.heard) => self.stop(State::Alone, ctx),
            State::Alone if self.vote == Some(me) && heard(SERVERS as u8) => self.activate(ctx),
            State::Alone if self.peers.iter().any(|peer| peer.heard) => self.stop(State::Standby, ctx),
            State::Standby | State::Taking => {
                // The word of a witness that cannot be heard any more counts for nothing.
                let has_vote = self.vote == Some(me) && heard(SERVERS as u8);
                let alive = self.peers.iter().any(|peer| peer.heard && peer.says.active);
                match (self.state, has_vote && !alive) {
                    (State::Standby, true) => {
                        self.state = State::Taking;
                        let wait = ctx.draw(&ctx.params.takeover);
                        ctx.step(Phase::Promote);
                        ctx.arm(Timer::TakenOver, wait);
                    }
                    (State::Taking, false) => {
                        self.state = State::Standby;
                        ctx.disarm(Timer::TakenOver);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

impl Policy for Witnessed {
    const NAME: &'static str = "witnessed";
    type Params = Params;
    /// The vote, and the highest activation number.
    type Durable = (Option<u8>, u64);
    type Message = ();
    type Beacon = Says;
    type Timer = Timer;

    fn start(&(vote, activation): &Self::Durable, ctx: &mut Ctx<'_, Self>) -> Self {
        let peers = ctx
            .peers()
            .map(|node| Peer { node, heard: ctx.facts.first_start, says: Says::default() })
            .collect();
        let rank = ctx.rank(ctx.me());
        let state = if rank >= SERVERS { State::Witness } else { State::Standby };
        let vote = if ctx.facts.first_start { Some(0) } else { vote };
        let mut node = Witnessed { state, peers, vote, activation };
        if ctx.facts.first_start && rank == 0 {
            node.activate(ctx);
        } else {
            node.watch(ctx.params.timeout, ctx);
            node.speak(ctx);
        }
        node
    }

    fn on_message(&mut self, _: NodeId, (): (), _: &mut Ctx<'_, Self>) {}

    fn on_timer(&mut self, Timer::TakenOver: Timer, ctx: &mut Ctx<'_, Self>) {
        if self.state == State::Taking {
            self.activate(ctx);
        }
    }

    fn on_notice(&mut self, notice: Notice<Says>, ctx: &mut Ctx<'_, Self>) {
        match notice {
            Notice::Suspect { peer, .. } => self.peer(peer).heard = false,
            Notice::Heard { peer, beacon, .. } => {
                let rank = ctx.rank(peer);
                let known = self.peer(peer);
                (known.heard, known.says) = (true, beacon);
                if rank >= SERVERS {
                    self.vote = beacon.vote;
                }
                let newer = beacon.activation > self.activation;
                if self.state == State::Active && beacon.active && newer {
                    ctx.surrender(peer);
                    self.stop(State::Standby, ctx);
                }
                if self.state != State::Active && newer {
                    self.activation = beacon.activation;
                    ctx.persist((self.vote, self.activation));
                    if self.state == State::Witness {
                        self.speak(ctx); // a server that comes back while the other is down learns it from here
                    }
                }
            }
            _ => return,
        }
        self.consider(ctx);
    }

    fn stance(&self) -> Stance {
        let serves = self.state == State::Active;
        Stance {
            role: match self.state {
                State::Witness => Role::Idle,
                State::Standby => Role::Standby,
                State::Taking => Role::TakingOver,
                State::Active => Role::Active,
                State::Alone => Role::Isolated,
            },
            accepts: serves.then_some(0),
            takes: (self.state == State::Taking).then_some(0),
            draining: false,
            reads: serves,
            activation: self.activation,
        }
    }

    fn design(_: &Params, _: usize) -> Design {
        Design::default() // one writes, its writes are stored, clients find whichever node accepts
    }

    fn bounds(params: &Params, _: usize) -> Bounds {
        let lag = params.lag.support_max();
        Bounds {
            loss_age: Some(Bound {
                secs: lag.is_finite().then_some(lag),
                formula: format!("longest lag = {}", Span::from_secs_saturating(lag)),
                class: "one crash of the active server while the other one's copy is in step".into(),
            }),
            split_brain: Bound {
                secs: Some(0.0),
                formula: "0: who hears nobody has stopped before anybody takes over".into(),
                class: "cuts in both directions, no pauses".into(),
            },
        }
    }
}
