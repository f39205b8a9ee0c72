//! The simulator: a world in a database, a clock, and the lock around both.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use crate::api::{Mode, ModeSet, Request, Response};
use crate::error::{Error, invalid};
use crate::route::{self, ROUTES};
use crate::world::{
    Act, Clock, LocalDevice, LocalNews, Remark, Scenario, Store, Switch, Time, day, json,
};

/// The maximum of one step in milliseconds. The caller waits until all events of the step are carried out.
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
    /// Held while waiting for the store, so that callers get the store in turn. Without the turn, a loop of slices
    /// would get the store again before a waiting caller wakes up.
    turn: Mutex<()>,
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
        let mut store = Store::open(self.file.as_deref(), self.scenario.as_ref(), clock.target())?;
        store.runs = clock.is_real();
        if clock.is_real() {
            clock.shift(store.meta("offset")?.unwrap_or(0));
        }
        // Time must not go back for a world that was stepped ahead of this machine's clock.
        let before = store.latest()?;
        if before > clock.target() {
            clock.shift(before.saturating_sub(clock.target()));
        }
        let simulator = Simulator(Arc::new(Inner {
            clock,
            turn: Mutex::default(),
            store: Mutex::new(store),
            changed: watch::Sender::new(()),
        }));
        simulator.tick()?;
        Ok(simulator)
    }
}

/// The credentials that a client needs for a product, and the product's devices. `Debug` doesn't show the secrets.
#[derive(Clone, PartialEq, Eq, Serialize)]
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

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("enterprise_id", &self.enterprise_id)
            .field("product_key", &self.product_key)
            .field("product_name", &self.product_name)
            .field("dids", &self.dids)
            .finish_non_exhaustive()
    }
}

impl Simulator {
    /// Returns a builder with the default options.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // A panic while the lock was held has rolled its transaction back, so the world is consistent.
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a call of the API. All changes are committed to the database before this returns.
    ///
    /// A call never fails: errors are answers. The caller has to respect [`Response::delay`] and
    /// [`Response::dropped`], as a [`Server`](crate::Server) does.
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
    pub fn answer(&self, request: &Request) -> Response {
        let store = self.lock();
        let before = store.connection.total_changes();
        let answer = route::answer(&store, request, &self.0.clock);
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

    /// Returns the simulator's time in milliseconds since 1970. While a [step](Self::step) is under way, this is the time
    /// that the step has reached.
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
    /// The events are carried out in slices of about 500. Calls of other threads are answered between two slices, at
    /// the time that the step has reached. Each slice is committed, so a killed process continues with the rest of the
    /// step when it opens the file again.
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
        self.move_clock(|_| millis)
    }

    /// Moves the clock forward to a time in milliseconds since 1970, and returns that time.
    ///
    /// # Errors
    /// The errors of [`step`](Self::step), which also carries out the events.
    pub fn set_time(&self, millis: i64) -> Result<i64, Error> {
        self.move_clock(|target| millis.saturating_sub(target))
    }

    /// Moves the clock forward by a number of milliseconds, which may depend on the time that the world follows.
    fn move_clock(&self, by: impl FnOnce(i64) -> i64) -> Result<i64, Error> {
        let clock = &self.0.clock;
        let goal = {
            let store = self.lock();
            let before = store.connection.total_changes();
            // Events that were due before the step are no part of its slices.
            clock.advance(&store)?.commit()?;
            self.notify(&store, before);
            let millis = by(clock.target());
            if millis < 0 {
                return invalid("time can't go back: the step must not be negative");
            }
            if millis > LONGEST_STEP {
                return invalid("a step is at most 366 days");
            }
            clock.step(millis);
            clock.target()
        };
        self.within(|store, _| {
            store.set_meta("now", clock.target())?;
            if self.is_real() {
                store.set_meta("offset", clock.offset())?;
            }
            Ok(())
        })?;
        self.catch_up(goal)?;
        Ok(self.now())
    }

    /// Carries out slices of events until the world has reached a time.
    fn catch_up(&self, goal: i64) -> Result<(), Error> {
        while self.now() < goal {
            self.within(|_, _| Ok(()))?;
        }
        Ok(())
    }

    /// Carries out all events that are due. Calls, and the methods that change the world, do this by themselves.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn tick(&self) -> Result<(), Error> {
        let goal = self.0.clock.target();
        self.within(|_, _| Ok(()))?;
        self.catch_up(goal)
    }

    /// Carries out events that are due, one slice of them during a step, and does something in the same transaction.
    fn within<T>(&self, act: impl FnOnce(&Store, i64) -> Result<T, Error>) -> Result<T, Error> {
        let store = self.lock();
        let before = store.connection.total_changes();
        let moment = self.0.clock.advance(&store)?;
        let done = act(&store, moment.now)?;
        moment.commit()?;
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

    /// Returns the JSON of a product's definition as the scenario has it, by its key in upper or lower case. `None` if the product does not exist or has none.
    pub(crate) fn definition(&self, product: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT definition FROM product
            WHERE key = ? COLLATE NOCASE AND definition IS NOT NULL";
        Ok(self.read(|store| store.find(sql, [product]))?)
    }

    /// Returns the descriptions of all devices for the local network.
    pub(crate) fn local_devices(&self) -> Result<Vec<LocalDevice>, Error> {
        Ok(self.read(Store::local_devices)?)
    }

    /// Passes a P0 from the local network to a device and returns its answer. `None` if the device is not reachable.
    pub(crate) fn receive_local(
        &self,
        device: i64,
        sn: Option<u32>,
        p0: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        self.within(|store, now| Ok(store.receive_local(device, now, sn, p0)?))
    }

    /// Returns the report of all points of a device. `None` if its product has no definition.
    pub(crate) fn local_status(&self, device: i64) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.read(|store| store.local_status(device))?)
    }

    /// Returns the id of the last frame of the log, or 0.
    pub(crate) fn last_frame(&self) -> Result<i64, Error> {
        Ok(self.read(Store::last_frame)?)
    }

    /// Returns the changes that clients of the local network see, after a position in the log of frames.
    pub(crate) fn local_news(&self, position: i64) -> Result<LocalNews, Error> {
        Ok(self.read(|store| store.local_news(position))?)
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
    /// documented, or if 1,000 modes are set; [`Error::Database`].
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The default world.
    fn simulator(time: Time) -> Simulator {
        Simulator::builder().time(time).build().unwrap()
    }

    /// The number of events that are due at the clock's time and are not carried out.
    fn due(simulator: &Simulator) -> i64 {
        let target = simulator.0.clock.target();
        let sql = "SELECT count(*) FROM pending WHERE due <= ?";
        simulator.read(|store| store.value(sql, [target])).unwrap()
    }

    /// A slice that is rolled back is carried out again, also if it was the last slice of a step.
    #[test]
    fn a_slice_that_is_rolled_back_moves_no_clock() {
        let start = 1_514_692_800_000;
        let simulator = simulator(Time::Manual { start });
        let step = 600_000;
        simulator.0.clock.step(step);
        let events = due(&simulator);
        assert!((1..500).contains(&events), "{events}");
        simulator.act("nobody", &Act::Online).unwrap_err();
        assert_eq!((simulator.now(), due(&simulator)), (start, events));
        simulator.tick().unwrap();
        assert_eq!((simulator.now(), due(&simulator)), (start + step, 0));
    }

    /// A machine that was suspended catches up before a call is answered, so that no answer is earlier than another.
    #[test]
    fn time_does_not_go_back_after_a_suspension() {
        let simulator = simulator(Time::Real);
        let frames = || -> i64 {
            let sql = "SELECT max(id) FROM frame";
            simulator.read(|store| store.value(sql, [])).unwrap()
        };
        let few = frames();
        simulator.0.clock.shift(2 * day::DAY);
        let before = simulator.now();
        let answer = simulator.answer(&Request::new("GET", "/v1/users/search"));
        let date = jiff::fmt::rfc2822::parse(answer.header("date").unwrap()).unwrap();
        assert!(date.timestamp().as_second() >= before / 1000);
        assert!(simulator.now() >= before);
        // The call has carried out the events of more than one slice.
        assert!(frames() > few + 1000);
        let sql = "SELECT count(*) FROM pending WHERE due <= ?";
        let left: i64 = simulator.read(|store| store.value(sql, [before])).unwrap();
        assert_eq!(left, 0);
        // A step begins where the world is, whatever was due before it.
        simulator.0.clock.shift(2 * day::DAY);
        let before = simulator.now();
        let after = simulator.step(1000).unwrap();
        assert!(after >= before + 1000);
    }

    /// A slice may end within the events of one moment.
    #[test]
    fn all_events_of_the_last_moment_are_carried_out() {
        let simulator = simulator(Time::Manual { start: 0 });
        // Frames that do not exist, for a device that does.
        simulator.read(|store| {
            for _ in 0..1200 {
                store.schedule(1000, "frame", 1, "0").unwrap();
            }
        });
        simulator.step(1000).unwrap();
        assert_eq!((simulator.now(), due(&simulator)), (1000, 0));
    }
}
