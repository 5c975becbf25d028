"""Rows that several tests begin with: made once, found by each as they were made.

    @shared(at=MONDAY, SOLVE_SECONDS=0.03)
    def shop() -> Shop:
        shop = Shop()
        ...
        return shop

is a fixture. Its rows are written in a transaction around the tests that ask for it, which run one
after the other; what a test changes is undone after it, as always. Each test gets its own copy of
the objects. A test that does not ask for it does not see its rows: the transaction ends before.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import chain, groupby
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import override_settings

from aps.services import live


class Shared:
    """How a set-up is made, and while tests ask for it, what was made."""

    def __init__(
        self, make: Callable[[], Any], at: datetime | None, settings: dict[str, Any]
    ) -> None:
        self._make = make
        self._at = at
        self.settings = settings
        self._around = ExitStack()
        self._made: list[Any] = []

    @property
    def is_open(self) -> bool:
        return bool(self._made)

    def open(self, blocker: Any) -> None:
        """Begin the transaction and make it, unless that was done for the test before."""
        if self.is_open:
            return
        self._around.enter_context(blocker.unblock())
        try:
            assert not connection.in_atomic_block, "a transaction around tests is open already"
            around = transaction.atomic()
            around._from_testcase = True  # type: ignore[attr-defined]  # as around a test
            self._around.enter_context(around)
            self._around.callback(transaction.set_rollback, True)
            with ExitStack() as meanwhile:
                meanwhile.enter_context(override_settings(**self.settings))
                if self._at:
                    meanwhile.enter_context(time_machine.travel(self._at, tick=False))
                self._made = [self._make()]
        except BaseException:
            self._around.close()
            raise

    def copied(self) -> Any:
        """A copy for a test to change; what the process knows of other tests' plans is forgotten.

        A plan keeps its number from test to test here, by which the process would know it again.
        """
        assert self.is_open, "asked for by getfixturevalue: a test names what it shares"
        live.forget()
        return copy.deepcopy(self._made[0])

    def close(self) -> None:
        """Undo it."""
        self._made = []
        live.forget()
        self._around.close()


def shared(*, at: datetime | None = None, **settings: Any) -> Callable[[Callable[[], Any]], Any]:
    """A fixture whose rows are made once, at a moment and with settings of its own.

    The settings hold in the tests as well; the moment does not.
    """

    def as_fixture(make: Callable[[], Any]) -> Any:
        kept = Shared(make, at, settings)

        def found(db: None, settings: Any) -> Any:
            for name, value in kept.settings.items():
                setattr(settings, name, value)
            return kept.copied()

        found.shared = kept  # type: ignore[attr-defined]
        found.__doc__ = make.__doc__
        return pytest.fixture(name=make.__name__)(found)

    return as_fixture


def shared_by(item: pytest.Item | None) -> Shared | None:
    """What a test shares with others."""
    known = getattr(item, "_fixtureinfo", None)
    if known is None:
        return None
    asked = [definitions[-1].func for definitions in known.name2fixturedefs.values()]
    found = [func.shared for func in asked if hasattr(func, "shared")]
    assert len(found) < 2, f"{item} shares more than one set-up"
    return found[0] if found else None


def together(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests of each file that share a set-up one after the other, else in the order given."""
    found: list[pytest.Item] = []
    for _file, tests in groupby(items, key=lambda item: item.path):
        groups: dict[Shared | None, list[pytest.Item]] = defaultdict(list)
        for item in tests:
            groups[shared_by(item)].append(item)
        found += chain.from_iterable(groups.values())
    return found


@pytest.fixture
def shared_around(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """What a test shares, made before the transaction of the test itself begins.

    It is undone after that one's end if the next test does not share it, and in any case before
    what lives as long as the process is taken down.
    """
    kept = shared_by(request.node)
    assert kept
    kept.open(django_db_blocker)
    yield
    if kept.is_open and shared_by(request.config.stash[_NEXT]) is not kept:
        kept.close()


_NEXT = pytest.StashKey[pytest.Item | None]()


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> None:
    """Before pytest-django begins the transaction of the test itself."""
    if fixturedef.argname == "_django_db_helper" and shared_by(request.node):
        request.getfixturevalue("shared_around")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """What comes next decides what is undone."""
    item.config.stash[_NEXT] = nextitem
