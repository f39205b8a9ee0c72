"""Writes logs of random reports, for tests and measurements.

records.py DEFINITION COUNT > LOG
"""

import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy
from numpy.typing import NDArray

Attr = dict[str, Any]


def attrs_of(definition: Path) -> list[Attr]:
    """Return the attrs of a definition in the order of their ids."""
    entities = json.loads(definition.read_text())["entities"]
    return sorted(entities[0]["attrs"], key=lambda attr: int(attr["id"]))


def area_length(attrs: list[Attr], start: int) -> int:
    """Return the number of bytes of the bit area that begins at this byte."""
    positions = [attr["position"] for attr in attrs]
    ends: list[int] = [
        position["bit_offset"] + position["len"]
        for position in positions
        if position["unit"] == "bit" and position["byte_offset"] == start
    ]
    return (max(ends) + 7) // 8


def statuses(attrs: list[Attr], count: int, seed: int = 7) -> NDArray[numpy.uint8]:
    """Return valid random statuses of a standard product, a row for each."""
    source = numpy.random.default_rng(seed)
    last = max(
        position["byte_offset"]
        + (
            position["len"]
            if position["unit"] == "byte"
            else area_length(attrs, position["byte_offset"])
        )
        for position in (attr["position"] for attr in attrs)
    )
    rows = numpy.zeros((count, last), numpy.uint8)
    for attr in attrs:
        position = attr["position"]
        start, length = position["byte_offset"], position["len"]
        if attr["data_type"] == "binary":
            rows[:, start : start + length] = source.integers(0, 256, (count, length), numpy.uint8)
            continue
        low, high, shift = 0, 1, 0
        if attr["data_type"] == "enum":
            high = len(attr["enum"]) - 1
        elif attr["data_type"] != "bool":
            low, high = attr["uint_spec"]["min"], attr["uint_spec"]["max"]
        if position["unit"] == "bit":
            shift, length = position["bit_offset"], area_length(attrs, start)
        raw = source.integers(low, high, count, numpy.int64, endpoint=True) << shift
        for byte in range(length):
            rows[:, start + byte] |= (raw >> 8 * (length - 1 - byte) & 0xFF).astype(numpy.uint8)
    return rows


def payloads(attrs: list[Attr], count: int) -> NDArray[numpy.uint8]:
    """Return reports in M2M frames, a row for each."""
    rows = statuses(attrs, count)
    length = rows.shape[1] + 4
    varint = [length] if length < 0x80 else [length & 0x7F | 0x80, length >> 7]
    head = numpy.array([0, 0, 0, 3, *varint, 0, 0, 0x91, 4], numpy.uint8)
    return numpy.hstack([numpy.broadcast_to(head, (count, len(head))), rows])


def write(rows: NDArray[numpy.uint8], out: BinaryIO) -> None:
    """Write a log with a line for each payload. Every device reports once a minute."""
    texts, digits = rows.tobytes().hex(), 2 * rows.shape[1]
    for begin in range(0, len(rows), 10_000):
        lines = [
            f'{{"timestamp":{1_700_000_000 + n * 0.06:.3f},"type":"dev2app",'
            f'"did":"device{n % 1000:04}","payload":"{texts[n * digits : (n + 1) * digits]}"}}\n'
            for n in range(begin, min(begin + 10_000, len(rows)))
        ]
        out.write("".join(lines).encode())


if __name__ == "__main__":
    write(payloads(attrs_of(Path(sys.argv[1])), int(sys.argv[2])), sys.stdout.buffer)
