"""PDFs of what goes on paper: one renderer, one fetcher, one font for both languages.

A template extends ``common/document.html`` and loads nothing from anywhere but

    data:…          images that the page itself carries, such as QR codes
    static:css/x    a static file of the project
    font:sans       Noto Sans SC as one whole file (slices by range print garbage)

Nothing else is fetched, whatever a customer's text or an item's name holds.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import segno
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from common.errors import Refused


class CannotPrint(Refused):
    """The machine lacks what PDFs are made with."""


def pdf(*, template: str, context: Mapping[str, Any], language: str) -> bytes:
    """The template as a PDF in the reader's language; raise CannotPrint without Pango."""
    try:
        # At load it wants the system's Pango, which only who prints needs.
        from weasyprint import HTML
    except OSError as error:
        raise CannotPrint(
            _("This server cannot make PDFs: the library Pango is missing on it.")
        ) from error
    with translation.override(language):
        text = render_to_string(template, {**context, "language": language})
    # An empty base: a relative address leads nowhere.
    document = HTML(string=text, base_url="static:", url_fetcher=_fetcher()).write_pdf()
    return bytes(document)


def answer(*, name: str, content: bytes) -> HttpResponse:
    """A PDF shown in the browser, saved as ``name``."""
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def qr(text: str, *, scale: float = 4) -> str:
    """A QR code as a data address for an image; error correction M: a scuff does not matter."""
    made = segno.make(text, error="m", micro=False)
    return str(made.svg_data_uri(scale=scale, border=2, light="#fff"))


@cache
def _fetcher() -> Any:
    from pylopdf_fonts_zh_cn import sans_path
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OwnFilesOnly(URLFetcher):  # type: ignore[misc]
        """Answers ``data:``, ``static:`` and ``font:``; everything else is refused."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            scheme, _colon, rest = url.partition(":")
            if scheme == "data":
                return super().fetch(url, headers)
            if scheme == "font" and rest == "sans":
                return _file(URLFetcherResponse, url, Path(sans_path()), "font/otf")
            if scheme == "static":
                name = unquote(rest.split("?")[0].split("#")[0]).lstrip("/")
                found = finders.find(name)
                if isinstance(found, str):
                    kind = "text/css" if name.endswith(".css") else "application/octet-stream"
                    kind = "image/svg+xml" if name.endswith(".svg") else kind
                    return _file(URLFetcherResponse, url, Path(found), kind)
            raise ValueError(f"A document may not load {url[:80]}")

    return OwnFilesOnly(allowed_protocols=["data"], allow_redirects=False)


def _file(response: Any, url: str, path: Path, kind: str) -> Any:
    return response(url, path.read_bytes(), {"Content-Type": kind})
