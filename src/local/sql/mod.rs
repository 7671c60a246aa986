//! The SQL that the embedded account understands: text to tokens to a typed statement.
//!
//! Nothing here touches the catalog. A text either becomes a [`Statement`](ast::Statement) or the failure
//! that Snowflake would answer with.

pub(crate) mod ast;
pub(crate) mod failure;
pub(crate) mod lexer;
mod parse_alter;
mod parse_create;
mod parse_grant;
mod parse_select;
mod parse_show;
pub(crate) mod parser;
pub(crate) mod redact;

use ast::Statement;
use failure::SqlFailure;
use lexer::{Token, TokenKind};

/// Reads a text that holds exactly one statement; a trailing semicolon is fine.
pub(crate) fn parse_one(text: &str) -> Result<Statement, SqlFailure> {
    let tokens = lexer::tokens(text)?;
    let statements = split(&tokens);
    match statements.as_slice() {
        [] => Err(SqlFailure::empty_statement()),
        [one] => parser::parse(text, one),
        several => Err(SqlFailure::statement_count(several.len(), 1)),
    }
}

/// The texts of the statements of a script, without their semicolons.
pub(crate) fn split_script(text: &str) -> Result<Vec<&str>, SqlFailure> {
    let tokens = lexer::tokens(text)?;
    let texts = split(&tokens).into_iter().filter_map(|statement| {
        let (first, last) = (statement.first()?, statement.last()?);
        Some(&text[first.start..last.end])
    });
    Ok(texts.collect())
}

/// The id in `SELECT * FROM TABLE(RESULT_SCAN('id'))`, which is how the Python connector fetches the rows of
/// a statement that it ran detached; nothing for every other text.
pub(crate) fn result_scan(text: &str) -> Option<String> {
    let tokens = lexer::tokens(text).ok()?;
    let [statement] = split(&tokens)[..] else { return None };
    let spelled = ["SELECT", "*", "FROM", "TABLE", "(", "RESULT_SCAN", "(", "", ")", ")"];
    let fits = |(token, word): (&Token, &str)| match &token.kind {
        TokenKind::Text(_) => word.is_empty(),
        _ => text[token.start..token.end].eq_ignore_ascii_case(word),
    };
    if statement.len() != spelled.len() || !statement.iter().zip(spelled).all(fits) {
        return None;
    }
    statement.iter().find_map(|token| match &token.kind {
        TokenKind::Text(id) => Some(id.clone()),
        _ => None,
    })
}

/// Divides tokens at semicolons and drops what is empty between them.
fn split(tokens: &[Token]) -> Vec<&[Token]> {
    tokens.split(|token| token.is_symbol(';')).filter(|statement| !statement.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_ends_a_statement_except_inside_literals_names_and_comments() {
        let script = "select 'a;b'; select \"x;y\" ; -- ; \n /* ; */ select $$;$$;;";
        assert_eq!(split_script(script).unwrap(), ["select 'a;b'", "select \"x;y\"", "select $$;$$"]);
    }

    #[test]
    fn a_result_scan_is_recognised_and_nothing_else_is() {
        let scan = "select * from table(result_scan('0a-1'))";
        assert_eq!(result_scan(scan).as_deref(), Some("0a-1"));
        assert_eq!(result_scan(&format!("{scan} ;")).as_deref(), Some("0a-1"));
        for other in ["select 1", "select * from table(result_scan(x))", "select * from table(f('a'))", "'"] {
            assert_eq!(result_scan(other), None, "{other}");
        }
    }

    #[test]
    fn one_statement_is_wanted() {
        assert_eq!(parse_one(" ; -- nothing").unwrap_err().code, 900);
        let failure = parse_one("select 1; select 2").unwrap_err();
        assert_eq!(failure.code, 8);
        assert_eq!(failure.message, "Actual statement count 2 did not match the desired statement count 1.");
    }
}
