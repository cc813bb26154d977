//! Exponential and normal variates by the ziggurat method.
//!
//! 256 layers of equal area cover the density; one random word picks a layer and a point in it, and in
//! about 99 of 100 draws that point is the variate (Marsaglia and Tsang 2000, J. Stat. Soft. 5(8), with
//! the layer and the point taken from different bits of the word, after Doornik 2005). The tables come
//! from libm, so they hold the same bits on every machine.

use std::sync::LazyLock;

use super::Stream;

const LAYERS: usize = 256;
/// Where the exponential's base layer ends, and the area of each layer.
const EXP_R: f64 = 7.697_117_470_131_05;
const EXP_V: f64 = 3.949_659_822_581_572e-3;
/// The same for the normal's half density exp(-x²/2).
const NORMAL_R: f64 = 3.654_152_885_361_009;
const NORMAL_V: f64 = 4.928_673_233_974_655e-3;

struct Tables {
    /// Right edges of the layers, falling; the first is the virtual edge of the base layer.
    x: [f64; LAYERS + 1],
    /// Density at each edge.
    f: [f64; LAYERS + 1],
}

static EXP: LazyLock<Tables> = LazyLock::new(|| tables(EXP_R, EXP_V, |x| libm::exp(-x), |y| -libm::log(y)));
static NORMAL: LazyLock<Tables> =
    LazyLock::new(|| tables(NORMAL_R, NORMAL_V, |x| libm::exp(-0.5 * x * x), |y| libm::sqrt(-2.0 * libm::log(y))));

fn tables(r: f64, v: f64, density: impl Fn(f64) -> f64, inverse: impl Fn(f64) -> f64) -> Tables {
    let mut x = [0.0; LAYERS + 1];
    x[0] = v / density(r);
    x[1] = r;
    for i in 2..LAYERS {
        x[i] = inverse(v / x[i - 1] + density(x[i - 1]));
    }
    x[LAYERS] = 0.0;
    let f = std::array::from_fn(|i| density(x[i]));
    Tables { x, f }
}

/// An exponential variate with mean 1.
#[inline]
pub(super) fn exponential(rng: &mut Stream) -> f64 {
    let tables = &*EXP;
    loop {
        let bits = rng.next_u64();
        let layer = (bits & 0xff) as usize;
        let x = unit_open(bits) * tables.x[layer];
        if x < tables.x[layer + 1] {
            return x;
        }
        if layer == 0 {
            // The tail of an exponential is an exponential.
            return EXP_R - libm::log(rng.unit_open_f64());
        }
        if between(tables, layer, rng.unit_f64()) < libm::exp(-x) {
            return x;
        }
    }
}

/// A standard normal variate.
#[inline]
pub(super) fn normal(rng: &mut Stream) -> f64 {
    let tables = &*NORMAL;
    loop {
        let bits = rng.next_u64();
        let layer = (bits & 0xff) as usize;
        let x = (2.0 * unit_open(bits) - 1.0) * tables.x[layer];
        if x.abs() < tables.x[layer + 1] {
            return x;
        }
        if layer == 0 {
            let tail = normal_tail(rng);
            return if x < 0.0 { -tail } else { tail };
        }
        if between(tables, layer, rng.unit_f64()) < libm::exp(-0.5 * x * x) {
            return x;
        }
    }
}

/// Marsaglia's tail method (1964).
#[cold]
fn normal_tail(rng: &mut Stream) -> f64 {
    loop {
        let x = -libm::log(rng.unit_open_f64()) / NORMAL_R;
        let y = -libm::log(rng.unit_open_f64());
        if 2.0 * y >= x * x {
            return NORMAL_R + x;
        }
    }
}

/// A height between a layer's bottom and top.
fn between(tables: &Tables, layer: usize, share: f64) -> f64 {
    tables.f[layer + 1] + (tables.f[layer] - tables.f[layer + 1]) * share
}

/// Uniform in (0, 1) from the word's upper 52 bits; the lower eight choose the layer.
#[inline]
fn unit_open(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}
