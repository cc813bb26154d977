//! Schemas that another schema refers to by name: Confluent's `references`, resolved to their texts.

use std::sync::Arc;

/// A schema that may be referred to. The list that a schema is compiled with is flat and in order: what a reference
/// itself refers to stands before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    /// As the text refers to it: an Avro full name, a JSON Schema's `$ref` without its fragment, a Protobuf import's path.
    pub name: Arc<str>,
    /// The schema itself.
    pub text: Arc<str>,
}
