//! The parameters of active-passive: its table in a model file, and what follows from it.

use super::detector::{Detector, DetectorTable};
use crate::engine::dist::Law;
use crate::engine::time::Span;
use crate::input::{Key, Kind, Mark, Reader, Table};
use crate::policy::contract::{Bound, Phase};
use crate::service::detector::Silence;
use crate::service::replication::{Copying, Level};

/// How the standby's copy of the data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicating {
    /// Nothing is stored.
    None,
    /// Each write follows after a lag.
    Async,
    /// A write is acknowledged when the standby has it.
    Sync,
    /// Backups, restored when they are needed.
    Backup,
}

/// Its table in a model file.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// Between two heartbeats.
    pub heartbeat: Span,
    /// Silence that counts as failure.
    pub timeout: Span,
    /// Ticks without a heartbeat that count as failure, instead of the time-out.
    pub missed: Option<u32>,
    /// Another detector instead.
    pub detector: Option<Detector>,
    /// N: nodes active at the same time.
    pub active: u8,
    /// From the decision to service.
    pub takeover: Law,
    /// Probability that the switch works by itself.
    pub coverage: f64,
    /// Where it does not: until a person has done it.
    pub manual: Law,
    /// The preferred node takes its slot back.
    pub failback: bool,
    /// After being in step for this long.
    pub failback_delay: Span,
    /// A heartbeat of the holder ends a takeover that is under way.
    pub cancel_takeover: bool,
    /// The time-out runs from the start, not only from the first heartbeat.
    pub armed: bool,
    /// A standby whose copy is out of date may take over when nobody better is there.
    pub stale_takeover: bool,
    /// Fence before taking over.
    pub fencing: bool,
    /// The fence action.
    pub fence_delay: Law,
    /// How often it works.
    pub fence_success: f64,
    /// A fenced node gets its power back after this.
    pub fence_off: Span,
    /// A fence that failed is ordered again after this.
    pub fence_retry: Span,
    /// Copies.
    pub replication: Replicating,
    /// Lag of one write.
    pub lag: Law,
    /// From there until it is applied.
    pub replay_lag: Law,
    /// An interruption this long is survived; longer, a synchronous pair goes on alone.
    pub patience: Span,
    /// Length of the first copy.
    pub first_copy: Law,
    /// Writes carried, in multiples of those that arise.
    pub catch_up_speed: f64,
    /// Between two backups.
    pub backup_interval: Span,
    /// Length of a backup.
    pub backup_time: Law,
}

impl Table for Params {
    const KEYS: &'static [Key] = &[
        Key::new("heartbeat", Kind::SpanPositive, "Time between two heartbeats.")
            .default("2s", Mark::Cited, "Linux-HA heartbeat, keepalive"),
        Key::new("timeout", Kind::SpanPositive, "Silence after which a peer counts as failed.")
            .default("30s", Mark::Cited, "Linux-HA heartbeat, deadtime")
            .excludes(&["missed", "detector"]),
        Key::new("missed", Kind::Count(1, 32), "Ticks of one heartbeat interval without a beat, instead of a time-out.")
            .excludes(&["timeout", "detector"]),
        Key::new("detector", Kind::Table(DetectorTable::KEYS), "Another detector instead of a time-out: one of these, by its name.")
            .excludes(&["timeout", "missed"]),
        Key::new("active", Kind::Count(1, 32), "N: nodes active at the same time; the others are standbys.").neutral("1"),
        Key::new("takeover", Kind::Law, "From the decision to take over until the service runs: hot about a second, warm about a minute, cold many minutes.")
            .default("1s", Mark::Assumption, "hot standby"),
        Key::new("coverage", Kind::Probability, "Probability that a takeover works by itself.")
            .default("1", Mark::Assumption, "convention: perfect switch unless the model says otherwise"),
        Key::new("manual", Kind::Law, "Where it does not: time until a person has done it.")
            .default("30m", Mark::Assumption, "page to hands-on, with the work"),
        Key::new("failback", Kind::Flag, "Whether the preferred node takes its role back when it has recovered.").neutral("false"),
        Key::new("failback_delay", Kind::Span, "How long it must have been in step before it does.").neutral("1m"),
        Key::new("cancel_takeover", Kind::Flag, "Whether a heartbeat of the holder ends a takeover under way.").neutral("true"),
        Key::new("after_start", Kind::Choice(&["armed", "listen"]),
            "\"armed\": a node that starts counts silence from its start. \"listen\": only after the first heartbeat, and it takes nothing over before it has heard every other node of the group once since its start, however long one of them stays away. After having been fenced it always listens.")
            .neutral("armed"),
        Key::new("stale_takeover", Kind::Flag,
            "Whether a standby whose copy is out of date takes over when nobody better is there: available first. `false`: it refuses, the data waits for a node that has it (DRBD's Outdated).")
            .default("true", Mark::Assumption, "pairs without an outdate mark"),
        Key::new("fencing", Kind::Choice(&["off", "on"]), "Whether the silent node is powered off before its role is taken.").neutral("off"),
        Key::new("fence_delay", Kind::Law, "How long powering off takes.")
            .default("5s", Mark::Assumption, "power switches take 2 to 20 s"),
        Key::new("fence_success", Kind::Probability, "Probability that it works.")
            .default("1", Mark::Assumption, "no shared fate with the fault"),
        Key::new("fence_off", Kind::Span, "How long a fenced node stays without power.")
            .default("30s", Mark::Assumption, "fence action reboot"),
        Key::new("fence_retry", Kind::SpanPositive, "Until a fence that failed is ordered again.")
            .default("10s", Mark::Assumption, ""),
        Key::new("replication", Kind::Choice(&["async", "sync", "backup", "none"]),
            "How the standby's copy is kept; \"none\": nothing is stored.").neutral("async"),
        Key::new("lag", Kind::Law, "Asynchronous: time until a write has reached the standby.")
            .default("50ms", Mark::Assumption, "LAN, lightly loaded"),
        Key::new("replay_lag", Kind::Law,
            "Asynchronous and synchronous: how long a write that has reached the standby waits there until it is applied. It costs no data but time: whoever takes over first applies all that it has received, for as long as its process runs. (What reads miss is not counted by it.)")
            .neutral("0s"),
        Key::new("patience", Kind::SpanOrNever,
            "An interruption this long needs no new first copy; synchronous writes wait so long for the standby and then go on alone (\"never\": for ever).")
            .default("60s", Mark::Checked, "PostgreSQL wal_sender_timeout"),
        Key::new("first_copy", Kind::Law, "Time to bring a returning node's copy up to date.")
            .default("2m", Mark::Assumption, "differences of a medium database over a LAN"),
        Key::new("catch_up_speed", Kind::Number(0.0, f64::INFINITY),
            "Asynchronous: how much the connection carries, in multiples of the writes that arise. What an interruption within `patience` has held up follows at that speed: after 30 s and with 10 for 3.3 s. At 1 or below it is never made up for.")
            .default("10", Mark::Assumption, "a log of a few MB/s over a link of some 100 Mbit/s"),
        Key::new("backup_interval", Kind::SpanPositive, "Backups: from the start of one to the start of the next.")
            .default("24h", Mark::Assumption, "nightly"),
        Key::new("backup_time", Kind::Law, "Length of a backup.").default("30m", Mark::Assumption, ""),
    ];

    fn read(r: &mut Reader<'_>) -> Self {
        let params = Params {
            heartbeat: r.span("heartbeat"),
            timeout: r.span("timeout"),
            missed: r.count_opt("missed").map(|k| k as u32),
            detector: r.table_opt::<DetectorTable>("detector").and_then(|table| table.0),
            active: r.count("active") as u8,
            takeover: r.law("takeover"),
            coverage: r.probability("coverage"),
            manual: r.law("manual"),
            failback: r.flag("failback"),
            failback_delay: r.span("failback_delay"),
            cancel_takeover: r.flag("cancel_takeover"),
            armed: r.choice("after_start") == "armed",
            stale_takeover: r.flag("stale_takeover"),
            fencing: r.choice("fencing") == "on",
            fence_delay: r.law("fence_delay"),
            fence_success: r.probability("fence_success"),
            fence_off: r.span("fence_off"),
            fence_retry: r.span("fence_retry"),
            replication: match r.choice("replication") {
                "none" => Replicating::None,
                "sync" => Replicating::Sync,
                "backup" => Replicating::Backup,
                _ => Replicating::Async,
            },
            lag: r.law("lag"),
            replay_lag: r.law("replay_lag"),
            patience: r.span("patience"),
            first_copy: r.law("first_copy"),
            catch_up_speed: r.number("catch_up_speed"),
            backup_interval: r.span("backup_interval"),
            backup_time: r.law("backup_time"),
        };
        if r.is_given("detector") && params.detector.is_none() {
            r.problem_at("detector", "no detector is named", "one of m-of-n, vrrp, lease, chen, phi-accrual");
        }
        if let Some(Detector::Lease(after)) = params.detector
            && after <= params.heartbeat
        {
            r.problem_at(
                "detector",
                "the lease is not longer than the heartbeat interval",
                "a longer one: it would run out before every renewal",
            );
        }
        let timed = params.missed.is_none() && params.detector.is_none();
        if timed && params.timeout <= params.heartbeat {
            r.problem_at(
                "timeout",
                "the time-out is not longer than the heartbeat interval",
                "a longer one: every beat would come too late",
            );
        }
        params.name_idle(r);
        params
    }
}

impl Params {
    /// Each of the N parts of the work needs a node.
    pub(super) fn fits(&self, members: usize) -> Result<(), String> {
        let active = usize::from(self.active);
        if members >= active { Ok(()) } else { Err(format!("at least the {active} nodes that are `active`")) }
    }

    /// Names the keys that play no part.
    fn name_idle(&self, r: &mut Reader<'_>) {
        if !self.fencing {
            r.plays_no_part(&["fence_delay", "fence_success", "fence_off", "fence_retry"]);
        }
        if self.coverage >= 1.0 {
            r.plays_no_part(&["manual"]);
        }
        if self.replication != Replicating::Async {
            r.plays_no_part(&["lag", "catch_up_speed"]);
        }
        if matches!(self.replication, Replicating::Backup | Replicating::None) {
            r.plays_no_part(&["replay_lag"]);
        }
        if self.replication == Replicating::None {
            r.plays_no_part(&["patience", "first_copy"]);
        }
        if self.replication != Replicating::Backup {
            r.plays_no_part(&["backup_interval", "backup_time"]);
        }
    }

    /// How long two nodes can both be active without fencing. The standby suspects no earlier than the time-out (or
    /// what stands for it) after the last beat, which was sent up to one heartbeat and a delay before the cut (the next one was under way and is lost), and then takes over;
    /// the two hear of each other with the first beat after the cut, or after a pause of the active one.
    pub(super) fn split_brain(&self) -> Bound {
        let (beat, takeover) = (self.heartbeat.as_secs(), self.takeover.support_min());
        // The first node of the group is never the last to suspect.
        let silent = match self.silence(0) {
            Silence::TimeOut(after) | Silence::Lease(after) => after.as_secs(),
            Silence::Missed { count, every } => every.as_secs() * f64::from(count),
            _ => 0.0,
        };
        let less = silent + takeover - 2.0 * beat;
        let sign = if less >= 0.0 { '−' } else { '+' };
        Bound {
            secs: None,
            formula: format!(
                "cut + 2 × {beat} − {} − {} + 2 delays = cut {sign} {} + 2 delays; after a pause {beat} + delay",
                secs(silent),
                secs(takeover),
                secs(less.abs()),
                beat = secs(beat)
            ),
            class: "length of the cut".into(),
        }
    }

    /// With fencing the old node is off before its part is taken; but two others can take it at once, if they have heard
    /// of it in another order, until they hear of each other.
    pub(super) fn split_brain_of_takers(&self) -> Bound {
        Bound {
            secs: None,
            formula: format!("0 by one taker; by two at once {} + delay", secs(self.heartbeat.as_secs())),
            class: "takeovers and changeovers at once".into(),
        }
    }

    /// The rule by which the node in this place of the group suspects another one.
    pub(super) fn silence(&self, place: usize) -> Silence {
        match (self.detector, self.missed) {
            (Some(detector), _) => detector.silence(self.heartbeat, place),
            (None, Some(count)) => Silence::Missed { count, every: self.heartbeat },
            (None, None) => Silence::TimeOut(self.timeout),
        }
    }

    pub(super) fn copying(&self) -> Option<Copying> {
        let level = match self.replication {
            Replicating::None => return None,
            Replicating::Async => Level::Async { lag: self.lag.clone() },
            Replicating::Sync => Level::Sync,
            Replicating::Backup => Level::Passes {
                interval: self.backup_interval,
                pass: self.backup_time.clone(),
                to_store: true,
            },
        };
        Some(Copying {
            level,
            first: self.first_copy.clone(),
            patience: self.patience,
            speed: (self.replication == Replicating::Async).then_some(self.catch_up_speed),
            replay: self.replays().then(|| self.replay_lag.clone()),
        })
    }

    /// Whether what a standby has received waits there until it is applied.
    pub(super) fn replays(&self) -> bool {
        self.replay_lag.support_max() > 0.0
    }

    /// Nothing to be copied to a standby: nothing is stored, or it restores a backup.
    pub(super) fn always_in_step(&self) -> u32 {
        if matches!(self.replication, Replicating::None | Replicating::Backup) { u32::MAX } else { 0 }
    }

    /// What a takeover goes through, and what holds a writer up.
    pub(super) fn phases(&self) -> Vec<Phase> {
        let can = [
            (Phase::Fence, self.fencing),
            (Phase::Promote, true),
            (Phase::Human, self.coverage < 1.0),
            // Until the standby is given up, writes wait for it.
            (Phase::NoQuorum, self.replication == Replicating::Sync),
        ];
        can.into_iter().filter_map(|(phase, can)| can.then_some(phase)).collect()
    }

    /// Until what was accepted last has reached the copy, in a hand-over.
    pub(super) fn drain(&self) -> Span {
        match self.replication {
            Replicating::None | Replicating::Sync => Span::ZERO,
            Replicating::Async => Span::from_secs_saturating(self.lag.quantile(0.9999)),
            // The backup is made on purpose, not waited for.
            Replicating::Backup => Span::from_secs_saturating(self.backup_time.quantile(0.9999)),
        }
    }
}

/// A length of time as people write it.
pub(super) fn secs(secs: f64) -> String {
    if secs.is_finite() { Span::from_secs_saturating(secs).to_string() } else { "unbounded".into() }
}
