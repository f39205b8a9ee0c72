"""Decode and encode Gizwits (机智云) data points.

A :class:`Product` is read from its definition. It decodes payloads to values and encodes values to payloads. It
decodes logs and columns of payloads to Arrow, which pandas, polars, DuckDB and pyarrow read without a copy.
"""

from ._errors import CodecError, DefinitionError, Diagnostic, GizwitsError
from ._native import (
    Log,
    M2mDecoder,
    M2mFrame,
    M2mService,
    Message,
    Point,
    Product,
    Table,
    UartDecoder,
    UartFrame,
    check,
)

__all__ = [
    "CodecError",
    "DefinitionError",
    "Diagnostic",
    "GizwitsError",
    "Log",
    "M2mDecoder",
    "M2mFrame",
    "M2mService",
    "Message",
    "Point",
    "Product",
    "Table",
    "UartDecoder",
    "UartFrame",
    "check",
]
