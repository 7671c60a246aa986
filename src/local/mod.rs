//! The embedded account: catalog, SQL, and the same account served over the session protocol.
//!
//! ```text
//! text → sql (tokens → statement) → run (role, names, privileges) → catalog (SQLite)
//! ```
//!
//! [`Account`] is that pipeline. `registry` keeps the images of its image repositories, as files beside the catalog. [`session`] puts it behind the port that the rest of the program uses,
//! [`server`] behind the protocol that every Snowflake client speaks.

mod account;
mod catalog;
mod connection_file;
mod credentials;
mod error;
mod jwt;
mod registry;
mod run;
pub mod server;
pub mod session;
mod sql;

pub use account::{Account, Context, Summary};
pub use connection_file::write_connection_file;
pub use error::LocalError;
pub use sql::failure::SqlFailure;

/// The account's name, in connections, JSON web tokens and `CURRENT_ACCOUNT()`.
pub const ACCOUNT_NAME: &str = "LOCAL";
/// The user that every local account has.
pub const USER_NAME: &str = "LOCAL";
/// The organization that `CURRENT_ORGANIZATION_NAME()` answers.
const ORGANIZATION_NAME: &str = "SNOWFORM";
/// What the account answers as the server's version: this program's.
const SERVER_VERSION: &str = env!("CARGO_PKG_VERSION");
