//! Reports on users. SQL counts the rows of the world's tables.

use rusqlite::{named_params, params};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::groups::{GroupFilter, IN_GROUP};
use super::history::{History, PeriodRange, history};
use super::location::{self, Count, LocationTree, count_in_group};
use super::users::{AppFilter, EitherKey};
use crate::api::{Call, Day, Failure, refuse, refuse_because};
use crate::world::day;

pub(crate) fn new_users(
    call: &Call<'_>,
    span: PeriodRange,
    group: GroupFilter,
) -> Result<History, Failure> {
    let sql = format!(
        "SELECT NULL, NULL, NULL, count(*) AS count FROM (
            SELECT min(at) AS first FROM first_binding JOIN device ON device.id = device
            WHERE product = :product AND {IN_GROUP} GROUP BY uid)
         WHERE first >= :from AND first < :until"
    );
    history(call, span, group, false, &sql)
}

/// The number of users who opened an app, by day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserLiveness {
    data: Vec<UsersOfDay>,
}

/// The number of users of one day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsersOfDay {
    date: String,
    count: i64,
}

/// The days of the report, at most a year.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Dates {
    /// The first day.
    #[param(value_type = String, format = Date, example = "2026-11-01")]
    start_date: Day,
    /// The last day.
    #[param(value_type = String, format = Date, example = "2026-11-07")]
    end_date: Day,
}

pub(crate) fn liveness(
    call: &Call<'_>,
    key: EitherKey,
    app: AppFilter,
    dates: Dates,
) -> Result<UserLiveness, Failure> {
    let (Day(start), Day(end)) = (dates.start_date, dates.end_date);
    if end < start || end - start > 366 {
        return refuse_because(5002, "expected end_date 0 to 366 days after start_date");
    }
    let product = key.known(call)?;
    let appid = app.known(call)?;
    if end > call.last_day() {
        return refuse(5014);
    }
    let sql = "SELECT count(*) FROM visit JOIN user ON user.uid = visit.uid
        WHERE day = ?1 AND (?2 IS NULL OR appid = ?2)
            AND appid IN (SELECT appid FROM app_product WHERE product = ?3)";
    let days = (start..=end).map(|day| {
        Ok(UsersOfDay {
            date: day::text(day),
            count: call.store.value(sql, params![day, appid, product])?,
        })
    });
    let data = days.collect::<Result<_, Failure>>()?;
    Ok(UserLiveness { data })
}

/// The number of users of a product's apps in each location.
pub(crate) fn locations(call: &Call<'_>, key: EitherKey) -> Result<LocationTree<Count>, Failure> {
    let product = key.known(call)?;
    let sql = "SELECT country, region, city, count(*) AS count FROM user
        WHERE appid IN (SELECT appid FROM app_product WHERE product = :product)
            AND created_at <= :now
        GROUP BY country, region, city";
    let values = named_params! { ":product": product, ":now": call.now };
    Ok(location::count(call, sql, values)?.1)
}

/// The number of users who ever had a device of a product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserTotal {
    gid: Option<String>,
    total: i64,
}

pub(crate) fn total(call: &Call<'_>, group: GroupFilter) -> Result<UserTotal, Failure> {
    let gid = group.known(call)?;
    let sql = format!(
        "SELECT NULL, NULL, NULL, count(DISTINCT uid) AS count
         FROM first_binding JOIN device ON device.id = device
         WHERE product = :product AND {IN_GROUP}"
    );
    let (Count { count }, _) = count_in_group(call, gid.as_deref(), &sql, &[])?;
    Ok(UserTotal { gid, total: count })
}
