//! Places as editors count them: lines and columns from 0, columns in units of the encoding that client and server
//! agreed on. The one place that converts; whoever else counts, counts bytes.

use std::sync::OnceLock;

/// What an editor calls one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units, which every editor knows: a character beyond U+FFFF has two.
    #[default]
    Utf16,
}

/// A line and a column as editors count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EditorPosition {
    /// From 0.
    pub line: u32,
    /// From 0, in units of the [`Encoding`].
    pub character: u32,
}

/// Where a text's lines begin, as editors see them: a line ends with `\n`, `\r\n` or `\r`.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Encoding {
    fn units(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16 if text.is_ascii() => text.len(),
            Self::Utf16 => text.encode_utf16().count(),
        }
    }

    /// The byte behind the first `units` units; inside a character, the byte it begins with.
    fn bytes(self, text: &str, units: usize) -> usize {
        if self == Self::Utf8 || text.is_ascii() {
            let mut at = units.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            return at;
        }
        let mut seen = 0;
        for (at, c) in text.char_indices() {
            seen += c.len_utf16();
            if seen > units {
                return at;
            }
        }
        text.len()
    }
}

impl Lines {
    /// Finds the lines of a text.
    pub fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends_line =
            |at: &usize| bytes[*at] == b'\n' || (bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        let starts = std::iter::once(0).chain((0..bytes.len()).filter(ends_line).map(|at| at + 1));
        Self { starts: starts.collect() }
    }

    /// The line that holds a byte, from 0.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The bytes of a line without its end; nothing where there is no such line.
    pub fn range(&self, text: &str, line: usize) -> Option<std::ops::Range<usize>> {
        let start = *self.starts.get(line)?;
        let end = self.starts.get(line + 1).copied().unwrap_or(text.len());
        let content = text.get(start..end)?.trim_end_matches(['\n', '\r']);
        Some(start..start + content.len())
    }

    /// How many lines there are; the last may be empty.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// Where a byte stands; one beyond the text counts as its end.
    pub fn position(&self, text: &str, offset: usize, encoding: Encoding) -> EditorPosition {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line(offset);
        let character = encoding.units(&text[self.starts[line]..offset]);
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        EditorPosition { line: number(line), character: number(character) }
    }

    /// The byte that stands there. A column beyond its line is the line's end, a line beyond the text the text's end.
    pub fn offset(&self, text: &str, position: EditorPosition, encoding: Encoding) -> usize {
        let Some(range) = self.range(text, position.line as usize) else { return text.len() };
        range.start + encoding.bytes(&text[range], position.character as usize)
    }
}

/// The lines of a text that does not change, found at the first question.
#[derive(Clone, Debug, Default)]
pub(super) struct LazyLines(OnceLock<Lines>);

impl LazyLines {
    pub(super) fn of(&self, text: &str) -> &Lines {
        self.0.get_or_init(|| Lines::of(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str, offset: usize, encoding: Encoding) -> (u32, u32) {
        let EditorPosition { line, character } = Lines::of(text).position(text, offset, encoding);
        (line, character)
    }

    #[test]
    fn columns_are_counted_in_units_of_the_encoding() {
        let text = "ä𝒳b: x\nc";
        let b = text.find('b').unwrap();
        assert_eq!(at(text, b, Encoding::Utf8), (0, 6));
        assert_eq!(at(text, b, Encoding::Utf16), (0, 3));
        assert_eq!(at(text, text.len(), Encoding::Utf16), (1, 1));
    }

    #[test]
    fn every_kind_of_line_end_ends_a_line_once() {
        let text = "a\r\nb\rc\nd";
        let lines: Vec<_> = (0..text.len()).map(|offset| at(text, offset, Encoding::Utf8).0).collect();
        assert_eq!(lines, [0, 0, 0, 1, 1, 2, 2, 3]);
        let lines = Lines::of(text);
        let end = |line| lines.offset(text, EditorPosition { line, character: 99 }, Encoding::Utf16);
        assert_eq!([end(0), end(1), end(2), end(3), end(4)], [1, 4, 6, 8, 8]);
    }

    #[test]
    fn a_column_inside_a_character_is_its_beginning() {
        let text = "𝒳x";
        let lines = Lines::of(text);
        let offset =
            |character, encoding| lines.offset(text, EditorPosition { line: 0, character }, encoding);
        assert_eq!(offset(1, Encoding::Utf16), 0);
        assert_eq!(offset(2, Encoding::Utf16), 4);
        assert_eq!(offset(2, Encoding::Utf8), 0);
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_place(text in "[aä𝒳\r\n:]{0,40}", at in 0..60_usize) {
            let lines = Lines::of(&text);
            for encoding in [Encoding::Utf8, Encoding::Utf16] {
                let offset = lines.offset(&text, lines.position(&text, at, encoding), encoding);
                // Between `\r` and `\n` no editor can stand.
                let inside_end = text.get(..at).is_some_and(|before| before.ends_with('\r'))
                    && text.get(at..).is_some_and(|rest| rest.starts_with('\n'));
                if text.is_char_boundary(at) && at <= text.len() && !inside_end {
                    prop_assert_eq!(offset, at);
                }
                prop_assert!(text.is_char_boundary(offset));
            }
        }
    }
}
