//! A cluster against plain lists of what was sent, and its rules one by one.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::batch;
use crate::event::{
    Acks, BrokerError, CallId, Fact, FetchPartition, FetchReply, FetchRequest, Message, ProduceEntry, ProduceRequest, RecordBatch,
};
use crate::machines::broker::batch::{HEADER_BYTES, check, check_records, opened, records, validated};
use crate::machines::broker::cluster::{Caller, Cluster, ClusterConfig, Effects, Timestamps, TopicConfig};
use crate::machines::broker::group::GroupConfig;
use crate::machines::broker::log::LogConfig;
use crate::units::{ComponentIx, SimDuration, SimTime, TopicIx};

const ORDERS: TopicIx = TopicIx(4);
const PAYMENTS: TopicIx = TopicIx(5);
const PRODUCER: Caller = Caller { end: 0, client: ComponentIx(7) };
const READER: Caller = Caller { end: 1, client: ComponentIx(8) };

fn log_config() -> LogConfig {
    LogConfig {
        segment_bytes: 2_000,
        segment_time: SimDuration::from_secs(3_600),
        retention_time: None,
        retention_bytes: None,
        deletes: true,
        compaction: None,
    }
}

/// Two topics on as many nodes as copies: `orders` with 3 partitions and the given copies, `payments` with 2 and one.
fn config(replication: u32) -> ClusterConfig {
    let topic = |topic, name: &str, partitions, replication| TopicConfig {
        topic,
        name: name.into(),
        partitions,
        replication,
        log: log_config(),
        message_bytes_max: 5_000,
        timestamps: Timestamps::default(),
    };
    ClusterConfig {
        me: ComponentIx(3),
        nodes: replication,
        racks: Vec::new(),
        topics: vec![topic(ORDERS, "orders", 3, replication), topic(PAYMENTS, "payments", 2, 1)],
        groups: Vec::new(),
        group_config: GroupConfig { initial_rebalance_delay: SimDuration::ZERO, ..GroupConfig::default() },
        min_insync_replicas: 1,
        replica_lag_max: SimDuration::from_secs(30),
        unclean_election: false,
        session_timeout: SimDuration::from_secs(9),
        imbalance_check: SimDuration::from_secs(300),
        log_memory_bytes_max: 1 << 30,
    }
}

fn entry(topic: TopicIx, partition: u32, batch_seq: u64, epoch: Option<u32>, batch: RecordBatch) -> ProduceEntry {
    ProduceEntry { topic, partition, batch_seq, epoch, attempt: 1, batch }
}

fn produce(cluster: &mut Cluster, acks: Acks, entries: Vec<ProduceEntry>) -> Effects {
    let mut out = Effects::default();
    let node = cluster.leader(usize::from(entries[0].topic == PAYMENTS), entries[0].partition).unwrap_or(0);
    let request = ProduceRequest { call: CallId(1), node, producer: 0, transaction: None, acks, entries };
    cluster.handle(SimTime::ZERO, PRODUCER, Message::Produce(Box::new(request)), &mut out);
    out
}

/// The only answer's results.
fn results(out: &Effects) -> Vec<Result<u64, BrokerError>> {
    match &out.replies[..] {
        [(PRODUCER, Message::ProduceReply(reply))] => reply.results.iter().map(|result| result.base_offset).collect(),
        other => panic!("one answer to the producer, not {other:?}"),
    }
}

fn fetch(cluster: &mut Cluster, now: SimTime, wanted: &[(u32, u64)], min_bytes: u64, max_bytes: u64, wait_ms: u64) -> Effects {
    let partitions = wanted.iter().map(|&(partition, offset)| FetchPartition { topic: ORDERS, partition, offset, max_bytes });
    let node = cluster.leader(0, 0).unwrap_or(0);
    let max_wait = SimDuration::from_ms(wait_ms);
    let request = FetchRequest {
        call: CallId(2),
        node,
        rack: None,
        max_wait,
        min_bytes,
        max_bytes,
        isolation: crate::event::Isolation::Uncommitted,
        partitions: partitions.collect(),
    };
    let mut out = Effects::default();
    cluster.handle(now, READER, Message::Fetch(Box::new(request)), &mut out);
    out
}

fn fetched(out: &Effects) -> Option<&FetchReply> {
    match &out.replies[..] {
        [] => None,
        [(READER, Message::FetchReply(reply))] => Some(reply),
        other => panic!("at most one answer to the reader, not {other:?}"),
    }
}

/// What an idempotent producer may do with its batches, in whatever order.
#[derive(Clone, Copy, Debug)]
enum Try {
    Next,
    Again { back: u64 },
    Skip,
    NewEpoch,
}

proptest! {
    #[test]
    fn an_idempotent_batch_stands_once_at_its_first_offset(tries in prop::collection::vec((0u32..3, prop_oneof![5 => Just(Try::Next), 3 => (1u64..8).prop_map(|back| Try::Again { back }), 1 => Just(Try::Skip), 1 => Just(Try::NewEpoch)]), 1..80)) {
        let mut cluster = Cluster::new(config(1));
        // For each partition: epoch, offsets of its batches, next offset.
        let mut model = vec![(0u32, Vec::<u64>::new(), 0u64); 3];
        for (partition, what) in tries {
            let (epoch, offsets, next_offset) = &mut model[partition as usize];
            let next = offsets.len() as u64;
            let (seq, expected) = match what {
                Try::Next => (next, Ok(*next_offset)),
                Try::Again { back } if back <= next.min(5) => (next - back, Ok(offsets[(next - back) as usize])),
                Try::Again { back } if back <= next => (next - back, Err(BrokerError::OutOfOrderSequence)),
                Try::Again { .. } => continue,
                Try::Skip => (next + 1, Err(BrokerError::OutOfOrderSequence)),
                Try::NewEpoch => {
                    (*epoch, *offsets) = (*epoch + 1, Vec::new());
                    (0, Ok(*next_offset))
                }
            };
            let stale = entry(ORDERS, partition, 0, epoch.checked_sub(1), batch(0, 1, 10, SimTime::ZERO));
            let out = produce(&mut cluster, Acks::All, vec![entry(ORDERS, partition, seq, Some(*epoch), batch(seq, 2, 10, SimTime::ZERO))]);
            prop_assert_eq!(results(&out), vec![expected]);
            let appended = expected == Ok(*next_offset);
            prop_assert_eq!(out.facts.len(), usize::from(appended), "a fact for each append and no other");
            if appended {
                offsets.push(*next_offset);
                *next_offset += 2;
            }
            if stale.epoch.is_some() && !model[partition as usize].1.is_empty() {
                prop_assert_eq!(results(&produce(&mut cluster, Acks::All, vec![stale])), vec![Err(BrokerError::OutOfOrderSequence)]);
            }
        }
    }

    #[test]
    fn a_reader_sees_each_record_once_in_order(sizes in prop::collection::vec((0u32..3, 1u32..4, 1usize..400), 1..60), max_bytes in 1u64..3_000) {
        let mut cluster = Cluster::new(config(1));
        let mut sent = vec![Vec::new(); 3];
        for (number, (partition, count, value_bytes)) in (0u64..).zip(sizes) {
            let batch = batch(number * 10, count, value_bytes, SimTime::ZERO);
            sent[partition as usize].extend(records(&batch).map(|record| record.meta.id.seq));
            let out = produce(&mut cluster, Acks::Leader, vec![entry(ORDERS, partition, 0, None, batch)]);
            prop_assert!(results(&out)[0].is_ok());
        }
        let (mut seen, mut at) = (vec![Vec::new(); 3], [0u64; 3]);
        loop {
            let wanted: Vec<(u32, u64)> = (0..3).map(|partition| (partition, at[partition as usize])).collect();
            let out = fetch(&mut cluster, SimTime::ZERO, &wanted, 1, max_bytes, 0);
            let reply = fetched(&out).expect("no wait, so an answer");
            let batches: Vec<_> = reply.partitions.iter().flat_map(|partition| &partition.batches).collect();
            let size: u64 = batches.iter().map(|stored| u64::from(stored.batch.wire_bytes)).sum();
            prop_assert!(size <= max_bytes || batches.len() == 1, "only the first batch of all may exceed the limit");
            if batches.is_empty() {
                break;
            }
            for partition in &reply.partitions {
                let index = partition.partition as usize;
                for stored in &partition.batches {
                    prop_assert_eq!(stored.base_offset, at[index]);
                    seen[index].extend(records(&stored.batch).map(|record| record.meta.id.seq));
                    at[index] = stored.next_offset();
                }
            }
        }
        prop_assert_eq!(seen, sent);
    }

    #[test]
    fn hostile_bytes_are_refused_or_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..300), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), count in 0u32..50, mend in any::<bool>()) {
        let good = batch(0, 4, 30, SimTime::ZERO);
        let mut bytes = good.bytes.to_vec();
        for (index, byte) in flips {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if count % 2 == 0 {
            bytes.truncate(HEADER_BYTES);
            bytes.extend(body);
        }
        if mend {
            // A right checksum over nonsense: the reader of records is on its own.
            bytes[16] = 2;
            let crc = crc_fast::crc32_iscsi(&bytes[21..]);
            bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        }
        let hostile = RecordBatch { bytes: Bytes::from(bytes), record_count: count, ..good };
        let whole = check_records(&hostile);
        let read = opened(&hostile).map(|open| {
            let values = records(&open).map(|record| record.value.len());
            (open.bytes.len(), values.collect::<Vec<_>>())
        });
        let complete = read.as_ref().is_ok_and(|(_, values)| values.len() == count as usize);
        prop_assert_eq!(whole.is_ok(), check(&hostile).is_ok() && complete);
        prop_assert!(read.iter().all(|(size, values)| values.iter().all(|value| value <= size)));
        let mut cluster = Cluster::new(config(1));
        let out = produce(&mut cluster, Acks::Leader, vec![entry(ORDERS, 0, 0, None, hostile.clone())]);
        prop_assert_eq!(results(&out)[0].is_ok(), validated(&hostile).is_ok());
    }
}

#[test]
fn requests_are_refused_by_entry_with_kafkas_errors() {
    let mut cluster = Cluster::new(config(1));
    let fine = batch(0, 1, 10, SimTime::ZERO);
    let mut corrupt = fine.clone();
    let mut bytes = corrupt.bytes.to_vec();
    bytes[HEADER_BYTES + 3] ^= 1;
    corrupt.bytes = Bytes::from(bytes);
    let entries = vec![
        entry(ORDERS, 0, 0, None, fine.clone()),
        entry(ORDERS, 3, 0, None, fine.clone()),
        entry(TopicIx(9), 0, 0, None, fine.clone()),
        entry(ORDERS, 1, 0, None, batch(0, 1, 6_000, SimTime::ZERO)),
        entry(ORDERS, 2, 0, None, corrupt),
        entry(PAYMENTS, 1, 0, None, fine),
    ];
    let out = produce(&mut cluster, Acks::Leader, entries);
    let unknown = Err(BrokerError::UnknownTopicOrPartition);
    let expected = [Ok(0), unknown, unknown, Err(BrokerError::RecordTooLarge), Err(BrokerError::CorruptMessage), Ok(0)];
    assert_eq!(results(&out), expected);
    let places: Vec<(TopicIx, u32)> = out.facts.iter().filter_map(appended).collect();
    assert_eq!(places, [(ORDERS, 0), (PAYMENTS, 1)]);
}

fn appended(fact: &Fact) -> Option<(TopicIx, u32)> {
    if let Fact::Appended(appended) = fact { Some((appended.topic, appended.partition)) } else { None }
}

#[test]
fn acks_all_waits_for_the_followers_and_readers_see_no_further() {
    let mut cluster = Cluster::new(config(3));
    let one = || vec![entry(ORDERS, 0, 0, None, batch(0, 2, 10, SimTime::ZERO))];
    assert!(produce(&mut cluster, Acks::None, one()).replies.is_empty(), "acks=0 has no answer");
    let leader = produce(&mut cluster, Acks::Leader, one());
    assert_eq!(results(&leader), [Ok(2)]);
    let all = produce(&mut cluster, Acks::All, one());
    assert!(all.replies.is_empty());
    assert_eq!(all.replicate[0].up_to, 6);
    let unseen = fetch(&mut cluster, SimTime::ZERO, &[(0, 0)], 1, 10_000, 0);
    assert!(fetched(&unseen).expect("no wait").partitions.is_empty(), "nothing is below the high watermark");
    let waiting = fetch(&mut cluster, SimTime::ZERO, &[(0, 0)], 1, 10_000, 500);
    assert!(fetched(&waiting).is_none());
    let mut out = Effects::default();
    cluster.replicated(SimTime::ZERO, leader.replicate[0], &mut out);
    let seen = fetched(&out).expect("the reader is woken, the producer still waits");
    assert_eq!(seen.partitions[0].high_watermark, 4);
    assert_eq!(seen.partitions[0].batches.len(), 2);
    let mut out = Effects::default();
    cluster.replicated(SimTime::ZERO, all.replicate[0], &mut out);
    assert_eq!(results(&out), [Ok(4)]);
}

#[test]
fn too_few_copies_refuse_acks_all_only() {
    let mut cluster = Cluster::new(ClusterConfig { min_insync_replicas: 2, ..config(2) });
    let one = |topic| vec![entry(topic, 0, 0, None, batch(0, 1, 10, SimTime::ZERO))];
    assert_eq!(results(&produce(&mut cluster, Acks::All, one(PAYMENTS))), [Err(BrokerError::NotEnoughReplicas)]);
    assert_eq!(results(&produce(&mut cluster, Acks::Leader, one(PAYMENTS))), [Ok(0)]);
    assert!(produce(&mut cluster, Acks::All, one(ORDERS)).replies.is_empty(), "two copies are enough; the follower has yet to fetch");
}

#[test]
fn a_long_poll_ends_by_bytes_by_time_or_by_an_error() {
    let mut cluster = Cluster::new(config(1));
    let one = |partition| vec![entry(ORDERS, partition, 0, None, batch(0, 1, 300, SimTime::ZERO))];
    let size = u64::from(one(0)[0].batch.wire_bytes);
    assert!(fetched(&fetch(&mut cluster, SimTime::ZERO, &[(0, 0), (1, 0)], 2 * size, 10_000, 500)).is_none());
    assert_eq!(cluster.next_deadline(), Some(SimTime::from_ns(500_000_000)));
    let out = produce(&mut cluster, Acks::None, one(1));
    assert!(out.replies.is_empty(), "one batch is not enough");
    let out = produce(&mut cluster, Acks::None, one(0));
    assert_eq!(fetched(&out).expect("enough now").partitions.len(), 2);
    assert_eq!(cluster.next_deadline(), None);

    assert!(fetched(&fetch(&mut cluster, SimTime::ZERO, &[(0, 1)], 2 * size, 10_000, 500)).is_none());
    assert!(produce(&mut cluster, Acks::None, one(0)).replies.is_empty());
    let mut out = Effects::default();
    cluster.on_deadline(SimTime::from_ns(500_000_000), &mut out);
    assert_eq!(fetched(&out).expect("time is up").partitions[0].batches.len(), 1, "what is there comes");

    let out = fetch(&mut cluster, SimTime::ZERO, &[(0, 1), (1, 77)], 1 << 20, 10_000, 500);
    let reply = fetched(&out).expect("an error is told at once");
    assert_eq!(reply.partitions[1].error, Some(BrokerError::OffsetOutOfRange));
    let out = fetch(&mut cluster, SimTime::ZERO, &[(9, 0)], 1, 10_000, 500);
    assert_eq!(fetched(&out).expect("told").partitions[0].error, Some(BrokerError::UnknownTopicOrPartition));
}

#[test]
fn full_disks_refuse_until_retention_makes_room() {
    let mut cfg = config(1);
    cfg.log_memory_bytes_max = 20_000;
    cfg.topics[0].log.retention_time = Some(SimDuration::from_secs(10));
    let mut cluster = Cluster::new(cfg);
    let one = || vec![entry(ORDERS, 0, 0, None, batch(0, 1, 900, SimTime::ZERO))];
    let taken = (0..100).take_while(|_| results(&produce(&mut cluster, Acks::All, one()))[0].is_ok()).count();
    assert!((10..25).contains(&taken), "{taken} batches of about a thousand bytes");
    assert_eq!(results(&produce(&mut cluster, Acks::All, one())), [Err(BrokerError::StorageError)]);
    assert_eq!(cluster.memory_figures().1, 2);
    let mut out = Effects::default();
    cluster.retain(SimTime::from_ns(11_000_000_000), &mut out);
    let first = Fact::LogStart { topic: ORDERS, partition: 0, log_start: taken as u64 };
    assert_eq!(format!("{:?}", out.facts), format!("{:?}", [first]));
    assert_eq!(cluster.memory_figures().0, 0, "what goes is counted as it came");
    assert_eq!(results(&produce(&mut cluster, Acks::All, one())), [Ok(taken as u64)]);
}

#[test]
fn retention_by_size_happens_as_segments_roll() {
    let mut cfg = config(1);
    cfg.topics[0].log.retention_bytes = Some(4_000);
    let mut cluster = Cluster::new(cfg);
    let mut starts = Vec::new();
    for _ in 0..40 {
        let out = produce(&mut cluster, Acks::All, vec![entry(ORDERS, 1, 0, None, batch(0, 3, 200, SimTime::ZERO))]);
        starts
            .extend(out.facts.iter().filter_map(|fact| if let Fact::LogStart { log_start, .. } = fact { Some(*log_start) } else { None }));
    }
    assert!(starts.len() > 3 && starts.is_sorted(), "{starts:?}");
    let size = cluster.topic_figures(0).0;
    assert!((4_000..8_000).contains(&size), "{size}");
    let out = fetch(&mut cluster, SimTime::ZERO, &[(1, 0)], 1, 100, 500);
    assert_eq!(fetched(&out).expect("told").partitions[0].error, Some(BrokerError::OffsetOutOfRange));
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut cluster = Cluster::new(config(1));
    let one = || vec![entry(ORDERS, 0, 0, None, batch(0, 1, 10, SimTime::ZERO))];
    produce(&mut cluster, Acks::All, one());
    let mut other = cluster.clone();
    assert_eq!(results(&produce(&mut cluster, Acks::All, one())), results(&produce(&mut other, Acks::All, one())));
    assert_eq!(Arc::strong_count(&cluster.config().topics[0].name), 2, "clones share names");
}
