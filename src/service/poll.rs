//! Polls over a connection: a request every so often, each of which must be answered in time.
//!
//! Unlike an echo request a poll is not lost on the way: the connection repeats what got lost, and an answer that was
//! held up comes when the way opens again. So a poll fails only if no answer can come all the time from when it was
//! sent until its time-out: a failure at t is noticed at s + time-out, where s is the first request at or after t, which
//! is uniform on [time-out, time-out + interval] after it. The delay of single messages (milliseconds against
//! seconds) is left out. Nothing happens in between, so there is one form for stepwise and skipping runs.

use crate::engine::time::{Instant, Span};

use super::detector::Observed;
use super::fidelity::{Explained, Form};

/// One observer's polls of one peer.
#[derive(Clone, Copy, Debug)]
pub struct Poll {
    every: Span,
    timeout: Span,
    /// One of the instants at which a request goes out.
    grid: Instant,
    /// Answers come, and the observer runs.
    answered: bool,
    hearing: bool,
    /// When it last began to stand still.
    still_since: Instant,
    /// When the first request that has not been answered was sent, or will be.
    unanswered: Option<Instant>,
    suspected: bool,
    /// When the next request will find the peer back.
    back: Option<Instant>,
    /// Requests and answers since they were last taken, and up to when they are counted.
    messages: f64,
    counted: Instant,
}

impl Poll {
    /// Polls of which one goes out at `grid`. `armed`: they count from now on, else from the first answer.
    pub fn new(every: Span, timeout: Span, grid: Instant, now: Instant, armed: bool, answered: bool) -> Poll {
        let mut poll = Poll {
            every,
            timeout,
            grid,
            answered,
            hearing: true,
            still_since: Instant::ZERO,
            unanswered: None,
            suspected: false,
            back: None,
            messages: 0.0,
            counted: now,
        };
        if armed && !answered {
            poll.unanswered = Some(poll.request_after(now));
        }
        poll
    }

    /// The first request at `now` or later.
    fn request_after(&self, now: Instant) -> Instant {
        let every = self.every.as_nanos().max(1);
        self.grid + self.every.times(now.since(self.grid).as_nanos().div_ceil(every))
    }

    /// Requests and answers since they were last asked for, in the mean.
    pub(crate) fn take_messages(&mut self, now: Instant) -> f64 {
        self.count_messages(now);
        std::mem::take(&mut self.messages)
    }

    fn count_messages(&mut self, now: Instant) {
        let requests = now.since(self.counted).as_secs() / self.every.as_secs();
        self.counted = self.counted.max(now);
        if self.hearing {
            self.messages += if self.answered { 2.0 * requests } else { requests };
        }
    }

    /// In which form it runs: in its only one.
    pub fn explain(&self) -> Explained {
        Explained::new(Form::One, "a poll fails only with its surroundings: nothing happens in between")
    }

    /// When to call [`Poll::wake`].
    pub fn wake_at(&self) -> Instant {
        match (self.hearing, self.back, self.unanswered) {
            (false, ..) => Instant::NEVER,
            (true, Some(back), _) => back,
            (true, None, Some(sent)) if !self.suspected => sent + self.timeout,
            _ => Instant::NEVER,
        }
    }

    /// Handles what comes up at `now`.
    pub fn wake(&mut self, now: Instant) -> Observed {
        if self.wake_at() > now {
            return Observed::default();
        }
        if self.back.take().is_some() {
            self.suspected = false;
            return Observed { suspect: false, heard: Some(now), trust: true };
        }
        self.suspected = true;
        Observed { suspect: true, heard: None, trust: false }
    }

    /// The clock of the observer, which is about to go on, stood still for so long up to `now`: its loop and the
    /// time-outs of requests go on with what they had left.
    pub(crate) fn stand_still(&mut self, length: Span, now: Instant) {
        self.grid = self.grid + length;
        self.still_since = self.still_since + length;
        self.unanswered = self.unanswered.map(|sent| sent + length);
        self.back = self.back.map(|_| self.request_after(now));
    }

    /// The surroundings change at `now`: whether answers come, and whether the observer runs.
    pub fn change(&mut self, now: Instant, answered: bool, hearing: bool) {
        self.count_messages(now);
        match (self.hearing, hearing) {
            (true, false) => self.still_since = now,
            // It sent nothing while it stood still.
            (false, true) if self.unanswered.is_some_and(|sent| sent >= self.still_since) => {
                self.unanswered = Some(self.request_after(now));
            }
            _ => {}
        }
        self.hearing = hearing;
        match (self.answered, answered) {
            (true, false) => {
                self.unanswered = Some(self.request_after(now));
                self.back = None;
            }
            (false, true) => {
                self.unanswered = None;
                self.back = self.suspected.then(|| self.request_after(now));
            }
            _ => {}
        }
        self.answered = answered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::from_whole_secs(secs)
    }

    /// Every 10 s from second 3 on, 30 s for an answer.
    fn poll(armed: bool, answered: bool) -> Poll {
        Poll::new(Span::from_whole_secs(10), Span::from_whole_secs(30), at(3), at(0), armed, answered)
    }

    #[test]
    fn a_clock_that_stood_still_leaves_what_was_left() {
        let still = |poll: &mut Poll, from: u64, to: u64| {
            poll.change(at(from), poll.answered, false);
            assert_eq!(poll.wake_at(), Instant::NEVER);
            poll.stand_still(Span::from_whole_secs(to - from), at(to));
        };
        // The request of second 13 is out, or still to come.
        for (from, to, noticed) in [(20, 25, 48), (10, 17, 50)] {
            let mut poll = poll(true, true);
            poll.change(at(4), false, true);
            still(&mut poll, from, to);
            poll.change(at(to), false, true);
            assert_eq!(poll.wake_at(), at(noticed));
        }
        // It fails in the meantime: the next request is the one of second 13, ten seconds later.
        let mut poll = poll(true, true);
        poll.change(at(10), true, false);
        poll.change(at(15), false, false);
        poll.stand_still(Span::from_whole_secs(10), at(20));
        poll.change(at(20), false, true);
        assert_eq!(poll.wake_at(), at(53));
        assert!(poll.wake(at(53)).suspect);
        // And it is back in a pause from 58 to 60: the next request is that of second 55, eight later.
        still(&mut poll, 58, 60);
        poll.change(at(60), true, true);
        assert_eq!(poll.wake_at(), at(65));
    }

    #[test]
    fn a_failure_is_noticed_one_time_out_after_the_next_request() {
        for (fails, noticed) in [(0, 33), (3, 33), (4, 43), (13, 43), (14, 53)] {
            let mut poll = poll(true, true);
            assert_eq!(poll.wake_at(), Instant::NEVER);
            poll.change(at(fails), false, true);
            assert_eq!(poll.wake_at(), at(noticed), "fails at {fails}");
            assert!(poll.wake(at(noticed)).suspect);
            assert_eq!(poll.wake_at(), Instant::NEVER, "once");
        }
    }

    #[test]
    fn an_answer_that_was_held_up_comes_when_the_way_opens() {
        let mut poll = poll(true, true);
        poll.change(at(4), false, true);
        poll.change(at(42), true, true);
        assert_eq!(poll.wake_at(), Instant::NEVER);
        poll.change(at(43), false, true);
        assert_eq!(poll.wake_at(), at(73), "a new failure counts from its own first request");
        assert!(poll.wake(at(73)).suspect);
        poll.change(at(80), true, true);
        assert_eq!(poll.wake_at(), at(83), "back with the next request");
        assert!(poll.wake(at(83)).trust);
        assert_eq!(poll.wake_at(), Instant::NEVER);
    }

    #[test]
    fn one_that_stands_still_judges_when_it_goes_on() {
        let mut poll = poll(true, true);
        poll.change(at(4), false, true);
        poll.change(at(20), false, false);
        assert_eq!(poll.wake_at(), Instant::NEVER);
        let mut other = poll;
        poll.change(at(60), false, true);
        assert!(poll.wake(at(60)).suspect, "overdue");
        other.change(at(50), true, false);
        other.change(at(60), true, true);
        assert!(!other.wake(at(60)).suspect, "the answer has come meanwhile");
        // What fails while it stands still is asked for the first time when it goes on.
        let mut poll = self::poll(true, true);
        poll.change(at(20), true, false);
        poll.change(at(22), false, false);
        poll.change(at(60), false, true);
        assert!(!poll.wake(at(60)).suspect);
        assert_eq!(poll.wake_at(), at(93));
    }

    #[test]
    fn requests_and_answers_are_counted() {
        let mut poll = poll(true, true);
        poll.change(at(100), false, true);
        poll.change(at(200), false, false);
        poll.change(at(300), true, true);
        // Answered for 100 s, in vain for 100 s, at a stand for 100 s, answered for 50 s.
        assert_eq!(poll.take_messages(at(350)), 20.0 + 10.0 + 0.0 + 10.0);
        assert_eq!(poll.take_messages(at(350)), 0.0);
    }

    #[test]
    fn one_that_listens_waits_for_the_first_answer() {
        let mut listening = poll(false, false);
        assert_eq!(listening.wake_at(), Instant::NEVER);
        listening.change(at(100), true, true);
        listening.change(at(103), false, true);
        assert_eq!(listening.wake_at(), at(133));
        assert_eq!(poll(true, false).wake_at(), at(33));
    }
}
