"""Two plans side by side as their reader sees them: figures with better or worse, dates, moves.

Reads what ``aps.services.comparison`` has found; asks the database for nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy, pgettext

from aps.views import words
from common.templatetags import ui_format

ORDERS_PAGE, MOVES_PAGE = 25, 25
# As aps.services.causes counts them.
CAUSES = {
    "masterdata.capacity.changed": ngettext_lazy(
        "%(count)s change of hours or machines", "%(count)s changes of hours or machines", "count"
    ),
    "crm.order.converted": ngettext_lazy(
        "%(count)s order got work orders", "%(count)s orders got work orders", "count"
    ),
    "crm.order.changed": ngettext_lazy(
        "%(count)s order changed", "%(count)s orders changed", "count"
    ),
    "crm.order.cancelled": ngettext_lazy(
        "%(count)s order cancelled", "%(count)s orders cancelled", "count"
    ),
    "erp.stock.received": ngettext_lazy(
        "%(count)s receipt of goods", "%(count)s receipts of goods", "count"
    ),
    "erp.stock.withheld": ngettext_lazy(
        "%(count)s hold or correction of stock", "%(count)s holds or corrections of stock", "count"
    ),
    "erp.purchase_orders.changed": ngettext_lazy(
        "%(count)s change of purchase orders", "%(count)s changes of purchase orders", "count"
    ),
    "erp.transfers.changed": ngettext_lazy(
        "%(count)s change of transfers", "%(count)s changes of transfers", "count"
    ),
    "mes.work_orders.changed": ngettext_lazy(
        "%(count)s change of work orders", "%(count)s changes of work orders", "count"
    ),
    "mes.operation.started": ngettext_lazy(
        "%(count)s operation started", "%(count)s operations started", "count"
    ),
    "mes.operation.reported": ngettext_lazy(
        "%(count)s report from the floor", "%(count)s reports from the floor", "count"
    ),
    "mes.operation.finished": ngettext_lazy(
        "%(count)s operation finished", "%(count)s operations finished", "count"
    ),
    "mes.report.taken_back": ngettext_lazy(
        "%(count)s report taken back", "%(count)s reports taken back", "count"
    ),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of two plans; ``tone`` and ``word`` say what the difference means."""

    label: str
    before: str
    after: str
    word: str
    tone: str


@dataclass(frozen=True, slots=True)
class DateRow:
    """An order line with another projected day at the customer's door; None: no date.

    The moments are those at which it is ready at our dock.
    """

    line: str
    order: str
    due: date | None
    before: date | None
    after: date | None
    ready_before: datetime | None
    ready_after: datetime | None
    shift: str
    word: str
    tone: str


@dataclass(frozen=True, slots=True)
class MoveRow:
    """An operation that is elsewhere or at another time."""

    operation: int
    label: str
    work_order: str
    item: str
    from_unit: str
    to_unit: str
    before: datetime | None
    after: datetime | None
    shift: str

    @property
    def changes_unit(self) -> bool:
        return self.from_unit != self.to_unit


def context(found: Mapping[str, Any], request: HttpRequest) -> dict[str, Any]:
    """What ``aps/_comparison.html`` shows, paged by ``?orders=`` and ``?moves=``."""
    if "before" not in found:
        return {"figures": []}
    return {
        "figures": figures(found),
        "dates": Paginator(dates(found), ORDERS_PAGE).get_page(request.GET.get("orders")),
        "moves": Paginator(moves(found), MOVES_PAGE).get_page(request.GET.get("moves")),
        "moved": found["moved_operations"],
        "machine_changes": found["machine_changes"],
        "breaks": found["promise_breaks"],
        "summary": summary(found),
    }


def figures(found: Mapping[str, Any]) -> list[Figure]:
    """The figures of both plans, in the order of what hurts."""
    before, after = found["before"], found["after"]
    rows = [
        _count(_("Late orders"), before["late_orders"], after["late_orders"]),
        _time(_("Weighted lateness"), before, after, "weighted_lateness_minutes", hours),
        _promises(len(found["promise_breaks"])),
        _share(before["utilisation_percent"], after["utilisation_percent"]),
        _time(_("Setup"), before, after, "setup_minutes", ui_format.minutes),
        _time(_("Makespan"), before, after, "makespan_minutes", words.duration),
        _moved(found["moved_operations"]),
    ]
    if before["undated_orders"] or after["undated_orders"]:
        rows.insert(
            1, _count(_("Orders without a date"), before["undated_orders"], after["undated_orders"])
        )
    return rows


def judged(before: int, after: int) -> tuple[str, str]:
    """Word and tone of a figure of which less is better."""
    if before == after:
        return _("The same"), "planned"
    return (_("Better"), "done") if after < before else (_("Worse"), "late")


def _count(label: str, before: int, after: int) -> Figure:
    return Figure(label, f"{before:,}", f"{after:,}", *judged(before, after))


def _time(
    label: str,
    before: Mapping[str, int],
    after: Mapping[str, int],
    name: str,
    said: Callable[[int], str],
) -> Figure:
    old, new = before[name], after[name]
    if said(old) == said(new):
        # A difference that cannot be read is none.
        old = new
    return Figure(label, said(old), said(new), *judged(old, new))


def hours(minutes: float) -> str:
    """Weighted minutes are no time of a clock: hours, whole ones from ten on."""
    number = minutes / 60
    told = f"{number:,.0f}" if number >= 10 or not number else f"{number:.1f}"
    return f"{told}\N{NO-BREAK SPACE}{pgettext('hours, unit', 'h')}"


def _share(before: float, after: float) -> Figure:
    """Fuller machines are neither better nor worse by themselves."""
    word = _("The same")
    if before != after:
        word = pgettext("figure", "Higher") if after > before else pgettext("figure", "Lower")
    return Figure(_("Utilisation, 14 days"), f"{before:g} %", f"{after:g} %", word, "planned")


def _promises(broken: int) -> Figure:
    word, tone = (_("Worse"), "late") if broken else (_("All kept"), "done")
    return Figure(_("Broken promises"), "–", f"{broken:,}", word, tone)


def _moved(count: int) -> Figure:
    word = ngettext("%(count)s move", "%(count)s moves", count) % {"count": f"{count:,}"}
    return Figure(_("Moved operations"), "–", f"{count:,}", word if count else _("None"), "planned")


def summary(found: Mapping[str, Any]) -> str:
    """The whole comparison in one sentence: lateness first, then what it costs."""
    before, after = found["before"]["late_orders"], found["after"]["late_orders"]
    if after < before:
        head = ngettext(
            "%(count)s order fewer is late.", "%(count)s orders fewer are late.", before - after
        ) % {"count": before - after}
    elif after > before:
        head = ngettext(
            "%(count)s order more is late.", "%(count)s orders more are late.", after - before
        ) % {"count": after - before}
    else:
        head = _("As many orders are late as before.")
    count, machines = found["moved_operations"], found["machine_changes"]
    if not machines:
        moving = ngettext("%(count)s operation moves.", "%(count)s operations move.", count)
        return f"{head} {moving % {'count': f'{count:,}'}}"
    tail = ngettext(
        "%(count)s operation moves, %(machines)s to another machine.",
        "%(count)s operations move, %(machines)s to another machine.",
        count,
    ) % {"count": f"{count:,}", "machines": f"{machines:,}"}
    return f"{head} {tail}"


def dates(found: Mapping[str, Any]) -> list[DateRow]:
    """The order lines whose date moves, the most delayed first."""
    return [_date(row) for row in found["orders"]]


def _date(row: Mapping[str, Any]) -> DateRow:
    word, tone = "", "planned"
    if row["breaks"]:
        word, tone = _("Becomes late"), "late"
    elif row["heals"]:
        word, tone = _("In time again"), "done"
    elif (row["minutes"] or row.get("days") or 0) > 0:
        word, tone = pgettext("date", "Later"), "risk"
    else:
        word, tone = pgettext("date", "Sooner"), "done"
    return DateRow(
        line=row["line"],
        order=row["line"].partition("/")[0],
        due=_day(row, "due"),
        before=_day(row, "before"),
        after=_day(row, "after"),
        ready_before=_moment(row["before"]),
        ready_after=_moment(row["after"]),
        shift=ui_format.door_shift(row.get("days"), row["minutes"]),
        word=word,
        tone=tone,
    )


def _day(row: Mapping[str, Any], name: str) -> date | None:
    """The day at the door."""
    text = row.get(f"{name}_day")
    return parse_date(text) if text else None


def moves(found: Mapping[str, Any]) -> list[MoveRow]:
    """The moved operations that are listed, those that moved most first."""
    return [
        MoveRow(
            operation=row["operation"],
            label=row["label"],
            work_order=row["work_order"],
            item=row["item"],
            from_unit=row["from_unit"] or _("outside work"),
            to_unit=row["to_unit"] or _("outside work"),
            before=_moment(row["from_starts_at"]),
            after=_moment(row["to_starts_at"]),
            shift=shift(row["minutes"]),
        )
        for row in found["moved"]
    ]


def shift(minutes: int | None) -> str:
    """ "2.5 days later", "20 min sooner"; "" where one side has no date."""
    if minutes is None:
        return ""
    if minutes == 0:
        return _("same time")
    told = {"duration": words.duration(abs(minutes))}
    return (_("%(duration)s later") if minutes > 0 else _("%(duration)s sooner")) % told


def causes(found: Mapping[str, int]) -> list[str]:
    """What made a plan by itself differ from the one before it, in words."""
    return [str(CAUSES[topic] % {"count": found[topic]}) for topic in CAUSES if found.get(topic)]


def _moment(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None


def late_change(found: Mapping[str, Any]) -> Figure | None:
    """Late orders of a scenario against the live plan; None while nobody has compared."""
    if "before" not in found:
        return None
    before, after = found["before"]["late_orders"], found["after"]["late_orders"]
    return _count(_("Late orders"), before, after)


def ready(text: str | None) -> str:
    """A stored moment as people read it; "no date" where there is none."""
    at = _moment(text)
    return ui_format.moment(at) if at else _("no date")
