//! Both forms of each detector at full length: stepwise and skipping held against each other, and against closed
//! forms at sizes where an error of one per cent cannot hide. The test-suite runs the same at a size that fits it.
//!
//! Every distribution is compared by the two-sample Kolmogorov-Smirnov test. The family-wise error over all of them
//! is 10⁻³: each is held at 10⁻³ divided by their number, which is printed. Seeds are fixed.
//!
//! ```console
//! $ cargo bench --bench agreement
//! $ cargo bench --bench agreement -- 2000
//! ```

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/watches.rs"]
mod watches;

use common::{instant, mean_within, secs};
use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::Instant;
use failsim::service::detector::{Beats, Silence, Surroundings, Tail, Watch};
use failsim::system::bursts::{Bursts, Channels};
use failsim::system::spec::Link;
use failsim::theory::detector::{Nfds, k_run_mean};
use rayon::prelude::*;
use watches::{SCENES, Seen, agree, burst_link, drive, link, scenes, times_to_losses, way};

/// Runs a form, unless the command line names another number.
const RUNS: u64 = 20_000;

fn silences() -> Vec<Silence> {
    let every = secs(1.0);
    let tail = Tail::Normal { deviation_min: secs(0.1), pause: secs(1.0) };
    vec![
        Silence::TimeOut(secs(2.5)),
        Silence::Missed { count: 3, every },
        Silence::MissedOf { missing: 3, of: 5, every },
        Silence::master_down(every, 3, 100),
        Silence::Lease(secs(3.0)),
        Silence::Expected { window: 20, every, margin: secs(1.2) },
        Silence::Accrual { tail, window: 50, threshold: 4.0, every },
    ]
}

fn ways() -> Vec<Vec<Link>> {
    let bounded = Law::uniform(0.0, 0.4).expect("a law");
    let exponential = Law::exponential(0.1).expect("a law");
    let bursts = |good, bad, loss| Bursts { good_mean: secs(good), bad_mean: secs(bad), loss };
    vec![
        link(0.0, exponential.clone()),
        link(0.01, bounded.clone()),
        link(0.1, exponential.clone()),
        link(0.3, bounded.clone()),
        burst_link(0.01, bounded, bursts(60.0, 3.0, 1.0)),
        burst_link(0.05, exponential, bursts(10.0, 4.0, 0.6)),
    ]
}

fn forms_agree(runs: u64) {
    // Clocks that agree, and ones that drift apart by 3 in a thousand.
    let periods = [1.0, 1.003, 0.997];
    let (silences, ways) = (silences(), ways());
    let tests = silences.len() * ways.len() * periods.len() * SCENES.len();
    println!("{tests} distributions of {runs} runs a form, each at 1e-3/{tests}");
    for silence in &silences {
        for links in &ways {
            for period in periods {
                let what =
                    format!("{silence:?}, loss {}, {:?}, period {period}", links[0].loss, links[0].bursts);
                agree(
                    &what,
                    1e-3 / tests as f64,
                    |skips| scenes(*silence, links, period, skips, runs),
                    &SCENES,
                );
            }
        }
        println!("  {silence:?}: {} distributions agree", ways.len() * periods.len() * SCENES.len());
    }
}

fn mistakes(silence: Silence, links: &[Link], run: u64, length: f64) -> (f64, f64) {
    let beats = Beats { first: instant(0.5), period: secs(1.0) };
    let around = Surroundings { beats: Some(beats), medium: Some(way()), hearing: true };
    let channels = Channels::new(links, |_| StreamKey::new(19, "bursts", "theory").open(run));
    let stream = StreamKey::new(19, "theory", "watch").open(run);
    let mut watch = Watch::over(silence, true, true, Instant::ZERO, around, stream, links, channels);
    let log = drive(&mut watch, links, &[], instant(length));
    let time = log
        .windows(2)
        .filter(|pair| pair[0].1 == Seen::Suspect)
        .map(|pair| (pair[1].0 - pair[0].0).as_secs());
    (
        log.iter().filter(|(_, seen)| *seen == Seen::Suspect).count() as f64 / length,
        time.sum::<f64>() / length,
    )
}

fn closed_forms_hold() {
    println!("NFD-S, skipping: intervals of ±0.3 % for rates, ±1.5 % for shares, at 1 − 1e-5 each");
    for (shift, loss, delay) in [(1.0, 0.01, 0.02), (1.0, 0.2, 0.3), (1.5, 0.2, 0.3), (2.0, 0.3, 0.2)] {
        let delay = Law::exponential(delay).expect("a law");
        let theory = Nfds { period: 1.0, shift, loss, delay: delay.clone() }.accuracy();
        let links = link(loss, delay);
        let length = 50_000.0 * theory.mistake_recurrence;
        let seen: Vec<_> = (0..80)
            .into_par_iter()
            .map(|run| mistakes(Silence::Lease(secs(shift + 1.0)), &links, run, length))
            .collect();
        let what = format!("  lease, shift {shift}, loss {loss}");
        mean_within(&what, 1.0 / theory.mistake_recurrence, seen.iter().map(|s| s.0), 1.0 - 1e-5, 0.005);
        mean_within(
            &format!("{what}: share"),
            theory.mistake_share,
            seen.iter().map(|s| s.1),
            1.0 - 1e-5,
            0.015,
        );
    }
    println!("k losses in a row, skipping: mean number of beats to the first such run");
    for (loss, k) in [(0.3, 2), (0.1, 2), (0.05, 3), (0.02, 3)] {
        let times = times_to_losses(loss, k, 1_000_000);
        mean_within(&format!("  {k} in a row at loss {loss}"), k_run_mean(loss, k), times, 1.0 - 1e-5, 0.006);
    }
}

fn main() {
    closed_forms_hold();
    let runs = std::env::args().find_map(|word| word.parse().ok());
    forms_agree(runs.unwrap_or(RUNS));
    println!("both forms agree");
}
