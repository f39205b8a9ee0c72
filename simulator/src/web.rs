//! The HTTP server: the API, its pages and its administration.

mod admin;
mod caller;
mod connection;
mod debugger;
mod device_page;
mod events;
mod response;
mod server;

pub use server::{Options, Server};
