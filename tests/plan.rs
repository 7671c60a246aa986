//! Plans as data: `tests/cases/plan/NAME/` holds a definition, `live.sql` with what the account holds before, and
//! `expected.txt`, the plan as a person reads it. A case whose name starts with `destroy` or `replace` plans that.
//!
//! Whatever a case was written for, it also asserts: the same inputs in another order give the same bytes; the JSON
//! plan agrees with its schema; carrying the plan out succeeds, and a plan after that is empty. A line
//! `-- image DB.SCHEMA.REPO NAME TAG DIGEST` in `live.sql` puts an image there. With `SNOWFORM_BLESS=1` the expectations
//! are written anew.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

#[path = "support/project.rs"]
mod project;

use snowform::desired::Desired;
use snowform::local::Account;
use snowform::local::session::{LocalSession, Options};
use snowform::object::name::PartialName;
use snowform::plan::Goal;
use snowform::session::Session;
use snowform::view;
use std::fs;
use std::path::{Path, PathBuf};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/plan");
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn account(case: &Path) -> Account {
    let account = Account::in_memory().unwrap();
    let script = fs::read_to_string(case.join("live.sql")).unwrap_or_default();
    let mut context = snowform::local::Context::local();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(image) = line.strip_prefix("-- image ") {
            let words: Vec<&str> = image.split_whitespace().collect();
            let name = PartialName::parse(words[0]).unwrap();
            let name = snowform::object::name::ObjectName::new(
                name.database.unwrap(),
                name.schema.unwrap(),
                name.name,
            );
            account.record_image(&name, words[1], Some(words[2]), words[3]).unwrap();
        } else if !line.starts_with("--") {
            account.execute(&mut context, line).unwrap_or_else(|error| panic!("{line}: {error:?}"));
        }
    }
    account
}

struct Case {
    goal: Goal,
    checked: project::Checked,
    desired: Desired,
    reversed: Desired,
}

fn read(case: &Path, session: &dyn Session) -> Case {
    let text = |name: &str| fs::read_to_string(case.join(name)).ok();
    let overlay = text("snowform.yml");
    let mut checked = project::check(&text("snowflake.yml").unwrap(), overlay.as_deref());
    let desired = project::desired(&checked.project, session.identity());
    checked.project.entities.reverse();
    let mut reversed = project::desired(&checked.project, session.identity());
    reversed.not_managed.reverse();
    reversed.without_effect.reverse();
    let name = case.file_name().unwrap().to_str().unwrap();
    let goal = match name {
        _ if name.starts_with("destroy") => Goal::Destroy,
        _ if name.starts_with("replace") => Goal::Replace,
        _ => Goal::Deploy,
    };
    Case { goal, checked, desired, reversed }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

async fn run(path: &Path) -> Result<(), String> {
    let session = LocalSession::new(account(path), Options::default()).unwrap();
    let case = read(path, &session);
    let first = project::plan(case.goal, &case.desired, &session).await.unwrap();
    let text = plain(&view::plan::text(&first, &case.checked.files));
    let document = serde_json::to_value(view::json::plan(&first, None, &case.checked.files)).unwrap();

    let reversed = project::plan(case.goal, &case.reversed, &session).await.unwrap();
    assert_eq!(text, plain(&view::plan::text(&reversed, &case.checked.files)), "the order of entities shows");

    let schema = serde_json::to_value(snowform::schema::plan()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mistakes: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(mistakes, Vec::<String>::new(), "the JSON does not agree with its schema");

    if first.problems.is_empty() {
        let outcome = project::carry_out(&first, &session).await;
        assert!(outcome.is_complete(), "{outcome:?}");
        let goal = if case.goal == Goal::Replace { Goal::Deploy } else { case.goal };
        let second = project::plan(goal, &case.desired, &session).await.unwrap();
        assert!(
            !second.has_changes(),
            "after the deploy: {}",
            view::plan::text(&second, &case.checked.files)
        );
    }

    let expected = path.join("expected.txt");
    if fs::read_to_string(&expected).unwrap_or_default() == text {
        return Ok(());
    }
    if std::env::var_os("SNOWFORM_BLESS").is_some() {
        fs::write(&expected, &text).unwrap();
    }
    Err(format!("{}\n{text}", path.display()))
}

#[tokio::test]
async fn plans_are_as_expected_and_lead_where_they_say() {
    let mut wrong = Vec::new();
    for case in cases() {
        if let Err(why) = run(&case).await {
            wrong.push(why);
        }
    }
    assert!(wrong.is_empty(), "these differ; this is the plan:\n\n{}", wrong.join("\n\n"));
}
