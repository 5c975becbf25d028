"""Badges, PINs and devices: quick for who belongs there, shut for who does not."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from common.models import AuditEntry
from mes.models import Badge, Terminal
from mes.services import badges, terminals
from tests.factories import UserFactory
from tests.masterdata.factories import SiteFactory, WorkUnitFactory
from tests.mes.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief():
    return UserFactory(username="chief", roles=["supervisor"])


@pytest.fixture
def ada(chief):
    person = UserFactory(username="ada", roles=["operator", "manager"])
    badges.issue(person=person, number="17", code="CARD-17", pin="2580", by=chief, now=NOW)
    return person


@pytest.fixture
def unit():
    return WorkUnitFactory(code="MILL-1")


@pytest.fixture
def tablet(unit, chief):
    """The browser of a registered device, nobody signed in."""
    _terminal, token = terminals.register(
        name="Mill", site_id=unit.work_center.site_id, work_unit_id=unit.pk, by=chief, now=NOW
    )
    client = Client()
    client.cookies[terminals.COOKIE] = token
    return client


def test_a_terminal_stands_where_its_work_unit_works(unit, chief, client):
    elsewhere = SiteFactory(code="DEPOT")
    client.force_login(chief)
    fields = {"name": "Mill", "site": elsewhere.pk, "work_unit": unit.pk}
    answer = client.post("/floor/terminals/register/", fields)
    assert answer.status_code == 422
    assert "is not one that works at DEPOT" in answer.content.decode()
    assert not Terminal.objects.exists()
    # Without a unit it is chosen at the device; where there is none, that is said.
    client.post("/floor/terminals/register/", fields | {"work_unit": ""})
    client.force_login(UserFactory(roles=["operator"]))
    assert "No work unit works at DEPOT" in client.get("/floor/terminal/").content.decode()


def sign_in(tablet, **fields):
    return tablet.post("/floor/terminal/sign-in/", fields)


def test_only_a_registered_device_lets_anybody_in(ada):
    stranger = Client()
    for method, status in ((stranger.get, 200), (stranger.post, 422)):
        answer = method("/floor/terminal/sign-in/", {"code": "CARD-17"})
        assert answer.status_code == status
        assert b"not registered" in answer.content
    assert "_auth_user_id" not in stranger.session
    stranger.cookies[terminals.COOKIE] = "x" * 43
    assert sign_in(stranger, code="CARD-17").status_code == 422


@pytest.mark.parametrize("fields", [{"code": "CARD-17"}, {"number": "17", "pin": "2580"}])
def test_a_badge_or_a_pin_opens_the_floor_and_nothing_else(tablet, ada, fields):
    assert tablet.get("/floor/terminal/")["Location"] == "/floor/terminal/sign-in/"
    assert sign_in(tablet, **fields)["Location"] == "/floor/terminal/"
    page = tablet.get("/floor/terminal/")
    assert page.status_code == 200
    assert b"MILL-1" in page.content
    assert tablet.get("/floor/").status_code == 200
    # Ada is a manager too, but not with a badge.
    for path in ("/orders/", "/audit/", "/accounts/password/change/", "/admin/", "/"):
        assert tablet.get(path).status_code in (302, 403), path
    assert tablet.get("/orders/").status_code == 403
    assert tablet.get("/api/v1/schema/").status_code == 403
    office = Client()
    office.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    assert office.get("/orders/").status_code == 200


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"code": "CARD-18"}, "This badge is not known here."),
        ({"number": "17", "pin": "9999"}, "Number or PIN is wrong."),
        ({"number": "18", "pin": "2580"}, "Number or PIN is wrong."),
        ({"number": "²", "pin": "2580"}, "Number or PIN is wrong."),
        ({}, "Number or PIN is wrong."),
    ],
)
def test_a_wrong_try_says_as_little_as_it_can(tablet, ada, fields, sentence):
    answer = sign_in(tablet, **fields)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert "_auth_user_id" not in tablet.session
    assert Terminal.objects.get().failures == 1


def test_guessing_a_pin_locks_the_badge_for_a_while(tablet, ada, chief):
    with time_machine.travel(NOW, tick=False):
        for _try in range(badges.MOST_WRONG_PINS):
            assert b"Number or PIN is wrong" in sign_in(tablet, number="17", pin="0001").content
        for fields in ({"number": "17", "pin": "2580"}, {"code": "CARD-17"}):
            assert b"Locked after too many wrong tries" in sign_in(tablet, **fields).content
    assert AuditEntry.objects.filter(action="mes.badge.lock").count() == 1
    with time_machine.travel(NOW + badges.LOCKED_FOR + timedelta(seconds=1), tick=False):
        assert sign_in(tablet, number="17", pin="2580").status_code == 302
        badges.issue(person=ada, number="17", pin="1357", by=chief, now=timezone.now())
        tablet.post("/floor/terminal/lock/")
        assert sign_in(tablet, number="17", pin="2580").status_code == 422
        assert sign_in(tablet, number="17", pin="1357").status_code == 302


def test_guessing_at_a_device_locks_the_device(tablet, ada, monkeypatch):
    monkeypatch.setattr(badges, "MOST_WRONG_HERE", 3)
    with time_machine.travel(NOW, tick=False):
        for number in range(3):
            sign_in(tablet, code=f"CARD-{number}")
        assert b"Locked after too many wrong tries" in sign_in(tablet, code="CARD-17").content
    with time_machine.travel(NOW + timedelta(minutes=11), tick=False):
        assert sign_in(tablet, code="CARD-17").status_code == 302


def test_a_session_of_the_floor_ends_when_nobody_touches_it(tablet, ada, settings):
    settings.FLOOR_LOCK_SECONDS = 180
    with time_machine.travel(NOW, tick=False) as clock:
        sign_in(tablet, code="CARD-17")
        for _minute in range(5):
            clock.shift(60)
            assert tablet.get("/floor/terminal/").status_code == 200
        for _minute in range(5):
            # What the page asks by itself keeps nobody signed in.
            clock.shift(60)
            last = tablet.get("/floor/terminal/", headers={"X-By-Itself": "1"})
        assert last["Location"] == "/floor/terminal/sign-in/"


def test_scanning_another_badge_switches_the_person(tablet, ada, chief):
    bob = UserFactory(username="bob", roles=["operator"])
    badges.issue(person=bob, number="18", code="CARD-18", by=chief, now=NOW)
    sign_in(tablet, code="CARD-17")
    answer = tablet.post("/floor/terminal/scan/", {"code": "CARD-18"})
    assert answer.json() == {"go": "/floor/terminal/"}
    assert int(tablet.session["_auth_user_id"]) == bob.pk
    assert tablet.session["limit"] == "floor"


def test_a_late_answer_to_the_last_person_does_not_sign_out_the_next(tablet, ada, chief):
    """The page of the one asked by itself while the badge of the other was read."""
    bob = UserFactory(username="bob", roles=["operator"])
    badges.issue(person=bob, number="18", code="CARD-18", by=chief, now=NOW)
    sign_in(tablet, code="CARD-17")
    late = Client()
    for name, morsel in tablet.cookies.items():
        late.cookies[name] = morsel.value
    assert tablet.post("/floor/terminal/scan/", {"code": "CARD-18"}).json()["go"]
    answer = late.get("/floor/terminal/")
    assert answer["Location"] == "/floor/terminal/sign-in/"
    assert settings.SESSION_COOKIE_NAME not in answer.cookies
    # Who locks does lose it.
    left = tablet.post("/floor/terminal/lock/").cookies
    assert left[settings.SESSION_COOKIE_NAME]["max-age"] == 0


def test_who_was_here_is_offered_and_only_with_a_pin(tablet, ada, chief):
    sign_in(tablet, code="CARD-17")
    tablet.post("/floor/terminal/lock/")
    assert b'data-number="17"' in tablet.get("/floor/terminal/sign-in/").content


def test_a_revoked_device_is_a_stranger(tablet, ada, chief, client_for):
    sign_in(tablet, code="CARD-17")
    supervisor = client_for("supervisor")
    office = Client()
    office.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    supervisor.post(f"/floor/terminals/{Terminal.objects.get().pk}/revoke/")
    # Who is signed in there is out at once; the same person elsewhere is not.
    assert b"not registered" in tablet.get("/floor/terminal/").content
    assert tablet.get("/api/v1/work-orders/WO-1/").status_code == 401
    assert office.get("/floor/").status_code == 200
    assert b"not registered" in sign_in(tablet, code="CARD-17").content


def test_a_device_that_is_revoked_while_somebody_signs_in_lets_nobody_in(ada, chief, tablet):
    terminal = Terminal.objects.get()
    terminals.revoke(terminal=terminal, by=chief, now=NOW)
    terminal.is_active = True  # As the request read it before.
    with pytest.raises(badges.CannotSignIn, match="no terminal any more"):
        badges.sign_in(terminal=terminal, code="CARD-17", now=NOW)


def test_who_goes_on_guessing_a_pin_waits_longer_each_time(tablet, ada):
    locked = []
    with time_machine.travel(NOW, tick=False) as clock:
        for _round in range(9):
            for _try in range(badges.MOST_WRONG_PINS):
                sign_in(tablet, number="17", pin="0001")
                Terminal.objects.update(failures=0)
            waits = Badge.objects.get().locked_until - timezone.now()
            locked.append(waits)
            clock.shift(waits + timedelta(seconds=1))
        ten = badges.LOCKED_FOR
        assert locked[:4] == [ten, 2 * ten, 4 * ten, 8 * ten]
        assert locked[-1] == badges.LOCKED_AT_MOST
        assert sign_in(tablet, number="17", pin="2580").status_code == 302
    assert Badge.objects.get().failures == 0


def test_who_tries_out_card_numbers_is_not_read_as_a_badge_any_more(
    tablet, ada, chief, monkeypatch
):
    monkeypatch.setattr(badges, "MOST_UNKNOWN", 3)
    boss = UserFactory(username="boss", roles=["supervisor"])
    badges.issue(person=boss, number="99", code="CARD-99", by=chief, now=NOW)
    sign_in(tablet, code="CARD-17")
    for number in range(3):
        answer = tablet.post("/floor/terminal/scan/", {"code": f"CARD-{number}"})
        assert "is not known here" in answer.json()["refused"]
    answer = tablet.post("/floor/terminal/scan/", {"code": "CARD-99"})
    assert "is not known here" in answer.json()["refused"]
    assert int(tablet.session["_auth_user_id"]) == ada.pk
    # The way that counts wrong tries stays open.
    tablet.post("/floor/terminal/lock/")
    assert sign_in(tablet, code="CARD-99").status_code == 302


def test_registering_a_device_signs_the_supervisor_out(client_for, unit):
    supervisor = client_for("supervisor")
    site = unit.work_center.site
    assert supervisor.get("/floor/terminals/").status_code == 200
    assert supervisor.post("/floor/terminals/register/", {"name": ""}).status_code == 422
    answer = supervisor.post(
        "/floor/terminals/register/", {"name": "Mill", "site": site.pk, "work_unit": unit.pk}
    )
    assert answer["Location"] == "/floor/terminal/sign-in/"
    cookie = answer.cookies[terminals.COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert "_auth_user_id" not in supervisor.session
    assert cookie.value not in Terminal.objects.get().digest
    assert supervisor.get("/floor/terminal/sign-in/").status_code == 200


def test_a_device_without_a_place_remembers_the_first_choice(chief, ada, unit):
    _terminal, token = terminals.register(
        name="Loose", site_id=unit.work_center.site_id, work_unit_id=None, by=chief, now=NOW
    )
    tablet = Client()
    tablet.cookies[terminals.COOKIE] = token
    sign_in(tablet, code="CARD-17")
    page = tablet.get("/floor/terminal/")
    assert b"Choose a work unit" in page.content
    assert tablet.get("/floor/terminal/?unit=MILL-1").status_code == 200
    assert Terminal.objects.get().work_unit == unit
    foreign = WorkUnitFactory(code="FAR-1", work_center__site=SiteFactory())
    assert b"<strong>FAR-1" not in tablet.get(f"/floor/terminal/?unit={foreign.code}").content


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"number": "A1", "pin": "2580"}, "The number has 1 to 12 digits."),
        ({"number": "5", "pin": "12"}, "A PIN has 4 to 8 digits"),
        ({"number": "5", "pin": "1111"}, "not all the same"),
        ({"number": "5", "code": "abc"}, "between 4 and 200 characters"),
        ({"number": "5"}, "Scan a badge, type a PIN, or both."),
        ({"number": "17", "pin": "2580"}, "Somebody else has this number"),
        ({"number": "5", "code": "CARD-17"}, "Somebody else has this number or this badge"),
    ],
)
def test_a_badge_is_refused_with_a_sentence(client_for, ada, fields, sentence):
    person = UserFactory(username="new", roles=["operator"])
    answer = client_for("supervisor").post(f"/floor/badges/{person.pk}/", fields)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert Badge.objects.count() == 1


def test_the_pages_of_badges_and_reasons(client_for, ada, django_assert_max_num_queries):
    supervisor = client_for("supervisor")
    person = UserFactory(username="new", roles=["operator"])
    office = UserFactory(username="office", roles=["sales"])
    assert client_for("operator").get("/floor/badges/").status_code == 403
    with django_assert_max_num_queries(8):
        listed = supervisor.get("/floor/badges/").content.decode()
    assert "office" not in listed
    answer = supervisor.post(
        f"/floor/badges/{person.pk}/", {"number": "5", "pin": "2580", "is_active": "on"}
    )
    assert answer.status_code == 302
    badge = Badge.objects.get(person=person)
    assert (badge.digest, badge.is_active) == (None, True)
    assert "2580" not in badge.pin
    assert (
        b"no operator"
        in supervisor.post(f"/floor/badges/{office.pk}/", {"number": "6", "pin": "2580"}).content
    )
    reason = {"kind": "pause", "code": "tea", "name": "Tea", "position": 5, "is_active": "on"}
    assert supervisor.post("/floor/reasons/", reason).status_code == 302
    assert supervisor.post("/floor/reasons/", reason).status_code == 422
    assert b"Tea" in supervisor.get("/floor/reasons/?edit=999").content
