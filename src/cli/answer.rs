//! Answers of the commands that replace the official CLI's: its formats, and what its scripts see when something fails.

use super::error::CommandError;
use super::ui::{Format, Ui};
use crate::host::{environment, terminal};
use crate::object::rows::Rows;
use crate::object::statement::Sql;
use crate::session::{Session, SessionError};
use crate::view::listing::{Listing, Style};
use jiff::tz::TimeZone;

/// Columns where there is no terminal (rich's default).
const DEFAULT_COLUMNS: usize = 80;

/// Writes an answer in the format that was asked for.
pub(super) fn write(ui: &Ui, listing: &Listing) {
    ui.text(&listing.write(style(ui.format)));
}

fn style(format: Format) -> Style {
    match format {
        Format::Json | Format::JsonExt => Style::Json,
        Format::Csv => Style::Csv,
        _ => {
            let said = environment::variables().get("COLUMNS").and_then(|text| text.parse().ok());
            let one = said.or_else(terminal::columns).unwrap_or(DEFAULT_COLUMNS);
            Style::Table { one, many: terminal::stdout_is_terminal().then_some(one) }
        }
    }
}

/// Runs a statement; its rows, and the zone that the session's times are shown in.
pub(super) async fn rows(session: &dyn Session, sql: &Sql) -> Result<(Rows, TimeZone), CommandError> {
    let zone = Sql::new("SHOW PARAMETERS LIKE").text("TIMEZONE");
    let (rows, zone) = tokio::join!(session.query(sql, None), session.query(&zone, None));
    // A zone that is not known here changes how times are written, not what is listed.
    let name = zone.ok().and_then(|rows| Some(rows.iter().next()?.get("value")?.to_owned()));
    let zone = name.and_then(|name| TimeZone::get(&name).ok()).unwrap_or(TimeZone::UTC);
    Ok((rows.map_err(failed)?, zone))
}

/// An account's refusal in the official CLI's form: code, SQL state, query id, the account's words.
pub(super) fn failed(error: SessionError) -> CommandError {
    let prefix = match &error {
        SessionError::Sql { code, sql_state: Some(state), query_id: Some(id), .. } => {
            Some(format!("{code:06} ({state}): {id}: "))
        }
        _ => None,
    };
    let error = CommandError::from(error);
    match prefix {
        Some(prefix) => CommandError { message: format!("{prefix}{}", error.message), ..error },
        None => error,
    }
}
