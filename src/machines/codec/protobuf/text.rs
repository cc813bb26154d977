//! A file written out again: what two texts that mean the same have in common.
//!
//! In: a file as it was parsed, and the same with its names resolved. Out: a text that parses to the same file. Comments and
//! formatting are gone, as in the product: a changed comment makes no new version there.
//! Must not know: payloads, registries. Start at [`written`].
//!
//! Source of the order: `ProtobufSchemaUtils` of Confluent's registry, `canonicalString` and `normalize`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, ServiceDescriptorProto, UninterpretedOption,
};

use super::options::{escaped, option_text, options_in_brackets};

/// Largest number of a field, which a text writes as `max`.
const NUMBER_MAX: i32 = 536_870_911;

/// How much is made alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As a registry keeps it: names and the order of fields are the author's.
    Stored,
    /// Fields by number, names resolved, imports sorted. Messages keep their order: their positions are on the wire.
    Normal,
}

/// `resolved` has the same parts as `parsed` in the same order.
pub(super) fn written(parsed: &FileDescriptorProto, resolved: &FileDescriptorProto, form: Form) -> String {
    let mut out = Text { form, is_proto3: parsed.syntax() == "proto3", out: String::new(), depth: 0 };
    if out.is_proto3 || (form == Form::Stored && parsed.syntax.is_some()) {
        out.line(&format!("syntax = \"{}\";", parsed.syntax()));
    }
    if let Some(package) = &parsed.package {
        out.line(&format!("package {package};"));
    }
    out.imports(parsed);
    out.options(parsed.options.as_ref().map(|options| options.uninterpreted_option.as_slice()));
    for (message, resolved) in parsed.message_type.iter().zip(&resolved.message_type) {
        out.message(message, resolved);
    }
    parsed.enum_type.iter().for_each(|kind| out.enumeration(kind));
    out.extensions(&parsed.extension, &resolved.extension);
    for (service, resolved) in parsed.service.iter().zip(&resolved.service) {
        out.service(service, resolved);
    }
    out.out
}

struct Text {
    form: Form,
    is_proto3: bool,
    out: String,
    depth: usize,
}

impl Text {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{:width$}{line}", "", width = self.depth * 2);
    }
    fn block(&mut self, head: &str, inner: impl FnOnce(&mut Self)) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
        inner(self);
        self.depth -= 1;
        self.line("}");
    }
    fn is_normal(&self) -> bool {
        self.form == Form::Normal
    }

    fn imports(&mut self, file: &FileDescriptorProto) {
        let is_public = |at: usize| file.public_dependency.iter().any(|public| usize::try_from(*public) == Ok(at));
        let of = |public: bool| file.dependency.iter().enumerate().filter(move |(at, _)| is_public(*at) == public).map(|(_, name)| name);
        for (public, head) in [(false, "import"), (true, "import public")] {
            let mut names: Vec<&String> = of(public).collect();
            if self.is_normal() {
                names.sort();
                names.dedup();
            }
            names.into_iter().for_each(|name| self.line(&format!("{head} {};", escaped(name.as_bytes()))));
        }
    }
    fn options(&mut self, options: Option<&[UninterpretedOption]>) {
        for option in self.sorted_options(options) {
            self.line(&format!("option {option};"));
        }
    }
    fn sorted_options(&self, options: Option<&[UninterpretedOption]>) -> Vec<String> {
        let mut texts: Vec<String> = options.unwrap_or_default().iter().map(option_text).collect();
        if self.is_normal() {
            texts.sort();
        }
        texts
    }

    fn message(&mut self, message: &DescriptorProto, resolved: &DescriptorProto) {
        self.block(&format!("message {}", message.name()), |out| out.message_body(message, resolved));
    }

    fn message_body(&mut self, message: &DescriptorProto, resolved: &DescriptorProto) {
        let ranges = message.reserved_range.iter().map(|range| (range.start(), range.end() - 1));
        self.reserved(ranges.collect(), &message.reserved_name, NUMBER_MAX);
        self.options(message.options.as_ref().map(|options| options.uninterpreted_option.as_slice()));
        let fields: Vec<(&FieldDescriptorProto, &FieldDescriptorProto)> =
            self.ordered(message.field.iter().zip(&resolved.field).collect(), |field| field.0.number());
        let nested = Nested { parsed: message, resolved };
        for (field, resolved) in fields.iter().filter(|(field, _)| is_alone(field)) {
            self.field(field, resolved, &nested);
        }
        let mut oneofs: Vec<(usize, i32)> = Vec::new();
        for (at, _) in message.oneof_decl.iter().enumerate() {
            let first = fields.iter().find(|(field, _)| in_oneof(field) == Some(at));
            oneofs.extend(first.map(|(field, _)| (at, field.number())));
        }
        for (at, _) in self.ordered(oneofs, |oneof| oneof.1) {
            self.block(&format!("oneof {}", message.oneof_decl[at].name()), |out| {
                out.options(message.oneof_decl[at].options.as_ref().map(|options| options.uninterpreted_option.as_slice()));
                fields
                    .iter()
                    .filter(|(field, _)| in_oneof(field) == Some(at))
                    .for_each(|(field, resolved)| out.field(field, resolved, &nested));
            });
        }
        for range in self.ordered(message.extension_range.iter().collect(), |range| range.start()) {
            let options = self.sorted_options(range.options.as_ref().map(|options| options.uninterpreted_option.as_slice()));
            let range = range_text(range.start(), range.end() - 1, NUMBER_MAX);
            self.line(&format!("extensions {range}{};", options_in_brackets(&options)));
        }
        self.extensions(&message.extension, &resolved.extension);
        for (child, resolved) in message.nested_type.iter().zip(&resolved.nested_type) {
            if !is_entry(child) && !nested.is_group(child) {
                self.message(child, resolved);
            }
        }
        message.enum_type.iter().for_each(|kind| self.enumeration(kind));
    }

    fn ordered<T>(&self, mut list: Vec<T>, number: impl Fn(&T) -> i32) -> Vec<T> {
        if self.is_normal() {
            list.sort_by_key(number);
        }
        list
    }

    fn reserved(&mut self, ranges: Vec<(i32, i32)>, names: &[String], max: i32) {
        let ranges: Vec<String> = self.ordered(ranges, |range| range.0).into_iter().map(|(from, to)| range_text(from, to, max)).collect();
        let mut names: Vec<String> = names.iter().map(|name| escaped(name.as_bytes())).collect();
        if self.is_normal() {
            names.sort();
            ranges.iter().chain(&names).for_each(|part| self.line(&format!("reserved {part};")));
        } else {
            for parts in [ranges, names].iter().filter(|parts| !parts.is_empty()) {
                self.line(&format!("reserved {};", parts.join(", ")));
            }
        }
    }

    fn field(&mut self, field: &FieldDescriptorProto, resolved: &FieldDescriptorProto, nested: &Nested<'_>) {
        let label = match field.label() {
            _ if in_oneof(field).is_some() || nested.entry_of(field).is_some() => "",
            Label::Required => "required ",
            Label::Repeated => "repeated ",
            Label::Optional if !self.is_proto3 || field.proto3_optional() => "optional ",
            Label::Optional => "",
        };
        let mut options = self.sorted_options(field.options.as_ref().map(|options| options.uninterpreted_option.as_slice()));
        if let Some(value) = &field.default_value {
            let is_text = matches!(resolved.r#type(), Type::String);
            let is_bytes = matches!(resolved.r#type(), Type::Bytes);
            let value = if is_text {
                escaped(value.as_bytes())
            } else if is_bytes {
                format!("\"{value}\"")
            } else {
                value.clone()
            };
            options.push(format!("default = {value}"));
        }
        options.extend(field.json_name.as_ref().map(|name| format!("json_name = {}", escaped(name.as_bytes()))));
        if self.is_normal() {
            options.sort();
        }
        let options = options_in_brackets(&options);
        let number = field.number();
        if let Some((group, resolved)) = nested.group_of(field) {
            self.block(&format!("{label}group {} = {number}{options}", group.name()), |out| out.message_body(group, resolved));
            return;
        }
        let ty = match nested.entry_of(field) {
            Some((entry, resolved)) => {
                let part = |at: usize| match (entry.field.get(at), resolved.field.get(at)) {
                    (Some(field), Some(resolved)) => self.type_text(field, resolved),
                    _ => String::new(),
                };
                format!("map<{}, {}>", part(0), part(1))
            }
            None => self.type_text(field, resolved),
        };
        self.line(&format!("{label}{ty} {} = {number}{options};", field.name()));
    }

    fn type_text(&self, field: &FieldDescriptorProto, resolved: &FieldDescriptorProto) -> String {
        match (self.form, &field.type_name) {
            (_, None) => format!("{:?}", field.r#type()).to_lowercase(),
            (Form::Stored, Some(name)) => name.clone(),
            (Form::Normal, Some(_)) => resolved.type_name().to_owned(),
        }
    }

    fn enumeration(&mut self, kind: &EnumDescriptorProto) {
        self.block(&format!("enum {}", kind.name()), |out| {
            let ranges = kind.reserved_range.iter().map(|range| (range.start(), range.end()));
            out.reserved(ranges.collect(), &kind.reserved_name, i32::MAX);
            out.options(kind.options.as_ref().map(|options| options.uninterpreted_option.as_slice()));
            // The first value is the default: it stays where it is.
            let default = kind.value.first().map(|value| value.number());
            for value in
                out.ordered(kind.value.iter().collect(), |value| if Some(value.number()) == default { i32::MIN } else { value.number() })
            {
                let options = out.sorted_options(value.options.as_ref().map(|options| options.uninterpreted_option.as_slice()));
                out.line(&format!("{} = {}{};", value.name(), value.number(), options_in_brackets(&options)));
            }
        });
    }

    /// One block for each message that is extended.
    fn extensions(&mut self, extensions: &[FieldDescriptorProto], resolved: &[FieldDescriptorProto]) {
        let mut by_target: BTreeMap<&str, Vec<(&FieldDescriptorProto, &FieldDescriptorProto)>> = BTreeMap::new();
        for (field, resolved) in extensions.iter().zip(resolved) {
            let target = if self.is_normal() { resolved.extendee() } else { field.extendee() };
            by_target.entry(target).or_default().push((field, resolved));
        }
        let none = DescriptorProto::default();
        for (target, fields) in by_target {
            self.block(&format!("extend {target}"), |out| {
                let nested = Nested { parsed: &none, resolved: &none };
                for (field, resolved) in out.ordered(fields, |field| field.0.number()) {
                    out.field(field, resolved, &nested);
                }
            });
        }
    }

    fn service(&mut self, service: &ServiceDescriptorProto, resolved: &ServiceDescriptorProto) {
        self.block(&format!("service {}", service.name()), |out| {
            out.options(service.options.as_ref().map(|options| options.uninterpreted_option.as_slice()));
            for (method, resolved) in service.method.iter().zip(&resolved.method) {
                let method_types = if out.is_normal() { resolved } else { method };
                let stream = |is_streamed: bool| if is_streamed { "stream " } else { "" };
                let head = format!(
                    "rpc {} ({}{}) returns ({}{})",
                    method.name(),
                    stream(method.client_streaming()),
                    method_types.input_type(),
                    stream(method.server_streaming()),
                    method_types.output_type()
                );
                match method.options.as_ref().map(|options| options.uninterpreted_option.as_slice()) {
                    Some(options) if !options.is_empty() => out.block(&head, |out| out.options(Some(options))),
                    _ => out.line(&format!("{head};")),
                }
            }
        });
    }
}

/// The messages within a message that are only how its maps and groups are written down.
struct Nested<'a> {
    parsed: &'a DescriptorProto,
    resolved: &'a DescriptorProto,
}

impl<'a> Nested<'a> {
    fn child(&self, name: &str) -> Option<(&'a DescriptorProto, &'a DescriptorProto)> {
        let at = self.parsed.nested_type.iter().position(|child| child.name() == name)?;
        Some((&self.parsed.nested_type[at], self.resolved.nested_type.get(at)?))
    }
    fn entry_of(&self, field: &FieldDescriptorProto) -> Option<(&'a DescriptorProto, &'a DescriptorProto)> {
        self.child(last_name(field.type_name())).filter(|(child, _)| is_entry(child))
    }
    fn group_of(&self, field: &FieldDescriptorProto) -> Option<(&'a DescriptorProto, &'a DescriptorProto)> {
        (field.r#type.is_some() && field.r#type() == Type::Group).then(|| self.child(last_name(field.type_name()))).flatten()
    }
    fn is_group(&self, child: &DescriptorProto) -> bool {
        let is_it = |field: &&FieldDescriptorProto| self.group_of(field).is_some_and(|(group, _)| group.name() == child.name());
        self.parsed.field.iter().find(is_it).is_some()
    }
}

fn last_name(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn is_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(prost_reflect::prost_types::MessageOptions::map_entry)
}

/// Which oneof a field is in, if a text wrote it there.
fn in_oneof(field: &FieldDescriptorProto) -> Option<usize> {
    field.oneof_index.filter(|_| !field.proto3_optional()).and_then(|at| usize::try_from(at).ok())
}

fn is_alone(field: &FieldDescriptorProto) -> bool {
    in_oneof(field).is_none()
}

fn range_text(from: i32, to: i32, max: i32) -> String {
    match to {
        to if to == from => from.to_string(),
        to if to >= max => format!("{from} to max"),
        to => format!("{from} to {to}"),
    }
}
