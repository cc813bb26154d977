//! request-size-limiting (kong/plugins/request-size-limiting/handler.lua): how large a payload may be.

use super::{Field, FieldType, Plugin, PluginKind, Stop, Turn};

pub(super) const KIND: PluginKind = PluginKind {
    name: "request-size-limiting",
    priority: 951,
    help: "Answers 413 to larger payloads",
    fields: &[
        Field::new("allowed_payload_size", FieldType::Count { min: 0, max: 1 << 40 }, "Largest payload, in the unit below").or("128"),
        Field::new("size_unit", FieldType::Choice(&["megabytes", "kilobytes", "bytes"]), "Of the size").or("megabytes"),
        Field::new("require_content_length", FieldType::Flag, "Answer 411 to requests that do not tell their length").or("false"),
    ],
    by_consumer: true,
    compile: |settings, _| {
        let unit: i64 = match settings.text("size_unit").as_deref() {
            Some("bytes") => 1,
            Some("kilobytes") => 1 << 10,
            _ => 1 << 20,
        };
        let max_bytes = settings.count("allowed_payload_size").unwrap_or_default().saturating_mul(unit) as u64;
        Ok(Box::new(SizeLimit { max_bytes, needs_length: settings.flag("require_content_length") }))
    },
};

#[derive(Clone, Copy, Debug)]
struct SizeLimit {
    max_bytes: u64,
    needs_length: bool,
}

impl Plugin for SizeLimit {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        let request = turn.request;
        let told = request.header("content-length").and_then(|text| text.parse::<u64>().ok());
        if told.is_none() && self.needs_length && request.header("transfer-encoding") != Some("chunked") {
            return Err(Stop::error(411, "length-required", "A valid Content-Length header is required"));
        }
        let bytes = told.unwrap_or(request.body.len() as u64);
        turn.note(|| format!("{bytes} of {} bytes", self.max_bytes));
        if bytes <= self.max_bytes {
            return Ok(());
        }
        let waits = request.header("expect").is_some_and(|text| text.trim().eq_ignore_ascii_case("100-continue"));
        Err(Stop::error(if waits { 417 } else { 413 }, "too-large", "Request size limit exceeded"))
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(*self)
    }
}
