"""Diagrams of every state table, as Mermaid text; docs/states/ is made of them."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.db.models import TextChoices

Table = dict[TextChoices, frozenset[TextChoices]]


def tables() -> dict[str, Table]:
    """Each ``*_TRANSITIONS`` table of an app's enums, by "app-aggregate"."""
    found: dict[str, Table] = {}
    for config in apps.get_app_configs():
        name = f"{config.name}.enums"
        if not find_spec(name):
            continue
        for attribute, value in sorted(vars(import_module(name)).items()):
            if attribute.endswith("_TRANSITIONS"):
                aggregate = attribute.removesuffix("_TRANSITIONS").lower().replace("_", "-")
                found[f"{config.label}-{aggregate}"] = value
    return found


def page(name: str, table: Table) -> str:
    """The Markdown page of a table."""
    app, _dash, aggregate = name.partition("-")
    first = next(iter(table))
    moves = [
        f"    {old.value} --> {new.value}"
        for old, allowed in table.items()
        for new in sorted(allowed, key=list(table).index)
    ]
    ends = [f"    {state.value} --> [*]" for state, allowed in table.items() if not allowed]
    lines = [
        f"# {aggregate.replace('-', ' ').capitalize()} ({app})",
        "",
        f"Generated from `{app}/enums.py` by `python manage.py state_diagrams`; do not edit.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {first.value}",
        *moves,
        *ends,
        "```",
        "",
    ]
    return "\n".join(lines)
