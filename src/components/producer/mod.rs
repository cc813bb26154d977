//! The producer: an arrival process, event types with schemas, and the client that sends.
//!
//! In: answers of brokers, queues, gateways and registries. Out: produce requests, sends, HTTP requests, look-ups, and the
//! facts of each submission. Events are born at the instant the load says, whatever holds them up.
//! Must not know: brokers, gateways and registries from the inside.
//! Start at [`sim::Producer`]; `payload.rs` makes the bytes, `http.rs` is the way to a gateway,
//! `queue_client.rs` to a queue, and the way to a topic is `machines::broker::client`.

mod check;
mod crash;
mod credentials;
mod envelopes;
mod http;
mod inputs;
mod lookups;
pub(super) mod payload;
pub(super) mod queue_client;
pub(super) mod queue_spec;
pub(super) mod queues;
mod sim;
mod spec;
pub(super) mod telling;
mod transactions;

use std::sync::Arc;

use crate::components::{BuildCtx, Declarations, EndRole, Kind, KindSpec, Params, PortSpec, PortType, SchemaWritten};
use crate::diagnostics::Diagnostic;
use crate::engine::Process;
use crate::event::Acks;
use crate::machines::broker::client::{ProducerClient, ProducerConfig};
use crate::machines::broker::compression::Compression;
use crate::machines::registry::SubjectNaming;
use crate::model::Component;
use crate::units::SimDuration;

/// The kind.
#[derive(Debug)]
pub struct ProducerKind;

/// Type of the events of a producer that names none.
const DEFAULT_EVENT_TYPE: &str = "Event";

impl Kind for ProducerKind {
    fn spec(&self) -> &'static KindSpec {
        &spec::SPEC
    }
    fn ports(&self, _: &Component) -> Vec<PortSpec> {
        vec![
            PortSpec { name: "out".to_owned(), ty: PortType::EventsOut, help: "Events, to topics, to queues or to a gateway" },
            PortSpec { name: "schemas".to_owned(), ty: PortType::SchemasFrom, help: "Looks schemas up at a registry" },
        ]
    }
    fn declares(&self, _: &str, component: &Component) -> Declarations {
        let params = Params::new(spec::SPEC.params, component.profile.as_deref(), &component.params);
        Declarations { event_types: event_names(&params), schemas_written: schemas_written(&params), ..Declarations::default() }
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        check::check(ctx, params, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        Ok(Box::new(sim::Producer::new(ctx, params)?))
    }
}

fn schemas_written(params: &Params<'_>) -> Vec<SchemaWritten> {
    params.rows("events").iter().filter_map(|row| schema_written(params, row)).collect()
}

/// What one row of `events` is written with, if it has a schema.
fn schema_written(params: &Params<'_>, row: &Params<'_>) -> Option<SchemaWritten> {
    Some(SchemaWritten {
        subject: row.optional_text("schema")?,
        naming: params.optional_text("value_subject_naming").map(|word| SubjectNaming::named(&word)),
        message: row.optional_text("message"),
        version: row.is_given("version").then(|| u32::try_from(row.count("version")).unwrap_or(1)),
        port: "out",
        topic: row.optional_text("topic"),
    })
}

fn event_names(params: &Params<'_>) -> Vec<String> {
    let names: Vec<String> = params.rows("events").iter().map(|row| row.text("type")).collect();
    if names.is_empty() { vec![DEFAULT_EVENT_TYPE.to_owned()] } else { names }
}

/// Given, or on where acks, retries and requests in flight allow it, as Kafka's client decides.
fn idempotence(params: &Params<'_>) -> bool {
    if params.is_given("idempotence") {
        return params.flag("idempotence");
    }
    params.text("acks") == "all" && params.count("retries") > 0 && params.count("max_in_flight") <= 5
}

/// The statuses after which a request is sent again, or the texts that are none.
fn retry_statuses(params: &Params<'_>) -> Vec<Result<u16, String>> {
    if !params.is_given("retry_statuses") {
        return vec![Ok(429), Ok(502), Ok(503), Ok(504)];
    }
    let parse = |text: String| text.parse().ok().filter(|status| (100..600).contains(status)).ok_or(text);
    params.words("retry_statuses").into_iter().map(parse).collect()
}

/// What the parameters say to the Kafka client.
fn client_config(params: &Params<'_>) -> ProducerConfig {
    ProducerConfig {
        acks: acks(&params.text("acks")),
        batch_bytes: params.size("batch_size").unwrap_or(1),
        linger: params.duration("linger"),
        buffer_bytes: params.size("buffer_memory").unwrap_or(0),
        max_block: params.duration("max_block"),
        request_bytes_max: params.size("request_size").unwrap_or(0),
        request_timeout: params.duration("request_timeout").max(SimDuration::from_ns(1)),
        delivery_timeout: params.duration("delivery_timeout"),
        retries_max: u32::try_from(params.count("retries")).unwrap_or(0),
        retry_backoff: params.duration("retry_backoff"),
        retry_backoff_max: params.duration("retry_backoff_max"),
        metadata_age_max: params.duration("metadata_max_age"),
        in_flight_max: usize::try_from(params.count("max_in_flight")).unwrap_or(1).max(1),
        idempotence: idempotence(params),
        compression: compression(params),
        compression_kib_time: compression_kib_time(params),
        report_acks: false,
        call_tag: sim::CALLS_KAFKA,
        producer: 0,
    }
}

fn compression(params: &Params<'_>) -> Compression {
    Compression::named(&params.text("compression")).unwrap_or_default()
}

/// Given, or what the codec needs on one core of a recent machine (the table in LZ4's README, rounded).
fn compression_kib_time(params: &Params<'_>) -> SimDuration {
    if params.is_given("compression_time") {
        return params.duration("compression_time");
    }
    SimDuration::from_ns(match compression(params) {
        Compression::None => 0,
        Compression::Gzip => 25_000,
        Compression::Snappy => 2_000,
        Compression::Lz4 => 1_500,
        Compression::Zstd => 3_000,
    })
}

fn acks(text: &str) -> Acks {
    match text {
        "0" => Acks::None,
        "1" => Acks::Leader,
        _ => Acks::All,
    }
}

/// Changes one setting of a running client.
fn set_client(cfg: &mut ProducerConfig, param: &str, text: &str) -> Result<(), String> {
    let duration = || text.parse::<SimDuration>().map_err(|e| e.to_string());
    match param {
        "linger" => cfg.linger = duration()?,
        "request_timeout" => cfg.request_timeout = duration()?.max(SimDuration::from_ns(1)),
        "delivery_timeout" => cfg.delivery_timeout = duration()?,
        "retry_backoff" => cfg.retry_backoff = duration()?,
        "retry_backoff_max" => cfg.retry_backoff_max = duration()?,
        "max_block" => cfg.max_block = duration()?,
        "batch_size" => cfg.batch_bytes = text.parse::<crate::units::Bytes>().map_err(|e| e.to_string())?.0,
        "retries" => cfg.retries_max = text.parse().map_err(|_| "expected a whole number".to_owned())?,
        _ => {
            cfg.acks = acks(text);
            // Kafka's client refuses idempotence without acks=all.
            cfg.idempotence &= cfg.acks == Acks::All;
        }
    }
    Ok(())
}

/// The Kafka client with every linked topic; its links are link ends. None without a linked topic.
fn kafka_client(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Option<(ProducerClient, Vec<(Arc<str>, usize)>)> {
    let mut client = ProducerClient::new(client_config(params), ctx.stream("partitions"));
    let mut topics = Vec::new();
    for facts in ctx.links_at("out").filter(|facts| facts.role == EndRole::From) {
        if let Some(topic) = &facts.topic {
            let number = client.add_topic(topic.topic, topic.partitions, topic.leaders, facts.end.0);
            topics.push((Arc::clone(&topic.name), number));
        }
    }
    (!topics.is_empty()).then_some((client, topics))
}

#[cfg(test)]
mod tests;
