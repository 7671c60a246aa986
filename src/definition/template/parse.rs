//! The text of a template to its parts. The grammar is the small part of Jinja that the official loader lets through:
//! names with dots, calls, filters, strings, numbers and the constants; offsets are bytes of the text.

use std::ops::Range;

/// A piece of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// Text that stays.
    Text(String),
    /// `<% … %>`.
    Expression(Expression),
}

/// An expression, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expression {
    pub(super) what: What,
    pub(super) range: Range<usize>,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// `ctx.env.X`.
    Variable(Vec<String>),
    /// `'text'`
    Text(String),
    /// A number or `true`, `none`, …, as Jinja prints it.
    Constant(&'static str),
    /// A number, as written.
    Number(String),
    /// `fn.name(arguments)`
    Call(Vec<String>, Vec<Expression>),
    /// `value | name(arguments)`
    Filter(Box<Expression>, String, Vec<Expression>),
}

/// Why a template cannot be read, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mistake {
    pub(super) message: String,
    pub(super) range: Range<usize>,
}

/// A variable that a template names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its path: `ctx`, `env`, `X`.
    pub path: Vec<String>,
    /// Where its parts stand in the text.
    pub ranges: Vec<Range<usize>>,
}

/// The variables that the templates of a text name; nothing where the text cannot be read.
pub fn named(text: &str) -> Option<Vec<Named>> {
    let mut found = Vec::new();
    for piece in parse(text).ok()? {
        if let Piece::Expression(expression) = piece {
            collect_named(&expression, &mut found);
        }
    }
    Some(found)
}

fn collect_named(expression: &Expression, found: &mut Vec<Named>) {
    match &expression.what {
        What::Text(_) | What::Constant(_) | What::Number(_) => {}
        What::Variable(path) => {
            let mut at = expression.range.start;
            let ranges = path.iter().map(|part| {
                let range = at..at + part.len();
                at = range.end + 1;
                range
            });
            found.push(Named { ranges: ranges.collect(), path: path.clone() });
        }
        What::Call(_, arguments) => arguments.iter().for_each(|argument| collect_named(argument, found)),
        What::Filter(value, _, arguments) => {
            collect_named(value, found);
            arguments.iter().for_each(|argument| collect_named(argument, found));
        }
    }
}

/// Whether there is anything to read.
pub fn is_template(text: &str) -> bool {
    text.contains("<%") || text.contains("{#")
}

/// Splits a value into text and expressions.
pub(super) fn parse(text: &str) -> Result<Vec<Piece>, Mistake> {
    let mut pieces = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let (expression, comment) = (rest.find("<%"), rest.find("{#"));
        let next = expression.into_iter().chain(comment).min();
        let Some(next) = next else {
            push_text(&mut pieces, rest);
            return Ok(pieces);
        };
        push_text(&mut pieces, &rest[..next]);
        let start = at + next;
        if comment == Some(next) {
            let end = text[start..].find("#}").ok_or_else(|| Mistake {
                message: "a comment `{#` is not closed by `#}`".to_owned(),
                range: start..text.len(),
            })?;
            at = start + end + 2;
            continue;
        }
        let mut scanner = Scanner { text, at: start + 2 };
        if scanner.eat("-") {
            trim_end(&mut pieces);
        } else {
            scanner.eat("+");
        }
        let parsed = scanner.expression()?;
        let trims = scanner.close(start)?;
        pieces.push(Piece::Expression(parsed));
        at = scanner.at;
        if trims {
            at += text[at..].len() - text[at..].trim_start().len();
        }
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

fn trim_end(pieces: &mut [Piece]) {
    if let Some(Piece::Text(text)) = pieces.last_mut() {
        text.truncate(text.trim_end().len());
    }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Takes the closing mark; tells whether it swallows the space behind it.
    fn close(&mut self, start: usize) -> Result<bool, Mistake> {
        self.skip_space();
        if self.eat("-%>") {
            return Ok(true);
        }
        if self.eat("%>") || self.eat("+%>") {
            return Ok(false);
        }
        if self.rest().is_empty() {
            return Err(Mistake {
                message: "the template is not closed by `%>`".to_owned(),
                range: start..self.text.len(),
            });
        }
        Err(self.unexpected())
    }

    fn unexpected(&self) -> Mistake {
        let end = self.rest().chars().next().map_or(0, char::len_utf8);
        let range = self.at..self.at + end;
        if end == 0 {
            return Mistake { message: "the template is not closed by `%>`".to_owned(), range };
        }
        let message = match self.rest().chars().next() {
            Some('[') => "items in brackets are not allowed; write `ctx.env.NAME`".to_owned(),
            Some(c) => format!("`{c}` is not allowed here; a template holds names, calls and filters only"),
            None => String::new(),
        };
        Mistake { message, range }
    }

    fn expression(&mut self) -> Result<Expression, Mistake> {
        self.skip_space();
        let start = self.at;
        let mut value = self.primary()?;
        loop {
            let end = self.at;
            self.skip_space();
            if !self.eat("|") {
                self.at = end;
                return Ok(value);
            }
            self.skip_space();
            let name = self.name()?;
            let end = self.at;
            self.skip_space();
            let arguments = if self.rest().starts_with('(') {
                self.arguments()?
            } else {
                self.at = end;
                Vec::new()
            };
            value =
                Expression { what: What::Filter(Box::new(value), name, arguments), range: start..self.at };
        }
    }

    fn primary(&mut self) -> Result<Expression, Mistake> {
        let start = self.at;
        let what = match self.rest().chars().next() {
            Some('\'' | '"') => What::Text(self.string()?),
            Some(c) if c.is_ascii_digit() => What::Number(self.number()),
            Some(c) if c.is_alphabetic() || c == '_' => self.path_or_constant()?,
            _ => return Err(self.unexpected()),
        };
        Ok(Expression { what, range: start..self.at })
    }

    fn path_or_constant(&mut self) -> Result<What, Mistake> {
        let first = self.name()?;
        let constant = match first.as_str() {
            "true" | "True" => Some("True"),
            "false" | "False" => Some("False"),
            "none" | "None" => Some("None"),
            _ => None,
        };
        if let Some(constant) = constant {
            return Ok(What::Constant(constant));
        }
        let mut path = vec![first];
        while self.eat(".") {
            path.push(self.name()?);
        }
        let end = self.at;
        self.skip_space();
        if self.rest().starts_with('(') {
            return Ok(What::Call(path, self.arguments()?));
        }
        self.at = end;
        Ok(What::Variable(path))
    }

    fn name(&mut self) -> Result<String, Mistake> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let length = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let name = self.rest()[..length].to_owned();
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Mistake { message: "a name is missing here".to_owned(), ..self.unexpected() });
        }
        self.at += length;
        Ok(name)
    }

    fn number(&mut self) -> String {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '_');
        let length = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let number = self.rest()[..length].replace('_', "");
        self.at += length;
        number
    }

    fn string(&mut self) -> Result<String, Mistake> {
        let start = self.at;
        let quote = self.rest().chars().next().unwrap_or('\'');
        let mut content = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            if c == quote {
                self.at += offset + c.len_utf8();
                return Ok(content);
            }
            if c != '\\' {
                content.push(c);
                continue;
            }
            match chars.next() {
                Some((_, 'n')) => content.push('\n'),
                Some((_, 't')) => content.push('\t'),
                Some((_, escaped @ ('\\' | '\'' | '"'))) => content.push(escaped),
                Some((_, other)) => content.extend(['\\', other]),
                None => break,
            }
        }
        Err(Mistake { message: "the closing quote is missing".to_owned(), range: start..self.text.len() })
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, Mistake> {
        let mut arguments = Vec::new();
        self.eat("(");
        loop {
            self.skip_space();
            if self.eat(")") {
                return Ok(arguments);
            }
            arguments.push(self.expression()?);
            self.skip_space();
            if !self.eat(",") && !self.rest().starts_with(')') {
                return Err(self.unexpected());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn only(text: &str) -> What {
        match parse(text).unwrap().remove(0) {
            Piece::Expression(expression) => expression.what,
            Piece::Text(text) => panic!("{text} is no expression"),
        }
    }

    #[test]
    fn names_calls_and_filters() {
        let path = |text: &str| text.split('.').map(ToOwned::to_owned).collect::<Vec<_>>();
        assert_eq!(only("<%ctx.env.A%>"), What::Variable(path("ctx.env.A")));
        let What::Call(name, arguments) = only("<% fn.concat_ids('a', ctx.env.B) %>") else { panic!() };
        assert_eq!((name, arguments.len()), (path("fn.concat_ids"), 2));
        let What::Filter(_, name, arguments) = only("<% ctx.x | replace('a', 'b') %>") else { panic!() };
        assert_eq!((name.as_str(), arguments.len()), ("replace", 2));
    }

    #[test]
    fn what_is_not_allowed_says_where() {
        for (text, at) in [
            ("a<% 1 + 1 %>", 6),
            ("<% ctx.env['S'] %>", 10),
            ("x <% ctx.env.S", 2),
            ("<% ctx.. %>", 7),
            ("<% ctx.a if ctx.a else 'x' %>", 9),
            ("<% 'x %>", 3),
        ] {
            assert_eq!(parse(text).unwrap_err().range.start, at, "{text}");
        }
    }

    #[test]
    fn named_variables_tell_where_their_parts_stand() {
        let text = "é<% fn.f(ctx.env.A | upper, 'ctx.env.B') %> <%ctx.x%>";
        let found = named(text).unwrap();
        let parts: Vec<Vec<&str>> = found
            .iter()
            .map(|named| named.ranges.iter().map(|range| &text[range.clone()]).collect())
            .collect();
        assert_eq!(parts, [vec!["ctx", "env", "A"], vec!["ctx", "x"]]);
        assert_eq!(named("<% ctx."), None);
    }

    #[test]
    fn marks_with_a_dash_swallow_space() {
        let pieces = parse("a  <%- ctx.x -%>  b").unwrap();
        assert_eq!(pieces[0], Piece::Text("a".into()));
        assert_eq!(pieces[2], Piece::Text("b".into()));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "[a<%>{#} .'\"|(),_0é-]{0,40}") {
            let _ = parse(&text);
        }
    }
}
