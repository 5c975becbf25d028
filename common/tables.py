"""The base of every list: sorted and paged in the URL, sticky head, cards on a phone."""

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from common.templatetags import ui_format, ui_status

PER_PAGE = 50


class Table(tables.Table):  # type: ignore[misc]
    """A list in our look. Subclasses state columns and, in Meta, ``empty_text`` and ``caption``.

    ``caption`` names the table for screen readers; ``empty_text`` says what to do next.
    """

    caption: Any = ""
    # The object's attribute whose state colours the row's edge, such as "status".
    row_state: str = ""

    class Meta:
        abstract = True
        template_name = "common/table.html"
        attrs = {"class": "table"}
        empty_text = _("Nothing here yet.")
        per_page = PER_PAGE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if self.row_state and "row_attrs" not in kwargs:
            kwargs["row_attrs"] = {"class": self._row_class}
        super().__init__(*args, **kwargs)

    def _row_class(self, record: Any) -> str:
        return f"row-{ui_status.tone_of(_value(record, self.row_state)).value}"


def _value(record: Any, name: str) -> Any:
    return record.get(name) if isinstance(record, dict) else getattr(record, name)


def _number_cells(extra: dict[str, Any]) -> dict[str, Any]:
    return {"attrs": {"th": {"class": "num"}, "td": {"class": "num number"}}, **extra}


class StatusColumn(tables.Column):  # type: ignore[misc]
    """A state as badge; the word is the model's ``get_<field>_display``."""

    def render(self, value: Any, record: Any, bound_column: Any) -> SafeString:
        name = bound_column.accessor
        display = getattr(record, f"get_{name}_display", None)
        state = _value(record, name) if "." not in name and "__" not in name else value
        word = str(display()) if display else "" if state == value else str(value)
        return ui_status.badge(state, word)


class DateColumn(tables.Column):  # type: ignore[misc]
    """A day, "14 Oct"; with ``relative`` also "in 28 days", with ``year`` "14 Oct 2026"."""

    def __init__(
        self, *args: Any, relative: bool = False, year: bool = False, **kwargs: Any
    ) -> None:
        self.relative, self.year = relative, year
        super().__init__(*args, **kwargs)

    def render(self, value: Any) -> SafeString:
        near = format_html(' <span class="date-relative">· {}</span>', ui_format.in_days(value))
        return format_html(
            '<time datetime="{}" title="{}">{}{}</time>',
            value.isoformat(),
            ui_format.day(value),
            ui_format.day(value, short=not self.year),
            near if self.relative else "",
        )


class QuantityColumn(tables.Column):  # type: ignore[misc]
    """A quantity, right-aligned; ``unit`` names the record's attribute that holds its unit."""

    def __init__(self, *args: Any, unit: str = "", **kwargs: Any) -> None:
        self.unit = tables.A(unit) if unit else None
        super().__init__(*args, **_number_cells(kwargs))

    def render(self, value: Any, record: Any) -> str:
        unit = self.unit.resolve(record, quiet=True) if self.unit else ""
        return ui_format.quantity(value, str(unit or ""))


class MoneyColumn(tables.Column):  # type: ignore[misc]
    """Money, right-aligned; ``currency`` names the record's attribute that holds it."""

    def __init__(self, *args: Any, currency: str = "", **kwargs: Any) -> None:
        self.currency = tables.A(currency) if currency else None
        super().__init__(*args, **_number_cells(kwargs))

    def render(self, value: Any, record: Any) -> str:
        currency = self.currency.resolve(record, quiet=True) if self.currency else ""
        return ui_format.money(value, str(currency or ""))


class LinkColumn(tables.Column):  # type: ignore[misc]
    """The record's name as link: ``LinkColumn(linkify=("crm:order-detail", {...}))``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("attrs", {"td": {"class": "nowrap"}})
        super().__init__(*args, **kwargs)
