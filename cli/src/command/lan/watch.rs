//! `gizwits lan watch`: the messages of a device as they arrive.

use std::pin::pin;
use std::time::Duration;

use clap::Args;
use gizwits_codec_std::Product;
use gizwits_lan::{Device, DeviceEvent, DeviceOptions};
use jiff::Timestamp;
use tokio::time::sleep;

use super::host::{Host, OtherProduct, Session, described};
use super::log_record::log_record;
use crate::changes::Changes;
use crate::failure::Failure;
use crate::moment::time_span;
use crate::output::line::Output;
use crate::text::{printable, tell};

/// Print the messages of a device as they arrive, until Ctrl-C
///
/// The output is one line of text per message on a terminal, with the values that changed. Elsewhere it is one JSON object
/// per message, which `gizwits log` commands accept as a record, with the members of `gizwits decode` if there is a definition. The command reads the status after each login, so that the
/// values are known before they change. Without a definition, a standard product is assumed first, then var_len. If the
/// connection ends, the command connects again, and says on stderr for how long messages may be missing.
#[derive(Args)]
pub(super) struct Watch {
    #[command(flatten)]
    host: Host,
    /// The time after which the command ends, such as 10min; without it, the command ends with Ctrl-C
    #[arg(long = "for", value_name = "TIME", value_parser = time_span)]
    time: Option<Duration>,
}

impl Watch {
    pub(super) async fn run(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        // A signal that arrives while a message is printed must not be lost.
        let mut interrupted = pin!(tokio::signal::ctrl_c());
        let mut ended = pin!(async {
            match self.time {
                Some(time) => sleep(time).await,
                None => std::future::pending().await,
            }
        });
        let opened = tokio::select! {
            opened = self.host.open(OtherProduct::Warn) => opened?,
            ended = &mut interrupted => return Ok(ended?),
            () = &mut ended => return Ok(()),
        };
        let Session {
            connection,
            product,
            early,
            host,
        } = opened;
        let product = product.as_ref();
        let mut messages = Messages {
            product,
            changes: product.map(Changes::new),
        };
        for p0 in early {
            messages.print(&p0, output)?;
        }
        let mut options = DeviceOptions::default();
        options.layout = product.map(Product::layout);
        let mut device = Device::from_connection(self.host.address(), connection, options);
        loop {
            let event = tokio::select! {
                event = device.next() => event,
                ended = &mut interrupted => return Ok(ended?),
                () = &mut ended => return Ok(()),
            };
            let warn = |text: String| {
                tell(format_args!("warning: {}: {text}", printable(&host)));
            };
            match event {
                DeviceEvent::Status { p0 } | DeviceEvent::Data { p0 } => {
                    messages.print(&p0, output)?;
                }
                DeviceEvent::Disconnected { failure, retry, .. }
                | DeviceEvent::NotConnected { failure, retry } => {
                    let retry = retry.as_secs_f64();
                    warn(format!(
                        "{failure}. The next attempt to connect is in {retry:.1} s"
                    ));
                }
                DeviceEvent::Ready { gap } => {
                    let gap = gap.unwrap_or_default().as_secs_f64();
                    warn(format!(
                        "connected again. Messages of {gap:.1} s may be missing"
                    ));
                }
                _ => {}
            }
        }
    }
}

/// The messages of a device.
struct Messages<'p> {
    product: Option<&'p Product>,
    changes: Option<Changes>,
}

impl Messages<'_> {
    fn print(&mut self, p0: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
        let now = Timestamp::now();
        let text = || {
            let described = described(self.product, p0, |decoded| match &mut self.changes {
                Some(changes) => changes.of_frame(decoded),
                None => String::new(),
            });
            format!("{now:.3}  {described}")
        };
        output.line(|| log_record(now, None, p0, self.product), text)?;
        Ok(output.out.flush()?)
    }
}
