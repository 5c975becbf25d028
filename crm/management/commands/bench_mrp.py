"""python manage.py bench_mrp: requirements planning measured on a real company's data."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.bench import mrp, scratch
from crm.bench.table import render


class Command(BaseCommand):
    help = "Measure requirements planning of the data set's orders; prints a table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        default = settings.BASE_DIR.parent / "shared" / "data"
        folder = Path(os.environ.get("MILLSTREAM_DATA", default)) / "adventureworks"
        parser.add_argument("--data", type=Path, default=folder, help="folder of the data set")
        parser.add_argument("--inside", action="store_true", help="(internal) measure here")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["inside"]:
            self.stdout.write(render(mrp.rows()))
            return
        folder: Path = options["data"]
        if not folder.is_dir():
            sentence = f"Skipped: there is no data set at {folder}; give a folder with --data."
            if os.environ.get("CI") == "true":
                raise CommandError(sentence)
            self.stdout.write(sentence)
            return
        with scratch.database() as environment:
            today = timezone.now().date().isoformat()
            scratch.manage(environment, "import_dataset", str(folder), "--start-date", today)
            scratch.manage(environment, "bench_mrp", "--inside")
