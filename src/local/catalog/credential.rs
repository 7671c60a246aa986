//! What users prove themselves with: password hashes, public keys, tokens' hashes. No secret is stored.

use super::Id;
use crate::object::name::Ident;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// A password as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash {
    pub(crate) salt: Vec<u8>,
    /// PBKDF2's number of rounds.
    pub(crate) rounds: u32,
    pub(crate) hash: Vec<u8>,
}

/// What kind of token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A programmatic access token.
    Pat,
    /// An OAuth access token.
    OAuth,
}

impl TokenKind {
    fn name(self) -> &'static str {
        match self {
            Self::Pat => "PAT",
            Self::OAuth => "OAUTH",
        }
    }
}

/// A token as it is stored.
pub(crate) struct NewToken<'a> {
    pub(crate) user: Id,
    pub(crate) kind: TokenKind,
    pub(crate) name: &'a Ident,
    /// SHA-256 of the token.
    pub(crate) hash: &'a [u8],
    /// The only role that the token may take.
    pub(crate) role: Option<&'a Ident>,
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) created_on: i64,
    /// The same.
    pub(crate) expires_on: i64,
}

/// Whom a token belongs to.
pub(crate) struct TokenOwner {
    pub(crate) user: Ident,
    pub(crate) role: Option<Ident>,
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) expires_on: i64,
}

/// A user's password hash.
pub(crate) fn password(connection: &Connection, user: &Ident) -> Result<Option<PasswordHash>> {
    let sql = "SELECT password_salt, password_rounds, password_hash FROM user
               WHERE name = ?1 AND password_hash IS NOT NULL";
    let found = connection.query_row(sql, [user.as_str()], |row| {
        Ok(PasswordHash { salt: row.get(0)?, rounds: row.get(1)?, hash: row.get(2)? })
    });
    found.optional()
}

/// Sets or clears a user's password hash.
pub(crate) fn set_password(connection: &Connection, user: Id, password: Option<&PasswordHash>) -> Result<()> {
    let sql = "UPDATE user SET password_salt = ?2, password_rounds = ?3, password_hash = ?4 WHERE id = ?1";
    let salt = password.map(|p| &p.salt);
    let rounds = password.map(|p| p.rounds);
    connection.execute(sql, params![user, salt, rounds, password.map(|p| &p.hash)]).map(drop)
}

/// A user's public keys, as DER.
pub(crate) fn public_keys(connection: &Connection, user: &Ident) -> Result<Vec<Vec<u8>>> {
    let sql = "SELECT rsa_public_key, rsa_public_key_2 FROM user WHERE name = ?1";
    let keys: Option<[Option<Vec<u8>>; 2]> =
        connection.query_row(sql, [user.as_str()], |row| Ok([row.get(0)?, row.get(1)?])).optional()?;
    Ok(keys.into_iter().flatten().flatten().collect())
}

/// Sets or clears one of a user's two public keys.
pub(crate) fn set_public_key(
    connection: &Connection,
    user: Id,
    second: bool,
    key: Option<&[u8]>,
) -> Result<()> {
    let sql = if second {
        "UPDATE user SET rsa_public_key_2 = ?2 WHERE id = ?1"
    } else {
        "UPDATE user SET rsa_public_key = ?2 WHERE id = ?1"
    };
    connection.execute(sql, params![user, key]).map(drop)
}

/// Whether the user has a token of this name.
pub(crate) fn has_token(connection: &Connection, user: Id, kind: TokenKind, name: &Ident) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM token WHERE user = ?1 AND kind = ?2 AND name = ?3)";
    connection.query_row(sql, params![user, kind.name(), name.as_str()], |row| row.get(0))
}

/// Adds a token.
pub(crate) fn insert_token(connection: &Connection, token: &NewToken<'_>) -> Result<()> {
    let NewToken { user, kind, name, hash, role, created_on, expires_on } = token;
    let role = role.map(Ident::as_str);
    connection
        .execute(
            "INSERT INTO token (user, kind, name, hash, role, created_on, expires_on)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![user, kind.name(), name.as_str(), hash, role, created_on, expires_on],
        )
        .map(drop)
}

/// Removes a token; whether it was there.
pub(crate) fn delete_token(connection: &Connection, user: Id, kind: TokenKind, name: &Ident) -> Result<bool> {
    let sql = "DELETE FROM token WHERE user = ?1 AND kind = ?2 AND name = ?3";
    Ok(connection.execute(sql, params![user, kind.name(), name.as_str()])? > 0)
}

/// Whom the token with this hash belongs to.
pub(crate) fn token_owner(
    connection: &Connection,
    kind: TokenKind,
    hash: &[u8],
) -> Result<Option<TokenOwner>> {
    let sql = "SELECT u.name, t.role, t.expires_on FROM token t JOIN user u ON u.id = t.user
               WHERE t.kind = ?1 AND t.hash = ?2";
    let found = connection.query_row(sql, params![kind.name(), hash], |row| {
        Ok(TokenOwner {
            user: Ident::exact(row.get::<_, String>(0)?),
            role: row.get::<_, Option<String>>(1)?.map(Ident::exact),
            expires_on: row.get(2)?,
        })
    });
    found.optional()
}
