//! Two fidelities behind one model: `aggregate` counts writes by the length of ranges, `requests` makes every request
//! an event. What both can measure agrees.
//!
//! Hardware, links, clocks and protocols draw from the same streams in both, so **every fact about them is identical**
//! for the same seed: faults, processes, pauses, roles, verdicts, steps, replication, who accepts, the service and its
//! causes, failovers, incidents; and with them every measure of availability, objectives, outages, split brain,
//! failover and cost, and of the data `degraded_time` and `out_of_class_rate`. Only writes differ: their times are
//! drawn one by one here and as counts there. Where both are laid down (fixed arrivals, lags without chance), acked and
//! lost writes are **identical** too, loss by loss.
//!
//! Where writes arrive at random they **agree in distribution**. Given the environment, which is the same, the counts
//! of both are Poisson with the same mean: A − B is held against √(A + B), and failed requests against rate × time
//! without service. Clients here give up at once and try once, for a request that waits, or comes again, may be served
//! later than aggregate fidelity counts it; the last test says what that changes.
//!
//! Fewer than 200 comparisons at 10⁻³/200 each: all of them together fail by chance with probability 10⁻³ at most.
//! Seeds are fixed.

mod common;
#[path = "common/models.rs"]
#[allow(unreachable_pub)]
mod models;

use std::collections::{BTreeMap, BTreeSet};

use common::*;
use failsim::engine::probe::Probe;
use failsim::engine::time::{Instant, Span};
use failsim::maths::{binomial_cdf, normal_sf, poisson_cdf, poisson_sf};
use failsim::measure::{Record, Summary};
use failsim::model::shipped::{self, FileKind};
use failsim::policy::facts::Fact;
use failsim::policy::host::Setup;
use failsim::service::ledger::{Loss, Totals};
use failsim::stats::test::kolmogorov_smirnov_two;

const EACH: f64 = 1e-3 / 200.0;

/// Two servers that fail in every way, and a link that is cut, on time scales at which much happens.
const PAIR: &str = r#"
title = "a restless pair"
[nodes.a]
start = "30s"
restart = "10s"
[nodes.a.failures]
crash = { mttf = "4h", repair = { exponential = "10m" } }
dies = { scope = "process", mttf = "6h", duration = "1m" }
pause = { effect = "pause", scope = "process", mttf = "3h", duration = { exponential = "20s" } }
disk = { effect = "crash-with-disk-loss", mttf = "15h", repair = "10m" }
[nodes.b]
like = "a"
[links.lan]
between = ["a", "b"]
latency = { exponential = "5ms" }
loss = "1%"
failures.cut = { mttf = "4h", duration = { exponential = "2m" } }
[links.access]
between = ["users", "a"]
latency = "0s"
failures.cut = { mttf = "10h", duration = { exponential = "2m" } }
[groups.g]
nodes = ["a", "b"]
[groups.g.policy.active-passive]
[clients.users]
to = "g"
writes = "0.5/s"
reads = "0.2/s"
timeout = "1us"
attempts = 1
"#;

/// A policy of [`PAIR`], or one of the shared models, with what is changed in it.
struct Case {
    name: &'static str,
    text: &'static str,
    set: &'static [&'static str],
    hours: f64,
    runs: u64,
}

const fn pair(name: &'static str, set: &'static [&'static str]) -> Case {
    Case { name, text: PAIR, set, hours: 48.0, runs: 12 }
}

const BRISK: &str = "groups.g.policy.active-passive.heartbeat=1s";
const SOON: &str = "groups.g.policy.active-passive.timeout=5s";

/// Writes that arrive at random.
const CASES: &[Case] = &[
    pair("single", &["groups.g.policy={ single = {} }"]),
    pair("asynchronous", &[BRISK, SOON, "groups.g.policy.active-passive.lag={ exponential = \"20s\" }"]),
    pair(
        "synchronous, fenced",
        &[
            BRISK,
            SOON,
            "groups.g.policy.active-passive.replication=sync",
            "groups.g.policy.active-passive.patience=30s",
            "groups.g.policy.active-passive.fencing=on",
            // The answer takes a round trip to the copy.
            "clients.users.timeout=150ms",
        ],
    ),
    pair(
        "backups",
        &[
            BRISK,
            SOON,
            "groups.g.policy.active-passive.replication=backup",
            "groups.g.policy.active-passive.backup_interval=2h",
            "groups.g.policy.active-passive.backup_time={ uniform = [\"5m\", \"20m\"] }",
            "groups.g.policy.active-passive.takeover=10m",
        ],
    ),
    pair("nothing stored", &[BRISK, SOON, "groups.g.policy.active-passive.replication=none"]),
    pair(
        "hot standby",
        &[
            "groups.g.policy={ hot-standby = { heartbeat = \"1s\", heartbeat_timeout = \"5s\", transfer_interval = \
           \"30s\", pass_time = { uniform = [\"1s\", \"9s\"] }, first_pass = { exponential = \"1m\" } } }",
        ],
    ),
    pair("instances", &["groups.g.policy={ active-active = { redispatch = true } }"]),
    pair("several writers", &["groups.g.policy={ active-active = { storage = \"last-writer-wins\" } }"]),
    Case {
        name: "two and a spare",
        text: models::SPARE,
        set: &[
            "clients.app.writes=1/s",
            "clients.app.timeout=1us",
            "clients.app.attempts=1",
            "groups.store.policy.active-passive.lag={ exponential = \"5s\" }",
        ],
        hours: 48.0,
        runs: 8,
    },
    Case {
        name: "three instances",
        text: models::WEB,
        set: &[
            "clients.users.reads=0.5/s",
            "clients.users.timeout=1us",
            "clients.users.attempts=1",
            "clients.users.deadline=0s",
            "groups.web.policy.active-active.redispatch=true",
        ],
        hours: 96.0,
        runs: 12,
    },
    Case {
        name: "people and plant",
        text: models::SCADA,
        set: &[
            "clients.people.timeout=1us",
            "clients.people.attempts=1",
            "clients.people.writes=0.5/s",
            "clients.people.reads=0.2/s",
            "field.plant.events=1/s",
            "field.plant.buffer=5m",
            "groups.scada.policy.hot-standby.windback=true",
        ],
        hours: 48.0,
        runs: 6,
    },
];

/// The same where nothing about writes is left to chance.
const LAID_DOWN: &[Case] = &[
    pair("single", &["groups.g.policy={ single = {} }"]),
    pair("asynchronous", &[BRISK, SOON, "groups.g.policy.active-passive.lag=20s"]),
    pair(
        "backups",
        &[
            BRISK,
            SOON,
            "groups.g.policy.active-passive.replication=backup",
            "groups.g.policy.active-passive.backup_interval=2h",
            "groups.g.policy.active-passive.backup_time={ uniform = [\"5m\", \"20m\"] }",
        ],
    ),
    pair(
        "hot standby, merging",
        &[
            "groups.g.policy={ hot-standby = { heartbeat = \"1s\", heartbeat_timeout = \"5s\", transfer_interval = \
           \"30s\", pass_time = { uniform = [\"1s\", \"9s\"] }, duty_mode = true } }",
        ],
    ),
    Case {
        name: "people and plant",
        text: models::SCADA,
        set: &[
            "clients.people.timeout=1us",
            "clients.people.attempts=1",
            "clients.people.writes=0.5/s",
            "clients.people.reads=0.2/s",
            "field.plant.events=1/s",
            "field.plant.arrivals=fixed",
            "field.plant.buffer=5m",
            "groups.scada.policy.hot-standby.windback=true",
        ],
        hours: 48.0,
        runs: 6,
    },
];

/// What happened in a run.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Everything that is not about single writes.
    facts: Vec<(Instant, Fact)>,
    losses: Vec<(Instant, Loss)>,
    book: Totals,
    /// Operations that failed, and that succeeded.
    writes: [u64; 2],
    reads: [u64; 2],
    ghosts: u64,
    duplicates: u64,
    /// Events that devices gave up.
    dropped: u64,
}

impl Probe<Fact> for Seen {
    fn see(&mut self, at: Instant, fact: &Fact) {
        match *fact {
            Fact::Lost { loss, .. } => self.losses.push((at, loss)),
            Fact::Book { totals, .. } => self.book = totals,
            Fact::Answered { write, latency, .. } => {
                let kind = if write { &mut self.writes } else { &mut self.reads };
                kind[usize::from(latency.is_some())] += 1;
            }
            Fact::Repeated { is_ghost: true, .. } => self.ghosts += 1,
            Fact::Repeated { is_ghost: false, .. } => self.duplicates += 1,
            Fact::Load { .. } => {}
            Fact::Dropped { count, .. } => self.dropped += count,
            other => self.facts.push((at, other)),
        }
    }
}

/// A model, and what its runs were, in one fidelity.
struct Told {
    setup: Ready,
    horizon: Span,
    runs: Vec<(Record, Seen)>,
}

impl Told {
    fn of(mut setup: Ready, requests: bool, runs: u64, horizon: Span) -> Told {
        setup.requests = requests;
        let runs = watched(&setup, runs, horizon, Seen::default);
        Told { setup, horizon, runs }
    }

    fn summary(&self) -> Summary {
        fold(&self.setup, self.horizon, self.runs.iter().map(|(record, _)| record))
    }

    fn sum(&self, of: impl Fn(&Seen) -> u64) -> u64 {
        self.runs.iter().map(|(_, seen)| of(seen)).sum()
    }

    /// The rate of a kind of request of all clients, and the time in which it was not served.
    fn offered(&self, writes: bool) -> (f64, f64) {
        let clients = self.setup.model.clients.iter().filter(|client| !client.is_field);
        let rate = clients.map(|client| if writes { client.write_rate } else { client.read_rate }).sum();
        let name = if writes { "write_availability" } else { "read_availability" };
        // Absent where nobody asks for them: then there is no rate either.
        let share = try_figure(&self.summary(), name, 0.95).map_or(0.0, |found| 1.0 - found.estimate);
        (rate, share * self.horizon.as_secs() * self.runs.len() as f64)
    }
}

impl Case {
    fn both(&self, more: &[&str]) -> [Told; 2] {
        let set: Vec<&str> = self.set.iter().chain(more).copied().collect();
        let setup = ready(self.text, &set, 5);
        [false, true].map(|requests| Told::of(setup.clone(), requests, self.runs, hours(self.hours)))
    }
}

fn is_same(what: &str, [a, b]: &[Told; 2]) {
    for (run, ((_, x), (_, y))) in a.runs.iter().zip(&b.runs).enumerate() {
        for (one, other) in x.facts.iter().zip(&y.facts) {
            assert_eq!(one, other, "{what}, run {run}");
        }
        assert_eq!(x.facts.len(), y.facts.len(), "{what}, run {run}");
    }
}

/// Measures of writes, which are drawn differently.
fn is_of_writes(measure: &failsim::measure::Measure) -> bool {
    let is_data = measure.family == "data" || measure.name == "rpo_miss_fraction";
    is_data && !["degraded_time", "out_of_class_rate"].contains(&measure.name)
}

fn figures_are_same(what: &str, [a, b]: &[Told; 2], but: fn(&failsim::measure::Measure) -> bool) {
    let (a, b) = (a.summary(), b.summary());
    let mut compared = 0;
    for (measure, one) in a.service(0.95).into_iter().filter(|(measure, _)| !but(measure)) {
        assert_eq!(Some(one), try_figure(&b, measure.name, 0.95), "{what}: {}", measure.name);
        compared += 1;
    }
    // A single server has the fewest: nothing to take over, nothing to split.
    assert!(compared >= 20, "{what}: {compared} measures");
}

/// The kinds of facts in a trace, by name.
fn kinds(told: &Told) -> impl Iterator<Item = String> + '_ {
    let facts = told.runs.iter().flat_map(|(_, seen)| &seen.facts);
    facts.map(|(_, fact)| format!("{fact:?}").split([' ', '{']).next().unwrap_or_default().to_owned())
}

#[test]
fn both_fidelities_agree() {
    let mut seen = BTreeSet::new();
    for case in CASES {
        let both = case.both(&[]);
        is_same(case.name, &both);
        figures_are_same(case.name, &both, is_of_writes);
        seen.extend(kinds(&both[0]));
        writes_agree(case.name, &both);
        requests_fail_while_there_is_no_service(case.name, &both);
    }
    let known = [
        "Acceptors",
        "Actuators",
        "Capacity",
        "Degraded",
        "Diverged",
        "Failover",
        "FailoverFailed",
        "Fault",
        "Incident",
        "Overwritten",
        "Pause",
        "Process",
        "Replication",
        "Service",
        "Stance",
        "Step",
        "Traffic",
        "Verdict",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), known);
}

#[test]
fn shipped_models_are_no_exception() {
    for name in shipped::names(FileKind::Model) {
        let mut model = shipped_model(name);
        for client in &mut model.clients {
            // So few requests that decades take no time.
            (client.write_rate, client.read_rate) = (client.write_rate.min(1e-4), client.read_rate.min(1e-4));
        }
        let setup = Setup::new(model, 3, true, false);
        let horizon = hours(5.0 * 8766.0);
        let both = [false, true].map(|requests| Told::of(setup.clone(), requests, 4, horizon));
        is_same(name, &both);
        figures_are_same(name, &both, is_of_writes);
        let asked = both[1].sum(|seen| seen.writes[1] + seen.reads[1]) > 0;
        assert_eq!(asked, !setup.model.clients.is_empty(), "{name}: no request");
    }
}

#[test]
fn writes_that_are_laid_down_are_lost_alike() {
    for case in LAID_DOWN {
        let both = case.both(&["clients.*.arrivals=fixed"]);
        is_same(case.name, &both);
        figures_are_same(case.name, &both, |_| false);
        let (mut losses, mut lost, mut ages, mut late) = (0, 0, 0, 0);
        for (run, ((_, x), (_, y))) in both[0].runs.iter().zip(&both[1].runs).enumerate() {
            assert_eq!(x.losses, y.losses, "{}, run {run}", case.name);
            assert_eq!(x.book, y.book, "{}, run {run}", case.name);
            assert_eq!(x.dropped, y.dropped, "{}, run {run}", case.name);
            losses += x.losses.len();
            lost += x.losses.iter().map(|(_, loss)| loss.count).sum::<u64>();
            ages += x.losses.iter().filter(|(_, loss)| loss.age > Span::ZERO).count();
            late += x.losses.iter().map(|(_, loss)| loss.recovered).sum::<u64>();
        }
        if both[0].setup.model.clients.iter().any(|client| client.is_field) {
            let dropped = both[0].sum(|seen| seen.dropped);
            assert!(late >= 1000 && dropped >= 1000, "{}: {late} recovered, {dropped} dropped", case.name);
        }
        println!("{}: {losses} losses of {lost} writes, {ages} before the fault", case.name);
        assert!(losses >= 20 && lost >= 1000 && ages >= 10, "{}: too little to compare", case.name);
    }
}

/// Tells a comparison; it fails where its p-value is too small to be chance.
#[track_caller]
fn by_chance(case: &str, what: &str, seen: &str, p: f64) {
    println!("{case}: {what}: {seen}, p = {p:.2e}");
    assert!(p > EACH, "{case}: {what}: {seen}, p = {p:e}");
}

/// Two Poisson counts of one mean: given their sum, the first is binomial.
#[track_caller]
fn same_mean(case: &str, what: &str, a: u64, b: u64) {
    let (n, least) = (a + b, a.min(b));
    // P(at most `least`), twice, for either side.
    let p = (2.0 * (binomial_cdf(n, 0.5, least))).min(1.0);
    by_chance(case, what, &format!("{a} in aggregate, {b} in requests"), p);
}

/// A Poisson count against its mean.
#[track_caller]
fn has_mean(case: &str, what: &str, count: u64, mean: f64) {
    let above = if count == 0 { 1.0 } else { poisson_sf(mean, count - 1) };
    let below = poisson_cdf(mean, count);
    by_chance(case, what, &format!("{count} of {mean:.1}"), (2.0 * above.min(below)).min(1.0));
}

/// A fault: its run and its number there.
type Fault = (usize, u32);

/// Losses by the fault they belong to: writes, and the age of the oldest in seconds.
fn by_fault(told: &Told) -> BTreeMap<Fault, (u64, f64)> {
    let mut losses: BTreeMap<Fault, (u64, f64)> = BTreeMap::new();
    for (run, (_, seen)) in told.runs.iter().enumerate() {
        for (_, loss) in &seen.losses {
            let Some(incident) = loss.incident else { continue };
            let (count, age) = losses.entry((run, incident.number)).or_default();
            (*count, *age) = (*count + loss.count, age.max(loss.age.as_secs()));
        }
    }
    losses
}

/// Faults one by one: of n writes lost in either fidelity the share of one is binomial, and which of them lost the
/// older write is a toss of a coin.
fn losses_agree(case: &str, [a, b]: [&Told; 2]) {
    let (a, b) = (by_fault(a), by_fault(b));
    let of = |losses: &BTreeMap<Fault, (u64, f64)>, fault| losses.get(fault).copied().unwrap_or_default();
    let faults: BTreeSet<Fault> = a.keys().chain(b.keys()).copied().collect();
    let (mut distance, mut variance) = (0.0, 0.0);
    let (mut older, mut pairs, mut ages) = (0, 0, [Vec::new(), Vec::new()]);
    for fault in &faults {
        let ((m, age_a), (n, age_b)) = (of(&a, fault), of(&b, fault));
        let (sum, gap) = ((m + n) as f64, m as f64 - n as f64);
        distance += gap * gap / sum - 1.0;
        variance += 2.0 - 2.0 / sum;
        if m > 0 && n > 0 && age_a != age_b {
            pairs += 1;
            older += u64::from(age_a > age_b);
        }
        ages[0].extend((m > 0).then_some(age_a));
        ages[1].extend((n > 0).then_some(age_b));
    }
    assert!(faults.len() >= 20 && pairs >= 20, "{case}: {} faults, {pairs} pairs", faults.len());
    let z = distance / variance.sqrt();
    by_chance(
        case,
        "losses of each fault",
        &format!("{} faults, z = {z:.2}", faults.len()),
        2.0 * normal_sf(z.abs()),
    );
    let least = older.min(pairs - older);
    let p = (2.0 * (binomial_cdf(pairs, 0.5, least))).min(1.0);
    by_chance(case, "older writes lost", &format!("{older} of {pairs} times in aggregate"), p);
    let test = kolmogorov_smirnov_two(&ages[0], &ages[1]);
    by_chance(case, "ages of losses", &format!("distance {:.3}", test.statistic), test.p_value);
}

fn writes_agree(case: &str, [a, b]: &[Told; 2]) {
    let design = &a.setup.designs[0];
    if case == "several writers" {
        // Their book is kept by ranges in both; requests have to come out the same.
        same_mean(case, "acknowledged", a.sum(|s| s.book.acked), b.sum(|s| s.writes[1]));
    } else if design.stores {
        same_mean(case, "acknowledged", a.sum(|s| s.book.acked), b.sum(|s| s.book.acked));
        let lost = |seen: &Seen| seen.losses.iter().map(|(_, loss)| loss.count).sum();
        same_mean(case, "lost", a.sum(lost), b.sum(lost));
        losses_agree(case, [a, b]);
    }
    if design.windback {
        let late = |seen: &Seen| seen.losses.iter().map(|(_, loss)| loss.recovered).sum();
        assert!(a.sum(late) > 100, "{case}: too little is recovered");
        same_mean(case, "recovered late", a.sum(late), b.sum(late));
    }
    if a.setup.model.clients.iter().any(|client| client.is_field) {
        let dropped = |seen: &Seen| seen.dropped;
        assert!(a.sum(dropped) > 1000, "{case}: too little is given up by devices");
        same_mean(case, "given up by devices", a.sum(dropped), b.sum(dropped));
    }
}

fn requests_fail_while_there_is_no_service(case: &str, [a, b]: &[Told; 2]) {
    if a.setup.designs[0].slots > 1 {
        return; // with several parts of the work, down means that one of them is
    }
    for (what, failed, writes) in
        [("failed writes", b.sum(|s| s.writes[0]), true), ("failed reads", b.sum(|s| s.reads[0]), false)]
    {
        let (rate, down) = a.offered(writes);
        assert!(rate == 0.0 || rate * down > 30.0, "{case}: too little downtime");
        has_mean(case, what, failed, rate * down);
    }
}

/// An interruption shorter than the clients' deadline is not noticed: who asks again every 20 ms is served within the
/// deadline if the service is back by then (an outage is longer by the half of that, which is not seen here).
#[test]
fn a_deadline_means_the_same() {
    for (name, policy) in [
        ("single", "{ single = {} }"),
        ("takeover", "{ active-passive = { heartbeat = \"1s\", timeout = \"4s\", takeover = \"2s\" } }"),
    ] {
        let policy = format!("groups.g.policy={policy}");
        let client = "clients.users={ to = \"g\", writes = \"0.05/s\", deadline = \"5s\", timeout = \"20ms\", \
                      attempts = 250, backoff = \"0s\" }";
        let setup = ready(PAIR, &[&policy, client], 8);
        let [a, b] = [false, true].map(|requests| Told::of(setup.clone(), requests, 16, hours(96.0)));
        let whole = 0.05 * a.horizon.as_secs() * a.runs.len() as f64;
        let [noticed, all] = ["unavailability", "write_availability"]
            .map(|measure| whole * figure(&a.summary(), measure, 0.95).estimate);
        let short = whole - all - noticed;
        assert!(noticed > 300.0 && short > 100.0, "{name}: {noticed} failures, {short} of them not noticed");
        has_mean(name, "writes not served within the deadline", b.sum(|s| s.writes[0]), noticed);
    }
}

/// What waits at a node that stands still, or is tried again, is served later. Requests see that and ranges do not:
/// more writes are acknowledged, by at most those that were offered while there was no service.
#[test]
fn patience_gets_more_writes_through() {
    let set = [BRISK, SOON, "clients.users.timeout=10s", "clients.users.attempts=3"];
    let setup = ready(PAIR, &set, 5);
    let [a, b] = [false, true].map(|requests| Told::of(setup.clone(), requests, 16, hours(48.0)));
    let (rate, down) = a.offered(true);
    let (served, failed) = (b.sum(|s| s.writes[1]), b.sum(|s| s.writes[0]));
    println!("{} acknowledged in aggregate, {served} in requests; {failed} failed", a.sum(|s| s.book.acked));
    println!("{} ghosts, {} duplicates", b.sum(|s| s.ghosts), b.sum(|s| s.duplicates));
    assert!(poisson_cdf(rate * down, failed) < EACH, "{failed} of {} fail: no fewer", rate * down);
    assert!(b.sum(|s| s.duplicates) > 100, "a write that waits is tried again, and done twice");
    // Each operation that was answered is one acknowledged write, however often it was carried out.
    let (acked, ghosts) = (b.sum(|s| s.book.acked), b.sum(|s| s.ghosts));
    assert_eq!(acked, served, "{ghosts} ghosts are not acknowledged");
}
