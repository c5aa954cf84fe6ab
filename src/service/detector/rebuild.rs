//! What a detector with a memory remembers at the end of a quiet stretch: the last beats are drawn backwards, as far as
//! it remembers, from their law given that nothing was observed, and told to it in the order of their arrival.

use crate::engine::time::{Instant, Span};
use crate::system::spec::Link;

use super::super::runs::RunLaw;
use super::quiet::{Law, Quiet};
use super::{Flight, Watch};

impl Watch {
    /// Draws what is remembered of a quiet stretch of `n` beats, as seen at `now`.
    pub(super) fn rebuild(&mut self, now: Instant, n: u64, completes: bool, quiet: &Quiet, links: &[Link]) {
        let drawn = match quiet.law {
            Law::Windows => self.draw_window(n, completes, quiet, links),
            Law::Runs(law) => self.draw_rows(law, n, completes, quiet, links),
        };
        let mut beats = std::mem::take(&mut self.flight); // there were none in a quiet stretch
        if drawn < n {
            // What was before is not remembered any more.
            self.newest_sent = None;
            self.memory.forget(n - drawn);
        }
        beats.sort_unstable_by_key(|beat| (beat.arrives, beat.sent));
        let heard = beats.iter().take_while(|beat| beat.arrives <= now).count();
        for beat in &beats[..heard] {
            self.catch_up_ticks(beat.arrives);
            // Until its window is full again, what it says is of no time at all.
            assert!(
                drawn < n && !self.memory.is_full() || self.deadline() >= beat.arrives,
                "a stretch was to be quiet, but {:?} is over at {:?}",
                self.deadline(),
                beat.arrives
            );
            let seen = self.hear(beat.sent, beat.arrives.max(self.newest));
            assert!(!seen.is_any(), "a stretch was to be quiet: {seen:?}");
        }
        beats.drain(..heard);
        self.flight = beats;
    }

    /// Puts the beats of the last ticks into flight; gives how many were drawn.
    fn draw_window(&mut self, n: u64, completes: bool, quiet: &Quiet, links: &[Link]) -> u64 {
        let law = *self.window_law();
        let history = law.history(n, completes, &mut self.stream);
        for back in 0..history.length {
            self.draw_beat(n - back, history.is_event(back), quiet, links);
        }
        history.length
    }

    /// Puts as many beats into flight as fill the memory, from the newest back; gives how many were drawn.
    fn draw_rows(&mut self, law: RunLaw, n: u64, completes: bool, quiet: &Quiet, links: &[Link]) -> u64 {
        // The newest may still be under way, and of gaps there is one less than of beats.
        let needed = self.memory.size() + 2;
        let (mut left, mut ordinary) = (n, 0);
        let mut row = if completes { law.run() } else { law.trailing(n, &mut self.stream) };
        while left > 0 && ordinary < needed {
            for _ in 0..row {
                self.draw_beat(left, true, quiet, links);
                left -= 1;
            }
            if left > 0 {
                self.draw_beat(left, false, quiet, links);
                left -= 1;
                ordinary += 1;
                row = law.trailing(left, &mut self.stream);
            }
        }
        n - left
    }

    /// The fate of one beat of the stretch.
    fn draw_beat(&mut self, number: u64, is_exceptional: bool, quiet: &Quiet, links: &[Link]) {
        let period = self.around.beats.expect("the peer is sending").period;
        let sent = quiet.anchor + period.times(number);
        let (medium, stream) = (quiet.medium, &mut self.stream);
        let delay = if is_exceptional {
            medium.draw_exceptional(links, &quiet.exception, stream)
        } else {
            Some(medium.draw_ordinary(links, quiet.exception.cut, stream))
        };
        self.flight.extend(delay.map(|delay| Flight { sent, arrives: sent + delay }));
    }
}

/// The number of the first tick at or after `at`.
pub(super) fn ticks_until(from: Instant, at: Instant, every: Span) -> u64 {
    at.since(from).as_nanos().div_ceil(every.as_nanos().max(1))
}
