//! Verdicts, breaking events and plans in words.

use std::fmt::Write;

use super::check::Judged;
use crate::export::support::text::shorten;
use crate::machines::codec::{BreakingEvent, Read, Search, Severity, breaking_event};
use crate::machines::registry::{Compared, Compatibility, STEPS_MAX, Step, Way, plan};

/// Longest value and schema that is printed whole.
const VALUE_CHARS_MAX: usize = 2_000;
/// Bytes of a payload that are printed.
const BYTES_SHOWN_MAX: usize = 256;

/// Who reads whom.
pub(super) fn way(way: Way) -> &'static str {
    match way {
        Way::NewReadsOld => "the new schema reads old data",
        Way::OldReadsNew => "the old schema reads new data",
    }
}

/// What the rules say, with every reason and its hint.
pub(super) fn verdict(judged: &Judged) -> String {
    let verdict = &judged.verdict;
    let names = judged.names[..judged.older.len()].join(", ");
    let may = if verdict.is_compatible() { "may" } else { "may not" };
    let mut out = format!("{} {may} follow {names} under {}\n", judged.new_name(), verdict.level);
    if verdict.level == Compatibility::None {
        out.push_str("  NONE compares nothing\n");
    }
    for (severity, what) in [(Severity::Breaks, "breaks"), (Severity::Warns, "warning")] {
        for compared in &verdict.compared {
            differences(judged, compared, severity, what, &mut out);
        }
    }
    out
}

fn differences(judged: &Judged, compared: &Compared, severity: Severity, what: &str, out: &mut String) {
    let mut found = compared.differences.iter().filter(|difference| difference.severity == severity).peekable();
    if found.peek().is_none() {
        return;
    }
    let (reader, writer) = reader_and_writer(judged, compared);
    let _ = writeln!(out, "\n{what}: {reader} reads data of {writer}");
    for difference in found {
        let _ = writeln!(out, "  {difference} [{}]", difference.rule);
        if let Some(hint) = &difference.hint {
            let _ = writeln!(out, "    hint: {hint}");
        }
    }
}

fn reader_and_writer<'a>(judged: &'a Judged, compared: &Compared) -> (&'a str, &'a str) {
    let older = judged.older_by(compared.version).0;
    if compared.way == Way::NewReadsOld { (judged.new_name(), older) } else { (older, judged.new_name()) }
}

/// The first comparison that breaks, and the event that shows it.
pub(super) fn breaking(judged: &Judged) -> Option<(&Compared, Search)> {
    let compared = judged.verdict.compared.iter().find(|compared| compared.breaks())?;
    let older = judged.older_by(compared.version).1;
    let (reader, writer) = if compared.way == Way::NewReadsOld { (&judged.new, older) } else { (older, &judged.new) };
    Some((compared, breaking_event(reader, writer, judged.rules)))
}

/// The smallest event that breaks, in words.
pub(super) fn event(judged: &Judged, compared: &Compared, search: &Search) -> String {
    let (reader, writer) = reader_and_writer(judged, compared);
    let Some(BreakingEvent { payload, message, written, read }) = &search.found else {
        return format!(
            "\nNo event was found that breaks {reader}, of {} tried: the rule refuses the change all the same\n",
            search.tried.max(1)
        );
    };
    let shown = |value: &serde_json::Value| shorten(&value.to_string(), VALUE_CHARS_MAX);
    let read = match read {
        Read::Fails(why) => format!("fails: {why}"),
        Read::Otherwise(value) => shown(value),
    };
    let width = reader.chars().count().max(writer.chars().count());
    let bytes = if payload.len() == 1 { "1 byte".to_owned() } else { format!("{} bytes", payload.len()) };
    let of = message.as_ref().map_or_else(String::new, |message| format!("a message {message}, "));
    format!(
        "\nThe smallest event found that breaks it ({of}{bytes})\n  written with {writer:width$}  {}\n  read with    {reader:width$}  {read}\n  bytes {}\n",
        shown(written),
        hex(payload)
    )
}

/// Bytes in hexadecimal, the first few of many.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().min(BYTES_SHOWN_MAX) * 2);
    for byte in bytes.iter().take(BYTES_SHOWN_MAX) {
        let _ = write!(text, "{byte:02x}");
    }
    if bytes.len() > BYTES_SHOWN_MAX {
        text.push('…');
    }
    text
}

/// The steps to the new schema; none where no way was found.
pub(super) fn steps(judged: &Judged) -> Option<Vec<Step>> {
    let old = &judged.older.last()?.schema;
    plan(&judged.files.library, old, &judged.new, &judged.files.references, judged.verdict.level, judged.rules)
}

/// The steps in words.
pub(super) fn planned(judged: &Judged, steps: Option<&[Step]>) -> String {
    let level = judged.verdict.level;
    let Some(steps) = steps else {
        return format!("\nNo way to it was found under {level} in up to {STEPS_MAX} versions\n");
    };
    let mut out = format!("\nThe way to it under {level}\n");
    for (at, step) in steps.iter().enumerate() {
        let _ = writeln!(out, "  {}. register {}; {}", at + 1, step.what, step.first.words());
        if at + 1 < steps.len() {
            let _ = writeln!(out, "     {}", shorten(step.schema.text(), VALUE_CHARS_MAX));
        }
    }
    out
}
