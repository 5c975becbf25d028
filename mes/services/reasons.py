"""Why machines stand: the tree, as people choose from it and as customers may read it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from mes.default_reasons import REASONS
from mes.models import DowntimeReason


@dataclass(frozen=True)
class Branch:
    """A reason with those below it."""

    reason: DowntimeReason
    children: tuple[DowntimeReason, ...]


def seed() -> int:
    """Write the reasons of the first tree that are missing, and return how many there were."""
    made = 0
    with transaction.atomic():
        known = {row.code: row for row in DowntimeReason.objects.all()}
        for reason in REASONS:
            if reason["code"] in known:
                continue
            fields = {**reason, "parent": known.get(reason["parent"])}
            known[reason["code"]] = DowntimeReason.objects.create(**fields)
            made += 1
    return made


def tree() -> Sequence[Branch]:
    """The active reasons, two levels deep, in the order in which they were entered; one query."""
    rows = list(DowntimeReason.objects.filter(is_active=True).order_by("pk"))
    return [
        Branch(row, tuple(child for child in rows if child.parent_id == row.pk))
        for row in rows
        if row.parent_id is None
    ]
