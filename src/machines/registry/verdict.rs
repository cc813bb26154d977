//! Whether a schema may follow others, and why not: the one judgement behind registering, testing and checking a file.
//!
//! In: the new schema, the older ones, a level. Out: a [`Verdict`] with every difference, and Confluent's own messages.
//! Must not know: subjects, ids, where the schemas came from. Start at [`judge`].

use std::sync::Arc;

use super::compatibility::Compatibility;
use super::messages::message;
use crate::machines::codec::{Difference, Rules, SCHEMA_TYPE_CHANGED, Schema, SchemaLibrary, Severity, Side};

/// An older schema, and what it is called.
#[derive(Clone, Debug)]
pub struct Older {
    /// Its number, where it has one.
    pub version: Option<u32>,
    /// The schema.
    pub schema: Arc<Schema>,
}

/// Who reads whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The new schema reads data of the old one.
    NewReadsOld,
    /// The old schema reads data of the new one.
    OldReadsNew,
}

/// One comparison that the level asks for.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The older schema's number.
    pub version: Option<u32>,
    /// Who reads whom.
    pub way: Way,
    /// What was found, harmless changes too.
    pub differences: Arc<[Difference]>,
}

impl Compared {
    /// Whether the reader cannot read everything.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.differences.iter().any(|difference| difference.severity == Severity::Breaks)
    }
    /// What breaks, in words: `the new schema cannot read data of version 1: /fields/0/type: …`.
    pub fn reasons(&self) -> impl Iterator<Item = String> + '_ {
        let older = self.version.map_or("the older schema".to_owned(), |version| format!("version {version}"));
        let way = match self.way {
            Way::NewReadsOld => "the new schema cannot read data of",
            Way::OldReadsNew => "data of the new schema cannot be read with",
        };
        let breaks = self.differences.iter().filter(|difference| difference.severity == Severity::Breaks);
        breaks.map(move |difference| match &difference.hint {
            Some(hint) => format!("{way} {older}: {difference} ({hint})"),
            None => format!("{way} {older}: {difference}"),
        })
    }
}

/// What a level says to a new schema.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The level asked.
    pub level: Compatibility,
    /// Every comparison, the newest version first.
    pub compared: Vec<Compared>,
    /// Confluent's messages: of the newest version that fails, and nothing when none does.
    pub messages: Vec<String>,
}

impl Verdict {
    /// Whether the schema may follow.
    #[must_use]
    pub fn is_compatible(&self) -> bool {
        self.messages.is_empty()
    }
    /// Every reason against it, in words.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        self.compared.iter().flat_map(Compared::reasons).collect()
    }
}

/// Judges `new` against `older`, oldest first, as a level asks: plain levels look at the newest only.
#[must_use]
pub fn judge(library: &SchemaLibrary, new: &Schema, older: &[Older], level: Compatibility, rules: Rules) -> Verdict {
    let checked = if level == Compatibility::None {
        0
    } else if level.is_transitive() {
        older.len()
    } else {
        1
    };
    let mut verdict = Verdict { level, compared: Vec::new(), messages: Vec::new() };
    for old in older.iter().rev().take(checked) {
        let first = verdict.compared.len();
        let mut compare = |way, reader: &Schema, writer: &Schema| {
            let newer = if way == Way::OldReadsNew { Side::Writer } else { Side::Reader };
            let differences = library.compare_by(reader, writer, Rules { newer, ..rules });
            verdict.compared.push(Compared { version: old.version, way, differences });
        };
        // FULL asks the old reader first.
        if level.is_read_by_old() {
            compare(Way::OldReadsNew, &old.schema, new);
        }
        if level.reads_old() {
            compare(Way::NewReadsOld, new, &old.schema);
        }
        if verdict.messages.is_empty() {
            verdict.messages = messages(&verdict.compared[first..], old, level);
        }
    }
    if !verdict.messages.is_empty() {
        verdict.messages.push(format!("{{validateFields: 'false', compatibility: '{level}'}}"));
    }
    verdict
}

/// Confluent's messages about one older schema.
fn messages(compared: &[Compared], old: &Older, level: Compatibility) -> Vec<String> {
    /// Longest text of an old schema that is shown.
    const SHOWN_BYTES_MAX: usize = 10 * 1024;
    let is_other_type = |difference: &Difference| difference.rule == SCHEMA_TYPE_CHANGED;
    if compared.iter().any(|compared| compared.differences.iter().any(is_other_type)) {
        return vec!["Incompatible because of different schema type".to_owned()];
    }
    let mut messages = Vec::new();
    for compared in compared {
        let (reader, writer) = if compared.way == Way::NewReadsOld { ("new", "old") } else { ("old", "new") };
        let breaks = compared.differences.iter().filter(|difference| difference.severity == Severity::Breaks);
        messages.extend(breaks.map(|difference| message(old.schema.schema_type(), difference, reader, writer)));
        // Under FULL the old schema is shown after the messages of the second way only.
        let is_shown = !(level.reads_old() && level.is_read_by_old()) || compared.way == Way::NewReadsOld;
        if compared.breaks() && is_shown {
            messages.extend(old.version.map(|version| format!("{{oldSchemaVersion: {version}}}")));
            let text = old.schema.stored_text();
            messages.push(match text.char_indices().find(|(at, _)| *at >= SHOWN_BYTES_MAX) {
                Some((at, _)) => format!("{{oldSchema: <truncated> '{}...'}}", &text[..at]),
                None => format!("{{oldSchema: '{text}'}}"),
            });
        }
    }
    messages
}
