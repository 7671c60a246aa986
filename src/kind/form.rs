//! Forms that texts have: names, paths, privileges. Each is given twice, as a function and as a pattern for editors; a
//! test holds the two against each other.

use std::iter;

/// A form of texts.
pub struct Form {
    /// What a person calls such a text: `a privilege`.
    pub noun: &'static str,
    /// What it looks like, and so what to do with a text that is none.
    pub help: &'static str,
    /// Whether a text has the form.
    pub holds: fn(&str) -> bool,
    /// The same as a pattern of ECMAScript.
    pub pattern: &'static str,
    /// Whether the official loader judges the text before templates are rendered, so that it cannot hold one.
    pub literal: bool,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Form").field(&self.noun).finish()
    }
}

/// A name as the official loader looks for it: anywhere in the text, so `my-role` passes
/// (`schemas/updatable_model.py`, `IdentifierField`).
pub const NAME: Form = Form {
    noun: "a name",
    help: "a name has letters, digits, `_` and `$`, does not start with a digit, and has at most 254 characters",
    holds: holds_name,
    pattern: r#"^(?=[\s\S]{0,254}$)[\s\S]*(?:"[^"]*"|[A-Za-z_])"#,
    literal: false,
};

/// A script below the project (`schemas/entities/common.py`, `validate_sql_script_path`).
pub const SCRIPT_PATH: Form = Form {
    noun: "a path below the project",
    help: "give a path relative to the directory of snowflake.yml, without `..`",
    holds: is_script_path,
    pattern: r"^(?!/)(?![A-Za-z]:[\\/])(?![\\/]{2}[^\\/]+[\\/](?![\\/]))(?!(?:[A-Za-z]:)?(?:[\s\S]*[\\/])?\.\.(?:[\\/]|$))[\s\S]",
    literal: false,
};

/// A text that goes between quotes into SQL (`schemas/entities/common.py`, `reject_backslashes`).
pub const NO_BACKSLASH: Form = Form {
    noun: "a text without a backslash",
    help: "remove the backslash; stage paths use forward slashes",
    holds: |text| !text.contains('\\'),
    pattern: r"^[^\\]*$",
    literal: false,
};

/// A text that is not empty.
pub const NOT_EMPTY: Form = Form {
    noun: "a text that is not empty",
    help: "write something, or remove the item",
    holds: |text| !text.is_empty(),
    pattern: r"[\s\S]",
    literal: false,
};

/// A compute pool of a Streamlit app (`streamlit_entity_model.py`, `strip_compute_pool`).
pub const POOL: Form = Form {
    noun: "the name of a compute pool",
    help: "name a compute pool, or remove the key to use the account's default",
    holds: |text| !text.trim().is_empty() && !text.contains('\\'),
    pattern: r"^[^\\]*[^\s\\][^\\]*$",
    literal: false,
};

/// A runtime of a Streamlit app (`streamlit_entity_model.py`, `canonicalize_runtime_name`).
pub const STREAMLIT_RUNTIME: Form = Form {
    noun: "a Streamlit runtime",
    help: "use SYSTEM$WAREHOUSE_RUNTIME or SYSTEM$ST_CONTAINER_RUNTIME_PY3_11",
    holds: is_streamlit_runtime,
    pattern: r"^\s*[Ss][Yy][Ss][Tt][Ee][Mm]\$(?:[Ww][Aa][Rr][Ee][Hh][Oo][Uu][Ss][Ee]_[Rr][Uu][Nn][Tt][Ii][Mm][Ee]|[Ss][Tt]_[Cc][Oo][Nn][Tt][Aa][Ii][Nn][Ee][Rr]_[Rr][Uu][Nn][Tt][Ii][Mm][Ee][A-Za-z0-9_]*)\s*$",
    literal: false,
};

/// A privilege, of one or more words (`schemas/entities/common.py`, `validate_privilege`).
pub const PRIVILEGE: Form = Form {
    noun: "a privilege",
    help: "write the words of a privilege with single spaces between them, such as `USAGE` or `IMPORTED PRIVILEGES`",
    holds: |text| text.split(' ').all(is_unquoted_name),
    pattern: r"^[A-Za-z_][A-Za-z0-9_$]{0,254}(?: [A-Za-z_][A-Za-z0-9_$]{0,254})*$",
    literal: false,
};

/// The name of a tag (`_plugins/object/common.py`, `Tag`), which is no model with fields and so knows no templates.
pub const TAG_NAME: Form = Form {
    noun: "the name of a tag",
    help: "a tag's name has letters, digits, `_` and `$` and no dot, or stands in double quotes; no template can give it",
    holds: |text| name_part(text).is_some_and(|(_, rest)| rest.is_empty()),
    pattern: r#"^(?:[A-Za-z_][A-Za-z0-9_$]{0,254}|"(?:""|[^"]){0,255}")$"#,
    literal: true,
};

/// `schema.stage` (`application_package.py`, `validate_source_stage`, on top of `IdentifierField`).
pub const SCHEMA_AND_STAGE: Form = Form {
    noun: "`schema.stage`",
    help: "write the stage with its schema, such as `app_src.stage`",
    holds: starts_with_schema_and_stage,
    pattern: r#"^(?=[\s\S]{0,254}$)(?:"[^"]*(?:""[^"]*)*"|[A-Za-z_][\w$\u00aa-\uffff]{0,254})\.(?:"[^"]*"|[A-Za-z_])"#,
    literal: false,
};

/// One to three parts, the word `null` included (`snowflake_app_entity_model.py`, `_validate_code_storage`).
pub const QUALIFIED_NAME: Form = Form {
    noun: "a name",
    help: "write `name`, `schema.name` or `database.schema.name`",
    holds: is_qualified_name,
    pattern: r#"^(?:(?:[A-Za-z_][A-Za-z0-9_$]{0,253}|"(?:""|[^"]){0,252}")\.){0,2}(?:[A-Za-z_][A-Za-z0-9_$]{0,253}|"(?:""|[^"]){0,252}")(?:\(.*\))?$"#,
    literal: false,
};

/// A notebook (`notebook_entity_model.py`, `validate_notebook_file`, which fails on a template with an exception).
/// Whether the file exists is asked there too; here nothing is read.
pub const NOTEBOOK_FILE: Form = Form {
    noun: "the path of an `.ipynb` file",
    help: "write out the path of a notebook that ends in `.ipynb`; no template can give it",
    holds: is_notebook_file,
    pattern: r"[^/]\.[Ii][Pp][Yy][Nn][Bb](?:/+\.?)*$",
    literal: true,
};

fn holds_name(text: &str) -> bool {
    let bare = text.chars().any(|c| c.is_ascii_alphabetic() || c == '_');
    (bare || text.matches('"').count() >= 2) && text.chars().count() <= 254
}

fn is_script_path(text: &str) -> bool {
    let is_separator = |c: char| matches!(c, '/' | '\\');
    let drive = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text[1..].starts_with(':');
    let inside = if drive { &text[2..] } else { text };
    let share = text.strip_prefix(is_separator).and_then(|rest| rest.strip_prefix(is_separator));
    let absolute = text.starts_with('/')
        || drive && inside.starts_with(is_separator)
        || share
            .and_then(|share| share.split_once(is_separator))
            .is_some_and(|(server, rest)| !server.is_empty() && !rest.starts_with(is_separator));
    let leads_out = inside.split(is_separator).any(|part| part == "..");
    !text.is_empty() && !text.contains('\0') && !absolute && !leads_out
}

fn is_streamlit_runtime(text: &str) -> bool {
    let name = text.trim().to_uppercase();
    let version = name.strip_prefix("SYSTEM$ST_CONTAINER_RUNTIME");
    let word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name == "SYSTEM$WAREHOUSE_RUNTIME" || version.is_some_and(|version| version.chars().all(word))
}

fn is_unquoted_name(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(word)
        && text.len() <= 255
}

/// The first part of a name and what follows it (`api/project/util.py`, `VALID_IDENTIFIER_REGEX`).
fn name_part(text: &str) -> Option<(&str, &str)> {
    let Some(inner) = text.strip_prefix('"') else {
        let end =
            text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$'))).unwrap_or(text.len());
        return is_unquoted_name(&text[..end]).then(|| text.split_at(end));
    };
    let mut characters = 0;
    let mut rest = inner;
    loop {
        let end = rest.find('"')?;
        characters += rest[..end].chars().count();
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(next) => (characters, rest) = (characters + 1, next),
            None => break,
        }
    }
    (characters <= 255).then(|| text.split_at(text.len() - rest.len()))
}

fn is_qualified_name(text: &str) -> bool {
    let mut rest = Some(text);
    let parts = iter::from_fn(|| {
        let (part, tail) = name_part(rest?)?;
        rest = tail.strip_prefix('.');
        Some((part, tail))
    });
    // A part is at most 254 characters long, its quotes included (`CodeStageReference`).
    let parts: Vec<_> = parts.take_while(|(part, _)| part.chars().count() <= 254).take(3).collect();
    parts.last().is_some_and(|(_, tail)| tail.is_empty() || is_signature(tail))
}

/// What the official loader reads behind a name, and drops.
fn is_signature(text: &str) -> bool {
    text.starts_with('(') && text.ends_with(')') && text.len() > 1 && !text.contains('\n')
}

fn starts_with_schema_and_stage(text: &str) -> bool {
    let rest = if text.starts_with('"') {
        name_part(text).map(|(_, rest)| rest)
    } else {
        // The loader's pattern allows letters of any script behind the first.
        let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$'))).unwrap_or(text.len());
        starts_name(text).then(|| &text[end..])
    };
    rest.and_then(|rest| rest.strip_prefix('.')).is_some_and(starts_name) && text.chars().count() <= 254
}

fn starts_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        || text.strip_prefix('"').is_some_and(|inner| inner.contains('"'))
}

/// Python's `PurePath(text).suffix.lower() == ".ipynb"`.
fn is_notebook_file(text: &str) -> bool {
    let mut parts = text.split('/').filter(|part| !part.is_empty() && *part != ".");
    let name = parts.next_back().unwrap_or("").to_ascii_lowercase();
    name.strip_suffix(".ipynb").is_some_and(|stem| !stem.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each form with texts that have it, and texts that do not, as the official loader says.
    fn samples() -> Vec<(&'static Form, Vec<&'static str>, Vec<&'static str>)> {
        vec![
            (
                &NAME,
                vec!["a", "_", "my role", "1role", "my-role", "\"\"", "\"é\""],
                vec!["", "5", "é", "\"", "-"],
            ),
            (
                &SCRIPT_PATH,
                vec!["a.sql", "a/b", "C:a", "\\a", "1:/a", "a..b/c", "é:/x"],
                vec![
                    "",
                    "/a",
                    "C:/a",
                    "c:\\a",
                    "..",
                    "a/..",
                    "a\\..\\b",
                    "C:../a",
                    "\\\\host\\share",
                    "../a",
                ],
            ),
            (&NO_BACKSLASH, vec!["", "@stage/a", "é"], vec!["\\", "a\\b"]),
            (&NOT_EMPTY, vec!["a", " "], vec![""]),
            (&POOL, vec!["p", " p "], vec!["", " ", "\t", "a\\b"]),
            (
                &STREAMLIT_RUNTIME,
                vec![
                    "SYSTEM$WAREHOUSE_RUNTIME",
                    " system$warehouse_runtime ",
                    "System$ST_Container_Runtime",
                    "SYSTEM$ST_CONTAINER_RUNTIME_PY3_12",
                ],
                vec![
                    "",
                    "x",
                    "SYSTEM$WAREHOUSE_RUNTIME_2",
                    "SYSTEM$ST_CONTAINER_RUNTIME-1",
                    "SYSTEM$ST_CONTAINER_RUNTIME\\",
                ],
            ),
            (
                &PRIVILEGE,
                vec!["USAGE", "IMPORTED PRIVILEGES", "a_$1 b"],
                vec!["", "A  B", " A", "A ", "A;B", "A\nB", "1"],
            ),
            (
                &TAG_NAME,
                vec!["a", "_$1", "\"\"", "\"a b\"", "\"a\"\"b\""],
                vec!["", "a-b", "a.b", "1", "\"", "\"a\"b", "\"\"\""],
            ),
            (
                &SCHEMA_AND_STAGE,
                vec!["s.t", "s.t.u", "\"s x\".t y", "sé.t", "\"a\"\".b\".c", "s.\"\""],
                vec!["", "s", ".t", "s.", " s.t", "és.t", "s.1", "s-1.t", "\"a\"\".b", "s.\""],
            ),
            (
                &QUALIFIED_NAME,
                vec!["a", "a.b", "a.b.c", "null", "\"\"", "\"a.b\".c", "a(int)", "a()"],
                vec!["", "a-b", "a.b.c.d", "a.", ".a", "a..b", "a b", "a(", "1"],
            ),
            (
                &NOTEBOOK_FILE,
                vec!["a.ipynb", "A.IPYNB", "d/a.ipynb", "d/a.ipynb/", "..ipynb", "a.ipynb/."],
                vec!["", "a", "a.py", ".ipynb", "d/.ipynb", "a.ipynb.txt", "a.ipynb/b"],
            ),
        ]
    }

    #[test]
    fn functions_and_patterns_agree_with_the_loader() {
        for (form, fine, wrong) in samples() {
            let pattern = jsonschema::validator_for(&serde_json::json!({ "pattern": form.pattern })).unwrap();
            let long_texts = ["a".repeat(254), "a".repeat(256), format!("s.{}", "t".repeat(253))];
            for text in &long_texts {
                assert_eq!(
                    pattern.is_valid(&text.as_str().into()),
                    (form.holds)(text),
                    "{}: {} characters",
                    form.noun,
                    text.len()
                );
            }
            for (text, expected) in
                fine.iter().map(|text| (text, true)).chain(wrong.iter().map(|text| (text, false)))
            {
                assert_eq!((form.holds)(text), expected, "{}: {text:?}", form.noun);
                assert_eq!(
                    pattern.is_valid(&(*text).into()),
                    expected,
                    "{}: the pattern for {text:?}",
                    form.noun
                );
            }
        }
    }
}
