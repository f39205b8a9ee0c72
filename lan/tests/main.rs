//! Tests through the public interface. They are one program, because each program links all that the crate depends on.

#[cfg(feature = "tokio")]
mod connection;
#[cfg(feature = "tokio")]
mod device;
mod reconnecting_client;
#[cfg(feature = "tokio")]
mod search;
mod session;
