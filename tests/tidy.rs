//! The house rules, read from ARCHITECTURE.md and held against the code.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(below: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(below)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no Rust files below {below}");
    found
}

/// The first path component below `src`, without `.rs`; the crate's own two files belong to no room.
fn room(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(name, "lib" | "main")).then(|| name.to_owned())
}

fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table = page.split("## Allowed arrows").nth(1).unwrap().split("\n## ").next().unwrap().to_owned();
    let ticked = |cell: &str| cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect::<Vec<_>>();
    table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            (ticked(cells[0]).remove(0), ticked(cells[1]).into_iter().collect())
        })
        .collect()
}

/// Every `crate::ROOM` in code; comments are not code.
fn used_rooms(text: &str, rooms: &BTreeSet<&String>) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for tail in line.split("crate::").skip(1) {
            let names: Vec<&str> = match tail.strip_prefix('{') {
                Some(group) => group.split(',').map(str::trim).collect(),
                None => vec![tail],
            };
            for name in names {
                let word: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if rooms.contains(&word) {
                    used.insert(word);
                }
            }
        }
    }
    used
}

#[test]
fn arrows_run_down_only() {
    let allowed = allowed();
    let rooms: BTreeSet<&String> = allowed.keys().collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for path in rust_files("src") {
        let Some(room) = room(&path) else { continue };
        let Some(may) = allowed.get(&room) else {
            wrong.push(format!("{room} is not in ARCHITECTURE.md"));
            continue;
        };
        seen.insert(room.clone());
        for used in used_rooms(&fs::read_to_string(&path).unwrap(), &rooms) {
            if used != room && !may.contains(&used) {
                wrong.push(format!("{} uses {used}, which {room} may not", path.display()));
            }
        }
    }
    for room in rooms.into_iter().filter(|room| !seen.contains(*room)) {
        wrong.push(format!("{room} is in ARCHITECTURE.md and not in src"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn allowed_arrows_make_no_circle() {
    let allowed = allowed();
    let mut left: BTreeSet<&String> = allowed.keys().collect();
    loop {
        let free: Vec<_> = left
            .iter()
            .copied()
            .filter(|room| allowed[*room].iter().all(|used| !left.contains(used)))
            .collect();
        if free.is_empty() {
            break;
        }
        left.retain(|room| !free.contains(room));
    }
    assert!(left.is_empty(), "these rooms use each other in a circle: {left:?}");
}

#[test]
fn every_file_says_what_it_is_for_and_holds_one_idea() {
    let mut wrong = Vec::new();
    for path in rust_files("src").into_iter().chain(rust_files("tests")) {
        let text = fs::read_to_string(&path).unwrap();
        if !text.starts_with("//! ") {
            wrong.push(format!("{} does not open with //!", path.display()));
        }
        if text.lines().count() > 800 {
            wrong.push(format!("{} has more than 800 lines", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_host_touches_the_machine() {
    let mut wrong = Vec::new();
    for path in rust_files("src").into_iter().filter(|path| room(path).is_some_and(|room| room != "host")) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for word in ["std::fs", "std::env::", "SystemTime::now", "std::process::Command"] {
            if code.contains(word) {
                wrong.push(format!("{} uses {word}, which belongs in src/host", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn paths_named_in_markdown_exist() {
    let mut wrong = Vec::new();
    for page in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            let rooms = ["src/", "tests/", "examples/", "schema/", "docs/", "benches/"];
            let is_path = rooms.iter().any(|room| word.starts_with(room));
            if is_path && !word.contains([' ', '*', '…', '<']) && !root().join(word).exists() {
                wrong.push(format!("{page} names {word}, which does not exist"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_is_used() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let code: String = rust_files("src").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let unused: Vec<String> = section
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.trim().replace('-', "_"))
        .filter(|name| !name.starts_with('#') && !code.contains(&format!("{name}::")))
        .collect();
    assert!(unused.is_empty(), "declared and not used: {unused:?}");
}
