//! The window: egui panels over the headless application.

#[path = "canvas/tokens.rs"]
pub mod tokens;

pub mod panels;
pub mod theme;
