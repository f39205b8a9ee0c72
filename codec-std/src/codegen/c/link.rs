//! The table of a product for the serial link of `gizwits.h`. Code without the macro `GIZWITS_LINK` leaves it out.

use std::fmt::Write as _;

use super::Program;
use crate::codegen::model::measured;
use crate::product::is_product_key;

/// The length of the longest payload of a module that is no control.
const PAYLOAD: usize = 65;
/// The length of the head of a frame in the memory of a link.
const HEAD: usize = 4;

impl Program<'_> {
    /// The declarations of the header.
    pub(super) fn link_header(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let control = match self.has_control() {
            true => 1 + self.flags_len() + self.control_values_len(),
            false => 0,
        };
        // Two sets of values with their action. A var_len product also has two masks and a whole message.
        let values = 1 + self.status_len();
        let state = match self.is_var_len() {
            true => 3 * (values + self.flags_len()),
            false => 2 * values,
        };
        let memory = control.max(PAYLOAD) + HEAD + state;
        let info = match is_product_key(self.product.product_key()) {
            true => format!(
                "
/* The initial value of a gizwits_device_info. Both versions are texts of 8 characters. C++ has no texts without a NUL. */
#define {upper}_DEVICE_INFO(hardware, software) \\
    {{\"00000004\", \"00000002\", hardware, software, {upper}_PRODUCT_KEY, {{0}}, {{0}}, 0u, {{0}}}}
"
            ),
            false => String::new(),
        };
        format!(
            "#ifdef GIZWITS_LINK
#include <gizwits.h>

/* The product of a link of the library gizwits, and the length of the memory of such a link in bytes. */
extern const gizwits_link_product {prefix}_link_product;
#define {upper}_LINK_MEMORY {memory}u
{info}#endif
"
        )
    }

    /// The functions and the table.
    pub(super) fn link_source(&self) -> String {
        let prefix = self.prefix;
        let mut out = "#ifdef GIZWITS_LINK\n".to_owned();
        let ranges = self.measured();
        if !ranges.is_empty() {
            let _ = writeln!(
                out,
                "static const uint16_t LINK_MEASURED[{}][2] = {{",
                ranges.len()
            );
            for (start, end) in &ranges {
                let _ = writeln!(out, "    {{{start}u, {end}u}},");
            }
            out += "};\n\n";
        }
        let _ = write!(
            out,
            "static uint16_t link_encode(const void *status, uint8_t *values)
{{
    return encode_values((const {prefix}_status *)status, values);
}}

"
        );
        if self.has_control() {
            out += &match self.is_var_len() {
                true => self.link_control_packed(),
                false => self.link_control(),
            };
        }
        if self.is_var_len() {
            out += &self.link_packing();
        }
        let (control, apply) = match self.has_control() {
            true => ("link_is_control", "link_apply"),
            false => ("NULL", "NULL"),
        };
        let (mask, read, changed, pack) = match self.is_var_len() {
            true => (self.flags_len(), "link_read", "link_changed", "link_pack"),
            false => (0, "NULL", "NULL", "NULL"),
        };
        let measured = match ranges.is_empty() {
            true => "NULL",
            false => "LINK_MEASURED",
        };
        let _ = write!(
            out,
            "const gizwits_link_product {prefix}_link_product = {{
    {}u,
    {mask}u,
    {}u,
    {measured},
    link_encode,
    {control},
    {apply},
    {read},
    {changed},
    {pack}
}};
#endif
",
            self.status_len(),
            ranges.len()
        );
        out
    }

    /// The byte ranges of the measured values: numbers and binaries that are read-only.
    fn measured(&self) -> Vec<(usize, usize)> {
        measured(self.points.iter().map(|point| &point.code))
    }

    /// The functions for controls of a standard product, which set the points of a status without a control struct.
    fn link_control(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let flags = self.flags_len();
        let writable = self.writable().count();
        // Surplus flags can only be in the first byte.
        let spare = 0xff_u32 & !(0xff >> (8 * flags - writable));
        let surplus = match spare {
            0 => String::new(),
            spare => format!(" && (p0[1] & {spare:#04x}u) == 0u"),
        };
        let mut points = String::new();
        let mut collects = false;
        for point in self.writable() {
            let member = format!("to->{}", point.member);
            let _ = writeln!(points, "    if ({}) {{", self.flag("flags", point));
            let checks = match point.is_bool() || point.is_binary() {
                true => Vec::new(),
                false => point.raw_checks("raw"),
            };
            if checks.is_empty() {
                points += &point.decode("        ", "values", &member);
            } else {
                collects = true;
                let _ = writeln!(
                    points,
                    "        {} raw = {};\n",
                    point.raw_type(),
                    point.raw("values")
                );
                let mut lead = "        if";
                for (condition, code) in &checks {
                    let _ = writeln!(
                        points,
                        "{lead} ({condition}) {{
            result = first(result, AT({upper}_{code}, {}));",
                        point.id
                    );
                    lead = "        } else if";
                }
                let _ = writeln!(
                    points,
                    "        }} else {{\n            {member} = {};\n        }}",
                    point.value("raw")
                );
            }
            points += "    }\n";
        }
        let (result, returned) = match collects {
            true => (
                format!("    {prefix}_result result = {upper}_OK;\n"),
                "result".to_owned(),
            ),
            false => (String::new(), format!("{upper}_OK")),
        };
        format!(
            "static bool link_is_control(const uint8_t *p0, size_t len)
{{
    return len == {upper}_CONTROL_LEN && p0[0] == {upper}_ACTION_CONTROL{surplus};
}}

/* Sets the points of a control in a status. Points with an invalid value are left out, as {prefix}_decode_control does. */
static uint16_t link_apply(const uint8_t *p0, size_t len, void *status)
{{
    {prefix}_status *to = ({prefix}_status *)status;
    const uint8_t *flags = p0 + 1;
    const uint8_t *values = flags + {flags};
{result}
    (void)len;
{points}    return {returned};
}}

"
        )
    }

    /// The functions for controls of a var_len product.
    fn link_control_packed(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        format!(
            "static bool link_is_control(const uint8_t *p0, size_t len)
{{
    {prefix}_control control;
    {prefix}_result code = {upper}_CODE({prefix}_decode_control(p0, len, &control));

    return code == {upper}_OK || code == {upper}_NO_LABEL || code == {upper}_BELOW_MIN || code == {upper}_ABOVE_MAX;
}}

static uint16_t link_apply(const uint8_t *p0, size_t len, void *status)
{{
    {prefix}_control control;
    {prefix}_result result = {prefix}_decode_control(p0, len, &control);

    {prefix}_apply_control(&control, ({prefix}_status *)status);
    return result;
}}

"
        )
    }

    /// The functions for messages with some of the points.
    fn link_packing(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        format!(
            "static bool link_read(const uint8_t *p0, size_t len, uint8_t *mask)
{{
    return {prefix}_decode_read(p0, len, mask) == {upper}_OK;
}}

static bool link_differs(const uint8_t *one, const uint8_t *two, uint16_t bits, uint16_t width)
{{
    uint16_t at;

    for (at = 0u; at < width; at++) {{
        uint16_t bit = (uint16_t)(bits + at);
        uint16_t byte = (uint16_t)(AREA - 1u - (bit / 8u));

        if (((one[byte] ^ two[byte]) & (1u << (bit % 8u))) != 0u) {{
            return true;
        }}
    }}
    return false;
}}

static void link_changed(const uint8_t *one, const uint8_t *two, uint8_t *mask)
{{
    uint16_t bits = 0u;
    uint16_t bytes = AREA;
    uint16_t id;
    uint16_t at;

    clear(mask, {upper}_MASK_LEN);
    for (id = 0u; id < {upper}_POINTS; id++) {{
        uint16_t width = WIDTHS[id].width;
        bool is_changed = false;

        if (WIDTHS[id].unit == BITS) {{
            is_changed = link_differs(one, two, bits, width);
            bits = (uint16_t)(bits + width);
        }} else {{
            for (at = 0u; at < width; at++) {{
                is_changed = is_changed || one[bytes + at] != two[bytes + at];
            }}
            bytes = (uint16_t)(bytes + width);
        }}
        if (is_changed) {{
            uint8_t *byte = &mask[{upper}_MASK_LEN - 1u - (id / 8u)];

            *byte = (uint8_t)(*byte | (1u << (id % 8u)));
        }}
    }}
}}

static size_t link_pack(uint8_t action, const uint8_t *mask, const uint8_t *values, uint8_t *p0)
{{
    uint8_t points[{upper}_MASK_LEN];
    size_t len = 0u;
    uint16_t at;

    fill(points);
    for (at = 0u; at < {upper}_MASK_LEN; at++) {{
        points[at] &= mask[at];
    }}
    (void)put_message(action, points, values, p0, {upper}_STATUS_LEN, &len);
    return len;
}}

"
        )
    }
}
