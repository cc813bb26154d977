//! What a finished run says: plain data behind the JSON report, the summary and the HTML page.
//!
//! Everything but [`Report::wall`] is the same, byte for byte, for the same project, scenario and seed.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The stable JSON report. Field order is the order below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `eventyard-report/1`.
    pub format: String,
    /// The project's name.
    pub project: String,
    /// The scenario's name; empty for the design's own loads.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// Virtual length.
    pub virtual_s: f64,
    /// Cut from the head of the figures.
    pub warm_up_s: f64,
    /// Program, hashes, profiles, defaults that matter.
    pub provenance: Provenance,
    /// Met or missed, in the project's order.
    pub expectations: Vec<ExpectationResult>,
    /// Remarks on the figures: `not stationary: figures depend on --for`, `uncalibrated: …`.
    pub remarks: Vec<String>,
    /// The project's own assumptions.
    pub assumptions: Vec<String>,
    /// The project's own decisions.
    pub decisions: Vec<String>,
    /// What detectors saw by topic and group: repeated, missing and disordered events; absent when all was well.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub anomalies: Vec<Anomaly>,
    /// What was done to the run, by its scenario and by hand; absent when nothing was.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub faults: Vec<Fault>,
    /// The kernel.
    pub engine: EngineFigures,
    /// Both balances.
    pub ledger: Ledger,
    /// Headline figures of the whole design.
    pub totals: IndexMap<String, f64>,
    /// Figures by component id.
    pub components: IndexMap<String, IndexMap<String, f64>>,
    /// Figures by link id.
    pub links: IndexMap<String, IndexMap<String, f64>>,
    /// Down-sampled series.
    pub series: Vec<Series>,
    /// With `--repeats`: each figure with its interval; otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repeats: Option<Repeats>,
    /// The only part that differs between two runs.
    pub wall: Wall,
}

/// Where the figures come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// `eventyard 0.1.0`.
    pub program: String,
    /// 128-bit hash of the project's meaning (not its layout) in hexadecimal.
    pub project_hash: String,
    /// Hash of each schema by name.
    pub schema_hashes: BTreeMap<String, String>,
    /// Profile of each component that has one.
    pub profiles: BTreeMap<String, String>,
    /// Resolved values of cost parameters: `component.param` → value (source).
    pub defaults: BTreeMap<String, String>,
    /// Overrides by scenario and command line.
    pub overrides: BTreeMap<String, String>,
    /// Whether assumed cost defaults were in use.
    pub uncalibrated: bool,
}

/// An expectation's end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpectationResult {
    /// As written.
    pub text: String,
    /// Whether it held.
    pub met: bool,
    /// The figure it was judged by, with unit; `no observations` when there is none.
    pub figure: String,
    /// The first moment it broke.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub broke_at_s: Option<f64>,
}

/// Events of one topic that a group got twice, never, or out of order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Topic.
    pub topic: String,
    /// Group.
    pub group: String,
    /// `duplicate`, `gap`, `stale_read`, `out_of_order` (watched only where an expectation asks for order by key).
    pub what: String,
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first_event: String,
    /// When that was seen.
    pub first_at_s: f64,
    /// The same in words.
    pub first: String,
}

/// A fault, or a change of a parameter while the run went. Its place, time, action and arguments are those of an entry
/// of a scenario's `faults`, so that a run with clicks can be written down and replayed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Virtual second.
    pub at_s: f64,
    /// When it ended, where it lasts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until_s: Option<f64>,
    /// A component's id, or a link's.
    pub target: String,
    /// `set`, `crash-node`, `cut`…
    pub action: String,
    /// Its arguments as files write them.
    pub params: IndexMap<String, String>,
    /// Why it was not done, if it was not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<String>,
    /// What it did itself: `messages_dropped`…
    pub effects: BTreeMap<String, u64>,
    /// What the ledger counted while it was on, or from then to the end.
    pub while_on: WhileOn,
}

/// Bad ends and repetitions over a span of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WhileOn {
    /// Submissions rejected.
    pub rejected: u64,
    /// Submissions dropped or abandoned.
    pub abandoned: u64,
    /// Obligations lost.
    pub lost: u64,
    /// Second appends and second processings.
    pub duplicates: u64,
}

impl WhileOn {
    /// What was added since.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            rejected: self.rejected.saturating_sub(before.rejected),
            abandoned: self.abandoned.saturating_sub(before.abandoned),
            lost: self.lost.saturating_sub(before.lost),
            duplicates: self.duplicates.saturating_sub(before.duplicates),
        }
    }
}

/// The kernel's figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EngineFigures {
    /// Turns of the kernel.
    pub steps: u64,
    /// Most pending entries at once.
    pub pending_max: u64,
}

/// Both balances.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Both balance.
    pub balanced: bool,
    /// Event × first durable target.
    pub submissions: Submissions,
    /// Event × topic × group.
    pub obligations: Obligations,
    /// Both balances of each event type.
    pub event_types: Vec<OfEventType>,
    /// The obligations on each way from a producer over a topic to a group.
    pub paths: Vec<OfPath>,
    /// Why events ended badly: where, why, how many, the first few by name.
    pub reasons: Vec<ReasonCount>,
    /// Acknowledged events that a cluster lost, the first thousand by name, in the order of their loss; absent
    /// when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lost: Vec<LostEvent>,
}

/// What became of the events of one type, of all producers and over all topics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfEventType {
    /// The type's name.
    pub event_type: String,
    /// On their way into a topic.
    pub submissions: Submissions,
    /// On their way out of topics.
    pub obligations: Obligations,
}

/// What became of one producer's events in one topic towards one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfPath {
    /// Component id of the producer.
    pub producer: String,
    /// Topic or queue.
    pub topic: String,
    /// Group or subscription.
    pub group: String,
    /// How they ended.
    pub obligations: Obligations,
}

/// An acknowledged event that is in no log any more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LostEvent {
    /// Its name.
    pub event: String,
    /// Where it stood: topic,
    pub topic: String,
    /// partition,
    pub partition: u32,
    /// and offset.
    pub offset: u64,
    /// When it was lost.
    pub at_s: f64,
    /// Why, in words.
    pub why: String,
}

/// Every submission ends as one of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Submissions {
    /// The terms add up.
    pub balanced: bool,
    /// Events born.
    pub created: u64,
    /// Stand in a log, or were taken by a target that is none.
    pub accepted: u64,
    /// Refused for good.
    pub rejected: u64,
    /// The client had no room.
    pub dropped: u64,
    /// The client gave up.
    pub abandoned: u64,
    /// Not ended at the end of the run.
    pub in_flight: u64,
    /// Of those created, made from other events; beside the balance.
    pub derived: u64,
    /// Appended more than once; beside the balance.
    pub duplicate_appends: u64,
}

/// Every obligation ends as one of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Obligations {
    /// The terms add up.
    pub balanced: bool,
    /// Created by first appends.
    pub created: u64,
    /// First successful processing.
    pub delivered: u64,
    /// Failed for good and skipped.
    pub failed_skipped: u64,
    /// Unreadable for the consumer.
    pub rejected_at_consumer: u64,
    /// Written to a dead-letter topic.
    pub dead_lettered: u64,
    /// Written to a retry topic, or taken by a subscription's queue.
    pub forwarded: u64,
    /// Not for this subscription, by its filter policy.
    pub filtered: u64,
    /// Their transaction was aborted, and the group reads what is committed.
    pub aborted: u64,
    /// Gone by retention.
    pub expired: u64,
    /// Gone by compaction: a later value of the key stands in the log.
    pub compacted: u64,
    /// Before the group's beginning.
    pub skipped: u64,
    /// Acknowledged, or committed, and gone.
    pub lost: u64,
    /// Not ended at the end of the run.
    pub in_flight: u64,
    /// Processed more than once, or after another result of the same event; beside the balance.
    pub duplicate_deliveries: u64,
    /// Among the delivered: by a group that began late, from what stood there. Latencies and rates leave them out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub backfilled: u64,
    /// Processed once more by a reader that begins anew with everything; beside the balance, and no duplicates.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replayed: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Obligations {
    /// Those that were to end in processing: neither passed on, where another obligation stands for the
    /// event, nor filtered, nor taken back by their producer.
    #[must_use]
    pub fn owed(&self) -> u64 {
        self.created - self.forwarded - self.filtered - self.aborted
    }
}

/// Events that ended badly for one reason at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// `rejected`, `dropped`, `abandoned`, `expired`, `lost`, `dead_lettered`…
    pub end: String,
    /// Component id.
    pub at: String,
    /// Event type.
    pub event_type: String,
    /// Stable code.
    pub code: String,
    /// Words of the first one.
    pub detail: String,
    /// How many.
    pub count: u64,
    /// The first few events: name and virtual second.
    pub first: Vec<(String, f64)>,
}

/// One series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Metric name with unit.
    pub metric: String,
    /// Component id, or empty.
    pub component: String,
    /// Group, topic…, or empty.
    pub label: String,
    /// `counter`, `gauge`, `histogram`.
    pub kind: String,
    /// Virtual width of a point.
    pub interval_s: f64,
    /// Seconds and value.
    pub points: Vec<[f64; 2]>,
}

/// Figures over independent repeats.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    /// How many.
    pub count: u32,
    /// Their seeds.
    pub seeds: Vec<u64>,
    /// By figure name.
    pub figures: IndexMap<String, Interval>,
}

/// A mean with its 95 % interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Mean over repeats.
    pub mean: f64,
    /// Half-width of the 95 % interval (Student's t).
    pub half_width: f64,
    /// Repeats wanted for ±2 % of the mean; 0 when the mean is zero.
    pub repeats_for_2_percent: u32,
}

/// Wall-clock figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wall {
    /// Wall time of the run, load and compile excluded.
    pub run_s: f64,
    /// Kernel steps a second of wall time.
    pub steps_per_s: f64,
    /// Produced events a second of wall time.
    pub events_per_s: f64,
    /// Largest resident set of the process.
    pub peak_rss_bytes: u64,
}
