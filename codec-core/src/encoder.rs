//! Encoding: values put into the bytes of a message, in any order.
//!
//! The encoder is as strict as the view is tolerant: what the definition doesn't allow is refused.

use crate::bits;
use crate::decimal::{self, Rounding};
use crate::error::{Error, ErrorKind, PointId};
use crate::layout::{Field, LayoutRef, Shape};
use crate::p0::Action;
use crate::point::{Access, Protocol};
use crate::view::Value;

/// Writes one P0 into a buffer: the action byte, then the values as they are set.
///
/// A point that is not set is 0 in a report or reply, and not flagged in a control.
///
/// ```
/// use gizwits_codec_core::{
///     Access, Action, Encoder, Layout, Point, PointId, Protocol, UintSpec, Value,
/// };
///
/// static LAYOUT: Layout<2> = Layout::must(
///     Protocol::Standard,
///     &[
///         Point::bool(0, Access::Writable, 0, 0),
///         Point::uint8(1, Access::Writable, 1, UintSpec::new(16, 30)),
///     ],
/// );
/// let mut out = [0; 8];
/// let mut control = Encoder::begin(LAYOUT.get(), Action::Control, &mut out)?;
/// control.set(PointId(1), Value::Number(24.into()))?;
/// assert_eq!(control.finish(), [0x01, 0b10, 0x00, 0x18]);
/// # Ok::<(), gizwits_codec_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Encoder<'l, 'o> {
    layout: LayoutRef<'l>,
    rounding: Rounding,
    /// The whole P0.
    out: &'o mut [u8],
    /// How many bytes of flags follow the action; of a message without flags `None`.
    flags: Option<usize>,
}

impl LayoutRef<'_> {
    /// The bytes of a P0 of this action, the action byte included.
    #[must_use]
    pub const fn p0_len(self, action: Action) -> usize {
        let body = match action {
            Action::Control => self.flags_len().saturating_add(self.writable_len()),
            Action::Read => 0,
            Action::Reply | Action::Report => self.status_len(),
        };
        body.saturating_add(1)
    }
}

impl<'l, 'o> Encoder<'l, 'o> {
    /// Begins a P0 with nothing set at the head of `out`, which has at least
    /// [`p0_len`](LayoutRef::p0_len) bytes.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfSpace`]; [`ErrorKind::OtherProtocol`] for a var_len product, whose messages
    /// are not encoded yet.
    #[inline]
    pub fn begin(layout: LayoutRef<'l>, action: Action, out: &'o mut [u8]) -> Result<Self, Error> {
        let code = action.code(layout.protocol());
        if layout.protocol() == Protocol::VarLen {
            return Err(Error::new(ErrorKind::OtherProtocol { action: code }));
        }
        let needed = layout.p0_len(action);
        let Some((out, _)) = out.split_at_mut_checked(needed) else {
            let needed = needed as u32;
            return Err(Error::new(ErrorKind::OutOfSpace { needed }));
        };
        out.fill(0);
        if let Some(first) = out.first_mut() {
            *first = code;
        }
        Ok(Encoder {
            layout,
            rounding: Rounding::Exact,
            out,
            flags: match action {
                Action::Control => Some(layout.flags_len()),
                _ => None,
            },
        })
    }

    /// The same encoder, which rounds numbers that are off the step.
    #[must_use]
    pub fn rounding(mut self, rounding: Rounding) -> Self {
        self.rounding = rounding;
        self
    }

    /// Sets the point with this id.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownPoint`], [`ErrorKind::NotWritable`] in a control,
    /// [`ErrorKind::WrongKind`], [`ErrorKind::PastLabels`], [`ErrorKind::BelowMin`],
    /// [`ErrorKind::AboveMax`], [`ErrorKind::OffStep`] with the raw value below,
    /// [`ErrorKind::BinaryLength`]. Nothing is written then.
    pub fn set(&mut self, id: PointId, value: Value<'_>) -> Result<(), Error> {
        let field = self.field(id)?;
        let raw = match (field.shape, value) {
            (Shape::Bool, Value::Bool(value)) => u32::from(value),
            (Shape::Enum, Value::Enum(index)) => index,
            (Shape::Uint, Value::Number(number)) => {
                match self.layout.scale_of(field).raw(number, self.rounding) {
                    decimal::Raw::Exactly(raw) => raw,
                    decimal::Raw::Low => return Err(refused(ErrorKind::BelowMin, id, field)),
                    decimal::Raw::High => return Err(refused(ErrorKind::AboveMax, id, field)),
                    decimal::Raw::Above(below) => {
                        // Only a value between two that are allowed is merely off the step.
                        let (min, max) = self.layout.limits(id).unwrap_or((0, u32::MAX));
                        return Err(refused(
                            if below < min {
                                ErrorKind::BelowMin
                            } else if below >= max {
                                ErrorKind::AboveMax
                            } else {
                                ErrorKind::OffStep { below }
                            },
                            id,
                            field,
                        ));
                    }
                }
            }
            (Shape::Binary, Value::Binary(bytes)) => return self.put_bytes(id, field, bytes),
            _ => return Err(refused(ErrorKind::WrongKind, id, field)),
        };
        self.put(id, field, raw)
    }

    /// Sets the bool, enum or integer with this id to a raw value.
    ///
    /// # Errors
    /// As for [`set`](Self::set); of a binary [`ErrorKind::WrongKind`].
    #[inline]
    pub fn set_raw(&mut self, id: PointId, raw: u32) -> Result<(), Error> {
        let field = self.field(id)?;
        if field.shape == Shape::Binary {
            return Err(refused(ErrorKind::WrongKind, id, field));
        }
        self.put(id, field, raw)
    }

    /// The whole P0.
    #[inline]
    #[must_use]
    pub fn finish(self) -> &'o [u8] {
        self.out
    }

    #[inline]
    fn field(&self, id: PointId) -> Result<Field, Error> {
        let Some(field) = self.layout.field(id) else {
            return Err(Error::new(ErrorKind::UnknownPoint).about(id));
        };
        if self.flags.is_some() && field.access != Access::Writable {
            return Err(refused(ErrorKind::NotWritable, id, *field));
        }
        Ok(*field)
    }

    /// The bytes that the positions count in.
    #[inline]
    fn body(&mut self) -> &mut [u8] {
        let start = self.flags.unwrap_or(0).saturating_add(1);
        self.out.get_mut(start..).unwrap_or(&mut [])
    }

    #[inline]
    fn put(&mut self, id: PointId, field: Field, raw: u32) -> Result<(), Error> {
        let (min, max) = self.layout.limits(id).unwrap_or((0, u32::MAX));
        if raw > max {
            let kind = match field.shape {
                Shape::Enum => ErrorKind::PastLabels,
                _ => ErrorKind::AboveMax,
            };
            return Err(refused(kind, id, field));
        }
        if raw < min {
            return Err(refused(ErrorKind::BelowMin, id, field));
        }
        let stored = bits::store(self.body(), field.end, field.shift, field.drop, raw);
        self.flag(id, stored)
    }

    fn put_bytes(&mut self, id: PointId, field: Field, bytes: &[u8]) -> Result<(), Error> {
        let expected = field.aux;
        if bytes.len() != usize::from(expected) {
            return Err(refused(ErrorKind::BinaryLength { expected }, id, field));
        }
        let end = usize::from(field.end);
        let start = end.saturating_sub(bytes.len());
        let to = self.body().get_mut(start..end).unwrap_or(&mut []);
        let stored = to.len() == bytes.len();
        for (to, from) in to.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.flag(id, stored)
    }

    #[inline]
    fn flag(&mut self, id: PointId, stored: bool) -> Result<(), Error> {
        let flagged = match self.flags {
            None => true,
            Some(len) => {
                let flags = self.out.get_mut(1..len.saturating_add(1));
                flags.is_some_and(|flags| bits::set_bit(flags, id.0))
            }
        };
        if stored && flagged {
            Ok(())
        } else {
            // Unreachable with a layout that `check` made.
            Err(Error::new(ErrorKind::UnknownPoint).about(id))
        }
    }
}

#[cold]
fn refused(kind: ErrorKind, id: PointId, field: Field) -> Error {
    Error::new(kind).about(id).at(field.start())
}

impl Action {
    /// The action's byte in this protocol.
    #[inline]
    #[must_use]
    pub const fn code(self, protocol: Protocol) -> u8 {
        let code = match self {
            Action::Control => 0x01,
            Action::Read => 0x02,
            Action::Reply => 0x03,
            Action::Report => 0x04,
        };
        match protocol {
            Protocol::Standard => code,
            Protocol::VarLen => code | 0x10,
        }
    }
}
