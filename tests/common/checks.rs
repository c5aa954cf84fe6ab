//! Health checks driven alone, without the engine: what the tests and benches of their two forms share.
#![allow(dead_code, unreachable_pub)] // each file uses its part

use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::Instant;
use failsim::service::health::{CheckSurroundings, HealthCheck, Rule};
use failsim::system::spec::Link;
use rayon::prelude::*;

use super::common::{instant, secs};
use super::watches::{Seen, first, link, way};

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
        if seen.suspect {
            log.push((now, Seen::Suspect));
        }
        if seen.trust {
            log.push((now, Seen::Trust));
        }
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
            (HealthCheck::new(rule, skips, start, around, stream, links), at, length)
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
