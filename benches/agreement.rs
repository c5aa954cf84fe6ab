//! Both forms of each process at full length: stepwise and skipping held against each other, and against closed forms at
//! sizes where an error of one per cent cannot hide. The test-suite runs the same at a size that fits it.
//!
//! The processes: heartbeats under each detector, over ways with independent losses and with bursts, clocks that agree
//! and that drift apart; two observers of one peer; health checks; polls; copying in passes; what is under way at a
//! crash; and the loss of an incident in whole models.
//!
//! Every distribution is compared by the two-sample Kolmogorov-Smirnov test, counts of lost writes by chi-square. The
//! family-wise error over all of them is 10⁻³: each is held at 10⁻³ divided by their number, which is printed. Closed
//! forms are held against intervals at 10⁻⁵ each, fewer than 50, so that the whole fails by chance with probability
//! 1.5·10⁻³ at most. Polls draw nothing, and are compared exactly. Seeds are fixed.
//!
//! ```console
//! $ cargo bench --bench agreement
//! $ cargo bench --bench agreement -- 2000
//! $ cargo bench --bench agreement -- 20000 Expected    # only what has this in its name
//! ```

#[path = "../tests/common/checks.rs"]
mod checks;
#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/copies.rs"]
mod copies;
#[path = "../tests/common/models.rs"]
#[allow(dead_code, unreachable_pub)]
mod models;
#[path = "../tests/common/watches.rs"]
mod watches;

use checks::{CHECKS, checks, checks_to_a_verdict, polls};
use common::{hours, mean_within, secs};
use copies::{LOSSES, first_losses, lost_per_incident, pass_ages, passes};
use failsim::engine::dist::Law;
use failsim::service::detector::{Silence, Tail};
use failsim::service::health::Rule;
use failsim::stats::test::chi_square_two;
use failsim::system::bursts::Bursts;
use failsim::system::spec::Link;
use failsim::theory::detector::{Nfds, k_run_mean};
use rayon::prelude::*;
use watches::{
    OBSERVERS, SCENES, agree, beats_to_a_run, burst_link, link, nfds_holds, scenes, ticks_to_a_window,
    two_observers,
};

/// Runs a form, unless the command line names another number.
const RUNS: u64 = 20_000;

/// The two forms of something.
struct Pair {
    what: String,
    how: How,
}

enum How {
    /// A row of these columns for each run, skipping or not.
    Rows(&'static [&'static str], Box<dyn Fn(bool) -> Vec<Vec<f64>>>),
    /// A whole number for each run, drawn or stepped.
    Counts(Box<dyn Fn(bool) -> Vec<u64>>),
}

impl Pair {
    fn tests(&self) -> usize {
        match &self.how {
            How::Rows(names, _) => names.len(),
            How::Counts(_) => 1,
        }
    }

    fn compare(&self, each: f64) {
        match &self.how {
            How::Rows(names, rows) => agree(&self.what, each, rows, names),
            How::Counts(counts) => {
                let test = chi_square_two(&counts(false), &counts(true), 20.0);
                assert!(test.p_value > each, "{}: {test:?}", self.what);
            }
        }
        println!("  {}: {} agree", self.what, self.tests());
    }
}

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

fn heartbeats(runs: u64) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for silence in silences() {
        for links in ways() {
            let over = format!("{silence:?}, loss {}, {:?}", links[0].loss, links[0].bursts);
            // Clocks that agree, and ones that drift apart by 3 in a thousand.
            for period in [1.0, 1.003, 0.997] {
                let (what, links) = (format!("{over}, period {period}"), links.clone());
                let rows = move |skips| scenes(silence, &links, period, skips, runs);
                pairs.push(Pair { what, how: How::Rows(&SCENES, Box::new(rows)) });
            }
            let what = format!("two observers, {over}");
            let rows = move |skips| two_observers(silence, &links, skips, runs);
            pairs.push(Pair { what, how: How::Rows(&OBSERVERS, Box::new(rows)) });
        }
    }
    pairs
}

fn health_checks(runs: u64) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (fall, rise) in [(1, 1), (2, 2), (3, 1)] {
        let rule = Rule { every: secs(1.0), timeout: secs(0.8), fall, rise };
        for links in ways() {
            let what = format!("{rule:?}, loss {}, {:?}", links[0].loss, links[0].bursts);
            let rows = move |skips| checks(rule, &links, skips, runs);
            pairs.push(Pair { what, how: How::Rows(&CHECKS, Box::new(rows)) });
        }
    }
    pairs
}

fn copying(runs: u64) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (interval, pass) in passes() {
        let what = format!("passes every {interval} s, {pass:?}");
        let rows = move |skips: bool| {
            let ages = pass_ages(interval, &pass, !skips, 5 * runs);
            ages.into_iter().map(|age| vec![age]).collect()
        };
        pairs.push(Pair { what, how: How::Rows(&["age of the copy at a crash"], Box::new(rows)) });
    }
    for (policy, mean) in LOSSES {
        let what = format!("writes lost with a crash, {mean} in the mean");
        let counts = move |skips: bool| lost_per_incident(policy, !skips, runs);
        pairs.push(Pair { what, how: How::Counts(Box::new(counts)) });
    }
    for (what, text) in [("a restless pair", models::SCADA), ("two and a spare", models::SPARE)] {
        let rows = move |skips: bool| {
            let lost = first_losses(text, if skips { 51 } else { 52 }, skips, runs / 10, hours(4.0));
            lost.into_iter().map(|count| vec![count]).collect()
        };
        let names = &["writes lost with the first incident that costs any"];
        pairs.push(Pair { what: what.to_owned(), how: How::Rows(names, Box::new(rows)) });
    }
    pairs
}

fn forms_agree(runs: u64, wanted: &str) {
    let all = [heartbeats(runs), health_checks(runs), copying(runs)].into_iter().flatten();
    let pairs: Vec<Pair> = all.filter(|pair| pair.what.contains(wanted)).collect();
    assert!(!pairs.is_empty(), "nothing has {wanted} in its name");
    let tests: usize = pairs.iter().map(Pair::tests).sum();
    println!("{tests} distributions of {runs} runs a form, each at 1e-3/{tests}");
    pairs.iter().for_each(|pair| pair.compare(1e-3 / tests as f64));
    (0..runs).into_par_iter().for_each(|run| {
        let [stepped, asked] = polls(run);
        assert_eq!(stepped, asked, "polls of run {run}");
    });
    println!("  polls: the same instants in {runs} runs");
}

fn closed_forms_hold() {
    const EACH: f64 = 1.0 - 1e-5;
    println!("NFD-S, skipping: rates to 0.5 %, lengths and shares to 1.5 %");
    for (shift, loss, delay) in [
        (1.0, 0.01, 0.02),
        (1.5, 0.01, 0.02),
        (2.0, 0.01, 0.02),
        (3.0, 0.01, 0.02),
        (1.0, 0.2, 0.3),
        (1.5, 0.2, 0.3),
        (2.0, 0.3, 0.2),
    ] {
        let theory = Nfds { period: 1.0, shift, loss, delay: Law::exponential(delay).expect("a law") };
        // As many mistakes in all; none of the runs as long as time itself.
        let recurrence = theory.accuracy().mistake_recurrence;
        let length = (50_000.0 * recurrence).min(1.5e10);
        let runs = (4e6 * recurrence / length) as u64;
        let lease = Silence::Lease(secs(shift + 1.0));
        nfds_holds("  lease", &theory, lease, true, (runs, length), EACH, [0.005, 0.015, 0.015]);
    }
    println!("k losses in a row, skipping: mean number of beats to the first such run");
    for (loss, k) in [(0.3, 2), (0.1, 2), (0.05, 3), (0.02, 3)] {
        let beats = beats_to_a_run(loss, k, 1_000_000);
        mean_within(&format!("  {k} in a row at loss {loss}"), k_run_mean(loss, k), beats, EACH, 0.006);
    }
    println!("m of n ticks, skipping: mean number of ticks to the first such window");
    for (loss, missing, n) in [(0.2, 2, 4), (0.1, 3, 5), (0.15, 4, 9), (0.05, 2, 10)] {
        let ticks = ticks_to_a_window(loss, missing, n, 1_000_000);
        let expected = scan_mean(loss, missing.into(), n.into());
        mean_within(&format!("  {missing} of {n} at loss {loss}"), expected, ticks, EACH, 0.006);
    }
    println!("failed checks in a row, skipping: mean number of checks to the first such run");
    for (loss, fall) in [(0.05, 1), (0.1, 2), (0.15, 3), (0.01, 3)] {
        let failing = 1.0 - (1.0 - loss) * (1.0 - loss);
        let checks = checks_to_a_verdict(loss, fall, true, 1_000_000);
        mean_within(
            &format!("  {fall} in a row at loss {loss}"),
            k_run_mean(failing, fall),
            checks,
            EACH,
            0.006,
        );
    }
}

/// Mean trials until `missing` of the last `n` are lost, from a clean start: the fundamental equations of the chain of
/// outcomes, by iteration.
fn scan_mean(loss: f64, missing: u32, n: u32) -> f64 {
    let states = 1_usize << (n - 1);
    let mut mean = vec![0.0; states];
    loop {
        let next = |state: usize, lost: usize| {
            let full = state.count_ones() + lost as u32;
            if full >= missing { 0.0 } else { mean[(state << 1 | lost) & (states - 1)] }
        };
        let new: Vec<f64> =
            (0..states).map(|s| 1.0 + (1.0 - loss) * next(s, 0) + loss * next(s, 1)).collect();
        let moved = (new[0] - mean[0]).abs();
        mean = new;
        if moved < 1e-10 * mean[0] {
            return mean[0];
        }
    }
}

fn main() {
    closed_forms_hold();
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let runs = words.iter().find_map(|word| word.parse().ok());
    let wanted = words.iter().find(|word| word.parse::<u64>().is_err());
    forms_agree(runs.unwrap_or(RUNS), wanted.map_or("", String::as_str));
    println!("both forms agree");
}
