"""What a column may hold, read off the model's own field."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from masterdata.services import limits

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)\Z", re.ASCII)
_TRUE = {"true", "yes", "1", "y", "是"}
_FALSE = {"false", "no", "0", "n", "否"}
_EXCEL_EPOCH = date(1899, 12, 30)


class BadValue(ValueError):
    """The cell's text is not what its column holds."""


@dataclass(frozen=True)
class Column:
    """A column of an import file and the model field behind it."""

    name: str
    field: models.Field[Any, Any]
    required: bool = False

    @property
    def refers_to(self) -> type[models.Model] | None:
        """The model whose code the column names."""
        return self.field.related_model if self.field.is_relation else None

    @property
    def attribute(self) -> str:
        return self.field.attname

    @property
    def default(self) -> Any:
        """What an empty cell of a new row means."""
        if self.field.has_default():
            return self.field.get_default()
        return None if self.field.null else self.field.get_default()

    def parse(self, text: str) -> Any:
        """The value, a code for a reference. Raises BadValue with the reason."""
        if text == "":
            if self.required:
                raise BadValue(_("The value is missing."))
            return self.default
        return _parser(self.field)(text)


# Limits of what is measured; every other number is a quantity of something.
_SIGNED = frozenset({"lower", "target", "upper"})


def _parser(field: models.Field[Any, Any]) -> Callable[[str], Any]:
    if field.is_relation or field.name == "code":
        # A code of the row itself is looked at more closely than one that it refers to.
        return _code if field.is_relation else partial(_new_code, longest=field.max_length or 40)
    if field.choices:
        return lambda text: _choice(text, [str(value) for value, _label in field.flatchoices])
    if isinstance(field, models.DecimalField):
        whole = (field.max_digits or 0) - (field.decimal_places or 0)
        is_signed = field.name in _SIGNED
        return lambda text: _decimal(text, whole, field.decimal_places or 0, is_signed)
    if isinstance(field, models.IntegerField) and field.name.endswith("_days"):
        return _days
    for kind, parse in _PARSERS:
        if isinstance(field, kind):
            return parse
    return lambda text: _characters(text, field.max_length or 10_000)


def _characters(text: str, longest: int) -> str:
    if len(text) > longest:
        raise BadValue(
            _("The text has %(length)s characters; at most %(longest)s fit.")
            % {"length": len(text), "longest": longest}
        )
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text):
        raise BadValue(_("The text holds a line break or another control character."))
    return text


def _code(text: str) -> str:
    return _characters(text, 60)


def _new_code(text: str, longest: int) -> str:
    try:
        limits.check_code(_characters(text, longest))
    except ValueError as error:
        raise BadValue(str(error)) from None
    return text


def _choice(text: str, values: list[str]) -> str:
    found = text.lower().replace(" ", "_").replace("-", "_")
    if found not in values:
        raise BadValue(
            _("“%(text)s” is none of %(values)s.")
            % {"text": _short(text), "values": ", ".join(values)}
        )
    return found


def _number(text: str) -> Decimal:
    if not NUMBER.match(text):
        if re.fullmatch(r"[+-]?[\d.]*,\d+", text):
            raise BadValue(
                _("“%(text)s” is not a number; write the decimals after a point, without groups.")
                % {"text": _short(text)}
            )
        raise BadValue(_("“%(text)s” is not a number.") % {"text": _short(text)})
    return Decimal(text)


def _decimal(text: str, whole: int, places: int, is_signed: bool = False) -> Decimal:
    value = _number(text)
    if len(text) > 60 or abs(value) >= Decimal(10) ** whole:
        raise BadValue(
            _("“%(text)s” is too large; at most %(digits)s digits stand before the point.")
            % {"text": _short(text), "digits": whole}
        )
    if value != value.quantize(Decimal(1).scaleb(-places)):
        raise BadValue(
            _("“%(text)s” has more than %(places)s decimals.")
            % {"text": _short(text), "places": places}
        )
    if value < 0 and not is_signed:
        raise BadValue(_("“%(text)s” is negative.") % {"text": _short(text)})
    return value


def _integer(text: str) -> int:
    value = _decimal(text, 9, 0)
    return int(value)


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE | _FALSE:
        return lowered in _TRUE
    raise BadValue(_("“%(text)s” is neither yes nor no.") % {"text": _short(text)})


def _date(text: str) -> date:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return _possible(date.fromisoformat(text))
    except BadValue:
        raise
    except ValueError:
        pass
    if re.fullmatch(r"\d{5}(\.\d+)?", text, re.ASCII):
        meant = _EXCEL_EPOCH + timedelta(days=int(text[:5]))
        raise BadValue(
            _("“%(text)s” is Excel's number for a date; write %(date)s.")
            % {"text": text, "date": meant.isoformat()}
        )
    raise BadValue(
        _("“%(text)s” is not a date; write it like 2025-12-31.") % {"text": _short(text)}
    )


def _possible(day: date) -> date:
    try:
        limits.check_day(day)
    except ValueError as error:
        raise BadValue(str(error)) from None
    return day


def _days(text: str) -> int:
    """A number of days that dates can bear."""
    value = _integer(text)
    if value > limits.MAX_DAYS:
        raise BadValue(
            _("“%(text)s” is too much; at most %(most)s days.")
            % {"text": _short(text), "most": limits.MAX_DAYS}
        )
    return value


def _time(text: str) -> time:
    if text in ("24:00", "24:00:00"):
        return time(0)
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:00)?", text, re.ASCII):
            return time.fromisoformat(text[:5].rjust(5, "0") if text[1] != ":" else f"0{text[:4]}")
    except ValueError:
        pass
    raise BadValue(_("“%(text)s” is not a time; write it like 06:30.") % {"text": _short(text)})


def _moment(text: str) -> datetime:
    """A moment; without an offset it is local to whatever the row belongs to."""
    try:
        value = parse_datetime(text) or parse_datetime(f"{text}T00:00")
    except ValueError:
        value = None
    if value is None:
        raise BadValue(
            _("“%(text)s” is not a moment; write it like 2025-12-31 06:00.")
            % {"text": _short(text)}
        )
    _possible(value.date())
    return value


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise BadValue(_("“%(text)s” is not an e-mail address.") % {"text": _short(text)}) from None
    return _characters(text, 254)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


_PARSERS: tuple[tuple[type[models.Field[Any, Any]], Callable[[str], Any]], ...] = (
    (models.BooleanField, _boolean),
    (models.IntegerField, _integer),
    (models.DateTimeField, _moment),
    (models.DateField, _date),
    (models.TimeField, _time),
    (models.EmailField, _email),
)
