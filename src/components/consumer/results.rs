//! Results: what a consumer makes of each event, written to another topic before the event counts as processed.
//!
//! ```text
//! work done ─► derived event (new id; key and root of its parent) ─► ProducerClient ─► acknowledged ─► the event's end
//! ```
//!
//! In: processed events, answers of brokers and of a registry. Out: produce requests, and word to the workers that
//! wait for them. Every instance has a producing client of its own, which a crash takes with it.
//! Must not know: when positions are committed. Start at [`Consumer::finish_attempt`].

use std::sync::Arc;

use bytes::Bytes;

use super::CommitMode;
use super::handler::Draft;
use super::sim::Consumer;
use super::transactions::Transacted;
use super::work::{Next, State};
use crate::components::producer::payload::{Source, Wanted};
use crate::components::producer::telling::settle;
use crate::components::wiring::SCHEMA_TIMEOUT;
use crate::components::{BuildCtx, Params, PeerTopic};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, LinkEnd};
use crate::event::{CallId, EventId, Fact, Message, Outcome, Reason, SchemaCall, SchemaReply, SchemaRequest, header_bytes};
use crate::machines::broker::batch::events;
use crate::machines::broker::client::{ClientOutput, ProducerClient, ProducerConfig, TransactionConfig};
use crate::machines::codec::SchemaLibrary;
use crate::random::Stream;
use crate::units::{EventTypeIx, SimDuration, SimTime};

/// High bytes of call ids: this and the instance's number.
const CALLS_RESULTS: u16 = 0xe000;
/// Look-ups of a result's schema; the reader's have a lower number behind the same high byte.
const CALL_SCHEMA: u64 = 0xfe << 56 | 1 << 55;

/// How a consumer writes results, and what is under way.
#[derive(Clone, Debug)]
pub(super) struct Results {
    /// Where they may go; a consumer's go to the first.
    topics: Vec<(PeerTopic, LinkEnd)>,
    producer_key_bytes: usize,
    /// Lengths of the names of event types.
    type_bytes: Vec<usize>,
    /// Type of every result; the parent's when absent.
    ty: Option<EventTypeIx>,
    /// Where payloads come from; the parent's bytes when absent.
    source: Option<Source>,
    registry: Option<LinkEnd>,
    library: Arc<SchemaLibrary>,
    /// The look-up under way, and until when.
    asked_until: Option<SimTime>,
    /// Workers whose result waits for its schema: (instance, worker).
    held: Vec<(usize, u32)>,
    payload_rng: Stream,
    partition_rng: Stream,
    /// Names of components: what ids of events begin with.
    names: Arc<[String]>,
    /// Beginning of transactional ids and how long a transaction may be open, where results are written in transactions.
    transactions: Option<(String, SimDuration)>,
    /// One an instance.
    pub writers: Vec<Writer>,
    /// Ends of events whose transaction was on its way to its end when its instance crashed.
    pub undecided: Vec<Fact>,
    next_seq: u64,
    payload: Vec<u8>,
    pub out: ClientOutput,
    /// Results acknowledged.
    pub written: u64,
}

/// The producing client of one instance.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pub client: ProducerClient,
    /// Counts its lives: each is another producer to the brokers.
    lives: u64,
    /// (sequence of the result, worker that waits for it).
    pub waiting: Vec<(u64, u32)>,
    /// What its transaction will have done.
    pub transacted: Transacted,
}

impl Results {
    /// None without a link at `results`.
    ///
    /// # Errors
    /// When the schema of results is none.
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Option<Self>, Diagnostic> {
        let topics: Vec<_> = ["results", "events"]
            .into_iter()
            .flat_map(|port| ctx.links_at(port))
            .filter_map(|facts| Some((facts.topic.clone()?, facts.end)))
            .collect();
        if topics.is_empty() {
            return Ok(None);
        }
        let mut type_bytes = vec![0; ctx.event_types.len()];
        ctx.event_types.iter().for_each(|(name, ty)| type_bytes[ty.index()] = name.len());
        let ty = params.optional_text("result_type");
        let path = || format!("components.{}.result_schema", ctx.id);
        let source = params
            .optional_text("result_schema")
            .map(|name| Source::named(ctx, Wanted { name, ..Wanted::default() }, path()))
            .transpose()?;
        Ok(Some(Self {
            topics,
            producer_key_bytes: ctx.key.len(),
            type_bytes,
            ty: ty.and_then(|name| ctx.event_types.get(&name).copied()),
            source,
            registry: ctx.links_at("schemas").next().map(|facts| facts.end),
            library: Arc::clone(ctx.schemas),
            asked_until: None,
            held: Vec::new(),
            payload_rng: ctx.stream("results"),
            partition_rng: ctx.stream("result-partitions"),
            names: ctx.project.components.keys().cloned().collect(),
            transactions: super::transactions::settings(ctx, params),
            writers: Vec::new(),
            undecided: Vec::new(),
            next_seq: 0,
            payload: Vec::new(),
            out: ClientOutput::default(),
            written: 0,
        }))
    }

    /// The writer of an instance, made when it is first wanted.
    pub fn writer(&mut self, index: usize) -> &mut Writer {
        while self.writers.len() <= index {
            let number = self.writers.len();
            let call_tag = CALLS_RESULTS + number as u16;
            // A worker waits for each result, so that it does not linger.
            let cfg = ProducerConfig {
                linger: SimDuration::ZERO,
                report_acks: true,
                producer: producer_number(number, 0),
                call_tag,
                ..ProducerConfig::default()
            };
            let mut client = self.client(cfg);
            if let Some((prefix, timeout)) = &self.transactions {
                let (id, timeout) = (format!("{prefix}-{}", number + 1).into(), *timeout);
                client = client.transactional(TransactionConfig { id, timeout, events_max: u64::MAX });
            }
            self.writers.push(Writer { client, lives: 0, waiting: Vec::new(), transacted: Transacted::default() });
        }
        &mut self.writers[index]
    }

    /// A client that knows the topics.
    pub fn client(&self, cfg: ProducerConfig) -> ProducerClient {
        let mut client = ProducerClient::new(cfg, self.partition_rng.clone());
        for (topic, link) in &self.topics {
            client.add_topic(topic.topic, topic.partitions, topic.leaders, link.0);
        }
        client
    }

    /// What CloudEvents and trace headers add to an event of a type.
    pub fn header_bytes_of(&self, ty: EventTypeIx) -> u32 {
        header_bytes(self.producer_key_bytes, self.type_bytes.get(ty.index()).copied().unwrap_or(0))
    }

    /// The next sequence number of what it makes.
    pub fn take_seq(&mut self) -> u64 {
        self.next_seq += 1;
        self.next_seq - 1
    }

    /// The instance whose client made a call.
    fn writer_of(&self, call: CallId) -> Option<usize> {
        let number = usize::from((call.0 >> 48) as u16).checked_sub(usize::from(CALLS_RESULTS))?;
        (number < self.writers.len()).then_some(number)
    }

    fn is_waiting_for_schema(&self) -> bool {
        matches!(self.source, Some(Source::Unknown { .. }))
    }

    /// Looks the schema up, where one is wanted and not known.
    pub fn ask_for_schema(&mut self, ctx: &mut Ctx<'_>) {
        let (Some(Source::Unknown { subject, version, .. }), Some(registry)) = (&self.source, self.registry) else { return };
        let body = SchemaCall::BySubject { subject: Arc::clone(subject), version: *version };
        ctx.send(registry, Message::Schema(Box::new(SchemaRequest { call: CallId(CALL_SCHEMA), body })));
        self.asked_until = Some(ctx.now + SCHEMA_TIMEOUT);
    }

    /// The next thing to do by itself.
    pub fn next_wake(&mut self, now: SimTime) -> SimTime {
        let clients = self.writers.iter_mut().map(|writer| writer.client.next_wake(now));
        clients.chain(self.asked_until).min().unwrap_or(SimTime::MAX)
    }

    pub fn name(&self, event: EventId) -> String {
        // Events of earlier runs come from outside of the design.
        let producer = self.names.get(event.producer.index()).map_or("earlier", |name| name);
        format!("{producer}-{}", event.seq)
    }
}

/// Tells instances and their lives apart.
fn producer_number(instance: usize, life: u64) -> u64 {
    (instance as u64 + 1) << 32 | life
}

impl Writer {
    /// Whether a worker waits for more of its results.
    fn waits(&self, number: u32) -> bool {
        self.waiting.iter().any(|(_, waiting)| *waiting == number)
    }
    fn take(&mut self, seq: u64) -> Option<u32> {
        let at = self.waiting.iter().position(|(waiting, _)| *waiting == seq)?;
        Some(self.waiting.swap_remove(at).1)
    }
}

impl Consumer {
    /// An attempt went well: the event's end, or first its result.
    pub fn finish_attempt(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32) -> Next {
        let Some(results) = &mut self.results else {
            self.succeed(ctx, index, number);
            return Next::Serve;
        };
        if let Some(work) = &mut self.instances[index].workers[number as usize].work {
            work.state = State::Writing;
        }
        if results.is_waiting_for_schema() {
            results.held.push((index, number));
        } else {
            self.write_result(ctx, index, number);
        }
        Next::Wait
    }

    fn write_result(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32) {
        let (Some(results), Some(work)) = (&mut self.results, &self.instances[index].workers[number as usize].work) else { return };
        let parent = &work.record;
        let (value, written) = match &results.source {
            Some(source) => {
                results.payload.clear();
                let written = source.write(&mut results.payload_rng, ctx.now, false, true, &mut results.payload);
                (Bytes::copy_from_slice(&results.payload), written)
            }
            None => (parent.value(), Ok(())),
        };
        let ty = results.ty.unwrap_or(parent.meta.event_type);
        let draft = Draft { way: 0, ty, key: parent.key(), value, parent: parent.meta };
        let Err(reason) = written else {
            self.publish(ctx, index, number, vec![draft]);
            return;
        };
        let meta = results.derive(ctx, &draft);
        settle(ctx, meta, Outcome::Rejected, reason.clone(), Some((draft.value, draft.key)));
        if self.attempt_failed(ctx, index, number, reason) == Next::Serve {
            self.resume(ctx, index);
        }
    }

    /// Sends what an instance's client wants sent; goes on with workers whose result was acknowledged, or was not.
    pub fn results_settled(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        let Some(results) = &mut self.results else { return };
        let out = std::mem::take(&mut results.out);
        for (link, message) in out.sends {
            ctx.send(LinkEnd(link), message);
        }
        let mut freed = false;
        for event in out.acked.iter().flat_map(|acked| events(&acked.batch)) {
            let Some(results) = &mut self.results else { return };
            results.written += 1;
            let writer = results.writer(index);
            let Some(number) = writer.take(event.id.seq) else { continue };
            if self.handler.is_none() {
                self.succeed(ctx, index, number);
                freed = true;
            } else if !writer.waits(number) {
                freed |= self.handle(ctx, index, number) == Next::Serve;
            }
        }
        for unsent in out.unsent {
            settle(ctx, unsent.event, unsent.outcome, unsent.reason.clone(), None);
            let Some(results) = &mut self.results else { return };
            let writer = results.writer(index);
            if let Some(number) = writer.take(unsent.event.id.seq) {
                writer.waiting.retain(|(_, waiting)| *waiting != number);
                freed |= self.attempt_failed(ctx, index, number, unsent.reason) == Next::Serve;
            }
        }
        self.flush_letters(ctx);
        if let Some(end) = out.transaction {
            self.transaction_ended(ctx, index, end);
        } else if freed {
            self.resume(ctx, index);
        }
    }

    /// Gives an answer to the instance's client that asked; the message back when it is somebody else's.
    pub fn give_to_writer(&mut self, ctx: &mut Ctx<'_>, message: Message) -> Option<Message> {
        let call = match &message {
            Message::ProduceReply(reply) => reply.call,
            Message::MetadataReply(reply) => reply.call,
            Message::TransactionReply(reply) => reply.call,
            _ => return Some(message),
        };
        let Some((index, results)) = self.results.as_mut().and_then(|results| Some((results.writer_of(call)?, results))) else {
            return Some(message);
        };
        let client = &mut results.writers[index].client;
        match &message {
            Message::ProduceReply(reply) => client.on_reply(ctx.now, reply, &mut results.out),
            Message::MetadataReply(reply) => client.on_metadata(ctx.now, reply, &mut results.out),
            Message::TransactionReply(reply) => client.on_transaction(ctx.now, reply, &mut results.out),
            _ => {}
        }
        self.results_settled(ctx, index);
        None
    }

    /// A registry has answered, if it was the results' look-up.
    pub fn on_result_schema(&mut self, ctx: &mut Ctx<'_>, reply: &SchemaReply) {
        let Some(results) = &mut self.results else { return };
        if reply.call.0 == CALL_SCHEMA {
            results.asked_until = None;
            if let Some(unknown @ Source::Unknown { .. }) = &results.source {
                results.source = Some(unknown.learnt(&results.library, &reply.result));
            }
        }
        if results.is_waiting_for_schema() {
            return;
        }
        for (index, number) in std::mem::take(&mut results.held) {
            if self.handler.is_none() {
                self.write_result(ctx, index, number);
            } else if self.handle(ctx, index, number) == Next::Serve {
                self.resume(ctx, index);
            }
        }
    }

    /// A worker waits until the schemas are known that its events are written with.
    pub fn hold(&mut self, index: usize, number: u32) {
        if let Some(results) = &mut self.results {
            results.held.push((index, number));
        }
    }

    /// Time has passed: batches may be due, or overdue.
    pub fn results_due(&mut self, ctx: &mut Ctx<'_>) {
        let Some(results) = &mut self.results else { return };
        if results.asked_until.is_some_and(|until| until <= ctx.now) {
            results.ask_for_schema(ctx);
        }
        for index in 0..results.writers.len() {
            let Some(results) = &mut self.results else { return };
            results.writers[index].client.on_wake(ctx.now, &mut results.out);
            self.results_settled(ctx, index);
        }
    }

    /// An instance is gone, and its client with it. At most once, an event whose result is on its way is processed;
    /// any other way it comes again.
    pub fn abandon_results(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.crash_transaction(index);
        let Some(results) = &mut self.results else { return };
        results.held.retain(|(instance, _)| *instance != index);
        let writer = results.writer(index);
        writer.lives += 1;
        let producer = producer_number(index, writer.lives);
        let waiting = std::mem::take(&mut writer.waiting);
        for (event, sent) in writer.client.abandon(ctx.now, producer) {
            let detail = "its instance crashed before it was acknowledged";
            settle(ctx, event, Outcome::Abandoned, Reason { code: "crash", detail: Some(detail.into()) }, None);
            let worker = waiting.iter().find(|(seq, _)| *seq == event.id.seq).map(|(_, worker)| *worker);
            if let Some(number) = worker.filter(|_| sent && self.commit == CommitMode::Before) {
                self.succeed(ctx, index, number);
            }
        }
    }
}
