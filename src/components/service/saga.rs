//! The role of an orchestrator: sagas by key, each a state of `machines::event_store::Saga`, commands through the outbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::payload;
use super::read::{self, Ways};
use super::timers::Timer;
use crate::components::consumer::handler::{Draft, Step, Task};
use crate::components::{BuildCtx, Params};
use crate::engine::{Ctx, Figures};
use crate::event::{EventMeta, Reason, ServiceRow};
use crate::machines::event_store::{Saga, SagaEnd, SagaInput, SagaInstance, SagaOutput};
use crate::units::SimTime;

/// Sagas that are kept; an event that would begin one more fails.
const SAGAS_MAX: usize = 1_000_000;

#[derive(Clone, Debug)]
struct One {
    instance: SagaInstance,
    key: Arc<str>,
    /// The event that began it: its fields go out with every command.
    value: Bytes,
    parent: EventMeta,
}

/// All sagas of a service.
#[derive(Clone, Debug)]
pub(super) struct Orchestrator {
    saga: Arc<Saga>,
    ways: Ways,
    by_key: BTreeMap<Arc<str>, u32>,
    sagas: Vec<One>,
    completed: u64,
    compensated: u64,
    passed_over: u64,
    timeouts: u64,
    commands: u64,
}

impl Orchestrator {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Self {
        Self {
            saga: Arc::new(read::saga(params)),
            ways: Ways::new(ctx, params),
            by_key: BTreeMap::new(),
            sagas: Vec::new(),
            completed: 0,
            compensated: 0,
            passed_over: 0,
            timeouts: 0,
            commands: 0,
        }
    }

    pub fn step(&mut self, ctx: &mut Ctx<'_>, task: &Task<'_>) -> Step {
        let key = payload::key(task);
        let ty = self.ways.name(task.event.event_type);
        let mut outputs = Vec::new();
        let number = match self.by_key.get(&key) {
            Some(number) => {
                let one = &mut self.sagas[*number as usize];
                if !self.saga.handle(ctx.now, &mut one.instance, SagaInput::Event(&ty), &mut outputs) {
                    self.passed_over += 1;
                }
                *number
            }
            None if self.saga.is_begun_by(&ty) => {
                if self.sagas.len() >= SAGAS_MAX {
                    let reason = Reason { code: "sagas-full", detail: Some("there are too many sagas".into()) };
                    return Step::Failed { reason, again: false };
                }
                let instance = self.saga.begin(ctx.now, &mut outputs);
                let number = self.sagas.len() as u32;
                self.by_key.insert(Arc::clone(&key), number);
                self.sagas.push(One { instance, key, value: task.value.clone(), parent: task.event });
                number
            }
            None => {
                self.passed_over += 1;
                return Step::done();
            }
        };
        let drafts = self.carry_out(ctx, number, outputs, task.event);
        Step::Done(drafts)
    }

    /// A saga's patience may be over.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, number: u32) -> Vec<Draft> {
        let Some(one) = self.sagas.get_mut(number as usize) else { return Vec::new() };
        let mut outputs = Vec::new();
        if !self.saga.handle(ctx.now, &mut one.instance, SagaInput::Deadline, &mut outputs) {
            return Vec::new();
        }
        self.timeouts += 1;
        let parent = one.parent;
        self.carry_out(ctx, number, outputs, parent)
    }

    fn carry_out(&mut self, ctx: &mut Ctx<'_>, number: u32, outputs: Vec<SagaOutput>, parent: EventMeta) -> Vec<Draft> {
        let one = &self.sagas[number as usize];
        let mut drafts = Vec::new();
        for output in outputs {
            match output {
                SagaOutput::Send(command) => {
                    self.commands += 1;
                    let key = Some(Bytes::copy_from_slice(one.key.as_bytes()));
                    drafts.extend(self.ways.draft(&command, key, one.value.clone(), parent));
                }
                SagaOutput::End(SagaEnd::Completed) => self.completed += 1,
                SagaOutput::End(SagaEnd::Compensated) => self.compensated += 1,
            }
        }
        if one.instance.deadline < SimTime::MAX && one.instance.end.is_none() {
            Timer::Saga(number).set(ctx, one.instance.deadline);
        }
        drafts
    }

    pub fn len(&self) -> usize {
        self.sagas.len()
    }

    /// How many are in which state, and some of them, newest first.
    pub fn page(&self, skip: usize, rows_max: usize) -> (Vec<(Arc<str>, u64)>, Vec<ServiceRow>) {
        let word = |one: &One| match one.instance.end {
            Some(SagaEnd::Completed) => "completed",
            Some(SagaEnd::Compensated) => "compensated",
            None if one.instance.is_compensating => "compensating",
            None => "under way",
        };
        let words = ["under way", "compensating", "completed", "compensated"];
        let count = |wanted: &str| self.sagas.iter().filter(|one| word(one) == wanted).count() as u64;
        let states = words.iter().map(|wanted| (Arc::from(*wanted), count(wanted))).collect();
        let row = |one: &One| ServiceRow {
            key: Arc::clone(&one.key),
            state: Arc::from(word(one)),
            version: 0,
            cells: vec![
                self.saga.steps.get(one.instance.step).map_or_else(String::new, |step| step.command.to_string()),
                one.instance.attempts.to_string(),
            ],
        };
        (states, self.sagas.iter().rev().skip(skip).take(rows_max).map(row).collect())
    }

    pub fn figures(&self, out: &mut Figures) {
        out.counter("sagas_begun_count", self.sagas.len() as u64);
        out.counter("sagas_completed_count", self.completed);
        out.counter("sagas_compensated_count", self.compensated);
        out.counter("saga_commands_count", self.commands);
        out.counter("saga_timeouts_count", self.timeouts);
        out.counter("saga_passed_over_count", self.passed_over);
        out.gauge("sagas_open", (self.sagas.len() as u64 - self.completed - self.compensated) as f64);
    }
}
