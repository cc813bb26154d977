//! `eventyard schema diff`: every change between two schemas, once, with the levels that refuse it.

use std::fmt::Write;

use serde_json::json;

use super::args::DiffArgs;
use super::files::Files;
use super::{Answer, json};
use crate::cli::exit::End;
use crate::machines::codec::{Rules, Severity};
use crate::machines::registry::{Change, Compatibility, diff as changes_between};

/// The levels that a change is shown under; the transitive ones ask the same of each older version.
pub(super) const LEVELS: [Compatibility; 3] = [Compatibility::Backward, Compatibility::Forward, Compatibility::Full];

/// # Errors
/// A file that cannot be read, or is no schema.
pub(super) fn diff(args: &DiffArgs) -> Answer {
    let files = Files::new(&args.reading)?;
    let (old, new) = (files.schema(&args.old)?, files.schema(&args.new)?);
    let changes = changes_between(&files.library, &old, &new, Rules { policy: args.policy, ..Rules::default() });
    if args.json {
        let changes: Vec<_> = changes.iter().map(change_json).collect();
        return Ok((json::line(&json!({"format": "eventyard-schema-diff/1", "changes": changes})), End::Fine));
    }
    let heading = format!("{} → {}: {}\n", args.old.display(), args.new.display(), count(changes.len()));
    let text = changes.iter().fold(heading, |mut text, change| {
        one(change, &mut text);
        text
    });
    Ok((text, End::Fine))
}

fn count(changes: usize) -> String {
    match changes {
        0 => "no change that a reader sees".to_owned(),
        1 => "1 change".to_owned(),
        many => format!("{many} changes"),
    }
}

fn one(change: &Change, out: &mut String) {
    let refused: Vec<String> = LEVELS.iter().filter(|level| change.effect(**level) == Severity::Breaks).map(ToString::to_string).collect();
    let effect = match change.severity() {
        Severity::Breaks => format!("BREAKS {}", refused.join(", ")),
        Severity::Warns => "warning".to_owned(),
        Severity::Fine => "fine".to_owned(),
    };
    let place = |place: &Option<String>| place.clone().unwrap_or_else(|| "–".to_owned());
    let places = if change.old == change.new { place(&change.new) } else { format!("{} → {}", place(&change.old), place(&change.new)) };
    let _ = writeln!(out, "\n  {effect}  {places}");
    let mut said = Vec::new();
    for (way, found) in change.findings() {
        if said.contains(&&found.words) {
            continue;
        }
        said.push(&found.words);
        let _ = writeln!(out, "    {}: {} [{}]", super::words::way(way), found.words, found.rule);
        if let Some(hint) = &found.hint {
            let _ = writeln!(out, "      hint: {hint}");
        }
    }
}

fn change_json(change: &Change) -> serde_json::Value {
    let effects: serde_json::Map<String, _> =
        LEVELS.iter().map(|level| (level.to_string(), json!(json::severity(change.effect(*level))))).collect();
    json!({
        "old": change.old, "new": change.new, "effects": effects,
        "backward": change.backward.as_ref().map(json::difference),
        "forward": change.forward.as_ref().map(json::difference),
    })
}
