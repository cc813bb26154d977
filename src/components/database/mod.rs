//! The database connector: changes of a table become events, or events become rows.
//!
//! ```text
//! an application changes a table ─┬─ polling: rows behind the last position ──┬─► producing client ─► topic      (source)
//!                                 └─ change capture: the log, commit by commit ┘
//! topic ─► consumer (group, workers) ─► insert, upsert, delete ─► table, kept like a read model                  (sink)
//! ```
//!
//! In: a load of changes, or records. Out: records, or rows. The words are those of Confluent's JDBC connectors 10.8 and of
//! Debezium 3 (the profile `debezium` captures changes). What a source misses is told with its reason: each committed change is
//! a submission. Must not know: databases; rows are told as facts. Start at `source.rs` and `sink.rs`; `table.rs` is the table
//! that a source reads, `records.rs` what its records look like, `evolution.rs` the columns of a sink's table, `look.rs` what a
//! person sees of either table.

mod evolution;
mod look;
mod records;
mod sink;
mod source;
mod spec;
mod table;
#[cfg(test)]
mod tests;

use super::consumer::outbox::Relay;
use super::consumer::{group_name, handled};
use crate::components::{BuildCtx, Declarations, Kind, KindSpec, Params, PortSpec, PortType};
use crate::diagnostics::Diagnostic;
use crate::engine::Process;
use crate::model::Component;

/// The kind.
#[derive(Debug)]
pub struct DatabaseKind;

impl Kind for DatabaseKind {
    fn spec(&self) -> &'static KindSpec {
        &spec::SPEC
    }
    fn keeps_something(&self) -> bool {
        true
    }
    fn ports(&self, _: &Component) -> Vec<PortSpec> {
        vec![
            PortSpec { name: "in".to_owned(), ty: PortType::RecordsIn, help: "Sink: topics whose events become rows" },
            PortSpec { name: "out".to_owned(), ty: PortType::RecordsOut, help: "Source: the topic for changes of the table" },
            PortSpec { name: "dead_letters".to_owned(), ty: PortType::RecordsOut, help: "Sink: topic for records that become no rows" },
            PortSpec { name: "schemas".to_owned(), ty: PortType::SchemasFrom, help: "Sink: looks the records' schemas up at a registry" },
        ]
    }
    fn declares(&self, id: &str, component: &Component) -> Declarations {
        let params = Params::new(spec::SPEC.params, component.profile.as_deref(), &component.params);
        Declarations {
            group: Some(group_name(id, &params)),
            guarantees: params.words("guarantees"),
            event_types: vec![params.text("event_type")],
            ..Declarations::default()
        }
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        spec::check(ctx, params, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        if spec::is_source(ctx) {
            return Ok(Box::new(source::TableSource::new(ctx, params)?));
        }
        handled(ctx, params, Box::new(sink::Sink::new(ctx.id, params)), Relay::default())
    }
}
