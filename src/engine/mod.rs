//! The discrete-event kernel: the calendar, the contract of a process, and its outbox.
//!
//! In: processes (built by `compile/`) and what they schedule. Out: the next thing due, in the total
//! order (time, then sequence of scheduling).
//! Must not know: brokers, components, networks, wall time. The driver in `run/` carries effects out.
//! Start at [`Process`]; then [`Calendar`]; [`Station`] measures a queue for every component that has one.
//!
//! ```text
//! Calendar ─pop─► driver ─► Process::on_… ─► Outlet (the driver) ─► network, Calendar, observers
//! ```

mod calendar;
mod figures;
mod latencies;
mod process;
mod station;

pub use calendar::Calendar;
pub use figures::{Figure, FigureKind, Figures};
pub(crate) use latencies::Latencies;
pub use process::{Ctx, Effect, Input, LinkEnd, Outbox, Outlet, Process, TraceSampling};
pub use station::Station;
