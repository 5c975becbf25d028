"""Several at once on one database: real threads, each with a connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, connection, connections
from django.db.models import QuerySet

DEADLOCK = "40P01"


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Let all acts begin at the same moment; what each returned, or the exception it raised."""
    barrier = threading.Barrier(len(acts))
    came: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=120)
            came[place] = act()
        except Exception as error:  # noqa: BLE001 - the test looks at them
            came[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=180)
    return came


def errors(came: list[Any]) -> list[Exception]:
    """What was raised."""
    return [one for one in came if isinstance(one, Exception)]


def is_deadlock(error: Exception) -> bool:
    """Whether the database broke a circle of waiting transactions."""
    cause = error.__cause__
    return isinstance(error, OperationalError) and getattr(cause, "sqlstate", "") == DEADLOCK


def deadlocks() -> int:
    """How many the database has broken so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def take_away_row_locks(monkeypatch: Any) -> None:
    """The control of every row lock: rows are read as if nobody else could write them."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **how: rows.all())


def take_away_lock(monkeypatch: Any, *modules: Any) -> None:
    """The control of the advisory locks that these modules take."""
    for module in modules:
        monkeypatch.setattr(module, "lock", lambda which, key: None)


def meet_after(monkeypatch: Any, where: Any, name: str, clients: int = 2) -> None:
    """All clients come out of a function together: each has read before one writes."""
    barrier, real = threading.Barrier(clients), getattr(where, name)

    def together(*args: Any, **kwargs: Any) -> Any:
        found = real(*args, **kwargs)
        barrier.wait(timeout=120)
        return found

    monkeypatch.setattr(where, name, together)


def meet_before(monkeypatch: Any, where: Any, name: str, clients: int = 2) -> None:
    """All clients go into a function together: each has passed what is looked at before."""
    barrier, real = threading.Barrier(clients), getattr(where, name)

    def together(*args: Any, **kwargs: Any) -> Any:
        barrier.wait(timeout=120)
        return real(*args, **kwargs)

    monkeypatch.setattr(where, name, together)
