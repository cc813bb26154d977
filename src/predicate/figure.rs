//! The figures that an expectation may name: one table, read by the parser, the docs and completion.

use std::fmt;

use crate::units::{Bytes, Rate, Ratio, SimDuration};

/// Where a run's figures come from; implemented by the recorder.
pub trait FigureSource {
    /// The figure now, in base units: seconds, ratio (1.0 is 100 %), count, per second, bytes; truth as 1.0 or 0.0.
    /// None while nothing was observed.
    fn figure(&self, figure: &FigureRef) -> Option<f64>;
}

/// One figure of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FigureRef {
    /// Which.
    pub function: FigureFn,
    /// Of what: one of [`FigureSpec::metrics`] (`latency`, `produced`, `in_flight`, `exactly_once`); none when that list is empty.
    pub metric: Option<String>,
    /// Of which component, group or topic, as [`FigureSpec::target`] allows; none is the whole design.
    pub target: Option<String>,
}

/// The figures' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is described by its line of the table below")]
pub enum FigureFn {
    P50,
    P95,
    P99,
    P999,
    Mean,
    Max,
    Rate,
    Count,
    Lost,
    Dropped,
    Rejected,
    Duplicates,
    DeadLettered,
    Expired,
    Skipped,
    InFlight,
    DeliveredShare,
    Lag,
    Rebalances,
    Paused,
    LongestPause,
    Queue,
    Utilisation,
    LogBytes,
    Submissions,
    Obligations,
    Figure,
    Guarantee,
}

/// What a value is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A bare number in the text; takes the unit of what stands beside it where that is a count or a share.
    Plain,
    /// How many.
    Count,
    /// A share; 1.0 is 100 %.
    Ratio,
    /// Seconds.
    Duration,
    /// Per second.
    Rate,
    /// Bytes.
    Size,
    /// Holds (1.0) or not (0.0).
    Truth,
}

/// How a figure is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Over the run so far (a percentile, a total): the value at the end decides.
    Cumulative {
        /// Never falls: a lower bound that does not hold yet may hold later, an upper bound once broken stays broken.
        grows: bool,
    },
    /// As of now (a queue) or over the last second (a rate): breaks at any instant.
    Instant,
}

/// Which names a figure takes as its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetKinds {
    /// A component's id.
    pub component: bool,
    /// A consumer group.
    pub group: bool,
    /// A topic.
    pub topic: bool,
}

impl fmt::Display for TargetKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = [(self.component, "component"), (self.group, "group"), (self.topic, "topic")]
            .into_iter()
            .filter_map(|(allowed, word)| allowed.then_some(word))
            .collect();
        f.write_str(&words.join(" or "))
    }
}

/// Whether a figure takes a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Never.
    None,
    /// May; without it the figure is the whole design's.
    Optional(TargetKinds),
    /// Must.
    Required(TargetKinds),
}

impl Target {
    /// What the name may be.
    #[must_use]
    pub fn kinds(self) -> TargetKinds {
        match self {
            Self::None => kinds(""),
            Self::Optional(kinds) | Self::Required(kinds) => kinds,
        }
    }
}

/// One line of the table of figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FigureSpec {
    /// Which.
    pub function: FigureFn,
    /// As written.
    pub name: &'static str,
    /// What it may be of; empty when it takes no such word.
    pub metrics: &'static [&'static str],
    /// Whose.
    pub target: Target,
    /// Unit of the value.
    pub unit: Unit,
    /// How it is judged.
    pub mode: Mode,
    /// The target comes before the word (`guarantee("billing", exactly_once)`).
    pub target_first: bool,
    /// For the docs and completion.
    pub help: &'static str,
}

const TIMES: &[&str] = &["latency", "wait", "root_latency"];
const FLOWS: &[&str] = &["produced", "accepted", "delivered", "rejected"];
const SUBMISSIONS: &[&str] = &["created", "accepted", "rejected", "dropped", "abandoned", "in_flight", "derived", "duplicate_appends"];
const OBLIGATIONS: &[&str] = &[
    "created",
    "delivered",
    "failed_skipped",
    "rejected_at_consumer",
    "dead_lettered",
    "forwarded",
    "compacted",
    "filtered",
    "aborted",
    "expired",
    "skipped",
    "lost",
    "in_flight",
    "duplicate_deliveries",
];
/// What a group can be promised.
pub const GUARANTEES: &[&str] = &["at_least_once", "at_most_once", "exactly_once", "ordered_per_key"];
const MOVES: Mode = Mode::Cumulative { grows: false };
const GROWS: Mode = Mode::Cumulative { grows: true };

const fn kinds(letters: &str) -> TargetKinds {
    let bytes = letters.as_bytes();
    let mut kinds = TargetKinds { component: false, group: false, topic: false };
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'c' => kinds.component = true,
            b'g' => kinds.group = true,
            _ => kinds.topic = true,
        }
        at += 1;
    }
    kinds
}
const fn optional(letters: &str) -> Target {
    Target::Optional(kinds(letters))
}
const fn required(letters: &str) -> Target {
    Target::Required(kinds(letters))
}
const fn row(
    function: FigureFn,
    name: &'static str,
    metrics: &'static [&'static str],
    target: Target,
    (unit, mode): (Unit, Mode),
    help: &'static str,
) -> FigureSpec {
    FigureSpec { function, name, metrics, target, unit, mode, target_first: matches!(function, FigureFn::Guarantee), help }
}

/// What services, bridges, outgoing events and database connectors tell of their state.
const OF_SERVICES: &[&str] = &[
    "stale_reads_ratio",
    "projection_lag_ms_mean",
    "projection_lag_ms_max",
    "rebuild_ms",
    "unpublished_count",
    "phantom_count",
    "conflicts_count",
    "deduplicated_count",
    "events_read_count",
    "events_stored_count",
    "outbox_rows",
    "instances",
    "forwarded_count",
    "pool_queue_length",
    "pool_refused_count",
    "sagas_begun_count",
    "sagas_completed_count",
    "sagas_compensated_count",
    "sagas_open",
    "streams_open",
    "deadlines_passed_count",
    "saga_timeouts_count",
    "fallbacks_count",
    "calls_count",
    "calls_refused_count",
    "breaker_opened_count",
    "stopped_tasks_count",
    "repeats_processed_count",
    "signatures_refused_count",
    "endpoints_disabled",
    "missed_count",
    "violations_count",
];

use FigureFn as F;

/// Every figure, in the order of [`FigureFn`].
const TABLE: &[FigureSpec] = &[
    row(F::P50, "p50", TIMES, optional("cgt"), (Unit::Duration, MOVES), "Median since the warm-up"),
    row(F::P95, "p95", TIMES, optional("cgt"), (Unit::Duration, MOVES), "95th percentile since the warm-up"),
    row(F::P99, "p99", TIMES, optional("cgt"), (Unit::Duration, MOVES), "99th percentile since the warm-up"),
    row(F::P999, "p999", TIMES, optional("cgt"), (Unit::Duration, MOVES), "99.9th percentile since the warm-up"),
    row(F::Mean, "mean", TIMES, optional("cgt"), (Unit::Duration, MOVES), "Mean since the warm-up"),
    row(F::Max, "max", TIMES, optional("cgt"), (Unit::Duration, MOVES), "Longest since the warm-up"),
    row(F::Rate, "rate", FLOWS, optional("cgt"), (Unit::Rate, Mode::Instant), "Events a second over the last second"),
    row(F::Count, "count", FLOWS, optional("cgt"), (Unit::Count, GROWS), "Events so far"),
    row(
        F::Lost,
        "lost",
        &[],
        optional("ct"),
        (Unit::Count, GROWS),
        "Acknowledged or committed, and gone; of a design or a client also dropped or given up",
    ),
    row(F::Dropped, "dropped", &[], optional("c"), (Unit::Count, GROWS), "The client had no room for them"),
    row(F::Rejected, "rejected", &[], optional("c"), (Unit::Count, GROWS), "Submissions refused for good"),
    row(F::Duplicates, "duplicates", &[], optional("cgt"), (Unit::Count, GROWS), "Processed more than once"),
    row(F::DeadLettered, "dead_lettered", &[], optional("cgt"), (Unit::Count, GROWS), "Written to a dead-letter topic"),
    row(F::Expired, "expired", &[], optional("cgt"), (Unit::Count, GROWS), "Gone by retention before they were read"),
    row(F::Skipped, "skipped", &[], optional("cgt"), (Unit::Count, GROWS), "Older than the group's beginning"),
    row(F::InFlight, "in_flight", &[], optional("cgt"), (Unit::Count, Mode::Instant), "Not ended yet"),
    row(F::DeliveredShare, "delivered_share", &[], optional("cgt"), (Unit::Ratio, MOVES), "Delivered obligations of all that were created"),
    row(F::Lag, "lag", &[], required("cg"), (Unit::Count, Mode::Instant), "Records that a group has not read yet"),
    row(
        F::Rebalances,
        "rebalances",
        &[],
        required("cg"),
        (Unit::Count, GROWS),
        "Generations that a group has begun, the first among them; under the consumer protocol how often partitions were dealt out",
    ),
    row(
        F::Paused,
        "paused",
        &[],
        required("cg"),
        (Unit::Duration, GROWS),
        "Time in which partitions stood still, summed over a group's partitions",
    ),
    row(F::LongestPause, "longest_pause", &[], required("cg"), (Unit::Duration, GROWS), "Longest time in which a partition stood still"),
    row(F::Queue, "queue", &[], required("c"), (Unit::Count, Mode::Instant), "Work that waits inside a component"),
    row(F::Utilisation, "utilisation", &[], required("c"), (Unit::Ratio, Mode::Instant), "Busy share of its servers over the last second"),
    row(F::LogBytes, "log_bytes", &[], optional("ct"), (Unit::Size, Mode::Instant), "What a topic's log holds"),
    row(F::Submissions, "submissions", SUBMISSIONS, Target::None, (Unit::Count, GROWS), "A term of the ledger of submissions"),
    row(F::Obligations, "obligations", OBLIGATIONS, Target::None, (Unit::Count, GROWS), "A term of the ledger of obligations"),
    row(F::Figure, "figure", OF_SERVICES, required("c"), (Unit::Count, MOVES), "What a service tells of its state"),
    row(F::Guarantee, "guarantee", GUARANTEES, required("cg"), (Unit::Truth, MOVES), "What a group was promised, seen from its ledger"),
];

impl FigureFn {
    /// Every figure's line, in this enum's order.
    #[must_use]
    pub fn table() -> &'static [FigureSpec] {
        TABLE
    }
    /// Its line of the table.
    #[must_use]
    pub fn spec(self) -> &'static FigureSpec {
        &TABLE[self as usize]
    }
    /// Whether it is a term of the ledger, written with a dot: `submissions.accepted`.
    #[must_use]
    pub fn is_ledger(self) -> bool {
        matches!(self, Self::Submissions | Self::Obligations)
    }
}

impl FigureRef {
    /// How it is judged: a ledger's `in_flight` comes and goes, its other terms only grow.
    #[must_use]
    pub fn mode(&self) -> Mode {
        if self.function.is_ledger() && self.metric.as_deref() == Some("in_flight") { Mode::Instant } else { self.function.spec().mode }
    }
}

impl fmt::Display for FigureRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spec = self.function.spec();
        let quoted = self.target.as_ref().map(|name| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")));
        if self.function.is_ledger() {
            return write!(f, "{}.{}", spec.name, self.metric.as_deref().unwrap_or_default());
        }
        let mut arguments: Vec<&str> = [self.metric.as_deref(), quoted.as_deref()].into_iter().flatten().collect();
        if spec.target_first {
            arguments.reverse();
        }
        if arguments.is_empty() { f.write_str(spec.name) } else { write!(f, "{}({})", spec.name, arguments.join(", ")) }
    }
}

impl Unit {
    /// With an article, for messages.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Plain => "a bare number",
            Self::Count => "a count",
            Self::Ratio => "a share",
            Self::Duration => "a duration",
            Self::Rate => "a rate",
            Self::Size => "a size",
            Self::Truth => "a condition",
        }
    }
    /// How one is written, for hints.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Plain | Self::Count => "5000",
            Self::Ratio => "80%",
            Self::Duration => "200ms",
            Self::Rate => "1200/s",
            Self::Size => "64MiB",
            Self::Truth => "lost == 0",
        }
    }
    /// A value in base units as a person reads it, four significant digits for durations.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        let sign = if value < 0.0 { "-" } else { "" };
        let size = value.abs();
        let text = match self {
            Self::Plain | Self::Count => Rate(size).to_string().trim_end_matches("/s").to_owned(),
            Self::Ratio => Ratio(size).to_string(),
            Self::Duration => SimDuration::from_secs_f64(four_digits(size)).to_string(),
            Self::Rate => Rate(size).to_string(),
            Self::Size => Bytes(libm::round(size) as u64).to_string(),
            Self::Truth => return if value > 0.0 { "holds".to_owned() } else { "does not hold".to_owned() },
        };
        format!("{sign}{text}")
    }
}

/// Rounded to four significant digits, so that a duration shows no noise.
fn four_digits(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return value;
    }
    let scale = libm::pow(10.0, 3.0 - libm::floor(libm::log10(value)));
    if scale.is_finite() && scale > 0.0 { libm::round(value * scale) / scale } else { value }
}
