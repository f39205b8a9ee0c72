"""A plain decoder in pure Python, as projects for single products contain it.

It walks the definition for each payload, with shifts and masks, and fills a dict.
"""

import json
from collections.abc import Iterable
from typing import Any

from records import Attr, area_length


class Decoder:
    """A decoder of reports of a standard product."""

    def __init__(self, attrs: list[Attr]) -> None:
        """Prepare what does not depend on a payload."""
        self.attrs = attrs
        self.lengths = [
            area_length(attrs, attr["position"]["byte_offset"])
            if attr["position"]["unit"] == "bit"
            else attr["position"]["len"]
            for attr in attrs
        ]

    def decode(self, payload: bytes) -> dict[str, Any]:
        """Return the values of a report in an M2M frame."""
        if payload[:4] != b"\0\0\0\3":
            raise ValueError("not an M2M frame")
        start, shift, length = 4, 0, 0
        while True:
            byte = payload[start]
            length |= (byte & 0x7F) << shift
            start, shift = start + 1, shift + 7
            if byte < 0x80:
                break
        if len(payload) != start + length or payload[start + 1 : start + 4] != b"\0\x91\4":
            raise ValueError("not a report")
        status = payload[start + 4 :]
        values: dict[str, Any] = {}
        for attr, length in zip(self.attrs, self.lengths, strict=True):
            position, kind = attr["position"], attr["data_type"]
            offset = position["byte_offset"]
            data = status[offset : offset + length]
            if kind == "binary":
                values[attr["name"]] = data
                continue
            raw = int.from_bytes(data, "big")
            if position["unit"] == "bit":
                raw = raw >> position["bit_offset"] & (1 << position["len"]) - 1
            if kind == "bool":
                values[attr["name"]] = bool(raw)
            elif kind == "enum":
                labels = attr["enum"]
                values[attr["name"]] = labels[raw] if raw < len(labels) else raw
            else:
                spec = attr["uint_spec"]
                values[attr["name"]] = raw * spec["ratio"] + spec["addition"]
        return values

    def decode_log(self, lines: Iterable[bytes]) -> list[dict[str, Any]]:
        """Return the values of the records of a log, with the time and the device of each."""
        rows = []
        for line in lines:
            record = json.loads(line)
            values = self.decode(bytes.fromhex(record["payload"]))
            values["timestamp"], values["did"] = record["timestamp"], record["did"]
            rows.append(values)
        return rows
