//! Properties of the client machines, against a broker of a few lines that loses, refuses and answers late.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value as Json;

use super::sticky::{TopicChoice, murmur2};
use super::*;
use crate::event::{Acks, BrokerError, EventId, EventMeta, Message, MetadataReply, Outcome, ProduceReply, ProduceRequest, ProduceResult};
use crate::machines::broker::batch::records;
use crate::machines::broker::cluster::Leaders;
use crate::random::Stream;
use crate::units::{ComponentIx, SimDuration, SimTime, TopicIx};

const PARTITIONS: u32 = 3;
const NODES: u32 = 2;

fn meta(seq: u64, now: SimTime) -> EventMeta {
    EventMeta { id: EventId { producer: ComponentIx(0), seq }, born: now, root_born: now, ..EventMeta::default() }
}

/// What the broker does with a request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    RequestLost,
    AnswerLost,
    Refused(BrokerError),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Answered),
        1 => Just(Fate::RequestLost),
        1 => Just(Fate::AnswerLost),
        1 => Just(Fate::Refused(BrokerError::NotEnoughReplicas)),
        1 => Just(Fate::Refused(BrokerError::RecordTooLarge)),
    ]
}

/// Logs by partition, with the last five batches of the producer as the broker keeps them.
struct ToyBroker {
    /// A batch of more records is too large.
    records_max: u32,
    logs: BTreeMap<u32, Vec<u64>>,
    seen: BTreeMap<u32, (u32, Vec<u64>)>,
}

impl ToyBroker {
    fn handle(&mut self, request: &ProduceRequest, refuse: Option<BrokerError>) -> ProduceReply {
        let results = request.entries.iter().map(|entry| {
            let base_offset = match refuse {
                Some(error) => Err(error),
                None => self.append(entry),
            };
            ProduceResult { topic: entry.topic, partition: entry.partition, base_offset }
        });
        ProduceReply { call: request.call, results: results.collect() }
    }
    fn append(&mut self, entry: &crate::event::ProduceEntry) -> Result<u64, BrokerError> {
        if entry.batch.record_count > self.records_max {
            return Err(BrokerError::RecordTooLarge);
        }
        let log = self.logs.entry(entry.partition).or_default();
        if let Some(epoch) = entry.epoch {
            let (known_epoch, seqs) = self.seen.entry(entry.partition).or_insert((epoch, Vec::new()));
            if epoch > *known_epoch {
                (*known_epoch, *seqs) = (epoch, Vec::new());
            }
            let last_five = &seqs[seqs.len().saturating_sub(5)..];
            if last_five.contains(&entry.batch_seq) {
                return Ok(0);
            }
            if epoch < *known_epoch || entry.batch_seq != seqs.last().map_or(0, |seq| seq + 1) {
                return Err(BrokerError::OutOfOrderSequence);
            }
            seqs.push(entry.batch_seq);
        }
        log.extend(records(&entry.batch).map(|record| record.meta.id.seq));
        Ok(0)
    }
}

/// Runs a client to rest: `count` events at `gap`, answers after 1 to 40 ms.
fn drive(
    cfg: ProducerConfig,
    count: u64,
    gap: SimDuration,
    records_max: u32,
    fates: &[Fate],
) -> (ProducerCounts, ToyBroker, Vec<(u64, Outcome)>, Vec<u64>) {
    let in_flight_max = cfg.in_flight_max;
    let mut client = ProducerClient::new(cfg, Stream::new(1, "test", "partitions"));
    let leaders = Leaders::new(1, NODES);
    let topic = client.add_topic(TopicIx(0), PARTITIONS, leaders, 0);
    let mut rng = Stream::new(2, "test", "delays");
    let mut broker = ToyBroker { records_max, logs: BTreeMap::new(), seen: BTreeMap::new() };
    let mut out = ClientOutput::default();
    let (mut ended, mut acked) = (Vec::new(), Vec::new());
    // Arrivals at the broker and answers at the client, by (instant, order).
    let mut arriving: BTreeMap<(SimTime, u64), ProduceRequest> = BTreeMap::new();
    let mut answers: BTreeMap<(SimTime, u64), ProduceReply> = BTreeMap::new();
    let mut news: BTreeMap<SimTime, MetadataReply> = BTreeMap::new();
    let (mut pushed, mut sent, mut now) = (0, 0u64, SimTime::ZERO);
    for _ in 0..200_000 {
        let next_push = if pushed < count { SimTime::from_ns(gap.as_ns() * pushed) } else { SimTime::MAX };
        let arrives = arriving.keys().next().map_or(SimTime::MAX, |key| key.0);
        let answered = answers.keys().next().map_or(SimTime::MAX, |key| key.0);
        let wake = client.next_wake(now).max(now);
        let told = news.keys().next().copied().unwrap_or(SimTime::MAX);
        let next = next_push.min(arrives).min(answered).min(wake).min(told);
        if next == SimTime::MAX {
            break;
        }
        now = next;
        if next == told {
            let (_, reply) = news.pop_first().expect("one is due");
            client.on_metadata(now, &reply, &mut out);
        } else if next == answered {
            let (_, reply) = answers.pop_first().expect("one is due");
            client.on_reply(now, &reply, &mut out);
        } else if next == arrives {
            let ((_, number), request) = arriving.pop_first().expect("one is due");
            let fate = fates[number as usize % fates.len()];
            let refuse = if let Fate::Refused(error) = fate { Some(error) } else { None };
            let reply = (!matches!(fate, Fate::RequestLost)).then(|| broker.handle(&request, refuse));
            if let Some(reply) = reply.filter(|_| !matches!(fate, Fate::AnswerLost) && request.acks != Acks::None) {
                answers.insert((now + SimDuration::from_us(1 + rng.below(20_000)), number), reply);
            }
        } else if next == next_push {
            let key = (pushed % 3 != 0).then(|| (pushed % 7).to_be_bytes());
            let outgoing = Outgoing {
                meta: meta(pushed, now),
                key: key.as_ref().map(|key| key.as_slice()),
                value: Some(&[0; 100]),
                extra_header_bytes: 50,
                traced: false,
            };
            client.push(now, topic, &outgoing, &mut out);
            pushed += 1;
        } else {
            client.on_wake(now, &mut out);
        }
        for (_, message) in out.sends.drain(..) {
            let request = match message {
                Message::Produce(request) => *request,
                Message::Metadata(asked) => {
                    let leaders = Ok((0..PARTITIONS).map(|partition| Some(leaders.of(partition))).collect());
                    let reply = MetadataReply { call: asked.call, leaders };
                    news.insert(now + SimDuration::from_us(1 + rng.below(20_000)), reply);
                    continue;
                }
                other => panic!("a producer sends no {other:?}"),
            };
            let partitions: BTreeSet<u32> = request.entries.iter().map(|entry| entry.partition).collect();
            assert_eq!(partitions.len(), request.entries.len(), "one batch of a partition in a request");
            let nodes: BTreeSet<u32> = partitions.into_iter().map(|partition| leaders.of(partition)).collect();
            assert_eq!(nodes.len(), 1, "one leader in a request");
            arriving.insert((now + SimDuration::from_us(1 + rng.below(20_000)), sent), request);
            sent += 1;
        }
        assert!(client.in_flight() <= in_flight_max * NODES as usize);
        ended.extend(out.unsent.drain(..).map(|unsent| (unsent.event.id.seq, unsent.outcome)));
        acked.extend(out.acked.drain(..).flat_map(|batch| records(&batch.batch).map(|record| record.meta.id.seq).collect::<Vec<_>>()));
    }
    assert_eq!(client.counts().buffered, 0, "the client comes to rest");
    assert_eq!(client.next_wake(now), SimTime::MAX);
    (client.counts(), broker, ended, acked)
}

fn config(idempotence: bool, in_flight_max: usize, buffer_bytes: u64, acks: Acks) -> ProducerConfig {
    ProducerConfig {
        acks,
        batch_bytes: 1_000,
        buffer_bytes,
        max_block: SimDuration::from_ms(200),
        request_timeout: SimDuration::from_ms(50),
        delivery_timeout: SimDuration::from_ms(1_500),
        retries_max: 6,
        idempotence,
        in_flight_max,
        report_acks: true,
        ..ProducerConfig::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_event_ends_once(
        fates in prop::collection::vec(fate(), 1..40),
        idempotence: bool,
        in_flight_max in 1usize..6,
        buffer_bytes in prop_oneof![Just(3_000u64), Just(20_000), Just(1 << 20)],
        acks in prop_oneof![Just(Acks::None), Just(Acks::Leader), Just(Acks::All)],
        gap_us in 50u64..5_000,
    ) {
        let idempotence = idempotence && acks == Acks::All;
        let count = 300;
        let (counts, _, ended, acked) = drive(config(idempotence, in_flight_max, buffer_bytes, acks), count, SimDuration::from_us(gap_us), u32::MAX, &fates);
        let mut all: Vec<u64> = ended.iter().map(|(seq, _)| *seq).chain(acked.iter().copied()).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
        prop_assert_eq!(counts.acked, acked.len() as u64);
        prop_assert_eq!(counts.rejected + counts.dropped + counts.abandoned, ended.len() as u64);
    }

    #[test]
    fn an_idempotent_client_keeps_order_and_repeats_nothing(
        fates in prop::collection::vec(prop_oneof![4 => Just(Fate::Answered), 1 => Just(Fate::RequestLost), 1 => Just(Fate::AnswerLost)], 1..40),
        gap_us in 50u64..5_000,
        records_max in prop_oneof![Just(u32::MAX), 1u32..6],
    ) {
        prop_assume!(fates.iter().any(|fate| matches!(fate, Fate::Answered)));
        let patient = ProducerConfig {
            retries_max: u32::MAX,
            delivery_timeout: SimDuration::from_secs(10_000),
            ..config(true, 5, 1 << 20, Acks::All)
        };
        let (counts, broker, ended, _) = drive(patient, 300, SimDuration::from_us(gap_us), records_max, &fates);
        prop_assert!(ended.is_empty());
        prop_assert_eq!(counts.acked, 300);
        let mut all: Vec<u64> = Vec::new();
        for log in broker.logs.values() {
            prop_assert!(log.is_sorted(), "{:?}", log);
            all.extend(log);
        }
        all.sort_unstable();
        prop_assert_eq!(all, (0..300).collect::<Vec<u64>>());
    }
}

#[test]
fn keys_go_where_kafka_sends_them() {
    let file: Json = serde_json::from_str(include_str!("../../../../tests/cases/kafka_murmur2.json")).expect("the case file is JSON");
    let cases = file["cases"].as_array().expect("a list");
    assert!(cases.len() >= 20);
    let mut rng = Stream::new(1, "test", "partitions");
    for case in cases {
        let key = case["key_utf8"].as_str().expect("text").as_bytes();
        assert_eq!(Some(i64::from(murmur2(key))), case["murmur2"].as_i64(), "{case}");
        for (count, partition) in case["partition"].as_object().expect("a table") {
            let mut choice = TopicChoice::new((0..count.parse().expect("a count")).collect());
            assert_eq!(Some(choice.choose(Some(key), 100, 1_000, &mut rng) as u64), partition.as_u64(), "{case}");
        }
    }
    assert_eq!(murmur2(b"abc"), 479_470_107);
    assert_eq!(murmur2(b""), 275_646_681, "an empty key is a key");
}

#[test]
fn more_partitions_move_the_keys_whose_hash_says_so() {
    let mut rng = Stream::new(1, "test", "partitions");
    let mut choice = TopicChoice::new((0..4).collect());
    let keys: Vec<String> = (0..6_000).map(|key| format!("key-{key}")).collect();
    let mut places = |choice: &mut TopicChoice| -> Vec<usize> {
        keys.iter().map(|key| choice.choose(Some(key.as_bytes()), 100, 1_000, &mut rng)).collect()
    };
    let before = places(&mut choice);
    assert!(choice.moved().is_none(), "nothing was added");
    choice.grow(40);
    choice.grow(50);
    let after = places(&mut choice);
    let moved = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    let seen = choice.moved().expect("two were added");
    assert_eq!((seen.keyed, seen.moved), (6_000, moved as u64));
    // Of the twelve residues 0 to 11, only 0 to 3 are the same by 4 and by 6.
    assert!((3_800..4_200).contains(&moved), "{moved} of 6000 keys, about two in three");
    assert!(after.contains(&40) && after.contains(&50));
}

#[test]
fn without_a_key_a_partition_is_kept_for_a_batch() {
    let mut rng = Stream::new(1, "test", "partitions");
    let mut choice = TopicChoice::new((0..PARTITIONS as usize).collect());
    let chosen: Vec<usize> = (0..3_000).map(|_| choice.choose(None, 100, 1_000, &mut rng)).collect();
    assert!(chosen.chunks(10).all(|batch| batch.iter().all(|partition| *partition == batch[0])), "ten records make a batch");
    for partition in 0..PARTITIONS as usize {
        let batches = chosen.iter().filter(|one| **one == partition).count() / 10;
        assert!((70..130).contains(&batches), "{batches} of 300 batches went to partition {partition}");
    }
}
