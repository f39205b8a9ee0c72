//! Pages of long lists.

use std::borrow::Cow;

use rusqlite::{ToSql, named_params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{Array, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::call::Call;
use super::http;
use super::mode::Mode;
use super::parameters::Number;
use super::refusal::Failure;
use crate::world::row;

const MAX_LIMIT: i64 = 1000;

/// A part of a list, and the position of that part.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    meta: Meta,
    objects: Vec<T>,
}

/// The position of a page.
#[derive(Debug, Serialize, ToSchema)]
struct Meta {
    /// The number of objects in the whole list.
    total: i64,
    /// The maximum number of objects on the page.
    limit: i64,
    /// The number of objects before the page.
    skip: i64,
    /// The path and query of the previous page, without a host.
    previous: Option<String>,
    /// The path and query of the next page, without a host.
    next: Option<String>,
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("PageOf{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Meta::name().into_owned(), Meta::schema()));
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let page = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("meta", Ref::from_schema_name(Meta::name()))
            .property("objects", Array::new(Ref::from_schema_name(T::name())))
            .required("meta")
            .required("objects");
        RefOr::T(Schema::Object(page.build()))
    }
}

/// The range of objects that a call asks for.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// The number of objects on a page. A larger value than 1000 counts as 1000.
    #[param(value_type = Option<i64>, minimum = 1, default = 20)]
    limit: Option<Number<1>>,
    /// The number of objects before the page.
    #[serde(default)]
    #[param(value_type = i64, minimum = 0, default = 0)]
    skip: Number<0>,
}

impl Call<'_> {
    /// Reads a page of a list of `total` objects, which `sql` selects in order. `LIMIT` and `OFFSET` are added.
    pub(crate) fn page<T: DeserializeOwned>(
        &self,
        paging: Paging,
        total: i64,
        sql: &str,
        filters: &[(&str, &dyn ToSql)],
    ) -> Result<Page<T>, Failure> {
        let limit = paging
            .limit
            .map_or(20, |Number(limit)| limit.min(MAX_LIMIT));
        let skip = match self.modes.has(&Mode::SkipIgnored) {
            true => 0,
            false => paging.skip.0,
        };
        let limits = named_params! { ":limit": limit, ":skip": skip };
        let values: Vec<_> = filters.iter().chain(limits).copied().collect();
        let sql = format!("{sql} LIMIT :limit OFFSET :skip");
        let objects = self.store.rows(&sql, &*values, row::read)?;
        let end = skip.saturating_add(limit);
        Ok(Page {
            meta: Meta {
                total,
                limit,
                skip,
                previous: (skip > 0).then(|| self.link(skip.saturating_sub(limit).max(0), limit)),
                next: (end < total).then(|| self.link(end, limit)),
            },
            objects,
        })
    }

    /// Reads a page and counts the whole list. The query is given as its columns, its `FROM` clause with the
    /// conditions, and its order.
    pub(crate) fn counted_page<T: DeserializeOwned>(
        &self,
        paging: Paging,
        (columns, from, order): (&str, &str, &str),
        filters: &[(&str, &dyn ToSql)],
    ) -> Result<Page<T>, Failure> {
        let count = format!("SELECT count(*) FROM {from}");
        let total = self.store.value(&count, filters)?;
        let sql = format!("SELECT {columns} FROM {from} ORDER BY {order}");
        self.page(paging, total, &sql, filters)
    }

    /// The path and query of another page, with the same filters.
    fn link(&self, skip: i64, limit: i64) -> String {
        let mut link = self.request.path().to_owned() + "?";
        for (name, value) in &self.query_pairs {
            if name != "limit" && name != "skip" {
                let (name, value) = (http::encode(name), http::encode(value));
                link.push_str(&format!("{name}={value}&"));
            }
        }
        link + &format!("skip={skip}&limit={limit}")
    }
}
