//! Decoding: values read in place from the bytes of a message.
//!
//! A view is made once its length is right; then no access to it can fail. Values that the
//! definition doesn't foresee, an enum index past the labels or a number beyond its limits, are
//! kept and flagged, since devices send them.

use crate::bits::{self, Source};
use crate::decimal::Decimal;
use crate::error::{Error, ErrorKind, PointId};
use crate::layout::{Field, LayoutRef, Shape};

/// The value of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Value<'b> {
    /// Of a bool.
    Bool(bool),
    /// Of an enum: the index of its label, possibly past the last.
    Enum(u32),
    /// Of an integer: its engineering value.
    Number(Decimal),
    /// Of a binary.
    Binary(#[cfg_attr(feature = "serde", serde(borrow))] &'b [u8]),
}

/// The value of a point as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raw<'b> {
    /// Of a bool, an enum or an integer.
    Number(u32),
    /// Of a binary.
    Bytes(&'b [u8]),
}

/// One point of a message.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'l, 'b> {
    id: PointId,
    field: Field,
    layout: LayoutRef<'l>,
    raw: Raw<'b>,
}

impl<'b> Reading<'_, 'b> {
    /// The point's id.
    #[inline]
    #[must_use]
    pub fn id(&self) -> PointId {
        self.id
    }

    /// What is on the wire.
    #[inline]
    #[must_use]
    pub fn raw(&self) -> Raw<'b> {
        self.raw
    }

    /// What it means.
    #[inline]
    #[must_use]
    pub fn value(&self) -> Value<'b> {
        match (self.raw, self.field.shape) {
            (Raw::Bytes(bytes), _) => Value::Binary(bytes),
            (Raw::Number(raw), Shape::Bool) => Value::Bool(raw != 0),
            (Raw::Number(raw), Shape::Enum) => Value::Enum(raw),
            (Raw::Number(raw), _) => Value::Number(self.layout.scale_of(self.field).value(raw)),
        }
    }

    /// [`PastLabels`](ErrorKind::PastLabels), [`BelowMin`](ErrorKind::BelowMin) or
    /// [`AboveMax`](ErrorKind::AboveMax), if the definition doesn't foresee this value.
    #[inline]
    #[must_use]
    pub fn flagged(&self) -> Option<ErrorKind> {
        let Raw::Number(raw) = self.raw else {
            return None;
        };
        let spec = self.layout.specs.get(self.id.index())?;
        if raw > spec.max {
            Some(match self.field.shape {
                Shape::Enum => ErrorKind::PastLabels,
                _ => ErrorKind::AboveMax,
            })
        } else if raw < spec.min {
            Some(ErrorKind::BelowMin)
        } else {
            None
        }
    }
}

/// The points of one message over its bytes.
#[derive(Clone, Copy)]
pub struct View<'l, 'b> {
    layout: LayoutRef<'l>,
    /// Of a control: which points it sets.
    flags: Option<&'b [u8]>,
    body: Source<'b>,
}

impl core::fmt::Debug for View<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let values = self.iter().map(|reading| (reading.id(), reading.value()));
        f.debug_map().entries(values).finish()
    }
}

impl<'l> LayoutRef<'l> {
    /// The points of a status: the body of a report or a read reply, without its action byte.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] with the first point that is cut, [`ErrorKind::Trailing`].
    #[inline]
    pub fn view<'b>(self, body: &'b [u8]) -> Result<View<'l, 'b>, Error> {
        if body.len() != self.status_len() {
            return Err(self.wrong_length(0, body.len(), self.status_len(), 0));
        }
        Ok(self.view_lax(body))
    }

    /// The same of a body of any length: the points that are whole.
    /// [`View::missing`] and [`View::extra`] tell what differs.
    #[inline]
    #[must_use]
    pub fn view_lax<'b>(self, body: &'b [u8]) -> View<'l, 'b> {
        View {
            layout: self,
            flags: None,
            body: Source::new(body),
        }
    }

    /// The points that a control sets: its body, `attr_flags` and `attr_vals`, without its action
    /// byte. Values whose flag is clear are not there.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`], [`ErrorKind::Trailing`]; [`ErrorKind::NotWritable`] or
    /// [`ErrorKind::UnknownFlag`] for a flag that can't be set.
    #[inline]
    pub fn view_control<'b>(self, body: &'b [u8]) -> Result<View<'l, 'b>, Error> {
        let skipped = self.flags_len();
        let needed = skipped.saturating_add(self.writable_len());
        match body.split_at_checked(skipped) {
            Some((flags, values)) if body.len() == needed => {
                self.check_flags(flags)?;
                Ok(View {
                    layout: self,
                    flags: Some(flags),
                    body: Source::new(values),
                })
            }
            _ => Err(self.wrong_length(skipped, body.len(), needed, self.head.writable_len)),
        }
    }

    fn check_flags(self, flags: &[u8]) -> Result<(), Error> {
        let spare = self.writable() % 8;
        let bad = match flags.first() {
            Some(first) if spare > 0 => first.wrapping_shr(u32::from(spare)),
            _ => 0,
        };
        if bad == 0 {
            return Ok(());
        }
        let id = self.writable().saturating_add(bad.trailing_zeros() as u16);
        Err(if id < self.points() {
            Error::new(ErrorKind::NotWritable).about(PointId(id)).at(0)
        } else {
            Error::new(ErrorKind::UnknownFlag).at(0).bit(u32::from(id))
        })
    }

    /// The error of a body of `have` bytes whose values begin `skipped` bytes in.
    #[cold]
    fn wrong_length(self, skipped: usize, have: usize, needed: usize, section: u16) -> Error {
        if let Some(extra) = have.checked_sub(needed)
            && extra > 0
        {
            let extra = u32::try_from(extra).unwrap_or(u32::MAX);
            return Error::new(ErrorKind::Trailing { extra }).at(needed as u32);
        }
        let missing = needed.saturating_sub(have) as u32;
        let error = Error::new(ErrorKind::Incomplete { missing }).at(have as u32);
        let Some(values) = have.checked_sub(skipped) else {
            return error;
        };
        // The point with the first byte that is missing.
        let limit = if section > 0 { section } else { u16::MAX };
        let cut = self
            .fields
            .iter()
            .take(self.head.points())
            .enumerate()
            .filter(|(_, field)| usize::from(field.end) > values && field.end <= limit)
            .min_by_key(|(_, field)| field.start());
        match cut {
            Some((id, _)) => error.about(PointId(id as u16)),
            None => error,
        }
    }
}

impl<'l, 'b> View<'l, 'b> {
    /// The point with this id; `None` if there is no such point or the message doesn't have it.
    #[inline]
    #[must_use]
    pub fn read(&self, id: PointId) -> Option<Reading<'l, 'b>> {
        let field = *self.layout.field(id)?;
        if let Some(flags) = self.flags
            && !bits::bit(flags, id.0)
        {
            return None;
        }
        self.reading(id, field)
    }

    /// The value of the point with this id, as [`read`](Self::read) has it.
    #[inline]
    #[must_use]
    pub fn get(&self, id: PointId) -> Option<Value<'b>> {
        Some(self.read(id)?.value())
    }

    /// The raw value of the bool, enum or integer with this id.
    #[inline]
    #[must_use]
    pub fn raw(&self, id: PointId) -> Option<u32> {
        match self.read(id)?.raw() {
            Raw::Number(raw) => Some(raw),
            Raw::Bytes(_) => None,
        }
    }

    /// The points of the message in the order of their ids.
    #[inline]
    #[must_use]
    pub fn iter(&self) -> Iter<'l, 'b> {
        let all = self.layout.fields.get(..self.layout.head.points());
        Iter {
            view: *self,
            fields: all.unwrap_or(&[]).iter(),
            next: 0,
        }
    }

    /// How many bytes the body is short of a whole status.
    #[must_use]
    pub fn missing(&self) -> usize {
        match self.flags {
            None => self
                .layout
                .status_len()
                .saturating_sub(self.body.bytes.len()),
            Some(_) => 0,
        }
    }

    /// The bytes of the body behind the status.
    #[must_use]
    pub fn extra(&self) -> &'b [u8] {
        match self.flags {
            None => self.body.bytes.get(self.layout.status_len()..),
            Some(_) => None,
        }
        .unwrap_or(&[])
    }

    #[inline]
    fn reading(&self, id: PointId, field: Field) -> Option<Reading<'l, 'b>> {
        let raw = if field.shape == Shape::Binary {
            let end = usize::from(field.end);
            let start = end.checked_sub(usize::from(field.aux))?;
            Raw::Bytes(self.body.bytes.get(start..end)?)
        } else {
            Raw::Number(self.body.load(field.end, field.shift, field.drop)?)
        };
        Some(Reading {
            id,
            field,
            layout: self.layout,
            raw,
        })
    }
}

impl<'l, 'b> IntoIterator for View<'l, 'b> {
    type Item = Reading<'l, 'b>;
    type IntoIter = Iter<'l, 'b>;

    fn into_iter(self) -> Iter<'l, 'b> {
        self.iter()
    }
}

/// The points of a message in the order of their ids.
#[derive(Clone, Debug)]
pub struct Iter<'l, 'b> {
    view: View<'l, 'b>,
    fields: core::slice::Iter<'l, Field>,
    next: u16,
}

impl<'l, 'b> Iterator for Iter<'l, 'b> {
    type Item = Reading<'l, 'b>;

    #[inline]
    fn next(&mut self) -> Option<Reading<'l, 'b>> {
        loop {
            let field = *self.fields.next()?;
            let id = PointId(self.next);
            self.next = self.next.wrapping_add(1);
            if let Some(flags) = self.view.flags
                && !bits::bit(flags, id.0)
            {
                continue;
            }
            if let Some(reading) = self.view.reading(id, field) {
                return Some(reading);
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.fields.len()))
    }
}
