//! Outages: their lengths, and the cause of every nanosecond of them.
//!
//! At the end of an outage the node that restored the service is followed back through the steps it announced. Time
//! before its first step has the cause that the host told at that instant (a capable peer existed: *detect*; else
//! *no_quorum*, *network*, *restart*, *no_spare*). *Planned* overrides both: an outage that began while a node of the
//! group was being worked on, or while a changeover was carried out (one that was refused plans nothing, and from the
//! death of the node that was to hand over it is that fault's). An interruption counts from its start to its end less the
//! deadline of the clients, and not at all if it is shorter: that is decided when it closes.
//! Outages closer together than the merge gap are one in counts and durations, never in downtime.

use crate::engine::time::{Instant, Span};
use crate::policy::contract::Phase;
use crate::system::ids::NodeId;

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
    merge_gap: Span,
    rto: Option<Span>,
    began: Option<Instant>,
    marks: Vec<(Instant, Mark)>,
    /// The last outage, still open for merging: when it began and ended, and its length so far.
    last: Option<(Instant, Instant, Span)>,
    /// Where there is an objective: when outages began, and whether they missed it.
    judged: Vec<(Instant, bool)>,
    /// Every counted interruption, for windows.
    pub(super) intervals: Vec<(Instant, Instant, bool)>,
}

impl Outages {
    pub(super) fn new(deadline: Span, merge_gap: Span, rto: Option<Span>) -> Outages {
        Outages {
            deadline,
            merge_gap,
            rto,
            began: None,
            marks: Vec::new(),
            last: None,
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
        let planned = self.attribute(began, end, by, tally);
        self.count(began, end, at, planned, tally);
    }

    /// The horizon cuts an outage off: it counts in times, and as an outage that has not ended. One that may yet be
    /// shorter than the deadline is none.
    pub(super) fn cut_off(&mut self, at: Instant, tally: &mut Tally) {
        let began = self.began.take().filter(|&began| at - began > self.deadline);
        if let Some(began) = began {
            let planned = self.attribute(began, at, None, tally);
            let goes_on = self.last.take_if(|(_, ended, _)| began.since(*ended) <= self.merge_gap);
            let (first, so_far) = goes_on.map_or((began, Span::ZERO), |(first, _, so_far)| (first, so_far));
            let length = so_far + (at - began).saturating_sub(self.deadline);
            tally.add(Sum::Outages, 1.0);
            tally.pool(Pool::OpenOutage, length.as_nanos());
            self.judge(first, length);
            self.intervals.push((began, at, planned));
            self.note_first(began, tally);
        }
        self.flush(tally);
        self.count_judged(at, tally);
    }

    /// Holds the length of an outage against the objective.
    fn judge(&mut self, began: Instant, length: Span) {
        if let Some(rto) = self.rto {
            self.judged.push((began, length > rto));
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

    fn count(&mut self, began: Instant, end: Instant, restored: Instant, planned: bool, tally: &mut Tally) {
        self.note_first(began, tally);
        self.intervals.push((began, end, planned));
        match self.last {
            Some((first, ended, so_far))
                if self.merge_gap > Span::ZERO && began.since(ended) <= self.merge_gap =>
            {
                self.last = Some((first, restored, so_far + (end - began)));
            }
            _ => {
                self.flush(tally);
                self.last = Some((began, restored, end - began));
            }
        }
        if self.merge_gap == Span::ZERO {
            self.flush(tally);
        }
    }

    fn flush(&mut self, tally: &mut Tally) {
        let Some((began, _, length)) = self.last.take() else { return };
        tally.add(Sum::Outages, 1.0);
        tally.add(Sum::OutagesEnded, 1.0);
        tally.add(Sum::OutageSecs, length.as_secs());
        tally.pool(Pool::Outage, length.as_nanos());
        self.judge(began, length);
    }

    /// Gives each stretch of [began, end) its one cause; says whether it was planned.
    fn attribute(&mut self, began: Instant, end: Instant, by: Option<NodeId>, tally: &mut Tally) -> bool {
        let marks = std::mem::take(&mut self.marks);
        let (mut cause, mut step, mut from, mut planned) = (Phase::NoSpare, None, began, false);
        let mut close = |from: Instant, to: Instant, cause: Phase, step: Option<Phase>| {
            let to = to.min(end);
            if to > from {
                let phase = if cause == Phase::Planned { cause } else { step.unwrap_or(cause) };
                tally.add_cause(phase, (to - from).as_secs());
                tally.add(Sum::Down, (to - from).as_secs());
            }
        };
        for &(at, mark) in &marks {
            close(from, at, cause, step);
            from = at.min(end);
            match mark {
                Mark::Cause(phase) => {
                    cause = phase;
                    planned |= phase == Phase::Planned;
                }
                Mark::Step(node, phase) if Some(node) == by => step = Some(phase),
                Mark::Gone(node) if Some(node) == by => step = None,
                _ => {}
            }
        }
        close(from, end, cause, step);
        self.marks = marks;
        planned
    }
}
