"""Work is asked for by the job ledger only: Celery is called in common/jobs and nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = (
    "config", "portal", "quoting", "crm", "aps", "mes", "erp", "traceability", "masterdata",
    "common", "tools",
)  # fmt: skip
BANNED_CALLS = {"delay", "delay_on_commit", "apply_async", "apply_async_on_commit", "send_task"}
BANNED_DECORATORS = {"shared_task", "task"}
ALLOWED = ROOT / "common" / "jobs"


def violations(source: str) -> Iterator[str]:
    """Each call that sends a Celery message, and each Celery task, as "line: what"."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _sends(node):
            yield f"{node.lineno}: {ast.unparse(node.func)}("
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if _last_name(called) in BANNED_DECORATORS:
                    yield f"{decorator.lineno}: @{ast.unparse(called)}"


def _sends(node: ast.Call) -> bool:
    # A method `delay(...)` of our own, such as Reaction.delay(), sends nothing: it has no task
    # arguments and its receiver is no task. Celery's always has a receiver, so has ours: the
    # allowed one is named.
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr in BANNED_CALLS
        and ast.unparse(node) != "reaction.delay()"
    )


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _sources() -> list[Path]:
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return [path for path in paths if ALLOWED not in path.parents]


def test_nothing_outside_the_ledger_sends_a_celery_message() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{violation}"
        for path in _sources()
        for violation in violations(path.read_text())
    ]
    assert not found, "Ask the job ledger (common.jobs.enqueue):\n" + "\n".join(found)


def test_the_search_covers_the_rooms() -> None:
    rooms = {path.relative_to(ROOT).parts[0] for path in _sources()}
    assert {"config", "crm", "aps", "mes", "erp", "common"} <= rooms


@pytest.mark.parametrize(
    "source",
    [
        "convert.delay(order_id=1)",
        "tasks.convert.apply_async(args=[1], countdown=5)",
        "app.send_task('crm.convert')",
        "convert.delay_on_commit(1)",
        "@shared_task\ndef convert(): ...",
        "@app.task(name='x')\ndef convert(): ...",
        "def f():\n    if True:\n        g(convert.s(1).apply_async())",
    ],
)
def test_the_search_finds_a_violation(source: str) -> None:
    """The control: code that must be refused."""
    assert list(violations(source))


@pytest.mark.parametrize(
    "source", ["enqueue('crm.convert', key='a', now=now)", "delay(3)", "# tasks.convert.delay(1)"]
)
def test_the_search_lets_other_code_be(source: str) -> None:
    assert not list(violations(source))
