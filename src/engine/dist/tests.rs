//! Laws against their definitions, textbook values, the Kolmogorov-Smirnov test, and pinned draws.

use super::*;
use crate::maths::testing::{SplitMix, near};

fn laws() -> Vec<(&'static str, Law)> {
    let build = |law: Result<Law, LawError>| law.unwrap();
    vec![
        ("exponential", build(Law::exponential(36_000.0))),
        ("weibull", build(Law::weibull(100.0, 0.7))),
        ("weibull ageing", build(Law::weibull_mean(5_000.0, 3.0))),
        ("lognormal", build(Law::lognormal_median(300.0, 1.2))),
        ("gamma", build(Law::gamma(2.5, 40.0))),
        ("gamma small shape", build(Law::gamma(0.3, 10.0))),
        ("uniform", build(Law::uniform(2.0, 5.0))),
        ("fixed", build(Law::fixed(10.0))),
        ("empirical", build(Law::empirical(&[3.0, 1.0, 4.0, 1.0, 5.0]))),
        ("shifted", build(Law::shifted(&Law::exponential(3.0).unwrap(), 2.0))),
        ("shifted gamma", build(Law::shifted(&Law::gamma(4.0, 1.0).unwrap(), 7.0))),
    ]
}

fn is_continuous(name: &str) -> bool {
    name != "fixed" && name != "empirical"
}

#[test]
fn textbook_values() {
    let near = |got: f64, want: f64| near(got, want, 1e-12);
    near(Law::exponential(10.0).unwrap().quantile(0.5), 10.0 * std::f64::consts::LN_2);
    near(Law::weibull(10.0, 2.0).unwrap().mean(), 8.862_269_254_527_58);
    near(Law::weibull(10.0, 2.0).unwrap().quantile(1.0 - 1.0 / std::f64::consts::E), 10.0);
    near(Law::weibull_mean(50.0, 0.75).unwrap().tail_integral(1e9), 50.0);
    near(Law::lognormal_median(2.0, 0.5).unwrap().mean(), 2.0 * exp(0.125));
    near(Law::lognormal_median(2.0, 0.5).unwrap().sf(2.0 * exp(0.5)), 0.158_655_253_931_457_05);
    // Erlang of order 2: sf = (1 + x)·e^(−x).
    near(Law::gamma(2.0, 3.0).unwrap().sf(6.0), 3.0 * exp(-2.0));
    near(Law::uniform(2.0, 6.0).unwrap().cdf(3.0), 0.25);
    let steps = Law::empirical(&[1.0, 2.0, 2.0, 5.0]).unwrap();
    assert_eq!([0.2, 0.25, 0.26, 0.75, 0.76, 1.0].map(|u| steps.quantile(u)), [1.0, 1.0, 2.0, 2.0, 5.0, 5.0]);
    assert_eq!(steps.cdf(2.0), 0.75);
}

#[test]
fn a_lognormal_from_its_median_or_mean_and_a_quantile() {
    let law = Law::lognormal_median_quantile(162.0, 0.95, 1194.0).unwrap();
    near(law.quantile(0.95), 1194.0, 1e-12);
    near(law.quantile(0.5), 162.0, 1e-12);
    // Two shapes fit a p95 of twice the mean; the narrower is taken: sigma = 1.6449 − √(1.6449² − 2·ln 2).
    let law = Law::lognormal_mean_quantile(60.0, 0.95, 120.0).unwrap();
    near(law.mean(), 60.0, 1e-12);
    near(law.quantile(0.95), 120.0, 1e-12);
    assert!(law.quantile(0.5) > 0.8 * 60.0, "the wider shape has a median of {}", law.quantile(0.5));
    // A p95 below the mean: only one shape.
    let law = Law::lognormal_mean_quantile(60.0, 0.95, 50.0).unwrap();
    near(law.quantile(0.95), 50.0, 1e-12);
    assert_eq!(Law::lognormal_mean_quantile(60.0, 0.95, 60.0), Law::fixed(60.0));

    let refused = Law::lognormal_mean_quantile(1.0, 0.95, 3.87).unwrap_err().to_string();
    assert!(refused.contains("the most is 3.8681 times"), "{refused}");
    let refused = Law::lognormal_mean_quantile(1.0, 0.99, 15.0).unwrap_err().to_string();
    assert!(refused.contains("the most is 14.96"), "{refused}");
    assert!(Law::lognormal_median_quantile(10.0, 0.95, 9.0).is_err());
    assert!(Law::lognormal_median_quantile(10.0, 0.5, 10.0).is_err());
}

#[test]
fn nonsense_is_refused() {
    for law in [
        Law::exponential(0.0),
        Law::exponential(f64::NAN),
        Law::exponential(f64::INFINITY),
        Law::weibull(1.0, -1.0),
        Law::weibull(1.0, 1e-3),
        Law::lognormal_median(1.0, -0.1),
        Law::lognormal_median(1.0, 100.0),
        Law::gamma(1.0, 0.0),
        Law::uniform(2.0, 1.0),
        Law::fixed(-1.0),
        Law::empirical(&[]),
        Law::empirical(&[1.0, f64::NAN]),
        Law::shifted(&Law::fixed(1.0).unwrap(), -1.0),
        Law::scaled(&Law::fixed(1.0).unwrap(), 0.0),
    ] {
        assert!(law.is_err(), "{law:?}");
    }
}

#[test]
fn quantile_and_cdf_are_inverse_on_both_tails() {
    // Not for laws with a fixed end above zero: next to it a double has no room for the tail.
    for (_, law) in laws().into_iter().filter(|(_, law)| law.support_min() == 0.0) {
        for tail in [1e-200, 1e-30, 1e-9, 0.01, 0.3, 0.499] {
            near(law.sf(law.isf(tail)), tail, 1e-12);
            // A small gamma shape puts extreme quantiles below the smallest double.
            if law.quantile(tail) > 0.0 {
                near(law.cdf(law.quantile(tail)), tail, 1e-12);
            }
        }
        near(law.quantile(0.9), law.isf(0.1), 1e-12);
    }
}

#[test]
fn odd_uniforms_give_the_ends_of_the_support() {
    for (name, law) in laws() {
        assert_eq!(law.quantile(0.0), law.support_min(), "{name}");
        assert_eq!(law.quantile(f64::NAN), law.support_min(), "{name}");
        assert_eq!(law.quantile(1.0), law.support_max(), "{name}");
        assert_eq!(law.isf(0.0), law.support_max(), "{name}");
        assert_eq!(law.cdf(-1.0), 0.0);
        assert_eq!(law.sf(-1.0), 1.0);
        assert!(law.sf(f64::NAN).is_nan());
    }
}

/// The trapezoid rule on a fine grid, in place of the closed form.
fn integral(law: &Law, a: f64) -> f64 {
    let n = 200_000;
    let h = a / f64::from(n);
    let inner: f64 = (1..n).map(|i| law.sf(f64::from(i) * h)).sum();
    h * (0.5 * law.sf(0.0) + inner + 0.5 * law.sf(a))
}

#[test]
fn the_tail_integral_is_the_integral_of_the_tail() {
    for (name, law) in laws() {
        for share in [0.3, 1.0, 2.5] {
            let a = share * law.mean();
            let (got, want) = (law.tail_integral(a), integral(&law, a));
            assert!((got / want - 1.0).abs() < 2e-5, "{name} at {a}: {got} against {want}");
        }
        near(law.tail_integral(law.isf(1e-18).min(1e12)), law.mean(), 1e-9);
    }
}

#[test]
fn the_equilibrium_quantile_inverts_the_tail_integral() {
    for (name, law) in laws() {
        for u in [1e-9, 0.01, 0.2, 0.5, 0.8, 0.99, 1.0 - 1e-9] {
            let x = law.equilibrium_quantile(u);
            let back = law.tail_integral(x) / law.mean();
            assert!((back - u).abs() < 1e-12, "{name} at {u}: {x} gives {back}");
        }
        assert_eq!(law.equilibrium_quantile(0.0), 0.0, "{name}");
    }
    near(Law::fixed(10.0).unwrap().equilibrium_quantile(0.25), 2.5, 1e-15);
}

#[test]
fn conditional_draws_split_the_law_at_the_limit() {
    for (name, law) in laws() {
        let limit = law.sample(0.37);
        let (below, _) = law.pair(limit.as_secs());
        for u in [0.001, 0.25, 0.5, 0.9, 0.999] {
            let low = law.sample_below(u, limit);
            let high = law.sample_above(u, limit);
            assert!(low <= limit, "{name}");
            assert!(high > limit, "{name}");
            if is_continuous(name) {
                assert!((low.as_secs() - law.quantile(u * below)).abs() < 1e-8 * law.mean(), "{name}");
                let want = law.quantile(below + u * (1.0 - below));
                assert!((high.as_secs() / want - 1.0).abs() < 1e-8, "{name}");
            }
        }
    }
    // The share of uniforms below the limit and the two conditional laws together give the law itself.
    let steps = Law::empirical(&[1.0, 2.0, 3.0, 4.0]).unwrap();
    let limit = Span::from_whole_secs(2);
    assert_eq!([0.2, 0.7].map(|u| steps.sample_below(u, limit).as_secs()), [1.0, 2.0]);
    assert_eq!([0.2, 0.7].map(|u| steps.sample_above(u, limit).as_secs()), [3.0, 4.0]);
}

#[test]
fn conditional_draws_stay_exact_far_in_the_tail() {
    // 500 means away: the survival function is 1e-217.
    let far = Span::from_whole_secs(5_000);
    let law = Law::exponential(10.0).unwrap();
    assert_eq!(law.sample_above(0.5, far), far + law.sample(0.5));
    // Beyond the smallest double, too.
    let farther = Span::from_whole_secs(1_000_000);
    assert_eq!(law.sample_above(0.5, farther), farther + law.sample(0.5));
    let erlang = Law::gamma(2.0, 10.0).unwrap();
    let excess = erlang.sample_above(0.5, far).as_secs() - 5_000.0;
    // (1 + x/10)·e^(−x/10) halves over about 10·ln 2·(1 + 1/500).
    assert!((excess - 6.945).abs() < 0.01, "{excess}");
    // Impossible conditions have an answer that respects them.
    let fixed = Law::fixed(1.0).unwrap();
    assert_eq!(fixed.sample_above(0.5, far), far + Span::from_nanos(1));
    assert_eq!(fixed.sample_below(0.5, Span::from_millis(1)), Span::from_millis(1));
}

#[test]
fn scaling_and_shifting_move_every_quantile() {
    for (name, law) in laws() {
        let scaled = Law::scaled(&law, 3.0).unwrap();
        let shifted = Law::shifted(&law, 3.0).unwrap();
        near(scaled.mean(), 3.0 * law.mean(), 1e-14);
        near(shifted.mean(), 3.0 + law.mean(), 1e-14);
        for u in [0.01, 0.5, 0.93] {
            assert!((scaled.quantile(u) / (3.0 * law.quantile(u)) - 1.0).abs() < 1e-13, "{name}");
            assert!((shifted.quantile(u) / (3.0 + law.quantile(u)) - 1.0).abs() < 1e-13, "{name}");
        }
    }
}

#[test]
fn draws_follow_their_law() {
    for (name, law) in laws().into_iter().filter(|(name, _)| is_continuous(name)) {
        let mut random = SplitMix(0xd157);
        let mut draws: Vec<f64> = (0..4_000).map(|_| law.sample(random.uniform()).as_secs()).collect();
        draws.sort_by(f64::total_cmp);
        let n = draws.len() as f64;
        let distance = draws.iter().enumerate().fold(0.0_f64, |d, (i, x)| {
            let f = law.cdf(*x);
            d.max(f - i as f64 / n).max((i as f64 + 1.0) / n - f)
        });
        // The 99.9 % point of Kolmogorov's law.
        assert!(distance * n.sqrt() < 1.95, "{name}: {}", distance * n.sqrt());
    }
}

/// FNV-1a over the draws in nanoseconds, plain, conditional and in equilibrium.
fn fingerprint(law: &Law) -> u64 {
    let mut random = SplitMix(2_024);
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bits: u64| {
        for byte in bits.to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    let limit = law.sample(0.6);
    for i in 0..100_000 {
        let u = random.uniform();
        add(law.sample(u).as_nanos());
        if i % 10 == 0 {
            add(law.sample_below(u, limit).as_nanos());
            add(law.sample_above(u, limit).as_nanos());
            add(law.equilibrium_quantile(u).to_bits());
        }
    }
    hash
}

/// Draws are part of every result: a change here changes all of them and must be announced as such.
#[test]
fn draws_are_the_same_on_every_machine() {
    const PINNED: [(&str, u64); 11] = [
        ("exponential", 0xb038_73a0_bdde_7eb0),
        ("weibull", 0x5cd5_cc8c_85d8_3395),
        ("weibull ageing", 0xc3bf_f3d7_c7a3_aafd),
        ("lognormal", 0x99e6_b856_6c41_fd8a),
        ("gamma", 0xdfc3_880a_5840_634f),
        ("gamma small shape", 0xc860_034a_d115_d77e),
        ("uniform", 0x4076_ab33_0d16_37cb),
        ("fixed", 0x5bb3_4d1c_f530_cc81),
        ("empirical", 0xd4f4_5722_7967_f530),
        ("shifted", 0xc284_a7da_1315_8d5a),
        ("shifted gamma", 0xaf4e_ebc6_638f_514f),
    ];
    let got: Vec<(&str, u64)> = laws().iter().map(|(name, law)| (*name, fingerprint(law))).collect();
    assert_eq!(got, PINNED, "\n{got:#x?}");
}
