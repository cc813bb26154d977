//! Schema checks at the edge: look-ups at the registry by the id on the wire, and what they brought.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::sim::Job;
use crate::engine::{Ctx, LinkEnd};
use crate::event::{CallId, Message, SchemaReply, SchemaRequest};
use crate::machines::codec::{HeaderId, Schema, SchemaLibrary, unframe_any};
use crate::units::SimDuration;

/// Schemas kept; beyond, all are forgotten and looked up again.
pub(super) const SCHEMAS_MAX: usize = 1_000;

/// The cache and the look-ups under way.
#[derive(Clone, Debug)]
pub(super) struct Schemas {
    registry: LinkEnd,
    library: Arc<SchemaLibrary>,
    pub(super) timeout: SimDuration,
    known: BTreeMap<HeaderId, Arc<Schema>>,
    asked: BTreeMap<HeaderId, Lookup>,
    next_call: u64,
    lookups: u64,
}

/// One question at the registry and who waits for it.
#[derive(Clone, Debug)]
struct Lookup {
    call: CallId,
    waiting: Vec<Job>,
}

/// What is known of a payload.
pub(super) enum Checked {
    /// Its schema takes it.
    Valid,
    /// Why not.
    Invalid(String),
    /// Its schema has to be looked up first: hand the job to [`Schemas::wait`].
    Unknown(HeaderId),
}

/// What became of a look-up.
pub(super) enum Found {
    /// Check the waiting jobs again.
    Schema(Vec<Job>),
    /// Nothing can be checked: status and words.
    Failed { jobs: Vec<Job>, status: u16, words: String },
}

impl Schemas {
    pub(super) fn new(registry: LinkEnd, library: Arc<SchemaLibrary>, timeout: SimDuration) -> Self {
        Self { registry, library, timeout, known: BTreeMap::new(), asked: BTreeMap::new(), next_call: 0, lookups: 0 }
    }
    /// Requests that wait for a look-up.
    pub(super) fn waiting(&self) -> usize {
        self.asked.values().map(|lookup| lookup.waiting.len()).sum()
    }
    /// Questions asked so far.
    pub(super) fn lookups(&self) -> u64 {
        self.lookups
    }
    pub(super) fn check(&self, bytes: &[u8]) -> Checked {
        let in_words =
            |reason: crate::event::Reason| Checked::Invalid(reason.detail.map_or(reason.code.to_owned(), std::borrow::Cow::into_owned));
        let (id, body) = match unframe_any(bytes) {
            Ok(framed) => framed,
            Err(reason) => return in_words(reason),
        };
        match self.known.get(&id) {
            None => Checked::Unknown(id),
            Some(schema) => schema.validate_body(id.framing(), &body).map_or_else(in_words, |()| Checked::Valid),
        }
    }
    /// Parks a job until its schema is known; asks once for all that wait for the same.
    pub(super) fn wait(&mut self, ctx: &mut Ctx<'_>, id: HeaderId, job: Job, timeout_token: impl Fn(u64) -> u64) {
        if let Some(lookup) = self.asked.get_mut(&id) {
            lookup.waiting.push(job);
            return;
        }
        let call = CallId(self.next_call);
        self.next_call += 1;
        self.lookups += 1;
        self.asked.insert(id, Lookup { call, waiting: vec![job] });
        ctx.send(self.registry, Message::Schema(Box::new(SchemaRequest { call, body: id.lookup() })));
        ctx.timer_after(self.timeout, timeout_token(call.0));
    }
    /// The registry has answered; late answers are ignored.
    pub(super) fn on_reply(&mut self, reply: &SchemaReply) -> Option<Found> {
        let (id, jobs) = self.take(reply.call)?;
        let compiled = match &reply.result {
            Ok(found) => self.library.compile_found(found).map_err(|words| (502, format!("schema {id} cannot be read: {words}"))),
            // 40403: schema not found; Glue says it by the status alone. Anything else is the registry's own trouble.
            Err((40403 | 400, _)) => Err((400, format!("the payload names schema {id}, which the registry does not know"))),
            Err((code, words)) => Err((502, format!("the schema registry answered {code}: {words}"))),
        };
        Some(match compiled {
            Ok(schema) => {
                if self.known.len() >= SCHEMAS_MAX {
                    self.known.clear();
                }
                self.known.insert(id, schema);
                Found::Schema(jobs)
            }
            Err((status, words)) => Found::Failed { jobs, status, words },
        })
    }
    /// Nothing is known, and nobody is asked. Gives the jobs that waited.
    pub(super) fn forget(&mut self) -> Vec<Job> {
        self.known.clear();
        std::mem::take(&mut self.asked).into_values().flat_map(|lookup| lookup.waiting).collect()
    }
    /// A look-up took too long, unless it was answered.
    pub(super) fn on_timeout(&mut self, call: u64) -> Option<Found> {
        let (_, jobs) = self.take(CallId(call))?;
        let words = format!("the schema registry did not answer within {}", self.timeout);
        Some(Found::Failed { jobs, status: 503, words })
    }
    fn take(&mut self, call: CallId) -> Option<(HeaderId, Vec<Job>)> {
        let id = self.asked.iter().find(|(_, lookup)| lookup.call == call).map(|(id, _)| *id)?;
        self.asked.remove(&id).map(|lookup| (id, lookup.waiting))
    }
}
