//! The shared cases of other registries, judged by Confluent's rules.

use crate::machines::codec::cases::shared;
use crate::machines::codec::difference::{Severity, Side};
use crate::machines::codec::protobuf::ProtobufSchema;

/// Cases whose stated verdict is another registry's, and why Confluent's rules say otherwise.
const DIFFER: &[(&str, &str)] = &[
    ("test_changing_field_number_is_incompatible", "a field under another number is one gone and one come: both are compatible"),
    ("test_compatibility_package", "a changed package is incompatible: names of all messages change with it"),
    ("test_compatibility_field_tag_change", "the case file has no texts for it: two empty schemas are compatible"),
];

#[test]
fn cases_of_karapace() {
    let mut wrong = Vec::new();
    for case in shared("protobuf-karapace.json") {
        let text = |key: &str| ProtobufSchema::compile(case[key].as_str().unwrap_or_default(), &[]).expect("a schema");
        let (old, new) = (text("original"), text("update"));
        assert_eq!(case["mode"], "BACKWARD");
        let found = new.compare(&old, Side::Reader);
        let is_compatible = found.iter().all(|difference| difference.severity != Severity::Breaks);
        let agrees = case["compatible"] == is_compatible;
        let differs = DIFFER.iter().any(|(name, _)| case["name"] == *name);
        if agrees == differs {
            wrong.push(format!("{}: {found:?}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
