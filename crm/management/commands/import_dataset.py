"""`import_dataset DIR`: a whole company's folder of CSV files; see docs/import.md."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from common.errors import Refused
from crm.services.dataset.folder import import_folder
from crm.services.dataset.options import Options, WithoutRouting

MOST_UNITS = 500


def units(text: str) -> int | dict[str, int]:
    """``4`` for every center, or ``WC10=3,WC20=2``."""
    try:
        if "=" not in text:
            return _count(text)
        pairs = [part.split("=", 1) for part in text.split(",")]
        return {code.strip(): _count(count) for code, count in pairs}
    except ValueError:
        raise ArgumentTypeError(
            f"“{text}” is neither a number (1 to {MOST_UNITS}) nor like WC10=3,WC20=2."
        ) from None


def share(text: str) -> Decimal:
    """A load above 0 and up to 1."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or not 0 < value <= 1:
        raise ArgumentTypeError(f"“{text}” is not a share such as 0.85.")
    return value


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is not a date such as 2026-01-31.") from None


def days(text: str) -> int:
    if not text.isdigit() or int(text) > 365:
        raise ArgumentTypeError(f"“{text}” is not a number of days from 0 to 365.")
    return int(text)


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MOST_UNITS:
        raise ValueError(text)
    return value


class Command(BaseCommand):
    help = "Import a folder of CSV files: items, BOMs, routings, stock, orders."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="write nothing")
        parser.add_argument("--take-good", action="store_true", help="import despite bad rows")
        parser.add_argument("--units", type=units, help="machines: 4, or WC10=3,WC20=2")
        parser.add_argument("--load", type=share, default=Decimal("0.85"), help="0.85")
        parser.add_argument(
            "--no-routing",
            choices=[choice.value for choice in WithoutRouting],
            default=WithoutRouting.DEFAULT.value,
            help="made items without routing get one operation, or are bought",
        )
        parser.add_argument("--lot-period-days", type=days, default=7, help="0: lot for lot")
        parser.add_argument("--start-date", type=day, help="day of the first sales order")
        parser.add_argument("--site", default="MAIN")
        parser.add_argument("--time-zone", default="UTC")
        parser.add_argument("--currency", default="USD")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when imported, 1 when rows are bad and nothing was, 2 without the files."""
        given = options["units"]
        chosen = Options(
            dry_run=options["dry_run"],
            take_good=options["take_good"],
            units=given if isinstance(given, dict) else {},
            units_everywhere=given if isinstance(given, int) else None,
            load=options["load"],
            without_routing=WithoutRouting(options["no_routing"]),
            lot_period_days=options["lot_period_days"],
            start_date=options["start_date"],
            site=options["site"],
            time_zone=options["time_zone"],
            currency=options["currency"],
        )
        try:
            summary = import_folder(options["folder"], options=chosen, by=None, now=timezone.now())
        except Refused as refusal:
            self.stderr.write(str(refusal))
            sys.exit(2)
        for line in summary.lines():
            self.stdout.write(line)
        if summary.bad and not options["take_good"]:
            sys.exit(1)
