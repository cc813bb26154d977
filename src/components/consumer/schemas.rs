//! The schemas that a consumer has met: looked up by id once, compiled, kept.

use std::sync::Arc;

use crate::components::wiring::SCHEMA_TIMEOUT;
use crate::engine::{Ctx, LinkEnd};
use crate::event::{Answer, CallId, Message, Query, Reason, SCHEMA_USES_MAX, SchemaCall, SchemaReply, SchemaRequest, SchemaUse, SchemaWay};
use crate::machines::codec::{HeaderId, Schema, SchemaLibrary, unframe_any};
use crate::units::SimTime;

/// High byte of call ids to registries.
pub(super) const CALLS_SCHEMA: u8 = 0xfe;
/// More distinct ids than this are judged as unknown: a payload that is not framed can hold any number.
const SCHEMAS_MAX: usize = 10_000;

/// What is known of the schemas.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    registry: LinkEnd,
    library: Arc<SchemaLibrary>,
    /// Version to read with.
    version: Option<u32>,
    entries: Vec<(HeaderId, Entry)>,
    /// What was learnt, for those who look.
    uses: Vec<SchemaUse>,
    /// Where the last one was found.
    last: usize,
    next_call: u64,
}

#[derive(Clone, Debug)]
enum Entry {
    Asked {
        call: CallId,
        deadline: SimTime,
    },
    /// The writer's schema is known; the reader's is asked for.
    AskedReader {
        writer: Arc<Schema>,
        subject: Arc<str>,
        call: CallId,
        deadline: SimTime,
    },
    Known(Arc<Schema>),
    Bad(Reason),
}

/// What can be said of a payload.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Good,
    Bad(Reason),
    /// Its schema is being looked up.
    Wait,
}

impl Reader {
    pub fn new(registry: LinkEnd, library: Arc<SchemaLibrary>, version: Option<u32>) -> Self {
        Self { registry, library, version, entries: Vec::new(), uses: Vec::new(), last: 0, next_call: 0 }
    }

    /// Decodes a payload; the first one of a schema asks for it.
    #[inline]
    pub fn judge(&mut self, ctx: &mut Ctx<'_>, value: &[u8]) -> Verdict {
        let (id, payload) = match unframe_any(value) {
            Ok(found) => found,
            Err(reason) => return Verdict::Bad(reason),
        };
        if self.entries.get(self.last).is_none_or(|entry| entry.0 != id) {
            match self.entries.iter().position(|entry| entry.0 == id) {
                Some(at) => self.last = at,
                None if self.entries.len() >= SCHEMAS_MAX => {
                    return Verdict::Bad(Reason {
                        code: "schema-missing",
                        detail: Some(format!("schema {id} was never looked up").into()),
                    });
                }
                None => {
                    let call = self.ask(ctx, id.lookup());
                    self.entries.push((id, Entry::Asked { call, deadline: ctx.now + SCHEMA_TIMEOUT }));
                    return Verdict::Wait;
                }
            }
        }
        match &self.entries[self.last].1 {
            Entry::Known(schema) => schema.validate_body(id.framing(), &payload).map_or_else(Verdict::Bad, |()| Verdict::Good),
            Entry::Bad(reason) => Verdict::Bad(reason.clone()),
            Entry::Asked { .. } | Entry::AskedReader { .. } => Verdict::Wait,
        }
    }

    /// A payload by its schema, if that is known and it fits.
    pub fn decode(&self, value: &[u8]) -> Option<serde_json::Value> {
        let (id, payload) = unframe_any(value).ok()?;
        self.known(id)?.body_to_data(id.framing(), &payload).ok()
    }

    /// The schema of a payload, if that is known.
    pub fn schema_of(&self, value: &[u8]) -> Option<&Arc<Schema>> {
        self.known(unframe_any(value).ok()?.0)
    }

    fn known(&self, id: HeaderId) -> Option<&Arc<Schema>> {
        // Mostly the schema that was judged by last.
        let last = self.entries.get(self.last).filter(|entry| entry.0 == id);
        let (_, Entry::Known(schema)) = last.or_else(|| self.entries.iter().find(|entry| entry.0 == id))? else { return None };
        Some(schema)
    }

    /// The registry has answered.
    pub fn on_reply(&mut self, ctx: &mut Ctx<'_>, reply: &SchemaReply) {
        let asked = |entry: &Entry| matches!(entry, Entry::Asked { call, .. } | Entry::AskedReader { call, .. } if *call == reply.call);
        let Some(at) = self.entries.iter().position(|entry| asked(&entry.1)) else { return };
        let compiled = match &reply.result {
            Ok(found) => self.library.compile_found(found).map(|schema| (schema, found)),
            Err((code, words)) => Err(format!("{code} {words}")),
        };
        self.note(at, reply);
        let id = self.entries[at].0;
        let bad = |words: String| Entry::Bad(Reason { code: "schema-missing", detail: Some(words.into()) });
        self.entries[at].1 = match (&self.entries[at].1, compiled) {
            (_, Err(words)) => bad(format!("schema {id}: {words}")),
            (Entry::AskedReader { writer, .. }, Ok((reader, found))) => match self.library.can_read(&reader, writer) {
                Ok(()) => Entry::Known(Arc::clone(writer)),
                Err(why) => {
                    let words = format!("version {} cannot read what schema {id} wrote: {}", found.version, why.join("; "));
                    Entry::Bad(Reason { code: "reader-schema", detail: Some(words.into()) })
                }
            },
            (_, Ok((writer, found))) => match self.version.filter(|version| *version != found.version) {
                None => Entry::Known(writer),
                Some(version) => {
                    let subject = Arc::clone(&found.subject);
                    let call = self.ask(ctx, SchemaCall::BySubject { subject: Arc::clone(&subject), version: Some(version) });
                    Entry::AskedReader { writer, subject, call, deadline: ctx.now + SCHEMA_TIMEOUT }
                }
            },
        };
    }

    /// Keeps what a reply says for those who look.
    fn note(&mut self, at: usize, reply: &SchemaReply) {
        let reads_as = matches!(self.entries[at].1, Entry::AskedReader { .. });
        let Ok(found) = &reply.result else { return };
        let way = if reads_as { SchemaWay::ReadsAs } else { SchemaWay::Reads };
        let met = SchemaUse { subject: Arc::clone(&found.subject), version: Some(found.version), id: Some(found.id), way, trouble: None };
        let is_known = self.uses.iter().any(|one| one.id == met.id && one.way == way);
        if !is_known && self.uses.len() < SCHEMA_USES_MAX {
            self.uses.push(met);
        }
    }

    /// The schemas that it has met, for a person who looks.
    pub fn browse(&self, query: &Query) -> Option<Answer> {
        if *query != Query::SchemaUses || self.uses.is_empty() {
            return None;
        }
        let trouble_of = |one: &SchemaUse| {
            let is_it = |id: HeaderId| matches!(id, HeaderId::Number(number) if Some(number) == one.id);
            self.entries.iter().find_map(|(id, entry)| match entry {
                Entry::Bad(reason) if is_it(*id) => Some(Arc::from(reason.detail.as_deref().unwrap_or(reason.code))),
                _ => None,
            })
        };
        let with_trouble = |one: &SchemaUse| SchemaUse { trouble: trouble_of(one).filter(|_| one.way == SchemaWay::Reads), ..one.clone() };
        Some(Answer::SchemaUses(self.uses.iter().map(with_trouble).collect()))
    }

    /// Asks again what was not answered.
    pub fn on_wake(&mut self, ctx: &mut Ctx<'_>) {
        for at in 0..self.entries.len() {
            let version = self.version;
            let body = match &self.entries[at].1 {
                Entry::Asked { deadline, .. } if *deadline <= ctx.now => self.entries[at].0.lookup(),
                Entry::AskedReader { subject, deadline, .. } if *deadline <= ctx.now => {
                    SchemaCall::BySubject { subject: Arc::clone(subject), version }
                }
                _ => continue,
            };
            let again = self.ask(ctx, body);
            if let Entry::Asked { call, deadline } | Entry::AskedReader { call, deadline, .. } = &mut self.entries[at].1 {
                (*call, *deadline) = (again, ctx.now + SCHEMA_TIMEOUT);
            }
        }
    }

    /// When [`Self::on_wake`] has something to do.
    pub fn next_wake(&self) -> SimTime {
        let deadline = |entry: &(HeaderId, Entry)| match entry.1 {
            Entry::Asked { deadline, .. } | Entry::AskedReader { deadline, .. } => Some(deadline),
            _ => None,
        };
        self.entries.iter().filter_map(deadline).min().unwrap_or(SimTime::MAX)
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, body: SchemaCall) -> CallId {
        self.next_call += 1;
        let call = CallId(u64::from(CALLS_SCHEMA) << 56 | self.next_call);
        ctx.send(self.registry, Message::Schema(Box::new(SchemaRequest { call, body })));
        call
    }
}
