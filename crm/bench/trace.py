"""The trace pages measured as a browser asks for them: the whole of each, through the handlers."""

import time

from django.test import Client
from django.urls import reverse

from common.enums import Role
from common.models import User
from crm.bench.table import Row, percentile
from traceability import selectors as ledger

PAGES = 200
IMPACTS = 8
_WARM = 3


def rows(units: int) -> list[Row]:
    """Trace and impact pages in what ``measure_ledger`` made: a ledger of so many products."""
    user = User.objects.create_user("bench", roles=[Role.QUALITY])
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    spread = ((n * 7_368_787) % units for n in range(PAGES + _WARM))
    pks = [ledger.things_named([f"SN {n}"])[0].pk for n in spread]
    told = [_row("trace page of one SN", client, "trace-thing", pks, "≤ 100 ms p95")]
    # Raw lots 1 to 20 reach about 1 % of the products, 21 to 40 about 5 %.
    for share, first, bar in (("1 %", 1, ""), ("5 %", 21, "≤ 1,000 ms p95")):
        picked = list(range(first, first + IMPACTS + _WARM))
        told.append(_row(f"impact page of a raw lot in {share}", client, "impact", picked, bar))
    return told


def _row(what: str, client: Client, name: str, pks: list[int], bar: str) -> Row:
    took = []
    for pk in pks:
        start = time.perf_counter()
        answer = client.get(reverse(f"crm:{name}", args=[pk]), secure=True)
        took.append((time.perf_counter() - start) * 1000)
        if answer.status_code != 200:  # noqa: PLR2004 - a page that came
            raise RuntimeError(f"{name} of {pk} answered {answer.status_code}")
    took = took[_WARM:]
    size = len(answer.content) / 1000
    figures = f"p50 {percentile(took, 0.5):.0f}, p95 {percentile(took, 0.95):.0f} ms"
    return Row(what, f"{figures}, {size:.0f} kB", bar)
