//! No redundancy: one node, the baseline that everything else is compared with.
//!
//! The node accepts as soon as its process runs. Every further node of the group stays idle, so that the same model
//! can be run with and without redundancy.
//!
//! *Source*: none, the textbook's single repairable node. *Timers*: none. *Claims*: never two active nodes; nothing
//! acknowledged is lost while the disk stays.

use crate::input::{Key, Reader, Table};
use crate::system::ids::NodeId;

use super::contract::{Bound, Bounds, Ctx, Design, Notice, Policy, Role, Stance};
use super::registry::Named;

/// One node that serves whenever it runs.
#[derive(Clone, Debug)]
pub struct Single {
    serves: bool,
}

/// It has none.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Params;

impl Table for Params {
    const KEYS: &'static [Key] = &[];
    fn read(_: &mut Reader<'_>) -> Self {
        Params
    }
}

crate::choice!(Params, Single);

impl Named for Single {
    const SUMMARY: &'static str = "no redundancy: the first node of the group serves whenever it runs";
}

impl Policy for Single {
    const NAME: &'static str = "single";
    type Params = Params;
    type Durable = ();
    type Message = ();
    type Beacon = ();
    type Timer = ();

    fn start((): &(), ctx: &mut Ctx<'_, Self>) -> Self {
        Single { serves: ctx.rank(ctx.me()) == 0 }
    }

    fn on_message(&mut self, _: NodeId, (): (), _: &mut Ctx<'_, Self>) {}

    fn on_timer(&mut self, (): (), _: &mut Ctx<'_, Self>) {}

    fn on_notice(&mut self, _: Notice<()>, _: &mut Ctx<'_, Self>) {}

    fn stance(&self) -> Stance {
        Stance {
            role: if self.serves { Role::Active } else { Role::Idle },
            accepts: self.serves.then_some(0),
            takes: None,
            draining: false,
            reads: self.serves,
            activation: 1,
        }
    }

    fn design(_: &Params, _: usize) -> Design {
        Design { redundant: false, phases: Vec::new(), ..Design::default() }
    }

    fn bounds(_: &Params, _: usize) -> Bounds {
        Bounds {
            loss_age: Some(Bound {
                secs: Some(0.0),
                formula: "0: what was acknowledged is on the disk".into(),
                class: "crashes that leave the disk".into(),
            }),
            split_brain: Bound::always(0.0, "0: one node"),
        }
    }
}
