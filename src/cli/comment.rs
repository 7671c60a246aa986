//! `snowform comment`: puts a saved plan into a pull or merge request, once, and keeps it current.

use super::error::{CommandError, Exit};
use super::present;
use super::ui::{Format, Ui};
use crate::codehost::machine::{self, Build, Kind};
use crate::codehost::marker::{Marker, Run};
use crate::codehost::{self, Azure, CodeHost, Draft, GitHub, GitLab, HostError, MOST_BYTES, Posted};
use crate::host::{environment, files};
use crate::view::escape;
use crate::view::markdown;
use clap::{Args, ValueEnum};
use secrecy::SecretString;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Bytes of a comment that are left for its hidden line and its last one.
const RESERVED: usize = 2_000;

/// Put a saved plan into a pull or merge request, once, and keep it current
///
/// Finds its own earlier comment by a hidden line and by its author, and replaces it; a later run's is left alone. Where
/// the token may not write, says so, writes the comment to standard output and exits 4.
#[derive(Args, Debug)]
pub(super) struct CommentArgs {
    /// Where the request is
    #[arg(value_enum)]
    host: HostName,
    /// A plan that `snowform plan --out` wrote
    file: PathBuf,
    #[command(flatten)]
    request: RequestArgs,
    /// Write a comment where there is none although nothing would change
    #[arg(long)]
    always: bool,
    /// Write the comment to standard output and nowhere else
    #[arg(long)]
    dry_run: bool,
}

/// Which request, and which comment of it.
#[derive(Args, Clone, Debug)]
pub(super) struct RequestArgs {
    /// Which of several comments of one request this is: a stage, a directory
    #[arg(long, default_value = "plan", value_parser = tag)]
    pub(super) tag: String,
    /// Repository: OWNER/NAME on GitHub, id or path on GitLab, id on Azure [default: the build machine's]
    #[arg(long, value_name = "REPOSITORY")]
    repo: Option<String>,
    /// Number of the pull or merge request [default: the build machine's]
    #[arg(long, value_name = "NUMBER")]
    pr: Option<u64>,
    /// Which run this is, a number that grows; an older one does not replace a later one's comment [default: the build
    /// machine's]
    #[arg(long, value_name = "NUMBER")]
    run: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HostName {
    /// GitHub; the token is GITHUB_TOKEN
    Github,
    /// GitLab; the token is GITLAB_TOKEN, with scope `api`
    Gitlab,
    /// Azure Repos; the token is SYSTEM_ACCESSTOKEN
    Azure,
    /// The one whose build machine this is
    Auto,
}

fn tag(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./ ".contains(c);
    if text.is_empty() || text.len() > 100 || !text.chars().all(plain) {
        return Err("a tag has at most 100 letters, digits, blanks, `-`, `_`, `.` and `/`".to_owned());
    }
    Ok(text.to_owned())
}

/// The build machine's own words on this run.
pub(super) fn here(kind: Kind) -> Build {
    let variables = environment::variables();
    let event =
        variables.get("GITHUB_EVENT_PATH").and_then(|path| files::read_to_string(Path::new(path)).ok());
    machine::build(kind, &variables, event.as_deref())
}

pub(super) async fn run(args: &CommentArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let saved = super::show::read(&args.file)?;
    let kind = match args.host {
        HostName::Github => Kind::GitHub,
        HostName::Gitlab => Kind::GitLab,
        HostName::Azure => Kind::Azure,
        HostName::Auto => machine::detect(&environment::variables()).ok_or_else(unknown_machine)?,
    };
    let build = args.request.over(here(kind));
    let report = present::relocated(&saved.plan(), &saved.files, ui);
    let page = markdown::document(
        &report,
        &title(&args.request.tag),
        present::blob().as_deref(),
        MOST_BYTES - RESERVED,
    );
    let worth = args.always || report.has_changes() || !report.problems.is_empty();
    let draft = draft(&args.request.tag, &build, page, worth);
    if args.dry_run {
        ui.page(&draft.text);
        return Ok(Exit::Done);
    }
    match send(kind, &build, &draft).await {
        Ok(posted) => {
            tell(&posted, ui);
            Ok(Exit::Done)
        }
        Err(error) => {
            // What could not be posted is not lost.
            if ui.format == Format::Text {
                ui.page(&draft.text);
            }
            present::append("GITHUB_STEP_SUMMARY", &draft.text)?;
            Err(error)
        }
    }
}

/// The title of a comment.
pub(super) fn title(tag: &str) -> String {
    if tag == "plan" { present::TITLE.to_owned() } else { format!("{} {tag}", present::TITLE) }
}

impl RequestArgs {
    /// What was said on the command line is stronger than the machine's words.
    pub(super) fn over(&self, build: Build) -> Build {
        let Self { tag: _, repo, pr, run } = self;
        Build {
            repository: repo.clone().or(build.repository),
            request: pr.or(build.request),
            run: run.map(|run| -> Run { (run, 1) }).or(build.run),
            ..build
        }
    }
}

/// The comment: hidden line, page, and where it comes from.
pub(super) fn draft(tag: &str, build: &Build, page: String, worth_a_new_one: bool) -> Draft {
    let commit = build.commit.as_deref();
    let mut words = Vec::new();
    if let Some(commit) = commit {
        words.push(escape::markdown(&commit.chars().take(8).collect::<String>(), 8));
    }
    // An address of the machine's own, with nothing in it that could end it.
    let plain =
        |url: &&String| url.starts_with("http") && !url.contains([' ', ')', '(', '<', '>', '\n', '"']);
    if let Some(url) = build.run_url.as_ref().filter(plain) {
        words.push(format!("[run]({url})"));
    }
    words.push(format!("snowform {}", env!("CARGO_PKG_VERSION")));
    let text = format!("{page}\n{}\n", words.join(" · "));
    Draft { marker: Marker::new(tag, build.run, commit), text, worth_a_new_one }
}

/// Posts a draft to the request that the build is about.
pub(super) async fn send(kind: Kind, build: &Build, draft: &Draft) -> Result<Posted, CommandError> {
    let host = host(kind, build)?;
    codehost::post(&host, draft).await.map_err(refused)
}

fn host(kind: Kind, build: &Build) -> Result<CodeHost, CommandError> {
    let request = build.request.ok_or_else(|| missing("the number of the request", "--pr NUMBER"))?;
    let repository =
        build.repository.as_deref().ok_or_else(|| missing("the repository", "--repo REPOSITORY"))?;
    let api =
        build.api.as_deref().ok_or_else(|| missing("the address of the host", "SYSTEM_COLLECTIONURI"))?;
    let (token, personal) = build.token.clone().ok_or_else(|| no_token(kind))?;
    let token = SecretString::from(token);
    let host = match kind {
        Kind::GitHub => {
            let in_workflow = environment::variables().contains_key("GITHUB_ACTIONS");
            GitHub::new(api, token, repository, request, in_workflow).map(CodeHost::GitHub)
        }
        Kind::GitLab => GitLab::new(api, token, repository, request).map(CodeHost::GitLab),
        Kind::Azure => {
            let project =
                build.project.as_deref().ok_or_else(|| missing("the project", "SYSTEM_TEAMPROJECT"))?;
            Azure::new(api, token, personal, project, repository, request).map(CodeHost::Azure)
        }
    };
    host.map_err(refused)
}

fn missing(what: &str, how: &str) -> CommandError {
    let message = format!("the build machine does not say {what}");
    CommandError::new(Exit::Failed, "no-ci", message, format!("say it: {how}"))
}

fn unknown_machine() -> CommandError {
    let help = "name the host: github, gitlab or azure";
    CommandError::new(Exit::Failed, "no-ci", "this is no build machine of GitHub, GitLab or Azure", help)
}

fn no_token(kind: Kind) -> CommandError {
    let help = match kind {
        Kind::GitHub => "set GITHUB_TOKEN: ${{ github.token }}, with `permissions: pull-requests: write`",
        Kind::GitLab => {
            "set GITLAB_TOKEN to a project access token with scope `api`; CI_JOB_TOKEN may not comment"
        }
        Kind::Azure => "set SYSTEM_ACCESSTOKEN: $(System.AccessToken) in the step's env",
    };
    CommandError::new(Exit::Unauthorised, "comment-not-allowed", "there is no token to comment with", help)
}

fn refused(error: HostError) -> CommandError {
    let message = format!("the comment was not posted: {error}");
    match error {
        HostError::NotAllowed { .. } => {
            let help = "builds of forks may only read; elsewhere the token needs the right to write comments";
            CommandError::new(Exit::Unauthorised, "comment-not-allowed", message, help)
        }
        HostError::Failed { .. } | HostError::Unreachable { .. } | HostError::Unclear { .. } => {
            CommandError::new(
                Exit::Failed,
                "comment-failed",
                message,
                "nothing else was changed; run it again later",
            )
        }
    }
}

/// Says what became of a comment: its address is data.
pub(super) fn tell(posted: &Posted, ui: &Ui) {
    let word = match posted {
        Posted::Created(_) => "created",
        Posted::Updated(_) => "updated",
        Posted::Unchanged(_) => "unchanged",
        Posted::Superseded(_) => "superseded",
        Posted::NotNeeded => "not-needed",
    };
    let url = address(posted);
    ui.data(
        || url.map(|url| format!("{}\n", escape::visible(url))).unwrap_or_default(),
        || json!({ "comment": word, "url": url }),
    );
    ui.remark(said(posted));
}

/// What became of a comment, in words.
pub(super) fn said(posted: &Posted) -> &'static str {
    match posted {
        Posted::Created(_) => "the comment was written",
        Posted::Updated(_) => "the comment was brought up to date",
        Posted::Unchanged(_) => "the comment says that already",
        Posted::Superseded(_) => "a later run has written the comment, so it stays",
        Posted::NotNeeded => "nothing would change, and there is no comment that says otherwise",
    }
}

/// The address of a comment, where the host tells it.
pub(super) fn address(posted: &Posted) -> Option<&String> {
    match posted {
        Posted::Created(url) | Posted::Updated(url) | Posted::Unchanged(url) | Posted::Superseded(url) => {
            url.as_ref()
        }
        Posted::NotNeeded => None,
    }
}
