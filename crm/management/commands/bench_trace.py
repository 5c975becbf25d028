"""python manage.py bench_trace: the genealogy ledger at its size, measured, as a table."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from crm.bench import scratch, trace
from crm.bench.table import Row, render

UNITS = 1_000_000


class Command(BaseCommand):
    help = "Measure the genealogy ledger in a scratch database; prints a table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--inside", action="store_true", help="(internal) measure pages here")
        parser.add_argument(
            "--units", type=int, default=UNITS, help=f"finished products (default {UNITS:,})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        units = ("--units", str(options["units"]))
        if options["inside"]:
            for row in trace.rows(options["units"]):
                self.stdout.write(json.dumps([row.what, row.measured, row.bar]))
            return
        with scratch.database("millstream_bench_trace") as environment:
            printed = scratch.manage_read(environment, "measure_ledger", *units)
            printed += scratch.manage_read(environment, "bench_trace", "--inside", *units)
        rows = [Row(*json.loads(line)) for line in printed.splitlines() if line.startswith("[")]
        self.stdout.write(render(rows))
