//! Whether one Avro schema reads data of another, with every reason why not.
//!
//! apache-avro judges (its `Partial`, "some data can be read", counts as no). Its verdict stops at the
//! first difference and compares a named type written out with the same type referred to as unequal; the
//! walk here follows references and collects all differences in words. A refusal of apache-avro for which
//! the walk finds no reason is upheld unless references are in play.

use std::collections::{BTreeMap, BTreeSet};

use apache_avro::Schema as Parsed;
use apache_avro::schema::{DecimalSchema, EnumSchema, InnerDecimalSchema, RecordSchema, UuidSchema};
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};

/// Reasons beyond these add nothing.
const REASONS_MAX: usize = 50;

/// # Errors
/// Every reason why not.
pub(super) fn can_read(reader: &Parsed, writer: &Parsed) -> Result<(), Vec<String>> {
    let verdict = SchemaCompatibility::can_read(writer, reader);
    if matches!(verdict, Ok(Compatibility::Full)) {
        return Ok(());
    }
    let mut walk = Walk { reader: names(reader), writer: names(writer), seen: BTreeSet::new(), reasons: Vec::new() };
    walk.compare(reader, writer, "");
    match (walk.reasons.is_empty(), verdict) {
        (false, _) => Err(walk.reasons),
        (true, _) if has_references(reader) || has_references(writer) => Ok(()),
        (true, Err(error)) => Err(vec![error.to_string()]),
        (true, Ok(_)) => Err(vec!["only some of the writer's data can be read".to_owned()]),
    }
}

type Names<'a> = BTreeMap<String, &'a Parsed>;

struct Walk<'a> {
    reader: Names<'a>,
    writer: Names<'a>,
    /// Pairs under comparison or compared, by address: recursive types end here.
    seen: BTreeSet<(usize, usize)>,
    reasons: Vec<String>,
}

impl<'a> Walk<'a> {
    fn compare(&mut self, reader: &'a Parsed, writer: &'a Parsed, path: &str) {
        if self.reasons.len() >= REASONS_MAX {
            return;
        }
        let (reader, writer) = (resolve(&self.reader, reader), resolve(&self.writer, writer));
        if !self.seen.insert((std::ptr::from_ref(reader).addr(), std::ptr::from_ref(writer).addr())) {
            return;
        }
        match (reader, writer) {
            (_, Parsed::Union(branches)) => {
                for branch in branches.variants() {
                    if !self.fits(reader, branch) {
                        self.say(path, format!("the reader has no place for {}, which the writer may write", words(branch)));
                    }
                }
            }
            (Parsed::Union(_), _) => {
                if !self.fits(reader, writer) {
                    self.say(path, format!("no branch of the reader's union takes {}", words(writer)));
                }
            }
            (Parsed::Record(reader), Parsed::Record(writer)) => self.records(reader, writer, path),
            (Parsed::Enum(reader), Parsed::Enum(writer)) => self.enums(reader, writer, path),
            (Parsed::Array(reader), Parsed::Array(writer)) => self.compare(&reader.items, &writer.items, &join(path, "[]")),
            (Parsed::Map(reader), Parsed::Map(writer)) => self.compare(&reader.types, &writer.types, &join(path, "{}")),
            _ => self.scalars(reader, writer, path),
        }
    }

    fn records(&mut self, reader: &'a RecordSchema, writer: &'a RecordSchema, path: &str) {
        self.same_name(reader.name.name(), writer.name.name(), path);
        for field in &reader.fields {
            let here = join(path, &field.name);
            let names = std::iter::once(&field.name).chain(&field.aliases);
            match names.filter_map(|name| writer.fields.iter().find(|other| other.name == *name)).next() {
                Some(other) => self.compare(&field.schema, &other.schema, &here),
                None if field.default.is_none() => {
                    self.say(&here, "the writer has no such field, and the reader gives no default".to_owned())
                }
                None => {}
            }
        }
    }

    fn enums(&mut self, reader: &EnumSchema, writer: &EnumSchema, path: &str) {
        self.same_name(reader.name.name(), writer.name.name(), path);
        if reader.default.is_some() {
            return;
        }
        let missing: Vec<&str> = writer.symbols.iter().filter(|symbol| !reader.symbols.contains(symbol)).map(String::as_str).collect();
        if !missing.is_empty() {
            let plural = if missing.len() == 1 { "symbol" } else { "symbols" };
            self.say(path, format!("the reader lacks the {plural} {} of the writer, and gives no default", missing.join(", ")));
        }
    }

    fn scalars(&mut self, reader: &Parsed, writer: &Parsed, path: &str) {
        let (basic_reader, basic_writer) = (basic(reader), basic(writer));
        let promoted = matches!(
            (basic_writer, basic_reader),
            ("int", "long" | "float" | "double")
                | ("long", "float" | "double")
                | ("float", "double")
                | ("string", "bytes")
                | ("bytes", "string")
        );
        if basic_reader != basic_writer && !promoted {
            self.say(path, format!("the reader wants {}, the writer has {}", words(reader), words(writer)));
            return;
        }
        if let (Parsed::Decimal(reader), Parsed::Decimal(writer)) = (reader, writer)
            && (reader.precision, reader.scale) != (writer.precision, writer.scale)
        {
            let of = |decimal: &DecimalSchema| format!("decimal({}, {})", decimal.precision, decimal.scale);
            self.say(path, format!("the reader wants {}, the writer has {}", of(reader), of(writer)));
        }
        if let (Some((reader_name, reader_size)), Some((writer_name, writer_size))) = (fixed(reader), fixed(writer)) {
            self.same_name(reader_name, writer_name, path);
            if reader_size != writer_size {
                self.say(path, format!("the reader wants a fixed of {reader_size} bytes, the writer has {writer_size}"));
            }
        }
    }

    /// Whether some branch of the reader (or the reader itself) takes this writer whole.
    fn fits(&mut self, reader: &'a Parsed, writer: &'a Parsed) -> bool {
        let branches = if let Parsed::Union(union) = reader { union.variants() } else { std::slice::from_ref(reader) };
        branches.iter().any(|branch| {
            let mut trial = Walk { reader: self.reader.clone(), writer: self.writer.clone(), seen: self.seen.clone(), reasons: Vec::new() };
            trial.compare(branch, writer, "");
            trial.reasons.is_empty()
        })
    }

    fn same_name(&mut self, reader: &str, writer: &str, path: &str) {
        if reader != writer {
            self.say(path, format!("the reader's type is named {reader}, the writer's {writer}"));
        }
    }

    fn say(&mut self, path: &str, what: String) {
        self.reasons.push(if path.is_empty() { what } else { format!("field {path}: {what}") });
    }
}

fn join(path: &str, part: &str) -> String {
    if path.is_empty() || part.starts_with(['[', '{']) { format!("{path}{part}") } else { format!("{path}.{part}") }
}

fn resolve<'a>(names: &Names<'a>, schema: &'a Parsed) -> &'a Parsed {
    match schema {
        Parsed::Ref { name } => names.get(&name.fullname(None)).copied().unwrap_or(schema),
        other => other,
    }
}

fn names(schema: &Parsed) -> Names<'_> {
    let mut found = Names::new();
    visit(schema, &mut |part| {
        if let (Some(name), false) = (part.name(), matches!(part, Parsed::Ref { .. })) {
            found.entry(name.fullname(None)).or_insert(part);
        }
    });
    found
}

fn has_references(schema: &Parsed) -> bool {
    let mut found = false;
    visit(schema, &mut |part| found |= matches!(part, Parsed::Ref { .. }));
    found
}

fn visit<'a>(schema: &'a Parsed, each: &mut impl FnMut(&'a Parsed)) {
    each(schema);
    match schema {
        Parsed::Array(inner) => visit(&inner.items, each),
        Parsed::Map(inner) => visit(&inner.types, each),
        Parsed::Union(inner) => inner.variants().iter().for_each(|branch| visit(branch, each)),
        Parsed::Record(inner) => inner.fields.iter().for_each(|field| visit(&field.schema, each)),
        _ => {}
    }
}

fn fixed(schema: &Parsed) -> Option<(&str, usize)> {
    match schema {
        Parsed::Fixed(inner)
        | Parsed::Duration(inner)
        | Parsed::Uuid(UuidSchema::Fixed(inner))
        | Parsed::Decimal(DecimalSchema { inner: InnerDecimalSchema::Fixed(inner), .. }) => Some((inner.name.name(), inner.size)),
        _ => None,
    }
}

/// The type that bytes have, without what they stand for.
fn basic(schema: &Parsed) -> &'static str {
    match schema {
        Parsed::Null => "null",
        Parsed::Boolean => "boolean",
        Parsed::Int | Parsed::Date | Parsed::TimeMillis => "int",
        Parsed::Long
        | Parsed::TimeMicros
        | Parsed::TimestampMillis
        | Parsed::TimestampMicros
        | Parsed::TimestampNanos
        | Parsed::LocalTimestampMillis
        | Parsed::LocalTimestampMicros
        | Parsed::LocalTimestampNanos => "long",
        Parsed::Float => "float",
        Parsed::Double => "double",
        Parsed::String | Parsed::Uuid(UuidSchema::String) => "string",
        Parsed::Bytes
        | Parsed::BigDecimal
        | Parsed::Uuid(UuidSchema::Bytes)
        | Parsed::Decimal(DecimalSchema { inner: InnerDecimalSchema::Bytes, .. }) => "bytes",
        Parsed::Fixed(_) | Parsed::Duration(_) | Parsed::Uuid(UuidSchema::Fixed(_)) | Parsed::Decimal(_) => "fixed",
        Parsed::Array(_) => "array",
        Parsed::Map(_) => "map",
        Parsed::Union(_) => "union",
        Parsed::Record(_) => "record",
        Parsed::Enum(_) => "enum",
        Parsed::Ref { .. } => "reference",
    }
}

fn words(schema: &Parsed) -> String {
    match schema.name() {
        Some(name) => format!("{} {}", basic(schema), name.name()).replace("reference ", ""),
        None => basic(schema).to_owned(),
    }
}
