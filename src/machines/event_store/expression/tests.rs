//! Against the crate's own interpreter, and what must be refused.

use std::sync::Arc;

use proptest::prelude::*;

use super::{EvalError, Names, Program, Scalar, Slot};

const FIELDS: [&str; 5] = ["whole", "number", "text", "flag", "absent"];

struct Five;

impl Names for Five {
    fn slot(&mut self, row: &str, name: &str) -> Result<Slot, String> {
        let field = FIELDS.iter().position(|field| *field == name).filter(|_| row == "r");
        field.map(|field| Slot { row: 0, field: field as u16 }).ok_or_else(|| format!("no {row}.{name}"))
    }
    fn alone(&mut self, name: &str) -> Result<Slot, String> {
        Err(format!("no {name}"))
    }
}

fn row(whole: i64, number: f64, text: &str, flag: bool) -> [Scalar; 4] {
    [Scalar::Int(whole), Scalar::Double(number), Scalar::Text(Arc::from(text)), Scalar::Bool(flag)]
}

fn ours(text: &str, row: &[Scalar]) -> Result<Scalar, String> {
    Program::compile(text, &mut Five).map_err(|error| error.to_string())?.evaluate(&[row]).map_err(|error| error.to_string())
}

/// What the reference interpreter says.
fn theirs(text: &str, row: &[Scalar]) -> Result<Scalar, String> {
    let program = cel::Program::compile(text).map_err(|error| error.to_string())?;
    let mut fields = std::collections::HashMap::new();
    for (name, value) in FIELDS.iter().zip(row) {
        let value = match value {
            Scalar::Int(number) => cel::Value::Int(*number),
            Scalar::Double(number) => cel::Value::Float(*number),
            Scalar::Text(text) => cel::Value::String(Arc::new(text.to_string())),
            Scalar::Bool(flag) => cel::Value::Bool(*flag),
            other => panic!("{other:?}"),
        };
        fields.insert((*name).to_owned(), value);
    }
    let mut context = cel::Context::default();
    context.add_variable_from_value("r", fields);
    match program.execute(&context).map_err(|error| error.to_string())? {
        cel::Value::Int(number) => Ok(Scalar::Int(number)),
        cel::Value::Float(number) if number.is_finite() => Ok(Scalar::Double(number)),
        cel::Value::Float(_) => Err("not finite".to_owned()),
        cel::Value::String(text) => Ok(Scalar::Text(Arc::from(text.as_str()))),
        cel::Value::Bool(flag) => Ok(Scalar::Bool(flag)),
        other => Err(format!("{other:?}")),
    }
}

fn whole() -> BoxedStrategy<String> {
    let leaf = prop_oneof![(-5..6_i64).prop_map(|number| format!("({number})")), Just("r.whole".to_owned())];
    leaf.prop_recursive(3, 12, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/", "%"]), inner)
            .prop_map(|(left, op, right)| format!("({left} {op} {right})"))
    })
    .boxed()
}

fn number() -> BoxedStrategy<String> {
    let leaf = prop_oneof![Just("1.5".to_owned()), Just("r.number".to_owned()), whole().prop_map(|whole| format!("double({whole})"))];
    (leaf.clone(), prop::sample::select(vec!["+", "-", "*"]), leaf).prop_map(|(left, op, right)| format!("({left} {op} {right})")).boxed()
}

fn condition() -> BoxedStrategy<String> {
    let compare = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let leaf = prop_oneof![
        (whole(), compare.clone(), whole()).prop_map(|(left, op, right)| format!("({left} {op} {right})")),
        (number(), compare.clone(), number()).prop_map(|(left, op, right)| format!("({left} {op} {right})")),
        compare.prop_map(|op| format!("(r.text {op} 'abc')")),
        Just("r.text.startsWith('a')".to_owned()),
        Just("r.text in ['abc', 'x']".to_owned()),
        Just("size(r.text) > 2".to_owned()),
        Just("has(r.absent)".to_owned()),
        Just("r.absent == 1".to_owned()),
        Just("r.flag".to_owned()),
    ];
    leaf.prop_recursive(3, 16, 2, |inner| {
        prop_oneof![
            (inner.clone(), prop::sample::select(vec!["&&", "||"]), inner.clone())
                .prop_map(|(left, op, right)| format!("({left} {op} {right})")),
            inner.clone().prop_map(|inner| format!("!({inner})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
        ]
    })
    .boxed()
}

proptest! {
    #[test]
    fn conditions_mean_what_the_reference_says(
        text in condition(), whole in -3..4_i64, number in -2..3_i8, name in "[abx]{0,4}", flag in any::<bool>(),
    ) {
        let row = row(whole, f64::from(number), &name, flag);
        let (ours, theirs) = (ours(&text, &row), theirs(&text, &row));
        prop_assert_eq!(ours.is_err(), theirs.is_err(), "{}: {:?} and {:?}", text, ours, theirs);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours, theirs, "{}", text);
        }
    }

    #[test]
    fn no_text_makes_it_fall(text in "[r.whole0-9 +*/()'\"<>=!&|?:\\[\\],-]{0,60}") {
        let _ = ours(&text, &row(1, 1.0, "a", true));
    }
}

#[test]
fn what_has_no_bound_is_refused() {
    for text in [
        "[1, 2].all(x, x > 0)",
        "r.text.matches('(a+)+$')",
        "{'a': 1}",
        "[1, 2]",
        "1u",
        "b'ab'",
        "r.text in r.text",
        "q.whole",
        "whole",
        "r.whole.deeper",
        &"(".repeat(3_000),
        &format!("{}1{}", "(".repeat(40), ")".repeat(40)),
        &"!".repeat(900),
        &"-".repeat(900),
        &vec!["1"; 900].join("+"),
        &vec!["r.flag ? 1 : "; 100].join(""),
        &vec!["r.flag"; 300].join("&&"),
        "",
    ] {
        assert!(Program::compile(text, &mut Five).is_err(), "{}", &text[..text.len().min(40)]);
    }
}

#[test]
fn text_cannot_grow_without_bound() {
    let long = "a".repeat(4_000);
    let row = row(1, 1.0, &long, true);
    let program = Program::compile("r.text + r.text", &mut Five).expect("it is sound");
    assert_eq!(program.evaluate(&[&row]), Err(EvalError::TooLong));
}
