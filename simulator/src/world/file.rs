//! Opening, locking and checking the database of a world, in a file or in memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::population::populate;
use super::random;
use super::scenario::Scenario;
use super::store::Store;
use crate::error::{Error, reject};

/// The application id in the header of the database file: "gizw".
const APPLICATION: i64 = 0x6769_7a77;
/// The version of the tables. Databases of other versions are refused.
const VERSION: i64 = 4;

/// The devices that were online at least once, with their states. The view is temporary, so that it can
/// change without a new version of the tables.
const VIEWS: &str = "CREATE TEMP VIEW known_device AS
    SELECT *, online_since IS NOT NULL AS is_online,
        EXISTS (SELECT 1 FROM trouble
            WHERE device = device.id AND fault AND cleared_at IS NULL) AS is_faulty,
        EXISTS (SELECT 1 FROM trouble
            WHERE device = device.id AND NOT fault AND cleared_at IS NULL) AS is_alert
    FROM device WHERE activated_at IS NOT NULL";

impl Store {
    /// Opens the world of a database. An empty database gets a world that has been running until `now`.
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
        let connection = Connection::open(path.unwrap_or(Path::new(":memory:")))?;
        lock(&connection)?;
        connection.set_prepared_statement_cache_capacity(256);
        connection.pragma_update(None, "trusted_schema", false)?;
        let mut store = Store {
            connection,
            seed: 0,
            live_reports: false,
            runs: false,
            definitions: BTreeMap::new(),
        };
        let tables: i64 = store.value("SELECT count(*) FROM sqlite_schema", [])?;
        let application: i64 = store.value("PRAGMA application_id", [])?;
        let version: i64 = store.value("PRAGMA user_version", [])?;
        let refused = |why: &str| Err(Error::File(why.to_owned()));
        match (tables, application, version) {
            (0, ..) => store.create(scenario.unwrap_or(&Scenario::builtin()), now)?,
            (_, APPLICATION, VERSION) => store.check(scenario)?,
            (_, APPLICATION, _) => {
                return refused(
                    "the database was created by another version of the simulator: choose another file",
                );
            }
            _ => return refused("this is not a database of the simulator: choose another file"),
        }
        // A commit is in the write-ahead log before its call is answered, so nothing is lost if this
        // process is killed.
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

    /// Refuses to continue a world with a scenario other than the one that it was created from.
    fn check(&self, scenario: Option<&Scenario>) -> Result<(), Error> {
        match scenario {
            Some(scenario) if self.meta("scenario")? != Some(fingerprint(scenario)) => reject(
                "the database was created from another scenario: choose another file, or open this \
                     one without a scenario",
            ),
            _ => Ok(()),
        }
    }

    /// Creates the tables and fills them from a scenario.
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

/// A hash of a scenario, by which a database recognises it.
fn fingerprint(scenario: &Scenario) -> i64 {
    random::number(scenario.world.seed, &scenario.text, 0).cast_signed()
}

/// Locks the database until the connection is closed. Two simulators of one world would have two clocks.
fn lock(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(Duration::from_secs(1))?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    match connection.execute_batch("BEGIN EXCLUSIVE; COMMIT") {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            let message = "the database is in use by another simulator: choose another file";
            Err(Error::File(message.to_owned()))
        }
        locked => Ok(locked?),
    }
}

/// Replaces an error of opening a database with its reason, if the file or its folder can't be written.
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
        _ if path.is_dir() => "this is a folder: expected the name of a file".to_owned(),
        (Err(error), _) if missing(&error) => {
            format!("there is no folder {shown}: create it first")
        }
        (Err(error), _) => format!("the folder {shown} can't be read: {error}"),
        (Ok(_), Err(error)) if !missing(&error) => {
            format!("the file can't be written: {error}; the simulator keeps its state in it")
        }
        // SQLite only reports that it could not create a file.
        _ => format!(
            "no file can be created in the folder {shown} ({error}): the simulator keeps its database \
             and the log of the database there"
        ),
    })
}
