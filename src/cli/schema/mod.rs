//! `eventyard schema`: the registry's answers for files, without a registry.
//!
//! In: schema files, data. Out: verdicts, changes, events; exit code 0 fine, 1 refused, 2 unreadable or wrong usage.
//! Must not know: how schemas are compared or payloads made; it asks `machines`, and `compile` for a design's components.
//! Start at [`schema`]; a file for each command, `words.rs` for what several of them print.

mod args;
mod check;
mod diff;
mod explain;
mod files;
mod json;
mod project;
mod sample;
mod validate;
mod words;

pub use args::SchemaCommand;

use super::exit::{End, Stop, print};

/// What a command has to say, and how it ends.
type Answer = Result<(String, End), Stop>;

/// Carries a command out.
///
/// # Errors
/// Files that cannot be read, texts that are no schema.
pub fn schema(command: &SchemaCommand) -> Result<End, Stop> {
    let (text, end) = match command {
        SchemaCommand::Check(args) => check::check(args),
        SchemaCommand::Diff(args) => diff::diff(args),
        SchemaCommand::Validate(args) => validate::validate(args),
        SchemaCommand::Sample(args) => return sample::sample(args),
        SchemaCommand::Explain(args) => explain::explain(args),
    }?;
    print(&text)?;
    Ok(end)
}
