"""The lock files are complete, hashed and name no address; what the pages load is there."""

import ast
import importlib.metadata
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from config import static_finder
from config.static_finder import VENDOR_FILES
from tools import check

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT_TEXT = (ROOT / "pyproject.toml").read_text()
PROJECT = tomllib.loads(PYPROJECT_TEXT)["project"]
PACKAGE = json.loads((ROOT / "package.json").read_text())
PACKAGE_LOCK = json.loads((ROOT / "package-lock.json").read_text())
PYTHON_LOCKS = [name for name in check.LOCKS if name.startswith("requirements")]


def locked(name: str) -> dict[str, str]:
    """The version of each package of a lock file."""
    pins = re.findall(r"(?m)^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", (ROOT / name).read_text())
    return dict(pins)


def wanted(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~ ]", requirement)[0].lower() for requirement in requirements}


def test_no_lock_file_names_an_address() -> None:
    assert check.lock_addresses() == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://mirror.example/simple",
        "--extra-index-url https://mirror.example/simple",
        "--find-links /opt/wheels",
        '"resolved": "https://mirror.example/x.tgz",',
        "thing @ https://mirror.example/thing.whl",
    ],
)
def test_an_address_in_a_lock_file_is_found(line: str, tmp_path: Path) -> None:
    for name in check.LOCKS:
        shutil.copy(ROOT / name, tmp_path / name)
    lock = tmp_path / check.LOCKS[0]
    lock.write_text(f"{line}\n{lock.read_text()}")
    assert check.lock_addresses(tmp_path) == [f"{check.LOCKS[0]}:1"]


@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_every_locked_package_has_a_hash(name: str) -> None:
    entries = re.split(r"(?m)^(?=[\w.-]+(?:\[[\w,-]+\])?==)", (ROOT / name).read_text())[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    assert wanted(PROJECT["dependencies"]) <= locked("requirements.lock").keys()
    dev = PROJECT["optional-dependencies"]["dev"]
    assert wanted(dev) <= locked("requirements-dev.lock").keys()


def test_development_uses_the_versions_of_production() -> None:
    runtime, development = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: development.get(name) for name in runtime} == runtime


def imported_when_run(source: str) -> set[str]:
    """The top-level names of the modules that a file imports, less those for types only."""
    tree = ast.parse(source)
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_imports_for_types_only_do_not_count() -> None:
    source = "import a.b\nfrom c import d\nif TYPE_CHECKING:\n    import mypy\n"
    assert imported_when_run(source) == {"a", "c"}


def test_the_application_imports_what_production_installs() -> None:
    """A development dependency imported by a page is a crash that no test on this venv sees."""
    distributions = importlib.metadata.packages_distributions()
    installed = {re.sub(r"[-_.]+", "-", name).lower() for name in locked("requirements.lock")}
    strangers = []
    for path in [*ROOT.glob("*/**/*.py"), ROOT / "manage.py"]:
        folder = path.relative_to(ROOT).parts[0]
        if folder.startswith(".") or folder in {"node_modules", "var", "tests"}:
            continue
        for name in imported_when_run(path.read_text(encoding="utf-8")):
            owners = {
                re.sub(r"[-_.]+", "-", owner).lower() for owner in distributions.get(name, [])
            }
            if owners and not owners & installed:
                strangers.append(f"{path.relative_to(ROOT)} imports {name}")
    assert strangers == []


def test_every_dependency_carries_its_reason() -> None:
    lists = re.findall(r"(?ms)^(?:dependencies|dev) = \[\n(.*?)^\]", PYPROJECT_TEXT)
    lines = "".join(lists).splitlines()
    dev = PROJECT["optional-dependencies"]["dev"]
    assert len(lines) == len(PROJECT["dependencies"]) + len(dev)
    assert [line for line in lines if not re.search(r'",\s*#\s*\S+', line)] == []


def test_the_npm_lock_holds_what_package_json_asks_for() -> None:
    asked = {**PACKAGE["dependencies"], **PACKAGE["devDependencies"]}
    packages = PACKAGE_LOCK["packages"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in asked} == asked
    for path, entry in packages.items():
        assert path == "" or entry["integrity"].startswith("sha512-"), path


def test_npm_runs_no_scripts_of_packages() -> None:
    settings = (ROOT / ".npmrc").read_text().split()
    assert {"ignore-scripts=true", "omit-lockfile-registry-resolved=true"} <= set(settings)


def test_every_mapped_vendor_file_exists() -> None:
    assert static_finder.missing_files() == []


def test_a_missing_vendor_file_is_an_error_of_the_system_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(VENDOR_FILES, "vendor/nothing.js", "nothing/nothing.js")
    messages = static_finder.VendorFinder().check()
    assert [message.id for message in messages] == ["millstream.E001"]


def test_the_finder_finds_the_map_and_nothing_else() -> None:
    finder = static_finder.VendorFinder()
    path = "vendor/tabler.min.css"
    assert finder.find(path) == str(ROOT / "node_modules" / VENDOR_FILES[path])
    assert finder.find(path, find_all=True) == [finder.find(path)]
    assert finder.find("@tabler/core/dist/css/tabler.css") == []
    assert {name for name, _ in finder.list([])} == set(VENDOR_FILES)
    for name, storage in finder.list(["*.css"]):
        assert not name.endswith(".css")
        with storage.open(name) as file:
            assert file.read(1)
