"""The terminal as people use it: a scanner, big keys, a network that goes away."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from common import documents
from common.models import AuditEntry, User
from mes.enums import OperationState, WorkOrderState
from mes.models import OperationReport, TimeBooking
from mes.services import badges, execution, scans
from tests.browser.checks import assert_accessible, check_width, speak, watched
from tests.browser.floor import Floor, small_targets
from tests.mes.factories import WorkOrderCheckFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=["en", "zh-hans"])
def floor(request, page_for, live_server) -> Floor:
    return Floor(page_for, live_server.url, request.param)


def test_a_job_is_made_by_badge_and_big_keys(floor: Floor) -> None:
    page = floor.page
    page.goto("/floor/terminal/")
    speak(page, page.url, floor.language)
    assert small_targets(page) == []
    assert_accessible(page)
    with watched(page) as faults:
        floor.enter()
        expect(page.locator(".term-who")).to_have_text("ada")
        assert small_targets(page) == []
        floor.primary()
        floor.phase("setup")
        floor.primary()
        floor.phase("running")
        assert_accessible(page)
        # The pad is filled in with all that is left; two are scrap, one is to be reworked.
        floor.primary()
        expect(page.locator("[data-value=good]")).to_have_text("10")
        page.locator("[data-count=scrap]").click()
        floor.press("2")
        expect(page.locator("[data-value=good]")).to_have_text("8")
        expect(page.locator("[data-send]")).to_be_disabled()
        page.locator("[data-reason=t-crack]").click()
        page.locator("[data-count=rework]").click()
        floor.press("+1")
        page.locator("[data-reason=t-burr]").click()
        assert small_targets(page) == []
        assert_accessible(page)
        page.locator("[data-send]").click()
        floor.phase("rework")
        expect(page.locator("#chip")).to_be_hidden()
        # Back from rework, then a mistake that is taken back within seconds.
        floor.primary()
        expect(page.locator("[data-value=good]")).to_have_text("1")
        page.locator("[data-send]").click()
        floor.phase("full")
        page.locator("#undo [data-undo]").click()
        floor.phase("rework")
        floor.primary()
        page.locator("[data-send]").click()
        floor.phase("full")
        floor.primary()
        expect(page.locator("#job .term-item")).to_have_text("BOLT")
        # Finished too soon: the next page still offers to take it back.
        page.locator("#undo [data-undo]").click()
        expect(page.locator("#job .term-item")).to_have_text("AXLE")
        floor.phase("interrupted")
        floor.order.refresh_from_db()
        assert (floor.order.state, floor.order.completed_at) == (WorkOrderState.IN_PROGRESS, None)
        floor.primary()
        floor.phase("rework")
        floor.primary()
        page.locator("[data-send]").click()
        floor.phase("full")
        floor.primary()
        expect(page.locator("#job .term-item")).to_have_text("BOLT")
    # The test server keeps no streams; the page then asks by itself.
    assert [fault for fault in faults if "503" not in fault] == []
    floor.operation.refresh_from_db()
    assert floor.operation.state == OperationState.DONE
    assert (floor.operation.good, floor.operation.scrap) == (8, 2)
    first = OperationReport.objects.filter(operation=floor.operation).earliest("pk")
    assert first.reason_code.code == "t-crack"
    assert set(
        TimeBooking.objects.filter(operation=floor.operation, person=floor.ada).values_list(
            "kind", flat=True
        )
    ) == {"setup", "run"}


@pytest.fixture
def english(page_for, live_server) -> Floor:
    return Floor(page_for, live_server.url, "en")


def test_reports_wait_for_the_network_and_count_once(english: Floor) -> None:
    floor, page = english, english.enter()
    page.context.set_offline(True)
    page.locator("#job [data-act=start]:not([data-setup])").click()
    floor.phase("running")
    for number in ("3", "4"):
        floor.primary()
        floor.press("clear", number)
        page.locator("[data-send]").click()
    expect(page.locator("#chip")).to_have_text("3 waiting")
    expect(page.locator("[data-show=left]")).to_have_text("3")
    assert not OperationReport.objects.exists()
    # Kept across a reload; then the answer to the first report is lost on its way back.
    closed = True
    lost: list[str] = []

    def gate(route) -> None:
        if route.request.method == "POST" and closed:
            route.abort()
        elif route.request.url.endswith("/report/") and not lost:
            lost.append(route.request.headers["idempotency-key"])
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/*", gate)
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("#chip")).to_have_text("3 waiting")
    closed = False
    expect(page.locator("#chip")).to_be_hidden()
    assert lost
    floor.operation.refresh_from_db()
    assert floor.operation.good == 7
    assert OperationReport.objects.count() == 2
    expect(page.locator("[data-show=left]")).to_have_text("3")


def test_what_the_server_refuses_later_is_shown_and_kept(english: Floor) -> None:
    floor, page = english, english.enter()
    with page.expect_response("**/start/"):  # The screen does not wait for it.
        page.locator("#job [data-act=start]:not([data-setup])").click()
    floor.phase("running")
    # Shown when the press was noted, gone when it was answered.
    expect(page.locator("#chip")).to_be_hidden()
    page.context.set_offline(True)
    floor.primary()
    page.locator("[data-send]").click()
    expect(page.locator("#chip")).to_have_text("1 waiting")
    # Somebody at another tablet was first.
    execution.report(operation=floor.operation, good=Decimal(10), by=floor.ada, now=timezone.now())
    page.context.set_offline(False)
    expect(page.locator("#stop-title")).to_contain_text("10 more are too many")
    assert_accessible(page)
    page.locator("[data-stop-close]").click()
    expect(page.locator("#chip")).to_have_text("1 refused")
    floor.phase("full")
    page.reload()
    expect(page.locator("#chip")).to_have_text("1 refused")
    page.locator("#chip").click()
    row = page.locator("#queue li.is-refused")
    expect(row).to_contain_text("10 more are too many")
    row.get_by_role("button", name="Discard").click()
    row.get_by_role("button", name="Discard for good?").click()
    expect(page.locator("#chip")).to_be_hidden()
    assert OperationReport.objects.count() == 1


def test_a_scan_lands_in_the_scan_field_wherever_the_cursor_is(english: Floor) -> None:
    floor, page = english, english.enter()
    other = floor.plant.orders("BOLT")[0]
    page.locator(".term-quiet").focus()
    floor.scan(f"MS:WO:{other.number}")
    expect(page.locator("#job .term-item")).to_have_text("BOLT")
    floor.scan("4006381333931")
    expect(page.locator("#stop-title")).to_contain_text("4006381333931 is not known here")
    # The whole screen says so.
    size, box = page.viewport_size, page.locator(".term-stop[open]").bounding_box()
    assert size
    assert box == {"x": 0, "y": 0, **size}
    floor.scan("MS:nothing")  # The refusal in sight is not confirmed by the next scan.
    expect(page.locator("#stop-title")).to_contain_text("MS:nothing is not known here")


def test_the_terminal_fits_a_phone_and_the_dark(english: Floor) -> None:
    page = english.enter()
    page.set_viewport_size({"width": 360, "height": 740})
    page.context.add_cookies(
        [{"name": "theme", "value": "dark", "url": page.url.split("/floor")[0]}]
    )
    page.reload()
    check_width(page, page.url)
    assert small_targets(page) == []
    assert_accessible(page)
    page.locator("#job [data-act=start]:not([data-setup])").click()
    english.phase("running")
    english.primary()
    check_width(page, page.url)
    assert_accessible(page)


# A camera that sees one picture: a canvas with the code, as a stream.
CAMERA = """code => navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 480;
  const picture = new Image();
  picture.src = code;
  await picture.decode();
  const draw = () => canvas.getContext('2d').drawImage(picture, 0, 0, 480, 480);
  setInterval(draw, 50);
  draw();
  return canvas.captureStream();
}"""


def test_the_camera_reads_a_label_with_our_own_reader(english: Floor) -> None:
    floor, page = english, english.enter()
    other = floor.plant.orders("BOLT")[0]
    code = documents.qr(scans.work_order_code(other.number), scale=8)
    page.add_init_script(f"({CAMERA})('{code}')")
    with watched(page) as faults:
        page.locator(".term-camera-link").click()
        expect(page.locator("#job .term-item")).to_have_text("BOLT")
    assert [fault for fault in faults if "503" not in fault] == []
    camera = page.request.get("/floor/terminal/camera/").headers["content-security-policy"]
    assert "'wasm-unsafe-eval'" in camera
    assert "wasm" not in page.request.get("/floor/terminal/").headers["content-security-policy"]


def test_checks_are_answered_before_the_operation_is_finished(floor: Floor) -> None:
    limits = {"lower": Decimal("2.2"), "target": Decimal("2.4"), "upper": Decimal("2.6")}
    rows = [
        {"position": 10, "name": "Screws tightened", "name_zh": "螺钉扭矩", "kind": "parameter"},
        {"position": 20, "name": "Turns freely", "name_zh": "转动灵活"},
        {"position": 30, "name": "Runout", "name_zh": "跳动", "kind": "measure", "unit": "mm"},
    ]
    rows[0] |= {"unit": "N·m", **limits}
    rows[2] |= {"upper": Decimal("0.03")}
    for row in rows:
        WorkOrderCheckFactory(operation=floor.operation, **row)
    page = floor.enter()
    page.locator("#job [data-act=start]:not([data-setup])").click()
    floor.phase("running")
    floor.primary()
    page.locator("[data-send]").click()
    floor.phase("checks")
    # Nobody finishes past them, by whatever way.
    with pytest.raises(execution.CannotFinish):
        execution.finish(operation=floor.operation, by=floor.ada, now=timezone.now())
    floor.primary()
    assert small_targets(page) == []
    assert_accessible(page)
    page.set_viewport_size({"width": 360, "height": 740})
    check_width(page, page.url)
    page.set_viewport_size({"width": 1024, "height": 768})
    torque, look, runout = (page.locator(".term-check").nth(place) for place in range(3))
    expect(torque).to_contain_text("2.2 … 2.6 N·m")
    expect(runout).to_contain_text("≤ 0.03 mm")
    torque.locator("input").fill("2,9")
    torque.locator("[data-check]").click()
    expect(torque.locator(".term-check-fault")).to_contain_text("2.9 N·m")
    assert_accessible(page)
    torque.locator("input").fill("2.4")
    torque.locator("[data-check]").click()
    expect(torque.locator(".term-check-fault")).to_have_count(0)
    look.locator("[data-passed='1']").click()
    runout.locator("input").fill("0.01")
    runout.locator("[data-check]").click()
    expect(page.locator(".term-check.is-open")).to_have_count(0)
    page.locator("[data-screen=checks] [data-close]").click()
    floor.phase("full")
    floor.primary()
    expect(page.locator("#job .term-item")).to_have_text("BOLT")
    values = floor.operation.checks.get(position=10).results.order_by("pk")
    assert list(values.values_list("value", "is_good")) == [
        (Decimal("2.9"), False),
        (Decimal("2.4"), True),
    ]


def test_a_supervisor_lets_start_what_waited_too_long(floor: Floor) -> None:
    plant, began = floor.plant, timezone.now() - timedelta(hours=2)
    casting = plant.make("CAST", steps=2)
    casting.routings.get().operations.filter(sequence=10).update(max_wait_minutes=30)
    plant.plan(plant.need("CAST", 10), now=began)
    pour, trim = plant.orders("CAST")[0].operations.order_by("sequence")
    act: dict[str, Any] = {"operation": pour, "by": None, "now": began}
    execution.start(**act, work_unit_id=plant.units[1].pk)
    execution.report(**act, good=Decimal(10))
    execution.finish(**act)
    chief = User.objects.get(username="chief")
    badges.issue(person=chief, number="18", code="CARD-18", pin="1470", by=chief, now=began)
    page = floor.enter()
    url = f"/floor/terminal/?unit={plant.units[0].code}&job={trim.pk}"
    page.goto(url)
    floor.phase("blocked")
    # The operator reads why; what to press belongs to the supervisor.
    expect(page.locator("[data-open=late]")).to_have_count(0)
    floor.scan("CARD-18")
    expect(page.locator(".term-who")).to_have_text("chief")
    page.goto(url)
    floor.phase("blocked")
    with watched(page) as faults:
        expect(page.locator("[data-open=late]")).to_have_text(floor.say("Start all the same"))
        floor.primary()
        assert small_targets(page) == []
        assert_accessible(page)
        # Without a word nothing starts.
        floor.primary()
        expect(page.locator("#late-why")).to_be_focused()
        floor.phase("blocked")
        page.locator("#late-why").fill("still warm")
        page.set_viewport_size({"width": 360, "height": 740})
        check_width(page, page.url)
        with page.expect_response("**/start/"):  # The screen does not wait for it.
            floor.primary()
        floor.phase("running")
        expect(page.locator("#chip")).to_be_hidden()
    assert [fault for fault in faults if "503" not in fault] == []
    entry = AuditEntry.objects.get(action="mes.operation.overrule_wait")
    assert entry.reason.startswith("still warm (")
    trim.refresh_from_db()
    assert trim.state == OperationState.RUNNING
