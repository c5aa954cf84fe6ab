//! Queues: the textbook formulas for one and many servers.
//!
//! Sources: Kleinrock, "Queueing Systems" volume 1 (1975); Gross & Harris; with breakdowns: White & Christie,
//! Operations Research 6 (1958). Loads of 1 or more per server have no steady state: means are then infinite.

use crate::maths::pow;

/// M/M/1: the mean number in the system, ρ/(1 − ρ).
pub fn mm1_mean(arrival_rate: f64, service_rate: f64) -> f64 {
    let load = arrival_rate / service_rate;
    if load >= 1.0 { f64::INFINITY } else { load / (1.0 - load) }
}

/// M/M/1: P(at least `n` in the system), ρ^n.
pub fn mm1_at_least(arrival_rate: f64, service_rate: f64, n: u32) -> f64 {
    pow((arrival_rate / service_rate).min(1.0), f64::from(n))
}

/// M/M/1/K: (loss probability, mean number in the system), at most `capacity` in the system.
pub fn mm1k(arrival_rate: f64, service_rate: f64, capacity: u32) -> (f64, f64) {
    let load = arrival_rate / service_rate;
    let share = super::markov::birth_death(&vec![load; capacity as usize], &vec![1.0; capacity as usize]);
    let mean = share.iter().enumerate().map(|(i, p)| i as f64 * p).sum();
    (share[capacity as usize], mean)
}

/// Erlang B: the probability that all `servers` are busy when nobody waits; `load` in erlangs.
pub fn erlang_b(servers: u32, load: f64) -> f64 {
    (1..=servers).fold(1.0, |b, n| load * b / (f64::from(n) + load * b))
}

/// Erlang C: the probability of having to wait in M/M/c; `load` in erlangs.
pub fn erlang_c(servers: u32, load: f64) -> f64 {
    let (b, c) = (erlang_b(servers, load), f64::from(servers));
    if load >= c { 1.0 } else { b / (1.0 - load / c * (1.0 - b)) }
}

/// M/M/c: the mean wait in the queue.
pub fn mmc_wait(servers: u32, arrival_rate: f64, service_rate: f64) -> f64 {
    let load = arrival_rate / service_rate;
    let spare = f64::from(servers) * service_rate - arrival_rate;
    if spare <= 0.0 { f64::INFINITY } else { erlang_c(servers, load) / spare }
}

/// M/D/1: the mean wait in the queue, ρ/(2(1 − ρ)) service times (Pollaczek-Khinchine).
pub fn md1_wait(arrival_rate: f64, service_time: f64) -> f64 {
    let load = arrival_rate * service_time;
    if load >= 1.0 { f64::INFINITY } else { 0.5 * load / (1.0 - load) * service_time }
}

/// M/G/1: the mean wait in the queue, from the mean square of the service time (Pollaczek-Khinchine).
pub fn mg1_wait(arrival_rate: f64, service_mean: f64, service_mean_square: f64) -> f64 {
    let load = arrival_rate * service_mean;
    if load >= 1.0 { f64::INFINITY } else { 0.5 * arrival_rate * service_mean_square / (1.0 - load) }
}

/// M/M/1 whose server stands still now and then, busy or not, and goes on where it was: the mean number in the system.
/// Times between standstills and their lengths are exponential (White & Christie 1958).
pub fn mm1_standing_still_mean(
    arrival_rate: f64,
    service_rate: f64,
    failure_rate: f64,
    repair_rate: f64,
) -> f64 {
    let both = failure_rate + repair_rate;
    let spare = repair_rate * service_rate - arrival_rate * both;
    if spare <= 0.0 {
        return f64::INFINITY;
    }
    arrival_rate * (both * both + failure_rate * service_rate) / (both * spare)
}

#[cfg(test)]
mod tests {
    use super::super::markov::Chain;
    use super::*;
    use crate::maths::testing::near;

    #[test]
    fn a_server_that_stands_still_is_a_chain_of_its_own() {
        // (number in the system, standing still) as 2n + s, at most 120 in the system: 0.625^120 is nothing.
        let (arrival, service, failure, repair) = (0.5, 1.0, 0.05, 0.2);
        let mut chain = Chain::new(242);
        for n in 0..=120 {
            chain.add(2 * n, 2 * n + 1, failure).add(2 * n + 1, 2 * n, repair);
            if n < 120 {
                chain.add(2 * n, 2 * n + 2, arrival).add(2 * n + 1, 2 * n + 3, arrival);
                chain.add(2 * n + 2, 2 * n, service);
            }
        }
        let share = chain.steady_state().expect("a steady state");
        let mean: f64 = share.iter().enumerate().map(|(state, p)| (state / 2) as f64 * p).sum();
        near(mm1_standing_still_mean(arrival, service, failure, repair), 3.0, 1e-14);
        near(mean, 3.0, 1e-9);
        near(mm1_standing_still_mean(0.8, 1.0, 0.0, 1.0), mm1_mean(0.8, 1.0), 1e-14);
        assert!(mm1_standing_still_mean(0.8, 1.0, 0.05, 0.2).is_infinite());
    }

    #[test]
    fn one_server_is_a_special_case_of_many() {
        near(erlang_c(1, 0.8), 0.8, 1e-14);
        near(mmc_wait(1, 0.8, 1.0), 4.0, 1e-13);
        near(mg1_wait(0.8, 1.0, 2.0), 4.0, 1e-13);
        near(mg1_wait(0.8, 1.0, 1.0), md1_wait(0.8, 1.0), 1e-13);
        assert!(mm1_mean(2.0, 1.0).is_infinite());
    }
}
