//! Counts of devices, by place and time.
//!
//! Reports marked as made once a day answer nothing newer than the last night
//! ([`ReportNotGenerated`](crate::ErrorCode::ReportNotGenerated) beyond), and exist in China alone.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use serde::Deserialize as _;
use serde_json::Value;

use crate::client::Product;
use crate::endpoint::{self, page};
use crate::error::Error;
use crate::exchange::call::{
    ByPlace, ByState, Call, Context, Grouped, Operation, Received, Requests, operations,
};
use crate::exchange::paging::{Page, Paged};
use crate::exchange::request::RequestParts;
use crate::mode::Mode;
use crate::model::ids::{Gid, Mac, ProductKey};
use crate::model::periods::Period;
use crate::model::places::{EventCount, Places, StateCount};
use crate::model::scalar::{Extra, model};
use crate::model::time::Timestamp;

/// Reports on the devices of a product.
#[derive(Clone, Debug)]
pub struct DeviceReports<M>(Product<M>);

impl<M: Mode> Product<M> {
    /// Counts of the product's devices, by place and time.
    #[must_use]
    pub fn device_reports(&self) -> DeviceReports<M> {
        DeviceReports(self.clone())
    }
}

impl<M: Mode> DeviceReports<M> {
    /// Activations. The page lists this and says nothing more: parameters by
    /// [`parameter`](Call::parameter), and the answer as it comes. Made once a day.
    #[doc = page!(ACTIVATION)]
    pub fn activation(&self) -> Call<M, Activation> {
        self.0.call(endpoint::ACTIVATION, Activation)
    }

    /// How many devices are where, now.
    #[doc = page!(LOCATIONS)]
    pub fn locations(&self) -> Call<M, Locations> {
        self.0.call(endpoint::LOCATIONS, Locations)
    }

    /// How many there are, are active and are new. Made once a day. The page's own path for it is
    /// another report's; this is the one of its Chinese edition, with the listed one behind it.
    #[doc = page!(SUMMARY)]
    pub fn summary(&self) -> Call<M, Summarize> {
        self.0.call(endpoint::SUMMARY, Summarize)
    }

    /// Devices that were activated, day by day. Made once a day.
    #[doc = page!(NEW_DEVICES)]
    pub fn new_devices(&self) -> Call<M, NewDevices> {
        self.0.call(endpoint::NEW_DEVICES, NewDevices)
    }

    /// Devices that were active, day by day. Made once a day.
    #[doc = page!(ACTIVE_DEVICES)]
    pub fn active_devices(&self) -> Call<M, ActiveDevices> {
        self.0.call(endpoint::ACTIVE_DEVICES, ActiveDevices)
    }

    /// How many devices were active by day, week or month. One request answers 30 days, 53 weeks or
    /// 12 months; longer spans take several. Made once a day.
    #[doc = page!(LIVENESS)]
    pub fn liveness(&self, period: Period) -> Call<M, ByPeriod> {
        self.0.call(endpoint::LIVENESS, ByPeriod(period))
    }

    /// How many devices are activated, have faults and alerts, now. The page doubles a part of the
    /// path; that is tried if the plain one isn't there.
    #[doc = page!(REALTIME)]
    pub fn realtime(&self) -> Call<M, Realtime> {
        self.0.call(endpoint::REALTIME, Realtime)
    }

    /// How many devices had faults. Made once a day.
    #[doc = page!(FAULT_DEVICES)]
    pub fn fault_devices(&self) -> Call<M, Devices> {
        self.0.call(endpoint::FAULT_DEVICES, Devices)
    }

    /// How many devices had alerts. Made once a day.
    #[doc = page!(ALERT_DEVICES)]
    pub fn alert_devices(&self) -> Call<M, Devices> {
        self.0.call(endpoint::ALERT_DEVICES, Devices)
    }

    /// How many faults there were, by data point too. Made once a day.
    #[doc = page!(FAULT_EVENTS)]
    pub fn fault_events(&self) -> Call<M, Events> {
        self.0.call(endpoint::FAULT_EVENTS, Events)
    }

    /// How many alerts there were, by data point too. Made once a day. The page's own path for it is
    /// that of the devices with alerts, which answers no `detail`; this one is by analogy, with the
    /// listed one behind it.
    #[doc = page!(ALERT_EVENTS)]
    pub fn alert_events(&self) -> Call<M, Events> {
        self.0.call(endpoint::ALERT_EVENTS, Events)
    }
}

operations! {
    /// [`DeviceReports::activation`]
    Activation => Value [Grouped];
    /// [`DeviceReports::locations`]
    Locations => DeviceLocations [Grouped, ByState];
    /// [`DeviceReports::summary`]
    Summarize => Summary;
    /// [`DeviceReports::new_devices`]
    NewDevices => Page<ReportedDevice> [Daily, ByPlace];
    /// [`DeviceReports::active_devices`]
    ActiveDevices => Page<ReportedDevice> [Daily, ByPlace];
    /// [`DeviceReports::realtime`]
    Realtime => RealtimeStatus [Grouped];
    /// [`DeviceReports::fault_devices`] and [`DeviceReports::alert_devices`]
    Devices => EventReport [Grouped];
    /// [`DeviceReports::fault_events`] and [`DeviceReports::alert_events`]
    Events => EventReport [Grouped];
}

impl Paged for NewDevices {
    type Item = ReportedDevice;
}

impl Paged for ActiveDevices {
    type Item = ReportedDevice;
}

/// A report by day, week or month: [`DeviceReports::liveness`] and
/// [`UserReports::new_users`](crate::user_reports::UserReports::new_users)
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

/// The reports of devices day by day, which share their parameters.
pub trait Daily: Paged {}

impl<M: Mode, O: Daily> Call<M, O> {
    /// From this day to that.
    pub fn between(self, start: Date, end: Date) -> Self {
        self.query("start", start.to_string())
            .query("end", end.to_string())
    }
}

model! {
    /// How many devices are where.
    DeviceLocations {
        /// By place.
        location: Places<u64>,
    } or {
        /// The group.
        gid: Gid,
        /// All, those without a known place among them.
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
        /// Its product.
        product_key: ProductKey,
        /// Its MAC.
        mac: Mac,
        /// Its serial number, of Bluetooth devices.
        device_sn: String,
        /// Its country.
        country: String,
        /// Its region.
        region: String,
        /// Its city.
        city: String,
        /// When it was registered, without a zone: [`registered_at`](Self::registered_at).
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
        /// How many.
        count: u64,
        /// By place.
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
        /// All.
        count: StateCount,
        /// By place.
        location: Places<StateCount>,
    }

    /// How many faults or alerts there were, or devices with some.
    EventReport {} or {
        /// The group.
        gid: Gid,
        /// All.
        count: EventCount,
        /// By data point; only of events.
        detail: BTreeMap<String, EventCount>,
        /// By place.
        location: Places<EventCount>,
    } => with_count
}

/// The page's table has the three counts next to the rest, its example in `count`.
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

impl ReportedDevice {
    /// When it was registered, if `created_at` is by a clock so many hours ahead of UTC. The page
    /// doesn't tell; the cloud is in China, 8 hours ahead.
    #[must_use]
    pub fn registered_at(&self, hours_ahead: i8) -> Option<Timestamp> {
        let local: DateTime = self.created_at.as_deref()?.parse().ok()?;
        let offset = Offset::from_hours(hours_ahead).ok()?;
        Some(offset.to_timestamp(local).ok()?.into())
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
