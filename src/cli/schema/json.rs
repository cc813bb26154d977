//! Answers as JSON; the README lists the fields.

use serde_json::{Value as Json, json};

use super::check::Judged;
use super::words;
use crate::machines::codec::{BreakingEvent, Difference, Read, Search, Severity};
use crate::machines::registry::{Compared, First, Step, Way};

/// One object and the end of its line.
pub(super) fn line(value: &Json) -> String {
    format!("{value}\n")
}

pub(super) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Breaks => "breaks",
        Severity::Warns => "warns",
        Severity::Fine => "fine",
    }
}

pub(super) fn difference(found: &Difference) -> Json {
    json!({
        "rule": found.rule, "severity": severity(found.severity), "reader": found.reader, "writer": found.writer,
        "words": found.words, "hint": found.hint,
    })
}

const fn way(way: Way) -> &'static str {
    match way {
        Way::NewReadsOld => "backward",
        Way::OldReadsNew => "forward",
    }
}

fn compared(judged: &Judged, compared: &Compared) -> Json {
    json!({
        "against": judged.older_by(compared.version).0, "version": compared.version, "way": way(compared.way),
        "breaks": compared.breaks(), "differences": compared.differences.iter().map(difference).collect::<Vec<_>>(),
    })
}

fn event(of: &Compared, search: &Search) -> Json {
    let Some(BreakingEvent { payload, message, written, read }) = &search.found else {
        return json!({"found": false, "tried": search.tried});
    };
    let (value, error) = match read {
        Read::Fails(why) => (None, Some(why)),
        Read::Otherwise(value) => (Some(value), None),
    };
    let bytes: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "found": true, "version": of.version, "way": way(of.way), "payload_hex": bytes, "message": message, "written": written, "read": value,
        "error": error,
    })
}

fn step(step: &Step) -> Json {
    let first = match step.first {
        First::Consumers => "consumers",
        First::Producers => "producers",
        First::Either => "either",
        First::Together => "together",
    };
    json!({"what": step.what, "first": first, "schema": &**step.schema.text()})
}

/// The whole verdict, with the event that breaks and the way there where it is refused.
pub(super) fn verdict(judged: &Judged) -> Json {
    let verdict = &judged.verdict;
    let refused = words::breaking(judged);
    let steps = refused.as_ref().and_then(|_| words::steps(judged));
    json!({
        "format": "eventyard-schema-check/1",
        "compatible": verdict.is_compatible(),
        "type": judged.new.schema_type().as_str(),
        "mode": verdict.level.to_string(),
        "policy": judged.rules.policy.to_string(),
        "messages": verdict.messages,
        "compared": verdict.compared.iter().map(|one| compared(judged, one)).collect::<Vec<_>>(),
        "breaking_event": refused.map(|(of, search)| event(of, &search)),
        "plan": steps.map(|steps| steps.iter().map(step).collect::<Vec<_>>()),
    })
}
