"""Requirements planning of a real company's orders, inside the scratch database."""

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from common.jobs import run_due
from crm.bench.table import Row
from crm.enums import OrderState
from crm.models import SalesOrderLine
from erp import selectors as erp
from erp.enums import RequirementKind
from erp.services import mrp_runs, requirements
from masterdata import selectors as masterdata
from masterdata.services import calendars


def rows() -> list[Row]:
    """Plan all submitted order lines from an empty plan, and a second time onto what stands."""
    now = timezone.now()
    site = masterdata.default_site()
    lines = _demand(site.pk, calendars.zone(site.time_zone))
    # What the import asked for is not what is measured.
    run_due(now=now, include_waiting=True)
    found = [Row("order lines / items to plan", f"{lines:,} / {len(masterdata.items())}", "")]
    for what in ("requirements planning, first run", "requirements planning, second run"):
        started = time.monotonic()
        run = mrp_runs.request(site_id=site.pk, by=None, now=now)
        run_due(now=now, include_waiting=True)
        passed = time.monotonic() - started
        run.refresh_from_db()
        if run.state != "done":
            raise RuntimeError(f"The run is {run.state}: {run.error}")
        found.append(Row(what, f"{passed:.1f} s", "≤ 20 s"))
    counts = erp.proposal_counts(site_id=site.pk)
    shown = f"{counts['make']:,} / {counts['buy']:,} / {counts['changes']:,}"
    found.append(Row("proposals to make / buy / change", shown, ""))
    return found


def _demand(site_id: int, zone: ZoneInfo) -> int:
    """The lines as approval would open them, without the work orders that it would make."""
    lines = list(
        SalesOrderLine.objects.filter(order__state=OrderState.SUBMITTED).select_related("order")
    )
    requirements.open_many(
        [
            requirements.NewRequirement(
                item_id=line.item_id,
                site_id=site_id,
                kind=RequirementKind.SALES,
                quantity=line.quantity,
                due_at=datetime.combine(
                    line.requested_date + timedelta(days=1),
                    datetime.min.time(),
                    tzinfo=zone,
                ),
                reference=f"{line.order.number}/{line.position}",
                customer_id=line.order.customer_id,
            )
            for line in lines
        ]
    )
    return len(lines)
