"""python manage.py bench_floor [measure ...]: floor and store measured, as a table."""

import json
import os
from argparse import ArgumentParser
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.bench import scratch
from crm.bench.floor import MEASURES, WITH_DATA, WITH_DEMO
from crm.bench.table import Row, render


class Command(BaseCommand):
    help = "Measure floor and store in scratch databases; prints a table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("measures", nargs="*", help=f"of {', '.join(MEASURES)}; default all")
        default = settings.BASE_DIR.parent / "shared" / "data"
        folder = Path(os.environ.get("MILLSTREAM_DATA", default)) / "adventureworks"
        parser.add_argument("--data", type=Path, default=folder, help="folder of the data set")
        parser.add_argument("--inside", action="store_true", help="(internal) measure here")

    def handle(self, *args: Any, **options: Any) -> None:
        names = options["measures"] or list(MEASURES)
        if unknown := sorted(set(names) - set(MEASURES)):
            raise CommandError(
                f"No such measure: {', '.join(unknown)}. There are {', '.join(MEASURES)}."
            )
        if options["inside"]:
            for name in names:
                for row in MEASURES[name]():
                    self.stdout.write(json.dumps([row.what, row.measured, row.bar]))
            return
        rows: list[Row] = []
        for _needs, group in groupby(
            names, key=lambda name: (name in WITH_DEMO, name in WITH_DATA)
        ):
            rows += self._measured(list(group), options["data"])
        if rows:
            self.stdout.write(render(rows))

    def _measured(self, names: list[str], data: Path) -> list[Row]:
        """The rows of measures that begin with the same data, one after another."""
        with_data = not WITH_DATA.isdisjoint(names)
        if with_data and not data.is_dir():
            told = ", ".join(names)
            sentence = f"Skipped {told}: there is no data set at {data}; give a folder with --data."
            if os.environ.get("CI") == "true":
                raise CommandError(sentence)
            self.stdout.write(sentence)
            return []
        with scratch.database() as environment:
            if not WITH_DEMO.isdisjoint(names):
                environment["DEMO_MODE"] = "1"
                scratch.manage_read(environment, "load_demo", "--verbosity", "0")
            if with_data:
                today = timezone.now().date().isoformat()
                arguments = ("import_dataset", str(data), "--start-date", today)
                scratch.manage_read(environment, *arguments)
            printed = scratch.manage_read(environment, "bench_floor", "--inside", *names)
        return [Row(*json.loads(line)) for line in printed.splitlines() if line.startswith("[")]
