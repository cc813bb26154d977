//! The registry's card: what it checks, how it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::*;
use crate::engine::{Ctx, Effect, Figures, Input, LinkEnd, Outbox, TraceSampling};
use crate::event::{Answer, CallId, Message, Query, SchemaCall, SchemaRequest, VersionState};
use crate::machines::codec::SchemaLibrary;
use crate::model::{Project, SchemaSource, Value};
use crate::units::{ComponentIx, SimTime};

const V1: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}"#;
const V2: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":"string","default":""}]}"#;
const BAD: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}"#;

fn project() -> Project {
    let source = |text: &str| SchemaSource { path: None, text: text.into() };
    let schemas = [
        ("first", V1),
        ("second", V2),
        ("bad", BAD),
        ("broken", "{"),
        ("json", r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#),
    ];
    Project { schemas: schemas.iter().map(|(name, text)| ((*name).to_owned(), source(text))).collect(), ..Project::default() }
}

fn with<T>(params: &str, then: impl FnOnce(&BuildCtx<'_>, &Params<'_>) -> T) -> T {
    with_profile("confluent-7", params, then)
}

fn with_profile<T>(profile: &str, params: &str, then: impl FnOnce(&BuildCtx<'_>, &Params<'_>) -> T) -> T {
    let values: IndexMap<String, Value> = serde_json::from_str(params).expect("JSON");
    let (project, library) = (project(), Arc::new(SchemaLibrary::default()));
    let ctx = BuildCtx {
        project: &project,
        id: "schemas",
        me: ComponentIx(0),
        key: "schemas",
        seed: 1,
        links: &[],
        topics: &[],
        groups: &[],
        event_types: &BTreeMap::new(),
        schemas: &library,
    };
    then(&ctx, &Params::new(RegistryKind.spec().params, Some(profile), &values))
}

fn problems(params: &str) -> Vec<(String, String, String)> {
    with(params, |ctx, params| {
        let mut out = Vec::new();
        RegistryKind.check(ctx, params, &mut out);
        out.into_iter().map(|d| (d.code, d.path, d.hint.unwrap_or_default())).collect()
    })
}

#[test]
fn a_list_is_checked_version_by_version() {
    assert_eq!(problems(r#"{"subjects": {"orders-value": {"versions": ["first", "second"]}}}"#), []);
    let found = problems(
        r#"{"subjects": {"a": {"versions": ["first", "bad", "frist", "broken", "json"]}, "b": {"versions": []},
            "c": {"compatibility": "NONE", "versions": ["first", "bad"]}, "d": {"compatibility": "FULL", "versions": ["second", "first"]}}}"#,
    );
    let codes: Vec<(&str, &str)> = found.iter().map(|(code, path, _)| (code.as_str(), path.as_str())).collect();
    assert_eq!(
        codes,
        [
            ("schema-incompatible", "components.schemas.subjects.a.versions[1]"),
            ("schema-unknown", "components.schemas.subjects.a.versions[2]"),
            ("schema-invalid", "components.schemas.subjects.a.versions[3]"),
            ("schema-invalid", "components.schemas.subjects.a.versions[4]"),
            ("subject-empty", "components.schemas.subjects.b.versions"),
            ("schema-incompatible", "components.schemas.subjects.d.versions[1]"),
        ]
    );
    assert!(found[0].2.contains("/fields/0/type: reader type: STRING not compatible with writer type: INT"), "{}", found[0].2);
    assert_eq!(found[1].2, "did you mean `first`?");
    assert!(found[3].2.contains("type: \"JSON\""));
    assert!(found[5].2.contains("version 1"), "{}", found[5].2);
}

#[test]
fn requests_queue_and_are_answered_in_order() {
    let mut process = with(r#"{"service_time": "1ms", "subjects": {"s": {"versions": ["first", "second"]}}}"#, |ctx, params| {
        RegistryKind.build(ctx, params).expect("builds")
    });
    let mut out = Outbox::default();
    let mut turn = |now_ms: u64, act: &mut dyn FnMut(&mut Ctx<'_>)| {
        let now = SimTime::from_ns(now_ms * 1_000_000);
        act(&mut Ctx { now, me: ComponentIx(0), tracing: TraceSampling::default(), out: &mut out });
        std::mem::take(&mut out.effects)
    };
    let ask = |call: u64, body: SchemaCall| Message::Schema(Box::new(SchemaRequest { call: CallId(call), body }));
    let mut first = Some(ask(1, SchemaCall::BySubject { subject: "s".into(), version: None }));
    let effects = turn(0, &mut |ctx| process.on_message(ctx, LinkEnd(0), first.take().expect("once")));
    assert!(matches!(effects[..], [Effect::Timer { at, .. }] if at == SimTime::from_ns(1_000_000)));
    let mut second = Some(ask(2, SchemaCall::ById(9)));
    assert!(turn(0, &mut |ctx| process.on_message(ctx, LinkEnd(1), second.take().expect("once"))).is_empty(), "one server");
    let effects = turn(1, &mut |ctx| process.on_timer(ctx, 0));
    let [Effect::Send { end: LinkEnd(0), message: Message::SchemaReply(reply), .. }, Effect::Timer { .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    let found = reply.result.as_ref().expect("found");
    assert_eq!((reply.call, found.id, found.version, &*found.text), (CallId(1), 2, 2, V2));
    let effects = turn(2, &mut |ctx| process.on_timer(ctx, 0));
    let [Effect::Send { end: LinkEnd(1), message: Message::SchemaReply(reply), .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(reply.result.as_ref().expect_err("unknown").0, 40403);
    let mut figures = Figures::default();
    process.figures(SimTime::from_ns(2_000_000), &mut figures);
    let figure = |name: &str| figures.list.iter().find(|figure| figure.name == name).expect(name).value;
    assert_eq!((figure("requests_count"), figure("errors_count"), figure("subjects"), figure("served_count")), (2.0, 1.0, 1.0, 2.0));
    assert!((figure("busy_s") - 0.002).abs() < 1e-12 && (figure("queue_s") - 0.001).abs() < 1e-12);
}

#[test]
fn a_scenario_may_register_a_version() {
    let mut process =
        with(r#"{"subjects": {"s": {"versions": ["first"]}}}"#, |ctx, params| RegistryKind.build(ctx, params).expect("builds"));
    let mut out = Outbox::default();
    let mut ctx = Ctx { now: SimTime::ZERO, me: ComponentIx(0), tracing: TraceSampling::default(), out: &mut out };
    let mut register = |schema: &str| {
        let params = [("subject", "s"), ("schema", schema)].map(|(name, text)| (name.to_owned(), Value::from(text))).into_iter().collect();
        process.on_input(&mut ctx, &Input::Action { name: "register".to_owned(), params })
    };
    register("second").expect("by name");
    assert!(register(BAD).expect_err("incompatible").starts_with("40901: "));
    assert!(register("nowhere").expect_err("unknown").contains("no schema `nowhere`"));
    assert!(process.on_input(&mut ctx, &Input::Set { param: "compatibility".to_owned(), value: "NONE".into() }).is_ok());
}

/// A version's number, its state, and when it was registered, in nanoseconds.
type Version = (u32, VersionState, Option<u64>);

/// The subjects of a registry: level, versions that count, and the versions.
fn standing(process: &dyn Process) -> Vec<(String, Vec<u32>, Vec<Version>)> {
    let Some(Answer::Subjects(subjects)) = process.browse(SimTime::ZERO, &Query::Subjects) else { panic!("a registry tells its subjects") };
    let version = |one: &crate::event::VersionStanding| (one.number, one.state, one.registered.map(SimTime::as_ns));
    let of = |one: crate::event::SubjectStanding| (one.level.to_string(), one.against, one.versions.iter().map(version).collect());
    subjects.into_iter().map(of).collect()
}

#[test]
fn who_looks_sees_when_a_version_came_and_what_was_refused() {
    let mut process =
        with(r#"{"subjects": {"s": {"versions": ["first"]}}}"#, |ctx, params| RegistryKind.build(ctx, params).expect("builds"));
    let mut out = Outbox::default();
    let mut act = |process: &mut Box<dyn Process>, ns: u64, name: &str, params: &[(&str, &str)]| {
        let mut ctx = Ctx { now: SimTime::from_ns(ns), me: ComponentIx(0), tracing: TraceSampling::default(), out: &mut out };
        let params = params.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect();
        process.on_input(&mut ctx, &Input::Action { name: name.to_owned(), params })
    };
    use VersionState::{Available, Deleted};
    assert_eq!(standing(&*process), [("BACKWARD".to_owned(), vec![1], vec![(1, Available, None)])]);
    act(&mut process, 7, "register", &[("subject", "s"), ("schema", "second")]).expect("it may follow");
    act(&mut process, 9, "register", &[("subject", "s"), ("schema", "second")]).expect("it is there already");
    act(&mut process, 9, "register", &[("subject", "s"), ("schema", "first")]).expect("it is there already");
    assert_eq!(standing(&*process)[0].2, [(1, Available, None), (2, Available, Some(7))]);
    assert!(act(&mut process, 11, "register", &[("subject", "s"), ("schema", "bad")]).is_err());
    let Some(Answer::Subjects(subjects)) = process.browse(SimTime::ZERO, &Query::Subjects) else { panic!("it tells them") };
    let (at, why) = subjects[0].refused.clone().expect("it was refused");
    assert!(at == SimTime::from_ns(11) && why.starts_with("40901"), "{why}");
    act(&mut process, 13, "delete-version", &[("subject", "s"), ("version", "2")]).expect("it is there");
    act(&mut process, 13, "set-compatibility", &[("subject", "s"), ("level", "NONE")]).expect("a level");
    assert_eq!(standing(&*process), [("NONE".to_owned(), vec![1], vec![(1, Available, None), (2, Deleted, Some(7))])]);
    act(&mut process, 15, "register", &[("subject", "s"), ("schema", "bad")]).expect("NONE refuses nothing");
    assert_eq!(standing(&*process)[0].2[2], (3, Available, Some(15)));
}

#[test]
fn glue_compares_with_its_checkpoint() {
    let process = with_profile("glue", r#"{"subjects": {"s": {"versions": ["first", "second"]}}}"#, |ctx, params| {
        RegistryKind.build(ctx, params).expect("builds")
    });
    let found = standing(&*process);
    assert_eq!((found[0].0.as_str(), &found[0].1[..], found[0].2.len()), ("BACKWARD", &[1][..], 2));
}
