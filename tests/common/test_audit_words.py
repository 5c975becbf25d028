"""The audit trail speaks in sentences, in both languages, of every action there is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.utils.translation import override

from common import audit, audit_words
from common.enums import Role

ROOMS = (
    *("aps", "common", "config", "crm", "erp", "masterdata", "mes", "portal", "quoting"),
    "traceability",
)
# Of ``audit``, and what a module with one kind of target makes of them.
CALLS = {"record", "record_many", "_record"}


def actions() -> Iterator[str]:
    """Every code that is written; of a composed one its last word alone is known."""
    for room in ROOMS:
        for path in (Path(settings.BASE_DIR) / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and _name(node.func) in CALLS:
                    for keyword in node.keywords:
                        if keyword.arg == "action":
                            yield from _codes(keyword.value)


def _name(called: ast.expr) -> str:
    return getattr(called, "attr", "") or getattr(called, "id", "")


def _codes(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _codes(value.body)
        yield from _codes(value.orelse)


def test_every_action_that_is_written_has_words() -> None:
    found = set(actions())
    assert len(found) > 30
    without = {code for code in found if audit_words.said(code) == code}
    assert without == set()


def test_no_words_are_kept_for_an_action_that_is_gone() -> None:
    # The demo's mark is named by a constant; the user's creation by a choice of two.
    assert set(audit_words.SENTENCES) - set(actions()) <= {"crm.demo.load"}


def test_an_action_without_a_sentence_is_told_by_its_verb_or_its_code() -> None:
    assert audit_words.said("masterdata.anything.delete") == "deleted it"
    assert audit_words.said("masterdata.anything.frobnicate") == "masterdata.anything.frobnicate"


@pytest.mark.parametrize(
    ("language", "sentence", "word"),
    [("en", "put the order on hold", "hold"), ("zh-hans", "暂停订单", "暂停")],
)
def test_the_page_says_and_finds_sentences(
    client_for, user_for, now, language: str, sentence: str, word: str
) -> None:
    with transaction.atomic():
        for action in ("crm.order.hold", "erp.stock.adjust"):
            audit.record(action=action, target=user_for(Role.SALES), by=None, now=now)
    manager = user_for(Role.ADMINISTRATOR)
    manager.language = language
    manager.save()
    client = client_for(Role.ADMINISTRATOR)
    html = client.get("/audit/").content.decode()
    with override(language):
        other = audit_words.said("erp.stock.adjust")
    assert sentence in html
    assert other in html
    found = client.get("/audit/", {"q": word}).content.decode()
    assert sentence in found
    assert other not in found
    by_code = client.get("/audit/", {"q": "crm.order.hold"}).content.decode()
    assert sentence in by_code
    assert other not in by_code
