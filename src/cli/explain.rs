//! `snowform explain`: what a code means, with an example of the mistake and of its mending. The pages under `docs/codes`
//! are made from the same.

use super::codes::{self, Explained};
use super::error::{CommandError, Exit};
use super::ui::Ui;
use crate::object::statement::HazardKind;
use crate::rule;
use crate::source::diagnostic::{Rule, Severity, did_you_mean};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Say what a code means: of a mistake, a hazard, a refusal, an error, or an exit code
#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// A code such as `unknown-key` or `drops-images`, or an exit code; without one, all of them
    pub(super) code: Option<String>,
}

/// One meaning of a code; a word may be that of a mistake in a file and of an error on the command line.
#[derive(Clone, Copy)]
enum Meaning {
    Mistake(&'static Rule),
    Hazard(HazardKind),
    Refusal(&'static Explained),
    Failure(&'static Explained),
    Ending(Exit, &'static str),
}

impl Meaning {
    /// Every meaning there is, in the order in which they are listed.
    fn all() -> Vec<Self> {
        let mistakes = rule::all().into_iter().map(Self::Mistake);
        let hazards = HazardKind::ALL.iter().map(|kind| Self::Hazard(*kind));
        let refusals = codes::PROBLEMS.iter().map(Self::Refusal);
        let failures = codes::ERRORS.iter().map(Self::Failure);
        let endings = Exit::ALL.iter().map(|(exit, words)| Self::Ending(*exit, words));
        mistakes.chain(hazards).chain(refusals).chain(failures).chain(endings).collect()
    }

    fn code(self) -> String {
        match self {
            Self::Mistake(rule) => rule.code.to_owned(),
            Self::Hazard(kind) => kind.name().to_owned(),
            Self::Refusal(explained) | Self::Failure(explained) => explained.code.to_owned(),
            Self::Ending(exit, _) => (exit as u8).to_string(),
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Mistake(Rule { severity: Severity::Error, .. }) => "error",
            Self::Mistake(Rule { severity: Severity::Warning, .. }) => "warning",
            Self::Hazard(_) => "hazard",
            Self::Refusal(_) => "problem of a plan",
            Self::Failure(_) => "error of a command",
            Self::Ending(..) => "exit code",
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::Mistake(rule) => rule.summary,
            Self::Hazard(kind) => kind.meaning(),
            Self::Refusal(explained) | Self::Failure(explained) => explained.summary,
            Self::Ending(_, words) => words,
        }
    }

    /// Why, and what to do; in Markdown that is readable as it is.
    fn help(self) -> String {
        match self {
            Self::Mistake(rule) => rule.why.to_owned(),
            Self::Hazard(kind) => format!(
                "A statement of a plan carries it, and says what exactly would be lost or opened. `snowform deploy` refuses \
                 such a plan (exit code 3) and changes nothing, until the hazard is allowed by name: `--allow {kind}`, or \
                 `allow: [{kind}]` for one entity in snowform.yml."
            ),
            Self::Refusal(explained) => format!(
                "{}\n\nA plan with this problem can be shown, and is never carried out (exit code {}).",
                explained.help, explained.exit as u8
            ),
            Self::Failure(explained) => {
                format!("{}\n\nThe command ends with exit code {}.", explained.help, explained.exit as u8)
            }
            Self::Ending(..) => "The same for every command and every format.".to_owned(),
        }
    }

    fn examples(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Mistake(rule) => Some((rule.bad, rule.good)),
            Self::Hazard(_) | Self::Refusal(_) | Self::Failure(_) | Self::Ending(..) => None,
        }
    }

    fn text(self) -> String {
        let mut text = format!("{} {}: {}\n\n{}\n", self.kind(), self.code(), self.summary(), self.help());
        let indented = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
        if let Some((bad, good)) = self.examples() {
            let _ =
                write!(text, "\nThis is wrong:\n\n{}\nThis is right:\n\n{}", indented(bad), indented(good));
        }
        text
    }

    fn document(self) -> Value {
        let mut document = json!({
            "code": self.code(), "kind": self.kind(), "summary": self.summary(), "why": self.help(),
        });
        if let Some((bad, good)) = self.examples() {
            document["bad"] = bad.into();
            document["good"] = good.into();
        }
        document
    }

    fn page(self) -> String {
        let mut page = format!("**{}**: {}.\n\n{}\n", self.kind(), self.summary(), self.help());
        if let Some((bad, good)) = self.examples() {
            let _ = write!(page, "\nWrong:\n\n```yaml\n{bad}```\n\nRight:\n\n```yaml\n{good}```\n");
        }
        page
    }
}

/// The pages of `docs/codes`: names of files and what stands in them. Every code has one.
pub fn pages() -> BTreeMap<String, String> {
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    let mut index = "# Codes\n\nWritten by `SNOWFORM_BLESS=1 cargo test --test codes`; `snowform explain CODE` says the same.\n\n| code | is | means |\n|---|---|---|\n".to_owned();
    for meaning in Meaning::all() {
        let code = meaning.code();
        let file = match meaning {
            Meaning::Ending(..) => format!("exit-{code}.md"),
            _ => format!("{code}.md"),
        };
        let _ = writeln!(index, "| [{code}]({file}) | {} | {} |", meaning.kind(), meaning.summary());
        let page = pages.entry(file).or_insert_with(|| format!("# {code}\n"));
        let _ = write!(page, "\n{}", meaning.page());
    }
    pages.insert("README.md".to_owned(), index);
    pages
}

pub(super) fn run(args: &ExplainArgs, ui: &Ui) -> Result<Exit, CommandError> {
    let all = Meaning::all();
    let Some(code) = &args.code else {
        let line = |meaning: &Meaning| format!("{:<24} {}\n", meaning.code(), meaning.summary());
        let document = |meaning: &Meaning| json!({ "code": meaning.code(), "summary": meaning.summary() });
        ui.data(|| all.iter().map(line).collect(), || all.iter().map(document).collect::<Vec<_>>());
        return Ok(Exit::Done);
    };
    let meant: Vec<Meaning> = all.iter().copied().filter(|meaning| meaning.code() == *code).collect();
    match meant.as_slice() {
        [] => Err(unknown(code, &all)),
        meant => {
            let texts: Vec<String> = meant.iter().map(|meaning| meaning.text()).collect();
            ui.data(|| texts.join("\n"), || meant[0].document());
            Ok(Exit::Done)
        }
    }
}

fn unknown(code: &str, all: &[Meaning]) -> CommandError {
    let known: Vec<String> = all.iter().map(|meaning| meaning.code()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let is_number = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    let help = match did_you_mean(code, &known) {
        Some(near) if !is_number => format!("did you mean `{near}`?"),
        _ if is_number && code.len() > 3 => {
            "this is a code of the account's own; Snowflake documents it".to_owned()
        }
        _ => "all of them are listed by\nsnowform explain".to_owned(),
    };
    CommandError::new(Exit::Usage, "unknown-code", format!("there is no code `{code}`"), help)
}
