//! What happens to a watch when something changes around it: the state at that instant, and how it goes on.

use crate::engine::time::{Instant, Span};
use crate::system::spec::Link;

use super::memory::Memory;
use super::{Flight, Observed, Surroundings, Watch, merge};

impl Watch {
    /// Brings the state to `now` under the surroundings so far.
    fn settle(&mut self, now: Instant, links: &[Link]) {
        self.come_back(now, links);
        self.now = now;
        if let Some(quiet) = self.quiet.take() {
            let Some(beats) = self.around.beats else { return };
            // Beats sent strictly before now.
            let since = now.since(quiet.anchor).as_nanos();
            let n = since.saturating_sub(1) / beats.period.as_nanos().max(1);
            self.next_beat = quiet.anchor + beats.period.times(n + 1);
            self.resolve(now, n, false, &quiet, links);
            return;
        }
        if !self.around.hearing {
            self.deaf_until(now, links);
            return;
        }
        self.catch_up_ticks(now); // those that could tell nothing
        if self.next_beat > now {
            // Of a look ahead the beats that have not been sent yet are forgotten.
            let fresh = now.max(self.fresh);
            self.flight.retain(|beat| beat.sent < fresh);
            self.next_beat = self.beat_from(fresh);
        }
    }

    /// The beats sent before `now` while nobody listened: drawn from the last one back, only as far as they matter.
    fn deaf_until(&mut self, now: Instant, links: &[Link]) {
        let (Some(beats), Some(medium)) = (self.around.beats, self.around.medium) else { return };
        if self.next_beat >= now {
            return;
        }
        let period = beats.period.as_nanos().max(1);
        let count = (now - self.next_beat).as_nanos().saturating_sub(1) / period + 1;
        if medium.has_bursts(&self.channels) {
            // States are read in their order, so the beats are, too.
            for _ in 0..count {
                self.send(self.next_beat, medium, links);
            }
            return;
        }
        for back in (0..count).rev() {
            let sent = self.next_beat + beats.period.times(back);
            let Some(delay) = medium.draw(links, &mut self.stream) else { continue };
            self.flight.push(Flight { sent, arrives: sent + delay });
            if sent + delay <= now {
                break; // it is newer than all before it
            }
        }
        self.next_beat = self.next_beat + beats.period.times(count);
    }

    /// The clock of the observer, which stands still up to `now`, has stood still for so long: silence and ticks go on
    /// with what they had left.
    pub(crate) fn stand_still(&mut self, now: Instant, length: Span) {
        debug_assert!(!self.around.hearing && self.ahead.is_none() && self.quiet.is_none(), "it is paused");
        self.newest = self.newest + length;
        self.ticks_from = self.ticks_from + length;
        self.still += length;
        self.stood = (now.before(length), now);
        if let Memory::Arrivals(arrivals) = &mut self.memory {
            arrivals.stand_still(length);
        }
    }

    /// The surroundings change at `now`. `lost`: beats under way are lost with the link that was cut.
    pub fn change(&mut self, now: Instant, around: Surroundings, lost: bool, links: &[Link]) -> Observed {
        if around == self.around && !lost {
            return Observed::default();
        }
        self.change_to(now, around, lost, false, links)
    }

    /// The content of the peer's beats changes at `now`, and with it perhaps the surroundings: the first beat sent from
    /// now on is news.
    pub fn renew(&mut self, now: Instant, around: Surroundings, links: &[Link]) -> Observed {
        self.change_to(now, around, false, true, links)
    }

    fn change_to(
        &mut self,
        now: Instant,
        around: Surroundings,
        lost: bool,
        renews: bool,
        links: &[Link],
    ) -> Observed {
        self.settle(now, links);
        if renews {
            self.news_since = Some(now);
        }
        if lost {
            self.flight.retain(|beat| beat.arrives <= now);
        }
        let (old, was_hearing) = (self.around, self.around.hearing);
        self.around = around;
        if around.beats != old.beats || around.medium.is_some() != old.medium.is_some() {
            self.next_beat = self.beat_from(now);
        }
        let mut seen = Observed::default();
        if around.hearing {
            if !was_hearing {
                // Back from a pause: what is overdue comes first, then what has waited.
                if self.deadline() <= now {
                    seen = self.expire(now);
                }
                if self.silence.remembers() {
                    // What has waited counts as one arrival, that of the newest.
                    let newest = self.flight.iter().filter(|f| f.arrives <= now).map(|f| f.sent).max();
                    self.flight.retain(|f| f.arrives > now || Some(f.sent) == newest);
                }
                for beat in &mut self.flight {
                    beat.arrives = beat.arrives.max(now);
                }
            }
            seen = merge(seen, self.arrivals(now, links));
        }
        self.plan(links);
        seen
    }
}
