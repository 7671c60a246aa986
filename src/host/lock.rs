//! Files that one process at a time may use. The system takes a lock back from a process that ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// A file that is locked until this value is dropped.
#[derive(Debug)]
pub struct LockedFile {
    file: File,
    path: PathBuf,
}

impl LockedFile {
    /// Opens a file that the user alone can read, makes it where it is missing, and waits until nobody else holds it.
    pub fn wait(path: &Path) -> io::Result<Self> {
        let file = open(path)?;
        file.lock()?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// The same without waiting; nothing where somebody else holds it.
    pub fn attempt(path: &Path) -> io::Result<Option<Self>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file, path: path.to_owned() })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Everything in it.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.file.rewind()?;
        self.file.read_to_end(&mut content)?;
        Ok(content)
    }

    /// Puts this in it, in place of whatever was there.
    pub fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(content)
    }

    /// Its permission bits (`0o600`), where the system has them.
    pub fn mode(&self) -> Option<u32> {
        super::files::mode(&self.path)
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_whose_content_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        let mut first = LockedFile::attempt(&path).unwrap().unwrap();
        assert!(LockedFile::attempt(&path).unwrap().is_none());
        first.write(b"a longer text").unwrap();
        first.write(b"short").unwrap();
        assert_eq!(first.mode().unwrap_or(0o600), 0o600);
        drop(first);
        let mut second = LockedFile::wait(&path).unwrap();
        assert_eq!(second.read().unwrap(), b"short");
    }
}
