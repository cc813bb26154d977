//! `eventyard schema`: the program itself, its words and its exit codes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

/// Files in a folder of their own, and the program run among them.
struct Desk {
    folder: tempfile::TempDir,
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).expect("a file");
        }
        Self { folder }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    /// `schema` and these words, a line apart each; `-` reads what is given.
    fn schema(&self, words: &str) -> Said {
        self.schema_with(words, b"")
    }
    fn schema_with(&self, words: &str, input: &[u8]) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_eventyard"))
            .current_dir(self.folder.path())
            .arg("schema")
            .args(words.split_whitespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A command that does not read its input closes it.
        let _ = child.stdin.take().expect("piped").write_all(input);
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
        let said = Said { code: output.status.code().expect("an exit code"), out: text(output.stdout), err: text(output.stderr) };
        assert!(!said.err.contains("panicked"), "{words}: {}", said.err);
        said
    }
}

const V1: &[u8] = br#"{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}]}"#;
const V2_DEFAULT: &[u8] =
    br#"{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}, {"name": "discount", "type": "double", "default": 0}]}"#;
const V2_REQUIRED: &[u8] =
    br#"{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}, {"name": "discount", "type": "double"}]}"#;

fn orders() -> Desk {
    Desk::new(&[("v1.avsc", V1), ("v2.avsc", V2_DEFAULT), ("bad.avsc", V2_REQUIRED)])
}

#[test]
fn a_check_says_why_and_its_exit_code_says_whether() {
    let desk = orders();
    let fine = desk.schema("check v2.avsc --against v1.avsc");
    assert_eq!((fine.code, fine.out.lines().next()), (0, Some("v2.avsc may follow v1.avsc under BACKWARD")), "{}", fine.err);
    let refused = desk.schema("check bad.avsc --against v1.avsc");
    assert_eq!(refused.code, 1, "{}{}", refused.out, refused.err);
    for expected in ["bad.avsc may not follow v1.avsc", "READER_FIELD_MISSING_DEFAULT_VALUE", "hint: ", "discount"] {
        assert!(refused.out.contains(expected), "{expected} in:\n{}", refused.out);
    }
    assert_eq!(desk.schema("check bad.avsc --against v1.avsc --mode forward").code, 0);
    assert_eq!(desk.schema("check bad.avsc --against v1.avsc --mode NONE").code, 0);
    // The plain level looks at the latest only, the transitive one further back.
    assert_eq!(desk.schema("check bad.avsc --against v1.avsc bad.avsc").code, 0);
    assert_eq!(desk.schema("check bad.avsc --against v1.avsc bad.avsc --mode backward-transitive").code, 1);
    assert_eq!(desk.schema("check bad.avsc --against v1.avsc bad.avsc --mode BACKWARD_ALL").code, 1);
}

#[test]
fn a_refusal_as_json_has_its_event_and_its_plan() {
    let desk = orders();
    let said = desk.schema("check bad.avsc --against v1.avsc --json");
    let answer: Json = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        (said.code, &answer["compatible"], &answer["mode"], &answer["type"]),
        (1, &json!(false), &json!("BACKWARD"), &json!("AVRO"))
    );
    assert_eq!(answer["compared"][0]["differences"][0]["rule"], "READER_FIELD_MISSING_DEFAULT_VALUE");
    assert_eq!(answer["breaking_event"]["written"], json!({"id": ""}));
    assert_eq!(answer["breaking_event"]["payload_hex"], "00");
    let steps = answer["plan"].as_array().expect("a plan");
    assert_eq!(steps.len(), 2, "{steps:#?}");
    assert_eq!(steps[0]["first"], "either");
    assert!(steps[0]["schema"].as_str().is_some_and(|text| text.contains("\"default\":0")), "{steps:#?}");
    assert_eq!(steps[1]["schema"].as_str().map(str::as_bytes), Some(V2_REQUIRED));
}

#[test]
fn explaining_a_change_shows_event_and_way() {
    let desk = orders();
    let said = desk.schema("explain v1.avsc bad.avsc");
    assert_eq!(said.code, 1);
    for expected in [
        "The smallest event found that breaks it (1 byte)",
        "{\"id\":\"\"}",
        "fails: field discount",
        "1. register",
        "2. register the new schema",
    ] {
        assert!(said.out.contains(expected), "{expected} in:\n{}", said.out);
    }
    let alone = desk.schema("explain v2.avsc");
    assert_eq!(alone.code, 0);
    for expected in ["record Order", "id: string, always there", "discount: double, 0 when absent", "In a next version"] {
        assert!(alone.out.contains(expected), "{expected} in:\n{}", alone.out);
    }
}

#[test]
fn a_diff_names_the_levels_that_refuse() {
    let said = orders().schema("diff v1.avsc bad.avsc");
    assert_eq!(said.code, 0);
    assert!(said.out.contains("BREAKS BACKWARD, FULL"), "{}", said.out);
    let json: Json = serde_json::from_str(&orders().schema("diff v1.avsc v2.avsc --json").out).expect("JSON");
    assert!(json["changes"].as_array().is_some_and(|changes| changes.iter().all(|change| change["effects"]["FULL"] != "breaks")), "{json}");
}

#[test]
fn samples_are_valid_and_the_same_again() {
    let json_schema = br#"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["id", "at"],
        "properties": {"id": {"type": "string", "format": "uuid"}, "at": {"type": "string", "format": "date-time"}, "n": {"type": "integer", "minimum": 3}}}"#;
    let avro = br#"{"type": "record", "name": "R", "fields": [{"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "raw", "type": "bytes"}, {"name": "u", "type": ["null", "string", {"type": "array", "items": "int"}]},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}}]}"#;
    let desk = Desk::new(&[("order.json", json_schema), ("r.avsc", avro)]);
    for schema in ["order.json", "r.avsc"] {
        let drawn = desk.schema(&format!("sample {schema} -n 50 --seed 7"));
        assert_eq!((drawn.code, drawn.out.lines().count()), (0, 50), "{}", drawn.err);
        assert_eq!(drawn.out, desk.schema(&format!("sample {schema} -n 50 --seed 7")).out);
        assert_ne!(drawn.out, desk.schema(&format!("sample {schema} -n 50 --seed 8")).out);
        let judged = desk.schema_with(&format!("validate {schema} -"), drawn.out.as_bytes());
        assert_eq!((judged.code, judged.out.as_str()), (0, "-: 50 values, all valid\n"), "{}", judged.err);
    }
}

#[test]
fn data_is_judged_as_bytes_with_a_header_and_as_json() {
    let desk = orders();
    std::fs::write(desk.path("bare.bin"), [4, b'a', b'b']).expect("a file");
    std::fs::write(desk.path("framed.bin"), [0, 0, 0, 0, 7, 4, b'a', b'b']).expect("a file");
    std::fs::write(desk.path("short.bin"), [40, b'a', b'b']).expect("a file");
    std::fs::write(desk.path("wrong.json"), br#"{"id": 3}"#).expect("a file");
    let code = |data: &str| desk.schema(&format!("validate v1.avsc {data}"));
    assert_eq!(code("bare.bin").code, 0);
    assert_eq!(code("framed.bin").code, 0);
    let short = code("short.bin");
    assert_eq!(short.code, 1);
    assert!(short.out.contains("field id"), "{}", short.out);
    let wrong = code("wrong.json");
    assert_eq!((wrong.code, wrong.out.as_str()), (1, "wrong.json: field id is 3, the schema wants string\n"));
    assert_eq!(code("nowhere.json").code, 2);
}

#[test]
fn a_design_is_asked_who_would_break() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("projects/bad-events.ron");
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("projects/schemas/click.avsc")).expect("a schema");
    let mut click: Json = serde_json::from_str(&text).expect("JSON");
    click["fields"].as_array_mut().expect("fields").push(json!({"name": "consent", "type": "string"}));
    let desk = Desk::new(&[("click.avsc", click.to_string().as_bytes()), ("same.avsc", text.as_bytes())]);
    let said = desk.schema(&format!("check click.avsc --project {} --subject clicks-value", project.display()));
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    for expected in ["may not become version 2 of clicks-value under BACKWARD", "pages", "stops writing", "sessions", "starves"] {
        assert!(said.out.contains(expected), "{expected} in:\n{}", said.out);
    }
    let same = desk.schema(&format!("check same.avsc --project {} --subject clicks-value", project.display()));
    assert_eq!(same.code, 0);
    assert!(same.out.contains("No component of the design would break"), "{}", same.out);
    let nearly = desk.schema(&format!("check same.avsc --project {} --subject click-value", project.display()));
    assert_eq!(nearly.code, 2);
    assert!(nearly.err.contains("did you mean `clicks-value`?"), "{}", nearly.err);
}

#[test]
fn hostile_files_are_answered() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_objects = format!("{}1{}", "{\"items\":".repeat(10_000), "}".repeat(10_000));
    let mut doubling: serde_json::Map<String, Json> = serde_json::Map::new();
    for at in 0..60 {
        let next = json!({"$ref": format!("#/definitions/d{}", at + 1)});
        doubling.insert(format!("d{at}"), json!({"allOf": [next, next], "properties": {"a": next, "b": next}}));
    }
    doubling.insert("d60".to_owned(), json!({"type": "string"}));
    let doubling = json!({"$ref": "#/definitions/d0", "definitions": doubling}).to_string();
    let records = (0..60).fold("\"int\"".to_owned(), |inner, at| {
        let inner = if at == 0 { inner } else { format!("\"R{}\"", at - 1) };
        format!(r#"{{"type":"record","name":"R{at}","fields":[{{"name":"a","type":{inner}}},{{"name":"b","type":{inner}}}]}}"#)
    });
    let large = format!(r#"{{"type": "string", "description": "{}"}}"#, "x".repeat(5 << 20));
    let files: &[(&str, &[u8])] = &[
        ("deep.json", deep.as_bytes()),
        ("objects.json", deep_objects.as_bytes()),
        ("doubling.json", doubling.as_bytes()),
        ("records.avsc", records.as_bytes()),
        ("large.json", large.as_bytes()),
        ("binary.avsc", &[0xff, 0, 1, 2, 0x80]),
        ("utf16.json", &[0xff, 0xfe, b'{', 0, b'}', 0]),
        ("empty.avsc", b""),
        ("empty.json", b""),
        ("marked.json", b"\xef\xbb\xbf{\"type\": \"object\"}"),
        ("true.json", b"true"),
        ("proto.proto", b"syntax = \"proto3\"; message A { A a = 1; }"),
        ("plain.json", b"{\"type\": \"object\"}"),
    ];
    let desk = Desk::new(files);
    for (name, _) in files {
        for command in [
            "explain {}",
            "explain {} plain.json",
            "explain plain.json {}",
            "diff {} plain.json",
            "check {} --against {}",
            "sample {}",
            "validate {} {}",
            "validate plain.json {}",
        ] {
            let said = desk.schema(&command.replace("{}", name));
            assert!((0..=2).contains(&said.code), "{command} {name}: {} {}", said.code, said.err);
            assert!(said.code < 2 || !said.err.is_empty(), "{command} {name} says nothing");
        }
    }
    assert_eq!(desk.schema("check marked.json --against plain.json").code, 0, "a mark before the text is no part of it");
    assert_eq!(desk.schema("check large.json --against plain.json").code, 2);
    assert_eq!(desk.schema("check deep.json --type avro --against plain.json").code, 2);
}

#[test]
fn wrong_usage_is_told() {
    let desk = orders();
    for words in [
        "check v1.avsc",
        "check v1.avsc --against",
        "check v1.avsc --against v1.avsc --mode sideways",
        "check v1.avsc --against v1.avsc --policy mild",
        "check v1.avsc --against v1.avsc --type xml",
        "check v1.avsc --project a.ron",
        "check v1.avsc --against nowhere.avsc",
        "check v1.avsc --against v1.avsc --ref nothing",
        "sample v1.avsc -n 0",
        "explain",
    ] {
        let said = desk.schema(words);
        assert_eq!(said.code, 2, "{words}: {}", said.out);
        assert!(!said.err.is_empty(), "{words}");
    }
    for help in ["check", "diff", "validate", "sample", "explain"] {
        let said = desk.schema(&format!("{help} --help"));
        assert_eq!(said.code, 0);
        assert!(said.out.contains("Examples:"), "{}", said.out);
    }
}
