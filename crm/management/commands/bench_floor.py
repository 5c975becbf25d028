"""python manage.py bench_floor [measure ...]: floor and store measured, as a table."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.bench import scratch
from crm.bench.floor import MEASURES, WITH_DATA, WITH_DEMO
from crm.bench.table import Row, render


class Command(BaseCommand):
    help = "Measure floor and store, each measure in a scratch database; prints a table."

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
        for name in names:
            rows += self._measured(name, options["data"])
        if rows:
            self.stdout.write(render(rows))

    def _measured(self, name: str, data: Path) -> list[Row]:
        if name in WITH_DATA and not data.is_dir():
            sentence = f"Skipped {name}: there is no data set at {data}; give a folder with --data."
            if os.environ.get("CI") == "true":
                raise CommandError(sentence)
            self.stdout.write(sentence)
            return []
        with scratch.database() as environment:
            if name in WITH_DEMO:
                environment["DEMO_MODE"] = "1"
                scratch.manage(environment, "load_demo", "--verbosity", "0")
            if name in WITH_DATA:
                today = timezone.now().date().isoformat()
                arguments = ("import_dataset", str(data), "--start-date", today)
                scratch.manage_read(environment, *arguments)
            printed = scratch.manage_read(environment, "bench_floor", "--inside", name)
        return [Row(*json.loads(line)) for line in printed.splitlines() if line.startswith("[")]
