"""The chain as nodes and edges for the drawing: two levels up, one down, more on demand."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _

from crm.trace.life import Life
from traceability import selectors as ledger
from traceability.enums import FIRST_UNIT_ID, IdentityState, LinkEndWhy, LinkRole

if TYPE_CHECKING:
    from traceability.models import Lot, SerialUnit

LEVELS = 2
# New nodes of one answer; the drawing itself stops at 300.
MOST_PARTS = 80
MOST_USERS = 12


def first(life: Life, parts: list[ledger.Part]) -> dict[str, Any]:
    """Two levels over the thing by these parts, and what was made from it directly."""
    near = ledger.within(life.thing.pk, parts, levels=LEVELS)
    users = ledger.users_of([life.thing.pk], most=MOST_USERS + 1)
    things = {**life.things, **ledger.things([pk for _node, pk, *_rest in users])}
    return _graph(life.thing.pk, near, users, things)


def more(pk: int, *, as_built: bool) -> dict[str, Any]:
    """One level over and under a thing that is in the drawing already."""
    parts = ledger.parts_of(ledger.steps_over(pk))
    chosen = [part for part in parts if (part.is_as_built if as_built else part.holds)]
    near = ledger.within(pk, chosen, levels=1)
    users = ledger.users_of([pk], most=MOST_USERS + 1)
    named = {pk, *(part.parent for part in near), *(user for _node, user, *_rest in users)}
    return _graph(pk, near, users, ledger.things(named))


def _graph(
    root: int,
    parts: Sequence[ledger.Part],
    users: Sequence[tuple[int, int, bool, int]],
    things: "Mapping[int, Lot | SerialUnit]",
) -> dict[str, Any]:
    edges: dict[str, dict[str, Any]] = {}
    for part in parts[:MOST_PARTS]:
        if part.parent in things and part.child in things:
            edges[f"{part.parent}-{part.child}"] = _edge(part)
    for node, user, is_exact, _event in users[:MOST_USERS]:
        if user in things:
            ends = {"source": str(node), "target": str(user)}
            edges.setdefault(f"{node}-{user}", {**ends, "sure": is_exact, "state": ""})
    shown = {root} | {int(edge[end]) for edge in edges.values() for end in ("source", "target")}
    return {
        "root": str(root),
        "nodes": [_node(things[pk], is_open=pk == root) for pk in sorted(shown)],
        "edges": [{"id": key, **edge} for key, edge in edges.items()],
        "capped": len(parts) > MOST_PARTS or len(users) > MOST_USERS,
    }


def _edge(part: ledger.Part) -> dict[str, Any]:
    state = ""
    if part.role == LinkRole.INSTALL:
        state = "installed"
    elif part.why == LinkEndWhy.REMOVED:
        state = "removed"
    return {
        "source": str(part.parent),
        "target": str(part.child),
        "sure": part.is_exact,
        "state": state,
    }


def _node(thing: "Lot | SerialUnit", *, is_open: bool) -> dict[str, Any]:
    is_unit = thing.pk >= FIRST_UNIT_ID
    return {
        "id": str(thing.pk),
        "number": thing.number,
        "item": thing.item.code,
        "kind": "unit" if is_unit else "lot",
        "held": thing.state == IdentityState.ON_HOLD,
        "open": is_open,
        "url": reverse("crm:trace-thing", args=[thing.pk]),
        "more": reverse("crm:trace-graph", args=[thing.pk]),
        "label": _("Serial number %(number)s") % {"number": thing.number}
        if is_unit
        else _("Lot %(number)s") % {"number": thing.number},
    }
