//! The routes of the API, in one table.

use serde::Serialize;

use super::description::Description;
use crate::api::{Call, Failure, Nothing, Page, Paging, Response, refuse_because};
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

/// The credentials that a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// The id and secret of the enterprise and the secret of the product, in the body.
    Body,
    /// A token, in the header `Authorization: token …`.
    Token,
    /// The headers `X-Gizwits-Enterprise-ID` and, optionally, `X-Gizwits-Enterprise-Secret`.
    Enterprise,
    /// The headers `X-Gizwits-Enterprise-ID` and `X-Gizwits-Enterprise-Secret`.
    EnterpriseAndSecret,
}

/// A call of the API: a method, its paths and the rules for its callers.
///
/// # Examples
/// ```
/// use gizwits_simulator::ROUTES;
///
/// let control = ROUTES.iter().find(|route| route.name.ends_with("_control"));
/// assert!(control.is_some_and(|route| route.codes().contains(&5305)));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Route {
    /// The name of the route in the vendor's documents. It is also the operation id in the OpenAPI document.
    pub name: &'static str,
    /// A summary of the call in a few words.
    pub summary: &'static str,
    /// The section of the vendor's documents that describes the route.
    pub group: &'static str,
    /// The HTTP method in capital letters.
    pub method: &'static str,
    /// The paths of the route. The vendor's documents contradict themselves for some routes: the most likely path
    /// comes first, then the other paths that they print or that the name implies.
    pub paths: &'static [&'static str],
    /// The credentials that a call needs.
    pub auth: Auth,
    /// Whether the route is closed to enterprises outside China.
    pub domestic: bool,
    /// Whether the route is closed for published products.
    pub unpublished: bool,
    /// The HTTP status of a successful answer.
    pub status: u16,
    /// The error codes of the handler. [`codes`](Self::codes) also has those of the checks before the handler.
    own: &'static [u32],
    pub(super) handler: fn(&Call<'_>) -> Result<Response, Failure>,
    pub(super) describe: fn(&mut Description),
}

impl Route {
    /// Returns the documented error codes of the route, in ascending order.
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

fn reply(status: u16, body: &impl Serialize) -> Result<Response, Failure> {
    match serde_json::to_vec(body) {
        Ok(body) => Ok(Response::json(status, body)),
        Err(error) => refuse_because(5409, error.to_string()),
    }
}

// Each route names the types of its handler once. The calls are deserialized into these types, and the OpenAPI
// document describes them.
macro_rules! routes {
    ($($group:literal { $(
        $summary:literal
        $name:ident $method:ident $auth:ident [$($flag:ident)*] $($path:literal)+
            => $module:ident::$handler:ident$(::<$fault:literal>)?($($from:ident $asked:ty),*) -> $status:literal $answer:ty [$($code:literal)*];
    )* })*) => {
        /// All routes, in the order of the vendor's documents.
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
        "Search the users who bound devices of a product"
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
        "Get the log of when a device came online and went offline"
        get_v1_products_product_key_devices_did_online GET Token [unpublished]
            "/v1/products/{product_key}/devices/{did}/online"
            => logs::online(query Window, query Paging) -> 200 Page<OnlineRecord> [5301 5302];
        "Get the log of frames to and from a device"
        get_v1_products_product_key_devices_did_cmd GET Token [unpublished]
            "/v1/products/{product_key}/devices/{did}/cmd"
            => logs::cmd(query Window, query Paging) -> 200 Page<CmdRecord> [5301 5302];
        "Get the log of reported data points of a device"
        get_v1_products_product_key_devices_did_data GET Token [unpublished]
            "/v1/products/{product_key}/devices/{did}/data"
            => logs::data(query Window, query Paging) -> 200 Page<DataRecord> [5301 5302];
    }
    "Groups" {
        "Get the tree of groups"
        get_v1_products_product_key_device_groups GET Token []
            "/v1/products/{product_key}/device_groups"
            => groups::tree() -> 200 GroupTree [];
        "Create a group"
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
        "Add devices to a group or remove them"
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
        "Count new devices by day, week or month"
        get_v1_products_product_key_devices_report_activation GET Token []
            "/v1/products/{product_key}/devices/report/activation"
            => device_reports::activation(query Periods, query GroupFilter) -> 200 History [5014 5201 5206];
        "Count devices by location"
        get_v1_products_product_key_devices_locations GET Token []
            "/v1/products/{product_key}/devices/locations"
            => device_reports::locations(query StateFilter, query GroupFilter) -> 200 Locations [5201 5206];
        "Get a summary of the device counts of a product"
        get_v1_products_product_key_summary GET Token [domestic]
            "/v1/products/{product_key}/devices/summary"
            "/v1/products/{product_key}/summary"
            => device_reports::summary() -> 200 Summary [];
        "List devices that were online for the first time in a range of days"
        get_v1_products_product_key_incr_devices GET Token [domestic]
            "/v1/products/{product_key}/incr_devices"
            => device_reports::new_devices(query Days, query LocationFilter, query Paging) -> 200 Page<DeviceOfDay> [5014];
        "List devices that reported in a range of days"
        get_v1_products_product_key_active_devices GET Token [domestic]
            "/v1/products/{product_key}/active_devices"
            => device_reports::active_devices(query Days, query LocationFilter, query Paging) -> 200 Page<DeviceOfDay> [5014];
        "Count devices that reported, by day, week or month"
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
        "Count users who bound their first device, by day, week or month"
        get_v1_products_product_key_users_report_new GET Token [domestic]
            "/v1/products/{product_key}/users/report/new"
            => user_reports::new_users(query PeriodRange, query GroupFilter) -> 200 History [5014 5201 5206];
        "Count users who opened an app, by day"
        get_v1_users_liveness_total GET EnterpriseAndSecret []
            "/v1/users/liveness_total"
            => user_reports::liveness(query EitherKey, query AppFilter, query Dates) -> 200 UserLiveness [5005 5014 5015 5016 5801];
        "Count users by location"
        get_v1_users_location GET EnterpriseAndSecret []
            "/v1/users/location"
            => user_reports::locations(query EitherKey) -> 200 LocationTree<Count> [5005 5015 5801];
        "Count users who ever had a device"
        get_v1_products_product_key_users_report_total GET Token []
            "/v1/products/{product_key}/users/report/total"
            => user_reports::total(query GroupFilter) -> 200 UserTotal [5201 5206];
    }
}
