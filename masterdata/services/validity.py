"""Days of validity: half-open, open at an end where it is None; and revisions opened meanwhile."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.concurrency import StaleWrite, check_version

T = TypeVar("T")
Span = tuple[date | None, date | None]


def overlaps(one: Span, other: Span) -> bool:
    """Whether the spans share a day."""
    return max(one[0] or date.min, other[0] or date.min) < min(
        one[1] or date.max, other[1] or date.max
    )


def first_overlap(spans: Sequence[tuple[Span, T]]) -> tuple[T, T] | None:
    """The first two that share a day, by beginning; None where each day has one at most."""
    return next(iter(all_overlaps(spans)), None)


def all_overlaps(spans: Sequence[tuple[Span, T]]) -> Iterable[tuple[T, T]]:
    """Each span, in order of beginning, that begins before an earlier one has ended."""
    longest: tuple[Span, T] | None = None
    for span, what in sorted(spans, key=lambda pair: pair[0][0] or date.min):
        if longest and overlaps(longest[0], span):
            yield longest[1], what
        if longest is None or (span[1] or date.max) > (longest[0][1] or date.max):
            longest = (span, what)


def check_opened(found: QuerySet[Any], opened: int | None) -> None:
    """Raise StaleWrite where the one revision of the queryset is not as it was opened.

    0 stands for a revision that was not there, None for whoever does not mind.
    """
    revision = found.first() if opened is not None else None
    if revision is None:
        return
    if opened == 0:
        raise StaleWrite(
            _("Revision %(revision)s is there already; open it, or give this one another name.")
            % {"revision": revision.revision}
        )
    check_version(revision, opened=opened or 0)
