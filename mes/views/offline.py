"""What lets the terminal work without network: its service worker, and the page of last resort."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from common.access import public

# What the pages of the terminal load; a test compares it with the pages.
SHELL = (
    "vendor/tabler.min.css",
    "css/tokens.css",
    "css/base.css",
    "css/tables.css",
    "css/cards.css",
    "css/steps.css",
    "css/controls.css",
    "css/messages.css",
    "css/shell.css",
    "mes/terminal.css",
    "img/favicon.svg",
    "django_htmx/htmx-2.min.js",
    "js/app.js",
    "js/toasts.js",
    "js/shortcuts.js",
    "js/select.js",
    "js/live.js",
    "mes/scan.js",
    "mes/sign_in.js",
    "mes/outbox.js",
    "mes/terminal.js",
    "mes/pad.js",
    "mes/checks.js",
    "mes/offline.js",
    "mes/leave.js",
    "mes/away.js",
)


@public
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker; its scope is the folder that it comes from, the terminal."""
    shell = json.dumps(_shell() if settings.DEBUG else _shell_once())
    source = Path(apps.get_app_config("mes").path) / "static/mes/worker.js"
    answer = HttpResponse(
        f"const SHELL = {shell};\n{source.read_text(encoding='utf-8')}",
        content_type="text/javascript; charset=utf-8",
    )
    answer["Cache-Control"] = "no-cache"
    return answer


@public
def away(request: HttpRequest) -> HttpResponse:
    """Shown without network where there is no copy of a page; nothing of anybody is in it."""
    answer = render(request, "mes/terminal/away.html")
    answer["Cache-Control"] = "no-cache"
    return answer


@cache
def _shell_once() -> dict[str, Any]:
    return _shell()


def _shell() -> dict[str, Any]:
    """What the worker has to know: its files, the version they make, and where things are."""
    files = [staticfiles_storage.url(name) for name in SHELL]
    digest = hashlib.sha256("\n".join(files).encode())
    # Where a name does not change with its content, the content is asked.
    if not isinstance(staticfiles_storage, ManifestFilesMixin):
        for name in SHELL:
            digest.update(Path(str(finders.find(name))).read_bytes())
    return {
        "version": digest.hexdigest()[:16],
        "files": files,
        "home": reverse("mes:terminal"),
        "away": reverse("mes:terminal-away"),
        "signIn": reverse("mes:terminal-sign-in"),
        "leaving": [reverse("mes:terminal-lock"), reverse("mes:terminal-go-home")],
    }
