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

use common::*;
use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::{Instant, Span};
use failsim::service::detector::{Beats, Silence, Surroundings, Watch};
use failsim::service::health::{CheckSurroundings, HealthCheck, Rule};
use failsim::stats::test::kolmogorov_smirnov_two;
use failsim::system::ids::{LinkId, NodeId};
use failsim::system::medium::Medium;
use failsim::system::spec::{Classes, Direction, End, Link};
use failsim::theory::detector::{Nfds, k_run_mean};
use rayon::prelude::*;

const EACH: f64 = 1e-3 / 200.0;
const RUNS: u64 = 3_000;

fn link(loss: f64, latency: Law) -> Vec<Link> {
    vec![Link {
        name: "link".into(),
        ends: [End::Node(NodeId(0)), End::Node(NodeId(1))],
        direction: Direction::Both,
        latency,
        loss,
        bursts: None,
        bandwidth: None,
        failures: Vec::new(),
        carries: Classes::ALL,
    }]
}

fn way() -> Medium {
    let mut medium = Medium::PERFECT;
    medium.add(LinkId(0));
    medium
}

/// What a detector was seen to do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    Suspect,
    Trust,
    News,
}

/// Something done to it.
#[derive(Clone, Copy, Debug)]
enum Act<S> {
    Change(S, bool),
    Renew,
}

fn drive(
    watch: &mut Watch,
    links: &[Link],
    acts: &[(Instant, Act<Surroundings>)],
    until: Instant,
) -> Vec<(Instant, Seen)> {
    let mut log = Vec::new();
    let mut acts = acts.iter().peekable();
    loop {
        let wake = watch.wake_at();
        let act = acts.peek().map_or(Instant::NEVER, |(at, _)| *at);
        if wake.min(act) > until {
            return log;
        }
        let (now, seen) = if act <= wake {
            match acts.next().expect("peeked") {
                (at, Act::Change(around, lost)) => (*at, watch.change(*at, *around, *lost, links)),
                (at, Act::Renew) => {
                    watch.renew(*at, links);
                    continue;
                }
            }
        } else {
            (wake, watch.wake(wake, links))
        };
        if seen.suspect {
            log.push((now, Seen::Suspect));
        }
        if seen.trust {
            log.push((now, Seen::Trust));
        } else if seen.heard.is_some() {
            log.push((now, Seen::News));
        }
    }
}

/// The first of a kind at or after an instant, in seconds from it; a large number if it does not happen.
fn first(log: &[(Instant, Seen)], after: Instant, kind: Seen) -> f64 {
    let found = log.iter().find(|(at, seen)| *at >= after && *seen == kind);
    found.map_or(1e6, |(at, _)| (*at - after).as_secs())
}

fn agree(what: &str, mut of: impl FnMut(bool) -> Vec<Vec<f64>>, names: &[&str]) {
    let (stepwise, skipping) = (of(false), of(true));
    for (i, name) in names.iter().enumerate() {
        let column = |rows: &[Vec<f64>]| -> Vec<f64> { rows.iter().map(|row| row[i]).collect() };
        let (a, b) = (column(&stepwise), column(&skipping));
        let test = kolmogorov_smirnov_two(&a, &b);
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        assert!(
            test.p_value > EACH,
            "{what}: {name}: stepwise mean {}, skipping mean {}, {test:?}",
            mean(&a),
            mean(&b)
        );
    }
}

const SCENES: [&str; 14] = [
    "first suspicion",
    "first mistake",
    "crash to suspicion",
    "suspected at the crash",
    "cut to suspicion",
    "heal to trust",
    "heal to the next suspicion",
    "suspected at the end of the observer's pause",
    "the observer's pause to trust",
    "the observer's pause to the next suspicion",
    "the peer's pause to suspicion",
    "the peer's return to trust",
    "new content to hearing it",
    "suspicions in 200 s",
];

fn scenes(silence: Silence, links: &[Link], period: f64, skips: bool) -> Vec<Vec<f64>> {
    let period = secs(period);
    let one = |run: u64| {
        let form = if skips { "skipping" } else { "stepwise" };
        let mut fate = StreamKey::new(3, "fate", form).open(run);
        let mut row = Vec::new();
        // Scenes of their own, each with a watch of its own.
        let mut scene = 0;
        let mut begin = || {
            scene += 1;
            let stream = StreamKey::new(3, "watch", &format!("{form}{scene}")).open(run);
            let beats = Beats { first: Instant::ZERO + period.scaled(fate.uniform()), period };
            let around = Surroundings { beats: Some(beats), medium: Some(way()), hearing: true };
            let at = instant(40.0 + 7.0 * fate.uniform());
            let length = secs(20.0 * fate.uniform() * fate.uniform());
            (Watch::new(silence, skips, true, Instant::ZERO, around, stream, links), around, at, length)
        };
        let suspected_at = |log: &[(Instant, Seen)], at: Instant| {
            let last = log.iter().rfind(|(when, seen)| *when < at && *seen != Seen::News);
            f64::from(u8::from(last.is_some_and(|(_, seen)| *seen == Seen::Suspect)))
        };

        let (mut watch, ..) = begin();
        let log = drive(&mut watch, links, &[], instant(400.0));
        let suspicion = first(&log, Instant::ZERO, Seen::Suspect);
        row.push(suspicion);
        row.push(if suspicion < 1e6 { first(&log, instant(suspicion), Seen::Trust) } else { 1e6 });

        let (mut watch, around, at, _) = begin();
        let dead = Surroundings { beats: None, ..around };
        let log = drive(&mut watch, links, &[(at, Act::Change(dead, false))], at + secs(60.0));
        let before = suspected_at(&log, at);
        row.push(if before > 0.0 && first(&log, at, Seen::Trust) > 1e5 {
            0.0
        } else {
            first(&log, at, Seen::Suspect)
        });
        row.push(before);

        let (mut watch, around, at, length) = begin();
        let cut = Surroundings { medium: None, ..around };
        let acts = [(at, Act::Change(cut, true)), (at + length, Act::Change(around, false))];
        let log = drive(&mut watch, links, &acts, at + length + secs(200.0));
        row.push(first(&log, at, Seen::Suspect));
        row.push(first(&log, at + length, Seen::Trust));
        row.push(first(&log, at + length, Seen::Suspect));

        let (mut watch, around, at, length) = begin();
        let deaf = Surroundings { hearing: false, ..around };
        let acts = [(at, Act::Change(deaf, false)), (at + length, Act::Change(around, false))];
        let log = drive(&mut watch, links, &acts, at + length + secs(200.0));
        let back = at + length;
        row.push(f64::from(u8::from(log.contains(&(back, Seen::Suspect)))));
        row.push(first(&log, back, Seen::Trust));
        row.push(first(&log, back + Span::from_nanos(1), Seen::Suspect));

        let (mut watch, around, at, length) = begin();
        let still = Surroundings { beats: None, ..around };
        let again = Surroundings { beats: Some(Beats { first: at + length, period }), ..around };
        let acts = [(at, Act::Change(still, false)), (at + length, Act::Change(again, false))];
        let log = drive(&mut watch, links, &acts, at + length + secs(200.0));
        row.push(first(&log, at, Seen::Suspect));
        row.push(first(&log, at + length, Seen::Trust));

        let (mut watch, _, at, _) = begin();
        let log = drive(&mut watch, links, &[(at, Act::Renew)], at + secs(100.0));
        row.push(first(&log, at, Seen::News).min(first(&log, at, Seen::Trust)));

        let (mut watch, ..) = begin();
        let log = drive(&mut watch, links, &[], instant(200.0));
        row.push(log.iter().filter(|(_, seen)| *seen == Seen::Suspect).count() as f64);
        row
    };
    (0..RUNS).into_par_iter().map(one).collect()
}

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
        agree(&what, |skips| scenes(silence, &links, period, skips), &SCENES);
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
        agree(&format!("{rule:?}, loss {loss}, {latency:?}"), |skips| checks(rule, &links, skips), &CHECKS);
    }
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
