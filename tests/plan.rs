//! Plans as data: `tests/cases/plan/NAME/` holds a definition, `live.sql` with what the account holds before, and
//! `expected.txt`, the plan as a person reads it. A case whose name starts with `destroy` or `replace` plans that. A file
//! `options` holds more words: `prune`, `create-schemas`, `privileges` to ask what the role may do, `role=NAME` for the role that plans, and `fails` where the account does not carry the plan
//! out: then `outcome.txt` is what the deploy says, and nothing may have changed.
//!
//! Whatever a case was written for, it also asserts: the plan is sound; the same inputs in another order give the same
//! bytes; the saved plan is the same plan; the JSON plan agrees with its schema; reading changes nothing; carrying the
//! plan out succeeds, and a plan after that is empty. A line
//! `-- image DB.SCHEMA.REPO NAME TAG DIGEST` in `live.sql` puts an image there. With `SNOWFORM_BLESS=1` the expectations
//! are written anew.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

#[path = "support/project.rs"]
mod project;

use snowform::desired::Desired;
use snowform::local::Account;
use snowform::local::session::{LocalSession, Options};
use snowform::object::name::{Ident, PartialName};
use snowform::plan::file::{self, Saved};
use snowform::plan::{Goal, Intent};
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
    intent: Intent,
    fails: bool,
    privileges: bool,
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
    let options = words(case);
    let has = |option: &str| options.iter().any(|word| word == option);
    let intent = Intent { goal, prune: has("prune"), create_schemas: has("create-schemas") };
    Case { intent, fails: has("fails"), privileges: has("privileges"), checked, desired, reversed }
}

fn words(case: &Path) -> Vec<String> {
    let options = fs::read_to_string(case.join("options")).unwrap_or_default();
    options.split_whitespace().map(ToOwned::to_owned).collect()
}

/// Everything that the account holds, as far as anybody can see it.
fn dump(account: &Account) -> Vec<String> {
    let mut context = snowform::local::Context::local();
    account.execute(&mut context, "USE ROLE ACCOUNTADMIN").unwrap();
    let shows =
        ["SHOW DATABASES", "SHOW SCHEMAS IN ACCOUNT", "SHOW ROLES", "SHOW IMAGE REPOSITORIES IN ACCOUNT"];
    shows.map(|show| format!("{:?}", account.execute(&mut context, show).unwrap().rows)).into()
}

/// Without styles, without the day on which the test runs, and without the ids that a run has.
fn plain(text: &str) -> String {
    let text = anstream::adapter::strip_str(text).to_string();
    let line = |line: &str| match line.split_once("query id ") {
        Some((indent, _)) => format!("{indent}query id ID\n"),
        None => line.to_owned(),
    };
    let text: String = text.split_inclusive('\n').map(line).collect();
    let mut parts = text.split("  pushed ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, rest| format!("{text}  pushed DAY{}", &rest["2026-01-31".len()..]))
}

async fn run(path: &Path) -> Result<(), String> {
    let account = account(path);
    let role = words(path).iter().find_map(|word| word.strip_prefix("role=").map(Ident::exact));
    let options = Options { role, ..Options::default() };
    let session = LocalSession::new(account.clone(), options).unwrap();
    let case = read(path, &session);
    let before = dump(&account);
    let first = project::plan(case.intent, &case.desired, case.privileges, &session).await.unwrap();
    assert_eq!(dump(&account), before, "planning changed something");
    let text = plain(&view::plan::text(&first, &case.checked.files));
    let document = serde_json::to_value(view::json::plan(&first, None, &case.checked.files)).unwrap();

    let live = project::live(case.intent, &case.desired, case.privileges, &session).await.unwrap();
    let (target, files) = (project::target(&session), case.checked.files.clone());
    let saved = Saved { intent: case.intent, target, files, desired: case.desired, live };
    let again = file::read(&file::write(&saved)).unwrap();
    assert_eq!(file::write(&again), file::write(&saved), "a saved plan is not what was saved");
    assert_eq!(text, plain(&view::plan::text(&again.plan(), &again.files)), "a saved plan is another plan");
    let desired = saved.desired;

    let reversed = project::plan(case.intent, &case.reversed, case.privileges, &session).await.unwrap();
    assert_eq!(text, plain(&view::plan::text(&reversed, &case.checked.files)), "the order of entities shows");

    let schema = serde_json::to_value(snowform::schema::plan()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mistakes: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(mistakes, Vec::<String>::new(), "the JSON does not agree with its schema");

    let (deployable, fails) = (first.problems.is_empty(), case.fails);
    if deployable {
        let outcome = project::carry_out(&first, &session).await;
        assert_eq!(outcome.is_complete(), !case.fails, "{outcome:?}");
        if case.fails {
            assert_eq!(dump(&account), before, "a deploy that failed changed something");
            expect(path, "outcome.txt", &plain(&view::outcome::text(&first, &outcome)))?;
        }
    }
    if deployable && !fails {
        let second = project::plan(case.intent.settled(), &desired, case.privileges, &session).await.unwrap();
        assert!(
            !second.has_changes(),
            "after the deploy: {}",
            view::plan::text(&second, &case.checked.files)
        );
    }

    expect(path, "expected.txt", &text)
}

fn expect(path: &Path, name: &str, text: &str) -> Result<(), String> {
    let expected = path.join(name);
    if fs::read_to_string(&expected).unwrap_or_default() == text {
        return Ok(());
    }
    if std::env::var_os("SNOWFORM_BLESS").is_some() {
        fs::write(&expected, text).unwrap();
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
