//! Checking a scenario and filling the tables from it.

use std::collections::HashSet;

use gizwits_codec_std::Product;
use rusqlite::params;
use serde_json::Value as Json;

use super::allow_list::network;
use super::random;
use super::scenario::{self, DeviceSpec, Location, Scenario, UserSpec};
use super::status;
use super::store::{Definition, Store};
use crate::error::{Error, reject};

/// The most reports and turns of behaviours in the history of a world. A new world lives through all of them before it
/// answers.
const MAX_TURNS: i64 = 10_000_000;

/// Fills the tables of a world that begins at the time `begin`.
pub(crate) fn populate(store: &mut Store, scenario: &Scenario, begin: i64) -> Result<(), Error> {
    let world = &scenario.world;
    add_enterprises(store, world)?;
    add_products(store, scenario)?;
    add_apps(store, world)?;
    store.read_definitions()?;
    check_devices(world)?;
    let uids = world.user.iter().filter_map(|user| user.uid.as_ref());
    check_unique("the uid of a user", uids)?;
    for (spec, number) in world.device.iter().zip(1..) {
        let name = spec.mac.as_ref().or(spec.device_sn.as_ref());
        let name = name.map_or("without a mac", |name| name.as_str());
        add_device(store, world.seed, (begin, number), spec)
            .map_err(|error| about(format!("device {number} ({name})"), error))?;
    }
    check_history(world)?;
    for (user, number) in world.user.iter().zip(1..) {
        add_user(store, world, (begin, number), user)
            .map_err(|error| about(format!("user {number}"), error))?;
    }
    Ok(())
}

/// Refuses a history with more than [`MAX_TURNS`].
fn check_history(world: &scenario::World) -> Result<(), Error> {
    let turns = |spec: &DeviceSpec| {
        let lived = world.history.0.saturating_sub(spec.after.0).max(0);
        let behaviours = spec.behaviours().filter(|behaviour| !behaviour.is_live());
        let spans = behaviours.map(|behaviour| behaviour.every());
        // A span is at least a second, and a history at most ten years.
        let turns = spans
            .chain([spec.report_every.0])
            .map(|every| lived / every);
        turns.sum::<i64>()
    };
    let all = world.device.iter().map(turns);
    let all = all.fold(0_i64, i64::saturating_add);
    if all > MAX_TURNS {
        return reject(format!(
            "the history has about {all} turns of devices: expected at most {MAX_TURNS}. Shorten `history`, or lengthen \
             `every` and `report_every`"
        ));
    }
    Ok(())
}

/// Prepends the part of the scenario that an error is about.
fn about(part: String, error: Error) -> Error {
    Error::Scenario(match error {
        Error::Scenario(error) => format!("{part}: {error}"),
        error => format!("{part}: {error}"),
    })
}

/// Refuses empty and repeated values.
fn check_unique<'a>(what: &str, values: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for value in values {
        if value.is_empty() {
            return reject(format!("{what} is empty"));
        }
        if !seen.insert(value) {
            return reject(format!("{what} `{value}` is used twice"));
        }
    }
    Ok(())
}

/// Refuses devices that have the same identity: a MAC or a serial number within a product, and a did.
fn check_devices(world: &scenario::World) -> Result<(), Error> {
    check_unique(
        "the did of a device",
        world.device.iter().filter_map(|device| device.did.as_ref()),
    )?;
    for product in &world.product {
        let devices = || {
            world
                .device
                .iter()
                .filter(|device| device.product == product.key)
        };
        let of = |what: &str| format!("product `{}`: the {what} of a device", product.key);
        check_unique(
            &of("mac"),
            devices().filter_map(|device| device.mac.as_ref()),
        )?;
        check_unique(
            &of("device_sn"),
            devices().filter_map(|device| device.device_sn.as_ref()),
        )?;
    }
    Ok(())
}

fn add_enterprises(store: &Store, world: &scenario::World) -> Result<(), Error> {
    let ids = world.enterprise.iter().map(|enterprise| &enterprise.id);
    check_unique("the id of an enterprise", ids)?;
    for enterprise in &world.enterprise {
        for net in &enterprise.allow {
            if network(net).is_none() {
                return reject(format!("`{net}` is neither an IP address nor a network"));
            }
        }
        store.run(
            "INSERT INTO enterprise (id, secret, quota, overseas, allow) VALUES (?, ?, ?, ?, ?)",
            params![
                enterprise.id,
                enterprise.secret,
                enterprise.quota.unwrap_or(3600),
                enterprise.overseas,
                enterprise.allow.join(" ")
            ],
        )?;
    }
    Ok(())
}

fn add_products(store: &Store, scenario: &Scenario) -> Result<(), Error> {
    let world = &scenario.world;
    let Some(first) = world.enterprise.first() else {
        return reject("expected at least one [[enterprise]]");
    };
    let keys = world.product.iter().map(|product| &product.key);
    check_unique("the key of a product", keys)?;
    for product in &world.product {
        let definition = scenario.definition(product)?;
        let definition = definition.map(|json| complete(json, product)).transpose()?;
        let enterprise = match product.enterprise.as_deref() {
            None => Some(&*first.id),
            Some("") => None,
            Some(id) if world.enterprise.iter().any(|one| one.id == id) => Some(id),
            Some(id) => return reject(format!("there is no enterprise `{id}`")),
        };
        store.run(
            "INSERT INTO product VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                product.key,
                product.secret,
                enterprise,
                product.published,
                product.open_logs,
                product.remote_control,
                definition
            ],
        )?;
    }
    Ok(())
}

/// Returns a definition with the key and the name of the scenario, without line breaks. Refuses an invalid
/// definition, unless the product is `unchecked`.
fn complete(mut json: String, product: &scenario::ProductSpec) -> Result<String, Error> {
    if let Ok(Json::Object(mut object)) = serde_json::from_str(&json) {
        object.insert("product_key".to_owned(), product.key.clone().into());
        if let Some(name) = &product.name {
            object.insert("name".to_owned(), name.clone().into());
        }
        json = Json::Object(object).to_string();
    }
    match Product::from_json(&json) {
        Err(error) if !product.unchecked => reject(format!(
            "the definition of product `{}`: {error}",
            product.key
        )),
        _ => Ok(json),
    }
}

fn add_apps(store: &Store, world: &scenario::World) -> Result<(), Error> {
    check_unique(
        "the appid of an app",
        world.app.iter().map(|app| &app.appid),
    )?;
    for app in &world.app {
        store.run("INSERT INTO app VALUES (?)", [&app.appid])?;
        let what = format!("app {}: the key of a product", app.appid);
        check_unique(&what, app.products.iter())?;
        for key in &app.products {
            if !world.product.iter().any(|product| product.key == *key) {
                return reject(format!("app {}: there is no product `{key}`", app.appid));
            }
            store.run("INSERT INTO app_product VALUES (?, ?)", [&app.appid, key])?;
        }
    }
    Ok(())
}

fn add_user(
    store: &Store,
    world: &scenario::World,
    (begin, number): (i64, i64),
    user: &UserSpec,
) -> Result<(), Error> {
    if !world.app.iter().any(|app| app.appid == user.app) {
        return reject(format!("there is no app `{}`", user.app));
    }
    let uid = user.uid.clone();
    let uid = uid.unwrap_or_else(|| random::hex32(world.seed, "uid", number));
    let at = begin.saturating_add(user.after.0);
    let location = &user.place;
    check_location(location)?;
    store.run(
        "INSERT INTO user VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            uid,
            user.app,
            user.username,
            user.phone,
            user.email,
            user.name,
            at,
            at,
            location.country,
            location.region,
            location.city,
            user.visits.map(|span| span.0.max(1000))
        ],
    )?;
    store.schedule(at, "visit", 0, &uid)?;
    for mac in &user.binds {
        let sql = "INSERT INTO pending (due, kind, subject, detail)
            SELECT max(?1, created_at), 'bind', id, ?2 FROM device
            WHERE mac = ?3 OR device_sn = ?3 ORDER BY id";
        if store.run(sql, params![at, uid, mac])? == 0 {
            return reject(format!("there is no device `{mac}`"));
        }
    }
    Ok(())
}

/// Refuses a location that reports by location can't contain: `count` and `detail` are members of their
/// objects.
fn check_location(location: &Location) -> Result<(), Error> {
    let names = [&location.country, &location.region, &location.city];
    for name in names.into_iter().flatten() {
        if matches!(name.as_str(), "" | "count" | "detail") {
            return reject(format!("a country, region or city can't be named `{name}`"));
        }
    }
    // Missing names must be the last ones.
    if !names.is_sorted_by_key(|name| name.is_none()) {
        return reject("a region needs a country, and a city needs a region");
    }
    Ok(())
}

fn check_device(spec: &DeviceSpec) -> Result<(), Error> {
    if spec.mac.is_none() == spec.device_sn.is_none() {
        return reject("expected either mac or device_sn");
    }
    check_location(&spec.place)?;
    for (name, span) in [
        ("report_every", spec.report_every),
        ("heartbeat", spec.heartbeat),
        ("keep_alive", spec.keep_alive),
    ] {
        if span.0 < 1000 {
            return reject(format!("{name} is too short: expected at least 1s"));
        }
    }
    if spec.heartbeat.0 % 1000 != 0 || spec.keep_alive.0 % 1000 != 0 {
        return reject("expected whole seconds for heartbeat and keep_alive");
    }
    if spec.heartbeat.0 > spec.keep_alive.0 {
        return reject("heartbeat is longer than keep_alive");
    }
    Ok(())
}

fn add_device(
    store: &Store,
    seed: u64,
    (begin, number): (i64, i64),
    spec: &DeviceSpec,
) -> Result<(), Error> {
    let product = match store.definitions.get(&spec.product) {
        None => return reject(format!("there is no product `{}`", spec.product)),
        Some(Definition::Sound(product)) => Some(product),
        Some(_) => None,
    };
    check_device(spec)?;
    let status = match product {
        Some(product) => status::initial(product, &spec.initial).or_else(reject)?,
        None if spec.initial.is_empty() => Vec::new(),
        None => return reject("its product has no definition for initial values"),
    };
    let did = spec.did.clone();
    let did = did.unwrap_or_else(|| random::did(seed, &format!("did {number}")));
    let passcode = spec.passcode.clone();
    let passcode = passcode.unwrap_or_else(|| random::passcode(seed, &did));
    let at = begin.saturating_add(spec.after.0);
    let location = &spec.place;
    let version = |at: usize| Some(spec.versions.as_ref()?.get(at)?.as_str());
    store.run(
        "INSERT INTO device (id, did, product, mac, device_sn, passcode, type, disabled, created_at,
            country, region, city, longitude, latitude,
            mcu_hard_version, mcu_soft_version, wifi_hard_version, wifi_soft_version,
            status, reply_after, report_every, full_every, heartbeat, keep_alive)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            number,
            did,
            spec.product,
            spec.mac,
            spec.device_sn,
            passcode,
            spec.kind.as_deref().unwrap_or("normal"),
            spec.disabled,
            at,
            location.country,
            location.region,
            location.city,
            location.longitude,
            location.latitude,
            version(0),
            version(1),
            version(2),
            version(3),
            status,
            spec.reply_after.0,
            spec.report_every.0,
            spec.full_every.unwrap_or(10),
            spec.heartbeat.0,
            spec.keep_alive.0
        ],
    )?;
    store.schedule(at, "online", number, "")?;
    for behaviour in spec.behaviours() {
        behaviour.check(product).or_else(reject)?;
        let every = behaviour.every();
        if every < 1000 {
            return reject("every is too short: expected at least 1s");
        }
        let json = serde_json::to_string(&behaviour).or_else(|error| reject(error.to_string()))?;
        if behaviour.is_live() {
            store.schedule(at.saturating_add(every), "behaviour", number, &json)?;
            continue;
        }
        let id = store.next("behaviours")?;
        // A random first turn keeps behaviours from happening all at once.
        let share = random::number(seed, &did, id.wrapping_neg()) % 1000;
        let first = every.saturating_mul(1 + share.cast_signed()) / 1000;
        store.schedule(at.saturating_add(first), "behaviour", number, &json)?;
    }
    Ok(())
}
