//! The controls that a person types or a script contains, one per line.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, Read as _};
use std::path::Path;

use gizwits_codec_std::{Action, Product};
use tokio::sync::mpsc;

use crate::definition;
use crate::failure::{Failure, refused};

/// The maximum length of a typed line in bytes. The rest of a longer line is the next line.
const MAX_LINE: u64 = 64 * 1024;

/// A line that is sent to the MCU.
pub(super) struct Control {
    /// The number of the line, from 1.
    pub(super) line: usize,
    /// The P0: a control or a read.
    pub(super) p0: Vec<u8>,
}

/// The lines that are not sent yet.
pub(super) enum Controls {
    /// The lines of a script, all of them valid.
    Script(VecDeque<Control>),
    /// The lines of standard input, with their numbers. `None` after its end.
    Typed(Option<mpsc::Receiver<(usize, io::Result<Vec<u8>>)>>),
}

impl Controls {
    /// Reads a script.
    ///
    /// # Errors
    /// The first line that is no control.
    pub(super) fn of_script(path: &Path, product: &Product) -> Result<Self, Failure> {
        let text = definition::read(path)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut controls = VecDeque::new();
        for (line, text) in (1..).zip(text.lines()) {
            let p0 = parse(text, product)
                .map_err(|why| refused(format_args!("{}: line {line}: {why}", path.display())))?;
            controls.extend(p0.map(|p0| Control { line, p0 }));
        }
        Ok(Controls::Script(controls))
    }

    /// Reads standard input, on a thread of its own: a read of a terminal cannot be ended.
    pub(super) fn typed() -> Self {
        let (sender, receiver) = mpsc::channel(1);
        std::thread::spawn(move || {
            for line in 1.. {
                let mut text = Vec::new();
                let mut input = io::stdin().lock().take(MAX_LINE);
                let read = match input.read_until(b'\n', &mut text) {
                    Ok(0) => return,
                    Ok(_) => Ok(text),
                    Err(error) => Err(error),
                };
                let is_end = read.is_err();
                if sender.blocking_send((line, read)).is_err() || is_end {
                    return;
                }
            }
        });
        Controls::Typed(Some(receiver))
    }

    /// Whether the lines are those of a script.
    pub(super) const fn is_script(&self) -> bool {
        matches!(self, Controls::Script(_))
    }

    /// Whether this is a script whose lines are all sent.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Controls::Script(controls) if controls.is_empty())
    }

    /// Waits for the next line. Waits forever if there is none. An error is the text for the user.
    ///
    /// # Cancel safety
    /// No line is lost if the future is dropped.
    pub(super) async fn next(&mut self, product: &Product) -> Result<Control, String> {
        loop {
            match self {
                Controls::Script(controls) => match controls.pop_front() {
                    Some(control) => return Ok(control),
                    None => std::future::pending().await,
                },
                Controls::Typed(None) => std::future::pending().await,
                Controls::Typed(Some(lines)) => match lines.recv().await {
                    None => *self = Controls::Typed(None),
                    Some((line, text)) => {
                        let p0 = text.map_err(|error| error.to_string()).and_then(|text| {
                            match str::from_utf8(&text) {
                                Ok(text) => parse(text, product),
                                Err(error) => Err(format!("the line is no UTF-8: {error}")),
                            }
                        });
                        match p0.map_err(|why| format!("line {line}: {why}"))? {
                            Some(p0) => return Ok(Control { line, p0 }),
                            None => continue,
                        }
                    }
                },
            }
        }
    }
}

/// Encodes a line. `None` for a line without a control.
fn parse(text: &str, product: &Product) -> Result<Option<Vec<u8>>, String> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let message = match text {
        "read" => product.message(Action::Read),
        _ => {
            let mut message = product.message(Action::Control);
            let words = shlex::split(text).ok_or("a quotation mark has no end")?;
            for word in &words {
                let (name, value) = word.split_once('=').ok_or_else(|| {
                    format!(
                        "`{word}` is no NAME=VALUE: expected values such as set_temp=24, or read"
                    )
                })?;
                let set = message.set_word(name, value);
                set.map_err(|error| error.message.to_string())?;
            }
            message
        }
    };
    let p0 = message
        .encode()
        .map_err(|error| error.message.to_string())?;
    Ok(Some(p0))
}
