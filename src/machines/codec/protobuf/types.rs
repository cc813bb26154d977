//! The messages that a payload of a file can be, and how the wire formats number them.
//!
//! In: a file's descriptor. Out: its messages with their numbers. Confluent's numbers are a path, each the position within
//! the messages around; Glue's are positions among all messages, sorted by their full names. Start at [`Types`].

use prost_reflect::prost_types::field_descriptor_proto::Type;
use prost_reflect::{FileDescriptor, MessageDescriptor};

use crate::machines::codec::typed::TypeIx;
use crate::machines::codec::varint;

/// Longest path that is read.
const PATH_MAX: i64 = 64;

/// Messages in the order of the file, those within others after them.
pub(super) struct Types {
    list: Vec<MessageType>,
    /// By Glue's number; none where a map's entries have it, which are messages too.
    by_glue: Vec<Option<TypeIx>>,
}

struct MessageType {
    message: MessageDescriptor,
    path: Vec<u32>,
    glue: u32,
}

impl Types {
    pub(super) fn of(file: &FileDescriptor) -> Self {
        let mut list = Vec::new();
        let mut names = Vec::new();
        for (at, message) in file.messages().enumerate() {
            collect(&mut list, &mut names, message, vec![at as u32]);
        }
        names.sort_unstable();
        let mut by_glue = vec![None; names.len()];
        for (at, entry) in list.iter_mut().enumerate() {
            if let Ok(glue) = names.binary_search_by(|name| name.as_str().cmp(entry.message.full_name())) {
                entry.glue = glue as u32;
                by_glue[glue] = Some(TypeIx(at as u32));
            }
        }
        Self { list, by_glue }
    }
    pub(super) fn messages(&self) -> Vec<MessageDescriptor> {
        self.list.iter().map(|entry| entry.message.clone()).collect()
    }
    pub(super) fn message(&self, ty: TypeIx) -> Result<&MessageDescriptor, String> {
        let entry = self.list.get(ty.0 as usize);
        entry.map(|entry| &entry.message).ok_or_else(|| "the schema has no message".to_owned())
    }
    /// By full name, or by the name without the package.
    pub(super) fn named(&self, name: &str) -> Option<TypeIx> {
        let full = |entry: &MessageType| entry.message.full_name() == name;
        let local = |entry: &MessageType| local_name(&entry.message) == name;
        self.list.iter().position(full).or_else(|| self.list.iter().position(local)).map(|at| TypeIx(at as u32))
    }
    /// Appends Confluent's message indexes.
    pub(super) fn write_path(&self, ty: TypeIx, out: &mut Vec<u8>) {
        match self.list.get(ty.0 as usize) {
            None => out.push(0),
            Some(entry) if entry.path == [0] => out.push(0),
            Some(entry) => {
                varint::write(varint::zig(entry.path.len() as i64), out);
                entry.path.iter().for_each(|at| varint::write(varint::zig(i64::from(*at)), out));
            }
        }
    }
    /// The message that Confluent's indexes name, and what follows them.
    pub(super) fn read_path<'a>(&self, body: &'a [u8]) -> Result<(TypeIx, &'a [u8]), String> {
        if let [0, payload @ ..] = body {
            return Ok((TypeIx::FIRST, payload));
        }
        let mut left = body;
        let mut number = || varint::read(&mut left).map(varint::zag).map_err(|_| "the message indexes are cut short".to_owned());
        let count = number()?;
        if !(1..=PATH_MAX).contains(&count) {
            return Err(format!("expected message indexes, found a count of {count}"));
        }
        let path = (0..count).map(|_| number()).collect::<Result<Vec<i64>, String>>()?;
        let is_it = |entry: &MessageType| entry.path.iter().map(|at| i64::from(*at)).eq(path.iter().copied());
        match self.list.iter().position(is_it) {
            Some(at) => Ok((TypeIx(at as u32), left)),
            None => Err(format!("the schema has no message at the indexes {path:?}")),
        }
    }
    /// Appends Glue's number.
    pub(super) fn write_number(&self, ty: TypeIx, out: &mut Vec<u8>) {
        varint::write(u64::from(self.list.get(ty.0 as usize).map_or(0, |entry| entry.glue)), out);
    }
    /// The message that Glue's number names, and what follows it.
    pub(super) fn read_number<'a>(&self, body: &'a [u8]) -> Result<(TypeIx, &'a [u8]), String> {
        let mut left = body;
        let number = varint::read(&mut left).map_err(|_| "the message's number is cut short".to_owned())?;
        let found = usize::try_from(number).ok().and_then(|number| self.by_glue.get(number).copied().flatten());
        found.map(|ty| (ty, left)).ok_or_else(|| format!("the schema has no message of number {number}"))
    }
}

/// A message's name within its package: `Order.Line`.
pub(super) fn local_name(message: &MessageDescriptor) -> &str {
    let (full, package) = (message.full_name(), message.package_name());
    full.strip_prefix(package).and_then(|rest| rest.strip_prefix('.')).unwrap_or(full)
}

/// Whether a message within another is only how a map's entries or a group of the other are written down.
pub(super) fn is_made_up(message: &MessageDescriptor) -> bool {
    let is_group = |parent: &MessageDescriptor| {
        let suffix = format!(".{}", message.full_name());
        parent.descriptor_proto().field.iter().any(|field| field.r#type() == Type::Group && field.type_name() == suffix)
    };
    message.is_map_entry() || message.parent_message().is_some_and(|parent| is_group(&parent))
}

/// Map entries and groups have no place in paths: no text writes them as messages.
fn collect(list: &mut Vec<MessageType>, names: &mut Vec<String>, message: MessageDescriptor, path: Vec<u32>) {
    names.push(message.full_name().to_owned());
    let children: Vec<MessageDescriptor> = message.child_messages().collect();
    let is_message = !message.is_map_entry();
    if is_message {
        list.push(MessageType { message, path: path.clone(), glue: 0 });
    }
    let mut at = 0;
    for child in children {
        if is_made_up(&child) {
            names.push(child.full_name().to_owned());
            continue;
        }
        collect(list, names, child, [path.as_slice(), &[at]].concat());
        at += 1;
    }
}
