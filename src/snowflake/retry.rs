//! When to try again, and after how long.
//!
//! The loop is our own because every try of a statement differs from the last: Snowflake recognises a
//! repeated statement by an unchanged `requestId` and a counted `retryCount`. Which statuses are worth a new
//! try: gosnowflake `retry.go`, snowflake-connector-nodejs `lib/util.ts`.

use crate::host;
use std::time::Duration;

/// How patient a client is. The pauses grow from `base` by doubling up to `max`, each shortened at random by
/// up to half, so that many clients do not come back at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Tries in all, at least one.
    pub tries: u32,
    /// The pause behind the first try.
    pub base: Duration,
    /// The longest pause that grows by itself.
    pub max: Duration,
    /// The longest pause that an account may ask for with `Retry-After`.
    pub longest_asked: Duration,
}

impl Default for Retry {
    /// Eight tries, with pauses that add up to at most 48 seconds.
    fn default() -> Self {
        Self {
            tries: 8,
            base: Duration::from_millis(500),
            max: Duration::from_secs(16),
            longest_asked: Duration::from_secs(60),
        }
    }
}

impl Retry {
    /// How long to wait behind the `failed`-th try in a row.
    pub(super) fn pause(&self, failed: u32, asked: Option<Duration>) -> Duration {
        let doublings = failed.saturating_sub(1).min(20);
        let grown = self.base.saturating_mul(1 << doublings).min(self.max);
        let shortened = grown.mul_f64(0.5 + 0.5 * random_fraction());
        let asked = asked.unwrap_or_default().min(self.longest_asked);
        shortened.max(asked)
    }
}

/// A number from 0 to 1, from the randomness that request ids are made of.
fn random_fraction() -> f64 {
    let (bits, _) = uuid::Uuid::new_v4().as_u64_pair();
    f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

/// Whether a status says "try again": the server's own trouble, a time-out, too many requests.
pub(super) fn is_retryable(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

/// The pause that a `Retry-After` header asks for: seconds, or a date (RFC 9110).
pub(super) fn asked_pause(header: &str) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(header.trim()).ok()?.timestamp().as_second();
    let now = i64::try_from(host::clock::now_seconds()).ok()?;
    Some(Duration::from_secs(u64::try_from(until - now).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_vary_by_half() {
        let retry = Retry::default();
        for (failed, longest) in [(1, 500), (2, 1000), (3, 2000), (6, 16_000), (7, 16_000), (99, 16_000)] {
            let longest = Duration::from_millis(longest);
            for _ in 0..20 {
                let pause = retry.pause(failed, None);
                assert!(pause <= longest && pause >= longest / 2, "{failed}: {pause:?}");
            }
        }
        let different: std::collections::BTreeSet<_> = (0..20).map(|_| retry.pause(1, None)).collect();
        assert!(different.len() > 1, "pauses vary");
    }

    #[test]
    fn what_the_account_asks_for_counts_up_to_a_bound() {
        let retry = Retry::default();
        assert_eq!(retry.pause(1, Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(retry.pause(1, Some(Duration::from_secs(7000))), retry.longest_asked);
        assert!(
            retry.pause(6, Some(Duration::from_secs(1))) >= Duration::from_secs(8),
            "never shorter than ours"
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(asked_pause(" 3 "), Some(Duration::from_secs(3)));
        assert_eq!(
            asked_pause("Wed, 21 Oct 2015 07:28:00 GMT"),
            Some(Duration::ZERO),
            "a date that has passed"
        );
        assert!(asked_pause("Fri, 31 Dec 2100 23:59:59 GMT").unwrap() > Duration::from_secs(1_000_000));
        assert_eq!(asked_pause("soon"), None);
    }

    #[test]
    fn only_the_servers_trouble_is_retried() {
        let retryable = [408, 429, 500, 502, 503, 504, 599];
        let not = [200, 204, 301, 307, 400, 401, 403, 404, 405, 410, 418];
        assert!(retryable.into_iter().all(is_retryable));
        assert!(!not.into_iter().any(is_retryable));
    }
}
