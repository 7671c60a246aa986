//! Large results: the rows that do not stand in the answer, packed and kept for fetching.

use super::super::credentials;
use crate::wire::Chunk;
use axum::body::Bytes;
use flate2::{Compression, write::GzEncoder};
use std::collections::{HashMap, VecDeque};
use std::io::Write as _;

/// Rows of one chunk.
const CHUNK_ROWS: usize = 2_000;
/// How many bytes of packed chunks are kept; the oldest go first.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// A row as it goes over the wire.
type Row = Vec<Option<String>>;

/// A chunk's rows, packed, under the key that is its address.
pub(super) struct Packed {
    key: String,
    body: Bytes,
    rows: usize,
    unpacked: usize,
}

/// Packs rows into chunks, as Snowflake does: JSON arrays joined by commas, without brackets around all.
pub(super) fn pack(rows: &[Row]) -> Vec<Packed> {
    rows.chunks(CHUNK_ROWS).map(pack_one).collect()
}

fn pack_one(rows: &[Row]) -> Packed {
    let json = serde_json::to_string(rows).expect("internal error: rows are always JSON");
    let inner = json.strip_prefix('[').and_then(|json| json.strip_suffix(']')).unwrap_or_default();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(inner.as_bytes()).expect("internal error: memory takes every byte");
    let body = encoder.finish().expect("internal error: memory takes every byte");
    Packed { key: credentials::random_secret(), body: body.into(), rows: rows.len(), unpacked: inner.len() }
}

impl Packed {
    /// What the answer says of it; `base` is the server's address, `http://…`.
    pub(super) fn describe(&self, base: &str) -> Chunk {
        let size = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Chunk {
            url: format!("{base}/chunks/{}", self.key),
            row_count: size(self.rows),
            uncompressed_size: size(self.unpacked),
            compressed_size: size(self.body.len()),
        }
    }
}

/// The chunks that can be fetched.
#[derive(Default)]
pub(super) struct Chunks {
    by_key: HashMap<String, Bytes>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Chunks {
    /// Keeps a chunk.
    pub(super) fn keep(&mut self, chunk: Packed) {
        self.bytes += chunk.body.len();
        self.order.push_back(chunk.key.clone());
        self.by_key.insert(chunk.key, chunk.body);
        while self.bytes > KEPT_BYTES {
            let Some(oldest) = self.order.pop_front() else { return };
            self.bytes -= self.by_key.remove(&oldest).map_or(0, |body| body.len());
        }
    }

    /// A chunk's packed body.
    pub(super) fn get(&self, key: &str) -> Option<Bytes> {
        self.by_key.get(key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read as _;

    #[test]
    fn chunks_hold_rows_without_brackets_in_order() {
        let rows: Vec<Row> = (0..4001).map(|number| vec![Some(number.to_string()), None]).collect();
        let packed = pack(&rows);
        assert_eq!(packed.iter().map(|chunk| chunk.rows).collect::<Vec<_>>(), [2000, 2000, 1]);
        let mut read = Vec::new();
        for chunk in &packed {
            let mut text = String::new();
            GzDecoder::new(chunk.body.as_ref()).read_to_string(&mut text).unwrap();
            assert!(text.starts_with("[\"") && text.len() == chunk.unpacked);
            read.extend(serde_json::from_str::<Vec<Row>>(&format!("[{text}]")).unwrap());
        }
        assert_eq!(read, rows);
    }

    #[test]
    fn the_oldest_chunks_make_room() {
        let mut chunks = Chunks::default();
        let chunk = |key: &str| Packed {
            key: key.to_owned(),
            body: vec![0; KEPT_BYTES / 2].into(),
            rows: 1,
            unpacked: 1,
        };
        for key in ["a", "b", "c"] {
            chunks.keep(chunk(key));
        }
        assert!(chunks.get("a").is_none());
        assert!(chunks.get("b").is_some() && chunks.get("c").is_some());
        assert_eq!(chunks.bytes, KEPT_BYTES);
    }
}
