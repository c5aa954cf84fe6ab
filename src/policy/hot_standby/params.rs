//! The parameters of the hot-standby pair: its table in a model file, and what follows from it.

use crate::engine::dist::Law;
use crate::engine::time::Span;
use crate::input::{Key, Kind, Mark, Reader, Table};
use crate::policy::contract::Bound;
use crate::policy::contract::Merge;
use crate::service::health::Rule;
use crate::service::replication::{Copying, Level};

/// Its table in a model file.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// Between two passes.
    pub transfer_interval: Span,
    /// Intervals between two passes to one partner.
    pub interleave: u32,
    /// Length of a short pass.
    pub pass_time: Law,
    /// An interruption this long marks the Standby offline.
    pub request_timeout: Span,
    /// First pass of a returning server.
    pub first_pass: Law,
    /// Records carried, in multiples of those that arise.
    pub history_speed: f64,
    /// Between two heartbeats.
    pub heartbeat: Span,
    /// Silence that counts as failure.
    pub heartbeat_timeout: Span,
    /// Between two polls of the partner's server process.
    pub monitor_poll: Span,
    /// How long a poll may stay unanswered.
    pub monitor_timeout: Span,
    /// Until a connection that has closed is noticed.
    pub reset_time: Span,
    /// Between two echo requests.
    pub echo_interval: Span,
    /// Further attempts after the first that failed.
    pub echo_retries: u32,
    /// An isolated Standby becomes Main.
    pub become_main: bool,
    /// An isolated Main forfeits arbitration.
    pub main_forfeits: bool,
    /// The loser's data is merged.
    pub duty_mode: bool,
    /// Points whose present values are written.
    pub points: u64,
    /// Devices replay what they still hold.
    pub windback: bool,
    /// Arbitration priorities in the order of the group.
    pub priorities: Vec<i32>,
    /// Role change and start of the drivers.
    pub driver_start: Law,
    /// From hearing another Main to the end of arbitration.
    pub arbitration: Law,
    /// A server that finds nobody becomes Main after this.
    pub connect_timeout: Span,
    /// Main time is kept over a restart.
    pub main_time_survives_restart: bool,
}

impl Table for Params {
    const KEYS: &'static [Key] = &[
        Key::new("transfer_interval", Kind::SpanPositive, "Time from the start of one transfer to the start of the next.")
            .default("5s", Mark::Checked, "Miscellaneous tab, Transfer Interval"),
        Key::new("interleave", Kind::Count(1, 1000), "Transfer intervals from one update of the Standby to the next.")
            .default("1", Mark::Checked, "sibling default; Short Pass example"),
        Key::new("pass_time", Kind::Law, "Length of a short pass; one longer than the interval is cut off.")
            .default("1s", Mark::Checked, "knowledge base: typical LAN short pass of a small or medium system"),
        Key::new("request_timeout", Kind::SpanPositive, "Transfer Request Timeout: an interruption this long marks the Standby offline and needs a first pass.")
            .default("60s", Mark::Assumption, "no default published"),
        Key::new("first_pass", Kind::Law, "First pass of a returning server, until it is open to clients and can take over: configuration and present values. Records (history, events) follow in the background.")
            .default("5m", Mark::Assumption, "by size of the database"),
        Key::new("history_speed", Kind::Number(0.0, f64::INFINITY),
            "How much of the records (history, events) transfers carry, in multiples of what arises: what has piled up while a server was away follows at that speed, oldest first. Below 1 the Standby's history lags without limit while its present values look fresh.")
            .default("10", Mark::Assumption, "no figure published"),
        Key::new("heartbeat", Kind::SpanPositive, "Heartbeat poll interval.")
            .default("5s", Mark::Checked, "example in Monitoring Standby Servers with ICMP and Heartbeat Polling"),
        Key::new("heartbeat_timeout", Kind::SpanPositive, "Silence of the server link that counts as failure.")
            .default("30s", Mark::Checked, "the same example, Standby tab"),
        Key::new("monitor_poll", Kind::SpanPositive, "Time between two polls of the partner's server process, beside the heartbeats.")
            .default("10s", Mark::Checked, "What Timeout Settings Do Servers Use"),
        Key::new("monitor_timeout", Kind::SpanPositive, "Monitor Request Timeout: a poll that stays unanswered this long counts as failure of the server link, as silent heartbeats do.")
            .default("30s", Mark::Assumption, "sibling Plant SCADA 30 s; none published for Geo SCADA"),
        Key::new("reset_time", Kind::Span, "The partner's process ends while its host lives, or is stopped: the connection is reset, and that is noticed at a uniform time within this.")
            .default("1s", Mark::Assumption, "below a second"),
        Key::new("echo_interval", Kind::SpanPositive, "Time between two echo (ICMP) requests, to the partner's host and to each of the group's `ping_hosts`.")
            .default("5s", Mark::Checked, "the same example"),
        Key::new("echo_retries", Kind::Count(0, 31), "Further attempts after the first one that failed.")
            .default("2", Mark::Checked, "the same example"),
        Key::new("isolated_standby", Kind::Choice(&["become-main", "remain"]),
            "What a Standby does when it is isolated: server link and every ping have failed.")
            .default("become-main", Mark::Checked, "recommended setting"),
        Key::new("isolated_main", Kind::Choice(&["arbitrate", "become-standby"]),
            "What a Main that was isolated does when it meets another Main: arbitrate, or forfeit. If both forfeit, arbitration decides after all.")
            .neutral("arbitrate"),
        Key::new("duty_mode", Kind::Flag, "After a Main-Main the loser's history and events are merged into the winner, of two values of a point the later stays, and the loser's configuration is lost.")
            .default("false", Mark::Checked, "disabled unless set; the sibling Plant SCADA alarm server has it enabled"),
        Key::new("points", Kind::Count(1, 1_000_000_000), "Points that writes of present values (`content = \"values\"`) spread over evenly: decides how many of them meet in a merge.")
            .default("10000", Mark::Assumption, "a medium system"),
        Key::new("windback", Kind::Flag, "Field devices replay what their buffers still hold of a lost period.").neutral("false"),
        Key::new("priorities", Kind::Any, "Arbitration Priority of each server in the order of the group, higher wins: `[0, 0]`.")
            .neutral("[]"),
        Key::new("driver_start", Kind::Law, "Role change and start of the drivers.")
            .default("10s", Mark::Assumption, "1 to 30 s"),
        Key::new("arbitration", Kind::Law, "From hearing the other Main to the end of arbitration.")
            .default("{ uniform = [\"0s\", \"10s\"] }", Mark::Assumption, "at most one monitor poll period of 10 s"),
        Key::new("connect_timeout", Kind::SpanPositive, "A server that has started and hears nobody becomes Main after this.")
            .default("60s", Mark::Checked, "Monitor Connect Timeout, Geo SCADA 2022"),
        Key::new("main_time_survives_restart", Kind::Flag, "Whether the accumulated time as Main is kept over a restart of the server.")
            .default("false", Mark::Assumption, "not documented"),
    ];

    fn read(r: &mut Reader<'_>) -> Self {
        let params = Params {
            transfer_interval: r.span("transfer_interval"),
            interleave: r.count("interleave") as u32,
            pass_time: r.law("pass_time"),
            request_timeout: r.span("request_timeout"),
            first_pass: r.law("first_pass"),
            history_speed: r.number("history_speed"),
            heartbeat: r.span("heartbeat"),
            heartbeat_timeout: r.span("heartbeat_timeout"),
            monitor_poll: r.span("monitor_poll"),
            monitor_timeout: r.span("monitor_timeout"),
            reset_time: r.span("reset_time"),
            echo_interval: r.span("echo_interval"),
            echo_retries: r.count("echo_retries") as u32,
            become_main: r.choice("isolated_standby") == "become-main",
            main_forfeits: r.choice("isolated_main") == "become-standby",
            duty_mode: r.flag("duty_mode"),
            points: r.count("points"),
            windback: r.flag("windback"),
            priorities: read_priorities(r),
            driver_start: r.law("driver_start"),
            arbitration: r.law("arbitration"),
            connect_timeout: r.span("connect_timeout"),
            main_time_survives_restart: r.flag("main_time_survives_restart"),
        };
        if params.heartbeat_timeout <= params.heartbeat {
            let expected = "a longer one: every heartbeat would come too late";
            r.problem_at(
                "heartbeat_timeout",
                "the time-out is not longer than the heartbeat interval",
                expected,
            );
        }
        params
    }
}

fn read_priorities(r: &mut Reader<'_>) -> Vec<i32> {
    use crate::input::Value;
    let Some(item) = r.item("priorities") else { return Vec::new() };
    let whole = |value: &Value| match value {
        Value::Integer(i) => i32::try_from(*i).ok(),
        _ => None,
    };
    let read = match &item.value {
        Value::Array(items) => items.iter().map(|item| whole(&item.value)).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    read.unwrap_or_else(|| {
        r.problem_at(
            "priorities",
            "these are no priorities",
            "a list of whole numbers such as `[1, 0]`, one for each server",
        );
        Vec::new()
    })
}

impl Params {
    pub(super) fn copying(&self) -> Copying {
        Copying {
            level: Level::Passes { interval: self.interval(), pass: self.pass_time.clone(), to_store: false },
            first: self.first_pass.clone(),
            patience: self.request_timeout,
            speed: Some(self.history_speed),
            replay: None,
        }
    }

    pub(super) fn merge(&self) -> Merge {
        if self.duty_mode { Merge::ByTime { points: self.points as f64 } } else { Merge::Nothing }
    }

    pub(super) fn interval(&self) -> Span {
        self.transfer_interval.times(u64::from(self.interleave))
    }

    pub(super) fn ping(&self) -> Rule {
        Rule { every: self.echo_interval, timeout: self.echo_interval, fall: self.echo_retries + 1, rise: 1 }
    }

    pub(super) fn fits(&self, members: usize) -> Result<(), String> {
        match members {
            1 | 2 => Ok(()),
            _ => Err("a pair, or a server alone: triple and permanent Standby are not modelled".into()),
        }
    }

    /// How long two servers can both be Main. The Standby finds the link silent no earlier than the time-out after the last
    /// beat, which was sent up to one heartbeat and a delay before the cut (the next one was under way and is lost), and its drivers start; the two hear of each other with
    /// the first beat after the cut, and arbitrate. Where an isolated Standby stays one, a pause of Main makes two:
    /// from its end to the first beat, and to the end of arbitration. A server that starts and hears nobody becomes
    /// Main whatever it does when isolated.
    pub(super) fn split_brain(&self) -> Bound {
        let show = |secs: f64| Span::from_secs_saturating(secs).to_string();
        let (beat, arbitration) = (self.heartbeat.as_secs(), self.arbitration.support_max());
        let pause = format!("after a pause {} + delay", show(beat + arbitration));
        if !self.become_main {
            return Bound {
                secs: None,
                formula: format!("by a cut none; {pause}; a start in a cut: the rest of it"),
                class: "further faults until arbitration".into(),
            };
        }
        let (silent, driver) = (self.heartbeat_timeout.as_secs(), self.driver_start.support_min());
        let (more, less) = (2.0 * beat + arbitration, silent + driver);
        let sign = if less >= more { '−' } else { '+' };
        Bound {
            secs: None,
            formula: format!(
                "cut + 2 × {} − {} − {} + {} + 2 delays = cut {sign} {} + 2 delays; {pause}",
                show(beat),
                show(silent),
                show(driver),
                show(arbitration),
                show((less - more).abs())
            ),
            class: "length of the cut".into(),
        }
    }

    /// How long the echo needs to fail: every attempt, and the answer to the last one.
    pub(super) fn echo_time(&self) -> Span {
        self.echo_interval.times(u64::from(self.echo_retries) + 2)
    }
}
