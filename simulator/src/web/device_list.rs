//! The list of a product's devices, with the last values of each device.

use gizwits_codec_std::core::{Access, Kind};
use gizwits_codec_std::{Attr, Product};
use rusqlite::{Row, named_params, params};
use serde_json::{Map, Value, json};

use super::position::Position;
use crate::api::decode;
use crate::world::{Sql, Store, json as json_column};

/// The maximum number of devices in a list.
const LISTED: i64 = 100;
/// The number of reports from which the last values and the trend of a device are taken.
const REPORTS: i64 = 48;

/// The devices to list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// The did after which the list begins. None: it begins with the first device.
    after: Option<String>,
    /// A text that the MAC, the did or the place contains, in lower case.
    search: String,
    /// `online`, `offline`, `trouble` (an open alert or fault) or `disabled`. Any other text: all devices.
    state: String,
}

impl Filter {
    /// Reads a query such as `after=DID&search=beijing&state=online`. Unknown parameters are ignored.
    pub(crate) fn parse(query: &str) -> Self {
        let mut filter = Filter::default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = decode(value, true).unwrap_or_default();
            match name {
                "after" => filter.after = Some(value),
                "search" => filter.search = value.to_ascii_lowercase(),
                "state" => filter.state = value,
                _ => {}
            }
        }
        filter
    }
}

/// The condition for the devices that a [`Filter`] selects.
const SELECTED: &str = "product = :product
    AND instr(lower(concat_ws(char(10), mac, did, city, region, country)), :search) > 0
    AND CASE :state WHEN 'online' THEN is_online WHEN 'offline' THEN NOT is_online
        WHEN 'trouble' THEN is_alert OR is_faulty WHEN 'disabled' THEN disabled ELSE true END";

/// SQL for the states of the devices that meet a condition: their ids, and their states as JSON objects. Times are in
/// milliseconds since 1970.
pub(crate) fn summaries(condition: &str) -> String {
    format!(
        "SELECT id, json_object('did', did, 'mac', mac, 'country', country, 'region', region, 'city', city,
            'is_online', json(iif(is_online, 'true', 'false')),
            'is_disabled', json(iif(disabled, 'true', 'false')),
            'is_faulty', json(iif(is_faulty, 'true', 'false')),
            'is_alert', json(iif(is_alert, 'true', 'false')),
            'troubles', json((SELECT json_group_array(point ORDER BY id) FROM trouble
                WHERE device = known_device.id AND cleared_at IS NULL)),
            'online_latest', online_latest, 'last_report', last_report)
         FROM known_device WHERE {condition}"
    )
}

/// The points whose values a list shows: few enough to be compared in one table.
pub(crate) struct Columns<'p> {
    attrs: Vec<&'p Attr>,
    /// The number whose trend is shown.
    trend: Option<&'p Attr>,
}

impl<'p> Columns<'p> {
    /// Chooses the first writable bool and enum, the first measured number, and the writable number before it: a set
    /// point is usually defined next to what it sets.
    pub(crate) fn of(product: Option<&'p Product>) -> Self {
        let find = |is: &dyn Fn(&Attr) -> bool| product.and_then(|one| one.attrs().find(|a| is(a)));
        let is_number = |attr: &Attr| {
            let kind = &attr.point().kind;
            matches!(kind, Kind::Uint8(_) | Kind::Uint16(_) | Kind::Uint32(_))
        };
        let is_writable = |attr: &Attr| attr.point().access == Access::Writable;
        let trend = find(&|attr| is_number(attr) && !is_writable(attr)).or(find(&is_number));
        let end = trend.map(Attr::id);
        let is_set_point =
            |attr: &&Attr| is_number(attr) && is_writable(attr) && Some(attr.id()) < end;
        let set_point = product.and_then(|one| one.attrs().rfind(is_set_point));
        let chosen = [
            find(&|attr| attr.is_bool() && is_writable(attr)),
            find(&|attr| !attr.labels().is_empty() && is_writable(attr)),
            set_point,
            trend,
        ];
        let mut attrs: Vec<&Attr> = chosen.into_iter().flatten().collect();
        attrs.sort_by_key(|attr| attr.id());
        attrs.dedup_by_key(|attr| attr.id());
        Columns { attrs, trend }
    }

    fn to_json(&self) -> Value {
        let column = |attr: &&Attr| {
            let is_trend = self.trend.is_some_and(|trend| trend.id() == attr.id());
            json!({
                "name": attr.name(),
                "title": attr.display_name(),
                "is_bool": attr.is_bool(),
                "trend": is_trend,
            })
        };
        self.attrs.iter().map(column).collect()
    }

    /// Adds the last values of the columns to the state of a device, and the trend: the numbers of the last reports,
    /// the oldest first.
    fn add_values(&self, store: &Store, device: i64, summary: &mut Value) -> Sql<()> {
        let sql = "SELECT attrs FROM data WHERE device = ? ORDER BY at DESC, id DESC LIMIT ?";
        let reports: Vec<Map<String, Value>> =
            store.rows(sql, params![device, REPORTS], |row| json_column(row, 0))?;
        let last = |attr: &&Attr| reports.iter().find_map(|one| one.get(attr.name()).cloned());
        let trend = self.trend.into_iter().flat_map(|attr| {
            let oldest_first = reports.iter().rev();
            oldest_first.filter_map(|one| one.get(attr.name()).cloned())
        });
        summary["values"] = self.attrs.iter().map(last).collect();
        summary["trend"] = trend.collect();
        Ok(())
    }
}

/// The id and the state of the device in a row of [`summaries`].
pub(crate) fn summary(row: &Row<'_>) -> Sql<(i64, Value)> {
    Ok((row.get(0)?, json_column(row, 1)?))
}

/// Adds the last values to the states of devices.
pub(crate) fn with_values(
    store: &Store,
    columns: &Columns<'_>,
    devices: Vec<(i64, Value)>,
) -> Sql<Vec<Value>> {
    let add = |(id, mut device): (i64, Value)| {
        columns.add_values(store, id, &mut device)?;
        Ok(device)
    };
    devices.into_iter().map(add).collect()
}

/// The first devices of a product that a filter selects. None if the product does not exist.
pub(crate) fn list(store: &Store, product: &str, filter: &Filter) -> Sql<Option<Value>> {
    if !store.definitions.contains_key(product) {
        return Ok(None);
    }
    let selected = named_params! {
        ":product": product, ":search": filter.search, ":state": filter.state,
    };
    let total: i64 = store.value(
        &format!("SELECT count(*) FROM known_device WHERE {SELECTED}"),
        selected,
    )?;
    let all: i64 = store.value(
        "SELECT count(*) FROM known_device WHERE product = ?",
        [product],
    )?;
    let sql = summaries(&format!(
        "{SELECTED} AND id > coalesce((SELECT id FROM device WHERE did = :after), 0) ORDER BY id LIMIT :limit"
    ));
    let values = named_params! {
        ":product": product, ":search": filter.search, ":state": filter.state,
        ":after": filter.after, ":limit": LISTED + 1,
    };
    let mut devices = store.rows(&sql, values, summary)?;
    let listed = usize::try_from(LISTED).unwrap_or(usize::MAX);
    let more = devices.len() > listed;
    devices.truncate(listed);
    let columns = Columns::of(store.product(product));
    // `place` is the position at which events continue this list. `total` is the number of selected devices, `all` that
    // of the product. `more` is true if the list is not the last.
    Ok(Some(json!({
        "place": Position::end(store)?.to_string(),
        "all": all,
        "total": total,
        "more": more,
        "columns": columns.to_json(),
        "devices": with_values(store, &columns, devices)?,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_queries() {
        let filter = |after: Option<&str>, search: &str, state: &str| Filter {
            after: after.map(str::to_owned),
            search: search.to_owned(),
            state: state.to_owned(),
        };
        for (query, expected) in [
            ("", Filter::default()),
            ("after=d%2F1", filter(Some("d/1"), "", "")),
            (
                "search=Bei+Jing&state=online",
                filter(None, "bei jing", "online"),
            ),
            ("search=%&other=1&x", Filter::default()),
        ] {
            assert_eq!(Filter::parse(query), expected, "{query}");
        }
    }
}
