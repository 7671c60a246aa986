//! YAML as the official loader reads it: every scalar is a string, nothing is merged, tags are kept aside.
//!
//! The official loader is PyYAML's `BaseLoader`, so `true`, `1.5` and an empty value are the strings `true`,
//! `1.5` and ``, and `<<` is a key like any other. Aliases share their anchor's node, so that a document in
//! which aliases multiply costs no more than its text.

use super::diagnostic::{Diagnostic, Diagnostics, Rule, Severity};
use super::span::{FileId, Span, Spanned};
use granit_parser::{Event, Parser, ScalarStyle};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The text is no YAML.
pub static YAML_SYNTAX: Rule = Rule {
    code: "yaml-syntax",
    severity: Severity::Error,
    summary: "the file is not valid YAML",
    why: "A file that is no YAML says nothing. snow stops with an unexpected exception here, without a place.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: 'image-repository\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n",
};

/// A tab outside quotes, block texts and comments. YAML 1.2 allows some of them, the official loader none.
pub static TAB: Rule = Rule {
    code: "tab",
    severity: Severity::Error,
    summary: "a tab stands where the official loader allows spaces only",
    why: "YAML 1.2 allows tabs between values; the loader of snow does not, and stops with an unexpected exception.",
    bad: "definition_version: 2\t\n",
    good: "definition_version: 2\n",
};

/// A key stands twice in one mapping.
pub static DUPLICATE_KEY: Rule = Rule {
    code: "duplicate-key",
    severity: Severity::Error,
    summary: "a key is written twice",
    why: "Of two equal keys one would be lost. Both places are shown.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: a\n    identifier: b\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: a\n",
};

/// More than one document in a file.
pub static MULTIPLE_DOCUMENTS: Rule = Rule {
    code: "multiple-documents",
    severity: Severity::Error,
    summary: "the file holds more than one YAML document",
    why: "A definition is one document; what stands behind `---` would not be read.",
    bad: "definition_version: 2\n---\ndefinition_version: 2\n",
    good: "definition_version: 2\n",
};

/// One value of the document.
#[derive(Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it stands, without its tag and anchor.
    pub span: Span,
    /// An explicit tag, as written (`!override`).
    pub tag: Option<Spanned<String>>,
    /// What it is.
    pub data: Data,
    /// Whether a template was rendered to it: then its text does not stand in the file as it is.
    pub rendered: bool,
}

/// What a node is.
#[derive(Debug, PartialEq, Eq)]
pub enum Data {
    /// A text; everything that is neither a list nor a mapping.
    Scalar(String),
    /// A list.
    Sequence(Vec<Arc<Node>>),
    /// Keys and values, in the order of the text.
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Spanned<String>,
    /// The value.
    pub value: Arc<Node>,
}

impl Node {
    /// The text of a scalar.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(text) => Some(text),
            Data::Sequence(_) | Data::Mapping(_) => None,
        }
    }

    /// The entries of a mapping.
    pub fn as_mapping(&self) -> Option<&[Entry]> {
        match &self.data {
            Data::Mapping(entries) => Some(entries),
            Data::Scalar(_) | Data::Sequence(_) => None,
        }
    }

    /// The entry of a mapping by its key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_mapping()?.iter().find(|entry| entry.key.value == key)
    }

    /// Whether both hold the same values, wherever they stand. The order of keys does not matter.
    pub fn same_value(&self, other: &Self) -> bool {
        same_value(self, other, &mut HashSet::new())
    }

    /// What a person calls this: `text`, `list`, `mapping`, `nothing`.
    pub fn noun(&self) -> &'static str {
        match &self.data {
            Data::Scalar(text) if text.is_empty() => "nothing",
            Data::Scalar(_) => "text",
            Data::Sequence(_) => "a list",
            Data::Mapping(_) => "a mapping",
        }
    }
}

/// Collections that were found to be the same are not compared again: aliases may stand for them many times over.
fn same_value(a: &Node, b: &Node, known: &mut HashSet<(*const Node, *const Node)>) -> bool {
    if std::ptr::eq(a, b) || known.contains(&(std::ptr::from_ref(a), std::ptr::from_ref(b))) {
        return true;
    }
    let same = match (&a.data, &b.data) {
        (Data::Scalar(a), Data::Scalar(b)) => return a == b,
        (Data::Sequence(a), Data::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b, known))
        }
        (Data::Mapping(a), Data::Mapping(b)) => {
            let mut held = |x: &Entry| {
                b.iter().any(|y| x.key.value == y.key.value && same_value(&x.value, &y.value, known))
            };
            a.len() == b.len() && a.iter().all(&mut held)
        }
        _ => false,
    };
    if same {
        known.insert((std::ptr::from_ref(a), std::ptr::from_ref(b)));
    }
    same
}

/// What a text was read as.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The document. Missing where the text is no YAML at all; a text without any content is an empty scalar.
    pub root: Option<Arc<Node>>,
    /// What is wrong with the YAML.
    pub diagnostics: Diagnostics,
    /// The keys whose values a syntax error cut short: what they seem to lack may stand behind the error.
    pub unfinished: BTreeSet<Span>,
    /// Where quoted and block texts stand, in the order of the text.
    pub texts: Vec<Span>,
    /// Where the text stopped being YAML, if it did.
    pub broken: Option<Broken>,
}

/// A place where reading had to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The offset that the parser complains of.
    pub at: usize,
    /// Where the bracket or brace opened that was not closed yet, the outermost one.
    pub flow: Option<usize>,
    /// Behind the last text or collection that was read whole.
    pub read: usize,
}

/// Reads one document.
pub fn parse(file: FileId, text: &str) -> Parsed {
    let mut builder = Builder {
        file,
        text,
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        diagnostics: Diagnostics::default(),
        unfinished: BTreeSet::new(),
        texts: Vec::new(),
        read: 0,
        broken: None,
    };
    let options = granit_parser::options! { emit_unresolved_aliases: true };
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((Event::DocumentStart(..), span)) => {
                documents += 1;
                if documents == 2 {
                    builder.second_document(span);
                    break;
                }
            }
            Ok((event, span)) => builder.event(event, span),
            Err(error) => {
                builder.syntax_error(&error);
                break;
            }
        }
    }
    builder.finish()
}

/// A collection whose end has not come yet.
struct Open {
    start: Span,
    tag: Option<Spanned<String>>,
    anchor: usize,
    flow: bool,
    children: Children,
}

enum Children {
    Sequence(Vec<Arc<Node>>),
    Mapping { entries: Vec<Entry>, seen: Seen, key: Option<Spanned<String>> },
}

/// The keys of a mapping. Few are searched one by one; only of many an index pays.
#[derive(Default)]
struct Seen {
    index: HashMap<String, Span>,
    /// How many of the entries are in the index.
    indexed: usize,
}

impl Seen {
    /// Where a key was written first, if it was written among the entries so far.
    fn first(&mut self, entries: &[Entry], key: &str) -> Option<Span> {
        const FEW: usize = 16;
        if entries.len() <= FEW {
            return entries.iter().find(|entry| entry.key.value == key).map(|entry| entry.key.span);
        }
        for Entry { key, .. } in &entries[self.indexed..] {
            self.index.entry(key.value.clone()).or_insert(key.span);
        }
        self.indexed = entries.len();
        self.index.get(key).copied()
    }
}

struct Builder<'t> {
    file: FileId,
    text: &'t str,
    open: Vec<Open>,
    anchors: HashMap<usize, Arc<Node>>,
    root: Option<Arc<Node>>,
    diagnostics: Diagnostics,
    unfinished: BTreeSet<Span>,
    /// Where quoted and block texts stand: there a tab is content.
    texts: Vec<Span>,
    /// Behind the last event that has a text of its own.
    read: usize,
    broken: Option<Broken>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, raw: granit_parser::Span) {
        let span = self.span(&raw);
        if span.start < span.end {
            self.read = span.end as usize;
        }
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let tag = tag.and_then(|_| self.tag(&raw));
                if style != ScalarStyle::Plain {
                    self.texts.push(span);
                }
                let (text, span) = self.scalar(&value, style, span);
                self.complete(Node { span, tag, data: Data::Scalar(text), rendered: false }, anchor);
            }
            Event::SequenceStart(style, anchor, _) => {
                self.begin(&raw, span, style, anchor, Children::Sequence(Vec::new()));
            }
            Event::MappingStart(style, anchor, _) => {
                let children = Children::Mapping { entries: Vec::new(), seen: Seen::default(), key: None };
                self.begin(&raw, span, style, anchor, children);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => {
                    let node = Arc::clone(node);
                    self.attach(node, span);
                }
                None => self.bad_alias(span, "this alias stands inside the value it stands for"),
            },
            Event::UnresolvedAlias(_) => self.bad_alias(span, "no anchor of this name stands above"),
            _ => {}
        }
    }

    fn begin(
        &mut self,
        raw: &granit_parser::Span,
        start: Span,
        style: granit_parser::StructureStyle,
        anchor: usize,
        children: Children,
    ) {
        let flow = style == granit_parser::StructureStyle::Flow;
        self.open.push(Open { start, tag: self.tag(raw), anchor, flow, children });
    }

    fn end(&mut self, end: Span) {
        let Some(Open { start, tag, anchor, flow, children }) = self.open.pop() else { return };
        let (data, last) = match children {
            Children::Sequence(items) => {
                let last = items.last().map(|node| node.span);
                (Data::Sequence(items), last)
            }
            Children::Mapping { entries, .. } => {
                let last = entries.last().map(|entry| entry.key.span.to(entry.value.span));
                (Data::Mapping(entries), last)
            }
        };
        // A block collection's end event sits at the next token, behind blank lines and comments: its last
        // child tells where it really ends. An alias may point upwards, hence the comparison.
        let end = if flow { end } else { last.filter(|last| last.end >= start.end).unwrap_or(start) };
        self.complete(Node { span: start.to(end), tag, data, rendered: false }, anchor);
    }

    fn complete(&mut self, node: Node, anchor: usize) {
        let span = node.span;
        let node = Arc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        self.attach(node, span);
    }

    /// Hands a finished node to the collection that is open, as item, key or value.
    fn attach(&mut self, node: Arc<Node>, span: Span) {
        let Some(Open { children, .. }) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        match children {
            Children::Sequence(items) => items.push(node),
            Children::Mapping { entries, seen, key } => match key.take() {
                Some(key) => {
                    entries.push(Entry { key, value: node });
                }
                None => {
                    let text = node.as_str().map(ToOwned::to_owned).unwrap_or_else(|| {
                        self.diagnostics.push(
                            Diagnostic::new(
                                &YAML_SYNTAX,
                                "a key must be a plain text",
                                span,
                                "this key is a list or a mapping",
                            )
                            .help("quote it, if it was meant to be a text"),
                        );
                        String::new()
                    });
                    if let Some(first) = seen.first(entries, &text) {
                        self.diagnostics.push(
                            Diagnostic::new(
                                &DUPLICATE_KEY,
                                format!("the key `{text}` is written twice"),
                                span,
                                "here again",
                            )
                            .related(first, "first written here")
                            .help("remove one of the two, or rename it"),
                        );
                    }
                    *key = Some(Spanned::new(text, span));
                }
            },
        }
    }

    /// The text of a scalar as PyYAML gives it, and the place that shall be underlined.
    fn scalar(&self, value: &str, style: ScalarStyle, span: Span) -> (String, Span) {
        if style == ScalarStyle::Plain && span.start == span.end {
            // An absent value arrives as `~` of no length.
            return (String::new(), span);
        }
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        if !block {
            return (value.to_owned(), span);
        }
        let written = &self.text[span.start as usize..(span.end as usize).min(self.text.len())];
        let shown = Span { end: span.start + len_u32(written.trim_end()), ..span };
        // The parser adds a line end that a block scalar at the very end of the text does not have.
        let at_end = self.text.len() == span.end as usize && !self.text.ends_with('\n');
        let text = if at_end { value.strip_suffix('\n').unwrap_or(value) } else { value };
        (text.to_owned(), shown)
    }

    fn span(&self, raw: &granit_parser::Span) -> Span {
        let start = raw.start.byte_offset().unwrap_or(self.text.len());
        let end = raw.end.byte_offset().unwrap_or(self.text.len());
        Span::new(self.file, start, end.max(start))
    }

    fn tag(&self, raw: &granit_parser::Span) -> Option<Spanned<String>> {
        let span = self.span(&raw.tag_span()?);
        let written = self.text.get(span.start as usize..span.end as usize)?;
        Some(Spanned::new(written.to_owned(), span))
    }

    fn bad_alias(&mut self, span: Span, label: &'static str) {
        self.diagnostics.push(
            Diagnostic::new(&YAML_SYNTAX, "this alias stands for nothing", span, label)
                .help("define the anchor (`&name`) above its first use"),
        );
        let node = Node { span, tag: None, data: Data::Scalar(String::new()), rendered: false };
        self.attach(Arc::new(node), span);
    }

    fn second_document(&mut self, raw: granit_parser::Span) {
        let span = self.span(&raw);
        self.diagnostics.push(
            Diagnostic::new(
                &MULTIPLE_DOCUMENTS,
                "only one YAML document is read",
                span,
                "a second document begins here",
            )
            .help("keep one document; remove the `---` and what follows it"),
        );
    }

    fn syntax_error(&mut self, error: &granit_parser::ScanError) {
        let at = error.marker().byte_offset().unwrap_or(self.text.len()).min(self.text.len());
        let rest = self.text[at..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        let span = Span::new(self.file, at, at + rest);
        let tab = self.text[..at].rsplit('\n').next().is_some_and(|line| line.contains('\t'))
            || self.text[at..].starts_with('\t');
        let help = if tab {
            "YAML indents with spaces; replace the tab"
        } else {
            "check indentation, quotes and brackets here and on the line above"
        };
        let diagnostic =
            Diagnostic::new(&YAML_SYNTAX, "the file is not valid YAML", span, error.info()).help(help);
        self.diagnostics.push(diagnostic);
        self.broken = Some(Broken {
            at,
            flow: self.open.iter().find(|open| open.flow).map(|open| open.start.start as usize),
            read: self.read,
        });
    }

    /// The first tab that the official loader trips over, where the rest of the YAML is fine.
    fn refuse_tab(&mut self) {
        let in_text = |at: usize| {
            let before = self.texts.partition_point(|text| text.start as usize <= at);
            before > 0 && at < self.texts[before - 1].end as usize
        };
        let tabs = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\t').map(|(at, _)| at);
        let Some(at) = tabs.filter(|at| !in_text(*at)).find(|at| !self.in_comment(*at, &in_text)) else {
            return;
        };
        let span = Span::new(self.file, at, at + 1);
        self.diagnostics.push(
            Diagnostic::new(&TAB, "a tab stands between values", span, "snow reads no tab here")
                .help("replace it by spaces, or remove it")
                .fix("replace it by two spaces", span, "  "),
        );
    }

    /// Whether a comment has begun on the line before `at`.
    fn in_comment(&self, at: usize, in_text: &impl Fn(usize) -> bool) -> bool {
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = &self.text[start..at];
        line.match_indices('#').any(|(offset, _)| {
            let opens = line[..offset].chars().next_back().is_none_or(|before| matches!(before, ' ' | '\t'));
            opens && !in_text(start + offset)
        })
    }

    fn finish(mut self) -> Parsed {
        if self.text.contains('\t') && !self.diagnostics.has_errors() {
            self.refuse_tab();
        }
        // After a syntax error collections are still open: close them, so that what was read is not lost.
        for open in &self.open {
            self.unfinished.insert(open.start);
            if let Children::Mapping { key: Some(key), .. } = &open.children {
                self.unfinished.insert(key.span);
            }
        }
        while let Some(open) = self.open.last() {
            let start = open.start;
            if let Children::Mapping { key: Some(_), .. } = &open.children {
                let empty = Node {
                    span: start.start_only(),
                    tag: None,
                    data: Data::Scalar(String::new()),
                    rendered: false,
                };
                self.attach(Arc::new(empty), start);
            }
            self.end(start);
        }
        if self.root.is_none() && !self.diagnostics.has_errors() {
            let span = Span::new(self.file, 0, 0);
            self.root =
                Some(Arc::new(Node { span, tag: None, data: Data::Scalar(String::new()), rendered: false }));
        }
        let Self { root, diagnostics, unfinished, texts, broken, .. } = self;
        Parsed { root, diagnostics, unfinished, texts, broken }
    }
}

fn len_u32(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::files::Files;
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    fn read(text: &str) -> (Option<Arc<Node>>, Vec<Diagnostic>) {
        let mut files = Files::default();
        let id = files.add("t.yml", text);
        let Parsed { root, diagnostics, .. } = parse(id, text);
        (root, diagnostics.sorted())
    }

    fn value(text: &str, key: &str) -> String {
        let (root, found) = read(text);
        assert_eq!(found, [], "{text}");
        root.unwrap().entry(key).unwrap().value.as_str().unwrap().to_owned()
    }

    #[test]
    fn every_scalar_is_a_string() {
        assert_eq!(value("a: true\n", "a"), "true");
        assert_eq!(value("a: ~\n", "a"), "~");
        assert_eq!(value("a:\n", "a"), "");
        assert_eq!(value("a: 1.50\n", "a"), "1.50");
        assert_eq!(value("a: ''\n", "a"), "");
        assert_eq!(value("<<: x\n", "<<"), "x");
    }

    #[test]
    fn a_block_scalar_at_the_end_of_the_text_gains_no_line_end() {
        assert_eq!(value("a: |\n  x", "a"), "x");
        assert_eq!(value("a: |\n  x\n", "a"), "x\n");
    }

    #[test]
    fn spans_cover_what_is_written() {
        let text = "a:\n  b: 'q'   # why\n\n\nc: d\n";
        let (root, _) = read(text);
        let root = root.unwrap();
        let slice = |span: Span| &text[span.start as usize..span.end as usize];
        let a = root.entry("a").unwrap();
        assert_eq!(slice(a.key.span), "a");
        assert_eq!(slice(a.value.span), "b: 'q'");
        assert_eq!(slice(root.entry("c").unwrap().value.span), "d");
    }

    #[test]
    fn duplicates_name_both_places_among_few_keys_and_among_many() {
        let many: String = (0..40).map(|key| format!("k{key}: x\n")).collect();
        let (_, found) = read(&format!("a: 1\n{many}a: 3\nk30: y\n"));
        let firsts: Vec<u32> = found.iter().map(|found| found.related[0].span.start).collect();
        assert_eq!(firsts, [0, u32::try_from(5 + 10 * 6 + 20 * 7).unwrap()]);
        let (_, found) = read("a: 1\nb: 2\na: 3\n");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].rule.code, found[0].primary.span.start), ("duplicate-key", 10));
        assert_eq!(found[0].related[0].span.start, 0);
    }

    #[test]
    fn what_stands_before_a_syntax_error_is_kept() {
        let (root, found) = read("a: 1\nb: [x\nc: 2\n");
        assert_eq!(found[0].rule.code, "yaml-syntax");
        assert!(root.unwrap().entry("a").is_some());
    }

    #[test]
    fn two_documents_are_refused() {
        assert_eq!(read("a: 1\n---\nb: 1\n").1[0].rule.code, "multiple-documents");
        assert_eq!(read("---\na: 1\n...\n").1, []);
    }

    #[test]
    fn aliases_share_and_do_not_multiply() {
        let mut text = String::from("a0: &a0 [x, x]\n");
        for i in 1..40 {
            writeln!(text, "a{i}: &a{i} [*a{before}, *a{before}]", before = i - 1).unwrap();
        }
        assert_eq!(read(&text).1, []);
        assert_eq!(read("a: &x [*x]\n").1[0].rule.code, "yaml-syntax");
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[ -~\n\t:#'\"\\[\\]{}&*!|>äß-]{0,200}") {
            let _ = read(&text);
        }

        /// The maintained fork of serde_yaml reads the same structure from plain documents.
        #[test]
        fn structure_agrees_with_serde_yaml(entries in prop::collection::btree_map("[a-z]{1,8}", "[a-z]{1,8}", 1..20)) {
            let text = serde_yaml::to_string(&entries).unwrap();
            let (root, found) = read(&text);
            prop_assert_eq!(found, vec![]);
            let root = root.unwrap();
            let ours: std::collections::BTreeMap<String, String> = root.as_mapping().unwrap().iter()
                .map(|e| (e.key.value.clone(), e.value.as_str().unwrap().to_owned())).collect();
            prop_assert_eq!(ours, entries);
        }
    }
}
