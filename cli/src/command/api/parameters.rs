//! The parameters of endpoints, from the OpenAPI document of the simulator.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches};
use gizwits_enterprise_client::endpoint::{self, Endpoint};
use serde_json::Value;

/// The OpenAPI document.
pub(super) struct Document(Value);

/// A parameter of an endpoint.
pub(super) struct Parameter {
    /// The name in the path, the query or the body.
    pub(super) name: String,
    pub(super) location: Location,
    is_required: bool,
    about: String,
    kind: Kind,
}

/// The part of the request that has the parameter.
#[derive(Clone, Copy)]
pub(super) enum Location {
    /// The path, with the name of the parameter there.
    Path(&'static str),
    Query,
    Body,
}

/// The values of a parameter.
enum Kind {
    Text,
    /// A day, `YYYY-MM-DD`.
    Day,
    /// The first or last period of a report, in the form of its cycle.
    Period,
    /// An integer, with its smallest value.
    Integer(i64),
    /// 0 or 1 in the query. Without a value, the option means 1.
    Flag,
    /// A bool in the body, which is false without the option.
    Switch,
    Choice(Vec<String>),
    /// Several texts. `one` says whether a single text is sent without a list around it.
    List {
        one: bool,
    },
}

impl Document {
    pub(super) fn new() -> Self {
        Document(serde_json::from_str(&gizwits_simulator::openapi()).unwrap_or_default())
    }

    /// The operation of the endpoint. Its id is the name of the endpoint in the API documentation.
    fn operation(&self, endpoint: Endpoint) -> &Value {
        let paths = self.0["paths"].as_object().into_iter().flatten();
        let mut operations =
            paths.flat_map(|(_, methods)| methods.as_object().into_iter().flatten());
        let found = operations.find(|(_, one)| one["operationId"] == endpoint.id);
        found.map_or(&Value::Null, |(_, operation)| operation)
    }

    /// The notes on the endpoint as a whole.
    pub(super) fn notes(&self, endpoint: Endpoint) -> String {
        let notes = self.operation(endpoint)["description"].as_str();
        notes.unwrap_or_default().to_owned()
    }

    /// The parameters that a caller sets, those of the path first.
    pub(super) fn parameters(&self, endpoint: Endpoint) -> Vec<Parameter> {
        // The client makes the body of this request from the credentials.
        if endpoint == endpoint::ACCESS_TOKEN {
            return Vec::new();
        }
        let operation = self.operation(endpoint);
        let mut parameters = Vec::new();
        for one in operation["parameters"].as_array().into_iter().flatten() {
            let name = text(&one["name"]);
            // The client sets the product.
            if name == "product_key" || name == "product_secret" {
                continue;
            }
            let location = match one["in"].as_str() {
                Some("path") => {
                    let parts = endpoint.path().split('/');
                    let mut names =
                        parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
                    let Some(name) = names.find(|part| *part == name) else {
                        continue;
                    };
                    Location::Path(name)
                }
                _ => Location::Query,
            };
            parameters.push(Parameter {
                location,
                is_required: one["required"] == true,
                about: with_default(sentence(&one["description"]), &one["schema"]["default"]),
                kind: self.kind(&name, &one["schema"], location),
                name,
            });
        }
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = self.resolved(body);
        let required = body["required"].as_array();
        for (name, schema) in body["properties"].as_object().into_iter().flatten() {
            let schema = without_null(schema);
            let about = match &schema["description"] {
                Value::Null => &self.resolved(schema)["description"],
                about => about,
            };
            parameters.push(Parameter {
                location: Location::Body,
                is_required: required.is_some_and(|all| all.iter().any(|one| one == name)),
                about: sentence(about),
                kind: self.kind(name, schema, Location::Body),
                name: name.clone(),
            });
        }
        parameters
    }

    /// The schema that a reference leads to, or the schema itself.
    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema["$ref"]
            .as_str()
            .and_then(|path| path.strip_prefix('#'))
        {
            Some(path) => self.0.pointer(path).unwrap_or(schema),
            None => schema,
        }
    }

    fn kind(&self, name: &str, schema: &Value, location: Location) -> Kind {
        let schema = self.resolved(schema);
        let has = |kind: &str| match &schema["type"] {
            Value::Array(kinds) => kinds.iter().any(|one| one == kind),
            one => one == kind,
        };
        let alternatives = schema["oneOf"].as_array();
        let is_list = |one: &Value| one["type"] == "array";
        if let Some(values) = schema["enum"].as_array() {
            return Kind::Choice(values.iter().map(text).collect());
        }
        if has("array") || alternatives.is_some_and(|all| all.iter().any(is_list)) {
            return Kind::List {
                one: alternatives.is_some(),
            };
        }
        match location {
            Location::Body if has("boolean") => Kind::Switch,
            Location::Query if has("integer") && schema["maximum"] == 1 => Kind::Flag,
            _ if has("integer") => Kind::Integer(schema["minimum"].as_i64().unwrap_or(i64::MIN)),
            _ if schema["format"] == "date" || schema["pattern"].is_string() => Kind::Day,
            _ if name == "start" || name == "end" => Kind::Period,
            _ => Kind::Text,
        }
    }
}

/// The alternative of a schema that is not null.
fn without_null(schema: &Value) -> &Value {
    let mut others = schema["oneOf"].as_array().into_iter().flatten();
    let other = others.find(|one| one["type"] != "null");
    let is_nullable = schema["oneOf"]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one["type"] == "null"));
    match other {
        Some(other) if is_nullable => other,
        _ => schema,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A description on one line, without a full stop at its end.
fn sentence(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_owned()
}

/// Adds the default of a schema to a description that does not name it.
fn with_default(about: String, default: &Value) -> String {
    match default.is_null() || about.contains("Default: ") {
        true => about,
        false => format!("{about}. Default: {default}"),
    }
}

impl Parameter {
    /// The parameter as an argument for clap.
    pub(super) fn arg(&self) -> Arg {
        let (name, about) = (&self.name, &self.about);
        let location = match self.location {
            Location::Path(_) => "path",
            Location::Query => "query",
            Location::Body => "body",
        };
        let arg = Arg::new(name.clone())
            .required(self.is_required && !matches!(self.kind, Kind::Switch))
            .help(format!("{about} [`{name}` in the {location}]"));
        if let Location::Path(_) = self.location {
            return arg.value_name(name.to_uppercase());
        }
        let arg = arg.long(name.replace('_', "-")).value_name("TEXT");
        match &self.kind {
            Kind::Text => arg,
            Kind::Day => arg.value_name("YYYY-MM-DD").value_parser(day),
            Kind::Period => arg.value_name("PERIOD"),
            Kind::Integer(min) => {
                let min = *min;
                arg.value_name("N")
                    .allow_negative_numbers(true)
                    .value_parser(move |text: &str| integer(text, min))
            }
            Kind::Flag => arg
                .value_name("0|1")
                .num_args(0..=1)
                .default_missing_value("1")
                .value_parser(["0", "1"])
                .hide_possible_values(true),
            Kind::Switch => arg.action(ArgAction::SetTrue),
            Kind::Choice(values) => arg
                .value_name(name.to_uppercase())
                .value_parser(PossibleValuesParser::new(values)),
            Kind::List { .. } => arg.num_args(1..).value_name("TEXT"),
        }
    }

    /// The value of the parameter, if it was given. A switch of the body is always sent, as true or false.
    pub(super) fn value(&self, given: &ArgMatches) -> Option<Value> {
        if let Kind::Switch = self.kind {
            return Some(given.get_flag(&self.name).into());
        }
        let values = given.get_many::<String>(&self.name)?.cloned();
        let mut values: Vec<String> = values.collect();
        match self.kind {
            // The documentation shows a single did and no list: every server accepts the text.
            Kind::List { one } if !one || values.len() > 1 => Some(values.into()),
            _ => values.pop().map(Value::String),
        }
    }
}

fn day(text: &str) -> Result<String, String> {
    match text.parse::<jiff::civil::Date>() {
        Ok(day) if day.to_string() == text => Ok(text.to_owned()),
        _ => Err("expected a day such as 2026-01-31".to_owned()),
    }
}

fn integer(text: &str, min: i64) -> Result<String, String> {
    match text.parse::<i64>() {
        Ok(number) if number >= min => Ok(text.to_owned()),
        Ok(_) => Err(format!("expected at least {min}")),
        Err(_) => Err("expected a whole number".to_owned()),
    }
}
