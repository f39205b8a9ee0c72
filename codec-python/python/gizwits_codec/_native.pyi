"""The types of the native module."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from os import PathLike
from typing import Any, Final, Literal, Protocol, SupportsFloat, SupportsIndex, TypeAlias, final

import pyarrow

from typing_extensions import Buffer

from ._errors import Diagnostic

__all__ = [
    "Log",
    "LogIterator",
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

_Definition: TypeAlias = str | bytes | Mapping[str, Any]
_Payload: TypeAlias = Buffer | str
_Value: TypeAlias = bool | int | float | Decimal | str | bytes
_Values: TypeAlias = Mapping[str, _Value | SupportsIndex | SupportsFloat]
_Path: TypeAlias = str | PathLike[str]

class _File(Protocol):
    def read(self, size: int, /) -> Buffer | str: ...

class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class _ArrowArray(Protocol):
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]: ...

_Record: TypeAlias = str | bytes | Mapping[str, Any]
_Source: TypeAlias = _Path | Buffer | _File | Iterable[PathLike[str] | _Record]
_Column: TypeAlias = _ArrowStream | _ArrowArray | Iterable[_Payload | None]

@final
class Product:
    """The definition of a product, which decodes and encodes its messages.

    A product can be pickled, and used by several threads at a time.
    """

    def __new__(cls, definition: _Definition) -> Product:
        """Read a definition: JSON text, or the mapping that ``json.load`` returns.

        Raises ``DefinitionError`` with every problem of the definition.
        """

    @staticmethod
    def open(path: _Path) -> Product:
        """Read a definition from a file.

        Raises ``OSError`` if the file cannot be read, ``DefinitionError`` if the definition is invalid.
        """

    @property
    def name(self) -> str:
        """The name of the product; empty if the definition has none."""

    @property
    def product_key(self) -> str:
        """The product key; empty if the definition has none."""

    @property
    def protocol(self) -> Literal["standard", "var_len"]:
        """The protocol of the product."""

    @property
    def points(self) -> list[Point]:
        """The data points, in the order of their ids."""

    def to_json(self) -> str:
        """Return the definition as JSON, without the keys that the codec does not use."""

    def decode(self, payload: _Payload, *, decimal: bool = False, lax: bool = False) -> Message:
        """Decode a payload: an M2M frame or a bare P0.

        ``payload`` is bytes, or text with hex or base64. A number without decimal places is an ``int``, any
        other number a ``float``, or a ``Decimal`` if ``decimal`` is true. ``lax`` accepts reports and replies of
        any length.

        Raises ``CodecError``. Its ``byte`` counts from the first byte of the payload.
        """

    def encode_control(self, values: _Values, *, round: bool = False) -> bytes:
        """Encode a control, which sets points of a device. Return the bytes of the P0.

        A value is a bool, a label or its index for an enum, a number, or bytes (also as hex). ``round`` replaces
        a number between two steps by the nearest step; without it, such a number is refused.

        Raises ``CodecError`` for a value that the definition does not allow.
        """

    def encode_report(self, values: _Values, *, round: bool = False) -> bytes:
        """Encode a report, which a device sends without a request. The arguments are those of ``encode_control``.

        A report of a standard product has all points.
        """

    def encode_reply(self, values: _Values, *, round: bool = False) -> bytes:
        """Encode a reply, with which a device answers a read. The arguments are those of ``encode_control``.

        A reply of a standard product has all points.
        """

    def encode_read(self, points: Iterable[str] | None = None) -> bytes:
        """Encode a read, which asks a device for its status.

        Only a read of a var_len product can name points. By default the read asks for all points.
        """

    def decode_log(
        self,
        source: _Source,
        *,
        did: str | None = None,
        encoding: Literal["hex", "base64"] | None = None,
        fill: bool = False,
        flagged: bool = False,
        keep: bool = False,
        lax: bool = False,
        numbers: Literal["decimal", "float64", "raw"] = "decimal",
        rejects: _Path | None = None,
        threads: int | None = None,
    ) -> Log:
        """Decode a log to a stream of Arrow record batches.

        ``source`` is a path, the contents of a log as bytes, an open file, or an iterable. An
        iterable yields ``pathlib.Path`` objects, or records: a line as str or bytes, or a dict. Logs can be
        compressed with gzip or zstd. Nothing is read before the batches are.

        - ``did``: the device of all records. Records of other devices are rejected.
        - ``encoding``: the encoding of all payloads. By default it is detected for each payload.
        - ``fill``: complete reports and replies of var_len products with the last known values of the device.
        - ``flagged``: add the column ``flagged``, a list of the names of the points whose value breaks the definition.
        - ``keep``: add the column ``extra`` with the members of records that the codec does not use, as JSON.
        - ``lax``: accept reports and replies of any length. Adds the column ``extra``.
        - ``numbers``: the type of numbers. ``"decimal"`` is exact; pandas turns decimals into Python objects.
          ``"float64"`` has numbers with decimal places as floats. ``"raw"`` has raw values, before ratio and addition.
        - ``rejects``: a file for records that cannot be decoded, as lines of JSON with the reason. By default
          such records are only counted.
        - ``threads``: the number of threads that decode. By default the number of cores.
        """

    def decode_column(
        self,
        payloads: _Column,
        *,
        numbers: Literal["decimal", "float64", "raw"] = "decimal",
        points: Iterable[str] | None = None,
    ) -> Table:
        """Decode a column of payloads to columns of values. Row ``n`` has the values of payload ``n``.

        ``payloads`` is an Arrow array or column of binaries or strings, such as a ``Series`` of polars, or an
        iterable of payloads. ``numbers`` is as in :meth:`decode_log`. ``points`` names the points to decode; by default all of them. The row of a payload
        that is null or cannot be decoded is null.
        """

    def __reduce__(self) -> tuple[type[Product], tuple[str]]: ...

@final
class Point:
    """A data point of a product."""

    @property
    def id(self) -> int:
        """The id, which is also the bit in the flags of a message."""

    @property
    def name(self) -> str:
        """The name in messages."""

    @property
    def display_name(self) -> str:
        """The name for people; empty if the definition has none."""

    @property
    def description(self) -> str:
        """The description, which often contains the unit; empty if the definition has none."""

    @property
    def data_type(self) -> Literal["bool", "enum", "uint8", "uint16", "uint32", "binary"]:
        """The data type."""

    @property
    def access(self) -> Literal["status_writable", "status_readonly", "alert", "fault"]:
        """The access."""

    @property
    def labels(self) -> list[str]:
        """The labels of an enum; empty for other data types."""

    @property
    def location(self) -> str:
        """The location for people, such as ``byte 3``."""

    @property
    def range(self) -> str:
        """The valid values for people, such as ``16..30, step 1``."""

@final
class Message:
    """A decoded payload."""

    @property
    def action(
        self,
    ) -> Literal["control", "read", "reply", "report", "transparent", "gateway"] | None:
        """The action; ``None`` for a frame that carries no P0."""

    @property
    def values(self) -> dict[str, Any]:
        """The values of the points that the message has, by name.

        A bool is a ``bool``, an enum its label or the index of a value without a label, a number an ``int``,
        ``float`` or ``Decimal``, a binary ``bytes``.
        """

    @property
    def flagged(self) -> dict[str, Literal["past_labels", "below_min", "above_max"]]:
        """The rule that a value breaks, by the name of the point. Such values are kept."""

    @property
    def frame(self) -> M2mFrame | M2mService | None:
        """The M2M frame around the message, if there is one."""

    @property
    def wanted(self) -> list[str]:
        """The points that a read of a var_len product asks for."""

    @property
    def body(self) -> bytes | None:
        """The bytes of a message without points."""

    @property
    def remarks(self) -> list[str]:
        """Remarks for people about deviations that decoding accepted."""

    def to_json(self) -> str:
        """Return the message as the line of JSON that ``gizwits decode`` prints."""

@final
class Log:
    """The decoded records of a log, as record batches in Arrow's format.

    pyarrow, pandas, polars and DuckDB read a log by Arrow's C stream interface, without a copy. Each reader makes
    a pass of its own over a log of paths or bytes; a file or an iterable can be read once. At most a few blocks
    of a log are in memory.
    """

    @property
    def summary(self) -> dict[str, Any] | None:
        """The counts of the last pass that reached the end: ``records``, ``decoded``, ``inexact``, ``rejected`` (a
        dict by the kind of the error) and ``bytes``.
        """

    def to_pyarrow(self) -> pyarrow.RecordBatchReader:
        """Return the batches of one pass as a reader of pyarrow. Requires pyarrow.

        Exceptions of the source and Ctrl-C reach the caller as they are. By the C stream interface, consumers
        raise exceptions of their own with the same text.
        """

    def __iter__(self) -> Iterator[Table]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __arrow_c_schema__(self) -> object: ...

@final
class LogIterator:
    """An iterator over the record batches of a log."""

    def __iter__(self) -> Iterator[Table]: ...
    def __next__(self) -> Table: ...

@final
class Table:
    """Decoded values in memory, in Arrow's format. Other packages read them without a copy."""

    @property
    def rejected(self) -> int:
        """The number of payloads of a column that could not be decoded; 0 for a batch of a log."""

    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __arrow_c_schema__(self) -> object: ...

@final
class M2mFrame:
    """An M2M frame, as devices exchange it on the local network and with the cloud."""

    TO_DEVICE: Final = 0x0090
    """The command of a P0 to the device, without acknowledgement."""
    FROM_DEVICE: Final = 0x0091
    """The command of a P0 from the device: a reply or a report."""
    REQUEST: Final = 0x0093
    """The command of a P0 in either direction that the receiver acknowledges."""
    ACK: Final = 0x0094
    """The command that acknowledges a request."""

    def __new__(
        cls,
        command: int,
        body: bytes | bytearray | None = None,
        *,
        sn: int | None = None,
        did: str | bytes | None = None,
        flag: int = 0,
    ) -> M2mFrame:
        """Create a frame. Only the commands ``REQUEST`` and ``ACK`` require an ``sn``."""

    @property
    def command(self) -> int:
        """The command, which defines the content of the body."""

    @property
    def body(self) -> bytes:
        """The body: a P0 for the four commands of this class."""

    @property
    def sn(self) -> int | None:
        """The sequence number."""

    @property
    def did(self) -> bytes | None:
        """The did of the device."""

    @property
    def flag(self) -> int:
        """The flags. Bit 0 announces a did."""

    def pack(self) -> bytes:
        """Return the bytes of the frame. Raises ``CodecError`` if the fields do not fit each other."""

    @staticmethod
    def parse(data: _Payload, *, limit: int = ...) -> tuple[M2mFrame | M2mService, bytes]:
        """Read the frame at the start of ``data``. Return it with the bytes that follow.

        ``limit`` is the maximum length of a frame in bytes, by default 128 KiB. Raises ``CodecError``; its kind is
        ``incomplete`` if more bytes are needed.
        """

    def __eq__(self, other: object, /) -> bool: ...

@final
class M2mService:
    """A service message between a module and the cloud, of which only the command is known."""

    @property
    def command(self) -> int:
        """The command."""

    def __eq__(self, other: object, /) -> bool: ...

@final
class M2mDecoder:
    """A decoder of M2M frames in a stream of bytes, such as a TCP connection."""

    def __new__(cls, *, limit: int = ...) -> M2mDecoder:
        """Create a decoder. Frames of more than ``limit`` bytes, by default 128 KiB, are skipped."""

    @property
    def skipped(self) -> int:
        """The number of bytes so far that belonged to no frame."""

    def feed(self, data: _Payload) -> list[M2mFrame | M2mService]:
        """Add the next bytes of the stream. Return the frames that they complete."""

@final
class UartFrame:
    """A UART frame, as a microcontroller and its Wi-Fi module exchange it."""

    def __new__(
        cls, command: int, payload: bytes | bytearray | None = None, *, sn: int = 0, flags: int = 0
    ) -> UartFrame:
        """Create a frame."""

    @property
    def command(self) -> int:
        """The command, which defines the content of the payload."""

    @property
    def command_name(self) -> str | None:
        """The name of the command, such as ``HEARTBEAT``; ``None`` if the protocol does not define it."""

    @property
    def payload(self) -> bytes:
        """The payload."""

    @property
    def sn(self) -> int:
        """The sequence number. An acknowledgement has that of its request."""

    @property
    def flags(self) -> int:
        """The flags."""

    def pack(self) -> bytes:
        """Return the bytes of the frame on the wire, with stuffing and checksum."""

    @staticmethod
    def parse(data: _Payload) -> tuple[UartFrame, bytes]:
        """Read the frame at the start of ``data``. Return it with the bytes that follow.

        Raises ``CodecError``. For the kind ``checksum``, ``expected`` and ``found`` are the checksums; for
        ``incomplete``, ``missing`` is the minimum number of missing bytes.
        """

    def __eq__(self, other: object, /) -> bool: ...

@final
class UartDecoder:
    """A decoder of UART frames in a stream of bytes, such as a serial line."""

    def __new__(cls, *, limit: int = ...) -> UartDecoder:
        """Create a decoder. Payloads of more than ``limit`` bytes are skipped. By default all lengths fit."""

    @property
    def corrupt(self) -> int:
        """The number of frames so far whose checksum was wrong."""

    @property
    def too_long(self) -> int:
        """The number of frames so far that were longer than the limit."""

    def feed(self, data: _Payload) -> list[UartFrame]:
        """Add the next bytes of the stream. Return the frames that they complete."""

def check(definition: _Definition) -> list[Diagnostic]:
    """Return every problem of a definition, warnings included."""
