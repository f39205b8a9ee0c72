"""Logs and columns of payloads."""

import gzip
import io
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy
import pandas
import polars
import pyarrow
import pytest
from conftest import FIXTURES, product_named
from gizwits_codec import CodecError, Product

LINES = [
    '{"timestamp":1517384252.294,"type":"app2dev","did":"a","payload":"014000000018"}\n',
    '{"timestamp":1517384252.301,"type":"dev2app","did":"a","payload":"000000030b0000910401000010000000"}\n',
    '{"timestamp":1517384264.311,"type":"dev2app","payload":"0401000018"}\n',
]
LOG = "".join(LINES).encode()
TEMPERATURES = [24, 16]


def temperatures(log: Any) -> list[Any]:
    """Return the values of a point, read by pyarrow."""
    values: list[Any] = pyarrow.table(log)["set_temp"].to_pylist()
    return values


def test_sources(product: Product, tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson.gz"
    path.write_bytes(gzip.compress(LOG))
    records = [json.loads(line) for line in LINES]
    sources = (path, str(path), LOG, bytearray(LOG), memoryview(LOG), io.BytesIO(LOG), path.open("rb"), io.StringIO(LOG.decode()))
    for source in (*sources, iter([path]), LINES, iter(LINES), [line.encode() for line in LINES], records):
        log = product.decode_log(source)
        assert log.summary is None
        assert temperatures(log) == TEMPERATURES
        summary: Any = log.summary
        size = summary.pop("bytes")
        assert size == len(LOG) or source is records
        rejected = {"incomplete": 1}
        assert summary == {"records": 3, "decoded": 2, "inexact": 0, "rejected": rejected}
    assert temperatures(product.decode_log([path, path])) == 2 * TEMPERATURES
    assert temperatures(product.decode_log([])) == []


def test_passes(product: Product) -> None:
    log = product.decode_log(LOG)
    assert temperatures(log) == temperatures(log)
    once = product.decode_log(io.BytesIO(LOG))
    assert temperatures(once) == TEMPERATURES
    with pytest.raises(ValueError, match="can be read only once"):
        pyarrow.table(once)


def test_consumers(product: Product) -> None:
    log = product.decode_log(LOG)
    frame = polars.DataFrame(log)
    assert frame["set_temp"].to_list() == TEMPERATURES
    assert frame["action"].to_list() == ["control", "report"]
    assert pandas.DataFrame.from_arrow(log)["set_temp"].to_list() == TEMPERATURES
    query = "SELECT max(set_temp), count(*) FROM log"
    relation: Any = duckdb.sql(query)
    assert relation.fetchall() == [(24, 2)]
    reader = log.to_pyarrow()
    assert isinstance(reader, pyarrow.RecordBatchReader)
    assert reader.read_all() == pyarrow.table(log)
    assert [len(table) for table in log] == [2]
    assert pyarrow.schema(log) == pyarrow.table(log).schema


def test_options(product: Product, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.ndjson"
    line = '{"timestamp":1,"payload":"0401000018","note":7}\n'
    log = product.decode_log([line, "zz"], keep=True, lax=True, rejects=rejects, did="b", threads=1)
    table = pyarrow.table(log)
    assert table["did"].to_pylist() == ["b"]
    assert json.loads(table["extra"][0].as_py()) == {"note": 7, "missing": 3}
    assert log.summary is not None and log.summary["inexact"] == 1
    assert json.loads(rejects.read_text())["reason"]["kind"] == "not_hex_or_base64"
    wrong: Any = "hexa"
    with pytest.raises(ValueError, match='expected "hex" or "base64"'):
        product.decode_log(LOG, encoding=wrong)


def test_numbers() -> None:
    product = product_named("fractions")
    status = next(n for n in range(1, 65) if product.decode_column([bytes([4]) + bytes(n)]).rejected == 0)
    lines = [json.dumps({"payload": "04" + "01" * status}), json.dumps({"payload": "04" + "ff" * status})]
    exact = pyarrow.table(product.decode_log(lines))
    floats = pyarrow.table(product.decode_log(lines, numbers="float64", flagged=True))
    raw = pyarrow.table(product.decode_log(lines, numbers="raw"))
    decimals = [field.name for field in exact.schema if pyarrow.types.is_decimal(field.type)]
    assert decimals
    for name in decimals:
        assert pyarrow.types.is_float64(floats.schema.field(name).type)
        assert pyarrow.types.is_unsigned_integer(raw.schema.field(name).type)
        assert floats[name].to_pylist() == [float(value) for value in exact[name].to_pylist()]
        assert floats.to_pandas()[name].dtype == numpy.float64
    assert floats["flagged"].to_pylist()[1]
    payloads = [bytes.fromhex(json.loads(line)["payload"]) for line in lines]
    column = pyarrow.table(product.decode_column(payloads, numbers="float64", points=decimals))
    assert column.to_pydict() == {name: floats[name].to_pylist() for name in decimals}
    with pytest.raises(ValueError, match="expected \"decimal\", \"float64\" or \"raw\""):
        product.decode_log(lines, numbers="double")  # type: ignore[arg-type]


def test_fill() -> None:
    product = product_named("wave-pump")
    name = next(point.name for point in product.points if point.data_type == "bool")
    other = next(p.name for p in product.points if p.data_type == "bool" and p.name != name)
    records = [
        {"did": "d", "payload": product.encode_report({name: True}).hex()},
        {"did": "d", "payload": product.encode_report({other: True}).hex()},
    ]
    assert pyarrow.table(product.decode_log(records))[name].to_pylist() == [True, None]
    assert pyarrow.table(product.decode_log(records, fill=True))[name].to_pylist() == [True, True]


def test_failures(product: Product, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        product.decode_log("no-such-log")
    assert missing.value.filename == "no-such-log"
    with pytest.raises(TypeError, match="expected a path, bytes, a file"):
        product.decode_log(7)  # type: ignore[arg-type]

    def broken() -> Iterator[str]:
        yield LINES[0]
        raise KeyError("no more")

    # The exceptions of a source are those of the reader.
    with pytest.raises(KeyError, match="no more"):
        product.decode_log(broken()).to_pyarrow().read_all()
    with pytest.raises(pyarrow.ArrowInvalid, match="no more"):
        pyarrow.table(product.decode_log(broken()))

    class Numbers:
        def read(self, size: int) -> int:
            return size

    with pytest.raises(TypeError, match="expected bytes or str from the method `read`, not int"):
        list(product.decode_log(Numbers()))  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        list(product.decode_log([FIXTURES / "air-conditioner.json", tmp_path / "none"]))


def test_columns(product: Product) -> None:
    texts = ["014000000018", None, "zz", "000000030b0000910401000010000000"]
    binary = [bytes.fromhex(text) if text and text != "zz" else text and b"z" for text in texts]
    expected = [24, None, None, 16]
    columns = [
        texts,
        binary,
        iter(texts),
        polars.Series(texts),
        polars.Series(binary),
        pyarrow.array(texts),
        pyarrow.array(texts, pyarrow.large_string()),
        pyarrow.array(texts, pyarrow.string_view()),
        pyarrow.array(binary),
        pyarrow.array(binary, pyarrow.large_binary()),
        pyarrow.array(binary, pyarrow.binary_view()),
        pyarrow.chunked_array([texts[:1], texts[1:]]),
        pandas.Series(texts, dtype="string[pyarrow]"),
    ]
    for column in columns:
        table = product.decode_column(column)
        assert len(table) == 4 and table.rejected == 1
        assert pyarrow.table(table)["set_temp"].to_pylist() == expected
        assert len(pyarrow.schema(table)) == 11
    fixed = pyarrow.array([b"\1\x40\0\0\0\x18"], pyarrow.binary(6))
    assert polars.DataFrame(product.decode_column(fixed))["set_temp"].to_list() == [24]
    empty = product.decode_column(pyarrow.array([b"", b""], pyarrow.binary(0)))
    assert len(empty) == 2 and empty.rejected == 2
    two = product.decode_column(texts, points=["mode", "set_temp"])
    assert polars.DataFrame(two).columns == ["mode", "set_temp"]
    assert polars.DataFrame(product.decode_column(polars.Series(["0140"] * 100_000))).height == 100_000
    with pytest.raises(CodecError, match="did you mean `set_temp`"):
        product.decode_column(texts, points=["set_tmp"])
    with pytest.raises(TypeError, match="binaries or strings, not Int64"):
        product.decode_column(pyarrow.array([1]))
    with pytest.raises(TypeError, match="an Arrow array or an iterable"):
        product.decode_column(7)  # type: ignore[arg-type]


@pytest.mark.parametrize("damaged", [None, 0, 777])
@pytest.mark.parametrize("name", ["product-a", "product-b", "air-conditioner"])
def test_payloads_of_one_length(name: str, damaged: int | None) -> None:
    """A column whose payloads are decoded together has the values of payloads one by one."""
    product = product_named(name)
    length = len(product.encode_report(all_zero(product))) - 1
    varint = [length + 4] if length + 4 < 0x80 else [length + 4 & 0x7F | 0x80, length + 4 >> 7]
    head = bytes([0, 0, 0, 3, *varint, 0, 0, 0x91, 4])
    source = numpy.random.default_rng(7)
    payloads = [head + source.bytes(length) for _ in range(1000)]
    if damaged is not None:
        payloads[damaged] = b"\1" + payloads[damaged][1:]
    expected = pyarrow.table(product.decode_column(payloads))
    for kind in (pyarrow.binary(), pyarrow.large_binary(), pyarrow.binary(len(payloads[0]))):
        array = pyarrow.array([b"\2" * len(payloads[0]), *payloads], kind)[1:]
        table = product.decode_column(array)
        assert table.rejected == (damaged is not None)
        assert pyarrow.table(table) == expected


def all_zero(product: Product) -> dict[str, Any]:
    """Return the values of a status whose raw values are the lowest."""
    low: dict[str, Any] = {}
    for point in product.points:
        match point.data_type:
            case "bool" | "enum":
                low[point.name] = 0
            case "binary":
                low[point.name] = b""
            case _:
                low[point.name] = Decimal(point.range.split("..")[0])
    return low


@pytest.mark.parametrize("name", ["product-b", "wave-pump", "ph-monitor", "climate"])
def test_columns_have_the_values_of_logs(name: str) -> None:
    product = product_named(name)
    source = numpy.random.default_rng(7)
    action = 4 if product.protocol == "standard" else 0x14
    payloads = [bytes([action]) + source.bytes(n % 300) for n in range(3000)]
    payloads += [product.encode_read()]
    column = pyarrow.table(product.decode_column(payloads))
    values = []
    for payload in payloads:
        try:
            values.append(product.decode(payload, decimal=True).values)
        except CodecError:
            values.append({})
    for point in column.column_names:
        expected = [one.get(point) for one in values]
        if column[point].type == pyarrow.dictionary(pyarrow.uint8(), pyarrow.string()):
            expected = [None if one is None else str(one) for one in expected]
        assert column[point].to_pylist() == expected, point


def test_a_wait_does_not_stop_other_threads(product: Product) -> None:
    """A thread that waits for a batch does not hold the interpreter, whatever the consumer does."""
    log, ticks, done = product.decode_log(LOG * 100_000, threads=1), [], threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    rows = polars.DataFrame(log).height
    done.set()
    thread.join()
    assert rows == 200_000 and len(ticks) > 5


def test_memory_is_bounded(product: Product) -> None:
    """A source is read no faster than its batches."""

    class Endless:
        calls = 0

        def read(self, size: int) -> bytes:
            self.calls += 1
            return LINES[1].encode() * (size // len(LINES[1]))

    source = Endless()
    for number, table in enumerate(product.decode_log(source)):
        assert len(table) > 1000
        if number == 50:
            break
    # A batch is a block of 1 MiB, which is 4 reads.
    assert source.calls < 4 * (50 + 20)


INTERRUPTED = """
import os, signal, sys, threading, time
import pandas, polars, pyarrow
from gizwits_codec import Product

class Endless:
    def read(self, size):
        time.sleep(float(sys.argv[3]))
        return b"014000000018\\n" * (size // 13)

log = Product.open(sys.argv[1]).decode_log(Endless())
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    exec(sys.argv[2])
except KeyboardInterrupt:
    print("KeyboardInterrupt")
"""


@pytest.mark.parametrize("sleep", ["0.2", "0"])
@pytest.mark.parametrize(
    "statement",
    [
        "list(log)",
        "for batch in log.to_pyarrow(): pass",
        "pyarrow.table(log)",
        "polars.DataFrame(log)",
    ],
)
def test_ctrl_c(statement: str, sleep: str) -> None:
    definition = str(FIXTURES / "air-conditioner.json")
    command = [sys.executable, "-c", INTERRUPTED, definition, statement, sleep]
    began = time.monotonic()
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert time.monotonic() - began < 30
    # Consumers of the C interface raise an exception of their own first.
    assert "KeyboardInterrupt" in run.stdout + run.stderr
    assert run.returncode in (0, 1, 130, -signal.SIGINT), (run.returncode, run.stderr)
