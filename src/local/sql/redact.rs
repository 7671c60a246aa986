//! Statements for a log, without the secrets that some of them hold.

use super::lexer::{self, Token, TokenKind};

/// The text of a statement as a log may hold it. Passwords and keys stand only in statements about users;
/// there, and in whatever cannot be read, no literal is kept.
pub(crate) fn without_secrets(text: &str) -> String {
    let Ok(tokens) = lexer::tokens(text) else { return "(unreadable statement)".to_owned() };
    let about_users = tokens.iter().any(|token| is_word(text, token, "USER"));
    let secret_words = ["PASSWORD", "TOKEN", "SECRET", "RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"];
    let names_secret = tokens.iter().any(|token| secret_words.iter().any(|word| is_word(text, token, word)));
    if !about_users && !names_secret {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut at = 0;
    for token in tokens.iter().filter(|token| matches!(token.kind, TokenKind::Text(_))) {
        kept.push_str(&text[at..token.start]);
        kept.push_str("'***'");
        at = token.end;
    }
    kept.push_str(&text[at..]);
    kept
}

fn is_word(text: &str, token: &Token, word: &str) -> bool {
    token.kind == TokenKind::Word && text[token.start..token.end].eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_statements_about_users_are_hidden() {
        let cases = [
            (
                "alter user u set password = 'x''y' comment = $$z$$",
                "alter user u set password = '***' comment = '***'",
            ),
            ("show image repositories like 'a%'", "show image repositories like 'a%'"),
            ("alter user u set password = 'open", "(unreadable statement)"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_secrets(text), expected);
        }
    }
}
