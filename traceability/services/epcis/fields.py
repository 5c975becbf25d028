"""Fields of what somebody else sent, each of the kind that it has to be or refused by name."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from traceability.services.epcis.names import CannotRead

SMALLEST = Decimal("0.000001")
_LARGEST = 10**11
_LARGEST_COUNT = 2**31 - 1
_LONGEST = 1000
# A figure as JSON writes it, or the same as text.
_LONGEST_FIGURE = 60


class Told:
    """A JSON object; ``field`` is the one that was asked for last, for who says what is wrong."""

    def __init__(self, body: Mapping[str, Any], root: "Told | None" = None, path: str = "") -> None:
        self.body, self.path = body, path
        self._root = root or self
        self._asked = ""

    @property
    def field(self) -> str:
        """Where the reading stands: "inputQuantityList[0].quantity"."""
        return self._root._asked

    def text(self, field: str, default: str | None = None) -> str:
        """A text; raise CannotRead where it is none, or missing without a default."""
        value = self._take(field, default is None)
        if value is None:
            return default or ""
        if not isinstance(value, str) or len(value) > _LONGEST or not _is_storable(value):
            raise CannotRead(_("“%(field)s” is no text.") % {"field": field})
        return value

    def figure(self, field: str, *, is_needed: bool = False) -> Decimal | None:
        """A number, as such or as text; raise CannotRead for another kind, or one too large."""
        value = self._take(field, is_needed)
        if value is None:
            return None
        said = str(value) if isinstance(value, str | int | float) else ""
        try:
            figure = Decimal(said[:_LONGEST_FIGURE])
        except InvalidOperation:
            figure = Decimal("NaN")
        is_kind = isinstance(value, str | int | float) and not isinstance(value, bool)
        if not is_kind or not figure.is_finite() or abs(figure) >= _LARGEST:
            raise CannotRead(_("“%(value)s” is no number.") % {"value": said[:40] or field})
        return figure.quantize(SMALLEST)

    def count(self, field: str) -> int | None:
        """A whole number from 0; None where it is missing."""
        value = self._take(field, False)
        if value is None:
            return None
        is_count = isinstance(value, int) and not isinstance(value, bool)
        if not is_count or not 0 <= value <= _LARGEST_COUNT:
            raise CannotRead(_("“%(value)s” is no number.") % {"value": str(value)[:40]})
        return int(value)

    def rows(self, field: str) -> list["Told"]:
        """A list of objects; none where it is missing."""
        rows = self._list(field)
        if not all(isinstance(row, dict) for row in rows):
            raise CannotRead(_("“%(field)s” is no list of objects.") % {"field": field})
        path = self._path(field)
        return [Told(row, self._root, f"{path}[{place}]") for place, row in enumerate(rows)]

    def names(self, field: str) -> list[str]:
        """A list of texts, or one text."""
        value = self.body.get(field)
        rows = [self.text(field)] if isinstance(value, str) else self._list(field)
        if not all(isinstance(row, str) and _is_storable(row) for row in rows):
            raise CannotRead(_("“%(field)s” is no list of names.") % {"field": field})
        return rows

    def one(self, field: str) -> "Told":
        """An object; an empty one where it is missing."""
        value = self._take(field, False)
        if not isinstance(value, dict | None):
            raise CannotRead(_("“%(field)s” is no object.") % {"field": field})
        return Told(value or {}, self._root, self._path(field))

    def _list(self, field: str) -> list[Any]:
        value = self._take(field, False)
        if value is None:
            return []
        if not isinstance(value, list):
            raise CannotRead(_("“%(field)s” is no list.") % {"field": field})
        return value

    def _take(self, field: str, is_needed: bool) -> Any:
        self._root._asked = self._path(field)
        value = self.body.get(field)
        if value is None and is_needed:
            raise CannotRead(_("“%(field)s” is missing.") % {"field": field})
        return value

    def _path(self, field: str) -> str:
        return f"{self.path}.{field}" if self.path else field


def _is_storable(text: str) -> bool:
    """Whether PostgreSQL can keep it: no NUL, no half of a character."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
