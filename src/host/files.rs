//! Reading and writing files.

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The bytes of a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
}

/// Why a file is not the text that it should be.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A directory stands in its place.
    #[error("is a directory")]
    Directory,
    /// The system says so.
    #[error("cannot be read: {0}")]
    System(io::Error),
    /// It has this many MiB, and more than are read.
    #[error("has {0} MiB")]
    TooLarge(usize),
    /// From this byte on it is not UTF-8.
    #[error("is not UTF-8 text (byte {0})")]
    NotText(usize),
}

impl Unreadable {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Directory => "a file is needed in its place",
            Self::System(_) => "check the file and its permissions",
            Self::TooLarge(_) => "a definition has at most 64 MiB",
            Self::NotText(_) => "save the file as UTF-8",
        }
    }
}

/// The text of a file of at most `most` bytes; nothing where there is no file.
pub fn read_text(path: &Path, most: usize) -> Result<Option<String>, Unreadable> {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if path.is_dir() => return Err(Unreadable::Directory),
        Err(error) => return Err(Unreadable::System(error)),
    };
    if bytes.len() > most {
        return Err(Unreadable::TooLarge(bytes.len() / 1024 / 1024));
    }
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|error| Unreadable::NotText(error.utf8_error().valid_up_to()))
}

/// The text of a file; not UTF-8 is `InvalidData`.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

/// Creates a directory and its parents, readable by the user alone where the system knows that.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Creates a directory that the user alone can enter; one that is there is `AlreadyExists`.
pub fn create_dir(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Removes a directory that holds nothing.
pub fn remove_empty_dir(path: &Path) -> io::Result<()> {
    std::fs::remove_dir(path)
}

/// When a file or a directory was last changed, in milliseconds since 1970-01-01 UTC.
pub fn changed_at(path: &Path) -> Option<u64> {
    let changed = std::fs::metadata(path).ok()?.modified().ok()?;
    let since = changed.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

/// The files of a directory; none where there is no such directory.
pub fn list(directory: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.path())).collect(),
    }
}

/// Puts `content` where `path` says, whole or not at all: a reader sees the old file or the new one.
/// The file is readable by the user alone where the system knows that.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    // One name per write: several threads may write the same file, and the last to finish wins whole.
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let write = WRITES.fetch_add(1, Ordering::Relaxed);
    let unfinished = path.with_extension(format!("unfinished-{}-{write}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)
}

/// Puts `content` where `path` says, readable as new files are.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    std::fs::write(path, content)
}

/// Adds to the end of a file, which is made where there is none.
pub fn append(path: &Path, content: &[u8]) -> io::Result<()> {
    std::fs::OpenOptions::new().append(true).create(true).open(path)?.write_all(content)
}

/// The nearest directory, this one or above it, that holds something of this name.
pub fn nearest_above(directory: &Path, name: &str) -> Option<std::path::PathBuf> {
    directory.ancestors().find(|directory| directory.join(name).exists()).map(Path::to_owned)
}

/// Makes an empty file that the user alone can read, where the system knows that; one that is there stays.
pub fn create_private_file(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The permission bits of a file (`0o600`), where the system has them.
pub fn mode(path: &Path) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).ok().map(|meta| meta.permissions().mode() & 0o777)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Removes a directory with all that is in it; one that is not there is fine.
pub fn remove_dir(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Whether anything is at that path, and may be seen.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// Removes a file; one that is not there is fine.
pub fn remove_file(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Replaces a file's content, whole or not at all, and keeps its permissions.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let permissions = std::fs::metadata(path)?.permissions();
    write_private(path, content)?;
    std::fs::set_permissions(path, permissions)
}

/// Writes a file that is not there yet, with the permissions that files usually get.
pub fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)
}

/// A file's size in bytes.
pub fn size(path: &Path) -> io::Result<u64> {
    std::fs::metadata(path).map(|meta| meta.len())
}

/// Moves a file within a file system, over whatever stands there.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// Hands a file's content to `piece`, part by part.
pub fn read_through(path: &Path, mut piece: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => piece(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes the files of a directory that were not changed for so long; a directory that is not there is fine.
pub fn remove_older(directory: &Path, age: Duration) -> io::Result<()> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let changed = entry.metadata()?.modified()?;
        if changed.elapsed().is_ok_and(|since| since > age) {
            remove_file(&entry.path())?;
        }
    }
    Ok(())
}

/// Where a path leads through symbolic links.
pub fn resolved(path: &Path) -> io::Result<std::path::PathBuf> {
    std::fs::canonicalize(path)
}

/// Makes `link` another name of the file `target`, in the place of whatever link was there. A file that is no link
/// is `AlreadyExists`.
pub fn link(target: &Path, link: &Path) -> io::Result<()> {
    if std::fs::symlink_metadata(link).is_ok_and(|meta| meta.is_symlink()) {
        std::fs::remove_file(link)?;
    }
    #[cfg(unix)]
    return std::os::unix::fs::symlink(target, link);
    #[cfg(not(unix))]
    return std::fs::hard_link(target, link);
}
