//! Saved plans with the real binary: shown without an account, carried out where nothing moved, refused where anything
//! did, and named what.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use snowform::local::{Account, Context};
use snowform::object::name::{Ident, ObjectName};
use std::fs;
use std::path::Path;
use std::process::Command;

struct Project {
    directory: tempfile::TempDir,
    account: Account,
}

impl Project {
    /// Three repositories are declared; `kept` is there, `changed` is there with another encryption, `new` is not.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let entity = |name: &str| format!("  {name}:\n    type: image-repository\n");
        let entities: String = ["kept", "changed", "new"].map(entity).concat();
        fs::write(
            directory.path().join("snowflake.yml"),
            format!("definition_version: 2\nentities:\n{entities}"),
        )
        .unwrap();
        let overlay =
            "entities:\n  changed:\n    encryption: SNOWFLAKE_SSE\n  kept:\n    comment: as declared\n";
        fs::write(directory.path().join("snowform.yml"), overlay).unwrap();
        let account = Account::open(&directory.path().join(".snowform")).unwrap();
        let project = Self { directory, account };
        project.sql("CREATE IMAGE REPOSITORY kept COMMENT = 'as declared'");
        project.sql("CREATE IMAGE REPOSITORY changed");
        let changed = ObjectName::new(Ident::exact("LOCAL"), Ident::exact("PUBLIC"), Ident::exact("CHANGED"));
        project.account.record_image(&changed, "app", Some("0"), "sha256:00").unwrap();
        project
    }

    fn sql(&self, text: &str) {
        self.account.execute(&mut Context::local(), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        self.run_in("", arguments)
    }

    /// Runs the program in a directory of the project.
    fn run_in(&self, directory: &str, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_snowform"));
        command.args(arguments).current_dir(self.path(directory)).env("NO_COLOR", "1");
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
    }

    fn save(&self) -> (i32, String) {
        self.run(&["plan", "--local", "--out", "plan.json"])
    }

    /// Carries the saved plan out.
    fn deploy(&self) -> (i32, String) {
        self.run(&["deploy", "--local", "--plan", "plan.json", "--allow", "drops-images"])
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.directory.path()).join(name)
    }
}

#[test]
fn a_saved_plan_is_shown_as_it_was_without_an_account() {
    let project = Project::new();
    let planned = project.save();
    fs::remove_dir_all(project.path(".snowform")).unwrap();
    fs::remove_file(project.path("snowflake.yml")).unwrap();
    assert_eq!(project.run(&["show", "plan.json"]), planned);
    let (code, json) = project.run(&["show", "plan.json", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &document["summary"]["replace"]), (0, &serde_json::json!(1)));
}

#[test]
fn what_was_reviewed_is_what_runs_and_only_once() {
    let project = Project::new();
    project.save();
    let (code, said) = project.run(&["deploy", "--local", "--plan", "plan.json"]);
    assert_eq!(code, 3, "hazards are asked for here too: {said}");
    let (code, said) = project.deploy();
    assert_eq!(code, 0, "{said}");
    let (code, said) = project.deploy();
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("NEW was created"), "{said}");
}

#[test]
fn whatever_moved_is_named() {
    let filled = ObjectName::new(Ident::exact("LOCAL"), Ident::exact("PUBLIC"), Ident::exact("CHANGED"));
    type Move<'a> = (&'a str, &'a dyn Fn(&Project));
    let moves: [Move<'_>; 5] = [
        ("comment was \"as declared\"", &|p| p.sql("ALTER IMAGE REPOSITORY kept SET COMMENT = 'else'")),
        ("KEPT was dropped", &|p| p.sql("DROP IMAGE REPOSITORY kept")),
        ("created_on", &|p| p.sql("CREATE OR REPLACE IMAGE REPOSITORY kept COMMENT = 'as declared'")),
        ("images of image repository LOCAL.PUBLIC.CHANGED", &|p| {
            p.account.record_image(&filled, "app", Some("1"), "sha256:aa").unwrap();
        }),
        ("snowflake.yml is not what it was", &|p| {
            fs::write(p.path("snowflake.yml"), "definition_version: 2\n").unwrap()
        }),
    ];
    for (named, happens) in moves {
        let project = Project::new();
        project.save();
        std::thread::sleep(std::time::Duration::from_millis(5));
        happens(&project);
        let (code, said) = project.deploy();
        assert_eq!(code, 5, "{named}: {said}");
        assert!(said.contains(named), "{named}: {said}");
        assert!(!said.contains("created image"), "{said}");
    }
}

#[test]
fn another_role_and_other_files_are_refused() {
    let project = Project::new();
    project.save();
    let (code, said) = project.run(&["deploy", "--local", "--plan", "plan.json", "--role", "ACCOUNTADMIN"]);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("ACCOUNTADMIN"), "{said}");
    let text = fs::read_to_string(project.path("plan.json")).unwrap();
    fs::write(project.path("plan.json"), text.replace("\"format_version\": 2", "\"format_version\": 99"))
        .unwrap();
    assert_eq!(project.deploy().0, 5);
    for wrong in ["", "{}", "not json", &text[..text.len() / 2]] {
        fs::write(project.path("plan.json"), wrong).unwrap();
        assert_eq!(project.deploy().0, 1, "{wrong}");
        assert_eq!(project.run(&["show", "plan.json"]).0, 1, "{wrong}");
    }
}

#[test]
fn drift_names_what_differs_and_changes_nothing() {
    let project = Project::new();
    let (code, said) = project.run(&["drift", "--local", "kept"]);
    assert_eq!(code, 0, "{said}");
    project.sql("ALTER IMAGE REPOSITORY kept SET COMMENT = 'else'");
    let before = project.run(&["drift", "--local"]);
    assert_eq!(before.0, 2, "{}", before.1);
    for named in ["KEPT", "CHANGED", "NEW"] {
        assert!(before.1.contains(named), "{}", before.1);
    }
    assert_eq!(project.run(&["drift", "--local"]), before);
}

/// A definition, deployed; then, behind its back, four things happen.
#[test]
fn drift_names_all_that_happened_behind_its_back() {
    let project = Project::new();
    let overlay = "removed: [doomed]\nentities:\n  kept:\n    comment: as declared\n  new:\n    grants:\n      - privilege: READ\n        role: reader\n";
    fs::write(project.path("snowform.yml"), overlay).unwrap();
    project.sql("CREATE IMAGE REPOSITORY doomed");
    let mut context = Context::local();
    for sql in ["USE ROLE ACCOUNTADMIN", "CREATE ROLE reader"] {
        project.account.execute(&mut context, sql).unwrap();
    }
    let (code, said) = project.run(&["deploy", "--local", "--allow", "widens-access"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(project.run(&["drift", "--local"]).0, 0);
    // The plan that was saved now still has something to do, so that it could be carried out.
    project.sql("CREATE IMAGE REPOSITORY doomed");
    assert_eq!(project.save().0, 0);

    project.sql("ALTER IMAGE REPOSITORY kept SET COMMENT = 'somebody else'");
    project.sql("REVOKE READ ON IMAGE REPOSITORY new FROM ROLE reader");
    project.sql("DROP IMAGE REPOSITORY changed");
    let doomed = ObjectName::new(Ident::exact("LOCAL"), Ident::exact("PUBLIC"), Ident::exact("DOOMED"));
    project.account.record_image(&doomed, "app", Some("1"), "sha256:ab").unwrap();

    let (code, said) = project.run(&["drift", "--local"]);
    assert_eq!(code, 2, "{said}");
    for named in [
        "comment: \"somebody else\" → \"as declared\"",
        "grant READ to ROLE READER",
        "+ image repository LOCAL.PUBLIC.CHANGED",
        "destroys 1 image (1 tag)",
    ] {
        assert!(said.contains(named), "{named}: {said}");
    }
    let (code, said) = project.run(&["deploy", "--local", "--plan", "plan.json", "--allow", "drops-images"]);
    assert_eq!(code, 5, "{said}");
    for moved in [
        "KEPT: comment was \"as declared\" and is \"somebody else\"",
        "NEW: its grants are others",
        "CHANGED was dropped",
        "images of image repository LOCAL.PUBLIC.DOOMED were pushed or removed",
    ] {
        assert!(said.contains(moved), "{moved}: {said}");
    }
}

#[test]
fn drift_lists_what_nobody_declares_only_when_asked() {
    let project = Project::new();
    project.sql("CREATE IMAGE REPOSITORY stranger COMMENT = '[snowform project=other]'");
    assert_eq!(project.run(&["deploy", "--local", "--allow", "drops-images"]).0, 0);
    let (code, said) = project.run(&["drift", "--local"]);
    assert_eq!((code, said.lines().count()), (0, 1), "{said}");
    let (code, said) = project.run(&["drift", "--local", "--all"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("not declared: image repository LOCAL.PUBLIC.STRANGER, owned by role SYSADMIN"),
        "{said}"
    );
    assert!(
        said.contains("of project other") && said.contains("as declared: image repository LOCAL.PUBLIC.KEPT")
    );
}

#[test]
fn a_snapshot_is_planned_from_as_the_account_would_be() {
    let project = Project::new();
    let planned = project.run(&["plan", "--local"]);
    assert_eq!(project.run(&["snapshot", "--local", "snapshot.json"]).0, 0);
    let text = fs::read_to_string(project.path("snapshot.json")).unwrap();
    fs::remove_dir_all(project.path(".snowform")).unwrap();
    let (code, said) = project.run(&["plan", "--snapshot", "snapshot.json", "-q"]);
    assert_eq!((code, &said), (0, &planned.1));
    // Something that was only beside the declared objects can be declared later.
    let definition = fs::read_to_string(project.path("snowflake.yml")).unwrap();
    fs::write(project.path("snowflake.yml"), definition + "    identifier: elsewhere.new\n").unwrap();
    let (code, said) = project.run(&["plan", "--snapshot", "snapshot.json"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the snapshot holds nothing of schema LOCAL.ELSEWHERE"), "{said}");
    for wrong in
        ["", "{}", &text[..text.len() / 2], &text.replace("snowform/snapshot", "snowform/saved-plan")]
    {
        fs::write(project.path("snapshot.json"), wrong).unwrap();
        assert_eq!(project.run(&["plan", "--snapshot", "snapshot.json"]).0, 1);
    }
}

#[test]
fn a_plan_is_undone_as_far_as_there_is_a_way_back() {
    let project = Project::new();
    let overlay = "removed: [doomed]\nentities:\n  kept:\n    comment: new words\n    grants:\n      - privilege: READ\n        role: reader\n";
    fs::write(project.path("snowform.yml"), overlay).unwrap();
    let mut context = Context::local();
    for sql in ["USE ROLE ACCOUNTADMIN", "CREATE ROLE reader", "CREATE ROLE other", "USE ROLE SYSADMIN"] {
        project.account.execute(&mut context, sql).unwrap();
    }
    project.sql("GRANT WRITE ON IMAGE REPOSITORY kept TO ROLE other");
    project.sql("CREATE IMAGE REPOSITORY doomed COMMENT = 'was here'");
    let repositories = || {
        let rows =
            project.account.execute(&mut Context::local(), "SHOW IMAGE REPOSITORIES IN ACCOUNT").unwrap();
        let cell = |row: &snowform::session::Row<'_>, name| row.get(name).unwrap_or("").to_owned();
        rows.iter().map(|row| (cell(&row, "name"), cell(&row, "comment"))).collect::<Vec<_>>()
    };
    let grants = || {
        let rows =
            project.account.execute(&mut Context::local(), "SHOW GRANTS ON IMAGE REPOSITORY kept").unwrap();
        rows.iter().map(|row| row.get("privilege").unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = (repositories(), grants());
    assert_eq!(project.save().0, 0);
    let allow = ["--allow", "widens-access"];
    let (code, said) = project.run(&[&["deploy", "--local", "--plan", "plan.json"][..], &allow].concat());
    assert_eq!(code, 0, "{said}");
    assert_ne!((repositories(), grants()), before);
    let (code, said) = project.run(&["undo", "plan.json", "--local"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("cannot be undone: image repository LOCAL.PUBLIC.DOOMED: it comes back empty"),
        "{said}"
    );
    assert_eq!((repositories(), grants()), before);
    let (code, said) = project.run(&["undo", "plan.json", "--local"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Nothing to change"), "{said}");
    // The account stands in the project's directory, wherever below it the command is given.
    fs::create_dir(project.path("below")).unwrap();
    let (code, said) = project.run_in("below", &["undo", "../plan.json", "--local"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Nothing to change") && !project.path("below/.snowform").exists(), "{said}");
    // What was pushed since is not lost by going back.
    assert_eq!(project.run(&[&["deploy", "--local"][..], &allow].concat()).0, 0);
    let new = ObjectName::new(Ident::exact("LOCAL"), Ident::exact("PUBLIC"), Ident::exact("NEW"));
    project.account.record_image(&new, "app", Some("1"), "sha256:ab").unwrap();
    let (code, said) = project.run(&["undo", "plan.json", "--local"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("snowform undo plan.json --local --allow drops-images"), "{said}");
}

/// Only what the plan did is undone, and only where it is still so.
#[test]
fn undoing_leaves_alone_what_others_did_since() {
    let project = Project::new();
    let overlay = "project: shop\nentities:\n  kept:\n    comment: by the plan\n    prevent_drop: true\n    grants:\n      - privilege: READ\n        role: reader\n";
    fs::write(project.path("snowform.yml"), overlay).unwrap();
    let mut context = Context::local();
    for sql in ["USE ROLE ACCOUNTADMIN", "CREATE ROLE reader", "CREATE ROLE later"] {
        project.account.execute(&mut context, sql).unwrap();
    }
    assert_eq!(project.save().0, 0);
    // Somebody else creates what this plan, which is never carried out, would create.
    project.sql("CREATE IMAGE REPOSITORY new COMMENT = 'theirs'");
    let (code, said) = project.run(&["undo", "plan.json", "--local"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("NEW: it is not as the plan made it, and stays"), "{said}");
    project.sql("DROP IMAGE REPOSITORY new");

    let allow = "widens-access,drops-images";
    let (code, said) = project.run(&["deploy", "--local", "--plan", "plan.json", "--allow", allow]);
    assert_eq!(code, 0, "{said}");
    project.sql("GRANT WRITE ON IMAGE REPOSITORY kept TO ROLE later");
    project.sql("ALTER IMAGE REPOSITORY changed SET COMMENT = 'newer words [snowform project=shop]'");
    let (code, said) = project.run(&["undo", "plan.json", "--local"]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("takes-over"), "{said}");
    assert!(said.contains("KEPT: its protection stays as it is"), "{said}");
    let rows =
        project.account.execute(&mut Context::local(), "SHOW GRANTS ON IMAGE REPOSITORY kept").unwrap();
    let grants: Vec<_> = rows.iter().map(|row| row.get("privilege").unwrap().to_owned()).collect();
    assert_eq!(grants, ["OWNERSHIP", "WRITE"], "{said}");
    let rows = project.account.execute(&mut Context::local(), "SHOW IMAGE REPOSITORIES IN ACCOUNT").unwrap();
    let comments: Vec<_> = rows.iter().map(|row| row.get("comment").unwrap().to_owned()).collect();
    assert_eq!(comments, ["newer words", "as declared [snowform prevent_drop]"], "{said}");
}

#[test]
fn a_plan_from_a_snapshot_is_carried_out_where_nothing_moved() {
    let project = Project::new();
    project.sql("GRANT READ ON IMAGE REPOSITORY kept TO ROLE public");
    assert_eq!(project.run(&["snapshot", "--local", "snapshot.json"]).0, 0);
    assert_eq!(project.run(&["plan", "--snapshot", "snapshot.json", "--out", "plan.json"]).0, 0);
    let (code, said) = project.deploy();
    assert_eq!(code, 0, "{said}");
    project.sql("ALTER IMAGE REPOSITORY kept SET COMMENT = 'else'");
    assert_eq!(project.deploy().0, 5);
}

#[test]
fn what_must_hold_images_is_created_without_them() {
    let project = Project::new();
    fs::write(project.path("snowform.yml"), "entities:\n  new:\n    require_images: ['app:1']\n").unwrap();
    let (code, said) = project.run(&["deploy", "--local"]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = project.run(&["deploy", "--local"]);
    assert_eq!((code, said.contains("must hold image app:1")), (1, true), "{said}");
}
