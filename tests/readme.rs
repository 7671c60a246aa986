//! What the README's first screen claims is what the program does.

use snowform::local::{Account, Context};
use std::fs;
use std::path::Path;
use std::process::Command;

fn block<'a>(readme: &'a str, start: &str) -> &'a str {
    readme.split(start).nth(1).and_then(|rest| rest.split("\n```").next()).expect("the README has that block")
}

#[test]
fn the_first_plan_is_true() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let diff = block(&readme, "```diff\n");
    let after: String = diff.lines().map(|line| format!("{}\n", line.get(1..).unwrap_or(""))).collect();
    assert_eq!(diff.lines().filter(|line| line.starts_with('+')).count(), 5, "a five-line change");

    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join("snowflake.yml"), after).unwrap();
    let account = Account::open(&project.path().join(".snowform")).unwrap();
    account.execute(&mut Context::local(), "CREATE IMAGE REPOSITORY service_images").unwrap();

    let shown = block(&readme, "```text\n$ snowform plan --local\n");
    let ran = Command::new(env!("CARGO_BIN_EXE_snowform"))
        .args(["plan", "--local"])
        .current_dir(project.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(ran.stdout).unwrap().trim_end(), shown);
}

#[test]
fn the_exit_codes_are_those_of_the_program() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let listed: Vec<String> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse::<u8>().ok())
        .map(|code| code.to_string())
        .collect();
    let known: Vec<String> =
        snowform::cli::error::Exit::ALL.iter().map(|(exit, _)| (*exit as u8).to_string()).collect();
    assert_eq!(listed, known);
}

#[test]
fn every_example_deploys_and_then_has_nothing_to_do() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for example in fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()) {
        if !example.join("snowflake.yml").exists() {
            continue;
        }
        seen += 1;
        let project = tempfile::tempdir().unwrap();
        for file in
            fs::read_dir(&example).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
        {
            fs::copy(&file, project.path().join(file.file_name().unwrap())).unwrap();
        }
        let run = |arguments: &[&str]| {
            let ran = Command::new(env!("CARGO_BIN_EXE_snowform"))
                .args(arguments)
                .current_dir(project.path())
                .output()
                .unwrap();
            (
                ran.status.code(),
                String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap(),
            )
        };
        assert_eq!(run(&["deploy", "--local"]).0, Some(0), "{}", example.display());
        let again = run(&["plan", "--local", "--detailed-exitcode"]);
        assert_eq!(again.0, Some(0), "{}: {}", example.display(), again.1);
    }
    assert!(seen >= 2);
}

#[test]
fn the_example_definition_is_valid() {
    let project = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("snowflake.yml.example");
    fs::copy(example, project.path().join("snowflake.yml")).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_snowform"))
        .args(["validate", "--strict"])
        .current_dir(project.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}
