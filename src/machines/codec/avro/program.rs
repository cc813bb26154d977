//! An Avro schema as a flat program: nodes that name each other by index, so that walking bytes touches
//! one small table and allocates nothing.

use std::collections::BTreeMap;

use apache_avro::Schema as Parsed;
use apache_avro::schema::{FixedSchema, InnerDecimalSchema, NamespaceRef, UuidSchema};

use super::quick::Quick;
use crate::machines::codec::draw::{NumberDraw, TextDraw};

/// More parts than this are no schema for events.
pub(super) const NODES_MAX: usize = 10_000;
/// Largest count of parts that a smallest value may have: keeps records of records of records in bounds.
const WORK_MAX: u64 = 10_000;
/// Largest `fixed`.
const FIXED_BYTES_MAX: usize = 1 << 20;

/// Index of a node.
pub(super) type NodeIx = u32;

/// One part of a schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Boolean,
    Int(NumberDraw),
    Long(NumberDraw),
    Float(NumberDraw),
    Double(NumberDraw),
    Bytes(BytesKind),
    String(TextDraw),
    /// Text that must be a UUID.
    UuidText,
    Fixed {
        size: u32,
        kind: BytesKind,
    },
    /// A range of [`Program::symbols`].
    Enum {
        first: u32,
        count: u32,
    },
    Array(NodeIx),
    Map(NodeIx),
    /// A range of [`Program::branches`].
    Union {
        first: u32,
        count: u32,
        null: Option<u32>,
    },
    /// A range of [`Program::fields`].
    Record {
        first: u32,
        count: u32,
    },
}

/// What bytes stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum BytesKind {
    Plain,
    /// Big-endian two's complement; at most so many digits, the last `scale` of them behind the point.
    Decimal {
        precision: u32,
        scale: u32,
    },
    BigDecimal,
    Uuid,
    Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: Box<str>,
    pub(super) node: NodeIx,
}

/// A compiled schema; [`Self::root`] is node 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub(super) nodes: Vec<Node>,
    pub(super) fields: Vec<Field>,
    pub(super) branches: Vec<NodeIx>,
    pub(super) symbols: Vec<Box<str>>,
    /// For each node the number of parts of its smallest value.
    pub(super) work: Vec<u64>,
    /// For each node the bytes of its smallest value.
    pub(super) bytes_min: Vec<u64>,
    /// The same as steps that say yes without saying why not.
    pub(super) quick: Quick,
}

impl Program {
    /// # Errors
    /// When the schema is too large.
    pub(super) fn compile(schema: &Parsed) -> Result<Self, String> {
        let mut compiler = Compiler { program: Self::default(), named: BTreeMap::new() };
        compiler.node(schema, None, "")?;
        let mut program = compiler.program;
        program.measure()?;
        program.quick = Quick::compile(&program);
        Ok(program)
    }
    #[inline]
    pub(super) fn node(&self, index: NodeIx) -> Node {
        self.nodes[index as usize]
    }
    pub(super) fn fields_of(&self, first: u32, count: u32) -> &[Field] {
        &self.fields[first as usize..(first + count) as usize]
    }
    pub(super) fn branches_of(&self, first: u32, count: u32) -> &[NodeIx] {
        &self.branches[first as usize..(first + count) as usize]
    }
    /// Whether a value of this schema can end. A union without branches has none, nor has a record that contains itself
    /// without a way out.
    pub(super) fn is_finite(&self) -> bool {
        self.work.first().is_some_and(|work| *work < u64::MAX)
    }
    /// What a person calls this type.
    pub(super) fn words(&self, index: NodeIx) -> &'static str {
        match self.node(index) {
            Node::Null => "null",
            Node::Boolean => "boolean",
            Node::Int(_) => "int",
            Node::Long(_) => "long",
            Node::Float(_) => "float",
            Node::Double(_) => "double",
            Node::Bytes(BytesKind::Decimal { .. } | BytesKind::BigDecimal) => "decimal",
            Node::Bytes(_) => "bytes",
            Node::String(_) => "string",
            Node::UuidText => "uuid",
            Node::Fixed { .. } => "fixed",
            Node::Enum { .. } => "enum",
            Node::Array(_) => "array",
            Node::Map(_) => "map",
            Node::Union { .. } => "union",
            Node::Record { .. } => "record",
        }
    }
    /// Smallest values by relaxation: parents come before children, so walking backwards settles fast.
    fn measure(&mut self) -> Result<(), String> {
        self.work = vec![u64::MAX; self.nodes.len()];
        self.bytes_min = vec![u64::MAX; self.nodes.len()];
        let mut changed = true;
        while changed {
            changed = false;
            for index in (0..self.nodes.len()).rev() {
                let (work, bytes) = self.smallest(index);
                if work < self.work[index] || bytes < self.bytes_min[index] {
                    self.work[index] = work.min(self.work[index]);
                    self.bytes_min[index] = bytes.min(self.bytes_min[index]);
                    changed = true;
                }
            }
        }
        match self.work.first().copied() {
            Some(u64::MAX) | None => Ok(()),
            Some(work) if work > WORK_MAX => Err(format!("the smallest value of this schema has more than {WORK_MAX} parts")),
            _ => Ok(()),
        }
    }
    fn smallest(&self, index: usize) -> (u64, u64) {
        let of = |node: NodeIx| (self.work[node as usize], self.bytes_min[node as usize]);
        match self.nodes[index] {
            Node::Null => (1, 0),
            Node::Float(_) => (1, 4),
            Node::Double(_) => (1, 8),
            Node::UuidText => (1, 33),
            Node::Fixed { size, .. } => (1, u64::from(size)),
            Node::Enum { count: 0, .. } => (u64::MAX, u64::MAX),
            Node::Boolean | Node::Int(_) | Node::Long(_) | Node::Bytes(_) | Node::String(_) | Node::Enum { .. } => (1, 1),
            Node::Array(_) | Node::Map(_) => (1, 1),
            Node::Union { first, count, .. } => {
                let branches = || self.branches_of(first, count).iter().map(|branch| of(*branch));
                let work = branches().map(|(work, _)| work).min().unwrap_or(u64::MAX);
                let bytes = branches().map(|(_, bytes)| bytes).min().unwrap_or(u64::MAX);
                (work.saturating_add(1), bytes.saturating_add(1))
            }
            Node::Record { first, count } => {
                let sum = |(work, bytes): (u64, u64), field: &Field| {
                    let (w, b) = of(field.node);
                    (work.saturating_add(w), bytes.saturating_add(b))
                };
                self.fields_of(first, count).iter().fold((1, 0), sum)
            }
        }
    }
}

struct Compiler {
    program: Program,
    named: BTreeMap<String, NodeIx>,
}

impl Compiler {
    /// Adds a schema; `name` is the field that holds it, for plausible values.
    fn node(&mut self, schema: &Parsed, namespace: NamespaceRef<'_>, name: &str) -> Result<NodeIx, String> {
        if let Parsed::Ref { name } = schema {
            let full = name.fullname(namespace);
            return self.named.get(&full).copied().ok_or_else(|| format!("the schema names `{full}` but does not define it"));
        }
        if self.program.nodes.len() >= NODES_MAX {
            return Err(format!("the schema has more than {NODES_MAX} parts"));
        }
        let index = self.program.nodes.len() as NodeIx;
        // The place is taken before children are added, so that they can refer to it.
        self.program.nodes.push(Node::Null);
        if let Some(own) = schema.name() {
            self.named.insert(own.fullname(namespace), index);
        }
        let node = self.shape(schema, namespace, name)?;
        self.program.nodes[index as usize] = node;
        Ok(index)
    }

    fn shape(&mut self, schema: &Parsed, namespace: NamespaceRef<'_>, name: &str) -> Result<Node, String> {
        Ok(match schema {
            Parsed::Null => Node::Null,
            Parsed::Boolean => Node::Boolean,
            Parsed::Int => Node::Int(NumberDraw::for_name(name)),
            Parsed::Long => Node::Long(NumberDraw::for_name(name)),
            Parsed::Float => Node::Float(NumberDraw::for_name(name)),
            Parsed::Double => Node::Double(NumberDraw::for_name(name)),
            Parsed::Bytes => Node::Bytes(BytesKind::Plain),
            Parsed::String => Node::String(TextDraw::for_name(name)),
            Parsed::Date => Node::Int(NumberDraw::EpochDay),
            Parsed::TimeMillis => Node::Int(NumberDraw::DayMs),
            Parsed::TimeMicros => Node::Long(NumberDraw::DayUs),
            Parsed::TimestampMillis | Parsed::LocalTimestampMillis => Node::Long(NumberDraw::EpochMs),
            Parsed::TimestampMicros | Parsed::LocalTimestampMicros => Node::Long(NumberDraw::EpochUs),
            Parsed::TimestampNanos | Parsed::LocalTimestampNanos => Node::Long(NumberDraw::EpochNs),
            Parsed::BigDecimal => Node::Bytes(BytesKind::BigDecimal),
            Parsed::Decimal(decimal) => {
                let kind = BytesKind::Decimal { precision: small(decimal.precision), scale: small(decimal.scale) };
                match &decimal.inner {
                    InnerDecimalSchema::Bytes => Node::Bytes(kind),
                    InnerDecimalSchema::Fixed(inner) => fixed(inner, kind)?,
                }
            }
            Parsed::Uuid(UuidSchema::String) => Node::UuidText,
            Parsed::Uuid(UuidSchema::Bytes) => Node::Bytes(BytesKind::Uuid),
            Parsed::Uuid(UuidSchema::Fixed(inner)) => sized(inner, 16, BytesKind::Uuid, "uuid")?,
            Parsed::Duration(inner) => sized(inner, 12, BytesKind::Duration, "duration")?,
            Parsed::Fixed(inner) => fixed(inner, BytesKind::Plain)?,
            Parsed::Enum(inner) => {
                let first = self.program.symbols.len() as u32;
                self.program.symbols.extend(inner.symbols.iter().map(|symbol| symbol.as_str().into()));
                Node::Enum { first, count: inner.symbols.len() as u32 }
            }
            Parsed::Array(inner) => Node::Array(self.node(&inner.items, namespace, name)?),
            Parsed::Map(inner) => Node::Map(self.node(&inner.types, namespace, name)?),
            Parsed::Union(inner) => {
                let variants = inner.variants();
                let mut branches = Vec::with_capacity(variants.len());
                for variant in variants {
                    branches.push(self.node(variant, namespace, name)?);
                }
                let null = variants.iter().position(|variant| matches!(variant, Parsed::Null)).map(|at| at as u32);
                let first = self.program.branches.len() as u32;
                self.program.branches.extend(&branches);
                Node::Union { first, count: branches.len() as u32, null }
            }
            Parsed::Record(record) => {
                let full = record.name.fully_qualified_name(namespace);
                let mut fields = Vec::with_capacity(record.fields.len());
                for field in &record.fields {
                    let node = self.node(&field.schema, full.namespace(), &field.name)?;
                    fields.push(Field { name: field.name.as_str().into(), node });
                }
                let (first, count) = (self.program.fields.len() as u32, fields.len() as u32);
                self.program.fields.append(&mut fields);
                Node::Record { first, count }
            }
            Parsed::Ref { .. } => unreachable!("references are resolved by the caller"),
        })
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn fixed(schema: &FixedSchema, kind: BytesKind) -> Result<Node, String> {
    if schema.size > FIXED_BYTES_MAX {
        return Err(format!("the fixed {} has {} bytes; at most {FIXED_BYTES_MAX} are read", schema.name.name(), schema.size));
    }
    Ok(Node::Fixed { size: schema.size as u32, kind })
}

fn sized(schema: &FixedSchema, wanted: usize, kind: BytesKind, what: &str) -> Result<Node, String> {
    if schema.size == wanted {
        fixed(schema, kind)
    } else {
        Err(format!("the {what} {} has {} bytes, not {wanted}", schema.name.name(), schema.size))
    }
}
