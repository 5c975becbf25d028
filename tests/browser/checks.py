"""What every page must pass: axe, no outside request, no policy violation, no sideways scroll."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import brotli  # type: ignore[import-untyped]
from django.conf import settings
from playwright.sync_api import ConsoleMessage, Page, Request, Response

AXE = Path(settings.BASE_DIR) / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = (1280, 360)
SETTLING_TRIES = 20
# Languages change what is as long as it is, themes what has which colour: each is seen once.
LOOKS = (("en", "light"), ("zh-hans", "dark"))
# Only what is read comes over from the browser: all that passed would be a megabyte.
RUN_AXE = """async tags => {
  const options = {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']};
  const {passes, violations} = await axe.run(document, options);
  return {passes: passes.length, violations};
}"""


def assert_accessible(page: Page) -> None:
    """Run axe on what the page shows, once nothing is busy, which is drawn paler.

    The message names rule, element and why.
    """
    page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
    if not page.evaluate("typeof window.axe === 'object'"):
        # Through the debugger: a script element would be refused by the page's own policy.
        page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate(RUN_AXE, TAGS)
    assert result["passes"], "axe checked nothing"
    found = [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]
    assert not found, f"{page.url}: " + "\n".join(found)


def check_page(page: Page, url: str, *, axe: bool = True, most_bytes: int | None = None) -> None:
    """Open the page in both languages, both themes and two widths; everything must hold.

    axe looks once in each language, at the narrow width and then at the wide one. With
    ``most_bytes`` the last look is weighed as well.
    """
    resize(page, WIDTHS[0])
    for language, theme in LOOKS:
        where = f"{url} ({language}, {theme})"
        with watched(page, urlsplit(url).netloc) as faults, weighed(page) as weights:
            wear(page, theme, url)
            if page.url != url or _language(page) == language:
                page.goto(url)
            # The switch opens the page anew.
            switch(page, language)
            _settle(page)
            if most_bytes is not None and (language, theme) == LOOKS[-1]:
                page.wait_for_load_state("networkidle")
                weight = weights()
                assert weight < most_bytes, f"{where}: {weight:,} bytes of {most_bytes:,}"
        assert not faults, f"{where}: " + "\n".join(faults)
        assert _language(page) == language, where
        assert page.evaluate("document.documentElement.dataset.bsTheme") == theme, where
        # From the width that the last look ended with to the other.
        check_width(page, where)
        resize(page, other_width(page))
        check_width(page, where)
        if axe:
            assert_accessible(page)


def resize(page: Page, width: int) -> None:
    """Make the window so wide."""
    page.set_viewport_size({"width": width, "height": 800})


def other_width(page: Page) -> int:
    """The one of WIDTHS that the window has not."""
    size = page.viewport_size
    assert size
    [other] = set(WIDTHS) - {size["width"]}
    return other


def check_width(page: Page, where: str) -> None:
    """Nothing may stick out: no page scrolls sideways."""
    size = page.viewport_size
    assert size
    width = size["width"]
    for _try in range(SETTLING_TRIES):
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide <= width:
            return
        page.wait_for_timeout(100)  # A busy machine is still laying it out.
    raise AssertionError(f"{where}: {wide} px at {width}; {_culprit(page, width)}")


def _settle(page: Page) -> None:
    """Wait until what the page fetches by itself has arrived."""
    page.wait_for_load_state("load")
    page.wait_for_function("() => !document.querySelector('.htmx-request')")


def speak(page: Page, url: str, language: str) -> None:
    """Open the page, where it is not open, and switch its language as a reader does."""
    if page.url != url:
        page.goto(url)
    switch(page, language)


def switch(page: Page, language: str) -> None:
    """Press the language's button, if the page speaks another one, and wait for the page."""
    if _language(page) == language:
        return
    page.locator(f"button[name=language][value={language}]").first.click()
    # A function would never be polled in a page whose scripts are off.
    page.locator(f"html[lang={language}]").wait_for(state="attached")
    page.wait_for_load_state()


def _language(page: Page) -> str:
    return str(page.evaluate("document.documentElement.lang"))


def wear(page: Page, theme: str, url: str = "") -> None:
    """Choose the theme by its cookie, as the switch does."""
    parts = urlsplit(url or page.url)
    page.context.add_cookies(
        [{"name": "theme", "value": theme, "url": f"{parts.scheme}://{parts.netloc}"}]
    )


@contextmanager
def watched(page: Page, home: str = "") -> Iterator[list[str]]:
    """Collect console errors, policy violations, failed and outside requests meanwhile.

    Outside is what lies not at ``home``, else not where the page was opened.
    """
    faults: list[str] = []
    home = home or urlsplit(page.url).netloc

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


@contextmanager
def weighed(page: Page) -> Iterator[Callable[[], int]]:
    """What gives the bytes of the page and all it loaded, each file as brotli sends it."""
    responses: list[Response] = []

    def keep(response: Response) -> None:
        if response.request.is_navigation_request():
            responses.clear()  # What the page before still fetched is not this one's.
        responses.append(response)

    def weight() -> int:
        # 204 has no body: a stream of live updates that the server does not give.
        full = [response for response in responses if response.ok and response.status != 204]
        bodies = {response.url: response.body() for response in full}
        assert bodies, "nothing was loaded"
        return sum(_compressed(body) for body in bodies.values())

    page.on("response", keep)
    try:
        yield weight
    finally:
        page.remove_listener("response", keep)


def page_bytes(page: Page, url: str) -> int:
    """The bytes of the page and all it loads, each file as brotli sends it."""
    with weighed(page) as weight:
        page.goto(url)
        page.wait_for_load_state("networkidle")
        return weight()


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
