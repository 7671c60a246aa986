//! The rows of an answer: those that came with it, and those that are kept elsewhere.
//!
//! Source: snowflake-connector-python `result_batch.py`, gosnowflake `chunk_downloader.go`: chunks are rows
//! without the brackets around them, often compressed, at signed addresses of the cloud's storage, in order.

use super::http::{Answer, Transport};
use super::settings::Protocol;
use crate::session::{Column, Rows, SessionError};
use crate::wire::{Chunk, QueryAnswer};
use flate2::read::MultiGzDecoder;
use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::io::Read as _;

type Cells = Vec<Vec<Option<String>>>;

/// The rows of an answer, complete, or an error: an incomplete listing would look as if objects were gone.
pub(super) async fn rows(
    transport: &Transport,
    answer: QueryAnswer,
    max_in_flight: usize,
) -> Result<Rows, SessionError> {
    let host = transport.endpoint().authority();
    refuse_arrow(&answer, &host)?;
    let headers = chunk_headers(&answer, &host)?;
    let mut rows = answer.rowset.unwrap_or_default();
    let chunks = answer.chunks.unwrap_or_default();
    let fetched =
        futures_util::stream::iter(chunks.into_iter().map(|chunk| fetch(transport, chunk, &headers)))
            .buffered(max_in_flight.max(1));
    let fetched: Vec<Cells> = fetched.try_collect().await?;
    rows.extend(fetched.into_iter().flatten());
    let promised =
        answer.returned.or(answer.total).and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    if rows.len() < promised {
        return Err(SessionError::Protocol {
            message: format!("{host} promised {promised} rows and sent {}", rows.len()),
            help: "run the command again; if it happens again, report the statement's id to Snowflake"
                .to_owned(),
        });
    }
    let columns = answer.rowtype.unwrap_or_default();
    let columns = columns.into_iter().map(|column| Column { name: column.name, kind: column.kind }).collect();
    Ok(Rows { columns, rows, query_id: answer.query_id })
}

/// The id of a statement whose answer speaks of rows and holds none; its result can be asked for once more
/// (snowflake-connector-nodejs does so).
pub(super) fn left_out(answer: &QueryAnswer) -> Option<&str> {
    let holds_none = answer.rowset.is_none()
        && answer.rowset_base64.as_deref().is_none_or(str::is_empty)
        && answer.chunks.as_ref().is_none_or(Vec::is_empty);
    let speaks_of_rows = answer.total.is_some_and(|total| total > 0);
    answer.query_id.as_deref().filter(|_| holds_none && speaks_of_rows)
}

fn refuse_arrow(answer: &QueryAnswer, host: &str) -> Result<(), SessionError> {
    let is_arrow =
        answer.query_result_format.as_deref().is_some_and(|format| format.eq_ignore_ascii_case("arrow"));
    let holds_rows = answer.rowset_base64.as_deref().is_some_and(|rows| !rows.is_empty())
        || answer.chunks.as_ref().is_some_and(|chunks| !chunks.is_empty());
    if is_arrow && holds_rows {
        return Err(SessionError::Protocol {
            message: format!("{host} answers in Arrow format, although JSON was asked for"),
            help: "the account may know client_app_id as a client of its own; leave it at its default"
                .to_owned(),
        });
    }
    Ok(())
}

/// The headers that the storage wants: exactly those given, else the encryption key; never the account's
/// token.
fn chunk_headers(answer: &QueryAnswer, host: &str) -> Result<HeaderMap, SessionError> {
    const CUSTOMER_KEY: &str = "x-amz-server-side-encryption-customer-key";
    const CUSTOMER_ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
    let given = answer.chunk_headers.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut pairs: Vec<_> = given.collect();
    if let (true, Some(key)) = (pairs.is_empty(), &answer.qrmk) {
        pairs = vec![(CUSTOMER_ALGORITHM, "AES256"), (CUSTOMER_KEY, key)];
    }
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let parsed = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
        let Some((name, mut value)) = parsed else {
            return Err(broken_chunk(host, "its headers are malformed"));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

async fn fetch(transport: &Transport, chunk: Chunk, headers: &HeaderMap) -> Result<Cells, SessionError> {
    let host = transport.endpoint().authority();
    let url = Url::parse(&chunk.url).map_err(|_| broken_chunk(&host, "its address is malformed"))?;
    if url.scheme() != "https" && transport.endpoint().protocol() == Protocol::Https {
        return Err(broken_chunk(&host, "its address is not encrypted"));
    }
    let storage = url.host_str().unwrap_or("the storage").to_owned();
    let Answer { status, body, .. } = transport.fetch(&url, headers).await?;
    if !status.is_success() {
        let why = format!("it is refused with status {}", status.as_u16());
        return Err(broken_chunk(&storage, &why));
    }
    parse(body).ok_or_else(|| broken_chunk(&storage, "it is no list of rows"))
}

fn broken_chunk(host: &str, why: &str) -> SessionError {
    SessionError::Protocol {
        message: format!("a part of the result at {host} cannot be read: {why}"),
        help: "run the command again; addresses of parts expire after some hours".to_owned(),
    }
}

/// Rows, unpacked where they are packed, with brackets put around them where they have none.
fn parse(body: Vec<u8>) -> Option<Cells> {
    let body = if body.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(body.as_slice()).read_to_end(&mut unpacked).ok()?;
        unpacked
    } else {
        body
    };
    let text = body.trim_ascii();
    if text.is_empty() || text == b"[]" {
        return Some(Vec::new());
    }
    let has_brackets = text.strip_prefix(b"[").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"["));
    if has_brackets {
        return serde_json::from_slice(text).ok();
    }
    serde_json::from_slice(&[b"[".as_slice(), text, b"]"].concat()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    fn rows(texts: &[&[Option<&str>]]) -> Cells {
        texts.iter().map(|row| row.iter().map(|cell| cell.map(str::to_owned)).collect()).collect()
    }

    #[test]
    fn rows_are_read_in_every_wrapping() {
        let expected = rows(&[&[Some("a"), None], &[Some("b[\"é"), Some("")]]);
        let bare = r#" ["a",null],["b[\"é",""] "#;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bare.as_bytes()).unwrap();
        assert_eq!(parse(bare.into()), Some(expected.clone()));
        assert_eq!(parse(format!("[{bare}]").into()), Some(expected.clone()));
        assert_eq!(parse(gzip.finish().unwrap()), Some(expected));
        assert_eq!(parse(Vec::new()), Some(Vec::new()));
        assert_eq!(parse(b"[]".to_vec()), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_list_of_rows_is_nothing() {
        for body in ["<html>", "[\"a\"", "{}", "[[\"a\"]", "\u{1f}\u{8b}"] {
            assert_eq!(parse(body.into()), None, "{body}");
        }
        assert_eq!(parse(vec![0x1f, 0x8b, 0, 0]), None);
    }

    #[test]
    fn the_key_is_sent_only_where_no_headers_are_given() {
        let mut answer = QueryAnswer { qrmk: Some("KEY".to_owned()), ..QueryAnswer::default() };
        let headers = chunk_headers(&answer, "h").unwrap();
        assert_eq!(headers["x-amz-server-side-encryption-customer-algorithm"], "AES256");
        assert_eq!(headers["x-amz-server-side-encryption-customer-key"], "KEY");
        assert!(!format!("{headers:?}").contains("KEY"), "{headers:?}");
        answer.chunk_headers = Some([("x-own".to_owned(), "v".to_owned())].into());
        let headers = chunk_headers(&answer, "h").unwrap();
        assert_eq!(headers.len(), 1);
        answer.chunk_headers = Some([("bad name".to_owned(), "v".to_owned())].into());
        assert!(chunk_headers(&answer, "h").is_err());
    }
}
