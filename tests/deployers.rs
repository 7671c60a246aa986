//! Several deployers of one account: at the same time, with less than full sight, with another target in mind; and
//! services that run what would go.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

#[path = "support/project.rs"]
mod project;
#[path = "support/proxy.rs"]
#[expect(dead_code, reason = "nothing goes wrong on the way here; it only takes its time")]
mod proxy;
#[path = "support/scripted.rs"]
#[expect(dead_code, reason = "only its reading of requests is needed here")]
mod scripted;

use snowform::deploy::Progress;
use snowform::local::server::{ServerConfig, serve};
use snowform::local::session::{LocalSession, Options};
use snowform::local::{Account, Context};
use snowform::object::name::{Ident, ObjectName};
use snowform::object::statement::{HazardKind, Operation, Sql};
use snowform::plan::{Goal, Intent};
use snowform::session::{Answer, Column, Identity, Performed, Rows, Session};
use snowform::view;
use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn snowform(directory: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snowform"));
    command.args(words).current_dir(directory).env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(child: Child) -> (i32, String) {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout) + &text(output.stderr))
}

fn run(directory: &Path, words: &[&str]) -> (i32, String) {
    ended(snowform(directory, words).spawn().unwrap())
}

/// A definition of two repositories, with a comment each.
fn write_project(directory: &Path, comment: &str, also: &str) {
    let entity = |name: &str| format!("  {name}:\n    type: image-repository\n");
    let definition = format!("definition_version: 2\nentities:\n{}{}", entity("shared"), entity(also));
    fs::write(directory.join("snowflake.yml"), definition).unwrap();
    let overlay =
        format!("entities:\n  shared:\n    comment: {comment}\n  {also}:\n    comment: {comment}\n");
    fs::write(directory.join("snowform.yml"), overlay).unwrap();
}

/// Both create `shared` and say something else of it. Whoever is told that it succeeded has seen it so; at least one is,
/// and in the end the account is as one of the two declares it.
#[test]
fn two_deploys_at_once_both_end_with_the_truth() {
    for round in 0..50 {
        let home = tempfile::tempdir().unwrap();
        let (one, other) = (home.path().join("one"), home.path().join("other"));
        for (directory, comment, also) in [(&one, "first", "a"), (&other, "second", "b")] {
            fs::create_dir(directory).unwrap();
            write_project(directory, comment, also);
        }
        // One account for both projects.
        let account = Account::open(&one.join(".snowform")).unwrap();
        std::os::unix::fs::symlink(one.join(".snowform"), other.join(".snowform")).unwrap();
        if round % 2 == 1 {
            account
                .execute(&mut Context::local(), "CREATE IMAGE REPOSITORY shared COMMENT = 'before'")
                .unwrap();
        }
        let children = [&one, &other].map(|directory| {
            snowform(directory, &["deploy", "--local", "--format", "json"]).spawn().unwrap()
        });
        let reports = children.map(ended);
        let plans =
            [&one, &other].map(|directory| run(directory, &["plan", "--local", "--detailed-exitcode"]));
        let winners = plans.iter().filter(|(code, _)| *code == 0).count();
        assert_eq!(winners, 1, "round {round}: {reports:?} {plans:?}");
        for (code, said) in &reports {
            match code {
                // It was as declared when it was looked at; somebody may have come later.
                0 => assert!(!said.contains("\"failed\""), "round {round}: {said}"),
                1 => {
                    let named = ["already exists", "still not as declared"];
                    assert!(named.iter().any(|words| said.contains(words)), "round {round}: {said}");
                }
                _ => panic!("round {round}: {code}: {said}"),
            }
        }
        assert!(reports.iter().any(|(code, _)| *code == 0), "round {round}: nobody succeeded: {reports:?}");
        // A second deploy of either finishes its work.
        for directory in [&one, &other] {
            assert_eq!(run(directory, &["deploy", "--local"]).0, 0, "round {round}");
            assert_eq!(run(directory, &["plan", "--local", "--detailed-exitcode"]).0, 0, "round {round}");
        }
    }
}

fn dump(account: &Account) -> Vec<String> {
    let mut context = Context::local();
    account.execute(&mut context, "USE ROLE ACCOUNTADMIN").unwrap();
    let shows = [
        "SHOW DATABASES",
        "SHOW SCHEMAS IN ACCOUNT",
        "SHOW ROLES",
        "SHOW IMAGE REPOSITORIES IN ACCOUNT",
        "SHOW GRANTS ON IMAGE REPOSITORY LOCAL.PUBLIC.KEPT",
        "SHOW GRANTS ON IMAGE REPOSITORY LOCAL.PUBLIC.OLD",
        "SHOW IMAGES IN IMAGE REPOSITORY LOCAL.PUBLIC.OLD",
        "SHOW GRANTS TO ROLE READER",
    ];
    shows.map(|show| format!("{:?}", account.execute(&mut context, show).unwrap().rows)).into()
}

/// An account in which a plan has much to do: to create, to alter, to drop, to grant.
fn busy(directory: &Path) -> Account {
    write_project(directory, "new words", "kept");
    let overlay = "project: shop\nremoved: [old]\nentities:\n  kept:\n    comment: new\n    grants:\n      - {privilege: READ, role: reader}\n    grants_exact: true\n    tags: {team: blue}\n";
    fs::write(directory.join("snowform.yml"), overlay).unwrap();
    let account = Account::open(&directory.join(".snowform")).unwrap();
    let mut context = Context::local();
    for sql in [
        "USE ROLE ACCOUNTADMIN",
        "CREATE ROLE reader",
        "GRANT ROLE reader TO USER local",
        "GRANT USAGE ON DATABASE local TO ROLE reader",
        "GRANT USAGE ON SCHEMA local.public TO ROLE reader",
        "USE ROLE SYSADMIN",
        "CREATE IMAGE REPOSITORY local.public.kept",
        "CREATE IMAGE REPOSITORY local.public.old COMMENT = '[snowform project=shop]'",
        "CREATE IMAGE REPOSITORY local.public.leftover COMMENT = '[snowform project=shop]'",
        "GRANT WRITE ON IMAGE REPOSITORY local.public.kept TO ROLE reader",
    ] {
        account.execute(&mut context, sql).unwrap();
    }
    let old = ObjectName::new(Ident::exact("LOCAL"), Ident::exact("PUBLIC"), Ident::exact("OLD"));
    account.record_image(&old, "app", Some("1"), "sha256:aa").unwrap();
    account
}

#[test]
fn whatever_only_looks_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let account = busy(directory.path());
    let before = dump(&account);
    let looks: [&[&str]; 12] = [
        &["plan", "--local"],
        &["plan", "--local", "--prune", "--create-schemas", "--check-privileges", "--out", "plan.json"],
        &["plan", "--local", "--role", "READER"],
        &["show", "plan.json"],
        &["drift", "--local"],
        &["drift", "--local", "--all"],
        &["snapshot", "--local", "snapshot.json"],
        &["plan", "--snapshot", "snapshot.json"],
        &["import", "--local", "--from", "account", "-p", "imported"],
        &["deploy", "--local", "--dry-run", "--prune", "--replace"],
        &["destroy", "--local", "--dry-run"],
        // Refused, because of what would be lost.
        &["deploy", "--local", "--prune"],
    ];
    fs::create_dir(directory.path().join("imported")).unwrap();
    std::os::unix::fs::symlink(
        directory.path().join(".snowform"),
        directory.path().join("imported/.snowform"),
    )
    .unwrap();
    for words in looks {
        for _ in 0..2 {
            let _ = fs::remove_file(directory.path().join("imported/snowflake.yml"));
            let _ = fs::remove_file(directory.path().join("imported/snowform.yml"));
            let (code, said) = run(directory.path(), words);
            assert!(matches!(code, 0..=3), "{words:?}: {code}: {said}");
            assert_eq!(dump(&account), before, "{words:?}: {said}");
        }
    }
}

#[test]
fn what_a_role_does_not_see_is_neither_dropped_nor_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let account = busy(directory.path());
    let before = dump(&account);
    // This role sees `kept` alone: `old` and `leftover` are hidden from it, and `shared` is not there.
    let tries: [&[&str]; 5] = [
        &["deploy", "--prune"],
        &["deploy", "--replace"],
        &["destroy"],
        &["deploy"],
        &["deploy", "--prune", "--replace"],
    ];
    for words in tries {
        let more = [
            "--local",
            "--role",
            "READER",
            "--allow",
            "drops-images,replaces-object,widens-access,takes-over",
        ];
        let (code, said) = run(directory.path(), &[words, &more].concat());
        assert!(matches!(code, 1 | 4), "{words:?}: {code}: {said}");
        for hidden in ["LOCAL.PUBLIC.OLD", "LOCAL.PUBLIC.LEFTOVER"] {
            assert!(!said.contains(hidden), "{words:?}: {said}");
        }
        assert_eq!(dump(&account), before, "{words:?}: {said}");
    }
}

#[tokio::test]
async fn a_target_holds_the_account_and_the_role() {
    let account = Account::in_memory().unwrap();
    account.set_password(&Ident::exact("LOCAL"), "local-password").unwrap();
    let server = serve(account.clone(), ServerConfig::default()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let definition = "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: <% ctx.env.PREFIX %>_repo\n";
    fs::write(directory.path().join("snowflake.yml"), definition).unwrap();
    let overlay = "targets:\n  dev:\n    account: local\n    role: sysadmin\n    database: local\n    schema: public\n    env: {PREFIX: dev}\n  prod:\n    account: MYORG-PROD\n    env: {PREFIX: prod}\n  admin:\n    account: local\n    role: accountadmin\n    env: {PREFIX: x}\n";
    fs::write(directory.path().join("snowform.yml"), overlay).unwrap();
    let run = |words: &[&str]| {
        let mut command = snowform(directory.path(), words);
        command.arg("-x").env("SNOWFLAKE_ACCOUNT", "local").env("SNOWFLAKE_USER", "LOCAL");
        command.env("SNOWFLAKE_PASSWORD", "local-password").env("SNOWFLAKE_HOST", "127.0.0.1");
        command.env("SNOWFLAKE_PROTOCOL", "http").env("SNOWFLAKE_PORT", server.address().port().to_string());
        command.env("HOME", directory.path());
        let child = command.spawn().unwrap();
        tokio::task::spawn_blocking(move || ended(child))
    };
    let (code, said) = run(&["deploy", "--target", "dev"]).await.unwrap();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("LOCAL.PUBLIC.DEV_REPO"), "{said}");
    let (code, said) = run(&["deploy", "--target", "prod"]).await.unwrap();
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("target `prod` is account MYORG-PROD, and this connection is account LOCAL"),
        "{said}"
    );
    // An option that says otherwise does not get around the pin.
    let (code, said) = run(&["deploy", "--target", "dev", "--role", "ACCOUNTADMIN"]).await.unwrap();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("is role SYSADMIN, and this connection is role ACCOUNTADMIN"), "{said}");
    for words in [&["deploy"][..], &["plan"], &["drift"], &["destroy"], &["plan", "--target", "prd"]] {
        let (code, said) = run(words).await.unwrap();
        // Without a target the template has no value, so there is no plan to begin with.
        assert!(matches!(code, 1 | 64), "{words:?}: {said}");
    }
    let (code, said) = run(&["plan", "--env", "PREFIX=x"]).await.unwrap();
    assert_eq!((code, said.contains("choose one of dev, prod, admin")), (64, true), "{said}");
    let rows = account.execute(&mut Context::local(), "SHOW IMAGE REPOSITORIES IN ACCOUNT").unwrap().rows;
    assert_eq!(rows.len(), 1);
}

/// An account that runs services: answers what the embedded one has none of, and counts what it was asked.
struct WithServices {
    inner: LocalSession,
    /// Answers in other words, by how the question begins.
    instead: Vec<(&'static str, Rows)>,
    services: Vec<(&'static str, Option<&'static str>)>,
}

fn rows(columns: &[&str], rows: Vec<Vec<Option<String>>>) -> Rows {
    let column = |name: &&str| Column { name: (*name).to_owned(), kind: "text".to_owned() };
    Rows { columns: columns.iter().map(column).collect(), rows, query_id: None }
}

impl Session for WithServices {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    fn query<'a>(&'a self, sql: &'a Sql, role: Option<&'a Ident>) -> Answer<'a, Rows> {
        let text = sql.as_str();
        if let Some((_, rows)) = self.instead.iter().find(|(start, _)| text.starts_with(start)) {
            let rows = rows.clone();
            return Box::pin(async move { Ok(rows) });
        }
        if text == "SHOW SERVICES IN ACCOUNT" {
            let row = |(name, _): &(&str, Option<&str>)| {
                [name, "RUN", "SVC"].map(|cell| Some(cell.to_owned())).into_iter().collect()
            };
            let listed = self.services.iter().map(row).collect();
            return Box::pin(async move { Ok(rows(&["name", "database_name", "schema_name"], listed)) });
        }
        if let Some(name) = text.strip_prefix("DESCRIBE SERVICE RUN.SVC.") {
            let found = self.services.iter().find(|(known, _)| *known == name).unwrap();
            // The specification is a column for the owner's role only.
            let answer = match found.1 {
                Some(spec) => {
                    rows(&["name", "spec"], vec![vec![Some(name.to_owned()), Some(spec.to_owned())]])
                }
                None => rows(&["name"], vec![vec![Some(name.to_owned())]]),
            };
            return Box::pin(async move { Ok(answer) });
        }
        self.inner.query(sql, role)
    }

    fn perform<'a>(&'a self, operation: &'a Operation, role: Option<&'a Ident>) -> Answer<'a, Performed> {
        self.inner.perform(operation, role)
    }

    fn close<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.inner.close()
    }
}

#[tokio::test]
async fn services_that_run_what_would_go_are_named() {
    let account = Account::in_memory().unwrap();
    let mut context = Context::local();
    account.execute(&mut context, "CREATE IMAGE REPOSITORY shop").unwrap();
    account.execute(&mut context, "CREATE IMAGE REPOSITORY empty").unwrap();
    let shop = ObjectName::new(Ident::exact("LOCAL"), Ident::exact("PUBLIC"), Ident::exact("SHOP"));
    account.record_image(&shop, "app", Some("1"), "sha256:aa").unwrap();
    let services = vec![
        ("BY_PATH", Some("spec:\n  containers:\n  - name: a\n    image: /local/public/shop/app:1\n")),
        (
            "BY_HOST",
            Some(
                "spec:\n  containers:\n  - name: a\n    image: \"org-a.registry.snowflakecomputing.com/LOCAL/Public/shop/app@sha256:aa\"\n",
            ),
        ),
        ("OTHER", Some("spec:\n  containers:\n  - name: a\n    image: /local/public/shop2/app:1\n")),
        ("HIDDEN", None),
    ];
    let inner = LocalSession::new(account, Options::default()).unwrap();
    let session = WithServices { inner, instead: Vec::new(), services };
    let definition = "definition_version: 2\nentities:\n  shop:\n    type: image-repository\n  empty:\n    type: image-repository\n";
    let checked = project::check(definition, None);
    let desired = project::desired(&checked.project, session.identity());
    let plan = project::plan(Goal::Destroy, &desired, false, &session).await.unwrap();
    let text = view::plan::text(&plan, &checked.files);
    assert!(text.contains("used by service RUN.SVC.BY_PATH"), "{text}");
    assert!(text.contains("used by service RUN.SVC.BY_HOST"), "{text}");
    assert!(!text.contains("OTHER"), "{text}");
    assert!(text.contains("this role may not look into 1 service"), "{text}");
    let json = serde_json::to_value(view::json::plan(&plan, None, &checked.files)).unwrap();
    let shop = json["changes"].as_array().unwrap().iter().find(|change| change["entity"] == "shop").unwrap();
    assert_eq!(shop["used_by"]["services"].as_array().unwrap().len(), 2);
    // Nothing is lost, so nobody is asked.
    let session =
        WithServices { services: vec![("NOBODY", None)], instead: Vec::new(), inner: session.inner };
    let intent = Intent::from(Goal::Deploy);
    let plan = project::plan(intent, &desired, false, &session).await.unwrap();
    assert!(plan.changes.iter().all(|change| change.users.is_none()));
    let outcome = project::carry_out(&plan, &session).await;
    assert!(outcome.progress.iter().all(|progress| *progress == Progress::Unchanged));
}

/// A plan of one repository that is there, on an account that answers one question in other words.
async fn planned(goal: Goal, overlay: &str, instead: (&'static str, Rows)) -> (String, Vec<HazardKind>) {
    let account = Account::in_memory().unwrap();
    account.execute(&mut Context::local(), "CREATE IMAGE REPOSITORY repo").unwrap();
    let inner = LocalSession::new(account, Options::default()).unwrap();
    let session = WithServices { inner, instead: vec![instead], services: Vec::new() };
    let definition = "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n";
    let checked = project::check(definition, Some(overlay));
    let desired = project::desired(&checked.project, session.identity());
    let plan = project::plan(goal, &desired, false, &session).await.unwrap();
    let kinds = plan.refused(&[]).into_iter().map(|(_, hazard)| hazard.kind).collect();
    (view::plan::text(&plan, &checked.files), kinds)
}

#[tokio::test]
async fn a_list_of_images_that_cannot_be_read_is_not_empty() {
    let cells = vec![Some("app".to_owned()), Some("sha256:aa".to_owned())];
    let renamed = rows(&["image", "digest"], vec![cells]);
    let (text, kinds) = planned(Goal::Destroy, "", ("SHOW IMAGES ", renamed)).await;
    assert_eq!(kinds, [HazardKind::DropsImages], "{text}");
    assert!(text.contains("only 0 of 1 rows could be read"), "{text}");
}

#[tokio::test]
async fn grants_to_others_than_roles_are_seen_and_left_alone() {
    let columns = ["privilege", "granted_to", "grantee_name"];
    let cells = |cells: [&str; 3]| cells.iter().map(|cell| Some((*cell).to_owned())).collect();
    let held = || {
        let held = vec![cells(["READ", "USER", "ALICE"]), cells(["READ", "DATABASE_ROLE", "a.b.READER"])];
        ("SHOW GRANTS ON ", rows(&columns, held))
    };
    let (text, kinds) = planned(Goal::Replace, "", held()).await;
    assert_eq!(kinds, [HazardKind::ReplacesObject], "{text}");
    assert!(text.contains("READ to USER ALICE"), "{text}");
    let exact = "entities:\n  repo:\n    grants: []\n    grants_exact: true\n";
    let (text, _) = planned(Goal::Deploy, exact, held()).await;
    assert!(text.contains("not declared, and kept: READ to USER ALICE"), "{text}");
    assert!(!text.contains("FROM USER") && text.contains("FROM DATABASE ROLE \"a.b\".READER"), "{text}");
}

/// An image that is pushed behind a plan's back is not lost with it.
#[tokio::test]
async fn what_was_not_counted_is_not_dropped() {
    for goal in [Goal::Destroy, Goal::Replace] {
        let account = Account::in_memory().unwrap();
        account.execute(&mut Context::local(), "CREATE IMAGE REPOSITORY repo").unwrap();
        let session = LocalSession::new(account.clone(), Options::default()).unwrap();
        let definition = "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n";
        let checked = project::check(definition, None);
        let desired = project::desired(&checked.project, session.identity());
        let plan = project::plan(goal, &desired, false, &session).await.unwrap();
        assert!(plan.refused(&[]).is_empty(), "it is empty");
        let name = ObjectName::new(Ident::exact("LOCAL"), Ident::exact("PUBLIC"), Ident::exact("REPO"));
        account.record_image(&name, "app", Some("1"), "sha256:aa").unwrap();
        let outcome = project::carry_out(&plan, &session).await;
        let failure = outcome.failures().next().expect("it is not carried out");
        assert!(failure.message.contains("not those that were counted"), "{failure:?}");
        let images = account.execute(&mut Context::local(), "SHOW IMAGES IN IMAGE REPOSITORY repo").unwrap();
        assert_eq!(images.rows.len(), 1);
    }
}

/// SIGINT in the middle: what is under way ends, the rest is not begun, the report is true, and a second deploy finishes
/// the work.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_deploy_says_what_it_did_and_the_next_finishes_it() {
    const NUMBER: usize = 120;
    let account = Account::in_memory().unwrap();
    account.set_password(&Ident::exact("LOCAL"), "local-password").unwrap();
    let server = serve(account.clone(), ServerConfig::default()).await.unwrap();
    // Every request takes a while on its way, so that there is a middle.
    let proxy = proxy::Proxy::start(server.address(), Duration::from_millis(60), Vec::new()).await;
    let directory = tempfile::tempdir().unwrap();
    let entity = |number: usize| format!("  repo_{number:03}:\n    type: image-repository\n");
    let definition: String = (0..NUMBER).map(entity).collect();
    fs::write(
        directory.path().join("snowflake.yml"),
        format!("definition_version: 2\nentities:\n{definition}"),
    )
    .unwrap();
    let start = |words: &[&str]| {
        let mut command = snowform(directory.path(), words);
        command.arg("-x").env("SNOWFLAKE_ACCOUNT", "local").env("SNOWFLAKE_USER", "LOCAL");
        command.env("SNOWFLAKE_PASSWORD", "local-password").env("SNOWFLAKE_HOST", "127.0.0.1");
        command.env("SNOWFLAKE_PROTOCOL", "http").env("SNOWFLAKE_PORT", proxy.port.to_string());
        command.env("SNOWFLAKE_DATABASE", "LOCAL").env("SNOWFLAKE_SCHEMA", "PUBLIC");
        command.env("HOME", directory.path()).spawn().unwrap()
    };
    let there =
        || account.execute(&mut Context::local(), "SHOW IMAGE REPOSITORIES IN ACCOUNT").unwrap().rows.len();
    let child = start(&["deploy", "--format", "json"]);
    let id = child.id().to_string();
    while there() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let (code, said) = tokio::task::spawn_blocking(move || ended(child)).await.unwrap();
    assert_eq!(code, 130, "{said}");
    let document = &said[said.find('{').unwrap()..=said.rfind('}').unwrap()];
    let report: serde_json::Value = serde_json::from_str(document).unwrap();
    let status = |wanted: &str| {
        let changes = report["changes"].as_array().unwrap();
        changes.iter().filter(|change| change["result"]["status"] == wanted).count()
    };
    assert_eq!(status("done"), there(), "{said}");
    assert_eq!(status("done") + status("not-begun"), NUMBER, "{said}");
    assert!(status("not-begun") > 0, "it was interrupted too late");
    let child = start(&["deploy"]);
    let (code, said) = tokio::task::spawn_blocking(move || ended(child)).await.unwrap();
    assert_eq!((code, there()), (0, NUMBER), "{said}");
}
