//! Avro's names: which words are types of their own, and what a name means within a namespace.

/// Whether a word is a type without a name, or says what kind a definition is.
pub(super) fn is_primitive(word: &str) -> bool {
    matches!(word, "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string")
        || matches!(word, "record" | "error" | "enum" | "fixed" | "array" | "map")
}

/// A name in full: a dot in it makes the namespace void.
pub(super) fn full_name(name: &str, namespace: &str) -> String {
    match name.strip_prefix('.') {
        Some(bare) => bare.to_owned(),
        None if name.contains('.') || namespace.is_empty() => name.to_owned(),
        None => format!("{namespace}.{name}"),
    }
}
