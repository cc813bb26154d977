//! The user's design: what stands on the canvas, how it is wired, what is to hold.
//!
//! In: [`Edit`] values, one per change, through [`apply`], the only way a design changes.
//! Out: a [`Project`], plain data that clones cheaply enough to keep as an undo snapshot.
//! Must not know: files, components' behaviour, the window. Start at [`Project`].
//!
//! ```text
//! file ⇄ project/ ⇄ Project ⇄ apply(Edit) ── app, gui, cli
//!                      └─► compile/ ─► Plan
//! ```

mod edit;
mod layout;
mod param;
mod project;
mod value;

pub use edit::{Edit, EditError, apply, id_is_valid};
pub use layout::{CardBounds, arrange, arrange_anew, level_below};
pub use param::{Default_, ParamSpec, ParamType, Provenance};
pub use project::{
    COMPONENTS_MAX, Component, Endpoint, FaultTarget, Frame, Layout, Link, Note, Project, Scenario, SchemaSource, TimedFault,
};
pub use value::Value;
