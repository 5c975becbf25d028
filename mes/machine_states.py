"""From what a machine says to what it did: spans without flickers. No Django in here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Span:
    """``[starts_at, ends_at)`` in one state; the last one is open."""

    status: str
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True)
class Derived:
    """The spans, and when a state that is too young to count yet would begin to."""

    spans: tuple[Span, ...]
    look_again_at: datetime | None


def derive(
    points: Iterable[tuple[datetime, str]], *, debounce: timedelta, until: datetime
) -> Derived:
    """The spans of a machine that said these states at these moments.

    A state that lasts for less than ``debounce`` is a flicker: the state before goes on over it.
    Moments may come in any order; of several at one moment the last given counts.
    """
    raw = _changes(points)
    spans: list[Span] = []
    again: datetime | None = None
    for place, (at, status) in enumerate(raw):
        is_last = place + 1 == len(raw)
        end = until if is_last else raw[place + 1][0]
        if end - at < debounce:
            again = at + debounce if is_last else None
            continue
        if spans and spans[-1].status == status:
            continue
        if spans:
            spans[-1] = Span(spans[-1].status, spans[-1].starts_at, at)
        spans.append(Span(status, at, None))
    return Derived(tuple(spans), again)


def _changes(points: Iterable[tuple[datetime, str]]) -> list[tuple[datetime, str]]:
    """By time, one per moment, and only where the state changes."""
    latest: dict[datetime, str] = {}
    for at, status in points:
        latest[at] = status
    found: list[tuple[datetime, str]] = []
    for at in sorted(latest):
        if not found or found[-1][1] != latest[at]:
            found.append((at, latest[at]))
    return found
