"""What several failed units have in common, with names and where each leads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from common.models import User
from masterdata import selectors as masterdata
from traceability import selectors as ledger

if TYPE_CHECKING:
    from traceability.models import SerialUnit

# Lines shown; what hardly anybody shares tells nothing.
MOST = 40


@dataclass(frozen=True, slots=True)
class Trait:
    """Something the failed units share: what it is, who has it, how telling it is."""

    kind: str
    name: str
    note: str
    failed: int
    good: int
    lift: float
    url: str


@dataclass(frozen=True, slots=True)
class Comparison:
    traits: list[Trait]
    failed: int
    good: int


def compare(units: "Sequence[SerialUnit]", *, may_see_operators: bool) -> Comparison:
    """Compare the failed units with good ones of the same items numbered around them."""
    failed = [unit.pk for unit in units]
    good: set[int] = set()
    for item_id in {unit.item_id for unit in units}:
        own = [unit.pk for unit in units if unit.item_id == item_id]
        good.update(ledger.neighbours(own, item_id=item_id))
    shared = ledger.shared_by(failed, sorted(good - set(failed)))
    told = [row for row in shared if row.lift > 1][:MOST]
    names = _Names(told, window=_window(failed), may_see=may_see_operators)
    return Comparison([names.trait(row) for row in told], len(failed), len(good - set(failed)))


def _window(units: Iterable[int]) -> tuple[datetime, datetime] | None:
    """From the first to the last reading of the units, a little wider."""
    moments = list(ledger.readings_of(list(units)).values_list("at", flat=True))
    if not moments:
        return None
    return min(moments) - timedelta(hours=1), max(moments) + timedelta(hours=1)


class _Names:
    """Names and addresses of what is shared; one query per kind."""

    def __init__(
        self,
        rows: Iterable[ledger.Shared],
        *,
        window: tuple[datetime, datetime] | None,
        may_see: bool,
    ) -> None:
        ids: dict[str, set[int]] = {}
        for row in rows:
            if row.kind != "program":
                ids.setdefault(row.kind, set()).add(int(row.value))
        self.lots = ledger.lots(ids.get("lot", ()))
        self.machines = masterdata.work_units_by_id(ids.get("work_unit", ()))
        self.tools = masterdata.tools_by_id(ids.get("tool", ()))
        self.parameters = ledger.parameters(ids.get("out_of_limits", ()))
        self.people = User.objects.in_bulk(ids.get("operator", set())) if may_see else {}
        self.window = window

    def trait(self, row: ledger.Shared) -> Trait:
        kind, name, note, url = getattr(self, f"_{row.kind}")(row.value)
        return Trait(kind, name, note, row.failed, row.good, row.lift, url)

    def _lot(self, value: str) -> tuple[str, str, str, str]:
        lot = self.lots.get(int(value))
        if lot is None:
            return _("Lot"), value, "", ""
        note = " · ".join(
            text for text in (lot.item.code, lot.supplier.label if lot.supplier else "") if text
        )
        return _("Lot"), lot.number, note, reverse("crm:impact", args=[lot.pk])

    def _work_unit(self, value: str) -> tuple[str, str, str, str]:
        unit = self.machines.get(int(value))
        name, note = (unit.code, unit.label) if unit else (value, "")
        return _("Machine"), name, note, self._cause(machine=value)

    def _operator(self, value: str) -> tuple[str, str, str, str]:
        person = self.people.get(int(value))
        name = str(person) if person else _("No. %(number)s") % {"number": value}
        return _("Operator"), name, "", self._cause(operator=value)

    def _tool(self, value: str) -> tuple[str, str, str, str]:
        tool = self.tools.get(int(value))
        return _("Tool"), tool.code if tool else value, tool.label if tool else "", ""

    def _program(self, value: str) -> tuple[str, str, str, str]:
        return _("Program"), value, "", self._cause(program=value)

    def _out_of_limits(self, value: str) -> tuple[str, str, str, str]:
        parameter = self.parameters.get(int(value))
        name = parameter.label if parameter else value
        return _("Out of limits"), name, "", self._cause(parameter=value)

    def _cause(self, **asked: str) -> str:
        """The impact of a cause in the time in which the failed units were made."""
        if self.window is None:
            return ""
        since, until = (localtime(at).strftime("%Y-%m-%dT%H:%M") for at in self.window)
        query = urlencode({**asked, "since": since, "until": until})
        return f"{reverse('crm:impact-cause')}?{query}"
