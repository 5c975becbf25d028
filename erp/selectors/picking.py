"""What is to be made ready: by work order or order line, with where it lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, F, Min, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from common import idempotency
from erp.enums import RequirementKind, RequirementState
from erp.models import Requirement, Reservation, Staging, StockQuant
from erp.selectors import quants
from erp.selectors.quants import Take

ZERO = Decimal(0)
# Suggestions are worked out from so many places at most; a scan finds the others.
MOST = 2000


@dataclass(frozen=True, slots=True)
class PickLine:
    """A need with what is reserved, what stands ready, and what to take for the rest."""

    requirement: Requirement
    reserved: Decimal
    ready: Sequence[Staging]
    suggested: Sequence[Take]

    @property
    def key(self) -> str:
        """A key of its own for the form of each line, each time it is shown."""
        return idempotency.new_key()

    @property
    def staged(self) -> Decimal:
        return sum((row.quantity for row in self.ready), ZERO)

    @property
    def left(self) -> Decimal:
        """Reserved, and still to be made ready."""
        return self.reserved - self.staged

    @property
    def left_text(self) -> str:
        """The same as it is typed: 5, not 5.0000."""
        return f"{self.left.normalize():f}"

    @property
    def missing(self) -> Decimal:
        """Not even reserved: it is on order or still made."""
        return max(ZERO, self.requirement.quantity - self.requirement.issued - self.reserved)


def pick_orders(*, site_id: int | None, text: str = "") -> QuerySet[Requirement, Any]:
    """References with reserved stock that does not stand ready, the first due first.

    Rows: ``reference``, ``kind``, ``first_due``, ``lines``.
    """
    rows = (
        Requirement.objects.filter(site=site_id, state=RequirementState.OPEN)
        .annotate(kept=_sum(Reservation), staged=_sum(Staging))
        .filter(kept__gt=F("staged"))
    )
    if text.strip():
        rows = rows.filter(reference__icontains=text.strip())
    return (
        rows.order_by()
        .values("reference", "kind")
        .annotate(first_due=Min("due_at"), lines=Count("pk"))
        .order_by("first_due", "reference")
    )


def site_of_reference(reference: str, *, kind: RequirementKind | None = None) -> int | None:
    """The site where a work order or order line needs its material; None for an unknown one."""
    rows = Requirement.objects.filter(reference=reference)
    if kind is not None:
        rows = rows.filter(kind=kind)
    return rows.order_by("pk").values_list("site", flat=True).first()


def pick_lines(*, site_id: int, reference: str, now: datetime) -> list[PickLine]:
    """The open needs of a reference; five queries however many lines."""
    rows = list(
        Requirement.objects.filter(site=site_id, reference=reference, state=RequirementState.OPEN)
        .select_related("item")
        .order_by("pk")
    )
    ids = [row.pk for row in rows]
    kept = dict(
        Reservation.objects.filter(requirement__in=ids)
        .order_by()
        .values_list("requirement")
        .annotate(total=Sum("quantity"))
    )
    ready: dict[int, list[Staging]] = {}
    for staging in quants.stagings(ids):
        ready.setdefault(staging.requirement_id, []).append(staging)
    on = quants.today(site_id=site_id, now=now)
    usable: dict[int, list[StockQuant]] = {}
    found = quants.usable_of(site_id=site_id, item_ids={row.item_id for row in rows}, on=on)
    for quant in found[:MOST]:
        usable.setdefault(quant.item_id, []).append(quant)
    taken: dict[int, Decimal] = {}
    lines = []
    for row in rows:
        mine, reserved = ready.get(row.pk, []), kept.get(row.pk, ZERO)
        left = reserved - sum((staging.quantity for staging in mine), ZERO)
        suggested = quants.allot(usable.get(row.item_id, []), left, taken)
        lines.append(PickLine(row, reserved, mine, suggested))
    return lines


def _sum(model: type[Reservation] | type[Staging]) -> Coalesce:
    found = (
        model._default_manager.filter(requirement=OuterRef("pk"))
        .order_by()
        .values("requirement")
        .annotate(total=Sum("quantity"))
        .values("total")
    )
    return Coalesce(Subquery(found), ZERO, output_field=DecimalField())
