//! Outages: their lengths, and the cause of every nanosecond of them.
//!
//! At the end of an outage the node that restored the service is followed back through the steps it announced. Time
//! before its first step has the cause that the host told at that instant (a capable peer existed: *detect*; else
//! *no_quorum*, *network*, *restart*, *no_spare*). *Planned* overrides both: an outage that planned work on a node, or a
//! changeover that is carried out, has brought about (one that was refused plans nothing, and from the death of the node
//! that was to hand over it is that fault's). A fault beside planned work is a fault, and takes over from it. An
//! interruption counts from its start to its end less the deadline of the clients, and not at all if it is shorter: that
//! is decided when it closes.
//! Outages closer together than the merge gap are one in counts and durations, never in downtime.

use crate::engine::time::{Instant, Span};
use crate::policy::contract::Phase;
use crate::system::ids::NodeId;

use super::spells::{Spell, Spells};
use super::tally::{Pool, Sum, Tally};

#[derive(Clone, Copy, Debug)]
enum Mark {
    Cause(Phase),
    Step(NodeId, Phase),
    Gone(NodeId),
}

/// Follows one service through up and down.
#[derive(Clone, Debug)]
pub(super) struct Outages {
    deadline: Span,
    rto: Option<Span>,
    began: Option<Instant>,
    marks: Vec<(Instant, Mark)>,
    /// Outages that are over, put together where they lie close.
    spells: Spells,
    /// Where there is an objective: when outages began, and whether they missed it.
    judged: Vec<(Instant, bool)>,
    /// Every counted interruption, for windows, and whether it was planned; one that was so in part comes in parts.
    pub(super) intervals: Vec<(Instant, Instant, bool)>,
}

impl Outages {
    pub(super) fn new(deadline: Span, merge_gap: Span, rto: Option<Span>) -> Outages {
        Outages {
            deadline,
            rto,
            began: None,
            marks: Vec::new(),
            spells: Spells::new(merge_gap),
            judged: Vec::new(),
            intervals: Vec::new(),
        }
    }

    pub(super) fn is_down(&self) -> bool {
        self.began.is_some()
    }

    pub(super) fn down(&mut self, at: Instant, cause: Phase) {
        if self.began.is_none() {
            self.began = Some(at);
            self.marks.clear();
        }
        self.marks.push((at, Mark::Cause(cause)));
    }

    pub(super) fn step(&mut self, at: Instant, node: NodeId, phase: Phase) {
        if self.began.is_some() {
            self.marks.push((at, Mark::Step(node, phase)));
        }
    }

    pub(super) fn gone(&mut self, at: Instant, node: NodeId) {
        if self.began.is_some() {
            self.marks.push((at, Mark::Gone(node)));
        }
    }

    /// The service is back, thanks to `by`.
    pub(super) fn up(&mut self, at: Instant, by: Option<NodeId>, tally: &mut Tally) {
        let Some(began) = self.began.take() else { return };
        let length = (at - began).saturating_sub(self.deadline);
        if length == Span::ZERO {
            return;
        }
        let end = began + length;
        self.attribute(began, end, by, tally);
        self.count(began, end, at, tally);
    }

    /// The horizon cuts an outage off: it counts in times, and as an outage that has not ended. One that may yet be
    /// shorter than the deadline is none.
    pub(super) fn cut_off(&mut self, at: Instant, tally: &mut Tally) {
        let began = self.began.take().filter(|&began| at - began > self.deadline);
        if let Some(began) = began {
            self.attribute(began, at, None, tally);
            self.note_first(began, tally);
            self.begin(began, tally);
            let open = self.spells.cut_off((at - began).saturating_sub(self.deadline));
            tally.add(Sum::Outages, 1.0);
            tally.pool(Pool::OpenOutage, open.length.as_nanos());
            self.judge(open);
        }
        let last = self.spells.close();
        self.tell(last, tally);
        self.count_judged(at, tally);
    }

    /// Holds the length of an outage against the objective.
    fn judge(&mut self, spell: Spell) {
        if let Some(rto) = self.rto {
            self.judged.push((spell.began, spell.length > rto));
        }
    }

    /// Counts what was judged, of outages that began early enough to miss the objective before the horizon: of later
    /// ones only those that do not miss it would be known.
    fn count_judged(&mut self, horizon: Instant, tally: &mut Tally) {
        let Some(rto) = self.rto else { return };
        for (began, missed) in self.judged.drain(..) {
            if began + self.deadline + rto < horizon {
                tally.add(Sum::RtoJudged, 1.0);
                tally.add(Sum::RtoMissed, f64::from(u8::from(missed)));
            }
        }
    }

    fn note_first(&self, began: Instant, tally: &mut Tally) {
        if tally.get(Sum::Failed) == 0.0 {
            tally.add(Sum::Failed, 1.0);
            tally.add(Sum::FirstFailure, began.as_secs());
        }
    }

    fn count(&mut self, began: Instant, end: Instant, restored: Instant, tally: &mut Tally) {
        self.note_first(began, tally);
        self.begin(began, tally);
        self.spells.end(restored, end - began);
    }

    fn begin(&mut self, at: Instant, tally: &mut Tally) {
        let before = self.spells.begin(at);
        self.tell(before, tally);
    }

    /// An outage is over, and none will be put together with it.
    fn tell(&mut self, spell: Option<Spell>, tally: &mut Tally) {
        let Some(spell) = spell else { return };
        tally.add(Sum::Outages, 1.0);
        tally.add(Sum::OutagesEnded, 1.0);
        tally.add(Sum::OutageSecs, spell.length.as_secs());
        tally.pool(Pool::Outage, spell.length.as_nanos());
        self.judge(spell);
    }

    /// Gives each stretch of [began, end) its one cause, and notes which of them windows may leave out.
    fn attribute(&mut self, began: Instant, end: Instant, by: Option<NodeId>, tally: &mut Tally) {
        let marks = std::mem::take(&mut self.marks);
        let first = self.intervals.len();
        let (mut cause, mut step, mut from) = (Phase::NoSpare, None, began);
        let mut close = |from: Instant, to: Instant, cause: Phase, step: Option<Phase>| {
            let to = to.min(end);
            if to > from {
                let planned = cause == Phase::Planned;
                let phase = if planned { cause } else { step.unwrap_or(cause) };
                tally.add_cause(phase, (to - from).as_secs());
                tally.add(Sum::Down, (to - from).as_secs());
                match self.intervals[first..].last_mut() {
                    Some(last) if last.2 == planned => last.1 = to,
                    _ => self.intervals.push((from, to, planned)),
                }
            }
        };
        for &(at, mark) in &marks {
            close(from, at, cause, step);
            from = at.min(end);
            match mark {
                Mark::Cause(phase) => cause = phase,
                Mark::Step(node, phase) if Some(node) == by => step = Some(phase),
                Mark::Gone(node) if Some(node) == by => step = None,
                _ => {}
            }
        }
        close(from, end, cause, step);
        self.marks = marks;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_may_leave_out_the_part_of_an_outage_that_was_planned() {
        let at = |secs| Instant::ZERO + Span::from_whole_secs(secs);
        let mut outages = Outages::new(Span::ZERO, Span::ZERO, None);
        let mut tally = Tally::default();
        // An ordered changeover dies with the node that was to hand over.
        outages.down(at(100), Phase::Planned);
        outages.down(at(104), Phase::Detect);
        outages.down(at(109), Phase::NoSpare);
        outages.up(at(111), None, &mut tally);
        outages.down(at(200), Phase::Planned);
        outages.up(at(203), None, &mut tally);
        let expected = [(at(100), at(104), true), (at(104), at(111), false), (at(200), at(203), true)];
        assert_eq!(outages.intervals, expected);
        outages.cut_off(at(300), &mut tally);
        assert_eq!((tally.get(Sum::Outages), tally.get(Sum::Down)), (2.0, 14.0));
    }
}
