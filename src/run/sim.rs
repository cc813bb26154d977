//! The simulated driver: pops the calendar, calls processes, carries their effects out.
//!
//! [`Sim`] is the one state of a run: clone it and continue both, and both end with the same report.
//! Order within an instant: inputs of scenario and window first, then a sample when one is due, then
//! the calendar in order of scheduling. Start at [`Sim::run_until`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use indexmap::IndexMap;

use super::RunFailure;
use super::due::{Due, Life, Slots};
use super::log_store::LogEffect;
use super::network::Wire;
use super::outages::Outages;
use crate::compile::{InputTarget, Plan, PlannedComponent, TimedInput, WarmUp};
use crate::engine::{Calendar, Ctx, Input, LinkEnd, Outlet, Process, TraceSampling};
use crate::event::{Appended, Fact, KeptLog, Message, RowChange, StoredBatch};
use crate::metrics::{Names, Recorder, RecorderOptions};
use crate::predicate::Expectation;
use crate::units::{ComponentIx, GroupIx, LinkIx, SimDuration, SimTime, TopicIx};

/// More turns than this in one instant are a cycle without progress.
const STEPS_PER_INSTANT_MAX: u64 = 5_000_000;
/// Who produced what logs hold at the beginning, in the words of ledger and stories.
const EARLIER_RUNS: &str = "earlier runs";

/// Everything a run needs to go on.
#[derive(Clone)]
pub struct Sim {
    plan: Arc<Plan>,
    processes: Vec<Box<dyn Process>>,
    pub(super) world: World,
    inputs: Vec<TimedInput>,
    next_input: usize,
    pub(super) outages: Outages,
    pub(super) now: SimTime,
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
pub(super) struct World {
    calendar: Calendar<Due>,
    /// By component.
    pub(super) lives: Vec<Life>,
    wires: Vec<Wire>,
    /// By component, then link end: which link, and whether this is its `from` end.
    ends: Vec<Vec<(LinkIx, bool)>>,
    messages: Slots,
    /// Arrives at this very instant, before anything else that is due: it need not go through the calendar.
    pub(super) next: Option<Arrival>,
    pub(super) recorder: Recorder,
    /// For a store, if there is one, until the driver takes them.
    log_effects: Option<Vec<LogEffect>>,
    /// The same for a store of read models.
    row_changes: Option<Vec<RowChange>>,
}

/// A message at the end of its link.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    link: LinkIx,
    backwards: bool,
    /// In which life of the receiver it was sent.
    life: Life,
    message: Message,
}

impl World {
    #[inline]
    fn put_on_wire(&mut self, now: SimTime, (component, end): (ComponentIx, LinkEnd), message: Message) {
        let (link, is_from) = self.ends[component.index()][usize::from(end.0)];
        let backwards = !is_from;
        let recorder = &mut self.recorder;
        let tell = |fault, what| recorder.fault_effect(fault, what);
        let wire = &mut self.wires[link.index()];
        let life = self.lives[wire.receiver(backwards).0.index()];
        let transit = wire.transmit(backwards, now, || message.wire_bytes(), tell);
        self.recorder.transmit(link, backwards, &message, now, transit.arrives, transit.lost);
        if let Some(arrives) = transit.copy_arrives {
            let copy = message.copied();
            self.recorder.transmit(link, backwards, &copy, now, arrives, false);
            self.arrive_later(arrives, Arrival { link, backwards, life, message: copy });
        }
        if transit.lost {
            return;
        }
        if transit.arrives == now && self.next.is_none() && self.calendar.would_be_next(now) {
            self.next = Some(Arrival { link, backwards, life, message });
        } else {
            self.arrive_later(transit.arrives, Arrival { link, backwards, life, message });
        }
    }

    pub(super) fn arrive_later(&mut self, at: SimTime, arrival: Arrival) {
        let due = self.kept(arrival);
        self.calendar.push(at, due);
    }

    /// An arrival as what the calendar holds.
    fn kept(&mut self, Arrival { link, backwards, life, message }: Arrival) -> Due {
        let slot = self.messages.put(message);
        Due::new(Due::ARRIVES + u64::from(backwards), link.0, life, u64::from(slot))
    }

    /// Whether a component's process is gone.
    #[inline]
    pub(super) fn is_down(&self, component: usize) -> bool {
        !self.lives[component].is_multiple_of(2)
    }

    /// Whether what was set or sent in a life of a component is still somebody's.
    #[inline]
    fn is_alive(&self, component: usize, life: Life) -> bool {
        self.lives[component] == life && !self.is_down(component)
    }
}

impl Outlet for World {
    fn send(&mut self, now: SimTime, from: (ComponentIx, LinkEnd), delay: SimDuration, message: Message) {
        if delay.is_zero() {
            return self.put_on_wire(now, from, message);
        }
        let slot = self.messages.put(message);
        let life = self.lives[from.0.index()];
        self.calendar.push(now + delay, Due::new(Due::DEPARTS, from.0.0, life, u64::from(from.1.0) << 32 | u64::from(slot)));
    }
    fn timer(&mut self, at: SimTime, component: ComponentIx, token: u64) {
        self.calendar.push(at, Due::new(Due::TIMER, component.0, self.lives[component.index()], token));
    }
    fn fact(&mut self, now: SimTime, fact: Fact) {
        if let Some(effects) = &mut self.log_effects {
            effects.extend(LogEffect::of(&fact));
        }
        match fact {
            // A read model's copy is the driver's to keep; nothing is counted of it.
            Fact::Row(change) => {
                if let Some(changes) = &mut self.row_changes {
                    changes.push(*change);
                }
            }
            fact => self.recorder.fact(now, fact),
        }
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
            lives: vec![0; plan.components.len()],
            wires: plan.links.iter().map(Wire::new).collect(),
            ends: plan.components.iter().map(|component| component.ends.clone()).collect(),
            messages: Slots::default(),
            next: None,
            recorder,
            log_effects: None,
            row_changes: None,
        };
        let mut sim = Self {
            processes: plan.components.iter().map(|component| component.process.clone()).collect(),
            world,
            inputs: plan.inputs.clone(),
            next_input: 0,
            outages: Outages::default(),
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
            for kept in sim.plan.kept.clone().iter() {
                sim.restore(at, kept);
            }
            for index in 0..sim.processes.len() {
                *at = index;
                sim.turn(index, |process, ctx| process.start(ctx));
            }
            Ok(())
        })?;
        Ok(sim)
    }

    /// A cluster and its observers begin with what earlier runs have left of a partition.
    fn restore(&mut self, at: &mut usize, kept: &KeptLog) {
        let cluster = self.plan.topics[kept.topic.index()].cluster;
        *at = cluster.index();
        self.processes[cluster.index()].restore(kept);
        for StoredBatch { base_offset, batch } in kept.batches.iter().cloned() {
            let (topic, partition) = (kept.topic, kept.partition);
            let appended = Appended { cluster, topic, partition, base_offset, client: cluster, attempt: 1, batch };
            self.world.recorder.fact(SimTime::ZERO, Fact::Kept(Box::new(appended)));
        }
    }

    /// From here on, what happens to logs is kept for [`Self::take_log_effects`].
    pub fn keep_log_effects(&mut self) {
        self.world.log_effects = Some(Vec::new());
    }
    /// What has happened to logs since the last call, in order.
    pub fn take_log_effects(&mut self) -> Vec<LogEffect> {
        self.world.log_effects.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// From here on, what happens to read models is kept for [`Self::take_row_changes`].
    pub fn keep_row_changes(&mut self) {
        self.world.row_changes = Some(Vec::new());
    }
    /// What has happened to read models since the last call, in order.
    pub fn take_row_changes(&mut self) -> Vec<RowChange> {
        self.world.row_changes.as_mut().map(std::mem::take).unwrap_or_default()
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
            let outage_ends_at = self.outages.next_end();
            let pause_at = input_at.min(outage_ends_at).min(self.world.recorder.next_sample());
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
            if outage_ends_at == pause_at {
                self.end_outages(at);
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
            (InputTarget::Component(component), input) => {
                let own = match input {
                    Input::Action { name, params } => self.begin_outage(at, component.index(), (name, params), number),
                    Input::Set { .. } => None,
                };
                own.unwrap_or_else(|| self.input_to(at, component.index(), input))
            }
        };
        if let Err(words) = &result {
            self.refused.push(format!("{name} at {}: {words}", self.now));
        }
        self.world.recorder.fault_settled(number, result);
    }

    fn input_to(&mut self, at: &mut usize, component: usize, input: &Input) -> Result<Option<SimTime>, String> {
        *at = component;
        let mut result = Ok(None);
        self.turn(component, |process, ctx| result = process.on_input(ctx, input).map(|()| None));
        result
    }

    #[inline]
    pub(super) fn carry_out(&mut self, at: &mut usize, due: Due) {
        match due.what() {
            Due::TIMER => {
                let component = due.index();
                if !self.world.is_alive(component, due.life()) {
                    return;
                }
                if self.outages.is_frozen(component) {
                    return self.hold(component, due);
                }
                *at = component;
                self.turn(component, |process, ctx| process.on_timer(ctx, due.body));
            }
            Due::DEPARTS => {
                *at = due.index();
                let message = self.world.messages.take(due.body as u32);
                if !self.world.is_alive(due.index(), due.life()) {
                    return self.lose(due.index());
                }
                let from = (ComponentIx(due.index() as u32), LinkEnd((due.body >> 32) as u16));
                self.world.put_on_wire(self.now, from, message);
                self.steps += 1;
            }
            arrives => {
                let message = self.world.messages.take(due.body as u32);
                let (link, backwards) = (LinkIx(due.index() as u32), arrives != Due::ARRIVES);
                self.arrive(at, Arrival { link, backwards, life: due.life(), message });
            }
        }
    }

    #[inline]
    fn arrive(&mut self, at: &mut usize, arrival: Arrival) {
        let (component, end) = self.world.wires[arrival.link.index()].receiver(arrival.backwards);
        if !self.world.is_alive(component.index(), arrival.life) {
            self.world.recorder.vanished(arrival.link);
            return self.lose(component.index());
        }
        if self.outages.is_frozen(component.index()) {
            let due = self.world.kept(arrival);
            return self.hold(component.index(), due);
        }
        let Arrival { link, message, .. } = arrival;
        self.world.recorder.arrived(link, message.wire_bytes());
        *at = component.index();
        self.turn(component.index(), |process, ctx| process.on_message(ctx, end, message));
    }

    #[inline]
    pub(super) fn turn(&mut self, index: usize, call: impl FnOnce(&mut dyn Process, &mut Ctx<'_>)) {
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

/// Groups and the topic that their results go to.
fn results_of(component: &PlannedComponent) -> impl Iterator<Item = (GroupIx, TopicIx)> {
    component.groups.iter().filter_map(|group| Some((*group, component.results?)))
}

fn names_of(plan: &Plan) -> Names {
    // Numbers behind the design's own stand for what is outside of it.
    let outside = (!plan.kept.is_empty()).then(|| Arc::from(EARLIER_RUNS));
    Names {
        kept: outside.as_ref().map(|_| ComponentIx(plan.components.len() as u32)),
        components: plan.components.iter().map(|component| Arc::clone(&component.id)).chain(outside).collect(),
        links: plan.links.iter().map(|link| Arc::clone(&link.id)).collect(),
        topics: plan.topics.iter().map(|topic| (Arc::clone(&topic.name), topic.partitions, topic.cluster)).collect(),
        groups: plan.groups.iter().map(|group| (Arc::clone(&group.name), group.topics.clone())).collect(),
        event_types: plan.event_types.clone(),
        groups_of: plan.components.iter().map(|component| component.groups.clone()).chain([Vec::new()]).collect(),
        retries: plan.retries.clone(),
        results: plan.components.iter().flat_map(results_of).collect(),
    }
}
