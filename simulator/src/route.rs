//! The routes, in one table, and what every call goes through before its handler.
//!
//! The order of the checks: the route; the list of addresses (5012); the quota (5013); the credentials
//! (5009, 5011, 5010; 5003, 5004); the product (5015) and whose it is (5007); what is closed (5024); then
//! the handler's: the body (5001), its fields (5002), the objects, the action.

use std::net::IpAddr;

use rusqlite::{OptionalExtension as _, params};

use crate::bindings::Wanted;
use crate::call::{self, Call, Enterprise, Nothing, Reply};
use crate::control::Control;
use crate::device_reports::{
    Days, DeviceOfDay, History, Locations, Periods, Realtime, Span, Summary, Troubled, Troubles,
};
use crate::devices::{DeviceDetail, DeviceKey, FoundDevice, Mac, Place, State};
use crate::error::{Failure, Refusal};
use crate::groups::{Done, Gid, Group, GroupChange, GroupTree, Macs, NewGroup};
use crate::http::{self, Answer, Request};
use crate::logs::{CmdRecord, DataRecord, OnlineRecord, Window};
use crate::mode::{Mode, Modes};
use crate::openapi::Description;
use crate::page::{Page, Paging};
use crate::products::{AccessToken, Credentials, Datapoint};
use crate::store::{Store, from_json};
use crate::tree::{Count, Tree};
use crate::user_reports::{Dates, UserLiveness, UserTotal};
use crate::users::{App, BoundUser, EitherKey, ProductKey, RegisteredUser, Who};
use crate::{
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
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Route {
    /// The name that the page lists it under.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// The part of the page's list that it is in.
    pub group: &'static str,
    /// The method.
    pub method: &'static str,
    /// Its paths: the likely one, then those that the page prints or that its name would give.
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
    handler: fn(&Call<'_>) -> Result<Reply, Failure>,
    pub(crate) describe: fn(&mut Description),
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.paths.first().unwrap_or(&""))
    }
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

/// What a handler takes and answers is said here once: calls are read by it and described by it.
macro_rules! routes {
    ($($group:literal { $(
        $summary:literal
        $name:ident $method:ident $auth:ident [$($flag:ident)*] $($path:literal)+
            => $module:ident::$handler:ident($($from:ident $asked:ty),*) -> $status:literal $answer:ty [$($code:literal)*];
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
                let answer: $answer = $module::$handler(call, $(call.$from::<$asked>()?),*)?;
                Reply::new($status, &answer)
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
            => users::registered(query ProductKey, query App, query Who, query Paging) -> 200 Page<RegisteredUser> [5015 5016 5801];
        "Search the users who have a product's devices"
        get_v1_products_product_key_users_search GET Token []
            "/v1/products/{product_key}/users/search"
            => users::bound(query users::Sought, query Group, query Paging) -> 200 Page<BoundUser> [5201 5206];
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
            => devices::search(query devices::Sought, query State, query Place, query Group, query Paging) -> 200 Page<FoundDevice> [5201 5206];
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
            => groups::change(body GroupChange) -> 200 Done [5001 5201 5206];
    }
    "Bindings" {
        "Bind devices to a user"
        post_v1_products_product_key_devices_bindings POST Token []
            "/v1/products/{product_key}/devices/bindings"
            => bindings::bind(body Wanted) -> 200 Done [5001 5016 5017];
        "Unbind devices from a user"
        delete_v1_products_product_key_devices_bindings DELETE Token []
            "/v1/products/{product_key}/devices/bindings"
            => bindings::unbind(body Wanted) -> 200 Done [5001 5016 5017];
    }
    "Device reports" {
        "Count devices that were first online"
        get_v1_products_product_key_devices_report_activation GET Token []
            "/v1/products/{product_key}/devices/report/activation"
            => device_reports::activation(query Periods, query Group) -> 200 History [5014 5201 5206];
        "Count devices by place"
        get_v1_products_product_key_devices_locations GET Token []
            "/v1/products/{product_key}/devices/locations"
            => device_reports::locations(query State, query Group) -> 200 Locations [5201 5206];
        "Get a product's devices in figures"
        get_v1_products_product_key_summary GET Token [domestic]
            "/v1/products/{product_key}/devices/summary"
            "/v1/products/{product_key}/summary"
            => device_reports::summary() -> 200 Summary [];
        "Get the devices that were first online on some days"
        get_v1_products_product_key_incr_devices GET Token [domestic]
            "/v1/products/{product_key}/incr_devices"
            => device_reports::new_devices(query Days, query Place, query Paging) -> 200 Page<DeviceOfDay> [5014];
        "Get the devices that reported on some days"
        get_v1_products_product_key_active_devices GET Token [domestic]
            "/v1/products/{product_key}/active_devices"
            => device_reports::active_devices(query Days, query Place, query Paging) -> 200 Page<DeviceOfDay> [5014];
        "Count devices that reported"
        get_v1_products_product_key_devices_report_liveness_history GET Token [domestic]
            "/v1/products/{product_key}/devices/report/liveness/history"
            => device_reports::liveness(query Span, query Group) -> 200 History [5014 5201 5206];
        "Count devices by state"
        get_v1_products_product_key_devices_report_rt GET Token []
            "/v1/products/{product_key}/devices/report/rt"
            "/v1/products/{product_key}/devices/report/devices/report/rt"
            => device_reports::realtime(query Group) -> 200 Realtime [5201 5206];
        "Count devices that had faults"
        get_v1_products_product_key_fault_report_devices GET Token [domestic]
            "/v1/products/{product_key}/fault/report/devices"
            => device_reports::faulty(query Group) -> 200 Troubled [5201 5206];
        "Count devices that had alerts"
        get_v1_products_product_key_alert_report_devices GET Token [domestic]
            "/v1/products/{product_key}/alert/report/devices"
            => device_reports::alerting(query Group) -> 200 Troubled [5201 5206];
        "Count faults"
        get_v1_products_product_key_fault_report_events GET Token [domestic]
            "/v1/products/{product_key}/fault/report/events"
            => device_reports::faults(query Group) -> 200 Troubles [5201 5206];
        "Count alerts"
        get_v1_products_product_key_fault_alert_events GET Token [domestic]
            "/v1/products/{product_key}/alert/report/events"
            "/v1/products/{product_key}/fault/alert/events"
            => device_reports::alerts(query Group) -> 200 Troubles [5201 5206];
    }
    "User reports" {
        "Count users who bound their first device"
        get_v1_products_product_key_users_report_new GET Token [domestic]
            "/v1/products/{product_key}/users/report/new"
            => user_reports::new_users(query Span, query Group) -> 200 History [5014 5201 5206];
        "Count users who opened an app, by day"
        get_v1_users_liveness_total GET EnterpriseAndSecret []
            "/v1/users/liveness_total"
            => user_reports::liveness(query EitherKey, query App, query Dates) -> 200 UserLiveness [5005 5014 5015 5016 5801];
        "Count users by place"
        get_v1_users_location GET EnterpriseAndSecret []
            "/v1/users/location"
            => user_reports::locations(query EitherKey) -> 200 Tree<Count> [5005 5015 5801];
        "Count users who ever had a device"
        get_v1_products_product_key_users_report_total GET Token []
            "/v1/products/{product_key}/users/report/total"
            => user_reports::total(query Group) -> 200 UserTotal [5201 5206];
    }
}

/// A route that fits, with which of its paths and its parameters.
type Match = (&'static Route, usize, Vec<(&'static str, String)>);

/// The route of a call, or the methods of its path.
fn find(method: &str, path: &str) -> Result<Match, Vec<&'static str>> {
    let mut others = Vec::new();
    let segments: Vec<&str> = path.split('/').collect();
    for route in ROUTES {
        for (index, template) in route.paths.iter().enumerate() {
            if let Some(params) = fit(template, &segments) {
                if route.method == method {
                    return Ok((route, index, params));
                }
                others.push(route.method);
            }
        }
    }
    Err(others)
}

fn fit(template: &'static str, segments: &[&str]) -> Option<Vec<(&'static str, String)>> {
    let mut params = Vec::new();
    let mut parts = template.split('/');
    let mut given = segments.iter();
    loop {
        match (parts.next(), given.next()) {
            (None, None) => return Some(params),
            (Some(part), Some(segment)) => {
                let name = part
                    .strip_prefix('{')
                    .and_then(|part| part.strip_suffix('}'));
                match name {
                    Some(name) => {
                        let value = http::decode(segment, false)?;
                        // No path is a value: what a proxy makes of these is not to be relied on.
                        if value.is_empty() || value.contains(['/', '\\', '\0']) {
                            return None;
                        }
                        params.push((name, value));
                    }
                    None if part == *segment => {}
                    None => return None,
                }
            }
            _ => return None,
        }
    }
}

/// An address, or a network as `10.0.0.0/8`.
pub(crate) fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address.parse().ok()?, Some(bits.parse::<u8>().ok()?)),
        None => (text.parse().ok()?, None),
    };
    let most = if IpAddr::is_ipv4(&address) { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

fn within(peer: IpAddr, (net, bits): (IpAddr, u8)) -> bool {
    let wide = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let ((one, width), (other, other_width)) = (wide(peer.to_canonical()), wide(net));
    let free = u32::from(width - bits.min(width));
    let cut = |address: u128| address.checked_shr(free).unwrap_or(0);
    width == other_width && cut(one) == cut(other)
}

/// What is left of the quota.
struct Quota {
    limit: i64,
    remaining: i64,
    reset: i64,
}

const HOUR: i64 = 3_600_000;

impl Store {
    /// Answers a call as of `now`.
    pub(crate) fn answer(&mut self, request: &Request, now: i64) -> Answer {
        let mut answer = match self.try_answer(request, now) {
            Ok(answer) => answer,
            // What the database says of itself is not for callers; of what kind it is may be.
            Err(error) => {
                let kind = error.sqlite_error_code();
                let kind = kind.map_or("no answer".to_owned(), |code| format!("{code:?}"));
                let refusal = Refusal::because(5409, format!("the simulator's database: {kind}"));
                let body = serde_json::to_vec(&refusal.body()).unwrap_or_default();
                Answer::json(refusal.status(), body)
            }
        };
        if answer.header("date").is_none() {
            answer.headers.push(("date", http::date(now)));
        }
        answer
    }

    fn try_answer(&mut self, request: &Request, now: i64) -> Result<Answer, rusqlite::Error> {
        let (route, path, params) = match find(&request.method, request.path()) {
            Ok(found) => found,
            Err(methods) if methods.is_empty() => return Ok(Answer::html(404, "Not Found")),
            Err(methods) => {
                let mut answer = Answer::html(405, "Method Not Allowed");
                answer.headers.push(("allow", methods.join(", ")));
                return Ok(answer);
            }
        };
        let definitions = &self.definitions;
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        crate::device::World {
            connection: &transaction,
            seed: self.seed,
            definitions,
        }
        .advance(now)?;
        let modes = modes(&transaction, route.name)?;
        if modes.closes(path) || modes.has(&Mode::Html502) {
            transaction.commit()?;
            let mut answer = match modes.closes(path) {
                true => Answer::html(404, "Not Found"),
                false => Answer::html(502, "Bad Gateway"),
            };
            answer.delay = modes.delay();
            return Ok(answer);
        }
        let mut call = Call {
            connection: &transaction,
            definitions,
            seed: self.seed,
            live_reports: self.live_reports,
            group_descendants: self.group_descendants,
            now,
            request,
            modes: &modes,
            pairs: Vec::new(),
            params,
            product: None,
            enterprise: None,
        };
        let (quota, reply) = match claimed(&mut call, route) {
            Ok(claimed) => {
                let mut quota = None;
                let reply = serve(&mut call, route, claimed, &mut quota);
                (quota, reply)
            }
            Err(failure) => (None, Err(failure)),
        };
        let answer = match reply {
            Ok(reply) => Answer::json(reply.status, reply.body),
            Err(Failure::Refused(refusal)) => {
                debug_assert!(
                    modes.error().is_some() || route.codes().contains(&refusal.code),
                    "{} does not say that it refuses with {}",
                    route.name,
                    refusal.code
                );
                let body = serde_json::to_vec(&refusal.body()).unwrap_or_default();
                Answer::json(refusal.status(), body)
            }
            Err(Failure::Database(error)) => return Err(error),
        };
        drop(call);
        transaction.commit()?;
        Ok(finish(answer, &modes, quota, now))
    }
}

fn finish(mut answer: Answer, modes: &Modes, quota: Option<Quota>, now: i64) -> Answer {
    let skew = modes.skew();
    let seen = now.saturating_add(skew);
    answer.headers.push(("date", http::date(seen)));
    if !modes.has(&Mode::NoRateHeaders) {
        let quota = quota.unwrap_or(Quota {
            limit: 3600,
            remaining: 3600,
            reset: (now / HOUR + 1) * HOUR,
        });
        let reset = quota.reset.saturating_add(skew).div_euclid(1000);
        for (name, value) in [
            ("x-ratelimit-limit", quota.limit),
            ("x-ratelimit-remaining", quota.remaining),
            ("x-ratelimit-reset", reset),
        ] {
            answer.headers.push((name, value.to_string()));
        }
    }
    modes.apply(&mut answer);
    answer
}

/// The modes of a route; those for a number of calls are used up by it.
fn modes(connection: &rusqlite::Connection, route: &str) -> Result<Modes, rusqlite::Error> {
    let rows: Vec<(i64, String, Option<i64>)> = connection
        .prepare_cached("SELECT id, mode, remaining FROM mode WHERE route IN (?, '*') ORDER BY id")?
        .query_map([route], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let mut modes = Modes::default();
    for (id, mode, remaining) in rows {
        modes.0.push(from_json(1, &mode)?);
        match remaining {
            None => {}
            Some(..=1) => {
                connection
                    .prepare_cached("DELETE FROM mode WHERE id = ?")?
                    .execute([id])?;
            }
            Some(_) => {
                connection
                    .prepare_cached("UPDATE mode SET remaining = remaining - 1 WHERE id = ?")?
                    .execute([id])?;
            }
        }
    }
    Ok(modes)
}

/// Who a body says it is of.
#[derive(serde::Deserialize)]
struct Claim {
    enterprise_id: String,
}

/// The enterprise that a call says it is of: its addresses and quota come before its credentials.
fn claimed(call: &mut Call<'_>, route: &Route) -> Result<Option<Enterprise>, Failure> {
    let id = match route.auth {
        Auth::Body => call.body::<Claim>().ok().map(|claim| claim.enterprise_id),
        Auth::Token => None,
        _ => call
            .request
            .only("x-gizwits-enterprise-id")
            .map(str::to_owned),
    };
    if let Some(id) = id {
        return call.enterprise_of(&id);
    }
    call.product = call.product_of(call.product_key())?;
    let product = call.product.as_ref();
    match product.and_then(|product| product.enterprise.as_deref()) {
        Some(id) => call.enterprise_of(id),
        None => Ok(None),
    }
}

/// All checks, then the handler.
fn serve(
    call: &mut Call<'_>,
    route: &Route,
    claimed: Option<Enterprise>,
    quota: &mut Option<Quota>,
) -> Result<Reply, Failure> {
    if let Some(enterprise) = &claimed {
        let mut nets = enterprise.allow.split_whitespace().filter_map(network);
        let allowed = enterprise.allow.is_empty() || nets.any(|net| within(call.request.peer, net));
        let counted = count(call, enterprise, allowed)?;
        let over = counted.remaining < 0;
        *quota = Some(Quota {
            remaining: counted.remaining.max(0),
            ..counted
        });
        if !allowed {
            return Err(Refusal::new(5012).into());
        }
        if over {
            return Err(Refusal::new(5013).into());
        }
    }
    if call.modes.has(&Mode::TokenRevoked) {
        call.connection
            .prepare_cached("DELETE FROM token WHERE product = ?")?
            .execute([call.product_key()])?;
    }
    if let Some(code) = call.modes.error() {
        return Err(Refusal::because(code, "asked for").into());
    }
    call.enterprise = match route.auth {
        Auth::Body => None,
        Auth::Token => Some(by_token(call, claimed)?),
        Auth::Enterprise => Some(by_headers(call, claimed, false)?),
        Auth::EnterpriseAndSecret => Some(by_headers(call, claimed, true)?),
    };
    if route.auth == Auth::Token {
        let product = call.product()?;
        let enterprise = call.enterprise.as_ref();
        if product.enterprise.as_ref() != enterprise.map(|enterprise| &enterprise.id) {
            return Err(Refusal::new(5007).into());
        }
        if route.domestic && enterprise.is_some_and(|enterprise| enterprise.overseas) {
            return Err(Refusal::because(5024, "in China alone").into());
        }
        if route.unpublished && product.published && !product.open_logs {
            return Err(Refusal::because(5024, "not of a published product").into());
        }
    }
    match call::pairs(call.request.query()) {
        Some(pairs) => call.pairs = pairs,
        None => return Err(Refusal::because(5002, "the query is not sound").into()),
    }
    // What a refused call did is taken back; that it was counted is not.
    call.connection
        .prepare_cached("SAVEPOINT call")?
        .execute([])?;
    let reply = (route.handler)(call);
    if reply.is_err() {
        call.connection
            .prepare_cached("ROLLBACK TO call")?
            .execute([])?;
    }
    call.connection
        .prepare_cached("RELEASE call")?
        .execute([])?;
    reply
}

/// Counts a call; below zero remain if it is one too many, which is not counted.
fn count(call: &Call<'_>, enterprise: &Enterprise, allowed: bool) -> Result<Quota, Failure> {
    let hour = call.now.div_euclid(HOUR);
    let calls = match enterprise.hour == hour {
        true => enterprise.calls,
        false => 0,
    };
    let mut remaining = enterprise.quota.saturating_sub(calls);
    if allowed {
        remaining = remaining.saturating_sub(1);
        if remaining >= 0 {
            call.connection
                .prepare_cached("UPDATE enterprise SET hour = ?, calls = ? WHERE id = ?")?
                .execute(params![hour, calls.saturating_add(1), enterprise.id])?;
        }
    }
    Ok(Quota {
        limit: enterprise.quota,
        remaining,
        reset: hour.saturating_add(1).saturating_mul(HOUR),
    })
}

fn by_token(call: &Call<'_>, claimed: Option<Enterprise>) -> Result<Enterprise, Failure> {
    let header = call.request.only("authorization").unwrap_or("");
    let mut words = header.split_ascii_whitespace();
    let (Some("token"), Some(token), None) = (words.next(), words.next(), words.next()) else {
        return Err(Refusal::because(5009, "`Authorization: token <token>` is expected").into());
    };
    let found = call
        .connection
        .prepare_cached("SELECT product, enterprise, expires FROM token WHERE value = ?")?
        .query_row([token], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, i64>(2)?,
            ))
        })
        .optional()?;
    let Some((product, enterprise, expires)) = found else {
        return Err(Refusal::new(5009).into());
    };
    if call.now > expires {
        return Err(Refusal::new(5011).into());
    }
    if product != call.product_key() {
        return Err(Refusal::new(5010).into());
    }
    let known = match claimed.filter(|claimed| claimed.id == enterprise) {
        Some(claimed) => Some(claimed),
        None => call.enterprise_of(&enterprise)?,
    };
    known.ok_or_else(|| Refusal::new(5009).into())
}

fn by_headers(
    call: &Call<'_>,
    claimed: Option<Enterprise>,
    secret_needed: bool,
) -> Result<Enterprise, Failure> {
    let given = call.request.only("x-gizwits-enterprise-id").is_some();
    let (true, Some(enterprise)) = (given, claimed) else {
        return Err(Refusal::new(5003).into());
    };
    let name = "x-gizwits-enterprise-secret";
    let absent = call.request.headers.iter().all(|(one, _)| one != name);
    let right = match call.request.only(name) {
        Some(secret) => secret == enterprise.secret,
        None => absent && !secret_needed,
    };
    match right {
        true => Ok(enterprise),
        false => Err(Refusal::new(5004).into()),
    }
}
