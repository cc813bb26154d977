//! Samples against theory, with fixed seeds: every interval below is about five standard errors wide.

use rand_distr::Distribution as _;

use super::*;
use crate::units::{SimDuration, SimTime};

const DRAWS: usize = 200_000;

fn rng(purpose: &str) -> Stream {
    Stream::new(7, "tests", purpose)
}

/// Largest distance between the empirical distribution and `cdf`, times √n. Above 2.0 once in 1,500 tries.
fn kolmogorov(mut samples: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    let distance = |(index, x): (usize, &f64)| {
        let (below, above) = (index as f64 / n, (index + 1) as f64 / n);
        (cdf(*x) - below).abs().max((cdf(*x) - above).abs())
    };
    samples.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

fn phi(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

#[test]
fn ziggurats_follow_their_distributions() {
    let mut rng = rng("ziggurat");
    let exponentials = (0..DRAWS).map(|_| ziggurat::exponential(&mut rng)).collect();
    assert!(kolmogorov(exponentials, |x| -libm::expm1(-x)) < 2.0);
    let normals = (0..DRAWS).map(|_| ziggurat::normal(&mut rng)).collect();
    assert!(kolmogorov(normals, phi) < 2.0);
    // The tails are drawn by other code than the bodies.
    let beyond = (0..4_000_000).filter(|_| ziggurat::exponential(&mut rng) > 9.0).count() as f64;
    let expected = 4e6 * libm::exp(-9.0);
    assert!((beyond - expected).abs() < 5.0 * expected.sqrt(), "{beyond} of {expected}");
    let beyond = (0..4_000_000).filter(|_| ziggurat::normal(&mut rng).abs() > 3.8).count() as f64;
    let expected = 4e6 * 2.0 * phi(-3.8);
    assert!((beyond - expected).abs() < 5.0 * expected.sqrt(), "{beyond} of {expected}");
}

#[test]
fn moments_agree_with_what_is_said_of_them() {
    for text in ["5ms", "uniform(1ms, 3ms)", "exp(5ms)", "lognormal(5ms, 0.8)", "erlang(4, 2ms)", "erlang(50, 2ms)", "normal(2ms, 3ms)"] {
        let distribution: Distribution = text.parse().expect(text);
        let mut rng = rng(text);
        let samples: Vec<f64> = (0..DRAWS).map(|_| distribution.sample(&mut rng).as_secs_f64()).collect();
        for (power, said) in [(1, distribution.mean().as_secs_f64()), (2, distribution.second_moment_s2())] {
            let powers: Vec<f64> = samples.iter().map(|x| if power == 1 { *x } else { x * x }).collect();
            let n = powers.len() as f64;
            let mean = powers.iter().sum::<f64>() / n;
            let variance = powers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
            let error = 5.0 * (variance / n).sqrt() + said * 1e-6;
            assert!((mean - said).abs() <= error, "{text}, moment {power}: {mean} is not {said} ± {error}");
        }
    }
}

#[test]
fn shapes_agree_with_a_reference_sampler() {
    let mut reference = rand_xoshiro::Xoshiro256PlusPlus::from_seed_word(11);
    let mut rng = rng("reference");
    let mut against = |text: &str, theirs: &mut dyn FnMut(&mut rand_xoshiro::Xoshiro256PlusPlus) -> f64| {
        let ours: Distribution = text.parse().expect(text);
        let mut sorted: Vec<f64> = (0..DRAWS).map(|_| theirs(&mut reference)).collect();
        sorted.sort_by(f64::total_cmp);
        let samples = (0..DRAWS).map(|_| ours.sample(&mut rng).as_secs_f64()).collect();
        let empirical = |x: f64| sorted.partition_point(|y| *y <= x) as f64 / DRAWS as f64;
        // Two samples: the limit grows by √2.
        assert!(kolmogorov(samples, empirical) < 2.9, "{text}");
    };
    let exp = rand_distr::Exp::new(200.0).expect("positive");
    against("exp(5ms)", &mut |r| exp.sample(r));
    let mu = libm::log(5e-3) - 0.32;
    let lognormal = rand_distr::LogNormal::new(mu, 0.8).expect("positive");
    against("lognormal(5ms, 0.8)", &mut |r| lognormal.sample(r));
    let few = rand_distr::Gamma::new(4.0, 0.5e-3).expect("positive");
    against("erlang(4, 2ms)", &mut |r| few.sample(r));
    let many = rand_distr::Gamma::new(40.0, 0.5e-3).expect("positive");
    against("erlang(40, 20ms)", &mut |r| many.sample(r));
}

trait FromWord {
    fn from_seed_word(word: u64) -> Self;
}
impl FromWord for rand_xoshiro::Xoshiro256PlusPlus {
    fn from_seed_word(word: u64) -> Self {
        use rand_xoshiro::rand_core::SeedableRng;
        Self::seed_from_u64(word)
    }
}

#[test]
fn zipf_follows_its_law() {
    for (keys, exponent) in [(1000_u64, 1.1), (50, 1.0), (10, 0.5), (3, 3.0), (200, 0.0)] {
        let sampler = KeyChoice::Zipf { keys, exponent }.sampler();
        let mut rng = rng("zipf");
        let mut counts = vec![0_u64; keys as usize];
        for _ in 0..DRAWS {
            counts[sampler.sample(&mut rng).expect("a key") as usize] += 1;
        }
        let weight = |k: usize| libm::pow((k + 1) as f64, -exponent);
        let total: f64 = (0..keys as usize).map(weight).sum();
        for (k, count) in counts.iter().enumerate().take(20) {
            let expected = DRAWS as f64 * weight(k) / total;
            assert!(
                (*count as f64 - expected).abs() < 5.0 * expected.sqrt() + 1.0,
                "zipf({keys}, {exponent}) key {k}: {count} of {expected}"
            );
        }
    }
    let wide = KeyChoice::Zipf { keys: 1_000_000_000, exponent: 1.01 }.sampler();
    let mut rng = rng("wide");
    assert!((0..DRAWS).all(|_| wide.sample(&mut rng).expect("a key") < 1_000_000_000));
}

fn arrivals(text: &str, seconds: f64) -> Vec<f64> {
    let arrival: Arrival = text.parse().expect(text);
    let (mut state, mut rng, mut now, mut out) = (ArrivalState::default(), rng(text), SimTime::ZERO, Vec::new());
    while let Some(next) = arrival.next(&mut state, now, &mut rng) {
        assert!(next >= now);
        now = next;
        if now.as_secs_f64() > seconds {
            break;
        }
        out.push(now.as_secs_f64());
    }
    out
}

#[test]
fn arrivals_keep_their_rates() {
    for (text, seconds) in [
        ("3/s", 1000.0),
        ("constant(100/s)", 100.0),
        ("poisson(300/s)", 300.0),
        ("uniform(100/s, 20%)", 300.0),
        ("burst(1000/s for 1s every 10s)", 95.0),
        ("poisson(burst(1000/s for 1s every 10s))", 200.5),
        ("ramp(0/s to 1000/s over 60s)", 90.0),
        ("ramp(1000/s to 0/s over 60s)", 90.0),
        ("poisson(ramp(100/s to 1000/s over 60s))", 90.0),
        ("poisson([0s: 100/s, 30s: 400/s, 60s: 0/s, 70s: 50/s])", 100.0),
        ("[0s: 100/s, 30s: 400/s]", 60.0),
    ] {
        let count = arrivals(text, seconds).len() as f64;
        let arrival: Arrival = text.parse().expect(text);
        let expected = arrival.mean_rate(SimDuration::from_secs_f64(seconds)) * seconds;
        let slack = if text.contains("poisson") || text.contains("uniform") { 5.0 * expected.sqrt() } else { 1.0 };
        assert!((count - expected).abs() <= slack, "{text}: {count} of {expected}");
    }
}

#[test]
fn a_changing_poisson_rate_is_uniform_in_its_own_time_scale() {
    let seconds = 60.0;
    let times = arrivals("poisson(ramp(0/s to 1000/s over 60s))", seconds);
    assert!(kolmogorov(times, |t| t * t / (seconds * seconds)) < 2.0);
    // A constant rate that rises by a step: gaps change where the step is.
    let times = arrivals("[0s: 10/s, 1s: 100/s]", 2.0);
    assert!((times[9] - 1.0).abs() < 1e-6 && (times[10] - 1.01).abs() < 1e-6, "{times:?}");
}

#[test]
fn rounding_to_nanoseconds_does_not_add_up() {
    let times = arrivals("3000000/s", 1.0);
    assert_eq!(times.len(), 3_000_000);
}

#[test]
fn no_rate_no_arrival() {
    for text in ["0/s", "poisson(0/s)", "[0s: 0/s]", "burst(0/s for 1s every 2s)", "ramp(0/s to 0/s over 1s)"] {
        assert_eq!(arrivals(text, 1.0), Vec::<f64>::new(), "{text}");
    }
    assert!(arrivals("[0s: 10/s, 1s: 0/s]", 100.0).len() <= 10);
}

#[test]
fn text_comes_back_as_typed() {
    for text in ["5ms", "exp(5ms)", "uniform(1ms, 3ms)", "lognormal( 5ms ,0.8)", "erlang(4, 2ms)", "normal(5ms, 1ms)", "constant(0s)"] {
        let parsed: Distribution = text.parse().expect(text);
        assert_eq!(parsed.to_string(), text);
    }
    for text in ["100/s", "poisson(300/s)", "uniform(100/s, 20%)", "burst(1000/s for 1s every 10s)", "poisson([0s: 100/s, 30s: 400/s])"] {
        assert_eq!(text.parse::<Arrival>().expect(text).to_string(), text);
    }
    for text in ["none", "uniform(1000)", "zipf(1000, 1.1)"] {
        assert_eq!(text.parse::<KeyChoice>().expect(text).to_string(), text);
    }
    assert_eq!("constant(5ms)".parse::<Distribution>(), "5ms".parse());
    assert_eq!(Distribution::default(), "0s".parse().expect("zero"));
}

#[test]
fn refusals_say_what_was_expected() {
    let words = |text: &str| text.parse::<Distribution>().expect_err(text);
    assert_eq!(words("exp()"), "a duration is missing; expected exp(MEAN), for example exp(5ms)");
    assert!(words("expp(5ms)").contains("did you mean `exp`?"));
    assert!(words("exp(-5ms)").contains("negative"));
    assert!(words("uniform(3ms, 1ms)").contains("above"));
    for text in
        ["", "exp(5)", "exp(NaN)", "exp(5ms", "lognormal(5ms, NaN)", "lognormal(5ms, -1)", "erlang(0, 5ms)", "erlang(1.5, 5ms)", "exp(inf)"]
    {
        words(text);
    }
    for text in [
        "",
        "poisson(-1/s)",
        "poisson(NaN/s)",
        "uniform(100/s, 120%)",
        "burst(1/s for 2s every 1s)",
        "ramp(1/s over 2s)",
        "[]",
        "[1s: 2/s, 1s: 3/s]",
        "fast",
    ] {
        text.parse::<Arrival>().expect_err(text);
    }
    let many = format!("[{}]", (0..2000).map(|i| format!("{i}s: 1/s")).collect::<Vec<_>>().join(","));
    assert!(many.parse::<Arrival>().expect_err("too many").contains("at most 1000 points"));
    for text in ["", "zipf(0, 1)", "zipf(10)", "zipf(10, NaN)", "uniform(2000000000)", "every"] {
        text.parse::<KeyChoice>().expect_err(text);
    }
}
