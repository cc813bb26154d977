//! What a person asked to see of what a component holds, and the answer for the window.

use super::view::EventStory;
use crate::event::{Answer, Query};
use crate::units::ComponentIx;

/// What a person wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowseWish {
    /// Of which component.
    pub component: ComponentIx,
    /// Which part.
    pub query: Query,
    /// The offset or number of the record that is opened, on the page or not.
    pub opened: Option<u64>,
}

/// What there is to see of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Browsed {
    /// What was asked.
    pub wish: BrowseWish,
    /// None where the component holds no such thing.
    pub answer: Option<Answer>,
    /// The opened record, decoded; none when it is no longer there.
    pub opened: Option<EventStory>,
}
