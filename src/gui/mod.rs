//! The window: egui panels over the headless application.
//!
//! In: the application's state, read only while a frame is drawn. Out: commands, carried out after it.
//! Must not know: how runs are driven, how files are written. Start at [`Window`]; every panel is one
//! function `(ui, &AppState, &mut Vec<Command>)` in a file of its own.
//!
//! ```text
//! ┌ menu ───────────────────────────────────────────────┐
//! ├ transport ──────────────────────────────────────────┤
//! │ palette │ canvas                         │ side     │
//! ├─────────┴────────────────────────────────┤ (tabs)   │
//! │ charts                                   │          │
//! ├ status ──────────────────────────────────┴──────────┤
//! ```

pub mod canvas;
mod dialogs;
mod inspector;
mod menu;
mod palette;
pub mod panels;
mod shell;
mod shortcuts;
mod side;
mod status;
pub mod theme;

pub use canvas::tokens;
pub use shell::{Window, open};
