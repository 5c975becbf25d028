"""The board and the buttons: one tap calls, an answer shows, what did not change is 204."""

import pytest
from django.urls import reverse

from common.enums import Role
from mes.enums import AndonKind, AndonState
from mes.models import AndonCall, Downtime, Incident
from mes.services import reasons
from tests.mes.factories import Plant
from tests.shared import shared

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@shared()
def plant():
    reasons.seed()
    return Plant()


def url(name, *args):
    return reverse(f"andon:{name}", args=args)


def tap(client, plant, kind, **more):
    data = {"unit": plant.units[0].code, "kind": kind, **more}
    return client.post(url("call-raise"), data, headers=HTMX)


def test_one_tap_says_that_the_machine_is_down_and_then_how_long_it_takes(plant, client_for):
    operator, supervisor = client_for(Role.OPERATOR), client_for(Role.SUPERVISOR)
    answer = tap(operator, plant, "machine_down").content.decode()
    assert "How long will it take?" in answer
    assert 'value="machine_down"' not in answer, "it is called already"
    assert 'value="material"' in answer
    incident = Incident.objects.get()
    data = {"unit": plant.units[0].code, "minutes": "60", "reason": "SPINDLE"}
    operator.post(url("incident-estimate", incident.number), data, headers=HTMX)
    downtime = Downtime.objects.get()
    assert downtime.reason.code == "SPINDLE"
    assert downtime.estimated_ends_at is not None
    call = AndonCall.objects.get()
    page = supervisor.post(url("call-acknowledge", call.pk), follow=True).content.decode()
    assert "Somebody is on it" in page
    assert supervisor.post(url("incident-recover", incident.number)).status_code == 302
    call.refresh_from_db()
    assert call.state == AndonState.RESOLVED
    assert "Nobody calls" in supervisor.get(url("board")).content.decode()


def test_a_second_tap_is_told_and_does_nothing(plant, client_for):
    client = client_for(Role.OPERATOR)
    tap(client, plant, "material", note="screws")
    assert "called already" in tap(client, plant, "material").content.decode()
    assert AndonCall.objects.count() == 1


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"unit": "NOWHERE", "kind": "help"},
        {"kind": "help"},
        {"unit": "{unit}", "kind": "gossip"},
        {"unit": "{unit}", "kind": "help", "note": "x" * 201},
    ],
)
def test_what_no_button_sends_raises_nothing(plant, client_for, data):
    data = {name: value.replace("{unit}", plant.units[0].code) for name, value in data.items()}
    answer = client_for(Role.OPERATOR).post(url("call-raise"), data)
    assert answer.status_code in (302, 404)
    assert not AndonCall.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {"minutes": "0"},
        {"minutes": "-5"},
        {"minutes": "99999999999999999999"},
        {"minutes": "soon"},
        {"minutes": "60", "reason": "NO-SUCH"},
        {"until": "2001-01-01T00:00"},
        {"until": "9999-12-31T23:59"},
        {"until": "x"},
        {},
    ],
)
def test_an_estimate_that_is_none_changes_nothing(plant, client_for, data):
    client = client_for(Role.OPERATOR)
    tap(client, plant, "machine_down")
    answer = client.post(url("incident-estimate", Incident.objects.get().number), data)
    assert answer.status_code == 302
    assert Downtime.objects.get().estimated_ends_at is None


def test_a_machines_own_call_is_confirmed_from_the_board(plant, client_for):
    from django.utils import timezone

    from mes.services import andon

    andon.raise_call(
        work_unit_id=plant.units[0].pk,
        kind=AndonKind.MACHINE_DOWN,
        by=None,
        now=timezone.now(),
        is_from_machine=True,
    )
    client = client_for(Role.SUPERVISOR)
    assert "nobody has confirmed it" in client.get(url("board")).content.decode()
    client.post(url("down"), {"unit": plant.units[0].code, "minutes": "30"})
    assert Downtime.objects.get().incident == Incident.objects.get()


def test_the_board_is_a_constant_number_of_queries_and_204_where_nothing_changed(
    plant, client_for, django_assert_max_num_queries
):
    client = client_for(Role.SUPERVISOR)
    for unit in plant.units:
        for kind in ("material", "quality", "help"):
            client.post(url("call-raise"), {"unit": unit.code, "kind": kind})
    with django_assert_max_num_queries(14):
        page = client.get(url("board"))
    assert page.content.decode().count("andon-tile") == 6
    first = client.get(url("board"), headers=HTMX)
    known = {**HTMX, "X-Live-Known": first["X-Live-Version"]}
    assert client.get(url("board"), headers=known).status_code == 204
    client.post(url("call-acknowledge", AndonCall.objects.first().pk))
    assert client.get(url("board"), headers=known).status_code == 200


def test_roles_keep_to_their_buttons(plant, client_for):
    tap(client_for(Role.OPERATOR), plant, "help")
    call = AndonCall.objects.get()
    assert client_for(Role.OPERATOR).post(url("call-resolve", call.pk)).status_code == 403
    assert client_for(Role.SALES).post(url("call-raise")).status_code == 403
    assert client_for(Role.CUSTOMER).get(url("board")).status_code == 403
    assert client_for(Role.SALES).get(url("board")).status_code == 200
    # The warehouse calls for a machine, which an operator confirms.
    tap(client_for(Role.WAREHOUSE), plant, "machine_down")
    assert not Downtime.objects.exists()
    unit = client_for(Role.OPERATOR).get(url("buttons") + "?unit=" + plant.units[0].code)
    assert unit.status_code == 200
    assert client_for(Role.OPERATOR).get(url("buttons") + "?unit=NOWHERE").status_code == 404
