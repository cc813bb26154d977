//! The registry's rules, code by code.

use super::*;
use crate::event::CallId;

const V1: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}"#;
const V2_DEFAULT: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string","default":""}]}"#;
const V2_REQUIRED: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"}]}"#;
const V2_TEXT: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"c","type":"int"}]}"#;

fn registry(level: Compatibility) -> Registry {
    Registry::new(Arc::default(), level)
}

fn register(registry: &mut Registry, subject: &str, text: &str) -> Result<(u32, u32), RegistryError> {
    registry.register(&subject.into(), &"AVRO".into(), &text.into()).map(|found| (found.id, found.version))
}

#[test]
fn ids_belong_to_texts_and_versions_to_subjects() {
    let mut registry = registry(Compatibility::Backward);
    assert_eq!(register(&mut registry, "a", V1), Ok((1, 1)));
    assert_eq!(register(&mut registry, "a", V2_DEFAULT), Ok((2, 2)));
    assert_eq!(register(&mut registry, "b", V2_DEFAULT), Ok((2, 1)));
    assert_eq!(register(&mut registry, "a", V1), Ok((1, 1)), "the same text again is the same version");
    assert_eq!(registry.by_subject("a", None).map(|found| found.version), Ok(2).map_err(|(): ()| unreachable!()));
    let by_id = registry.by_id(2).expect("known");
    assert_eq!((&*by_id.subject, by_id.version, &*by_id.text), ("a", 2, V2_DEFAULT));
    assert_eq!((registry.subjects_count(), registry.schemas_count()), (2, 2));
}

#[test]
fn levels_ask_what_they_say() {
    for (level, first, second, passes) in [
        (Compatibility::Backward, V1, V2_DEFAULT, true),
        (Compatibility::Backward, V1, V2_REQUIRED, false),
        (Compatibility::Forward, V1, V2_REQUIRED, true),
        (Compatibility::Forward, V2_REQUIRED, V1, false),
        (Compatibility::Full, V1, V2_DEFAULT, true),
        (Compatibility::Full, V1, V2_REQUIRED, false),
        (Compatibility::None, V1, V2_TEXT, true),
    ] {
        let mut registry = registry(level);
        register(&mut registry, "s", first).expect("first");
        assert_eq!(register(&mut registry, "s", second).is_ok(), passes, "{level}");
    }
    // Plain levels look at the latest version only.
    for (level, passes) in [(Compatibility::Backward, true), (Compatibility::BackwardTransitive, false)] {
        let mut registry = registry(Compatibility::None);
        for text in [V1, V2_REQUIRED] {
            register(&mut registry, "s", text).expect("free");
        }
        registry.set_level(Some(&"s".into()), &level.to_string()).expect("a level");
        let next = V2_REQUIRED.replace("\"int\"", "\"long\"");
        assert_eq!(register(&mut registry, "s", &next).is_ok(), passes, "{level}");
    }
}

#[test]
fn refusals_carry_their_numbers_and_every_reason() {
    let mut registry = registry(Compatibility::Backward);
    register(&mut registry, "s", V1).expect("first");
    let code = |result: Result<SchemaFound, RegistryError>| result.expect_err("refused").code;
    assert_eq!(code(registry.by_subject("t", None)), 40401);
    assert_eq!(code(registry.by_subject("s", Some(2))), 40402);
    assert_eq!(code(registry.by_subject("s", Some(0))), 42202);
    assert_eq!(code(registry.by_id(0)), 40403);
    assert_eq!(code(registry.by_id(2)), 40403);
    assert_eq!(register(&mut registry, "s", "{").expect_err("no schema").code, 42201);
    assert_eq!(registry.set_level(None, "SIDEWAYS").expect_err("no level").code, 42203);
    let error = register(&mut registry, "s", V2_TEXT).expect_err("incompatible");
    assert_eq!(error.code, 40901);
    assert_eq!(
        error.reasons,
        [
            "the new schema cannot read data of version 1: field a: the reader wants string, the writer has int",
            "the new schema cannot read data of version 1: field c: the writer has no such field, and the reader gives no default",
        ]
    );
    let json = registry.register(&"s".into(), &"JSON".into(), &"{}".into()).expect_err("another type");
    assert_eq!(json.code, 40901);
}

#[test]
fn requests_come_back_to_their_caller() {
    let mut registry = registry(Compatibility::Backward);
    let mut outbox = Vec::new();
    let body = SchemaCall::Register { subject: "s".into(), text: V1.into(), schema_type: "AVRO".into() };
    registry.handle(SimTime::ZERO, "web", &SchemaRequest { call: CallId(9), body }, &mut outbox);
    registry.handle(SimTime::ZERO, "app", &SchemaRequest { call: CallId(3), body: SchemaCall::ById(7) }, &mut outbox);
    let codes: Vec<_> =
        outbox.iter().map(|(caller, reply)| (*caller, reply.call.0, reply.result.as_ref().err().map(|error| error.0))).collect();
    assert_eq!(codes, [("web", 9, None), ("app", 3, Some(40403))]);
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut registry = registry(Compatibility::None);
    register(&mut registry, "s", V1).expect("first");
    let kept = registry.clone();
    register(&mut registry, "s", V2_TEXT).expect("second");
    assert_eq!((kept.schemas_count(), registry.schemas_count()), (1, 2));
}

#[test]
fn a_made_version_breaks_whom_it_says() {
    let text = r#"{"type":"record","name":"R","fields":[{"name":"required","type":"int"},{"name":"b","type":"string","default":""}]}"#;
    let library = SchemaLibrary::default();
    let compiled = |text: &str| library.compile("AVRO", text).unwrap_or_else(|words| panic!("{text}: {words}"));
    let old = compiled(text);
    for (breaks, reads_old, is_read_by_old) in
        [(Breaks::Writers, false, true), (Breaks::Readers, true, false), (Breaks::Both, false, false)]
    {
        let new = compiled(&sabotage::broken(text, breaks).expect("a record with a required field"));
        let found = (library.can_read(&new, &old).is_ok(), library.can_read(&old, &new).is_ok());
        assert_eq!(found, (reads_old, is_read_by_old), "{breaks:?}");
    }
    assert_eq!(sabotage::broken("\"int\"", Breaks::Both), None);
    assert_eq!(sabotage::broken(r#"{"type":"record","name":"R","fields":[]}"#, Breaks::Both), None);
}
