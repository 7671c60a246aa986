//! Whole deploys through things that go wrong: the real client, the real local account's server, and a proxy between
//! them. Afterwards every repository is there, nothing was done twice, and the report says so.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

#[path = "support/project.rs"]
#[expect(dead_code, reason = "where things stand in the texts is of no matter here")]
mod project;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/scripted.rs"]
#[expect(dead_code, reason = "only its reading of requests is needed here")]
mod scripted;

use proxy::{Fault, Proxy, Rule};
use snowform::deploy::{Outcome, Progress};
use snowform::local::server::{self, ServerConfig, ServerHandle};
use snowform::local::{Account, Context};
use snowform::object::name::Ident;
use snowform::plan::{Action, Goal, Plan};
use snowform::session::Session;
use snowform::snowflake::client::{self, ClientOptions, SnowflakeSession};
use snowform::snowflake::retry::Retry;
use snowform::snowflake::settings::{Flags, Located, Sources, resolve};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const PASSWORD: &str = "local-password";

/// An account, its server, and a proxy before it.
struct Place {
    account: Account,
    server: Arc<ServerHandle>,
    proxy: Proxy,
}

impl Place {
    async fn new(config: ServerConfig, rules: impl FnOnce(&Arc<ServerHandle>) -> Vec<Rule>) -> Self {
        let account = Account::in_memory().unwrap();
        account.set_password(&Ident::exact("LOCAL"), PASSWORD).unwrap();
        let server = Arc::new(server::serve(account.clone(), config).await.unwrap());
        let rules = rules(&server);
        let proxy = Proxy::start(server.address(), Duration::from_millis(5), rules).await;
        Self { account, server, proxy }
    }

    async fn with_faults(rules: Vec<Rule>) -> Self {
        Self::new(ServerConfig::default(), |_| rules).await
    }

    async fn session(&self) -> SnowflakeSession {
        let port = self.proxy.port.to_string();
        let own = [
            ("ACCOUNT", "local"),
            ("USER", "LOCAL"),
            ("PASSWORD", PASSWORD),
            ("HOST", "127.0.0.1"),
            ("PROTOCOL", "http"),
            ("PORT", &port),
            ("DATABASE", "LOCAL"),
            ("SCHEMA", "PUBLIC"),
            ("ROLE", "SYSADMIN"),
        ];
        let environment: BTreeMap<String, String> =
            own.iter().map(|(name, value)| (format!("SNOWFLAKE_{name}"), (*value).to_owned())).collect();
        let located = Located { config: PathBuf::new(), connections: PathBuf::new(), is_custom: false };
        let flags = Flags { temporary_connection: true, ..Flags::default() };
        let settings =
            resolve(&Sources { located, files: Vec::new(), environment, service_token: None, flags })
                .unwrap();
        let millis = Duration::from_millis;
        let retry = Retry { tries: 6, base: millis(2), max: millis(8), longest_asked: millis(50) };
        let options = ClientOptions { retry, ..ClientOptions::default() };
        client::connect(&settings, options).await.unwrap()
    }

    /// The names of the repositories that are there.
    fn repositories(&self) -> BTreeSet<String> {
        let rows =
            self.account.execute(&mut Context::local(), "SHOW IMAGE REPOSITORIES IN SCHEMA LOCAL.PUBLIC");
        rows.unwrap().iter().map(|row| row.get("name").unwrap().to_owned()).collect()
    }

    /// How often the server was asked to run statements with these words.
    fn asked(&self, words: &str) -> usize {
        self.server
            .requests()
            .iter()
            .filter(|request| request.sql.as_deref().is_some_and(|sql| sql.contains(words)))
            .count()
    }
}

fn definition(repositories: usize) -> String {
    let mut text = String::from("definition_version: 2\nentities:\n");
    for number in 0..repositories {
        writeln!(text, "  repo_{number:03}:\n    type: image-repository").unwrap();
    }
    text
}

/// Plans, deploys, and plans again, which must have nothing left to do.
async fn deploy(place: &Place, repositories: usize) -> (Plan, Outcome) {
    let checked = project::check(&definition(repositories), None);
    let session = place.session().await;
    let desired = project::desired(&checked.project, session.identity());
    let plan = project::plan(Goal::Deploy, &desired, false, &session).await.unwrap();
    let outcome = project::carry_out(&plan, &session).await;
    let again = project::plan(Goal::Deploy, &desired, false, &session).await.unwrap();
    assert!(!again.has_changes(), "after {outcome:?}");
    session.close().await;
    place.proxy.assert_finished();
    assert_eq!(place.repositories().len(), repositories);
    (plan, outcome)
}

fn created(outcome: &Outcome) -> usize {
    outcome.progress.iter().filter(|progress| matches!(progress, Progress::Done { .. })).count()
}

/// Runs a deploy of five through these faults: all five are reported as created.
async fn survives(rules: Vec<Rule>) -> Place {
    let place = Place::with_faults(rules).await;
    let (plan, outcome) = deploy(&place, 5).await;
    assert_eq!((plan.count(Action::Create), created(&outcome)), (5, 5), "{outcome:?}");
    place
}

fn rule(sql: &'static str, fault: Fault) -> Rule {
    Rule { sql, fault }
}

#[tokio::test]
async fn two_hundred_repositories_cost_one_login_and_one_listing() {
    let place = Place::with_faults(Vec::new()).await;
    let checked = project::check(&definition(200), None);
    let session = place.session().await;
    let desired = project::desired(&checked.project, session.identity());
    let plan = project::plan(Goal::Deploy, &desired, false, &session).await.unwrap();
    assert_eq!(plan.count(Action::Create), 200);
    let asked: Vec<(String, Option<String>)> =
        place.server.requests().into_iter().map(|request| (request.path, request.sql)).collect();
    assert_eq!(
        asked,
        [
            ("/session/v1/login-request".to_owned(), None),
            (
                "/queries/v1/query-request".to_owned(),
                Some("SHOW IMAGE REPOSITORIES IN SCHEMA LOCAL.PUBLIC".to_owned())
            ),
        ]
    );
}

#[tokio::test]
async fn creates_run_side_by_side_within_a_bound() {
    let place = Place::with_faults(Vec::new()).await;
    let (_, outcome) = deploy(&place, 200).await;
    assert_eq!(created(&outcome), 200);
    assert_eq!(place.asked("CREATE"), 200);
    let most = place.proxy.most_in_flight();
    assert!((2..=16).contains(&most), "{most} statements were under way at once");
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let busy = |sql| rule(sql, Fault::Busy(503));
    let place = survives(vec![
        busy("SHOW"),
        busy("SHOW"),
        busy("SHOW"),
        busy("REPO_001"),
        busy("REPO_001"),
        busy("REPO_001"),
        rule("REPO_002", Fault::Busy(429)),
    ])
    .await;
    assert_eq!(place.asked("CREATE"), 5, "a request that the server never saw was counted");
}

#[tokio::test]
async fn a_connection_that_closes_is_opened_again() {
    survives(vec![rule("SHOW", Fault::HangUp), rule("REPO_003", Fault::HangUp)]).await;
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_not_done_twice() {
    let place = survives(vec![rule("REPO_001", Fault::LoseAnswer)]).await;
    let tries: Vec<_> = place
        .proxy
        .seen()
        .into_iter()
        .filter(|request| request.body["sqlText"].as_str().is_some_and(|sql| sql.contains("REPO_001")))
        .collect();
    assert_eq!(tries.len(), 2);
    assert_eq!(tries[0].query["requestId"], tries[1].query["requestId"]);
}

#[tokio::test]
async fn a_create_that_took_effect_unseen_is_no_failure_though_the_server_says_taken() {
    survives(vec![rule("REPO_001", Fault::LoseAnswerAndMemory)]).await;
}

#[tokio::test]
async fn a_drop_that_took_effect_unseen_is_no_failure_though_the_server_says_gone() {
    let place = Place::with_faults(vec![rule("DROP", Fault::LoseAnswerAndMemory)]).await;
    place.account.execute(&mut Context::local(), "CREATE IMAGE REPOSITORY repo_000").unwrap();
    let checked = project::check(&definition(1), None);
    let session = place.session().await;
    let desired = project::desired(&checked.project, session.identity());
    let plan = project::plan(Goal::Destroy, &desired, false, &session).await.unwrap();
    let outcome = project::carry_out(&plan, &session).await;
    assert!(outcome.is_complete(), "{outcome:?}");
    assert!(place.repositories().is_empty());
    place.proxy.assert_finished();
}

#[tokio::test]
async fn somebody_elses_repository_is_not_taken_for_ours() {
    // The same statement fails for a reason of its own: nothing of ours was lost, somebody else was faster.
    let place = Place::new(ServerConfig::default(), |_| Vec::new()).await;
    let account = place.account.clone();
    let checked = project::check(&definition(1), None);
    let session = place.session().await;
    let desired = project::desired(&checked.project, session.identity());
    let plan = project::plan(Goal::Deploy, &desired, false, &session).await.unwrap();
    account.execute(&mut Context::local(), "CREATE IMAGE REPOSITORY repo_000 COMMENT = 'theirs'").unwrap();
    let outcome = project::carry_out(&plan, &session).await;
    let failure = outcome.failures().next().expect("the name is taken");
    assert_eq!(failure.code, Some(2002));
    assert!(failure.help.contains("plan again"), "{}", failure.help);
}

#[tokio::test]
async fn a_session_that_expires_in_the_middle_is_renewed_once() {
    let place = Place::new(ServerConfig::default(), |server| {
        let server = Arc::clone(server);
        vec![rule("REPO_002", Fault::First(Arc::new(move || server.expire_sessions())))]
    })
    .await;
    let (_, outcome) = deploy(&place, 40).await;
    assert_eq!(created(&outcome), 40, "{outcome:?}");
    let renewals =
        place.proxy.seen().iter().filter(|request| request.path == "/session/token-request").count();
    assert_eq!(renewals, 1);
}

#[tokio::test]
async fn a_listing_in_three_parts_is_read_whole() {
    let place = Place::new(ServerConfig { inline_rows: 50, ..ServerConfig::default() }, |_| Vec::new()).await;
    for number in 0..120 {
        let create = format!("CREATE IMAGE REPOSITORY repo_{number:03}");
        place.account.execute(&mut Context::local(), &create).unwrap();
    }
    let (plan, _) = deploy(&place, 120).await;
    assert_eq!(plan.count(Action::NoOp), 120);
}

#[tokio::test]
async fn a_statement_that_takes_long_is_asked_about_until_it_is_done() {
    let place = survives(vec![rule("SHOW", Fault::Detach(2)), rule("REPO_004", Fault::Detach(2))]).await;
    let polls = place.proxy.seen().iter().filter(|request| request.path.ends_with("/result")).count();
    assert_eq!(polls, 4);
}
