//! The table of the endpoints.
//!
//! The API documentation contradicts itself about the paths of three endpoints. The first template of such
//! an endpoint is the likely path. The client tries the other one when the server has no route of that path.

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads data.
    GET,
    /// Creates an object or sends a command.
    POST,
    /// Changes an object.
    PUT,
    /// Removes an object.
    DELETE,
}

impl Method {
    /// The name of the method in an HTTP request, for example `GET`.
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

/// The credentials that a request is authorized with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Auth {
    /// The secrets of enterprise and product, in the body.
    Body,
    /// A token of the product, in the header `Authorization: token …`.
    Token,
    /// The id and the secret of the enterprise, in the headers `X-Gizwits-Enterprise-ID` and
    /// `X-Gizwits-Enterprise-Secret`.
    Enterprise,
}

/// An endpoint of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Endpoint {
    /// The name of the endpoint in the API documentation.
    pub id: &'static str,
    /// The method.
    pub method: Method,
    /// The templates of the path, the most likely one first. Parameters are in braces.
    pub templates: &'static [&'static str],
    /// The credentials that requests are authorized with.
    pub auth: Auth,
    /// Whether the client may send the request again when no answer came. True for reads and for the request
    /// of a token, false for writes: the server reports a MAC that is assigned twice as failed.
    pub repeatable: bool,
    /// The method of this crate that calls the endpoint.
    pub function: &'static str,
}

impl Endpoint {
    /// The template of the most likely path.
    ///
    /// # Examples
    /// ```
    /// use gizwits_enterprise_client::endpoint;
    ///
    /// let path = endpoint::DEVICES.path().replace("{product_key}", "0a1b2c");
    /// assert!(path.starts_with("/v1/products/0a1b2c/devices"));
    /// ```
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.templates.first().copied().unwrap_or_default()
    }
}

macro_rules! endpoints {
    ($($path:literal => $(
        $name:ident $id:literal $method:ident $auth:ident $function:literal $(or $other:literal)*,
    )+)*) => {
        $($(
            #[doc = concat!("`", stringify!($method), " ", $path, "`, called by `product.", $function, "`.")]
            pub const $name: Endpoint = Endpoint {
                id: $id,
                method: Method::$method,
                templates: &[$path $(, $other)*],
                auth: Auth::$auth,
                // The request of a token is a POST, and changes nothing.
                repeatable: matches!(Method::$method, Method::GET) || matches!(Auth::$auth, Auth::Body),
                function: concat!("product.", $function),
            };
        )+)*

        /// All endpoints, in the order of the API documentation.
        pub const ALL: &[Endpoint] = &[$($($name),+),*];

        /// The method, path and name of an endpoint, for the documentation of the function that calls it.
        macro_rules! page {
            $($(($name) => {
                concat!("\n\n`", stringify!($method), " ", $path, "`, named `", $id, "` in the API documentation.")
            };)+)*
        }
    };
}

endpoints! {
    "/v1/products/{product_key}/access_token" =>
        ACCESS_TOKEN "post_v1_products_product_key_access_token" POST Body "access_token()",
    "/v1/products/{product_key}/datapoint" =>
        DATAPOINT "get_v1_products_product_key_datapoint" GET Token "datapoint()",
    "/v1/users/search" =>
        USERS "get_v1_users_search" GET Enterprise "users().registered()",
    "/v1/products/{product_key}/users/search" =>
        BOUND_USERS "get_v1_products_product_key_users_search" GET Token "users().bound()",
    "/v1/products/{product_key}/devices" =>
        DEVICE_BY_MAC "get_v1_products_product_key_devices" GET Token "devices().by_mac(mac)",
    "/v1/products/{product_key}/device_detail" =>
        DEVICE_DETAIL "get_v1_products_product_key_device_detail" GET Token "devices().detail(mac)",
    "/v1/products/{product_key}/devices/search" =>
        DEVICES "get_v1_products_product_key_devices_search" GET Token "devices().search()",
    "/v1/products/{product_key}/devices/{did}/control" =>
        CONTROL "post_v1_products_product_key_devices_did_control" POST Token
            "device(did).control(attrs)",
    "/v1/products/{product_key}/devices/{did}/online" =>
        ONLINE "get_v1_products_product_key_devices_did_online" GET Token "device(did).online()",
    "/v1/products/{product_key}/devices/{did}/cmd" =>
        CMD "get_v1_products_product_key_devices_did_cmd" GET Token "device(did).cmd_log()",
    "/v1/products/{product_key}/devices/{did}/data" =>
        DATA "get_v1_products_product_key_devices_did_data" GET Token "device(did).data()",
    "/v1/products/{product_key}/device_groups" =>
        GROUPS "get_v1_products_product_key_device_groups" GET Token "groups().tree()",
        CREATE_GROUP "post_v1_products_product_key_device_groups" POST Token "groups().create()",
    "/v1/products/{product_key}/device_groups/{gid}" =>
        DELETE_GROUP "delete_v1_products_product_key_device_groups_gid" DELETE Token
            "group(gid).delete()",
        GROUP_MACS "get_v1_products_product_key_device_groups_gid" GET Token "group(gid).macs()",
        CHANGE_GROUP "put_v1_products_product_key_device_groups_gid" PUT Token
            "group(gid).assign(macs)",
    "/v1/products/{product_key}/devices/bindings" =>
        BIND "post_v1_products_product_key_devices_bindings" POST Token
            "bindings().bind(uid, appid, dids)",
        UNBIND "delete_v1_products_product_key_devices_bindings" DELETE Token
            "bindings().unbind(uid, appid, dids)",
    "/v1/products/{product_key}/devices/report/activation" =>
        ACTIVATION "get_v1_products_product_key_devices_report_activation" GET Token
            "device_reports().activation()",
    "/v1/products/{product_key}/devices/locations" =>
        LOCATIONS "get_v1_products_product_key_devices_locations" GET Token
            "device_reports().locations()",
    "/v1/products/{product_key}/devices/summary" =>
        SUMMARY "get_v1_products_product_key_summary" GET Token "device_reports().summary()"
            or "/v1/products/{product_key}/summary",
    "/v1/products/{product_key}/incr_devices" =>
        NEW_DEVICES "get_v1_products_product_key_incr_devices" GET Token
            "device_reports().new_devices()",
    "/v1/products/{product_key}/active_devices" =>
        ACTIVE_DEVICES "get_v1_products_product_key_active_devices" GET Token
            "device_reports().active_devices()",
    "/v1/products/{product_key}/devices/report/liveness/history" =>
        LIVENESS "get_v1_products_product_key_devices_report_liveness_history" GET Token
            "device_reports().liveness(period)",
    "/v1/products/{product_key}/devices/report/rt" =>
        REALTIME "get_v1_products_product_key_devices_report_rt" GET Token
            "device_reports().realtime()"
            or "/v1/products/{product_key}/devices/report/devices/report/rt",
    "/v1/products/{product_key}/fault/report/devices" =>
        FAULT_DEVICES "get_v1_products_product_key_fault_report_devices" GET Token
            "device_reports().fault_devices()",
    "/v1/products/{product_key}/alert/report/devices" =>
        ALERT_DEVICES "get_v1_products_product_key_alert_report_devices" GET Token
            "device_reports().alert_devices()",
    "/v1/products/{product_key}/fault/report/events" =>
        FAULT_EVENTS "get_v1_products_product_key_fault_report_events" GET Token
            "device_reports().fault_events()",
    "/v1/products/{product_key}/alert/report/events" =>
        ALERT_EVENTS "get_v1_products_product_key_fault_alert_events" GET Token
            "device_reports().alert_events()"
            or "/v1/products/{product_key}/fault/alert/events",
    "/v1/products/{product_key}/users/report/new" =>
        NEW_USERS "get_v1_products_product_key_users_report_new" GET Token
            "user_reports().new_users(period)",
    "/v1/users/liveness_total" =>
        USER_LIVENESS "get_v1_users_liveness_total" GET Enterprise
            "user_reports().liveness(start, end)",
    "/v1/users/location" =>
        USER_LOCATIONS "get_v1_users_location" GET Enterprise "user_reports().locations()",
    "/v1/products/{product_key}/users/report/total" =>
        USER_TOTAL "get_v1_products_product_key_users_report_total" GET Token
            "user_reports().total()",
}

pub(crate) use page;
