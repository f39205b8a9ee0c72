//! `gizwits encode`: values to the bytes of a message.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gizwits_codec_std::{Action, Error, Product, Rounding, payload, wrap_m2m, wrap_uart};

use crate::action::ActionName;
use crate::definition;
use crate::failure::{Failure, refused_value, usage};
use crate::text::printable;

/// Encode values to a payload
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    long_about = "Encode values to a payload.\n\n\
        Numbers are engineering values, in the range that `gizwits layout` shows. A bool is on or off. \
        An enum is a label or its index. A binary is hex, or base64 after the prefix base64:, and is \
        padded with zeros at the end.\n\n\
        A report or reply of a standard product needs a value for every point. A message of a var_len \
        product contains only the given points. A read of a var_len product takes names without values; \
        without names it reads all points."
)]
pub(crate) struct Encode {
    /// The product's definition, as the Enterprise API returns it
    #[arg(short, long, value_name = "FILE")]
    definition: PathBuf,
    /// The action of the payload
    #[arg(value_enum)]
    action: ActionName,
    /// A point and its value; for a read of a var_len product, only the name
    #[arg(value_name = "NAME=VALUE", conflicts_with = "json")]
    values: Vec<String>,
    /// The values as a JSON object, as in `attrs` of the API: {"switch":1,"mode":"制冷"}
    #[arg(long, value_name = "OBJECT")]
    json: Option<String>,
    /// The frame around the payload
    #[arg(long, value_enum, default_value = "none")]
    frame: Envelope,
    /// The notation of the output; array is a JSON array of bytes
    #[arg(long = "as", value_enum, default_value = "hex")]
    form: Form,
    /// The sequence number of the frame. The command of an M2M frame becomes 0x0093, or 0x0094 for a reply; a UART
    /// frame has sn 0 by default, and at most 255
    #[arg(long, value_name = "N", value_parser = number)]
    sn: Option<u32>,
    /// The did of the device in the frame
    #[arg(long, value_name = "DID")]
    did: Option<String>,
    /// Round values between two steps to the nearest step, half up. Without it they are refused
    #[arg(long)]
    round: bool,
}

const EXAMPLES: &str = "\
Exit status: 0 on success, 1 if a value is refused, 2 for wrong usage, an invalid definition or a \
file that can't be read.

ac.json is a definition: `gizwits definition PRODUCT_KEY -o ac.json` fetches one.

Examples:
  gizwits encode -d ac.json control set_temp=24 switch=on
  gizwits encode -d ac.json control --json '{\"mode\":\"除湿\"}'
  gizwits encode -d ac.json --frame m2m --sn 7 read
  gizwits encode -d ac.json --frame uart --sn 7 control set_temp=24
  gizwits encode -d pump.json read Mode Flow";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Envelope {
    /// No frame: the bare P0
    None,
    /// An M2M frame, for networks
    M2m,
    /// A UART frame, for the serial line between MCU and module
    Uart,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Hex,
    Base64,
    Array,
}

/// Parses a decimal or hexadecimal number.
fn number(text: &str) -> Result<u32, std::num::ParseIntError> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    }
}

impl Encode {
    pub(crate) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        if self.frame == Envelope::None && (self.sn.is_some() || self.did.is_some()) {
            return Err(usage("--sn and --did need a frame: add --frame m2m"));
        }
        if self.frame == Envelope::Uart && self.did.is_some() {
            return Err(usage(
                "--did needs an M2M frame: a UART frame names no device",
            ));
        }
        let Ok(uart_sn) = u8::try_from(self.sn.unwrap_or(0)) else {
            return match self.frame {
                Envelope::Uart => Err(usage("the sn of a UART frame is one byte: 0 to 255")),
                _ => self.encode(0, out),
            };
        };
        self.encode(uart_sn, out)
    }

    fn encode(&self, uart_sn: u8, out: &mut impl Write) -> Result<(), Failure> {
        let product = definition::load(&self.definition)?;
        let action = self.action.into();
        if action == Action::Read && self.json.is_some() {
            return Err(usage("a read sets no points: remove --json"));
        }
        let refused = |error| self.refused(&product, &error);
        let mut message = product.message(action).rounding(match self.round {
            true => Rounding::HalfUp,
            false => Rounding::Exact,
        });
        for given in &self.values {
            match (given.split_once('='), action) {
                (Some((name, _)), Action::Read) if product.find(given).is_none() => {
                    return Err(usage(format_args!(
                        "`{given}` sets a value: a read takes only the name, `{name}`"
                    )));
                }
                (_, Action::Read) => message.want(given).map_err(refused)?,
                (Some((name, value)), _) => message.set_word(name, value).map_err(refused)?,
                (None, _) => return Err(usage(format_args!("`{given}` is no NAME=VALUE"))),
            }
        }
        if let Some(json) = &self.json {
            message.set_json(json).map_err(refused)?;
        }
        let mut bytes = message.encode().map_err(refused)?;
        match self.frame {
            Envelope::None => {}
            Envelope::M2m => {
                bytes = wrap_m2m(&bytes, action, self.sn, self.did.as_deref()).map_err(refused)?;
            }
            Envelope::Uart => bytes = wrap_uart(&bytes, action, uart_sn).map_err(refused)?,
        }
        match self.form {
            Form::Hex => writeln!(out, "{}", payload::hex(&bytes))?,
            Form::Base64 => writeln!(out, "{}", payload::base64(&bytes))?,
            Form::Array => writeln!(out, "{}", serde_json::json!(bytes))?,
        }
        Ok(())
    }

    /// Returns the failure of a refused value, with the point of the definition that refuses it.
    fn refused(&self, product: &Product, error: &Error) -> Failure {
        let mut message = printable(&error.message).into_owned();
        if let Some(attr) = error.point.as_deref().and_then(|name| product.find(name)) {
            let (file, id, location) = (self.definition.display(), attr.id(), attr.location());
            message += &format!("\n  definition: {file}, point {id}, {location}");
        }
        refused_value(error, &message)
    }
}
