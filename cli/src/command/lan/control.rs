//! `gizwits lan control`: points set, and the acknowledgement awaited.

use std::time::Duration;

use clap::Args;
use gizwits_codec_std::{Action, Error, payload};
use gizwits_enterprise_client::Message;
use serde_json::json;
use tokio::time::timeout;

use super::host::{Host, OtherProduct, described, ended, result_json};
use crate::changes::Changes;
use crate::failure::{Failure, refused_value, usage};
use crate::output::line::Output;
use crate::text::printable;

/// The time that a device has to report the new status.
const REPORT: Duration = Duration::from_secs(3);

/// Set points of a device, after checking the values against the definition
///
/// The control is sent once. The command waits for the acknowledgement of the device, and up to 3 seconds for its report.
#[derive(Args)]
pub(super) struct Control {
    #[command(flatten)]
    host: Host,
    /// Values to set, in the syntax of `gizwits encode`
    #[arg(value_name = "NAME=VALUE", required = true)]
    values: Vec<String>,
    /// Send the control although the device is of another product than the definition. Default: it is refused
    #[arg(long)]
    other_product: bool,
}

impl Control {
    pub(super) async fn run(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        let other = match self.other_product {
            true => OtherProduct::Warn,
            false => OtherProduct::Refuse,
        };
        let mut session = self.host.open(other).await?;
        let product = session.require()?;
        let not_allowed = |error: Error| refused_value(&error, &printable(&error.message));
        let mut message = product.message(Action::Control);
        for given in &self.values {
            let Some((name, value)) = given.split_once('=') else {
                return Err(usage(format_args!("`{given}` is no NAME=VALUE")));
            };
            message.set_word(name, value).map_err(not_allowed)?;
        }
        let p0 = message.encode().map_err(not_allowed)?;
        session.control(&p0).await?;
        let hex = payload::hex(&p0);
        // The values are those that the device reads, as `gizwits device control` prints them.
        let sent = Message::decode(&product, &p0).map_err(not_allowed)?;
        output.line(
            || json!({"sent": sent.attrs(), "payload": hex}),
            || format!("sent {hex}, acknowledged"),
        )?;
        output.out.flush()?;
        let mut changes = Changes::new(&product);
        match timeout(REPORT, session.next_p0()).await {
            Ok(report) => {
                let report = report?;
                let decoded = product.decode_p0(&report);
                let json = || result_json(decoded.as_ref());
                let text =
                    || described(Some(&product), &report, |decoded| changes.of_frame(decoded));
                output.line(json, text)?;
                ended(Some(decoded))
            }
            // A device reports nothing if the values are what they were.
            Err(_) => Ok(()),
        }
    }
}
