//! Clocks of components, which a fault makes wrong: what they write down is wrong too, virtual time is not.
//!
//! In: the arguments of [`SKEW_CLOCK`]. Out: a clock. Start at [`skewed`].

use super::{ActionSpec, Params};
use crate::engine::Figures;
use crate::model::{Default_, ParamSpec, ParamType};
use crate::units::{Clock, SimTime};

/// For kinds that write timestamps down. They list it among their actions.
pub const SKEW_CLOCK: ActionSpec = ActionSpec {
    name: "skew-clock",
    help: "Its clock is wrong from now on: the timestamps that it writes and compares are. Latencies are measured by true time; with \
           neither an offset nor a drift it is right again",
    params: &[
        ParamSpec::new(
            "by",
            "By",
            ParamType::Duration { min: "0s", max: "87600h" },
            Default_::Same("0s"),
            "How far it is off at once; whole milliseconds count",
        ),
        ParamSpec::new("direction", "Direction", ParamType::Choice(&["ahead", "behind"]), Default_::Same("ahead"), "Which way"),
        ParamSpec::new(
            "drift",
            "Drift",
            ParamType::Number { min: 0.0, max: 500_000.0 },
            Default_::Same("0"),
            "By how many millionths it is too fast (ahead) or too slow (behind)",
        ),
    ],
};

/// The clock that the action makes.
pub(super) fn skewed(now: SimTime, params: &Params<'_>) -> Clock {
    Clock::off(now, params.duration("by"), params.number("drift"), params.text("direction") == "behind")
}

/// Nothing of a clock that is right.
pub(super) fn figures(clock: Clock, now: SimTime, out: &mut Figures) {
    if !clock.is_right() {
        out.gauge("clock_ahead_s", clock.ahead_ms(now) as f64 / 1e3);
    }
}
