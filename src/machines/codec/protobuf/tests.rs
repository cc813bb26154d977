//! Our program against prost-reflect: what one writes the other reads, what ours accepts the other decodes.

use proptest::prelude::*;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;
use serde_json::json;

use super::*;
use crate::machines::codec::varint;

/// A random file of a few messages that refer to each other.
pub(super) fn random_text(rng: &mut Stream) -> String {
    const SCALARS: &[&str] = &[
        "int32",
        "int64",
        "uint32",
        "uint64",
        "sint32",
        "sint64",
        "bool",
        "fixed32",
        "sfixed32",
        "float",
        "fixed64",
        "sfixed64",
        "double",
        "string",
        "bytes",
        "Colour",
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
        "google.protobuf.StringValue",
        "google.protobuf.Struct",
        "google.protobuf.FieldMask",
        "google.protobuf.Any",
    ];
    const NAMES: &[&str] = &["order_id", "amount", "placed_at", "status", "email", "quantity", "note", "price"];
    let is_proto2 = rng.below(3) == 0;
    let messages = 1 + rng.below(4);
    let mut text = format!("syntax = \"proto{}\";\npackage shop.v1;\n", if is_proto2 { 2 } else { 3 });
    for file in ["timestamp", "duration", "wrappers", "struct", "field_mask", "any"] {
        text += &format!("import \"google/protobuf/{file}.proto\";\n");
    }
    text += "enum Colour { COLOUR_NONE = 0; COLOUR_RED = 1; COLOUR_BLUE = 5; COLOUR_LOW = -3; }\n";
    for message in 0..messages {
        text += &format!("message M{message} {{\n");
        let mut number = 0;
        let fields = rng.below(12);
        for field in 0..fields {
            number += if rng.below(8) == 0 { 1 + rng.below(300) } else { 1 };
            let name = format!("{}_{field}", NAMES[rng.below(NAMES.len() as u64) as usize]);
            // A message may only require what stands before it.
            let inner = format!("M{}", rng.below(messages));
            let scalar = SCALARS[rng.below(SCALARS.len() as u64) as usize];
            let ty = if rng.below(4) == 0 { inner.as_str() } else { scalar };
            let label = if is_proto2 { "optional " } else { "" };
            text += &match rng.below(9) {
                0 => format!("  repeated {ty} {name} = {number};\n"),
                1 => format!("  map<{}, {ty}> {name} = {number};\n", SCALARS[[0, 1, 3, 5, 6, 7, 13][rng.below(7) as usize]]),
                2 => {
                    number += 1;
                    format!("  oneof choice_{field} {{ {ty} {name} = {}; string {name}_b = {number}; }}\n", number - 1)
                }
                3 if is_proto2 && !ty.starts_with('M') => format!("  required {ty} {name} = {number};\n"),
                4 if is_proto2 => format!("  optional group G{field} = {number} {{ optional int32 a = 1; repeated string b = 2; }}\n"),
                5 if !is_proto2 => format!("  optional {ty} {name} = {number};\n"),
                _ => format!("  {label}{ty} {name} = {number};\n"),
            };
        }
        text += "}\n";
    }
    text
}

pub(super) fn compile(text: &str) -> ProtobufSchema {
    ProtobufSchema::compile(text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn decoded(schema: &ProtobufSchema, bytes: &[u8]) -> Result<DynamicMessage, String> {
    let message = schema.types.message(TypeIx::FIRST)?;
    DynamicMessage::decode(message.clone(), bytes).map_err(|error| error.to_string())
}

/// Whether the reference sees every required field.
fn is_complete(message: &DynamicMessage) -> bool {
    use prost_reflect::{ReflectMessage, Value};
    let descriptor = message.descriptor();
    let is_whole = |value: &Value| match value {
        Value::Message(inner) => is_complete(inner),
        Value::List(items) => items.iter().all(|item| item.as_message().is_none_or(is_complete)),
        Value::Map(entries) => entries.values().all(|value| value.as_message().is_none_or(is_complete)),
        _ => true,
    };
    descriptor.fields().filter(prost_reflect::FieldDescriptor::is_required).all(|field| message.has_field(&field))
        && message.fields().all(|(_, value)| is_whole(value))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn generated_bytes_are_what_the_reference_reads(seed in any::<u64>()) {
        let mut rng = Stream::new(seed, "protobuf", "generate");
        let text = random_text(&mut rng);
        let schema = compile(&text);
        for turn in 0..10 {
            let mut bytes = Vec::new();
            schema.generate(TypeIx::FIRST, &mut rng, SimTime::from_ns(turn * 1_234_567_890), &mut bytes);
            prop_assert_eq!(schema.validate(TypeIx::FIRST, &bytes), Ok(()), "{}", text);
            let message = decoded(&schema, &bytes).map_err(TestCaseError::fail)?;
            prop_assert!(is_complete(&message));
            // What the reference writes of it, in another order of maps and fields, is as good.
            let again = message.encode_to_vec();
            prop_assert_eq!(schema.validate(TypeIx::FIRST, &again), Ok(()), "{}", text);
            let shown = |bytes: &[u8]| schema.to_json(TypeIx::FIRST, bytes).map_err(TestCaseError::fail);
            prop_assert_eq!(shown(&again)?, shown(&bytes)?);
            if let Some(words) = schema.generate_broken(TypeIx::FIRST, &mut rng, SimTime::ZERO, &mut Vec::new()) {
                prop_assert!(words.contains("field"), "{}", words);
            }
        }
    }

    #[test]
    fn mutated_bytes_are_judged_as_the_reference_does(seed in any::<u64>(), noise in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut rng = Stream::new(seed, "protobuf", "mutate");
        let text = random_text(&mut rng);
        let schema = compile(&text);
        let agree = |bytes: &[u8]| -> Result<(), TestCaseError> {
            let ours = schema.validate(TypeIx::FIRST, bytes);
            let theirs = decoded(&schema, bytes);
            match (&ours, &theirs) {
                (Ok(()), Ok(message)) => prop_assert!(is_complete(message), "{:?}\n{}", bytes, text),
                (Ok(()), Err(error)) => prop_assert!(false, "only we take {:?}: {}\n{}", bytes, error, text),
                // The reference does not ask for required fields, nor how a map's entries are marked.
                (Err(words), Ok(_)) => prop_assert!(
                    words.contains("is missing") || words.contains("expected a map entry"),
                    "only we refuse {:?}: {}\n{}", bytes, words, text
                ),
                (Err(_), Err(_)) => {}
            }
            Ok(())
        };
        agree(&noise)?;
        for _ in 0..20 {
            let mut bytes = Vec::new();
            schema.generate(TypeIx::FIRST, &mut rng, SimTime::ZERO, &mut bytes);
            if bytes.is_empty() {
                continue;
            }
            for _ in 0..=rng.below(3) {
                let at = rng.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << rng.below(8);
            }
            agree(&bytes)?;
            bytes.truncate(rng.below(bytes.len() as u64) as usize);
            agree(&bytes)?;
        }
    }

    #[test]
    fn texts_never_panic(seed in any::<u64>(), noise in "[a-z0-9{}<>\\[\\]();=\"'/*#. \n]{0,80}") {
        let _ = ProtobufSchema::compile(&noise, &[]);
        let mut rng = Stream::new(seed, "protobuf", "texts");
        let mut text = random_text(&mut rng);
        for _ in 0..3 {
            let at = rng.below(text.len() as u64) as usize;
            text.remove(at);
        }
        let _ = ProtobufSchema::compile(&text, &[]);
        let at = rng.below(text.len() as u64) as usize;
        text.insert_str(at, &noise);
        let _ = ProtobufSchema::compile(&text, &[]);
    }
}

const ORDER: &str = r#"syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "common/money.proto";
// An order.
message Order {
  message Line { string sku = 1; int32 quantity = 2; map<string, string> tags = 3; }
  enum Status { STATUS_NEW = 0; STATUS_PAID = 1; }
  string order_id = 1;
  common.Money total = 2;
  repeated Line lines = 3;
  Status status = 4;
  oneof pay { string card = 5; bytes token = 6; }
  google.protobuf.Timestamp placed_at = 7;
  optional sint64 discount = 8;
}
message Cancelled { string order_id = 1; }
"#;

const MONEY: &str = "syntax = \"proto3\"; package common; message Money { int64 units = 1; string currency = 2; }";

pub(super) fn named(name: &str, text: &str) -> Named {
    Named { name: name.into(), text: text.into() }
}

#[test]
fn imports_come_from_references_and_from_google() {
    let money = named("common/money.proto", MONEY);
    let schema = ProtobufSchema::compile(ORDER, std::slice::from_ref(&money)).expect("compiles");
    assert_eq!(schema.name().as_deref(), Some("shop.Order"));
    let words = ProtobufSchema::compile(ORDER, &[]).expect_err("money is missing");
    assert!(words.contains("`common/money.proto` is imported, and is neither"), "{words}");
    // Passed on by two public imports.
    let all = named("all.proto", "syntax = \"proto3\"; import public \"more.proto\";");
    let more = named("more.proto", "syntax = \"proto3\"; import public \"common/money.proto\";");
    let text = "syntax = \"proto3\"; import \"all.proto\"; message A { common.Money money = 1; }";
    ProtobufSchema::compile(text, &[money.clone(), more.clone(), all.clone()]).expect("compiles");
    // A file without messages stands for the one that it imports publicly.
    let wrapper = ProtobufSchema::compile("syntax = \"proto3\"; import public \"more.proto\";", &[money.clone(), more]);
    assert_eq!(wrapper.expect("compiles").name(), None, "only the file itself is looked through");
    let wrapper = ProtobufSchema::compile("syntax = \"proto3\"; import public \"common/money.proto\";", &[money]);
    assert_eq!(wrapper.expect("compiles").name().as_deref(), Some("common.Money"));
    let circle = [named("a.proto", "import \"b.proto\";"), named("b.proto", "import \"a.proto\";")];
    assert!(ProtobufSchema::compile("import \"a.proto\";", &circle).expect_err("circle").contains("imports itself"));
}

#[test]
fn messages_have_confluents_path_and_glues_number() {
    let text = r#"syntax = "proto3"; package p;
        message B { map<string, int32> m = 1; message X { message Y {} } message W {} }
        message A {}"#;
    let schema = compile(text);
    let written = |name: &str, framing: Framing| {
        let ty = schema.type_named(name).expect("known");
        let mut bytes = Vec::new();
        schema.write_number(framing, ty, &mut bytes);
        bytes.push(0x7b);
        let (read, rest) = schema.read_number(framing, &bytes).expect("reads");
        assert_eq!((read, rest), (ty, &[0x7b][..]), "{name}");
        bytes.pop();
        bytes
    };
    // Sorted: p.A, p.B, p.B.MEntry, p.B.W, p.B.X, p.B.X.Y.
    for (name, path, number) in
        [("p.B", &[0][..], 1), ("p.A", &[2, 2], 0), ("p.B.X", &[4, 0, 0], 4), ("B.X.Y", &[6, 0, 0, 0], 5), ("B.W", &[4, 0, 2], 3)]
    {
        assert_eq!(written(name, Framing::Confluent), path, "{name}");
        assert_eq!(written(name, Framing::Glue), [number], "{name}");
    }
    // The path [0] may be written out.
    assert_eq!(schema.read_number(Framing::Confluent, &[2, 0, 9]), Ok((TypeIx::FIRST, &[9][..])));
    for (framing, body, words) in [
        (Framing::Confluent, &[][..], "cut short"),
        (Framing::Confluent, &[2], "cut short"),
        (Framing::Confluent, &[3, 1], "a count of -2"),
        (Framing::Confluent, &[2, 8], "no message at the indexes [4]"),
        (Framing::Glue, &[2], "no message of number 2"),
        (Framing::Glue, &[9], "no message of number 9"),
    ] {
        assert!(schema.read_number(framing, body).expect_err("refused").contains(words), "{body:?}");
    }
    assert!(schema.type_named("C").expect_err("unknown").contains("it has `p.B`, `p.B.X`"));
}

#[test]
fn words_name_the_field() {
    let schema = ProtobufSchema::compile(ORDER, &[named("common/money.proto", MONEY)]).expect("compiles");
    let refused = |bytes: &[u8]| schema.validate(TypeIx::FIRST, bytes).expect_err("refused");
    assert_eq!(refused(&[0x12, 3, 0x12, 1, 0xff]), "field total.currency: expected string, found bytes that are no UTF-8");
    assert_eq!(refused(&[0x08, 1]), "field order_id: expected string, found a varint");
    assert_eq!(refused(&[0x0a, 9, b'x']), "field order_id: expected string, found a length of 9 with 1 bytes left");
    assert_eq!(refused(&[0x07]), "expected a field's number and wire type, found 7");
    assert_eq!(refused(&[0xa3, 6, 0x94, 6]), "the end of a group 98, which is not open");
    schema.validate(TypeIx::FIRST, &[0xa2, 6, 1, b'x', 0xa3, 6, 0xa4, 6]).expect("unknown fields pass");
    let proto2 = compile("message A { required int32 id = 1; optional A inner = 2; }");
    assert_eq!(proto2.validate(TypeIx::FIRST, &[0x12, 0]).expect_err("missing"), "field inner: required field id is missing");
    // A map's entry without a value stands for an empty message.
    let map = compile("message A { map<bool, B> all = 1; message B { required int32 id = 1; } }");
    assert_eq!(map.validate(TypeIx::FIRST, &[0x0a, 2, 0x08, 1]).expect_err("missing"), "field all: required field value is missing");
    map.validate(TypeIx::FIRST, &[0x0a, 4, 0x12, 2, 0x08, 1]).expect("a key may be left out");
    let mut deep = vec![];
    for _ in 0..150 {
        let mut outer = vec![0x12];
        varint::write(deep.len() as u64, &mut outer);
        outer.extend(&deep);
        deep = outer;
    }
    let list = compile("message A { optional A inner = 2; }");
    assert!(list.validate(TypeIx::FIRST, &deep).expect_err("deep").contains("levels deep"));
}

#[test]
fn values_are_shown_by_the_json_mapping() {
    let schema = ProtobufSchema::compile(ORDER, &[named("common/money.proto", MONEY)]).expect("compiles");
    let line = [0x0a, 1, b'a', 0x1a, 4, 0x0a, 0, 0x12, 0, 0x1a, 6, 0x0a, 1, b'Z', 0x12, 1, b'y', 0x1a, 6, 0x0a, 1, b'B', 0x12, 1, b'x'];
    let mut bytes = vec![0x0a, 1, b'7', 0x12, 2, 0x08, 5, 0x1a, line.len() as u8];
    bytes.extend(line);
    bytes.extend([0x20, 1, 0x32, 1, 0xff, 0x3a, 4, 0x08, 1, 0x10, 0]);
    let shown = schema.to_json(TypeIx::FIRST, &bytes).expect("shows");
    assert_eq!(
        shown,
        json!({"orderId": "7", "total": {"units": "5", "currency": ""},
            "lines": [{"sku": "a", "quantity": 0, "tags": {"": "", "B": "x", "Z": "y"}}],
            "status": "STATUS_PAID", "token": "/w==", "placedAt": "1970-01-01T00:00:01Z"})
    );
    let text = shown.to_string();
    assert!(text.find("\"B\"") < text.find("\"Z\""), "{text}");
    let reader = compile("syntax = \"proto3\"; message Order { string number = 1; int32 status = 4; string new = 20; }");
    let seen = schema.to_json_as(&reader, TypeIx::FIRST, &bytes).expect("reads");
    assert_eq!(seen, json!({"number": "7", "status": 1, "new": ""}));
    assert!(schema.to_json_as(&reader, TypeIx(1), &[]).expect_err("unknown").contains("no message `Order.Line`"));
}

#[test]
fn a_file_without_messages_is_a_schema_without_data() {
    for text in ["", "syntax = \"proto3\";", "enum E { A = 0; }"] {
        let schema = compile(text);
        assert_eq!(schema.name(), None);
        assert!(schema.can_generate().is_err());
        assert!(schema.validate(TypeIx::FIRST, &[]).is_err());
        let mut bytes = Vec::new();
        schema.generate(TypeIx::FIRST, &mut Stream::new(1, "protobuf", "none"), SimTime::ZERO, &mut bytes);
        assert!(bytes.is_empty());
    }
}

#[test]
fn hostile_texts_are_refused() {
    let refused = |text: &str, words: &str| {
        let found = ProtobufSchema::compile(text, &[]).expect_err(words);
        assert!(found.contains(words), "{words}: {found}");
    };
    refused(&"message A { ".repeat(10_000), "levels deep");
    refused(&format!("option (a) = {}", "{ a: ".repeat(10_000)), "levels deep");
    refused(&format!("option (a) = {}", "{ a < ".repeat(10_000)), "levels deep");
    refused(&" ".repeat(5 << 20), "bytes; at most");
    refused(&"message A {}\n".repeat(20_000), "more than 10000 parts");
    refused(&format!("package {};", "a.".repeat(100_000)), "a name has more");
    refused(&format!("message {} {{}}", "a".repeat(100_000)), "a name has more");
    let wide = format!(
        "message {} {{ {} }}",
        "a".repeat(500),
        (0..9_000).map(|at| format!("optional int32 a{at} = {};", at + 1)).collect::<String>()
    );
    refused(&wide, "names of the schema");
    refused("message A { /* /* { */ }", "comment begins within");
    refused("message A { optional string a = 1 [default = \"\n{{{{\"]; }", "");
    assert!(compile("message A { required A a = 1; }").can_generate().expect_err("endless").contains("no finite value"));
    let mut bomb = "message M0 { required int32 a = 1; }".to_owned();
    for level in 1..30 {
        bomb += &format!("message M{level} {{ required M{0} a = 1; required M{0} b = 2; }}", level - 1);
    }
    assert!(compile(&bomb).can_generate().expect_err("too much").contains("more than 10000 parts"));
    // Public imports that double with each level.
    let level = |at: usize, side: &str| {
        let imports = if at == 0 { String::new() } else { format!("import public \"l{0}a\"; import public \"l{0}b\";", at - 1) };
        named(&format!("l{at}{side}"), &format!("syntax = \"proto3\"; {imports} message M{at}{side} {{}}"))
    };
    let files: Vec<Named> = (0..45).flat_map(|at| [level(at, "a"), level(at, "b")]).collect();
    let imports: String = files.iter().map(|file| format!("import \"{}\";", file.name)).collect();
    ProtobufSchema::compile(&format!("syntax = \"proto3\"; {imports} message A {{ M0a a = 1; M44b b = 2; }}"), &files).expect("compiles");
    let chain: Vec<Named> = (0..200).map(|at| named(&format!("{at}"), &format!("import \"{}\";", at + 1))).collect();
    assert!(ProtobufSchema::compile("import \"0\";", &chain).expect_err("long").contains("more than 99 files"));
}

#[test]
fn payloads_are_the_same_for_a_seed() {
    let schema = ProtobufSchema::compile(ORDER, &[named("common/money.proto", MONEY)]).expect("compiles");
    let drawn = || {
        let (mut rng, mut bytes) = (Stream::new(7, "protobuf", "same"), Vec::new());
        for turn in 0..50 {
            schema.generate(TypeIx::FIRST, &mut rng, SimTime::from_ns(turn), &mut bytes);
            schema.generate_broken(TypeIx::FIRST, &mut rng, SimTime::ZERO, &mut bytes);
        }
        bytes
    };
    assert_eq!(drawn(), drawn());
}
