"""python manage.py bench_reporting: machine events, reports and the sign-in, as JSON rows.

For ``manage.py bench_floor``, which runs it in a database that is thrown away: what it writes
stays.
"""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand

from common.enums import Role
from common.models import User
from mes.benchmarks import events, reports, sign_in

Row = tuple[str, str, str]


def _events(user: User, seconds: float) -> list[Row]:
    found = events.run(user=user, seconds=seconds)
    return [
        ("machine events a second", f"{found.per_second:,.0f}", f"≥ {events.BAR}"),
        ("slowest batch of 500 machine events", f"{found.slowest_ms:.0f} ms", ""),
    ]


def _reports(user: User, seconds: float) -> list[Row]:
    one = reports.reports(user=user, seconds=seconds)
    four = reports.reports(user=user, seconds=seconds, clients=reports.CLIENTS)
    ways = reports.operations(user=user, seconds=seconds)
    what = "reports a second with stock, backflush of 4, cost and jobs"
    return [
        (f"{what}, one client", f"{one.per_second:.0f}", ""),
        ("p95 of one report", f"{one.p95_ms:.0f} ms", ""),
        (f"{what}, {reports.CLIENTS} clients at once", f"{four.per_second:.0f}", ""),
        ("acts a second from setup to finish, with time of person and machine",
         f"{ways.per_second:.0f}", ""),
    ]  # fmt: skip


def _sign_in(user: User, _seconds: float) -> list[Row]:
    badge, pin = sign_in.run(user=user)
    bar = f"≤ {sign_in.BAR_SECONDS:,} s"
    return [
        ("from the badge to the job in hand, p95", f"{badge.p95_ms:.0f} ms", bar),
        ("from number and PIN to the job in hand, p95", f"{pin.p95_ms:.0f} ms", bar),
    ]


MEASURES: dict[str, Callable[[User, float], list[Row]]] = {
    "events": _events,
    "reports": _reports,
    "sign_in": _sign_in,
}


class Command(BaseCommand):
    help = "Measure machine events, reports or the sign-in; writes into the database it is given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("measure", choices=sorted(MEASURES))
        parser.add_argument("--seconds", type=float, default=10.0, help="per figure")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(roles__contains=[Role.OPERATOR]).order_by("pk").first()
        if user is None:
            user = User.objects.create(username="bench", roles=[Role.OPERATOR])
        for row in MEASURES[options["measure"]](user, options["seconds"]):
            self.stdout.write(json.dumps(row, ensure_ascii=False))
