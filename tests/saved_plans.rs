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
        let mut command = Command::new(env!("CARGO_BIN_EXE_snowform"));
        command.args(arguments).current_dir(self.directory.path()).env("NO_COLOR", "1");
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
