//! `snowform ci`: what one build does for its review.

use crate::host::FakeHost;
use crate::project::{Project, TOKEN};

/// The text of GitHub's event for a request whose head is in this repository.
fn event(head: &str, base: &str) -> String {
    format!(
        r#"{{"pull_request":{{"number":7,"head":{{"sha":"{base}","repo":{{"full_name":"{head}"}}}},"base":{{"sha":"{base}","repo":{{"full_name":"o/r"}}}}}}}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_on_github_does_everything_a_review_needs() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    project.write(
        "snowform.yml",
        "entities:\n  first:\n    grants:\n      - privilege: READ\n        role: PUBLIC\n",
    );
    let ran = project.ci(&host, &["--local", "--out", "saved.json", "--html", "plan.html"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("Plan: 1 to create"), "{}", ran.stdout);
    assert!(ran.stdout.contains("::warning file=snowflake.yml,line=3,"), "{}", ran.stdout);
    let outputs = project.read("outputs");
    for line in
        ["changes=true", "create=1", "hazards=widens-access", "plan-file=saved.json", "comment-url=https://"]
    {
        assert!(outputs.contains(line), "{line} is missing in\n{outputs}");
    }
    assert!(
        project.summary().contains("LOCAL.PUBLIC.FIRST")
            && project.read("plan.html").contains("LOCAL.PUBLIC.FIRST")
    );
    assert_eq!(host.ours().len(), 1);
    assert!(host.ours()[0].body.starts_with("<!-- snowform:plan "));
    assert_eq!(project.run(&["show", "saved.json"], &[]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_without_credentials_gets_its_plan_between_revisions() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    host.state.lock().unwrap().read_only = true;
    let base = project.commit();
    project.write("event.json", &event("stranger/r", &base));
    project.write(
        "snowflake.yml",
        "definition_version: 2\nentities:\n  first:\n    type: image-repository\n  second:\n    type: image-repository\n",
    );
    let ran = project.ci(&host, &[], &[("GITHUB_EVENT_PATH", "event.json")]);
    assert_eq!(ran.code, 0, "a comment that may not be written is no failure: {}", ran.stderr);
    assert!(
        ran.stdout.contains("SECOND") && ran.stdout.contains("the account was not asked"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("not accessible"), "it is said: {}", ran.stderr);
    assert!(project.summary().contains("SECOND"));
    let strict = project.ci(&host, &["--require-comment"], &[("GITHUB_EVENT_PATH", "event.json")]);
    assert_eq!(strict.code, 4, "{}", strict.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forks_template_does_not_print_the_machines_secrets() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    let base = project.commit();
    project.write("event.json", &event("stranger/r", &base));
    let template = "definition_version: 2\nentities:\n  first:\n    type: image-repository\n    identifier: x_<% ctx.env.DEPLOY_TOKEN %>\n";
    project.write("snowflake.yml", template);
    let secret = "hunter2hunter2";
    let variables = [("GITHUB_EVENT_PATH", "event.json"), ("DEPLOY_TOKEN", secret), ("STAGE", "stage_one")];
    let hidden = project.ci(&host, &[], &variables);
    assert_eq!(hidden.code, 1, "templates of forks see nothing: {}", hidden.stdout);
    assert!(hidden.stderr.contains("DEPLOY_TOKEN"), "{}", hidden.stderr);
    // Whoever lets it through sees its name in every view, and never its value.
    let shown = project.ci(&host, &["--allow-os-env", "DEPLOY_TOKEN"], &variables);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("***DEPLOY_TOKEN***"), "{}", shown.stdout);
    let everything = [
        hidden.stdout,
        hidden.stderr,
        shown.stdout,
        shown.stderr,
        project.summary(),
        project.read("outputs"),
    ];
    let comments: Vec<String> = host.comments().into_iter().map(|comment| comment.body).collect();
    for text in everything.iter().chain(&comments) {
        assert!(!text.to_lowercase().contains(secret), "{text}");
    }
    project.write("snowflake.yml", &template.replace("DEPLOY_TOKEN", "STAGE"));
    let named = project.ci(&host, &["--allow-os-env", "STAGE"], &variables);
    assert!(named.stdout.contains("X_STAGE_ONE"), "{}{}", named.stdout, named.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_marked_summarised_and_commented_on() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    project.write("snowflake.yml", "definition_version: 2\nentities:\n  a:\n    type: image-repo\n");
    let ran = project.ci(&host, &["--local"], &[]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("::error file=snowflake.yml,line=4,"), "{}", ran.stdout);
    for text in [project.summary(), host.ours()[0].body.clone()] {
        assert!(text.contains("unknown-type") && text.contains("1 error"), "{text}");
    }
    assert!(project.read("outputs").contains("deployable=false"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_and_a_connection_it_is_still_useful() {
    let project = Project::new();
    let base = project.commit();
    project.write("event.json", &event("o/r", &base));
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "o/r"),
        ("GITHUB_EVENT_PATH", "event.json"),
        ("GITHUB_STEP_SUMMARY", "summary.md"),
    ];
    let ran = project.run(&["ci"], &variables);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("without a connection") && ran.stderr.contains("no token"), "{}", ran.stderr);
    assert!(project.summary().contains("nothing to change"), "{}", project.summary());
    let anywhere = project.run(&["ci", "--local"], &[]);
    assert_eq!((anywhere.code, anywhere.stdout.contains("::")), (0, false), "{}", anywhere.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_on_gitlab_leaves_its_reports_and_one_on_azure_its_commands() {
    let (project, host) = (Project::new(), FakeHost::start().await);
    let api = format!("{}/api/v4", host.url);
    let gitlab = [
        ("GITLAB_CI", "true"),
        ("CI_API_V4_URL", api.as_str()),
        ("CI_MERGE_REQUEST_PROJECT_ID", "5"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_PIPELINE_ID", "1"),
        ("CI_JOB_ID", "1"),
        ("GITLAB_TOKEN", TOKEN),
    ];
    let ran = project.run(&["ci", "--local"], &gitlab);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let numbers: serde_json::Value = serde_json::from_str(&project.read("snowform-terraform.json")).unwrap();
    assert_eq!(numbers, serde_json::json!({ "create": 1, "update": 0, "delete": 0 }));
    assert_eq!(project.read("gl-code-quality-report.json"), "[]");
    assert_eq!(host.ours().len(), 1);

    let azure = [("TF_BUILD", "True"), ("AGENT_TEMPDIRECTORY", ".")];
    let ran = project.run(&["ci", "--local"], &azure);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("##vso[task.uploadsummary]./snowform-plan.md\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("##vso[task.setvariable variable=snowform_changes;isOutput=true]true\n"));
    assert!(project.read("snowform-plan.md").contains("LOCAL.PUBLIC.FIRST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_accounts_history_names_commit_and_run() {
    let (project, account) = (Project::new(), FakeHost::start().await);
    let port = account.url.rsplit(':').next().unwrap().to_owned();
    let connection = [
        ("SNOWFLAKE_ACCOUNT", "a"),
        ("SNOWFLAKE_USER", "u"),
        ("SNOWFLAKE_PASSWORD", "p"),
        ("SNOWFLAKE_HOST", "127.0.0.1"),
        ("SNOWFLAKE_PORT", port.as_str()),
        ("SNOWFLAKE_PROTOCOL", "http"),
    ];
    let run = |more: &[(&str, &str)]| {
        project.run(&["plan", "-x"], &[connection.as_slice(), more].concat());
        let bodies = std::mem::take(&mut account.state.lock().unwrap().bodies);
        let tag = &bodies.first().expect("a login")["data"]["SESSION_PARAMETERS"]["QUERY_TAG"];
        tag.as_str().map(ToOwned::to_owned)
    };
    let build = [("GITHUB_ACTIONS", "true"), ("GITHUB_SHA", "0a1b2c3d"), ("GITHUB_RUN_ID", "77")];
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(run(&build), Some(format!("snowform/{version} commit=0a1b2c3d run=77.1")));
    let own = [build.as_slice(), &[("SNOWFLAKE_QUERY_TAG", "ours")]].concat();
    assert_eq!(run(&own).as_deref(), Some("ours"), "a tag that was chosen stays");
    assert_eq!(run(&[]).as_deref(), Some("snowform"));
}
