//! Stepwise and skipping are the same in distribution: detectors driven alone, without the engine, and whole models.
//!
//! Each scenario yields figures per run (time to the first suspicion, length of a mistake, delay after a crash at a
//! random instant, what follows a cut, a pause of either side, a change of content). Their samples from both forms
//! are held against each other by the two-sample Kolmogorov-Smirnov test, or their means by intervals, at 10⁻³/400
//! each, fewer than 220; closed forms are held against intervals at 10⁻⁵, fewer than 40. All of them together fail by
//! chance with probability 10⁻³ at most. Seeds are fixed.

#[path = "common/checks.rs"]
mod checks;
mod common;
#[path = "common/models.rs"]
#[allow(unreachable_pub)]
mod models;
#[path = "common/watches.rs"]
mod watches;

use checks::*;
use common::*;
use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::Instant;
use failsim::service::detector::{Silence, Surroundings};
use failsim::service::health::{CheckSurroundings, HealthCheck, Rule};
use failsim::stats::test::chi_square_fit;
use failsim::system::bursts::{Bursts, Channels};
use failsim::theory::detector::{Nfds, k_run_mean};
use rayon::prelude::*;
use watches::*;

const EACH: f64 = 1e-3 / 400.0;
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

#[test]
fn health_checks_agree() {
    let rule = |fall, rise| Rule { every: secs(1.0), timeout: secs(0.8), fall, rise };
    let bursts = |good, bad, loss| Bursts { good_mean: secs(good), bad_mean: secs(bad), loss };
    for (rule, links) in [
        (rule(1, 1), link(0.001, Law::fixed(0.05).unwrap())),
        (rule(2, 2), link(0.1, Law::uniform(0.0, 0.5).unwrap())),
        (rule(3, 2), link(0.2, Law::exponential(0.2).unwrap())),
        (rule(3, 1), link(0.05, Law::lognormal_median(0.2, 0.8).unwrap())),
        (rule(2, 1), burst_link(0.1, Law::exponential(0.2).unwrap(), bursts(20.0, 6.0, 0.4))),
        (rule(3, 2), burst_link(0.01, Law::uniform(0.0, 0.5).unwrap(), bursts(60.0, 3.0, 1.0))),
    ] {
        agree(&format!("{rule:?}, {:?}", links[0]), EACH, |skips| checks(rule, &links, skips, RUNS), &CHECKS);
    }
}

/// Over a link with bursts, whatever interrupts them: as many verdicts and as long a suspicion; and only verdicts are
/// events.
#[test]
fn checks_over_bursts_agree_and_only_verdicts_are_events() {
    let bursts = Bursts { good_mean: secs(40.0), bad_mean: secs(6.0), loss: 0.7 };
    let links = burst_link(0.05, Law::exponential(0.2).unwrap(), bursts);
    let rule = Rule { every: secs(1.0), timeout: secs(0.8), fall: 3, rise: 2 };
    let around = CheckSurroundings { ways: Some([way(), way()]), answering: true, checking: true };
    let of = |run: u64, skips: bool| {
        let form = if skips { "skipping" } else { "stepwise" };
        let channels = Channels::new(&links, |_| StreamKey::new(31, "bursts", form).open(run));
        let stream = StreamKey::new(31, "check", form).open(run);
        let mut check = HealthCheck::over(rule, skips, instant(0.3), around, stream, &links, channels);
        let mut fate = StreamKey::new(31, "fate", "checks").open(run);
        let mut acts = Vec::new();
        let mut at = Instant::ZERO;
        while at < instant(900.0) {
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
        let log = drive_check(&mut check, &links, &acts, instant(1_000.0));
        let count = log.iter().filter(|(_, seen)| *seen == Seen::Suspect).count();
        vec![count as f64, suspected_within(&log, instant(1_000.0))]
    };
    let rows = |skips| (0..RUNS).map(|run| of(run, skips)).collect::<Vec<_>>();
    agree("checks over bursts", EACH, rows, &["suspicions", "suspected"]);
    let seen: f64 = rows(true).iter().map(|row| row[0]).sum();
    assert!(seen > 5.0 * RUNS as f64, "{seen}");

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
        let theory = Nfds { period: 1.0, shift, loss, delay: Law::fixed(delay).unwrap() };
        let silence = Silence::TimeOut(secs(1.0 + shift - delay));
        for skips in [true, false] {
            let size = (60, if skips { 40_000.0 } else { 20_000.0 });
            nfds_holds("a time-out", &theory, silence, skips, size, 1.0 - 1e-5, [0.12; 3]);
        }
    }
}

/// A run of losses begins with each of its terms: one of them wrong by one per cent moves the mean by about as much,
/// and the interval is half as wide.
#[test]
fn runs_of_losses_come_as_often_as_theory_says() {
    for (loss, k) in [(0.3, 2), (0.1, 2), (0.05, 3)] {
        let beats = beats_to_a_run(loss, k, 1_200_000);
        mean_within(&format!("{k} losses in a row at {loss}"), k_run_mean(loss, k), beats, 1.0 - 1e-5, 0.005);
    }
}

/// The same for checks, which fail with either leg: skipping, at a size where one per cent in that probability shows.
#[test]
fn checks_in_a_row_fail_as_often_as_theory_says() {
    for (loss, fall) in [(0.1, 2), (0.05, 1), (0.15, 3)] {
        let failing = 1.0 - (1.0 - loss) * (1.0 - loss);
        for (skips, runs, notices) in [(true, 1_200_000, 0.005), (false, 10_000, 0.05)] {
            let times = checks_to_a_verdict(loss, fall, skips, runs);
            let what = format!("{fall} checks in a row with loss {loss}, skipping {skips}");
            mean_within(&what, k_run_mean(failing, fall), times, 1.0 - 1e-5, notices);
        }
    }
}

/// A peer that sends five beats and crashes at a random instant before the sixth, seen by a time-out of k beats and a
/// bit (`after`), so that k losses in a row are a suspicion. How soon that comes goes by the age a of the last beat,
/// which is uniform, and by the losses j in a row before the crash: after + delay − a − j. No earlier suspicion means
/// that no run of k was complete, or just now: one complete with the last beat is noticed `after` + delay − k later.
/// One per cent more in a term of the law of j is a chi-square of 40 and more, where the limit is 26.
#[test]
fn a_crash_is_noticed_as_fast_as_theory_says() {
    let (loss, delay, after, k, beats) = (0.3, 0.25, 3.1, 3, 5_u32);
    let links = link(loss, Law::fixed(delay).unwrap());
    // Losses in a row after the first beat, which is heard, and so on; the last entry: a run complete just now.
    let mut row = [1.0, 0.0, 0.0, 0.0];
    for _ in 1..beats {
        let [none, one, two, _] = row;
        let all = none + one + two;
        row = [all * (1.0 - loss), none * loss, one * loss, two * loss];
    }
    // Only while it is not noticed yet.
    let late = after + delay - f64::from(k);
    row[3] *= late;
    let all: f64 = row.iter().sum();
    let age = (0.5 * (all - row[3]) + 0.5 * late * row[3]) / all;
    let losses: f64 = (1..).zip(&row[1..]).map(|(j, p)| f64::from(j) * p).sum::<f64>() / all;

    let one = |run: u64| {
        let age = StreamKey::new(29, "fate", "crash").open(run).uniform();
        let mut watch = steady(Silence::TimeOut(secs(after)), true, 1.0, &links, "crash", run);
        let crash = instant(f64::from(beats) + age);
        let dead = Surroundings { beats: None, medium: Some(way()), hearing: true };
        let log = drive(&mut watch, &links, &[(crash, Act::Change(dead, false))], crash + secs(10.0));
        let is_heard = log.first().is_some_and(|(at, _)| *at == instant(1.0 + delay));
        let is_right = log.iter().all(|(at, seen)| *at > crash || *seen != Seen::Suspect);
        (is_heard && is_right).then(|| (first(&log, crash, Seen::Suspect), age))
    };
    let seen: Vec<(f64, f64)> = (0..1_200_000).into_par_iter().filter_map(one).collect();
    let times = seen.iter().map(|(time, _)| *time);
    mean_within("crash to suspicion", after + delay - age - losses, times, 1.0 - 1e-5, 0.002);
    let mut counts = [0; 4];
    for (time, age) in &seen {
        counts[(after + delay - age - time).round() as usize] += 1;
    }
    let test = chi_square_fit(&counts, &row.map(|p| p / all * seen.len() as f64), 0);
    assert!(test.p_value > 1e-5, "losses before a crash: {test:?}, {counts:?}");
}

/// What polls are asked for without stepping them is what each request would have told.
#[test]
fn polls_tell_what_stepped_requests_tell() {
    let seen: usize = (0..200)
        .map(|run| {
            let [stepped, asked] = polls(run);
            assert_eq!(stepped, asked, "run {run}");
            asked.len()
        })
        .sum();
    assert!(seen > 10_000, "{seen}");
}

#[test]
fn two_observers_of_one_peer_agree() {
    let bursts = Bursts { good_mean: secs(60.0), bad_mean: secs(4.0), loss: 0.8 };
    let latency = Law::exponential(0.1).unwrap();
    for links in [link(0.3, latency.clone()), burst_link(0.02, latency.clone(), bursts)] {
        let what = format!("two observers, {:?}", links[0].bursts);
        let silence = Silence::TimeOut(secs(2.5));
        agree(&what, EACH, |skips| two_observers(silence, &links, skips, RUNS), &OBSERVERS);
    }
}

/// Whole models. Distributions with different seeds, so that the samples are independent: at these numbers of runs a
/// distance of 0.16 to 0.19 between them shows. And means with the same seed, by pairs: faults are the same at the same
/// instants then, so that much less shows, the relative error beside each measure.
#[test]
fn whole_models_agree() {
    for (name, text, change, stepped, measures) in [
        (
            "scada",
            models::SCADA,
            None,
            300,
            &[
                ("unavailability", 0.001),
                ("split_brain_time", 0.002),
                ("mistake_rate", 0.005),
                ("failover_rate", 0.005),
                ("lost_rate", 0.001),
            ][..],
        ),
        (
            "scada, its clocks stand still in pauses",
            models::SCADA,
            Some("nodes.*.timers_after_pause=frozen"),
            150,
            &[("unavailability", 0.002), ("split_brain_time", 0.004), ("mistake_rate", 0.01)],
        ),
        (
            "spare",
            models::SPARE,
            None,
            200,
            &[
                ("unavailability", 0.2),
                ("mistake_rate", 0.05),
                ("failover_rate", 0.03),
                // Few large losses, which no number of runs that fits here would compare.
                ("lost_rate", f64::INFINITY),
                ("downtime_detect", 0.25),
            ],
        ),
        // Nothing is random but the faults: both forms are the same.
        ("web", models::WEB, None, 300, &[("unavailability", 1e-9), ("outage_rate", 1e-9)]),
    ] {
        let horizon = hours(8.0);
        let rows = |seed, skips, runs| -> Vec<Vec<f64>> {
            let setup = ready_as(text, change.as_slice(), seed, skips);
            let row = |record| {
                let folded = fold(&setup, horizon, [record]);
                measures.iter().map(|(name, _)| figure(&folded, name, 0.95).estimate).collect()
            };
            records(&setup, runs, horizon).iter().map(row).collect()
        };
        let names: Vec<&str> = measures.iter().map(|(name, _)| *name).collect();
        let stepwise = rows(52, false, stepped);
        let others = rows(51, true, 1_200);
        let means: Vec<f64> =
            (0..names.len()).map(|i| others.iter().map(|row| row[i]).sum::<f64>() / 1_200.0).collect();
        agree(name, EACH, |skips| if skips { others.clone() } else { stepwise.clone() }, &names);
        let skipping = rows(52, true, stepped);
        for (i, (measure, notices)) in measures.iter().enumerate() {
            // 1 if both means are the same; what they are in units of is known well enough.
            let ratios = stepwise.iter().zip(&skipping).map(|(a, b)| 1.0 + (a[i] - b[i]) / means[i]);
            mean_within(&format!("{name}: {measure}"), 1.0, ratios, 1.0 - EACH, *notices);
        }
    }
}
