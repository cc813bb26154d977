//! The registry's rules, code by code.

mod checking;
mod oracle;

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
    registry.register(subject, &NewSchema::new("AVRO", text), Registering::default()).map(|found| (found.id, found.version))
}

#[test]
fn ids_belong_to_texts_and_versions_to_subjects() {
    let mut registry = registry(Compatibility::Backward);
    assert_eq!(register(&mut registry, "a", V1), Ok((1, 1)));
    assert_eq!(register(&mut registry, "a", V2_DEFAULT), Ok((2, 2)));
    assert_eq!(register(&mut registry, "b", V2_DEFAULT), Ok((2, 1)));
    assert_eq!(register(&mut registry, "a", V1), Ok((1, 1)), "the same text again is the same version");
    assert_eq!(registry.by_version("a", VersionChoice::Latest, false).expect("there").version, 2);
    let by_id = registry.by_id(2, None).expect("known");
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
        registry.set_config(Some("s"), &level_of(&level.to_string())).expect("a level");
        let next = V2_REQUIRED.replace("\"int\"", "\"long\"");
        assert_eq!(register(&mut registry, "s", &next).is_ok(), passes, "{level}");
    }
}

fn level_of(level: &str) -> ConfigUpdate {
    ConfigUpdate { level: Some(level.to_owned()), ..ConfigUpdate::default() }
}

fn code<T: std::fmt::Debug>(result: Result<T, RegistryError>) -> u32 {
    result.expect_err("refused").code
}

#[test]
fn refusals_carry_their_numbers_and_every_reason() {
    let mut registry = registry(Compatibility::Backward);
    register(&mut registry, "s", V1).expect("first");
    let number = VersionChoice::Number;
    assert_eq!(code(registry.by_version("t", VersionChoice::Latest, false)), 40401);
    assert_eq!(code(registry.by_version("s", number(2), false)), 40402);
    assert_eq!(code("0".parse::<VersionChoice>()), 42202);
    assert_eq!(code("x".parse::<VersionChoice>()), 42202);
    assert_eq!("latest".parse::<VersionChoice>(), Ok(VersionChoice::Latest));
    assert_eq!((code(registry.by_id(0, None)), code(registry.by_id(2, None))), (40403, 40403));
    assert_eq!(code(register(&mut registry, "s", "{")), 42201);
    assert_eq!(code(register(&mut registry, "t", " ")), 42201);
    assert_eq!(code(registry.register("s", &NewSchema::new("XML", V1), Registering::default())), 42201);
    assert_eq!(code(register(&mut registry, "", V1)), 42208);
    assert_eq!(code(registry.set_config(None, &level_of("SIDEWAYS"))), 42203);
    assert_eq!(code(registry.set_mode(None, "SIDEWAYS", false)), 42204);
    assert_eq!((code(registry.config(Some("s"), false)), code(registry.mode(Some("s"), false))), (40408, 40409));
    let error = register(&mut registry, "s", V2_TEXT).expect_err("incompatible");
    assert_eq!(error.code, 40901);
    assert_eq!(error.reasons.len(), 2, "{:?}", error.reasons);
    assert!(error.reasons[0].starts_with("the new schema cannot read data of version 1: /fields/0/type: reader type: STRING"));
    assert!(error.reasons[1].ends_with("(give \"c\" a default)"), "{}", error.reasons[1]);
    let json = registry.register("s", &NewSchema::new("JSON", "{}"), Registering::default()).expect_err("another type");
    assert_eq!(json.code, 40901);
    assert!(json.message.contains("[Incompatible because of different schema type, {validateFields"), "{}", json.message);
}

#[test]
fn verbose_messages_are_confluents() {
    let mut registry = registry(Compatibility::Backward);
    register(&mut registry, "s", V1).expect("first");
    let verdict = registry.test("s", &NewSchema::new("", V2_REQUIRED), Against::Subject, false).expect("judged");
    assert_eq!(
        verdict.messages,
        [
            "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'b' at path '/fields/1' in the new schema has no \
             default value and is missing in the old schema', additionalInfo:'b'}",
            "{oldSchemaVersion: 1}",
            &format!("{{oldSchema: '{V1}'}}"),
            "{validateFields: 'false', compatibility: 'BACKWARD'}",
        ]
    );
    // Testing and registering say the same.
    let refused = register(&mut registry, "s", V2_REQUIRED).expect_err("refused");
    let details = verdict.messages.join(", ");
    assert_eq!(
        &*refused.message,
        &format!("Schema being registered is incompatible with an earlier schema for subject \"s\", details: [{details}]")
    );
    assert_eq!(code(registry.test("s", &NewSchema::new("", V1), Against::Version(VersionChoice::Number(9)), false)), 40402);
    assert!(registry.test("t", &NewSchema::new("", V1), Against::Version(VersionChoice::Latest), false).expect("free").is_compatible());
}

#[test]
fn deleting_is_soft_first() {
    let mut registry = registry(Compatibility::None);
    for text in [V1, V2_DEFAULT] {
        register(&mut registry, "s", text).expect("free");
    }
    let number = VersionChoice::Number;
    assert_eq!(code(registry.delete_version("s", number(1), true)), 40407);
    assert_eq!(registry.delete_version("s", VersionChoice::Latest, false), Ok(2));
    assert_eq!(code(registry.delete_version("s", number(2), false)), 40406);
    assert_eq!(code(registry.by_version("s", number(2), false)), 40402);
    assert!(registry.by_version("s", number(2), true).expect("asked for").is_deleted);
    assert_eq!(registry.by_id(2, None).expect("ids stay").version, 2);
    assert_eq!(registry.versions("s", Deleted::With), Ok(vec![1, 2]));
    // The same schema again gets the next number and its old id; its deleted version is gone.
    assert_eq!(register(&mut registry, "s", V2_DEFAULT), Ok((2, 3)));
    assert_eq!(registry.versions("s", Deleted::With), Ok(vec![1, 3]));
    assert_eq!(registry.delete_subject("s", false), Ok(vec![1, 3]));
    assert_eq!(code(registry.delete_subject("s", false)), 40404);
    assert_eq!(code(registry.delete_subject("t", false)), 40401);
    assert_eq!((registry.subjects(None, Deleted::Without).len(), registry.subjects(None, Deleted::Only).len()), (0, 1));
    register(&mut registry, "s", V2_TEXT).expect("deleted versions do not count");
    assert_eq!(code(registry.delete_subject("s", true)), 40405);
    registry.delete_subject("s", false).expect("soft");
    assert_eq!(registry.delete_subject("s", true), Ok(vec![1, 3, 4]));
    assert_eq!(code(registry.by_id(1, None)), 40403);
    assert_eq!(registry.schemas_count(), 0);
}

const ADDRESS: &str = r#"{"type":"record","name":"Address","namespace":"shop","fields":[{"name":"city","type":"string"}]}"#;
const CUSTOMER: &str = r#"{"type":"record","name":"Customer","namespace":"shop","fields":[{"name":"home","type":"Address"}]}"#;

fn customer() -> NewSchema {
    let reference = NewReference { name: "shop.Address".into(), subject: "address".into(), version: VersionChoice::Latest };
    NewSchema { references: vec![reference], ..NewSchema::new("AVRO", CUSTOMER) }
}

#[test]
fn references_are_resolved_and_hold_what_they_name() {
    let mut registry = registry(Compatibility::Backward);
    let missing = registry.register("customer", &customer(), Registering::default()).expect_err("nothing there");
    assert!(missing.code == 42201 && missing.message.contains("No schema reference found for subject \"address\""), "{missing}");
    register(&mut registry, "address", ADDRESS).expect("registered");
    let found = registry.register("customer", &customer(), Registering::default()).expect("resolved");
    assert_eq!(found.references[0].version, 1);
    assert_eq!(registry.referenced_by("address", VersionChoice::Latest, false), Ok(vec![found.id]));
    assert_eq!(code(registry.delete_version("address", VersionChoice::Latest, false)), 42206);
    assert_eq!(code(registry.delete_subject("address", false)), 42206);
    // The text with its reference written out is looked up as the same.
    let whole = CUSTOMER.replace("\"Address\"", ADDRESS);
    assert_eq!(registry.lookup("customer", &NewSchema::new("AVRO", &whole), false, false).expect("the same").id, found.id);
    let for_client = registry.found(&found).expect("texts");
    assert_eq!(for_client.references.len(), 1);
    assert_eq!(SchemaLibrary::default().compile_found(&for_client).expect("compiles").name().as_deref(), Some("shop.Customer"));
    registry.delete_subject("customer", false).expect("soft");
    registry.delete_version("address", VersionChoice::Latest, false).expect("deleted referrers do not count");
    assert_eq!(code(registry.delete_version("address", VersionChoice::Number(1), true)), 42206, "for good they do");
}

#[test]
fn formatting_and_the_order_of_keys_make_no_new_version_but_a_doc_does() {
    let mut registry = registry(Compatibility::Backward);
    assert_eq!(register(&mut registry, "s", V1), Ok((1, 1)));
    let same = r#" { "name": "R", "fields": [ {"type": {"type": "int"}, "name": "a"} ], "type": "record" } "#;
    assert_eq!(register(&mut registry, "s", same), Ok((1, 1)));
    assert_eq!(register(&mut registry, "s", &V1.replace("\"name\":\"R\"", "\"name\":\"R\",\"doc\":\"new\"")), Ok((2, 2)));
    let json = |text: &str| NewSchema::new("JSON", text);
    let how = Registering { normalize: true, force: false };
    registry.register("j", &json(r#"{"type":"object","title":"T"}"#), how).expect("first");
    let again = registry.register("j", &json(r#"{ "title": "T", "type": "object" }"#), how).expect("the same");
    assert_eq!(again.version, 1);
}

#[test]
fn modes_allow_what_they_say() {
    let mut registry = registry(Compatibility::Backward);
    let import = |id, version, text: &str| NewSchema { id: Some(id), version, ..NewSchema::new("AVRO", text) };
    let how = Registering::default();
    assert_eq!(code(registry.register("s", &import(7, None, V1), how)), 42205, "not in import mode");
    registry.set_mode(None, "import", false).expect("empty");
    assert_eq!(code(register(&mut registry, "s", V1)), 42205, "not in read-write mode");
    let found = registry.register("s", &import(7, Some(4), V1), how).expect("imported");
    assert_eq!((found.id, found.version), (7, 4));
    assert_eq!(code(registry.register("s", &import(7, None, V2_TEXT), how)), 42205, "an id is not overwritten");
    assert_eq!(code(registry.register("s", &import(8, None, V1), how)), 42207, "nor has a schema two ids");
    registry.register("s", &import(9, None, V2_TEXT), how).expect("unchecked");
    assert_eq!(code(registry.set_mode(Some("t"), "FORWARD", false)), 42204);
    registry.set_mode(None, "READWRITE", false).expect("back");
    assert_eq!(register(&mut registry, "t", V2_DEFAULT), Ok((10, 1)), "ids go on after the greatest");
    assert_eq!(code(registry.set_mode(None, "IMPORT", false)), 42205, "subjects are there");
    registry.set_mode(Some("s"), "READONLY", false).expect("set");
    assert_eq!(code(registry.delete_subject("s", false)), 42205);
    register(&mut registry, "t", V1).expect("another subject");
    registry.set_mode(None, "READONLY_OVERRIDE", false).expect("set");
    assert_eq!(code(register(&mut registry, "t", V2_TEXT)), 42205);
}

#[test]
fn contexts_have_their_own_ids() {
    let mut registry = registry(Compatibility::Backward);
    assert_eq!(register(&mut registry, "s", V1), Ok((1, 1)));
    assert_eq!(register(&mut registry, ":.ctx:s", V2_TEXT), Ok((1, 1)));
    assert_eq!(registry.contexts().iter().map(|context| &**context).collect::<Vec<_>>(), [".", ".ctx"]);
    assert_eq!(&*registry.by_id(1, Some(":.ctx:")).expect("there").text, V2_TEXT);
    assert_eq!(&*registry.by_id(1, None).expect("there").text, V1);
    register(&mut registry, ":.ctx:only", V1).expect("registered");
    assert_eq!(&*registry.by_version("only", VersionChoice::Latest, false).expect("looked for everywhere").subject, ":.ctx:only");
    let names = |prefix| registry.subjects(prefix, Deleted::Without).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(None), [":.ctx:only", ":.ctx:s", "s"]);
    assert_eq!(names(Some(":.ctx:")), [":.ctx:only", ":.ctx:s"]);
    assert_eq!(names(Some(":*:s")), [":.ctx:s", "s"]);
    assert_eq!(names(Some("s")), ["s"]);
}

#[test]
fn strategies_name_subjects() {
    let named = |word: &str, record| SubjectNaming::named(word).subject("orders", false, record);
    assert_eq!(named("TopicName", None).as_deref(), Ok("orders-value"));
    assert_eq!(named("RecordName", Some("shop.Order")).as_deref(), Ok("shop.Order"));
    assert_eq!(named("TopicRecordName", Some("shop.Order")).as_deref(), Ok("orders-shop.Order"));
    assert!(named("RecordName", None).expect_err("no name").contains("without a name"));
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
