//! Randomness that nobody can guess.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};

/// Fresh random bytes.
///
/// # Panics
/// If the operating system has no randomness to give, without which nothing can be signed in safely.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A text of 256 random bits that can stand in addresses.
pub fn text() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}
