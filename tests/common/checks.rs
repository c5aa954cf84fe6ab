//! Health checks and polls driven alone, without the engine: what the tests and benches of both forms share.
#![allow(dead_code, unreachable_pub)] // each file uses its part

use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::Instant;
use failsim::service::health::{CheckSurroundings, HealthCheck, Rule};
use failsim::service::poll::Poll;
use failsim::system::bursts::Channels;
use failsim::system::spec::Link;
use rayon::prelude::*;

use super::common::{instant, secs};
use super::watches::{Seen, first, link, tell, way};

/// Steps a check through acts up to an instant, and tells what was seen.
pub fn drive_check(
    check: &mut HealthCheck,
    links: &[Link],
    acts: &[(Instant, CheckSurroundings)],
    until: Instant,
) -> Vec<(Instant, Seen)> {
    let mut log = Vec::new();
    let mut acts = acts.iter().peekable();
    loop {
        let wake = check.wake_at();
        let act = acts.peek().map_or(Instant::NEVER, |(at, _)| *at);
        if wake.min(act) > until {
            return log;
        }
        let (now, seen) = if act <= wake {
            let (at, around) = acts.next().expect("peeked");
            (*at, check.change(*at, *around, links))
        } else {
            (wake, check.wake(wake, links))
        };
        tell(&mut log, now, seen);
    }
}

/// The columns of [`checks`].
pub const CHECKS: [&str; 9] = [
    "first suspicion",
    "first mistake",
    "crash to suspicion",
    "return to trust",
    "cut to suspicion",
    "heal to trust",
    "heal to the next suspicion",
    "the observer's pause to the next suspicion",
    "suspicions in 200 s",
];

/// What happens around checks, each scene with checks of its own: a row of [`CHECKS`] for each run.
pub fn checks(rule: Rule, links: &[Link], skips: bool, runs: u64) -> Vec<Vec<f64>> {
    let one = |run: u64| {
        let form = if skips { "skipping" } else { "stepwise" };
        let mut fate = StreamKey::new(5, "fate", form).open(run);
        let mut row = Vec::new();
        let mut scene = 0;
        let around = CheckSurroundings { ways: Some([way(), way()]), answering: true, checking: true };
        let mut begin = || {
            scene += 1;
            let stream = StreamKey::new(5, "check", &format!("{form}{scene}")).open(run);
            let start = Instant::ZERO + rule.every.scaled(fate.uniform());
            let at = instant(40.0 + 7.0 * fate.uniform());
            let length = secs(20.0 * fate.uniform() * fate.uniform());
            let channels =
                Channels::new(links, |_| StreamKey::new(5, "bursts", &format!("{form}{scene}")).open(run));
            (HealthCheck::over(rule, skips, start, around, stream, links, channels), at, length)
        };
        let (mut check, ..) = begin();
        let log = drive_check(&mut check, links, &[], instant(400.0));
        let suspicion = first(&log, Instant::ZERO, Seen::Suspect);
        row.push(suspicion);
        row.push(if suspicion < 1e6 { first(&log, instant(suspicion), Seen::Trust) } else { 1e6 });
        let silent = CheckSurroundings { answering: false, ..around };
        let cut = CheckSurroundings { ways: None, ..around };
        let paused = CheckSurroundings { checking: false, ..around };
        for (during, keep) in [(silent, 2), (cut, 3), (paused, 1)] {
            let (mut check, at, length) = begin();
            let acts = [(at, during), (at + length, around)];
            let log = drive_check(&mut check, links, &acts, at + length + secs(100.0));
            let back = at + length;
            match keep {
                2 => row.extend([first(&log, at, Seen::Suspect), first(&log, back, Seen::Trust)]),
                3 => row.extend([
                    first(&log, at, Seen::Suspect),
                    first(&log, back, Seen::Trust),
                    first(&log, back, Seen::Suspect),
                ]),
                _ => row.push(first(&log, back, Seen::Suspect)),
            }
        }
        let (mut check, ..) = begin();
        let log = drive_check(&mut check, links, &[], instant(200.0));
        row.push(log.iter().filter(|(_, seen)| *seen == Seen::Suspect).count() as f64);
        row
    };
    (0..runs).into_par_iter().map(one).collect()
}

/// Checks until `fall` in a row fail, of which each leg is lost with probability `loss`.
pub fn checks_to_a_verdict(loss: f64, fall: u32, skips: bool, runs: u64) -> Vec<f64> {
    let rule = Rule { every: secs(1.0), timeout: secs(0.5), fall, rise: 1 };
    let links = link(loss, Law::fixed(0.0).expect("a law"));
    let around = CheckSurroundings { ways: Some([way(), way()]), answering: true, checking: true };
    let one = |run| {
        let stream = StreamKey::new(9, "rows", "check").open(run);
        let mut check = HealthCheck::new(rule, skips, instant(1.0), around, stream, &links);
        loop {
            let at = check.wake_at();
            if check.wake(at, &links).suspect {
                return at.as_secs() - 0.5;
            }
        }
    };
    (0..runs).into_par_iter().map(one).collect()
}

/// What polls of a peer see that answers at some times and not at others: by their own account, which has no requests,
/// and with each request stepped here. Nothing is random but the outages: the two are equal.
pub fn polls(run: u64) -> [Vec<(Instant, Seen)>; 2] {
    let (every, timeout, grid, end) = (secs(10.0), secs(30.0), instant(3.0), instant(20_000.0));
    let mut fate = StreamKey::new(37, "fate", "polls").open(run);
    let mut outages = Vec::new();
    let mut at = instant(100.0 * fate.uniform());
    while at < end {
        let opens = at + secs(90.0 * fate.uniform() * fate.uniform());
        outages.push((at, opens));
        at = opens + secs(40.0 * fate.uniform());
    }

    let mut asked = Vec::new();
    let mut poll = Poll::new(every, timeout, grid, Instant::ZERO, true, true);
    let changes = outages.iter().flat_map(|&(closes, opens)| [(closes, false), (opens, true)]);
    for (change, answered) in changes {
        while poll.wake_at() < change {
            let now = poll.wake_at();
            tell(&mut asked, now, poll.wake(now));
        }
        poll.change(change, answered, true);
    }

    let mut stepped = Vec::new();
    let (mut waiting, mut suspected) = (None, false);
    let mut request = grid;
    while request <= end + timeout + secs(90.0) {
        if let Some((sent, opens)) = waiting {
            let due = sent + timeout;
            if !suspected && due < opens && due <= request {
                stepped.push((due, Seen::Suspect));
                suspected = true;
            }
            // The answer to what has waited comes when the way opens.
            waiting = waiting.filter(|_| opens > request);
        }
        let closed = outages.iter().find(|(closes, opens)| *closes <= request && request < *opens);
        match closed {
            Some((_, opens)) => waiting = waiting.or(Some((request, *opens))),
            None if suspected => {
                stepped.push((request, Seen::Trust));
                suspected = false;
            }
            None => {}
        }
        request = request + every;
    }
    // Both up to the same instant.
    [stepped, asked].map(|log| log.into_iter().filter(|(at, _)| *at < instant(19_000.0)).collect())
}
