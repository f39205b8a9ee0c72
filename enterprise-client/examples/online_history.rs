//! Prints the connections and disconnections of a device in the last week, as CSV.
//!
//! `GIZWITS_DID=… cargo run --example online_history`, with the variables of `common`.

mod common;

use std::io::{Write, stdout};
use std::time::Duration;

use common::{Result, product, variable};
use gizwits_enterprise_client::{Device, Product};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let product = product()?;
    let device = product.device(variable("GIZWITS_DID")?);
    run(&product, &device, &mut stdout()).await
}

pub(crate) async fn run(product: &Product, device: &Device, out: &mut dyn Write) -> Result<()> {
    let now = product.now().await?;
    let week = Duration::from_secs(7 * 86_400);
    writeln!(out, "time,event,seconds_online,reason")?;
    // A request covers two days: the stream sends as many requests as the week needs.
    let mut events = device.online().between(now.minus(week), now).stream();
    while let Some(event) = events.next().await {
        let event = event?;
        let detail = event.payload;
        let duration = detail.as_ref().and_then(|detail| detail.duration);
        let duration = duration
            .map(|seconds| seconds.to_string())
            .unwrap_or_default();
        let reason = detail.and_then(|detail| detail.reason);
        let reason = reason.as_ref().map_or("", |reason| reason.as_str());
        writeln!(
            out,
            "{},{},{duration},{reason}",
            event.timestamp,
            event.kind.as_str()
        )?;
    }
    Ok(())
}
