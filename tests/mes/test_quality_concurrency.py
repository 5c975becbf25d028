"""Two tabs at once on one nonconformance: each thing is done once, and the other one is told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from erp.models import StockMove
from mes.enums import DispositionKind, NonconformanceState
from mes.models import Concession, Disposition, Nonconformance
from mes.services import containment, dispositions, nonconformances
from mes.services.dispositions import Part
from tests import parallel
from tests.factories import UserFactory
from tests.mes.factories import NOW
from tests.mes.quality import Quality

pytestmark = pytest.mark.django_db(transaction=True)

K = DispositionKind


@pytest.fixture
def quality() -> Quality:
    return Quality()


@pytest.fixture
def found(quality: Quality) -> Nonconformance:
    made: Nonconformance = quality.report()
    quality.contain(made)
    return made


def decide(quality, found, *parts):
    named = [Part(kind, Decimal(n), lot_id=quality.lot.pk) for kind, n in parts]
    return dispositions.decide(nonconformance=found, parts=named, by=quality.anna, now=NOW)


def execute(row, by):
    return dispositions.execute(disposition=row, result="", by=by, now=NOW)


def test_what_is_carried_out_in_two_tabs_is_booked_once(quality, found):
    scrap, _rest = decide(quality, found, (K.SCRAP, 4), (K.REWORK, 6))
    came = parallel.at_once(*[lambda: execute(scrap, quality.anna) for _ in range(2)])
    [refused] = parallel.errors(came)
    assert isinstance(refused, dispositions.CannotDispose), refused
    assert "done already" in str(refused)
    assert quality.on_hand() == (6, 6)


def test_what_is_decided_anew_while_it_is_carried_out_still_sums(quality, found):
    """Whoever is first: what is decided or done is ten pieces, what left is done."""
    [scrap] = decide(quality, found, (K.SCRAP, 10))
    came = parallel.at_once(
        lambda: execute(scrap, quality.anna),
        lambda: decide(quality, found, (K.SCRAP, 3), (K.REWORK, 7)),
    )
    [refused] = parallel.errors(came)
    # Carried out first, the new parts are too many; decided first, the old part is gone.
    assert isinstance(refused, dispositions.CannotDispose), refused
    rows = list(Disposition.objects.all())
    assert sum(row.quantity for row in rows) == 10
    done = sum((row.quantity for row in rows if row.state == "executed"), Decimal(0))
    assert quality.on_hand()[0] == 10 - done


def test_two_decisions_at_once_leave_one(quality, found):
    came = parallel.at_once(
        lambda: decide(quality, found, (K.SCRAP, 10)),
        lambda: decide(quality, found, (K.SCRAP, 3), (K.REWORK, 7)),
    )
    assert parallel.errors(came) == []
    assert sum(row.quantity for row in Disposition.objects.all()) == 10


def test_leave_is_given_or_refused_and_not_both(quality, found):
    carl = UserFactory(username="carl", roles=["manager"])
    [use] = decide(quality, found, (K.USE_AS_IS, 10))
    leave = dispositions.concede(
        disposition=use, valid_until=None, reason="Inside only", by=quality.anna, now=NOW
    )

    def answer(by, is_approved):
        return dispositions.decide_concession(
            concession=leave, is_approved=is_approved, reason="x", by=by, now=NOW
        )

    came = parallel.at_once(lambda: answer(quality.ben, True), lambda: answer(carl, False))
    [refused] = parallel.errors(came)
    assert isinstance(refused, dispositions.CannotConcede), refused
    [given] = [one for one in came if not isinstance(one, Exception)]
    assert Concession.objects.get().state == given.state


def test_a_count_is_opened_again_or_the_case_is_closed_and_not_both(quality, found):
    [scrap] = decide(quality, found, (K.SCRAP, 10))
    execute(scrap, quality.anna)
    place = found.containment.get()
    came = parallel.at_once(
        lambda: nonconformances.close(nonconformance=found, by=quality.ben, now=NOW),
        lambda: containment.count_again(row=place, by=quality.anna, now=NOW),
    )
    assert len(parallel.errors(came)) == 1, came
    place.refresh_from_db()
    found.refresh_from_db()
    assert (found.state, place.state) in {
        (NonconformanceState.CLOSED, "lifted"),
        (NonconformanceState.ACTION, "in_place"),
    }


def test_without_the_lock_both_tabs_would_carry_it_out(quality, found, monkeypatch):
    """The control: nobody waits, and both have looked before one writes."""
    scrap, _rest = decide(quality, found, (K.SCRAP, 4), (K.REWORK, 6))
    parallel.take_away_row_locks(monkeypatch)
    parallel.meet_after(monkeypatch, dispositions.policies, "check_can_execute")
    came = parallel.at_once(*[lambda: execute(scrap, quality.anna) for _ in range(2)])
    assert parallel.errors(came) == []
    assert StockMove.objects.filter(kind="scrap").count() == 2
