"""What lets the terminal work without network: the worker, its files, and what it may keep."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from mes.services import badges, terminals
from mes.views import offline
from tests.factories import UserFactory
from tests.mes.factories import NOW, Plant
from tests.shared import shared

pytestmark = pytest.mark.django_db

FILES = re.compile(r'(?:href|src)="(/static/[^"]+)"')


@shared()
def plant():
    plant = Plant()
    for code in ("AXLE", "BOLT"):
        plant.make(code)
        plant.plan(plant.need(code, 10), now=timezone.now())
    return plant


@pytest.fixture
def tablet(plant):
    """The browser of a registered device, Ada signed in."""
    chief = UserFactory(username="chief", roles=["supervisor"])
    ada = UserFactory(username="ada", roles=["operator"])
    badges.issue(person=ada, number="17", code="CARD-17", pin="2580", by=chief, now=NOW)
    _terminal, token = terminals.register(
        name="Mill", site_id=plant.site.pk, work_unit_id=plant.units[0].pk, by=chief, now=NOW
    )
    client = Client()
    client.cookies[terminals.COOKIE] = token
    client.post("/floor/terminal/sign-in/", {"code": "CARD-17"})
    client.ada = ada
    return client


def test_the_worker_serves_every_file_that_the_pages_load(tablet):
    shell = offline._shell()
    pages = ["/floor/terminal/", "/floor/terminal/?choose=1", "/floor/terminal/away/"]
    loaded = {file for url in pages for file in FILES.findall(tablet.get(url).content.decode())}
    tablet.post("/floor/terminal/lock/")
    loaded |= set(FILES.findall(tablet.get("/floor/terminal/sign-in/").content.decode()))
    assert loaded == set(shell["files"])


def test_a_changed_file_makes_another_version(monkeypatch):
    before = offline._shell()["version"]
    assert offline._shell()["version"] == before
    monkeypatch.setattr(offline, "SHELL", offline.SHELL[:-1])
    assert offline._shell()["version"] != before


def test_the_worker_comes_from_its_scope_and_is_asked_for_each_time():
    answer = Client().get("/floor/terminal/worker.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cache-Control"] == "no-cache"
    assert answer.content.decode().startswith('const SHELL = {"version": "')
    assert '"home": "/floor/terminal/"' in answer.content.decode()


def test_only_the_page_of_a_badge_on_a_registered_device_may_be_kept(tablet, client_for, plant):
    mine = tablet.get("/floor/terminal/")
    assert mine["X-Floor-Person"] == str(tablet.ada.pk)
    assert tablet.get("/floor/terminal/?choose=1")["X-Floor-Person"] == str(tablet.ada.pk)
    unit = plant.units[0].code
    assert "X-Floor-Person" not in client_for("operator").get(f"/floor/terminal/?unit={unit}")
    # An office login on the device is not its own either.
    office = client_for("supervisor")
    office.cookies[terminals.COOKIE] = tablet.cookies[terminals.COOKIE].value
    assert "X-Floor-Person" not in office.get("/floor/terminal/")
    away = tablet.get("/floor/terminal/away/").content.decode()
    assert "csrf" not in away
    assert "ada" not in away


def test_a_page_that_is_only_kept_moves_nothing(tablet, plant):
    other = plant.units[1].code
    tablet.get(f"/floor/terminal/?unit={plant.units[0].code}")
    tablet.get(f"/floor/terminal/?unit={other}", headers={"X-By-Itself": "1"})
    assert tablet.cookies["unit"].value == plant.units[0].code


def test_a_page_whose_session_ended_is_led_to_the_sign_in(tablet):
    del tablet.cookies[settings.SESSION_COOKIE_NAME]
    answer = tablet.get("/floor/terminal/", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == "/floor/terminal/"
