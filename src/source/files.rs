//! The texts of one run, and the way from byte offsets to lines and columns.

use super::lines::{EditorPosition, Encoding, LazyLines, Lines};
use super::span::{FileId, Span};
use std::sync::OnceLock;

/// The largest text that is read, in bytes. A definition of 100,000 entities has 13 MB.
pub const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;

/// A line and a column as people and code hosts count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in Unicode code points.
    pub column: usize,
}

/// The texts of one run, by id.
#[derive(Clone, Debug, Default)]
pub struct Files {
    files: Vec<SourceFile>,
}

#[derive(Clone, Debug, Default)]
struct SourceFile {
    path: String,
    text: String,
    /// The offset of every line's first byte; computed at the first question.
    lines: OnceLock<Vec<usize>>,
    /// The same as editors see them.
    editor_lines: LazyLines,
}

impl Files {
    /// Adds a text under the path that messages shall name.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = u16::try_from(self.files.len()).expect("internal error: fewer than 65,536 files in a run");
        self.files.push(SourceFile { path: path.into(), text: text.into(), ..SourceFile::default() });
        FileId(id)
    }

    /// The path that messages name.
    pub fn path(&self, file: FileId) -> &str {
        &self.files[usize::from(file.0)].path
    }

    /// The text.
    pub fn text(&self, file: FileId) -> &str {
        &self.files[usize::from(file.0)].text
    }

    /// Every text's id, in the order of adding.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..u16::try_from(self.files.len()).unwrap_or(u16::MAX)).map(FileId)
    }

    /// The text that a span covers.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file).get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column of a byte offset; an offset beyond the text counts as its end.
    pub fn position(&self, file: FileId, offset: u32) -> Position {
        let source = &self.files[usize::from(file.0)];
        let lines = source.lines();
        let mut offset = (offset as usize).min(source.text.len());
        while !source.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = lines.partition_point(|start| *start <= offset);
        let start = lines[line - 1];
        Position { line, column: source.text[start..offset].chars().count() + 1 }
    }

    /// Whether the lines around a span are short enough to be shown to a person.
    pub fn is_drawable(&self, span: Span) -> bool {
        const LONGEST: usize = 2_000;
        let text = self.text(span.file);
        let from = text.floor_char_boundary((span.start as usize).min(text.len()));
        let to = text.floor_char_boundary((span.end as usize).min(text.len()));
        let before = text[..from].len() - text[..from].rfind('\n').map_or(0, |at| at + 1);
        let after = text[to..].find('\n').unwrap_or(text.len() - to);
        before + after + (to - from) <= LONGEST
    }

    /// Where an editor's lines begin.
    pub fn editor_lines(&self, file: FileId) -> &Lines {
        let source = &self.files[usize::from(file.0)];
        source.editor_lines.of(&source.text)
    }

    /// Line and column of a byte offset as an editor counts them.
    pub fn editor_position(&self, file: FileId, offset: u32, encoding: Encoding) -> EditorPosition {
        self.editor_lines(file).position(self.text(file), offset as usize, encoding)
    }

    /// The byte offset at an editor's line and column.
    pub fn editor_offset(&self, file: FileId, position: EditorPosition, encoding: Encoding) -> u32 {
        let offset = self.editor_lines(file).offset(self.text(file), position, encoding);
        u32::try_from(offset).unwrap_or(u32::MAX)
    }

    /// Line and column of a span's start.
    pub fn start(&self, span: Span) -> Position {
        self.position(span.file, span.start)
    }
}

impl SourceFile {
    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_code_points_and_lines_start_at_one() {
        let mut files = Files::default();
        let id = files.add("a.yml", "ä: b\nc: d\n");
        let at = |offset| files.position(id, offset);
        assert_eq!(at(0), Position { line: 1, column: 1 });
        assert_eq!(at(2), Position { line: 1, column: 2 }, "a letter of two bytes is one column");
        assert_eq!(at(6), Position { line: 2, column: 1 });
        assert_eq!(at(999), Position { line: 3, column: 1 });
    }
}
