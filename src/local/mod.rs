//! The embedded account: catalog, SQL, and the same account served over the session protocol.
