//! What the protocol tests share.

pub mod scripted;
