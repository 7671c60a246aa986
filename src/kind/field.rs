//! What a key of an entity may hold. A field is one row; whoever wants to know something of a key asks the row.

use super::check::Check;
use super::form::Form;

/// One key.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What it is where it is left out.
    pub fallback: Fallback,
    /// One sentence for hover, schema and help.
    pub doc: &'static str,
    /// A value for snippets and examples: a text that the key takes, or that an item of its list takes.
    pub example: Option<&'static str>,
}

/// What a value may be. Scalars are texts in this language; a shape says which texts.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Any text.
    Text,
    /// A text of a certain form.
    Form(&'static Form),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A truth value, in pydantic's words.
    Flag,
    /// A whole number, in pydantic's spelling, not below this.
    Whole {
        /// The least that is allowed.
        least: u32,
    },
    /// The key of another entity, of one of these types; of any type where none is named.
    Reference(&'static [&'static str]),
    /// Anything.
    Any,
    /// A list.
    List(&'static Self),
    /// A mapping with any keys.
    Map(&'static Self),
    /// A mapping whose keys have a form as well.
    MapOf(&'static Form, &'static Self),
    /// A mapping with known keys.
    Record(&'static Record),
    /// The first where it is a scalar, the second where it is a list or a mapping.
    Either(&'static Self, &'static Self),
    /// This, or the word `null`.
    OrNull(&'static Self),
}

/// A mapping with known keys.
#[derive(Debug)]
pub struct Record {
    /// The keys.
    pub fields: &'static [Field],
    /// What must hold between them.
    pub checks: &'static [Check],
}

/// What a key is where it is left out. Templates read it: `<% ctx.entities.ID.KEY %>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// There is no value.
    Nothing,
    /// This one.
    Text(&'static str),
    /// This one where another key is given, else none.
    Beside {
        /// The other key.
        key: &'static str,
        /// The value.
        text: &'static str,
    },
}

impl Field {
    /// A key that may be left out.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, required: false, fallback: Fallback::Nothing, doc, example: None }
    }

    /// A key that must be there.
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, required: true, fallback: Fallback::Nothing, doc, example: None }
    }

    /// With the value that it has where it is left out.
    #[must_use]
    pub const fn or(mut self, text: &'static str) -> Self {
        self.fallback = Fallback::Text(text);
        self
    }

    /// With the value that it has where it is left out and another key is given.
    #[must_use]
    pub const fn beside(mut self, key: &'static str, text: &'static str) -> Self {
        self.fallback = Fallback::Beside { key, text };
        self
    }

    /// With a value for snippets and examples.
    #[must_use]
    pub const fn like(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }
}

impl Record {
    /// Keys that are independent of each other.
    pub const fn of(fields: &'static [Field]) -> Self {
        Self { fields, checks: &[] }
    }
}

impl Shape {
    /// What a person calls it: `a text`, `a list`.
    pub fn noun(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Form(form) => form.noun.to_owned(),
            Self::Choice(words) => words.join(" or "),
            Self::Flag => "true or false".to_owned(),
            Self::Whole { .. } => "a whole number".to_owned(),
            Self::Reference(_) => "the key of an entity".to_owned(),
            Self::Any => "any value".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) | Self::MapOf(..) | Self::Record(_) => "a mapping".to_owned(),
            Self::Either(scalar, other) => format!("{} or {}", scalar.noun(), other.noun()),
            Self::OrNull(other) => format!("{} or null", other.noun()),
        }
    }

    /// The keys of the mapping that it is, or may be.
    pub fn record(&self) -> Option<&'static Record> {
        match self {
            Self::Record(record) => Some(record),
            Self::Either(_, other) | Self::OrNull(other) => other.record(),
            _ => None,
        }
    }

    /// The shape of every value of the mapping with free keys that it is, or may be.
    pub fn values(&self) -> Option<&'static Self> {
        match self {
            Self::Map(value) | Self::MapOf(_, value) => Some(value),
            Self::Either(_, other) | Self::OrNull(other) => other.values(),
            _ => None,
        }
    }

    /// The shape of every item of the list that it is, or may be.
    pub fn items(&self) -> Option<&'static Self> {
        match self {
            Self::List(item) => Some(item),
            Self::Either(_, other) | Self::OrNull(other) => other.items(),
            _ => None,
        }
    }

    /// Whether a scalar may stand there.
    pub fn takes_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Map(_) | Self::MapOf(..) | Self::Record(_))
    }

    /// The words that may stand there, where only some may.
    pub fn words(&self) -> &'static [&'static str] {
        match self {
            Self::Choice(words) => words,
            Self::Flag => &["true", "false"],
            Self::Either(scalar, _) => scalar.words(),
            Self::OrNull(other) if !other.takes_scalar() => &["null"],
            _ => &[],
        }
    }
}

/// The words that pydantic reads as true (`str_to_bool`): no space around them, any case.
pub const TRUE: [&str; 6] = ["true", "yes", "on", "t", "y", "1"];
/// The words that pydantic reads as false.
pub const FALSE: [&str; 6] = ["false", "no", "off", "f", "n", "0"];

/// Reads a truth value as pydantic does.
pub fn flag(text: &str) -> Option<bool> {
    let among = |words: [&str; 6]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if among(TRUE) { Some(true) } else { among(FALSE).then_some(false) }
}

/// How a text stands as a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// It is none.
    None,
    /// It is one, and below the least.
    Below,
    /// It is one.
    Fine,
}

/// Reads a whole number as pydantic does (`str_as_int`): space around it, a sign, single underscores between digits
/// and a fraction of zeros are allowed.
pub fn whole(text: &str, least: u32) -> Number {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = match digits.split_once('.') {
        Some((before, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => before,
        Some(_) => return Number::None,
        None => digits,
    };
    let groups_of_digits =
        digits.split('_').all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()));
    if !groups_of_digits {
        return Number::None;
    }
    let significant: String = digits.chars().filter(|c| *c != '_').skip_while(|c| *c == '0').collect();
    // What does not fit is larger than any limit here.
    let size = if significant.is_empty() { 0 } else { significant.parse().unwrap_or(u64::MAX) };
    let below = if negative { size > 0 || least > 0 } else { size < u64::from(least) };
    if below { Number::Below } else { Number::Fine }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Both lists were taken from snowflake-cli 3.30 with pydantic 2.12.
    #[test]
    fn truth_values_are_pydantic_s() {
        for text in ["true", "tRuE", "Yes", "ON", "t", "Y", "1"] {
            assert_eq!(flag(text), Some(true), "{text}");
        }
        for text in ["0", "n", "F", "off", "NO", "false"] {
            assert_eq!(flag(text), Some(false), "{text}");
        }
        for text in ["", " true", "true ", "01", "2", "maybe", "1.0"] {
            assert_eq!(flag(text), None, "{text:?}");
        }
    }

    #[test]
    fn whole_numbers_are_pydantic_s() {
        let fine = [
            "1",
            " 1",
            "1 ",
            "\t1\n",
            "\u{a0}1",
            "+1",
            "01",
            "1_0",
            "0_1",
            "1.0",
            "01.00",
            " 1.0",
            "10000000000000000000000000",
            "1_000_000",
        ];
        for text in fine {
            assert_eq!(whole(text, 1), Number::Fine, "{text:?}");
        }
        for text in ["0", "-0", "00.0", "0_0", "-1", "-1.0"] {
            assert_eq!(whole(text, 1), Number::Below, "{text:?}");
        }
        for text in ["0", "-0", "00.0"] {
            assert_eq!(whole(text, 0), Number::Fine, "{text:?}");
        }
        let none = [
            "", "1__0", "_1", "1_", "1.", ".0", "1.5", "1e3", "0x1", "٣", "1.0_0", "1 0", "+ 1", "--1",
            "+-1", "1 .0", "1.0.0", "inf",
        ];
        for text in none {
            assert_eq!(whole(text, 0), Number::None, "{text:?}");
        }
    }
}
