//! The way from one version to another that may not follow it: which versions go between, and who upgrades first.
//!
//! In: an old and a target schema, a level. Out: [`Step`]s, each judged by the registry's own rules. Versions in between
//! are made of both schemas by a few plans that people use (defaults first, both fields side by side, a field dropped
//! before it comes back with another type, an alias for the old name); the shortest way through them wins.
//! Must not know: subjects, how it is shown. Start at [`plan`].
//!
//! ```text
//! old ─► candidates of the format ─► each pair judged under the level ─► shortest way ─► steps
//! ```

mod avro;
mod json;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value as Json;

use super::Compatibility;
use super::verdict::{Older, Way, judge};
use crate::machines::codec::{Named, Rules, Schema, SchemaLibrary, SchemaType};

/// Most versions on a way, the target among them.
pub const STEPS_MAX: usize = 4;

/// One version to register, and who is to use it first.
#[derive(Clone, Debug)]
pub struct Step {
    /// The version.
    pub schema: Arc<Schema>,
    /// What it is, in words (`the new schema, with defaults for the fields that come`).
    pub what: &'static str,
    /// Who upgrades first.
    pub first: First,
}

/// Who has to use a version before the others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// Consumers: they read old data with it; others do not read its data.
    Consumers,
    /// Producers: old consumers read its data; it does not read old data.
    Producers,
    /// Nobody in particular.
    Either,
    /// All at once, or data is lost to somebody.
    Together,
}

impl First {
    /// As a step of a plan says it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Consumers => "consumers upgrade first, then producers",
            Self::Producers => "producers upgrade first; consumers once the older data is read or gone",
            Self::Either => "producers and consumers upgrade in any order",
            Self::Together => "producers and consumers must change together",
        }
    }
}

/// A version that may stand between.
struct Candidate {
    schema: Arc<Schema>,
    what: &'static str,
}

/// The shortest way from `old` to `target` under a level; none when none was found.
#[must_use]
pub fn plan(
    library: &SchemaLibrary,
    old: &Arc<Schema>,
    target: &Arc<Schema>,
    references: &[Named],
    level: Compatibility,
    rules: Rules,
) -> Option<Vec<Step>> {
    let mut candidates = vec![Candidate { schema: Arc::clone(target), what: "the new schema" }];
    for (text, what) in texts_between(old, target) {
        let is_new = |text: &str| candidates.iter().all(|known| **known.schema.text() != *text) && **old.text() != *text;
        if let Some(schema) = library.compile_with(old.schema_type().as_str(), &text, references).ok().filter(|_| is_new(&text)) {
            candidates.push(Candidate { schema, what });
        }
    }
    let way = shortest(library, old, &candidates, level, rules)?;
    let mut before = old;
    let steps = way.into_iter().map(|at| {
        let Candidate { schema, what } = &candidates[at];
        let step = Step { schema: Arc::clone(schema), what, first: first(library, before, schema, rules) };
        before = schema;
        step
    });
    Some(steps.collect())
}

/// Numbers of candidates, by ways of growing length.
fn shortest(
    library: &SchemaLibrary,
    old: &Arc<Schema>,
    candidates: &[Candidate],
    level: Compatibility,
    rules: Rules,
) -> Option<Vec<usize>> {
    let older = |schema: &Arc<Schema>| Older { version: None, schema: Arc::clone(schema) };
    let mut ways: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..STEPS_MAX {
        let mut longer = Vec::new();
        for way in ways {
            let before: Vec<Older> = std::iter::once(old).chain(way.iter().map(|at| &candidates[*at].schema)).map(older).collect();
            let may_follow =
                |at: &usize| !way.contains(at) && judge(library, &candidates[*at].schema, &before, level, rules).is_compatible();
            for at in (0..candidates.len()).filter(may_follow) {
                let next = [way.as_slice(), &[at]].concat();
                if at == 0 {
                    return Some(next);
                }
                longer.push(next);
            }
        }
        ways = longer;
    }
    None
}

fn first(library: &SchemaLibrary, before: &Arc<Schema>, schema: &Arc<Schema>, rules: Rules) -> First {
    let older = [Older { version: None, schema: Arc::clone(before) }];
    let verdict = judge(library, schema, &older, Compatibility::Full, rules);
    let holds = |way: Way| verdict.compared.iter().all(|compared| compared.way != way || !compared.breaks());
    match (holds(Way::NewReadsOld), holds(Way::OldReadsNew)) {
        (true, true) => First::Either,
        (true, false) => First::Consumers,
        (false, true) => First::Producers,
        (false, false) => First::Together,
    }
}

/// Texts of versions between.
fn texts_between(old: &Schema, target: &Schema) -> Vec<(String, &'static str)> {
    if let (SchemaType::Protobuf, SchemaType::Protobuf) = (old.schema_type(), target.schema_type()) {
        return old.versions_between(target);
    }
    let parse = |schema: &Schema| serde_json::from_str::<Json>(schema.text());
    let (Ok(old_json), Ok(new_json)) = (parse(old), parse(target)) else { return Vec::new() };
    let made = match (old.schema_type(), target.schema_type()) {
        (SchemaType::Avro, SchemaType::Avro) => avro::between(&old_json, &new_json),
        (SchemaType::Json, SchemaType::Json) => json::between(&old_json, &new_json),
        _ => Vec::new(),
    };
    made.into_iter().map(|(json, what)| (json.to_string(), what)).collect()
}

/// What becomes of a field in a version between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Absent,
    /// As the old version has it; a reader can do without it.
    Old,
    /// As the new version has it; a reader can do without it.
    New,
}

/// A plan for all fields that differ.
#[derive(Clone, Copy, Debug)]
struct Recipe {
    what: &'static str,
    added: Fate,
    removed: Fate,
    retyped: Fate,
}

/// In the order in which a way goes through them.
const RECIPES: &[Recipe] = &[
    Recipe {
        what: "the old schema, whose readers can do without the fields that go or change",
        added: Fate::Absent,
        removed: Fate::Old,
        retyped: Fate::Old,
    },
    Recipe {
        what: "old and new fields side by side, none of them needed by readers",
        added: Fate::New,
        removed: Fate::Old,
        retyped: Fate::Old,
    },
    Recipe { what: "the fields that both schemas have alike", added: Fate::Absent, removed: Fate::Absent, retyped: Fate::Absent },
    Recipe {
        what: "the new schema, whose readers can do without the fields that come or change",
        added: Fate::New,
        removed: Fate::Absent,
        retyped: Fate::New,
    },
    Recipe {
        what: "the new schema without the fields that change their type",
        added: Fate::New,
        removed: Fate::Absent,
        retyped: Fate::Absent,
    },
];
