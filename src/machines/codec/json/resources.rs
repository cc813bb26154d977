//! What a JSON Schema's `$ref` may lead to outside of itself: the registry's references, and nothing else.
//!
//! The validator asks for whole documents by their URI, after a relative `$ref` was resolved against the schema's `$id`;
//! a reference is known by the name that the `$ref` says. Start at [`Resources`].

use std::error::Error;

use jsonschema::{Retrieve, Uri};
use serde_json::Value as Json;

use crate::machines::codec::references::Named;

/// The references by name, parsed.
#[derive(Debug)]
pub(super) struct Resources {
    by_name: Vec<(Box<str>, Json)>,
}

impl Resources {
    /// # Errors
    /// When a reference's text is no JSON.
    pub(super) fn new(references: &[Named]) -> Result<Self, String> {
        let parse = |reference: &Named| match serde_json::from_str(&reference.text) {
            Ok(schema) => Ok((Box::from(&*reference.name), schema)),
            Err(error) => Err(format!("the reference `{}` is no JSON: {error}", reference.name)),
        };
        Ok(Self { by_name: references.iter().map(parse).collect::<Result<_, _>>()? })
    }
    fn find(&self, uri: &str) -> Option<&Json> {
        let is_named = |name: &str| {
            let relative = name.trim_start_matches("./").trim_start_matches("../").trim_start_matches('/');
            uri == name || uri.strip_suffix(relative).is_some_and(|rest| rest.ends_with('/'))
        };
        self.by_name.iter().find(|(name, _)| is_named(name)).map(|(_, schema)| schema)
    }
}

impl Retrieve for Resources {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn Error + Send + Sync>> {
        let known = self.find(uri.as_str()).cloned();
        known.ok_or_else(|| format!("`{uri}` is not among the references of the schema").into())
    }
}
