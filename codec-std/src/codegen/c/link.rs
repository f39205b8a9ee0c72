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
        let memory = control.max(PAYLOAD) + HEAD;
        let values = 1 + self.status_len();
        let packed = match self.is_var_len() {
            true => format!(
                "    uint8_t mask[{upper}_MASK_LEN];
    uint8_t wanted[{upper}_MASK_LEN];
    uint8_t packed[{upper}_STATUS_LEN];
"
            ),
            false => String::new(),
        };
        let info = match is_product_key(self.product.product_key()) {
            true => format!(
                "
/* The description of a device for gizwits_link_options: a text. Both versions are literals of 8 characters.
   GIZWITS_DEVICE_INFO of gizwits.h also takes a time limit for users who bind the device, attributes, and a secret. */
#define {upper}_DEVICE_INFO(hardware, software) \\
    GIZWITS_DEVICE_INFO(hardware, software, {upper}_PRODUCT_KEY, \"\\0\\0\", \"\\0\", \"\")
"
            ),
            false => String::new(),
        };
        format!(
            "#ifdef GIZWITS_LINK
#include <gizwits.h>

/* The product of a link of the library gizwits, the length of the memory for its frames in bytes, and its state: the
   values of the last report and of the status, each after the byte of an action. */
typedef struct {prefix}_link_state {{
    uint8_t sent[{values}];
    uint8_t values[{values}];
{packed}}} {prefix}_link_state;
extern const gizwits_link_product {prefix}_link_product;
#define {upper}_LINK_MEMORY {memory}u
{info}#endif
"
        )
    }

    /// The functions and the table.
    pub(super) fn link_source(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let mut out = "#ifdef GIZWITS_LINK
static void link_copy(uint8_t *to, const uint8_t *from, size_t len)
{
    size_t at;

    for (at = 0u; at < len; at++) {
        to[at] = from[at];
    }
}

"
        .to_owned();
        out += &self.link_values();
        out += &match self.is_var_len() {
            true => self.link_packing(),
            false => self.link_messages(),
        };
        out += &match (self.has_control(), self.is_var_len()) {
            (false, _) => self.link_without_control(),
            (true, true) => self.link_control_packed(),
            (true, false) => self.link_control(),
        };
        let _ = write!(
            out,
            "const gizwits_link_product {prefix}_link_product = {{
    link_encode,
    link_differs,
    link_keep,
    link_message,
    link_read,
    link_is_control,
    link_apply,
    {upper}_LINK_MEMORY
}};
#endif
"
        );
        out
    }

    /// The functions that write and compare values.
    fn link_values(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let len = 1 + self.status_len();
        let ranges = measured(self.points.iter().map(|point| &point.code));
        // The values are after the byte of an action.
        let is_measured: Vec<_> = ranges
            .iter()
            .map(|(start, end)| format!("(at >= {}u && at < {}u)", start + 1, end + 1))
            .collect();
        let (unused, counts) = match is_measured.is_empty() {
            true => ("    (void)measured;\n", String::new()),
            false => (
                "",
                format!(" && (measured || !({}))", is_measured.join(" || ")),
            ),
        };
        let (local, argument) = match self.is_var_len() {
            true => ("", ""),
            false => ("    size_t length;\n", ", &length"),
        };
        format!(
            "static uint16_t link_encode(void *state, const void *status)
{{
{local}    {prefix}_link_state *own = ({prefix}_link_state *)state;
    {prefix}_result result = encode_values((const {prefix}_status *)status, own->values + 1{argument});

    if (result != {upper}_OK) {{
        link_copy(own->values, own->sent, {len}u);
    }}
    return result;
}}

static bool link_differs(const void *state, bool measured)
{{
    const {prefix}_link_state *own = (const {prefix}_link_state *)state;
    uint16_t at;

{unused}    for (at = 1u; at < {len}u; at++) {{
        if (own->sent[at] != own->values[at]{counts}) {{
            return true;
        }}
    }}
    return false;
}}

"
        )
    }

    /// The functions for messages of a standard product.
    fn link_messages(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        format!(
            "static bool link_keep(void *state, bool all)
{{
    {prefix}_link_state *own = ({prefix}_link_state *)state;

    (void)all;
    link_copy(own->sent, own->values, {upper}_STATUS_LEN);
    return true;
}}

static const uint8_t *link_message(void *state, bool is_reply, size_t *len)
{{
    {prefix}_link_state *own = ({prefix}_link_state *)state;
    uint8_t *p0 = is_reply ? own->values : own->sent;

    p0[0] = is_reply ? {upper}_ACTION_REPLY : {upper}_ACTION_REPORT;
    *len = {upper}_STATUS_LEN;
    return p0;
}}

static bool link_read(void *state, const uint8_t *p0, size_t len)
{{
    (void)state;
    return len == {upper}_READ_LEN && p0[0] == {upper}_ACTION_READ;
}}

"
        )
    }

    /// The functions of a product without a writable point.
    fn link_without_control(&self) -> String {
        let upper = &self.upper;
        format!(
            "static bool link_is_control(const uint8_t *p0, size_t len)
{{
    (void)p0;
    (void)len;
    return false;
}}

static uint16_t link_apply(const uint8_t *p0, size_t len, void *status)
{{
    (void)p0;
    (void)len;
    (void)status;
    return {upper}_OK;
}}

"
        )
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
        // A local variable with the flags, because a compiler has to read memory again after each store to the status.
        let mut last = None;
        let (bits, mut last_bits) = (Self::bits(self.writable()), None);
        for point in self.writable() {
            points += &point.load(&mut last_bits);
            let member = format!("to->{}", point.member);
            let (byte, bit) = self.flag_place(point);
            if last.replace(byte) != Some(byte) {
                let _ = writeln!(points, "    flag = flags[{byte}];");
            }
            let _ = writeln!(points, "    if ((flag & {bit:#04x}u) != 0u) {{");
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
    uint8_t flag;
{bits}{result}
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
        let len = 1 + self.status_len();
        format!(
            "static bool link_read(void *state, const uint8_t *p0, size_t len)
{{
    {prefix}_link_state *own = ({prefix}_link_state *)state;

    return {prefix}_decode_read(p0, len, own->wanted) == {upper}_OK;
}}

/* Returns whether the bits of a point differ. */
static bool link_bits_differ(const uint8_t *one, const uint8_t *two, uint16_t first, uint16_t width)
{{
    uint16_t at;

    for (at = 0u; at < width; at++) {{
        uint16_t bit = (uint16_t)(first + at);
        uint16_t byte = (uint16_t)(AREA - 1u - (bit / 8u));

        if (((one[byte] ^ two[byte]) & (1u << (bit % 8u))) != 0u) {{
            return true;
        }}
    }}
    return false;
}}

/* Writes the mask of the points that differ. */
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
            is_changed = link_bits_differ(one, two, bits, width);
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

static bool link_keep(void *state, bool all)
{{
    {prefix}_link_state *own = ({prefix}_link_state *)state;

    if (all) {{
        fill(own->mask);
    }} else {{
        link_changed(own->sent + 1, own->values + 1, own->mask);
    }}
    link_copy(own->sent, own->values, {len}u);
    return all;
}}

static const uint8_t *link_message(void *state, bool is_reply, size_t *len)
{{
    {prefix}_link_state *own = ({prefix}_link_state *)state;

    if (is_reply) {{
        (void)put_message({upper}_ACTION_REPLY, own->wanted, own->values + 1, own->packed, {upper}_STATUS_LEN, len);
    }} else {{
        (void)put_message({upper}_ACTION_REPORT, own->mask, own->sent + 1, own->packed, {upper}_STATUS_LEN, len);
    }}
    return own->packed;
}}

"
        )
    }
}
