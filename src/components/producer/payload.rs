//! The types of event that a producer makes, and their bytes.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::event::{Reason, SCHEMA_USES_MAX, SchemaFound, SchemaUse, SchemaWay, header_bytes};
use crate::machines::codec::{Framing, Schema, SchemaLibrary, TypeIx, Typed, frame};
use crate::random::Stream;
use crate::units::{EventTypeIx, SimTime};

/// Where the bytes of a type come from.
#[derive(Clone, Debug)]
pub(in crate::components) enum Source {
    /// So many bytes that mean nothing.
    Plain { size: usize },
    /// A schema of the project, bare.
    Bare { schema: Arc<Schema>, ty: TypeIx },
    /// A registered schema that is not known yet, and which of its messages is written.
    Unknown { subject: Arc<str>, version: Option<u32>, message: Option<Arc<str>>, packs: bool },
    /// A registered schema, with the registry's header; `named` are its subject and version. Glue's serializer may pack.
    Registered { id: u32, uuid: Option<[u8; 16]>, named: (Arc<str>, u32), schema: Arc<Schema>, ty: TypeIx, packs: bool },
    /// The registry has no such schema: events of this type are rejected.
    Missing(Arc<str>),
    /// The registry's version does not take what the application makes: events of this type are rejected.
    Incompatible(Arc<str>),
}

/// Which schema a component writes with.
#[derive(Clone, Debug, Default)]
pub(in crate::components) struct Wanted {
    /// A subject, or a schema of the project.
    pub name: String,
    /// Of the subject; the latest when absent.
    pub version: Option<u32>,
    /// One of its messages; the first when absent.
    pub message: Option<Arc<str>>,
    /// Glue's serializer packs what it writes.
    pub packs: bool,
}

/// Where events of a type go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To a topic, by the client's number.
    Topic(usize),
    /// To a queue, by the client's number.
    Queue(usize),
    /// To the gateways in turn.
    Gateways,
    /// Nowhere.
    None,
}

/// One type of event.
#[derive(Clone, Debug)]
pub(super) struct EventKind {
    pub name: Arc<str>,
    pub ty: EventTypeIx,
    pub source: Source,
    /// What a registry has to be asked for, known or not.
    asked: Option<Source>,
    /// What its application was made with: the first version that it learnt.
    own: Option<Arc<Schema>>,
    pub target: Target,
    pub method: Arc<str>,
    pub path: Arc<str>,
    /// What CloudEvents and trace headers add to a record on a wire.
    pub extra_header_bytes: u32,
}

/// The types with their running sums of weights.
#[derive(Clone, Debug)]
pub(super) struct EventKinds {
    pub list: Vec<EventKind>,
    sums: Vec<f64>,
}

impl EventKinds {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>, ways: &[(Arc<str>, Target)], has_gateway: bool) -> Result<Self, Diagnostic> {
        let fallback = if has_gateway { Target::Gateways } else { ways.first().map_or(Target::None, |way| way.1) };
        let mut kinds = Self { list: Vec::new(), sums: Vec::new() };
        let rows = params.rows("events");
        for (index, name) in super::event_names(params).into_iter().enumerate() {
            let row = rows.get(index);
            let wanted = row.and_then(|row| row.optional_text("topic"));
            let named = wanted.as_ref().and_then(|wanted| ways.iter().find(|(name, _)| **name == **wanted));
            let sum = kinds.sums.last().copied().unwrap_or(0.0);
            kinds.sums.push(sum + row.map_or(1.0, |row| row.number("weight")));
            let text = |field: &str, or: &str| Arc::from(row.map_or_else(|| or.to_owned(), |row| row.text(field)));
            let topic = wanted.as_deref().or_else(|| ways.first().map(|way| &*way.0));
            let source = source(ctx, params, row, index, topic)?;
            kinds.list.push(EventKind {
                ty: ctx.event_types.get(&name).copied().unwrap_or_default(),
                own: None,
                asked: matches!(source, Source::Unknown { .. }).then(|| source.clone()),
                source,
                target: named.map_or(fallback, |way| way.1),
                method: text("method", "POST"),
                path: text("path", "/events"),
                extra_header_bytes: header_bytes(ctx.key.len(), name.len()),
                name: Arc::from(name),
            });
        }
        Ok(kinds)
    }

    /// What registries said is forgotten.
    pub fn forget(&mut self) {
        for kind in &mut self.list {
            if let Some(asked) = &kind.asked {
                kind.source = asked.clone();
            }
        }
    }

    /// Draws a type by weight.
    pub fn draw(&self, rng: &mut Stream) -> usize {
        if self.list.len() <= 1 {
            return 0;
        }
        let at = rng.unit_f64() * self.sums.last().copied().unwrap_or(0.0);
        self.sums.partition_point(|sum| *sum <= at).min(self.list.len() - 1)
    }

    /// What a registry has to be asked for.
    pub fn subjects(&self) -> impl Iterator<Item = (&Arc<str>, Option<u32>)> {
        self.list.iter().filter_map(|kind| match &kind.asked {
            Some(Source::Unknown { subject, version, .. }) => Some((subject, *version)),
            _ => None,
        })
    }

    /// What each type is written with, where a registry is asked for it.
    pub fn uses(&self) -> Vec<SchemaUse> {
        let mut uses: Vec<SchemaUse> = Vec::new();
        for kind in &self.list {
            let Some(found) = kind.asked.as_ref().and_then(|asked| kind.source.use_of(asked)) else { continue };
            if uses.len() < SCHEMA_USES_MAX && !uses.contains(&found) {
                uses.push(found);
            }
        }
        uses
    }

    /// A registry's answer for every type of this subject and version. An application that is running goes on with what
    /// it knows when there is none.
    pub fn learn(&mut self, subject: &str, version: Option<u32>, library: &SchemaLibrary, answer: &Result<SchemaFound, (u32, Arc<str>)>) {
        let is_of = |source: &Source| matches!(source, Source::Unknown { subject: s, version: v, .. } if **s == *subject && *v == version);
        for kind in self.list.iter_mut().filter(|kind| kind.asked.as_ref().is_some_and(is_of)) {
            let Some(asked) = &kind.asked else { continue };
            let learnt = asked.learnt(library, answer);
            if let Source::Registered { schema, .. } = &learnt {
                let own = Arc::clone(kind.own.get_or_insert_with(|| Arc::clone(schema)));
                kind.source = learnt.unless_it_breaks(&own, subject, library);
            } else if !matches!(kind.source, Source::Registered { .. }) {
                kind.source = learnt;
            }
        }
    }
}

impl Source {
    /// A schema by its name: a registry's subject where one is linked, else a schema of the project.
    pub fn named(ctx: &BuildCtx<'_>, wanted: Wanted, path: String) -> Result<Self, Diagnostic> {
        let Wanted { name, version, message, packs } = wanted;
        if ctx.links_at("schemas").next().is_some() {
            return Ok(Self::Unknown { subject: Arc::from(name), version, message, packs });
        }
        let Some(schema) = ctx.project.schemas.get(&name) else {
            return Err(Diagnostic::error("schema-unknown", path, format!("`{name}` is no schema of this project")));
        };
        let schema = ctx.schemas.compile_any(&schema.text).map_err(|words| Diagnostic::error("schema-bad", path.clone(), words))?;
        let ty = schema.type_named(message.as_deref()).map_err(|words| Diagnostic::error("schema-bad", path, words))?;
        Ok(Self::Bare { schema, ty })
    }

    /// What a registry's answer makes of a schema that was not known.
    pub fn learnt(&self, library: &SchemaLibrary, answer: &Result<SchemaFound, (u32, Arc<str>)>) -> Self {
        let Self::Unknown { subject, message, packs, .. } = self else { return self.clone() };
        let compiled = match answer {
            Ok(found) => library.compile_found(found).map(|schema| (found, schema)),
            Err((code, words)) => return Self::Missing(format!("the registry has no `{subject}`: {code} {words}").into()),
        };
        let typed = compiled.and_then(|(found, schema)| {
            let ty = schema.type_named(message.as_deref())?;
            let named = (found.subject.clone(), found.version);
            Ok(Self::Registered { id: found.id, uuid: found.uuid, named, schema, ty, packs: *packs })
        });
        typed.unwrap_or_else(|words| Self::Missing(format!("the schema of `{subject}` cannot be used: {words}").into()))
    }

    /// What events are written with; `asked` is what the registry was asked for.
    pub fn use_of(&self, asked: &Self) -> Option<SchemaUse> {
        let Self::Unknown { subject, version, .. } = asked else { return None };
        let with = |version, id, trouble| SchemaUse { subject: Arc::clone(subject), version, id, way: SchemaWay::Writes, trouble };
        Some(match self {
            Self::Registered { id, named, .. } => with(Some(named.1), Some(*id), None),
            Self::Missing(words) | Self::Incompatible(words) => with(*version, None, Some(Arc::clone(words))),
            Self::Unknown { .. } | Self::Plain { .. } | Self::Bare { .. } => with(*version, None, None),
        })
    }

    /// Confluent's serializers refuse a latest version that cannot read what the application's own schema writes
    /// (`latest.compatibility.strict`).
    fn unless_it_breaks(self, own: &Schema, subject: &str, library: &SchemaLibrary) -> Self {
        let Self::Registered { schema, .. } = &self else { return self };
        match library.can_read(schema, own) {
            Ok(()) => self,
            Err(why) => {
                Self::Incompatible(format!("the registered version of `{subject}` cannot read what it makes: {}", why.join("; ")).into())
            }
        }
    }

    /// Appends a payload. Says what is wrong with it when it is refused here: by its own check when
    /// `validate`, or because there is no schema to write it with.
    pub fn write(&self, rng: &mut Stream, now: SimTime, invalid: bool, validate: bool, out: &mut Vec<u8>) -> Result<(), Reason> {
        if let Self::Plain { size } = self {
            out.resize(out.len() + size, 0);
            return Ok(());
        }
        self.framed(out, |schema, out| write_bare(schema, rng, now, How { invalid, validate }, out))
    }

    /// Appends what a value is as a payload, with the registry's header where there is one.
    ///
    /// # Errors
    /// Why it does not fit its schema, or that there is none; what was appended then is of no use.
    pub fn encode(&self, value: &Json, out: &mut Vec<u8>) -> Result<(), Reason> {
        self.framed(out, |schema, out| schema.write(value, out))
    }

    /// What `write` appends, behind the registry's header; Glue's serializer may pack it.
    fn framed(&self, out: &mut Vec<u8>, write: impl FnOnce(Typed<'_>, &mut Vec<u8>) -> Result<(), Reason>) -> Result<(), Reason> {
        match self {
            Self::Bare { schema, ty } => write(schema.typed(*ty), out),
            Self::Registered { id, uuid: None, schema, ty, .. } => {
                let schema = schema.typed(*ty);
                frame(*id, out);
                schema.write_number(Framing::Confluent, out);
                write(schema, out)
            }
            Self::Registered { uuid: Some(uuid), schema, ty, packs, .. } => {
                let framing = if *packs { Framing::GlueZlib } else { Framing::Glue };
                let (schema, start) = (schema.typed(*ty), out.len());
                schema.write_number(framing, out);
                let written = write(schema, out);
                framing.wrap(0, *uuid, out, start);
                written
            }
            Self::Plain { .. } | Self::Missing(_) | Self::Incompatible(_) | Self::Unknown { .. } => Err(self.trouble()),
        }
    }

    /// Why nothing can be written.
    fn trouble(&self) -> Reason {
        let (code, words) = match self {
            Self::Incompatible(words) => ("schema-incompatible", words.to_string()),
            Self::Missing(words) => ("schema-missing", words.to_string()),
            Self::Unknown { subject, .. } => ("schema-pending", format!("the schema of `{subject}` is not known yet")),
            Self::Plain { .. } | Self::Bare { .. } | Self::Registered { .. } => ("schema-missing", "it has no schema".to_owned()),
        };
        Reason { code, detail: Some(words.into()) }
    }
}

/// How a payload is written.
#[derive(Clone, Copy, Debug)]
struct How {
    /// It breaks its schema.
    invalid: bool,
    /// The producer checks it.
    validate: bool,
}

/// The payload alone.
fn write_bare(schema: Typed<'_>, rng: &mut Stream, now: SimTime, How { invalid, validate }: How, out: &mut Vec<u8>) -> Result<(), Reason> {
    let start = out.len();
    if invalid {
        let words = schema.generate_invalid(rng, now, out);
        if validate && schema.validate(&out[start..]).is_ok() {
            return Err(Reason { code: "schema", detail: Some(words.into()) });
        }
    } else {
        schema.generate(rng, now, out);
    }
    if validate { schema.validate(&out[start..]) } else { Ok(()) }
}

fn source(
    ctx: &BuildCtx<'_>,
    params: &Params<'_>,
    row: Option<&Params<'_>>,
    index: usize,
    topic: Option<&str>,
) -> Result<Source, Diagnostic> {
    let Some(row) = row else { return Ok(Source::Plain { size: 100 }) };
    let Some(written) = super::schema_written(params, row) else {
        let size = usize::try_from(row.size("size").unwrap_or(0)).unwrap_or(0);
        return Ok(Source::Plain { size });
    };
    let path = format!("components.{}.events[{index}].schema", ctx.id);
    let has_registry = ctx.links_at("schemas").next().is_some();
    // Without a registry there are no subjects: the schema is the project's.
    let named = if has_registry { written.subject_in(ctx.project, ctx.schemas, topic) } else { Ok(written.subject) };
    let name = named.map_err(|words| Diagnostic::error("subject-naming", path.clone(), words))?;
    let packs = params.text("glue_compression") == "zlib";
    Source::named(ctx, Wanted { name, version: written.version, message: written.message.map(Arc::from), packs }, path)
}
