"""Drain the job ledger in this process, without worker and broker."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from common.jobs import run_due


class Command(BaseCommand):
    """Run what is due until nothing is; with --all also what waits for its time."""

    help = "Run the due jobs of the ledger in this process until nothing is due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, help="stop after so many attempts")
        parser.add_argument(
            "--all",
            action="store_true",
            help="also run debounced jobs ahead of their time",
        )

    def handle(self, *args: Any, limit: int | None, all: bool, **options: Any) -> None:
        count = run_due(limit=limit, include_waiting=all)
        self.stdout.write(f"{count} attempts.")
