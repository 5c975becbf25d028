"""Numbers of documents."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from common import numbers


@pytest.mark.parametrize("code", sorted(set(numbers.SEQUENCES) - numbers.WITH_YEAR))
def test_every_kind_of_document_counts_up(db, code: str) -> None:
    first, second = numbers.take(code), numbers.take(code)
    assert first.startswith(f"{code}-")
    assert int(second.split("-")[1]) == int(first.split("-")[1]) + 1
    assert len(first.split("-")[1]) == 6


@pytest.mark.parametrize("code", sorted(numbers.WITH_YEAR))
def test_some_say_their_year(db, now, code: str) -> None:
    first, second = numbers.take_many(code, 2, now=now)
    assert first.startswith(f"{code}-2026-")
    assert int(second.split("-")[2]) == int(first.split("-")[2]) + 1
    with pytest.raises(ValueError, match="year"):
        numbers.take(code)


def test_many_are_one_round_trip(db, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        taken = numbers.take_many("WO", 500)
    assert len(set(taken)) == 500
    assert taken == sorted(taken)


def test_an_unknown_kind_raises(db) -> None:
    with pytest.raises(KeyError):
        numbers.take("XX")


def _take_some(barrier: Barrier) -> list[str]:
    try:
        barrier.wait(timeout=10)
        taken = []
        for number in range(25):
            try:
                with transaction.atomic():
                    taken.append(numbers.take("SO"))
                    if number % 5 == 0:
                        raise RuntimeError("rolled back")
            except RuntimeError:
                taken.pop()
        return taken
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_no_number_is_given_twice_at_once_and_a_gap_is_allowed() -> None:
    barrier = Barrier(8)
    with ThreadPoolExecutor(8) as threads:
        taken = [n for part in threads.map(_take_some, [barrier] * 8) for n in part]
    assert len(taken) == 8 * 20
    assert len(set(taken)) == len(taken)
