//! Facts: what happened in a run, typed. Measures, traces and the fingerprint read this one stream.

use crate::engine::fingerprint::Fingerprint;
use crate::engine::time::{Instant, Span};
use crate::service::ledger::{Incident, Loss, Totals};
use crate::service::replication::Change;
use crate::system::ids::{GroupId, LinkId, NodeId, SharedId};

use super::contract::{Phase, Sense, Stance};

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOf {
    /// A node's failure mode, by its place in the model.
    Node(NodeId, u16),
    /// A link's.
    Link(LinkId, u16),
    /// A common cause's.
    Shared(SharedId, u16),
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact {
    /// A fault of the environment begins or ends.
    Fault {
        /// Whose.
        of: FaultOf,
        /// Begins, else ends.
        begins: bool,
    },
    /// A node's server process can take a role, or no longer exists.
    Process {
        /// Which node.
        node: NodeId,
        /// Whether it runs.
        up: bool,
    },
    /// A node's server process stands still, or goes on.
    Pause {
        /// Which node.
        node: NodeId,
        /// Whether it stands still.
        paused: bool,
    },
    /// A node's belief changed.
    Stance {
        /// Which node.
        node: NodeId,
        /// What it believes now.
        stance: Stance,
    },
    /// A detector changed its mind.
    Verdict {
        /// Who watches.
        observer: NodeId,
        /// Whom.
        peer: NodeId,
        /// How the observer perceives the peer.
        by: Sense,
        /// What it thinks now.
        suspected: bool,
        /// The peer ran and was not paused at that instant.
        mistaken: bool,
    },
    /// A node announced a phase of its failover.
    Step {
        /// Which node.
        node: NodeId,
        /// What it does.
        phase: Phase,
    },
    /// The service of a group as its clients see it.
    Service {
        /// Which group.
        group: GroupId,
        /// Enough clients are served with all their kinds of work.
        up: bool,
        /// Their writes are.
        writes: bool,
        /// Their reads are.
        reads: bool,
        /// The node that serves most of them now, or did last.
        by: Option<NodeId>,
        /// While down: why, as far as no node's own steps explain it.
        cause: Phase,
    },
    /// Who accepts at this instant, in the slot with the most acceptors.
    Acceptors {
        /// Which group.
        group: GroupId,
        /// Nodes that believe they are active, in the same part of the work.
        believing: u8,
        /// Nodes that would accept a write.
        accepting: u8,
        /// Of these, nodes that some client or device reaches.
        exposed: u8,
    },
    /// Two histories hold acknowledged writes that the other does not (true), or no longer.
    Diverged {
        /// Which group.
        group: GroupId,
        /// Whether they do.
        diverged: bool,
    },
    /// Serving nodes over those required, at most 1.
    Capacity {
        /// Which group.
        group: GroupId,
        /// Share in millionths.
        millionths: u32,
    },
    /// Another node took over.
    Failover {
        /// Which group.
        group: GroupId,
        /// The new active node.
        node: NodeId,
        /// From the fault to service on it, where it was up all the while.
        took: Option<Span>,
        /// From the fault to its suspicion, likewise.
        detection: Option<Span>,
        /// The one before could still accept at the instant of suspicion.
        mistaken: bool,
        /// An operator or planned work asked for it.
        ordered: bool,
    },
    /// A takeover began and did not come to its end before the former active node was back.
    FailoverFailed {
        /// Which group.
        group: GroupId,
    },
    /// A fault took the serving node away or cut it off.
    Incident {
        /// Which group.
        group: GroupId,
        /// The incident.
        incident: Incident,
    },
    /// Acknowledged writes were given up.
    Lost {
        /// Which group.
        group: GroupId,
        /// What.
        loss: Loss,
        /// The policy's bound was broken by it.
        breaks_bound: bool,
    },
    /// Concurrent writes of which one was discarded by the merge rule.
    Overwritten {
        /// Which group.
        group: GroupId,
        /// How many.
        count: u64,
        /// The one that stayed had been acknowledged first: clocks that differ put the later stamp on it.
        reordered: bool,
    },
    /// Replication changed its state.
    Replication {
        /// From whom.
        from: NodeId,
        /// To whom.
        to: NodeId,
        /// What happened.
        change: Change,
    },
    /// Acknowledged without the copy that the level promises (true), or no longer.
    Degraded {
        /// Which group.
        group: GroupId,
        /// Whether it is.
        degraded: bool,
    },
    /// A client's operation came to its end (request fidelity).
    Answered {
        /// Which group.
        group: GroupId,
        /// A write, else a read.
        write: bool,
        /// From issue to answer; `None`: it failed, or came too late.
        latency: Option<Span>,
    },
    /// A write stands in the data more often than the client knows of (request fidelity).
    Repeated {
        /// Which group.
        group: GroupId,
        /// The client was told of a failure and yet the write is there (a ghost); else it is there twice.
        is_ghost: bool,
    },
    /// The load of one node's service station over the run (request fidelity).
    Load {
        /// Which group.
        group: GroupId,
        /// Requests in the station, summed over time.
        number_secs: Span,
        /// Share of its servers that were busy, summed over time.
        busy_secs: Span,
        /// The most requests in it at once.
        longest: u32,
    },
    /// Nodes that accept and are obeyed by the same field devices, at most.
    Actuators {
        /// Which group.
        group: GroupId,
        /// How many.
        number: u8,
    },
    /// Reads are answered from data that lacks acknowledged writes which another running node has.
    Lagging {
        /// Which group.
        group: GroupId,
        /// The first of them was acknowledged no earlier than this; `None`: no longer.
        since: Option<Instant>,
    },
    /// What the nodes of a group told each other over the run.
    Traffic {
        /// Which group.
        group: GroupId,
        /// Heartbeats, checks, echo requests and their answers, and messages.
        messages: u64,
    },
    /// Field events of the run that no node took before their device gave them up.
    Dropped {
        /// Which group.
        group: GroupId,
        /// How many.
        count: u64,
    },
    /// The book was closed at the horizon.
    Book {
        /// Which group.
        group: GroupId,
        /// Its sums.
        totals: Totals,
    },
}

impl Fact {
    /// Kind, entity and value for the fingerprint; none for facts that follow from others and are there for measures.
    /// Each group has a fingerprint of its own, so groups need no number, and `place` numbers nodes within theirs: what
    /// else a model holds does not show.
    #[inline(always)]
    fn words(&self, place: impl Fn(NodeId) -> u32) -> Option<(u8, u32, u64)> {
        let flag = u64::from;
        Some(match *self {
            Fact::Actuators { .. } | Fact::Lagging { .. } | Fact::Traffic { .. } | Fact::Dropped { .. } => {
                return None;
            }
            Fact::Fault { of, begins } => {
                let (kind, index, mode) = match of {
                    FaultOf::Node(n, m) => (0_u64, place(n), m),
                    FaultOf::Link(l, m) => (1, l.0.into(), m),
                    FaultOf::Shared(s, m) => (2, s.0.into(), m),
                };
                (1, index, kind << 32 | u64::from(mode) << 1 | flag(begins))
            }
            Fact::Process { node, up } => (2, place(node), flag(up)),
            Fact::Pause { node, paused } => (3, place(node), flag(paused)),
            Fact::Stance { node, stance } => {
                let accepts = stance.accepts.map_or(0, |slot| u64::from(slot) + 1);
                let flags = accepts << 2 | flag(stance.draining) << 1 | flag(stance.reads);
                let takes = stance.takes.map_or(0, |slot| u64::from(slot) << 56);
                (4, place(node), takes ^ (stance.activation << 20 | (stance.role as u64) << 13 | flags))
            }
            Fact::Verdict { observer, peer, by, suspected, mistaken } => {
                let flags = (by as u64) << 2 | flag(suspected) << 1 | flag(mistaken);
                (5, place(observer), u64::from(place(peer)) << 8 | flags)
            }
            Fact::Step { node, phase } => (6, place(node), phase as u64),
            Fact::Service { up, writes, reads, by, cause, .. } => {
                let by = by.map_or(0, |n| u64::from(place(n)) + 1);
                let flags = flag(up) << 2 | flag(writes) << 1 | flag(reads);
                (7, 0, by << 16 | (cause as u64) << 8 | flags)
            }
            Fact::Acceptors { believing, accepting, exposed, .. } => {
                (8, 0, u64::from(believing) << 16 | u64::from(accepting) << 8 | u64::from(exposed))
            }
            Fact::Diverged { diverged, .. } => (9, 0, flag(diverged)),
            Fact::Capacity { millionths, .. } => (10, 0, millionths.into()),
            Fact::Failover { node, took, detection, mistaken, ordered, .. } => {
                let span = |span: Option<Span>| span.map_or(u64::MAX, Span::as_nanos);
                (11, place(node), mix(&[span(took), span(detection), flag(mistaken) << 1 | flag(ordered)]))
            }
            Fact::FailoverFailed { .. } => (12, 0, 0),
            Fact::Incident { incident, .. } => (13, 0, mix(&words_of(&incident))),
            Fact::Lost { loss, breaks_bound, .. } => {
                let Loss { count, recovered, merged, overwritten, configuration, bytes, age, incident } =
                    loss;
                let [at, number] = incident.as_ref().map_or([u64::MAX; 2], words_of);
                let counts = [count, recovered, merged, overwritten, configuration, bytes.to_bits()];
                (14, 0, mix(&counts) ^ mix(&[age.as_nanos(), at, number, flag(breaks_bound)]))
            }
            Fact::Overwritten { count, .. } => (15, 0, count),
            Fact::Replication { from, to, change } => {
                (16, place(from), u64::from(place(to)) << 8 | change as u64)
            }
            Fact::Degraded { degraded, .. } => (17, 0, flag(degraded)),
            Fact::Answered { write, latency, .. } => {
                (19, 0, latency.map_or(u64::MAX, Span::as_nanos) ^ flag(write))
            }
            Fact::Repeated { is_ghost, .. } => (20, 0, flag(is_ghost)),
            Fact::Load { number_secs, busy_secs, longest, .. } => {
                (21, 0, number_secs.as_nanos() ^ busy_secs.as_nanos().rotate_left(32) ^ u64::from(longest))
            }
            Fact::Book { totals, .. } => (18, 0, totals.acked << 24 ^ totals.lost),
        })
    }

    /// Takes the fact into a fingerprint.
    #[inline(always)]
    pub(crate) fn mark(&self, at: Instant, place: impl Fn(NodeId) -> u32, fingerprint: &mut Fingerprint) {
        if let Some((kind, entity, value)) = self.words(place) {
            fingerprint.fact(at, kind, entity, value);
        }
    }
}

/// Several words as one, each bit of it from each of theirs and from their order.
fn mix(words: &[u64]) -> u64 {
    let mut all = Fingerprint::default();
    words.iter().for_each(|&word| all.word(word));
    all.value() as u64
}

fn words_of(incident: &Incident) -> [u64; 2] {
    [incident.at.as_nanos(), u64::from(incident.number) << 1 | u64::from(incident.in_class)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(fact: &Fact) -> u128 {
        let mut fingerprint = Fingerprint::default();
        fact.mark(Instant::ZERO, |node| node.0.into(), &mut fingerprint);
        fingerprint.value()
    }

    #[test]
    fn everything_that_is_told_of_a_loss_is_in_the_fingerprint() {
        let incident = Incident { at: Instant::ZERO, number: 1, in_class: true };
        let loss = Loss {
            count: 5,
            recovered: 1,
            merged: 2,
            overwritten: 1,
            configuration: 1,
            bytes: 9.0,
            age: Span::from_whole_secs(3),
            incident: Some(incident),
        };
        let lost = |loss, breaks_bound| Fact::Lost { group: GroupId(0), loss, breaks_bound };
        let all = [
            lost(loss, false),
            lost(loss, true),
            lost(Loss { count: 6, ..loss }, false),
            lost(Loss { recovered: 2, ..loss }, false),
            lost(Loss { merged: 1, ..loss }, false),
            lost(Loss { overwritten: 2, ..loss }, false),
            lost(Loss { configuration: 2, ..loss }, false),
            lost(Loss { bytes: 8.0, ..loss }, false),
            lost(Loss { age: Span::from_whole_secs(4), ..loss }, false),
            lost(Loss { incident: None, ..loss }, false),
            lost(Loss { incident: Some(Incident { in_class: false, ..incident }), ..loss }, false),
            lost(Loss { incident: Some(Incident { number: 2, ..incident }), ..loss }, false),
            lost(Loss { incident: Some(Incident { at: Instant::NEVER, ..incident }), ..loss }, false),
        ];
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                assert_ne!(value(a), value(b), "{a:?} {b:?}");
            }
        }
    }
}
