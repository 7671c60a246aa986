//! Answers: rows under named columns, in the wire's encoding.

use crate::session::{Column, Rows};

/// A cell.
pub(super) type Cell = Option<String>;

/// An answer with these columns (name, type on the wire).
pub(super) fn table(columns: &[(&str, &str)], rows: Vec<Vec<Cell>>) -> Rows {
    debug_assert!(rows.iter().all(|row| row.len() == columns.len()), "internal error: a ragged row");
    let columns = columns
        .iter()
        .map(|(name, kind)| Column { name: (*name).to_owned(), kind: (*kind).to_owned() })
        .collect();
    Rows { columns, rows, query_id: None }
}

/// The answer of a statement that has nothing to show.
pub(super) fn status(text: impl Into<String>) -> Rows {
    table(&[("status", "text")], vec![vec![Some(text.into())]])
}

/// A text cell.
pub(super) fn text(content: impl Into<String>) -> Cell {
    Some(content.into())
}

/// `Y` or `N`.
pub(super) fn yes_no(value: bool) -> Cell {
    text(if value { "Y" } else { "N" })
}

/// A `timestamp_ltz` cell of scale 3: seconds since 1970-01-01 UTC, from milliseconds. There must be as many
/// digits behind the point as the column's scale says; snowflake-connector-python multiplies by it.
pub(super) fn timestamp(millis: i64) -> Cell {
    Some(format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_as_many_digits_as_their_scale() {
        assert_eq!(timestamp(1_713_473_621_481).unwrap(), "1713473621.481");
        assert_eq!(timestamp(5).unwrap(), "0.005");
    }
}
