//! The source file: the functions.

use std::fmt::Write as _;

use super::Program;
use super::point::{CPoint, integer};

impl Program<'_> {
    pub(super) fn source(&self, name: &str) -> String {
        let prefix = self.prefix;
        let mut items = vec![format!(
            "/* {} */\n#include \"{name}.h\"\n",
            self.generated()
        )];
        let mut functions = vec![self.init_status()];
        functions.push(self.encode_values());
        functions.extend(match self.is_var_len() {
            false => [self.decode_status(), self.encode_status(), self.reads()],
            true => [
                self.decode_status_packed(),
                self.encode_status_packed(),
                self.reads_packed(),
            ],
        });
        if self.has_control() {
            functions.push(self.decode_control());
            functions.push(self.apply_control());
            functions.push(self.encode_control());
        }
        if functions.iter().any(|code| code.contains("AT(")) {
            items.push(format!(
                "#define AT(code, id) (({prefix}_result)((code) | (({prefix}_result)(id) << 4)))\n"
            ));
        }
        let before = items.len();
        if self.is_var_len() {
            items.push(self.packing());
        }
        let used = |name: &str| {
            let call = format!("{name}(");
            let uses = |code: &String| code.contains(&call);
            functions.iter().any(uses) || items.iter().any(uses)
        };
        let helpers: Vec<&str> = HELPERS
            .iter()
            .filter(|(name, _)| used(name))
            .map(|(_, code)| *code)
            .collect();
        let helpers = helpers.join("\n");
        if !helpers.is_empty() {
            items.insert(before, helpers);
        }
        items.extend(functions);
        items.push(self.link_source());
        items.join("\n")
    }

    fn init_status(&self) -> String {
        let mut body = String::new();
        for point in &self.points {
            let member = format!("status->{}", point.member);
            let (least, _) = point.member_limits();
            body += &match point.is_binary() {
                true => format!("    clear({member}, {}u);\n", point.code.bytes.len()),
                false if point.is_bool() => format!("    {member} = false;\n"),
                false => match point.member_type() {
                    unsigned if unsigned.starts_with('u') => {
                        format!("    {member} = {least}u;\n")
                    }
                    _ => format!("    {member} = {};\n", integer(least)),
                },
            };
        }
        let prefix = self.prefix;
        format!("void {prefix}_init_status({prefix}_status *status)\n{{\n{body}}}\n")
    }

    /// The statements that return the result of a check if a member is invalid.
    fn checks(&self, indent: &str, point: &CPoint<'_>, member: &str) -> String {
        let upper = &self.upper;
        let mut out = String::new();
        for (condition, code) in point.member_checks(member) {
            let _ = write!(
                out,
                "{indent}if ({condition}) {{
{indent}    return AT({upper}_{code}, {});
{indent}}}
",
                point.id
            );
        }
        out
    }

    /// The declaration of the variable for the byte of a point that shares it, if one of the points does.
    pub(super) fn bits<'a>(mut points: impl Iterator<Item = &'a CPoint<'a>>) -> &'static str {
        match points.any(|point| point.shared_byte().is_some()) {
            true => "    uint8_t bits;\n",
            false => "",
        }
    }

    /// The statements that write the points in bits of a byte. They are collected in a variable, because a compiler has to
    /// read and write memory for each point otherwise.
    fn encode_bits(&self, byte: usize) -> String {
        let mut out = String::new();
        for point in (self.points.iter()).filter(|point| point.is_in_bits_of(byte)) {
            let part = point.part(byte, &format!("status->{}", point.member));
            out += &match out.is_empty() {
                true => format!("    bits = (uint8_t){part};\n"),
                false => format!("    bits = (uint8_t)(bits | {part});\n"),
            };
        }
        match out.is_empty() {
            true => format!("    values[{byte}] = 0u;\n"),
            false => format!("{out}    values[{byte}] = bits;\n"),
        }
    }

    fn encode_values(&self) -> String {
        let prefix = self.prefix;
        let mut body = String::new();
        for point in &self.points {
            let member = format!("status->{}", point.member);
            body += &self.checks("    ", point, &member);
            if !point.is_in_bits() {
                body += &point.encode("    ", &member);
            }
        }
        // The members have been checked: bits that are too many for a point would change others.
        let mut bits = "";
        for byte in self.bit_bytes(self.status_len()).into_iter().flatten() {
            let statements = self.encode_bits(byte);
            if statements.contains("bits") {
                bits = "    uint8_t bits;\n\n";
            }
            body += &statements;
        }
        // The length of a message is written here, because a caller that does it after the call is longer.
        let upper = &self.upper;
        let (comment, parameter, length) = match self.is_var_len() {
            true => (".", "", String::new()),
            false => (
                ", and the length of their message to `len`.\n  ",
                ", size_t *len",
                format!("    *len = {upper}_STATUS_LEN;\n"),
            ),
        };
        format!(
            "/* Writes the values of all points{comment} Returns the result of the first invalid value. */
static {prefix}_result encode_values(const {prefix}_status *status, uint8_t *values{parameter})
{{
{bits}{body}{length}    return {upper}_OK;
}}
"
        )
    }

    fn decode_status(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let (bits, mut last) = (Self::bits(self.points.iter()), None);
        let mut decode = |point: &CPoint<'_>| {
            let load = point.load(&mut last);
            load + &point.decode("    ", "values", &format!("status->{}", point.member))
        };
        let body: String = self.points.iter().map(&mut decode).collect();
        format!(
            "{prefix}_result {prefix}_decode_status(const uint8_t *p0, size_t len, {prefix}_status *status)
{{
    const uint8_t *values;
{bits}
    if (len == 0u) {{
        return {upper}_TOO_SHORT;
    }}
    if (p0[0] != {upper}_ACTION_REPLY && p0[0] != {upper}_ACTION_REPORT) {{
        return {upper}_WRONG_ACTION;
    }}
    if (len != {upper}_STATUS_LEN) {{
        return (len < {upper}_STATUS_LEN) ? {upper}_TOO_SHORT : {upper}_TOO_LONG;
    }}
    values = p0 + 1;
{body}    return {upper}_OK;
}}
"
        )
    }

    fn encode_status(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let mut out = format!(
            "static {prefix}_result encode_as(uint8_t action, const {prefix}_status *status, uint8_t *p0, size_t room,
    size_t *len)
{{
    if (room < {upper}_STATUS_LEN) {{
        return {upper}_NO_ROOM;
    }}
    p0[0] = action;
    return encode_values(status, p0 + 1, len);
}}
"
        );
        for name in ["report", "reply"] {
            let _ = write!(
                out,
                "
{prefix}_result {prefix}_encode_{name}(const {prefix}_status *status, uint8_t *p0, size_t room, size_t *len)
{{
    return encode_as({upper}_ACTION_{}, status, p0, room, len);
}}
",
                name.to_uppercase()
            );
        }
        out
    }

    fn reads(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        format!(
            "{prefix}_result {prefix}_decode_read(const uint8_t *p0, size_t len)
{{
    if (len == 0u) {{
        return {upper}_TOO_SHORT;
    }}
    if (p0[0] != {upper}_ACTION_READ) {{
        return {upper}_WRONG_ACTION;
    }}
    return (len == {upper}_READ_LEN) ? {upper}_OK : {upper}_TOO_LONG;
}}

{prefix}_result {prefix}_encode_read(uint8_t *p0, size_t room, size_t *len)
{{
    if (room < {upper}_READ_LEN) {{
        return {upper}_NO_ROOM;
    }}
    p0[0] = {upper}_ACTION_READ;
    *len = {upper}_READ_LEN;
    return {upper}_OK;
}}
"
        )
    }

    fn decode_control(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let (bits, mut last) = (Self::bits(self.writable()), None);
        let mut points = String::new();
        let mut collects = false;
        for point in self.writable() {
            points += &point.load(&mut last);
            let (has, member) = (
                format!("control->has.{}", point.member),
                format!("control->{}", point.member),
            );
            let flag = self.flag("flags", point);
            let checks = match point.is_bool() || point.is_binary() {
                true => Vec::new(),
                false => point.raw_checks("raw"),
            };
            if checks.is_empty() {
                points += &format!(
                    "    {has} = {flag};\n    if ({has}) {{\n{}    }}\n",
                    point.decode("        ", "values", &member)
                );
                continue;
            }
            collects = true;
            points += &format!(
                "    {has} = false;\n    if ({flag}) {{\n        {} raw = {};\n",
                point.raw_type(),
                point.raw("values")
            );
            let mut lead = "        if";
            for (condition, code) in &checks {
                points += &format!(
                    "{lead} ({condition}) {{
            result = first(result, AT({upper}_{code}, {}));
",
                    point.id
                );
                lead = "        } else if";
            }
            points += &format!(
                "        }} else {{
            {member} = {};
            {has} = true;
        }}
    }}
",
                point.value("raw")
            );
        }
        let (result, returned) = match collects {
            true => (
                format!("    {prefix}_result result = {upper}_OK;\n"),
                "result".to_owned(),
            ),
            false => (String::new(), format!("{upper}_OK")),
        };
        let first = match collects {
            true => format!(
                "static {prefix}_result first({prefix}_result result, {prefix}_result next)
{{
    return (result == {upper}_OK) ? next : result;
}}

"
            ),
            false => String::new(),
        };
        let (locals, checked) = match self.is_var_len() {
            true => (
                format!(
                    "    const uint8_t *flags;
    uint8_t values[{}];
",
                    self.status_len()
                ),
                self.control_checks_packed(),
            ),
            false => (
                "    const uint8_t *flags;
    const uint8_t *values;
"
                .to_owned(),
                self.control_checks(),
            ),
        };
        format!(
            "{first}{prefix}_result {prefix}_decode_control(const uint8_t *p0, size_t len, {prefix}_control *control)
{{
{locals}{bits}{result}
    if (len == 0u) {{
        return {upper}_TOO_SHORT;
    }}
    if (p0[0] != {upper}_ACTION_CONTROL) {{
        return {upper}_WRONG_ACTION;
    }}
{checked}{points}    return {returned};
}}
"
        )
    }

    /// The statements that check the length and the flags of a control of a standard product.
    fn control_checks(&self) -> String {
        let upper = &self.upper;
        let (writable, points) = (self.writable().count(), self.points.len());
        let mut out = format!(
            "    if (len != {upper}_CONTROL_LEN) {{
        return (len < {upper}_CONTROL_LEN) ? {upper}_TOO_SHORT : {upper}_TOO_LONG;
    }}
    flags = p0 + 1;
    values = flags + {};
",
            self.flags_len()
        );
        // The lowest surplus flag decides. All of them are in the first byte.
        for id in writable..8 * self.flags_len() {
            let bit = 1 << (id % 8);
            let (condition, result) = match self.points.get(id) {
                Some(point) => (
                    format!("(flags[0] & {bit:#04x}u) != 0u"),
                    format!("AT({upper}_NOT_WRITABLE, {})", point.id),
                ),
                None => (
                    format!("flags[0] >= {bit:#04x}u"),
                    format!("{upper}_UNKNOWN_FLAG"),
                ),
            };
            out += &format!("    if ({condition}) {{\n        return {result};\n    }}\n");
            if id >= points {
                break;
            }
        }
        out
    }

    fn apply_control(&self) -> String {
        let prefix = self.prefix;
        let mut body = String::new();
        for point in self.writable() {
            let member = &point.member;
            let set = match point.is_binary() {
                true => format!(
                    "copy(status->{member}, control->{member}, {}u);",
                    point.code.bytes.len()
                ),
                false => format!("status->{member} = control->{member};"),
            };
            body += &format!("    if (control->has.{member}) {{\n        {set}\n    }}\n");
        }
        format!(
            "void {prefix}_apply_control(const {prefix}_control *control, {prefix}_status *status)\n{{\n{body}}}\n"
        )
    }

    fn encode_control(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let (flags, values) = (self.flags_len(), self.control_values_len());
        let mut points = String::new();
        for point in self.writable() {
            let member = format!("control->{}", point.member);
            let (byte, bit) = self.flag_place(point);
            points += &format!(
                "    if (control->has.{}) {{\n        flags[{byte}] |= {bit:#04x}u;\n{}{}    }}\n",
                point.member,
                self.checks("        ", point, &member),
                point.encode("        ", &member)
            );
        }
        let (locals, begin, end) = match self.is_var_len() {
            false => (
                "    uint8_t *flags;
    uint8_t *values;
"
                .to_owned(),
                format!(
                    "    if (room < {upper}_CONTROL_LEN) {{
        return {upper}_NO_ROOM;
    }}
    flags = p0 + 1;
    values = flags + {flags};
    clear(p0, {upper}_CONTROL_LEN);
"
                ),
                format!(
                    "    p0[0] = {upper}_ACTION_CONTROL;
    *len = {upper}_CONTROL_LEN;
    return {upper}_OK;
"
                ),
            ),
            true => (
                format!(
                    "    uint8_t flags[{flags}];
    uint8_t values[{values}];
"
                ),
                format!("    clear(flags, {flags}u);\n    clear(values, {values}u);\n"),
                format!(
                    "    return put_message({upper}_ACTION_CONTROL, flags, values, p0, room, len);\n"
                ),
            ),
        };
        format!(
            "{prefix}_result {prefix}_encode_control(const {prefix}_control *control, uint8_t *p0, size_t room,
    size_t *len)
{{
{locals}
{begin}{points}{end}}}
"
        )
    }
}

/// The helper functions by name. The source file contains those that it uses.
const HELPERS: &[(&str, &str)] = &[
    (
        "get16",
        "static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(((uint16_t)at[0] << 8) | at[1]);
}
",
    ),
    (
        "get32",
        "static uint32_t get32(const uint8_t *at)
{
    return ((uint32_t)at[0] << 24) | ((uint32_t)at[1] << 16) | ((uint32_t)at[2] << 8) | at[3];
}
",
    ),
    (
        "get_bits",
        "/* Returns the number of `width` bits, at most 32, whose lowest bit is bit `shift` of the byte before `end`. */
static uint32_t get_bits(const uint8_t *values, uint16_t end, uint8_t shift, uint8_t width)
{
    uint32_t number = (uint32_t)values[end - 1u] >> shift;
    uint8_t have = (uint8_t)(8u - shift);

    while (have < width) {
        end--;
        number |= (uint32_t)values[end - 1u] << have;
        have = (uint8_t)(have + 8u);
    }
    return number & (0xffffffffu >> (32u - width));
}
",
    ),
    (
        "put16",
        "static void put16(uint8_t *at, uint16_t number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}
",
    ),
    (
        "put32",
        "static void put32(uint8_t *at, uint32_t number)
{
    at[0] = (uint8_t)(number >> 24);
    at[1] = (uint8_t)(number >> 16);
    at[2] = (uint8_t)(number >> 8);
    at[3] = (uint8_t)number;
}
",
    ),
    (
        "copy",
        "static void copy(uint8_t *to, const uint8_t *from, size_t len)
{
    size_t at;

    for (at = 0u; at < len; at++) {
        to[at] = from[at];
    }
}
",
    ),
    (
        "clear",
        "static void clear(uint8_t *bytes, size_t len)
{
    size_t at;

    for (at = 0u; at < len; at++) {
        bytes[at] = 0u;
    }
}
",
    ),
];
