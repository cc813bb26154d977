//! Formats of the project file: which one a text is written in, and the way from old ones to this one.

use super::fields::Reader;
use super::tree::{Data, Node};
use crate::diagnostics::Diagnostic;

/// The format that this program writes.
pub const FORMAT: u32 = 1;

/// One step from `from` to `from + 1`, on the tree.
struct Migration {
    from: u32,
    apply: fn(&mut Node),
}

/// Every step, oldest first. A new format adds one line here and raises [`FORMAT`].
const MIGRATIONS: &[Migration] = &[];

/// Brings the tree to [`FORMAT`]; false if the text is not for this program, which is then reported.
pub(super) fn to_current(root: &mut Node, reader: &mut Reader) -> bool {
    let Some(group) = root.group() else {
        reader.wrong("", root, "a project", Some("a project is one `( … )` of fields, `format: 1` first".into()));
        return false;
    };
    let Some(item) = group.get("format") else {
        if !group.items.iter().any(|item| matches!(item.value.data, Data::Broken)) {
            reader.missing(root.place, "", "format", "write `format: 1` as the first field");
        }
        return true;
    };
    let place = item.value.place;
    let found = match item.value.data {
        Data::Int(found) => found,
        _ => {
            reader.wrong("format", &item.value, "a whole number", Some(format!("write `format: {FORMAT}`")));
            return true;
        }
    };
    if found > i128::from(FORMAT) {
        let message = format!("this file is written in format {found}; this program knows formats up to {FORMAT}");
        reader.problem(place, Diagnostic::error("format-newer", "format", message).with_hint("open it with a newer Eventyard"));
        return false;
    }
    let Some(mut format) = u32::try_from(found).ok().filter(|format| *format >= 1) else {
        let message = format!("there is no format {found}");
        reader.problem(place, Diagnostic::error("format-unknown", "format", message).with_hint(format!("write `format: {FORMAT}`")));
        return false;
    };
    while let Some(migration) = MIGRATIONS.iter().find(|migration| migration.from == format) {
        (migration.apply)(root);
        format += 1;
    }
    true
}
