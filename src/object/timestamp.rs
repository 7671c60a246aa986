//! Points in time as the wire writes them, rendered as RFC 3339.
//!
//! Source: gosnowflake `converter.go`, snowflake-connector-python `converter.py`: `seconds.fraction` since
//! 1970, and behind a blank, for `timestamp_tz`, the offset in minutes plus 1440.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// A cell of a timestamp column as RFC 3339 text: UTC for `timestamp_ltz`, with its offset for
/// `timestamp_tz`, without any for `timestamp_ntz`. Any other column, and what is no timestamp, as it is.
pub fn render(cell: &str, kind: &str) -> String {
    let rendered = match kind.to_ascii_lowercase().as_str() {
        "timestamp_ltz" => parse(cell).map(|time| time.to_string()),
        "timestamp_ntz" => parse(cell).map(|time| Offset::UTC.to_datetime(time).to_string()),
        "timestamp_tz" => render_with_offset(cell),
        _ => None,
    };
    rendered.unwrap_or_else(|| cell.to_owned())
}

fn render_with_offset(cell: &str) -> Option<String> {
    const NO_OFFSET: i32 = 1440;
    let (time, offset) = cell.split_once(' ')?;
    let minutes = offset.parse::<i32>().ok()?.checked_sub(NO_OFFSET)?;
    let offset = Offset::from_seconds(minutes.checked_mul(60)?).ok()?;
    Some(parse(time)?.display_with_offset(offset).to_string())
}

/// The point in time of a cell, `seconds[.fraction]`; a sign counts for both parts.
pub fn parse(text: &str) -> Option<Timestamp> {
    let (unsigned, sign) = text.strip_prefix('-').map_or((text, 1), |rest| (rest, -1));
    let (seconds, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || !is_number(seconds) || !is_number(fraction) {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    let nanoseconds: i32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let duration = SignedDuration::new(seconds.checked_mul(sign)?, nanoseconds * i32::try_from(sign).ok()?);
    Timestamp::from_duration(duration).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_timestamp_type_has_its_rendering() {
        let cases = [
            ("1713473621.481000000", "timestamp_ltz", "2024-04-18T20:53:41.481Z"),
            ("1713473621", "timestamp_ltz", "2024-04-18T20:53:41Z"),
            ("1713473621.481", "TIMESTAMP_NTZ", "2024-04-18T20:53:41.481"),
            ("1713473621.481000000 1560", "timestamp_tz", "2024-04-18T22:53:41.481+02:00"),
            ("1713473621.000000000 1020", "timestamp_tz", "2024-04-18T13:53:41-07:00"),
            ("-1.500000000", "timestamp_ltz", "1969-12-31T23:59:58.5Z"),
            ("0.000000001", "timestamp_ltz", "1970-01-01T00:00:00.000000001Z"),
        ];
        for (cell, kind, expected) in cases {
            assert_eq!(render(cell, kind), expected, "{cell} {kind}");
        }
    }

    #[test]
    fn what_is_no_timestamp_stays_as_it_is() {
        let cells = [
            "",
            "x",
            "1.x",
            "2024-04-18",
            "99999999999999999999",
            "1713473621.481 x",
            "1 99999999",
            "--1",
            "1. ",
        ];
        for cell in cells {
            for kind in ["timestamp_ltz", "timestamp_ntz", "timestamp_tz"] {
                if (cell, kind) != ("1. ", "timestamp_tz") {
                    assert_eq!(render(cell, kind), cell, "{kind}");
                }
            }
        }
        assert_eq!(render("1713473621.481", "text"), "1713473621.481");
    }
}
