//! `eventyard schema check`: whether a schema may follow older ones, judged as registering it would be.

use std::path::Path;
use std::sync::Arc;

use super::args::{CheckArgs, Judging};
use super::files::Files;
use super::{Answer, json, project, words};
use crate::cli::exit::{End, Stop};
use crate::machines::codec::{Rules, Schema};
use crate::machines::registry::{Older, Verdict, judge};

/// A new schema, the older ones, and what the rules say.
pub(super) struct Judged {
    pub(super) files: Files,
    pub(super) new: Arc<Schema>,
    /// Oldest first.
    pub(super) older: Vec<Older>,
    /// What each schema is called: the older ones by their version, and the new one last.
    pub(super) names: Vec<String>,
    pub(super) rules: Rules,
    pub(super) verdict: Verdict,
}

impl Judged {
    /// # Errors
    /// A file that cannot be read, or is no schema.
    pub(super) fn of(files: Files, new: &Path, against: &[impl AsRef<Path>], judging: &Judging) -> Result<Self, Stop> {
        let schema = files.schema(new)?;
        let mut older = Vec::new();
        for (at, file) in against.iter().enumerate() {
            older.push(Older { version: Some(at as u32 + 1), schema: files.schema(file.as_ref())? });
        }
        let rules = Rules { policy: judging.policy, ..Rules::default() };
        let verdict = judge(&files.library, &schema, &older, judging.mode, rules);
        let shown = |file: &Path| file.display().to_string();
        let names = against.iter().map(|file| shown(file.as_ref())).chain([shown(new)]).collect();
        Ok(Self { files, new: schema, older, names, rules, verdict })
    }
    pub(super) fn end(&self) -> End {
        if self.verdict.is_compatible() { End::Fine } else { End::Findings }
    }
    /// What the new schema is called.
    pub(super) fn new_name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }
    /// What an older schema is called, and the schema.
    pub(super) fn older_by(&self, version: Option<u32>) -> (&str, &Arc<Schema>) {
        let at = version.map_or(0, |version| version as usize - 1);
        (&self.names[at], &self.older[at].schema)
    }
}

/// # Errors
/// A file that cannot be read, or is no schema.
pub(super) fn check(args: &CheckArgs) -> Answer {
    let files = Files::new(&args.reading)?;
    if let (Some(file), Some(subject)) = (&args.project, &args.subject) {
        return project::check(file, subject, args, files);
    }
    let judged = Judged::of(files, &args.new, &args.against, &args.judging)?;
    let text = if args.json { json::line(&json::verdict(&judged)) } else { words::verdict(&judged) };
    Ok((text, judged.end()))
}
