"""What a plant's dates and days can be; beyond, arithmetic and other zones overflow. Pure."""

import unicodedata
from datetime import date

from django.utils.translation import gettext as _

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2999, 12, 31)
# Lead times, transit and lot periods: ten years.
MAX_DAYS = 3650
# A machine that takes longer than a week to change over is being rebuilt.
MAX_CHANGEOVER = 7 * 24 * 60


def check_day(day: date) -> None:
    """Raise ValueError, with what to write instead, for a day outside 1900 to 2999."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(
            _(
                "The year %(year)s is not between 1900 and 2999; leave an end that is not known"
                " empty."
            )
            % {"year": day.year}
        )


def check_code(code: str) -> None:
    """Raise ValueError, with what to write instead, for a code that no address or label can carry.

    Codes stand in addresses of pages, in files and on labels: no control or invisible characters,
    and no parts that mean another folder.
    """
    if any(unicodedata.category(character) in _INVISIBLE for character in code):
        raise ValueError(_("A code has no line breaks, control or invisible characters."))
    if any(part.strip() in ("", ".", "..") for part in code.replace("\\", "/").split("/")):
        raise ValueError(
            _("“%(code)s” cannot be a code: between slashes stands more than dots or nothing.")
            % {"code": code}
        )


# Control, format, surrogate, private use, separators of lines and paragraphs.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
