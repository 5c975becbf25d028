"""python manage.py bench: the chain measured on a real company's data, as a table."""

import os
import shutil
import time
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.enums import Role
from common.models import User
from crm.bench import measure, scratch
from crm.bench.table import Row, render

CROWDED = 5000  # open operations


class Command(BaseCommand):
    help = "Measure import, conversion, the whole chain and the promise check; prints a table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", nargs="?", choices=["all", "promise"], default="all")
        default = settings.BASE_DIR.parent / "shared" / "data"
        folder = Path(os.environ.get("MILLSTREAM_DATA", default)) / "adventureworks"
        parser.add_argument("--data", type=Path, default=folder, help="folder of the data set")
        parser.add_argument(
            "--no-stock",
            action="store_true",
            help="as if the shelves were empty: everything ordered has to be made",
        )
        parser.add_argument("--inside", type=float, help="(internal) seconds that the import took")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["inside"] is not None:
            self._inside(options["what"], options["inside"])
            return
        folder: Path = options["data"]
        if not folder.is_dir():
            sentence = f"Skipped: there is no data set at {folder}; give a folder with --data."
            if os.environ.get("CI") == "true":
                raise CommandError(sentence)
            self.stdout.write(sentence)
            return
        with TemporaryDirectory() as copy:
            if options["no_stock"]:
                folder = _without_stock(folder, Path(copy))
            self._in_scratch(options["what"], folder)
        self._crowded()

    def _crowded(self) -> None:
        """The promise check in a crowded demo factory; bar: p95 <= 200 ms."""
        self.stdout.write(f"\nPromise check with {CROWDED} open operations (bar: p95 ≤ 200 ms):")
        with scratch.database() as environment:
            environment["DEMO_MODE"] = "1"
            scratch.manage(environment, "load_demo", "--verbosity", "0")
            scratch.manage(environment, "bench_promise", "--operations", str(CROWDED))

    def _in_scratch(self, what: str, folder: Path) -> None:
        with scratch.database() as environment:
            started = time.monotonic()
            today = timezone.now().date().isoformat()
            scratch.manage(environment, "import_dataset", str(folder), "--start-date", today)
            seconds = time.monotonic() - started
            with scratch.processes(environment):
                scratch.manage(environment, "bench", what, "--inside", str(seconds))

    def _inside(self, what: str, import_seconds: float) -> None:
        User.objects.get_or_create(username="bench", defaults={"roles": [Role.ADMINISTRATOR]})
        rows = [Row("import of the data set", f"{import_seconds:.1f} s", "≤ 60 s")]
        rows += measure.chain(self.stderr.write)
        rows.append(measure.repeated())
        rows += measure.promise_checks()
        shown = [row for row in rows if what == "all" or row.what.startswith("promise")]
        self.stdout.write(render(shown))


def _without_stock(folder: Path, copy: Path) -> Path:
    """A copy of the data set whose stock file has its head line only."""
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    stock = copy / "stock.csv"
    with stock.open() as file:
        head = file.readline()
    stock.write_text(head)
    return copy
