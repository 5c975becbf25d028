"""Capable to promise: can this line be kept, when at the earliest, and why (APICS: CTP)."""

from collections.abc import Sequence
from datetime import datetime

from aps.services.promise_answers import (
    Alternative,
    AlternativeKind,
    ChainLink,
    LineAnswer,
    LineRequest,
    Reason,
    ReasonKind,
)
from common.errors import Refused

__all__ = [
    "Alternative",
    "AlternativeKind",
    "CannotCheck",
    "ChainLink",
    "LineAnswer",
    "LineRequest",
    "Reason",
    "ReasonKind",
    "check",
]


class CannotCheck(Refused):
    """The line cannot be checked; the sentence says what is missing."""


def check(
    *,
    site_id: int,
    customer_id: int | None,
    lines: Sequence[LineRequest],
    now: datetime,
) -> list[LineAnswer]:
    """One answer per line, in order, from the live schedule of the site.

    Lines compete with each other in the order given. Reserves nothing and writes nothing. A line
    that cannot be checked answers with its ``refusal``; an unknown site raises CannotCheck.
    """
    raise NotImplementedError
