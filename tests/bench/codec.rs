//! The compiled codec alone: `cargo bench --bench codec`.
//!
//! The events of `pipeline.ron` (ten fields, about 150 bytes of Avro), drawn and checked as a run does at both ends.
//! By this thread's CPU time; figures are printed, nothing is asserted.
#![allow(clippy::disallowed_methods, reason = "a bench reads the thread's CPU time from a file")]

#[path = "cpu.rs"]
mod cpu;

use std::hint::black_box;
use std::path::Path;

use cpu::cpu_s;
use eventyard::machines::codec::SchemaLibrary;
use eventyard::project::load_file;
use eventyard::random::Stream;
use eventyard::units::SimTime;

/// More payloads than the caches hold would be another bench: a run checks what it has just drawn or read.
const PAYLOADS: usize = 2_000;
const ROUNDS: usize = 200;

fn main() {
    let project = load_file(Path::new("tests/bench/pipeline.ron")).expect("the bench's project is there").project;
    let schema = SchemaLibrary::default().compile("AVRO", &project.schemas["measured"].text).expect("the bench's schema is sound");
    let mut rng = Stream::new(1, "codec", "payloads");
    let (mut drawn_ns, mut checked_ns) = (f64::INFINITY, f64::INFINITY);
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    let each_ns = |seconds: f64| seconds * 1e9 / (PAYLOADS * ROUNDS) as f64;
    for _ in 0..5 {
        let began = cpu_s();
        for _ in 0..ROUNDS {
            bytes.clear();
            ends.clear();
            for _ in 0..PAYLOADS {
                schema.generate(&mut rng, SimTime::ZERO, &mut bytes);
                ends.push(bytes.len());
            }
            black_box(&bytes);
        }
        drawn_ns = drawn_ns.min(each_ns(cpu_s() - began));
        let began = cpu_s();
        for _ in 0..ROUNDS {
            let mut from = 0;
            for to in &ends {
                schema.validate(black_box(&bytes[from..*to])).expect("what a schema generates is valid");
                from = *to;
            }
        }
        checked_ns = checked_ns.min(each_ns(cpu_s() - began));
    }
    println!("Avro events of {} bytes on average", bytes.len() / PAYLOADS);
    println!("draw and write: {drawn_ns:.0} ns an event (wanted: about 150)");
    println!("read and check: {checked_ns:.0} ns an event, {:.2} million/s (wanted: at least 5)", 1e3 / checked_ns);
}
