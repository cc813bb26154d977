//! `eventyard schema check --project`: a new version of a subject, and who of the design would break.

use std::fmt::Write;
use std::path::Path;

use serde_json::json;

use super::args::CheckArgs;
use super::files::Files;
use super::{Answer, json};
use crate::cli::documents;
use crate::cli::exit::{End, Stop};
use crate::compile::{Blast, blast_radius};

/// Ends as the registry would: 0 when it takes the version, whoever is at risk.
///
/// # Errors
/// Files that cannot be read, a subject that is not there, a text that is no schema.
pub(super) fn check(file: &Path, subject: &str, args: &CheckArgs, files: Files) -> Answer {
    let loaded = documents::load_sound(file)?;
    let text = files.text(&args.new)?;
    let blast = blast_radius(&loaded.project, subject, &text, &files.library)
        .map_err(|words| Stop::usage(format!("{}: {words}", args.new.display())))?;
    let end = if blast.verdict.is_compatible() { End::Fine } else { End::Findings };
    let text = if args.json { json::line(&as_json(subject, &blast)) } else { words(&args.new, subject, &blast) };
    Ok((text, end))
}

fn words(new: &Path, subject: &str, blast: &Blast) -> String {
    let verdict = &blast.verdict;
    let may = if verdict.is_compatible() { "may become" } else { "may not become" };
    let mut out = format!("{} {may} version {} of {subject} under {}\n", new.display(), blast.version, verdict.level);
    for reason in verdict.reasons() {
        let _ = writeln!(out, "  {reason}");
    }
    if blast.hits.is_empty() {
        out.push_str("\nNo component of the design would break\n");
        return out;
    }
    out.push_str("\nIf it were registered all the same\n");
    let width = blast.hits.iter().map(|hit| hit.component.chars().count()).max().unwrap_or(0);
    for hit in &blast.hits {
        let _ = writeln!(out, "  {:width$}  {:17}  {}", hit.component, hit.impact.words(), hit.why);
    }
    out
}

fn as_json(subject: &str, blast: &Blast) -> serde_json::Value {
    let hits: Vec<_> = blast
        .hits
        .iter()
        .map(|hit| json!({"component": hit.component, "impact": hit.impact.words(), "why": hit.why, "through": hit.through}))
        .collect();
    json!({
        "format": "eventyard-schema-blast/1", "subject": subject, "version": blast.version,
        "mode": blast.verdict.level.to_string(), "compatible": blast.verdict.is_compatible(),
        "messages": blast.verdict.messages, "reasons": blast.verdict.reasons(), "hits": hits,
    })
}
