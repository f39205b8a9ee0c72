//! The arguments of a call: pointers that are checked before the call reads or writes anything.
//!
//! A [`Call`] takes each argument of a function. It refuses null and unaligned pointers, impossible lengths, and
//! memory that the call writes and another argument uses as well. What it cannot see is whether the memory exists:
//! that is the contract of the header.

#[cfg(feature = "std")]
use core::ffi::c_char;
use core::marker::PhantomData;
use core::mem::size_of;
use core::ptr::{self, NonNull};
use core::slice;

use crate::error::{Failure, gizwits_error};
use crate::status::gizwits_status;

/// The memory of one argument, as addresses.
#[derive(Clone, Copy, Default)]
struct Span {
    start: usize,
    end: usize,
    is_written: bool,
}

impl Span {
    fn clashes(&self, other: &Span) -> bool {
        (self.is_written || other.is_written) && self.start < other.end && other.start < self.end
    }
}

/// The arguments that a call has taken so far.
pub(crate) struct Call<'a> {
    spans: [Span; Call::MAX],
    taken: usize,
    /// The length and the handle that are 0 after a failure.
    length: Option<Output<usize>>,
    handle: Option<Output<u64>>,
    /// The memory of the argument that was refused because it overlaps that of another.
    refused: Option<Span>,
    memory: PhantomData<&'a [u8]>,
}

impl<'a> Call<'a> {
    const MAX: usize = 8;

    /// Refuses memory that overlaps that of another argument, if the call writes to either.
    fn check(&mut self, name: &'static str, span: Span) -> Result<(), Failure> {
        let mut taken = self.spans.iter().take(self.taken);
        if taken.any(|other| span.clashes(other)) {
            self.refused = Some(span);
            return Err(Failure::Argument(gizwits_status::Overlap, name));
        }
        Ok(())
    }

    /// Stores the value of an output after a failure. An output that overlaps the refused argument is left alone: it can
    /// be the memory of an input.
    fn put<T>(&self, output: Output<T>, value: impl FnOnce() -> T) {
        let start = output.as_ptr() as usize;
        let end = start.saturating_add(size_of::<T>());
        let is_hit = |refused: &Span| refused.start < end && start < refused.end;
        if !self.refused.as_ref().is_some_and(is_hit) {
            output.put(value());
        }
    }

    /// Keeps the memory of an argument, to hold the next ones against it.
    fn take(&mut self, name: &'static str, span: Span) -> Result<(), Failure> {
        self.check(name, span)?;
        *self.spans.get_mut(self.taken).ok_or(Failure::Internal)? = span;
        self.taken = self.taken.saturating_add(1);
        Ok(())
    }

    /// Takes an array that the call reads. A null pointer is an empty array if `count` is 0.
    ///
    /// # Safety
    /// `from` is null, or points to `count` items that nobody changes as long as `'a`.
    pub(crate) unsafe fn items<T>(
        &mut self,
        name: &'static str,
        from: *const T,
        count: usize,
    ) -> Result<&'a [T], Failure> {
        // SAFETY: the promise is that of this function.
        let items = unsafe { self.peek(name, from, count)? };
        self.take(name, span(name, from, count, false)?)?;
        Ok(items)
    }

    /// Returns an array that the call has done with before it takes the next argument.
    ///
    /// # Safety
    /// As for [`items`](Self::items).
    pub(crate) unsafe fn peek<T>(
        &mut self,
        name: &'static str,
        from: *const T,
        count: usize,
    ) -> Result<&'a [T], Failure> {
        if from.is_null() && count == 0 {
            return Ok(&[]);
        }
        let from = aligned(name, from.cast_mut())?;
        self.check(name, span(name, from.as_ptr(), count, false)?)?;
        // SAFETY: the pointer is neither null nor unaligned, its memory is at most `isize::MAX` bytes long and does
        // not wrap around, nothing that this call writes overlaps it, and the caller promises the rest.
        Ok(unsafe { slice::from_raw_parts(from.as_ptr(), count) })
    }

    /// Takes a text that the call reads.
    ///
    /// # Safety
    /// As for [`items`](Self::items).
    #[cfg(feature = "std")]
    pub(crate) unsafe fn text(
        &mut self,
        name: &'static str,
        from: *const c_char,
        length: usize,
    ) -> Result<&'a str, Failure> {
        // SAFETY: the promise is that of this function, and every byte is a `u8`.
        let bytes = unsafe { self.items(name, from.cast::<u8>(), length)? };
        str::from_utf8(bytes).map_err(|error| Failure::Utf8 {
            name,
            byte: error.valid_up_to(),
        })
    }

    /// Takes the memory of one value that the call writes.
    ///
    /// # Safety
    /// `to` is null, or points to memory of a `T` that nobody else uses as long as `'a`.
    pub(crate) unsafe fn output<T>(
        &mut self,
        name: &'static str,
        to: *mut T,
    ) -> Result<Output<T>, Failure> {
        let to = aligned(name, to)?;
        self.take(name, span(name, to.as_ptr(), 1, true)?)?;
        Ok(Output(to))
    }

    /// Takes the memory of a handle that the call makes.
    ///
    /// # Safety
    /// As for [`output`](Self::output).
    #[cfg(feature = "std")]
    pub(crate) unsafe fn handle(
        &mut self,
        name: &'static str,
        to: *mut u64,
    ) -> Result<Output<u64>, Failure> {
        // SAFETY: the promise is that of this function.
        let handle = unsafe { self.output(name, to)? };
        self.handle = Some(handle);
        Ok(handle)
    }

    /// Takes the memory of one value that the call writes unless the pointer is null.
    ///
    /// # Safety
    /// As for [`output`](Self::output).
    pub(crate) unsafe fn optional<T>(
        &mut self,
        name: &'static str,
        to: *mut T,
    ) -> Result<Option<Output<T>>, Failure> {
        match to.is_null() {
            true => Ok(None),
            // SAFETY: the promise is that of this function.
            false => unsafe { self.output(name, to).map(Some) },
        }
    }

    /// Takes memory of bytes that the call uses. A null pointer is memory of the length 0.
    ///
    /// # Safety
    /// `to` is null, or points to memory of `length` bytes that nobody else uses as long as `'a`.
    pub(crate) unsafe fn memory(
        &mut self,
        name: &'static str,
        to: *mut u8,
        length: usize,
    ) -> Result<&'a mut [u8], Failure> {
        if to.is_null() && length == 0 {
            return Ok(&mut []);
        }
        let to = aligned(name, to)?.as_ptr();
        self.take(name, span(name, to, length, true)?)?;
        // SAFETY: the pointer is not null, the length is possible, nothing that this call uses overlaps the memory, and
        // the caller promises the rest. The bytes are set first, because memory of a C program need not be initialised.
        Ok(unsafe {
            ptr::write_bytes(to, 0, length);
            slice::from_raw_parts_mut(to, length)
        })
    }

    /// Takes memory that the call writes by way of another argument.
    pub(crate) fn written(
        &mut self,
        name: &'static str,
        start: *const u8,
        length: usize,
    ) -> Result<(), Failure> {
        self.take(name, span(name, start, length, true)?)
    }

    /// Takes an array that the call fills, and the length that it stores. A null pointer has the capacity 0.
    ///
    /// # Safety
    /// `to` is null, or points to memory of `capacity` items, and `length` to a `usize`; nobody else uses either as
    /// long as `'a`.
    pub(crate) unsafe fn buffer<T>(
        &mut self,
        name: &'static str,
        to: *mut T,
        capacity: usize,
        length: *mut usize,
    ) -> Result<Buffer<T>, Failure> {
        // The length comes first, so that it is set to 0 if the buffer is refused.
        // SAFETY: the promise is that of this function.
        let length = unsafe { self.output("length", length)? };
        self.length = Some(length);
        let to = match to.is_null() && capacity == 0 {
            true => NonNull::dangling(),
            false => aligned(name, to)?,
        };
        self.take(name, span(name, to.as_ptr(), capacity, true)?)?;
        Ok(Buffer {
            name,
            to,
            capacity,
            length,
        })
    }

    /// Takes the buffer of a text.
    ///
    /// # Safety
    /// As for [`buffer`](Self::buffer).
    #[cfg(feature = "std")]
    pub(crate) unsafe fn text_buffer(
        &mut self,
        name: &'static str,
        to: *mut c_char,
        capacity: usize,
        length: *mut usize,
    ) -> Result<Buffer<u8>, Failure> {
        // SAFETY: the promise is that of this function, and a `c_char` is a byte.
        unsafe { self.buffer(name, to.cast::<u8>(), capacity, length) }
    }
}

/// Returns the memory of `count` items.
fn span<T>(
    name: &'static str,
    from: *const T,
    count: usize,
    is_written: bool,
) -> Result<Span, Failure> {
    let start = from as usize;
    let bytes = count.checked_mul(size_of::<T>());
    // No object in memory is longer than `isize::MAX`, or continues at address 0.
    let bytes = bytes.filter(|bytes| isize::try_from(*bytes).is_ok());
    match bytes.and_then(|bytes| start.checked_add(bytes)) {
        Some(end) => Ok(Span {
            start,
            end,
            is_written,
        }),
        None => Err(Failure::Argument(gizwits_status::InvalidLength, name)),
    }
}

fn aligned<T>(name: &'static str, pointer: *mut T) -> Result<NonNull<T>, Failure> {
    let pointer = NonNull::new(pointer);
    let pointer = pointer.ok_or(Failure::Argument(gizwits_status::NullPointer, name))?;
    match pointer.is_aligned() {
        true => Ok(pointer),
        false => Err(Failure::Argument(gizwits_status::Misaligned, name)),
    }
}

/// Runs the body of a function, stores its error, and returns its status. No panic leaves it.
///
/// # Safety
/// `error` is null, or points to memory of a `gizwits_error` that nobody else uses as long as the call lasts.
pub(crate) unsafe fn call(
    error: *mut gizwits_error,
    body: impl FnOnce(&mut Call<'_>) -> Result<(), Failure>,
) -> gizwits_status {
    let mut call = Call {
        spans: [Span::default(); Call::MAX],
        taken: 0,
        length: None,
        handle: None,
        refused: None,
        memory: PhantomData,
    };
    // SAFETY: the promise is that of this function.
    let error = match unsafe { call.optional("error", error) } {
        Ok(error) => error,
        Err(failure) => return failure.status(),
    };
    let failure = match caught(|| body(&mut call)) {
        Ok(()) => {
            if let Some(error) = error {
                gizwits_error::clear(error);
            }
            return gizwits_status::Ok;
        }
        Err(failure) => failure,
    };
    let status = failure.status();
    if let Some(length) = call.length.filter(|_| !failure.has_length()) {
        call.put(length, || 0);
    }
    if let Some(handle) = call.handle {
        call.put(handle, || 0);
    }
    if let Some(error) = error {
        store(&call, error, &failure);
    }
    status
}

/// Stores an error. Not inlined, because its text would be on the stack of every function.
#[cold]
#[inline(never)]
fn store(call: &Call<'_>, error: Output<gizwits_error>, failure: &Failure) {
    call.put(error, || gizwits_error::new(failure));
}

#[cfg(feature = "std")]
fn caught(body: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    // What a call has in hand when it panics is dropped or never read again.
    let body = std::panic::AssertUnwindSafe(body);
    std::panic::catch_unwind(body).unwrap_or(Err(Failure::Internal))
}

#[cfg(not(feature = "std"))]
fn caught(body: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    body()
}

/// The memory of one value that a call writes. Only a [`Call`] makes one, for as long as the call lasts.
pub(crate) struct Output<T>(NonNull<T>);

impl<T> Clone for Output<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Output<T> {}

impl<T> Output<T> {
    /// Stores the value.
    pub(crate) fn put(self, value: T) {
        // SAFETY: the pointer is aligned, and the caller of the function has promised memory of a `T` behind it. What
        // was in the memory is not dropped, for it may never have been a `T`.
        unsafe { self.0.write(value) }
    }

    pub(crate) fn as_ptr(self) -> *mut T {
        self.0.as_ptr()
    }
}

/// An array that a call fills. Only a [`Call`] makes one, for as long as the call lasts.
pub(crate) struct Buffer<T> {
    name: &'static str,
    to: NonNull<T>,
    capacity: usize,
    length: Output<usize>,
}

impl<T> Buffer<T> {
    /// Stores the length of the items, and returns the memory for them if there is enough of it.
    fn room(&self, items: usize, extra: usize) -> Result<*mut T, Failure> {
        self.length.put(items);
        match items.checked_add(extra) {
            Some(needed) if needed <= self.capacity => Ok(self.to.as_ptr()),
            _ => Err(Failure::Short {
                name: self.name,
                needed: items.saturating_add(extra),
                capacity: self.capacity,
            }),
        }
    }
}

#[cfg(feature = "std")]
impl<T: Copy> Buffer<T> {
    /// Stores the items and their number, or the number alone if there is too little room.
    pub(crate) fn put(&self, items: &[T]) -> Result<(), Failure> {
        let to = self.room(items.len(), 0)?;
        // SAFETY: the buffer has room for as many items, and `items` is memory of this library or an input, which no
        // buffer overlaps.
        unsafe { ptr::copy_nonoverlapping(items.as_ptr(), to, items.len()) }
        Ok(())
    }
}

impl Buffer<u8> {
    /// Stores a text with a NUL at its end. The length is that without the NUL.
    #[cfg(feature = "std")]
    pub(crate) fn put_text(&self, text: impl AsRef<[u8]>) -> Result<(), Failure> {
        let text = text.as_ref();
        let to = self.room(text.len(), 1)?;
        // SAFETY: as in `put`, and there is room for one more byte.
        unsafe {
            ptr::copy_nonoverlapping(text.as_ptr(), to, text.len());
            to.add(text.len()).write(0);
        }
        Ok(())
    }

    /// Stores bytes that `write` writes to a slice of this length.
    pub(crate) fn fill(&self, length: usize, write: impl FnOnce(&mut [u8])) -> Result<(), Failure> {
        let to = self.room(length, 0)?;
        // SAFETY: the buffer has room for as many bytes. They are set before there is a slice of them, because memory
        // of a C program need not be initialised. Nobody else uses it.
        let bytes = unsafe {
            ptr::write_bytes(to, 0, length);
            slice::from_raw_parts_mut(to, length)
        };
        write(bytes);
        Ok(())
    }
}
