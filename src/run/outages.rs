//! Components that stand still for a while, and components whose process is gone.
//!
//! In: `freeze`, `crash` and `restart` of a scenario or a person. Out: for one that is frozen, all that came due, in
//! order, when it goes on; for one that crashed, nothing: timers and messages of a life that is over are dropped.
//! Must not know: what a component keeps across a crash ([`Process::crash`](crate::engine::Process::crash)).
//! Start at [`Sim::begin_outage`].

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::due::Due;
use super::sim::Sim;
use crate::components::{ActionSpec, CRASH, FREEZE, Params, RESTART};
use crate::model::Value;
use crate::units::SimTime;

/// Who does nothing now, by component.
#[derive(Clone, Debug, Default)]
pub(super) struct Outages {
    frozen: BTreeMap<usize, Frozen>,
    /// The last crash of each that has crashed.
    crashes: BTreeMap<usize, Crash>,
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

/// A component whose process was gone, or is.
#[derive(Clone, Debug)]
struct Crash {
    /// When it begins anew by itself.
    until: Option<SimTime>,
    record: usize,
}

impl Outages {
    /// Whether what is due for a component has to be kept.
    #[inline]
    pub fn is_frozen(&self, component: usize) -> bool {
        !self.frozen.is_empty() && self.frozen.contains_key(&component)
    }

    /// When the next of them is over.
    pub fn next_end(&self) -> SimTime {
        let thaws = self.frozen.values().map(|frozen| frozen.until);
        thaws.chain(self.crashes.values().filter_map(|crash| crash.until)).min().unwrap_or(SimTime::MAX)
    }
}

impl Sim {
    /// Carries out an action that is the driver's own; none for any other. Gives until when it lasts, if that is known.
    pub(super) fn begin_outage(
        &mut self,
        at: &mut usize,
        component: usize,
        (action, params): (&str, &IndexMap<String, Value>),
        record: usize,
    ) -> Option<Result<Option<SimTime>, String>> {
        let until = |spec: &ActionSpec| {
            let params = Params::new(spec.params, None, params);
            params.is_given("for").then(|| self.now + params.duration("for"))
        };
        let is_down = self.world.is_down(component);
        match action {
            _ if action == RESTART.name => Some(if is_down {
                self.restart(at, component);
                Ok(None)
            } else {
                Err("it runs".to_owned())
            }),
            _ if is_down => Some(Err("it is down".to_owned())),
            _ if action == CRASH.name => {
                let until = until(&CRASH);
                Some(self.crash(at, component, until, record))
            }
            _ if action == FREEZE.name => {
                let until = until(&FREEZE).unwrap_or(self.now);
                Some(Ok(Some(self.freeze(component, until, record))))
            }
            _ => None,
        }
    }

    /// Goes on, or begins anew, with whoever's time has come.
    pub(super) fn end_outages(&mut self, at: &mut usize) {
        let now = self.now;
        let over = |until: SimTime| until <= now;
        let thawing: Vec<usize> =
            self.outages.frozen.iter().filter(|(_, frozen)| over(frozen.until)).map(|(component, _)| *component).collect();
        for component in thawing {
            self.thaw(at, component);
        }
        let starting: Vec<usize> =
            self.outages.crashes.iter().filter(|(_, crash)| crash.until.is_some_and(over)).map(|(component, _)| *component).collect();
        for component in starting {
            self.restart(at, component);
        }
    }

    /// Holds back whatever comes due for a component; gives until when.
    fn freeze(&mut self, component: usize, until: SimTime, record: usize) -> SimTime {
        let frozen = self.outages.frozen.entry(component).or_insert_with(|| Frozen { until, held: Vec::new(), record });
        frozen.until = frozen.until.max(until);
        frozen.until
    }

    /// Keeps what is due for a frozen component until it goes on.
    pub(super) fn hold(&mut self, component: usize, due: Due) {
        if let Some(frozen) = self.outages.frozen.get_mut(&component) {
            frozen.held.push(due);
            self.world.recorder.fault_effect(frozen.record, if due.what() == Due::TIMER { "timers_late" } else { "messages_late" });
        }
    }

    /// A frozen component takes all that was held for it, in order.
    fn thaw(&mut self, at: &mut usize, component: usize) {
        let held = self.outages.frozen.remove(&component).map(|frozen| frozen.held).unwrap_or_default();
        for due in held {
            self.carry_out(at, due);
            // What it answers at once waits its turn behind what was held.
            if let Some(arrival) = self.world.next.take() {
                self.world.arrive_later(self.now, arrival);
            }
        }
    }

    /// A component's process is gone: what it held, and what was under way to it.
    fn crash(&mut self, at: &mut usize, component: usize, until: Option<SimTime>, record: usize) -> Result<Option<SimTime>, String> {
        *at = component;
        let mut lost = Ok(0);
        self.turn(component, |process, ctx| lost = process.crash(ctx));
        self.world.recorder.fault_effects(record, "work_lost", lost?);
        self.world.lives[component] += 1;
        self.outages.crashes.insert(component, Crash { until, record });
        // Frozen no longer: what was held for it is of a life that is over.
        self.thaw(at, component);
        Ok(until)
    }

    fn restart(&mut self, at: &mut usize, component: usize) {
        if let Some(crash) = self.outages.crashes.get_mut(&component) {
            crash.until = None;
            self.world.recorder.fault_settled(crash.record, Ok(Some(self.now)));
        }
        self.world.lives[component] += 1;
        *at = component;
        self.turn(component, |process, ctx| process.restart(ctx));
    }

    /// Writes down that a message to or from a process that is gone is lost.
    pub(super) fn lose(&mut self, component: usize) {
        if let Some(crash) = self.outages.crashes.get(&component) {
            self.world.recorder.fault_effect(crash.record, "messages_lost");
        }
    }
}
