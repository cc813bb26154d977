//! A queue against a naive model of the product's rules, and what chance may do. Shared cases: `tests/it/queues.rs`.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::event::{CallId, EventId, EventMeta, Receipt, ReceiveCall};
use crate::machines::broker::batch::{BatchBuilder, records};
use crate::units::{ComponentIx, GroupIx, TopicIx};

const CALLER: Caller = Caller { end: 0, client: ComponentIx(1) };

fn config(fifo: Option<FifoConfig>) -> QueueConfig {
    QueueConfig {
        me: ComponentIx(0),
        topic: TopicIx(0),
        reader: Some(GroupIx(0)),
        fifo,
        visibility: SimDuration::from_secs(30),
        delay: SimDuration::ZERO,
        wait: SimDuration::ZERO,
        retention: SimDuration::from_secs(400),
        message_bytes_max: 1 << 20,
        in_flight_max: 120_000,
        receives_max: None,
        sampling: Sampling::NONE,
    }
}

fn entry(seq: u64, group: u8, id: Option<u8>) -> QueueEntry {
    let event = EventMeta { id: EventId { producer: ComponentIx(1), seq }, ..EventMeta::default() };
    let mut builder = BatchBuilder::default();
    builder.push(&event, Some(&[group]), &seq.to_be_bytes(), 0, false);
    QueueEntry {
        event,
        batch: builder.finish(),
        size_bytes: 8,
        group: Some(Bytes::copy_from_slice(&[group])),
        deduplication: id.map(|id| Bytes::copy_from_slice(&[id])),
        delay: None,
        attempt: 1,
        moved_since: None,
    }
}

/// Calls the queue and returns this call's answer; none while a poll waits.
fn call(queue: &mut Queue, now: SimTime, body: QueueCall) -> (Option<Result<QueueResult, QueueError>>, Effects) {
    let mut out = Effects::default();
    queue.handle(now, CALLER, QueueRequest { call: CallId(7), body }, &mut out);
    (out.replies.pop().map(|(_, reply)| reply.result), out)
}

fn receive(queue: &mut Queue, now: SimTime, max_messages: u32) -> (Vec<QueueMessage>, Effects) {
    let (result, out) = call(queue, now, QueueCall::Receive(ReceiveCall { max_messages, ..ReceiveCall::default() }));
    match result {
        Some(Ok(QueueResult::Messages(messages))) => (messages, out),
        other => panic!("{other:?}"),
    }
}

fn seqs(messages: &[QueueMessage]) -> Vec<u64> {
    messages.iter().flat_map(|message| records(&message.batch).map(|record| record.meta.id.seq)).collect()
}

/// One message of the model, which keeps everything in a list and looks through all of it.
#[derive(Clone, Debug)]
struct Naive {
    seq: u64,
    group: u8,
    sent: u64,
    hidden_until: u64,
    is_in_flight: bool,
    receives: u32,
}

#[derive(Debug, Default)]
struct Model {
    is_fifo: bool,
    receives_max: Option<u32>,
    messages: Vec<Naive>,
    ids: Vec<(u64, u8)>,
    dead: Vec<u64>,
}

impl Model {
    fn advance(&mut self, now: u64) {
        self.messages.retain(|message| message.sent + 400 > now);
        for message in &mut self.messages {
            message.is_in_flight &= message.hidden_until > now;
        }
    }
    fn send(&mut self, now: u64, seq: u64, group: u8, id: u8) {
        if self.is_fifo {
            if self.ids.iter().any(|(at, known)| *known == id && at + 300 > now) {
                return;
            }
            self.ids.push((now, id));
        }
        self.messages.push(Naive { seq, group, sent: now, hidden_until: now, is_in_flight: false, receives: 0 });
    }
    fn receive(&mut self, now: u64, count: usize, visibility: u64) -> Vec<u64> {
        let (mut taken, mut mine): (Vec<u64>, Option<u8>) = (Vec::new(), None);
        while taken.len() < count {
            let blocked =
                |group: u8| self.is_fifo && mine != Some(group) && self.messages.iter().any(|m| m.group == group && m.is_in_flight);
            let is_free = |m: &Naive| m.hidden_until <= now && !m.is_in_flight && !taken.contains(&m.seq) && !blocked(m.group);
            let same_group = self.messages.iter().position(|m| self.is_fifo && mine == Some(m.group) && is_free(m));
            let Some(at) = same_group.or_else(|| self.messages.iter().position(is_free)) else { break };
            mine = Some(self.messages[at].group);
            if self.receives_max.is_some_and(|max| self.messages[at].receives >= max) {
                self.dead.push(self.messages.remove(at).seq);
                continue;
            }
            let message = &mut self.messages[at];
            (message.hidden_until, message.is_in_flight, message.receives) = (now + visibility, true, message.receives + 1);
            taken.push(message.seq);
        }
        taken
    }
}

#[derive(Clone, Debug)]
enum Op {
    Wait(u64),
    Send { group: u8, id: u8 },
    Receive { count: u32, visibility: u64 },
    Delete(prop::sample::Index),
    Show(prop::sample::Index, u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (0u64..60).prop_map(Op::Wait),
        4 => (0u8..3, 0u8..20).prop_map(|(group, id)| Op::Send { group, id }),
        4 => (1u32..=10, 1u64..90).prop_map(|(count, visibility)| Op::Receive { count, visibility }),
        2 => any::<prop::sample::Index>().prop_map(Op::Delete),
        1 => (any::<prop::sample::Index>(), prop_oneof![Just(0), 1u64..90]).prop_map(|(at, visibility)| Op::Show(at, visibility)),
    ]
}

proptest! {
    #[test]
    fn a_queue_agrees_with_the_naive_model(is_fifo in any::<bool>(), receives_max in prop::option::of(1u32..4), ops in prop::collection::vec(op(), 1..120)) {
        let fifo = FifoConfig { high_throughput: true, group_deduplication: true, content_deduplication: false };
        // One scope of ids for the whole queue, as the model has it: the group is part of the id.
        let mut queue = Queue::new(QueueConfig { receives_max, ..config(is_fifo.then_some(fifo)) }, Stream::new(1, "queue", "chance"));
        let mut model = Model { is_fifo, receives_max, ..Model::default() };
        let (mut now_s, mut seq, mut receipts) = (0u64, 0u64, Vec::<(u64, Receipt)>::new());
        for op in ops {
            let now = SimTime::ZERO + SimDuration::from_secs(now_s);
            model.advance(now_s);
            queue.on_deadline(now, &mut Effects::default());
            match op {
                Op::Wait(seconds) => now_s += seconds,
                Op::Send { group, id } => {
                    let id = id * 3 + group;
                    let (result, _) = call(&mut queue, now, QueueCall::Send(vec![entry(seq, group, Some(id))]));
                    prop_assert!(matches!(result, Some(Ok(_))), "{:?}", result);
                    model.send(now_s, seq, group, id);
                    seq += 1;
                }
                Op::Receive { count, visibility } => {
                    let body = ReceiveCall { max_messages: count, wait: None, visibility: Some(SimDuration::from_secs(visibility)) };
                    let (result, out) = call(&mut queue, now, QueueCall::Receive(body));
                    let Some(Ok(QueueResult::Messages(messages))) = result else { panic!("{result:?}") };
                    let before = model.dead.len();
                    prop_assert_eq!(seqs(&messages), model.receive(now_s, count as usize, visibility));
                    let dead: Vec<u64> = out.dead.iter().map(|entry| entry.event.id.seq).collect();
                    prop_assert_eq!(&dead[..], &model.dead[before..]);
                    receipts.extend(messages.iter().map(|message| (seqs(std::slice::from_ref(message))[0], message.receipt)));
                }
                Op::Delete(at) if !receipts.is_empty() => {
                    let (seq, receipt) = receipts[at.index(receipts.len())];
                    call(&mut queue, now, QueueCall::Delete(vec![receipt]));
                    model.messages.retain(|m| m.seq != seq || m.receives != receipt.receive || (is_fifo && !m.is_in_flight));
                }
                Op::Show(at, visibility) if !receipts.is_empty() => {
                    let (seq, receipt) = receipts[at.index(receipts.len())];
                    let (result, _) = call(&mut queue, now, QueueCall::ChangeVisibility(vec![(receipt, SimDuration::from_secs(visibility))]));
                    let held = model.messages.iter_mut().find(|m| m.seq == seq && m.receives == receipt.receive && m.is_in_flight);
                    prop_assert_eq!(matches!(result, Some(Ok(QueueResult::Entries(entries))) if entries[0].is_ok()), held.is_some());
                    held.into_iter().for_each(|m| (m.hidden_until, m.is_in_flight) = (now_s + visibility, visibility > 0));
                }
                Op::Delete(_) | Op::Show(..) => {}
            }
            let holdings = queue.holdings(now);
            prop_assert_eq!(holdings.visible + holdings.in_flight, model.messages.len());
        }
    }

    #[test]
    fn what_chance_does_is_bounded(seed in any::<u64>()) {
        let sampling = Sampling { duplicates: 0.2, disorder: 0.3, short_poll_share: 0.4 };
        let mut queue = Queue::new(QueueConfig { sampling, ..config(None) }, Stream::new(seed, "queue", "chance"));
        for seq in 0..100 {
            call(&mut queue, SimTime::ZERO, QueueCall::Send(vec![entry(seq, 0, None)]));
        }
        let mut seen = Vec::new();
        for _ in 0..400 {
            let (messages, _) = receive(&mut queue, SimTime::ZERO, 10);
            call(&mut queue, SimTime::ZERO, QueueCall::Delete(messages.iter().map(|m| m.receipt).chain([Receipt { number: 99, receive: 99 }]).take(10).collect()));
            seen.extend(seqs(&messages));
        }
        let mut distinct = seen.clone();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), 100, "at least once");
        prop_assert_eq!(queue.holdings(SimTime::ZERO), Holdings::default());
        prop_assert!(!seen.is_sorted(), "best-effort order is no order");
    }
}

#[test]
fn a_long_poll_ends_with_a_message_or_with_its_time() {
    let mut queue = Queue::new(config(None), Stream::new(1, "queue", "chance"));
    let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
    let poll = ReceiveCall { max_messages: 10, wait: Some(SimDuration::from_secs(20)), visibility: None };
    assert!(call(&mut queue, at(0), QueueCall::Receive(poll)).0.is_none(), "nothing is there: it waits");
    assert_eq!(queue.next_deadline(), Some(at(20)));
    let (_, out) = call(&mut queue, at(3), QueueCall::Send(vec![entry(0, 0, None)]));
    let answered = out.replies.into_iter().any(|(_, reply)| matches!(reply.result, Ok(QueueResult::Messages(m)) if seqs(&m) == [0]));
    // The poll's answer follows the send's in the list, and `call` has taken one of the two.
    assert!(answered || queue.holdings(at(3)).in_flight == 1);
    assert!(call(&mut queue, at(4), QueueCall::Receive(poll)).0.is_none());
    let mut out = Effects::default();
    queue.on_deadline(at(24), &mut out);
    assert!(matches!(&out.replies[..], [(_, QueueReply { result: Ok(QueueResult::Messages(none)), .. })] if none.is_empty()));
}

#[test]
fn limits_have_the_products_names() {
    let fifo = FifoConfig::default();
    let mut queue = Queue::new(QueueConfig { in_flight_max: 2, ..config(Some(fifo)) }, Stream::new(1, "queue", "chance"));
    let send = |queue: &mut Queue, entries: Vec<QueueEntry>| match call(queue, SimTime::ZERO, QueueCall::Send(entries)).0 {
        Some(Ok(QueueResult::Entries(results))) => results.into_iter().find_map(Result::err),
        Some(Err(error)) => Some(error),
        other => panic!("{other:?}"),
    };
    assert_eq!(send(&mut queue, vec![]), Some(QueueError::EmptyBatchRequest));
    assert_eq!(send(&mut queue, vec![entry(0, 0, Some(0)); 11]), Some(QueueError::TooManyEntriesInBatchRequest));
    assert_eq!(send(&mut queue, vec![QueueEntry { group: None, ..entry(0, 0, Some(0)) }]), Some(QueueError::MissingParameter));
    assert_eq!(send(&mut queue, vec![entry(0, 0, None)]), Some(QueueError::InvalidParameterValue), "no id and no hash");
    let delayed = QueueEntry { delay: Some(SimDuration::from_secs(1)), ..entry(0, 0, Some(0)) };
    assert_eq!(send(&mut queue, vec![delayed]), Some(QueueError::InvalidParameterValue), "FIFO delays as a whole");
    let large = QueueEntry { size_bytes: 600_000, ..entry(0, 0, Some(0)) };
    assert_eq!(send(&mut queue, vec![large; 2]), Some(QueueError::BatchRequestTooLong));
    for seq in 0..3 {
        assert_eq!(send(&mut queue, vec![entry(seq, seq as u8, Some(seq as u8))]), None);
    }
    assert_eq!(receive(&mut queue, SimTime::ZERO, 10).0.len(), 2, "a FIFO queue gives no more than may be in flight");
    assert_eq!(receive(&mut queue, SimTime::ZERO, 10).0.len(), 0, "and no error");
    let refused = (0..400).find_map(|n| send(&mut queue, vec![entry(9, 0, Some(n as u8))]).map(|error| (n, error)));
    assert!(matches!(refused, Some((_, QueueError::RequestThrottled))), "{refused:?}");
    let mut standard = Queue::new(QueueConfig { in_flight_max: 1, ..config(None) }, Stream::new(1, "queue", "chance"));
    send(&mut standard, vec![entry(0, 0, None), entry(1, 0, None)]);
    assert_eq!(receive(&mut standard, SimTime::ZERO, 10).0.len(), 1);
    let short = call(&mut standard, SimTime::ZERO, QueueCall::Receive(ReceiveCall { max_messages: 1, ..ReceiveCall::default() })).0;
    assert!(matches!(short, Some(Err(QueueError::OverLimit))), "{short:?}");
}

#[test]
fn the_same_body_is_a_duplicate_for_five_minutes_even_after_its_deletion() {
    let fifo = FifoConfig { content_deduplication: true, ..FifoConfig::default() };
    let mut queue = Queue::new(config(Some(fifo)), Stream::new(1, "queue", "chance"));
    let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
    call(&mut queue, at(0), QueueCall::Send(vec![entry(5, 0, None)]));
    let (messages, _) = receive(&mut queue, at(1), 1);
    call(&mut queue, at(1), QueueCall::Delete(vec![messages[0].receipt]));
    let (_, out) = call(&mut queue, at(299), QueueCall::Send(vec![entry(5, 0, None)]));
    assert!(matches!(&out.facts[..], [Fact::Settled(settled)] if settled.outcome == Outcome::Accepted), "{:?}", out.facts);
    assert_eq!(queue.counts().deduplicated, 1);
    call(&mut queue, at(300), QueueCall::Send(vec![entry(5, 0, None)]));
    assert_eq!(queue.holdings(at(300)).visible, 1);
}

#[test]
fn dead_letters_keep_their_age_and_go_back_by_the_way_they_came() {
    let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
    let mut source =
        Queue::new(QueueConfig { receives_max: Some(1), visibility: SimDuration::ZERO, ..config(None) }, Stream::new(1, "a", "chance"));
    let mut letters = Queue::new(QueueConfig { topic: TopicIx(1), ..config(None) }, Stream::new(1, "b", "chance"));
    call(&mut source, at(0), QueueCall::Send(vec![entry(0, 0, None)]));
    receive(&mut source, at(10), 1);
    let (none, out) = receive(&mut source, at(20), 1);
    assert!(none.is_empty() && out.dead.len() == 1);
    assert!(matches!(&out.facts[..], [Fact::EndedWith(_), Fact::LogStart { log_start: 1, .. }]), "{:?}", out.facts);
    let (_, moved) = call(&mut letters, at(20), QueueCall::Send(out.dead));
    assert!(matches!(&moved.facts[..], [Fact::Moved(_)]));
    assert_eq!(letters.holdings(at(21)).oldest_age, SimDuration::from_secs(21), "retention counts on");
    let back = letters.take_moved(at(30), 10, |origin| origin == CALLER.end, &mut Effects::default());
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].0, CALLER.end);
    call(&mut source, at(30), QueueCall::Send(back.into_iter().map(|(_, entry)| entry).collect()));
    assert_eq!(seqs(&receive(&mut source, at(31), 1).0), [0], "its receives count anew");
    letters.on_deadline(at(500), &mut Effects::default());
    assert_eq!(letters.counts().expired, 0, "nothing was left to expire");
}

fn entries(result: Option<Result<QueueResult, QueueError>>) -> Vec<Result<(), QueueError>> {
    match result {
        Some(Ok(QueueResult::Entries(entries))) => entries,
        other => panic!("{other:?}"),
    }
}

fn secs(seconds: u64) -> SimDuration {
    SimDuration::from_secs(seconds)
}

#[test]
fn visibility_is_extended_up_to_twelve_hours_and_ended_at_once() {
    let mut queue = Queue::new(config(None), Stream::new(1, "queue", "chance"));
    queue.config_mut().retention = secs(14 * 86_400);
    let at = |seconds| SimTime::ZERO + secs(seconds);
    call(&mut queue, at(0), QueueCall::Send(vec![entry(0, 0, None), entry(1, 0, None)]));
    let (messages, _) = receive(&mut queue, at(0), 10);
    let change = |queue: &mut Queue, now, receipt, visibility| {
        entries(call(queue, now, QueueCall::ChangeVisibility(vec![(receipt, secs(visibility))])).0)[0]
    };
    let (first, second) = (messages[0].receipt, messages[1].receipt);
    assert_eq!(change(&mut queue, at(20), first, 0), Ok(()));
    assert_eq!(seqs(&receive(&mut queue, at(20), 10).0), [0], "it is back at once");
    assert_eq!(change(&mut queue, at(21), first, 30), Err(QueueError::InvalidParameterValue), "a later receive has another receipt");
    let mut now = 25;
    while now + 43_000 < 43_200 {
        assert_eq!(change(&mut queue, at(now), second, 43_000), Ok(()));
        now += 25;
    }
    let left = 43_200 - now;
    assert_eq!(change(&mut queue, at(now), second, left + 1), Err(QueueError::InvalidParameterValue), "it is not clamped");
    assert_eq!(change(&mut queue, at(now), second, left), Ok(()));
    assert_eq!(receive(&mut queue, at(43_199), 10).0.iter().filter(|message| message.receipt.number == second.number).count(), 0);
    assert!(receive(&mut queue, at(43_200), 10).0.iter().any(|message| message.receipt.number == second.number));
    assert_eq!(change(&mut queue, at(50_000), Receipt { number: 77, receive: 1 }, 1), Err(QueueError::ReceiptHandleIsInvalid));
}

#[test]
fn a_batch_fails_entry_by_entry() {
    let mut queue = Queue::new(config(Some(FifoConfig::default())), Stream::new(1, "queue", "chance"));
    let at = |seconds| SimTime::ZERO + secs(seconds);
    let large = QueueEntry { size_bytes: 2 << 20, ..entry(9, 0, Some(9)) };
    let alone = entries(call(&mut queue, at(0), QueueCall::Send(vec![large])).0);
    assert_eq!(alone, [Err(QueueError::InvalidParameterValue)]);
    let mixed = vec![entry(0, 0, Some(0)), QueueEntry { group: None, ..entry(1, 0, Some(1)) }, entry(2, 1, Some(2))];
    assert_eq!(entries(call(&mut queue, at(0), QueueCall::Send(mixed)).0), [Ok(()), Err(QueueError::MissingParameter), Ok(())]);
    let receipts: Vec<Receipt> = receive(&mut queue, at(0), 10).0.iter().map(|message| message.receipt).collect();
    let over = QueueCall::Delete(vec![receipts[0], Receipt { receive: 9, ..receipts[1] }, Receipt { number: 50, receive: 1 }]);
    let deleted = entries(call(&mut queue, at(1), over).0);
    assert_eq!(deleted, [Ok(()), Err(QueueError::InvalidParameterValue), Err(QueueError::ReceiptHandleIsInvalid)]);
}

#[test]
fn a_queue_is_purged_once_a_minute_and_deleted_for_a_minute() {
    let mut queue = Queue::new(config(None), Stream::new(1, "queue", "chance"));
    let at = |seconds| SimTime::ZERO + secs(seconds);
    let out = &mut Effects::default();
    call(&mut queue, at(0), QueueCall::Send(vec![entry(0, 0, None)]));
    assert_eq!(queue.purge(at(1), out), Ok(1));
    assert_eq!(queue.purge(at(60), out), Err(QueueError::PurgeQueueInProgress));
    assert_eq!(queue.purge(at(61), out), Ok(0));
    let poll = ReceiveCall { max_messages: 1, wait: Some(secs(20)), visibility: None };
    assert!(call(&mut queue, at(62), QueueCall::Receive(poll)).0.is_none());
    let mut out = Effects::default();
    assert_eq!(queue.remove(at(63), &mut out), Ok(0));
    assert!(matches!(&out.replies[..], [(_, QueueReply { result: Err(QueueError::NonExistentQueue), .. })]), "its poll ends");
    let sent = call(&mut queue, at(64), QueueCall::Send(vec![entry(1, 0, None)])).0;
    assert!(matches!(sent, Some(Err(QueueError::NonExistentQueue))), "{sent:?}");
    assert_eq!(queue.create(at(100)), Err(QueueError::QueueDeletedRecently));
    assert_eq!(queue.create(at(123)), Ok(()));
    assert_eq!(entries(call(&mut queue, at(124), QueueCall::Send(vec![entry(2, 0, None)])).0), [Ok(())]);
}

#[test]
fn a_fifo_queue_takes_300_calls_a_second_and_in_high_throughput_mode_300_of_each_group() {
    let sent_of = |fifo: FifoConfig, groups: u64, batch: u64| {
        let mut queue = Queue::new(config(Some(fifo)), Stream::new(1, "queue", "chance"));
        let mut sent = 0;
        for number in 0..1_000u64 {
            let entries = (0..batch).map(|place| {
                let seq = number * batch + place;
                let id = Bytes::copy_from_slice(&seq.to_be_bytes());
                QueueEntry { deduplication: Some(id), ..entry(seq, (number % groups) as u8, None) }
            });
            if let Some(Ok(QueueResult::Entries(results))) = call(&mut queue, SimTime::ZERO, QueueCall::Send(entries.collect())).0 {
                sent += results.iter().filter(|result| result.is_ok()).count();
            }
        }
        sent
    };
    let high = FifoConfig { high_throughput: true, group_deduplication: true, ..FifoConfig::default() };
    assert_eq!(sent_of(FifoConfig::default(), 100, 1), 300);
    assert_eq!(sent_of(FifoConfig::default(), 100, 10), 3_000, "calls count, not messages");
    assert_eq!(sent_of(high, 1, 1), 300, "a group lies on one partition");
    assert_eq!(sent_of(high, 100, 1), 1_000);
}

#[test]
fn a_fair_queue_lets_quiet_tenants_pass_a_noisy_one() {
    let mut queue = Queue::new(config(None), Stream::new(1, "queue", "chance"));
    let noisy = |seq| entry(seq, 7, None);
    for seq in 0..500 {
        call(&mut queue, SimTime::ZERO, QueueCall::Send(vec![noisy(seq)]));
    }
    for tenant in 0..5u8 {
        call(&mut queue, SimTime::ZERO, QueueCall::Send(vec![entry(1_000 + u64::from(tenant), tenant, None)]));
    }
    let alone = QueueEntry { group: None, ..entry(2_000, 0, None) };
    call(&mut queue, SimTime::ZERO, QueueCall::Send(vec![alone]));
    let first: Vec<u64> = (0..3).flat_map(|_| seqs(&receive(&mut queue, SimTime::ZERO, 10).0)).collect();
    assert_eq!(first, (0..30).collect::<Vec<u64>>(), "nobody is noisy before it has 30 in flight");
    assert_eq!(seqs(&receive(&mut queue, SimTime::ZERO, 10).0), [1_000, 1_001, 1_002, 1_003, 1_004, 2_000, 30, 31, 32, 33]);
}

/// What a receiver and a sender saw of a queue: the invariants below are about this and know nothing of the machine.
#[derive(Debug, Default)]
struct History {
    /// (second, id, group, accepted as new).
    sent: Vec<(u64, u8, u8, bool)>,
    /// (second, number, group, hidden until).
    received: Vec<(u64, u64, u8, u64)>,
}

impl History {
    /// Visibility respected: nobody gets a message that another has for itself.
    fn hides(&self) -> bool {
        self.received.iter().enumerate().all(|(index, (_, number, _, until))| {
            self.received[index + 1..].iter().filter(|later| later.1 == *number).all(|later| later.0 >= *until)
        })
    }
    /// FIFO groups in order: what comes of a group, came after everything of it that is older and not expired.
    fn keeps_groups_in_order(&self) -> bool {
        let kept: Vec<(u64, u8)> = self.sent.iter().filter(|(.., is_new)| *is_new).map(|(at, _, group, _)| (*at, *group)).collect();
        self.received.iter().enumerate().all(|(index, (at, number, group, _))| {
            let older = (0..*number).zip(&kept).filter(|(_, (sent, of))| of == group && sent + 400 > *at);
            older.into_iter().all(|(number, _)| self.received[..index].iter().any(|other| other.1 == number))
        })
    }
    /// Deduplication within five minutes: of one id within the window, the first is new and no other.
    fn deduplicates(&self) -> bool {
        let mut known: Vec<(u64, u8)> = Vec::new();
        self.sent.iter().all(|(at, id, _, is_new)| {
            let is_known = known.iter().any(|(first, other)| other == id && at - first < 300);
            if !is_known {
                known.push((*at, *id));
            }
            is_known != *is_new
        })
    }
}

/// A switch that breaks one guarantee, so that the invariants can be seen to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Received messages are not hidden.
    ShowsAll,
    /// Groups do not block, and the order is chance.
    MixesGroups,
    /// Every id is new.
    ForgetsIds,
}

fn history(fault: Fault, ops: &[Op]) -> History {
    let fifo = FifoConfig { high_throughput: true, group_deduplication: true, ..FifoConfig::default() };
    let sampling = Sampling { disorder: 0.9, ..Sampling::NONE };
    let cfg = if fault == Fault::MixesGroups { QueueConfig { sampling, ..config(None) } } else { config(Some(fifo)) };
    let mut queue = Queue::new(cfg, Stream::new(1, "queue", "chance"));
    let (mut history, mut now_s, mut seq, mut receipts) = (History::default(), 0u64, 0u64, Vec::new());
    for op in ops {
        let now = SimTime::ZERO + secs(now_s);
        queue.on_deadline(now, &mut Effects::default());
        match op {
            Op::Wait(seconds) => now_s += seconds,
            Op::Send { group, id } => {
                let (group, id) = (*group, id * 3 + group);
                let sent_id = if fault == Fault::ForgetsIds { 100 + seq as u8 } else { id };
                let before = queue.counts().sent;
                call(&mut queue, now, QueueCall::Send(vec![entry(seq, group, Some(sent_id))]));
                history.sent.push((now_s, id, group, queue.counts().sent > before));
                seq += 1;
            }
            Op::Receive { count, visibility } => {
                let hidden = if fault == Fault::ShowsAll { 0 } else { *visibility };
                let body = ReceiveCall { max_messages: *count, wait: None, visibility: Some(secs(hidden)) };
                let (Some(Ok(QueueResult::Messages(messages))), _) = call(&mut queue, now, QueueCall::Receive(body)) else { continue };
                for message in messages {
                    let group = message.group.as_ref().map_or(0, |group| group[0]);
                    history.received.push((now_s, message.receipt.number, group, now_s + visibility));
                    receipts.push(message.receipt);
                }
            }
            Op::Delete(at) if !receipts.is_empty() => {
                let receipt: Receipt = receipts[at.index(receipts.len())];
                call(&mut queue, now, QueueCall::Delete(vec![receipt]));
            }
            Op::Delete(_) | Op::Show(..) => {}
        }
    }
    history
}

proptest! {
    #[test]
    fn the_guarantees_hold(ops in prop::collection::vec(op(), 1..150)) {
        let history = history(Fault::None, &ops);
        prop_assert!(history.hides(), "{:?}", history);
        prop_assert!(history.keeps_groups_in_order(), "{:?}", history);
        prop_assert!(history.deduplicates(), "{:?}", history);
    }
}

/// Whether some history of 200 shows the fault.
fn is_caught(fault: Fault, holds: impl Fn(&History) -> bool) -> bool {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let ops = prop::collection::vec(op(), 100..150);
    (0..200).any(|_| !holds(&history(fault, &ops.new_tree(&mut runner).expect("there are operations").current())))
}

#[test]
fn each_guarantee_is_seen_to_fail_where_it_is_broken() {
    assert!(is_caught(Fault::ShowsAll, History::hides));
    assert!(is_caught(Fault::MixesGroups, History::keeps_groups_in_order));
    assert!(is_caught(Fault::ForgetsIds, History::deduplicates));
    for holds in [History::hides, History::keeps_groups_in_order, History::deduplicates] {
        assert!(!is_caught(Fault::None, holds));
    }
}
