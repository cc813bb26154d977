//! Each rule by a pair of small schemas, with places.

use proptest::prelude::*;

use super::*;
use crate::machines::codec::protobuf::tests::{compile, named, random_text};
use crate::machines::codec::protobuf::{Named, ProtobufSchema};
use crate::random::Stream;

fn of(old: &str, new: &str) -> Vec<Difference> {
    let whole = |text: &str| if text.contains("syntax") { text.to_owned() } else { format!("syntax = \"proto3\"; {text}") };
    compile(&whole(new)).compare(&compile(&whole(old)), Side::Reader)
}

/// Rules with their places, `old` written and `new` read.
#[track_caller]
fn expect(old: &str, new: &str, wanted: &[&str]) {
    let shown = |it: &Difference| {
        let severity = match it.severity {
            Severity::Breaks => "!",
            Severity::Warns => "?",
            Severity::Fine => "",
        };
        format!("{severity}{} {} {}", it.rule, it.reader.as_deref().unwrap_or("-"), it.writer.as_deref().unwrap_or("-"))
    };
    let found = of(old, new);
    assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), wanted, "{found:#?}");
    for difference in found {
        assert!(difference.severity == Severity::Fine || difference.hint.is_some(), "{difference:?}");
    }
}

#[test]
fn fields_come_and_go() {
    expect("message A { string a = 1; }", "message A { string a = 1; int32 b = 2; }", &["FIELD_ADDED /A/b -"]);
    expect(
        "message A { string a = 1; int32 b = 2; }",
        "message A { string a = 1; }",
        &["FIELD_REMOVED - /A/b", "?REMOVED_WITHOUT_RESERVED /A /A/b"],
    );
    expect(
        "message A { string a = 1; int32 b = 2; }",
        "message A { string a = 1; reserved 2; reserved \"b\"; }",
        &["FIELD_REMOVED - /A/b"],
    );
    expect(
        "message A { string a = 1; reserved 2; }",
        "message A { string a = 1; int32 b = 2; }",
        &["FIELD_ADDED /A/b -", "?NUMBER_REUSED /A/b /A"],
    );
    // Another number is a field gone and a field come.
    expect(
        "message A { string a = 1; }",
        "message A { string a = 2; }",
        &["FIELD_REMOVED - /A/a", "?REMOVED_WITHOUT_RESERVED /A /A/a", "FIELD_ADDED /A/a -"],
    );
    let (old, new) = (
        "syntax = \"proto2\"; message A { optional string a = 1; }",
        "syntax = \"proto2\"; message A { optional string a = 1; required string b = 2; }",
    );
    expect(old, new, &["!REQUIRED_FIELD_ADDED /A/b -"]);
    expect(new, old, &["!REQUIRED_FIELD_REMOVED - /A/b", "?REMOVED_WITHOUT_RESERVED /A /A/b"]);
    expect("message A { message B { string a = 1; } }", "message A { message B { string a = 1; bool c = 3; } }", &["FIELD_ADDED /A/B/c -"]);
}

#[test]
fn a_step_back_is_not_warned_of() {
    let (old, new) =
        (compile("message A { optional int32 a = 1; reserved 2; }"), compile("message A { optional int32 a = 1; optional int32 b = 2; }"));
    let rules = |found: Vec<Difference>| found.iter().map(|it| it.rule).collect::<Vec<_>>();
    assert_eq!(rules(new.compare(&old, Side::Reader)), ["FIELD_ADDED", "NUMBER_REUSED"]);
    assert_eq!(rules(new.compare(&old, Side::Writer)), ["FIELD_ADDED"]);
    assert_eq!(rules(old.compare(&new, Side::Writer)), ["FIELD_REMOVED"]);
}

#[test]
fn names_and_types() {
    expect(
        "message A { string a = 1; }",
        "message A { string b = 1; }",
        &["FIELD_NAME_CHANGED /A/b /A/a", "?FIELD_JSON_NAME_CHANGED /A/b /A/a"],
    );
    expect("message A { string a = 1; }", "message A { string b = 1 [json_name = \"a\"]; }", &["FIELD_NAME_CHANGED /A/b /A/a"]);
    expect(
        "message A { int32 age = 1; }",
        "message A { bool gift = 1; }",
        &["FIELD_NAME_CHANGED /A/gift /A/age", "?NUMBER_REUSED /A/gift /A/age", "?FIELD_SCALAR_NARROWED /A/gift /A/age"],
    );
    expect("message A { int32 a = 1; }", "message A { int64 a = 1; }", &["FIELD_SCALAR_TYPE_CHANGED /A/a /A/a"]);
    expect("message A { int64 a = 1; }", "message A { int32 a = 1; }", &["?FIELD_SCALAR_NARROWED /A/a /A/a"]);
    expect("message A { string a = 1; }", "message A { bytes a = 1; }", &["FIELD_SCALAR_TYPE_CHANGED /A/a /A/a"]);
    for (old, new) in
        [("int32", "sint32"), ("int32", "string"), ("fixed32", "float"), ("fixed32", "fixed64"), ("double", "int64"), ("E", "string")]
    {
        let whole = |ty: &str| format!("enum E {{ NONE = 0; }} message A {{ {ty} a = 1; }}");
        expect(&whole(old), &whole(new), &["!FIELD_SCALAR_KIND_CHANGED /A/a /A/a"]);
    }
    expect(
        "message A { int32 a = 1; }",
        "message A { E a = 1; } enum E { NONE = 0; }",
        &["?FIELD_SCALAR_NARROWED /A/a /A/a", "ENUM_ADDED /E -"],
    );
    expect("message A { int32 a = 1; message B {} }", "message A { B a = 1; message B {} }", &["!FIELD_KIND_CHANGED /A/a /A/a"]);
    expect("message A { map<string, int32> a = 1; }", "message A { repeated int32 a = 1; }", &["!FIELD_KIND_CHANGED /A/a /A/a"]);
    expect(
        "message A { map<string, int32> a = 1; }",
        "message A { map<string, string> a = 1; }",
        &["!FIELD_SCALAR_KIND_CHANGED /A/a /A/a"],
    );
    expect("message A { map<int32, int32> a = 1; }", "message A { map<string, int32> a = 1; }", &["!FIELD_SCALAR_KIND_CHANGED /A/a /A/a"]);
    expect(
        "message A { map<string, B> a = 1; message B {} message C {} }",
        "message A { map<string, C> a = 1; message B {} message C {} }",
        &["!FIELD_NAMED_TYPE_CHANGED /A/a /A/a"],
    );
    expect("message A { B a = 1; message B {} }", "message A { .A.B a = 1; message B {} }", &[]);
}

#[test]
fn labels() {
    let two = |label: &str, ty: &str| format!("syntax = \"proto2\"; message A {{ {label} {ty} a = 1; }}");
    expect(&two("optional", "int32"), &two("repeated", "int32"), &["!FIELD_NUMERIC_LABEL_CHANGED /A/a /A/a"]);
    expect(&two("optional", "int32"), &two("required", "int32"), &["!FIELD_NUMERIC_LABEL_CHANGED /A/a /A/a"]);
    expect(&two("optional", "bytes"), &two("repeated", "bytes"), &["?FIELD_STRING_OR_BYTES_LABEL_CHANGED /A/a /A/a"]);
    // The product takes a missing label for any: ours tells what is lost.
    expect("message A { int32 a = 1; }", "message A { repeated int32 a = 1; }", &["?FIELD_REPEATED_CHANGED /A/a /A/a"]);
    expect("message A { repeated int32 a = 1; }", "message A { int32 a = 1; }", &["?FIELD_REPEATED_CHANGED /A/a /A/a"]);
    expect("message A { int32 a = 1; }", "message A { optional int32 a = 1; }", &[]);
    expect("message A { A a = 1; }", "message A { repeated A a = 1; }", &["?FIELD_REPEATED_CHANGED /A/a /A/a"]);
    let default = |value: i32| format!("syntax = \"proto2\"; message A {{ optional int32 a = 1 [default = {value}]; }}");
    expect(&default(1), &default(2), &["?FIELD_DEFAULT_CHANGED /A/a /A/a"]);
}

#[test]
fn oneofs() {
    let a = |inner: &str| format!("message A {{ {inner} }}");
    let pair = |old: &str, new: &str, wanted: &[&str]| expect(&a(old), &a(new), wanted);
    pair("int32 x = 1;", "oneof o { int32 x = 1; int32 y = 2; }", &["ONEOF_ADDED /A/o -", "ONEOF_FIELD_ADDED /A/o/y -"]);
    pair(
        "int32 x = 1; int32 y = 2;",
        "oneof o { int32 x = 1; int32 y = 2; }",
        &["!MULTIPLE_FIELDS_MOVED_TO_ONEOF /A/o /A", "ONEOF_ADDED /A/o -"],
    );
    pair("int32 x = 1; oneof o { int32 y = 2; }", "oneof o { int32 x = 1; int32 y = 2; }", &["!FIELD_MOVED_TO_EXISTING_ONEOF /A/o /A"]);
    pair(
        "oneof o { int32 x = 1; } oneof p { int32 y = 2; }",
        "oneof q { int32 x = 1; int32 y = 2; }",
        &["!FIELD_MOVED_TO_EXISTING_ONEOF /A/q /A", "ONEOF_REMOVED - /A/o", "ONEOF_REMOVED - /A/p", "ONEOF_ADDED /A/q -"],
    );
    pair("oneof o { int32 x = 1; int32 y = 2; }", "oneof o { int32 x = 1; } int32 y = 2;", &["ONEOF_FIELD_MOVED_TO_TOP_LEVEL /A/y /A/o/y"]);
    pair(
        "oneof o { int32 x = 1; int32 y = 2; }",
        "oneof o { int32 x = 1; } reserved 2; reserved \"y\";",
        &["!ONEOF_FIELD_REMOVED - /A/o/y"],
    );
    pair("int32 z = 3; oneof o { int32 x = 1; }", "int32 z = 3; reserved 1; reserved \"x\";", &["ONEOF_REMOVED - /A/o"]);
    pair("oneof o { int32 x = 1; }", "oneof p { int32 x = 1; }", &["ONEOF_REMOVED - /A/o", "ONEOF_ADDED /A/p -"]);
    pair(
        "oneof o { int32 x = 1; int32 y = 2; }",
        "oneof p { int32 x = 1; string y = 2; }",
        &["ONEOF_REMOVED - /A/o", "ONEOF_ADDED /A/p -", "!FIELD_SCALAR_KIND_CHANGED /A/p/y /A/o/y"],
    );
}

#[test]
fn messages_enums_packages() {
    expect("message A {}", "message B {}", &["!MESSAGE_REMOVED - /A", "MESSAGE_ADDED /B -"]);
    expect("message A {} message B {}", "message B {} message A {}", &["MESSAGE_MOVED /A /A", "MESSAGE_MOVED /B /B"]);
    expect("package a; message A {}", "package b; message A {}", &["!PACKAGE_CHANGED / /"]);
    expect("enum E { Z = 0; } message A {}", "message A {}", &["ENUM_REMOVED - /E"]);
    expect("enum E { Z = 0; }", "enum E { Z = 0; ONE = 1; }", &["ENUM_CONST_ADDED /E/ONE -"]);
    expect("enum E { Z = 0; ONE = 1; }", "enum E { Z = 0; reserved 1; }", &["?ENUM_CONST_REMOVED - /E/ONE"]);
    expect("enum E { Z = 0; ONE = 1; }", "enum E { Z = 0; }", &["?ENUM_CONST_REMOVED - /E/ONE", "?REMOVED_WITHOUT_RESERVED /E /E/ONE"]);
    expect("enum E { Z = 0; ONE = 1; }", "enum E { Z = 0; UNO = 1; }", &["?ENUM_CONST_CHANGED /E/UNO /E/ONE"]);
    expect("syntax = \"proto2\"; message A {}", "syntax = \"proto3\"; message A {}", &["?SYNTAX_CHANGED / /"]);
}

#[test]
fn groups_and_extensions_are_warned_of() {
    let two = |inner: &str| format!("syntax = \"proto2\"; message A {{ {inner} extensions 100 to 200; }}");
    expect(&two("optional group G = 1 { optional int32 a = 1; }"), &two(""), &["?GROUP_CHANGED - /A/G"]);
    expect(
        &two("optional group G = 1 { optional int32 a = 1; }"),
        &two("optional group G = 1 { optional string a = 1; }"),
        &["?GROUP_CHANGED /A/G/a /A/G/a"],
    );
    let extended = |field: &str| format!("{} extend A {{ {field} }}", two(""));
    expect(&extended("optional int32 x = 100;"), &extended("optional int32 y = 101;"), &["?EXTENSION_REMOVED - /x"]);
    expect(&extended("optional int32 x = 100;"), &extended("optional string x = 100;"), &["?EXTENSION_CHANGED /x /x"]);
}

#[test]
fn messages_of_imported_files_are_compared_where_they_are_used() {
    let money = |package: &str, ty: &str| {
        named("money.proto", &format!("syntax = \"proto3\"; package {package}; message Money {{ {ty} units = 1; Money of = 2; }}"))
    };
    let user = |package: &str| {
        format!("syntax = \"proto3\"; import \"money.proto\"; message A {{ {package}.Money m = 1; {package}.Money n = 2; }}")
    };
    let compiled = |package: &str, files: &[Named]| ProtobufSchema::compile(&user(package), files).expect("compiles");
    let rules = |new: &ProtobufSchema, old: &ProtobufSchema| {
        let found = new.compare(old, Side::Reader);
        found.iter().map(|it| format!("{} {}", it.rule, it.reader.as_deref().unwrap_or("-"))).collect::<Vec<_>>()
    };
    let old = compiled("a", &[money("a", "int64")]);
    assert_eq!(rules(&old, &old), Vec::<String>::new());
    let other = compiled("b", &[money("b", "int64")]);
    assert_eq!(rules(&other, &old), Vec::<String>::new(), "another package of an imported file is no change");
    let broken = compiled("a", &[money("a", "string")]);
    assert_eq!(
        rules(&broken, &old),
        ["FIELD_SCALAR_KIND_CHANGED /Money/units", "FIELD_NAMED_TYPE_CHANGED /A/m", "FIELD_NAMED_TYPE_CHANGED /A/n"]
    );
    let own = compile("syntax = \"proto3\"; message A { Money m = 1; Money n = 2; } message Money { int64 units = 1; Money of = 2; }");
    assert_eq!(rules(&own, &old), ["MESSAGE_ADDED /Money"]);
    assert_eq!(rules(&old, &own), ["MESSAGE_REMOVED -"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn any_two_schemas_compare(first in any::<u64>(), second in any::<u64>()) {
        let text = |seed| random_text(&mut Stream::new(seed, "protobuf", "pairs"));
        let (old, new) = (compile(&text(first)), compile(&text(second)));
        prop_assert_eq!(old.compare(&old, Side::Reader), vec![]);
        let found = new.compare(&old, Side::Reader);
        prop_assert_eq!(&found, &new.compare(&old, Side::Reader));
        // Places are names that the schemas have.
        for difference in &found {
            for (place, schema) in [(&difference.reader, &new), (&difference.writer, &old)] {
                let last = place.as_deref().and_then(|place| place.rsplit('/').next()).unwrap_or_default();
                prop_assert!(schema.stored_text().contains(last), "{:?}", difference);
            }
        }
    }

    #[test]
    fn a_text_written_out_again_is_the_same_schema(seed in any::<u64>()) {
        let text = random_text(&mut Stream::new(seed, "protobuf", "texts"));
        let schema = compile(&text);
        for again in [schema.stored_text(), schema.normal_text()] {
            let back = compile(&again);
            prop_assert_eq!(back.compare(&schema, Side::Reader), vec![], "{}", again);
            prop_assert_eq!(back.normal_text(), schema.normal_text());
        }
        prop_assert_eq!(compile(&schema.stored_text()).stored_text(), schema.stored_text());
        let commented = text.replace(";\n", "; // a comment\n\n");
        prop_assert_eq!(compile(&commented).stored_text(), schema.stored_text());
    }
}

#[test]
fn order_and_spelling_make_no_new_text() {
    let first = r#"syntax = "proto3"; package p; import "google/protobuf/duration.proto"; import "google/protobuf/any.proto";
        message A { reserved 9, 7 to 8; option deprecated = true; string b = 2 [deprecated = true, json_name = "bee"]; B a = 1; map<string, B> m = 5;
          oneof o { int32 y = 4; int32 x = 3; } message B { google.protobuf.Duration d = 1; } enum E { Z = 0; N = -1; } }"#;
    let second = r#"syntax = "proto3"; package p; import "google/protobuf/any.proto"; import "google/protobuf/duration.proto"; // sorted
        message A { option deprecated = true; p.A.B a = 1; string b = 2 [json_name = "bee", deprecated = true]; map<string, .p.A.B> m = 5;
          enum E { Z = 0; N = -1; } message B { .google.protobuf.Duration d = 1; } oneof o { int32 x = 3; int32 y = 4; } reserved 7 to 8; reserved 9; }"#;
    let (first, second) = (compile(first), compile(second));
    assert_eq!(first.normal_text(), second.normal_text());
    assert_ne!(first.stored_text(), second.stored_text());
    assert_eq!(
        first.normal_text(),
        r#"syntax = "proto3";
package p;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
message A {
  reserved 7 to 8;
  reserved 9;
  option deprecated = true;
  .p.A.B a = 1;
  string b = 2 [deprecated = true, json_name = "bee"];
  map<string, .p.A.B> m = 5;
  oneof o {
    int32 x = 3;
    int32 y = 4;
  }
  message B {
    .google.protobuf.Duration d = 1;
  }
  enum E {
    Z = 0;
    N = -1;
  }
}
"#
    );
}
