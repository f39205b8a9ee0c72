//! Counts by country, region and city.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::{ToSql, named_params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::api::{Call, Failure};
use crate::world::row;

/// The count of a location. The count of a country includes the counts of its regions.
pub(crate) trait Tally: Default {
    /// The columns of a row that are counted.
    type Row: DeserializeOwned;

    /// Adds a row to the count.
    fn add(&mut self, row: &Self::Row);
}

/// The counts of countries, their regions and cities. A device or user without a location is counted in
/// none of them.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct LocationTree<T>(BTreeMap<String, Node<T>>);

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Node<T> {
    /// A number alone: the count of a city in reports that write it so.
    Bare(i64),
    /// The count of a location, and the counts of the locations within as further members.
    Location {
        #[serde(flatten)]
        tally: T,
        #[serde(flatten)]
        within: LocationTree<T>,
    },
}

impl<T: ToSchema> ToSchema for LocationTree<T> {
    fn name() -> Cow<'static, str> {
        format!("LocationsOf{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((node_name::<T>(), node_schema::<T>()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for LocationTree<T> {
    fn schema() -> RefOr<Schema> {
        let locations = ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(Ref::from_schema_name(node_name::<T>())));
        RefOr::T(Schema::Object(locations.build()))
    }
}

fn node_name<T: ToSchema>() -> String {
    format!("LocationOf{}", T::name())
}

/// The schema of a [`Node`]: a count with the locations within as further members, or a number.
fn node_schema<T: ToSchema>() -> RefOr<Schema> {
    let mut location = match T::schema() {
        RefOr::T(Schema::Object(tally)) => tally,
        _ => ObjectBuilder::new().build(),
    };
    let within = RefOr::Ref(Ref::from_schema_name(node_name::<T>()));
    location.additional_properties = Some(Box::new(AdditionalProperties::RefOr(within)));
    let bare = ObjectBuilder::new().schema_type(Type::Integer);
    let either = AnyOfBuilder::new().item(location).item(bare).build();
    RefOr::T(Schema::AnyOf(either))
}

/// Counts the rows of a query, in all and by location. The first three columns are country, region and
/// city.
pub(crate) fn count<T: Tally>(
    call: &Call<'_>,
    sql: &str,
    values: &[(&str, &dyn ToSql)],
) -> Result<(T, LocationTree<T>), Failure> {
    let (mut total, mut all) = (T::default(), LocationTree::default());
    let rows = call.store.rows(sql, values, |row| {
        let location: [Option<String>; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        Ok((location, row::read(row)?))
    })?;
    for (location, row) in rows {
        total.add(&row);
        let mut tree = &mut all;
        for name in location.into_iter().map_while(|name| name) {
            let node = tree.0.entry(name).or_insert_with(|| Node::Location {
                tally: T::default(),
                within: LocationTree::default(),
            });
            let Node::Location { tally: sum, within } = node else {
                break;
            };
            sum.add(&row);
            tree = within;
        }
    }
    Ok((total, all))
}

/// Like [`count`], with the parameters `:product` and `:gid` of
/// [`IN_GROUP`](super::groups::IN_GROUP).
pub(crate) fn count_in_group<T: Tally>(
    call: &Call<'_>,
    gid: Option<&str>,
    sql: &str,
    values: &[(&str, &dyn ToSql)],
) -> Result<(T, LocationTree<T>), Failure> {
    let group = named_params! {
        ":product": call.product_key(),
        ":gid": gid,
    };
    let values: Vec<_> = group.iter().chain(values).copied().collect();
    count(call, sql, &values)
}

/// A count of devices or users.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
pub(crate) struct Count {
    pub(crate) count: i64,
}

impl Tally for Count {
    type Row = Self;

    fn add(&mut self, row: &Self) {
        self.count += row.count;
    }
}

/// Replaces the counts of cities with numbers. `level` is 0 for a tree of countries.
pub(crate) fn bare(tree: LocationTree<Count>, level: u8) -> LocationTree<Count> {
    let nodes = tree.0.into_iter().map(|(name, node)| {
        let node = match node {
            Node::Location { tally, .. } if level == 2 => Node::Bare(tally.count),
            Node::Location { tally, within } => Node::Location {
                tally,
                within: bare(within, level + 1),
            },
            node => node,
        };
        (name, node)
    });
    LocationTree(nodes.collect())
}
