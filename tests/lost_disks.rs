//! What is lost with both disks of a pair, from faults at exact times: a standby whose disk was lost holds nothing until
//! its first copy is complete, so the disk of the serving node takes everything with it.

mod common;

use std::sync::Arc;

use common::*;
use failsim::input::{NoFiles, Source};
use failsim::measure::simulate_with;
use failsim::model::load::load;
use failsim::policy::contract::Policy;
use failsim::policy::facts::Fact;
use failsim::policy::host::Setup;
use failsim::policy::registry::Shipped;
use failsim::system::ids::NodeId;
use failsim::system::spec::{Action, Effect, Scope, ScriptStep};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

/// Writes lost within the first 400 s, of one a second: B's disk is lost at 100 s, B is back at `back`, and A's disk is
/// lost at 300 s.
fn lost(policy: &str, back: f64, requests: bool) -> u64 {
    let text = format!(
        "title = \"both disks\"\n[nodes.a]\nstart = \"0s\"\nrestart = \"0s\"\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n\
         [links.ab]\nbetween = [\"a\", \"b\"]\nlatency = \"1ms\"\n[groups.g]\nnodes = [\"a\", \"b\"]\n\
         [groups.g.policy.{policy}\n[clients.users]\nto = \"g\"\nwrites = \"1/s\"\nreads = \"0/s\"\narrivals = \"fixed\"\n\
         timeout = \"10ms\"\nattempts = 1\n"
    );
    let source = Source::new("test.toml", text);
    let loaded = load::<<Shipped as Policy>::Params>(&source, Arc::new(NoFiles), &[]);
    let (mut model, _) = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let fail = |node| Action::Fail { node, scope: Scope::Host, effect: Effect::CrashDiskLoss };
    let steps = [(100.0, fail(B)), (back, Action::Restore { node: B, scope: Scope::Host }), (300.0, fail(A))];
    model.quiet = true;
    model.script = steps.iter().map(|&(at, action)| ScriptStep { at: instant(at), action }).collect();
    let mut setup: Ready = Setup::new(model, 3, true, false);
    setup.requests = requests;
    let facts: Vec<_> = simulate_with(&setup, 0, secs(400.0), Vec::new()).1;
    let losses = facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Lost { loss, .. } => Some(loss.count),
        _ => None,
    });
    losses.sum()
}

const ASYNCHRONOUS: &str = "active-passive]\nheartbeat = \"1s\"\ntimeout = \"5s\"\nlag = \"0s\"\nfirst_copy";
const SYNCHRONOUS: &str = "active-passive]\nheartbeat = \"1s\"\ntimeout = \"5s\"\nreplication = \"sync\"\n\
                           patience = \"60s\"\nfirst_copy";
const HOT_STANDBY: &str = "hot-standby]\nhistory_speed = 1000\nfirst_pass";

#[test]
fn nothing_is_left_while_the_first_copy_is_being_made() {
    for requests in [false, true] {
        for policy in [ASYNCHRONOUS, HOT_STANDBY] {
            assert_eq!(lost(&format!("{policy} = \"1h\""), 200.0, requests), 300, "{policy}, {requests}");
            // A copy that is complete by then has what was written before it, or before its last pass.
            let complete = lost(&format!("{policy} = \"10s\""), 200.0, requests);
            assert!(complete <= 60, "{policy}, {requests}: {complete}");
        }
        // Writes wait for the copy as long as it is away, within the patience.
        assert_eq!(lost(&format!("{SYNCHRONOUS} = \"1h\""), 130.0, requests), 270, "{requests}");
        assert_eq!(lost(&format!("{SYNCHRONOUS} = \"10s\""), 130.0, requests), 0, "{requests}");
    }
}
