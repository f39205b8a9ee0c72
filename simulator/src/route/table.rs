//! The routes of the API, in one table.

use serde::Serialize;

use super::description::Description;
use crate::api::{Answer, Call, Failure, Nothing, Page, Paging, refuse_because};
use crate::endpoint::bindings::BindingChange;
use crate::endpoint::control::Control;
use crate::endpoint::device_reports::{
    Days, DeviceOfDay, Locations, Realtime, Summary, Troubled, Troubles,
};
use crate::endpoint::devices::{
    DeviceDetail, DeviceFilter, DeviceKey, LocationFilter, Mac, SearchedDevice, StateFilter,
};
use crate::endpoint::groups::{Gid, GroupChange, GroupFilter, GroupTree, Macs, NewGroup, Outcomes};
use crate::endpoint::history::{History, PeriodRange, Periods};
use crate::endpoint::location::{Count, LocationTree};
use crate::endpoint::logs::{CmdRecord, DataRecord, OnlineRecord, Window};
use crate::endpoint::products::{AccessToken, Credentials, Datapoint};
use crate::endpoint::user_reports::{Dates, UserLiveness, UserTotal};
use crate::endpoint::users::{
    AppFilter, BoundFilter, BoundUser, EitherKey, ProductKey, RegisteredFilter, RegisteredUser,
};
use crate::endpoint::{
    bindings, control, device_reports, devices, groups, logs, products, user_reports, users,
};

/// How a call shows who makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// The credentials are in the body.
    Body,
    /// `Authorization: token …`
    Token,
    /// `X-Gizwits-Enterprise-ID`, and `-Secret` if it is there.
    Enterprise,
    /// `X-Gizwits-Enterprise-ID` and `-Secret`.
    EnterpriseAndSecret,
}

/// One route.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Route {
    /// The name that the page lists it under.
    pub name: &'static str,
    /// A summary of what it does.
    pub summary: &'static str,
    /// The part of the page's list that it is in.
    pub group: &'static str,
    /// The method.
    pub method: &'static str,
    /// The paths of the route: the likely one, then those that the vendor's page prints or that the name
    /// would give.
    pub paths: &'static [&'static str],
    /// How a call shows who makes it.
    pub auth: Auth,
    /// Whether it is closed to enterprises overseas.
    pub domestic: bool,
    /// Whether it is closed once the product is published.
    pub unpublished: bool,
    /// The status of success.
    pub status: u16,
    /// The codes that its handler refuses with; [`codes`](Self::codes) are all.
    own: &'static [u32],
    pub(super) handler: fn(&Call<'_>) -> Result<Answer, Failure>,
    pub(super) describe: fn(&mut Description),
}

impl Route {
    /// The documented codes that it may refuse a call with, in their order.
    #[must_use]
    pub fn codes(&self) -> Vec<u32> {
        let by_auth: &[u32] = match self.auth {
            Auth::Body => &[],
            Auth::Token => &[5007, 5009, 5010, 5011, 5015],
            Auth::Enterprise | Auth::EnterpriseAndSecret => &[5003, 5004],
        };
        let closed: &[u32] = match self.domestic || self.unpublished {
            true => &[5024],
            false => &[],
        };
        let mut all = [&[5002, 5012, 5013, 5409], by_auth, closed, self.own].concat();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn reply(status: u16, body: &impl Serialize) -> Result<Answer, Failure> {
    match serde_json::to_vec(body) {
        Ok(body) => Ok(Answer::json(status, body)),
        Err(error) => refuse_because(5409, error.to_string()),
    }
}

// The types of a handler stand here once: calls are read by them, and the document describes them.
macro_rules! routes {
    ($($group:literal { $(
        $summary:literal
        $name:ident $method:ident $auth:ident [$($flag:ident)*] $($path:literal)+
            => $module:ident::$handler:ident$(::<$fault:literal>)?($($from:ident $asked:ty),*) -> $status:literal $answer:ty [$($code:literal)*];
    )* })*) => {
        /// Every route, in the order of the page's list.
        pub const ROUTES: &[Route] = &[$($(Route {
            name: stringify!($name),
            summary: $summary,
            group: $group,
            method: stringify!($method),
            paths: &[$($path),+],
            auth: Auth::$auth,
            domestic: routes!(@ domestic $($flag)*),
            unpublished: routes!(@ unpublished $($flag)*),
            status: $status,
            own: &[$($code),*],
            handler: |call| {
                let answer: $answer = $module::$handler$(::<$fault>)?(call, $(call.$from::<$asked>()?),*)?;
                reply($status, &answer)
            },
            describe: |description| {
                $(description.$from::<$asked>();)*
                description.answer::<$answer>();
            },
        }),*),*];
    };
    (@ domestic domestic) => { true };
    (@ unpublished unpublished) => { true };
    (@ $any:ident $($flag:ident)*) => { false };
}

routes! {
    "Authorization" {
        "Get a token for a product"
        post_v1_products_product_key_access_token POST Body []
            "/v1/products/{product_key}/access_token"
            => products::access_token(body Credentials) -> 201 AccessToken [5001 5003 5004 5005 5007 5015];
    }
    "Product" {
        "Get the definition of a product's data points"
        get_v1_products_product_key_datapoint GET Token []
            "/v1/products/{product_key}/datapoint"
            => products::datapoint() -> 200 Datapoint [5402 5406];
    }
    "Users" {
        "Search the users of a product's apps"
        get_v1_users_search GET Enterprise []
            "/v1/users/search"
            => users::registered(query ProductKey, query AppFilter, query RegisteredFilter, query Paging) -> 200 Page<RegisteredUser> [5015 5016 5801];
        "Search the users who have a product's devices"
        get_v1_products_product_key_users_search GET Token []
            "/v1/products/{product_key}/users/search"
            => users::bound(query BoundFilter, query GroupFilter, query Paging) -> 200 Page<BoundUser> [5201 5206];
    }
    "Devices" {
        "Get the did of a MAC"
        get_v1_products_product_key_devices GET Token []
            "/v1/products/{product_key}/devices"
            => devices::by_mac(query Mac) -> 200 DeviceKey [5301];
        "Get a device's registration"
        get_v1_products_product_key_device_detail GET Token []
            "/v1/products/{product_key}/device_detail"
            => devices::detail(query Mac) -> 200 DeviceDetail [5301];
        "Search devices"
        get_v1_products_product_key_devices_search GET Token []
            "/v1/products/{product_key}/devices/search"
            => devices::search(query DeviceFilter, query StateFilter, query LocationFilter, query GroupFilter, query Paging) -> 200 Page<SearchedDevice> [5201 5206];
        "Control a device"
        post_v1_products_product_key_devices_did_control POST Token []
            "/v1/products/{product_key}/devices/{did}/control"
            => control::control(body Control) -> 200 Nothing [5001 5301 5302 5304 5305 5401 5402 5404 5405 5406 5408];
        "Get when a device was online"
        get_v1_products_product_key_devices_did_online GET Token [unpublished]
            "/v1/products/{product_key}/devices/{did}/online"
            => logs::online(query Window, query Paging) -> 200 Page<OnlineRecord> [5301 5302];
        "Get the frames to and from a device"
        get_v1_products_product_key_devices_did_cmd GET Token [unpublished]
            "/v1/products/{product_key}/devices/{did}/cmd"
            => logs::cmd(query Window, query Paging) -> 200 Page<CmdRecord> [5301 5302];
        "Get what a device reported"
        get_v1_products_product_key_devices_did_data GET Token [unpublished]
            "/v1/products/{product_key}/devices/{did}/data"
            => logs::data(query Window, query Paging) -> 200 Page<DataRecord> [5301 5302];
    }
    "Groups" {
        "Get the tree of groups"
        get_v1_products_product_key_device_groups GET Token []
            "/v1/products/{product_key}/device_groups"
            => groups::tree() -> 200 GroupTree [];
        "Make a group"
        post_v1_products_product_key_device_groups POST Token []
            "/v1/products/{product_key}/device_groups"
            => groups::create(body NewGroup) -> 201 Gid [5001 5201 5202 5203];
        "Delete a group"
        delete_v1_products_product_key_device_groups_gid DELETE Token []
            "/v1/products/{product_key}/device_groups/{gid}"
            => groups::delete() -> 200 Nothing [5201 5204 5205 5206];
        "Get the MACs of a group"
        get_v1_products_product_key_device_groups_gid GET Token []
            "/v1/products/{product_key}/device_groups/{gid}"
            => groups::macs() -> 200 Macs [5201 5206];
        "Put devices into a group, or take them out"
        put_v1_products_product_key_device_groups_gid PUT Token []
            "/v1/products/{product_key}/device_groups/{gid}"
            => groups::change(body GroupChange) -> 200 Outcomes [5001 5201 5206];
    }
    "Bindings" {
        "Bind devices to a user"
        post_v1_products_product_key_devices_bindings POST Token []
            "/v1/products/{product_key}/devices/bindings"
            => bindings::bind(body BindingChange) -> 200 Outcomes [5001 5016 5017];
        "Unbind devices from a user"
        delete_v1_products_product_key_devices_bindings DELETE Token []
            "/v1/products/{product_key}/devices/bindings"
            => bindings::unbind(body BindingChange) -> 200 Outcomes [5001 5016 5017];
    }
    "Device reports" {
        "Count devices that were first online"
        get_v1_products_product_key_devices_report_activation GET Token []
            "/v1/products/{product_key}/devices/report/activation"
            => device_reports::activation(query Periods, query GroupFilter) -> 200 History [5014 5201 5206];
        "Count devices by place"
        get_v1_products_product_key_devices_locations GET Token []
            "/v1/products/{product_key}/devices/locations"
            => device_reports::locations(query StateFilter, query GroupFilter) -> 200 Locations [5201 5206];
        "Get a product's devices in figures"
        get_v1_products_product_key_summary GET Token [domestic]
            "/v1/products/{product_key}/devices/summary"
            "/v1/products/{product_key}/summary"
            => device_reports::summary() -> 200 Summary [];
        "Get the devices that were first online on some days"
        get_v1_products_product_key_incr_devices GET Token [domestic]
            "/v1/products/{product_key}/incr_devices"
            => device_reports::new_devices(query Days, query LocationFilter, query Paging) -> 200 Page<DeviceOfDay> [5014];
        "Get the devices that reported on some days"
        get_v1_products_product_key_active_devices GET Token [domestic]
            "/v1/products/{product_key}/active_devices"
            => device_reports::active_devices(query Days, query LocationFilter, query Paging) -> 200 Page<DeviceOfDay> [5014];
        "Count devices that reported"
        get_v1_products_product_key_devices_report_liveness_history GET Token [domestic]
            "/v1/products/{product_key}/devices/report/liveness/history"
            => device_reports::liveness(query PeriodRange, query GroupFilter) -> 200 History [5014 5201 5206];
        "Count devices by state"
        get_v1_products_product_key_devices_report_rt GET Token []
            "/v1/products/{product_key}/devices/report/rt"
            "/v1/products/{product_key}/devices/report/devices/report/rt"
            => device_reports::realtime(query GroupFilter) -> 200 Realtime [5201 5206];
        "Count devices that had faults"
        get_v1_products_product_key_fault_report_devices GET Token [domestic]
            "/v1/products/{product_key}/fault/report/devices"
            => device_reports::troubled::<true>(query GroupFilter) -> 200 Troubled [5201 5206];
        "Count devices that had alerts"
        get_v1_products_product_key_alert_report_devices GET Token [domestic]
            "/v1/products/{product_key}/alert/report/devices"
            => device_reports::troubled::<false>(query GroupFilter) -> 200 Troubled [5201 5206];
        "Count faults"
        get_v1_products_product_key_fault_report_events GET Token [domestic]
            "/v1/products/{product_key}/fault/report/events"
            => device_reports::troubles::<true>(query GroupFilter) -> 200 Troubles [5201 5206];
        "Count alerts"
        get_v1_products_product_key_fault_alert_events GET Token [domestic]
            "/v1/products/{product_key}/alert/report/events"
            "/v1/products/{product_key}/fault/alert/events"
            => device_reports::troubles::<false>(query GroupFilter) -> 200 Troubles [5201 5206];
    }
    "User reports" {
        "Count users who bound their first device"
        get_v1_products_product_key_users_report_new GET Token [domestic]
            "/v1/products/{product_key}/users/report/new"
            => user_reports::new_users(query PeriodRange, query GroupFilter) -> 200 History [5014 5201 5206];
        "Count users who opened an app, by day"
        get_v1_users_liveness_total GET EnterpriseAndSecret []
            "/v1/users/liveness_total"
            => user_reports::liveness(query EitherKey, query AppFilter, query Dates) -> 200 UserLiveness [5005 5014 5015 5016 5801];
        "Count users by place"
        get_v1_users_location GET EnterpriseAndSecret []
            "/v1/users/location"
            => user_reports::locations(query EitherKey) -> 200 LocationTree<Count> [5005 5015 5801];
        "Count users who ever had a device"
        get_v1_products_product_key_users_report_total GET Token []
            "/v1/products/{product_key}/users/report/total"
            => user_reports::total(query GroupFilter) -> 200 UserTotal [5201 5206];
    }
}
