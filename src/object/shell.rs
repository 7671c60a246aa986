//! Words of commands that are printed to be copied into a shell.

/// A word as a POSIX shell takes it: bare where nothing in it means anything to a shell, else in single quotes.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    let bare = !text.is_empty() && text.chars().all(plain);
    if bare { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(word("--role=x"), "--role=x");
        for (text, expected) in
            [("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$(x)", "'$(x)'"), ("a*", "'a*'")]
        {
            assert_eq!(word(text), expected);
        }
    }
}
