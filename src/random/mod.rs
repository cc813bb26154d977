//! Randomness: one generator, named streams, distributions as data with samplers of our own.
//!
//! In: (seed, a component's stream key, a purpose). Out: a [`Stream`] whose numbers depend on nothing else,
//! so a component added or a draw more in one place moves no number elsewhere.
//! Must not know: who draws. Start at [`Stream`]; [`Distribution`], [`Arrival`] and [`KeyChoice`] are what
//! projects write (`exp(5ms)`, `poisson(300/s)`, `zipf(1000, 1.1)`).

mod arrival;
mod call;
mod distribution;
mod keys;
mod rate_curve;
mod stream;
mod ziggurat;

#[cfg(test)]
mod tests;

pub use arrival::{Arrival, ArrivalState};
pub use distribution::Distribution;
pub use keys::{KeyChoice, KeySampler};
pub use stream::{FNV1A_BASIS, Stream, fnv1a, mix64};
