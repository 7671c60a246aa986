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
