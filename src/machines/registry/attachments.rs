//! What stands beside a schema without being part of it: metadata and rules.
//!
//! In: a client's JSON objects. Out: [`Attachments`], in one form, so that the same ones are the same schema. Rules are kept
//! and handed out; clients carry them out, not a registry.
//! Start at [`Attachments::of`]; the source is `maybeSetMetadataRuleSet` of Confluent's `AbstractSchemaRegistry`.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

/// Metadata and rules of a schema. They are part of what makes a version another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attachments {
    /// `metadata`: tags, properties, names of sensitive properties.
    pub metadata: Option<Arc<str>>,
    /// `ruleSet`: rules of migrations, of the domain, of the encoding.
    pub rule_set: Option<Arc<str>>,
}

impl Attachments {
    /// As a client sends them.
    #[must_use]
    pub fn of(metadata: Option<Map<String, Json>>, rule_set: Option<Map<String, Json>>) -> Self {
        let kept = |map| Arc::from(Json::Object(in_one_form(map)).to_string());
        Self { metadata: metadata.map(kept), rule_set: rule_set.map(kept) }
    }
    /// These, and of the latest version what a client left out.
    #[must_use]
    pub(super) fn or_from(&self, latest: Option<&Self>) -> Self {
        let Some(latest) = latest else { return self.clone() };
        let or = |own: &Option<Arc<str>>, other: &Option<Arc<str>>| own.as_ref().or(other.as_ref()).cloned();
        Self { metadata: or(&self.metadata, &latest.metadata), rule_set: or(&self.rule_set, &latest.rule_set) }
    }
}

/// The keys by name, without what is empty: the order in which a client writes them says nothing.
fn in_one_form(map: Map<String, Json>) -> Map<String, Json> {
    let mut fields: Vec<(String, Json)> = map.into_iter().filter(|(_, value)| !is_empty(value)).collect();
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    let inner = |value| match value {
        Json::Object(map) => Json::Object(in_one_form(map)),
        other => other,
    };
    fields.into_iter().map(|(name, value)| (name, inner(value))).collect()
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Object(map) => map.is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}
