//! Captures: frames of networks and of the serial line, with a definition or without one.
//!
//! A [`CaptureReader`] reads texts, lines and raw bytes, as `gizwits decode` does. A [`CaptureDecoder`] decodes a frame or
//! P0, as far as that is possible without a definition. [`M2mStream`] and [`UartStream`] find the frames in bytes that come
//! in pieces. [`Product::fit`](crate::Product::fit) says whether a
//! message can be one of a product.

mod captured;
mod fit;
mod m2m_stream;
mod piece;
mod reader;
mod uart_stream;

pub use captured::{CaptureDecoder, Captured, Envelope, Meaning};
pub use fit::Fit;
pub use m2m_stream::M2mStream;
pub use piece::Piece;
pub use reader::{CaptureReader, Entry, EntrySink, Framing};
pub use uart_stream::UartStream;

/// The kinds of errors of lines, streams and fits, in addition to [`Error::KINDS`](crate::Error::KINDS), with their meanings.
pub const KINDS: &[(&str, &str)] = &[
    ("garbage", "the bytes of a stream belong to no frame"),
    ("line_length", "the line is longer than 16 MiB"),
    (
        "checksum",
        "the checksum of the UART frame is wrong; the message has both",
    ),
    (
        "stuffing",
        "an ff within a UART frame is not followed by 55",
    ),
    (
        "unknown_product",
        "the product key is that of another product",
    ),
    (
        "no_points",
        "the message has no data points, so it fits any product",
    ),
];
