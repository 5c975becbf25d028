"""No full collections while a job makes a hundred thousand objects."""

import gc

import pytest

from common.memory import without_cycle_collection


def test_the_collector_rests_and_works_again_afterwards() -> None:
    assert gc.isenabled()
    with without_cycle_collection():
        assert not gc.isenabled()
        with without_cycle_collection():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_collector_works_again_after_a_failure() -> None:
    with pytest.raises(ZeroDivisionError), without_cycle_collection():
        raise ZeroDivisionError
    assert gc.isenabled()
