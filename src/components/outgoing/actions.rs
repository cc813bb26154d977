//! What can be done to receivers while a run goes on, by hand or as a fault.

use crate::components::ActionSpec;
use crate::components::combine::joined;
use crate::components::consumer::actions::ACTIONS as READER;
use crate::model::{Default_, ParamSpec, ParamType as T, Provenance};

use Default_::{Required, Same};

const RECEIVER: ParamSpec = ParamSpec::new(
    "receiver",
    "Receiver",
    T::Text { max_chars: 200 },
    Required,
    "Which endpoint or client; of a row that makes several, name-1, name-2…",
);

/// What it understands beside what its reading side does.
pub(super) const OWN: &[ActionSpec] = &[
    ActionSpec {
        name: "slow-receiver",
        help: "An endpoint's answers, or a client's reading, take longer from now on",
        params: &[
            RECEIVER,
            ParamSpec::new(
                "factor",
                "Factor",
                T::Number { min: 0.001, max: 1_000_000.0 },
                Required,
                "So many times as long as usual; 1 ends it",
            ),
        ],
    },
    ActionSpec { name: "kill-receiver", help: "Nobody answers or reads at its end any more, and nobody says so", params: &[RECEIVER] },
    ActionSpec { name: "revive-receiver", help: "It answers and reads again", params: &[RECEIVER] },
    ActionSpec { name: "gone-receiver", help: "Webhooks: the endpoint answers 410 Gone, which disables it at once", params: &[RECEIVER] },
    ActionSpec { name: "disable-receiver", help: "Webhooks: nothing is sent to the endpoint any more", params: &[RECEIVER] },
    ActionSpec {
        name: "enable-receiver",
        help: "Webhooks: a disabled endpoint gets what happens from now on; what was given up stays so",
        params: &[RECEIVER],
    },
    ActionSpec {
        name: "rotate-secret",
        help: "Webhooks: a new secret signs from now on, and the old one beside it for a while",
        params: &[
            RECEIVER,
            ParamSpec::new(
                "overlap",
                "Overlap",
                T::Duration { min: "0s", max: "8760h" },
                Same("24h"),
                "The old secret still signs for so long: the header has two signatures, with a space between",
            )
            .from(Provenance::Documented("Svix, 24 hours")),
            ParamSpec::new(
                "adopted_after",
                "Taken over after",
                T::Duration { min: "0s", max: "8760h" },
                Same("0s"),
                "The receiver checks with the new secret after so long; what comes after the overlap and before that is refused",
            ),
        ],
    },
    ActionSpec {
        name: "disconnect-receiver",
        help: "Push: the client's connection breaks; it comes back after a while",
        params: &[RECEIVER],
    },
    ActionSpec {
        name: "tamper",
        help: "Webhooks: somebody on the way changes a byte of a share of the bodies; receivers see it by the signature",
        params: &[
            ParamSpec::new("ratio", "Share", T::Ratio { min: 0.0, max: 1.0 }, Same("10%"), "Share of the posts"),
            ParamSpec::new("for", "For", T::Duration { min: "1ms", max: "1000h" }, Required, "How long it lasts, in virtual time"),
        ],
    },
];

/// All of them.
pub(super) const ACTIONS: &[ActionSpec] = &joined::<{ OWN.len() + READER.len() }>(OWN, READER);
