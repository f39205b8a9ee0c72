//! The functions of var_len products, whose messages contain a mask and the values of the points in it.
//!
//! The code converts between packed values and the values of all points, each at its own offset. The other
//! functions are then the same for both protocols.

use std::fmt::Write as _;

use super::Program;

impl Program<'_> {
    /// The table of the widths of the points, and the functions that pack and unpack.
    pub(super) fn packing(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let mut widths = String::new();
        for point in &self.points {
            let (unit, width) = match point.is_in_bits() {
                true => ("BITS", point.code.bits()),
                false => ("BYTES", point.code.bits() / 8),
            };
            let _ = writeln!(widths, "    {{{unit}, {width}u}},");
        }
        let bits: u32 = (self.points.iter())
            .filter(|point| point.is_in_bits())
            .map(|point| point.code.bits())
            .sum();
        let (area, last) = (bits.div_ceil(8), self.flags_len());
        let top = 0xff >> (8 * last - self.points.len());
        format!(
            "/* The width of each point. The values of a message have the points in bits first, from the lowest bit of
   the last byte of an area, and then the points in bytes. */
enum {{ BITS, BYTES }};
static const struct {{
    uint8_t unit;
    uint16_t width;
}} WIDTHS[{upper}_POINTS] = {{
{widths}}};

/* The length of the area in bytes if all points are present. */
#define AREA {area}u

static bool has(const uint8_t *mask, uint16_t id)
{{
    return (mask[{last}u - 1u - (id / 8u)] & (1u << (id % 8u))) != 0u;
}}

/* Returns the length of the area of the points of a mask, and adds the length of their other values to `bytes`. */
static uint16_t area_of(const uint8_t *mask, size_t *bytes)
{{
    uint16_t bits = 0u;
    uint16_t id;

    for (id = 0u; id < {upper}_POINTS; id++) {{
        if (!has(mask, id)) {{
            continue;
        }}
        if (WIDTHS[id].unit == BITS) {{
            bits = (uint16_t)(bits + WIDTHS[id].width);
        }} else {{
            *bytes += WIDTHS[id].width;
        }}
    }}
    return (uint16_t)((bits + 7u) / 8u);
}}

/* Copies a bit to an area whose bits are 0. `area` is the byte after the area. */
static void copy_bit(uint8_t *to_area, uint16_t to, const uint8_t *from_area, uint16_t from)
{{
    uint8_t *byte = to_area - 1 - (to / 8u);

    if ((*(from_area - 1 - (from / 8u)) & (1u << (from % 8u))) != 0u) {{
        *byte = (uint8_t)(*byte | (1u << (to % 8u)));
    }}
}}

/* Copies the points of a mask between packed values and the values of all points. */
static void move(const uint8_t *mask, bool packs, const uint8_t *from, uint8_t *to, uint16_t area)
{{
    uint16_t bit = 0u;
    uint16_t bit_of_all = 0u;
    size_t byte = area;
    size_t byte_of_all = AREA;
    uint16_t id;
    uint16_t at;

    clear(to, packs ? area : AREA);
    for (id = 0u; id < {upper}_POINTS; id++) {{
        uint16_t width = WIDTHS[id].width;
        bool is_present = has(mask, id);

        if (WIDTHS[id].unit == BITS) {{
            for (at = 0u; is_present && at < width; at++) {{
                if (packs) {{
                    copy_bit(to + area, bit, from + AREA, (uint16_t)(bit_of_all + at));
                }} else {{
                    copy_bit(to + AREA, (uint16_t)(bit_of_all + at), from + area, bit);
                }}
                bit++;
            }}
            bit_of_all = (uint16_t)(bit_of_all + width);
        }} else {{
            if (is_present) {{
                copy(to + (packs ? byte : byte_of_all), from + (packs ? byte_of_all : byte), width);
                byte += width;
            }}
            byte_of_all += width;
        }}
    }}
}}

/* Checks the length of packed values and copies them to the values of all points. */
static {prefix}_result unpack(const uint8_t *mask, const uint8_t *packed, size_t len, uint8_t *values)
{{
    size_t bytes = 0u;
    uint16_t area = area_of(mask, &bytes);

    if (len != area + bytes) {{
        return (len < area + bytes) ? {upper}_TOO_SHORT : {upper}_TOO_LONG;
    }}
    move(mask, false, packed, values, area);
    return {upper}_OK;
}}

/* Writes a message with the points of a mask. `values` are the values of all points. */
static {prefix}_result put_message(uint8_t action, const uint8_t *mask, const uint8_t *values, uint8_t *p0,
    size_t room, size_t *len)
{{
    size_t bytes = 0u;
    uint16_t area = area_of(mask, &bytes);
    size_t needed = {upper}_READ_LEN + area + bytes;

    if (room < needed) {{
        return {upper}_NO_ROOM;
    }}
    p0[0] = action;
    copy(p0 + 1, mask, {upper}_MASK_LEN);
    move(mask, true, values, p0 + {upper}_READ_LEN, area);
    *len = needed;
    return {upper}_OK;
}}

/* Sets the bits of all points in a mask. */
static void fill(uint8_t *mask)
{{
    uint16_t at;

    mask[0] = {top:#04x}u;
    for (at = 1u; at < {upper}_MASK_LEN; at++) {{
        mask[at] = 0xffu;
    }}
}}
"
        )
    }

    pub(super) fn decode_status_packed(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let (bits, mut last) = (Self::bits(self.points.iter()), None);
        let mut points = String::new();
        for point in &self.points {
            points += &point.load(&mut last);
            let decode = point.decode("        ", "values", &format!("status->{}", point.member));
            points += &format!("    if ({}) {{\n{decode}    }}\n", self.flag("mask", point));
        }
        format!(
            "{prefix}_result {prefix}_decode_status(const uint8_t *p0, size_t len, {prefix}_status *status, uint8_t *points)
{{
    const uint8_t *mask;
    uint8_t values[{}];
    {prefix}_result result;
    uint16_t id;
{bits}
    if (len == 0u) {{
        return {upper}_TOO_SHORT;
    }}
    if (p0[0] != {upper}_ACTION_REPLY && p0[0] != {upper}_ACTION_REPORT) {{
        return {upper}_WRONG_ACTION;
    }}
    if (len < {upper}_READ_LEN) {{
        return {upper}_TOO_SHORT;
    }}
    mask = p0 + 1;
    result = unpack(mask, p0 + {upper}_READ_LEN, len - {upper}_READ_LEN, values);
    if (result != {upper}_OK) {{
        return result;
    }}
{points}    if (points != NULL) {{
        fill(points);
        for (id = 0u; id < {upper}_MASK_LEN; id++) {{
            points[id] &= mask[id];
        }}
    }}
    return {upper}_OK;
}}
",
            self.status_len()
        )
    }

    pub(super) fn encode_status_packed(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let mut out = format!(
            "static {prefix}_result encode_as(uint8_t action, const {prefix}_status *status, const uint8_t *points,
    uint8_t *p0, size_t room, size_t *len)
{{
    uint8_t mask[{upper}_MASK_LEN];
    uint8_t values[{}];
    {prefix}_result result = encode_values(status, values);
    uint16_t at;

    if (result != {upper}_OK) {{
        return result;
    }}
    fill(mask);
    for (at = 0u; points != NULL && at < {upper}_MASK_LEN; at++) {{
        mask[at] &= points[at];
    }}
    return put_message(action, mask, values, p0, room, len);
}}
",
            self.status_len()
        );
        for name in ["report", "reply"] {
            let _ = write!(
                out,
                "
{prefix}_result {prefix}_encode_{name}(const {prefix}_status *status, const uint8_t *points, uint8_t *p0,
    size_t room, size_t *len)
{{
    return encode_as({upper}_ACTION_{}, status, points, p0, room, len);
}}
",
                name.to_uppercase()
            );
        }
        out
    }

    pub(super) fn reads_packed(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        format!(
            "{prefix}_result {prefix}_decode_read(const uint8_t *p0, size_t len, uint8_t *points)
{{
    bool is_all = len > 1u;
    size_t at;

    if (len == 0u) {{
        return {upper}_TOO_SHORT;
    }}
    if (p0[0] != {upper}_ACTION_READ) {{
        return {upper}_WRONG_ACTION;
    }}
    /* Some senders use the same mask for every product: ff bytes of any number. */
    for (at = 1u; at < len; at++) {{
        is_all = is_all && p0[at] == 0xffu;
    }}
    if (!is_all && len != {upper}_READ_LEN) {{
        return (len < {upper}_READ_LEN) ? {upper}_TOO_SHORT : {upper}_TOO_LONG;
    }}
    fill(points);
    for (at = 0u; !is_all && at < {upper}_MASK_LEN; at++) {{
        points[at] &= p0[1u + at];
    }}
    return {upper}_OK;
}}

{prefix}_result {prefix}_encode_read(const uint8_t *points, uint8_t *p0, size_t room, size_t *len)
{{
    size_t at;

    if (room < {upper}_READ_LEN) {{
        return {upper}_NO_ROOM;
    }}
    p0[0] = {upper}_ACTION_READ;
    fill(p0 + 1);
    for (at = 0u; points != NULL && at < {upper}_MASK_LEN; at++) {{
        p0[1u + at] &= points[at];
    }}
    *len = {upper}_READ_LEN;
    return {upper}_OK;
}}
"
        )
    }

    /// The statements that check the flags of a control of a var_len product and unpack its values.
    pub(super) fn control_checks_packed(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let mut out = format!(
            "    if (len < {upper}_READ_LEN) {{
        return {upper}_TOO_SHORT;
    }}
    flags = p0 + 1;
"
        );
        let spare = 8 * self.flags_len() - self.points.len();
        if spare > 0 {
            let first = 1 << (8 - spare);
            out += &format!(
                "    if (flags[0] >= {first:#04x}u) {{
        return {upper}_UNKNOWN_FLAG;
    }}
"
            );
        }
        out += &format!(
            "    {{
        {prefix}_result unpacked = unpack(flags, p0 + {upper}_READ_LEN, len - {upper}_READ_LEN, values);

        if (unpacked != {upper}_OK) {{
            return unpacked;
        }}
    }}
"
        );
        for point in self.points.iter().filter(|point| !point.code.is_writable()) {
            out += &format!(
                "    if ({}) {{\n        return AT({upper}_NOT_WRITABLE, {});\n    }}\n",
                self.flag("flags", point),
                point.id
            );
        }
        out
    }
}
