//! Queues against the scenarios that are shared with the product.

use eventyard::event::{
    CallId, EventId, EventMeta, QueueCall, QueueEntry, QueueError, QueueMessage, QueueRequest, QueueResult, ReceiveCall,
};
use eventyard::machines::broker::batch::{BatchBuilder, records};
use eventyard::machines::broker::cluster::Caller;
use eventyard::machines::broker::fanout::attributes::{Attribute, Attributes};
use eventyard::machines::broker::fanout::policy::{Scope, Subject};
use eventyard::machines::broker::fanout::read;
use eventyard::machines::broker::queue::{Effects, FifoConfig, Queue, QueueConfig, Sampling};
use eventyard::random::Stream;
use eventyard::units::{ComponentIx, SimDuration, SimTime, TopicIx};
use serde_json::{Value as Json, json};

use crate::cases;

const CALLER: Caller = Caller { end: 0, client: ComponentIx(1) };

/// A queue as a scenario states it, alone on one server.
fn queue(stated: &Json) -> Queue {
    let seconds = |name: &str, or: u64| SimDuration::from_secs(stated[name].as_u64().unwrap_or(or));
    let cfg = QueueConfig {
        me: ComponentIx(0),
        topic: TopicIx(0),
        reader: None,
        fifo: (stated["FifoQueue"] == true).then(FifoConfig::default),
        visibility: seconds("VisibilityTimeout", 30),
        delay: seconds("DelaySeconds", 0),
        wait: seconds("ReceiveMessageWaitTimeSeconds", 0),
        retention: seconds("MessageRetentionPeriod", 345_600),
        message_bytes_max: 1_048_576,
        in_flight_max: 120_000,
        receives_max: stated["maxReceiveCount"].as_u64().map(|max| max as u32),
        sampling: Sampling::NONE,
    };
    Queue::new(cfg, Stream::new(1, "queue", "chance"))
}

fn entry(body: &str, size_bytes: usize, how: &Json) -> QueueEntry {
    let event = EventMeta { id: EventId::default(), ..EventMeta::default() };
    let mut builder = BatchBuilder::default();
    builder.push(&event, None, body.as_bytes(), 0, false);
    let text = |name: &str| how[name].as_str().map(|text| text.to_owned().into());
    QueueEntry {
        event,
        batch: builder.finish(),
        size_bytes: size_bytes as u32,
        group: text("group"),
        deduplication: text("dedup"),
        delay: None,
        attempt: 1,
        moved_since: None,
    }
}

/// One scenario: its queue, the queue for dead letters, and the queues that subscribe to a topic.
struct Stage {
    queue: Queue,
    letters: Queue,
    subscribers: Vec<(String, Queue)>,
}

impl Stage {
    fn send(queue: &mut Queue, now: SimTime, entry: QueueEntry) -> Result<(), QueueError> {
        let mut out = Effects::default();
        queue.handle(now, CALLER, QueueRequest { call: CallId(1), body: QueueCall::Send(vec![entry]) }, &mut out);
        match out.replies.remove(0).1.result {
            Ok(QueueResult::Entries(mut results)) => results.remove(0),
            Ok(QueueResult::Messages(_)) => unreachable!("a send brings no messages"),
            Err(error) => Err(error),
        }
    }

    /// Receives, waiting out a long poll; dead letters go to their queue.
    fn receive(queue: &mut Queue, letters: Option<&mut Queue>, now: SimTime, max_messages: u32, wait_s: u64) -> Vec<QueueMessage> {
        let mut out = Effects::default();
        let body = ReceiveCall { max_messages, wait: Some(SimDuration::from_secs(wait_s)), visibility: None };
        queue.handle(now, CALLER, QueueRequest { call: CallId(2), body: QueueCall::Receive(body) }, &mut out);
        while out.replies.is_empty() {
            let at = queue.next_deadline().expect("a poll has an end");
            queue.on_deadline(at, &mut out);
        }
        let dead = std::mem::take(&mut out.dead);
        if let Some(letters) = letters {
            dead.into_iter().for_each(|entry| Self::send(letters, now, entry).expect("dead letters are taken"));
        }
        match out.replies.remove(0).1.result {
            Ok(QueueResult::Messages(messages)) => messages,
            other => panic!("{other:?}"),
        }
    }

    fn publish(&mut self, now: SimTime, words: &[&str]) {
        let (body, rest) = words.split_first().expect("a body");
        let pairs = rest.iter().filter_map(|pair| pair.split_once('='));
        let attribute = |value: &str| value.parse().map_or_else(|_| Attribute::Text(value.into()), Attribute::Number);
        let attributes = Attributes(pairs.map(|(name, value)| (name.into(), attribute(value))).collect());
        for (policy, queue) in &mut self.subscribers {
            let policy = read::read(policy, Scope::MessageAttributes, "policy").expect("the scenario's policies are good");
            if policy.accepts(Subject { attributes: &attributes, body: None }) {
                Self::send(queue, now, entry(body, body.len(), &Json::Null)).expect("it is taken");
            }
        }
    }

    fn step(&mut self, step: &Json) {
        let seconds: f64 = step[0].as_str().and_then(|text| text.parse().ok()).expect("a time");
        let now = SimTime::from_secs_f64(seconds);
        let command = step[1].as_str().expect("a command");
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            ["send"] => {
                let body = step[2].as_str().expect("a body");
                Self::send(&mut self.queue, now, entry(body, body.len(), &step[3])).expect("it is accepted, even where it is dropped");
            }
            ["send", size] => {
                let size = size.parse().expect("a size");
                let sent = Self::send(&mut self.queue, now, entry("x", size, &Json::Null));
                let expected = step[2].as_str();
                assert_eq!(sent.err().map(QueueError::as_str), expected, "{step}");
            }
            ["publish", ..] => self.publish(now, &words[1..]),
            ["receive", ..] => {
                let messages = self.received(now, &words[1..]);
                let bodies: Vec<String> = messages.iter().map(body).collect();
                assert_eq!(json!(bodies), step[2], "{step}");
                if let Some(count) = step[3]["ApproximateReceiveCount"].as_u64() {
                    assert!(messages.iter().all(|message| u64::from(message.receive_count) == count), "{step}");
                }
            }
            _ => panic!("the scenario says `{command}`"),
        }
    }

    fn received(&mut self, now: SimTime, how: &[&str]) -> Vec<QueueMessage> {
        let Self { queue, letters, subscribers } = self;
        match how {
            [] => Self::receive(queue, Some(letters), now, 10, 0),
            ["wait", seconds] => Self::receive(queue, Some(letters), now, 10, seconds.parse().expect("seconds")),
            ["dlq"] => Self::receive(letters, None, now, 10, 0),
            [number] if number.parse::<u32>().is_ok() => Self::receive(queue, Some(letters), now, number.parse().expect("a number"), 0),
            [name, ..] => {
                let index = usize::from(name.as_bytes()[0] - b'a');
                Self::receive(&mut subscribers[index].1, None, now, 10, 0)
            }
        }
    }
}

fn body(message: &QueueMessage) -> String {
    let record = records(&message.batch).next().expect("one record a message");
    String::from_utf8(record.value.to_vec()).expect("the scenarios' bodies are text")
}

#[test]
fn queues_do_as_the_product_does() {
    let cases = cases::read("sqs_scenarios.json");
    assert!(cases.len() >= 6);
    for case in cases {
        // The subscriptions that the fan-out scenario names in its receives.
        let policies = ["{}", r#"{"store": ["x"], "price": [{"numeric": [">=", 100]}]}"#, r#"{"store": [{"anything-but": ["x"]}]}"#];
        let mut stage = Stage {
            queue: queue(&case["queue"]),
            letters: queue(&Json::Null),
            subscribers: policies.map(|policy| (policy.to_owned(), queue(&Json::Null))).into(),
        };
        println!("{}", case["name"]);
        case["steps"].as_array().expect("steps").iter().for_each(|step| stage.step(step));
    }
}
