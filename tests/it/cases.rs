//! Cases that are shared with others: the shared file where it stands beside the package, its copy otherwise.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

fn copies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases")
}

/// The text of `name`; says which file it is from.
pub(crate) fn text(name: &str) -> String {
    let shared = shared().join(name);
    let path = if shared.is_file() { shared } else { copies().join(name) };
    println!("cases from {}", path.display());
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cases of `name`.
pub(crate) fn read(name: &str) -> Vec<Json> {
    let file: Json = serde_json::from_str(&text(name)).expect("the case file is JSON");
    file["cases"].as_array().expect("a list of cases").clone()
}

#[test]
fn every_copy_is_the_shared_file() {
    let copies: Vec<PathBuf> = std::fs::read_dir(copies()).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    assert!(copies.len() >= 5, "{copies:?}");
    for copy in copies {
        let original = shared().join(copy.file_name().expect("a file has a name"));
        if original.is_file() {
            let same = std::fs::read(&copy).expect("it can be read") == std::fs::read(&original).expect("it can be read");
            assert!(same, "{} is not {}", copy.display(), original.display());
        }
    }
}
