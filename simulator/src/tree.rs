//! Counts by place: country, region, city.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::Row;
use serde::Serialize;
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// What is counted at a place: it is added up to the places above.
pub(crate) trait Tally: Clone + Default {
    fn add(&mut self, other: &Self);
}

/// Places with what is counted there. What has no place is in none.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Tree<T>(BTreeMap<String, Node<T>>);

impl<T> Tree<T> {
    fn new() -> Self {
        Tree(BTreeMap::new())
    }
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Node<T> {
    /// A count alone.
    Bare(i64),
    /// What is counted, beside the places within.
    Place {
        #[serde(flatten)]
        tally: T,
        #[serde(flatten)]
        within: Tree<T>,
    },
}

impl<T: ToSchema> ToSchema for Tree<T> {
    fn name() -> Cow<'static, str> {
        format!("PlacesOf{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((node_name::<T>(), node_schema::<T>()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Tree<T> {
    fn schema() -> RefOr<Schema> {
        let places = ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(Ref::from_schema_name(node_name::<T>())));
        RefOr::T(Schema::Object(places.build()))
    }
}

fn node_name<T: ToSchema>() -> String {
    format!("PlaceOf{}", T::name())
}

/// What is counted, and the places within as further members; or a number alone.
fn node_schema<T: ToSchema>() -> RefOr<Schema> {
    let mut place = match T::schema() {
        RefOr::T(Schema::Object(tally)) => tally,
        _ => ObjectBuilder::new().build(),
    };
    let within = RefOr::Ref(Ref::from_schema_name(node_name::<T>()));
    place.additional_properties = Some(Box::new(AdditionalProperties::RefOr(within)));
    let bare = ObjectBuilder::new().schema_type(Type::Integer);
    let either = AnyOfBuilder::new().item(place).item(bare).build();
    RefOr::T(Schema::AnyOf(either))
}

/// Country, region, city.
pub(crate) type Place = [Option<String>; 3];

/// The first three columns of a row.
pub(crate) fn place(row: &Row<'_>) -> Result<Place, rusqlite::Error> {
    Ok([row.get(0)?, row.get(1)?, row.get(2)?])
}

/// Adds what is counted at a place.
fn add<T: Tally>(tree: &mut Tree<T>, place: Place, tally: &T) {
    let mut tree = tree;
    for name in place.into_iter().map_while(|name| name) {
        let node = tree.0.entry(name).or_insert_with(|| Node::Place {
            tally: T::default(),
            within: Tree::new(),
        });
        let Node::Place { tally: sum, within } = node else {
            return;
        };
        sum.add(tally);
        tree = within;
    }
}

/// What is counted at all places together, and by place.
pub(crate) fn sum<T: Tally>(rows: impl IntoIterator<Item = (Place, T)>) -> (T, Tree<T>) {
    let (mut total, mut tree) = (T::default(), Tree::new());
    for (place, tally) in rows {
        total.add(&tally);
        add(&mut tree, place, &tally);
    }
    (total, tree)
}

/// `{"count": 3}`
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Count {
    pub(crate) count: i64,
}

impl Tally for Count {
    fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
    }
}

/// The same tree with cities that are numbers.
pub(crate) fn bare(tree: Tree<Count>, level: u8) -> Tree<Count> {
    let nodes = tree.0.into_iter().map(|(name, node)| {
        let node = match node {
            Node::Place { tally, .. } if level == 2 => Node::Bare(tally.count),
            Node::Place { tally, within } => Node::Place {
                tally,
                within: bare(within, level + 1),
            },
            node => node,
        };
        (name, node)
    });
    Tree(nodes.collect())
}
