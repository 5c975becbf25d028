"""Work units as the planner and the promise check need them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import get_language

from masterdata.models import CostRate, Skill, Tool, WorkCenter, WorkUnit
from masterdata.selectors.exchange import exchange


@dataclass(frozen=True, slots=True)
class UnitInfo:
    """A machine that works: one operation at a time."""

    id: int
    code: str
    name: str
    name_zh: str
    work_center_id: int
    work_center_code: str
    calendar_id: int
    energy_kw: Decimal

    @property
    def label(self) -> str:
        """The name in the active language, the other one where it is missing."""
        chinese = (get_language() or "").startswith("zh")
        return self.name_zh if chinese and self.name_zh else self.name


def active_units(*, site_id: int | None = None) -> list[UnitInfo]:
    """All active work units, of one site where given, by center and code; one query."""
    units = WorkUnit.objects.filter(is_active=True).select_related("work_center")
    if site_id is not None:
        units = units.filter(work_center__site_id=site_id)
    return [
        unit_info(unit, unit.work_center) for unit in units.order_by("work_center__code", "code")
    ]


def unit_info(unit: WorkUnit, center: WorkCenter) -> UnitInfo:
    """The machine as it is, standing in that work center; no query."""
    return UnitInfo(
        id=unit.pk,
        code=unit.code,
        name=unit.name,
        name_zh=unit.name_zh,
        work_center_id=center.pk,
        work_center_code=center.code,
        calendar_id=unit.calendar_id or center.calendar_id,
        energy_kw=unit.energy_kw,
    )


def units_by_site() -> dict[tuple[str, str], int]:
    """The ids of active work units by the codes of site and unit; one query."""
    rows = WorkUnit.objects.filter(is_active=True)
    return {
        (site, code): pk
        for site, code, pk in rows.values_list("work_center__site__code", "code", "pk")
    }


@dataclass(frozen=True, slots=True)
class SharedInfo:
    """A skill or a tool, as sentences name it; of a tool also where and how many."""

    id: int
    code: str
    name: str
    name_zh: str
    site_id: int | None = None
    quantity: int = 0
    is_active: bool = True

    @property
    def label(self) -> str:
        """The name in the active language, the other one where it is missing."""
        chinese = (get_language() or "").startswith("zh")
        return self.name_zh if chinese and self.name_zh else self.name


def skills() -> dict[int, SharedInfo]:
    """All skills by id; one query."""
    rows = Skill.objects.values_list("pk", "code", "name", "name_zh")
    return {row[0]: SharedInfo(*row) for row in rows}


def tools() -> dict[int, SharedInfo]:
    """All tools by id; one query."""
    rows = Tool.objects.values_list(
        "pk", "code", "name", "name_zh", "site_id", "quantity", "is_active"
    )
    return {row[0]: SharedInfo(*row) for row in rows}


def units_by_center(units: Sequence[UnitInfo]) -> Mapping[int, list[int]]:
    """The ids of the units of each work center."""
    found: dict[int, list[int]] = {}
    for unit in units:
        found.setdefault(unit.work_center_id, []).append(unit.id)
    return found


def hourly_rates(
    center_ids: Collection[int], *, on: date, currency: str
) -> dict[tuple[int, str], Decimal]:
    """What an hour costs on a day, by work center and kind of rate; one query.

    Rates of another currency are converted at the day's exchange rate (one query more); raise
    NoExchangeRate where it is missing.
    """
    rows = CostRate.objects.filter(work_center__in=list(center_ids), valid_from__lte=on)
    newest = {
        (center, kind): (amount, paid_in)
        for center, kind, amount, paid_in in rows.order_by("valid_from").values_list(
            "work_center_id", "kind", "amount_per_hour", "currency"
        )
    }
    money = exchange(into=currency, on=on)
    return {key: money.convert(amount, paid_in) for key, (amount, paid_in) in newest.items()}
