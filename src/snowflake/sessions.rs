//! Sessions that outlive a command, so that the next one needs no login: one file for each, which one process at a time
//! holds.
//!
//! What makes that safe:
//! - A session is found by everything that a login would say: every setting, and the credential as well, so a changed
//!   role, schema or password is another session. Of a password only what PBKDF2 makes of it is there to be compared.
//! - A process holds the file's lock while it uses the session, so no two share one, and nobody's statements run where
//!   another's `CREATE SCHEMA` has moved the session. The system takes the lock back from a process that dies.
//! - While something is changed the file is empty: a session in doubt is not found again. It is written back at the
//!   end if the account says that the session still stands where it stood after login; otherwise it is ended.

use super::settings::{Environment, Key, Method, Settings, expand_home};
use crate::host::lock::LockedFile;
use crate::host::{clock, environment, files};
use crate::wire::SessionInfo;
use ring::{digest, pbkdf2};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The version of the files; another one is not read.
const VERSION: u32 = 1;
/// How much work guessing a password by the name of a file is made; it takes milliseconds.
const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).expect("ten thousand is not zero");
/// How long a token must still be good to be used, in seconds.
const MARGIN: u64 = 60;
/// After how long a file holds nothing that is good.
const OLD: Duration = Duration::from_secs(24 * 60 * 60);

/// The directory of the files. Whatever is wrong with it, what is in it is as good as nothing.
#[derive(Clone, Debug)]
pub struct SessionStore {
    directory: PathBuf,
}

/// A session as it was after its login, with its tokens as they are now.
#[derive(Clone)]
pub(super) struct KeptSession {
    pub(super) session: SecretString,
    /// Until when it is good, in seconds since 1970; the same below.
    pub(super) session_until: u64,
    pub(super) master: SecretString,
    pub(super) master_until: u64,
    pub(super) user: Option<String>,
    pub(super) place: SessionInfo,
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    session_token: String,
    session_until: u64,
    master_token: String,
    master_until: u64,
    user: Option<String>,
    place: SessionInfo,
}

impl KeptSession {
    /// Whether statements can be sent under it, or have to wait for a renewal.
    pub(super) fn is_fresh(&self) -> bool {
        clock::now_seconds() + MARGIN < self.session_until
    }

    fn is_good(&self) -> bool {
        clock::now_seconds() + MARGIN < self.master_until
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(bytes).ok()?;
        let Document { version, session_token, session_until, master_token, master_until, user, place } =
            document;
        let kept = Self {
            session: SecretString::from(session_token),
            session_until,
            master: SecretString::from(master_token),
            master_until,
            user,
            place,
        };
        (version == VERSION && kept.is_good()).then_some(kept)
    }

    fn write(&self) -> Vec<u8> {
        let Self { session, session_until, master, master_until, user, place } = self;
        let document = Document {
            version: VERSION,
            session_token: session.expose_secret().to_owned(),
            session_until: *session_until,
            master_token: master.expose_secret().to_owned(),
            master_until: *master_until,
            user: user.clone(),
            place: place.clone(),
        };
        serde_json::to_vec(&document).expect("internal error: a document has text keys")
    }
}

/// The right to use a session, and what is to become of it.
pub(super) struct Lease {
    inner: Mutex<Inner>,
}

struct Inner {
    /// Given back when the use is over.
    file: Option<LockedFile>,
    kept: Option<KeptSession>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The file says what is true.
    Written,
    /// The file is empty until it is known again.
    InDoubt,
    /// The session stands elsewhere, or is gone.
    Spoiled,
}

impl SessionStore {
    /// The store of this user on this machine.
    pub fn here(environment: &Environment) -> Option<Self> {
        let cache = environment.get("XDG_CACHE_HOME").map(PathBuf::from);
        let cache =
            cache.or_else(|| environment.get("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
        Some(Self::new(cache.join("snowform").join("sessions")))
    }

    /// The store in this directory.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The session of these settings, and the right to use it; a right without a session where there is none yet, and
    /// nothing where another process uses it, or where such sessions are not kept.
    pub(super) fn lease(&self, settings: &Settings) -> Option<(Lease, Option<KeptSession>)> {
        let path = self.directory.join(format!("{}.json", name(settings)?));
        if let Err(error) = files::create_private_dir(&self.directory) {
            tracing::info!(%error, "sessions are not kept");
            return None;
        }
        let mut file = match LockedFile::attempt(&path) {
            Ok(file) => file?,
            Err(error) => {
                tracing::info!(%error, "sessions are not kept");
                return None;
            }
        };
        // A file that others could read is nobody's secret any more.
        let is_private = file.mode().is_none_or(|mode| mode & 0o077 == 0);
        if !is_private && files::remove_file(&path).is_ok() {
            return None;
        }
        let kept = file.read().ok().and_then(|bytes| KeptSession::read(&bytes));
        if kept.is_none() {
            // A login is on its way, so there is time for it; what cannot be removed is looked at again next time.
            let _ = files::remove_older(&self.directory, OLD);
        }
        let inner = Inner { file: Some(file), kept: kept.clone(), state: State::Written };
        Some((Lease { inner: Mutex::new(inner) }, kept))
    }

    /// Forgets every session, without telling their accounts; how many there were.
    pub fn forget_all(&self) -> std::io::Result<usize> {
        let files = files::list(&self.directory)?;
        for path in &files {
            files::remove_file(path)?;
        }
        Ok(files.len())
    }
}

impl Lease {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a session that was opened, or its new tokens.
    pub(super) fn put(&self, session: KeptSession) {
        let mut inner = self.inner();
        inner.kept = Some(session);
        if inner.state == State::Written {
            inner.write();
        }
    }

    /// Notes the session that was opened in the place of one that was refused.
    pub(super) fn put_anew(&self, session: KeptSession) {
        self.inner().state = State::Written;
        self.put(session);
    }

    /// New tokens of the session.
    pub(super) fn renew(
        &self,
        session: &SecretString,
        master: Option<&SecretString>,
        seconds: [Option<i64>; 2],
    ) {
        let Some(mut kept) = self.inner().kept.clone() else { return };
        kept.session = session.clone();
        kept.session_until = until(seconds[0]);
        if let Some(master) = master {
            kept.master = master.clone();
            kept.master_until = until(seconds[1]);
        }
        self.put(kept);
    }

    /// Something is about to change that may move the session.
    pub(super) fn doubt(&self) {
        let mut inner = self.inner();
        if inner.state == State::Written {
            inner.state = State::InDoubt;
            inner.clear();
        }
    }

    /// The session is not what it was after its login.
    pub(super) fn spoil(&self) {
        let mut inner = self.inner();
        inner.state = State::Spoiled;
        inner.clear();
    }

    /// Ends the use; whether the session is kept, and therefore not to be ended.
    pub(super) fn finish(&self) -> bool {
        let mut inner = self.inner();
        if inner.state == State::InDoubt {
            inner.state = State::Written;
            inner.write();
        }
        inner.file = None;
        inner.state == State::Written && inner.kept.is_some()
    }
}

impl Inner {
    fn write(&mut self) {
        let Some(kept) = &self.kept else { return };
        let bytes = kept.write();
        if let Err(error) = self.fill(&bytes) {
            tracing::info!(%error, "the session is not kept");
            self.state = State::Spoiled;
        }
    }

    fn clear(&mut self) {
        if let Err(error) = self.fill(b"") {
            tracing::info!(%error, "the kept session stays");
        }
    }

    fn fill(&mut self, content: &[u8]) -> std::io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write(content))
    }
}

/// Until when something is good that is good for so many seconds; an hour where the account does not say.
pub(super) fn until(seconds: Option<i64>) -> u64 {
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(60 * 60);
    clock::now_seconds().saturating_add(seconds)
}

/// What sessions of these settings are found by; nothing where they are not kept: who a workload is, is known only
/// after asking for it, which costs as much as a login.
fn name(settings: &Settings) -> Option<String> {
    let method = settings.method();
    if matches!(method, Method::Workload(_)) {
        return None;
    }
    let mut text = String::from("snowform session 1\n");
    let mut secrets = digest::Context::new(&digest::SHA256);
    for (key, setting) in settings.iter() {
        match key {
            // A one-time code is another every time, and the password has its own place.
            Key::Passcode | Key::Password => {}
            _ if key.is_secret() => {
                secrets.update(key.name().as_bytes());
                secrets.update(setting.value.expose().as_bytes());
            }
            _ => {
                let _ = writeln!(text, "{}={}", key.name(), setting.value);
            }
        }
    }
    for key in [Key::PrivateKeyFile, Key::TokenFilePath] {
        if let Some(path) = settings.text(key) {
            let path = expand_home(&path, environment::home().as_deref());
            secrets.update(&files::read(&path).unwrap_or_default());
        }
    }
    for (name, value) in settings.session_parameters() {
        let _ = writeln!(text, "{name}:{value}");
    }
    let _ = writeln!(text, "{method:?}");
    text.push_str(&hex(secrets.finish().as_ref()));
    let salt = digest::digest(&digest::SHA256, text.as_bytes());
    let password = settings.secret(Key::Password);
    let rounds = if password.is_some() { ROUNDS } else { NonZeroU32::MIN };
    let password = password.unwrap_or_default();
    let mut out = [0; 20];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(algorithm, rounds, salt.as_ref(), password.expose_secret().as_bytes(), &mut out);
    Some(hex(&out))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
