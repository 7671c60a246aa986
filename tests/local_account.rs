//! The embedded account as a whole: scripts of statements, several writers, crashes, damaged files.
#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as the tests do")]

use snowform::host::{environment, files};
use snowform::local::{Account, Context, LocalError, Summary};
use snowform::object::name::{Ident, ObjectName, PartialName};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One statement of a case and what must come of it.
#[derive(Default)]
struct Step {
    line: usize,
    sql: String,
    image: Option<Vec<String>>,
    rows: Vec<String>,
    failure: Option<String>,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(expected) = line.strip_prefix("--> ") {
            steps.last_mut().expect("a statement comes first").rows.push(expected.to_owned());
        } else if let Some(expected) = line.strip_prefix("--! ") {
            let step = steps.last_mut().expect("a statement comes first");
            step.failure = Some(expected.replace("\\n", "\n"));
        } else if let Some(image) = line.strip_prefix("--@ image ") {
            let image = Some(image.split(' ').map(str::to_owned).collect());
            steps.push(Step { line: index + 1, image, ..Step::default() });
        } else if !open && (line.starts_with("--") || line.trim().is_empty()) {
            continue;
        } else {
            if !open {
                steps.push(Step { line: index + 1, ..Step::default() });
            }
            let step = steps.last_mut().expect("one was pushed");
            if open {
                step.sql.push('\n');
            }
            step.sql.push_str(line);
            open = !line.ends_with(';');
        }
    }
    assert!(!open, "the last statement has no semicolon");
    steps
}

/// What came of a step, where it is not what was expected.
fn run(account: &Account, context: &mut Context, step: &Step) -> Result<(), String> {
    if let Some(image) = &step.image {
        let [name, image, tag, digest] = &image[..] else { return Err("four words are wanted".into()) };
        let name = PartialName::parse(name).map_err(|error| error.to_string())?;
        let (database, schema) = (name.database.expect("a full name"), name.schema.expect("a full name"));
        let name = ObjectName::new(database, schema, name.name);
        return account.record_image(&name, image, Some(tag), digest).map_err(|error| error.to_string());
    }
    let answer = account.execute(context, &step.sql);
    if let Some(expected) = &step.failure {
        let failure = answer.err().map_or("it succeeded".to_owned(), |failure| failure.to_string());
        return if failure == *expected { Ok(()) } else { Err(failure) };
    }
    let rows = answer.map_err(|failure| failure.to_string())?;
    let Some((header, expected)) = step.rows.split_first() else { return Ok(()) };
    let columns: Vec<_> = header.split(" | ").map(str::trim).collect();
    let found: Vec<Vec<_>> = rows
        .iter()
        .map(|row| columns.iter().map(|name| row.get(name).unwrap_or("NULL").to_owned()).collect())
        .collect();
    let missing = columns.iter().find(|name| !rows.columns.iter().any(|column| column.name == **name));
    if let Some(missing) = missing {
        return Err(format!("there is no column {missing}"));
    }
    let expected: Vec<Vec<_>> =
        expected.iter().map(|row| row.split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect();
    let same = found.len() == expected.len()
        && found.iter().zip(&expected).all(|(found, expected)| {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, expected)| expected == "*" || found == expected)
        });
    if same { Ok(()) } else { Err(format!("{found:#?}")) }
}

#[test]
fn every_case_comes_out_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/local");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 10, "the cases are not where they should be");
    let mut wrong = Vec::new();
    for case in cases {
        let account = Account::in_memory().unwrap();
        let mut context = Context::local();
        for step in steps(&files::read_to_string(&case).unwrap()) {
            if let Err(found) = run(&account, &mut context, &step) {
                let name = case.file_name().unwrap().display();
                wrong.push(format!("{name}:{}: {}\n  {found}", step.line, step.sql));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn create(account: &Account, name: &str) -> Result<(), String> {
    let sql = format!("create image repository local.public.{name}");
    account.execute(&mut Context::local(), &sql).map(drop).map_err(|failure| failure.to_string())
}

fn repositories(account: &Account) -> u64 {
    account.summary().unwrap().image_repositories
}

#[test]
fn threads_share_one_account() {
    let dir = tempfile::tempdir().unwrap();
    let account = Account::open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let account = account.clone();
            scope.spawn(move || (0..25).for_each(|n| create(&account, &format!("w{writer}_{n}")).unwrap()));
        }
    });
    assert_eq!(repositories(&account), 200);
}

#[test]
fn of_several_that_create_the_same_name_one_succeeds() {
    let dir = tempfile::tempdir().unwrap();
    let results: Vec<_> = std::thread::scope(|scope| {
        // Each opens the account for itself, and the first of them makes it, as processes would.
        let writers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| create(&Account::open(dir.path()).unwrap(), "same"))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    let taken = results.iter().filter(|result| result.as_ref().is_err_and(|e| e.starts_with("002002")));
    assert_eq!(taken.count(), 7, "{results:?}");
}

/// The variable by which the process below knows that it is one of several writers.
const WRITER: &str = "SNOWFORM_TEST_WRITER";

/// Not a test by itself: what the two tests below run in processes of their own.
#[test]
fn writer_process() {
    let variables = environment::variables();
    let Some((dir, name)) = variables.get(WRITER).and_then(|value| value.split_once('|')) else { return };
    let account = Account::open(Path::new(dir)).unwrap();
    for n in 0..1_000_000 {
        if name.starts_with("finite") && n == 40 {
            return;
        }
        create(&account, &format!("{name}_{n}")).unwrap();
    }
}

fn start_writer(dir: &Path, name: &str) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer_process", "--nocapture"])
        .env(WRITER, format!("{}|{name}", dir.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn processes_write_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let writers: Vec<_> = (0..4).map(|n| start_writer(dir.path(), &format!("finite{n}"))).collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    assert_eq!(repositories(&Account::open(dir.path()).unwrap()), 160);
}

#[test]
fn a_killed_writer_leaves_a_sound_account_with_all_it_had_answered() {
    let dir = tempfile::tempdir().unwrap();
    let account = Account::open(dir.path()).unwrap();
    let mut writer = start_writer(dir.path(), "killed");
    let deadline = Instant::now() + Duration::from_secs(60);
    while repositories(&account) < 20 {
        assert!(Instant::now() < deadline, "the writer writes nothing");
        std::thread::sleep(Duration::from_millis(2));
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    drop(account);
    let account = Account::open(dir.path()).unwrap();
    let count = repositories(&account);
    assert!(count >= 20);
    // No hole: the statements before the last one were all kept.
    for n in 0..count {
        assert!(create(&account, &format!("killed_{n}")).is_err_and(|error| error.starts_with("002002")));
    }
    create(&account, "after").unwrap();
}

#[test]
fn an_account_is_kept_and_a_reset_forgets_it() {
    let dir = tempfile::tempdir().unwrap();
    let account = Account::open(dir.path()).unwrap();
    create(&account, "kept").unwrap();
    drop(account);
    let account = Account::open(dir.path()).unwrap();
    let one = Summary { databases: 1, schemas: 1, image_repositories: 1, images: 0, roles: 5, users: 1 };
    assert_eq!(account.summary().unwrap(), one);
    assert_eq!(files::read_to_string(&dir.path().join(".gitignore")).unwrap(), "*\n");
    assert_eq!(files::mode(&dir.path().join("account.db")).unwrap_or(0o600), 0o600);
    drop(account);
    Account::reset(dir.path()).unwrap();
    Account::reset(dir.path()).unwrap();
    assert_eq!(repositories(&Account::open(dir.path()).unwrap()), 0);
}

#[test]
fn a_damaged_file_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    files::write_private(&dir.path().join("account.db"), &[b'x'; 8192]).unwrap();
    let error = Account::open(dir.path()).unwrap_err();
    assert!(matches!(error, LocalError::Corrupt { .. }), "{error}");
    assert!(error.help().contains("snowform local reset"));
    Account::reset(dir.path()).unwrap();
    assert!(Account::open(dir.path()).is_ok());
}

#[test]
fn a_newer_format_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    drop(Account::open(dir.path()).unwrap());
    let connection = rusqlite::Connection::open(dir.path().join("account.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let error = Account::open(dir.path()).unwrap_err();
    assert!(matches!(error, LocalError::Newer { found: 99, .. }), "{error}");
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn show_answers_at_most_ten_thousand_rows_and_pages_reach_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    drop(Account::open(dir.path()).unwrap());
    let connection = rusqlite::Connection::open(dir.path().join("account.db")).unwrap();
    connection
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 12344)
             INSERT INTO image_repository (schema, name, owner, comment, encryption, created_on)
             SELECT s.id, printf('R%05d', i), s.owner, '', 'SNOWFLAKE_FULL', 0
             FROM n, schema s WHERE s.name = 'PUBLIC'",
        )
        .unwrap();
    let account = Account::open(dir.path()).unwrap();
    let mut context = Context::local();
    let all = account.execute(&mut context, "show image repositories").unwrap();
    assert_eq!(all.rows.len(), 10_000);
    let page = |context: &mut Context, from: &str| {
        let sql = format!("show image repositories in schema limit 10000 from '{from}'");
        let rows = account.execute(context, &sql).unwrap();
        rows.iter().map(|row| row.get("name").unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = page(&mut context, "");
    let second = page(&mut context, first.last().unwrap());
    assert_eq!((first.len(), second.len()), (10_000, 2_345));
    assert_eq!((first[0].as_str(), second[2_344].as_str()), ("R00000", "R12344"));
}

#[test]
fn a_refused_statement_changes_nothing() {
    let account = Account::in_memory().unwrap();
    let mut context = Context::local();
    let before = context.clone();
    let sql = "create image repository r tag (t = 'x', nowhere.u = 'y')";
    account.execute(&mut context, sql).unwrap();
    // The first grant would be possible, the role is not: nothing of the statement stays.
    assert!(account.execute(&mut context, "grant read on image repository r to role nobody").is_err());
    let grants = account.execute(&mut context, "show grants on image repository r").unwrap();
    assert_eq!(grants.rows.len(), 1, "ownership alone");
    assert!(account.execute(&mut context, "use schema nowhere.public").is_err());
    assert_eq!(context, before);
}

#[test]
fn passwords_are_checked_and_only_known_users_have_them() {
    let account = Account::in_memory().unwrap();
    let (local, nobody) = (Ident::exact("LOCAL"), Ident::exact("NOBODY"));
    assert!(!account.has_password(&local).unwrap());
    assert!(!account.verify_password(&local, "").unwrap());
    account.set_password(&local, "open sesame").unwrap();
    assert!(account.has_password(&local).unwrap());
    assert!(account.verify_password(&local, "open sesame").unwrap());
    assert!(!account.verify_password(&local, "Open sesame").unwrap());
    assert!(!account.verify_password(&nobody, "open sesame").unwrap());
    assert!(matches!(account.set_password(&nobody, "x"), Err(LocalError::Missing { .. })));
}
