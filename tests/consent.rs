//! Images are not destroyed without consent by name: the real binary, on repositories that hold some.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use snowform::local::{Account, Context};
use snowform::object::name::{Ident, ObjectName};
use std::fs;
use std::path::Path;
use std::process::Command;

fn run(project: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snowform"));
    let output =
        command.args(arguments).arg("--local").current_dir(project).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
}

/// A project of two repositories, `full` with three images in it and `empty`.
fn project() -> (tempfile::TempDir, Account) {
    let directory = tempfile::tempdir().unwrap();
    let definition = "definition_version: 2\nentities:\n  filled:\n    type: image-repository\n  empty:\n    type: image-repository\n";
    fs::write(directory.path().join("snowflake.yml"), definition).unwrap();
    let account = Account::open(&directory.path().join(".snowform")).unwrap();
    assert_eq!(run(directory.path(), &["deploy"]).0, 0);
    let part = |text: &str| Ident::exact(text);
    let filled = ObjectName::new(part("LOCAL"), part("PUBLIC"), part("FILLED"));
    for (tag, digest) in [("1", "sha256:aa"), ("2", "sha256:bb"), ("latest", "sha256:bb"), ("3", "sha256:cc")]
    {
        account.record_image(&filled, "app", Some(tag), digest).unwrap();
    }
    (directory, account)
}

fn repositories(account: &Account) -> usize {
    account.execute(&mut Context::local(), "SHOW IMAGE REPOSITORIES IN ACCOUNT").unwrap().rows.len()
}

#[test]
fn a_repository_with_images_is_dropped_only_with_consent() {
    let (directory, account) = project();
    let (code, said) = run(directory.path(), &["destroy"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("3 images (4 tags)") && said.contains("--allow drops-images"), "{said}");
    assert_eq!(repositories(&account), 2, "a refused plan is not carried out in part");
    let (code, said) = run(directory.path(), &["destroy", "--allow", "drops-images"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(repositories(&account), 0);
}

#[test]
fn an_empty_repository_needs_no_consent() {
    let (directory, account) = project();
    let (code, said) = run(directory.path(), &["destroy", "empty"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(repositories(&account), 1);
}

#[test]
fn what_would_be_lost_is_listed_for_machines() {
    let (directory, _account) = project();
    let (code, said) = run(directory.path(), &["destroy", "--dry-run", "--format", "json"]);
    assert_eq!(code, 0, "{said}");
    let plan: serde_json::Value = serde_json::from_str(&said).unwrap();
    let filled =
        plan["changes"].as_array().unwrap().iter().find(|change| change["entity"] == "filled").unwrap();
    assert_eq!(filled["steps"][0]["hazards"][0]["kind"], "drops-images");
    let tags: usize = filled["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["tags"].as_array().unwrap().len())
        .sum();
    assert_eq!(tags, 4);
}

/// Every way in which a repository that holds images can go, and the options that ask for it.
const WAYS: [(&str, &str, &[&str]); 5] = [
    ("removed", "removed: [filled]\n", &["deploy"]),
    ("destroy", "", &["destroy", "filled"]),
    ("prune", "project: shop\n", &["deploy", "--prune"]),
    ("replace", "", &["deploy", "--replace", "filled"]),
    ("encryption", "entities:\n  filled:\n    encryption: SNOWFLAKE_SSE\n", &["deploy", "filled"]),
];

/// A project of the one repository, declared where that way of losing it needs it; with or without images in it.
fn way(name: &str, overlay: &str, images: bool) -> (tempfile::TempDir, Account) {
    let directory = tempfile::tempdir().unwrap();
    let declared = !matches!(name, "removed" | "prune");
    let entity = if declared { "filled" } else { "other" };
    let definition = format!("definition_version: 2\nentities:\n  {entity}:\n    type: image-repository\n");
    fs::write(directory.path().join("snowflake.yml"), definition).unwrap();
    fs::write(directory.path().join("snowform.yml"), overlay).unwrap();
    let account = Account::open(&directory.path().join(".snowform")).unwrap();
    let mark = if name == "prune" { "[snowform project=shop]" } else { "" };
    let create = format!("CREATE IMAGE REPOSITORY filled COMMENT = '{mark}'");
    account.execute(&mut Context::local(), &create).unwrap();
    let filled = ObjectName::new(Ident::exact("LOCAL"), Ident::exact("PUBLIC"), Ident::exact("FILLED"));
    if images {
        account.record_image(&filled, "app", Some("1"), "sha256:aa").unwrap();
        account.record_image(&filled, "app", Some("latest"), "sha256:aa").unwrap();
        account.record_image(&filled, "web", Some("2"), "sha256:bb").unwrap();
    }
    (directory, account)
}

fn images(account: &Account) -> Option<usize> {
    let sql = "SHOW IMAGES IN IMAGE REPOSITORY LOCAL.PUBLIC.FILLED";
    account.execute(&mut Context::local(), sql).ok().map(|rows| rows.rows.len())
}

#[test]
fn whatever_way_images_would_go_it_is_refused_until_allowed() {
    for (name, overlay, words) in WAYS {
        let (directory, account) = way(name, overlay, true);
        let before = images(&account);
        assert!(before.is_some_and(|rows| rows > 0));
        let (code, said) = run(directory.path(), words);
        assert_eq!(code, 3, "{name}: {said}");
        assert!(said.contains("2 images (3 tags)"), "{name}: {said}");
        let command = words.join(" ");
        assert!(said.contains(&format!("snowform {}", words[0])), "{name}: {said}");
        assert!(said.contains("--allow drops-images"), "{name}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{name}: {command}: {said}");
        assert_eq!(images(&account), before, "{name}: a refused plan is not carried out in part");
        let (code, said) = run(directory.path(), &[words, &["--allow", "drops-images"]].concat());
        assert_eq!(code, 0, "{name}: {said}");
        assert!(images(&account).is_none_or(|rows| rows == 0), "{name}");
    }
}

#[test]
fn what_is_empty_goes_without_a_word() {
    for (name, overlay, words) in WAYS {
        let (directory, account) = way(name, overlay, false);
        let (code, said) = run(directory.path(), words);
        assert_eq!(code, 0, "{name}: {said}");
        let replaced = matches!(name, "replace" | "encryption");
        assert_eq!(images(&account), replaced.then_some(0), "{name}: {said}");
    }
}

#[test]
fn a_selection_never_prunes_what_was_not_selected() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let entity = |name: &str| format!("  {name}:\n    type: image-repository\n");
    let definition = format!("definition_version: 2\nentities:\n{}{}", entity("api_a"), entity("web"));
    fs::write(path("snowflake.yml"), &definition).unwrap();
    fs::write(path("snowform.yml"), "project: shop\n").unwrap();
    assert_eq!(run(directory.path(), &["deploy"]).0, 0);
    let (code, said) = run(directory.path(), &["deploy", "api_*", "--prune"]);
    assert_eq!(code, 64, "{said}");
    let (code, said) = run(directory.path(), &["plan", "api_*"]);
    assert_eq!((code, said.contains("left the definition")), (0, false), "{said}");
    let (code, said) = run(directory.path(), &["plan", "nothing_*"]);
    assert_eq!(code, 64, "{said}");
    fs::remove_file(path("snowform.yml")).unwrap();
    let (code, said) = run(directory.path(), &["deploy", "--prune"]);
    assert_eq!(code, 64, "{said}");
    let account = Account::open(&path(".snowform")).unwrap();
    assert_eq!(repositories(&account), 2);
}

#[test]
fn a_selection_says_nothing_of_what_is_to_be_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let definition = "definition_version: 2\nentities:\n  api:\n    type: image-repository\n";
    fs::write(path("snowflake.yml"), format!("{definition}  old:\n    type: image-repository\n")).unwrap();
    fs::write(path("snowform.yml"), "project: shop\n").unwrap();
    assert_eq!(run(directory.path(), &["deploy"]).0, 0);
    fs::write(path("snowflake.yml"), definition).unwrap();
    fs::write(path("snowform.yml"), "project: shop\nremoved: [old]\n").unwrap();
    for words in [&["plan", "api"][..], &["drift", "api", "--all"]] {
        let (_, said) = run(directory.path(), words);
        assert!(!said.contains("OLD") && said.contains("Nothing to change"), "{said}");
    }
    let (code, said) = run(directory.path(), &["deploy", "api"]);
    assert_eq!((code, said.contains("left the definition")), (0, false), "{said}");
    let (code, said) = run(directory.path(), &["deploy"]);
    assert_eq!((code, said.contains("dropped image repository LOCAL.PUBLIC.OLD")), (0, true), "{said}");
}

#[test]
fn protection_outlives_its_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let definition = "definition_version: 2\nentities:\n  kept:\n    type: image-repository\n";
    fs::write(path("snowflake.yml"), definition).unwrap();
    fs::write(path("snowform.yml"), "entities:\n  kept:\n    prevent_drop: true\n").unwrap();
    assert_eq!(run(directory.path(), &["deploy"]).0, 0);
    fs::remove_file(path("snowform.yml")).unwrap();
    for words in [&["destroy"][..], &["deploy", "--replace"], &["destroy", "--allow", "drops-images"]] {
        let (code, said) = run(directory.path(), words);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("is protected"), "{said}");
    }
    fs::write(path("snowform.yml"), "entities:\n  kept:\n    prevent_drop: false\n").unwrap();
    let (code, said) = run(directory.path(), &["destroy"]);
    assert_eq!((code, said.contains("is protected")), (1, true), "words in a file lift nothing: {said}");
    assert_eq!(run(directory.path(), &["deploy"]).0, 0);
    assert_eq!(run(directory.path(), &["destroy"]).0, 0);
}

#[test]
fn the_command_to_copy_means_the_same_repository() {
    let directory = tempfile::tempdir().unwrap();
    let definition = "definition_version: 2\nentities:\n  a:\n    type: image-repository\n";
    fs::write(directory.path().join("snowflake.yml"), definition).unwrap();
    let account = Account::open(&directory.path().join(".snowform")).unwrap();
    for sql in [
        "CREATE SCHEMA local.scratch",
        "CREATE IMAGE REPOSITORY local.scratch.a",
        "CREATE IMAGE REPOSITORY local.public.a",
    ] {
        account.execute(&mut Context::local(), sql).unwrap();
    }
    for schema in ["SCRATCH", "PUBLIC"] {
        let name = ObjectName::new(Ident::exact("LOCAL"), Ident::exact(schema), Ident::exact("A"));
        account.record_image(&name, "app", Some("1"), "sha256:aa").unwrap();
    }
    let (code, said) = run(directory.path(), &["destroy", "--schema", "scratch"]);
    assert_eq!(code, 3, "{said}");
    let command = said.lines().find(|line| line.contains("--allow")).unwrap().trim();
    let words: Vec<&str> = command.split(' ').skip(1).filter(|word| *word != "--local").collect();
    let (code, said) = run(directory.path(), &words);
    assert_eq!((code, repositories(&account)), (0, 1), "{command}: {said}");
    assert!(said.contains("LOCAL.SCRATCH.A"), "{said}");
}
