//! A project in a repository, and the real binary run in it as build machines run it.

use crate::host::FakeHost;
use std::fs;
use std::path::Path;
use std::process::Command;

pub(crate) const TOKEN: &str = "ghs_0123456789abcdefghij";

pub(crate) struct Project {
    directory: tempfile::TempDir,
}

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    /// One repository is declared and not there: its plan has a change.
    pub(crate) fn new() -> Self {
        let project = Self { directory: tempfile::tempdir().unwrap() };
        project.declare("first");
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    /// A file's text; nothing where it is not there.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// Makes the plan another one.
    pub(crate) fn declare(&self, name: &str) {
        self.write(
            "snowflake.yml",
            &format!("definition_version: 2\nentities:\n  {name}:\n    type: image-repository\n"),
        );
        let planned = self.run(&["plan", "--local", "--out", "plan.json"], &[]);
        assert_eq!(planned.code, 0, "{}", planned.stderr);
    }

    pub(crate) fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_snowform"));
        command.args(arguments).current_dir(self.path()).env_clear().env("HOME", self.path());
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(variables.iter().copied());
        let mut run = || command.output().unwrap();
        let on_a_runtime = tokio::runtime::Handle::try_current().is_ok();
        let output = if on_a_runtime { tokio::task::block_in_place(run) } else { run() };
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        let ran = Ran { code, stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!ran.stdout.contains(TOKEN) && !ran.stderr.contains(TOKEN), "the token was shown");
        ran
    }

    /// The variables that GitHub sets in a run of this number.
    fn on_github<'a>(host: &'a FakeHost, run: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", host.url.as_str()),
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_REF", "refs/pull/7/merge"),
            ("GITHUB_RUN_ID", run),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_TOKEN", TOKEN),
            ("GITHUB_STEP_SUMMARY", "summary.md"),
            ("GITHUB_OUTPUT", "outputs"),
        ]
    }

    /// Comments as a workflow on GitHub does.
    pub(crate) fn github(&self, host: &FakeHost, run: &str, more: &[&str]) -> Ran {
        self.run(&[&["comment", "github", "plan.json"], more].concat(), &Self::on_github(host, run))
    }

    /// Runs `ci` as a workflow on GitHub does.
    pub(crate) fn ci(&self, host: &FakeHost, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let variables = [Self::on_github(host, "10"), variables.to_vec()].concat();
        self.run(&[&["ci"], arguments].concat(), &variables)
    }

    pub(crate) fn summary(&self) -> String {
        self.read("summary.md")
    }

    /// Commits everything that is there, and tells the commit.
    pub(crate) fn commit(&self) -> String {
        let git = |arguments: &[&str]| {
            let author =
                ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false"];
            let output =
                Command::new("git").args(author).args(arguments).current_dir(self.path()).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        git(&["init", "-q", "-b", "main"]);
        git(&["add", "*.yml"]);
        git(&["commit", "-q", "--allow-empty", "-m", "c"]);
        git(&["rev-parse", "HEAD"])
    }
}
