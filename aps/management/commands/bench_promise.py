"""Measure the promise check over a site's live schedule; leaves nothing behind."""

import os
import platform
import random
import statistics
import time
from argparse import ArgumentParser
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from aps import selectors
from aps.services import promises, runs
from common.concurrency import Lock, lock
from common.enums import JobState
from common.jobs.runner import run_one
from common.models import Job
from erp.enums import RequirementKind
from erp.services import requirements
from masterdata import selectors as masterdata
from mes import selectors as mes
from mes.services import supply

# Made up in so large parts until there are enough operations.
ORDERS_AT_A_TIME = 100


class Command(BaseCommand):
    """Random checks of one line each, as sales would type them."""

    help = "Measure the promise check: p50, p95 and the longest, in milliseconds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", type=int, help="id of the site (default: the busiest)")
        parser.add_argument("--checks", type=int, default=200, help="how many checks")
        parser.add_argument(
            "--orders",
            type=int,
            default=0,
            help="have at least so many order lines open, made up for the time of the measurement",
        )
        parser.add_argument(
            "--operations", type=int, default=0, help="the same, by open operations"
        )
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        chance = random.Random(options["seed"])  # noqa: S311 - a benchmark
        site_id = options["site"] or _busiest_site()
        items = [item.pk for item in masterdata.search_items("", 500, sold_only=True)]
        if site_id is None or not items:
            raise CommandError(
                "There is no open work and no --site, or nothing to sell; load some data first."
            )
        with transaction.atomic():
            missing = options["orders"] - len(mes.waiting_lines(site_id=site_id))
            if missing > 0:
                _add_orders(site_id, items, missing, chance, now)
            while _open_operations(site_id) < options["operations"]:
                _add_orders(site_id, items, ORDERS_AT_A_TIME, chance, now)
            replan = _replan(site_id, now)
            lines = len(mes.waiting_lines(site_id=site_id))
            operations = _open_operations(site_id)
            times = [
                _measure(site_id, chance.choice(items), chance, now)
                for _ in range(options["checks"])
            ]
            # All of it is undone: the bench measures, it does not sell.
            transaction.set_rollback(True)
        self._print(times, lines, operations, replan)

    def _print(self, times: list[float], lines: int, operations: int, replan: float) -> None:
        ordered = sorted(times)
        p95 = ordered[max(0, round(0.95 * len(ordered)) - 1)]
        rows = [
            ("checks", f"{len(times)}"),
            ("open order lines", f"{lines}"),
            ("open operations", f"{operations}"),
            ("replan, CPU s", f"{replan:.1f}"),
            ("first (cold), ms", f"{times[0]:.0f}"),
            ("p50, ms", f"{statistics.median(times):.0f}"),
            ("p95, ms", f"{p95:.0f}"),
            ("max, ms", f"{ordered[-1]:.0f}"),
            ("machine", _machine()),
        ]
        for name, value in rows:
            self.stdout.write(f"{name:<20} {value}")


def _measure(site_id: int, item_id: int, chance: random.Random, now: datetime) -> float:
    line = promises.LineRequest(
        item_id=item_id,
        quantity=Decimal(chance.randint(1, 100)),
        requested_date=now.date() + timedelta(days=chance.randint(1, 45)),
    )
    began = time.perf_counter()
    promises.check(site_id=site_id, customer_id=None, lines=[line], now=now)
    return 1000 * (time.perf_counter() - began)


def _busiest_site() -> int | None:
    counts = mes.open_operation_counts()
    return max(counts, key=lambda site_id: counts[site_id], default=None)


def _open_operations(site_id: int) -> int:
    return mes.open_operation_counts().get(site_id, 0)


def _add_orders(
    site_id: int, items: list[int], count: int, chance: random.Random, now: datetime
) -> None:
    """Made-up order lines, converted into work orders."""
    lock(Lock.SUPPLY, site_id)
    opened = requirements.open_many(
        [
            requirements.NewRequirement(
                item_id=chance.choice(items),
                site_id=site_id,
                kind=RequirementKind.SALES,
                quantity=Decimal(chance.randint(1, 50)),
                due_at=now + timedelta(days=chance.randint(5, 60)),
                reference=f"BENCH-{number}",
                weight=1,
            )
            for number in range(count)
        ]
    )
    demands = [supply.Demand(row.pk, row.quantity) for row in opened]
    supply.plan(site_id=site_id, demands=demands, by=None, now=now)


def _replan(site_id: int, now: datetime) -> float:
    """Make the plan anew and publish it; processor seconds, the search's included."""
    began = time.process_time()
    runs.enqueue_replan(site_id=site_id, by=None, now=now)
    waiting = Job.objects.filter(
        name="aps.replan_site", group_key=f"plan:{site_id}", state=JobState.QUEUED
    )
    waiting.update(run_at=now)
    for job in waiting.order_by("pk")[:1]:
        run_one(job.pk, now=now)
    if selectors.current_run(site_id) is None:
        run = selectors.runs(site_id).first()
        raise CommandError(f"The site could not be planned: {run.error if run else '?'}")
    return time.process_time() - began


def _machine() -> str:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"
