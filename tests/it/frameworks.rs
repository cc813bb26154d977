//! Skeletons for service frameworks: the Java compiles against stubs of the frameworks' annotations, the YAML reads.

use std::path::{Path, PathBuf};
use std::process::Command;

use eventyard::export::{project_files, write_files};
use eventyard::model::Project;
use eventyard::project::load_file;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn java_below(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it is there").path();
        if path.is_dir() {
            java_below(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "java") {
            out.push(path);
        }
    }
}

/// Compiles what is below a folder; nothing to say where there is no compiler.
fn compile(folder: &Path, what: &str) {
    if Command::new("javac").arg("-version").output().is_err() {
        eprintln!("no javac here: {what} is not compiled");
        return;
    }
    let mut files = Vec::new();
    java_below(&folder.join("src"), &mut files);
    let stubs = root().join("tests/fixtures/java_stubs");
    let classes = folder.join("classes");
    let run = Command::new("javac").arg("-d").arg(&classes).arg("-sourcepath").arg(&stubs).args(&files).output().expect("it runs");
    assert!(run.status.success(), "{what}: {}", String::from_utf8_lossy(&run.stderr));
}

fn samples() -> Vec<(String, Project)> {
    ["order-flow", "saga", "cqrs-stale-reads", "exactly-once", "circuit-breaker"]
        .map(|name| (name.to_owned(), load_file(&root().join(format!("projects/{name}.ron"))).expect("a sample").project))
        .into()
}

#[test]
fn skeletons_compile() {
    for (name, project) in samples() {
        for framework in ["spring-cloud-stream", "micronaut"] {
            let folder = tempfile::tempdir().expect("a folder");
            let files = project_files(&project, framework).expect("it is a format of folders");
            write_files(folder.path(), &files).expect("they can be written");
            compile(folder.path(), &format!("{name} for {framework}"));
        }
    }
}

/// Names of a design can be anything: they make neither code nor a path.
#[test]
fn hostile_names_stay_texts() {
    let mut project = samples().remove(1).1;
    let evil = "*/ static { System.exit(1); } /* \"\\u000a ../../x";
    let component = project.components.shift_remove("payments").expect("it is there");
    project.components.insert(evil.to_owned(), component);
    project.components[evil].description = Some(evil.to_owned());
    project.name = evil.to_owned();
    for framework in ["spring-cloud-stream", "micronaut"] {
        let folder = tempfile::tempdir().expect("a folder");
        let files = project_files(&project, framework).expect("it is a format of folders");
        assert!(files.iter().all(|(path, _)| !path.contains("..") && !path.starts_with('/')), "{files:?}");
        write_files(folder.path(), &files).expect("they can be written");
        compile(folder.path(), framework);
    }
}

#[test]
fn settings_are_the_frameworks_own() {
    let project = samples().remove(1).1;
    let text = |framework: &str, path: &str| {
        let files = project_files(&project, framework).expect("it is a format of folders");
        files.into_iter().find(|(name, _)| name == path).unwrap_or_else(|| panic!("{path}")).1
    };
    let yaml = text("spring-cloud-stream", "src/main/resources/application.yml");
    for line in [
        "stock-in-0:",
        "destination: \"stock-commands\"",
        "group: \"stock\"",
        "max-attempts: 3",
        "start-offset: earliest",
        "enable-dlq: false",
    ] {
        assert!(yaml.contains(line), "{line} is in {yaml}");
    }
    let listener = text("micronaut", "src/main/java/design/Stock.java");
    for line in [
        "groupId = \"stock\"",
        "OffsetReset.EARLIEST",
        "OffsetStrategy.AUTO",
        "retryDelay = \"1000ms\", retryCount = 2",
        "case ReserveStock.TYPE",
    ] {
        assert!(listener.contains(line), "{line} is in {listener}");
    }
    assert!(text("micronaut", "src/main/java/design/OrchestratorClient.java").contains("@Topic(\"stock-commands\")"));
}

#[test]
fn what_a_skeleton_leaves_open_is_said() {
    for (sample, words) in [
        ("retry-topics", "what fails is written to retry topics"),
        ("autoscaling", "its platform gives it 2 to 8 instances, by lag"),
        ("queue-commands", "it takes messages of refunds too; it decides commands on event-sourced aggregates"),
    ] {
        let project = load_file(&root().join(format!("projects/{sample}.ron"))).expect("the sample is there").project;
        for framework in ["spring-cloud-stream", "micronaut"] {
            let files = project_files(&project, framework).expect("it is a format of folders");
            let readme = &files.iter().find(|(name, _)| name == "README.md").expect("there is one").1;
            assert!(readme.contains(words), "{sample}, {framework}: {readme}");
        }
    }
}

#[test]
fn a_pool_queue_is_the_applications() {
    let mut project = samples().remove(1).1;
    let pooled = crate::design::values(serde_json::json!({"pool_queue": 200}));
    project.components["stock"].params.extend(pooled);
    let files = project_files(&project, "spring-cloud-stream").expect("it is a format of folders");
    let yaml = &files.iter().find(|(name, _)| name.ends_with("application.yml")).expect("there is one").1;
    assert!(yaml.contains("  task:\n    execution:\n      pool:\n        queue-capacity: 200\n"), "{yaml}");
}
