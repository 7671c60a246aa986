//! Where text leaves the process: data on standard output, talk on standard error.

use super::error::{CommandError, Exit};
use super::present;
use crate::host::terminal;
use crate::source::diagnostic::Diagnostic;
use crate::source::files::Files;
use crate::view::redact::Secrets;
use crate::view::{diagnostics, escape, json, visible};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

/// How data is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person.
    #[default]
    Text,
    /// For a machine.
    Json,
    /// For a comment of a pull request, cut to its size (plan, show, drift, deploy, destroy).
    #[value(alias = "md")]
    Markdown,
    /// A script for those who run statements by hand (plan, show, drift, deploy, destroy).
    Sql,
    /// A page that opens in a browser without a network (plan, show, drift, deploy, destroy).
    Html,
    /// For code scanning (validate, plan, show, drift, deploy, destroy).
    Sarif,
    /// For GitHub: annotations of the file's lines (the same); for plans also the job's summary and outputs.
    Github,
    /// For GitLab: a code quality report (the same).
    Gitlab,
    /// For GitLab's merge request widget: numbers (plan, show, drift, deploy, destroy).
    GitlabTerraform,
    /// For Azure Pipelines: logging commands (validate, plan, show, drift, deploy, destroy).
    Azure,
    /// For reviewdog (the same).
    Rdjson,
    /// As the official CLI draws tables (image-repository, image-registry).
    Table,
    /// The same as json; the official CLI's name for it (image-repository, image-registry).
    #[value(name = "json_ext")]
    JsonExt,
    /// Comma-separated values (image-repository, image-registry).
    Csv,
}

impl Format {
    /// Whether a command that has a plan to show writes it.
    pub(super) fn shows_plans(self) -> bool {
        !matches!(self, Self::Table | Self::JsonExt | Self::Csv)
    }

    /// Whether a command that has mistakes to show writes it.
    pub(super) fn shows_mistakes(self) -> bool {
        self.shows_plans() && !matches!(self, Self::Markdown | Self::Sql | Self::Html | Self::GitlabTerraform)
    }

    /// Whether everything on standard output is one JSON document, an error too.
    fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::JsonExt | Self::GitlabTerraform)
    }

    /// Whether it marks lines of files, those of an error too.
    fn marks_lines(self) -> bool {
        matches!(self, Self::Sarif | Self::Github | Self::Gitlab | Self::Azure | Self::Rdjson)
    }
}

/// The two streams, and how to write on them.
#[derive(Clone, Debug)]
pub(super) struct Ui {
    /// How data is written.
    pub(super) format: Format,
    /// Whether remarks are left out.
    pub(super) silent: bool,
    /// Whether colour is forbidden.
    pub(super) no_color: bool,
    /// What must not be shown.
    pub(super) secrets: Arc<Secrets>,
}

/// `{"error": …}`.
#[derive(Serialize)]
struct Failed<'a> {
    error: json::ErrorDocument,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    diagnostics: &'a [json::DiagnosticDocument],
}

impl Ui {
    /// Writes data for a person.
    pub(super) fn text(&self, text: &str) {
        write(&mut AutoStream::new(io::stdout(), self.choice(&io::stdout())), text);
    }

    /// Writes data as it is: markup, commands for a build machine.
    pub(super) fn page(&self, text: &str) {
        write(&mut io::stdout(), text);
    }

    /// Writes data for a machine.
    pub(super) fn json(&self, document: &impl Serialize) {
        let mut document = serde_json::to_value(document).expect("internal error: documents have text keys");
        self.secrets.json(&mut document);
        let text = serde_json::to_string_pretty(&document).expect("internal error: a value can be written");
        write(&mut io::stdout(), &format!("{}\n", escape::json(&text)));
    }

    /// Writes data: as text for a person, else as the document for a machine.
    pub(super) fn data<D: Serialize>(&self, text: impl FnOnce() -> String, document: impl FnOnce() -> D) {
        if self.format == Format::Text {
            self.text(&text());
        } else {
            self.json(&document());
        }
    }

    /// Writes a remark.
    pub(super) fn remark(&self, text: &str) {
        if !self.silent {
            self.talk(&format!("{}\n", lines(&self.secrets.redacted(text.to_owned()), "")));
        }
    }

    /// Writes what a person has to know to go on, also where remarks are left out: words of ours, and addresses to sign
    /// in at. Those are shown whole, because an address without one of its parts leads nowhere.
    pub(super) fn notice(&self, text: &str) {
        self.talk(&format!("{}\n", lines(text, "")));
    }

    /// Draws diagnostics as talk.
    pub(super) fn diagnostics(&self, files: &Files, found: &[Diagnostic]) {
        if !found.is_empty() {
            self.talk(&self.draw(files, found));
        }
    }

    /// Diagnostics as a person reads them.
    pub(super) fn draw(&self, files: &Files, found: &[Diagnostic]) -> String {
        let colour = self.choice(&io::stderr()) != ColorChoice::Never;
        let mut found = found.to_vec();
        self.secrets.diagnostics(&mut found);
        // The author's own lines are drawn too, and a secret may stand there.
        escape::log(&self.secrets.redacted(diagnostics::text(files, &found, colour, 110)))
    }

    /// Tells why a command failed: on standard error, and as JSON on standard output where JSON is asked for.
    pub(super) fn error(&self, error: &CommandError, files: &Files) {
        let CommandError { exit, code: _, message, help, query_id, diagnostics } = error;
        if self.format.is_json() {
            let found = json::diagnostics(diagnostics, files);
            self.json(&Failed { error: error.document(), diagnostics: &found });
            return;
        }
        if self.format.marks_lines() && *exit != Exit::Usage {
            present::failure(error, files, self);
        }
        self.diagnostics(files, diagnostics);
        let (message, help) = (&self.secrets.redacted(message.clone()), &self.secrets.redacted(help.clone()));
        let (bad, bold) = (Style::new().fg_color(Some(AnsiColor::Red.into())).bold(), Style::new().bold());
        let mut text = format!("{bad}error{bad:#}: {bold}{}{bold:#}\n", lines(message, "  "));
        if let Some(query_id) = query_id {
            let _ = writeln!(text, "  query id {}", visible(query_id));
        }
        if !help.is_empty() {
            let _ = writeln!(text, "  {}", lines(help, "  "));
        }
        self.talk(&text);
    }

    /// Asks a person, whoever is silent otherwise.
    pub(super) fn ask(&self, question: &str) {
        // What is asked about is named by a definition, whose templates may read the environment.
        let question = self.secrets.redacted(question.to_owned());
        self.talk(&question.lines().map(visible).collect::<Vec<_>>().join("\n"));
        if question.ends_with('\n') {
            self.talk("\n");
        }
    }

    /// Writes over the line of progress; `last` ends it.
    pub(super) fn progress(&self, text: &str, last: bool) {
        self.talk(&format!("\r{text}{}", if last { "\n" } else { "" }));
    }

    fn talk(&self, text: &str) {
        write(&mut AutoStream::new(io::stderr(), self.choice(&io::stderr())), text);
    }

    fn choice(&self, stream: &impl anstream::stream::RawStream) -> ColorChoice {
        if self.no_color { ColorChoice::Never } else { AutoStream::choice(stream) }
    }
}

/// Writes what is for the machine that runs us: commands in its log.
pub(super) fn machine(text: &str) {
    write(&mut io::stdout(), text);
}

/// The same beside the data, on standard error; commands count on either stream.
pub(super) fn machine_aside(text: &str) {
    write(&mut io::stderr(), text);
}

/// Whether progress may be shown.
pub(super) fn shows_progress(ui: &Ui) -> bool {
    ui.format == Format::Text && !ui.silent && terminal::stderr_is_terminal()
}

/// Line ends are layout; what stands on the lines may come from anywhere.
fn lines(text: &str, indent: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join(&format!("\n{indent}"))
}

/// A reader that has gone away is no error of ours.
fn write(stream: &mut impl io::Write, text: &str) {
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.flush();
}
