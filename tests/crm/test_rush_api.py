"""Rush requests under /api/v1/."""

from datetime import date

import pytest
import time_machine

from common.jobs import run_due
from crm.models import RushRequest
from tests.crm.factories import FRIDAY, MONDAY, Shop
from tests.shared import shared

pytestmark = pytest.mark.django_db
URL = "/api/v1/rush-requests/"
DAY_OF_WORK = 9 * 60


@pytest.fixture(autouse=True)
def monday(settings):
    settings.SOLVE_SECONDS = 0.03
    with time_machine.travel(MONDAY, tick=False):
        yield


@shared(at=MONDAY, SOLVE_SECONDS=0.03)
def shop():
    shop = Shop()
    shop.approved(("PART", 2 * DAY_OF_WORK), wanted=date(2026, 11, 25))
    run_due(now=MONDAY, include_waiting=True)
    shop.short = shop.approved(("PART", DAY_OF_WORK), wanted=FRIDAY)
    run_due(now=MONDAY, include_waiting=True)
    return shop


def post(client, url, body=None, key=None):
    headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    return client.post(url, body or {}, format="json", **headers)


def wish(shop, **kwargs):
    return {
        "order": shop.short.number,
        "position": 10,
        "wanted_date": "2026-11-24",
        "reason": "The line stands still",
        **kwargs,
    }


def test_a_rush_from_the_wish_to_the_plan(shop, api_client_for):
    sales, planner = api_client_for("sales"), api_client_for("planner")
    made = post(sales, URL, wish(shop), key="k1")
    assert made.status_code == 201, made.json()
    assert post(sales, URL, wish(shop), key="k1").json()["number"] == made.json()["number"]
    assert RushRequest.objects.count() == 1
    run_due(now=MONDAY, include_waiting=True)
    one = f"{URL}{made.json()['number']}/"
    body = sales.get(one).json()
    assert body["status"] == "pending_approval"
    assert body["assessment"]["kept"]
    assert sales.get(f"{URL}?status=pending_approval").json()["count"] == 1
    assert post(sales, f"{one}approve/").status_code == 403
    done = post(planner, f"{one}approve/", key="k2").json()
    assert (done["status"], done["promised_date"]) == ("applied", "2026-11-24")
    assert post(planner, f"{one}approve/").status_code == 409
    assert post(sales, f"{one}cancel/").status_code == 409


def test_a_plan_that_moved_is_a_conflict_and_the_request_is_simulated_anew(shop, api_client_for):
    sales, planner = api_client_for("sales"), api_client_for("planner")
    number = post(sales, URL, wish(shop)).json()["number"]
    run_due(now=MONDAY, include_waiting=True)
    shop.approved(("PART", 30), wanted=FRIDAY)
    shop.convert()
    shop.replan()
    refused = post(planner, f"{URL}{number}/approve/", key="k")
    assert refused.status_code == 409
    assert "simulated anew" in refused.json()["detail"]
    assert planner.get(f"{URL}{number}/").json()["status"] == "draft"


def test_rejecting_and_withdrawing(shop, api_client_for):
    sales, supervisor = api_client_for("sales"), api_client_for("supervisor")
    number = post(sales, URL, wish(shop, wants_decision=False)).json()["number"]
    run_due(now=MONDAY, include_waiting=True)
    assert sales.get(f"{URL}{number}/").json()["status"] == "assessed"
    assert post(sales, f"{URL}{number}/submit/").json()["status"] == "pending_approval"
    assert post(supervisor, f"{URL}{number}/reject/", {"reason": ""}).status_code == 400
    rejected = post(supervisor, f"{URL}{number}/reject/", {"reason": "No"}).json()
    assert (rejected["status"], rejected["decided_by"]) == ("rejected", "supervisor")
    number = post(sales, URL, wish(shop)).json()["number"]
    assert post(sales, f"{URL}{number}/cancel/").json()["status"] == "cancelled"


def test_what_is_wrong_with_a_wish(shop, api_client_for):
    sales = api_client_for("sales")
    assert post(sales, URL, wish(shop, position=99)).status_code == 404
    assert post(sales, URL, wish(shop, wanted_date="soon")).status_code == 400
    assert post(sales, URL, wish(shop, colour="red")).status_code == 400
    assert post(sales, URL, wish(shop, wanted_date="2026-12-24")).status_code == 409
    assert post(api_client_for("operator"), URL, wish(shop)).status_code == 403
