"""Every URL of the project with a sample address."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.urls.resolvers import RegexPattern, RoutePattern

# By the name of the parameter, else by its converter. Nothing of that name exists: behind the
# door the answer is 404.
SAMPLES_BY_NAME = {"app_label": "common"}
SAMPLES_BY_CONVERTER = {
    "int": "999999999",
    "str": "NO-SUCH-THING",
    "slug": "no-such-thing",
    "path": "no/such/thing",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
# Regular expressions, all of Django's admin.
SAMPLES_BY_REGEX = {
    r"^(?P<app_label>": "common/",
    r"(?P<url>.*)$": "no-such-page",
}
_PARAMETER = re.compile(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>")


@dataclass(frozen=True)
class Address:
    """One pattern: its route, a sample path that resolves to it, and the view."""

    route: str
    path: str
    view: Callable[..., Any]

    def __str__(self) -> str:
        return self.route or "/"


def all_addresses() -> list[Address]:
    """Every pattern of the project. Raises KeyError for a pattern without a sample."""
    return list(_walk(get_resolver().url_patterns, route="", path="/"))


def _walk(patterns: list[URLPattern | URLResolver], *, route: str, path: str) -> Iterator[Address]:
    for entry in patterns:
        here = path + _sample(entry.pattern)
        shown = route + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route=shown, path=here)
        else:
            yield Address(shown, here, resolve(here).func)


def _sample(pattern: Any) -> str:
    if isinstance(pattern, RoutePattern):
        return _PARAMETER.sub(_sample_of_parameter, str(pattern))
    assert isinstance(pattern, RegexPattern)
    if str(pattern) == r"^/":
        return ""
    return next(
        sample for start, sample in SAMPLES_BY_REGEX.items() if str(pattern).startswith(start)
    )


def _sample_of_parameter(found: re.Match[str]) -> str:
    name, converter = found["name"], found["converter"] or "str"
    return SAMPLES_BY_NAME.get(name) or SAMPLES_BY_CONVERTER[converter]
