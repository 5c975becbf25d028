"""A floor with a registered tablet, for browser tests of the terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext, override
from playwright.sync_api import Page, expect

from mes.models import FloorReason
from mes.services import badges, terminals
from tests.browser.checks import speak
from tests.browser.conftest import PageFor
from tests.factories import UserFactory
from tests.mes.factories import Plant

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

    def __init__(self, page_for: PageFor, url: str, language: str, **options: Any) -> None:
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
        self.page = page_for(viewport=TABLET, **options)
        self.page.context.add_cookies([{"name": terminals.COOKIE, "value": token, "url": url}])

    def say(self, text: str) -> str:
        with override(self.language):
            return gettext(text)

    def scan(self, code: str) -> None:
        """As a scanner types: all at once, wherever the cursor is, with Enter at the end."""
        self.page.wait_for_function("() => document.readyState === 'complete'")
        self.page.evaluate(SCANNER, code)

    def enter(self) -> Page:
        self.page.goto("/floor/terminal/")
        speak(self.page, self.page.url, self.language)
        self.scan("CARD-17")
        # The page takes presses as soon as all its scripts hear them.
        expect(self.page.locator("main:not([inert]) #job")).to_be_visible()
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


def small_targets(page: Page) -> list[str]:
    """What can be touched in the work area and is lower than a glove's finger."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('main :is(button, a, input), header :is(button, a)')]
        .filter(e => e.offsetParent && e.type !== 'hidden')
        .filter(e => e.getBoundingClientRect().height < 64)
        .map(e => e.outerHTML.slice(0, 90))"""
    )
    return found
