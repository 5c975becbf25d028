"""What would help is offered as a scenario that begins with it, to those who plan."""

import json
from html import unescape

import pytest
import time_machine

from aps.enums import RunKind, RunState
from aps.models import ScheduleRun
from aps.views import lateness_words
from tests.aps.factories import DAY, HOUR, MONDAY
from tests.aps.test_lateness import busy_plant, explained

pytestmark = pytest.mark.django_db
NEW = "/plan/scenarios/new/"
OFFER = 'name="offer" value="'


@pytest.fixture(autouse=True)
def monday(settings):
    settings.SOLVE_SECONDS = 0.03
    with time_machine.travel(MONDAY, tick=False):
        yield


def offers(text):
    """The offers that stand on a page."""
    return [unescape(part.partition('"')[0]) for part in text.split(OFFER)[1:]]


@pytest.mark.parametrize(("role", "is_offered"), [("planner", True), ("sales", False)])
def test_why_late_offers_what_helps_as_a_scenario_to_planners(client_for, role, is_offered):
    plant = busy_plant()
    reference = plant.needs[1].reference
    client = client_for(role)
    why = client.get(f"/plan/why/?line={reference}").content.decode()
    panel = client.get(f"/plan/panel/why/?order={reference.partition('/')[0]}").content.decode()
    for text in (why, panel):
        assert bool(offers(text)) is is_offered
    assert f'value="{reference} sooner"' in why or not is_offered


def test_the_offer_opens_the_form_with_its_change_and_solves_in_one_press(client_for):
    plant = busy_plant()
    client = client_for("planner")
    text = client.get(f"/plan/why/?line={plant.needs[1].reference}").content.decode()
    [offer] = offers(text)
    shown = client.post(NEW, {"offer": offer, "name": "Sooner"})
    assert shown.status_code == 200
    assert not ScheduleRun.objects.exclude(kind=RunKind.LIVE).exists()
    page = shown.content.decode()
    assert "LATHE-1 works overtime from" in page
    assert 'value="Sooner"' in page
    changes = [change for change, _text in shown.context["changes"]]
    client.post(NEW, {"action": "solve", "name": "Sooner", "change": changes})
    run = plant.solve(ScheduleRun.objects.get(name="Sooner"))
    assert run.state == RunState.SOLVED, run.error


def test_what_is_over_meanwhile_is_left_out_and_told(client_for):
    plant = busy_plant()
    said = lateness_words.say(explained(plant)).helps
    over = json.loads(said[0].change)
    coming = over | {
        "starts_at": (MONDAY + 2 * DAY).isoformat(),
        "ends_at": (MONDAY + 2 * DAY + HOUR).isoformat(),
    }
    with time_machine.travel(MONDAY + DAY + HOUR, tick=False):
        shown = client_for("planner").post(NEW, {"offer": json.dumps([over, coming])})
    assert len(shown.context["changes"]) == 1
    assert "This span is over already." in shown.content.decode()


def test_who_does_not_plan_cannot_open_an_offer(client_for):
    busy_plant()
    assert client_for("supervisor").post(NEW, {"offer": "[]"}).status_code == 403
