"""What the steps of one import share."""

from dataclasses import dataclass
from datetime import datetime

from common.models import User
from crm.services.dataset.files import Folder
from crm.services.dataset.options import Options
from crm.services.dataset.summary import Summary
from masterdata.services.imports import RESOURCES, Outcome, Plan, Table, run


@dataclass(slots=True)
class Context:
    """The folder, the choices, who and when, and the growing summary."""

    folder: Folder
    options: Options
    summary: Summary
    by: User | None
    now: datetime

    def table(self, name: str) -> Table:
        return self.folder.table(name)

    def take(self, resource: str, table: Table, label: str = "") -> Plan:
        """Import the good rows into the open transaction and note numbers and bad rows."""
        plan = run(RESOURCES[resource], table, take_good=True, by=self.by, now=self.now)
        self.summary.bad.extend(plan.bad)
        self.count(label or resource, plan.outcome)
        return plan

    def count(self, label: str, outcome: Outcome) -> None:
        """Add to the numbers of a kind."""
        before = self.summary.counts.get(label, Outcome())
        self.summary.counts[label] = Outcome(
            before.created + outcome.created,
            before.changed + outcome.changed,
            before.unchanged + outcome.unchanged,
            before.bad + outcome.bad,
        )
