//! Cases that were read off the tests of other products, for the tests of this room.

use std::path::PathBuf;

use serde_json::Value as Json;

/// The cases of a file, if they are on this machine.
pub(super) fn shared(file: &str) -> Vec<Json> {
    let home = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let places = [home.join("../shared"), home.join("../../shared")];
    #[expect(clippy::disallowed_methods, reason = "a test reads its cases")]
    let text = places.iter().find_map(|place| std::fs::read_to_string(place.join("cases/schema").join(file)).ok());
    let Some(text) = text else {
        println!("skipped: the shared case file {file} is not on this machine");
        return Vec::new();
    };
    serde_json::from_str(&text).expect("a list of cases")
}
