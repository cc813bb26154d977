//! The outbox: events that are stored together with what they tell, and a relay that brings them to their topics.
//!
//! ```text
//! commit (state and row, one transaction) ─► rows in order ─► relay (polls, or follows the log) ─► topic ─► row gone
//! ```
//!
//! In: events of a handler, answers of brokers. Out: produce requests. A relay that crashes sends again what it was not
//! told of: nothing is lost, some may come twice. A relay that polls lives in the first instance that is up; one that
//! captures changes is a process beside them. Start at [`Outbox`].

use std::collections::BTreeMap;

use super::handler::Draft;
use super::results::Results;
use super::sim::Consumer;
use crate::components::alarm::Alarm;
use crate::components::producer::telling::settle;
use crate::engine::{Ctx, Figures, LinkEnd};
use crate::event::{CallId, EventMeta, Message};
use crate::machines::broker::batch::events;
use crate::machines::broker::client::{ClientOutput, Outgoing, ProducerClient, ProducerConfig};
use crate::units::{SimDuration, SimTime};

/// Rows that wait; a service that makes more stops until some are gone.
const OUTBOX_ROWS_MAX: usize = 1_000_000;
/// High bytes of call ids.
const CALLS_RELAY: u16 = 0xec00;
/// Low byte of timer tokens.
pub(super) const TOKEN_RELAY: u64 = 6;

/// How rows are brought to their topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::components) enum Relay {
    /// An instance asks for rows, so often and for so many.
    Polling { every: SimDuration, rows_max: usize },
    /// The database's log is followed, this much behind.
    Capture { delay: SimDuration },
}

impl Default for Relay {
    fn default() -> Self {
        Self::Polling { every: SimDuration::from_ms(100), rows_max: 100 }
    }
}

#[derive(Clone, Debug)]
struct Row {
    meta: EventMeta,
    draft: Draft,
    sent: bool,
}

/// The rows, and the relay.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    relay: Relay,
    /// By sequence of the event: the order in which they were stored.
    rows: BTreeMap<u64, Row>,
    unsent: usize,
    client: Option<ProducerClient>,
    lives: u64,
    /// The instance that polls.
    by: Option<usize>,
    due: Option<SimTime>,
    alarm: Alarm,
    out: ClientOutput,
    pub relayed: u64,
    pub resent: u64,
}

impl Outbox {
    pub fn new(relay: Relay) -> Self {
        Self { relay, ..Self::default() }
    }
    /// No more may be stored until some are gone.
    pub fn is_full(&self) -> bool {
        self.rows.len() >= OUTBOX_ROWS_MAX
    }
    pub fn figures(&self, out: &mut Figures) {
        out.gauge("outbox_rows", self.rows.len() as f64);
        out.counter("relayed_count", self.relayed);
        out.counter("relay_resent_count", self.resent);
    }
    fn client<'a>(client: &'a mut Option<ProducerClient>, lives: u64, results: &Results) -> &'a mut ProducerClient {
        client.get_or_insert_with(|| {
            let cfg = ProducerConfig {
                linger: SimDuration::ZERO,
                report_acks: true,
                producer: producer_number(lives),
                call_tag: CALLS_RELAY,
                ..ProducerConfig::default()
            };
            results.client(cfg)
        })
    }
}

/// Apart from those of instances, which count from 1.
fn producer_number(lives: u64) -> u64 {
    1 << 48 | lives
}

impl Consumer {
    /// Stores a handler's events; the relay finds them.
    pub(super) fn commit_to_outbox(&mut self, ctx: &mut Ctx<'_>, drafts: Vec<Draft>) {
        let Some(results) = &mut self.results else { return };
        for draft in drafts {
            let meta = results.derive(ctx, &draft);
            self.outbox.rows.insert(meta.id.seq, Row { meta, draft, sent: false });
            self.outbox.unsent += 1;
        }
        self.schedule_relay(ctx);
    }

    /// Sets the relay's next turn, if there is anything for it.
    pub(super) fn schedule_relay(&mut self, ctx: &mut Ctx<'_>) {
        if self.outbox.unsent > 0 && self.outbox.due.is_none() {
            let at = match self.outbox.relay {
                // It looks at the same beats whether there is something or not.
                Relay::Polling { every, .. } => {
                    let every = every.as_ns().max(1);
                    SimTime::from_ns((ctx.now.as_ns() / every + 1) * every)
                }
                Relay::Capture { delay } => ctx.now + delay,
            };
            self.outbox.due = Some(at);
            ctx.timer_at(at, TOKEN_RELAY);
        }
        if let Some(client) = &mut self.outbox.client {
            let wake = client.next_wake(ctx.now);
            self.outbox.alarm.set(ctx, wake, TOKEN_RELAY);
        }
    }

    /// The relay's timer.
    pub(super) fn relay_due(&mut self, ctx: &mut Ctx<'_>) {
        if self.outbox.alarm.rings(ctx.now)
            && let Some(client) = &mut self.outbox.client
        {
            client.on_wake(ctx.now, &mut self.outbox.out);
        }
        if self.outbox.due.is_some_and(|at| at <= ctx.now) {
            self.outbox.due = None;
            self.relay_rows(ctx);
        }
        self.relay_settled(ctx);
    }

    fn relay_rows(&mut self, ctx: &mut Ctx<'_>) {
        let rows_max = match self.outbox.relay {
            Relay::Polling { rows_max, .. } => {
                let polls = self.instances.iter().position(|instance| instance.up && !instance.condition.is_suspended());
                self.outbox.by = polls;
                if polls.is_none() {
                    return;
                }
                rows_max
            }
            Relay::Capture { .. } => usize::MAX,
        };
        let Some(results) = &self.results else { return };
        let outbox = &mut self.outbox;
        let client = Outbox::client(&mut outbox.client, outbox.lives, results);
        for row in outbox.rows.values_mut().filter(|row| !row.sent).take(rows_max) {
            row.sent = true;
            outbox.unsent -= 1;
            let outgoing = Outgoing {
                meta: row.meta,
                key: row.draft.key.as_deref(),
                value: Some(&row.draft.value),
                extra_header_bytes: results.header_bytes_of(row.draft.ty),
                traced: ctx.tracing.takes(row.meta.id),
            };
            client.push(ctx.now, row.draft.way, &outgoing, &mut outbox.out);
        }
    }

    /// Sends what the relay's client wants sent; drops rows that their topic has.
    fn relay_settled(&mut self, ctx: &mut Ctx<'_>) {
        let out = std::mem::take(&mut self.outbox.out);
        for (link, message) in out.sends {
            ctx.send(LinkEnd(link), message);
        }
        for event in out.acked.iter().flat_map(|acked| events(&acked.batch)) {
            self.outbox.relayed += u64::from(self.outbox.rows.remove(&event.id.seq).is_some());
        }
        for unsent in out.unsent {
            // What its client gave up is still stored: another turn sends it again.
            if let Some(row) = self.outbox.rows.get_mut(&unsent.event.id.seq).filter(|row| row.sent) {
                settle(ctx, unsent.event, unsent.outcome, unsent.reason, None);
                row.sent = false;
                self.outbox.unsent += 1;
                self.outbox.resent += 1;
            }
        }
        self.schedule_relay(ctx);
    }

    /// Gives an answer to the relay, if it asked; the message back when it did not.
    pub(super) fn give_to_relay(&mut self, ctx: &mut Ctx<'_>, message: Message) -> Option<Message> {
        let is_relays = |call: CallId| (call.0 >> 48) as u16 == CALLS_RELAY;
        let outbox = &mut self.outbox;
        let Some(client) = &mut outbox.client else { return Some(message) };
        match &message {
            Message::ProduceReply(reply) if is_relays(reply.call) => client.on_reply(ctx.now, reply, &mut outbox.out),
            Message::MetadataReply(reply) if is_relays(reply.call) => client.on_metadata(ctx.now, reply, &mut outbox.out),
            _ => return Some(message),
        }
        self.relay_settled(ctx);
        None
    }

    /// An instance is gone, and the relay with it if it was there.
    pub(super) fn crash_relay(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        let outbox = &mut self.outbox;
        if outbox.by != Some(index) {
            return;
        }
        outbox.by = None;
        outbox.lives += 1;
        if let Some(client) = &mut outbox.client {
            client.abandon(ctx.now, producer_number(outbox.lives));
        }
        for row in outbox.rows.values_mut().filter(|row| row.sent) {
            row.sent = false;
            outbox.unsent += 1;
            outbox.resent += 1;
        }
        self.schedule_relay(ctx);
    }
}
