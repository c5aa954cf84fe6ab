//! The checks of a balancer go over the link of the client that it stands beside, with its loss, its latency and its
//! bursts: what false verdicts do to the pool, against closed forms and in both forms, and which link carries them.
//!
//! All intervals and tests together fail by chance with probability 10⁻³ at most (Bonferroni over 100); seeds are fixed.

mod common;
#[path = "common/watches.rs"]
mod watches;

use common::*;
use failsim::engine::time::Instant;
use failsim::maths::exp;
use failsim::policy::facts::Fact;
use failsim::system::ids::LinkId;
use failsim::system::spec::{Action, Classes, Direction};
use failsim::theory::detector::k_run_mean;
use watches::agree;

const EACH: f64 = 1e-3 / 100.0;

/// A check every second with half a second for it; readers that notice every interruption. Nothing fails but checks.
fn instances(nodes: &str, links: &str, fall: u32, rise: u32) -> String {
    format!(
        "title = \"instances behind a balancer\"\n{nodes}\n{links}\n[groups.web.policy.active-active]\n\
         check_interval = \"1s\"\ncheck_timeout = \"500ms\"\nfall = {fall}\nrise = {rise}\n\
         [clients.users]\nto = \"web\"\nreads = \"1/s\"\ndeadline = \"0s\"\n"
    )
}

fn one_behind(link: &str, fall: u32, rise: u32) -> String {
    let links =
        format!("[links.access]\nbetween = [\"users\", \"a\"]\n{link}\n[groups.web]\nnodes = [\"a\"]");
    instances("[nodes.a]", &links, fall, rise)
}

/// What checks that fail by chance alone do to a single instance: outages a second, and the share of time without it.
///
/// Checks go out every second. From trust on it takes K = Σ q^(−i), i = 1 … fall, of them until so many in a row have
/// failed with probability q each; that is known half a second after the last. From then on it takes
/// L = Σ (1 − q)^(−i), i = 1 … rise, until so many in a row have succeeded, known when the last answer is there.
struct ByChance {
    rate: f64,
    share: f64,
}

impl ByChance {
    fn of(failing: f64, answer: f64, fall: u32, rise: u32) -> ByChance {
        let (until_fall, until_rise) = (k_run_mean(failing, fall), k_run_mean(1.0 - failing, rise));
        let cycle = until_fall + until_rise;
        ByChance { rate: 1.0 / cycle, share: (until_rise - 0.5 + answer) / cycle }
    }
}

/// Seconds a year.
const YEAR: f64 = 365.25 * 86_400.0;

#[track_caller]
fn is_met(what: &str, text: &str, expected: &ByChance) {
    for skips in [true, false] {
        let what = format!("{what}, skipping {skips}");
        let setup = ready_as(text, &[], if skips { 11 } else { 12 }, skips);
        let all = summary(&setup, 100, hours(24.0));
        let outages = figure(&all, "outage_rate", 1.0 - EACH);
        figure_within(&format!("{what}: outages"), expected.rate * YEAR, &outages, 0.05);
        let down = figure(&all, "unavailability", 1.0 - EACH);
        figure_within(&format!("{what}: share"), expected.share, &down, 0.05);
    }
}

/// Loss each way: with one way only, or with `fall` and `rise` exchanged, the rate would be several times another.
#[test]
fn checks_are_lost_as_often_as_theory_says() {
    for (loss, fall, rise) in [(0.1, 2, 2), (0.2, 3, 1), (0.15, 3, 2), (0.4, 2, 3)] {
        let text = one_behind(&format!("latency = \"0s\"\nloss = {loss}"), fall, rise);
        let failing = 1.0 - (1.0 - loss) * (1.0 - loss);
        is_met(&format!("loss {loss}, {fall}, {rise}"), &text, &ByChance::of(failing, 0.0, fall, rise));
    }
}

/// Exponential delays of mean m there and back: an answer is in time when their sum, a gamma variable of shape two, is
/// below half a second, or x = 0.5/m; and then it takes m·(2 − e^(−x)(x² + 2x + 2))/(1 − e^(−x)(1 + x)) in the mean.
#[test]
fn slow_links_fail_checks_as_often_as_theory_says() {
    for (mean, loss, fall, rise) in [(0.1, 0.0, 2, 2), (0.15, 0.05, 2, 1), (0.3, 0.1, 3, 1)] {
        let text =
            one_behind(&format!("latency = {{ exponential = \"{mean}s\" }}\nloss = {loss}"), fall, rise);
        let x = 0.5 / mean;
        let in_time = 1.0 - exp(-x) * (1.0 + x);
        let answer = mean * (2.0 - exp(-x) * (x * x + 2.0 * x + 2.0)) / in_time;
        let failing = 1.0 - (1.0 - loss) * (1.0 - loss) * in_time;
        let what = format!("mean {mean} s, loss {loss}, {fall}, {rise}");
        is_met(&what, &text, &ByChance::of(failing, answer, fall, rise));
    }
}

/// Two instances are trusted and suspected independently: none is left for the product of the shares.
#[test]
fn independent_links_take_both_instances_out_at_once() {
    let links = "[links.to-a]\nbetween = [\"users\", \"a\"]\nlatency = \"0s\"\nloss = 0.3\n\
                 [links.to-b]\nbetween = [\"users\", \"b\"]\nlatency = \"0s\"\nloss = 0.2\n\
                 [groups.web]\nnodes = [\"a\", \"b\"]";
    let text = instances("[nodes.a]\n[nodes.b]", links, 2, 2);
    let share = |loss: f64| ByChance::of(1.0 - (1.0 - loss) * (1.0 - loss), 0.0, 2, 2).share;
    for skips in [true, false] {
        let setup = ready_as(&text, &[], if skips { 21 } else { 22 }, skips);
        let down = figure(&summary(&setup, 200, hours(24.0)), "unavailability", 1.0 - EACH);
        figure_within(&format!("both, skipping {skips}"), share(0.3) * share(0.2), &down, 0.05);
    }
}

/// No check that takes more than its time-out can succeed, and none that always gets through can fail.
#[test]
fn what_cannot_be_in_time_is_down_and_what_always_is_stays_up() {
    for (link, down) in [
        ("latency = \"5s\"\nloss = \"40%\"", 1.0),
        ("latency = \"251ms\"", 1.0),
        ("latency = \"250ms\"", 0.0),
        ("latency = \"0s\"\nloss = \"100%\"", 1.0),
    ] {
        for skips in [true, false] {
            let setup = ready_as(&one_behind(link, 3, 2), &[], 5, skips);
            let all = records(&setup, 4, hours(10.0));
            for record in &all {
                let found = of_run(&setup, hours(10.0), record, "unavailability");
                // Trusted for the first three checks.
                assert!((found - down).abs() < 4.0 / 36_000.0, "{link}, skipping {skips}: {found}");
            }
        }
    }
}

/// Everything at once: crashes, stalls, a link that is cut, and checks that get lost or come late.
const RESTLESS: &str = r#"
title = "instances over bad links"
[nodes.a]
start = "20s"
[nodes.a.failures]
crash = { mttf = "1h", repair = { exponential = "3m" } }
pause = { effect = "pause", scope = "process", mttf = "30m", duration = { exponential = "5s" } }
[nodes.b]
like = "a"
[links.lossy]
between = ["users", "a"]
latency = { exponential = "20ms" }
loss = "12%"
failures.cut = { mttf = "1h", duration = { exponential = "1m" } }
[links.slow]
between = ["users", "b"]
latency = { lognormal = { median = "120ms", sigma = 0.8 } }
failures.cut = { mttf = "1h", duration = { exponential = "1m" }, direction = "forward" }
[groups.web]
nodes = ["a", "b"]
[groups.web.policy.active-active]
check_interval = "1s"
check_timeout = "600ms"
fall = 2
required = 2
redispatch = false
[clients.users]
to = "web"
reads = "1/s"
deadline = "0s"
"#;

const MEASURES: [&str; 4] = ["unavailability", "outage_rate", "capacity_availability", "read_availability"];

#[test]
fn whole_models_with_lossy_and_slow_links_agree() {
    for (what, set) in [
        ("lossy and slow", &[][..]),
        ("mostly lost", &["links.lossy.loss=0.6", "links.slow.loss=0.02"]),
        ("rare", &["links.lossy.loss=0.02", "links.slow.latency={ exponential = \"60ms\" }"]),
        ("all open when all are suspected", &["groups.web.policy.active-active.fail_open=true"]),
        ("in bursts", &BURSTS),
    ] {
        let of = |skips| {
            // Different seeds, so that the samples are independent.
            let setup = ready_as(RESTLESS, set, if skips { 31 } else { 32 }, skips);
            let row = |record| {
                let folded = fold(&setup, hours(4.0), [record]);
                MEASURES.iter().map(|name| figure(&folded, name, 0.95).estimate).collect()
            };
            records(&setup, 400, hours(4.0)).iter().map(row).collect()
        };
        agree(what, EACH, of, &MEASURES);
    }
}

const BURSTS: [&str; 2] = [
    "links.lossy.bursts={ good = \"5m\", bad = \"6s\", loss = \"90%\" }",
    "links.slow.bursts={ good = \"5m\", bad = \"6s\", loss = \"90%\" }",
];

#[test]
fn bursts_on_the_links_of_clients_are_felt_in_both_forms() {
    for skips in [true, false] {
        let of = |set: &[&str]| records(&ready_as(RESTLESS, set, 3, skips), 1, hours(12.0))[0].fingerprint;
        assert_ne!(of(&BURSTS), of(&[]), "skipping {skips}");
    }
}

/// Of two open links the first carries the checks; the second, which loses every one of them, while the first is cut.
#[test]
fn the_first_open_link_carries_the_checks() {
    let links = "[links.good]\nbetween = [\"users\", \"a\"]\nlatency = \"10ms\"\n\
                 [links.bad]\nbetween = [\"users\", \"a\"]\nlatency = \"10ms\"\nloss = \"100%\"\n\
                 [groups.web]\nnodes = [\"a\"]";
    let text = instances("[nodes.a]", links, 3, 2);
    let cut = |link, direction| Action::Cut { link: LinkId(link), classes: Classes::CLIENT, direction };
    for skips in [true, false] {
        for direction in [Direction::Both, Direction::Backward] {
            let heal = Action::Heal { link: LinkId(0) };
            let steps = [(100.0, cut(0, direction)), (200.0, heal)];
            let seen = turns(&scripted(&text, &steps, skips));
            let [down, up] = seen[..] else { panic!("skipping {skips}, {direction:?}: {seen:?}") };
            // The first of three checks in the first second after, the last of them half a second to wait for.
            assert!((102.5..103.5).contains(&down), "down at {down}");
            assert!((201.0..202.1).contains(&up), "up at {up}");
            let bad = [(100.0, cut(1, direction)), (200.0, Action::Heal { link: LinkId(1) })];
            assert!(turns(&scripted(&text, &bad, skips)).is_empty(), "nobody uses the second one");
        }
    }
}

/// When the service goes down and comes back.
fn turns(facts: &[(Instant, Fact)]) -> Vec<f64> {
    let mut is_up = true;
    let mut list = Vec::new();
    for (at, fact) in facts {
        if let Fact::Service { up, .. } = fact
            && *up != is_up
        {
            is_up = *up;
            list.push(at.as_secs());
        }
    }
    list
}
