//! The endpoints, each path once.
//!
//! Where the page's detail section contradicts its list, the first template is the likely path and
//! the others are tried when the server has no such route.

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    GET,
    /// Creates, or acts.
    POST,
    /// Changes.
    PUT,
    /// Removes.
    DELETE,
}

impl Method {
    /// As it stands in the request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
        }
    }
}

/// How a request shows who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Auth {
    /// The credentials are in the body.
    Body,
    /// `Authorization: token …`, a token of the product.
    Token,
    /// `X-Gizwits-Enterprise-ID` and `X-Gizwits-Enterprise-Secret`.
    Enterprise,
}

/// One endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Endpoint {
    /// The name that the page lists it under.
    pub id: &'static str,
    /// The method.
    pub method: Method,
    /// The paths, most likely first.
    pub templates: &'static [&'static str],
    /// How it is authorized.
    pub auth: Auth,
    /// Whether a second request does no harm and answers the same. Not so for the writes: a MAC that
    /// is assigned twice comes back as failed.
    pub repeatable: bool,
    /// The method of this crate that calls it.
    pub function: &'static str,
}

impl Endpoint {
    /// The most likely path.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.templates.first().copied().unwrap_or_default()
    }
}

macro_rules! repeats {
    (repeatable) => {
        true
    };
    (once) => {
        false
    };
}

macro_rules! endpoints {
    ($($name:ident $id:literal $method:ident $auth:ident $repeatable:ident
        [$first:literal $($more:literal)*] $function:literal)*) => {
        $(
            #[doc = concat!("`", stringify!($method), " ", $first, "`, called by `", $function, "`.")]
            pub const $name: Endpoint = Endpoint {
                id: $id,
                method: Method::$method,
                templates: &[$first $(, $more)*],
                auth: Auth::$auth,
                repeatable: repeats!($repeatable),
                function: $function,
            };
        )*

        /// All of them, in the order of the page's list.
        pub const ALL: &[Endpoint] = &[$($name),*];

        /// Method, path and listed name of an endpoint, for the documentation of what calls it.
        macro_rules! page {
            $(($name) => {
                concat!("\n\n`", stringify!($method), " ", $first, "`  \nListed as `", $id, "`.")
            };)*
        }
    };
}

endpoints! {
    ACCESS_TOKEN "post_v1_products_product_key_access_token" POST Body repeatable
        ["/v1/products/{product_key}/access_token"] "product.access_token()"
    DATAPOINT "get_v1_products_product_key_datapoint" GET Token repeatable
        ["/v1/products/{product_key}/datapoint"] "product.datapoint()"
    USERS "get_v1_users_search" GET Enterprise repeatable
        ["/v1/users/search"] "product.users().registered()"
    BOUND_USERS "get_v1_products_product_key_users_search" GET Token repeatable
        ["/v1/products/{product_key}/users/search"] "product.users().bound()"
    DEVICE_BY_MAC "get_v1_products_product_key_devices" GET Token repeatable
        ["/v1/products/{product_key}/devices"] "product.devices().by_mac(mac)"
    DEVICE_DETAIL "get_v1_products_product_key_device_detail" GET Token repeatable
        ["/v1/products/{product_key}/device_detail"] "product.devices().detail(mac)"
    DEVICES "get_v1_products_product_key_devices_search" GET Token repeatable
        ["/v1/products/{product_key}/devices/search"] "product.devices().search()"
    CONTROL "post_v1_products_product_key_devices_did_control" POST Token once
        ["/v1/products/{product_key}/devices/{did}/control"] "product.device(did).control(attrs)"
    ONLINE "get_v1_products_product_key_devices_did_online" GET Token repeatable
        ["/v1/products/{product_key}/devices/{did}/online"] "product.device(did).online()"
    CMD "get_v1_products_product_key_devices_did_cmd" GET Token repeatable
        ["/v1/products/{product_key}/devices/{did}/cmd"] "product.device(did).cmd_log()"
    DATA "get_v1_products_product_key_devices_did_data" GET Token repeatable
        ["/v1/products/{product_key}/devices/{did}/data"] "product.device(did).data()"
    GROUPS "get_v1_products_product_key_device_groups" GET Token repeatable
        ["/v1/products/{product_key}/device_groups"] "product.groups().tree()"
    CREATE_GROUP "post_v1_products_product_key_device_groups" POST Token once
        ["/v1/products/{product_key}/device_groups"] "product.groups().create()"
    DELETE_GROUP "delete_v1_products_product_key_device_groups_gid" DELETE Token once
        ["/v1/products/{product_key}/device_groups/{gid}"] "product.group(gid).delete()"
    GROUP_MACS "get_v1_products_product_key_device_groups_gid" GET Token repeatable
        ["/v1/products/{product_key}/device_groups/{gid}"] "product.group(gid).macs()"
    CHANGE_GROUP "put_v1_products_product_key_device_groups_gid" PUT Token once
        ["/v1/products/{product_key}/device_groups/{gid}"] "product.group(gid).assign(macs)"
    BIND "post_v1_products_product_key_devices_bindings" POST Token once
        ["/v1/products/{product_key}/devices/bindings"] "product.bindings().bind(uid, appid, dids)"
    UNBIND "delete_v1_products_product_key_devices_bindings" DELETE Token once
        ["/v1/products/{product_key}/devices/bindings"] "product.bindings().unbind(uid, appid, dids)"
    ACTIVATION "get_v1_products_product_key_devices_report_activation" GET Token repeatable
        ["/v1/products/{product_key}/devices/report/activation"] "product.device_reports().activation()"
    LOCATIONS "get_v1_products_product_key_devices_locations" GET Token repeatable
        ["/v1/products/{product_key}/devices/locations"] "product.device_reports().locations()"
    SUMMARY "get_v1_products_product_key_summary" GET Token repeatable
        ["/v1/products/{product_key}/devices/summary" "/v1/products/{product_key}/summary"]
        "product.device_reports().summary()"
    NEW_DEVICES "get_v1_products_product_key_incr_devices" GET Token repeatable
        ["/v1/products/{product_key}/incr_devices"] "product.device_reports().new_devices()"
    ACTIVE_DEVICES "get_v1_products_product_key_active_devices" GET Token repeatable
        ["/v1/products/{product_key}/active_devices"] "product.device_reports().active_devices()"
    LIVENESS "get_v1_products_product_key_devices_report_liveness_history" GET Token repeatable
        ["/v1/products/{product_key}/devices/report/liveness/history"]
        "product.device_reports().liveness(span)"
    REALTIME "get_v1_products_product_key_devices_report_rt" GET Token repeatable
        ["/v1/products/{product_key}/devices/report/rt"
         "/v1/products/{product_key}/devices/report/devices/report/rt"]
        "product.device_reports().realtime()"
    FAULT_DEVICES "get_v1_products_product_key_fault_report_devices" GET Token repeatable
        ["/v1/products/{product_key}/fault/report/devices"] "product.device_reports().fault_devices()"
    ALERT_DEVICES "get_v1_products_product_key_alert_report_devices" GET Token repeatable
        ["/v1/products/{product_key}/alert/report/devices"] "product.device_reports().alert_devices()"
    FAULT_EVENTS "get_v1_products_product_key_fault_report_events" GET Token repeatable
        ["/v1/products/{product_key}/fault/report/events"] "product.device_reports().fault_events()"
    ALERT_EVENTS "get_v1_products_product_key_fault_alert_events" GET Token repeatable
        ["/v1/products/{product_key}/alert/report/events"
         "/v1/products/{product_key}/fault/alert/events"]
        "product.device_reports().alert_events()"
    NEW_USERS "get_v1_products_product_key_users_report_new" GET Token repeatable
        ["/v1/products/{product_key}/users/report/new"] "product.user_reports().new_users(span)"
    USER_LIVENESS "get_v1_users_liveness_total" GET Enterprise repeatable
        ["/v1/users/liveness_total"] "product.user_reports().liveness(start, end)"
    USER_LOCATIONS "get_v1_users_location" GET Enterprise repeatable
        ["/v1/users/location"] "product.user_reports().locations()"
    USER_TOTAL "get_v1_products_product_key_users_report_total" GET Token repeatable
        ["/v1/products/{product_key}/users/report/total"] "product.user_reports().total()"
}

pub(crate) use page;
