//! A device that is named by its address, and its definition.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use gizwits_codec_std::{Action, Decoded, Error, Product, payload};
use gizwits_lan::{
    ClientEvent, ClientOptions, Closed, Connection, ConnectionError, DEVICE_PORT, RequestError,
    RequestId,
};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::super::identify::files;
use crate::definition;
use crate::failure::{Failure, refused, usage, usage_with_hint};
use crate::text::printable;

/// The time in which a device that is logged in says what it is. Some devices do not answer.
const INFO: Duration = Duration::from_secs(2);

/// The maximum number of messages of a device before it says what it is.
const MAX_EARLY: usize = 64;

#[derive(Args)]
pub(super) struct Host {
    /// The address of the device, as `gizwits lan discover` prints it, with a port if it is not 12416
    #[arg(value_name = "HOST")]
    host: String,
    /// The definition of the product, or a folder in which the product key finds it
    #[arg(short, long, value_name = "FILE_OR_DIR")]
    definition: Option<PathBuf>,
}

/// The reaction of a command to a device of another product than the definition.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OtherProduct {
    Warn,
    Refuse,
}

/// A connection to a device, with the definition of its product.
pub(super) struct Session {
    pub(super) connection: Connection,
    pub(super) product: Option<Product>,
    pub(super) host: String,
    /// Messages that came before the definition was known.
    pub(super) early: VecDeque<Vec<u8>>,
}

impl Host {
    /// The address with its port.
    pub(super) fn address(&self) -> String {
        match self.host.parse::<IpAddr>() {
            Ok(address) => SocketAddr::new(address, DEVICE_PORT).to_string(),
            Err(_) if self.host.contains(':') => self.host.clone(),
            Err(_) => format!("{}:{DEVICE_PORT}", self.host),
        }
    }

    /// Connects to the device and finds its definition.
    pub(super) async fn open(&self, other: OtherProduct) -> Result<Session, Failure> {
        // A definition that cannot be read is told before a connection is made.
        let is_folder = self.definition.as_ref().is_some_and(|path| path.is_dir());
        let mut product = match &self.definition {
            Some(path) if !is_folder => Some(definition::load(path)?),
            _ => None,
        };
        let opened = Connection::open(self.address(), ClientOptions::default()).await;
        let mut session = Session {
            connection: opened.map_err(|error| failed(&self.host, &error))?,
            product: None,
            host: self.host.clone(),
            early: VecDeque::new(),
        };
        let connection = &mut session.connection;
        let ended = timeout(INFO, async {
            // A device that sends more than these is one that does not answer.
            while connection.identity().is_none() && session.early.len() < MAX_EARLY {
                match connection.next().await {
                    Some(ClientEvent::Closed(why)) => return Some(why),
                    Some(ClientEvent::P0 { p0, .. }) => session.early.push_back(p0.to_vec()),
                    Some(_) => {}
                    None => return Some(Closed::ByDevice),
                }
            }
            None
        })
        .await;
        if let Ok(Some(why)) = ended {
            return Err(failed(&self.host, &why.into()));
        }
        let key = connection
            .identity()
            .map(|identity| printable(&identity.product_key).into_owned())
            .filter(|key| !key.is_empty());
        match (&product, &key) {
            (Some(product), Some(key)) if other == OtherProduct::Refuse => {
                if let Some(difference) = definition::difference(product, key) {
                    return Err(usage(format_args!(
                        "{difference}: nothing was sent. Name the definition of the device by -d, or add --other-product"
                    )));
                }
            }
            (Some(product), Some(key)) => definition::warn_of_another(product, key),
            (None, key) if is_folder => product = Some(self.find(key.as_deref())?),
            _ => {}
        }
        session.product = product;
        Ok(session)
    }

    /// Finds the definition with this product key in the folder.
    fn find(&self, key: Option<&str>) -> Result<Product, Failure> {
        let Some(key) = key else {
            return Err(usage(
                "the device does not say its product key: name the file of its definition by -d",
            ));
        };
        for path in files(self.definition.as_slice())? {
            let product = Product::from_json(&definition::read_definition(&path)?);
            if let Ok(product) = product
                && product.product_key().eq_ignore_ascii_case(key)
            {
                return Ok(product);
            }
        }
        Err(usage_with_hint(
            format_args!("no definition of the folder is of the product {key}"),
            definition::HOW_TO_GET,
        ))
    }
}

impl Session {
    /// The definition, which this command needs.
    pub(super) fn require(&self) -> Result<Product, Failure> {
        let none = || {
            usage_with_hint(
                "the definition is missing: name it by -d",
                definition::HOW_TO_GET,
            )
        };
        self.product.clone().ok_or_else(none)
    }

    /// Waits for the next P0 that the device sends. Events of the connection itself are left out.
    ///
    /// # Errors
    /// A failure that names the device, if the connection ends.
    pub(super) async fn next_p0(&mut self) -> Result<Vec<u8>, Failure> {
        if let Some(p0) = self.early.pop_front() {
            return Ok(p0);
        }
        loop {
            match self.connection.next().await {
                Some(ClientEvent::P0 { p0, .. }) => return Ok(p0.to_vec()),
                Some(ClientEvent::Closed(why)) => return Err(self.failed(&why.into())),
                Some(_) => {}
                None => return Err(self.failed(&Closed::ByDevice.into())),
            }
        }
    }

    /// Sends a control and waits for its acknowledgement. Statuses from before it are dropped: they are no answer to it.
    pub(super) async fn control(&mut self, p0: &[u8]) -> Result<(), Failure> {
        self.early.clear();
        let id = self.request(p0)?;
        loop {
            match self.connection.next().await {
                Some(ClientEvent::Acknowledged(done)) if done == id => return Ok(()),
                Some(ClientEvent::Unanswered(late)) if late == id => {
                    return Err(self.failed(&ConnectionError::Unanswered));
                }
                Some(ClientEvent::Closed(why)) => return Err(self.failed(&why.into())),
                Some(_) => {}
                None => return Err(self.failed(&Closed::ByDevice.into())),
            }
        }
    }

    /// Reads the status. Without a definition, reads as a standard product first, and then as a var_len product too.
    ///
    /// # Errors
    /// A failure that names the device, if it does not answer.
    pub(super) async fn read(&mut self) -> Result<Vec<u8>, Failure> {
        /// The time after which a device that has not answered the read of a standard product is asked as a var_len product.
        const VAR_LEN: Duration = Duration::from_millis(1500);
        // A mask of ones asks for all points, whatever their number.
        let every: &[u8] = &[0x12, 0xff, 0xff, 0xff, 0xff];
        let is_var_len = |p0: &Vec<u8>| matches!(p0.first(), Some(0x13 | 0x14));
        let (first, mut second) = match &self.product {
            Some(product) => {
                let read = product.message(Action::Read).encode();
                (read.map_err(|error| refused(error.message))?, None)
            }
            None if self.early.iter().any(is_var_len) => (every.to_vec(), None),
            None => (vec![0x02], Some(every)),
        };
        let mut waiting = vec![self.request(&first)?];
        let mut later = pin!(sleep(VAR_LEN));
        loop {
            let event = tokio::select! {
                event = self.connection.next() => event,
                () = &mut later, if second.is_some() => {
                    if let Some(read) = second.take() {
                        waiting.push(self.request(read)?);
                    }
                    continue;
                }
            };
            match event {
                Some(ClientEvent::P0 {
                    p0,
                    answers: Some(id),
                }) if waiting.contains(&id) => return Ok(p0.to_vec()),
                Some(ClientEvent::Unanswered(id)) => {
                    waiting.retain(|one| *one != id);
                    if waiting.is_empty() && second.is_none() {
                        let host = &self.host;
                        return Err(refused(format_args!(
                            "{host}: the device has not answered the read of its status"
                        )));
                    }
                }
                Some(ClientEvent::Closed(why)) => return Err(self.failed(&why.into())),
                Some(_) => {}
                None => return Err(self.failed(&Closed::ByDevice.into())),
            }
        }
    }

    /// Sends a request and does not wait for its outcome.
    fn request(&mut self, p0: &[u8]) -> Result<RequestId, Failure> {
        let id = self.connection.request(p0);
        id.map_err(|error| self.failed(&error.into()))
    }

    /// The failure of a request.
    pub(super) fn failed(&self, error: &ConnectionError) -> Failure {
        failed(&self.host, error)
    }

    /// Decodes a P0. `None` without a definition.
    ///
    /// # Errors
    /// The error of the codec, for example because the definition is that of another product.
    pub(super) fn decode<'s>(&'s self, p0: &'s [u8]) -> Option<Result<Decoded<'s, 's>, Error>> {
        Some(self.product.as_ref()?.decode_p0(p0))
    }
}

/// Describes a P0 for people with `with`, or as bytes.
pub(super) fn described(
    product: Option<&Product>,
    p0: &[u8],
    with: impl FnOnce(&Decoded<'_, '_>) -> String,
) -> String {
    match product.map(|product| product.decode_p0(p0)) {
        Some(Ok(decoded)) => with(&decoded),
        Some(Err(error)) => format!("{}  ! {}", payload::hex(p0), error.message),
        None => payload::hex(p0),
    }
}

/// The failure of a connection to this host.
fn failed(host: &str, error: &ConnectionError) -> Failure {
    match error {
        ConnectionError::Request(RequestError::TooLong) => usage(error),
        _ => refused(format_args!("{host}: {error}")),
    }
}

/// The JSON of a decoded P0, or of the error.
pub(super) fn result_json(decoded: Result<&Decoded<'_, '_>, &Error>) -> String {
    match decoded {
        Ok(decoded) => decoded.to_json(),
        Err(error) => json!({"error": error}).to_string(),
    }
}

/// The end of a command that has shown a P0.
///
/// # Errors
/// The error of the codec, with a hint: the device is most likely of another product.
pub(super) fn ended(decoded: Option<Result<Decoded<'_, '_>, Error>>) -> Result<(), Failure> {
    match decoded {
        Some(Err(error)) => Err(refused(format_args!(
            "{}. The definition may be that of another product or version",
            error.message
        ))),
        _ => Ok(()),
    }
}
