//! The file format's promises: nothing lost, everything reported, nothing that a hostile text can break.

#![expect(clippy::disallowed_methods, reason = "tests prepare and look at files")]

use std::fmt::Write as _;

use indexmap::IndexMap;
use proptest::prelude::*;

use super::{Preferences, Theme, fmt, load_file, read, read_bytes, save_file, to_json, write, write_over};
use crate::diagnostics::has_errors;
use crate::model::{Edit, Project, Value, apply};

mod random_project;

const SAMPLE: &str = r#"// Above everything.
(
    format: 1,
    name: "Order flow", // its name
    seed: 1_000,
    schemas: {
        // By path.
        "order": (inline: "{\"type\": \"string\"}"),
    },

    components: {
        // Where orders come from.
        "web":   (kind: "producer", load: "poisson(300/s)", events: [(type: "OrderPlaced", weight: 3)]),

        /* the log */
        "shop": (
            kind: "kafka",
            // Four until the fair.
            brokers: 3, // was 5
            topics: {"orders": (partitions: 6, replication: 3)},
            // End of the shop.
        ),
        "billing": (kind: "consumer", service_time: "exp(5ms)"),
    },
    links: [
        (from: "web.out", to: "shop.orders", latency: "2ms"), // fast
        // The slow one.
        (from: "shop.orders", to: "billing.in"),
    ],
    expect: [r"lost(orders) == 0"],
    layout: (positions: {
        "web": (40, 80), // top
        "shop": (400, 80.5),
    }),
)
// Below everything.
"#;

fn sample() -> Project {
    let loaded = read(SAMPLE);
    assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
    loaded.project
}

fn edited(edit: Edit) -> String {
    let mut project = sample();
    apply(&mut project, edit).expect("the edit fits the sample");
    write_over(&project, SAMPLE)
}

/// Lines of `a` that `b` lacks.
fn changed_lines<'a>(a: &'a str, b: &str) -> Vec<&'a str> {
    a.lines().filter(|line| !b.lines().any(|other| other == *line)).collect()
}

fn comments(text: &str) -> Vec<&str> {
    [
        "// Above",
        "// its name",
        "// By path",
        "// Where",
        "/* the log */",
        "// Four",
        "// was 5",
        "// End",
        "// fast",
        "// The slow",
        "// top",
        "// Below",
    ]
    .into_iter()
    .filter(|comment| text.contains(comment))
    .collect()
}

#[test]
fn an_unchanged_project_is_saved_as_it_was() {
    assert_eq!(write_over(&sample(), SAMPLE), SAMPLE);
    assert_eq!(comments(SAMPLE).len(), 12);
}

#[test]
fn moving_a_card_changes_only_its_position() {
    let text = edited(Edit::Move { id: "web".into(), position: [41.0, 80.0] });
    assert_eq!(comments(&text).len(), 12, "{text}");
    let (before, _) = SAMPLE.split_once("    layout").expect("the sample has a layout");
    let (after, _) = text.split_once("    layout").expect("the save has a layout");
    assert_eq!(after, before);
    assert!(text.contains("\"web\": (41, 80), // top"), "{text}");
}

#[test]
fn one_parameter_changes_one_line() {
    let text = edited(Edit::SetParam { id: "shop".into(), param: "brokers".into(), value: Some(Value::Int(4)) });
    let tidy = SAMPLE.replace("\"web\":   (", "\"web\": (");
    assert_eq!(changed_lines(&text, &tidy), ["            brokers: 4, // was 5"]);
    assert_eq!(changed_lines(&tidy, &text), ["            brokers: 3, // was 5"]);
    assert_eq!(comments(&text).len(), 12, "{text}");
}

#[test]
fn times_stay_as_they_were_typed() {
    let old = "(\n    format: 1,\n    name: \"a\",\n    seed: 1,\n    components: {},\n    links: [],\n    scenarios: {\"s\": (length: \"60s\", warm_up: \"0.5s\", faults: [(at: \"120s\", component: \"a\", action: \"set\")])},\n)\n";
    let mut project = read(old).project;
    project.name = "b".into();
    assert_eq!(write_over(&project, old), old.replace("\"a\",\n    seed", "\"b\",\n    seed"));
    project.scenarios["s"].length = Some(crate::units::SimDuration::from_secs(61));
    assert!(write_over(&project, old).contains("(length: \"61s\", warm_up: \"0.5s\""));
}

#[test]
fn a_rename_keeps_the_comments_of_what_is_renamed() {
    let text = edited(Edit::RenameComponent { id: "shop".into(), new_id: "store".into() });
    assert_eq!(comments(&text).len(), 12, "{text}");
    assert!(text.contains("(from: \"web.out\", to: \"store.orders\", latency: \"2ms\"), // fast"), "{text}");
}

#[test]
fn a_removal_takes_along_only_its_own_comments() {
    let text = edited(Edit::RemoveComponent { id: "web".into() });
    assert_eq!(comments(&text).len(), 9, "{text}");
    assert!(!text.contains("Where orders"));
}

#[test]
fn formatting_keeps_comments_and_meaning_and_settles_at_once() {
    let once = fmt(SAMPLE).expect("the sample is sound");
    assert_eq!(comments(&once).len(), 12, "{once}");
    assert_eq!(fmt(&once).expect("its own output is sound"), once);
    assert_eq!(read(&once).project, sample());
}

#[test]
fn the_samples_are_sound() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("projects");
    for entry in std::fs::read_dir(folder).expect("the samples are there") {
        let path = entry.expect("the samples are there").path();
        if path.extension().is_some_and(|extension| extension == "ron") {
            let loaded = load_file(&path).expect("a sample can be read");
            assert!(loaded.diagnostics.is_empty(), "{}: {:#?}", path.display(), loaded.diagnostics);
            let once = fmt(&loaded.text).expect("a sample is sound");
            assert_eq!(write(&read(&once).project), write(&read(&loaded.text).project));
            assert_eq!(fmt(&once).expect("its own output is sound"), once);
        }
    }
}

#[test]
fn json_says_the_same() {
    let json = to_json(&sample());
    let back = read(&json);
    assert!(back.diagnostics.is_empty(), "{:#?}", back.diagnostics);
    assert_eq!(write(&back.project), write(&sample()));
    let wrong = read("{\n  \"format\": 1,\n  \"nam\": \"\\u00e9\\ud83d\\ude00\"\n}");
    assert_eq!(
        wrong.diagnostics[0].to_string(),
        "3:3: error[field-unknown] nam: there is no field `nam` here (hint: did you mean `name`?)"
    );
}

#[test]
fn a_broken_file_tells_everything_at_once() {
    let text = include_str!("../../tests/fixtures/broken.ron");
    let mut said = String::new();
    for diagnostic in &read(text).diagnostics {
        writeln!(said, "{diagnostic}").expect("a string takes all");
    }
    assert_eq!(said, include_str!("../../tests/fixtures/broken.txt"), "said:\n{said}");
}

#[test]
fn formats_of_the_future_are_refused() {
    let loaded = read("(format: 2, nonsense: 1)");
    assert_eq!(loaded.diagnostics.len(), 1);
    assert_eq!(loaded.diagnostics[0].code, "format-newer");
    assert!(!loaded.is_sound());
}

#[test]
fn diagnostics_of_others_get_places() {
    let loaded = read(SAMPLE);
    let place = |path: &str| loaded.places.place(path).map(|place| (place.line, place.column));
    assert_eq!(place("components.shop.brokers"), Some((19, 22)));
    assert_eq!(place("components.shop.topics.orders.partitions"), Some((20, 45)));
    assert_eq!(place("links[1].from"), Some((28, 16)));
    assert_eq!(place("expect[0]"), Some((30, 14)));
    // What the text does not say stands where it would be said.
    assert_eq!(place("components.web.acks"), Some((13, 9)));
    assert_eq!(place("--set web"), None);
    let twice = read("(format: 1, name: 3)");
    assert!(twice.locate(twice.diagnostics.clone()).is_empty());
}

#[test]
fn hostile_texts_end_in_diagnostics() {
    let deep = "(a:".repeat(200_000);
    let many = format!("({})", "1,".repeat(2_000_000));
    let long = format!("(format: 1, name: \"{}\")", "x".repeat(10 << 20));
    let wide = format!("(format: 1, {} )", "]".repeat(100_000));
    let huge = "x".repeat(super::FILE_BYTES_MAX + 1);
    let comment = format!("/*{}", "/*".repeat(100_000));
    for text in
        [deep.as_str(), &many, &long, &wide, &huge, &comment, "", "(", "\u{feff}", "'", "r#\"", "\"\\", "(a:\"\\u{", "#![", "-", "(,,,)"]
    {
        let loaded = read(text);
        assert!(has_errors(&loaded.diagnostics), "{}", &text[..text.len().min(40)]);
        assert!(loaded.diagnostics.len() <= 2 * super::PROBLEMS_MAX + 2);
        assert!(loaded.diagnostics.iter().all(|d| d.place.is_some() && d.message.len() < 1_000));
    }
    let loaded = read_bytes(b"(\n \xff)", None);
    assert_eq!(loaded.diagnostics[0].to_string().split(' ').next(), Some("2:2:"));
}

#[test]
fn grammar_of_ron() {
    let text = "#![enable(implicit_some)]\n(format: 0x1, name: r##\"a\"#b\"##, aim: \"\\u{e9}\\x41\\n\", seed: 1_0, /* a /* nested */ */
        components: {\"a\": (kind: producer, on: true, n: -2, f: 1.5e3, c: 'x', t: (1, 2), u: (), o: Some(3), z: None)},)";
    let loaded = read(text);
    assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
    let project = loaded.project;
    assert_eq!((project.name.as_str(), project.aim.as_str(), project.seed), ("a\"#b", "éA\n", 10));
    let params: Vec<(&str, Value)> = project.components["a"].params.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let list = Value::List(vec![Value::Int(1), Value::Int(2)]);
    let expected = [
        ("on", Value::Bool(true)),
        ("n", Value::Int(-2)),
        ("f", Value::Float(1500.0)),
        ("c", Value::from("x")),
        ("t", list),
        ("u", Value::Map(IndexMap::new())),
        ("o", Value::Int(3)),
    ];
    assert_eq!(params, expected);
}

#[test]
fn files_are_saved_whole_and_schemas_stay_in_the_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.ron");
    std::fs::write(folder.path().join("s.avsc"), "{}").expect("the folder is ours");
    std::fs::write(
        &path,
        "(format: 1, name: \"a\", schemas: {\"s\": \"s.avsc\", \"up\": \"../x\", \"no\": \"no.avsc\", \"abs\": \"/etc/passwd\"})",
    )
    .expect("the folder is ours");
    let loaded = load_file(&path).expect("it is there");
    let codes: Vec<&str> = loaded.diagnostics.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["schema-path", "schema-missing", "schema-path"]);
    assert!(loaded.diagnostics.iter().all(|d| d.place.is_some()));
    let mut project = loaded.project.clone();
    assert_eq!(&*project.schemas["s"].text, "{}");
    project.schemas.retain(|name, _| name == "s");
    apply(&mut project, Edit::SetSchema { name: "s".into(), text: "{\"type\": \"int\"}".into() }).expect("it is there");
    let text = save_file(&path, &project, Some(&loaded.text)).expect("the folder is ours");
    assert_eq!(std::fs::read_to_string(&path).expect("saved"), text);
    assert_eq!(load_file(&path).expect("saved").project, project);
    assert_eq!(std::fs::read_dir(folder.path()).expect("ours").count(), 2, "no temporary file is left");
    super::write_recovery(Some(&path), &Project::default(), None).expect("the folder is ours");
    assert!(super::find_recovery(Some(&path)).is_some());
    super::drop_recovery(Some(&path)).expect("it is there");
    assert!(super::find_recovery(Some(&path)).is_none());
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (inside, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    std::fs::write(outside.path().join("secret"), "{}").expect("ours");
    symlink(outside.path().join("secret"), inside.path().join("s.avsc")).expect("ours");
    let loaded = super::read_in("(format: 1, schemas: {\"s\": \"s.avsc\"})", Some(inside.path()));
    assert_eq!(loaded.diagnostics[0].code, "schema-path");
    symlink(outside.path(), inside.path().join("way")).expect("ours");
    let mut project = loaded.project;
    project.schemas["s"].path = Some("way/new.avsc".into());
    project.schemas["s"].text = "{}".into();
    assert!(save_file(&inside.path().join("p.ron"), &project, None).is_err());
    let path = outside.path().join("p.ron");
    std::fs::write(&path, "x").expect("ours");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("ours");
    save_file(&path, &Project::default(), None).expect("ours");
    assert_eq!(std::fs::metadata(&path).expect("ours").permissions().mode() & 0o777, 0o640);
}

#[test]
fn preferences_survive_and_broken_ones_are_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut preferences = Preferences { theme: Theme::Dark, window_size: Some([1280.0, 800.0]), ..Preferences::default() };
    for n in 0..20 {
        preferences.remember(&folder.path().join(format!("{n}.ron")));
    }
    preferences.save_to(folder.path()).expect("ours");
    let (back, warnings) = Preferences::load_from(folder.path());
    assert_eq!((back.recent.len(), warnings.len()), (super::RECENT_MAX, 0));
    assert_eq!(back, preferences);
    std::fs::write(folder.path().join("preferences.ron"), "(theme: Purple").expect("ours");
    let (back, warnings) = Preferences::load_from(folder.path());
    assert_eq!((back, warnings.len()), (Preferences::default(), 1));
    assert_eq!(std::fs::read_to_string(folder.path().join("preferences.ron.bak")).expect("kept"), "(theme: Purple");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_written_is_read(project in random_project::project()) {
        let text = write(&project);
        let back = read(&text);
        let lost: Vec<_> = back.diagnostics.iter().filter(|d| d.code != "link-dangling").collect();
        prop_assert!(lost.is_empty(), "{lost:#?}\n{text}");
        prop_assert_eq!(&back.project, &project, "{}", text);
        prop_assert_eq!(write(&back.project), text.clone());
        prop_assert_eq!(write_over(&project, &text), text.clone());
        prop_assert_eq!(fmt(&text).expect("sound"), text);
        prop_assert_eq!(read(&to_json(&project)).project, project);
    }

    #[test]
    fn any_project_can_be_saved_over_any_text(old in random_project::project(), new in random_project::project()) {
        let text = write_over(&new, &write(&old));
        prop_assert_eq!(&read(&text).project, &new, "{}", text);
        let over_sample = write_over(&new, SAMPLE);
        prop_assert_eq!(&read(&over_sample).project, &new, "{}", over_sample);
    }

    #[test]
    fn truncated_and_mutated_texts_do_no_harm(cut in 0..SAMPLE.len(), at in 0..SAMPLE.len(), with in "[(){}\\[\\]:,\"'\\\\/*#r0-9a-zN \n.-]{0,6}") {
        let cut = (0..=cut).rev().find(|at| SAMPLE.is_char_boundary(*at)).unwrap_or(0);
        let at = (0..=at).rev().find(|at| SAMPLE.is_char_boundary(*at)).unwrap_or(0);
        for text in [SAMPLE[..cut].to_owned(), format!("{}{with}{}", &SAMPLE[..at], &SAMPLE[at..])] {
            let loaded = read(&text);
            prop_assert!(loaded.diagnostics.iter().all(|d| d.place.is_some()));
            if let Ok(once) = fmt(&text) {
                prop_assert_eq!(fmt(&once).expect("its own output"), once);
            }
            // Saving over whatever that was says what the design says.
            prop_assert_eq!(write(&read(&write_over(&loaded.project, &text)).project), write(&loaded.project));
        }
    }

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let loaded = read_bytes(&bytes, None);
        prop_assert!(loaded.diagnostics.iter().all(|d| d.place.is_some()));
    }
}
