//! What a copy holds is drawn when somebody asks, never stepped: the same law as simulating every pass and every write.
//!
//! The reference steps here, in the test: each pass begins, takes its time, and counts if it is complete. Fixed seeds;
//! Kolmogorov-Smirnov tests at 10⁻³/10 each, fewer than ten.

mod common;

use common::*;
use failsim::engine::dist::Law;
use failsim::engine::stream::StreamKey;
use failsim::engine::time::{Instant, Span};
use failsim::service::replication::{Copying, Level, Replication};
use failsim::stats::test::kolmogorov_smirnov_two;

const EACH: f64 = 1e-3 / 10.0;

/// The age of what a copy by passes holds when its source crashes at a random instant: as if each pass were stepped.
#[test]
fn passes_hold_what_stepped_passes_hold() {
    for (interval, pass) in [
        (5.0, Law::uniform(1.0, 3.0).unwrap()),
        (5.0, Law::exponential(2.0).unwrap()),
        (5.0, Law::lognormal_median(4.0, 0.5).unwrap()),
    ] {
        let age = |run: u64, stepped: bool| -> f64 {
            let form = if stepped { "stepped" } else { "asked" };
            let mut fate = StreamKey::new(41, "fate", form).open(run);
            let crash = instant(2_000.0 + 500.0 * fate.uniform());
            let step = secs(interval);
            if stepped {
                let (mut begins, mut held) = (Instant::ZERO + step.scaled(fate.uniform()), Instant::ZERO);
                while begins < crash {
                    let takes = pass.sample(fate.uniform());
                    // One that is not complete when the next begins is cut off.
                    if takes <= step && begins + takes <= crash {
                        held = begins;
                    }
                    begins = begins + step;
                }
                return (crash - held).as_secs();
            }
            let copying = Copying {
                level: Level::Passes { interval: step, pass: pass.clone(), to_store: false },
                first: Law::fixed(1.0).unwrap(),
                patience: Span::ZERO,
                speed: None,
            };
            let mut copy = Replication::new(0, 1, copying, StreamKey::new(41, "copy", form).open(run));
            let connected = Instant::ZERO + step.scaled(fate.uniform());
            copy.update(connected, true, true);
            copy.update(connected + secs(1.0), true, true);
            let held = copy.stop(crash).expect("in step").upto;
            (crash - held).as_secs()
        };
        let (a, b): (Vec<_>, Vec<_>) = (0..20_000).map(|run| (age(run, true), age(run, false))).unzip();
        let test = kolmogorov_smirnov_two(&a, &b);
        assert!(test.p_value > EACH, "interval {interval}, {pass:?}: {test:?}");
        assert!(a.iter().any(|x| *x > interval), "{pass:?}: some pass was still under way");
    }
}
