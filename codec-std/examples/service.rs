//! Decodes the messages of many devices to JSON, as a service does: one message per line, a device
//! and a payload. A var_len device reports only the points that changed, so the service keeps a state
//! for each device, and prints the states when the input ends. A bad message is answered with an
//! `error` and ends nothing.
//!
//! ```console
//! $ cargo run -p gizwits-codec-std --example service -- tests/fixtures/voice-toy.json codec-std/examples/messages.txt
//! {"did":"toy-1","message":{"action":"report","attrs":{"switch":1,"wakeup_word":0,"charge_status":"charging","alert_tone_language":"english","chat_mode":"0","volume_set":50,"brightness":80,"firmware":"010203040506"}}}
//! {"did":"toy-2","message":{"action":"report","attrs":{"charge_status":3},"flagged":{"charge_status":"past_labels"}}}
//! {"did":"toy-1","message":{"action":"control","attrs":{"volume_set":60}}}
//! {"did":"toy-1","message":{"frame":{"command":"0x0091","flag":0},"action":"report","attrs":{"volume_set":60}}}
//! {"did":"toy-2","error":{"kind":"incomplete","message":"the payload ends before `volume_set`: 1 byte missing, from byte 2 on"}}
//! {"did":"toy-2","error":{"kind":"not_hex_or_base64","message":"`not-hex` is neither hex (two digits for each byte), nor base64, nor a list of bytes [0,0,0,3]"}}
//! {"did":"toy-1","state":{"attrs":{"switch":1,"wakeup_word":0,"charge_status":"charging","alert_tone_language":"english","chat_mode":"0","volume_set":60,"brightness":80,"firmware":"010203040506"},"never_seen":[]}}
//! {"did":"toy-2","state":{"attrs":{"charge_status":3},"flagged":{"charge_status":"past_labels"},"never_seen":["switch","wakeup_word","alert_tone_language","chat_mode","volume_set","brightness","firmware"]}}
//! ```
//!
//! Without the second argument, or with `-`, it reads standard input.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{File, read_to_string};
use std::io::{BufRead, BufReader, Write, stdin, stdout};

use gizwits_codec_std::{self as codec, Product, State, payload};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let Some(definition) = arguments.next() else {
        return Err("usage: service DEFINITION [FILE]".into());
    };
    match arguments.next().as_deref() {
        None | Some("-") => run(&definition, stdin().lock(), &mut stdout()),
        Some(path) => {
            let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
            run(&definition, BufReader::new(file), &mut stdout())
        }
    }
}

pub(crate) fn run(
    definition: &str,
    messages: impl BufRead,
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let json = read_to_string(definition).map_err(|error| format!("{definition}: {error}"))?;
    // The text of this error has a line for each problem of the definition.
    let mut service = Service {
        product: Product::from_json(&json)?,
        states: BTreeMap::new(),
    };
    for line in messages.lines() {
        let line = line?;
        let (did, payload) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match service.message(did, payload) {
            Ok(answer) => answer,
            Err(error) => {
                // `kind` is for programs and stable, `message` is for people.
                let error = json!({"kind": error.kind, "message": error.message});
                json!({"did": did, "error": error}).to_string()
            }
        };
        writeln!(out, "{answer}")?;
    }
    for (did, state) in &service.states {
        let (did, state) = (json!(did), state.to_json());
        writeln!(out, r#"{{"did":{did},"state":{state}}}"#)?;
    }
    Ok(())
}

struct Service {
    product: Product,
    states: BTreeMap<String, State>,
}

impl Service {
    /// Decodes a message, updates the state of its device, and returns the message as JSON.
    fn message(&mut self, did: &str, text: &str) -> Result<String, codec::Error> {
        // Hex, base64 or a list of bytes; a bare P0, or one in an M2M frame.
        let bytes = payload::parse(text, None)?;
        let decoded = self.product.decode(&bytes)?;
        let state = self.states.entry(did.to_owned());
        let state = state.or_insert_with(|| self.product.state());
        // A control says what somebody wants, so it leaves the state as it is.
        self.product.merge(state, &decoded)?;
        let (did, message) = (json!(did), decoded.to_json());
        Ok(format!(r#"{{"did":{did},"message":{message}}}"#))
    }
}
