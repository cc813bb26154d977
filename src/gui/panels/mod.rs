//! The run's panels: transport, charts, partitions, queues, gateways, services, records, schemas, all components, one event's story, incidents, expectations, ledger, problems.
//!
//! In: the application's state, read only. Out: commands, pushed to a list and carried out after the frame.
//! Each panel has a `body` over plain data (what tests draw) and a `…_ui` over the state.
//! Must not know: how a run is driven. Start at any `…_ui`.

pub mod charts;
mod columns;
pub mod dock;
pub mod event_story;
pub mod expectations;
pub mod figures;
pub mod gateways;
pub mod incidents;
pub mod ledger;
mod ledger_split;
pub mod overview;
pub mod partitions;
pub mod problems;
pub mod queues;
pub mod records;
pub mod schemas;
pub mod services;
pub mod transport;

pub use dock::dock_ui;
pub use event_story::event_story_ui;
pub use expectations::expectations_ui;
pub use incidents::incidents_ui;
pub use ledger::ledger_ui;
pub use overview::overview_ui;
pub use problems::problems_ui;
pub use transport::transport_ui;
