"""What every page must pass: axe, no outside request, no policy violation, no sideways scroll."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import brotli  # type: ignore[import-untyped]
from django.conf import settings
from playwright.sync_api import ConsoleMessage, Page, Request, Response

AXE = Path(settings.BASE_DIR) / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
THEMES = ("light", "dark")
LANGUAGES = ("en", "zh-hans")
WIDTHS = (1280, 360)


def assert_accessible(page: Page) -> None:
    """Run axe on what the page shows now; the message names rule, element and why."""
    if not page.evaluate("typeof window.axe === 'object'"):
        # Through the debugger: a script element would be refused by the page's own policy.
        page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", list(TAGS)
    )
    assert result["passes"], "axe checked nothing"
    found = [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]
    assert not found, f"{page.url}: " + "\n".join(found)


def check_page(page: Page, url: str, *, axe: bool = True) -> None:
    """Open the page in both themes, both languages and two widths; everything must hold.

    axe, which takes a second, looks once in each language and theme, at widths that change places,
    so that it sees every two of language, theme and width together.
    """
    for row, language in enumerate(LANGUAGES):
        speak(page, url, language)
        for column, theme in enumerate(THEMES):
            wear(page, theme)
            with watched(page) as faults:
                page.goto(url)
                _settle(page)
            where = f"{url} ({language}, {theme})"
            assert not faults, f"{where}: " + "\n".join(faults)
            assert page.evaluate("document.documentElement.lang") == language, where
            assert page.evaluate("document.documentElement.dataset.bsTheme") == theme, where
            last = WIDTHS[(row + column) % len(WIDTHS)]
            for width in sorted(WIDTHS, key=lambda width: width == last):
                page.set_viewport_size({"width": width, "height": 800})
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{where}: {wide} px at {width}; {_culprit(page, width)}"
            if axe:
                assert_accessible(page)
    wear(page, "light")


def _settle(page: Page) -> None:
    """Wait until what the page fetches by itself has arrived."""
    page.wait_for_load_state("load")
    page.wait_for_function("() => !document.querySelector('.htmx-request')")


def speak(page: Page, url: str, language: str) -> None:
    """Switch the language as a reader does, by the switch on the page."""
    page.goto(url)
    if page.evaluate("document.documentElement.lang") != language:
        page.locator(f"button[name=language][value={language}]").first.click()
        page.wait_for_load_state()


def wear(page: Page, theme: str) -> None:
    """Choose the theme by its cookie, as the switch does."""
    parts = urlsplit(page.url)
    page.context.add_cookies(
        [{"name": "theme", "value": theme, "url": f"{parts.scheme}://{parts.netloc}"}]
    )


@contextmanager
def watched(page: Page) -> Iterator[list[str]]:
    """Collect console errors, policy violations, failed and outside requests meanwhile."""
    faults: list[str] = []
    home = urlsplit(page.url).netloc

    def on_console(message: ConsoleMessage) -> None:
        # The browser reports refused inline code and styles here too.
        if message.type == "error" or "Content Security Policy" in message.text:
            faults.append(f"console: {message.text}")

    def on_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != home:
            faults.append(f"outside request: {request.url}")

    def on_response(response: Response) -> None:
        if response.status >= 400:
            faults.append(f"{response.status}: {response.url}")

    def on_error(error: Exception) -> None:
        faults.append(f"script error: {error}")

    listeners = {
        "console": on_console,
        "request": on_request,
        "response": on_response,
        "pageerror": on_error,
    }
    for name, listener in listeners.items():
        page.on(name, listener)  # type: ignore[call-overload]
    try:
        yield faults
    finally:
        for name, listener in listeners.items():
            page.remove_listener(name, listener)


def page_bytes(page: Page, url: str) -> int:
    """The bytes of the page and all it loads, each file as brotli sends it."""
    responses: list[Response] = []

    def keep(response: Response) -> None:
        responses.append(response)

    page.on("response", keep)
    page.goto(url)
    page.wait_for_load_state("networkidle")
    page.remove_listener("response", keep)
    # 204 has no body: a stream of live updates that the server does not give.
    full = [response for response in responses if response.ok and response.status != 204]
    bodies = {response.url: response.body() for response in full}
    assert bodies, "nothing was loaded"
    return sum(_compressed(body) for body in bodies.values())


@functools.cache
def _compressed(body: bytes) -> int:
    """As brotli sends it; the same scripts and styles come with every page."""
    return len(brotli.compress(body))


def _culprit(page: Page, width: int) -> str:
    """The elements that stick out, to name them in the failure."""
    return str(
        page.evaluate(
            "width => [...document.querySelectorAll('body *')]"
            ".filter(e => e.getBoundingClientRect().right > width + 1).slice(0, 5)"
            ".map(e => e.outerHTML.slice(0, 120))",
            width,
        )
    )
