//! `LIKE` as SHOW means it: case-insensitive, `%` for any text, `_` for one character, a backslash before
//! either (or before itself) for the character as such.

/// A compiled pattern.
pub(super) struct Pattern(Vec<Piece>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    One(char),
    AnyOne,
    AnyText,
}

impl Pattern {
    /// Compiles the content of a literal.
    pub(super) fn new(written: &str) -> Self {
        let mut pieces = Vec::new();
        let mut chars = written.chars();
        while let Some(c) = chars.next() {
            let piece = match c {
                '%' => Piece::AnyText,
                '_' => Piece::AnyOne,
                '\\' => Piece::One(fold(chars.next().unwrap_or('\\'))),
                other => Piece::One(fold(other)),
            };
            if piece != Piece::AnyText || pieces.last() != Some(&Piece::AnyText) {
                pieces.push(piece);
            }
        }
        Self(pieces)
    }

    /// What every text that matches starts with, in upper case.
    pub(super) fn prefix(&self) -> String {
        let characters = self.0.iter().map_while(|piece| match piece {
            Piece::One(c) => Some(*c),
            Piece::AnyOne | Piece::AnyText => None,
        });
        characters.flat_map(char::to_uppercase).collect()
    }

    /// Whether all of `name` matches. Takes time proportional to pattern times name at worst: only the last
    /// `%` is ever reconsidered.
    pub(super) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().map(fold).collect();
        let (mut piece, mut at) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.0.get(piece) {
                Some(Piece::AnyText) => {
                    retry = Some((piece + 1, at));
                    piece += 1;
                    continue;
                }
                Some(Piece::AnyOne) => {
                    (piece, at) = (piece + 1, at + 1);
                    continue;
                }
                Some(Piece::One(c)) if *c == name[at] => {
                    (piece, at) = (piece + 1, at + 1);
                    continue;
                }
                Some(Piece::One(_)) | None => {}
            }
            let Some((after, tried)) = retry else { return false };
            retry = Some((after, tried + 1));
            (piece, at) = (after, tried + 1);
        }
        self.0[piece..].iter().all(|rest| *rest == Piece::AnyText)
    }
}

/// One character for one character, so that `_` counts what a reader counts.
fn fold(c: char) -> char {
    c.to_uppercase().next().unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wildcards_and_escapes() {
        let cases = [
            ("my%", "MY_REPO", true),
            ("%repo", "MY_REPO", true),
            ("%y%p%", "MY_REPO", true),
            ("m__repo", "MY_REPO", true),
            (r"my\_repo", "MY_REPO", true),
            (r"my\_repo", "MYXREPO", false),
            ("my_repo", "MYXREPO", true),
            (r"a\%", "A%", true),
            (r"a\%", "AB", false),
            (r"a\\", r"A\", true),
            ("", "A", false),
            ("%", "", true),
            ("a%b%c", "AXBXBXC", true),
            ("a%b%c", "AXCXB", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_exponential_time() {
        let pattern = Pattern::new(&"%a".repeat(200));
        assert!(!pattern.matches(&"A".repeat(199)));
        assert!(pattern.matches(&"A".repeat(5000)));
    }

    /// The obvious, exponential matcher.
    fn slow(pattern: &[char], name: &[char]) -> bool {
        match (pattern.first(), name.first()) {
            (None, None) => true,
            (Some('%'), _) => slow(&pattern[1..], name) || (!name.is_empty() && slow(pattern, &name[1..])),
            (Some('_'), Some(_)) => slow(&pattern[1..], &name[1..]),
            (Some(p), Some(n)) => p == n && slow(&pattern[1..], &name[1..]),
            (None | Some(_), _) => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_obvious_matcher(pattern in "[AB%_]{0,7}", name in "[AB]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Pattern::new(&pattern).matches(&name), slow(&chars(&pattern), &chars(&name)));
        }
    }
}
