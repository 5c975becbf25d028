"""python manage.py measure_ledger: fill an empty ledger and measure it, as JSON rows.

For ``manage.py bench_trace``, which runs it in a database that is thrown away: what it writes
stays.
"""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from traceability.benchmarks import measures, population
from traceability.models import SerialUnit


class Command(BaseCommand):
    help = "(internal) fill this database with years of genealogy and measure; prints JSON rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--units", type=int, required=True, help="finished products")

    def handle(self, *args: Any, **options: Any) -> None:
        if SerialUnit.objects.exists():
            raise CommandError("This database has serial units: measure in an empty one.")
        start = time.perf_counter()
        made = population.make(options["units"])
        took = time.perf_counter() - start
        self._tell(
            f"{made.units:,} products, {2 * made.units:,} subassemblies made", f"{took:.0f} s"
        )
        for row in measures.rows(made):
            self._tell(*row)

    def _tell(self, what: str, measured: str, bar: str = "") -> None:
        self.stdout.write(json.dumps([what, measured, bar]))
