//! What a person is shown of what a running component holds: a question, and a bounded answer.
//!
//! In: a [`Query`]. Out: an [`Answer`] as of now; records are handles to the bytes that the component keeps, not copies.
//! Asking changes nothing, so a run is the same whether somebody looks or not.

use std::sync::Arc;

use bytes::Bytes;

use super::{EventMeta, QueuePage, QueueStanding, SchemaUse, ServiceQuery, ServiceStanding, SubjectStanding, SubscriptionStanding};
use crate::units::SimTime;

/// Records of one page; whoever wants more asks for the next page.
pub const PAGE_RECORDS_MAX: usize = 200;

/// A question to a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// How each of its partitions stands.
    Partitions,
    /// How every queue and every subscription of the design stands, whichever component is asked.
    Queues,
    /// How each of its subjects stands.
    Subjects,
    /// Which schemas it uses.
    SchemaUses,
    /// What a service keeps.
    Service(ServiceQuery),
    /// A page of what a topic or queue holds.
    Records {
        /// Which topic; a queue is its own.
        topic: Arc<str>,
        /// Which of its partitions.
        partition: u32,
        /// Where the page lies.
        seek: Seek,
        /// How many, at most [`PAGE_RECORDS_MAX`].
        records_max: usize,
    },
}

/// Where a page of records lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seek {
    /// From this offset on.
    From(u64),
    /// From the first record of this instant or later on.
    FromTime(SimTime),
    /// The last ones below this offset.
    Below(u64),
}

impl Seek {
    /// The newest records, whatever is appended.
    pub const END: Self = Self::Below(u64::MAX);
}

/// What a component answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// In the order of the design.
    Partitions(Vec<PartitionStanding>),
    /// In the order of the design.
    Queues(Vec<QueueStanding>, Vec<SubscriptionStanding>),
    /// By name; at most [`SUBJECTS_SHOWN_MAX`](super::SUBJECTS_SHOWN_MAX).
    Subjects(Vec<SubjectStanding>),
    /// In the order of its parameters; at most [`SCHEMA_USES_MAX`](super::SCHEMA_USES_MAX).
    SchemaUses(Vec<SchemaUse>),
    /// Of a log.
    Log(LogPage),
    /// Of a queue.
    Queue(QueuePage),
    /// Of a service.
    Service(Box<ServiceStanding>),
}

impl Answer {
    /// Its records, to note what is known of them elsewhere.
    pub fn records_mut(&mut self) -> impl Iterator<Item = &mut HeldRecord> {
        let (of_log, of_queue) = match self {
            Self::Log(page) => (&mut page.rows[..], &mut [][..]),
            Self::Queue(page) => (&mut [][..], &mut page.rows[..]),
            Self::Partitions(_) | Self::Queues(..) | Self::Subjects(_) | Self::SchemaUses(_) | Self::Service(_) => {
                (&mut [][..], &mut [][..])
            }
        };
        let of_log = of_log.iter_mut().filter_map(|row| match &mut row.content {
            LogContent::Record(record, _) => Some(record),
            LogContent::Marker { .. } | LogContent::Gap { .. } => None,
        });
        of_log.chain(of_queue.iter_mut().map(|row| &mut row.record))
    }
    /// The record at an offset, or the message of a number, of the page.
    #[must_use]
    pub fn record_at(&self, place: u64) -> Option<&HeldRecord> {
        match self {
            Self::Log(page) => page.rows.iter().filter(|row| row.offset == place).find_map(|row| match &row.content {
                LogContent::Record(record, _) => Some(record),
                LogContent::Marker { .. } | LogContent::Gap { .. } => None,
            }),
            Self::Queue(page) => page.rows.iter().find(|row| row.number == place).map(|row| &row.record),
            Self::Partitions(_) | Self::Queues(..) | Self::Subjects(_) | Self::SchemaUses(_) | Self::Service(_) => None,
        }
    }
}

/// How a partition stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionStanding {
    /// Of which topic.
    pub topic: Arc<str>,
    /// Its number.
    pub partition: u32,
    /// The node that leads it; none while it is offline.
    pub leader: Option<u32>,
    /// Of the leader.
    pub epoch: u32,
    /// Each node with a replica, and whether it is in sync; the preferred leader first.
    pub replicas: Vec<(u32, bool)>,
    /// Where its log begins, ends, and what readers see of it.
    pub marks: LogMarks,
    /// Size of its log.
    pub log_bytes: u64,
    /// Segments of its log.
    pub segments: usize,
    /// Records that each group has still to read.
    pub lags: Vec<(Arc<str>, u64)>,
}

/// Offsets that matter in a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogMarks {
    /// The first that is kept.
    pub log_start: u64,
    /// Readers of committed records see what is below; none where nobody has written in transactions.
    pub last_stable: Option<u64>,
    /// Readers see what is below.
    pub high_watermark: u64,
    /// Of the next record.
    pub log_end: u64,
}

/// A page of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogPage {
    /// Partitions that its topic has now: an operator may have added some.
    pub partitions: u32,
    /// Of the whole log.
    pub marks: LogMarks,
    /// By offset without a hole: what is missing is a [`LogContent::Gap`].
    pub rows: Vec<LogRow>,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    /// Its offset; the first one of a gap.
    pub offset: u64,
    /// What stands there.
    pub content: LogContent,
}

/// What stands at an offset.
#[derive(Clone, Debug, PartialEq)]
pub enum LogContent {
    /// A record.
    Record(HeldRecord, LogStanding),
    /// A control record: the end of a transaction, which no reader sees.
    Marker {
        /// Or aborts.
        commits: bool,
        /// When it was written.
        at: SimTime,
    },
    /// Records that compaction removed, up to this offset (not included).
    Gap {
        /// The next offset that stands.
        until: u64,
    },
}

impl LogRow {
    /// The offset behind it.
    #[must_use]
    pub fn next_offset(&self) -> u64 {
        match self.content {
            LogContent::Gap { until } => until,
            LogContent::Record(..) | LogContent::Marker { .. } => self.offset + 1,
        }
    }
}

/// Who sees a record of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStanding {
    /// Every reader.
    Settled,
    /// Nobody yet: it is not on every replica in sync.
    Unreplicated,
    /// Not yet the readers of committed records: a transaction is open.
    Undecided,
    /// Never the readers of committed records: its transaction was aborted.
    Aborted,
}

/// A record as its holder keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldRecord {
    /// Which event.
    pub event: EventMeta,
    /// Key.
    pub key: Option<Bytes>,
    /// Payload; none in a tombstone.
    pub value: Option<Bytes>,
    /// The schema that the payload's header names, by the number of the run's registries; who holds a record does not know it.
    pub schema_id: Option<u32>,
}

impl HeldRecord {
    /// Key and payload together.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.key.as_ref().map_or(0, Bytes::len) + self.value.as_ref().map_or(0, Bytes::len)
    }
}
