//! `SELECT` without a table: what clients ask a session about itself.

use super::ast::{Expression, SelectItem, Statement};
use super::failure::SqlFailure;
use super::lexer::TokenKind;
use super::parser::{Parsed, Parser};

/// How deep function calls may nest; deeper is refused before the stack is.
const MAX_DEPTH: usize = 32;

/// Functions that SQL lets one call without parentheses.
const BARE_FUNCTIONS: &[&str] = &["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER"];

impl Parser<'_> {
    /// Reads what follows `SELECT`.
    pub(super) fn select(&mut self) -> Parsed<Statement> {
        if self.at_symbol('*') {
            return Err(SqlFailure::unsupported("SELECT *"));
        }
        let mut items = Vec::new();
        loop {
            items.push(self.select_item()?);
            if !self.take_symbol(',') {
                break;
            }
        }
        if self.at_word("FROM") {
            return Err(SqlFailure::unsupported("SELECT FROM"));
        }
        Ok(Statement::Select(items))
    }

    fn select_item(&mut self) -> Parsed<SelectItem> {
        let start = self.start();
        let expression = self.expression(0)?;
        let text = self.slice(start, self.end());
        // AS is optional: whatever else stands between here and the next column is an alias.
        let bare = !self.is_done() && !self.at_word("FROM") && !self.at_symbol(',');
        let aliased = self.take_word("AS") || bare;
        let name = if aliased { self.ident()?.as_str().to_owned() } else { text.to_uppercase() };
        Ok(SelectItem { expression, name })
    }

    fn at_symbol(&self, symbol: char) -> bool {
        self.peek().is_some_and(|token| token.is_symbol(symbol))
    }

    fn expression(&mut self, depth: usize) -> Parsed<Expression> {
        if depth > MAX_DEPTH {
            return Err(self.unexpected());
        }
        let operand = self.operand(depth)?;
        if !self.take_word("IS") {
            return Ok(operand);
        }
        let negated = self.take_word("NOT");
        self.expect_word("NULL")?;
        Ok(Expression::IsNull { operand: Box::new(operand), negated })
    }

    fn operand(&mut self, depth: usize) -> Parsed<Expression> {
        if self.take_symbol('(') {
            let inner = self.expression(depth + 1)?;
            self.expect_symbol(')')?;
            return Ok(inner);
        }
        if self.take_symbol('-') {
            return Ok(Expression::Number(format!("-{}", self.number()?)));
        }
        match self.peek().map(|token| &token.kind) {
            Some(TokenKind::Text(_)) => self.literal().map(Expression::Text),
            Some(TokenKind::Number) => Ok(Expression::Number(self.number()?.to_owned())),
            Some(TokenKind::Word) => self.word_expression(depth),
            Some(TokenKind::Quoted | TokenKind::Symbol(_)) | None => Err(self.unexpected()),
        }
    }

    fn word_expression(&mut self, depth: usize) -> Parsed<Expression> {
        let name = self.any_word()?;
        match name.as_str() {
            "TRUE" => return Ok(Expression::Boolean(true)),
            "FALSE" => return Ok(Expression::Boolean(false)),
            "NULL" => return Ok(Expression::Null),
            _ => {}
        }
        if !self.take_symbol('(') {
            return if BARE_FUNCTIONS.contains(&name.as_str()) {
                Ok(Expression::Call { name, arguments: Vec::new() })
            } else {
                Err(SqlFailure::invalid_identifier(&name))
            };
        }
        let mut arguments = Vec::new();
        while !self.take_symbol(')') {
            if !arguments.is_empty() {
                self.expect_symbol(',')?;
            }
            arguments.push(self.expression(depth + 1)?);
        }
        Ok(Expression::Call { name, arguments })
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_one;
    use super::*;

    #[test]
    fn columns_are_named_by_alias_or_by_their_text() {
        let text = "select current_role() as r, Current_User(), 1 one, 'a', (null) is not null";
        let Ok(Statement::Select(items)) = parse_one(text) else { panic!("{text}") };
        let names: Vec<_> = items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["R", "CURRENT_USER()", "ONE", "'A'", "(NULL) IS NOT NULL"]);
    }

    #[test]
    fn tables_bare_words_and_deep_nesting_are_refused() {
        assert_eq!(parse_one("select 1 from t").unwrap_err().code, 2);
        assert_eq!(parse_one("select foo").unwrap_err().code, 904);
        assert_eq!(parse_one("select f(1 2)").unwrap_err().code, 1003);
        let deep = format!("select {}1{}", "(".repeat(50_000), ")".repeat(50_000));
        assert_eq!(parse_one(&deep).unwrap_err().code, 1003);
    }
}
