//! Facts as lines of a trace: names instead of indexes, time first.

use serde_json::{Value, json};

use crate::engine::time::{Instant, NANOS_PER_SEC};
use crate::policy::contract::Sense;
use crate::policy::facts::{Fact, FaultOf};
use crate::system::ids::{GroupId, NodeId};
use crate::system::spec::Model;

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// When.
    pub at: Instant,
    /// Node, link, common cause or group.
    pub subject: String,
    /// What kind of fact.
    pub kind: &'static str,
    /// What happened, in a few words.
    pub detail: String,
    /// The same as fields.
    pub fields: Value,
}

/// The heading of the text form.
pub const HEADING: &str = "          seconds  where             what          detail\n";

impl Line {
    /// The fact with the names of its model.
    pub fn new<P>(at: Instant, fact: &Fact, model: &Model<P>) -> Line {
        let (subject, kind, detail, fields) = parts(fact, model);
        Line { at, subject, kind, detail, fields }
    }

    /// In columns, with a line break.
    pub fn text(&self) -> String {
        let line =
            format!("{:>17}  {:<16}  {:<12}  {}", seconds(self.at), self.subject, self.kind, self.detail);
        format!("{}\n", line.trim_end())
    }

    /// As a JSON object on one line, with a line break.
    pub fn json(&self) -> String {
        // Time, kind and subject come first; the map keeps its keys in order of the alphabet.
        let mut line = format!(
            "{{\"t_ns\":{},\"fact\":{},\"subject\":{}",
            self.at.as_nanos(),
            json!(self.kind),
            json!(self.subject)
        );
        for (name, value) in self.fields.as_object().into_iter().flatten() {
            line.push_str(&format!(",{}:{value}", json!(name)));
        }
        line + "}\n"
    }
}

/// Seconds with microseconds, and nanoseconds where there are any; exact.
fn seconds(at: Instant) -> String {
    let (whole, nanos) = (at.as_nanos() / NANOS_PER_SEC, at.as_nanos() % NANOS_PER_SEC);
    format!("{whole}.{nanos:09}")
}

type Parts = (String, &'static str, String, Value);

fn parts<P>(fact: &Fact, model: &Model<P>) -> Parts {
    let node = |id: NodeId| model.nodes[id.index()].name.clone();
    let group = |id: GroupId| model.groups[id.index()].name.clone();
    let choose = |flag: bool, yes: &str, no: &str| if flag { yes.to_owned() } else { no.to_owned() };
    match *fact {
        Fact::Fault { of, begins } => {
            let (owner, mode) = fault(of, model);
            let detail = format!("{mode} {}", choose(begins, "begins", "ends"));
            (owner, "fault", detail, json!({"mode": mode, "begins": begins}))
        }
        Fact::Process { node: n, up } => {
            (node(n), "process", choose(up, "runs", "is gone"), json!({"up": up}))
        }
        Fact::Pause { node: n, paused } => {
            (node(n), "pause", choose(paused, "stands still", "goes on"), json!({"paused": paused}))
        }
        Fact::Stance { node: n, stance } => {
            let accepts = match (stance.accepts, stance.draining) {
                (None, _) => match stance.takes {
                    None | Some(0) => String::new(),
                    Some(slot) => format!(", takes part {slot}"),
                },
                (Some(0), false) => ", accepts".to_owned(),
                (Some(slot), false) => format!(", accepts part {slot}"),
                (Some(_), true) => ", hands over".to_owned(),
            };
            let detail = format!("{}{accepts}, activation {}", stance.role.name(), stance.activation);
            let fields = json!({
                "role": stance.role.name(), "accepts": stance.accepts, "takes": stance.takes, "draining": stance.draining,
                "reads": stance.reads, "activation": stance.activation,
            });
            (node(n), "role", detail, fields)
        }
        Fact::Verdict { observer, peer, by, suspected, mistaken } => {
            let sense = if by == Sense::Beats { String::new() } else { format!(" by {}", by.name()) };
            let wrongly = choose(suspected && mistaken, " wrongly", "");
            let detail =
                format!("{} {}{sense}{wrongly}", choose(suspected, "suspects", "trusts"), node(peer));
            let fields =
                json!({"peer": node(peer), "by": by.name(), "suspected": suspected, "mistaken": mistaken});
            (node(observer), "verdict", detail, fields)
        }
        Fact::Step { node: n, phase } => {
            (node(n), "step", phase.name().to_owned(), json!({"phase": phase.name()}))
        }
        Fact::Replication { from, to, change } => {
            let words = format!("{change:?}").to_lowercase();
            (
                node(from),
                "replication",
                format!("to {}: {words}", node(to)),
                json!({"to": node(to), "change": words}),
            )
        }
        _ => of_group(fact, &node, &group),
    }
}

fn of_group(fact: &Fact, node: &dyn Fn(NodeId) -> String, group: &dyn Fn(GroupId) -> String) -> Parts {
    let choose = |flag: bool, yes: &str, no: &str| if flag { yes.to_owned() } else { no.to_owned() };
    match *fact {
        Fact::Service { group: g, up, writes, reads, by, cause } => {
            let by = by.map(node);
            let mut detail = choose(up, "up", "down");
            match &by {
                Some(by) if up => detail.push_str(&format!(" by {by}")),
                _ if !up => detail.push_str(&format!(", {}", cause.name())),
                _ => {}
            }
            let cause = (!up).then(|| cause.name());
            (
                group(g),
                "service",
                detail,
                json!({"up": up, "writes": writes, "reads": reads, "by": by, "cause": cause}),
            )
        }
        Fact::Acceptors { group: g, believing, accepting, exposed } => {
            let detail = format!("{accepting} accept, {believing} believe, {exposed} reached");
            let fields = json!({"believing": believing, "accepting": accepting, "exposed": exposed});
            (group(g), "acceptors", detail, fields)
        }
        Fact::Diverged { group: g, diverged } => (
            group(g),
            "histories",
            choose(diverged, "diverge", "are one again"),
            json!({"diverged": diverged}),
        ),
        Fact::Capacity { group: g, millionths } => {
            let share = f64::from(millionths) / 1e6;
            (group(g), "capacity", format!("{} %", share * 100.0), json!({"share": share}))
        }
        Fact::Failover { group: g, node: n, took, detection, mistaken, ordered } => {
            let took_text = took.map_or(String::new(), |took| format!(" after {took}"));
            let why = choose(mistaken, ", by mistake", &choose(ordered, ", as ordered", ""));
            let fields = json!({
                "node": node(n), "took_s": took.map(|t| t.as_secs()), "detection_s": detection.map(|t| t.as_secs()),
                "mistaken": mistaken, "ordered": ordered,
            });
            (group(g), "failover", format!("to {}{took_text}{why}", node(n)), fields)
        }
        Fact::FailoverFailed { group: g } => {
            (group(g), "failover", "did not come to its end".to_owned(), json!({"failed": true}))
        }
        Fact::Incident { group: g, incident } => {
            let class = choose(incident.in_class, "", ", outside the bound's class");
            let fields = json!({"number": incident.number, "in_class": incident.in_class});
            (group(g), "incident", format!("number {}{class}", incident.number), fields)
        }
        Fact::Lost { group: g, loss, breaks_bound } => {
            let bound = choose(breaks_bound, ", MORE THAN THE BOUND", "");
            let detail = format!("{} writes, the oldest {} old{bound}", loss.count, loss.age);
            let fields = json!({
                "count": loss.count, "recovered": loss.recovered, "merged": loss.merged,
                "age_s": loss.age.as_secs(), "breaks_bound": breaks_bound,
            });
            (group(g), "lost", detail, fields)
        }
        Fact::Overwritten { group: g, count, reordered } => {
            let how = choose(reordered, " by earlier ones", "");
            let fields = json!({"count": count, "reordered": reordered});
            (group(g), "overwritten", format!("{count} writes{how}"), fields)
        }
        Fact::Actuators { group: g, number } => {
            (group(g), "devices", format!("obey {number} nodes"), json!({"nodes": number}))
        }
        Fact::Lagging { group: g, since } => {
            let detail =
                since.map_or("fresh".to_owned(), |since| format!("miss writes since {}", seconds(since)));
            (group(g), "reads", detail, json!({"since_s": since.map(|at| at.as_secs())}))
        }
        Fact::Traffic { group: g, messages } => {
            (group(g), "traffic", format!("{messages} messages"), json!({"messages": messages}))
        }
        Fact::Dropped { group: g, count } => {
            (group(g), "devices", format!("gave {count} events up"), json!({"count": count}))
        }
        Fact::Degraded { group: g, degraded } => (
            group(g),
            "copies",
            choose(degraded, "fewer than promised", "as promised"),
            json!({"degraded": degraded}),
        ),
        Fact::Book { group: g, totals } => {
            let detail = format!("{} acknowledged, {} kept, {} lost", totals.acked, totals.kept, totals.lost);
            let fields = json!({"acked": totals.acked, "kept": totals.kept, "lost": totals.lost});
            (group(g), "book", detail, fields)
        }
        // Facts of nodes and links are told above.
        _ => (String::new(), "", format!("{fact:?}"), json!({})),
    }
}

fn fault<P>(of: FaultOf, model: &Model<P>) -> (String, String) {
    match of {
        FaultOf::Node(id, mode) => {
            let node = &model.nodes[id.index()];
            (node.name.clone(), mode_name(node.failures.iter().map(|f| f.name.as_str()), mode))
        }
        FaultOf::Link(id, mode) => {
            let link = &model.links[id.index()];
            (link.name.clone(), mode_name(link.failures.iter().map(|f| f.name.as_str()), mode))
        }
        FaultOf::Shared(id, mode) => {
            let shared = &model.shared[id.index()];
            (shared.name.clone(), mode_name(shared.failures.iter().map(|f| f.name.as_str()), mode))
        }
    }
}

/// A mode beyond those of the file is the script's.
fn mode_name<'a>(mut names: impl Iterator<Item = &'a str>, mode: u16) -> String {
    names.nth(usize::from(mode)).unwrap_or("scripted").to_owned()
}
