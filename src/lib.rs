//! snowform deploys Snowflake project definitions: it reads `snowflake.yml`, compares it with an account, shows
//! a plan and carries that plan out.
//!
//! What flows where, in reading order:
//!
//! ```text
//! texts → source → definition → Project → desired ⟍
//!                                                  plan → Plan → deploy → Outcome
//! account → session → live ⟋                         ↘ view
//! ```

pub mod check;
pub mod cli;
pub mod codehost;
pub mod definition;
pub mod deploy;
pub mod desired;
pub mod host;
pub mod ide;
pub mod kind;
pub mod live;
pub mod local;
pub mod lsp;
pub mod object;
pub mod plan;
pub mod registry;
pub mod rule;
pub mod schema;
pub mod session;
pub mod snowflake;
pub mod source;
pub mod survey;
pub mod view;
pub mod wire;
