//! `gizwits definition`: the definition of a product, from the vendor's public address.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use gizwits_codec_std::Product;
use gizwits_enterprise_client::{Error, app};
use serde::de::IgnoredAny;

use crate::account::{url_failure, variable};
use crate::failure::{Failure, refused};
use crate::output::file;
use crate::text::{counted, tell};

/// Fetch the definition of a product by its key, without an account
#[derive(Args)]
#[command(after_help = "\
`gizwits lan discover` prints the product keys of the devices in your network. A product is on the server \
of its region: https://api.gizwits.com, https://euapi.gizwits.com or https://usapi.gizwits.com.

Exit status: 0 on success, 1 if the server does not answer or does not know the product, 2 for wrong usage.

These need a network:
  gizwits definition 9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50 -o pump.json
  gizwits definition 9b3ff3e5c9a14d4a9b1f1d8c2a7e6f50 --base-url https://euapi.gizwits.com")]
pub(crate) struct Definition {
    /// The product key, 32 hex digits
    #[arg(value_name = "PRODUCT_KEY", value_parser = product_key)]
    product_key: String,
    /// The output file, which appears when it is complete; - is standard output. Default: standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The URL of the server. Default: GIZWITS_APP_BASE_URL, or else https://api.gizwits.com
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The id of an app that may use the product, which the documentation of the server asks for. Default: GIZWITS_APP_ID,
    /// or else none
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
}

fn product_key(text: &str) -> Result<String, String> {
    match text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("expected 32 hex digits".to_owned()),
    }
}

/// The value of an option, or else that of an environment variable without `GIZWITS_`.
fn given(option: &Option<String>, name: &str) -> Result<Option<String>, Failure> {
    match option {
        Some(value) => Ok(Some(value.clone())),
        None => variable(name),
    }
}

impl Definition {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let base = given(&self.base_url, "APP_BASE_URL")?;
        let base = base.as_deref().unwrap_or(app::BASE_URL);
        let app_id = given(&self.app_id, "APP_ID")?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let fetched = app::definition(base, &self.product_key, app_id.as_deref());
        let mut json = runtime
            .block_on(fetched)
            .map_err(|error| self.failed(base, error))?;
        let members: BTreeMap<String, IgnoredAny> = serde_json::from_str(&json).unwrap_or_default();
        if !members.contains_key("entities") {
            return Err(refused(format_args!(
                "{base} answers with JSON that is no definition, because it has no \"entities\". Check the URL of the \
                     server"
            )));
        }
        if !json.ends_with('\n') {
            json.push('\n');
        }
        file::write(self.output.as_deref(), json.as_bytes(), out)?;
        if let Err(invalid) = Product::from_json(&json) {
            let (errors, more) = invalid.first_errors();
            tell(format_args!(
                "warning: the definition has {}: `gizwits check` shows them",
                counted(errors.count() + more, "error")
            ));
        }
        Ok(())
    }

    /// The failure of a request to this server.
    fn failed(&self, base: &str, error: Error) -> Failure {
        let key = &self.product_key;
        match &error {
            Error::Transport(error) => refused(format_args!(
                "{base}: {error}. Check the network, or name another server by --base-url"
            )),
            Error::Unexpected(error) if matches!(error.status, 400 | 404) => refused(format_args!(
                "{base} has no definition of the product {key}: {}. Products of other regions are on other servers: \
                     see gizwits definition --help",
                error.excerpt
            )),
            Error::Invalid(_) => {
                let origin = match self.base_url {
                    Some(_) => "--base-url",
                    None => "GIZWITS_APP_BASE_URL",
                };
                url_failure(origin, base, app::BASE_URL, error)
            }
            _ => refused(format_args!("{base}: {error}")),
        }
    }
}
