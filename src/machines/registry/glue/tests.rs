//! Glue's rules: states, checkpoints, names of errors.

use super::*;

const V1: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}"#;
const V2: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string","default":""}]}"#;
const V3: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"}]}"#;

fn registry() -> GlueRegistry {
    GlueRegistry::new(Arc::default(), SimDuration::from_ns(10), Stream::new(1, "glue", "uuids"))
}

fn at(ns: u64) -> SimTime {
    SimTime::from_ns(ns)
}

#[test]
fn a_version_is_pending_until_its_check_is_done() {
    let mut registry = registry();
    let first = registry.create("orders", "AVRO", GlueLevel::Backward, V1).expect("created");
    assert_eq!((first.number, first.status), (1, GlueStatus::Available));
    assert_eq!(registry.create("orders", "AVRO", GlueLevel::Backward, V1).expect_err("twice").name, "AlreadyExistsException");
    let second = registry.register(at(0), "orders", V2).expect("taken");
    assert_eq!((second.number, second.status), (2, GlueStatus::Pending));
    assert_eq!(registry.register(at(1), "orders", V3).expect_err("busy").name, "ConcurrentModificationException");
    assert_eq!(registry.version("orders", VersionChoice::Latest).expect("there").number, 1, "pending versions are not the latest");
    assert_eq!(registry.next_deadline(), at(10));
    registry.on_deadline(at(10));
    assert_eq!(registry.by_uuid(second.uuid).expect("there").status, GlueStatus::Available);
    // The checkpoint is the first version: a field without a default breaks readers of it.
    let third = registry.register(at(20), "orders", V3).expect("taken");
    registry.on_deadline(at(30));
    assert_eq!(registry.by_uuid(third.uuid).expect("there").status, GlueStatus::Failure);
    assert!(registry.reasons(third.uuid)[0].contains("give \"b\" a default"), "{:?}", registry.reasons(third.uuid));
    assert_eq!(registry.register(at(40), "orders", V2).expect("known").number, 2, "a definition that is there gives its version");
}

#[test]
fn modes_and_checkpoints_pick_what_counts() {
    let mut registry = registry();
    registry.create("s", "AVRO", GlueLevel::Backward, V1).expect("created");
    registry.register(at(0), "s", V2).expect("taken");
    registry.on_deadline(at(10));
    assert!(!registry.test("s", V3).expect("judged").is_compatible(), "the checkpoint has no b");
    registry.update("s", None, Some(2)).expect("moved");
    assert!(registry.test("s", V3).expect("judged").is_compatible(), "version 2 has");
    registry.update("s", Some(GlueLevel::BackwardAll), Some(2)).expect("changed");
    assert!(!registry.test("s", V3).expect("judged").is_compatible(), "all versions count");
    registry.update("s", Some(GlueLevel::Disabled), None).expect("changed");
    assert_eq!(registry.register(at(20), "s", V3).expect_err("disabled").name, "InvalidInputException");
    assert_eq!(registry.update("s", None, None).expect_err("nothing").name, "InvalidInputException");
    assert_eq!(registry.delete_version(at(20), "s", 2).expect_err("checkpoint").name, "InvalidInputException");
    registry.delete_version(at(20), "s", 1).expect("going");
    assert_eq!(registry.version("s", VersionChoice::Number(1)).expect("there").status, GlueStatus::Deleting);
    registry.on_deadline(at(30));
    assert_eq!(registry.version("s", VersionChoice::Number(1)).expect_err("gone").name, "EntityNotFoundException");
}

#[test]
fn avro_is_judged_by_the_documented_rules() {
    let mut registry = registry();
    let a = r#"{"type":"record","name":"R","namespace":"a","fields":[]}"#;
    registry.create("s", "AVRO", GlueLevel::Full, a).expect("created");
    assert!(!registry.test("s", &a.replace("\"a\"", "\"b\"")).expect("judged").is_compatible(), "full names count");
}

#[test]
fn uuids_come_from_the_seed() {
    let uuid = || registry().create("s", "AVRO", GlueLevel::None, V1).expect("created").uuid;
    assert_eq!(uuid(), uuid());
    assert_eq!(uuid_text(uuid()).len(), 36);
}
