"""The board's window as compact JSON: tables of words once, rows of numbers after."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from aps import selectors
from aps.models import ScheduledOperation
from aps.selectors import Bar, Row
from aps.views import compared, window
from aps.views.board import label
from aps.views.overview import order_of
from aps.views.place import site_id as chosen_site
from common.access import requires
from masterdata.services import calendars
from mes import selectors as mes

# So long ago an operation may have ended whose bar a page still shows as open.
JUST_ENDED = timedelta(days=1)


class Words:
    """Each word once, in the order of its first use."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, word: str) -> int:
        """The word's place in the table."""
        return self._numbers.setdefault(word, len(self._numbers))

    def table(self) -> list[str]:
        return list(self._numbers)


# Thousands of numbers shrink to a fifth. No secret stands in them and nothing of the request is
# echoed, so their length tells an eavesdropper nothing (BREACH).
@requires("aps.view_schedule")
@gzip_page
@require_safe
def board_data(request: HttpRequest) -> JsonResponse:
    """``?from=&to=`` → the window's rows and bars; times are whole minutes after ``base``.

    A row is [id, code, name, work center, closed spans, bars]; ``closed`` names one of the tables
    of [start, length] pairs that work units share. A bar is [operation, start, length, work order,
    item, sequence, name, state, late, due, setup minutes, orders, family, locked, minutes of
    changeover before it]. ``late`` names the late orders. ``?scenario=7`` adds ``ghosts``, [work
    unit, bar] of each operation that the scenario has elsewhere, and ``gone``, what it has no time
    for.
    """
    now = timezone.now()
    starts_at, ends_at = window.chosen(request.GET, now)
    site_id = chosen_site(request)
    if site_id is None:
        return JsonResponse({"version": None, "rows": [], "bars": []})
    found = selectors.board(site_id=site_id, starts_at=starts_at, ends_at=ends_at)
    base = calendars.to_minutes(starts_at)
    writer = _Writer(base, _setups(site_id, starts_at, ends_at))
    rows = [writer.row(row) for row in found.rows]
    scenario = compared.shown(request.GET, site_id)
    beside = (
        selectors.ghosts(run=scenario, starts_at=starts_at, ends_at=ends_at) if scenario else None
    )
    late = selectors.late_orders(site_id=site_id, now=now)
    data = {
        "version": found.version,
        "base": base,
        "length": calendars.to_minutes_up(ends_at) - base,
        "rows": rows,
        "late": list(dict.fromkeys(order_of(line.reference) for line in late)),
        "ghosts": [writer.ghost(bar) for bar in beside.bars] if beside else [],
        "gone": list(beside.removed) if beside else [],
    }
    # The tables last: all that is written fills them.
    return JsonResponse(data | writer.tables())


@requires("aps.view_schedule")
@require_safe
def board_states(request: HttpRequest) -> JsonResponse:
    """``{"states": [[operation, state, percent made], …]}`` of what is under way or just ended.

    Whatever version the page shows: the board lays it over the bars where they are. One query.
    """
    site_id = chosen_site(request)
    found = (
        mes.states_now(site_id=site_id, since=timezone.now() - JUST_ENDED)
        if site_id is not None
        else []
    )
    return JsonResponse({"states": [[row.operation_id, row.state, row.percent] for row in found]})


class _Writer:
    """Turns rows into numbers and gathers the words they use."""

    def __init__(self, base: int, setups: dict[int, int]) -> None:
        self._base = base
        self._setups = setups
        self._closed: dict[tuple[tuple[datetime, datetime], ...], int] = {}
        self.items, self.work_orders, self.names = Words(), Words(), Words()
        self.states, self.orders, self.families = Words(), Words(), Words()

    def row(self, row: Row) -> list[Any]:
        unit = row.unit
        head: list[Any] = [0, "", "", ""]
        if unit is not None:
            head = [unit.id, unit.code, label(unit.name, unit.name_zh), unit.work_center_code]
        closed = self._closed.setdefault(row.closed, len(self._closed))
        return [*head, closed, [self._bar(bar) for bar in row.bars]]

    def ghost(self, bar: Bar) -> list[Any]:
        return [bar.work_unit_id or 0, self._bar(bar)]

    def tables(self) -> dict[str, Any]:
        """What the numbers of rows and bars stand for."""
        return {
            "closed": self.closed_tables(),
            "items": self.items.table(),
            "work_orders": self.work_orders.table(),
            "names": self.names.table(),
            "states": self.states.table(),
            "orders": self.orders.table(),
            "families": self.families.table(),
        }

    def closed_tables(self) -> list[list[int]]:
        """Start and length of each closed span, one after the other."""
        return [list(self._spans(spans)) for spans in self._closed]

    def _spans(self, spans: Iterable[tuple[datetime, datetime]]) -> Iterable[int]:
        for starts_at, ends_at in spans:
            start = calendars.to_minutes(starts_at)
            yield start - self._base
            yield calendars.to_minutes(ends_at) - start

    def _bar(self, bar: Bar) -> list[Any]:
        start = calendars.to_minutes(bar.starts_at)
        orders = dict.fromkeys(order_of(reference) for reference in bar.references)
        return [
            bar.operation_id,
            start - self._base,
            calendars.to_minutes_up(bar.ends_at) - start,
            self.work_orders.number(bar.work_order_number),
            self.items.number(bar.item_code),
            bar.sequence,
            self.names.number(label(bar.name, bar.name_zh)),
            self.states.number(bar.state),
            int(bar.is_late),
            calendars.to_minutes(bar.due_at) - self._base,
            self._setups.get(bar.operation_id, 0),
            [self.orders.number(order) for order in orders],
            self.families.number(bar.family),
            int(bar.is_locked),
            bar.changeover_minutes,
        ]


def _setups(site_id: int, starts_at: datetime, ends_at: datetime) -> dict[int, int]:
    """Minutes of setup still ahead, by operation, as its work unit needs them; three queries."""
    run = selectors.current_run(site_id)
    rows = ScheduledOperation.objects.filter(run=run, starts_at__lt=ends_at, ends_at__gt=starts_at)
    return mes.setups_ahead(dict(rows.values_list("operation_id", "work_unit_id")))
