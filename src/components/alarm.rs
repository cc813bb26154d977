//! A component's own wake-up: one timer for whatever is due next, set anew only when something is due earlier.
//!
//! A timer that was set stays set, so that an alarm may ring for nothing, and is never late. In: when something is due, by
//! every turn. Out: a timer now and then, and which of those that fire is the one. Must not know: what is due. Start at
//! [`Alarm::set`].

use crate::engine::Ctx;
use crate::units::SimTime;

/// When it rings next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alarm {
    at: SimTime,
}

impl Default for Alarm {
    fn default() -> Self {
        Self { at: SimTime::MAX }
    }
}

impl Alarm {
    /// Something is due at `wake`, nothing at the end of time: sets a timer with this token, unless it rings before.
    #[inline]
    pub fn set(&mut self, ctx: &mut Ctx<'_>, wake: SimTime, token: u64) {
        if self.is_late_for(wake) {
            ctx.timer_at(wake, token);
        }
    }
    /// The same for those who set their timers otherwise: whether they have to.
    #[inline]
    pub fn is_late_for(&mut self, wake: SimTime) -> bool {
        let is_late = wake < self.at;
        self.at = self.at.min(wake);
        is_late
    }
    /// A timer has fired: whether it is the alarm's, and not one that an earlier alarm has made stale.
    #[inline]
    pub fn rings(&mut self, now: SimTime) -> bool {
        let rings = self.at <= now;
        if rings {
            self.at = SimTime::MAX;
        }
        rings
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn at(ns: u64) -> SimTime {
        SimTime::from_ns(ns)
    }

    proptest! {
        /// Whatever is asked for in between: it rings when the first thing is due that was asked for since it last rang, and
        /// at no other time.
        #[test]
        fn it_rings_when_the_first_thing_is_due(asked in prop::collection::vec((0..20_u64, 0..100_u64), 1..60)) {
            let (mut alarm, mut timers, mut due, mut now) = (Alarm::default(), BTreeSet::new(), None::<u64>, 0);
            let end = (1_000_000, 0);
            for (later, wake) in asked.into_iter().chain([end]) {
                now += later;
                // Timers fire before the next turn, in their order; stale ones too.
                while let Some(timer) = timers.pop_first() {
                    if timer > now {
                        timers.insert(timer);
                        break;
                    }
                    let rings = alarm.rings(at(timer));
                    prop_assert_eq!(rings, due == Some(timer), "at {}, due {:?}", timer, due);
                    due = due.filter(|_| !rings);
                }
                prop_assert!(due.is_none_or(|due| due > now), "at {}, due {:?}", now, due);
                let wake = now + 1 + wake;
                if alarm.is_late_for(at(wake)) {
                    timers.insert(wake);
                }
                due = Some(due.map_or(wake, |due| due.min(wake)));
            }
        }
    }
}
