"""What may be done with a nonconformance; each refusal says what is missing."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol

from django.utils.translation import gettext as _

from common.errors import Refused
from common.models import User
from common.templatetags import ui_format
from masterdata.enums import Tracking
from mes.enums import (
    ConcessionState,
    ContainmentState,
    DispositionKind,
    DispositionState,
    NonconformanceState,
)
from mes.models import (
    Concession,
    ContainmentCount,
    Disposition,
    Nonconformance,
    WorkOrderOperation,
)
from mes.policies import plain
from traceability import selectors as traceability

ZERO = Decimal(0)


class CannotReport(Refused):
    """A nonconformance says too little."""


class CannotContain(Refused):
    """The suspect goods do not add up, or the wrong person would say that they do."""


class CannotDispose(Refused):
    """It cannot be decided or done so what becomes of the goods."""


class CannotConcede(Refused):
    """The concession is not bounded, or the wrong person would give it."""


class CannotCloseNonconformance(Refused):
    """Something is still open."""


class Line(Protocol):
    @property
    def kind(self) -> DispositionKind: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def lot_id(self) -> int | None: ...
    @property
    def unit_ids(self) -> Sequence[int]: ...
    @property
    def operation(self) -> WorkOrderOperation | None: ...
    @property
    def regraded_to_id(self) -> int | None: ...


def check_is_open(
    nonconformance: Nonconformance, error: type[Refused] = CannotCloseNonconformance
) -> None:
    """Raise ``error`` for a nonconformance that is closed."""
    if nonconformance.state == NonconformanceState.CLOSED:
        raise error(_("%(number)s is closed.") % {"number": nonconformance.number})


def check_can_report(problem: str, quantity: Decimal) -> None:
    """Raise CannotReport without a problem, or for less than nothing."""
    if not problem.strip():
        raise CannotReport(_("Say what is wrong."))
    if quantity < 0:
        raise CannotReport(_("The quantity is below zero."))


def check_can_add_goods(nonconformance: Nonconformance) -> None:
    """Raise CannotReport once it is closed, or its containment lifted: nothing holds them then."""
    _check_is_contained(nonconformance, CannotReport)


def _check_is_contained(nonconformance: Nonconformance, error: type[Refused]) -> None:
    check_is_open(nonconformance, error)
    if nonconformance.state == NonconformanceState.VERIFICATION:
        raise error(
            _("The containment of %(number)s is lifted: report a new one.")
            % {"number": nonconformance.number}
        )


# -- containment ------------------------------------------------------------------------------


def counted(row: ContainmentCount) -> Decimal:
    """What is known of the suspect goods at a place."""
    return row.found + row.cleared + row.shipped + row.missing


def check_can_suspect(nonconformance: Nonconformance, place: str, suspect: Decimal) -> None:
    """Raise CannotContain without a place, for less than nothing, or for the same place twice.

    Nor behind D6, which waits for every count.
    """
    _check_is_contained(nonconformance, CannotContain)
    if not place.strip():
        raise CannotContain(_("Say where suspect goods may be."))
    if suspect < 0:
        raise CannotContain(_("The quantity is below zero."))
    if nonconformance.containment.filter(place=place.strip()).exists():
        raise CannotContain(_("%(place)s is there already.") % {"place": place.strip()})


def check_can_count(row: ContainmentCount, quantities: Collection[Decimal]) -> None:
    """Raise CannotContain for a place that is verified, or quantities below zero."""
    if row.state != ContainmentState.IN_PLACE:
        raise CannotContain(_("%(place)s is verified already.") % {"place": row.place})
    if any(quantity < 0 for quantity in quantities):
        raise CannotContain(_("The quantity is below zero."))


def check_can_count_again(row: ContainmentCount) -> None:
    """Raise CannotContain unless the place is verified and not lifted."""
    if row.state != ContainmentState.VERIFIED:
        raise CannotContain(_("%(place)s is not verified, or lifted.") % {"place": row.place})


def check_can_verify(row: ContainmentCount, by: User | None) -> None:
    """Raise CannotContain where it does not add up, or who counted would verify it."""
    if row.state != ContainmentState.IN_PLACE:
        raise CannotContain(_("%(place)s is verified already.") % {"place": row.place})
    if row.counted_by_id is None:
        raise CannotContain(_("%(place)s is not counted yet.") % {"place": row.place})
    if counted(row) != row.suspect:
        raise CannotContain(
            _("%(place)s: %(known)s of %(suspect)s suspect are accounted for.")
            % {"place": row.place, "known": plain(counted(row)), "suspect": plain(row.suspect)}
        )
    if by is None or row.counted_by_id == by.pk:
        raise CannotContain(_("Another person than who counted has to verify it."))


# -- dispositions -----------------------------------------------------------------------------


def check_can_decide(
    nonconformance: Nonconformance, lines: Sequence[Line], executed: Decimal
) -> None:
    """Raise CannotDispose unless the parts, with those executed, sum to the quantity."""
    check_is_open(nonconformance, CannotDispose)
    if nonconformance.state == NonconformanceState.OPEN:
        raise CannotDispose(_("Contain the goods first: count and verify where they are."))
    if any(line.quantity <= 0 for line in lines):
        raise CannotDispose(_("Each part needs a quantity above zero."))
    total = executed + sum((line.quantity for line in lines), ZERO)
    if total != nonconformance.quantity:
        raise CannotDispose(
            _("The parts sum to %(total)s, and it is about %(quantity)s.")
            % {"total": plain(total), "quantity": plain(nonconformance.quantity)}
        )


def check_units_once(parts: Sequence[Line], executed: Collection[int]) -> None:
    """Raise CannotDispose where a unit is in two parts, or in one that is carried out already."""
    counts = Counter([*executed, *(pk for part in parts for pk in part.unit_ids)])
    twice = [pk for pk, count in counts.items() if count > 1]
    if twice:
        numbers = sorted(unit.number for unit in traceability.units(twice[:3]).values())
        raise CannotDispose(
            _("%(units)s: in two parts. Each piece is disposed of once.")
            % {"units": ", ".join(numbers)}
        )


def check_part(nonconformance: Nonconformance, part: Line) -> None:
    """Raise CannotDispose where a part does not say of what it is, or asks for the impossible."""
    is_regrade = part.kind == DispositionKind.REGRADE
    if is_regrade and part.regraded_to_id in (None, nonconformance.item_id):
        raise CannotDispose(_("Say which item it is from now on."))
    if part.operation is not None:
        if is_regrade or part.kind == DispositionKind.RETURN:
            raise CannotDispose(_("Pieces in process can be neither regraded nor sent back."))
        return
    item = nonconformance.item
    if part.lot_id is not None:
        lot = traceability.lots([part.lot_id]).get(part.lot_id)
        about = nonconformance.things.filter(lot=part.lot_id)
        if lot is None or lot.item_id != item.pk and not about.exists():
            raise CannotDispose(_("%(item)s: say of which lot.") % {"item": item.code})
    elif item.tracking == Tracking.LOT:
        raise CannotDispose(_("%(item)s: say of which lot.") % {"item": item.code})
    elif item.tracking == Tracking.SERIAL:
        units = traceability.units(part.unit_ids)
        known = sum(unit.item_id == item.pk for unit in units.values())
        if known != part.quantity or known != len(part.unit_ids):
            raise CannotDispose(
                _("%(item)s: name a serial number for each piece.") % {"item": item.code}
            )
        if is_regrade:
            raise CannotDispose(_("A serial number is of one item for life: not regraded."))


def check_can_execute(disposition: Disposition, result: str, today: date) -> None:
    """Raise CannotDispose where it is done, lacks its concession, or says no result."""
    if disposition.state != DispositionState.DECIDED:
        raise CannotDispose(_("This is done already."))
    if disposition.kind in DispositionKind.needing_concession():
        concession = Concession.objects.filter(disposition=disposition).first()
        if concession is None or concession.state != ConcessionState.APPROVED:
            raise CannotDispose(
                _("%(kind)s needs a concession that another person has approved.")
                % {"kind": DispositionKind(disposition.kind).label}
            )
        if concession.valid_until is not None and concession.valid_until < today:
            raise CannotDispose(
                _("The concession was valid until %(day)s.")
                % {"day": ui_format.day(concession.valid_until)}
            )
    looked = (DispositionKind.REWORK, DispositionKind.REPAIR)
    if disposition.kind in looked and not result.strip():
        raise CannotDispose(_("Say who looked at the pieces again, and what came of it."))


def check_can_concede(
    disposition: Disposition, valid_until: date | None, today: date, reason: str
) -> None:
    """Raise CannotConcede for what needs none, for a day that is over, or without a reason."""
    if disposition.kind not in DispositionKind.needing_concession():
        raise CannotConcede(_("Only what is used as is or repaired needs a concession."))
    if disposition.state != DispositionState.DECIDED:
        raise CannotConcede(_("This is done already."))
    if valid_until is not None and valid_until < today:
        raise CannotConcede(_("This day is over already."))
    if Concession.objects.filter(disposition=disposition, state=ConcessionState.APPROVED).exists():
        raise CannotConcede(_("This concession is decided already."))
    if not reason.strip():
        raise CannotConcede(_("Say why it may be used although it does not conform."))


def check_can_decide_concession(concession: Concession, by: User) -> None:
    """Raise CannotConcede where it is decided, or who asked for it would decide."""
    if concession.state != ConcessionState.REQUESTED:
        raise CannotConcede(_("This concession is decided already."))
    involved = {concession.requested_by_id, concession.disposition.decided_by_id}
    if by.pk in involved:
        raise CannotConcede(_("Another person than who asked for it has to decide."))


# -- closing ----------------------------------------------------------------------------------


def open_goods(nonconformance: Nonconformance) -> list[str]:
    """What is missing before nobody has to think of the goods any more, a sentence each."""
    missing = []
    decided = list(nonconformance.dispositions.all())
    total = sum((row.quantity for row in decided), ZERO)
    if total != nonconformance.quantity:
        missing.append(
            _("%(total)s of %(quantity)s are disposed of.")
            % {"total": plain(total), "quantity": plain(nonconformance.quantity)}
        )
    waiting = sum(row.state != DispositionState.EXECUTED for row in decided)
    if waiting:
        missing.append(_("Dispositions that are not carried out: %(n)s.") % {"n": waiting})
    return missing


def check_can_close(nonconformance: Nonconformance, by: User) -> None:
    """Raise CannotCloseNonconformance while anything is open, or by who opened it.

    One with an 8D is closed by its last step.
    """
    check_is_open(nonconformance)
    if hasattr(nonconformance, "eight_d"):
        raise CannotCloseNonconformance(_("It is closed with the last step of its 8D."))
    missing = []
    rows = list(nonconformance.containment.all())
    if not rows:
        missing.append(_("No containment is counted."))
    missing += open_goods(nonconformance)
    missing += open_actions(nonconformance)
    if missing:
        raise CannotCloseNonconformance(" ".join(missing))
    if any(row.state == ContainmentState.IN_PLACE for row in rows):
        raise CannotCloseNonconformance(_("A containment count is open."))
    involved = {row.executed_by_id for row in nonconformance.dispositions.all()}
    if by.pk in involved | {nonconformance.opened_by_id}:
        raise CannotCloseNonconformance(
            _("Another person than who reported it or carried it out has to verify and close it.")
        )


def open_actions(nonconformance: Nonconformance) -> list[str]:
    """What is missing of its actions, a sentence each."""
    left = sum(not row.is_over for row in nonconformance.actions.all())
    return [_("Actions that are not verified: %(n)s.") % {"n": left}] if left else []
