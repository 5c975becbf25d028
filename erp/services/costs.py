"""Entries of the cost ledger, written in the transaction of the fact that they stand for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from common.models import User
from erp.enums import CostKind
from erp.models import CostEntry
from masterdata import selectors as masterdata


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An amount in whole cents of the site's currency, and the fact (``source``) behind it."""

    kind: CostKind
    amount: Decimal
    item_id: int
    work_order: str
    source: str
    is_setup: bool = False
    cause: str = ""
    quantity: Decimal | None = None
    price: Decimal | None = None
    operation_sequence: int | None = None
    order_line: str = ""


def record(
    entries: Sequence[NewEntry], *, site_id: int, by: User | None, now: datetime
) -> list[CostEntry]:
    """Write the entries; those of nothing are left out.

    The same fact twice is an IntegrityError of ``erp_costentry_once_per_fact``.
    """
    wanted = [entry for entry in entries if entry.amount]
    if not wanted:
        return []
    currency = masterdata.site(site_id).currency
    return CostEntry.objects.bulk_create(
        [
            CostEntry(
                site_id=site_id,
                kind=entry.kind,
                is_setup=entry.is_setup,
                cause=entry.cause,
                amount=entry.amount,
                currency=currency,
                quantity=entry.quantity,
                price=entry.price,
                item_id=entry.item_id,
                work_order=entry.work_order,
                operation_sequence=entry.operation_sequence,
                order_line=entry.order_line,
                source=entry.source,
                at=now,
                by=by,
            )
            for entry in wanted
        ],
        batch_size=2000,
    )
