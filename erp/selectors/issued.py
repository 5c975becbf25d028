"""What went out to a work order and may come back, by lot and serial number."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Max, QuerySet, Sum

from common import idempotency
from erp.enums import MoveKind, RequirementKind
from erp.models import Requirement, StockMove
from masterdata.enums import Tracking
from traceability import selectors as traceability

if TYPE_CHECKING:
    from traceability.models import Lot

ZERO = Decimal(0)
_OUT = [MoveKind.ISSUE, MoveKind.BACKFLUSH, MoveKind.RETURN]


@dataclass(frozen=True, slots=True)
class Issued:
    """A need with what of a lot (or of units, or untracked) is at its work order."""

    requirement: Requirement
    quantity: Decimal
    lot: "Lot | None" = None
    serials: Sequence[str] = ()

    @property
    def key(self) -> str:
        """A key of its own for the form of each row, each time it is shown."""
        return idempotency.new_key()

    @property
    def has_serials(self) -> bool:
        return bool(self.requirement.item.tracking == Tracking.SERIAL)

    @property
    def row_id(self) -> str:
        """Tells the rows of a page apart."""
        return f"{self.requirement.pk}-{self.lot.pk if self.lot else 0}"


def issued_orders(*, site_id: int, text: str = "") -> QuerySet[StockMove, Any]:
    """Work orders that got material, the latest issue first: ``reference``, ``last``.

    ``text`` is a part of the number, or the whole number of a lot or unit that went there.
    """
    wanted = Requirement.objects.filter(site=site_id, kind=RequirementKind.COMPONENT, issued__gt=0)
    moves = StockMove.objects.filter(
        site=site_id, kind__in=_OUT, reference__in=wanted.values("reference")
    )
    text = text.strip()
    if text:
        named = moves.filter(lot__in=traceability.lots_named(text)) | moves.filter(
            unit__in=traceability.units_named(text)
        )
        moves = moves.filter(reference__icontains=text) | named
    return moves.order_by().values("reference").annotate(last=Max("at")).order_by("-last")


def issued_lines(*, site_id: int, reference: str) -> list[Issued]:
    """What lies at the work order of that number, by need; four queries however many."""
    needs = list(
        Requirement.objects.filter(
            site=site_id, reference=reference, kind=RequirementKind.COMPONENT, issued__gt=0
        )
        .select_related("item")
        .order_by("item__code", "pk")
    )
    sums: dict[int, dict[tuple[int | None, int | None], Decimal]] = {}
    rows = (
        StockMove.objects.filter(
            site=site_id,
            reference=reference,
            kind__in=_OUT,
            item__in={need.item_id for need in needs},
        )
        .order_by()
        .values_list("item", "lot", "unit")
        .annotate(total=Sum("quantity"))
    )
    for item, lot, unit, total in rows:
        if total < 0:
            sums.setdefault(item, {})[lot, unit] = -total
    lots = traceability.lots({lot for there in sums.values() for lot, _unit in there if lot})
    units = traceability.units({unit for there in sums.values() for _lot, unit in there if unit})
    found = []
    for need in needs:
        there = sums.get(need.item_id, {})
        serials = sorted(units[unit].number for _lot, unit in there if unit)
        if serials:
            found.append(Issued(need, min(Decimal(len(serials)), need.issued), None, serials))
        found += [
            Issued(need, min(quantity, need.issued), lots.get(lot or 0))
            for (lot, unit), quantity in sorted(there.items(), key=lambda row: row[0][0] or 0)
            if unit is None
        ]
    return found
