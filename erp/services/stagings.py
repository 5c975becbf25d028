"""What stands ready for a requirement: counted up and down next to its quants.

Callers hold the site's supply lock. A staging is a part of what is reserved: whoever lowers a
reservation trims it here.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from django.db import connection

from common import bulk
from erp.models import Staging
from erp.selectors import Take

ZERO = Decimal(0)


def add(rows: Iterable[tuple[int, int, Decimal]]) -> None:
    """Promise (requirement id, quant id, quantity) on top of what is promised."""
    wanted = sorted(rows)
    if not wanted:
        return
    _count(_sums((quant, quantity) for _requirement, quant, quantity in wanted))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO erp_staging AS staging (requirement_id, quant_id, quantity)
            SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[])
            ON CONFLICT (requirement_id, quant_id)
            DO UPDATE SET quantity = staging.quantity + excluded.quantity
            """,
            [list(column) for column in zip(*wanted, strict=True)],
        )


def use(takes: Iterable[Take]) -> None:
    """What is taken from stagings stands ready no more."""
    _lower([(take.staging, take.quantity) for take in takes if take.staging is not None])


def trim(kept: Mapping[int, Decimal]) -> None:
    """Stage at most so much for each requirement (by id); what is ready last gives way."""
    found = (
        Staging.objects.select_for_update(no_key=True)
        .filter(requirement__in=list(kept))
        .order_by("pk")
    )
    left = dict(kept)
    lower = []
    for staging in found:
        stays = min(staging.quantity, max(ZERO, left[staging.requirement_id]))
        left[staging.requirement_id] -= stays
        if stays < staging.quantity:
            lower.append((staging, staging.quantity - stays))
    _lower(lower)


def clear(*, quant_ids: Collection[int]) -> None:
    """Nothing of these quants stands ready any more: they are held, or gone."""
    found = (
        Staging.objects.select_for_update(no_key=True)
        .filter(bulk.among("quant", quant_ids))
        .order_by("pk")
    )
    _lower([(staging, staging.quantity) for staging in found])


def _lower(rows: list[tuple[Staging, Decimal]]) -> None:
    if not rows:
        return
    gone = []
    for staging, quantity in rows:
        staging.quantity -= quantity
        if staging.quantity:
            staging.save(update_fields=["quantity"])
        else:
            gone.append(staging.pk)
    Staging.objects.filter(pk__in=gone).delete()
    _count(_sums((staging.quant_id, -quantity) for staging, quantity in rows))


def _sums(rows: Iterable[tuple[int, Decimal]]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for quant, quantity in rows:
        found[quant] = found.get(quant, ZERO) + quantity
    return found


def _count(differences: Mapping[int, Decimal]) -> None:
    rows = sorted(differences.items())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE erp_stockquant AS quant SET staged = quant.staged + moved.quantity
            FROM unnest(%s::bigint[], %s::numeric[]) AS moved (id, quantity)
            WHERE quant.id = moved.id
            """,
            [[pk for pk, _q in rows], [quantity for _pk, quantity in rows]],
        )
