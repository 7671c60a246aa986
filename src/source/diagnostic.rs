//! What is wrong in an author's text: which rule, where, and what to do about it.
//!
//! A [`Rule`] is declared once, beside the code that finds the mistake; `rule::ALL` lists them for `explain` and
//! the documentation.

use super::span::Span;

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The definition cannot be used.
    Error,
    /// The definition can be used, and probably does not do what was meant.
    Warning,
}

/// A kind of mistake, with the code that never changes.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stable code: `unknown-key`.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// One sentence without anything from the user's text.
    pub summary: &'static str,
    /// Why it is a mistake, for `explain`.
    pub why: &'static str,
    /// A definition that makes the mistake. A line `# file: NAME` begins another file of the same project.
    pub bad: &'static str,
    /// The same without it.
    pub good: &'static str,
}

/// A place and what to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What stands there; may be empty.
    pub text: String,
}

/// An edit that mends the mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What the edit does, as an imperative: "rename it to `my_repo`".
    pub title: String,
    /// What it replaces.
    pub span: Span,
    /// What it puts there.
    pub replacement: String,
}

/// One mistake in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of mistake.
    pub rule: &'static Rule,
    /// This particular mistake, in a sentence.
    pub message: String,
    /// The place of the mistake.
    pub primary: Label,
    /// Other places that explain it, such as the first of two duplicates.
    pub related: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// An edit that does it.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A mistake at a place; `label` is what is drawn under it.
    pub fn new(
        rule: &'static Rule,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            message: message.into(),
            primary: Label { span, text: label.into() },
            related: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points at another place.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label { span, text: text.into() });
        self
    }

    /// Offers an edit.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { title: title.into(), span, replacement: replacement.into() });
        self
    }

    /// Whether it stops a deploy.
    pub fn is_error(&self) -> bool {
        self.rule.severity == Severity::Error
    }
}

/// Everything that was found in one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Keeps those that are true.
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.0.retain(keep);
    }

    /// Whether any of them stops a deploy.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }

    /// How many there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.0.iter().filter(|found| found.rule.severity == severity).count()
    }

    /// Takes them out in the order of their places; the same mistake in the same place is said once.
    #[must_use]
    pub fn sorted(mut self) -> Vec<Diagnostic> {
        self.0.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.primary.span, d.rule.severity, d.rule.code);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        self.0.dedup();
        self.0
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, iter: T) {
        self.0.extend(iter);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The candidate that `written` was probably meant to be, if one is near enough.
pub fn did_you_mean<'a>(written: &str, candidates: &[&'a str]) -> Option<&'a str> {
    similar::get_close_matches(written, candidates, 1, 0.6).into_iter().next()
}
