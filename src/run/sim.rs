//! The simulated driver: pops the calendar, calls processes, carries their effects out.
//!
//! [`Sim`] is the one state of a run: clone it and continue both, and both end with the same report.
//! Order within an instant: inputs of scenario and window first, then a sample when one is due, then
//! the calendar in order of scheduling. Start at [`Sim::run_until`].

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use indexmap::IndexMap;

use super::RunFailure;
use super::network::Wire;
use crate::compile::{InputTarget, Plan, TimedInput, WarmUp};
use crate::components::{COMPONENT_FAULTS, Params};
use crate::engine::{Calendar, Ctx, Input, LinkEnd, Outlet, Process, TraceSampling};
use crate::event::{Fact, Message};
use crate::metrics::{Names, Recorder, RecorderOptions};
use crate::model::Value;
use crate::predicate::Expectation;
use crate::units::{ComponentIx, LinkIx, SimDuration, SimTime};

/// More turns than this in one instant are a cycle without progress.
const STEPS_PER_INSTANT_MAX: u64 = 5_000_000;
/// Of [`COMPONENT_FAULTS`], the one that the driver itself brings about.
const FREEZE: &str = "freeze";

/// What the calendar holds: two words, so that an entry is written and read whole.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// What, and above it of which component or link.
    head: u64,
    /// A token, or a slot with what else is known.
    body: u64,
}

impl Due {
    const TIMER: u64 = 0;
    /// A message that a process holds back before it goes on the wire.
    const DEPARTS: u64 = 1;
    /// And 3, against the link's direction.
    const ARRIVES: u64 = 2;

    #[inline]
    fn new(what: u64, index: u32, body: u64) -> Self {
        Self { head: u64::from(index) << 2 | what, body }
    }
    #[inline]
    fn what(self) -> u64 {
        self.head & 3
    }
    #[inline]
    fn index(self) -> usize {
        (self.head >> 2) as usize
    }
}

/// Everything a run needs to go on.
#[derive(Clone)]
pub struct Sim {
    plan: Arc<Plan>,
    processes: Vec<Box<dyn Process>>,
    world: World,
    inputs: Vec<TimedInput>,
    next_input: usize,
    /// Frozen components with what is due for them, by component.
    frozen: BTreeMap<usize, Frozen>,
    now: SimTime,
    end: SimTime,
    steps: u64,
    steps_this_instant: u64,
    tracing: TraceSampling,
    /// Refusals of inputs, in words, for the report's remarks.
    refused: Vec<String>,
    finished: bool,
}

/// What processes act upon.
#[derive(Clone)]
struct World {
    calendar: Calendar<Due>,
    wires: Vec<Wire>,
    /// By component, then link end: which link, and whether this is its `from` end.
    ends: Vec<Vec<(LinkIx, bool)>>,
    messages: Slots,
    /// Arrives at this very instant, before anything else that is due: it need not go through the calendar.
    next: Option<Arrival>,
    recorder: Recorder,
}

/// A message at the end of its link.
#[derive(Clone, Debug)]
struct Arrival {
    link: LinkIx,
    backwards: bool,
    message: Message,
}

impl World {
    #[inline]
    fn put_on_wire(&mut self, now: SimTime, (component, end): (ComponentIx, LinkEnd), message: Message) {
        let (link, is_from) = self.ends[component.index()][usize::from(end.0)];
        let backwards = !is_from;
        let recorder = &mut self.recorder;
        let tell = |fault, what| recorder.fault_effect(fault, what);
        let transit = self.wires[link.index()].transmit(backwards, now, || message.wire_bytes(), tell);
        self.recorder.transmit(link, backwards, &message, now, transit.arrives, transit.lost);
        if let Some(arrives) = transit.copy_arrives {
            let copy = message.copied();
            self.recorder.transmit(link, backwards, &copy, now, arrives, false);
            self.arrive_later(arrives, Arrival { link, backwards, message: copy });
        }
        if transit.lost {
            return;
        }
        if transit.arrives == now && self.next.is_none() && self.calendar.would_be_next(now) {
            self.next = Some(Arrival { link, backwards, message });
        } else {
            self.arrive_later(transit.arrives, Arrival { link, backwards, message });
        }
    }

    fn arrive_later(&mut self, at: SimTime, arrival: Arrival) {
        let due = self.kept(arrival);
        self.calendar.push(at, due);
    }

    /// An arrival as what the calendar holds.
    fn kept(&mut self, Arrival { link, backwards, message }: Arrival) -> Due {
        let slot = self.messages.put(message);
        Due::new(Due::ARRIVES + u64::from(backwards), link.0, u64::from(slot))
    }
}

/// A component that does nothing for a while.
#[derive(Clone, Debug)]
struct Frozen {
    until: SimTime,
    /// Messages and timers that came due meanwhile.
    held: Vec<Due>,
    /// The fault's number at the recorder.
    record: usize,
}

impl Outlet for World {
    fn send(&mut self, now: SimTime, from: (ComponentIx, LinkEnd), delay: SimDuration, message: Message) {
        if delay.is_zero() {
            return self.put_on_wire(now, from, message);
        }
        let slot = self.messages.put(message);
        self.calendar.push(now + delay, Due::new(Due::DEPARTS, from.0.0, u64::from(from.1.0) << 32 | u64::from(slot)));
    }
    fn timer(&mut self, at: SimTime, component: ComponentIx, token: u64) {
        self.calendar.push(at, Due::new(Due::TIMER, component.0, token));
    }
    fn fact(&mut self, now: SimTime, fact: Fact) {
        self.recorder.fact(now, fact);
    }
}

/// Messages under way, by slot; slots are used again.
#[derive(Clone, Debug, Default)]
struct Slots {
    held: Vec<Option<Message>>,
    free: Vec<u32>,
}

impl Slots {
    #[inline]
    fn put(&mut self, message: Message) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.held[slot as usize] = Some(message);
            return slot;
        }
        self.held.push(Some(message));
        u32::try_from(self.held.len() - 1).expect("four thousand million messages under way do not fit in memory")
    }
    #[inline]
    fn take(&mut self, slot: u32) -> Message {
        self.free.push(slot);
        self.held[slot as usize].take().expect("each slot is taken once")
    }
}

impl Sim {
    /// At time zero, every process started.
    ///
    /// # Errors
    /// When a component panics while it starts.
    pub fn new(plan: Plan) -> Result<Self, RunFailure> {
        let warm_up = match plan.warm_up {
            WarmUp::Fixed(span) => span,
            WarmUp::Auto => SimDuration::ZERO,
        };
        let names = Arc::new(names_of(&plan));
        // Texts that do not parse were errors of the compiler.
        let parsed = plan.project.expect.iter().filter_map(|text| Some((Expectation::parse(text).ok()?, text.clone())));
        let (expectations, texts) = parsed.unzip();
        let recorder = Recorder::new(RecorderOptions { names, length: plan.length, warm_up, expectations, texts });
        let world = World {
            calendar: Calendar::default(),
            wires: plan.links.iter().map(Wire::new).collect(),
            ends: plan.components.iter().map(|component| component.ends.clone()).collect(),
            messages: Slots::default(),
            next: None,
            recorder,
        };
        let mut sim = Self {
            processes: plan.components.iter().map(|component| component.process.clone()).collect(),
            world,
            inputs: plan.inputs.clone(),
            next_input: 0,
            frozen: BTreeMap::new(),
            now: SimTime::ZERO,
            end: SimTime::ZERO + plan.length,
            steps: 0,
            steps_this_instant: 0,
            tracing: plan.tracing,
            refused: Vec::new(),
            finished: false,
            plan: Arc::new(plan),
        };
        sim.guarded(|sim, at| {
            for index in 0..sim.processes.len() {
                *at = index;
                sim.turn(index, |process, ctx| process.start(ctx));
            }
            Ok(())
        })?;
        Ok(sim)
    }

    /// Goes on until `limit` (inclusive), the end, or `steps_max` turns. Returns whether `limit` or the end was reached.
    ///
    /// # Errors
    /// A component's panic, or no progress within an instant.
    pub fn run_until(&mut self, limit: SimTime, steps_max: u64) -> Result<bool, RunFailure> {
        self.run_until_or(limit, steps_max, |_| false)
    }

    /// The same, or until `stop` says so after a turn.
    ///
    /// # Errors
    /// A component's panic, or no progress within an instant.
    pub fn run_until_or(&mut self, limit: SimTime, steps_max: u64, stop: impl FnMut(&Self) -> bool) -> Result<bool, RunFailure> {
        let limit = limit.min(self.end);
        let reached = self.guarded(|sim, at| sim.run(at, limit, steps_max, stop))?;
        if reached && limit == self.end {
            self.finish();
        }
        Ok(reached)
    }

    fn run(&mut self, at: &mut usize, limit: SimTime, steps_max: u64, mut stop: impl FnMut(&Self) -> bool) -> Result<bool, RunFailure> {
        let last_step = self.steps.saturating_add(steps_max);
        loop {
            // What must happen before the calendar's next entry: an input or a sample.
            let input_at = self.inputs.get(self.next_input).map_or(SimTime::MAX, |input| input.at);
            let thaw_at = self.frozen.values().map(|frozen| frozen.until).min().unwrap_or(SimTime::MAX);
            let pause_at = input_at.min(thaw_at).min(self.world.recorder.next_sample());
            while self.steps < last_step {
                let before_pause = SimTime::from_ns(pause_at.as_ns().saturating_sub(1));
                if let Some(arrival) = self.world.next.take() {
                    self.arrive(at, arrival);
                } else {
                    let Some((due_at, due)) = self.world.calendar.pop_until(limit.min(before_pause)) else { break };
                    if due_at > self.now {
                        self.now = due_at;
                        self.steps_this_instant = 0;
                    }
                    self.carry_out(at, due);
                }
                self.steps_this_instant += 1;
                if self.steps_this_instant > STEPS_PER_INSTANT_MAX {
                    let component = self.plan.components[*at].id.to_string();
                    return Err(RunFailure::Stuck { component, at: self.now, steps: self.steps_this_instant });
                }
                if stop(self) {
                    return Ok(false);
                }
            }
            if self.steps >= last_step {
                return Ok(false);
            }
            if pause_at > limit {
                self.now = self.now.max(limit);
                return Ok(true);
            }
            self.now = pause_at;
            self.steps_this_instant = 0;
            if thaw_at == pause_at {
                self.thaw(at);
            } else if input_at == pause_at {
                self.next_input += 1;
                let input = self.inputs[self.next_input - 1].clone();
                self.take_input(at, &input);
            } else {
                self.world.recorder.sample(self.now, &self.processes, false);
            }
        }
    }

    /// Does what a scenario or a person wants done, and writes down what comes of it.
    fn take_input(&mut self, at: &mut usize, TimedInput { target, input, .. }: &TimedInput) {
        let plan = Arc::clone(&self.plan);
        let name = match target {
            InputTarget::Component(component) => &plan.components[component.index()].id,
            InputTarget::Link(link) => &plan.links[link.index()].id,
        };
        let (action, params) = in_files_words(input);
        let number = self.world.recorder.fault(self.now, name, action, params);
        let result = match (target, input) {
            (InputTarget::Link(link), Input::Action { name, params }) => {
                self.world.wires[link.index()].faults.begin(self.now, name, params, number).map(Some)
            }
            (InputTarget::Link(_), Input::Set { .. }) => Err("a link's parameters stay as they are while it runs".to_owned()),
            (InputTarget::Component(component), Input::Action { name, params }) if name == FREEZE => {
                Ok(Some(self.freeze(component.index(), params, number)))
            }
            (InputTarget::Component(component), input) => {
                *at = component.index();
                let mut refusal = Ok(None);
                self.turn(component.index(), |process, ctx| refusal = process.on_input(ctx, input).map(|()| None));
                refusal
            }
        };
        if let Err(words) = &result {
            self.refused.push(format!("{name} at {}: {words}", self.now));
        }
        self.world.recorder.fault_settled(number, result);
    }

    /// Holds back whatever comes due for a component; gives until when.
    fn freeze(&mut self, component: usize, params: &IndexMap<String, Value>, record: usize) -> SimTime {
        let spec = COMPONENT_FAULTS.iter().find(|spec| spec.name == FREEZE).map_or(&[][..], |spec| spec.params);
        let until = self.now + Params::new(spec, None, params).duration("for");
        let frozen = self.frozen.entry(component).or_insert_with(|| Frozen { until, held: Vec::new(), record });
        frozen.until = frozen.until.max(until);
        frozen.until
    }

    /// Whether a component is frozen: what is due for it is kept until it goes on.
    #[inline]
    fn hold(&mut self, component: usize, due: Due) -> bool {
        match self.frozen.get_mut(&component) {
            Some(frozen) => {
                frozen.held.push(due);
                self.world.recorder.fault_effect(frozen.record, if due.what() == Due::TIMER { "timers_late" } else { "messages_late" });
                true
            }
            None => false,
        }
    }

    /// Components whose time has come take all that was held for them, in order.
    fn thaw(&mut self, at: &mut usize) {
        let now = self.now;
        let over: Vec<usize> = self.frozen.iter().filter(|(_, frozen)| frozen.until <= now).map(|(component, _)| *component).collect();
        for component in over {
            let held = self.frozen.remove(&component).map(|frozen| frozen.held).unwrap_or_default();
            for due in held {
                self.carry_out(at, due);
                // What it answers at once waits its turn behind what was held.
                if let Some(arrival) = self.world.next.take() {
                    self.world.arrive_later(now, arrival);
                }
            }
        }
    }

    #[inline]
    fn carry_out(&mut self, at: &mut usize, due: Due) {
        match due.what() {
            Due::TIMER => {
                if !self.frozen.is_empty() && self.hold(due.index(), due) {
                    return;
                }
                *at = due.index();
                self.turn(due.index(), |process, ctx| process.on_timer(ctx, due.body));
            }
            Due::DEPARTS => {
                *at = due.index();
                let message = self.world.messages.take(due.body as u32);
                let from = (ComponentIx(due.index() as u32), LinkEnd((due.body >> 32) as u16));
                self.world.put_on_wire(self.now, from, message);
                self.steps += 1;
            }
            arrives => {
                let message = self.world.messages.take(due.body as u32);
                let arrival = Arrival { link: LinkIx(due.index() as u32), backwards: arrives != Due::ARRIVES, message };
                self.arrive(at, arrival);
            }
        }
    }

    #[inline]
    fn arrive(&mut self, at: &mut usize, arrival: Arrival) {
        let wire = &self.world.wires[arrival.link.index()];
        let (component, end) = if arrival.backwards { wire.from } else { wire.to };
        if !self.frozen.is_empty() && self.frozen.contains_key(&component.index()) {
            let due = self.world.kept(arrival);
            self.hold(component.index(), due);
            return;
        }
        let Arrival { link, message, .. } = arrival;
        self.world.recorder.arrived(link, message.wire_bytes());
        *at = component.index();
        self.turn(component.index(), |process, ctx| process.on_message(ctx, end, message));
    }

    #[inline]
    fn turn(&mut self, index: usize, call: impl FnOnce(&mut dyn Process, &mut Ctx<'_>)) {
        self.steps += 1;
        let me = ComponentIx(index as u32);
        let mut ctx = Ctx { now: self.now, me, tracing: self.tracing, out: &mut self.world };
        call(self.processes[index].as_mut(), &mut ctx);
    }

    /// Runs a part of the run; a panic in it becomes a failure that names component, instant and seed.
    fn guarded<T>(&mut self, part: impl FnOnce(&mut Self, &mut usize) -> Result<T, RunFailure>) -> Result<T, RunFailure> {
        let mut at = 0;
        match catch_unwind(AssertUnwindSafe(|| part(self, &mut at))) {
            Ok(result) => result,
            Err(panic) => {
                let message = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|&s| s.to_owned()));
                self.finished = true;
                Err(RunFailure::Panicked {
                    component: self.plan.components.get(at).map_or_else(String::new, |component| component.id.to_string()),
                    at: self.now,
                    seed: self.plan.seed,
                    message: message.unwrap_or_default(),
                })
            }
        }
    }

    fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.world.recorder.sample(self.end, &self.processes, true);
        }
    }

    /// Ends the run here; the report covers what there was.
    pub fn stop_here(&mut self) {
        self.end = self.now;
        self.finish();
    }

    /// Takes a change between this instant and the next; returns it stamped, for a replay.
    pub fn input(&mut self, mut input: TimedInput) -> TimedInput {
        input.at = self.now + SimDuration::from_ns(1);
        let position = self.inputs[self.next_input..].partition_point(|other| other.at <= input.at);
        self.inputs.insert(self.next_input + position, input.clone());
        input
    }

    /// Virtual now.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.now
    }
    /// Virtual end.
    #[must_use]
    pub fn end(&self) -> SimTime {
        self.end
    }
    /// Turns so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }
    /// Whether the end was reached.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }
    /// What was recorded.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.world.recorder
    }
    pub(super) fn with_recorder<T>(&mut self, look: impl FnOnce(&mut Recorder, &[Box<dyn Process>]) -> T) -> T {
        look(&mut self.world.recorder, &self.processes)
    }
    /// The running components, to look at.
    #[must_use]
    pub fn processes(&self) -> &[Box<dyn Process>] {
        &self.processes
    }
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
    pub(super) fn pending_max(&self) -> usize {
        self.world.calendar.len_max()
    }
    pub(super) fn refused(&self) -> &[String] {
        &self.refused
    }
}

/// An input as an entry of a scenario's timeline writes it: action and arguments.
fn in_files_words(input: &Input) -> (&str, IndexMap<String, String>) {
    match input {
        Input::Set { param, value } => ("set", IndexMap::from([(param.clone(), value.to_field_text())])),
        Input::Action { name, params } => (name, params.iter().map(|(name, value)| (name.clone(), value.to_field_text())).collect()),
    }
}

fn names_of(plan: &Plan) -> Names {
    Names {
        components: plan.components.iter().map(|component| Arc::clone(&component.id)).collect(),
        links: plan.links.iter().map(|link| Arc::clone(&link.id)).collect(),
        topics: plan.topics.iter().map(|topic| (Arc::clone(&topic.name), topic.partitions, topic.cluster)).collect(),
        groups: plan.groups.iter().map(|group| (Arc::clone(&group.name), group.topics.clone())).collect(),
        event_types: plan.event_types.clone(),
        group_of: plan.components.iter().map(|component| component.group).collect(),
        results: plan.components.iter().filter_map(|component| component.group.zip(component.results)).collect(),
    }
}
