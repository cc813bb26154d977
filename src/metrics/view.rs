//! What the window reads while a run goes: one immutable snapshot after another.
//!
//! The worker publishes an `Arc<RunView>` at most 60 times a second of wall time. Nothing in it borrows
//! from the run; everything in it is bounded (`*_MAX` below).

use std::sync::Arc;

use serde::Serialize;

use super::browse::Browsed;
use super::faults::FaultView;
use crate::event::{EventId, SchemaUse};
use crate::units::{ComponentIx, EventTypeIx, LinkIx, SimDuration, SimTime};

/// More tokens than this are not drawn; the view says how many of how many.
pub const FLIGHTS_MAX: usize = 500;
/// Rejected, lost and duplicate events kept for the problems list.
pub const INCIDENTS_MAX: usize = 200;
/// Points per series in a view.
pub const VIEW_POINTS_MAX: usize = 600;

/// Where a run is in its life.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum RunPhase {
    /// Compiled, not begun.
    Ready,
    /// Going.
    Playing,
    /// Held.
    Paused,
    /// At its end; the report is there.
    Finished,
    /// A component failed: "component X failed at t=…, seed …".
    Failed(String),
}

/// A snapshot of a run.
#[derive(Clone, Debug)]
pub struct RunView {
    /// Counts snapshots, so that a reader knows whether anything is new.
    pub version: u64,
    /// Where it is.
    pub phase: RunPhase,
    /// Virtual now.
    pub now: SimTime,
    /// Virtual end.
    pub end: SimTime,
    /// Kernel steps so far.
    pub steps: u64,
    /// Virtual seconds per wall second, lately.
    pub speed_ratio: f64,
    /// Totals of the whole design.
    pub totals: Totals,
    /// One per component, by [`ComponentIx`].
    pub cards: Vec<CardView>,
    /// One per link, by [`LinkIx`].
    pub links: Vec<LinkView>,
    /// Tokens on wires.
    pub flights: Vec<Flight>,
    /// Events in flight for each token drawn: "1 of 240"; 1 when every event has its token.
    pub sampled_one_in: u64,
    /// Rejected, lost, duplicate events, newest last; never sampled away before [`INCIDENTS_MAX`].
    pub incidents: Vec<Incident>,
    /// What was done to the run so far, oldest first.
    pub faults: Vec<FaultView>,
    /// Series of the whole design and of components.
    pub series: Vec<SeriesView>,
    /// How the expectations stand.
    pub expectations: Vec<ExpectationView>,
    /// The answer to the last `Inspect` command.
    pub inspected: Option<Arc<EventStory>>,
    /// The answer to the last `Browse` command.
    pub browsed: Option<Arc<Browsed>>,
    /// The report, once finished.
    pub report: Option<Arc<super::Report>>,
}

/// Headline counts, whole design.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Events born.
    pub produced: u64,
    /// Submissions accepted.
    pub accepted: u64,
    /// Submissions rejected.
    pub rejected: u64,
    /// Obligations delivered.
    pub delivered: u64,
    /// Second and later processings.
    pub duplicates: u64,
    /// Lost, dropped, abandoned, expired.
    pub lost: u64,
    /// Dead-lettered.
    pub dead_lettered: u64,
    /// Obligations not ended.
    pub in_flight: u64,
}

/// What a card shows while running.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CardView {
    /// Headline: events or requests a second over the last interval, over all that was measured once a run has ended.
    pub rate_per_s: f64,
    /// Waiting inside: queue length, or lag for a consumer.
    pub queue: f64,
    /// What `queue` is: `queue`, `lag`, `buffered`, empty when the kind has none.
    pub queue_label: &'static str,
    /// Busy share of its servers over the same time, when it has any.
    pub utilisation_ratio: Option<f64>,
    /// It has instances, and all of them have stopped.
    pub is_down: bool,
    /// How far a read model is behind, where it keeps one.
    pub freshness: Option<Freshness>,
    /// Something is wrong in the last interval: rejections, failures, losses.
    pub trouble: bool,
    /// The schemas that it uses now.
    pub schemas: Vec<SchemaUse>,
    /// Further lines for the opened card and the inspector: (label, value as text).
    pub details: Vec<(String, String)>,
}

/// How a read model stands to what has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Freshness {
    /// Age of the last event when it was applied.
    pub lag_ms: f64,
    /// Share of reads that gave an old row; none where nobody has read.
    pub stale_ratio: Option<f64>,
}

/// What a wire shows while running.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkView {
    /// Events a second over the last interval, or all that was measured; both ways of a call counted once.
    pub rate_per_s: f64,
    /// Messages under way.
    pub in_flight: u64,
    /// Messages lost so far.
    pub lost: u64,
}

/// How a token ends, for its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum FlightStatus {
    /// An event on its way.
    Normal,
    /// An answer that says no.
    Rejected,
    /// It will vanish on this link.
    Lost,
    /// Seen before.
    Duplicate,
}

/// One token on one wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flight {
    /// Which wire.
    pub link: LinkIx,
    /// Whether it goes against the link's direction (a reply).
    pub backwards: bool,
    /// Which event.
    pub event: EventId,
    /// Its type, for the colour.
    pub event_type: EventTypeIx,
    /// Virtual departure.
    pub start: SimTime,
    /// Virtual arrival.
    pub end: SimTime,
    /// Its look.
    pub status: FlightStatus,
}

/// A rejected, lost or duplicate event.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// When.
    pub at: SimTime,
    /// Where.
    pub component: ComponentIx,
    /// Which event.
    pub event: EventId,
    /// Its type.
    pub event_type: EventTypeIx,
    /// Its look.
    pub status: FlightStatus,
    /// `rejected at edge: field amount is text, schema wants double`.
    pub words: String,
}

/// A down-sampled series. Metrics of the whole design have no component:
/// `produced_per_s`, `delivered_per_s`, `rejected_per_s`, `latency_ms_p50/p95/p99/max`, `lag` (label: group).
/// Per component the same where it has them, and `queue`, `utilisation_ratio`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesView {
    /// Metric name.
    pub metric: Arc<str>,
    /// Which component; none for the whole design.
    pub component: Option<ComponentIx>,
    /// Group, topic… or empty.
    pub label: Arc<str>,
    /// Seconds of virtual time and value, in time order; NaN never occurs.
    pub points: Arc<[[f64; 2]]>,
}

/// How an expectation stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExpectationView {
    /// As written.
    pub text: String,
    /// Met so far, missed, or not yet judged.
    pub state: ExpectationState,
    /// The figure it compares, as text with unit.
    pub figure: String,
    /// First moment it broke.
    pub broke_at: Option<SimTime>,
}

/// Met or missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpectationState {
    /// Holds so far, or held to the end.
    Met,
    /// Broken.
    Missed,
    /// Too early to say (`after 30s`), or no observation.
    Pending,
}

/// Everything known of one event, for the window's event panel.
#[derive(Clone, Debug, PartialEq)]
pub struct EventStory {
    /// `web-17`.
    pub name: String,
    /// Which.
    pub id: EventId,
    /// Type name.
    pub event_type: String,
    /// Birth.
    pub born: SimTime,
    /// Key as text, if any.
    pub key: Option<String>,
    /// Headers written out: CloudEvents attributes and `traceparent`.
    pub headers: Vec<(String, String)>,
    /// `orders-value v2 (id 7)`, if it has a schema.
    pub schema: Option<String>,
    /// Payload decoded to pretty JSON, or hex with the reason why it cannot be decoded.
    pub payload: String,
    /// Payload size.
    pub payload_bytes: usize,
    /// The path so far in time order.
    pub hops: Vec<StoryHop>,
    /// Hops beyond the 64 kept.
    pub hops_dropped: u32,
}

/// One line of an event's path.
#[derive(Clone, Debug, PartialEq)]
pub struct StoryHop {
    /// Component id.
    pub component: String,
    /// When it arrived.
    pub at: SimTime,
    /// Waiting there.
    pub waited: SimDuration,
    /// Work there.
    pub worked: SimDuration,
    /// `orders[3] @ 1207`, where it stands in a log.
    pub place: Option<String>,
    /// Why the step ended as it did.
    pub words: String,
    /// For a mark beside the line.
    pub status: FlightStatus,
}
