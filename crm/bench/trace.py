"""The trace pages, the report and its annex measured as a browser asks for them."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import timezone

from common.enums import Role
from common.models import User
from crm.bench.table import Row, percentile
from crm.models import Ticket
from crm.services import tickets, trace_reports
from crm.services.tickets import About
from traceability import selectors as ledger

if TYPE_CHECKING:
    from traceability.models import SerialUnit

T = TypeVar("T")
PAGES = 200
FEW = 8
_WARM = 3
# Raw lots of the population: the first ones reach about 1 % of the products, these about 5 %.
_WIDE = 21


@override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend")
def rows(units: int) -> list[Row]:
    """Pages and files in what ``measure_ledger`` made: a ledger of so many products."""
    user = User.objects.create_user("bench", roles=[Role.QUALITY, Role.AFTER_SALES])
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    spread = [(n * 7_368_787) % units for n in range(PAGES + _WARM)]
    found = [ledger.units_numbered([f"SN{n}"])[0] for n in spread]

    def ask(name: str, *args: object) -> bytes:
        return _asked(client, name, *args)

    return [
        _row(
            "trace page of one SN", lambda pk: ask("trace-thing", pk), [u.pk for u in found], "100"
        ),
        *_after_sales(ask, found, user),
        *_lots(ask),
    ]


def _lots(ask: Callable[..., bytes]) -> list[Row]:
    told = []
    for share, first, bar in (("1 %", 1, ""), ("5 %", _WIDE, "1,000")):
        lots = list(range(first, first + FEW + _WARM))
        what = f"impact page of a raw lot in {share} of the products"
        told.append(_row(what, lambda pk: ask("impact", pk), lots, bar))
    lines = ask("impact-file", _WIDE, "csv").count(b"\n")
    for kind in ("csv", "xlsx"):
        asked = [(_WIDE, kind)] * (2 * _WARM)
        what = f"its annex, {kind.upper()} of {lines:,} rows"
        told.append(_row(what, lambda args: ask("impact-file", *args), asked, "5,000"))
    return told


def _after_sales(ask: Callable[..., bytes], units: "Iterable[SerialUnit]", user: User) -> list[Row]:
    """Tickets on shipped units: their page, and the report on one."""
    shipped = [unit for unit in units if unit.document is not None][: FEW + _WARM]
    opened = [_ticket(unit, user) for unit in shipped]
    numbers = [ticket.number for ticket in opened]

    def report(ticket: Ticket) -> bytes:
        return trace_reports.preview(
            ticket=ticket,
            tier=None,
            url_of=lambda code: f"https://example.org/{code}",
            now=timezone.now(),
        )

    return [
        _row("ticket page", lambda number: ask("ticket", number), numbers * 5, "100"),
        _row("report on one SN, PDF", report, opened, "3,000"),
    ]


def _ticket(unit: "SerialUnit", user: User) -> Ticket:
    about = About(
        customer_id=unit.document.customer_id if unit.document else None,
        item_id=unit.item_id,
        serial=unit.number,
        thing=unit.pk,
    )
    return tickets.create(title="bench", body="bench", about=about, by=user, now=timezone.now())


def _asked(client: Client, name: str, *args: object) -> bytes:
    answer = client.get(reverse(f"crm:{name}", args=args), secure=True)
    if answer.status_code != 200:
        raise RuntimeError(f"{name} of {args} answered {answer.status_code}")
    return bytes(answer.content)


def _row(what: str, act: Callable[[T], bytes], over: Iterable[T], bar: str) -> Row:
    took = []
    content = b""
    for each in over:
        start = time.perf_counter()
        content = act(each)
        took.append((time.perf_counter() - start) * 1000)
    took = took[_WARM:]
    figures = f"p50 {percentile(took, 0.5):,.0f}, p95 {percentile(took, 0.95):,.0f} ms"
    size = len(content) / 1000
    return Row(what, f"{figures}, {size:,.0f} kB", f"p95 ≤ {bar} ms" if bar else "")
