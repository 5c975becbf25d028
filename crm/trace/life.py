"""The life of one lot or unit, read once: what the trace page and its graph are made of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from common.models import User
from crm import selectors_products as products
from crm.selectors_products import Product
from masterdata import selectors as masterdata
from traceability import selectors as ledger
from traceability.enums import (
    FIRST_KIT_ID,
    FIRST_UNIT_ID,
    DocumentKind,
    LinkEndWhy,
    LinkRole,
)

if TYPE_CHECKING:
    from masterdata.models import Tool, WorkUnit
    from traceability.models import (
        Custody,
        Document,
        Event,
        Lot,
        Parameter,
        Reading,
        SerialUnit,
    )

    Thing = Lot | SerialUnit

# Parts whose measurements are shown beside the unit's own.
_MOST_MEASURED = 50


@dataclass
class Life:
    """A thing with all that the ledger knows of it."""

    thing: "Thing"
    # Whose it is, and until when we answer for it.
    product: Product
    parts: list[ledger.Part]
    hosts: list[ledger.Step]
    things: dict[int, "Thing"]
    readings: list["Reading"]
    # Of the thing itself, and the receipts of everything in it.
    custodies: list["Custody"]
    events: dict[int, "Event"]
    parameters: dict[int, "Parameter"]
    work_units: dict[int, "WorkUnit"]
    tools: dict[int, "Tool"]
    people: dict[int, User] = field(default_factory=dict)

    @property
    def is_unit(self) -> bool:
        return self.thing.pk >= FIRST_UNIT_ID

    @property
    def as_built(self) -> list[ledger.Part]:
        return self._over(part for part in self.parts if part.is_as_built)

    @property
    def as_it_is(self) -> list[ledger.Part]:
        return self._over(part for part in self.parts if part.holds)

    def _over(self, parts: Iterable[ledger.Part]) -> list[ledger.Part]:
        """Those of the parts that are over the thing: what was taken out has parts no more."""
        chosen = list(parts)
        return ledger.within(self.thing.pk, chosen, levels=len(chosen))

    @property
    def lots(self) -> set[int]:
        """The lots that are in it now, and itself where it is one."""
        parts = {part.parent for part in self.as_it_is if part.parent < FIRST_KIT_ID}
        return parts if self.is_unit else {*parts, self.thing.pk}

    @property
    def replaced(self) -> list[ledger.Part]:
        """What was taken out since it was built, and what was put in."""
        return [
            part
            for part in self.parts
            if part.role == LinkRole.INSTALL or part.why == LinkEndWhy.REMOVED
        ]

    @property
    def own_custodies(self) -> list["Custody"]:
        return [row for row in self.custodies if row.thing == self.thing.pk]

    def receipt_of(self, pk: int) -> "Document | None":
        """The paper by which a lot or unit came from its supplier."""
        for row in self.custodies:
            if row.thing == pk and row.document.kind == DocumentKind.RECEIPT:
                return row.document
        return None

    def operator(self, pk: int | None, *, may_see: bool) -> str:
        """The person at the machine: by name for who may see it, else by number."""
        person = self.people.get(pk or 0)
        if pk is None or person is None:
            return ""
        return str(person) if may_see else _("No. %(number)s") % {"number": pk}


def read(thing: "Thing") -> Life:
    """Read the life of a thing; so many queries however long it is."""
    pk = thing.pk
    steps = ledger.steps_over(pk)
    parts = ledger.parts_of(steps)
    hosts = ledger.hosts_over_time(pk) if pk >= FIRST_UNIT_ID else []
    named = {pk, *(part.parent for part in parts), *(part.child for part in parts)}
    named |= {step.child for step in hosts}
    things = {**ledger.things({node for node in named if not _is_kit(node)}), pk: thing}
    inner = [part.parent for part in parts if part.holds and part.parent >= FIRST_UNIT_ID]
    readings = list(ledger.readings_of([pk, *inner[:_MOST_MEASURED]]))
    custodies = list(ledger.custodies_of(things.keys()))
    events = ledger.events(
        {
            *(part.event_id for part in parts),
            *(part.ended_by for part in parts if part.ended_by),
            *(step.event_id for step in hosts),
            *(step.ended_by for step in hosts if step.ended_by),
            *(reading.event_id for reading in readings),
            *(custody.event_id for custody in custodies if custody.thing == pk),
        }
    )
    return Life(
        thing=thing,
        product=_product(pk),
        parts=parts,
        hosts=hosts,
        things=things,
        readings=readings,
        custodies=custodies,
        events=events,
        parameters=ledger.parameters({r.parameter_id for r in readings if r.parameter_id}),
        work_units=masterdata.work_units_by_id(
            {r.work_unit_id for r in readings if r.work_unit_id}
        ),
        tools=masterdata.tools_by_id({r.tool_id for r in readings if r.tool_id}),
        people=User.objects.in_bulk({r.operator_id for r in readings if r.operator_id}),
    )


def _product(pk: int) -> Product:
    found = products.product(pk)
    assert found is not None  # noqa: S101 - who reads a life has found the thing
    return found


def _is_kit(node: int) -> bool:
    return FIRST_KIT_ID <= node < FIRST_UNIT_ID
