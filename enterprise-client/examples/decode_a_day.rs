//! Fetches the definition of a product, and decodes the commands of a device in the last day.
//!
//! `GIZWITS_DID=… cargo run --example decode_a_day`, with the variables of `common`.

mod common;

use std::io::{Write, stdout};
use std::time::Duration;

use common::{Result, product, variable};
use gizwits_enterprise_client::{Body, Device, Product};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let product = product()?;
    let device = product.device(variable("GIZWITS_DID")?);
    run(&product, &device, &mut stdout()).await
}

pub(crate) async fn run(product: &Product, device: &Device, out: &mut dyn Write) -> Result<()> {
    let definition = product.definition().await?;
    writeln!(
        out,
        "{}: {} data points",
        definition.name(),
        definition.attrs().len()
    )?;

    let now = product.now().await?;
    let day = Duration::from_secs(86_400);
    let mut commands = device.cmd_log().between(now.minus(day), now).stream();
    while let Some(command) = commands.next().await {
        let command = command?;
        write!(out, "{} {:?} ", command.timestamp, command.direction)?;
        match command.decoded {
            Some(Ok(message)) => match message.body {
                Body::Points { action, attrs, .. } => {
                    writeln!(out, "{action:?} {}", serde_json::to_string(&attrs)?)?;
                }
                other => writeln!(out, "{other:?}")?,
            },
            Some(Err(error)) => writeln!(out, "{}: {error}", command.payload)?,
            None => writeln!(out, "{}", command.payload)?,
        }
    }
    Ok(())
}
