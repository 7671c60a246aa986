//! Tables drawn with `+`, `-` and `|`, with the widths and line breaks of Python's `rich`, which the official CLI uses.
//!
//! Source: rich `table.py` (`_calculate_column_widths`, `_collapse_widths`), `_ratio.py`, `_wrap.py` (`divide_line`).

use std::fmt::Write as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Blanks around a cell's content.
const PADDING: usize = 2;

/// Draws a table no wider than `width` columns of a terminal, where that is given.
pub fn draw(columns: &[String], rows: &[Vec<String>], width: Option<usize>) -> String {
    let widths = widths(columns, rows, width);
    let dashes =
        |by: &str| widths.iter().map(|width| "-".repeat(width + PADDING)).collect::<Vec<_>>().join(by);
    let mut out = format!("+{}+\n", dashes("-"));
    draw_row(&mut out, columns, &widths);
    let _ = writeln!(out, "|{}|", dashes("+"));
    for row in rows {
        draw_row(&mut out, row, &widths);
    }
    let _ = writeln!(out, "+{}+", dashes("-"));
    out
}

fn draw_row(out: &mut String, cells: &[String], widths: &[usize]) {
    let wrapped: Vec<Vec<String>> =
        cells.iter().zip(widths).map(|(cell, width)| wrap(cell, *width)).collect();
    for line in 0..wrapped.iter().map(Vec::len).max().unwrap_or_default() {
        for (cell, width) in wrapped.iter().zip(widths) {
            let text = cell.get(line).map_or("", String::as_str);
            out.push_str("| ");
            out.push_str(text);
            out.push_str(&" ".repeat(width.saturating_sub(text.width()) + 1));
        }
        out.push_str("|\n");
    }
}

/// The width of each column's content.
fn widths(columns: &[String], rows: &[Vec<String>], limit: Option<usize>) -> Vec<usize> {
    let widest = |text: &str| text.lines().map(str::width).max().unwrap_or_default();
    let natural = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells.map(|cell| widest(cell)).max().unwrap_or_default().max(widest(&columns[at]))
    };
    let mut widths: Vec<usize> = (0..columns.len()).map(|at| natural(at) + PADDING).collect();
    if let Some(limit) = limit {
        let limit = limit.saturating_sub(columns.len() + 1);
        collapse(&mut widths, limit);
        let excess = widths.iter().sum::<usize>().saturating_sub(limit);
        if excess > 0 {
            let most = widths.clone();
            reduce(&mut widths, excess, &vec![true; most.len()], &most);
        }
    }
    widths.into_iter().map(|width| width.saturating_sub(PADDING).max(1)).collect()
}

/// Makes the widest columns narrower, step by step, until all fit.
fn collapse(widths: &mut [usize], limit: usize) {
    loop {
        let excess = widths.iter().sum::<usize>().saturating_sub(limit);
        let widest = widths.iter().copied().max().unwrap_or_default();
        let second = widths.iter().copied().filter(|width| *width != widest).max().unwrap_or_default();
        let difference = widest - second;
        if excess == 0 || difference == 0 {
            return;
        }
        let chosen: Vec<bool> = widths.iter().map(|width| *width == widest).collect();
        let most = vec![excess.min(difference); widths.len()];
        reduce(widths, excess, &chosen, &most);
    }
}

/// Takes `total` from the chosen columns in equal parts, from each no more than its `most`.
fn reduce(widths: &mut [usize], total: usize, chosen: &[bool], most: &[usize]) {
    let mut left = total;
    let mut sharing = chosen.iter().zip(most).filter(|(chosen, most)| **chosen && **most > 0).count();
    for ((width, chosen), most) in widths.iter_mut().zip(chosen).zip(most) {
        if *chosen && *most > 0 && sharing > 0 {
            let part = (*most).min(rounded(left, sharing)).min(*width);
            *width -= part;
            left -= part.min(left);
            sharing -= 1;
        }
    }
}

/// A quotient to the nearest whole number, halves to the even one, as Python rounds.
fn rounded(dividend: usize, divisor: usize) -> usize {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    match (rest * 2).cmp(&divisor) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Equal => quotient + quotient % 2,
        std::cmp::Ordering::Greater => quotient + 1,
    }
}

/// Breaks a text into lines of a width: between words, and inside words that are wider than a line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        wrap_paragraph(paragraph, width, &mut lines);
    }
    lines
}

fn wrap_paragraph(text: &str, width: usize, lines: &mut Vec<String>) {
    let mut line = String::new();
    for word in words(text) {
        let length = word.trim_end().width();
        if length <= width.saturating_sub(line.width()) {
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(fitted(&line, width));
            line.clear();
        }
        if length <= width {
            line.push_str(word);
            continue;
        }
        for c in word.chars() {
            if line.width() + c.width().unwrap_or_default() > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    lines.push(fitted(&line, width));
}

/// A line without the blanks at its end that do not fit.
fn fitted(line: &str, width: usize) -> String {
    let mut line = line.to_owned();
    while line.width() > width && line.ends_with(char::is_whitespace) {
        line.pop();
    }
    line
}

/// The words of a text, each with the blanks around it.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut seen_word = false;
    let mut last_blank = false;
    for (at, c) in text.char_indices() {
        let blank = c.is_whitespace();
        if !blank && seen_word && last_blank {
            words.push(&text[start..at]);
            start = at;
        }
        seen_word |= !blank;
        last_blank = blank;
    }
    if seen_word {
        words.push(&text[start..]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: usize, value: &str) -> String {
        let row = vec!["status".to_owned(), value.to_owned()];
        draw(&["key".to_owned(), "value".to_owned()], &[row], Some(width))
    }

    #[test]
    fn long_words_are_folded_as_rich_folds_them() {
        // snow 3.30 printed this.
        let name = "THIS_IS_A_VERY_LONG_REPOSITORY_NAME_THAT_MAKES_THE_TABLE_WIDER_THAN_EIGHTY_COLUMNS";
        let expected = "\
+------------------------------------------------------------------------------+
| key    | value                                                               |
|--------+---------------------------------------------------------------------|
| status | Image Repository                                                    |
|        | THIS_IS_A_VERY_LONG_REPOSITORY_NAME_THAT_MAKES_THE_TABLE_WIDER_THAN |
|        | _EIGHTY_COLUMNS successfully created.                               |
+------------------------------------------------------------------------------+
";
        assert_eq!(drawn(80, &format!("Image Repository {name} successfully created.")), expected);
    }

    #[test]
    fn no_line_is_wider_than_asked_for() {
        for width in 12..90 {
            let table =
                drawn(width, "some words of different lengths, andoneverylongwordthatmustbefolded 漢字漢字");
            assert!(table.lines().all(|line| line.width() <= width), "{width}\n{table}");
        }
    }

    #[test]
    fn halves_round_to_the_even_number() {
        assert_eq!([rounded(1, 2), rounded(3, 2), rounded(5, 2), rounded(5, 3)], [0, 2, 2, 2]);
    }
}
