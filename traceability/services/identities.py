"""Lots and serial units come into being, move through their states, and are held.

Called by those who make the fact true (a receipt, a consumption, a shipment), in their
transaction. Rows are locked by table (lots, then units), then by primary key.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar

from django.db import connection
from django.utils.translation import gettext as _

from common import bulk, transitions
from common import numbers as sequences
from common.models import User
from traceability import policies, selectors
from traceability.enums import IDENTITY_TRANSITIONS, IdentityState
from traceability.models import Custody, Hold, Lot, SerialUnit
from traceability.policies import CannotHold, CannotRegister, check_numbers, some_of

__all__ = [
    "CannotHold",
    "CannotRegister",
    "NewLot",
    "Origin",
    "arrive",
    "check_numbers",
    "held",
    "hold",
    "lock_lot",
    "lose",
    "move",
    "register_lot",
    "register_units",
    "release",
    "some_of",
]

Thing = TypeVar("Thing", Lot, SerialUnit)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a lot or a unit comes from."""

    supplier_id: int | None = None
    supplier_lot: str = ""
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class NewLot:
    """A lot as it is received; without a number it gets the next of the sequence."""

    number: str = ""
    origin: Origin = Origin()


def register_lot(
    *, item_id: int, new: NewLot, now: datetime, keeps_until: date | None = None
) -> Lot:
    """The item's lot of that number, made where it is not there yet.

    ``keeps_until`` is the expiry of a new lot that names none.
    More of a lot may come later; raise CannotRegister where it is then said to be another
    supplier's, of another supplier lot or to expire on another day.
    """
    number = selectors.number_of(new.number).strip() or sequences.take("LOT", now=now)
    policies.check_number(number)
    origin = _read(new.origin)
    found = selectors.lot_of(item_id=item_id, number=number)
    if found is not None:
        if origin.supplier_id is not None and _is_announced(found):
            _arrives(found, origin, keeps_until)
        _check_same(found, origin)
        return found
    return Lot.objects.create(
        item_id=item_id,
        number=number,
        supplier_id=origin.supplier_id,
        supplier_lot=origin.supplier_lot,
        expires_on=origin.expires_on or keeps_until,
        made_at=now,
    )


def _is_announced(lot: Lot) -> bool:
    """Whether it is known from somebody else's events only: nothing of it ever came here."""
    return (
        lot.state == IdentityState.IN_PROCESS
        and lot.supplier_id is None
        and not Custody.objects.filter(thing=lot.pk).exists()
    )


def _arrives(lot: Lot, origin: Origin, keeps_until: date | None) -> None:
    """What its supplier told of before is there: now it has what the delivery says of it."""
    lot.supplier_id, lot.supplier_lot = origin.supplier_id, origin.supplier_lot
    lot.expires_on = origin.expires_on or keeps_until
    lot.save(update_fields=["supplier", "supplier_lot", "expires_on"])


def _read(origin: Origin) -> Origin:
    """The origin with the supplier's lot as his label's code names it."""
    supplier_lot = selectors.number_of(origin.supplier_lot).strip()
    policies.check_length(supplier_lot)
    return replace(origin, supplier_lot=supplier_lot)


def _check_same(lot: Lot, origin: Origin) -> None:
    for what, known, given in (
        (_("supplier lot"), lot.supplier_lot, origin.supplier_lot),
        (_("expiry"), lot.expires_on, origin.expires_on),
        (_("supplier"), lot.supplier_id, origin.supplier_id),
    ):
        if given and given != known:
            raise CannotRegister(
                _("Lot %(lot)s exists with another %(what)s. Give it a number of its own.")
                % {"lot": lot.number, "what": what}
            )


def register_units(
    *,
    item_id: int,
    numbers: Sequence[str],
    now: datetime,
    origin: Origin | None = None,
    state: IdentityState = IdentityState.IN_PROCESS,
) -> list[int]:
    """Give serial numbers, each once per item for life; ids in the order of the numbers.

    New ones are in the ``state``. A unit that went back to its supplier and was mended keeps its
    number, and so does one that he told of before it came. Constant statements however many. Raise
    CannotRegister where one is taken already.
    """
    numbers = [selectors.number_of(number) for number in numbers]
    policies.check_numbers(numbers)
    origin = _read(origin or Origin())
    back = _came_back(item_id, numbers, origin) | _announced(item_id, numbers, origin)
    new = [number for number in numbers if number not in back]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO traceability_serialunit
                (item_id, number, supplier_id, supplier_lot, expires_on, made_at, state)
            SELECT %s, given.number, %s::bigint, %s, %s::date, %s, %s
            FROM unnest(%s::text[]) AS given (number)
            ON CONFLICT DO NOTHING RETURNING number, id
            """,
            [
                item_id,
                origin.supplier_id,
                origin.supplier_lot.strip(),
                origin.expires_on,
                now,
                state.value,
                new,
            ],
        )
        made: dict[str, int] = back | dict(cursor.fetchall())
    if taken := [number for number in numbers if number not in made]:
        raise CannotRegister(
            _("%(numbers)s was given before; a serial number is never given twice.")
            % {"numbers": policies.some_of(taken)}
        )
    return [made[number] for number in numbers]


def _came_back(item_id: int, numbers: Sequence[str], origin: Origin) -> dict[str, int]:
    """Units by the number as it is typed that the same supplier has got back."""
    if origin.supplier_id is None:
        return {}
    typed = {selectors.normalised(number): number for number in numbers}
    rows = SerialUnit.objects.filter(
        item=item_id,
        number_norm__in=list(typed),
        state=IdentityState.RETURNED,
        supplier=origin.supplier_id,
    )
    return {typed[norm]: pk for norm, pk in rows.values_list("number_norm", "pk")}


def _announced(item_id: int, numbers: Sequence[str], origin: Origin) -> dict[str, int]:
    """Units by the number as it is typed that a delivery brings and that were told of before.

    They get the delivery's supplier; nobody else may take over what somebody told of.
    """
    if origin.supplier_id is None:
        return {}
    typed = {selectors.normalised(number): number for number in numbers}
    rows = SerialUnit.objects.filter(
        item=item_id,
        number_norm__in=list(typed),
        state=IdentityState.IN_PROCESS,
        supplier__isnull=True,
        document__isnull=True,
    )
    found = {typed[norm]: pk for norm, pk in rows.values_list("number_norm", "pk")}
    if found:
        SerialUnit.objects.filter(bulk.among("pk", found.values())).update(
            supplier=origin.supplier_id,
            supplier_lot=origin.supplier_lot,
            expires_on=origin.expires_on,
        )
    return found


def move(
    *, state: IdentityState, lot_ids: Iterable[int] = (), unit_ids: Iterable[int] = ()
) -> None:
    """Bring lots and units to a state; those that have it stay. Raise IllegalTransition."""
    _move(Lot, sorted(set(lot_ids)), state)
    _move(SerialUnit, sorted(set(unit_ids)), state)


def arrive(*, lot_ids: Iterable[int] = (), unit_ids: Iterable[int] = ()) -> None:
    """They lie in the store: available, or on hold where a hold lies on them."""
    lots, units = list(lot_ids), list(unit_ids)
    held_lots, held_units = held(lot_ids=lots, unit_ids=units)
    move(state=IdentityState.ON_HOLD, lot_ids=held_lots, unit_ids=held_units)
    move(
        state=IdentityState.AVAILABLE,
        lot_ids=[pk for pk in lots if pk not in held_lots],
        unit_ids=[pk for pk in units if pk not in held_units],
    )


def lose(*, lot_ids: Iterable[int] = (), unit_ids: Iterable[int] = ()) -> None:
    """They were under way and do not arrive; a count that finds them brings them back."""
    away = (IdentityState.IN_TRANSIT, IdentityState.ON_HOLD)
    lots = Lot.objects.filter(bulk.among("pk", lot_ids), state__in=away)
    units = SerialUnit.objects.filter(bulk.among("pk", unit_ids), state__in=away)
    move(
        state=IdentityState.SCRAPPED,
        lot_ids=lots.values_list("pk", flat=True),
        unit_ids=units.values_list("pk", flat=True),
    )


def held(*, lot_ids: Collection[int], unit_ids: Collection[int]) -> tuple[set[int], set[int]]:
    """Those of the lots and of the units on which a hold lies, wherever they are."""
    placed = Hold.objects.filter(released_at__isnull=True)
    lots = placed.filter(bulk.among("lot", lot_ids)) if lot_ids else placed.none()
    units = placed.filter(bulk.among("unit", unit_ids)) if unit_ids else placed.none()
    return (
        set(lots.values_list("lot_id", flat=True)),
        set(units.values_list("unit_id", flat=True)),
    )


def lock_lot(pk: int) -> None:
    """Wait for whoever changes what the lot's history adds up to, wherever that is."""
    Lot.objects.select_for_update(no_key=True).get(pk=pk)


def _move(model: type[Thing], ids: list[int], new: IdentityState) -> None:
    if not ids:
        return
    rows = model._default_manager.select_for_update(no_key=True).filter(bulk.among("pk", ids))
    found = list(rows.exclude(state=new).order_by("pk").values_list("pk", "state"))
    for old in {state for _pk, state in found}:
        transitions.check(IDENTITY_TRANSITIONS, old=IdentityState(old), new=new)
    changing = [pk for pk, _state in found]
    if not changing:
        return
    model._default_manager.filter(bulk.among("pk", changing)).update(state=new)


def hold(
    *,
    lot_ids: Collection[int] = (),
    unit_ids: Collection[int] = (),
    reason: str,
    by: User | None,
    now: datetime,
) -> list[int]:
    """Lay a hold on each lot and unit; return their ids.

    One that is used up keeps its state: the hold stops the work orders that it went to. Raise
    CannotHold without a reason, or for what has left us.
    """
    policies.check_reason(reason)
    used = IdentityState.CONSUMED
    left = [state for state in IdentityState.gone() if state != used]
    lots = Lot.objects.filter(bulk.among("pk", lot_ids))
    units = SerialUnit.objects.filter(bulk.among("pk", unit_ids))
    gone = (lots.filter(state__in=left).first(), units.filter(state__in=left).first())
    for thing in gone:
        if thing is not None:
            raise CannotHold(
                _("%(number)s is not here any more: %(state)s.")
                % {"number": thing.number, "state": IdentityState(thing.state).label}
            )
    move(
        state=IdentityState.ON_HOLD,
        lot_ids=lots.exclude(state=used).values_list("pk", flat=True),
        unit_ids=units.exclude(state=used).values_list("pk", flat=True),
    )
    marks = (reason.strip()[:200], now, by.pk if by else None, "")
    return bulk.insert(
        Hold,
        ("lot", "unit", "reason", "placed_at", "placed_by", "release_reason"),
        [
            *((pk, None, *marks) for pk in sorted(lot_ids)),
            *((None, pk, *marks) for pk in sorted(unit_ids)),
        ],
    )


def release(
    *,
    hold_ids: Collection[int],
    lying: Collection[int],
    under_way: Collection[int] = (),
    reason: str,
    by: User | None,
    now: datetime,
) -> tuple[list[int], list[int]]:
    """Lift holds; return the lots and the units on which none is left: they are free again.

    ``lying`` are those (ids of both kinds) that lie in the store, ``under_way`` those between two
    sites; the others are still made, or gone and stay so.
    Raise CannotHold without a reason, or for a hold that was lifted before.
    """
    policies.check_reason(reason)
    rows = Hold.objects.filter(bulk.among("pk", hold_ids))
    locked = rows.select_for_update(no_key=True).order_by("pk")
    found = list(locked.values_list("lot_id", "unit_id", "released_at"))
    if any(released_at is not None for _lot, _unit, released_at in found):
        raise CannotHold(_("This hold is lifted already."))
    rows.update(released_at=now, released_by=by, release_reason=reason.strip()[:200])
    lots = {lot for lot, _unit, _at in found if lot}
    units = {unit for _lot, unit, _at in found if unit}
    held_lots, held_units = held(lot_ids=lots, unit_ids=units)
    free_lots, free_units = lots - held_lots, units - held_units
    on_hold = {"state": IdentityState.ON_HOLD}
    freed = {
        *Lot.objects.filter(bulk.among("pk", free_lots), **on_hold).values_list("pk", flat=True),
        *SerialUnit.objects.filter(bulk.among("pk", free_units), **on_hold).values_list(
            "pk", flat=True
        ),
    }
    here, away = set(lying) & freed, (set(under_way) - set(lying)) & freed
    for state, ids in (
        (IdentityState.AVAILABLE, here),
        (IdentityState.IN_TRANSIT, away),
        (IdentityState.IN_PROCESS, freed - here - away),
    ):
        move(state=state, lot_ids=free_lots & ids, unit_ids=free_units & ids)
    return sorted(free_lots), sorted(free_units)
