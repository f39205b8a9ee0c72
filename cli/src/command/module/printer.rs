//! The messages of an MCU, and what is sent to it, on standard output.

use std::io;

use gizwits_codec_core::uart::{Command, DeviceInfo, Frame, Message};
use gizwits_codec_std::{Product, payload};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::changes::Changes;
use crate::definition;
use crate::output::line::Output;
use crate::text::printable;

/// The output of the command.
pub(super) struct Printer<'o> {
    pub(super) product: Product,
    changes: Changes,
    output: Output<'o>,
}

/// The seconds of a timestamp, as records of logs have them.
fn seconds(now: Timestamp) -> f64 {
    now.as_millisecond() as f64 / 1000.0
}

impl<'o> Printer<'o> {
    pub(super) fn new(product: &Product, output: Output<'o>) -> Self {
        Printer {
            product: product.clone(),
            changes: Changes::new(product),
            output,
        }
    }

    /// Writes out what was printed.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.output.out.flush()
    }

    /// Prints a P0 of the MCU, or a control that it has acknowledged. `direction` is the type of a record of a log.
    pub(super) fn p0(&mut self, direction: &str, p0: &[u8]) -> io::Result<()> {
        let now = Timestamp::now();
        let decoded = self.product.decode_p0(p0);
        let json = || {
            let (timestamp, payload) = (seconds(now), payload::hex(p0));
            let decoded = match &decoded {
                Ok(decoded) => decoded.to_json(),
                Err(error) => json!({"error": error}).to_string(),
            };
            format!(
                r#"{{"timestamp":{timestamp},"type":"{direction}","payload":"{payload}","decoded":{decoded}}}"#
            )
        };
        let text = || match &decoded {
            Ok(decoded) => format!("{now:.3}  {}", self.changes.of_frame(decoded)),
            Err(error) => format!("{now:.3}  {}  ! {}", payload::hex(p0), error.message),
        };
        self.output.line(json, text)
    }

    /// Prints the description of the device, and warns if it is of another product.
    pub(super) fn device(&mut self, info: &DeviceInfo) -> io::Result<()> {
        let text = |range: std::ops::Range<usize>| {
            let bytes = info.bytes().get(range).unwrap_or_default();
            let text = String::from_utf8_lossy(bytes);
            printable(text.trim_end_matches('\0')).into_owned()
        };
        let (key, hardware, software) = (text(32..64), text(16..24), text(24..32));
        let shown = format!("device  product {key}, hardware {hardware}, software {software}");
        let json =
            json!({"product_key": key, "hardware_version": hardware, "software_version": software});
        self.event("device", json, shown)?;
        definition::warn_of_another(&self.product, &key);
        Ok(())
    }

    /// Prints a request of the MCU that has no P0 of the product.
    pub(super) fn request(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let name = match frame.command {
            Command::CONFIGURE => "configure",
            Command::RESET => "reset",
            Command::TEST => "test",
            Command::BIND => "bind",
            Command::TIME => "time",
            Command::MODULE => "module",
            Command::MODULE_REBOOT => "reboot",
            _ => "sub_device",
        };
        let (mut json, mut shown) = (json!({}), name.to_owned());
        if let Ok(Message::ConfigMode(mode)) = frame.message() {
            shown = format!("{name}  {mode:?}");
            json = json!({"mode": mode.code()});
        } else if name == "sub_device" {
            shown = format!("{name}  {}", payload::hex(frame.payload));
            json = json!({"data": payload::hex(frame.payload)});
        }
        self.event(name, json, shown)
    }

    fn event(&mut self, name: &str, mut json: Value, text: String) -> io::Result<()> {
        let now = Timestamp::now();
        json["timestamp"] = json!(seconds(now));
        json["event"] = json!(name);
        self.output.line(|| json, || format!("{now:.3}  {text}"))
    }
}
