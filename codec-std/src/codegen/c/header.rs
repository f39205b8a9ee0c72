//! The header: constants, structs and declarations.

use super::Program;
use super::point::comment;
use crate::error::counted;
use crate::product::is_product_key;

impl Program<'_> {
    pub(super) fn header(&self) -> String {
        let items = [
            self.begin(),
            self.constants(),
            self.ids(),
            self.labels(),
            self.results(),
            self.status(),
            self.control(),
            self.declarations(),
            self.link_header(),
            "#ifdef __cplusplus\n}\n#endif\n\n#endif\n".to_owned(),
        ];
        let items: Vec<_> = items.into_iter().filter(|item| !item.is_empty()).collect();
        items.join("\n")
    }

    fn begin(&self) -> String {
        let (product, upper) = (self.product, &self.upper);
        let name = match comment(product.name()) {
            none if none.is_empty() => "a product".to_owned(),
            name => name,
        };
        format!(
            "/* {name}: {}, {}, {}. Written by gizwits from its definition. */
#ifndef {upper}_H
#define {upper}_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern \"C\" {{
#endif
",
            product.protocol().name(),
            counted(self.points.len(), "point"),
            counted(self.status_len(), "byte"),
        )
    }

    fn constants(&self) -> String {
        let upper = &self.upper;
        let mut out = String::new();
        if is_product_key(self.product.product_key()) {
            let key = self.product.product_key();
            out += &format!("#define {upper}_PRODUCT_KEY \"{key}\"\n\n");
        }
        let (mask, base) = match self.is_var_len() {
            true => (self.flags_len(), 0x11),
            false => (0, 1),
        };
        out += "/* The first byte of each message. */\n";
        for (action, code) in ["CONTROL", "READ", "REPLY", "REPORT"].iter().zip(base..) {
            out += &format!("#define {upper}_ACTION_{action} {code:#04x}u\n");
        }
        out += "\n/* The greatest length of each message in bytes. A reply is as long as a report. */\n";
        let status_len = 1 + mask + self.status_len();
        let mut longest = status_len;
        if self.has_control() {
            let len = 1 + self.flags_len() + self.control_values_len();
            out += &format!("#define {upper}_CONTROL_LEN {len}u\n");
            longest = longest.max(len);
        }
        out += &format!("#define {upper}_READ_LEN {}u\n", 1 + mask);
        out += &format!("#define {upper}_STATUS_LEN {status_len}u\n");
        // A `size_t` has 16 bits or more. In one of 16 bits a longer length would be cut without an error.
        if longest > usize::from(u16::MAX) {
            out += &format!(
                "#if defined(SIZE_MAX) && (SIZE_MAX < {longest}u)
#error \"Messages of this product have up to {longest} bytes: size_t needs more than 16 bits.\"
#endif
"
            );
        }
        if self.is_var_len() {
            out += &format!(
                "\n/* The length of a mask in bytes: a set of points. Bit n of the mask, counted from the lowest bit of its
   last byte, is the point with the id n. */
#define {upper}_MASK_LEN {mask}u
"
            );
        }
        out
    }

    fn ids(&self) -> String {
        let upper = &self.upper;
        let mut out = format!(
            "/* The ids of the points. */\n#define {upper}_POINTS {}u\n",
            self.points.len()
        );
        for point in &self.points {
            out += &format!("#define {} {}u\n", point.id, point.code.id);
        }
        out
    }

    fn labels(&self) -> String {
        let mut blocks = Vec::new();
        for point in self.points.iter().filter(|point| !point.labels.is_empty()) {
            let attr = point.code.attr;
            let mut block = format!("/* The labels of {}. */\n", comment(attr.name()));
            for ((constant, label), index) in point.labels.iter().zip(attr.labels()).zip(0..) {
                let label = comment(label);
                block += &format!("#define {constant} {index}u /* {label} */\n");
            }
            blocks.push(block);
        }
        blocks.join("\n")
    }

    fn results(&self) -> String {
        let (upper, prefix) = (&self.upper, self.prefix);
        let codes = [
            ("OK", "The call was successful."),
            ("TOO_SHORT", "The message ends too early."),
            ("TOO_LONG", "Bytes follow the end of the message."),
            ("WRONG_ACTION", "The message has another action."),
            (
                "UNKNOWN_FLAG",
                "A control sets a flag that belongs to no point.",
            ),
            (
                "NOT_WRITABLE",
                "A control sets a point that is not writable.",
            ),
            ("NO_LABEL", "The index has no label."),
            ("BELOW_MIN", "The value is below the minimum."),
            ("ABOVE_MAX", "The value is above the maximum."),
            ("OFF_STEP", "The value is between two steps."),
            ("NO_ROOM", "The buffer is too short."),
        ];
        let mut out = format!(
            "/* A result: the code in the low 4 bits, and the id of the point above them if the code is about a point. */
typedef uint16_t {prefix}_result;
#define {upper}_CODE(result) ((result) & 0x0fu)
#define {upper}_POINT(result) ((result) >> 4)
"
        );
        for ((code, text), number) in codes.iter().zip(0..) {
            out += &format!("#define {upper}_{code} {number}u /* {text} */\n");
        }
        out
    }

    fn status(&self) -> String {
        let mut out = "/* The status: all points. */\ntypedef struct {\n".to_owned();
        for point in &self.points {
            let (doc, declaration) = (point.doc(), point.declaration());
            out += &format!("    /* {doc} */\n    {declaration}\n");
        }
        out + &format!("}} {}_status;\n", self.prefix)
    }

    fn control(&self) -> String {
        if !self.has_control() {
            return String::new();
        }
        let mut out =
            "/* A control: the points that it sets. A member is valid if the member of `has` is true. */
typedef struct {
    struct {
"
            .to_owned();
        for point in self.writable() {
            out += &format!("        bool {};\n", point.member);
        }
        out += "    } has;\n";
        for point in self.writable() {
            out += &format!("    {}\n", point.declaration());
        }
        out + &format!("}} {}_control;\n", self.prefix)
    }

    fn declarations(&self) -> String {
        let (prefix, upper) = (self.prefix, &self.upper);
        let mut out = format!(
            "/* A message is a P0: an action byte and a body. `len` is its length in bytes, `room` the length of a buffer.
   No pointer may be null unless the comment of the function allows it. */

/* Sets all points to their least valid value. */
void {prefix}_init_status({prefix}_status *status);

"
        );
        out += &match self.is_var_len() {
            false => format!(
                "/* Reads a reply or report. Changes the status only if the result is {upper}_OK. Values outside of their
   limits are kept as they are. */
{prefix}_result {prefix}_decode_status(const uint8_t *p0, size_t len, {prefix}_status *status);

/* Write a report or a reply to a buffer of {upper}_STATUS_LEN bytes or more, and its length to `len`. */
{prefix}_result {prefix}_encode_report(const {prefix}_status *status, uint8_t *p0, size_t room, size_t *len);
{prefix}_result {prefix}_encode_reply(const {prefix}_status *status, uint8_t *p0, size_t room, size_t *len);

/* Reads a read: the request for a reply. */
{prefix}_result {prefix}_decode_read(const uint8_t *p0, size_t len);

/* Writes a read. */
{prefix}_result {prefix}_encode_read(uint8_t *p0, size_t room, size_t *len);
"
            ),
            true => format!(
                "/* Reads a reply or report. Sets the points that it has, and writes their mask, of {upper}_MASK_LEN bytes, to `points`
   unless that is null. Changes nothing if the result is not {upper}_OK. Values outside of their limits are kept as they are. */
{prefix}_result {prefix}_decode_status(const uint8_t *p0, size_t len, {prefix}_status *status,
    uint8_t *points);

/* Write a report or a reply with the points of a mask, or with all points if `points` is null, and its length
   to `len`. A buffer of {upper}_STATUS_LEN bytes is always long enough. All points of the status must be
   valid. */
{prefix}_result {prefix}_encode_report(const {prefix}_status *status, const uint8_t *points,
    uint8_t *p0, size_t room, size_t *len);
{prefix}_result {prefix}_encode_reply(const {prefix}_status *status, const uint8_t *points,
    uint8_t *p0, size_t room, size_t *len);

/* Reads a read: the request for a reply. Writes the mask of the wanted points to `points`. */
{prefix}_result {prefix}_decode_read(const uint8_t *p0, size_t len, uint8_t *points);

/* Writes a read of the points of a mask, or of all points if `points` is null. */
{prefix}_result {prefix}_encode_read(const uint8_t *points, uint8_t *p0, size_t room,
    size_t *len);
"
            ),
        };
        if self.has_control() {
            out += &format!(
                "
/* Reads a control. The points with an invalid value are left out, and the result is that of the first of them.
   After any other error than {upper}_NO_LABEL, {upper}_BELOW_MIN and {upper}_ABOVE_MAX the control is
   unchanged. */
{prefix}_result {prefix}_decode_control(const uint8_t *p0, size_t len, {prefix}_control *control);

/* Sets the points of a control in a status. */
void {prefix}_apply_control(const {prefix}_control *control, {prefix}_status *status);

/* Writes a control, and its length to `len`. A buffer of {upper}_CONTROL_LEN bytes is always long enough. */
{prefix}_result {prefix}_encode_control(const {prefix}_control *control, uint8_t *p0, size_t room,
    size_t *len);
"
            );
        }
        out
    }
}
