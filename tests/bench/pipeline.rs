//! Benchmarks of the pipeline: figures are printed, never asserted.

fn main() {}
