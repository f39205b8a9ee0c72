"""Readers of pyarrow, which the package itself does not require."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as _pyarrow

    from ._native import Log


def pyarrow_reader(log: Log) -> _pyarrow.RecordBatchReader:
    """Return the batches of a log as a reader that raises the exceptions of the log itself."""
    import pyarrow

    def batches() -> Iterator[_pyarrow.RecordBatch]:
        for table in log:
            yield from pyarrow.table(table).to_batches()

    return pyarrow.RecordBatchReader.from_batches(pyarrow.schema(log), batches())
