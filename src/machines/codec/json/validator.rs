//! The validating library's program for a schema, with the schemas that it refers to by name.

use std::collections::BTreeMap;

use jsonschema::{FancyRegex, PatternOptions, Retrieve, Uri};
use serde_json::{Map, Value as Json};

use super::documents::{BASE, Sources};
use super::draft::Draft;
use super::reasons;

/// Compiled patterns of one schema together, and one of them at most and at least.
const PATTERNS_BYTES_MAX: usize = 8 << 20;
const PATTERN_BYTES_MAX: usize = 1 << 20;
const PATTERN_BYTES_LEAST: usize = 16 << 10;
/// Ways that a pattern with look-around may try on one text.
const BACKTRACKS_MAX: usize = 100_000;

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
        .with_pattern_options(pattern_options(sources))
        .build(&with_both_words(&sources.root))
        .map_err(|error| format!("not a JSON Schema: {}", reasons::shorten(&error.to_string())))
}

/// All patterns of a schema share one allowance, so that many heavy ones cost no more than a few.
fn pattern_options(sources: &Sources) -> PatternOptions<FancyRegex> {
    let all = std::iter::once(&sources.root).chain(sources.named.iter().map(|(_, json)| json));
    let bytes = (PATTERNS_BYTES_MAX / all.map(patterns).sum::<usize>().max(1)).clamp(PATTERN_BYTES_LEAST, PATTERN_BYTES_MAX);
    PatternOptions::fancy_regex().size_limit(bytes).dfa_size_limit(bytes).backtrack_limit(BACKTRACKS_MAX)
}

/// How many there are.
fn patterns(schema: &Json) -> usize {
    let (mut count, mut left) = (0, vec![schema]);
    while let Some(json) = left.pop() {
        match json {
            Json::Object(map) => {
                count += usize::from(map.get("pattern").is_some_and(Json::is_string));
                count += map.get("patternProperties").and_then(Json::as_object).map_or(0, Map::len);
                left.extend(map.values());
            }
            Json::Array(list) => left.extend(list),
            _ => {}
        }
    }
    count
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
