//! What every connector of Kafka Connect has in common: how its clients are set, and what an error does.
//!
//! Source: kafka.apache.org/40/documentation.html#connect, and `Worker.baseProducerConfigs` there. Start at [`source_producer`].

use super::Params;
use super::consumer::handler::Step;
use crate::event::Reason;
use crate::machines::broker::client::ProducerConfig;
use crate::model::{Default_, ParamSpec, ParamType as T, Provenance};
use crate::units::SimDuration;

/// Where defaults come from.
pub(super) const CONNECT: Provenance = Provenance::Documented("Kafka Connect 4.0");

/// The longest wait that an `int` of milliseconds can say.
const LONGEST: SimDuration = SimDuration::from_ms(i32::MAX as u64);

/// What happens when an event cannot be moved or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnError {
    Stop,
    /// To the dead letters, or past it.
    GoOn,
}

impl OnError {
    pub fn of(params: &Params<'_>) -> Self {
        if params.text("on_failure") == "stop" { Self::Stop } else { Self::GoOn }
    }
    /// What a sink's task does with a record that it cannot take; tasks that stop for one are counted.
    pub fn refused(self, reason: Reason, stopped: &mut u64) -> Step {
        match self {
            Self::Stop => {
                *stopped += 1;
                Step::Stop(reason)
            }
            Self::GoOn => Step::Failed { reason, again: false },
        }
    }
}

/// The client of a source task: it waits for the broker for as long as it takes, and keeps the order.
pub(super) fn source_producer(call_tag: u16, producer: u64) -> ProducerConfig {
    ProducerConfig {
        linger: SimDuration::ZERO,
        report_acks: true,
        delivery_timeout: LONGEST,
        max_block: LONGEST,
        in_flight_max: 1,
        idempotence: false,
        call_tag,
        producer,
        ..ProducerConfig::default()
    }
}

/// `errors.tolerance`, with what becomes of the record.
pub(super) const ON_FAILURE: ParamSpec = ParamSpec::new(
    "on_failure",
    "On errors",
    T::Choice(&["stop", "dead_letter", "skip"]),
    Default_::Same("stop"),
    "What cannot be moved or written (too large, no text where a queue wants one, a row that is there already): the task stops, and does not come back by itself; or the record goes to the topic linked at dead_letters (sinks only); or it is skipped. errors.tolerance is none with stop, else all",
)
.key("errors.tolerance")
.from(CONNECT)
.group("Connector");

/// `offset.flush.interval.ms`.
pub(super) const COMMIT_INTERVAL: ParamSpec = ParamSpec::new(
    "auto_commit_interval",
    "Commit interval",
    T::Duration { min: "1ms", max: "24h" },
    Default_::Same("60s"),
    "Time between commits of the position up to which everything is moved, acknowledged or written; a task that crashes does once more what came later",
)
.key("offset.flush.interval.ms")
.from(CONNECT)
.group("Positions");

/// Where a sink begins.
pub(super) const OFFSET_RESET: ParamSpec = ParamSpec::new(
    "offset_reset",
    "Start at",
    T::Choice(&["latest", "earliest"]),
    Default_::Same("earliest"),
    "From topics: where a group without a position begins; Connect's sink tasks begin with the first record",
)
.key("consumer.auto.offset.reset")
.from(CONNECT)
.group("Positions");

/// When a sink commits.
pub(super) const COMMIT: ParamSpec = ParamSpec::new(
    "commit",
    "Commit",
    T::Choice(&["auto", "after"]),
    Default_::Same("auto"),
    "From topics: positions are committed every interval, as Connect does, or after each poll's work",
)
.from(CONNECT)
.group("Positions");
