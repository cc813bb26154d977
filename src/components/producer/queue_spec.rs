//! What a producer can be told of its sends to queues.

use crate::model::{Default_, ParamSpec, ParamType, Provenance};

use Default_::{Absent, Same};
use ParamType as T;

pub(in crate::components) const BATCH: ParamSpec =
    ParamSpec::new("queue_batch", "Batch", T::Count { min: 1, max: 10 }, Same("10"), "Most messages of one call to a queue")
        .key("SendMessageBatch")
        .from(Provenance::Documented("Amazon SQS quotas"))
        .group("Queues");

pub(in crate::components) const LINGER: ParamSpec = ParamSpec::new(
    "queue_linger",
    "Linger",
    T::Duration { min: "0s", max: "1h" },
    Same("0s"),
    "How long a message waits for others of its batch",
)
.group("Queues");

pub(in crate::components) const CALLS: ParamSpec = ParamSpec::new(
    "queue_calls",
    "Calls under way",
    T::Count { min: 1, max: 10_000 },
    Same("50"),
    "Calls to one standard queue that may be under way at once; to a FIFO queue there is one, which keeps the order",
)
.from(Provenance::Documented("AWS SDK, connections of one client"))
.group("Queues");

pub(in crate::components) const TIMEOUT: ParamSpec =
    ParamSpec::new("queue_timeout", "Timeout", T::Duration { min: "1ms", max: "1h" }, Same("5s"), "Longest wait for a queue's answer")
        .from(Provenance::Assumed)
        .group("Queues");

pub(in crate::components) const RETRIES: ParamSpec = ParamSpec::new(
    "queue_retries",
    "Retries",
    T::Count { min: 0, max: 1000 },
    Same("2"),
    "How often a call is repeated after a timeout or a refusal that may pass",
)
.from(Provenance::Documented("AWS SDK, standard retry mode"))
.group("Queues");

pub(in crate::components) const BACKOFF: ParamSpec = ParamSpec::new(
    "queue_backoff",
    "Backoff",
    T::Duration { min: "0s", max: "1h" },
    Same("100ms"),
    "Wait before the first retry; it doubles with each",
)
.from(Provenance::Assumed)
.group("Queues");

pub(in crate::components) const BUFFER: ParamSpec = ParamSpec::new(
    "queue_buffer",
    "Buffer",
    T::Count { min: 1, max: 1_000_000 },
    Same("10000"),
    "Messages that wait for a free call; more are dropped",
)
.from(Provenance::Assumed)
.group("Queues");

pub(in crate::components) const DELAY: ParamSpec = ParamSpec::new(
    "message_delay",
    "Message delay",
    T::Duration { min: "0s", max: "15min" },
    Absent,
    "Delay of each message; the queue's own when absent. FIFO queues take none",
)
.key("DelaySeconds")
.group("Queues");

pub(in crate::components) const GROUPS: ParamSpec = ParamSpec::new(
    "message_groups",
    "Message groups",
    T::Bool,
    Same("false"),
    "Standard queues: the event's key goes along as its message group, which makes the queue fair: a tenant with many messages in flight \
     waits behind the others. FIFO queues always get it",
)
.key("MessageGroupId")
.group("Queues");

pub(in crate::components) const DEDUPLICATION: ParamSpec = ParamSpec::new(
    "deduplication",
    "Deduplication",
    T::Choice(&["event_id", "content"]),
    Same("event_id"),
    "FIFO: known by the event's id, or left to the queue, which compares bodies (content_deduplication)",
)
.key("MessageDeduplicationId")
.group("Queues");
