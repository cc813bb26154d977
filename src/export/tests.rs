use super::*;
use crate::metrics::{ExpectationResult, ReasonCount, Series};
use crate::model::{Component, Endpoint, Frame, Link, Note, Value};

const HOSTILE: &str = "<script>alert('1')</script>\"] --> x; \\ & -->\u{0}end";

fn hostile() -> Project {
    let component = |kind: &str| Component {
        kind: kind.to_owned(),
        title: Some(HOSTILE.to_owned()),
        description: Some(HOSTILE.to_owned()),
        params: [("load".to_owned(), Value::Text(HOSTILE.to_owned()))].into_iter().collect(),
        ..Component::default()
    };
    let end = |component: &str, port: &str| Endpoint { component: component.to_owned(), port: port.to_owned() };
    let mut project = Project { name: HOSTILE.to_owned(), aim: HOSTILE.to_owned(), ..Project::default() };
    for (id, kind) in [("web", "producer"), ("shop", "kafka"), ("end", "consumer"), ("odd", HOSTILE)] {
        project.components.insert(id.to_owned(), component(kind));
    }
    project.links.push(Link { from: end("web", "out"), to: end("shop", HOSTILE), ..Link::default() });
    project.links.push(Link { from: end("shop", HOSTILE), to: end("end", "in"), ..Link::default() });
    project.links.push(Link { from: end("gone", "out"), to: end("end", "in"), ..Link::default() });
    project.layout.frames.push(Frame { label: HOSTILE.to_owned(), members: vec!["web".to_owned(), "gone".to_owned()], ..Frame::default() });
    project.layout.notes.push(Note { text: HOSTILE.to_owned(), position: [f32::NAN, 0.0], size: [f32::INFINITY, 80.0] });
    project
}

fn hostile_report() -> Report {
    Report {
        project: HOSTILE.to_owned(),
        scenario: HOSTILE.to_owned(),
        remarks: vec![HOSTILE.to_owned()],
        assumptions: vec![HOSTILE.to_owned()],
        expectations: vec![ExpectationResult { text: HOSTILE.to_owned(), figure: HOSTILE.to_owned(), ..ExpectationResult::default() }],
        ledger: crate::metrics::Ledger {
            reasons: vec![ReasonCount { detail: HOSTILE.to_owned(), at: HOSTILE.to_owned(), ..ReasonCount::default() }],
            ..crate::metrics::Ledger::default()
        },
        totals: [("latency_ms_p99".to_owned(), f64::NAN)].into_iter().collect(),
        components: [(HOSTILE.to_owned(), [(HOSTILE.to_owned(), 1.0)].into_iter().collect())].into_iter().collect(),
        series: vec![Series {
            metric: "lag".to_owned(),
            label: HOSTILE.to_owned(),
            points: vec![[0.0, 1.0], [1.0, f64::INFINITY], [2.0, 3.0]],
            ..Series::default()
        }],
        ..Report::default()
    }
}

/// Walks markup and checks that tags nest and that nothing but our own elements opens.
fn check_markup(text: &str, known: &[&str]) {
    let void = ["meta", "br", "!doctype"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        assert!(known.contains(&name), "unexpected element <{tag}>");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes another element");
        } else if !tag.ends_with('/') && !void.contains(&name) {
            open.push(name);
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes of <{tag}> are not pairs");
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

const SVG_ELEMENTS: &[&str] = &["svg", "title", "style", "g", "rect", "text", "path", "circle", "line"];
const HTML_ELEMENTS: &[&str] = &[
    "!doctype",
    "html",
    "head",
    "meta",
    "body",
    "h1",
    "h2",
    "h3",
    "p",
    "span",
    "div",
    "b",
    "table",
    "tr",
    "th",
    "td",
    "code",
    "br",
    "ul",
    "li",
    "figure",
    "figcaption",
    "svg",
    "title",
    "style",
    "g",
    "rect",
    "text",
    "path",
    "circle",
    "line",
];

#[test]
fn drawings_escape_hostile_texts() {
    let text = project_text(&hostile(), "svg").expect("svg is a format of designs");
    check_markup(&text, SVG_ELEMENTS);
    assert!(!text.contains("NaN") && !text.contains("inf"), "every coordinate is a number");
}

#[test]
fn the_page_escapes_hostile_texts_and_fetches_nothing() {
    let text = report_html(&hostile(), &hostile_report());
    check_markup(&text, HTML_ELEMENTS);
    for forbidden in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!text.contains(forbidden), "{forbidden} in the page");
    }
}

#[test]
fn mermaid_and_dot_keep_hostile_texts_inside_quotes() {
    let mermaid = project_text(&hostile(), "mermaid").expect("mermaid is a format of designs");
    assert!(mermaid.lines().all(|line| line.matches('"').count() % 2 == 0), "{mermaid}");
    assert!(!mermaid.contains("<script") && !mermaid.contains("]\""), "{mermaid}");
    let dot = project_text(&hostile(), "dot").expect("dot is a format of designs");
    let unescaped = |line: &str| line.replace("\\\\", "").replace("\\\"", "").matches('"').count();
    assert!(dot.lines().all(|line| unescaped(line) % 2 == 0), "{dot}");
    assert!(dot.starts_with("digraph ") && dot.ends_with("}\n"));
}

#[test]
fn a_report_reads_back_as_it_was() {
    let mut report = hostile_report();
    report.totals.insert("latency_ms_p99".to_owned(), 1.5);
    report.series.clear();
    let back: Report = serde_json::from_str(&report_json(&report)).expect("our own JSON");
    assert_eq!(back, report);
}

#[test]
fn an_empty_design_has_every_format() {
    for exporter in ALL {
        let text = match exporter.write {
            Writer::Project(write) => write(&Project::default()),
            Writer::Folder(write) => write(&Project::default()).into_iter().map(|(_, text)| text).collect(),
            Writer::Report(write) => write(&Project::default(), &Report::default()),
        };
        assert!(!text.is_empty(), "{} gives nothing", exporter.name);
    }
}

#[test]
fn figures_read_well() {
    use support::text::{bytes, figure, label, number, seconds};
    assert_eq!((label("latency_ms_p99"), figure("latency_ms_p99", 12.345)), ("latency p99".to_owned(), "12.35 ms".to_owned()));
    assert_eq!((label("produced_per_s"), figure("produced_per_s", 1234.0)), ("produced rate".to_owned(), "1,234 /s".to_owned()));
    assert_eq!(figure("utilisation_ratio", 0.80004), "80 %");
    assert_eq!(figure("lag", 1_234_567.0), "1,234,567");
    assert_eq!((label("lag_count[a_b]"), figure("lag_ms[x_s]", 3.0)), ("lag of a_b".to_owned(), "3 ms".to_owned()));
    assert_eq!(bytes(1_572_864.0), "1.5 MiB");
    assert_eq!([seconds(0.0123), seconds(12.34), seconds(250.0), seconds(7500.0)], ["12.3 ms", "12.3 s", "4 min 10 s", "2 h 5 min"]);
    assert_eq!([number(0.0), number(-1234.5), number(0.12341), number(f64::from(1u8))], ["0", "-1,234", "0.1234", "1"]);
}

#[test]
fn access_control_lists_are_exported() {
    let params = serde_json::from_value(serde_json::json!({
        "topics": {"orders": {}},
        "acls": [
            {"principal": "web", "operation": "Write", "name": "orders"},
            {"principal": "User:web", "operation": "Write", "resource": "transactional-id", "name": "tills-", "pattern": "prefixed"},
            {"principal": "User:*", "operation": "Alter", "resource": "cluster", "permission": "deny"},
            {"principal": "x", "operation": "Read", "resource": "topic; rm -rf /"},
        ],
    }));
    let mut project = Project::default();
    let shop = Component { kind: "kafka".to_owned(), params: params.expect("plain data"), ..Component::default() };
    project.components.insert("shop".to_owned(), shop);
    let script = project_text(&project, "kafka-topics").expect("a format of designs");
    let rules: Vec<&str> = script.split("\"$KAFKA_ACLS\" --bootstrap-server \"$SHOP_BOOTSTRAP\" --add ").skip(1).map(str::trim).collect();
    assert_eq!(
        rules,
        [
            "--allow-principal 'User:web' --operation Write \\\n  --topic orders",
            "--allow-principal 'User:web' --operation Write \\\n  --transactional-id tills- --resource-pattern-type prefixed",
            "--deny-principal 'User:*' --operation Alter \\\n  --cluster",
        ]
        .map(|text| text.replace("'User:web'", "User:web"))
    );
    assert!(!script.contains("rm -rf"), "{script}");
    let yaml = project_text(&project, "strimzi").expect("a format of designs");
    let documents: Vec<&str> = yaml.split("---\n").collect();
    assert_eq!(documents.len(), 3, "{yaml}");
    for words in ["kind: KafkaUser", "name: \"web\"", "type: simple", "type: transactionalId", "patternType: prefix", "- \"Write\""] {
        assert!(documents[1].contains(words), "{words} in {}", documents[1]);
    }
    assert!(documents[2].starts_with("# User:* can be no KafkaUser"), "{yaml}");
}
