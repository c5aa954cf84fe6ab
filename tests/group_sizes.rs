//! A group has the nodes that its policy needs, or the model is refused where the group stands.

use std::sync::Arc;

use failsim::input::{NoFiles, Source};
use failsim::model::load::load;
use failsim::policy::contract::Policy;
use failsim::policy::registry::Shipped;

/// What is wrong with a group of so many nodes under a policy.
fn mistakes(nodes: &[&str], policy: &str) -> Option<String> {
    let tables: String = nodes.iter().map(|name| format!("[nodes.{name}]\nstart = \"1m\"\n")).collect();
    let names: Vec<_> = nodes.iter().map(|name| format!("\"{name}\"")).collect();
    let text = format!(
        "title = \"size\"\n{tables}[groups.g]\nnodes = [{}]\n[groups.g.policy.{policy}\n",
        names.join(", ")
    );
    let loaded = load::<<Shipped as Policy>::Params>(&Source::new("size.toml", text), Arc::new(NoFiles), &[]);
    loaded.err().map(|problems| problems.render(false))
}

#[test]
fn too_few_or_too_many_are_refused_and_enough_are_not() {
    for (nodes, policy, needs) in [
        (&["a", "b"][..], "active-passive]\nactive = 3", "at least the 3 nodes that are `active`"),
        (&["a"], "active-passive]\nactive = 2", "at least the 2 nodes that are `active`"),
        (&["a", "b"], "active-active]\nrequired = 5", "at least the 5 instances that are `required`"),
        (&["a", "b", "c"], "hot-standby]", "a pair, or a server alone"),
    ] {
        let shown = mistakes(nodes, policy).unwrap_or_else(|| panic!("{nodes:?} with {policy} is accepted"));
        let place = format!("size.toml:{}:11", 2 * nodes.len() + 3);
        for part in [
            &format!("a group of {} cannot run its policy", nodes.len()),
            &place,
            &format!("expected {needs}"),
        ] {
            assert!(shown.contains(part.as_str()), "`{part}` is missing in:\n{shown}");
        }
    }
    for (nodes, policy) in [
        (&["a", "b", "c"][..], "active-passive]\nactive = 3"),
        (&["a"], "active-passive]"),
        (&["a", "b"], "active-active]\nrequired = 2"),
        (&["a", "b"], "hot-standby]"),
        (&["a"], "hot-standby]"),
        (&["a", "b", "c"], "single]"),
    ] {
        assert_eq!(mistakes(nodes, policy), None, "{nodes:?} with {policy}");
    }
}
