//! An outgoing call to another system: how long it takes, how often it fails, and what protects the service from it.
//!
//! The order is Resilience4j's: retry outside, then the circuit breaker, the time limit, the bulkhead. Breaker and bulkhead
//! live in each instance's memory, and end with it. Start at [`Calls::step`].

use std::collections::BTreeMap;

use super::timers::Timer;
use crate::components::alarm::Alarm;
use crate::components::consumer::handler::WorkerId;
use crate::components::{BuildCtx, Params};
use crate::engine::{Ctx, Figures, Input};
use crate::event::Reason;
use crate::machines::resilience::{BreakerConfig, BreakerState, Bulkhead, CallEnd, CircuitBreaker, Permission, RetryConfig, WindowType};
use crate::random::{Distribution, Stream};
use crate::units::{Ratio, SimDuration, SimTime};

/// What a worker's call has come to.
#[derive(Debug)]
pub(super) enum CallStep {
    Wait(SimDuration),
    /// It is over: answered, or a fallback stands in for it.
    Over,
    Failed(Reason),
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Waits before the next try.
    Resting { attempts: u32 },
    /// Under way; what it will come to is known to nobody but the simulation.
    Calling { attempts: u32, since: SimTime, turn: u64, outcome: Outcome },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Good,
    Failed,
    TimedOut,
}

/// What stands between an instance and the called system.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub breaker: Option<CircuitBreaker>,
    pub bulkhead: Bulkhead,
    /// The breaker's timer.
    alarm: Alarm,
}

/// What guards have counted.
#[derive(Clone, Copy, Debug, Default)]
struct Turned {
    refused: u64,
    bulkhead_full: u64,
    opened: u64,
}

/// The calls of all instances.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    time: Distribution,
    failures: f64,
    rng: Stream,
    timeout: Option<SimDuration>,
    retry: RetryConfig,
    breaker: Option<BreakerConfig>,
    calls_max: u32,
    fallback: bool,
    /// By instance; none while it has not called.
    guards: Vec<Option<Guard>>,
    /// By guards of instances that are over.
    past: Turned,
    states: BTreeMap<WorkerId, State>,
    made: u64,
    failed: u64,
    timed_out: u64,
    fallbacks: u64,
}

impl Calls {
    /// None for a service that calls nobody.
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Option<Self> {
        if !params.is_given("call_time") {
            return None;
        }
        let breaker = params.flag("circuit_breaker").then(|| BreakerConfig {
            failure_rate: params.ratio("breaker_failure_rate") * 100.0,
            slow_rate: params.ratio("breaker_slow_rate") * 100.0,
            slow_after: params.duration("breaker_slow_after"),
            window: if params.text("breaker_window") == "time" { WindowType::TimeBased } else { WindowType::CountBased },
            window_size: usize::try_from(params.count("breaker_window_size")).unwrap_or(100),
            calls_min: u32::try_from(params.count("breaker_calls_min")).unwrap_or(100),
            half_open_calls: u32::try_from(params.count("breaker_half_open_calls")).unwrap_or(10),
            open_wait: params.duration("breaker_open_wait"),
            half_open_wait_max: params.duration("breaker_half_open_wait"),
            opens_half_by_itself: params.flag("breaker_automatic"),
        });
        Some(Self {
            time: params.distribution("call_time"),
            failures: params.ratio("call_failures"),
            rng: ctx.stream("calls"),
            timeout: params.is_given("call_timeout").then(|| params.duration("call_timeout")),
            retry: RetryConfig {
                attempts_max: u32::try_from(params.count("call_attempts")).unwrap_or(1).max(1),
                wait: params.duration("call_backoff"),
                multiplier: params.number("call_backoff_multiplier"),
                ..RetryConfig::default()
            },
            breaker,
            calls_max: if params.is_given("bulkhead") { u32::try_from(params.count("bulkhead")).unwrap_or(u32::MAX) } else { u32::MAX },
            fallback: params.flag("call_fallback"),
            guards: Vec::new(),
            past: Turned::default(),
            states: BTreeMap::new(),
            made: 0,
            failed: 0,
            timed_out: 0,
            fallbacks: 0,
        })
    }

    fn guard(&mut self, instance: u32) -> &mut Guard {
        let index = instance as usize;
        if self.guards.len() <= index {
            self.guards.resize(index + 1, None);
        }
        self.guards[index].get_or_insert_with(|| Guard {
            breaker: self.breaker.map(CircuitBreaker::new),
            bulkhead: Bulkhead::default(),
            alarm: Alarm::default(),
        })
    }

    /// What guards the calls of each instance that has called, from 1.
    pub fn guards(&self) -> impl Iterator<Item = (usize, &Guard)> {
        (1..).zip(&self.guards).filter_map(|(number, guard)| Some((number, guard.as_ref()?)))
    }

    /// An instance is over, and its memory with it: whoever comes in its place begins with a closed breaker and no call.
    pub fn instance_over(&mut self, instance: u32) {
        debug_assert!(self.states.keys().all(|worker| worker.instance != instance), "its workers have left their calls");
        if let Some(guard) = self.guards.get_mut(instance as usize).and_then(Option::take) {
            self.past.add(&guard);
        }
    }

    /// Goes on with a worker's call.
    pub fn step(&mut self, ctx: &mut Ctx<'_>, worker: WorkerId) -> CallStep {
        let step = self.go_on(ctx.now, worker);
        self.watch(ctx, worker.instance);
        step
    }

    /// A breaker may change by itself, whether anybody calls or not.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, instance: u32) {
        // A breaker that is gone with its instance has left its timer behind.
        let Some(Some(guard)) = self.guards.get_mut(instance as usize) else { return };
        if guard.alarm.rings(ctx.now)
            && let Some(breaker) = &mut guard.breaker
        {
            breaker.on_deadline(ctx.now);
        }
        self.watch(ctx, instance);
    }

    fn watch(&mut self, ctx: &mut Ctx<'_>, instance: u32) {
        let guard = self.guard(instance);
        let Some(at) = guard.breaker.as_ref().and_then(CircuitBreaker::next_deadline) else { return };
        if guard.alarm.is_late_for(at) {
            Timer::Breaker(instance).set(ctx, at);
        }
    }

    fn go_on(&mut self, now: SimTime, worker: WorkerId) -> CallStep {
        match self.states.remove(&worker) {
            None => self.begin(now, worker, 1),
            Some(State::Resting { attempts }) => self.begin(now, worker, attempts + 1),
            Some(State::Calling { attempts, since, turn, outcome }) => {
                let guard = self.guard(worker.instance);
                guard.bulkhead.release();
                if let Some(breaker) = &mut guard.breaker {
                    breaker.ended(now, turn, CallEnd { failed: outcome != Outcome::Good, took: now.since(since) });
                }
                match outcome {
                    Outcome::Good => CallStep::Over,
                    Outcome::Failed => {
                        self.failed += 1;
                        self.give_up_or_rest(worker, attempts, "call-failed", "the called system answered with an error")
                    }
                    Outcome::TimedOut => {
                        self.timed_out += 1;
                        self.give_up_or_rest(worker, attempts, "call-timeout", "the called system did not answer in time")
                    }
                }
            }
        }
    }

    fn begin(&mut self, now: SimTime, worker: WorkerId, attempts: u32) -> CallStep {
        let calls_max = self.calls_max;
        let guard = self.guard(worker.instance);
        let turn = match guard.breaker.as_mut().map(|breaker| breaker.acquire(now)) {
            None => 0,
            Some(Permission::Granted(turn)) => turn,
            Some(Permission::Refused) => {
                return self.give_up_or_rest(worker, attempts, "circuit-open", "the circuit breaker is open");
            }
        };
        if !guard.bulkhead.acquire(calls_max) {
            // A full bulkhead is a failed call to the breaker around it.
            if let Some(breaker) = &mut guard.breaker {
                breaker.ended(now, turn, CallEnd { failed: true, took: SimDuration::ZERO });
            }
            return self.give_up_or_rest(worker, attempts, "bulkhead-full", "too many calls are under way");
        }
        self.made += 1;
        let time = self.time.sample(&mut self.rng);
        let fails = self.rng.chance(self.failures);
        let (span, outcome) = match self.timeout {
            Some(timeout) if time > timeout => (timeout, Outcome::TimedOut),
            _ => (time, if fails { Outcome::Failed } else { Outcome::Good }),
        };
        self.states.insert(worker, State::Calling { attempts, since: now, turn, outcome });
        CallStep::Wait(span)
    }

    fn give_up_or_rest(&mut self, worker: WorkerId, attempts: u32, code: &'static str, detail: &'static str) -> CallStep {
        if let Some(wait) = self.retry.wait_after(attempts) {
            self.states.insert(worker, State::Resting { attempts });
            return CallStep::Wait(wait);
        }
        if self.fallback {
            self.fallbacks += 1;
            return CallStep::Over;
        }
        CallStep::Failed(Reason { code, detail: Some(detail.into()) })
    }

    /// A worker is gone with its instance, or begins anew.
    pub fn abandon(&mut self, worker: WorkerId) {
        if let Some(State::Calling { turn, .. }) = self.states.remove(&worker) {
            let guard = self.guard(worker.instance);
            guard.bulkhead.release();
            if let Some(breaker) = &mut guard.breaker {
                breaker.release(turn);
            }
        }
    }

    /// Settings that may change while it runs.
    pub fn input(&mut self, input: &Input) -> Option<Result<(), String>> {
        let Input::Set { param, value } = input else { return None };
        let text = value.to_field_text();
        match param.as_str() {
            "call_time" => Some(text.parse::<Distribution>().map(|time| self.time = time).map_err(|error| error.to_string())),
            "call_failures" => Some(text.parse::<Ratio>().map(|ratio| self.failures = ratio.0).map_err(|error| error.to_string())),
            _ => None,
        }
    }

    pub fn figures(&self, out: &mut Figures) {
        let guards = || self.guards.iter().flatten();
        let of = |state: BreakerState| {
            guards().filter(|guard| guard.breaker.as_ref().is_some_and(|breaker| breaker.state() == state)).count() as f64
        };
        let mut turned = self.past;
        guards().for_each(|guard| turned.add(guard));
        out.counter("calls_count", self.made);
        out.counter("calls_failed_count", self.failed);
        out.counter("calls_timed_out_count", self.timed_out);
        out.counter("fallbacks_count", self.fallbacks);
        out.counter("calls_refused_count", turned.refused);
        out.counter("bulkhead_full_count", turned.bulkhead_full);
        out.counter("breaker_opened_count", turned.opened);
        out.gauge("breakers_open", of(BreakerState::Open));
        out.gauge("breakers_half_open", of(BreakerState::HalfOpen));
    }
}

impl Turned {
    fn add(&mut self, guard: &Guard) {
        if let Some(breaker) = &guard.breaker {
            self.refused += breaker.refused_count();
            self.opened += breaker.opened_count();
        }
        self.bulkhead_full += guard.bulkhead.rejected_count();
    }
}
