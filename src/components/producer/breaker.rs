//! A circuit breaker at the client: after too many failures it sends nothing for a while, then tries a few.
//!
//! Resilience4j's count-based breaker: closed, open, half open (resilience4j.readme.io/docs/circuitbreaker).

use crate::components::Params;
use crate::units::{SimDuration, SimTime};

/// Longest window of outcomes.
const WINDOW_MAX: usize = 10_000;

/// Counts outcomes.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    failure_ratio: f64,
    window: usize,
    wait: SimDuration,
    trials_max: u32,
    state: State,
    /// The last outcomes, oldest overwritten first.
    outcomes: Vec<bool>,
    next: usize,
    pub opened: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: SimTime },
    HalfOpen { sent: u32, good: u32, bad: u32 },
}

impl Breaker {
    /// None when it is off.
    pub(super) fn new(params: &Params<'_>) -> Option<Self> {
        params.is_given("breaker_failures").then(|| Self {
            failure_ratio: params.ratio("breaker_failures"),
            window: (params.count("breaker_window").max(1) as usize).min(WINDOW_MAX),
            wait: params.duration("breaker_wait"),
            trials_max: params.count("breaker_trials").max(1) as u32,
            state: State::Closed,
            outcomes: Vec::new(),
            next: 0,
            opened: 0,
        })
    }
    /// Whether a request may leave now.
    pub(super) fn permits(&mut self, now: SimTime) -> bool {
        if let State::Open { until } = self.state {
            if now < until {
                return false;
            }
            self.state = State::HalfOpen { sent: 0, good: 0, bad: 0 };
        }
        match &mut self.state {
            State::HalfOpen { sent, .. } if *sent >= self.trials_max => false,
            State::HalfOpen { sent, .. } => {
                *sent += 1;
                true
            }
            _ => true,
        }
    }
    /// What became of one that left.
    pub(super) fn note(&mut self, now: SimTime, failed: bool) {
        match &mut self.state {
            State::Open { .. } => {}
            State::HalfOpen { good, bad, .. } => {
                *good += u32::from(!failed);
                *bad += u32::from(failed);
                let (good, bad) = (*good, *bad);
                if good + bad >= self.trials_max {
                    if f64::from(bad) >= self.failure_ratio * f64::from(good + bad) {
                        self.open(now);
                    } else {
                        self.state = State::Closed;
                        self.outcomes.clear();
                        self.next = 0;
                    }
                }
            }
            State::Closed => {
                if self.outcomes.len() < self.window {
                    self.outcomes.push(failed);
                } else {
                    self.outcomes[self.next] = failed;
                }
                self.next = (self.next + 1) % self.window;
                let failures = self.outcomes.iter().filter(|failed| **failed).count();
                if self.outcomes.len() == self.window && failures as f64 >= self.failure_ratio * self.window as f64 {
                    self.open(now);
                }
            }
        }
    }
    /// 0 closed, 1 half open, 2 open: a gauge.
    pub(super) fn level(&self) -> f64 {
        match self.state {
            State::Closed => 0.0,
            State::HalfOpen { .. } => 1.0,
            State::Open { .. } => 2.0,
        }
    }
    fn open(&mut self, now: SimTime) {
        self.opened += 1;
        self.state = State::Open { until: now + self.wait };
        self.outcomes.clear();
        self.next = 0;
    }
}
