"""Bring the database and the static files up to date; print the logins. Runs under `tools.run`.

One process for it all: each start of Django costs a second or two.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands

from tools import errors


def main() -> int:
    """Migrate, collect changed static files, load the demo factory into an empty database.

    ``static`` as the only argument collects static files, and no more.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    if sys.argv[1:] == ["static"]:
        collect_static()
        return 0
    logins = sys.stdout  # what the caller shows at the end; all else is progress
    sys.stdout = sys.stderr
    errors.notice("migrating ...")
    call_command("migrate", interactive=False, verbosity=0)
    collect_static()
    if settings.DEMO_MODE:
        try:
            _load_demo()
        except CommandError as refusal:
            errors.notice(str(refusal))
            return 1
        if "show_logins" in get_commands():
            call_command("show_logins", stdout=logins)
    return 0


def collect_static() -> None:
    """Collect the static files where one has changed since the last time."""
    stamp = Path(settings.VAR_DIR) / "static.stamp"
    current = _static_fingerprint()
    if stamp.exists() and stamp.read_text() == current and Path(settings.STATIC_ROOT).exists():
        return
    errors.notice("collecting static files ...")
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(current)


def _static_fingerprint() -> str:
    """A hash over name, size and time of every static file of the project and its libraries."""
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256((Path(settings.BASE_DIR) / "config" / "storage.py").read_bytes())
    # Another storage, as with DJANGO_DEBUG, writes other files.
    digest.update(str(settings.STORAGES["staticfiles"]["BACKEND"]).encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = os.stat(storage.path(path))
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _load_demo() -> None:
    """The demo factory into an empty database; raise CommandError over other data."""
    from django.contrib.auth import get_user_model

    if "load_demo" in get_commands():
        if not get_user_model()._default_manager.exists():
            errors.notice("loading the demo factory ...")
        call_command("load_demo", stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
