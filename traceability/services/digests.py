"""The fingerprint of what an event wrote: SHA-256 over one line per row, in a stated order.

The audit builds the same lines from the tables; a row that was changed, added or taken away beside
the services no longer fits (docs/traceability.md).
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

ZERO = Decimal(0)


# Thousands of rows have the same few quantities; equal numbers are written alike.
@lru_cache(maxsize=4096)
def plain(number: Decimal | None) -> str:
    """A number as the digest writes it, whatever scale it was stored with."""
    if number is None:
        return ""
    return f"{number.normalize():f}" if number else "0"


def link_line(child: int, parent: int, quantity: Decimal, role: int, certainty: int) -> str:
    return f"L{child},{parent},{plain(quantity)},{role},{certainty}"


def end_line(child: int, parent: int, event_id: int, why: int) -> str:
    return f"E{child},{parent},{event_id},{why}"


def handover_line(thing: int, document_id: int, quantity: Decimal) -> str:
    return f"C{thing},{document_id},{plain(quantity)}"


def reading_line(row: tuple[object, ...]) -> str:
    """Of (subject, at, operation, work unit, operator, tool, program, parameter, value, …)."""
    return "R" + ",".join(_text(value) for value in row)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)


def digest(lines: Iterable[str]) -> bytes:
    """The fingerprint of rows, whatever order they come in."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).digest()
