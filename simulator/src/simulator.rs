//! The simulator: a world in a database, a clock, and one door to both.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Transaction, TransactionBehavior};
use serde::Serialize;
use tokio::sync::watch;

use crate::api::{Answer, Mode, ModeSet, Request};
use crate::error::{Error, invalid};
use crate::route::{self, ROUTES};
use crate::world::{Act, Clock, Remark, Scenario, Store, Switch, Time, day, json};

const LONGEST_STEP: i64 = 366 * day::DAY;

/// The Enterprise API over a world of devices. Cheap to clone; all clones are the same world.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    clock: Clock,
    store: Mutex<Store>,
    /// Notified after whatever may have changed the world.
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
            clock.step(store.meta("offset")?.unwrap_or(0));
        }
        // A world that was ahead of the clock stays where it is.
        let before = store.latest()?;
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

/// The credentials and devices of a product, for its clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Credentials {
    /// The enterprise's id.
    pub enterprise_id: String,
    /// The enterprise's secret.
    pub enterprise_secret: String,
    /// The product's key.
    pub product_key: String,
    /// The product's secret.
    pub product_secret: String,
    /// The name in its definition; empty without one.
    pub product_name: String,
    /// The dids of the product's devices, in the scenario's order.
    pub dids: Vec<String>,
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
        let store = self.lock();
        let before = store.connection.total_changes();
        let answer = route::answer(&store, request, self.0.clock.now());
        self.notify(&store, before);
        answer
    }

    /// Notifies those who watch if anything was written since.
    fn notify(&self, store: &Store, before: u64) {
        if store.connection.total_changes() != before {
            self.0.changed.send_replace(());
        }
    }

    /// A channel that is notified whenever the world may have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    /// Reads from the world as it was when somebody last did something in it.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Store) -> T) -> T {
        read(&self.lock())
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
            return invalid("time does not go back");
        }
        if millis > LONGEST_STEP {
            // All that happens meanwhile takes its time.
            return invalid("a step is a year at most");
        }
        self.0.clock.step(millis);
        self.within(|store, now| {
            store.set_meta("now", now)?;
            if self.is_real() {
                store.set_meta("offset", self.0.clock.offset())?;
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
    fn within<T>(&self, act: impl FnOnce(&Store, i64) -> Result<T, Error>) -> Result<T, Error> {
        let store = self.lock();
        let before = store.connection.total_changes();
        let transaction =
            Transaction::new_unchecked(&store.connection, TransactionBehavior::Immediate)?;
        // One time for all of it, so that what is recorded stays in order.
        let now = self.0.clock.now();
        store.advance(now)?;
        let done = act(&store, now)?;
        transaction.commit()?;
        self.notify(&store, before);
        Ok(done)
    }

    /// Tells a device what to do.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such device, or it can't; [`Error::Database`].
    pub fn act(&self, did: &str, act: &Act) -> Result<(), Error> {
        self.within(|store, now| store.act(did, now, act))
    }

    /// The remarks of a device on values and frames that it could not take: those of the last seven days,
    /// at most 1,000, the newest first.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such device; [`Error::Database`].
    pub fn remarks(&self, did: &str) -> Result<Vec<Remark>, Error> {
        self.within(|store, _| Ok(store.remarks(store.device_id(did)?, 1000)?))
    }

    /// Turns a switch of a product or an enterprise.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such product or enterprise; [`Error::Database`].
    pub fn switch(&self, switch: &Switch) -> Result<(), Error> {
        self.within(|store, _| store.switch(switch))
    }

    /// Sets a mode of a route, or of all with `*`: for the next `count` calls, or until it is taken
    /// away. Returns its id.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a route or code that there isn't; [`Error::Database`].
    pub fn set_mode(&self, route: &str, mode: &Mode, count: Option<u32>) -> Result<i64, Error> {
        if route != "*" && !ROUTES.iter().any(|one| one.name == route) {
            return invalid("there is no such route");
        }
        self.within(|store, _| store.set_mode(route, mode, count))
    }

    /// The modes that are set.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn modes(&self) -> Result<Vec<ModeSet>, Error> {
        self.within(|store, _| Ok(store.modes(None)?))
    }

    /// Takes a mode away, or all of them.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is none with this id; [`Error::Database`].
    pub fn clear_modes(&self, id: Option<i64>) -> Result<(), Error> {
        self.within(|store, _| match (store.clear_modes(id)?, id) {
            (0, Some(_)) => invalid("there is no such mode"),
            _ => Ok(()),
        })
    }

    /// The credentials of each product that belongs to an enterprise.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn credentials(&self) -> Result<Vec<Credentials>, Error> {
        self.within(|store, _| {
            let all = store.rows(
                "SELECT enterprise.id, enterprise.secret, product.key, product.secret,
                    (SELECT json_group_array(did ORDER BY id) FROM device WHERE product = product.key)
                 FROM product JOIN enterprise ON enterprise.id = product.enterprise
                 ORDER BY (SELECT min(id) FROM device WHERE product = product.key), product.key",
                [],
                |row| {
                    let product_key: String = row.get(2)?;
                    let product = store.product(&product_key);
                    Ok(Credentials {
                        enterprise_id: row.get(0)?,
                        enterprise_secret: row.get(1)?,
                        product_name: product.map_or("", |product| product.name()).to_owned(),
                        product_key,
                        product_secret: row.get(3)?,
                        dids: json(row, 4)?,
                    })
                },
            );
            Ok(all?)
        })
    }

    /// Whether a database file is sound, by SQLite's own check.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn is_sound(&self) -> Result<bool, Error> {
        let result: Option<String> = self.lock().find("PRAGMA integrity_check", [])?;
        Ok(result.as_deref() == Some("ok"))
    }
}
