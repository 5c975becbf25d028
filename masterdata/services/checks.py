"""Checks of a routing operation: what may be saved, and saving them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.concurrency import check_version
from common.errors import Refused
from common.models import User
from masterdata.enums import CheckFrequency, CheckKind
from masterdata.models import OperationCheck, Routing, RoutingOperation


class InvalidCheck(Refused):
    """A check asks for what cannot be answered."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check as typed or sent."""

    position: int
    name: str
    name_zh: str = ""
    code: str = ""
    kind: str = CheckKind.PASS
    unit: str = ""
    lower: Decimal | None = None
    target: Decimal | None = None
    upper: Decimal | None = None
    is_required: bool = True
    frequency: str = CheckFrequency.PER_ORDER
    every: int | None = None
    reason: str = ""


def wrong(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Field and sentence of everything that is wrong with one check."""
    limits = [values["lower"], values["upper"]]
    is_seen = values["kind"] == CheckKind.PASS
    if is_seen and (any(x is not None for x in limits) or values["target"] is not None):
        yield "kind", _("What is only seen has no limits.")
    if not is_seen and all(limit is None for limit in limits):
        yield "upper", _("What is measured needs a lower or an upper limit.")
    if None not in limits and limits[0] > limits[1]:
        yield "upper", _("The upper limit is below the lower one.")
    is_every = values["frequency"] == CheckFrequency.EVERY_N
    if is_every and (values["every"] or 0) < 2:
        yield "every", _("Say after how many pieces, two or more.")
    if not is_every and values["every"] is not None:
        yield "every", _("A number of pieces belongs to “every so many pieces” only.")


def save(
    *,
    operation: RoutingOperation,
    checks: Sequence[Check],
    version: int,
    by: User | None,
    now: datetime,
) -> None:
    """Give the operation exactly these checks. Work orders that exist keep their frozen ones.

    Raise InvalidCheck, and StaleWrite where the routing was saved after it was opened.
    """
    _check(checks)
    with transaction.atomic():
        routing = Routing.objects.select_for_update(no_key=True).get(pk=operation.routing_id)
        check_version(routing, opened=version)
        before = _described(operation)
        operation.checks.all().delete()
        write({operation.pk: checks})
        routing.version += 1
        routing.save(update_fields=["version"])
        changes = audit.difference({"checks": before}, {"checks": _described(operation)})
        audit.record(
            action="masterdata.checks.save", target=routing, by=by, now=now, changes=changes
        )


def put(
    *, operation: RoutingOperation, check: Check, by: User | None, now: datetime
) -> OperationCheck:
    """Add one check behind the others (position 0), or give that of its position these limits.

    Work orders planned from now on ask for it. Raise InvalidCheck.
    """
    with transaction.atomic():
        routing = Routing.objects.select_for_update(no_key=True).get(pk=operation.routing_id)
        there = of(operation)
        position = check.position or max((row.position for row in there), default=0) + 10
        others = [row for row in there if row.position != position]
        save(
            operation=operation,
            checks=[*others, replace(check, position=position)],
            version=routing.version,
            by=by,
            now=now,
        )
    return operation.checks.get(position=position)


def write(checks: Mapping[int, Sequence[Check]]) -> None:
    """Insert the checks of operations, by the operation's id; they were looked at before."""
    OperationCheck.objects.bulk_create(
        OperationCheck(operation_id=pk, **{name: getattr(check, name) for name in Check.__slots__})
        for pk, rows in checks.items()
        for check in rows
    )


def of(operation: RoutingOperation) -> tuple[Check, ...]:
    """The checks as they would be typed."""
    return tuple(
        Check(**{name: getattr(row, name) for name in Check.__slots__})
        for row in operation.checks.all()
    )


def _check(checks: Sequence[Check]) -> None:
    seen: set[int] = set()
    for check in checks:
        if check.position in seen:
            raise InvalidCheck(
                _("Check %(position)s is there twice.") % {"position": check.position}
            )
        seen.add(check.position)
        values = {name: getattr(check, name) for name in Check.__slots__}
        for _field, sentence in wrong(values):
            raise InvalidCheck(f"{check.position} {check.name}: {sentence}")


def _described(operation: RoutingOperation) -> list[str]:
    return [
        f"{row.position} {row.name} {row.kind} {row.lower or ''}…{row.upper or ''} {row.unit}"
        for row in operation.checks.order_by("position")
    ]
