//! Quantities with units: virtual time, sizes, rates, ratios, and how people write them.
//!
//! In: text such as `250ms`, `1200/s`, `64KiB`, `80%`. Out: whole-number or floating values whose type
//! says the unit, and the shortest text that reads back to the same value.
//! Must not know: anything else of Eventyard. This is the bottom layer.
//! Start at [`SimTime`] and [`SimDuration`]: every clock in the program is a whole number of nanoseconds.

mod civil;
mod ids;
mod parse;
mod quantity;
mod time;
mod timestamp;

pub use civil::CivilDate;
pub use ids::{ComponentIx, EventTypeIx, GroupIx, LinkIx, TopicIx};
pub use parse::{UnitError, parse_number_and_unit};
pub use quantity::{Bytes, Rate, Ratio};
pub use time::{SimDuration, SimTime};
pub use timestamp::{Clock, Timestamp};
