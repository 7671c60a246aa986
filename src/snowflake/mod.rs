//! Snowflake over HTTP: connection settings, authentication, the session protocol, retries.
