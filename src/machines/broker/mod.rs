//! The broker machine: logs, groups, clusters, and what their clients need.
//!
//! In: produce, fetch and group requests, each with its instant and caller. Out: replies (at once, later, or
//! because of another caller's request), facts, and what followers must fetch.
//! Must not know: links, clocks, service times, components. Start at [`cluster::Cluster`]; a batch's bytes
//! are in [`batch`], the clients' side is in [`client`].

pub mod batch;
pub mod client;
pub mod cluster;
pub mod fanout;
mod fetch;
pub mod group;
pub mod log;
mod partition;
pub mod queue;

#[cfg(test)]
mod tests;
