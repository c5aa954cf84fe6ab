//! Service stations against queueing theory: whole models at request fidelity, with clients, a node and its station.
//!
//! The queue cases of `data/known_answers.toml` and the classical forms beside them: M/M/1, M/M/c, M/M/c/c, M/M/1/K,
//! M/D/1, M/G/1, a pool behind a balancer, and M/M/1 with standstills. Times here are in seconds and a service takes one
//! second in the mean.
//!
//! Every run starts empty; what happens in the first 2000 s, many relaxation times, is left out. Intervals are Student's
//! over the means of independent runs, at 1 − 10⁻³/50: all comparisons together (fewer than 50) fail by chance with
//! probability 10⁻³ at most. Seeds are fixed. Each states the relative error it would notice, and fails if its interval
//! is wider than that.

mod common;

use common::*;
use failsim::engine::probe::Probe;
use failsim::engine::time::Instant;
use failsim::maths::exp;
use failsim::measure::Summary;
use failsim::policy::facts::Fact;
use failsim::stats::test::kolmogorov_smirnov;
use failsim::theory::queueing::*;

const CONFIDENCE: f64 = 1.0 - 1e-3 / 50.0;
const WARM_UP: f64 = 2_000.0;
/// A refused client gives up after this; runs go on for as long after what is measured.
const PATIENCE: f64 = 200.0;
const RUNS: u64 = 32;

/// One node with a station, which never fails, and its clients.
fn model(rate: f64, station: &str, failures: &str) -> String {
    format!(
        "title = \"a queue\"\n[nodes.a]\nstation = {{ {station} }}\n{failures}\n[groups.g]\nnodes = [\"a\"]\n\
         [groups.g.policy.single]\n[clients.k]\nto = \"g\"\nreads = \"{rate}/s\"\nattempts = 1\n\
         timeout = \"{PATIENCE}s\"\n"
    )
}

/// When each request was issued and when it was answered, or that it was refused.
#[derive(Clone, Debug, Default)]
struct Requests {
    served: Vec<(f64, f64)>,
    refused: Vec<f64>,
}

impl Probe<Fact> for Requests {
    fn see(&mut self, now: Instant, fact: &Fact) {
        match *fact {
            Fact::Answered { latency: Some(latency), .. } => {
                self.served.push(((now.before(latency)).as_secs(), now.as_secs()));
            }
            Fact::Answered { latency: None, .. } => self.refused.push(now.as_secs() - PATIENCE),
            _ => {}
        }
    }
}

/// What one run shows after the start.
#[derive(Clone, Debug)]
struct Steady {
    /// Time from issue to answer.
    latency: f64,
    /// In the system: mean over time, and the share of time with at least n of them, by n.
    number: f64,
    at_least: Vec<f64>,
    /// The share of arrivals that find at least n in the system, by n; of those that are refused.
    found: Vec<f64>,
    refused: f64,
    latencies: Vec<f64>,
}

const MOST: usize = 32;

impl Steady {
    fn of(requests: &Requests, end: f64) -> Steady {
        let measured = |at: f64| (WARM_UP..end).contains(&at);
        let mut steps: Vec<(f64, i32)> = Vec::new();
        for &(issued, answered) in &requests.served {
            steps.extend([(issued, 1), (answered, -1)]);
        }
        steps.extend(requests.refused.iter().map(|&at| (at, 0)));
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut n, mut since, mut area) = (0_usize, 0.0, 0.0);
        let (mut at_least, mut found) = (vec![0.0; MOST], vec![0.0; MOST]);
        let mut arrivals = 0.0;
        for (at, step) in steps {
            let length = (at.min(end) - f64::max(since, WARM_UP)).max(0.0);
            area += length * n as f64;
            at_least.iter_mut().take(n + 1).for_each(|share| *share += length / (end - WARM_UP));
            if step >= 0 && measured(at) {
                arrivals += 1.0;
                found.iter_mut().take(n + 1).for_each(|count| *count += 1.0);
            }
            n = n.checked_add_signed(step as isize).expect("nobody leaves who has not come");
            since = at;
        }
        found.iter_mut().for_each(|count| *count /= arrivals);
        let refused = requests.refused.iter().filter(|&&at| measured(at)).count() as f64 / arrivals;
        let latencies: Vec<f64> = requests
            .served
            .iter()
            .filter(|(issued, _)| measured(*issued))
            .map(|(issued, answered)| answered - issued)
            .collect();
        let latency = latencies.iter().sum::<f64>() / latencies.len() as f64;
        Steady { latency, number: area / (end - WARM_UP), at_least, found, refused, latencies }
    }
}

struct Queue {
    name: &'static str,
    runs: Vec<Steady>,
    summary: Summary,
}

/// Runs a model for as long as `requests` requests in the mean after the start.
fn queue(name: &'static str, text: &str, requests: f64) -> Queue {
    let mut setup = ready(text, &[], 17);
    setup.requests = true;
    let end = WARM_UP + requests / RUNS as f64 / setup.model.clients[0].read_rate;
    let horizon = secs(end + PATIENCE);
    let seen = watched(&setup, RUNS, horizon, Requests::default);
    let summary = fold(&setup, horizon, seen.iter().map(|(record, _)| record));
    Queue { name, runs: seen.iter().map(|(_, requests)| Steady::of(requests, end)).collect(), summary }
}

impl Queue {
    #[track_caller]
    fn has(&self, what: &str, expected: f64, of: impl Fn(&Steady) -> f64, notices: f64) {
        let what = format!("{}: {what}", self.name);
        mean_within(&what, expected, self.runs.iter().map(of), CONFIDENCE, notices);
    }

    /// The measures of a report, from the start of the run, against the same theory.
    #[track_caller]
    fn reports(&self, measure: &str, expected: f64, notices: f64) {
        let found = figure(&self.summary, measure, CONFIDENCE);
        figure_within(&format!("{}: {measure}", self.name), expected, &found, notices);
    }
}

const EXPONENTIAL: &str = "service = { exponential = \"1s\" }";

#[test]
fn one_server() {
    let (arrival, service) = (0.8, 1.0);
    let q =
        queue("M/M/1", &model(arrival, &format!("servers = 1, {EXPONENTIAL}, capacity = 1000000"), ""), 9e5);
    let mean = mm1_mean(arrival, service);
    q.has("number in the system", mean, |run| run.number, 0.05);
    q.has("latency", mean / arrival, |run| run.latency, 0.05);
    q.has("20 or more in the system", mm1_at_least(arrival, service, 20), |run| run.at_least[20], 0.5);
    q.has("20 or more found", mm1_at_least(arrival, service, 20), |run| run.found[20], 0.5);
    q.reports("latency_mean", mean / arrival, 0.05);
    q.reports("queue_length_mean", mean, 0.05);
    q.reports("utilisation", arrival / service, 0.01);
    q.reports("goodput", arrival, 0.01);
    // The time in the system is exponential; requests far apart are independent of each other.
    let apart: Vec<f64> = q.runs.iter().flat_map(|run| run.latencies.iter().step_by(400)).copied().collect();
    let test = kolmogorov_smirnov(&apart, |t| 1.0 - exp(-(service - arrival) * t));
    assert!(apart.len() > 1_500 && test.p_value > 1.0 - CONFIDENCE, "{} latencies: {test:?}", apart.len());
}

#[test]
fn several_servers() {
    let (servers, arrival) = (5, 4.0);
    let q =
        queue("M/M/5", &model(arrival, &format!("servers = 5, {EXPONENTIAL}, capacity = 1000000"), ""), 9e5);
    let wait = mmc_wait(servers, arrival, 1.0);
    q.has("have to wait", erlang_c(servers, arrival), |run| run.found[5], 0.03);
    q.has("all servers busy", erlang_c(servers, arrival), |run| run.at_least[5], 0.03);
    q.has("latency", wait + 1.0, |run| run.latency, 0.05);
    q.reports("utilisation", arrival / 5.0, 0.01);
    q.reports("latency_mean", wait + 1.0, 0.05);
}

#[test]
fn calls_are_lost() {
    let (servers, load) = (10, 5.0);
    let q = queue("M/M/10/10", &model(load, &format!("servers = 10, {EXPONENTIAL}, capacity = 10"), ""), 9e5);
    let blocked = erlang_b(servers, load);
    q.has("calls refused", blocked, |run| run.refused, 0.08);
    q.has("time in which they would be", blocked, |run| run.at_least[10], 0.08);
    q.has("number in the system", load * (1.0 - blocked), |run| run.number, 0.01);
    assert!(q.runs.iter().all(|run| run.at_least[11] == 0.0 && run.found[10] == run.refused));
    q.reports("request_availability", 1.0 - blocked, 0.001);
}

#[test]
fn a_short_queue() {
    let q = queue("M/M/1/10", &model(0.9, &format!("servers = 1, {EXPONENTIAL}, capacity = 10"), ""), 9e5);
    let (lost, number) = mm1k(0.9, 1.0, 10);
    q.has("refused", lost, |run| run.refused, 0.08);
    q.has("time full", lost, |run| run.at_least[10], 0.08);
    q.has("number in the system", number, |run| run.number, 0.02);
    q.reports("queue_length_mean", number, 0.02);
}

#[test]
fn other_services() {
    let q = queue("M/D/1", &model(0.8, "servers = 1, service = \"1s\", capacity = 1000000", ""), 9e5);
    q.has("wait", md1_wait(0.8, 1.0), |run| run.latency - 1.0, 0.05);
    let at_once = |run: &Steady| {
        run.latencies.iter().filter(|&&t| t < 1.0 + 1e-8).count() as f64 / run.latencies.len() as f64
    };
    q.has("served at once", 0.2, at_once, 0.03);
    // Evenly between 0 and 2 s: the mean square is 4/3.
    let uniform = "servers = 1, service = { uniform = [\"0s\", \"2s\"] }, capacity = 1000000";
    let q = queue("M/G/1", &model(0.8, uniform, ""), 9e5);
    q.has("wait", mg1_wait(0.8, 1.0, 4.0 / 3.0), |run| run.latency - 1.0, 0.05);
}

#[test]
fn a_pool_behind_a_balancer_is_a_queue_each() {
    let text = format!(
        "title = \"a pool\"\n[nodes.a]\nstation = {{ servers = 1, {EXPONENTIAL}, capacity = 1000000 }}\n\
         [nodes.b]\nlike = \"a\"\n[groups.g]\nnodes = [\"a\", \"b\"]\n[groups.g.policy.active-active]\n\
         [clients.k]\nto = \"g\"\nreads = \"1.4/s\"\nattempts = 1\ntimeout = \"{PATIENCE}s\"\n"
    );
    let q = queue("two of M/M/1", &text, 9e5);
    q.has("latency", mm1_mean(0.7, 1.0) / 0.7, |run| run.latency, 0.05);
    q.has("number in both", 2.0 * mm1_mean(0.7, 1.0), |run| run.number, 0.05);
    q.reports("queue_length_mean", mm1_mean(0.7, 1.0), 0.05);
}

#[test]
fn a_server_that_stands_still_goes_on_where_it_was() {
    // Clients stay with a node that stands still, and what it was doing takes as long as it would have.
    let stall =
        "failures.stall = { effect = \"pause\", mttf = \"20s\", duration = { exponential = \"5s\" } }";
    let q = queue(
        "M/M/1, standing still",
        &model(0.5, &format!("servers = 1, {EXPONENTIAL}, capacity = 1000000"), stall),
        9e5,
    );
    let mean = mm1_standing_still_mean(0.5, 1.0, 0.05, 0.2);
    q.has("number in the system", mean, |run| run.number, 0.06);
    q.has("latency", mean / 0.5, |run| run.latency, 0.06);
    q.reports("availability", 0.8, 0.02);
}

#[test]
fn a_slow_server_serves_as_much_later() {
    let slow = "failures.slow = { effect = \"slow\", factor = 1.5, mttf = \"1ms\", duration = \"500y\" }";
    let q = queue(
        "M/M/1, slow",
        &model(0.5, &format!("servers = 1, {EXPONENTIAL}, capacity = 1000000"), slow),
        9e5,
    );
    q.has("latency", mm1_mean(0.5, 1.0 / 1.5) / 0.5, |run| run.latency, 0.05);
}

/// A write of 1 kB takes a tenth of a second through 10 kB/s, and its answer nothing.
#[test]
fn a_narrow_link_makes_each_write_longer() {
    let latency = |bandwidth: &str| {
        let text = format!(
            "title = \"narrow\"\n[nodes.a]\nstation = {{ service = \"1ms\" }}\n[links.l]\nbetween = [\"k\", \"a\"]\n\
             latency = {{ fixed = \"5ms\" }}\n{bandwidth}\n[groups.g]\nnodes = [\"a\"]\n[groups.g.policy.single]\n\
             [clients.k]\nto = \"g\"\nwrites = \"0.01/s\"\nwrite_size = \"1kB\"\nreach = {{ a = \"l\" }}\n\
             timeout = \"10s\"\n"
        );
        let mut setup = ready(&text, &[], 5);
        setup.requests = true;
        figure(&summary(&setup, 4, hours(24.0)), "latency_mean", 0.95).estimate
    };
    let (wide, narrow) = (latency(""), latency("bandwidth = \"10kB/s\""));
    // Now and then one waits for another in the station: 1 ms each, a hundred seconds apart.
    assert!((wide - 0.011).abs() < 1e-5, "{wide}");
    assert!((narrow - 0.111).abs() < 1e-5, "{narrow}");
}
