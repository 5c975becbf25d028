"""An order's tree as JSON: what the board lights, links and lists, beyond its window too."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from aps import selectors
from aps.selectors import Bar
from aps.views.board import label
from aps.views.place import site_id as chosen_site
from common.access import requires
from masterdata.services import calendars

# A lot for very many orders shows the first operations.
MOST = 500


@requires("aps.view_schedule")
@require_safe
def board_tree(request: HttpRequest) -> JsonResponse:
    """``?order=SO-100001`` → its operations by start, and links [operation, who waits for it]."""
    number = request.GET.get("order", "").replace("\x00", "")[:60]
    site_id = chosen_site(request)
    run = selectors.current_run(site_id) if site_id is not None else None
    if run is None or not number:
        return JsonResponse({"order": number, "operations": [], "links": []})
    tree = selectors.order_tree(run, number)
    shown = tree.operations[:MOST]
    known = {bar.operation_id for bar in shown}
    links = [pair for pair in tree.links if known.issuperset(pair)]
    operations = [operation(bar) for bar in shown]
    return JsonResponse({"order": number, "operations": operations, "links": links})


def operation(bar: Bar) -> dict[str, Any]:
    """A bar by the names that the board's script uses; times are minutes since 1970."""
    return {
        "id": bar.operation_id,
        "unit": bar.work_unit_id or 0,
        "start": calendars.to_minutes(bar.starts_at),
        "end": calendars.to_minutes_up(bar.ends_at),
        "workOrder": bar.work_order_number,
        "item": bar.item_code,
        "sequence": bar.sequence,
        "name": label(bar.name, bar.name_zh),
        "state": bar.state,
        "isLocked": bar.is_locked,
    }
