"""The terminal as people use it: a scanner, big keys, a network that goes away."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone
from django.utils.translation import gettext, override
from playwright.sync_api import Page, expect

from common import documents
from mes.enums import OperationState
from mes.models import FloorReason, OperationReport, TimeBooking
from mes.services import badges, execution, scans, terminals
from tests.browser.checks import assert_accessible, speak, watched
from tests.browser.conftest import PageFor
from tests.factories import UserFactory
from tests.mes.factories import Plant

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TABLET = {"width": 1024, "height": 768}

# A scanner's keys come within milliseconds; keys sent through the debugger one by one do not.
SCANNER = """code => {
  const press = key => {
    const target = document.activeElement ?? document.body;
    const event = new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true});
    if (target.dispatchEvent(event) && key.length === 1 && target instanceof HTMLInputElement)
      target.value += key;
  };
  for (const key of [...code, 'Enter']) press(key);
}"""


class Floor:
    """A plant with two jobs for one machine, a registered tablet, and Ada with her badge."""

    def __init__(self, page_for: PageFor, url: str, language: str) -> None:
        self.language = language
        self.plant = Plant()
        for code in ("AXLE", "BOLT"):
            self.plant.make(code)
            self.plant.plan(self.plant.need(code, 10), now=timezone.now())
        self.order = self.plant.orders("AXLE")[0]
        self.operation = self.order.operations.get()
        self.operation.setup_minutes = Decimal(5)
        self.operation.save()
        for kind, code in (("scrap", "crack"), ("rework", "burr"), ("pause", "tea")):
            FloorReason.objects.get_or_create(
                kind=kind, code=f"t-{code}", defaults={"name": code.title(), "position": 1}
            )
        chief = UserFactory(username="chief", roles=["supervisor"], language=language)
        self.ada = UserFactory(username="ada", roles=["operator"], language=language)
        now = timezone.now()
        badges.issue(person=self.ada, number="17", code="CARD-17", pin="2580", by=chief, now=now)
        _terminal, token = terminals.register(
            name="Mill",
            site_id=self.plant.site.pk,
            work_unit_id=self.plant.units[0].pk,
            by=chief,
            now=now,
        )
        self.page = page_for(viewport=TABLET)
        self.page.context.add_cookies([{"name": terminals.COOKIE, "value": token, "url": url}])

    def say(self, text: str) -> str:
        with override(self.language):
            return gettext(text)

    def scan(self, code: str) -> None:
        """As a scanner types: all at once, wherever the cursor is, with Enter at the end."""
        self.page.wait_for_function("() => document.documentElement.matches('.has-script')")
        self.page.evaluate(SCANNER, code)

    def enter(self) -> Page:
        self.page.goto("/floor/terminal/")
        speak(self.page, self.page.url, self.language)
        self.scan("CARD-17")
        expect(self.page.locator("#job")).to_be_visible()
        return self.page

    def phase(self, name: str) -> None:
        expect(self.page.locator("#job")).to_have_attribute("data-phase", name)

    def primary(self) -> None:
        """Press the one primary button of the screen."""
        shown = self.page.locator("#job .term-primary:visible")
        expect(shown).to_have_count(1)
        shown.click()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.locator(f"[data-key='{key}']").click()


@pytest.fixture(params=["en", "zh-hans"])
def floor(request, page_for, live_server) -> Floor:
    return Floor(page_for, live_server.url, request.param)


def small_targets(page: Page) -> list[str]:
    """What can be touched in the work area and is lower than a glove's finger."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('main :is(button, a, input), header :is(button, a)')]
        .filter(e => e.offsetParent && e.type !== 'hidden')
        .filter(e => e.getBoundingClientRect().height < 64)
        .map(e => e.outerHTML.slice(0, 90))"""
    )
    return found


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
    expect(page.locator("#chip")).to_be_hidden(timeout=20_000)
    assert lost
    floor.operation.refresh_from_db()
    assert floor.operation.good == 7
    assert OperationReport.objects.count() == 2
    expect(page.locator("[data-show=left]")).to_have_text("3")


def test_what_the_server_refuses_later_is_shown_and_kept(english: Floor) -> None:
    floor, page = english, english.enter()
    page.locator("#job [data-act=start]:not([data-setup])").click()
    floor.phase("running")
    page.context.set_offline(True)
    floor.primary()
    page.locator("[data-send]").click()
    expect(page.locator("#chip")).to_have_text("1 waiting")
    # Somebody at another tablet was first.
    execution.report(operation=floor.operation, good=Decimal(10), by=floor.ada, now=timezone.now())
    page.context.set_offline(False)
    expect(page.locator("#stop-title")).to_contain_text("10 more are too many", timeout=20_000)
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
    floor.scan("MS:nothing")  # The refusal in sight is not confirmed by the next scan.
    expect(page.locator("#stop-title")).to_contain_text("MS:nothing is not known here")


def test_the_terminal_fits_a_phone_and_the_dark(english: Floor) -> None:
    page = english.enter()
    page.set_viewport_size({"width": 360, "height": 740})
    page.context.add_cookies(
        [{"name": "theme", "value": "dark", "url": page.url.split("/floor")[0]}]
    )
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert small_targets(page) == []
    assert_accessible(page)
    page.locator("#job [data-act=start]:not([data-setup])").click()
    english.phase("running")
    english.primary()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
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
        expect(page.locator("#job .term-item")).to_have_text("BOLT", timeout=20_000)
    assert [fault for fault in faults if "503" not in fault] == []
    camera = page.request.get("/floor/terminal/camera/").headers["content-security-policy"]
    assert "'wasm-unsafe-eval'" in camera
    assert "wasm" not in page.request.get("/floor/terminal/").headers["content-security-policy"]
