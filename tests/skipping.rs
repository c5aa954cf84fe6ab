//! Stepwise and skipping are the same in distribution: detectors driven alone, without the engine, and whole models.
//!
//! Each scenario yields figures per run (time to the first suspicion, length of a mistake, delay after a crash at a
//! random instant, what follows a cut, a pause of either side, a change of content). Their samples from both forms
//! are held against each other by the two-sample Kolmogorov-Smirnov test at 10⁻³/200 each: all of them together
//! (fewer than 200) fail by chance with probability 10⁻³ at most. Seeds are fixed.

mod common;
#[path = "common/models.rs"]
#[allow(unreachable_pub)]
mod models;
#[path = "common/watches.rs"]
mod watches;

use common::*;
use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::Instant;
use failsim::service::detector::{Beats, Silence, Surroundings, Watch};
use failsim::service::health::{CheckSurroundings, HealthCheck, Rule};
use failsim::system::bursts::{Bursts, Channels};
use failsim::system::spec::Link;
use failsim::theory::detector::{Nfds, k_run_mean};
use rayon::prelude::*;
use watches::*;

const EACH: f64 = 1e-3 / 200.0;
const RUNS: u64 = 3_000;

#[test]
fn watches_agree() {
    let fixed = Law::fixed(0.05).unwrap();
    let bounded = Law::uniform(0.0, 0.8).unwrap();
    let exponential = Law::exponential(0.1).unwrap();
    let slow = Law::exponential(0.6).unwrap();
    let lognormal = Law::lognormal_median(0.15, 1.0).unwrap();
    let time_out = |s: f64| Silence::TimeOut(secs(s));
    let missed = |count, every: f64| Silence::Missed { count, every: secs(every) };
    for (silence, loss, latency, period) in [
        (time_out(1.5), 0.001, &fixed, 1.0),
        (time_out(1.5), 0.01, &exponential, 1.0),
        (time_out(2.2), 0.1, &bounded, 1.003),
        (time_out(3.0), 0.3, &exponential, 0.997),
        (time_out(3.0), 0.2, &lognormal, 1.0),
        (time_out(3.5), 0.3, &slow, 1.0),
        (missed(2, 1.0), 0.1, &fixed, 1.0007),
        (missed(3, 1.0), 0.3, &bounded, 0.999),
        (missed(3, 1.01), 0.2, &lognormal, 1.0),
        (missed(2, 0.98), 0.01, &exponential, 1.0),
    ] {
        let links = link(loss, latency.clone());
        let what = format!("{silence:?}, loss {loss}, {latency:?}, period {period}");
        agree(&what, EACH, |skips| scenes(silence, &links, period, skips, RUNS), &SCENES);
    }
}

fn drive_check(
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

const CHECKS: [&str; 9] = [
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

fn checks(rule: Rule, links: &[Link], skips: bool) -> Vec<Vec<f64>> {
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
    (0..RUNS).into_par_iter().map(one).collect()
}

#[test]
fn health_checks_agree() {
    let rule = |fall, rise| Rule { every: secs(1.0), timeout: secs(0.8), fall, rise };
    for (rule, loss, latency) in [
        (rule(1, 1), 0.001, Law::fixed(0.05).unwrap()),
        (rule(2, 2), 0.1, Law::uniform(0.0, 0.5).unwrap()),
        (rule(3, 2), 0.2, Law::exponential(0.2).unwrap()),
        (rule(3, 1), 0.05, Law::lognormal_median(0.2, 0.8).unwrap()),
    ] {
        let links = link(loss, latency.clone());
        agree(
            &format!("{rule:?}, loss {loss}, {latency:?}"),
            EACH,
            |skips| checks(rule, &links, skips),
            &CHECKS,
        );
    }
}

/// Checks that no formula skips are stepped privately: the same steps as stepwise, over a link with bursts, whatever
/// interrupts them; and only verdicts are events.
#[test]
fn checks_over_bursts_take_the_same_steps() {
    let bursts = Bursts { good_mean: secs(40.0), bad_mean: secs(6.0), loss: 0.7 };
    let links = burst_link(0.05, Law::exponential(0.2).unwrap(), bursts);
    let rule = Rule { every: secs(1.0), timeout: secs(0.8), fall: 3, rise: 2 };
    let around = CheckSurroundings { ways: Some([way(), way()]), answering: true, checking: true };
    let of = |run: u64, skips: bool, is_disturbed: bool| {
        let channels = Channels::new(&links, |_| StreamKey::new(31, "bursts", "checks").open(run));
        let stream = StreamKey::new(31, "check", "checks").open(run);
        let mut check = HealthCheck::over(rule, skips, instant(0.3), around, stream, &links, channels);
        let mut fate = StreamKey::new(31, "fate", "checks").open(run);
        let mut acts = Vec::new();
        let mut at = Instant::ZERO;
        while is_disturbed && at < instant(900.0) {
            let there = match (3.0 * fate.uniform()) as u32 {
                0 => CheckSurroundings { answering: false, ..around },
                1 => CheckSurroundings { ways: None, ..around },
                _ => CheckSurroundings { checking: false, ..around },
            };
            at = at + secs(30.0 * fate.uniform());
            acts.push((at, there));
            at = at + secs(8.0 * fate.uniform());
            acts.push((at, around));
        }
        drive_check(&mut check, &links, &acts, instant(1_000.0))
    };
    for run in 0..300 {
        assert_eq!(of(run, false, true), of(run, true, true), "run {run}");
    }
    let seen: usize = (0..300).map(|run| of(run, true, true).len()).sum();
    assert!(seen > 3_000, "{seen}");

    let channels = Channels::new(&links, |_| StreamKey::new(31, "bursts", "events").open(0));
    let stream = StreamKey::new(31, "check", "events").open(0);
    let mut check = HealthCheck::over(rule, true, instant(0.3), around, stream, &links, channels);
    let (mut wakes, mut verdicts) = (0, 0);
    while check.wake_at() < instant(100_000.0) {
        let at = check.wake_at();
        verdicts += u32::from(check.wake(at, &links).is_any());
        wakes += 1;
    }
    assert!(verdicts > 1_000, "{verdicts}");
    assert!(wakes <= verdicts + 100, "{wakes} events for {verdicts} verdicts");
}

/// With a constant delay a time-out after the last arrival is NFD-S with the shift that makes both deadlines one.
#[test]
fn mistakes_come_as_often_as_theory_says() {
    for (loss, shift, delay) in [(0.2, 1.0, 0.1), (0.3, 2.0, 0.2), (0.1, 1.5, 0.2), (0.05, 1.0, 0.0)] {
        let theory = Nfds { period: 1.0, shift, loss, delay: Law::fixed(delay).unwrap() }.accuracy();
        let links = link(loss, Law::fixed(delay).unwrap());
        let silence = Silence::TimeOut(secs(1.0 + shift - delay));
        for skips in [true, false] {
            let length = if skips { 40_000.0 } else { 20_000.0 };
            let seen: Vec<_> = (0..60_u64)
                .into_par_iter()
                .map(|run| {
                    let beats = Beats { first: instant(0.5), period: secs(1.0) };
                    let around = Surroundings { beats: Some(beats), medium: Some(way()), hearing: true };
                    let stream = StreamKey::new(7, "renewal", "watch").open(run);
                    let mut watch = Watch::new(silence, skips, true, Instant::ZERO, around, stream, &links);
                    let log = drive(&mut watch, &links, &[], instant(length));
                    let mistakes = log.iter().filter(|(_, seen)| *seen == Seen::Suspect).count();
                    let mut time = 0.0;
                    for pair in log.windows(2) {
                        if pair[0].1 == Seen::Suspect {
                            time += (pair[1].0 - pair[0].0).as_secs();
                        }
                    }
                    (mistakes as f64 / length, time / length)
                })
                .collect();
            let what = format!("NFD-S with loss {loss}, shift {shift}, skipping {skips}");
            let rates = seen.iter().map(|s| s.0);
            mean_within(&what, 1.0 / theory.mistake_recurrence, rates, 1.0 - 1e-5, 0.12);
            let shares = seen.iter().map(|s| s.1);
            mean_within(&format!("{what}: share"), theory.mistake_share, shares, 1.0 - 1e-5, 0.12);
        }
    }
}

/// A run of losses begins with each of its terms: one of them wrong by one per cent moves the mean by about as much,
/// and the interval is half as wide.
#[test]
fn runs_of_losses_come_as_often_as_theory_says() {
    for (loss, k) in [(0.3, 2), (0.1, 2), (0.05, 3)] {
        let times = times_to_losses(loss, k, 1_200_000);
        mean_within(&format!("{k} losses in a row at {loss}"), k_run_mean(loss, k), times, 1.0 - 1e-5, 0.005);
    }
}

#[test]
fn checks_in_a_row_fail_as_often_as_theory_says() {
    for (loss, fall) in [(0.1, 2), (0.05, 1), (0.15, 3)] {
        let rule = Rule { every: secs(1.0), timeout: secs(0.5), fall, rise: 1 };
        let links = link(loss, Law::fixed(0.0).unwrap());
        let failing = 1.0 - (1.0 - loss) * (1.0 - loss);
        for skips in [true, false] {
            let times: Vec<_> = (0..10_000_u64)
                .into_par_iter()
                .map(|run| {
                    let around =
                        CheckSurroundings { ways: Some([way(), way()]), answering: true, checking: true };
                    let stream = StreamKey::new(9, "rows", "check").open(run);
                    let mut check = HealthCheck::new(rule, skips, instant(1.0), around, stream, &links);
                    loop {
                        let at = check.wake_at();
                        if check.wake(at, &links).suspect {
                            return at.as_secs() - 0.5;
                        }
                    }
                })
                .collect();
            let what = format!("{fall} checks in a row with loss {loss}, skipping {skips}");
            mean_within(&what, k_run_mean(failing, fall), times, 1.0 - 1e-5, 0.05);
        }
    }
}

#[test]
fn whole_models_agree() {
    for (name, text, measures) in [
        (
            "scada",
            models::SCADA,
            &["unavailability", "split_brain_time", "mistake_rate", "failover_rate", "lost_rate"][..],
        ),
        (
            "spare",
            models::SPARE,
            &["unavailability", "mistake_rate", "failover_rate", "lost_rate", "downtime_detect"][..],
        ),
        ("web", models::WEB, &["unavailability", "outage_rate"][..]),
    ] {
        let horizon = hours(8.0);
        agree(
            name,
            EACH,
            |skips| {
                // Different seeds, so that the samples are independent.
                let setup = ready_as(text, &[], if skips { 51 } else { 52 }, skips);
                let all = records(&setup, 150, horizon);
                let row = |record| {
                    let folded = fold(&setup, horizon, [record]);
                    measures.iter().map(|name| figure(&folded, name, 0.95).estimate).collect()
                };
                all.iter().map(row).collect()
            },
            measures,
        );
    }
}
