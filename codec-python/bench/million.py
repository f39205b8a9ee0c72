"""Compares logs in polars and DuckDB with the output of `gizwits log decode`.

million.py GIZWITS [RECORDS]
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import polars
import records
from gizwits_codec import Product

FIXTURES = Path(__file__).resolve().parents[2] / "tests" / "fixtures"


def in_ndjson(frame: polars.DataFrame, path: Path) -> None:
    """Compare a frame with the NDJSON of the command line, column by column."""
    lines = polars.read_ndjson(path)
    attrs = lines["attrs"].struct.unnest()
    assert lines["did"].equals(frame["did"]) and lines["action"].equals(frame["action"].cast(str))
    millis = (lines["timestamp"].cast(polars.Float64) * 1000).round().cast(polars.Int64)
    assert millis.equals(frame["timestamp"].dt.epoch("ms"))
    for name in frame.columns[4:]:
        values: Any = frame[name]
        if values.dtype == polars.Binary:
            values = values.bin.encode("hex")
        assert attrs[name].equals(values.cast(attrs[name].dtype)), name


def compare(gizwits: str, name: str, count: int) -> None:
    """Compare one log."""
    definition = FIXTURES / f"{name}.json"
    product = Product.open(definition)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.ndjson"
        with path.open("wb") as file:
            records.write(records.payloads(records.attrs_of(definition), count), file)
            file.write(b'{"timestamp":1,"payload":"04"}\nnothing\n')
        for form in ("ndjson", "parquet"):
            command = [gizwits, "log", "decode", "-d", str(definition), str(path)]
            command += ["-o", f"{folder}/out.{form}"]
            command += ["--rejects", f"{folder}/rejects"]
            ended = subprocess.run(command, capture_output=True, text=True)
            # Two records are rejected.
            assert ended.returncode == 1, ended.stderr

        log = product.decode_log(path, rejects=Path(folder) / "own-rejects")
        frame = polars.DataFrame(log)
        assert frame.height == count
        in_ndjson(frame, Path(folder) / "out.ndjson")
        parquet = polars.read_parquet(f"{folder}/out.parquet")
        assert parquet.columns == frame.columns
        for column in frame.columns:
            assert frame[column].cast(parquet[column].dtype).equals(parquet[column]), column
        rejects = [Path(folder, file).read_text() for file in ("rejects", "own-rejects")]
        assert [json.loads(line)["line"] for line in rejects[0].splitlines()] == [count + 1, count + 2]
        assert rejects[0] == rejects[1]

        columns = ", ".join(f'"{column}"' for column in frame.columns)
        ours, theirs = f"SELECT {columns} FROM log", f"SELECT {columns} FROM '{folder}/out.parquet'"
        for one, other in ((ours, theirs), (theirs, ours)):
            query = f"SELECT count(*) FROM ({one} EXCEPT ALL {other})"
            relation: Any = duckdb.sql(query)
            assert relation.fetchall() == [(0,)]
    print(f"{name}: {count} records in polars and DuckDB are those of gizwits log decode")


if __name__ == "__main__":
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    compare(sys.argv[1], "product-a", number)
    compare(sys.argv[1], "product-b", number // 10)
