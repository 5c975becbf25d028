from mes.models.access import Badge, Terminal
from mes.models.andon import (
    AndonCall,
    AndonRule,
    Downtime,
    DowntimeReason,
    Incident,
    IncidentEntry,
)
from mes.models.check import CheckResult, WorkOrderCheck
from mes.models.cost import CostStandard
from mes.models.floor import FloorReason, TimeBooking
from mes.models.machine import MachineBacklog, MachineEvent, MachineSource, MachineState
from mes.models.maintenance import MaintenanceOrder, MaintenancePart, MaintenanceTime
from mes.models.nonconformance import (
    ConcernedThing,
    Concession,
    ContainmentCount,
    Disposition,
    Nonconformance,
)
from mes.models.operation import OperationReport, OperationUnit, WorkOrderOperation
from mes.models.problem import (
    EffectResult,
    EightD,
    FmeaRow,
    QualityAction,
    Step,
    SupplierRequest,
    SupplierRequestMail,
    TeamMember,
    Why,
)
from mes.models.work_order import WorkOrder, WorkOrderMaterial, WorkOrderPeg

__all__ = [
    "Badge",
    "CheckResult",
    "FloorReason",
    "AndonCall",
    "AndonRule",
    "Downtime",
    "DowntimeReason",
    "Incident",
    "IncidentEntry",
    "MachineBacklog",
    "MaintenanceOrder",
    "MaintenancePart",
    "MaintenanceTime",
    "MachineEvent",
    "MachineSource",
    "MachineState",
    "CostStandard",
    "OperationReport",
    "OperationUnit",
    "Terminal",
    "TimeBooking",
    "WorkOrder",
    "WorkOrderCheck",
    "WorkOrderMaterial",
    "WorkOrderOperation",
    "WorkOrderPeg",
    "ConcernedThing",
    "Concession",
    "ContainmentCount",
    "Disposition",
    "EffectResult",
    "EightD",
    "FmeaRow",
    "Nonconformance",
    "QualityAction",
    "Step",
    "SupplierRequest",
    "SupplierRequestMail",
    "TeamMember",
    "Why",
]
