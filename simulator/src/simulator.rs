//! The simulator: a world in a database, a clock, and one door to both.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{OptionalExtension as _, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock::{Clock, Time};
use crate::device::{Act, World};
use crate::error::{CODES, Error};
use crate::http::{Answer, Request};
use crate::mode::Mode;
use crate::remark::{self, Remark};
use crate::route::ROUTES;
use crate::scenario::Scenario;
use crate::store::{self, Store};

const LONGEST_STEP: i64 = 366 * crate::period::DAY;

/// The Enterprise API over a world of devices. Cheap to clone; all clones are the same world.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    clock: Clock,
    store: Mutex<Store>,
    /// Sent to after what may have changed the world.
    changed: watch::Sender<()>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator")
            .field("clock", &self.0.clock)
            .finish_non_exhaustive()
    }
}

/// How a simulator is made.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    file: Option<PathBuf>,
    scenario: Option<Scenario>,
    time: Option<Time>,
}

impl Builder {
    /// Keeps the world in this file, and goes on with the one in it. In memory otherwise.
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        self.file = Some(path.as_ref().to_owned());
        self
    }

    /// How the world begins. Without one as [`Scenario::builtin`] says.
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenario = Some(scenario);
        self
    }

    /// How time passes; as on this machine unless said.
    pub fn time(mut self, time: Time) -> Self {
        self.time = Some(time);
        self
    }

    /// Opens or makes the world and lets happen what is due.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Scenario`].
    pub fn build(self) -> Result<Simulator, Error> {
        let clock = Clock::new(self.time.unwrap_or(Time::Real));
        let store = Store::open(self.file.as_deref(), self.scenario.as_ref(), clock.now())?;
        if clock.is_real() {
            clock.step(store::meta(&store.connection, "offset")?.unwrap_or(0));
        }
        // A world that was ahead of the clock stays where it is.
        let before = store::latest(&store.connection)?;
        if before > clock.now() {
            clock.step(before.saturating_sub(clock.now()));
        }
        let simulator = Simulator(Arc::new(Inner {
            clock,
            store: Mutex::new(store),
            changed: watch::Sender::new(()),
        }));
        simulator.tick()?;
        Ok(simulator)
    }
}

/// What a client of a product is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Credentials {
    /// The enterprise's id.
    pub enterprise_id: String,
    /// Its secret.
    pub enterprise_secret: String,
    /// The product's key.
    pub product_key: String,
    /// Its secret.
    pub product_secret: String,
    /// The name in its definition; empty without one.
    pub product_name: String,
    /// Its devices, in the scenario's order.
    pub dids: Vec<String>,
}

/// A mode that is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModeSet {
    /// By which it is taken away.
    pub id: i64,
    /// The route's name, or `*`.
    pub route: String,
    /// What it does.
    #[serde(flatten)]
    pub mode: Mode,
    /// For how many calls still; none: for all.
    pub count: Option<i64>,
}

/// What the vendor, or the console, could change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "switch", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Switch {
    /// Whether a product is published: its logs are closed then.
    Published {
        /// The product's key.
        product_key: String,
        /// Whether it is.
        on: bool,
    },
    /// Whether the logs of a product are open though it is published.
    OpenLogs {
        /// The product's key.
        product_key: String,
        /// Whether they are.
        on: bool,
    },
    /// Whether a product may be controlled from afar.
    RemoteControl {
        /// The product's key.
        product_key: String,
        /// Whether it may.
        on: bool,
    },
    /// Whose a product is.
    Association {
        /// The product's key.
        product_key: String,
        /// The enterprise's id; none: nobody's.
        enterprise_id: Option<String>,
    },
    /// How many calls an hour an enterprise has.
    Quota {
        /// The enterprise's id.
        enterprise_id: String,
        /// How many.
        calls: i64,
    },
    /// Whether an enterprise is outside China.
    Overseas {
        /// The enterprise's id.
        enterprise_id: String,
        /// Whether it is.
        on: bool,
    },
    /// The addresses that an enterprise may call from.
    Allow {
        /// The enterprise's id.
        enterprise_id: String,
        /// Addresses, or networks as `10.0.0.0/8`; none: all.
        networks: Vec<String>,
    },
}

impl Simulator {
    /// Begins a simulator.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        // A panic elsewhere rolled its transaction back: the world is whole.
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a call. What it changed is in the database before this returns.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Answer {
        let mut store = self.lock();
        let before = store.connection.total_changes();
        let answer = store.answer(request, self.0.clock.now());
        self.tell(&store, before);
        answer
    }

    /// Tells those who watch, if anything was written since.
    fn tell(&self, store: &Store, before: u64) {
        if store.connection.total_changes() != before {
            self.0.changed.send_replace(());
        }
    }

    /// Hears of whatever may have changed the world.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    /// Reads from the world as it was when somebody last did something in it.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Store) -> T) -> T {
        look(&self.lock())
    }

    /// The simulator's time in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.0.clock.now()
    }

    /// Whether its time passes by itself.
    #[must_use]
    pub fn is_real(&self) -> bool {
        self.0.clock.is_real()
    }

    /// Lets time pass, and everything happen that is due by then. Returns the new time.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a step back, or by more than a year; [`Error::Database`].
    pub fn step(&self, millis: i64) -> Result<i64, Error> {
        if millis < 0 {
            return Err(Error::Invalid("time does not go back".to_owned()));
        }
        if millis > LONGEST_STEP {
            // All that happens meanwhile takes its time.
            return Err(Error::Invalid("a step is a year at most".to_owned()));
        }
        self.0.clock.step(millis);
        self.within(|world, now| {
            store::set_meta(world.connection, "now", now)?;
            if self.is_real() {
                store::set_meta(world.connection, "offset", self.0.clock.offset())?;
            }
            Ok(())
        })?;
        Ok(self.now())
    }

    /// Steps to this time in milliseconds since 1970.
    ///
    /// # Errors
    /// As for [`step`](Self::step).
    pub fn set_time(&self, millis: i64) -> Result<i64, Error> {
        self.step(millis.saturating_sub(self.now()))
    }

    /// Lets everything happen that is due. Calls do so by themselves.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn tick(&self) -> Result<(), Error> {
        self.within(|_, _| Ok(()))
    }

    /// Does something in one transaction, in a world that is up to date.
    fn within<T>(&self, act: impl FnOnce(&World<'_>, i64) -> Result<T, Error>) -> Result<T, Error> {
        let mut store = self.lock();
        let before = store.connection.total_changes();
        let Store {
            connection,
            seed,
            definitions,
            ..
        } = &mut *store;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let world = World {
            connection: &transaction,
            seed: *seed,
            definitions,
        };
        // One time for all of it, so that what is recorded stays in order.
        let now = self.0.clock.now();
        world.advance(now)?;
        let done = act(&world, now)?;
        transaction.commit()?;
        self.tell(&store, before);
        Ok(done)
    }

    /// Tells a device what to do.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such device, or it can't; [`Error::Database`].
    pub fn act(&self, did: &str, act: &Act) -> Result<(), Error> {
        self.within(|world, now| world.act(did, now, act))
    }

    /// What a device said of values and frames that it could not take, in the last seven days: at most
    /// 1,000 remarks, the newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such device; [`Error::Database`].
    pub fn remarks(&self, did: &str) -> Result<Vec<Remark>, Error> {
        self.within(|world, _| {
            let id = world.find(did)?;
            Ok(remark::last(world.connection, id, 1000)?)
        })
    }

    /// Turns a switch of a product or an enterprise.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such product or enterprise; [`Error::Database`].
    pub fn switch(&self, switch: &Switch) -> Result<(), Error> {
        self.within(|world, _| {
            let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
                Ok::<_, Error>(world.connection.prepare_cached(sql)?.execute(values)?)
            };
            let changed = match switch {
                Switch::Published { product_key, on } => run(
                    "UPDATE product SET published = ? WHERE key = ?",
                    &[on, product_key],
                )?,
                Switch::OpenLogs { product_key, on } => run(
                    "UPDATE product SET open_logs = ? WHERE key = ?",
                    &[on, product_key],
                )?,
                Switch::RemoteControl { product_key, on } => run(
                    "UPDATE product SET remote_control = ? WHERE key = ?",
                    &[on, product_key],
                )?,
                Switch::Association {
                    product_key,
                    enterprise_id,
                } => run(
                    "UPDATE product SET enterprise = ?1 WHERE key = ?2 AND (?1 IS NULL
                        OR EXISTS (SELECT 1 FROM enterprise WHERE id = ?1))",
                    &[enterprise_id, product_key],
                )?,
                Switch::Quota { calls, .. } if *calls < 0 => {
                    let message = format!("a quota of {calls} calls: 0 or more are expected");
                    return Err(Error::Invalid(message));
                }
                Switch::Quota {
                    enterprise_id,
                    calls,
                } => run(
                    "UPDATE enterprise SET quota = ? WHERE id = ?",
                    &[calls, enterprise_id],
                )?,
                Switch::Overseas { enterprise_id, on } => run(
                    "UPDATE enterprise SET overseas = ? WHERE id = ?",
                    &[on, enterprise_id],
                )?,
                Switch::Allow {
                    enterprise_id,
                    networks,
                } => {
                    let sound = |net: &String| crate::route::network(net).is_some();
                    if !networks.iter().all(sound) {
                        let message = "an address or a network as 10.0.0.0/8 is expected";
                        return Err(Error::Invalid(message.to_owned()));
                    }
                    run(
                        "UPDATE enterprise SET allow = ? WHERE id = ?",
                        &[&networks.join(" "), enterprise_id],
                    )?
                }
            };
            match changed {
                0 => Err(Error::Invalid("there is no such one".to_owned())),
                _ => Ok(()),
            }
        })
    }

    /// Sets a mode of a route, or of all with `*`: for the next `count` calls, or until it is taken
    /// away. Returns its id.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a route or code that there isn't; [`Error::Database`].
    pub fn set_mode(&self, route: &str, mode: &Mode, count: Option<u32>) -> Result<i64, Error> {
        if route != "*" && !ROUTES.iter().any(|one| one.name == route) {
            return Err(Error::Invalid("there is no such route".to_owned()));
        }
        if let Mode::Error { code } = mode
            && !CODES.iter().any(|(one, ..)| one == code)
        {
            return Err(Error::Invalid(
                "the code is none that is documented".to_owned(),
            ));
        }
        if count == Some(0) {
            return Err(Error::Invalid("count is at least 1".to_owned()));
        }
        let json =
            serde_json::to_string(mode).map_err(|error| Error::Invalid(error.to_string()))?;
        self.within(|world, _| {
            world
                .connection
                .prepare_cached("INSERT INTO mode (route, mode, remaining) VALUES (?, ?, ?)")?
                .execute(params![route, json, count])?;
            Ok(world.connection.last_insert_rowid())
        })
    }

    /// The modes that are set.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn modes(&self) -> Result<Vec<ModeSet>, Error> {
        self.within(|world, _| {
            let rows: Vec<(i64, String, String, Option<i64>)> = world
                .connection
                .prepare_cached("SELECT id, route, mode, remaining FROM mode ORDER BY id")?
                .query_map([], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })?
                .collect::<Result<_, _>>()?;
            let sets = rows.into_iter().map(|(id, route, mode, count)| {
                Ok(ModeSet {
                    id,
                    route,
                    mode: store::from_json(2, &mode)?,
                    count,
                })
            });
            sets.collect()
        })
    }

    /// Takes a mode away, or all of them.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is none with this id; [`Error::Database`].
    pub fn clear_modes(&self, id: Option<i64>) -> Result<(), Error> {
        self.within(|world, _| {
            let gone = world
                .connection
                .prepare_cached("DELETE FROM mode WHERE ?1 IS NULL OR id = ?1")?
                .execute([id])?;
            match (gone, id) {
                (0, Some(_)) => Err(Error::Invalid("there is no such mode".to_owned())),
                _ => Ok(()),
            }
        })
    }

    /// What clients are to be told: one for each product that is somebody's.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn credentials(&self) -> Result<Vec<Credentials>, Error> {
        self.within(|world, _| {
            let mut all: Vec<Credentials> = world
                .connection
                .prepare_cached(
                    "SELECT enterprise.id, enterprise.secret, product.key, product.secret
                     FROM product JOIN enterprise ON enterprise.id = product.enterprise
                     ORDER BY (SELECT min(id) FROM device WHERE product = product.key), product.key",
                )?
                .query_map([], |row| {
                    Ok(Credentials {
                        enterprise_id: row.get(0)?,
                        enterprise_secret: row.get(1)?,
                        product_key: row.get(2)?,
                        product_secret: row.get(3)?,
                        product_name: String::new(),
                        dids: Vec::new(),
                    })
                })?
                .collect::<Result<_, _>>()?;
            for one in &mut all {
                if let Some(store::Definition::Sound(product)) =
                    world.definitions.get(&one.product_key)
                {
                    one.product_name = product.name().to_owned();
                }
                one.dids = world
                    .connection
                    .prepare_cached("SELECT did FROM device WHERE product = ? ORDER BY id")?
                    .query_map([&one.product_key], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
            }
            Ok(all)
        })
    }

    /// Whether a database file is sound, by SQLite's own check.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn is_sound(&self) -> Result<bool, Error> {
        let store = self.lock();
        let result: Option<String> = store
            .connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .optional()?;
        Ok(result.as_deref() == Some("ok"))
    }
}
