//! The shared cases: Apache's pairs with messages and places, verdicts of modes, canonical forms, decodings.

use apache_avro::types::Value;
use serde_json::Value as Json;

use super::*;
use crate::machines::codec::cases::shared;
use crate::machines::codec::difference::Severity;

fn compiled(schema: &Json) -> AvroSchema {
    AvroSchema::compile(&schema.to_string(), &[]).unwrap_or_else(|words| panic!("{schema}: {words}"))
}

/// What breaks, as Apache's checker would list it: rule, message, place.
fn broken(reader: &Json, writer: &Json) -> Vec<(String, String, String)> {
    let found = compiled(reader).compare(&compiled(writer), AvroRules::Current);
    let breaks = found.iter().filter(|difference| difference.severity == Severity::Breaks);
    breaks.map(|it| (it.rule.to_owned(), message(it).to_owned(), it.reader.clone().unwrap_or_default())).collect()
}

fn words<'a>(case: &'a Json, key: &str) -> Option<Vec<&'a str>> {
    Some(case.get(key)?.as_array()?.iter().filter_map(Json::as_str).collect())
}

#[test]
fn pairs_of_apache_agree_in_verdict_rule_message_and_place() {
    let mut wrong = Vec::new();
    let cases = shared("avro-pairs-apache.json");
    for case in &cases {
        let found = broken(&case["reader"], &case["writer"]);
        let mut agrees = found.is_empty() == (case["compatible"] == true);
        if let Some(rule) = case["incompatibility"].as_str() {
            agrees &= found.iter().any(|found| found.0 == rule);
        }
        if let Some(expected) = words(case, "expected_messages") {
            agrees &= found.iter().map(|found| found.1.as_str()).collect::<Vec<_>>() == expected;
        }
        if let Some(expected) = words(case, "expected_locations") {
            agrees &= found.iter().map(|found| found.2.as_str()).collect::<Vec<_>>() == expected;
        }
        if !agrees {
            wrong.push(format!("{}: {found:?}", case["name"]));
        }
    }
    // No case differs: one that does would have to be listed here with its reason.
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn modes_agree() {
    let mut wrong = Vec::new();
    for file in ["avro-apicurio.json", "avro-modes-karapace.json"] {
        for case in shared(file) {
            let mode = case["mode"].as_str().unwrap_or_default();
            let new = &case["update"];
            let deleted = case["deleted_versions"].as_array().cloned().unwrap_or_default();
            let history: Vec<&Json> = match case["history"].as_array() {
                Some(history) => {
                    history.iter().enumerate().filter(|(at, _)| !deleted.contains(&Json::from(at + 1))).map(|(_, it)| it).collect()
                }
                None => vec![&case["original"]],
            };
            let checked = if mode.ends_with("_TRANSITIVE") { history.len() } else { 1 };
            let mut found = Vec::new();
            for old in history.into_iter().rev().take(checked) {
                if mode.starts_with("BACKWARD") || mode.starts_with("FULL") {
                    found.extend(broken(new, old));
                }
                if mode.starts_with("FORWARD") || mode.starts_with("FULL") {
                    found.extend(broken(old, new));
                }
            }
            let mut agrees = found.is_empty() == (case["compatible"] == true);
            if let Some(expected) = words(&case, "expected_messages") {
                // Karapace writes types small.
                agrees &= expected.iter().all(|expected| found.iter().any(|found| found.1.eq_ignore_ascii_case(expected)));
            }
            if !agrees {
                wrong.push(format!("{file}, {}, {mode}: {found:?}", case["name"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn canonical_forms_and_fingerprints_agree() {
    for case in shared("avro-canonical-apache.json") {
        let text = case["schema"].as_str().expect("a text");
        let schema = AvroSchema::compile(text, &[]).unwrap_or_else(|words| panic!("{text}: {words}"));
        let (form, fingerprint) = schema.parsing_form();
        assert_eq!(Some(form.as_str()), case["canonical"].as_str(), "{text}");
        if let Some(expected) = case["fingerprint_crc64_avro"].as_i64() {
            assert_eq!(fingerprint as i64, expected, "{text}");
        }
    }
}

#[test]
fn decodings_agree() {
    for case in shared("avro-decode-apache.json") {
        let (writer, reader) = (compiled(&case["writer"]), compiled(&case["reader"]));
        let value = resolved(&writer.parsed, &case["datum"]);
        let encoder = apache_avro::writer::datum::GenericDatumWriter::builder(&writer.parsed).build().expect("a writer");
        let bytes = encoder.write_value_to_vec(value).unwrap_or_else(|error| panic!("{}: {error}", case["name"]));
        match writer.to_json(&bytes, Some(&reader)) {
            Ok(decoded) => assert_eq!(decoded, case["decoded"], "{}", case["name"]),
            Err(words) => assert!(case["error"].is_string(), "{}: {words}", case["name"]),
        }
    }
}

fn resolved(schema: &Parsed, datum: &Json) -> Value {
    value(datum).resolve(schema).expect("the datum is one of its schema")
}

fn value(datum: &Json) -> Value {
    match datum {
        Json::Number(number) => Value::Long(number.as_i64().expect("whole")),
        Json::String(text) => Value::String(text.clone()),
        Json::Object(fields) => Value::Record(fields.iter().map(|(name, field)| (name.clone(), value(field))).collect()),
        other => panic!("no case has {other}"),
    }
}
