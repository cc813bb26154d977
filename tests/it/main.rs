//! Every integration test, one program: a file per subject.

#![expect(clippy::disallowed_methods, reason = "tests read and write files and compare with the platform's own mathematics")]

mod acls;
mod autoscaling;
mod bridges;
mod broker_sim;
#[cfg(feature = "gui")]
mod canvas;
mod cases;
mod chaos;
mod clients;
mod clocks;
mod cloudformation;
mod cluster_operations;
mod consumer_protocol;
mod corruption;
mod crashes;
mod data_dir;
mod databases;
mod design;
mod determinism;
mod fanout;
mod frameworks;
mod gateway;
mod gateway_files;
mod gateway_upstreams;
mod group_actions;
mod json_schema_cases;
mod kafka_cases;
mod ledger;
mod limits;
mod operator_actions;
mod outgoing;
#[cfg(feature = "gui")]
mod panels;
mod pipelines;
mod pools;
mod protobuf;
mod push;
mod queue_designs;
mod queues;
mod registry_products;
mod retry_topics;
mod samples;
mod schema_breaks;
mod schema_cli;
mod service_inputs;
mod services;
mod snapshots;
mod theory;
mod tidy;
mod transactions_sim;
#[cfg(feature = "gui")]
mod window;
#[cfg(feature = "gui")]
mod window_editing;
#[cfg(feature = "gui")]
mod window_faults;
#[cfg(feature = "gui")]
mod window_records;
#[cfg(feature = "gui")]
mod window_schemas;
#[cfg(feature = "gui")]
mod window_services;
