//! The validating library's program for a schema, with the schemas that it refers to by name.

use std::collections::BTreeMap;

use jsonschema::{Retrieve, Uri};
use serde_json::{Map, Value as Json};

use super::documents::{BASE, Sources};
use super::draft::Draft;
use super::reasons;

/// # Errors
/// Why it is no schema.
pub(super) fn build(sources: &Sources, draft: Draft) -> Result<jsonschema::Validator, String> {
    let documents: Vec<Json> = sources.named.iter().map(|(_, json)| with_both_words(json)).collect();
    let named = Named(sources.addresses().into_iter().map(|(address, at)| (address, documents[at].clone())).collect());
    jsonschema::options()
        .with_draft(draft.of_validator())
        .with_base_uri(BASE)
        .with_retriever(named)
        .should_validate_formats(true)
        .build(&with_both_words(&sources.root))
        .map_err(|error| format!("not a JSON Schema: {}", reasons::shorten(&error.to_string())))
}

/// The named documents by every address that they answer to.
struct Named(BTreeMap<String, Json>);

impl Retrieve for Named {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn std::error::Error + Send + Sync>> {
        let known = self.0.get(uri.as_str().trim_end_matches('#')).cloned();
        known.ok_or_else(|| format!("`{uri}` is not among the schemas that this one names as references").into())
    }
}

/// With the definitions under `$defs` too, as in the product: a `$ref` finds them by either word.
fn with_both_words(schema: &Json) -> Json {
    let mut schema = schema.clone();
    let Some(map) = schema.as_object_mut() else { return schema };
    let Some(Json::Object(definitions)) = map.get("definitions").cloned() else { return schema };
    if let Json::Object(all) = map.entry("$defs").or_insert_with(|| Json::Object(Map::new())) {
        for (name, definition) in definitions {
            all.entry(name).or_insert(definition);
        }
    }
    schema
}
