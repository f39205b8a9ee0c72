"""The exceptions of the package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["CodecError", "DefinitionError", "Diagnostic", "GizwitsError"]


class GizwitsError(ValueError):
    """The base class of all exceptions that this package defines."""


class CodecError(GizwitsError):
    """A payload, a frame or a value is invalid.

    The text of the exception is ``message``.
    """

    kind: str
    """The kind in snake_case, such as ``above_max``. Kinds never change."""
    message: str
    """The message for people, which may change with any version."""
    point: str | None
    """The name of the point that the error is about."""
    byte: int | None
    """The offset of the byte, from 0: in the payload, or in the status if a value was refused."""
    bit: int | None
    """The offset of the bit in its bit area."""
    expected: int | None
    """The checksum of the bytes of a frame, for the kind ``checksum``."""
    found: int | None
    """The checksum at the end of a frame, for the kind ``checksum``."""
    missing: int | None
    """The minimum number of bytes that a frame still needs, for the kind ``incomplete``."""

    def __init__(
        self,
        kind: str,
        message: str,
        point: str | None = None,
        byte: int | None = None,
        bit: int | None = None,
        expected: int | None = None,
        found: int | None = None,
        missing: int | None = None,
    ) -> None:
        """Create an error with these fields."""
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.point = point
        self.byte = byte
        self.bit = bit
        self.expected = expected
        self.found = found
        self.missing = missing

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the fields, so that workers of ``multiprocessing`` can send the error."""
        fields = (self.kind, self.message, self.point, self.byte, self.bit)
        return type(self), (*fields, self.expected, self.found, self.missing)


@dataclass(frozen=True)
class Diagnostic:
    """One problem of a definition."""

    severity: Literal["error", "warning"]
    """``error`` if the definition is unusable, ``warning`` if it is probably not as intended."""
    kind: str
    """The kind in snake_case. Kinds never change."""
    pointer: str
    """The JSON pointer of the value, or the pointer that a missing value would have."""
    line: int
    """The line number in the text, from 1."""
    column: int
    """The number of the character in the line, from 1."""
    message: str
    """The description of the problem, with the names of the points."""
    label: str
    """The present value; may be empty."""
    help: str
    """A hint that says what would be valid; may be empty."""


class DefinitionError(GizwitsError):
    """A definition is invalid. The text of the exception has a line for each of the first ten errors."""

    diagnostics: list[Diagnostic]
    """The first 100 problems in the order of the text, warnings included."""
    errors: int
    """The number of errors."""
    warnings: int
    """The number of warnings."""

    def __init__(
        self, message: str, diagnostics: list[Diagnostic], errors: int, warnings: int
    ) -> None:
        """Create an error with these problems."""
        super().__init__(message)
        self.diagnostics = diagnostics
        self.errors = errors
        self.warnings = warnings

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the fields, so that workers of ``multiprocessing`` can send the error."""
        return type(self), (str(self), self.diagnostics, self.errors, self.warnings)
