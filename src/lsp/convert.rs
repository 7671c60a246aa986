//! Our words to the protocol's.

use super::client::Client;
use super::project::{Failure, Project};
use crate::ide::complete::{Item, Sort as ItemSort};
use crate::ide::folding::Fold;
use crate::ide::hints::Hint;
use crate::ide::symbols::{Sort, Symbol};
use crate::ide::{Analysis, Edit, Role};
use crate::source::diagnostic::{Diagnostic, Label, Severity};
use crate::source::lines::EditorPosition;
use crate::source::span::{FileId, Span};
use gen_lsp_types as lsp;
use std::collections::{BTreeMap, HashMap};

/// What places mean: the texts, the addresses and how the editor counts.
#[derive(Clone, Copy)]
pub(super) struct Convert<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) project: &'a Project,
    pub(super) client: &'a Client,
}

/// A place as we count it.
pub(super) fn position(position: lsp::Position) -> EditorPosition {
    let lsp::Position { line, character } = position;
    EditorPosition { line, character }
}

impl Convert<'_> {
    /// The byte at a place.
    pub(super) fn offset(&self, file: FileId, place: lsp::Position) -> u32 {
        self.analysis.files().editor_offset(file, position(place), self.client.encoding)
    }

    fn position(&self, file: FileId, offset: u32) -> lsp::Position {
        let EditorPosition { line, character } =
            self.analysis.files().editor_position(file, offset, self.client.encoding);
        lsp::Position { line, character }
    }

    /// A stretch of a file.
    pub(super) fn range(&self, span: Span) -> lsp::Range {
        lsp::Range { start: self.position(span.file, span.start), end: self.position(span.file, span.end) }
    }

    /// The role of a file.
    pub(super) fn role(&self, file: FileId) -> Role {
        Role::ALL.into_iter().find(|role| self.analysis.file(*role) == Some(file)).unwrap_or(Role::Definition)
    }

    fn uri(&self, file: FileId) -> lsp::Uri {
        self.project.uri(self.role(file)).into()
    }

    /// A stretch with its file.
    pub(super) fn location(&self, span: Span) -> lsp::Location {
        lsp::Location { uri: self.uri(span.file), range: self.range(span) }
    }

    /// A mistake: the text of `validate`, with what to do about it on the lines below.
    pub(super) fn diagnostic(&self, found: &Diagnostic) -> lsp::Diagnostic {
        let related = |Label { span, text }: &Label| lsp::DiagnosticRelatedInformation {
            location: self.location(*span),
            message: text.clone(),
        };
        let shows_related = self.client.related && !found.related.is_empty();
        lsp::Diagnostic {
            range: self.range(found.primary.span),
            severity: Some(match found.rule.severity {
                Severity::Error => lsp::DiagnosticSeverity::Error,
                Severity::Warning => lsp::DiagnosticSeverity::Warning,
            }),
            code: Some(found.rule.code.to_owned().into()),
            code_description: None,
            source: Some("snowform".to_owned()),
            message: message(&found.message, found.help.as_deref()).into(),
            tags: None,
            related_information: shows_related.then(|| found.related.iter().map(related).collect()),
            data: None,
        }
    }

    /// Edits of any number of files.
    pub(super) fn workspace_edit(&self, edits: &[Edit]) -> lsp::WorkspaceEdit {
        let mut by_file: BTreeMap<FileId, Vec<lsp::TextEdit>> = BTreeMap::new();
        for Edit { span, text } in edits {
            let edit = lsp::TextEdit { range: self.range(*span), new_text: text.clone() };
            by_file.entry(span.file).or_default().push(edit);
        }
        if !self.client.versioned_edits {
            let changes: HashMap<_, _> =
                by_file.into_iter().map(|(file, edits)| (self.uri(file), edits)).collect();
            return lsp::WorkspaceEdit { changes: Some(changes), ..lsp::WorkspaceEdit::default() };
        }
        let changes = by_file.into_iter().map(|(file, edits)| {
            let version = self.project.document(self.role(file)).map(|document| document.version);
            let text_document = lsp::OptionalVersionedTextDocumentIdentifier {
                version,
                text_document_identifier: lsp::TextDocumentIdentifier { uri: self.uri(file) },
            };
            let edits = edits.into_iter().map(Into::into).collect();
            lsp::TextDocumentEdit { text_document, edits }.into()
        });
        lsp::WorkspaceEdit { document_changes: Some(changes.collect()), ..lsp::WorkspaceEdit::default() }
    }

    /// Something to write. `order` keeps them in ours.
    pub(super) fn item(&self, order: usize, item: &Item) -> lsp::CompletionItem {
        let is_snippet = self.client.snippets && item.snippet.contains(['$', '\\']);
        let new_text = if is_snippet { item.snippet.clone() } else { item.plain() };
        let has_lines = new_text.contains('\n');
        let edit = lsp::TextEdit { range: self.range(item.span), new_text };
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        lsp::CompletionItem {
            label: item.label.clone(),
            kind: Some(item_kind(item.sort)),
            detail: some(&item.detail),
            documentation: some(&item.doc).map(|doc| markdown(doc).into()),
            sort_text: Some(format!("{order:05}")),
            filter_text: Some(item.label.clone()),
            insert_text_format: is_snippet.then_some(lsp::InsertTextFormat::Snippet),
            insert_text_mode: (has_lines && self.client.adjusts_indentation)
                .then_some(lsp::InsertTextMode::AdjustIndentation),
            text_edit: Some(edit.into()),
            ..lsp::CompletionItem::default()
        }
    }

    /// A remark between the text.
    pub(super) fn hint(&self, file: FileId, hint: &Hint) -> lsp::InlayHint {
        let Hint { offset, label } = hint;
        lsp::InlayHint {
            position: self.position(file, *offset),
            label: label.clone().into(),
            kind: None,
            text_edits: None,
            tooltip: None,
            padding_left: Some(true),
            padding_right: None,
            data: None,
        }
    }

    /// An outline with levels.
    #[expect(deprecated, reason = "the protocol's types name the deprecated field, and it is left out")]
    pub(super) fn nested(&self, symbol: &Symbol) -> lsp::DocumentSymbol {
        let Symbol { name, detail, sort, span, key, children } = symbol;
        let children: Vec<_> = children.iter().map(|child| self.nested(child)).collect();
        lsp::DocumentSymbol {
            name: name.clone(),
            detail: (!detail.is_empty()).then(|| detail.clone()),
            kind: symbol_kind(*sort),
            tags: None,
            deprecated: None,
            range: self.range(*span),
            selection_range: self.range(*key),
            children: (!children.is_empty()).then_some(children),
        }
    }

    /// The same without levels.
    #[expect(deprecated, reason = "the protocol's types name the deprecated field, and it is left out")]
    pub(super) fn flat(
        &self,
        symbol: &Symbol,
        container: Option<&str>,
        out: &mut Vec<lsp::SymbolInformation>,
    ) {
        let Symbol { name, detail: _, sort, span, key: _, children } = symbol;
        out.push(lsp::SymbolInformation {
            deprecated: None,
            location: self.location(*span),
            base_symbol_information: lsp::BaseSymbolInformation {
                name: name.clone(),
                kind: symbol_kind(*sort),
                tags: None,
                container_name: container.map(ToOwned::to_owned),
            },
        });
        children.iter().for_each(|child| self.flat(child, Some(name), out));
    }
}

/// Why a project cannot be read, at the top of a file.
pub(super) fn failure(failure: &Failure) -> lsp::Diagnostic {
    lsp::Diagnostic {
        range: lsp::Range::default(),
        severity: Some(lsp::DiagnosticSeverity::Error),
        code: Some(failure.code.to_owned().into()),
        code_description: None,
        source: Some("snowform".to_owned()),
        message: failure.message.clone().into(),
        tags: None,
        related_information: None,
        data: None,
    }
}

fn message(message: &str, help: Option<&str>) -> String {
    match help {
        Some(help) => format!("{message}\n{help}"),
        None => message.to_owned(),
    }
}

/// Markdown.
pub(super) fn markdown(value: String) -> lsp::MarkupContent {
    lsp::MarkupContent { kind: lsp::MarkupKind::Markdown, value }
}

/// Lines to fold.
pub(super) fn fold(fold: Fold) -> lsp::FoldingRange {
    let Fold { first, last, comment } = fold;
    lsp::FoldingRange {
        start_line: first,
        end_line: last,
        kind: comment.then_some(lsp::FoldingRangeKind::Comment),
        ..lsp::FoldingRange::default()
    }
}

fn item_kind(sort: ItemSort) -> lsp::CompletionItemKind {
    match sort {
        ItemSort::Reference => lsp::CompletionItemKind::Reference,
        ItemSort::Value => lsp::CompletionItemKind::EnumMember,
        ItemSort::Key => lsp::CompletionItemKind::Property,
        ItemSort::Variable => lsp::CompletionItemKind::Variable,
        ItemSort::Function => lsp::CompletionItemKind::Function,
        ItemSort::Skeleton => lsp::CompletionItemKind::Snippet,
    }
}

fn symbol_kind(sort: Sort) -> lsp::SymbolKind {
    match sort {
        Sort::Section => lsp::SymbolKind::Namespace,
        Sort::Entity => lsp::SymbolKind::Object,
        Sort::Mixin => lsp::SymbolKind::Interface,
        Sort::Variable => lsp::SymbolKind::Variable,
    }
}
