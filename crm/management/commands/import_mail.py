"""``import_mail``: mails that customers wrote become tickets, or go on with one.

Without a folder it reads one mail from standard input, as a mail server's pipe gives it. With one
it reads every file of the folder's ``new`` (a Maildir) or, where there is none, of the folder
itself; what was taken goes to ``cur``, what is no ticket to ``refused``. A mail that comes twice is
one.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.errors import Refused
from crm.services import ticket_inbox


class Command(BaseCommand):
    help = "Turn mails into tickets: one from standard input, or all of a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, help="a Maildir, or a folder of .eml files")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path | None = options["folder"]
        if folder is None:
            try:
                ticket = ticket_inbox.take(raw=sys.stdin.buffer.read(), now=timezone.now())
            except Refused as refused:
                raise CommandError(str(refused)) from refused
            self.stdout.write(ticket.number)
            return
        if not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        source = folder / "new" if (folder / "new").is_dir() else folder
        failed = 0
        for path in sorted(entry for entry in source.iterdir() if entry.is_file()):
            try:
                self._take(path, folder)
            except Exception as error:
                # It stays where it is, and the others do not wait for it.
                failed += 1
                self.stderr.write(f"{path.name}: {error!r}")
        if failed:
            raise CommandError(f"{failed} could not be read and stay in {source}.")

    def _take(self, path: Path, folder: Path) -> None:
        try:
            said = ticket_inbox.take(raw=path.read_bytes(), now=timezone.now()).number
            target = folder / "cur"
        except Refused as refused:
            said, target = str(refused), folder / "refused"
        # Only once it is committed: a crash between the two takes it again, as the same message.
        target.mkdir(exist_ok=True)
        path.rename(target / path.name)
        self.stdout.write(f"{path.name}: {said}")
