//! Tests of the command line, through the binary. They are one program, because each program links all that they share.

mod check;
mod cli;
mod cloud;
mod log;
mod log_devices;
mod log_files;
mod log_packets;
mod log_parts;
mod readme;
