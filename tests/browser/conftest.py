"""The system's Chromium, and one page per role.

    @pytest.mark.browser
    def test_the_list_holds(page_for: PageFor, live_server) -> None:
        page = page_for("sales")
        check_page(page, live_server.url + "/orders/")

The checks are in ``tests.browser.checks``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings
from django.contrib.staticfiles import handlers
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from common.enums import Role
from tests.aps.factories import HOUR, MONDAY
from tests.browser.people import demo_web, factory, people
from tests.factories import UserFactory
from tests.faults.live import _redis_process, _worker_process, live_folder, live_redis
from tests.flows.chain import _chain_dispatcher, _chain_web, _chain_worker, chain

# The fixtures of the stories, which run real processes.
__all__ = [
    "_chain_dispatcher",
    "_chain_web",
    "_chain_worker",
    "_redis_process",
    "_worker_process",
    "chain",
    "demo_web",
    "factory",
    "live_folder",
    "live_redis",
    "people",
]

# Waiting long for what comes costs nothing; a machine with much to do needs it.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)

PageFor = Callable[..., Page]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SHOWN = """() => [
  document.documentElement.lang,
  document.readyState,
  ...[...document.querySelectorAll('[aria-busy=true], .htmx-request')]
    .map(busy => busy.outerHTML.slice(0, 200)),
  document.body.innerText.slice(0, 1500),
].join('\\n')"""

# Playwright's loop runs in this thread; the tests' own queries beside it are plain and safe.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser; missing, the tests are skipped here and fail in CI.

    Without a window of its own to draw, Debian's smaller build of it opens pages twice as fast.
    """
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        sentence = "Chromium is missing: apt-get install -y chromium-headless-shell"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A red test says what each of its pages showed: address, language, what is busy, words."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("chromium")
    if call.when == "call" and report.failed and browser is not None:
        for page in (page for context in browser.contexts for page in context.pages):
            try:
                report.sections.append((f"shown at {page.url}", page.evaluate(SHOWN)))
            except Error as fault:
                report.sections.append((f"shown at {page.url}", str(fault)))
    return report


@pytest.fixture
def on_sunday() -> Iterator[None]:
    """The clock runs from the noon before ``MONDAY``, when the boards' plants begin.

    By the clock of the wall the week that their pages show would soon be over.
    """
    with time_machine.travel(MONDAY - 20 * HOUR, tick=True):
        yield


@pytest.fixture(scope="session")
def _kept_files() -> Iterator[None]:
    """A browser keeps static files, as in production: else each page asks for each of them."""
    serve = handlers.serve  # type: ignore[attr-defined]  # imported there

    def kept(*arguments: Any, **options: Any) -> Any:
        answer = serve(*arguments, **options)
        answer.headers["Cache-Control"] = "max-age=3600"
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(handlers, "serve", kept)
        yield


@pytest.fixture
def page_for(
    _kept_files: None, chromium: Browser, live_server: Any, settings: Any
) -> Iterator[PageFor]:
    """A page with the role's user logged in; without a role, an anonymous one.

    The user is made when first asked for, its username is the role's name. ``user`` takes one
    that exists; other arguments go to the browser context (``java_script_enabled=False``).
    """
    # The server is a thread of the tests: a stream would hold their database open afterwards.
    settings.LIVE_STREAMS = 0
    contexts: list[BrowserContext] = []

    def page_for(role: Role | str | None = None, *, user: Any = None, **options: Any) -> Page:
        # What a service worker fetches cannot be routed: who tests one allows it.
        options = {
            "reduced_motion": "reduce",
            "base_url": live_server.url,
            "service_workers": "block",
            **options,
        }
        context = chromium.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if role is not None and user is None:
            user = _user(Role(role))
        if user is not None:
            context.add_cookies([_session(user, live_server.url)])
        page = context.new_page()
        page.goto("about:blank")
        return page

    yield page_for
    for context in contexts:
        context.close()


def _user(role: Role) -> Any:
    from common.models import User

    found = User.objects.filter(username=role.value).first()
    return found or UserFactory(username=role.value, roles=[role.value])


def _session(user: Any, url: str) -> Any:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "domain": urlsplit(url).hostname,
        "path": "/",
    }
