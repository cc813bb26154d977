//! The schemas that a handler's events are written with: looked up when the consumer starts, by type of event.
//!
//! In: rows of a project, answers of a registry. Out: look-ups, bytes with the registry's header. Workers wait until all
//! are known. Must not know: what events mean. Start at [`Encoders::encode`].

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value as Json;

use crate::components::producer::payload::{Source, Wanted};
use crate::components::wiring::SCHEMA_TIMEOUT;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, LinkEnd};
use crate::event::{CallId, Message, Reason, SchemaCall, SchemaReply, SchemaRequest, SchemaUse};
use crate::machines::codec::SchemaLibrary;
use crate::units::{EventTypeIx, SimTime};

/// Ids of its look-ups: behind the readers' high byte, below the results' own, each with its number.
const CALL_SCHEMA: u64 = 0xfe << 56 | 1 << 54;

#[derive(Clone, Debug)]
struct Encoder {
    ty: EventTypeIx,
    /// What the registry is asked for.
    asked: Source,
    source: Source,
    /// A look-up is under way until then.
    until: Option<SimTime>,
}

/// What each type of event is written with.
#[derive(Clone, Debug)]
pub(in crate::components) struct Encoders {
    registry: Option<LinkEnd>,
    library: Arc<SchemaLibrary>,
    list: Vec<Encoder>,
}

impl Encoders {
    /// None where nothing is written with a schema.
    ///
    /// # Errors
    /// When a schema is none.
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Option<Self>, Diagnostic> {
        // Only services know it.
        if !params.is_given("written_schemas") {
            return Ok(None);
        }
        let mut list = Vec::new();
        for (index, row) in params.rows("written_schemas").iter().enumerate() {
            let Some(ty) = ctx.event_types.get(&row.text("type")).copied() else { continue };
            let wanted = Wanted {
                name: row.text("subject"),
                version: row.is_given("version").then(|| u32::try_from(row.count("version")).unwrap_or(1)),
                message: row.optional_text("message").map(Arc::from),
                packs: false,
            };
            let source = Source::named(ctx, wanted, format!("components.{}.written_schemas[{index}].subject", ctx.id))?;
            list.push(Encoder { ty, asked: source.clone(), source, until: None });
        }
        let registry = ctx.links_at("schemas").next().map(|facts| facts.end);
        Ok((!list.is_empty()).then(|| Self { registry, library: Arc::clone(ctx.schemas), list }))
    }

    /// Whether a schema is not known yet.
    pub fn is_waiting(&self) -> bool {
        self.list.iter().any(|encoder| matches!(encoder.source, Source::Unknown { .. }))
    }

    /// Looks up what is not known, and is not being looked up.
    pub fn ask(&mut self, ctx: &mut Ctx<'_>) {
        let Some(registry) = self.registry else { return };
        for (number, encoder) in (0..).zip(&mut self.list) {
            let Source::Unknown { subject, version, .. } = &encoder.source else { continue };
            if encoder.until.is_none_or(|until| until <= ctx.now) {
                let body = SchemaCall::BySubject { subject: Arc::clone(subject), version: *version };
                ctx.send(registry, Message::Schema(Box::new(SchemaRequest { call: CallId(CALL_SCHEMA | number), body })));
                encoder.until = Some(ctx.now + SCHEMA_TIMEOUT);
            }
        }
    }

    /// The registry has answered, if it was one of these look-ups.
    pub fn on_reply(&mut self, reply: &SchemaReply) {
        let number = usize::try_from(reply.call.0 ^ CALL_SCHEMA).ok();
        if let Some(encoder) = number.and_then(|number| self.list.get_mut(number)) {
            encoder.source = encoder.source.learnt(&self.library, &reply.result);
            encoder.until = None;
        }
    }

    pub fn next_wake(&self) -> SimTime {
        self.list.iter().filter_map(|encoder| encoder.until).min().unwrap_or(SimTime::MAX)
    }

    fn of(&self, ty: EventTypeIx) -> Option<&Encoder> {
        self.list.iter().find(|encoder| encoder.ty == ty)
    }
    /// Whether events of a type have a schema.
    pub fn has(&self, ty: EventTypeIx) -> bool {
        self.of(ty).is_some()
    }
    /// What an event of a type is as bytes.
    ///
    /// # Errors
    /// Why it does not fit its schema, or that there is none.
    pub fn encode(&self, ty: EventTypeIx, value: &Json) -> Result<Bytes, Reason> {
        let mut out = Vec::new();
        if let Some(encoder) = self.of(ty) {
            encoder.source.encode(value, &mut out)?;
        }
        Ok(Bytes::from(out))
    }

    /// What is written with, for a person who looks.
    pub fn uses(&self) -> impl Iterator<Item = SchemaUse> {
        self.list.iter().filter_map(|encoder| encoder.source.use_of(&encoder.asked))
    }
}
