"""How long it takes from a badge or a PIN to the job in hand and the next three.

``manage.py bench_floor sign_in`` runs it on a copy of the demo factory that is thrown away: the
request that signs in and the page it leads to, through every middleware. A tablet adds its network
and some 0.2 s to draw the page; docs/floor.md has both together, taken with a browser.
"""

import time
from dataclasses import dataclass
from http import HTTPStatus

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.models import User
from masterdata import selectors as masterdata
from mes.services import badges, terminals

BAR_SECONDS = 3
TIMES = 40
BADGE, NUMBER, PIN = "BENCH-BADGE", "9917", "2580"


@dataclass(frozen=True)
class Result:
    """The times of one way in, in milliseconds."""

    times: tuple[float, ...]

    @property
    def p95_ms(self) -> float:
        ordered = sorted(self.times)
        return ordered[int(0.95 * (len(ordered) - 1))]


def run(*, user: User, times: int = TIMES) -> tuple[Result, Result]:
    """Sign the user in by badge, then by number and PIN, so many times each.

    Every machine of the factory has its turn, those with work and those without.
    """
    now = timezone.now()
    badges.issue(person=user, number=NUMBER, code=BADGE, pin=PIN, by=user, now=now)
    site_id = masterdata.default_site().pk
    tablets = []
    for unit in masterdata.active_units(site_id=site_id):
        _terminal, token = terminals.register(
            name=unit.code, site_id=site_id, work_unit_id=unit.id, by=user, now=now
        )
        tablets.append(token)
    ways = {"badge": {"code": BADGE}, "pin": {"number": NUMBER, "pin": PIN}}
    # The first one loads URLs and templates.
    _enter(tablets[0], ways["badge"])
    badge, pin = (
        Result(tuple(_enter(tablets[turn % len(tablets)], fields) for turn in range(times)))
        for fields in ways.values()
    )
    return badge, pin


def _enter(token: str, fields: dict[str, str]) -> float:
    client = Client(SERVER_NAME="localhost")
    client.cookies[terminals.COOKIE] = token
    begun = time.perf_counter()
    answer = client.post(reverse("mes:terminal-sign-in"), fields, follow=True)
    took = time.perf_counter() - begun
    if answer.status_code != HTTPStatus.OK or b'id="work"' not in answer.content:
        raise RuntimeError(f"not signed in: {answer.status_code}")
    return took * 1000
