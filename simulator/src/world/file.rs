//! The file of a world, or the memory in place of one: opened, locked and checked.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::population::populate;
use super::random;
use super::scenario::Scenario;
use super::store::Store;
use crate::error::Error;

/// The application id of a simulator's database file: "gizw".
const APPLICATION: i64 = 0x6769_7a77;
/// The version of its tables.
const VERSION: i64 = 4;

/// Devices that were online at least once, with their state. A view of the connection, not of the file.
const VIEWS: &str = "CREATE TEMP VIEW known_device AS
    SELECT *, online_since IS NOT NULL AS is_online,
        EXISTS (SELECT 1 FROM trouble
            WHERE device = device.id AND fault AND cleared_at IS NULL) AS is_faulty,
        EXISTS (SELECT 1 FROM trouble
            WHERE device = device.id AND NOT fault AND cleared_at IS NULL) AS is_alert
    FROM device WHERE activated_at IS NOT NULL";

impl Store {
    /// Opens a world, or creates it as of `now`.
    pub(crate) fn open(
        path: Option<&Path>,
        scenario: Option<&Scenario>,
        now: i64,
    ) -> Result<Self, Error> {
        let opened = Self::try_open(path, scenario, now);
        opened.map_err(|error| match (path, error) {
            (Some(path), Error::Database(error)) => unwritable(path, error),
            (_, error) => error,
        })
    }

    fn try_open(path: Option<&Path>, scenario: Option<&Scenario>, now: i64) -> Result<Self, Error> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        lock(&connection)?;
        connection.set_prepared_statement_cache_capacity(256);
        connection.pragma_update(None, "trusted_schema", false)?;
        let mut store = Store {
            connection,
            seed: 0,
            live_reports: false,
            definitions: BTreeMap::new(),
        };
        let tables: i64 = store.value("SELECT count(*) FROM sqlite_schema", [])?;
        let application: i64 = store.value("PRAGMA application_id", [])?;
        let version: i64 = store.value("PRAGMA user_version", [])?;
        let refused = |why: &str| Err(Error::File(why.to_owned()));
        match (tables, application, version) {
            (0, ..) => match scenario {
                Some(scenario) => store.create(scenario, now)?,
                None => store.create(&Scenario::builtin(), now)?,
            },
            (_, APPLICATION, VERSION) => store.check(scenario)?,
            (_, APPLICATION, _) => {
                return refused(
                    "the database is of another version of the simulator: take another file",
                );
            }
            _ => return refused("the database is no simulator's"),
        }
        // What is committed is in the file's log before a call is answered, so the end of this
        // process loses nothing.
        let connection = &store.connection;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(VIEWS)?;
        let setting = |key| Ok::<_, Error>(store.meta(key)?.unwrap_or(0));
        let (seed, live) = (setting("seed")?, setting("live_reports")?);
        store.live_reports = live != 0;
        store.seed = seed.cast_unsigned();
        store.read_definitions()?;
        Ok(store)
    }

    /// Refuses to continue a world with a scenario that it was not made from.
    fn check(&self, scenario: Option<&Scenario>) -> Result<(), Error> {
        match scenario {
            Some(scenario) if self.meta("scenario")? != Some(fingerprint(scenario)) => {
                let message = "the database holds a world of another scenario; take another file, \
                               or open it without a scenario";
                Err(Error::Scenario(message.to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn create(&mut self, scenario: &Scenario, now: i64) -> Result<(), Error> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        self.connection.execute_batch(include_str!("schema.sql"))?;
        self.connection
            .pragma_update(None, "application_id", APPLICATION)?;
        self.connection
            .pragma_update(None, "user_version", VERSION)?;
        let world = &scenario.world;
        for (key, value) in [
            ("scenario", fingerprint(scenario)),
            ("seed", world.seed.cast_signed()),
            ("live_reports", world.live_reports.into()),
            ("group_descendants", world.group_descendants.into()),
        ] {
            self.set_meta(key, value)?;
        }
        populate(self, scenario, now.saturating_sub(world.history.0))?;
        self.connection.execute_batch("COMMIT")?;
        Ok(())
    }
}

/// The number by which a file knows the scenario that its world was made from.
fn fingerprint(scenario: &Scenario) -> i64 {
    random::number(scenario.world.seed, &scenario.text, 0).cast_signed()
}

/// Takes the file for as long as this process lives: each of two simulators would have a clock of its
/// own.
fn lock(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    match connection.execute_batch("BEGIN EXCLUSIVE; COMMIT") {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            let message = "the database is in use by another simulator";
            Err(Error::File(message.to_owned()))
        }
        locked => Ok(locked?),
    }
}

/// Explains why a database can't be written to, if that is why opening it failed.
fn unwritable(path: &Path, error: rusqlite::Error) -> Error {
    use ErrorCode::{CannotOpen, PermissionDenied, ReadOnly, SystemIoFailure};

    let Some(CannotOpen | PermissionDenied | ReadOnly | SystemIoFailure) =
        error.sqlite_error_code()
    else {
        return Error::Database(error);
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let shown = folder.display();
    let missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let file = fs::OpenOptions::new().append(true).open(path);
    Error::File(match (fs::metadata(folder), file) {
        _ if path.is_dir() => "a folder: the name of a file is expected".to_owned(),
        (Err(error), _) if missing(&error) => format!("there is no folder {shown}: make it first"),
        (Err(error), _) => format!("the folder {shown} can't be read: {error}"),
        (Ok(_), Err(error)) if !missing(&error) => format!(
            "the file can't be written to: {error}; the world is kept in it, so it must be writable"
        ),
        // SQLite says no more than that it could not make a file.
        _ => format!(
            "no file can be made in the folder {shown} ({error}): the database and its log are kept \
             there, so it must be writable"
        ),
    })
}
