//! Reports on users, counted by SQL from what happened.

use rusqlite::{named_params, params};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::call::{Call, in_group};
use crate::device_reports::{History, Span, history};
use crate::error::{Failure, Refusal, refuse};
use crate::groups::Group;
use crate::input::Day;
use crate::period;
use crate::tree::{self, Count, Place, Tree, place};
use crate::users::{self, App, EitherKey};

pub(crate) fn new_users(call: &Call<'_>, span: Span, group: Group) -> Result<History, Failure> {
    history(call, span, group, false, |period, gid| {
        let count = call
            .connection
            .prepare_cached(concat!(
                "SELECT count(*) FROM (
                    SELECT min(bound.at) AS first FROM bound JOIN device ON device.id = bound.device
                    WHERE product = :product AND ",
                in_group!("gid"),
                " GROUP BY uid)
                 WHERE first >= :from AND first < :until"
            ))?
            .query_row(
                named_params! {
                    ":product": call.product_key(),
                    ":from": period::start_of(period.first),
                    ":until": period::start_of(period.last + 1),
                    ":gid": gid,
                    ":deep": call.group_descendants,
                },
                |row| row.get(0),
            )?;
        Ok(vec![([None, None, None], count)])
    })
}

/// Users who opened an app, by day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserLiveness {
    data: Vec<UsersOfDay>,
}

/// The users of one day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsersOfDay {
    date: String,
    count: i64,
}

/// The days that are asked about, a year at most.
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
    app: App,
    dates: Dates,
) -> Result<UserLiveness, Failure> {
    let (Day(start), Day(end)) = (dates.start_date, dates.end_date);
    if end < start || end - start > 366 {
        return refuse(5002, "end_date is after start_date, by a year at most");
    }
    let product = users::product(call, &key)?;
    let appid = app.known(call)?;
    if end > call.last_day() {
        return Err(Refusal::new(5014).into());
    }
    let mut statement = call.connection.prepare_cached(
        "SELECT count(*) FROM visit JOIN user ON user.uid = visit.uid
         WHERE day = ?1 AND (?2 IS NULL OR appid = ?2)
            AND appid IN (SELECT appid FROM app_product WHERE product = ?3)",
    )?;
    let mut data = Vec::new();
    for day in start..=end {
        data.push(UsersOfDay {
            date: period::day_text(day),
            count: statement.query_row(params![day, appid, product], |row| row.get(0))?,
        });
    }
    Ok(UserLiveness { data })
}

/// Where the users of a product's apps are.
pub(crate) fn locations(call: &Call<'_>, key: EitherKey) -> Result<Tree<Count>, Failure> {
    let product = users::product(call, &key)?;
    let rows: Vec<(Place, Count)> = call
        .connection
        .prepare_cached(
            "SELECT country, region, city, count(*) FROM user
             WHERE appid IN (SELECT appid FROM app_product WHERE product = ?)
                AND created_at <= ?
             GROUP BY country, region, city",
        )?
        .query_map(params![product, call.now], |row| {
            Ok((place(row)?, Count { count: row.get(3)? }))
        })?
        .collect::<Result<_, _>>()?;
    Ok(tree::sum(rows).1)
}

/// Users who ever had a device of a product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserTotal {
    gid: Option<String>,
    total: i64,
}

pub(crate) fn total(call: &Call<'_>, group: Group) -> Result<UserTotal, Failure> {
    let gid = group.known(call)?;
    let total = call
        .connection
        .prepare_cached(concat!(
            "SELECT count(DISTINCT uid) FROM bound JOIN device ON device.id = bound.device
             WHERE product = :product AND ",
            in_group!("gid")
        ))?
        .query_row(
            named_params! {
                ":product": call.product_key(),
                ":gid": gid,
                ":deep": call.group_descendants,
            },
            |row| row.get(0),
        )?;
    Ok(UserTotal { gid, total })
}
