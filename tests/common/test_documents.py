"""Paper: both languages readable, nothing fetched from outside."""

import contextlib
import logging
import re
import zlib
from pathlib import Path

import pytest

from common import documents


@pytest.fixture
def paper(settings, tmp_path):
    """Render a body as a PDF."""
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}
    ]

    def paper(body: str, language: str = "en", **context) -> bytes:
        (tmp_path / "sample.html").write_text(
            '{% extends "common/document.html" %}{% block content %}' + body + "{% endblock %}",
            encoding="utf-8",
        )
        return documents.pdf(template="sample.html", context=context, language=language)

    return paper


def _streams(made: bytes):
    """What the PDF's compressed streams hold."""
    for part in re.findall(rb"stream\n(.*?)\nendstream", made, flags=re.DOTALL):
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(part)


def test_chinese_is_printed_with_a_whole_font(paper, caplog):
    caplog.set_level(logging.WARNING, logger="weasyprint")
    made = paper(
        "<h1>工单 {{ number }}</h1><img src='{{ code }}'>",
        "zh-hans",
        number="WO-1",
        code=documents.qr("MS:WO:WO-1"),
    )
    assert made.startswith(b"%PDF")
    # The map from glyphs back to text names 工 (U+5DE5): it was found in the font.
    assert b"<5de5>" in b"".join(_streams(made)).lower()
    assert len(made) < 120_000
    assert caplog.messages == []


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/picture.png",
        "file:///etc/passwd",
        "static:../../etc/passwd",
        "static:/etc/passwd",
        "font:../sans",
        "/etc/passwd",
    ],
)
def test_nothing_else_is_read(paper, caplog, address):
    caplog.set_level(logging.WARNING, logger="weasyprint")
    assert paper("<p>x</p><img src='{{ address }}'>", address=address).startswith(b"%PDF")
    assert any("Failed to load image" in line for line in caplog.messages)


def test_the_style_sheet_of_paper_is_found(paper, caplog):
    caplog.set_level(logging.WARNING, logger="weasyprint")
    paper("<p>x</p>")
    assert not [line for line in caplog.messages if "stylesheet" in line]
    assert (Path(__file__).parents[2] / "static/css/document.css").is_file()


def test_without_the_library_the_refusal_says_so(monkeypatch, paper):
    import builtins

    real = builtins.__import__

    def broken(name, *args, **kwargs):
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(documents.CannotPrint, match="Pango is missing"):
        paper("<p>x</p>")
