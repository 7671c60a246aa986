//! One function per output language: text from a file or an account goes in, and what comes out is that text and nothing
//! that acts. Every view writes what others wrote through one of these.

use std::fmt::Write as _;

/// Whether a character is not seen and does something all the same: it moves a terminal's cursor, turns the direction
/// of text around, or stands between others without a width.
fn is_hidden(c: char) -> bool {
    let unseen = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    c.is_control() || unseen
}

/// The first characters of what the log of a build machine takes for a command, anywhere in a line
/// (microsoft/azure-pipelines-agent `Command.cs`, actions/runner `ActionCommand.cs`).
const LOG_COMMANDS: [&str; 2] = ["##vso[", "##["];

/// For terminals and logs: control characters, and those that turn text around, are written as escapes. So is the
/// beginning of what the log of a build machine would carry out.
pub fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    // `::` acts at the beginning of a line, after blanks.
    let blanks = text.len() - text.trim_start().len();
    let command = text[blanks..].starts_with("::").then_some(blanks);
    for (at, c) in text.char_indices() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push_str("\\t"),
            '\r' => safe.push_str("\\r"),
            c if is_hidden(c) || command == Some(at) || begins_log_command(&text[at..]) => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

fn begins_log_command(rest: &str) -> bool {
    rest.starts_with('#')
        && LOG_COMMANDS
            .iter()
            .any(|command| rest.get(..command.len()).is_some_and(|start| start.eq_ignore_ascii_case(command)))
}

/// Text of a drawing or a message of ours, in several lines, on its way to a terminal or a log: colours and line ends
/// stay, log commands do not.
pub fn log(text: &str) -> String {
    if !text.contains("::") && !text.contains("##") {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start().len();
        let command = line[blanks..].starts_with("::").then_some(blanks);
        for (at, c) in line.char_indices() {
            if command == Some(at) || begins_log_command(&line[at..]) {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            } else {
                safe.push(c);
            }
        }
    }
    safe
}

/// For JSON that was already written: what a terminal or a log would act on becomes an escape of JSON's own, so that
/// every value stays what it is.
pub fn json(written: &str) -> String {
    let mut safe = String::with_capacity(written.len());
    for (at, c) in written.char_indices() {
        if (is_hidden(c) && c != '\n') || begins_log_command(&written[at..]) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// For HTML, as text and as an attribute's value between quotes.
pub fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '`' => safe.push_str("&#96;"),
            c => safe.push(c),
        }
    }
    safe
}

/// For Markdown, as a code span in a cell of a table, where nothing is a mention, a link or a tag. At most `most`
/// characters; the rest is told by an ellipsis.
pub fn markdown(text: &str, most: usize) -> String {
    // A bar ends a cell, also inside a code span, and readers differ on how it is escaped.
    let text = visible(&clipped(text, most)).replace('|', "\\u{7c}");
    if text.is_empty() {
        return "` `".to_owned();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    let edge = |c: Option<char>| c.is_some_and(|c| c == '`' || c == ' ');
    let pad = if edge(text.chars().next()) || edge(text.chars().next_back()) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// For Markdown, as running text: a sentence that quotes what others wrote. What could begin something is written as a
/// character code; what code hosts look for in the finished page (mentions, references to issues, merge requests,
/// labels) is parted by a space without width.
pub fn markdown_text(text: &str, most: usize) -> String {
    let text = visible(&clipped(text, most));
    let mut safe = String::with_capacity(text.len() * 2);
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            c if c.is_alphanumeric() || matches!(c, ' ' | ',' | ';' | '(' | ')' | '"' | '?' | '…' | '→') => {
                safe.push(c)
            }
            '.' if next == ' ' => safe.push('.'),
            '-' if before.is_lowercase() && next.is_lowercase() => safe.push('-'),
            c => {
                let _ = write!(safe, "&#{};", u32::from(c));
                let refers = matches!(c, '@' | '#' | '!' | '$' | '%' | '&' | '~' | '^' | ':' | '-' | '/');
                if refers && !next.is_whitespace() {
                    safe.push_str("&#8203;");
                }
            }
        }
        before = c;
    }
    safe
}

/// For Markdown, as a block: no line of it ends the block. Lines must be free of control characters already.
pub fn fenced(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line, '`')).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    let mut block = format!("{fence}{language}\n");
    for line in lines {
        block.push_str(line);
        block.push('\n');
    }
    block + &fence + "\n"
}

/// For a label of a mermaid graph, between double quotes: everything but letters and digits becomes a character code.
pub fn mermaid(text: &str, most: usize) -> String {
    let mut safe = String::new();
    for c in visible(&clipped(text, most)).chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | '-') {
            safe.push(c);
        } else {
            let _ = write!(safe, "#{};", u32::from(c));
        }
    }
    safe
}

/// For the data of one of GitHub's workflow commands (docs.github.com `workflow-commands-for-github-actions`).
pub fn command_data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(visible).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// For a property of such a command.
pub fn command_property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// For the message of one of Azure Pipelines' logging commands (microsoft/azure-pipelines-agent `CommandStringConvertor`).
pub fn vso_data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(visible).collect();
    lines.join("\n").replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")
}

/// For a property of such a command.
pub fn vso_property(text: &str) -> String {
    vso_data(text).replace(';', "%3B").replace(']', "%5D")
}

/// A statement for a script: inside literals, line ends and what a terminal or a log would act on are written as
/// Snowflake's own escapes, which are the same value. Nothing where such a character stands in a name, which knows no
/// escapes.
pub fn sql(statement: &str) -> Option<String> {
    let mut safe = String::with_capacity(statement.len());
    let mut inside = None;
    let mut chars = statement.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let acts = is_hidden(c) || begins_log_command(&statement[at..]);
        match (inside, c) {
            (Some('\''), '\\') => {
                safe.push('\\');
                safe.extend(chars.next().map(|(_, next)| next));
                continue;
            }
            (None, '\'' | '"') => inside = Some(c),
            (Some(quote), c) if c == quote => inside = None,
            _ => {}
        }
        match (acts, inside) {
            (false, _) => safe.push(c),
            (true, Some('\'')) => match c {
                '\n' => safe.push_str("\\n"),
                '\r' => safe.push_str("\\r"),
                '\t' => safe.push_str("\\t"),
                c if u32::from(c) <= 0xffff => {
                    let _ = write!(safe, "\\u{:04x}", u32::from(c));
                }
                _ => return None,
            },
            (true, _) => return None,
        }
    }
    Some(safe)
}

/// The beginning of a text that may be very long.
pub fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn longest_run(text: &str, of: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == of { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Text that tries to leave whatever it is put into.
    fn hostile() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "`",
            "```",
            "~~~",
            "|",
            "\\",
            "<script>",
            "</details>",
            "<!--",
            "-->",
            "@everyone",
            "::set-output name=x::y",
            "##vso[task.setvariable variable=x]y",
            "##[error]",
            "##",
            "[",
            "vso[",
            "\u{202e}",
            "\u{200f}",
            "\u{1b}[2J",
            "\u{9b}31m",
            "\n",
            "\r",
            "\t",
            "'",
            "''",
            "\"",
            "\\'",
            "#",
            ";",
            "]",
            "&",
            "%",
            "%0A",
            ":",
            ",",
            " ",
            "a",
            "ä",
            "\u{2028}",
            "\u{e0041}",
        ]);
        prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
    }

    fn acts_in_a_log(text: &str) -> bool {
        let lower = text.to_lowercase();
        lower.contains("##vso[")
            || lower.contains("##[")
            || text.lines().any(|line| line.trim_start().starts_with("::"))
    }

    proptest! {
        #[test]
        fn nothing_printed_acts_on_a_terminal_or_in_a_log(text in hostile()) {
            let safe = visible(&text);
            prop_assert!(!safe.chars().any(is_hidden), "{safe}");
            prop_assert!(!acts_in_a_log(&safe), "{safe}");
            prop_assert!(!acts_in_a_log(&log(&text)), "{}", log(&text));
        }

        #[test]
        fn json_says_the_same_and_nothing_of_it_acts(text in hostile()) {
            let written = json(&serde_json::to_string_pretty(&serde_json::json!({ "a": text })).unwrap());
            prop_assert!(!written.chars().any(|c| is_hidden(c) && c != '\n') && !acts_in_a_log(&written), "{written}");
            let read: serde_json::Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(&read["a"], &serde_json::Value::String(text));
        }

        #[test]
        fn html_has_no_markup(text in hostile()) {
            let safe = html(&text);
            prop_assert!(!safe.contains(['<', '>', '"', '\'', '`']) && !safe.chars().any(is_hidden), "{safe}");
        }

        #[test]
        fn markdown_is_one_code_span_on_one_line(text in hostile()) {
            let span = markdown(&text, 10_000);
            let fence = span.len() - span.trim_start_matches('`').len();
            let inside = &span[fence..span.len() - fence];
            prop_assert!(span.ends_with(&"`".repeat(fence)) && !span.contains('\n'), "{span}");
            // Only a run of the same length ends a code span.
            let mut runs = inside.split(|c| c != '`').map(str::len);
            prop_assert!(runs.all(|run| run != fence), "{span}");
            prop_assert!(!inside.contains('|'), "a cell ends at a bar: {span}");
        }

        #[test]
        fn running_text_of_markdown_begins_nothing(text in hostile()) {
            let safe = markdown_text(&text, 10_000);
            let marks = |c| matches!(c, '<' | '>' | '`' | '*' | '_' | '[' | ']' | '|' | '\\' | '~' | '@' | '!' | '\n');
            prop_assert!(!safe.contains(marks), "{safe}");
        }

        #[test]
        fn no_line_ends_a_block(text in hostile()) {
            let line = visible(&text);
            let block = fenced("sql", std::slice::from_ref(&line));
            let lines: Vec<&str> = block.lines().collect();
            prop_assert_eq!(lines.len(), 3);
            let fence = lines[2];
            prop_assert!(!line.contains(fence) && lines[0].starts_with(fence), "{block}");
        }

        #[test]
        fn a_label_of_a_graph_stays_between_its_quotes(text in hostile()) {
            let label = mermaid(&text, 10_000);
            prop_assert!(!label.contains(['"', '<', '>', '[', ']', '`', '\n', '%', '{', '|', '@']), "{label}");
        }

        #[test]
        fn a_workflow_command_ends_where_it_should(text in hostile()) {
            for safe in [command_data(&text), command_property(&text), vso_data(&text), vso_property(&text)] {
                prop_assert!(!safe.contains(['\n', '\r']) && !safe.chars().any(is_hidden), "{safe}");
            }
            prop_assert!(!command_property(&text).contains([':', ',']));
            prop_assert!(!vso_property(&text).contains([';', ']']));
            prop_assert!(!acts_in_a_log(&vso_data(&text)));
        }

        #[test]
        fn a_literal_of_a_script_is_one_line_and_the_same_value(text in hostile()) {
            use crate::object::statement::Sql;
            let statement = Sql::new("ALTER IMAGE REPOSITORY R SET COMMENT =").text(&text);
            // Nothing where the text holds a character beyond the escapes of four digits.
            if let Some(safe) = sql(statement.as_str()) {
                prop_assert!(!safe.chars().any(is_hidden) && !acts_in_a_log(&safe), "{safe}");
                prop_assert_eq!(unescape(&safe), unescape(statement.as_str()));
            } else {
                prop_assert!(text.chars().any(|c| u32::from(c) > 0xffff));
            }
        }
    }

    /// A literal's value, as Snowflake's documentation of string constants says.
    fn unescape(statement: &str) -> String {
        let literal = &statement[statement.find('\'').unwrap() + 1..statement.len() - 1];
        let (mut value, mut chars) = (String::new(), literal.chars());
        while let Some(c) = chars.next() {
            match c {
                '\'' => value.extend(chars.next()),
                '\\' => match chars.next() {
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('t') => value.push('\t'),
                    Some('u') => {
                        let digits: String = chars.by_ref().take(4).collect();
                        value.extend(char::from_u32(u32::from_str_radix(&digits, 16).unwrap()));
                    }
                    other => value.extend(other),
                },
                c => value.push(c),
            }
        }
        value
    }

    #[test]
    fn a_name_with_a_hidden_character_is_no_statement_of_a_script() {
        assert_eq!(sql("DROP IMAGE REPOSITORY \"a\u{202e}b\""), None);
        assert_eq!(sql("DROP IMAGE REPOSITORY \"a'b\""), Some("DROP IMAGE REPOSITORY \"a'b\"".to_owned()));
    }

    #[test]
    fn emphasis_flags_and_families_stay_readable() {
        assert_eq!(visible("naïve 日本 ✓"), "naïve 日本 ✓");
    }
}
