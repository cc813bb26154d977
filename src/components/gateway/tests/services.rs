//! Services, queues and their troubles behind a gateway.

use super::*;

#[test]
fn a_service_answers_after_its_own_time() {
    let mut bench = Bench::new(serde_json::json!({"routes": two_topics(), "service_time": "1ms"}));
    bench.request(CLIENT, "/ping", &[], b"");
    bench.request(CLIENT, "/broken", &[], b"");
    bench.run_to(5);
    assert_eq!(bench.statuses(), [500]);
    bench.run_to(6);
    assert_eq!(bench.statuses(), [204]);
    let settled: Vec<_> =
        bench.facts.iter().filter_map(|fact| if let Fact::Settled(settled) = fact { Some(settled.outcome) } else { None }).collect();
    assert_eq!(settled, [Outcome::Accepted]);
    assert_eq!(bench.hops()[0], (HopKind::Rejected, "rejected at edge: the service of route broken answered 500".to_owned()));
}

/// A service has the whole of its timeout, however long the look-up of a schema took before.
#[test]
fn a_slow_registry_takes_nothing_from_a_services_timeout() {
    let bench = |respond_after: &str| {
        let routes = serde_json::json!([{"name": "orders", "respond": 200, "respond_after": respond_after}]);
        let mut bench = Bench::new(serde_json::json!({
            "routes": routes, "validate": true, "service_time": "0s", "upstream_timeout": "100ms",
        }));
        let mut body = Vec::new();
        frame(7, &mut body);
        body.extend_from_slice(&[2, b'a', 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        bench.request(CLIENT, "/orders", &[], &body);
        bench.run_to(80);
        bench.registry(|_| Ok(found()));
        bench
    };
    let mut quick = bench("50ms");
    quick.run_to(129);
    assert_eq!(quick.statuses(), [] as [u16; 0]);
    quick.run_to(130);
    assert_eq!(quick.statuses(), [200]);
    let mut slow = bench("150ms");
    slow.run_to(179);
    assert_eq!(slow.statuses(), [] as [u16; 0]);
    slow.run_to(180);
    assert_eq!(slow.statuses(), [504]);
}

/// The product's own words where no server is there to answer.
#[test]
fn aws_says_that_a_service_is_not_there() {
    let params = || {
        serde_json::json!({
            "routes": [{"name": "pay", "paths": ["/pay"], "upstream": "pay"}],
            "upstreams": [{"name": "pay", "tcp_failures": 1, "retries": 0}], "targets": [{"upstream": "pay", "target": "a:80"}],
            "service_time": "0s", "upstream_timeout": "1s",
        })
    };
    for (profile, refused, nobody) in [(aws::REST, 502, 503), (aws::HTTP, 500, 503), ("kong-3", 502, 503)] {
        let mut bench = Bench::of_profile(Some(profile), params());
        bench.act("stop-target", serde_json::json!({"target": "a:80"})).expect("there is one");
        let mut said = || {
            bench.request(CLIENT, "/pay", &[], b"");
            bench.run_to(bench.now.as_ns() / 1_000_000 + 10);
            bench.answers().remove(0).1
        };
        let (first, second) = (said(), said());
        assert_eq!((first.status, second.status), (refused, nobody), "{profile}");
        let is_products = second.reason.as_deref() == Some("Service Unavailable");
        assert_eq!(is_products, profile != "kong-3", "{second:?}");
    }
}

fn to_the_queue(timeout: &str) -> Bench {
    let routes = serde_json::json!([{"name": "jobs", "paths": ["/jobs"], "queue": "jobs"}]);
    let params = serde_json::json!({"routes": routes, "service_time": "0s", "upstream_timeout": timeout});
    Bench::of_profile(Some(aws::REST), params)
}

#[test]
fn a_body_goes_to_a_queue_as_a_message() {
    let mut bench = to_the_queue("1s");
    let event = bench.request(CLIENT, "/jobs", &[], b"work");
    bench.run_to(1);
    assert!(bench.answers().is_empty(), "no answer before the queue has it");
    let sent = bench.take(|message| matches!(message, Message::Queue(_)));
    let [(JOBS, Message::Queue(request))] = &sent[..] else { panic!("one call was due: {sent:?}") };
    let QueueCall::Send(entries) = &request.body else { panic!("a send was due") };
    let record = records(&entries[0].batch).next().expect("one record");
    assert_eq!((record.meta, record.key, record.value), (event, Some(&b"k"[..]), &b"work"[..]), "the same event, unchanged");
    assert_eq!(bench.figure("upstream_waiting_count", ""), 1.0);
    let reply = QueueReply { call: request.call, result: Ok(QueueResult::Entries(vec![Ok(())])) };
    bench.message(JOBS, Message::QueueReply(Box::new(reply.clone())));
    assert_eq!(bench.statuses(), [200]);
    bench.message(JOBS, Message::QueueReply(Box::new(reply)));
    bench.run_to(2_000);
    assert_eq!(bench.statuses(), [] as [u16; 0], "it is answered once");
    assert_eq!(bench.figure("upstream_waiting_count", ""), 0.0);
    assert_eq!(bench.hops(), [(HopKind::Gateway, "accepted by route jobs".to_owned())]);
}

#[test]
fn a_queues_errors_are_mapped_and_its_silence_is_a_timeout() {
    for (error, status) in [
        (QueueError::RequestThrottled, 503),
        (QueueError::OverLimit, 503),
        (QueueError::InvalidParameterValue, 500),
        (QueueError::NonExistentQueue, 500),
    ] {
        let mut bench = to_the_queue("1s");
        bench.request(CLIENT, "/jobs", &[], b"work");
        bench.run_to(1);
        let (_, message) = bench.take(|message| matches!(message, Message::Queue(_))).remove(0);
        let Message::Queue(request) = message else { panic!("a call was due") };
        bench.message(JOBS, Message::QueueReply(Box::new(QueueReply { call: request.call, result: Err(error) })));
        let answers = bench.answers();
        assert_eq!(answers[0].1.status, status);
        assert!(answers[0].1.reason.as_deref().is_some_and(|words| words.ends_with(error.as_str())), "{:?}", answers[0].1.reason);
    }
    let mut bench = to_the_queue("1s");
    bench.request(CLIENT, "/jobs", &[], b"work");
    bench.run_to(999);
    assert_eq!(bench.statuses(), [] as [u16; 0]);
    bench.run_to(1_000);
    assert_eq!(bench.statuses(), [504]);
}
