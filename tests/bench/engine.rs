//! The kernel's figures: `cargo bench --bench engine`.
//!
//! M/M/1 against a hand-written loop over std's `BinaryHeap` in the same run (the ratio is what counts on a
//! shared machine), and the hold model of the calendar against a binary and a 4-ary heap. Nothing is asserted.
#![allow(clippy::disallowed_methods, reason = "a bench reads the thread's CPU time from a file")]

#[path = "cpu.rs"]
mod cpu;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::sync::Arc;

use cpu::cpu_s;
use eventyard::compile::{Plan, PlannedComponent, PlannedLink, WarmUp};
use eventyard::engine::{Calendar, Ctx, Figures, LinkEnd, Process, TraceSampling};
use eventyard::event::{Acks, CallId, Message, ProduceRequest};
use eventyard::machines::codec::SchemaLibrary;
use eventyard::model::Project;
use eventyard::random::{Distribution, Stream};
use eventyard::run::Sim;
use eventyard::units::{ComponentIx, LinkIx, SimDuration, SimTime};

const CUSTOMERS: u64 = 5_000_000;
const ARRIVAL: &str = "exp(1250us)";
const SERVICE: &str = "exp(1ms)";

fn main() {
    println!("M/M/1, utilisation 0.8, {CUSTOMERS} customers, two events each");
    let mut ratios = Vec::new();
    for round in 0..5 {
        let hand = by_hand();
        let kernel = by_kernel();
        ratios.push(kernel / hand);
        println!(
            "  round {round}: hand-written {:.1} ns an event, kernel {:.1} ns ({:.1} M events/s), ratio {:.2}",
            hand,
            kernel,
            1e3 / kernel,
            kernel / hand
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!("  median ratio {:.2} (wanted: at most 2)", ratios[2]);
    println!("hold model, exponential increments, ns a pop + push");
    println!("  {:>9} {:>9} {:>9} {:>9}", "pending", "calendar", "binary", "4-ary");
    for pending in [1, 1_000, 100_000, 1_000_000] {
        println!("  {:>9} {:>9.1} {:>9.1} {:>9.1}", pending, hold_calendar(pending), hold_binary(pending), hold_quaternary(pending));
    }
    println!("  (wanted: at most 60 with 1,000 and 150 with 1,000,000)");
}

/// The same work without a kernel: source and server in one loop.
fn by_hand() -> f64 {
    let (mut arrivals, mut services) = (Stream::new(1, "source", "arrivals"), Stream::new(1, "server", "service"));
    let (gap, service): (Distribution, Distribution) = (ARRIVAL.parse().expect("valid"), SERVICE.parse().expect("valid"));
    let mut heap: BinaryHeap<Reverse<(u64, u64, u8)>> = BinaryHeap::new();
    let mut queue = std::collections::VecDeque::new();
    let (mut seq, mut made, mut served, mut waited, mut busy) = (0, 0, 0, 0u128, false);
    let began = cpu_s();
    heap.push(Reverse((gap.sample(&mut arrivals).as_ns(), seq, 0)));
    while let Some(Reverse((now, _, what))) = heap.pop() {
        if what == 0 {
            made += 1;
            queue.push_back(now);
            if made < CUSTOMERS {
                seq += 1;
                heap.push(Reverse((now + gap.sample(&mut arrivals).as_ns(), seq, 0)));
            }
        } else {
            served += 1;
            busy = false;
        }
        if !busy && let Some(arrived) = queue.pop_front() {
            busy = true;
            waited += u128::from(now - arrived);
            seq += 1;
            heap.push(Reverse((now + service.sample(&mut services).as_ns(), seq, 1)));
        }
    }
    black_box((served, waited));
    (cpu_s() - began) * 1e9 / (2 * CUSTOMERS) as f64
}

#[derive(Clone)]
struct Source {
    rng: Stream,
    gap: Distribution,
    made: u64,
}

impl Process for Source {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        ctx.timer_after(self.gap.sample(&mut self.rng), 0);
    }
    fn on_message(&mut self, _: &mut Ctx<'_>, _: LinkEnd, _: Message) {}
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, _: u64) {
        self.made += 1;
        // The smallest message there is: an empty request, its number in the call id.
        let request =
            ProduceRequest { call: CallId(self.made), node: 0, producer: 0, transaction: None, acks: Acks::None, entries: Vec::new() };
        ctx.send(LinkEnd(0), Message::Produce(Box::new(request)));
        if self.made < CUSTOMERS {
            ctx.timer_after(self.gap.sample(&mut self.rng), 0);
        }
    }
    fn figures(&self, _: SimTime, out: &mut Figures) {
        out.counter("produced_count", self.made);
    }
    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}

#[derive(Clone)]
struct Server {
    rng: Stream,
    service: Distribution,
    queue: std::collections::VecDeque<SimTime>,
    busy: bool,
    served: u64,
    waited: u128,
}

impl Server {
    fn begin(&mut self, ctx: &mut Ctx<'_>) {
        if !self.busy
            && let Some(arrived) = self.queue.pop_front()
        {
            self.busy = true;
            self.waited += u128::from(ctx.now.since(arrived).as_ns());
            ctx.timer_after(self.service.sample(&mut self.rng), 0);
        }
    }
}

impl Process for Server {
    fn start(&mut self, _: &mut Ctx<'_>) {}
    fn on_message(&mut self, ctx: &mut Ctx<'_>, _: LinkEnd, message: Message) {
        black_box(message);
        self.queue.push_back(ctx.now);
        self.begin(ctx);
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, _: u64) {
        self.served += 1;
        self.busy = false;
        self.begin(ctx);
    }
    fn figures(&self, _: SimTime, out: &mut Figures) {
        out.counter("served_count", self.served);
    }
    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}

fn by_kernel() -> f64 {
    let source = Source { rng: Stream::new(1, "source", "arrivals"), gap: ARRIVAL.parse().expect("valid"), made: 0 };
    let server = Server {
        rng: Stream::new(1, "server", "service"),
        service: SERVICE.parse().expect("valid"),
        queue: std::collections::VecDeque::new(),
        busy: false,
        served: 0,
        waited: 0,
    };
    let component = |id: &str, process: Box<dyn Process>, is_from| PlannedComponent {
        id: id.into(),
        key: id.into(),
        kind: "bench",
        process,
        groups: Vec::new(),
        results: None,
        ends: vec![(LinkIx(0), is_from)],
    };
    let link = PlannedLink {
        id: "source.out→server.in".into(),
        from: (ComponentIx(0), LinkEnd(0)),
        to: (ComponentIx(1), LinkEnd(0)),
        latency: Distribution::default(),
        bandwidth_bytes_per_s: None,
        loss_ratio: 0.0,
        streams: [Stream::new(1, "link", "forward"), Stream::new(1, "link", "backward")],
        fault_stream: Stream::new(1, "link", "faults"),
        is_reference: false,
    };
    let plan = Plan {
        project: Arc::new(Project::default()),
        scenario: String::new(),
        seed: 1,
        length: SimDuration::from_secs(1_000_000),
        warm_up: WarmUp::Fixed(SimDuration::ZERO),
        components: vec![component("source", Box::new(source), true), component("server", Box::new(server), false)],
        links: vec![link],
        topics: Vec::new(),
        groups: Vec::new(),
        retries: Vec::new(),
        event_types: Vec::new(),
        schemas: Arc::new(SchemaLibrary::default()),
        inputs: Vec::new(),
        tracing: TraceSampling::default(),
        kept: Arc::default(),
        remarks: Vec::new(),
        overrides: std::collections::BTreeMap::new(),
    };
    let mut sim = Sim::new(plan).expect("it starts");
    let began = cpu_s();
    while !sim.run_until(SimTime::MAX, 1 << 20).expect("it runs") {}
    let ns = (cpu_s() - began) * 1e9;
    black_box(sim.steps());
    ns / (2 * CUSTOMERS) as f64
}

const HOLDS: u64 = 4_000_000;

fn increments() -> (Stream, Distribution) {
    (Stream::new(7, "hold", "increments"), "exp(1ms)".parse().expect("valid"))
}

fn hold_calendar(pending: u64) -> f64 {
    let (mut rng, dist) = increments();
    let mut calendar = Calendar::default();
    for item in 0..pending {
        calendar.push(SimTime::ZERO + dist.sample(&mut rng), (item, item as u32));
    }
    let began = cpu_s();
    for _ in 0..HOLDS {
        let (at, item) = calendar.pop_until(SimTime::MAX).expect("never empty");
        calendar.push(at + dist.sample(&mut rng), item);
    }
    (cpu_s() - began) * 1e9 / HOLDS as f64
}

fn hold_binary(pending: u64) -> f64 {
    let (mut rng, dist) = increments();
    let mut heap = BinaryHeap::new();
    for item in 0..pending {
        heap.push(Reverse((dist.sample(&mut rng).as_ns(), item, item as u32)));
    }
    let mut seq = pending;
    let began = cpu_s();
    for _ in 0..HOLDS {
        let Reverse((at, _, item)) = heap.pop().expect("never empty");
        seq += 1;
        heap.push(Reverse((at + dist.sample(&mut rng).as_ns(), seq, item)));
    }
    (cpu_s() - began) * 1e9 / HOLDS as f64
}

fn hold_quaternary(pending: u64) -> f64 {
    let (mut rng, dist) = increments();
    let mut heap = Quaternary::default();
    for item in 0..pending {
        heap.push((dist.sample(&mut rng).as_ns(), item, item as u32));
    }
    let mut seq = pending;
    let began = cpu_s();
    for _ in 0..HOLDS {
        let (at, _, item) = heap.pop().expect("never empty");
        seq += 1;
        heap.push((at + dist.sample(&mut rng).as_ns(), seq, item));
    }
    (cpu_s() - began) * 1e9 / HOLDS as f64
}

/// A 4-ary heap of inline entries, the other candidate for the calendar.
#[derive(Default)]
struct Quaternary {
    entries: Vec<(u64, u64, u32)>,
}

impl Quaternary {
    fn push(&mut self, entry: (u64, u64, u32)) {
        let mut at = self.entries.len();
        self.entries.push(entry);
        while at > 0 && self.entries[(at - 1) / 4] > entry {
            self.entries[at] = self.entries[(at - 1) / 4];
            at = (at - 1) / 4;
        }
        self.entries[at] = entry;
    }
    fn pop(&mut self) -> Option<(u64, u64, u32)> {
        let least = *self.entries.first()?;
        let last = self.entries.pop()?;
        let len = self.entries.len();
        if len == 0 {
            return Some(least);
        }
        let mut at = 0;
        loop {
            let first = 4 * at + 1;
            let Some(child) = (first..(first + 4).min(len)).min_by_key(|child| self.entries[*child]) else { break };
            if self.entries[child] >= last {
                break;
            }
            self.entries[at] = self.entries[child];
            at = child;
        }
        self.entries[at] = last;
        Some(least)
    }
}
