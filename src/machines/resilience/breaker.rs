//! The circuit breaker's states.
//!
//! ```text
//! closed ─ rate ≥ threshold ─► open ─ wait over ─► half open ─ rate < threshold ─► closed
//!                               ▲                     │ rate ≥ threshold, or half open for too long
//!                               └─────────────────────┘
//! ```

use super::window::{Window, WindowType};
use crate::units::{SimDuration, SimTime};

/// Settings; Resilience4j's names and defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerConfig {
    /// `failureRateThreshold`, in percent.
    pub failure_rate: f64,
    /// `slowCallRateThreshold`, in percent.
    pub slow_rate: f64,
    /// `slowCallDurationThreshold`.
    pub slow_after: SimDuration,
    /// `slidingWindowType`.
    pub window: WindowType,
    /// `slidingWindowSize`: calls, or seconds.
    pub window_size: usize,
    /// `minimumNumberOfCalls`.
    pub calls_min: u32,
    /// `permittedNumberOfCallsInHalfOpenState`.
    pub half_open_calls: u32,
    /// `waitDurationInOpenState`.
    pub open_wait: SimDuration,
    /// `maxWaitDurationInHalfOpenState`; zero waits for ever.
    pub half_open_wait_max: SimDuration,
    /// `automaticTransitionFromOpenToHalfOpenEnabled`; else the first call after the wait does it.
    pub opens_half_by_itself: bool,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failure_rate: 50.0,
            slow_rate: 100.0,
            slow_after: SimDuration::from_secs(60),
            window: WindowType::CountBased,
            window_size: 100,
            calls_min: 100,
            half_open_calls: 10,
            open_wait: SimDuration::from_secs(60),
            half_open_wait_max: SimDuration::ZERO,
            opens_half_by_itself: false,
        }
    }
}

impl BreakerConfig {
    /// Calls that a rate needs: with a window of calls no more than it holds, half open no more than are let through.
    fn calls_min(&self, is_half_open: bool) -> u32 {
        if is_half_open {
            return self.half_open_calls.max(1);
        }
        match self.window {
            WindowType::CountBased => self.calls_min.min(u32::try_from(self.window_size).unwrap_or(u32::MAX)).max(1),
            WindowType::TimeBased => self.calls_min.max(1),
        }
    }
}

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// None does.
    Open,
    /// A few do, to see.
    HalfOpen,
}

impl BreakerState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];
    /// As Resilience4j writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Open => "OPEN",
            Self::HalfOpen => "HALF_OPEN",
        }
    }
}

/// Whether a call may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Yes; its end must be told with this number, by which a breaker knows calls of an earlier state.
    Granted(u64),
    /// `CallNotPermittedException`.
    Refused,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallEnd {
    /// It failed.
    pub failed: bool,
    /// How long it took.
    pub took: SimDuration,
}

/// One breaker.
#[derive(Clone, Debug, PartialEq)]
pub struct CircuitBreaker {
    cfg: BreakerConfig,
    state: BreakerState,
    /// Counts states that it was in.
    turn: u64,
    since: SimTime,
    window: Window,
    half_open_left: u32,
    opened: u64,
    refused: u64,
}

impl CircuitBreaker {
    /// A closed one.
    #[must_use]
    pub fn new(cfg: BreakerConfig) -> Self {
        Self {
            cfg,
            state: BreakerState::Closed,
            turn: 0,
            since: SimTime::ZERO,
            window: Window::new(cfg.window, cfg.window_size),
            half_open_left: 0,
            opened: 0,
            refused: 0,
        }
    }
    /// Where it stands since the last call or deadline.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.state
    }
    /// How often it opened.
    #[must_use]
    pub fn opened_count(&self) -> u64 {
        self.opened
    }
    /// Calls that it did not let through.
    #[must_use]
    pub fn refused_count(&self) -> u64 {
        self.refused
    }

    /// When it changes by itself, if no call is quicker: see [`Self::on_deadline`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<SimTime> {
        match self.state {
            BreakerState::Open if self.cfg.opens_half_by_itself => Some(self.since + self.cfg.open_wait),
            BreakerState::HalfOpen if !self.cfg.half_open_wait_max.is_zero() => Some(self.since + self.cfg.half_open_wait_max),
            BreakerState::Closed | BreakerState::Open | BreakerState::HalfOpen => None,
        }
    }
    /// Time has passed.
    pub fn on_deadline(&mut self, now: SimTime) {
        while let Some(at) = self.next_deadline().filter(|at| *at <= now) {
            let next = if self.state == BreakerState::Open { BreakerState::HalfOpen } else { BreakerState::Open };
            self.enter(at, next);
        }
    }

    /// Whether a call may begin.
    pub fn acquire(&mut self, now: SimTime) -> Permission {
        self.on_deadline(now);
        if self.state == BreakerState::Open && self.since + self.cfg.open_wait <= now {
            self.enter(now, BreakerState::HalfOpen);
        }
        match self.state {
            BreakerState::Closed => Permission::Granted(self.turn),
            BreakerState::HalfOpen if self.half_open_left > 0 => {
                self.half_open_left -= 1;
                Permission::Granted(self.turn)
            }
            BreakerState::Open | BreakerState::HalfOpen => {
                self.refused += 1;
                Permission::Refused
            }
        }
    }

    /// A call was not made after all: its permission goes back.
    pub fn release(&mut self, turn: u64) {
        if turn == self.turn && self.state == BreakerState::HalfOpen {
            self.half_open_left = (self.half_open_left + 1).min(self.cfg.half_open_calls.max(1));
        }
    }

    /// A call has ended. One that began in an earlier state changes nothing.
    pub fn ended(&mut self, now: SimTime, turn: u64, end: CallEnd) {
        if turn != self.turn || self.state == BreakerState::Open {
            return;
        }
        let sums = self.window.record(now, end.failed, end.took > self.cfg.slow_after);
        if sums.calls < self.cfg.calls_min(self.state == BreakerState::HalfOpen) {
            return;
        }
        let is_over = sums.failure_rate() >= self.cfg.failure_rate || sums.slow_rate() >= self.cfg.slow_rate;
        match (self.state, is_over) {
            (_, true) => self.enter(now, BreakerState::Open),
            (BreakerState::HalfOpen, false) => self.enter(now, BreakerState::Closed),
            _ => {}
        }
    }

    fn enter(&mut self, now: SimTime, state: BreakerState) {
        self.state = state;
        self.turn += 1;
        self.since = now;
        self.opened += u64::from(state == BreakerState::Open);
        self.half_open_left = self.cfg.half_open_calls.max(1);
        self.window = match state {
            BreakerState::HalfOpen => Window::new(WindowType::CountBased, self.half_open_left as usize),
            BreakerState::Closed | BreakerState::Open => Window::new(self.cfg.window, self.cfg.window_size),
        };
    }
}
