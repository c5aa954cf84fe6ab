//! Which processes of a model run in which form, and why. Asked of a run that has just begun, without faults and
//! with true clocks: what the policies have declared by then is what there is to say. Where the form holds for clocks
//! that differ, but not as far, the bound of their drift is told beside it.

use crate::engine::probe::Probe;
use crate::policy::contract::Policy;
use crate::policy::facts::Fact;
use crate::service::fidelity::Form;
use crate::system::spec::Arrivals;

use super::{Setup, World, open};

/// One process of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// What it does, with names.
    pub what: String,
    /// How it runs.
    pub form: Form,
    /// Why so.
    pub why: String,
}

impl<P: Policy> Setup<P> {
    /// Its processes at the start of a run: detectors by observer and peer, health checks by client and node, the
    /// policies themselves by group, replications, the work of clients and devices. No draw of a fault is in it.
    pub fn fidelity(&self) -> Vec<Process> {
        let mut calm = self.clone();
        for node in &mut calm.model.nodes {
            node.clock.drift_max = 0.0;
        }
        let run = open(&calm, 0, ());
        let mut all = run.world.explain_watches(|node| self.model.nodes[node.index()].clock.drift_max);
        all.extend(run.world.explain_policies());
        all.extend(run.world.explain_copies());
        all.extend(run.world.explain_work());
        all
    }
}

impl<P: Policy, T: Probe<Fact>> World<'_, P, T> {
    fn explain_policies(&self) -> impl Iterator<Item = Process> {
        self.setup.model.groups.iter().map(|group| Process {
            what: format!("the nodes of {}: own messages and timers", group.name),
            form: Form::Steps,
            why: "a policy is a program: each of them is an event".to_owned(),
        })
    }

    fn explain_work(&self) -> impl Iterator<Item = Process> {
        self.setup.model.clients.iter().map(|client| {
            let what = format!("the work of {}", client.name);
            if self.setup.requests && !client.is_field {
                let why = "each request is an event, with its attempts and time-outs".to_owned();
                return Process { what, form: Form::Steps, why };
            }
            if !self.setup.designs[client.to.index()].stores {
                let why = "nothing is stored: work is a rate".to_owned();
                return Process { what, form: Form::One, why };
            }
            let law = match &client.arrivals {
                Arrivals::Poisson => "a Poisson count",
                Arrivals::Fixed => "the exact number",
                Arrivals::Trace(_) => "the entries of the trace",
            };
            let why = format!("counted by ranges of time when their fate is known: {law}");
            Process { what, form: Form::One, why }
        })
    }
}
