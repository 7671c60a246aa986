//! What is imported is at once as declared: the real binary, on an account with odd names and texts.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use snowform::local::{Account, Context};
use std::path::Path;
use std::process::Command;

fn run(project: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_snowform"))
        .args(arguments)
        .arg("--local")
        .current_dir(project)
        .output();
    let output = output.unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn a_plan_of_what_was_imported_is_empty() {
    for (from, number) in [("schema", 4), ("database", 5), ("account", 6)] {
        let directory = tempfile::tempdir().unwrap();
        let account = Account::open(&directory.path().join(".snowform")).unwrap();
        let mut context = Context::local();
        for statement in [
            "CREATE SCHEMA local.other",
            "CREATE DATABASE second",
            "CREATE IMAGE REPOSITORY local.public.plain",
            "CREATE IMAGE REPOSITORY local.public.commented COMMENT = 'it''s: \"odd\" # \\\\ text'",
            "CREATE IMAGE REPOSITORY local.public.\"TRUE\" ENCRYPTION = (TYPE = 'SNOWFLAKE_SSE')",
            "CREATE IMAGE REPOSITORY local.public._A$B COMMENT = 'a <% b'",
            "CREATE IMAGE REPOSITORY local.other.plain",
            "CREATE IMAGE REPOSITORY second.public.plain",
        ] {
            account.execute(&mut context, statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
        let (code, said) = run(directory.path(), &["import", "--from", from]);
        assert_eq!((code, said.contains(&format!("{number} entities"))), (0, true), "{from}: {said}");
        let (code, said) = run(directory.path(), &["plan", "--detailed-exitcode", "-q"]);
        assert_eq!(code, 0, "{from}: {said}");
        let (code, said) = run(directory.path(), &["import"]);
        assert_eq!(code, 1, "a file that is there is not replaced: {said}");
    }
}
