//! Every code has a page under `docs/codes`, and every page is current. With `SNOWFORM_BLESS=1` they are written anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_pages_of_codes_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes");
    let wanted = snowform::cli::explain::pages();
    if std::env::var_os("SNOWFORM_BLESS").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        wanted.iter().for_each(|(name, page)| fs::write(folder.join(name), page).unwrap());
    }
    let found: BTreeMap<String, String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    let differing: Vec<&String> =
        wanted.iter().filter(|(name, page)| found.get(*name) != Some(page)).map(|(name, _)| name).collect();
    assert_eq!(differing, Vec::<&String>::new(), "write them anew with SNOWFORM_BLESS=1");
    let stale: Vec<&String> = found.keys().filter(|name| !wanted.contains_key(*name)).collect();
    assert_eq!(stale, Vec::<&String>::new(), "no code has these pages");
}

#[test]
fn every_code_is_explained() {
    let explain =
        |code: &str| Command::new(env!("CARGO_BIN_EXE_snowform")).args(["explain", code]).output().unwrap();
    let pages = snowform::cli::explain::pages();
    assert!(pages.len() > 80, "{}", pages.len());
    for name in pages.keys().filter(|name| *name != "README.md") {
        let code = name.trim_end_matches(".md").trim_start_matches("exit-");
        let explained = explain(code);
        assert!(explained.status.success(), "{code}");
        assert!(String::from_utf8(explained.stdout).unwrap().lines().count() >= 3, "{code} says too little");
    }
    assert_eq!(explain("drop-images").status.code(), Some(64));
    let numbers = explain("002003");
    assert!(String::from_utf8(numbers.stderr).unwrap().contains("the account's own"));
}

#[test]
fn the_help_of_hazards_and_problems_names_what_is_there() {
    let pages = snowform::cli::explain::pages();
    let page = |name: &str| pages.get(name).unwrap_or_else(|| panic!("{name} has no page"));
    assert!(page("drops-images.md").contains("--allow drops-images"));
    assert!(page("missing-container.md").contains("never carried out"));
    assert!(page("exit-5.md").contains("stale"));
    let twice = page("invalid-name.md");
    assert!(twice.contains("**error**") && twice.contains("**error of a command**"), "{twice}");
}
