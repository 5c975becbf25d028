"""What `make run` and `make test` stand on, as real processes in data directories of their own."""

import gettext
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import polib
import psycopg
import pytest
import redis

from tools import compile_messages, messages, postgres, run, service_user
from tools.errors import CannotGoOn
from tools.messages import Text

ROOT = Path(__file__).resolve().parents[2]
RUN_SECONDS = 60
# The first `make run` also loads the demo factory and plans it, on a machine that is busy.
FIRST_RUN_SECONDS = 240


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path of this test's own. Not tmp_path: each start of pytest closes the folder above
    that to others, also to the servers' system user."""
    with tempfile.TemporaryDirectory(prefix="millstream-test-") as path:
        yield Path(path)


@pytest.fixture
def var(folder: Path) -> Iterator[Path]:
    """A data directory of this test's own; its servers are stopped in any case."""
    path = folder / "var"
    path.mkdir()
    yield path
    tool("services", "stop", var=path)
    assert processes_of(path) == []


def environment(var: Path, **more: str) -> dict[str, str]:
    """As a user's shell would have it: nothing of pytest, no servers given."""
    dropped = ("PYTEST_", "DATABASE_URL", "REDIS_URL", "DJANGO_", "DEMO_MODE", "SECRET_KEY", "MAKE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "VAR_DIR": str(var), **more}


def tool(name: str, *arguments: str, var: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"tools.{name}", *arguments],
        cwd=ROOT,
        env=environment(var, **more),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def processes_of(var: Path) -> list[str]:
    """The command of each living process that was started with this data directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            command = (entry / "cmdline").read_bytes()
            started_with = (entry / "environ").read_bytes()
        except OSError:  # not a process, or gone, or not ours
            continue
        if state != "Z" and (str(var).encode() in command + started_with):
            found.append(command.replace(b"\0", b" ").decode())
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def exports(output: str) -> dict[str, str]:
    """What the shell gets from `tools.services env`."""
    lines = [line.removeprefix("export ") for line in output.splitlines()]
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a refused command."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith("millstream: ")
    return sentence


def test_services_start_keep_their_data_and_stop(var: Path) -> None:
    started = tool("services", "start", var=var)
    assert started.returncode == 0, started.stderr
    given = exports(started.stdout)
    assert exports((var / "dev.env").read_text()) == given
    with psycopg.connect(given["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
        role = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert role.fetchone() == (False,)
        connection.execute("SET ROLE millstream_app")  # docs/database-roles.md
        connection.execute("RESET ROLE")
    client = redis.Redis.from_url(given["REDIS_URL"])
    client.set("kept", "42")
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert client.config_get("appendonly") == {"appendonly": "yes"}
    client.close()

    assert tool("services", "stop", var=var).returncode == 0
    assert processes_of(var) == []
    assert tool("services", "status", var=var).returncode == 3

    assert tool("services", "start", var=var).returncode == 0
    with psycopg.connect(given["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (42,)
    with redis.Redis.from_url(given["REDIS_URL"]) as again:
        assert again.get("kept") == b"42"


def test_manage_py_needs_no_settings_by_hand(var: Path) -> None:
    """Any Python, no environment: it goes on in .venv with servers of its own, and stops them."""

    def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
        without_packages = [sys.executable, "-S", "manage.py", *arguments]
        return subprocess.run(
            without_packages, cwd=ROOT, env=environment(var), capture_output=True, text=True,
            timeout=RUN_SECONDS, check=False,
        )  # fmt: skip

    done = manage("migrate", "--plan")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "common.0001_initial" in done.stdout
    assert processes_of(var) == []
    assert "create_token" in manage("help").stdout
    assert manage("create_token", "nobody").returncode == 1


def test_the_last_borrower_stops_the_services(var: Path) -> None:
    """The inner command borrows what the outer one started, and leaves it running."""
    python = [sys.executable, "-m", "tools.with_services"]
    script = (
        f'set -e; {" ".join(python)} sh -c "exit 0"; unset DATABASE_URL REDIS_URL; '
        f'{" ".join(python)} sh -c "exit 0"; {sys.executable} -m tools.services status'
    )
    done = tool("with_services", "sh", "-c", script, var=var)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("running") == 2
    assert processes_of(var) == []


def test_with_services_hands_on_the_exit_code(var: Path) -> None:
    assert tool("with_services", "sh", "-c", "exit 7", var=var).returncode == 7


def test_a_path_too_long_for_a_socket_gets_a_short_one(folder: Path) -> None:
    var = folder / ("long-" * 24)
    var.mkdir()
    try:
        started = tool("services", "start", var=var)
        assert started.returncode == 0, started.stderr
        sockets = Path(exports(started.stdout)["DATABASE_URL"].partition("host=")[2])
        assert len(str(sockets)) < 60
        assert sockets.stat().st_mode & 0o077 == 0
    finally:
        tool("services", "stop", var=var)
    assert processes_of(var) == []
    sockets.rmdir()


def test_data_of_another_postgresql_gets_a_sentence(var: Path) -> None:
    data = var / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("15\n")
    sentence = refusal(tool("services", "start", var=var))
    assert "made by PostgreSQL 15" in sentence
    assert f"mv {data} {data}-15" in sentence
    assert "made by PostgreSQL 15" in refusal(tool("run", var=var, PORT=str(free_port())))


def test_a_half_made_data_directory_gets_a_sentence(var: Path) -> None:
    (var / "postgres").mkdir()
    (var / "postgres" / "base").mkdir()
    assert f"rm -r {var / 'postgres'}" in refusal(tool("services", "start", var=var))


def test_a_missing_library_gets_a_sentence(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = var / "wheel" / "pginstall" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").write_text("#!/bin/sh\necho libicu.so.72: cannot open >&2\nexit 127\n")
    (programs / "postgres").chmod(0o755)
    monkeypatch.setattr(postgres, "_programs", lambda: programs)
    server = postgres.Postgres(var / "postgres", var / "run", var / "log", service_user.current())
    with pytest.raises(CannotGoOn, match=r"libicu.so.72: cannot open.*system's packages"):
        server.start()


def test_translations_are_compiled_without_gettext(folder: Path) -> None:
    po = folder / "django.po"
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    fuzzy = '#, fuzzy\nmsgid "late"\nmsgstr "x"\n'
    po.write_text(f'{head}msgid "order"\nmsgstr "订单"\n\n{fuzzy}', encoding="utf-8")
    with compile_messages.compile_catalogue(po).open("rb") as file:
        translations = gettext.GNUTranslations(file)
    assert translations.gettext("order") == "订单"
    assert translations.gettext("late") == "late"  # fuzzy: not to be shown


def test_the_texts_to_translate_are_found_in_python_and_templates() -> None:
    python = """
_("order")
gettext_lazy("two " "parts")
ngettext("%(n)d piece", "%(n)d pieces", n)
pgettext("machine", "state")
_(variable)
other("nothing")
"""
    assert set(messages.texts_of_python(python)) == {
        Text("order"),
        Text("two parts"),
        Text("%(n)d piece", "%(n)d pieces"),
        Text("state", context="machine"),
    }
    template = """{% load i18n %}<c-x label="{% translate "it's 5%" %}">{{ _("key") }}
{% blocktranslate trimmed count n=list|length %}
  {{ n }} part
{% plural %}
  {{ n }} parts
{% endblocktranslate %}{% translate 'state' context 'machine' %}"""
    assert set(messages.texts_of_template(template)) == {
        Text("it's 5%%"),
        Text("key"),
        Text("%(n)s part", "%(n)s parts"),
        Text("state", context="machine"),
    }


def test_a_missing_or_broken_translation_is_a_fault() -> None:
    texts = {
        Text("order"): ["a.py"],
        Text("late"): ["a.py"],
        Text("%(n)s part", "%(n)s parts"): ["b.html"],
        Text("by %(name)s"): ["b.html"],
    }
    po = messages.merge(polib.POFile(), texts)
    assert len(messages.faults(po, texts)) == 4
    for entry in po:
        if entry.msgid_plural:
            entry.msgstr_plural = {0: "%(n)s 件"}
        else:
            entry.msgstr = {"order": "订单", "late": "迟", "by %(name)s": "%(wrong)s"}[entry.msgid]
    [fault] = messages.faults(po, texts)
    assert "placeholders differ: 'by %(name)s'" in fault
    again = messages.merge(po, texts | {Text("new"): ["c.py"]})
    assert [entry.msgid for entry in again.untranslated_entries()] == ["new"]


def test_the_lock_of_a_dead_server_does_not_stop_a_start(var: Path) -> None:
    """Its process number belongs to something else of the same user by now."""
    assert tool("services", "start", var=var).returncode == 0
    lock = var / "postgres" / "postmaster.pid"
    left_by_the_dead = lock.read_text()
    assert tool("services", "stop", var=var).returncode == 0
    user = service_user.current()
    stranger = subprocess.Popen(["sleep", "60"], user=user.uid, group=user.gid)
    try:
        _, _, rest = left_by_the_dead.partition("\n")
        lock.write_text(f"{stranger.pid}\n{rest}")
        started = tool("services", "start", var=var)
    finally:
        stranger.kill()
        stranger.wait()
    assert started.returncode == 0, started.stderr
    assert "removing a dead server's lock, postmaster.pid" in started.stderr


def test_killed_servers_start_again(var: Path) -> None:
    assert tool("services", "start", var=var).returncode == 0
    pids = [int((var / "postgres" / "postmaster.pid").read_text().split()[0])]
    pids.append(int((var / "redis" / "redis.pid").read_text()))
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while processes_of(var):
        assert time.monotonic() < deadline, processes_of(var)
        time.sleep(0.1)
    started = tool("services", "start", var=var)
    assert started.returncode == 0, started.stderr


def test_an_interrupted_start_leaves_nothing_behind_and_can_be_repeated(var: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.with_services", "sleep", "60"], cwd=ROOT, env=environment(var)
    )
    while not (var / "postgres" / "base").exists():  # in the middle of making the cluster
        assert process.poll() is None
        time.sleep(0.01)
    process.terminate()
    process.wait(RUN_SECONDS)
    assert processes_of(var) == []
    started = tool("services", "start", var=var)
    assert started.returncode == 0, started.stderr


def test_a_stop_asks_the_worker_and_leaves_its_children_to_it() -> None:
    """A child that is asked too dies in the middle of its job."""
    child = "import signal; signal.pause()"
    parent = (
        "import subprocess, sys, signal; "
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}]); "
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0 if child.poll() is None else 1)); "
        "print(child.pid, flush=True); signal.pause()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    try:
        run.Leaders().terminate(process.pid)
        assert process.wait(RUN_SECONDS) == 0
        os.kill(pid, 0)
    finally:
        os.kill(pid, signal.SIGKILL)
        process.stdout.close()
    run.Leaders().terminate(process.pid)  # gone already: nothing to say


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none"),
        ("REDIS_URL", "redis://127.0.0.1:1/0"),
    ],
)
def test_an_unreachable_server_gets_a_sentence(name: str, address: str, var: Path) -> None:
    sentence = refusal(tool("run", var=var, PORT=str(free_port()), **{name: address}))
    assert f"answers at {name}" in sentence
    assert "start that server or correct the address" in sentence


def test_a_taken_port_gets_a_sentence(var: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        sentence = refusal(tool("run", var=var, PORT=str(port)))
    assert f"Port {port} on 127.0.0.1 cannot be used" in sentence
    assert "make run" in sentence
    assert not (var / "postgres").exists()  # nothing was started in vain


def test_a_port_that_is_no_number_gets_a_sentence(var: Path) -> None:
    assert "PORT=http is no port" in refusal(tool("run", var=var, PORT="http"))


def start_make_run(var: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    """`make run` in a process group of its own, as a terminal would start it."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=ROOT,
            env=environment(var, PORT=str(port)),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + FIRST_RUN_SECONDS
    while "Millstream answers at" not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            process.terminate()
            process.wait(RUN_SECONDS)
            pytest.fail(log.read_text())
        time.sleep(0.2)
    return process


def first_page(port: int) -> str:
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with browser.open(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return str(answer.read().decode())


@pytest.mark.worker
def test_make_run_shows_the_login_page_and_leaves_nothing_behind(var: Path) -> None:
    """Twice: ended by Ctrl-C (SIGINT to the whole group), then by SIGTERM to make alone."""
    port = free_port()
    log = var.parent / "run.log"
    process = start_make_run(var, port, log)
    try:
        assert 'name="login"' in first_page(port)
        assert "runs already" in refusal(tool("run", var=var, PORT=str(free_port())))
        assert "stop it first" in refusal(tool("demo_reset", var=var))
        os.killpg(process.pid, signal.SIGINT)
        process.wait(RUN_SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(RUN_SECONDS)
    assert processes_of(var) == []
    assert "millstream: stopped." in log.read_text()
    assert "Traceback" not in log.read_text()

    log.write_text("")
    process = start_make_run(var, port, log)
    try:
        # The second run finds its data: nothing is loaded, collected or made again.
        assert "loading the demo factory" not in log.read_text()
        assert "collecting static files" not in log.read_text()
        assert 'name="login"' in first_page(port)
    finally:
        process.terminate()
        process.wait(RUN_SECONDS)
    assert processes_of(var) == []
