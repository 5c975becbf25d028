"""Advisory locks and stale edit forms."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction

from common import audit, concurrency
from common.concurrency import Lock, StaleWrite
from common.enums import Role


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError, match="SUPPLY"):
        concurrency.lock(Lock.SUPPLY, 1)


def _taken_by_another(which: Lock, key: int) -> bool:
    """Whether another connection finds the lock taken."""

    def try_it() -> bool:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [int(which), key])
                return not cursor.fetchone()[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(try_it).result()


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_held_until_the_transaction_ends() -> None:
    with transaction.atomic():
        concurrency.lock(Lock.SUPPLY, 1)
        assert _taken_by_another(Lock.SUPPLY, 1)
        assert not _taken_by_another(Lock.SUPPLY, 2)
        assert not _taken_by_another(Lock.SCHEDULE, 1)
    assert not _taken_by_another(Lock.SUPPLY, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("locked", "expected"), [(True, ["first", "second"]), (False, ["second"])])
def test_the_second_waits_for_the_first(locked: bool, expected: list[str]) -> None:
    """Without the lock, the control, the second does not see what the first is about to write."""
    done: list[str] = []
    holds, tried = Event(), Event()

    def second() -> list[str]:
        try:
            assert holds.wait(10)
            with transaction.atomic():
                tried.set()
                if locked:
                    concurrency.lock(Lock.SUPPLY, 1)
                done.append("second")
                return list(done)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(second)
        with transaction.atomic():
            if locked:
                concurrency.lock(Lock.SUPPLY, 1)
            holds.set()
            assert tried.wait(10)
            if not locked:
                other.result(10)
            done.append("first")
        assert other.result(10) == expected


@pytest.fixture
def edited(user_for):
    """A user with a version number, as an order has one."""
    user = user_for(Role.SALES)
    user.version = 3
    return user


def test_the_opened_version_passes(edited) -> None:
    concurrency.check_version(edited, opened=3)


def test_an_older_version_is_told_who_saved_when(edited, now) -> None:
    audit.record(action="common.user.change", target=edited, by=edited, now=now)
    with pytest.raises(StaleWrite, match="sales was changed by sales on Nov. 23, 2026, 7 a.m."):
        concurrency.check_version(edited, opened=2)


def test_an_older_version_without_a_history_is_refused_too(edited) -> None:
    with pytest.raises(StaleWrite, match="changed meanwhile"):
        concurrency.check_version(edited, opened=2)
