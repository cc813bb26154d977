//! The messages of a Protobuf file as flat tables: messages and fields name each other by index, so that walking bytes
//! touches little memory and allocates nothing.
//!
//! In: descriptors. Out: a [`Program`], which `check.rs` and `generate.rs` run. Must not know: texts, registries.

use std::collections::BTreeMap;

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use crate::machines::codec::draw::{NumberDraw, TextDraw};

/// Required fields of one message: each has a bit while it is read.
const REQUIRED_MAX: usize = 128;
/// Largest count of parts that a smallest value may have, as required messages within required messages make.
const WORK_MAX: u64 = 10_000;
/// Fields up to this number are found by their number.
const DIRECT_MAX: u32 = 256;
/// The field of a map's entry that holds the value.
const MAP_VALUE: u32 = 2;
/// No field.
const NONE: u32 = u32::MAX;

/// Index of a message.
pub(super) type MessageIx = u32;

/// How a value lies in bytes and what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Bool,
    /// Index into [`Program::enums`].
    Enum(u32),
    Fixed32,
    Sfixed32,
    Float,
    Fixed64,
    Sfixed64,
    Double,
    Text,
    Bytes,
    Message(MessageIx),
    Group(MessageIx),
}

/// How many values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arity {
    /// One; absent it has its default, and nobody can tell.
    Plain,
    /// One or none.
    Optional,
    Required,
    Repeated,
    /// Repeated, its values side by side in one run of bytes.
    Packed,
    /// Entries of a map: messages of a key and a value.
    Map,
}

/// Three bits that say where a value ends.
pub(super) mod wire {
    pub const VARINT: u8 = 0;
    pub const BITS_64: u8 = 1;
    pub const SIZED: u8 = 2;
    pub const GROUP: u8 = 3;
    pub const GROUP_END: u8 = 4;
    pub const BITS_32: u8 = 5;
}

/// Where a field stands in a oneof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// In none.
    Alone,
    /// It is the first; all are a range of [`Program::choices`].
    First {
        first: u32,
        count: u32,
    },
    Later,
}

/// A field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Number and wire type as they stand before a value.
    pub(super) tag: u32,
    pub(super) shape: Shape,
    pub(super) arity: Arity,
    /// Its bit among the required ones.
    pub(super) required: u128,
    pub(super) choice: Choice,
    pub(super) name: Box<str>,
    pub(super) text: TextDraw,
    pub(super) number: NumberDraw,
}

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) name: Box<str>,
    first: u32,
    count: u32,
    /// Where in [`Program::direct`] its fields are by number, and up to which number.
    direct: u32,
    direct_max: u32,
    pub(super) required: u128,
    pub(super) known: Known,
}

/// Messages whose values follow rules that their fields do not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    None,
    Any,
    Timestamp,
    Duration,
    FieldMask,
    /// `google.protobuf.Value`: one of its fields is always there.
    Value,
}

/// Compiled messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub(super) messages: Vec<Message>,
    fields: Vec<Field>,
    /// Positions within a message's fields, or [`NONE`].
    direct: Vec<u32>,
    /// Positions within a message's fields, oneof after oneof.
    choices: Vec<u32>,
    /// Numbers of each enum.
    pub(super) enums: Vec<Box<[i32]>>,
    /// For each message the parts of its smallest value.
    work: Vec<u64>,
    /// Why no value is made up.
    pub(super) endless: Option<String>,
}

impl Field {
    pub(super) fn number(&self) -> u32 {
        self.tag >> 3
    }
    /// What a person calls its type.
    pub(super) fn words(&self) -> &'static str {
        match self.arity {
            Arity::Map => "a map entry",
            Arity::Packed => "a run of numbers",
            _ => self.shape.words(),
        }
    }
}

impl Shape {
    pub(super) fn wire(self) -> u8 {
        match self {
            Self::Int32 | Self::Int64 | Self::Uint32 | Self::Uint64 | Self::Sint32 | Self::Sint64 | Self::Bool | Self::Enum(_) => {
                wire::VARINT
            }
            Self::Fixed32 | Self::Sfixed32 | Self::Float => wire::BITS_32,
            Self::Fixed64 | Self::Sfixed64 | Self::Double => wire::BITS_64,
            Self::Text | Self::Bytes | Self::Message(_) => wire::SIZED,
            Self::Group(_) => wire::GROUP,
        }
    }
    fn message(self) -> Option<MessageIx> {
        match self {
            Self::Message(inner) | Self::Group(inner) => Some(inner),
            _ => None,
        }
    }
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Sint32 => "sint32",
            Self::Sint64 => "sint64",
            Self::Bool => "bool",
            Self::Enum(_) => "enum",
            Self::Fixed32 => "fixed32",
            Self::Sfixed32 => "sfixed32",
            Self::Float => "float",
            Self::Fixed64 => "fixed64",
            Self::Sfixed64 => "sfixed64",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Message(_) => "message",
            Self::Group(_) => "group",
        }
    }
}

impl Program {
    /// `roots` are the first messages, in this order; what they refer to follows.
    ///
    /// # Errors
    /// When a message has too many required fields.
    pub(super) fn compile(roots: &[MessageDescriptor]) -> Result<Self, String> {
        let mut compiler = Compiler::default();
        for root in roots {
            compiler.message(root);
        }
        while let Some(message) = compiler.found.get(compiler.program.messages.len()).cloned() {
            compiler.compile(&message)?;
        }
        let mut program = compiler.program;
        program.require_values_of_maps();
        program.endless = program.measure().err();
        Ok(program)
    }
    /// A map's entry without a value stands for an empty message: one that requires fields is not whole then.
    fn require_values_of_maps(&mut self) {
        let maps = self.fields.iter().filter(|field| field.arity == Arity::Map);
        let entries: Vec<MessageIx> = maps.filter_map(|field| field.shape.message()).collect();
        for entry in entries {
            let Message { first, count, .. } = self.messages[entry as usize];
            let fields = &mut self.fields[first as usize..(first + count) as usize];
            let Some(value) = fields.iter_mut().find(|field| field.number() == MAP_VALUE) else { continue };
            if value.shape.message().is_some_and(|inner| self.messages[inner as usize].required != 0) {
                value.required = 1;
                self.messages[entry as usize].required = 1;
            }
        }
    }
    #[inline]
    pub(super) fn fields_of(&self, message: &Message) -> &[Field] {
        &self.fields[message.first as usize..(message.first + message.count) as usize]
    }
    pub(super) fn choices_of(&self, first: u32, count: u32) -> &[u32] {
        &self.choices[first as usize..(first + count) as usize]
    }
    /// The position of a field among those of its message.
    #[inline]
    pub(super) fn position(&self, message: &Message, number: u32) -> Option<usize> {
        if number <= message.direct_max {
            let at = self.direct[(message.direct + number) as usize];
            return (at != NONE).then_some(at as usize);
        }
        self.fields_of(message).binary_search_by_key(&number, Field::number).ok()
    }
    /// Smallest values by relaxation: only required messages within required messages make them large.
    fn measure(&mut self) -> Result<(), String> {
        self.work = vec![u64::MAX; self.messages.len()];
        let mut changed = true;
        while changed {
            changed = false;
            for index in (0..self.messages.len()).rev() {
                let work = self.smallest(&self.messages[index]);
                if work < self.work[index] {
                    self.work[index] = work;
                    changed = true;
                }
            }
        }
        match self.messages.iter().zip(&self.work).find(|(_, work)| **work > WORK_MAX) {
            Some((message, &u64::MAX)) => Err(format!("no finite value fits `{}`: it must contain itself", message.name)),
            Some((message, _)) => Err(format!("the smallest value of `{}` has more than {WORK_MAX} parts", message.name)),
            None => Ok(()),
        }
    }
    fn smallest(&self, message: &Message) -> u64 {
        let required = self.fields_of(message).iter().filter(|field| field.arity == Arity::Required);
        required.fold(1, |sum: u64, field| match field.shape {
            Shape::Message(inner) | Shape::Group(inner) => sum.saturating_add(self.work[inner as usize]),
            _ => sum.saturating_add(1),
        })
    }
}

#[derive(Default)]
struct Compiler {
    program: Program,
    /// Messages by index, compiled or still to be.
    found: Vec<MessageDescriptor>,
    numbers: BTreeMap<String, MessageIx>,
    enums: BTreeMap<String, u32>,
}

impl Compiler {
    fn message(&mut self, message: &MessageDescriptor) -> MessageIx {
        if let Some(known) = self.numbers.get(message.full_name()) {
            return *known;
        }
        let number = self.found.len() as MessageIx;
        self.numbers.insert(message.full_name().to_owned(), number);
        self.found.push(message.clone());
        number
    }
    fn compile(&mut self, message: &MessageDescriptor) -> Result<(), String> {
        let first = self.program.fields.len() as u32;
        let mut required = 0_usize;
        // prost-reflect gives them by number.
        for field in message.fields() {
            let mut compiled = self.field(&field);
            if field.is_required() {
                if required == REQUIRED_MAX {
                    return Err(format!("`{}` has more than {REQUIRED_MAX} required fields", message.full_name()));
                }
                compiled.required = 1 << required;
                required += 1;
            }
            self.program.fields.push(compiled);
        }
        self.choices(message, first as usize);
        let fields = &self.program.fields[first as usize..];
        let direct_max = fields.iter().map(Field::number).filter(|number| *number <= DIRECT_MAX).max().unwrap_or(0);
        let direct = self.program.direct.len() as u32;
        self.program.direct.resize(direct as usize + direct_max as usize + 1, NONE);
        for (at, field) in fields.iter().enumerate().filter(|(_, field)| field.number() <= direct_max) {
            self.program.direct[direct as usize + field.number() as usize] = at as u32;
        }
        self.program.messages.push(Message {
            name: message.full_name().into(),
            first,
            count: fields.len() as u32,
            direct,
            direct_max,
            required: if required == REQUIRED_MAX { u128::MAX } else { (1 << required) - 1 },
            known: known(message.full_name()),
        });
        Ok(())
    }
    /// Joins the fields from `first` on that stand in one oneof.
    fn choices(&mut self, message: &MessageDescriptor, first: usize) {
        let fields = &mut self.program.fields[first..];
        for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
            let mut members: Vec<u32> = oneof.fields().map(|field| field.number()).collect();
            members.sort_unstable();
            let start = self.program.choices.len() as u32;
            for number in &members {
                let Ok(at) = fields.binary_search_by_key(number, Field::number) else { continue };
                let count = members.len() as u32;
                fields[at].choice = if *number == members[0] { Choice::First { first: start, count } } else { Choice::Later };
                self.program.choices.push(at as u32);
            }
        }
    }
    fn field(&mut self, field: &FieldDescriptor) -> Field {
        let shape = self.shape(field);
        let arity = match field.cardinality() {
            _ if field.is_map() => Arity::Map,
            Cardinality::Repeated if field.is_packed() => Arity::Packed,
            Cardinality::Repeated => Arity::Repeated,
            Cardinality::Required => Arity::Required,
            Cardinality::Optional if field.supports_presence() || matches!(shape, Shape::Message(_) | Shape::Group(_)) => Arity::Optional,
            Cardinality::Optional => Arity::Plain,
        };
        let wire = if arity == Arity::Packed { wire::SIZED } else { shape.wire() };
        Field {
            tag: field.number() << 3 | u32::from(wire),
            shape,
            arity,
            required: 0,
            choice: Choice::Alone,
            name: field.name().into(),
            text: TextDraw::for_name(field.name()),
            number: number_draw(shape, field.name()),
        }
    }
    fn shape(&mut self, field: &FieldDescriptor) -> Shape {
        match field.kind() {
            Kind::Int32 => Shape::Int32,
            Kind::Int64 => Shape::Int64,
            Kind::Uint32 => Shape::Uint32,
            Kind::Uint64 => Shape::Uint64,
            Kind::Sint32 => Shape::Sint32,
            Kind::Sint64 => Shape::Sint64,
            Kind::Bool => Shape::Bool,
            Kind::Fixed32 => Shape::Fixed32,
            Kind::Sfixed32 => Shape::Sfixed32,
            Kind::Float => Shape::Float,
            Kind::Fixed64 => Shape::Fixed64,
            Kind::Sfixed64 => Shape::Sfixed64,
            Kind::Double => Shape::Double,
            Kind::String => Shape::Text,
            Kind::Bytes => Shape::Bytes,
            Kind::Enum(kind) => Shape::Enum(self.numbers_of(&kind)),
            Kind::Message(message) if field.is_group() => Shape::Group(self.message(&message)),
            Kind::Message(message) => Shape::Message(self.message(&message)),
        }
    }
    fn numbers_of(&mut self, kind: &EnumDescriptor) -> u32 {
        if let Some(known) = self.enums.get(kind.full_name()) {
            return *known;
        }
        let index = self.program.enums.len() as u32;
        self.program.enums.push(kind.values().map(|value| value.number()).collect());
        self.enums.insert(kind.full_name().to_owned(), index);
        index
    }
}

fn known(full_name: &str) -> Known {
    match full_name {
        "google.protobuf.Any" => Known::Any,
        "google.protobuf.Timestamp" => Known::Timestamp,
        "google.protobuf.Duration" => Known::Duration,
        "google.protobuf.FieldMask" => Known::FieldMask,
        "google.protobuf.Value" => Known::Value,
        _ => Known::None,
    }
}

/// A name that suggests milliseconds since 1970 in 32 bits can only mean seconds.
fn number_draw(shape: Shape, name: &str) -> NumberDraw {
    let is_short = matches!(shape, Shape::Int32 | Shape::Uint32 | Shape::Sint32 | Shape::Fixed32 | Shape::Sfixed32);
    match NumberDraw::for_name(name) {
        NumberDraw::EpochMs | NumberDraw::EpochUs | NumberDraw::EpochNs if is_short => NumberDraw::EpochS,
        draw => draw,
    }
}
