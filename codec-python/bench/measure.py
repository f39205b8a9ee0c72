"""Measures the package beside a decoder in pure Python and a NumPy program, in the same process.

measure.py [--quick]

The unit is nanoseconds of CPU time per message, of all threads. The three programs take turns, and a ratio is
the median of the ratios of all rounds. Without --quick, the exit status is 1 if the package is less than 50 times as
fast as pure Python or slower than NumPy.
"""

import io
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import numpy_columns
import pyarrow
import records
from gizwits_codec import Product
from pure_python import Decoder

FIXTURES = Path(__file__).resolve().parents[2] / "tests" / "fixtures"
PURE = 50.0
QUICK = "--quick" in sys.argv[1:]
ROUNDS = 5 if QUICK else 15
COUNT = 200_000 if QUICK else 1_000_000


def cost(count: int, work: Callable[[], Any]) -> float:
    """Return the CPU time of some work in nanoseconds per message."""
    began = time.process_time_ns()
    kept = work()
    cost = (time.process_time_ns() - began) / count
    del kept
    return cost


def agree(table: pyarrow.Table, plain: list[dict[str, Any]], columns: dict[str, Any]) -> None:
    """Check the values of all three programs against each other."""
    for name, column in columns.items():
        if name == "timestamp":
            continue
        values = table[name].slice(0, len(plain)).to_pylist()
        expected = [row[name] for row in plain]
        match values[0]:
            case str() if name != "did":
                indices = table[name].combine_chunks().indices[: len(plain)].to_numpy()
                assert (indices == column[: len(plain)]).all(), name
                assert values == expected, name
            case bytes():
                assert [row.tobytes() for row in column[: len(plain)]] == expected == values, name
            case str():
                assert values == expected, name
            case _:
                floats = [float(value) for value in values]
                assert numpy.allclose(floats, [float(value) for value in expected]), name
                assert numpy.allclose(floats, column[: len(plain)].astype(float)), name


def compare(what: str, count: int, few: int, works: list[Callable[[], Any]]) -> bool:
    """Print the costs and ratios of the package, of pure Python and of NumPy. Return whether they suffice."""
    ours, pure, plain = works
    rounds = [(cost(count, ours), cost(few, pure), cost(count, plain)) for _ in range(ROUNDS)]
    costs = [statistics.median(one[n] for one in rounds) for n in range(3)]
    ratios = [statistics.median(one[n] / one[0] for one in rounds) for n in (1, 2)]
    print(
        f"{what:<20} {costs[0]:8.1f} {costs[1]:10.1f} {costs[2]:9.1f}"
        f"   {ratios[0]:7.1f} {ratios[1]:7.2f}",
        flush=True,
    )
    return ratios[0] >= PURE and ratios[1] >= 1


def main() -> int:
    """Measure both products."""
    print(f"{'ns per message':<20} {'package':>8} {'pure':>10} {'numpy':>9}   {'/ pure':>7} {'/ numpy':>7}")
    suffices = True
    for name in ("product-a", "product-b"):
        definition = FIXTURES / f"{name}.json"
        product, attrs = Product.open(definition), records.attrs_of(definition)
        decoder, count = Decoder(attrs), COUNT if name == "product-a" else COUNT // 5
        few = count // 50
        rows = records.payloads(attrs, count)
        data, stride = rows.tobytes(), rows.shape[1]
        # The payloads as a column that refers to the same bytes, and as Python objects.
        payloads = pyarrow.FixedSizeBinaryArray.from_buffers(
            pyarrow.binary(stride), count, [None, pyarrow.py_buffer(data)]
        )
        objects = [data[n * stride : (n + 1) * stride] for n in range(few)]
        file = io.BytesIO()
        records.write(rows, file)
        log, lines = file.getvalue(), file.getvalue().splitlines()

        works: list[Callable[[], Any]] = [
            lambda: product.decode_column(payloads),
            lambda: [decoder.decode(payload) for payload in objects],
            lambda: numpy_columns.columns(attrs, data, stride),
        ]
        ours, pure, plain = (work() for work in works)
        agree(pyarrow.table(ours), pure, plain)
        del ours, pure, plain
        suffices &= compare(f"{name}, column", count, few, works)

        works = [
            lambda: list(product.decode_log(log)),
            lambda: decoder.decode_log(lines[:few]),
            lambda: numpy_columns.log_columns(attrs, lines),
        ]
        agree(pyarrow.table(product.decode_log(log)), works[1](), works[2]())
        suffices &= compare(f"{name}, log", count, few, works)
    # A quick run shows that the programs agree. Its times are too short to judge.
    return 0 if suffices or QUICK else 1


if __name__ == "__main__":
    sys.exit(main())
