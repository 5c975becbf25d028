"""The web process's entry."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, InterfaceError, connections
from django.utils.http import parse_header_parameters

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def utf8_only(application: WSGIApplication) -> WSGIApplication:
    """Answer 400 to a request in another encoding than UTF-8, before Django takes it in hand.

    Nothing here is sent otherwise, and Python finds its codecs also by names such as rot13, at
    which Django breaks while it makes the request, where no page of ours can answer.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        _kind, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        if _is_utf8(parameters.get("charset", "utf-8")):
            return application(environ, start_response)
        start_response("400 Bad Request", [("Content-Type", "application/json")])
        return [b'{"detail": "Send UTF-8."}']

    return answer


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name in {"utf-8", "ascii"}
    except (LookupError, ValueError):
        return False


application = utf8_only(get_wsgi_application())


def refuse_demo_over_real_data() -> None:
    """Raise ImproperlyConfigured where demo mode, whose secrets are published, meets real data.

    `make run` says so before it starts anything; this is for a server that is started by hand. A
    database that does not answer, or has no tables yet, has nothing to protect now.
    """
    from common import selectors

    try:
        is_real = selectors.is_demo_over_real_data()
    except (DatabaseError, InterfaceError):
        return
    finally:
        connections.close_all()
    if is_real:
        raise ImproperlyConfigured(
            "DEMO_MODE is on, but this database holds other data than the demo factory. "
            "Start with DEMO_MODE=0 and a SECRET_KEY of your own, or use an empty database."
        )


refuse_demo_over_real_data()
