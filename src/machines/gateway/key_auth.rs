//! The key-auth plugin (kong/plugins/key-auth/handler.lua, priority 1250): who sends, by an API key.

use std::collections::HashMap;
use std::sync::Arc;

use super::Request;

/// Its configuration.
#[derive(Clone, Debug, Default)]
pub struct KeyAuthSpec {
    /// Header and query field that carry the key (`apikey`), in lower case.
    pub key_name: Arc<str>,
    /// Who may enter.
    pub keys: Vec<ApiKey>,
}

/// One credential.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Whose; several keys may belong to one consumer.
    pub consumer: Arc<str>,
    /// The key.
    pub key: Arc<str>,
}

impl KeyAuthSpec {
    /// Consumers in first-named order: their numbers in a [`super::Decision`].
    #[must_use]
    pub fn consumers(&self) -> Vec<Arc<str>> {
        let mut consumers: Vec<Arc<str>> = Vec::new();
        for key in &self.keys {
            if !consumers.contains(&key.consumer) {
                consumers.push(Arc::clone(&key.consumer));
            }
        }
        consumers
    }
}

/// Compiled.
#[derive(Debug)]
pub(super) struct KeyAuth {
    key_name: Arc<str>,
    /// Only looked up, never walked.
    consumers_by_key: HashMap<Arc<str>, u32, ahash::RandomState>,
}

impl KeyAuth {
    pub(super) fn new(spec: &KeyAuthSpec) -> Self {
        let consumers = spec.consumers();
        let number = |name: &Arc<str>| consumers.iter().position(|consumer| consumer == name).unwrap_or_default() as u32;
        let mut consumers_by_key = HashMap::with_hasher(super::rate_limit::hasher());
        consumers_by_key.extend(spec.keys.iter().map(|key| (Arc::clone(&key.key), number(&key.consumer))));
        Self { key_name: Arc::clone(&spec.key_name), consumers_by_key }
    }
    /// The consumer's number, or the words of a 401. Headers win over the query, as in the product.
    pub(super) fn consumer(&self, request: &Request<'_>) -> Result<u32, &'static str> {
        let in_headers = request.headers.iter().filter(|(name, _)| *name == self.key_name).map(|(_, value)| &**value);
        let mut found = in_headers;
        let key = match (found.next(), found.next()) {
            (Some(_), Some(_)) => return Err("Duplicate API key found"),
            (Some(key), None) => key,
            _ => self.in_query(request.path)?,
        };
        if key.is_empty() {
            return Err("No API key found in request");
        }
        self.consumers_by_key.get(key).copied().ok_or("Unauthorized")
    }
    fn in_query<'a>(&self, path: &'a str) -> Result<&'a str, &'static str> {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let mut found = query.split('&').filter_map(|field| field.split_once('=')).filter(|(name, _)| *name == &*self.key_name);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err("Duplicate API key found"),
            (Some((_, key)), None) => Ok(key),
            _ => Err("No API key found in request"),
        }
    }
}
