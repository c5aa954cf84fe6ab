//! Counts in a window: when are `m` of the last `n` independent events of probability `q` first of one kind?
//!
//! What `runs.rs` is for losses in a row, for losses among the last n: a scan statistic (Naus, *J. Amer. Statist. Assoc.*
//! 77, 1982, gives its history), treated here as the Markov chain that it is (Fu and Koutras, ibid. 89, 1994). A state is
//! the pattern of the last n − 1 trials, with fewer than m among them; the next trial completes a window or not.
//!
//! From a clean start the law of the state, given that no window is complete, converges geometrically to the
//! quasi-stationary one (Darroch and Seneta, *J. Appl. Probab.* 2, 1965). Up to `settled` trials the chain itself is
//! stepped; from then on its hazard is constant, so the trial that completes the first window is drawn from one uniform
//! number, and so is the pattern at an interruption.

use crate::engine::stream::Stream;
use crate::maths;

/// States at most: with more, fewer events are let be a window.
const STATES_MAX: usize = 64;
/// Trials by which the law of the state must have settled.
const SETTLED_MAX: u64 = 1024;
/// A law of the state that moves less than this at each of a whole window of trials has settled.
const STILL: f64 = 1e-14;

/// The law of the first window of `n` trials with `m` events, from a clean start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct WindowLaw {
    q: f64,
    /// m, or fewer.
    count: u32,
    /// n.
    of: u32,
    /// How many patterns there are.
    states: usize,
    /// Of this many trials on the law of the state is `still`.
    settled: u64,
    still: State,
    /// P(a window is complete within `settled` trials).
    small: f64,
    /// P(the next trial completes a window) from then on.
    hazard: f64,
}

/// The last trials before an instant, the newest in the lowest bit: 1 for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) bits: u128,
    pub(crate) length: u64,
}

impl History {
    fn before(self, bit: u64) -> History {
        History { bits: self.bits | u128::from(bit) << self.length, length: self.length + 1 }
    }

    /// Whether the trial `back` before the newest one was an event.
    pub(crate) fn is_event(self, back: u64) -> bool {
        self.bits >> back & 1 == 1
    }
}

/// How many patterns of `length` trials have fewer than `count` events; `None`: too many.
fn patterns(length: u32, count: u32) -> Option<usize> {
    let (mut sum, mut choose) = (0_u64, 1_u64);
    for j in 0..count.min(length + 1) {
        sum += choose;
        if sum > STATES_MAX as u64 {
            return None;
        }
        choose = choose * u64::from(length - j) / u64::from(j + 1);
    }
    Some(sum as usize)
}

/// How likely each state is.
type State = [f64; STATES_MAX];

/// The chain, put together where it is stepped.
struct Chain {
    pattern: [u64; STATES_MAX],
    /// The state after a trial without an event.
    clean: [u8; STATES_MAX],
    /// The state after one with; none where that completes a window.
    event: [Option<u8>; STATES_MAX],
}

impl Chain {
    fn new(law: &WindowLaw) -> Chain {
        let mask = u64::MAX.checked_shr(65 - law.of).unwrap_or(0);
        let mut chain =
            Chain { pattern: [u64::MAX; STATES_MAX], clean: [0; STATES_MAX], event: [None; STATES_MAX] };
        // From the clean one on, all that can be reached.
        let mut known = 1;
        chain.pattern[0] = 0;
        let mut at = 0;
        while at < known {
            let pattern = chain.pattern[at];
            let mut index = |next: u64| {
                let found = chain.pattern[..known].iter().position(|pattern| *pattern == next);
                found.unwrap_or_else(|| {
                    chain.pattern[known] = next;
                    known += 1;
                    known - 1
                }) as u8
            };
            chain.clean[at] = index(pattern << 1 & mask);
            if pattern.count_ones() + 1 < law.count {
                chain.event[at] = Some(index((pattern << 1 | 1) & mask));
            }
            at += 1;
        }
        debug_assert_eq!(known, law.states);
        chain
    }

    /// One trial: the law of the state that is left goes to `next`; gives what completes a window.
    fn step(&self, law: &WindowLaw, state: &State, next: &mut State) -> f64 {
        let mut done = 0.0;
        next[..law.states].fill(0.0);
        for (at, &mass) in state[..law.states].iter().enumerate() {
            next[usize::from(self.clean[at])] += mass * (1.0 - law.q);
            match self.event[at] {
                Some(state) => next[usize::from(state)] += mass * law.q,
                None => done += mass * law.q,
            }
        }
        done
    }
}

impl WindowLaw {
    /// The law of `count` events among `of` trials, or of as many fewer as there is room for. `None` where it does not
    /// pay: q above one half, nothing to count.
    pub(crate) fn new(q: f64, count: u32, of: u32) -> Option<WindowLaw> {
        if !(0.0..=0.5).contains(&q) || count == 0 || of == 0 || of > 64 {
            return None;
        }
        (1..=count.min(of)).rev().find_map(|count| WindowLaw::settle(q, count, of))
    }

    fn settle(q: f64, count: u32, of: u32) -> Option<WindowLaw> {
        let states = patterns(of - 1, count)?;
        let still = [0.0; STATES_MAX];
        let mut law = WindowLaw { q, count, of, states, settled: 0, still, small: 0.0, hazard: 0.0 };
        let chain = Chain::new(&law);
        let (mut state, mut next) = (law.start(), still);
        let (mut left, mut quiet) = (1.0, 0);
        for trial in 1..=SETTLED_MAX {
            let done = chain.step(&law, &state, &mut next);
            law.small += left * done;
            left *= 1.0 - done;
            let kept: f64 = next[..states].iter().sum();
            next[..states].iter_mut().for_each(|mass| *mass /= kept);
            let moved: f64 = (0..states).map(|at| (next[at] - state[at]).abs()).sum();
            std::mem::swap(&mut state, &mut next);
            quiet = if moved < STILL { quiet + 1 } else { 0 };
            if quiet >= of {
                (law.settled, law.still) = (trial, state);
                law.hazard = chain.step(&law, &state, &mut next);
                return Some(law);
            }
        }
        None
    }

    fn start(&self) -> State {
        let mut state = [0.0; STATES_MAX];
        state[0] = 1.0;
        state
    }

    /// How many events complete a window.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The trial that completes the first window, from one uniform number; `None` if it never comes (or only after 2⁵³
    /// trials).
    pub(crate) fn first(&self, u: f64) -> Option<u64> {
        if u <= self.small {
            let chain = Chain::new(self);
            let (mut state, mut next, mut within) = (self.start(), self.still, 0.0);
            for trial in 1..=self.settled {
                within += chain.step(self, &state, &mut next);
                if within >= u {
                    return Some(trial);
                }
                std::mem::swap(&mut state, &mut next);
            }
            return Some(self.settled); // the rounding of the last term
        }
        if self.hazard == 0.0 {
            return None;
        }
        let more = (maths::ln_1p(-u) - maths::ln_1p(-self.small)) / maths::ln_1p(-self.hazard);
        (more < 9.007e15).then(|| self.settled + (more.ceil() as u64).max(1))
    }

    /// The law of the state after `n` trials that have completed no window, but for a factor.
    fn state_after(&self, n: u64, chain: &Chain) -> State {
        if n >= self.settled {
            return self.still;
        }
        let (mut state, mut next) = (self.start(), self.still);
        for _ in 0..n {
            chain.step(self, &state, &mut next);
            std::mem::swap(&mut state, &mut next);
        }
        state
    }

    /// The last of `n` trials, of which none has completed a window, or the last one the first: as far back as they tell
    /// what follows, whatever becomes of the newest. The oldest of at least two is no event; or they are all there were.
    pub(crate) fn history(&self, n: u64, completes: bool, stream: &mut Stream) -> History {
        let none = History { bits: 0, length: 0 };
        if n == 0 {
            return none;
        }
        let chain = Chain::new(self);
        // The newest trial by itself where it completes a window, and the patterns before it, sampled backwards.
        let (mut history, mut at) = if completes { (none.before(1), n - 1) } else { (none, n) };
        let state = self.state_after(at, &chain);
        let is_possible = |s: usize| !completes || chain.event[s].is_none();
        let mut now = pick(stream, (0..self.states).filter(|s| is_possible(*s)).map(|s| (s, state[s])));
        for back in 0..u64::from(self.of - 1).min(at) {
            history = history.before(chain.pattern[now] >> back & 1);
        }
        // Further back: the newest may yet turn into an event, and its window is of `of` trials; and until a trial was none.
        let told = u64::from(self.of).max(2);
        while history.length < n && (history.length < told || history.is_event(history.length - 1)) {
            at -= 1;
            let state = self.state_after(at, &chain);
            let newest_is_event = chain.pattern[now] & 1 == 1;
            let leads = |s: usize| match self.of {
                // Without a memory the state does not tell what the trial was: none was an event.
                1 => true,
                _ if newest_is_event => chain.event[s] == Some(now as u8),
                _ => usize::from(chain.clean[s]) == now,
            };
            now = pick(stream, (0..self.states).filter(|s| leads(*s)).map(|s| (s, state[s])));
            let oldest = match self.of {
                1 => 0,
                of => chain.pattern[now] >> (of - 2) & 1,
            };
            history = history.before(oldest);
        }
        history
    }
}

/// One of these with the weight that it has, from one uniform number.
fn pick(stream: &mut Stream, weighted: impl Iterator<Item = (usize, f64)> + Clone) -> usize {
    let all: f64 = weighted.clone().map(|(_, weight)| weight).sum();
    let mut left = stream.uniform() * all;
    let mut last = 0;
    for (index, weight) in weighted {
        if weight > 0.0 {
            last = index;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::super::runs::RunLaw;
    use super::*;
    use crate::engine::stream::StreamKey;

    fn stream(purpose: &str) -> Stream {
        StreamKey::new(1, "windows", purpose).open(0)
    }

    /// Trial by trial, with all that happened: the first window, and the trials before it.
    fn by_hand(q: f64, count: u32, of: u32, most: u64, stream: &mut Stream) -> (Option<u64>, u128) {
        let mut bits = 0_u128;
        for trial in 1..=most {
            bits = bits << 1 | u128::from(stream.uniform() < q);
            if (bits & ((1 << of) - 1)).count_ones() >= count {
                return (Some(trial), bits);
            }
        }
        (None, bits)
    }

    /// All of a window is a run: the other law, worked out in another way.
    #[test]
    fn a_full_window_is_a_run() {
        for (q, r) in [(0.3, 2), (0.1, 3), (0.001, 3), (0.45, 5), (1e-5, 2)] {
            let (window, run) = (WindowLaw::new(q, r, r).unwrap(), RunLaw::new(q, u64::from(r)).unwrap());
            assert_eq!(window.count(), r);
            for i in 1..1_000 {
                let u = f64::from(i) / 1_000.0;
                let (a, b) = (window.first(u).unwrap(), run.first(u).unwrap());
                // Far out a trial is less than what the logarithm of a rate tells.
                let close = (a as f64 - b as f64).abs() <= 1e-9 * b as f64;
                assert!(close, "q {q} r {r} u {u}: {a} {b}");
            }
        }
    }

    /// Two events among n trials: the survival obeys a(t) = (1 − q) a(t − 1) + q (1 − q)^(n−1) a(t − n), after the first
    /// trials.
    #[test]
    fn two_of_n_have_their_recurrence() {
        let (q, n) = (0.02_f64, 10_usize);
        let law = WindowLaw::new(q, 2, n as u32).unwrap();
        let mut survival = vec![1.0_f64];
        for t in 1..5_000_usize {
            let apart = if t >= n {
                maths::pow(1.0 - q, n as f64 - 1.0) * survival[t - n]
            } else {
                maths::pow(1.0 - q, t as f64 - 1.0)
            };
            survival.push((1.0 - q) * survival[t - 1] + q * apart);
        }
        for t in [2_u64, 5, 9, 10, 11, 20, 50, 100, 200, 1_000, 4_000] {
            let within = 1.0 - survival[t as usize];
            // Drawn with a little less and a little more than its probability, it is there by then or not.
            assert!(law.first(within * (1.0 - 1e-9)).unwrap() <= t, "{t}");
            assert!(law.first(within * (1.0 + 1e-9)).unwrap() > t, "{t}");
        }
    }

    /// Chi-square at 10⁻⁵ for each of the five, its limit by Wilson and Hilferty.
    #[test]
    fn first_windows_and_histories_are_those_of_single_trials() {
        for (q, count, of, until) in
            [(0.2, 3, 5, 12_u64), (0.1, 2, 6, 40), (0.3, 4, 6, 9), (0.4, 1, 4, 3), (0.25, 3, 9, 30)]
        {
            let law = WindowLaw::new(q, count, of).unwrap();
            assert_eq!(law.count(), count);
            let (mut trials, mut drawn) = (stream("by hand"), stream("drawn"));
            // Cells: when it was, if it was; and all that is told of the last trials, as far back as the rule says.
            let mut cells = vec![[0_u64; 2]; 3 << 13];
            let tell = |cells: &mut [[u64; 2]], who: usize, first: Option<u64>, history: History| {
                assert!(history.length < 13, "{history:?}");
                let last = (1 << history.length | history.bits) as usize;
                match first {
                    Some(trial) => {
                        cells[1 << 13 | last][who] += 1;
                        cells[2 << 13 | trial as usize][who] += 1;
                    }
                    None => cells[last][who] += 1,
                }
            };
            let told = |bits: u128, trials: u64| {
                let mut length = u64::from(of).min(trials);
                while length < trials && (length < 2 || bits >> (length - 1) & 1 == 1) {
                    length += 1;
                }
                History { bits: bits & ((1 << length) - 1), length }
            };
            let runs = 400_000;
            for _ in 0..runs {
                let (first, bits) = by_hand(q, count, of, until, &mut trials);
                tell(&mut cells, 0, first, told(bits, first.unwrap_or(until)));
                let first = law.first(drawn.uniform()).filter(|trial| *trial <= until);
                let history = law.history(first.unwrap_or(until), first.is_some(), &mut drawn);
                tell(&mut cells, 1, first, history);
            }
            let (mut statistic, mut freedom) = (0.0, 0.0);
            for [a, b] in cells {
                if a + b >= 20 {
                    let difference = a as f64 - b as f64;
                    statistic += difference * difference / (a + b) as f64;
                    freedom += 1.0;
                }
            }
            let spread = 2.0 / (9.0 * freedom);
            let limit = freedom * maths::pow(1.0 - spread + 4.27 * f64::sqrt(spread), 3.0);
            assert!(statistic < limit, "{count} of {of}, q {q}: {statistic} of {freedom}");
        }
    }

    #[test]
    fn without_events_no_window_is_ever_complete() {
        let law = WindowLaw::new(0.0, 3, 5).unwrap();
        assert_eq!(law.first(1.0 - 1e-16), None);
        assert_eq!(law.history(1_000, false, &mut stream("none")).bits, 0);
    }

    /// Where there are more patterns than places, fewer events are let be a window; never none.
    #[test]
    fn large_windows_count_to_less() {
        assert_eq!(WindowLaw::new(0.01, 10, 20).unwrap().count(), 2);
        assert_eq!(WindowLaw::new(0.01, 3, 10).unwrap().count(), 3);
        assert_eq!(WindowLaw::new(0.01, 64, 64).unwrap().count(), 2);
        // Nothing settles within the trials that there are before a window is complete.
        assert_eq!(WindowLaw::new(0.5, 40, 64).unwrap().count(), 1);
        assert_eq!(WindowLaw::new(0.6, 1, 1), None);
    }
}
