//! Eventyard: design event-driven systems on a canvas, run them as real simulations, check the numbers.
//!
//! ```text
//! projects/*.ron ─► project ─► model ─► compile ─► run ─► metrics ─► export
//!                                 ▲                 │ drives engine, components, machines
//!                                 └──── app ◄───────┘ ─► gui | cli
//! ```
//!
//! Rooms by layer; imports only point down (a test holds this table):
//! 0 `units` `event` `random` `predicate` `diagnostics` · 1 `engine` `machines` `model` ·
//! 2 `components` `metrics` · 3 `project` `compile` · 4 `run` · 5 `export` `import` `adapters` · 6 `app` · 7 `gui` `cli`.

pub mod adapters;
pub mod app;
pub mod cli;
pub mod compile;
pub mod components;
pub mod diagnostics;
pub mod engine;
pub mod event;
pub mod export;
#[cfg(feature = "gui")]
pub mod gui;
pub mod import;
pub mod machines;
pub mod metrics;
pub mod model;
pub mod predicate;
pub mod project;
pub mod random;
pub mod run;
pub mod units;
