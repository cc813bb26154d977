//! JSON Schema: a validator, the comparison with another version, and a plan for generating payloads.
//!
//! In: a schema's text (in the draft that its `$schema` names, else 7, as in Confluent's registry) and the schemas that it refers
//! to by name. Out: verdicts with the path of the field, differences between versions, compact JSON payloads. Nothing is
//! fetched: any other `$ref` out of the schema is refused.
//! Must not know: Avro, registries. Start at [`JsonSchema`].

mod compare;
mod cost;
mod documents;
mod draft;
mod generate;
mod pattern;
mod plan;
mod reasons;
mod swift;
#[cfg(test)]
mod tests;
mod validator;

use std::sync::OnceLock;

use serde_json::Value as Json;

use super::difference::{Difference, Policy, Severity};
use super::references::Named;
use crate::random::Stream;
use crate::units::SimTime;
use compare::Shapes;
use documents::Sources;
use draft::Draft;
use plan::Plan;

/// Payloads drawn while compiling, to see whether the plan's payloads are valid.
const TRIALS: usize = 64;
/// Tries at a valid payload where the plan alone does not assure it.
const TRIES: usize = 16;
/// Bytes of trials beyond which no further one is made.
const TRIAL_BYTES_MAX: usize = 1 << 20;

/// Keywords that say something of the whole payload, which the plan draws part by part: what breaks them may be too rare for
/// the trials.
const WEIGHED: &[&str] = &[
    "additionalItems",
    "allOf",
    "anyOf",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "maxProperties",
    "minProperties",
    "multipleOf",
    "not",
    "oneOf",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
];

/// A compiled JSON Schema.
#[derive(Debug)]
pub struct JsonSchema {
    sources: Sources,
    draft: Draft,
    title: Option<String>,
    /// Made when the schema is compared for the first time.
    shapes: OnceLock<Result<Shapes, String>>,
    /// Tells most valid payloads from their bytes alone.
    swift: Option<swift::Program>,
    validator: jsonschema::Validator,
    plan: Plan,
    generation: Generation,
}

/// How good the plan's payloads are.
#[derive(Debug)]
enum Generation {
    /// All of the trials were valid, and no keyword of the schema makes a rare one possible that is not.
    Sure,
    /// Each payload is checked, and this one stands in when none of a few is valid.
    Checked { fallback: Vec<u8> },
    /// None was. The reason is the last refusal.
    Impossible { reason: String },
}

impl JsonSchema {
    /// `references` are the schemas that the text may refer to by name.
    ///
    /// # Errors
    /// Why the text is no schema.
    pub(super) fn compile(text: &str, references: &[Named]) -> Result<Self, String> {
        let sources = Sources::parse(text, references)?;
        let draft = Draft::of(&sources.root);
        cost::check(&sources, draft)?;
        let validator = validator::build(&sources, draft)?;
        let title = sources.root.get("title").and_then(Json::as_str).map(str::to_owned);
        let plan = Plan::compile(&sources.root);
        let swift = swift::Program::compile(&sources, draft).filter(swift::Program::is_any_use);
        let mut compiled = Self { sources, draft, title, shapes: OnceLock::new(), swift, validator, plan, generation: Generation::Sure };
        compiled.generation = compiled.try_out();
        Ok(compiled)
    }
    /// Every difference that matters to a reader with this schema of data written with `writer`, by Confluent's rules.
    pub(super) fn compare(&self, writer: &Self, policy: Policy) -> Vec<Difference> {
        match (self.shapes(), writer.shapes()) {
            (Ok(reader), Ok(writer)) => compare::compare(reader, writer, policy),
            (Err(words), _) | (_, Err(words)) => vec![Difference {
                rule: "COMPARISON_LIMIT",
                severity: Severity::Breaks,
                reader: Some("/".to_owned()),
                writer: Some("/".to_owned()),
                words: format!("the schemas cannot be compared: {words}"),
                hint: Some("split the schema".to_owned()),
            }],
        }
    }
    fn shapes(&self) -> Result<&Shapes, &String> {
        self.shapes.get_or_init(|| compare::read(&self.sources, self.draft)).as_ref()
    }
    /// Without spaces, the keys in their order.
    pub(super) fn stored_text(&self) -> String {
        self.sources.root.to_string()
    }
    /// The keys of all objects by name.
    pub(super) fn normal_text(&self) -> String {
        sorted(&self.sources.root).to_string()
    }
    pub(super) fn name(&self) -> Option<String> {
        self.title.clone()
    }
    pub(super) fn validate(&self, payload: &[u8]) -> Result<(), String> {
        if self.swift.as_ref().is_some_and(|program| program.is_surely_valid(payload)) {
            return Ok(());
        }
        let value: Json = serde_json::from_slice(payload).map_err(|error| format!("not JSON: {error}"))?;
        self.validator.validate(&value).map_err(|error| reasons::words(&error))
    }
    pub(super) fn can_generate(&self) -> Result<(), String> {
        match &self.generation {
            Generation::Impossible { reason } => Err(format!("no valid payload could be made up for this schema: {reason}")),
            _ => Ok(()),
        }
    }
    pub(super) fn generate(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) {
        let start = out.len();
        let is_good = |payload: &[u8]| !matches!(self.generation, Generation::Checked { .. }) || self.validate(payload).is_ok();
        for _ in 0..TRIES {
            if self.plan.generate(rng, now, out) && is_good(&out[start..]) {
                return;
            }
            out.truncate(start);
        }
        match &self.generation {
            Generation::Checked { fallback } => out.extend_from_slice(fallback),
            _ => {
                self.plan.generate(rng, now, out);
            }
        }
    }
    /// Appends a payload with one field of a wrong type, missing, or unknown, in the validator's words.
    pub(super) fn generate_broken(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) -> Option<String> {
        let start = out.len();
        self.generate(rng, now, out);
        let mut value: Json = serde_json::from_slice(&out[start..]).ok()?;
        break_value(&mut value, rng);
        let words = self.validator.validate(&value).err().map(|error| reasons::words(&error))?;
        out.truncate(start);
        serde_json::to_writer(out, &value).ok()?;
        Some(words)
    }
    pub(super) fn to_json(&self, payload: &[u8]) -> Result<Json, String> {
        self.validate(payload)?;
        serde_json::from_slice(payload).map_err(|error| error.to_string())
    }

    fn try_out(&self) -> Generation {
        let schema = &self.sources.root;
        let mut rng = Stream::new(0, "json-schema", "trial");
        let (mut payload, mut valid, mut refused) = (Vec::new(), None, None);
        let mut written = 0;
        for _ in 0..TRIALS {
            if written > TRIAL_BYTES_MAX {
                break;
            }
            payload.clear();
            let is_whole = self.plan.generate(&mut rng, SimTime::ZERO, &mut payload);
            written += payload.len();
            let checked = if is_whole { self.validate(&payload) } else { Err("every one would go on without end".to_owned()) };
            match checked {
                Ok(()) => valid = Some(payload.clone()),
                Err(reason) => refused = Some(reason),
            }
        }
        let reason = match refused {
            None if !has_keyword_of(schema, WEIGHED) => return Generation::Sure,
            reason => reason.unwrap_or_default(),
        };
        // The schema's own examples, where chance finds nothing.
        let examples = schema.get("examples").and_then(Json::as_array).into_iter().flatten().chain(schema.get("default"));
        let example = || examples.filter_map(|value| serde_json::to_vec(value).ok()).find(|bytes| self.validate(bytes).is_ok());
        match valid.or_else(example) {
            Some(fallback) => Generation::Checked { fallback },
            None => Generation::Impossible { reason },
        }
    }
}

/// Whether one of these keywords stands anywhere in a schema; a property of such a name counts too.
fn has_keyword_of(schema: &Json, keywords: &[&str]) -> bool {
    match schema {
        Json::Object(map) => map.iter().any(|(key, value)| keywords.contains(&key.as_str()) || has_keyword_of(value, keywords)),
        Json::Array(items) => items.iter().any(|item| has_keyword_of(item, keywords)),
        _ => false,
    }
}

fn sorted(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(sorted).collect(),
        Json::Object(map) => {
            let mut keys: Vec<(&String, &Json)> = map.iter().collect();
            keys.sort_by_key(|(key, _)| key.as_str());
            Json::Object(keys.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        other => other.clone(),
    }
}

fn break_value(value: &mut Json, rng: &mut Stream) {
    let Some(fields) = value.as_object_mut().filter(|fields| !fields.is_empty()) else {
        *value = other_type(value);
        return;
    };
    let at = rng.below(fields.len() as u64) as usize;
    if rng.below(4) == 0 {
        let name = fields.keys().nth(at).cloned().unwrap_or_default();
        fields.shift_remove(&name);
    } else if let Some(field) = fields.values_mut().nth(at) {
        *field = other_type(field);
    }
}

fn other_type(value: &Json) -> Json {
    match value {
        Json::String(_) => Json::from(1_767_225_600),
        Json::Number(number) => Json::from(number.to_string()),
        Json::Bool(flag) => Json::from(if *flag { "yes" } else { "no" }),
        Json::Null => Json::from("n/a"),
        Json::Array(_) | Json::Object(_) => Json::from("see attachment"),
    }
}
