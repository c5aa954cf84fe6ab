//! The standard normal law, on both tails to full precision.

use super::{exp, ln, two_product};

/// The complementary error function, 1 − erf(x).
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// The density at `x`.
pub fn normal_pdf(x: f64) -> f64 {
    0.398_942_280_401_432_7 * exp(-0.5 * x * x)
}

/// P(Z > x).
///
/// erfc(x/√2)/2, where the rounding of x/√2 would cost x²·1e-16 in relative terms: a first-order step from the
/// rounded argument z to the true one takes that back.
pub fn normal_sf(x: f64) -> f64 {
    let z = x * std::f64::consts::FRAC_1_SQRT_2;
    let tail = 0.5 * erfc(z);
    if !(1.0..40.0).contains(&z) {
        return tail;
    }
    let ((x_high, x_low), (z_high, z_low)) = (two_product(x, x), two_product(z, z));
    let gap = (0.5 * x_high - z_high) + (0.5 * x_low - z_low);
    // d(erfc) = −2/√π·e^(−z²)·dz with dz = gap/(2z).
    tail - 0.5 * exp(-z_high) * gap / (z * 1.772_453_850_905_516)
}

/// P(Z ≤ x).
pub fn normal_cdf(x: f64) -> f64 {
    normal_sf(-x)
}

/// The value exceeded with probability `q`.
pub fn normal_isf(q: f64) -> f64 {
    -normal_quantile(q)
}

/// The value not exceeded with probability `p`; ∓infinity at 0 and 1, NaN outside.
///
/// Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988),
/// PPND16: about 16 digits down to the smallest normal double.
pub fn normal_quantile(p: f64) -> f64 {
    let centred = p - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * ratio(&CENTRE, r);
    }
    let tail = if centred < 0.0 { p } else { 1.0 - p };
    if tail.is_nan() || tail < 0.0 {
        return f64::NAN;
    }
    let size = if tail == 0.0 {
        f64::INFINITY
    } else {
        let r = (-ln(tail)).sqrt();
        if r <= 5.0 { ratio(&MIDDLE, r - 1.6) } else { ratio(&FAR, r - 5.0) }
    };
    if centred < 0.0 { -size } else { size }
}

/// Numerator and denominator, highest power first.
type Rational = ([f64; 8], [f64; 8]);

fn ratio((above, below): &Rational, r: f64) -> f64 {
    let horner = |c: &[f64; 8]| c.iter().fold(0.0, |sum, c| sum * r + c);
    horner(above) / horner(below)
}

const CENTRE: Rational = (
    [
        2.509_080_928_730_122_7e3,
        3.343_057_558_358_813e4,
        6.726_577_092_700_87e4,
        4.592_195_393_154_987e4,
        1.373_169_376_550_946e4,
        1.971_590_950_306_551_3e3,
        1.331_416_678_917_843_8e2,
        3.387_132_872_796_366_5,
    ],
    [
        5.226_495_278_852_854e3,
        2.872_908_573_572_194_3e4,
        3.930_789_580_009_271e4,
        2.121_379_430_158_659_7e4,
        5.394_196_021_424_751e3,
        6.871_870_074_920_579e2,
        4.231_333_070_160_091e1,
        1.0,
    ],
);

const MIDDLE: Rational = (
    [
        7.745_450_142_783_414e-4,
        2.272_384_498_926_918_4e-2,
        2.417_807_251_774_506e-1,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_5,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ],
    [
        1.050_750_071_644_416_9e-9,
        5.475_938_084_995_345e-4,
        1.519_866_656_361_645_7e-2,
        1.481_039_764_274_800_8e-1,
        6.897_673_349_851e-1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_759,
        1.0,
    ],
);

const FAR: Rational = (
    [
        2.010_334_399_292_288_1e-7,
        2.711_555_568_743_487_6e-5,
        1.242_660_947_388_078_4e-3,
        2.653_218_952_657_612_4e-2,
        2.965_605_718_285_048_7e-1,
        1.784_826_539_917_291_3,
        5.463_784_911_164_114,
        6.657_904_643_501_103,
    ],
    [
        2.044_263_103_389_939_8e-15,
        1.421_511_758_316_446e-7,
        1.846_318_317_510_054_8e-5,
        7.868_691_311_456_133e-4,
        1.487_536_129_085_061_5e-2,
        1.369_298_809_227_358e-1,
        5.998_322_065_558_88e-1,
        1.0,
    ],
);

#[cfg(test)]
mod tests {
    use super::super::testing::near;
    use super::*;

    /// (x, Φ(x)) computed with 40 digits.
    const CDF: [(f64, f64); 11] = [
        (-37.5, 4.605353009581955e-308),
        (-20.3, 6.429244467698346e-92),
        (-8.1, 2.7479593923982286e-16),
        (-3.7, 0.00010779973347738826),
        (-1.3, 0.09680048458561033),
        (-0.4, 0.3445782583896758),
        (0.0, 0.5),
        (0.3, 0.6179114221889527),
        (1.1, 0.8643339390536173),
        (2.9, 0.998134186699616),
        (6.6, 0.9999999999794421),
    ];
    /// (p, the p-quantile) computed with 40 digits.
    const QUANTILE: [(f64, f64); 15] = [
        (1e-300, -37.0470962993612),
        (1e-100, -21.273453560965326),
        (1e-20, -9.262340089798407),
        (1e-09, -5.9978070150076865),
        (1e-05, -4.264890793922825),
        (0.001, -3.0902323061678136),
        (0.02, -2.053748910631823),
        (0.075, -1.439531470938456),
        (0.0751, -1.43882539275254),
        (0.3, -0.5244005127080408),
        (0.49, -0.025068908258711057),
        (0.6, 0.2533471031357997),
        (0.93, 1.475791028179171),
        (0.97, 1.8807936081512506),
        (0.9999, 3.7190164854557084),
    ];

    #[test]
    fn the_cdf_agrees_with_high_precision_values_far_into_the_tail() {
        for (x, p) in CDF {
            near(normal_cdf(x), p, 1e-14);
            near(normal_sf(-x), p, 1e-14);
        }
        near(normal_pdf(1.0), 0.241_970_724_519_143_37, 1e-15);
    }

    #[test]
    fn the_quantile_agrees_with_high_precision_values_far_into_the_tail() {
        for (p, x) in QUANTILE {
            near(normal_quantile(p), x, 1e-14);
            near(normal_isf(p), -x, 1e-14);
        }
        assert_eq!(normal_quantile(0.5), 0.0);
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(-0.1).is_nan() && normal_quantile(f64::NAN).is_nan());
    }
}
