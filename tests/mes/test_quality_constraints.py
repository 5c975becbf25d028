"""Each named constraint of nonconformances, 8Ds and the FMEA is violated once."""

import pytest
from django.db import IntegrityError, transaction

from mes import models
from tests.erp.factories import DUE
from tests.factories import UserFactory
from tests.masterdata.factories import SupplierFactory
from tests.mes import factories
from tests.mes.factories import NOW
from tests.traceability.factories import LotFactory

pytestmark = pytest.mark.django_db


def thing(**more):
    return models.ConcernedThing.objects.create(
        nonconformance=more.pop("of", None) or factories.NonconformanceFactory(), **more
    )


def thing_twice():
    given = {"of": factories.NonconformanceFactory(), "lot": LotFactory()}
    return [thing(**given) for _ in range(2)]


def place_twice():
    found = factories.NonconformanceFactory()
    return [
        factories.ContainmentCountFactory(nonconformance=found, place="Store") for _ in range(2)
    ]


def verified(by_another: bool, **quantities):
    who, other = UserFactory(), UserFactory()
    return factories.ContainmentCountFactory(
        state="verified",
        counted_by=who,
        verified_by=other if by_another else who,
        **quantities,
    )


def concession(**more):
    return models.Concession.objects.create(
        **{
            "disposition": factories.DispositionFactory(kind="use_as_is"),
            "quantity": 1,
            "requested_at": NOW,
            "requested_by": UserFactory(),
            **more,
        }
    )


def own_concession():
    who = UserFactory()
    return concession(requested_by=who, decided_by=who, decided_at=NOW, state="approved")


def step_twice():
    eight_d = factories.EightDFactory()
    for _ in range(2):
        models.Step.objects.create(eight_d=eight_d, discipline=1, due_on=DUE.date())


def member_twice():
    eight_d, who = factories.EightDFactory(), UserFactory()
    for _ in range(2):
        models.TeamMember.objects.create(eight_d=eight_d, user=who)


def why(position: int, times: int = 1):
    eight_d = factories.EightDFactory()
    for _ in range(times):
        models.Why.objects.create(
            eight_d=eight_d, chain="escape", position=position, because="Nobody looked"
        )


def own_verification():
    who = UserFactory()
    return factories.QualityActionFactory(
        state="verified", done_at=NOW, done_by=who, verified_at=NOW, verified_by=who
    )


def result():
    return models.EffectResult.objects.create(
        eight_d=factories.EightDFactory(),
        at=NOW,
        metric="complaints",
        before_total=1,
        before_bad=2,
        after_total=1,
        after_bad=0,
        effect="shown",
    )


def answered_without_words():
    return models.SupplierRequest.objects.create(
        number="SC-1",
        nonconformance=factories.NonconformanceFactory(),
        supplier=SupplierFactory(),
        text="Why?",
        answer_due_on=DUE.date(),
        sent_at=NOW,
        state="answered",
    )


def rated_eleven():
    item = factories.NonconformanceFactory().item
    return models.FmeaRow.objects.create(
        item=item, failure_mode="Breaks", severity=11, occurrence=1, detection=1, updated_at=NOW
    )


VIOLATIONS = {
    "mes_nonconformance_quantity_not_negative": lambda: factories.NonconformanceFactory(
        quantity=-1
    ),
    "mes_nonconformance_closed_has_its_moment": lambda: factories.NonconformanceFactory(
        state="closed"
    ),
    "mes_concernedthing_is_one_thing": thing,
    "mes_concernedthing_once": thing_twice,
    "mes_containmentcount_once_per_place": place_twice,
    "mes_containmentcount_quantities_not_negative": lambda: factories.ContainmentCountFactory(
        missing=-1
    ),
    "mes_containmentcount_adds_up": lambda: verified(True, found=9),
    "mes_containmentcount_verified_by_another": lambda: verified(False, found=10),
    "mes_disposition_of_something": lambda: factories.DispositionFactory(quantity=0),
    "mes_disposition_regrade_says_to_what": lambda: factories.DispositionFactory(kind="regrade"),
    "mes_disposition_executed_has_its_moment": lambda: factories.DispositionFactory(
        state="executed"
    ),
    "mes_concession_of_something": lambda: concession(quantity=0),
    "mes_concession_decided_by_another": own_concession,
    "mes_concession_decided_has_its_moment": lambda: concession(state="approved"),
    "mes_eightd_looks_at_some_time": lambda: factories.EightDFactory(within_days=0),
    "mes_step_once": step_twice,
    "mes_teammember_once": member_twice,
    "mes_why_once": lambda: why(1, times=2),
    "mes_why_five_at_most": lambda: why(6),
    "mes_qualityaction_done_has_its_moment": lambda: factories.QualityActionFactory(state="done"),
    "mes_qualityaction_verified_by_another": own_verification,
    "mes_effectresult_bad_are_of_all": result,
    "mes_supplierrequest_answered_says_what": answered_without_words,
    "mes_fmearow_ratings_from_1_to_10": rated_eleven,
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_each_constraint_holds(name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        VIOLATIONS[name]()
