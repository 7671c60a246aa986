//! What an account answers to a query: named columns and rows of texts, read by column name.

use super::timestamp;

/// The answer to a query: named columns, rows of optional texts.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rows {
    /// The columns, in the order of the cells.
    pub columns: Vec<Column>,
    /// The rows; a cell is a text in the wire's encoding, or nothing.
    pub rows: Vec<Vec<Option<String>>>,
    /// The account's id of the statement, where it gave one.
    pub query_id: Option<String>,
}

/// One column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name as the account wrote it (lower case for SHOW).
    pub name: String,
    /// Its type on the wire: `text`, `fixed`, `timestamp_ltz`, …
    pub kind: String,
}

/// One row of [`Rows`], read by column name.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    columns: &'a [Column],
    cells: &'a [Option<String>],
}

impl Rows {
    /// The rows, each readable by column name.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { columns: &self.columns, cells })
    }
}

impl<'a> Row<'a> {
    /// The cell of a column; nothing where the column is missing (older accounts send fewer) or null.
    pub fn get(&self, column: &str) -> Option<&'a str> {
        let at = self.columns.iter().position(|c| c.name.eq_ignore_ascii_case(column))?;
        self.cells.get(at)?.as_deref()
    }

    /// The cell of a column as a point in time in RFC 3339, where the column is one; else as it is.
    pub fn time(&self, column: &str) -> Option<String> {
        let at = self.columns.iter().position(|c| c.name.eq_ignore_ascii_case(column))?;
        let cell = self.cells.get(at)?.as_deref()?;
        Some(timestamp::render(cell, &self.columns[at].kind))
    }
}
