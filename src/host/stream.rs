//! Files that are too large for memory, read and written piece by piece by asynchronous code.

use futures_util::Stream;
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

/// Bytes that are read at once.
const PIECE: u64 = 128 * 1024;

/// A file that grows at its end. One writer at a time, in all processes, until it is dropped.
pub struct Appender {
    file: File,
    size: u64,
}

impl Appender {
    /// Opens an existing file. `WouldBlock` where somebody else is appending to it.
    pub async fn open(path: &Path) -> io::Result<Self> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let file = std::fs::OpenOptions::new().append(true).open(path)?;
            file.try_lock()?;
            let size = file.metadata()?.len();
            Ok::<_, io::Error>((file, size))
        });
        let (file, size) = opened.await.map_err(io::Error::other)??;
        Ok(Self { file: File::from_std(file), size })
    }

    /// Bytes that the file has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a piece.
    pub async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece).await?;
        self.size += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Waits until everything is on the disk; the file's size in bytes.
    pub async fn sync(&mut self) -> io::Result<u64> {
        self.file.flush().await?;
        self.file.sync_data().await?;
        Ok(self.size)
    }
}

/// `length` bytes of a file from `start` on, piece by piece; fewer where the file ends before.
pub fn read(path: PathBuf, start: u64, length: u64) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
    enum Reader {
        At(PathBuf, u64),
        Open(File),
    }
    futures_util::stream::try_unfold((Reader::At(path, start), length), |(reader, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut file = match reader {
            Reader::Open(file) => file,
            Reader::At(path, start) => {
                let mut file = File::open(path).await?;
                file.seek(SeekFrom::Start(start)).await?;
                file
            }
        };
        let mut piece = Vec::new();
        let read = (&mut file).take(left.min(PIECE)).read_to_end(&mut piece).await?;
        let left = left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
        Ok((read > 0).then_some((piece, (Reader::Open(file), left))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt as _;

    #[tokio::test]
    async fn one_writer_at_a_time_and_any_part_can_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        std::fs::write(&path, b"ab").unwrap();
        let mut first = Appender::open(&path).await.unwrap();
        let second = Appender::open(&path).await.err().unwrap();
        assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
        first.write(&vec![b'c'; 300_000]).await.unwrap();
        assert_eq!((first.size(), first.sync().await.unwrap()), (300_002, 300_002));
        drop(first);
        assert!(Appender::open(&path).await.is_ok(), "the lock goes with the writer");

        let whole: Vec<Vec<u8>> = read(path.clone(), 0, u64::MAX).try_collect().await.unwrap();
        assert!(whole.len() > 1, "piece by piece");
        assert_eq!(whole.concat().len(), 300_002);
        let part: Vec<Vec<u8>> = read(path, 1, 2).try_collect().await.unwrap();
        assert_eq!(part.concat(), b"bc");
    }
}
