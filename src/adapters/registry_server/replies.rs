//! What clients get, in the product's shapes.

use serde_json::{Map, Value as Json, json};

use crate::machines::registry::{Config, Registered, RegistryError, Verdict};

/// A response before it is put on a wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: String,
}

impl Answer {
    /// 200 with a value.
    pub(super) fn fine(value: &Json) -> Self {
        Self { status: 200, body: value.to_string() }
    }
    /// 200 with a schema as it stands.
    pub(super) fn text(text: &str) -> Self {
        Self { status: 200, body: text.to_owned() }
    }
    /// A refusal of the registry: the first three digits of its code are the status.
    pub(super) fn refused(error: &RegistryError) -> Self {
        let status = if error.code >= 1_000 { error.code / 100 } else { error.code };
        Self::error(status as u16, error.code, &error.message)
    }
    pub(super) fn not_found() -> Self {
        Self::error(404, 404, "HTTP 404 Not Found")
    }
    pub(super) fn no_such_method() -> Self {
        Self::error(405, 405, "HTTP 405 Method Not Allowed")
    }
    pub(super) fn bad_request(words: &str) -> Self {
        Self::error(400, 400, words)
    }
    pub(super) fn too_large(bytes_max: usize) -> Self {
        Self::error(413, 413, &format!("the request's body could not be read: at most {bytes_max} bytes are taken"))
    }
    pub(super) fn too_slow() -> Self {
        Self::error(408, 408, "the request's body did not arrive in time")
    }
    pub(super) fn internal() -> Self {
        Self::error(500, 50001, "Error in the backend data store")
    }
    fn error(status: u16, code: u32, message: &str) -> Self {
        Self { status, body: json!({"error_code": code, "message": message}).to_string() }
    }
}

/// `SchemaString`, of `GET /schemas/ids/{id}`.
pub(super) fn schema_string(found: &Registered) -> Json {
    let mut all = schema(found);
    if let Json::Object(fields) = &mut all {
        fields.shift_remove("id");
    }
    all
}

/// `Schema`, of a version; without what is empty.
pub(super) fn schema(found: &Registered) -> Json {
    let mut all = json!({
        "subject": &*found.subject, "version": found.version, "id": found.id, "guid": &*found.guid, "schemaType": found.schema_type,
    });
    if let Json::Object(fields) = &mut all {
        if !found.references.is_empty() {
            fields.insert("references".to_owned(), references(found));
        }
        let attachments = [("metadata", &found.attachments.metadata), ("ruleSet", &found.attachments.rule_set)];
        for (name, text) in attachments {
            if let Some(value) = text.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
                fields.insert(name.to_owned(), value);
            }
        }
        fields.insert("schema".to_owned(), Json::from(&*found.text));
        if found.is_deleted {
            fields.insert("deleted".to_owned(), Json::Bool(true));
        }
    }
    all
}

fn references(found: &Registered) -> Json {
    let one = |reference: &crate::machines::registry::Reference| json!({"name": &*reference.name, "subject": &*reference.subject, "version": reference.version});
    found.references.iter().map(one).collect()
}

/// What registering answers: the schema without its subject.
pub(super) fn registration(found: &Registered) -> Json {
    let mut all = schema(found);
    if let Json::Object(fields) = &mut all {
        fields.shift_remove("subject");
        fields.shift_remove("deleted");
    }
    all
}

/// `GET /config`: the level under its long name.
pub(super) fn config(config: &Config) -> Json {
    config_as("compatibilityLevel", config)
}

/// `PUT /config`: the level under its short one.
pub(super) fn config_update(config: &Config) -> Json {
    config_as("compatibility", config)
}

fn config_as(level: &str, config: &Config) -> Json {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    put("alias", config.alias.as_deref().map(Json::from));
    put("normalize", config.normalize.map(Json::from));
    put(level, config.level.map(|level| Json::from(level.to_string())));
    put("compatibilityPolicy", config.policy.map(|policy| Json::from(policy.to_string())));
    Json::Object(fields)
}

/// The verdict; with every message when they are asked for.
pub(super) fn verdict(verdict: &Verdict, is_verbose: bool) -> Json {
    let mut value = json!({"is_compatible": verdict.is_compatible()});
    if is_verbose && let Json::Object(fields) = &mut value {
        fields.insert("messages".to_owned(), verdict.messages.clone().into());
    }
    value
}
