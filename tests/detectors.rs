//! Detectors that remember more than the newest beat, and bursts of loss: both forms of each are the same.
//!
//! Where going ahead takes every step, the two forms are equal beat by beat: same stream, same instants. Where it jumps
//! over ordinary beats they are equal in distribution: two-sample Kolmogorov-Smirnov tests at 10⁻³/1400 each, fewer
//! than 700 in this file; closed forms are met at sizes where an error of one per cent shows, by intervals at 10⁻⁵,
//! fewer than 80. All of them together fail by chance with probability 1.3·10⁻³ at most. Seeds are fixed.

#[path = "common/checks.rs"]
mod checks;
mod common;
#[path = "common/watches.rs"]
mod watches;

use checks::drive_check;
use common::*;
use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::{Instant, Span};
use failsim::maths::{exp, ln, log10, pow};
use failsim::policy::facts::Fact;
use failsim::service::detector::{Beats, Silence, Surroundings, Tail, Watch};
use failsim::service::health::{CheckSurroundings, HealthCheck, Rule};
use failsim::system::bursts::{Bursts, Channels};
use failsim::system::ids::NodeId;
use failsim::system::spec::{Action, Effect, Link, Scope};
use failsim::theory::detector::Nfds;
use rayon::prelude::*;
use watches::*;

const EACH: f64 = 1e-3 / 1400.0;
const RUNS: u64 = 2_000;

fn chen(window: u16, margin: f64) -> Silence {
    Silence::Expected { window, every: secs(1.0), margin: secs(margin) }
}

fn akka(window: u16, threshold: f64, pause: f64) -> Silence {
    let tail = Tail::Normal { deviation_min: secs(0.1), pause: secs(pause) };
    Silence::Accrual { tail, window, threshold, every: secs(1.0) }
}

fn cassandra(window: u16, threshold: f64) -> Silence {
    Silence::Accrual { tail: Tail::Exponential, window, threshold, every: secs(1.0) }
}

fn of(missing: u8, of: u8, every: f64) -> Silence {
    Silence::MissedOf { missing, of, every: secs(every) }
}

fn bursts(good: f64, bad: f64, loss: f64) -> Bursts {
    Bursts { good_mean: secs(good), bad_mean: secs(bad), loss }
}

/// A life full of changes: crashes, cuts, pauses of the observer, new content, at random instants.
fn life(run: u64, around: Surroundings, until: f64) -> Vec<(Instant, Act<Surroundings>)> {
    let mut fate = StreamKey::new(11, "life", "acts").open(run);
    let mut acts = Vec::new();
    let mut at = Instant::ZERO + secs(20.0 * fate.uniform());
    while at < instant(until) {
        let length = secs(15.0 * fate.uniform() * fate.uniform());
        let back = at + length;
        let kind = (5.0 * fate.uniform()) as u32;
        let (there, lost) = match kind {
            0 => (Surroundings { beats: None, ..around }, false),
            1 => (Surroundings { medium: None, ..around }, fate.uniform() < 0.5),
            2 => (Surroundings { hearing: false, ..around }, false),
            _ => {
                acts.push((at, Act::Renew(around)));
                at = back;
                continue;
            }
        };
        acts.push((at, Act::Change(there, lost)));
        let series = around.beats.map(|beats| match kind {
            0 => Beats { first: back + beats.period.scaled(fate.uniform()), ..beats },
            _ => beats,
        });
        acts.push((
            back,
            Act::Change(
                Surroundings { beats: series.filter(|_| kind == 0).or(around.beats), ..around },
                false,
            ),
        ));
        at = back + secs(60.0 * fate.uniform());
    }
    acts
}

fn log_of(silence: Silence, links: &[Link], skips: bool, run: u64) -> Vec<(Instant, Seen)> {
    let beats = Beats { first: instant(0.3), period: secs(1.0001) };
    let around = Surroundings { beats: Some(beats), medium: Some(way()), hearing: true };
    let channels = Channels::new(links, |_| StreamKey::new(13, "bursts", "same").open(run));
    let stream = StreamKey::new(13, "watch", "same").open(run);
    let mut watch =
        Watch::over(silence, skips, run.is_multiple_of(2), Instant::ZERO, around, stream, links, channels);
    drive(&mut watch, links, &life(run, around, 900.0), instant(1_000.0))
}

/// Most beats come too late for a jump in these: going ahead and coming back changes nothing at all.
#[test]
fn detectors_that_cannot_jump_step_the_same_steps() {
    let exponential = Law::exponential(0.1).unwrap();
    let lognormal = Law::lognormal_median(0.15, 1.0).unwrap();
    let bad = bursts(40.0, 3.0, 0.9);
    let mut seen = 0;
    for (silence, links) in [
        (chen(10, 0.05), link(0.1, exponential.clone())),
        (chen(100, 0.06), link(0.05, lognormal.clone())),
        (akka(50, 0.5, 0.0), link(0.1, lognormal.clone())),
        (akka(1000, 0.5, 0.0), burst_link(0.01, lognormal.clone(), bad)),
        (cassandra(100, 0.45), link(0.1, lognormal)),
        (chen(20, 0.05), burst_link(0.0, exponential, bad)),
    ] {
        let differing = (0..200).into_par_iter().map(|run| {
            let (stepwise, ahead) = (log_of(silence, &links, false, run), log_of(silence, &links, true, run));
            assert_eq!(stepwise, ahead, "{silence:?}, run {run}");
            stepwise.iter().filter(|(_, seen)| *seen == Seen::Suspect).count()
        });
        let suspicions: usize = differing.sum();
        assert!(suspicions > 200, "{silence:?}: only {suspicions} suspicions");
        seen += suspicions;
    }
    assert!(seen > 5_000, "{seen}");
}

#[test]
fn watches_with_jumps_agree() {
    let fixed = Law::fixed(0.05).unwrap();
    let bounded = Law::uniform(0.0, 0.4).unwrap();
    let exponential = Law::exponential(0.1).unwrap();
    let lognormal = Law::lognormal_median(0.15, 1.0).unwrap();
    let time_out = |s: f64| Silence::TimeOut(secs(s));
    let lease = |s: f64| Silence::Lease(secs(s));
    let (rare, dense) = (bursts(60.0, 2.0, 1.0), bursts(8.0, 3.0, 0.6));
    for (silence, links, period) in [
        (of(2, 4, 1.0), link(0.05, fixed.clone()), 1.0),
        (of(3, 5, 1.0), link(0.15, bounded.clone()), 1.003),
        (of(2, 3, 1.0), link(0.01, exponential.clone()), 0.9995),
        (of(2, 6, 1.002), burst_link(0.01, fixed.clone(), rare), 1.0),
        (lease(2.5), link(0.1, bounded.clone()), 1.0),
        (lease(3.2), link(0.2, lognormal.clone()), 1.001),
        (time_out(2.5), burst_link(0.01, fixed.clone(), rare), 1.0),
        (time_out(3.0), burst_link(0.05, exponential.clone(), dense), 0.999),
        (Silence::Missed { count: 3, every: secs(1.0) }, burst_link(0.0, lognormal.clone(), rare), 1.0),
        (lease(2.5), burst_link(0.0, fixed, dense), 1.0),
        // Windows that fill, and ones that do not; runs of one, two and three; drift to either side.
        (chen(10, 1.0), burst_link(0.02, exponential.clone(), rare), 1.0),
        (chen(5, 0.5), link(0.1, exponential.clone()), 1.0),
        (chen(100, 1.5), link(0.1, lognormal.clone()), 1.003),
        (chen(1, 2.2), link(0.3, bounded.clone()), 0.997),
        (akka(20, 4.0, 1.0), link(0.05, exponential.clone()), 1.0),
        (akka(2, 3.0, 1.5), link(0.2, bounded.clone()), 1.002),
        (akka(1000, 8.0, 1.0), burst_link(0.01, lognormal.clone(), dense), 1.0),
        (cassandra(30, 1.0), link(0.2, lognormal.clone()), 0.999),
        (cassandra(3, 1.2), link(0.1, bounded), 1.0),
        // Windows of ticks with beats that are late, and come in a later tick.
        (of(3, 6, 1.0), link(0.1, lognormal.clone()), 1.0),
        (of(4, 9, 1.001), link(0.25, exponential), 1.0),
    ] {
        let what = format!("{silence:?}, loss {}, {:?}, period {period}", links[0].loss, links[0].bursts);
        agree(&what, EACH, |skips| scenes(silence, &links, period, skips, RUNS), &SCENES);
    }
}

/// Whatever the detector, its clock and the link: as many suspicions, and as long, in both forms. A quiet stretch that
/// would have hidden one ends the run.
#[test]
fn any_detector_over_any_link_agrees() {
    let mut seen = 0.0;
    for number in 0..150 {
        let mut fate = StreamKey::new(23, "any", "detector").open(number);
        let mut between = |low: f64, high: f64| low + (high - low) * fate.uniform();
        let every = 1.0;
        let silence = match number % 6 {
            0 => chen(between(1.0, 60.0) as u16, between(0.02, 4.0)),
            1 | 2 => Silence::Accrual {
                tail: if number % 6 == 1 {
                    Tail::Normal {
                        deviation_min: secs(between(0.01, 0.5)),
                        pause: secs(between(0.0, 3.0).floor()),
                    }
                } else {
                    Tail::Exponential
                },
                window: between(2.0, 80.0) as u16,
                threshold: between(0.3, 4.0),
                every: secs(every),
            },
            3 | 4 => {
                let n = between(1.0, 13.0).floor();
                of(between(1.0, n + 1.0) as u8, n as u8, every)
            }
            _ => Silence::Lease(secs(between(0.5, 4.0))),
        };
        let latency = match (between(0.0, 4.0)) as u8 {
            0 => Law::fixed(between(0.0, 1.5)),
            1 => Law::uniform(0.0, between(0.01, 1.2)),
            2 => Law::exponential(between(0.01, 0.5)),
            _ => Law::lognormal_median(between(0.02, 0.4), between(0.3, 1.5)),
        };
        let loss = between(0.0, 0.7) * between(0.0, 0.7);
        let links = match between(0.0, 3.0) < 1.0 {
            true => burst_link(loss, latency.unwrap(), bursts(between(5.0, 90.0), between(0.5, 9.0), 0.8)),
            false => link(loss, latency.unwrap()),
        };
        let period = [1.0, 1.0, between(0.99, 1.01), between(0.8, 1.2)][(between(0.0, 4.0)) as usize];
        let rows = |skips: bool| -> Vec<Vec<f64>> {
            let form = if skips { "skipping" } else { "stepwise" };
            let one = |run: u64| {
                let mut phase = StreamKey::new(29, "phase", form).open(run);
                let beats = Beats { first: instant(phase.uniform()), period: secs(period) };
                let around = Surroundings { beats: Some(beats), medium: Some(way()), hearing: true };
                let channels = Channels::new(&links, |_| StreamKey::new(29, "bursts", form).open(run));
                let stream = StreamKey::new(29, "watch", form).open(run);
                let mut watch =
                    Watch::over(silence, skips, true, Instant::ZERO, around, stream, &links, channels);
                let log = drive(&mut watch, &links, &life(run, around, 900.0), instant(1_000.0));
                let count = log.iter().filter(|(_, seen)| *seen == Seen::Suspect).count();
                vec![count as f64, suspected_within(&log, instant(1_000.0))]
            };
            (0..60).into_par_iter().map(one).collect()
        };
        let what = format!("{number}: {silence:?}, {:?}, loss {loss}, period {period}", links[0]);
        agree(&what, EACH, rows, &["suspicions", "suspected"]);
        seen += rows(true).iter().map(|row| row[0]).sum::<f64>();
    }
    assert!(seen > 100_000.0, "{seen}");
}

/// k of k missed is k missed in a row, but for the instant of trust.
#[test]
fn k_of_k_is_k_in_a_row() {
    let links = link(0.3, Law::exponential(0.2).unwrap());
    for run in 0..500 {
        let first_of = |silence| {
            let log = log_of(silence, &links, false, run);
            log.into_iter().find(|(_, seen)| *seen == Seen::Suspect).map(|(at, _)| at)
        };
        assert_eq!(
            first_of(of(3, 3, 1.0)),
            first_of(Silence::Missed { count: 3, every: secs(1.0) }),
            "{run}"
        );
    }
}

/// A lease is NFD-S with a shift of one period less, for any law of delays: the table of Chen, Toueg and Aguilera's
/// closed forms, mistakes as rare as one in 12 days by skipping alone. Mistakes are as often a beat that is late by
/// milliseconds as one that is lost, so their mean length is the hardest to see where few are lost.
#[test]
fn leases_meet_the_closed_forms_of_nfd_s() {
    for (shift, loss, delay, length, is_stepped) in [
        (1.0, 0.01, 0.02, 2e6, true),
        (1.5, 0.01, 0.02, 1.5e8, false),
        (2.0, 0.01, 0.02, 1.5e8, false),
        (3.0, 0.01, 0.02, 1.5e10, false),
        (1.0, 0.2, 0.3, 8e4, true),
        (1.5, 0.2, 0.3, 2.4e5, true),
        (2.0, 0.3, 0.2, 2.4e5, true),
    ] {
        let theory = Nfds { period: 1.0, shift, loss, delay: Law::exponential(delay).unwrap() };
        let silence = Silence::Lease(secs(shift + 1.0));
        let confidence = 1.0 - 1e-5;
        let notices = [0.008, if loss < 0.1 && shift != 1.5 { 0.03 } else { 0.01 }, 0.032];
        nfds_holds("NFD-S", &theory, silence, true, (40, length), confidence, notices);
        if is_stepped {
            let notices = notices.map(|error| 4.0 * error);
            nfds_holds("NFD-S", &theory, silence, false, (40, length / 16.0), confidence, notices);
        }
    }
}

/// Renewals without a formula: m of n by its Markov chain on the last outcomes, without jitter.
#[test]
fn m_of_n_meets_its_markov_chain() {
    for (missing, n, loss, length, notices) in [
        // Each loss is a suspicion: one per cent in what jumps go by is nearly as much in their rate.
        (1_u32, 3_u32, 0.05, 1e6, 0.005),
        (2, 4, 0.05, 8e5, 0.015),
        (3, 5, 0.15, 8e5, 0.015),
    ] {
        // The stationary rate of ticks at which the missing among the last n become m: by iteration of the chain.
        let states = 1_usize << n;
        let mut p = vec![1.0 / states as f64; states];
        let step = |p: &[f64]| {
            let mut next = vec![0.0; states];
            for (state, mass) in p.iter().enumerate() {
                let moved = (state << 1) & (states - 1);
                next[moved] += mass * (1.0 - loss);
                next[moved | 1] += mass * loss;
            }
            next
        };
        (0..200).for_each(|_| p = step(&p));
        let begins: f64 = (0..states)
            .filter(|state| {
                state.count_ones() < missing && ((state << 1 | 1) & (states - 1)).count_ones() >= missing
            })
            .map(|state| p[state] * loss)
            .sum();
        let share: f64 = (0..states).filter(|s| s.count_ones() >= missing).map(|s| p[s]).sum();
        let links = link(loss, Law::fixed(0.1).unwrap());
        let silence = of(missing as u8, n as u8, 1.0);
        for (skips, length, notices) in [(true, length, notices), (false, 50_000.0, 0.06)] {
            let seen: Vec<_> =
                (0..40).into_par_iter().map(|run| mistakes(silence, &links, skips, run, length)).collect();
            let what = format!("{missing} of {n}, loss {loss}, skipping {skips}");
            mean_within(&what, begins, seen.iter().map(|s| s.rate), 1.0 - 1e-5, notices);
            mean_within(
                &format!("{what}: share"),
                share,
                seen.iter().map(|s| s.share),
                1.0 - 1e-5,
                1.5 * notices,
            );
        }
    }
}

/// The beat of a tick is under way when the link is cut, or when the observer stops until the tick is over: the tick is
/// without a beat then. That is a suspicion if m − 1 of the n − 1 ticks before were too, and one tick further back was not
/// (else there was one already).
#[test]
fn a_beat_lost_under_way_counts_with_the_ticks_before_it() {
    let latency = Law::fixed(0.5).unwrap();
    for (missing, n, loss, choose) in [(2, 3, 0.1, 2.0), (2, 5, 0.1, 4.0), (3, 5, 0.2, 6.0), (2, 2, 0.1, 1.0)]
    {
        let (m, k) = (f64::from(missing), f64::from(n));
        let expected = choose * pow(loss, m - 1.0) * pow(1.0 - loss, k - m + 1.0);
        let links = link(loss, latency.clone());
        let silence = of(missing, n, 1.0);
        let beats = Beats { first: instant(0.25), period: secs(1.0) };
        let up = Surroundings { beats: Some(beats), medium: Some(way()), hearing: true };
        let cut =
            [(60.5, Act::Change(Surroundings { medium: None, ..up }, true)), (60.6, Act::Change(up, false))];
        let pause = [
            (60.5, Act::Change(Surroundings { hearing: false, ..up }, false)),
            (61.1, Act::Change(up, false)),
        ];
        for (what, acts) in [("cut", cut), ("pause", pause)] {
            let acts = acts.map(|(at, act)| (instant(at), act));
            for (skips, runs) in [(true, 40_000_u64), (false, 10_000)] {
                let is_hit = |run: &u64| {
                    let stream = StreamKey::new(37, "watch", what).open(*run);
                    let mut watch = Watch::new(silence, skips, true, Instant::ZERO, up, stream, &links);
                    let log = drive(&mut watch, &links, &acts, instant(61.5));
                    let last = log.iter().rfind(|(_, seen)| *seen != Seen::News);
                    last.is_some_and(|(at, seen)| *seen == Seen::Suspect && *at > instant(60.5))
                };
                let hits = (0..runs).into_par_iter().filter(is_hit).count();
                let what = format!("{missing} of {n}, loss {loss}, {what}, skipping {skips}");
                let notices = if skips { 0.1 } else { 0.2 };
                share_within(&what, expected, hits, runs as usize, 1.0 - 1e-5, notices);
            }
        }
    }
}

/// Nothing is lost, each beat takes as long, and the peer crashes after so many: then each rule names the instant of
/// suspicion to the nanosecond. Whatever both forms take from it in common shows here.
#[test]
fn a_crash_is_noticed_when_the_rule_says() {
    let (delay, last) = (0.2, 299.5);
    let links = link(0.0, Law::fixed(delay).unwrap());
    let crash = instant(last + 0.1);
    // Silences at which φ of the normal tail by Akka's formula is 8, with gaps of 1 s and a deviation of 0.1 s at least.
    let phi = |silence: f64| {
        let y = (silence - 4.0) / 0.1;
        let e = exp(-y * (1.5976 + 0.070566 * y * y));
        -log10(e / (1.0 + e))
    };
    let patience = 4.522_598_664;
    assert!((phi(patience) - 8.0).abs() < 1e-6, "{}", phi(patience));
    for (silence, after) in [
        (Silence::TimeOut(secs(2.5)), delay + 2.5),
        // Heard in the tick that ends at 300: none in those that end at 301, 302 and 303.
        (Silence::Missed { count: 3, every: secs(1.0) }, 303.0 - last),
        (of(3, 5, 1.0), 303.0 - last),
        (Silence::Lease(secs(2.5)), 2.5),
        (chen(20, 1.5), 1.0 + delay + 1.5),
        (akka(50, 8.0, 3.0), delay + patience),
        (cassandra(50, 1.0), delay + ln(10.0)),
    ] {
        for skips in [true, false] {
            let mut watch = steady(silence, skips, 0.5, &links, "crash", 0);
            let dead = Surroundings { beats: None, medium: Some(way()), hearing: true };
            let log = drive(&mut watch, &links, &[(crash, Act::Change(dead, false))], instant(400.0));
            let found = first(&log, instant(last), Seen::Suspect);
            assert!((found - after).abs() < 1e-7, "{silence:?}, skipping {skips}: {found} and not {after}");
        }
    }
    let rule = Rule { every: secs(1.0), timeout: secs(0.8), fall: 3, rise: 1 };
    let up = CheckSurroundings { ways: Some([way(), way()]), answering: true, checking: true };
    for skips in [true, false] {
        let stream = StreamKey::new(17, "check", "crash").open(0);
        let mut check = HealthCheck::new(rule, skips, instant(0.5), up, stream, &links);
        let silent = CheckSurroundings { answering: false, ..up };
        let log = drive_check(&mut check, &links, &[(crash, silent)], instant(400.0));
        // The checks of 300.5, 301.5 and 302.5 fail, and the last has its time-out.
        assert_eq!(log, [(instant(303.3), Seen::Suspect)], "skipping {skips}");
    }
}

/// A crash after 300 beats, whose windows are full of what was drawn last. Chen's expectation is a mean of n delays; the
/// mean of n gaps is one over losses, and its ends are two delays: mean and variance of the instant of suspicion.
#[test]
fn adaptive_detectors_notice_a_crash_as_theory_says() {
    let (last, period) = (299.5, 1.0);
    let (delay, delay_variance) = (0.2, 0.4 * 0.4 / 12.0);
    let far = 6.0; // φ of an exponential tail is that at this many mean gaps
    for (silence, loss, mean, variance) in [
        (chen(20, 1.2), 0.0, period + delay + 1.2, delay_variance / 20.0),
        (cassandra(25, far / ln(10.0)), 0.0, delay + far * period, {
            let share = far / 25.0;
            delay_variance * ((1.0 + share) * (1.0 + share) + share * share)
        }),
        (
            cassandra(50, far / ln(10.0)),
            0.05,
            {
                // Losses at the end, and one mean gap as long as it takes to hear a beat.
                delay + (far - 0.05) * period / 0.95
            },
            {
                let (row, share) = (0.05 / (0.95 * 0.95), far / 50.0);
                let ends = delay_variance * ((1.0 + share) * (1.0 + share) + share * share);
                ends + row * (1.0 + far * share)
            },
        ),
    ] {
        let links = link(loss, Law::uniform(0.0, 0.4).unwrap());
        for (skips, runs, notices) in [(true, 200_000_u64, 0.005), (false, 20_000, 0.01)] {
            let dead = Surroundings { beats: None, medium: Some(way()), hearing: true };
            let one = |run| {
                let mut watch = steady(silence, skips, 0.5, &links, "adaptive", run);
                let acts = [(instant(last + 0.1), Act::Change(dead, false))];
                let log = drive(&mut watch, &links, &acts, instant(400.0));
                let (at, _) = log.iter().rfind(|(_, seen)| *seen == Seen::Suspect).expect("it is dead");
                at.as_secs() - last
            };
            let found: Vec<f64> = (0..runs).into_par_iter().map(one).collect();
            let what = format!("{silence:?}, loss {loss}, skipping {skips}");
            let squares = found.iter().map(|at| (at - mean) * (at - mean));
            mean_within(&format!("{what}: variance"), variance, squares, 1.0 - 1e-5, 12.0 * notices);
            mean_within(&what, mean, found, 1.0 - 1e-5, notices);
        }
    }
}

/// Bursts that lose everything, and a time-out that only they can exceed: a mistake is a bad state in which so many
/// beats in a row are lost.
#[test]
fn bursts_are_as_long_as_their_law_says() {
    let (good, bad) = (50.0, 4.0);
    let links = burst_link(0.0, Law::fixed(0.0).unwrap(), bursts(good, bad, 1.0));
    // Suspicion after 3 s of silence: beats 1, 2 and 3 after the last one heard fall into one bad state.
    let silence = Silence::TimeOut(secs(3.0) + Span::from_nanos(1));
    let rates = |skips: bool| -> Vec<f64> {
        (0..40).into_par_iter().map(|run| mistakes(silence, &links, skips, run, 100_000.0).rate).collect()
    };
    // Beats 1, 2 and 3 after the last one heard are lost, which means three in a row in the bad state after one in the
    // good one. Beats read as a two-state chain in discrete time: its run lengths are geometric.
    let rate = 1.0 / good + 1.0 / bad;
    let (share_bad, mix) = (bad / (good + bad), exp(-rate));
    let stay = share_bad + (1.0 - share_bad) * mix;
    let turn = share_bad * (1.0 - mix);
    let expected = (1.0 - share_bad) * turn * stay * stay;
    for skips in [true, false] {
        mean_within(&format!("bursts, skipping {skips}"), expected, rates(skips), 1.0 - 1e-5, 0.04);
    }
    assert_eq!(rates(true), rates(false), "the path of a link's states is everybody's");
}

/// A pair with everything that interrupts a detector, over a link with bursts.
fn pair(detector: &str, loss: &str) -> String {
    format!(
        r#"
[nodes.a]
start = "20s"
restart = "10s"
clock = {{ drift = "100ppm" }}
[nodes.a.failures]
crash = {{ mttf = "1h", repair = {{ exponential = "5m" }} }}
pause = {{ effect = "pause", mttf = "30m", duration = {{ exponential = "10s" }} }}
[nodes.b]
like = "a"
[links.lan]
between = ["a", "b"]
latency = {{ exponential = "50ms" }}
{loss}
failures.cut = {{ mttf = "1h", duration = {{ exponential = "30s" }} }}
[groups.pair]
nodes = ["a", "b"]
[groups.pair.policy.active-passive]
heartbeat = "1s"
detector = {detector}
[clients.people]
to = "pair"
writes = "2/s"
"#
    )
}

const BURSTS: &str = r#"loss = "1%"
bursts = { good = "5m", bad = "4s", loss = "95%" }"#;

/// Each backup waits by its own priority: 192, 128 and 64 are skews of a quarter, a half and three quarters of a second
/// after the three that all wait. Without a step they suspect as one.
#[test]
fn backups_of_lower_priority_suspect_later() {
    let of = |step: u8| -> Vec<(u16, f64)> {
        let text = format!(
            "[nodes.a]\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n[nodes.c]\nlike = \"a\"\n[groups.g]\n\
             nodes = [\"a\", \"b\", \"c\"]\n[groups.g.policy.active-passive]\nheartbeat = \"1s\"\n\
             detector = {{ vrrp = {{ priority = 192, priority_step = {step} }} }}\n"
        );
        let crash = Action::Fail { node: NodeId(0), scope: Scope::Host, effect: Effect::Crash };
        let facts = scripted(&text, &[(100.0, crash)], true);
        let verdicts = facts.iter().filter_map(|(at, fact)| match fact {
            Fact::Verdict { observer, suspected: true, .. } => Some((observer.0, at.as_secs())),
            _ => None,
        });
        verdicts.collect()
    };
    let apart = |step| match of(step)[..] {
        [(1, first), (2, second)] if (102.0..104.0).contains(&first) => second - first,
        ref other => panic!("{other:?}"),
    };
    assert_eq!(apart(0), 0.0);
    assert!((apart(64) - 0.25).abs() < 1e-9, "{}", apart(64));
}

#[test]
fn whole_models_with_other_detectors_agree() {
    let measures = ["unavailability", "split_brain_time", "mistake_rate", "failover_rate", "lost_rate"];
    for (detector, loss) in [
        ("{ m-of-n = { missing = 3, of = 5 } }", "loss = \"5%\""),
        (r#"{ lease = { ttl = "3s", margin = "500ms" } }"#, BURSTS),
        ("{ vrrp = { priority = 100 } }", BURSTS),
        (r#"{ chen = { margin = "1500ms", window = 20 } }"#, BURSTS),
        ("{ phi-accrual = { window = 100 } }", "loss = \"10%\""),
        (r#"{ phi-accrual = { tail = "exponential", threshold = 2, window = 50 } }"#, BURSTS),
    ] {
        let text = pair(detector, loss);
        let horizon = hours(12.0);
        let rows = |skips: bool| -> Vec<Vec<f64>> {
            let setup = ready_as(&text, &[], if skips { 61 } else { 62 }, skips);
            let all = records(&setup, 150, horizon);
            all.iter()
                .map(|record| {
                    let folded = fold(&setup, horizon, [record]);
                    measures.iter().map(|name| figure(&folded, name, 0.95).estimate).collect()
                })
                .collect()
        };
        agree(detector, EACH, rows, &measures);
    }
}

/// Who watches over the same link sees the same bursts: with a time-out that only bursts exceed, both observers of a
/// pair suspect each other in the same ones.
#[test]
fn observers_share_the_bursts_of_their_link() {
    let text = pair(r#"{ lease = { ttl = "4s" } }"#, "bursts = { good = \"20m\", bad = \"20s\" }");
    let quiet = [
        "nodes.*.failures.crash.mttf=400y",
        "nodes.*.failures.pause.mttf=400y",
        "links.lan.failures.cut.mttf=400y",
    ];
    for skips in [true, false] {
        let setup = ready_as(&text, &quiet, 5, skips);
        let mut run = failsim::policy::host::open(&setup, 0, Vec::new());
        run.run_until(Instant::ZERO + hours(48.0), u64::MAX);
        let of = |who: u16| -> Vec<f64> {
            let verdicts = run.world.probe.iter().filter_map(|(at, fact)| match fact {
                failsim::policy::facts::Fact::Verdict { observer, suspected: true, .. }
                    if observer.0 == who =>
                {
                    Some(at.as_secs())
                }
                _ => None,
            });
            verdicts.collect()
        };
        let (a, b) = (of(0), of(1));
        assert!(a.len() > 50, "{}", a.len());
        let together = a.iter().filter(|x| b.iter().any(|y| (*x - y).abs() < 2.5)).count();
        // A bad state that ends within a beat of the lease may be met by one of them only.
        assert!(together as f64 > 0.85 * a.len() as f64, "{together} of {}", a.len());
    }
}
