//! What a source's records look like: a row, or an envelope of before and after.
//!
//! Source: debezium.io/documentation/reference/stable/connectors/postgresql.html, "Data change events".

use std::sync::Arc;

use bytes::Bytes;

use super::table::{Cells, Op};
use crate::units::SimTime;

/// Names that stand in records.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// `topic.prefix` of the connector.
    pub prefix: Arc<str>,
    pub table: Arc<str>,
}

/// The key of a row's records.
pub(super) fn key(id: i64) -> Bytes {
    format!("{{\"id\":{id}}}").into()
}

/// A row as a polling connector writes it.
pub(super) fn row(id: i64, cells: &Cells) -> Bytes {
    shown(id, cells).into()
}

/// A change as Debezium writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope {
    pub id: i64,
    pub before: Option<Cells>,
    pub after: Option<Cells>,
    pub op: Captured,
    /// Its place in the log, and when it was committed.
    pub lsn: u64,
    pub committed: SimTime,
}

/// `op` of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Captured {
    Change(Op),
    /// A row that stood there when the connector began.
    Snapshot,
}

impl Envelope {
    pub fn write(&self, names: &Names, now: SimTime) -> Bytes {
        let of = |cells: &Option<Cells>| cells.as_ref().map_or_else(|| "null".to_owned(), |cells| shown(self.id, cells));
        let op = match self.op {
            Captured::Snapshot => 'r',
            Captured::Change(Op::Insert) => 'c',
            Captured::Change(Op::Update) => 'u',
            Captured::Change(Op::Delete) => 'd',
        };
        let text = |text: &str| serde_json::Value::from(text).to_string();
        format!(
            "{{\"before\":{},\"after\":{},\"source\":{{\"connector\":\"postgresql\",\"name\":{},\"ts_ms\":{},\"snapshot\":\"{}\",\"table\":{},\"lsn\":{}}},\"op\":\"{op}\",\"ts_ms\":{}}}",
            of(&self.before),
            of(&self.after),
            text(&names.prefix),
            ms(self.committed),
            self.op == Captured::Snapshot,
            text(&names.table),
            self.lsn,
            ms(now),
        )
        .into()
    }
}

fn shown(id: i64, cells: &Cells) -> String {
    let Cells { customer, amount_cents, version, updated_ms } = cells;
    let (whole, cents) = (amount_cents / 100, amount_cents % 100);
    format!(
        "{{\"id\":{id},\"customer\":\"customer-{customer}\",\"amount\":{whole}.{cents:02},\"version\":{version},\"updated_at\":{updated_ms}}}"
    )
}

pub(super) fn ms(at: SimTime) -> i64 {
    i64::try_from(at.as_ns() / 1_000_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    #[test]
    fn an_envelope_says_before_and_after() {
        let cells = |version| Cells { customer: 7, amount_cents: 1_205, version, updated_ms: 3_000 };
        let names = Names { prefix: "shop".into(), table: "a\"b".into() };
        let envelope = Envelope {
            id: 4,
            before: Some(cells(1)),
            after: Some(cells(2)),
            op: Captured::Change(Op::Update),
            lsn: 9,
            committed: SimTime::from_ns(3_500_000_000),
        };
        let read: Json = serde_json::from_slice(&envelope.write(&names, SimTime::from_ns(4_000_000_000))).expect("JSON");
        let row = |version: u64| json!({"id": 4, "customer": "customer-7", "amount": 12.05, "version": version, "updated_at": 3_000});
        let source = json!({"connector": "postgresql", "name": "shop", "ts_ms": 3_500, "snapshot": "false", "table": "a\"b", "lsn": 9});
        assert_eq!(read, json!({"before": row(1), "after": row(2), "source": source, "op": "u", "ts_ms": 4_000}));
        let gone = Envelope { after: None, op: Captured::Change(Op::Delete), ..envelope };
        let read: Json = serde_json::from_slice(&gone.write(&names, SimTime::ZERO)).expect("JSON");
        assert_eq!((&read["op"], &read["after"]), (&json!("d"), &Json::Null));
    }
}
