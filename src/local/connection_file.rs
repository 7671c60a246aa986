//! The connection file of a served account: what `snow --config-file` and this program need to log in.
//!
//! It is the only place where the password of the user LOCAL stands; the catalog holds its hash.

use super::account::Account;
use super::error::LocalError;
use super::{ACCOUNT_NAME, USER_NAME};
use crate::host::files;
use crate::object::name::Ident;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Its name in the account's directory.
pub(super) const FILE: &str = "config.toml";
/// The connection's name in it.
const CONNECTION: &str = "local";

/// Writes the connection file for an account that is served at `address`, and returns its path. A password
/// that still opens the account stays; otherwise the user LOCAL is given a new random one.
pub fn write_connection_file(
    account: &Account,
    dir: &Path,
    address: SocketAddr,
) -> Result<PathBuf, LocalError> {
    let path = dir.join(FILE);
    let mut document = read(&path)?;
    let user = Ident::exact(USER_NAME);
    let known = password_in(&document).map(str::to_owned);
    let password = match known {
        Some(password) if account.verify_password(&user, &password)? => password,
        _ => account.set_random_password(&user)?,
    };
    let connection = connection_table(&mut document);
    let settings = [
        ("account", ACCOUNT_NAME.to_lowercase()),
        ("user", USER_NAME.to_owned()),
        ("password", password),
        ("host", address.ip().to_string()),
        ("protocol", "http".to_owned()),
        ("database", ACCOUNT_NAME.to_owned()),
        ("schema", "PUBLIC".to_owned()),
        ("role", "SYSADMIN".to_owned()),
    ];
    for (key, value) in settings {
        connection.insert(key.to_owned(), Value::String(value));
    }
    connection.insert("port".to_owned(), Value::Integer(address.port().into()));
    document.entry("default_connection_name").or_insert_with(|| Value::String(CONNECTION.to_owned()));
    let text = document.to_string();
    match files::write_private(&path, text.as_bytes()) {
        Ok(()) => Ok(path),
        Err(source) => Err(LocalError::Io { path, source }),
    }
}

fn read(path: &Path) -> Result<Table, LocalError> {
    let text = match files::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Table::new()),
        Err(source) => return Err(LocalError::Io { path: path.to_owned(), source }),
    };
    // The reader's own message would quote the line, and that line may hold the password.
    text.parse::<Table>().map_err(|error| LocalError::ConnectionFile {
        path: path.to_owned(),
        reason: error.message().to_owned(),
    })
}

fn password_in(document: &Table) -> Option<&str> {
    document.get("connections")?.get(CONNECTION)?.get("password")?.as_str()
}

/// The connection's table, made where there is none.
fn connection_table(document: &mut Table) -> &mut Table {
    [("connections"), CONNECTION].into_iter().fold(document, |table, name| {
        let entry = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
        if !entry.is_table() {
            *entry = Value::Table(Table::new());
        }
        entry.as_table_mut().expect("internal error: it was made a table")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(path: &Path) -> Table {
        files::read_to_string(path).unwrap().parse().unwrap()
    }

    #[test]
    fn the_password_stays_while_it_opens_the_account() {
        let dir = tempfile::tempdir().unwrap();
        let account = Account::open(dir.path()).unwrap();
        let user = Ident::exact(USER_NAME);
        assert!(!account.has_password(&user).unwrap());

        let path = write_connection_file(&account, dir.path(), "127.0.0.1:4000".parse().unwrap()).unwrap();
        let first = written(&path);
        let password = password_in(&first).unwrap().to_owned();
        assert!(account.verify_password(&user, &password).unwrap());
        assert_eq!(files::mode(&path).unwrap_or(0o600), 0o600);

        write_connection_file(&account, dir.path(), "127.0.0.1:5000".parse().unwrap()).unwrap();
        let second = written(&path);
        assert_eq!(password_in(&second), Some(password.as_str()));
        assert_eq!(second["connections"]["local"]["port"].as_integer(), Some(5000));

        account.set_password(&user, "changed").unwrap();
        write_connection_file(&account, dir.path(), "127.0.0.1:6000".parse().unwrap()).unwrap();
        let third = written(&path);
        assert_ne!(password_in(&third), Some(password.as_str()));
        assert!(account.verify_password(&user, password_in(&third).unwrap()).unwrap());
    }

    #[test]
    fn other_connections_in_the_file_stay_and_a_broken_file_is_not_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let account = Account::open(dir.path()).unwrap();
        let path = dir.path().join(FILE);
        let address = "127.0.0.1:4000".parse().unwrap();
        files::write_private(&path, b"default_connection_name = \"x\"\n[connections.x]\nuser = \"u\"\n")
            .unwrap();
        write_connection_file(&account, dir.path(), address).unwrap();
        let document = written(&path);
        assert_eq!(document["connections"]["x"]["user"].as_str(), Some("u"));
        assert_eq!(document["default_connection_name"].as_str(), Some("x"));

        files::write_private(&path, b"password = \"hunter2").unwrap();
        let error = write_connection_file(&account, dir.path(), address).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
