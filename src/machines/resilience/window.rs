//! The last calls, by number or by time.

use std::collections::VecDeque;

use crate::units::{SimDuration, SimTime};

/// Longest window, in calls or seconds.
const WINDOW_MAX: usize = 100_000;

/// `slidingWindowType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WindowType {
    /// The last so many calls.
    #[default]
    CountBased,
    /// The calls of the last so many seconds.
    TimeBased,
}

/// What a call was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cell {
    calls: u32,
    failed: u32,
    slow: u32,
}

/// Sums over a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Calls in it,
    pub calls: u32,
    /// of these failed,
    pub failed: u32,
    /// of all these slow.
    pub slow: u32,
}

impl Sums {
    /// Percentage of failures.
    #[must_use]
    pub fn failure_rate(&self) -> f64 {
        100.0 * f64::from(self.failed) / f64::from(self.calls.max(1))
    }
    /// Percentage of slow calls.
    #[must_use]
    pub fn slow_rate(&self) -> f64 {
        100.0 * f64::from(self.slow) / f64::from(self.calls.max(1))
    }
}

/// A sliding window: a ring of single calls, or of seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    ty: WindowType,
    size: usize,
    cells: VecDeque<Cell>,
    /// Time based: the second that the last cell is of.
    second: u64,
    sums: Sums,
}

impl Window {
    pub fn new(ty: WindowType, size: usize) -> Self {
        Self { ty, size: size.clamp(1, WINDOW_MAX), cells: VecDeque::new(), second: 0, sums: Sums::default() }
    }

    pub fn record(&mut self, now: SimTime, failed: bool, slow: bool) -> Sums {
        let cell = Cell { calls: 1, failed: u32::from(failed), slow: u32::from(slow) };
        match self.ty {
            WindowType::CountBased => {
                self.push(cell);
            }
            WindowType::TimeBased => {
                self.move_to(now);
                match self.cells.back_mut() {
                    Some(last) => {
                        *last = Cell { calls: last.calls + 1, failed: last.failed + cell.failed, slow: last.slow + cell.slow };
                        self.add(cell);
                    }
                    None => self.push(cell),
                }
            }
        }
        self.sums
    }

    fn push(&mut self, cell: Cell) {
        if self.cells.len() == self.size
            && let Some(oldest) = self.cells.pop_front()
        {
            self.sums.calls -= oldest.calls;
            self.sums.failed -= oldest.failed;
            self.sums.slow -= oldest.slow;
        }
        self.cells.push_back(cell);
        self.add(cell);
    }

    fn add(&mut self, cell: Cell) {
        self.sums.calls += cell.calls;
        self.sums.failed += cell.failed;
        self.sums.slow += cell.slow;
    }

    /// Empty seconds up to now.
    fn move_to(&mut self, now: SimTime) {
        let second = now.since(SimTime::ZERO).as_ns() / SimDuration::from_secs(1).as_ns();
        if self.cells.is_empty() {
            self.second = second;
            self.push(Cell::default());
        }
        let steps = (second - self.second).min(self.size as u64);
        for _ in 0..steps {
            self.push(Cell::default());
        }
        self.second = second;
    }
}
