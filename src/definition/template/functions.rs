//! The functions that templates may call (snowflake-cli `utils/templating_functions.py`, `project/util.py`).

use super::evaluate::Variables;

/// A function's name, the number of arguments it takes, and what it does.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) least: usize,
    pub(super) most: Option<usize>,
    pub(super) call: fn(&[String], &Variables) -> String,
}

pub(super) static FUNCTIONS: &[Function] = &[
    Function { name: "concat_ids", least: 1, most: None, call: |ids, _| concat_ids(ids) },
    Function { name: "str_to_id", least: 1, most: Some(1), call: |ids, _| to_id(&ids[0]) },
    Function { name: "id_to_str", least: 1, most: Some(1), call: |ids, _| to_str(&ids[0]) },
    Function { name: "get_username", least: 0, most: Some(1), call: user_name },
    Function { name: "sanitize_id", least: 1, most: Some(1), call: |ids, _| sanitize(&ids[0]) },
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
