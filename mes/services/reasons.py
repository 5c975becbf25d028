"""Why machines stand: the tree, as people choose from it and as customers may read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused
from common.models import User
from mes.default_reasons import REASONS
from mes.models import DowntimeReason


class CannotSave(Refused):
    """The tree would have three levels, or a code would change that reports name."""


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


def tree(*, with_retired: bool = False) -> Sequence[Branch]:
    """The active reasons, two levels deep, in the order in which they were entered; one query.

    ``with_retired``: also those that are not in use any more.
    """
    found = DowntimeReason.objects.order_by("pk")
    rows = list(found if with_retired else found.filter(is_active=True))
    return [
        Branch(row, tuple(child for child in rows if child.parent_id == row.pk))
        for row in rows
        if row.parent_id is None
    ]


def save(*, reason: DowntimeReason, by: User, now: datetime) -> DowntimeReason:
    """Write a new or changed reason; raise CannotSave. One that was used is retired, not deleted.

    Retiring one hides those below it as well, since people choose from the top.
    """
    with transaction.atomic():
        before = (
            DowntimeReason.objects.select_for_update(no_key=True).filter(pk=reason.pk).first()
            if reason.pk
            else None
        )
        _check(reason, before)
        reason.save()
        changes = audit.difference(_facts(before), _facts(reason))
        audit.record(action="mes.floor.reasons", target=reason, by=by, now=now, changes=changes)
    return reason


def _check(reason: DowntimeReason, before: DowntimeReason | None) -> None:
    if before is not None and before.code != reason.code:
        raise CannotSave(_("The code stays: reports of the past name it."))
    parent = reason.parent
    if parent is None:
        return
    if parent.parent_id is not None or parent.pk == reason.pk:
        raise CannotSave(_("Reasons have two levels: choose one of the upper level, or none."))
    if before is not None and before.children.exists():
        raise CannotSave(_("Reasons lie below this one: it stays on the upper level."))


def _facts(reason: DowntimeReason | None) -> dict[str, Any]:
    if reason is None:
        return {}
    names = ("code", "name", "name_zh", "loss", "customer_text", "customer_text_zh", "is_active")
    facts = {name: getattr(reason, name) for name in names}
    return facts | {"parent": reason.parent.code if reason.parent else None}
