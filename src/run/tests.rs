//! Tests of the driver and its network, with processes that follow a script.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::network::Wire;
use super::{RunFailure, Sim};
use crate::compile::{Plan, PlannedComponent, PlannedLink, WarmUp};
use crate::engine::{Ctx, Figures, LinkEnd, Process, TraceSampling};
use crate::event::{Acks, CallId, Message, ProduceRequest};
use crate::machines::codec::SchemaLibrary;
use crate::model::Project;
use crate::random::{Distribution, Stream};
use crate::units::{ComponentIx, LinkIx, SimDuration, SimTime};

/// What a turn does, in order.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A timer after so many nanoseconds.
    Timer(u64),
    /// A message held back for so many nanoseconds.
    Send(u64),
}

/// Where and when a turn was, and which effect led to it.
type Seen = (u64, u32, u64);

/// Does the next acts of a common script at every turn, and numbers its effects.
#[derive(Clone)]
struct Scripted {
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    turns: Vec<Vec<Act>>,
    next_turn: usize,
    next_effect: u64,
    seen: Vec<Seen>,
}

impl Script {
    /// The acts of the next turn with their numbers; none when the script is over.
    fn turn(&mut self, seen: Seen) -> Vec<(u64, Act)> {
        self.seen.push(seen);
        let acts = self.turns.get(self.next_turn).cloned().unwrap_or_default();
        self.next_turn += 1;
        let first = self.next_effect;
        self.next_effect += acts.len() as u64;
        (first..).zip(acts).collect()
    }
}

impl Scripted {
    fn turn(&self, ctx: &mut Ctx<'_>, effect: u64) {
        let acts = self.script.lock().expect("no test panics within").turn((ctx.now.as_ns(), ctx.me.0, effect));
        for (number, act) in acts {
            match act {
                Act::Timer(ns) => ctx.timer_after(SimDuration::from_ns(ns), number),
                Act::Send(ns) => ctx.send_after(LinkEnd(0), SimDuration::from_ns(ns), numbered(number)),
            }
        }
    }
}

impl Process for Scripted {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        self.turn(ctx, u64::MAX);
    }
    fn on_message(&mut self, ctx: &mut Ctx<'_>, _: LinkEnd, message: Message) {
        let Message::Produce(request) = message else { panic!("only numbered messages are sent") };
        self.turn(ctx, request.call.0);
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        self.turn(ctx, token);
    }
    fn figures(&self, _: SimTime, _: &mut Figures) {}
    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}

fn numbered(number: u64) -> Message {
    Message::Produce(Box::new(ProduceRequest {
        call: CallId(number),
        node: 0,
        producer: 0,
        transaction: None,
        acks: Acks::None,
        entries: Vec::new(),
    }))
}

fn link(latency: &str, bandwidth_bytes_per_s: Option<u64>, loss_ratio: f64) -> PlannedLink {
    PlannedLink {
        id: "a.out→b.in".into(),
        from: (ComponentIx(0), LinkEnd(0)),
        to: (ComponentIx(1), LinkEnd(0)),
        latency: latency.parse::<Distribution>().expect("valid"),
        bandwidth_bytes_per_s,
        loss_ratio,
        streams: [Stream::new(1, "link", "forward"), Stream::new(1, "link", "backward")],
        fault_stream: Stream::new(1, "link", "faults"),
        is_reference: false,
    }
}

/// Two components over one link that takes no time.
fn plan(processes: [Box<dyn Process>; 2]) -> Plan {
    let component = |(id, process, is_from): (&str, Box<dyn Process>, bool)| PlannedComponent {
        id: id.into(),
        key: id.into(),
        kind: "test",
        process,
        groups: Vec::new(),
        results: None,
        ends: vec![(LinkIx(0), is_from)],
    };
    let [a, b] = processes;
    Plan {
        project: Arc::new(Project::default()),
        scenario: String::new(),
        seed: 7,
        length: SimDuration::from_secs(1),
        warm_up: WarmUp::Fixed(SimDuration::ZERO),
        components: [("a", a, true), ("b", b, false)].map(component).into(),
        links: vec![link("0s", None, 0.0)],
        topics: Vec::new(),
        groups: Vec::new(),
        retries: Vec::new(),
        event_types: Vec::new(),
        schemas: Arc::new(SchemaLibrary::default()),
        inputs: Vec::new(),
        tracing: TraceSampling::default(),
        kept: Arc::default(),
        remarks: Vec::new(),
        overrides: BTreeMap::new(),
    }
}

/// The same script by the plainest of means: a map keyed by (instant, order of scheduling).
#[derive(Default)]
struct Plainly {
    script: Script,
    agenda: BTreeMap<(u64, u64), Due>,
    scheduled: u64,
}

enum Due {
    Turn(u32, u64),
    Departs(u32, u64),
}

impl Plainly {
    fn schedule(&mut self, at: u64, due: Due) {
        self.scheduled += 1;
        self.agenda.insert((at, self.scheduled), due);
    }

    fn turn(&mut self, now: u64, me: u32, effect: u64) {
        for (number, act) in self.script.turn((now, me, effect)) {
            match act {
                Act::Timer(ns) => self.schedule(now + ns, Due::Turn(me, number)),
                Act::Send(0) => self.schedule(now, Due::Turn(1 - me, number)),
                Act::Send(ns) => self.schedule(now + ns, Due::Departs(me, number)),
            }
        }
    }

    fn run(turns: Vec<Vec<Act>>) -> Vec<Seen> {
        let mut plainly = Self { script: Script { turns, ..Script::default() }, ..Self::default() };
        plainly.turn(0, 0, u64::MAX);
        plainly.turn(0, 1, u64::MAX);
        while let Some(((now, _), due)) = plainly.agenda.pop_first() {
            match due {
                Due::Turn(me, effect) => plainly.turn(now, me, effect),
                Due::Departs(me, effect) => plainly.schedule(now, Due::Turn(1 - me, effect)),
            }
        }
        plainly.script.seen
    }
}

fn act() -> impl Strategy<Value = Act> {
    // Few instants, so that many things share one.
    prop_oneof![(0u64..3).prop_map(Act::Timer), (0u64..3).prop_map(Act::Send)]
}

proptest! {
    /// Whatever way a message takes through the driver, an instant's turns come in the order of scheduling.
    #[test]
    fn turns_come_in_order(turns in prop::collection::vec(prop::collection::vec(act(), 0..4), 2..60), pieces in 1u64..5) {
        let script = Arc::new(Mutex::new(Script { turns: turns.clone(), ..Script::default() }));
        let process = || Box::new(Scripted { script: Arc::clone(&script) });
        let mut sim = Sim::new(plan([process(), process()])).expect("it starts");
        while !sim.run_until(SimTime::MAX, pieces).expect("it runs") {}
        prop_assert_eq!(&script.lock().expect("no test panics within").seen, &Plainly::run(turns));
    }

    /// Arrivals of one direction are in order, and no two messages are on a limited wire at once.
    #[test]
    fn a_wire_is_first_in_first_out(sends in prop::collection::vec((0u64..5_000_000, 1u64..2_000), 1..60)) {
        let mut wire = Wire::new(&link("exp(1ms)", Some(1_000_000), 0.0));
        let (mut now, mut last, mut bytes_sent) = (SimTime::ZERO, SimTime::ZERO, 0);
        for (gap_ns, bytes) in sends {
            now += SimDuration::from_ns(gap_ns);
            bytes_sent += bytes;
            let transit = wire.transmit(false, now, || bytes, |_, _| ());
            prop_assert!(transit.arrives >= last && !transit.lost);
            prop_assert!(transit.arrives.as_ns() >= (now + SimDuration::from_ns(bytes * 1_000)).as_ns());
            prop_assert!(transit.arrives.as_ns() >= bytes_sent * 1_000, "a megabyte a second is a microsecond a byte");
            last = transit.arrives;
        }
        prop_assert_eq!(wire.transmit(true, SimTime::ZERO, || 0, |_, _| ()).lost, false, "the other direction is another wire");
    }
}

#[test]
fn a_wire_loses_its_share() {
    let mut wire = Wire::new(&link("1ms", None, 0.25));
    let lost = (0..10_000).filter(|at| wire.transmit(false, SimTime::from_ns(*at), || 1, |_, _| ()).lost).count();
    // Binomial(10,000, 1/4): four standard deviations are 173; the stream is pinned.
    assert!((2_327..=2_673).contains(&lost), "{lost}");
}

/// Panics, or sends messages to and fro, at its first timer.
#[derive(Clone)]
struct Unruly {
    panics: bool,
}

impl Process for Unruly {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        ctx.timer_after(SimDuration::from_ms(3), 0);
    }
    fn on_message(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, message: Message) {
        ctx.send(end, message);
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, _: u64) {
        assert!(!self.panics, "out of hand");
        ctx.send(LinkEnd(0), numbered(0));
    }
    fn figures(&self, _: SimTime, _: &mut Figures) {}
    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}

fn failure_of(processes: [Box<dyn Process>; 2]) -> RunFailure {
    let mut sim = Sim::new(plan(processes)).expect("it starts");
    sim.run_until(SimTime::MAX, u64::MAX).expect_err("it fails")
}

#[test]
fn a_panic_names_component_instant_and_seed() {
    let failure = failure_of([Box::new(Unruly { panics: false }), Box::new(Unruly { panics: true })]);
    let expected = RunFailure::Panicked { component: "b".into(), at: SimTime::from_ns(3_000_000), seed: 7, message: "out of hand".into() };
    assert_eq!(failure, expected);
}

#[test]
fn a_cycle_without_delay_is_told() {
    let failure = failure_of([Box::new(Unruly { panics: false }), Box::new(Unruly { panics: false })]);
    assert!(matches!(failure, RunFailure::Stuck { at, .. } if at == SimTime::from_ns(3_000_000)), "{failure}");
}
