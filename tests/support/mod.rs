//! What the protocol tests share.

pub(crate) mod scripted;
