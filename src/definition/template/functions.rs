//! The functions that templates may call (snowflake-cli `utils/templating_functions.py`, `project/util.py`).

use super::Variables;

/// A function that templates may call.
#[derive(Debug)]
pub struct Function {
    /// Its name behind `fn.`.
    pub name: &'static str,
    /// How it is called.
    pub signature: &'static str,
    /// What it yields, in a sentence.
    pub doc: &'static str,
    /// The fewest arguments it takes.
    pub(super) least: usize,
    /// The most arguments it takes, where there is a limit.
    pub(super) most: Option<usize>,
    /// What it does.
    pub(super) call: fn(&[String], &Variables) -> String,
}

/// A filter, its arguments, and what it yields.
#[derive(Debug)]
pub struct Filter {
    /// Its name behind `|`.
    pub name: &'static str,
    /// How it is used.
    pub signature: &'static str,
    /// What it yields, in a sentence.
    pub doc: &'static str,
}

/// Every function.
pub static FUNCTIONS: &[Function] = &[
    Function {
        name: "concat_ids",
        signature: "fn.concat_ids(id, …)",
        doc: "Joins identifiers to one; quoted if one of them is.",
        least: 1,
        most: None,
        call: |ids, _| concat_ids(ids),
    },
    Function {
        name: "str_to_id",
        signature: "fn.str_to_id(text)",
        doc: "The text as an identifier; in quotes where it needs them.",
        least: 1,
        most: Some(1),
        call: |ids, _| to_id(&ids[0]),
    },
    Function {
        name: "id_to_str",
        signature: "fn.id_to_str(id)",
        doc: "The identifier's content, without quotes.",
        least: 1,
        most: Some(1),
        call: |ids, _| to_str(&ids[0]),
    },
    Function {
        name: "get_username",
        signature: "fn.get_username(fallback)",
        doc: "The user's name on this computer, or the fallback.",
        least: 0,
        most: Some(1),
        call: user_name,
    },
    Function {
        name: "sanitize_id",
        signature: "fn.sanitize_id(text)",
        doc: "The text without what an unquoted identifier cannot hold.",
        least: 1,
        most: Some(1),
        call: |ids, _| sanitize(&ids[0]),
    },
];

/// The filters of Jinja that make sense of a text; more are accepted.
pub static FILTERS: &[Filter] = &[
    Filter { name: "upper", signature: "upper", doc: "In upper case." },
    Filter { name: "lower", signature: "lower", doc: "In lower case." },
    Filter { name: "title", signature: "title", doc: "With a capital at the start of every word." },
    Filter { name: "capitalize", signature: "capitalize", doc: "With a capital at the start." },
    Filter { name: "trim", signature: "trim", doc: "Without space at both ends." },
    Filter { name: "replace", signature: "replace(old, new)", doc: "With every `old` replaced by `new`." },
    Filter { name: "default", signature: "default(value)", doc: "The value where nothing is there." },
    Filter { name: "reverse", signature: "reverse", doc: "From its end to its start." },
    Filter { name: "first", signature: "first", doc: "Its first character." },
    Filter { name: "last", signature: "last", doc: "Its last character." },
    Filter { name: "length", signature: "length", doc: "The number of its characters." },
];

fn is_unquoted(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && text.len() <= 255
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'))
}

fn quoted_content(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let content = inner.replace("\"\"", "\u{0}");
    let is_whole = !content.contains('"') && content.chars().count() <= 255;
    is_whole.then(|| content.replace('\u{0}', "\""))
}

fn quoted(text: &str) -> String {
    if quoted_content(text).is_some() {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('"', "\"\""))
    }
}

fn to_id(text: &str) -> String {
    if is_unquoted(text) { text.to_owned() } else { quoted(text) }
}

fn to_str(text: &str) -> String {
    quoted_content(text).unwrap_or_else(|| text.to_owned())
}

fn concat_ids(ids: &[String]) -> String {
    let joined: String = ids.iter().map(|id| to_str(id)).collect();
    let any_quoted = ids.iter().any(|id| quoted_content(id).is_some());
    if any_quoted { quoted(&joined) } else { to_id(&joined) }
}

fn sanitize(text: &str) -> String {
    let mut legal: String =
        text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$')).collect();
    if !legal.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        legal.insert(0, '_');
    }
    legal.truncate(255);
    legal
}

fn user_name(arguments: &[String], variables: &Variables) -> String {
    let names = ["USER", "USERNAME", "LOGNAME"];
    let found = names.iter().filter_map(|name| variables.system.get(*name)).find(|value| !value.is_empty());
    found.or(arguments.first()).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_that_is_offered_exists() {
        let filters = minijinja::Environment::new();
        for Filter { name, .. } in FILTERS {
            let arguments = [minijinja::Value::from("x"), "a".into(), "b".into()];
            let taken = if *name == "replace" { 3 } else { 1 };
            assert!(filters.empty_state().apply_filter(name, &arguments[..taken]).is_ok(), "{name}");
        }
    }

    #[test]
    fn results_are_those_of_the_official_functions() {
        let ids = |ids: &[&str]| concat_ids(&ids.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(ids(&["a", "b"]), "ab");
        assert_eq!(ids(&["\"a\"", "b"]), "\"ab\"");
        assert_eq!(ids(&["a b", "c"]), "\"a bc\"");
        assert_eq!(to_id("a\"b"), "\"a\"\"b\"");
        assert_eq!(to_str("\"a\"\"b\""), "a\"b");
        assert_eq!(sanitize("1 a-b"), "_1ab");
        assert_eq!(sanitize(""), "_");
    }
}
