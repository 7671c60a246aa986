//! Sessions that outlive a command: the real binary against the served local account, and the requests it made counted.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use snowform::local::server::{self, ServerConfig, ServerHandle};
use snowform::local::{Account, Context};
use snowform::object::name::Ident;
use snowform::object::statement::{Operation, Sql};
use snowform::session::Session as _;
use snowform::snowflake::auth::desk::{Desk, Nobody};
use snowform::snowflake::client::{self, ClientOptions, SnowflakeSession};
use snowform::snowflake::settings::{Flags, Located, Sources, resolve};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

const PASSWORD: &str = "right-password-8842";
const DEFINITION: &str = "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    \
                          identifier: local.public.repo\n";

const LOGIN: &str = "/session/v1/login-request";
const QUERY: &str = "/queries/v1/query-request";
const RENEW: &str = "/session/token-request";
const END: &str = "/session";

struct Place {
    home: tempfile::TempDir,
    account: Account,
    server: ServerHandle,
    variables: Vec<(&'static str, String)>,
}

impl Place {
    async fn new(config: ServerConfig) -> Self {
        let account = Account::in_memory().unwrap();
        account.set_password(&Ident::exact("LOCAL"), PASSWORD).unwrap();
        account.execute(&mut Context::local(), "create image repository local.public.repo").unwrap();
        let server = server::serve(account.clone(), config).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("snowflake.yml"), DEFINITION).unwrap();
        Self { home, account, server, variables: Vec::new() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_snowform"));
        let port = self.server.address().port().to_string();
        command
            .args(arguments)
            .args([
                "-x",
                "--account",
                "local",
                "--user",
                "LOCAL",
                "--host",
                "127.0.0.1",
                "--protocol",
                "http",
            ])
            .args(["--port", &port])
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("SNOWFLAKE_PASSWORD", PASSWORD)
            .envs(self.variables.iter().map(|(name, value)| (*name, value.clone())));
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; the requests that it made.
    fn requests(&self, arguments: &[&str]) -> Vec<String> {
        let before = self.server.requests().len();
        let output = self.output(arguments);
        assert!(output.status.success(), "{output:?}");
        self.paths(before)
    }

    fn paths(&self, before: usize) -> Vec<String> {
        self.server.requests()[before..].iter().map(|request| request.path.clone()).collect()
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        let directory = self.home.path().join(".cache/snowform/sessions");
        let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

const PLAN: &[&str] = &["plan"];

#[tokio::test(flavor = "multi_thread")]
async fn the_second_plan_is_one_request() {
    let place = Place::new(ServerConfig::default()).await;
    assert_eq!(place.requests(PLAN), [LOGIN, QUERY]);
    assert_eq!(place.requests(PLAN), [QUERY]);
    assert_eq!(place.requests(&["drift"]), [QUERY]);
    let [file] = &place.files()[..] else { panic!("one session") };
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let directory = file.parent().unwrap();
    assert_eq!(fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(!fs::read_to_string(file).unwrap().contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_login_would_say_differently_is_another_session() {
    let place = Place::new(ServerConfig::default()).await;
    place.requests(PLAN);
    for more in
        [["--role", "SYSADMIN"], ["--database", "LOCAL"], ["--schema", "PUBLIC"], ["--warehouse", "W"]]
    {
        assert_eq!(place.requests(&["plan", more[0], more[1]])[0], LOGIN, "{more:?}");
    }
    assert_eq!(place.requests(PLAN), [QUERY], "the first is still there");
    let wrong = place.output(&["plan", "--password", "wrong-password"]);
    assert_eq!(wrong.status.code(), Some(4), "{wrong:?}");
    // What the session says of itself is what the plan is made for.
    let planned = place.output(&["plan", "--role", "ACCOUNTADMIN", "--format", "json"]);
    let again = place.output(&["plan", "--role", "ACCOUNTADMIN", "--format", "json"]);
    assert_eq!(planned.stdout, again.stdout);
    assert!(String::from_utf8_lossy(&again.stdout).contains("\"ACCOUNTADMIN\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_kept_for_nobody_who_said_no_and_not_in_continuous_integration() {
    let mut place = Place::new(ServerConfig::default()).await;
    for (name, value) in [("CI", "true"), ("SNOWFLAKE_CLIENT_STORE_TEMPORARY_CREDENTIAL", "false")] {
        place.variables = vec![(name, value.to_owned())];
        for _ in 0..2 {
            assert_eq!(place.requests(PLAN), [LOGIN, QUERY, END], "{name}");
        }
    }
    assert!(place.files().is_empty());
    let asked = ("SNOWFLAKE_CLIENT_STORE_TEMPORARY_CREDENTIAL", "true".to_owned());
    place.variables = vec![("CI", "true".to_owned()), asked];
    place.requests(PLAN);
    assert_eq!(place.requests(PLAN), [QUERY], "who asks for it has it there, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_the_connection_and_a_registrys_token_sign_in_anew() {
    let place = Place::new(ServerConfig::default()).await;
    place.requests(PLAN);
    assert_eq!(place.requests(&["connection", "test"]), [LOGIN, END]);
    let token = place.requests(&["image-registry", "token"]);
    assert_eq!(token, [LOGIN, RENEW], "its session is neither kept nor ended");
    assert_eq!(place.requests(PLAN), [QUERY]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_session_is_renewed_and_a_refused_one_replaced() {
    let place = Place::new(ServerConfig::default()).await;
    place.requests(PLAN);
    place.server.expire_sessions();
    assert_eq!(place.requests(PLAN), [QUERY, RENEW, QUERY]);
    assert_eq!(place.requests(PLAN), [QUERY], "the new tokens are kept");

    let [file] = &place.files()[..] else { panic!("one session") };
    let mut document: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    document["session_token"] = "unknown".into();
    fs::write(file, document.to_string()).unwrap();
    assert_eq!(place.requests(PLAN), [QUERY, LOGIN, QUERY]);
    assert_eq!(place.requests(PLAN), [QUERY]);

    // One that is known to be over is renewed before it is used.
    document = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    document["session_until"] = 0.into();
    fs::write(file, document.to_string()).unwrap();
    assert_eq!(place.requests(PLAN), [RENEW, QUERY]);
    document["master_until"] = 0.into();
    fs::write(file, document.to_string()).unwrap();
    assert_eq!(place.requests(PLAN), [LOGIN, QUERY]);

    // What others could read is not used.
    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(place.requests(PLAN)[0], LOGIN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_life_is_not_kept_beyond_it() {
    let config = ServerConfig { session_seconds: 30, master_seconds: 30, ..ServerConfig::default() };
    let place = Place::new(config).await;
    for _ in 0..2 {
        assert_eq!(place.requests(PLAN)[..2], [LOGIN, QUERY]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_that_stands_elsewhere_is_no_replacement() {
    let place = Place::new(ServerConfig::default()).await;
    place.requests(PLAN);
    let [file] = &place.files()[..] else { panic!("one session") };
    let mut document: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    document["session_token"] = "unknown".into();
    fs::write(file, document.to_string()).unwrap();
    let mut admin = Context::local();
    place.account.execute(&mut admin, "use role accountadmin").unwrap();
    place.account.execute(&mut admin, "alter user local set default_role = accountadmin").unwrap();
    let moved = place.output(PLAN);
    assert_eq!(moved.status.code(), Some(4), "{moved:?}");
    let said = String::from_utf8_lossy(&moved.stderr);
    assert!(said.contains("stands elsewhere") && said.contains("repeat the command"), "{said}");
    assert!(place.output(PLAN).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_at_once_do_not_share_a_session() {
    let place = Place::new(ServerConfig::default()).await;
    place.requests(PLAN);
    let children: Vec<Child> = (0..6).map(|_| place.start(PLAN)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(place.requests(PLAN), [QUERY]);
    assert_eq!(place.files().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_leaves_it_where_it_stood() {
    let place = Place::new(ServerConfig::default()).await;
    fs::write(
        place.home.path().join("snowflake.yml"),
        format!("{DEFINITION}  other:\n    type: image-repository\n    identifier: local.public.other\n"),
    )
    .unwrap();
    place.requests(&["deploy"]);
    let [file] = &place.files()[..] else { panic!("one session") };
    assert!(!fs::read(file).unwrap().is_empty(), "written back");
    assert_eq!(place.requests(PLAN), [QUERY]);
}

impl Place {
    /// A session as the command line opens it.
    async fn session(&self) -> SnowflakeSession {
        let port = self.server.address().port().to_string();
        let own = [
            ("SNOWFLAKE_ACCOUNT", "local"),
            ("SNOWFLAKE_USER", "LOCAL"),
            ("SNOWFLAKE_PASSWORD", PASSWORD),
            ("SNOWFLAKE_HOST", "127.0.0.1"),
            ("SNOWFLAKE_PROTOCOL", "http"),
            ("SNOWFLAKE_DATABASE", "LOCAL"),
            ("SNOWFLAKE_PORT", &port),
            ("HOME", self.home.path().to_str().unwrap()),
        ];
        let environment = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let located = Located { config: PathBuf::new(), connections: PathBuf::new(), is_custom: false };
        let flags = Flags { temporary_connection: true, ..Flags::default() };
        let sources = Sources { located, files: Vec::new(), environment, service_token: None, flags };
        let settings = resolve(&sources).unwrap();
        let desk = Desk::of(&settings, Arc::new(Nobody));
        client::connect_at(&settings, ClientOptions::default(), desk).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_a_statement_has_moved_is_ended() {
    let place = Place::new(ServerConfig::default()).await;
    let moves = |name: &str| Sql::new("CREATE SCHEMA").ident(&Ident::exact(name));
    let stays = Sql::new("SHOW SCHEMAS IN ACCOUNT");
    place.session().await.close().await;
    for (number, as_query) in [(1, true), (2, false)] {
        let before = place.server.requests().len();
        let session = place.session().await;
        let sql = moves(&format!("S{number}"));
        if as_query {
            session.query(&sql, None).await.unwrap();
        } else {
            session.perform(&Operation::Sql(sql), None).await.unwrap();
        }
        session.close().await;
        assert_eq!(place.paths(before), [QUERY, END], "{number}");
        let before = place.server.requests().len();
        let session = place.session().await;
        session.query(&stays, None).await.unwrap();
        assert_eq!(session.identity().schema, Some(Ident::exact("PUBLIC")));
        session.close().await;
        assert_eq!(place.paths(before), [LOGIN, QUERY], "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_left_in_the_middle_of_a_change_is_not_found_again() {
    let place = Place::new(ServerConfig::default()).await;
    place.session().await.close().await;
    let session = place.session().await;
    session.perform(&Operation::Sql(Sql::new("SHOW SCHEMAS IN ACCOUNT")), None).await.unwrap();
    // As if the process had been killed: nobody closes.
    drop(session);
    let before = place.server.requests().len();
    place.session().await;
    assert_eq!(place.paths(before), [LOGIN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_forgotten_on_demand_and_ended() {
    let place = Place::new(ServerConfig::default()).await;
    place.requests(PLAN);
    assert_eq!(place.requests(&["connection", "forget"]), [END]);
    assert_eq!(place.requests(&["connection", "forget"]), [""; 0]);
    assert_eq!(place.requests(PLAN), [LOGIN, QUERY]);
    place.requests(&["connection", "forget", "--all"]);
    assert!(place.files().is_empty());
    assert_eq!(place.requests(PLAN), [LOGIN, QUERY]);
}
