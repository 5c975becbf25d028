"""Checks in the master data: the page, the file, and what is refused."""

import pytest
from django.db import IntegrityError, transaction

from masterdata.models import OperationCheck, RoutingOperation
from masterdata.services import imports
from tests.masterdata.factories import ItemFactory, RoutingFactory, WorkCenterFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def step() -> RoutingOperation:
    RoutingFactory(item=ItemFactory(code="GEAR"), steps=[(WorkCenterFactory(), 1)])
    return RoutingOperation.objects.get()


def rows(*checks):
    data = {"form-TOTAL_FORMS": len(checks), "form-INITIAL_FORMS": 0, "version": 1}
    for number, check in enumerate(checks):
        data |= {f"form-{number}-{name}": value for name, value in check.items()}
    return data


BORE = {
    "position": 10,
    "name": "Bore",
    "kind": "measure",
    "unit": "mm",
    "lower": "-0.05",
    "upper": "0.05",
    "frequency": "every_n",
    "every": 5,
    "is_required": "on",
}
PATH = "/master/items/GEAR/checks/?revision=A&sequence=10"


def test_checks_are_edited_as_rows(client_for, step):
    planner = client_for("planner")
    assert planner.get(PATH).status_code == 200
    assert planner.get("/master/items/GEAR/checks/?revision=A&sequence=99").status_code == 404
    assert planner.post(PATH, rows(BORE))["Location"] == "/master/items/GEAR/"
    check = OperationCheck.objects.get()
    assert (str(check.lower), check.every, check.is_required) == ("-0.05000", 5, True)
    assert 'value="-0.05"' in planner.get(PATH).content.decode()
    assert b"1 check" in planner.get("/master/items/GEAR/").content
    stale = planner.post(PATH, rows(BORE))
    assert stale.status_code == 422
    assert client_for("sales").post(PATH, rows(BORE)).status_code == 403


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "pass"}, "What is only seen has no limits."),
        ({"lower": "", "upper": ""}, "needs a lower or an upper limit"),
        ({"lower": "1", "upper": "0"}, "The upper limit is below the lower one."),
        ({"every": ""}, "Say after how many pieces"),
        ({"frequency": "per_piece"}, "belongs to"),
    ],
)
def test_a_check_that_cannot_be_answered_is_refused(client_for, step, change, sentence):
    answer = client_for("planner").post(PATH, rows(BORE | change))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    twice = client_for("planner").post(PATH, rows(BORE, BORE | {"name": "Other"}))
    assert b"Check 10 is there twice." in twice.content


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("masterdata_operationcheck_limits_fit_the_kind", {"kind": "measure"}),
        ("masterdata_operationcheck_every_fits_the_frequency", {"every": 3}),
    ],
)
def test_the_database_refuses_the_other_side_too(step, name, bad):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        OperationCheck.objects.create(operation=step, **({"position": 10, "name": "x"} | bad))


def test_checks_come_and_go_by_file(client_for, step):
    text = (
        "item,revision,sequence,position,name,kind,unit,lower,upper,frequency,every\n"
        "GEAR,A,10,10,Bore,measure,mm,-0.05,0.05,every_n,5\n"
        "GEAR,A,10,20,No burrs,pass,,,,per_order,\n"
    )
    from tests.masterdata.test_imports import _faults, _run

    assert _run("operation_checks", text).outcome == imports.Outcome(created=2)
    assert _run("operation_checks", text).outcome == imports.Outcome(unchanged=2)
    wrong = text.replace("0.05,every_n,5", "-0.5,every_n,1")
    assert {column for _row, column in _faults("operation_checks", wrong)} == {"upper", "every"}
