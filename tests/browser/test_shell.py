"""The frames and components: both themes, both languages, two widths, by mouse and by key."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from common import audit
from common.enums import Role
from common.models import User
from common.selectors import DEMO_MARK, DEMO_PASSWORD
from tests.browser.checks import assert_accessible, check_page, page_bytes, watched
from tests.browser.conftest import PageFor
from tests.factories import UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ORDINARY_PAGE = 120_000
PORTAL_PAGE = 150_000


def with_password(role: Role) -> User:
    return User.objects.create_user(role.value, password=DEMO_PASSWORD, roles=[role.value])


@pytest.fixture(autouse=True)
def demo(settings: Any) -> None:
    settings.DEMO_MODE = True


@pytest.mark.parametrize("path", ["/ui/", "/ui/portal/"])
def test_the_galleries_hold_everywhere(page_for: PageFor, live_server: Any, path: str) -> None:
    check_page(page_for(Role.ADMINISTRATOR), live_server.url + path)


def test_the_gallery_is_for_demo_and_debug_alone(client_for: Any, settings: Any) -> None:
    settings.DEMO_MODE = False
    client = client_for(Role.ADMINISTRATOR)
    assert client.get("/ui/").status_code == 404
    assert client.get("/ui/portal/").status_code == 404


def test_the_login_page_holds_everywhere(page_for: PageFor, live_server: Any) -> None:
    UserFactory(username="sales", roles=["sales"])
    check_page(page_for(), live_server.url + "/accounts/login/")


@pytest.mark.parametrize("path", ["/notifications/", "/accounts/password/change/"])
@pytest.mark.parametrize("role", [Role.SALES, Role.CUSTOMER])
def test_the_account_pages_hold_in_both_frames(
    page_for: PageFor, live_server: Any, path: str, role: Role
) -> None:
    user = with_password(role)
    check_page(page_for(user=user), live_server.url + path)


@pytest.mark.parametrize("path", ["/accounts/2fa/", "/audit/"])
def test_pages_of_the_administrator_hold(page_for: PageFor, live_server: Any, path: str) -> None:
    check_page(page_for(Role.ADMINISTRATOR), live_server.url + path)


def test_the_checks_see_a_page_that_is_wrong(page_for: PageFor, live_server: Any) -> None:
    """The control: grey text on white, an outside image and a wide box are found."""
    page = page_for(Role.ADMINISTRATOR)
    page.goto(live_server.url + "/ui/")
    page.evaluate("document.querySelector('h1').style.color = '#ccc'")
    with pytest.raises(AssertionError, match="color-contrast"):
        assert_accessible(page)
    with watched(page) as faults:
        page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'window.bad = 1';"
            " document.body.append(s); const i = new Image(); i.src = 'http://192.0.2.1/x.png';"
            " document.body.append(i); }"
        )
        for _try in range(100):
            if any("Content Security Policy" in fault for fault in faults):
                break
            page.wait_for_timeout(100)
    assert any("Content Security Policy" in fault for fault in faults)
    assert page.evaluate("window.bad") is None


def test_a_demo_tile_signs_in(page_for: PageFor, live_server: Any) -> None:
    user = with_password(Role.PLANNER)
    with transaction.atomic():
        audit.record(action=DEMO_MARK, target=user, by=None, now=timezone.now())
    page = page_for(java_script_enabled=False)
    page.goto(live_server.url + "/accounts/login/")
    page.get_by_role("button", name="planner").click()
    page.goto(live_server.url + "/notifications/")
    expect(page.locator(".user-name")).to_have_text(str(user))


def test_the_box_to_stay_signed_in_stands_within_the_form(
    page_for: PageFor, live_server: Any
) -> None:
    page = page_for()
    page.goto(live_server.url + "/accounts/login/")
    box = page.locator("input[name=remember]").bounding_box()
    field = page.locator("#id_password").bounding_box()
    label = page.locator(".form-check-label").bounding_box()
    assert box
    assert field
    assert label
    assert field["x"] <= box["x"] < box["x"] + box["width"] < label["x"]
    assert abs(box["y"] + box["height"] / 2 - label["y"] - label["height"] / 2) < 3
    # The control: without our rule it hangs out.
    page.evaluate(
        """() => { for (const sheet of document.styleSheets)
          for (let n = sheet.cssRules.length; n--;)
          if (sheet.href.includes("base") &&
              sheet.cssRules[n].selectorText === ".form-check .form-check-input")
            sheet.deleteRule(n); }"""
    )
    hung = page.locator("input[name=remember]").bounding_box()
    assert hung
    assert hung["x"] < field["x"]


def test_the_theme_is_remembered(page_for: PageFor, live_server: Any) -> None:
    page = page_for(Role.ADMINISTRATOR, color_scheme="dark")
    page.goto(live_server.url + "/ui/")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("[data-theme-switch]").click()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "light"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "light"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def test_dialogs_open_by_key_and_give_the_focus_back(page_for: PageFor, live_server: Any) -> None:
    page = page_for(Role.ADMINISTRATOR)
    page.goto(live_server.url + "/ui/")
    opener = page.get_by_role("button", name="Reject", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Reject this order?")
    expect(dialog).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_refused_action_says_why_in_the_page(page_for: PageFor, live_server: Any) -> None:
    page = page_for(Role.ADMINISTRATOR)
    page.goto(live_server.url + "/ui/")
    expect(page.get_by_text("Nothing is finished yet: 0 of 5,000 made.")).to_be_visible()
    expect(page.get_by_role("button", name="Ship", exact=True)).to_have_attribute(
        "aria-disabled", "true"
    )


def test_the_navigation_shows_where_one_is_and_stays_where_it_was(
    page_for: PageFor, live_server: Any
) -> None:
    page = page_for(Role.ADMINISTRATOR, viewport={"width": 1280, "height": 400})
    page.goto(live_server.url + "/ui/")
    here = page.locator(".sidebar [aria-current=page]")
    expect(here).to_have_text("Component gallery")
    expect(here).to_be_in_viewport(ratio=1)
    # The entry before it is in sight already: nothing moves.
    scrolled = "document.querySelector('.sidebar-scroll').scrollTop"
    before = page.evaluate(scrolled)
    assert before > 0
    page.goto(live_server.url + "/audit/")
    expect(here).to_have_text("Audit trail")
    assert page.evaluate(scrolled) == before
    # The first one is not: it comes into sight.
    page.goto(live_server.url + "/jobs/?state=dead")
    page.evaluate("document.querySelector('.sidebar-scroll').scrollTop = 0")
    page.wait_for_function("sessionStorage.getItem('navigation') === '0'")
    page.reload()
    expect(here).to_be_in_viewport(ratio=1)


def test_the_menu_slides_in_on_a_phone(page_for: PageFor, live_server: Any) -> None:
    page = page_for(Role.ADMINISTRATOR, viewport={"width": 360, "height": 740})
    page.goto(live_server.url + "/ui/")
    link = page.locator(".sidebar").get_by_role("link", name="Component gallery")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(link).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()


def test_a_toast_appears_and_can_be_closed(page_for: PageFor, live_server: Any) -> None:
    page = page_for(Role.ADMINISTRATOR)
    page.goto(live_server.url + "/ui/")
    page.evaluate(
        "document.body.dispatchEvent(new CustomEvent('toast',"
        " {bubbles: true, detail: {text: 'Order <saved>', tone: 'success'}}))"
    )
    toasts = page.get_by_role("status", name="Messages")
    expect(toasts).to_contain_text("Order <saved>")
    assert_accessible(page)
    toasts.get_by_role("button", name="Close").click()
    expect(toasts).not_to_contain_text("Order")


def test_the_question_mark_lists_the_keys(page_for: PageFor, live_server: Any) -> None:
    page = page_for(Role.ADMINISTRATOR)
    page.goto(live_server.url + "/ui/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert_accessible(page)


def test_the_frames_stay_within_their_bytes(page_for: PageFor, live_server: Any) -> None:
    staff = page_bytes(page_for(Role.ADMINISTRATOR), live_server.url + "/ui/")
    assert staff <= ORDINARY_PAGE, f"{staff} bytes"
    portal = page_bytes(page_for(Role.CUSTOMER), live_server.url + "/notifications/")
    assert portal <= PORTAL_PAGE, f"{portal} bytes"
