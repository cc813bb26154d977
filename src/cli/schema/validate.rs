//! `eventyard schema validate`: what is wrong with data, and where.

use std::fmt::Write;

use super::Answer;
use super::args::ValidateArgs;
use super::files::Files;
use crate::cli::exit::{End, Stop};
use crate::event::Reason;
use crate::import;
use crate::machines::codec::{HeaderId, Schema, unframe_any, uuid_text};

/// Wrong values that are told.
const TOLD_MAX: usize = 100;

/// # Errors
/// A file that cannot be read, or is no schema.
pub(super) fn validate(args: &ValidateArgs) -> Answer {
    let files = Files::new(&args.reading)?;
    let schema = files.schema(&args.schema)?;
    let data = import::bytes_of(&args.data).map_err(|error| Stop::usage(format!("{}: {error}", args.data.display())))?;
    let name = args.data.display().to_string();
    let (mut out, mut wrong, values) = (String::new(), 0, pieces(&data));
    let many = values.len() > 1;
    for (line, value) in &values {
        let Err(why) = judged(&schema, value) else { continue };
        wrong += 1;
        if wrong <= TOLD_MAX {
            let place = if many { format!("{name}:{line}") } else { name.clone() };
            let _ = writeln!(out, "{place}: {why}");
        }
    }
    if wrong > TOLD_MAX {
        let _ = writeln!(out, "and {} more", wrong - TOLD_MAX);
    }
    if wrong > 0 {
        return Ok((out, End::Findings));
    }
    Ok((if many { format!("{name}: {} values, all valid\n", values.len()) } else { format!("{name}: valid\n") }, End::Fine))
}

/// Values with their lines: JSON texts on lines of their own, or everything as one value.
fn pieces(data: &[u8]) -> Vec<(usize, &[u8])> {
    let whole = vec![(1, data)];
    let Ok(text) = std::str::from_utf8(data) else { return whole };
    if is_json(data) {
        return whole;
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let lines: Vec<(usize, &[u8])> = lines.map(|(at, line)| (at + 1, line.as_bytes())).collect();
    let begins_as_json = |line: &[u8]| matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
    // One line that is broken does not make all the others one value.
    if lines.len() > 1 && lines.iter().all(|(_, line)| begins_as_json(line)) && lines.iter().any(|(_, line)| is_json(line)) {
        return lines;
    }
    whole
}

/// A payload's bytes, the same behind a registry's header, or JSON.
///
/// # Errors
/// What is wrong, in words.
fn judged(schema: &Schema, data: &[u8]) -> Result<(), String> {
    let words = |reason: Reason| reason.detail.map_or_else(|| reason.code.to_owned(), |detail| detail.into_owned());
    let bare = schema.validate(data);
    if bare.is_ok() {
        return Ok(());
    }
    if let Ok((id, payload)) = unframe_any(data) {
        let id = match id {
            HeaderId::Number(id) => id.to_string(),
            HeaderId::Uuid(uuid) => uuid_text(uuid),
        };
        return schema.validate(&payload).map_err(|reason| format!("behind the header of schema {id}: {}", words(reason)));
    }
    if is_json(data) { schema.validate_text(data) } else { bare.map_err(words) }
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}
