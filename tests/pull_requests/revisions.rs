//! The plan without an account: between two revisions of the files.

use crate::project::Project;
use serde_json::Value;

const HEAD: &str = "definition_version: 2\nentities:\n";

fn entity(key: &str, identifier: &str) -> String {
    format!("  {key}:\n    type: image-repository\n    identifier: {identifier}\n")
}

#[test]
fn what_a_revision_declares_stands_in_the_place_of_the_account() {
    let project = Project::new();
    project.write(
        "snowflake.yml",
        &(HEAD.to_owned() + &entity("kept", "db.s.kept") + &entity("gone", "db.s.gone")),
    );
    project.commit();
    project.write(
        "snowflake.yml",
        &(HEAD.to_owned() + &entity("kept", "db.s.kept") + &entity("new", "db.s.new")),
    );
    let ran = project.run(&["plan", "--against", "main", "--detailed-exitcode"], &[]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    for told in [
        "+ image repository DB.S.NEW",
        "DB.S.GONE is not declared any more, and stays",
        "main:snowflake.yml:6",
        "1 to create, 1 unchanged from main (",
        "the account was not asked",
    ] {
        assert!(ran.stdout.contains(told), "{told} is missing in\n{}", ran.stdout);
    }
    for format in ["markdown", "html", "sql"] {
        let shown = project.run(&["plan", "--against", "HEAD", "--format", format], &[]).stdout;
        assert!(shown.to_lowercase().contains("the account was not asked"), "{format}: {shown}");
        assert!(!shown.contains("EXECUTE IMMEDIATE"), "there is no account to guard");
    }
}

#[test]
fn two_revisions_are_compared_without_the_files_of_today() {
    let project = Project::new();
    project.write("snowflake.yml", &(HEAD.to_owned() + &entity("a", "db.s.a")));
    let first = project.commit();
    project.write("snowflake.yml", &(HEAD.to_owned() + &entity("a", "db.s.a") + &entity("b", "db.s.b")));
    let second = project.commit();
    project.write("snowflake.yml", "no definition");
    let ran = project.run(&["plan", "--against", &format!("{first}..{second}"), "--format", "json"], &[]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["summary"]["create"], 1, "{}", ran.stdout);
    assert_eq!(document["target"]["between"]["base"], first[..12]);
}

#[test]
fn names_that_only_a_connection_completes_stay_open() {
    let project = Project::new();
    project.commit();
    let more = HEAD.to_owned() + &entity("first", "first") + &entity("second", "core.second");
    project.write("snowflake.yml", &more);
    let ran = project.run(&["plan", "--against", "main"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("\"<database>\".CORE.SECOND") && ran.stdout.contains("1 unchanged"),
        "{}",
        ran.stdout
    );
    let told = project.run(&["plan", "--against", "main", "--database", "prod"], &[]);
    assert!(told.stdout.contains("PROD.CORE.SECOND"), "{}", told.stdout);
    let known = [
        ("SNOWFLAKE_DATABASE", "from_env"),
        ("SNOWFLAKE_ACCOUNT", "a"),
        ("SNOWFLAKE_USER", "u"),
        ("SNOWFLAKE_PASSWORD", "never-sent"),
    ];
    let known = project.run(&["plan", "--against", "main", "-x"], &known);
    assert!(known.stdout.contains("FROM_ENV.CORE.SECOND"), "{}{}", known.stdout, known.stderr);
}

#[test]
fn a_plan_of_two_revisions_is_shown_and_never_deployed() {
    let project = Project::new();
    project.commit();
    project.write("snowflake.yml", &(HEAD.to_owned() + &entity("other", "other")));
    let planned = project.run(&["plan", "--against", "main", "--out", "plan.json"], &[]);
    assert_eq!(project.run(&["show", "plan.json"], &[]).stdout, planned.stdout);
    let refused = project.run(&["deploy", "--local", "--plan", "plan.json"], &[]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(refused.stderr.contains("without an account"), "{}", refused.stderr);
}

#[test]
fn what_cannot_be_compared_is_said_with_a_way_out() {
    let project = Project::new();
    let outside = project.run(&["plan", "--against", "main"], &[]);
    assert!(
        outside.code == 1 && outside.stderr.contains("error: git finds no revision"),
        "{}",
        outside.stderr
    );
    project.commit();
    let unknown = project.run(&["plan", "--against", "nowhere"], &[]);
    assert!(unknown.stderr.contains("git fetch --depth=1 origin nowhere"), "{}", unknown.stderr);
    for odd in ["", "..main", "main..", "a...b"] {
        assert_eq!(project.run(&["plan", "--against", odd], &[]).code, 64, "{odd}");
    }
    // A revision is never an option of git.
    let option = project.run(&["plan", "--against=--output=owned"], &[]);
    assert!(option.code == 1 && project.read("owned").is_empty(), "{}", option.stderr);
    project.write("snowflake.yml", "definition_version: 9\n");
    project.commit();
    project.write("snowflake.yml", &(HEAD.to_owned() + &entity("a", "db.s.a")));
    let broken = project.run(&["plan", "--against", "main"], &[]);
    assert_eq!(broken.code, 1);
    assert!(
        broken.stderr.contains("main:snowflake.yml:1") && broken.stderr.contains("at main ("),
        "{}",
        broken.stderr
    );
}

#[test]
fn only_what_changed_since_a_revision_is_deployed() {
    let project = Project::new();
    let text = |also: &str| {
        HEAD.to_owned()
            + &entity("same", "same")
            + &entity("moved", "moved")
            + &entity("described", "described")
            + also
    };
    project.write("snowflake.yml", &(text("") + &entity("gone", "gone")));
    project.write("snowform.yml", "entities:\n  described:\n    comment: before\n");
    project.commit();
    // A comment in the file and another order are no change of an entity.
    let later = HEAD.to_owned()
        + "  # words\n"
        + &entity("described", "described")
        + &entity("same", "SAME")
        + &entity("moved", "moved_away")
        + &entity("new", "new");
    project.write("snowflake.yml", &later);
    project.write("snowform.yml", "entities:\n  described:\n    comment: after\n");
    let ran = project.run(&["plan", "--local", "--changed-since", "main", "--format", "json"], &[]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let entities: Vec<&str> =
        document["changes"].as_array().unwrap().iter().map(|c| c["entity"].as_str().unwrap()).collect();
    assert_eq!(entities, ["described", "moved", "new"], "{}", ran.stdout);
    assert!(ran.stderr.contains("entity gone left the definition since main"), "{}", ran.stderr);
    let some = project.run(&["deploy", "--local", "m*", "--changed-since", "main"], &[]);
    assert_eq!((some.code, some.stdout.contains("Done: 1 created.")), (0, true), "{}", some.stdout);
    project.commit();
    let none = project.run(&["plan", "--local", "--changed-since", "main"], &[]);
    assert_eq!((none.code, none.stdout.contains("Nothing to change: 0")), (0, true), "{}", none.stdout);
    for words in [
        ["--changed-since", "nowhere"],
        ["--changed-since", "--output=x"],
        ["--prune", "--changed-since=main"],
    ] {
        let refused = project.run(&[&["plan", "--local"][..], &words].concat(), &[]);
        assert!(matches!(refused.code, 1 | 64), "{words:?}: {}", refused.stdout);
    }
}
