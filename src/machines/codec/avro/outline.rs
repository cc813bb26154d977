//! An Avro schema as a table for comparison: every part once, named types by number, fields and symbols in runs.
//!
//! In: a parsed schema. Out: [`Outline`], which `compare.rs` walks without allocating.
//! Must not know: bytes, values, what a comparison makes of it. Start at [`Outline::compile`].

use std::collections::BTreeMap;

use apache_avro::Schema as Parsed;
use apache_avro::schema::{Alias, DecimalSchema, FixedSchema, InnerDecimalSchema, Name, NamespaceRef, UuidSchema};
use serde_json::Value as Json;

use super::program::NODES_MAX;

/// Number of a part.
pub(super) type PartIx = u32;

/// The type that bytes have, whatever they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed {
        size: u64,
    },
    /// A run of [`Outline::symbols`]; the default is one of them.
    Enum {
        first: u32,
        count: u32,
        default: Option<u32>,
    },
    Array(PartIx),
    Map(PartIx),
    /// A run of [`Outline::branches`].
    Union {
        first: u32,
        count: u32,
    },
    /// A run of [`Outline::fields`].
    Record {
        first: u32,
        count: u32,
    },
}

impl Shape {
    /// As Apache's messages write it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Boolean => "BOOLEAN",
            Self::Int => "INT",
            Self::Long => "LONG",
            Self::Float => "FLOAT",
            Self::Double => "DOUBLE",
            Self::Bytes => "BYTES",
            Self::String => "STRING",
            Self::Fixed { .. } => "FIXED",
            Self::Enum { .. } => "ENUM",
            Self::Array(_) => "ARRAY",
            Self::Map(_) => "MAP",
            Self::Union { .. } => "UNION",
            Self::Record { .. } => "RECORD",
        }
    }
}

/// One type in a schema.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) shape: Shape,
    /// Of records, enums and fixed.
    pub(super) name: Option<TypeName>,
    pub(super) doc: Option<Box<str>>,
    /// What the bytes stand for (`timestamp-millis`, `decimal(9, 2)`).
    pub(super) logical: Option<Box<str>>,
}

/// A type's name, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TypeName {
    pub(super) full: Box<str>,
    /// Names it had before, in full.
    pub(super) aliases: Box<[Box<str>]>,
}

impl TypeName {
    /// Without its namespace.
    pub(super) fn simple(&self) -> &str {
        self.full.rsplit('.').next().unwrap_or_default()
    }
}

/// A field of a record.
#[derive(Clone, Debug)]
pub(super) struct OutlineField {
    pub(super) name: Box<str>,
    pub(super) aliases: Box<[Box<str>]>,
    pub(super) part: PartIx,
    pub(super) default: Option<Json>,
    pub(super) doc: Option<Box<str>>,
}

/// The table. The schema itself is part 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    parts: Vec<Part>,
    fields: Vec<OutlineField>,
    /// For each record's run of `fields` the positions in it, by name.
    by_name: Vec<u32>,
    branches: Vec<PartIx>,
    symbols: Vec<Box<str>>,
    /// The same for each enum's run of `symbols`.
    symbols_by_name: Vec<u32>,
}

impl Outline {
    /// # Errors
    /// When the schema has too many parts or refers to a type that it does not define.
    pub(super) fn compile(schema: &Parsed) -> Result<Self, String> {
        let mut builder = Builder { outline: Self::default(), named: BTreeMap::new() };
        builder.part(schema, None)?;
        Ok(builder.outline)
    }
    /// How many parts there are.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }
    #[inline]
    pub(super) fn part(&self, index: PartIx) -> &Part {
        &self.parts[index as usize]
    }
    #[inline]
    pub(super) fn shape(&self, index: PartIx) -> Shape {
        self.parts[index as usize].shape
    }
    pub(super) fn fields(&self, first: u32, count: u32) -> &[OutlineField] {
        &self.fields[first as usize..(first + count) as usize]
    }
    pub(super) fn branches(&self, first: u32, count: u32) -> &[PartIx] {
        &self.branches[first as usize..(first + count) as usize]
    }
    pub(super) fn symbols(&self, first: u32, count: u32) -> &[Box<str>] {
        &self.symbols[first as usize..(first + count) as usize]
    }
    /// Whether an enum's run has a symbol; `guess` is looked at first.
    pub(super) fn has_symbol(&self, first: u32, count: u32, symbol: &str, guess: usize) -> bool {
        let symbols = self.symbols(first, count);
        let order = &self.symbols_by_name[first as usize..(first + count) as usize];
        symbols.get(guess).is_some_and(|known| **known == *symbol)
            || order.binary_search_by(|position| (*symbols[*position as usize]).cmp(symbol)).is_ok()
    }
    /// The position of a field in a record's run; `guess` is looked at first.
    #[inline]
    pub(super) fn field_named(&self, first: u32, count: u32, name: &str, guess: usize) -> Option<usize> {
        let fields = self.fields(first, count);
        if fields.get(guess).is_some_and(|field| *field.name == *name) {
            return Some(guess);
        }
        let order = &self.by_name[first as usize..(first + count) as usize];
        let at = order.binary_search_by(|position| (*fields[*position as usize].name).cmp(name)).ok()?;
        Some(order[at] as usize)
    }
}

struct Builder {
    outline: Outline,
    named: BTreeMap<String, PartIx>,
}

impl Builder {
    fn part(&mut self, schema: &Parsed, namespace: NamespaceRef<'_>) -> Result<PartIx, String> {
        if let Parsed::Ref { name } = schema {
            let full = name.fullname(namespace);
            return self.named.get(&full).copied().ok_or_else(|| format!("the schema names `{full}` but does not define it"));
        }
        if self.outline.parts.len() >= NODES_MAX {
            return Err(format!("the schema has more than {NODES_MAX} parts"));
        }
        let index = self.outline.parts.len() as PartIx;
        let name = named(schema).map(|(name, aliases)| type_name(name, aliases, namespace));
        if let Some(name) = &name {
            self.named.insert(name.full.to_string(), index);
        }
        let part = Part { shape: Shape::Null, name, doc: schema.doc().map(|doc| doc.as_str().into()), logical: logical(schema) };
        // The place is taken before children are added, so that they can refer to it.
        self.outline.parts.push(part);
        let shape = self.shape(schema, namespace)?;
        self.outline.parts[index as usize].shape = shape;
        Ok(index)
    }

    fn shape(&mut self, schema: &Parsed, namespace: NamespaceRef<'_>) -> Result<Shape, String> {
        Ok(match schema {
            Parsed::Array(inner) => Shape::Array(self.part(&inner.items, namespace)?),
            Parsed::Map(inner) => Shape::Map(self.part(&inner.types, namespace)?),
            Parsed::Union(inner) => {
                let mut branches = Vec::with_capacity(inner.variants().len());
                for variant in inner.variants() {
                    branches.push(self.part(variant, namespace)?);
                }
                let first = self.outline.branches.len() as u32;
                self.outline.branches.extend(&branches);
                Shape::Union { first, count: branches.len() as u32 }
            }
            Parsed::Record(record) => {
                let full = record.name.fully_qualified_name(namespace);
                let mut fields = Vec::with_capacity(record.fields.len());
                for field in &record.fields {
                    fields.push(OutlineField {
                        name: field.name.as_str().into(),
                        aliases: field.aliases.iter().map(|alias| alias.as_str().into()).collect(),
                        part: self.part(&field.schema, full.namespace())?,
                        default: field.default.clone(),
                        doc: field.doc.as_deref().map(Into::into),
                    });
                }
                self.add_fields(fields)
            }
            Parsed::Enum(inner) => {
                let first = self.outline.symbols.len() as u32;
                let mut order: Vec<u32> = (0..inner.symbols.len() as u32).collect();
                order.sort_by(|a, b| inner.symbols[*a as usize].cmp(&inner.symbols[*b as usize]));
                self.outline.symbols_by_name.append(&mut order);
                self.outline.symbols.extend(inner.symbols.iter().map(|symbol| symbol.as_str().into()));
                let default = inner.default.as_ref().and_then(|default| inner.symbols.iter().position(|symbol| symbol == default));
                Shape::Enum { first, count: inner.symbols.len() as u32, default: default.map(|at| at as u32) }
            }
            other => scalar(other),
        })
    }

    fn add_fields(&mut self, mut fields: Vec<OutlineField>) -> Shape {
        let mut order: Vec<u32> = (0..fields.len() as u32).collect();
        order.sort_by(|a, b| fields[*a as usize].name.cmp(&fields[*b as usize].name));
        let (first, count) = (self.outline.fields.len() as u32, fields.len() as u32);
        self.outline.fields.append(&mut fields);
        self.outline.by_name.append(&mut order);
        Shape::Record { first, count }
    }
}

fn scalar(schema: &Parsed) -> Shape {
    if let Some(fixed) = fixed(schema) {
        return Shape::Fixed { size: fixed.size as u64 };
    }
    match schema {
        Parsed::Boolean => Shape::Boolean,
        Parsed::Int | Parsed::Date | Parsed::TimeMillis => Shape::Int,
        Parsed::Long
        | Parsed::TimeMicros
        | Parsed::TimestampMillis
        | Parsed::TimestampMicros
        | Parsed::TimestampNanos
        | Parsed::LocalTimestampMillis
        | Parsed::LocalTimestampMicros
        | Parsed::LocalTimestampNanos => Shape::Long,
        Parsed::Float => Shape::Float,
        Parsed::Double => Shape::Double,
        Parsed::Bytes | Parsed::BigDecimal | Parsed::Uuid(UuidSchema::Bytes) | Parsed::Decimal(_) => Shape::Bytes,
        Parsed::String | Parsed::Uuid(UuidSchema::String) => Shape::String,
        _ => Shape::Null,
    }
}

fn fixed(schema: &Parsed) -> Option<&FixedSchema> {
    match schema {
        Parsed::Fixed(inner)
        | Parsed::Duration(inner)
        | Parsed::Uuid(UuidSchema::Fixed(inner))
        | Parsed::Decimal(DecimalSchema { inner: InnerDecimalSchema::Fixed(inner), .. }) => Some(inner),
        _ => None,
    }
}

fn named(schema: &Parsed) -> Option<(&Name, &[Alias])> {
    let (name, aliases) = match schema {
        Parsed::Record(inner) => (&inner.name, &inner.aliases),
        Parsed::Enum(inner) => (&inner.name, &inner.aliases),
        other => fixed(other).map(|inner| (&inner.name, &inner.aliases))?,
    };
    Some((name, aliases.as_deref().unwrap_or_default()))
}

fn type_name(name: &Name, aliases: &[Alias], namespace: NamespaceRef<'_>) -> TypeName {
    let full = name.fully_qualified_name(namespace);
    // An alias without a namespace has the one of the type that it belongs to.
    let aliases = aliases.iter().map(|alias| alias.fullname(full.namespace()).into()).collect();
    TypeName { full: full.fullname(None).into(), aliases }
}

fn logical(schema: &Parsed) -> Option<Box<str>> {
    Some(match schema {
        Parsed::Decimal(decimal) => format!("decimal({}, {})", decimal.precision, decimal.scale).into(),
        Parsed::BigDecimal => "big-decimal".into(),
        Parsed::Uuid(_) => "uuid".into(),
        Parsed::Date => "date".into(),
        Parsed::TimeMillis => "time-millis".into(),
        Parsed::TimeMicros => "time-micros".into(),
        Parsed::TimestampMillis => "timestamp-millis".into(),
        Parsed::TimestampMicros => "timestamp-micros".into(),
        Parsed::TimestampNanos => "timestamp-nanos".into(),
        Parsed::LocalTimestampMillis => "local-timestamp-millis".into(),
        Parsed::LocalTimestampMicros => "local-timestamp-micros".into(),
        Parsed::LocalTimestampNanos => "local-timestamp-nanos".into(),
        Parsed::Duration(_) => "duration".into(),
        _ => return None,
    })
}
