//! What may happen to any component, and to any link: faults that the driver brings about, whatever the kind.
//!
//! Data for scenarios, checks and buttons; `run/` carries them out. What only one kind understands stands in its own
//! `spec.rs`.

use super::ActionSpec;
use crate::model::{Default_, ParamSpec, ParamType};

/// How long something lasts.
const FOR: ParamSpec = ParamSpec::new(
    "for",
    "For",
    ParamType::Duration { min: "1ms", max: "1000h" },
    Default_::Required,
    "How long it lasts, in virtual time",
);
const DIRECTION: ParamSpec = ParamSpec::new(
    "direction",
    "Direction",
    ParamType::Choice(&["both", "forward", "backward"]),
    Default_::Same("both"),
    "Forward is the way that the link is drawn; answers travel backward",
);
const SHARE: ParamSpec = ParamSpec::new(
    "ratio",
    "Share",
    ParamType::Ratio { min: 0.0, max: 1.0 },
    Default_::Same("10%"),
    "Share of the messages that it strikes",
);

/// What any component may suffer.
pub const COMPONENT_FAULTS: &[ActionSpec] = &[FREEZE];

/// It stands still.
pub const FREEZE: ActionSpec = ActionSpec {
    name: "freeze",
    help: "Does nothing for a while, as in a long garbage collection: messages and timers wait, and are due all at once when it goes on",
    params: &[FOR],
};

/// Its process is gone: for kinds that are one process. They list it among their actions.
pub const CRASH: ActionSpec = ActionSpec {
    name: "crash",
    help: "Its process is gone at once, with all that it had in memory. Messages to it are lost, and callers wait for their timeouts",
    params: &[ParamSpec::new(
        "for",
        "For",
        ParamType::Duration { min: "1ms", max: "1000h" },
        Default_::Absent,
        "How long until it begins anew; until restart when absent",
    )],
};

/// The end of a [`CRASH`].
pub const RESTART: ActionSpec = ActionSpec { name: "restart", help: "A crashed process begins anew", params: &[] };

/// What any link may suffer.
pub const LINK_FAULTS: &[ActionSpec] = &[
    ActionSpec { name: "cut", help: "Drops every message that is put on it; what is under way arrives", params: &[FOR, DIRECTION] },
    ActionSpec {
        name: "delay",
        help: "Adds to the latency of every message; they stay in order",
        params: &[
            FOR,
            ParamSpec::new("by", "By", ParamType::DurationDist, Default_::Required, "What is added to each message's latency"),
            DIRECTION,
        ],
    },
    ActionSpec { name: "lose", help: "Drops a share of the messages", params: &[FOR, SHARE, DIRECTION] },
    ActionSpec {
        name: "duplicate",
        help: "Delivers a share of the messages twice",
        params: &[
            FOR,
            SHARE,
            ParamSpec::new(
                "after",
                "After",
                ParamType::DurationDist,
                Default_::Same("10ms"),
                "How long after the first the second arrives",
            ),
            DIRECTION,
        ],
    },
    ActionSpec {
        name: "reorder",
        help: "Holds a share of the messages back while later ones overtake them",
        params: &[
            FOR,
            SHARE,
            ParamSpec::new("by", "By", ParamType::DurationDist, Default_::Same("50ms"), "How long those are held back"),
            DIRECTION,
        ],
    },
];
