//! The broker machine: logs, groups, and what their clients need.
pub mod batch;
pub mod client;
