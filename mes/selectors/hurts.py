"""Whom a requirement is for in the end: up all levels to order lines and their customers."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from erp import selectors as erp
from erp.selectors import OrderLine
from mes.models import WorkOrderMaterial
from mes.selectors.tree import requirements_served_by


@dataclass(frozen=True, slots=True)
class Hurt:
    """The order lines that wait for a requirement, the first due first."""

    lines: tuple[OrderLine, ...]

    @property
    def first(self) -> OrderLine | None:
        return self.lines[0] if self.lines else None

    @property
    def more(self) -> int:
        """How many besides the first."""
        return max(0, len(self.lines) - 1)


def order_lines_above(requirement_ids: Collection[int]) -> dict[int, Hurt]:
    """The order lines each requirement serves, by its id; two queries a level and two besides.

    An order line's own requirement serves itself; what is made for stock serves nobody.
    """
    owners = dict(
        WorkOrderMaterial.objects.filter(requirement__in=list(requirement_ids)).values_list(
            "requirement_id", "work_order_id"
        )
    )
    served = requirements_served_by(set(owners.values()))
    tops = {
        pk: served.get(owners[pk], frozenset()) if pk in owners else frozenset({pk})
        for pk in requirement_ids
    }
    lines = erp.order_lines(set().union(*tops.values()))
    return {pk: Hurt(tuple(_known(found, lines))) for pk, found in tops.items()}


def _known(ids: Iterable[int], lines: dict[int, OrderLine]) -> list[OrderLine]:
    found = [lines[pk] for pk in ids if pk in lines]
    return sorted(found, key=lambda line: (line.due_at, line.reference))
