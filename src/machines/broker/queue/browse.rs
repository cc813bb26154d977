//! A queue's messages as a person looks at them. Reads only. Start at [`Queue::page`].

use std::sync::Arc;

use super::Queue;
use super::store::{State, Stored};
use crate::event::{HeldRecord, MessageState, PAGE_RECORDS_MAX, QueuePage, QueueRow, QueueStanding, Seek};
use crate::machines::broker::batch::{records, value_bytes};
use crate::units::SimTime;

impl Queue {
    /// How it stands, called `name`.
    #[must_use]
    pub fn standing(&self, now: SimTime, name: &Arc<str>) -> QueueStanding {
        let (counts, holdings) = (self.counts, self.holdings(now));
        QueueStanding {
            name: Arc::clone(name),
            is_fifo: self.cfg.fifo.is_some(),
            is_gone: !self.exists(),
            visible: holdings.visible as u64,
            in_flight: holdings.in_flight as u64,
            delayed: holdings.delayed as u64,
            oldest_age: holdings.oldest_age,
            sent: counts.sent,
            received_again: counts.received_again,
            deleted: counts.deleted,
            dead_lettered: counts.dead_lettered,
            expired: counts.expired,
        }
    }

    /// A page of its messages by number.
    #[must_use]
    pub fn page(&self, now: SimTime, name: &Arc<str>, seek: Seek, records_max: usize) -> QueuePage {
        let records_max = records_max.clamp(1, PAGE_RECORDS_MAX);
        let row = |(number, stored): (&u64, &Stored)| row(*number, stored);
        let messages = self.store.messages();
        let rows = match seek {
            Seek::From(number) => messages.range(number..).filter_map(row).take(records_max).collect(),
            Seek::FromTime(at) => messages.iter().skip_while(|(_, stored)| stored.sent < at).filter_map(row).take(records_max).collect(),
            Seek::Below(number) => {
                let mut rows: Vec<QueueRow> = messages.range(..number).rev().filter_map(row).take(records_max).collect();
                rows.reverse();
                rows
            }
        };
        QueuePage {
            standing: self.standing(now, name),
            first_number: self.store.first_number(),
            next_number: self.store.next_number(),
            rows,
        }
    }
}

fn row(number: u64, stored: &Stored) -> Option<QueueRow> {
    let record = records(&stored.batch).next()?;
    let held = HeldRecord {
        event: record.meta,
        key: record.key.map(|key| stored.batch.bytes.slice_ref(key)),
        value: (!record.is_tombstone).then(|| value_bytes(&stored.batch, &record)),
        schema_id: None,
    };
    let state = match stored.state {
        State::Visible => MessageState::Visible,
        State::Delayed { until } => MessageState::Delayed(until),
        State::InFlight { until, .. } => MessageState::InFlight(until),
    };
    Some(QueueRow { number, record: held, sent: stored.sent, receives: stored.receives, group: stored.group.clone(), state })
}
