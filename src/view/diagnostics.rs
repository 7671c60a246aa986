//! Diagnostics as a person reads them: drawn on the author's text by miette. The only place that knows miette.

use super::{counted, visible};
use crate::source::diagnostic::{Diagnostic, Label, Severity};
use crate::source::files::Files;
use crate::source::span::FileId;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};
use std::fmt::{self, Write as _};

/// Drawing many diagnostics of a large file is slow, and nobody reads them; the rest is counted.
const DRAWN: usize = 100;

/// All of them, and a line that counts them.
pub fn text(files: &Files, found: &[Diagnostic], colour: bool, width: usize) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width)
        .with_links(false)
        .with_context_lines(1)
        .with_break_words(false);
    let mut out = String::new();
    for diagnostic in found.iter().take(DRAWN) {
        let drawn = Drawn::new(files, diagnostic);
        // Writing to a String does not fail.
        let _ = handler.render_report(&mut out, &drawn);
        out.push('\n');
    }
    let more = found.len().saturating_sub(DRAWN);
    if more > 0 {
        let _ = writeln!(out, "… and {}", counted(more, "more problem"));
    }
    out.push_str(&totals(found));
    out
}

fn totals(found: &[Diagnostic]) -> String {
    let of = |severity| found.iter().filter(|d| d.rule.severity == severity).count();
    let parts: Vec<String> = [(of(Severity::Error), "error"), (of(Severity::Warning), "warning")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| counted(number, noun))
        .collect();
    if parts.is_empty() { String::new() } else { format!("{}\n", parts.join(", ")) }
}

/// A diagnostic in miette's terms. miette labels one text only, so places in other files become related reports.
struct Drawn<'a> {
    diagnostic: &'a Diagnostic,
    message: String,
    /// Missing where a line is too long to be drawn; then the message says the place.
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Elsewhere>,
}

impl<'a> Drawn<'a> {
    fn new(files: &Files, diagnostic: &'a Diagnostic) -> Self {
        let file = diagnostic.primary.span.file;
        let message = visible(&diagnostic.message);
        if !files.is_drawable(diagnostic.primary.span) {
            let at = files.start(diagnostic.primary.span);
            let place = format!("{}:{}:{}", visible(files.path(file)), at.line, at.column);
            let label = visible(&diagnostic.primary.text);
            let message = format!("{}: {} ({place})", cut(&message), cut(&label));
            return Self { diagnostic, message, source: None, labels: Vec::new(), elsewhere: Vec::new() };
        }
        let mut labels = vec![label(&diagnostic.primary, true)];
        let (here, other): (Vec<&Label>, Vec<&Label>) = diagnostic
            .related
            .iter()
            .filter(|related| files.is_drawable(related.span))
            .partition(|r| r.span.file == file);
        labels.extend(here.into_iter().map(|related| label(related, false)));
        let elsewhere = other.into_iter().map(|related| Elsewhere::new(files, related)).collect();
        Self { diagnostic, message, source: Some(source(files, file)), labels, elsewhere }
    }
}

/// The beginning of a text that may be very long.
fn cut(text: &str) -> String {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn source(files: &Files, file: FileId) -> NamedSource<String> {
    NamedSource::new(files.path(file), files.text(file).to_owned())
}

fn label(label: &Label, primary: bool) -> LabeledSpan {
    let text = (!label.text.is_empty()).then(|| visible(&label.text));
    let (start, len) = (label.span.start as usize, (label.span.end - label.span.start) as usize);
    if primary {
        LabeledSpan::new_primary_with_span(text, (start, len))
    } else {
        LabeledSpan::new(text, start, len)
    }
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Drawn<'_> {}

impl miette::Diagnostic for Drawn<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(self.diagnostic.rule.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.rule.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let help = self.diagnostic.help.as_ref()?;
        // The help's own line ends are layout; what stands on the lines may come from the file.
        Some(Box::new(help.lines().map(visible).collect::<Vec<_>>().join("\n")))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'b>(&'b self) -> Option<Box<dyn Iterator<Item = &'b dyn miette::Diagnostic> + 'b>> {
        if self.elsewhere.is_empty() {
            return None;
        }
        Some(Box::new(self.elsewhere.iter().map(|other| other as &dyn miette::Diagnostic)))
    }
}

/// A place in another file than the diagnostic's.
struct Elsewhere {
    text: String,
    source: NamedSource<String>,
    label: LabeledSpan,
}

impl Elsewhere {
    fn new(files: &Files, related: &Label) -> Self {
        Self {
            text: visible(&related.text),
            source: source(files, related.span.file),
            label: label(related, true),
        }
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Elsewhere {}

impl miette::Diagnostic for Elsewhere {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(self.label.clone())))
    }
}
