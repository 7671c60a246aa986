//! Rows of an account as the official CLI writes them, byte for byte: tables, JSON and CSV.
//!
//! Source: snowflake-cli `_app/printing.py`; Python's `json` (ASCII only, four blanks) and `csv` (quotes where needed).

use super::boxes;
use crate::object::rows::{Column, Rows};
use crate::object::timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Any text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Truth(bool),
    /// A point in time: as tables show it and as JSON and CSV do.
    Time {
        /// `2024-10-11 14:23:49-07:00`
        shown: String,
        /// `2024-10-11T14:23:49-07:00`
        iso: String,
    },
    /// No value.
    Null,
}

/// What a command answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Any number of rows under these columns.
    Many(Vec<String>, Vec<Vec<Cell>>),
    /// One thing, by its parts.
    One(Vec<(String, Cell)>),
    /// A text.
    Message(String),
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Drawn with `+`, `-` and `|`.
    Table {
        /// The width of the terminal for tables of one thing.
        one: usize,
        /// The same for rows; none where nobody looks at them.
        many: Option<usize>,
    },
    /// JSON.
    Json,
    /// Comma-separated values.
    Csv,
}

impl Cell {
    fn of(cell: Option<String>, column: &Column, zone: &TimeZone) -> Self {
        let Some(text) = cell else { return Self::Null };
        match column.kind.to_ascii_lowercase().as_str() {
            "fixed" => text.parse().map_or(Self::Text(text), Self::Integer),
            "boolean" => Self::Truth(matches!(text.as_str(), "1" | "true" | "TRUE")),
            "timestamp_ltz" => match timestamp::parse(&text) {
                Some(time) => Self::time(time, zone),
                None => Self::Text(text),
            },
            kind if kind.starts_with("timestamp") => Self::Text(timestamp::render(&text, kind)),
            _ => Self::Text(text),
        }
    }

    /// As Python's `datetime` writes itself: microseconds where there are any, the offset with a colon.
    fn time(time: jiff::Timestamp, zone: &TimeZone) -> Self {
        let time = time.to_zoned(zone.clone());
        let micros = time.subsec_nanosecond() / 1000;
        let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
        let (day, clock) = (time.strftime("%Y-%m-%d"), time.strftime("%H:%M:%S"));
        let offset = time.strftime("%:z");
        Self::Time {
            shown: format!("{day} {clock}{fraction}{offset}"),
            iso: format!("{day}T{clock}{fraction}{offset}"),
        }
    }

    /// The value in a table, as Python's `str` has it.
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => sanitized(text),
            Self::Integer(number) => number.to_string(),
            Self::Truth(truth) => if *truth { "True" } else { "False" }.to_owned(),
            Self::Time { shown, .. } => shown.clone(),
            Self::Null => "None".to_owned(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Integer(number) => (*number).into(),
            Self::Truth(truth) => (*truth).into(),
            Self::Time { iso, .. } => iso.as_str().into(),
            Self::Null => Value::Null,
        }
    }

    fn csv(&self) -> String {
        match self {
            Self::Time { iso, .. } => iso.clone(),
            Self::Null => String::new(),
            other => other.shown(),
        }
    }
}

/// A text without the sequences by which it could act on a terminal.
fn sanitized(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
            Some(next) if ('@'..='_').contains(&next) => {}
            Some(next) => out.extend(['\u{1b}', next]),
            None => out.push('\u{1b}'),
        }
    }
    out.chars().filter(|c| !matches!(c, '\u{7}' | '\u{8}' | '\u{b}' | '\u{c}' | '\r' | '\u{1b}')).collect()
}

impl Listing {
    /// The rows of an account; times in this zone.
    pub fn of(rows: Rows, zone: &TimeZone) -> Self {
        let Rows { columns, rows, query_id: _ } = rows;
        let row = |cells: Vec<Option<String>>| {
            cells.into_iter().zip(&columns).map(|(cell, column)| Cell::of(cell, column, zone)).collect()
        };
        let rows = rows.into_iter().map(row).collect();
        Self::Many(columns.into_iter().map(|column| column.name).collect(), rows)
    }

    /// The first row as one thing.
    pub fn first(rows: Rows, zone: &TimeZone) -> Self {
        match Self::of(rows, zone) {
            Self::Many(columns, rows) => {
                Self::One(columns.into_iter().zip(rows.into_iter().next().unwrap_or_default()).collect())
            }
            other => other,
        }
    }

    /// The whole output, its last line ended.
    pub fn write(&self, style: Style) -> String {
        match style {
            Style::Table { one, many } => self.table(one, many),
            Style::Json => format!("{}\n", ascii_json(&self.document())),
            Style::Csv => self.csv(),
        }
    }

    fn document(&self) -> Value {
        let object =
            |pairs: &mut dyn Iterator<Item = (String, Value)>| Value::Object(pairs.collect::<Map<_, _>>());
        match self {
            Self::Many(columns, rows) => {
                let row =
                    |row: &Vec<Cell>| object(&mut columns.iter().cloned().zip(row.iter().map(Cell::json)));
                rows.iter().map(row).collect()
            }
            Self::One(pairs) => object(&mut pairs.iter().map(|(name, cell)| (name.clone(), cell.json()))),
            Self::Message(text) => serde_json::json!({ "message": text }),
        }
    }

    fn table(&self, one: usize, many: Option<usize>) -> String {
        match self {
            Self::Many(_, rows) if rows.is_empty() => "No data\n\n".to_owned(),
            Self::Many(columns, rows) => {
                let rows: Vec<Vec<String>> =
                    rows.iter().map(|row| row.iter().map(Cell::shown).collect()).collect();
                boxes::draw(columns, &rows, many)
            }
            Self::One(pairs) => {
                let row = |(name, cell): &(String, Cell)| vec![sanitized(name), cell.shown()];
                let rows: Vec<Vec<String>> = pairs.iter().map(row).collect();
                boxes::draw(&["key".to_owned(), "value".to_owned()], &rows, Some(one))
            }
            Self::Message(text) => format!("{}\n", sanitized(text)),
        }
    }

    fn csv(&self) -> String {
        let line = |fields: Vec<String>| {
            let alone = fields.len() == 1;
            let quoted: Vec<String> = fields.into_iter().map(|field| csv_field(field, alone)).collect();
            format!("{}\n", quoted.join(","))
        };
        match self {
            Self::Many(_, rows) if rows.is_empty() => String::new(),
            Self::Many(columns, rows) => {
                let rows = rows.iter().map(|row| line(row.iter().map(Cell::csv).collect()));
                std::iter::once(line(columns.clone())).chain(rows).collect()
            }
            Self::One(pairs) => {
                let (names, values) = pairs.iter().map(|(name, cell)| (name.clone(), cell.csv())).unzip();
                format!("{}{}", line(names), line(values))
            }
            Self::Message(text) => format!("message\n{}", line(vec![sanitized(text)])),
        }
    }
}

/// Quotes a field where it must be; a line of one empty field would read as no line.
fn csv_field(field: String, alone: bool) -> String {
    if field.contains([',', '"', '\r', '\n']) || (alone && field.is_empty()) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}

/// JSON with four blanks, and with escapes for everything that is not printable ASCII.
fn ascii_json(document: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    serde::Serialize::serialize(document, &mut serializer).expect("internal error: a document has text keys");
    let text = String::from_utf8(bytes).expect("internal error: JSON is UTF-8");
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // What is not ASCII stands in strings only, where an escape means the same.
        if c.is_ascii() && c != '\u{7f}' {
            out.push(c);
        } else {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let column = |name: &str, kind: &str| Column { name: name.to_owned(), kind: kind.to_owned() };
        let columns = vec![column("at", "timestamp_ltz"), column("n", "fixed"), column("t", "text")];
        let cell = |text: &str| Some(text.to_owned());
        let rows = vec![
            vec![cell("1728681829.5"), cell("7"), cell("a,\"b\"")],
            vec![cell("1728681829"), None, cell("é\u{1b}[31m")],
        ];
        let zone = TimeZone::fixed(jiff::tz::offset(-7));
        Listing::of(Rows { columns, rows, query_id: None }, &zone)
    }

    #[test]
    fn tables_json_and_csv_are_pythons() {
        let table = Style::Table { one: 80, many: None };
        let expected = "\
+-------------------------------------------------+
| at                               | n    | t     |
|----------------------------------+------+-------|
| 2024-10-11 14:23:49.500000-07:00 | 7    | a,\"b\" |
| 2024-10-11 14:23:49-07:00        | None | é     |
+-------------------------------------------------+
";
        assert_eq!(listing().write(table), expected);
        let csv =
            "at,n,t\n2024-10-11T14:23:49.500000-07:00,7,\"a,\"\"b\"\"\"\n2024-10-11T14:23:49-07:00,,é\n";
        assert_eq!(listing().write(Style::Csv), csv);
        let json = listing().write(Style::Json);
        assert!(
            json.starts_with("[\n    {\n        \"at\": \"2024-10-11T14:23:49.500000-07:00\",\n"),
            "{json}"
        );
        assert!(json.contains(r#""t": "\u00e9\u001b[31m""#), "{json}");
    }

    #[test]
    fn nothing_is_written_as_the_official_cli_writes_it() {
        let nothing = Listing::Many(vec!["a".to_owned()], Vec::new());
        assert_eq!(nothing.write(Style::Table { one: 80, many: None }), "No data\n\n");
        assert_eq!((nothing.write(Style::Json), nothing.write(Style::Csv)), ("[]\n".into(), String::new()));
        let empty = Listing::Message(String::new());
        assert_eq!(empty.write(Style::Csv), "message\n\"\"\n");
    }
}
