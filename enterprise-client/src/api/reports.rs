//! Counts of devices and users, by place and time.
//!
//! Reports marked as made once a day answer nothing newer than the last night
//! ([`ReportNotGenerated`](crate::ErrorCode::ReportNotGenerated) beyond), and exist in China alone.

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

/// Reports on the devices of a product.
#[derive(Clone, Debug)]
pub struct DeviceReports<M>(Product<M>);

/// Reports on the users of a product.
#[derive(Clone, Debug)]
pub struct UserReports<M>(Product<M>);

impl<M: Mode> Product<M> {
    /// Counts of the product's devices, by place and time.
    #[must_use]
    pub fn device_reports(&self) -> DeviceReports<M> {
        DeviceReports(self.clone())
    }

    /// Counts of the product's users, by place and time.
    #[must_use]
    pub fn user_reports(&self) -> UserReports<M> {
        UserReports(self.clone())
    }
}

impl<M: Mode> DeviceReports<M> {
    /// Activations. The API documentation only lists this report: set parameters by
    /// [`parameter`](Call::parameter); the answer is plain JSON. Made once a day.
    #[doc = page!(ACTIVATION)]
    pub fn activation(&self) -> Call<M, Activation> {
        self.0.call(endpoint::ACTIVATION, Activation)
    }

    /// The number of devices by place, now.
    #[doc = page!(LOCATIONS)]
    pub fn locations(&self) -> Call<M, Locations> {
        self.0.call(endpoint::LOCATIONS, Locations)
    }

    /// The number of all, active and new devices. Made once a day. The path in the API documentation is
    /// another report's; this is the path of its Chinese edition, with the listed one as a fallback.
    #[doc = page!(SUMMARY)]
    pub fn summary(&self) -> Call<M, Summarize> {
        self.0.call(endpoint::SUMMARY, Summarize)
    }

    /// Devices that were activated, day by day. Made once a day.
    #[doc = page!(NEW_DEVICES)]
    pub fn new_devices(&self) -> Call<M, Daily> {
        self.0.call(endpoint::NEW_DEVICES, Daily)
    }

    /// Devices that were active, day by day. Made once a day.
    #[doc = page!(ACTIVE_DEVICES)]
    pub fn active_devices(&self) -> Call<M, Daily> {
        self.0.call(endpoint::ACTIVE_DEVICES, Daily)
    }

    /// How many devices were active by day, week or month. One request answers 30 days, 53 weeks or
    /// 12 months; longer spans take several. Made once a day.
    #[doc = page!(LIVENESS)]
    pub fn liveness(&self, period: Period) -> Call<M, ByPeriod> {
        self.0.call(endpoint::LIVENESS, ByPeriod(period))
    }

    /// The number of devices that are activated, have faults and alerts, now. The API documentation
    /// doubles a part of the path; that path is a fallback.
    #[doc = page!(REALTIME)]
    pub fn realtime(&self) -> Call<M, Realtime> {
        self.0.call(endpoint::REALTIME, Realtime)
    }

    /// How many devices had faults. Made once a day.
    #[doc = page!(FAULT_DEVICES)]
    pub fn fault_devices(&self) -> Call<M, Events> {
        self.0.call(endpoint::FAULT_DEVICES, Events)
    }

    /// How many devices had alerts. Made once a day.
    #[doc = page!(ALERT_DEVICES)]
    pub fn alert_devices(&self) -> Call<M, Events> {
        self.0.call(endpoint::ALERT_DEVICES, Events)
    }

    /// How many faults there were, by data point too. Made once a day.
    #[doc = page!(FAULT_EVENTS)]
    pub fn fault_events(&self) -> Call<M, Events> {
        self.0.call(endpoint::FAULT_EVENTS, Events)
    }

    /// How many alerts there were, by data point too. Made once a day. The path in the
    /// API documentation is that of the devices with alerts, which answers no `detail`; this one is by
    /// analogy, with the listed one as a fallback.
    #[doc = page!(ALERT_EVENTS)]
    pub fn alert_events(&self) -> Call<M, Events> {
        self.0.call(endpoint::ALERT_EVENTS, Events)
    }
}

impl<M: Mode> UserReports<M> {
    /// How many users are new by day, week or month. One request answers 30 days, 53 weeks or 12
    /// months; longer spans take several. Made once a day, in China alone.
    #[doc = page!(NEW_USERS)]
    pub fn new_users(&self, period: Period) -> Call<M, ByPeriod> {
        self.0.call(endpoint::NEW_USERS, ByPeriod(period))
    }

    /// How many users were active, day by day. The API documentation says of the
    /// parameter `product_secret` that it is the product's key, so the key is sent under both names; see
    /// [`with_product_secret`](Call::with_product_secret).
    #[doc = page!(USER_LIVENESS)]
    pub fn liveness(&self, start: Date, end: Date) -> Call<M, LivenessOfUsers> {
        let call = self.keyed(self.0.call(endpoint::USER_LIVENESS, LivenessOfUsers));
        call.parameter("start_date", start.to_string())
            .parameter("end_date", end.to_string())
    }

    /// The number of users by place. The API documentation says of the parameter
    /// `product_secret` that it is the product's key, so the key is sent under both names; see
    /// [`with_product_secret`](Call::with_product_secret).
    #[doc = page!(USER_LOCATIONS)]
    pub fn locations(&self) -> Call<M, LocationsOfUsers> {
        self.keyed(self.0.call(endpoint::USER_LOCATIONS, LocationsOfUsers))
    }

    /// How many users ever bound a device of the product.
    #[doc = page!(USER_TOTAL)]
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
    /// [`DeviceReports::activation`]
    Activation => Value [Grouped];
    /// [`DeviceReports::locations`]
    Locations => DeviceLocations [Grouped, ByState];
    /// [`DeviceReports::summary`]
    Summarize => Summary;
    /// [`DeviceReports::new_devices`] and [`DeviceReports::active_devices`]
    Daily => Page<ReportedDevice> [ByPlace];
    /// [`DeviceReports::realtime`]
    Realtime => RealtimeStatus [Grouped];
    /// The reports of [faults](DeviceReports::fault_events) and [alerts](DeviceReports::alert_events),
    /// and of devices that had some.
    Events => EventReport [Grouped];
    /// [`UserReports::liveness`]
    LivenessOfUsers => UserLiveness [Keyed];
    /// [`UserReports::locations`]
    LocationsOfUsers => Places<u64> [Keyed];
    /// [`UserReports::total`]
    TotalOfUsers => UserTotal [Grouped];
}

impl Paged for Daily {
    type Item = ReportedDevice;
}

/// A report by day, week or month: [`DeviceReports::liveness`] and
/// [`UserReports::new_users`].
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

    /// Pieces may have one period in common, which is counted once.
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

/// The reports whose parameter `product_secret` is in doubt.
pub trait Keyed: Operation {}

impl<M: Mode, O: Keyed> Call<M, O> {
    /// Sends the product's secret as the parameter of its name, in the query, if the key was refused with
    /// [`ProductSecretError`](crate::ErrorCode::ProductSecretError). Servers write queries to logs.
    pub fn with_product_secret(mut self) -> Self {
        if let Some(product) = &self.product {
            let secret = product.secret.expose_secret();
            self.parts.set("product_secret", secret);
        }
        self
    }
}

impl<M: Mode> Call<M, LivenessOfUsers> {
    /// Counts only users of this app.
    pub fn appid(self, appid: impl Into<String>) -> Self {
        self.parameter("appid", appid)
    }
}

impl<M: Mode> Call<M, Daily> {
    /// The first and the last day.
    pub fn between(self, start: Date, end: Date) -> Self {
        self.parameter("start", start.to_string())
            .parameter("end", end.to_string())
    }
}

model! {
    /// How many users were active, day by day.
    UserLiveness {
        /// One entry a day.
        data: Vec<DayCount>,
    } or {}

    /// A count of one day.
    DayCount {} or {
        /// The day.
        date: String,
        /// The number.
        count: u64,
    }

    /// How many users ever bound a device.
    UserTotal {} or {
        /// The group.
        gid: Gid,
        /// The number.
        total: u64,
    }

    /// The number of devices by place.
    DeviceLocations {
        /// The counts by place.
        location: Places<u64>,
    } or {
        /// The group.
        gid: Gid,
        /// The number of all devices, including those without a known place.
        total: u64,
    }

    /// How many devices there are, are active and are new.
    Summary {} or {
        /// Devices that are online.
        online: u64,
        /// Devices that were ever online.
        total: u64,
        /// Active ones.
        active: ActiveCounts,
        /// New ones.
        new: NewCounts,
    }

    /// Active devices of a span of time.
    ActiveCounts {} or {
        /// Yesterday.
        yesterday: u64,
        /// In seven days.
        seven_days as "7_day": u64,
    }

    /// New devices of a span of time.
    NewCounts {} or {
        /// Today.
        today: u64,
        /// Yesterday.
        yesterday: u64,
        /// In seven days.
        seven_days as "7_day": u64,
        /// In thirty days.
        thirty_days as "30_day": u64,
    }

    /// A device of a day.
    ReportedDevice {} or {
        /// The day.
        report_date: String,
        /// The key of the product.
        product_key: ProductKey,
        /// The MAC of the device.
        mac: Mac,
        /// The serial number, of Bluetooth devices.
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

    /// How many devices were active, by period.
    LivenessHistory {
        /// One entry a period.
        data: Vec<PeriodCount>,
    } or {
        /// The group.
        gid: Gid,
        /// `date`, `week` or `month`.
        cycle: String,
        /// The first period.
        start: String,
        /// The last period.
        end: String,
    }

    /// A count of one period.
    PeriodCount {} or {
        /// The number.
        count: u64,
        /// The counts by place.
        location: Places<u64>,
        /// The day, if counted by days.
        date: String,
        /// The week, if counted by weeks.
        week: String,
        /// The month, if counted by months.
        month: String,
    }

    /// How many devices are in what state.
    RealtimeStatus {} or {
        /// The group.
        gid: Gid,
        /// The counts of all.
        count: StateCount,
        /// The counts by place.
        location: Places<StateCount>,
    }

    /// How many faults or alerts there were, or devices with some.
    EventReport {} or {
        /// The group.
        gid: Gid,
        /// The counts of all.
        count: EventCount,
        /// The counts by data point; only of events.
        detail: BTreeMap<String, EventCount>,
        /// The counts by place.
        location: Places<EventCount>,
    } => with_count
}

/// The table of the API documentation has the three counts beside `count`, its example within.
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
    match EventCount::deserialize(Value::Object(counts.clone())) {
        Ok(count) => report.count = Some(count),
        Err(_) => report.extra.extend(counts),
    }
}

impl PeriodCount {
    /// The day, week or month.
    #[must_use]
    pub fn period(&self) -> Option<&str> {
        let names = [&self.date, &self.week, &self.month];
        names.into_iter().find_map(Option::as_deref)
    }
}
