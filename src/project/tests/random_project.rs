//! Random projects that a file can hold.

use std::sync::Arc;

use indexmap::IndexMap;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::{Component, Endpoint, FaultTarget, Frame, Layout, Link, Note, Project, Scenario, SchemaSource, TimedFault, Value};
use crate::units::{SimDuration, SimTime};

fn id() -> impl Strategy<Value = String> {
    "[a-zé][a-z0-9_-]{0,8}"
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z (),:\"\\\\#{}/*]{0,20}", any::<String>(), "r?#{0,2}\"[a-z\n\"#]{0,9}"]
}

/// Never a reserved field's name.
fn param() -> impl Strategy<Value = String> {
    prop_oneof!["p_[a-z]{1,6}", "p[.a-z -]{1,6}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter("files hold finite numbers", |n| n.is_finite()).prop_map(Value::Float),
        text().prop_map(Value::Text),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::List), map(param(), inner).prop_map(Value::Map)]
    })
}

fn map<V: std::fmt::Debug>(
    keys: impl Strategy<Value = String>,
    values: impl Strategy<Value = V>,
) -> impl Strategy<Value = IndexMap<String, V>> {
    vec((keys, values), 0..4).prop_map(|entries| entries.into_iter().collect())
}

fn params() -> impl Strategy<Value = IndexMap<String, Value>> {
    map(param(), value())
}

fn component() -> impl Strategy<Value = Component> {
    let optional = || prop::option::of(text());
    (
        "[a-z]{1,8}",
        prop_oneof![Just(String::new()), id()],
        optional(),
        optional(),
        optional(),
        (optional(), optional(), optional()),
        params(),
    )
        .prop_map(|(kind, key, profile, title, description, (owner, context, data_class), params)| Component {
            kind,
            key,
            profile,
            title,
            description,
            owner,
            context,
            data_class,
            params,
        })
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    (id(), "[a-z.]{1,8}").prop_map(|(component, port)| Endpoint { component, port })
}

fn schema() -> impl Strategy<Value = SchemaSource> {
    let inline = prop_oneof!["\\{[a-z\": \n]{0,9}\\}", text()].prop_map(|text| SchemaSource { path: None, text: text.into() });
    prop_oneof![inline, "[a-z]{1,5}(/[a-z]{1,5})?\\.avsc".prop_map(|path| SchemaSource { path: Some(path), text: Arc::from("") })]
}

fn scenario() -> impl Strategy<Value = Scenario> {
    // Milliseconds: what a file's shortest text of a time can say without loss.
    let time = || prop::option::of((0_u64..10_000_000).prop_map(SimDuration::from_ms));
    let target = prop_oneof![
        id().prop_map(FaultTarget::Component),
        (id(), id()).prop_map(|(from, to)| FaultTarget::link(&format!("{from}.out -> {to}.in")).expect("two ends")),
    ];
    let fault = (0_u64..100_000, target, "[a-z-]{1,8}", params()).prop_map(|(at, target, action, params)| TimedFault {
        at: SimTime::ZERO + SimDuration::from_ms(at),
        target,
        action,
        params,
    });
    (text(), time(), time(), map(id(), params()), vec(fault, 0..3), vec(text(), 0..3))
        .prop_map(|(about, length, warm_up, set, faults, misses)| Scenario { about, length, warm_up, set, faults, misses })
}

fn pair() -> impl Strategy<Value = [f32; 2]> {
    let number = || prop_oneof![(-5_000_i32..5_000).prop_map(|n| n as f32), any::<f32>().prop_filter("a place", |n| n.is_finite())];
    (number(), number()).prop_map(|(x, y)| [x, y])
}

fn layout() -> impl Strategy<Value = Layout> {
    let frame =
        (text(), pair(), pair(), vec(id(), 0..3)).prop_map(|(label, position, size, members)| Frame { label, position, size, members });
    let note = (text(), pair(), pair()).prop_map(|(text, position, size)| Note { text, position, size });
    (map(id(), pair()), vec(frame, 0..3), vec(note, 0..3)).prop_map(|(positions, frames, notes)| Layout { positions, frames, notes })
}

/// A project.
pub(super) fn project() -> impl Strategy<Value = Project> {
    let link = (endpoint(), endpoint(), params()).prop_map(|(from, to, params)| Link { from, to, params });
    let texts = || vec(text(), 0..3);
    let head = (text(), text(), any::<u64>(), texts(), texts(), texts());
    (head, map(id(), schema()), map(id(), component()), vec(link, 0..4), map(id(), scenario()), layout()).prop_map(
        |((name, aim, seed, assumptions, decisions, expect), schemas, components, links, scenarios, layout)| Project {
            name,
            aim,
            seed,
            assumptions,
            decisions,
            schemas,
            components,
            links,
            scenarios,
            expect,
            layout,
        },
    )
}
