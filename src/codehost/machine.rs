//! Which build machine this is, and what it builds: read from the variables that GitHub, GitLab and Azure set. Pure: the
//! variables and the event's text go in.

use super::marker::Run;
use serde_json::Value;
use std::collections::BTreeMap;

/// The code hosts that have requests to comment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// GitHub.
    GitHub,
    /// GitLab.
    GitLab,
    /// Azure DevOps.
    Azure,
}

impl Kind {
    /// As the command line spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Azure => "azure",
        }
    }
}

/// What is known of the build. Everything may be missing: a machine of one's own sets what it likes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// The address of the host's interface.
    pub api: Option<String>,
    /// The repository, as the host names it in its interface.
    pub repository: Option<String>,
    /// The project above it (Azure).
    pub project: Option<String>,
    /// The number of the pull or merge request.
    pub request: Option<u64>,
    /// Which run this is.
    pub run: Option<Run>,
    /// The address of the run's page.
    pub run_url: Option<String>,
    /// The commit that the request proposes.
    pub commit: Option<String>,
    /// The revision that it is compared with.
    pub base: Option<String>,
    /// Whether it comes from somebody else's copy of the repository, to which secrets are not given.
    pub fork: bool,
    /// The token for comments, and whether it is a person's own.
    pub token: Option<(String, bool)>,
}

type Variables = BTreeMap<String, String>;

/// Which machine sets these variables.
pub fn detect(variables: &Variables) -> Option<Kind> {
    let is =
        |name: &str, value: &str| variables.get(name).is_some_and(|said| said.eq_ignore_ascii_case(value));
    match () {
        () if is("GITHUB_ACTIONS", "true") => Some(Kind::GitHub),
        () if is("GITLAB_CI", "true") => Some(Kind::GitLab),
        () if is("TF_BUILD", "true") => Some(Kind::Azure),
        () => None,
    }
}

/// What the variables say. `event`: the text of the file that GitHub describes its event in.
pub fn build(kind: Kind, variables: &Variables, event: Option<&str>) -> Build {
    match kind {
        Kind::GitHub => github(variables, event),
        Kind::GitLab => gitlab(variables),
        Kind::Azure => azure(variables),
    }
}

fn text(variables: &Variables, name: &str) -> Option<String> {
    // Azure leaves what it does not know as `$(Name)`.
    variables.get(name).filter(|value| !value.is_empty() && !value.starts_with("$(")).cloned()
}

fn number(variables: &Variables, name: &str) -> Option<u64> {
    text(variables, name)?.parse().ok()
}

/// Source: docs.github.com `actions/reference/workflows-and-actions/variables` and webhook payloads.
fn github(variables: &Variables, event: Option<&str>) -> Build {
    let event: Value = event.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    let request = &event["pull_request"];
    // A job that runs after another one's: its event names the requests of the same repository.
    let earlier = &event["workflow_run"];
    let full = |side: &str| request[side]["repo"]["full_name"].as_str();
    let said = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let by_reference = || {
        let reference = text(variables, "GITHUB_REF")?;
        reference.strip_prefix("refs/pull/")?.split('/').next()?.parse().ok()
    };
    let repository = text(variables, "GITHUB_REPOSITORY");
    let run = number(variables, "GITHUB_RUN_ID");
    let server = text(variables, "GITHUB_SERVER_URL");
    Build {
        api: text(variables, "GITHUB_API_URL").or_else(|| Some("https://api.github.com".to_owned())),
        request: request["number"]
            .as_u64()
            .or_else(|| earlier["pull_requests"][0]["number"].as_u64())
            .or_else(by_reference),
        run: run.map(|run| (run, number(variables, "GITHUB_RUN_ATTEMPT").unwrap_or(1))),
        run_url: server
            .zip(repository.clone())
            .zip(run)
            .map(|((server, repository), run)| format!("{server}/{repository}/actions/runs/{run}")),
        commit: said(&request["head"]["sha"])
            .or_else(|| said(&earlier["head_sha"]))
            .or_else(|| text(variables, "GITHUB_SHA")),
        base: said(&request["base"]["sha"]),
        // A head without a repository is a fork that was deleted.
        fork: !request.is_null() && full("head") != full("base"),
        token: text(variables, "GITHUB_TOKEN")
            .or_else(|| text(variables, "GH_TOKEN"))
            .map(|token| (token, false)),
        project: None,
        repository,
    }
}

/// Source: docs.gitlab.com `ci/variables/predefined_variables`.
fn gitlab(variables: &Variables) -> Build {
    let target = text(variables, "CI_MERGE_REQUEST_PROJECT_ID");
    let source = text(variables, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID");
    let run = number(variables, "CI_PIPELINE_ID").zip(number(variables, "CI_JOB_ID"));
    Build {
        api: text(variables, "CI_API_V4_URL").or_else(|| Some("https://gitlab.com/api/v4".to_owned())),
        fork: source.is_some() && source != target,
        repository: target.or_else(|| text(variables, "CI_PROJECT_ID")),
        request: number(variables, "CI_MERGE_REQUEST_IID"),
        run,
        run_url: text(variables, "CI_JOB_URL"),
        commit: text(variables, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
            .or_else(|| text(variables, "CI_COMMIT_SHA")),
        base: text(variables, "CI_MERGE_REQUEST_DIFF_BASE_SHA"),
        token: text(variables, "GITLAB_TOKEN").map(|token| (token, true)),
        project: None,
    }
}

/// Source: learn.microsoft.com `azure/devops/pipelines/build/variables`.
fn azure(variables: &Variables) -> Build {
    let collection = text(variables, "SYSTEM_COLLECTIONURI")
        .or_else(|| text(variables, "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"));
    let project = text(variables, "SYSTEM_TEAMPROJECTID").or_else(|| text(variables, "SYSTEM_TEAMPROJECT"));
    let run = number(variables, "BUILD_BUILDID");
    let target = text(variables, "SYSTEM_PULLREQUEST_TARGETBRANCH");
    let run_url = collection.clone().zip(project.clone()).zip(run).map(|((collection, project), run)| {
        format!("{}/{project}/_build/results?buildId={run}", collection.trim_end_matches('/'))
    });
    Build {
        api: collection,
        repository: text(variables, "BUILD_REPOSITORY_ID"),
        request: number(variables, "SYSTEM_PULLREQUEST_PULLREQUESTID"),
        run: run.map(|run| (run, number(variables, "SYSTEM_JOBATTEMPT").unwrap_or(1))),
        run_url,
        commit: text(variables, "SYSTEM_PULLREQUEST_SOURCECOMMITID")
            .or_else(|| text(variables, "BUILD_SOURCEVERSION")),
        base: target.map(|branch| format!("origin/{}", branch.trim_start_matches("refs/heads/"))),
        fork: text(variables, "SYSTEM_PULLREQUEST_ISFORK")
            .is_some_and(|said| said.eq_ignore_ascii_case("true")),
        token: text(variables, "SYSTEM_ACCESSTOKEN")
            .map(|token| (token, false))
            .or_else(|| text(variables, "AZURE_DEVOPS_EXT_PAT").map(|token| (token, true))),
        project,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_fork_on_github_is_told_by_its_event() {
        let event = |head: &str| {
            format!(
                r#"{{"pull_request":{{"number":7,"head":{{"sha":"h","repo":{head}}},"base":{{"sha":"b","repo":{{"full_name":"o/r"}}}}}}}}"#
            )
        };
        let known =
            variables(&[("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "12"), ("GITHUB_RUN_ATTEMPT", "2")]);
        assert_eq!(detect(&known), Some(Kind::GitHub));
        let of = |head: &str| build(Kind::GitHub, &known, Some(&event(head)));
        let own = of(r#"{"full_name":"o/r"}"#);
        assert_eq!(
            (own.request, own.run, own.base.as_deref(), own.fork),
            (Some(7), Some((12, 2)), Some("b"), false)
        );
        assert!(of(r#"{"full_name":"x/r"}"#).fork && of("null").fork);
        assert!(!build(Kind::GitHub, &known, None).fork, "a push is nobody's fork");
    }

    #[test]
    fn a_number_stands_in_the_reference_where_no_event_is_known() {
        let known = variables(&[("GITHUB_REF", "refs/pull/31/merge")]);
        assert_eq!(build(Kind::GitHub, &known, Some("no JSON")).request, Some(31));
    }

    #[test]
    fn gitlab_and_azure_say_it_in_variables() {
        let known = variables(&[
            ("GITLAB_CI", "true"),
            ("CI_MERGE_REQUEST_PROJECT_ID", "5"),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "6"),
            ("CI_PIPELINE_ID", "100"),
            ("CI_JOB_ID", "7"),
        ]);
        let gitlab = build(Kind::GitLab, &known, None);
        assert_eq!(
            (gitlab.repository.as_deref(), gitlab.run, gitlab.fork),
            (Some("5"), Some((100, 7)), true)
        );
        let known = variables(&[
            ("TF_BUILD", "True"),
            ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
            ("SYSTEM_PULLREQUEST_ISFORK", "True"),
            ("SYSTEM_ACCESSTOKEN", "$(System.AccessToken)"),
        ]);
        assert_eq!(detect(&known), Some(Kind::Azure));
        let azure = build(Kind::Azure, &known, None);
        assert_eq!((azure.base.as_deref(), azure.fork, azure.token), (Some("origin/main"), true, None));
    }
}
