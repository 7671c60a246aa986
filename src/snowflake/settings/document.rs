//! A TOML text read into connections, each value with its line.
//!
//! The parser's own error display quotes the source, which may hold a password; only its words and the
//! position are kept.

use super::{SettingOrigin, SettingValue, SettingsError};
use std::ops::Range;
use std::path::PathBuf;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a text of connections says.
#[derive(Default)]
pub(super) struct Document {
    /// `default_connection_name`, where the text has one.
    pub(super) default_name: Option<(String, SettingOrigin)>,
    /// The connections, in the order of the text.
    pub(super) sections: Vec<Section>,
}

/// One connection.
pub(super) struct Section {
    pub(super) name: String,
    pub(super) origin: SettingOrigin,
    /// Its entries; nothing where it is not a table.
    pub(super) entries: Option<Vec<Entry>>,
}

/// One line of a connection. Not `Debug`: the value may be a secret.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: EntryValue,
    pub(super) origin: SettingOrigin,
}

pub(super) enum EntryValue {
    Scalar(SettingValue),
    /// A table of scalars, such as `session_parameters`.
    Table(Vec<(String, serde_json::Value)>),
    /// What no setting can be.
    Other,
}

/// Where a text comes from.
pub(super) enum Place {
    File(PathBuf),
    Variable(&'static str),
}

impl Place {
    fn origin(&self, text: &str, span: &Range<usize>) -> SettingOrigin {
        match self {
            Self::File(path) => {
                SettingOrigin::File { path: path.clone(), line: position(text, span.start).0 }
            }
            Self::Variable(name) => SettingOrigin::Environment((*name).to_owned()),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Variable(name) => format!("environment variable {name}"),
        }
    }
}

/// Reads sections `[connections.NAME]` and `default_connection_name`.
pub(super) fn parse_config(text: &str, place: &Place) -> Result<Document, SettingsError> {
    let table = parse(text, place)?;
    let default_name = entry(&table, "default_connection_name").and_then(|(key, value)| {
        let name = value.get_ref().as_str()?;
        Some((name.to_owned(), place.origin(text, &key.span())))
    });
    let connections = entry(&table, "connections").and_then(|(_, value)| value.get_ref().as_table());
    let sections = connections.map(|table| sections(text, place, table)).unwrap_or_default();
    Ok(Document { default_name, sections })
}

/// Reads sections `[NAME]`.
pub(super) fn parse_connections(text: &str, place: &Place) -> Result<Document, SettingsError> {
    let table = parse(text, place)?;
    Ok(Document { default_name: None, sections: sections(text, place, &table) })
}

fn parse<'t>(text: &'t str, place: &Place) -> Result<DeTable<'t>, SettingsError> {
    let table = DeTable::parse(text).map_err(|error| {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        SettingsError::Syntax { place: place.name(), line, column, message: error.message().to_owned() }
    })?;
    Ok(table.into_inner())
}

/// The line and the column of a byte offset, both counted from 1, the column in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

type Pair<'a, 't> = (&'a Spanned<std::borrow::Cow<'t, str>>, &'a Spanned<DeValue<'t>>);

fn entry<'a, 't>(table: &'a DeTable<'t>, name: &str) -> Option<Pair<'a, 't>> {
    table.iter().find(|(key, _)| key.get_ref() == name)
}

/// The entries of a table in the order of the text.
fn in_order<'a, 't>(table: &'a DeTable<'t>) -> Vec<Pair<'a, 't>> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn sections(text: &str, place: &Place, connections: &DeTable<'_>) -> Vec<Section> {
    in_order(connections)
        .into_iter()
        .map(|(key, value)| Section {
            name: key.get_ref().to_string(),
            origin: place.origin(text, &key.span()),
            entries: value.get_ref().as_table().map(|table| entries(text, place, table)),
        })
        .collect()
}

fn entries(text: &str, place: &Place, section: &DeTable<'_>) -> Vec<Entry> {
    in_order(section)
        .into_iter()
        .map(|(key, value)| Entry {
            name: key.get_ref().to_string(),
            value: entry_value(value.get_ref()),
            origin: place.origin(text, &key.span()),
        })
        .collect()
}

fn entry_value(value: &DeValue<'_>) -> EntryValue {
    if let Some(table) = value.as_table() {
        let scalars = in_order(table).into_iter().filter_map(|(key, value)| {
            let json = match scalar(value.get_ref())? {
                SettingValue::Integer(number) => number.into(),
                SettingValue::Truth(truth) => truth.into(),
                text => text.expose().into_owned().into(),
            };
            Some((key.get_ref().to_string(), json))
        });
        return EntryValue::Table(scalars.collect());
    }
    scalar(value).map_or(EntryValue::Other, EntryValue::Scalar)
}

fn scalar(value: &DeValue<'_>) -> Option<SettingValue> {
    match value {
        DeValue::String(text) => Some(SettingValue::Text(text.to_string())),
        DeValue::Boolean(truth) => Some(SettingValue::Truth(*truth)),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            Some(
                parsed.map_or_else(|_| SettingValue::Text(number.as_str().to_owned()), SettingValue::Integer),
            )
        }
        DeValue::Float(number) => Some(SettingValue::Text(number.as_str().to_owned())),
        DeValue::Datetime(time) => Some(SettingValue::Text(time.to_string())),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place::File(PathBuf::from("/c.toml"))
    }

    #[test]
    fn mistakes_are_placed_and_their_line_is_not_quoted() {
        let cases = [
            ("[dev]\npassword = \"hunter2", 2),
            ("[dev]\npassword = hunter2\n", 2),
            ("[dev]\npassword = \"hunter2\" hunter2\n", 2),
            ("[dev]\npassword = \"a\"\npassword = \"hunter2\"\n", 3),
            ("[dev]\naccount = 'é'\npassword = 'hunter2\n", 3),
            ("[dev]\nhunter2\n", 2),
            ("[dev]\npassword = \"hunter2\\q\"\n", 2),
            ("[dev]\npassword = 12hunter2\n", 2),
        ];
        for (text, expected) in cases {
            let Err(error) = parse_connections(text, &place()) else { panic!("{text:?} was accepted") };
            let shown = format!("{error} {error:?} {}", error.help());
            assert!(!shown.contains("hunter2"), "{text:?} gives {shown}");
            let SettingsError::Syntax { line, .. } = error else { panic!("{shown}") };
            assert_eq!(line, expected, "{shown}");
        }
    }

    #[test]
    fn sections_keep_order_and_lines() {
        let text = "default_connection_name = \"b\"\n[connections.b]\nport = 0x1bb\n[connections.a]\n[connections]\nc = 1\n";
        let document = parse_config(text, &place()).unwrap();
        let names: Vec<_> = document.sections.iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["b", "a", "c"]);
        let entry = &document.sections[0].entries.as_ref().unwrap()[0];
        assert_eq!(entry.origin, SettingOrigin::File { path: PathBuf::from("/c.toml"), line: 3 });
        assert!(matches!(entry.value, EntryValue::Scalar(SettingValue::Integer(443))));
        assert!(document.sections[2].entries.is_none());
        assert_eq!(document.default_name.unwrap().0, "b");
    }
}
