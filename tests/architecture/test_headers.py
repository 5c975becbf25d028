"""What the browser is told with every page: no foreign script, no frame, no guessing."""

import re
from collections.abc import Mapping
from functools import cache

import pytest
from django.test import Client

from common import access
from common.enums import Role
from tests.architecture.conftest import Principal
from tests.architecture.url_walk import Address, all_addresses

# The only page that may run compiled code: the reader of codes before the camera.
WITH_WASM = {"floor/terminal/camera/"}
# Code in a page that a Content-Security-Policy without 'unsafe-inline' would not run.
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>|<style[\s>]"
    r"|\son[a-z]+\s*=\s*[\"']|href\s*=\s*[\"']\s*javascript:|\shx-on[:-]",
    re.IGNORECASE,
)
FOREIGN = re.compile(
    r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"(?:https?:)?//", re.IGNORECASE
)
# Django's own pages: their policy is checked, their markup is Django's.
NOT_OURS = ("admin/", "api/")


@cache
def _addresses() -> list[Address]:
    return all_addresses()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "address" in metafunc.fixturenames:
        metafunc.parametrize("address", _addresses(), ids=str)


def _policy(header: str) -> dict[str, list[str]]:
    parts = [part.split() for part in header.split(";") if part.strip()]
    return {name: values for name, *values in parts}


def _who(address: Address) -> Role:
    return Role.CUSTOMER if address.route.startswith("portal/") else Role.ADMINISTRATOR


def test_every_answer_carries_the_headers_and_no_code_or_foreign_files(
    db: None, principals: dict[str, Principal], address: Address
) -> None:
    client = principals[_who(address)].client()
    answer = client.get(address.path)
    _check_headers(answer.headers, runs_wasm=address.route in WITH_WASM)
    if address.route.startswith(NOT_OURS) or access.api_class(address.view):
        return
    while 300 <= answer.status_code < 400:
        answer = client.get(answer.headers["Location"])
        _check_headers(answer.headers)
    if answer.streaming or "html" not in answer.headers.get("Content-Type", ""):
        return
    page = answer.content.decode()
    assert INLINE.findall(page) == []
    assert FOREIGN.findall(page) == []


def _check_headers(headers: Mapping[str, str], *, runs_wasm: bool = False) -> None:
    policy = _policy(headers["Content-Security-Policy"])
    assert policy["script-src"] == ["'self'", *["'wasm-unsafe-eval'"] * runs_wasm]
    assert policy["style-src"] == ["'self'"]
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        '<script type="module">import "x"</script>',
        '<a onclick="go()">',
        '<div hx-on:click="x">',
        "<style>p{}</style>",
        '<a href="javascript:go()">',
    ],
)
def test_the_search_for_code_finds_code(markup: str) -> None:
    """The control."""
    assert INLINE.search(markup)
    assert not INLINE.search('<script src="/static/js/app.js" defer></script>')
    assert not INLINE.search('<script type="application/json" id="data">{}</script>')


def test_the_sessions_cookie_is_out_of_a_scripts_reach(db, settings) -> None:
    from tests.factories import UserFactory

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    user = UserFactory(username="anna", roles=[Role.SALES])
    user.set_password("correct horse battery")
    user.save()
    client = Client()
    data = {"login": "anna", "password": "correct horse battery"}
    client.post("/accounts/login/", data)
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
