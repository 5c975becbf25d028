"""People at the demo factory: who has signed in where, in which language, and their pictures.

The fixtures ``people``, ``factory`` and ``demo_web`` are named in ``conftest``; the English run
writes pictures to ``docs/images`` with ``WRITE_PICTURES=1``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from django.utils.translation import gettext, override
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from masterdata import selectors as masterdata
from tests.browser.checks import speak
from tests.demo import DemoFactory
from tests.faults.live import LiveProcess
from tests.flows.chain import Chain, settle

PICTURES = Path(django_settings.BASE_DIR) / "docs/images"
PATIENCE = 120_000  # ms: the worker plans meanwhile, on a busy machine
MOST_BYTES = 200_000  # of a picture in the repository


@pytest.fixture
def demo_web(_chain_web: tuple[LiveProcess, str]) -> None:
    """The web server shows the tiles and serves static files as they lie in the checkout."""
    web, _base = _chain_web
    web.environment |= {"DEMO_MODE": "1", "DJANGO_DEBUG": "1"}


@pytest.fixture
def factory(demo_web: None, chain: Chain, demo_factory: DemoFactory, settings: Any) -> Chain:
    """The demo factory behind the running processes, its own jobs done."""
    settings.SOLVE_SECONDS = 1
    settings.DEMO_MODE = True
    demo_factory.load(settle)
    return chain


@dataclass
class People:
    """Browsers of people who have signed in; ``say`` is what the pages say to them."""

    browser: Browser
    base: str
    language: str
    contexts: list[BrowserContext] = field(default_factory=list)

    def enter(self, username: str, **options: Any) -> Page:
        """Sign in by the tile of the login page and choose the language by its switch."""
        context = self.browser.new_context(
            base_url=self.base, reduced_motion="reduce", locale="en-US", **options
        )
        context.set_default_timeout(30_000)
        self.contexts.append(context)
        page = context.new_page()
        page.goto("/accounts/login/")
        page.locator(f".demo-tile:has(.demo-name:text-is('{username}'))").click()
        page.wait_for_url(lambda url: "/accounts/login/" not in url)
        speak(page, page.url, self.language)
        return page

    def say(self, text: str, **values: object) -> str:
        with override(self.language):
            return gettext(text) % values if values else gettext(text)

    def button(self, scope: Page | Locator, text: str) -> Locator:
        return scope.get_by_role("button", name=self.say(text), exact=True)

    @property
    def writes_pictures(self) -> bool:
        return os.environ.get("WRITE_PICTURES") == "1" and self.language == "en"

    def picture(self, page: Page, name: str) -> None:
        """What the page shows, for the README; nothing unless pictures are written."""
        if not self.writes_pictures:
            return
        PICTURES.mkdir(parents=True, exist_ok=True)
        shot = page.screenshot(animations="disabled", caret="hide")
        assert len(shot) <= MOST_BYTES, f"{name}: {len(shot)} bytes"
        (PICTURES / f"{name}.png").write_bytes(shot)


@pytest.fixture(params=["en", "zh-hans"])
def people(request: pytest.FixtureRequest, chromium: Browser, factory: Chain) -> Iterator[People]:
    people = People(chromium, factory.base, request.param)
    with timezone.override(ZoneInfo(masterdata.default_site().time_zone)):
        yield people
    for context in people.contexts:
        context.close()
