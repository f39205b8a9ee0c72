//! Object stores, which are configured by the environment when a query first uses them.

use std::sync::Arc;

use datafusion::common::{Result, plan_err};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use datafusion::object_store::ObjectStore;
use object_store::ClientOptions;
use object_store::aws::AmazonS3Builder;
use object_store::http::HttpBuilder;
use url::{Position, Url};

/// The object stores of a session: files, `s3://`, `http://` and `https://`. The environment configures access to
/// S3 when a query first uses a bucket: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`,
/// `AWS_ENDPOINT` and the other variables of the AWS tools.
///
/// ```
/// use std::sync::Arc;
///
/// use datafusion::execution::runtime_env::RuntimeEnvBuilder;
/// use datafusion::prelude::{SessionConfig, SessionContext};
/// use gizwits_datafusion::Stores;
///
/// let runtime = RuntimeEnvBuilder::new().with_object_store_registry(Arc::<Stores>::default());
/// let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime.build_arc()?);
/// gizwits_datafusion::register(&context);
/// # Ok::<(), datafusion::error::DataFusionError>(())
/// ```
#[derive(Debug, Default)]
pub struct Stores {
    known: DefaultObjectStoreRegistry,
}

impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.known.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.known.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if let Ok(store) = self.known.get_store(url) {
            return Ok(store);
        }
        let store: Arc<dyn ObjectStore> = match url.scheme() {
            "s3" | "s3a" => {
                let bucket = url.host_str().unwrap_or_default();
                let store = AmazonS3Builder::from_env().with_bucket_name(bucket);
                Arc::new(store.build()?)
            }
            "http" | "https" => {
                let origin = &url[..Position::BeforePath];
                let options = ClientOptions::new().with_allow_http(true);
                let store = HttpBuilder::new().with_url(origin);
                Arc::new(store.with_client_options(options).build()?)
            }
            other => {
                return plan_err!(
                    "unknown scheme `{other}` of {url}: expected s3, http, https or a path"
                );
            }
        };
        self.known.register_store(url, Arc::clone(&store));
        Ok(store)
    }
}
