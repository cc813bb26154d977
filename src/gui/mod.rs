//! The window: egui panels over the headless application.

pub mod panels;
pub mod theme;
