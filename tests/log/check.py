"""Reads what `gizwits log decode` wrote with pyarrow and polars, and holds each value against the log.

check.py DEFINITION LOG OUT.ndjson OUT.csv OUT.arrow OUT.parquet

The log's payloads are decoded here once more, by numpy, from the definition alone. All records have to be
reports with all points of a standard product.
"""

import csv
import json
import sys
from decimal import Decimal

import numpy
import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

definition, log, ndjson, table, arrow, parquet = sys.argv[1:]
attrs = json.load(open(definition))["entities"][0]["attrs"]
attrs.sort(key=lambda attr: attr["id"])
records = [json.loads(line, parse_float=Decimal) for line in open(log)]
payloads = [bytes.fromhex(record["payload"]) for record in records]
statuses = []
for payload in payloads:
    body = payload[5 if payload[4] < 0x80 else 6 :]
    assert body[:3] == b"\0\0\x91" and body[3] == 4
    statuses.append(body[4:])
statuses = numpy.frombuffer(b"".join(statuses), numpy.uint8).reshape(len(records), -1)
millis = [int(record["timestamp"] * 1000) for record in records]


def area(attr):
    """The bytes of the bit area that an attr is in."""
    start = attr["position"]["byte_offset"]
    bits = [
        other["position"]["bit_offset"] + other["position"]["len"]
        for other in attrs
        if other["position"]["unit"] == "bit" and other["position"]["byte_offset"] == start
    ]
    return start, (max(bits) + 7) // 8


def raws(attr):
    position = attr["position"]
    if position["unit"] == "bit":
        start, length = area(attr)
    else:
        start, length = position["byte_offset"], position["len"]
    value = numpy.zeros(len(records), numpy.int64)
    for byte in range(start, start + length):
        value = value << 8 | statuses[:, byte]
    if position["unit"] == "bit":
        value = value >> position["bit_offset"] & (1 << position["len"]) - 1
    return value


def scale(attr):
    """Ratio and addition as integers, and their decimal places."""
    spec = attr["uint_spec"]
    ratio, addition = Decimal(str(spec["ratio"])), Decimal(str(spec["addition"]))
    places = max(0, *(-number.normalize().as_tuple().exponent for number in (ratio, addition)))
    return int(ratio * 10**places), int(addition * 10**places), places


expected = {}
for attr in attrs:
    kind = attr["data_type"]
    if kind == "binary":
        start, length = attr["position"]["byte_offset"], attr["position"]["len"]
        rows = numpy.ascontiguousarray(statuses[:, start : start + length])
        expected[attr["name"]] = [row.tobytes() for row in rows]
    elif kind == "bool":
        expected[attr["name"]] = (raws(attr) != 0).tolist()
    elif kind == "enum":
        expected[attr["name"]] = [attr["enum"][raw] for raw in raws(attr)]
    else:
        ratio, addition, places = scale(attr)
        values = (raws(attr) * ratio + addition).tolist()
        power = Decimal(10) ** -places
        expected[attr["name"]] = [value * power for value in values] if places else values


def same(what, name, found, wanted):
    if found != wanted:
        row = next(n for n, pair in enumerate(zip(found, wanted)) if pair[0] != pair[1])
        sys.exit(f"{what}: {name} in record {row + 1} is {found[row]!r}, not {wanted[row]!r}")


def columns(what, found):
    assert found.num_rows == len(records), f"{what}: {found.num_rows} rows"
    same(what, "timestamp", found["timestamp"].cast(pyarrow.int64()).to_pylist(), millis)
    same(what, "type", found["type"].to_pylist(), [record["type"] for record in records])
    assert set(found["action"].to_pylist()) == {"report"}
    for name, wanted in expected.items():
        same(what, name, found[name].to_pylist(), wanted)


columns("arrow", pyarrow.ipc.open_file(arrow).read_all())
columns("parquet", pyarrow.parquet.read_table(parquet))
frame = polars.read_parquet(parquet)
assert frame.height == len(records)
for name, wanted in expected.items():
    same("polars", name, frame[name].to_list(), wanted)


def text(value):
    match value:
        case bool():
            return str(int(value))
        case bytes():
            return value.hex()
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case _:
            return str(value)


with open(table, newline="") as file:
    rows = csv.reader(file)
    names = next(rows)
    assert names == ["timestamp", "type", "did", "action", *expected], names
    for number, row in enumerate(rows):
        wanted = [text(values[number]) for values in expected.values()]
        same("csv", f"row {number + 1}", row[4:], wanted)
    assert number + 1 == len(records)

with open(ndjson) as file:
    for number, line in enumerate(file):
        found = json.loads(line, parse_float=Decimal)
        assert list(found) == ["timestamp", "type", "action", "attrs"], list(found)
        assert found["timestamp"] == records[number]["timestamp"]
        wanted = {
            name: value.hex() if isinstance(value := values[number], bytes) else value
            for name, values in expected.items()
        }
        assert found["attrs"] == wanted, f"ndjson: {line}"
    assert number + 1 == len(records)

print(f"{len(records)} records with {len(attrs)} points are the same in all formats")
