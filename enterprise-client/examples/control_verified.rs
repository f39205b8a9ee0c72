//! Controls a device, and checks in its log that the device executed the control. The answer to a control only
//! says that the server sent it.
//!
//! `GIZWITS_DID=… cargo run --example control_verified -- '{"switch":true}'`, with the variables of
//! `common`.

mod common;

use std::io::{Write, stdout};
use std::time::Duration;

use common::{Result, product, variable};
use gizwits_enterprise_client::codec::Action;
use gizwits_enterprise_client::{Device, Message, Product};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let attrs = std::env::args()
        .nth(1)
        .ok_or("attrs are missing: '{\"NAME\":VALUE}'")?;
    let product = product()?;
    let device = product.device(variable("GIZWITS_DID")?);
    run(&product, &device, &attrs, &mut stdout()).await
}

pub(crate) async fn run(
    product: &Product,
    device: &Device,
    attrs: &str,
    out: &mut dyn Write,
) -> Result<()> {
    // The values that the device will report, in the form of its reports: 1 for true.
    let definition = product.definition().await?;
    let mut control = definition.message(Action::Control);
    control.set_json(attrs)?;
    let control = Message::decode(&definition, &control.encode()?)?;
    let wanted = control.attrs().ok_or("a control has attrs")?;

    let sent = product.now().await?;
    device.control(wanted).send().await?;
    writeln!(out, "sent {}", serde_json::to_string(wanted)?)?;

    for _ in 0..10 {
        let now = product.now().await?;
        let reports = device
            .cmd_log()
            .between(sent.minus(Duration::from_secs(5)), now);
        for command in reports.send().await?.objects {
            let Some(Ok(message)) = command.decoded else {
                continue;
            };
            let told = matches!(message.action(), Some(Action::Report | Action::Reply));
            let (true, Some(attrs)) = (told && command.timestamp >= sent, message.attrs()) else {
                continue;
            };
            if wanted
                .iter()
                .all(|(name, value)| attrs.get(name) == Some(value))
            {
                writeln!(out, "done at {}", command.timestamp)?;
                return Ok(());
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err("the device has not reported the values within ten seconds".into())
}
