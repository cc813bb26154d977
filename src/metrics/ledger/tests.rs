//! What a cut log means to the books, step by step; they balance after each.

use super::Ledger;
use crate::event::{Appended, Ended, EventId, EventMeta, ObligationEnd, Outcome, Reason, RecordBatch, Settled, Truncated};
use crate::machines::broker::batch::BatchBuilder;
use crate::metrics::{Names, report};
use crate::units::{ComponentIx, GroupIx, SimDuration, SimTime, TopicIx};

const WEB: ComponentIx = ComponentIx(0);
const SHOP: ComponentIx = ComponentIx(1);
const BILLING: ComponentIx = ComponentIx(2);
const ORDERS: TopicIx = TopicIx(0);
const NOW: SimTime = SimTime::ZERO;

fn event(seq: u64) -> EventMeta {
    EventMeta { id: EventId { producer: WEB, seq }, ..EventMeta::default() }
}

fn batch(seq: u64) -> RecordBatch {
    let mut builder = BatchBuilder::default();
    builder.push(&event(seq), None, &[7], 0, false);
    builder.finish()
}

/// So many events, born and appended in order.
fn ledger(events: u64) -> Ledger {
    let mut ledger = Ledger::new(3, &[1], &[(GroupIx(0), vec![ORDERS])]);
    for seq in 0..events {
        ledger.born(&event(seq));
        append(&mut ledger, seq, seq);
    }
    ledger
}

fn append(ledger: &mut Ledger, seq: u64, base_offset: u64) {
    let appended = Appended { cluster: SHOP, topic: ORDERS, partition: 0, base_offset, client: WEB, attempt: 1, batch: batch(seq) };
    ledger.appended(&appended, |_, _| {});
}

/// Cuts from this offset on; how many events it named as lost.
fn cut(ledger: &mut Ledger, from: u64, unacknowledged: &[u64]) -> u32 {
    let reason = Reason { code: "truncated", detail: Some("node 0 crashed".into()) };
    let truncated = Truncated { cluster: SHOP, topic: ORDERS, partition: 0, from, unacknowledged: unacknowledged.to_vec(), reason };
    let mut lost = 0;
    ledger.truncated(NOW, &truncated, |_, _| lost += 1);
    lost
}

fn deliver(ledger: &mut Ledger, seq: u64, offset: u64) {
    let (group, topic, end) = (GroupIx(0), ORDERS, ObligationEnd::Delivered);
    let ended = Ended { component: BILLING, group, topic, partition: 0, offset, event: event(seq), waited: SimDuration::ZERO, end };
    ledger.ended(NOW, &ended, None);
}

fn books(ledger: &Ledger) -> report::Ledger {
    let names = Names {
        components: vec!["web".into(), "shop".into(), "billing".into()],
        topics: vec![("orders".into(), 1, SHOP)],
        groups: vec![("billing".into(), vec![ORDERS])],
        ..Names::default()
    };
    let books = ledger.close(&names);
    assert!(books.balanced, "{books:#?}");
    books
}

#[test]
fn what_was_acknowledged_is_lost_and_comes_back_when_it_is_appended_again() {
    let mut ledger = ledger(3);
    deliver(&mut ledger, 1, 1);
    assert_eq!(cut(&mut ledger, 1, &[]), 1, "one of two had been delivered");
    let after = books(&ledger);
    assert_eq!((after.submissions.accepted, after.obligations.delivered, after.obligations.lost), (3, 1, 1));
    let [lost] = &after.lost[..] else { panic!("one event is named: {:?}", after.lost) };
    assert_eq!((lost.event.as_str(), lost.topic.as_str(), lost.offset, lost.why.as_str()), ("web-2", "orders", 2, "node 0 crashed"));
    assert_eq!(after.reasons.iter().map(|reason| reason.count).sum::<u64>(), 1);

    append(&mut ledger, 2, 1);
    let after = books(&ledger);
    assert_eq!((after.obligations.lost, after.obligations.in_flight, after.submissions.duplicate_appends), (0, 2, 0));
    assert!(after.lost.is_empty() && after.reasons.is_empty());
}

#[test]
fn a_reader_that_had_it_already_overrules_the_loss() {
    let mut ledger = ledger(1);
    assert_eq!(cut(&mut ledger, 0, &[]), 1);
    deliver(&mut ledger, 0, 0);
    let after = books(&ledger);
    assert_eq!((after.obligations.delivered, after.obligations.lost, after.obligations.duplicate_deliveries), (1, 0, 0));
}

#[test]
fn what_nobody_was_told_of_is_its_producers_again() {
    let mut ledger = ledger(2);
    let reason = Reason { code: "timeout", detail: None };
    ledger.settled(NOW, &Settled { event: event(1), at: WEB, outcome: Outcome::Abandoned, reason });
    assert_eq!(books(&ledger).submissions.accepted, 2, "it stands, whatever its client says");
    assert_eq!(cut(&mut ledger, 0, &[0, 1]), 0);
    let after = books(&ledger);
    let submissions = (after.submissions.accepted, after.submissions.abandoned, after.submissions.in_flight);
    assert_eq!((submissions, after.obligations.created), ((0, 1, 1), 0));
    append(&mut ledger, 0, 0);
    assert_eq!((books(&ledger).submissions.accepted, books(&ledger).obligations.in_flight), (1, 1));
}

#[test]
fn what_stands_twice_is_not_lost_with_one_of_its_places() {
    let mut ledger = ledger(1);
    append(&mut ledger, 0, 1);
    assert_eq!(books(&ledger).submissions.duplicate_appends, 1);
    assert_eq!(cut(&mut ledger, 1, &[]), 0);
    assert_eq!((books(&ledger).obligations.lost, books(&ledger).obligations.in_flight), (0, 1));
}
