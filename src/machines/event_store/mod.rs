//! Event sourcing: streams of events with expected-version appends, and aggregates that are folds over them.
//!
//! ```text
//! command ─► [`Aggregate::decide`] (state, guard, mapping) ─► new events ─► [`EventStore::append`] (expected version)
//!                     ▲                                                            │ conflict: load again, decide again
//!                     └──── state ◄── [`EventStore::load`] (snapshot + later events, upcast) ◄──┘
//! ```
//!
//! In: what a project says of an aggregate, commands as rows of values. Out: events at their places, states, and how many
//! events had to be read. Pure: time is an argument, the whole store is cheap to clone (sealed segments are shared).
//! Must not know: topics, components, files. Start at [`Aggregate`] and [`EventStore`]; `expression/` reads guards and
//! mappings, `saga.rs` is the orchestrator of steps and compensations.

mod aggregate;
mod assignments;
mod compile;
mod expression;
mod saga;
mod store;
mod table;
#[cfg(test)]
mod tests;

pub use aggregate::{Aggregate, AggregateState, CommandInput, Decision, NewEvent, Refused};
pub use assignments::{Assignment, split_assignments};
pub use compile::{AggregateSpec, CommandSpec, EventSpec, FieldSpec, Problem, UpcastSpec};
pub use expression::{EvalError, ExpressionError, FieldType, Names, Program, Scalar, Slot, TEXT_BYTES_MAX};
pub use saga::{STEPS_MAX, Saga, SagaEnd, SagaInput, SagaInstance, SagaOutput, StepSpec};
pub use store::{AppendError, EventStore, Loaded, Recorded, StoreConfig};
pub use table::{ProjectionSpec, RowSpec, Table};
