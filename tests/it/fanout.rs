//! Filter policies against the cases that are shared with the product.

use eventyard::machines::broker::fanout::attributes::{Attribute, Attributes};
use eventyard::machines::broker::fanout::policy::{Scope, Subject};
use eventyard::machines::broker::fanout::read;
use serde_json::Value as Json;

use crate::cases;

fn attributes(case: &Json) -> Attributes {
    let named = case["attributes"].as_object().into_iter().flatten().map(|(name, attribute)| {
        let value = &attribute["Value"];
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let parsed = Attribute::parse(attribute["Type"].as_str().expect("a type"), &text);
        (name.as_str().into(), parsed.expect("the cases' numbers are numbers"))
    });
    Attributes(named.collect())
}

#[test]
fn filter_policies_decide_as_the_product_does() {
    let cases = cases::read("sns_filter_policy.json");
    assert!(cases.len() >= 35);
    for case in cases {
        let scope = if case["scope"] == "MessageBody" { Scope::MessageBody } else { Scope::MessageAttributes };
        let policy = read::read(&case["policy"].to_string(), scope, "policy").unwrap_or_else(|problems| panic!("{case}: {problems:?}"));
        let attributes = attributes(&case);
        let accepted = policy.accepts(Subject { attributes: &attributes, body: case.get("body") });
        assert_eq!(accepted, case["match"] == true, "{case}");
    }
}
