//! World two: what an account holds. Exact; nothing half-known lives here, and nothing of the author's text.

pub mod name;
pub mod reading;
pub mod rows;
pub mod shell;
pub mod state;
pub mod statement;
pub mod timestamp;
