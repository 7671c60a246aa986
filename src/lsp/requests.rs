//! What the editor can ask, and the answers.

use super::client::FIX_ALL;
use super::convert;
use super::publish;
use super::server::{Asked, Refusal, Server};
use crate::ide::{complete, fix, folding, goto, hints, hover, rename, symbols};
use crate::source::format;
use crate::source::span::Span;
use gen_lsp_types as lsp;
use gen_lsp_types::{CodeActionKind, LspRequestMethod as Method};
use lsp_server::ErrorCode;
use serde_json::Value;

type Answer = Result<Value, Refusal>;

impl Server {
    /// The answer to a request.
    pub(super) fn answer(&mut self, method: &str, params: Value) -> Answer {
        match Method::from(method) {
            Method::TextDocumentCompletion => self.given::<lsp::CompletionRequest>(params, Self::completion),
            Method::TextDocumentHover => self.given::<lsp::HoverRequest>(params, Self::hover),
            Method::TextDocumentDefinition => self.given::<lsp::DefinitionRequest>(params, Self::definition),
            Method::TextDocumentReferences => self.given::<lsp::ReferencesRequest>(params, Self::references),
            Method::TextDocumentDocumentHighlight => {
                self.given::<lsp::DocumentHighlightRequest>(params, Self::highlights)
            }
            Method::TextDocumentPrepareRename => {
                self.given::<lsp::PrepareRenameRequest>(params, Self::prepare_rename)
            }
            Method::TextDocumentRename => self.given::<lsp::RenameRequest>(params, Self::rename),
            Method::TextDocumentInlayHint => self.given::<lsp::InlayHintRequest>(params, Self::hints),
            Method::TextDocumentDocumentSymbol => {
                self.given::<lsp::DocumentSymbolRequest>(params, Self::symbols)
            }
            Method::TextDocumentFoldingRange => self.given::<lsp::FoldingRangeRequest>(params, Self::folds),
            Method::TextDocumentCodeAction => self.given::<lsp::CodeActionRequest>(params, Self::actions),
            Method::TextDocumentFormatting => {
                self.given::<lsp::DocumentFormattingRequest>(params, Self::formatting)
            }
            Method::TextDocumentDiagnostic => {
                self.given::<lsp::DocumentDiagnosticRequest>(params, Self::diagnostics)
            }
            _ => {
                Err(Refusal { code: ErrorCode::MethodNotFound, message: format!("{method} is not offered") })
            }
        }
    }

    fn given<R: lsp::Request>(
        &mut self,
        params: Value,
        answer: impl FnOnce(&mut Self, R::Params) -> Result<R::Result, Refusal>,
    ) -> Answer {
        let refuse = |code| move |error: serde_json::Error| Refusal { code, message: error.to_string() };
        let params = serde_json::from_value(params).map_err(refuse(ErrorCode::InvalidParams))?;
        serde_json::to_value(answer(self, params)?).map_err(refuse(ErrorCode::InternalError))
    }

    fn at(&mut self, place: &lsp::TextDocumentPositionParams) -> Option<(Asked<'_>, u32)> {
        let asked = self.asked(&place.text_document.uri)?;
        let offset = asked.convert.offset(asked.file, place.position);
        Some((asked, offset))
    }

    fn completion(
        &mut self,
        params: lsp::CompletionParams,
    ) -> Result<Option<lsp::CompletionResponse>, Refusal> {
        let Some((asked, offset)) = self.at(&params.text_document_position_params) else { return Ok(None) };
        let Asked { convert, file } = asked;
        let complete::Completion { items, is_whole } = complete::complete(convert.analysis, file, offset);
        let items = items.iter().enumerate().map(|(order, item)| convert.item(order, item)).collect();
        let list = lsp::CompletionList { is_incomplete: !is_whole, items, ..lsp::CompletionList::default() };
        Ok(Some(list.into()))
    }

    fn hover(&mut self, params: lsp::HoverParams) -> Result<Option<lsp::Hover>, Refusal> {
        let Some((asked, offset)) = self.at(&params.text_document_position_params) else { return Ok(None) };
        let Asked { convert, file } = asked;
        Ok(hover::hover(convert.analysis, file, offset).map(|hover| lsp::Hover {
            contents: convert::markdown(hover.markdown).into(),
            range: Some(convert.range(hover.span)),
        }))
    }

    fn definition(
        &mut self,
        params: lsp::DefinitionParams,
    ) -> Result<Option<lsp::DefinitionResponse>, Refusal> {
        let Some((asked, offset)) = self.at(&params.text_document_position_params) else { return Ok(None) };
        let Asked { convert, file } = asked;
        let found = goto::definition(convert.analysis, file, offset);
        let places: Vec<lsp::Location> = found.into_iter().map(|span| convert.location(span)).collect();
        Ok(Some(lsp::Definition::from(places).into()))
    }

    fn references(&mut self, params: lsp::ReferenceParams) -> Result<Option<Vec<lsp::Location>>, Refusal> {
        let Some((asked, offset)) = self.at(&params.text_document_position_params) else { return Ok(None) };
        let Asked { convert, file } = asked;
        let found = goto::references(convert.analysis, file, offset, params.context.include_declaration);
        Ok(Some(found.into_iter().map(|span| convert.location(span)).collect()))
    }

    fn highlights(
        &mut self,
        params: lsp::DocumentHighlightParams,
    ) -> Result<Option<Vec<lsp::DocumentHighlight>>, Refusal> {
        let Some((asked, offset)) = self.at(&params.text_document_position_params) else { return Ok(None) };
        let Asked { convert, file } = asked;
        let found = goto::references(convert.analysis, file, offset, true);
        let here = found.into_iter().filter(|span| span.file == file);
        Ok(Some(here.map(|span| lsp::DocumentHighlight { range: convert.range(span), kind: None }).collect()))
    }

    fn prepare_rename(
        &mut self,
        params: lsp::PrepareRenameParams,
    ) -> Result<Option<lsp::PrepareRenameResult>, Refusal> {
        let Some((asked, offset)) = self.at(&params.text_document_position_params) else { return Ok(None) };
        let Asked { convert, file } = asked;
        let found = rename::prepare(convert.analysis, file, offset).map_err(failed)?;
        let range = convert.range(found.span);
        Ok(Some(lsp::PrepareRenamePlaceholder { range, placeholder: found.name }.into()))
    }

    fn rename(&mut self, params: lsp::RenameParams) -> Result<Option<lsp::WorkspaceEdit>, Refusal> {
        let Some((asked, offset)) = self.at(&params.text_document_position_params) else { return Ok(None) };
        let Asked { convert, file } = asked;
        let edits = rename::rename(convert.analysis, file, offset, &params.new_name).map_err(failed)?;
        Ok(Some(convert.workspace_edit(&edits)))
    }

    fn hints(&mut self, params: lsp::InlayHintParams) -> Result<Option<Vec<lsp::InlayHint>>, Refusal> {
        let Some(Asked { convert, file }) = self.asked(&params.text_document.uri) else { return Ok(None) };
        let lsp::Range { start, end } = params.range;
        let range = convert.offset(file, start)..convert.offset(file, end);
        let found = hints::hints(convert.analysis, file, range);
        Ok(Some(found.iter().map(|hint| convert.hint(file, hint)).collect()))
    }

    fn symbols(
        &mut self,
        params: lsp::DocumentSymbolParams,
    ) -> Result<Option<lsp::DocumentSymbolResponse>, Refusal> {
        let nested = self.client.nested_symbols;
        let Some(Asked { convert, file }) = self.asked(&params.text_document.uri) else { return Ok(None) };
        let found = symbols::symbols(convert.analysis, file);
        if nested {
            return Ok(Some(found.iter().map(|symbol| convert.nested(symbol)).collect::<Vec<_>>().into()));
        }
        let mut flat = Vec::new();
        found.iter().for_each(|symbol| convert.flat(symbol, None, &mut flat));
        Ok(Some(flat.into()))
    }

    fn folds(&mut self, params: lsp::FoldingRangeParams) -> Result<Option<Vec<lsp::FoldingRange>>, Refusal> {
        let Some(Asked { convert, file }) = self.asked(&params.text_document.uri) else { return Ok(None) };
        Ok(Some(folding::folds(convert.analysis, file).into_iter().map(convert::fold).collect()))
    }

    fn actions(
        &mut self,
        params: lsp::CodeActionParams,
    ) -> Result<Option<Vec<lsp::CodeActionResponse>>, Refusal> {
        let Some(Asked { convert, file }) = self.asked(&params.text_document.uri) else { return Ok(None) };
        let wanted = |kind: &CodeActionKind| {
            let only = params.context.only.as_ref();
            only.is_none_or(|only| only.iter().any(|wanted| is_part(kind.as_str(), wanted.as_str())))
        };
        let mut actions: Vec<lsp::CodeActionResponse> = Vec::new();
        if wanted(&CodeActionKind::QuickFix) {
            let range = convert.offset(file, params.range.start)..convert.offset(file, params.range.end);
            for found in fix::fixes(convert.analysis, file, range) {
                let edit = convert.workspace_edit(std::slice::from_ref(&found.edit));
                let mut action = action(&capitalised(found.title), CodeActionKind::QuickFix, edit);
                action.diagnostics = Some(vec![convert.diagnostic(found.diagnostic)]);
                action.is_preferred = Some(true);
                actions.push(action.into());
            }
        }
        let all = fix::fix_all(convert.analysis, file);
        if wanted(&FIX_ALL) && !all.is_empty() {
            let edit = convert.workspace_edit(&all);
            actions.push(action("Mend everything that can be mended", FIX_ALL, edit).into());
        }
        Ok(Some(actions))
    }

    fn formatting(
        &mut self,
        params: lsp::DocumentFormattingParams,
    ) -> Result<Option<Vec<lsp::TextEdit>>, Refusal> {
        let Some(Asked { convert, file }) = self.asked(&params.text_document.uri) else { return Ok(None) };
        let text = convert.analysis.files().text(file);
        let formatted = format::format(file, text).map_err(|error| failed(error.to_string()))?;
        let formatted = if text.contains("\r\n") { formatted.replace('\n', "\r\n") } else { formatted };
        let edit = difference(text, &formatted).map(|(start, end, new_text)| lsp::TextEdit {
            range: convert.range(Span::new(file, start, end)),
            new_text: new_text.to_owned(),
        });
        Ok(Some(edit.into_iter().collect()))
    }

    fn diagnostics(
        &mut self,
        params: lsp::DocumentDiagnosticParams,
    ) -> Result<lsp::DocumentDiagnosticReport, Refusal> {
        let client = self.client;
        let Some((project, role)) = self.project(&params.text_document.uri) else {
            return Ok(lsp::RelatedFullDocumentDiagnosticReport::default().into());
        };
        let result_id = project.generation.to_string();
        if params.previous_result_id.as_ref() == Some(&result_id) {
            let report = lsp::UnchangedDocumentDiagnosticReport { result_id };
            return Ok(lsp::RelatedUnchangedDocumentDiagnosticReport {
                unchanged_document_diagnostic_report: report,
                related_documents: None,
            }
            .into());
        }
        let items = project.known().map(|state| publish::diagnostics(project, role, state, &client));
        let report = lsp::FullDocumentDiagnosticReport {
            result_id: Some(result_id),
            items: items.unwrap_or_default(),
        };
        Ok(lsp::RelatedFullDocumentDiagnosticReport {
            full_document_diagnostic_report: report,
            related_documents: None,
        }
        .into())
    }
}

fn failed(message: String) -> Refusal {
    Refusal { code: ErrorCode::RequestFailed, message }
}

fn action(title: &str, kind: CodeActionKind, edit: lsp::WorkspaceEdit) -> lsp::CodeAction {
    lsp::CodeAction {
        title: title.to_owned(),
        kind: Some(kind),
        edit: Some(edit),
        diagnostics: None,
        is_preferred: None,
        disabled: None,
        command: None,
        data: None,
        tags: None,
    }
}

/// Whether a kind of actions is another or a part of it: `source.fixAll.snowform` is a part of `source`.
fn is_part(kind: &str, of: &str) -> bool {
    of.is_empty() || kind.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The lines between what two texts have in common at their starts and ends: what goes, and what comes.
fn difference<'n>(old: &str, new: &'n str) -> Option<(usize, usize, &'n str)> {
    if old == new {
        return None;
    }
    let lines = |text: &str| text.split_inclusive('\n').map(str::len).collect::<Vec<_>>();
    let (a, b) = (lines(old), lines(new));
    let (mut start, mut from_start) = (0, 0);
    for (old_line, new_line) in a.iter().zip(&b) {
        if old_line != new_line || old[start..start + old_line] != new[start..start + new_line] {
            break;
        }
        start += old_line;
        from_start += 1;
    }
    let mut end = 0;
    for (old_line, new_line) in a[from_start..].iter().rev().zip(b[from_start..].iter().rev()) {
        let (old_from, new_from) = (old.len() - end - old_line, new.len() - end - new_line);
        if old[old_from..old.len() - end] != new[new_from..new.len() - end] {
            break;
        }
        end += old_line;
    }
    Some((start, old.len() - end, &new[start..new.len() - end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_differ_are_replaced() {
        assert_eq!(difference("a\nb\nc\n", "a\nx\nc\n"), Some((2, 4, "x\n")));
        assert_eq!(difference("a\n\n\nb\n", "a\n\nb\n"), Some((3, 4, "")));
        assert_eq!(difference("a", "a\n"), Some((0, 1, "a\n")));
        assert_eq!(difference("a\n", "a\n"), None);
    }

    #[test]
    fn kinds_of_actions_are_parts_of_each_other() {
        assert!(is_part("source.fixAll.snowform", "source.fixAll"));
        assert!(is_part("quickfix", ""));
        assert!(!is_part("source.fixAll.snowform", "source.fix"));
    }
}
