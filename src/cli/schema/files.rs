//! Schema files as the command line meets them: read, told apart by type, compiled.

use std::path::Path;
use std::sync::Arc;

use super::args::Reading;
use crate::cli::exit::Stop;
use crate::import;
use crate::machines::codec::{Named, Schema, SchemaLibrary, guess_type};

/// Schema files, each compiled once.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) library: Arc<SchemaLibrary>,
    schema_type: Option<&'static str>,
    pub(super) references: Vec<Named>,
}

impl Files {
    /// # Errors
    /// A reference that is not `NAME=FILE`, or whose file cannot be read.
    pub(super) fn new(reading: &Reading) -> Result<Self, Stop> {
        let mut references = Vec::new();
        for given in &reading.references {
            let (name, file) = given
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| Stop::usage(format!("`{given}`: a reference is NAME=FILE, the name as the schema writes it")))?;
            references.push(Named { name: name.into(), text: text_of(Path::new(file))?.into() });
        }
        Ok(Self { library: Arc::default(), schema_type: reading.schema_type, references })
    }
    /// A file's text.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn text(&self, file: &Path) -> Result<String, Stop> {
        text_of(file)
    }
    /// The compiled schema of a file.
    ///
    /// # Errors
    /// A file that cannot be read, or is no schema.
    pub(super) fn schema(&self, file: &Path) -> Result<Arc<Schema>, Stop> {
        let text = text_of(file)?;
        let schema_type = self.schema_type.or_else(|| by_name(file)).or_else(|| guess_type(&text)).ok_or_else(|| {
            Stop::usage(format!("{}: neither its name nor its text says of which type the schema is; say --type", file.display()))
        })?;
        let compiled = self.library.compile_with(schema_type, &text, &self.references);
        compiled.map_err(|words| Stop::usage(format!("{}: no {schema_type} schema: {words}", file.display())))
    }
}

/// By the end of its name; `.json` says nothing, Avro is written in it too.
fn by_name(file: &Path) -> Option<&'static str> {
    let name = file.file_name()?.to_str()?.to_ascii_lowercase();
    let ends = [(".avsc", "AVRO"), (".proto", "PROTOBUF"), (".schema.json", "JSON"), (".jsonschema", "JSON")];
    ends.iter().find(|(end, _)| name.ends_with(end)).map(|(_, schema_type)| *schema_type)
}

/// A text, without the mark that some editors put before it.
fn text_of(file: &Path) -> Result<String, Stop> {
    let text = import::text_of(file).map_err(|error| Stop::usage(format!("{}: {error}", file.display())))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
