//! The simulator: a world in a database, a clock, and the lock around both.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Transaction, TransactionBehavior};
use serde::Serialize;
use tokio::sync::watch;

use crate::api::{Answer, Mode, ModeSet, Request};
use crate::error::{Error, invalid};
use crate::route::{self, ROUTES};
use crate::world::{Act, Clock, Remark, Scenario, Store, Switch, Time, day, json};

/// The maximum of one step in milliseconds. The caller waits while all events of the step are computed.
const LONGEST_STEP: i64 = 366 * day::DAY;

/// A simulated Enterprise API and the world of devices behind it.
///
/// A simulator is cheap to clone. All clones share one world and may be used by several threads. Calls go to
/// [`answer`](Self::answer), or over HTTP to a [`Server`](crate::Server).
///
/// # Examples
/// ```
/// use gizwits_simulator::{Act, Request, Simulator, Time};
///
/// let simulator = Simulator::builder()
///     .time(Time::Manual { start: 1_514_692_800_000 })
///     .build()?;
/// let product = simulator.credentials()?.swap_remove(0);
/// let did = &product.dids[0];
///
/// simulator.act(did, &Act::Offline("no_heartbeat".to_owned()))?;
/// simulator.act(did, &Act::Online)?;
/// assert_eq!(simulator.step(60_000)?, 1_514_692_860_000);
///
/// let search = Request::new("GET", "/v1/users/search?product_key=x");
/// let answer = simulator.answer(&search.header("X-Gizwits-Enterprise-ID", "nobody"));
/// assert_eq!(answer.status, 404);
/// # Ok::<(), gizwits_simulator::Error>(())
/// ```
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    clock: Clock,
    store: Mutex<Store>,
    /// Notified after every change of the world.
    changed: watch::Sender<()>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator")
            .field("clock", &self.0.clock)
            .finish_non_exhaustive()
    }
}

/// The options of a new simulator, from [`Simulator::builder`].
///
/// # Examples
/// ```
/// use gizwits_simulator::{Scenario, Simulator, Time};
///
/// let simulator = Simulator::builder()
///     .scenario(Scenario::builtin())
///     .time(Time::Manual { start: 1_514_692_800_000 })
///     .build()?;
/// assert_eq!(simulator.now(), 1_514_692_800_000);
/// # Ok::<(), gizwits_simulator::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    file: Option<PathBuf>,
    scenario: Option<Scenario>,
    time: Option<Time>,
}

impl Builder {
    /// Sets the database file. If the file already has a world, the simulator continues that world. Default: a
    /// world in memory.
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        self.file = Some(path.as_ref().to_owned());
        self
    }

    /// Sets the scenario of the world. A world in a file must have been made from the same scenario. Default:
    /// [`Scenario::builtin`] for a new world, and any scenario for a world in a file.
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenario = Some(scenario);
        self
    }

    /// Sets how time passes. Default: [`Time::Real`].
    pub fn time(mut self, time: Time) -> Self {
        self.time = Some(time);
        self
    }

    /// Opens or creates the world, and carries out all events that are due.
    ///
    /// # Errors
    /// - [`Error::Scenario`] if the scenario, or a file that it names, is invalid.
    /// - [`Error::File`] if the file is in use, is not a database of a simulator, or has the world of another
    ///   scenario.
    /// - [`Error::Database`] or [`Error::Io`] if the file can't be read or written.
    pub fn build(self) -> Result<Simulator, Error> {
        let clock = Clock::new(self.time.unwrap_or(Time::Real));
        let store = Store::open(self.file.as_deref(), self.scenario.as_ref(), clock.now())?;
        if clock.is_real() {
            clock.step(store.meta("offset")?.unwrap_or(0));
        }
        // Time must not go back for a world that was stepped ahead of this machine's clock.
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

/// The credentials that a client needs for a product, and the product's devices.
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
    /// The name of the product in its definition. Empty if the product has no definition or no name.
    pub product_name: String,
    /// The dids of the product's devices, in the scenario's order.
    pub dids: Vec<String>,
}

impl Simulator {
    /// Returns a builder with the default options.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        // A panic while the lock was held has rolled its transaction back, so the world is consistent.
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a call of the API. All changes are committed to the database before this returns.
    ///
    /// A call never fails: errors are answers. The caller has to respect [`Answer::delay`] and
    /// [`Answer::dropped`], as a [`Server`](crate::Server) does.
    ///
    /// # Examples
    /// ```
    /// use gizwits_simulator::{Request, Simulator};
    ///
    /// let simulator = Simulator::builder().build()?;
    /// let answer = simulator.answer(&Request::new("GET", "/v1/nothing"));
    /// assert_eq!(answer.status, 404);
    /// # Ok::<(), gizwits_simulator::Error>(())
    /// ```
    #[must_use]
    pub fn answer(&self, request: &Request) -> Answer {
        let store = self.lock();
        let before = store.connection.total_changes();
        let answer = route::answer(&store, request, self.0.clock.now());
        self.notify(&store, before);
        answer
    }

    /// Notifies the watchers if the number of changes is no longer `before`.
    fn notify(&self, store: &Store, before: u64) {
        if store.connection.total_changes() != before {
            self.0.changed.send_replace(());
        }
    }

    /// Returns a channel that is notified after every change of the world.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    /// Reads from the world without advancing it to the current time.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Store) -> T) -> T {
        read(&self.lock())
    }

    /// Returns the simulator's time in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.0.clock.now()
    }

    /// Whether time passes by itself, as [`Time::Real`] does.
    #[must_use]
    pub fn is_real(&self) -> bool {
        self.0.clock.is_real()
    }

    /// Moves the clock forward by a number of milliseconds, carries out all events that become due, and returns
    /// the new time. Works with either kind of clock.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `millis` is negative or more than 366 days; [`Error::Database`].
    ///
    /// # Examples
    /// ```
    /// use gizwits_simulator::{Simulator, Time};
    ///
    /// let simulator = Simulator::builder().time(Time::Manual { start: 0 }).build()?;
    /// assert_eq!(simulator.step(5000)?, 5000);
    /// assert!(simulator.step(-1).is_err());
    /// # Ok::<(), gizwits_simulator::Error>(())
    /// ```
    pub fn step(&self, millis: i64) -> Result<i64, Error> {
        if millis < 0 {
            return invalid("time can't go back: the step must not be negative");
        }
        if millis > LONGEST_STEP {
            return invalid("a step is at most 366 days");
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

    /// Moves the clock forward to a time in milliseconds since 1970, and returns that time.
    ///
    /// # Errors
    /// The errors of [`step`](Self::step), which also carries out the events.
    pub fn set_time(&self, millis: i64) -> Result<i64, Error> {
        self.step(millis.saturating_sub(self.now()))
    }

    /// Carries out all events that are due. Calls, and the methods that change the world, do this by themselves.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn tick(&self) -> Result<(), Error> {
        self.within(|_, _| Ok(()))
    }

    /// Advances the world to the current time and does something in the same transaction.
    fn within<T>(&self, act: impl FnOnce(&Store, i64) -> Result<T, Error>) -> Result<T, Error> {
        let store = self.lock();
        let before = store.connection.total_changes();
        let transaction =
            Transaction::new_unchecked(&store.connection, TransactionBehavior::Immediate)?;
        // The clock is read once: all records of the transaction have the same time, so logs stay in order.
        let now = self.0.clock.now();
        store.advance(now)?;
        let done = act(&store, now)?;
        transaction.commit()?;
        self.notify(&store, before);
        Ok(done)
    }

    /// Makes a device do something that no call of the API does, such as going offline or changing a sensor's
    /// value.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no device with this did, or if the act is impossible for the device;
    /// [`Error::Database`].
    ///
    /// # Examples
    /// ```
    /// use gizwits_simulator::{Act, Simulator};
    ///
    /// let simulator = Simulator::builder().build()?;
    /// let did = simulator.credentials()?.swap_remove(0).dids.swap_remove(0);
    /// simulator.act(&did, &Act::Set(r#"{"room_temp":21}"#.to_owned()))?;
    /// # Ok::<(), gizwits_simulator::Error>(())
    /// ```
    pub fn act(&self, did: &str, act: &Act) -> Result<(), Error> {
        self.within(|store, now| store.act(did, now, act))
    }

    /// Returns the remarks of a device on values and frames that its definition does not allow, newest first. At
    /// most 1,000 remarks of the last seven days are returned.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no device with this did; [`Error::Database`].
    ///
    /// # Examples
    /// ```
    /// use gizwits_simulator::{Act, RemarkKind, Simulator};
    ///
    /// let simulator = Simulator::builder().build()?;
    /// let did = simulator.credentials()?.swap_remove(0).dids.swap_remove(0);
    /// // A broken sensor: 80 °C is above the maximum of the point, so the device reports the maximum.
    /// simulator.act(&did, &Act::SetUnchecked(r#"{"room_temp":80}"#.to_owned()))?;
    /// assert_eq!(simulator.remarks(&did)?[0].kind, RemarkKind::Saturated);
    /// # Ok::<(), gizwits_simulator::Error>(())
    /// ```
    pub fn remarks(&self, did: &str) -> Result<Vec<Remark>, Error> {
        self.within(|store, _| Ok(store.remarks(store.device_id(did)?, 1000)?))
    }

    /// Changes a setting of a product or an enterprise.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the product or enterprise does not exist; [`Error::Database`].
    ///
    /// # Examples
    /// ```
    /// use gizwits_simulator::{Simulator, Switch};
    ///
    /// let simulator = Simulator::builder().build()?;
    /// let product = simulator.credentials()?.swap_remove(0);
    /// // From now on, calls are refused with 5013.
    /// simulator.switch(&Switch::Quota {
    ///     enterprise_id: product.enterprise_id,
    ///     calls: 0,
    /// })?;
    /// # Ok::<(), gizwits_simulator::Error>(())
    /// ```
    pub fn switch(&self, switch: &Switch) -> Result<(), Error> {
        self.within(|store, _| store.switch(switch))
    }

    /// Sets a mode and returns its id. `route` is the [`name`](crate::Route::name) of a route, or `*` for all
    /// routes. The mode applies to the next `count` calls, or until it is cleared if `count` is `None`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the route does not exist, if `count` is 0, or if the code of [`Mode::Error`] is not
    /// documented; [`Error::Database`].
    ///
    /// # Examples
    /// ```
    /// use gizwits_simulator::{Mode, Request, Simulator};
    ///
    /// let simulator = Simulator::builder().build()?;
    /// simulator.set_mode("*", &Mode::Html502, Some(1))?;
    /// let search = Request::new("GET", "/v1/users/search");
    /// assert_eq!(simulator.answer(&search).status, 502);
    /// assert_ne!(simulator.answer(&search).status, 502);
    /// # Ok::<(), gizwits_simulator::Error>(())
    /// ```
    pub fn set_mode(&self, route: &str, mode: &Mode, count: Option<u32>) -> Result<i64, Error> {
        if route != "*" && !ROUTES.iter().any(|one| one.name == route) {
            return invalid(format!("there is no route `{route}`"));
        }
        self.within(|store, _| store.set_mode(route, mode, count))
    }

    /// Returns all modes that are set, in the order in which they were set.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn modes(&self) -> Result<Vec<ModeSet>, Error> {
        self.within(|store, _| Ok(store.modes(None)?))
    }

    /// Clears the mode with this id, or all modes if `id` is `None`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if no mode has this id; [`Error::Database`].
    ///
    /// # Examples
    /// ```
    /// use gizwits_simulator::{Mode, Simulator};
    ///
    /// let simulator = Simulator::builder().build()?;
    /// let id = simulator.set_mode("*", &Mode::EmptyBody, None)?;
    /// simulator.clear_modes(Some(id))?;
    /// assert!(simulator.modes()?.is_empty());
    /// # Ok::<(), gizwits_simulator::Error>(())
    /// ```
    pub fn clear_modes(&self, id: Option<i64>) -> Result<(), Error> {
        self.within(|store, _| match (store.clear_modes(id)?, id) {
            (0, Some(id)) => invalid(format!("there is no mode `{id}`")),
            _ => Ok(()),
        })
    }

    /// Returns the credentials and devices of every product that belongs to an enterprise, in the order of their
    /// first devices.
    ///
    /// # Errors
    /// [`Error::Database`].
    ///
    /// # Examples
    /// ```
    /// use gizwits_simulator::Simulator;
    ///
    /// let simulator = Simulator::builder().build()?;
    /// for product in simulator.credentials()? {
    ///     println!("{} has {} devices", product.product_name, product.dids.len());
    /// }
    /// # Ok::<(), gizwits_simulator::Error>(())
    /// ```
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

    /// Whether the database passes SQLite's `integrity_check`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn is_sound(&self) -> Result<bool, Error> {
        let result: Option<String> = self.lock().find("PRAGMA integrity_check", [])?;
        Ok(result.as_deref() == Some("ok"))
    }
}
