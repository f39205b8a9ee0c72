//! The world in SQLite: its tables, and how it begins.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use gizwits_codec_std::Product;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use serde::de::DeserializeOwned;

use crate::behaviour;
use crate::device;
use crate::error::Error;
use crate::random;
use crate::scenario::{self, Behaviour, DeviceSpec, OFFLINE_REASONS, Place, Scenario, UserSpec};
use crate::status;

/// Times are milliseconds since 1970.
const SCHEMA: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE enterprise (
    id TEXT PRIMARY KEY, secret TEXT NOT NULL, quota INTEGER NOT NULL, overseas INTEGER NOT NULL,
    allow TEXT NOT NULL, hour INTEGER NOT NULL DEFAULT 0, calls INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID, STRICT;
CREATE TABLE app (appid TEXT PRIMARY KEY) WITHOUT ROWID, STRICT;
CREATE TABLE app_product (
    appid TEXT NOT NULL, product TEXT NOT NULL, PRIMARY KEY (appid, product)
) WITHOUT ROWID, STRICT;
CREATE TABLE product (
    key TEXT PRIMARY KEY, secret TEXT NOT NULL, enterprise TEXT, published INTEGER NOT NULL,
    open_logs INTEGER NOT NULL, remote_control INTEGER NOT NULL, definition TEXT
) WITHOUT ROWID, STRICT;
CREATE TABLE token (
    value TEXT PRIMARY KEY, product TEXT NOT NULL, enterprise TEXT NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE TABLE device (
    id INTEGER PRIMARY KEY, did TEXT NOT NULL UNIQUE, product TEXT NOT NULL, mac TEXT,
    device_sn TEXT, passcode TEXT NOT NULL, type TEXT NOT NULL, disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL, activated_at INTEGER, gid TEXT,
    country TEXT, region TEXT, city TEXT, longitude REAL, latitude REAL,
    mcu_hard_version TEXT, mcu_soft_version TEXT, wifi_hard_version TEXT, wifi_soft_version TEXT,
    status BLOB NOT NULL,
    reply_after INTEGER NOT NULL, report_every INTEGER NOT NULL, full_every INTEGER NOT NULL,
    heartbeat INTEGER NOT NULL, keep_alive INTEGER NOT NULL,
    online_since INTEGER, online_latest INTEGER, silent_since INTEGER, last_report INTEGER,
    since_full INTEGER NOT NULL DEFAULT 0, draws INTEGER NOT NULL DEFAULT 0,
    UNIQUE (product, mac), UNIQUE (product, device_sn)
) STRICT;
CREATE INDEX device_gid ON device (gid) WHERE gid IS NOT NULL;
CREATE TABLE device_group (
    gid TEXT PRIMARY KEY, product TEXT NOT NULL, parent TEXT, made INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE TABLE user (
    uid TEXT PRIMARY KEY, appid TEXT NOT NULL, username TEXT, phone TEXT, email TEXT, name TEXT,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    country TEXT, region TEXT, city TEXT, visits INTEGER
) WITHOUT ROWID, STRICT;
CREATE TABLE binding (
    device INTEGER NOT NULL, uid TEXT NOT NULL, appid TEXT NOT NULL, owner INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (device, uid)
) WITHOUT ROWID, STRICT;
-- Who ever bound a device, and when first.
CREATE TABLE bound (
    device INTEGER NOT NULL, uid TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (device, uid)
) WITHOUT ROWID, STRICT;
CREATE TABLE visit (
    uid TEXT NOT NULL, day INTEGER NOT NULL, PRIMARY KEY (uid, day)
) WITHOUT ROWID, STRICT;
-- In the three logs a device's records are in order, and numbered without gaps: those of a span are
-- counted by its first and its last. Only the oldest are ever deleted.
CREATE TABLE online (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, at INTEGER NOT NULL, number INTEGER NOT NULL,
    type TEXT NOT NULL, payload TEXT NOT NULL
) STRICT;
CREATE INDEX online_at ON online (device, at, id, number);
CREATE TABLE frame (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, at INTEGER NOT NULL, number INTEGER NOT NULL,
    to_device INTEGER NOT NULL, payload BLOB NOT NULL
) STRICT;
CREATE INDEX frame_at ON frame (device, at, id, number);
CREATE TABLE data (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, at INTEGER NOT NULL, number INTEGER NOT NULL,
    attrs TEXT NOT NULL
) STRICT;
CREATE INDEX data_at ON data (device, at, id, number);
-- What devices said of values and frames that they could not take.
CREATE TABLE remark (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, at INTEGER NOT NULL, type TEXT NOT NULL,
    point TEXT, message TEXT NOT NULL
) STRICT;
CREATE INDEX remark_device ON remark (device, id);
-- Who was disabled or enabled again, in order.
CREATE TABLE turned (id INTEGER PRIMARY KEY, device INTEGER NOT NULL) STRICT;
-- A fault or alert that was reported, and when it was reported gone.
CREATE TABLE trouble (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, point TEXT NOT NULL, fault INTEGER NOT NULL,
    raised_at INTEGER NOT NULL, cleared_at INTEGER
) STRICT;
CREATE INDEX trouble_device ON trouble (device, point);
-- The days on which a device reported, and when first.
CREATE TABLE activity (
    device INTEGER NOT NULL, day INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (device, day)
) WITHOUT ROWID, STRICT;
CREATE INDEX activity_day ON activity (day);
CREATE TABLE behaviour (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, every INTEGER NOT NULL, spec TEXT NOT NULL
) STRICT;
-- What is still to happen.
CREATE TABLE pending (
    id INTEGER PRIMARY KEY, due INTEGER NOT NULL, kind TEXT NOT NULL, subject INTEGER NOT NULL,
    word TEXT
) STRICT;
CREATE INDEX pending_due ON pending (due, id);
CREATE TABLE mode (
    id INTEGER PRIMARY KEY, route TEXT NOT NULL, mode TEXT NOT NULL, remaining INTEGER
) STRICT;
";

/// Says of a database file that it is a simulator's: "gizw".
const APPLICATION: i64 = 0x6769_7a77;
/// Which tables it has.
const VERSION: i64 = 3;

/// What a product's definition is worth.
#[derive(Clone, Debug)]
pub(crate) enum Definition {
    /// There is none.
    None,
    /// There is one that can't be read.
    Malformed,
    /// One that devices speak by.
    Sound(Product),
}

/// The database, and what is always at hand of it.
pub(crate) struct Store {
    pub(crate) connection: Connection,
    pub(crate) seed: u64,
    pub(crate) live_reports: bool,
    pub(crate) group_descendants: bool,
    pub(crate) definitions: BTreeMap<String, Definition>,
}

/// JSON of a column, which this crate put there.
pub(crate) fn from_json<T: DeserializeOwned>(
    column: usize,
    json: &str,
) -> Result<T, rusqlite::Error> {
    serde_json::from_str(json).map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
    })
}

/// A value that is kept beside the tables.
pub(crate) fn meta(connection: &Connection, key: &str) -> Result<Option<i64>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?")?
        .query_row([key], |row| row.get(0))
        .optional()
}

pub(crate) fn set_meta(
    connection: &Connection,
    key: &str,
    value: i64,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")?
        .execute(params![key, value])?;
    Ok(())
}

/// The latest that the world knows of: no clock goes back behind it.
pub(crate) fn latest(connection: &Connection) -> Result<i64, rusqlite::Error> {
    let sql = "SELECT max(coalesce((SELECT max(at) FROM frame), 0),
        coalesce((SELECT max(at) FROM online), 0),
        coalesce((SELECT value FROM meta WHERE key = 'now'), 0))";
    connection.query_row(sql, [], |row| row.get(0))
}

/// The next number of a series.
pub(crate) fn next(connection: &Connection, key: &str) -> Result<i64, rusqlite::Error> {
    connection
        .prepare_cached(
            "INSERT INTO meta (key, value) VALUES (?, 1)
             ON CONFLICT (key) DO UPDATE SET value = value + 1 RETURNING value",
        )?
        .query_row([key], |row| row.get(0))
}

impl Store {
    /// Opens a world, or makes it as of `now`.
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
        connection.busy_timeout(std::time::Duration::from_secs(1))?;
        // Two worlds in one file would not be one: each has a clock of its own. The first write takes
        // the file for as long as this process lives.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        match connection.execute_batch("BEGIN EXCLUSIVE; COMMIT") {
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                return Err(Error::File(
                    "the database is in use by another simulator".to_owned(),
                ));
            }
            locked => locked?,
        }
        connection.set_prepared_statement_cache_capacity(256);
        connection.pragma_update(None, "trusted_schema", false)?;
        let mut store = Store {
            connection,
            seed: 0,
            live_reports: false,
            group_descendants: true,
            definitions: BTreeMap::new(),
        };
        let count = |sql: &str| {
            store
                .connection
                .query_row(sql, [], |row| row.get::<_, i64>(0))
        };
        let tables = count("SELECT count(*) FROM sqlite_schema")?;
        let kind = (
            count("PRAGMA application_id")?,
            count("PRAGMA user_version")?,
        );
        match (tables, kind) {
            (0, _) => {
                let builtin = scenario.is_none().then(Scenario::builtin);
                if let Some(scenario) = scenario.or(builtin.as_ref()) {
                    store.make(scenario, now)?;
                }
            }
            (_, (APPLICATION, VERSION)) => store.check(scenario)?,
            (_, (APPLICATION, _)) => {
                return Err(Error::File(
                    "the database is of another version of the simulator: take another file"
                        .to_owned(),
                ));
            }
            _ => return Err(Error::File("the database is no simulator's".to_owned())),
        }
        // What is committed is in the file's log before a call is answered, so the end of this
        // process loses nothing.
        store
            .connection
            .pragma_update(None, "journal_mode", "WAL")?;
        store
            .connection
            .pragma_update(None, "synchronous", "NORMAL")?;
        let flag = |key| Ok::<_, Error>(meta(&store.connection, key)?.unwrap_or(0));
        store.seed = flag("seed")?.cast_unsigned();
        store.live_reports = flag("live_reports")? != 0;
        store.group_descendants = flag("group_descendants")? != 0;
        store.definitions = definitions(&store.connection)?;
        Ok(store)
    }

    /// A world that is there goes on only with the scenario that it was made from.
    fn check(&self, scenario: Option<&Scenario>) -> Result<(), Error> {
        let Some(scenario) = scenario else {
            return Ok(());
        };
        let mark = random::number(scenario.world.seed, &scenario.text, 0).cast_signed();
        if meta(&self.connection, "scenario")? == Some(mark) {
            return Ok(());
        }
        let message = "the database holds a world of another scenario; take another file, or open \
                       it without a scenario";
        Err(Error::Scenario(message.to_owned()))
    }

    fn make(&mut self, scenario: &Scenario, now: i64) -> Result<(), Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        let world = &scenario.world;
        let begin = now.saturating_sub(world.history.0);
        let mark = random::number(world.seed, &scenario.text, 0).cast_signed();
        for (key, value) in [
            ("scenario", mark),
            ("seed", world.seed.cast_signed()),
            ("live_reports", world.live_reports.into()),
            ("group_descendants", world.group_descendants.into()),
        ] {
            set_meta(&transaction, key, value)?;
        }
        populate(&transaction, scenario, begin)?;
        transaction.commit()?;
        Ok(())
    }
}

/// What keeps a database from being written to, if that is why opening it failed.
fn unwritable(path: &Path, error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode::{CannotOpen, PermissionDenied, ReadOnly, SystemIoFailure};

    let code = error.sqlite_error_code();
    if !code.is_some_and(|code| {
        matches!(
            code,
            CannotOpen | PermissionDenied | ReadOnly | SystemIoFailure
        )
    }) {
        return Error::Database(error);
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let shown = folder.display();
    let missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let file = std::fs::OpenOptions::new().append(true).open(path);
    Error::File(match (std::fs::metadata(folder), file) {
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

fn definitions(connection: &Connection) -> Result<BTreeMap<String, Definition>, Error> {
    let mut statement = connection.prepare("SELECT key, definition FROM product")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?))
    })?;
    let mut all = BTreeMap::new();
    for row in rows {
        let (key, definition) = row?;
        let definition = match definition {
            None => Definition::None,
            Some(json) => match Product::from_json(&json) {
                Ok(product) => Definition::Sound(product),
                Err(_) => Definition::Malformed,
            },
        };
        all.insert(key, definition);
    }
    Ok(all)
}

fn wrong<T>(message: String) -> Result<T, Error> {
    Err(Error::Scenario(message))
}

/// Each of these only once.
fn once<'a>(what: &str, values: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for value in values {
        if value.is_empty() {
            return wrong(format!("{what} is empty"));
        }
        if !seen.insert(value) {
            return wrong(format!("{what} `{value}` is there twice"));
        }
    }
    Ok(())
}

fn populate(connection: &Connection, scenario: &Scenario, begin: i64) -> Result<(), Error> {
    let world = &scenario.world;
    let Some(first) = world.enterprise.first() else {
        return wrong("there is no [[enterprise]]".to_owned());
    };
    once(
        "the id of an enterprise",
        world.enterprise.iter().map(|one| &*one.id),
    )?;
    once(
        "the key of a product",
        world.product.iter().map(|one| &*one.key),
    )?;
    once(
        "the appid of an app",
        world.app.iter().map(|one| &*one.appid),
    )?;
    for enterprise in &world.enterprise {
        for net in &enterprise.allow {
            if crate::route::network(net).is_none() {
                return wrong(format!("`{net}` is neither an address nor a network"));
            }
        }
        connection.execute(
            "INSERT INTO enterprise (id, secret, quota, overseas, allow) VALUES (?, ?, ?, ?, ?)",
            params![
                enterprise.id,
                enterprise.secret,
                enterprise.quota,
                enterprise.overseas,
                enterprise.allow.join(" ")
            ],
        )?;
    }
    for product in &world.product {
        let definition = match scenario.definition(product)? {
            None => None,
            Some(json) => Some(complete(&json, product)?),
        };
        let enterprise = match product.enterprise.as_deref() {
            None => Some(&*first.id),
            Some("") => None,
            Some(id) if world.enterprise.iter().any(|one| one.id == id) => Some(id),
            Some(id) => return wrong(format!("there is no enterprise `{id}`")),
        };
        connection.execute(
            "INSERT INTO product VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                product.key,
                product.secret,
                enterprise,
                product.published,
                product.open_logs,
                product.remote_control,
                definition
            ],
        )?;
    }
    for app in &world.app {
        connection.execute("INSERT INTO app VALUES (?)", [&app.appid])?;
        for key in &app.products {
            if !world.product.iter().any(|product| product.key == *key) {
                return wrong(format!("app {}: there is no product `{key}`", app.appid));
            }
            connection.execute("INSERT INTO app_product VALUES (?, ?)", [&app.appid, key])?;
        }
    }
    let definitions = definitions(connection)?;
    for (spec, number) in world.device.iter().zip(1..) {
        let name = spec.mac.as_ref().or(spec.device_sn.as_ref());
        let named = |error: Error| {
            let name = name.map_or("without a mac", |name| name.as_str());
            Error::Scenario(match error {
                Error::Scenario(error) => format!("device {number} ({name}): {error}"),
                error => format!("device {number} ({name}): {error}"),
            })
        };
        let Some(definition) = definitions.get(&spec.product) else {
            return Err(named(Error::Scenario(format!(
                "there is no product `{}`",
                spec.product
            ))));
        };
        add_device(connection, world.seed, (begin, number), spec, definition).map_err(named)?;
    }
    for (user, number) in world.user.iter().zip(1..) {
        add_user(connection, world, (begin, number), user).map_err(|error| {
            let error = match error {
                Error::Scenario(error) => error,
                error => error.to_string(),
            };
            Error::Scenario(format!("user {number}: {error}"))
        })?;
    }
    Ok(())
}

fn add_user(
    connection: &Connection,
    world: &scenario::World,
    (begin, number): (i64, i64),
    user: &UserSpec,
) -> Result<(), Error> {
    if !world.app.iter().any(|app| app.appid == user.app) {
        return wrong(format!("there is no app `{}`", user.app));
    }
    let uid = match &user.uid {
        Some(uid) => uid.clone(),
        None => random::hex32(world.seed, "uid", number),
    };
    let at = begin.saturating_add(user.after.0);
    let place = &user.place;
    check_place(place)?;
    connection.execute(
        "INSERT INTO user VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            uid,
            user.app,
            user.username,
            user.phone,
            user.email,
            user.name,
            at,
            at,
            place.country,
            place.region,
            place.city,
            user.visits.map(|span| span.0.max(1000))
        ],
    )?;
    device::schedule(connection, at, "visit", 0, Some(&uid))?;
    for mac in &user.binds {
        let found: Vec<(i64, i64)> = connection
            .prepare("SELECT id, created_at FROM device WHERE mac = ?1 OR device_sn = ?1")?
            .query_map([mac], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if found.is_empty() {
            return wrong(format!("there is no device `{mac}`"));
        }
        for (device, made) in found {
            device::schedule(connection, at.max(made), "bind", device, Some(&uid))?;
        }
    }
    Ok(())
}

/// The definition with the key and the name that the scenario gives its product, on one line.
fn complete(json: &str, product: &scenario::ProductSpec) -> Result<String, Error> {
    let mut text = json.to_owned();
    if let Ok(mut value) = serde_json::from_str::<serde_json::Value>(json)
        && let Some(object) = value.as_object_mut()
    {
        object.insert("product_key".to_owned(), product.key.clone().into());
        if let Some(name) = &product.name {
            object.insert("name".to_owned(), name.clone().into());
        }
        text = value.to_string();
    }
    match Product::from_json(&text) {
        Err(error) if !product.unchecked => {
            let message = format!("the definition of product `{}`: {error}", product.key);
            Err(Error::Scenario(message))
        }
        _ => Ok(text),
    }
}

/// A place that a report's tree can show.
fn check_place(place: &Place) -> Result<(), Error> {
    for name in [&place.country, &place.region, &place.city]
        .into_iter()
        .flatten()
    {
        if matches!(name.as_str(), "" | "count" | "detail") {
            return wrong(format!("a place can't be named `{name}`"));
        }
    }
    if (place.region.is_some() && place.country.is_none())
        || (place.city.is_some() && place.region.is_none())
    {
        return wrong("a place needs all levels above it".to_owned());
    }
    Ok(())
}

fn add_device(
    connection: &Connection,
    seed: u64,
    (begin, number): (i64, i64),
    spec: &DeviceSpec,
    definition: &Definition,
) -> Result<(), Error> {
    if spec.mac.is_none() == spec.device_sn.is_none() {
        return wrong("either mac or device_sn is needed".to_owned());
    }
    let place = &spec.place;
    check_place(place)?;
    for (name, span, least) in [
        ("report_every", spec.report_every, 1000),
        ("heartbeat", spec.heartbeat, 1000),
        ("keep_alive", spec.keep_alive, 1000),
        ("reply_after", spec.reply_after, 0),
    ] {
        if span.0 < least {
            return wrong(format!("{name} is at least {least} ms"));
        }
    }
    if spec.heartbeat.0 % 1000 != 0 || spec.keep_alive.0 % 1000 != 0 {
        return wrong("heartbeat and keep_alive are whole seconds".to_owned());
    }
    if spec.heartbeat.0 > spec.keep_alive.0 {
        return wrong("heartbeat is longer than keep_alive".to_owned());
    }
    let status = match definition {
        Definition::Sound(product) => status::initial(product, &spec.initial)?,
        _ => Vec::new(),
    };
    let did = match &spec.did {
        Some(did) => did.clone(),
        None => random::did(seed, &format!("did {number}")),
    };
    let passcode = match &spec.passcode {
        Some(passcode) => passcode.clone(),
        None => random::passcode(seed, &did),
    };
    let at = begin.saturating_add(spec.after.0);
    let version = |at: usize| Some(spec.versions.as_ref()?.get(at)?.as_str());
    connection.execute(
        "INSERT INTO device (id, did, product, mac, device_sn, passcode, type, disabled, created_at,
            country, region, city, longitude, latitude,
            mcu_hard_version, mcu_soft_version, wifi_hard_version, wifi_soft_version,
            status, reply_after, report_every, full_every, heartbeat, keep_alive)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            number,
            did,
            spec.product,
            spec.mac,
            spec.device_sn,
            passcode,
            spec.kind,
            spec.disabled,
            at,
            place.country,
            place.region,
            place.city,
            place.longitude,
            place.latitude,
            version(0),
            version(1),
            version(2),
            version(3),
            status,
            spec.reply_after.0,
            spec.report_every.0,
            spec.full_every,
            spec.heartbeat.0,
            spec.keep_alive.0
        ],
    )?;
    device::schedule(connection, at, "online", number, None)?;
    let add = |every: i64, behaviour: Behaviour| -> Result<(), Error> {
        if every < 1000 {
            return wrong("`every` is at least 1s".to_owned());
        }
        let spec = serde_json::to_string(&behaviour)
            .map_err(|error| Error::Scenario(error.to_string()))?;
        connection.execute(
            "INSERT INTO behaviour (device, every, spec) VALUES (?, ?, ?)",
            params![number, every, spec],
        )?;
        let id = connection.last_insert_rowid();
        // Not all at once: the first time is somewhere in the first span.
        let share = random::number(seed, &did, id.wrapping_neg()) % 1000;
        let first = every.saturating_mul(1 + share.cast_signed()) / 1000;
        device::schedule(connection, at.saturating_add(first), "behaviour", id, None)?;
        Ok(())
    };
    for offline in &spec.offline {
        let reason = offline.reason.to_ascii_lowercase();
        if !OFFLINE_REASONS.contains(&&*reason) {
            return wrong(format!(
                "`{reason}` is no reason to go offline; those are {}",
                OFFLINE_REASONS.join(", ")
            ));
        }
        let lasts = offline.lasts.0.max(1);
        add(offline.every.0, Behaviour::Offline { reason, lasts })?;
    }
    let Definition::Sound(product) = definition else {
        if spec.walk.is_empty()
            && spec.countdown.is_empty()
            && spec.change.is_empty()
            && spec.trouble.is_empty()
            && spec.initial.is_empty()
        {
            return Ok(());
        }
        return wrong("its product has no definition to behave by".to_owned());
    };
    for walk in &spec.walk {
        add(walk.every.0, behaviour::walk(product, walk)?)?;
    }
    for countdown in &spec.countdown {
        add(countdown.every.0, behaviour::countdown(product, countdown)?)?;
    }
    for change in &spec.change {
        let set = behaviour::values(product, &change.set, change.unchecked)?;
        add(change.every.0, Behaviour::Change { set })?;
    }
    for trouble in &spec.trouble {
        add(trouble.every.0, behaviour::trouble(product, trouble)?)?;
    }
    Ok(())
}
