"""Rush requests by their pages: asked for, followed, read, decided, shown on the order."""

import json
from datetime import date

import pytest
import time_machine
from django.utils.translation import override

from aps.enums import RunKind, RunState
from aps.services import scenarios
from common.jobs import run_due
from common.templatetags import ui_format
from crm.enums import RushState
from crm.models import RushRequest
from crm.services import orders, rush
from crm.views import rush_words
from masterdata.models import Customer
from tests.crm.factories import FRIDAY, MONDAY, Shop
from tests.factories import UserFactory
from tests.shared import shared

pytestmark = pytest.mark.django_db

TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)
DAY_OF_WORK = 9 * 60
QUEUE = "/orders/rush/"
READERS = ["sales", "planner", "supervisor", "manager", "purchasing", "warehouse"]


@pytest.fixture(autouse=True)
def monday(settings):
    settings.SOLVE_SECONDS = 0.03
    with time_machine.travel(MONDAY, tick=False):
        yield


@shared(at=MONDAY, SOLVE_SECONDS=0.03)
def shop():
    """One lathe; two days of work for ACME before one day for another order, both planned."""
    shop = Shop()
    shop.long = shop.approved(("PART", 2 * DAY_OF_WORK), wanted=WEDNESDAY)
    work(shop)
    shop.short = shop.approved(("PART", DAY_OF_WORK), wanted=FRIDAY)
    work(shop)
    return shop


def work(shop):
    """Let all jobs run that the ledger holds."""
    run_due(now=shop.now, include_waiting=True)


def ask(shop, wanted=TUESDAY, **kwargs):
    return rush.request(
        line=shop.line(shop.short),
        wanted_date=wanted,
        reason="The line stands still",
        by=shop.sales,
        now=shop.now,
        **kwargs,
    )


def asked(shop, **kwargs):
    """A request, simulated."""
    found = ask(shop, **kwargs)
    work(shop)
    found.refresh_from_db()
    return found


def page(found, step=""):
    return f"{QUEUE}{found.number}/{step}"


def form_page(shop):
    return f"/orders/{shop.short.number}/lines/10/rush/"


def send(client, shop, **fields):
    key = client.get(form_page(shop)).context["form"]["idempotency_key"].value()
    data = {"idempotency_key": key, "wanted_date": str(TUESDAY), "reason": "It stands still"}
    return client.post(form_page(shop), data | fields)


def text(answer):
    return answer.content.decode()


# ---- who may


def test_who_sees_orders_sees_rush_requests(client_for, shop):
    found = asked(shop)
    for role in READERS:
        client = client_for(role)
        assert client.get(QUEUE).status_code == 200, role
        shown = text(client.get(page(found)))
        assert ("/approve/" in shown) == (role in ("planner", "supervisor")), role
        assert ("/withdraw/" in shown) == (role in ("planner", "sales")), role


def test_who_may_not_is_refused(client_for, shop):
    refused = {
        "sales": ["approve", "reject"],
        "supervisor": ["submit", "withdraw"],
        "warehouse": ["submit", "approve", "reject", "withdraw"],
        "manager": ["approve", "reject"],
    }
    found = asked(shop)
    for role, steps in refused.items():
        for step in steps:
            answer = client_for(role).post(page(found, f"{step}/"))
            assert answer.status_code == 403, (role, step)
            found.refresh_from_db()
            assert found.state == RushState.PENDING, (role, step)


def test_nothing_is_decided_by_a_link(client_for, shop):
    found, client = asked(shop), client_for("administrator")
    for step in ("submit", "approve", "reject", "withdraw"):
        assert client.get(page(found, f"{step}/")).status_code == 405, step
        found.refresh_from_db()
        assert found.state == RushState.PENDING, step


# ---- asked for


def test_sales_asks_on_the_line_and_follows_the_simulation(client_for, shop):
    client = client_for("sales")
    assert form_page(shop) in text(client.get(f"/orders/{shop.short.number}/"))
    answer = send(client, shop)
    found = RushRequest.objects.get()
    assert answer.headers["Location"] == page(found)
    assert (found.wanted_date, found.wants_decision) == (TUESDAY, True)
    shown = text(client.get(page(found)))
    assert 'hx-trigger="every 1s"' in shown
    assert "You may leave this page" in shown
    work(shop)
    part = client.get(page(found), headers={"HX-Request": "true"})
    assert part.headers["HX-Refresh"] == "true"
    assert "every 1s" not in text(client.get(page(found)))


def test_a_form_sent_twice_asks_once(client_for, shop):
    client = client_for("sales")
    key = client.get(form_page(shop)).context["form"]["idempotency_key"].value()
    data = {"idempotency_key": key, "wanted_date": str(TUESDAY), "reason": "It stands still"}
    first, second = (client.post(form_page(shop), data) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert RushRequest.objects.count() == 1


def test_what_cannot_be_asked_is_told_in_the_form(client_for, shop):
    wrong = [
        ({"reason": " "}, "This field is required"),
        ({"wanted_date": ""}, "This field is required"),
        ({"wanted_date": "2026-11-01"}, "Give a day from today on"),
        ({"wanted_date": "2027-02-01"}, "needs no rush"),
    ]
    for fields, said in wrong:
        answer = send(client_for("sales"), shop, **fields)
        assert answer.status_code == 422, fields
        assert said in text(answer), fields
        assert not RushRequest.objects.exists(), fields


def test_a_second_rush_of_the_line_is_led_to_the_first(client_for, shop):
    found = asked(shop)
    client = client_for("sales")
    assert page(found) in text(client.get(form_page(shop)))
    order = text(client.get(f"/orders/{shop.short.number}/"))
    assert form_page(shop) not in order
    assert page(found) in order


def test_sales_may_only_look_and_ask_for_a_decision_later(client_for, shop):
    client = client_for("sales")
    send(client, shop, action="look")
    work(shop)
    found = RushRequest.objects.get()
    assert found.state == RushState.ASSESSED
    assert "/approve/" not in text(client_for("planner").get(page(found)))
    client.post(page(found, "submit/"))
    found.refresh_from_db()
    assert found.state == RushState.PENDING


def test_the_answer_that_order_entry_asks_for_becomes_a_request(client_for, shop):
    order = shop.enter(("PART", DAY_OF_WORK), wanted=TUESDAY)
    client_for("sales").post(f"/orders/{order.number}/submit/", {"rush": "10"})
    found = RushRequest.objects.get()
    assert found.line.order == order
    shown = text(client_for("sales").get(f"/orders/{order.number}/"))
    assert page(found) in shown
    # Nobody has approved it: a simulation runs, no work order is being made.
    assert "What the rush would mean is being simulated" in shown
    assert "Work orders and dates are being made" not in shown
    work(shop)
    shown = text(client_for("sales").get(f"/orders/{order.number}/"))
    assert "follows by itself" not in shown
    assert "It has no work orders yet" in text(client_for("planner").get(page(found)))


def test_the_form_offers_the_customers_day_only_where_the_plan_misses_it(client_for, shop):
    client = client_for("sales")
    assert client.get(form_page(shop)).context["form"]["wanted_date"].value() is None
    line = shop.line(shop.short)
    line.projected_date = date(2026, 12, 24)
    line.save()
    assert client.get(form_page(shop)).context["form"]["wanted_date"].value() == FRIDAY


# ---- read


def test_the_page_says_who_moves_and_whose_promise_breaks(client_for, shop):
    Customer.objects.update(name_zh="顶点公司")
    found = asked(shop)
    answer = client_for("sales").get(page(found))
    shown = text(answer)
    assert "can be kept" in shown
    (moved,) = answer.context["answer"].moved
    assert moved.line == f"{shop.long.number}/10"
    assert (moved.word, moved.tone) == ("Breaks the promise", "late")
    assert moved.shift == "1 day later"
    assert answer.context["answer"].breaks == (moved.line,)
    # Whoever reads it, the customer is called in their language.
    assert moved.customer == "Acme Corp"
    for language, name in (("zh-hans", "顶点公司"), ("en", "Acme Corp")):
        with override(language):
            (row,) = rush_words.answer(found).moved
        assert row.customer == name
    assert f"/plan/scenarios/{found.run_id}/?part=figures" in shown


def test_the_figures_come_from_planning_as_a_part(client_for, shop):
    found = asked(shop)
    shown = text(client_for("sales").get(f"/plan/scenarios/{found.run_id}/?part=figures"))
    assert "<html" not in shown
    assert "Weighted lateness" in shown
    assert "Worse" in shown


def test_what_cannot_be_kept_says_what_decides_and_the_best_day(client_for, shop):
    found = asked(shop, wanted=MONDAY.date())
    answer = client_for("sales").get(page(found))
    assert "cannot be kept" in text(answer)
    assert answer.context["answer"].binding_unit == "LATHE-1"
    assert "approving promises that day" in text(answer)


def test_a_simulation_that_failed_says_why(client_for, shop):
    found = asked(shop)
    found.state, found.assessment = RushState.ASSESSED, {"error": "No room at all."}
    found.save()
    shown = text(client_for("sales").get(page(found)))
    assert "No room at all." in shown
    assert "/submit/" not in shown
    assert "/withdraw/" in shown


@pytest.mark.parametrize(
    ("days", "minutes", "said"),
    [
        (3, 4000, "3 days later"),
        (1, 600, "1 day later"),
        (-2, -3000, "2 days earlier"),
        (0, 90, "same day, 1\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}30\N{NO-BREAK SPACE}min later"),
        (0, -20, "same day, 20\N{NO-BREAK SPACE}min earlier"),
        (None, None, ""),
    ],
)
def test_a_move_is_told_in_days_at_the_door(days, minutes, said):
    one = {
        "line": "SO-1/10",
        "customer": "ACME",
        "promised": "2026-11-27",
        "before": "2026-11-25",
        "after": None if days is None else "2026-11-26",
        "days": days,
        "minutes": minutes,
        "breaks_promise": False,
    }
    found = {**_found(), "orders": [one]}
    (moved,) = rush_words.answer(RushRequest(assessment=found)).moved
    assert moved.shift.startswith(said)
    assert bool(moved.shift) == bool(said)


def _found():
    return {
        "kept": True,
        "day": "2026-11-24",
        "ready_at": None,
        "binding_unit": "",
        "is_before_conversion": False,
        "base_version": 1,
        "orders": [],
        "promise_breaks": [],
        "material": [],
        "help": [],
        "before": {"late_orders": 0},
        "after": {"late_orders": 1},
    }


def test_material_says_whether_it_comes_in_time():
    late = {
        "item": "STEEL",
        "quantity": "12.5",
        "needed_by": "2026-11-24T08:00:00+00:00",
        "work_order": "WO-1",
        "expected_at": "2026-11-26T08:00:00+00:00",
        "purchase_order": "PO-7",
    }
    missing = {**late, "purchase_order": ""}
    never = {**missing, "expected_at": ""}
    found = {**_found(), "material": [late, missing, never]}
    first, second, third = rush_words.answer(RushRequest(assessment=found)).material
    assert (first.text, first.is_short) == ("12.5 × STEEL", True)
    assert "PO-7 brings it" in first.detail
    assert "ordered now, it is here on 26 Nov" in second.detail
    assert "not on order" in third.detail


# ---- the queue and the decision


def test_the_queue_holds_what_waits_and_tells_what_each_would_do(client_for, shop):
    found = asked(shop)
    client = client_for("supervisor")
    shown = text(client.get(QUEUE))
    for word in (found.number, "Kept", "1 promise broken", "1 order line moves", "/approve/"):
        assert word in shown
    assert "/approve/" not in text(client_for("sales").get(QUEUE))
    client.post(page(found, "reject/"), {"reason": "no"})
    client.get(page(found))  # the toast is shown once
    assert page(found) not in text(client.get(QUEUE))
    assert page(found) in text(client.get(QUEUE + "?state=all"))
    assert page(found) in text(client.get(QUEUE + "?state=rejected"))
    assert "No rush request fits" in text(client.get(QUEUE + "?state=applied"))


def test_an_empty_queue_says_where_a_rush_begins(client_for, shop):
    assert "Nothing waits for a decision" in text(client_for("planner").get(QUEUE))


def test_the_queue_asks_as_often_for_many_as_for_few(
    client_for, shop, django_assert_max_num_queries
):
    asked(shop)
    client = client_for("planner")
    client.get(QUEUE)
    with django_assert_max_num_queries(50) as few:
        client.get(QUEUE)
    first = RushRequest.objects.get()
    for number in range(4):
        RushRequest.objects.create(
            number=f"RR-{number}",
            line=first.line,
            state=RushState.REJECTED,
            wanted_date=TUESDAY,
            reason="again",
            requested_at=MONDAY,
            requested_by=UserFactory(),
            weight=1,
            assessment=first.assessment,
        )
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert text(client.get(QUEUE + "?state=all")).count("RR-") >= 5


def test_one_click_approves_and_goes_back_to_the_queue(client_for, shop):
    found = asked(shop)
    answer = client_for("supervisor").post(page(found, "approve/"), {"next": QUEUE})
    assert answer.headers["Location"] == QUEUE
    found.refresh_from_db()
    assert found.state == RushState.APPLIED
    assert found.run.state == RunState.PUBLISHED
    shown = text(client_for("sales").get(page(found)))
    assert "It is in the plan" in shown
    order = text(client_for("sales").get(f"/orders/{shop.short.number}/"))
    assert "Rush order" in order
    assert found.number in order
    assert "asked for a rush" in order


def test_nobody_is_sent_elsewhere_after_a_decision(client_for, shop):
    found = asked(shop)
    answer = client_for("planner").post(page(found, "approve/"), {"next": "https://evil.test/"})
    assert answer.headers["Location"] == page(found)


def test_a_rejection_wants_a_reason_and_shows_it(client_for, shop):
    found = asked(shop)
    client = client_for("planner")
    client.post(page(found, "reject/"), {"reason": " "})
    found.refresh_from_db()
    assert found.state == RushState.PENDING
    client.post(page(found, "reject/"), {"reason": "ACME has our word"})
    assert "ACME has our word" in text(client_for("sales").get(page(found)))
    assert "ACME has our word" in text(client.get(f"/orders/{shop.short.number}/"))


def test_a_stale_rush_is_told_and_simulated_anew_by_itself(client_for, shop):
    found = asked(shop)
    other = scenarios.create(
        site_id=shop.site.pk,
        kind=RunKind.WHAT_IF,
        name="Other",
        changes=[
            {
                "kind": "close",
                "work_unit": "LATHE-1",
                "starts_at": "2026-11-23T08:00:00+00:00",
                "ends_at": "2026-11-24T08:00:00+00:00",
            }
        ],
        by=None,
        now=shop.now,
    )
    work(shop)
    other.refresh_from_db()
    scenarios.publish(run=other, by=None, now=shop.now)
    client = client_for("planner")
    shown = text(client.post(page(found, "approve/"), follow=True))
    assert "The plan has changed since" in shown
    assert "being simulated anew" in shown
    found.refresh_from_db()
    assert found.state == RushState.DRAFT
    # How far the simulation before it came says nothing.
    assert client.get(page(found)).context["percent"] == 0
    work(shop)
    found.refresh_from_db()
    assert found.state == RushState.PENDING
    assert "/approve/" in text(client.get(page(found)))


def test_sales_withdraws(client_for, shop):
    found = asked(shop)
    client_for("sales").post(page(found, "withdraw/"))
    found.refresh_from_db()
    assert found.state == RushState.CANCELLED


def test_the_order_page_asks_as_often_with_many_rushes_as_with_one(
    client_for, shop, django_assert_max_num_queries
):
    found = asked(shop)
    client = client_for("sales")
    url = f"/orders/{shop.short.number}/"
    client.get(url)
    with django_assert_max_num_queries(60) as few:
        client.get(url)
    for number in range(3):
        RushRequest.objects.create(
            number=f"RR-{number}",
            line=found.line,
            state=RushState.REJECTED,
            wanted_date=TUESDAY,
            reason="again",
            requested_at=MONDAY,
            requested_by=UserFactory(),
            decided_at=MONDAY,
            decided_by=UserFactory(),
            weight=1,
        )
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(url)


def test_the_pages_speak_chinese(client_for, user_for, shop):
    found = asked(shop)
    planner = user_for("planner")
    planner.language = "zh-hans"
    planner.save()
    for url in (QUEUE, page(found), form_page(shop)):
        shown = text(client_for("planner").get(url)).split("<main")[1]
        for english in ("Rush", "promise", "Wanted", "Reason", "order line"):
            assert english not in shown


# ---- what would help, as a scenario


def late_rush():
    """A rush that overtime would keep."""
    shop = Shop()
    shop.short = shop.approved(("PART", 2 * DAY_OF_WORK + 60), wanted=FRIDAY)
    work(shop)
    return asked(shop)


@pytest.mark.parametrize(("role", "is_offered"), [("planner", True), ("sales", False)])
def test_overtime_that_helps_opens_a_scenario_for_planners(client_for, user_for, role, is_offered):
    found = late_rush()
    client = client_for(role)
    urls = (page(found), f"/plan/scenarios/{found.run_id}/")
    for url in urls:
        shown = text(client.get(url))
        assert "of overtime after each shift" in shown
        assert ('name="offer"' in shown) is is_offered
    if is_offered:
        offer = json.dumps(found.assessment["help"][0]["changes"])
        form = client.post("/plan/scenarios/new/", {"offer": offer, "name": found.number})
        assert form.status_code == 200
        assert len(form.context["changes"]) == len(found.assessment["help"][0]["changes"])
    # The simulation speaks the worker's language, a page that of who reads it.
    reader = user_for(role)
    reader.language = "zh-hans"
    reader.save()
    assert not any("after each shift" in text(client.get(url)) for url in urls)


def test_the_scenario_and_the_request_say_the_same_day(client_for, shop):
    found = asked(shop)
    client = client_for("planner")
    day = date.fromisoformat(found.assessment["day"])
    assert found.run.comparison["rush"]["day"] == found.assessment["day"]
    shown = text(client.get(f"/plan/scenarios/{found.run_id}/"))
    assert f"Projected {ui_format.day(day)}; wanted {ui_format.day(TUESDAY)}." in shown
    [other] = found.assessment["orders"]
    for url in (page(found), f"/plan/scenarios/{found.run_id}/"):
        shown = text(client.get(url))
        for name in ("before", "after"):
            moved = date.fromisoformat(other[name])
            assert ui_format.day(moved, short=True) in shown


def test_a_rush_that_is_approved_before_its_order_shows_on_the_order(shop, client_for):
    order = shop.submitted(("PART", DAY_OF_WORK), wanted=TUESDAY, rush=[10])
    work(shop)
    found = RushRequest.objects.get(line__order=order)
    rush.approve(rush=found, by=UserFactory(username="pia", roles=["planner"]), now=shop.now)
    page = client_for("sales").get(f"/orders/{order.number}/")
    assert "24 Nov once the order is approved" in text(page)
    told = [(entry.who, entry.what) for entry in page.context["history"]]
    assert ("pia", "approved the rush") in told
    orders.approve(order=order, by=shop.sales, now=shop.now)
    work(shop)
    page = client_for("sales").get(f"/orders/{order.number}/")
    assert "once the order is approved" not in text(page)
    assert shop.line(order).promised_date == TUESDAY


def test_a_rush_that_has_no_room_is_told_in_the_readers_words(shop):
    huge = shop.submitted(("PART", 6 * 365 * 24 * 60), wanted=TUESDAY, rush=[10])
    work(shop)
    found = RushRequest.objects.get(line__order=huge)
    assert found.assessment["error"].startswith("The work does not fit into the 6 years")
