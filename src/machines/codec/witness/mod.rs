//! The event that breaks: a small payload that is valid for its writer and cannot be read by a reader, or is read as
//! something else.
//!
//! In: two schemas. Out: a [`BreakingEvent`] with both decodings, or the word that none was found within named limits.
//! Avro's is built where the schemas part ways; of Protobuf every small payload is tried; JSON's is searched for: the
//! smallest payloads of the writer, changed where either schema says something, kept when they break, and made smaller
//! while they still do. The same schemas give the same event. Must not know: registries, levels. Start at [`breaking_event`].
//!
//! ```text
//! writer ─► small payloads ─► changes at each place ─► valid for the writer? read by the reader? ─► shrink
//! ```

mod json;
mod shrink;
#[cfg(test)]
mod tests;
mod values;

use serde_json::Value as Json;

use super::schema::{Rules, Schema, SchemaType};
use super::typed::TypeIx;
use crate::random::Stream;
use crate::units::SimTime;

/// Payloads that are tried for one pair of schemas.
pub const TRIES_MAX: u32 = 10_000;
/// Messages of a Protobuf file that are tried.
const TYPES_MAX: u32 = 50;
/// Payloads drawn at random, where nothing else breaks.
const DRAWN_MAX: u32 = 200;

/// A payload of the writer that breaks the reader.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakingEvent {
    /// Bare: without a registry's header.
    pub payload: Vec<u8>,
    /// Which message of a Protobuf file it is, by its full name; none of other schemas.
    pub message: Option<String>,
    /// What the writer means by it.
    pub written: Json,
    /// What the reader makes of it.
    pub read: Read,
}

/// What a reader makes of a payload that breaks it.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// It cannot be read: why.
    Fails(String),
    /// It is read, and stands for something else.
    Otherwise(Json),
}

/// What a search has come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The event, if one was found.
    pub found: Option<BreakingEvent>,
    /// Payloads that were tried.
    pub tried: u32,
}

/// Looks for a payload of `writer` that `reader` cannot read as it is meant. Not every refusal has one: some rules of the
/// products refuse changes that break no event.
#[must_use]
pub fn breaking_event(reader: &Schema, writer: &Schema, rules: Rules) -> Search {
    let mut pair = Pair { reader, writer, ty: TypeIx::FIRST, tried: 0 };
    let found = match (writer.schema_type(), reader.schema_type()) {
        (SchemaType::Json, SchemaType::Json) => json::search(&mut pair),
        (SchemaType::Avro, SchemaType::Avro) => writer.breaking_datum(reader, rules).filter(|payload| pair.breaks(payload)),
        (SchemaType::Protobuf, SchemaType::Protobuf) => small(&mut pair),
        _ => None,
    };
    let found = found.or_else(|| if pair.is_spent() { None } else { drawn(&mut pair) });
    Search { found: found.and_then(|payload| event(&pair, payload)), tried: pair.tried }
}

/// Both schemas, and how often they were asked.
struct Pair<'a> {
    reader: &'a Schema,
    writer: &'a Schema,
    /// Which of the writer's types is tried.
    ty: TypeIx,
    tried: u32,
}

impl Pair<'_> {
    /// Whether a payload is valid for the writer and breaks the reader.
    fn breaks(&mut self, payload: &[u8]) -> bool {
        self.tried += 1;
        self.writer.typed(self.ty).validate(payload).is_ok() && self.read(payload).is_some()
    }
    /// What the reader makes of a valid payload of the writer, where that breaks it.
    fn read(&self, payload: &[u8]) -> Option<Read> {
        let written = self.writer.typed(self.ty);
        match written.to_json_as(self.reader, payload) {
            Err(why) => Some(Read::Fails(why)),
            Ok(value) => written.is_otherwise(self.reader, payload).then_some(Read::Otherwise(value)),
        }
    }
    fn is_spent(&self) -> bool {
        self.tried >= TRIES_MAX
    }
}

fn event(pair: &Pair<'_>, payload: Vec<u8>) -> Option<BreakingEvent> {
    let read = pair.read(&payload)?;
    let written = pair.writer.typed(pair.ty);
    Some(BreakingEvent { written: written.to_json(&payload).ok()?, message: written.message_name(), read, payload })
}

/// The first of the small payloads of each message that breaks.
fn small(pair: &mut Pair<'_>) -> Option<Vec<u8>> {
    for ty in (0..TYPES_MAX).map(TypeIx) {
        pair.ty = ty;
        for payload in pair.writer.typed(ty).small_payloads() {
            if pair.is_spent() {
                return None;
            }
            if pair.breaks(&payload) {
                return Some(payload);
            }
        }
    }
    pair.ty = TypeIx::FIRST;
    None
}

/// The shortest of some random payloads that break.
fn drawn(pair: &mut Pair<'_>) -> Option<Vec<u8>> {
    pair.writer.can_generate().ok()?;
    let mut rng = Stream::new(0, "witness", "payload");
    let mut best: Option<Vec<u8>> = None;
    for _ in 0..DRAWN_MAX {
        let mut payload = Vec::new();
        pair.writer.generate(&mut rng, SimTime::ZERO, &mut payload);
        if best.as_ref().is_none_or(|best| payload.len() < best.len()) && pair.breaks(&payload) {
            best = Some(payload);
        }
    }
    best
}
