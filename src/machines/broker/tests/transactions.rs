//! Transactions against a plain list of what was committed: random producers, some of them zombies, and readers.

use std::collections::BTreeSet;

use crate::event::{
    Acks, BrokerError, CallId, EventId, EventMeta, FetchPartition, FetchRequest, Isolation, Message, ProduceEntry, ProduceRequest,
    ProducerStamp, TransactionCall, TransactionRequest,
};
use crate::machines::broker::batch::{BatchBuilder, events};
use crate::machines::broker::client::aborted_batches;
use crate::machines::broker::cluster::{Caller, Cluster, ClusterConfig, Effects, Timestamps, TopicConfig};
use crate::machines::broker::group::GroupConfig;
use crate::machines::broker::log::LogConfig;
use crate::random::Stream;
use crate::units::{ComponentIx, SimDuration, SimTime, TopicIx};

const TOPIC: TopicIx = TopicIx(0);
const PARTITIONS: u32 = 3;
const CALLER: Caller = Caller { end: 0, client: ComponentIx(1) };
const TIMEOUT: SimDuration = SimDuration::from_secs(30);
const SEEDS: u64 = 2_000;
const TURNS: u64 = 60;

/// One who writes under a name; an older one of the same name is a zombie.
#[derive(Default)]
struct Writer {
    stamp: ProducerStamp,
    /// Events of the open transaction.
    open: Vec<u64>,
    /// Batches sent to each partition with this stamp.
    sent: [u64; PARTITIONS as usize],
}

struct World {
    cluster: Cluster,
    now: SimTime,
    writers: Vec<Writer>,
    zombies: Vec<(usize, ProducerStamp)>,
    committed: BTreeSet<u64>,
    next_event: u64,
}

impl World {
    fn new() -> Self {
        let log = LogConfig {
            segment_bytes: 500,
            segment_time: TIMEOUT,
            retention_time: None,
            retention_bytes: None,
            deletes: true,
            compaction: None,
        };
        let topic = TopicConfig {
            topic: TOPIC,
            name: "orders".into(),
            partitions: PARTITIONS,
            replication: 1,
            log,
            message_bytes_max: 10_000,
            timestamps: Timestamps::default(),
        };
        let cluster = Cluster::new(ClusterConfig {
            me: ComponentIx(0),
            nodes: 1,
            racks: Vec::new(),
            topics: vec![topic],
            groups: Vec::new(),
            group_config: GroupConfig { initial_rebalance_delay: SimDuration::ZERO, ..GroupConfig::default() },
            min_insync_replicas: 1,
            replica_lag_max: TIMEOUT,
            unclean_election: false,
            session_timeout: TIMEOUT,
            imbalance_check: TIMEOUT,
            log_memory_bytes_max: 1 << 30,
        });
        let writers = (0..3).map(|_| Writer::default()).collect();
        let (zombies, committed) = (Vec::new(), BTreeSet::new());
        let mut world = Self { cluster, now: SimTime::ZERO, writers, zombies, committed, next_event: 0 };
        (0..3).for_each(|writer| world.begin_anew(writer));
        world
    }

    fn ask(&mut self, message: Message) -> Message {
        let mut out = Effects::default();
        self.cluster.handle(self.now, CALLER, message, &mut out);
        out.replies.pop().expect("one node answers at once").1
    }

    fn call(&mut self, writer: usize, body: TransactionCall) -> Result<ProducerStamp, BrokerError> {
        let request = TransactionRequest { call: CallId(0), id: format!("writer-{writer}").into(), body };
        match self.ask(Message::Transaction(Box::new(request))) {
            Message::TransactionReply(reply) => reply.result,
            other => panic!("{other:?} is no answer to a coordinator's call"),
        }
    }

    /// A new process under the same name: what the old one had open is aborted.
    fn begin_anew(&mut self, writer: usize) {
        let timeout = TIMEOUT;
        let mut stamp = self.call(writer, TransactionCall::Init { timeout });
        while stamp == Err(BrokerError::ConcurrentTransactions) {
            stamp = self.call(writer, TransactionCall::Init { timeout });
        }
        self.take_stamp(writer, stamp.expect("a name can always be taken over"));
    }

    fn take_stamp(&mut self, writer: usize, stamp: ProducerStamp) {
        self.zombies.push((writer, self.writers[writer].stamp));
        self.writers[writer] = Writer { stamp, ..Writer::default() };
    }

    fn write(&mut self, writer: usize, stamp: ProducerStamp, partition: u32, batch_seq: u64) -> Result<u64, BrokerError> {
        let id = EventId { producer: CALLER.client, seq: self.next_event };
        let mut builder = BatchBuilder::default();
        builder.stamp = Some(stamp);
        builder.push(&EventMeta { id, ..EventMeta::default() }, None, b"x", 0, false);
        let epoch = Some(u32::from(stamp.epoch));
        let entry = ProduceEntry { topic: TOPIC, partition, batch_seq, epoch, attempt: 1, batch: builder.finish() };
        let transaction = Some((format!("writer-{writer}").into(), stamp));
        let (acks, entries) = (Acks::All, vec![entry]);
        match self.ask(Message::Produce(Box::new(ProduceRequest {
            call: CallId(0),
            node: 0,
            producer: stamp.id,
            transaction,
            acks,
            entries,
        }))) {
            Message::ProduceReply(reply) => reply.results[0].base_offset,
            other => panic!("{other:?} is no answer to a producer"),
        }
    }

    /// One random turn.
    fn turn(&mut self, rng: &mut Stream) {
        let (writer, partition) = (rng.below(3) as usize, rng.below(u64::from(PARTITIONS)) as u32);
        let stamp = self.writers[writer].stamp;
        match rng.below(10) {
            0..=4 => {
                let added = self.call(writer, TransactionCall::AddPartitions { stamp, partitions: vec![(TOPIC, partition)] });
                if added == Err(BrokerError::ProducerFenced) {
                    return self.begin_anew(writer);
                }
                let batch_seq = self.writers[writer].sent[partition as usize];
                self.write(writer, stamp, partition, batch_seq).expect("its transaction is open");
                self.writers[writer].sent[partition as usize] += 1;
                self.writers[writer].open.push(self.next_event);
                self.next_event += 1;
            }
            5 | 6 => {
                let commit = rng.chance(0.6);
                match self.call(writer, TransactionCall::End { stamp, commit }) {
                    Ok(next) => {
                        let open = std::mem::take(&mut self.writers[writer].open);
                        self.committed.extend(open.into_iter().filter(|_| commit));
                        self.take_stamp(writer, next);
                    }
                    Err(BrokerError::InvalidTxnState) => assert!(self.writers[writer].open.is_empty(), "an open transaction can end"),
                    Err(error) => {
                        assert_eq!(error, BrokerError::ProducerFenced, "only its age ends a transaction otherwise");
                        self.begin_anew(writer);
                    }
                }
            }
            7 => self.begin_anew(writer),
            8 => {
                self.now += SimDuration::from_secs(rng.below(20));
                let mut out = Effects::default();
                self.cluster.on_deadline(self.now, &mut out);
            }
            _ => {
                let zombie = self.zombies[rng.below(self.zombies.len() as u64) as usize];
                let refused = self.write(zombie.0, zombie.1, partition, 0);
                assert!(refused.is_err(), "a zombie wrote at offset {refused:?}");
            }
        }
    }

    /// What a reader from the beginning sees.
    fn seen(&mut self, isolation: Isolation) -> BTreeSet<u64> {
        let place = |partition| FetchPartition { topic: TOPIC, partition, offset: 0, max_bytes: 1 << 20 };
        let partitions = (0..PARTITIONS).map(place).collect();
        let (call, max_wait) = (CallId(0), SimDuration::ZERO);
        let request = FetchRequest { call, node: 0, rack: None, max_wait, min_bytes: 1, max_bytes: 1 << 20, isolation, partitions };
        let Message::FetchReply(reply) = self.ask(Message::Fetch(Box::new(request))) else { panic!("a fetch is answered") };
        let mut seen = BTreeSet::new();
        for fetched in reply.partitions {
            let aborted = aborted_batches(&fetched.batches, &fetched.aborted);
            let visible = fetched.batches.iter().filter(|stored| !aborted.contains(&stored.base_offset));
            seen.extend(visible.flat_map(|stored| events(&stored.batch)).map(|event| event.id.seq));
        }
        seen
    }
}

/// Seeds in which a reader saw what was not committed, or missed what was once nothing was open.
fn seeds_that_show(isolation: Isolation) -> usize {
    let wrong = |seed: &u64| {
        let mut rng = Stream::new(*seed, "transactions", "turns");
        let mut world = World::new();
        let mut wrong = false;
        for _ in 0..TURNS {
            world.turn(&mut rng);
            wrong |= !world.seen(isolation).is_subset(&world.committed);
        }
        // Nothing holds readers up once nothing is open.
        (0..3).for_each(|writer| world.begin_anew(writer));
        wrong | (world.seen(isolation) != world.committed)
    };
    (0..SEEDS).filter(wrong).count()
}

#[test]
fn readers_of_committed_events_see_whole_transactions_and_zombies_write_nothing() {
    assert_eq!(seeds_that_show(Isolation::Committed), 0);
    assert!(seeds_that_show(Isolation::Uncommitted) > SEEDS as usize / 2, "who reads everything sees what is not committed");
}

#[test]
fn ids_are_spread_over_the_transaction_log_as_kafka_does() {
    // "payments".hashCode() = 1382682413 and "a".hashCode() = 97 in Java.
    let partition = crate::machines::broker::transactions::log_partition;
    assert_eq!((partition("payments"), partition("a"), partition("")), (1_382_682_413 % 50, 47, 0));
}
