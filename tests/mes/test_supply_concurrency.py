"""Planning and cancelling in parallel: real transactions, and the same without the lock."""

import threading

import pytest
from django.db import DatabaseError, connection, transaction

from masterdata.enums import LotPolicy
from mes.models import WorkOrderPeg
from mes.services.supply import planning, unplanning
from tests.mes import invariants
from tests.mes.factories import Plant

pytestmark = pytest.mark.django_db(transaction=True)


def in_parallel(*acts):
    """Run each act in a thread with its own connection and transaction; return what they raised."""
    barrier, errors = threading.Barrier(len(acts)), []

    def run(act):
        try:
            barrier.wait(timeout=20)
            with transaction.atomic():
                act()
        except Exception as error:  # noqa: BLE001 - the test looks at them
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return errors


@pytest.fixture
def bolts() -> Plant:
    """Fixed lots with a surplus of 40 that several want."""
    plant = Plant()
    plant.make("STEEL", {"ORE": 1})
    plant.make("BOLT", {"STEEL": 1}, lot_policy=LotPolicy.FIXED, lot_size=50)
    plant.stock("STEEL", 70)
    plant.plan(plant.need("BOLT", 10))
    return plant


def test_parallel_plans_never_promise_the_same_piece_twice(bolts):
    needs = [bolts.need("BOLT", 30) for _ in range(6)]
    errors = in_parallel(*[lambda need=need: bolts.plan(need) for need in needs])
    assert errors == []
    invariants.check()
    assert sum(o.quantity for o in bolts.orders("BOLT")) == 200


def test_parallel_plans_and_reductions_keep_the_invariants(bolts):
    planned = [bolts.need("BOLT", 30) for _ in range(3)]
    bolts.plan(*planned)
    fresh = [bolts.need("BOLT", 25) for _ in range(3)]
    errors = in_parallel(
        *[lambda need=need: bolts.plan(need) for need in fresh],
        *[lambda need=need: bolts.unplan({need: 5}) for need in planned],
    )
    assert errors == []
    invariants.check()


def test_the_same_plan_asked_for_at_once_makes_one(bolts):
    need = bolts.need("STEEL", 100)
    assert in_parallel(*[lambda: bolts.plan(need)] * 5) == []
    invariants.check()
    assert len(bolts.orders("STEEL")) == 1


def test_without_the_lock_a_piece_is_promised_twice(bolts, monkeypatch):
    """The control: the guard taken away, the same runs break what the others assert."""
    for module in (planning, unplanning):
        monkeypatch.setattr(module, "lock", lambda *args: None)
    together = threading.Barrier(2)
    real_write = planning.write

    def write_together(*args, **kwargs):
        together.wait(timeout=20)
        return real_write(*args, **kwargs)

    monkeypatch.setattr(planning, "write", write_together)
    needs = [bolts.need("BOLT", 40) for _ in range(2)]
    errors = in_parallel(*[lambda need=need: bolts.plan(need) for need in needs])
    # Both read the surplus of 40 before the other took it. The database may stop one of them,
    # where stock is concerned; nothing stops pegs.
    assert all(isinstance(error, DatabaseError) for error in errors)
    first = bolts.orders("BOLT")[0]
    pegged = sum(peg.quantity for peg in WorkOrderPeg.objects.filter(work_order=first))
    assert pegged > first.output
    with pytest.raises(AssertionError, match="pegs beyond its output"):
        invariants.check()
