//! Functions for the points of a product.

use core::ffi::c_char;

use gizwits_codec_std::core::{Access, Decimal, Kind, PointId, Unit};
use gizwits_codec_std::{Attr, Product};

use crate::argument::call;
use crate::error::{Failure, gizwits_error};
use crate::products::{self, gizwits_product};
use crate::status::gizwits_status::{self, PastLabels, UnknownPoint};

/// The data type of a point: one of GIZWITS_TYPE_BOOL to GIZWITS_TYPE_BINARY.
pub type gizwits_type = i32;
/// A bool: one bit.
pub const GIZWITS_TYPE_BOOL: gizwits_type = 1;
/// An enum: the index of a label, in 1 to 32 bits.
pub const GIZWITS_TYPE_ENUM: gizwits_type = 2;
/// A number of one byte.
pub const GIZWITS_TYPE_UINT8: gizwits_type = 3;
/// A number of two bytes.
pub const GIZWITS_TYPE_UINT16: gizwits_type = 4;
/// A number of four bytes.
pub const GIZWITS_TYPE_UINT32: gizwits_type = 5;
/// Bytes.
pub const GIZWITS_TYPE_BINARY: gizwits_type = 6;

/// The access of a point: one of GIZWITS_ACCESS_WRITABLE to GIZWITS_ACCESS_FAULT.
pub type gizwits_access = i32;
/// Controls set the point.
pub const GIZWITS_ACCESS_WRITABLE: gizwits_access = 1;
/// The device alone sets the point.
pub const GIZWITS_ACCESS_READ_ONLY: gizwits_access = 2;
/// The point is an alert of the device.
pub const GIZWITS_ACCESS_ALERT: gizwits_access = 3;
/// The point is a fault of the device.
pub const GIZWITS_ACCESS_FAULT: gizwits_access = 4;

/// An exact number: `coefficient` divided by 10 to the power of `scale`. 7.32 is 732 and 2.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct gizwits_decimal {
    /// The digits of the number, with its sign.
    pub coefficient: i64,
    /// The number of digits behind the decimal point: 0 to 18.
    pub scale: u8,
}

impl From<Decimal> for gizwits_decimal {
    fn from(number: Decimal) -> Self {
        gizwits_decimal {
            coefficient: number.coefficient(),
            scale: number.scale(),
        }
    }
}

/// The numbers of a point.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct gizwits_point_info {
    /// The data type of the point.
    pub data_type: gizwits_type,
    /// The access of the point.
    pub access: gizwits_access,
    /// The number of labels of an enum, otherwise 0.
    pub labels: u32,
    /// The offset of the value in the status, in bytes. In a var_len product the offset depends on the message.
    pub byte_offset: u32,
    /// The offset of the value in its bit area, in bits. 0 for a point that consists of bytes.
    pub bit_offset: u32,
    /// The length of the value: in bits for bools and enums, otherwise in bytes.
    pub length: u32,
    /// The lowest raw value.
    pub raw_min: u32,
    /// The highest raw value; for a binary its length.
    pub raw_max: u32,
    /// The factor from a raw value to the engineering value, and the step between two engineering values.
    pub ratio: gizwits_decimal,
    /// The number that is added to the raw value times the ratio.
    pub addition: gizwits_decimal,
}

/// Finds a point by its name of `name_length` bytes and stores its id in `*point`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_point_find(
    product: gizwits_product,
    name: *const c_char,
    name_length: usize,
    point: *mut u16,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let name = call.text("name", name, name_length)?;
            let point = call.output("point", point)?;
            products::with(product, |product| {
                let attr = product.find(name);
                point.put(attr.ok_or(Failure::Argument(UnknownPoint, "name"))?.id().0);
                Ok(())
            })
        })
    }
}

/// Stores the numbers of a point in `*info`, which is memory of the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_point_describe(
    product: gizwits_product,
    point: u16,
    info: *mut gizwits_point_info,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let info = call.output("info", info)?;
            products::with(product, |product| {
                info.put(describe(product, attr(product, point)?)?);
                Ok(())
            })
        })
    }
}

/// Copies the name of a point, as messages have it, to `out`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_point_name(
    product: gizwits_product,
    point: u16,
    out: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.text_buffer("out", out, capacity, length)?;
            products::with(product, |product| {
                out.put_text(attr(product, point)?.name())
            })
        })
    }
}

/// Copies the name of a point for people to `out`. The text is empty if the definition has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_point_display_name(
    product: gizwits_product,
    point: u16,
    out: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.text_buffer("out", out, capacity, length)?;
            products::with(product, |product| {
                out.put_text(attr(product, point)?.display_name())
            })
        })
    }
}

/// Copies the description of a point to `out`. The text is empty if the definition has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_point_description(
    product: gizwits_product,
    point: u16,
    out: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.text_buffer("out", out, capacity, length)?;
            products::with(product, |product| {
                out.put_text(attr(product, point)?.desc())
            })
        })
    }
}

/// Copies the values that a point can have to `out`, as a text for people: `-10..35, step 1`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_point_range(
    product: gizwits_product,
    point: u16,
    out: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.text_buffer("out", out, capacity, length)?;
            products::with(product, |product| {
                out.put_text(product.range(attr(product, point)?.id()))
            })
        })
    }
}

/// Copies the label with this index, which is the raw value of an enum, to `out`.
///
/// The status is GIZWITS_STATUS_PAST_LABELS if the point has no label with this index. Devices may send such an index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gizwits_point_label(
    product: gizwits_product,
    point: u16,
    index: u32,
    out: *mut c_char,
    capacity: usize,
    length: *mut usize,
    error: *mut gizwits_error,
) -> gizwits_status {
    // SAFETY: the caller keeps the contract of the header.
    unsafe {
        call(error, |call| {
            let out = call.text_buffer("out", out, capacity, length)?;
            products::with(product, |product| {
                let label = attr(product, point)?.labels().get(index as usize);
                out.put_text(label.ok_or(Failure::Argument(PastLabels, "index"))?)
            })
        })
    }
}

/// Returns the point with this id.
pub(crate) fn attr(product: &Product, point: u16) -> Result<&Attr, Failure> {
    let attr = product.attr(PointId(point));
    attr.ok_or(Failure::Argument(UnknownPoint, "point"))
}

fn describe(product: &Product, attr: &Attr) -> Result<gizwits_point_info, Failure> {
    let (layout, point) = (product.layout(), attr.point());
    let limits = layout.limits(attr.id()).ok_or(Failure::Internal)?;
    let scale = layout.scale(attr.id()).ok_or(Failure::Internal)?;
    Ok(gizwits_point_info {
        data_type: match point.kind {
            Kind::Bool => GIZWITS_TYPE_BOOL,
            Kind::Enum { .. } => GIZWITS_TYPE_ENUM,
            Kind::Uint8(_) => GIZWITS_TYPE_UINT8,
            Kind::Uint16(_) => GIZWITS_TYPE_UINT16,
            Kind::Uint32(_) => GIZWITS_TYPE_UINT32,
            Kind::Binary => GIZWITS_TYPE_BINARY,
        },
        access: match point.access {
            Access::Writable => GIZWITS_ACCESS_WRITABLE,
            Access::ReadOnly => GIZWITS_ACCESS_READ_ONLY,
            Access::Alert => GIZWITS_ACCESS_ALERT,
            Access::Fault => GIZWITS_ACCESS_FAULT,
        },
        labels: match point.kind {
            Kind::Enum { .. } => attr.labels().len() as u32,
            _ => 0,
        },
        byte_offset: point.position.byte_offset,
        bit_offset: match point.position.unit {
            Unit::Bit => point.position.bit_offset,
            Unit::Byte => 0,
        },
        length: point.position.len,
        raw_min: limits.0,
        raw_max: limits.1,
        ratio: scale.ratio().into(),
        addition: scale.addition().into(),
    })
}
