//! The check of files against registering the same texts: one answer, with the same words, in every format and level.

use proptest::prelude::*;

use super::*;
use crate::machines::codec::{Policy, Rules};

const FORMATS: [&str; 3] = ["AVRO", "JSON", "PROTOBUF"];

/// A field in words that each format can say.
#[derive(Clone, Copy, Debug)]
struct Field {
    name: &'static str,
    kind: Kind,
    /// Without it the format's own way to require a field.
    is_optional: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Whole,
    Real,
    Many,
}

impl Field {
    fn avro(self) -> String {
        let ty = match self.kind {
            Kind::Text => r#""string""#,
            Kind::Whole => r#""long""#,
            Kind::Real => r#""double""#,
            Kind::Many => r#"{"type":"array","items":"int"}"#,
        };
        match self.is_optional {
            true => format!(r#"{{"name":"{}","type":["null",{ty}],"default":null}}"#, self.name),
            false => format!(r#"{{"name":"{}","type":{ty}}}"#, self.name),
        }
    }
    fn json(self) -> String {
        let ty = match self.kind {
            Kind::Text => r#"{"type":"string"}"#,
            Kind::Whole => r#"{"type":"integer"}"#,
            Kind::Real => r#"{"type":"number"}"#,
            Kind::Many => r#"{"type":"array","items":{"type":"integer"}}"#,
        };
        format!(r#""{}":{ty}"#, self.name)
    }
    fn protobuf(self) -> String {
        // A field's number comes from its name, so that versions agree on it.
        let number = 1 + NAMES.iter().position(|name| *name == self.name).unwrap_or(0);
        let (label, ty) = match self.kind {
            Kind::Text => ("optional", "string"),
            Kind::Whole => ("optional", "int64"),
            Kind::Real => ("optional", "double"),
            Kind::Many => ("repeated", "int32"),
        };
        let label = if self.is_optional || label == "repeated" { label } else { "required" };
        format!("{label} {ty} {} = {number};", self.name)
    }
}

const NAMES: [&str; 4] = ["id", "total", "note", "lines"];

/// One version of a record in one format.
fn text(format: &str, fields: &[Field], is_closed: bool) -> String {
    let joined = |each: fn(Field) -> String, between: &str| fields.iter().map(|field| each(*field)).collect::<Vec<_>>().join(between);
    match format {
        "AVRO" => format!(r#"{{"type":"record","name":"Order","fields":[{}]}}"#, joined(Field::avro, ",")),
        "JSON" => {
            let required: Vec<_> = fields.iter().filter(|field| !field.is_optional).map(|field| format!("{:?}", field.name)).collect();
            let (fields, required) = (joined(Field::json, ","), required.join(","));
            format!(r#"{{"type":"object","properties":{{{fields}}},"required":[{required}],"additionalProperties":{}}}"#, !is_closed)
        }
        _ => format!("syntax = \"proto2\"; message Order {{ {} }}", joined(Field::protobuf, " ")),
    }
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    let kind = prop::sample::select(vec![Kind::Text, Kind::Whole, Kind::Real, Kind::Many]);
    let field = (prop::sample::select(NAMES.to_vec()), kind, any::<bool>());
    prop::collection::vec(field, 1..4).prop_map(|all| {
        let mut fields: Vec<Field> = Vec::new();
        for (name, kind, is_optional) in all {
            if fields.iter().all(|field| field.name != name) {
                fields.push(Field { name, kind, is_optional });
            }
        }
        fields
    })
}

fn levels() -> impl Strategy<Value = Compatibility> {
    prop::sample::select(vec![
        Compatibility::None,
        Compatibility::Backward,
        Compatibility::BackwardTransitive,
        Compatibility::Forward,
        Compatibility::ForwardTransitive,
        Compatibility::Full,
        Compatibility::FullTransitive,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_file_is_judged_as_registering_judges_it(
        versions in prop::collection::vec((fields(), any::<bool>()), 2..5),
        level in levels(),
        is_lenient in any::<bool>(),
    ) {
        for format in FORMATS {
            let texts: Vec<String> = versions.iter().map(|(fields, is_closed)| text(format, fields, *is_closed)).collect();
            let (new, old) = texts.split_last().expect("there are two at least");
            let policy = if is_lenient { Policy::Lenient } else { Policy::Strict };

            let mut registry = registry(Compatibility::None);
            let mut older: Vec<Older> = Vec::new();
            let library = SchemaLibrary::default();
            for text in old {
                let found = registry.register("s", &NewSchema::new(format, text), Registering::default()).expect("NONE takes all");
                // The same text again is the same version, in a registry; nobody lists a file twice.
                if older.iter().all(|known| known.version != Some(found.version)) {
                    older.push(Older { version: Some(found.version), schema: library.compile(format, text).expect("a schema") });
                }
            }
            let update = ConfigUpdate {
                level: Some(level.to_string()),
                policy: Some(policy.to_string()),
                ..ConfigUpdate::default()
            };
            registry.set_config(Some("s"), &update).expect("a level and a policy");
            prop_assume!(!old.contains(new));

            let compiled = library.compile(format, new).expect("a schema");
            let verdict = judge(&library, &compiled, &older, level, Rules { policy, ..Rules::default() });
            let registered = registry.register("s", &NewSchema::new(format, new), Registering::default());
            prop_assert_eq!(verdict.is_compatible(), registered.is_ok(), "{} {} {:?}", format, level, &texts);
            if let Err(refused) = registered {
                prop_assert_eq!(refused.code / 100, 409);
                prop_assert_eq!(refused.reasons, verdict.reasons());
            }
        }
    }
}
