//! The numbers of a message, written to a slice of the caller.

use super::view::View;
use crate::error::Error;
#[cfg(target_pointer_width = "64")]
use crate::layout::{Field, RunKind, Runs};
use crate::value::{Decimal, Raw};

impl View<'_, '_> {
    /// Writes the exact value of each point to `out[id]`: 0 or 1 for a bool, the label index of an enum, the
    /// engineering value of an integer, 0 for a binary.
    ///
    /// Entries of points that the message does not have keep their value. This is the fastest way to read all
    /// numbers of a message.
    ///
    /// ```
    /// use gizwits_codec_core::{Access, Decimal, Layout, Point, Protocol, UintSpec};
    ///
    /// static LAYOUT: Layout<2> = Layout::must(
    ///     Protocol::Standard,
    ///     &[
    ///         Point::bool(0, Access::Writable, 0, 0),
    ///         Point::uint8(1, Access::Writable, 1, UintSpec::new(16, 30)),
    ///     ],
    /// );
    /// let mut values = [Decimal::ZERO; 2];
    /// LAYOUT.get().view(&[0x01, 0x18])?.read_decimals(&mut values)?;
    /// assert_eq!(values, [1.into(), 24.into()]);
    /// # Ok::<(), gizwits_codec_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfSpace`](crate::ErrorKind::OutOfSpace) if `out` has fewer entries than the layout has
    /// points. Nothing is written then.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn read_decimals(&self, out: &mut [Decimal]) -> Result<(), Error> {
        let out = self.entries(out)?;
        #[cfg(target_pointer_width = "64")]
        if self.is_whole() {
            let layout = self.layout();
            match self.body.word() {
                Some(word) => decimals_of_word(word, layout.fields, out),
                None => decimals_of_status(self.values(), layout.fields, &layout.head.runs, out),
            }
            return Ok(());
        }
        self.read_each(out, |value| value);
        Ok(())
    }

    /// Like [`read_decimals`](Self::read_decimals), but converts each value with [`Decimal::to_f64`].
    ///
    /// # Errors
    /// As for [`read_decimals`](Self::read_decimals).
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn read_f64s(&self, out: &mut [f64]) -> Result<(), Error> {
        let out = self.entries(out)?;
        #[cfg(target_pointer_width = "64")]
        if self.is_whole() {
            let layout = self.layout();
            match self.body.word() {
                Some(word) => f64s_of_word(word, layout.fields, out),
                None => f64s_of_status(self.values(), layout.fields, &layout.head.runs, out),
            }
            return Ok(());
        }
        self.read_each(out, Decimal::to_f64);
        Ok(())
    }

    /// Writes the number of each point that the message has: the plain path for every message.
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn read_each<T>(&self, out: &mut [T], make: impl Fn(Decimal) -> T) {
        let layout = self.layout();
        self.iter().for_each(|reading| {
            let value = match reading.raw() {
                Raw::Number(raw) => layout.scale_of(reading.field()).value(raw),
                Raw::Bytes(_) => Decimal::ZERO,
            };
            if let Some(slot) = out.get_mut(reading.id().index()) {
                *slot = make(value);
            }
        });
    }
}

#[cfg(target_pointer_width = "64")]
fn decimals_of_word(word: u64, fields: &[Field], out: &mut [Decimal]) {
    read_word(word, fields, out, |value| value);
}

#[cfg(target_pointer_width = "64")]
fn f64s_of_word(word: u64, fields: &[Field], out: &mut [f64]) {
    read_word(word, fields, out, Decimal::to_f64);
}

#[cfg(target_pointer_width = "64")]
fn decimals_of_status(status: &[u8], fields: &[Field], runs: &Runs, out: &mut [Decimal]) {
    read_status(status, fields, runs, out, |value| value);
}

#[cfg(target_pointer_width = "64")]
fn f64s_of_status(status: &[u8], fields: &[Field], runs: &Runs, out: &mut [f64]) {
    read_status(status, fields, runs, out, Decimal::to_f64);
}

/// Writes the numbers of a whole status of up to 8 bytes, which are one word.
#[cfg(target_pointer_width = "64")]
#[inline(always)]
fn read_word<T>(word: u64, fields: &[Field], out: &mut [T], make: impl Fn(Decimal) -> T) {
    for (slot, field) in out.iter_mut().zip(fields) {
        *slot = make(field.kernel.value(field.kernel.raw_of(word)));
    }
}

/// Writes the numbers of a whole status of 8 bytes or more.
#[cfg(target_pointer_width = "64")]
#[inline(always)]
fn read_status<T: Clone>(
    status: &[u8],
    mut fields: &[Field],
    runs: &Runs,
    mut out: &mut [T],
    make: impl Fn(Decimal) -> T,
) {
    for run in runs.list() {
        let len = usize::from(run.len);
        let (Some((these, others)), Some((slots, rest))) =
            (fields.split_at_checked(len), out.split_at_mut_checked(len))
        else {
            return;
        };
        (fields, out) = (others, rest);
        // A copy, so that the loops do not load the kernel for each value.
        let Some(&Field { kernel, end, .. }) = these.first() else {
            return;
        };
        let start = usize::from(end).saturating_sub(4);
        let words = || {
            let words = status.get(start..).unwrap_or(&[]).chunks_exact(4);
            words.map(|word| {
                word.first_chunk()
                    .map_or(0, |word| u32::from_be_bytes(*word))
            })
        };
        match run.kind {
            RunKind::Each => {
                for (slot, field) in slots.iter_mut().zip(these) {
                    let Some(raw) = field.kernel.raw(status) else {
                        return;
                    };
                    *slot = make(field.kernel.value(raw));
                }
            }
            RunKind::UnitWords => {
                for (slot, word) in slots.iter_mut().zip(words()) {
                    *slot = make(kernel.unit(word));
                }
            }
            RunKind::Words => {
                for (slot, word) in slots.iter_mut().zip(words()) {
                    *slot = make(kernel.value(word));
                }
            }
            RunKind::Binaries => slots.fill(make(Decimal::ZERO)),
        }
    }
}
