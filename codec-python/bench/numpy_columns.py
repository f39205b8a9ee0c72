"""A plain NumPy program that decodes reports of one length to columns, by strided views."""

import json
from collections.abc import Iterable
from typing import Any

import numpy
from numpy.typing import NDArray
from records import Attr, area_length

WIDTHS = {1: "u1", 2: ">u2", 4: ">u4"}


def columns(attrs: list[Attr], data: bytes | NDArray[numpy.uint8], stride: int) -> dict[str, Any]:
    """Return the columns of equally long reports that are one after the other.

    A bool is a bool, an enum the index of its label, a number an integer or a float.
    """
    status = max(attr["position"]["byte_offset"] for attr in attrs)
    last = max(attrs, key=lambda attr: int(attr["position"]["byte_offset"]))
    unit, length = last["position"]["unit"], last["position"]["len"]
    status += length if unit == "byte" else area_length(attrs, status)
    head = stride - status
    found: dict[str, Any] = {}
    areas: dict[int, NDArray[Any]] = {}

    def view(offset: int, form: str) -> NDArray[Any]:
        layout = {"names": ["x"], "formats": [form], "offsets": [head + offset], "itemsize": stride}
        rows: NDArray[Any] = numpy.frombuffer(data, numpy.dtype(layout))["x"]  # type: ignore[call-overload]
        return rows

    for attr in attrs:
        position, kind, name = attr["position"], attr["data_type"], attr["name"]
        offset = position["byte_offset"]
        if kind == "binary":
            found[name] = numpy.ascontiguousarray(view(offset, f"V{position['len']}"))
        elif position["unit"] == "bit":
            # The bytes of an area are made contiguous once for all of its points.
            if offset not in areas:
                form = WIDTHS[area_length(attrs, offset)]
                areas[offset] = view(offset, form).astype(form.replace(">", "="))
            raw = areas[offset] >> position["bit_offset"] & (1 << position["len"]) - 1
            found[name] = raw.astype(bool) if kind == "bool" else raw.astype(numpy.uint8)
        else:
            form, spec = WIDTHS[position["len"]], attr["uint_spec"]
            raw = view(offset, form)
            if (spec["ratio"], spec["addition"]) == (1, 0):
                found[name] = raw.astype(form.replace(">", "="))
            elif isinstance(spec["ratio"], int) and isinstance(spec["addition"], int):
                found[name] = raw.astype(numpy.int16 if form == "u1" else numpy.int64)
                found[name] *= spec["ratio"]
                found[name] += spec["addition"]
            else:
                found[name] = raw * spec["ratio"] + spec["addition"]
    return found


def log_columns(attrs: list[Attr], lines: Iterable[bytes]) -> dict[str, Any]:
    """Return the columns of a log whose payloads are equally long."""
    records = [json.loads(line) for line in lines]
    data = bytes.fromhex("".join([record["payload"] for record in records]))
    found = columns(attrs, data, len(data) // len(records))
    found["timestamp"] = numpy.array([record["timestamp"] for record in records])
    found["did"] = numpy.array([record["did"] for record in records])
    return found
