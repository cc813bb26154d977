//! A schema's text and what it imports, made into descriptors. Nothing is looked for outside: imports are found in the
//! list of references, and else among Google's well-known files.
//!
//! In: texts. Out: a pool of descriptors that holds them all. Must not know: payloads. Start at [`compile`].
//!
//! What `import public` passes on is written into each file that it is passed to: prost-reflect follows such imports
//! one level deep only, and in a time that doubles with each file.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use prost_reflect::prost::Message;
use prost_reflect::prost_types::FileDescriptorProto;
use prost_reflect::{DescriptorPool, FileDescriptor};

use super::limits::{self, Measure};
use crate::machines::codec::references::Named;

/// Files of one schema, itself among them.
const FILES_MAX: usize = 100;
/// What the schema's own text is called: no reference can be named so.
const OWN_NAME: &str = "";

/// A compiled file.
pub(super) struct Compiled {
    pub(super) file: FileDescriptor,
    /// As the text has it: names are not resolved, imports not passed on.
    pub(super) parsed: FileDescriptorProto,
    public_imports: BTreeSet<String>,
}

impl Compiled {
    /// The file whose messages payloads are of: a file that has none of its own and imports one publicly stands for it.
    pub(super) fn effective_file(&self) -> FileDescriptor {
        let is_empty = self.file.messages().len() == 0 && self.file.enums().len() == 0;
        let only = self.public_imports.first().filter(|_| is_empty && self.public_imports.len() == 1);
        only.and_then(|name| self.file.parent_pool().get_file_by_name(name)).unwrap_or_else(|| self.file.clone())
    }
}

/// # Errors
/// Why the text is no Protobuf schema, with the line where one is known.
pub(super) fn compile(text: &str, references: &[Named]) -> Result<Compiled, String> {
    let mut files = Files { references, parsed: BTreeMap::new(), order: Vec::new(), measure: Measure::default() };
    files.collect(text)?;
    let (_, public_imports) = files.imports_of(OWN_NAME);
    let mut pool = DescriptorPool::new();
    for name in std::mem::take(&mut files.order) {
        pool.add_file_descriptor_proto(files.flat(&name)).map_err(|error| in_words(&format!("{error:?}")))?;
    }
    let file = pool.get_file_by_name(OWN_NAME).ok_or("the schema was not compiled")?;
    let parsed = FileDescriptorProto { source_code_info: None, ..files.parsed.remove(OWN_NAME).unwrap_or_default() };
    Ok(Compiled { file, parsed, public_imports })
}

/// The file that a text is when a client sends it compiled: `FileDescriptorProto` as Base64, as the product takes it.
fn descriptor_of(text: &str) -> Option<FileDescriptorProto> {
    let bytes = BASE64_STANDARD.decode(text.trim()).ok().filter(|bytes| !bytes.is_empty())?;
    FileDescriptorProto::decode(bytes.as_slice()).ok().filter(|file| file.name.is_some())
}

struct Files<'a> {
    references: &'a [Named],
    parsed: BTreeMap<String, FileDescriptorProto>,
    /// What is imported stands before who imports it.
    order: Vec<String>,
    measure: Measure,
}

impl Files<'_> {
    /// Parses the text and, without recursion, everything that it imports.
    fn collect(&mut self, text: &str) -> Result<(), String> {
        let own = self.parse(OWN_NAME, text)?;
        let mut stack = vec![(OWN_NAME.to_owned(), own.dependency.clone().into_iter())];
        self.parsed.insert(OWN_NAME.to_owned(), own);
        while let Some((name, imports)) = stack.last_mut() {
            let Some(import) = imports.next() else {
                self.order.push(std::mem::take(name));
                stack.pop();
                continue;
            };
            if stack.iter().any(|(open, _)| *open == import) {
                return Err(format!("`{import}` imports itself, by way of what it imports"));
            }
            if self.parsed.contains_key(&import) {
                continue;
            }
            if self.parsed.len() >= FILES_MAX {
                return Err(format!("the schema imports more than {} files", FILES_MAX - 1));
            }
            let file = self.open(&import)?;
            stack.push((import.clone(), file.dependency.clone().into_iter()));
            self.parsed.insert(import, file);
        }
        Ok(())
    }
    fn open(&mut self, name: &str) -> Result<FileDescriptorProto, String> {
        if let Some(named) = self.references.iter().find(|named| *named.name == *name) {
            return self.parse(name, &named.text);
        }
        let known = DescriptorPool::global().get_file_by_name(name).map(|file| file.file_descriptor_proto().clone());
        known.ok_or_else(|| format!("`{name}` is imported, and is neither a reference of this schema nor a well-known file"))
    }
    fn parse(&mut self, name: &str, text: &str) -> Result<FileDescriptorProto, String> {
        let of_file = |words: String| if name.is_empty() { words } else { format!("`{name}`: {words}") };
        let measure = limits::measure(text).map_err(of_file)?;
        self.measure.add(measure)?;
        if let Some(file) = descriptor_of(text) {
            return Ok(FileDescriptorProto { name: Some(name.to_owned()), source_code_info: None, ..file });
        }
        protox_parse::parse(name, text).map_err(|error| in_words(&format!("{error:?}")))
    }
    fn imports_of(&self, name: &str) -> (BTreeSet<String>, BTreeSet<String>) {
        let Some(file) = self.parsed.get(name) else { return Default::default() };
        let public = file.public_dependency.iter().filter_map(|at| file.dependency.get(usize::try_from(*at).ok()?));
        (file.dependency.iter().cloned().collect(), public.cloned().collect())
    }
    /// A file that imports for itself all that public imports would bring it.
    fn flat(&self, name: &str) -> FileDescriptorProto {
        let mut file = self.parsed.get(name).cloned().unwrap_or_default();
        let mut seen: BTreeSet<String> = file.dependency.iter().cloned().collect();
        let mut found: Vec<String> = seen.iter().cloned().collect();
        while let Some(import) = found.pop() {
            let (_, public) = self.imports_of(&import);
            found.extend(public.into_iter().filter(|import| seen.insert(import.clone())));
        }
        file.dependency = seen.into_iter().collect();
        file.public_dependency.clear();
        file.weak_dependency.clear();
        file
    }
}

/// `:3:5: …` as `line 3, column 5: …`; of a reference the file's name stays.
fn in_words(error: &str) -> String {
    let mut parts = error.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(line), Some(column), Some(what)) if is_number(line) && is_number(column) => {
            let of = if file.is_empty() { String::new() } else { format!("`{file}`, ") };
            format!("{of}line {line}, column {column}: {}", what.trim())
        }
        _ => error.trim_start_matches(':').trim().to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
