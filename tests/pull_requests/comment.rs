//! `snowform comment` with the real binary, against a server that behaves as code hosts do. What was sent is counted.
use crate::host::{Failure, FakeHost};
use crate::project::{Project, TOKEN};
use axum::http::Method;
use snowform::local::{Account, Context};

const GITHUB: &[&str] = &["GET", "GET", "POST", "PATCH"];

#[tokio::test(flavor = "multi_thread")]
async fn one_comment_is_written_kept_current_and_left_alone_where_it_is_equal() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    let first = project.github(&host, "10", &[]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(first.stdout, "https://github.example/o/r/pull/7#issuecomment-1\n");
    assert_eq!(host.methods(), ["GET", "POST"], "nobody needs to know who we are where nothing is marked");
    assert!(host.ours()[0].body.contains("LOCAL.PUBLIC.FIRST"), "{}", host.ours()[0].body);
    assert!(host.state.lock().unwrap().tokens.iter().all(|token| token == &format!("Bearer {TOKEN}")));

    let same = project.github(&host, "10", &[]);
    assert!(same.stderr.contains("says that already"), "{}", same.stderr);
    assert_eq!(host.methods(), ["GET", "GET", "POST"], "listed, and asked who we are; nothing is written");

    project.declare("second");
    let changed = project.github(&host, "11", &[]);
    assert_eq!(changed.code, 0, "{}", changed.stderr);
    assert_eq!(host.methods(), GITHUB);
    let ours = host.ours();
    assert!(ours.len() == 1 && ours[0].body.contains("LOCAL.PUBLIC.SECOND"), "{ours:?}");
    assert_eq!(project.summary(), "", "what was posted is not repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_found_behind_pages_of_others_and_not_in_what_others_pasted() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    let source = Project::new();
    let source_host = FakeHost::start().await;
    source.github(&source_host, "99", &[]);
    let marked = source_host.ours()[0].body.clone();
    for nth in 0..150 {
        host.add("somebody", &format!("comment {nth}"));
    }
    host.add("mallory", &marked);
    host.add("somebody", &format!("look at this:\n{marked}"));
    let first = project.github(&host, "10", &[]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(
        host.methods(),
        ["GET", "GET", "GET", "POST", "POST"],
        "two pages, who are we, and a comment of our own"
    );
    assert_eq!(host.ours().len(), 1);
    for nth in 0..100 {
        host.add("somebody", &format!("later {nth}"));
    }
    project.declare("second");
    assert_eq!(project.github(&host, "11", &[]).code, 0);
    assert_eq!(host.methods(), ["GET", "GET", "GET", "GET", "POST", "PATCH"]);
    assert_eq!(host.ours().len(), 1);
    let pasted = host.comments().into_iter().find(|comment| comment.author == "mallory").unwrap();
    assert_eq!(pasted.body, marked, "somebody else's comment stays as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_run_that_finishes_last_does_not_overwrite() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    project.github(&host, "20", &[]);
    let newer = host.ours()[0].body.clone();
    project.declare("old");
    host.methods();
    let older = project.github(&host, "19", &[]);
    assert_eq!(older.code, 0, "{}", older.stderr);
    assert!(older.stderr.contains("a later run"), "{}", older.stderr);
    assert_eq!(host.methods(), ["GET", "GET", "POST"]);
    assert_eq!(host.ours()[0].body, newer);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_plans_move_the_run_on_so_that_older_ones_stay_behind() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    project.github(&host, "20", &[]);
    project.github(&host, "22", &[]);
    let newest = host.ours()[0].body.clone();
    project.declare("old");
    assert!(project.github(&host, "21", &[]).stderr.contains("a later run"));
    assert_eq!(host.ours()[0].body, newest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_may_not_comment_and_nothing_is_lost() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    host.state.lock().unwrap().read_only = true;
    let refused = project.github(&host, "10", &[]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("not accessible") && refused.stderr.contains("forks"),
        "{}",
        refused.stderr
    );
    assert_eq!(host.methods(), ["GET", "POST"], "a right that is missing is not asked for twice");
    for shown in [refused.stdout, project.summary()] {
        assert!(shown.contains("LOCAL.PUBLIC.FIRST") && !shown.contains("<!--"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_is_sent() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    let arguments = ["comment", "github", "plan.json", "--repo", "o/r", "--pr", "7"];
    let ran = project.run(&arguments, &[("GITHUB_API_URL", &host.url)]);
    assert_eq!((ran.code, host.methods().len()), (4, 0), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("GITHUB_TOKEN") && ran.stdout.contains("LOCAL.PUBLIC.FIRST"),
        "{}",
        ran.stderr
    );
    let nowhere = project.run(&["comment", "auto", "plan.json"], &[]);
    assert!(nowhere.code == 1 && nowhere.stderr.contains("name the host"), "{}", nowhere.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_of_the_host_is_waited_out() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    host.fail(Method::GET, 502, &[]);
    host.fail(Method::GET, 503, &[]);
    let ran = project.github(&host, "10", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(host.methods(), ["GET", "GET", "GET", "POST"]);
    assert_eq!(host.ours().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_whose_answer_is_lost_is_not_written_twice() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    let lost = Failure { method: Method::POST, status: 502, headers: Vec::new(), carried_out: true };
    // First the list, then the lost answer.
    host.state.lock().unwrap().failures.push_back(lost);
    let ran = project.github(&host, "10", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(host.methods(), ["GET", "POST", "GET", "GET", "POST"], "looked again, and found it");
    assert_eq!(host.ours().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_are_kept_to() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    host.fail(Method::GET, 429, &[("retry-after", "1")]);
    host.fail(Method::GET, 403, &[("retry-after", "0")]);
    host.fail(Method::GET, 403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")]);
    host.fail(Method::POST, 429, &[("retry-after", "0")]);
    let started = std::time::Instant::now();
    let ran = project.github(&host, "10", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(host.methods(), ["GET", "GET", "GET", "GET", "POST", "POST"]);
    assert!(started.elapsed() >= std::time::Duration::from_secs(1), "Retry-After was not waited for");
    assert_eq!(host.ours().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_takes_too_long_is_said() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    host.fail(Method::GET, 429, &[("retry-after", "3600")]);
    let ran = project.github(&host, "10", &[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("3600 s") && ran.stdout.contains("LOCAL.PUBLIC.FIRST"), "{}", ran.stderr);
    assert_eq!(host.methods(), ["GET"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirection_is_not_followed_with_the_token() {
    let (project, host, other) = (Project::new(), FakeHost::start().await, FakeHost::start().await);
    host.fail(Method::GET, 301, &[("location", &other.url)]);
    let ran = project.github(&host, "10", &[]);
    assert_eq!((ran.code, other.methods().len()), (1, 0), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tag_has_a_comment_of_its_own() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    for run in ["10", "11"] {
        for tag in ["prod", "test"] {
            assert_eq!(project.github(&host, run, &["--tag", tag]).code, 0);
        }
    }
    let ours = host.ours();
    assert_eq!(ours.len(), 2);
    assert!(ours[0].body.contains("snowform plan prod") && ours[1].body.contains("snowform plan test"));
    let wrong = project.github(&host, "12", &["--tag", "a-->b"]);
    assert_eq!(wrong.code, 64, "{}", wrong.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_of_nothing_unless_something_was_said_before() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    let account = Account::open(&project.path().join(".snowform")).unwrap();
    account.execute(&mut Context::local(), "CREATE IMAGE REPOSITORY first").unwrap();
    project.declare("first");
    let silent = project.github(&host, "10", &[]);
    assert_eq!((silent.code, host.methods()), (0, vec!["GET".to_owned()]), "{}", silent.stderr);
    assert!(host.ours().is_empty());
    project.declare("second");
    project.github(&host, "11", &[]);
    project.declare("first");
    project.github(&host, "12", &[]);
    assert!(host.ours()[0].body.contains("nothing to change"), "{}", host.ours()[0].body);
    let always = FakeHost::start().await;
    project.github(&always, "13", &["--always"]);
    assert_eq!(always.ours().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_request_on_gitlab() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    for nth in 0..120 {
        host.add(if nth % 2 == 0 { "system" } else { "somebody" }, "changed the description");
    }
    let api = format!("{}/api/v4", host.url);
    let run = |pipeline: &str| {
        let variables = [
            ("GITLAB_CI", "true"),
            ("CI_API_V4_URL", api.as_str()),
            ("CI_MERGE_REQUEST_PROJECT_ID", "group/project"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_PIPELINE_ID", pipeline),
            ("CI_JOB_ID", "1"),
            ("GITLAB_TOKEN", TOKEN),
        ];
        project.run(&["comment", "auto", "plan.json"], &variables)
    };
    assert_eq!(run("10").code, 0);
    assert!(host.state.lock().unwrap().log[0].contains("/projects/group%2Fproject/merge_requests/7/notes"));
    assert_eq!(host.methods(), ["GET", "GET", "POST"]);
    project.declare("second");
    assert_eq!(run("11").code, 0);
    assert_eq!(host.methods(), ["GET", "GET", "GET", "PUT"]);
    assert!(run("9").stderr.contains("a later run"));
    assert_eq!(host.ours().len(), 1);
    assert!(host.state.lock().unwrap().tokens.iter().all(|token| token == TOKEN));
    host.methods();
    host.fail(Method::GET, 401, &[]);
    let refused = run("12");
    assert_eq!((refused.code, host.methods().len()), (4, 1), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_on_azure() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    for nth in 0..70 {
        host.add("somebody", &format!("comment {nth}"));
    }
    let collection = format!("{}/organisation/", host.url);
    let run = |build: &str| {
        let variables = [
            ("TF_BUILD", "True"),
            ("SYSTEM_COLLECTIONURI", collection.as_str()),
            ("SYSTEM_TEAMPROJECT", "a project"),
            ("BUILD_REPOSITORY_ID", "0a1b"),
            ("SYSTEM_PULLREQUEST_PULLREQUESTID", "7"),
            ("BUILD_BUILDID", build),
            ("SYSTEM_ACCESSTOKEN", TOKEN),
        ];
        project.run(&["comment", "azure", "plan.json"], &variables)
    };
    let first = run("10");
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert!(
        host.state.lock().unwrap().log[0].contains("/organisation/a%20project/_apis/git/repositories/0a1b/")
    );
    assert_eq!(host.methods(), ["GET", "GET", "POST"]);
    project.declare("second");
    assert_eq!(run("11").code, 0);
    assert_eq!(host.methods(), ["GET", "GET", "GET", "PATCH"]);
    assert!(host.ours().len() == 1 && host.ours()[0].body.contains("LOCAL.PUBLIC.SECOND"));
    assert!(run("10").stderr.contains("a later run"));
}
