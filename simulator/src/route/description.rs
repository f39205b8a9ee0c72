//! The part of the OpenAPI document that is generated from the types of a route's handler.

use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, ToSchema};

/// The parameters, the body and the answer of a route.
#[derive(Default)]
pub(crate) struct Description {
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RefOr<Schema>>,
    pub(super) answer: Option<RefOr<Schema>>,
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
}

impl Description {
    pub(crate) fn query<T: IntoParams>(&mut self) {
        self.parameters
            .extend(T::into_params(|| Some(ParameterIn::Query)));
    }

    pub(crate) fn body<T: ToSchema>(&mut self) {
        self.body = Some(self.schema::<T>());
    }

    pub(crate) fn answer<T: ToSchema>(&mut self) {
        let before = self.schemas.len();
        self.answer = Some(self.schema::<T>());
        // utoipa marks only fields that can't be null as required. Answers have all fields.
        for (_, schema) in self.schemas.iter_mut().skip(before) {
            if let RefOr::T(Schema::Object(object)) = schema {
                let nulls = object.properties.iter().filter(|(_, one)| may_be_null(one));
                object.required.extend(nulls.map(|(name, _)| name.clone()));
            }
        }
    }

    /// Adds the schema of a type, and those that it refers to. Returns a reference to the schema.
    fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        self.schemas.push((T::name().into_owned(), T::schema()));
        Ref::from_schema_name(T::name()).into()
    }
}

fn may_be_null(schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::T(Schema::Object(object)) => match &object.schema_type {
            SchemaType::Array(types) => types.contains(&Type::Null),
            SchemaType::Type(kind) => *kind == Type::Null,
            SchemaType::AnyValue => false,
        },
        RefOr::T(Schema::OneOf(either)) => either.items.iter().any(may_be_null),
        _ => false,
    }
}
