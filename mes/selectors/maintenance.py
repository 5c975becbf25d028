"""Maintenance orders as the list and the page show them."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet

from erp import selectors as erp
from erp.enums import CostKind
from erp.selectors import Coverage
from mes.enums import MaintenanceState
from mes.models import MaintenanceOrder, MaintenancePart

ZERO = Decimal(0)


def maintenance_orders(*, text: str = "", state: str = "") -> QuerySet[MaintenanceOrder]:
    """Maintenance orders, the next to begin first, those that are over behind.

    ``state``: one of the states, or ``all_open`` for all that are not over.
    """
    found = MaintenanceOrder.objects.select_related("work_unit__work_center__site", "owner")
    if text := text.strip():
        found = found.filter(
            Q(number__icontains=text)
            | Q(title__icontains=text)
            | Q(work_unit__code__icontains=text)
        )
    if state == "all_open":
        found = found.filter(state__in=MaintenanceState.open())
    elif state in MaintenanceState.values:
        found = found.filter(state=state)
    return found.order_by("-starts_at" if state != "all_open" else "starts_at", "pk")


def maintenance_order(number: str) -> MaintenanceOrder | None:
    """One with its machine, its person and the action that asked for it."""
    rows = MaintenanceOrder.objects.select_related(
        "work_unit__work_center__site", "owner", "action__nonconformance", "created_by"
    )
    return rows.filter(number=number).first()


@dataclass(frozen=True, slots=True)
class PartLine:
    """A part: how much is needed, issued, and kept in the store for it."""

    part: MaintenancePart
    cover: Coverage

    @property
    def open(self) -> Decimal:
        return self.cover.quantity - self.cover.issued

    @property
    def missing(self) -> Decimal:
        """What the store has not got for it."""
        return max(self.open - self.cover.reserved, ZERO)


def maintenance_parts(order: MaintenanceOrder) -> list[PartLine]:
    """The parts of an order in the order they were asked for; two queries."""
    parts = list(order.parts.select_related("requirement__item"))
    covers = {
        row.requirement_id: row for row in erp.coverage([part.requirement_id for part in parts])
    }
    return [PartLine(part, covers[part.requirement_id]) for part in parts]


@dataclass(frozen=True, slots=True)
class MaintenanceCost:
    """What it cost so far, in the site's currency."""

    parts: Decimal
    labour: Decimal

    @property
    def total(self) -> Decimal:
        return self.parts + self.labour


def maintenance_cost(order: MaintenanceOrder) -> MaintenanceCost:
    """Parts by the cost ledger, labour as it was booked."""
    booked = erp.amounts_by_kind([order.number])[order.number]
    labour = sum((row.amount for row in order.times.all()), ZERO)
    return MaintenanceCost(booked.get(CostKind.MATERIAL, ZERO), labour)
