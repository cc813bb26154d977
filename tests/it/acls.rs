//! Clusters that ask who somebody is: what is refused, and what clients make of that.

use eventyard::compile::check;
use eventyard::metrics::Report;
use serde_json::{Value as Json, json};

use crate::clients::figure;
use crate::design::{Design, values};

fn rule(principal: &str, operation: &str, resource: &str, name: &str) -> Json {
    json!({"principal": principal, "operation": operation, "resource": resource, "name": name})
}

/// What the line needs: `web` writes, `billing` reads as its group.
fn all_rules() -> Vec<Json> {
    vec![
        rule("web", "Write", "topic", "orders"),
        rule("User:billing", "Read", "topic", "orders"),
        rule("User:billing", "Read", "group", "billing"),
    ]
}

fn producer(more: Json) -> Json {
    merged(json!({"load": "constant(100/s)", "max_events": 1_000, "principal": "web"}), more)
}

fn consumer(more: Json) -> Json {
    merged(json!({"principal": "billing", "offset_reset": "earliest", "service_time": "1ms"}), more)
}

fn merged(mut one: Json, more: Json) -> Json {
    let more = more.as_object().expect("a group of fields").clone();
    one.as_object_mut().expect("a group of fields").extend(more);
    one
}

fn design(rules: &[Json], of_producer: Json, of_consumer: Json) -> Design {
    Design::line(30, producer(of_producer), json!({"acls": rules}), consumer(of_consumer))
}

/// The codes of what ended badly, with how many.
fn reasons(report: &Report) -> Vec<(&str, u64)> {
    report.ledger.reasons.iter().map(|reason| (reason.code.as_str(), reason.count)).collect()
}

#[test]
fn who_may_do_all_that_it_needs_notices_nothing() {
    let report = design(&all_rules(), json!({}), json!({})).run();
    assert_eq!((report.ledger.obligations.delivered, figure(&report, "shop", "refusals_count")), (1_000, 0.0));
    assert!(!report.components["billing"].contains_key("refusals_count"));
}

#[test]
fn a_producer_that_may_not_write_to_the_topic_loses_each_event_and_goes_on() {
    let rules = [rule("web", "Write", "topic", "others"), all_rules()[1].clone(), all_rules()[2].clone()];
    let report = design(&rules, json!({}), json!({})).run();
    assert_eq!(reasons(&report), [("topic-authorization", 1_000)]);
    assert!(figure(&report, "shop", "refusals_count") > 10.0, "every batch is tried once");
    assert_eq!(figure(&report, "web", "retried_count"), 0.0, "it is not tried again");
}

#[test]
fn an_idempotent_producer_that_may_write_nothing_at_all_is_at_its_end() {
    let rules = [rule("web", "Describe", "topic", "orders")];
    let report = design(&rules, json!({}), json!({})).run();
    assert_eq!(reasons(&report), [("cluster-authorization", 1_000)]);
    let asked = figure(&report, "shop", "refusals_count");
    assert!(asked < 20.0, "after the first refusal it sends nothing more: {asked}");
    // KIP-679: the right to write to any topic, or IdempotentWrite on the cluster, is enough.
    let report = design(&[rule("web", "IdempotentWrite", "cluster", "*"), rules[0].clone()], json!({}), json!({})).run();
    assert_eq!(reasons(&report), [("topic-authorization", 1_000)]);
    let report = design(&rules, json!({"idempotence": false}), json!({})).run();
    assert_eq!(reasons(&report), [("topic-authorization", 1_000)]);
}

#[test]
fn a_producer_begins_anew_after_its_fatal_error() {
    let design = design(&[rule("web", "Describe", "topic", "orders")], json!({}), json!({}));
    let design = design.fault(4, "shop", "add-acl", rule("web", "Write", "topic", "orders"));
    let report = design.fault(5, "web", "crash", json!({"for": "1s"})).run();
    let codes = reasons(&report);
    let [("cluster-authorization", refused)] = codes[..] else { panic!("{codes:?}") };
    assert!((490..=510).contains(&refused), "the right came at 4 s, the process that can use it at 5 s: {refused}");
    assert_eq!(report.ledger.submissions.accepted, 1_000 - refused);
}

#[test]
fn without_acks_what_is_refused_is_dropped() {
    let report = design(&[rule("web", "Describe", "topic", "orders")], json!({"acks": "0"}), json!({})).run();
    assert_eq!(reasons(&report), [("unacknowledged", 1_000)]);
}

#[test]
fn a_transactional_producer_needs_its_id_and_its_topic() {
    let transactional = json!({"transactional_id": "tills", "transaction_size": 50, "transaction_time": "200ms"});
    let id = rule("web", "Write", "transactional-id", "tills");
    let topic = all_rules()[0].clone();
    let run = |rules: &[Json]| design(rules, transactional.clone(), json!({})).run();
    assert_eq!(run(&[id.clone(), topic.clone()]).ledger.submissions.accepted, 1_000);
    assert_eq!(reasons(&run(&[topic])), [("transactional-id-authorization", 1_000)]);
    assert_eq!(reasons(&run(&[id])), [("topic-authorization", 1_000)]);
}

#[test]
fn a_consumer_that_may_not_read_the_topic_stops() {
    let rules = [all_rules()[0].clone(), all_rules()[2].clone()];
    let report = design(&rules, json!({}), json!({"instances": 2})).run();
    assert_eq!((report.ledger.obligations.delivered, figure(&report, "billing", "refused_instances")), (0, 2.0));
    assert_eq!(figure(&report, "billing", "instances"), 0.0);
    assert!(report.remarks.iter().any(|remark| remark.contains("billing") && remark.contains("ACLs")), "{:?}", report.remarks);
}

#[test]
fn a_consumer_that_may_not_join_its_group_stops() {
    let report = design(&all_rules()[..2], json!({}), json!({})).run();
    assert_eq!((report.ledger.obligations.delivered, figure(&report, "billing", "refused_instances")), (0, 1.0));
}

#[test]
fn a_consumer_that_tries_again_goes_on_once_it_may() {
    for missing in [1, 2] {
        let mut rules = all_rules();
        let late = rules.remove(missing);
        let retry = json!({"authorization_retry": "2s"});
        let report = design(&rules, json!({}), retry.clone()).run();
        let asked = figure(&report, "billing", "refusals_count");
        assert!((10.0..=16.0).contains(&asked), "every two seconds in thirty: {asked}");
        let report = design(&rules, json!({}), retry).fault(9, "shop", "add-acl", late).run();
        assert_eq!(report.ledger.obligations.delivered, 1_000);
    }
}

#[test]
fn a_right_that_is_taken_away_mid_run_ends_reading_and_committing() {
    let read = all_rules()[1].clone();
    let report = design(&all_rules(), json!({}), json!({"commit": "after"})).fault(5, "shop", "remove-acl", read.clone()).run();
    let delivered = report.ledger.obligations.delivered;
    assert!((480..=530).contains(&delivered), "{delivered}");
    assert_eq!(figure(&report, "billing", "refused_instances"), 1.0);
    // Somebody gives it back and starts the instance again.
    let design = design(&all_rules(), json!({}), json!({"commit": "after"})).fault(5, "shop", "remove-acl", read.clone());
    let report = design.fault(8, "shop", "add-acl", read).fault(9, "billing", "start-instance", json!({})).run();
    let owed = &report.ledger.obligations;
    assert_eq!((owed.delivered, owed.in_flight, figure(&report, "billing", "refused_instances")), (1_000, 0, 0.0));
}

#[test]
fn a_deny_outweighs_what_is_allowed() {
    let mut deny = rule("*", "Write", "topic", "ord");
    (deny["principal"], deny["pattern"], deny["permission"]) = (json!("User:*"), json!("prefixed"), json!("deny"));
    let report = design(&all_rules(), json!({}), json!({})).fault(5, "shop", "add-acl", deny).run();
    let codes = reasons(&report);
    let [(code, refused)] = codes[..] else { panic!("{codes:?}") };
    assert!(code.ends_with("-authorization") && (490..=505).contains(&refused), "{codes:?}");
}

#[test]
fn exactly_once_needs_a_transactional_id_of_each_instance() {
    let pipeline = |rules: Vec<Json>| {
        let mut rules = rules;
        rules.extend([rule("billing", "Write", "topic", "dead")]);
        let mut design = design(&rules, json!({}), json!({"commit": "transaction", "transactional_id": "biller"}));
        design.link("billing.results", "shop.dead", json!({}));
        design.run()
    };
    let refused = pipeline(all_rules());
    assert_eq!((refused.ledger.obligations.delivered, figure(&refused, "billing", "refused_instances")), (0, 1.0));
    let mut id = rule("billing", "Write", "transactional-id", "biller-");
    id["pattern"] = json!("prefixed");
    let mut rules = all_rules();
    rules.push(id);
    assert_eq!(pipeline(rules).ledger.obligations.delivered, 1_000);
}

#[test]
fn changes_that_cannot_be_are_told() {
    let design = Design::line(5, producer(json!({})), json!({}), consumer(json!({})));
    let report = design.fault(1, "shop", "add-acl", all_rules()[0].clone()).run();
    assert!(report.faults[0].refused.as_deref().is_some_and(|words| words.contains("no authorizer")), "{:?}", report.faults);
    let design = self::design(&all_rules(), json!({}), json!({}));
    let report = design.fault(1, "shop", "remove-acl", rule("web", "Read", "topic", "orders")).run();
    assert_eq!(report.faults[0].refused.as_deref(), Some("there is no such ACL"));
}

#[test]
fn the_check_warns_of_clients_that_will_be_refused() {
    let warnings = |rules: &[Json]| {
        let problems = check(&design(rules, json!({}), json!({})).project);
        problems.into_iter().filter(|one| one.code == "acl-refused").map(|one| one.message).collect::<Vec<_>>()
    };
    assert_eq!(warnings(&all_rules()), [""; 0]);
    assert_eq!(warnings(&all_rules()[1..]), ["`web` is User:web, and no ACL lets it write to topic `orders`"]);
    let both = warnings(&all_rules()[..1]);
    assert_eq!(
        both,
        [
            "`billing` is User:billing, and no ACL lets it read from topic `orders`",
            "`billing` is User:billing, and no ACL lets it read from group `billing`",
        ]
    );
    let mut design = design(&all_rules(), json!({}), json!({}));
    design.project.components["web"].params = values(json!({}));
    let problems = check(&design.project);
    let hint = problems.iter().find(|one| one.code == "acl-refused").and_then(|one| one.hint.clone());
    assert_eq!(hint.as_deref(), Some("give `web` a `principal`, and let it"));
}
