//! Times to failure in whole runs against the laws that the model names: Weibull, gamma, and a list from a file.
//!
//! Means and quantiles are the textbook's, with the gamma function and tables, not those of the program. All intervals
//! and tests together fail by chance with probability 10⁻³ at most (Bonferroni over 100); seeds are fixed.

mod common;

use std::sync::Arc;

use common::*;
use failsim::engine::time::Instant;
use failsim::input::{Files, Source};
use failsim::policy::facts::Fact;
use failsim::stats::interval;
use failsim::stats::test::{chi_square_fit, kolmogorov_smirnov};

/// 1 − 10⁻³/100.
const CONFIDENCE: f64 = 1.0 - 1e-5;

/// Five observed times to failure, one of them twice, in the order of a log.
const OBSERVED: &str = "hours\n36h\n2h\n7200\n10h 30m\n5d\n";

#[derive(Clone)]
struct Log;

impl Files for Log {
    fn text(&self, path: &str) -> Result<Arc<Source>, String> {
        if path == "log.csv" { Ok(Source::new(path, OBSERVED)) } else { Err("there is no such file".into()) }
    }
}

/// Hours from the end of each repair to the next failure, of a node whose repair takes an hour, or of its link.
fn times(ttf: &str, of_link: bool) -> Vec<f64> {
    let fault = format!("ttf = {ttf}, duration = \"1h\"");
    let (node, link) = if of_link {
        (String::new(), format!("failures.cut = {{ {fault} }}"))
    } else {
        (format!("failures.crash = {{ {fault} }}"), String::new())
    };
    let text = format!(
        "title = \"laws\"\n[nodes.a]\nstart = \"0s\"\nclock.drift = 0\n{node}\n[nodes.b]\n[links.lan]\n\
         between = [\"a\", \"b\"]\n{link}\n[groups.g]\nnodes = [\"a\"]\n[groups.g.policy.single]\n"
    );
    let model = model_of(&Source::new("test.toml", text), Arc::new(Log));
    let setup: Ready = Ready::new(model, 9, true, false);
    let seen = watched(&setup, 200, hours(40_000.0), Vec::<(Instant, Fact)>::new);
    let mut times = Vec::new();
    for (_, facts) in seen {
        let mut up_since = Instant::ZERO;
        for (at, fact) in facts {
            match fact {
                Fact::Fault { begins: true, .. } => times.push((at - up_since).as_secs() / 3600.0),
                Fact::Fault { begins: false, .. } => up_since = at,
                _ => {}
            }
        }
    }
    times
}

#[track_caller]
fn check(what: &str, times: &mut [f64], mean: f64, (p, quantile): (f64, f64), cdf: impl Fn(f64) -> f64) {
    mean_within(&format!("{what}: mean"), mean, times.iter().copied(), CONFIDENCE, 0.005);
    let fit = kolmogorov_smirnov(times, &cdf);
    assert!(fit.p_value > 1e-5, "{what}: {fit:?}");
    let wrong = kolmogorov_smirnov(times, |x| cdf(1.02 * x));
    assert!(wrong.p_value < 1e-5, "{what}: a scale wrong by 2 % would be seen");
    times.sort_by(f64::total_cmp);
    let i = interval::quantile(times, p, CONFIDENCE);
    within(&format!("{what}: {p}-quantile"), quantile, i.estimate, i.low, i.high, 0.01);
}

#[test]
fn weibull_and_gamma() {
    for of_link in [false, true] {
        // Γ(1 + 1/2) = √π/2; survival exp(−(x/scale)²).
        let scale = 20.0;
        let mean = scale * std::f64::consts::PI.sqrt() / 2.0;
        let mut seen = times("{ weibull = { scale = \"20h\", shape = 2 } }", of_link);
        let p95 = scale * libm::log(20.0).sqrt();
        check("Weibull 2", &mut seen, mean, (0.95, p95), |x| -libm::expm1(-(x / scale) * (x / scale)));
        // Shape 1/2: Γ(3) = 2, so a mean of 20 h is a scale of 10 h; the median is scale·ln²2.
        let mut seen = times("{ weibull = { mean = \"20h\", shape = 0.5 } }", of_link);
        let median = 10.0 * std::f64::consts::LN_2 * std::f64::consts::LN_2;
        let cdf = |x: f64| -libm::expm1(-(x / 10.0).sqrt());
        mean_within("Weibull 1/2: mean", 20.0, seen.iter().copied(), CONFIDENCE, 0.02);
        assert!(kolmogorov_smirnov(&seen, cdf).p_value > 1e-5);
        assert!(kolmogorov_smirnov(&seen, |x| cdf(1.02 * x)).p_value < 1e-5);
        seen.sort_by(f64::total_cmp);
        let i = interval::quantile(&seen, 0.5, CONFIDENCE);
        within("Weibull 1/2: median", median, i.estimate, i.low, i.high, 0.025);
        // Three exponential stages of 20/3 h: χ² with six degrees of freedom, whose median is 5.348 121 and 95 %
        // quantile 12.591 587 (Abramowitz & Stegun, table 26.8), is twice the time over a stage.
        let stage = 20.0 / 3.0;
        let mut seen = times("{ gamma = { mean = \"20h\", shape = 3 } }", of_link);
        let erlang = |x: f64| {
            let t = x / stage;
            1.0 - libm::exp(-t) * (1.0 + t + 0.5 * t * t)
        };
        check("gamma 3", &mut seen, 20.0, (0.95, 12.591_587 / 2.0 * stage), erlang);
        let i = interval::quantile(&seen, 0.5, CONFIDENCE);
        within("gamma 3: median", 5.348_121 / 2.0 * stage, i.estimate, i.low, i.high, 0.01);
    }
}

#[test]
fn a_list_from_a_file() {
    for of_link in [false, true] {
        let mut seen = times("{ empirical = \"log.csv\" }", of_link);
        // 36 h, 2 h twice, 10.5 h, 120 h.
        mean_within("a list: mean", 34.1, seen.iter().copied(), CONFIDENCE, 0.015);
        let values = [2.0, 10.5, 36.0, 120.0];
        let counts =
            values.map(|value| seen.iter().filter(|time| (**time - value).abs() < 1e-9).count() as u64);
        assert_eq!(counts.iter().sum::<u64>(), seen.len() as u64, "nothing between the values");
        let expected = [0.4, 0.2, 0.2, 0.2].map(|share| share * seen.len() as f64);
        let fit = chi_square_fit(&counts, &expected, 0);
        assert!(fit.p_value > 1e-5, "{counts:?}, {fit:?}");
        seen.sort_by(f64::total_cmp);
        let quantile = |p: f64| interval::quantile(&seen, p, CONFIDENCE);
        for (p, value) in [(0.3, 2.0), (0.5, 10.5), (0.7, 36.0), (0.9, 120.0)] {
            let i = quantile(p);
            let all = [i.low, i.estimate, i.high];
            assert!(all.iter().all(|x| (x - value).abs() < 1e-9), "{p}: {all:?}");
        }
    }
}
