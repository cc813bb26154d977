//! What a producer can be told.

use super::queue_spec;
use crate::components::{ActionSpec, CRASH, KindSpec, PRINCIPAL, RESTART, SKEW_CLOCK};
use crate::machines::broker::compression::Compression;
use crate::machines::registry::SubjectNaming;
use crate::model::{Default_, ParamSpec, ParamType, Provenance};

use Default_::{Absent, ByProfile, Same};
use ParamType as T;

const DOCUMENTED: Provenance = Provenance::Documented("Kafka 4.0 ProducerConfig");

/// One row of `events`.
const EVENT: &[ParamSpec] = &[
    ParamSpec::new("type", "Type", T::Text { max_chars: 200 }, Default_::Required, "Name of the event type, such as OrderPlaced"),
    ParamSpec::new("weight", "Weight", T::Number { min: 0.0, max: 1e9 }, Same("1"), "How often it is made, relative to the others"),
    ParamSpec::new(
        "schema",
        "Schema",
        T::Text { max_chars: 200 },
        Absent,
        "Subject at the registry, or without a registry the name of a schema of this project. Without it the payload is `size` bytes",
    ),
    ParamSpec::new("version", "Version", T::Count { min: 1, max: 1_000_000 }, Absent, "Version of the subject; latest when absent")
        .key("use.latest.version"),
    ParamSpec::new(
        "message",
        "Message",
        T::Text { max_chars: 500 },
        Absent,
        "Which message of a Protobuf schema it is, by its full name or without the package; the first when absent",
    ),
    ParamSpec::new(
        "topic",
        "Topic",
        T::Text { max_chars: 249 },
        Absent,
        "Which linked topic or queue it goes to; the first way out when absent",
    ),
    ParamSpec::new("path", "Path", T::Text { max_chars: 1000 }, Same("/events"), "Path of the request to a gateway"),
    ParamSpec::new(
        "method",
        "Method",
        T::Choice(&["POST", "PUT", "PATCH", "GET", "DELETE"]),
        Same("POST"),
        "Method of the request to a gateway",
    ),
    ParamSpec::new("size", "Size", T::Size { min: "0B", max: "1MiB" }, Same("100B"), "Size of the payload of a type without a schema"),
    ParamSpec::new("owner", "Owner", T::Text { max_chars: 200 }, Absent, "Team that owns the event type"),
    ParamSpec::new("context", "Bounded context", T::Text { max_chars: 200 }, Absent, "Bounded context that the event belongs to"),
    ParamSpec::new("data_class", "Data class", T::Text { max_chars: 200 }, Absent, "Class of its data, such as personal"),
    ParamSpec::new("description", "Description", T::LongText, Absent, "What the event says"),
];

/// A producer.
pub(super) const SPEC: KindSpec = KindSpec {
    id: "producer",
    title: "Producer",
    category: "Clients",
    profiles: &["kafka-4.0", "kafka-3.9"],
    help: "Makes events and sends them to topics, to queues or to a gateway",
    params: PARAMS,
    actions: &[
        ActionSpec { name: "pause", help: "Makes no more events", params: &[] },
        ActionSpec { name: "resume", help: "Makes events again", params: &[] },
        ActionSpec {
            name: "poison",
            help: "Its next events carry payloads that break their schema, whatever it validates: poison pills for whoever reads them",
            params: &[ParamSpec::new("events", "Events", T::Count { min: 1, max: 1_000_000 }, Same("1"), "How many")],
        },
        SKEW_CLOCK,
        CRASH,
        RESTART,
    ],
    id_stem: "producer",
};

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new("load", "Load", T::Arrival, Same("poisson(100/s)"), "When events are made").group("Load"),
    ParamSpec::new("events", "Events", T::Rows(EVENT), Absent, "The types of event that it makes").group("Load"),
    ParamSpec::new(
        "value_subject_naming",
        "Subject naming",
        T::Choice(SubjectNaming::WORDS),
        Absent,
        "Under which subject the registry is asked for a schema of this project: TopicName, <topic>-value; RecordName, the record's \
         full name; TopicRecordName, <topic>-<full name>. When absent `schema` is the subject itself",
    )
    .key("value.subject.name.strategy")
    .from(Provenance::Documented("Confluent Schema Registry 7: value.subject.name.strategy"))
    .group("Load"),
    ParamSpec::new(
        "glue_compression",
        "Glue compression",
        T::Choice(&["none", "zlib"]),
        Same("none"),
        "Whether AWS Glue's serializer packs each payload behind its header; readers unpack it. For a registry of the profile glue",
    )
    .from(Provenance::Documented("AWS Glue Schema Registry 1.1: AWSSchemaRegistryConstants.COMPRESSION_TYPE"))
    .group("Load"),
    ParamSpec::new(
        "invalid_ratio",
        "Invalid share",
        T::Ratio { min: 0.0, max: 1.0 },
        Same("0%"),
        "Share of events whose payload breaks its schema",
    )
    .group("Load"),
    ParamSpec::new("keys", "Keys", T::Keys, Same("none"), "Which keys events carry; the same key goes to the same partition").group("Load"),
    ParamSpec::new("key_prefix", "Key prefix", T::Text { max_chars: 100 }, Same("key-"), "Text before a key's number").group("Load"),
    ParamSpec::new(
        "tombstone_ratio",
        "Tombstones",
        T::Ratio { min: 0.0, max: 1.0 },
        Same("0%"),
        "Share of events without a value, which delete their key in a compacted topic; only on the way to topics, and only with keys",
    )
    .group("Load"),
    ParamSpec::new("max_events", "Stop after", T::Count { min: 0, max: i64::MAX }, Absent, "Makes no more events than this").group("Load"),
    ParamSpec::new(
        "validate",
        "Validate",
        T::Bool,
        Same("false"),
        "Checks each payload against its schema and rejects invalid events here",
    )
    .group("Schema"),
    ParamSpec::new(
        "schema_age_max",
        "Latest schema's age",
        T::Duration { min: "1s", max: "365d" },
        Absent,
        "The latest version of a subject is asked for again after this long, and taken if it reads what the application makes; \
         never when absent",
    )
    .key("latest.cache.ttl.sec")
    .group("Schema"),
    ParamSpec::new("acks", "Acks", T::Choice(&["all", "1", "0"]), Same("all"), "Which replicas must have a batch before it counts as sent")
        .key("acks")
        .from(DOCUMENTED)
        .group("Kafka delivery"),
    ParamSpec::new(
        "idempotence",
        "Idempotence",
        T::Bool,
        Absent,
        "The broker drops repeated batches; on unless acks, retries or in-flight forbid it",
    )
    .key("enable.idempotence")
    .from(DOCUMENTED)
    .group("Kafka delivery"),
    ParamSpec::new(
        "retries",
        "Retries",
        T::Count { min: 0, max: 2_147_483_647 },
        Same("2147483647"),
        "How often a failed batch is sent again",
    )
    .key("retries")
    .from(DOCUMENTED)
    .group("Kafka delivery"),
    ParamSpec::new(
        "retry_backoff",
        "Retry backoff",
        T::Duration { min: "0s", max: "1h" },
        Same("100ms"),
        "Wait before the first retry; doubles with each",
    )
    .key("retry.backoff.ms")
    .from(DOCUMENTED)
    .group("Kafka delivery"),
    ParamSpec::new("retry_backoff_max", "Longest backoff", T::Duration { min: "0s", max: "1h" }, Same("1s"), "Longest wait before a retry")
        .key("retry.backoff.max.ms")
        .from(DOCUMENTED)
        .group("Kafka delivery"),
    ParamSpec::new(
        "metadata_max_age",
        "Metadata age",
        T::Duration { min: "1ms", max: "30d" },
        Same("5min"),
        "Partitions and their leaders are asked for again after this long, even when no error hints at a change",
    )
    .key("metadata.max.age.ms")
    .from(DOCUMENTED)
    .group("Kafka delivery"),
    ParamSpec::new(
        "request_timeout",
        "Request timeout",
        T::Duration { min: "1ms", max: "1h" },
        Same("30s"),
        "Longest wait for a broker's answer",
    )
    .key("request.timeout.ms")
    .from(DOCUMENTED)
    .group("Kafka delivery"),
    ParamSpec::new(
        "delivery_timeout",
        "Delivery timeout",
        T::Duration { min: "1ms", max: "24h" },
        Same("120s"),
        "After this an unsent or failed batch is given up",
    )
    .key("delivery.timeout.ms")
    .from(DOCUMENTED)
    .group("Kafka delivery"),
    ParamSpec::new("max_in_flight", "In flight", T::Count { min: 1, max: 1000 }, Same("5"), "Requests under way on one connection")
        .key("max.in.flight.requests.per.connection")
        .from(DOCUMENTED)
        .group("Kafka delivery"),
    ParamSpec::new(
        "linger",
        "Linger",
        T::Duration { min: "0s", max: "1h" },
        ByProfile(&[("kafka-4.0", "5ms"), ("kafka-3.9", "0s")]),
        "How long a batch waits for more records",
    )
    .key("linger.ms")
    .from(DOCUMENTED)
    .group("Kafka batching"),
    ParamSpec::new("batch_size", "Batch size", T::Size { min: "1B", max: "1GiB" }, Same("16KiB"), "A batch of this size leaves at once")
        .key("batch.size")
        .from(DOCUMENTED)
        .group("Kafka batching"),
    ParamSpec::new(
        "compression",
        "Compression",
        T::Choice(Compression::NAMES),
        Same("none"),
        "How batches are packed; packed for real, so the ratio is that of the payloads",
    )
    .key("compression.type")
    .from(DOCUMENTED)
    .group("Kafka batching"),
    ParamSpec::new(
        "compression_time",
        "Packing time",
        T::Duration { min: "0s", max: "1s" },
        Absent,
        "How long the client needs to pack one KiB; by the codec when absent: gzip 25 us, snappy 2 us, lz4 1.5 us, zstd 3 us",
    )
    .from(Provenance::Assumed)
    .group("Kafka batching"),
    ParamSpec::new(
        "request_size",
        "Request size",
        T::Size { min: "1KiB", max: "1GiB" },
        Same("1MiB"),
        "Largest request and largest record",
    )
    .key("max.request.size")
    .from(DOCUMENTED)
    .group("Kafka batching"),
    ParamSpec::new(
        "buffer_memory",
        "Buffer",
        T::Size { min: "1KiB", max: "64GiB" },
        Same("32MiB"),
        "Memory for batches that wait or are under way",
    )
    .key("buffer.memory")
    .from(DOCUMENTED)
    .group("Kafka batching"),
    ParamSpec::new(
        "max_block",
        "Longest block",
        T::Duration { min: "0s", max: "1h" },
        Same("60s"),
        "How long an event waits for a full buffer before it is dropped",
    )
    .key("max.block.ms")
    .from(DOCUMENTED)
    .group("Kafka batching"),
    ParamSpec::new(
        "transactional_id",
        "Transactional id",
        T::Text { max_chars: 249 },
        Absent,
        "Writes in transactions under this name; a producer that begins with the same name fences this one",
    )
    .key("transactional.id")
    .group("Kafka transactions"),
    ParamSpec::new(
        "transaction_size",
        "Events of a transaction",
        T::Count { min: 1, max: 1_000_000 },
        Same("100"),
        "A transaction with so many events ends",
    )
    .from(Provenance::Assumed)
    .group("Kafka transactions"),
    ParamSpec::new(
        "transaction_time",
        "Length of a transaction",
        T::Duration { min: "1ms", max: "15min" },
        Same("100ms"),
        "One with fewer events ends after this; events that come meanwhile wait for the next",
    )
    .from(Provenance::Assumed)
    .group("Kafka transactions"),
    ParamSpec::new(
        "transaction_timeout",
        "Transaction timeout",
        T::Duration { min: "1ms", max: "15min" },
        Same("60s"),
        "The coordinator aborts a transaction that is open for longer, and fences its producer",
    )
    .key("transaction.timeout.ms")
    .from(DOCUMENTED)
    .group("Kafka transactions"),
    ParamSpec::new(
        "aborted_ratio",
        "Aborted",
        T::Ratio { min: 0.0, max: 1.0 },
        Same("0%"),
        "Share of transactions that are aborted on purpose, after all of their events are written",
    )
    .group("Kafka transactions"),
    PRINCIPAL,
    ParamSpec::new("http_timeout", "Timeout", T::Duration { min: "1ms", max: "1h" }, Same("10s"), "Longest wait for a gateway's answer")
        .from(Provenance::Assumed)
        .group("HTTP"),
    ParamSpec::new("http_retries", "Retries", T::Count { min: 0, max: 1000 }, Same("3"), "How often a failed request is sent again")
        .from(Provenance::Assumed)
        .group("HTTP"),
    ParamSpec::new(
        "retry_statuses",
        "Retried statuses",
        T::Words,
        Same("429, 502, 503, 504"),
        "Answers after which the request is sent again",
    )
    .group("HTTP"),
    ParamSpec::new(
        "backoff",
        "Backoff",
        T::Duration { min: "0s", max: "1h" },
        Same("200ms"),
        "Wait before the first retry, doubling with each up to a hundredfold; a Retry-After that is longer counts instead",
    )
    .from(Provenance::Assumed)
    .group("HTTP"),
    ParamSpec::new(
        "http_concurrency",
        "Concurrency",
        T::Count { min: 1, max: 1_000_000 },
        Same("256"),
        "Requests under way at once; more wait",
    )
    .from(Provenance::Assumed)
    .group("HTTP"),
    ParamSpec::new(
        "http_queue",
        "Queue",
        T::Count { min: 0, max: 1_000_000 },
        Same("10000"),
        "Events that wait for a free connection; more are dropped",
    )
    .from(Provenance::Assumed)
    .group("HTTP"),
    ParamSpec::new(
        "api_key",
        "API key",
        T::Text { max_chars: 500 },
        Absent,
        "Sent in the header `apikey`: `env:NAME`, `file:NAME` or `sample:…`",
    )
    .key("apikey")
    .group("HTTP"),
    ParamSpec::new(
        "key_header",
        "Key header",
        T::Text { max_chars: 200 },
        Same("apikey"),
        "The header that carries the key; AWS reads `x-api-key`",
    )
    .group("HTTP"),
    ParamSpec::new("user", "User", T::Text { max_chars: 500 }, Absent, "Sent with the password as `Authorization: Basic`")
        .group("Credentials"),
    ParamSpec::new("password", "Password", T::Text { max_chars: 500 }, Absent, "`env:NAME`, `file:NAME` or `sample:…`")
        .group("Credentials"),
    ParamSpec::new(
        "token_issuer",
        "Token issuer",
        T::Text { max_chars: 500 },
        Absent,
        "Requests carry a signed token (`Authorization: Bearer`) whose claim `iss` says this",
    )
    .group("Credentials"),
    ParamSpec::new(
        "token_algorithm",
        "Token algorithm",
        T::Choice(crate::components::gateway::ALGORITHMS),
        Same("HS256"),
        "Of its signature",
    )
    .group("Credentials"),
    ParamSpec::new(
        "token_secret",
        "Token secret",
        T::Text { max_chars: 5_000 },
        Absent,
        "What it is signed with: `env:NAME`, `file:NAME` or `sample:…`, as at the gateway",
    )
    .group("Credentials"),
    ParamSpec::new(
        "token_lifetime",
        "Token lifetime",
        T::Duration { min: "1s", max: "10000h" },
        Same("5min"),
        "A token's `exp`; a new one is signed when a tenth of it is left",
    )
    .from(Provenance::Assumed)
    .group("Credentials"),
    ParamSpec::new(
        "bad_credentials",
        "Bad credentials",
        T::Ratio { min: 0.0, max: 1.0 },
        Same("0%"),
        "Share of events sent with a wrong key or password, or a token whose signature is wrong",
    )
    .group("Credentials"),
    ParamSpec::new(
        "expired_credentials",
        "Expired tokens",
        T::Ratio { min: 0.0, max: 1.0 },
        Same("0%"),
        "Share of events sent with a token that has ended",
    )
    .group("Credentials"),
    ParamSpec::new("certificate", "Client certificate", T::Bool, Same("false"), "It has one, for gateways with `tls: \"mtls\"`")
        .group("Credentials"),
    ParamSpec::new(
        "retry_after",
        "Heed Retry-After",
        T::Bool,
        Same("true"),
        "Waits as long as a gateway's answer asks, if that is longer than the backoff",
    )
    .group("HTTP"),
    ParamSpec::new(
        "backoff_jitter",
        "Jitter",
        T::Choice(&["none", "full", "equal"]),
        Same("none"),
        "How backoffs are spread: anywhere up to the backoff, or half of it and anywhere up to the other half",
    )
    .group("HTTP"),
    ParamSpec::new(
        "http_budget",
        "Time budget",
        T::Duration { min: "1ms", max: "1000h" },
        Absent,
        "From an event's birth; a retry that would begin later is not sent",
    )
    .group("HTTP"),
    ParamSpec::new(
        "users",
        "Users",
        T::Count { min: 1, max: 100_000 },
        Absent,
        "A closed loop instead of the load: so many users, each waits for the answer, thinks, and makes the next event",
    )
    .group("Load"),
    ParamSpec::new("think_time", "Think time", T::DurationDist, Same("exp(1s)"), "Between an answer and the user's next event")
        .from(Provenance::Assumed)
        .group("Load"),
    ParamSpec::new(
        "breaker_failures",
        "Breaker opens at",
        T::Ratio { min: 0.0, max: 1.0 },
        Absent,
        "Share of failed requests (timeouts, 5xx) at which the client's circuit breaker opens; none without it",
    )
    .key("failureRateThreshold")
    .group("Circuit breaker"),
    ParamSpec::new("breaker_window", "Window", T::Count { min: 1, max: 10_000 }, Same("100"), "The last so many requests are judged")
        .key("slidingWindowSize")
        .from(Provenance::Documented("Resilience4j, CircuitBreaker"))
        .group("Circuit breaker"),
    ParamSpec::new("breaker_wait", "Open for", T::Duration { min: "1ms", max: "1000h" }, Same("60s"), "Nothing is sent for so long")
        .key("waitDurationInOpenState")
        .from(Provenance::Documented("Resilience4j, CircuitBreaker"))
        .group("Circuit breaker"),
    ParamSpec::new(
        "breaker_trials",
        "Trials",
        T::Count { min: 1, max: 10_000 },
        Same("10"),
        "So many requests decide whether it closes again",
    )
    .key("permittedNumberOfCallsInHalfOpenState")
    .from(Provenance::Documented("Resilience4j, CircuitBreaker"))
    .group("Circuit breaker"),
    ParamSpec::new("headers", "Headers", T::Words, Absent, "More headers, each written `name: value`").group("HTTP"),
    ParamSpec::new(
        "cloud_events",
        "CloudEvents",
        T::Choice(&["binary", "structured"]),
        Same("binary"),
        "How events go to a gateway: attributes in headers and the payload as the body, or both in one JSON object (`application/cloudevents+json`), which records then hold",
    )
    .from(Provenance::Documented("CloudEvents, HTTP protocol binding"))
    .group("HTTP"),
    queue_spec::BATCH,
    queue_spec::LINGER,
    queue_spec::CALLS,
    queue_spec::TIMEOUT,
    queue_spec::RETRIES,
    queue_spec::BACKOFF,
    queue_spec::BUFFER,
    queue_spec::DELAY,
    queue_spec::GROUPS,
    queue_spec::DEDUPLICATION,
];
