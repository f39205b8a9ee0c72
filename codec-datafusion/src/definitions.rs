//! The definitions of a session.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;

use datafusion::arrow::array::{Array as _, ArrayRef, StructArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Fields, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::object_store::{Error, ObjectStoreExt as _};
use gizwits_codec_std::core::PointId;
use gizwits_codec_std::log::{PayloadDecoder, TableOptions, schema};
use gizwits_codec_std::{Product, Value};

/// The definitions that the functions of a session know. [`register`](crate::register) returns them.
///
/// Cheap to clone; all clones share the definitions.
#[derive(Clone)]
pub struct Definitions(Arc<Inner>);

struct Inner {
    /// Definitions by name, path, URL or JSON.
    known: RwLock<HashMap<String, Arc<Definition>>>,
    /// The object stores of the session.
    runtime: Arc<RuntimeEnv>,
    /// Whether columns have no dictionaries: those are lost between the machines of a cluster.
    is_plain: bool,
}

impl Definitions {
    pub(crate) fn new(runtime: Arc<RuntimeEnv>, is_plain: bool) -> Self {
        Definitions(Arc::new(Inner {
            known: RwLock::default(),
            runtime,
            is_plain,
        }))
    }

    /// Gives a name to a definition, which queries can use instead of a path. Replaces an earlier definition
    /// of this name. Queries that are already planned must not be run afterwards.
    pub fn define(&self, name: impl Into<String>, product: Product) {
        self.put(name.into(), product);
    }

    fn put(&self, name: String, product: Product) -> Arc<Definition> {
        let definition = Arc::new(Definition::new(product, self.0.is_plain));
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN {
            known.retain(|name, _| !is_json(name));
        }
        known.insert(name, Arc::clone(&definition));
        definition
    }

    /// Returns the definition that a literal names.
    pub(crate) fn get(&self, literal: Option<&ScalarValue>) -> Result<Arc<Definition>> {
        let text = literal.and_then(|literal| literal.try_as_str().flatten());
        let Some(text) = text else {
            return plan_err!(
                "the definition must be a literal text: a path, a URL, JSON, or the name of a definition"
            );
        };
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(definition) = known.get(text) {
            return Ok(Arc::clone(definition));
        }
        drop(known);
        let is_json = is_json(text);
        let shown = match is_json {
            true => "the given JSON".to_owned(),
            false => format!("`{text}`"),
        };
        let json = match is_json {
            true => text.to_owned(),
            false => self.read(text).map_err(|error| {
                let reason = match error {
                    DataFusionError::Plan(reason) => reason,
                    error => error.strip_backtrace(),
                };
                plan_datafusion_err!("cannot read the definition {shown}: {reason}")
            })?,
        };
        let product = Product::from_json(&json)
            .map_err(|invalid| plan_datafusion_err!("{shown} is not a definition:\n{invalid}"))?;
        Ok(self.put(text.to_owned(), product))
    }

    /// Returns the definition that [`Definition::json`] has written.
    #[cfg(feature = "cluster")]
    pub(crate) fn of_json(&self, json: &str) -> Result<Arc<Definition>> {
        self.get(Some(&ScalarValue::from(json)))
    }

    /// Reads a file or object. Functions are planned by code that cannot wait, so another thread does.
    fn read(&self, place: &str) -> Result<String> {
        let url = ListingTableUrl::parse(place)?;
        let store = self.0.runtime.object_store(&url)?;
        let path = url.prefix().clone();
        let read = thread::spawn(move || -> Result<Vec<u8>> {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build()?;
            let bytes = runtime.block_on(async { store.get(&path).await?.bytes().await });
            match bytes {
                Err(Error::NotFound { .. }) => plan_err!("no such file"),
                bytes => Ok(bytes?.to_vec()),
            }
        });
        let bytes = read
            .join()
            .map_err(|_| DataFusionError::Execution("the reading thread panicked".to_owned()))??;
        String::from_utf8(bytes).map_err(|_| plan_datafusion_err!("it is not UTF-8"))
    }
}

impl fmt::Debug for Definitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definitions").finish_non_exhaustive()
    }
}

/// Definitions are equal if they belong to the same session.
impl PartialEq for Definitions {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Definitions {}

impl Hash for Definitions {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// The number of definitions beyond which those given as JSON are forgotten. An executor of a cluster, which gets
/// all definitions as JSON, runs for a long time.
const KNOWN: usize = 1024;

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// A product, with decoders for its payloads.
#[derive(Debug)]
pub(crate) struct Definition {
    product: Product,
    /// Whether columns have no dictionaries.
    is_plain: bool,
    /// The fields of all points.
    fields: Fields,
    /// Decoders that are not in use, each with its points.
    idle: Mutex<Vec<(Vec<PointId>, PayloadDecoder)>>,
}

/// The number of decoders that are kept. Queries use a decoder for each thread and set of points.
const IDLE: usize = 64;

impl Definition {
    fn new(product: Product, is_plain: bool) -> Self {
        let all: Vec<PointId> = product.attrs().map(|attr| attr.id()).collect();
        let fields = PayloadDecoder::new(&product, &all).fields().clone();
        Definition {
            fields: if is_plain { plain(&fields) } else { fields },
            product,
            is_plain,
            idle: Mutex::default(),
        }
    }

    pub(crate) fn product(&self) -> &Product {
        &self.product
    }

    /// The columns of a log of this product.
    pub(crate) fn log_schema(&self) -> SchemaRef {
        let schema = schema(&self.product, TableOptions::default());
        match self.is_plain {
            true => Arc::new(Schema::new(plain(schema.fields()))),
            false => schema,
        }
    }

    /// The definition as JSON on one line, which needs no file.
    #[cfg(feature = "cluster")]
    pub(crate) fn json(&self) -> String {
        let json = self.product.to_json();
        match serde_json::from_str::<serde_json::Value>(&json) {
            Ok(value) => value.to_string(),
            Err(_) => json,
        }
    }

    /// The fields of these points.
    pub(crate) fn fields(&self, points: &[PointId]) -> Fields {
        let fields = points.iter().filter_map(|id| self.fields.get(id.index()));
        fields.cloned().collect()
    }

    /// The points that literals name, in the order of the names; all points if there are no names.
    pub(crate) fn points<'n>(
        &self,
        names: impl ExactSizeIterator<Item = Option<&'n ScalarValue>>,
    ) -> Result<Vec<PointId>> {
        if names.len() == 0 {
            return Ok(self.product.attrs().map(|attr| attr.id()).collect());
        }
        let mut points = Vec::new();
        for name in names {
            let id = self.point(name)?;
            if points.contains(&id) {
                let name = self.product.attr(id).map_or("", |attr| attr.name());
                return plan_err!("attribute `{name}` is given twice");
            }
            points.push(id);
        }
        Ok(points)
    }

    /// The point that a literal names.
    pub(crate) fn point(&self, name: Option<&ScalarValue>) -> Result<PointId> {
        let Some(name) = name.and_then(|name| name.try_as_str().flatten()) else {
            return plan_err!("the name of an attribute must be a literal text");
        };
        self.named(name)
    }

    /// The point with this name. The error suggests a similar name.
    pub(crate) fn named(&self, name: &str) -> Result<PointId> {
        if let Some(attr) = self.product.find(name) {
            return Ok(attr.id());
        }
        let mut message = self.product.message(gizwits_codec_std::Action::Control);
        match message.set(name, Value::Bool(true)) {
            Err(error) => plan_err!("{error}"),
            Ok(()) => plan_err!("unknown point `{name}`"),
        }
    }

    /// Decodes payloads that `fill` adds to a decoder of these points.
    pub(crate) fn decode(
        &self,
        points: Vec<PointId>,
        fill: impl FnOnce(&mut PayloadDecoder) -> Result<()>,
    ) -> Result<StructArray> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = {
            let mut idle = idle();
            let found = idle.iter().position(|(own, _)| *own == points);
            found.map(|found| idle.swap_remove(found).1)
        };
        let mut decoder = kept.unwrap_or_else(|| PayloadDecoder::new(&self.product, &points));
        fill(&mut decoder)?;
        let mut rows = decoder.finish()?;
        if self.is_plain {
            let (fields, columns, nulls) = rows.into_parts();
            let fields = plain(&fields);
            let columns = conform(columns, &fields)?;
            rows = StructArray::try_new(fields, columns, nulls)?;
        }
        let mut idle = idle();
        if idle.len() >= IDLE {
            idle.swap_remove(0);
        }
        idle.push((points, decoder));
        Ok(rows)
    }
}

/// The fields with the values of dictionaries.
fn plain(fields: &Fields) -> Fields {
    let plain = |field: &FieldRef| match field.data_type() {
        DataType::Dictionary(_, values) => {
            let field = field.as_ref().clone();
            Arc::new(field.with_data_type(values.as_ref().clone()))
        }
        _ => Arc::clone(field),
    };
    fields.iter().map(plain).collect()
}

/// Casts the columns that have other types than their fields.
pub(crate) fn conform(columns: Vec<ArrayRef>, fields: &Fields) -> Result<Vec<ArrayRef>> {
    let conform =
        |(column, field): (ArrayRef, &FieldRef)| match column.data_type() == field.data_type() {
            true => Ok(column),
            false => Ok(cast(&column, field.data_type())?),
        };
    columns.into_iter().zip(fields).map(conform).collect()
}
