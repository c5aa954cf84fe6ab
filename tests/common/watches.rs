//! Detectors driven alone, without the engine: what the tests and benches of their two forms share.
#![allow(dead_code, unreachable_pub)] // each file uses its part

use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::{Instant, Span};
use failsim::service::detector::{Beats, Observed, Silence, Surroundings, Watch};
use failsim::stats::test::kolmogorov_smirnov_two;
use failsim::system::bursts::{Bursts, Channels};
use failsim::system::ids::{LinkId, NodeId};
use failsim::system::medium::Medium;
use failsim::system::spec::{Classes, Direction, End, Link};
use failsim::theory::detector::Nfds;
use rayon::prelude::*;

use super::common::{instant, mean_within, secs};

/// One link between two nodes, and so on: what a detector driven alone needs.
pub fn link(loss: f64, latency: Law) -> Vec<Link> {
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

/// The same with bursts.
pub fn burst_link(loss: f64, latency: Law, bursts: Bursts) -> Vec<Link> {
    let mut links = link(loss, latency);
    links[0].bursts = Some(bursts);
    links
}

/// The way over the first link.
pub fn way() -> Medium {
    let mut medium = Medium::PERFECT;
    medium.add(LinkId(0));
    medium
}

/// What a detector was seen to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    Suspect,
    Trust,
    News,
}

/// Something done to it.
#[derive(Clone, Copy, Debug)]
pub enum Act<S> {
    Change(S, bool),
    Renew(S),
}

/// Steps a watch through acts up to an instant, and tells what was seen.
pub fn drive(
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
                (at, Act::Renew(around)) => (*at, watch.renew(*at, *around, links)),
            }
        } else {
            (wake, watch.wake(wake, links))
        };
        tell(&mut log, now, seen);
    }
}

/// Adds to a log what became observable, in its order.
pub fn tell(log: &mut Vec<(Instant, Seen)>, now: Instant, seen: Observed) {
    if seen.suspect {
        log.push((now, Seen::Suspect));
    }
    if seen.trust {
        log.push((now, Seen::Trust));
    } else if seen.heard.is_some() {
        log.push((now, Seen::News));
    }
}

/// The first of a kind at or after an instant, in seconds from it; a large number if it does not happen.
pub fn first(log: &[(Instant, Seen)], after: Instant, kind: Seen) -> f64 {
    let found = log.iter().find(|(at, seen)| *at >= after && *seen == kind);
    found.map_or(1e6, |(at, _)| (*at - after).as_secs())
}

/// Holds each column of both forms' rows against each other by Kolmogorov and Smirnov's test at `each`.
pub fn agree(what: &str, each: f64, mut of: impl FnMut(bool) -> Vec<Vec<f64>>, names: &[&str]) {
    let (stepwise, skipping) = (of(false), of(true));
    for (i, name) in names.iter().enumerate() {
        let column = |rows: &[Vec<f64>]| -> Vec<f64> { rows.iter().map(|row| row[i]).collect() };
        let (a, b) = (column(&stepwise), column(&skipping));
        let test = kolmogorov_smirnov_two(&a, &b);
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        assert!(
            test.p_value > each,
            "{what}: {name}: stepwise mean {}, skipping mean {}, {test:?}",
            mean(&a),
            mean(&b)
        );
    }
}

/// The columns of [`scenes`].
pub const SCENES: [&str; 14] = [
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

/// What happens around a detector, each scene with a watch of its own: a row of [`SCENES`] for each run.
pub fn scenes(silence: Silence, links: &[Link], period: f64, skips: bool, runs: u64) -> Vec<Vec<f64>> {
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
            let channels =
                Channels::new(links, |_| StreamKey::new(3, "bursts", &format!("{form}{scene}")).open(run));
            let watch = Watch::over(silence, skips, true, Instant::ZERO, around, stream, links, channels);
            (watch, around, at, length)
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
        let log = drive(&mut watch, links, &[(at, Act::Renew(around))], at + secs(100.0));
        row.push(first(&log, at, Seen::News).min(first(&log, at, Seen::Trust)));

        let (mut watch, ..) = begin();
        let log = drive(&mut watch, links, &[], instant(200.0));
        row.push(log.iter().filter(|(_, seen)| *seen == Seen::Suspect).count() as f64);
        row
    };
    (0..runs).into_par_iter().map(one).collect()
}

/// A watch of a peer that beats each second from `first` on, over a way that is open.
pub fn steady(silence: Silence, skips: bool, first: f64, links: &[Link], purpose: &str, run: u64) -> Watch {
    let beats = Beats { first: instant(first), period: secs(1.0) };
    let around = Surroundings { beats: Some(beats), medium: Some(way()), hearing: true };
    let channels = Channels::new(links, |_| StreamKey::new(17, "bursts", purpose).open(run));
    let stream = StreamKey::new(17, purpose, "watch").open(run);
    Watch::over(silence, skips, true, Instant::ZERO, around, stream, links, channels)
}

/// How often a detector is mistaken while its peer is up, a second, and for how long each time.
pub struct Mistakes {
    pub rate: f64,
    pub share: f64,
    pub lengths: Vec<f64>,
}

/// The mistakes of one run of `length` seconds.
pub fn mistakes(silence: Silence, links: &[Link], skips: bool, run: u64, length: f64) -> Mistakes {
    let mut watch = steady(silence, skips, 0.5, links, "theory", run);
    let log = drive(&mut watch, links, &[], instant(length));
    let lengths: Vec<f64> = log
        .windows(2)
        .filter(|pair| pair[0].1 == Seen::Suspect)
        .map(|pair| (pair[1].0 - pair[0].0).as_secs())
        .collect();
    let count = log.iter().filter(|(_, seen)| *seen == Seen::Suspect).count();
    Mistakes { rate: count as f64 / length, share: lengths.iter().sum::<f64>() / length, lengths }
}

/// A detector against the closed forms of NFD-S: how often it is mistaken, for how long, and which share of the time.
/// `notices` is the relative error noticed of each. So many runs of `length` seconds; three intervals at `confidence`.
pub fn nfds_holds(
    what: &str,
    theory: &Nfds,
    silence: Silence,
    skips: bool,
    (runs, length): (u64, f64),
    confidence: f64,
    notices: [f64; 3],
) {
    let links = link(theory.loss, theory.delay.clone());
    let seen: Vec<_> =
        (0..runs).into_par_iter().map(|run| mistakes(silence, &links, skips, run, length)).collect();
    let of = theory.accuracy();
    let what = format!("{what}, shift {}, loss {}, skipping {skips}", theory.shift, theory.loss);
    let rates = seen.iter().map(|s| s.rate);
    mean_within(&what, 1.0 / of.mistake_recurrence, rates, confidence, notices[0]);
    // Each mistake begins anew: their lengths are independent.
    let lengths = seen.iter().flat_map(|s| s.lengths.iter().copied());
    mean_within(&format!("{what}: length"), of.mistake_duration, lengths, confidence, notices[1]);
    let shares = seen.iter().map(|s| s.share);
    mean_within(&format!("{what}: share"), of.mistake_share, shares, confidence, notices[2]);
}

/// Beats until `k` in a row are lost, by a detector that notices with the last of them.
pub fn beats_to_a_run(loss: f64, k: u32, runs: u64) -> Vec<f64> {
    let links = link(loss, Law::fixed(0.0).expect("a law"));
    let silence = Silence::TimeOut(secs(f64::from(k)) + Span::from_nanos(1));
    let one = |run| {
        let mut watch = steady(silence, true, 1.0, &links, "rows", run);
        loop {
            let at = watch.wake_at();
            if watch.wake(at, &links).suspect {
                return at.as_secs() - 1e-9;
            }
        }
    };
    (0..runs).into_par_iter().map(one).collect()
}

/// Ticks until `missing` of the last `n` are without their beat, which each of them has but for losses: of the first, the
/// beginning counts as one.
pub fn ticks_to_a_window(loss: f64, missing: u8, n: u8, runs: u64) -> Vec<f64> {
    let links = link(loss, Law::fixed(0.1).expect("a law"));
    let silence = Silence::MissedOf { missing, of: n, every: secs(1.0) };
    let one = |run| {
        let mut watch = steady(silence, true, 0.5, &links, "windows", run);
        loop {
            let at = watch.wake_at();
            if watch.wake(at, &links).suspect {
                return at.as_secs() - 1.0;
            }
        }
    };
    (0..runs).into_par_iter().map(one).collect()
}

/// The columns of [`two_observers`].
pub const OBSERVERS: [&str; 5] = [
    "first suspicion of either",
    "the other's after it",
    "both suspect, of 300 s",
    "crash to either's suspicion",
    "crash to both suspecting",
];

/// Two observers of one peer over one link, whose bursts they share and nothing else: a row for each run.
pub fn two_observers(silence: Silence, links: &[Link], skips: bool, runs: u64) -> Vec<Vec<f64>> {
    let form = if skips { "skipping" } else { "stepwise" };
    let one = |run: u64| {
        let mut fate = StreamKey::new(47, "fate", form).open(run);
        let beats = Beats { first: instant(fate.uniform()), period: secs(1.0) };
        let crash = instant(300.0 + 7.0 * fate.uniform());
        let around = Surroundings { beats: Some(beats), medium: Some(way()), hearing: true };
        let logs = ["left", "right"].map(|who| {
            let channels = Channels::new(links, |_| StreamKey::new(47, "bursts", form).open(run));
            let stream = StreamKey::new(47, who, form).open(run);
            let mut watch = Watch::over(silence, skips, true, Instant::ZERO, around, stream, links, channels);
            let dead = Act::Change(Surroundings { beats: None, ..around }, false);
            drive(&mut watch, links, &[(crash, dead)], crash + secs(100.0))
        });
        let firsts = logs.each_ref().map(|log| first(log, Instant::ZERO, Seen::Suspect));
        // Suspected since before the crash: at once.
        let noticed = logs.each_ref().map(|log| {
            let last = log.iter().rfind(|(_, seen)| *seen == Seen::Suspect);
            last.map_or(1e6, |(at, _)| at.since(crash).as_secs())
        });
        let [low, high] = [firsts[0].min(firsts[1]), firsts[0].max(firsts[1])];
        let both = overlap(&suspicions(&logs[0]), &suspicions(&logs[1]), instant(300.0));
        vec![low, high - low, both, noticed[0].min(noticed[1]), noticed[0].max(noticed[1])]
    };
    (0..runs).into_par_iter().map(one).collect()
}

/// From when to when a peer was suspected; for ever, at the end.
fn suspicions(log: &[(Instant, Seen)]) -> Vec<(Instant, Instant)> {
    let mut all: Vec<(Instant, Instant)> = Vec::new();
    for (at, seen) in log {
        match seen {
            Seen::Suspect => all.push((*at, Instant::NEVER)),
            Seen::Trust => all.last_mut().expect("it was suspected").1 = *at,
            Seen::News => {}
        }
    }
    all
}

/// How long the peer was suspected until an instant, in seconds.
pub fn suspected_within(log: &[(Instant, Seen)], until: Instant) -> f64 {
    suspicions(log).iter().map(|(from, to)| (*to).min(until).since(*from).as_secs()).sum()
}

/// How long stretches of both lists overlap until an instant, in seconds.
fn overlap(a: &[(Instant, Instant)], b: &[(Instant, Instant)], until: Instant) -> f64 {
    let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x.0.max(y.0), x.1.min(y.1).min(until))));
    pairs.map(|(from, to)| to.since(from).as_secs()).sum()
}
