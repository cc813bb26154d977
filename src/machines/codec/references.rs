//! Schemas that another schema refers to by name: Confluent's `references`, resolved to their texts.
//!
//! The list that a schema is compiled with is flat and in order: what a reference itself refers to stands before it.

pub use crate::event::Named;
