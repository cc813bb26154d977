//! Snapshots and event stories of a run, with payloads decoded by the schemas of its registries.

use std::sync::Arc;

use super::sim::Sim;
use crate::event::{Answer, EventId, Query, SchemaFound, Seek};
use crate::machines::codec::{self, HeaderId};
use crate::metrics::{BrowseWish, Browsed, EventStory, RunPhase, RunView};
use crate::units::SimTime;

/// A snapshot as the window sees it.
pub(super) fn view(sim: &mut Sim, shown: SimTime, phase: RunPhase) -> RunView {
    let (end, steps, one_in) = (sim.end(), sim.steps(), sim.plan().tracing.one_in);
    let mut view = sim.with_recorder(|recorder, processes| recorder.view(shown, end, steps, phase, processes, one_in));
    let now = sim.now();
    for (card, process) in view.cards.iter_mut().zip(sim.processes()) {
        if let Some(Answer::SchemaUses(uses)) = process.browse(now, &Query::SchemaUses) {
            card.schemas = uses;
        }
    }
    view
}

/// The story of one event; none when it was not followed.
pub(super) fn tell(sim: &Sim, event: EventId) -> Option<EventStory> {
    sim.recorder().story(event, &|payload| decode(sim, payload))
}

/// What a component holds of what a person wants to see.
pub(super) fn browse(sim: &Sim, wish: &BrowseWish) -> Browsed {
    let process = sim.processes().get(wish.component.index());
    let ask = |query: &Query| process.and_then(|process| process.browse(sim.now(), query));
    let opened = wish.opened.and_then(|place| {
        let Query::Records { topic, partition, .. } = &wish.query else { return None };
        let alone = Query::Records { topic: Arc::clone(topic), partition: *partition, seek: Seek::From(place), records_max: 1 };
        let answer = ask(&alone)?;
        Some(sim.recorder().story_of(answer.record_at(place)?, &|payload| decode(sim, payload)))
    });
    let mut answer = if wish.query == Query::Queues { Some(queues(sim)) } else { ask(&wish.query) };
    for record in answer.iter_mut().flat_map(Answer::records_mut) {
        // Bytes that only look like a registry's header name no schema.
        record.schema_id.take_if(|id| sim.recorder().schema(*id).is_none());
    }
    Browsed { wish: wish.clone(), answer, opened }
}

/// How every queue and subscription of the design stands.
fn queues(sim: &Sim) -> Answer {
    let (mut queues, mut subscriptions) = (Vec::new(), Vec::new());
    for process in sim.processes() {
        if let Some(Answer::Queues(of_one, those_of_one)) = process.browse(sim.now(), &Query::Queues) {
            queues.extend(of_one);
            subscriptions.extend(those_of_one);
        }
    }
    Answer::Queues(queues, subscriptions)
}

/// What a registry of this run has handed out under what a header says.
fn schema_of(sim: &Sim, id: HeaderId) -> Option<&SchemaFound> {
    match id {
        HeaderId::Number(id) => sim.recorder().schema(id),
        HeaderId::Uuid(uuid) => sim.recorder().schemas().values().find(|found| found.uuid == Some(uuid)),
    }
}

/// Pretty JSON by the schema that the wire format names; else text; else bytes with the reason.
fn decode(sim: &Sim, payload: &[u8]) -> (String, Option<String>) {
    let undecoded = |why: &str| match std::str::from_utf8(payload) {
        Ok(text) if !text.is_empty() && !text.contains('\0') => text.to_owned(),
        _ if payload.is_empty() => "empty".to_owned(),
        _ => format!("{why}\n{}", hex(payload)),
    };
    let (id, body) = match codec::unframe_any(payload) {
        Ok(parts) => parts,
        Err(reason) => return (undecoded(reason.detail.as_deref().unwrap_or(reason.code)), None),
    };
    let Some(found) = schema_of(sim, id) else { return (undecoded("its schema is not known here"), None) };
    let name = format!("{} v{} (id {}, {})", found.subject, found.version, found.id, found.schema_type);
    let decoded = sim.plan().schemas.compile_found(found).and_then(|schema| schema.body_to_json(id.framing(), &body));
    let text = match decoded {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default(),
        Err(why) => undecoded(&format!("cannot be decoded: {why}")),
    };
    (text, Some(name))
}

/// Hexadecimal in rows of sixteen, at most [`SHOWN_BYTES_MAX`].
fn hex(bytes: &[u8]) -> String {
    const SHOWN_BYTES_MAX: usize = 1024;
    let row = |row: &[u8]| row.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let mut text: Vec<String> = bytes[..bytes.len().min(SHOWN_BYTES_MAX)].chunks(16).map(row).collect();
    if bytes.len() > SHOWN_BYTES_MAX {
        text.push(format!("… {} bytes more", bytes.len() - SHOWN_BYTES_MAX));
    }
    text.join("\n")
}
