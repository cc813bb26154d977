//! Schemas of a project: inline text, or files beside it that never leave its folder.

use std::io::Read;
use std::path::{Component as Part, Path};
use std::sync::Arc;

use indexmap::IndexMap;

use super::fields::{Names, Reader, join, shorten};
use super::limits::SCHEMA_BYTES_MAX;
use super::tree::{Data, Node};
use crate::diagnostics::{Diagnostic, Place};
use crate::model::{Project, SchemaSource};

/// A schema that a file holds, and where the project says so.
#[derive(Clone, Debug)]
pub(super) struct SchemaUse {
    pub(super) name: String,
    path: String,
    place: Place,
}

/// The `schemas` section; files are read later, by [`load`].
pub(super) fn read(reader: &mut Reader, node: &Node, uses: &mut Vec<SchemaUse>) -> IndexMap<String, SchemaSource> {
    let mut schemas = IndexMap::new();
    for (key, node) in reader.entries("schemas", node, Names::Ids) {
        let path = join("schemas", &key.text);
        let Some((inline, node, text)) = source(reader, &path, node) else { continue };
        let by_path = !inline && !SchemaSource::is_schema(&text);
        if !by_path {
            schemas.insert(key.text.clone(), SchemaSource { path: None, text: text.into() });
            continue;
        }
        match check_path(&text) {
            Ok(()) => uses.push(SchemaUse { name: key.text.clone(), path: text.clone(), place: node.place }),
            Err(why) => {
                let message = format!("`{}` {why}", shorten(&text));
                let hint = "name a file in the project's folder: \"schemas/order-placed.avsc\"";
                reader.problem(node.place, Diagnostic::error("schema-path", &path, message).with_hint(hint));
            }
        }
        schemas.insert(key.text.clone(), SchemaSource { path: Some(text), text: Arc::from("") });
    }
    schemas
}

/// `"text"`, `(inline: "text")` or `(path: "text")`: whether it is surely inline, the node and the text.
fn source<'a>(reader: &mut Reader, path: &str, node: &'a Node) -> Option<(bool, &'a Node, String)> {
    if !matches!(node.data, Data::Group(_)) {
        return reader.text(path, node).map(|text| (false, node, text));
    }
    let (key, node) = reader.entries(path, node, Names::Only(&["inline", "path"])).into_iter().next()?;
    reader.text(&join(path, &key.text), node).map(|text| (key.text == "inline", node, text))
}

/// A schema's path stays in the project's folder: relative, forward, no way up.
pub(super) fn check_path(text: &str) -> Result<(), &'static str> {
    let drive = text.as_bytes().get(1) == Some(&b':');
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("is no path");
    }
    if text.contains('\\') || drive {
        return Err("is not a path with forward slashes");
    }
    match Path::new(text).components().find(|part| !matches!(part, Part::Normal(_) | Part::CurDir)) {
        Some(Part::ParentDir) => Err("leaves the project's folder"),
        Some(_) => Err("is an absolute path"),
        None => Ok(()),
    }
}

/// Reads the files into the project; a file that cannot be read is a problem at its place.
pub(super) fn load(project: &mut Project, uses: &[SchemaUse], folder: &Path, reader: &mut Reader) {
    for wanted in uses {
        match load_one(folder, &wanted.path) {
            Ok(text) => {
                if let Some(schema) = project.schemas.get_mut(&wanted.name) {
                    schema.text = text.into();
                }
            }
            Err((code, message)) => {
                let path = join("schemas", &wanted.name);
                reader.problem(wanted.place, Diagnostic::error(code, path, format!("`{}` {message}", shorten(&wanted.path))));
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this room owns the project's files")]
fn load_one(folder: &Path, path: &str) -> Result<String, (&'static str, String)> {
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => ("schema-missing", "is not there".to_owned()),
        _ => ("schema-unreadable", format!("cannot be read: {error}")),
    };
    let home = std::fs::canonicalize(folder).map_err(cannot)?;
    let real = std::fs::canonicalize(home.join(path)).map_err(cannot)?;
    if !real.starts_with(&home) {
        return Err(("schema-path", "is a link that leaves the project's folder".into()));
    }
    // A pipe or a device would never end.
    if !std::fs::metadata(&real).map_err(cannot)?.is_file() {
        return Err(("schema-unreadable", "is not a file".into()));
    }
    let mut bytes = Vec::new();
    let limit = SCHEMA_BYTES_MAX as u64 + 1;
    std::fs::File::open(&real).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() > SCHEMA_BYTES_MAX {
        return Err(("limit-schema", format!("is larger than {} KiB", SCHEMA_BYTES_MAX >> 10)));
    }
    String::from_utf8(bytes).map_err(|_| ("schema-unreadable", "is not UTF-8".into()))
}
