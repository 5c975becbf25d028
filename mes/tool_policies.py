"""Whether the tool or fixture that an operation needs is there."""

from django.utils.translation import gettext as _

from common.errors import Refused
from mes import selectors
from mes.models import WorkOrderOperation


def check_tool(
    operation: WorkOrderOperation, error: type[Refused], *, but_at: int | None = None
) -> None:
    """Raise ``error`` while all there are of its tool are in use, other than at ``but_at``.

    What is interrupted holds none: as the machine, it may be taken for something else.
    """
    if operation.tool is None:
        return
    others = [
        other
        for other in selectors.holding_tool(operation.tool.pk)
        if other.pk != operation.pk and (but_at is None or other.work_unit_id != but_at)
    ]
    if len(others) < operation.tool.quantity:
        return
    raise error(
        _("The tool %(tool)s is in use at %(others)s.")
        % {
            "tool": operation.tool.code,
            "others": ", ".join(
                f"{other.work_unit or '–'} ({other.work_order.number}/{other.sequence})"
                for other in others
            ),
        }
    )
