//! The broker machine: logs, groups, clusters, and what their clients need.
//!
//! In: produce, fetch, group and queue requests, each with its instant and caller. Out: replies (at once, later, or
//! because of another caller's request), facts, and what followers must fetch.
//! Must not know: links, clocks, service times, components. Start at [`cluster::Cluster`]; what a produce request
//! does is in `produce.rs`, how followers come by it in `replication.rs`, what a fault of a node does in
//! `controller.rs`; a batch's bytes are in [`batch`], transactions are in `transactions/`, the clients' side is in [`client`]. Queues are
//! [`queue::Queue`], fan-out topics [`fanout::topic::Fanout`].

pub mod acl;
pub mod assignor;
mod authorize;
pub mod batch;
mod browse;
pub mod client;
pub mod cluster;
pub mod compaction;
pub mod compression;
mod controller;
mod deduplication;
pub mod fanout;
mod fetch;
pub mod group;
mod known_bad;
pub mod log;
mod nodes;
mod partition;
mod placement;
mod preferred;
mod produce;
pub mod queue;
mod quorum;
pub mod quota;
mod reassignment;
mod redrive;
mod replicas;
mod replication;
mod reset;
mod rot;
pub mod stored;
mod transactions;

pub use controller::refusal;
pub use nodes::{NodeFault, NodeState};
pub use produce::dropped;
pub use reassignment::{Reassign, ReassignmentFigures};
pub use redrive::Route;
pub use rot::Blight;
pub use transactions::TransactionFigures;
pub use transactions::marker::{control_of, stamp_of};

#[cfg(test)]
mod tests;
