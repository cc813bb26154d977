//! Pure domain machines, blind to each other: broker, registry, gateway, event store, resilience. Each turns (state, now, input)
//! into (state, effects) and can be called from a test, a simulation or a server. `codec/` (schemas,
//! compiled readers and writers) is the one room that the others may use.
//! Must not know: components, drivers, clocks, files.

pub mod broker;
pub mod codec;
pub mod event_store;
pub mod gateway;
pub mod registry;
pub mod resilience;
