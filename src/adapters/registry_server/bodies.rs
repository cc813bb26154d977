//! What clients send, in the product's shapes. Fields that are not known are passed over, as the product does.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::replies::Answer;
use crate::machines::codec::json_nesting;
use crate::machines::registry::{Attachments, ConfigUpdate, NewReference, NewSchema, RegistryError, VersionChoice};

/// Deepest nesting of a body: a schema is a text in it, so bodies are flat.
const DEPTH_MAX: usize = 32;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct SchemaBody {
    schema: Option<String>,
    schema_type: Option<String>,
    references: Option<Vec<ReferenceBody>>,
    metadata: Option<Map<String, Json>>,
    rule_set: Option<Map<String, Json>>,
    id: Option<i64>,
    version: Option<i64>,
}

#[derive(Deserialize)]
struct ReferenceBody {
    #[serde(default)]
    name: String,
    #[serde(default)]
    subject: String,
    #[serde(default = "newest")]
    version: i64,
}

fn newest() -> i64 {
    -1
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ConfigBody {
    compatibility: Option<String>,
    compatibility_policy: Option<String>,
    normalize: Option<bool>,
    alias: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ModeBody {
    mode: Option<String>,
}

/// A schema to register, look up or test.
pub(super) fn schema(body: &[u8]) -> Result<NewSchema, Answer> {
    let body: SchemaBody = parsed(body)?;
    let mut references = Vec::new();
    for reference in body.references.unwrap_or_default() {
        let version: VersionChoice = reference.version.to_string().parse().map_err(|error: RegistryError| Answer::refused(&error))?;
        references.push(NewReference { name: reference.name.into(), subject: reference.subject.into(), version });
    }
    let positive = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
    Ok(NewSchema {
        schema_type: body.schema_type.unwrap_or_default().into(),
        text: body.schema.map_or_else(|| Arc::from(""), Arc::from),
        references,
        attachments: Attachments::of(body.metadata, body.rule_set),
        id: positive(body.id),
        version: positive(body.version),
    })
}

/// A change of a configuration.
pub(super) fn config(body: &[u8]) -> Result<ConfigUpdate, Answer> {
    let body: ConfigBody = parsed(body)?;
    Ok(ConfigUpdate { level: body.compatibility, policy: body.compatibility_policy, normalize: body.normalize, alias: body.alias })
}

/// The mode that is wanted; empty when the body names none.
pub(super) fn mode(body: &[u8]) -> Result<String, Answer> {
    parsed::<ModeBody>(body).map(|body| body.mode.unwrap_or_default())
}

fn parsed<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Answer> {
    if body.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    if json_nesting(body) > DEPTH_MAX {
        return Err(Answer::bad_request(&format!("the body is nested more than {DEPTH_MAX} levels deep")));
    }
    serde_json::from_slice(body).map_err(|error| Answer::bad_request(&error.to_string()))
}
