//! Reports: counts of devices and users, by place and time.
//!
//! Some reports are generated once a day. They contain nothing newer than the last night, and the error for a
//! later day is [`ReportNotGenerated`](crate::ErrorCode::ReportNotGenerated). These reports exist only in
//! China.

use std::collections::BTreeMap;

use jiff::civil::Date;
use secrecy::ExposeSecret as _;
use serde::Deserialize as _;
use serde_json::Value;

use crate::client::Product;
use crate::endpoint::{self, page};
use crate::error::Error;
use crate::exchange::{
    ByPlace, ByState, Call, Context, Grouped, Operation, Page, Paged, Received, RequestParts,
    Requests, operations,
};
use crate::mode::Mode;
use crate::model::{EventCount, Extra, Gid, Mac, Period, Places, ProductKey, StateCount, model};

/// The reports on the devices of a product.
#[derive(Clone, Debug)]
pub struct DeviceReports<M>(Product<M>);

/// The reports on the users of a product.
#[derive(Clone, Debug)]
pub struct UserReports<M>(Product<M>);

impl<M: Mode> Product<M> {
    /// The reports on the devices of the product.
    #[must_use]
    pub fn device_reports(&self) -> DeviceReports<M> {
        DeviceReports(self.clone())
    }

    /// The reports on the users of the product.
    #[must_use]
    pub fn user_reports(&self) -> UserReports<M> {
        UserReports(self.clone())
    }
}

impl<M: Mode> DeviceReports<M> {
    /// Returns the report on activations. The API documentation lists the report and doesn't describe it: set its
    /// parameters with [`parameter`](Call::parameter). The answer is plain JSON. Generated once a day.
    #[doc = page!(ACTIVATION)]
    pub fn activation(&self) -> Call<M, Activation> {
        self.0.call(endpoint::ACTIVATION, Activation)
    }

    /// Returns the current number of devices by place.
    #[doc = page!(LOCATIONS)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let devices = product.device_reports().locations().send().await?;
    /// for country in &devices.location.list {
    ///     println!("{}: {}", country.name, country.count.unwrap_or(0));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn locations(&self) -> Call<M, Locations> {
        self.0.call(endpoint::LOCATIONS, Locations)
    }

    /// Returns the numbers of all, active and new devices. Generated once a day. The client uses the path of the
    /// Chinese API documentation, because the English one has the path of another report. It tries the English
    /// path if the server doesn't know the Chinese one.
    #[doc = page!(SUMMARY)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let summary = product.device_reports().summary().send().await?;
    /// assert_eq!(summary.total, Some(2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn summary(&self) -> Call<M, Summarize> {
        self.0.call(endpoint::SUMMARY, Summarize)
    }

    /// Returns the devices that were activated, in pages, with the day. Generated once a day.
    #[doc = page!(NEW_DEVICES)]
    pub fn new_devices(&self) -> Call<M, Daily> {
        self.0.call(endpoint::NEW_DEVICES, Daily)
    }

    /// Returns the devices that were active, in pages, with the day. Generated once a day.
    #[doc = page!(ACTIVE_DEVICES)]
    pub fn active_devices(&self) -> Call<M, Daily> {
        self.0.call(endpoint::ACTIVE_DEVICES, Daily)
    }

    /// Returns the number of active devices for each day, week or month. One request covers 30 days, 53 weeks or
    /// 12 months. Longer spans need several requests. Generated once a day.
    #[doc = page!(LIVENESS)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// use gizwits_enterprise_client::Period;
    ///
    /// let months = Period::Months("2024-01".parse()?, "2024-12".parse()?);
    /// for month in product.device_reports().liveness(months).send().await?.data {
    ///     println!("{:?}: {:?}", month.period(), month.count);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn liveness(&self, period: Period) -> Call<M, ByPeriod> {
        self.0.call(endpoint::LIVENESS, ByPeriod(period))
    }

    /// Returns the current numbers of devices that are activated, that have a fault, and that have an alert. The
    /// path in the API documentation has a part twice. The client tries it if the server doesn't know the path
    /// without the repetition.
    #[doc = page!(REALTIME)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let status = product.device_reports().realtime().send().await?;
    /// assert_eq!(status.count.and_then(|count| count.activated), Some(2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn realtime(&self) -> Call<M, Realtime> {
        self.0.call(endpoint::REALTIME, Realtime)
    }

    /// Returns the number of devices with faults. Generated once a day.
    #[doc = page!(FAULT_DEVICES)]
    pub fn fault_devices(&self) -> Call<M, Events> {
        self.0.call(endpoint::FAULT_DEVICES, Events)
    }

    /// Returns the number of devices with alerts. Generated once a day.
    #[doc = page!(ALERT_DEVICES)]
    pub fn alert_devices(&self) -> Call<M, Events> {
        self.0.call(endpoint::ALERT_DEVICES, Events)
    }

    /// Returns the number of faults, in total and by data point. Generated once a day.
    #[doc = page!(FAULT_EVENTS)]
    pub fn fault_events(&self) -> Call<M, Events> {
        self.0.call(endpoint::FAULT_EVENTS, Events)
    }

    /// Returns the number of alerts, in total and by data point. Generated once a day. The client uses a path in
    /// analogy to [`fault_events`](Self::fault_events). It tries the path in the API documentation, which is that
    /// of another report, if the server doesn't know the first path.
    #[doc = page!(ALERT_EVENTS)]
    pub fn alert_events(&self) -> Call<M, Events> {
        self.0.call(endpoint::ALERT_EVENTS, Events)
    }
}

impl<M: Mode> UserReports<M> {
    /// Returns the number of new users for each day, week or month. One request covers 30 days, 53 weeks or 12
    /// months. Longer spans need several requests. Generated once a day, only in China.
    #[doc = page!(NEW_USERS)]
    pub fn new_users(&self, period: Period) -> Call<M, ByPeriod> {
        self.0.call(endpoint::NEW_USERS, ByPeriod(period))
    }

    /// Returns the number of active users for each day, both ends included. The API documentation calls the
    /// parameter `product_secret` the product's key, so the client sends the key with both names. See
    /// [`with_product_secret`](Call::with_product_secret).
    #[doc = page!(USER_LIVENESS)]
    pub fn liveness(&self, start: Date, end: Date) -> Call<M, LivenessOfUsers> {
        let call = self.keyed(self.0.call(endpoint::USER_LIVENESS, LivenessOfUsers));
        call.parameter("start_date", start.to_string())
            .parameter("end_date", end.to_string())
    }

    /// Returns the number of users by place. The API documentation calls the parameter `product_secret` the
    /// product's key, so the client sends the key with both names. See
    /// [`with_product_secret`](Call::with_product_secret).
    #[doc = page!(USER_LOCATIONS)]
    pub fn locations(&self) -> Call<M, LocationsOfUsers> {
        self.keyed(self.0.call(endpoint::USER_LOCATIONS, LocationsOfUsers))
    }

    /// Returns the number of users who ever bound a device of the product.
    #[doc = page!(USER_TOTAL)]
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Done {
    /// # let (server, product): (_, gizwits_enterprise_client::Product) = simulated()?;
    /// let report = product.user_reports().total().send().await?;
    /// println!("{:?} users", report.total);
    /// # Ok(())
    /// # }
    /// ```
    pub fn total(&self) -> Call<M, TotalOfUsers> {
        self.0.call(endpoint::USER_TOTAL, TotalOfUsers)
    }

    fn keyed<O>(&self, call: Call<M, O>) -> Call<M, O> {
        let key = self.0.key();
        call.parameter("product_key", key.as_str())
            .parameter("product_secret", key.as_str())
    }
}

operations! {
    /// The operation of [`DeviceReports::activation`].
    Activation => Value [Grouped];
    /// The operation of [`DeviceReports::locations`].
    Locations => DeviceLocations [Grouped, ByState];
    /// The operation of [`DeviceReports::summary`].
    Summarize => Summary;
    /// The operation of [`DeviceReports::new_devices`] and [`DeviceReports::active_devices`].
    Daily => Page<ReportedDevice> [ByPlace];
    /// The operation of [`DeviceReports::realtime`].
    Realtime => RealtimeStatus [Grouped];
    /// The operation of the reports on [faults](DeviceReports::fault_events) and
    /// [alerts](DeviceReports::alert_events), and on the devices with faults and alerts.
    Events => EventReport [Grouped];
    /// The operation of [`UserReports::liveness`].
    LivenessOfUsers => UserLiveness [Keyed];
    /// The operation of [`UserReports::locations`].
    LocationsOfUsers => Places<u64> [Keyed];
    /// The operation of [`UserReports::total`].
    TotalOfUsers => UserTotal [Grouped];
}

impl Paged for Daily {
    type Item = ReportedDevice;
}

/// The operation of [`DeviceReports::liveness`] and [`UserReports::new_users`].
#[derive(Clone, Copy, Debug)]
pub struct ByPeriod(pub(crate) Period);

impl Grouped for ByPeriod {}

impl Operation for ByPeriod {
    type Output = LivenessHistory;

    fn requests(&self, parts: &RequestParts, _: &Context<'_>) -> Requests {
        let pieces = self.0.pieces().map_err(Error::Invalid)?;
        let requests = pieces.into_iter().map(|(start, end)| {
            let mut parts = parts.clone();
            parts.set("cycle", self.0.cycle());
            parts.set("start", start);
            parts.set("end", end);
            parts
        });
        Ok(requests.collect())
    }

    fn read(&self, received: &Received<'_>) -> Result<LivenessHistory, Error> {
        received.json()
    }

    /// Two pieces of weeks have a week in common, which is counted once.
    fn join(
        &self,
        mut before: LivenessHistory,
        next: Result<LivenessHistory, Error>,
        _: usize,
    ) -> Result<LivenessHistory, Error> {
        let mut next = next?;
        let is_known = |count: &PeriodCount| {
            let mut known = before.data.iter().map(PeriodCount::period);
            count.period().is_some() && known.any(|period| period == count.period())
        };
        next.data.retain(|count| !is_known(count));
        before.data.append(&mut next.data);
        before.end = next.end;
        before.extra.extend(next.extra);
        Ok(before)
    }
}

/// A report for which the API documentation is not clear about the parameter `product_secret`.
pub trait Keyed: Operation {}

impl<M: Mode, O: Keyed> Call<M, O> {
    /// Sends the product's secret as the parameter `product_secret`. Use it if the server refuses the key with
    /// [`ProductSecretError`](crate::ErrorCode::ProductSecretError). Servers may write the query, and with it
    /// the secret, to their logs. Default: the product's key.
    pub fn with_product_secret(mut self) -> Self {
        if let Some(product) = &self.product {
            let secret = product.secret.expose_secret();
            self.parts.set("product_secret", secret);
        }
        self
    }
}

impl<M: Mode> Call<M, LivenessOfUsers> {
    /// Counts only users of this app. Default: all apps.
    pub fn appid(self, appid: impl Into<String>) -> Self {
        self.parameter("appid", appid)
    }
}

impl<M: Mode> Call<M, Daily> {
    /// Sets the first and the last day of the report.
    pub fn between(self, start: Date, end: Date) -> Self {
        self.parameter("start", start.to_string())
            .parameter("end", end.to_string())
    }
}

model! {
    /// The numbers of active users.
    UserLiveness {
        /// The counts, with an entry for each day.
        data: Vec<DayCount>,
    } or {}

    /// The count of a day.
    DayCount {} or {
        /// The day.
        date: String,
        /// The count.
        count: u64,
    }

    /// The number of users who ever bound a device.
    UserTotal {} or {
        /// The id of the group, if the report is limited to a group.
        gid: Gid,
        /// The count.
        total: u64,
    }

    /// The number of devices by place.
    DeviceLocations {
        /// The counts by place.
        location: Places<u64>,
    } or {
        /// The id of the group, if the report is limited to a group.
        gid: Gid,
        /// The number of all devices, including those without a known place.
        total: u64,
    }

    /// The numbers of all, active and new devices.
    Summary {} or {
        /// The number of devices that are online.
        online: u64,
        /// The number of devices that were ever online.
        total: u64,
        /// The numbers of active devices.
        active: ActiveCounts,
        /// The numbers of new devices.
        new: NewCounts,
    }

    /// The numbers of active devices of several spans of time.
    ActiveCounts {} or {
        /// The number of yesterday.
        yesterday: u64,
        /// The number of the last seven days.
        seven_days as "7_day": u64,
    }

    /// The numbers of new devices of several spans of time.
    NewCounts {} or {
        /// The number of today.
        today: u64,
        /// The number of yesterday.
        yesterday: u64,
        /// The number of the last seven days.
        seven_days as "7_day": u64,
        /// The number of the last thirty days.
        thirty_days as "30_day": u64,
    }

    /// A device in the report of a day.
    ReportedDevice {} or {
        /// The day.
        report_date: String,
        /// The key of the product.
        product_key: ProductKey,
        /// The MAC of the device.
        mac: Mac,
        /// The serial number. Only Bluetooth devices have it.
        device_sn: String,
        /// The country.
        country: String,
        /// The region.
        region: String,
        /// The city.
        city: String,
        /// The time of the registration, without a zone. The API documentation doesn't name the zone;
        /// the cloud is in China, 8 hours ahead of UTC.
        created_at: String,
    }

    /// The numbers of active devices or new users of several periods.
    LivenessHistory {
        /// The counts, with an entry for each period.
        data: Vec<PeriodCount>,
    } or {
        /// The id of the group, if the report is limited to a group.
        gid: Gid,
        /// The unit of the periods: `date`, `week` or `month`.
        cycle: String,
        /// The first period of the report.
        start: String,
        /// The last period of the report.
        end: String,
    }

    /// The count of a day, week or month.
    PeriodCount {} or {
        /// The count.
        count: u64,
        /// The counts by place.
        location: Places<u64>,
        /// The day, if the periods are days.
        date: String,
        /// The week, if the periods are weeks.
        week: String,
        /// The month, if the periods are months.
        month: String,
    }

    /// The numbers of devices by state.
    RealtimeStatus {} or {
        /// The id of the group, if the report is limited to a group.
        gid: Gid,
        /// The count of all places together.
        count: StateCount,
        /// The counts by place.
        location: Places<StateCount>,
    }

    /// The number of faults or alerts, or of devices with faults or alerts.
    EventReport {} or {
        /// The id of the group, if the report is limited to a group.
        gid: Gid,
        /// The count of all places together.
        count: EventCount,
        /// The counts by data point. Only reports on events have them.
        detail: BTreeMap<String, EventCount>,
        /// The counts by place.
        location: Places<EventCount>,
    } => with_count
}

/// Moves the three counts into `count`. They are members of the report in the table of the API documentation,
/// and members of `count` in its example.
fn with_count(report: &mut EventReport) {
    if report.count.is_some() {
        return;
    }
    let names = ["total", "resolved", "unresolved"];
    let counts: Extra = names
        .into_iter()
        .filter_map(|name| report.extra.remove_entry(name))
        .collect();
    if counts.is_empty() {
        return;
    }
    match EventCount::deserialize(Value::from(counts.clone())) {
        Ok(count) => report.count = Some(count),
        Err(_) => report.extra.extend(counts),
    }
}

impl PeriodCount {
    /// The day, week or month of the count.
    #[must_use]
    pub fn period(&self) -> Option<&str> {
        let names = [&self.date, &self.week, &self.month];
        names.into_iter().find_map(Option::as_deref)
    }
}
