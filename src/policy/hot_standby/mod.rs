//! Hot standby: a Main and a Standby server, the Geo SCADA Expert pair.
//!
//! ```text
//!   Starting ──hears a Main──▶ Syncing ──first pass──▶ Standby ──Main silent, host answers──▶ Taking ─▶ Main
//!      │ nobody answers                                    │ silent, every ping too (isolated)
//!      └───────────────▶ Taking                            ├─ "become-main" ─▶ Taking     (Main-Main possible)
//!                                                          └─ "remain" ─▶ Isolated ─ heard again ─▶ Syncing/Standby
//!   Main ── hears another Main ──▶ arbitration ──▶ the loser: Syncing, its data overwritten (merged in Duty mode)
//! ```
//!
//! Source: Geo SCADA Expert help, Server Administration Guide, "Hot-Standby Pair Architecture", "Main-Main and
//! Main-Main-Main Situations", "Define the Server's Arbitration Priority", "Monitoring Standby Servers with ICMP and
//! Heartbeat Polling", "Short Pass" (editions 2019 to 2022); Duty mode from the sibling Plant SCADA alarm server.
//!
//! *Arbitration* goes by time as Main in the end (see `arbitration.rs` for the whole order). Both totals run during the
//! split, so the winner is fixed by the history before it, not by which side could reach the plant: unless the Main
//! that was cut off was isolated and forfeits ("become-standby"). It remembers that until it has met a Standby. The
//! first server of the group compares and tells the other one.
//!
//! *The server link* is watched by heartbeats and by polls of the partner's server process; whichever fails first is its
//! failure. A process that ends on a host that lives, or is stopped, resets its connections: that is noticed at once.
//!
//! *Isolation* needs both the server link and every ping to fail: of the partner's host and of the further hosts that
//! the group names (`ping_hosts`). A link that fails while any of them answers means that the server process is not
//! running there. Triple Standby and Permanent Standby servers are not modelled: more than two nodes are refused.
//!
//! *Timers*, all monotonic: connect time-out after a start, driver start, time for the echo, arbitration, the last pass
//! of a changeover.
//!
//! *Claims*: with "become-main" a split brain lasts from detection and takeover until after the link is back and
//! arbitration is over: no timer bounds it. With "remain" no cut makes one, but a pause can.

use crate::engine::time::Span;
use crate::service::detector::Silence;
use crate::system::ids::NodeId;

use crate::policy::contract::{
    Bound, Bounds, Ctx, Design, Notice, Phase, Policy, Role, Sense, Stance, Watching,
};
use crate::policy::registry::Named;

mod arbitration;
mod params;

pub use arbitration::Claim;
pub use params::Params;

/// One server of the pair.
#[derive(Clone, Debug)]
pub struct HotStandby {
    state: State,
    activation: u64,
    /// Time as Main before the present spell, by its own clock.
    main_before: Span,
    main_since: Span,
    /// The partner's heartbeats, its answers to the monitor's polls and to pings have failed.
    beats_silent: bool,
    poll_silent: bool,
    echo_silent: bool,
    /// Further hosts that do not answer pings, in the order of the group's `ping_hosts`.
    hosts_silent: Vec<bool>,
    /// As Main it lost partner, ping and all, and has not met a Standby since.
    was_isolated: bool,
    peer: Option<Beacon>,
    /// The echo has had its time since the link fell silent.
    echo_had_its_time: bool,
    /// The outcome of the comparison with another Main that was heard.
    wins: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Starting,
    Syncing,
    Standby,
    Isolated,
    Taking,
    Main,
    /// A last pass before the peer becomes Main.
    Draining,
}

/// What is on its disk of its time as Main, where that is to outlive a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MainTime {
    /// Of the spells that are over.
    before: Span,
    /// The uptime at which the present spell began. Its end is the last that this life's log tells of.
    since: Option<Span>,
}

impl MainTime {
    fn after(self, uptime: Span) -> Span {
        self.before + self.since.map_or(Span::ZERO, |since| uptime.saturating_sub(since))
    }
}

/// What its heartbeats say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beacon {
    /// It is Main.
    main: bool,
    /// It is becoming Main.
    taking: bool,
    /// It has just started and is no Standby yet.
    starting: bool,
    in_step: bool,
    activation: u64,
}

/// What servers tell each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Message {
    /// For arbitration.
    Claim(Claim),
    /// The receiver has lost.
    YouLose,
    /// The receiver is to become Main: the sender has stopped.
    Take {
        /// The activation number so far.
        activation: u64,
    },
}

/// Its timers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Timer {
    /// Nobody has answered since the start.
    Alone,
    /// The drivers run.
    Promoted,
    /// The echo has had time to fail too.
    EchoDue,
    /// Arbitration is over.
    Arbitrated,
    /// The last pass is over.
    Drained,
}

crate::choice!(Params, HotStandby, Params::fits);

impl Named for HotStandby {
    const SUMMARY: &'static str = "the Geo SCADA pair: Main and Standby with periodic passes, isolation by link and pings, arbitration by time as Main";
}

impl HotStandby {
    fn is_main(&self) -> bool {
        matches!(self.state, State::Main | State::Draining)
    }

    fn main_time(&self, ctx: &Ctx<'_, Self>) -> Span {
        let now =
            if self.is_main() { ctx.facts.uptime().saturating_sub(self.main_since) } else { Span::ZERO };
        self.main_before + now
    }

    fn note_main_time(&self, since: Option<Span>, ctx: &mut Ctx<'_, Self>) {
        if ctx.params.main_time_survives_restart {
            ctx.persist(MainTime { before: self.main_before, since });
        }
    }

    fn speak(&self, ctx: &mut Ctx<'_, Self>) {
        let beacon = Beacon {
            main: self.is_main(),
            taking: self.state == State::Taking,
            starting: self.state == State::Starting,
            in_step: self.state == State::Standby,
            activation: self.activation,
        };
        ctx.beacon(ctx.params.heartbeat, beacon);
    }

    fn enter(&mut self, state: State, ctx: &mut Ctx<'_, Self>) {
        self.state = state;
        self.speak(ctx);
    }

    /// A server without data has nothing to serve while there is any left elsewhere: it goes on waiting.
    fn take_over(&mut self, ctx: &mut Ctx<'_, Self>) {
        if !ctx.facts.data.suffices(0) {
            if self.state == State::Starting {
                ctx.arm(Timer::Alone, ctx.params.connect_timeout);
            }
            return;
        }
        ctx.step(Phase::Promote);
        let params = ctx.params;
        let wait = ctx.draw(&params.driver_start);
        ctx.arm(Timer::Promoted, wait);
        self.enter(State::Taking, ctx);
    }

    fn become_main(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.activation += 1;
        self.was_isolated = self.is_isolated();
        self.main_since = ctx.facts.uptime();
        self.note_main_time(Some(self.main_since), ctx);
        self.enter(State::Main, ctx);
        let copying = ctx.params.copying();
        for peer in ctx.peers() {
            ctx.replicate(peer, copying.clone());
            // It may have taken over although it hears the other Main: the way back was cut.
            if !self.beats_silent && self.peer.is_some_and(|peer| peer.main) {
                self.meet(peer, ctx);
            }
        }
    }

    /// Another Main is heard.
    fn meet(&mut self, peer: NodeId, ctx: &mut Ctx<'_, Self>) {
        let claim = self.claim(ctx);
        ctx.send(peer, Message::Claim(claim));
        if self.compares(ctx) {
            let params = ctx.params;
            let wait = ctx.draw(&params.arbitration);
            ctx.arm(Timer::Arbitrated, wait);
        }
    }

    fn step_down(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.main_before = self.main_time(ctx);
        self.note_main_time(None, ctx);
        self.was_isolated = false;
        ctx.disarm(Timer::Arbitrated);
        ctx.disarm(Timer::Drained);
        ctx.stop_replicating();
        self.enter(State::Syncing, ctx);
    }

    fn is_link_silent(&self) -> bool {
        self.beats_silent || self.poll_silent
    }

    /// No host answers a ping: neither the partner's nor any of the further ones.
    fn is_ping_silent(&self) -> bool {
        self.echo_silent && self.hosts_silent.iter().all(|silent| *silent)
    }

    /// Isolation needs both, the server link and every ping, to fail.
    fn is_isolated(&self) -> bool {
        self.is_link_silent() && self.is_ping_silent()
    }

    /// The server link is silent: what that means depends on who answers a ping.
    fn judge_silence(&mut self, ctx: &mut Ctx<'_, Self>) {
        if !self.is_link_silent() || !matches!(self.state, State::Standby | State::Syncing) {
            return;
        }
        // Pings run all the time; they need this much longer than the link to have had every attempt.
        let more = ctx.params.echo_time().saturating_sub(ctx.params.heartbeat_timeout);
        if more > Span::ZERO && !self.is_ping_silent() && !self.echo_had_its_time {
            ctx.arm(Timer::EchoDue, more);
            return;
        }
        if !self.is_ping_silent() || ctx.params.become_main {
            self.take_over(ctx);
        } else {
            self.enter(State::Isolated, ctx);
        }
    }

    /// Something watched has fallen silent.
    fn lost(&mut self, peer: NodeId, by: Sense, ctx: &mut Ctx<'_, Self>) {
        match by {
            Sense::Beats => self.beats_silent = true,
            Sense::Poll => self.poll_silent = true,
            Sense::Echo => self.note_echo(peer, true, ctx),
            Sense::Connection => {
                // The partner's process has ended on a host that lives: no question of isolation.
                let led = self.peer.take().is_none_or(|peer| peer.main || peer.taking);
                if led && matches!(self.state, State::Standby | State::Syncing) {
                    self.take_over(ctx);
                }
                return;
            }
        }
        if self.is_main() && self.is_isolated() {
            self.was_isolated = true;
        }
        let has_time = self.echo_had_its_time || ctx.params.echo_time() <= ctx.params.heartbeat_timeout;
        if by != Sense::Echo || has_time {
            self.judge_silence(ctx);
        }
    }

    fn note_echo(&mut self, host: NodeId, silent: bool, ctx: &Ctx<'_, Self>) {
        match ctx.facts.ping_hosts.iter().position(|&known| known == host) {
            Some(index) => self.hosts_silent[index] = silent,
            None => self.echo_silent = silent,
        }
    }

    fn heard(&mut self, peer: NodeId, beacon: Beacon, ctx: &mut Ctx<'_, Self>) {
        (self.beats_silent, self.poll_silent) = (false, false);
        self.echo_had_its_time = false;
        self.was_isolated &= beacon.main || beacon.taking;
        self.peer = Some(beacon);
        self.activation =
            if self.is_main() { self.activation } else { self.activation.max(beacon.activation) };
        ctx.disarm(Timer::EchoDue);
        match self.state {
            State::Starting if beacon.main => {
                ctx.disarm(Timer::Alone);
                self.enter(State::Syncing, ctx);
            }
            State::Starting if beacon.starting && !self.compares(ctx) => {
                let claim = self.claim(ctx);
                ctx.send(peer, Message::Claim(claim));
            }
            // It was Main, and has started anew before its silence was noticed.
            State::Standby if beacon.starting => self.take_over(ctx),
            State::Taking if beacon.main => {
                // The Main is alive after all: nothing has been taken yet.
                ctx.disarm(Timer::Promoted);
                self.enter(State::Syncing, ctx);
            }
            State::Isolated => {
                self.enter(State::Syncing, ctx);
                if !beacon.main && !beacon.taking {
                    self.take_over(ctx);
                }
            }
            State::Syncing | State::Standby if !beacon.main && !beacon.taking && !beacon.starting => {
                // Neither is Main or about to be: the one in step takes over, else whoever comes first.
                let mine = self.state == State::Standby;
                if mine & !beacon.in_step || (mine == beacon.in_step && self.comes_first(peer, ctx)) {
                    self.take_over(ctx);
                }
            }
            State::Taking if beacon.taking && !self.comes_first(peer, ctx) => {
                ctx.disarm(Timer::Promoted);
                self.enter(State::Syncing, ctx);
            }
            State::Main if beacon.main => self.meet(peer, ctx),
            _ => {}
        }
    }

    /// The loser is told, or tells itself, and both know.
    fn end_arbitration(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Some(peer) = ctx.peers().next() else { return };
        if self.beats_silent || !self.peer.is_some_and(|peer| peer.main) {
            self.wins = None; // cut off again: the next meeting decides
            return;
        }
        match self.wins.take() {
            Some(true) => {
                ctx.send(peer, Message::YouLose);
                // Said again until the other has heard it.
                self.wins = Some(true);
                ctx.arm(Timer::Arbitrated, ctx.params.heartbeat);
            }
            Some(false) => {
                ctx.surrender(peer);
                self.step_down(ctx);
            }
            None => {
                // The other's claim was lost on the way: ask for it by claiming again.
                let claim = self.claim(ctx);
                ctx.send(peer, Message::Claim(claim));
                ctx.arm(Timer::Arbitrated, ctx.params.heartbeat);
            }
        }
    }

    /// Of two servers that are no Main, neither of which has told its claim.
    fn comes_first(&self, peer: NodeId, ctx: &Ctx<'_, Self>) -> bool {
        let order = |node: NodeId| (self.priority(node, ctx), ctx.name(node));
        order(ctx.me()) > order(peer)
    }

    /// The first server of the group compares the claims, and tells the other one.
    fn compares(&self, ctx: &Ctx<'_, Self>) -> bool {
        ctx.rank(ctx.me()) == 0
    }

    fn priority(&self, node: NodeId, ctx: &Ctx<'_, Self>) -> i32 {
        ctx.params.priorities.get(ctx.rank(node)).copied().unwrap_or(0)
    }

    fn claim(&self, ctx: &Ctx<'_, Self>) -> Claim {
        Claim {
            has_data: ctx.facts.data.is_here(0),
            forfeits: ctx.params.main_forfeits && self.was_isolated,
            priority: self.priority(ctx.me(), ctx),
            main_time: self.main_time(ctx),
            running: ctx.facts.uptime(),
        }
    }

    /// The other server's claim has come.
    fn claimed(&mut self, from: NodeId, theirs: &Claim, ctx: &mut Ctx<'_, Self>) {
        let mine = self.claim(ctx);
        let wins = mine.wins(ctx.name(ctx.me()), theirs, ctx.name(from));
        match self.state {
            // Until arbitration is over both stay Main.
            State::Main if self.compares(ctx) => self.wins = Some(wins),
            // It has not heard this node's claim yet, or asks for it again.
            State::Main => ctx.send(from, Message::Claim(mine)),
            State::Starting if self.compares(ctx) && wins => {
                ctx.disarm(Timer::Alone);
                self.take_over(ctx);
            }
            State::Starting if self.compares(ctx) => {
                ctx.send(from, Message::Take { activation: self.activation });
            }
            _ => {}
        }
    }
}

impl Policy for HotStandby {
    const NAME: &'static str = "hot-standby";
    type Params = Params;
    type Durable = MainTime;
    type Message = Message;
    type Beacon = Beacon;
    type Timer = Timer;

    fn start(durable: &MainTime, ctx: &mut Ctx<'_, Self>) -> Self {
        let mut me = HotStandby {
            state: State::Starting,
            activation: 0,
            main_before: durable.after(ctx.facts.uptime_before()),
            main_since: Span::ZERO,
            beats_silent: false,
            poll_silent: false,
            echo_silent: false,
            hosts_silent: vec![false; ctx.facts.ping_hosts.len()],
            was_isolated: false,
            peer: None,
            echo_had_its_time: false,
            wins: None,
        };
        me.note_main_time(None, ctx);
        let first = ctx.facts.first_start;
        let params = ctx.params;
        let ping = Watching::Echo(params.ping());
        for peer in ctx.peers() {
            // A server that has just started waits for the connect time-out instead.
            let silence = Silence::TimeOut(params.heartbeat_timeout);
            ctx.watch(peer, Watching::Beats { silence, armed: first });
            let (every, timeout) = (params.monitor_poll, params.monitor_timeout);
            ctx.watch(peer, Watching::Poll { every, timeout, armed: first });
            ctx.watch(peer, Watching::Connection { within: params.reset_time });
            ctx.watch(peer, ping);
        }
        for &host in ctx.facts.ping_hosts {
            ctx.watch(host, ping);
        }
        match (first, ctx.rank(ctx.me())) {
            (true, 0) => me.become_main(ctx),
            (true, _) => me.enter(State::Standby, ctx),
            (false, _) => {
                ctx.arm(Timer::Alone, params.connect_timeout);
                me.enter(State::Starting, ctx);
            }
        }
        me
    }

    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Ctx<'_, Self>) {
        match message {
            Message::Claim(claim) => self.claimed(from, &claim, ctx),
            Message::YouLose => {
                if self.state == State::Main {
                    ctx.surrender(from);
                    self.step_down(ctx);
                }
            }
            Message::Take { activation } => {
                self.activation = self.activation.max(activation);
                if matches!(self.state, State::Standby | State::Syncing | State::Starting) {
                    ctx.disarm(Timer::Alone);
                    self.take_over(ctx);
                }
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut Ctx<'_, Self>) {
        match (timer, self.state) {
            (Timer::Alone, State::Starting) => self.take_over(ctx),
            (Timer::Promoted, State::Taking) => self.become_main(ctx),
            (Timer::EchoDue, _) => {
                self.echo_had_its_time = true;
                self.judge_silence(ctx);
            }
            (Timer::Arbitrated, State::Main) => self.end_arbitration(ctx),
            (Timer::Drained, State::Draining) => {
                let activation = self.activation;
                self.step_down(ctx);
                for peer in ctx.peers() {
                    ctx.send(peer, Message::Take { activation });
                }
            }
            _ => {}
        }
    }

    fn on_notice(&mut self, notice: Notice<Beacon>, ctx: &mut Ctx<'_, Self>) {
        match notice {
            Notice::Suspect { peer, by } => self.lost(peer, by, ctx),
            Notice::Back { peer, by: Sense::Echo } => self.note_echo(peer, false, ctx),
            Notice::Back { peer, .. } => {
                self.poll_silent = false;
                // In a cut of one direction the partner's heartbeats were never silent: nothing else will be news.
                if let (State::Isolated, false, Some(beacon)) = (self.state, self.beats_silent, self.peer) {
                    self.heard(peer, beacon, ctx);
                }
            }
            Notice::Heard { peer, beacon, .. } => self.heard(peer, beacon, ctx),
            Notice::InStep { source: false, .. } if self.state == State::Syncing => {
                self.enter(State::Standby, ctx)
            }
            Notice::OutOfStep { .. } if self.state == State::Standby => self.enter(State::Syncing, ctx),
            Notice::Changeover { to } if self.state == State::Main => {
                let elsewhere = to.is_none_or(|to| to != ctx.me());
                if elsewhere && self.peer.is_some_and(|peer| peer.in_step) && !self.is_link_silent() {
                    // One more complete pass, then the roles change.
                    let params = ctx.params;
                    let last =
                        params.interval() + Span::from_secs_saturating(params.pass_time.quantile(0.9999));
                    ctx.arm(Timer::Drained, last);
                    self.enter(State::Draining, ctx);
                }
            }
            _ => {}
        }
    }

    fn stance(&self) -> Stance {
        let role = match self.state {
            State::Starting => Role::Starting,
            State::Syncing => Role::Syncing,
            State::Standby => Role::Standby,
            State::Isolated => Role::Isolated,
            State::Taking => Role::TakingOver,
            State::Main | State::Draining => Role::Active,
        };
        Stance {
            role,
            accepts: self.is_main().then_some(0),
            takes: (self.state == State::Taking).then_some(0),
            draining: self.state == State::Draining,
            reads: matches!(self.state, State::Main | State::Draining | State::Standby),
            activation: self.activation,
        }
    }

    fn design(params: &Params, _: usize) -> Design {
        Design {
            standby_reads: true,
            windback: params.windback,
            merge: params.merge(),
            records_apart: true,
            phases: if params.become_main {
                vec![Phase::Promote]
            } else {
                vec![Phase::Promote, Phase::NoQuorum]
            },
            ..Design::default()
        }
    }

    fn bounds(params: &Params, _: usize) -> Bounds {
        let (interval, pass) = (params.interval().as_secs(), params.pass_time.support_max());
        let total = interval + pass;
        let complete = pass <= interval;
        let follows = params.history_speed >= 1.0;
        Bounds {
            loss_age: Some(Bound {
                secs: (total.is_finite() && complete && follows).then_some(total),
                formula: match (complete, follows) {
                    (false, _) => "passes can be longer than their interval and are cut off".into(),
                    (true, false) => "history arises faster than it is transferred: its lag grows".into(),
                    (true, true) => {
                        format!("transfer interval × interleave + pass = {interval} s + {pass} s")
                    }
                },
                class: "one crash of Main while the Standby is in step and its history has caught up, nothing else \
                        until the takeover"
                    .into(),
            }),
            split_brain: params.split_brain(),
        }
    }
}
