//! Rows of the database as types that derive `Deserialize`.

use rusqlite::Row;
use rusqlite::types::{Type, ValueRef};
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::store::Sql;

/// Reads a row as a struct: each field has the value of the column with its name.
pub(crate) fn read<T: DeserializeOwned>(row: &Row<'_>) -> Sql<T> {
    let names = row.as_ref().column_names().enumerate();
    let columns = names.map(|(at, name)| Ok((name, Column(row.get_ref(at)?))));
    let columns = columns.collect::<Sql<Vec<_>>>()?;
    T::deserialize(MapDeserializer::new(columns.into_iter()))
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Null, Box::new(error)))
}

/// The value of a column.
struct Column<'r>(ValueRef<'r>);

impl<'de> IntoDeserializer<'de, Error> for Column<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Column<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            ValueRef::Null => visitor.visit_unit(),
            ValueRef::Integer(number) => visitor.visit_i64(number),
            ValueRef::Real(number) => visitor.visit_f64(number),
            ValueRef::Text(_) => visitor.visit_str(self.0.as_str().map_err(Error::custom)?),
            // `Vec<u8>` is read from a sequence.
            ValueRef::Blob(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
        }
    }

    // SQLite stores bools as integers.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.0.as_i64().map_err(Error::custom)? != 0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            ValueRef::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
