//! Every closed form against the case file: each case must be computed here, and to the digits it states.

use failsim::engine::dist::Law;
use failsim::theory::detector::{Nfds, lease_detection, timeout_detection};
use failsim::theory::k_of_n::{self, Group};
use failsim::theory::loss::{InFlight, periodic_copy_age};
use failsim::theory::repair::{self, Pair, Unit};
use failsim::theory::split_brain::NoWitness;
use failsim::theory::switchover::ActivePassive;
use failsim::theory::{markov, queueing};

const CASES: &str = include_str!("data/known_answers.toml");
const YEAR_H: f64 = 8760.0;

/// The parameters of one case, by name.
struct Parameters<'a>(&'a toml::Table);

impl Parameters<'_> {
    #[track_caller]
    fn f(&self, name: &str) -> f64 {
        match self.0.get(name) {
            Some(toml::Value::Float(x)) => *x,
            Some(toml::Value::Integer(n)) => *n as f64,
            other => panic!("parameter {name} is {other:?}"),
        }
    }

    #[track_caller]
    fn n(&self, name: &str) -> u32 {
        self.f(name) as u32
    }

    fn unit(&self) -> Unit {
        Unit { failure_rate: self.f("lambda_per_h"), repair_rate: self.f("mu_per_h") }
    }

    fn pair(&self) -> Pair {
        let Unit { failure_rate, repair_rate } = self.unit();
        Pair { failure_rate, repair_rate, dormancy: self.f("dormancy"), crews: self.n("crews") }
    }

    fn group(&self) -> Group {
        let Unit { failure_rate, repair_rate } = self.unit();
        Group { units: self.n("n"), needed: self.n("k"), crews: self.n("crews"), failure_rate, repair_rate }
    }

    fn machines(&self) -> Group {
        let (failure_rate, repair_rate) = (self.f("failure"), self.f("repair"));
        Group { units: self.n("machines"), needed: 1, crews: self.n("crews"), failure_rate, repair_rate }
    }

    fn active_passive(&self) -> ActivePassive {
        ActivePassive {
            failure_rate: self.f("lambda_per_h"),
            repair_rate: self.f("mu_per_h"),
            switch_success: self.f("switch_success"),
            failover_mean: self.f("failover_s") / 3600.0,
            manual_mean: self.f("manual_min") / 60.0,
            repair_during_switch: true,
        }
    }

    fn telecom(&self) -> ActivePassive {
        ActivePassive {
            failure_rate: 1.0 / self.f("mtbf_h"),
            repair_rate: 1.0 / self.f("mttr_h"),
            switch_success: self.f("switch_success"),
            failover_mean: self.f("switch_s") / 3600.0,
            manual_mean: self.f("manual_min") / 60.0,
            repair_during_switch: false,
        }
    }

    fn nfds(&self) -> Nfds {
        let delay = Law::exponential(self.f("delay_mean_s")).unwrap();
        Nfds { period: self.f("period_s"), shift: self.f("shift_s"), loss: self.f("loss"), delay }
    }

    fn no_witness(&self) -> NoWitness {
        NoWitness {
            link_up_mean: self.f("link_up_h"),
            link_down_mean: self.f("link_down_h"),
            detect: self.f("detect_s") / 3600.0,
        }
    }

    fn in_flight(&self) -> InFlight {
        InFlight { write_rate: self.f("writes_per_s"), lag_mean: self.f("lag_mean_s") }
    }

    fn covered_minutes(&self) -> f64 {
        let minutes = 365.25 * 24.0 * 60.0;
        let unit = Unit {
            failure_rate: self.f("failures_per_year") / minutes,
            repair_rate: 1.0 / (60.0 * self.f("repair_h")),
        };
        let (failover, manual) = (self.f("failover_min"), self.f("manual_min"));
        repair::covered_pair_unavailability(unit, self.f("coverage"), failover, manual) * minutes
    }

    fn data_loss(&self) -> f64 {
        let (failure, rebuild) = (1.0 / self.f("disk_mttf_h"), 1.0 / self.f("rebuild_h"));
        let formula = k_of_n::mean_time_to_data_loss(self.n("disks"), failure, rebuild);
        let disks = self.n("disks");
        let group =
            Group { units: disks, needed: disks - 1, crews: 1, failure_rate: failure, repair_rate: rebuild };
        assert!((group.mean_time_to_failure() / formula - 1.0).abs() < 1e-13, "chain and formula differ");
        formula
    }
}

fn availability(id: &str, p: &Parameters<'_>) -> Option<f64> {
    Some(match id {
        "unit_unavailability" => p.unit().unavailability(),
        "unit_availability_24h" | "unit_fast_repair_availability_10h" => p.unit().availability_at(p.f("t_h")),
        "unit_availability_year" | "unit_fast_repair_mean_10h" => p.unit().mean_availability(p.f("t_h")),
        "unit_downtime_100h" => p.unit().downtime_cdf(p.f("t_h"), p.f("downtime_h")),
        "unit_fast_repair_availability" => 1.0 - p.unit().unavailability(),
        "pair_hot_two_crews"
        | "pair_hot_one_crew"
        | "pair_cold_one_crew"
        | "pair_warm_one_crew"
        | "requests_refused_by_pair" => p.pair().unavailability(),
        "pair_hot_first_failure" | "pair_cold_first_failure" => p.pair().mean_time_to_failure(),
        "pair_cold_fixed_repair" => {
            repair::cold_standby_fixed_unavailability(p.f("lambda_per_h"), p.f("repair_h"))
        }
        "pair_covered_first_failure" => {
            repair::covered_pair_mttf(p.f("lambda_per_h"), p.f("mu_per_h"), p.f("coverage"))
        }
        id if id.starts_with("covered_downtime_") => p.covered_minutes(),
        "active_passive" => p.active_passive().shares().unwrap().total(),
        "active_passive_failover_part" => p.active_passive().shares().unwrap().failover,
        "active_passive_manual_part" => p.active_passive().shares().unwrap().manual,
        "active_passive_outages" => p.active_passive().outage_rate().unwrap() * YEAR_H,
        "telecom_pair" => p.telecom().shares().unwrap().total(),
        "two_of_three_crew_each" => {
            let independent = k_of_n::fewer_than(3, 2, p.unit().unavailability());
            assert!((p.group().unavailability() / independent - 1.0).abs() < 1e-13);
            independent
        }
        "two_of_three_one_crew" | "three_of_five_one_crew" => p.group().unavailability(),
        "two_of_three_first_failure" => p.group().mean_time_to_failure(),
        "tmr_reliability_500h" => {
            k_of_n::reliability(p.n("n").into(), p.n("k").into(), p.f("lambda_per_h"), p.f("t_h"))
        }
        "slots_21_of_24" | "slots_20_of_24" => k_of_n::at_least(p.n("n").into(), p.n("k").into(), p.f("up")),
        "repairman_down" => p.machines().mean_down(),
        "repairman_all_up" => p.machines().down_shares()[0],
        "raid5_of_8" | "mirror" => p.data_loss(),
        _ => return None,
    })
}

fn service(id: &str, p: &Parameters<'_>) -> Option<f64> {
    Some(match id {
        "mm1_mean" => queueing::mm1_mean(p.f("arrival"), p.f("service")),
        "mm1_twenty_or_more" => queueing::mm1_at_least(p.f("arrival"), p.f("service"), p.n("n")),
        "mm5_wait" => {
            let (servers, arrival, service) = (p.n("servers"), p.f("arrival"), p.f("service"));
            let probability = queueing::erlang_c(servers, arrival / service);
            assert!((queueing::mmc_wait(servers, arrival, service) / probability - 1.0).abs() < 1e-14);
            probability
        }
        "erlang_b_10" => queueing::erlang_b(p.n("servers"), p.f("load")),
        "mm1k_loss" => queueing::mm1k(p.f("arrival"), p.f("service"), p.n("capacity")).0,
        "mm1k_mean" => queueing::mm1k(p.f("arrival"), p.f("service"), p.n("capacity")).1,
        "md1_wait" => queueing::md1_wait(p.f("arrival"), p.f("service_time")),
        id if id.starts_with("nfds_") => {
            let accuracy = p.nfds().accuracy();
            match id.rsplit('_').next() {
                Some("recurrence") => accuracy.mistake_recurrence,
                Some("duration") => accuracy.mistake_duration,
                _ => accuracy.query_accuracy(),
            }
        }
        "timeout_detection_mean" => {
            timeout_detection(p.f("period_s"), p.f("timeout_s"), p.f("delay_s")).unwrap().mean()
        }
        "lease_detection_mean" => lease_detection(p.f("ttl_s"), p.f("renew_s"), 0.0).unwrap().mean(),
        "no_witness_share" => p.no_witness().share(),
        "no_witness_windows" => p.no_witness().window_rate() * YEAR_H,
        "no_witness_hours" => p.no_witness().share() * YEAR_H,
        // Two disjoint majorities would need more voters than there are.
        "majority_of_three_share" => f64::from(u8::from(2 * (p.n("voters") / 2 + 1) <= p.n("voters"))),
        "in_flight_mean" => p.in_flight().mean(),
        "in_flight_p95" => p.in_flight().quantile(0.95) as f64,
        "in_flight_p99" => p.in_flight().quantile(0.99) as f64,
        "in_flight_none" => p.in_flight().none(),
        "periodic_copy_age_mean" => periodic_copy_age(p.f("period_s"), p.f("transfer_s")).unwrap().mean(),
        _ => return None,
    })
}

#[test]
fn every_case_is_computed_to_its_stated_digits() {
    let file: toml::Table = CASES.parse().unwrap();
    let cases = file["case"].as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let case = case.as_table().unwrap();
        let id = case["id"].as_str().unwrap();
        let parameters = Parameters(case["parameters"].as_table().unwrap());
        let want: f64 = case["value"].as_str().unwrap().parse().unwrap();
        let digits = case["digits"].as_integer().unwrap() as i32;
        let got = availability(id, &parameters).or_else(|| service(id, &parameters));
        let Some(got) = got else {
            wrong.push(format!("{id}: no function computes it"));
            continue;
        };
        // One unit in the last stated digit; and no more than a double and a long sum can hold.
        let scale = if want == 0.0 { 1.0 } else { failsim::maths::log10(want.abs()).floor() };
        let unit = failsim::maths::pow(10.0, scale - f64::from(digits) + 1.0);
        let slack = unit.max(4e-15 * want.abs());
        if (got - want).abs() > slack {
            wrong.push(format!("{id}: got {got:e}, want {want:e}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() > 60, "{} cases", cases.len());
}

#[test]
fn ids_are_unique() {
    let file: toml::Table = CASES.parse().unwrap();
    let mut ids: Vec<&str> =
        file["case"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|w| w[0] != w[1]));
}

/// The same answers by another road: the general chain instead of the birth-death products.
#[test]
fn the_general_chain_agrees_with_the_formulas() {
    let (l, m) = (0.001, 0.1);
    let mut chain = markov::Chain::new(6);
    for down in 0..5 {
        chain.add(down, down + 1, (5 - down) as f64 * l).add(down + 1, down, m);
    }
    let group = Group { units: 5, needed: 3, crews: 1, failure_rate: l, repair_rate: m };
    let share = chain.steady_state().unwrap();
    assert!((share[3..].iter().sum::<f64>() / group.unavailability() - 1.0).abs() < 1e-13);
    let time = chain.mean_time_to(0, &[3, 4, 5]).unwrap();
    assert!((time / group.mean_time_to_failure() - 1.0).abs() < 1e-13);

    let unit = Unit { failure_rate: l, repair_rate: m };
    let mut chain = markov::Chain::new(2);
    chain.add(0, 1, l).add(1, 0, m);
    let mean = chain.mean_until(&[1.0, 0.0], 8760.0).unwrap()[0];
    assert!((mean / unit.mean_availability(8760.0) - 1.0).abs() < 1e-12);
}
