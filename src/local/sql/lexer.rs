//! Text to tokens: words, quoted names, literals, numbers and symbols; comments and white space go.
//!
//! Source of the rules: docs.snowflake.com `sql-reference/data-types-text` (literals, escapes, dollar quotes)
//! and `sql-reference/identifiers-syntax`.

use super::failure::SqlFailure;

/// One token, with its place in the text in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Its first byte.
    pub(crate) start: usize,
    /// The byte behind its last one.
    pub(crate) end: usize,
}

/// What a token is. Words, quoted names and numbers are read from the text again where they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A keyword or an unquoted name.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A literal; its content, with escapes resolved.
    Text(String),
    /// An unsigned number.
    Number,
    /// Anything else, one character.
    Symbol(char),
}

impl Token {
    /// Whether it is this symbol.
    pub(crate) fn is_symbol(&self, symbol: char) -> bool {
        self.kind == TokenKind::Symbol(symbol)
    }
}

/// Divides a text into tokens. A literal, a quoted name or a comment that does not end is a syntax error.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, SqlFailure> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

/// The syntax error at a byte of the text; `unexpected` is quoted as it stands.
pub(crate) fn syntax_error(text: &str, at: usize, unexpected: &str) -> SqlFailure {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    SqlFailure::syntax(line, before[line_start..].chars().count(), unexpected)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Result<Option<Token>, SqlFailure> {
        self.skip_blank()?;
        let start = self.at;
        let Some(first) = self.rest().chars().next() else { return Ok(None) };
        let kind = match first {
            '\'' => TokenKind::Text(self.literal()?),
            '"' => self.quoted_name()?,
            '$' if self.rest().starts_with("$$") => TokenKind::Text(self.dollar_text()?),
            '0'..='9' => {
                self.skip_while(|c| c.is_ascii_digit() || c == '.');
                TokenKind::Number
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                self.skip_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'));
                TokenKind::Word
            }
            other => {
                self.at += other.len_utf8();
                TokenKind::Symbol(other)
            }
        };
        Ok(Some(Token { kind, start, end: self.at }))
    }

    fn skip_while(&mut self, belongs: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !belongs(c)).unwrap_or(rest.len());
    }

    /// Skips white space and comments.
    fn skip_blank(&mut self) -> Result<(), SqlFailure> {
        loop {
            self.skip_while(char::is_whitespace);
            let rest = self.rest();
            if rest.starts_with("--") || rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let end = rest.find("*/").ok_or_else(|| self.unfinished(self.at))?;
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    /// Reads `'…'`: two quotes stand for one, a backslash starts an escape.
    fn literal(&mut self) -> Result<String, SqlFailure> {
        let start = self.at;
        self.at += 1;
        let mut content = String::new();
        loop {
            let c = self.take(start)?;
            match c {
                '\'' if self.rest().starts_with('\'') => {
                    self.at += 1;
                    content.push('\'');
                }
                '\'' => return Ok(content),
                '\\' => self.escape(start, &mut content)?,
                other => content.push(other),
            }
        }
    }

    /// Reads what follows a backslash. An escape that means nothing loses its backslash.
    fn escape(&mut self, start: usize, content: &mut String) -> Result<(), SqlFailure> {
        let c = self.take(start)?;
        match c {
            'n' => content.push('\n'),
            'r' => content.push('\r'),
            't' => content.push('\t'),
            'b' => content.push('\u{8}'),
            'f' => content.push('\u{c}'),
            '0' => content.push('\0'),
            'x' => self.code_point(2, 'x', content),
            'u' => self.code_point(4, 'u', content),
            other => content.push(other),
        }
        Ok(())
    }

    /// Reads the hexadecimal digits of `\xHH` and `\uHHHH`.
    fn code_point(&mut self, digits: usize, letter: char, content: &mut String) {
        let hex = self.rest().get(..digits).filter(|hex| hex.chars().all(|c| c.is_ascii_hexdigit()));
        match hex.and_then(|hex| char::from_u32(u32::from_str_radix(hex, 16).ok()?)) {
            Some(c) => {
                content.push(c);
                self.at += digits;
            }
            None => content.push(letter),
        }
    }

    /// Reads `"…"`; its content is parsed where it is used.
    fn quoted_name(&mut self) -> Result<TokenKind, SqlFailure> {
        let start = self.at;
        self.at += 1;
        loop {
            if self.take(start)? == '"' {
                if !self.rest().starts_with('"') {
                    return Ok(TokenKind::Quoted);
                }
                self.at += 1;
            }
        }
    }

    /// Reads `$$…$$`, in which nothing is special.
    fn dollar_text(&mut self) -> Result<String, SqlFailure> {
        let inner = &self.rest()[2..];
        let end = inner.find("$$").ok_or_else(|| self.unfinished(self.at))?;
        self.at += end + 4;
        Ok(inner[..end].to_owned())
    }

    /// Takes one character of something that began at `start` and must end before the text does.
    fn take(&mut self, start: usize) -> Result<char, SqlFailure> {
        let c = self.rest().chars().next().ok_or_else(|| self.unfinished(start))?;
        self.at += c.len_utf8();
        Ok(c)
    }

    fn unfinished(&self, start: usize) -> SqlFailure {
        syntax_error(self.text, start, &self.text[start..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn literal(text: &str) -> String {
        match tokens(text).unwrap().as_slice() {
            [Token { kind: TokenKind::Text(content), .. }] => content.clone(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn literals_resolve_quotes_and_escapes() {
        let cases = [
            (r"'it''s'", "it's"),
            (r"'a\\b'", "a\\b"),
            (r"'a\'b'", "a'b"),
            (r"'l\nl\t'", "l\nl\t"),
            (r"'\x41\u00e9'", "Aé"),
            (r"'\xzz\q'", "xzzq"),
            (r"'\\_'", r"\_"),
            (r"$$it's \n$$", r"it's \n"),
            ("''", ""),
        ];
        for (text, content) in cases {
            assert_eq!(literal(text), content, "{text}");
        }
    }

    #[test]
    fn comments_of_all_three_kinds_are_skipped() {
        let text = "a -- x\n b // y\n /* z \n */ c";
        let words: Vec<_> = tokens(text).unwrap().iter().map(|t| &text[t.start..t.end]).collect();
        assert_eq!(words, ["a", "b", "c"]);
    }

    #[test]
    fn what_does_not_end_is_said_at_its_start() {
        for (text, line, position) in
            [("select 'abc", 1, 7), ("\n \"abc", 2, 1), ("/* x", 1, 0), ("$$ x", 1, 0)]
        {
            let failure = tokens(text).unwrap_err();
            assert_eq!(failure.code, 1003, "{text}");
            let place = format!("line {line} at position {position} unexpected");
            assert!(failure.message.contains(&place), "{}", failure.message);
        }
    }

    #[test]
    fn positions_count_characters_not_bytes() {
        let failure = syntax_error("é 'ü\n é ;", "é 'ü\n é ;".len() - 1, ";");
        assert!(failure.message.contains("line 2 at position 3 unexpected ';'"), "{}", failure.message);
    }

    proptest! {
        #[test]
        fn tokens_are_in_order_and_nothing_panics(text in "[a-z'\"$/*;\\\\ \n-é]{0,60}") {
            if let Ok(tokens) = tokens(&text) {
                for pair in tokens.windows(2) {
                    prop_assert!(pair[0].end <= pair[1].start);
                }
            }
        }
    }
}
