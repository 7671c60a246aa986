//! Where a cursor stands in a text that is being written: the way there by indentation, and what has been typed so far.
//!
//! A tree cannot tell that: the line under the cursor is unfinished, and the place that it belongs to may not exist yet.
//! So this reads lines, as a person does, and only those that lead to the cursor.

use super::tree::Part;
use std::ops::Range;

/// A cursor and what leads to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The way to the mapping, list or key that the cursor writes in.
    pub(super) path: Vec<Part>,
    /// What is being written.
    pub(super) writing: Writing,
    /// The word around the cursor, in bytes of the text: what a completion replaces.
    pub(super) word: Range<usize>,
    /// Whether the cursor is between brackets or braces.
    pub(super) flow: bool,
}

/// What is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// A key or a value, whichever the place takes: the first word of its line or item.
    First {
        /// Whether a `:` follows already.
        colon: bool,
        /// Whether the word stands behind a `-`.
        dash: bool,
    },
    /// The value behind a key on the same line.
    Value {
        /// Whether a space has to come before it.
        needs_space: bool,
    },
    /// The inside of a template.
    Template {
        /// What stands between its opening mark and the cursor.
        before: String,
    },
}

/// Something that a line begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lead {
    Dash,
    Key(String),
}

/// The leads of one line, with their columns, and where the rest begins.
struct Line {
    leads: Vec<(usize, Lead)>,
    /// Whether the last lead is a key whose colon has no space behind it, at the end of what was read.
    ends_at_colon: bool,
    rest: usize,
}

/// Where the cursor at `offset` stands; nothing in a comment.
pub(super) fn cursor(text: &str, offset: usize) -> Option<Cursor> {
    let start = text[..offset].rfind('\n').map_or(0, |end| end + 1);
    let line_end = text[offset..].find(['\n', '\r']).map_or(text.len(), |end| offset + end);
    let line = text.get(start..line_end)?;
    let before = text.get(start..offset)?;
    if comment(before).is_some() {
        return None;
    }
    if let Some((path, flow_text)) = flow_around(text, start, offset) {
        return in_flow(text, path, flow_text, offset, line_end);
    }
    let read = leads(before);
    let column = read.leads.first().map_or_else(|| indentation(before), |(column, _)| *column);
    let is_dash = matches!(read.leads.first(), Some((_, Lead::Dash)));
    let mut path = above(text, start, column, is_dash);
    path.extend(read.leads.iter().map(|(_, lead)| lead.part()));
    if let Some(before) = open_template(before) {
        let word = word_around(text, offset, line_end, |c| c.is_alphanumeric() || c == '_');
        return Some(Cursor {
            path,
            writing: Writing::Template { before: before.to_owned() },
            word,
            flow: false,
        });
    }
    let writing = match read.leads.last() {
        Some((_, Lead::Key(_))) => Writing::Value { needs_space: read.ends_at_colon },
        lead => {
            let colon = leads(line).leads.len() > read.leads.len();
            Writing::First { colon, dash: matches!(lead, Some((_, Lead::Dash))) }
        }
    };
    let word = match writing {
        Writing::Value { .. } => start + read.rest..value_end(text, offset, line_end),
        _ => start + read.rest..word_around(text, offset, line_end, is_key_part).end,
    };
    Some(Cursor { path, writing, word, flow: false })
}

impl Lead {
    fn part(&self) -> Part {
        match self {
            Self::Dash => Part::Item,
            Self::Key(key) => Part::Key(key.clone()),
        }
    }
}

fn is_key_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$')
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Where a comment begins on a line.
fn comment(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut last = ' ';
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '#' && matches!(last, ' ' | '\t') => return Some(at),
            // A quote opens a text only where one may begin.
            None if matches!(c, '"' | '\'') && !last.is_alphanumeric() => quote = Some(c),
            None => {}
        }
        last = c;
    }
    None
}

/// Splits the beginning of a line into dashes and a key.
fn leads(line: &str) -> Line {
    let mut leads = Vec::new();
    let mut at = indentation(line);
    loop {
        let rest = &line[at..];
        if rest == "-" || rest.starts_with("- ") {
            leads.push((at, Lead::Dash));
            at += 1 + rest[1..].len() - rest[1..].trim_start_matches(' ').len();
            continue;
        }
        let Some((key, length)) = key(rest) else { return Line { leads, ends_at_colon: false, rest: at } };
        leads.push((at, Lead::Key(key)));
        let behind = &rest[length..];
        let space = behind.len() - behind.trim_start_matches(' ').len();
        return Line { leads, ends_at_colon: behind.is_empty(), rest: at + length + space };
    }
}

/// A key at the start of a text, and its length with its colon.
fn key(text: &str) -> Option<(String, usize)> {
    let quoted = text.starts_with(['"', '\'']).then(|| &text[..1]);
    if let Some(quote) = quoted {
        let end = text[1..].find(quote)? + 1;
        let behind = text[end + 1..].strip_prefix(':')?;
        let ends = behind.is_empty() || behind.starts_with(' ');
        return ends.then(|| (text[1..end].to_owned(), end + 2));
    }
    if text.starts_with(['#', '[', '{', '&', '*', '!', '|', '>', '%', '<']) {
        return None;
    }
    let colon = text.match_indices(':').map(|(at, _)| at).find(|at| {
        let behind = &text[at + 1..];
        behind.is_empty() || behind.starts_with([' ', '\r', '\n'])
    })?;
    let key = text[..colon].trim_end();
    let plain = !key.is_empty() && !key.contains(" #");
    plain.then(|| (key.to_owned(), colon + 1))
}

/// The way to a line by the lines above it: each with less indentation than the one below.
fn above(text: &str, start: usize, column: usize, is_dash: bool) -> Vec<Part> {
    let mut path = Vec::new();
    let (mut column, mut is_dash) = (column, is_dash);
    for line in text[..start].lines().rev() {
        let indent = indentation(line);
        let may_lead = indent < column || (is_dash && indent == column);
        let trimmed = line.trim_start();
        if !may_lead || trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        for (at, lead) in leads(line).leads.into_iter().rev() {
            let leads_here = at < column || (is_dash && at == column && lead != Lead::Dash);
            if leads_here {
                is_dash = lead == Lead::Dash;
                column = at;
                path.push(lead.part());
            }
        }
        if column == 0 && !is_dash {
            break;
        }
    }
    path.reverse();
    path
}

/// What stands between the mark of a template that is open at the end of a text, and that end.
fn open_template(before: &str) -> Option<&str> {
    let open = before.rfind("<%")?;
    let inside = &before[open + 2..];
    (!inside.contains("%>")).then(|| inside.trim_start_matches(['-', '+']))
}

fn word_around(text: &str, offset: usize, line_end: usize, is_part: fn(char) -> bool) -> Range<usize> {
    let before = text[..offset].trim_end_matches(is_part).len();
    let behind = &text[offset..line_end];
    before..line_end - behind.trim_start_matches(is_part).len()
}

/// The end of the value on the cursor's line, without a comment behind it.
fn value_end(text: &str, offset: usize, line_end: usize) -> usize {
    let rest = &text[offset..line_end];
    let content = match rest.find(" #") {
        Some(at) => &rest[..at],
        None => rest,
    };
    offset + content.trim_end().len()
}

/// How many lines above the cursor a bracket is looked for.
const FLOW_LINES: usize = 64;

/// The way to the value that opened the brackets or braces around the cursor, and the text from there to the cursor.
fn flow_around(text: &str, start: usize, offset: usize) -> Option<(Vec<Part>, &str)> {
    let mut line_start = start;
    for _ in 0..FLOW_LINES {
        let line = text[line_start..offset].lines().next().unwrap_or("");
        let read = leads(line);
        let rest = line.get(read.rest..).unwrap_or("");
        let opens = rest.starts_with(['[', '{']);
        if opens && !flow(&text[line_start + read.rest..offset]).is_empty() {
            let column = read.leads.first().map_or_else(|| indentation(line), |(column, _)| *column);
            let is_dash = matches!(read.leads.first(), Some((_, Lead::Dash)));
            let mut path = above(text, line_start, column, is_dash);
            path.extend(read.leads.iter().map(|(_, lead)| lead.part()));
            return Some((path, &text[line_start + read.rest..offset]));
        }
        // A line that begins something of its own is inside of nothing, unless it goes on: `a: x,`.
        let content = line[..comment(line).unwrap_or(line.len())].trim_end();
        let goes_on = content.ends_with([',', '[', '{']) || content.ends_with(':');
        if line_start == 0 || (line_start != start && !read.leads.is_empty() && !goes_on) {
            return None;
        }
        line_start = text[..line_start - 1].rfind('\n').map_or(0, |end| end + 1);
    }
    None
}

/// A bracket or brace that is open.
struct OpenFlow {
    is_mapping: bool,
    /// The key whose value is being written.
    key: Option<String>,
    /// Where the current key or item begins, in the text that was scanned.
    from: usize,
}

/// What is open at the end of a text that begins with a bracket or brace.
fn flow(text: &str) -> Vec<OpenFlow> {
    let mut open: Vec<OpenFlow> = Vec::new();
    let mut quote = None;
    for (at, c) in text.char_indices() {
        if let Some(mark) = quote {
            if c == mark {
                quote = None;
            }
            continue;
        }
        match c {
            '[' | '{' => open.push(OpenFlow { is_mapping: c == '{', key: None, from: at + 1 }),
            ']' | '}' => {
                open.pop();
                if open.is_empty() {
                    break;
                }
            }
            _ => {}
        }
        let Some(top) = open.last_mut() else { continue };
        match c {
            '"' | '\'' if text[top.from..at].trim().is_empty() => quote = Some(c),
            ',' => (top.key, top.from) = (None, at + 1),
            ':' if top.is_mapping
                && top.key.is_none()
                && !text[at + 1..].starts_with(|c: char| c.is_alphanumeric()) =>
            {
                top.key = Some(text[top.from..at].trim().trim_matches(['"', '\'']).to_owned());
                top.from = at + 1;
            }
            _ => {}
        }
    }
    open
}

fn in_flow(text: &str, mut path: Vec<Part>, inside: &str, offset: usize, line_end: usize) -> Option<Cursor> {
    let open = flow(inside);
    let top = open.last()?;
    for OpenFlow { is_mapping, key, from: _ } in &open {
        if !is_mapping {
            path.push(Part::Item);
        }
        path.extend(key.iter().map(|key| Part::Key(key.clone())));
    }
    let written = &inside[top.from..];
    if let Some(before) = open_template(written) {
        let word = word_around(text, offset, line_end, |c| c.is_alphanumeric() || c == '_');
        return Some(Cursor {
            path,
            writing: Writing::Template { before: before.to_owned() },
            word,
            flow: true,
        });
    }
    let word = word_around(text, offset, line_end, is_key_part);
    let writing = if top.key.is_some() {
        Writing::Value { needs_space: written.is_empty() }
    } else {
        let colon = top.is_mapping && text[word.end..line_end].trim_start().starts_with(':');
        Writing::First { colon, dash: !top.is_mapping }
    };
    Some(Cursor { path, writing, word, flow: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The way to `$0` and what is written there, as one text: `entities.a.meta.[] First x`.
    fn at(marked: &str) -> String {
        let offset = marked.find("$0").unwrap();
        let text = marked.replacen("$0", "", 1);
        let Some(Cursor { path, writing, word, flow }) = cursor(&text, offset) else {
            return "nothing".into();
        };
        let path: Vec<&str> = path.iter().map(|part| part.key().unwrap_or("[]")).collect();
        let writing = match writing {
            Writing::First { colon, dash } => {
                format!("first{}{}", if colon { " colon" } else { "" }, if dash { " dash" } else { "" })
            }
            Writing::Value { needs_space } => format!("value{}", if needs_space { " space" } else { "" }),
            Writing::Template { before } => format!("template({before})"),
        };
        let flow = if flow { " flow" } else { "" };
        format!("{} {writing}{flow} <{}>", path.join("."), &text[word])
    }

    #[test]
    fn the_way_is_read_from_indentation() {
        for (text, expected) in [
            ("$0", " first <>"),
            ("ent$0", " first <ent>"),
            ("ent$0ities:\n", " first colon <entities>"),
            ("entities:\n  $0", "entities first <>"),
            ("entities:\n  a:\n    $0\n  b:\n", "entities.a first <>"),
            ("entities:\n  a:\n    type: im$0age\n", "entities.a.type value <image>"),
            ("entities:\n  a:\n    type:$0\n", "entities.a.type value space <>"),
            ("entities:\n  a:\n    type: $0 # why\n", "entities.a.type value <>"),
            (
                "entities:\n  a:\n    meta:\n      depends_on:\n        - b\n        - $0",
                "entities.a.meta.depends_on.[] first dash <>",
            ),
            (
                "entities:\n  a:\n    meta:\n      depends_on:\n      - b\n      - c$0",
                "entities.a.meta.depends_on.[] first dash <c>",
            ),
            ("a:\n- x: 1\n  y: $0", "a.[].y value <>"),
            ("a:\n- x: 1\n  $0", "a.[] first <>"),
            ("a:\n  b:\n\n# c:\n  d:\n    $0", "a.d first <>"),
            ("'a b':\n  \"c\":\n    $0", "a b.c first <>"),
            ("a:\r\n  b:\r\n    $0\r\n", "a.b first <>"),
            ("a: x # $0", "nothing"),
            ("a: 'x # $0", "a value <'x # >"),
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
    }

    #[test]
    fn brackets_and_braces_lead_too() {
        for (text, expected) in [
            ("a:\n  b: [x, y$0]", "a.b.[] first dash flow <y>"),
            ("a:\n  b: [$0", "a.b.[] first dash flow <>"),
            ("a:\n  b: {c: 1, $0}", "a.b first flow <>"),
            ("a:\n  b: {c: 1, d: $0}", "a.b.d value flow <>"),
            ("a:\n  b: {c: [x, $0]}", "a.b.c.[] first dash flow <>"),
            ("a:\n  b: [\n    x,\n    $0\n  ]", "a.b.[] first dash flow <>"),
            ("a:\n  b: {\n    c: 1,\n    $0\n  }", "a.b first flow <>"),
            ("a:\n  b: [x]\n  $0", "a first <>"),
            ("a: {}\n$0", " first <>"),
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
    }

    #[test]
    fn templates_are_seen_in_any_value() {
        for (text, expected) in [
            ("a: x_<% ctx.env.$0 %>", "a template( ctx.env.) <>"),
            ("a: <% ctx.env.S | up$0", "a template( ctx.env.S | up) <up>"),
            ("a: [<%$0", "a.[] template() flow <>"),
            ("a: <% ctx.a %>$0", "a value <<% ctx.a %>>"),
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[a-b:ä \n'\"\\[\\]{},#<%>-]{0,80}", at in 0..80_usize) {
            let found = if text.is_char_boundary(at) { cursor(&text, at) } else { None };
            if let Some(found) = found {
                prop_assert!(found.word.start <= at && at <= found.word.end, "{:?}", found);
                prop_assert!(text.get(found.word).is_some());
            }
        }
    }
}
