"""What may be registered and held; each refusal is a sentence."""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from django.utils.translation import gettext as _

from common.errors import Refused
from traceability import selectors
from traceability.enums import FIRST_UNIT_ID
from traceability.models import SerialUnit

_SHOWN = 3
LONGEST = 60


class CannotRegister(Refused):
    """The lot or serial number cannot be given."""


class CannotHold(Refused):
    """A hold cannot be placed or lifted like this."""


class CannotLink(Refused):
    """The genealogy cannot be as it was told."""


class _Link(Protocol):
    @property
    def child(self) -> int: ...
    @property
    def parent(self) -> int: ...


class _OldLink(_Link, Protocol):
    @property
    def event_id(self) -> int: ...


def check_number(number: str) -> None:
    """Raise CannotRegister for a number without a letter or digit, or one that is too long."""
    _check_shape(number, selectors.normalised(number))


def _check_shape(number: str, norm: str) -> None:
    if not norm:
        raise CannotRegister(
            _("“%(number)s” is no number: it needs a letter A–Z or a digit.") % {"number": number}
        )
    check_length(number)


def check_length(number: str) -> None:
    """Raise CannotRegister for a number that is too long."""
    if len(number) > LONGEST:
        raise CannotRegister(_("A number has %(most)s characters at most.") % {"most": LONGEST})


def check_numbers(numbers: Collection[str]) -> None:
    """Raise CannotRegister where one is no number, or two of them are the same."""
    seen: set[str] = set()
    twice: list[str] = []
    for number in numbers:
        norm = selectors.normalised(number)
        _check_shape(number, norm)
        if norm in seen:
            twice.append(number)
        seen.add(norm)
    if twice:
        raise CannotRegister(_("%(numbers)s is there twice.") % {"numbers": some_of(twice)})


def some_of(numbers: Collection[str]) -> str:
    """The first few of the numbers, and how many more there are."""
    ordered = sorted(numbers)
    shown = ", ".join(ordered[:_SHOWN])
    if len(ordered) > _SHOWN:
        return _("%(numbers)s and %(more)s more") % {
            "numbers": shown,
            "more": len(ordered) - _SHOWN,
        }
    return shown


def check_reason(reason: str) -> None:
    """Raise CannotHold without a reason."""
    if not reason.strip():
        raise CannotHold(_("Say why."))


def check_known(nodes: Collection[int]) -> None:
    """Raise CannotLink where a lot, kit or unit is not there."""
    if missing := set(nodes) - selectors.known(nodes):
        raise CannotLink(
            _("The genealogy knows no %(nodes)s.")
            % {"nodes": some_of([str(node) for node in missing])}
        )


def inside_itself(nodes: Iterable[int]) -> CannotLink:
    """The refusal of a circle."""
    return CannotLink(
        _("%(things)s would be inside itself.") % {"things": some_of(_names(set(nodes)))}
    )


def hosts(links: Iterable[_Link]) -> dict[int, int]:
    """By unit that goes into another one: that other one. Raise CannotLink for two of them.

    What goes into a lot has no host: it is somewhere in there.
    """
    found: dict[int, int] = {}
    for link in links:
        if min(link.parent, link.child) < FIRST_UNIT_ID:
            continue
        if found.setdefault(link.parent, link.child) != link.child:
            raise hosted_already([link.parent])
    return found


def hosted_already(units: Collection[int]) -> CannotLink:
    """The refusal of a unit that is inside another one."""
    return CannotLink(
        _("%(units)s is inside another unit already; take it out there first.")
        % {"units": some_of(_names(units))}
    )


def check_ends(ends: Sequence[_OldLink]) -> None:
    """Raise CannotLink where a link is not there or has ended."""
    keys = {(end.child, end.parent, end.event_id) for end in ends}
    gone = keys - selectors.live_links(keys)
    if gone:
        raise not_in_there({parent for _child, parent, _event in gone})


def not_in_there(parts: Collection[int]) -> CannotLink:
    """The refusal to take out what is not in there (any more)."""
    return CannotLink(_("%(parts)s is not in there.") % {"parts": some_of(_names(parts))})


def _names(nodes: Collection[int]) -> list[str]:
    units = SerialUnit.objects.filter(pk__in=nodes).values_list("pk", "number")
    named = dict(units)
    return [named.get(node, str(node)) for node in nodes]
