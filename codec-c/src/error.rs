//! The error of a call, in memory of its caller.

use core::ffi::c_char;
use core::fmt::{self, Write};
use core::ptr;

use gizwits_codec_core as codec;
#[cfg(feature = "std")]
use gizwits_codec_std::{self as codec_std, Product};

use crate::argument::Output;
use crate::status::gizwits_status;

/// The number of bytes of the text of an error, with the NUL at its end.
pub const GIZWITS_ERROR_TEXT: usize = 1024;

/// The error of a call: its status, its location, and a text for people.
///
/// The caller owns the memory, on its stack for example, and passes its address or NULL. The library writes it before
/// the call returns and keeps no reference to it, so that errors of threads and of calls never mix.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gizwits_error {
    /// The status that the call returned. After a success it is GIZWITS_STATUS_OK, and the text is empty.
    pub status: gizwits_status,
    /// The id of the point that the error is about, or -1.
    pub point: i32,
    /// The offset of the byte that the error is about, or -1: in the given bytes, or in the status of the device if a
    /// value was refused.
    pub byte: i64,
    /// The offset of the bit in its bit area, or -1.
    pub bit: i64,
    /// A text that says what is wrong, where, and what would be right: UTF-8 that ends with a NUL. A longer text is cut
    /// between two characters. The texts may change with any version; programs compare the status.
    pub text: [c_char; GIZWITS_ERROR_TEXT],
}

impl gizwits_error {
    /// Creates the error of a failure.
    pub(crate) fn new(failure: &Failure) -> Self {
        let mut error = gizwits_error {
            status: failure.status(),
            point: -1,
            byte: -1,
            bit: -1,
            text: [0; GIZWITS_ERROR_TEXT],
        };
        let offset = |offset: Option<u32>| offset.map_or(-1, i64::from);
        let id = |point: Option<codec::PointId>| point.map_or(-1, |id| i32::from(id.0));
        match failure {
            Failure::Codec(codec::Error {
                point, byte, bit, ..
            }) => {
                (error.point, error.byte, error.bit) = (id(*point), offset(*byte), offset(*bit));
            }
            #[cfg(feature = "std")]
            Failure::Named(named, point) => {
                (error.point, error.byte, error.bit) =
                    (id(*point), offset(named.byte), offset(named.bit));
            }
            #[cfg(feature = "std")]
            Failure::Utf8 { byte, .. } => error.byte = i64::try_from(*byte).unwrap_or(-1),
            _ => {}
        }
        let mut text = Text {
            bytes: &mut error.text,
            length: 0,
        };
        // A text that is too long has been cut; the error of `write!` says no more.
        let _ = write!(text, "{failure}");
        error
    }

    /// Stores that there is no error. Most calls succeed, so that only the first byte of the text is written.
    pub(crate) fn clear(to: Output<gizwits_error>) {
        let to = to.as_ptr();
        // SAFETY: an output is aligned memory of a `gizwits_error` that nobody else uses.
        unsafe {
            ptr::write(&raw mut (*to).status, gizwits_status::Ok);
            ptr::write(&raw mut (*to).point, -1);
            ptr::write(&raw mut (*to).byte, -1);
            ptr::write(&raw mut (*to).bit, -1);
            ptr::write((&raw mut (*to).text).cast::<c_char>(), 0);
        }
    }
}

/// The text of an error while it is written.
struct Text<'t> {
    bytes: &'t mut [c_char],
    length: usize,
}

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The last byte stays the NUL.
        let end = self.bytes.len().saturating_sub(1);
        let room = end.saturating_sub(self.length);
        let cut = text.floor_char_boundary(room);
        let free = self.bytes.iter_mut().skip(self.length);
        for (to, from) in free.zip(text.bytes().take(cut)) {
            *to = from as c_char;
        }
        self.length = self.length.saturating_add(cut);
        if cut < text.len() {
            // Nothing is appended behind a cut.
            self.length = end;
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// The reason why a call fails.
pub(crate) enum Failure {
    /// An argument breaks the contract: how, and its name.
    Argument(gizwits_status, &'static str),
    /// A text is not UTF-8 from this byte on.
    #[cfg(feature = "std")]
    Utf8 { name: &'static str, byte: usize },
    /// A buffer is too short.
    Short {
        name: &'static str,
        needed: usize,
        capacity: usize,
    },
    /// An error of the core.
    Codec(codec::Error),
    /// An error of the codec with names, and the id of its point.
    #[cfg(feature = "std")]
    Named(Box<codec_std::Error>, Option<codec::PointId>),
    /// A definition is invalid.
    #[cfg(feature = "std")]
    Definition(codec_std::CheckError),
    /// A panic was caught.
    Internal,
}

impl Failure {
    pub(crate) fn status(&self) -> gizwits_status {
        match self {
            Failure::Argument(status, _) => *status,
            #[cfg(feature = "std")]
            Failure::Utf8 { .. } => gizwits_status::InvalidUtf8,
            Failure::Short { .. } => gizwits_status::OutOfSpace,
            Failure::Codec(error) => error.kind.into(),
            #[cfg(feature = "std")]
            Failure::Named(error, _) => gizwits_status::named(error.kind),
            #[cfg(feature = "std")]
            Failure::Definition(_) => gizwits_status::Definition,
            Failure::Internal => gizwits_status::Internal,
        }
    }

    /// Whether the call has stored the needed length.
    pub(crate) fn has_length(&self) -> bool {
        matches!(self, Failure::Short { .. })
    }

    /// Returns the failure of an error about a product.
    #[cfg(feature = "std")]
    pub(crate) fn named(product: &Product, error: codec_std::Error) -> Self {
        let point = error.point.as_deref().and_then(|name| product.find(name));
        let id = point.map(codec_std::Attr::id);
        Failure::Named(Box::new(error), id)
    }
}

impl From<codec::Error> for Failure {
    fn from(error: codec::Error) -> Self {
        Failure::Codec(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Argument(status, name) => write!(f, "`{name}` {}", misuse(*status)),
            #[cfg(feature = "std")]
            Failure::Utf8 { name, byte } => write!(f, "`{name}` is not UTF-8 at byte {byte}"),
            Failure::Short {
                name,
                needed,
                capacity,
            } => write!(
                f,
                "`{name}` has a capacity of {capacity}, and {needed} are needed"
            ),
            Failure::Codec(error) => error.fmt(f),
            #[cfg(feature = "std")]
            Failure::Named(error, _) => error.fmt(f),
            #[cfg(feature = "std")]
            Failure::Definition(invalid) => invalid.fmt(f),
            Failure::Internal => f.write_str("the library has a bug: please report it"),
        }
    }
}

fn misuse(status: gizwits_status) -> &'static str {
    match status {
        gizwits_status::NullPointer => "is null",
        gizwits_status::Misaligned => "does not have the alignment of its type",
        gizwits_status::Overlap => "overlaps memory of another argument",
        gizwits_status::InvalidLength => "is longer than memory can be",
        gizwits_status::InvalidHandle => "was freed, never made, or is of another kind",
        gizwits_status::InvalidArgument => "is none of the numbers that are allowed",
        gizwits_status::UnknownPoint => "is no point of the product",
        gizwits_status::PastLabels => "has no label",
        _ => "is refused",
    }
}
