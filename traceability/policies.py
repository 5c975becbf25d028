"""What may be registered and held; each refusal is a sentence."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from common.errors import Refused
from traceability import selectors

_SHOWN = 3
LONGEST = 60


class CannotRegister(Refused):
    """The lot or serial number cannot be given."""


class CannotHold(Refused):
    """A hold cannot be placed or lifted like this."""


def check_number(number: str) -> None:
    """Raise CannotRegister for a number without a letter or digit, or one that is too long."""
    if not selectors.normalised(number):
        raise CannotRegister(
            _("“%(number)s” is no number: it needs a letter A–Z or a digit.") % {"number": number}
        )
    if len(number) > LONGEST:
        raise CannotRegister(_("A number has %(most)s characters at most.") % {"most": LONGEST})


def check_numbers(numbers: Collection[str]) -> None:
    """Raise CannotRegister where one is no number, or two of them are the same."""
    seen: set[str] = set()
    twice: list[str] = []
    for number in numbers:
        check_number(number)
        norm = selectors.normalised(number)
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
