//! The simulation against closed forms: the cases of `data/known_answers.toml` in the groups on two states, pairs,
//! k of n, coverage, switching, split brain, data loss and refused requests, and the classical forms beside them,
//! as far as the shipped policies can express them.
//!
//! Every comparison is an interval around the simulated figure that must hold the value of the theory. All of them
//! together fail by chance with probability 10⁻³ at most (Bonferroni over 100); seeds are fixed. Each states the
//! relative error it would notice, and fails if its interval is wider than that. Where the case's own rates make the
//! event rare, the same form is checked once more at rates at which a per cent is seen.
//!
//! **Detection.** Closed forms of pairs know no detection time. The models below beat every millisecond and suspect
//! after two, which is 10⁻⁶ of the shortest time of the forms; times to the first failure ignore interruptions below
//! a second, for a takeover is one.
//!
//! **Left out**, because no shipped policy has it: majorities (`majority_of_three_share`; three of five is checked as
//! three active of five, which has the same chain), the repairman's mean number down (no measure of it), RAID.
//! Elsewhere: a lease is NFD-S with a shift of one period less, and `detectors.rs` holds it against all of `nfds_*`; with
//! a constant delay a time-out is the same, and is checked in `skipping.rs`, as is the delay after a crash
//! (`timeout_detection_mean`, there with losses); `lease_detection_mean` is in `takeovers.rs`.
//! `requests_refused_by_pair` is checked with aggregate writes: acknowledged over offered. Queues (`mm1_*`, `mm5_wait`,
//! `erlang_b_10`, `mm1k_*`, `md1_wait`) are checked in `queues.rs`, at request fidelity.
//!
//! **Adapted**, because the protocol does not do what the form assumes:
//! - `pair_covered_first_failure` lets either unit's first failure be uncovered; here only the active's needs a
//!   switch, so a coverage of 0.98 here is one of 0.99 there: the same chain.
//! - `active_passive*`: there a node restored during a failover ends the outage, and after a double failure the
//!   first one repaired serves at once. Here a returning node hears that its peer is taking over and leaves it to it,
//!   and whoever comes back after a double failure has to take over like anybody. [`switching`] is the chain of
//!   that; it differs from the published value by less than 1 %, and both are held against the simulation.
//! - `telecom_pair` forbids repair during a switch; the chain here has it (without effect on the outage).

mod common;

use common::*;
use failsim::engine::probe::Probe;
use failsim::engine::time::{Instant, Span};
use failsim::policy::facts::Fact;
use failsim::policy::host;
use failsim::stats::interval;
use failsim::stats::moments::Moments;
use failsim::stats::test::{chi_square_fit, kolmogorov_smirnov};
use failsim::theory::k_of_n::{self, Group};
use failsim::theory::markov::Chain;
use failsim::theory::repair::{self, ColdStandby, Pair, Unit};
use failsim::theory::split_brain::NoWitness;
use failsim::theory::switchover::ActivePassive;
use failsim::theory::{loss, repair::cold_standby_fixed_unavailability};
use rayon::prelude::*;

/// 1 − 10⁻³/100.
const CONFIDENCE: f64 = 1.0 - 1e-5;

/// λ and μ of most cases, per hour.
const UNIT: Unit = Unit { failure_rate: 0.001, repair_rate: 0.1 };
/// The same forms where failures are common.
const BUSY: Unit = Unit { failure_rate: 0.05, repair_rate: 0.1 };

fn fails(unit: Unit) -> String {
    let (up, down) = (1.0 / unit.failure_rate, 1.0 / unit.repair_rate);
    format!("crash = {{ mttf = \"{up}h\", repair = {{ exponential = \"{down}h\" }} }}")
}

/// `n` equal nodes that stand together and start at once, and no clients.
fn cluster(n: usize, failures: &str, node: &str, rest: &str) -> String {
    let mut text = format!(
        "title = \"cluster\"\n[nodes.n00]\nstart = \"0s\"\nrestart = \"0s\"\nclock.drift = 0\n{node}\n\
         [nodes.n00.failures]\n{failures}\n"
    );
    for i in 1..n {
        text += &format!("[nodes.n{i:02}]\nlike = \"n00\"\n");
    }
    let names: Vec<_> = (0..n).map(|i| format!("\"n{i:02}\"")).collect();
    text + &format!("[groups.g]\nnodes = [{}]\n{rest}\n", names.join(", "))
}

/// Takes over within 2 ms.
fn prompt(active: usize, more: &str) -> String {
    format!(
        "[groups.g.policy.active-passive]\nactive = {active}\nheartbeat = \"1ms\"\ntimeout = \"2ms\"\n\
         takeover = \"0s\"\nreplication = \"none\"\n{more}"
    )
}

fn one_crew() -> &'static str {
    "[crews.team]\nsize = 1\n"
}

#[track_caller]
fn unavailability(what: &str, text: &str, runs: u64, horizon: Span, expected: f64, notices: f64) {
    let setup = ready(text, &[], 7);
    let summary = summary(&setup, runs, horizon);
    figure_within(what, expected, &figure(&summary, "unavailability", CONFIDENCE), notices);
}

/// Waits for the first interruption that lasts.
#[derive(Clone, Debug)]
struct FirstFailure {
    longer_than: Span,
    down: Option<Instant>,
    failed: Option<Instant>,
}

impl Probe<Fact> for FirstFailure {
    fn see(&mut self, now: Instant, fact: &Fact) {
        let Fact::Service { up, .. } = fact else { return };
        match (self.down, up) {
            (None, false) => self.down = Some(now),
            (Some(since), true) => {
                if now - since > self.longer_than {
                    self.failed = self.failed.or(Some(since));
                }
                self.down = None;
            }
            _ => {}
        }
    }
}

/// Hours to the first outage of more than a second, of each run.
fn first_failures(text: &str, runs: u64) -> Vec<f64> {
    let setup = ready(text, &[], 11);
    let longer_than = secs(1.0);
    let one = |run| {
        let mut sim = host::open(&setup, run, FirstFailure { longer_than, down: None, failed: None });
        loop {
            let now = sim.step().expect("something to come");
            let seen = &sim.world.probe;
            let lasting = seen.down.filter(|&since| now - since > longer_than);
            if let Some(at) = seen.failed.or(lasting) {
                return at.as_secs() / 3600.0;
            }
        }
    };
    (0..runs).into_par_iter().map(one).collect()
}

#[track_caller]
fn mean_first_failure(what: &str, text: &str, runs: u64, expected: f64, notices: f64) {
    mean_within(what, expected, first_failures(text, runs), CONFIDENCE, notices);
}

/// The last state of the service, and its time down.
#[derive(Clone, Debug, Default)]
struct UpNow {
    down: Option<Instant>,
    total: Span,
}

impl Probe<Fact> for UpNow {
    fn see(&mut self, now: Instant, fact: &Fact) {
        let Fact::Service { up, .. } = fact else { return };
        match (self.down, up) {
            (None, false) => self.down = Some(now),
            (Some(since), true) => {
                self.total += now - since;
                self.down = None;
            }
            _ => {}
        }
    }
}

fn single(unit: Unit) -> String {
    cluster(1, &fails(unit), "", "[groups.g.policy.single]")
}

#[test]
fn two_states() {
    let setup = ready(&single(UNIT), &[], 1);
    let fast = Unit { failure_rate: 0.001, repair_rate: 0.25 };
    let rare = ready(&single(fast), &[], 1);
    let long = |setup, what: &str, unit: Unit| {
        let u = unit.unavailability();
        let summary = summary(setup, 400, hours(500_000.0));
        figure_within(what, u, &figure(&summary, "unavailability", CONFIDENCE), 0.02);
    };
    long(&setup, "unit_unavailability", UNIT);
    long(&rare, "unit_fast_repair_availability", fast);

    let at = |setup, what: &str, unit: Unit, t: f64, runs: u64, notices: f64| {
        let seen = watched(setup, runs, hours(t), UpNow::default);
        let down = seen.iter().filter(|(_, probe)| probe.down.is_some()).count();
        share_within(what, 1.0 - unit.availability_at(t), down, seen.len(), CONFIDENCE, notices);
        let means = seen.iter().map(|(_, p)| {
            let open = p.down.map_or(Span::ZERO, |since| instant(t * 3600.0) - since);
            (p.total + open).as_secs() / (t * 3600.0)
        });
        let what = format!("{what}, mean to then");
        mean_within(&what, 1.0 - unit.mean_availability(t), means, CONFIDENCE, notices);
    };
    at(&setup, "unit_availability_24h", UNIT, 24.0, 200_000, 0.12);
    at(&rare, "unit_fast_repair_availability_10h, unit_fast_repair_mean_10h", fast, 10.0, 200_000, 0.20);
    let busy = ready(&single(BUSY), &[], 1);
    at(&busy, "busy unit at 5 h", BUSY, 5.0, 200_000, 0.03);

    let year = hours(8760.0);
    let seen = watched(&setup, 20_000, year, UpNow::default);
    let downtime = |p: &UpNow| {
        let open = p.down.map_or(Span::ZERO, |since| Instant::ZERO + year - since);
        (p.total + open).as_secs() / 3600.0
    };
    let below = seen.iter().filter(|(_, p)| downtime(p) <= 100.0).count();
    share_within("unit_downtime_100h", UNIT.downtime_cdf(8760.0, 100.0), below, 20_000, CONFIDENCE, 0.03);
    let records: Vec<_> = seen.iter().map(|(record, _)| record).collect();
    let folded = fold(&setup, year, records.iter().copied());
    let u = 1.0 - UNIT.mean_availability(8760.0);
    figure_within("unit_availability_year", u, &figure(&folded, "unavailability", CONFIDENCE), 0.02);
    // What the measure says is what a second observer adds up.
    let mine: f64 = seen.iter().map(|(_, p)| downtime(p)).sum::<f64>() / 20_000.0 / 8760.0;
    let theirs = figure(&folded, "unavailability", 0.95).estimate;
    assert!((mine / theirs - 1.0).abs() < 1e-9, "{mine} {theirs}");
}

#[test]
fn only_means_matter_in_the_long_run() {
    let u = BUSY.unavailability();
    for (what, ttf, repair) in [
        (
            "lognormal repair",
            "{ exponential = \"20h\" }",
            "{ lognormal = { mean = \"10h\", p95 = \"30h\" } }",
        ),
        (
            "Weibull life",
            "{ weibull = { mean = \"20h\", shape = 2 } }",
            "{ gamma = { mean = \"10h\", shape = 3 } }",
        ),
    ] {
        let failures = format!("crash = {{ ttf = {ttf}, repair = {repair} }}");
        let text = cluster(1, &failures, "", "[groups.g.policy.single]");
        unavailability(what, &text, 400, hours(20_000.0), u, 0.015);
    }
}

/// As long in repair as between failures, so that most of the forms' terms weigh about as much.
const EVEN: Unit = Unit { failure_rate: 0.1, repair_rate: 0.1 };

/// Long-run figures of a pair at the case's own rates (coarse), at high ones (fine) and where a per cent is seen.
#[track_caller]
fn pair(what: &str, text: impl Fn(Unit) -> String, theory: impl Fn(Unit) -> f64) {
    unavailability(what, &text(UNIT), 200, hours(200_000.0), theory(UNIT), 0.40);
    unavailability(&format!("{what}, busy"), &text(BUSY), 200, hours(20_000.0), theory(BUSY), 0.03);
    unavailability(&format!("{what}, even"), &text(EVEN), 400, hours(20_000.0), theory(EVEN), 0.01);
}

fn pair_form(unit: Unit, dormancy: f64, crews: u32) -> Pair {
    Pair { failure_rate: unit.failure_rate, repair_rate: unit.repair_rate, dormancy, crews }
}

#[test]
fn hot_pairs() {
    pair(
        "pair_hot_two_crews",
        |unit| cluster(2, &fails(unit), "", &prompt(1, "")),
        |unit| pair_form(unit, 1.0, 2).unavailability(),
    );
    pair(
        "pair_hot_one_crew",
        |unit| cluster(2, &fails(unit), "crew = \"team\"", &prompt(1, "")) + one_crew(),
        |unit| pair_form(unit, 1.0, 1).unavailability(),
    );
    let balanced = "[groups.g.policy.active-active]\ncheck_interval = \"1ms\"\ncheck_timeout = \"1ms\"\nfall = 1\n\
                    rise = 1\n[clients.c]\nto = \"g\"\nreads = \"1/s\"\n";
    unavailability(
        "pair_hot_two_crews behind a balancer, busy",
        &cluster(2, &fails(BUSY), "", balanced),
        200,
        hours(20_000.0),
        pair_form(BUSY, 1.0, 2).unavailability(),
        0.03,
    );
    let text = cluster(2, &fails(UNIT), "", &prompt(1, ""));
    mean_first_failure("pair_hot_first_failure", &text, 2_500, 51_500.0, 0.10);
}

#[test]
fn cold_and_warm_pairs() {
    let standby = |unit: Unit, dormancy: f64| {
        let node = format!("dormancy = {dormancy}\ncrew = \"team\"");
        cluster(2, &fails(unit), &node, &prompt(1, "")) + one_crew()
    };
    pair("pair_cold_one_crew", |u| standby(u, 0.0), |u| pair_form(u, 0.0, 1).unavailability());
    pair("pair_warm_one_crew", |u| standby(u, 0.1), |u| pair_form(u, 0.1, 1).unavailability());
    mean_first_failure("pair_cold_first_failure", &standby(UNIT, 0.0), 2_500, 102_000.0, 0.10);
    let fixed = |unit: Unit| {
        let (up, down) = (1.0 / unit.failure_rate, 1.0 / unit.repair_rate);
        let failures = format!("crash = {{ mttf = \"{up}h\", repair = \"{down}h\" }}");
        cluster(2, &failures, "dormancy = 0\ncrew = \"team\"", &prompt(1, "")) + one_crew()
    };
    pair("pair_cold_fixed_repair", fixed, |unit| {
        cold_standby_fixed_unavailability(unit.failure_rate, 1.0 / unit.repair_rate)
    });
    let general = ColdStandby::with_fixed_repair(0.001, 10.0).unavailability();
    assert!((general / 4.983_126_588_924_85e-5 - 1.0).abs() < 1e-9);
}

#[test]
fn without_repair() {
    // Never within the run.
    let crash = "crash = { mttf = \"1000h\", repair = \"400y\" }";
    let cold = |more: &str| cluster(2, crash, "dormancy = 0", &prompt(1, more));
    mean_first_failure("cold standby, perfect switch: 2/λ", &cold(""), 30_000, 2_000.0, 0.03);
    let switch = cold("coverage = 0.7\nmanual = \"90y\"");
    let mean = repair::cold_standby_mttf(0.001, 0.7);
    mean_first_failure("cold standby, switch of 0.7: (1 + p)/λ", &switch, 30_000, mean, 0.03);
    let share = |what: &str, text: &str, t: f64, expected: f64| {
        let times = first_failures(text, 30_000);
        let survived = times.iter().filter(|&&at| at > t).count();
        share_within(what, expected, survived, times.len(), CONFIDENCE, 0.03);
    };
    share("cold standby to 1500 h", &cold(""), 1500.0, repair::cold_standby_reliability(0.001, 1.0, 1500.0));
    let tmr = cluster(3, crash, "", &prompt(2, ""));
    share("tmr_reliability_500h", &tmr, 500.0, 0.657_378_003_217_467);
    mean_first_failure("two of three without repair: 5/(6λ)", &tmr, 30_000, 5.0 / 0.006, 0.03);
    let crossing = std::f64::consts::LN_2 / 0.001;
    share("two of three meets one of one at λt = ln 2", &tmr, crossing, 0.5);
    let spares = cluster(5, crash, "dormancy = 0", &prompt(3, ""));
    share("3 active and 2 cold spares", &spares, 700.0, repair::spares_reliability(3, 2, 0.001, 700.0));
}

#[test]
fn k_of_n_by_active_and_spare_nodes() {
    let form = |unit: Unit, units, needed, crews| {
        let Unit { failure_rate, repair_rate } = unit;
        Group { units, needed, crews, failure_rate, repair_rate }
    };
    let text = |unit: Unit, n, k, crew: bool| {
        let text = cluster(n, &fails(unit), if crew { "crew = \"team\"" } else { "" }, &prompt(k, ""));
        if crew { text + one_crew() } else { text }
    };
    let coarse = |what: &str, n: usize, k: usize, crews: u32, horizon: f64, notices: f64| {
        let theory = form(UNIT, n as u32, k as u32, crews).unavailability();
        unavailability(what, &text(UNIT, n, k, crews == 1), 200, hours(horizon), theory, notices);
    };
    coarse("two_of_three_crew_each", 3, 2, 3, 400_000.0, 0.12);
    coarse("two_of_three_one_crew", 3, 2, 1, 400_000.0, 0.12);
    coarse("three_of_five_one_crew", 5, 3, 1, 300_000.0, 0.45);
    let fine = |what: &str, n: usize, k: usize, crews: u32| {
        let theory = form(BUSY, n as u32, k as u32, crews).unavailability();
        unavailability(what, &text(BUSY, n, k, crews == 1), 200, hours(20_000.0), theory, 0.02);
    };
    fine("two_of_three_crew_each, busy", 3, 2, 3);
    fine("two_of_three_one_crew, busy", 3, 2, 1);
    fine("three_of_five_one_crew, busy", 5, 3, 1);
    mean_first_failure("two_of_three_first_failure", &text(UNIT, 3, 2, true), 4_000, 17_500.0, 0.08);
}

/// Time in which so much capacity is there.
#[derive(Clone, Debug)]
struct Enough {
    millionths: u32,
    since: Option<Instant>,
    total: Span,
}

impl Probe<Fact> for Enough {
    fn see(&mut self, now: Instant, fact: &Fact) {
        let Fact::Capacity { millionths, .. } = fact else { return };
        match (self.since, *millionths >= self.millionths) {
            (None, true) => self.since = Some(now),
            (Some(since), false) => {
                self.total += now - since;
                self.since = None;
            }
            _ => {}
        }
    }
}

#[test]
fn slots_of_24() {
    // Slots healthy with 0.957 each: λ/μ = 0.043/0.957.
    for (needed, expected) in [(21, 0.98177), (20, 0.99685)] {
        let theory = k_of_n::fewer_than(24, needed, 0.043);
        assert!((1.0 - theory - expected).abs() < 5e-6, "{theory} {expected}");
        // All up at the start: the first 1/μ or so of 300/μ is too good, by about 1 % of what is missing.
        slots(needed, 0.043, 800, 3_000.0, 0.16);
        // The same where slots are missing every day; the start weighs a tenth of it.
        slots(needed, 0.15, 300, 30_000.0, 0.012);
    }
}

/// So many of 24 slots needed, each out of order with this probability.
fn slots(needed: u64, out: f64, runs: u64, horizon: f64, notices: f64) {
    let unit = Unit { failure_rate: 0.1 * out / (1.0 - out), repair_rate: 0.1 };
    let horizon = hours(horizon);
    let policy = format!("[groups.g.policy.active-active]\nrequired = {needed}\n");
    let setup = ready(&cluster(24, &fails(unit), "", &policy), &[], 5);
    let enough = || Enough { millionths: 1_000_000, since: None, total: Span::ZERO };
    let seen = watched(&setup, runs, horizon, enough);
    let lacking = seen.iter().map(|(_, p)| {
        let open = p.since.map_or(Span::ZERO, |since| Instant::ZERO + horizon - since);
        1.0 - (p.total + open).as_secs() / horizon.as_secs()
    });
    let theory = k_of_n::fewer_than(24, needed, out);
    mean_within(&format!("slots_{needed}_of_24, {out} out"), theory, lacking, CONFIDENCE, notices);
    let summary = fold(&setup, horizon, seen.iter().map(|(record, _)| record));
    let at_least = |n| k_of_n::at_least(24, n, 1.0 - out);
    let part: f64 = (0..needed).map(|n| (at_least(n) - at_least(n + 1)) * n as f64).sum();
    let capacity = part / needed as f64 + at_least(needed);
    let lost = figure(&summary, "capacity_availability", CONFIDENCE);
    within(
        "capacity not there",
        1.0 - capacity,
        1.0 - lost.estimate,
        1.0 - lost.high.unwrap(),
        1.0 - lost.low.unwrap(),
        notices,
    );
}

#[test]
fn common_causes() {
    let beta = 0.1;
    for (what, unit, runs, horizon, notices) in
        [("beta factor", UNIT, 200, 300_000.0, 0.10), ("beta factor, busy", BUSY, 200, 20_000.0, 0.03)]
    {
        let own = Unit { failure_rate: (1.0 - beta) * unit.failure_rate, ..unit };
        let both = Unit { failure_rate: beta * unit.failure_rate, ..unit };
        let shared = format!(
            "[shared.power]\nmembers = [\"n00\", \"n01\"]\n[shared.power.failures]\n{}\n",
            fails(both)
        );
        let text = cluster(2, &fails(own), "", &prompt(1, "")) + &shared;
        // Three independent two-state processes; the usual form is its first order.
        let exact = 1.0 - (1.0 - both.unavailability()) * (1.0 - own.unavailability() * own.unavailability());
        unavailability(what, &text, runs, hours(horizon), exact, notices);
        if unit == UNIT {
            let usual = repair::beta_factor_unavailability(unit, beta);
            assert!((usual / exact - 1.0).abs() < 0.01, "{usual} {exact}");
        }
    }
}

/// Both up, one up, a takeover or a wait for the operator with the other node down or back, both down.
fn switching(model: &ActivePassive) -> Chain {
    let (l, m, c) = (model.failure_rate, model.repair_rate, model.switch_success);
    let mut chain = Chain::new(7);
    chain.add(0, 2, c * l).add(0, 3, (1.0 - c) * l).add(0, 1, l);
    chain.add(1, 0, m).add(1, 6, l);
    for (with_down, with_up, mean) in [(2, 4, model.failover_mean), (3, 5, model.manual_mean)] {
        chain.add(with_down, 1, 1.0 / mean).add(with_down, 6, l);
        // A node that returns leaves the takeover to its peer.
        chain.add(with_down, with_up, m);
        chain.add(with_up, 0, 1.0 / mean);
        // The standby fails again; or the one that was taking over does, and the other begins.
        chain.add(with_up, with_down, l).add(with_up, 2, c * l).add(with_up, 3, (1.0 - c) * l);
    }
    chain.add(6, 2, 2.0 * m * c).add(6, 3, 2.0 * m * (1.0 - c));
    chain
}

fn switched(model: &ActivePassive) -> String {
    let unit = Unit { failure_rate: model.failure_rate, repair_rate: model.repair_rate };
    let (failover, manual) = (model.failover_mean * 3600.0, model.manual_mean * 3600.0);
    let times = format!(
        "takeover = {{ exponential = \"{failover}s\" }}\ncoverage = {}\nmanual = {{ exponential = \"{manual}s\" }}",
        model.switch_success
    );
    cluster(2, &fails(unit), "", &prompt(1, &times).replace("takeover = \"0s\"\n", ""))
}

#[test]
fn switching_takes_time_and_fails() {
    let model = ActivePassive {
        failure_rate: 0.001,
        repair_rate: 0.1,
        switch_success: 0.98,
        failover_mean: 30.0 / 3600.0,
        manual_mean: 0.5,
        repair_during_switch: true,
    };
    let busy = ActivePassive {
        failure_rate: 0.05,
        manual_mean: 2.0,
        failover_mean: 1.0,
        switch_success: 0.6,
        ..model
    };
    for (what, model, horizon, notices) in
        [("active_passive", model, 400_000.0, 0.15), ("active_passive, busy", busy, 20_000.0, 0.02)]
    {
        let chain = switching(&model);
        let share = chain.steady_state().unwrap();
        let total: f64 = share[2..].iter().sum();
        let setup = ready(&switched(&model), &[], 3);
        let summary = summary(&setup, 220, hours(horizon));
        let get = |name: &str| figure(&summary, name, CONFIDENCE);
        figure_within(what, total, &get("unavailability"), notices);
        let a_year = 365.25 * 24.0;
        let outages = chain.exit_rate(&[0, 1]).unwrap() * a_year;
        figure_within(&format!("{what}: outages a year"), outages, &get("outage_rate"), 0.02);
        if what == "active_passive" {
            let published = model.shares().unwrap();
            figure_within("active_passive as published", published.total(), &get("unavailability"), notices);
            assert!((total / published.total() - 1.0).abs() < 0.01, "{total} {}", published.total());
            let outages = model.outage_rate().unwrap() * a_year;
            figure_within("active_passive_outages", outages, &get("outage_rate"), 0.02);
            let secs = a_year * 3600.0;
            let (failover, manual) = (published.failover * secs, published.manual * secs);
            figure_within("active_passive_failover_part", failover, &get("downtime_promote"), 0.05);
            figure_within("active_passive_manual_part", manual, &get("downtime_human"), 0.22);
        }
    }
}

#[test]
fn a_telecom_pair() {
    let model = ActivePassive {
        failure_rate: 1.0 / 50_000.0,
        repair_rate: 0.25,
        switch_success: 0.99,
        failover_mean: 10.0 / 3600.0,
        manual_mean: 0.5,
        repair_during_switch: false,
    };
    let published = model.shares().unwrap().total();
    let share = switching(&model).steady_state().unwrap();
    let total: f64 = share[2..].iter().sum();
    assert!((total / published - 1.0).abs() < 0.003, "{total:e} {published:e}");
    let setup = ready(&switched(&model), &[], 3);
    let summary = summary(&setup, 1_000, hours(3_000_000.0));
    figure_within("telecom_pair", published, &figure(&summary, "unavailability", CONFIDENCE), 0.25);
    // Two failures a day: what is repaired during a switch has an effect then, so it is the chain that has it.
    let busy = ActivePassive { failure_rate: 0.04, switch_success: 0.9, failover_mean: 0.05, ..model };
    let share = switching(&busy).steady_state().unwrap();
    let total: f64 = share[2..].iter().sum();
    let seen = self::summary(&ready(&switched(&busy), &[], 3), 400, hours(120_000.0));
    figure_within("telecom_pair, busy", total, &figure(&seen, "unavailability", CONFIDENCE), 0.01);
}

#[test]
fn coverage() {
    let text = cluster(2, &fails(UNIT), "", &prompt(1, "coverage = 0.98\nmanual = \"1h\""));
    mean_first_failure("pair_covered_first_failure", &text, 5_000, 25_745.0, 0.08);
    for (coverage, minutes) in [(1.0, 2.4), (0.99, 3.6), (0.975, 5.4), (0.95, 8.3), (0.9, 14.2)] {
        let times = format!("coverage = {coverage}\nmanual = \"1h\"\n");
        let policy = prompt(1, &times).replace("takeover = \"0s\"", "takeover = \"1m\"");
        let unit = Unit { failure_rate: 2.0 / 8760.0, repair_rate: 0.25 };
        let setup = ready(&cluster(2, &fails(unit), "", &policy), &[], 13);
        let summary = summary(&setup, 400, hours(1_000_000.0));
        let u = figure(&summary, "unavailability", CONFIDENCE);
        let theory = repair::covered_pair_unavailability(unit, coverage, 1.0 / 60.0, 1.0);
        figure_within(&format!("covered_downtime at {coverage}"), theory, &u, 0.15);
        let year = 8760.0 * 60.0;
        assert!((theory * year - minutes).abs() <= 0.06, "{} {minutes}", theory * year);
    }
}

#[test]
fn split_brain_without_a_witness() {
    let text = |policy: &str, up: f64, down: f64| {
        format!(
            "title = \"no witness\"\n[nodes.a]\nclock.drift = 0\n[nodes.b]\nlike = \"a\"\n\
             [links.lan]\nbetween = [\"a\", \"b\"]\nlatency = \"0s\"\n\
             [links.lan.failures.cut]\nmttf = \"{up}h\"\nduration = {{ exponential = \"{down}h\" }}\n\
             [groups.g]\nnodes = [\"a\", \"b\"]\n{policy}\n"
        )
    };
    let heartbeats = "[groups.g.policy.active-passive]\nheartbeat = \"10ms\"\ntimeout = \"10s\"\ntakeover = \"0s\"\n\
                      first_copy = \"0s\"\n";
    // The echo has its time well before the link's time-out.
    let scada = "[groups.g.policy.hot-standby]\nheartbeat = \"10ms\"\nheartbeat_timeout = \"10s\"\n\
                 echo_interval = \"1s\"\necho_retries = 1\ndriver_start = \"0s\"\narbitration = \"0s\"\n\
                 first_pass = \"0s\"\n";
    for (policy, name) in [(heartbeats, "active-passive"), (scada, "hot-standby")] {
        // As the case has it, and with cuts about as long as detection.
        for (up, down, horizon) in [(5000.0, 2.0, 2_000_000.0), (0.02, 0.005, 6.0)] {
            let form = NoWitness { link_up_mean: up, link_down_mean: down, detect: 10.0 / 3600.0 };
            let setup = ready(&text(policy, up, down), &[], 17);
            let summary = summary(&setup, 100, hours(horizon));
            let get = |name: &str| figure(&summary, name, CONFIDENCE);
            let year = 365.25 * 24.0;
            let what = |measure: &str| format!("no_witness_{measure}, {name}, cuts of {down} h");
            figure_within(&what("share"), form.share() * year * 3600.0, &get("split_brain_time"), 0.06);
            figure_within(&what("windows"), form.window_rate() * year, &get("split_brain_rate"), 0.06);
            let mean = form.window_mean() * 3600.0;
            figure_within(&what("window"), mean, &get("split_brain_window_mean"), 0.06);
        }
    }
}

/// The losses of a run.
#[derive(Clone, Debug, Default)]
struct Losses {
    count: u64,
    age: Option<Span>,
    incidents: u32,
    breach: bool,
}

impl Probe<Fact> for Losses {
    fn see(&mut self, _: Instant, fact: &Fact) {
        match fact {
            Fact::Lost { loss, breaks_bound, .. } => {
                self.count += loss.count - loss.merged;
                self.age = self.age.max(Some(loss.age));
                self.breach |= breaks_bound;
            }
            Fact::Incident { .. } => self.incidents += 1,
            _ => {}
        }
    }
}

/// A pair whose first node crashes once, at a random instant, and comes back.
fn one_crash(policy: &str, client: &str) -> String {
    format!(
        "title = \"one crash\"\n[nodes.a]\nstart = \"0s\"\n[nodes.a.failures]\n\
         crash = {{ ttf = {{ uniform = [\"100s\", \"160s\"] }}, repair = \"160s\" }}\n[nodes.b]\nstart = \"0s\"\n\
         [links.lan]\nbetween = [\"a\", \"b\"]\n\
         [groups.g]\nnodes = [\"a\", \"b\"]\n{policy}\n[clients.c]\nto = \"g\"\n{client}\n"
    )
}

#[test]
fn writes_in_flight() {
    for (what, lag) in [
        ("exponential", "{ exponential = \"50ms\" }"),
        ("fixed", "\"50ms\""),
        ("lognormal", "{ lognormal = { mean = \"50ms\", p95 = \"150ms\" } }"),
    ] {
        let policy = format!(
            "[groups.g.policy.active-passive]\nheartbeat = \"100ms\"\ntimeout = \"1s\"\ntakeover = \"0s\"\n\
             first_copy = \"0s\"\nlag = {lag}\n"
        );
        let setup = ready(&one_crash(&policy, "writes = \"200/s\""), &[], 19);
        let seen = watched(&setup, 20_000, secs(340.0), Losses::default);
        assert!(seen.iter().all(|(_, p)| p.incidents == 1 && !p.breach), "{what}: one incident in each run");
        let form = loss::InFlight { write_rate: 200.0, lag_mean: 0.05 };
        let counts = seen.iter().map(|(_, p)| p.count as f64);
        mean_within(&format!("in_flight_mean, {what} lag"), form.mean(), counts, CONFIDENCE, 0.02);
        let most = 20;
        let (mut observed, mut expected) = (vec![0; most + 2], vec![0.0; most + 2]);
        for (_, p) in &seen {
            observed[(p.count as usize).clamp(3, most + 1)] += 1;
        }
        let mut before = 0.0;
        for (n, expected) in expected.iter_mut().enumerate().take(most + 1).skip(3) {
            *expected = (form.cdf(n as u64) - before) * 20_000.0;
            before = form.cdf(n as u64);
        }
        expected[most + 1] = (1.0 - before) * 20_000.0;
        let fit = chi_square_fit(&observed, &expected, 0);
        assert!(fit.p_value > 1e-5, "{what}: counts are not Poisson: {fit:?}");
        let summary = fold(&setup, secs(340.0), seen.iter().map(|(record, _)| record));
        let p95 = figure(&summary, "lost_per_incident_p95", CONFIDENCE);
        within("in_flight_p95", 15.0, p95.estimate, p95.low.unwrap(), p95.high.unwrap(), 0.1);
        let mean = figure(&summary, "lost_per_incident_mean", CONFIDENCE);
        figure_within("lost_per_incident_mean", 10.0, &mean, 0.02);
    }
}

#[test]
fn periodic_copies() {
    let scada = "[groups.g.policy.hot-standby]\ntransfer_interval = \"5s\"\npass_time = \"1s\"\n";
    let backup = "[groups.g.policy.active-passive]\nheartbeat = \"100ms\"\ntimeout = \"1s\"\nreplication = \"backup\"\n\
                  backup_interval = \"5s\"\nbackup_time = \"1s\"\n";
    let law = loss::periodic_copy_age(5.0, 1.0).unwrap();
    for (what, policy) in [("hot-standby", scada), ("backups", backup)] {
        // Writes so close together that the oldest lost one is as old as the copy.
        let setup = ready(&one_crash(policy, "writes = \"100000/s\"\narrivals = \"fixed\""), &[], 23);
        let seen = watched(&setup, 10_000, secs(400.0), Losses::default);
        let mut ages: Vec<_> = seen.iter().filter_map(|(_, p)| p.age.map(Span::as_secs)).collect();
        assert_eq!(ages.len(), 10_000, "{what}");
        assert!(seen.iter().all(|(_, p)| !p.breach && p.incidents == 1), "{what}");
        let fit = kolmogorov_smirnov(&ages, |x| law.cdf(x));
        assert!(fit.p_value > 1e-5, "{what}: {fit:?}, {:?}", &ages[..8]);
        mean_within(&format!("periodic_copy_age_mean, {what}"), 3.5, ages.iter().copied(), CONFIDENCE, 0.02);
        ages.sort_by(f64::total_cmp);
        assert!(ages[0] >= 1.0 - 1e-4 && *ages.last().unwrap() <= 6.0 + 1e-9, "{what}: in (1, 6] s");
    }
}

#[test]
fn refused_requests() {
    let policy = prompt(1, "first_copy = \"0s\"\nlag = \"1ms\"\n").replace("\"none\"", "\"async\"");
    for (what, unit, rate, horizon, notices) in [
        ("requests_refused_by_pair", UNIT, 1.0, 400_000.0, 0.22),
        ("requests_refused_by_pair, busy", BUSY, 1.0, 20_000.0, 0.03),
    ] {
        let client = format!("[clients.c]\nto = \"g\"\nwrites = \"{rate}/s\"\n");
        let setup = ready(&cluster(2, &fails(unit), "", &(policy.clone() + &client)), &[], 29);
        let span = hours(horizon);
        let all = records(&setup, 200, span);
        let mut refused = Moments::new();
        for record in &all {
            refused.push(1.0 - of_run(&setup, span, record, "acked_rate") / rate);
        }
        let i = interval::mean(&refused, CONFIDENCE);
        let theory = pair_form(unit, 1.0, 2).unavailability();
        within(what, theory, i.estimate, i.low, i.high, notices);
    }
}
