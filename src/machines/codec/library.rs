//! Every schema of a run, compiled once; every pair of them, compared once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::difference::{Difference, Policy, Severity};
use super::references::Named;
use super::schema::{Rules, Schema, SchemaType};
use crate::event::SchemaFound;

/// Schemas that are kept, and the bytes of their texts; a design with more compiles the rest anew each time.
const SCHEMAS_MAX: usize = 10_000;
const TEXT_BYTES_KEPT_MAX: usize = 64 << 20;
/// Comparisons that are kept, and their differences; beyond them pairs are compared anew each time.
const PAIRS_MAX: usize = 10_000;
const DIFFERENCES_KEPT_MAX: usize = 100_000;

/// Compiles schema texts once and shares the result; compares pairs once.
#[derive(Debug, Default)]
pub struct SchemaLibrary {
    schemas: Mutex<Compiled>,
    pairs: Mutex<Compared>,
}

/// Type, text and references.
type Key = (SchemaType, Arc<str>, Arc<[Named]>);

#[derive(Debug, Default)]
struct Compiled {
    by_text: BTreeMap<Key, Result<Arc<Schema>, String>>,
    text_bytes: usize,
}

#[derive(Debug, Default)]
struct Compared {
    /// By the numbers of reader and writer.
    by_pair: BTreeMap<(u64, u64, Rules), Arc<[Difference]>>,
    differences: usize,
}

impl SchemaLibrary {
    /// The compiled schema of this type (`AVRO`, `JSON`, `PROTOBUF`) and text, from memory when it was asked before.
    ///
    /// # Errors
    /// Why the text is no schema, in words.
    pub fn compile(&self, schema_type: &str, text: &str) -> Result<Arc<Schema>, String> {
        self.compile_with(schema_type, text, &[])
    }
    /// The same for a text that refers to others by name. What a reference refers to stands before it.
    ///
    /// # Errors
    /// Why the text is no schema, in words.
    pub fn compile_with(&self, schema_type: &str, text: &str, references: &[Named]) -> Result<Arc<Schema>, String> {
        let key: Key = (schema_type.parse()?, text.into(), references.into());
        if let Some(known) = locked(&self.schemas).by_text.get(&key) {
            return known.clone();
        }
        let compiled = Schema::compile(key.0, &key.1, &key.2).map(Arc::new);
        let mut schemas = locked(&self.schemas);
        let bytes = text.len() + references.iter().map(|reference| reference.text.len()).sum::<usize>();
        if schemas.by_text.len() < SCHEMAS_MAX && schemas.text_bytes + bytes <= TEXT_BYTES_KEPT_MAX {
            schemas.text_bytes += bytes;
            schemas.by_text.insert(key, compiled.clone());
        }
        compiled
    }
    /// The same for a text whose type nobody names: the likeliest type is asked first.
    ///
    /// # Errors
    /// Why the text is no schema, in words.
    pub fn compile_any(&self, text: &str) -> Result<Arc<Schema>, String> {
        let (first, others) = SchemaType::candidates(text);
        let compile = |ty: SchemaType| self.compile(ty.as_str(), text);
        compile(first).or_else(|words| others.iter().find_map(|ty| compile(*ty).ok()).ok_or(words))
    }
    /// The same for what a registry answered.
    ///
    /// # Errors
    /// Why the text is no schema, in words.
    pub fn compile_found(&self, found: &SchemaFound) -> Result<Arc<Schema>, String> {
        self.compile_with(&found.schema_type, &found.text, &found.references)
    }
    /// What `reader` makes of data written with `writer`: every difference; compared once for each pair.
    pub fn compare(&self, reader: &Schema, writer: &Schema, policy: Policy) -> Arc<[Difference]> {
        self.compare_by(reader, writer, Rules { policy, ..Rules::default() })
    }
    /// The same by the rules of another product.
    pub fn compare_by(&self, reader: &Schema, writer: &Schema, rules: Rules) -> Arc<[Difference]> {
        let key = (reader.number(), writer.number(), rules);
        if key.0 == key.1 {
            return Arc::default();
        }
        if let Some(known) = locked(&self.pairs).by_pair.get(&key) {
            return Arc::clone(known);
        }
        let found: Arc<[Difference]> = reader.compare(writer, rules).into();
        let mut pairs = locked(&self.pairs);
        if pairs.by_pair.len() < PAIRS_MAX && pairs.differences + found.len() <= DIFFERENCES_KEPT_MAX {
            pairs.differences += found.len();
            pairs.by_pair.insert(key, Arc::clone(&found));
        }
        found
    }
    /// Whether all data of `writer` can be read with `reader`.
    ///
    /// # Errors
    /// Every reason why not, in words with their places.
    pub fn can_read(&self, reader: &Schema, writer: &Schema) -> Result<(), Vec<String>> {
        let found = self.compare(reader, writer, Policy::default());
        let reasons: Vec<String> =
            found.iter().filter(|difference| difference.severity == Severity::Breaks).map(ToString::to_string).collect();
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
    }
}

/// What is behind these locks is whole between any two statements: a panic elsewhere spoils nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
