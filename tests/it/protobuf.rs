//! Protobuf subjects in a run: two messages of one file, a gateway that checks them, a consumer that decodes them.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, compile};
use eventyard::metrics::Report;
use eventyard::project::read;
use eventyard::run::run_headless;

const SHOP: &str = r#"syntax = \"proto3\"; package shop;
    message Placed { message Line { string sku = 1; int32 quantity = 2; } string order_id = 1; double amount = 2; repeated Line lines = 3; }
    message Cancelled { string order_id = 1; string reason = 2; }"#;
const SHOP_WITHOUT_AMOUNT: &str = r#"syntax = \"proto3\"; package shop;
    message Placed { message Line { string sku = 1; int32 quantity = 2; } string order_id = 1; string amount = 2; repeated Line lines = 3; }
    message Cancelled { string order_id = 1; string reason = 2; }"#;

fn design(producer: &str, edge: &str, subject: &str) -> String {
    format!(
        r#"(format: 1, name: "Protobuf", seed: 5,
        schemas: {{"shop": "{SHOP}", "text": "{SHOP_WITHOUT_AMOUNT}"}},
        components: {{
            "web": (kind: "producer", load: "constant(20/s)", max_events: 400, {producer} events: [
                (type: "Placed", schema: "orders-value", path: "/orders"),
                (type: "Cancelled", schema: "orders-value", message: "shop.Cancelled", path: "/orders")]),
            "edge": (kind: "gateway", routes: [(name: "orders", paths: ["/orders"], topic: "orders")], {edge}),
            "shop": (kind: "kafka", topics: {{"orders": (partitions: 1)}}),
            "schemas": (kind: "registry", subjects: {{"orders-value": (type: "PROTOBUF", {subject})}}),
            "billing": (kind: "consumer", offset_reset: "earliest"),
        }},
        links: [
            (from: "web.out", to: "edge.in"), (from: "edge.records", to: "shop.orders"), (from: "shop.orders", to: "billing.in"),
            (from: "web.schemas", to: "schemas.in"), (from: "edge.schemas", to: "schemas.in"), (from: "billing.schemas", to: "schemas.in"),
        ],
        scenarios: {{"run": (length: "60s")}})"#
    )
}

fn run(producer: &str, edge: &str) -> Report {
    let loaded = read(&design(producer, edge, "versions: [\"shop\"]"));
    assert!(loaded.is_sound(), "{:#?}", loaded.diagnostics);
    let plan = compile(&loaded.project, &RunOptions::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    report
}

#[test]
fn messages_of_a_file_go_the_whole_way() {
    let report = run("validate: true,", "validate: true");
    assert_eq!(report.ledger.obligations.delivered, 400, "{:#?}", report.ledger.reasons);
}

#[test]
fn a_broken_message_is_refused_at_the_edge_and_else_by_the_reader() {
    for (edge, at) in [("validate: true", "web"), ("", "billing")] {
        let report = run("invalid_ratio: \"20%\",", edge);
        let refused: u64 = report.ledger.reasons.iter().filter(|reason| reason.code == "schema").map(|reason| reason.count).sum();
        assert!((40..=130).contains(&refused), "{:#?}", report.ledger.reasons);
        assert_eq!(report.ledger.obligations.delivered + refused, 400, "{:#?}", report.ledger.reasons);
        assert!(report.ledger.reasons.iter().all(|reason| reason.at == at), "{:#?}", report.ledger.reasons);
    }
}

#[test]
fn compile_refuses_a_version_that_readers_of_the_other_cannot_read() {
    let loaded = read(&design("", "", "versions: [\"shop\", \"text\"]"));
    assert!(loaded.is_sound(), "{:#?}", loaded.diagnostics);
    let problems = compile(&loaded.project, &RunOptions::default()).err().expect("incompatible");
    let found = problems.iter().find(|problem| problem.code == "schema-incompatible").expect("it is told");
    let hint = found.hint.clone().unwrap_or_default();
    assert!(hint.contains("/Placed/amount") && hint.contains("is string and was double"), "{hint}");
}
