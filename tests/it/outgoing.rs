//! Outgoing events in whole runs: each event × receiver ends somewhere, and says why.

use eventyard::metrics::Report;
use eventyard::units::SimDuration;
use serde_json::{Value as Json, json};

use crate::design::Design;

/// web ─► orders ─► hooks, with the producer done after the first seconds.
fn design(profile: &str, seed: u64, hooks: Json) -> Design {
    let mut design = Design::new("outgoing", seed, SimDuration::from_secs(120));
    design.add("web", "producer", json!({"load": "poisson(30/s)", "keys": "uniform(9)", "max_events": 300, "events": [{"type": "Order"}]}));
    design.add("shop", "kafka", json!({"brokers": 1, "initial_rebalance_delay": "0s", "topics": {"orders": {"partitions": 2}}}));
    let mut params = json!({"offset_reset": "earliest", "session_timeout": "6s", "heartbeat_interval": "1s"});
    for (name, value) in hooks.as_object().expect("a group of fields") {
        params[name] = value.clone();
    }
    design.add("hooks", "outgoing", params);
    design.project.components["hooks"].profile = Some(profile.to_owned());
    design.link("web.out", "shop.orders", json!({}));
    design.link("shop.orders", "hooks.in", json!({}));
    design
}

fn webhooks(seed: u64, endpoints: Json, more: Json) -> Design {
    let mut hooks = json!({"endpoints": endpoints, "retry_schedule": "1s, 2s, 4s", "post_timeout": "1s"});
    for (name, value) in more.as_object().expect("a group of fields") {
        hooks[name] = value.clone();
    }
    design("standard-webhooks", seed, hooks)
}

fn figure(report: &Report, name: &str) -> u64 {
    report.components["hooks"].get(name).copied().unwrap_or_else(|| panic!("{name}: {:?}", report.components["hooks"])) as u64
}

fn reason(report: &Report, code: &str) -> u64 {
    report.ledger.reasons.iter().filter(|reason| reason.code == code).map(|reason| reason.count).sum()
}

#[test]
fn every_endpoint_gets_every_event_that_it_wants() {
    let endpoints = json!({"partners": {"count": 3}, "audit": {"types": ["Refund"]}});
    let report = webhooks(1, endpoints, json!({})).run();
    let obligations = &report.ledger.obligations;
    // One towards the reader, one towards each of four endpoints.
    assert_eq!((obligations.created, obligations.forwarded), (1_500, 300));
    assert_eq!((obligations.delivered, obligations.filtered, obligations.in_flight), (900, 300, 0));
    assert_eq!(figure(&report, "posts_count"), 900);
    assert_eq!(figure(&report, "signatures_refused_count"), 0);
}

/// What fails is tried by the schedule, and given up after its end; whatever happens, every obligation has one end.
#[test]
fn what_fails_is_tried_again_and_given_up_at_last() {
    let report = webhooks(2, json!({"weak": {"failure_ratio": "50%"}}), json!({})).run();
    let obligations = &report.ledger.obligations;
    assert_eq!(obligations.delivered + obligations.failed_skipped, 300);
    // Four attempts at one half each: one in sixteen.
    assert!((5..45).contains(&obligations.failed_skipped), "{obligations:?}");
    assert_eq!(reason(&report, "attempts"), obligations.failed_skipped);
    let posts = figure(&report, "posts_count");
    assert!((500..630).contains(&posts), "about 1.9 attempts an event: {posts}");

    let dead = webhooks(3, json!({"dead": {}, "alive": {}}), json!({"disable_after": "10s"}))
        .fault(2, "hooks", "kill-receiver", json!({"receiver": "dead"}))
        .run();
    assert_eq!(figure(&dead, "disabled_count"), 1);
    assert!(reason(&dead, "endpoint-disabled") > 50);
    assert_eq!(dead.ledger.obligations.delivered + dead.ledger.obligations.failed_skipped, 600);

    let gone = webhooks(4, json!({"gone": {}}), json!({})).fault(5, "hooks", "gone-receiver", json!({"receiver": "gone"})).run();
    assert_eq!(reason(&gone, "endpoint-gone") + gone.ledger.obligations.delivered, 300);
    assert!(figure(&gone, "posts_count") < 200, "410 Gone disables at once");
}

/// A receiver that is slower than the timeout gets what it is at once more; one that knows repeats answers them.
#[test]
fn a_slow_receiver_gets_events_twice_unless_it_knows_them() {
    let slow = |knows: bool| {
        webhooks(5, json!({"slow": {"response_time": "1500ms", "knows_repeats": knows}}), json!({"posts_in_flight": 100})).run()
    };
    let twice = slow(false);
    assert_eq!(twice.ledger.obligations.delivered, 300);
    assert!(figure(&twice, "repeats_processed_count") > 300);
    assert_eq!(twice.ledger.obligations.duplicate_deliveries, figure(&twice, "repeats_processed_count"));
    let once = slow(true);
    assert_eq!((once.ledger.obligations.delivered, once.ledger.obligations.duplicate_deliveries), (300, 0));
    assert!(figure(&once, "repeats_recognised_count") > 300);
}

#[test]
fn what_is_tampered_with_or_too_old_is_refused() {
    let tampered = webhooks(6, json!({"careful": {}}), json!({})).fault(0, "hooks", "tamper", json!({"ratio": "100%", "for": "5s"})).run();
    assert!(figure(&tampered, "signatures_refused_count") > 100);
    assert_eq!(tampered.ledger.obligations.delivered, 300, "the next attempt is sound");
    let ahead = webhooks(7, json!({"ahead": {"clock_ahead": "6min"}}), json!({})).run();
    assert_eq!((ahead.ledger.obligations.delivered, reason(&ahead, "attempts")), (0, 300));
    assert_eq!(figure(&ahead, "signatures_refused_count"), 1_200);
}

/// In order, an endpoint's events come as they were taken in, however often one fails; a crash costs no event.
#[test]
fn an_order_is_kept_and_a_crash_loses_nothing() {
    for seed in 0..3 {
        let ordered = webhooks(
            seed,
            json!({"books": {"failure_ratio": "20%", "response_time": "exp(5ms)"}}),
            json!({
            "ordering": "per_endpoint", "retry_schedule": "10ms, 10ms, 10ms, 10ms, 10ms, 10ms, 10ms, 10ms, 10ms"}),
        )
        .fault(4, "hooks", "crash-instance", json!({}))
        .fault(6, "hooks", "start-instance", json!({}))
        .run();
        let obligations = &ordered.ledger.obligations;
        assert_eq!((obligations.delivered, obligations.in_flight, obligations.lost), (300, 0, 0), "seed {seed}");
    }
}

#[test]
fn clients_read_at_their_own_rate() {
    for profile in ["server-sent-events", "websocket"] {
        let clients = json!({"quick": {"count": 2}, "slow": {"receive_rate": "10/s"}});
        let kept = design(profile, 8, json!({"clients": clients})).run();
        assert_eq!(kept.ledger.obligations.delivered, 900, "{profile}");
        let small = design(profile, 8, json!({"clients": clients, "send_buffer": 20})).run();
        let lost = reason(&small, "buffer-full");
        assert!(lost > 50, "{profile}: {lost}");
        assert_eq!((small.ledger.obligations.delivered, small.ledger.obligations.lost), (900 - lost, lost), "{profile}");
        assert!(figure(&small, "sent_bytes") > 0);
    }
}

/// A client that comes back gets what it missed from a replay buffer that reaches far enough; a WebSocket has none.
#[test]
fn a_client_that_comes_back_gets_what_it_missed() {
    let away = |profile: &str, more: Json| {
        let mut hooks = json!({"clients": {"browser": {}}, "reconnect_time": "3s"});
        for (name, value) in more.as_object().expect("a group of fields") {
            hooks[name] = value.clone();
        }
        design(profile, 9, hooks).fault(4, "hooks", "disconnect-receiver", json!({"receiver": "browser"})).run()
    };
    let replayed = away("server-sent-events", json!({}));
    assert_eq!((replayed.ledger.obligations.delivered, replayed.ledger.obligations.lost), (300, 0));
    assert!(figure(&replayed, "replayed_count") > 50);
    let short = away("server-sent-events", json!({"replay_buffer": 10}));
    assert!(reason(&short, "replay-buffer") > 30, "{:?}", short.ledger.reasons);
    let socket = away("websocket", json!({}));
    assert!(reason(&socket, "not-connected") > 50, "{:?}", socket.ledger.reasons);
    for report in [short, socket] {
        assert_eq!(report.ledger.obligations.delivered + report.ledger.obligations.lost, 300);
    }
}

/// Nobody at the other end: the heartbeat finds out, and what a silent client has not read is told.
#[test]
fn a_silent_client_is_found_and_a_crash_breaks_connections() {
    let silent = design("websocket", 10, json!({"clients": {"phone": {}, "desk": {}}, "push_heartbeat": "1s", "silence_timeout": "2s"}))
        .fault(3, "hooks", "kill-receiver", json!({"receiver": "phone"}))
        .run();
    assert!(reason(&silent, "silent-client") > 20, "{:?}", silent.ledger.reasons);
    assert_eq!(silent.ledger.obligations.delivered + silent.ledger.obligations.lost, 600);
    let crashed = design("server-sent-events", 11, json!({"clients": {"desk": {"count": 4}}}))
        .fault(5, "hooks", "crash-instance", json!({}))
        .fault(6, "hooks", "start-instance", json!({}))
        .run();
    assert_eq!(figure(&crashed, "disconnects_count"), 4);
    assert_eq!((crashed.ledger.obligations.delivered, crashed.ledger.obligations.lost), (1_200, 0));
}

/// A receiver that takes ten posts a second refuses the rest, and a sender that heeds its Retry-After asks far less often for
/// nothing than one that does not.
#[test]
fn retry_after_is_heeded() {
    let limited = |heeds: bool, form: &str| {
        let endpoint = json!({"limit": "10/s", "retry_after_form": form, "response_time": "exp(20ms)"});
        let rules = json!({"heed_retry_after": heeds, "retry_schedule": "100ms, 200ms, 400ms, 800ms, 1s, 1s, 2s, 4s, 8s, 16s"});
        webhooks(8, json!({"acme": endpoint}), rules).run()
    };
    let (heeding, by_date, hasty) = (limited(true, "seconds"), limited(true, "date"), limited(false, "seconds"));
    for report in [&heeding, &by_date, &hasty] {
        assert_eq!(report.ledger.obligations.delivered + report.ledger.obligations.failed_skipped, 300);
    }
    assert_eq!((heeding.ledger.obligations.delivered, by_date.ledger.obligations.delivered), (300, 300));
    assert!(figure(&heeding, "retry_after_heeded_count") > 0);
    let refused = |report: &Report| figure(report, "posts_limited_count");
    assert!(refused(&heeding) * 2 < refused(&hasty), "{} {}", refused(&heeding), refused(&hasty));
}

/// While both secrets are valid nothing is refused; a receiver that takes the new one over too late refuses what comes between.
#[test]
fn a_secret_is_rotated_without_a_gap_unless_the_receiver_is_late() {
    let rotated = |adopted_after: &str| {
        webhooks(9, json!({"acme": {}}), json!({"retry_schedule": "2s, 4s, 8s"}))
            .fault(3, "hooks", "rotate-secret", json!({"receiver": "acme", "overlap": "3s", "adopted_after": adopted_after}))
            .run()
    };
    let (smooth, late) = (rotated("2s"), rotated("5s"));
    assert_eq!((figure(&smooth, "signatures_refused_count"), smooth.ledger.obligations.delivered), (0, 300));
    assert!(figure(&late, "signatures_refused_count") > 10);
    assert_eq!(late.ledger.obligations.delivered, 300, "what was refused is taken later");
}

/// An endpoint that is a gateway gets signed posts, answers by its own rules, and passes on what it takes.
#[test]
fn a_drawn_gateway_is_an_endpoint() {
    let drawn = |edge: Json, more: Json| {
        let mut design = webhooks(10, json!({"partner": {"at": "edge", "path": "/hooks"}}), more);
        design.add("edge", "gateway", edge);
        design.add("inbox", "kafka", json!({"brokers": 1, "initial_rebalance_delay": "0s", "topics": {"taken": {}}}));
        design.add("reader", "consumer", json!({"service_time": "1ms", "offset_reset": "earliest"}));
        for (from, to) in [("hooks.posts", "edge.in"), ("edge.records", "inbox.taken"), ("inbox.taken", "reader.in")] {
            design.link(from, to, json!({"latency": "5ms"}));
        }
        design.run()
    };
    let signed = json!({"name": "hooks", "paths": ["/hooks"], "headers": ["webhook-signature: ~*v1,.*"], "topic": "taken"});
    let taken = drawn(json!({"routes": [signed]}), json!({}));
    let obligations = &taken.ledger.obligations;
    // By the hooks themselves once, to the endpoint and to the reader behind it.
    assert_eq!((obligations.delivered, obligations.forwarded, obligations.in_flight), (600, 300, 0), "{obligations:#?}");
    assert_eq!(taken.components["edge"]["route_requests_count[hooks]"] as u64, 300);

    let elsewhere = json!({"name": "hooks", "paths": ["/other"], "topic": "taken"});
    let refused = drawn(json!({"routes": [elsewhere]}), json!({}));
    assert_eq!((reason(&refused, "attempts"), figure(&refused, "posts_count")), (300, 1_200), "404 is tried again to the end");

    let limits =
        json!({"routes": [{"name": "hooks", "paths": ["/hooks"], "topic": "taken"}], "rate_limits": [{"limit_by": "ip", "second": 10}]});
    let limited = drawn(limits, json!({"retry_schedule": "1s, 1s, 1s, 2s, 4s, 8s, 16s"}));
    assert!(figure(&limited, "retry_after_heeded_count") > 0, "Kong says when its window ends");
    assert_eq!(figure(&limited, "endpoint_delivered_count[partner]") + reason(&limited, "attempts"), 300);

    let silent = drawn(
        json!({"routes": [{"name": "hooks", "paths": ["/hooks"], "respond": 200, "respond_after": "3s"}]}),
        json!({"posts_in_flight": 100}),
    );
    assert_eq!((figure(&silent, "post_timeouts_count"), reason(&silent, "attempts")), (1_200, 300));
}
