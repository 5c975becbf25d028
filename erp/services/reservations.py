"""Stock kept for requirements, in bulk. Callers hold the site's supply lock.

Balances change by their difference, in one statement, so that the named constraints (reserved
within on hand, nothing negative) judge the true figures even where somebody forgot the lock.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from django.db import connection
from django.utils.translation import gettext as _

from common import bulk
from erp import selectors
from erp.models import Reservation, StockBalance
from erp.policies import CannotReserve, plain
from erp.services import stagings

ZERO = Decimal(0)


def reserve(
    quantities: Mapping[int, Decimal], *, places: Mapping[int, tuple[int, int]] | None = None
) -> None:
    """Keep so much free stock for each requirement (by id), on top of what it has.

    ``places`` are their items and sites, where the caller has read them. Raise CannotReserve, and
    keep nothing, where an item has not so much free stock.
    """
    wanted = {pk: quantity for pk, quantity in quantities.items() if quantity > 0}
    if not wanted:
        return
    places = selectors.places(wanted) if places is None else places
    totals: dict[tuple[int, int], Decimal] = {}
    for pk, quantity in wanted.items():
        totals[places[pk]] = totals.get(places[pk], ZERO) + quantity
    balances = _locked_balances(totals)
    for place, total in totals.items():
        _check_free(balances.get(place), total)
    _move_reserved({balances[place].pk: total for place, total in totals.items()})
    rows = sorted((pk, balances[places[pk]].pk, quantity) for pk, quantity in wanted.items())
    _add(rows)


def release(quantities: Mapping[int, Decimal]) -> set[tuple[int, int]]:
    """Give back so much of each requirement's reservation (by id); at most what it has.

    What stands ready for it is no longer promised beyond that. Return the places (item id, site
    id) where stock became free.
    """
    held = {
        reservation.requirement_id: reservation
        for reservation in Reservation.objects.select_for_update(no_key=True, of=("self",))
        .filter(requirement__in=[pk for pk, quantity in quantities.items() if quantity > 0])
        .select_related("balance")
        .order_by("pk")
    }
    freed: dict[int, Decimal] = {}
    gone: list[int] = []
    smaller: list[Reservation] = []
    for pk, reservation in held.items():
        given_back = min(quantities[pk], reservation.quantity)
        freed[reservation.balance_id] = freed.get(reservation.balance_id, ZERO) - given_back
        reservation.quantity -= given_back
        if reservation.quantity:
            smaller.append(reservation)
        else:
            gone.append(reservation.pk)
    Reservation.objects.filter(pk__in=gone).delete()
    bulk.save(smaller, ["quantity"])
    _move_reserved(freed)
    stagings.trim({pk: r.quantity for pk, r in held.items()})
    return {(r.balance.item_id, r.balance.site_id) for r in held.values()}


def give_way(*, item_id: int, site_id: int, leaving: Decimal) -> dict[int, Decimal]:
    """Release what can no longer be kept when so much leaves or is held; the latest due first.

    For what nobody can refuse: a hold, a count, a consumption that has happened. Return what each
    requirement (by id) lost.
    """
    balance = _locked_balances([(item_id, site_id)]).get((item_id, site_id))
    if balance is None:
        return {}
    kept = Reservation.objects.filter(balance=balance).order_by(
        "-requirement__due_at", "-requirement"
    )
    rows = list(kept.values_list("requirement_id", "quantity"))
    excess = sum((quantity for _pk, quantity in rows), ZERO) - max(
        ZERO, balance.on_hand - balance.held - leaving
    )
    lost: dict[int, Decimal] = {}
    for pk, quantity in rows:
        share = min(excess, quantity)
        if share > 0:
            lost[pk] = share
            excess -= share
    release(lost)
    return lost


def give_free(*, site_id: int, item_ids: Iterable[int]) -> None:
    """Give free stock of bought items to the requirements that wait, the first due first.

    What is made here goes to those it is pegged to, which mes does; so made items are left out.
    """
    free = selectors.free_stock(site_id=site_id, item_ids=item_ids)
    given: dict[int, Decimal] = {}
    for waiting in selectors.waiting(
        site_id=site_id, item_ids=[pk for pk, quantity in free.items() if quantity > 0]
    ):
        share = min(waiting.quantity, free[waiting.item_id])
        if share > 0:
            given[waiting.requirement_id] = share
            free[waiting.item_id] -= share
    reserve(given)


def _locked_balances(places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], StockBalance]:
    pairs = set(places)
    balances = (
        StockBalance.objects.select_for_update(no_key=True, of=("self",))
        .filter(item__in={item for item, _site in pairs}, site__in={site for _i, site in pairs})
        .select_related("item")
        .order_by("pk")
    )
    return {(b.item_id, b.site_id): b for b in balances}


def _check_free(balance: StockBalance | None, wanted: Decimal) -> None:
    free = balance.on_hand - balance.held - balance.reserved if balance else ZERO
    if wanted > free:
        raise CannotReserve(
            _("Only %(free)s of %(item)s is free, not %(wanted)s.")
            % {
                "free": plain(free),
                "item": balance.item.code if balance else "?",
                "wanted": plain(wanted),
            }
        )


def _move_reserved(differences: Mapping[int, Decimal]) -> None:
    rows = sorted((pk, difference) for pk, difference in differences.items() if difference)
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE erp_stockbalance AS balance SET reserved = balance.reserved + moved.quantity
            FROM unnest(%s::bigint[], %s::numeric[]) AS moved (id, quantity)
            WHERE balance.id = moved.id
            """,
            [[pk for pk, _q in rows], [quantity for _pk, quantity in rows]],
        )


def _add(rows: Sequence[tuple[int, int, Decimal]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO erp_reservation AS held (requirement_id, balance_id, quantity)
            SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[])
            ON CONFLICT (requirement_id, balance_id)
            DO UPDATE SET quantity = held.quantity + excluded.quantity
            """,
            [list(column) for column in zip(*rows, strict=True)],
        )
