"""python manage.py bench_floor [measure ...]: floor and store measured, as a table."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from crm.bench import scratch
from crm.bench.floor import MEASURES, WITH_DEMO
from crm.bench.table import Row, render


class Command(BaseCommand):
    help = "Measure floor and store, each measure in a scratch database; prints a table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("measures", nargs="*", help=f"of {', '.join(MEASURES)}; default all")
        parser.add_argument("--inside", action="store_true", help="(internal) measure here")

    def handle(self, *args: Any, **options: Any) -> None:
        names = options["measures"] or list(MEASURES)
        if options["inside"]:
            for name in names:
                for row in MEASURES[name]():
                    self.stdout.write(json.dumps([row.what, row.measured, row.bar]))
            return
        rows: list[Row] = []
        for name in names:
            with scratch.database() as environment:
                if name in WITH_DEMO:
                    environment["DEMO_MODE"] = "1"
                    scratch.manage(environment, "load_demo", "--verbosity", "0")
                printed = scratch.manage_read(environment, "bench_floor", "--inside", name)
                rows += [Row(*json.loads(line)) for line in printed.splitlines() if line]
        self.stdout.write(render(rows))
