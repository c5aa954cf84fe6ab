//! Active-active: n instances that all serve, behind a health-checked balancer.
//!
//! An instance serves as soon as it runs and is warm. Beside each class of clients stands a balancer that checks every
//! instance, takes it out after `fall` failures in a row and puts it back after `rise` successes (HAProxy: 2 s, 3, 2).
//! Work is spread evenly over the instances in the pool. The balancer itself does not fail unless the model gives the
//! client a link that does. A check goes the way of the client's requests, there and back: over the first open link
//! that carries the client to the instance, with its loss, latency and bursts; without a link it always gets through.
//!
//! *Stateless*: nothing is stored, nothing is lost; a second instance is not a split brain. *Last writer wins*: every
//! instance takes writes and they are exchanged; where one key is written at two places at once, the later time stamp
//! wins and the other write, though acknowledged, is gone.
//!
//! *Source*: HAProxy configuration manual, health checks. *Timers*: warm-up after a start, monotonic; the checks belong
//! to the balancer. *Claims*: no split brain, for several nodes serve by design; last writer wins overwrites without
//! bound.

use crate::engine::dist::Law;
use crate::engine::time::Span;
use crate::input::{Key, Kind, Mark, Reader, Table};
use crate::service::health::Rule;
use crate::system::ids::NodeId;

use super::contract::{Bound, Bounds, Conflicts, Ctx, Design, Notice, Phase, Policy, Role, Routing, Stance};
use super::registry::Named;

/// One instance.
#[derive(Clone, Debug)]
pub struct ActiveActive {
    is_warm: bool,
}

/// Its timer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Timer {
    /// It is warm.
    Warm,
}

/// Its table in a model file.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// The balancer's checks.
    pub rule: Rule,
    /// A request that meets a dead instance is sent to another one.
    pub redispatch: bool,
    /// With every instance suspected it sends to all of them.
    pub fail_open: bool,
    /// Instances needed for the full load.
    pub required: u32,
    /// From the start of the process until it serves at full speed.
    pub warm_up: Law,
    /// Keys that writes spread over, where they are stored.
    pub keys: Option<f64>,
}

impl Table for Params {
    const KEYS: &'static [Key] = &[
        Key::new("check_interval", Kind::SpanPositive, "Time between two health checks of an instance. Each goes over the client's link, with its loss and latency.")
            .default("2s", Mark::Checked, "HAProxy inter"),
        Key::new("check_timeout", Kind::SpanPositive, "An answer that takes longer, there and back, counts as none; at most the interval.")
            .default("2s", Mark::Checked, "HAProxy inter, unless timeout check is set"),
        Key::new("fall", Kind::Count(1, 32), "Failed checks in a row that take an instance out.")
            .default("3", Mark::Checked, "HAProxy fall"),
        Key::new("rise", Kind::Count(1, 32), "Good checks in a row that put it back.")
            .default("2", Mark::Checked, "HAProxy rise"),
        Key::new("redispatch", Kind::Flag,
            "Whether a request that meets a dead instance is sent to another one, so that clients do not notice.")
            .default("true", Mark::Assumption, "HAProxy option redispatch with retries"),
        Key::new("fail_open", Kind::Flag, "Whether, with every instance suspected, all of them get requests.").neutral("false"),
        Key::new("required", Kind::Count(1, 1000), "Instances needed to carry the full load.").neutral("1"),
        Key::new("warm_up", Kind::Law, "From the start of the process until it serves at full speed.").neutral("0s"),
        Key::new("storage", Kind::Choice(&["stateless", "last-writer-wins"]),
            "\"stateless\": instances store nothing. \"last-writer-wins\": every instance takes writes; of two concurrent ones to a key the later time stamp stays.")
            .neutral("stateless"),
        Key::new("keys", Kind::Number(1.0, 1e15), "Last writer wins: keys that the writes spread over evenly.")
            .default("10000", Mark::Assumption, ""),
    ];

    fn read(r: &mut Reader<'_>) -> Self {
        let keys = r.number("keys");
        Params {
            rule: Rule {
                every: r.span("check_interval"),
                timeout: r.span("check_timeout"),
                fall: r.count("fall") as u32,
                rise: r.count("rise") as u32,
            },
            redispatch: r.flag("redispatch"),
            fail_open: r.flag("fail_open"),
            required: r.count("required") as u32,
            warm_up: r.law("warm_up"),
            keys: (r.choice("storage") == "last-writer-wins").then_some(keys),
        }
    }
}

crate::choice!(Params, ActiveActive, Params::fits);

impl Params {
    /// With every instance up the full load must be carried.
    fn fits(&self, members: usize) -> Result<(), String> {
        let required = self.required;
        if members >= required as usize {
            Ok(())
        } else {
            Err(format!("at least the {required} instances that are `required`"))
        }
    }
}

impl Named for ActiveActive {
    const SUMMARY: &'static str = "n instances that all serve behind a health-checked balancer; stateless, or multi-writer with last writer wins";
}

impl Policy for ActiveActive {
    const NAME: &'static str = "active-active";
    type Params = Params;
    type Durable = ();
    type Message = ();
    type Beacon = ();
    type Timer = Timer;

    fn start((): &(), ctx: &mut Ctx<'_, Self>) -> Self {
        let params = ctx.params;
        let wait = if ctx.facts.first_start { Span::ZERO } else { ctx.draw(&params.warm_up) };
        if wait > Span::ZERO {
            ctx.step(Phase::Warm);
            ctx.arm(Timer::Warm, wait);
        }
        ActiveActive { is_warm: wait == Span::ZERO }
    }

    fn on_message(&mut self, _: NodeId, (): (), _: &mut Ctx<'_, Self>) {}

    fn on_timer(&mut self, _: Timer, _: &mut Ctx<'_, Self>) {
        self.is_warm = true;
    }

    fn on_notice(&mut self, _: Notice<()>, _: &mut Ctx<'_, Self>) {}

    fn stance(&self) -> Stance {
        Stance {
            role: if self.is_warm { Role::Peer } else { Role::Starting },
            accepts: self.is_warm.then_some(0),
            takes: None,
            draining: false,
            reads: self.is_warm,
            activation: 1,
        }
    }

    fn design(params: &Params, _: usize) -> Design {
        Design {
            routing: Routing::Balanced {
                rule: params.rule,
                redispatch: params.redispatch,
                fail_open: params.fail_open,
            },
            conflicts: params.keys.map_or(Conflicts::Stateless, |keys| Conflicts::LastWriterWins { keys }),
            stores: params.keys.is_some(),
            required: params.required,
            phases: if params.warm_up.support_max() > 0.0 { vec![Phase::Warm] } else { Vec::new() },
            ..Design::default()
        }
    }

    fn bounds(params: &Params, _: usize) -> Bounds {
        let loss_age = params.keys.map(|_| Bound {
            secs: None,
            formula: "concurrent writes to a key: all but the one with the latest time stamp".into(),
            class: "length of the cut and the clocks' difference".into(),
        });
        Bounds {
            loss_age,
            split_brain: Bound::always(
                0.0,
                "0: several nodes serve by design; see divergence and overwritten writes",
            ),
        }
    }
}
