"""A machine fails in mid-run, as people see it: terminal, board of alarms, sales, customers.

The browser twin of ``tests/flows/test_breakdown.py``: a real server with its streams of events, a
real worker and dispatcher. Nobody loads a page again where the page is meant to follow by itself.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Response, expect

from aps.models import ScheduleRun
from common.models import User
from crm.models import DelayNotice, NoticeRule, SalesOrderLine
from masterdata.models import Customer
from mes.enums import IncidentState, OperationState
from mes.models import Downtime, Incident, WorkOrderOperation
from mes.services import reasons
from tests.browser.checks import assert_accessible, check_width, watched
from tests.browser.people import PATIENCE, People
from tests.faults.live import wait_until
from tests.flows.chain import settle
from tests.flows.test_breakdown import _no_other_can_do_it, _running_and_busy

pytestmark = [
    pytest.mark.browser,
    pytest.mark.worker,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]

TABLET = {"width": 1024, "height": 768}
PHONE = {"width": 360, "height": 760}
PLAN_SECONDS = 30
STANDS = timedelta(days=60)
OURS = re.compile(r"INC-|bearing|LATHE|TURN|MILL-|SAW-")


@pytest.mark.parametrize("people", ["zh-hans"], indirect=True)
def test_a_machine_fails_and_everybody_sees_what_concerns_them(people: People) -> None:
    reasons.seed()
    NoticeRule.objects.create(customer=Customer.objects.get(code="CUST-A"))
    operation = _running_and_busy()
    assert operation.work_unit
    unit = operation.work_unit.code
    _no_other_can_do_it(operation.work_unit)
    days = dict(SalesOrderLine.objects.values_list("pk", "projected_date"))

    tablet = people.enter("operator", viewport=TABLET)
    streams = _streams(tablet)
    tablet.goto(f"/floor/terminal/?unit={unit}&job={operation.pk}")
    board = people.enter("supervisor")
    board.goto("/andon/")
    expect(board.locator(".andon-quiet")).to_be_visible()
    tablet.evaluate("window.isSamePage = true")
    following = tablet.locator(".term-side ol.term-next")
    before = following.inner_text()

    with watched(tablet) as faults, watched(board) as more:
        _the_operator_taps(people, tablet, operation)
        tile = _the_alarm_appears(people, board, unit)
        version = _published().version or 0
        _the_supervisor_says_how_long(people, board, tile)
        _the_plan_is_mended(version)
        # The tablet follows: other work is next now, and what runs here is not resumed.
        expect(following).not_to_have_text(before, use_inner_text=True, timeout=PATIENCE)
        expect(tablet.locator(".andon-call .andon-who")).to_contain_text(
            people.say("%(who)s is on it.", who=User.objects.get(username="supervisor"))
        )
    assert not [*faults, *more]
    settle()
    late = _late(days)
    _sales_and_customers_know(people, late)
    _the_machine_runs_again(people, board, tablet, tile, operation)
    assert streams, "the tablet asked every few seconds instead of being told"
    assert tablet.evaluate("window.isSamePage"), "the tablet was loaded anew"


def _streams(page: Page) -> list[str]:
    """The streams of events that the page was given."""
    found: list[str] = []

    def note(response: Response) -> None:
        if "/events/" in response.url and response.status == 200:
            found.append(response.url)

    page.on("response", note)
    return found


def _the_operator_taps(people: People, page: Page, operation: WorkOrderOperation) -> None:
    job = page.locator("#job")
    expect(job).to_have_attribute("data-operation", str(operation.pk))
    expect(job).to_have_attribute("data-phase", re.compile("running|rework|full|checks"))
    people.button(page.locator(".andon"), "Machine down").click()
    # One tap, and the tablet asks how long; what ran is interrupted by itself.
    expect(page.locator(".andon-call [data-since]")).to_have_text(re.compile(r"\d\d:\d\d"))
    expect(page.locator(".andon-spans button").first).to_be_visible()
    expect(job).to_have_attribute("data-phase", "blocked")
    check_width(page, page.url)
    assert_accessible(page)
    operation.refresh_from_db()
    assert operation.state == OperationState.INTERRUPTED


def _the_alarm_appears(people: People, page: Page, unit: str) -> Locator:
    """By itself, with a timer that runs."""
    tile = page.locator(f".andon-tile:has(.andon-unit:text-is('{unit}'))")
    expect(tile).to_be_visible()
    expect(tile.locator(".andon-kind")).to_have_text(people.say("Machine down"))
    timer = tile.locator(".andon-clock [data-since]")
    first = timer.inner_text()
    expect(timer).not_to_have_text(first)
    assert_accessible(page)
    people.button(tile, "I am on it").click()
    expect(tile).to_have_class(re.compile("andon-acknowledged"))
    return tile


def _the_supervisor_says_how_long(people: People, page: Page, tile: Locator) -> None:
    people.button(tile, "How long?").click()
    dialog = page.locator("dialog[open]")
    dialog.locator("select[name=reason]").select_option("SPINDLE")
    until = timezone.localtime() + STANDS
    dialog.locator("input[name=until]").fill(f"{until:%Y-%m-%dT%H:%M}")
    people.button(dialog, "Save").click()
    expect(tile.locator(".andon-down time")).to_be_attached()


def _the_plan_is_mended(version: int) -> None:
    wait_until(lambda: (_published().version or 0) > version, PLAN_SECONDS)
    incident = Incident.objects.get()
    assert incident.capacity_changed_at
    published_at = _published().published_at
    assert published_at
    assert published_at - incident.capacity_changed_at <= timedelta(seconds=PLAN_SECONDS)


def _published() -> ScheduleRun:
    return ScheduleRun.objects.get(state="published")


def _late(days: dict[int, date | None]) -> dict[int, SalesOrderLine]:
    """The lines whose day went later, and past the promise."""
    lines = SalesOrderLine.objects.select_related("order__customer").filter(
        promised_date__isnull=False, projected_date__isnull=False
    )
    found = {}
    for line in lines:
        before, now, promised = days[line.pk], line.projected_date, line.promised_date
        if before and now and promised and now > max(before, promised):
            found[line.pk] = line
    assert found, "the breakdown is long enough to hurt somebody"
    return found


def _sales_and_customers_know(people: People, late: dict[int, SalesOrderLine]) -> None:
    """Drafts of exactly those lines; who is told by rule reads it, and nobody else does."""
    drafts = DelayNotice.objects.filter(state="draft").select_related("line__order__customer")
    sent = DelayNotice.objects.filter(state="sent").select_related("line__order__customer")
    assert {notice.line_id for notice in [*drafts, *sent]} == set(late)
    assert {notice.line.order.customer.code for notice in sent} == {"CUST-A"}
    assert "CUST-B" in {notice.line.order.customer.code for notice in drafts}
    sales = people.enter("sales")
    sales.goto("/orders/delays/")
    titles = sales.locator(".notice h2 a")
    expect(titles).to_have_count(min(len(drafts), 20))
    shown = {text.strip() for text in titles.all_inner_texts()}
    assert shown <= {f"{row.line.order.number} / {row.line.position}" for row in drafts}
    expect(sales.locator(".notice-why").first).to_contain_text("我厂一台设备需要维修。")
    assert_accessible(sales)
    for username, code in (("customer", "CUST-A"), ("customer-b", "CUST-B")):
        page = people.enter(username, viewport=PHONE, java_script_enabled=False)
        page.goto("/portal/notices/")
        told = {row.line.order.number for row in sent if row.line.order.customer.code == code}
        rows = page.locator(".portal-row")
        expect(rows).to_have_count(sum(row.line.order.customer.code == code for row in sent))
        text = page.locator("main").inner_text()
        assert set(re.findall(r"SO-\d+", text)) == told
        assert not OURS.search(text), text
        check_width(page, page.url)


def _the_machine_runs_again(
    people: People, board: Page, tablet: Page, tile: Locator, operation: WorkOrderOperation
) -> None:
    version = _published().version or 0
    people.button(tablet.locator(".andon"), "Machine runs again").click()
    # The board is told, the job goes on, the plan may use the machine again.
    expect(tile).to_have_count(0)
    expect(board.locator(".andon-quiet")).to_be_visible()
    resume = people.button(tablet.locator("#job"), "Resume")
    expect(resume).to_be_visible()
    resume.click()
    expect(tablet.locator("#job")).to_have_attribute(
        "data-phase", re.compile("running|rework|full|checks")
    )
    _the_plan_is_mended(version)
    incident = Incident.objects.get()
    assert incident.state == IncidentState.CLOSED
    assert Downtime.objects.get().ends_at is not None
    board.goto(f"/incidents/{incident.number}/")
    story = board.locator(".timeline").last
    for words in ("Alarm raised", "Work interrupted", "Alarm answered", "Machine runs again"):
        expect(story).to_contain_text(people.say(words))
    assert_accessible(board)
    # The stop is counted, by its reason.
    board.goto("/machines/")
    expect(board.locator(".cause").first).to_contain_text("主轴或轴承")
    operation.refresh_from_db()
    assert operation.state == OperationState.RUNNING
