//! Arrays from other Python packages, by Arrow's PyCapsule interface.
//!
//! This is the only module with `unsafe`: the interface consists of C structs behind pointers.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::ptr::NonNull;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{ArrayRef, make_array};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::reader::arrow_failure;

/// Returns the arrays of an object with the method `__arrow_c_stream__` or `__arrow_c_array__`, without a copy;
/// `None` for any other object.
pub(crate) fn arrow_arrays(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<ArrayRef>>> {
    if object.hasattr("__arrow_c_stream__")? {
        let capsule = object.call_method0("__arrow_c_stream__")?;
        let pointer = pointer(&capsule, c"arrow_array_stream")?;
        // SAFETY: a capsule of this name holds a valid stream, and moving it out is part of the protocol.
        let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr()) };
        // Waiting for the producer needs no interpreter, and the producer may need it.
        return object.py().detach(|| stream_arrays(stream)).map(Some);
    }
    if object.hasattr("__arrow_c_array__")? {
        let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
            object.call_method0("__arrow_c_array__")?.extract()?;
        let schema = pointer::<FFI_ArrowSchema>(&schema, c"arrow_schema")?;
        let array = pointer(&array, c"arrow_array")?;
        // SAFETY: capsules of these names hold a valid array and its schema. The array is moved out, the schema
        // stays in its capsule, which lives until the end of this function.
        let data = unsafe {
            let array = FFI_ArrowArray::from_raw(array.as_ptr());
            from_ffi(array, schema.as_ref())
        };
        return Ok(Some(vec![make_array(data.map_err(arrow_failure)?)]));
    }
    Ok(None)
}

fn pointer<T>(capsule: &Bound<'_, PyAny>, name: &CStr) -> PyResult<NonNull<T>> {
    let capsule = capsule.cast::<PyCapsule>()?;
    Ok(capsule.pointer_checked(Some(name))?.cast())
}

/// Reads a stream to its end. arrow-rs itself reads only streams of record batches.
fn stream_arrays(mut stream: FFI_ArrowArrayStream) -> PyResult<Vec<ArrayRef>> {
    let failed =
        |code| PyRuntimeError::new_err(format!("the Arrow stream failed with code {code}"));
    let (Some(get_schema), Some(get_next)) = (stream.get_schema, stream.get_next) else {
        return Err(PyRuntimeError::new_err("the Arrow stream was released"));
    };
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: the functions belong to this stream, and the output is an empty struct, as they require.
    let code = unsafe { get_schema(&mut stream, &mut schema) };
    if code != 0 {
        return Err(failed(code));
    }
    let mut arrays = Vec::new();
    loop {
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: as above.
        let code = unsafe { get_next(&mut stream, &mut array) };
        if code != 0 {
            return Err(failed(code));
        }
        if array.is_released() {
            return Ok(arrays);
        }
        // SAFETY: the stream returned the array, and its schema is that of the stream.
        let data = unsafe { from_ffi(array, &schema) };
        arrays.push(make_array(data.map_err(arrow_failure)?));
    }
}
