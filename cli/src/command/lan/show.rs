//! `gizwits lan show`: the status of a device.

use clap::Args;
use gizwits_codec_std::payload;
use serde_json::json;

use super::host::{Host, OtherProduct, ended, result_json};
use crate::failure::Failure;
use crate::output::line::Output;
use crate::output::table::table;

/// Show what a device is, and its values
///
/// The output is a table on a terminal, and one JSON object elsewhere. Without a definition, the status is a payload in hex:
/// the device is asked as a standard product first, then as a var_len product.
#[derive(Args)]
pub(super) struct Show {
    #[command(flatten)]
    host: Host,
}

impl Show {
    pub(super) async fn run(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        let mut session = self.host.open(OtherProduct::Warn).await?;
        let status = session.read().await?;
        let identity = session.connection.identity().cloned().unwrap_or_default();
        let payload = payload::hex(&status);
        let decoded = session.decode(&status);
        if output.json {
            let device = json!({
                "product_key": identity.product_key,
                "wifi_software": identity.wifi_software,
                "mcu_software": identity.mcu_software,
                "firmware": identity.firmware,
            });
            let json = match &decoded {
                Some(decoded) => result_json(decoded.as_ref()),
                None => "null".to_owned(),
            };
            let payload = json!(payload);
            writeln!(
                output.out,
                r#"{{"device":{device},"payload":{payload},"decoded":{json}}}"#
            )?;
            return ended(decoded);
        }
        let mut rows = vec![
            ["product".to_owned(), identity.product_key],
            ["module".to_owned(), identity.wifi_software],
            ["MCU".to_owned(), identity.mcu_software],
            ["status".to_owned(), payload],
        ];
        rows.retain(|[_, value]| !value.is_empty());
        if let (Some(product), Some(Ok(decoded))) = (&session.product, &decoded) {
            for reading in decoded.view().into_iter().flatten() {
                if let Some(attr) = product.attr(reading.id()) {
                    rows.push([attr.name().to_owned(), product.show(reading)]);
                }
            }
            let remarks = decoded.remarks().into_iter();
            rows.extend(remarks.map(|remark| ["!".to_owned(), remark]));
        }
        output.out.write_all(table(rows).as_bytes())?;
        ended(decoded)
    }
}
