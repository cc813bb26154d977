//! Properties of the producer's way to a gateway, and what its checks say.
//! Whole runs with brokers and registries are in `tests/it/clients.rs`.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::credentials::{Credentials, Sort};
use super::http::{HttpClient, HttpConfig, HttpOutput, Jitter, Job};
use crate::event::{EventId, EventMeta, HttpReply, Outcome};
use crate::model::{Component, Endpoint, Link, Project};
use crate::units::{ComponentIx, SimDuration, SimTime};

fn at_ms(ms: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_ms(ms)
}

fn client(concurrency_max: usize, queue_max: usize) -> HttpClient {
    let cfg = HttpConfig {
        timeout: SimDuration::from_ms(100),
        retries_max: 2,
        retry_statuses: vec![429, 503],
        backoff: SimDuration::from_ms(10),
        concurrency_max,
        queue_max,
        call_tag: 2,
        heeds_retry_after: true,
        jitter: Jitter::None,
        budget: None,
    };
    HttpClient::new(cfg, Credentials::plain(Arc::from([])), 2)
}

fn job(seq: u64) -> Job {
    let id = EventId { producer: ComponentIx(0), seq };
    Job {
        meta: EventMeta { id, ..EventMeta::default() },
        event_type: "Order".into(),
        method: "POST".into(),
        path: "/orders".into(),
        key: None,
        body: Bytes::from_static(b"x"),
        attempts: 0,
        credential: Sort::Good,
        turn: 0,
    }
}

fn answer(out: &mut HttpOutput, status: u16, retry_after: Option<SimDuration>) -> HttpReply {
    let (_, request) = out.requests.remove(0);
    HttpReply { retry_after, ..HttpReply::to(&request, status) }
}

#[test]
fn a_refusal_is_retried_after_what_the_gateway_asks() {
    let (mut client, mut out) = (client(10, 10), HttpOutput::default());
    client.push(at_ms(0), job(0), &mut out);
    let reply = answer(&mut out, 429, Some(SimDuration::from_ms(700)));
    client.on_reply(at_ms(5), &reply, &mut out);
    assert_eq!(client.next_wake(at_ms(5)), at_ms(705), "Retry-After is longer than the backoff");
    client.on_wake(at_ms(705), &mut out);
    assert_eq!(out.requests[0].1.attempt, 2);
    let reply = answer(&mut out, 202, None);
    client.on_reply(at_ms(710), &reply, &mut out);
    assert_eq!((client.counts.accepted, client.counts.retried, client.in_flight()), (1, 1, 0));
    assert!(out.unsent.is_empty());
}

#[test]
fn silence_is_given_up_after_the_last_retry_and_late_answers_are_ignored() {
    let (mut client, mut out) = (client(10, 10), HttpOutput::default());
    client.push(at_ms(0), job(0), &mut out);
    let late = answer(&mut out, 200, None);
    let mut now = at_ms(0);
    for _ in 0..10 {
        now = client.next_wake(now);
        if now == SimTime::MAX {
            break;
        }
        client.on_wake(now, &mut out);
    }
    assert_eq!(out.unsent.len(), 1);
    assert_eq!((out.unsent[0].1, out.unsent[0].0.attempts), (Outcome::Abandoned, 3));
    client.on_reply(at_ms(9_000), &late, &mut out);
    assert_eq!(client.counts.accepted, 0);
}

#[test]
fn more_than_connections_and_queue_hold_is_dropped() {
    let (mut client, mut out) = (client(2, 3), HttpOutput::default());
    for seq in 0..8 {
        client.push(at_ms(0), job(seq), &mut out);
    }
    assert_eq!(out.requests.iter().map(|(gateway, _)| *gateway).collect::<Vec<_>>(), [0, 1], "gateways take turns");
    assert_eq!((client.in_flight(), client.waiting()), (2, 3));
    let dropped: Vec<u64> = out.unsent.iter().map(|(job, ..)| job.meta.id.seq).collect();
    assert_eq!(dropped, [5, 6, 7]);
    let reply = answer(&mut out, 404, None);
    client.on_reply(at_ms(1), &reply, &mut out);
    assert_eq!(out.unsent.last().map(|(_, outcome, reason)| (*outcome, reason.code)), Some((Outcome::Rejected, "no-route")));
    assert_eq!(client.in_flight(), 2, "the next one takes the free connection");
}

fn codes(producer: Json) -> Vec<(String, String)> {
    let mut project = Project::default();
    for (id, kind, params) in [("web", "producer", producer), ("shop", "kafka", json!({"topics": {"orders": {}}, "brokers": 1}))] {
        let params = serde_json::from_value(params).expect("parameters are plain data");
        project.components.insert(id.to_owned(), Component { kind: kind.to_owned(), params, ..Component::default() });
    }
    let end = |text| Endpoint::parse(text).expect("component.port");
    project.links.push(Link { from: end("web.out"), to: end("shop.orders"), ..Link::default() });
    let found = crate::compile::check(&project).into_iter().filter(|diagnostic| diagnostic.path.starts_with("components.web"));
    found.map(|diagnostic| (diagnostic.code, diagnostic.path)).collect()
}

#[test]
fn checks_name_the_place() {
    let one = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    assert_eq!(codes(json!({})), []);
    assert_eq!(codes(json!({"idempotence": true, "acks": "1"})), one("setting-contradiction", "components.web.idempotence"));
    assert_eq!(codes(json!({"delivery_timeout": "10s"})), one("setting-contradiction", "components.web.delivery_timeout"));
    assert_eq!(codes(json!({"events": [{"type": "A", "topic": "order"}]})), one("topic-unlinked", "components.web.events[0].topic"));
    assert_eq!(codes(json!({"events": [{"type": "A", "schema": "a"}]})), one("schema-unknown", "components.web.events[0].schema"));
    assert_eq!(codes(json!({"acks": "1"})), one("order-risk", "components.web.max_in_flight"));
    assert_eq!(codes(json!({"invalid_ratio": "5%"})), one("setting-unused", "components.web.invalid_ratio"));
}
