//! Every schema of a run, compiled once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::schema::{Schema, SchemaType};
use crate::event::SchemaFound;

/// Schemas that are kept; a design with more compiles the rest anew each time.
const SCHEMAS_MAX: usize = 10_000;
/// Verdicts that are kept; beyond them pairs are judged anew each time.
const PAIRS_MAX: usize = 10_000;

/// Compiles schema texts once and shares the result.
#[derive(Debug, Default)]
pub struct SchemaLibrary {
    schemas: Mutex<BTreeMap<(SchemaType, Arc<str>), Result<Arc<Schema>, String>>>,
    /// By the numbers of reader and writer.
    pairs: Mutex<BTreeMap<(u64, u64), Verdict>>,
}

type Verdict = Result<(), Arc<[String]>>;

impl SchemaLibrary {
    /// The compiled schema of this type (`AVRO`, `JSON`) and text, from memory when it was asked before.
    ///
    /// # Errors
    /// Why the text is no schema, in words.
    pub fn compile(&self, schema_type: &str, text: &str) -> Result<Arc<Schema>, String> {
        let schema_type: SchemaType = schema_type.parse()?;
        let key = (schema_type, Arc::from(text));
        if let Some(known) = locked(&self.schemas).get(&key) {
            return known.clone();
        }
        let compiled = Schema::compile(schema_type, &key.1).map(Arc::new);
        let mut schemas = locked(&self.schemas);
        if schemas.len() < SCHEMAS_MAX {
            schemas.insert(key, compiled.clone());
        }
        compiled
    }
    /// The same for a text whose type nobody names: one that is no JSON is Protobuf, and of the others Avro is asked first.
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
        self.compile(&found.schema_type, &found.text)
    }
    /// Whether all data of `writer` can be read with `reader`; judged once for each pair. Two JSON Schemas
    /// are not compared: they can.
    ///
    /// # Errors
    /// Every reason why not, in words.
    pub fn can_read(&self, reader: &Schema, writer: &Schema) -> Result<(), Arc<[String]>> {
        let key = (reader.number(), writer.number());
        if key.0 == key.1 {
            return Ok(());
        }
        if let Some(known) = locked(&self.pairs).get(&key) {
            return known.clone();
        }
        let verdict = reader.can_read(writer).map_err(Arc::from);
        let mut pairs = locked(&self.pairs);
        if pairs.len() < PAIRS_MAX {
            pairs.insert(key, verdict.clone());
        }
        verdict
    }
}

/// What is behind these locks is whole between any two statements: a panic elsewhere spoils nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
