//! `gizwits device control`.

use std::io::Write;
use std::time::{Duration, Instant};

use clap::Args;
use gizwits_codec_std::Action;
use gizwits_enterprise_client::Attrs;
use gizwits_enterprise_client::blocking::Product;
use serde_json::json;

use super::answers::to_json;
use super::status::known;
use crate::account::{self, refused};
use crate::failure::Failure;
use crate::text::{printable, tell};

#[derive(Args)]
pub(crate) struct Control {
    /// The device
    did: String,
    /// Values, as `encode` takes them
    #[arg(value_name = "NAME=VALUE", required_unless_present = "values_json")]
    values: Vec<String>,
    /// Values as an object, in the conventions of the API
    #[arg(long = "values", value_name = "OBJECT", conflicts_with = "values")]
    values_json: Option<String>,
    /// Print the request as a curl command, and send nothing
    #[arg(long)]
    curl: bool,
    /// Wait until the device reports these values
    #[arg(long)]
    wait: bool,
}

/// How long a device may take to obey.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

impl Control {
    pub(super) fn run(
        &self,
        product: &Product,
        json: bool,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let definition = product.definition().map_err(|error| refused(&error))?;
        let mut message = definition.message(Action::Control);
        for given in &self.values {
            let Some((name, value)) = given.split_once('=') else {
                return Err(Failure::Usage(format!("error: `{given}` is no NAME=VALUE")));
            };
            message.set_word(name, value).map_err(not_allowed)?;
        }
        if let Some(object) = &self.values_json {
            message.set_json(object).map_err(not_allowed)?;
        }
        let p0 = message.encode().map_err(not_allowed)?;
        // What is set, as a device would report it.
        let wanted = gizwits_enterprise_client::Message::decode(&definition, &p0)
            .map_err(not_allowed)?
            .attrs()
            .cloned()
            .unwrap_or_default();
        let device = product.device(self.did.as_str());
        let call = device.control(&wanted);
        if self.curl {
            writeln!(out, "{}", call.curl().map_err(|error| refused(&error))?)?;
            return Ok(());
        }
        // Points that have their value already are not reported again by a var_len device.
        let before = match self.wait {
            true => known(&device, |attrs| {
                wanted.keys().all(|name| attrs.contains_key(name))
            }),
            false => Ok(None),
        };
        let before = before.unwrap_or_else(|error| {
            tell(format_args!(
                "{}\n  the current values are unknown: if a point already has this value, --wait may time out",
                error.explained().replacen("error: ", "warning: ", 1)
            ));
            None
        });
        let sent = product.enterprise().now().minus(Duration::from_secs(1));
        call.send().map_err(|error| refused(&error))?;
        if !self.wait {
            if json {
                writeln!(out, "{}", json!({"sent": to_json(&wanted)}))?;
            } else {
                let wanted = to_json(&wanted);
                writeln!(
                    out,
                    "sent {wanted}; the device obeys when it can: --wait tells"
                )?;
            }
            return Ok(());
        }
        let before = before.map(|known| known.attrs).unwrap_or_default();
        let holds = |state: &Attrs| {
            let mut wanted = wanted.iter();
            wanted.all(|(name, value)| state.get(name) == Some(value))
        };
        let nothing_new = holds(&before);
        let unseen = |error: &gizwits_enterprise_client::Error| {
            let told = account::explained(error);
            Failure::Server(format!("sent, but nothing shows if it obeyed\n{told}"))
        };
        let began = Instant::now();
        let mut unread = None;
        while began.elapsed() < PATIENCE {
            let page = device
                .cmd_log()
                .limit(50)
                .send()
                .map_err(|error| unseen(&error))?;
            let mut state = before.clone();
            let mut reported = None;
            // The newest come first.
            for record in page.objects.into_iter().rev() {
                let message = match record.decoded {
                    Some(Ok(message)) => message,
                    Some(Err(error)) if record.timestamp >= sent => {
                        unread = Some((record.timestamp, error));
                        continue;
                    }
                    _ => continue,
                };
                let told = matches!(message.action(), Some(Action::Report | Action::Reply));
                if let Some(attrs) = message.attrs().filter(|_| told && record.timestamp >= sent) {
                    state.extend(attrs.clone());
                    reported = Some(record.timestamp);
                }
            }
            if holds(&state) && (reported.is_some() || nothing_new) {
                if json {
                    let at = reported.as_ref().map(to_json);
                    writeln!(
                        out,
                        "{}",
                        json!({"sent": to_json(&wanted), "reported_at": at})
                    )?;
                } else {
                    let at = reported
                        .map(|moment| moment.to_string())
                        .unwrap_or_else(|| "as before".to_owned());
                    writeln!(out, "{at} done: {}", to_json(&wanted))?;
                }
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        let mut told = format!(
            "error: sent, and {} has not reported it within ten seconds; it may still: \
             gizwits device log {}",
            self.did, self.did
        );
        if let Some((at, error)) = unread {
            told += &format!(
                "\n  a frame of {} can't be read: {}",
                at,
                printable(&error.message)
            );
        }
        Err(Failure::Server(told))
    }
}

/// A value that the definition doesn't allow.
pub(crate) fn not_allowed(error: gizwits_codec_std::Error) -> Failure {
    Failure::Server(format!("error: {}", printable(&error.message)))
}
