//! Protobuf: a file's descriptors beside a program compiled from its messages.
//!
//! In: a schema's text and the texts of what it imports. Out: a [`ProtobufSchema`] that checks and makes bytes by its
//! program, and shows and compares by its descriptors. protox parses, prost-reflect resolves names; property tests hold
//! the program to what prost-reflect decodes. Nothing is read from a disk or a network.
//! Must not know: Avro, JSON Schema, registries. Start at [`ProtobufSchema`].
//!
//! ```text
//! text, references ─► limits ─► files ─► descriptors ─┬► types    which messages, numbered for the wire formats
//!                                                     ├► program  check · generate · sabotage
//!                                                     └► show · text · compare
//! ```

mod between;
mod breaking;
mod check;
mod compare;
mod files;
mod generate;
mod limits;
mod options;
mod program;
mod sabotage;
mod show;
#[cfg(test)]
mod tests;
mod text;
mod types;

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use prost_reflect::FileDescriptor;
use prost_reflect::prost::Message;
use serde_json::Value as Json;

use super::difference::{Difference, Side};
use super::references::Named;
use super::typed::TypeIx;
use super::wire::Framing;
use crate::random::Stream;
use crate::units::SimTime;
use files::Compiled;
use generate::Writer;
use program::Program;
use text::Form;
use types::Types;

/// A compiled Protobuf file.
pub struct ProtobufSchema {
    compiled: Compiled,
    /// A [`TypeIx`] here is the program's index too.
    types: Types,
    program: Program,
}

/// Descriptors of recursive messages print themselves without end: the name stands for all.
impl fmt::Debug for ProtobufSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProtobufSchema").field(&self.name()).finish()
    }
}

impl ProtobufSchema {
    /// # Errors
    /// Why the text is no schema.
    pub(super) fn compile(text: &str, references: &[Named]) -> Result<Self, String> {
        let compiled = files::compile(text, references)?;
        let types = Types::of(&compiled.effective_file());
        let program = Program::compile(&types.messages())?;
        Ok(Self { compiled, types, program })
    }
    /// Full name of the first message.
    pub(super) fn name(&self) -> Option<String> {
        self.name_of(TypeIx::FIRST)
    }
    /// A message by its full name, or by its name without the package.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn type_named(&self, name: &str) -> Result<TypeIx, String> {
        let known = || self.types.messages().iter().take(10).map(|message| format!("`{}`", message.full_name())).collect::<Vec<_>>();
        self.types.named(name).ok_or_else(|| match known()[..] {
            [] => "the schema has no message".to_owned(),
            ref known => format!("the schema has no message `{name}`; it has {}", known.join(", ")),
        })
    }
    /// Appends what stands between a registry's header and a payload: the message's number.
    pub(super) fn write_number(&self, framing: Framing, ty: TypeIx, out: &mut Vec<u8>) {
        match framing {
            Framing::Confluent => self.types.write_path(ty, out),
            Framing::Glue | Framing::GlueZlib => self.types.write_number(ty, out),
        }
    }
    /// The message of such a number, and the payload behind it.
    #[inline]
    pub(super) fn read_number<'a>(&self, framing: Framing, body: &'a [u8]) -> Result<(TypeIx, &'a [u8]), String> {
        match framing {
            Framing::Confluent => self.types.read_path(body),
            Framing::Glue | Framing::GlueZlib => self.types.read_number(body),
        }
    }
    pub(super) fn validate(&self, ty: TypeIx, payload: &[u8]) -> Result<(), String> {
        if self.program.messages.len() <= ty.0 as usize {
            return Err("the schema has no message".to_owned());
        }
        self.program.check(ty.0, payload).map_err(|wrong| wrong.words())
    }
    /// # Errors
    /// When the file has no message, or one that contains itself without a way out.
    pub(super) fn can_generate(&self) -> Result<(), String> {
        self.types.message(TypeIx::FIRST)?;
        self.program.endless.clone().map_or(Ok(()), Err)
    }
    pub(super) fn generate(&self, ty: TypeIx, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) {
        if self.types.message(ty).is_ok() && self.program.endless.is_none() {
            self.program.generate(ty.0, &mut Writer::new(rng, now, out), 0);
        }
    }
    pub(super) fn generate_broken(&self, ty: TypeIx, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) -> Option<String> {
        self.types.message(ty).ok().filter(|_| self.program.endless.is_none())?;
        self.program.generate_broken(ty.0, &mut Writer::new(rng, now, out))
    }
    /// Whether a JSON value can stand for a message of the first type.
    pub(super) fn validate_text(&self, value: &Json) -> Result<(), String> {
        show::check_json(self.types.message(TypeIx::FIRST)?, value)
    }
    pub(super) fn to_json(&self, ty: TypeIx, payload: &[u8]) -> Result<Json, String> {
        self.validate(ty, payload)?;
        show::to_json(self.types.message(ty)?, payload)
    }
    /// The same for programs.
    pub(super) fn to_data(&self, ty: TypeIx, payload: &[u8]) -> Result<Json, String> {
        self.validate(ty, payload)?;
        show::to_data(self.types.message(ty)?, payload)
    }
    /// Appends the message that a JSON value stands for.
    pub(super) fn write(&self, ty: TypeIx, value: &Json, out: &mut Vec<u8>) -> Result<(), String> {
        show::write(self.types.message(ty)?, value, out)
    }
    /// A message of this schema as `reader`'s message of the same name sees it; of the first message its first one.
    pub(super) fn to_json_as(&self, reader: &Self, ty: TypeIx, payload: &[u8]) -> Result<Json, String> {
        reader.to_json(self.type_at(reader, ty)?, payload)
    }
    /// Which of a reader's messages takes those of this type.
    fn type_at(&self, reader: &Self, ty: TypeIx) -> Result<TypeIx, String> {
        let name = types::local_name(self.types.message(ty)?);
        let as_first = (ty == TypeIx::FIRST).then_some(TypeIx::FIRST);
        reader.types.named(name).or(as_first).ok_or_else(|| format!("the reader has no message `{name}`"))
    }
    /// Whether a payload that both can read stands for something else at the reader.
    pub(super) fn is_otherwise(&self, reader: &Self, ty: TypeIx, payload: &[u8]) -> bool {
        let (Ok(written), Ok(at)) = (self.types.message(ty), self.type_at(reader, ty)) else { return false };
        reader.types.message(at).is_ok_and(|read| breaking::is_otherwise(written, read, payload))
    }
    /// Small valid payloads, the smallest first.
    pub(super) fn small_payloads(&self, ty: TypeIx) -> Vec<Vec<u8>> {
        if self.types.message(ty).is_ok() { self.program.small_payloads(ty.0) } else { Vec::new() }
    }
    /// Full name of a message.
    pub(super) fn name_of(&self, ty: TypeIx) -> Option<String> {
        self.types.message(ty).ok().map(|message| message.full_name().to_owned())
    }
    /// As a registry keeps it: comments and formatting are gone.
    pub(super) fn stored_text(&self) -> String {
        text::written(&self.compiled.parsed, self.compiled.file.file_descriptor_proto(), Form::Stored)
    }
    /// The compiled file as Base64, which clients ask for by `format=serialized`.
    pub(super) fn serialized(&self) -> String {
        BASE64_STANDARD.encode(self.compiled.file.file_descriptor_proto().encode_to_vec())
    }
    /// The same for all texts that mean the same.
    pub(super) fn normal_text(&self) -> String {
        text::written(&self.compiled.parsed, self.compiled.file.file_descriptor_proto(), Form::Normal)
    }
    /// Texts of versions that may stand between this one and another.
    pub(super) fn between(&self, target: &Self) -> Vec<(String, &'static str)> {
        between::between(&self.compiled.parsed, &target.compiled.parsed)
    }
    /// The compiled file.
    pub(super) fn file(&self) -> &FileDescriptor {
        &self.compiled.file
    }
    /// What this schema makes of data written with `writer`.
    pub(super) fn compare(&self, writer: &Self, newer: Side) -> Vec<Difference> {
        compare::compare(&self.compiled.file, &writer.compiled.file, newer)
    }
}
