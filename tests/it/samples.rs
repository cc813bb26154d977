//! Every sample project: sound, checked clean, balanced, and true to what it says of itself.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use eventyard::compile::{self, RunOptions};
use eventyard::diagnostics::{Diagnostic, Severity};
use eventyard::export;
use eventyard::metrics::Report;
use eventyard::project::{self, Loaded};
use eventyard::run::run_headless;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn samples() -> Vec<(String, Loaded)> {
    let folder = root().join("projects");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the sample projects can be read")
        .map(|entry| entry.expect("the sample projects can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ron"))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "the sample projects are there: {files:?}");
    files.iter().map(|file| (file.file_stem().expect("it has a name").to_string_lossy().into_owned(), load(file))).collect()
}

fn load(file: &Path) -> Loaded {
    project::load_file(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn run(loaded: &Loaded, scenario: &str) -> Report {
    let options = RunOptions { scenario: Some(scenario.to_owned()), ..RunOptions::default() };
    let plan = compile::compile(&loaded.project, &options).unwrap_or_else(|problems| panic!("{scenario}: {problems:?}"));
    run_headless(plan, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|failure| panic!("{scenario}: {failure}"))
}

#[test]
fn samples_are_sound_and_in_standard_form() {
    for (name, loaded) in samples() {
        let mut problems = loaded.diagnostics.clone();
        problems.extend(compile::check(&loaded.project));
        // What a variant does wrong on purpose is warned of; the design as drawn is without fault.
        let is_a_variants = |problem: &Diagnostic| problem.severity == Severity::Warning && problem.message.contains("(in scenario `");
        problems.retain(|problem| problem.severity != Severity::Note && !is_a_variants(problem));
        assert!(problems.is_empty(), "{name}: {problems:#?}");
        assert_eq!(project::fmt(&loaded.text).as_deref(), Ok(loaded.text.as_str()), "{name}: `eventyard fmt` would change it");
        assert!(loaded.project.aim.len() > 100, "{name} says what it shows");
        assert!(
            loaded.project.components.keys().all(|id| loaded.project.layout.positions.contains_key(id)),
            "{name}: every card has its place"
        );
    }
}

#[test]
fn samples_show_what_they_say() {
    for (name, loaded) in samples() {
        let scenarios = &loaded.project.scenarios;
        assert!(scenarios.len() >= 2, "{name} has a default scenario and a variant");
        assert!(
            scenarios[0].misses.is_empty() && !scenarios[1].misses.is_empty(),
            "{name}: the default meets everything, the variant does not"
        );
        for (scenario, about) in scenarios {
            let report = run(&loaded, scenario);
            assert!(report.ledger.balanced, "{name}, {scenario}: the ledger balances: {:?}", report.ledger);
            let missed: Vec<&str> = report.expectations.iter().filter(|e| !e.met).map(|e| e.text.as_str()).collect();
            let mut wanted: Vec<&str> = about.misses.iter().map(String::as_str).collect();
            wanted.sort_by_key(|text| report.expectations.iter().position(|e| e.text == *text));
            let figures: Vec<(&str, &str)> = report.expectations.iter().map(|e| (e.text.as_str(), e.figure.as_str())).collect();
            assert_eq!(missed, wanted, "{name}, {scenario}: missed, and wanted to be missed; figures: {figures:#?}");
        }
    }
}

#[test]
fn samples_keep_their_meaning_through_every_format_that_reads_back() {
    for (name, loaded) in samples() {
        for format in ["ron", "json"] {
            let text = export::project_text(&loaded.project, format).expect("both are formats of designs");
            let back = project::read_in(&text, Some(&root().join("projects")));
            assert!(back.diagnostics.is_empty(), "{name} as {format}: {:?}", back.diagnostics);
            assert_eq!(back.project, loaded.project, "{name} as {format}");
        }
    }
}

#[test]
fn the_built_in_starter_is_the_sample() {
    let file = load(&root().join("projects/order-flow.ron"));
    assert_eq!(project::starter().project, file.project);
}

#[test]
fn the_benchmark_design_is_sound() {
    let loaded = load(&root().join("tests/bench/pipeline.ron"));
    let options = RunOptions { length: Some("200ms".parse().expect("a duration")), ..RunOptions::default() };
    assert_eq!(loaded.diagnostics, []);
    assert!(compile::compile(&loaded.project, &options).is_ok());
}

/// What a reader of a report finds in it is in the README.
#[test]
fn every_figure_of_the_reports_is_documented() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README can be read");
    let mut missing = std::collections::BTreeSet::new();
    for (_, loaded) in samples() {
        let options = RunOptions { length: Some(eventyard::units::SimDuration::from_secs(5)), ..RunOptions::default() };
        let plan = compile::compile(&loaded.project, &options).expect("a sample compiles");
        let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("a sample runs");
        let figures = report.components.values().chain(report.links.values()).chain([&report.totals]).flat_map(|of| of.keys());
        let documented = |name: &str| readme.contains(&format!("`{name}`")) || readme.contains(&format!("`{name}["));
        for name in figures.map(|figure| figure.split('[').next().unwrap_or_default()) {
            let counted = name.strip_suffix("_per_s").map(|stem| format!("{stem}_count"));
            if !documented(name) && !counted.is_some_and(|counted| documented(&counted)) {
                missing.insert(name.to_owned());
            }
        }
        missing.extend(report.series.iter().map(|series| series.metric.clone()).filter(|metric| !documented(metric)));
    }
    assert!(missing.is_empty(), "not in the README: {missing:?}");
}
