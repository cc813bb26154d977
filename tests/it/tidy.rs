//! The house's walls: which room may use which, how long a file may be, what stands in an explicit list.
//!
//! Each check collects everything that is wrong and shows all of it at once.

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms under `src/` by layer, with what each may use beside itself. An import points down or not at all:
/// a new direction needs a line here and a reason beside it.
const ROOMS: &[(u8, &str, &[&str])] = &[
    (0, "units", &[]),
    (0, "diagnostics", &["units"]),
    (0, "event", &["units"]),
    (0, "random", &["units", "diagnostics"]),
    (0, "predicate", &["units", "diagnostics"]),
    // A live input to a process carries parameter values as a person wrote them: `model::Value`, plain data.
    (1, "engine", &["units", "diagnostics", "event", "random", "predicate", "model"]),
    (1, "machines", LAYER_0),
    (1, "model", LAYER_0),
    (2, "components", UP_TO_1),
    // Observers see facts, figures and schemas (to decode an event that is looked at), no kind of component.
    (2, "metrics", &["units", "diagnostics", "event", "random", "predicate", "engine", "machines", "model"]),
    (3, "project", &["units", "diagnostics", "event", "random", "predicate", "model"]),
    (3, "compile", UP_TO_2),
    (4, "run", UP_TO_3_BUT_PROJECT),
    (5, "export", UP_TO_4),
    (5, "import", UP_TO_4),
    (5, "adapters", UP_TO_4),
    (6, "app", UP_TO_5),
    (7, "gui", UP_TO_6),
    (7, "cli", UP_TO_6),
];
const LAYER_0: &[&str] = &["units", "diagnostics", "event", "random", "predicate"];
const UP_TO_1: &[&str] = &["units", "diagnostics", "event", "random", "predicate", "engine", "machines", "model"];
const UP_TO_2: &[&str] = &["units", "diagnostics", "event", "random", "predicate", "engine", "machines", "model", "components", "metrics"];
const UP_TO_3_BUT_PROJECT: &[&str] =
    &["units", "diagnostics", "event", "random", "predicate", "engine", "machines", "model", "components", "metrics", "compile"];
const UP_TO_4: &[&str] = &[
    "units",
    "diagnostics",
    "event",
    "random",
    "predicate",
    "engine",
    "machines",
    "model",
    "components",
    "metrics",
    "project",
    "compile",
    "run",
];
const UP_TO_5: &[&str] = &[
    "units",
    "diagnostics",
    "event",
    "random",
    "predicate",
    "engine",
    "machines",
    "model",
    "components",
    "metrics",
    "project",
    "compile",
    "run",
    "export",
    "import",
    "adapters",
];
const UP_TO_6: &[&str] = &[
    "units",
    "diagnostics",
    "event",
    "random",
    "predicate",
    "engine",
    "machines",
    "model",
    "components",
    "metrics",
    "project",
    "compile",
    "run",
    "export",
    "import",
    "adapters",
    "app",
];

/// Machines are blind to each other; `codec` is the one that the others may use.
const MACHINES_SHARED: &str = "codec";

const FILE_LINES_MAX: usize = 800;

struct Source {
    /// Relative to the package, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The room under `src/` that the file stands in; none for `lib.rs` and `main.rs`.
    fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        match inside.split_once('/') {
            Some((room, _)) => Some(room),
            None => inside.strip_suffix(".rs").filter(|stem| !matches!(*stem, "lib" | "main")),
        }
    }
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/") || self.path.starts_with("tests/")
    }
    /// Lines of code with their numbers: comments, and the inline test module at a file's end, are left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let inline_tests = |i: usize| {
            lines[i].trim() == "#[cfg(test)]" && lines.get(i + 1).is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'))
        };
        let end = (0..lines.len()).find(|&i| inline_tests(i)).unwrap_or(lines.len());
        let code: Vec<(usize, &str)> = lines[..end].iter().enumerate().map(|(i, line)| (i + 1, *line)).collect();
        code.into_iter().filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no sources under {folder}");
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("the package's folders can be read") {
        let path = entry.expect("the package's folders can be read").path();
        // `tests/clients/rust` is a package of its own: what cargo builds beside it is no source of ours.
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("sources are UTF-8");
            let inside = path.strip_prefix(root()).expect("it was found under the root");
            found.push(Source { path: inside.to_string_lossy().replace('\\', "/"), text });
        }
    }
}

/// Every path after `crate::` in a piece of code, groups opened: `crate::{a::b, c}` gives `a::b` and `c`.
fn crate_paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            paths.extend(group_items(group));
        } else {
            paths.push(leading_path(rest));
        }
    }
    paths
}

fn leading_path(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect()
}

fn group_items(group: &str) -> Vec<String> {
    let (mut depth, mut item, mut items) = (1usize, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if c == ',' && depth == 1 {
            items.push(std::mem::take(&mut item));
        } else {
            item.push(c);
        }
    }
    items.push(item);
    items.iter().map(|item| leading_path(item.trim())).filter(|item| !item.is_empty()).collect()
}

fn may_use(room: &str, target: &str) -> bool {
    ROOMS.iter().find(|(_, name, _)| *name == room).is_some_and(|(_, _, allowed)| room == target || allowed.contains(&target))
}

#[test]
fn the_table_itself_points_down() {
    for (layer, room, allowed) in ROOMS {
        for target in *allowed {
            let below = ROOMS.iter().find(|(_, name, _)| name == target).expect("the table names only its own rooms").0;
            let sideways = matches!((*room, *target), ("engine", "model")) || *layer == 0;
            assert!(below < *layer || sideways, "{room} (layer {layer}) may not use {target} (layer {below})");
        }
    }
}

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test()) {
        let Some(room) = source.room() else { continue };
        if !ROOMS.iter().any(|(_, name, _)| *name == room) {
            wrong.push(format!("{}: the room `{room}` is not in the table of tests/it/tidy.rs", source.path));
            continue;
        }
        let code: String = source.code().flat_map(|(_, line)| [line, "\n"]).collect();
        for path in crate_paths(&code) {
            let target = path.split("::").next().unwrap_or_default();
            if ROOMS.iter().any(|(_, name, _)| *name == target) && !may_use(room, target) {
                wrong.push(format!("{}: {room} may not use crate::{path}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "imports in a wrong direction:\n{}", wrong.join("\n"));
}

#[test]
fn machines_are_blind_to_each_other() {
    let mut wrong = Vec::new();
    for source in sources("src/machines").iter().filter(|source| !source.is_test()) {
        let Some(machine) = source.path.strip_prefix("src/machines/").and_then(|path| path.split_once('/')).map(|(machine, _)| machine)
        else {
            continue;
        };
        let code: String = source.code().flat_map(|(_, line)| [line, "\n"]).collect();
        for path in crate_paths(&code) {
            let Some(other) = path.strip_prefix("machines::").map(|rest| rest.split("::").next().unwrap_or_default()) else { continue };
            if other != machine && other != MACHINES_SHARED {
                wrong.push(format!("{}: the {machine} machine may not use crate::{path}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "machines that see each other:\n{}", wrong.join("\n"));
}

#[test]
fn files_are_short_enough_to_read() {
    let mut wrong = Vec::new();
    for source in sources("src").iter().chain(&sources("tests")) {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            wrong.push(format!("{}: {lines} lines, at most {FILE_LINES_MAX}: a room to split", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_begin_with_a_header() {
    let mut wrong = Vec::new();
    for source in sources("src").iter().chain(&sources("tests")) {
        // A module's tests need no word about what they are.
        if !source.path.ends_with("/tests.rs") && !source.text.starts_with("//!") {
            wrong.push(format!("{}: begins without a `//!` header", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_unwraps() {
    let mut wrong = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test()) {
        for (number, line) in source.code() {
            if line.contains(".unwrap()") {
                wrong.push(format!("{}:{number}: `unwrap()`; handle it, or `expect(\"why it holds\")`", source.path));
            }
            if line.contains("allow(") && line.trim_start().starts_with("#") && !line.contains("cfg_attr") {
                wrong.push(format!("{}:{number}: `allow`; write `expect(…, reason = \"…\")`", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_is_in_the_list() {
    let listed: Vec<&str> = eventyard::components::ALL.iter().map(|kind| kind.spec().id).collect();
    for folder in folders("src/components") {
        assert!(listed.contains(&folder.as_str()), "src/components/{folder}/ is not in components::ALL ({listed:?})");
    }
    assert_eq!(listed.len(), folders("src/components").len(), "every kind has a folder of its own: {listed:?}");
}

#[test]
fn every_exporter_is_in_the_list() {
    let list = fs::read_to_string(root().join("src/export/mod.rs")).expect("the exporters' list can be read");
    let all = list.split("pub const ALL").nth(1).and_then(|rest| rest.split(';').next()).expect("the list is called ALL");
    let mut wrong = Vec::new();
    for source in sources("src/export").iter().filter(|source| !source.is_test()) {
        let Some(stem) = source.path.strip_prefix("src/export/").and_then(|file| file.strip_suffix(".rs")) else { continue };
        // Folders hold what exporters share.
        if stem != "mod" && !stem.contains('/') && !all.contains(&format!("{stem}::")) {
            wrong.push(format!("{} is not in export::ALL", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn folders(parent: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(parent)).expect("the package's folders can be read");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("the package's folders can be read"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn paths_are_found_in_code() {
    let found = crate_paths("use crate::{a::B, c::{D, E},\n f};\nlet x = crate::g::h(); my_crate::no");
    assert_eq!(found, ["a::B", "c::", "f", "g::h"]);
}
