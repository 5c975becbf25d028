"""Recall drills: how fast the list of a lot is there, and whether a plain walk finds the same.

A drill reads; it holds nothing and moves nothing.
"""

import hashlib
import json
import time
from datetime import UTC, datetime
from math import floor
from typing import Any

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from common import audit
from common.errors import Refused
from common.models import User
from crm.models import DrillResult, RecallDrill
from crm.trace import impact
from traceability import selectors as ledger

__all__ = ["CannotDrill", "finish", "is_as_signed", "start"]

_SIGNER = signing.Signer(salt="crm.recall_drill")
# Numbers of units that one finds and the other does not, to look at.
_SHOWN = 20


class CannotDrill(Refused):
    """The lot is not known, or the drill is finished."""


def start(*, lot_id: int, by: User, now: datetime) -> RecallDrill:
    """Start the clock for a lot. Raise CannotDrill where there is no such lot."""
    if not ledger.lots([lot_id]):
        raise CannotDrill(_("There is no such lot."))
    with transaction.atomic():
        drill = RecallDrill.objects.create(lot_id=lot_id, started_at=now, started_by=by)
        audit.record(action="crm.drill.start", target=drill, by=by, now=now)
    return drill


def finish(*, drill: RecallDrill, remark: str, by: User, now: datetime) -> DrillResult:
    """Make the list, compare it with a plain walk over single links, sign the result.

    ``now`` stops the clock. Raise CannotDrill for a drill that is finished.
    """
    with transaction.atomic():
        began = time.perf_counter()
        begin = ledger.whole(ledger.Start.of([drill.lot_id]))
        found = impact.summary(begin)
        listed = ledger.units_reached(begin)
        computed_ms = round((time.perf_counter() - began) * 1000)
        walked = ledger.units_by_plain_walk([drill.lot_id])
        row = DrillResult(
            drill=drill,
            listed_at=now,
            signed_by=by,
            computed_ms=computed_ms,
            lists={**_lists(found), **_comparison(listed, walked)},
            remark=remark.strip()[:200],
        )
        row.signature = _SIGNER.sign(_digest(row))
        # Two at once: the first one counts.
        DrillResult.objects.bulk_create([row], ignore_conflicts=True)
        if DrillResult.objects.get(pk=drill.pk).signature != row.signature:
            raise CannotDrill(_("This drill is finished and signed."))
        audit.record(
            action="crm.drill.sign",
            target=drill,
            by=by,
            now=now,
            reason=row.remark,
            changes={"completeness": [None, row.lists["completeness"]]},
        )
    return row


def is_as_signed(row: DrillResult) -> bool:
    """Whether the stored result is the one that was signed."""
    try:
        return _SIGNER.unsign(row.signature) == _digest(row)
    except signing.BadSignature:
        return False


def _lists(found: impact.Summary) -> dict[str, Any]:
    return {
        "counts": {
            where.value: [count.confirmed, count.possible] for where, count in found.by_list.items()
        },
        "customers": found.customers,
    }


def _comparison(listed: dict[int, bool], walked: dict[int, bool]) -> dict[str, Any]:
    """What the list misses, has too much, and where both differ in certainty."""
    missing = sorted(walked.keys() - listed.keys())
    extra = sorted(listed.keys() - walked.keys())
    uncertain = [pk for pk in listed.keys() & walked.keys() if listed[pk] != walked[pk]]
    right = len(walked) - len(missing)
    return {
        "listed": len(listed),
        "walked": len(walked),
        "missing": len(missing),
        "extra": len(extra),
        "uncertain": len(uncertain),
        "examples": [*missing[:_SHOWN], *extra[:_SHOWN]],
        # Rounded down: 100 is all of it.
        "completeness": floor(10_000 * right / len(walked)) / 100 if walked else 100.0,
        # Of the ids, so that the list can be made again and compared.
        "units": hashlib.sha256(",".join(map(str, sorted(listed))).encode()).hexdigest(),
    }


def _digest(row: DrillResult) -> str:
    told = {
        "drill": row.drill_id,
        "lot": row.drill.lot_id,
        "started_at": _moment(row.drill.started_at),
        "started_by": row.drill.started_by_id,
        "listed_at": _moment(row.listed_at),
        "signed_by": row.signed_by_id,
        "computed_ms": row.computed_ms,
        "remark": row.remark,
        "lists": row.lists,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
