//! Counts of devices, by place and time.
//!
//! Reports marked as made once a day answer nothing newer than the last night
//! ([`ReportNotGenerated`](crate::ErrorCode::ReportNotGenerated) beyond), and exist in China alone.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;

use crate::client::Product;
use crate::endpoint::{self, page};
use crate::exchange::call::{ByPlace, ByState, Call, Grouped, operations};
use crate::exchange::paging::{Page, Paged};
use crate::mode::Front;
use crate::model::ids::{Gid, Mac, ProductKey};
use crate::model::periods::{Period, Periodic, periodic};
use crate::model::places::{EventCount, Places, StateCount};
use crate::model::scalar::{Extra, model};
use crate::model::time::{Date, Timestamp};

/// Reports on the devices of a product.
#[derive(Clone, Debug)]
pub struct DeviceReports<C>(pub(crate) Product<C>);

impl<C: Front> DeviceReports<C> {
    /// Activations. The page lists this and says nothing more: parameters by
    /// [`parameter`](Call::parameter), and the answer as it comes. Made once a day.
    #[doc = page!(ACTIVATION)]
    pub fn activation(&self) -> Call<C, Activation> {
        self.0.call(endpoint::ACTIVATION, Activation)
    }

    /// How many devices are where, now.
    #[doc = page!(LOCATIONS)]
    pub fn locations(&self) -> Call<C, Locations> {
        self.0.call(endpoint::LOCATIONS, Locations)
    }

    /// How many there are, are active and are new. Made once a day. The page's own path for it is
    /// another report's; this is the one of its Chinese edition, with the listed one behind it.
    #[doc = page!(SUMMARY)]
    pub fn summary(&self) -> Call<C, Summarize> {
        self.0.call(endpoint::SUMMARY, Summarize)
    }

    /// Devices that were activated, day by day. Made once a day.
    #[doc = page!(NEW_DEVICES)]
    pub fn new_devices(&self) -> Call<C, NewDevices> {
        self.0.call(endpoint::NEW_DEVICES, NewDevices)
    }

    /// Devices that were active, day by day. Made once a day.
    #[doc = page!(ACTIVE_DEVICES)]
    pub fn active_devices(&self) -> Call<C, ActiveDevices> {
        self.0.call(endpoint::ACTIVE_DEVICES, ActiveDevices)
    }

    /// How many devices were active by day, week or month. One request answers 30 days, 53 weeks or
    /// 12 months; longer spans take several. Made once a day.
    #[doc = page!(LIVENESS)]
    pub fn liveness(&self, period: Period) -> Call<C, Liveness> {
        self.0.call(endpoint::LIVENESS, Liveness(period))
    }

    /// How many devices are activated, have faults and alerts, now. The page doubles a part of the
    /// path; that is tried if the plain one isn't there.
    #[doc = page!(REALTIME)]
    pub fn realtime(&self) -> Call<C, Realtime> {
        self.0.call(endpoint::REALTIME, Realtime)
    }

    /// How many devices had faults. Made once a day.
    #[doc = page!(FAULT_DEVICES)]
    pub fn fault_devices(&self) -> Call<C, Devices> {
        self.0.call(endpoint::FAULT_DEVICES, Devices)
    }

    /// How many devices had alerts. Made once a day.
    #[doc = page!(ALERT_DEVICES)]
    pub fn alert_devices(&self) -> Call<C, Devices> {
        self.0.call(endpoint::ALERT_DEVICES, Devices)
    }

    /// How many faults there were, by data point too. Made once a day.
    #[doc = page!(FAULT_EVENTS)]
    pub fn fault_events(&self) -> Call<C, Events> {
        self.0.call(endpoint::FAULT_EVENTS, Events)
    }

    /// How many alerts there were, by data point too. Made once a day. The page's own path for it is
    /// that of the devices with alerts, which answers no `detail`; this one is by analogy, with the
    /// listed one behind it.
    #[doc = page!(ALERT_EVENTS)]
    pub fn alert_events(&self) -> Call<C, Events> {
        self.0.call(endpoint::ALERT_EVENTS, Events)
    }
}

operations! {
    /// [`DeviceReports::activation`]
    Activation => Value;
    /// [`DeviceReports::locations`]
    Locations => DeviceLocations;
    /// [`DeviceReports::summary`]
    Summarize => Summary;
    /// [`DeviceReports::new_devices`]
    NewDevices => Page<ReportedDevice>;
    /// [`DeviceReports::active_devices`]
    ActiveDevices => Page<ReportedDevice>;
    /// [`DeviceReports::realtime`]
    Realtime => RealtimeStatus;
    /// [`DeviceReports::fault_devices`] and [`DeviceReports::alert_devices`]
    Devices => EventReport;
    /// [`DeviceReports::fault_events`] and [`DeviceReports::alert_events`]
    Events => EventReport;
}

periodic! {
    /// [`DeviceReports::liveness`]
    Liveness => LivenessHistory;
}

impl Grouped for Activation {}
impl Grouped for Locations {}
impl ByState for Locations {}
impl Grouped for Realtime {}
impl Grouped for Devices {}
impl Grouped for Events {}

impl Paged for NewDevices {
    type Item = ReportedDevice;
}

impl Paged for ActiveDevices {
    type Item = ReportedDevice;
}

/// The reports of devices day by day, which share their parameters.
pub trait Daily: Paged {}

impl Daily for NewDevices {}
impl Daily for ActiveDevices {}
impl ByPlace for NewDevices {}
impl ByPlace for ActiveDevices {}

impl<C: Front, O: Daily> Call<C, O> {
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
        let (date, time) = self.created_at.as_deref()?.split_once([' ', 'T'])?;
        let mut seconds = date.parse::<Date>().ok()?.seconds();
        let parts: Vec<u32> = time
            .split(':')
            .map_while(|part| part.parse().ok())
            .collect();
        let [hour @ 0..24, minute @ 0..60, second @ 0..=60] = parts[..] else {
            return None;
        };
        seconds += i64::from(hour * 3600 + minute * 60 + second);
        Some(Timestamp::from_seconds(
            seconds - i64::from(hours_ahead) * 3600,
        ))
    }
}

impl PeriodCount {
    /// The day, week or month.
    #[must_use]
    pub fn period(&self) -> Option<&str> {
        let period = self
            .date
            .as_ref()
            .or(self.week.as_ref())
            .or(self.month.as_ref());
        period.map(String::as_str)
    }
}

impl Periodic for LivenessHistory {
    type Entry = PeriodCount;

    fn entries(&mut self) -> &mut Vec<PeriodCount> {
        &mut self.data
    }

    fn period(entry: &PeriodCount) -> Option<&str> {
        entry.period()
    }

    fn set_end(&mut self, next: Self) {
        self.end = next.end;
        self.extra.extend(next.extra);
    }
}
