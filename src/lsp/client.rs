//! What the editor can do, and what this server offers it.

use crate::source::lines::Encoding;
use gen_lsp_types::{
    ClientCapabilities, ClientCompletionItemOptions, CodeActionKind, CodeActionOptions, CompletionOptions,
    DiagnosticOptions, InsertTextMode, PositionEncodingKind, RenameOptions, SaveOptions, ServerCapabilities,
    TextDocumentClientCapabilities, TextDocumentSyncKind, TextDocumentSyncOptions,
    WorkspaceClientCapabilities,
};

/// The kind of the action that mends everything.
pub(super) const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.snowform");

/// What the editor can do, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a yes or no of the protocol")]
pub(super) struct Client {
    /// How it counts columns.
    pub(super) encoding: Encoding,
    /// It asks for diagnostics itself.
    pub(super) pulls: bool,
    /// It can be told to ask again.
    pub(super) refreshes_diagnostics: bool,
    /// It can be told to ask for inlay hints again.
    pub(super) refreshes_hints: bool,
    /// It shows the other places of a diagnostic.
    pub(super) related: bool,
    /// It knows snippets.
    pub(super) snippets: bool,
    /// It moves the lines of a completion to where the cursor is, when told.
    pub(super) adjusts_indentation: bool,
    /// It shows outlines with levels.
    pub(super) nested_symbols: bool,
    /// It takes edits with the version that they are meant for.
    pub(super) versioned_edits: bool,
    /// It watches files that it is told to watch.
    pub(super) watches: bool,
}

impl Client {
    /// Reads what the editor says of itself.
    pub(super) fn new(capabilities: &ClientCapabilities) -> Self {
        let text = capabilities.text_document.clone().unwrap_or_default();
        let workspace = capabilities.workspace.clone().unwrap_or_default();
        let TextDocumentClientCapabilities {
            publish_diagnostics,
            diagnostic,
            completion,
            document_symbol,
            ..
        } = text;
        let WorkspaceClientCapabilities {
            workspace_edit,
            did_change_watched_files,
            inlay_hint,
            diagnostics,
            ..
        } = workspace;
        let encodings = capabilities.general.as_ref().and_then(|general| general.position_encodings.as_ref());
        let bytes = encodings.is_some_and(|encodings| encodings.contains(&PositionEncodingKind::UTF8));
        let item = completion.and_then(|completion| completion.completion_item).unwrap_or_default();
        let ClientCompletionItemOptions { snippet_support, insert_text_mode_support, .. } = item;
        let yes = |flag: Option<bool>| flag == Some(true);
        let pulls = diagnostic.is_some();
        let related_when_pulled = diagnostic.and_then(|d| d.diagnostics_capabilities.related_information);
        let related_when_pushed =
            publish_diagnostics.and_then(|d| d.diagnostics_capabilities.related_information);
        Self {
            encoding: if bytes { Encoding::Utf8 } else { Encoding::Utf16 },
            pulls,
            refreshes_diagnostics: yes(diagnostics.and_then(|diagnostics| diagnostics.refresh_support)),
            refreshes_hints: yes(inlay_hint.and_then(|hint| hint.refresh_support)),
            related: yes(related_when_pushed) || yes(related_when_pulled),
            snippets: yes(snippet_support),
            adjusts_indentation: insert_text_mode_support
                .is_some_and(|modes| modes.value_set.contains(&InsertTextMode::AdjustIndentation)),
            nested_symbols: yes(
                document_symbol.and_then(|symbol| symbol.hierarchical_document_symbol_support)
            ),
            versioned_edits: yes(workspace_edit.and_then(|edit| edit.document_changes)),
            watches: yes(did_change_watched_files.and_then(|watched| watched.dynamic_registration)),
        }
    }
}

/// What this server offers such an editor.
pub(super) fn offers(client: &Client) -> ServerCapabilities {
    let characters = [":", " ", "-", ".", "[", "{", ",", "%", "|"];
    ServerCapabilities {
        position_encoding: Some(match client.encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }),
        text_document_sync: Some(
            TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::Incremental),
                save: Some(SaveOptions::default().into()),
                ..TextDocumentSyncOptions::default()
            }
            .into(),
        ),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(characters.map(ToOwned::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(true.into()),
        definition_provider: Some(true.into()),
        references_provider: Some(true.into()),
        document_highlight_provider: Some(true.into()),
        document_symbol_provider: Some(true.into()),
        code_action_provider: Some(
            CodeActionOptions {
                code_action_kinds: Some(vec![CodeActionKind::QuickFix, FIX_ALL]),
                ..CodeActionOptions::default()
            }
            .into(),
        ),
        document_formatting_provider: Some(true.into()),
        rename_provider: Some(
            RenameOptions { prepare_provider: Some(true), ..RenameOptions::default() }.into(),
        ),
        folding_range_provider: Some(true.into()),
        inlay_hint_provider: Some(true.into()),
        diagnostic_provider: client.pulls.then(|| {
            DiagnosticOptions {
                identifier: Some("snowform".to_owned()),
                inter_file_dependencies: true,
                ..DiagnosticOptions::default()
            }
            .into()
        }),
        ..ServerCapabilities::default()
    }
}
