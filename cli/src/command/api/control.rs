//! `gizwits api devices control`: sends attrs, which the server checks, or raw bytes, which are checked here.

use clap::{ArgGroup, ArgMatches, Args, FromArgMatches as _};
use gizwits_codec_std::payload;
use gizwits_enterprise_client::blocking::Blocking;
use gizwits_enterprise_client::{Call, Coding, Control, ErrorCode};
use serde_json::Value;

use crate::account::{Cloud, explained};
use crate::failure::{Failure, usage};
use crate::payload::encoding;

/// The arguments of the command.
#[derive(Args)]
#[command(
    group = ArgGroup::new("values").args(["attrs", "raw"]).required(true),
    after_help = CONTROL_EXAMPLES
)]
pub(super) struct ControlArgs {
    /// The did of the device
    did: String,
    /// Names and values, sent as they are: `gizwits device control` checks them first
    #[arg(long, value_name = "OBJECT")]
    attrs: Option<String>,
    /// Payload bytes, starting with the action. Checked against the definition. Decimal numbers with commas or
    /// spaces between them (18,255,255), or one word of hex (12ffff, 0x12ffff)
    #[arg(long, value_name = "BYTES", num_args = 1..)]
    raw: Vec<String>,
    /// The coding of binary points. The bytes of --raw are then one word in this coding
    #[arg(long, value_name = "CODING", value_parser = encoding())]
    binary_coding: Option<payload::Encoding>,
    /// Send the raw bytes without checking them against the definition
    #[arg(long, conflicts_with = "attrs")]
    unchecked: bool,
}

const CONTROL_EXAMPLES: &str = "\
Bytes of --raw:
  Decimal numbers have a comma or a space between them: 18,255,255, 18 255 255, [18,255,255].
  Hex is one word with an even number of digits: 12ffff, 0x12ffff.
  A word of two decimal digits could be decimal or hex and is refused: write [18] or 0x18 for 18.

Servers don't check raw bytes, and a device may apply a value that its definition does not allow. \
Such bytes are refused unless you add --unchecked. --curl sends and checks nothing.

Examples:
  gizwits api devices control DID --attrs '{\"switch\":true}'
  gizwits api devices control DID --raw 1,1,1,0,0,16
  gizwits api devices control DID --raw 010101000010";

/// Parses bytes in the notations of [`CONTROL_EXAMPLES`].
fn typed_bytes(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim();
    let listed = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let within = listed.unwrap_or(text).trim();
    if within.is_empty() {
        return Err("no bytes".to_owned());
    }
    if listed.is_none() && !within.contains([',', ' ', '\t', '\n']) {
        return typed_hex(within);
    }
    let items = within.split(',').flat_map(|part| match part.trim() {
        // An empty item between two commas is an error below.
        "" => vec![""],
        part => part.split_whitespace().collect(),
    });
    let number = |item: &str| {
        item.parse::<u8>().map_err(|_| match item {
            "" => "a number is missing next to a comma".to_owned(),
            _ => format!("`{item}` is no number from 0 to 255; write hex as one word: 12ffff"),
        })
    };
    items.map(number).collect()
}

/// Parses one word of hex.
fn typed_hex(word: &str) -> Result<Vec<u8>, String> {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let all = |of: fn(&u8) -> bool| digits.as_bytes().iter().all(of);
    if digits == word && word.len() == 2 && all(u8::is_ascii_digit) {
        return Err(format!(
            "`{word}` could be decimal or hex: write [{word}], or 0x{word}"
        ));
    }
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !all(u8::is_ascii_hexdigit) {
        return Err(format!(
            "`{word}` is no hex with an even number of digits; decimal numbers have a comma or a space \
             between them, or brackets around them: 18,255,255, [5]"
        ));
    }
    payload::parse(digits, Some(payload::Encoding::Hex)).map_err(|error| error.message)
}

/// Parses the value of an option as JSON.
pub(super) fn json_of(option: &str, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let head: String = text.chars().take(40).collect();
        let more = if head.len() < text.len() { "…" } else { "" };
        usage(format_args!("--{option} {head}{more}: not JSON: {error}"))
    })
}

/// The call of a control. Without `curl`, fetches the definition that raw bytes are checked against when the
/// call is sent.
pub(super) fn call(
    product: &Cloud,
    given: &ArgMatches,
    curl: bool,
) -> Result<Call<Blocking, Control>, Failure> {
    let given = ControlArgs::from_arg_matches(given).map_err(usage)?;
    let device = product.device(given.did);
    let mut call = match &given.attrs {
        Some(attrs) => device.control(json_of("attrs", attrs)?).unchecked(),
        None => {
            let bytes = match given.binary_coding {
                None => typed_bytes(&given.raw.join(" ")),
                Some(coding) => {
                    let parsed = payload::parse(&given.raw.concat(), Some(coding));
                    parsed.map_err(|error| error.message)
                }
            };
            let bytes = bytes.map_err(|error| usage(format_args!("--raw: {error}")))?;
            device.control_raw(bytes)
        }
    };
    if given.unchecked {
        call = call.unchecked();
    }
    if let Some(coding) = given.binary_coding {
        call = call.binary_coding(match coding {
            payload::Encoding::Hex => Coding::Hex,
            payload::Encoding::Base64 => Coding::Base64,
        });
    }
    if given.attrs.is_none()
        && !given.unchecked
        && !curl
        && let Err(error) = product.definition()
        // A product without data points has no definition to check the bytes against.
        && error.code() != Some(ErrorCode::DatapointNotFound)
    {
        return Err(Failure::Server(format!(
            "{}\n  nothing was sent; --unchecked sends the bytes without the definition",
            explained(&error)
        )));
    }
    Ok(call)
}
