//! What the embedded account remembers, in an SQLite file that several processes use at once.
//!
//! This module owns connections, transactions and the file's format; the modules beside it own the rows of
//! one kind of object each. Who may do what is decided above, in `run`.

pub(crate) mod container;
pub(crate) mod credential;
pub(crate) mod grant;
pub(crate) mod image;
pub(crate) mod principal;
pub(crate) mod repository;
mod schema;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A row's key; never used twice, also not after the row is gone.
pub(crate) type Id = i64;

/// How long a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a statement that SQLite does not let wait is put off.
const BUSY_PAUSE: Duration = Duration::from_millis(5);
/// Connections that are kept for the next statement.
const IDLE_CONNECTIONS: usize = 8;

/// Why a catalog cannot be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// SQLite says so, or the file is none of ours.
    Database(rusqlite::Error),
    /// Another process kept it locked for longer than a statement waits; it is sound.
    Busy(rusqlite::Error),
    /// A newer version of this program wrote it; the version of its format.
    Newer(i64),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        if is_busy(&error) { Self::Busy(error) } else { Self::Database(error) }
    }
}

/// The catalog: a file, or memory alone.
pub(crate) struct Catalog {
    place: Place,
}

enum Place {
    /// A file and its idle connections.
    File { path: PathBuf, idle: Mutex<Vec<Connection>> },
    /// The one connection that a catalog in memory lives by.
    Memory(Mutex<Connection>),
}

/// Whether a transaction takes the write lock when it starts. A transaction that only finds out later would
/// have to give up when somebody else wrote in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    Read,
    Write,
}

impl Catalog {
    /// Opens the catalog in a file, and creates it where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let mut connection = connect(path)?;
        schema::prepare(&mut connection)?;
        let place = Place::File { path: path.to_owned(), idle: Mutex::new(vec![connection]) };
        Ok(Self { place })
    }

    /// A new catalog that is gone when it is dropped.
    pub(crate) fn in_memory() -> Result<Self, OpenError> {
        let mut connection = Connection::open_in_memory()?;
        connection.pragma_update(None, "foreign_keys", true)?;
        schema::prepare(&mut connection)?;
        Ok(Self { place: Place::Memory(Mutex::new(connection)) })
    }

    /// Runs `work` in one transaction, which is undone where `work` fails.
    pub(crate) fn transaction<T, E: From<rusqlite::Error>>(
        &self,
        intent: Intent,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.place {
            Place::Memory(connection) => run(&mut lock(connection), intent, work),
            Place::File { path, idle } => {
                let reused = lock(idle).pop();
                let mut connection = reused.map_or_else(|| connect(path), Ok)?;
                let outcome = run(&mut connection, intent, work);
                let mut idle = lock(idle);
                if idle.len() < IDLE_CONNECTIONS {
                    idle.push(connection);
                }
                outcome
            }
        }
    }
}

/// Locks, also after a panic elsewhere: a transaction that panicked was undone, the connection is sound.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    enter_wal_mode(&connection)?;
    // In WAL mode this survives every crash of a process; a power failure may cost the last statements, never
    // the file. That is the right trade for an account on somebody's laptop.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// SQLite does not wait by itself where another process writes to a file that is not yet in WAL mode, as one does
/// that makes the same account at the same time: waiting with the lock that it holds then could be a deadlock
/// (<https://www.sqlite.org/c3ref/busy_handler.html>). So the change is tried again from the start.
fn enter_wal_mode(connection: &Connection) -> rusqlite::Result<()> {
    let begun = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if is_busy(&error) && begun.elapsed() < BUSY_TIMEOUT => std::thread::sleep(BUSY_PAUSE),
            outcome => return outcome,
        }
    }
}

/// Whether another process was in the way, and nothing else is wrong.
fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

fn run<T, E: From<rusqlite::Error>>(
    connection: &mut Connection,
    intent: Intent,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let behavior = match intent {
        Intent::Read => TransactionBehavior::Deferred,
        Intent::Write => TransactionBehavior::Immediate,
    };
    let transaction = connection.transaction_with_behavior(behavior)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// A list of ids as SQLite's `json_each` reads it.
pub(crate) fn id_list(ids: &[Id]) -> String {
    let texts: Vec<_> = ids.iter().map(Id::to_string).collect();
    format!("[{}]", texts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalog_that_another_process_is_making_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalog.db");
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        std::thread::scope(|scope| {
            let opening = scope.spawn(|| Catalog::open(&path).map(|_| ()));
            std::thread::sleep(Duration::from_millis(100));
            other.execute_batch("COMMIT").unwrap();
            opening.join().unwrap().unwrap();
        });
    }
}
