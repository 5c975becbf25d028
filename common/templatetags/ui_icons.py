"""Tabler icons as inline SVG, read once from node_modules and kept in memory."""

import re
from functools import cache

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

_NAME = re.compile(r"[a-z0-9-]+")
# What is drawn where an icon is missing: an empty box of the same size, so nothing jumps.
_MISSING = ""


@cache
def _paths(name: str, style: str) -> str:
    """The drawing inside the SVG of that icon; empty where the file does not exist."""
    if not _NAME.fullmatch(name):
        return _MISSING
    file = settings.BASE_DIR / "node_modules/@tabler/icons/icons" / style / f"{name}.svg"
    if not file.is_file():
        return _MISSING
    svg = file.read_text(encoding="utf-8")
    inner = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    drawing = " ".join(inner.split()).replace("> <", "><")
    # Tabler's first path is the invisible frame of the drawing board.
    return re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>', "", drawing)


def svg(name: str, *, css_class: str = "", label: str = "", filled: bool = False) -> SafeString:
    """The icon as inline SVG, hidden from screen readers unless it has a ``label``."""
    paths = mark_safe(_paths(name, "filled" if filled else "outline"))  # noqa: S308 - our own files
    paint = 'fill="currentColor"' if filled else 'fill="none" stroke="currentColor"'
    meaning = (
        format_html('role="img" aria-label="{}"', label)
        if label
        else mark_safe('aria-hidden="true"')
    )
    return format_html(
        '<svg class="icon{}" viewBox="0 0 24 24" {} stroke-width="1.75" stroke-linecap="round"'
        ' stroke-linejoin="round" {}>{}</svg>',
        f" {css_class}" if css_class else "",
        mark_safe(paint),  # noqa: S308 - a constant
        meaning,
        paths,
    )
