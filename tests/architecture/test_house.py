"""The house of DESIGN, rule 2: ten rooms, one direction, by imports and by foreign keys."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from importlinter import cli

ROOT = Path(__file__).resolve().parents[2]
TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
# From the roof to the cellar, as the layers contract says.
ROOMS: list[str] = next(
    contract["layers"]
    for contract in TOOLS["importlinter"]["contracts"]
    if contract["id"] == "rooms"
)
# What one room shows to another; `common` shows everything.
SHOWN = {"services", "selectors", "events", "enums"}
APPS = [room for room in ROOMS if room not in {"config", "common"}]


def test_the_contracts_hold(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    # It would silence the loggers of this process, for all tests that follow.
    monkeypatch.setattr(cli, "_configure_logging", lambda verbose: None)
    code = cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert code == 0, capsys.readouterr().out


# Imports across rooms.


def _imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of what runs as an import; type checkers' imports do not run."""
    for node in _running(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in {
            "TYPE_CHECKING",
            "typing.TYPE_CHECKING",
        }:
            continue
        yield child
        yield from _running(child)


def _forbidden(room: str, source: str) -> list[str]:
    """What a file of ``room`` takes from other rooms without being shown it."""
    found = []
    for line, name in _imported(ast.parse(source)):
        parts = name.split(".")
        if parts[0] in APPS and parts[0] != room and (len(parts) < 2 or parts[1] not in SHOWN):
            found.append(f"{line}: {name}")
    return found


@pytest.mark.parametrize("room", APPS)
def test_rooms_take_only_what_is_shown(room: str) -> None:
    files = [path for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
    found = {
        str(path.relative_to(ROOT)): names
        for path in files
        if (names := _forbidden(room, path.read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("from mes import services", False),
        ("from mes.services import work_orders", False),
        ("import mes.selectors", False),
        ("from crm.models import SalesOrder", False),
        ("from common.models import User", False),
        ("from mes.models import WorkOrder", True),
        ("from mes import models", True),
        ("import mes", True),
        ("def f():\n    from mes.models import WorkOrder", True),
        ("if TYPE_CHECKING:\n    from mes.models import WorkOrder", False),
    ],
)
def test_the_rule_on_imports_catches(source: str, caught: bool) -> None:
    """The control."""
    assert bool(_forbidden("crm", source)) is caught


# Foreign keys, which import-linter does not see.


def _relations():
    return [
        field
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in ROOMS
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many)
        if field.is_relation
    ]


def _rooms_of(field) -> tuple[str, str]:
    return field.model._meta.app_label, field.related_model._meta.app_label


def _points_up(own: str, other: str) -> bool:
    return other in ROOMS and ROOMS.index(other) < ROOMS.index(own)


def test_no_foreign_key_points_up() -> None:
    assert len(_relations()) > 10
    assert [str(field) for field in _relations() if _points_up(*_rooms_of(field))] == []


def test_the_rule_on_foreign_keys_catches() -> None:
    """The control."""
    assert _points_up("masterdata", "crm")
    assert not _points_up("crm", "masterdata")
    assert not _points_up("crm", "crm")
    assert not _points_up("crm", "contenttypes")


def test_a_foreign_key_to_another_room_leaves_no_name_there() -> None:
    wrong = [
        str(field)
        for field in _relations()
        if len(set(_rooms_of(field))) == 2 and field.remote_field.related_name != "+"
    ]
    assert wrong == []


# Constraints.


def _constraints() -> list[tuple[type[models.Model], str]]:
    return [
        (model, constraint.name)
        for model in apps.get_models()
        if model._meta.app_label in ROOMS
        for constraint in model._meta.constraints
    ]


def test_constraints_are_named_after_their_model_and_rule() -> None:
    assert _constraints()
    wrong = [
        name
        for model, name in _constraints()
        if not name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_")
    ]
    assert wrong == []


def test_nothing_is_unique_together_without_a_name() -> None:
    models_of_ours = [m for m in apps.get_models() if m._meta.app_label in ROOMS]
    assert [m for m in models_of_ours if m._meta.unique_together] == []


def test_every_constraint_has_a_test_that_names_it() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert sorted(name for _model, name in _constraints() if name not in tests) == []


# Sizes.


def _functions(source: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_fit_a_screen_and_files_a_few() -> None:
    """About 40 and 400 lines; a signature and a docstring may take a few more."""
    wrong = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "migrations" in path.parts:
                continue
            source = path.read_text()
            name = str(path.relative_to(ROOT))
            if source.count("\n") > 420:
                wrong.append(f"{name}: {source.count(chr(10))} lines")
            wrong += [f"{name}: {f}() {n} lines" for f, n in _functions(source) if n > 48]
    assert wrong == []
