//! The HTTP server: the API, its pages and its administration.

mod admin;
mod app;
mod caller;
mod connection;
mod debugger;
mod device_list;
mod device_page;
mod events;
mod position;
mod response;
mod server;

pub use server::{Options, Server};
