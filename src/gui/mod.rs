//! The window: egui panels over the headless application.

pub mod theme;
