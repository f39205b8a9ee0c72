//! The client without async: `send` waits for the answer, and lists in pages are iterators.
//!
//! The async client does the work, on a thread and a runtime that all clones of a client share. The
//! caller needs no runtime. In async code, `send` blocks the current thread: call it from a thread that
//! may block, for example in `tokio::task::spawn_blocking`.
//!
//! ```
//! use gizwits_enterprise_client::blocking::Enterprise;
//! use gizwits_simulator::{Server, Simulator};
//!
//! // A simulator on this machine instead of the cloud: the example needs no account.
//! let server = Server::start(Simulator::builder().build()?, Default::default())?;
//! let account = server.simulator().credentials()?.swap_remove(0);
//!
//! let enterprise = Enterprise::builder()
//!     .id(&account.enterprise_id)
//!     .secret(account.enterprise_secret)
//!     .base_url(server.url())
//!     .build()?;
//! let product = enterprise.product(&account.product_key, account.product_secret);
//! for command in product.device(account.dids[0].as_str()).cmd_log().iter().take(3) {
//!     let command = command?;
//!     println!("{} {:?} {}", command.timestamp, command.direction, command.payload);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use crate::mode::Blocking;
use crate::{api, client};

/// The blocking client of an enterprise.
pub type Enterprise = client::Enterprise<Blocking>;
/// A product of an enterprise, with blocking calls.
pub type Product = client::Product<Blocking>;
/// A device of a product, with blocking calls.
pub type Device = api::device::Device<Blocking>;
