//! Benchmarks of the engine: figures are printed, never asserted.

fn main() {}
