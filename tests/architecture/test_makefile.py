"""The targets of the Makefile work in a fresh clone, where nothing is set in the environment."""

from tools import paths


def _commands(text: str) -> list[str]:
    return [
        line.strip() for line in text.splitlines() if line.startswith("\t") and "manage.py" in line
    ]


def _without_settings(text: str) -> list[str]:
    return [command for command in _commands(text) if "DEMO_MODE=1" not in command]


def test_every_target_that_reads_the_settings_says_that_it_is_a_try_out() -> None:
    text = (paths.ROOT / "Makefile").read_text()
    assert _commands(text), "the Makefile has no target with manage.py any more"
    assert _without_settings(text) == []


def test_the_rule_on_targets_catches() -> None:
    assert _without_settings("bench:\n\t@exec python manage.py bench\n") == [
        "@exec python manage.py bench"
    ]
