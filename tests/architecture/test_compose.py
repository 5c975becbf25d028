"""docker-compose.yml, Dockerfile and .ci/run hold what they promise; no engine is needed to see."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.jobs import QUEUES
from tools import run

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"migrate"}
LONG_RUNNING = {"postgres", "redis", "web", "worker", "dispatcher", "machines", "proxy"}
SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|AUTH|KEY")
REFERENCE = re.compile(r"\$\{(\w+)")


def environment_values() -> list[tuple[str, str, str]]:
    """Each (service, name, value) of the environments."""
    return [
        (service, name, str(value))
        for service, definition in SERVICES.items()
        for name, value in definition.get("environment", {}).items()
    ]


def text_of(command: list[str]) -> str:
    return shlex.join(command)


def test_the_services_are_those_of_the_design() -> None:
    assert set(SERVICES) == LONG_RUNNING | ONE_SHOT


@pytest.mark.parametrize("name", sorted(LONG_RUNNING))
def test_a_service_has_a_health_check_and_comes_back_after_a_crash(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries"} <= check.keys()
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_what_others_wait_for_is_healthy_or_done_and_exists() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert how["condition"] == expected, (name, other)


def test_the_application_starts_after_the_migration() -> None:
    for name in ("web", "worker", "dispatcher", "machines"):
        assert set(SERVICES[name]["depends_on"]) == {"postgres", "redis", "migrate"}


def test_every_named_volume_is_declared_and_used() -> None:
    used = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith((".", "/"))
    }
    assert used == set(COMPOSE["volumes"])
    for name in ("postgres", "redis"):
        assert any(volume.startswith(f"{name}:") for volume in SERVICES[name]["volumes"])


def test_every_mounted_file_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            if volume.startswith("."):
                assert (ROOT / volume.split(":")[0]).exists(), volume
                assert volume.endswith(":ro"), volume


def test_secrets_come_from_the_environment_only() -> None:
    for service, name, value in environment_values():
        if SECRET_NAME.search(name):
            assert re.fullmatch(r"\$\{\w+(:\?[^}]+)?\}", value), f"{service} {name}"
    for _, name, value in environment_values():
        for password in re.findall(r"://[^/\s]*?:([^@\s]+(?:\s[^@]*)?)@", value):
            assert password.startswith("${"), name
    password_option = SERVICES["redis"]["command"][
        SERVICES["redis"]["command"].index("--requirepass") + 1
    ]
    assert password_option == "${REDIS_PASSWORD}"


def test_a_missing_secret_stops_compose_with_a_sentence() -> None:
    names = {name for name in REFERENCE.findall(COMPOSE_TEXT) if SECRET_NAME.search(name)}
    assert names == {"SECRET_KEY", "DATABASE_PASSWORD", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    for name in names:
        assert f"${{{name}:?set {name}" in COMPOSE_TEXT


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_redis_keeps_its_wake_ups() -> None:
    command = text_of(SERVICES["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_the_processes_are_those_of_the_procfile() -> None:
    for line in (ROOT / "Procfile").read_text().splitlines():
        name, _, command = line.partition(": exec ")
        assert " ".join(SERVICES[name]["command"]) == command


def test_only_who_has_a_broker_starts_the_listener() -> None:
    assert SERVICES["machines"]["profiles"] == ["machines"]
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["machines"]
    lines = (ROOT / "Procfile").read_text()
    assert set(run.processes(lines, {})) == {"web", "worker", "dispatcher"}
    assert set(run.processes(lines, {"MQTT_URL": "mqtt://broker"})) >= {"machines", "web"}


def test_the_worker_can_be_scaled() -> None:
    worker = SERVICES["worker"]
    assert "container_name" not in worker
    assert "hostname" not in worker
    assert "--scale worker=" in COMPOSE_TEXT
    queues = f"--queues ${{WORKER_QUEUES:-{','.join(QUEUES)}}}"
    assert queues in " ".join(worker["command"])


def test_the_application_runs_without_privileges() -> None:
    for name in ("web", "worker", "dispatcher", "machines", "migrate"):
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["read_only"] is True
        assert "privileged" not in SERVICES[name]


def test_images_are_pinned_to_a_major_version() -> None:
    for name, service in SERVICES.items():
        if not service["image"].startswith("millstream:"):
            assert re.search(r":\d+(-\w+)?$", service["image"]), name


def test_the_last_stage_of_the_image_has_no_root_and_no_compiler() -> None:
    text = (ROOT / "Dockerfile").read_text()
    stages = re.split(r"(?m)^FROM ", text)[1:]
    assert len(stages) == 4
    assert re.search(r"(?m)^USER (?!root)\w+$", stages[-1])
    for word in ("gcc", "build-essential", "apt-get", "npm", "pip install"):
        assert word not in stages[-1]
    assert "--require-hashes -r requirements.lock" in text
    assert "npm ci" in text


def test_the_image_is_built_without_secrets_and_local_data() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", ".env.*", "var", ".venv", "node_modules"} <= set(ignored)


def test_the_health_check_knows_every_service_that_asks_it() -> None:
    script = (ROOT / "deploy" / "healthcheck.py").read_text()
    for name, service in SERVICES.items():
        test = service.get("healthcheck", {}).get("test", [])
        if "deploy/healthcheck.py" in test:
            assert test[-1] == name
            assert f"def {name}()" in script


def test_ci_runs_what_a_developer_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert script.rstrip().endswith("make check\nmake test")
    assert "export CI=true" in script
    commands = re.findall(r"(?m)^\s*(?!#)(?:\w+=\S+ )?(pip|npm|uv|python3?|curl|wget)\b", script)
    assert commands == []
