"""The terminal through a dead network: opened again, on to the next job, signed out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from mes.enums import OperationState
from mes.models import CheckResult, OperationReport
from tests.browser.cable import Cable, cable
from tests.browser.checks import assert_accessible
from tests.browser.conftest import PageFor
from tests.browser.floor import Floor, small_targets
from tests.mes.factories import WorkOrderCheckFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The phases of the jobs of which the device holds a page.
KEPT = """async () => {
  if (!(await caches.has('floor-pages'))) return {};
  const cache = await caches.open('floor-pages');
  const found = {};
  for (const page of await cache.keys()) {
    const text = await (await cache.match(page)).text();
    const job = text.match(/data-phase="(\\w+)" data-operation="(\\d+)"/);
    if (job) found[job[2]] = job[1];
  }
  return found;
}"""


def wait_for_copies(page: Page, **phases: str) -> None:
    """Until the device holds the pages of these operations in these phases."""
    wanted = {pk.removeprefix("job"): phase for pk, phase in phases.items()}
    for _try in range(300):
        if page.evaluate(KEPT) == wanted:
            return
        page.wait_for_timeout(100)
    pytest.fail(f"kept: {page.evaluate(KEPT)}, wanted: {wanted}")


@pytest.fixture
def net(live_server) -> Iterator[Cable]:
    with cable(live_server.url) as made:
        yield made


def floor_on(net: Cable, page_for: PageFor, language: str) -> Floor:
    return Floor(page_for, net.url, language, service_workers="allow", base_url=net.url)


@pytest.fixture(params=["en", "zh-hans"])
def floor(request, page_for, net) -> Floor:
    return floor_on(net, page_for, request.param)


@pytest.fixture
def english(page_for, net) -> Floor:
    return floor_on(net, page_for, "en")


def ready(floor: Floor) -> Page:
    """Signed in, and the pages of the job and the next one are kept."""
    page = floor.enter()
    wait_for_copies(page, **copies(floor, "ready", "ready"))
    return page


def copies(floor: Floor, first: str, second: str) -> dict[str, str]:
    other = floor.plant.orders("BOLT")[0].operations.get()
    return {f"job{floor.operation.pk}": first, f"job{other.pk}": second}


def test_a_dead_network_takes_neither_the_job_nor_the_next_one(floor: Floor, net: Cable) -> None:
    page = ready(floor)
    page.locator("#job [data-act=start]:not([data-setup])").click()
    floor.phase("running")
    wait_for_copies(page, **copies(floor, "running", "blocked"))
    net.pull()
    page.reload()
    expect(page.locator("#offline")).to_contain_text(floor.say("Working offline, as of %s")[:4])
    expect(page.locator("#job .term-item")).to_have_text("AXLE")
    floor.phase("running")
    floor.primary()
    page.locator("[data-send]").click()
    floor.phase("full")
    assert_accessible(page)
    floor.primary()
    floor.phase("done")
    # What waits is on the page again after another reload.
    page.reload()
    floor.phase("done")
    assert small_targets(page) == []
    assert_accessible(page)
    floor.primary()
    expect(page.locator("#job .term-item")).to_have_text("BOLT")
    # The server does not know yet that the machine is free; the device does.
    floor.phase("ready")
    floor.primary()
    floor.phase("running")
    floor.primary()
    floor.press("clear", "4")
    page.locator("[data-send]").click()
    expect(page.locator("#chip")).to_contain_text("4")
    assert not OperationReport.objects.exists()
    net.plug()
    expect(page.locator("#chip")).to_be_hidden()
    expect(page.locator("#offline")).to_be_hidden()
    floor.phase("running")
    expect(page.locator("[data-show=left]")).to_have_text("6")
    floor.operation.refresh_from_db()
    assert (floor.operation.state, floor.operation.good) == (OperationState.DONE, 10)
    other = floor.plant.orders("BOLT")[0].operations.get()
    assert (other.state, other.good) == (OperationState.RUNNING, 4)


def test_nothing_of_a_person_stays_after_the_sign_out(english: Floor, net: Cable) -> None:
    floor, page = english, ready(english)
    page.locator("#lock-form button").click()
    expect(page.locator("#pin-form")).to_be_visible()
    assert page.evaluate("caches.has('floor-pages')") is False
    net.pull()
    page.goto("/floor/terminal/")
    expect(page.locator("#again")).to_be_visible()
    assert "ada" not in page.content()
    assert_accessible(page)
    net.plug()
    expect(page.locator("#pin-form")).to_be_visible()
    floor.scan("CARD-17")
    expect(page.locator("#job")).to_be_visible()


def test_a_sign_out_without_network_comes_first_afterwards(english: Floor, net: Cable) -> None:
    page = ready(english)
    # It breaks off what the device would have kept: then the copy from before is shown.
    net.pull_at("/floor/terminal/away/")
    page.reload()
    expect(page.locator("#offline")).to_be_visible()
    page.locator("#lock-form button").click()
    expect(page.locator(".toast-warning")).to_contain_text("Press once more")
    page.locator("#lock-form button").click()
    expect(page.locator("#again")).to_be_visible()
    assert page.evaluate("caches.has('floor-pages')") is False
    net.plug()
    # The session was still open on the server: the device ends it first.
    expect(page.locator("#pin-form")).to_be_visible()
    assert page.evaluate("caches.has('floor-door')") is False


def test_checks_show_their_answers_without_network_and_let_the_job_be_finished(
    floor: Floor, net: Cable
) -> None:
    limits = {"lower": Decimal("2.2"), "upper": Decimal("2.6"), "unit": "mm"}
    WorkOrderCheckFactory(operation=floor.operation, position=10, kind="measure", **limits)
    WorkOrderCheckFactory(operation=floor.operation, position=20, frequency="every_n", every=5)
    page = ready(floor)
    page.locator("#job [data-act=start]:not([data-setup])").click()
    floor.phase("running")
    wait_for_copies(page, **copies(floor, "running", "blocked"))
    net.pull()
    floor.primary()
    page.locator("[data-send]").click()
    # Ten pieces: one value, two looks.
    floor.phase("checks")
    floor.primary()
    measured, look = page.locator(".term-check").nth(0), page.locator(".term-check").nth(1)
    measured.locator("input").fill("2.7")
    measured.locator("[data-check]").click()
    expect(measured.locator("[data-said]")).to_contain_text("2.7 mm")
    expect(measured).to_have_class(re.compile("is-fault"))
    assert_accessible(page)
    measured.locator("input").fill("2,5")
    measured.locator("[data-check]").click()
    expect(measured.locator("[data-due]")).to_have_text("1 / 1")
    expect(measured).not_to_have_class(re.compile("is-fault|is-open"))
    for done in ("1 / 2", "2 / 2"):
        look.locator("[data-passed='1']").click()
        expect(look.locator("[data-due]")).to_have_text(done)
    assert not CheckResult.objects.exists()
    # Opened again it knows what waits.
    page.reload()
    floor.phase("full")
    floor.primary()
    floor.phase("done")
    net.plug()
    expect(page.locator("#chip")).to_be_hidden(timeout=20_000)
    expect(page.locator("#job .term-item")).to_have_text("BOLT", timeout=20_000)
    floor.operation.refresh_from_db()
    assert floor.operation.state == OperationState.DONE
    assert CheckResult.objects.filter(replaced_by=None, is_good=True).count() == 3
    assert CheckResult.objects.get(is_good=False).value == Decimal("2.7")
