"""Facts that mes publishes."""

from dataclasses import dataclass
from typing import ClassVar

from common.events import DomainEvent


@dataclass(frozen=True)
class WorkOrdersChanged(DomainEvent):
    """Work orders of a site were created, resized, held, resumed or cancelled."""

    topic: ClassVar[str] = "mes.work_orders.changed"
    site_id: int


@dataclass(frozen=True)
class MaintenanceNeedsChanged(DomainEvent):
    """Maintenance of a site needs other parts than before, or at another time."""

    topic: ClassVar[str] = "mes.maintenance.needs_changed"
    site_id: int


@dataclass(frozen=True)
class NeedsCovered(DomainEvent):
    """Needs that had lost what they counted on were planned for again, some from stock."""

    topic: ClassVar[str] = "mes.needs.covered"
    site_id: int


@dataclass(frozen=True)
class OperationStarted(DomainEvent):
    topic: ClassVar[str] = "mes.operation.started"
    operation_id: int
    work_order_id: int
    site_id: int


@dataclass(frozen=True)
class OperationReported(DomainEvent):
    topic: ClassVar[str] = "mes.operation.reported"
    operation_id: int
    work_order_id: int
    site_id: int


@dataclass(frozen=True)
class PiecesScrapped(DomainEvent):
    """Scrap took from what was counted on of a work order, or (a report undone) did not."""

    topic: ClassVar[str] = "mes.pieces.scrapped"
    work_order_id: int
    site_id: int


@dataclass(frozen=True)
class ReportTakenBack(DomainEvent):
    """A report does not count any more; its work order may be open again."""

    topic: ClassVar[str] = "mes.report.taken_back"
    operation_id: int
    work_order_id: int
    site_id: int


@dataclass(frozen=True)
class OperationFinished(DomainEvent):
    topic: ClassVar[str] = "mes.operation.finished"
    operation_id: int
    work_order_id: int
    site_id: int


@dataclass(frozen=True)
class WorkOrderCompleted(DomainEvent):
    topic: ClassVar[str] = "mes.work_order.completed"
    work_order_id: int
    site_id: int


@dataclass(frozen=True)
class IncidentChanged(DomainEvent):
    """An alarm was raised, answered or resolved; a machine stands, is estimated, or runs again."""

    topic: ClassVar[str] = "mes.incident.changed"
    incident_id: int
    site_id: int
    work_unit_id: int
