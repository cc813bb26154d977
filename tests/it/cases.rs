//! Cases that are shared with others: the shared file where it stands beside the package, its copy otherwise.

use std::path::Path;

use serde_json::Value as Json;

/// The cases of `name`; says which file they are from.
pub(crate) fn read(name: &str) -> Vec<Json> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = root.join("../shared/cases").join(name);
    let path = if shared.is_file() { shared } else { root.join("tests/cases").join(name) };
    println!("cases from {}", path.display());
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Json = serde_json::from_str(&text).expect("the case file is JSON");
    file["cases"].as_array().expect("a list of cases").clone()
}
